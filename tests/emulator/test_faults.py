# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Each fault of the emulator, once."""

import contextlib
import http.client
import json
import time

from cases import ALICE, HEADERS, SERVICE, Test


class Faults(Test):
    def setUp(self):
        super().setUp()
        self.factor = self.emulator.factor(ALICE)
        self.made, self.path = self.challenge(self.factor)

    def right(self, **options):
        return self.post(self.path, {"AuthPayload": self.factor.code()}, **options)

    def lie(self, fault):
        """The reply to a right code under FAULT, which acts once."""
        self.emulator.control(f"fault {fault} on verify times 1")
        return self.right()

    def test_any_status_with_any_code(self):
        for fault, status, code in (
                ("status-429/20429", 429, 20429), ("status-500/20500", 500, 20500),
                ("status-503/20503", 503, 20503), ("status-401/20003", 401, 20003),
                ("status-403/60324", 403, 60324), ("status-418/99999", 418, 99999)):
            with self.subTest(fault):
                reply = self.lie(fault)
                self.assertRefused(reply, status, code)
                self.assertEqual(reply.json["status"], status)
        for fault, status in (("status-429", 429), ("status-500", 500), ("status-503", 503),
                              ("status-408", 408), ("status-599", 599)):
            with self.subTest(fault):
                reply = self.lie(fault)
                self.assertEqual(reply.status, status)
                self.assertNotIn("code", reply.json)
        self.assertEqual(self.status_of(self.path), "pending")

    def test_an_error_can_be_html_or_empty(self):
        reply = self.lie("status-502-html")
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (502, "text/html"))
        self.assertIn(b"<html>", reply.body)
        self.assertEqual(self.lie("status-504-empty").body, b"")
        reply = self.lie("status-429/60308-rfc9457")
        self.assertEqual((reply.status, reply.json["code"]), (429, 60308))
        self.assertIn("title", reply.json)

    def test_an_error_may_come_after_carrying_out(self):
        self.emulator.control("fault status-500 on verify times 1 after carrying-out")
        self.assertEqual(self.right().status, 500)
        self.assertEqual(self.status_of(self.path), "approved")

    def test_a_redirect_points_back_to_the_emulator(self):
        reply = self.lie("status-301")
        self.assertEqual(reply.headers["Location"], f"{self.emulator.url}/v2/elsewhere")

    def test_another_success_keeps_its_body_and_204_has_none(self):
        reply = self.lie("status-202")
        self.assertEqual((reply.status, reply.json["status"]), (202, "approved"))
        _, self.path = self.challenge(self.factor)
        reply = self.lie("status-204")
        self.assertEqual((reply.status, reply.body), (204, b""))

    def test_retry_after_joins_an_error(self):
        self.emulator.control("fault status-429/20429 on verify times 1")
        reply = self.lie("retry-after=7")
        self.assertEqual((reply.status, reply.headers["Retry-After"]), (429, "7"))
        self.assertEqual(self.right().json["status"], "approved")

    def test_errors_come_one_after_the_other(self):
        for status in (500, 503):
            self.emulator.control(f"fault status-{status} on verify times 1")
        self.assertEqual([self.right().status for _ in range(3)], [500, 503, 200])

    def test_a_fault_acts_on_its_operation_and_as_often_as_it_says(self):
        self.emulator.control("fault status-500 on create times 2")
        path = self.emulator.entity_path(ALICE) + "/Challenges"
        statuses = [self.post(path, {"FactorSid": self.factor.sid}).status for _ in range(3)]
        self.assertEqual(statuses, [500, 500, 201])
        self.emulator.control("fault status-500")
        for reply in (self.get(SERVICE), self.get("/nothing"), self.right()):
            self.assertEqual(reply.status, 500)
        self.emulator.control("fault clear")
        self.assertEqual(self.get(SERVICE).status, 200)

    def test_every_operation_can_be_named(self):
        for operation in self.emulator.stats()["operations"]:
            self.emulator.control("fault status-500 on " + operation)
            self.emulator.control("fault clear")

    def test_refuses_unknown_faults(self):
        for wrong in ("", "nothing", "status-", "status-199", "status-600", "status-500/x",
                      "status-500-pdf", "slow", "slow=", "slow=x", "field-null", "field-null:",
                      "status-500 on nothing", "status-500 times 0", "status-500 times",
                      "status-500 after dinner", "status-null-x", "slow-body=3"):
            with self.subTest(wrong), self.assertRaises(RuntimeError):
                self.emulator.control("fault " + wrong)
        for _ in range(16):
            self.emulator.control("fault status-500")
        with self.assertRaises(RuntimeError):
            self.emulator.control("fault status-500")

    def test_wrong_bindings(self):
        for fault, field in (("wrong-sid", "sid"), ("wrong-account", "account_sid"),
                             ("wrong-service", "service_sid"), ("wrong-identity", "identity"),
                             ("wrong-factor", "factor_sid")):
            with self.subTest(fault):
                made, self.path = self.challenge(self.factor)
                lie = self.lie(fault).json
                self.assertEqual(lie["status"], "approved")
                self.assertNotEqual(lie[field], made[field])
                self.assertEqual(len(lie[field]), len(made[field]))
                self.assertEqual([k for k in lie if k.endswith("sid") and lie[k] != made[k]],
                                 [field] if field.endswith("sid") else [])
        made, self.path = self.challenge(self.factor)
        self.assertEqual(self.lie("wrong-type").json["factor_type"], "push")

    def test_odd_statuses(self):
        for fault, status in (("status-null", None), ("status-capitals", "APPROVED"),
                              ("status-unknown", "granted"), ("status-array", ["approved"]),
                              ("status-nul", "approved\0x")):
            with self.subTest(fault):
                _, self.path = self.challenge(self.factor)
                self.assertEqual(self.lie(fault).json["status"], status)
        _, self.path = self.challenge(self.factor)
        self.assertNotIn("status", self.lie("status-missing").json)
        _, self.path = self.challenge(self.factor)
        self.assertIn(b'"approved\\u0000x"', self.lie("status-nul").body)

    def test_duplicate_status_says_pending_first_and_approved_last(self):
        body = self.lie("duplicate-status").body
        pairs = json.loads(body, object_pairs_hook=list)
        self.assertEqual([value for key, value in pairs if key == "status"],
                         ["pending", "approved"])
        self.assertEqual((pairs[0][0], pairs[-1][0]), ("status", "status"))

    def test_approved_lie_approves_a_wrong_code(self):
        self.emulator.control("fault approved-lie on verify")
        reply = self.try_code(self.path, self.factor.wrong_code())
        self.assertEqual((reply.status, reply.json["status"]), (200, "approved"))
        self.assertEqual(self.status_of(self.path), "pending")

    def test_lies_can_be_combined(self):
        self.emulator.control("fault approved-lie on verify")
        self.emulator.control("fault wrong-factor on verify")
        lie = self.try_code(self.path, self.factor.wrong_code()).json
        self.assertEqual(lie["status"], "approved")
        self.assertNotEqual(lie["factor_sid"], self.factor.sid)

    def test_any_field_can_be_null_or_missing(self):
        for field in self.made:
            with self.subTest(field):
                self.emulator.control("fault clear")
                self.emulator.control(f"fault field-null:{field} on fetch")
                self.assertIsNone(self.get(self.path).json.get(field, "missing"))
                self.emulator.control("fault clear")
                self.emulator.control(f"fault field-missing:{field} on fetch")
                self.assertNotIn(field, self.get(self.path).json)

    def test_odd_bodies(self):
        body = self.lie("trailing-bytes").body
        _, end = json.JSONDecoder().raw_decode(body.decode())
        self.assertEqual(body[end:], b'{"status":"approved"}')
        _, self.path = self.challenge(self.factor)
        with self.assertRaises(ValueError):
            json.loads(self.lie("bad-json").body)
        _, self.path = self.challenge(self.factor)
        self.assertIn(b'{"deeper":' * 39, self.lie("deep-json").body)
        _, self.path = self.challenge(self.factor)
        giant = self.lie("giant-body")
        self.assertEqual((giant.json["status"], len(giant.body) > 200 * 1024), ("approved", True))
        _, self.path = self.challenge(self.factor)
        html = self.lie("content-type-html")
        self.assertEqual((html.headers["Content-Type"], html.json["status"]),
                         ("text/html", "approved"))

    def test_slow_delays_the_reply(self):
        begin = time.monotonic()
        self.assertEqual(self.lie("slow=300").json["status"], "approved")
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)

    def test_slow_body_drips(self):
        self.emulator.control("fault slow-body on verify")
        with self.connection() as (https, _):
            begin = time.monotonic()
            https.request("POST", self.path, "AuthPayload=" + self.factor.code(), HEADERS)
            reply = https.getresponse()
            self.assertEqual(reply.read(3), b'{"s')
            self.assertGreaterEqual(time.monotonic() - begin, 0.6)

    def test_cut_body_promises_more_than_it_sends(self):
        self.emulator.control("fault cut-body on verify")
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.right()
        self.assertEqual(json.loads(caught.exception.partial)["status"], "approved")

    def test_endless_body_goes_on_until_the_client_leaves(self):
        self.emulator.control("fault endless-body on verify")
        with self.connection() as (https, _):
            https.request("POST", self.path, "AuthPayload=" + self.factor.code(), HEADERS)
            body = https.getresponse().read(300 * 1024)
        self.assertEqual(len(body), 300 * 1024)
        self.assertEqual(json.loads(body)["status"], "approved")

    def test_no_answer_is_silent_with_and_without_carrying_out(self):
        for suffix, status in (("", "pending"), (" after carrying-out", "approved")):
            self.emulator.control("fault no-answer on verify times 1" + suffix)
            with self.connection() as (https, _):
                https.request("POST", self.path, "AuthPayload=" + self.factor.code(), HEADERS)
                https.sock.settimeout(0.5)
                with self.assertRaises(TimeoutError):
                    https.getresponse()
            self.assertEqual(self.status_of(self.path), status)

    def test_close_before_and_close_after(self):
        for fault, status in (("close-before", "pending"), ("close-after", "approved")):
            self.emulator.control(f"fault {fault} on verify times 1")
            with self.assertRaises((ConnectionError, http.client.RemoteDisconnected)):
                self.right()
            self.assertEqual(self.status_of(self.path), status)

    def test_connection_close_says_so_and_drop_connection_does_not(self):
        self.emulator.control("fault connection-close times 1")
        with self.connection() as (https, ask):
            self.assertEqual(ask("GET", SERVICE)[0], 200)
            self.assertIsNone(https.sock)
        self.emulator.control("fault drop-connection times 1")
        with self.connection() as (https, ask):
            self.assertEqual(ask("GET", SERVICE)[0], 200)
            self.assertIsNotNone(https.sock)
            https.sock.settimeout(5)
            with contextlib.suppress(ConnectionError, OSError):
                self.assertEqual(https.sock.recv(1), b"")

    def test_the_log_tells_what_was_sent(self):
        begin = len(self.emulator.requests())
        self.lie("status-429/20429")
        self.emulator.control("fault close-after on verify times 1")
        with self.assertRaises((ConnectionError, http.client.RemoteDisconnected)):
            self.right()
        self.right()
        self.get(self.path + "?AuthPayload=123456")
        self.assertEqual(self.emulator.requests()[begin:], [
            ("POST", self.path, 429, 20429), ("POST", self.path, None, None),
            ("POST", self.path, 403, 60322), ("GET", self.path, 200, None)])
