# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Each switch of the emulator, at each of its values."""


from cases import NOBODY, SERVICE, Test


class Switches(Test):
    def wrong(self, times=1):
        """A challenge after some wrong codes, and the last reply."""
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        for _ in range(times):
            reply = self.try_code(path, factor.wrong_code())
        return factor, path, reply

    def test_wrong_code_can_be_60324(self):
        self.emulator.control("set wrong-code 403-60324")
        factor, path, reply = self.wrong()
        self.assertRefused(reply, 403, 60324)
        self.assertEqual(self.try_code(path, factor.code()).json["status"], "approved")

    def test_a_used_code_is_accepted_or_stays_pending(self):
        self.emulator.control("clock =1800000000")
        factor = self.emulator.factor()
        for switch, status in (("accepted", "approved"), ("pending", "pending")):
            self.emulator.control("set used-code " + switch)
            self.challenge(factor, AuthPayload=factor.code())
            _, path = self.challenge(factor)
            self.assertEqual(self.try_code(path, factor.code()).json["status"], status)
        self.assertEqual(self.try_code(path, factor.code(1)).json["status"], "approved")

    def test_after_limit_chooses_the_status_after_five_wrong_codes(self):
        for status in ("pending", "denied", "expired"):
            self.emulator.control("set after-limit " + status)
            factor, path, reply = self.wrong(5)
            self.assertEqual((reply.status, reply.json["status"]), (200, status))
            self.assertEqual(self.status_of(path), status)
            self.assertRefused(self.try_code(path, factor.code()), 429, 60308)

    def test_limit_call_can_be_the_fifth_wrong_one(self):
        self.emulator.control("set limit-call fifth")
        self.assertEqual(self.wrong(4)[2].status, 200)
        self.assertRefused(self.wrong(5)[2], 429, 60308)

    def test_a_wrong_code_at_creation_counts_or_is_free(self):
        for switch, status in (("counts", 429), ("free", 200)):
            self.emulator.control("set wrong-code-at-creation " + switch)
            factor = self.emulator.factor()
            _, path = self.challenge(factor, AuthPayload=factor.wrong_code())
            for _ in range(4):
                self.try_code(path, factor.wrong_code())
            self.assertEqual(self.try_code(path, factor.code()).status, status)

    def test_not_found_can_be_6039x(self):
        self.emulator.control("set not-found 6039x")
        entity = self.emulator.entity_path(self.emulator.factor().identity)
        self.assertRefused(self.get(f"{entity}/Factors/{NOBODY['YF']}"), 404, 60390)
        self.assertRefused(self.get(f"{entity}/Challenges/{NOBODY['YC']}"), 404, 60391)
        self.assertRefused(self.get(SERVICE + "/Entities/nobody-0"), 404, 60392)

    def test_malformed_has_four_answers(self):
        _, path = self.challenge(self.emulator.factor())
        for switch, status, code in (("60306", 400, 60306), ("60200", 400, 60200),
                                     ("6036x", 400, 60364), ("404", 404, 20404)):
            self.emulator.control("set malformed " + switch)
            self.assertRefused(self.get(path + "x"), status, code)

    def test_a_code_for_an_expired_challenge_can_be_200(self):
        self.emulator.control("set expired-verify 200")
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.emulator.control("clock +301")
        reply = self.try_code(path, factor.code())
        self.assertEqual((reply.status, reply.json["status"]), (200, "expired"))

    def test_date_responded_can_be_filled_while_pending(self):
        self.emulator.control("set date-responded filled")
        challenge, _ = self.challenge(self.emulator.factor())
        self.assertEqual(challenge["date_responded"], challenge["date_created"])

    def test_details_can_be_objects(self):
        self.emulator.control("set details object")
        challenge, _ = self.challenge(self.emulator.factor())
        self.assertEqual(challenge["hidden_details"], {})
        self.assertEqual(challenge["details"]["fields"], [])

    def test_the_error_body_has_four_forms(self):
        path = SERVICE + "/Entities/nobody-0"
        self.emulator.control("set error-body rfc9457")
        reply = self.get(path)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertEqual(set(reply.json), {"type", "title", "status", "code"})
        self.emulator.control("set error-body html")
        reply = self.get(path)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (404, "text/html"))
        self.assertIn(b"<html>", reply.body)
        self.emulator.control("set error-body empty")
        reply = self.get(path)
        self.assertEqual((reply.status, reply.body), (404, b""))

    def test_the_signature_header_can_be_present(self):
        for switch, count in (("absent", 0), ("present", 1)):
            self.emulator.control("set signature-header " + switch)
            _, _, reply = self.wrong()
            headers = [h for h in reply.headers if h == "Twilio-Verify-Challenge-Signature"]
            self.assertEqual(len(headers), count)

    def test_identity_case_can_be_folded(self):
        factor = self.emulator.factor("abc-def-0")
        upper = self.emulator.entity_path("ABC-DEF-0")
        self.assertRefused(self.get(upper), 404, 20404)
        self.emulator.control("set identity-case folded")
        self.assertEqual(self.get(upper).json["identity"], "abc-def-0")
        self.assertRefused(self.post(SERVICE + "/Entities", {"Identity": "ABC-def-0"}), 409, 60301)
        reply = self.post(upper + "/Challenges", {"FactorSid": factor.sid})
        self.assertEqual((reply.status, reply.json["identity"]), (201, "abc-def-0"))
        self.emulator.control("set identity-case distinct")
        self.assertEqual(self.post(SERVICE + "/Entities", {"Identity": "ABC-def-0"}).status, 201)

    def test_challenge_limits_can_be_off(self):
        self.emulator.control("set challenge-limits off")
        factor = self.emulator.factor(code_length=3)
        for _ in range(11):
            self.challenge(factor)

    def test_refuses_unknown_switches_and_values(self):
        for wrong in ("set nothing on", "set wrong-code", "set wrong-code 200", "set", "nothing"):
            with self.assertRaises(RuntimeError):
                self.emulator.control(wrong)
