# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program against an honest service: dialogue, files, names, answers, switches.

    BUILD=build /usr/bin/python3 tests/tap.py tests/check/test_check.py

As root it drops to nobody; as another user it stays that user."""

import os
import re
import socket
import subprocess
import threading
import time

from kit.checkcase import (ASKS_MAX, CHECK, GONE_SECONDS, IS_ROOT, PROMPT, START_SECONDS,
                           WRONG_PROMPT, CheckTest, load_tests, )
from kit.fixture import API_KEY_SECRET, AUTH_TOKEN
from kit import liar
from kit.liar import OTHER_WRONG, RIGHT, WRONG
from kit.parallel import alone, each, patience
from kit.servers import copy_stream

ACCOUNT = "root"  # an account under exactly this name is everywhere
TRANSPORTS = ("socket", "pipes", "terminal")
LETTER = "é".encode("latin-1")


def chmod(mode):
    return lambda path: path.chmod(mode)


def chown(path):
    os.chown(path, 1, -1)


def become_link(path):
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def become_fifo(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def become_directory(path):
    path.unlink()
    path.mkdir(mode=0o700)


def become_socket(path):
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(path.parent, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)


def unlink(path):
    path.unlink()


def write(data):
    return lambda path: path.write_bytes(data if isinstance(data, bytes) else data.encode())


def append(text):
    return lambda path: path.write_text(path.read_text() + text)


def replace(old, new):
    def change(path):
        assert old in path.read_text(), old
        path.write_text(path.read_text().replace(old, new, 1))
    return change


def line_of(path, text):
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1)
                if text in line)


FIRST_LINES = {
    "of another version": "login 1 sshd alice\n",
    "without a user": "login 2 sshd\n",
    "with a needless escape": "login 2 sshd al%69ce\n",
    "with a NUL": b"login 2 sshd ali\0ce\n",
    "with a user of 252 bytes": "login 2 sshd " + "a" * 252 + "\n",
    "that is too long": "login 2 sshd alice" + "%20" * 400 + "\n",
}


@each(refuses_first_line={f"refuses a first line {name}": {"first": first}
                          for name, first in FIRST_LINES.items()})
class Dialogue(CheckTest):

    def refuses_first_line(self, first):
        server = self.liar()
        login = self.login(self.host(server), first=first)
        self.assert_outcome(login, "misconfigured", r'the first line must be "login 2 SERVICE USER')
        self.assertEqual(server.connections, [])

    def test_approves_a_right_code_on_every_transport(self):
        emulator = self.emulator()
        for transport in TRANSPORTS:
            with self.subTest(transport):
                host, factor = self.factor_host(emulator)
                self.run_login(host, [factor.code()], "approved", transport=transport)

    def test_the_end_of_file_before_the_first_line_is_no_login(self):
        server = self.liar()
        for first in ("", "login 2 sshd alice"):
            login = self.login(self.host(server), first=first)
            login.hang_up()
            self.assert_outcome(login, "misconfigured", "the first line", seconds=START_SECONDS)
        self.assertEqual(server.connections, [])

    def test_waits_for_the_first_line(self):
        server = self.liar()
        login = self.login(self.host(server), first="login 2 ss")
        time.sleep(0.3)
        self.assertEqual(login.raw, b"")
        login.send("hd alice\n")
        login.expect_prompt()
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    def test_asks_with_the_configured_prompt(self):
        prompt = "Код (" + "x" * 189 + "): "
        self.assertEqual(len(prompt.encode()), 200)
        login = self.login(self.host(self.liar(), login={"prompt": prompt}))
        login.expect_prompt("ask-secret " + prompt)
        login.answer(WRONG)
        login.expect_prompt("ask-secret Wrong code. " + prompt)

    def test_a_name_is_percent_encoded(self):
        server = self.liar()
        for user in ("tëst user", "100%", "a%41", "-rf", "a;b", "n" * 250, os.fsdecode(LETTER)):
            with self.subTest(user):
                host = self.host(server, users=(user,))
                self.run_login(host, [RIGHT], "approved", user=user)

    def test_asks_at_most_sixteen_times(self):
        login = self.login(self.host(self.liar(), login={"attempts": 5}))
        for number in range(5):
            login.expect_prompt(WRONG_PROMPT if number else PROMPT)
            login.answer("x" * (number + 1))
        self.assert_outcome(login, "denied")
        self.assertLessEqual(len(login.lines) - 1, ASKS_MAX)

    def test_takes_answers_that_came_before_the_questions(self):
        for answers in ([RIGHT], [WRONG, RIGHT], ["not a code", RIGHT], ["", "x", RIGHT]):
            for transport in ("socket", "pipes"):
                with self.subTest(answers=answers, transport=transport):
                    server, host = self.liar_host()
                    login = self.login(host)  # As enroll does, it makes the user's file.
                    login.expect_prompt()
                    login.hang_up()
                    self.assert_outcome(login, "denied")
                    first = "".join(f"{line}\n" for line in ["login 2 sshd alice", *answers])
                    login = self.login(host, first=first, transport=transport)
                    login.hang_up()
                    for number in range(len(answers)):
                        login.expect_prompt(WRONG_PROMPT if number else PROMPT)
                    self.assert_outcome(login, "approved", seconds=5)
                    self.assertEqual(server.codes, [line for line in answers if line.isdigit()])

    def test_an_answer_in_pieces_is_one_answer(self):
        server = self.liar()
        login = self.prompted(self.host(server))
        for piece in (RIGHT[:2], RIGHT[2:], "\n"):
            time.sleep(0.05)
            login.send(piece)
        login.entered_at = time.monotonic()
        self.assert_outcome(login, "approved")
        self.assertEqual(server.codes, [RIGHT])

    def test_can_be_used_by_hand_on_a_terminal(self):
        server = self.liar()
        login = self.answered(self.host(server), WRONG, transport="terminal")
        login.expect_prompt(WRONG_PROMPT)
        login.answer("246 801")
        self.assert_outcome(login, "approved")

    def test_an_end_of_file_on_a_terminal_is_noticed(self):
        login = self.prompted(self.host(self.liar()), transport="terminal")
        login.send("\x04")
        login.entered_at = time.monotonic()
        self.assert_outcome(login, "denied", "left at the question", seconds=GONE_SECONDS)

    def test_explains_itself_and_refuses_other_arguments(self):
        def run(*arguments):
            return subprocess.run([CHECK, *arguments], stdin=subprocess.DEVNULL, env={},
                                  capture_output=True, text=True, timeout=10)
        shown = run("--help")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("login 2 SERVICE USER", shown.stdout)
        self.assertRegex(run("--version").stdout, r"^twilio-verify-check \d+\.\d+\.\d+\n$")
        for arguments in (("--settings",), ("--settings", "relative.conf"), ("--settings", ""),
                          ("--library", "/tmp/x.so"), ("login",), ("--settings", "/x", "/y")):
            with self.subTest(arguments):
                refused = run(*arguments)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertNotEqual(refused.stderr, "")


class TheUserGoesAway(CheckTest):
    """Within half a second the program is gone; before create was sent, no request left."""

    def leave(self, login, whole=False):
        login.hang_up(whole)
        end = time.monotonic() + patience(GONE_SECONDS)
        while not whole and login.read_line_until(end) is not None:
            pass
        login.wait_until(end)
        login.check_leaks()
        if whole:
            return
        self.assertRegex(login.lines[-1], "^denied: (left at the question|no valid code in 1 att)")

    def test_before_the_prompt_was_read(self):
        for transport in ("socket", "pipes"):
            for whole in (False, True):
                with self.subTest(transport=transport, whole=whole):
                    server = self.liar(connect=[liar.late(0.3)])
                    login = self.login(self.host(server), transport=transport)
                    self.assertTrue(login.is_readable(START_SECONDS))
                    self.leave(login, whole=whole)
                    self.assertEqual(server.requests, [])

    def test_with_the_first_line(self):
        server = self.liar()
        login = self.login(self.host(server))
        login.hang_up()
        login.expect_gone(START_SECONDS)
        self.assertEqual(server.requests, [])

    def test_while_the_connection_is_made(self):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            address = listener.getsockname()
            fill = [socket.socket() for _ in range(3)]
            for filler in fill:
                filler.setblocking(False)
                filler.connect_ex(address)
            login = self.prompted(self.host(f"https://127.0.0.1:{address[1]}"))
            time.sleep(0.2)
            self.leave(login)
            for filler in fill:
                filler.close()

    def test_during_the_handshake(self):
        for stalled in (liar.mute, liar.stall_in_handshake):
            for transport in TRANSPORTS[:2]:
                with self.subTest(stalled=stalled.__name__, transport=transport):
                    server = self.liar(connect=[stalled])
                    login = self.prompted(self.host(server), transport=transport)
                    server.wait(lambda server: server.connections)
                    time.sleep(0.1)
                    self.leave(login)
                    self.assertEqual(server.requests, [])

    def test_during_the_creation(self):
        server = self.liar(create=[liar.dropped(liar.Connection.hang)])
        login = self.prompted(self.host(server))
        self.assertTrue(server.wait(lambda server: server.requests))
        self.leave(login)
        self.assertEqual(server.kinds, ["create"])

    def test_during_the_pause_after_too_many_requests(self):
        server = self.liar(create=[liar.refuse(429, 20429, {"Retry-After": "20"})])
        login = self.prompted(self.host(server))
        self.assertTrue(server.wait(lambda server: server.requests))
        time.sleep(0.1)
        self.leave(login)
        self.assertEqual(server.kinds, ["create"])

    def test_at_the_prompt(self):
        for transport in TRANSPORTS[:2]:
            for whole in (False, True):
                with self.subTest(transport=transport, whole=whole):
                    server = self.liar()
                    login = self.prompted(self.host(server), transport=transport)
                    self.assertTrue(server.wait(lambda server: server.requests))
                    time.sleep(0.1)
                    self.leave(login, whole=whole)
                    self.assertEqual(server.kinds, ["create"])

    def test_at_the_second_prompt(self):
        for answer, kinds in ((WRONG, ["create", "verify"]), ("x", ["create"])):
            with self.subTest(answer):
                server = self.liar()
                login = self.prompted(self.host(server))
                self.assertTrue(server.wait(lambda server: server.requests))
                login.answer(answer)
                login.expect_prompt(WRONG_PROMPT)
                self.leave(login)
                self.assertEqual(server.kinds, kinds)

    def test_at_the_prompt_when_the_challenge_waits_for_a_code(self):
        server = self.liar()
        login = self.prompted(self.host(server, login={"create_challenge": "with_code"}))
        self.assertTrue(server.wait(lambda server: any(c.stands for c in server.connections)))
        self.leave(login)
        self.assertEqual(server.requests, [])

    def test_at_the_prompt_when_not_enrolled(self):
        server = self.liar()
        login = self.prompted(self.host(server), user=ACCOUNT)
        self.assertTrue(server.wait(lambda server: any(c.stands for c in server.connections)))
        self.leave(login)
        self.assertEqual(server.requests, [])

    def test_in_the_middle_of_a_line(self):
        login = self.prompted(self.host(self.liar()))
        login.send("2468")
        self.leave(login)

    def test_and_it_is_denied(self):
        login = self.prompted(self.host(self.liar()))
        login.hang_up()
        self.assert_outcome(login, "denied", "left at the question", seconds=GONE_SECONDS)

    def test_after_the_code_and_is_let_in(self):
        """The half that we close is the answers' end; the verdict still has a reader."""
        server = self.liar()
        login = self.answered(self.host(server), RIGHT)
        login.hang_up()
        self.assert_outcome(login, "approved")

    def test_for_good_during_the_verification(self):
        server = self.liar(verify=[liar.slowly(0.3)])
        login = self.answered(self.host(server), RIGHT)
        self.assertTrue(server.wait(lambda server: len(server.requests) == 2))
        login.hang_up(whole=True)
        self.assertEqual(login.wait(1), 0)


class ThePromptComesFirst(CheckTest):

    def test_nothing_is_connected_before_the_prompt_is_out(self):
        """The prompt does not fit into a full pipe: so nothing else may have begun either."""
        server = self.liar()
        login = self.login(self.host(server), first="", transport="pipes")
        child_out = os.open(f"/proc/{login.process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(child_out, b"\n" * 4096)
        except BlockingIOError:
            pass
        finally:
            os.close(child_out)
        login.send("login 2 sshd alice\n")
        time.sleep(0.5)
        self.assertEqual(server.connections, [])
        for _ in range(100000):
            if login.read_line(5):
                break
        self.assertEqual(login.lines[-1], PROMPT)
        self.assertTrue(server.wait(lambda server: server.connections))
        login.lines = login.lines[-1:]
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    def test_a_server_that_accepts_late_delays_no_prompt(self):
        server = self.liar(open_gate=False)
        login = self.login(self.host(server))
        login.expect_prompt(seconds=2)
        time.sleep(0.3)
        server.gate.set()
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    def test_a_dead_address_delays_no_prompt_and_is_unavailable_in_time(self):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            address = listener.getsockname()
            fill = [socket.socket() for _ in range(3)]
            for filler in fill:
                filler.setblocking(False)
                filler.connect_ex(address)
            login = self.login(self.host(f"https://127.0.0.1:{address[1]}",
                                         service={"timeout_seconds": 2}))
            login.expect_prompt(seconds=2)
            login.answer(RIGHT)
            self.assert_outcome(login, "unavailable")
            for filler in fill:
                filler.close()

    def test_a_service_that_comes_back_while_the_user_types_lets_in(self):
        relay, url = self.closed_port()
        server = self.liar()
        login = self.prompted(self.host(url))
        time.sleep(0.4)
        relay.listen()
        threading.Thread(target=self.relay, args=(relay, server.port), daemon=True).start()
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    @staticmethod
    def relay(listener, port):
        peer, _ = listener.accept()
        with peer, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=copy_stream, args=(server, peer), daemon=True)
            back.start()
            copy_stream(peer, server)
            back.join(5)

    def test_a_closed_port_is_unavailable_after_the_code(self):
        _, url = self.closed_port()
        self.run_login(self.host(url), [RIGHT], "unavailable", url.rpartition(":")[2])


SETTINGS_FAULTS = {  # sentence: (change, the line with this text is named, what else is named)
    "is missing": (unlink, None, "No such file"),
    "is a symbolic link": (become_link, None, "symbolic link"),
    "is a FIFO": (become_fifo, None, "not a regular file"),
    "is a directory": (become_directory, None, "not a regular file"),
    "is a socket": (become_socket, None, "No such device"),
    "is writable by its group": (chmod(0o660), None, "chmod go-w"),
    "is writable by others": (chmod(0o642), None, "chmod go-w"),
    "is empty": (write(""), None, "service_sid is missing"),
    "is too large": (append("#" * 70000), None, "larger than"),
    "holds a NUL byte": (append("\0"), None, "NUL"),
    "has a syntax error": (replace("run_as =", "run_as"), "users_dir|run_as", "syntax"),
    "includes another file": (append('@include "/etc/passwd"\n'), "@include", "not supported"),
    "has an unknown key": (replace("login = {", 'login = {\n  fail_open = true;'), "fail_open",
                           "login.fail_open"),
    "has a doubled key": (replace("timeout_seconds = 5;",
                                  "timeout_seconds = 5;\n  timeout_seconds = 9;"),
                          "timeout_seconds = 9", "duplicate"),
    "lacks service_sid": (replace("service_sid = ", "# "), None, "service.service_sid is missing"),
    "has a malformed service_sid": (replace('service_sid = "VA', 'service_sid = "VB'),
                                    "service_sid", "must be VA and 32"),
}

SECRET_FAULTS = {
    "is missing": (unlink, "No such file"),
    "is a symbolic link": (become_link, "symbolic link"),
    "is a FIFO": (become_fifo, "not a regular file"),
    "is a directory": (become_directory, "not a regular file"),
    "is readable by its group": (chmod(0o640), "chmod 0600"),
    "is readable by others": (chmod(0o604), "chmod 0600"),
    "is writable by its group": (chmod(0o620), "chmod go-w"),
    "is empty": (write(""), "1 to 256"),
    "holds a NUL byte": (write("secret\0\n"), "NUL"),
    "is very long": (write("s" * 5000 + "\n"), "larger than"),
}

ENROLLMENT_FAULTS = {
    "is a symbolic link": (become_link, None, "symbolic link"),
    "is a FIFO": (become_fifo, None, "not a regular file"),
    "is a directory": (become_directory, None, "not a regular file"),
    "is writable by its group": (chmod(0o660), None, "chmod go-w"),
    "is writable by others": (chmod(0o602), None, "chmod go-w"),
    "is empty": (write(""), None, "identity is missing"),
    "holds a NUL byte": (append("\0"), None, "NUL"),
    "is too large": (append("#" * 20000), None, "larger than"),
    "has a syntax error": (replace("identity =", "identity"), "identity", "syntax"),
    "has an unknown key": (append('bypass = "yes";\n'), "bypass", "bypass"),
    "includes another file": (append('@include "other"\n'), "@include", "not supported"),
    "lacks the factor": (replace("factor_sid", "# "), None, "factor_sid is missing"),
    "has a malformed factor": (replace('"YF', '"YC'), "factor_sid", "must be YF"),
}
if not IS_ROOT:  # What root may read anyway.
    SETTINGS_FAULTS["can't be read"] = (chmod(0o000), None, "Permission denied")
    SECRET_FAULTS["can't be read"] = (chmod(0o000), "Permission denied")
    ENROLLMENT_FAULTS["can't be read"] = (chmod(0o000), None, "Permission denied")
if IS_ROOT:
    SETTINGS_FAULTS["is another user's"] = (chown, None, "chown root")
    SECRET_FAULTS["is another user's"] = (chown, "chown root")
    ENROLLMENT_FAULTS["is another user's"] = (chown, None, "chown root")


@each(settings={f"refuses settings: the file {name}": dict(zip(("change", "line", "named"), row))
                for name, row in SETTINGS_FAULTS.items()},
      secret={f"refuses an API secret: the file {name}": dict(zip(("change", "named"), row))
              for name, row in SECRET_FAULTS.items()},
      enrollment={f"refuses an enrollment: the file {name}":
                  dict(zip(("change", "line", "named"), row))
                  for name, row in ENROLLMENT_FAULTS.items()})
class Files(CheckTest):
    """What is wrong with a file is told before any prompt and any connection, with the remedy."""

    def refuse(self, host, server, named, **options):
        login = self.login(host, **options)
        reason = self.assert_outcome(login, "misconfigured", named, seconds=2)
        self.assertEqual(len(login.lines), 1, "a prompt")
        self.assertEqual(server.connections, [])
        return reason

    def settings(self, change, line, named):
        server, host = self.liar_host()
        change(host.settings)
        reason = self.refuse(host, server, named)
        self.assertIn(str(host.settings), reason)
        if line is not None:
            numbers = {line_of(host.settings, text) for text in line.split("|")}
            self.assertTrue(any(f"{host.settings}:{number}:" in reason for number in numbers),
                            f"{reason}: not of {numbers}")

    def secret(self, change, named):
        server, host = self.liar_host()
        change(host.directory / "api-key")
        self.assertIn(str(host.directory / "api-key"), self.refuse(host, server, named))

    def enrollment(self, change, line, named):
        server = self.liar()
        for policy in ("deny", "ignore"):
            host = self.host(server, login={"unmapped_user": policy})
            path = host.enroll(ACCOUNT)
            change(path)
            reason = self.refuse(host, server, named, user=ACCOUNT)
            self.assertIn(f"users/{ACCOUNT}.conf", reason)
            if line is not None:
                self.assertIn(f"{ACCOUNT}.conf:{line_of(path, line)}:", reason)

    def test_refuses_a_users_dir_that_can_t_be_trusted(self):
        def make_link(path):
            path.rename(path.with_suffix(".real"))
            path.symlink_to(path.with_suffix(".real"))

        def make_file(path):
            path.rename(path.with_suffix(".real"))
            path.write_text("")
        changes = {"No such file": lambda path: path.rename(path.with_suffix(".real")),
                   "symbolic link": make_link, "not a directory": make_file,
                   "chmod go-w": chmod(0o775), "chmod go-w it": chmod(0o777)}
        if IS_ROOT:
            changes["chown root"] = chown
        else:
            changes["Permission denied"] = chmod(0o000)
        for named, change in changes.items():
            for policy in ("deny", "ignore"):
                for user in ("alice", ACCOUNT, "nosuch"):
                    with self.subTest(named=named, policy=policy, user=user):
                        server, host = self.liar_host(login={"unmapped_user": policy})
                        change(host.directory / "users")
                        self.assertIn(str(host.directory / "users"),
                                      self.refuse(host, server, named, user=user))

    def test_refuses_a_ca_that_can_t_be_read(self):
        server = self.liar()
        for key, path in (("ca_file", "/nowhere/ca.pem"), ("ca_path", "/nowhere/certs"),
                          ("ca_path", __file__)):
            with self.subTest(key=key, path=path):
                host = self.host(server, service={key: path})
                reason = self.refuse(host, server, key)
                self.assertIn(path, reason)

    def test_refuses_a_ca_file_without_a_certificate(self):
        server, host = self.liar_host()
        (host.directory / "ca.pem").write_text("nothing in here\n")
        self.run_login(host, [RIGHT], "misconfigured", "ca_file|ca.pem")

    def test_the_settings_win_over_the_order_of_the_groups(self):
        server, host = self.liar_host()
        groups = host.settings.read_text().split("};\n")[:-1]
        host.settings.write_text("".join(group + "};\n" for group in reversed(groups)))
        self.run_login(host, [RIGHT], "approved")

    def test_reads_a_secret_without_a_newline(self):
        host = self.host(self.liar())
        (host.directory / "api-key").write_text(API_KEY_SECRET)
        self.run_login(host, [RIGHT], "approved")

    def test_the_auth_token_serves_instead_of_an_api_key(self):
        for server in (self.liar(), ):
            host = self.host(server, service={"api_key_sid": None})
            (host.directory / "api-key").write_text(AUTH_TOKEN + "\n")
            self.run_login(host, [RIGHT], "approved")

    def test_a_directory_of_hashed_certificates_serves_instead_of_a_file(self):
        server, host = self.liar_host()
        directory = host.directory / "certificates"
        directory.mkdir(mode=0o755)
        (host.directory / "ca.pem").rename(directory / "ca.pem")
        replace("ca_file = ", "# ")(host.settings)
        replace("service = {", f'service = {{\n  ca_path = "{directory}";')(host.settings)
        self.run_login(host, [RIGHT], "unavailable")
        subprocess.run(["openssl", "rehash", directory], check=True, capture_output=True)
        self.run_login(host, [RIGHT], "approved")

    def test_without_a_ca_the_system_s_counts_and_does_not_know_ours(self):
        server = self.liar()
        self.run_login(self.host(server, service={"ca_file": None}), [RIGHT], "unavailable",
                       "certificate")
        self.assertEqual(server.requests, [])

    def test_a_slash_behind_the_base_url_changes_nothing(self):
        server = self.liar()
        self.run_login(self.host(server.url + "/"), [RIGHT], "approved")
        self.assertEqual(server.kinds, ["create", "verify"])


NAMES_THAT_ARE_NONE = {
    "is empty": "",
    "is a dot": ".",
    "is two dots": "..",
    "has a slash": "../users/alice",
    "is a path": "/etc/passwd",
    "has 251 bytes": "a" * 251,
    "has a newline": "alice\n",
    "has a control byte": "ali\x01ce",
    "has a delete byte": "alice\x7f",
    "is no account": "nosuch-account",
    "differs from the account's by its case": ACCOUNT.capitalize(),
    "differs from the account's by a blank": ACCOUNT + " ",
    "is an account's number": "0",
    "has a suffix like the files": ACCOUNT + ".conf",
}


@each(denies={f"denies and never waives a name that {name}": {"user": user}
              for name, user in NAMES_THAT_ARE_NONE.items()})
class WhoIsAsked(CheckTest):

    def denies(self, user):
        for policy in ("deny", "ignore"):
            server, host = self.liar_host(login={"unmapped_user": policy, "attempts": 2})
            self.run_login(host, [RIGHT, WRONG], "denied", "not enrolled|no valid code", user=user)
            self.assertEqual(server.requests, [])

    def test_an_exempt_service_is_not_asked(self):
        server, host = self.liar_host(login={"exempt_services": ("cron", "my service%", "été")})
        for service in ("cron", "my service%", "été"):
            login = self.login(host, service=service)
            self.assert_outcome(login, "not-required", "exempt_services")
            self.assertEqual(len(login.lines), 1)
        self.assertEqual(server.connections, [])

    def test_other_services_are_asked(self):
        server = self.liar()
        for service in ("sshd", "cro", "crond", "Cron", "cron ", "s" * 63):
            host = self.host(server, login={"exempt_services": ("cron", "s" * 64)})
            with self.subTest(service):
                self.run_login(host, [RIGHT], "approved", service=service)

    def test_exempt_services_may_be_an_array(self):
        host = self.host(self.liar())
        replace("login = {", 'login = {\n  exempt_services = [ "cron", "cups" ];')(host.settings)
        self.assert_outcome(self.login(host, service="cups"), "not-required")

    def test_an_exemption_needs_settings_that_are_whole(self):
        server = self.liar()
        host = self.host(server, login={"exempt_services": ("cron",), "unmapped_user": "ignore"})
        append("unknown = 1;\n")(host.settings)
        for service in ("cron", "sshd"):
            self.assert_outcome(self.login(host, user=ACCOUNT, service=service), "misconfigured")

    def test_an_account_that_is_not_enrolled_is_waived_under_ignore_alone(self):
        server = self.liar()
        login = self.login(self.host(server, login={"unmapped_user": "ignore"}), user=ACCOUNT)
        self.assert_outcome(login, "not-required", "unmapped_user")
        self.assertEqual(len(login.lines), 1)
        self.assertEqual(server.connections, [])

    def test_an_account_that_is_not_enrolled_is_denied_after_the_same_prompts(self):
        for answers in ([RIGHT, WRONG, RIGHT], ["x", RIGHT, ""], ["x" * 512, "", "123 456"],
                        [RIGHT, RIGHT]):
            with self.subTest(answers):
                server = self.liar()
                self.run_login(self.host(server), answers, "denied", "not enrolled",
                               user=ACCOUNT)
                self.assertTrue(server.wait(lambda server: server.connections[0].stands))
                self.assertEqual(len(server.connections), 1)
                self.assertEqual(server.requests, [])

    def test_an_account_that_is_not_enrolled_may_repeat_nothing_either(self):
        for answers in (["", " "], ["x", "x-"], [WRONG, f"{WRONG}\u00a0"]):
            with self.subTest(answers):
                server = self.liar()
                self.run_login(self.host(server, login={"attempts": 5}), answers, "denied",
                               "not enrolled", user=ACCOUNT)
                self.assertEqual(server.requests, [])

    def test_the_reason_tells_that_the_user_is_not_enrolled(self):
        self.run_login(self.host(self.liar()), [RIGHT, WRONG, RIGHT], "denied", "^not enrolled",
                       user=ACCOUNT)

    def test_an_account_that_is_not_enrolled_is_denied_while_the_service_is_away(self):
        _, url = self.closed_port()
        self.run_login(self.host(url), [RIGHT], "denied", "not enrolled", user=ACCOUNT)

    def test_no_answer_of_the_not_enrolled_outlasts_the_limit(self):
        server = self.liar(connect=liar.for_ever(liar.mute))
        host = self.host(server, service={"timeout_seconds": 2})
        login = self.answered(host, RIGHT, user=ACCOUNT)
        self.assert_outcome(login, "denied")

    def test_a_user_without_an_account_may_be_enrolled(self):
        self.run_login(self.host(self.liar(), users=("only-here",)), [RIGHT], "approved",
                       user="only-here")

    def test_a_user_s_file_is_never_another_s(self):
        server, host = self.liar_host(users=("alice", "alice.evil"))
        host.enroll("alice", identity="another-identity")
        self.run_login(host, [RIGHT], "approved", user="alice.evil")
        self.run_login(host, [RIGHT], "misconfigured", user="alice")


MALFORMED = {
    "a password": "correct horse battery staple",
    "a password that begins like a code": "246801secret",
    "five digits": "24680",
    "seven digits": "2468012",
    "seven digits with a blank": "246801 2",
    "six letters": "qwerty",
    "a sign": "+24680",
    "a fraction": "2468.1",
    "full-width digits": "２４６８０１",
    "Arabic digits": "٢٤٦٨٠١",
    "an underscore": "246_801",
    "a middle dot": "246\u00b7801",
    "a bidirectional control": "246801\u202c",
    "bytes that are no UTF-8": b"\xff\xfe\x80\x80\x80\x80",
    "sshd's answer for an unknown user": b"\b\n\r\x7fINCORRECT".replace(b"\n", b""),
    "a second field of the form": "246801&FactorSid=x",
    "512 bytes": "1" * 512,
    "1024 bytes": "x" * 1024,
}


EMPTY = {
    "nothing": "",
    "blanks": "      ",
    "what is removed": "\t\u00a0-\u200b",
}


@each(stays_here={f"{name} never leaves the host".capitalize(): {"answer": answer, "counts": counts}
                  for rows, counts in ((MALFORMED, "2 malformed"),
                                       (EMPTY, "1 empty, 1 malformed"))
                  for name, answer in rows.items()})
class Answers(CheckTest):

    def stays_here(self, answer, counts):
        server = self.liar()
        login = self.run_login(self.host(server, login={"attempts": 2}), [answer, "?"], "denied",
                               rf"no valid code in 2 attempts \({counts}\)")
        self.assertEqual(server.codes, [])
        for request in server.requests:
            self.assertEqual(request.kind, "create")
        said = answer if isinstance(answer, bytes) else answer.encode()
        if len(said) >= 6 and said.strip():
            for request in server.requests:
                self.assertNotIn(said, request.raw)
            self.assertNotIn(said, "".join(login.lines).encode())

    def test_a_malformed_answer_before_the_creation_costs_no_challenge(self):
        server = self.liar(connect=[liar.late(0.3)])
        self.run_login(self.host(server), ["password", "another", "password"], "denied")
        self.assertEqual(server.requests, [])

    def test_a_malformed_answer_uses_up_an_attempt(self):
        server = self.liar()
        self.run_login(self.host(server), ["x", RIGHT], "approved")
        self.run_login(self.host(server), ["x", WRONG, "y"], "denied",
                       r"no valid code in 3 attempts \(2 malformed\); challenge=YC")

    def test_a_line_that_is_too_long_or_has_a_NUL_ends_the_login(self):
        for answer in ("1" * 1025, "1" * 5000, b"246801\0", b"\0"):
            with self.subTest(size=len(answer), begins=answer[:8]):
                server = self.liar()
                login = self.answered(self.host(server), answer)
                self.assert_outcome(login, "denied")
                self.assertEqual(server.codes, [])

    def test_what_is_pasted_along_with_a_code_is_removed_wherever_it_stands(self):
        for answer in ("246 801", " 246801", "246801 ", "2 4 6 8 0 1", "  24  68  01  ",
                       "246-801", "246\u00a0801", "246801\t", "\t246801\r", "\ufeff246801",
                       "2\u200b4\u200c6\u200d8\u20600\u30001", "246\u2013801", "\u2010246801\u2015",
                       "246\u2009801\u202f", "246801\x85"):
            with self.subTest(answer):
                server = self.liar()
                self.assert_approved(server, [answer])
                self.assertEqual(server.codes, [RIGHT])

    def test_wrong_then_right_is_one_challenge(self):
        server = self.liar()
        self.assert_approved(server, [WRONG, "111111", RIGHT])
        self.assertEqual(server.kinds, ["create", "verify", "verify", "verify"])
        self.assertEqual(len({request.path for request in server.requests[1:]}), 1)
        self.assertEqual(len(server.connections), 1)

    def test_the_attempts_are_counted(self):
        for attempts in (1, 2, 3, 4, 5):
            with self.subTest(attempts):
                server, host = self.liar_host(login={"attempts": attempts})
                login = self.run_login(host, [WRONG, OTHER_WRONG, WRONG, OTHER_WRONG,
                                              WRONG][:attempts], "denied",
                                       f"no valid code in {attempts} attempts?; challenge=YC"
                                       ".*request=RQ")
                self.assertEqual(len(server.codes), attempts)
                sid = re.search(r"challenge=(YC\w+)", login.lines[-1])[1]
                self.assertEqual(login.logged, [
                    ("notice", f"wrong code {number} of {attempts}, {number} in a row; "
                               f"challenge={sid}")
                    for number in range(1, attempts + 1)])

    def test_an_answer_that_is_repeated_ends_the_login_and_is_not_sent(self):
        for first, second, counts in ((WRONG, WRONG, "1 repeated"),
                                      (WRONG, f"{WRONG[:3]}\u00a0{WRONG[3:]}", "1 repeated"),
                                      ("x", "x", "1 malformed, 1 repeated"),
                                      ("", "", "1 empty, 1 repeated"),
                                      ("", "\t", "1 empty, 1 repeated")):
            with self.subTest(first=first, second=second):
                server = self.liar()
                self.run_login(self.host(server, login={"attempts": 5}), [first, second], "denied",
                               rf"no valid code in 2 attempts \({counts}\)")
                self.assertLessEqual(len(server.codes), 1)

    def test_a_wrong_code_is_logged_before_the_next_question(self):
        server = self.liar()
        login = self.login(self.host(server))
        for number, code in enumerate((WRONG, OTHER_WRONG), 1):
            login.expect_prompt(WRONG_PROMPT if number > 1 else PROMPT)
            login.answer(code)
            self.assertTrue(login.is_readable(0.9 * patience(1)))
        login.expect_prompt(WRONG_PROMPT)
        login.hang_up()
        self.assert_outcome(login, "denied", "no valid code in 2 attempts; challenge=YC")
        self.assertEqual([text.partition(";")[0] for _, text in login.logged],
                         ["wrong code 1 of 3, 1 in a row", "wrong code 2 of 3, 2 in a row"])

    def test_the_code_length_is_the_configured_one(self):
        server = self.liar(verify=liar.for_ever(liar.bend(status="approved")))
        for length in (7, 8):
            host = self.host(server, login={"code_length": length, "attempts": 2})
            self.run_login(host, ["1" * (length - 1), "1" * length], "approved")
        self.assertEqual(server.codes, ["1" * 7, "1" * 8])

    def test_the_reason_names_challenge_and_request(self):
        server = self.liar()
        reason = self.assert_approved(server).lines[-1]
        sid = server.requests[-1].path.rpartition("/")[2]
        self.assertRegex(reason, rf"^approved: challenge={sid} request=RQ[0-9a-f]{{32}}$")


class Service(CheckTest):
    """Against the emulator, which is honest."""

    def codes(self, emulator):
        return [r for r in emulator.requests() if r.method == "POST" and "/Challenges/YC" in r.path]

    def test_wrong_then_right_is_one_challenge_for_the_emulator_too(self):
        emulator, host, factor = self.emulator_host()
        self.run_login(host, [factor.wrong_code(), factor.code()], "approved")
        self.assertEqual(len({request.path for request in self.codes(emulator)}), 1)

    def test_a_neighbouring_code_is_right(self):
        emulator, host, factor = self.emulator_host()
        self.run_login(host, [factor.code(-1)], "approved")

    def test_the_auth_token_serves(self):
        emulator, host, factor = self.emulator_host(service={"api_key_sid": None})
        (host.directory / "api-key").write_text(AUTH_TOKEN + "\n")
        self.run_login(host, [factor.code()], "approved")

    def test_wrong_credentials_are_misconfigured(self):
        emulator, host, factor = self.emulator_host()
        (host.directory / "api-key").write_text("another-secret\n")
        self.run_login(host, [factor.code()], "misconfigured", "401.*20003.*api_key_file")

    def test_an_unknown_service_or_factor_is_misconfigured(self):
        emulator, host, factor = self.emulator_host(service={"service_sid": "VA" + "9" * 32})
        self.run_login(host, [factor.code()], "misconfigured", "404")
        host, factor = self.factor_host(emulator)
        host.enroll("alice", factor.identity, "YF" + "9" * 32)
        self.run_login(host, [factor.code()], "misconfigured", "404")

    def test_an_unverified_factor_is_misconfigured(self):
        emulator = self.emulator()
        factor = emulator.factor(verified=False)
        host = self.host(emulator, identity=factor.identity, factor_sid=factor.sid)
        self.run_login(host, [factor.code()], "misconfigured", "60318.*enroll")

    def test_another_user_s_code_is_wrong(self):
        emulator, host, _ = self.emulator_host(login={"attempts": 1})
        self.run_login(host, [emulator.factor().code()], "denied")

    def test_a_code_of_eight_digits_and_sha512_is_right(self):
        emulator = self.emulator()
        factor = emulator.factor(code_length=8, alg="sha512", time_step=60)
        host = self.host(emulator, identity=factor.identity, factor_sid=factor.sid,
                         login={"code_length": 8})
        self.run_login(host, [factor.code()], "approved")

    def test_a_challenge_that_expired_is_replaced_once(self):
        emulator, host, factor = self.emulator_host()
        login = self.prompted(host)
        self.wait_for_creation(emulator)
        emulator.control("clock +301")
        login.answer(factor.code())
        self.assert_outcome(login, "approved")
        self.assertEqual([r.status for r in self.codes(emulator)], [403, 200])

    def test_a_second_expiry_is_denied(self):
        emulator, host, factor = self.emulator_host()
        login = self.prompted(host)
        for prompt in (WRONG_PROMPT, None):
            self.wait_for_creation(emulator)
            emulator.control("clock +301")
            login.answer(factor.wrong_code(0 if prompt is not None else 1))
            if prompt is not None:
                login.expect_prompt(prompt)
        self.assert_outcome(login, "denied", "expired again.*challenge=YC")

    def wait_for_creation(self, emulator):
        end = time.monotonic() + 5
        while not any(r.path.endswith("/Challenges") for r in emulator.requests()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_fifty_one_creations_are_exhausted(self):
        emulator, host, factor = self.emulator_host()
        path = emulator.entity_path(factor.identity) + "/Challenges"
        for _ in range(50):
            emulator.request("POST", path, {"FactorSid": factor.sid})
        self.run_login(host, [factor.code()], "exhausted", "429.*60312")

    @alone
    def test_fifty_users_at_once_are_approved(self):
        emulator = self.emulator()
        users = [f"user{number}" for number in range(50)]
        factors = [emulator.factor() for _ in users]
        host = self.host(emulator, users=(), service={"timeout_seconds": 30})
        for user, factor in zip(users, factors):
            host.enroll(user, factor.identity, factor.sid)
        logins = [self.login(host, user=user) for user in users]
        for login, factor in zip(logins, factors):
            login.expect_prompt(seconds=20)
            login.answer(factor.code())
        for login in logins:
            self.assert_outcome(login, "approved")
        stats = emulator.stats()
        self.assertEqual(stats["codes"], len(users))
        self.assertEqual(stats["codes_twice_for_an_identity"], 0)


SWITCHES = {
    "a wrong code is answered with pending": ({"wrong_code": "200-pending"}, "wrong right",
                                              "approved"),
    "a wrong code is answered with 60324": ({"wrong_code": "403-60324"}, "wrong right", "approved"),
    "wrong codes are answered with 60324": ({"wrong_code": "403-60324"}, "wrong wrong wrong",
                                            "denied"),
    "a used code is accepted": ({"used_code": "accepted"}, "used", "approved"),
    "a used code stays pending": ({"used_code": "pending"}, "used wrong used", "denied"),
    "after five wrong codes it is pending": ({"after_limit": "pending"}, "wrong " * 5, "denied"),
    "after five wrong codes it is denied": ({"after_limit": "denied"}, "wrong " * 5, "denied"),
    "after five wrong codes it is expired": ({"after_limit": "expired"}, "wrong " * 5, "denied"),
    "the sixth call is refused": ({"limit_call": "sixth"}, "wrong " * 5, "denied"),
    "the fifth call is refused": ({"limit_call": "fifth"}, "wrong " * 5, "exhausted"),
    "the fifth call is refused and denied": (
        {"limit_call": "fifth", "after_limit": "denied"}, "wrong " * 5, "exhausted"),
    "the fifth call is refused and expired": (
        {"limit_call": "fifth", "after_limit": "expired"}, "wrong " * 5, "exhausted"),
    "a wrong code at creation counts": ({"wrong_code_at_creation": "counts"}, "right", "approved"),
    "a wrong code at creation is free": ({"wrong_code_at_creation": "free"}, "right", "approved"),
    "not found is 20404": ({"not_found": "20404"}, "no-factor", "misconfigured"),
    "not found is 6039x": ({"not_found": "6039x"}, "no-factor", "misconfigured"),
    "malformed is 60306": ({"malformed": "60306"}, "wrong right", "approved"),
    "malformed is 60200": ({"malformed": "60200"}, "wrong right", "approved"),
    "malformed is 6036x": ({"malformed": "6036x"}, "wrong right", "approved"),
    "malformed is 404": ({"malformed": "404"}, "wrong right", "approved"),
    "an expired challenge is refused": ({"expired_verify": "403"}, "expired", "approved"),
    "an expired challenge is shown": ({"expired_verify": "200"}, "expired", "approved"),
    "date_responded is null": ({"date_responded": "null"}, "wrong right", "approved"),
    "date_responded is filled": ({"date_responded": "filled"}, "wrong right", "approved"),
    "details are null": ({"details": "null"}, "right", "approved"),
    "details are an object": ({"details": "object"}, "right", "approved"),
    "errors are in Twilio's form": ({"error_body": "twilio"}, "no-factor", "misconfigured"),
    "errors are in RFC 9457's form": ({"error_body": "rfc9457"}, "no-factor", "misconfigured"),
    "errors are HTML": ({"error_body": "html"}, "no-factor", "misconfigured"),
    "errors are empty": ({"error_body": "empty"}, "no-factor", "misconfigured"),
    "a limit is told in RFC 9457's form": (
        {"error_body": "rfc9457", "limit_call": "fifth"}, "wrong " * 5, "exhausted"),
    "a limit is told in HTML": (
        {"error_body": "html", "limit_call": "fifth"}, "wrong " * 5, "exhausted"),
    "a limit is told without a word": (
        {"error_body": "empty", "limit_call": "fifth"}, "wrong " * 5, "exhausted"),
    "an expiry is told in RFC 9457's form": ({"error_body": "rfc9457"}, "expired", "approved"),
    "an expiry is told in HTML": ({"error_body": "html"}, "expired", "misconfigured"),
    "signature headers are absent": ({"signature_header": "absent"}, "right", "approved"),
    "signature headers are present": ({"signature_header": "present"}, "right", "approved"),
    "the identity's case counts": ({"identity_case": "distinct"}, "capitals", "misconfigured"),
    "the identity's case does not count": ({"identity_case": "folded"}, "capitals", "unavailable"),
    "creations have limits": ({"challenge_limits": "on"}, "right", "approved"),
    "creations have no limits": ({"challenge_limits": "off"}, "right", "approved"),
}


@each(play={f"{create} with a service where {name}": {"create": create, "switches": row[0],
                                                      "story": row[1], "outcome": row[2]}
            for name, row in SWITCHES.items() for create in ("at_prompt", "with_code")
            if create == "at_prompt" or not row[1].startswith("expired")})
class Switches(CheckTest):
    """What nobody knows about Twilio, either way."""

    def play(self, create, switches, story, outcome):
        emulator = self.emulator(**switches)
        steps = story.split()
        attempts = max(3, len(steps))
        host, factor = self.factor_host(emulator, login={"attempts": attempts,
                                                         "create_challenge": create})
        if "used" in steps:
            emulator.control(f"clock ={emulator.now()}")  # Else the next code may be another one.
            elsewhere = self.host(emulator, identity=factor.identity, factor_sid=factor.sid)
            self.run_login(elsewhere, [factor.code()], "approved")
        if "no-factor" in steps:
            host.enroll("alice", factor.identity, "YF" + "9" * 32)
        if "capitals" in steps:
            host.enroll("alice", factor.identity.upper(), factor.sid)

        login = self.login(host)
        for number, step in enumerate(steps):
            login.expect_prompt(WRONG_PROMPT if number else PROMPT)
            if step == "expired":
                Service.wait_for_creation(self, emulator)
                emulator.control("clock +301")
            login.answer(factor.wrong_code(number) if step == "wrong" else factor.code())
        self.assert_outcome(login, outcome)
        self.assertLessEqual(emulator.stats()["codes"], len(steps) + ("used" in steps) + 1)


FAULTS = {  # on create; on verify
    "status-200": ("unavailable", "approved"),
    "status-201": ("approved", "unavailable"),
    "status-202": ("unavailable", "unavailable"),
    "status-204": ("unavailable", "unavailable"),
    "status-302": ("unavailable", "unavailable"),
    "status-400/60200": ("misconfigured", "misconfigured"),
    "status-401/20003": ("misconfigured", "misconfigured"),
    "status-403-html": ("misconfigured", "misconfigured"),
    "status-404/20404": ("misconfigured", "denied"),
    "status-404/60391": ("misconfigured", "denied"),
    "status-429": ("exhausted", "exhausted"),
    "status-429-html": ("exhausted", "exhausted"),
    "status-429/20429": ("exhausted", "exhausted"),
    "status-429/99999": ("exhausted", "exhausted"),
    "status-429/60308-rfc9457": ("exhausted", "exhausted"),
    "status-429/60312": ("exhausted", "exhausted"),
    "status-500/20500": ("unavailable", "unavailable"),
    "status-502-html": ("unavailable", "unavailable"),
    "status-503/20503": ("unavailable", "unavailable"),
    "status-503-empty": ("unavailable", "unavailable"),
    "close-before": ("unavailable", "asks again"),
    "close-after": ("unavailable", "approved"),
    "slow=300": ("approved", "approved"),
    "cut-body": ("unavailable", "approved"),
    "endless-body": ("unavailable", "approved"),
    "giant-body": ("unavailable", "approved"),
    "connection-close": ("approved", "approved"),
    "drop-connection": ("approved", "approved"),
    "wrong-sid": ("denied", "unavailable"),
    "content-type-html": ("approved", "approved"),
    "no-answer": ("unavailable", "asks again"),
    "no-answer after carrying-out": ("unavailable", "approved"),
    "slow-body": ("unavailable", "approved"),
}
WITH_CODE = {"wrong-sid": "approved"}  # where a creation with the code ends otherwise: no SID was known


@each(play={f"with a service whose {operation} has the fault {fault}":
            {"fault": " on ".join([fault.split(" after ")[0], operation.split()[0]])
                      + fault[len(fault.split(" after ")[0]):], "outcome": outcome,
             "create": "with_code" if "with" in operation else "at_prompt"}
            for fault, outcomes in FAULTS.items()
            for operation, outcome in zip(("create", "verify", "create with the code"),
                                          (*outcomes, WITH_CODE.get(fault, outcomes[0])))})
class Faults(CheckTest):
    """The emulator's faults, for ever."""

    def play(self, fault, outcome, create):
        emulator = self.emulator()
        is_slow = fault.startswith(("no-answer", "slow-body"))
        host, factor = self.factor_host(emulator, login={"create_challenge": create},
                                        service={"timeout_seconds": 2 if is_slow else 5})
        emulator.control("fault " + fault)
        login = self.answered(host, factor.code())
        if outcome == "asks again":
            login.expect_prompt(WRONG_PROMPT)
        elif fault == "drop-connection on create" and create == "at_prompt":  # The code may cross the end of the connection.
            self.assertRegex(login.read_line_until(login.answered_by()),
                             f"^(approved: .*|{WRONG_PROMPT})$")
        else:
            self.assert_outcome(login, outcome)
        sent = emulator.stats()["codes"]
        self.assertLessEqual(sent, 2 if "20429" in fault else 1)

    def test_too_many_requests_once_with_a_pause_is_approved(self):
        for operation in ("create", "verify"):
            emulator, host, factor = self.emulator_host()
            emulator.control(f"fault status-429/20429 on {operation} times 1")
            emulator.control(f"fault retry-after=1 on {operation} times 1")
            self.run_login(host, [factor.code()], "approved")

    def test_a_lie_of_the_service_is_believed_when_nothing_else_is_wrong(self):
        """What the service calls approved is approved: no second opinion."""
        emulator, host, factor = self.emulator_host()
        emulator.control("fault approved-lie on verify")
        self.run_login(host, [factor.wrong_code()], "approved")
