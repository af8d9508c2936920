"""Stories about servers that misbehave: what is done to one ISV, and what is expected of raasd.

Built on scene.py. In each scene isv1 suffers; the others must not notice.
"""
import json

from raas import wait_for
from scene import Scene

# A request ends sooner than by default, so that a story about a silent server is a short one.
IMPATIENT = {"http": {"timeout": "3s", "connect_timeout": "2s"}}


def envelope(status, code, text):
    """An error as OpenShift's broker says it: the members of a fault."""
    body = {"api_version": 1.7, "data": None, "type": None, "status": "error", "version": "1.7",
            "messages": [{"severity": "error", "exit_code": code, "field": None, "index": None,
                          "text": text}]}
    return {"status": status, "content_type": "application/json", "body": json.dumps(body)}


class Trouble(Scene):
    """A scene whose ISVs were all in order before the trouble begins."""

    def __init__(self, ws, isvs=("isv1", "isv2"), settings=None, **options):
        super().__init__(ws, isvs, {**IMPATIENT, **(settings or {})}, **options)
        self.isvs = isvs

    def all_well(self):
        """Start raasd, and wait until every ISV is in order."""
        self.play()
        for isv in self.isvs:
            self.raasd.wait_phase(isv, "ok")
        self.settled()
        return self

    def phases(self):
        return {i["name"]: i["phase"] for i in self.raasd.status()["isvs"]}

    def error(self, isv):
        return self.raasd.isv(isv)["error"] or ""

    def fails(self, tap, isv, text, *words):
        """A sync of it fails; what it prints and the status that follows both say why."""
        done = self.sync(isv)
        tap.ok(done.status == 1, f"{text}: the sync fails", done.out, done.err)
        status = self.error(isv)
        for word in words:
            tap.contains(done.out, word, f"{text}: the sync says '{word}'")
            tap.contains(status, word, f"{text}: so does the status")
        return status

    def works(self, tap, isv, text):
        done = self.sync(isv)
        tap.ok(done.status == 0, text, done.out, done.err)
        self.raasd.wait_phase(isv, "ok")  # raasd may be at its next look already

    def others_work(self, tap, text):
        """The ISVs beside isv1 are in order, and are still synced when somebody asks."""
        for isv in self.isvs:
            if isv != "isv1":
                self.works(tap, isv, f"{text}: {isv} is synced all the same")

    def said(self, part):
        """raasd's own lines that hold this."""
        return [line for line in self.raasd.stderr().splitlines() if part in line]

    def wait_incident(self, what):
        return wait_for(lambda: self.incident(what), what=f"the incident of '{what}'")

    def wait_over(self, what):
        wait_for(lambda: not self.incident(what), what=f"the end of the incident of '{what}'")
