# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""doctor: the settings, the secrets, the programs and the directories of this host."""

import os
import pathlib
import re
import shutil
import subprocess

from kit.admincase import ENVIRONMENT, OK
from kit.doctorcase import DoctorCase, load_tests, needs_root
from kit.fixture import BUILD, CHECK, MODULE, copy_program, temporary_directory

UNKNOWN = "no-such-account"


class Files(DoctorCase):
    """What lies on the host."""

    def test_settings_that_can_not_be_used(self):
        self.settings.chmod(0o666)
        report = self.assert_finds("settings", "writable by others: chmod go-w it")
        self.assertIn("module", report)
        self.assertNotIn("credentials", report)
        self.settings = self.configure(login={"attempts": 9})
        self.assert_finds("settings", "login.attempts must be a number from 1 to 5")

    def test_a_directory_above_that_others_can_write_to(self):
        self.directory.chmod(0o777)
        self.assert_finds("settings", f"directory {self.directory} is writable", level="warning",
                          remedy=f"chmod go-w {self.directory}", status=OK)

    def test_the_secret_of_the_api_key(self):
        secret = self.directory / "api-key"
        secret.chmod(0o644)
        self.assert_finds("API secret", "readable by others: chmod 0600 it")
        secret.chmod(0o600)
        secret.write_text("two\nlines\n")
        self.assert_finds("API secret", "more than one line")
        secret.unlink()
        self.assert_finds("API secret", "No such file", remedy="twilio-verify setup")

    def test_directories_above_the_secret_and_the_enrollments(self):
        for name, subject in (("secrets", "API secret"), ("people", "users_dir")):
            with self.subTest(subject), temporary_directory() as directory:
                directory.chmod(0o777)
                shutil.copy(self.directory / "api-key", directory / "api-key")
                shutil.copytree(self.users, directory / "users")
                self.settings = self.configure(
                    **({"service": {"api_key_file": directory / "api-key"}} if name == "secrets" else
                       {"check": {"users_dir": directory / "users"}}))
                self.assert_finds(subject, f"directory {directory} is writable", level="warning",
                                  remedy=f"chmod go-w {directory}", status=OK)

    def test_the_account_of_run_as(self):
        self.settings = self.configure(check={"run_as": UNKNOWN})
        self.assert_finds("run_as", f"no account {UNKNOWN}", remedy="useradd --system")
        self.settings = self.configure(check={"run_as": "root"})
        self.assert_finds("run_as", "has the user or the group of root")

    def test_the_state_directory(self):
        state = self.directory / "state"
        remedy = "install -d -m 0700 -o "
        state.chmod(0o755)
        self.assert_finds("state_dir", "its mode is not 0700", remedy=remedy)
        state.rmdir()
        self.assert_finds("state_dir", "No such file", remedy=remedy)
        state.write_text("")
        self.assert_finds("state_dir", "not a directory", remedy="remove it; " + remedy)

    @needs_root
    def test_a_state_directory_that_run_as_does_not_get_to(self):
        closed = self.directory / "closed"
        closed.mkdir(mode=0o700)
        (self.directory / "state").rename(closed / "state")
        self.settings = self.configure(check={"state_dir": closed / "state"})
        self.assert_finds("state_dir", f"nobody cannot write there: {closed}/state: Permission",
                          remedy="search permission on the parent directories")

    @needs_root
    def test_the_state_directory_is_not_run_as_s(self):
        os.chown(self.directory / "state", 0, 0)
        self.assert_finds("state_dir", "not owned by the account of run_as",
                          remedy="install -d -m 0700 -o nobody")

    def test_programs_that_are_missing_or_not_roots_alone(self):
        with temporary_directory() as directory:
            for option, subject, built in (("--module", "module", MODULE),
                                           ("--helper", "check program", CHECK)):
                with self.subTest(option):
                    path = directory / pathlib.Path(built).name
                    self.paths[option] = path
                    self.assert_finds(subject, f"{path}: No such file", remedy="install")
                    copy_program(built, path)
                    path.chmod(0o775)
                    self.assert_finds(subject, f"{path} is writable by others: chmod go-w it")
                    path.chmod(0o755)
                    self.paths[option] = built

    def test_a_check_program_that_can_not_be_run_or_is_set_user_id(self):
        with temporary_directory() as directory:
            path = self.paths["--helper"] = directory / "check"
            copy_program(CHECK, path)
            shutil.copy(CHECK.with_name("twilio.so"), directory)
            path.chmod(0o644)
            self.assert_finds("check program", "is not executable", remedy=f"chmod 0711 {path}")
            path.chmod(0o4755)
            self.assert_finds("check program", "set-user-ID", remedy=f"chmod ug-s {path}")

    def security(self):
        """A directory in which libpam looks for modules: "security" beside libpam."""
        libraries = self.directory / "lib"
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
        others = self.directory / "others"
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
        with temporary_directory() as directory:
            self.paths["--helper"] = directory / "check"
            shutil.copy(CHECK, directory / "check")
            shutil.copy(CHECK.with_name("twilio.so"), directory)
            (directory / "twilio.so").chmod(0o666)
            report = self.assert_finds("twilio.so", "is writable by others")
            self.assertEqual(report["start"][0][0], "wrong")

    def test_a_library_that_does_not_load_shows_in_the_dry_run(self):
        with temporary_directory() as directory:
            self.paths["--helper"] = directory / "check"
            shutil.copy(CHECK, directory / "check")
            (directory / "twilio.so").write_text("no library")
            self.assert_finds("from the sandbox", "cannot connect", remedy="twilio.so of another")

    @needs_root
    def test_certificates_that_run_as_can_not_read(self):
        closed = self.directory / "closed"
        closed.mkdir(mode=0o700)
        shutil.copy(self.directory / "ca.pem", closed)
        self.settings = self.configure(service={"ca_file": closed / "ca.pem"})
        self.assert_finds("ca_file", "cannot be read by nobody", remedy="let that account")
        subprocess.run(["openssl", "rehash", closed], check=True)
        self.settings = self.configure(service={"ca_file": None, "ca_path": closed})
        self.assert_finds("ca_path", f"{closed}: Permission denied")
        closed.chmod(0o744)  # to be listed, not passed through
        self.assert_finds("ca_path", "Permission denied")
        closed.chmod(0o755)
        self.assert_finds("ca_path", "can be read by nobody", level="ok", status=OK)

    def test_a_directory_of_certificates_without_the_names_of_openssl(self):
        plain = self.directory / "plain"
        plain.mkdir()
        shutil.copy(self.directory / "ca.pem", plain)
        self.settings = self.configure(service={"ca_file": None, "ca_path": plain})
        self.assert_finds("ca_path", f"openssl rehash {plain}")
