"""A host with systemd for tests: Debian in a container that systemd-nspawn boots.

    with Tap() as tap, Workspace() as ws:
        host = ws.start(Host(ws))                  # booted
        host.write("/etc/raas/raasd.yaml", "config_repo: /srv/config.git\\n")
        host.run("systemctl", "start", "raasd")    # (status, out, err)
        host.run("raasctl", "ping", user="nobody")
        host.journal("raasd")                      # its entries, as dictionaries

The root is made once, with the packages below, and kept in build/; each Host works on a copy of
it that vanishes with it. Its network is this machine's: a sandbox or an sshd that the test starts
on a loopback port is reached from inside. It has no clock, kernel or cgroup manager of its own.
Only root can boot it. Tests that use it say "sanitizers: none": it has no sanitizers' libraries.
"""
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile

from raas import TOP, run, wait_for

PACKAGES = (
    "systemd systemd-sysv dbus git openssh-client ca-certificates libcurl4 libgit2-1.5 libjansson4"
    " libevent-2.1-7 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7 libyaml-0-2"
    " libsystemd0 libarchive13 libssl3").split()
# Nothing that is lost in a power cut is missed. To leave out manuals takes longer than to have them.
RECIPE = ["mmdebstrap", "--mode=root", "--variant=minbase", "--skip=output/dev", "--quiet",
          "--dpkgopt=force-unsafe-io", "--include=" + ",".join(PACKAGES), "bookworm"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A mount namespace of its own, so that the copy is unmounted however this ends; and a cgroup of
# its own in each hierarchy that systemd uses, since two containers in one would kill each other's.
BOOT = r"""
set -e
for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	[ -e "$top/cgroup.procs" ] || continue
	mkdir "$top/$NAME"
	echo $$ >"$top/$NAME/cgroup.procs"
done
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$DIR/upper,workdir=$DIR/work" "$DIR/root"
exec systemd-nspawn --quiet --directory="$DIR/root" --machine="$NAME" --boot --register=no \
	--keep-unit --console=pipe --resolv-conf=off --timezone=off
"""


def base_root():
    """The root that all hosts are copies of; made when there is none with these packages."""
    key = hashlib.sha256(" ".join(RECIPE).encode()).hexdigest()[:12]
    root = os.path.join(TOP, "build", "root-" + key)
    os.makedirs(os.path.dirname(root), exist_ok=True)
    with open(root + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(root):
            half = tempfile.mkdtemp(prefix="root-half-", dir=os.path.dirname(root))
            try:
                run(*RECIPE, half + "/root", seconds=1500, check=True)
                os.rename(half + "/root", root)
            finally:
                shutil.rmtree(half, ignore_errors=True)
    return root


class Host:
    """start() returns when it has booted."""

    def __init__(self, ws, name="host"):
        self.folder = ws.mkdir(name)
        self.name = "raas-" + secrets.token_hex(4)
        self.process = None
        self.leader = None

    def start(self):
        lower = base_root()
        for part in ("upper", "work", "root"):
            os.makedirs(os.path.join(self.folder, part))
        with open(os.path.join(self.folder, "console"), "wb") as console:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation=private", "bash", "-c", BOOT],
                env={**os.environ, "NAME": self.name, "LOWER": lower, "DIR": self.folder},
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.leader = wait_for(self._find_leader, 60, "the container's first process")
        wait_for(lambda: self.run("systemctl", "is-system-running", "--wait").out.strip()
                 in ("running", "degraded"), 120, "the end of the boot")

    def _find_leader(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "console"), encoding="utf-8") as console:
                raise RuntimeError("the container does not boot: " + console.read())
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as f:
            for pid in f.read().split():
                with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                    if comm.read().strip() == "systemd":
                        return int(pid)
        return None

    def end(self):
        """Shut down; killed if that takes too long."""
        if self.leader is not None and self.process.poll() is None:
            os.kill(self.leader, signal.SIGRTMIN + 4)  # poweroff, see systemd(1)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            if self.leader is not None:
                os.kill(self.leader, signal.SIGKILL)  # and with it all that is in there
            self.process.wait()
        for top in ("", "systemd", "unified"):
            for folder, _, _ in os.walk(os.path.join("/sys/fs/cgroup", top, self.name),
                                        topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass  # the kernel is not done with it; it is empty

    # What is done in there.

    def run(self, *command, user=None, env=None, seconds=60, **options):
        """Run a program inside, as root or another user; (status, out, err)."""
        return run(*self.command(*command, user=user, env=env), seconds=seconds, **options)

    def command(self, *command, user=None, env=None):
        """The command line that does so."""
        variables = {"PATH": PATH, "LANG": "C.UTF-8", "SYSTEMD_PAGER": "", **(env or {})}
        become = ["runuser", "-u", user, "--"] if user else []
        return ["nsenter", "-t", str(self.leader), "-a", "env", "-i",
                *(f"{k}={v}" for k, v in variables.items()), *become, *command]

    def path(self, path):
        """A file of the container, as it is reached from here."""
        return f"/proc/{self.leader}/root{path}"

    def write(self, path, content, mode=0o644):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(self.path(path), mode)

    # What systemd says.

    def show(self, unit, name):
        """One property of a unit, as systemctl shows it."""
        return self.run("systemctl", "show", "-P", name, unit).out.strip()

    def journal(self, unit, *more):
        """A unit's entries, oldest first."""
        out = self.run("journalctl", "-o", "json", "-u", unit, *more).out
        return [json.loads(line) for line in out.splitlines()]
