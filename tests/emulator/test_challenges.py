# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Challenges and what is refused."""

import json
import urllib.parse

from cases import ALICE, HEADERS, HOST, NOBODY, SERVICE, Test, fixture


class Challenges(Test):
    def test_a_new_challenge_is_pending_and_names_all_it_belongs_to(self):
        self.emulator.control("clock =1438286400")
        factor = self.emulator.factor(ALICE)
        challenge, path = self.challenge(factor)
        self.assertRegex(challenge.pop("sid"), "^YC[0-9a-f]{32}$")
        self.assertRegex(challenge.pop("entity_sid"), "^YE[0-9a-f]{32}$")
        self.assertEqual(challenge, {
            "account_sid": fixture.ACCOUNT_SID, "service_sid": fixture.SERVICE_SID,
            "identity": ALICE, "factor_sid": factor.sid, "factor_type": "totp",
            "status": "pending", "responded_reason": "none",
            "date_created": "2015-07-30T20:00:00Z", "date_updated": "2015-07-30T20:00:00Z",
            "date_responded": None, "expiration_date": "2015-07-30T20:05:00Z",
            "details": None, "hidden_details": None, "metadata": None,
            "url": HOST + path, "links": {"notifications": HOST + path + "/Notifications"}})

    def test_the_right_code_approves(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.emulator.control("clock +7")
        reply = self.try_code(path, factor.code())
        self.assertEqual((reply.status, reply.json["status"]), (200, "approved"))
        self.assertIsNotNone(reply.json["date_responded"])
        self.assertGreater(reply.json["date_updated"], reply.json["date_created"])
        self.assertEqual(self.get(path).json, reply.json)

    def test_a_wrong_code_leaves_it_pending_with_200(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        reply = self.try_code(path, factor.wrong_code())
        self.assertEqual((reply.status, reply.json["status"]), (200, "pending"))

    def test_refuses_the_sixth_attempt_with_60308(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        for _ in range(5):
            self.assertEqual(self.try_code(path, factor.wrong_code()).status, 200)
        self.assertRefused(self.try_code(path, factor.code()), 429, 60308)
        self.assertEqual(self.status_of(path), "pending")
        _, path = self.challenge(factor)
        self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_the_fifth_attempt_can_still_approve(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        for _ in range(4):
            self.try_code(path, factor.wrong_code())
        self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_refuses_an_answered_challenge_with_60322(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.try_code(path, factor.code())
        self.assertRefused(self.try_code(path, factor.code()), 403, 60322)
        challenge, path = self.challenge(factor)
        self.emulator.control(f"challenge {challenge['sid']} denied")
        self.assertRefused(self.try_code(path, factor.code()), 403, 60322)

    def test_refuses_an_expired_challenge_with_60323(self):
        self.emulator.control("clock =1800000000")
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.emulator.control("clock +299")
        self.assertEqual(self.status_of(path), "pending")
        self.emulator.control("clock +2")
        self.assertEqual(self.status_of(path), "expired")
        self.assertRefused(self.try_code(path, factor.code()), 403, 60323)

    def test_an_approved_challenge_does_not_expire(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.try_code(path, factor.code())
        self.emulator.control("clock +4000")
        self.assertEqual(self.status_of(path), "approved")

    def test_takes_an_expiration_date_up_to_an_hour_ahead(self):
        self.emulator.control("clock =1438286400")
        factor = self.emulator.factor()
        for date in ("2015-07-30T21:00:00Z", "2015-07-30T20:00:01.5Z", "2015-07-30T22:30:00+02:00"):
            self.challenge(factor, ExpirationDate=date)
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        for date in ("2015-07-30T21:00:01Z", "2015-07-30T20:00:00Z", "2015-07-30T19:59:59Z",
                     "tomorrow", "2015-07-30", "2015-07-30T20:30:00", ""):
            with self.subTest(date):
                reply = self.post(path, {"FactorSid": factor.sid, "ExpirationDate": date})
                self.assertRefused(reply, 400, 60306)

    def test_a_code_at_creation_approves_or_leaves_it_pending(self):
        factor = self.emulator.factor()
        right, path = self.challenge(factor, AuthPayload=factor.code())
        self.assertEqual(right["status"], "approved")
        self.assertRefused(self.try_code(path, factor.code()), 403, 60322)
        wrong, path = self.challenge(factor, AuthPayload=factor.wrong_code())
        self.assertEqual(wrong["status"], "pending")
        self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_keeps_details_and_metadata(self):
        factor = self.emulator.factor()
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        field = json.dumps({"label": "Host", "value": "web1"})
        reply = self.post(path, [("FactorSid", factor.sid), ("Details.Message", "Let Ålice in?"),
                                 ("Details.Fields", field), ("Details.Fields", field),
                                 ("HiddenDetails", '{"ip": "192.0.2.1"}')])
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.json["details"]["message"], "Let Ålice in?")
        self.assertEqual(reply.json["details"]["fields"], [json.loads(field)] * 2)
        self.assertEqual(reply.json["hidden_details"], {"ip": "192.0.2.1"})
        path += "/" + reply.json["sid"]
        reply = self.post(path, {"AuthPayload": factor.code(), "Metadata": '{"os": "x"}'})
        self.assertEqual(reply.json["metadata"], {"os": "x"})

    def test_refuses_details_that_are_too_much(self):
        factor = self.emulator.factor()
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        field = ("Details.Fields", '{"label":"a","value":"b"}')
        for wrong in ([("Details.Message", "x" * 257)], [field] * 21,
                      [("Details.Fields", json.dumps({"label": "x" * 37, "value": "b"}))],
                      [("Details.Fields", json.dumps({"label": "a", "value": "x" * 129}))],
                      [("Details.Fields", '{"label":"a"}')], [("HiddenDetails", '{"a":{}}')],
                      [("HiddenDetails", "x")]):
            with self.subTest(wrong):
                self.assertRefused(self.post(path, [("FactorSid", factor.sid), *wrong]), 400, 60306)

    def test_refuses_an_unverified_factor_with_60318(self):
        factor = self.emulator.factor(verified=False)
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        form = {"FactorSid": factor.sid, "AuthPayload": factor.code()}
        self.assertRefused(self.post(path, form), 403, 60318)
        self.emulator.control(f"factor {factor.sid} verified")
        self.assertEqual(self.post(path, form).json["status"], "approved")

    def test_refuses_a_code_that_is_none(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        for code in ("", "12", "123456789", "12345a", " 123456", "１２３４５６", "12345\0"):
            with self.subTest(code):
                self.assertIn(self.try_code(path, code).json["code"], (60306, 60300))
        self.assertRefused(self.post(path), 400, 60306)

    def test_a_malformed_code_uses_up_no_attempt(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        for _ in range(6):
            self.try_code(path, "x")
        self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_refuses_notifications_with_60307(self):
        _, path = self.challenge(self.emulator.factor())
        self.assertRefused(self.post(path + "/Notifications"), 400, 60307)

    def test_refuses_the_51st_challenge_of_an_hour_with_60312(self):
        factor = self.emulator.factor()
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        for _ in range(50):
            self.challenge(factor)
        self.assertRefused(self.post(path, {"FactorSid": factor.sid}), 429, 60312)
        self.emulator.control("clock +3601")
        for _ in range(50):
            self.challenge(factor)
        self.emulator.control("clock +3601")
        self.assertRefused(self.post(path, {"FactorSid": factor.sid}), 429, 60312)
        self.emulator.control("clock +79200")
        self.challenge(factor)

    def test_refuses_the_11th_challenge_of_a_day_for_short_codes(self):
        factor = self.emulator.factor(code_length=4)
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        for _ in range(10):
            self.challenge(factor)
        self.assertRefused(self.post(path, {"FactorSid": factor.sid}), 429, 60312)
        self.emulator.control("forget-limits")
        self.challenge(factor)

    def test_the_limit_counts_each_factor_alone(self):
        factor, other = (self.emulator.factor(ALICE, code_length=4) for _ in range(2))
        for _ in range(10):
            self.challenge(factor)
        self.challenge(other)

    def test_expire_ends_a_challenge(self):
        factor = self.emulator.factor()
        challenge, path = self.challenge(factor)
        self.emulator.control("expire " + challenge["sid"])
        self.assertRefused(self.try_code(path, factor.code()), 403, 60323)


class Lists(Test):
    def setUp(self):
        super().setUp()
        self.factor, self.other = self.emulator.factor(ALICE), self.emulator.factor(ALICE)
        self.path = self.emulator.entity_path(ALICE) + "/Challenges"
        self.sids = [self.challenge(self.factor)[0]["sid"] for _ in range(5)]
        self.others = self.challenge(self.other)[0]["sid"]

    def sids_of(self, query):
        return [c["sid"] for c in self.pages(self.path + query, "challenges")]

    def test_an_empty_list_has_a_whole_meta(self):
        self.emulator.factor("somebody-else-1")
        url = HOST + self.emulator.entity_path("somebody-else-1") + "/Challenges?PageSize=50&Page=0"
        reply = self.get(self.emulator.entity_path("somebody-else-1") + "/Challenges")
        self.assertEqual(reply.json, {"challenges": [], "meta": {
            "page": 0, "page_size": 50, "first_page_url": url, "previous_page_url": None,
            "url": url, "next_page_url": None, "key": "challenges"}})

    def test_lists_the_oldest_first_and_in_reverse(self):
        self.assertEqual(self.sids_of(""), self.sids + [self.others])
        self.assertEqual(self.sids_of("?Order=asc"), self.sids + [self.others])
        self.assertEqual(self.sids_of("?Order=desc"), [self.others] + self.sids[::-1])

    def test_filters_by_factor_and_status(self):
        self.try_code(f"{self.path}/{self.sids[1]}", self.factor.code())
        self.assertEqual(self.sids_of(f"?FactorSid={self.other.sid}"), [self.others])
        self.assertEqual(self.sids_of("?Status=approved"), [self.sids[1]])
        self.emulator.control("expire " + self.sids[2])
        self.assertEqual(self.sids_of("?Status=expired"), [self.sids[2]])
        self.assertEqual(self.sids_of("?Status=denied"), [])

    def test_every_page_size_gives_each_item_once(self):
        for size in range(1, 8):
            for order in ("asc", "desc"):
                with self.subTest(size=size, order=order):
                    query = f"?FactorSid={self.factor.sid}&Order={order}&PageSize={size}"
                    found = self.sids_of(query)
                    self.assertEqual(found, self.sids if order == "asc" else self.sids[::-1])

    def test_walks_back_by_previous_page_url(self):
        first = self.get(self.path + "?PageSize=2&Status=pending").json
        second = self.get(first["meta"]["next_page_url"].removeprefix(HOST)).json
        third = self.get(second["meta"]["next_page_url"].removeprefix(HOST)).json
        self.assertIsNone(first["meta"]["previous_page_url"])
        self.assertIsNone(third["meta"]["next_page_url"])
        back = self.get(third["meta"]["previous_page_url"].removeprefix(HOST)).json
        self.assertEqual(back["challenges"], second["challenges"])
        self.assertEqual(back["meta"]["page"], 1)
        first_again = self.get(third["meta"]["first_page_url"].removeprefix(HOST)).json
        self.assertEqual(first_again, first)

    def test_a_page_can_be_named_by_its_number(self):
        reply = self.get(self.path + "?PageSize=2&Page=1").json
        self.assertEqual([c["sid"] for c in reply["challenges"]], self.sids[2:4])
        self.assertEqual(self.get(self.path + "?PageSize=2&Page=9").json["challenges"], [])

    def test_a_token_stands_when_new_items_come(self):
        first = self.get(self.path + "?PageSize=3&Order=desc").json
        self.challenge(self.factor)
        second = self.get(first["meta"]["next_page_url"].removeprefix(HOST)).json
        self.assertEqual([c["sid"] for c in second["challenges"]], self.sids[2::-1])

    def test_refuses_wrong_queries(self):
        for query in ("PageSize=0", "PageSize=1001", "PageSize=x", "Page=-1", "Page=x",
                      "PageToken=x", "PageToken=PA" + NOBODY["YC"], "Status=PENDING", "Order=up",
                      "FactorSid=YF1"):
            with self.subTest(query):
                self.assertRefused(self.get(f"{self.path}?{query}"), 400, 60306)


class Refusals(Test):
    def test_refuses_wrong_credentials_with_20003(self):
        right = (fixture.API_KEY_SID, fixture.API_KEY_SECRET)
        for user, secret in ((right[0], "wrong"), ("SK" + "0" * 32, right[1]), ("", ""),
                             (right[0], right[1] + "x"), (right[0], right[1][:-1]),
                             (fixture.ACCOUNT_SID, right[1]), (right[0], "x" * 300)):
            with self.subTest(user=user, secret=secret):
                reply = self.get(SERVICE, user=user, secret=secret)
                self.assertRefused(reply, 401, 20003)
                self.assertIn("Basic", reply.headers["WWW-Authenticate"])
        self.assertRefused(self.get(SERVICE, headers={"Authorization": "Bearer x"}), 401, 20003)

    def test_accepts_the_account_with_its_auth_token(self):
        reply = self.get(SERVICE, user=fixture.ACCOUNT_SID, secret=fixture.AUTH_TOKEN)
        self.assertEqual(reply.status, 200)

    def test_wrong_credentials_change_nothing(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.post(path, {"AuthPayload": factor.code()}, secret="wrong")
        self.assertEqual(self.status_of(path), "pending")

    def test_what_does_not_exist_is_20404(self):
        factor = self.emulator.factor(ALICE)
        entity = self.emulator.entity_path(ALICE)
        for path in ("/v2/Services/" + NOBODY["VA"], SERVICE + "/Entities/nobody-0",
                     f"{entity}/Factors/{NOBODY['YF']}", f"{entity}/Challenges/{NOBODY['YC']}",
                     "/", "/v2", "/v1/Services", SERVICE + "/", entity + "/Nothing",
                     SERVICE + "/Entities//Factors"):
            with self.subTest(path):
                self.assertRefused(self.get(path), 404, 20404)
        reply = self.post(entity + "/Challenges", {"FactorSid": NOBODY["YF"]})
        self.assertRefused(reply, 404, 20404)
        other = self.emulator.factor("somebody-else-1")
        self.assertRefused(self.post(entity + "/Challenges", {"FactorSid": other.sid}), 404, 20404)
        others = self.emulator.entity_path("somebody-else-1")
        self.assertRefused(self.get(f"{others}/Factors/{factor.sid}"), 404, 20404)

    def test_a_method_that_the_path_has_not_is_405(self):
        reply = self.emulator.request("PUT", SERVICE, {})
        self.assertRefused(reply, 405, 20004)
        self.assertEqual(reply.headers["Allow"], "GET, POST, DELETE")
        _, path = self.challenge(self.emulator.factor())
        self.assertRefused(self.delete(path), 405, 20004)

    def test_a_malformed_sid_is_60306(self):
        entity = self.emulator.entity_path(self.emulator.factor().identity)
        for path in ("/v2/Services/VA1", "/v2/Services/" + "VA" + "g" * 32,
                     "/v2/Services/" + "YC" + "e" * 32, SERVICE + "/Entities/x",
                     entity + "/Factors/YF1", entity + "/Challenges/" + NOBODY["YF"],
                     entity + "/Challenges/" + NOBODY["YC"] + "0" * 99):
            with self.subTest(path):
                self.assertRefused(self.get(path), 400, 60306)
        self.assertRefused(self.post(entity + "/Challenges"), 400, 60306)
        self.assertRefused(self.post(entity + "/Challenges", {"FactorSid": "x"}), 400, 60306)

    def test_the_error_body_has_the_four_fields(self):
        reply = self.get(SERVICE + "/Entities/nobody-0")
        self.assertEqual(reply.json, {
            "code": 20404, "status": 404, "more_info": "https://www.twilio.com/docs/errors/20404",
            "message": f"The requested resource {SERVICE}/Entities/nobody-0 was not found"})

    def test_refuses_a_form_that_names_a_field_twice_or_is_broken(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.assertRefused(self.post(path, [("AuthPayload", factor.code())] * 2), 400, 60300)
        with self.connection() as (https, _):
            for body in ("AuthPayload=%", "AuthPayload=%4", "AuthPayload=%zz", "AuthPayload=%00",
                         "AuthPayload=%ff", "AuthPayload=%c0%80", "a&" * 100):
                with self.subTest(body):
                    https.request("POST", path, body, HEADERS)
                    self.assertEqual(json.loads(https.getresponse().read())["code"], 60300)
        self.assertEqual(self.status_of(path), "pending")

    def test_parameters_count_only_in_a_form(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        reply = self.post(path, {"AuthPayload": factor.code()},
                          headers={"Content-Type": "text/plain"})
        self.assertRefused(reply, 400, 60306)
        self.assertRefused(self.post(f"{path}?AuthPayload={factor.code()}"), 400, 60306)

    def test_refuses_a_body_of_more_than_64_kib(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        form = {"AuthPayload": factor.code()}
        rest = 65536 - len(urllib.parse.urlencode(form)) - len("&x=")
        self.assertEqual(self.post(path, form | {"x": "y" * (rest + 1)}).status, 413)
        self.assertEqual(self.status_of(path), "pending")
        self.assertEqual(self.post(path, form | {"x": "y" * rest}).json["status"], "approved")

    def test_every_reply_carries_the_headers(self):
        seen = set()
        for reply in (self.get(SERVICE), self.get("/"), self.get(SERVICE, secret="x")):
            self.assertRegex(reply.headers["Twilio-Request-Id"], "^RQ[0-9a-f]{32}$")
            self.assertEqual(reply.headers["Content-Type"], "application/json")
            self.assertIn("Date", reply.headers)
            self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn("Twilio-Request-Duration", reply.headers)
            seen.add(reply.headers["Twilio-Request-Id"])
        self.assertEqual(len(seen), 3)
