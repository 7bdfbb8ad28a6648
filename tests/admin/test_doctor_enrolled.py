# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""doctor: the enrollments."""

import os
import shutil
import subprocess

from kit.admincase import OK, UNAVAILABLE, WRONG
from kit.device import Device
from kit.doctorcase import DoctorCase, load_tests, needs_root
from kit.fixture import enroll
from kit.statefile import USED, forge

UNKNOWN = "no-such-account"


class Enrollments(DoctorCase):

    def test_the_directory(self):
        self.users.chmod(0o777)
        self.assert_finds("users_dir", "writable by others")
        self.users.chmod(0o755)
        self.users.rename(self.directory / "elsewhere")
        self.assert_finds("users_dir", "does not exist", user=None)

    def test_a_damaged_file_of_anybody_s(self):
        path = enroll(self.directory, "daemon", "not an identity", "YF")
        self.assert_finds("enrollments", "daemon.conf:1", remedy="twilio-verify enroll daemon")
        path.unlink()
        self.file.chmod(0o666)
        self.assert_finds("user", "root.conf is writable by others")

    def test_a_user_who_is_not_enrolled(self):
        self.assert_finds("user", "daemon is not enrolled, and is refused", user="daemon",
                          remedy="twilio-verify enroll daemon")
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        self.assert_finds("user", "needs no code (unmapped_user", level="warning", user="daemon",
                          status=OK)
        self.assert_finds("user", "no account has exactly this name", user=UNKNOWN,
                          remedy=f"getent passwd {UNKNOWN}")

    @needs_root
    def test_a_name_in_a_command_is_quoted_for_a_shell(self):
        for name, word in ((r"DOM\alice", r"'DOM\alice'"), ("a'b c", r"'a'\''b c'"),
                           ("x$(id)", "'x$(id)'"), ("alice.b-c@d", "alice.b-c@d")):
            with self.subTest(name):
                prefix = self.with_accounts(f"{name}:x:4711:4711::/:/bin/sh")
                self.assert_finds("user", "is not enrolled", user=name, prefix=prefix,
                                  remedy=f"twilio-verify enroll {word}")
                done = subprocess.run(["sh", "-c", f"printf %s {word}"], capture_output=True,
                                      text=True, check=True)
                self.assertEqual(done.stdout, name)

    def test_a_user_whose_factor_waits_for_its_first_code(self):
        self.run_tool("enroll", "daemon", "--uri-only", status=OK)
        self.since = len(self.emulator.requests())
        for unmapped, level, status in (("deny", "wrong", WRONG), ("ignore", "warning", OK)):
            self.settings = self.configure(login={"unmapped_user": unmapped})
            report = self.assert_finds("user", "daemon is not enrolled", user="daemon", level=level,
                                       status=status)
            self.assertEqual(report["user"][0][2], "twilio-verify confirm daemon")
        # The request may have left, and the reply was lost: there is nothing to confirm.
        (self.users / ".pending" / "daemon.conf").write_text('identity = "01234567";\n')
        self.settings = self.configure()
        report = self.assert_finds("user", "daemon is not enrolled", user="daemon")
        self.assertEqual(report["user"][0][2], "twilio-verify enroll daemon")

    @needs_root
    def test_an_enrollment_that_other_names_of_its_uid_do_not_find(self):
        prefix = self.with_accounts("frank:x:4711:4711::/:/bin/sh",
                                    "frank2:x:4711:4711::/:/bin/sh")
        other = self.emulator.factor()
        self.since = len(self.emulator.requests())
        enroll(self.directory, "frank2", other.identity, other.sid)
        text = "uid 4711 is enrolled as frank2 only: a login as frank, the first name of this uid, "
        self.assert_finds("enrollments", text + "is refused", level="warning", status=OK,
                          remedy="twilio-verify enroll frank", prefix=prefix)
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        self.assert_finds("enrollments", text + "needs no code", prefix=prefix,
                          remedy="twilio-verify enroll frank")
        first = self.emulator.factor()
        self.since = len(self.emulator.requests())
        enroll(self.directory, "frank", first.identity, first.sid)
        self.assertEqual([row[0] for row in self.doctor("root", prefix=prefix)[1]["enrollments"]],
                         ["ok"])

    def test_what_was_left_unfinished_is_noted(self):
        for name, text, command in ((".pending", "waits for its first code", "confirm daemon"),
                                    (".former", "is still at Twilio", "remove --leftovers daemon")):
            directory = self.users / name
            directory.mkdir(mode=0o700)
            shutil.copy(self.file, directory / "daemon.conf")
            self.assert_finds("enrollments", f"factor of daemon {text}", level="note", status=OK,
                              remedy=f"twilio-verify {command}")

    def test_the_recovery_codes_of_a_user(self):
        self.assert_finds("recovery", "root has no recovery codes: twilio-verify recovery-codes root",
                          level="note", status=OK)
        self.run_tool("recovery-codes", "root", "--count", "3")
        self.assert_finds("recovery", "3 recovery codes remain", level="ok", status=OK)
        state = self.directory / "state" / "root.used"
        forge(state, lambda values: values.__setitem__(USED, [7, 7]))
        self.assert_finds("recovery", "no recovery code remains", level="warning", status=OK,
                          remedy="twilio-verify recovery-codes root")
        state.unlink()
        self.assert_finds("recovery", "root.used: No such file", level="warning", status=OK,
                          remedy="twilio-verify recovery-codes root")
        (self.users / "root.recovery").chmod(0o644)
        self.assert_finds("recovery", "is readable by others: chmod 0600 it", level="warning",
                          status=OK)

    def test_what_this_host_remembers_of_a_user_and_can_not_use(self):
        self.assertNotIn("memory", self.doctor("root")[1])
        self.run_tool("unlock", "root")
        self.assertNotIn("memory", self.doctor("root")[1])
        state = self.directory / "state" / "root.sent"
        state.write_bytes(b"rubbish")
        self.assert_finds("memory", "cannot store used codes of root: the user's file in "
                                    "state_dir is damaged: remove it",
                          level="warning", status=OK)
        state.unlink()
        state.symlink_to("/etc/passwd")
        self.assert_finds("memory", "must not be a symbolic link", level="warning", status=OK)
        state.unlink()
        os.mkfifo(state, 0o600)
        self.assert_finds("memory", "root.sent", level="warning", status=OK)

    def test_a_bypass(self):
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        for user in ("root", "daemon"):
            self.run_tool("bypass", user, "--for", "90m", "--reason", "lost phone", status=OK)
            self.assert_finds("bypass", f"{user} needs no code for 1 h ", level="warning",
                              status=OK, user=user, remedy=f"twilio-verify bypass --end {user}")
            if user == "root":
                self.assert_finds("dry run", "root needs no code: BYPASS, ends in ", level="ok",
                                  status=OK)
            self.run_tool("bypass", user, "--end")
            self.assertNotIn("bypass", self.doctor(user)[1])
        bypasses = self.directory / "run" / "bypass"
        (bypasses / "root").write_text("made = 1;\n")
        self.assert_finds("bypass", "has no effect: bypass/root:1: unknown key made",
                          level="warning", status=OK, remedy="twilio-verify bypass --end root")
        bypasses.chmod(0o777)
        report = self.assert_finds("runtime_dir",
                                   f"no bypass works: directory {bypasses} is writable "
                                   "by others: chmod go-w it", level="warning", status=OK)
        self.assertNotIn("bypass", report)

    def test_a_bypass_of_an_earlier_version(self):
        old = self.users / "root.bypass"
        old.write_text("")
        self.assert_finds("bypass", f"{old} is of an earlier version and no longer counts",
                          level="warning", status=OK, remedy=f"rm {old}")

    def test_two_users_with_one_factor(self):
        enroll(self.directory, "daemon", self.factor.identity, self.factor.sid)
        self.assert_finds("enrollments", "have the same factor", level="warning", status=OK,
                          remedy=f"rm {self.file}; twilio-verify enroll root")

    def enroll_push(self, device, user="root", factor_sid=None):
        text = f'identity = "{device.identity}";\npush_factor_sid = "{device.sid}";\n'
        if factor_sid is not None:
            text += f'factor_sid = "{factor_sid}";\n'
        path = enroll(self.directory, user, device.identity, device.sid)
        path.write_text(text)
        self.since = len(self.emulator.requests())

    def test_a_push_factor_is_looked_at_alone_or_beside_another(self):
        device = Device(self.emulator, self.factor.identity).enroll()
        for sid in (None, self.factor.sid):
            with self.subTest(sid):
                self.enroll_push(device, factor_sid=sid)
                report = self.assert_finds("push factor", f"{device.sid} of identity", level="ok",
                                           status=OK)
                self.assertEqual("factor" in report, sid is not None)

    def test_a_push_factor_that_cannot_be_used(self):
        remedy = "twilio-verify enroll --push-factor YF... root"
        device = Device(self.emulator, self.factor.identity).enroll(verified=False)
        self.enroll_push(device, factor_sid=self.factor.sid)
        self.assert_finds("push factor", f"{device.sid} is not verified", remedy=remedy)
        device.sid = "YF" + "0" * 32
        self.enroll_push(device, factor_sid=self.factor.sid)
        self.assert_finds("push factor", f"Twilio knows no factor {device.sid}", remedy=remedy)
        device.sid = self.factor.sid
        self.enroll_push(device)
        self.assert_finds("push factor", f"{device.sid} is a totp factor", remedy=remedy)
        device.enroll()
        enroll(self.directory, "root", device.identity, device.sid)
        self.since = len(self.emulator.requests())
        self.assert_finds("factor", f"{device.sid} is a push factor", remedy="--replace")
        self.emulator.control("fault status-403/70051 on factor-fetch")
        self.enroll_push(device)
        self.assert_finds("push factor", "may not read", level="note", status=OK)

    def test_two_users_with_one_push_factor(self):
        device = Device(self.emulator, self.factor.identity).enroll()
        self.enroll_push(device, factor_sid=self.factor.sid)
        self.enroll_push(device, "daemon")
        self.assert_finds("enrollments", "have the same factor", level="warning", status=OK)

    def test_an_unverified_factor(self):
        factor = self.emulator.factor(verified=False)
        self.since = len(self.emulator.requests())
        enroll(self.directory, "root", factor.identity, factor.sid)
        self.assert_finds("factor", "was never confirmed",
                          remedy="twilio-verify enroll --replace root")

    def test_a_factor_of_somebody_elses_identity(self):
        other = self.emulator.factor()
        self.since = len(self.emulator.requests())
        enroll(self.directory, "root", self.factor.identity, other.sid)
        self.assert_finds("factor", f"knows no factor {other.sid} of identity "
                                    f"{self.factor.identity}")

    def test_a_factor_in_a_reply_about_another_identity(self):
        self.emulator.control("fault wrong-identity on factor-fetch")
        self.assert_finds("factor", "", level="away", status=UNAVAILABLE)

    def test_a_factor_with_codes_of_another_length(self):
        factor = self.emulator.factor(code_length=8)
        self.since = len(self.emulator.requests())
        enroll(self.directory, "root", factor.identity, factor.sid)
        self.assert_finds("factor", "have 8 digits, code_length is 6")

    def test_how_long_a_code_can_be_used(self):
        for config, level, words in (
                ({}, "ok", "sha1, 6 digits, 30 s, skew 1: a code can be used for 90 s"),
                ({"skew": 0, "alg": "sha256"}, "ok", "sha256, 6 digits, 30 s, skew 0: a code can be "
                                                     "used for 30 s"),
                ({"skew": 2, "time_step": 60}, "warning", "a code can be used for 300 s")):
            with self.subTest(config):
                factor = self.emulator.factor(**config)
                enroll(self.directory, "root", factor.identity, factor.sid)
                self.since = len(self.emulator.requests())
                remedy = {"remedy": "twilio-verify enroll --replace root"} if level != "ok" else {}
                self.assert_finds("factor", words, level=level, status=OK, **remedy)
