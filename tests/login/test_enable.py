# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""enable and disable: PAM's files, and what real programs ask for then."""

import contextlib
import fcntl
import grp
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import unittest

from logincase import (APPROVED, CODE_PROMPT, SudoCase, machine, person_with_key,
                       setUpModule, with_key)
from kit import failing
from kit.machine import SECRETS, SETTINGS, OwnSshd, eventually, run

TOOL = "/usr/sbin/twilio-verify"
PAM = pathlib.Path("/etc/pam.d")
LIBEXEC = pathlib.Path("/usr/libexec/twilio-verify")
VENDOR = pathlib.Path("/usr/lib/pam.d")
UNIT = "polkit-agent-helper@.service"
MARK = "  # twilio-verify enable"
LINE = "auth  required  pam_twilio_verify.so"
SVC = PAM / "tv-svc"


def tool(*words, **options):
    return subprocess.run([TOOL, *map(str, words)], text=True, capture_output=True, timeout=120,
                          check=False, **options)


class EnableCase(SudoCase):
    """An administrator, alice, who is enrolled; every file of PAM is as before after a test."""

    @classmethod
    def setUpClass(cls):
        cls.alice = machine.person("alice")
        run("usermod", "-aG", "sudo", cls.alice.name)
        cls.addClassCleanup(run, "gpasswd", "-d", cls.alice.name, "sudo")

    def setUp(self):
        for path in (*PAM.iterdir(), SETTINGS):
            if path.is_file() and not path.is_symlink():
                self.addCleanup(self.restore, path, path.read_bytes(), path.stat())
        self.addCleanup(SVC.unlink, missing_ok=True)

    @staticmethod
    def restore(path, text, status):
        path.unlink(missing_ok=True)
        path.write_bytes(text)
        os.chown(path, status.st_uid, status.st_gid)
        path.chmod(status.st_mode)

    def write(self, text, path=SVC):
        path.unlink(missing_ok=True)
        path.write_bytes(text.encode())
        path.chmod(0o644)

    def enable(self, *words, **options):
        done = tool("enable", *words, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual("next: log in from a second" in done.stderr, "--dry-run" not in words)
        return done.stdout

    def disable(self, *words):
        done = tool("disable", *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assert_refuses(self, *words, part, verb="enable"):
        """It ends with 1, says PART, and every file is as it was."""
        before = self.files()
        done = tool(verb, *words)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(part, done.stdout + done.stderr)
        self.assertEqual(self.files(), before)
        return done

    def assert_in_status(self, part):
        done = tool("status", "--json")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(part, json.loads(done.stdout)["problem"])

    def faulty(self, fault, *words):
        """The tool with a fault of kit/failing.py; returns its report and how it ended."""
        report = failing.Report("/run/tmp", fault)
        self.addCleanup(report.path.unlink, missing_ok=True)
        return report, tool(*words, env={"PATH": os.environ["PATH"]} | report.environment)

    def files(self):
        return {path: path.read_bytes() for path in PAM.iterdir() if path.is_file()}


class Services(EnableCase):
    """What the commands do to each service."""

    def test_sudo_asks_for_a_code_until_it_is_disabled(self):
        before = self.files()
        self.enable("sudo")
        self.assertIn(f"@include common-auth\n{LINE}{MARK}\n", (PAM / "sudo").read_text())
        self.assertIn(f"@include common-auth\n{LINE}{MARK}\n", (PAM / "sudo-i").read_text())
        self.assert_root(self.alice, self.alice.password, self.alice.code)
        self.assert_refused(self.alice, self.alice.password)
        self.disable("sudo")
        self.assertEqual(self.files(), before)
        self.assert_root(self.alice, self.alice.password)

    def test_a_second_call_changes_nothing(self):
        self.enable("sudo")
        before = self.files()
        self.assertIn("enabled already", self.enable("sudo"))
        self.assertEqual(self.files(), before)
        self.disable("sudo")
        self.assertIn("disabled already", self.disable("sudo"))

    def test_lines_of_which_one_was_removed_are_written_anew(self):
        before = self.files()
        self.enable("sudo")
        enabled = self.files()
        sudo = PAM / "sudo"
        sudo.write_text(sudo.read_text().replace(LINE, "auth  optional  pam_permit.so"))
        self.assertIn(f"sudo: enabled: {sudo}", self.enable("sudo"))
        self.assertEqual(self.files(), enabled)
        self.disable("sudo")
        self.assertEqual(self.files(), before)

    def test_login_su_and_any_other_service(self):
        before = self.files()
        self.write("auth requisite pam_nologin.so\n@include common-auth\n"
                   "auth optional pam_group.so\naccount required pam_permit.so\n")
        for service in ("login", "su", "tv-svc"):
            with self.subTest(service):
                self.enable(service)
                self.assertIn(f"@include common-auth\n{LINE}{MARK}\n", (PAM / service).read_text())
        self.disable("login", "su", "tv-svc")
        SVC.unlink()
        self.assertEqual(self.files(), before)

    def test_cockpits_substack_becomes_an_include(self):
        text = ("#%PAM-1.0\nauth       required     pam_sepermit.so\n"
                "auth       substack     common-auth\nauth       optional     pam_ssh_add.so\n"
                "account    required     pam_nologin.so\n")
        self.write(text)
        self.assertNotIn("warning  tv-svc: /", self.enable("tv-svc"))
        self.assertIn("# twilio-verify enable put this line away: auth       substack     common-auth\n"
                      f"auth  include  common-auth{MARK}\n{LINE}{MARK}\n", SVC.read_text())
        enabled = SVC.read_text()
        SVC.write_text(enabled.replace(f"auth  include  common-auth{MARK}\n", ""))
        self.enable("tv-svc")
        self.assertEqual(SVC.read_text(), enabled)
        self.disable("tv-svc")
        self.assertEqual(SVC.read_text(), text)

    def test_a_substack_stays_where_an_include_would_end_before_the_code(self):
        inner = PAM / "tv-inner"
        self.addCleanup(inner.unlink)
        inner.write_text("auth sufficient pam_unix.so\nauth required pam_deny.so\n")
        self.write("auth substack tv-inner\n")
        self.enable("tv-svc")
        self.assertEqual(SVC.read_text(), f"auth substack tv-inner\n{LINE}{MARK}\n")

    def test_a_service_by_which_users_log_in_gets_the_line_of_session(self):
        machine.configure()
        with open(SETTINGS, "a") as settings:
            settings.write("session = { minutes = 10; };\n")
        before = self.files()
        for service, is_one in (("login", True), ("sudo", False), ("su", False)):
            with self.subTest(service):
                self.assertNotIn(f"warning  {service}: session.minutes", self.enable(service))
                text = (PAM / service).read_text()
                self.assertEqual(text.endswith(f"\nsession  optional  pam_twilio_verify.so{MARK}\n"),
                                 is_one, text)
        self.disable("login", "sudo", "su")
        self.assertEqual(self.files(), before)
        self.write("@include common-auth\n", PAM / "vsftpd")  # "other" has its lines of session.
        self.addCleanup((PAM / "vsftpd").unlink)
        self.enable("vsftpd")
        self.assertNotIn("session", (PAM / "vsftpd").read_text())

    def test_the_code_goes_after_a_named_line(self):
        text = "auth required pam_unix.so\nauth  required  pam_permit.so\n"
        self.write(text)
        self.enable("tv-svc")
        self.assert_refuses("tv-svc", "--after", "auth required pam_unix.so",
                            part="is enabled behind another line: first run twilio-verify disable")
        self.disable("tv-svc")
        self.enable("tv-svc", "--after", " auth required   pam_unix.so ")
        self.assertIn("enabled already",
                      self.enable("tv-svc", "--after", "auth required pam_unix.so"))
        self.assertEqual(SVC.read_text(), text.replace("unix.so\n", f"unix.so\n{LINE}{MARK}\n"))
        self.disable("tv-svc")
        self.assertEqual(SVC.read_text(), text)
        self.assert_refuses("tv-svc", "--after", "auth required pam_x.so", part="exactly one line")
        self.write(text + text)
        self.assert_refuses("tv-svc", "--after", "auth required pam_unix.so",
                            part="exactly one line")
        for words in (("sudo", "su", "--after", "x"), ("sshd", "--after", "x"),
                      ("sudo", "--first-factor", "key")):
            self.assertEqual(tool("enable", *words).returncode, 2)

    def test_password_and_code_in_one_field(self):
        before, person = self.files(), machine.person("onefield")
        split = "auth  requisite  pam_twilio_verify.so split=6"
        self.enable("sudo", "--one-field")
        self.assertIn(f"{split}{MARK}\n@include common-auth\n{LINE}{MARK}\n",
                      (PAM / "sudo").read_text())
        self.assert_root(person, person.password + person.code)
        self.assert_refused(person, person.password)
        shown = tool("explain", person.name, "--service", "sudo").stdout
        self.assertIn("none: the code is the last 6 digits of the password, and tried once", shown)
        self.assertIn("enabled already", self.enable("sudo", "--one-field"))
        self.assert_refuses("sudo", part="first run twilio-verify disable sudo")
        self.disable("sudo")
        self.assertEqual(self.files(), before)
        self.enable("sudo")
        self.assert_refuses("sudo", "--one-field", part="first factor or field: first run twilio-verify disable sudo")
        shown = tool("explain", person.name, "--service", "sudo").stdout
        self.assertIn('"Verification code: ", up to 3 times in one call of the module', shown)
        self.disable("sudo")

    def test_one_field_for_sshd_is_refused_and_names_the_recipe(self):
        done = tool("enable", "sshd", "--one-field")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("twilio-verify: --one-field is not for sshd, whose methods have to change as "
                      "well: the recipe one-field has the lines of PAM and of sshd_config",
                      done.stderr)

    def test_the_line_that_cuts_stands_right_before_the_first_factor(self):
        top = "# a comment\nauth requisite pam_nologin.so\nauth optional pam_faildelay.so delay=1\n"
        factor = "auth requisite \\\n  pam_unix.so\n"
        machine.configure(login="code_length = 8;\n")
        self.write(top + factor)
        self.enable("tv-svc", "--one-field")
        self.assertEqual(SVC.read_text(), f"{top}auth  requisite  pam_twilio_verify.so split=8{MARK}"
                         f"\n{factor}{LINE}{MARK}\n")
        machine.configure()
        self.assert_refuses("tv-svc", "--one-field", part="first run twilio-verify disable tv-svc")
        self.disable("tv-svc")
        self.assertEqual(SVC.read_text(), top + factor)

    def test_one_field_needs_a_first_factor_that_ends_a_wrong_password(self):
        self.write("auth required pam_unix.so\n")
        self.assert_refuses("tv-svc", "--one-field", part="the digits at the end of a wrong password")
        self.write("auth requisite pam_unix.so\n")
        SETTINGS.write_text("nonsense")
        self.assert_refuses("tv-svc", "--one-field", part="tv-svc is left as it was")

    def test_sudo_i_asks_once_where_its_file_is_a_link_or_includes_that_of_sudo(self):
        sudo_i = PAM / "sudo-i"
        for make in (lambda: sudo_i.symlink_to("sudo"),
                     lambda: sudo_i.write_text("auth include sudo\naccount include sudo\n")):
            sudo_i.unlink()
            make()
            before = self.files()
            with self.subTest(sudo_i.read_text()):
                shown = self.enable("sudo")
                self.assertIn("ok       sudo-i: asks for a code", shown)
                self.assertNotIn("asks twice", shown)
                self.assertEqual((PAM / "sudo").read_text().count(LINE), 1)
                self.assertIn("enabled already", self.enable("sudo"))
                self.assertNotIn("still asks", self.disable("sudo"))
                self.assertEqual(self.files(), before)

    def test_disable_names_the_lines_that_are_not_its_own(self):
        self.write("auth required pam_unix.so\n")
        self.enable("tv-svc")
        SVC.write_text(SVC.read_text().replace(MARK, ""))
        before = SVC.read_bytes()
        self.assertIn(f"warning  tv-svc: still asks for a code, by the line {SVC}:2",
                      self.disable("tv-svc"))
        self.assertEqual(SVC.read_bytes(), before)
        self.enable("sudo")
        common = PAM / "common-auth"
        common.write_text(common.read_text() + LINE + "\n")
        self.assertRegex(self.disable("sudo"), "warning  sudo: still asks for a code, by the line "
                         f'{common}:.*: call "pam-auth-update --disable twilio-verify"')

    def test_polkit_gets_a_copy_of_the_vendors_file_and_the_network(self):
        own, directory = PAM / "polkit-1", pathlib.Path("/etc/systemd/system") / f"{UNIT}.d"
        vendors = VENDOR / "polkit-1"
        if not vendors.exists():
            self.skipTest("no polkit")
        self.enable("polkit-1")
        self.assertIn(f"@include common-auth\n{LINE}{MARK}\n", own.read_text())
        self.assertFalse(directory.exists())
        self.disable("polkit-1")
        self.assertFalse(own.exists())

        unit = pathlib.Path("/usr/lib/systemd/system") / UNIT
        unit.write_text("[Service]\nPrivateNetwork=yes\n")
        self.addCleanup(unit.unlink)
        self.enable("polkit-1")
        sample = pathlib.Path(__file__).resolve().parents[2] / "conf/systemd" / f"{UNIT}.d"
        keys = [line for line in (sample / "twilio-verify.conf").read_text().splitlines()
                if not line.startswith("#")]
        written = (directory / "twilio-verify.conf").read_text().splitlines()
        self.assertEqual([line for line in written if not line.startswith("#")], keys)
        self.assertEqual(directory.stat().st_mode & 0o777, 0o755)
        self.disable("polkit-1")
        self.assertFalse(own.exists() or directory.exists())

    def test_a_copy_that_somebody_changed_stays(self):
        own, vendors = PAM / "polkit-1", VENDOR / "polkit-1"
        if not vendors.exists():
            self.skipTest("no polkit")
        self.addCleanup(own.unlink, missing_ok=True)
        self.enable("polkit-1")
        own.write_text(own.read_text() + "# of ours\n")
        self.disable("polkit-1")
        self.assertEqual(own.read_text(), vendors.read_text() + "# of ours\n")

    def test_a_dry_run_shows_a_patch_and_changes_nothing(self):
        before = self.files()
        shown = self.enable("sudo", "--dry-run")
        self.assertEqual(self.files(), before)
        self.assertIn(f"\n+{LINE}{MARK}\n", shown)
        self.enable("sudo")
        self.assertIn(f"\n-{LINE}{MARK}\n", tool("disable", "sudo", "--dry-run").stdout)
        self.assertIn(LINE, (PAM / "sudo").read_text())


class Refusals(EnableCase):
    """What would lock out, or ask twice, or nobody."""

    def test_what_is_no_service(self):
        for name, part in (("common-auth", "pam-auth-update"), ("other", "not a service"),
                           ("../sudo", "not a service"), ("", "not a service"), (".x", "not a service"),
                           ("tv-absent", "there is no PAM service tv-absent"),
                           ("cron", "nobody can be asked"), ("swaylock", "is not root"),
                           ("nginx", "is not root")):
            with self.subTest(name):
                self.assert_refuses(name, part=part)

    def test_a_locker_that_runs_as_the_user_unless_it_is_set_user_id(self):
        program = pathlib.Path("/usr/bin/physlock")
        stack = PAM / "physlock"
        for path in (program, stack):
            path.touch(0o755)
            self.addCleanup(path.unlink)
        stack.write_text("@include common-auth\n")
        self.assert_refuses("physlock", part="is not root")
        program.chmod(0o4755)
        self.enable("physlock")
        self.assertIn(LINE + MARK, stack.read_text())

    def test_sshd_without_its_first_factor(self):
        done = self.assert_refuses("sshd", part="--first-factor key")
        self.assertIn("--first-factor password", done.stdout)
        self.assert_refuses("sshd", "--first-factor", "face", part="--first-factor key")

    def test_a_stack_that_asks_already(self):
        self.write(f"@include common-auth\n{LINE}\n")
        self.assert_refuses("tv-svc", part=f"asks for a code already, by the line {SVC}:2")
        self.write("auth include tv-inner\n")
        inner = PAM / "tv-inner"
        self.addCleanup(inner.unlink)
        inner.write_text(f"auth required pam_unix.so\n{LINE}\n")
        self.assert_refuses("tv-svc", part=f"by the line {inner}:2")

    def test_the_profile_of_pam_auth_update(self):
        common = PAM / "common-auth"
        common.write_text(common.read_text() + LINE + "\n")
        for words in (("sudo",), ("sshd", "--first-factor", "password"),
                      ("sshd", "--first-factor", "key")):
            with self.subTest(words):
                self.assert_refuses(*words, part='"pam-auth-update --disable twilio-verify" first')

    def test_a_stack_without_a_first_factor(self):
        for text in ("account required pam_permit.so\n", "", "auth required pam_permit.so\n",
                     "# auth required pam_unix.so\n"):
            with self.subTest(text):
                self.write(text)
                self.assert_refuses("tv-svc", part="asks for no first factor")

    def test_a_line_that_lets_in_before_the_code(self):
        self.write("auth sufficient pam_unix.so\nauth required pam_deny.so\n")
        self.assert_refuses("tv-svc", part="bypasses the module")
        self.enable("tv-svc", "--force")
        self.disable("tv-svc")

    def test_files_that_libpam_refuses(self):
        for text, part in (("auth required pam_unix.so \\", "ends with a backslash"),
                           ("@include tv-absent\n", "cannot read"),
                           ("auth required pam_unix.so\r\nauth required pam_env.so\r\n", "CR LF")):
            with self.subTest(text):
                self.write(text)
                self.assert_refuses("tv-svc", part=part)
        SVC.write_bytes(b"auth required pam_unix.so\n\0")
        self.assert_refuses("tv-svc", part=f"{SVC}: it has a NUL byte")

    def test_files_that_others_can_change(self):
        self.write("@include common-auth\n")
        SVC.chmod(0o664)
        self.assert_refuses("tv-svc", part="others can write to it")
        SVC.chmod(0o644)
        os.chown(SVC, 4711, 0)
        self.assert_refuses("tv-svc", part="is not owned by root")
        os.chown(SVC, 0, 0)
        twin = pathlib.Path("/etc/tv-twin")
        twin.hardlink_to(SVC)
        self.addCleanup(twin.unlink)
        self.assert_refuses("tv-svc", part="several hard links")
        PAM.chmod(0o775)
        self.addCleanup(PAM.chmod, 0o755)
        self.assert_refuses("sudo", part="others can write to it")

    def test_files_behind_links_that_others_can_change(self):
        directory = pathlib.Path("/etc/tv-directory")
        directory.mkdir()
        self.addCleanup(directory.rmdir)
        target = directory / "svc"
        self.addCleanup(target.unlink, missing_ok=True)
        target.write_text("@include common-auth\n")
        SVC.symlink_to(target)
        directory.chmod(0o777)
        self.assert_refuses("tv-svc", part="others can write to it")
        directory.chmod(0o755)
        self.enable("tv-svc")
        self.disable("tv-svc")
        target.unlink()
        self.assert_refuses("tv-svc", part=f"{SVC}: the link leads to nothing")
        SVC.unlink()
        SVC.mkdir()
        self.addCleanup(SVC.rmdir)
        self.assert_refuses("tv-svc", part=f"{SVC}: Is a directory")
        self._cleanups.remove((SVC.unlink, (), {"missing_ok": True}))

    def test_who_is_not_enrolled_is_named(self):
        bob = machine.person("bob", is_enrolled=False)
        shown = self.enable("sudo")
        self.assertIn(f"sudo: {bob.name} (password) is not enrolled, and will be refused; "
                      f"twilio-verify enroll {bob.name}", shown)
        self.assertNotIn(f"{self.alice.name} (", shown)

    def test_services_that_include_a_changed_one_are_named(self):
        self.write("@include sudo\n")
        self.assertIn("ok       tv-svc: asks for a code after pam_unix.so (/etc/pam.d/sudo:",
                      self.enable("sudo"))
        self.disable("sudo")
        self.assertNotIn("tv-svc", self.enable("login"))
        self.disable("login")
        self.write("auth sufficient pam_unix.so\n@include sudo\n")
        self.assert_refuses("sudo", part="bypasses the module")

    def test_without_an_administrator_who_is_enrolled(self):
        run("gpasswd", "-d", self.alice.name, "sudo")
        self.addCleanup(run, "usermod", "-aG", "sudo", self.alice.name)
        carol = machine.person("carol", is_enrolled=False)
        run("usermod", "-aG", "sudo", carol.name)
        self.addCleanup(run, "gpasswd", "-d", carol.name, "sudo")
        self.assert_refuses("sudo", part="every administrator would be locked out")
        self.assertIn("enabled", self.enable("sudo", "--force"))
        self.disable("sudo")
        machine.configure(login='unmapped_user = "ignore";\n')
        self.addCleanup(machine.configure)
        self.enable("sudo")

    def test_without_what_every_login_needs(self):
        self.addCleanup(machine.configure)
        packages = ": No such file or directory: install the packages"
        for path, remedy in ((SETTINGS, ": twilio-verify setup writes it"),
                             (SECRETS / "api-key", ": twilio-verify setup writes it"),
                             (pathlib.Path(machine.module), packages),
                             (LIBEXEC / "twilio-verify-check", packages),
                             (LIBEXEC / "twilio.so", packages)):
            with self.subTest(path):
                text, status = path.read_bytes(), path.stat()
                path.unlink()
                done = self.assert_refuses("sudo", part=f"every login would be refused: {path}")
                self.assertIn(remedy, done.stdout)
                self.assert_in_status(f"{path}: No such file")
                self.enable("sudo", "--force")
                self.disable("sudo")
                self.restore(path, text, status)
        SETTINGS.write_text(SETTINGS.read_text() + 'check = { run_as = "tv-none"; };\n')
        self.assert_refuses("sudo", part='every login would be refused: the account "tv-none"')
        self.assert_in_status('the account "tv-none"')
        SETTINGS.write_text("nonsense")
        done = self.assert_refuses("sudo", part=f"every login would be refused: {SETTINGS}:1: ")
        self.assertNotIn("setup", done.stdout)

    def test_while_another_call_is_at_it(self):
        self.enable("sudo")
        self.disable("sudo")
        lock = os.open("/run/twilio-verify.lock", os.O_RDONLY)
        self.addCleanup(os.close, lock)
        self.assertEqual(os.fstat(lock).st_mode & 0o777, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.assert_refuses("sudo", part="another twilio-verify is changing /etc/pam.d")

    def test_who_can_read_pams_directory_can_not_keep_root_out(self):
        directory = os.open(PAM, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        fcntl.flock(directory, fcntl.LOCK_EX)
        self.enable("sudo")
        self.disable("sudo")


class Bytes(EnableCase):
    """Files in odd states."""

    TEXTS = ("@include common-auth\n",
             "@include common-auth",
             "\n\n  @include\tcommon-auth # why\n\n",
             "#%PAM-1.0\nauth [success=ok \\\n default=die] pam_unix.so # a\naccount required x.so",
             "auth required \\  \n# in between\n\n pam_unix.so\nsession required pam_limits.so\n",
             "AUTH required pam_unix.so \\\n try_first_pass\n",
             "auth\trequisite\tpam_unix.so\n-auth optional pam_absent.so\n",
             "account required pam_unix.so\nsession required y.so\nauth required pam_unix.so",
             "# " + "x" * 900 + "\nauth required pam_unix.so\n\xe4\n".encode("utf-8").decode("utf-8"))

    def test_what_was_there_comes_back_byte_for_byte(self):
        for text in self.TEXTS:
            with self.subTest(text):
                self.write(text)
                self.enable("tv-svc", "--force")
                self.assertIn(LINE, SVC.read_text())
                self.disable("tv-svc")
                self.assertEqual(SVC.read_bytes(), text.encode())

    def test_what_others_wrote_meanwhile_stays(self):
        self.write("auth required pam_unix.so\naccount required pam_unix.so\n")
        self.enable("tv-svc")
        lines = SVC.read_text().splitlines(keepends=True)
        self.write("# new\n" + lines[0] + "auth optional pam_group.so\n" +
                   lines[1].replace("verify.so", "verify.so debug") + lines[2] + "# end")
        self.disable("tv-svc")
        self.assertEqual(SVC.read_text(), "# new\nauth required pam_unix.so\nauth optional "
                         "pam_group.so\naccount required pam_unix.so\n# end")

    def test_several_services_in_any_order(self):
        before = self.files()
        self.enable("sudo", "login")
        self.enable("su")
        self.disable("login")
        self.enable("login")
        self.disable("su", "sudo")
        self.disable("login")
        self.assertEqual(self.files(), before)

    def test_several_services_of_which_some_are_refused(self):
        done = tool("enable", "sshd", "sudo", "other", "login")
        self.assertEqual(done.returncode, 1)
        for part in ("sshd is left as it was", f"sudo: enabled: {PAM}/sudo\n",
                     "other is left as it was", f"login: enabled: {PAM}/login\n"):
            self.assertIn(part, done.stdout)
        done = tool("disable", "sudo", "tv-absent", "login")
        self.assertEqual((done.returncode, done.stdout.count(": disabled: ")), (1, 3), done.stdout)

    def test_owner_mode_acl_and_attributes_are_kept(self):
        self.write("@include common-auth\n")
        os.chown(SVC, 0, grp.getgrnam("adm").gr_gid)
        SVC.chmod(0o640)
        kept = {}
        with contextlib.suppress(OSError):
            # u::rw- u:4711:r-- g::r-- m::r-- o::---, as acl(5) is stored.
            acl = bytes.fromhex("0200000001000600ffffffff020004006712000004000400ffffffff"
                                "10000400ffffffff20000000ffffffff")
            os.setxattr(SVC, "system.posix_acl_access", acl)
            kept["system.posix_acl_access"] = acl
        with contextlib.suppress(OSError):
            os.setxattr(SVC, "trusted.tv", b"kept")
            kept["trusted.tv"] = b"kept"
        before = SVC.stat()
        for change in (self.enable, self.disable):
            change("tv-svc")
            after = SVC.stat()
            self.assertEqual((after.st_uid, after.st_gid, after.st_mode),
                             (before.st_uid, before.st_gid, before.st_mode))
            self.assertEqual({name: os.getxattr(SVC, name) for name in kept}, kept)
            self.assertNotEqual(after.st_ino, before.st_ino)

    def test_the_directory_gives_the_file_no_acl(self):
        self.write("@include common-auth\n")
        SVC.chmod(0o640)
        # u::rw- u:4711:rw- g::r-- m::rw- o::---, as acl(5) is stored.
        acl = bytes.fromhex("0200000001000600ffffffff020006006712000004000400ffffffff"
                            "10000600ffffffff20000000ffffffff")
        try:
            os.setxattr(PAM, "system.posix_acl_default", acl)
        except OSError as error:
            self.skipTest(str(error))
        self.addCleanup(os.removexattr, PAM, "system.posix_acl_default")
        self.enable("tv-svc")
        self.assertEqual((os.listxattr(SVC), SVC.stat().st_mode & 0o777), ([], 0o640))

    def test_an_immutable_file_is_named(self):
        self.write("@include common-auth\n")
        if subprocess.run(["chattr", "+i", SVC], capture_output=True, check=False).returncode != 0:
            self.skipTest("this file system has no such attribute")
        self.addCleanup(run, "chattr", "-i", str(SVC))
        self.assert_refuses("tv-svc", part=f"{SVC}: it cannot be replaced: is it immutable?")

    def test_a_link_stays_a_link(self):
        target = pathlib.Path("/etc/tv-target")
        self.addCleanup(target.unlink)
        self.write("@include common-auth\n", target)
        SVC.symlink_to(target)
        self.enable("tv-svc")
        self.assertTrue(SVC.is_symlink())
        self.assertIn(LINE, target.read_text())
        self.disable("tv-svc")
        self.assertEqual((SVC.is_symlink(), target.read_text()), (True, "@include common-auth\n"))


@unittest.skipIf("sanitizers" in str(failing.BUILD), "a sanitizer has its own malloc")
class Interrupted(EnableCase):
    """A call that is killed, or in which another one of libc fails, leaves whole files."""

    def judge(self, verb, plan):
        """Each file is the old or the new one after VERB, and the next call ends it."""
        disabled = self.files()
        self.enable("sudo")
        enabled = self.files()
        before, after = (disabled, enabled) if verb == "enable" else (enabled, disabled)
        for fault in plan:
            with self.subTest(f"{verb} {fault}"):
                (self.disable if verb == "enable" else self.enable)("sudo")
                self.assertEqual(self.files(), before)
                _, done = self.faulty(fault, verb, "sudo")
                for path, text in self.files().items():
                    if not path.name.startswith("."):
                        self.assertIn(text, (before[path], after[path]), path)
                if done.returncode == 0:
                    self.assertEqual(self.files(), after)
                elif done.returncode == 1:
                    self.assertEqual(self.files(), before, done.stdout)
                    self.assertNotEqual(done.stdout + done.stderr, "")
                (self.enable if verb == "enable" else self.disable)("sudo")
                self.assertEqual(self.files(), after)

    def made(self, verb):
        if verb == "disable":
            self.enable("sudo")
        return failing.count(lambda fault: self.faulty(fault, verb, "sudo", "--force" if
                                                      verb == "enable" else "--")[0],
                            "twilio-verify")

    def test_a_kill_leaves_the_old_file_or_the_new_one(self):
        for verb in ("enable", "disable"):
            made = self.made(verb)
            self.disable("sudo")
            self.assertGreater(made["renameat"], 1)
            self.judge(verb, failing.plan_signals(made, "twilio-verify", (signal.SIGKILL,), 60))

    def test_a_call_that_fails_changes_all_files_or_none(self):
        for verb in ("enable", "disable"):
            made = self.made(verb)
            self.disable("sudo")
            made = {call: made[call] for call in ("open", "openat", "write", "fsync", "renameat",
                                                  "fchmod", "strdup", "read") if call in made}
            self.judge(verb, failing.plan(made, "twilio-verify", 40))


class SshdCase(EnableCase):
    DROP_IN = OwnSshd.DROP_INS / "00-twilio-verify.conf"
    port = 2400

    @classmethod
    def setUpClass(cls):
        cls.key = with_key()
        cls.alice = person_with_key("alicekey")
        run("usermod", "-aG", "sudo", cls.alice.name)
        cls.addClassCleanup(run, "gpasswd", "-d", cls.alice.name, "sudo")

    def setUp(self):
        super().setUp()
        stack = PAM / "sshd"
        stack.write_text(re.sub(r"(?m)^(session.*pam_motd)", r"#\1", stack.read_text()))
        self.addCleanup(self.DROP_IN.unlink, missing_ok=True)
        self.old = OwnSshd.CONFIG.read_text()
        self.addCleanup(OwnSshd.CONFIG.write_text, self.old)

    def start(self, *lines, **options):
        SshdCase.port += 1
        return self.enterContext(OwnSshd(self.port, *lines, **options))

    def assert_refuses(self, *words, **options):
        drop_in = self.DROP_IN.read_text() if self.DROP_IN.exists() else None
        done = super().assert_refuses(*words, **options)
        self.assertEqual(self.DROP_IN.read_text() if self.DROP_IN.exists() else None, drop_in)
        return done

    def enable_sshd(self, factor):
        return self.enable("sshd", "--first-factor", factor)


class SshdMethods(SshdCase):
    """A real sshd, reloaded while it runs."""

    def test_a_key_and_a_code(self):
        before = self.files()
        sshd = self.start()
        self.assert_in(sshd, self.alice, options=self.key)
        self.enable_sshd("key")
        person = person_with_key("both")
        self.assert_in(sshd, person, (CODE_PROMPT, person.code), options=self.key)
        self.assert_log(person, *APPROVED)
        self.assert_out(sshd, self.alice)
        self.assertNotIn("Match", self.DROP_IN.read_text())
        self.assertIn("enabled already", self.enable_sshd("key"))
        self.assert_refuses("sshd", "--first-factor", "password", part="first run twilio-verify disable sshd")
        stack = PAM / "sshd"
        enabled = stack.read_text()
        stack.write_text(enabled.replace(f"{LINE} after=publickey{MARK}\n", ""))
        self.enable_sshd("key")
        self.assertEqual(stack.read_text(), enabled)
        self.assert_out(sshd, self.alice)
        self.disable("sshd")
        self.assertEqual((self.files(), self.DROP_IN.exists()), (before, False))
        self.assertTrue(eventually(lambda: self.ssh(sshd, self.alice, options=self.key)[0] == 0,
                                   bool))

    def test_a_certificate_and_a_code(self):
        certified, other = machine.person("certified"), machine.person("uncertified")
        for name in ("ca", "key-of-ca"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"/run/{name}")
        run("ssh-keygen", "-q", "-s", "/run/ca", "-I", "x", "-n", certified.name,
            "/run/key-of-ca.pub")
        by_certificate = ("-i", "/run/key-of-ca", "-o", "BatchMode=yes")
        sshd = self.start("TrustedUserCAKeys /run/ca.pub")
        self.assert_in(sshd, certified, options=by_certificate)
        self.assertIn("TrustedUserCAKeys): who has a key is not checked", self.enable_sshd("key"))
        self.assert_out(sshd, certified, options=by_certificate)
        self.assert_in(sshd, certified, (CODE_PROMPT, certified.code), options=by_certificate[:2])
        self.assert_out(sshd, other, options=by_certificate[:2])
        pam = tool("check-pam", "sshd").stdout
        self.assertIn('"publickey,keyboard-interactive" asks for the code', pam)
        self.disable("sshd")

    def test_a_password_and_a_code(self):
        sshd = self.start()
        self.enable_sshd("password")
        person = machine.person("typed")
        self.assert_in(sshd, person, ("Password: ", person.password), (CODE_PROMPT, person.code))
        self.assert_out(sshd, self.alice, options=(*self.key, "-o", "BatchMode=yes"))
        self.disable("sshd")

    def test_what_others_wrote_into_the_drop_in_stays(self):
        self.DROP_IN.write_text("X11Forwarding no\nMatch User nobody\n  X11Forwarding yes")
        self.start()
        self.enable_sshd("password")
        self.assertTrue(self.DROP_IN.read_text().startswith("UsePAM yes"))
        self.disable("sshd")
        self.assertEqual(self.DROP_IN.read_text(),
                         "X11Forwarding no\nMatch User nobody\n  X11Forwarding yes")

    def test_a_service_that_includes_sshds_stack_is_named(self):
        self.write("@include sshd\n")
        self.start()
        self.assertIn("tv-svc: /etc/pam.d/sshd:5: the module refuses everybody",
                      self.enable_sshd("key"))
        self.disable("sshd")

    def test_an_include_behind_match_all(self):
        with OwnSshd(2398, head=f"Match User nobody\nMatch all\n{OwnSshd.INCLUDE}") as sshd:
            for factor, methods in (("key", "publickey"), ("password", "keyboard-interactive")):
                self.enable_sshd(factor)
                said = self.ssh(sshd, self.alice, options=("-o", "BatchMode=yes"))[1]
                self.assertIn(f"Permission denied ({methods})", said)
                self.disable("sshd")

    def test_an_sshd_that_does_not_run_needs_no_reload(self):
        with OwnSshd(2399):
            pass
        self.enable_sshd("key")
        self.disable("sshd")

    def test_a_directory_that_sshd_has_not_made_yet_is_made(self):
        with OwnSshd(2399):
            pass
        directory = pathlib.Path("/run/sshd")
        self.addCleanup(directory.mkdir, exist_ok=True)
        for change in (lambda: self.enable_sshd("key"), lambda: self.disable("sshd")):
            directory.rmdir()
            change()
            self.assertEqual(directory.stat().st_mode & 0o7777, 0o755)

    def test_disabled_again_it_reloads_what_was_not_reloaded(self):
        """As after a "disable" that was killed."""
        sshd = self.start()
        self.enable_sshd("key")
        self.disable("sshd", "--no-reload")
        by_key = (*self.key, "-o", "BatchMode=yes")
        self.assert_out(sshd, self.alice, options=by_key)
        self.assertIn("disabled already", self.disable("sshd"))
        self.assertTrue(eventually(lambda: self.ssh(sshd, self.alice, options=by_key)[0] == 0,
                                   bool))

    def test_an_exemption_by_a_match_block_is_named(self):
        for criteria in ("Group robots", "User nobody", "Address 127.0.0.1"):
            with self.subTest(criteria), OwnSshd(2398, f"Match {criteria}", "PubkeyAuthentication "
                                                 "yes", "AuthenticationMethods publickey"):
                for factor in ("key", "password"):
                    self.assertIn(f"Match {criteria}: an exemption", self.enable_sshd(factor))
                    self.disable("sshd")


class SshdRefusals(SshdCase):
    """PAM changes only after sshd was seen to have changed."""

    def test_a_configuration_that_does_not_include_the_drop_in(self):
        for head in ("", "Match User nobody\nInclude /etc/ssh/sshd_config.d/*.conf\nMatch all",
                     "AuthenticationMethods any\nInclude /etc/ssh/sshd_config.d/*.conf",
                     "Include /etc/ssh/sshd_config.d/*.other"):
            with self.subTest(head), OwnSshd(2398, head=head):
                self.assert_refuses("sshd", "--first-factor", "key",
                                    part="Include /etc/ssh/sshd_config.d/*.conf")

    def test_a_configuration_that_sshd_refuses(self):
        self.start()
        other = OwnSshd.DROP_INS / "50-other.conf"
        self.addCleanup(other.unlink)
        for text, why in (("UsePAM maybe\n", f"{other} line 1: unsupported"),
                          ("X11Forwarding no\nBogus yes\n",
                           f"{other}: line 2: Bad configuration option: Bogus")):
            with self.subTest(text):
                other.write_text(text)
                done = self.assert_refuses("sshd", "--first-factor", "key", part=why)
                self.assertIn("correct it until sshd -t prints nothing", done.stdout)

    def test_a_process_that_nobody_knows(self):
        sshd = self.start(pid_file="none")
        self.assert_refuses("sshd", "--first-factor", "key", part="neither systemd nor its PidFile")
        self.assert_in(sshd, self.alice, options=self.key)

    def test_a_reload_that_is_not_wanted(self):
        self.start()
        self.assert_refuses("sshd", "--first-factor", "key", "--no-reload", part="reloaded")

    def restart(self, sshd, *options):
        sshd.process.terminate()
        sshd.process.wait()
        sshd.process = subprocess.Popen([sshd.PROGRAM, "-D", *options], stderr=sshd.log)
        self.assertTrue(eventually(sshd._is_listening, bool))

    def restart_with_another_file(self, sshd, port):
        other = pathlib.Path("/run/other-sshd_config")
        other.write_text(sshd.config.read_text().replace(OwnSshd.INCLUDE, "")
                         .replace(f"Port {sshd.port}\n", f"Port {port}\n"))
        sshd.config, sshd.port = other, port
        self.restart(sshd, "-f", other)

    def test_an_sshd_out_of_sight(self):
        """It was started with another file, and listens elsewhere."""
        self.restart_with_another_file(self.start(), 2397)
        self.assert_refuses("sshd", "--first-factor", "key",
                            part="sshd runs, but does not listen on port 24")

    def test_an_option_of_the_command_line_that_counts_before(self):
        self.restart(self.start(), "-o", "AuthenticationMethods=any")
        for factor in ("key", "password"):
            self.assert_refuses("sshd", "--first-factor", factor,
                                part="an option -o of the running sshd")

    def test_an_sshd_that_keeps_its_methods(self):
        """It was started with another file."""
        sshd = self.start()
        self.restart_with_another_file(sshd, sshd.port)
        self.assert_refuses("sshd", "--first-factor", "key",
                            part="does not offer the new methods after its reload")
        self.assertTrue(eventually(lambda: self.ssh(sshd, self.alice, options=self.key)[0] == 0,
                                   bool))

    def test_administrators_without_the_first_factor(self):
        self.start()
        root = run("getent", "shadow", "root").split(":")[1]
        self.addCleanup(run, "usermod", "-p", root, "root")
        run("usermod", "-p", "$6$x", "root")
        run("usermod", "-p", "!", self.alice.name)
        done = self.assert_refuses("sshd", "--first-factor", "password",
                                   part=f"{self.alice.name} (sudo) has no password")
        self.assertIn(f"will be refused; passwd {self.alice.name}\n", done.stdout)
        self.assertIn("root (root) may not log in with a code (PermitRootLogin), and will be "
                      "refused\n", done.stdout)
        keys = pathlib.Path(f"/run/home/{self.alice.name}/.ssh/authorized_keys")
        text = keys.read_text()
        keys.write_text("")
        subprocess.run(["chpasswd"], input=f"{self.alice.name}:{self.alice.password}\n", text=True,
                       check=True)
        done = self.assert_refuses("sshd", "--first-factor", "key",
                                   part="every administrator would be locked out")
        self.assertIn("has no authorized_keys, and will be refused; put a key into "
                      f"~/.ssh/authorized_keys of {self.alice.name}\n", done.stdout)
        keys.write_text(text)

    def test_keys_that_are_not_in_the_homes(self):
        keys = pathlib.Path(f"/run/home/{self.alice.name}/.ssh/authorized_keys")
        text = keys.read_text()
        self.addCleanup(keys.write_text, text)
        keys.write_text("")
        elsewhere = pathlib.Path("/run/keys")
        elsewhere.write_text(text)
        for line in (f"AuthorizedKeysFile {elsewhere}",
                     "AuthorizedKeysCommand /bin/cat /run/keys\nAuthorizedKeysCommandUser nobody"):
            with self.subTest(line):
                self.start(line)
                self.assertIn("who has a key is not checked", self.enable_sshd("key"))
                self.disable("sshd")


@unittest.skipIf("sanitizers" in str(failing.BUILD), "a sanitizer has its own malloc")
class SshdInterrupted(SshdCase):
    WORDS = ("enable", "sshd", "--first-factor", "key")

    def test_a_kill_never_leaves_pam_changed_and_sshd_not(self):
        sshd = self.start()
        made = failing.count(lambda fault: self.faulty(fault, *self.WORDS)[0], "twilio-verify")
        self.assertGreater(sum(made.values()), 50)
        for fault in failing.plan_signals(made, "twilio-verify", (signal.SIGKILL,), 15):
            with self.subTest(str(fault)):
                self.disable("sshd")
                self.faulty(fault, *self.WORDS)
                if LINE in (PAM / "sshd").read_text():
                    self.assertIn("publickey,keyboard", self.DROP_IN.read_text())
                self.enable_sshd("key")
                self.assertNotIn("Match", self.DROP_IN.read_text())
        self.assert_out(sshd, self.alice)


    def test_a_call_that_fails_changes_pam_and_sshd_or_neither(self):
        self.start()
        made = failing.count(lambda fault: self.faulty(fault, *self.WORDS)[0], "twilio-verify")
        made = {call: made[call] for call in ("posix_spawn", "open", "openat", "write", "renameat",
                                              "fsync", "read", "strdup") if call in made}
        for fault in failing.plan(made, "twilio-verify", 15):
            with self.subTest(str(fault)):
                self.disable("sshd")
                before = self.files()
                _, done = self.faulty(fault, *self.WORDS)
                is_done = done.returncode == 0
                self.assertEqual(self.files() == before, not is_done, done.stdout + done.stderr)
                self.assertEqual(self.DROP_IN.exists(), is_done, done.stdout + done.stderr)


class SshdAllTheTime(SshdCase):
    """Somebody logs in all the time, by every way, while enable and disable run."""

    GONE = "Connection (closed|reset|refused)|kex_exchange|Broken pipe"

    def attempt(self, person, options, code=True):
        """(is in, how many factors were asked for and given)."""
        while True:
            asked = set()
            with self.sshd.login(person.name, options=("-o", "NumberOfPasswordPrompts=1",
                                                       *options)) as terminal:
                while True:
                    found = terminal.expect(r"assword: $", CODE_PROMPT + "$", "Permission denied",
                                            f"(?m)^{person.name}\r\n", self.GONE)
                    if found == 0:
                        asked.add("password")
                        terminal.type(person.password)
                    elif found == 1:
                        asked.add("code")
                        if not code:
                            return False, asked
                        terminal.type(person.code)
                    elif found == 4:
                        break
                    else:
                        return found == 3, asked

    def loop(self, name, make_person, options, code=True):
        """Logs in until the end; each is (name, began, ended, is in, asked)."""
        while not self.is_over.is_set():
            person = make_person()
            began = time.monotonic()
            is_in, asked = self.attempt(person, options, code)
            self.logins.append((name, began, time.monotonic(), is_in, asked))

    def run_all(self, factor):
        self.sshd, self.logins, self.is_over = self.start(), [], threading.Event()
        alone = person_with_key("alone")
        full = iter([person_with_key("full") for _ in range(40)])
        ways = [("full", lambda: next(full), self.key, True),
                ("key", lambda: alone, (*self.key, "-o", "BatchMode=yes"), False),
                ("password", lambda: alone, ("-o", "PreferredAuthentications=password",
                                             "-o", "PubkeyAuthentication=no"), False),
                ("typed", lambda: alone, ("-o", "PreferredAuthentications=keyboard-interactive",
                                          "-o", "PubkeyAuthentication=no"), False)]
        threads = [threading.Thread(target=self.loop, args=way) for way in ways]
        for thread in threads:
            thread.start()
        try:
            self.assertTrue(eventually(lambda: len(self.logins) > 6, bool))
            self.enable_sshd(factor)
            enabled = len(self.logins)
            self.assertTrue(eventually(lambda: len(self.logins) > enabled + 8, bool))
            disabling = time.monotonic()
            self.disable("sshd")
            disabled = len(self.logins)
            self.assertTrue(eventually(lambda: len(self.logins) > disabled + 6, bool))
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join()

        refused = [login for login in self.logins if login[0] == "full" and not login[3]]
        self.assertEqual(refused, [], self.logins)
        both = min(began for _, began, _, _, asked in self.logins if "code" in asked)
        for name, began, end, is_in, asked in self.logins:
            if both < began and end < disabling and is_in:
                self.assertIn("code", asked, (name, began, self.logins))
        self.assertTrue([name for name, began, _, is_in, _ in self.logins
                         if name == "key" and is_in and began > disabling], self.logins)

    def test_with_a_key_as_the_first_factor(self):
        self.run_all("key")

    def test_with_a_password_as_the_first_factor(self):
        self.run_all("password")
