# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""recovery-codes and bypass: what an administrator does when a phone or Twilio is away. What they do to
a login is tested with the check program."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import unittest

from kit.admincase import OK, USAGE, WRONG, AdminCase
from kit.statefile import ROW, UNTOLD, USED, WRONG_AT, forge, read

CODE = r"[bcdfghjkmnpqrstvwxyz]{4}(-[bcdfghjkmnpqrstvwxyz]{4}){2}"
HASH = re.compile(r'^ {4}"[./0-9A-Za-z]{43}",?$', re.MULTILINE)


class RecoveryCodes(AdminCase):
    def setUp(self):
        super().setUp()
        self.enroll()
        self.file = self.users / "root.recovery"

    def make(self, *options):
        return self.run_tool("recovery-codes", "root", *options, status=OK)

    def listed(self):
        (row,) = json.loads(self.run_tool("list", "--json").out)
        return row

    def test_they_are_shown_once_and_only_their_hashes_are_kept(self):
        done = self.make()
        codes = done.out.split()
        self.assertEqual(len(set(codes)), 10)
        for code in codes:
            self.assertRegex(code, f"^{CODE}$")
        self.assertEqual(done.err, "twilio-verify: 10 recovery codes of root. They are not shown "
                                   "again. Each one works once, in place of a code, also while "
                                   "Twilio does not answer\n")
        text = self.file.read_text()
        self.assertEqual(self.file.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(len(HASH.findall(text)), 10)
        self.assertEqual(len(re.findall(r'^salt   = "\$y\$j9T\$[./0-9A-Za-z]{22}";$', text,
                                        re.MULTILINE)), 1)
        for path in [*self.users.iterdir(), *(self.directory / "state").iterdir()]:
            if path.is_file():
                for code in codes:
                    self.assertNotIn(code.replace("-", "").encode(), path.read_bytes())

    def test_codes_that_nobody_can_see_are_told_of(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(self.command("recovery-codes", "root"), stdout=full, text=True,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, WRONG)
        self.assertIn("could not print the codes; run the command again", done.stderr)

    def test_every_letter_is_as_likely_as_the_others(self):
        letters = "".join("".join(self.make("--count", "20").out.split()).replace("-", "")
                          for _ in range(20))
        share = {letter: letters.count(letter) * 20 / len(letters) for letter in set(letters)}
        self.assertEqual(len(share), 20)
        self.assertGreater(min(share.values()), 0.7)
        self.assertLess(max(share.values()), 1.3)

    def test_list_and_explain_show_how_many_remain(self):
        self.assertNotIn("recovery_codes", self.listed())
        self.make("--count", "3")
        self.assertEqual(self.listed()["recovery_codes"], "3")
        self.assertRegex(self.run_tool("list").out, r"  recovery_codes: 3\n$")
        done = self.run_tool("explain", "root", "--service", "sshd")
        self.assertIn("ok       recovery: 3 recovery codes remain\n", done.out)
        (self.directory / "state" / "root.used").unlink()
        done = self.run_tool("list", "--json", status=WRONG)
        self.assertEqual(json.loads(done.out)[0]["recovery_codes"], "0")
        self.assertIn("root.used: No such file", done.err)
        self.make("--count", "4")
        self.assertEqual(self.listed()["recovery_codes"], "4")

    def test_no_file_of_the_network_s_account_makes_more_or_fewer_of_them(self):
        self.make("--count", "3")
        for used, left in ((2**64 - 1, "0"), (2**64 - 8, "3"), (2**63 + 1, "2")):
            forge(self.directory / "state" / "root.used",
                  lambda values: values.__setitem__(USED, [used] * 2))
            done = self.run_tool("list", "--json")
            self.assertEqual((done.status, done.err), (OK, ""))
            self.assertEqual(json.loads(done.out)[0]["recovery_codes"], left)
            done = self.run_tool("explain", "root", "--service", "sshd")
            self.assertIn("recovery: no recovery code remains;" if left == "0" else
                          f"recovery: {left} recovery codes remain\n", done.out)

    def test_unlock_forgets_wrong_codes_and_no_used_recovery_code(self):
        self.make("--count", "3")
        self.run_tool("unlock", "root")
        sent = self.directory / "state" / "root.sent"

        def fill(values):
            values[WRONG_AT], values[ROW], values[UNTOLD] = [1800000000] * 30, 100, 7
        forge(sent, fill)
        forge(self.directory / "state" / "root.used", lambda values: values.__setitem__(USED, [1,
                                                                                               1]))
        done = self.run_tool("unlock", "root")
        self.assertEqual((done.status, done.err),
                         (OK, "twilio-verify: cleared the wrong codes of root\n"))
        values = read(sent)
        self.assertEqual((values[WRONG_AT], values[ROW], values[UNTOLD]), ([0] * 30, 0, 7))
        self.assertEqual(self.listed()["recovery_codes"], "2")
        done = self.run_tool("unlock", "daemon")
        self.assertEqual((done.status, done.err),
                         (WRONG, "twilio-verify: daemon is not enrolled\n"))
        self.run_tool("unlock", status=USAGE)

    def test_wrong_codes_are_told_with_the_end_of_a_lock(self):
        self.run_tool("unlock", "root")
        now = int(time.time())
        for times, row, listed, level, text in (
                (3, 5, {"wrong_codes_24h": "3", "wrong_in_a_row": "5"}, "note",
                 "wrong codes: 3 in 24 h, 5 in a row"),
                (30, 30, {"wrong_codes_24h": "30", "wrong_in_a_row": "30",
                          "locked_until": time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                        time.gmtime(now + 86400))}, "warning",
                 "wrong codes: 30 in 24 h: codes of root are refused until 20"),
                (0, 100, {"wrong_in_a_row": "100", "locked_until": "unlock"}, "warning",
                 "wrong codes: 100 in a row: codes of root are refused until unlocked")):
            def fill(values):
                values[WRONG_AT], values[ROW] = [now] * times + [0] * (30 - times), row
            forge(self.directory / "state" / "root.sent", fill)
            found = self.listed()
            self.assertEqual({name: found[name] for name in found if "wrong" in name or
                              "locked" in name}, listed)
            self.assertRegex(self.run_tool("explain", "root", "--service", "sshd").out,
                             f"(?m)^{level} +{text}")
            status = json.loads(self.run_tool("status", "--json").out)
            locked = int("locked_until" in listed)
            self.assertEqual(status.get("locked", "0"), str(locked))
            report = self.run_tool("doctor", "--json").out
            self.assertEqual(report.count("codes of root are refused"), locked)
            self.assertEqual(report.count("twilio-verify unlock root"), locked)

    def test_new_ones_make_the_old_ones_void_and_say_so(self):
        self.make()
        before = self.file.read_text()
        self.assertIn("earlier ones no longer work", self.make().err)
        self.assertNotEqual(self.file.read_text(), before)

    def test_a_state_that_is_damaged_is_made_anew(self):
        self.make()
        (self.directory / "state" / "root.used").write_bytes(b"rubbish")
        self.make()
        self.assertEqual(self.listed()["recovery_codes"], "10")

    def test_no_api_key_and_no_twilio_are_needed(self):
        (self.directory / "api-key").unlink()
        self.settings = self.configure(service={"base_url": "https://127.0.0.1:9"})
        self.make()

    def test_what_can_not_be(self):
        for words, status, error in (
                (["daemon"], WRONG, "daemon is not enrolled: twilio-verify enroll daemon"),
                (["root", "--count", "0"], USAGE, "--count must be 1 to 20"),
                (["root", "--count", "21"], USAGE, "--count must be 1 to 20"),
                (["root", "--count", "ten"], USAGE, "--count must be 1 to 20"),
                (["root", "--count", ""], USAGE, "--count must be 1 to 20"),
                (["../root"], WRONG, "is not a valid user name")):
            with self.subTest(words):
                self.run_tool("recovery-codes", *words, status=status, out="", says=error)
        self.assertFalse(self.file.exists())

    def test_without_a_state_directory_none_are_made(self):
        self.make()
        before = self.file.read_text()
        shutil.rmtree(self.directory / "state")
        done = self.run_tool("recovery-codes", "root", status=WRONG, out="")
        self.assertRegex(done.err, "no codes were made: directory .*state: No such file")
        self.assertEqual(self.file.read_text(), before)

    def test_of_two_administrators_at_once_one_is_told(self):
        commands = [subprocess.Popen(self.command("recovery-codes", "root", "--count", "20"),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    for _ in range(4)]
        ends = [(*command.communicate(), command.returncode) for command in commands]
        done = [out for out, _, status in ends if status == OK]
        self.assertGreater(len(done), 0)
        for out, err, status in ends:
            if status != OK:
                self.assertEqual(out, "")
                self.assertIn("another twilio-verify is changing root now", err)
        self.assertEqual(self.listed()["recovery_codes"], "20")

    def test_the_next_user_of_the_name_does_not_get_them(self):
        self.make()
        self.enroll("root", "--replace")
        self.assertEqual(self.listed()["recovery_codes"], "10")
        (self.users / "root.conf").unlink()
        self.enroll()
        self.assertNotIn("recovery_codes", self.listed())

    def test_they_go_with_the_enrollment_and_so_does_what_is_remembered(self):
        for options in ((), ("--local",)):
            self.make()
            self.run_tool("bypass", "root", "--for", "1h", "--reason", "x")
            self.run_tool("remove", "root", *options, status=OK)
            self.assertEqual(list((self.directory / "run" / "bypass").iterdir()), [])
            self.assertEqual([path.name for path in self.users.iterdir() if path.is_file()], [])
            if not options:
                self.assertEqual(list((self.directory / "state").iterdir()), [])
                self.enroll()


class Bypass(AdminCase):
    def setUp(self):
        super().setUp()
        self.enroll()
        self.runtime = self.directory / "run"
        self.file = self.runtime / "bypass" / "root"

    def make(self, user="root", time="2h", reason="lost phone"):
        return self.run_tool("bypass", user, "--for", time, "--reason", reason, status=OK, out="")

    def edit(self, name, value):
        text = self.file.read_text()
        self.file.write_text(re.sub(rf"({name} +=) [^;]+;", rf"\1 {value};", text))

    def test_it_says_until_when_and_how_to_end_it(self):
        done = self.make()
        self.assertRegex(done.err, r"^twilio-verify: root needs no code until 20\d\d-\d\d-\d\dT"
                                   r"\d\d:\d\d:\d\dZ or the next restart; to end it "
                                   r"now: twilio-verify bypass root --end\n$")
        done = self.run_tool("bypass", "root", "--end")
        self.assertEqual(done, (OK, "", "twilio-verify: the bypass of root has ended\n"))
        self.assertFalse(self.file.exists())
        done = self.run_tool("bypass", "root", "--end")
        self.assertEqual(done, (OK, "", "twilio-verify: root has no bypass\n"))

    def test_it_makes_its_directories_for_root_alone(self):
        modes = {self.runtime: 0o755, self.runtime / "bypass": 0o700, self.file: 0o600}
        for given in (None, 0o700, 0o750):  # by nobody, by a call that was killed, by an administrator
            with self.subTest(given):
                shutil.rmtree(self.runtime, ignore_errors=True)
                if given is not None:
                    self.runtime.mkdir(mode=given)
                self.make()
                self.assertEqual({path: path.stat().st_mode & 0o7777 for path in modes}, modes)
                self.assertEqual([path.name for path in self.runtime.iterdir()], ["bypass"])

    def test_it_counts_by_the_clock_of_this_boot_alone(self):
        boot_id = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        before = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.make(time="90m")
        after = time.clock_gettime(time.CLOCK_BOOTTIME)
        until = int(re.search(r"^until   = (\d+);$", self.file.read_text(), re.MULTILINE)[1])
        self.assertTrue(int(before) + 5400 <= until <= int(after) + 5400)
        self.assertIn(f'boot_id = "{boot_id}";\n', self.file.read_text())

    def test_directories_that_others_own_or_write_are_refused_with_the_remedy(self):
        self.make()
        for path in (self.runtime, self.runtime / "bypass"):
            with self.subTest(path):
                path.chmod(0o777)
                for words in (["--for", "1h", "--reason", "x"], ["--end"]):
                    self.run_tool("bypass", "root", *words,
                                  status=WRONG, says=f"{path} is writable by others: chmod go-w it")
                done = self.run_tool("list", status=WRONG)
                self.assertEqual(done.err.count("cannot read the bypasses: "), 1)
                path.chmod(0o755)
                if os.geteuid() == 0:
                    os.chown(path, 12345, -1)
                    done = self.run_tool("bypass", "root", "--for", "1h", "--reason", "x")
                    self.assertIn(f"{path} is not owned by root: chown root it", done.err)
                    os.chown(path, 0, -1)
                elsewhere = path.rename(self.directory / "elsewhere")
                path.symlink_to(elsewhere)
                self.run_tool("bypass", "root", "--for", "1h", "--reason", "x",
                              status=WRONG, says="a symbolic link")
                path.unlink()
                elsewhere.rename(path)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_disk_that_is_full_or_can_not_be_written_is_told_and_makes_no_bypass(self):
        run = self.directory.with_name(self.directory.name + "-run")
        run.mkdir()
        self.addCleanup(shutil.rmtree, run)
        self.settings = self.configure(check={"runtime_dir": run / "twilio-verify"})
        mount = f"mount -t tmpfs -o size=4k,mode=755 tmpfs {run}"
        for command, problem in (
                (f"{mount} && head -c 8192 /dev/zero >{run}/full 2>/dev/null || true",
                 "No space left on device"),
                (f"{mount} && mount -o remount,ro {run}", "Read-only file system")):
            with self.subTest(problem):
                done = self.run_tool("bypass", "root", "--for", "1h", "--reason", "x",
                                     prefix=self.privately(command))
                self.assertEqual((done.status, done.out), (WRONG, ""), done.err)
                self.assertRegex(done.err, f"no bypass was made: .*{problem}")
        self.settings = self.configure(check={"runtime_dir": "/nonexistent/twilio-verify"})
        done = self.run_tool("bypass", "root", "--for", "1h", "--reason", "x", status=WRONG, out="")
        self.assertIn("cannot make the directory /nonexistent/twilio-verify: No such file",
                      done.err)
        self.assertEqual(self.run_tool("bypass", "root", "--end"),
                         (OK, "", "twilio-verify: root has no bypass\n"))

    def test_list_and_explain_show_it_with_its_reason(self):
        reason = 'lost "his" phone \\ été'
        self.make("root", "90m", reason)
        self.make("daemon", "24h", "new here")
        (self.runtime / "bypass" / "root.new").write_text("")  # somebody's name, and no account's
        done = self.run_tool("list", "--json")
        rows = {row["user"]: row for row in json.loads(done.out)}
        self.assertEqual(set(rows), {"root", "daemon"})
        self.assertEqual(rows["root"]["bypass_reason"], reason)
        self.assertRegex(rows["root"]["bypass_until"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual((rows["daemon"]["state"], rows["daemon"]["bypass_reason"]),
                         ("not enrolled", "new here"))
        done = self.run_tool("explain", "root", "--service", "sshd")
        self.assertRegex(done.out, r"warning  rule: a bypass, for 1 h (29|30) min more: "
                                   + re.escape(reason) + "; twilio-verify bypass --end root")
        self.assertIn("root needs no code: PAM_IGNORE", done.out)

    def test_one_that_has_ended_is_not_shown_and_explained(self):
        for name, value, why in (("until", "1", "the bypass has ended"),
                                 ("boot_id", f'"{"0" * 36}"', "the bypass has ended: this host "
                                                              "was restarted since"),
                                 ("until", "999999999", "the bypass is for more than 24 hours")):
            with self.subTest(why):
                self.make()
                self.edit(name, value)
                done = self.run_tool("list")
                self.assertEqual((done.status, done.err), (OK, ""))
                self.assertNotIn("bypass", done.out)
                done = self.run_tool("explain", "root", "--service", "sshd")
                self.assertIn(f"note     bypass: has no effect: {why}\n", done.out)
                self.assertIn("root is asked for a code", done.out)

    def test_one_that_is_damaged_is_told(self):
        self.make()
        self.file.write_text("made = 1;\n")
        self.run_tool("list", status=WRONG, says="a bypass: bypass/root:1: unknown key made")
        done = self.run_tool("explain", "root", "--service", "sshd")
        self.assertIn("warning  bypass: has no effect: bypass/root:1: unknown key made", done.out)
        self.make()
        self.run_tool("list", status=OK)

    def test_one_of_an_earlier_version_does_not_count_and_is_told(self):
        self.make()
        old = self.users / "root.bypass"
        self.file.rename(old)
        done = self.run_tool("list")
        self.assertEqual((done.status, done.err),
                         (OK, f"twilio-verify: {old} is of an earlier version and no longer counts: "
                              f"rm {old}\n"))
        self.assertNotIn("bypass", done.out)
        done = self.run_tool("explain", "root", "--service", "sshd")
        self.assertIn("root is asked for a code", done.out)

    def test_what_can_not_be(self):
        for words in (["--for", "25h"], ["--for", "1441m"], ["--for", "0m"], ["--for", "2"],
                      ["--for", "2d"], ["--for", "-1h"], ["--for", "1hm"], ["--for", ""],
                      ["--for", "99999999999999999999h"], ["--for", " 2h"]):
            done = self.run_tool("bypass", "root", *words, "--reason", "x")
            self.assertEqual(done.status, USAGE, words)
            self.assertIn("--for must be minutes or hours, at most 24h: 90m, 2h", done.err)
        for words in ([], ["--for", "2h"], ["--reason", "x"], ["--end", "--for", "2h"],
                      ["--end", "--reason", "x"]):
            done = self.run_tool("bypass", "root", *words)
            self.assertEqual(done.status, USAGE, words)
            self.assertIn("bypass needs --for and --reason, or --end alone", done.err)
        for reason in ("", "x" * 201, "a\nb", "a\x1b[31m"):
            done = self.run_tool("bypass", "root", "--for", "2h", "--reason", reason)
            self.assertEqual(done.status, USAGE, reason)
            self.assertIn("--reason must be 1 to 200 bytes of UTF-8", done.err)
        self.run_tool("bypass", "nobody-at-all", "--for", "2h", "--reason", "x",
                      status=WRONG, says="neither enrolled nor an account of exactly this name")
        self.assertFalse(self.runtime.exists())

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_they_are_for_the_name_that_is_enrolled(self):
        prefix = self.with_accounts("frank:x:4711:4711::/:/bin/sh",
                                    "frank2:x:4711:4711::/:/bin/sh")
        words = ("bypass", "frank2", "--for", "2h", "--reason", "x")
        (self.users / "frank.conf").write_bytes((self.users / "root.conf").read_bytes())
        done = self.run_tool(*words, prefix=prefix)
        self.assertEqual(done, (WRONG, "", "twilio-verify: frank2 is enrolled as frank: "
                                           "twilio-verify bypass frank\n"))
        for command in ("bypass --end", "session", "session --end"):
            done = self.run_tool(*command.split(), "frank2", prefix=prefix)
            self.assertEqual(done, (WRONG, "", "twilio-verify: frank2 is enrolled as frank: "
                                               f"twilio-verify {command} frank\n"))
        (self.users / "frank.conf").unlink()
        self.run_tool(*words, prefix=prefix, status=OK)

    def test_the_longest_reason_and_the_longest_time(self):
        self.run_tool("bypass", "root", "--for", "1440m", "--reason", '"' * 200, status=OK)
        self.assertIn('"' * 200, self.run_tool("list").out)
