#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Push factors, their challenges, and the devices that answer these."""

import base64
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import cases
from kit import device as phone
from kit.device import Device, make_jwt, make_key, public_key, sign

KEY = make_key()
DEVICE = pathlib.Path(phone.__file__)
PUSH = {"Details.Message": "Log in to web1?", "Details.Fields": '{"label":"Number","value":"42"}',
        "HiddenDetails": '{"ip":"192.0.2.1"}'}


class PushTest(cases.Test):
    def setUp(self):
        super().setUp()
        self.device = Device(self.emulator, cases.ALICE, KEY)

    def pushed(self, device=None, **form):
        """A new challenge for the enrolled device."""
        device = device or self.device.enroll()
        return self.challenge(device, **PUSH | form)[0]

    def status(self, challenge):
        return self.status_of(self.device.challenge_path(challenge))


class Factors(PushTest):
    def create(self, **fields):
        form = {name: value for name, value in self.device.creation(**fields).items()
                if value is not None}
        return self.post(self.emulator.entity_path(cases.ALICE) + "/Factors", form)

    def test_the_creation_returns_the_binding_and_the_config(self):
        reply = self.create(Metadata='{"os":"Android"}')
        self.assertEqual(reply.status, 201)
        self.assertEqual((reply.json["factor_type"], reply.json["status"]), ("push", "unverified"))
        self.assertEqual(reply.json["binding"], {
            "alg": "ES256", "public_key": base64.b64encode(public_key(KEY)).decode()})
        config = reply.json["config"]
        self.assertRegex(config.pop("credential_sid"), "^CR[0-9a-f]{32}$")
        self.assertEqual(config, {"sdk_version": "2.0.0", "app_id": "com.example.app",
                                  "notification_platform": "fcm", "notification_token": "0" * 40})
        self.assertEqual(reply.json["metadata"], {"os": "Android"})

    def test_only_a_key_on_p256_is_a_binding(self):
        def generated(*options):
            return subprocess.run(["openssl", "genpkey", "-algorithm", *options],
                                  capture_output=True, check=True).stdout

        right = base64.b64encode(public_key(KEY)).decode()
        others = [base64.b64encode(public_key(generated(*options))).decode() for options in (
            ("EC", "-pkeyopt", "ec_paramgen_curve:P-384"), ("ED25519",), ("RSA",))]
        for text in (None, "", "dGVzdF9rZXk=", right[:-4], right.rstrip("="), right + "=",
                     " " + right, right.replace("M", "-", 1), KEY.decode(), *others):
            with self.subTest(text):
                self.assertRefused(self.create(**{"Binding.PublicKey": text}), 400, 60314)
        for algorithm in (None, "", "es256", "RS256", "none"):
            with self.subTest(algorithm):
                self.assertRefused(self.create(**{"Binding.Alg": algorithm}), 400, 60314)

    def test_the_config_is_checked(self):
        for name, value in (("Config.AppId", None), ("Config.AppId", ""),
                            ("Config.AppId", "a" * 101), ("Config.SdkVersion", None),
                            ("Config.NotificationPlatform", None),
                            ("Config.NotificationPlatform", "sms"),
                            ("Config.NotificationToken", None),
                            ("Config.NotificationToken", "0" * 31),
                            ("Config.NotificationToken", "0" * 256), ("FriendlyName", None)):
            with self.subTest((name, value)):
                self.assertRefused(self.create(**{name: value}), 400, 60306)

    def test_a_platform_without_messages_needs_no_token(self):
        reply = self.create(**{"Config.NotificationPlatform": "none",
                               "Config.NotificationToken": None})
        self.assertEqual(reply.status, 201, reply)
        self.assertIsNone(reply.json["config"]["notification_token"])

    def test_the_devices_signature_over_the_sid_verifies_the_factor(self):
        self.device.enroll(verified=False)
        self.assertEqual(self.get(self.device.path).json["status"], "unverified")
        self.assertEqual(self.device.verify().json["status"], "verified")
        self.assertEqual(self.get(self.device.path).json["status"], "verified")

    def test_another_signature_is_refused_with_60311(self):
        self.device.enroll(verified=False)
        other_text = base64.b64encode(sign(KEY, cases.NOBODY["YF"])).decode()
        for payload in (other_text, "123456", "====", base64.b64encode(b"signed").decode()):
            self.assertRefused(self.post(self.device.path, {"AuthPayload": payload}), 403, 60311)
        self.assertRefused(self.device.verify(make_key()), 403, 60311)
        self.assertEqual(self.get(self.device.path).json["status"], "unverified")

    def test_the_sixth_attempt_is_refused_with_60310(self):
        self.device.enroll(verified=False)
        for _ in range(5):
            self.assertRefused(self.post(self.device.path, {"AuthPayload": "AAAA"}), 403, 60311)
        self.assertRefused(self.device.verify(), 429, 60310)

    def test_a_factor_is_listed_changed_and_deleted(self):
        totp = self.emulator.factor(cases.ALICE)
        self.device.enroll()
        factors = self.pages(self.emulator.entity_path(cases.ALICE) + "/Factors", "factors")
        self.assertEqual([(factor["sid"], factor["factor_type"]) for factor in factors],
                         [(totp.sid, "totp"), (self.device.sid, "push")])
        self.assertNotIn("binding", factors[1])
        reply = self.post(self.device.path, {
            "FriendlyName": "new phone", "Config.NotificationPlatform": "apn",
            "Config.NotificationToken": "1" * 64, "Config.SdkVersion": "3.0.0"})
        self.assertEqual((reply.status, reply.json["friendly_name"]), (200, "new phone"))
        self.assertEqual(reply.json["config"] | {"credential_sid": None}, {
            "credential_sid": None, "app_id": "com.example.app", "sdk_version": "3.0.0",
            "notification_platform": "apn", "notification_token": "1" * 64})
        self.assertEqual(self.get(self.device.path).json["config"], reply.json["config"])
        self.assertRefused(self.post(self.device.path, {"Config.NotificationPlatform": "sms"}),
                           400, 60306)
        self.assertEqual(self.get(self.device.path).json["config"], reply.json["config"])
        self.assertEqual(self.delete(self.device.path).status, 204)
        self.assertRefused(self.get(self.device.path), 404, 20404)

    def test_an_entity_has_at_most_20_push_factors(self):
        self.emulator.factor(cases.ALICE)
        for _ in range(20):
            self.assertEqual(self.create().status, 201)
        self.assertRefused(self.create(), 400, 60315)
        self.emulator.factor(cases.ALICE)


class Challenges(PushTest):
    def test_a_challenge_is_pending_and_has_its_details(self):
        challenge = self.pushed()
        self.assertEqual((challenge["status"], challenge["factor_type"]), ("pending", "push"))
        self.assertEqual(challenge["details"]["message"], "Log in to web1?")
        self.assertEqual(challenge["details"]["fields"], [{"label": "Number", "value": "42"}])
        self.assertEqual(challenge["hidden_details"], {"ip": "192.0.2.1"})
        self.assertEqual(self.device.number(challenge), "42")

    def test_a_challenge_needs_a_message_and_a_verified_factor(self):
        path = self.emulator.entity_path(cases.ALICE) + "/Challenges"
        self.device.enroll(verified=False)
        self.assertRefused(self.post(path, {"FactorSid": self.device.sid} | PUSH), 403, 60318)
        self.device.verify()
        for message in (None, "", "m" * 257):
            form = PUSH | ({"Details.Message": message} if message is not None else {})
            if message is None:
                del form["Details.Message"]
            self.assertRefused(self.post(path, {"FactorSid": self.device.sid} | form), 400, 60306)
        self.assertEqual(self.device.challenges(), [])

    def test_no_code_is_accepted(self):
        path = self.emulator.entity_path(cases.ALICE) + "/Challenges"
        challenge = self.pushed()
        self.assertRefused(self.post(path, {"FactorSid": self.device.sid, "AuthPayload": "123456"}
                                     | PUSH), 400, 60306)
        self.assertRefused(self.try_code(self.device.challenge_path(challenge), "123456"),
                           403, 60324)
        self.assertEqual(self.status(challenge), "pending")

    def test_the_device_approves_or_denies(self):
        self.device.enroll()
        for status in ("approved", "denied"):
            challenge = self.pushed(self.device)
            reply = self.device.answer(challenge, status)
            self.assertEqual((reply.status, reply.json["status"]), (200, status))
            self.assertIsNotNone(reply.json["date_responded"])
            self.assertEqual(self.status(challenge), status)

    def test_the_first_answer_stays(self):
        challenge = self.pushed()
        payloads = [self.device.payload(challenge, status) for status in ("denied", "approved")]
        path = self.device.challenge_path(challenge)
        self.assertEqual(self.post(path, {"AuthPayload": payloads[0]}).status, 200)
        self.assertRefused(self.post(path, {"AuthPayload": payloads[1]}), 403, 60322)
        self.assertEqual(self.status(challenge), "denied")

    def test_an_expired_challenge_is_not_answered(self):
        challenge = self.pushed(ExpirationDate=time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.emulator.now() + 60)))
        payload = {"AuthPayload": self.device.payload(challenge, "approved")}
        path = self.device.challenge_path(challenge)
        self.emulator.control("clock +61")
        self.assertEqual(self.status(challenge), "expired")
        self.assertRefused(self.post(path, payload), 403, 60323)
        self.emulator.control("set expired-verify 200")
        reply = self.post(path, payload)
        self.assertEqual((reply.status, reply.json["status"]), (200, "expired"))

    def test_only_the_devices_own_signature_answers(self):
        challenge = self.pushed()
        other = Device(self.emulator, cases.ALICE).enroll()
        for key in (make_key(), other.key):
            self.assertRefused(self.device.answer(challenge, "approved", key), 403, 60324)
        self.assertEqual(self.status(challenge), "pending")

    def test_every_signed_field_has_to_be_the_challenges(self):
        challenge = self.pushed()
        names = self.get(self.device.challenge_path(challenge)).headers[
            "Twilio-Verify-Signature-Fields"].split(",")
        self.assertLess({"sid", "factor_sid", "details", "hidden_details"}, set(names))
        for name in names:
            with self.subTest(name):
                self.assertRefused(self.device.answer(challenge, "approved", **{name: "other"}),
                                   403, 60324)
        fields = [{"label": "Number", "value": "43"}]
        self.assertRefused(self.device.answer(
            challenge, "approved", details=challenge["details"] | {"fields": fields}), 403, 60324)
        self.assertRefused(self.device.answer(challenge, "approved", more="field"), 403, 60324)
        self.assertEqual(self.status(challenge), "pending")

    def test_an_answer_for_another_challenge_is_refused(self):
        first, second = self.pushed(), self.pushed(self.device)
        payload = self.device.payload(first, "approved")
        self.assertRefused(self.post(self.device.challenge_path(second), {"AuthPayload": payload}),
                           403, 60324)
        self.assertEqual([self.status(each) for each in (first, second)], ["pending", "pending"])

    def test_an_answer_is_approved_or_denied(self):
        challenge = self.pushed()
        for status in ("pending", "expired", "APPROVED", "", None, True, ["approved"]):
            with self.subTest(status):
                self.assertRefused(self.device.answer(challenge, status), 403, 60324)
        self.assertEqual(self.status(challenge), "pending")

    def test_an_answer_is_a_jwt_with_es256(self):
        challenge = self.pushed()
        right = self.device.payload(challenge, "approved")
        head, body, signature = right.split(".")
        payload = json.loads(base64.urlsafe_b64decode(body + "=="))
        unsigned = phone.encode(b'{"typ":"JWT","alg":"none"}')
        for text in ("approved", "..", f"{head}.{body}", f"{head}.{body}.", f"{unsigned}.{body}.",
                     f"{unsigned}.{body}.{signature}", f"{right}.", f"{right}=", right[:-1],
                     f"{head}.{body}.{'A' * 86}", f"{head}..{signature}",
                     make_jwt(KEY, payload, alg="HS256"), make_jwt(KEY, [payload])):
            with self.subTest(text):
                self.assertRefused(self.post(self.device.challenge_path(challenge),
                                             {"AuthPayload": text}), 403, 60324)
        for text in ("", "A" * 5457):
            self.assertRefused(self.post(self.device.challenge_path(challenge),
                                         {"AuthPayload": text}), 400, 60306)
        self.assertEqual(self.status(challenge), "pending")

    def test_the_fields_to_sign_are_named_while_a_push_is_pending(self):
        challenge = self.pushed()
        name = "Twilio-Verify-Signature-Fields"
        self.assertIn(name, self.get(self.device.challenge_path(challenge)).headers)
        self.device.approve(challenge)
        self.assertNotIn(name, self.get(self.device.challenge_path(challenge)).headers)
        _, path = self.challenge(self.emulator.factor(cases.ALICE))
        self.assertNotIn(name, self.get(path).headers)

    def test_a_device_may_fail_as_often_as_it_likes(self):
        challenge, other = self.pushed(), make_key()
        payload = self.device.payload(challenge, "approved", other)
        for _ in range(8):
            self.assertRefused(self.post(self.device.challenge_path(challenge),
                                         {"AuthPayload": payload}), 403, 60324)
        self.device.approve(challenge)

    def test_51_challenges_in_an_hour_are_too_many(self):
        self.device.enroll()
        for _ in range(50):
            self.pushed(self.device)
        path = self.emulator.entity_path(cases.ALICE) + "/Challenges"
        self.assertRefused(self.post(path, {"FactorSid": self.device.sid} | PUSH), 429, 60312)

    def test_a_deleted_factor_takes_its_challenges_along(self):
        challenge = self.pushed()
        self.delete(self.device.path)
        self.assertRefused(self.get(self.device.challenge_path(challenge)), 404, 20404)

    def test_the_wrong_type_is_totp(self):
        challenge = self.pushed()
        self.emulator.control("fault wrong-type on fetch")
        self.assertEqual(self.get(self.device.challenge_path(challenge)).json["factor_type"],
                         "totp")

    def test_a_fault_keeps_an_answer_undone_or_not(self):
        self.device.enroll()
        for fault, status in (("status-503 on verify times 1", "pending"),
                              ("status-503 on verify times 1 after carrying-out", "approved")):
            challenge = self.pushed(self.device)
            self.emulator.control(f"fault {fault}")
            self.assertEqual(self.device.answer(challenge, "approved").status, 503)
            self.assertEqual(self.status(challenge), status)


class Notifications(PushTest):
    def notify(self, challenge, **form):
        return self.post(self.device.challenge_path(challenge) + "/Notifications", form)

    def test_a_message_is_sent_again_three_times(self):
        challenge = self.pushed()
        reply = self.notify(challenge, Ttl=150)
        self.assertEqual((reply.status, reply.json["ttl"], reply.json["priority"]),
                         (201, 150, "high"))
        self.assertRegex(reply.json["sid"], "^NT[0-9a-f]{32}$")
        self.assertEqual(reply.json["challenge_sid"], challenge["sid"])
        self.assertRefused(self.notify(challenge, Ttl=301), 400, 60306)
        self.assertEqual(self.notify(challenge).json["ttl"], 300)
        self.assertEqual(self.notify(challenge, Ttl=0).status, 201)
        self.assertRefused(self.notify(challenge), 429, 60309)

    def test_there_is_none_without_a_platform_or_once_it_is_over(self):
        challenge = self.pushed()
        self.device.deny(challenge)
        self.assertRefused(self.notify(challenge), 403, 60322)
        challenge = self.pushed(self.device)
        self.emulator.control(f"expire {challenge['sid']}")
        self.assertRefused(self.notify(challenge), 403, 60323)
        silent = Device(self.emulator, cases.ALICE).enroll(
            **{"Config.NotificationPlatform": "none"})
        self.assertRefused(self.notify(self.pushed(silent)), 400, 60307)


class Tokens(PushTest):
    """What a device may do by itself."""

    def ask(self, path, method="GET", form=None, key=None, header=None, **claims):
        token = (self.device.token(key, **claims) if header is None else
                 make_jwt(KEY, {"sub": self.emulator.account_sid, "nbf": self.emulator.now(),
                                "exp": self.emulator.now() + 600}, **header))
        return self.emulator.request(method, path, form, user="token", secret=token)

    def test_a_device_reads_its_own_factor_and_challenges(self):
        challenge = self.pushed()
        path = self.emulator.entity_path(cases.ALICE) + "/Challenges"
        for each in (self.device.path, self.device.challenge_path(challenge),
                     f"{path}?FactorSid={self.device.sid}"):
            self.assertEqual(self.ask(each).status, 200, each)

    def test_a_device_deletes_its_own_factor(self):
        self.device.enroll()
        self.assertEqual(self.ask(self.device.path, "DELETE").status, 204)
        self.assertRefused(self.ask(self.device.path), 401, 20003)

    def test_a_device_does_nothing_else(self):
        self.device.enroll()
        other = Device(self.emulator, cases.ALICE).enroll()
        stranger = Device(self.emulator, "bob-0123456789").enroll()
        entity = self.emulator.entity_path(cases.ALICE)
        for method, path, form in (
                ("POST", f"{entity}/Challenges", {"FactorSid": self.device.sid} | PUSH),
                ("GET", f"{entity}/Challenges", None),
                ("GET", f"{entity}/Challenges?FactorSid={other.sid}", None),
                ("GET", self.device.challenge_path(self.pushed(other)), None),
                ("GET", stranger.challenge_path(self.pushed(stranger)), None),
                ("GET", other.path, None), ("DELETE", other.path, None),
                ("GET", stranger.path, None), ("GET", f"{entity}/Factors", None),
                ("POST", f"{entity}/Factors", self.device.creation()), ("GET", entity, None),
                ("DELETE", entity, None), ("GET", cases.SERVICE, None),
                ("GET", "/v2/Services", None), ("GET", "/v2/Elsewhere", None)):
            with self.subTest((method, path)):
                self.assertRefused(self.ask(path, method, form), 401, 20003)

    def test_a_token_is_signed_by_the_factors_key(self):
        self.device.enroll()
        other = Device(self.emulator, cases.ALICE).enroll()
        for key in (make_key(), other.key):
            self.assertRefused(self.ask(self.device.path, key=key), 401, 20003)
        for secret in ("", "token", "a.b.c", self.device.token()[:-1]):
            reply = self.emulator.request("GET", self.device.path, user="token", secret=secret)
            self.assertRefused(reply, 401, 20003)
        reply = self.emulator.request("GET", self.device.path, user="Token",
                                      secret=self.device.token())
        self.assertRefused(reply, 401, 20003)

    def test_a_token_has_its_content_type_and_key_id(self):
        self.device.enroll()
        right = {"cty": "twilio-pba;v=1", "kid": self.device.credential_sid}
        self.assertEqual(self.ask(self.device.path, header=right).status, 200)
        for wrong in ({"cty": "JWT"}, {"kid": "CR" + "e" * 32}, {"cty": None}, {"kid": None},
                      {"alg": "none"}):
            with self.subTest(wrong):
                self.assertRefused(self.ask(self.device.path, header=right | wrong), 401, 20003)

    def test_a_token_is_for_this_account_and_valid_now(self):
        self.device.enroll()
        self.emulator.control(f"clock ={self.emulator.now()}")
        now = self.emulator.now()
        self.assertEqual(self.ask(self.device.path, nbf=now, exp=now + 600).status, 200)
        for wrong in ({"sub": "AC" + "e" * 32}, {"sub": None}, {"nbf": now + 1}, {"exp": now},
                      {"nbf": now, "exp": now + 601}, {"nbf": str(now)}, {"exp": None}):
            with self.subTest(wrong):
                claims = {"nbf": now, "exp": now + 600} | wrong
                self.assertRefused(self.ask(self.device.path, **claims), 401, 20003)

    def test_a_device_sets_its_clock_after_a_401(self):
        self.device.enroll()
        self.emulator.control("clock +86400")
        self.device.approve(self.pushed(self.device))
        self.assertAlmostEqual(self.device.clock_offset, 86400, delta=60)

    def test_an_answer_is_not_counted_as_a_code(self):
        self.device.approve(self.pushed())
        self.assertEqual(self.emulator.stats()["codes"], 0)


class Program(PushTest):
    """The phone as a program of its own."""

    def run_device(self, *arguments):
        return subprocess.run(["/usr/bin/python3", DEVICE, self.file, *arguments],
                              capture_output=True, text=True, timeout=60,
                              env=os.environ | self.emulator.environment())

    def enroll(self):
        self.file = self.emulator.directory / f"{self._testMethodName}.json"
        self.addCleanup(lambda: self.file.unlink(missing_ok=True))
        done = self.run_device("enroll", "--identity", cases.ALICE)
        self.assertEqual(done.returncode, 0, done.stderr)
        identity, self.device.sid = done.stdout.split()
        self.assertEqual(identity, cases.ALICE)

    def test_enrolls_and_approves(self):
        self.enroll()
        challenge = self.pushed(self.device)
        done = self.run_device("approve")
        self.assertEqual(done.stdout, "Log in to web1?\nNumber: 42\n200 approved \n", done.stderr)
        self.assertEqual((done.returncode, self.status(challenge)), (0, "approved"))

    def test_denies_and_answers_twice(self):
        self.enroll()
        challenge = self.pushed(self.device)
        done = self.run_device("deny", "--twice", "--wait", "0.1")
        self.assertEqual(done.stdout.splitlines()[2:], ["200 denied ", "403 403 60322"])
        self.assertEqual((done.returncode, self.status(challenge)), (1, "denied"))

    def test_signs_with_another_key(self):
        self.enroll()
        challenge = self.pushed(self.device)
        self.assertEqual(self.run_device("approve", "--other-key").returncode, 1)
        self.assertEqual(self.status(challenge), "pending")
