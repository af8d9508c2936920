"""raas-crane for system tests: the program, images to serve with it, and skopeo to pull them.

    certificate = Certificate(ws)
    crane = ws.start(RaasCrane(ws, sandbox.app("isv1")["repo"], tls=certificate))
    ...                             # something is pushed to the app's repository
    crane.deploy()
    wait_for(crane.is_live, what="the new deployment")
    skopeo(certificate, "inspect", f"docker://{crane.address}/some/app:latest")
"""
import hashlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import tarfile

from raas import BUILD, SLOWNESS, git, run, wait_for

RAAS_CRANE = os.environ.get("RAAS_CRANE") or os.path.join(BUILD, "raas-crane")
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
FOLDERS = {DOCKER: "2", DOCKER_LIST: "list"}


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Certificate:
    """For 127.0.0.1 and other names, and its own authority."""

    def __init__(self, ws, *names, folder="tls"):
        self.folder = ws.mkdir(folder)
        self.cert, self.key = ws.path(folder, "ca.crt"), ws.path(folder, "server.pem")
        subject = ",".join(["IP:127.0.0.1", *("DNS:" + name for name in names)])
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=raas-crane", "-addext",
            "subjectAltName=" + subject, "-keyout", self.key, "-out", self.cert, check=True)

    def client(self):
        return ssl.create_default_context(cafile=self.cert)


class Crane:
    """raas-crane on a directory."""

    def __init__(self, ws, data, *options, tls=None, name="crane"):
        self.data = data
        self.log_path = ws.path(name + ".log")
        self.tls = tls
        self.arguments = [RAAS_CRANE, "--data", data, "--listen", "127.0.0.1:0", *options]
        if tls:
            self.arguments += ["--cert", tls.cert, "--key", tls.key]
        self.process = None
        self.port = None

    def start(self):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_for(self.listens, what="raas-crane's address")

    def listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.log())
        _, found, rest = self.log().partition("listening on 127.0.0.1:")
        self.port = int(rest.split("\n")[0]) if found and "\n" in rest else None
        return self.port

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.address}"

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30 * SLOWNESS)

    def ask(self, path, method="GET", headers=()):
        """(status, headers, body); headers are (name, value) pairs and may repeat."""
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        more = {"context": self.tls.client()} if self.tls else {}
        connection = kind("127.0.0.1", self.port, timeout=30, **more)
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, response.headers, body

    def status(self):
        return json.loads(self.ask("/raas/status")[2])

    def where(self, path, *accept):
        return self.ask(path, headers=[("Accept", a) for a in accept])[1]["Location"]


class RaasCrane(Crane):
    """raas-crane on what an app's repository holds, as a cartridge would run it: each deploy()
    checks crane/data out into a folder of its own, and replaces the link that is served."""

    def __init__(self, ws, repo, *options, tls=None, branch="master", name="app-crane"):
        self.repo, self.branch = repo, branch
        self.releases = ws.mkdir(name)
        self.n_releases = 0
        super().__init__(ws, os.path.join(self.releases, "current"), *options, tls=tls, name=name)

    def start(self):
        self.deploy()
        super().start()

    def deploy(self):
        """What is on the branch now; is_live() tells when it is served."""
        self.n_releases += 1
        release = os.path.join(self.releases, str(self.n_releases))
        git("archive", "--format=tar", "-o", release + ".tar", f"{self.branch}:crane/data",
            cwd=self.repo)
        with tarfile.open(release + ".tar") as tar:
            tar.extractall(release)
        os.symlink(str(self.n_releases), self.data + ".new")
        os.rename(self.data + ".new", self.data)

    def is_live(self):
        return self.status()["hash"] == hash_of(self.data)


def hash_of(folder):
    """What raas-crane's status calls these files, as its help says."""
    names = [os.path.relpath(os.path.join(top, name), folder)
             for top, _, names in os.walk(folder) for name in names if name.endswith(".json")]
    lines = b""
    for name in sorted(names, key=os.fsencode):
        with open(os.path.join(folder, name), "rb") as f:
            lines += f"{hashlib.sha256(f.read()).hexdigest()}  {name}\n".encode()
    return hashlib.sha256(lines).hexdigest()


def skopeo(certificate, *arguments):
    return run("skopeo", "--insecure-policy", *arguments, seconds=120,
               env={**os.environ, "SSL_CERT_FILE": certificate.cert})


def make_layout(ws):
    """An OCI layout by umoci with two images, and one index over both."""
    layout = ws.path("layout")
    run("umoci", "init", "--layout", layout, check=True)
    run("umoci", "new", "--image", layout + ":one", check=True)
    with tarfile.open(ws.path("layer.tar"), "w") as tar:
        for number in range(3):
            tar.add(ws.write(f"file{number}", os.urandom(100000)), arcname=f"file{number}")
    for tag in ("one", "two"):      # of one layer, and of two
        run("umoci", "raw", "add-layer", "--image", f"{layout}:one", "--tag", tag,
            ws.path("layer.tar"), check=True)
    return layout


def copy(certificate, source, target, *options):
    done = skopeo(certificate, "copy", "-q", *options, source, target)
    if done.status != 0:
        raise RuntimeError(done.err)
    return target.partition(":")[2]


def same_files(one, other):
    """Names of files that differ or are on one side only; skopeo's own 'version' left out."""
    names = set(os.listdir(one)) | set(os.listdir(other))
    different = []
    for name in sorted(names - {"version"}):
        paths = [os.path.join(folder, name) for folder in (one, other)]
        if not all(map(os.path.exists, paths)):
            different.append(name)
        elif len({open(p, "rb").read() for p in paths}) > 1:
            different.append(name)
    return different


class Repository:
    """An image repository: objects in a bucket, and the metadata file that tells of them. The
    bucket has put(key, type, bytes), and a public_url without a slash at its end."""

    def __init__(self, bucket, name):
        self.bucket = bucket
        self.folder = name.replace("/", "-") + "/"
        self.metadata = {
            "version": 4, "repository": "isv1-" + self.folder[:-1], "repo-registry-id": name,
            "url": bucket.public_url + "/" + self.folder, "protected": False,
            "schema2_data": [], "manifest_list_data": [], "manifest_list_amd64_tags": {},
            "raas": {"schema": 1, "tags": {}, "manifests": {}, "blobs": {}, "origins": [],
                     "referrers": {}}}
        self.raas = self.metadata["raas"]

    def add_blob(self, data, origin=None):
        digest = sha256(data)
        self.raas["blobs"][digest] = {"size": len(data)}
        if origin is None:
            self.bucket.put(self.folder + "blobs/" + digest, "application/octet-stream", data)
        else:
            self.raas["blobs"][digest]["origin"] = origin
        return digest

    def add_manifest(self, data, kind, tag=None):
        digest = sha256(data)
        self.raas["manifests"][digest] = {"type": kind, "size": len(data)}
        if tag:
            self.raas["tags"][tag] = digest
            tags = {"name": self.metadata["repo-registry-id"], "tags": sorted(self.raas["tags"])}
            self.bucket.put(self.folder + "tags/list", "application/json",
                            json.dumps(tags).encode())
        for reference in filter(None, (digest, tag)):
            key = self.folder + f"manifests/{FOLDERS.get(kind, '1')}/{reference}"
            self.bucket.put(key, kind, data)
            if kind == DOCKER:
                self.metadata["schema2_data"].append(reference)
            elif kind == DOCKER_LIST:
                self.metadata["manifest_list_data"].append(reference)
        return digest

    def add_image(self, folder, tag=None, masked=()):
        """From a directory that skopeo wrote; blobs in `masked` are of the first origin."""
        with open(os.path.join(folder, "manifest.json"), "rb") as f:
            manifest = f.read()
        kind = json.loads(manifest).get("mediaType", OCI)
        for blob in [json.loads(manifest)["config"], *json.loads(manifest)["layers"]]:
            with open(os.path.join(folder, blob["digest"].partition(":")[2]), "rb") as f:
                self.add_blob(f.read(), 0 if blob["digest"] in masked else None)
        return self.add_manifest(manifest, kind, tag)

    def add_index(self, children, kind, child_kind, tag):
        text = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [
            {"mediaType": child_kind, "digest": digest,
             "size": self.raas["manifests"][digest]["size"],
             "platform": {"os": "linux", "architecture": architecture}}
            for architecture, digest in children.items()]}).encode()
        return self.add_manifest(text, kind, tag)

    def name(self):
        """Of the metadata file."""
        return self.folder[:-1] + ".json"

    def text(self):
        return json.dumps(self.metadata)

    def write(self, folder):
        """By rename, as Crane needs it."""
        temporary = os.path.join(folder, "." + self.name())
        with open(temporary, "w", encoding="utf-8") as f:
            f.write(self.text())
        os.rename(temporary, os.path.join(folder, self.name()))
