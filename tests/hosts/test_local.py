#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: opendoas at cron screen sssd-common libpam-sss sssd-proxy vlock i3lock xvfb xdotool
"""Programs that a user of the host starts, or that start what a user has left there; and sssd."""

import pathlib
import pwd
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import CREATED, VERIFIED, SudoCase, machine, setUpModule
from kit.machine import MODULE_LINE, Terminal, eventually, run
from test_one_field import METHOD, RECIPE, FieldCase, install

COMMON = pathlib.Path("/etc/pam.d/common-auth")


class Doas(SudoCase):
    @classmethod
    def setUpClass(cls):
        install("doas", "@include common-auth", MODULE_LINE)
        pathlib.Path("/etc/doas.conf").write_text("permit :users\n")
        pathlib.Path("/etc/doas.conf").chmod(0o644)

    def doas(self, person):
        run("usermod", "--append", "--groups", "users", person.name)
        return self.enterContext(Terminal("doas", "id", "-un", user=person.name,
                                          group=person.name, cwd="/",
                                          extra_groups=["users"]))

    def test_it_asks_for_the_password_and_for_a_code(self):
        person = machine.person("doas")
        terminal = self.doas(person)
        terminal.expect("password: $")
        terminal.type(person.password)
        terminal.answer("Verification code: ", person.code)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertEqual(terminal.text.splitlines()[-1], "root")

    def test_wrong_codes_are_refused(self):
        person = machine.person("doaswrong")
        terminal = self.doas(person)
        terminal.expect("password: $")
        terminal.type(person.password)
        for code in person.wrong_codes:
            terminal.answer("ode: ", code)
        self.assertEqual(terminal.finish(), 1)
        self.assertIn("doas: Authentication failed", terminal.text)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED)


class Everywhere(SudoCase):
    """The module in common-auth, as pam-auth-update puts it there."""

    @classmethod
    def setUpClass(cls):
        before = COMMON.read_text()
        cls.addClassCleanup(COMMON.write_text, before)
        COMMON.write_text(before + MODULE_LINE + "\n")

    def test_chsh_asks_for_both(self):
        person = machine.person("chsh")
        terminal = self.terminal(person, "chsh", "-s", "/bin/bash")
        terminal.answer("Password: ", person.password)
        terminal.answer("Verification code: ", person.code)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertEqual(pwd.getpwnam(person.name).pw_shell, "/bin/bash")

    def test_chsh_changes_nothing_after_wrong_codes(self):
        person = machine.person("chshwrong")
        terminal = self.terminal(person, "chsh", "-s", "/bin/bash")
        terminal.answer("Password: ", person.password)
        for code in person.wrong_codes:
            terminal.answer("ode: ", code)
        self.assertNotEqual(terminal.finish(), 0)
        self.assertIn("PAM: Authentication failure", terminal.text)
        self.assertEqual(pwd.getpwnam(person.name).pw_shell, "/bin/sh")

    def test_passwd_asks_for_no_code(self):
        """It changes the password, and authenticates by nothing else."""
        # Without pam_pwquality, which comes with sssd.
        pathlib.Path("/etc/pam.d/passwd").write_text("password required pam_unix.so yescrypt\n")
        person = machine.person("passwd")
        terminal = self.terminal(person, "passwd")
        terminal.answer("Current password: ", person.password)
        terminal.answer("New password: ", "another-Pw-1")
        terminal.answer("Retype new password: ", "another-Pw-1")
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assert_never_called(person)

    def assert_job_ran(self, person):
        self.assertEqual(eventually(pathlib.Path(f"/run/home/{person.name}/ran").exists, bool, 80),
                         True)
        self.assert_never_called(person)

    def test_a_job_of_at_runs_without_a_code(self):
        daemon = subprocess.Popen(["atd", "-f"], stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        person = machine.person("at")
        done = self.run_as(person, "at", "now", input="touch $HOME/ran\n",
                           env={"HOME": f"/run/home/{person.name}", "PATH": "/usr/bin:/bin",
                                "SHELL": "/bin/sh", "LOGNAME": person.name})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_job_ran(person)

    def test_a_job_of_cron_runs_without_a_code(self):
        person = machine.person("cron")
        run("crontab", "-u", person.name, "-", stdin=self.job())
        daemon = subprocess.Popen(["cron", "-f"], stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.assert_job_ran(person)

    def job(self):
        path = pathlib.Path("/run/crontab")
        path.write_text("* * * * * touch $HOME/ran\n")
        return self.enterContext(open(path))


class Locker(SudoCase):
    """It calls PAM as the user."""

    def assert_names_remedy(self, person):
        line, = person.log(1)
        self.assertIn(' outcome=misconfigured reason="/etc/security/twilio-verify.conf: Permission '
                      f"denied for {person.name}, ", line.text)
        self.assertIn("leave the module out of this service", line.text)
        self.assert_requests(person)
        self.assert_no_secret(person)


class Screen(Locker):
    """It locks a terminal."""

    def test_it_is_refused_and_the_log_names_the_user_and_the_remedy(self):
        pathlib.Path("/etc/pam.d/screen").write_text(f"@include common-auth\n{MODULE_LINE}\n")
        run("install", "-d", "-m", "1777", "/run/screen")
        person = machine.person("screen")
        terminal = self.enterContext(Terminal("screen", "sh", **self.as_person(person),
                                              env={"TERM": "vt100", "PATH": "/usr/bin:/bin"}))
        terminal.expect("[$] ")
        terminal.press_until("\x01x", "assword:")
        terminal.type(person.password)
        self.assert_names_remedy(person)


class I3lock(Locker):
    """It locks a screen of X."""

    DISPLAY = {"DISPLAY": ":9", "PATH": "/usr/bin:/bin"}

    @classmethod
    def setUpClass(cls):
        server = subprocess.Popen(["Xvfb", cls.DISPLAY["DISPLAY"], "-ac", "-nolock", "-nolisten",
                                   "tcp", "-nolisten", "unix"], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.terminate)
        if not eventually(lambda: cls.press("key", "Escape"), bool):
            raise RuntimeError("Xvfb does not start")

    @classmethod
    def press(cls, *words):
        return subprocess.run(["xdotool", *words], env=cls.DISPLAY, check=False,
                              capture_output=True).returncode == 0

    def unlock(self, person):
        """PERSON types the password; returns the locker."""
        locker = subprocess.Popen(["i3lock", "--nofork"], env=self.DISPLAY, stderr=subprocess.DEVNULL,
                                  **self.as_person(person))
        self.addCleanup(locker.wait)
        self.addCleanup(locker.kill)
        self.assertTrue(eventually(lambda: self.press("search", "--onlyvisible", "--name",
                                                      "i3lock"), bool))
        self.press("type", person.password)
        self.press("key", "Return")
        return locker

    def test_it_stays_locked_and_the_log_names_the_user_and_the_remedy(self):
        pathlib.Path("/etc/pam.d/i3lock").write_text(f"@include common-auth\n{MODULE_LINE}\n")
        person = machine.person("i3lock")
        locker = self.unlock(person)
        self.assert_names_remedy(person)
        self.assertIsNone(locker.poll())

    def test_without_the_module_the_password_unlocks(self):
        pathlib.Path("/etc/pam.d/i3lock").write_text("@include common-auth\n")
        person = machine.person("i3lockalone")
        self.assertEqual(self.unlock(person).wait(30), 0)
        self.assert_never_called(person)


class Vlock(SudoCase):
    """It locks a terminal, and is set-user-ID root."""

    @classmethod
    def setUpClass(cls):
        pathlib.Path("/etc/pam.d/vlock").write_text("@include common-auth\n")
        run("twilio-verify", "enable", "vlock", "--force")

    def unlock(self, person, *codes):
        terminal = self.enterContext(Terminal("vlock", **self.as_person(person), env={
            "PATH": "/usr/bin:/bin", "USER": person.name}))
        terminal.expect("Please press .ENTER. to unlock")
        terminal.press_until("\n", "assword: ")
        terminal.type_hidden(person.password)
        for code in codes:
            terminal.expect("ode: $")
            terminal.type_hidden(code)
        return terminal

    def test_it_asks_for_both(self):
        person = machine.person("vlock")
        terminal = self.unlock(person, person.code)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_after_wrong_codes_it_asks_for_the_password_of_root(self):
        person = machine.person("vlockwrong")
        terminal = self.unlock(person, *person.wrong_codes)
        terminal.expect("vlock: Authentication failure")
        terminal.expect("root's Password: $")
        self.assert_requests(person, CREATED, *[VERIFIED] * 3)


class Sssd(FieldCase):
    """The accounts of this host, by sssd: pam_sss is the first factor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pathlib.Path("/etc/pam.d/sssd-target").write_text("auth required pam_unix.so nodelay\n"
                                                          "account required pam_unix.so\n")
        configuration = pathlib.Path("/etc/sssd/sssd.conf")
        configuration.parent.mkdir(exist_ok=True)
        configuration.write_text("[sssd]\nservices = nss, pam\ndomains = here\n[domain/here]\n"
                                 "id_provider = proxy\nproxy_lib_name = files\n"
                                 "auth_provider = proxy\nproxy_pam_target = sssd-target\n")
        configuration.chmod(0o600)
        sssd = subprocess.Popen(["sssd", "-i", "--logger=stderr"], stdin=subprocess.DEVNULL,
                                start_new_session=True, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(sssd.wait)
        cls.addClassCleanup(sssd.terminate)
        if not eventually(pathlib.Path("/var/lib/sss/pipes/pam").exists, bool):
            raise RuntimeError("sssd does not start")

    def test_it_gets_the_password_without_the_code(self):
        service = "sshd-sss"
        install(service, RECIPE[0], "auth requisite pam_sss.so use_first_pass", RECIPE[2])
        server = self.sshd(*METHOD, service=service)
        person = machine.person("sss", password="hunter271828")
        self.assertTrue(self.ssh_by(person, person.password + person.code, server=server))
        self.assert_requests(person, CREATED, VERIFIED)
        other = machine.person("sss")
        self.assert_unsent(other, "x" + other.password + other.code, server=server)
        self.assert_unsent(other, other.password, server=server)


del FieldCase


if __name__ == "__main__":
    unittest.main()
