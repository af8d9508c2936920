#!/usr/bin/env python3
"""Run one test: supervise.py SECONDS REPORT COMMAND…

Kills the command and everything that it started when it takes longer than SECONDS, and
whatever it leaves behind when it ends. Writes to the file REPORT, as JSON, its "status"
(negative: a signal), "timed_out", and the command lines "left" behind.

A test has this process to itself, so every orphan that the kernel hands to it, being the
subreaper, is that test's own.
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 2  # for helpers that were told to end and are on their way


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def processes():
    """(pid, parent, state) of every process."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        yield int(entry), int(fields[1]), fields[0]


def descendants():
    """Living processes below this one."""
    table = list(processes())
    family, found = {os.getpid()}, []
    grown = True
    while grown:
        grown = False
        for pid, parent, state in table:
            if parent in family and pid not in family:
                family.add(pid)
                grown = True
                if state not in "ZX":
                    found.append(pid)
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return " ".join(words).strip()[:200]


def reap():
    """Collect the dead; True while children remain."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
        return True
    except ChildProcessError:
        return False


def kill_all():
    """A process may start another while it is being killed, hence again and again."""
    deadline = time.monotonic() + 10
    while reap() and time.monotonic() < deadline:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def wait_gone(seconds):
    deadline = time.monotonic() + seconds
    while reap() and descendants() and time.monotonic() < deadline:
        time.sleep(0.02)


def stopped(_signum, _frame):
    kill_all()
    os._exit(1)


def main():
    seconds, report, command = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, stopped)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    result = {"status": None, "timed_out": False, "left": []}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        result["status"] = child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        result["timed_out"] = True
    else:
        wait_gone(GRACE_S)
    result["left"] = [line for line in map(command_line, descendants()) if line]
    kill_all()
    with open(report, "w", encoding="utf-8") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main()
