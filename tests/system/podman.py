"""Debian's podman, with all that it keeps below one directory of a workspace."""
from raas import run


class Podman:
    def __init__(self, ws, driver="vfs", options=()):
        self.folder = ws.mkdir("podman")
        self.options = [
            "--root", ws.path("podman", "root"), "--runroot", ws.path("podman", "run"),
            "--tmpdir", ws.path("podman", "tmp"), "--storage-driver", driver,
            "--cgroup-manager", "cgroupfs", "--events-backend", "none", *options]

    def ask(self, *arguments, **options):
        return run("podman", *self.options, *arguments, seconds=120, **options)
