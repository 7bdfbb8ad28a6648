# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""list and remove: who is there, and how they go."""

import grp
import json
import os
import pathlib
import subprocess
import unittest

import pexpect
import pyte

from kit.admincase import OK, UNAVAILABLE, WRONG, AdminCase


class List(AdminCase):

    def rows(self, *options):
        done = self.run_tool("list", "--json", *options)
        return done.status, {(row["user"], row["state"]): row for row in json.loads(done.out)}

    def test_nobody_is_an_empty_list(self):
        self.assertEqual(self.run_tool("list"), (OK, "", ""))
        self.assertEqual(json.loads(self.run_tool("list", "--json").out), [])

    def test_everybody_is_listed_with_what_was_left_unfinished(self):
        self.enroll("root")
        self.enroll("daemon")
        self.run_tool("enroll", "bin", "--uri-only")
        status, rows = self.rows()
        self.assertEqual(status, OK)
        self.assertEqual(list(rows), [("daemon", "enrolled"), ("root", "enrolled"),
                                      ("bin", "pending")])
        identity, sid = self.record("root")
        self.assertEqual(rows["root", "enrolled"],
                         {"user": "root", "state": "enrolled", "identity": identity,
                          "factor_sid": sid})

    def missing(self, *options, shadow="", group="", accounts=()):
        """{user: why} of "list --missing", with more in the files of accounts."""
        prefix = ()
        for name, text in (("shadow", shadow), ("group", group)):
            path = self.directory / name
            path.write_text((pathlib.Path("/etc") / name).read_text() + text)
            path.chmod(0o640)
            prefix += self.privately(f"mount --bind {path} /etc/{name}")
        done = self.run_tool("list", "--missing", "--json", *options,
                             prefix=(*prefix, *self.with_accounts(*accounts)))
        self.assertEqual(done.status, OK, done.err)
        return {row["user"]: row["why"] for row in json.loads(done.out)}

    @unittest.skipUnless(os.geteuid() == 0, "needs root, for accounts of its own")
    def test_who_may_log_in_and_is_not_enrolled_is_missing(self):
        (self.directory / "home/.ssh").mkdir(parents=True)
        (self.directory / "home/.ssh/authorized_keys").write_text("ssh-ed25519 AAAA\n")
        home = self.directory / "home"
        before = self.missing()
        self.assertEqual(before["root"], "root")
        found = self.missing(
            accounts=("tv-pw:x:4001:4001::/:/bin/sh", "tv-key:x:4002:4002::%s:/bin/bash" % home,
                      "tv-none:x:4003:4003::/:/bin/sh", "tv-noshell:x:4004:4004::/:/bin/false",
                      "tv-locked:x:4005:4005::/:/bin/sh", "tv-adm:x:4006:4006::/:/bin/sh",
                      "tv-primary:x:4007:%d::/:/bin/sh" % grp.getgrnam("sudo").gr_gid,
                      "tv-open:x:4008:4008::/:"),
            shadow="tv-pw:$6$x:1::::::\ntv-key:!:1::::::\ntv-none:*:1::::::\ntv-noshell:$6$x:1::::::\n"
                   "tv-locked:!$6$x:1::::::\ntv-adm:!:1::::::\ntv-open::1::::::\n",
            group="wheel:x:4999:tv-adm,tv-gone\n")
        self.assertEqual({name: found[name] for name in found.keys() - before.keys()},
                         {"tv-pw": "password", "tv-key": "key", "tv-adm": "wheel",
                          "tv-primary": "sudo", "tv-open": "password"})

    def test_who_is_enrolled_is_not_missing(self):
        self.assertIn("root", self.missing())
        self.enroll("root")
        self.assertNotIn("root", self.missing())

    def test_who_needs_no_enrollment_is_listed_and_it_says_what_that_means(self):
        self.assertNotIn("unmapped_user", self.run_tool("list", "--missing").err)
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        self.assertIn("root", self.missing())
        self.assertIn('unmapped_user is "ignore": these users log in without a code',
                      self.run_tool("list", "--missing").err)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, for accounts of its own")
    def test_homes_that_do_not_answer_hold_nobody_up(self):
        home = self.directory / "silent"
        home.mkdir()
        lines = (f"tv-{number}:!:{4100 + number}:4100::{home}/{number}:/bin/sh"
                 for number in range(5))
        prefix = (*self.with_accounts(*lines),
                  pathlib.Path(__file__).with_name("silent-files"), home, "lookup", "0")
        done = self.run_tool("list", "--missing", prefix=prefix, status=OK)
        self.assertEqual(done.err.count("the file system does not answer: counted as no key"), 3)
        self.assertRegex(done.out, "root +root")
        done = self.run_tool("list", "--missing", prefix=(*prefix[:-2], "open", "0"))
        self.assertRegex(done.out, "tv-4 +key")

    def test_for_a_person_it_is_aligned(self):
        self.enroll("root")
        self.enroll("daemon")
        lines = self.run_tool("list").out.splitlines()
        self.assertRegex(lines[0], r"^daemon  enrolled  [-0-9a-f]{36}  YF[0-9a-f]{32}  -$")
        self.assertRegex(lines[1], r"^root    enrolled  [-0-9a-f]{36}  YF[0-9a-f]{32}  -$")

    def test_without_check_twilio_is_not_asked_and_no_api_key_is_needed(self):
        self.enroll("root")
        before = self.operations()
        self.settings = self.configure(service={"base_url": "https://127.0.0.1:9"})
        (self.directory / "api-key").unlink()
        self.run_tool("list", status=OK)
        self.assertEqual(self.operations(), before)
        self.run_tool("list", "--check", status=WRONG, says="api-key: No such file")

    def test_check_asks_twilio_for_the_state_of_every_factor(self):
        for user in ("root", "daemon", "bin"):
            self.enroll(user)
        self.emulator.control(f"factor {self.record('daemon')[1]} unverified")
        identity, sid = self.record("bin")
        self.emulator.request("DELETE", f"{self.emulator.entity_path(identity)}/Factors/{sid}")
        status, rows = self.rows("--check")
        self.assertEqual(status, WRONG)
        self.assertEqual({user: row["factor"] for (user, _), row in rows.items()},
                         {"root": "verified", "daemon": "unverified", "bin": "absent"})

    def test_what_is_wrong_shows_in_the_exit_status_whatever_else_is(self):
        for user in ("root", "daemon"):
            self.enroll(user)
        self.run_tool("enroll", "bin", "--uri-only")
        self.run_tool("list", "--check", status=OK)
        self.emulator.control(f"factor {self.record('daemon')[1]} unverified")
        self.run_tool("list", "--check", status=WRONG)
        self.emulator.control("fault status-503 on factor-fetch times 1")
        self.emulator.control(f"factor {self.record('root')[1]} unverified")
        self.run_tool("list", "--check", status=WRONG)

    def test_check_while_twilio_does_not_answer(self):
        self.enroll("root")
        self.emulator.control("fault status-503 on factor-fetch")
        status, rows = self.rows("--check")
        self.assertEqual(status, UNAVAILABLE)
        self.assertEqual(rows["root", "enrolled"]["factor"], "unknown")

    def test_check_shows_how_far_it_is_on_a_terminal(self):
        self.enroll("root")
        child = self.start("list", "--check")
        child.expect_exact("asking Twilio: 1 of 1")
        self.assertEqual(self.finish(child), OK)

    def test_what_goes_wrong_meanwhile_has_a_line_of_its_own(self):
        for user in ("root", "daemon", "bin"):
            self.enroll(user)
        self.emulator.control("fault status-503 on factor-fetch")
        child = self.start("list", "--check")
        child.expect(pexpect.EOF)
        screen = pyte.Screen(120, 60)
        pyte.Stream(screen).feed(child.before)
        lines = [line.strip() for line in screen.display if line.strip()]
        self.assertEqual([line[:17] for line in lines[:3]], ["twilio-verify: YF"] * 3, lines)
        self.assertEqual([line.split()[0] for line in lines[3:]], ["bin", "daemon", "root"])

    def test_a_damaged_file_is_named(self):
        self.enroll("root")
        (self.users / "daemon.conf").write_text("identity = 5;\n")
        (self.users / "daemon.conf").chmod(0o640)
        status, rows = self.rows()
        self.assertEqual(status, WRONG)
        self.assertEqual(rows["daemon", "damaged"], {"user": "daemon", "state": "damaged"})
        self.assertIn("daemon.conf:1", self.run_tool("list").err)

    def test_a_name_with_an_escape_sequence_is_shown_harmlessly(self):
        (self.users / "evil\x1b[2J.conf").write_text("")
        done = self.run_tool("list")
        self.assertNotIn("\x1b", done.out + done.err)
        self.assertIn("evil?[2J", done.out)

    def test_it_works_where_nothing_can_be_written(self):
        self.enroll("root")
        for name in (".pending", ".former"):
            subprocess.run(["rm", "-r", self.users / name], check=True)
        self.run_tool("list", status=OK)
        self.assertEqual([path.name for path in self.users.iterdir()], ["root.conf"])

    def test_a_full_standard_output_is_an_error(self):
        self.enroll("root")
        for verb in (["list"], ["check-pam"], ["explain", "root", "--service", "sshd"], ["--help"]):
            for option in ([], ["--json"] * (verb != ["--help"])):
                with self.subTest([verb, option]), open("/dev/full", "w") as full:
                    done = subprocess.run(self.command(*verb, *option), stdout=full, text=True,
                                          stderr=subprocess.PIPE, check=False)
                    self.assertEqual(done.returncode, WRONG)
                    self.assertEqual(done.stderr.count("cannot write to standard output"), 1)


class Remove(AdminCase):

    def test_removes_factor_entity_and_files_and_what_is_gone_counts_as_deleted(self):
        for prepare in (lambda: None, lambda: self.hand_over("root", "--replace"),
                        lambda: self.emulator.request(
                            "DELETE", self.emulator.entity_path(self.record()[0]))):
            self.enroll()
            prepare()
            self.run_tool("remove", "root", status=OK)
            self.assert_nothing_is_left()

    def test_an_entity_with_another_factor_stays(self):
        self.enroll()
        identity, sid = self.record()
        other = self.emulator.factor(identity)
        self.run_tool("remove", "root", status=OK)
        self.assertEqual(self.factors(identity), {other.sid: "verified"})

    def test_somebody_who_is_not_enrolled(self):
        self.run_tool("remove", "root", status=WRONG, says="root is not enrolled")
        self.assert_nothing_is_left()

    def test_while_twilio_does_not_answer_it_says_what_remains_and_keeps_the_file(self):
        self.enroll()
        identity, sid = self.record()
        self.emulator.control("fault status-503 on factor-delete")
        done = self.run_tool("remove", "root", status=UNAVAILABLE, says=identity)
        self.assertIn(sid, done.err)
        self.assertIn("the recovery codes and the bypass of root are deleted", done.err)
        self.assertEqual(self.record(), (identity, sid))

    def test_local_refuses_logins_at_once_and_forgets_nothing(self):
        self.enroll()
        record = self.record()
        self.settings = self.configure(service={"base_url": "https://127.0.0.1:9"})
        (self.directory / "api-key").unlink()
        self.run_tool("remove", "root", "--local", status=OK, says="twilio-verify remove root")
        self.assertIsNone(self.record())
        self.assertEqual(self.record(state=".former"), record)

        self.settings = self.configure()
        self.run_tool("remove", "root", status=OK)
        self.assert_nothing_is_left()

    def test_local_does_not_forget_an_older_replaced_factor(self):
        self.enroll()
        old = self.record()
        app = self.hand_over("root", "--replace")
        self.emulator.control("fault status-503 on factor-delete")
        self.run_tool("confirm", "root", answers=[app.code()])
        self.run_tool("remove", "root", "--local", status=WRONG)
        self.assertEqual(self.record(state=".former"), old)
        self.assertIsNotNone(self.record())

    def test_leftovers_alone_leave_the_enrollment(self):
        self.enroll()
        record = self.record()
        self.run_tool("enroll", "root", "--replace", "--uri-only")
        self.run_tool("remove", "root", "--leftovers", status=OK)
        self.assertEqual(self.record(), record)
        self.assertEqual(self.factors(record[0]), {record[1]: "verified"})
        done = self.run_tool("remove", "root", "--leftovers")
        self.assertEqual((done.status, "root has no unfinished enrollment" in done.err), (OK, True))

    def test_a_push_factor_is_listed_and_stays_at_twilio(self):
        self.enroll("root")
        identity, sid = self.record("root")
        path, push_sid = self.users / "root.conf", "YF" + "7" * 32
        path.write_text(path.read_text() + f'push_factor_sid = "{push_sid}";\n')
        row, = json.loads(self.run_tool("list", "--json").out)
        self.assertEqual(row["push_factor_sid"], push_sid)
        done = self.run_tool("remove", "root", status=OK)
        self.assertIn(f"the push factor {push_sid} of identity {identity} is still at Twilio",
                      done.err)
        self.assertFalse(path.exists())

    def test_a_damaged_file_is_kept_as_what_to_delete_is_not_known(self):
        path = self.users / "root.conf"
        path.write_text('identity = "abcdefgh";\n')
        path.chmod(0o640)
        self.run_tool("remove", "root", status=WRONG, says="factor_sid")
        self.assertTrue(path.exists())
