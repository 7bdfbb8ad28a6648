# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""check-pam: which stacks, which sshd_config and which sudoers let in without a code, and by which
line."""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import unittest

from kit.admincase import BUILD, OK, USAGE, WRONG, AdminCase, can_copy, on_a_copy, write_settings
from kit.mounts import private_mounts

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = ROOT / "conf" / "pam.d"
LINE = "auth required pam_twilio_verify.so\n"
DENY = "auth required pam_deny.so\n"

# What Debian 12 and 13 install, the lines of auth.
COMMON = ("auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n"
          "auth required pam_permit.so\n")
ACCOUNT = "account required pam_unix.so\nsession required pam_unix.so\n"
INCLUDE = "@include common-auth\n"
STOCK = {
    "common-auth": COMMON + "auth optional pam_cap.so\n",
    "other": INCLUDE,
    "sshd": INCLUDE + "account required pam_nologin.so\n" + ACCOUNT,
    "sudo": "#%PAM-1.0\nsession required pam_limits.so\n" + INCLUDE + ACCOUNT,
    "sudo-i": "#%PAM-1.0\nsession required pam_limits.so\n" + INCLUDE + ACCOUNT,
    "login": "auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\n" +
             INCLUDE + "auth optional pam_group.so\n" + ACCOUNT,
    "su": "auth sufficient pam_rootok.so\n" + INCLUDE + ACCOUNT,
    "su-l": "auth include su\naccount include su\n",
    "chsh": "auth required pam_shells.so\nauth sufficient pam_rootok.so\n" + INCLUDE,
    "passwd": "@include common-password\n",
    "common-password": "password required pam_unix.so\n",
    "runuser": "auth sufficient pam_rootok.so\nsession required pam_unix.so\n",
}
# As pam-auth-update writes it with conf/pam-configs/twilio-verify.
PROFILE = COMMON + LINE + "auth optional pam_cap.so\n"

# sshd wants its folder, which is there while it runs.
ENTER = (*private_mounts(), "sh", "-c",
         'mount -t tmpfs none /run && mkdir /run/sshd && exec "$@"', "sh")


def recipe(name):
    """The lines of a recipe that are no comment."""
    return "".join(line for line in (RECIPES / name).read_text().splitlines(keepends=True)
                   if not line.startswith("#") and line.strip())


def can_enter():
    return subprocess.run([*ENTER, "true"], capture_output=True, check=False).returncode == 0


class CheckCase(AdminCase):
    def setUp(self):
        super().setUp()
        self.pam = self.folder / "pam.d"
        self.pam.mkdir()
        self.install(**STOCK)
        self.sudoers = self.folder / "sudoers"
        self.sudoers.write_text("Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n")

    def install(self, **files):
        for name, text in files.items():
            (self.pam / name.replace("_", "-")).write_text(text)

    def check(self, *words, prefix=(), folder=True):
        """(status, [(level, subject, text, remedy)]), without the verdict."""
        words = ["--pam-dir", self.pam, *words] if folder else words
        done = self.run_tool("check-pam", "--json", "--sudoers", self.sudoers, *words,
                             prefix=prefix)
        findings = [(row["level"], row["subject"], row["text"], row.get("remedy", ""))
                    for row in json.loads(done.out)]
        self.assertEqual(findings[-1][1], "verdict")
        self.assertEqual(done.status, WRONG if findings[-1][0] == "wrong" else OK)
        return done.status, findings[:-1]

    def findings_of(self, service, subject=None, **options):
        """Those about SUBJECT, or the service itself, where it is named."""
        _, findings = self.check(service, **options)
        return [finding for finding in findings if finding[1] == (subject or service)]

    def judge(self, text, service="svc"):
        """["level: text"] of one service with the stack TEXT."""
        (self.pam / service).write_text(text)
        return [f"{level}: {text}".replace(f"{self.pam}/", "")
                for level, _, text, _ in self.findings_of(service)]

    def assert_judged(self, text, *expected, service="svc"):
        """Each finding, in order, begins with what is expected of it."""
        found = self.judge(text, service)
        self.assertEqual(len(found), len(expected), found)
        for one, beginning in zip(found, expected):
            self.assertEqual(one[:len(beginning)], beginning, found)


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
                     gdm_fingerprint="auth required pam_fprintd.so\n")
        status, findings = self.check()
        self.assertEqual(status, WRONG)
        absent = {(level, subject) for level, subject, text, _ in findings
                  if "no auth line calls the module" in text}
        self.assertEqual(absent, {("wrong", "sudo-i"), *(("warning", name) for name in (
            "sshd", "login", "su", "su-l", "gdm-password", "gdm-fingerprint", "sddm-autologin"))})

    def test_what_is_not_installed_is_not_missed(self):
        for name in ("sudo", "sudo-i"):
            (self.pam / name).unlink()
        _, findings = self.check()
        self.assertFalse({"sudo", "sudo-i"} & {subject for _, subject, *_ in findings})


@unittest.skipUnless(can_copy(), "needs root, for an /etc/pam.d of its own")
class Folders(CheckCase):
    """What lies in libpam's second folder, as polkit-1 does on Debian and all on other systems."""

    def setUp(self):
        super().setUp()
        self.vendor = self.folder / "vendor"
        self.vendor.mkdir()
        (self.folder / "layers").mkdir()
        self.prefix = on_a_copy(self.folder / "layers", f"mount --bind {self.pam} /etc/pam.d",
                                "mkdir -p /usr/lib/pam.d",
                                f"mount --bind {self.vendor} /usr/lib/pam.d")
        (self.vendor / "polkit-1").write_text(INCLUDE + ACCOUNT)

    def found(self, *words):
        """{(level, subject): text}"""
        _, findings = self.check(*words, prefix=self.prefix, folder=False)
        return {(level, subject): text for level, subject, text, _ in findings}

    def test_a_service_there_that_gives_root_for_the_password_alone_is_named(self):
        self.install(sudo=recipe("sudo"), sudo_i=recipe("sudo"))
        self.assertIn("no auth line calls", self.found()["warning", "polkit-1"])
        found = self.found("polkit-1")
        self.assertEqual([*found], [("wrong", "polkit-1")])
        self.assertIn("no auth line calls", found["wrong", "polkit-1"])

    def test_a_service_there_counts_until_the_first_folder_has_it(self):
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

    def test_pam_conf_counts_where_neither_folder_is_there(self):
        driver = (BUILD / "pam-driver", "--service", "svc", "--user", "root", "--call", "authenticate")
        line = "svc auth required pam_debug.so auth=maxtries"
        for removed, counts in (("/etc/pam.d /usr/lib/pam.d", True), ("/etc/pam.d", False),
                                ("/usr/lib/pam.d", False), ("/nosuch", False)):
            with self.subTest(removed):
                prefix = on_a_copy(self.folder / "layers", "mkdir -p /usr/lib/pam.d",
                                   f"rm -rf {removed}", f"echo '{line}' >/etc/pam.conf")
                done = subprocess.run([*prefix, *driver], capture_output=True, text=True, check=False)
                self.assertEqual("PAM_MAXTRIES" in done.stdout, counts, done.stderr)
                _, findings = self.check(prefix=prefix, folder=False)
                self.assertEqual("/etc/pam.conf is in effect, but is not checked" in
                                 [finding[2] for finding in findings], counts)

    def test_both_folders_are_named_where_neither_has_it(self):
        self.assertIn("has no file in /etc/pam.d or /usr/lib/pam.d", self.found("nosuch")["note", "nosuch"])


@unittest.skipUnless(can_copy(), "needs root, for an /etc/security of its own")
class Facts(CheckCase):
    """pam-facts: the package's, and the administrator's."""

    def setUp(self):
        super().setUp()
        self.security = self.folder / "security"
        (self.security / "twilio-verify.d").mkdir(parents=True)
        self.own = self.security / "twilio-verify.d" / "pam-facts"
        self.tool = self.folder / "twilio-verify"
        shutil.copy(BUILD / "twilio-verify", self.tool)
        self.facts = self.folder / "pam-facts"
        shutil.copy(ROOT / "conf" / "pam-facts", self.facts)
        (self.folder / "layers").mkdir()
        self.prefix = on_a_copy(self.folder / "layers", "rm -rf /usr/share/twilio-verify",
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
        self.assert_refused('/etc/security/twilio-verify.d/pam-facts:1: "": write factor, condition, '
                            "root or nothing")
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


class Stacks(CheckCase):
    def test_a_way_round_is_named_by_its_line(self):
        for text, *expected in (
                ("auth [success=done default=die] pam_unix.so\n" + LINE,
                 "wrong: svc:2: the module is never called",
                 'wrong: svc:1: "success=done default=die pam_unix.so" bypasses the module'),
                ("auth sufficient pam_unix.so\n" + LINE,
                 'wrong: svc:1: "sufficient pam_unix.so" bypasses the module: users whom it '
                 "accepts are not asked for a code", "wrong: svc:2: the code alone logs in, also after pam_unix.so "
                 "refused (svc:1)"),
                ("auth requisite pam_unix.so\nauth [success=1 default=ignore] pam_permit.so\n" + LINE
                 + "auth required pam_permit.so\n",
                 "wrong: svc:3: the module is never called",
                 'wrong: svc:2: "success=1 default=ignore pam_permit.so" bypasses the module'),
                ("auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" + LINE
                 + "auth required pam_permit.so\n",
                 "wrong: svc:3: the module is never called",
                 'wrong: svc:1: "success=2 default=ignore pam_unix.so" bypasses the module'),
                (INCLUDE + "auth [success=1 default=ignore] pam_succeed_if.so user ingroup robots\n"
                 + LINE, 'warning: svc:2: an exemption by "pam_succeed_if.so user '
                 'ingroup robots": users whom it accepts are not asked for a code'),
                ("auth sufficient pam_succeed_if.so user ingroup nopasswdlogin\n" + INCLUDE + LINE,
                 'warning: svc:1: an exemption by "pam_succeed_if.so user '
                 'ingroup nopasswdlogin": users whom it accepts are not authenticated at all'),
                ("auth sufficient pam_rootok.so\n" + INCLUDE + LINE,
                 "note: svc:1: root needs no code", "ok: "),
                ("auth sufficient pam_u2f.so\n" + INCLUDE + LINE,
                 'wrong: svc:1: "sufficient pam_u2f.so" bypasses the module'),
                ("auth [default=1] pam_nosuch.so\n" + LINE + "auth required pam_permit.so\n",
                 "wrong: svc:2: the module is never called", "wrong: svc:1: ")):
            with self.subTest(text):
                self.assert_judged(text, *expected)

    def test_two_ways_round_are_two_findings(self):
        self.assert_judged("auth sufficient pam_unix.so\nauth sufficient pam_sss.so\n" + LINE,
                           "wrong: svc:1: ", "wrong: svc:2: ", "wrong: svc:3: ")

    def test_done_ends_an_include_and_not_a_substack(self):
        self.install(system="auth sufficient pam_unix.so\nauth requisite pam_deny.so\n")
        self.assert_judged("auth substack system\n" + LINE,
                           "warning: svc:2: the module asks also after pam_unix.so refused (system:1)")
        self.assert_judged("auth include system\n" + LINE, "wrong: svc:2: the module is never called",
                           'wrong: system:1: "sufficient pam_unix.so" bypasses the module')

    def test_a_way_round_within_a_substack_is_named(self):
        self.install(system="auth requisite pam_unix.so\nauth [success=1 default=ignore] pam_krb5.so\n" +
                     LINE + "auth required pam_permit.so\n")
        self.assert_judged("auth substack system\n", 'wrong: system:2: "success=1 default=ignore ')

    def test_a_jump_counts_a_substack_as_one_line(self):
        self.install(code=LINE + "auth optional pam_cap.so\n")
        before = "auth requisite pam_unix.so\n"
        jump = "auth [success=1 default=ignore] pam_localuser.so\n"
        after = "auth required pam_permit.so\n"
        self.assert_judged(before + jump + "auth substack code\n" + after,
                           "warning: svc:2: an exemption")
        self.assert_judged(before + jump + "auth include code\n" + after,
                           "warning: svc:2: an exemption")

    def test_a_control_that_ignores_a_refusal_is_wrong(self):
        for control, words in (
                ("optional", "service_err, system_err, auth_err, authinfo_unavail, maxtries, "
                             "conv_err, module_unknown"),
                ("sufficient", None), ("[default=ignore]", None),
                ("[success=ok system_err=ignore default=die]", "system_err"),
                ("[success=ok ignore=ignore auth_err=ignore default=bad]", "auth_err"),
                ("[success=ok conv_err=1 default=bad]", "conv_err"),
                ("[success=ok authinfo_unavail=ignore maxtries=ignore default=die]",
                 "authinfo_unavail, maxtries")):
            with self.subTest(control):
                found, = self.judge(f"{INCLUDE}auth {control} pam_twilio_verify.so\n"
                                    "auth optional pam_cap.so\nauth optional pam_env.so\n")
                self.assertTrue(found.startswith(
                    f'wrong: svc:2: the control "{control.strip("[]")}" lets in'), found)
                if words:
                    self.assertTrue(found.endswith(f"({words})"), found)

    def test_only_unavailable_is_a_warning(self):
        control = "[success=ok ignore=ignore authinfo_unavail=ignore default=die]"
        self.assert_judged(f"{INCLUDE}auth {control} pam_twilio_verify.so\n",
                           "warning: svc:2: no code is needed while Twilio cannot be reached")

    def test_what_refuses_after_a_refusal_makes_a_control_fine(self):
        for control in ("required", "requisite", "[success=ok ignore=ignore default=bad]",
                        "[success=ok default=die]", "[success=1 ignore=1 default=ignore]"):
            with self.subTest(control):
                self.assert_judged(f"{INCLUDE}auth {control} pam_twilio_verify.so\n"
                                   "auth requisite pam_deny.so\nauth optional pam_cap.so\n"
                                   if control.startswith("[success=1") else
                                   f"{INCLUDE}auth {control} pam_twilio_verify.so\n", "ok: ")

    def test_a_reset_that_forgets_a_refusal_is_named(self):
        self.assert_judged("auth requisite pam_unix.so\n" + LINE +
                           "auth [default=reset] pam_env.so\nauth required pam_permit.so\n",
                           'wrong: svc:3: "default=reset pam_env.so" makes libpam forget')

    def test_the_module_before_a_first_factor_is_a_warning(self):
        self.assert_judged(LINE + INCLUDE, "warning: svc:1: the module comes before pam_unix.so "
                           "(common-auth:1): anybody can use up a user's challenges")
        self.assert_judged("auth required pam_unix.so\n" + LINE,
                           "warning: svc:2: the module asks also after pam_unix.so refused (svc:1)")
        self.assert_judged(LINE + "auth required pam_permit.so\n",
                           "warning: svc:1: the code is the only factor")
        self.assert_judged("auth required pam_faillock.so preauth\n"
                           "auth [success=1 default=bad] pam_unix.so\n"
                           "auth [default=die] pam_faillock.so authfail\n" + LINE, "ok: ")

    def test_a_first_factor_whose_refusal_does_not_end_the_stack_is_named_with_its_remedy(self):
        """Each remedy, followed, leaves nothing to be said."""
        deny = "auth requisite pam_deny.so\nauth required pam_permit.so\n"
        self.install(sufficient="auth sufficient pam_unix.so\nauth required pam_deny.so\n",
                     required="auth required pam_unix.so\n")
        for text, remedy, mended in (
                ("auth substack common-auth\n",
                 'write "@include common-auth" in place of "substack" (svc:1)', INCLUDE),
                ("auth substack sufficient\n",
                 "a refusal in a substack ends the substack alone: put the lines of sufficient into "
                 'svc, with "requisite" for pam_unix.so', "auth requisite pam_unix.so\n"),
                ("auth substack required\n",
                 "a refusal in a substack ends the substack alone: put the lines of required into "
                 'svc, with "requisite" for pam_unix.so', "auth requisite pam_unix.so\n"),
                ("auth required pam_unix.so\n", 'write "requisite" for pam_unix.so',
                 "auth requisite pam_unix.so\n"),
                ("auth include required\n", 'write "requisite" for pam_unix.so',
                 "auth requisite pam_unix.so\n"),
                ("auth [success=ok default=bad] pam_unix.so\n",
                 'end the stack on a refusal there, as "requisite" does',
                 "auth [success=ok default=die] pam_unix.so\n"),
                ("auth [success=1 default=ignore] pam_unix.so\n" + deny.replace("requisite",
                                                                               "required"),
                 'end the stack on a refusal there, as "requisite" does',
                 "auth [success=1 default=ignore] pam_unix.so\n" + deny)):
            with self.subTest(text):
                (self.pam / "svc").write_text(text + LINE)
                finding, = self.findings_of("svc")
                self.assertEqual(finding[0], "warning")
                self.assertIn("the module asks also after pam_unix.so refused", finding[2])
                self.assertIn("anybody can use up a user's challenges", finding[2])
                self.assertEqual(finding[3].replace(f"{self.pam}/", ""), remedy)
                self.assert_judged(mended + LINE, "ok: ")

    def test_what_is_advised_where_the_module_is_missing_leaves_nothing_to_be_said(self):
        add = 'add "auth required pam_twilio_verify.so" after the first factor'
        for text, remedy, mended in (
                (INCLUDE, "twilio-verify enable svc", INCLUDE + LINE),
                ("auth required pam_sepermit.so\nauth substack common-auth\n",
                 f'write "@include common-auth" in place of "substack" (svc:2), then {add}',
                 "auth required pam_sepermit.so\n" + INCLUDE + LINE)):
            with self.subTest(text):
                (self.pam / "svc").write_text(text)
                finding, = self.findings_of("svc")
                self.assertEqual(finding[3].replace(f"{self.pam}/", ""), remedy)
                self.assert_judged(mended, "ok: ")

    def test_a_first_factor_that_may_be_passed_over_is_named_with_its_remedy(self):
        for line, remedy, mended in (
                ("auth requisite pam_sss.so ignore_unknown_user",
                 "remove its arguments that let pass: ignore_unknown_user,ignore_authinfo_unavail",
                 "auth requisite pam_sss.so"),
                ("auth requisite pam_x.so", 'write "ignore=die", or, if it never does, say so in '
                 "/etc/security/twilio-verify.d/pam-facts",
                 "auth [success=ok ignore=die default=die] pam_x.so")):
            with self.subTest(line):
                (self.pam / "svc").write_text(f"{line}\n{LINE}")
                finding, = self.findings_of("svc")
                self.assertEqual((finding[0], finding[3]), ("wrong", remedy))
                self.assertIn("returned PAM_IGNORE (", finding[2])
                self.assert_judged(f"{mended}\n{LINE}", "ok: ")

    def test_a_first_factor_that_may_fail_is_wrong(self):
        for text in ("auth optional pam_unix.so\n" + LINE, LINE + "auth optional pam_unix.so\n",
                     "auth [success=ok default=ignore] pam_unix.so\nauth required pam_env.so\n" + LINE,
                     "auth [success=1 default=ignore] pam_unix.so\nauth optional pam_env.so\n" + LINE):
            with self.subTest(text):
                found, = self.judge(text)
                self.assertRegex(found, r"^wrong: svc:\d: the code alone logs in, also after "
                                        r"pam_unix.so refused \(svc:\d\)$")
        self.assert_judged("auth sufficient pam_succeed_if.so user ingroup robots\n" + INCLUDE + LINE,
                           "warning: svc:1: an exemption")

    def test_a_first_factor_that_is_never_passed_over_is_fine(self):
        for module, opening in {
                "pam_ssh_agent_auth": "", "pam_krb5": "", "pam_fprintd": "", "pam_duo": "",
                "pam_u2f": "nouserok", "pam_radius_auth": "localifdown",
                "pam_sss": "ignore_unknown_user", "pam_ldap": "ignore_authinfo_unavail",
                "pam_winbind": "unknown_ok", "pam_yubico": "nullok",
                "pam_google_authenticator": "grace_period=600"}.items():
            with self.subTest(module):
                line = f"auth requisite {module}.so debug {{}}\n" + LINE
                self.assert_judged(line.format(""), f"ok: asks for a code after {module}.so")
                if opening:
                    self.assert_judged(line.format(opening), "wrong: svc:2: the code alone logs in")

    def test_a_login_that_can_not_end_well_is_wrong(self):
        self.assert_judged(INCLUDE + LINE + DENY, "wrong: svc:2: a right code lets nobody in")
        self.assert_judged(DENY.replace("required", "requisite") + LINE,
                           "wrong: svc:2: the module is never called")
        self.assert_judged(INCLUDE + LINE.replace("required", "requird"),
                           "wrong: svc:2: a right code lets nobody in")

    def test_a_module_elsewhere_than_in_auth_does_not_count(self):
        self.assert_judged(INCLUDE + "account required pam_twilio_verify.so\n",
                           "wrong: does not ask for a code")
        self.assert_judged(INCLUDE + "auth required /usr/lib/security/pam_twilio_verify.so\n", "ok: ")
        self.assert_judged(INCLUDE + "auth required PAM_twilio_verify.so\n",
                           "wrong: does not ask for a code")

    def test_a_service_without_a_file_has_the_lines_of_other(self):
        self.install(other=INCLUDE + LINE)
        self.assert_judged("account required pam_permit.so\n",
                           "ok: asks for a code after pam_unix.so (other:2)")
        self.assertEqual([level for level, *_ in self.findings_of("nosuch")], ["note", "ok"])

    def test_a_service_is_found_as_libpam_finds_it(self):
        self.install(sudo=recipe("sudo"))
        for name in ("SUDO", "/usr/bin/sudo"):
            self.assertEqual(self.check(name)[1][0][:2], ("ok", "sudo"))

    def test_a_file_whose_name_is_not_in_small_letters_is_never_found(self):
        self.install(Sudo=recipe("sudo"), SYSTEM="auth required pam_unix.so\n")
        _, findings = self.check()
        self.assertIn(("warning", "Sudo", f"{self.pam}/Sudo: libpam looks for a service in lower "
                       f"case, and does not find it", "rename the file"), findings)
        self.assertNotIn("SYSTEM", {finding[1] for finding in findings})

    def test_a_file_that_can_not_be_read_is_wrong(self):
        self.assert_judged("@include nosuch\n" + LINE,
                           'wrong: svc:1: cannot read "@include nosuch"')
        self.assert_judged(INCLUDE + "auth include svc\n" + LINE, "wrong: common-auth: included 16 levels")

    def test_settings_of_a_line_are_those_that_count(self):
        other = self.folder / "other.conf"
        shutil.copy(self.configure(login={"exempt_services": ["svc"]}), other)
        self.settings = self.configure()
        line = LINE.replace("\n", f" debug conf={other}\n")
        self.assert_judged(INCLUDE + line, f"note: svc:2: has settings of its own: {other}",
                           "warning: exempt_services names it: everybody logs in without a code")
        self.settings.rename(other)
        self.settings = self.configure(login={"exempt_services": ["svc"]})
        self.assert_judged(INCLUDE + line, f"note: svc:2: has settings of its own: {other}", "ok: ")
        other.unlink()
        self.assert_judged(INCLUDE + line, f"wrong: svc:2: has settings of its own: {other}: No such",
                           "warning: exempt_services names it")

    def test_an_argument_that_the_module_does_not_know_is_wrong(self):
        for argument in ("conf=other.conf", "nullok", "helper=check", "conf", "Debug"):
            with self.subTest(argument):
                self.assert_judged(INCLUDE + LINE.replace("\n", f" debug {argument} debug\n"),
                                   "wrong: svc:2: the module refuses everybody for the argument "
                                   f'"{argument}"')
        self.assert_judged(INCLUDE + LINE.replace("\n", "\tdebug  helper=/x \n"), "ok: ")

    def test_a_stack_that_asks_twice_is_a_warning(self):
        twice = "the module asks twice, and a code works once"
        self.assert_judged(INCLUDE + LINE + LINE, f"warning: svc:2 and svc:3: {twice}")
        self.install(common_auth=PROFILE)
        self.assert_judged(INCLUDE + LINE, f"warning: common-auth:4 and svc:2: {twice}")
        self.assert_judged("auth [success=1 default=ignore] pam_succeed_if.so user = x\n" + LINE +
                           "auth required pam_unix.so\n", "warning: svc:1", "warning: svc:2")

    def test_after_is_for_sshd_alone(self):
        after = LINE.replace("\n", " after=publickey\n")
        refused = "the module refuses everybody: only sshd says which methods"
        for service, level in (("sudo", "wrong"), ("svc", "warning")):
            with self.subTest(service):
                self.assert_judged(INCLUDE + after, f"{level}: {service}:2: {refused}",
                                   service=service)
        self.assert_judged(INCLUDE + LINE.replace("\n", " after=publickey after=password\n"),
                           f"warning: svc:2: {refused}",
                           'wrong: svc:2: the module refuses everybody for the argument "after=pass')

    SPLIT = "auth requisite pam_twilio_verify.so split=6\n"
    UNIX = "auth requisite pam_unix.so use_first_pass\n"

    def test_password_and_code_in_one_field_are_fine_in_one_order(self):
        for middle in (self.UNIX, INCLUDE, "auth requisite pam_unix.so\n",
                       "auth requisite pam_sss.so forward_pass use_first_pass\n",
                       "auth required pam_env.so\n" + self.UNIX):
            with self.subTest(middle):
                self.assert_judged(self.SPLIT + middle + LINE, "ok: asks for a code in the same fi")
                self.assert_judged(self.SPLIT.replace("requisite", "[ignore=ignore default=die]") +
                                   middle + LINE, "ok: ")

    def test_split_without_a_later_line_is_wrong(self):
        cut = "split= cuts off a code that no later line checks"
        for text, number in ((self.SPLIT + self.UNIX, 1), (self.SPLIT + INCLUDE, 1),
                             (self.SPLIT, 1), (self.UNIX + LINE + self.SPLIT, 3)):
            with self.subTest(text):
                self.assert_judged(text, f"wrong: svc:{number}: {cut}")
        self.assertEqual(self.findings_of("svc")[0][3][:37], 'add "auth required pam_twilio_verify.')
        # Though nobody names the service.
        self.install(vsftpd_code=self.SPLIT + self.UNIX)
        _, findings = self.check()
        self.assertIn(("wrong", "vsftpd-code"), [row[:2] for row in findings])

    def test_every_other_order_of_split_is_wrong(self):
        split, unix, digits = self.SPLIT, self.UNIX, "the digits at the end of a wrong password go"
        for text, *expected in (
                (unix + split + LINE, "wrong: svc:2: split= comes after pam_unix.so (svc:1), "),
                (split + LINE + unix, "wrong: svc:2: the module comes before pam_unix.so (svc:3): "
                 + digits),
                (LINE + split + unix, "wrong: svc:1: the module comes before pam_unix.so (svc:3): "
                 + digits, "wrong: svc:2: split= cuts off"),
                (LINE + unix + split, "wrong: svc:1: the module comes before", "wrong: svc:3: spl"),
                (split + LINE, "wrong: svc:1: no line checks the password that split= leaves"),
                (split + "auth required pam_permit.so\n" + LINE, "wrong: svc:1: no line checks"),
                (split + unix.replace("requisite", "required") + LINE,
                 "wrong: svc:3: the module asks also after pam_unix.so refused (svc:2): " + digits),
                (split + "auth substack common-auth\n" + LINE,
                 "wrong: svc:3: the module asks also after pam_unix.so refused"),
                (split.replace("requisite", "[ignore=1 default=die]") + unix + LINE,
                 "wrong: svc:3: the code alone logs in"),
                (split + split + unix + LINE, "wrong: svc:2: split= is there twice: what svc:1")):
            with self.subTest(text):
                self.assert_judged(text, *expected)

    def test_a_first_factor_that_asks_by_itself_is_named(self):
        self.assert_judged(self.SPLIT + "auth requisite pam_sss.so\n" + LINE,
                           "warning: svc:2: pam_sss.so may ask for a password of its own")
        self.assertEqual(self.findings_of("svc")[0][3], "add use_first_pass")

    def test_another_length_than_that_of_codes_is_wrong(self):
        text = self.SPLIT + self.UNIX + LINE
        self.settings = self.configure(login={"code_length": 8})
        self.assert_judged(text, "wrong: svc:1: split=6, but code_length is 8: every code")
        self.assert_judged(text.replace("=6", "=8"), "ok: ")
        other = self.folder / "other.conf"
        shutil.copy(self.configure(login={"code_length": 7}), other)
        self.settings = self.configure(login={"code_length": 6})
        self.assert_judged(text.replace("verify.so\n", f"verify.so conf={other}\n"),
                           "note: svc:3: has settings of its own",
                           "wrong: svc:1: split=6, but code_length is 7: every code")

    def test_what_the_module_does_not_know_beside_split_is_wrong(self):
        for arguments, bad in (("split=0", "split=0"), ("split=9", "split=9"), ("split=", "split="),
                               ("split=06", "split=06"), ("split", "split"),
                               ("split=6 nullok", "nullok"), ("split=6 split=6", "split=6"),
                               ("split=6 after=publickey", "after=publickey"),
                               ("after=publickey split=6", "split=6")):
            with self.subTest(arguments):
                found = self.judge(f"auth requisite pam_twilio_verify.so {arguments}\n" +
                                   self.UNIX + LINE)
                self.assertIn('wrong: svc:1: the module refuses everybody for the argument '
                              f'"{bad}"', found)
        self.assert_judged(self.SPLIT.replace("=6", "=6 debug helper=/x") + self.UNIX + LINE, "ok: ")

    def test_a_thousand_lines_are_judged_in_less_than_a_second(self):
        jumps = "".join(f"auth [success={n % 7 + 1} auth_err=reset ignore={n % 3 + 1} "
                        f"default=ok] pam_x{n}.so\n" for n in range(990))
        self.install(deep="auth substack deep1\n" + "auth [success=reset default=ok] pam_a.so\n" * 9,
                     **{f"deep{n}": ("auth [auth_err=bad success=ok maxtries=1 default=reset] "
                                     "pam_a.so\n" * 60 + f"auth substack deep{n + 1}\n" * (n < 14) +
                                     "auth [success=reset default=bad] pam_b.so\n" * 9)
                        for n in range(1, 15)})
        for text in (jumps + LINE * 10, jumps + LINE + "auth required pam_permit.so\n" * 9,
                     LINE * 1000, "auth substack deep\n" + LINE,
                     "auth sufficient pam_a.so\n" * 999 + LINE):
            (self.pam / "svc").write_text(text)
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            self.check("svc")
            spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            self.assertLess(spent, 20 if "sanitizers" in str(BUILD) else 1, text[:60])


@unittest.skipUnless(can_copy(), "needs root, for an /etc and a /usr of its own")
class Hosts(CheckCase):
    """The programs that call PAM."""

    def setUp(self):
        super().setUp()
        self.outside = []  # shell commands that put files there
        (self.folder / "layers").mkdir()

    def found(self, service, subject=None):
        prefix = on_a_copy(self.folder / "layers", "rm -rf /etc/proftpd /etc/samba", *self.outside)
        return [f"{level}: {text}".replace(f"{self.pam}/", "") for level, _, text, _ in
                self.findings_of(service, subject, prefix=prefix)]

    def place(self, path, text, mode="0644"):
        """TEXT as the file PATH of the copy."""
        file = self.folder / path.replace("/", "_")
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
        folder = self.folder / "own"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (self.folder / "ca.pem").chmod(0o644)
        (folder / "ca.pem").write_bytes((self.folder / "ca.pem").read_bytes())
        settings = write_settings(folder, self.emulator.url, check={"run_as": run_as}, **groups)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, owner, owner)
        self.folder.chmod(0o755)
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
                "users' folder": lambda path: (path.parent / "users").chmod(0o777),
                "somebody else's": lambda path: shutil.chown(path, "nobody"),
                "absent": pathlib.Path.unlink,
                "nonsense": lambda path: path.write_text("nonsense"),
        }.items():
            with self.subTest(case):
                settings = self.own_settings()
                change(settings)
                found = self.judge(INCLUDE + line.format(settings), "nginx")
                self.assertRegex(found[0], r"^wrong: nginx:2: has settings of its own: .* \(as www-data\)$")
        for run_as in ("root", "nosuch"):
            with self.subTest(run_as):
                found = self.judge(INCLUDE + line.format(self.own_settings(run_as=run_as)), "nginx")
                self.assertRegex(found[0], r"^wrong: nginx:2: .*of run_as ")

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
        folder = self.folder / "conf.d"
        folder.mkdir()
        (folder / "order.conf").write_text(self.ORDER)
        for include in (f"Include {folder}", f"Include {folder}/", f"include {folder}/*.conf",
                        f"IncludeOptional {folder}/order.conf"):
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
        for text, beginning in (
                ("", "wrong: /etc/samba/smb.conf: Samba checks passwords itself"),
                ("[global]\n encrypt passwords = yes\n", "wrong: /etc/samba/smb.conf: Samba checks"),
                ("[share]\nencrypt passwords = no\n", "wrong: /etc/samba/smb.conf: Samba checks"),
                ("[global]\n\tEncrypt  Passwords=No\n",
                 "wrong: /etc/samba/smb.conf: Samba gives PAM the password as the only answer")):
            with self.subTest(text):
                self.outside = []
                self.install(samba=INCLUDE + LINE)
                self.place("/etc/samba/smb.conf", text)
                found, = self.found("samba")
                self.assertEqual(found[:len(beginning)], beginning)
        self.outside = []
        self.assertEqual([line[:4] for line in self.found("samba")], ["note", "ok: "])
        self.install(samba=INCLUDE)
        finding, = self.findings_of("samba")
        self.assertEqual((finding[0], finding[3]), ("wrong", ""))

    def test_what_only_root_starts_or_what_asks_nothing_is_a_note(self):
        with_auth, without = INCLUDE + ACCOUNT, ACCOUNT
        self.install(svc=without, cron=with_auth, systemd_user=without, runuser=with_auth,
                     chpasswd=without, other=INCLUDE)
        for service in ("cron", "systemd-user", "runuser", "chpasswd", "svc"):
            with self.subTest(service):
                self.assertEqual([level for level, *_ in self.findings_of(service)], ["note"])
        self.install(cron=with_auth + LINE)
        self.assertEqual([level for level, *_ in self.findings_of("cron")], ["note"])
        self.install(sshd=without)
        self.assertEqual(self.findings_of("sshd")[0][0], "wrong")
        self.install(svc=with_auth)
        self.assertEqual(self.findings_of("svc")[0][0], "wrong")
        self.assertEqual(self.findings_of("nosuch")[1][0], "wrong")


class Settings(CheckCase):
    def test_an_exempt_service_is_named(self):
        self.settings = self.configure(login={"exempt_services": ["svc", "bare", "alone"]})
        self.assert_judged(INCLUDE + LINE, "warning: exempt_services names it: everybody logs in "
                           "without a code")
        self.assert_judged(LINE + "auth required pam_permit.so\n", "warning: svc:1: the code is the",
                           "wrong: exempt_services names it: everybody logs in without authentication")
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

    def test_a_service_in_the_list_needs_another_line_that_authenticates(self):
        self.assert_judged(LINE, "warning: sudo:1: the code is the only factor",
                           "wrong: session.services names it: a user in a session that has "
                           "proved a code is refused without a question", service="sudo")
        self.assert_judged(LINE + "auth required pam_permit.so\n",
                           "warning: sudo:1: the code is the only factor",
                           "wrong: session.services names it: a user in a session that has proved a "
                           "code runs it without authentication", service="sudo")

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


class Sshd(CheckCase):
    BOTH = "AuthenticationMethods publickey,keyboard-interactive\n"

    def setUp(self):
        super().setUp()
        self.config = self.folder / "sshd_config"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "key"],
                       check=True, stdin=subprocess.DEVNULL)
        self.after, self.password = recipe("sshd-key-and-code"), recipe("sshd-password-and-code")
        self.key = self.after.replace(" after=publickey", "")

    def sshd(self, config, stack):
        """["level: text"] of sshd's own configuration."""
        self.install(sshd=stack)
        self.config.write_text(f"HostKey {self.folder}/key\n{config}")
        _, findings = self.check("--sshd-config", self.config, "sshd", prefix=ENTER)
        return [f"{level}: {text}".replace(f"{self.folder}/", "") for level, _, text, _ in findings
                if level != "note" or not text.startswith("root ")][1:]

    def test_root_who_may_not_type_a_code_is_noted(self):
        self.install(sshd=self.key)
        for line, notes in (("", 1), ("PermitRootLogin without-password\n", 1),
                            ("PermitRootLogin prohibit-password\n", 1), ("PermitRootLogin no\n", 0),
                            ("PermitRootLogin yes\n", 0)):
            with self.subTest(line):
                self.config.write_text(f"HostKey {self.folder}/key\n{line}UsePAM yes\n{self.BOTH}")
                _, findings = self.check("--sshd-config", self.config, "sshd", prefix=ENTER)
                found = [row for row in findings if row[2].startswith("root is refused even with")]
                self.assertEqual([row[0] for row in found], ["note"] * notes)

    def assert_sshd(self, config, stack, *expected):
        found = self.sshd(config, stack)
        self.assertEqual(len(found), len(expected), found)
        for one, beginning in zip(found, expected):
            self.assertEqual(one[:len(beginning)], beginning, found)

    def test_the_recipes_are_fine(self):
        head = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n"
        self.assert_sshd(head + self.BOTH, self.after,
                         'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks')
        self.assert_sshd(head + "AuthenticationMethods keyboard-interactive\n", self.password,
                         'ok: AuthenticationMethods: "keyboard-interactive" asks')
        self.assert_sshd("UsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n"
                         "AuthenticationMethods password\n", recipe("one-field"),
                         'ok: AuthenticationMethods: "password" asks')

    def test_a_key_alone_is_wrong(self):
        self.assert_sshd("UsePAM yes\nPasswordAuthentication no\n", self.password,
                         "wrong: a key alone logs in", "ok: keyboard-interactive asks")
        self.assert_sshd("UsePAM yes\nPasswordAuthentication no\nPubkeyAuthentication no\n",
                         self.password, "ok: keyboard-interactive asks")

    def test_other_methods_alone_are_wrong(self):
        self.assert_sshd("UsePAM yes\nPasswordAuthentication no\nPubkeyAuthentication no\n"
                         "HostbasedAuthentication yes\nGSSAPIAuthentication yes\n",
                         self.password, "wrong: a host's key alone", "wrong: a Kerberos ticket alone",
                         "ok: ")

    def test_a_list_without_the_code_is_named(self):
        self.assert_sshd("UsePAM yes\nPasswordAuthentication no\nAuthenticationMethods "
                         "publickey,keyboard-interactive:pam publickey,publickey\n", self.key,
                         'ok: AuthenticationMethods: "publickey,keyboard-interactive:pam"',
                         'wrong: AuthenticationMethods: "publickey,publickey" logs in without')

    def test_the_code_alone_is_wrong(self):
        self.assert_sshd("UsePAM yes\nPasswordAuthentication no\nPubkeyAuthentication no\n",
                         self.key, "wrong: the code alone logs in")
        self.assert_sshd("UsePAM yes\nAuthenticationMethods keyboard-interactive password\n",
                         self.key, 'wrong: AuthenticationMethods: by "keyboard-interactive" the code',
                         'wrong: AuthenticationMethods: by "password" the code alone')

    def test_the_code_before_the_key_is_a_warning(self):
        self.assert_sshd("UsePAM yes\nAuthenticationMethods keyboard-interactive,publickey\n",
                         self.key, 'warning: AuthenticationMethods: "keyboard-interactive,publickey"'
                         " asks for the code first")

    def test_the_method_password_is_explained(self):
        self.assert_sshd("UsePAM yes\nPubkeyAuthentication no\n", self.password,
                         'warning: the method "password" is always refused', "ok: ")
        self.assert_sshd("UsePAM yes\nPubkeyAuthentication no\n", self.key,
                         'wrong: by the method "password" the code, typed as the password',
                         "wrong: the code alone logs in")
        self.assert_sshd("UsePAM yes\nAuthenticationMethods publickey,password\n", self.password,
                         'wrong: AuthenticationMethods: "publickey,password" is always refused')
        self.assert_sshd("UsePAM yes\nPasswordAuthentication yes\n" + self.BOTH, self.key, "ok: ")

    def test_with_after_the_code_alone_is_closed(self):
        self.assertNotEqual(self.after, self.key)
        for methods, stack, expected in (
                ("publickey,keyboard-interactive", self.after, ("ok", " asks for the code")),
                ("keyboard-interactive", self.after, ("wrong", " is always refused: no method of")),
                ("keyboard-interactive", self.key, ("wrong", " the code alone logs in")),
                ("password", self.after, ("wrong", " is always refused: no method of")),
                ("publickey,password", self.after, ("wrong", " is always refused: no method of")),
                ("publickey,password", self.key, ("ok", " asks for the code")),
                ("hostbased,keyboard-interactive", self.after, ("wrong", " is always refused: no")),
                ("keyboard-interactive,publickey", self.after, ("wrong", " is always refused: no")),
                ("publickey,hostbased,keyboard-interactive:pam", self.after, ("ok", " asks for")),
                ("hostbased,keyboard-interactive",
                 self.after.replace("after=publickey", "after=publickey,hostbased"),
                 ("ok", " asks for the code")),
                ("publickey,keyboard-interactive",
                 self.password.replace("verify.so", "verify.so after=publickey"),
                 ("ok", " asks for the code")),
                ("keyboard-interactive",
                 self.password.replace("verify.so", "verify.so after=publickey"),
                 ("wrong", " is always refused: no method of"))):
            with self.subTest([methods, stack]):
                found, = self.sshd("UsePAM yes\nHostbasedAuthentication yes\n"
                                   f"AuthenticationMethods {methods}\n", stack)
                self.assertEqual((found.split(":")[0], expected[1] in found), (expected[0], True),
                                 found)
        self.assert_sshd("UsePAM yes\nPubkeyAuthentication no\n", self.after,
                         'warning: the method "password" is always refused by the module\'s after=',
                         "wrong: keyboard-interactive is always refused: no method of")

    def test_the_method_password_may_take_both(self):
        split = Stacks.SPLIT + INCLUDE + LINE
        self.assert_sshd("UsePAM yes\nKbdInteractiveAuthentication no\n"
                         "AuthenticationMethods password\n", split,
                         'ok: AuthenticationMethods: "password" asks for the code')
        self.assert_sshd("UsePAM yes\nPubkeyAuthentication no\n", split,
                         'ok: the method "password" takes password and code in one field', "ok: ")
        self.assert_sshd("UsePAM yes\nAuthenticationMethods publickey,password\n", split,
                         'ok: AuthenticationMethods: "publickey,password" asks for the code')
        self.assert_sshd("UsePAM yes\nKbdInteractiveAuthentication no\nPasswordAuthentication no\n"
                         "AuthenticationMethods publickey\n", split,
                         "wrong: KbdInteractiveAuthentication is off", "wrong: ")

    def test_without_pam_the_module_is_not_called(self):
        self.assert_sshd("UsePAM no\n" + self.BOTH, self.key, "wrong: UsePAM is off")

    def test_without_keyboard_interactive_nobody_can_be_asked(self):
        self.assert_sshd("UsePAM yes\nKbdInteractiveAuthentication no\nPasswordAuthentication no\n"
                         "AuthenticationMethods publickey\n", self.key,
                         "wrong: KbdInteractiveAuthentication is off",
                         'wrong: AuthenticationMethods: "publickey" logs in without the code')

    def test_match_blocks_are_named_with_their_lines(self):
        (self.folder / "more.conf").write_text(
            "Match Group robots # machines\n  AuthenticationMethods publickey\n"
            "match user=alice\n  authenticationmethods=\"publickey,keyboard-interactive\"\n")
        self.assert_sshd(
            "UsePAM yes\nPasswordAuthentication no\n" + self.BOTH +
            f"Include {self.folder}/more.conf {self.folder}/nosuch*.conf\n"
            "AllowTcpForwarding no\nMatch User emergency\n\tAuthenticationMethods \"publickey,hostbased\" publickey\n"
            "Match Address 192.0.2.0/24\nPasswordAuthentication yes\nX11Forwarding no\n"
            "Match all\nAuthenticationMethods publickey,keyboard-interactive\n", self.key,
            'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
            "warning: more.conf:2: Match Group robots",
            "ok: more.conf:4: Match user=alice: asks for the code by "
            '"publickey,keyboard-interactive"',
            "warning: sshd_config:8: Match User emergency: an exemption",
            'ok: sshd_config:10: Match Address 192.0.2.0/24: asks for the code by '
            '"publickey,keyboard-interactive"')

    HEAD = "UsePAM yes\nPasswordAuthentication no\n"
    ROBOT = "    AuthenticationMethods publickey\n"

    def test_every_criterion_of_match_is_known_to_sshd(self):
        for criteria in ("LocalPort 2222", "LocalAddress 10.0.0.1", "RDomain blue",
                         "Host *.example.com", "Address 192.0.2.0/24,!192.0.2.7", "Group robots",
                         "User !root,*bot", "Group !wheel,* User bob", 'user="bob"',
                         "Address 2001:db8::/32  LocalPort 23  # comment"):
            with self.subTest(criteria):
                self.assert_sshd(
                    f"{self.HEAD}{self.BOTH}Match {criteria}\nX11Forwarding no\n{self.ROBOT}", self.key,
                    'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
                    "warning: sshd_config:7: Match " + criteria.strip().removesuffix("  # comment") +
                    ': an exemption, logs in without both factors by "publickey"')

    def test_a_match_block_that_everybody_is_in_is_no_exemption(self):
        for port, criteria in (("", "all"), ("", "User *"), ("", "Address *"), ("", "LocalPort 22"),
                               ("Port 2222\n", "LocalPort 2222")):
            with self.subTest(criteria):
                found = self.sshd(f"{port}{self.HEAD}{self.BOTH}Match {criteria}\n{self.ROBOT}", self.key)
                self.assertEqual(found[0], 'wrong: AuthenticationMethods: "publickey" logs in without '
                                           "the code")

    def test_a_match_block_is_judged_with_what_else_holds(self):
        ok = 'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks'
        for block, expected in (
                ("PasswordAuthentication yes", "ok: sshd_config:6: Match User bob: asks for the code by"),
                ("AuthenticationMethods publickey,password\nPasswordAuthentication yes",
                 'ok: sshd_config:6: Match User bob: asks for the code by "publickey,password"'),
                ("AuthenticationMethods publickey,password",
                 'wrong: sshd_config:6: Match User bob: is always refused by "publickey,password"'),
                ("KbdInteractiveAuthentication no",
                 "wrong: sshd_config:6: Match User bob: its configuration is unknown: "
                 "AuthenticationMethods cannot"),
                ("PubkeyAuthentication no",
                 "wrong: sshd_config:6: Match User bob: its configuration is unknown: "
                 "AuthenticationMethods cannot")):
            with self.subTest(block):
                self.assert_sshd(f"{self.HEAD}{self.BOTH}Match User bob\n{block}\n", self.key, ok,
                                 expected)
        self.assert_sshd(f"{self.HEAD}{self.BOTH}Match User bob\nX11Forwarding no\n", self.key, ok)
        self.assert_sshd("UsePAM yes\nAuthenticationMethods keyboard-interactive\nMatch User bob\n"
                         "AuthenticationMethods publickey,password\n", self.password,
                         'ok: AuthenticationMethods: "keyboard-interactive" asks for the code',
                         'wrong: sshd_config:5: Match User bob: is always refused by "publickey,pass')

    def test_who_is_left_out_of_every_match_block_is_judged(self):
        for criteria in ("Address *,!10.0.0.0/8", "User *,!bob", "LocalPort 22"):
            with self.subTest(criteria):
                found = self.sshd(f"{self.HEAD}AuthenticationMethods publickey\nMatch {criteria}\n"
                                  f"{self.BOTH}", self.key)
                self.assertIn("warning: users in no Match block: an exemption, logs in without both "
                              'factors by "publickey"', found)

    def test_a_match_block_around_an_include_is_part_of_what_is_judged(self):
        (self.folder / "outer.conf").write_text(f"Match Group robots\nInclude {self.folder}/inner.conf\n")
        (self.folder / "inner.conf").write_text(f"X11Forwarding no\nMatch Address 10.0.0.0/8\n{self.ROBOT}")
        self.assert_sshd(f"Include {self.folder}/outer.conf\n{self.HEAD}{self.BOTH}Port 22\n", self.key,
                         'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
                         "warning: inner.conf:3: Match Address 10.0.0.0/8: an exemption")

    def test_each_list_is_judged_by_itself(self):
        never = "is always refused, as a password is not a code"
        for lists, stack, *expected in (
                ("publickey,keyboard-interactive password,keyboard-interactive", "password",
                 ("ok", "asks for the code"), ("wrong", never)),
                ("password,publickey keyboard-interactive", "password", ("wrong", never), ("ok", "asks")),
                ("publickey,password", "key", ("ok", "asks for the code")),
                ("password,publickey", "key", ("warning", "asks for the code first")),
                ("password,keyboard-interactive", "key", ("wrong", "the code alone logs in")),
                ("keyboard-interactive,keyboard-interactive", "key", ("wrong", "the code alone logs in")),
                ("hostbased,keyboard-interactive publickey,keyboard-interactive", "key",
                 ("note", "sshd skips"), ("ok", "asks for the code")),
                ("gssapi-with-mic,keyboard-interactive:pam", "key", ("ok", "asks for the code")),
                ("gssapi-with-mic publickey,keyboard-interactive", "key",
                 ("wrong", "logs in without the code"), ("ok", "asks for the code")),
                ("publickey,keyboard-interactive:bsdauth", "key",
                 ("wrong", "is always refused: it names a method that cannot be satisfied")),
                ("publickey,publickey,keyboard-interactive", "key", ("ok", "asks for the code")),
                ("publickey,publickey", "password", ("wrong", "logs in without the code")),
                ("none", "password", ("wrong", "is always refused: it names a method"))):
            with self.subTest([lists, stack]):
                found = self.sshd("UsePAM yes\nGSSAPIAuthentication yes\nAuthenticationMethods\t  " +
                                  lists.replace(" ", "\t ") + "\n", getattr(self, stack))
                self.assertEqual(len(found), len(expected), found)
                for one, (level, words) in zip(found, expected):
                    self.assertTrue(one.startswith(f"{level}: AuthenticationMethods: "), found)
                    self.assertIn(words, one)

    def test_a_kerberos_password_is_not_asked_of_pam(self):
        self.assert_sshd("UsePAM yes\nPubkeyAuthentication no\nKerberosAuthentication yes\n",
                         self.password, "wrong: a Kerberos password alone logs in", "ok: ")
        self.assert_sshd("UsePAM yes\nKerberosAuthentication yes\nAuthenticationMethods password\n",
                         self.password, 'wrong: AuthenticationMethods: "password" logs in without')

    def test_lists_of_any_length_are_read_whole(self):
        long = " ".join(["publickey,keyboard-interactive:pam"] * 40) + " publickey"
        found = self.sshd(f"{self.HEAD}AuthenticationMethods {long}\n", self.key)
        self.assertEqual(len(found), 41)
        self.assertIn('"publickey" logs in without the code', found[-1])

    def test_a_configuration_that_sshd_refuses_is_told_of(self):
        self.assert_sshd("UsePAM maybe\n", self.key,
                         "wrong: its configuration is unknown: sshd_config line 2")

    @unittest.skipIf(pathlib.Path("/run/sshd").exists(), "sshd runs here")
    def test_an_sshd_that_does_not_run_is_told_of(self):
        self.install(sshd=self.key)
        self.config.write_text(f"HostKey {self.folder}/key\n")
        status, findings = self.check("--sshd-config", self.config, "sshd")
        self.assertEqual((status, findings[-1][0]), (OK, "warning"))
        self.assertIn("its configuration is unknown: Missing privilege", findings[-1][2])


@unittest.skipUnless(pathlib.Path("/usr/bin/cvtsudoers").exists(), "no cvtsudoers")
class Sudo(CheckCase):
    def sudo(self, text, **options):
        self.install(sudo=recipe("sudo"))
        self.sudoers.write_text(text)
        _, findings = self.check("sudo", **options)
        return [f"{level}: {text}".replace(f"{self.folder}/", "") for level, _, text, _ in findings
                ][1:]

    def test_what_does_not_ask_is_named(self):
        exempt = "warning: NOPASSWD: an exemption, "
        everywhere = "a code at one terminal is valid at all terminals of the user"
        service = "sudo uses this PAM service instead of its own"
        for line, *expected in (
                ("robot ALL=(root) NOPASSWD: /usr/local/bin/backup",
                 exempt + "robot without authentication: /usr/local/bin/backup"),
                ("robot ALL = NOEXEC:NOPASSWD :ALL", exempt + "robot without authentication: ALL"),
                ("robot ALL = \\\n  NOPASSWD: \\\n  ALL", exempt + "robot "),
                ("#1000, %wheel, !bob ALL = NOPASSWD: ALL", exempt + "#1000, %wheel, !bob without"),
                ("bob ALL = NOPASSWD: /bin/a, PASSWD: /bin/b, NOPASSWD: /bin/c",
                 exempt + "bob without authentication: /bin/a, /bin/c"),
                ("User_Alias OPS = bob\nCmnd_Alias X = /bin/a\nOPS ALL = NOPASSWD: X",
                 exempt + "OPS without authentication: X"),
                ("%admins ALL = PASSWD: ALL",), ("# robot ALL = NOPASSWD: ALL",),
                ("%admins ALL = NOPASSWD: PASSWD: ALL",),
                ("robot ALL = ALL # NOPASSWD: ALL",), ("User_Alias NOPASSWD = bob",),
                ("NOPASSWD ALL = ALL",), ("XNOPASSWD ALL = ALL",), ("# nothing at all",),
                ("Defaults env_reset, !authenticate",
                 "wrong: Defaults !authenticate: sudo runs without authentication"),
                ("Defaults:robot !authenticate", "warning: Defaults !authenticate: an exemption, "
                 "without authentication: robot"),
                ("Defaults authenticate",), ("Defaults timestamp_timeout=0",),
                ("Defaults timestamp_timeout=5", ), ("Defaults !lecture,tty_tickets",),
                ("Defaults !timestamp_timeout",), ("Defaults !exempt_group, !pam_service",),
                ("Defaults env_reset,timestamp_timeout = 60",
                 "note: timestamp_timeout=60: one code is valid for so many minutes"),
                ("Defaults\ttimestamp_timeout=-1",
                 "warning: timestamp_timeout=-1: one code is valid until the next restart"),
                ('Defaults badpass_message="no, timestamp_timeout=-1", timestamp_type=global',
                 "warning: timestamp_type=global: " + everywhere),
                ("Defaults !lecture, ! tty_tickets", "warning: tty_tickets=false: " + everywhere),
                ("Defaults exempt_group=wheel", "warning: exempt_group=wheel: an exemption, this "
                 "group runs sudo without authentication"),
                ("Defaults pam_service=sudo-easy", "warning: pam_service=sudo-easy: " + service),
                ("Defaults pam_askpass_service=x", "warning: pam_askpass_service=x: " + service),
                ("Defaults passprompt_override", "warning: passprompt_override=true: sudo's own "
                 "prompt replaces the question for the code"),
                ('Defaults:bob env_reset, passprompt_override, passprompt="Password for %p: "',
                 "warning: passprompt_override=true: sudo's own prompt replaces the question"),
                ("Defaults !passprompt_override",), ('Defaults passprompt="x: "',),
                ("Defaults rootpw", "warning: rootpw=true: sudo asks another user")):
            with self.subTest(line):
                found = self.sudo(line + "\nroot ALL=(ALL:ALL) ALL\n")
                self.assertEqual(len(found), len(expected), found)
                for one, beginning in zip(found, expected):
                    self.assertEqual(one[:len(beginning)], beginning)

    def test_includes_are_followed(self):
        folder = self.folder / "sudoers.d"
        folder.mkdir()
        for name in ("10-a", "20-b~", "30.c", "README"):
            (folder / name).write_text(f"# {name}\n{name.strip('~')[3:]}x ALL = NOPASSWD: ALL\n")
        (self.folder / "more").write_text("@include sudoers.d/20-b~\n")
        for line in (f"@includedir {folder}", f"#includedir {folder}", "@includedir sudoers.d"):
            with self.subTest(line):
                found = self.sudo(line + "\n@include more\n")
                self.assertEqual([re.search(r"exemption, (\w+) ", one)[1] for one in found],
                                 ["ax", "DMEx", "bx"])

    def test_a_policy_that_is_not_known_is_never_nothing_found(self):
        for text in ("@include nosuch\n", "@include sudoers\n", "bad line here\n",
                     "bob ALL = NOPASSWD: ALL\nbob ALL = (\n"):
            with self.subTest(text):
                found, = self.sudo(text)
                self.assertTrue(found.startswith("warning: whom sudo does not ask is not known: sudoers: "))
        self.sudoers.unlink()
        os.mkfifo(self.sudoers)
        _, findings = self.check("sudo")
        self.assertIn("whom sudo does not ask is not known", findings[1][2])

    @unittest.skipUnless(can_copy(), "needs a private /usr/bin")
    def test_without_cvtsudoers_nothing_is_known(self):
        (self.folder / "layers").mkdir()
        found, = self.sudo("root ALL=ALL\n", prefix=on_a_copy(
            self.folder / "layers", "rm /usr/bin/cvtsudoers"))
        self.assertRegex(found, "^warning: whom sudo does not ask is not known: .*no cvtsudoers")


class Output(CheckCase):
    def test_for_a_person_each_finding_is_a_line_and_the_last_is_the_verdict(self):
        self.install(sudo=recipe("sudo"), sudo_i=recipe("sudo"))
        done = self.run_tool("check-pam", "--pam-dir", self.pam, "--sudoers", self.sudoers, "sudo")
        self.assertEqual(done.status, OK)
        self.assertEqual(done.out.splitlines(), [
            f"ok       sudo: asks for a code after pam_unix.so ({self.pam}/sudo:2)",
            "ok       verdict: nothing bypasses the second factor"])
        self.assertEqual(done.err, "")
        done = self.run_tool("check-pam", "--pam-dir", self.pam, "su")
        self.assertEqual(done.status, WRONG)
        self.assertRegex(done.out, r"^wrong    su: .*; twilio-verify enable su\nwrong    verdict: ")

    def test_a_folder_that_is_not_there_is_wrong(self):
        done = self.run_tool("check-pam", "--pam-dir", self.folder / "nosuch")
        self.assertEqual(done.status, WRONG)
        self.assertIn("nosuch: No such file or directory", done.out)

    def test_programs_that_may_let_in_without_pam_are_named_and_the_verdict_says_so(self):
        stack = {"svc": INCLUDE + LINE, "site": INCLUDE + LINE, "doas": INCLUDE + LINE,
                 "sudo": recipe("sudo")}
        self.install(**stack)
        done = self.run_tool("check-pam", "--pam-dir", self.pam, *stack)
        self.assertEqual(done.status, OK)
        self.assertEqual([line for line in done.out.splitlines() if line.startswith("note")], [
            "note     programs: doas also lets users in without PAM: see /etc/doas.conf",
            "note     programs: it is not known whether these let users in by PAM alone: svc, site; "
            "add what you know to /etc/security/twilio-verify.d/pam-facts"])
        self.assertEqual(done.out.splitlines()[-1],
                         "ok       verdict: nothing is wrong; the notes name programs that may let users "
                         "in without PAM")

    def test_an_unknown_option_is_usage(self):
        self.assertEqual(self.run_tool("check-pam", "--nonsense").status, USAGE)
