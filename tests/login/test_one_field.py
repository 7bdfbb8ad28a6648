#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Password and code in one field: sshd's method "password"."""

import pathlib
import statistics
import subprocess
import time
import unittest

from logincase import (AWAY, CREATED, VERIFIED, LoginCase, Nobody, at_once, machine, setUpModule)
from kit.machine import read_recipe, run

METHOD = ("PasswordAuthentication yes", "KbdInteractiveAuthentication no",
          "AuthenticationMethods password", "PermitEmptyPasswords yes", "MaxAuthTries 20")
RECIPE = [line for line in read_recipe("one-field").splitlines() if line.startswith("auth")]
REST = "\naccount required pam_unix.so\nsession required pam_permit.so\n"
CONNECTIONS, TRIES = 10, 10  # 100 logins of each kind


def install(service, *lines):
    """The recipe, but without the delay of pam_unix; or the LINES of auth."""
    lines = lines or [line.replace("use_first_pass", "use_first_pass nodelay") for line in RECIPE]
    pathlib.Path("/etc/pam.d", service).write_text("\n".join(lines) + REST)


class FieldCase(LoginCase):
    """One field of ssh(1), which a program answers."""

    SERVICE = "sshd-field"

    @classmethod
    def setUpClass(cls):
        install(cls.SERVICE)
        cls.server = cls.sshd(*METHOD, service=cls.SERVICE)
        cls.askpass = pathlib.Path("/run/askpass")
        cls.askpass.write_text('#!/bin/sh\nread -r n <"$FIELDS.n"\necho $((n + 1)) >"$FIELDS.n"\n'
                               'sed -n "${n}p" "$FIELDS"\n')
        cls.askpass.chmod(0o755)

    def ssh_by(self, person, *fields, server=None, refusal="Permission denied"):
        """Whether PERSON gets in by one of FIELDS, each of them a try of one connection."""
        answers = pathlib.Path(f"/run/fields-{person.name}")
        answers.write_text("".join(field + "\n" for field in fields))
        answers.with_name(answers.name + ".n").write_text("1\n")
        command = (server or self.server).command(
            person.name, "id", "-un", options=("-o", f"NumberOfPasswordPrompts={len(fields)}", "-o",
                                               "PreferredAuthentications=password"))
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, env={"PATH": "/usr/bin:/bin", "FIELDS": str(answers),
                                                "SSH_ASKPASS": str(self.askpass),
                                                "SSH_ASKPASS_REQUIRE": "force"})
        if done.returncode == 0:
            self.assertEqual(done.stdout, f"{person.name}\n")
        else:
            self.assertIn(refusal, done.stderr)
        return done.returncode == 0

    def outcomes(self, person, count):
        return [(line.level, line.text.partition("outcome=")[2].split()[0])
                for line in person.log(count) if "outcome=" in line.text]

    def assert_unsent(self, person, field, **options):
        """The login is refused, and nothing of it leaves this host."""
        self.assertFalse(self.ssh_by(person, field, **options))
        self.assert_requests(person)
        self.assert_no_secret(person)


@at_once
class Passwords(FieldCase):
    def test_the_right_password_and_code_let_in(self):
        person = machine.person("field")
        self.assertTrue(self.ssh_by(person, person.password + person.code))
        self.assertEqual(self.outcomes(person, 1), [("INFO", "approved")])
        self.assert_requests(person, CREATED, VERIFIED)
        self.assert_no_secret(person)

    def test_a_wrong_code_is_sent_once_and_refused(self):
        person = machine.person("fieldwrong")
        self.assertFalse(self.ssh_by(person, person.password + person.wrong_code))
        self.assertEqual(self.outcomes(person, 1), [("NOTICE", "denied")])
        self.assertIn('reason="no valid code in 1 attempt; challenge=', person.log(1)[0].text)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_wrong_password_sends_nothing_and_asks_no_check_program(self):
        person = machine.person("fieldpassword")
        self.assert_unsent(person, "x" + person.password + person.code)
        self.assertEqual(person.log(0), [])

    def test_a_password_without_a_code_is_denied_and_sends_nothing(self):
        person = machine.person("fieldnone")
        self.assert_unsent(person, person.password)
        self.assertIn('outcome=denied reason="left at the question; the password ended in no code"',
                      person.log(1)[0].text)

    def test_passwords_that_end_in_digits_or_are_digits_alone(self):
        for password in ("hunter271828", "hunter2", "271828", "2718", "27182818"):
            with self.subTest(password):
                person = machine.person("fielddigits", password=password)
                self.assertTrue(self.ssh_by(person, password + person.code))
                sent = person.requests()
                self.assertFalse(self.ssh_by(person, password))
                self.assertEqual(person.requests(), sent)

    def test_an_empty_field_is_refused(self):
        self.assert_unsent(machine.person("fieldempty"), "")

    def test_an_account_without_a_password_gets_in_by_nothing(self):
        person = machine.person("fieldblank")
        run("usermod", "--password", "", person.name)
        for field in ("", person.code, "x" + person.code):
            with self.subTest(field):
                self.assert_unsent(person, field)

    def test_retries_have_a_password_and_a_code_of_their_own(self):
        person = machine.person("fieldretry")
        wrong = person.wrong_code
        self.assertTrue(self.ssh_by(person, "x" + wrong, person.password + wrong,
                                    person.password, person.password + person.code))
        self.assertEqual(self.outcomes(person, 4), [("NOTICE", "denied"), ("NOTICE", "denied"),
                                                    ("INFO", "approved")])
        self.assert_no_secret(person)

    def test_a_code_does_not_count_for_a_later_try(self):
        """The first try ends at the password."""
        person = machine.person("fieldlater")
        self.assertFalse(self.ssh_by(person, "x" + person.code, person.password))
        self.assert_requests(person)

    def test_a_recovery_code_does_not_fit(self):
        person = machine.person("fieldrecovery")
        shown = run("twilio-verify", "recovery-codes", person.name)
        code = next(line.strip() for line in shown.splitlines() if line.count("-") == 2)
        self.assert_unsent(person, person.password + code)

    def test_a_user_who_is_not_enrolled_is_denied(self):
        person = machine.person("fieldstranger", is_enrolled=False)
        for field in (person.password, person.password + "314159"):
            self.assertFalse(self.ssh_by(person, field))
        self.assertEqual(self.outcomes(person, 2), [("NOTICE", "denied")] * 2)
        self.assert_nothing_sent_but_for_the_enrolled()

    def test_a_bypass_needs_the_password_alone(self):
        person = machine.person("fieldbypass")
        run("twilio-verify", "bypass", person.name, "--for", "5m", "--reason", "test")
        self.assertTrue(self.ssh_by(person, person.password))
        self.assertTrue(self.ssh_by(person, person.password + "314159"))
        self.assertFalse(self.ssh_by(person, "x" + person.password))
        self.assert_requests(person)

    def test_a_locked_account_is_refused_and_sends_nothing(self):
        person = machine.person("fieldlocked")
        run("usermod", "--lock", person.name)
        self.assert_unsent(person, person.password + person.code)

    def test_an_expired_account_is_refused_by_the_account(self):
        person = machine.person("fieldexpired")
        run("chage", "--expiredate", "1", person.name)
        self.assertFalse(self.ssh_by(person, person.password + person.code,
                                     refusal="Your account has expired"))
        self.assertEqual(self.outcomes(person, 1), [("INFO", "approved")])

    def test_unknown_names_are_refused_like_others(self):
        nobody = Nobody("nosuchname")
        for field in ("secret", "secret314159", "", "314159"):
            with self.subTest(field):
                self.assertFalse(self.ssh_by(nobody, field))
        self.assertEqual(nobody.log(0), [])
        self.assert_nothing_sent_but_for_the_enrolled()

    def test_the_first_factor_may_be_debians(self):
        service = "sshd-common"
        install(service, RECIPE[0], "@include common-auth", RECIPE[2])
        server = self.sshd(*METHOD, service=service)
        person = machine.person("fieldcommon")
        self.assertTrue(self.ssh_by(person, person.password + person.code, server=server))
        other = machine.person("fieldcommon")
        self.assert_unsent(other, other.password, server=server)
        self.assert_unsent(other, "x" + other.password + other.code, server=server)

    def test_faillock_counts_wrong_passwords_and_no_wrong_codes(self):
        service = "sshd-faillock"
        faillock = "pam_faillock.so deny=3 fail_interval=900 dir=/run/faillock"
        install(service, f"auth required {faillock} preauth", RECIPE[0],
                "auth [success=1 default=bad] pam_unix.so use_first_pass nodelay",
                f"auth [default=die] {faillock} authfail", f"auth required {faillock} authsucc",
                RECIPE[2])
        server = self.sshd(*METHOD, service=service)
        person = machine.person("fieldfaillock")
        wrong = person.wrong_codes
        self.assertTrue(self.ssh_by(person, *(person.password + code for code in wrong),
                                    person.password + person.code, server=server))
        sent = person.requests()
        self.assertFalse(self.ssh_by(person, "x", "y", "z", person.password + person.next_code,
                                     server=server))
        self.assertEqual(person.requests(), sent)


class Policies(FieldCase):
    """One after another: these change the settings."""

    def setUp(self):
        self.addCleanup(machine.configure)

    def test_a_user_who_needs_no_code_types_the_password_alone(self):
        machine.configure(login='unmapped_user = "ignore";\n')
        person = machine.person("fieldignored", is_enrolled=False, password="hunter271828")
        self.assertFalse(self.ssh_by(person, "hunter271828"))
        self.assertTrue(self.ssh_by(person, "hunter271828314159"))
        person = machine.person("fieldignored", is_enrolled=False)
        self.assertTrue(self.ssh_by(person, person.password))
        enrolled = machine.person("fieldignored")
        self.assert_unsent(enrolled, enrolled.password)

    def test_an_account_without_a_password_needs_something_before_the_code(self):
        install("sshd-blank", *(line.replace("use_first_pass", "use_first_pass nullok")
                                for line in RECIPE))
        server = self.sshd(*METHOD, service="sshd-blank")
        person = machine.person("fieldblank")
        run("usermod", "--password", "", person.name)
        for field in ("", person.code):
            self.assert_unsent(person, field, server=server)
        self.assertTrue(self.ssh_by(person, "x" + person.code, server=server))

    def test_an_outage_is_unavailable_though_there_are_recovery_codes(self):
        person = machine.person("fieldoutage")
        run("twilio-verify", "recovery-codes", person.name)
        machine.configure(service=AWAY)
        self.assertFalse(self.ssh_by(person, person.password + person.code))
        self.assertEqual(self.outcomes(person, 1), [("ERR", "unavailable")])
        self.assertFalse(self.ssh_by(person, person.password))
        self.assertEqual(self.outcomes(person, 2)[1][1], "denied")

    def test_a_code_goes_along_with_the_challenge_where_the_settings_say_so(self):
        machine.configure(login='create_challenge = "with_code";\n')
        person = machine.person("fieldwithcode")
        self.assertTrue(self.ssh_by(person, person.password + person.code))
        self.assert_requests(person, CREATED)

    def test_another_length_refuses_every_code(self):
        machine.configure(login="code_length = 8;\n")
        person = machine.person("fieldlength")
        self.assert_unsent(person, person.password + person.code)
        self.assertIn("(1 malformed)", person.log(1)[0].text)


class Times(FieldCase):
    def test_an_unknown_user_takes_as_long_as_a_wrong_password(self):
        """What differs is what also differs without split=: pam_unix and sshd."""
        plain = "sshd-plain"
        install(plain, "auth required pam_unix.so nodelay")
        server = self.sshd(*METHOD, service=plain)
        people = (machine.person("fieldtime"), Nobody("fieldtimeless"))
        spent = {}
        for _ in range(CONNECTIONS):
            for kind, person in enumerate(people):
                for name, where in (("split", self.server), ("plain", server)):
                    began = time.monotonic()
                    self.assertFalse(self.ssh_by(person, *["wrong314159"] * TRIES, server=where))
                    spent.setdefault((name, kind), []).append(time.monotonic() - began)
        median = {which: statistics.median(times) for which, times in spent.items()}
        noise = max(statistics.median(abs(one - median[which]) for one in times)
                    for which, times in spent.items())
        self.assertAlmostEqual(median["split", 0] - median["split", 1],
                               median["plain", 0] - median["plain", 1], delta=4 * noise,
                               msg=(median, noise))


if __name__ == "__main__":
    unittest.main()
