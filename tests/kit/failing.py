# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Plans for faulty.so: which call of a program fails, and how. Standard library only.

FULL=1 lets every call fail in every way (minutes), FULL=own every one of our own code; without it SEED
chooses some of them."""

import collections
import concurrent.futures
import functools
import os
import pathlib
import random
import re
import signal
import struct
import threading

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "failing-calls/faulty.c"
from .fixture import BUILD

LIBRARY = BUILD / "tests" / "faulty.so"
FULL = os.environ.get("FULL") == "1"
FULL_OWN = FULL or os.environ.get("FULL") == "own"
SEED = int(os.environ.get("SEED", 1))
WORKERS = 4
REPORT_SIZE = 4096
CRASH_NONE, CRASH_LIBRARY, CRASH_OURS = range(3)

TABLE = re.findall(r"^ {4}X\(\w+, (\w+), ([A-Z, ]+)\)", SOURCE.read_text(), re.MULTILINE)
ERRORS = {name: errors.split(", ") for name, errors in TABLE}


# How the Nth call of them all is preceded by a signal: Fault("signal", N, SIGNAL, OBJECT).
class Fault(collections.namedtuple("Fault", "call ordinal error object")):
    """ORDINAL, ERROR: the Nth call with its Kth errno; or the seed, and how many in 1000."""

    def __str__(self):
        if self.call == "signal":
            return f"{signal.Signals(self.error).name} before call {self.ordinal} of {self.object}"
        what = f"{self.call} {self.ordinal} of {self.object or 'all'}"
        if self.call in ERRORS:
            return f"{what}: {ERRORS[self.call][self.error]}"
        return f"{what}, {self.error} in 1000"


class Report:
    """A file that one run of a program with a fault fills."""

    def __init__(self, directory, fault):
        self.path = pathlib.Path(directory) / f"report-{os.getpid()}-{threading.get_ident()}"
        self.path.write_bytes(bytes(REPORT_SIZE))
        self.path.chmod(0o666)
        self.environment = {"LD_PRELOAD": str(LIBRARY), "FAULTY_REPORT": str(self.path),
                            "FAULTY": ":".join(map(str, fault)).rstrip(":")}

    @functools.cache
    def numbers(self):
        """How many calls failed; in whose code it crashed; how often each call was made."""
        size = 4 * (len(TABLE) + 2)
        failed, crash, *made = struct.unpack(f"{len(TABLE) + 2}I", self.path.read_bytes()[:size])
        return failed, crash, dict(zip(ERRORS, made))


def count(run, object):
    """How often each call is made where nothing fails. RUN takes a fault; returns its report."""
    _, _, made = run(Fault("count", 0, 0, object)).numbers()
    return {call: number for call, number in made.items() if number}


def plan(made, object, most):
    """Every call in every way; MOST of them, as the seed says, where not everything is asked for."""
    faults = [Fault(call, ordinal, error, object) for call, number in made.items()
              for ordinal in range(1, number + 1) for error in range(len(ERRORS[call]))]
    if FULL or (FULL_OWN and object) or len(faults) <= most:
        return faults
    dice = random.Random(SEED)
    # Each kind of call first, whatever the most frequent ones are.
    dice.shuffle(faults)
    first = {fault.call: fault for fault in faults}
    rest = [fault for fault in faults if fault not in first.values()]
    return [*first.values(), *rest][:most]


def plan_signals(made, object, signals, most):
    """Every signal before every call; MOST of them where not everything is asked for."""
    faults = [Fault("signal", ordinal, number, object) for number in signals
              for ordinal in range(1, sum(made.values()) + 1)]
    if FULL or len(faults) <= most:
        return faults
    return random.Random(SEED).sample(faults, most)


def plan_seeds(object, most, factor=20):
    """Several failures in one run; rarer and rarer."""
    return [Fault("seed", SEED * 1000 + number, max(1, 100 >> number % 7), object)
            for number in range(most * (factor if FULL else 1))]


def run_all(test, faults, judge):
    """JUDGE raises AssertionError for a fault that does harm; returns how many faults came true."""
    came_true = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for fault, future in [(fault, pool.submit(judge, fault)) for fault in faults]:
            with test.subTest(str(fault)):
                came_true += bool(future.result())
    return came_true
