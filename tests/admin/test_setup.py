# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""setup: from the SIDs of an account to the files that a login reads.

    BUILD=build /usr/bin/python3 tests/tap.py tests/admin/test_setup.py
"""

import fcntl
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import termios

from kit.admincase import ENVIRONMENT, OK, TOOL, UNAVAILABLE, USAGE, WRONG, AdminCase
from kit.fixture import (ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, AUTH_TOKEN, SERVICE_SID,
                         copy_program)

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "conf/twilio-verify.conf"
KEY = ("--account-sid", ACCOUNT_SID, "--api-key-sid", API_KEY_SID)
FROM_INPUT = (*KEY, "--api-key-file", "-")


class SetupCase(AdminCase):
    """Settings without SIDs, and a Twilio with one service."""

    def configure(self, **groups):
        self.secret = self.directory / "api-key"
        settings = self.directory / "twilio-verify.conf"
        settings.write_text(f"""# Kept: service = {{ service_sid = "x"; }}
service = {{
    base_url = "{self.emulator.url}"; # kept as well
    ca_file = "{self.directory}/ca.pem";
    api_key_file = "{self.secret}";
    timeout_seconds = 5;
}};
check = {{
    run_as = "nobody";
    users_dir = "{self.directory}/users";
}};
""")
        settings.chmod(0o640)
        return settings

    def set_up(self, *options, answers=(API_KEY_SECRET,), status=OK, **others):
        done = self.run_tool("setup", *(options or FROM_INPUT), answers=answers, **others)
        self.assertEqual(done.status, status, done)
        self.assertNotIn(API_KEY_SECRET, done.out + done.err)
        return done

    def set_up_whole(self):
        self.set_up()
        return self.snapshot()

    def snapshot(self):
        """Every file here with all that could change."""
        return {str(path.relative_to(self.directory)): (path.stat().st_ino, path.stat().st_mtime_ns,
                                                     path.stat().st_mode, path.read_bytes())
                for path in sorted(self.directory.rglob("*")) if path.is_file()}

    def key(self, name):
        found = re.findall(rf'^ *{name} *= "([^"]*)";', self.settings.read_text(), re.MULTILINE)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def services(self):
        """Name to SID at Twilio."""
        reply = self.emulator.request("GET", "/v2/Services?PageSize=100")
        return {row["friendly_name"]: row["sid"] for row in reply.json["services"]}

    def make_service(self, name):
        return self.emulator.request("POST", "/v2/Services", {"FriendlyName": name}).json["sid"]

    def assert_refused(self, words, *options, status=WRONG, answers=(API_KEY_SECRET,)):
        """Nothing changes here, and no service is left at Twilio."""
        before, services = self.snapshot(), self.services()
        done = self.set_up(*options, answers=answers, status=status)
        self.assertRegex(done.err, words)
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.services(), services)
        return done


class Machine(SetupCase):
    def test_it_writes_both_files_with_their_modes_and_keeps_all_else(self):
        before = self.settings.read_text()
        done = self.set_up()
        after = self.settings.read_text()
        self.assertEqual([line for line in after.splitlines() if line in before.splitlines()],
                         before.splitlines())
        self.assertEqual([self.key(name) for name in ("account_sid", "api_key_sid", "service_sid")],
                         [ACCOUNT_SID, API_KEY_SID, SERVICE_SID])
        self.assertEqual(self.secret.read_text(), API_KEY_SECRET + "\n")
        modes = [stat.S_IMODE(path.stat().st_mode)
                 for path in (self.settings, self.secret, self.directory / "users")]
        self.assertEqual(modes, [0o640, 0o600, 0o700])
        self.assertIn(f"{self.settings}: written\n", done.out)
        self.assertIn("next: twilio-verify enroll USER", done.err)
        self.enroll()

    def test_without_settings_it_begins_with_the_sample(self):
        # It looks for the sample beside itself.
        directory = self.directory / "tool"
        directory.mkdir()
        tool = directory / "twilio-verify"
        copy_program(TOOL, tool)
        sample = SAMPLE.read_text()
        for path, place in ((str(self.directory), "/etc/security/twilio-verify.d"),
                            (self.emulator.url, "https://verify.twilio.com")):
            sample = sample.replace(place, path)
        sample = sample.replace("# ca_file = \"/etc/ssl/certs/corporate-proxy.pem\"",
                                f'ca_file = "{self.directory}/ca.pem"')
        (directory / "twilio-verify.conf").write_text(sample)
        self.settings.unlink()
        done = subprocess.run([tool, *self.command("setup", *FROM_INPUT)[1:]], text=True,
                              input=API_KEY_SECRET, capture_output=True, env=ENVIRONMENT,
                              check=False)
        self.assertEqual(done.returncode, OK, done.stderr)
        for sid, prefix in ((ACCOUNT_SID, "AC"), (API_KEY_SID, "SK"), (SERVICE_SID, "VA")):
            sample = sample.replace(prefix + "x" * 32, sid, 1)
        self.assertEqual(self.settings.read_text(), sample)
        self.assertEqual(stat.S_IMODE(self.settings.stat().st_mode), 0o640)
        self.assertIn("may do more than logins need", done.stderr)

    def test_again_it_changes_nothing(self):
        before = self.set_up_whole()
        for options in (FROM_INPUT, ("--api-key-file", self.secret), ("--dry-run",)):
            with self.subTest(options):
                done = self.set_up(*options)
                self.assertEqual(done.out.count(": unchanged\n"), 2)
                self.assertEqual(self.snapshot(), before)

    def test_a_dry_run_says_what_would_change_and_changes_nothing(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        before = self.snapshot()
        done = self.set_up(*FROM_INPUT, "--dry-run")
        self.assertEqual(done.out.count(": would be written\n"), 2)
        self.assertIn("would make a Verify service", done.err)
        self.assertEqual((self.snapshot(), self.services()), (before, {}))

    def test_one_key_alone_is_changed(self):
        self.set_up()
        before = self.settings.read_text()
        sid = self.make_service("Other")
        self.set_up("--service-sid", sid)
        self.assertEqual(self.settings.read_text(), before.replace(SERVICE_SID, sid))

    def test_a_file_keeps_its_mode_and_group(self):
        self.settings.chmod(0o600)
        os.chown(self.settings, 0, 4)
        self.set_up()
        self.assertEqual((stat.S_IMODE(self.settings.stat().st_mode), self.settings.stat().st_gid),
                         (0o600, 4))

    def test_another_key_leaves_the_old_secret_until_the_settings_name_the_new_one(self):
        self.set_up("--account-sid", ACCOUNT_SID, "--api-key-sid", "SK" + "0" * 32,
                    "--api-key-file", "-", answers=["wrong"], status=WRONG)
        self.settings.write_text(self.settings.read_text().replace(
            "service = {\n", f'service = {{\n    api_key_sid = "SK{"0" * 32}";\n', 1))
        self.secret.write_text("of-the-former-key\n")
        self.secret.chmod(0o600)
        done = self.set_up()
        self.assertEqual(self.secret.read_text(), "of-the-former-key\n")
        self.assertIn(f"{self.secret} holds the secret of SK{'0' * 32}", done.err)
        self.assertEqual(self.key("api_key_file"), str(self.directory / API_KEY_SID))
        self.assertEqual((self.directory / API_KEY_SID).read_text(), API_KEY_SECRET + "\n")

    def test_the_auth_token_stays_until_the_settings_name_a_key(self):
        self.set_up()
        self.settings.write_text(re.sub(r" *api_key_sid.*\n", "", self.settings.read_text()))
        self.secret.write_text(AUTH_TOKEN + "\n")
        before = self.snapshot()
        self.set_up("--service-sid", SERVICE_SID)
        self.assertEqual(self.snapshot(), before)
        self.set_up()
        self.assertEqual(self.secret.read_text(), AUTH_TOKEN + "\n")
        self.assertEqual(self.key("api_key_file"), str(self.directory / API_KEY_SID))
        self.assertEqual((self.directory / API_KEY_SID).read_text(), API_KEY_SECRET + "\n")

    def test_it_makes_a_service_where_there_is_none(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        self.set_up()
        (name, sid), = self.services().items()
        self.assertEqual(name, os.uname().nodename.partition(".")[0][:30])
        self.assertEqual(self.key("service_sid"), sid)
        totp = self.emulator.request("GET", f"/v2/Services/{sid}").json["totp"]
        self.assertEqual(totp, {"issuer": name, "time_step": 30, "code_length": 6, "skew": 1})

    def test_the_name_of_the_host_is_not_taken_if_nobody_could_type_it(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        renamed = ("import ctypes, os, sys; ctypes.CDLL(None).sethostname(b'a\\x1b[31mb', 7); "
                   "os.execv(sys.argv[1], sys.argv[1:])")
        done = self.set_up(prefix=("unshare", "--uts", sys.executable, "-c", renamed))
        self.assertNotIn("\x1b", done.err)
        self.assertEqual([*self.services()], ["Linux"])

    def test_the_service_with_a_name_is_made_once(self):
        for name in ("Example Corp", "Größe & Söhne"):
            with self.subTest(name):
                self.set_up(*FROM_INPUT, "--issuer", name)
                sid = self.services()[name]
                self.assertEqual(self.key("service_sid"), sid)
                before = self.snapshot()
                self.set_up("--issuer", name)
                self.assertEqual((self.services()[name], self.snapshot()), (sid, before))

    def test_a_service_on_a_later_page_is_found(self):
        sids = [self.make_service(f"Nr. {number}") for number in range(45)]
        self.set_up(*FROM_INPUT, "--issuer", "Nr. 44")
        self.assertEqual(self.key("service_sid"), sids[44])
        self.assertEqual(self.operations()["service-create"], 45)

    def test_several_services_are_for_somebody_to_choose_from(self):
        other = self.make_service("Other")
        done = self.assert_refused("choose one with --service-sid", status=USAGE)
        for sid in (SERVICE_SID, other):
            self.assertIn(sid, done.err)
        self.make_service("Other")
        self.assert_refused("are both called Other", *FROM_INPUT, "--issuer", "Other")

    def test_a_restricted_key_needs_the_sid_of_the_service(self):
        self.emulator.control("fault status-403/70051 on service-list")
        done = self.set_up(status=USAGE)
        self.assertRegex(done.err, "may not list.*\n.*--service-sid is missing")
        self.set_up(*FROM_INPUT, "--service-sid", SERVICE_SID)
        self.emulator.control("fault status-403/70051 on service-fetch")
        sid = "VA" + "5" * 32
        done = self.set_up(*FROM_INPUT, "--service-sid", sid)
        self.assertIn(f"whether {sid} exists is not checked", done.err)
        self.assertEqual(self.key("service_sid"), sid)

    def test_wrong_credentials_and_a_trial_account(self):
        self.assert_refused("credentials are wrong: check account_sid", answers=["wrong"])
        self.assert_refused("credentials are wrong", "--account-sid", ACCOUNT_SID, "--api-key-sid",
                            "SK" + "0" * 32, "--api-key-file", "-")
        self.assert_refused("no such service", *FROM_INPUT, "--service-sid", "VA" + "0" * 32)
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        self.emulator.control("fault status-403/575001 on service-create")
        self.assert_refused("a trial account may not use Verify: upgrade")

    def test_a_key_of_another_account(self):
        other = ("--account-sid", "AC" + "0" * 32, *FROM_INPUT[2:])
        words = f"belongs to the account {ACCOUNT_SID}, not to AC0"
        self.assert_refused(words, *other)
        self.assert_refused("belongs to another account", *other, "--service-sid", SERVICE_SID)
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        done = self.assert_refused(words, *other)
        self.assertIn("deleted the Verify service", done.err)

    def test_no_network_and_no_answer(self):
        text = self.settings.read_text()
        self.settings.write_text(text.replace(self.emulator.url, "https://127.0.0.1:1"))
        self.assert_refused("Couldn't connect", status=UNAVAILABLE)
        self.settings.write_text(text.replace("timeout_seconds = 5", "timeout_seconds = 1"))
        self.emulator.control("fault no-answer on service-list")
        self.assertRegex(self.set_up(status=UNAVAILABLE).err, "no answer")
        self.assertFalse(self.secret.exists())

    def test_a_certificate_that_is_not_trusted_and_a_clock_that_is_off(self):
        self.settings.write_text(re.sub(".*ca_file.*\n", "", self.settings.read_text()))
        self.assert_refused("check the clock", status=UNAVAILABLE)
        self.settings = self.configure()
        for shift, word in (("+3600", "behind"), ("-3600", "ahead of")):
            with self.subTest(shift):
                self.emulator.control("clock real")
                self.emulator.control(f"clock {shift}")
                done = self.set_up(*FROM_INPUT, "--dry-run")
                self.assertRegex(done.err, rf"this host's clock is 3\d\d\d s {word} Twilio's: "
                                           "timedatectl set-ntp true")

    def test_a_reply_that_was_lost_may_have_made_a_service(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        self.emulator.control("fault close-after on service-create")
        done = self.set_up(status=UNAVAILABLE)
        self.assertIn("may exist now: run setup again", done.err)
        self.set_up()
        self.assertEqual([self.key("service_sid")], [*self.services().values()])

    def test_replies_that_nobody_can_trust(self):
        before = self.snapshot()
        common = ("bad-json", "trailing-bytes", "giant-body", "status-302", "field-null:account_sid")
        for operation, faults, options in (
                ("service-fetch", ("wrong-sid", "wrong-account"), ("--service-sid", SERVICE_SID)),
                ("service-list", ("field-null:services", "field-missing:services"), ())):
            for fault in common + faults:
                self.emulator.control("fault clear")
                self.emulator.control(f"fault {fault} on {operation}")
                if operation == "service-list" and fault == "field-null:account_sid":
                    continue  # Faults are about the fields of the object itself.
                with self.subTest([operation, fault]):
                    done = self.run_tool("setup", *FROM_INPUT, *options, answers=[API_KEY_SECRET])
                    self.assertIn(done.status, (WRONG, UNAVAILABLE), done)
                    self.assertEqual(self.snapshot(), before)

    def test_malformed_sids_and_secrets_are_refused(self):
        for option, value in (("--account-sid", "AC12"), ("--api-key-sid", ACCOUNT_SID),
                              ("--service-sid", "VA" + "g" * 32), ("--issuer", ""),
                              ("--issuer", "x" * 31), ("--issuer", "a\nb")):
            with self.subTest(option):
                self.assert_refused("must be|has 1 to 30", *FROM_INPUT, option, value,
                                    status=USAGE)
        for answers in ((), ("",), (f"{API_KEY_SECRET} more",), ("x" * 257,), ("x" * 9999,), ("ü",)):
            with self.subTest(answers):
                self.assert_refused("a secret has 1 to 256 printable characters", *FROM_INPUT,
                                    answers=answers)
        self.assert_refused("--account-sid is missing", "--api-key-file", "-", status=USAGE)
        self.assert_refused("--api-key-file is missing", *KEY, status=USAGE, answers=())

    def test_settings_that_a_login_would_refuse_are_not_touched(self):
        text = self.settings.read_text()
        for change, words in ((lambda: self.settings.chmod(0o666), "writable by"),
                              (lambda: self.settings.write_text(text + "x = 1;\n"), ":14: unknown key x"),
                              (lambda: self.settings.write_text(text + "@include \"y\"\n"),
                               "include"),
                              (lambda: self.settings.write_text(text + "service = {};\n"), ":14"),
                              (lambda: self.settings.write_text("a" * 70000), "larger than")):
            self.settings.write_text(text)
            change()
            with self.subTest(words):
                self.assert_refused(words)
            self.settings.chmod(0o640)
        self.settings.rename(self.directory / "elsewhere")
        self.settings.symlink_to("elsewhere")
        self.assert_refused("must not be a symbolic link")
        self.settings.unlink()
        os.mkfifo(self.settings)
        self.assertRegex(self.run_tool("setup", *FROM_INPUT).err, "regular file")

    def test_the_secret_s_file_is_read_as_a_login_reads_it(self):
        given = self.directory / "given"
        given.write_text(API_KEY_SECRET + "\n")
        given.chmod(0o644)
        self.assert_refused("readable by", *KEY, "--api-key-file", given)
        given.chmod(0o600)
        self.set_up(*KEY, "--api-key-file", given)
        self.assertEqual(self.secret.read_bytes(), given.read_bytes())

    def test_a_service_is_not_left_where_the_files_can_t_be_written(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        prefix = self.privately(f"mount --bind {self.settings} {self.settings}")
        done = self.run_tool("setup", *FROM_INPUT, answers=[API_KEY_SECRET], prefix=prefix)
        self.assertEqual(done.status, WRONG)
        self.assertRegex(done.err, "resource busy\n(.*\n)*.*deleted the Verify service")
        self.assertEqual(self.services(), {})

    def test_who_can_read_the_directory_of_the_settings_can_not_keep_setup_out(self):
        directory = os.open(self.directory, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        fcntl.flock(directory, fcntl.LOCK_EX)
        self.set_up()

    def test_two_at_once_do_not_mix(self):
        self.emulator.control("fault slow=3000 on service-list")
        with subprocess.Popen(self.command("setup", *FROM_INPUT), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=ENVIRONMENT) as first:
            first.stdin.write(API_KEY_SECRET + "\n")
            first.stdin.close()
            while not self.operations()["service-list"]:
                pass
            lock = self.directory / "twilio-verify.conf.lock"
            self.assertEqual(stat.S_IMODE(lock.stat().st_mode), 0o600)
            self.assertIn("another setup runs now", self.set_up(status=WRONG).err)
            self.assertEqual(first.wait(20), OK)
            self.assertFalse(lock.exists())


class Person(SetupCase):
    def begin(self, *options):
        return self.start("setup", *options)

    def answer(self, child, question, answer, shown=True):
        child.expect_exact(question)
        child.sendline(answer)
        if shown:
            child.expect_exact(answer)

    def keep(self, child, *stands):
        """Enter at each question."""
        for value in stands:
            self.answer(child, f"[{value}]: ", "", shown=False)

    def answer_key(self, child):
        self.answer(child, "Account SID", ACCOUNT_SID)
        self.answer(child, "API key SID", API_KEY_SID)
        self.answer(child, "Its secret (not shown): ", API_KEY_SECRET, shown=False)

    def test_it_asks_tries_lists_and_writes_and_does_not_show_the_secret(self):
        child = self.begin()
        child.logfile_read = open(self.directory / "seen", "w+", encoding="utf-8")
        self.addCleanup(child.logfile_read.close)
        self.answer(child, "Account SID", "AC12")
        self.answer(child, "a SID has AC and 32", f" {ACCOUNT_SID} ")
        self.answer(child, "API key SID", API_KEY_SID)
        self.answer(child, "Its secret (not shown): ", API_KEY_SECRET, shown=False)
        child.expect_exact(f"1  {SERVICE_SID}  Emulator")
        self.keep(child, 1)
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.key("service_sid"), SERVICE_SID)
        self.assertEqual(self.secret.read_text(), API_KEY_SECRET + "\n")
        self.assertNotIn(API_KEY_SECRET, (self.directory / "seen").read_text())

    def test_a_wrong_key_is_asked_for_again_and_nothing_of_it_is_kept(self):
        before = self.settings.read_bytes()
        child = self.begin()
        self.answer(child, "Account SID", ACCOUNT_SID)
        self.answer(child, "API key SID", "SK" + "0" * 32)
        self.answer(child, "Its secret (not shown): ", "wrong", shown=False)
        child.expect_exact("credentials are wrong")
        self.keep(child, ACCOUNT_SID)
        self.answer(child, f"[SK{'0' * 32}]: ", API_KEY_SID)
        self.answer(child, "Its secret (not shown): ", "wrong", shown=False)
        child.expect_exact("credentials are wrong")
        self.assertEqual((self.settings.read_bytes(), self.secret.exists()), (before, False))
        self.keep(child, ACCOUNT_SID, API_KEY_SID)
        self.answer(child, "Its secret (not shown): ", API_KEY_SECRET, shown=False)
        self.keep(child, 1)
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.key("api_key_sid"), API_KEY_SID)
        self.assertEqual(self.secret.read_text(), API_KEY_SECRET + "\n")

    def test_a_wrong_key_is_asked_for_five_times(self):
        before = self.snapshot()
        child = self.begin("--account-sid", ACCOUNT_SID, "--api-key-sid", API_KEY_SID)
        for _ in range(5):
            self.answer(child, "Its secret (not shown): ", "wrong", shown=False)
        child.expect_exact("nothing was changed")
        self.assertEqual(self.finish(child), WRONG)
        self.assertEqual(self.snapshot(), before)

    def test_a_wrong_secret_of_a_file_is_not_asked_for_again(self):
        path = self.directory / "wrong"
        path.touch(0o600)
        path.write_text("wrong\n")
        child = self.begin(*KEY, "--api-key-file", str(path))
        child.expect_exact("nothing was changed")
        self.assertEqual(self.finish(child), WRONG)

    def test_a_number_that_is_not_in_the_list_makes_no_service(self):
        self.make_service("Other")
        before = self.services()
        child = self.begin()
        self.answer_key(child)
        for number in ("0", "3", "99999999999999999999"):
            self.answer(child, "[1]: ", number)
            child.expect_exact(f"the list has no number {number}: type 1 to 2, or a name")
        self.answer(child, "[1]: ", "02")
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.services(), before)
        self.assertEqual(self.key("service_sid"), before["Other"])

    def test_a_name_makes_a_service(self):
        child = self.begin()
        self.answer_key(child)
        self.answer(child, "[1]: ", "Doors")
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.key("service_sid"), self.services()["Doors"])

    def test_again_it_shows_the_present_values_and_enter_keeps_them(self):
        self.make_service("Other")
        self.set_up(*FROM_INPUT, "--service-sid", SERVICE_SID)
        before = self.snapshot()
        child = self.begin()
        self.keep(child, ACCOUNT_SID, API_KEY_SID, "unchanged", SERVICE_SID)
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.snapshot(), before)
        child = self.begin()
        self.keep(child, ACCOUNT_SID, API_KEY_SID, "unchanged")
        self.answer(child, f"[{SERVICE_SID}]: ", "2")
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.key("service_sid"), self.services()["Other"])

    def test_a_key_that_may_not_list_services_is_asked_for_one(self):
        self.emulator.control("fault status-403/70051 on service-list")
        child = self.begin()
        self.answer_key(child)
        self.answer(child, "Verify service SID", SERVICE_SID)
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.key("service_sid"), SERVICE_SID)

    def test_control_c_at_any_question_changes_nothing(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        before = self.snapshot()
        questions = ("Account SID", "API key SID", "Its secret", "The name of a new one")
        answers = (ACCOUNT_SID, API_KEY_SID, API_KEY_SECRET)
        for last, question in enumerate(questions):
            with self.subTest(question):
                child = self.begin()
                for earlier, answer in zip(questions[:last], answers):
                    self.answer(child, earlier, answer, shown=False)
                child.expect_exact(question)
                child.sendintr()
                child.expect_exact("nothing was changed")
                self.assertTrue(termios.tcgetattr(child.child_fd)[3] & termios.ECHO)
                self.assertEqual(self.finish(child), WRONG)
                self.assertEqual((self.snapshot(), self.services()), (before, {}))

    def test_control_c_while_twilio_is_asked_undoes_what_was_made(self):
        self.emulator.request("DELETE", f"/v2/Services/{SERVICE_SID}")
        before = self.snapshot()
        self.emulator.control("fault slow=1500 on service-create")
        child = self.begin()
        self.answer_key(child)
        self.answer(child, "The name of a new one", "Doors")
        while not self.operations()["service-create"]:
            pass
        child.kill(signal.SIGINT)
        child.expect_exact("deleted the Verify service")
        self.assertEqual(self.finish(child), WRONG)
        self.assertEqual((self.snapshot(), self.services()), (before, {}))
