# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The emulator as a program: counts, connections, command line, control socket."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import time

from cases import ALICE, HEADERS, SERVICE, Test, fixture


class Stats(Test):
    def test_counts_operations_and_codes(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        for code in (factor.wrong_code(), factor.code()):
            self.try_code(path, code)
        stats = self.emulator.stats()
        self.assertEqual(stats["operations"]["create"], 1)
        self.assertEqual(stats["operations"]["verify"], 2)
        self.assertEqual((stats["codes"], stats["codes_twice_on_a_challenge"],
                          stats["codes_twice_for_an_identity"]), (2, 0, 0))
        self.assertEqual(stats["requests"], 5)
        self.assertEqual(stats["objects"], 4)

    def test_notices_a_code_that_comes_twice_even_when_it_was_not_carried_out(self):
        factor = self.emulator.factor()
        _, path = self.challenge(factor)
        self.emulator.control("fault close-before on verify times 1")
        with self.assertRaises((ConnectionError, http.client.RemoteDisconnected)):
            self.try_code(path, factor.code())
        self.try_code(path, factor.code())
        self.assertEqual(self.emulator.stats()["codes_twice_on_a_challenge"], 1)
        _, path = self.challenge(factor)
        self.try_code(path, factor.code())
        stats = self.emulator.stats()
        self.assertEqual((stats["codes"], stats["codes_twice_on_a_challenge"],
                          stats["codes_twice_for_an_identity"]), (3, 1, 2))

    def test_counts_connections(self):
        before = self.emulator.stats()["connections"]
        with self.connection() as (_, ask):
            for _ in range(5):
                ask("GET", SERVICE)
        self.assertEqual(self.emulator.stats()["connections"], before + 1)

    def test_reset_brings_back_the_start(self):
        self.emulator.factor(ALICE)
        self.emulator.control("set wrong-code 403-60324")
        self.emulator.control("fault status-500")
        self.emulator.control("clock =5")
        self.emulator.control("reset")
        self.assertEqual(self.emulator.stats()["objects"], 1)
        self.assertEqual(self.get(self.emulator.entity_path(ALICE)).status, 404)
        self.assertGreater(self.emulator.now(), 5)
        factor = self.emulator.factor(ALICE)
        _, path = self.challenge(factor)
        self.assertEqual(self.try_code(path, factor.wrong_code()).status, 200)


class Connections(Test):
    def test_a_kept_connection_answers_without_delay(self):
        with self.connection() as (_, ask):
            ask("GET", SERVICE)
            times = []
            for _ in range(50):
                begin = time.monotonic()
                ask("GET", SERVICE)
                times.append(time.monotonic() - begin)
        self.assertLess(sorted(times)[25], 0.02)

    def test_a_hundred_logins_at_once_all_succeed(self):
        factors = [self.emulator.factor() for _ in range(100)]

        def login(factor):
            with self.connection() as (_, ask):
                path = self.emulator.entity_path(factor.identity) + "/Challenges"
                sid = json.loads(ask("POST", path, {"FactorSid": factor.sid})[1])["sid"]
                code = {"AuthPayload": factor.code()}
                return json.loads(ask("POST", f"{path}/{sid}", code)[1])["status"]

        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            self.assertEqual(set(pool.map(login, factors)), {"approved"})

    def test_a_silent_connection_stops_nobody(self):
        self.emulator.control("fault no-answer on service-fetch times 1")
        with self.connection() as (https, ask):
            https.request("GET", SERVICE)
            begin = time.monotonic()
            self.assertEqual(self.get(SERVICE).status, 200)
            self.assertLess(time.monotonic() - begin, 5)

    def test_a_silent_connection_ends_when_its_client_goes(self):
        def settles_at(count):
            end = time.monotonic() + 5
            while len(os.listdir(descriptors)) != count and time.monotonic() < end:
                time.sleep(0.02)
            return len(os.listdir(descriptors)) == count

        with fixture.Emulator("--fault", "no-answer") as other:
            descriptors = f"/proc/{other.process.pid}/fd"
            before = len(os.listdir(descriptors))
            silent = http.client.HTTPSConnection("127.0.0.1", other.port, context=other.tls)
            silent.request("GET", SERVICE, headers=HEADERS)
            self.assertTrue(settles_at(before + 1))
            silent.close()
            self.assertTrue(settles_at(before))

    def test_speaks_no_tls_before_1_2_and_no_plain_http(self):
        for versions, works in (("-tls1_3", True), ("-tls1_2", True), ("-tls1_1", False)):
            here = f"127.0.0.1:{self.emulator.port}"
            run = subprocess.run(["openssl", "s_client", "-connect", here, "-cipher",
                                  "DEFAULT:@SECLEVEL=0", versions],
                                 stdin=subprocess.DEVNULL, capture_output=True)
            self.assertEqual(run.returncode == 0, works, versions)
        with socket.create_connection(("127.0.0.1", self.emulator.port), 5) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b"HTTP", plain.recv(100))


class CommandLine(Test):
    def run_with(self, *arguments):
        return subprocess.run([fixture.EMULATOR, *arguments], capture_output=True, text=True,
                              timeout=20)

    def complete(self, directory, **changes):
        fixture.make_certificates(directory)
        (directory / "secret").write_text("s\n")
        options = {"port": "0", "certificate": directory / "server.pem",
                   "key": directory / "server.key",
                   "account-sid": fixture.ACCOUNT_SID, "service-sid": fixture.SERVICE_SID,
                   "api-key-sid": fixture.API_KEY_SID, "api-key-secret-file": directory / "secret"}
        options |= {name.replace("_", "-"): value for name, value in changes.items()}
        return [word for name, value in options.items() if value is not None
                for word in ("--" + name, str(value))]

    def test_bad_arguments_are_named_and_end_with_status_2(self):
        with fixture.temporary_directory() as directory:
            (directory / "empty").write_text("")
            (directory / "two").write_text("a\nb\n")
            for changes, named in (
                    ({"port": None}, "--port"), ({"port": "70000"}, "--port"),
                    ({"port": "x"}, "--port"), ({"account_sid": "AC1"}, "--account-sid"),
                    ({"service_sid": "VA" + "g" * 32}, "--service-sid"),
                    ({"api_key_sid": None}, "--api-key-sid"),
                    ({"certificate": directory / "none"}, "--certificate"),
                    ({"key": directory / "secret"}, "--key"),
                    ({"api_key_secret_file": directory / "none"}, "--api-key-secret-file"),
                    ({"api_key_secret_file": directory / "empty"}, "--api-key-secret-file"),
                    ({"api_key_secret_file": directory / "two"}, "--api-key-secret-file"),
                    ({"address": "localhost"}, "--address"),
                    ({"control": "/" + "x" * 200}, "--control"),
                    ({"control": directory / "secret"}, "--control"),
                    ({"log": directory / "no" / "directory"}, "--log"),
                    ({"set": "wrong-code=maybe"}, "--set"), ({"set": "x"}, "--set"),
                    ({"fault": "nothing"}, "--fault"), ({"bogus": "x"}, "--bogus"),
                    ({"port": self.emulator.port}, "--port")):
                with self.subTest(changes):
                    run = self.run_with(*self.complete(directory, **changes))
                    self.assertEqual(run.returncode, 2, run)
                    self.assertIn(named, run.stderr)
                    self.assertEqual(run.stdout, "")

    def test_help_and_version_explain_themselves(self):
        run = self.run_with("--help")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for word in ("--port", "wrong-code=200-pending|403-60324", "endless-body", "forget-limits",
                     "factor-create"):
            self.assertIn(word, run.stdout)
        self.assertEqual(self.run_with("--version").returncode, 0)

    def test_the_page_of_the_emulator_names_every_switch_fault_operation_and_command(self):
        page = (pathlib.Path(__file__).parent / "README.md").read_text()
        help_text = self.run_with("--help").stdout
        listed = help_text.split("Switches", 1)[1]
        names = set(re.findall(r"^  ([a-z][a-z-]+[a-z])", listed, re.M))
        names |= set(re.search(r"Operations: (.*)", listed)[1].split(", "))
        self.assertGreater(len(names), 60)
        self.assertEqual({n for n in names if f"`{n}" not in page and f"{n}`" not in page}, set())

    def test_set_and_fault_work_from_the_command_line(self):
        with fixture.Emulator("--set", "not-found=6039x", "--set", "malformed=404", "--fault",
                              "status-503 on service-fetch times 1") as other:
            self.assertEqual(other.request("GET", SERVICE).status, 503)
            self.assertEqual(other.request("GET", SERVICE).status, 200)
            reply = other.request("GET", SERVICE + "/Entities/nobody-0")
            self.assertEqual(reply.json["code"], 60392)
            other.control("set not-found 20404")
            other.control("reset")
            reply = other.request("GET", SERVICE + "/Entities/nobody-0")
            self.assertEqual(reply.json["code"], 60392)

    def test_ends_with_status_0_on_sigterm_though_clients_hang(self):
        with fixture.Emulator() as other:
            other.control("fault no-answer")
            with self.assertRaises(TimeoutError):
                other.request("GET", SERVICE, timeout=0.3)
            silent = http.client.HTTPSConnection("127.0.0.1", other.port, context=other.tls)
            silent.request("GET", SERVICE)
            idle = socket.create_connection(("127.0.0.1", other.port))
            begin = time.monotonic()
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(other.process.returncode, 0)
        silent.close()
        idle.close()

    def test_removes_its_socket_and_replaces_one_that_was_left_over(self):
        with fixture.temporary_directory() as directory:
            path = directory / "control"
            with socket.socket(socket.AF_UNIX) as left_over:
                left_over.bind(str(path))
            with fixture.Emulator("--control", path):
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                run = self.run_with("control", path, "clock")
                self.assertEqual(run.returncode, 0)
                self.assertRegex(run.stdout, r"^ok \d+\n$")
                run = self.run_with("control", path, "set", "wrong-code", "maybe")
                self.assertEqual(run.returncode, 1)
                self.assertTrue(run.stdout.startswith("error "))
            self.assertFalse(path.exists())
            self.assertEqual(self.run_with("control", path, "clock").returncode, 1)

    def test_the_control_socket_takes_several_lines_and_lets_go_of_an_endless_one(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(self.emulator.socket_path)
            client.sendall(b"clock =7\nclock\n")
            received = b""
            while received.count(b"\n") < 2:
                received += client.recv(100)
            self.assertEqual(received, b"ok 7\nok 7\n")
            client.sendall(b"x" * 5000)
            with contextlib.suppress(ConnectionError):
                self.assertEqual(client.recv(100), b"")
        self.emulator.control("clock real")

    def test_the_control_socket_serves_many_at_once(self):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(300)]
            for client in clients:
                client.settimeout(10)
                client.connect(self.emulator.socket_path)
            for client in clients:
                client.sendall(b"clock\n")
                self.assertTrue(client.recv(100).startswith(b"ok "))
                client.close()

    def test_neither_codes_nor_credentials_are_in_the_log(self):
        factor = self.emulator.factor()
        path = self.emulator.entity_path(factor.identity) + "/Challenges"
        self.post(f"{path}?AuthPayload=987654", {"FactorSid": factor.sid, "AuthPayload": "987654"})
        text = self.emulator.log_file.read_text()
        for secret in ("987654", fixture.API_KEY_SECRET, factor.secret):
            self.assertNotIn(secret, text)
