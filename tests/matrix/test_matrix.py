# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""No fault lets anybody in: each returns its code, within the limit of time.

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/matrix"""

import contextlib
import pathlib
import re
import unittest

from matrix import WORKERS, Matrix, rows
from faults import CODES, FAULTS, FULL, HARMLESS, LETS_IN, emulated, fault, lying
from kit.machine import is_inside
from kit.parallel import Parallel, each

EMULATOR = pathlib.Path(__file__).resolve().parents[1] / "emulator"

# What there would be to get.
SOUND = {
    "a service that is sound": fault(LETS_IN, lying, {}, meets="verify"),
    "an emulator that is sound": fault(LETS_IN, emulated, [], meets="verify"),
    "a disk that is full": fault(LETS_IN, lying, {}, meets="verify", state_dir=FULL),
}
ALL = FAULTS | SOUND

_running = []


@contextlib.contextmanager
def shared():
    if not is_inside():
        yield
        return
    with Matrix(ALL) as matrix:
        _running.append(matrix)
        yield
        _running.clear()


def cases(faults):
    return {f"{row.host} gets {row.fault.code} with {row.words}": {"row": row}
            for row in rows(ALL) if row.words in faults}


class MatrixCase(unittest.TestCase):

    def run_row(self, row):
        if not is_inside():
            self.skipTest("not started by tests/login/enter")
        [matrix] = _running
        self.assertEqual(list(row.complaints(*row.run(matrix))), [], matrix.log(row))


@each(run_row=cases(FAULTS))
class Faults(MatrixCase):
    """A fault and, but where it can't matter, a right code."""


@each(run_row=cases(SOUND))
class Sound(MatrixCase):
    """The same stacks let in where there is no fault, or none that matters."""


class Table(unittest.TestCase):
    """The table itself."""

    def test_no_fault_may_let_in(self):
        self.assertEqual({fault.code for fault in FAULTS.values()}, CODES)
        self.assertNotIn(LETS_IN, CODES)
        self.assertNotIn("PAM_IGNORE", CODES)

    def test_every_kind_of_the_emulator_is_there_or_harmless(self):
        faults = (EMULATOR / "README.md").read_text().partition("\n## Faults\n")[2]
        faults = faults.partition("\n## ")[0]
        words = [word for line in re.findall(r"^\| (`.*?`) \|", faults, re.MULTILINE)
                 for word in re.findall(r"`([a-z-]+)", line)]
        kinds = {word for word in words if not word.startswith(("-html", "-empty", "-rfc"))}
        tried = {match[1] for match in map(re.compile("emulator: ([a-z-]+)").match, FAULTS)
                 if match}
        self.assertGreater(len(kinds), 30)
        self.assertEqual({kind for kind in kinds - HARMLESS
                          if not any(word.startswith(kind) for word in tried)}, set())


def load_tests(_loader, tests, _pattern):
    return Parallel(tests, WORKERS, shared)
