"""What stories about raasd happen in: a sandbox, a config repo and a raasd that serves it.

    with Tap() as tap, Workspace() as ws:
        scene = Scene(ws, ["isv1", "isv2"])
        scene.play()
        tap.equal(scene.sync("--all").status, 0, "both are in order")
        scene.well(tap)

The secrets are the scene's own and on no command line, so that finding one anywhere is raasd's
doing. Nothing happens by itself in a scene unless the settings say so: the timers are long,
and a story asks with pull() and sync() for what it wants.
"""
import json
import os
import secrets
import subprocess

from raas import ConfigRepo, Raasd, git, git_files, no_secret, raas_cfg, wait_for
from sandbox import Sandbox

CRANE_URL = "https://github.com/pulp/crane"
DATA = "crane/data/"
QUIET = {
    "poll_interval": "1d", "check_interval": "1d", "deep_interval": "1d",
    "commit_interval": "0s", "workers": 8,
}


def metadata(name, **members):
    """A metadata file as Crane reads it, of an image repository that needs nothing in S3."""
    return json.dumps({"version": 1, "repository": name.replace("/", "-"),
                       "repo-registry-id": name, "url": f"http://localhost/{name}/",
                       "protected": False, "images": [], "tags": {}, **members}) + "\n"


class Scene:
    """A sandbox, a config repo with a section for each of isvs, and a raasd, not started yet."""

    def __init__(self, ws, isvs=("isv1",), settings=None, name="", options=(), sections=None,
                 **raasd_options):
        self.ws = ws
        self.sandbox = ws.start(Sandbox(ws, "--map-git", f"{CRANE_URL}={crane(ws)}", *options,
                                        name=name + "sandbox"))
        self.password, self.s3_secret = (secrets.token_hex(12) for _ in range(2))
        self.secrets = [self.password, self.s3_secret]
        self.sandbox.control("POST", "accounts", {"login": "ops", "password": self.password})
        self.sandbox.control("PATCH", "s3", {
            "keys": [{"access": "OPSACCESSKEY", "secret": self.s3_secret}]})
        self.repo = ConfigRepo(ws, name + "config")
        self.sections = {
            "openshift": {"server_url": self.sandbox.broker_url, "app_git_url": CRANE_URL,
                          "username": "ops", "password": self.password},
            "aws": {"aws_access_key": "OPSACCESSKEY", "aws_secret_access_key": self.s3_secret,
                    "endpoint": self.sandbox.s3_endpoint},
            **{isv: {"s3_bucket": isv + ".bucket", "openshift_domain": isv} for isv in isvs},
        }
        for section, values in (sections or {}).items():
            self.sections.setdefault(section, {}).update(values)
        self.repo.publish({"raas.cfg": self.raas_cfg()}, "the ISVs")
        self.raasd = Raasd(ws, self.repo.url, {**QUIET, **(settings or {})}, name + "raasd",
                           **raasd_options)

    def play(self):
        """Start raasd, and wait until it has the config repo."""
        self.ws.started.callback(self.raasd.end)
        self.go_on()
        return self

    def go_on(self):
        """Start raasd again, after its end."""
        self.raasd.start()
        wait_for(lambda: self.daemon()["last_pull"], what="the first pull")

    def in_s3(self, gateway):
        """Before play(): the images go to that S3 server, not to the sandbox's."""
        self.secrets[self.secrets.index(self.s3_secret)] = gateway.s3_secret_key
        self.sections["aws"] = {"aws_access_key": gateway.s3_access_key,
                                "aws_secret_access_key": gateway.s3_secret_key,
                                "endpoint": gateway.s3_endpoint}
        for name in ("s3_endpoint", "s3_access_key", "s3_secret_key"):
            self.sandbox.values[name] = getattr(gateway, name)
        self.repo.publish({"raas.cfg": self.raas_cfg()}, "another S3 server")
        return self

    def restart(self):
        self.raasd.stop()
        self.go_on()

    def raas_cfg(self):
        return raas_cfg(self.sections)

    # What an operator does.

    def ctl(self, *arguments, **options):
        return self.raasd.ctl(*arguments, **options)

    def sync(self, *arguments):
        return self.raasd.ctl("sync", *arguments)

    def pull(self):
        """What raasctl pull answers."""
        return self.raasd.ctl_json("pull")

    def publish(self, files, message="a change"):
        """Push files to the config repo, and have raasd fetch them; the commit."""
        commit = self.repo.publish(files, message)
        self.pull()
        return commit

    def publish_cfg(self, message="another raas.cfg"):
        return self.publish({"raas.cfg": self.raas_cfg()}, message)

    def daemon(self):
        return self.raasd.status()["daemon"]

    def incident(self, what):
        """The text of what is wrong with `what` at large, or None."""
        found = [i["text"] for i in self.daemon()["incidents"] if i["what"] == what]
        return found[0] if found else None

    def resource(self, isv, kind):
        """(state, detail)"""
        found = {r["kind"]: r for r in self.raasd.isv(isv)["resources"]}.get(kind)
        return (found["state"], found["detail"]) if found else (None, None)

    def log(self, isv):
        """The ISV's log as raasd tells it."""
        return self.raasd.call("Log", isv=isv, lines=10000)[-1]["lines"]

    # What others do.

    def app_files(self, isv, app="registry"):
        """{name: text} of the metadata in the app repo."""
        state = self.sandbox.app(isv, app)
        files = git_files(state["repo"], state["branch"], DATA)
        return {name[len(DATA):]: text for name, text in files.items() if name.endswith(".json")}

    def change_app_files(self, isv, files, app="registry"):
        """Somebody pushes {name: text, or None to remove it} to the app repo."""
        self.sandbox.change_app(isv, app, files={DATA + n: text for n, text in files.items()})

    # What is in the config repo.

    def committed_log(self, isv):
        logs = git_files(self.repo.bare, self.repo.branch, f"{isv}/logs/")
        return [line for text in logs.values() for line in text.splitlines()]

    def settled(self):
        """Until raasd has nothing more to do, commit or push; the branch's commit."""
        def quiet():
            d = self.daemon()
            return d["jobs_running"] == 0 and d["jobs_queued"] == 0 and \
                d["unpushed_commits"] == 0 and self.all_committed()
        wait_for(quiet, what="raasd at rest")
        return self.repo.head()

    def all_committed(self):
        return all(set(self.log(i["name"])) <= set(self.committed_log(i["name"]))
                   for i in self.raasd.status()["isvs"])

    # How each story ends.

    def well(self, tap):
        """raasd lives, has found no fault of its own, and has told nobody a secret."""
        raasd = self.raasd
        tap.equal(raasd.process.poll(), None, "raasd is alive", raasd.stderr()[-1500:])
        said = [line for line in raasd.stderr().splitlines() if "internal" in line.lower()]
        tap.equal(said, [], "raasd found no fault of its own")
        repositories = [self.repo.bare, os.path.join(raasd.state_dir, "config.git")]
        found = no_secret(self.secrets, raasd.state_dir, raasd.cache_dir, raasd.stderr_path,
                          repositories=[r for r in repositories if os.path.isdir(r)])
        # The copy of raas.cfg is the only place for them, and its owner's alone.
        kept = [f for f in found if "/raas.cfg.last-good" in f and is_private(f)]
        tap.equal([f for f in found if f not in kept], [], "no secret is told")

    def fsck(self, tap):
        for repository in (self.repo.bare, os.path.join(self.raasd.state_dir, "config.git")):
            done = subprocess.run(["git", "fsck", "--strict", "--full", "--no-dangling"],
                                  cwd=repository, capture_output=True, text=True, check=False)
            tap.equal((done.returncode, done.stdout), (0, ""),
                      f"git finds no fault in {os.path.basename(repository)}", done.stderr)


def is_private(path):
    """Its owner's alone, or gone by now, as a file is that was about to be renamed."""
    try:
        return os.stat(path).st_mode & 0o77 == 0
    except FileNotFoundError:
        return True


def crane(ws):
    """A small Crane for new apps; made once in a workspace."""
    bare, work = ws.path("crane.git"), ws.path("crane-work")
    if not os.path.isdir(bare):
        ws.write("crane-work/README", "a small Crane\n")
        ws.write("crane-work/crane/data/.keep", "")
        git("init", "-q", "-b", "master", cwd=work)
        git("add", "-A", cwd=work)
        git("commit", "-q", "-m", "a small Crane", cwd=work)
        git("clone", "-q", "--bare", work, bare, cwd=ws.top)
    return bare
