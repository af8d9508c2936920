"""What the system tests share: TAP, a private directory, a config repo, raasd and raasctl.

    with Tap() as tap, Workspace() as ws:
        repo = ConfigRepo(ws)
        repo.publish({"raas.cfg": CFG}, "two ISVs")
        raasd = ws.start(Raasd(ws, repo.url))
        tap.equal(raasd.ctl("ping").status, 0, "raasd answers")

Whatever a Workspace started, it ends. Nothing here sleeps for a fixed time: wait_for() asks
until it gets what it wants, and fails with a sentence when it does not.
"""
import base64
import collections
import contextlib
import glob
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

TOP = os.environ.get("RAAS_TOP") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("RAAS_BUILD") or os.path.join(TOP, "build", "plain")
RAASD = os.environ.get("RAASD") or os.path.join(BUILD, "raasd")
RAASCTL = os.environ.get("RAASCTL") or os.path.join(BUILD, "raasctl")

# Sanitizers make a program several times slower; a limit is there to end a hang.
SLOWNESS = 1 if os.path.basename(BUILD) == "plain" else 4


def last_words(arguments, lines=25):
    """What the daemons of a workspace among the arguments said last, newest file first."""
    tops = [a.top for a in arguments if isinstance(a, Workspace)]
    paths = [p for top in tops for p in glob.glob(os.path.join(top, "*", "stderr"))]
    for path in sorted(paths, key=os.path.getmtime, reverse=True)[:3]:
        with open(path, encoding="utf-8", errors="replace") as f:
            yield f"{path}:\n" + "".join(f.readlines()[-lines:])


class Tap:
    """Results on standard output; the plan comes last, so that dying early is noticed."""

    def __init__(self):
        self.number = 0
        self.failed = 0

    def ok(self, condition, text, *diagnostics):
        """One result; the diagnostics are printed when it is a bad one."""
        self.number += 1
        if not condition:
            self.failed += 1
            for line in diagnostics:
                self.diag(line)
        print(f"{'ok' if condition else 'not ok'} {self.number} - {text}", flush=True)
        return bool(condition)

    def equal(self, got, want, text, *diagnostics):
        return self.ok(got == want, text, f"got    {got!r}", f"wanted {want!r}", *diagnostics)

    def contains(self, whole, part, text):
        return self.ok(part in whole, text, f"{part!r} is not in {whole!r}")

    def lacks(self, whole, part, text):
        return self.ok(part not in whole, text, f"{part!r} is in {whole!r}")

    def raises(self, kind, function, text):
        try:
            got = function()
        except kind:
            return self.ok(True, text)
        return self.ok(False, text, f"got {got!r}")

    def story(self, function, *arguments):
        """Run one story; an exception is its failure and does not end the others."""
        try:
            function(self, *arguments)
        except Exception:  # whatever it is, the next story is still worth telling
            self.ok(False, f"{function.__name__}: not ended by an exception",
                    traceback.format_exc(), *last_words(arguments))

    @staticmethod
    def diag(text):
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and issubclass(kind, Exception):
            self.ok(False, "not ended by an exception",
                    "".join(traceback.format_exception(kind, value, trace)))
        elif kind is not None:
            return  # sys.exit() or an interrupt: without a plan the runner sees it
        print(f"1..{self.number}", flush=True)
        sys.exit(1 if self.failed or self.number == 0 else 0)


class Workspace:
    """A private directory, and the processes that were started for it."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="ws-")
        self.started = contextlib.ExitStack()

    def path(self, *names):
        return os.path.join(self.top, *names)

    def mkdir(self, *names):
        path = self.path(*names)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def start(self, thing):
        """Calls thing.start(), and thing.end() when the workspace ends."""
        self.started.callback(thing.end)
        thing.start()
        return thing

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.started.close()
        shutil.rmtree(self.top, ignore_errors=True)


def ssh_key(path, passphrase=""):
    """Makes a key at that path unless it is there; its public half."""
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-C", os.path.basename(path), "-N", passphrase,
            "-f", path, check=True)
    with open(path + ".pub", encoding="utf-8") as f:
        return f.read().strip()


def wait_for(predicate, seconds=30, what="what is expected"):
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds * SLOWNESS
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"no sign of {what} in {seconds * SLOWNESS} s")
        time.sleep(0.02)


def free_port():
    """A port of 127.0.0.1 that nobody listens on; for servers that cannot choose one."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


Result = collections.namedtuple("Result", "status out err")


def run(*command, seconds=60, check=False, **options):
    """Run a program to its end: (status, out, err)."""
    done = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL),
                          capture_output=True, text=True, errors="replace",
                          timeout=seconds * SLOWNESS, check=False, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}: status {done.returncode}: {done.stderr}")
    return Result(done.returncode, done.stdout, done.stderr)


GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "maintenance.auto", "GIT_CONFIG_VALUE_0": "false",
    "GIT_AUTHOR_NAME": "Ann Operator", "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann Operator", "GIT_COMMITTER_EMAIL": "ann@example.com",
}


def git(*arguments, cwd, check=True):
    """git's standard output, by a user who is not raasd."""
    return run("git", *arguments, cwd=cwd, check=check, env={**os.environ, **GIT_ENVIRONMENT}).out


def git_objects(repository, names):
    """What these objects hold, None for one that is not there; by one process for all of them."""
    done = subprocess.run(["git", "cat-file", "--batch"], cwd=repository, stdout=subprocess.PIPE,
                          input="".join(f"{name}\n" for name in names).encode(), check=True,
                          timeout=60 * SLOWNESS, env={**os.environ, **GIT_ENVIRONMENT}).stdout
    found, at = [], 0
    for _ in names:
        header, at = done[at:done.index(b"\n", at)].split(), done.index(b"\n", at) + 1
        if header[-1] == b"missing":
            found.append(None)
        else:
            size = int(header[-1])
            found.append(done[at:at + size])
            at += size + 1
    return found


def git_files(repository, revision, *paths):
    """{path: text} of the files there; of one commit, whatever is pushed meanwhile."""
    listed = git("ls-tree", "-r", revision, *paths, cwd=repository).splitlines()
    names = [line.partition("\t")[2] for line in listed]
    objects = git_objects(repository, [line.split()[2] for line in listed])
    return {n: o.decode(errors="replace") for n, o in zip(names, objects)}


class ConfigRepo:
    """A bare repository, and a clone of it in which somebody else than raasd works."""

    def __init__(self, ws, name="config", branch="stage"):
        self.bare = ws.path(name + ".git")
        self.work = ws.path(name + "-work")
        self.branch = branch
        self.url = self.bare
        git("init", "-q", "--bare", "-b", branch, self.bare, cwd=ws.top)
        git("config", "receive.autogc", "false", cwd=self.bare)
        git("clone", "-q", self.bare, self.work, cwd=ws.top)
        git("checkout", "-q", "-B", branch, cwd=self.work)

    def sign_with(self, key, kind="ssh"):
        """From here on the clone's commits are signed by that key ("ssh": its file; "openpgp":
        its name); None: they are not."""
        git("config", "commit.gpgsign", "false" if key is None else "true", cwd=self.work)
        git("config", "gpg.format", kind, cwd=self.work)
        git("config", "user.signingkey", key or "", cwd=self.work)

    def write(self, name, content):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())

    def commit(self, message):
        """Commit all that was written or removed in the clone; the commit's id."""
        git("add", "-A", cwd=self.work)
        git("commit", "-q", "--allow-empty", "-m", message, cwd=self.work)
        return git("rev-parse", "HEAD", cwd=self.work).strip()

    def push(self, force=False):
        git("push", "-q", *(["--force"] if force else []), "origin", self.branch, cwd=self.work)

    def pull(self):
        git("pull", "-q", "--rebase", "origin", self.branch, cwd=self.work)

    def publish(self, files, message="a change"):
        """Write files (None removes one) on top of what others pushed; the commit's id."""
        if self.head():
            self.pull()
        for name, content in files.items():
            if content is None:
                os.unlink(os.path.join(self.work, name))
            else:
                self.write(name, content)
        self.commit(message)
        # raasd pushes too, and may have been faster.
        while self.rejected():
            self.pull()
        return git("rev-parse", "HEAD", cwd=self.work).strip()

    def rejected(self):
        """Try to push: true when somebody else pushed first."""
        done = run("git", "push", "-q", "origin", self.branch, cwd=self.work,
                   env={**os.environ, **GIT_ENVIRONMENT})
        if done.status != 0 and "rejected" not in done.err and "lock" not in done.err:
            raise RuntimeError(f"git push: {done.err}")
        return done.status != 0

    def head(self):
        """The branch's commit in the bare repository; '' before the first one."""
        return git("rev-parse", "-q", "--verify", "refs/heads/" + self.branch, cwd=self.bare,
                   check=False).strip()

    def log(self, fmt="%s", *arguments):
        """A line a commit, newest first."""
        return git("log", "--format=" + fmt, self.branch, *arguments, cwd=self.bare).splitlines()

    def files(self):
        return git("ls-tree", "-r", "--name-only", self.branch, cwd=self.bare).splitlines()

    def read(self, name):
        """A file's text on the branch, or None."""
        held = git_objects(self.bare, [f"refs/heads/{self.branch}:{name}"])[0]
        return None if held is None else held.decode(errors="replace")


class Script:
    """A server that a script under tests/ starts and ends: `NAME up DIR [PORT]` prints shell
    assignments, which become attributes in lower case; `NAME down DIR`."""

    def __init__(self, ws, name, *arguments):
        self.command = os.path.join(TOP, "tests", name)
        self.folder = ws.path(name)
        self.arguments = arguments
        self.values = {}

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        out = run(self.command, "up", self.folder, *self.arguments, check=True).out
        for word in shlex.split(out, comments=True):
            name, equals, value = word.partition("=")
            if equals:
                self.values[name.lower()] = value

    def end(self):
        run(self.command, "down", self.folder)

    def __getattr__(self, name):
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None


class Sshd(Script):
    """OpenSSH's server on a loopback port, with keys of its own."""

    def __init__(self, ws):
        super().__init__(ws, "sshd")


class Ceph(Script):
    """Ceph's object gateway: s3_endpoint, s3_access_key, s3_secret_key."""

    def __init__(self, ws):
        super().__init__(ws, "ceph-rgw", "0")


def varlink(path, method, parameters=None, more=False, seconds=30):
    """Call a method at the socket; the replies, each as the whole message."""
    call = {"method": method, "parameters": parameters or {}}
    if more:
        call["more"] = True
    replies, data = [], b""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(seconds * SLOWNESS)
        s.connect(path)
        s.sendall(json.dumps(call).encode() + b"\0")
        while not replies or replies[-1].get("continues"):
            while b"\0" not in data:
                part = s.recv(65536)
                if not part:
                    raise ConnectionError(f"{method}: closed after {len(replies)} replies")
                data += part
            message, _, data = data.partition(b"\0")
            replies.append(json.loads(message))
    return replies


def yaml(settings, indent=""):
    """Nested dictionaries of scalars as YAML; JSON's scalars are YAML's too."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", yaml(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}")
    return "\n".join(lines)


class Raasd:
    """raasd on a private directory. start() returns when it answers at its socket."""

    def __init__(self, ws, config_repo, settings=None, name="raasd", env=None, wrapper=()):
        self.ws = ws
        self.folder = ws.mkdir(name)
        self.socket = os.path.join(self.folder, "socket")
        self.state_dir = os.path.join(self.folder, "state")
        self.cache_dir = os.path.join(self.folder, "cache")
        self.stderr_path = os.path.join(self.folder, "stderr")
        self.settings_path = os.path.join(self.folder, "raasd.yaml")
        self.settings = {
            "config_repo": config_repo, "environment": "stage", "socket": self.socket,
            "state_dir": self.state_dir, "cache_dir": self.cache_dir,
            "log": {"level": "debug", "target": "stderr"}, **(settings or {}),
        }
        self.env = {**os.environ, **(env or {})}
        self.wrapper = list(wrapper)  # for example prlimit and its arguments
        self.process = None

    def write_settings(self, **changes):
        self.settings.update(changes)
        with open(self.settings_path, "w", encoding="utf-8") as f:
            f.write(yaml(self.settings) + "\n")

    def launch(self):
        """Start it without waiting."""
        self.write_settings()
        with open(self.stderr_path, "ab") as f:
            self.process = subprocess.Popen(
                [*self.wrapper, RAASD, "--config", self.settings_path], env=self.env,
                stdin=subprocess.DEVNULL, stdout=f, stderr=f)

    def start(self):
        self.launch()
        self.wait_ready()

    def wait_ready(self):
        wait_for(self.answers, what=f"raasd at its socket; it said:\n{self.stderr()}")

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"raasd ended with {self.process.returncode}:\n{self.stderr()}")
        try:
            return "error" not in varlink(self.socket, "io.raas.control.Ping")[0]
        except (OSError, ValueError):
            return False

    def stop(self, seconds=30):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds * SLOWNESS)

    def kill(self):
        """kill -9, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.stop()
        self.start()

    def end(self):
        """For the workspace: gone, one way or the other."""
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.stop(seconds=10)
        except subprocess.TimeoutExpired:
            self.kill()

    def stderr(self):
        try:
            with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    # What the process uses, from /proc.

    def _status(self, field):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            for line in f:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        raise KeyError(field)

    def rss_kib(self):
        return self._status("VmRSS")

    def peak_rss_kib(self):
        return self._status("VmHWM")

    def threads(self):
        return self._status("Threads")

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # raasctl, at this raasd.

    def ctl(self, *arguments, seconds=60, **options):
        """raasctl: (status, out, err)."""
        return run(RAASCTL, "--socket", self.socket, *arguments, seconds=seconds,
                   env={**self.env, **options.pop("env", {})}, **options)

    def ctl_json(self, *arguments, seconds=60):
        """What raasctl --json prints; its exit status may say drift (4)."""
        result = self.ctl("--json", *arguments, seconds=seconds)
        if result.status not in (0, 4):
            raise RuntimeError(f"raasctl {shlex.join(arguments)}: status {result.status}:"
                               f" {result.out}{result.err}")
        return json.loads(result.out)

    # The same without raasctl: asked fifty times a second, a process costs more than what it tells.

    def call(self, method, **parameters):
        """A method of io.raas.control with `more`; the parameters of each reply."""
        replies = varlink(self.socket, "io.raas.control." + method, parameters, more=True)
        if "error" in replies[-1]:
            raise RuntimeError(f"{method}: {replies[-1]}")
        return [reply["parameters"] for reply in replies]

    def status(self):
        """What raasctl --json status prints."""
        pages = self.call("Status")
        return {"daemon": pages[0]["daemon"], "isvs": [i for page in pages for i in page["isvs"]]}

    def isv(self, name):
        """The object of `status` for one ISV, or None."""
        found = [i for i in self.status()["isvs"] if i["name"] == name]
        return found[0] if found else None

    def wait_phase(self, name, phase, seconds=30):
        """Until the ISV is in this phase; its object."""
        def reached():
            isv = self.isv(name)
            return isv if isv and isv["phase"] == phase else None
        try:
            return wait_for(reached, seconds)
        except TimeoutError:
            raise TimeoutError(f"isv '{name}' is not '{phase}' but {self.isv(name)};"
                               f" raasd said:\n{self.stderr()[-4000:]}") from None


def raas_cfg(sections):
    """{section: {key: value}} as raas.cfg."""
    text = ""
    for section, values in sections.items():
        text += f"[{section}]\n"
        text += "".join(f"{key} = {value}\n" for key, value in values.items()) + "\n"
    return text


# Secrets: nothing that raasd writes may carry one.

def spellings(secret):
    """A secret as it stands, in a URL, and in Basic authorization's base64 (any offset)."""
    found = {secret.encode(), urllib.parse.quote(secret, safe="").encode()}
    for shift in range(3):
        # What precedes changes the first characters, what follows the last ones.
        encoded = base64.b64encode(b"x" * shift + secret.encode()).rstrip(b"=")
        middle = encoded[(0, 2, 3)[shift]:-1]
        if len(middle) > 8:
            found.add(middle)
    return found


def secret_in(data, secrets):
    return any(spelling in data for secret in secrets for spelling in spellings(secret))


def secret_files(secrets, *paths):
    """The files below the paths that hold a secret."""
    found = []
    for top in paths:
        walk = [(os.path.dirname(top), [], [os.path.basename(top)])]
        for folder, _, names in os.walk(top) if os.path.isdir(top) else walk:
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                try:
                    with open(path, "rb") as f:
                        data = f.read()
                except FileNotFoundError:
                    continue  # renamed meanwhile
                if secret_in(data, secrets):
                    found.append(path)
    return found


def secret_objects(secrets, repository):
    """The git objects that hold a secret; a raas.cfg may, it is where secrets come from."""
    every = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)",
                cwd=repository).splitlines()
    # Also commits that no branch has any more: an own one was made again on another's.
    commits = [line.split()[0] for line in every if line.endswith(" commit")]
    listed = subprocess.run(["git", "rev-list", "--objects", "--stdin"], cwd=repository, text=True,
                            env={**os.environ, **GIT_ENVIRONMENT}, stdout=subprocess.PIPE,
                            input="".join(f"{c}\n" for c in commits), check=True).stdout
    config = {line.split(" ", 1)[0] for line in listed.splitlines()
              if line.endswith(" raas.cfg")}
    asked = [line for line in every
             if not line.endswith(" tree") and line.split()[0] not in config]
    held = git_objects(repository, [line.split()[0] for line in asked])
    return [f"{repository}: {line}" for line, data in zip(asked, held)
            if secret_in(data, secrets)]


def secret_arguments(secrets):
    """Command lines of living processes that hold a secret; this one's own excepted."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                data = f.read()
        except OSError:
            continue
        if int(pid) != os.getpid() and secret_in(data, secrets):
            found.append(f"process {pid}")
    return found


def no_secret(secrets, *paths, repositories=()):
    """Where a secret was found: in files, git objects or command lines. Wanted: []."""
    found = secret_files(secrets, *paths) + secret_arguments(secrets)
    for repository in repositories:
        found += secret_objects(secrets, repository)
    return found
