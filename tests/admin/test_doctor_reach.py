# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""doctor: the network, Twilio, the key and the clock."""

import contextlib
import shutil
import subprocess
import time

from kit.admincase import OK, UNAVAILABLE, WRONG
from kit.doctorcase import NOWHERE, DoctorCase, load_tests
from kit.fixture import Emulator, make_certificates, temporary_directory


@contextlib.contextmanager
def expired_emulator():
    """With a certificate that ends as it begins."""
    with temporary_directory() as directory:
        make_certificates(directory)
        subprocess.run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey",
                        "ca.key", "-CAcreateserial", "-days", "0", "-extfile", "server.ext",
                        "-out", "server.pem"], cwd=directory, check=True, capture_output=True)
        time.sleep(1.1)  # the second of its making
        with Emulator(directory=directory) as emulator:
            yield emulator


class Network(DoctorCase):

    def test_nobody_answers(self):
        self.settings = self.configure(service={"base_url": NOWHERE})
        report = self.assert_finds("connection", NOWHERE, level="away", remedy="firewall",
                                   status=UNAVAILABLE)
        self.assertEqual(report["from the sandbox"][0][0], "away")
        self.assertEqual(report["dry run"][0][0], "ok")

    def test_something_wrong_on_the_host_is_more_than_a_silent_network(self):
        self.settings = self.configure(service={"base_url": NOWHERE})
        (self.directory / "state").chmod(0o755)
        self.assertEqual(self.doctor("root")[0], WRONG)

    def test_twilio_does_not_answer(self):
        for fault in ("status-503", "status-429/20429", "bad-json", "close-before"):
            with self.subTest(fault):
                self.emulator.control("fault clear")
                self.emulator.control(f"fault {fault} on service-fetch")
                status, report = self.doctor("root")
                self.assertEqual((status, report["verdict"][0][0]), (UNAVAILABLE, "away"))

    def test_a_name_that_nobody_knows(self):
        self.settings = self.configure(service={"base_url": "https://twilio-verify.invalid",
                                                "timeout_seconds": 2})
        status, report = self.doctor()
        self.assertIn(status, (WRONG, UNAVAILABLE))
        self.assertIn(report["name"][0][0], ("wrong", "away"))
        self.assertIn("twilio-verify.invalid", report["name"][0][1])
        self.assertIn("resolv.conf", report["name"][0][2])

    def test_the_name_of_a_proxy_is_the_one_that_is_looked_up(self):
        self.settings = self.configure(service={"proxy": "http://localhost:9"})
        self.assert_finds("name", "localhost has", level="ok", status=UNAVAILABLE)

    def test_bad_credentials(self):
        (self.directory / "api-key").write_text("wrong-secret-0123456789abcdef\n")
        report = self.assert_finds("credentials", "20003: the credentials are wrong")
        self.assertEqual(report["TLS"][0][0], "ok")

    def test_a_service_that_is_not_there(self):
        self.settings = self.configure(service={"service_sid": "VA" + "0" * 32})
        self.assert_finds("credentials", "no such service", user=None)

    def test_a_restricted_key_is_not_a_fault(self):
        for operation, subject in (("service-fetch", "credentials"), ("factor-fetch", "factor")):
            self.emulator.control("fault clear")
            self.emulator.control(f"fault status-403/70051 on {operation}")
            self.assert_finds(subject, "may not read", level="note", status=OK)

    def test_the_administrators_key(self):
        (self.directory / "admin-key").write_text("wrong-secret-0123456789abcdef\n")
        (self.directory / "admin-key").chmod(0o600)
        words = ("--api-key-sid", "SK" + "3" * 32, "--api-key-file", self.directory / "admin-key")
        self.assert_finds("admin's key", "credentials are wrong", words=words)
        self.assert_finds("admin's key", "must be given together", words=words[:2])

    def test_a_certificate_that_ended(self):
        with expired_emulator() as emulator:
            shutil.copy(emulator.ca_file, self.directory / "ca.pem")
            self.settings = self.configure(service={"base_url": emulator.url})
            self.assert_finds("TLS", "expired", remedy="check the clock (timedatectl)")
            self.assertEqual(emulator.stats()["requests"], 0)

    def test_a_certificate_of_somebody_elses(self):
        with temporary_directory() as directory:
            make_certificates(directory)
            shutil.copy(directory / "ca.pem", self.directory / "ca.pem")
        self.assert_finds("TLS", "certificate", remedy="a proxy answers in Twilio's place")

    def test_a_wrong_clock_is_a_warning_as_codes_are_checked_with_twilios(self):
        for shift, words in (("-90", "90 s ahead of"), ("+20", "20 s behind"), ("+90", " behind")):
            with self.subTest(shift):
                self.emulator.control("clock real")
                self.emulator.control(f"clock {shift}")
                report = self.assert_finds("clock", words[-6:], level="warning", status=OK,
                                           remedy="timedatectl set-ntp true")
                self.assertIn("this host's clock is", report["clock"][0][1])
        self.emulator.control("clock real")
        self.emulator.control("clock +5")
        self.assert_finds("clock", "from Twilio's", level="ok", status=OK)
