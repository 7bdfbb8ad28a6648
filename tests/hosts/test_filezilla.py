#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: filezilla xvfb xdotool
"""FileZilla, on a screen that nobody sees: what it asks, and when it asks again."""

import base64
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import (CREATED, LOCALHOST, PASSWORD_AND_CODE, VERIFIED, LoginCase, machine,
                       setUpModule)
from kit.machine import eventually, run
from test_one_field import METHOD, install

SFTP = "Subsystem sftp internal-sftp"
SCREEN = {"PATH": "/usr/bin:/bin", "DISPLAY": ":1", "LC_ALL": "C.UTF-8"}
NORMAL, INTERACTIVE = 1, 3  # Types of logon.
LISTED = "Directory listing of .* successful"
FETCHED = "File transfer successful"
SETTINGS = """<FileZilla3><Settings>
<Setting name="Greeting version">9.9.9</Setting>
<Setting name="Number of Transfers">1</Setting>
<Setting name="Logging file" platform="unix">{log}</Setting>
</Settings></FileZilla3>
"""
SITE = """<FileZilla3><Servers><Server>
<Name>site</Name><Host>{host}</Host><Port>{port}</Port><Protocol>1</Protocol>
<User>{user}</User><Pass encoding="base64">{field}</Pass><Logontype>{logon}</Logontype>
<MaximumMultipleConnections>{limit}</MaximumMultipleConnections><LocalDir>{home}</LocalDir>
</Server></Servers></FileZilla3>
"""


def xdotool(*words):
    return subprocess.run(["xdotool", *map(str, words)], capture_output=True, text=True,
                          check=False, env=SCREEN, timeout=60).stdout.split()


class FileZilla:
    """It connects to its one site at once, whose host key it does not know."""

    def __init__(self, person, server, logon, field="", limit=0):
        client = machine.person("client", is_enrolled=False)
        self.home = pathlib.Path("/run/home", client.name)
        self.log = self.home / "log"
        self.seen = set()
        directory = self.home / ".config" / "filezilla"
        directory.mkdir(parents=True)
        (directory / "filezilla.xml").write_text(SETTINGS.format(log=self.log))
        (directory / "sitemanager.xml").write_text(SITE.format(
            host=LOCALHOST, port=server.port, user=person.name, logon=logon, limit=limit,
            field=base64.b64encode(field.encode()).decode(), home=self.home))
        run("chown", "-R", f"{client.name}:", str(self.home))
        self.process = subprocess.Popen(
            ["filezilla", "--site=0/site"], user=client.name, group=client.name, extra_groups=[],
            cwd=self.home, env=SCREEN | {"HOME": str(self.home)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()

    def answer(self, title, line=""):
        """Waits for a new window, and types LINE."""
        new = eventually(lambda: set(xdotool("search", "--onlyvisible", "--name", f"^{title}$"))
                         - self.seen, bool)
        if not new:
            raise AssertionError(f"no window \"{title}\"; the log:\n{self.text()}")
        self.seen |= new
        xdotool("windowfocus", "--sync", new.pop(), "type", line)
        xdotool("key", "Return")

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def expect(self, pattern):
        """In the log."""
        if not eventually(lambda: re.search(pattern, self.text()), bool):
            raise AssertionError(f"no \"{pattern}\" in the log:\n{self.text()}")

    def fetch(self):
        """The last file of the list on the right, after a click on its free part."""
        xdotool("search", "--onlyvisible", "--name", " - FileZilla$", "windowfocus", "--sync")
        xdotool("mousemove", 700, 520, "click", 1)
        xdotool("key", "End", "key", "Return")


class Windows(LoginCase):
    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        install("sshd-field")
        cls.two = cls.sshd(*PASSWORD_AND_CODE, SFTP)
        cls.field = cls.sshd(*METHOD, SFTP, service="sshd-field")
        # With no socket and no lock in /tmp, which is not ours alone. Without -noreset it begins
        # anew whenever its last client leaves, and drops who comes meanwhile.
        screen = subprocess.Popen(["Xvfb", ":1", "-screen", "0", "1024x768x24", "-nolock",
                                   "-nolisten", "unix", "-noreset"], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(screen.wait)
        cls.addClassCleanup(screen.terminate)
        eventually(lambda: xdotool("getmouselocation"), bool)

    def person(self, name):
        """Somebody with one file on the server."""
        person = machine.person(name)
        pathlib.Path("/run/home", person.name, "file").write_text(person.name)
        return person

    def start(self, person, *arguments, **options):
        program = self.enterContext(FileZilla(person, *arguments, **options))
        program.answer("Unknown host key")
        return program

    def assert_fetched(self, program, person):
        program.expect(FETCHED)
        self.assertEqual((program.home / "file").read_text(), person.name)

    def test_each_question_has_a_window_and_a_transfer_asks_nothing_at_limit_1(self):
        person = self.person("limit")
        program = self.start(person, self.two, INTERACTIVE, limit=1)
        for line in (person.password, person.wrong_code, person.code):
            program.answer("Enter password", line)
        program.expect(LISTED)
        program.fetch()
        self.assert_fetched(program, person)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED)
        self.assert_no_secret(person)

    def test_without_a_limit_for_the_site_a_transfer_asks_again(self):
        person = self.person("nolimit")
        program = self.start(person, self.two, INTERACTIVE)
        program.answer("Enter password", person.password)
        program.answer("Enter password", person.code)
        program.expect(LISTED)
        program.fetch()
        program.answer("Enter password", person.password)
        program.answer("Enter password", person.next_code)
        self.assert_fetched(program, person)
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)

    def test_with_logon_type_normal_it_leaves_at_the_code(self):
        person = self.person("normal")
        program = self.start(person, self.two, NORMAL, field=person.password)
        program.expect("You need to use the interactive login type")
        self.assert_requests(person)

    def test_with_logon_type_normal_both_in_one_field(self):
        person = self.person("field")
        program = self.start(person, self.field, NORMAL, limit=1,
                             field=person.password + person.code)
        program.expect(LISTED)
        program.fetch()
        self.assert_fetched(program, person)
        self.assert_requests(person, CREATED, VERIFIED)


if __name__ == "__main__":
    unittest.main()
