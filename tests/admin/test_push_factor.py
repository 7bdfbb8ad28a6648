# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""enroll --push-factor: a push factor that the user's app has made.

    BUILD=build /usr/bin/python3 tests/tap.py tests/admin/test_push_factor.py
"""

import json
import uuid

from kit.admincase import OK, UNAVAILABLE, USAGE, WRONG, AdminCase
from kit.device import Device


class PushFactor(AdminCase):
    def setUp(self):
        super().setUp()
        self.path = self.users / "root.conf"

    def device(self, identity=None, verified=True):
        return Device(self.emulator, identity or str(uuid.uuid4())).enroll(verified=verified)

    def take(self, sid, *options, status=OK):
        return self.run_tool("enroll", "root", "--push-factor", sid, *options, status=status)

    def assert_refused(self, words, sid, *options, status=WRONG):
        before = self.path.read_bytes() if self.path.exists() else None
        entities = self.entities()
        self.assertRegex(self.take(sid, *options, status=status).err, words)
        self.assertEqual(self.path.read_bytes() if self.path.exists() else None, before)
        self.assertEqual(self.entities(), entities)

    def test_it_enrolls_a_user_by_the_app_s_identity(self):
        device = self.device()
        done = self.take(device.sid, "--identity", device.identity)
        self.assertIn(f"root is enrolled with the push factor {device.sid}", done.err)
        self.assertEqual(self.path.read_text().split('"')[1::2], [device.identity, device.sid])
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)
        row, = json.loads(self.run_tool("list", "--json").out)
        self.assertEqual(row["push_factor_sid"], device.sid)

    def test_it_joins_the_factor_for_codes(self):
        self.enroll("root")
        identity, sid = self.record("root")
        device = self.device(identity)
        self.take(device.sid)
        self.assertEqual(self.path.read_text().split('"')[1::2], [identity, sid, device.sid])
        self.assertEqual(len(self.factors(identity)), 2)

    def test_an_earlier_one_is_replaced_and_named(self):
        first = self.device()
        self.take(first.sid, "--identity", first.identity)
        second = self.device(first.identity)
        done = self.take(second.sid)
        self.assertIn(f"the earlier push factor {first.sid} is still at Twilio", done.err)
        self.assertNotIn("earlier", self.take(second.sid).err)
        self.assertEqual(self.path.read_text().split('"')[1::2], [first.identity, second.sid])

    def test_codes_can_be_added_later(self):
        device = self.device()
        self.take(device.sid, "--identity", device.identity)
        self.enroll("root", "--replace")
        words = self.path.read_text().split('"')[1::2]
        self.assertEqual((words[0], words[2]), (device.identity, device.sid))
        self.assertEqual(len(self.factors(device.identity)), 2)

    def test_what_is_no_verified_push_factor_of_the_user_is_refused(self):
        self.enroll("root")
        identity, sid = self.record("root")
        self.assert_refused("is not a push factor", sid)
        self.assert_refused("is not verified", self.device(identity, verified=False).sid)
        self.assert_refused(f"identity {identity} has no factor", self.device().sid)
        self.assert_refused("has no factor", "YF" + "0" * 32)

    def test_the_identity_has_to_be_known(self):
        device = self.device()
        self.assert_refused("--identity has to say", device.sid)
        self.enroll("root")
        self.assert_refused("is enrolled as identity", device.sid, "--identity", device.identity)

    def test_options_that_make_a_factor_are_refused(self):
        sid = "YF" + "1" * 32
        for options in (("--replace",), ("--uri-only",), ("--name", "x"), ("--import", "-")):
            with self.subTest(options):
                self.assert_refused(f"leave out {options[0]}", sid, *options, status=USAGE)
        for word in ("YF1", "VA" + "1" * 32, ""):
            with self.subTest(word):
                self.assert_refused("must be YF", word, status=USAGE)

    def rows(self):
        done = self.run_tool("list", "--check", "--json")
        return done.status, {row["state"]: row for row in json.loads(done.out)}

    def forge(self, text):
        self.path.write_text(text)
        self.path.chmod(0o640)

    def test_list_asks_twilio_about_it(self):
        device = self.device()
        self.take(device.sid, "--identity", device.identity)
        status, rows = self.rows()
        self.assertEqual((status, rows["enrolled"]["push_factor"]), (OK, "verified"))
        self.assertNotIn("factor", rows["enrolled"])
        self.enroll("root", "--replace")
        sid = self.record("root")[1]
        other = self.device(device.identity, verified=False)
        for push_sid, word in ((other.sid, "unverified"), ("YF" + "0" * 32, "absent"),
                               (sid, "totp")):
            with self.subTest(word):
                self.forge(f'identity = "{device.identity}";\nfactor_sid = "{sid}";\n'
                           f'push_factor_sid = "{push_sid}";\n')
                status, rows = self.rows()
                self.assertEqual((status, rows["enrolled"]["push_factor"]), (WRONG, word))
                self.assertEqual(rows["enrolled"]["factor"], "verified")
        self.forge(f'identity = "{device.identity}";\nfactor_sid = "{device.sid}";\n')
        status, rows = self.rows()
        self.assertEqual((status, rows["enrolled"]["factor"]), (WRONG, "push"))

    def test_a_removal_in_two_steps_names_it_and_leaves_it(self):
        words = "the push factor {} of identity {} is still at Twilio"
        for has_app in (True, False):
            for option in ((), ("--leftovers",)):
                with self.subTest((has_app, option)):
                    device = self.device()
                    unfinished = self.device(device.identity, verified=False)
                    self.take(device.sid, "--identity", device.identity)
                    if has_app:
                        self.enroll("root", "--replace")
                    said = words.format(device.sid, device.identity)
                    self.assertIn(said, self.run_tool("remove", "root", "--local").err)
                    self.run_tool("remove", "root", *option, status=OK, says=said)
                    self.assertEqual(set(self.factors(device.identity)),
                                     {device.sid, unfinished.sid})

    def test_a_replaced_code_factor_says_nothing_of_the_push_factor_in_use(self):
        self.enroll("root")
        device = self.device(self.record("root")[0])
        self.take(device.sid)
        former = self.users / ".former" / "root.conf"
        former.write_text(self.path.read_text())
        former.chmod(0o640)
        self.assertNotIn(device.sid, self.run_tool("remove", "root", "--leftovers").err)

    def test_an_outage_changes_nothing(self):
        device = self.device()
        self.settings = self.configure(service={"base_url": "https://127.0.0.1:9"})
        self.assert_refused("cannot check the push factor", device.sid, "--identity",
                            device.identity, status=UNAVAILABLE)

    def test_recovery_codes_of_an_earlier_user_go(self):
        codes = self.users / "root.recovery"
        codes.write_text("")
        device = self.device()
        self.take(device.sid, "--identity", device.identity)
        self.assertFalse(codes.exists())
