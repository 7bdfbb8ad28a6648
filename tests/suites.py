#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Builds, runs the suites, and counts their test cases."""

import argparse
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
PYTHON = "/usr/bin/python3"
SKIPPED = 77
TIMEOUT_SECONDS = 900
CLANG_FORMAT = 14

# As Debian installs it: the login suite does so, on a throw-away copy of the machine.
LAYOUT = ("--prefix=/usr", "--libexecdir=libexec")
SANITIZERS = ("-Db_sanitize=address,undefined", "-Db_lundef=false")
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

    def add(self, other):
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


def run(command, *, environment=None, folder=ROOT, timeout=TIMEOUT_SECONDS):
    """Runs COMMAND without a terminal; returns its status and all that it printed."""
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | {"BUILD": str(BUILD)} | (environment or {}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="backslashreplace", start_new_session=True)
    except OSError as error:
        return 127, str(error)
    try:
        text, _ = process.communicate(timeout=timeout)
        return process.returncode, text
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text, _ = process.communicate()
        return -signal.SIGKILL, f"{text}\nkilled after {timeout} s"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def run_step(command, shown=False, **options):
    """A test case that is one command: its status tells. With SHOWN what it prints is of interest."""
    tally = Tally()
    status, text = run(command, **options)
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
    status, text = run(command, **options)
    if status == SKIPPED:
        tally.skips.append(text.strip().splitlines()[-1] if text.strip() else "no reason given")
        return tally
    complete = read_tap(text, tally) is not None
    if not complete or (status != 0 and not tally.failures):
        tally.failures.append(f"{shlex.join(map(str, command))}: status {status}"
                              f"{'' if complete else ', and its TAP is not whole'}\n{text}")
    return tally


def is_laid_out(build):
    """Whether BUILD was configured, and with LAYOUT."""
    listing = build / "meson-info" / "intro-buildoptions.json"
    if not (build / "build.ninja").exists() or not listing.exists():
        return False
    values = {option["name"]: option["value"] for option in json.loads(listing.read_text())}
    return all(f"--{name}={values[name]}" in LAYOUT for name in ("prefix", "libexecdir"))


def set_up(build, *options, environment=None):
    """Configures BUILD where that is needed, and builds; what came of it is one test case."""
    if not is_laid_out(build):
        again = ["--reconfigure"] if (build / "build.ninja").exists() else []
        tally = run_step(["meson", "setup", *again, *LAYOUT, *options, str(build), str(ROOT)],
                         environment=environment)
        if tally.failures:
            return tally
    return run_step(["ninja", "-C", str(build)])


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
                             folder=test["workdir"] or build, timeout=test["timeout"] * 10))
        return tally
    return run_suite


def python_suite(path, *inside):
    """The unittest files of a folder, or one file."""
    def run_suite(build, environment):
        return run_tap([*inside, PYTHON, "tests/tap.py", path],
                       environment=environment | {"BUILD": str(build)})
    return run_suite


def program_suite(*command):
    """A program that prints TAP."""
    def run_suite(build, environment):
        return run_tap(command, environment=environment | {"BUILD": str(build)})
    return run_suite


def step_suite(*command, **options):
    """A program whose status tells."""
    def run_suite(build, environment):
        return run_step(command, environment=environment | {"BUILD": str(build)}, **options)
    return run_suite


def format_suite(_build, _environment):
    """The layout of all C, by the one version of clang-format whose layout it is."""
    _, version = run(["clang-format", "--version"])
    if f"version {CLANG_FORMAT}." not in version:
        tally = Tally()
        tally.skips.append(f"not clang-format {CLANG_FORMAT}, but {version.strip()}")
        return tally
    files = [path for folder in ("pam_module", "tests") for path in (ROOT / folder).rglob("*.[ch]")]
    return run_step(["clang-format", "--dry-run", "-Werror", *map(str, sorted(files))])


def left_out(name):
    """What stands in for a suite that has to be asked for."""
    def run_suite(_build, _environment):
        tally = Tally()
        tally.skips.append(f"it takes minutes, and a Debian mirror: tests/run {name}")
        return tally
    return run_suite


def compiler_suite(compiler, *options):
    """A build of its own with COMPILER, in which a warning is an error."""
    def run_suite(build, _environment):
        return set_up(build.with_name(f"{build.name}-{compiler}"), "-Dwerror=true",
                      *options, environment={"CC": compiler})
    return run_suite


# Only for .ci/run; before everything else, as they are quick to fail.
CI_SUITES = {
    "format": format_suite,
    "gcc": compiler_suite("gcc"),
    "clang": compiler_suite("clang", "-Dfuzz=true"),
    "analyze": step_suite("tests/analyze", "gcc", "cppcheck"),  # clang-tidy takes minutes
    "fuzzers": program_suite("tests/fuzz/run", "--smoke"),
}

SUITES = {
    "unit": meson_suite("unit"),
    "emulator": python_suite("tests/emulator"),
    "check": python_suite("tests/check"),
    "module": python_suite("tests/module"),
    "admin": python_suite("tests/admin"),
    "package": python_suite("tests/package"),
    "login": python_suite("tests/login", "tests/login/enter"),
    "faults": python_suite("tests/faults", "tests/login/enter"),
    "client": program_suite("tests/emulator/run_twilio_client"),
    "fuzz": meson_suite("fuzz"),
    "faulty": python_suite("tests/faulty"),
    "bench": step_suite("tests/bench/run", "--short", shown=True),
}

# Only by name, and in .ci/run.
LONG_SUITES = {
    "install": program_suite("tests/package/test_install"),
}

# Real hosts can't load a module with sanitizers; the others run a second time with them.
SANITIZED = ("unit", "emulator", "check", "module", "admin", "fuzz")


class Report:
    """Prints a line for each suite while they run, and sums up."""

    def __init__(self):
        self.total = Tally()

    def run(self, name, suite, *arguments):
        began = self._begin(name)
        tally = suite(*arguments)
        if tally.ran() + len(tally.skips) == 0:
            tally.failures.append("it ran no test")
        self._end(tally, tally, began)

    def build(self, name, build, *options):
        """No test case, unless it fails. Returns whether it is built."""
        began = self._begin(name)
        tally = set_up(build, *options)
        tally.passed = 0
        self._end("failed" if tally.failures else "built", tally, began)
        return not tally.failures

    @staticmethod
    def _begin(name):
        print(f"{name:<22} ", end="", flush=True)
        return time.monotonic()

    def _end(self, what, tally, began):
        print(f"{what}, {time.monotonic() - began:.1f} s", flush=True)
        for note in tally.notes:
            print(f"    {note}", flush=True)
        for skip in tally.skips:
            print(f"    skipped: {skip}", flush=True)
        for failure in tally.failures:
            print("\n".join(f"    {line}" for line in failure.splitlines()), flush=True)
        self.total.add(tally)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/run",
        description="Builds in ./build, or $BUILD, and runs the tests; without SUITE all of them.",
        epilog="Suites: " + " ".join([*SUITES, *CI_SUITES]) +
               "; only by name, as they take minutes: " + " ".join(LONG_SUITES))
    parser.add_argument("--build", action="store_true", help="build, and run nothing")
    parser.add_argument("--no-sanitizers", action="store_true",
                        help="leave out the second run with ASan and UBSan")
    parser.add_argument("--ci", action="store_true",
                        help="also the format, and both compilers with -Werror")
    parser.add_argument("suites", metavar="SUITE", nargs="*")
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - {*SUITES, *CI_SUITES, *LONG_SUITES}
    if unknown:
        parser.error("no such suite: " + " ".join(sorted(unknown)))
    return arguments


def run_suites(report, arguments):
    chosen = arguments.suites or [*SUITES, *LONG_SUITES]
    first = [name for name in CI_SUITES if name in chosen or arguments.ci]
    plain = [name for name in SUITES if name in chosen]
    sanitized = [name for name in plain if name in SANITIZED and not arguments.no_sanitizers]
    sanitizer_build = BUILD.with_name(f"{BUILD.name}-sanitizers")

    for name in first:
        report.run(name, CI_SUITES[name], BUILD, {})
    if plain and report.build("build", BUILD):
        for name in plain:
            report.run(name, SUITES[name], BUILD, {})
    if sanitized and report.build("build, sanitizers", sanitizer_build, *SANITIZERS):
        for name in sanitized:
            report.run(f"{name}, sanitizers", SUITES[name], sanitizer_build,
                       SANITIZER_ENVIRONMENT)
    for name in LONG_SUITES:
        if name in chosen:
            is_wanted = name in arguments.suites or arguments.ci
            suite = LONG_SUITES[name] if is_wanted else left_out(name)
            report.run(name, suite, BUILD, {})


def main():
    # So that the suite that runs is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments = parse_arguments()
    report = Report()
    if arguments.build:
        return 0 if report.build("build", BUILD) else 1
    run_suites(report, arguments)
    print(report.total)
    return 0 if report.total.passed and not report.total.failures else 1


if __name__ == "__main__":
    sys.exit(main())
