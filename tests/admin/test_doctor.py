# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""doctor: finds what is wrong, names the remedy, and creates no challenge."""

import pathlib
import signal
import subprocess
import time
import unittest

from kit.admincase import ENVIRONMENT, OK, PATIENCE_SECONDS, USAGE, WRONG, eventually
from kit.doctorcase import IS_ROOT, DoctorCase, load_tests, needs_root
from kit.fixture import CHECK, copy_program
from kit.pamcase import STOCK
from kit.parallel import at_once


class WaysRound(DoctorCase):

    def test_that_nothing_calls_the_module_yet_is_a_note(self):
        (self.pam / "common-auth").write_text(STOCK["common-auth"])
        self.assert_finds("pam", "no service calls the module", level="note", status=OK)
        done = self.run_tool("check-pam", "--pam-dir", self.pam, status=WRONG)
        self.assertIn("wrong    pam: no service calls the module", done.out)

    def test_a_line_that_ends_the_stack_before_the_module_is_named(self):
        (self.pam / "sudo").write_text("auth sufficient pam_permit.so\n@include common-auth\n")
        self.assert_finds("sudo", "sudo:1")

    def test_root_by_pam_rootok_is_not_everybody_who_is_not_enrolled(self):
        self.settings.write_text(self.settings.read_text().replace(
            "login = {", 'login = {\n  unmapped_user = "ignore";'))
        report = self.assert_finds("su", "who is not enrolled logs in without a code",
                                   level="warning", status=OK)
        self.assertEqual([row[0] for row in report["su"]], ["note", "warning"])

    def test_damaged_settings_hide_no_way_round(self):
        self.settings.write_text("service = {")
        (self.pam / "sudo").write_text("auth sufficient pam_permit.so\n@include common-auth\n")
        self.assert_finds("sudo", "sudo:1")


class Good(DoctorCase):

    def test_everything_is_good(self):
        status, report = self.doctor("root")
        self.assertEqual(status, OK, report)
        self.assertLessEqual(self.levels(report), {"ok", "note", "warning"})
        self.assertEqual([row[0] for row in report["sudo"]], ["ok"])
        self.assertEqual(report["verdict"], [("ok", "root can log in", "")])
        texts = {subject: rows[-1][1] for subject, rows in report.items()}
        self.assertIn(str(self.settings), texts["settings"])
        self.assertIn("1 of 1 files can be used", texts["enrollments"])
        self.assertIn(f"identity {self.factor.identity}", texts["user"])
        self.assertIn("is verified", texts["factor"])
        self.assertIn("its certificate is valid", texts["TLS"])
        self.assertEqual(texts["dry run"], "root is asked for a code")
        self.assertIn("it connects to", texts["from the sandbox"])
        if IS_ROOT:
            self.assertRegex(texts["privileges"], "at the question it runs as nobody, without groups")

    def test_without_a_user_it_is_about_everybody(self):
        status, report = self.doctor()
        self.assertEqual((status, report["verdict"][0][1]),
                         (OK, "the enrolled users can log in"))
        self.assertFalse({"user", "factor", "dry run"} & set(report))

    def test_for_a_person_it_is_a_line_for_each_finding_and_ends_with_the_verdict(self):
        done = self.run_tool(*self.words("root"))
        self.assertEqual((done.status, done.err), (OK, ""))
        lines = done.out.splitlines()
        self.assertEqual(lines[-1], "ok       verdict: root can log in")
        for line in lines:
            self.assertRegex(line, r"^(ok|note|warning) +[A-Za-z_. -]+: ")

    def test_it_writes_nothing(self):
        def tree():
            return {path: (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns)
                    for path in (self.directory, *self.directory.rglob("*"))}
        before = tree()
        self.doctor("root")
        self.assertEqual(tree(), before)

    def test_a_host_name_is_looked_up(self):
        self.settings = self.configure(
            service={"base_url": self.emulator.url.replace("127.0.0.1", "localhost")})
        self.assert_finds("name", "localhost has", level="ok", status=OK)

    def test_paths_have_to_be_absolute_as_for_the_module(self):
        for words in (["--helper", "check"], ["--module", "./module.so"]):
            self.run_tool("doctor", *words, status=USAGE, out="", says="absolute")


class DryRun(DoctorCase):

    def test_it_asks_twilio_nothing(self):
        def paths(*words):
            since = len(self.emulator.requests())
            self.doctor(*words)
            return [request.path.split("/")[3::2] for request in self.emulator.requests()[since:]]
        self.assertEqual([len(path) for path in paths()], [1])  # the service
        self.assertEqual([len(path) for path in paths("root")], [1, 3])  # and the factor

    def test_no_challenge_whatever_the_settings_and_however_often(self):
        for login in ({"create_challenge": "at_prompt"}, {"create_challenge": "with_code"},
                      {"attempts": 1}, {"attempts": 5, "code_length": 8},
                      {"unmapped_user": "ignore"}):
            with self.subTest(login):
                self.settings = self.configure(login=login)
                at_once(self.doctor, 5 * [("root",)])
        self.assertEqual(self.operations()["create"], 0)

    def test_what_it_sends_first_keeps_the_check_program_from_creating_one(self):
        """Even where the tool is stopped right after, and never hangs up."""
        with subprocess.Popen([CHECK, "--settings", self.settings], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as check:
            check.stdin.write(b"login 2 twilio-verify-doctor root\n-\n")
            check.stdin.flush()
            for _ in range(2):
                self.assertTrue(check.stdout.readline().startswith(b"ask-secret "))
            time.sleep(0.5)
            self.assert_nothing_was_changed()
            check.stdin.close()
        self.assert_nothing_was_changed()

    def script(self, text):
        """In place of the check program."""
        path = self.paths["--helper"] = self.directory / "script"
        path.with_name("text").write_text("#!/bin/sh\n" + text)
        copy_program(path.with_name("text"), path)
        path.chmod(0o755)

    def test_it_answers_before_the_question_with_a_malformed_code(self):
        self.script(f"""read -r login; echo "$login" >>{self.directory}/heard
case $login in *" root") read -r answer; echo "$answer" >>{self.directory}/heard ;; esac
echo "ask-secret Code: "; while read -r answer; do echo "ask-secret Code: "; done
""")
        self.assertEqual(self.doctor("root")[1]["dry run"][0][0], "ok")
        self.assertEqual((self.directory / "heard").read_text().splitlines(),
                         ["login 2 twilio-verify-doctor /", "login 2 twilio-verify-doctor root",
                          "-"])

    def test_it_starts_the_check_program_without_an_environment_and_with_the_settings_alone(self):
        self.script(f"""tr '\\0' '\\n' </proc/$$/environ >{self.directory}/environment
tr '\\0' ' ' </proc/$$/cmdline >{self.directory}/words; read -r login; echo "ask-secret Code: "
while read -r answer; do echo "ask-secret Code: "; done
""")
        self.doctor("root")
        self.assertEqual((self.directory / "environment").read_text(), "")
        self.assertEqual((self.directory / "words").read_text().split()[1:],
                         [str(self.directory / "script"), "--settings", str(self.settings)])

    @needs_root
    def test_a_check_program_that_stays_root_is_found(self):
        self.script("""read -r login; echo "ask-secret Code: "
while read -r answer; do echo "ask-secret Code: "; done
""")
        report = self.assert_finds("privileges", "it does not run as nobody alone", user=None)
        self.assertEqual(report["seccomp"][0][0], "warning")
        self.assertNotIn("active", report["Landlock"][0][1])

    @unittest.skipUnless(pathlib.Path("/proc/sys/kernel/seccomp").exists(), "no seccomp here")
    def test_the_real_one_has_a_sandbox(self):
        report = self.doctor()[1]
        self.assertEqual(report["seccomp"], [("ok", "the filter is active", "")])
        self.assertRegex(report["Landlock"][0][1], r"^the sandbox is active, version \d+$"
                         if report["Landlock"][0][0] == "ok" else "not")

    def test_with_one_attempt_the_connection_does_not_show(self):
        self.settings = self.configure(login={"attempts": 1})
        self.assert_finds("from the sandbox", "cannot show", level="note", status=OK)

    def test_what_the_check_program_says_is_told(self):
        self.paths["--helper"] = "/bin/false"
        self.assert_finds("start", "ended without a verdict")

    def test_ctrl_c_ends_it_at_once(self):
        self.settings = self.configure(service={"timeout_seconds": 30})
        self.emulator.control("fault no-answer on service-fetch")
        requests = self.emulator.stats()["requests"]
        with subprocess.Popen(self.command(*self.words("root")), env=ENVIRONMENT,
                              stdout=subprocess.DEVNULL) as tool:
            self.assertTrue(eventually(lambda: self.emulator.stats()["requests"] > requests))
            tool.send_signal(signal.SIGINT)
            self.assertEqual(tool.wait(PATIENCE_SECONDS), -signal.SIGINT)
        self.assert_nothing_was_changed()
