# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The API that the emulator offers, each sentence tried over HTTPS."""

import base64
import json
import time
import urllib.parse

from cases import ALICE, HOST, SERVICE, Test, fixture


class Services(Test):
    def test_the_service_of_the_command_line_is_there_from_the_start(self):
        reply = self.get(SERVICE)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json["sid"], fixture.SERVICE_SID)
        self.assertEqual(reply.json["account_sid"], fixture.ACCOUNT_SID)
        self.assertEqual(reply.json["totp"], dict.fromkeys(
            ("issuer", "time_step", "code_length", "skew")))

    def test_creates_fetches_updates_and_deletes_a_service(self):
        made = self.post("/v2/Services",
                         {"FriendlyName": "Doors", "Totp.Issuer": "ACME & Söhne",
                          "Totp.TimeStep": 60, "Totp.CodeLength": 8, "Totp.Skew": 0})
        self.assertEqual(made.status, 201)
        self.assertEqual(made.json["totp"], {"issuer": "ACME & Söhne", "time_step": 60,
                                             "code_length": 8, "skew": 0})
        path = "/v2/Services/" + made.json["sid"]
        self.assertEqual(made.json["url"], HOST + path)
        changed = self.post(path, {"FriendlyName": "Gates", "Totp.Skew": 2})
        self.assertEqual((changed.status, changed.json["friendly_name"]), (200, "Gates"))
        self.assertEqual(changed.json["totp"]["skew"], 2)
        self.assertEqual(changed.json["totp"]["time_step"], 60)
        self.assertEqual(self.get(path).json, changed.json)
        self.assertEqual(self.delete(path).status, 204)
        self.assertRefused(self.get(path), 404, 20404)

    def test_a_factor_takes_its_defaults_from_the_service(self):
        self.post(SERVICE, {"Totp.Issuer": "ACME & Söhne", "Totp.TimeStep": 45,
                            "Totp.CodeLength": 8, "Totp.Skew": 2})
        factor = self.emulator.factor()
        self.assertEqual(factor.config, {"alg": "sha1", "skew": 2, "code_length": 8,
                                         "time_step": 45})
        self.assertTrue(factor.uri.startswith("otpauth://totp/ACME%20%26%20S%C3%B6hne:test?"))

    def test_lists_services_in_pages(self):
        sids = {fixture.SERVICE_SID}
        sids |= {self.post("/v2/Services", {"FriendlyName": f"s{n}"}).json["sid"] for n in range(4)}
        found = [s["sid"] for s in self.pages("/v2/Services?PageSize=2", "services")]
        self.assertEqual((set(found), len(found)), (sids, 5))

    def test_refuses_settings_out_of_range(self):
        for wrong in ({"Totp.TimeStep": 19}, {"Totp.TimeStep": 61}, {"Totp.CodeLength": 2},
                      {"Totp.CodeLength": 9}, {"Totp.Skew": 3}, {"Totp.Skew": -1},
                      {"CodeLength": 11}, {"FriendlyName": "x" * 33}, {"FriendlyName": ""}):
            with self.subTest(wrong):
                reply = self.post("/v2/Services", {"FriendlyName": "x"} | wrong)
                self.assertRefused(reply, 400, 60306)
        self.assertRefused(self.post("/v2/Services"), 400, 60306)


class Entities(Test):
    def test_creates_fetches_and_deletes_an_entity(self):
        made = self.post(SERVICE + "/Entities", {"Identity": ALICE})
        self.assertEqual(made.status, 201)
        self.assertRegex(made.json["sid"], "^YE[0-9a-f]{32}$")
        path = f"{SERVICE}/Entities/{ALICE}"
        self.assertEqual(made.json["url"], HOST + path)
        self.assertEqual(made.json["links"], {"factors": f"{HOST}{path}/Factors",
                                              "new_factors": f"{HOST}{path}/Factors",
                                              "challenges": f"{HOST}{path}/Challenges"})
        self.assertEqual(self.get(path).json, made.json)
        self.assertEqual(self.delete(path).status, 204)
        self.assertRefused(self.get(path), 404, 20404)

    def test_refuses_a_second_entity_of_the_same_identity_with_60301(self):
        self.post(SERVICE + "/Entities", {"Identity": ALICE})
        self.assertRefused(self.post(SERVICE + "/Entities", {"Identity": ALICE}), 409, 60301)

    def test_refuses_malformed_identities(self):
        for identity in ("", "short-7", "x" * 65, "has_underscore", "has.a.dot", "-begins-1",
                         "ends-now-", "two--dashes", "umläute-0", "has a blank"):
            with self.subTest(identity):
                reply = self.post(SERVICE + "/Entities", {"Identity": identity})
                self.assertRefused(reply, 400, 60306)
        for identity in ("x" * 8, "x" * 64, "7f3c5d0e-9a1b-4c1d-8e2f-5a6b7c8d9e0f"):
            self.assertEqual(self.post(SERVICE + "/Entities", {"Identity": identity}).status, 201)

    def test_a_deleted_entity_takes_its_factors_and_challenges_along(self):
        factor = self.emulator.factor(ALICE)
        _, path = self.challenge(factor)
        self.assertEqual(self.delete(self.emulator.entity_path(ALICE)).status, 204)
        self.assertEqual(self.post(SERVICE + "/Entities", {"Identity": ALICE}).status, 201)
        self.assertRefused(self.get(factor.path), 404, 20404)
        self.assertRefused(self.get(path), 404, 20404)

    def test_lists_entities_in_pages(self):
        names = [f"identity-{n}" for n in range(5)]
        for name in names:
            self.post(SERVICE + "/Entities", {"Identity": name})
        found = self.pages(SERVICE + "/Entities?PageSize=2", "entities")
        self.assertEqual([e["identity"] for e in found], names)


class Factors(Test):
    def test_a_new_factor_is_unverified_and_only_its_creation_tells_the_secret(self):
        reply = self.post(self.emulator.entity_path(ALICE) + "/Factors",
                          {"FriendlyName": "John’s Account Name", "FactorType": "totp",
                           "Metadata": '{"os": "Android"}'})
        self.assertEqual((reply.status, reply.json["status"]), (201, "unverified"))
        self.assertRegex(reply.json["binding"]["secret"], "^[A-Z2-7]{32}$")
        self.assertEqual(reply.json["metadata"], {"os": "Android"})
        self.assertIsNone(reply.json["options"])
        path = f"{self.emulator.entity_path(ALICE)}/Factors/{reply.json['sid']}"
        fetched = self.get(path).json
        self.assertNotIn("binding", fetched)
        self.assertEqual(fetched, {key: value for key, value in reply.json.items()
                                   if key not in ("binding", "options")})
        self.assertEqual(fetched["url"], HOST + path)

    def test_the_address_for_the_app_is_percent_encoded_and_names_all_settings(self):
        factor = self.emulator.factor(ALICE, False, friendly_name="John’s Account/Name?",
                                      alg="sha256", code_length=8, time_step=20)
        self.assertTrue(factor.uri.startswith(
            "otpauth://totp/Emulator:John%E2%80%99s%20Account%2FName%3F?"), factor.uri)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(factor.uri).query)
        self.assertEqual(query, {"secret": [factor.secret], "issuer": ["Emulator"],
                                 "algorithm": ["SHA256"], "digits": ["8"], "period": ["20"]})

    def test_takes_the_secret_that_it_is_given(self):
        factor = self.emulator.factor(secret="gezdgnbvgy3tqojqgezdgnbvgy3tqojq")
        self.assertEqual(factor.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

    def test_two_factors_have_different_secrets(self):
        self.assertNotEqual(self.emulator.factor().secret, self.emulator.factor().secret)

    def test_a_factor_for_a_new_identity_makes_the_entity(self):
        self.assertEqual(self.get(self.emulator.entity_path(ALICE)).status, 404)
        self.emulator.factor(ALICE)
        self.assertEqual(self.get(self.emulator.entity_path(ALICE)).status, 200)

    def test_the_right_code_verifies_and_a_wrong_one_does_not(self):
        factor = self.emulator.factor(verified=False)
        wrong = self.try_code(factor.path, factor.wrong_code())
        self.assertEqual((wrong.status, wrong.json["status"]), (200, "unverified"))
        right = self.try_code(factor.path, factor.code())
        self.assertEqual((right.status, right.json["status"]), (200, "verified"))
        self.assertEqual(self.get(factor.path).json["status"], "verified")

    def test_refuses_the_sixth_attempt_to_verify_a_factor_with_60310(self):
        factor = self.emulator.factor(verified=False)
        for _ in range(5):
            self.assertEqual(self.try_code(factor.path, factor.wrong_code()).status, 200)
        self.assertRefused(self.try_code(factor.path, factor.code()), 429, 60310)
        self.assertEqual(self.get(factor.path).json["status"], "unverified")

    def test_the_fifth_attempt_still_counts(self):
        factor = self.emulator.factor(verified=False)
        for _ in range(4):
            self.try_code(factor.path, factor.wrong_code())
        self.assertEqual(self.try_code(factor.path, factor.code()).json["status"], "verified")

    def test_changes_the_settings_of_a_factor(self):
        factor = self.emulator.factor()
        reply = self.post(factor.path,
                          {"FriendlyName": "new", "Config.CodeLength": 7, "Config.Alg": "sha512",
                           "Config.Skew": 0, "Config.TimeStep": 60})
        self.assertEqual((reply.status, reply.json["friendly_name"]), (200, "new"))
        factor.config = reply.json["config"]
        self.assertEqual(factor.config, {"alg": "sha512", "skew": 0, "code_length": 7,
                                         "time_step": 60})
        self.assertEqual(reply.json["status"], "verified")
        _, path = self.challenge(factor)
        self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_a_deleted_factor_is_gone_with_its_challenges(self):
        factor, other = self.emulator.factor(ALICE), self.emulator.factor(ALICE)
        _, path = self.challenge(factor)
        _, others = self.challenge(other)
        self.assertEqual(self.delete(factor.path).status, 204)
        self.assertRefused(self.get(factor.path), 404, 20404)
        self.assertRefused(self.get(path), 404, 20404)
        self.assertEqual(self.get(others).status, 200)

    def test_lists_factors_in_pages(self):
        sids = [self.emulator.factor(ALICE, False).sid for _ in range(5)]
        found = self.pages(self.emulator.entity_path(ALICE) + "/Factors?PageSize=3", "factors")
        self.assertEqual([f["sid"] for f in found], sids)
        self.assertNotIn("binding", found[0])

    def test_an_unverified_factor_is_gone_after_a_day(self):
        self.emulator.control("clock =1800000000")
        old, kept = self.emulator.factor(ALICE, False), self.emulator.factor(ALICE)
        self.emulator.control("clock +86399")
        self.assertEqual(self.get(old.path).status, 200)
        self.emulator.control("clock +2")
        self.assertRefused(self.get(old.path), 404, 20404)
        listed = self.get(self.emulator.entity_path(ALICE) + "/Factors").json["factors"]
        self.assertEqual([f["sid"] for f in listed], [kept.sid])

    def test_refuses_wrong_parameters(self):
        right = {"FriendlyName": "x", "FactorType": "totp"}
        for wrong in ({"FriendlyName": ""}, {"FriendlyName": "x" * 65}, {"FactorType": "sms"},
                      {"FactorType": ""}, {"Config.TimeStep": 19}, {"Config.TimeStep": 61},
                      {"Config.TimeStep": "30s"}, {"Config.Skew": 3}, {"Config.CodeLength": 2},
                      {"Config.CodeLength": 9}, {"Config.Alg": "md5"}, {"Config.Alg": "SHA1"},
                      {"Binding.Secret": "not base32!"}, {"Binding.Secret": ""},
                      {"Binding.Secret": "A" * 300}, {"Metadata": "[]"}, {"Metadata": '{"a":1}'},
                      {"Metadata": "{"}, {"Metadata": '{"a":"' + "x" * 1024 + '"}'}):
            with self.subTest(wrong):
                reply = self.post(self.emulator.entity_path(ALICE) + "/Factors", right | wrong)
                self.assertRefused(reply, 400, 60306)
        self.assertEqual(self.post(self.emulator.entity_path(ALICE) + "/Factors",
                                   right | {"FriendlyName": "ä" * 64}).status, 201)

    def test_refuses_passkeys_with_60300(self):
        reply = self.post(self.emulator.entity_path(ALICE) + "/Factors",
                          {"FriendlyName": "x", "FactorType": "passkeys"})
        self.assertRefused(reply, 400, 60300)

    def test_refuses_the_101st_factor_of_an_entity_with_60315(self):
        self.emulator.factor(ALICE)
        factors = self.emulator.entity_path(ALICE) + "/Factors"
        form = {"FriendlyName": "x", "FactorType": "totp"}
        with self.connection() as (_, ask):
            for _ in range(99):
                self.assertEqual(ask("POST", factors, form)[0], 201)
        self.emulator.control("forget-limits")
        self.assertRefused(self.post(factors, form), 400, 60315)

    def test_refuses_the_101st_new_factor_of_a_day_with_60326(self):
        factors = self.emulator.entity_path(ALICE) + "/Factors"
        form = {"FriendlyName": "x", "FactorType": "totp"}
        with self.connection() as (_, ask):
            for _ in range(100):
                status, body = ask("POST", factors, form)
                self.assertEqual(status, 201)
                ask("DELETE", f"{factors}/{json.loads(body)['sid']}")
        self.assertRefused(self.post(factors, form), 429, 60326)
        self.emulator.control("clock +86401")
        self.assertEqual(self.post(factors, form).status, 201)


class Codes(Test):
    # RFC 6238, appendix B.
    SEEDS = {"sha1": b"1234567890" * 2, "sha256": (b"1234567890" * 4)[:32],
             "sha512": (b"1234567890" * 7)[:64]}
    VECTORS = [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ]

    def test_makes_the_codes_of_rfc_6238(self):
        for column, (algorithm, seed) in enumerate(self.SEEDS.items(), 1):
            self.emulator.control("reset")
            self.emulator.control("clock =59")
            factor = self.emulator.factor(secret=base64.b32encode(seed).decode(), alg=algorithm,
                                          code_length=8, skew=0)
            for row in self.VECTORS:
                with self.subTest(algorithm, at=row[0]):
                    self.emulator.control(f"clock ={row[0]}")
                    _, path = self.challenge(factor)
                    almost = row[column][:-1] + str((int(row[column][-1]) + 1) % 10)
                    self.assertEqual(self.try_code(path, almost).json["status"], "pending")
                    self.assertEqual(self.try_code(path, row[column]).json["status"], "approved")

    def test_accepts_the_steps_within_the_skew_and_no_other(self):
        for skew in (0, 1, 2):
            factor = self.emulator.factor(skew=skew)
            for offset in range(-4, 5):
                with self.subTest(skew=skew, offset=offset):
                    self.emulator.control("clock =1800000000")
                    _, path = self.challenge(factor)
                    status = self.try_code(path, factor.code(offset)).json["status"]
                    self.assertEqual(status, "approved" if abs(offset) <= skew else "pending")

    def test_every_code_length_and_time_step_works(self):
        for length in range(3, 9):
            for step in (20, 47, 60):
                with self.subTest(length=length, step=step):
                    factor = self.emulator.factor(code_length=length, time_step=step)
                    self.assertEqual(len(factor.code()), length)
                    _, path = self.challenge(factor)
                    self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_a_code_of_another_length_is_wrong(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        right = factor.code()
        for code in (right[1:], right[:-1], right + "0", "0" + right):
            self.assertEqual(self.try_code(path, code).json["status"], "pending")

    def test_a_code_of_another_factor_is_wrong(self):
        factor, other = self.emulator.factor(ALICE), self.emulator.factor(ALICE)
        _, path = self.challenge(factor)
        self.assertEqual(self.try_code(path, other.code()).json["status"], "pending")

    def test_the_clock_can_be_shifted_stopped_and_freed(self):
        begin = int(time.time())
        self.assertLessEqual(abs(self.emulator.now() - begin), 5)
        self.emulator.control("clock +100")
        self.emulator.control("clock -40")
        self.assertLessEqual(abs(self.emulator.now() - begin - 60), 5)
        self.emulator.control("clock =1000")
        self.assertEqual(self.emulator.now(), 1000)
        self.emulator.control("clock +5")
        self.assertEqual(self.emulator.now(), 1005)
        self.assertEqual(self.get(SERVICE).headers["Date"], "Thu, 01 Jan 1970 00:16:45 GMT")
        self.emulator.control("clock real")
        self.assertLessEqual(abs(self.emulator.now() - begin), 5)
        for wrong in ("clock 5", "clock +", "clock =-1", "clock =9999999999999", "clock +1x"):
            with self.assertRaises(RuntimeError):
                self.emulator.control(wrong)
