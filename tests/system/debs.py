"""Debian's packages of this tree, and the root of a container with them in it, for the tests that
install them. Each is made once for a content of the tree, below build/debs."""
import contextlib
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess

from host import base_root
from raas import TOP, git

PLACE = os.path.join(TOP, "build", "debs")
OLD = "0.0.9"
# Not optimized: what is compiled here is run for a moment.
OPTIONS = "nocheck noopt noautodbgsym parallel=%d" % os.cpu_count()


def sources():
    """What the packages are made of; of the tests only what the build reads."""
    listed = git("-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", cwd=TOP)
    return [name for name in sorted(set(listed.split("\n")) - {""})
            if os.path.isfile(os.path.join(TOP, name)) and (
                not name.startswith(("tests/", ".ci/")) or name.endswith((".mk", ".c", ".h")))]


def content(names):
    total = hashlib.sha256()
    for name in names:
        with open(os.path.join(TOP, name), "rb") as f:
            total.update(f"{name}\0{hashlib.sha256(f.read()).hexdigest()}\n".encode())
    return total.hexdigest()[:16]


def call(*command, **options):
    """Run it; what it said is the error's text."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                          **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: status {done.returncode}:\n{done.stdout[-4000:]}")


def build_package(tree, to, *options):
    call("dpkg-buildpackage", "-us", "-uc", "-b", *options, cwd=tree,
         env={**os.environ, "DEB_BUILD_OPTIONS": OPTIONS})
    os.makedirs(to)
    for path in glob.glob(os.path.join(os.path.dirname(tree), "raas*_*")):
        shutil.move(path, to)


def build(names, to):
    """The packages into `to`, and the same as an older version into its folder old."""
    tree = os.path.join(PLACE, "work", "raasd")
    for name in names:
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(os.path.join(TOP, name), path)
    build_package(tree, to)
    # What is compiled stays as it is: only the packages are made again.
    for path in glob.glob(os.path.join(tree, "debian", "*.debhelper.log")):
        os.unlink(path)
    changelog = os.path.join(tree, "debian", "changelog")
    with open(changelog, encoding="utf-8") as f:
        entries = f.read()
    with open(changelog, "w", encoding="utf-8") as f:
        f.write(entries[:entries.index("\n")].replace(version(to), OLD))
        f.write(entries[entries.index("\n"):])
    build_package(tree, os.path.join(to, "old"), "-nc")


def version(folder):
    [path] = glob.glob(os.path.join(folder, "raasd_*.deb"))
    return os.path.basename(path).split("_")[1]


def packages():
    """The folder with *.deb, *.changes and old/*.deb."""
    names = sources()
    with exclusively():
        place = os.path.join(PLACE, content(names))
        if not os.path.isdir(place):
            for name in os.listdir(PLACE):
                if name != ".lock":
                    shutil.rmtree(os.path.join(PLACE, name))
            build(names, os.path.join(PLACE, "fresh"))
            shutil.rmtree(os.path.join(PLACE, "work"))
            os.rename(os.path.join(PLACE, "fresh"), place)
        return place


def container_root(place):
    """What systemd/container makes of them, on top of the root of a Host: a tarball."""
    with exclusively():
        tarball = os.path.join(place, "root.tar")
        if not os.path.exists(tarball):
            call(os.path.join(TOP, "systemd", "container"), "root", tarball + ".half",
                 base_root(), *glob.glob(os.path.join(place, "*.deb")))
            os.rename(tarball + ".half", tarball)
        return tarball


@contextlib.contextmanager
def exclusively():
    os.makedirs(PLACE, exist_ok=True)
    with open(os.path.join(PLACE, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
