#!/usr/bin/env python3
"""The test runner behind tests/run: builds, runs test programs that print TAP, and counts.

Every result line of every program counts once. A program that dies, exits with a status,
prints no plan or other results than it planned, takes too long, leaves processes behind or
has a sanitizer's report to its name has at least one failure, whatever its lines say.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUPERVISE = os.path.join(TOP, "tests", "supervise.py")
DEFAULT_TIMEOUT_S = 120
KEPT_OUTPUT_LINES = 60
IN_CI = os.environ.get("CI") == "true"
SANITIZER_STATUS = 86
FUZZ_S = 10 if IN_CI else 5


class Test:
    """A program to run; its source may say "timeout: SECONDS" and "sanitizers: KIND"."""

    def __init__(self, name, command, source):
        self.name = name
        self.command = command
        self.timeout = DEFAULT_TIMEOUT_S
        self.threads = name.startswith("unit/")
        self.plain_only = False
        with open(source, encoding="utf-8", errors="replace") as f:
            head = f.read(3000)
        match = re.search(r"^[\s/*#]*timeout: (\d+)", head, re.M)
        if match:
            self.timeout = int(match.group(1))
        match = re.search(r"^[\s/*#]*sanitizers: (thread|address|none)\b", head, re.M)
        if match:
            self.threads = match.group(1) == "thread"
            self.plain_only = match.group(1) == "none"

    def is_named(self, names):
        family, _, base = self.name.partition("/")
        spellings = (self.name, base, family, "tests/" + self.name,
                     f"tests/{self.name}.c", re.sub(r"^(test|\d+)-", "", base))
        return any(fnmatch.fnmatchcase(s, n) for n in names for s in spellings)


class Outcome:
    """What one program gave."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []
        self.output = ""
        self.seconds = 0.0
        self.kept = None


RESULT = re.compile(r"(not ok|ok)\b(?:\s+(\d+))?\s*-?\s*(.*)")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", re.I)
GOOD = re.compile(r"ok\b|1\.\.\d+$")
SKIP = re.compile(r"\s*#\s*skip\S*\s*(.*)$", re.I)


def read_tap(output, outcome):
    """Count the result lines and hold them against the plan."""
    planned = whole_skip = None
    seen = 0
    for line in output.splitlines():
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            if planned is not None:
                outcome.failures.append("has two plans")
            planned, whole_skip = int(plan.group(1)), plan.group(2)
        elif result:
            seen += 1
            text = f"{result.group(2) or seen} - {result.group(3)}"
            skip = SKIP.search(text)
            if result.group(2) and int(result.group(2)) != seen:
                outcome.failures.append(f"result {seen} calls itself {result.group(2)}")
            if result.group(1) == "not ok":
                outcome.failures.append("not ok " + text)
            elif skip:
                outcome.skips.append(text)
            else:
                outcome.passed += 1
        elif line.startswith("Bail out!"):
            outcome.failures.append(line)
    if planned is None:
        outcome.failures.append("has no plan")
    elif planned == 0 and seen == 0 and whole_skip is not None:
        outcome.skips.append(whole_skip or "all of it")
    elif planned == 0 or seen > planned:
        outcome.failures.append(f"planned {planned} results and gave {seen}")
    else:
        outcome.failures += ["missing: a planned result"] * (planned - seen)


def signal_or_status(status):
    return f"died of signal {-status}" if status < 0 else f"exited with status {status}"


def judge(output, report, sanitizer_reports):
    """The outcome of a program that printed output and ended as report says."""
    outcome = Outcome()
    outcome.output = output
    read_tap(output, outcome)
    problems = []
    if report is None:
        problems.append("could not be run")
    elif report["timed_out"]:
        problems.append("took too long; killed: " + "; ".join(report["left"]))
    elif report["left"]:
        problems.append("left processes behind: " + "; ".join(report["left"]))
    reported = sanitizer_reports and report and report["status"] == SANITIZER_STATUS
    if report is not None and report["status"] and not outcome.failures and not reported:
        problems.append(signal_or_status(report["status"]))
    elif report is not None and (report["status"] or 0) < 0:
        outcome.failures[-1] += f" ({signal_or_status(report['status'])})"
    for path in sanitizer_reports:
        problems.append("a sanitizer reports: " + first_error(path))
        with open(path, encoding="utf-8", errors="replace") as f:
            outcome.output += f.read()
    if IN_CI:
        problems += ["skipped in CI: " + skip for skip in outcome.skips]
        outcome.skips = []
    outcome.failures += problems
    return outcome


def first_error(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            if "ERROR" in line or "WARNING" in line or "runtime error" in line:
                return line.strip()
    return path


def environment(build, root):
    """What a test sees: the same on every machine, and nothing of the user's own set-up."""
    env = {name: value for name, value in os.environ.items()
           if not name.lower().endswith("_proxy")
           and not name.startswith(("RAAS", "GIT_", "XDG_", "AWS_", "SSH_", "LC_"))}
    reports = os.path.join(root, "reports", "sanitizer")
    common = f"exitcode={SANITIZER_STATUS}:log_path={reports}"
    env.update({
        # Version managers put slow wrappers around python3 and others in front of Debian's own.
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.path.join(root, "home"),
        "TMPDIR": os.path.join(root, "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "RAAS_TOP": TOP,
        "RAAS_BUILD": build,
        "RAASD": os.path.join(build, "raasd"),
        "RAASCTL": os.path.join(build, "raasctl"),
        "SANDBOX": os.path.join(build, "tests", "sandbox", "sandbox"),
        "FUZZ_SECONDS": str(FUZZ_S),
        "ASAN_OPTIONS": f"detect_leaks=1:{common}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{common}",
        "TSAN_OPTIONS": common,
    })
    suppressions = os.path.join(TOP, "tests", "tsan.supp")
    if os.path.exists(suppressions):
        env["TSAN_OPTIONS"] += f":suppressions={suppressions}"
    return env


def read_report(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def run_test(test, build):
    """Run one program in a directory of its own, which stays only after a failure."""
    root = tempfile.mkdtemp(prefix="raas-")  # short: sockets go below it
    os.chmod(root, 0o711)  # a test that becomes another user goes on finding its files
    for name in ("home", "tmp", "reports"):
        os.mkdir(os.path.join(root, name))
    report = os.path.join(root, "report.json")
    output = os.path.join(root, "output")
    started = time.monotonic()
    with open(output, "wb") as f:
        subprocess.run([sys.executable, "-B", SUPERVISE, str(test.timeout), report, *test.command],
                       cwd=TOP, env=environment(build, root), stdin=subprocess.DEVNULL,
                       stdout=f, stderr=subprocess.STDOUT, check=False)
    with open(output, encoding="utf-8", errors="replace") as f:
        text = f.read()
    reports = os.path.join(root, "reports")
    outcome = judge(text, read_report(report),
                    [os.path.join(reports, name) for name in sorted(os.listdir(reports))])
    outcome.seconds = time.monotonic() - started
    if outcome.failures:
        outcome.kept = root
    else:
        shutil.rmtree(root, ignore_errors=True)
    return outcome


def show(test, outcome):
    counts = [f"{outcome.passed} passed"]
    if outcome.failures:
        counts.append(f"{len(outcome.failures)} failed")
    if outcome.skips:
        counts.append(f"{len(outcome.skips)} skipped")
    word = "FAIL" if outcome.failures else "ok  "
    print(f"{word} {test.name:<32} {', '.join(counts):<24} {outcome.seconds:7.2f} s")
    if outcome.failures:
        lines = [line for line in outcome.output.splitlines() if not GOOD.match(line)]
        if len(lines) > KEPT_OUTPUT_LINES:
            print(f"    | … {len(lines) - KEPT_OUTPUT_LINES} lines before")
        for line in lines[-KEPT_OUTPUT_LINES:]:
            print("    | " + line)
        for failure in outcome.failures:
            print("    " + failure)
        print(f"    kept: {outcome.kept}")
    sys.stdout.flush()


def run_all(tests, build, jobs):
    """Run them, at most jobs at a time; (passed, failures, skips) with names."""
    passed, failures, skips = 0, [], []
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    running = {pool.submit(run_test, test, build): test for test in tests}
    for future in concurrent.futures.as_completed(running):
        test, outcome = running[future], future.result()
        show(test, outcome)
        passed += outcome.passed
        failures += [f"{test.name}: {text}" for text in outcome.failures]
        skips += [f"{test.name}: {text}" for text in outcome.skips]
    return passed, failures, skips


def executables(family, folder):
    """Scripts that are tests: those without an extension."""
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if "." not in name and os.path.isfile(path) and os.access(path, os.X_OK):
            yield Test(f"{family}/{name}", [path], path)


def sources(folder, prefix):
    path = os.path.join(TOP, "tests", folder)
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        if name.startswith(prefix) and name.endswith(".c"):
            yield name.removesuffix(".c"), os.path.join(path, name)


def find_tests(build):
    tests = list(executables("static", os.path.join(TOP, "tests", "static")))
    tests += [Test(f"unit/{name}", [os.path.join(build, "tests", "unit", name)], source)
              for name, source in sources("unit", "test-")]
    tests += executables("system", os.path.join(TOP, "tests", "system"))
    tests += [Test(f"fuzz/{name}", [os.path.join(TOP, "tests", "fuzz-one"), name], source)
              for name, source in sources("fuzz", "fuzz-")]
    return tests


def longest_first(tests):
    """What may take long begins early, so that all ends together; their limits tell well enough."""
    return sorted(tests, key=lambda test: -test.timeout)


def select(tests, sanitizers, names):
    """What a run without names leaves out under sanitizers: static checks and fuzz targets
    do not depend on the build, and few system tests are worth the thread sanitizer's time."""
    if names:
        return [t for t in tests if t.is_named(names)]
    if sanitizers == "thread":
        return [t for t in tests if t.threads]
    if sanitizers:
        return [t for t in tests if t.name.startswith(("unit/", "system/")) and not t.plain_only]
    return tests


def make(kind):
    """Build; the directory, or None when that failed."""
    result = subprocess.run([os.path.join(TOP, "tests", "build"), kind,
                             "all" if kind == "fuzz" else "check"],
                            stdout=subprocess.PIPE, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def summary(passed, failures, skips):
    for text in skips:
        print("skipped: " + text)
    if len(failures) > 1:
        for text in failures:
            print("failed: " + text)
    print(f"{passed} passed, {len(failures)} failed"
          + (f", {len(skips)} skipped" if skips else ""))
    return 0 if passed and not failures else 1


def arguments():
    parser = argparse.ArgumentParser(prog="tests/run", description="Build and run the tests.")
    parser.add_argument("--sanitizers", metavar="LIST", default="",
                        help="address,undefined or thread")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="so many at a time (2)")
    parser.add_argument("--scripts", metavar="DIR",
                        help="run the scripts in DIR instead, without building")
    parser.add_argument("--built", metavar="DIR",
                        help="build nothing; the programs are in DIR, as for make check")
    parser.add_argument("names", metavar="NAME", nargs="*",
                        help="a test, a family (unit, system, fuzz, static) or a pattern")
    return parser.parse_args()


def main():
    args = arguments()
    build = os.path.join(TOP, "build", "plain")
    if args.scripts:
        tests = select(list(executables("scripts", args.scripts)), "", args.names)
    else:
        kinds = {"": "plain", "address,undefined": "asan", "thread": "tsan"}
        build = args.built or os.path.join(
            TOP, "build", kinds.get(args.sanitizers, args.sanitizers))
        tests = select(find_tests(build), args.sanitizers, args.names)
    if IN_CI:
        tests = longest_first(tests)
    for name in args.names:
        if not any(t.is_named([name]) for t in tests):
            print(f"tests/run: no test is called '{name}'; see tests/run --list", file=sys.stderr)
            return 2
    if args.list:
        print("\n".join(t.name for t in tests))
        return 0
    if not (args.scripts or args.built) and make(args.sanitizers or "plain") is None:
        return summary(0, ["the build"], [])
    if not args.built and any(t.name.startswith("fuzz/") for t in tests) and make("fuzz") is None:
        return summary(0, ["the build of the fuzz targets"], [])
    return summary(*run_all(tests, build, max(args.jobs, 1)))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(130)  # the supervisors see it, and end what runs
