# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The samples, the manual and the parser name the same keys, and every example is accepted; the
layout of the documents, and what they refer to."""

import math
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
import suites

BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build")).resolve()
CHECK = BUILD / "twilio-verify-check"


def read(name):
    return (TOP / name).read_text(encoding="utf-8")


def parser_keys(source):
    """(group, key) for every row of the parser's table."""
    return {*re.findall(r'MEMBER\("(\w+)", (\w+)\)', source),
            *((group.lower(), key)
              for group, key in re.findall(r"{ (ADMIN|SESSION)\((\w+)\)", source))}


def sample_keys(text):
    """(group, key) for every key that stands in a sample, live or commented out."""
    keys, group = set(), ""
    for line in text.splitlines():
        if match := re.match(r"(\w+) = \{", line):
            group = match[1]
        elif match := re.match(r"\s*(?:# )?(\w+)\s*=\s*[^=]*;", line):
            keys.add((group, match[1]))
    return keys


def manual_keys(text):
    """(group, key) for every key that the manual page explains; enrollments have no group."""
    keys, group = set(), None
    for line in text.splitlines():
        if match := re.match(r"# (?:THE GROUP (\w+)|(ENROLLMENTS)|.*)", line):
            group = match[1] or ("" if match[2] else None)
        elif group is not None and re.fullmatch(r"(\*\w+\*(, )?)+", line):
            keys |= {(group, key) for key in re.findall(r"\*(\w+)\*", line)}
    return keys


def documents():
    """(name, text) of all that a person reads who uses or changes this, without the sources."""
    for pattern in ("*.md", "conf/**/*", "debian/*README*", "debian/*.1", "pam_module/README.md",
                    "pam_module/*/*.scd", "tests/*/README.md"):
        for path in sorted(TOP.glob(pattern)):
            if path.is_file():
                yield str(path.relative_to(TOP)), path.read_text(encoding="utf-8")


def printed():
    """(name, text) of every literal in the sources of the product, which it may print."""
    for path in sorted((TOP / "pam_module").rglob("*.[ch]")):
        source = re.sub(r"^#include.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        joined = re.sub(r'"\s*\n\s*"', "", source)
        for text in re.findall(r'"((?:\\.|[^"\\\n])*)"', joined):
            yield str(path.relative_to(TOP)), text


# What a reader has to read twice, and what to write. The rest is in CONTRIBUTING.md.
OLD_WORDS = {
    r"\bgo(es|ne)? around\b": "bypass",
    r"\bis no known\b": "unknown",
    r"\bmend(s|ed)?\b": "correct",
    r"\bmind whom\b": "check that this is intended",
    r"\bwho(so)?ever\b": "anyone who, a user who",
    r"(?<!gets )\bno memory\b|\bfit into memory\b": "out of memory",
    r"\blets? on\b": "needs no code",
    r"\bstands?\b(?! still|-in)": "is, comes, is written",
    r"\bsmall letters\b": "lower case",
    r"\bfolders?\b": "directory",
    r"\bshut in\b": "the sandbox is active",
    r"\bnobody told\b|\bdid not go away\b": "what happened, with a subject",
    r"\bis not root's\b": "is not owned by root",
    r"\bis no (file|reply|verdict|list|name|word)\b": "is not a",
}


class Words(unittest.TestCase):
    def test_no_text_has_a_word_that_is_read_twice(self):
        texts = [*documents(), *printed()]
        self.assertGreater(len(texts), 1000)
        found = [f"{name}: {match[0]!r}: write {better!r}" for name, text in texts
                 for old, better in OLD_WORDS.items()
                 for match in re.finditer(old, re.sub(r"\s+", " ", text), re.IGNORECASE)]
        self.assertEqual(found, [])


class Layout(unittest.TestCase):
    def test_no_line_has_more_than_100_columns(self):
        sources = [(str(path.relative_to(TOP)), path.read_text(encoding="utf-8"))
                   for directory in ("pam_module", "tests")
                   for path in sorted((TOP / directory).rglob("*.[ch]"))]
        long = [f"{name}:{number}" for name, text in [*documents(), *sources]
                for number, line in enumerate(text.splitlines(), 1) if len(line.expandtabs(8)) > 100]
        self.assertEqual(long, [])

    def test_readme_has_at_most_120_lines(self):
        self.assertLessEqual(len(read("README.md").splitlines()), 120)

    def test_the_page_of_the_parts_has_at_most_120_lines(self):
        self.assertLessEqual(len(read("pam_module/README.md").splitlines()), 120)

    def test_every_link_and_every_path_of_this_tree_exists(self):
        found = 0
        for name, text in documents():
            directory = (TOP / name).parent
            places = [directory / link for link in re.findall(r"\]\(([^)#:]+)\)", text)]
            places += [TOP / path for path in re.findall(
                r"(?<![\w/.-])((?:tests|conf|debian|pam_module)/[\w/.-]*[\w/])", text)]
            found += len(places)
            with self.subTest(name):
                self.assertEqual([str(place) for place in places if not place.exists()], [])
        self.assertGreater(found, 60)

    def test_contributing_lists_every_suite(self):
        table = read("CONTRIBUTING.md").partition("\n| suite |")[2].partition("\n\n")[0]
        listed = [name for row in table.splitlines()[2:]
                  for name in re.findall(r"`([\w-]+)`", row.split("|")[1])]
        self.assertEqual(sorted(listed), sorted([*suites.ALL_SUITES, *suites.COMPILERS]))


class Recipes(unittest.TestCase):
    def test_ssh_takes_the_options_for_ansible_before_ansible_s_own(self):
        line = re.search(r"ssh_args = ((?:.+\n)+)", read("conf/README.md"))[1].split()
        ansible = ["-o", "KbdInteractiveAuthentication=no", "-o",
                   "PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey",
                   "-o", "PasswordAuthentication=no"]
        done = subprocess.run(["ssh", "-F", "none", "-G", *line, *ansible, "host"], check=True,
                              text=True, capture_output=True, stdin=subprocess.DEVNULL)
        options = dict(row.split(" ", 1) for row in done.stdout.splitlines() if " " in row)
        self.assertEqual(options["kbdinteractiveauthentication"], "yes")
        self.assertEqual(options["preferredauthentications"], "publickey,keyboard-interactive")
        self.assertEqual(options["controlmaster"], "auto")


class Documents(unittest.TestCase):
    maxDiff = None
    manual = manual_keys(read("pam_module/core/twilio-verify.conf.5.scd"))

    def test_settings_sample_and_parser_name_the_same_keys(self):
        keys = parser_keys(read("pam_module/core/settings.c"))
        self.assertGreater(len(keys), 15)
        self.assertEqual(sample_keys(read("conf/twilio-verify.conf")), keys)

    def test_manual_and_parsers_name_the_same_keys(self):
        settings = parser_keys(read("pam_module/core/settings.c"))
        names = re.findall(r'MEMBER\(enrollment, (\w+)\)', read("pam_module/core/enrollment.c"))
        self.assertEqual(len(names), 3)
        self.assertEqual(self.manual, settings | {("", name) for name in names})

    def test_enrollment_sample_and_parser_name_the_same_keys(self):
        names = re.findall(r'MEMBER\(enrollment, (\w+)\)', read("pam_module/core/enrollment.c"))
        self.assertEqual(sample_keys(read("conf/user.conf")), {("", name) for name in names})

    def test_settings_as_shipped_refuse_and_name_the_first_key_to_fill_in(self):
        self.assertIn("service.service_sid must be VA and 32 hexadecimal digits",
                      self.verdict(read("conf/twilio-verify.conf")))

    def test_settings_with_the_placeholders_filled_in_are_accepted(self):
        text = re.sub(r"(VA|AC|SK)x{32}", lambda match: match[1] + "0" * 32,
                      read("conf/twilio-verify.conf"))
        self.assertRegex(self.verdict(text),
                         r"^misconfigured: (directory )?/etc/security/twilio-verify\.d/")

    def test_settings_with_every_optional_key_are_accepted(self):
        text = re.sub(r"(VA|AC|SK)x{32}", lambda match: match[1] + "0" * 32,
                      re.sub(r"(?m)^(\s*)# (\w+ = .*;)$", r"\1\2", read("conf/twilio-verify.conf")))
        self.assertRegex(text, r"(?m)^    proxy = ")
        self.assertRegex(self.verdict(text),
                         r"^misconfigured: (directory )?/etc/security/twilio-verify\.d/")

    def test_pam_facts_explains_each_word_that_its_parser_knows(self):
        source = read("pam_module/admin/lint/facts.c")
        words = re.findall(r'(?:\{|\] =) "(\w+)"[,} ]', source)
        keys = re.findall(r'(?:\{ |word, )"(\w+)="', source)
        self.assertEqual((len(words), len(keys)), (10, 8))
        head = "".join(line for line in read("conf/pam-facts").splitlines(keepends=True)
                       if line.startswith("#"))
        for word in words:
            self.assertRegex(head, rf"(?m)^#     {word} ")
        for key in keys:
            self.assertRegex(head, rf"(?m)^#     {key}=|{key}=[A-Z]")

    def test_defaults_of_the_sample_are_those_of_the_parser(self):
        source = read("pam_module/core/settings.c")
        sample = read("conf/twilio-verify.conf")
        numbers = re.findall(r'MEMBER\("\w+", (\w+)\),\s*\.type = KEY_NUMBER,\s*\.number = (\d+)',
                             source)
        texts = re.findall(r'MEMBER\("\w+", (\w+)\),\s*KEY_SIZED\([^)]*\),\s*\.text = ("[^"]*")',
                           source)
        self.assertEqual((len(numbers), len(texts)), (3, 2))
        for name, value in numbers + texts:
            self.assertIn(f"    {name} = {value};\n", sample)

    def test_the_manual_names_what_a_login_needs_of_each_limit(self):
        rows = re.findall(r'{ RLIMIT_\w+, "(\w+)", "\w+", .*?,\s(\S.*?) },',
                          read("pam_module/check/limits.c"))
        self.assertEqual(len(rows), 16)
        sizes = {"(rlim_t)": "", "MEBIBYTE": str(1 << 20), "KIBIBYTE": str(1 << 10)}
        needed = {}
        for name, need in rows:
            for word, size in sizes.items():
                need = need.replace(word, size)
            needed[name] = math.prod(int(factor) for factor in need.split(" * "))
        named = re.findall(r"\|  RLIMIT_(\w+)\n:  Limit\1=\n:  (\d+)",
                           read("pam_module/check/twilio-verify-check.8.scd"))
        self.assertEqual({name: int(need) for name, need in named},
                         {name: need for name, need in needed.items() if need > 0})

    def test_examples_of_the_manual_are_accepted(self):
        page = read("pam_module/core/twilio-verify.conf.5.scd")
        blocks = re.findall(r"(?ms)^\t(?:service|login) = \{.*?^\};", page)
        self.assertEqual(len(blocks), 2)
        self.assertRegex(self.verdict("\n".join(blocks).replace("++\n", "\n")),
                         r"^misconfigured: (directory )?/etc/security/twilio-verify\.d/")

    def verdict(self, settings):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "twilio-verify.conf")
            path.write_text(settings, encoding="utf-8")
            path.chmod(0o640)
            done = subprocess.run([CHECK, "--settings", path], input="login 2 sshd nobody\n",
                                  capture_output=True, text=True, timeout=10, check=True)
            return done.stdout
