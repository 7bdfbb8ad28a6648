# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""check-pam: which services let in without a code, what it knows about their programs, its
output."""

import json
import pathlib
import shutil
import subprocess
import unittest

from kit.admincase import BUILD, OK, USAGE, WRONG, can_copy, on_a_copy, write_settings
from kit.mounts import private_mounts
from kit.pamcase import (ACCOUNT, COMMON, INCLUDE, LINE, PROFILE, ROOT, STOCK, CheckCase, can_enter,
                         recipe)


class Recipes(CheckCase):
    def levels(self, *services):
        _, findings = self.check(*services)
        return {subject: level for level, subject, *_ in findings}

    def test_stock_debian_has_no_code_anywhere(self):
        status, findings = self.check()
        self.assertEqual(status, WRONG)
        self.assertEqual([(level, subject) for level, subject, *_ in findings],
                         [("warning", name) for name in
                          ("sshd", "sudo", "sudo-i", "login", "su", "su-l")] + [("wrong", "pam")])

    def test_the_machines_own_files_can_be_followed(self):
        done = self.run_tool("check-pam", "--json")
        self.assertNotIn("libpam may refuse", done.out)
        self.assertNotIn("too many paths", done.out)

    def test_each_recipe_asks_for_a_code(self):
        for name, service in (("sudo", "sudo"), ("sudo", "sudo-i"), ("sshd-key-and-code", "sshd"),
                              ("sshd-password-and-code", "sshd"), ("one-field", "sshd"),
                              ("one-field", "vsftpd")):
            with self.subTest([name, service]):
                found = self.judge(recipe(name), service)
                self.assertEqual([line for line in found if line.startswith("ok: asks for a code")],
                                 found[:1])
        login = STOCK["login"].replace(INCLUDE, INCLUDE + recipe("login"))
        self.assertEqual(self.judge(login, "login"),
                         ["ok: asks for a code after pam_unix.so (login:4)"])

    def test_the_recipe_for_an_outage_is_a_warning_about_its_line(self):
        for before in (INCLUDE, ""):
            found = self.judge(before + recipe("outage"), "sshd")
            self.assertRegex(found[0], r"^warning: sshd:\d: no code is needed while Twilio")

    def test_the_recipe_for_an_outage_is_wrong_where_a_user_of_this_host_starts_the_service(self):
        self.install(common_auth=COMMON + recipe("outage"))
        for service in ("sudo", "sudo-i", "su", "su-l", "polkit-1", "doas", "pkexec", "chsh", "chfn"):
            for text in (INCLUDE + recipe("outage"), INCLUDE):
                with self.subTest([service, text]):
                    found = self.judge(text, service)
                    self.assertRegex(found[0], r"^wrong: [\w-]+:\d: no code is needed while Twilio "
                                     "cannot be reached, and a local user can cause that$")
        self.assertRegex(self.judge(INCLUDE, "other")[0], "^wrong: common-auth:4: no code is needed")
        for service in ("sshd", "login", "gdm-password"):
            with self.subTest(service):
                self.assertRegex(self.judge(INCLUDE, service)[0],
                                 r"^warning: common-auth:4: no code is needed while Twilio")
        status, findings = self.check()
        self.assertEqual(status, WRONG)
        self.assertEqual({subject for level, subject, text, _ in findings
                          if level == "wrong" and "can cause that" in text},
                         {"sudo", "sudo-i", "su", "su-l", "polkit-1", "doas", "pkexec", "chsh", "chfn"})

    def test_every_control_that_lets_in_during_an_outage_alone_is_found(self):
        for control, after in (("[success=ok ignore=ignore authinfo_unavail=ignore default=die]", ""),
                               ("[success=ok authinfo_unavail=2 default=die]",
                                "auth optional pam_cap.so\nauth optional pam_env.so\n"),
                               ("[success=1 authinfo_unavail=1 default=ignore]",
                                "auth requisite pam_deny.so\nauth required pam_permit.so\n"),
                               ("[success=ok authinfo_unavail=reset default=die]",
                                "auth required pam_permit.so\n")):
            with self.subTest(control):
                found = self.judge(f"{INCLUDE}auth {control} pam_twilio_verify.so\n{after}", "sudo")
                self.assertEqual(len(found), 1, found)
                self.assertRegex(found[0], r"^wrong: sudo:2: ")

    def test_the_recipes_for_exemptions_are_warnings_about_their_lines(self):
        lines = recipe("exemptions").splitlines(keepends=True)
        self.assertEqual(len(lines), 4)
        for condition, module in zip(lines[::2], ("pam_succeed_if.so", "pam_access.so")):
            self.assert_judged(INCLUDE + condition + LINE,
                               f'warning: svc:2: an exemption by "{module} ')

    def test_the_profile_of_pam_auth_update_covers_everything(self):
        self.install(common_auth=PROFILE)
        status, findings = self.check()
        self.assertEqual(status, OK)
        self.assertEqual({(level, subject) for level, subject, *_ in findings},
                         {("ok", name) for name in ("sshd", "sudo", "sudo-i", "login")} |
                         {("note", name) for name in ("su", "su-l", "chsh")} |
                         {("ok", name) for name in ("su", "su-l", "chsh")} |
                         {row[:2] for row in findings if row[1] == "sshd"})
        self.assertIn(("note", "su", f"{self.pam}/su:1: root needs no code (pam_rootok.so)", ""),
                      findings)

    def test_debians_other_ways_to_a_session_are_followed(self):
        """The lines of Debian 12's and 13's packages, with the profile."""
        self.install(common_auth=PROFILE)
        condition = "auth required pam_succeed_if.so user != root quiet_success\n"
        keyring = "-auth optional pam_gnome_keyring.so\n-auth optional pam_kwallet5.so\n"
        listfile = "auth required pam_listfile.so item=user sense=deny file=/x onerr=succeed\n"
        environment = "auth required pam_env.so readenv=1\n"
        for service, text in {
                "cockpit": "auth required pam_sepermit.so\nauth substack common-auth\n"
                           "auth optional pam_ssh_add.so\n",
                "gdm-password": "auth requisite pam_nologin.so\n" + condition + INCLUDE + keyring,
                "lightdm": "auth requisite pam_nologin.so\n" + environment + condition + INCLUDE +
                           keyring,
                "greetd": "@include login\n" + keyring,
                "vsftpd": listfile + INCLUDE + "auth required pam_shells.so\n",
                "xrdp-sesman": environment * 2 + INCLUDE + keyring,
                "polkit-1": INCLUDE, "doas": INCLUDE, "sddm": "auth requisite pam_nologin.so\n"
                + condition.replace("pam_succeed_if.so", "pam_succeed_if.so uid >= 1000") + INCLUDE,
        }.items():
            with self.subTest(service):
                self.assert_judged(text, "ok: asks for a code after pam_unix.so (common-auth:4)",
                                   service=service)
        self.assert_judged(
            "auth [success=ok user_unknown=ignore default=bad] pam_succeed_if.so user != root\n"
            "auth [success=2 module_unknown=ignore default=die] pam_sss.so require_cert_auth\n"
            "auth optional pam_echo.so no card\nauth substack common-auth\n"
            "auth requisite pam_nologin.so\n",
            'wrong: gdm-smartcard:2: "success=2 module_unknown=ignore default=die pam_sss.so" '
            "bypasses the module", service="gdm-smartcard")

    def test_what_leads_around_a_service_is_named(self):
        self.install(sudo=recipe("sudo"), gdm_password=INCLUDE, cron=INCLUDE,
                     sddm_autologin="auth required pam_permit.so\n",
                     gdm_fingerprint="auth required pam_fprintd.so\n",
                     vmtoolsd="auth requisite pam_shells.so\n" + INCLUDE)
        status, findings = self.check()
        self.assertEqual(status, WRONG)
        absent = {(level, subject) for level, subject, text, _ in findings
                  if "no auth line calls the module" in text}
        self.assertEqual(absent, {("wrong", "sudo-i"), *(("warning", name) for name in (
            "sshd", "login", "su", "su-l", "gdm-password", "gdm-fingerprint", "sddm-autologin",
            "vmtoolsd"))})

    def test_what_is_not_installed_is_not_missed(self):
        for name in ("sudo", "sudo-i"):
            (self.pam / name).unlink()
        _, findings = self.check()
        self.assertFalse({"sudo", "sudo-i"} & {subject for _, subject, *_ in findings})


@unittest.skipUnless(can_copy(), "needs root, for an /etc/pam.d of its own")
class Directories(CheckCase):
    """What lies in libpam's second directory: polkit-1 on Debian, all on other systems."""

    def setUp(self):
        super().setUp()
        self.vendor = self.directory / "vendor"
        self.vendor.mkdir()
        (self.directory / "layers").mkdir()
        self.prefix = on_a_copy(self.directory / "layers", f"mount --bind {self.pam} /etc/pam.d",
                                "mkdir -p /usr/lib/pam.d",
                                f"mount --bind {self.vendor} /usr/lib/pam.d")
        (self.vendor / "polkit-1").write_text(INCLUDE + ACCOUNT)

    def found(self, *words):
        """{(level, subject): text}"""
        _, findings = self.check(*words, prefix=self.prefix, directory=False)
        return {(level, subject): text for level, subject, text, _ in findings}

    def test_a_service_there_that_gives_root_for_the_password_alone_is_named(self):
        self.install(sudo=recipe("sudo"), sudo_i=recipe("sudo"))
        self.assertIn("no auth line calls", self.found()["warning", "polkit-1"])
        found = self.found("polkit-1")
        self.assertEqual([*found], [("wrong", "polkit-1")])
        self.assertIn("no auth line calls", found["wrong", "polkit-1"])

    def test_a_service_there_counts_until_the_first_directory_has_it(self):
        (self.vendor / "polkit-1").write_text(INCLUDE + LINE)
        self.assertEqual(self.found()["ok", "polkit-1"],
                         "asks for a code after pam_unix.so (/usr/lib/pam.d/polkit-1:2)")
        self.install(polkit_1=INCLUDE)
        found = self.found()
        self.assertIn(("warning", "polkit-1"), found)
        self.assertNotIn(("ok", "polkit-1"), found)
        (self.pam / "polkit-1").unlink()
        (self.pam / "polkit-1").symlink_to("nowhere")
        self.assertIn(("ok", "polkit-1"), self.found())

    def test_every_service_there_that_calls_the_module_is_looked_at(self):
        (self.vendor / "svc").write_text(LINE + INCLUDE)
        self.assertIn(("warning", "svc"), self.found())

    def test_pam_conf_counts_where_neither_directory_is_there(self):
        driver = (BUILD / "pam-driver", "--service", "svc", "--user", "root", "--call", "authenticate")
        line = "svc auth required pam_debug.so auth=maxtries"
        for removed, counts in (("/etc/pam.d /usr/lib/pam.d", True), ("/etc/pam.d", False),
                                ("/usr/lib/pam.d", False), ("/nosuch", False)):
            with self.subTest(removed):
                prefix = on_a_copy(self.directory / "layers", "mkdir -p /usr/lib/pam.d",
                                   f"rm -rf {removed}", f"echo '{line}' >/etc/pam.conf")
                done = subprocess.run([*prefix, *driver], capture_output=True, text=True, check=False)
                self.assertEqual("PAM_MAXTRIES" in done.stdout, counts, done.stderr)
                _, findings = self.check(prefix=prefix, directory=False)
                self.assertEqual("/etc/pam.conf is in effect, but is not checked" in
                                 [finding[2] for finding in findings], counts)

    def test_both_directories_are_named_where_neither_has_it(self):
        self.assertIn("has no file in /etc/pam.d or /usr/lib/pam.d", self.found("nosuch")["note", "nosuch"])


@unittest.skipUnless(can_copy(), "needs root, for an /etc/security of its own")
class Facts(CheckCase):
    """pam-facts: the package's, and the administrator's."""

    def setUp(self):
        super().setUp()
        self.security = self.directory / "security"
        (self.security / "twilio-verify.d").mkdir(parents=True)
        self.own = self.security / "twilio-verify.d" / "pam-facts"
        self.tool = self.directory / "twilio-verify"
        shutil.copy(BUILD / "twilio-verify", self.tool)
        self.facts = self.directory / "pam-facts"
        shutil.copy(ROOT / "conf" / "pam-facts", self.facts)
        (self.directory / "layers").mkdir()
        self.prefix = on_a_copy(self.directory / "layers", "rm -rf /usr/share/twilio-verify",
                                f"mount --bind {self.security} /etc/security")

    def found(self, *words):
        done = subprocess.run([*self.prefix, self.tool, *self.command()[1:],
                               "check-pam", "--json", "--pam-dir", self.pam, *words],
                              capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, [(row["level"], row["subject"], row["text"])
                                 for row in json.loads(done.stdout)]

    def assert_refused(self, reason):
        status, findings = self.found("sudo")
        self.assertEqual((status, findings[0]), (WRONG, ("wrong", "pam-facts", reason)))

    def test_without_the_packages_file_nothing_is_known(self):
        self.facts.unlink()
        self.assert_refused("/usr/share/twilio-verify/pam-facts: No such file or directory; "
                            "install the package twilio-verify again")

    def test_a_malformed_line_is_named(self):
        self.facts.write_text("# facts\nservice sudo logn\n")
        self.assert_refused(f'{self.facts}:2: "logn": unknown word for a service')
        shutil.copy(ROOT / "conf" / "pam-facts", self.facts)
        self.own.write_text("module pam_x.so\n")
        self.assert_refused('/etc/security/twilio-verify.d/pam-facts:1: "pam_x.so": write factor, '
                            "condition, root or nothing")
        self.own.unlink()
        self.own.mkdir()
        self.assert_refused("/etc/security/twilio-verify.d/pam-facts: Is a directory")

    def test_the_administrators_lines_replace_the_packages(self):
        self.install(svc="auth requisite pam_x.so\n" + LINE)
        self.assertIn("the code alone logs in", self.found("svc")[1][0][2])
        self.own.write_text("module pam_x.so factor never=ignore # an own module\n"
                            "service site login\n")
        self.assertEqual(self.found("svc")[1][0][0], "ok")
        self.install(site=INCLUDE)
        self.assertIn(("warning", "site"), [row[:2] for row in self.found()[1]])


@unittest.skipUnless(can_copy(), "needs root, for an /etc and a /usr of its own")
class Hosts(CheckCase):
    """The programs that call PAM."""

    def setUp(self):
        super().setUp()
        self.outside = []  # shell commands that put files there
        (self.directory / "layers").mkdir()

    def found(self, service, subject=None):
        prefix = on_a_copy(self.directory / "layers", "rm -rf /etc/proftpd /etc/samba",
                           *self.outside)
        return [f"{level}: {text}".replace(f"{self.pam}/", "") for level, _, text, _ in
                self.findings_of(service, subject, prefix=prefix)]

    def place(self, path, text, mode="0644"):
        """TEXT as the file PATH of the copy."""
        file = self.directory / path.replace("/", "_")
        file.write_text(text)
        self.outside.append(f"install -D -m {mode} {file} {path}")

    def test_a_locker_that_runs_as_the_user_refuses_everybody(self):
        for service in ("swaylock", "screen", "kde"):
            self.assert_judged(INCLUDE + LINE, "warning: a screen locker", service=service)

    def test_a_locker_whose_program_is_set_user_id_is_asked_like_others(self):
        for service, program in (("vlock", "/usr/sbin/vlock-main"), ("physlock", "/usr/bin/physlock")):
            for mode, level in (("4755", "ok"), ("0755", "warning"), ("2755", "warning")):
                with self.subTest([service, mode]):
                    self.outside = []
                    self.install(**{service: INCLUDE + LINE})
                    self.place(program, "", mode)
                    found, = self.found(service)
                    self.assertEqual(found.split(":")[0], level)

    def test_a_server_that_is_not_root_is_named_with_its_account(self):
        for service, account in {"nginx": "www-data", "apache2": "www-data",
                                 "postgresql": "postgres"}.items():
            with self.subTest(service):
                self.install(**{service: INCLUDE + LINE})
                finding, = self.findings_of(service)
                self.assertEqual(finding[0], "warning")
                self.assertEqual(finding[2], f"runs as {account}, which cannot read the settings: the "
                                             "module refuses everybody")
                self.assertIn(f"with conf=, in files of {account}", finding[3])

    def own_settings(self, owner="www-data", run_as="www-data", **groups):
        """A file of settings, with all that it names, of OWNER alone."""
        directory = self.directory / "own"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        (self.directory / "ca.pem").chmod(0o644)
        (directory / "ca.pem").write_bytes((self.directory / "ca.pem").read_bytes())
        settings = write_settings(directory, self.emulator.url, check={"run_as": run_as}, **groups)
        for path in (directory, *directory.rglob("*")):
            shutil.chown(path, owner, owner)
        self.directory.chmod(0o755)
        return settings

    def test_settings_of_its_own_are_judged_as_the_module_judges(self):
        line = LINE.replace("\n", " conf={}\n")
        settings = self.own_settings()
        for service in ("nginx", "svc"):
            with self.subTest(service):
                self.assert_judged(INCLUDE + line.format(settings),
                                   f"note: {service}:2: has settings of its own: {settings} (as www-data)",
                                   "ok: ", service=service)
        # sudo is root: it does not take www-data's files.
        self.assert_judged(INCLUDE + line.format(settings), "wrong: sudo:2: has settings of its own: ",
                           service="sudo")

    def test_an_account_that_this_host_lacks_is_not_the_one(self):
        """What pam-facts says of httpd is so on other systems."""
        line = LINE.replace("\n", " conf={}\n")
        settings = self.own_settings()
        self.assert_judged(INCLUDE + line.format(settings),
                           f"note: httpd:2: has settings of its own: {settings} (as www-data)",
                           "ok: ", service="httpd")

    def test_what_the_module_refuses_of_them_is_wrong(self):
        line = LINE.replace("\n", " conf={}\n")
        for case, change in {
                "root's settings": lambda path: shutil.chown(path, "root", "root") or path.chmod(0o640),
                "root's secret": lambda path: shutil.chown(path.parent / "api-key", "root", "root"),
                "users' directory": lambda path: (path.parent / "users").chmod(0o777),
                "somebody else's": lambda path: shutil.chown(path, "nobody"),
                "absent": pathlib.Path.unlink,
                "nonsense": lambda path: path.write_text("nonsense"),
        }.items():
            with self.subTest(case):
                settings = self.own_settings()
                change(settings)
                found = self.judge(INCLUDE + line.format(settings), "nginx")
                self.assertRegex(found[0], r"^wrong: nginx:2: has settings of its own: .* \(as www-data\)$")
        passwd = self.directory / "passwd"
        passwd.write_text(pathlib.Path("/etc/passwd").read_text() + "x:x:4242:0::/:/bin/sh\n")
        prefix = (*private_mounts(), "sh", "-c", f'mount --bind {passwd} /etc/passwd; "$@"', "sh")
        for run_as in ("root", "nosuch", "x"):
            with self.subTest(run_as):
                (self.pam / "nginx").write_text(
                    INCLUDE + line.format(self.own_settings(run_as=run_as)))
                found = self.findings_of("nginx", prefix=prefix)[0]
                self.assertEqual(found[0], "wrong")
                self.assertIn(" of run_as ", found[2] + found[3])

    def test_users_whom_settings_of_its_own_exempt_are_named(self):
        settings = self.own_settings(login={"exempt_services": ["nginx"]})
        found = self.judge(INCLUDE + LINE.replace("\n", f" conf={settings}\n"), "nginx")
        self.assertEqual(found[1], "warning: exempt_services names it: everybody logs in without a code")

    ORDER = "AuthOrder mod_auth_pam.c* mod_auth_unix.c\n"

    def proftpd(self, text, *expected):
        """What is found, but for the last finding where that is no fault."""
        self.outside = []
        self.install(proftpd=INCLUDE + LINE)
        self.place("/etc/proftpd/proftpd.conf", text)
        found = [line.split(": ", 1)[0] + ": " + line.split(": ", 1)[1].removeprefix(
            "/etc/proftpd/proftpd.conf") for line in self.found("proftpd")]
        self.assertEqual(len(found), len(expected), found)
        for one, beginning in zip(found, expected):
            self.assertEqual(one[:len(beginning)], beginning, found)
        self.assertEqual(self.found("proftpd", "programs"), [])

    def test_what_proftpd_asks_besides_pam_is_read(self):
        host = "<VirtualHost 192.0.2.1>\n{}</VirtualHost>\n"
        for text, *expected in (
                (self.ORDER, "ok: "), ("aUTHoRDER mod_auth_pam* \\\n mod_auth_unix\n", "ok: "),
                ('AuthOrder "mod_auth_pam.c*" mod_sql.c\n', "ok: "),
                ("AuthOrder mod_auth_unix.c mod_auth_pam.c*\n", "ok: "),
                ("ServerName x\n# " + self.ORDER, "wrong: : has no AuthOrder: "),
                ("AuthOrder mod_auth_pam.c mod_auth_unix.c\n",
                 "wrong: :1: AuthOrder does not give PAM the last word"),
                ("AuthOrder mod_auth_unix.c\n", "wrong: :1: AuthOrder does not give PAM"),
                ("AuthOrder mod_sql.c mod_auth_pam.c* mod_auth_unix.c\n",
                 "wrong: :1: AuthOrder asks others before PAM"),
                ("AuthOrder mod_auth_pam.c*\n", "wrong: :1: AuthOrder finds no account"),
                (self.ORDER + "AuthPAM off\n", "wrong: :2: proftpd does not call PAM"),
                (self.ORDER + "AuthPAMConfig ftp\n", 'warning: :2: uses the PAM service "ftp"'),
                (self.ORDER + "AuthPAMConfig proftpd\nAuthPAM on\n", "ok: "),
                (self.ORDER + "SFTPEngine on\n", "warning: :2: a login by an SFTP key"),
                (f"<Global>\n  {self.ORDER}</Global>\n" + host.format(""), "ok: "),
                (self.ORDER + host.format(""), "wrong: : 1 VirtualHosts have no AuthOrder"),
                (self.ORDER + host.format(self.ORDER), "ok: "),
                (host.format(self.ORDER), "wrong: : has no AuthOrder"),
                (f"<IfModule mod_auth_pam.c>\n{self.ORDER}</IfModule>\n", "ok: "),
                (f"<IfModule mod_sql.c>\n{self.ORDER}</IfModule>\n", "wrong: : has no AuthOrder"),
                (f"<IfDefine X>\n<IfModule mod_auth_pam.c>\n{self.ORDER}</IfModule>\n</IfDefine>\n",
                 "wrong: : has no AuthOrder"),
                (f"<IfModule !mod_auth_pam.c>\n{self.ORDER}</IfModule>\n",
                 "wrong: : has no AuthOrder")):
            with self.subTest(text):
                self.proftpd(text, *expected)

    def test_what_proftpd_includes_is_read(self):
        directory = self.directory / "conf.d"
        directory.mkdir()
        (directory / "order.conf").write_text(self.ORDER)
        for include in (f"Include {directory}", f"Include {directory}/",
                        f"include {directory}/*.conf",
                        f"IncludeOptional {directory}/order.conf"):
            with self.subTest(include):
                self.proftpd(include + "\n", "ok: ")
        self.proftpd("Include /nosuch/*.conf\n" + self.ORDER, "ok: ")

    def test_a_proftpd_that_can_not_be_read_leaves_the_question_open(self):
        self.install(proftpd=INCLUDE + LINE)
        self.place("/etc/proftpd/proftpd.conf", "Include /etc/proftpd/proftpd.conf\n")
        self.assertEqual([line.split(":")[0] for line in self.found("proftpd")], ["warning"])
        self.assertIn("see /etc/proftpd/proftpd.conf", self.found("proftpd", "programs")[0])

    def test_a_proftpd_that_is_not_configured_is_a_note(self):
        self.install(proftpd=INCLUDE + LINE)
        self.assertEqual([line[:5] for line in self.found("proftpd")], ["note:", "ok: a"])

    def test_samba_does_not_ask_pam(self):
        self.install(samba=INCLUDE + LINE)
        self.place("/etc/samba/smb.conf", "")
        found, = self.found("samba")
        self.assertEqual(found.split(":")[:2], ["wrong", " Samba asks for no code"])
        self.outside = []
        self.assertEqual([line[:4] for line in self.found("samba")], ["note", "ok: "])
        self.install(samba=INCLUDE)
        finding, = self.findings_of("samba")
        self.assertEqual((finding[0], finding[3]), ("wrong", ""))

    def test_what_lets_in_without_asking_pam_is_named(self):
        unit = "/etc/systemd/system/getty@tty1.service.d/x.conf"
        for service, path, text, found in (
                ("doas", "/etc/doas.conf", "permit persist  nopass alice as root\n",
                 "/etc/doas.conf: nopass: an exemption, without authentication: alice as root"),
                ("doas", "/etc/doas.conf", "permit alice # nopass\ndeny nopass bob\n", None),
                ("login", unit, "ExecStart=\nExecStart=-/sbin/agetty -a root - $TERM\n",
                 f"{unit}: an exemption, without authentication: ExecStart=-/sbin/agetty -a root"),
                ("login", unit, "ExecStart=-/sbin/agetty --noclear - $TERM\n", None)):
            with self.subTest(text):
                self.outside = []
                self.install(**{service: INCLUDE + LINE})
                self.place(path, text)
                said = [line for line in self.found(service) if line.startswith("warning: ")]
                self.assertEqual([line[9:][:len(found or "")] for line in said],
                                 [found] if found else [])

    def test_what_only_root_starts_or_what_asks_nothing_is_a_note(self):
        with_auth, without = INCLUDE + ACCOUNT, ACCOUNT
        self.install(svc=without, cron=with_auth, systemd_user=without, runuser=with_auth,
                     chpasswd=without, lightdm_greeter="auth required pam_permit.so\n", other=INCLUDE)
        for service in ("cron", "systemd-user", "runuser", "chpasswd", "lightdm-greeter", "svc"):
            with self.subTest(service):
                self.assertEqual([level for level, *_ in self.findings_of(service)], ["note"])
        self.install(cron=with_auth + LINE)
        self.assertEqual([level for level, *_ in self.findings_of("cron")], ["note"])
        self.install(sshd=without)
        self.assertEqual(self.findings_of("sshd")[0][0], "wrong")
        self.install(svc=with_auth)
        self.assertEqual(self.findings_of("svc")[0][0], "wrong")
        self.assertEqual(self.findings_of("nosuch")[1][0], "wrong")

    def test_no_remedy_is_a_command_that_refuses(self):
        self.install(swaylock=INCLUDE, nginx=INCLUDE)
        for service, level, remedy in (
                ("swaylock", "note", ""), ("nginx", "note", ""), ("nosuch", "wrong", "check the name"),
                ("common-auth", "wrong", "for all services that include common-auth use"),
                ("other", "wrong", "for all services that include common-auth use")):
            with self.subTest(service):
                found = self.findings_of(service)[-1]
                self.assertEqual(found[0], level)
                self.assertEqual(found[3][:len(remedy)] if remedy else found[3], remedy)


class Settings(CheckCase):
    def test_an_exempt_service_is_named(self):
        self.settings = self.configure(login={"exempt_services": ["svc", "bare", "alone"]})
        self.assert_judged(INCLUDE + LINE, "warning: exempt_services names it: everybody logs in "
                           "without a code")
        self.assert_judged(LINE + "auth required pam_permit.so\n", "warning: svc:1: the code is the",
                           "wrong: exempt_services names it: everybody gets in without authentication")
        self.assert_judged(LINE, "warning: svc:1: the code is the only",
                           "wrong: exempt_services names it: everybody is refused without "
                           "a question")

    def test_an_exempt_service_without_the_module_is_named_as_well(self):
        self.settings = self.configure(login={"exempt_services": ["cron", "sudo"]})
        self.install(sudo=recipe("sudo"), cron=INCLUDE)
        _, findings = self.check()
        self.assertEqual([(level, subject) for level, subject, text, _ in findings
                          if "exempt_services" in text], [("warning", "sudo"), ("note", "cron")])

    def test_users_who_are_not_enrolled_are_told_of(self):
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        self.assert_judged(INCLUDE + LINE, 'warning: unmapped_user is "ignore": a user who is not enrolled')

    def test_settings_that_can_not_be_read_are_told_of(self):
        self.settings.write_text("nonsense")
        self.install(svc=INCLUDE + LINE)
        status, findings = self.check("svc")
        self.assertEqual(status, OK)
        self.assertEqual(findings[0][:2], ("warning", "settings"))
        self.assertIn("twilio-verify.conf:1", findings[0][2])


@unittest.skipUnless(pathlib.Path("/usr/sbin/sshd").exists(), "no sshd")
@unittest.skipUnless(can_enter(), "needs root, for a /run/sshd of its own")
class Sessions(CheckCase):
    """session.minutes: who is not asked again, and where the line of session is missing."""

    LINE = "session optional pam_twilio_verify.so\n"

    def setUp(self):
        super().setUp()
        self.settings = self.configure(session={"minutes": 60})

    def test_a_service_in_the_list_is_as_exempt(self):
        found = self.judge(INCLUDE + LINE, "sudo")
        self.assertEqual(found[0], "note: session.services names it: a user in a session that has "
                                   "proved a code is not asked again")
        self.assertRegex(found[1], "^ok: asks for a code after pam_unix.so")

    def test_polkit_in_the_list_is_asked_all_the_same(self):
        self.settings = self.configure(session={"minutes": 60, "services": ["polkit-1"]})
        found = self.judge(INCLUDE + LINE, "polkit-1")
        self.assertEqual(found[0], "warning: session.services names it, but it is asked in every "
                                   "session")

    def test_a_service_in_the_list_needs_another_line_that_authenticates(self):
        self.assert_judged(LINE, "warning: sudo:1: the code is the only factor",
                           "wrong: session.services names it: a user in a session that has "
                           "proved a code is refused without a question", service="sudo")
        self.assert_judged(LINE + "auth required pam_permit.so\n",
                           "warning: sudo:1: the code is the only factor",
                           "wrong: session.services names it: a user in a session that has proved a "
                           "code gets in without authentication", service="sudo")

    def test_the_missing_line_of_session_is_found(self):
        for service, level in (("sshd", "warning"), ("login", "warning"), ("su", "note")):
            with self.subTest(service):
                found = self.judge(STOCK[service].replace(INCLUDE, INCLUDE + LINE), service)
                self.assertIn(f"{level}: session.minutes is set, but no line of session calls the "
                              "module: sudo asks for a second code after this login", found)

    def test_the_line_is_found_where_it_is_and_behind_an_include(self):
        self.install(common_session=self.LINE)
        for line in (self.LINE, "-" + self.LINE, "@include common-session\n",
                     "session include common-session\n"):
            with self.subTest(line):
                found = self.judge(INCLUDE + LINE + line, "sshd")
                self.assertEqual([text for text in found if "session" in text], [])

    def test_without_the_setting_nothing_is_said(self):
        self.settings = self.configure()
        for service in ("sshd", "sudo"):
            found = self.judge(INCLUDE + LINE, service)
            self.assertEqual([text for text in found if "session" in text], [])


class Output(CheckCase):
    def test_for_a_person_each_finding_is_a_line_and_the_last_is_the_verdict(self):
        self.install(sudo=recipe("sudo"), sudo_i=recipe("sudo"))
        done = self.run_tool("check-pam", "--pam-dir", self.pam, "--sudoers", self.sudoers, "sudo")
        self.assertEqual(done.status, OK)
        self.assertEqual(done.out.splitlines(), [
            f"ok       sudo: asks for a code after pam_unix.so ({self.pam}/sudo:2)",
            "ok       verdict: nothing bypasses the second factor"])
        self.assertEqual(done.err, "")
        done = self.run_tool("check-pam", "--pam-dir", self.pam, "su", status=WRONG)
        self.assertRegex(done.out, r"^wrong    su: .*; twilio-verify enable su\nwrong    verdict: ")

    def test_a_directory_that_is_not_there_is_wrong(self):
        done = self.run_tool("check-pam", "--pam-dir", self.directory / "nosuch", status=WRONG)
        self.assertIn("nosuch: No such file or directory", done.out)

    def test_programs_that_may_let_in_without_pam_are_named_and_the_verdict_says_so(self):
        stack = {"svc": INCLUDE + LINE, "site": INCLUDE + LINE, "doas": INCLUDE + LINE,
                 "sudo": recipe("sudo")}
        self.install(**stack)
        done = self.run_tool("check-pam", "--pam-dir", self.pam, *stack, status=OK)
        self.assertEqual([line for line in done.out.splitlines() if line.startswith("note")], [
            "note     programs: doas also lets users in without PAM: see /etc/doas.conf",
            "note     programs: it is not known whether these let users in by PAM alone: svc, site; "
            "add what you know to /etc/security/twilio-verify.d/pam-facts"])
        self.assertEqual(done.out.splitlines()[-1],
                         "ok       verdict: nothing is wrong; the notes name programs that may let users "
                         "in without PAM")

    def test_an_unknown_option_is_usage(self):
        self.run_tool("check-pam", "--nonsense", status=USAGE)
