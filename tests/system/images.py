"""Images that are in a bucket already: what is put there, and the metadata that names it.

    image = Image("acme/app")
    image.put(scene, "isv1.bucket")
    scene.publish({"isv1/metadata/isv1-acme-app.json": image.metadata(scene, "isv1.bucket")})

An Image is of two platforms, under the tag "latest"; an OldImage is of version 1, two layers.
"""
import hashlib
import json

from sandbox import Signer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
BYTES = "application/octet-stream"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put_object(scene, bucket, key, data, content_type=BYTES, acl=None):
    """As a publisher does: signed, and with its exact type."""
    headers = {"Content-Type": content_type, **({"x-amz-acl": acl} if acl else {})}
    signer = Signer("OPSACCESSKEY", scene.s3_secret)
    answer = scene.sandbox.s3("PUT", f"/{bucket}/{key.replace(':', '%3A')}", data, headers,
                              signer=signer)
    if answer.status != 200:
        raise RuntimeError(f"PUT {key}: {answer.status} {answer.text()}")


class Base:
    """objects: {key below the prefix: (type, bytes)}"""

    def __init__(self, name):
        self.name = name
        self.prefix = name.replace("/", "-") + "/"
        self.objects = {}

    def put(self, scene, bucket, acl=None):
        for key, (content_type, data) in self.objects.items():
            put_object(scene, bucket, self.prefix + key, data, content_type, acl)

    def url(self, scene, bucket):
        return f"{scene.sandbox.s3_endpoint}/{bucket}/{self.prefix}"

    def file(self, isv):
        return f"{isv}/metadata/{isv}-{self.prefix[:-1]}.json"

    def bytes(self):
        return sum(len(data) for _, data in self.objects.values())


class Image(Base):
    def __init__(self, name, salt=""):
        super().__init__(name)
        self.manifests, self.blobs = {}, {}     # digest: (type, bytes); digest: bytes
        self.layer = self.blob(f"layer of {name} {salt}\n".encode() * 50)
        children = [self.child(arch) for arch in ("amd64", "arm64")]
        body = json.dumps({"schemaVersion": 2, "mediaType": LIST, "manifests": [
            {"mediaType": MANIFEST, "digest": digest, "size": len(self.manifests[digest][1]),
             "platform": {"os": "linux", "architecture": arch}}
            for arch, digest in children]}).encode()
        self.children = dict(children)
        self.list = self.manifest(LIST, body, "latest")
        self.objects["tags/list"] = ("application/json", json.dumps(
            {"name": name, "tags": ["latest"]}).encode())

    def blob(self, data):
        digest = sha256(data)
        self.blobs[digest] = data
        self.objects["blobs/" + digest] = (BYTES, data)
        return digest

    def manifest(self, content_type, body, tag=None):
        digest = sha256(body)
        folder = {MANIFEST: "2", LIST: "list"}.get(content_type, "1")
        self.manifests[digest] = (content_type, body)
        for reference in filter(None, (digest, tag)):
            self.objects[f"manifests/{folder}/{reference}"] = (content_type, body)
        return digest

    def child(self, arch):
        config = self.blob(json.dumps({"architecture": arch, "os": "linux", "salt": self.layer,
                                       "rootfs": {"type": "layers", "diff_ids": []}}).encode())
        body = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"digest": config, "size": len(self.blobs[config])},
            "layers": [{"digest": self.layer, "size": len(self.blobs[self.layer])}]}).encode()
        return arch, self.manifest(MANIFEST, body)

    def metadata(self, scene, bucket, raas=True, **members):
        """Its metadata file; without `raas` as Pulp writes it."""
        own = {"schema": 1, "tags": {"latest": self.list},
               "manifests": {d: {"type": t, "size": len(b)} for d, (t, b) in
                             self.manifests.items()},
               "blobs": {d: {"size": len(b)} for d, b in self.blobs.items()}}
        return json.dumps({
            "version": 4, "repository": self.prefix[:-1], "repo-registry-id": self.name,
            "url": self.url(scene, bucket), "protected": False,
            "schema2_data": sorted(self.children.values()),
            "manifest_list_data": ["latest", self.list],
            "manifest_list_amd64_tags": {"latest": [self.children["amd64"], 2]},
            **({"raas": own} if raas else {}), **members}) + "\n"


class OldImage(Base):
    """Version 1: `top` stands on `bottom`."""

    def __init__(self, name):
        super().__init__(name)
        self.top, self.bottom = (hashlib.sha256((name + x).encode()).hexdigest() for x in "ab")
        for image, below in ((self.bottom, []), (self.top, [self.bottom])):
            self.objects[image + "/json"] = (BYTES, json.dumps({"id": image}).encode())
            self.objects[image + "/ancestry"] = (BYTES, json.dumps([image, *below]).encode())
            self.objects[image + "/layer"] = (BYTES, b"layer " + image.encode())

    def metadata(self, scene, bucket, **members):
        return json.dumps({
            "version": 1, "repository": self.prefix[:-1], "repo-registry-id": self.name,
            "url": self.url(scene, bucket), "protected": False,
            "images": [{"id": self.top}, {"id": self.bottom}], "tags": {"latest": self.top},
            **members}) + "\n"
