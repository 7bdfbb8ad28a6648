# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""pkexec, by a real polkit on a bus of this machine's own."""

import os
import pathlib
import re
import subprocess
import unittest

from logincase import (APPROVED, CODE_PROMPT, CREATED, PASSWORD_AND_CODE, VERIFIED, WRONG_PROMPT,
                       LoginCase, denied, machine, setUpModule)
from kit.machine import Terminal, eventually, run
from test_sessions import CONF, SessionCase

POLKITD = "/usr/lib/polkit-1/polkitd"
VENDOR, OWN = (pathlib.Path(directory, "polkit-1") for directory in ("/usr/lib/pam.d",
                                                                     "/etc/pam.d"))
TOOL = "/usr/sbin/twilio-verify"
BUS = pathlib.Path("/run/dbus/system_bus_socket")


def become(person):
    """A prefix: the command runs as PERSON."""
    return ("setpriv", f"--reuid={person.name}", f"--regid={person.name}", "--init-groups")


class PolkitCase(LoginCase):
    """By conf/pam.d/polkit-1, a copy of the package's file with the module's line."""

    ARGUMENTS = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pathlib.Path("/run/dbus").mkdir(exist_ok=True)
        BUS.unlink(missing_ok=True)
        for command in (("dbus-daemon", "--system", "--nofork", "--nopidfile"),
                        (POLKITD, "--no-debug")):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            cls.addClassCleanup(process.wait)
            cls.addClassCleanup(process.terminate)
            assert eventually(BUS.exists, bool)

    def setUp(self):
        OWN.write_text(VENDOR.read_text())
        machine.use_recipe("polkit-1", "polkit-1", self.ARGUMENTS)
        self.addCleanup(OWN.unlink, missing_ok=True)

    def administrator(self, name):
        """The one whom polkit asks: with others it would ask which."""
        person = machine.person(name)
        run("gpasswd", "--members", person.name, "sudo")
        self.addCleanup(run, "gpasswd", "--members", "", "sudo")
        return person

    def shell(self, person):
        shell = self.enterContext(Terminal(*become(person), "sh"))
        shell.expect(r"\$ $")
        return shell


@unittest.skipUnless(pathlib.Path("/usr/bin/pkexec").exists() and VENDOR.exists(), "no pkexec")
class Polkit(PolkitCase):
    def agent(self, person, shell):
        """The agent that asks for the process SHELL; it is registered."""
        reader, writer = os.pipe()
        terminal = self.enterContext(Terminal(
            *become(person), "pkttyagent", "--process", shell.pid, "--notify-fd", writer,
            pass_fds=(writer,)))
        os.close(writer)
        with open(reader, "rb") as notice:
            notice.read()
        return terminal

    def pkexec(self, person, *answers, end):
        """PERSON calls pkexec, and answers the agent, which says END; returns what pkexec printed."""
        shell = self.shell(person)
        agent = self.agent(person, shell)
        shell.type("pkexec id -un; echo status=$?")
        for prompt, line in answers:
            agent.expect(re.escape(prompt) + "$")
            agent.type_hidden(line)
        agent.expect(f"AUTHENTICATION {end}")
        shell.expect(r"status=(\d+)\s")
        return re.search(r"echo status=\$\?\n(.*)status=(\d+)", shell.text, re.DOTALL).groups()

    def test_pkexec_asks_for_the_password_and_then_a_code(self):
        person = self.administrator("polkit")
        self.assertEqual(self.pkexec(person, ("Password: ", person.password),
                                     (CODE_PROMPT, person.code), end="COMPLETE"), ("root\n", "0"))
        self.assert_log(person, *APPROVED, service="polkit-1")
        self.assert_requests(person, CREATED, VERIFIED)

    def test_pkexec_refuses_wrong_codes(self):
        person = self.administrator("polkitwrong")
        wrong = person.wrong_codes
        printed, status = self.pkexec(
            person, ("Password: ", person.password), (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
            (WRONG_PROMPT, wrong[2]), end="FAILED")
        self.assertIn("Not authorized", printed)
        self.assertEqual(status, "127")
        self.assert_log(person, *denied(), service="polkit-1")

    def test_pkexec_never_asks_for_a_code_after_a_wrong_password(self):
        person = self.administrator("polkitpassword")
        self.pkexec(person, ("Password: ", "not it"), end="FAILED")
        self.assert_never_called(person)

    def test_without_the_copy_the_password_alone_gives_root_and_check_pam_says_so(self):
        OWN.unlink()
        person = self.administrator("polkitvendor")
        self.assertEqual(self.pkexec(person, ("Password: ", person.password), end="COMPLETE"),
                         ("root\n", "0"))
        self.assert_never_called(person)
        done = subprocess.run([TOOL, "check-pam"], capture_output=True, text=True, check=False)
        self.assertRegex(done.stdout, "(?m)^warning  polkit-1: .*no auth line calls the module")


@unittest.skipUnless(pathlib.Path("/usr/bin/pkexec").exists() and VENDOR.exists(), "no pkexec")
class InSession(PolkitCase, SessionCase):
    """What polkit permits may be outside of the session that answers."""

    ARGUMENTS = f"conf={CONF}"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.configure('    minutes = 60; services = ( "sudo", "polkit-1" );\n')
        cls.server = cls.use_sshd("sshd-password-and-code", *PASSWORD_AND_CODE)

    def test_its_program_asks_though_it_is_below_a_session_that_proved_a_code(self):
        person = self.administrator("polkitsession")
        session, shell = self.log_in(person), self.shell(person)
        self.assert_spared(session, person)
        session.type(f"exec pkttyagent --process {shell.pid}")
        shell.type("until pkexec --disable-internal-agent id -un; do sleep 0.2; done")
        for prompt, line in (("Password: ", person.password), (CODE_PROMPT, person.next_code)):
            session.expect(re.escape(prompt) + "$")
            session.type_hidden(line)
        session.expect("AUTHENTICATION COMPLETE")
        (outcome, reason), = self.reasons(person, 1, "polkit-1")
        self.assertEqual(outcome, "approved")
        self.assertRegex(reason, "; asked because this service is asked in every session$")
