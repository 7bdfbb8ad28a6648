#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What the tests of the emulator share."""

import base64
import contextlib
import http.client
import unittest
import urllib.parse

from kit import fixture  # noqa: E402

HOST = "https://verify.twilio.com"
SERVICE = f"/v2/Services/{fixture.SERVICE_SID}"
ALICE = "alice-0123456789"
NOBODY = {"VA": "VA" + "e" * 32, "YF": "YF" + "e" * 32, "YC": "YC" + "e" * 32}
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(
        f"{fixture.API_KEY_SID}:{fixture.API_KEY_SECRET}".encode()).decode(),
    "Content-Type": "application/x-www-form-urlencoded",
}


class Test(unittest.TestCase):
    """One emulator for a class, reset for each test."""

    @classmethod
    def setUpClass(cls):
        cls.emulator = cls.enterClassContext(fixture.Emulator())

    def setUp(self):
        self.emulator.control("reset")

    def get(self, path, **options):
        return self.emulator.request("GET", path, **options)

    def post(self, path, form=None, **options):
        return self.emulator.request("POST", path, form or {}, **options)

    def delete(self, path):
        return self.emulator.request("DELETE", path)

    def pages(self, path, key):
        """All items, walked as Twilio's libraries do: by meta.key and meta.next_page_url."""
        items = []
        while path is not None:
            reply = self.get(path)
            self.assertEqual((reply.status, reply.json["meta"]["key"]), (200, key))
            items += reply.json[key]
            url = reply.json["meta"]["next_page_url"]
            self.assertTrue(url is None or url.startswith(HOST), url)
            path = url and url.removeprefix(HOST)
        return items

    @contextlib.contextmanager
    def connection(self):
        """One kept connection, and a function that asks on it and returns status and body."""
        https = http.client.HTTPSConnection("127.0.0.1", self.emulator.port,
                                            context=self.emulator.tls, timeout=10)

        def ask(method, path, form=None):
            https.request(method, path, form and urllib.parse.urlencode(form), HEADERS)
            reply = https.getresponse()
            return reply.status, reply.read()

        with contextlib.closing(https):
            yield https, ask

    def challenge(self, factor, **form):
        """A new challenge and its path."""
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        reply = self.post(path, {"FactorSid": factor.sid} | form)
        self.assertEqual(reply.status, 201, reply)
        return reply.json, f"{path}/{reply.json['sid']}"

    def try_code(self, path, code):
        return self.post(path, {"AuthPayload": code})

    def status_of(self, path):
        return self.get(path).json["status"]

    def assertRefused(self, reply, status, code):
        self.assertEqual((reply.status, reply.json["code"]), (status, code), reply)
