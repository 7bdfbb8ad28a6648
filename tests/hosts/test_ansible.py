#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: ansible-core sshpass
"""Ansible: the ways in which it gets past the code, and its become."""

import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import (CREATED, KEY_AND_CODE, LOCALHOST, VERIFIED, LoginCase, machine,
                       person_with_key, setUpModule, the_key)
from kit.machine import MODULE_LINE, Terminal
from test_one_field import METHOD, install

PERSISTS = "-o ControlMaster=auto -o ControlPersist=10m"
# As conf/README.md has it.
ASKS = (f"{PERSISTS} -o KbdInteractiveAuthentication=yes "
        "-o PreferredAuthentications=publickey,keyboard-interactive")
SFTP = "Subsystem sftp internal-sftp"
DIRECTORY = pathlib.Path("/run/ansible")
PING = ("-m", "ping")
IN = '"ping": "pong"'


class Ansible(LoginCase):
    """One host, this one; whoever calls is root."""

    def prepare(self, person, server, ssh_args=PERSISTS, **variables):
        """Where PERSON's inventory and ansible.cfg are."""
        directory = DIRECTORY / person.name
        directory.mkdir(parents=True)
        variables = {"host": LOCALHOST, "port": server.port, "user": person.name,
                     "python_interpreter": "/usr/bin/python3",
                     "ssh_common_args": f"'-F none -o UserKnownHostsFile={server.known_hosts}'",
                     } | variables
        words = " ".join(f"ansible_{name}={value}" for name, value in variables.items())
        (directory / "hosts").write_text(f"here {words}\n")
        (directory / "ansible.cfg").write_text("[defaults]\ninventory = hosts\nnocows = true\n"
                                            f"local_tmp = {directory}/tmp\ntimeout = 20\n"
                                            f"[ssh_connection]\nssh_args = {ssh_args}\n"
                                            f"control_path_dir = {directory}\n")
        self.addCleanup(self.end_masters, directory)
        return {"cwd": directory, "env": {"HOME": str(directory), "PATH": "/usr/bin:/bin",
                                       "LC_ALL": "C.UTF-8"}}

    @staticmethod
    def end_masters(directory):
        for socket in directory.iterdir():
            if socket.is_socket():
                subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit",
                                "here"], capture_output=True, check=False)

    def ansible(self, where, *arguments):
        return subprocess.run(["setsid", "-w", "ansible", "here", *arguments], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=120, **where)


class KeyThenCode(Ansible):
    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sshd-key")
        cls.server = cls.sshd(*KEY_AND_CODE, SFTP, service="sshd-key")

    def test_by_itself_it_is_refused_and_nothing_is_asked(self):
        person = person_with_key("ansible")
        done = self.ansible(self.prepare(person, self.server, private_key_file=the_key()), *PING)
        self.assertIn("Permission denied (keyboard-interactive)", done.stdout)
        self.assert_never_called(person)

    def test_a_person_types_one_code_and_later_tasks_use_the_connection(self):
        person = person_with_key("ansibleperson")
        where = self.prepare(person, self.server, ASKS, private_key_file=the_key())
        terminal = self.enterContext(Terminal("ansible", "-f", "1", "here", *PING, **where))
        terminal.answer("Verification code: ", person.code)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertIn(IN, terminal.text)
        done = self.ansible(where, *PING)
        self.assertIn(IN, done.stdout)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_sshpass_types_the_code(self):
        person = person_with_key("ansiblesshpass")
        where = self.prepare(person, self.server, private_key_file=the_key(),
                             sshpass_prompt="'Verification code: '")
        done = self.ansible(where, "-e", f"ansible_password={person.code}", *PING)
        self.assertIn(IN, done.stdout)
        self.assert_requests(person, CREATED, VERIFIED)
        self.assert_no_secret(person)

    def test_a_wrong_code_of_sshpass_is_refused(self):
        person = person_with_key("ansiblewrong")
        where = self.prepare(person, self.server, private_key_file=the_key(),
                             sshpass_prompt="'Verification code: '")
        done = self.ansible(where, "-e", f"ansible_password={person.wrong_code}", *PING)
        self.assertIn("UNREACHABLE", done.stdout)
        self.assertIn("Invalid/incorrect password", done.stdout)
        self.assert_requests(person, CREATED, VERIFIED)


class OneField(Ansible):
    @classmethod
    def setUpClass(cls):
        install("sshd-field")
        cls.server = cls.sshd(*METHOD, SFTP, service="sshd-field")

    def test_its_password_is_password_and_code(self):
        person = machine.person("ansiblefield")
        where = self.prepare(person, self.server)
        field = person.password + person.wrong_code
        self.assertIn("Invalid/incorrect password",
                      self.ansible(where, "-e", f"ansible_password={field}", *PING).stdout)
        field = person.password + person.code
        self.assertIn(IN, self.ansible(where, "-e", f"ansible_password={field}", *PING).stdout)
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)


class Become(Ansible):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.sshd(SFTP, "AuthenticationMethods publickey")

    def become(self, where, password, *options):
        return self.ansible(where, "-b", "-e", f"ansible_become_password={password}", *options,
                            "-m", "command", "-a", "id -un")

    def test_it_takes_the_question_for_a_code_for_a_wrong_password(self):
        install("sudo", "@include common-auth", MODULE_LINE)
        for options in ((), ("-e", "ansible_pipelining=true")):
            with self.subTest(options):
                person = person_with_key("become")
                where = self.prepare(person, self.server, private_key_file=the_key())
                done = self.become(where, person.password, *options)
                self.assertIn("Incorrect sudo password", done.stdout)
                self.assertIn("outcome=unanswered", person.log(1)[0].text)
                self.assertNotIn(VERIFIED, person.requests())

    def test_with_one_field_a_code_is_good_for_one_task(self):
        install("sudo")
        person = person_with_key("becomefield")
        where = self.prepare(person, self.server, private_key_file=the_key())
        field = person.password + person.code
        self.assertRegex(self.become(where, field).stdout, r"(?m)^root$")
        self.assert_requests(person, CREATED, VERIFIED)
        self.assertIn("Incorrect sudo password", self.become(where, field).stdout)
        self.assertIn("used before on this host", person.log(2)[1].text)


if __name__ == "__main__":
    unittest.main()
