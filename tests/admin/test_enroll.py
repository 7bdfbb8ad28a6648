# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""enroll and confirm: from a name to a file that a login reads.

    BUILD=build /usr/bin/python3 tests/tap.py tests/admin
"""

import array
import concurrent.futures
import fcntl
import http.server
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import ssl
import subprocess
import termios
import threading
import time
import unittest

import pyte

from kit.admincase import (BUILD, ENVIRONMENT, OK, PATIENCE_SECONDS, QUESTION, UNAVAILABLE, USAGE,
                           WRONG, AdminCase, App, eventually)
from kit.fixture import ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, CHECK, MODULE, SERVICE_SID
from kit.mounts import private_mounts

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
WHITE, BLACK = b"\xff", b"\x00"


def photograph(screen):
    """What a camera sees: a PGM of the screen, each character 1 x 2 modules of 4 x 4 pixels."""
    rows = []
    for line in range(screen.lines):
        upper, lower = b"", b""
        for column in range(screen.columns):
            cell = screen.buffer[line][column]
            front, back = (BLACK, WHITE) if cell.bg == "white" else (WHITE, BLACK)
            upper += (front if cell.data in "▀█#" else back) * 4
            lower += (front if cell.data in "▄█#" else back) * 4
        rows += [upper] * 4 + [lower] * 4
    return b"P5 %d %d 255\n" % (len(rows[0]), len(rows)) + b"".join(rows)


def decode(picture):
    """The text of the QR code in PICTURE."""
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "pgm:-"],
                          input=picture, capture_output=True, check=False)
    if done.returncode not in (0, 4):
        raise AssertionError(f"zbarimg: {done.returncode} {done.stderr}")
    return done.stdout.decode().strip()


class Terminal(AdminCase):
    """An administrator and a user with a phone before one terminal."""

    def screen_at_question(self, *words, rows=24, columns=80, **options):
        child = self.start("enroll", *words, rows=rows, columns=columns, **options)
        child.expect_exact(QUESTION)
        screen = pyte.Screen(columns, rows)
        stream = pyte.Stream(screen)
        stream.feed(child.before + child.after)
        return child, screen

    @staticmethod
    def phone(uri):
        """The code of an authenticator app that knows nothing of us."""
        secret = re.search(r"[?&]secret=([A-Z2-7]+)", uri)[1]
        return subprocess.run(["oathtool", "--totp", "--base32", secret], text=True,
                              capture_output=True, check=True).stdout.strip()

    def log_in(self, code):
        """What libpam makes of a login through the module."""
        (self.directory / "login").write_text(
            f"auth required {MODULE} conf={self.settings} helper={CHECK}\n")
        (self.directory / "other").write_text("auth required pam_deny.so\n")
        done = subprocess.run([BUILD / "pam-driver", "--confdir", self.directory, "--service",
                               "login",
                               "--user", "root", "--call", "authenticate",
                               *["--answer", code] * 3], capture_output=True, text=True, timeout=60,
                              check=True)
        return json.loads(done.stdout)["calls"][0]["code"]

    def test_the_code_on_a_screen_of_80_by_24_is_read_by_a_camera_and_logs_in(self):
        child, screen = self.screen_at_question("root")
        uri = decode(photograph(screen))
        self.assertRegex(uri, r"^otpauth://totp/.*root\?secret=[A-Z2-7]{32}&issuer=")
        child.sendline(self.phone(uri))
        self.assertEqual(self.finish(child), OK)

        identity, sid = self.record()
        self.assertRegex(identity, rf"^{UUID}$")
        self.assertEqual(self.factors(identity), {sid: "verified"})
        self.assertEqual(self.log_in(App(self.emulator, uri).wrong_code()), "PAM_AUTH_ERR")
        self.assertEqual(self.log_in(self.phone(uri)), "PAM_SUCCESS")

    def test_a_large_screen_shows_the_address_as_it_is_with_a_whole_quiet_zone(self):
        _, screen = self.screen_at_question("root", rows=60, columns=120)
        uri = decode(photograph(screen))
        self.assertIn("&algorithm=SHA1&digits=6&period=30", uri)
        code = [line for line in screen.display if set(line.strip()) & set("▀▄█")]
        first = code[0]
        self.assertGreaterEqual(len(first) - len(first.lstrip()), 4, first)

    def test_without_colours_it_is_drawn_light_on_the_terminals_own_dark(self):
        child, screen = self.screen_at_question("root", rows=60, columns=120,
                                                environment={"NO_COLOR": "1"})
        self.assertNotIn("\x1b[", child.before)
        self.assertRegex(decode(photograph(screen)), "^otpauth://totp/")

    def test_without_utf8_it_is_drawn_in_ascii(self):
        child, screen = self.screen_at_question("root", rows=70, columns=160,
                                                environment={"LANG": "C"})
        self.assertTrue(child.before.isascii())
        picture = photograph(screen)
        # Two characters a module, one row a module: square pixels again.
        header, pixels = picture.split(b"\n", 1)
        self.assertTrue(header)
        self.assertRegex(decode(picture), "^otpauth://totp/")

    def test_a_terminal_that_is_too_small_gets_the_address_and_the_secret_to_be_typed_in(self):
        child, _ = self.screen_at_question("root", rows=12, columns=40)
        self.assertRegex(child.before, "too small")
        app = App(self.emulator, re.search(r"otpauth://\S+", child.before)[0])
        secret = re.search(r"Without a camera: ([A-Z2-7 ]+)", child.before)[1]
        self.assertTrue(all(len(group) == 4 for group in secret.split()), secret)
        self.assertEqual(secret.replace(" ", ""), app.secret)
        child.sendline(app.code())
        self.assertEqual(self.finish(child), OK)

    def test_a_wrong_code_is_asked_for_again_and_a_malformed_one_costs_no_attempt(self):
        child, _ = self.screen_at_question("root", rows=12)
        app = App(self.emulator, re.search(r"otpauth://\S+", child.before)[0])
        for line in ("", "12345", "abcdef", "1234567"):
            child.sendline(line)
            child.expect_exact("a code has 6 digits")
            child.expect_exact(QUESTION)
        self.assertNotIn("factor-verify", {key for key, count in self.operations().items() if count})
        child.sendline(app.wrong_code())
        child.expect_exact("wrong code: check the clock of the phone")
        child.expect_exact(QUESTION)
        code = app.code()
        child.sendline(f"{code[:3]} {code[3:]}")
        self.assertEqual(self.finish(child), OK)

    def test_five_wrong_codes_end_it_and_leave_nothing(self):
        child, _ = self.screen_at_question("root", rows=12)
        app = App(self.emulator, re.search(r"otpauth://\S+", child.before)[0])
        for _ in range(5):
            child.sendline(app.wrong_code())
            child.expect_exact("wrong code")
            child.expect_exact(QUESTION)
        child.sendline(app.wrong_code())
        child.expect("no attempts left")
        self.assertEqual(self.finish(child), WRONG)
        self.assert_nothing_is_left()

    def test_a_user_who_gives_up_leaves_nothing(self):
        for name, act in {"end of file": lambda child: child.sendeof(),
                          "^C": lambda child: child.sendintr(),
                          "SIGTERM": lambda child: child.kill(signal.SIGTERM),
                          "hang-up": lambda child: child.kill(signal.SIGHUP)}.items():
            with self.subTest(name):
                child, _ = self.screen_at_question("root", rows=12)
                self.assertNotEqual(self.entities(), set())
                act(child)
                child.expect("nothing is left at Twilio")
                self.assertEqual(self.finish(child), WRONG)
                self.assert_nothing_is_left()


class Pipe(AdminCase):
    """Standard streams that are no terminal."""

    def begin(self, *words, **streams):
        process = subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, env=ENVIRONMENT,
                                   **streams)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        return process

    def test_half_an_answer_does_not_block_signals(self):
        self.run_tool("enroll", "root", "--uri-only")
        process = self.begin("confirm", "root", stderr=subprocess.DEVNULL)
        process.stdin.write(b"123")
        process.stdin.flush()
        unread = array.array("i", [3])
        self.assertTrue(eventually(lambda: not fcntl.ioctl(process.stdin, termios.FIONREAD, unread)
                                   and unread[0] == 0))
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_SECONDS), WRONG)

    def test_an_answer_ends_with_the_input_and_has_a_bound(self):
        app = self.hand_over()
        for text, status in (("1" * 100000, WRONG), (app.code(), OK)):
            done = subprocess.run(self.command("confirm", "root"), input=text, text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, status, done.stderr)

    def test_a_closed_stream_has_no_file_in_its_place_and_no_core_is_left(self):
        self.run_tool("enroll", "root", "--uri-only")
        process = self.begin("confirm", "root", preexec_fn=lambda: os.closerange(1, 3))
        directory = f"/proc/{process.pid}"

        def names():
            return {int(name): os.readlink(f"{directory}/fd/{name}")
                    for name in os.listdir(f"{directory}/fd")}
        self.assertTrue(eventually(lambda: any(".lock" in name for name in names().values())))
        self.assertEqual([names()[number] for number in (1, 2)], ["/dev/null"] * 2)
        self.assertRegex(pathlib.Path(directory, "limits").read_text(),
                         r"Max core file size +0 +0 ")
        process.kill()
        process.wait()

    def test_a_list_that_nobody_gets_is_an_error(self):
        self.enroll()
        done = subprocess.run(self.command("list"), preexec_fn=lambda: os.close(1), text=True,
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, WRONG)
        self.assertIn("cannot write to standard output", done.stderr)


class Enroll(AdminCase):

    def test_the_file_is_what_a_login_wants(self):
        self.enroll()
        path = self.users / "root.conf"
        self.assertEqual(path.stat().st_mode & 0o7777, 0o640)
        self.assertEqual(path.stat().st_uid, os.geteuid())
        self.assertEqual({path.name for path in self.users.iterdir()},
                         {"root.conf", ".pending", ".former"})
        for name in (".pending", ".former"):
            self.assertEqual((self.users / name).stat().st_mode & 0o7777, 0o700)

    def test_the_secret_is_printed_and_written_nowhere_else(self):
        app = self.enroll()
        for path in self.directory.rglob("*"):
            if path.is_file() and "emulator" not in path.name:
                self.assertNotIn(app.secret.encode(), path.read_bytes(), path)

    def test_uri_only_prints_the_address_alone(self):
        done = self.run_tool("enroll", "root", "--uri-only", status=OK)
        self.assertRegex(done.out, r"^otpauth://totp/\S+\n$")
        self.assertIn("twilio-verify confirm root", done.err)
        self.assertIsNone(self.record())
        self.assertIsNotNone(self.record(state=".pending")[1])

    def test_a_pending_factor_that_is_given_up_for_another_is_told_of(self):
        self.run_tool("enroll", "root", "--uri-only")
        identity, sid = self.record(state=".pending")
        done = self.run_tool("enroll", "root", "--uri-only", status=OK)
        self.assertIn("deletes an earlier pending factor of root: its address stops working",
                      done.err)
        self.assertNotIn(identity, self.entities())

    def test_a_pending_factor_logs_nobody_in(self):
        self.run_tool("enroll", "root", "--uri-only")
        login = subprocess.run([BUILD / "twilio-verify-check", "--settings", self.settings],
                               input="login 2 sshd root\n123456\n123456\n123456\n", text=True,
                               capture_output=True, timeout=60, check=True).stdout.splitlines()
        self.assertRegex(login[-1], "^denied: not enrolled")

    def test_confirm_may_be_tried_again_later(self):
        app = self.hand_over()
        self.run_tool("confirm", "root", answers=[app.wrong_code()],
                      status=WRONG, says="root is not enrolled")
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assert_enrolled()

    def test_confirm_after_five_wrong_codes_deletes_the_factor(self):
        app = self.hand_over()
        self.run_tool("confirm", "root", answers=[app.wrong_code()] * 6,
                      status=WRONG, says="enroll again")
        self.assert_nothing_is_left()

    def test_confirm_without_a_pending_factor_names_the_remedy(self):
        self.run_tool("confirm", "root", status=WRONG, says="twilio-verify enroll root")

    def test_an_enrolled_user_is_left_alone(self):
        self.enroll()
        before = self.record(), self.operations()["factor-create"]
        self.run_tool("enroll", "root", "--uri-only", status=WRONG, says="--replace")
        self.assertEqual((self.record(), self.operations()["factor-create"]), before)

    def test_replace_deletes_the_old_factor_only_after_the_new_one_works(self):
        self.enroll()
        identity, old = self.record()
        app = self.hand_over("root", "--replace")
        self.assertEqual(self.record(), (identity, old))
        self.assertEqual(self.factors(identity)[old], "verified")

        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assertEqual(self.record()[0], identity)
        self.assert_enrolled()
        self.assertNotEqual(self.record()[1], old)

    def test_replace_that_is_given_up_keeps_the_old_factor(self):
        self.enroll()
        before = self.record()
        self.run_tool("enroll", "root", "--replace", status=WRONG)
        self.assertEqual(self.record(), before)
        self.assertEqual(self.factors(before[0]), {before[1]: "verified"})

    def test_an_old_factor_that_can_not_be_deleted_is_told_of_and_deleted_later(self):
        self.enroll()
        identity, old = self.record()
        app = self.hand_over("root", "--replace")
        self.emulator.control("fault status-503 on factor-delete")
        done = self.run_tool("confirm", "root", answers=[app.code()], status=UNAVAILABLE, says=old)
        self.assertIn("the new factor of root works", done.err)
        self.assertEqual(self.record(state=".former"), (identity, old))

        self.emulator.control("fault clear")
        self.run_tool("remove", "root", "--leftovers", status=OK)
        self.assert_enrolled()

    def test_twilio_learns_no_name_and_all_settings_of_the_factor(self):
        self.emulator.request("POST", f"/v2/Services/{SERVICE_SID}",
                              {"Totp.Skew": 2, "Totp.TimeStep": 60, "Totp.CodeLength": 8})
        for options, label in (((), "root"), (("--name", "Zoë @ work", "--identity",
                                               "employee-00042"), "Zo%C3%AB%20%40%20work")):
            with self.subTest(options):
                app = self.enroll("root", "--replace", *options)
                self.assertIn(label, app.uri)
                identity, sid = self.record()
                self.assertIn(identity, options or (identity,))
                path = f"{self.emulator.entity_path(identity)}/Factors/{sid}"
                factor = self.emulator.request("GET", path).json
                self.assertEqual(factor["friendly_name"], "pam_twilio_verify")
                self.assertEqual(factor["config"], {"alg": "sha1", "skew": 1, "code_length": 6,
                                                    "time_step": 30})

    def test_what_can_not_be_meant_is_refused_before_anything_happens(self):
        for words, message in {
                ("no-such-user-here",): "there is no account",
                ("root", "--identity", "short"): "8 to 64 letters",
                ("root", "--identity", "not_an_identity"): "8 to 64 letters",
                ("root", "--name", ""): "1 to 64 bytes",
                ("root", "--name", "x" * 65): "1 to 64 bytes",
                ("root", "--name", "two\nlines"): "1 to 64 bytes",
                (): "takes USER", ("root", "toor"): "takes USER",
                ("root", "--bogus"): "--help"}.items():
            with self.subTest(words):
                self.run_tool("enroll", *words, status=USAGE, out="", says=message)
        self.assertFalse(any(self.operations().values()))

    def test_a_name_that_can_not_be_a_file_is_refused(self):
        for name in ("", ".", "..", "a/b", "x" * 251, "a\nb"):
            with self.subTest(name):
                self.run_tool("enroll", name, "--no-nss-check", "--uri-only",
                              status=WRONG, says="is not a valid user name")

    def test_another_spelling_of_an_account_is_not_enrolled_beside_it(self):
        spelling = {"LD_PRELOAD": str(BUILD / "tests" / "other-spelling.so"),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.run_tool("enroll", "ROOT", "--uri-only", environment=spelling, status=USAGE, out="",
                      says='"ROOT" is another spelling of the account root: enroll root')
        done = self.run_tool("enroll", "ROOT", "--uri-only", "--no-nss-check", environment=spelling)
        self.assertEqual(done.status, OK)

    def test_a_user_without_an_account_can_be_enrolled_on_request(self):
        self.enroll("comes-tomorrow", "--no-nss-check")
        self.assertIsNotNone(self.record("comes-tomorrow"))

    def test_the_key_may_be_one_of_its_own(self):
        self.settings = self.configure(service={"api_key_sid": "SK" + "f" * 32})
        (self.directory / "api-key").write_text("of-no-use\n")
        key = self.directory / "admin-key"
        key.write_text(API_KEY_SECRET + "\n")
        key.chmod(0o600)
        self.run_tool("enroll", "root", "--uri-only", status=WRONG)
        self.enroll("root", "--api-key-sid", API_KEY_SID, "--api-key-file", key)

        self.settings = self.configure(service={"api_key_sid": "SK" + "f" * 32})
        (self.directory / "api-key").write_text("of-no-use\n")
        with open(self.settings, "a") as settings:
            settings.write(f'admin = {{ api_key_sid = "{API_KEY_SID}"; api_key_file = "{key}"; }};')
        self.enroll("daemon")

    def test_half_a_key_is_refused(self):
        for words in (("--api-key-sid", API_KEY_SID), ("--api-key-file", "/dev/null"),
                      ("--api-key-sid", "AC" + "0" * 32, "--api-key-file", "/dev/null")):
            self.run_tool("enroll", "root", *words,
                          status=WRONG, says="--api-key-sid and --api-key-file must be given")

    def test_the_environment_decides_nothing(self):
        trap = self.directory / "keylog"
        done = self.run_tool("enroll", "root", "--uri-only", environment={
            "SSLKEYLOGFILE": str(trap), "https_proxy": "http://127.0.0.1:9",
            "ALL_PROXY": "http://127.0.0.1:9", "CURL_CA_BUNDLE": "/dev/null",
            "SSL_CERT_FILE": "/dev/null", "HOME": str(self.directory)})
        self.assertEqual(done.status, OK, done.err)
        self.assertFalse(trap.exists())


class Replies(AdminCase):
    """What a server sends that has a certificate of a trusted authority, and lies."""

    SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    URI = f"otpauth://totp/Example:root?secret={SECRET}&issuer=Example"

    def serve(self, **binding):
        """A server whose new factors have BINDING; returns the calls that it gets."""
        calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body):
                calls.append(f"{self.command} {self.path.rsplit('/', 1)[-1].partition('?')[0]}")
                body = json.dumps(body).encode() if body is not None else b""
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def factor(self):
                return {"sid": "YF" + "1" * 32, "account_sid": ACCOUNT_SID,
                        "service_sid": SERVICE_SID, "identity": self.path.split("/")[5],
                        "status": "unverified", "friendly_name": "\u009b2J\u202e",
                        "factor_type": "totp", "config": {"code_length": 6}}

            def do_POST(self):
                self.answer(201, self.factor() | {"binding": binding})

            def do_GET(self):
                is_gone = "DELETE " + "YF" + "1" * 32 in calls
                self.answer(200, {"factors": [] if is_gone else [self.factor()]})

            def do_DELETE(self):
                self.answer(204, None)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.emulator.directory / "server.pem",
                                self.emulator.directory / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.settings = self.configure(
            service={"base_url": f"https://127.0.0.1:{server.server_address[1]}"})
        return calls

    def test_a_seed_of_base32_in_an_address_of_ascii_is_taken(self):
        for secret in (self.SECRET, self.SECRET[:16], "A" * 128):
            with self.subTest(secret):
                self.serve(secret=secret, uri=self.URI)
                done = self.run_tool("enroll", "root", "--uri-only")
                self.assertEqual((done.status, done.out), (OK, self.URI + "\n"), done.err)
                shutil.rmtree(self.users / ".pending")

    def test_any_other_is_refused_not_shown_and_its_factor_deleted(self):
        secret, uri = "binding.secret in Twilio's reply", "binding.uri in Twilio's reply"
        bad = [(text, self.URI, secret) for text in (
            "", "A" * 15, "A" * 129, self.SECRET.lower(), self.SECRET[:-1] + "1",
            self.SECRET[:-1] + "=", self.SECRET + "\n", self.SECRET[:20] + "\x1b[2J",
            self.SECRET[:20] + "\u009b2J", self.SECRET[:20] + "\u202e", "Ａ" * 16, None, 7)]
        bad += [(self.SECRET, text, uri) for text in (
            "", "otpauth://hotp/" + self.URI[15:], "https://example.com/", "OTPAUTH://totp/x",
            self.URI + "\n", self.URI + " x", self.URI + "\x1b]0;x\x07", self.URI + "\u009b2J",
            self.URI + "\u202e", self.URI + "é", self.URI + "\x7f", self.URI + "x" * 1024, None)]
        for given_secret, given_uri, reason in bad:
            for words in (["--uri-only"], []):
                with self.subTest([given_secret, given_uri, words]):
                    calls = self.serve(secret=given_secret, uri=given_uri)
                    done = self.run_tool("enroll", "root", *words, status=UNAVAILABLE, out="",
                                         says=reason)
                    self.assertRegex(done.err, r"\A[\n -~]*\Z")
                    self.assertIn("DELETE " + "YF" + "1" * 32, calls)
                    self.assertIsNone(self.record(state=".pending"))


class Trouble(AdminCase):

    def test_twilio_does_not_answer(self):
        self.settings = self.configure(service={"base_url": "https://127.0.0.1:9"})
        done = self.run_tool("enroll", "root", status=UNAVAILABLE, out="", says="127.0.0.1")
        self.assertIn("nothing is left at Twilio", done.err)
        self.assert_nothing_is_left()

    def test_what_can_not_be_undone_now_is_told_of_and_undone_by_the_next_call(self):
        for fault in ("close-after on factor-create", "no-answer on factor-create times 1",
                      "bad-json on factor-create", "wrong-account on factor-create",
                      "status-500 on factor-create after carrying-out",
                      "field-missing:binding on factor-create"):
            with self.subTest(fault):
                self.settings = self.configure(service={"timeout_seconds": 1})
                self.emulator.control("fault " + fault)
                self.emulator.control("fault status-503 on factor-list")
                done = self.run_tool("enroll", "root", status=UNAVAILABLE, out="")
                identity, sid = self.record(state=".pending")
                self.assertIsNone(sid)
                self.assertIn(identity, done.err)

                self.settings = self.configure()
                self.emulator.control("fault clear")
                self.enroll("root")
                self.assertEqual(self.entities(), {self.record()[0]})
                self.run_tool("remove", "root", status=OK)

    def test_ctrl_c_does_not_wait_for_an_answer_that_does_not_come(self):
        self.settings = self.configure(service={"timeout_seconds": 30})
        for fault in ("no-answer on factor-create", "no-answer on factor-create after carrying-out",
                      "no-answer on factor-verify"):
            with self.subTest(fault):
                self.emulator.control("fault " + fault)
                before = self.emulator.stats()["requests"]
                child = self.start("enroll", "root", rows=12)
                if "verify" in fault:
                    child.expect_exact(QUESTION)
                    child.sendline("000000")
                self.assertTrue(eventually(lambda: self.emulator.stats()["requests"] > before +
                                           ("verify" in fault)))
                began = time.monotonic()
                child.sendintr()
                child.expect("interrupted")
                child.expect("nothing is left at Twilio")
                self.assertEqual(self.finish(child), WRONG)
                self.assertLess(time.monotonic() - began, PATIENCE_SECONDS)
                self.assert_nothing_is_left()
                self.emulator.control("fault clear")

    def test_a_lost_reply_to_the_first_code_is_asked_for(self):
        app = self.hand_over()
        self.emulator.control("fault close-after on factor-verify times 1")
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assert_enrolled()

    def test_replies_about_something_else_enroll_nobody(self):
        for fault in ("wrong-sid", "wrong-account", "wrong-service", "wrong-identity",
                      "status-missing", "status-capitals", "status-unknown", "duplicate-status",
                      "trailing-bytes", "deep-json", "cut-body"):
            with self.subTest(fault):
                app = self.hand_over()
                self.emulator.control(f"fault {fault} on factor-verify")
                self.emulator.control(f"fault {fault} on factor-fetch")
                done = self.run_tool("confirm", "root", answers=[app.wrong_code()])
                self.assertNotEqual(done.status, OK)
                self.assertIsNone(self.record())
                self.emulator.control("fault clear")

    def test_an_address_that_nobody_can_see_is_taken_back(self):
        for words in (["--uri-only"], []):
            with self.subTest(words), open("/dev/full", "w") as full:
                done = subprocess.run(self.command("enroll", "root", *words), stdout=full, text=True,
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
                self.assertEqual(done.returncode, WRONG)
                self.assertIn("nothing is left at Twilio", done.stderr)
                self.assertIn("cannot write to standard output", done.stderr)
                self.assertNotIn(QUESTION, done.stderr)
                self.assert_nothing_is_left()

    def test_what_was_confirmed_before_is_finished_whatever_twilio_says_to_a_second_code(self):
        app = self.hand_over()
        identity, sid = self.record(state=".pending")
        self.emulator.control("fault status-400/60383 on factor-verify times 1")
        self.run_tool("confirm", "root", answers=[app.code()], status=WRONG, says="60383")
        self.emulator.request("POST", f"{self.emulator.entity_path(identity)}/Factors/{sid}",
                              {"AuthPayload": app.code()})
        self.emulator.control("fault status-400/60383 on factor-verify")
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assertEqual(self.record(), (identity, sid))

    def test_an_older_answer_to_a_wrong_code(self):
        app = self.hand_over()
        self.emulator.control("fault status-403/60311 on factor-verify times 1")
        done = self.run_tool("confirm", "root", answers=[app.code(), app.code()])
        self.assertIn("wrong code", done.err)
        self.assertEqual(done.status, OK)

    def test_wrong_credentials_name_the_remedy(self):
        (self.directory / "api-key").write_text("of-no-use\n")
        self.run_tool("enroll", "root", status=WRONG, says="api_key_file")

    def test_two_administrators_do_not_meet(self):
        child = self.start("enroll", "root", rows=12)
        child.expect_exact(QUESTION)
        for words in (("enroll", "root"), ("confirm", "root"), ("remove", "root")):
            self.run_tool(*words, status=WRONG, says="another twilio-verify is changing root now")
        self.enroll("daemon")
        child.sendeof()
        self.assertEqual(self.finish(child), WRONG)
        self.assertEqual(self.entities(), {self.record("daemon")[0]})

    def test_many_administrators_at_once_lose_nothing(self):
        dice = random.Random(20260102)

        def work(_):
            done = self.run_tool("enroll", "root", "--uri-only", *dice.choice(([], ["--replace"])))
            if done.status == OK:
                app = App(self.emulator, done.out.strip())
                self.run_tool("confirm", "root", answers=[app.code()])
            if dice.random() < 0.5:
                self.run_tool("remove", "root", *dice.choice(([], ["--leftovers"], ["--local"])))

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(24)))
        self.assert_consistent()
        rows = json.loads(self.run_tool("list", "--json", "--check").out)
        enrolled = [row["factor"] for row in rows if row["state"] == "enrolled"]
        self.assertLessEqual(set(enrolled), {"verified"})
        self.run_tool("remove", "root")
        self.assert_nothing_is_left()

    def test_the_secrets_are_in_nobodys_words_or_environment(self):
        child = self.start("enroll", "root", rows=12)
        child.expect_exact(QUESTION)
        app = App(self.emulator, re.search(r"otpauth://\S+", child.before)[0])
        for name in ("cmdline", "environ"):
            text = pathlib.Path(f"/proc/{child.pid}/{name}").read_bytes().decode()
            self.assertNotIn(API_KEY_SECRET, text)
            self.assertNotIn(app.secret, text)
        child.sendeof()
        self.finish(child)

    def test_a_damaged_pending_file_is_left_for_the_administrator(self):
        self.run_tool("enroll", "root", "--uri-only")
        path = self.users / ".pending" / "root.conf"
        path.write_text("identity = \n")
        self.run_tool("enroll", "root", "--uri-only", status=WRONG, says=str(path))
        self.assertTrue(path.exists())

    def test_directories_that_others_may_write_are_refused(self):
        self.users.chmod(0o777)
        self.run_tool("enroll", "root", status=WRONG, says="chmod go-w")
        self.assertFalse(any(self.operations().values()))


class Killed(AdminCase):
    """kill -9 at each request, before and after it is carried out."""

    def kill_at(self, operation, after, words, answer=None):
        """Runs the tool until it waits for the reply to OPERATION, and kills it."""
        # "after": carried out, and the reply is slow.
        self.emulator.control(f"fault no-answer on {operation}"
                              f"{' after carrying-out' if after else ''}")
        before = self.operations()[operation]
        process = subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if answer is not None:
            process.stdin.write(answer + "\n")
            process.stdin.flush()
        reached = eventually(lambda: self.operations()[operation] > before or
                             process.poll() is not None)
        self.assertTrue(reached and process.poll() is None, (operation, process.poll()))
        process.kill()
        process.wait()
        process.stdin.close()
        self.emulator.control("fault clear")

    def test_first_enrolment(self):
        for after in (False, True):
            for operation in ("factor-create", "factor-verify"):
                with self.subTest(operation, after=after):
                    self.emulator.control("reset")
                    answer = "000000" if operation == "factor-verify" else None
                    self.kill_at(operation, after, ("enroll", "root"), answer)
                    self.assert_consistent()
                    self.assertIsNone(self.record())
                    self.enroll("root")
                    self.assertEqual(self.entities(), {self.record()[0]})
                    self.assert_enrolled()
                    self.run_tool("remove", "root", status=OK)

    def test_confirmed_and_killed_before_the_reply(self):
        app = self.hand_over()
        self.kill_at("factor-verify", True, ("confirm", "root"), app.code())
        self.assert_consistent()
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assert_enrolled()

    def start_over(self):
        """A Twilio at which root alone is enrolled."""
        self.emulator.control("reset")
        for path in self.users.rglob("*.conf"):
            path.unlink()
        self.enroll("root")
        return self.record()

    def test_replacement(self):
        for operation, after in itertools.product(("factor-create", "factor-delete", "factor-list"),
                                                  (False, True)):
            with self.subTest(operation, after=after):
                old = self.start_over()
                if operation == "factor-create":
                    self.kill_at(operation, after, ("enroll", "root", "--replace"))
                    self.assertEqual(self.record(), old)
                else:
                    app = self.hand_over("root", "--replace")
                    self.kill_at(operation, after, ("confirm", "root"), app.code())
                    self.assertNotEqual(self.record(), old)
                self.assert_consistent()
                self.assertEqual(self.factors(old[0])[self.record()[1]], "verified")
                self.run_tool("remove", "root", "--leftovers", status=OK)
                self.assert_enrolled()

    def test_a_replacement_goes_on_where_it_was_killed(self):
        """As kill -9 leaves it once the replaced file is kept, and the new one is not yet there."""
        self.enroll("root")
        app = self.hand_over("root", "--replace")
        os.link(self.users / "root.conf", self.users / ".former" / "root.conf")
        new = self.record(state=".pending")
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assertEqual(self.record(), new)
        self.assertEqual(self.factors(new[0]), {new[1]: "verified"})

    def test_the_enrolled_factor_is_never_deleted_as_a_replaced_one(self):
        """As kill -9 between the two steps of a replacement leaves it."""
        self.enroll("root")
        os.link(self.users / "root.conf", self.users / ".former" / "root.conf")
        self.run_tool("remove", "root", "--leftovers", status=OK)
        self.assertIsNone(self.record(state=".former"))
        self.assert_enrolled()

    def test_removal(self):
        for operation, after in itertools.product(("factor-delete", "factor-list", "entity-delete"),
                                                  (False, True)):
            with self.subTest(operation, after=after):
                self.start_over()
                self.kill_at(operation, after, ("remove", "root"))
                self.assert_consistent()
                self.assertIsNotNone(self.record())
                self.run_tool("remove", "root", status=OK)
                self.assert_nothing_is_left()


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Disk(AdminCase):
    """The directory of the enrollments on a disk of its own."""

    def setUp(self):
        super().setUp()
        self.prefix = [*private_mounts(), "sh", "-euc"]

    def run_on(self, mount, *words, answers=()):
        """The tool in a mount namespace in which MOUNT was done, and what was there then."""
        script = f'{mount}\nstatus=0\n"$@" || status=$?\nfind {self.users} -type f >&2\nexit $status'
        return self.run_tool(*words, answers=answers, prefix=[*self.prefix, script, "sh"])

    def test_a_disk_that_is_read_only_is_told_before_anything_is_made(self):
        mount = f"mount --bind {self.users} {self.users}\nmount -o remount,bind,ro {self.users}"
        done = self.run_on(mount, "enroll", "root")
        self.assertEqual(done.status, WRONG)
        self.assertIn("Read-only file system", done.err)
        self.assertFalse(any(self.operations().values()))

    def test_a_disk_that_becomes_read_only_loses_nothing(self):
        app = self.hand_over()
        mount = f"mount --bind {self.users} {self.users}\nmount -o remount,bind,ro {self.users}"
        done = self.run_on(mount, "confirm", "root", answers=[app.code()])
        self.assertEqual(done.status, WRONG)
        self.assertIn("Read-only file system", done.err)
        self.assertIsNotNone(self.record(state=".pending"))
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)

    def test_a_disk_that_is_read_only_keeps_here_and_there_what_is_to_be_removed(self):
        self.enroll()
        record = self.record()
        mount = f"mount --bind {self.users} {self.users}\nmount -o remount,bind,ro {self.users}"
        for options in ([], ["--local"], ["--leftovers"]):
            with self.subTest(options):
                done = self.run_on(mount, "remove", "root", *options)
                self.assertEqual(done.status, WRONG)
                self.assertIn("Read-only file system", done.err)
                self.assertEqual(self.factors(record[0]), {record[1]: "verified"})

    def test_a_disk_that_fills_up_before_a_replacement_leaves_the_old_factor(self):
        self.enroll()
        old = self.record()
        app = self.hand_over("root", "--replace")
        mount = (f"cp -a {self.users} {self.directory}/copy\n"
                 f"mount -t tmpfs -o mode=755,nr_inodes=6 tmpfs {self.users}\n"
                 f"cp -a {self.directory}/copy/. {self.users}; rm -r {self.directory}/copy")
        done = self.run_on(mount, "confirm", "root", answers=[app.code()])
        self.assertEqual(done.status, WRONG)
        self.assertIn("but the enrollment could not be written", done.err)
        self.assertIn("No space left on device", done.err)
        self.assertEqual(sorted(re.findall(r"\S+/users/(\S+\.conf)\n", done.err)),
                         [".pending/root.conf", "root.conf"])
        self.assertEqual(self.factors(old[0])[old[1]], "verified")
        self.run_tool("confirm", "root", answers=[app.code()], status=OK)
        self.assert_enrolled()

    def test_a_full_disk_makes_nothing_at_twilio(self):
        mount = (f"mount -t tmpfs -o mode=755,size=4k tmpfs {self.users}\n"
                 f"mkdir -m 700 {self.users}/.pending {self.users}/.former\n"
                 f"head -c 4096 /dev/zero >{self.users}/ballast")
        done = self.run_on(mount, "enroll", "root")
        self.assertEqual(done.status, WRONG)
        self.assertIn("No space left on device", done.err)
        self.assertNotIn("root.conf\n", done.err)
        self.assertEqual(self.entities(), set())

    def test_a_disk_that_fills_up_in_between_undoes_what_was_made(self):
        mount = (f"mount -t tmpfs -o mode=755,nr_inodes=5 tmpfs {self.users}\n"
                 f"mkdir -m 700 {self.users}/.pending {self.users}/.former")
        done = self.run_on(mount, "enroll", "root", "--uri-only")
        self.assertEqual((done.status, done.out), (WRONG, ""))
        self.assertIn("could not be recorded", done.err)
        self.assertEqual(self.entities(), set())
