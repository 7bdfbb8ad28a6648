# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""explain: what a login would be, and why."""

import json
import os
import shutil
import subprocess
import unittest

from kit.fixture import BUILD, CHECK, MODULE, enroll
from kit.admincase import OK, USAGE, WRONG, AdminCase

IDENTITY = "8d3c5a52-4c0f-4b60-9a44-6f1c5b0d7e11"
FACTOR_SID = "YF" + "0123456789abcdef" * 2
UNKNOWN = "no-such-account"
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


class ExplainCase(AdminCase):

    def explain(self, user="root", service="sshd", *options, prefix=()):
        """(status, {subject: (level, text, remedy)})."""
        done = self.run_tool("explain", user, "--service", service, "--json", *options,
                             prefix=prefix)
        self.assertEqual(done.err, "")
        rows = json.loads(done.out)
        self.assertEqual(len({row["subject"] for row in rows}), len(rows))
        return done.status, {row["subject"]: (row["level"], row["text"], row.get("remedy"))
                             for row in rows}

    def line_of(self, key):
        lines = self.settings.read_text().splitlines()
        return next(n for n, line in enumerate(lines, 1) if line.strip().startswith(key))


class Pushes(ExplainCase):
    """A user with a push factor."""

    def setUp(self):
        super().setUp()
        self.pam = self.directory / "pam.d"
        self.pam.mkdir()
        lines = ("auth requisite pam_twilio_verify.so split=6\n",
                 "auth requisite pam_unix.so use_first_pass\n",
                 "auth required pam_twilio_verify.so\n")
        (self.pam / "ftp").write_text("".join(lines))
        (self.pam / "sshd").write_text("".join(lines[1:]))

    def explain_push(self, service, has_codes):
        path = enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        text = path.read_text() if has_codes else f'identity = "{IDENTITY}";\n'
        path.write_text(text + f'push_factor_sid = "YF{"7" * 32}";\n')
        return self.explain("root", service, "--pam-dir", self.pam)

    def test_it_says_where_a_push_can_be_asked(self):
        for has_codes, word in ((True, "code"), (False, "push")):
            with self.subTest(has_codes):
                status, report = self.explain_push("sshd", has_codes)
                self.assertEqual(status, OK)
                self.assertIn("Number on your phone", report["push"][1])
                self.assertEqual(report["verdict"][:2], ("ok", f"root is asked for a {word}"))

    def test_it_says_where_password_and_code_share_a_field(self):
        status, report = self.explain_push("ftp", True)
        self.assertEqual((status, report["push"][0], report["verdict"][1]),
                         (OK, "note", "root is asked for a code"))
        status, report = self.explain_push("ftp", False)
        self.assertEqual((status, report["push"][0], report["verdict"][1]),
                         (WRONG, "wrong", "root is refused: PAM_AUTH_ERR"))
        self.assertEqual(report["push"][2], "twilio-verify enroll --replace root")
        self.assertIn("this user has no factor for codes", report["push"][1])
        self.assertIn("the last 6 digits of the password", report["question"][1])


class Rules(ExplainCase):

    def said(self, user, service, prefix=()):
        """What the check program says, where somebody who is asked goes away."""
        done = subprocess.run([*prefix, CHECK, "--settings", self.settings], text=True, timeout=20,
                              input=f"login 2 {service} {user}\n", capture_output=True, check=True)
        return done.stdout.splitlines()

    def test_it_says_of_every_rule_what_the_check_program_does(self):
        enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        asked = "ask-secret Verification code: "
        rows = {
            ("root", "sshd", "deny"): (OK, "enrolled: ", asked),
            ("root", "sshd", "ignore"): (OK, "enrolled: ", asked),
            **{("root", service, "deny"): (OK, "enrolled: ", asked)
               for service in ("cockpit", "openvpn", "xrdp-sesman")},
            ("root", "cron", "deny"): (OK, "exempt_services (", "not-required: "),
            ("daemon", "cron", "deny"): (OK, "exempt_services (", "not-required: "),
            ("daemon", "sshd", "ignore"): (OK, "unmapped_user = ", "not-required: "),
            ("daemon", "sshd", "deny"): (WRONG, "unmapped_user = ", asked),
            (UNKNOWN, "sshd", "ignore"): (WRONG, "unmapped_user = ", asked),
            (UNKNOWN, "sshd", "deny"): (WRONG, "unmapped_user = ", asked),
            ("..", "sshd", "ignore"): (WRONG, "unmapped_user = ", asked),
        }
        for (user, service, unmapped), (status, rule, line) in rows.items():
            with self.subTest([user, service, unmapped]):
                self.settings = self.configure(login={"unmapped_user": unmapped,
                                                      "exempt_services": ["atd", "cron"]})
                found, report = self.explain(user, service)
                self.assertEqual((found, report["rule"][1][:len(rule)]), (status, rule))
                said = self.said(user, service)
                self.assertTrue(said[0].startswith(line), said)
                self.assertEqual("question" in report, line == asked)
                self.assertEqual("approved" in report, rule == "enrolled: ")
                self.assertEqual("not-required" in report, line != asked)
        self.assertFalse(any(self.operations().values()))

    def test_a_name_like_an_option_is_a_name_in_a_remedy(self):
        done = self.run_tool("explain", "--service", "sshd", "--", "-x")
        self.assertIn("; getent passwd -- -x\n", done.out)

    @needs_root
    def test_another_name_of_an_enrolled_uid_is_the_same_person(self):
        first = "frank:x:4711:4711::/:/bin/sh"
        second = "frank2:x:4711:4711::/:/bin/sh"
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        enroll(self.directory, "frank", IDENTITY, FACTOR_SID)
        prefix = self.with_accounts(first, second)
        status, report = self.explain("frank2", prefix=prefix)
        self.assertEqual((status, report["rule"][1]),
                         (OK, f"enrolled: {self.users / 'frank.conf'}"))
        self.assertIn('"frank2" is another name of the account frank', report["name"][1])
        self.assertEqual(self.said("frank2", "sshd", prefix)[0], "ask-secret Verification code: ")
        prefix = self.with_accounts(second, first)  # frank is found by its own name alone
        self.assertIn("not-required", self.explain("frank2", prefix=prefix)[1])
        self.assertTrue(self.said("frank2", "sshd", prefix)[0].startswith("not-required"))

    def test_it_names_file_identity_factor_and_question(self):
        path = enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        self.settings = self.configure(login={"prompt": "Code? ", "attempts": 2,
                                              "create_challenge": "with_code"})
        status, report = self.explain()
        self.assertEqual(status, OK)
        self.assertEqual(report["settings"][0], "ok")
        self.assertIn(str(self.settings), report["settings"][1])
        self.assertEqual(report["rule"][:2], ("ok", f"enrolled: {path}"))
        self.assertEqual(report["enrollment"][1], f"identity {IDENTITY}, factor {FACTOR_SID}")
        self.assertIn('"Code? ", up to 2 times', report["question"][1])
        self.assertIn('create_challenge = "with_code"', report["challenge"][1])
        self.assertEqual(report["verdict"][:2], ("ok", "root is asked for a code"))

    def test_a_rule_is_named_with_its_line_or_as_the_default(self):
        self.settings = self.configure(login={"unmapped_user": "ignore",
                                              "exempt_services": ["cron"]})
        for user, service, key in (("daemon", "cron", "exempt_services"),
                                   ("daemon", "sshd", "unmapped_user")):
            _, report = self.explain(user, service)
            self.assertIn(f"{self.settings}:{self.line_of(key)}", report["rule"][1])
        self.settings = self.configure()
        _, report = self.explain("daemon", "sshd")
        self.assertIn(f"the default; {self.settings} does not set it", report["rule"][1])

    def test_somebody_who_is_not_enrolled_is_refused_and_the_remedy_is_a_command(self):
        status, report = self.explain("daemon")
        self.assertEqual((status, report["verdict"][0]), (WRONG, "wrong"))
        self.assertEqual(report["rule"][2], "twilio-verify enroll daemon")
        self.assertEqual(self.explain(UNKNOWN)[1]["rule"][2], f"getent passwd {UNKNOWN}")
        self.run_tool("enroll", "daemon", "--uri-only", status=OK)
        self.assertEqual(self.explain("daemon")[1]["rule"][2], "twilio-verify confirm daemon")
        done = self.run_tool("recovery-codes", "daemon")
        self.assertIn("daemon is not enrolled: twilio-verify confirm daemon", done.err)

    @needs_root
    def test_a_program_that_is_not_root_can_not_use_roots_settings(self):
        enroll(self.directory, "daemon", IDENTITY, FACTOR_SID)
        for service, account in (("nginx", "www-data"), ("i3lock", "daemon")):
            with self.subTest(service):
                for path in (self.directory, *self.directory.rglob("*")):
                    shutil.chown(path, "root", "root")
                self.settings = self.configure()
                status, report = self.explain("daemon", service)
                self.assertEqual((status, report["host"][0], report["verdict"][1]),
                                 (WRONG, "wrong", "daemon is refused before a question until you correct this: "
                                                  "PAM_SERVICE_ERR"))
                self.assertIn(f"the program of {service} runs as {account}, which cannot use "
                              f"{self.settings}: {self.settings}: Permission denied",
                              report["host"][1])
                self.assertIn(f"leave the module out of it, or give it settings of its own with "
                              f"conf=, in files of {account}", report["host"][2])
                self.assertNotIn("question", report)
                for path in (self.directory, *self.directory.rglob("*")):
                    shutil.chown(path, account, account)
                self.assertEqual(self.explain("daemon", service)[1]["verdict"][1],
                                 "daemon is asked for a code")
        self.assertNotIn("host", self.explain("daemon", "sshd")[1])

    def test_a_service_is_known_by_small_letters_as_libpam_has_them(self):
        self.settings = self.configure(login={"exempt_services": ["cron"]})
        status, report = self.explain("root", "CRON")
        self.assertEqual((status, report["verdict"][1]),
                         (OK, "root needs no code: PAM_IGNORE"))

    def test_the_rhost_decides_nothing(self):
        enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        _, without = self.explain()
        status, report = self.explain("root", "sshd", "--rhost", "192.0.2.7")
        self.assertEqual(status, OK)
        self.assertRegex(report.pop("rhost")[1], "^192.0.2.7 has no effect .* pam_access")
        self.assertEqual(report, without)


class Wrong(ExplainCase):

    def assert_refused(self, subject, text):
        status, report = self.explain()
        self.assertEqual(status, WRONG)
        self.assertEqual(report[subject][0], "wrong")
        self.assertIn(text, report[subject][1])
        self.assertEqual(report["verdict"][0], "wrong")
        self.assertIn("PAM_SERVICE_ERR", report["verdict"][1])

    def test_what_refuses_everybody_is_named(self):
        path = enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        path.chmod(0o666)
        self.assert_refused("enrollment", "users/root.conf is writable by others: chmod go-w it")
        path.chmod(0o640)
        path.write_text("identity = 7;\n")
        self.assert_refused("enrollment", "users/root.conf:1: identity must be")
        enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        self.users.chmod(0o777)
        self.assert_refused("enrollment", f"directory {self.users} is writable by others")
        self.users.chmod(0o755)
        (self.directory / "api-key").chmod(0o644)
        self.assert_refused("secret", "readable by others: chmod 0600 it")
        self.settings = self.configure(check={"run_as": UNKNOWN})
        self.assert_refused("run_as", "does not exist")
        self.settings = self.configure(check={"run_as": "root"})
        self.assert_refused("run_as", "has the user or the group of root")
        self.settings = self.configure(login={"attempts": 9})
        self.assert_refused("settings",
                            f"{self.settings}:{self.line_of('attempts')}: login.attempts must be")

    def test_a_call_without_a_service_is_refused(self):
        for options in ([], ["--service", ""], ["--service", "x" * 65]):
            self.run_tool("explain", "root", *options, status=USAGE, out="", says="--service")


class Codes(ExplainCase):
    """The table of the tool against the module itself."""

    def module_code(self, steps, *options):
        script = self.directory / "script"
        script.write_text("".join(f"{step}\n" for step in steps))
        for name in ("sshd", "other"):
            (self.directory / name).write_text("auth required pam_permit.so\n")
        done = subprocess.run(
            [BUILD / "pam-driver", "--confdir", self.directory, "--service", "sshd", "--user",
             "root",
             "--module", MODULE, "--argument", f"conf={script}",
             "--argument", f"helper={BUILD / 'fake-check'}", *options],
            capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)["calls"][0]["code"]

    def test_every_outcome_has_the_code_that_the_module_returns(self):
        enroll(self.directory, "root", IDENTITY, FACTOR_SID)
        self.settings = self.configure(login={"exempt_services": ["cron"]})
        codes = {}
        for user, service in (("root", "sshd"), ("daemon", "sshd"), ("root", "cron")):
            for subject, (_, text, _) in self.explain(user, service)[1].items():
                if text.startswith("PAM_"):
                    codes.setdefault(subject, set()).add(text.split(":")[0])

        outcomes = ["approved", "denied", "exhausted", "misconfigured", "not-required",
                    "unavailable"]
        expected = {outcome: {self.module_code(["read", f"send {outcome}"])}
                    for outcome in outcomes}
        expected["broken"] = {self.module_code(["read", "exit 1"])}
        expected["unanswered"] = {self.module_code(["read", "send ask-secret ?", "expect-eof"],
                                                   "--conversation", "fail")}
        self.assertEqual(codes, expected)
