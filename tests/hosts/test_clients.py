#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: putty-tools sshpass python3-paramiko
"""Clients of sshd: what they show, and how many questions and challenges a wrong code costs."""

import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import (CREATED, KEY_AND_CODE, LOCALHOST, PASSWORD_AND_CODE, VERIFIED, LoginCase,
                       machine, person_with_key, setUpModule, the_key)
from kit.machine import Terminal
from test_one_field import METHOD, install


def host_key(server):
    """As PuTTY wants it."""
    shown = subprocess.run(["ssh-keygen", "-l", "-f", server.folder / "host-key.pub"],
                           capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


def run_client(*command, **options):
    return subprocess.run([*map(str, command)], stdin=options.pop("stdin", subprocess.DEVNULL),
                          capture_output=True, text=True, check=False, timeout=60, **options)


class TwoQuestions(LoginCase):
    """Clients that show each question."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.server = cls.sshd(*PASSWORD_AND_CODE)

    def plink(self, person):
        return self.enterContext(Terminal("plink", "-ssh", "-P", str(self.server.port), "-hostkey",
                                          host_key(self.server), "-no-antispoof",
                                          f"{person.name}@{LOCALHOST}", "id", "-un"))

    def test_plink_shows_both_questions(self):
        person = machine.person("plink")
        terminal = self.plink(person)
        terminal.answer("Password: ", person.password)
        terminal.answer("Verification code: ", person.code)
        self.assertEqual(terminal.finish(), 0)
        self.assertEqual(terminal.text.splitlines()[-1], person.name)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_plink_shows_a_wrong_code_in_the_next_question(self):
        person = machine.person("plinkwrong")
        wrong = person.wrong_codes
        terminal = self.plink(person)
        terminal.answer("Password: ", person.password)
        terminal.answer("Verification code: ", wrong[0])
        terminal.answer("Wrong code. Verification code: ", person.code)
        self.assertEqual(terminal.finish(), 0)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED)

    def test_paramiko_is_asked_both(self):
        import paramiko
        person = machine.person("paramiko")
        asked = []

        def answer(_title, _instructions, prompts):
            asked.extend(prompt for prompt, _ in prompts)
            return [person.password if "Password" in prompt else person.code
                    for prompt, _ in prompts]

        transport = paramiko.Transport((LOCALHOST, self.server.port))
        self.addCleanup(transport.close)
        transport.connect()
        self.assertEqual(transport.auth_interactive(person.name, answer), [])
        self.assertEqual(asked, ["Password: ", "Verification code: "])
        self.assert_requests(person, CREATED, VERIFIED)

    def test_curl_answers_every_question_with_the_password(self):
        person = machine.person("curltwo")
        for field in (person.password, person.password + person.code):
            done = run_client("curl", "--silent", "--show-error", "--insecure", "--user",
                              f"{person.name}:{field}", f"sftp://{LOCALHOST}:{self.server.port}/")
            self.assertIn("Authentication failure", done.stderr)
        self.assertNotIn(VERIFIED, person.requests())
        self.assertIn("the answer was the password", person.log(1)[0].text)

    def test_sshpass_types_one_password_and_leaves_at_the_code(self):
        person = machine.person("sshpasstwo")
        done = run_client("timeout", "20", "sshpass", "-p", person.password,
                          *self.server.command(person.name, "id", "-un"))
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(VERIFIED, person.requests())


class KeyThenCode(LoginCase):
    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sshd-key")
        cls.server = cls.sshd(*KEY_AND_CODE, service="sshd-key")

    def test_sshpass_types_the_code(self):
        person = person_with_key("sshpass")
        command = self.server.command(person.name, "id", "-un", options=("-i", str(the_key())))
        done = run_client("sshpass", "-P", "Verification code: ", "-p", person.code, *command)
        self.assertEqual((done.returncode, done.stdout), (0, person.name + "\n"), done.stderr)

        done = run_client("sshpass", "-P", "Verification code: ", "-p", person.wrong_code, *command)
        self.assertEqual(done.returncode, 5)  # Its own: the password is wrong.
        self.assert_no_secret(person)


class OneField(LoginCase):
    """Clients with a field for the password, by sshd's method "password"."""

    @classmethod
    def setUpClass(cls):
        install("sshd-field")
        cls.server = cls.sshd(*METHOD, "Subsystem sftp internal-sftp", service="sshd-field")

    def assert_in_and_out(self, name, log_in):
        """LOG_IN says whether a field lets in. A wrong code costs one challenge."""
        person = machine.person(name)
        self.assertTrue(log_in(person, person.password + person.code))
        self.assert_requests(person, CREATED, VERIFIED)
        self.assertFalse(log_in(person, person.password + person.wrong_code))
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)
        self.assertFalse(log_in(person, person.password))
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)
        self.assert_no_secret(person)

    def test_psftp(self):
        batch = pathlib.Path("/run/psftp-batch")
        batch.write_text("pwd\n")

        def log_in(person, field):
            done = run_client("psftp", "-batch", "-P", self.server.port, "-hostkey",
                              host_key(self.server), "-pw", field, "-b", batch,
                              f"{person.name}@{LOCALHOST}")
            return "Remote directory is" in done.stdout
        self.assert_in_and_out("psftp", log_in)

    def test_curl(self):
        def log_in(person, field):
            done = run_client("curl", "--silent", "--show-error", "--insecure", "--user",
                              f"{person.name}:{field}", f"sftp://{LOCALHOST}:{self.server.port}/etc/")
            if done.returncode != 0:
                self.assertIn("Authentication failure", done.stderr)
            return "passwd" in done.stdout
        self.assert_in_and_out("curl", log_in)

    def test_sshpass_with_sftp(self):
        def log_in(person, field):
            command = self.server.command(person.name)[1:-1]
            command[command.index("-p")] = "-P"
            done = run_client("sshpass", "-p", field, "sftp", *command, "-oBatchMode=no", "-b", "-",
                              f"{person.name}@{LOCALHOST}", stdin=None, input="pwd\n")
            return "Remote working directory" in done.stdout
        self.assert_in_and_out("sftp", log_in)

    def test_paramiko(self):
        import paramiko

        def log_in(person, field):
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            try:
                client.connect(LOCALHOST, self.server.port, person.name, field, look_for_keys=False,
                               allow_agent=False)
                return client.open_sftp().normalize(".") != ""
            except paramiko.AuthenticationException:
                return False
            finally:
                client.close()
        self.assert_in_and_out("paramikofield", log_in)


if __name__ == "__main__":
    unittest.main()
