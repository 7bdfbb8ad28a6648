# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""check-pam: which lines of a PAM service let in without a code."""

import pathlib
import resource
import shutil
import subprocess
import unittest

from kit.admincase import BUILD
from kit.pamcase import DENY, INCLUDE, LINE, PROFILE, SPLIT, UNIX, CheckCase, recipe

TURKISH = pathlib.Path("/usr/share/i18n/locales/tr_TR")


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
                ("auth sufficient pam_exec.so quiet expose_authtok /x\n" + INCLUDE + LINE,
                 'wrong: svc:1: "sufficient pam_exec.so" bypasses the module'),
                ("auth sufficient pam_exec.so quiet /x\n" + INCLUDE + LINE,
                 'warning: svc:1: an exemption by "pam_exec.so quiet /x"'),
                ("auth sufficient pam_unix.so\nauth sufficient pam_sss.so\n" + LINE,
                 "wrong: svc:1: ", "wrong: svc:2: ", "wrong: svc:3: "),
                ("auth [default=1] pam_nosuch.so\n" + LINE + "auth required pam_permit.so\n",
                 "wrong: svc:2: the module is never called", "wrong: svc:1: ")):
            with self.subTest(text):
                self.assert_judged(text, *expected)

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
                     required="auth required pam_unix.so\n",
                     password_auth="auth sufficient pam_unix.so\nauth sufficient pam_sss.so\n"
                                   "auth required pam_deny.so\n")
        for text, remedy, mended in (
                ("auth substack common-auth\n",
                 'write "include" in place of "substack" (svc:1)', "auth include common-auth\n"),
                ("auth substack sufficient\n",
                 "a refusal in a substack ends the substack alone: put the lines of sufficient into "
                 'svc, with "requisite" for pam_unix.so', "auth requisite pam_unix.so\n"),
                ("auth substack required\n",
                 "a refusal in a substack ends the substack alone: put the lines of required into "
                 'svc, with "requisite" for pam_unix.so', "auth requisite pam_unix.so\n"),
                ("auth substack password-auth\n",
                 "a refusal in a substack ends the substack alone: put the lines of password-auth "
                 'into svc, and let pam_unix.so and the other first factors jump over "requisite '
                 'pam_deny.so" with "success=N"',
                 "auth [success=2 default=ignore] pam_unix.so\n"
                 "auth [success=1 default=ignore] pam_sss.so\n" + deny),
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

    def test_what_is_advised_where_the_module_is_missing(self):
        for service in ("svc", "-x"):
            for text in (INCLUDE, "auth substack common-auth\n"):
                with self.subTest([service, text]):
                    (self.pam / service).write_text(text)
                    _, findings = self.check("--", service)
                    self.assertEqual(findings[0][3], "twilio-verify enable " + service.replace("-x", "-- -x"))

    def test_what_unlocks_something_of_the_user_s_is_no_first_factor(self):
        for module in ("pam_ssh_add", "pam_gdm", "pam_fscrypt", "pam_kwallet", "pam_cifscreds",
                       "pam_systemd_loadkey", "pam_lastlog"):
            with self.subTest(module):
                self.assert_judged(f"auth optional {module}.so\n" + LINE,
                                   "warning: svc:2: the code is the only factor: anybody")

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

    @unittest.skipUnless(TURKISH.exists(), "no sources of locales")
    def test_keywords_have_one_meaning_in_every_locale(self):
        """In Turkish a small i has a dot as a capital, too."""
        made = self.directory / "locale"
        subprocess.run(["localedef", "-i", "tr_TR", "-f", "UTF-8", made], check=True,
                       capture_output=True)
        (self.pam / "svc").write_text("auth REQUISITE pam_unix.so\n" + LINE)
        where = "/usr/lib/locale"
        prefix = self.privately(f"mount -t tmpfs none {where}; cp -r {made} {where}/tr_TR.UTF-8; "
                                "export LC_ALL=tr_TR.UTF-8")
        finding, = self.findings_of("svc", prefix=prefix)
        self.assertEqual(finding[0], "ok", finding)

    def test_a_module_elsewhere_than_in_auth_does_not_count(self):
        self.assert_judged(INCLUDE + "account required pam_twilio_verify.so\n",
                           "wrong: does not ask for a code")
        module = self.directory / "pam_twilio_verify.so"
        module.touch(0o644)
        self.assert_judged(INCLUDE + f"auth required {module}\n", "ok: ")
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
        other = self.directory / "other.conf"
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
        self.assert_judged(INCLUDE + LINE.replace("\n", "\tdebug  helper=/bin/true \n"), "ok: ")

    def test_brackets_around_an_argument_are_none_of_it(self):
        other = self.directory / "other settings.conf"
        shutil.copy(self.configure(), other)
        self.assert_judged(INCLUDE + LINE.replace("\n", f" [debug] [conf={other}]\n"),
                           f"note: svc:2: has settings of its own: {other}", "ok: ")
        self.assert_judged("auth requisite pam_oath.so [null_usersfile_okay]\n" + LINE,
                           "wrong: svc:2: the code alone logs in, also after pam_oath.so returned "
                           "PAM_IGNORE")

    def test_a_program_that_root_can_not_or_must_not_run_is_wrong(self):
        for name, word in (("program", " helper="), ("pam_twilio_verify.so", None)):
            program = self.directory / name
            line = LINE.replace("\n", f"{word}{program}\n") if word else LINE.replace(name, str(program))
            with self.subTest(line):
                program.touch(0o755)
                self.assert_judged(INCLUDE + line, "ok: ")
                program.chmod(0o775)
                self.assert_judged(INCLUDE + line, f"wrong: svc:2: {program} is writable by non-root")
                program.unlink()
                self.assert_judged(INCLUDE + line, f"wrong: svc:2: {program}: No such file")
                program.mkdir()
                self.assert_judged(INCLUDE + line, f"wrong: svc:2: {program}: not a file")

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

    def test_password_and_code_in_one_field_are_fine_in_one_order(self):
        for middle in (UNIX, INCLUDE, "auth requisite pam_unix.so\n",
                       "auth requisite pam_sss.so forward_pass use_first_pass\n",
                       "auth required pam_env.so\n" + UNIX):
            with self.subTest(middle):
                self.assert_judged(SPLIT + middle + LINE, "ok: asks for a code in the same fi")
                self.assertIn(": no push and no recovery code fits there",
                              self.findings_of("svc")[0][2])
                self.assert_judged(SPLIT.replace("requisite", "[ignore=ignore default=die]") +
                                   middle + LINE, "ok: ")

    def test_split_without_a_later_line_is_wrong(self):
        cut = "split= cuts off a code that no later line checks"
        for text, number in ((SPLIT + UNIX, 1), (SPLIT + INCLUDE, 1),
                             (SPLIT, 1), (UNIX + LINE + SPLIT, 3)):
            with self.subTest(text):
                self.assert_judged(text, f"wrong: svc:{number}: {cut}")
        self.assertEqual(self.findings_of("svc")[0][3][:37], 'add "auth required pam_twilio_verify.')
        # Though nobody names the service.
        self.install(vsftpd_code=SPLIT + UNIX)
        _, findings = self.check()
        self.assertIn(("wrong", "vsftpd-code"), [row[:2] for row in findings])

    def test_every_other_order_of_split_is_wrong(self):
        split, unix, digits = SPLIT, UNIX, "the digits at the end of a wrong password go"
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
        self.assert_judged(SPLIT + "auth requisite pam_sss.so\n" + LINE,
                           "warning: svc:2: pam_sss.so may ask for a password of its own")
        self.assertEqual(self.findings_of("svc")[0][3], "add use_first_pass")

    def test_another_length_than_that_of_codes_is_wrong(self):
        text = SPLIT + UNIX + LINE
        self.settings = self.configure(login={"code_length": 8})
        self.assert_judged(text, "wrong: svc:1: split=6, but code_length is 8: every code")
        self.assert_judged(text.replace("=6", "=8"), "ok: ")
        other = self.directory / "other.conf"
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
                                   UNIX + LINE)
                self.assertIn('wrong: svc:1: the module refuses everybody for the argument '
                              f'"{bad}"', found)
        self.assert_judged(SPLIT.replace("=6", "=6 debug helper=/bin/true") + UNIX + LINE, "ok: ")

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
