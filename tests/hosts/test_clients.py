#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: putty-tools sshpass python3-paramiko git rsync
"""Clients of sshd: what they show, and how many questions and challenges a wrong code costs."""

import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import (CREATED, KEY_AND_CODE, LOCALHOST, PASSWORD_AND_CODE, VERIFIED, LoginCase,
                       machine, person_with_key, setUpModule, the_key)
from kit.machine import Terminal, run
from test_one_field import METHOD, install

SFTP = "Subsystem sftp internal-sftp"


def host_key(server):
    """As PuTTY wants it."""
    shown = subprocess.run(["ssh-keygen", "-l", "-f", server.directory / "host-key.pub"],
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


class Tools(LoginCase):
    """What runs ssh(1) in its turn, with a person at the terminal."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sshd-key")
        cls.server = cls.sshd(*KEY_AND_CODE, SFTP, service="sshd-key")
        cls.far = cls.sshd(*KEY_AND_CODE, service="sshd-key")
        known = pathlib.Path("/run/known-hosts")
        known.write_text(cls.server.known_hosts.read_text() + cls.far.known_hosts.read_text())
        cls.config = pathlib.Path("/run/ssh-config")
        cls.config.write_text(f"UserKnownHostsFile {known}\nIdentityFile {the_key()}\n"
                              "NumberOfPasswordPrompts 1\nControlPath /run/master-%r\n"
                              f"Host near\nHostName {LOCALHOST}\nPort {cls.server.port}\n"
                              f"Host far\nHostName {LOCALHOST}\nPort {cls.far.port}\n")
        cls.ssh = f"ssh -F {cls.config}"

    def start(self, *command):
        return self.enterContext(Terminal(*command, cwd="/run", env={
            "PATH": "/usr/bin:/bin", "HOME": "/run", "GIT_SSH_COMMAND": self.ssh,
            "RSYNC_RSH": self.ssh}))

    def assert_in_and_out(self, name, *command):
        """COMMAND, with a "%" for the user, asks for one code. Returns the screen."""
        person, other = person_with_key(name), person_with_key(name)
        terminal = self.start(*(str(word).replace("%", person.name) for word in command))
        terminal.answer(f"({person.name}@{LOCALHOST}) Verification code: ", person.code)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assert_requests(person, CREATED, VERIFIED)

        refused = self.start(*(str(word).replace("%", other.name) for word in command))
        for code in other.wrong_codes:
            refused.answer("ode: ", code)
        self.assertNotEqual(refused.finish(), 0)
        self.assertIn("Permission denied (keyboard-interactive)", refused.text)
        self.assert_requests(other, CREATED, *[VERIFIED] * 3)
        self.assert_no_secret(other)
        return terminal.text

    def assert_copied(self, name, *command):
        copy = pathlib.Path("/run", name)
        self.assert_in_and_out(name, *command, "%@near:/etc/debian_version", copy)
        self.assertEqual(copy.read_text(), pathlib.Path("/etc/debian_version").read_text())

    def test_scp_and_sftp(self):
        for program in ("scp", "sftp"):
            self.assert_copied(program, program, "-F", self.config)

    def test_rsync(self):
        self.assert_copied("rsync", "rsync")

    def test_git(self):
        run("git", "init", "--quiet", "--bare", "/run/repository")
        run("git", "config", "--system", "safe.directory", "*")  # It is root's.
        self.assert_in_and_out("git", "git", "ls-remote", "%@near:/run/repository")

    def test_a_jump_asks_for_a_code_at_each_host(self):
        person = person_with_key("jump")
        terminal = self.start(*self.ssh.split(), "-J", f"{person.name}@near", f"{person.name}@far",
                              "id", "-un")
        terminal.answer("Verification code: ", person.code)
        terminal.answer("Verification code: ", person.next_code)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)

    def test_more_connections_of_a_master_are_not_asked(self):
        person = person_with_key("master")
        command = (*self.ssh.split(), "-o", "ControlMaster=auto", f"{person.name}@near")
        terminal = self.start(*command)
        terminal.answer("Verification code: ", person.code)
        terminal.expect(r"[$] ")
        more = [subprocess.Popen([*command, "id", "-un"], stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE) for _ in range(4)]
        self.assertEqual([one.communicate(timeout=60)[0] for one in more],
                         [person.name + "\n"] * 4)
        terminal.type("exit")
        self.assertEqual(terminal.finish(), 0)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_one_code_lets_one_of_several_in_and_the_others_hear_to_wait(self):
        person = person_with_key("several")
        code = person.code
        terminals = [self.start(*self.ssh.split(), f"{person.name}@near", "id", "-un")
                     for _ in range(3)]
        for terminal in terminals:
            terminal.expect("Verification code: $")
        for terminal in terminals:
            terminal.type(code)
        told = [terminal.expect("That code was used before: wait for the next one. Verif",
                                rf"\b{person.name}\r") for terminal in terminals]
        self.assertEqual(sorted(told), [0, 0, 1])
        self.assertEqual(person.requests().count(VERIFIED), 1)


class OneField(LoginCase):
    """Clients with a field for the password, by sshd's method "password"."""

    @classmethod
    def setUpClass(cls):
        install("sshd-field")
        cls.server = cls.sshd(*METHOD, SFTP, service="sshd-field")

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
            done = run_client("curl", "--silent", "--show-error", "--insecure",
                              "--user", f"{person.name}:{field}",
                              f"sftp://{LOCALHOST}:{self.server.port}/etc/")
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
