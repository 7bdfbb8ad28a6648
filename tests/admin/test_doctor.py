# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""doctor: finds what is wrong, names the remedy, and creates no challenge."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from kit.fixture import BUILD, CHECK, MODULE, Emulator, enroll, make_certificates, temporary_folder
from kit.admincase import (ENVIRONMENT, OK, PATIENCE_SECONDS, UNAVAILABLE, USAGE, WRONG, AdminCase,
                           eventually)
from kit.pamcase import PROFILE, STOCK
from kit.statefile import USED, forge

IS_ROOT = os.geteuid() == 0
NOWHERE = "https://127.0.0.1:9"
UNKNOWN = "no-such-account"
needs_root = unittest.skipUnless(IS_ROOT, "needs root")


@contextlib.contextmanager
def expired_emulator():
    """With a certificate that ends as it begins."""
    with temporary_folder() as folder:
        make_certificates(folder)
        subprocess.run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey",
                        "ca.key", "-CAcreateserial", "-days", "0", "-extfile", "server.ext",
                        "-out", "server.pem"], cwd=folder, check=True, capture_output=True)
        time.sleep(1.1)  # the second of its making
        with Emulator(folder=folder) as emulator:
            yield emulator


class DoctorCase(AdminCase):

    def setUp(self):
        super().setUp()
        self.factor = self.emulator.factor()
        self.file = enroll(self.folder, "root", self.factor.identity, self.factor.sid)
        self.pam = self.folder / "pam.d"
        self.pam.mkdir()
        for name, text in (STOCK | {"common-auth": PROFILE}).items():
            (self.pam / name).write_text(text)
        for name, text in (("sshd_config", "UsePAM yes\nPasswordAuthentication no\n"
                            "AuthenticationMethods publickey,keyboard-interactive\n"),
                           ("sudoers", "root ALL=(ALL:ALL) ALL\n")):
            (self.folder / name).write_text(text)
        self.paths = {"--helper": CHECK, "--module": MODULE, "--pam-dir": self.pam,
                      "--sshd-config": self.folder / "sshd_config",
                      "--sudoers": self.folder / "sudoers"}
        self.since = len(self.emulator.requests())

    def words(self, *words):
        return ["doctor", *words, *(word for pair in self.paths.items() for word in pair)]

    def doctor(self, *words, **options):
        """(status, {subject: [(level, text, remedy), ...]}), and never a challenge."""
        done = self.run_tool(*self.words("--json", *words), **options)
        self.assertEqual(done.err, "")
        report = {}
        for row in json.loads(done.out):
            report.setdefault(row["subject"], []).append(
                (row["level"], row["text"], row.get("remedy", "")))
        self.assert_nothing_was_changed()
        return done.status, report

    def assert_nothing_was_changed(self):
        requests = self.emulator.requests()[self.since:]
        self.assertEqual({request.method for request in requests} - {"GET"}, set())
        self.assertEqual([r for r in requests if "Challenges" in r.path], [])

    def levels(self, report):
        return {level for rows in report.values() for level, _, _ in rows}

    def assert_finds(self, subject, text, *, level="wrong", remedy="", status=WRONG, user="root",
                     words=(), **options):
        """One finding, and the verdict and the status that it makes."""
        found, report = self.doctor(*([user] if user else []), *words, **options)
        rows = [row for row in report.get(subject, []) if text in row[1]]
        self.assertEqual([row[0] for row in rows], [level], report)
        self.assertIn(remedy, rows[0][2])
        self.assertEqual(found, status, report)
        self.assertEqual(report["verdict"][0][0],
                         {OK: "ok", WRONG: "wrong", UNAVAILABLE: "away"}[status])
        return report


class WaysRound(DoctorCase):

    def test_that_nothing_calls_the_module_yet_is_a_note(self):
        (self.pam / "common-auth").write_text(STOCK["common-auth"])
        self.assert_finds("pam", "no service calls the module", level="note", status=OK)
        done = self.run_tool("check-pam", "--pam-dir", self.pam)
        self.assertEqual(done.status, WRONG)
        self.assertIn("wrong    pam: no service calls the module", done.out)

    def test_a_line_that_ends_the_stack_before_the_module_is_named(self):
        (self.pam / "sudo").write_text("auth sufficient pam_permit.so\n@include common-auth\n")
        self.assert_finds("sudo", "sudo:1")

    def test_lines_for_one_field_are_judged(self):
        """The recipe, but for a length that is not that of a code."""
        line = "pam_twilio_verify.so"
        (self.pam / "sudo").write_text(f"auth requisite {line} split=8\n@include common-auth\n"
                                       f"auth required {line}\n")
        (self.pam / "common-auth").write_text(STOCK["common-auth"])
        self.assert_finds("sudo", "split=8, but code_length is 6: every code is refused")
        (self.pam / "sudo").write_text(f"auth requisite {line} split=6\n@include common-auth\n")
        self.assert_finds("sudo", "split= cuts off a code that no later line checks")

    def test_root_by_pam_rootok_is_not_everybody_who_is_not_enrolled(self):
        self.settings.write_text(self.settings.read_text().replace(
            "login = {", 'login = {\n  unmapped_user = "ignore";'))
        report = self.assert_finds("su", "who is not enrolled logs in without a code",
                                   level="warning", status=OK)
        self.assertEqual([row[0] for row in report["su"]], ["note", "warning"])

    def test_damaged_settings_hide_no_way_round(self):
        self.settings.write_text("service = {")
        (self.pam / "sudo").write_text("auth sufficient pam_permit.so\n@include common-auth\n")
        self.assert_finds("sudo", "sudo:1")


class Good(DoctorCase):

    def test_everything_is_good(self):
        status, report = self.doctor("root")
        self.assertEqual(status, OK, report)
        self.assertLessEqual(self.levels(report), {"ok", "note", "warning"})
        self.assertEqual([row[0] for row in report["sudo"]], ["ok"])
        self.assertEqual(report["verdict"], [("ok", "root can log in", "")])
        texts = {subject: rows[-1][1] for subject, rows in report.items()}
        self.assertIn(str(self.settings), texts["settings"])
        self.assertIn("1 of 1 files can be used", texts["enrollments"])
        self.assertIn(f"identity {self.factor.identity}", texts["user"])
        self.assertIn("is verified", texts["factor"])
        self.assertIn("its certificate is valid", texts["TLS"])
        self.assertEqual(texts["dry run"], "root is asked for a code")
        self.assertIn("it connects to", texts["from the sandbox"])
        if IS_ROOT:
            self.assertRegex(texts["privileges"], "at the question it runs as nobody, without groups")

    def test_without_a_user_it_is_about_everybody(self):
        status, report = self.doctor()
        self.assertEqual((status, report["verdict"][0][1]),
                         (OK, "the enrolled users can log in"))
        self.assertFalse({"user", "factor", "dry run"} & set(report))

    def test_for_a_person_it_is_a_line_for_each_finding_and_ends_with_the_verdict(self):
        done = self.run_tool(*self.words("root"))
        self.assertEqual((done.status, done.err), (OK, ""))
        lines = done.out.splitlines()
        self.assertEqual(lines[-1], "ok       verdict: root can log in")
        for line in lines:
            self.assertRegex(line, r"^(ok|note|warning) +[A-Za-z_. -]+: ")

    def test_it_writes_nothing(self):
        def tree():
            return {path: (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns)
                    for path in (self.folder, *self.folder.rglob("*"))}
        before = tree()
        self.doctor("root")
        self.assertEqual(tree(), before)

    def test_a_host_name_is_looked_up(self):
        self.settings = self.configure(
            service={"base_url": self.emulator.url.replace("127.0.0.1", "localhost")})
        self.assert_finds("name", "localhost has", level="ok", status=OK)

    def test_paths_have_to_be_absolute_as_for_the_module(self):
        for words in (["--helper", "check"], ["--module", "./module.so"]):
            done = self.run_tool("doctor", *words)
            self.assertEqual((done.status, done.out), (USAGE, ""))
            self.assertIn("absolute", done.err)


class Files(DoctorCase):
    """What lies on the host."""

    def test_settings_that_can_not_be_used(self):
        self.settings.chmod(0o666)
        report = self.assert_finds("settings", "writable by others: chmod go-w it")
        self.assertIn("module", report)
        self.assertNotIn("credentials", report)
        self.settings = self.configure(login={"attempts": 9})
        self.assert_finds("settings", "login.attempts must be a number from 1 to 5")

    def test_a_folder_above_that_others_can_write_to(self):
        self.folder.chmod(0o777)
        self.assert_finds("settings", f"directory {self.folder} is writable", level="warning",
                          remedy=f"chmod go-w {self.folder}", status=OK)

    def test_the_secret_of_the_api_key(self):
        secret = self.folder / "api-key"
        secret.chmod(0o644)
        self.assert_finds("API secret", "readable by others: chmod 0600 it")
        secret.chmod(0o600)
        secret.write_text("two\nlines\n")
        self.assert_finds("API secret", "more than one line")
        secret.unlink()
        self.assert_finds("API secret", "No such file", remedy="twilio-verify setup")

    def test_folders_above_the_secret_and_the_enrollments(self):
        for name, subject in (("secrets", "API secret"), ("people", "users_dir")):
            with self.subTest(subject), temporary_folder() as folder:
                folder.chmod(0o777)
                shutil.copy(self.folder / "api-key", folder / "api-key")
                shutil.copytree(self.users, folder / "users")
                self.settings = self.configure(
                    **({"service": {"api_key_file": folder / "api-key"}} if name == "secrets" else
                       {"check": {"users_dir": folder / "users"}}))
                self.assert_finds(subject, f"directory {folder} is writable", level="warning",
                                  remedy=f"chmod go-w {folder}", status=OK)

    def test_the_account_of_run_as(self):
        self.settings = self.configure(check={"run_as": UNKNOWN})
        self.assert_finds("run_as", f"no account {UNKNOWN}", remedy="useradd --system")
        self.settings = self.configure(check={"run_as": "root"})
        self.assert_finds("run_as", "has the user or the group of root")

    def test_the_state_folder(self):
        state = self.folder / "state"
        remedy = "install -d -m 0700 -o "
        state.chmod(0o755)
        self.assert_finds("state_dir", "its mode is not 0700", remedy=remedy)
        state.rmdir()
        self.assert_finds("state_dir", "No such file", remedy=remedy)
        state.write_text("")
        self.assert_finds("state_dir", "not a directory", remedy="remove it; " + remedy)

    @needs_root
    def test_a_state_folder_that_run_as_does_not_get_to(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0o700)
        (self.folder / "state").rename(closed / "state")
        self.settings = self.configure(check={"state_dir": closed / "state"})
        self.assert_finds("state_dir", f"nobody cannot write there: {closed}/state: Permission",
                          remedy="search permission on the parent directories")

    @needs_root
    def test_the_state_folder_is_not_run_as_s(self):
        os.chown(self.folder / "state", 0, 0)
        self.assert_finds("state_dir", "not owned by the account of run_as",
                          remedy="install -d -m 0700 -o nobody")

    def test_programs_that_are_missing_or_not_roots_alone(self):
        with temporary_folder() as folder:
            for option, subject, built in (("--module", "module", MODULE),
                                           ("--helper", "check program", CHECK)):
                with self.subTest(option):
                    path = folder / pathlib.Path(built).name
                    self.paths[option] = path
                    self.assert_finds(subject, f"{path}: No such file", remedy="install")
                    shutil.copy(built, path)
                    path.chmod(0o775)
                    self.assert_finds(subject, f"{path} is writable by others: chmod go-w it")
                    path.chmod(0o755)
                    self.paths[option] = built

    def test_a_check_program_that_can_not_be_run_or_is_set_user_id(self):
        with temporary_folder() as folder:
            path = self.paths["--helper"] = folder / "check"
            shutil.copy(CHECK, path)
            shutil.copy(CHECK.with_name("twilio.so"), folder)
            path.chmod(0o644)
            self.assert_finds("check program", "is not executable", remedy=f"chmod 0711 {path}")
            path.chmod(0o4755)
            self.assert_finds("check program", "set-user-ID", remedy=f"chmod ug-s {path}")

    def security(self):
        """A folder in which libpam looks for modules: "security" beside libpam."""
        libraries = self.folder / "lib"
        (libraries / "security").mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True,
                              env=ENVIRONMENT)
        libpam = re.search(r"^\tlibpam\.so\.0 .* => (.*)$", done.stdout, re.MULTILINE)[1]
        shutil.copy(libpam, libraries / "libpam.so.0")
        shutil.copy(MODULE, libraries / "security" / "pam_unix.so")  # any file of this name
        return libraries / "security", {"LD_LIBRARY_PATH": str(libraries)}

    def test_the_module_is_looked_for_where_libpam_looks(self):
        security, environment = self.security()
        del self.paths["--module"]
        report = self.assert_finds("module", f"{security}/pam_twilio_verify.so: No such file",
                                   remedy="install the packages", environment=environment)
        self.assertEqual(len(report["module"]), 1)
        shutil.copy(MODULE, security)
        self.assert_finds("module", f"{security}/pam_twilio_verify.so", level="ok", status=OK,
                          environment=environment)

    @needs_root
    def test_a_module_where_libpam_does_not_look(self):
        security, environment = self.security()
        paths = (BUILD / "paths.h").read_text()
        installed = pathlib.Path(re.search('PATHS_MODULE "(.*)"', paths)[1])
        del self.paths["--module"]
        others = self.folder / "others"
        others.mkdir()
        shutil.copy(MODULE, others)
        mount = (f"mount -t overlay -o lowerdir={others}:{installed.parent} overlay "
                 f"{installed.parent}")
        self.assert_finds("module", f"the module is {installed}, but libpam looks for modules in "
                                    f"{security}", remedy=f"-Dsecuredir={security}",
                          environment=environment, prefix=self.privately(mount))
        self.assert_finds("module", f"/security/{installed.name}", level="ok", status=OK,
                          prefix=self.privately(mount))

    def test_the_library_of_the_check_program(self):
        with temporary_folder() as folder:
            self.paths["--helper"] = folder / "check"
            shutil.copy(CHECK, folder / "check")
            shutil.copy(CHECK.with_name("twilio.so"), folder)
            (folder / "twilio.so").chmod(0o666)
            report = self.assert_finds("twilio.so", "is writable by others")
            self.assertEqual(report["start"][0][0], "wrong")

    def test_a_library_that_does_not_load_shows_in_the_dry_run(self):
        with temporary_folder() as folder:
            self.paths["--helper"] = folder / "check"
            shutil.copy(CHECK, folder / "check")
            (folder / "twilio.so").write_text("no library")
            self.assert_finds("from the sandbox", "cannot connect", remedy="twilio.so of another")

    @needs_root
    def test_certificates_that_run_as_can_not_read(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0o700)
        shutil.copy(self.folder / "ca.pem", closed)
        self.settings = self.configure(service={"ca_file": closed / "ca.pem"})
        self.assert_finds("ca_file", "cannot be read by nobody", remedy="let that account")
        subprocess.run(["openssl", "rehash", closed], check=True)
        self.settings = self.configure(service={"ca_file": None, "ca_path": closed})
        self.assert_finds("ca_path", f"{closed}: Permission denied")
        closed.chmod(0o744)  # to be listed, not passed through
        self.assert_finds("ca_path", "Permission denied")
        closed.chmod(0o755)
        self.assert_finds("ca_path", "can be read by nobody", level="ok", status=OK)

    def test_a_folder_of_certificates_without_the_names_of_openssl(self):
        plain = self.folder / "plain"
        plain.mkdir()
        shutil.copy(self.folder / "ca.pem", plain)
        self.settings = self.configure(service={"ca_file": None, "ca_path": plain})
        self.assert_finds("ca_path", f"openssl rehash {plain}")


class Enrollments(DoctorCase):

    def test_the_folder(self):
        self.users.chmod(0o777)
        self.assert_finds("users_dir", "writable by others")
        self.users.chmod(0o755)
        self.users.rename(self.folder / "elsewhere")
        self.assert_finds("users_dir", "does not exist", user=None)

    def test_a_damaged_file_of_anybody_s(self):
        path = enroll(self.folder, "daemon", "not an identity", "YF")
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
        done = self.run_tool("enroll", "daemon", "--uri-only")
        self.assertEqual(done.status, OK, done.err)
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
        enroll(self.folder, "frank2", other.identity, other.sid)
        text = "uid 4711 is enrolled as frank2 only: a login as frank, the first name of this uid, "
        self.assert_finds("enrollments", text + "is refused", level="warning", status=OK,
                          remedy="twilio-verify enroll frank", prefix=prefix)
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        self.assert_finds("enrollments", text + "needs no code", prefix=prefix,
                          remedy="twilio-verify enroll frank")
        first = self.emulator.factor()
        self.since = len(self.emulator.requests())
        enroll(self.folder, "frank", first.identity, first.sid)
        self.assertEqual([row[0] for row in self.doctor("root", prefix=prefix)[1]["enrollments"]],
                         ["ok"])

    def test_what_was_left_unfinished_is_noted(self):
        for name, command in ((".pending", "confirm daemon"), (".former", "remove daemon --leftovers")):
            folder = self.users / name
            folder.mkdir(mode=0o700)
            shutil.copy(self.file, folder / "daemon.conf")
            self.assert_finds("enrollments", f"twilio-verify {command}", level="note", status=OK)

    def test_the_recovery_codes_of_a_user(self):
        self.assert_finds("recovery", "root has no recovery codes: twilio-verify recovery-codes root",
                          level="note", status=OK)
        self.run_tool("recovery-codes", "root", "--count", "3")
        self.assert_finds("recovery", "3 recovery codes remain", level="ok", status=OK)
        state = self.folder / "state" / "root.used"
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
        state = self.folder / "state" / "root.sent"
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
            done = self.run_tool("bypass", user, "--for", "90m", "--reason", "lost phone")
            self.assertEqual(done.status, OK, done.err)
            self.assert_finds("bypass", f"{user} needs no code for 1 h ", level="warning",
                              status=OK, user=user, remedy=f"twilio-verify bypass {user} --end")
            if user == "root":
                self.assert_finds("dry run", "root needs no code: BYPASS, ends in ", level="ok",
                                  status=OK)
            self.run_tool("bypass", user, "--end")
            self.assertNotIn("bypass", self.doctor(user)[1])
        bypasses = self.folder / "run" / "bypass"
        (bypasses / "root").write_text("made = 1;\n")
        self.assert_finds("bypass", "has no effect: bypass/root:1: unknown key made",
                          level="warning", status=OK, remedy="twilio-verify bypass root --end")
        bypasses.chmod(0o777)
        report = self.assert_finds("runtime_dir", f"no bypass works: directory {bypasses} is writable "
                                   "by others: chmod go-w it", level="warning", status=OK)
        self.assertNotIn("bypass", report)

    def test_a_bypass_of_an_earlier_version(self):
        old = self.users / "root.bypass"
        old.write_text("")
        self.assert_finds("bypass", f"{old} is of an earlier version and no longer counts",
                          level="warning", status=OK, remedy=f"rm {old}")

    def test_two_users_with_one_factor(self):
        enroll(self.folder, "daemon", self.factor.identity, self.factor.sid)
        self.assert_finds("enrollments", "have the same factor", level="warning", status=OK,
                          remedy=f"rm {self.file}; twilio-verify enroll root")

    def test_an_unverified_factor(self):
        factor = self.emulator.factor(verified=False)
        self.since = len(self.emulator.requests())
        enroll(self.folder, "root", factor.identity, factor.sid)
        self.assert_finds("factor", "was never confirmed",
                          remedy="twilio-verify enroll root --replace")

    def test_a_factor_of_somebody_elses_identity(self):
        other = self.emulator.factor()
        self.since = len(self.emulator.requests())
        enroll(self.folder, "root", self.factor.identity, other.sid)
        self.assert_finds("factor", f"knows no factor {other.sid} of identity "
                                    f"{self.factor.identity}")

    def test_a_factor_in_a_reply_about_another_identity(self):
        self.emulator.control("fault wrong-identity on factor-fetch")
        self.assert_finds("factor", "", level="away", status=UNAVAILABLE)

    def test_a_factor_with_codes_of_another_length(self):
        factor = self.emulator.factor(code_length=8)
        self.since = len(self.emulator.requests())
        enroll(self.folder, "root", factor.identity, factor.sid)
        self.assert_finds("factor", "have 8 digits, code_length is 6")

    def test_how_long_a_code_can_be_used(self):
        for config, level, words in (
                ({}, "ok", "sha1, 6 digits, 30 s, skew 1: a code can be used for 90 s"),
                ({"skew": 0, "alg": "sha256"}, "ok", "sha256, 6 digits, 30 s, skew 0: a code can be "
                                                     "used for 30 s"),
                ({"skew": 2, "time_step": 60}, "warning", "a code can be used for 300 s")):
            with self.subTest(config):
                factor = self.emulator.factor(**config)
                enroll(self.folder, "root", factor.identity, factor.sid)
                self.since = len(self.emulator.requests())
                remedy = {"remedy": "twilio-verify enroll root --replace"} if level != "ok" else {}
                self.assert_finds("factor", words, level=level, status=OK, **remedy)


class Network(DoctorCase):

    def test_nobody_answers(self):
        self.settings = self.configure(service={"base_url": NOWHERE})
        report = self.assert_finds("connection", NOWHERE, level="away", remedy="firewall",
                                   status=UNAVAILABLE)
        self.assertEqual(report["from the sandbox"][0][0], "away")
        self.assertEqual(report["dry run"][0][0], "ok")

    def test_something_wrong_on_the_host_is_more_than_a_silent_network(self):
        self.settings = self.configure(service={"base_url": NOWHERE})
        (self.folder / "state").chmod(0o755)
        self.assertEqual(self.doctor("root")[0], WRONG)

    def test_twilio_does_not_answer(self):
        for fault in ("status-503", "status-429/20429", "bad-json", "close-before"):
            with self.subTest(fault):
                self.emulator.control("fault clear")
                self.emulator.control(f"fault {fault} on service-fetch")
                status, report = self.doctor("root")
                self.assertEqual((status, report["verdict"][0][0]), (UNAVAILABLE, "away"))

    def test_a_name_that_nobody_knows(self):
        self.settings = self.configure(service={"base_url": "https://twilio-verify.invalid",
                                                "timeout_seconds": 2})
        status, report = self.doctor()
        self.assertIn(status, (WRONG, UNAVAILABLE))
        self.assertIn(report["name"][0][0], ("wrong", "away"))
        self.assertIn("twilio-verify.invalid", report["name"][0][1])
        self.assertIn("resolv.conf", report["name"][0][2])

    def test_the_name_of_a_proxy_is_the_one_that_is_looked_up(self):
        self.settings = self.configure(service={"proxy": "http://localhost:9"})
        self.assert_finds("name", "localhost has", level="ok", status=UNAVAILABLE)

    def test_bad_credentials(self):
        (self.folder / "api-key").write_text("wrong-secret-0123456789abcdef\n")
        report = self.assert_finds("credentials", "20003: the credentials are wrong")
        self.assertEqual(report["TLS"][0][0], "ok")

    def test_a_service_that_is_not_there(self):
        self.settings = self.configure(service={"service_sid": "VA" + "0" * 32})
        self.assert_finds("credentials", "no such service", user=None)

    def test_a_restricted_key_is_not_a_fault(self):
        for operation, subject in (("service-fetch", "credentials"), ("factor-fetch", "factor")):
            self.emulator.control("fault clear")
            self.emulator.control(f"fault status-403/70051 on {operation}")
            self.assert_finds(subject, "may not read", level="note", status=OK)

    def test_the_administrators_key(self):
        (self.folder / "admin-key").write_text("wrong-secret-0123456789abcdef\n")
        (self.folder / "admin-key").chmod(0o600)
        words = ("--api-key-sid", "SK" + "3" * 32, "--api-key-file", self.folder / "admin-key")
        self.assert_finds("admin's key", "credentials are wrong", words=words)
        self.assert_finds("admin's key", "must be given together", words=words[:2])

    def test_a_certificate_that_ended(self):
        with expired_emulator() as emulator:
            shutil.copy(emulator.ca_file, self.folder / "ca.pem")
            self.settings = self.configure(service={"base_url": emulator.url})
            self.assert_finds("TLS", "expired", remedy="check the clock (timedatectl)")
            self.assertEqual(emulator.stats()["requests"], 0)

    def test_a_certificate_of_somebody_elses(self):
        with temporary_folder() as folder:
            make_certificates(folder)
            shutil.copy(folder / "ca.pem", self.folder / "ca.pem")
        self.assert_finds("TLS", "certificate", remedy="a proxy answers in Twilio's place")

    def test_a_wrong_clock_is_a_warning_as_codes_are_checked_with_twilios(self):
        for shift, words in (("-90", "90 s ahead of"), ("+20", "20 s behind"), ("+90", " behind")):
            with self.subTest(shift):
                self.emulator.control("clock real")
                self.emulator.control(f"clock {shift}")
                report = self.assert_finds("clock", words[-6:], level="warning", status=OK,
                                           remedy="timedatectl set-ntp true")
                self.assertIn("this host's clock is", report["clock"][0][1])
        self.emulator.control("clock real")
        self.emulator.control("clock +5")
        self.assert_finds("clock", "from Twilio's", level="ok", status=OK)


class DryRun(DoctorCase):

    def test_it_asks_twilio_nothing(self):
        def paths(*words):
            since = len(self.emulator.requests())
            self.doctor(*words)
            return [request.path.split("/")[3::2] for request in self.emulator.requests()[since:]]
        self.assertEqual([len(path) for path in paths()], [1])  # the service
        self.assertEqual([len(path) for path in paths("root")], [1, 3])  # and the factor

    def test_no_challenge_whatever_the_settings_and_however_often(self):
        for login in ({"create_challenge": "at_prompt"}, {"create_challenge": "with_code"},
                      {"attempts": 1}, {"attempts": 5, "code_length": 8},
                      {"unmapped_user": "ignore"}):
            with self.subTest(login):
                self.settings = self.configure(login=login)
                for _ in range(5):
                    self.doctor("root")
        self.assertEqual(self.operations()["create"], 0)

    def test_what_it_sends_first_keeps_the_check_program_from_creating_one(self):
        """Even where the tool is stopped right after, and never hangs up."""
        with subprocess.Popen([CHECK, "--settings", self.settings], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as check:
            check.stdin.write(b"login 2 twilio-verify-doctor root\n-\n")
            check.stdin.flush()
            for _ in range(2):
                self.assertTrue(check.stdout.readline().startswith(b"ask-secret "))
            time.sleep(0.5)
            self.assert_nothing_was_changed()
            check.stdin.close()
        self.assert_nothing_was_changed()

    def script(self, text):
        """In place of the check program."""
        path = self.paths["--helper"] = self.folder / "script"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def test_it_answers_before_the_question_with_a_malformed_code(self):
        self.script(f"""read -r login; echo "$login" >>{self.folder}/heard
case $login in *" root") read -r answer; echo "$answer" >>{self.folder}/heard ;; esac
echo "ask-secret Code: "; while read -r answer; do echo "ask-secret Code: "; done
""")
        self.assertEqual(self.doctor("root")[1]["dry run"][0][0], "ok")
        self.assertEqual((self.folder / "heard").read_text().splitlines(),
                         ["login 2 twilio-verify-doctor /", "login 2 twilio-verify-doctor root",
                          "-"])

    def test_it_starts_the_check_program_without_an_environment_and_with_the_settings_alone(self):
        self.script(f"""tr '\\0' '\\n' </proc/$$/environ >{self.folder}/environment
tr '\\0' ' ' </proc/$$/cmdline >{self.folder}/words; read -r login; echo "ask-secret Code: "
while read -r answer; do echo "ask-secret Code: "; done
""")
        self.doctor("root")
        self.assertEqual((self.folder / "environment").read_text(), "")
        self.assertEqual((self.folder / "words").read_text().split()[1:],
                         [str(self.folder / "script"), "--settings", str(self.settings)])

    @needs_root
    def test_a_check_program_that_stays_root_is_found(self):
        self.script("""read -r login; echo "ask-secret Code: "
while read -r answer; do echo "ask-secret Code: "; done
""")
        report = self.assert_finds("privileges", "it does not run as nobody alone", user=None)
        self.assertEqual(report["seccomp"][0][0], "warning")
        self.assertNotIn("active", report["Landlock"][0][1])

    @unittest.skipUnless(pathlib.Path("/proc/sys/kernel/seccomp").exists(), "no seccomp here")
    def test_the_real_one_has_a_sandbox(self):
        report = self.doctor()[1]
        self.assertEqual(report["seccomp"], [("ok", "the filter is active", "")])
        self.assertRegex(report["Landlock"][0][1], r"^the sandbox is active, version \d+$"
                         if report["Landlock"][0][0] == "ok" else "not")

    def test_with_one_attempt_the_connection_does_not_show(self):
        self.settings = self.configure(login={"attempts": 1})
        self.assert_finds("from the sandbox", "cannot show", level="note", status=OK)

    def test_what_the_check_program_says_is_told(self):
        self.paths["--helper"] = "/bin/false"
        self.assert_finds("start", "ended without a verdict")

    def test_ctrl_c_ends_it_at_once(self):
        self.settings = self.configure(service={"timeout_seconds": 30})
        self.emulator.control("fault no-answer on service-fetch")
        requests = self.emulator.stats()["requests"]
        with subprocess.Popen(self.command(*self.words("root")), env=ENVIRONMENT,
                              stdout=subprocess.DEVNULL) as tool:
            self.assertTrue(eventually(lambda: self.emulator.stats()["requests"] > requests))
            tool.send_signal(signal.SIGINT)
            self.assertEqual(tool.wait(PATIENCE_SECONDS), -signal.SIGINT)
        self.assert_nothing_was_changed()
