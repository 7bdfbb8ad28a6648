# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""enroll --import: a seed that an app has already.

    BUILD=build /usr/bin/python3 tests/tap.py tests/admin/test_import.py
"""

import base64
import errno
import os
import pathlib
import pwd
import re
import subprocess

from kit.admincase import OK, UNAVAILABLE, USAGE, WRONG, AdminCase, on_a_copy
from kit.fixture import totp
from kit.start import without

HERE = pathlib.Path(__file__).parent
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY"
HEX = base64.b32decode(SECRET + "======").hex()
GOOGLE = f'{SECRET}\n" RATE_LIMIT 3 30\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n10000000\n'
OATH = f"# pam_oath\nHOTP/T30/6\tbin\t-\t00\nHOTP/T30/6\troot\t-\t{HEX}\n"
USER = "daemon"
OPENAT2 = 437  # on every architecture


class Import(AdminCase):
    def setUp(self):
        super().setUp()
        self.home = self.directory / "home"
        self.home.mkdir()
        self.file = self.write(GOOGLE)

    def write(self, text, name="seed", mode=0o400, owner=0):
        path = self.home / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, 0)
        return path

    def run_import(self, *words, user="root", status=OK, answers=()):
        done = self.run_tool("enroll", user, "--import", *(words or (self.file,)), answers=answers)
        self.assertEqual(done.status, status, done)
        for word in (SECRET, SECRET.lower(), HEX, "10000000"):
            self.assertNotIn(word, done.out + done.err)
        return done

    def assert_refused(self, words, *options, user="root", status=WRONG, answers=()):
        before = self.operations()
        done = self.run_import(*options, user=user, status=status, answers=answers)
        self.assertRegex(done.err, words)
        self.assertEqual(self.operations(), before)
        self.assert_nothing_is_left(user)

    def factor(self, user="root"):
        identity, sid = self.record(user)
        path = f"{self.emulator.entity_path(identity)}/Factors/{sid}"
        return path, self.emulator.request("GET", path).json

    def approves(self, code):
        """Whether the imported factor of root takes CODE."""
        identity, sid = self.record()
        path = self.emulator.entity_path(identity) + "/Challenges"
        reply = self.emulator.request("POST", path, {"FactorSid": sid, "AuthPayload": code})
        return reply.json["status"] == "approved"

    def test_each_kind_of_file_enrolls_and_the_app_s_codes_count(self):
        uri = f"otpauth://totp/x:root?secret={SECRET}&period=60&algorithm=SHA256"
        for text, algorithm, step in ((GOOGLE, "sha1", 30), (OATH, "sha1", 30), (uri, "sha256", 60),
                                      (SECRET.lower(), "sha1", 30)):
            with self.subTest(text):
                self.emulator.control("reset")
                self.write(text)
                self.run_import(self.file, "--replace")
                _, factor = self.factor()
                self.assertEqual((factor["status"], factor["friendly_name"]),
                                 ("verified", "pam_twilio_verify"))
                self.assertEqual(factor["config"], {"alg": algorithm, "skew": 1, "code_length": 6,
                                                    "time_step": step})
                now = self.emulator.now()
                self.assertTrue(self.approves(totp(SECRET, now, step, 6, algorithm)))
                for path in self.users.rglob("*.conf"):
                    path.unlink()

    def test_standard_input(self):
        done = self.run_import("-", answers=[GOOGLE.rstrip("\n")])
        self.assertNotIn("still holds", done.err)
        self.assertEqual(self.factor()[1]["status"], "verified")

    def test_eight_digits_where_logins_take_eight(self):
        self.write(f"otpauth://totp/x?secret={SECRET}&digits=8")
        self.assert_refused("its codes have 8 digits, login.code_length is 6")
        self.settings = self.configure(login={"code_length": 8})
        self.run_import()
        self.assertEqual(self.factor()[1]["config"]["code_length"], 8)

    def test_the_clock_of_twilio_makes_the_code(self):
        self.emulator.control("clock +86400")
        self.run_import()
        self.assertEqual(self.factor()[1]["status"], "verified")

    def test_the_file_of_the_user_or_of_root_alone(self):
        uid = pwd.getpwnam(USER).pw_uid
        for owner in (uid + 1, 12345):
            self.write(GOOGLE, owner=owner)
            self.assert_refused(f"belongs neither to root nor to {USER}: its owner", user=USER)
        self.write(GOOGLE, owner=uid)
        self.assert_refused("belongs neither to root nor to root: its owner")
        self.run_import(user=USER)
        self.assertEqual(self.factor(USER)[1]["status"], "verified")

    def test_no_other_user_may_reach_it(self):
        for mode in (0o404, 0o440, 0o602, 0o620, 0o601):
            with self.subTest(oct(mode)):
                self.file.chmod(mode)
                self.assert_refused("is accessible to others")

    def test_no_link_is_followed(self):
        (self.home / "link").symlink_to(self.file)
        self.assert_refused("symbolic links are not followed", self.home / "link")
        (self.directory / "way").symlink_to(self.home)
        self.assert_refused("symbolic links are not followed", self.directory / "way/seed")
        self.assert_refused("not followed|No such", "/dev/stdin", answers=[SECRET])
        self.assert_refused("not followed", f"/proc/self/cwd/{self.file}")

    def test_a_system_without_openat2_is_named_with_the_other_way(self):
        for error in (errno.ENOSYS, errno.EPERM):
            done = self.run_tool("enroll", "root", "--import", self.file,
                                 prefix=without(OPENAT2, error))
            self.assertEqual(done.status, WRONG)
            self.assertIn("openat2(2) is refused", done.err)
            self.assertIn("use --import - and standard input", done.err)

    def silent_files(self, request, uid=0):
        """A prefix: the home is a file system of a user's own that never answers REQUEST."""
        return (*self.privately(":"), HERE / "silent-files", self.home, request, str(uid))

    def test_a_file_system_of_a_program_is_refused_whatever_it_does_not_answer(self):
        for request, path, words in (("none", "seed", r"served by a program \(FUSE\)"),
                                     ("open", "seed", "FUSE"), ("read", "seed", "FUSE"),
                                     ("flush", "seed", "FUSE"),
                                     ("lookup", "seed", "the file system does not answer"),
                                     ("lookup", "below/seed", "the file system does not answer"),
                                     ("statfs", "seed", "the file system does not answer")):
            with self.subTest(request=request, path=path):
                done = self.run_tool("enroll", "root", "--import", self.home / path,
                                     prefix=self.silent_files(request))
                self.assertEqual(done.status, WRONG, done)
                self.assertRegex(done.err, f"{self.home / path}.*{words}.*--import - ")
                self.assert_nothing_is_left("root")

    def test_doctor_waits_for_no_home_that_does_not_answer(self):
        self.run_import(user=USER)
        prefix = self.with_accounts()
        path = self.directory / "passwd"
        path.write_text(re.sub(rf"(?m)^({USER}:.*):[^:]*:([^:]*)$", rf"\1:{self.home}:\2",
                               path.read_text()))
        doctor = ("doctor", USER, "--json", "--pam-dir", self.directory)
        done = self.run_tool(*doctor, prefix=(*prefix, *self.silent_files("lookup")))
        self.assertIn('"subject":"verdict"', done.out)

    def test_a_file_without_a_seed_is_refused(self):
        os.mkfifo(self.home / "pipe")
        self.assert_refused("is not a regular file", self.home / "pipe")
        self.assert_refused("is not a regular file|Is a directory", self.home)
        self.assert_refused("is not a regular file", "/dev/null")
        self.assert_refused("No such file", self.home / "absent")
        self.write("A" * 70000)
        self.assert_refused("has more than 65536 bytes")
        self.write(GOOGLE + "\0")
        self.assert_refused("or NUL")
        self.write("root:$6$hash:19000:0:99999:7:::\n")
        self.assert_refused("its secret is not Base32")
        self.write(GOOGLE.replace("TOTP_AUTH", "HOTP_COUNTER 1"))
        self.assert_refused(r"its codes are counted \(HOTP\)")
        self.write(OATH)
        self.assert_refused("has no entry of this user", user=USER)

    def test_what_makes_no_sense_together(self):
        for words in (("--uri-only",), ("--name", "x")):
            self.assert_refused("leave out --name and --uri-only", self.file, *words, status=USAGE)

    def test_who_is_enrolled_keeps_the_factor_until_the_new_one_works(self):
        self.enroll()
        before = self.record()
        self.assertIn("--replace", self.run_import(status=WRONG).err)
        self.emulator.control("fault status-503 on factor-create")
        self.run_import(self.file, "--replace", status=UNAVAILABLE)
        self.assertEqual(self.record(), before)
        self.emulator.control("fault clear")
        self.run_import(self.file, "--replace")
        self.assertEqual(self.factors(before[0]), {self.record()[1]: "verified"})

    def test_a_seed_that_twilio_does_not_accept_leaves_nothing(self):
        self.emulator.control("fault status-403/60311 on factor-verify")
        self.assertIn("does not accept the code of this seed", self.run_import(status=WRONG).err)
        self.assert_nothing_is_left()

    def test_it_names_the_file_that_still_holds_the_seed(self):
        done = self.run_import()
        self.assertIn(f"{self.file} still holds the seed", done.err)
        self.assertIn(f"later: rm {self.file}", done.err)
        self.write(OATH)
        done = self.run_import(self.file, "--replace")
        self.assertIn("later remove the line of root from it", done.err)
        self.assertTrue(self.file.exists())

    def test_at_a_terminal_it_offers_to_delete_the_file(self):
        for answer, remains in (("", True), ("n", True), ("y", False)):
            with self.subTest(answer):
                self.write(GOOGLE)
                child = self.start("enroll", "root", "--replace", "--import", self.file)
                child.expect_exact("Delete it now? [y/N] ")
                child.sendline(answer)
                self.assertEqual(self.finish(child), OK)
                self.assertEqual(self.file.exists(), remains)

    def test_another_file_in_its_place_is_not_deleted(self):
        child = self.start("enroll", "root", "--import", self.file)
        child.expect_exact("Delete it now? [y/N] ")
        self.write("mine\n")
        child.sendline("y")
        child.expect_exact("is another file now")
        self.assertEqual(self.finish(child), OK)
        self.assertEqual(self.file.read_text(), "mine\n")

    def test_the_seed_is_in_no_argument_and_in_no_memory_of_the_core(self):
        self.assertEqual(subprocess.run(["grep", "-r", SECRET, self.users,
                                         self.directory / "state"],
                                        capture_output=True, check=False).returncode, 1)
        self.run_import()
        done = subprocess.run(["grep", "-rl", "-e", SECRET, "-e", HEX, self.directory],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout.split(), [str(self.file)])

    def test_doctor_names_users_whose_file_is_still_there(self):
        home = pathlib.Path(self.directory / "alice")
        home.mkdir()
        prefix = self.with_accounts(f"alice:x:4321:4321::{home}:/bin/sh")
        (home / ".google_authenticator").write_text(GOOGLE)
        (home / ".google_authenticator").chmod(0o400)
        os.chown(home / ".google_authenticator", 4321, 4321)
        done = self.run_tool("doctor", prefix=prefix)
        self.assertNotIn("google_authenticator", done.out)
        self.run_tool("enroll", "alice", "--import", home / ".google_authenticator", prefix=prefix,
                      status=OK)
        done = self.run_tool("doctor", prefix=prefix)
        self.assertRegex(done.out, rf"warning +seeds: {home}/.google_authenticator of alice may "
                                   rf"hold the seed .*: rm {home}/.google_authenticator")

    def test_doctor_names_users_who_are_in_a_file_of_pam_oath(self):
        self.enroll("root")
        self.enroll("bin")
        file = self.write(OATH, "users.oath", 0o600)
        for place in ("/etc/users.oath", "/etc/security/users.oath"):
            prefix = on_a_copy(self.directory / "layers", f"cp -p {file} {place}")
            (self.directory / "layers").mkdir(exist_ok=True)
            done = self.run_tool("doctor", prefix=prefix)
            self.assertRegex(done.out, rf"warning +seeds: {place} may hold the seed of the factor of "
                                       "root; .*remove that line")
            # A seed of 8 bits was never a user's.
            self.assertNotIn("factor of bin", done.out)
            self.assertNotIn(HEX, done.out)
