#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Builds, runs the suites, and counts their test cases."""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
PYTHON = "/usr/bin/python3"
SKIPPED = 77
BEGAN = time.monotonic()
TIMEOUT_SECONDS = 900  # for one part of a suite
ALL_TIMEOUT_SECONDS = 3600  # whatever hangs
CLANG_FORMAT = 14
AT_ONCE = 2 * len(os.sched_getaffinity(0))  # logins wait more than they compute

# As Debian installs it: the login suite does so, on a throw-away copy of the machine.
LAYOUT = ("--prefix=/usr", "--libexecdir=libexec")
# With clang. They find the same in what -O1 compiles, in two thirds of the time.
SANITIZERS = ("-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1",
              "-Dfuzz=true")
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}

POINT = re.compile(r"(?P<bad>not )?ok\b *\d* *-? *(?P<name>.*?) *"
                   r"(?:# *(?P<word>SKIP|TODO)\S*[ :-]*(?P<reason>.*))?$", re.IGNORECASE)
PLAN = re.compile(r"1\.\.(?P<count>\d+) *(?:# *SKIP\S*[ :-]*(?P<reason>.*))?$", re.IGNORECASE)


class Tally:
    """What came of some test cases."""

    def __init__(self):
        self.passed = 0
        self.failures = []  # whole texts
        self.skips = []     # "name: reason"
        self.notes = []     # that are shown, whatever came of it
        self.cpu_seconds = 0

    def add(self, other):
        self.cpu_seconds += other.cpu_seconds
        self.passed += other.passed
        self.failures += other.failures
        self.skips += other.skips
        self.notes += other.notes

    def ran(self):
        return self.passed + len(self.failures)

    def __str__(self):
        return f"{self.passed} passed, {len(self.failures)} failed, {len(self.skips)} skipped"


def read_tap(text, tally):
    """Adds the points of TAP; returns how many there are. None: TEXT is no TAP, or ends early."""
    planned, points, failure = None, 0, None
    for line in text.splitlines():
        plan, point = PLAN.match(line), POINT.match(line)
        if plan:
            planned = (planned or 0) + int(plan["count"])
            if plan["count"] == "0":
                tally.skips.append(f"everything: {plan['reason'] or 'no reason given'}")
        elif point:
            points += 1
            failure = None
            if (point["word"] or "").upper() == "SKIP":
                tally.skips.append(": ".join(filter(None, (point["name"], point["reason"]))))
            elif point["bad"]:
                failure = len(tally.failures)
                tally.failures.append(line)
            else:
                tally.passed += 1
        elif failure is not None:
            tally.failures[failure] += "\n" + line
    return points if planned == points else None


class Children:
    """The groups of processes that run, to end them all with us."""

    def __init__(self):
        self._lock, self._running, self._is_over = threading.Lock(), set(), False

    def add(self, process):
        with self._lock:
            self._running.add(process)
            if self._is_over:
                self._end(process)

    def remove(self, process):
        with self._lock:
            self._running.discard(process)

    def end_all(self):
        """Those that come later as well."""
        with self._lock:
            self._is_over = True
            for process in self._running:
                self._end(process)

    @staticmethod
    def _end(process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


children = Children()


def run(command, tally, *, environment=None, directory=ROOT, timeout=TIMEOUT_SECONDS):
    """Runs COMMAND without a terminal, and what it leaves behind no longer than itself; returns its
    status and all that it printed, and adds its seconds of CPU to TALLY."""
    timeout = max(1, min(timeout, BEGAN + ALL_TIMEOUT_SECONDS - time.monotonic()))
    with tempfile.TemporaryFile("w+", errors="backslashreplace") as output:
        try:
            process = subprocess.Popen(
                command, cwd=directory,
                env=os.environ | {"BUILD": str(BUILD)} | (environment or {}),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True)
        except OSError as error:
            return 127, str(error)
        children.add(process)
        end = time.monotonic() + timeout
        killer = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        killer.start()
        # Its number stays its own until it is waited for.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        killer.cancel()
        children.remove(process)
        os.killpg(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        tally.cpu_seconds += usage.ru_utime + usage.ru_stime
        output.seek(0)
        remark = f"\nkilled after {timeout:.0f} s" if time.monotonic() > end else ""
        return process.returncode, output.read() + remark


def run_step(command, shown=False, **options):
    """A test case that is one command: its status tells. With SHOWN what it prints is of interest."""
    tally = Tally()
    status, text = run(command, tally, **options)
    tally.notes += text.splitlines() if shown and status == 0 else []
    if status == SKIPPED:
        tally.skips.append(text.strip().splitlines()[-1] if text.strip() else "no reason given")
    elif status == 0:
        tally.passed += 1
    else:
        tally.failures.append(f"{shlex.join(map(str, command))}: status {status}\n{text}")
    return tally


def run_tap(command, **options):
    """The test cases of a program that prints TAP, or ends with 77 and a reason."""
    tally = Tally()
    status, text = run(command, tally, **options)
    if status == SKIPPED:
        tally.skips.append(text.strip().splitlines()[-1] if text.strip() else "no reason given")
        return tally
    complete = read_tap(text, tally) is not None
    if not complete or (status != 0 and not tally.failures):
        tally.failures.append(f"{shlex.join(map(str, command))}: status {status}"
                              f"{'' if complete else ', and its TAP is not whole'}\n{text}")
    return tally


def is_set_up(build, options):
    """Whether BUILD was configured, and with OPTIONS: --NAME=VALUE or -DNAME=VALUE."""
    listing = build / "meson-info" / "intro-buildoptions.json"
    if not (build / "build.ninja").exists() or not listing.exists():
        return False
    values = {option["name"]: option["value"] for option in json.loads(listing.read_text())}
    wanted = (re.fullmatch("(?:--|-D)(.*?)=(.*)", option).groups() for option in options)
    return all(values[name] in (value, value == "true", value.split(",")) for name, value in wanted)


def set_up(build, *options, environment=None):
    """Configures BUILD where that is needed, and builds; what came of it is one test case."""
    options = (*LAYOUT, *options)
    if not is_set_up(build, options):
        again = ["--reconfigure"] if (build / "build.ninja").exists() else []
        tally = run_step(["meson", "setup", *again, *options, str(build), str(ROOT)],
                         environment=environment)
        if tally.failures:
            return tally
    return run_step(["nice", "ninja", "-C", str(build)])  # Logins beside it have deadlines.


# A suite is a list of parts, each of which can run beside every other.

def meson_suite(suite):
    """The tests that meson.build puts into SUITE, each run by itself."""
    def run_suite(build, environment):
        tally = Tally()
        listing = subprocess.run(["meson", "introspect", "--tests", str(build)], check=True,
                                 capture_output=True, text=True)
        for test in json.loads(listing.stdout):
            if f"pam_twilio_verify:{suite}" not in test["suite"]:
                continue
            runner = run_tap if test["protocol"] == "tap" else run_step
            tally.add(runner(test["cmd"], environment=environment | test["env"],
                             directory=test["workdir"] or build, timeout=test["timeout"] * 10))
        return tally
    return [run_suite]


def python_suite(directory, *inside, first=(), only=None, without=()):
    """The unittest files of a directory, each a part: those that take longest FIRST."""
    names = {path.stem for path in (ROOT / directory).glob("test_*.py")} - {*without}
    names &= {*(only or names)}
    return [part for name in sorted(names, key=lambda name: (name not in first, name))
            for part in program_suite(*inside, PYTHON, "tests/tap.py", f"{directory}/{name}.py")]


def program_suite(*command):
    """A program that prints TAP."""
    def run_suite(build, environment):
        return run_tap(command, environment=environment | {"BUILD": str(build)})
    return [run_suite]


def step_suite(*command, **options):
    """A program whose status tells."""
    def run_suite(build, environment):
        return run_step(command, environment=environment | {"BUILD": str(build)}, **options)
    return [run_suite]


def run_format(_build, _environment):
    """The layout of all C, by the one version of clang-format whose layout it is."""
    _, version = run(["clang-format", "--version"], Tally())
    if f"version {CLANG_FORMAT}." not in version:
        tally = Tally()
        tally.skips.append(f"not clang-format {CLANG_FORMAT}, but {version.strip()}")
        return tally
    files = [path for directory in ("pam_module",
                                    "tests") for path in (ROOT / directory).rglob("*.[ch]")]
    return run_step(["clang-format", "--dry-run", "-Werror", *map(str, sorted(files))])


def left_out(name):
    """What stands in for a suite that has to be asked for."""
    def run_suite(_build, _environment):
        tally = Tally()
        tally.skips.append(f"it takes minutes, and a Debian mirror: tests/run {name}")
        return tally
    return [run_suite]


# The slow ones first: nobody wants to wait for them at the end.
SUITES = {
    "check": python_suite("tests/check", first=("test_memory", "test_time")),
    "login": python_suite("tests/login", "tests/login/enter",
                          first=("test_enable", "test_one_field", "test_sessions")),
    "matrix": python_suite("tests/matrix", "tests/login/enter"),
    "network": python_suite("tests/network"),
    "host": python_suite("tests/host", "tests/login/enter"),
    "module": python_suite("tests/module"),
    "admin": python_suite("tests/admin"),
    "failing-calls": python_suite("tests/failing-calls"),
    "client": program_suite("tests/emulator/run_twilio_client"),
    "emulator": python_suite("tests/emulator"),
    "package": python_suite("tests/package"),
    "unit": meson_suite("unit"),
    "fuzz": meson_suite("fuzz"),
}

# Last, and with nothing beside it: it measures.
ALONE_SUITES = {
    "bench": step_suite("tests/bench/run", "--short", shown=True),
}

# Only by name, and in .ci/run.
CI_SUITES = {
    "format": [run_format],
    "analyze": step_suite("nice", "tests/analyze"),
    "fuzzers": [lambda _build, _environment: run_tap(["tests/fuzz/run", "--smoke"])],
}

# The same: the builds, and warnings are errors then.
COMPILERS = ("gcc", "clang")

# The same, and they build for themselves.
LONG_SUITES = {
    "install": program_suite("tests/package/test_install"),
    "install-trixie": program_suite("env", "DEBIAN=trixie", "tests/package/test_install"),
}

# Only by name: .ci/run is to take ten minutes.
NAMED_SUITES = {
    "cross": program_suite("tests/package/test_cross"),
    "hosts": [part for path in sorted((ROOT / "tests/hosts").glob("test_*.py"))
              for part in program_suite("tests/hosts/enter", str(path.relative_to(ROOT)))],
}

CI_ALL_SUITES = SUITES | ALONE_SUITES | CI_SUITES | LONG_SUITES
ALL_SUITES = CI_ALL_SUITES | NAMED_SUITES

# A test runs once: under the sanitizers, unless Debian's programs load what we built, it makes calls
# of libc fail, it measures, or it starts processes by the thousand.
NOT_SANITIZED = {"check": ("test_hostile", "test_time"), "module": ("test_sigchld",)}
# Some tests of these files skip themselves there, for want of memory.
ALSO_PLAIN = {"check": ("test_links", "test_start")}
SANITIZED = {name: SUITES[name]
             for name in ("check", "network", "module", "admin", "emulator", "unit", "fuzz")}
PLAIN = {name: [] for name in SANITIZED}
for _name, _files in NOT_SANITIZED.items():
    SANITIZED[_name] = python_suite(f"tests/{_name}", first=("test_memory",), without=_files)
    PLAIN[_name] = python_suite(f"tests/{_name}", first=("test_time",),
                                only=_files + ALSO_PLAIN.get(_name, ()))


class Report:
    """Runs suites side by side; prints each whole when its last part has ended, and sums up.

    The context manager waits for all; where it is left by an exception it ends them."""

    def __init__(self):
        self.total = Tally()
        self._lock = threading.Lock()
        self._pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        self._futures = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            children.end_all()
        self._pool.shutdown()

    def run(self, name, parts, build, environment=None):
        """Returns at once."""
        suite = Tally()
        left, began = [*parts], []

        def run_part(part):
            began.append(time.monotonic())
            try:
                tally = part(build, environment or {})
            except Exception:  # A defect of ours fails this suite, and the others go on.
                tally = Tally()
                tally.failures.append(traceback.format_exc())
            with self._lock:
                suite.add(tally)
                left.remove(part)
                if not left:
                    self._end(name, suite, began[0])

        self._futures += [self._pool.submit(run_part, part) for part in parts]

    def wait(self):
        """Until all that was given to run() has ended."""
        for future in self._futures:
            future.result()

    def build(self, name, build, *options, compiler="gcc", is_strict=False):
        """A test case if warnings are errors, or if it fails. Returns whether it is built."""
        began = time.monotonic()
        strict = ["-Dwerror=true"] if is_strict else []
        tally = set_up(build, *options, *strict, environment={"CC": compiler})
        tally.passed = tally.passed if is_strict else 0
        with self._lock:
            self._print(name, "failed" if tally.failures else "built", tally, began)
        return not tally.failures

    def _end(self, name, tally, began):
        if tally.ran() + len(tally.skips) == 0:
            tally.failures.append("it ran no test")
        self._print(name, tally, tally, began)

    def _print(self, name, what, tally, began):
        now = time.monotonic()
        lines = [f"{name:<22} {what}, {now - began:.1f} s: {began - BEGAN:.0f} to "
                 f"{now - BEGAN:.0f}, CPU {tally.cpu_seconds:.1f}"]
        lines += [f"    {note}" for note in tally.notes]
        lines += [f"    skipped: {skip}" for skip in tally.skips]
        lines += [f"    {line}" for failure in tally.failures for line in failure.splitlines()]
        print("\n".join(lines), flush=True)
        self.total.add(tally)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/run",
        description="Builds in ./build, or $BUILD, and runs the tests; without SUITE all of them.",
        epilog="Suites: " + " ".join([*SUITES, *ALONE_SUITES, *CI_SUITES, *COMPILERS]) +
               "; only by name, as they take minutes: " + " ".join([*LONG_SUITES, *NAMED_SUITES]))
    parser.add_argument("--build", action="store_true", help="build, and run nothing")
    parser.add_argument("--no-sanitizers", action="store_true",
                        help="run what would have ASan and UBSan without them")
    parser.add_argument("--ci", action="store_true",
                        help="also the format, analyzers, fuzzers, and both compilers with -Werror")
    parser.add_argument("suites", metavar="SUITE", nargs="*")
    arguments = parser.parse_args()
    unknown = {*arguments.suites} - {*ALL_SUITES, *COMPILERS}
    if unknown:
        parser.error("no such suite: " + " ".join(sorted(unknown)))
    return arguments


def run_suites(report, arguments):
    """Side by side, each as soon as what it needs is built."""
    wanted = {*arguments.suites} or {*SUITES, *ALONE_SUITES}
    if arguments.ci:
        wanted |= {*CI_ALL_SUITES, *COMPILERS}
    sanitizer_build = BUILD.with_name(f"{BUILD.name}-sanitizers")
    sanitized = {} if arguments.no_sanitizers else {
        name: parts for name, parts in SANITIZED.items() if name in wanted}
    plain = {name: PLAIN[name] if name in sanitized else parts
             for name, parts in (SUITES | ALONE_SUITES).items() if name in wanted}
    is_built = False

    def run(suites):
        for name, parts in suites.items():
            if name in wanted and parts:
                report.run(name, parts, BUILD)

    if not arguments.suites and not arguments.ci:
        for name in [*LONG_SUITES, *NAMED_SUITES]:
            report.run(name, left_out(name), BUILD)
    run({name: ALL_SUITES[name] for name in (*LONG_SUITES, "cross", "format")})
    if any(plain.values()) or wanted & {"analyze", "hosts", "gcc"}:
        is_built = report.build("build", BUILD, is_strict="gcc" in wanted)
    if is_built:
        run({name: plain[name] for name in SUITES if name in plain})
        run({name: ALL_SUITES[name] for name in ("analyze", "hosts")})
    if (sanitized or wanted & {"clang", "fuzzers"}) and report.build(
            "build, sanitizers", sanitizer_build, *SANITIZERS, compiler="clang",
            is_strict="clang" in wanted):
        for name, parts in sanitized.items():
            report.run(f"{name}, sanitizers", parts, sanitizer_build, SANITIZER_ENVIRONMENT)
        run({"fuzzers": CI_SUITES["fuzzers"]})
    if is_built:
        report.wait()
        run(ALONE_SUITES)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments = parse_arguments()
    with Report() as report:
        if arguments.build:
            return 0 if report.build("build", BUILD) else 1
        run_suites(report, arguments)
    print(report.total)
    return 0 if report.total.passed and not report.total.failures else 1


if __name__ == "__main__":
    sys.exit(main())
