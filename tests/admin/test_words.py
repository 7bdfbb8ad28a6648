# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""How the tool is called: its help, its manual page, what the shell completes, exit codes, colours."""

import os
import pathlib
import re
import subprocess
import unittest

import pexpect

from kit.admincase import BUILD, ENVIRONMENT, OK, PATIENCE_SECONDS, USAGE, WRONG, AdminCase

ADMIN = pathlib.Path(__file__).resolve().parents[2] / "pam_module" / "admin"
NOBODY = ("setpriv", "--reuid", "65534", "--clear-groups")


class Words(AdminCase):

    def test_help_names_every_verb_and_each_has_its_own(self):
        done = self.run_tool("--help")
        self.assertEqual((done.status, done.err), (OK, ""))
        verbs = re.findall(r"^  ([a-z-]+)(?: [A-Z\[].*?)? {2,}[A-Z]", done.out, re.MULTILINE)
        self.assertLessEqual({"enroll", "confirm", "list", "remove"}, set(verbs))
        for verb in verbs:
            with self.subTest(verb):
                done = self.run_tool(verb, "--help")
                self.assertEqual((done.status, done.err), (OK, ""))
                self.assertTrue(done.out.startswith(f"Usage: twilio-verify {verb} "), done.out)
        for line in done.out.splitlines():
            self.assertLessEqual(len(line), 100)

    def test_version(self):
        done = self.run_tool("--version")
        self.assertRegex(done.out, r"^twilio-verify \d+\.\d+\.\d+\n$")

    def test_no_verb_or_a_wrong_one_is_refused(self):
        for words, message in {(): "no command given", ("enrol",): 'unknown command "enrol"',
                               ("--bogus",): "--help", ("list", "somebody"): "no operand"}.items():
            with self.subTest(words):
                done = self.run_tool(*words, status=USAGE, out="", says=message)
                self.assertIn("--help", done.err)

    def test_settings_that_are_not_there_are_named(self):
        self.settings = "/nonexistent/twilio-verify.conf"
        for words in (["list"], ["enroll", "root"], ["remove", "root"]):
            self.run_tool(*words, status=WRONG, says="/nonexistent/twilio-verify.conf")

    def test_what_getopt_says_is_the_tools(self):
        for words in (["--bogus"], ["enroll", "--bogus"], ["enroll", "root", "--identity"]):
            done = self.run_tool(*words, status=USAGE)
            self.assertRegex(done.err, r"^twilio-verify: [^\n]*\ntwilio-verify: try: [^\n]*\n$")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_without_root_it_says_run_this_command_as_root(self):
        self.users.chmod(0o700)
        self.settings.chmod(0o644)
        for words in (["list"], ["list", "--missing"], ["status"], ["enroll", "root"],
                      ["remove", "root"], ["explain", "root", "--service", "sshd"], ["check-pam"],
                      ["doctor"]):
            with self.subTest(words):
                done = self.run_tool(*words, prefix=NOBODY, status=WRONG)
                self.assertIn("run this command as root", done.out + done.err)

    def test_colours_are_for_terminals_that_want_them(self):
        for environment, is_coloured in (({}, True), ({"NO_COLOR": ""}, True),
                                         ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            with self.subTest(environment):
                child = self.start("explain", "root", "--service", "sshd", environment=environment)
                self.finish(child)
                self.assertEqual("\x1b[" in child.before, is_coloured)
        self.assertNotIn("\x1b[", self.run_tool("explain", "root", "--service", "sshd").out)


class Foreign(AdminCase):
    """What others wrote never reaches root's terminal raw: C0, DEL, C1, bidirectional controls, and
    what is not UTF-8."""

    CONTROLS = "\x1b[2J\x07\x7f\u009b31m\u0085\u202e\u2066\u061c\u200e"
    BYTES = CONTROLS.encode() + b"\xff\xc2"

    def assert_harmless(self, *words, prefix=()):
        """And something of the name is shown."""
        done = subprocess.run([*prefix, *self.command(*words)], capture_output=True, timeout=60,
                              env=ENVIRONMENT, check=False)
        text = (done.stdout + done.stderr).decode()  # which is UTF-8
        self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e"
                                  "\u2066-\u2069]")
        self.assertIn("evil", text)

    def test_the_names_and_contents_of_files(self):
        name = b"evil" + self.BYTES
        for state in ("", ".pending", ".former"):
            (self.users / state).mkdir(mode=0o700, exist_ok=True)
            path = os.fsencode(self.users / state) + b"/" + name + b".conf"
            for text in ("x = 1;\n", f'identity = "{self.CONTROLS}";\n'):
                pathlib.Path(os.fsdecode(path)).write_text(text)
                self.assert_harmless("list")
                self.assert_harmless("list", "--json")
                self.assert_harmless("doctor")
                self.assert_harmless("doctor", "--json")

    def test_names_that_are_given(self):
        for words in (["enroll"], ["confirm"], ["recovery-codes"], ["remove"], ["bypass", "--end"],
                      ["explain", "--service", "sshd"], ["doctor"]):
            for name in (b"evil" + self.BYTES, b"/evil" + self.BYTES):
                self.assert_harmless(words[0], os.fsdecode(name), *words[1:])

    def test_files_of_pam(self):
        pam = self.directory / "pam.d"
        pam.mkdir()
        for text in (b"auth sufficient evil" + self.BYTES + b".so\n"
                     b"auth required pam_twilio_verify.so\n",
                     b"auth required pam_unix.so\nauth required pam_twilio_verify.so evil"
                     + self.BYTES + b"\n",
                     b"auth required pam_twilio_verify.so conf=/evil" + self.BYTES + b"\n"):
            (pam / "sudo").write_bytes(text)
            self.assert_harmless("check-pam", "--pam-dir", pam, "sudo")
            self.assert_harmless("check-pam", "--pam-dir", pam, "sudo", "--json")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_names_of_accounts(self):
        # A second name of the uid, whose own name is what others wrote.
        (self.users / "frank.conf").write_text(
            'identity = "01234567";\nfactor_sid = "YF%s";\n' % ("1" * 32))
        evil = f"evil{self.CONTROLS}"
        prefix = self.with_accounts(f"{evil}:x:4711:4711:{evil}:/:/bin/sh",
                                    "frank:x:4711:4711::/:/bin/sh")
        self.assert_harmless("doctor", prefix=prefix)


class Manual(AdminCase):

    def options(self, *verb):
        text = self.run_tool(*verb, "--help").out
        return set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE))

    def test_it_explains_every_verb_and_option_and_no_other(self):
        page = (ADMIN / "twilio-verify.8.scd").read_text()
        entries = dict(re.findall(r"^\*([a-z][a-z-]+)\*(.*\n(?:[^\t\n].*\n)*)",
                                  page.partition("# SETTING UP")[2], re.MULTILINE))
        verbs = re.findall(r"^  ([a-z][a-z-]+)", self.run_tool("--help").out, re.MULTILINE)
        self.assertEqual(set(entries), set(verbs))
        shared = {"--api-key-sid", "--api-key-file"}
        for verb, text in entries.items():
            with self.subTest(verb):
                options = self.options(verb)
                named = set(re.findall(r"--[a-z][a-z-]+", text))
                self.assertEqual(named | (shared & options), options)
        self.assertLessEqual(self.options(), set(re.findall(r"\*(--[a-z-]+)\*", page)))

    def test_it_names_every_field_of_json(self):
        page = (ADMIN / "twilio-verify.8.scd").read_text()
        for verb, source in (("list", "enroll/list.c"), ("status", "doctor/status.c")):
            table = re.search(r"columns\[\] = \{(.*?)\};", (ADMIN / source).read_text(), re.DOTALL)[1]
            fields = re.findall(r'"(\w+)"', table)
            self.assertGreater(len(fields), 8)
            text = page.partition(f"\n*{verb}*")[2].partition("\n*")[0]
            self.assertEqual([name for name in fields if f"_{name}_" not in text], [], verb)

    def test_it_describes_every_exit_code(self):
        page = (ADMIN / "twilio-verify.8.scd").read_text()
        codes = re.search(r"# EXIT STATUS\n(.*?)\n# ", page, re.DOTALL)[1]
        table = re.findall(r"COMMAND_\w+ = (\d),", (ADMIN / "desk/command.h").read_text())
        self.assertEqual(re.findall(r"^\*(\d)\*$", codes, re.MULTILINE), table)


class Completion(AdminCase):

    def complete(self, *words):
        script = ("source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _twilio_verify; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        path = f"{BUILD}:{ENVIRONMENT['PATH']}"
        done = subprocess.run(["bash", "-euc", script, ADMIN / "twilio-verify.bash",
                               "twilio-verify", *words], text=True, capture_output=True, check=True,
                              env=ENVIRONMENT | {"PATH": path})
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_verbs_and_options_are_those_of_the_help(self):
        verbs = re.findall(r"^  ([a-z][a-z-]+)", self.run_tool("--help").out, re.MULTILINE)
        self.assertEqual(self.complete(""), verbs)
        self.assertEqual(self.complete("enr"), ["enroll"])
        self.assertEqual(self.complete("--settings", "/x", "ch"), ["check-pam"])
        self.assertEqual(sorted(self.complete("--")), ["--help", "--settings", "--version"])
        self.assertEqual(self.complete("enroll", "root", "--re"), ["--replace"])
        self.assertEqual(self.complete("list", "--"), ["--help", *re.findall(
            r"^  (--[a-z-]+)", self.run_tool("list", "--help").out, re.MULTILINE)])

    def test_operands_are_users_services_and_files(self):
        self.assertIn("daemon", self.complete("enroll", "dae"))
        for verb in ("list", "setup", "status"):
            self.assertEqual(self.complete(verb, "dae"), [])
        self.assertIn("other", self.complete("check-pam", "oth"))
        self.assertIn("other", self.complete("enable", "oth"))
        self.assertEqual(self.complete("enable", "--first-factor", "k"), ["key"])
        self.assertIn("other", self.complete("explain", "root", "--service", "oth"))
        self.assertIn("/etc/passwd", self.complete("--settings", "/etc/passw"))

    def test_what_is_neither_a_path_nor_a_service_is_not_completed(self):
        paths = {"--service", "--api-key-file", "--import", "--sshd-config", "--sudoers", "--module",
                 "--helper", "--pam-dir"}
        count = 0
        for verb in re.findall(r"^  ([a-z][a-z-]+)", self.run_tool("--help").out, re.MULTILINE):
            for option in re.findall(r"^  (--[a-z-]+) [A-Z]", self.run_tool(verb, "--help").out,
                                     re.MULTILINE):
                count += 1
                with self.subTest([verb, option]):
                    self.assertEqual(self.complete(verb, option, "/et") != [], option in paths)
                    self.assertEqual(self.complete(verb, option, "dae"), [])
        self.assertGreater(count, 10)
        self.assertIn("daemon", self.complete("enroll", "--replace", "dae"))


class Shell(AdminCase):
    """The completion in a bash at a terminal: names of files and accounts hold commands."""

    def type(self, line, prefix=()):
        """Completes LINE in the directory of this test; returns the line that bash makes of it."""
        child = pexpect.spawn("sh", ["-c", 'exec "$@"', "sh", *prefix, "bash", "--norc",
                                     "--noprofile", "-i"], cwd=self.directory, encoding="utf-8",
                              timeout=PATIENCE_SECONDS, dimensions=(24, 400), env=ENVIRONMENT | {
                                  "PS1": "READY> ", "HISTFILE": "", "HOME": str(self.directory),
                                  "PATH": f"{BUILD}:{ENVIRONMENT['PATH']}", "TERM": "dumb"})
        self.addCleanup(child.close, force=True)
        for command in ("bind 'set enable-bracketed-paste off'",
                        f"source {ADMIN}/twilio-verify.bash"):
            child.expect_exact("READY> ")
            child.sendline(command)
        child.expect_exact("READY> ")
        child.send(line + "\t\x01printf '<%s>' \n")
        child.expect(r"(?s)<twilio-verify>.*READY> ")
        return re.findall("<(.*?)>", child.after)

    def test_a_name_of_the_disk_is_a_word_and_no_command(self):
        for name in ("conf$(touch X)", "conf`touch X`", "conf;touch X", "conf\n$(touch X)",
                     "conf'x\"y", "conf\\", "conf & touch X", "conf *"):
            with self.subTest(name):
                path = self.directory / name
                path.touch()
                words = self.type("twilio-verify --settings conf")
                if "\n" not in name:
                    self.assertEqual(words, ["twilio-verify", "--settings", name])
                self.assertFalse((self.directory / "X").exists())
                path.unlink()

    def test_a_directory_may_have_any_name_as_well(self):
        (self.directory / "pam$(touch X)").mkdir()
        self.assertEqual(self.type("twilio-verify doctor --pam-dir pam"),
                         ["twilio-verify", "doctor", "--pam-dir", "pam$(touch X)/"])
        self.assertFalse((self.directory / "X").exists())

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_the_name_of_an_account_is_a_word_and_no_command(self):
        prefix = self.with_accounts(r"frank$(touch X)\n:x:4711:4711::/:/bin/sh")
        self.assertEqual(self.type("twilio-verify enroll frank", prefix),
                         ["twilio-verify", "enroll", r"frank$(touch X)\n"])
        self.assertFalse((self.directory / "X").exists())

    def test_a_verb_is_not_a_pattern_or_a_list_of_words(self):
        (self.directory / "enroll").touch()
        self.assertEqual(self.type("twilio-verify enrol? --re"),
                         ["twilio-verify", "enroll", "--re"])
