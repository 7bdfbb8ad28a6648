# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Every promise of SECURITY.md names tests that there are: `SUITE` (NAME, NAME), where NAME is a file,
a class or a sentence of that suite."""

import pathlib
import re
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
TOP = TESTS.parent
import suites

SHOWN = re.compile(r"`(?P<suite>\w+)`(?: \((?P<names>[^)]*)\))?|(?P<path>tests/[\w/.-]+)")


def words(name):
    """HostileStarts, hostile_starts: "hostile starts"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def names_in(suite):
    """What a test of the directory SUITE may be called."""
    names = set()
    for path in (TESTS / suite).iterdir():
        stem = re.fullmatch(r"(?:test|fuzz)_(\w+)\.(?:py|c)", path.name)
        if stem:
            text = path.read_text(encoding="utf-8")
            found = re.findall(r"^class (\w+)|^    def test_(\w+)|^TEST\((\w+)\)", text, re.MULTILINE)
            names |= {words(name) for match in found for name in match if name} | {words(stem[1])}
            # A table of rows, each of which is a test.
            names |= {words(name) for name in re.findall(r'^    "([^"]+)": ', text, re.MULTILINE)}
    return names


def promises():
    """(promise, what shows it) of each item."""
    text = (TOP / "SECURITY.md").read_text(encoding="utf-8")
    section = text.split("\n## What is promised, and which test shows it\n")[1].split("\n## ")[0]
    items = section.split("\n- ")[1:]
    return [tuple(" ".join(item.split()).split(" Shown by: ")) for item in items]


class Promises(unittest.TestCase):
    def test_there_are_promises(self):
        self.assertGreater(len(promises()), 15)

    def test_each_is_shown_by_tests_that_there_are(self):
        known = {*suites.SUITES, *suites.LONG_SUITES}
        for row in promises():
            with self.subTest(row[0]):
                self.assertEqual(len(row), 2, "an item is a promise and what shows it")
                shown = list(SHOWN.finditer(row[1]))
                self.assertNotEqual(shown, [], "nothing shows it")
                for match in shown:
                    if match["path"]:
                        self.assertTrue((TOP / match["path"]).exists(), match["path"])
                        continue
                    self.assertIn(match["suite"], known)
                    for name in filter(None, (match["names"] or "").split(", ")):
                        self.assertIn(words(name), names_in(match["suite"]), match[0])
