"""Images to publish, as `docker save` writes them: of random layers, so that nothing of them is in
a bucket by chance.

    image = Saved(ws, "image.tar", "acme/app:1.0", [3000, 40000])
    image.config, image.diff_ids        # digests
"""
import hashlib
import io
import json
import random
import tarfile


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def layer(size, seed):
    """A plain layer that does not get much smaller, the same for the same seed."""
    return tar_of({"data": random.Random(seed).randbytes(size)})


class Saved:
    """A docker save archive at `path`. layers: sizes, or the layers themselves."""

    def __init__(self, ws, name, tag, layers, seed=0):
        plain = [part if isinstance(part, bytes) else layer(part, f"{seed}/{i}")
                 for i, part in enumerate(layers)]
        self.diff_ids = [sha256(data) for data in plain]
        config = json.dumps({"architecture": "amd64", "os": "linux", "seed": seed, "rootfs": {
            "type": "layers", "diff_ids": self.diff_ids}}).encode()
        self.config = sha256(config)
        names = [f"{digest[7:]}/layer.tar" for digest in self.diff_ids]
        manifest = [{"Config": self.config[7:] + ".json", "RepoTags": [tag] if tag else None,
                     "Layers": names}]
        self.path = ws.write(name, tar_of({
            "manifest.json": json.dumps(manifest).encode(),
            self.config[7:] + ".json": config, **dict(zip(names, plain))}))
