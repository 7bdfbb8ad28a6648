#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Logins that are handed over to a server: twilio-verify-check --serve.

    BUILD=build /usr/bin/python3 tests/check/test_server.py [NAME...]"""

import array
import contextlib
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import (CHECK, IS_ROOT, IS_SANITIZED, PROMPT, WRONG_PROMPT, CheckTest, load_tests,
                     main, needs_own_memory, needs_root, temporary_folder)
from fixture import API_KEY_SECRET, copy_program
from liar import RIGHT
from parallel import patience
from statefile import CREATIONS, forge
from test_memory import CREATIONS_HOUR, USED_PROMPT, change, make_codes, state_file

NOBODY = "nobody" if IS_ROOT else None
VERSION = subprocess.run([CHECK, "--version"], check=True, capture_output=True,
                         text=True).stdout.split()[1]
READY = f"ready {VERSION}"

# Listens at argv[2], as descriptor 0, by its own will.
LISTENER = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[2])
listener.listen()
os.dup2(listener.fileno(), 0)
"""

# Serves one connection, when it has said so: says argv[1], and prints what it is handed.
IMPOSTOR = """
import socket, sys
with socket.socket(fileno=0) as listener:
    print("ready", flush=True)
    connection, _ = listener.accept()
    handed = b""
    try:
        if sys.argv[1]:
            connection.send(sys.argv[1].encode())
        handed = socket.recv_fds(connection, 100000, 2)[0]
    except (BrokenPipeError, ConnectionResetError):
        pass
    print(handed, flush=True)
"""


def wait_until(condition, seconds=5):
    end = time.monotonic() + patience(seconds)
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def status(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.search(rf"^{key}:\s*(.*)$", text, re.MULTILINE).group(1)


def limits(pid, name):
    text = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return re.search(rf"^Max {name} +(\S+) +(\S+)", text, re.MULTILINE).groups()


def children(pid):
    return [int(child) for child in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def has_in_memory(pid, needle):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            first, last = (int(number, 16) for number in line.split()[0].split("-"))
            with contextlib.suppress(OSError, OverflowError, ValueError):
                memory.seek(first)
                if needle in memory.read(last - first):
                    return True
    return False


class ServerTest(CheckTest):
    """What the tests share."""

    def listen(self):
        """A listening socket as systemd makes it."""
        folder = self.enterContext(temporary_folder())
        listener = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        path = folder / "check.socket"
        listener.bind(str(path))
        listener.listen(128)
        return listener, path

    def start(self, command, listener, user=NOBODY, group=None, groups=()):
        group = pwd.getpwnam(user).pw_gid if user and group is None else group
        process = subprocess.Popen(command, stdin=listener, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, user=user, group=group,
                                   extra_groups=groups if IS_ROOT else None, text=True, cwd="/")
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def program(self):
        """A copy of the check program that everybody can reach."""
        folder = self.enterContext(temporary_folder())
        folder.chmod(0o755)
        for name in (CHECK.name, "twilio.so"):
            copy_program(CHECK.with_name(name), folder / name)
        return folder / CHECK.name

    def serve(self, prefix=(), passes_credentials=False, **options):
        """A server that takes logins; its process and its socket."""
        listener, path = self.listen()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, passes_credentials)
        process = self.start([*prefix, self.program(), "--serve"], listener, **options)
        # It looks for children when it is ready; before that SIGCHLD has no handler.
        wait_until(lambda: int(status(process.pid, "SigCgt"), 16) >> signal.SIGCHLD - 1 & 1)
        return process, path

    def served_login(self, server, host, **options):
        """A login that the server has taken: the program that was started has ended."""
        login = self.login(host, **options)
        login.expect_prompt()
        self.assertEqual(login.wait(5), 0)
        wait_until(lambda: children(server.pid))
        return login

    def served_host(self, path, api, **groups):
        return self.factor_host(api, check={"socket": str(path)}, **groups)

    def assert_approves(self, server, path):
        host, factor = self.served_host(path, self.emulator())
        login = self.served_login(server, host)
        login.answer(factor.code())
        self.assert_outcome(login, "approved")


class Server(ServerTest):
    def test_approves_a_right_code(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        login = self.served_login(server, host)
        login.answer(factor.code())
        self.assert_outcome(login, "approved", "challenge=YC")
        wait_until(lambda: not children(server.pid))

    def test_asks_again_after_a_wrong_code(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        login = self.served_login(server, host)
        login.answer(factor.wrong_code())
        login.expect_prompt(WRONG_PROMPT)
        login.answer("no code")
        login.expect_prompt(WRONG_PROMPT)
        login.answer(factor.wrong_code())
        self.assert_outcome(login, "denied", "no right code in 3 attempts, 1 of them not")

    def test_denies_who_is_not_enrolled_and_sends_nothing(self):
        server, path = self.serve()
        emulator = self.emulator()
        host, factor = self.served_host(path, emulator)
        before = emulator.stats()["requests"]
        login = self.served_login(server, host, user="mallory")
        for _ in range(3):
            login.answer(factor.code())
            if _ < 2:
                login.expect_prompt(WRONG_PROMPT)
        self.assert_outcome(login, "denied", "not enrolled")
        self.assertEqual(emulator.stats()["requests"], before)

    def test_reads_the_settings_at_every_login(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        text = host.settings.read_text()
        host.settings.write_text(text.replace("login = {", 'login = {\n  prompt = "Code, please: ";'))
        login = self.login(host)
        login.expect_prompt("ask-secret Code, please: ")
        wait_until(lambda: children(server.pid))
        login.answer(factor.code())
        self.assert_outcome(login, "approved")

    def test_takes_no_login_whose_settings_are_damaged(self):
        server, path = self.serve()
        host, _ = self.served_host(path, self.emulator())
        host.settings.write_text("service = {")
        self.assert_outcome(self.login(host), "misconfigured", "twilio-verify.conf")
        self.assertEqual(children(server.pid), [])

    def test_ends_a_login_whose_user_leaves_and_creates_no_second_challenge(self):
        server, path = self.serve()
        host, _ = self.served_host(path, self.emulator(), login={"create_challenge": "at_code"})
        login = self.served_login(server, host)
        login.hang_up()
        wait_until(lambda: not children(server.pid))
        self.assertIsNone(server.poll())

    def test_refuses_when_the_service_is_away(self):
        server, path = self.serve()
        host = self.host("https://127.0.0.1:1", check={"socket": str(path)})
        login = self.served_login(server, host)
        login.answer(RIGHT)
        self.assert_outcome(login, "unavailable", "127.0.0.1")

    def test_serves_many_at_once_and_keeps_nothing(self):
        server, path = self.serve()
        emulator = self.emulator()
        hosts = [self.served_host(path, emulator) for _ in range(15)]
        descriptors = os.listdir(f"/proc/{server.pid}/fd")
        logins = [(self.served_login(server, host), factor) for host, factor in hosts]
        self.assertEqual(len(children(server.pid)), 15)
        for login, factor in logins:
            login.answer(factor.code())
        for login, _ in logins:
            self.assert_outcome(login, "approved", seconds=10)
        wait_until(lambda: not children(server.pid))
        self.assertEqual(os.listdir(f"/proc/{server.pid}/fd"), descriptors)

    def test_remembers_what_a_login_without_a_server_does(self):
        """Codes that were used, recovery codes, the limit; and notes of what root could not read."""
        server, path = self.serve()
        host = self.host(self.liar(), check={"socket": str(path)}, login={"attempts": 2})
        (code,) = make_codes(host, count=1)
        login = self.served_login(server, host)
        login.answer(RIGHT)
        self.assert_outcome(login, "approved", "challenge=YC")
        login = self.served_login(server, host)
        login.answer(RIGHT)
        login.expect_prompt(USED_PROMPT)
        login.answer(code)
        self.assertEqual(login.read_line(5), "show That was a recovery code; 0 remain.")
        self.assert_outcome(login, "approved", "^RECOVERY CODE used up, 0 remain$")

        (host.folder / "users" / "alice.recovery").chmod(0o644)
        forge(state_file(host), change(CREATIONS, *[int(time.time())] * CREATIONS_HOUR, *[0] * 45))
        login = self.served_login(server, host)
        login.answer(RIGHT)
        self.assertRegex(login.read_line(5), "^show Too many logins")
        self.assert_outcome(login, "exhausted", "this host's limit for alice.*; users/alice.recovery "
                                                "holds a secret and is readable by others")

    @needs_root
    def test_is_nobody_without_privileges_and_in_a_cage(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        login = self.served_login(server, host)
        login.answer(factor.wrong_code())
        login.expect_prompt(WRONG_PROMPT)
        (child,) = children(server.pid)
        for pid in (server.pid, child):
            self.assertEqual(set(status(pid, "Uid").split()), {str(os.stat(f"/proc/{pid}/maps").st_uid
                             or 65534)})
            self.assertEqual(status(pid, "CapPrm"), "0" * 16)
            self.assertEqual(status(pid, "NoNewPrivs"), "1")
            self.assertEqual(os.stat(f"/proc/{pid}/maps").st_uid, 0, "it can be dumped")
        self.assertEqual(status(child, "Seccomp"), "2")
        self.assertEqual(len(os.listdir(f"/proc/{child}/fd") and
                             [d for d in os.listdir(f"/proc/{child}/fd")
                              if "check.socket" in os.readlink(f"/proc/{child}/fd/{d}")]), 0)

    def test_is_held_to_the_limits_of_a_login_and_the_server_to_no_time(self):
        server, path = self.serve()
        host, _ = self.served_host(path, self.emulator())
        self.served_login(server, host)
        (child,) = children(server.pid)
        for name, wanted in {"core file size": "0", "file size": str(1 << 20), "open files": "256",
                             "realtime priority": "0", "cpu time": "60"}.items():
            self.assertEqual(limits(child, name), (wanted,) * 2, name)
        self.assertEqual(limits(server.pid, "cpu time"), limits("self", "cpu time")[1:] * 2)

    @needs_root
    def test_gives_up_the_capabilities_of_whoever_started_it(self):
        server, path = self.serve(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={pwd.getpwnam(NOBODY).pw_gid}",
             "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"],
            user="root")
        host, factor = self.served_host(path, self.emulator())
        login = self.served_login(server, host)
        for pid in (server.pid, *children(server.pid)):
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(status(pid, kind), "0" * 16, kind)
        login.answer(factor.code())
        self.assert_outcome(login, "approved")

    def test_has_a_clock_whatever_signals_its_starter_blocked(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        self.addCleanup(signal.pthread_sigmask, signal.SIG_UNBLOCK, [signal.SIGALRM])
        server, path = self.serve()
        host, _ = self.served_host(path, self.emulator())
        self.served_login(server, host)
        (child,) = children(server.pid)
        wait_until(lambda: status(child, "SigBlk") == "0" * 16)

    def test_takes_logins_at_a_socket_that_passes_credentials(self):
        server, path = self.serve(passes_credentials=True)
        self.assert_approves(server, path)

    def test_tells_of_a_login_that_is_lost_on_the_way(self):
        server, path = self.serve()
        ours, theirs = socket.socketpair()
        for lost, descriptors in ((b"x\0" * 7, []), (b"x\0" * 6, [ours.fileno(), theirs.fileno()]),
                                  (b"", [])):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(path))
                self.assertEqual(client.recv(100), READY.encode())
                if lost:
                    socket.send_fds(client, [lost], descriptors)
                wait_until(lambda: not children(server.pid), 10)
        ours.close()
        theirs.close()
        for reads in (False, True):  # it had waited too long, or is of another version
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(path))
                wait_until(lambda: children(server.pid))
                if reads:
                    self.assertEqual(client.recv(100), READY.encode())
            wait_until(lambda: not children(server.pid))
        server.terminate()
        self.assertRegex(server.communicate(timeout=patience(10))[1],
                         r"\A.*: a login was lost on the way: it did not come whole.*\n"
                         r".*: a login was lost on the way: it was not of this version\n"
                         r".*: a login was lost on the way: it did not come in time\n\Z")

    @needs_root
    def test_names_the_sandbox_that_hides_a_certificate(self):
        hidden = self.enterContext(temporary_folder())
        hidden.chmod(0o755)
        (hidden / "ca.pem").touch(0o644)
        server, path = self.serve(["unshare", "--mount", "sh", "-c",
                                   f"mount -t tmpfs none {hidden}; exec setpriv --reuid={NOBODY} "
                                   f"--regid={pwd.getpwnam(NOBODY).pw_gid} --clear-groups \"$@\"",
                                   "sh"], user="root")
        host, _ = self.served_host(path, self.emulator(), service={"ca_file": hidden / "ca.pem"})
        self.assert_outcome(self.login(host), "misconfigured",
                            "ca.pem can't be read by the account and the sandbox of "
                            "twilio-verify-check.service: No such file")

    @needs_root
    @needs_own_memory
    def test_never_has_the_secret_outside_of_a_login(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        login = self.served_login(server, host)
        (child,) = children(server.pid)
        wait_until(lambda: has_in_memory(child, API_KEY_SECRET.encode()))
        login.answer(factor.code())
        self.assert_outcome(login, "approved")
        self.assertFalse(has_in_memory(server.pid, API_KEY_SECRET.encode()))

    def test_starts_anew_after_a_login_was_killed_and_the_others_go_on(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        first = self.served_login(server, host)
        (victim,) = children(server.pid)
        second = self.served_login(server, host)
        os.kill(victim, signal.SIGKILL)  # a sanitizer catches others
        self.assertIsNone(first.read_line(5))
        self.assertEqual(server.wait(patience(5)), 1)
        self.assertIn("was killed by signal", server.stderr.read())
        second.answer(factor.code())
        self.assert_outcome(second, "approved")

    def test_lives_on_whatever_is_sent_to_it(self):
        server, path = self.serve()
        pair = socket.socketpair()
        descriptors = [pair[0].fileno(), pair[1].fileno()]
        for payload, handed in ((b"", []), (b"x", []), (b"x\0" * 4, []), (b"x\0" * 4, descriptors[:1]),
                                (b"x\0" * 3, descriptors), (b"x\0" * 5, descriptors),
                                (b"x\0" * 4 + b"x", descriptors), (b"x" * 100000, descriptors),
                                (b"\0" * 4, descriptors)):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(path))
                self.assertEqual(client.recv(100), READY.encode())
                socket.send_fds(client, [payload], handed)
                wait_until(lambda: not children(server.pid), 7)
        for side in pair:
            side.close()
        self.assert_approves(server, path)

    def test_refuses_what_another_build_hands_over(self):
        _, path = self.serve()
        for settings in (b"", b"service.other=x\n", b"service = { };"):
            ours, theirs = socket.socketpair()
            with ours, theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(path))
                self.assertEqual(client.recv(100), READY.encode())
                socket.send_fds(client, [settings + b"\0" * 6 + b"secret\0"], [theirs.fileno()] * 2)
                theirs.close()
                ours.settimeout(patience(5))
                said = ours.makefile().read()
            self.assertRegex(said, "^misconfigured: .* of another build: restart [^\n]*\n$")

    @needs_root
    def test_serves_nobody_but_root(self):
        server, path = self.serve()
        path.chmod(0o777)
        path.parent.chmod(0o755)
        for user in ("daemon", NOBODY):
            client = self.start([sys.executable, "-c", f"""
import socket
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect({str(path)!r})
print(client.recv(100))"""], None, user)
            self.assertEqual(client.communicate(timeout=patience(10))[0], "b''\n")
        self.assertIsNone(server.poll())


class WithoutServer(ServerTest):
    """The login is run as if nothing had been there."""

    def assert_runs_itself(self, path, seconds=1):
        host, factor = self.served_host(path, self.emulator())
        login = self.login(host)
        login.expect_prompt(PROMPT)
        self.assertLess(time.monotonic() - login.began_at, patience(seconds))
        self.assertIsNone(login.process.poll())
        login.answer(factor.code())
        self.assert_outcome(login, "approved")

    def impostor(self, says, user=NOBODY):
        listener, path = self.listen()
        impostor = self.start([sys.executable, "-c", IMPOSTOR, says], listener, user)
        self.assertEqual(impostor.stdout.readline(), "ready\n")
        return impostor, path

    def assert_got_nothing(self, impostor):
        self.assertEqual(impostor.communicate(timeout=patience(10))[0], "b''\n")

    def test_runs_where_no_socket_is(self):
        self.assert_runs_itself(self.enterContext(temporary_folder()) / "check.socket")

    def test_runs_where_the_socket_is_a_file(self):
        path = self.enterContext(temporary_folder()) / "check.socket"
        path.touch()
        self.assert_runs_itself(path)

    def test_runs_where_nobody_listens_any_more(self):
        listener, path = self.listen()
        listener.close()
        self.assert_runs_itself(path)

    def test_runs_where_the_path_is_too_long_for_a_socket(self):
        self.assert_runs_itself("/run/" + "x" * 200)

    def test_runs_where_the_server_is_mute(self):
        impostor, path = self.impostor("")
        self.assert_runs_itself(path, 2)
        self.assert_got_nothing(impostor)

    def test_runs_where_the_server_is_of_another_version(self):
        for says in ("ready 0.0.0", READY + "x", READY + " nobody", READY[:-1], "no"):
            impostor, path = self.impostor(says)
            self.assert_runs_itself(path)
            self.assert_got_nothing(impostor)

    @needs_root
    def test_runs_where_the_server_is_of_another_account(self):
        for user in ("daemon", "root"):
            impostor, path = self.impostor(READY, user)
            self.assert_runs_itself(path)
            self.assert_got_nothing(impostor)

    @needs_root
    def test_runs_where_somebody_else_listens(self):
        folder = self.enterContext(temporary_folder())
        folder.chmod(0o777)
        path = folder / "check.socket"
        impostor = self.start([sys.executable, "-c", LISTENER + IMPOSTOR, READY, str(path)],
                              subprocess.DEVNULL)
        self.assertEqual(impostor.stdout.readline(), "ready\n")
        self.assert_runs_itself(path)
        self.assert_got_nothing(impostor)

    def test_hands_the_secret_to_the_right_account_only_after_it_is_ready(self):
        impostor, path = self.impostor(READY)
        host, _ = self.served_host(path, self.emulator())
        login = self.login(host)
        self.assertIn(API_KEY_SECRET, impostor.communicate(timeout=patience(10))[0])
        # It took the dialogue, and ended: nobody else says a verdict.
        self.assertIsNone(login.read_line(5))

    def test_runs_a_login_of_which_more_was_typed_ahead(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        login = self.login(host, first=f"login 1 sshd alice\n{factor.code()}\n")
        self.assert_outcome_after_prompt(login)
        self.assertEqual(children(server.pid), [])

    def test_runs_a_login_at_a_terminal(self):
        server, path = self.serve()
        host, factor = self.served_host(path, self.emulator())
        login = self.login(host, transport="terminal")
        login.expect_prompt()
        self.assertIsNone(login.process.poll())
        self.assertEqual(children(server.pid), [])
        login.answer(factor.code())
        self.assert_outcome(login, "approved")

    def assert_outcome_after_prompt(self, login):
        login.expect_prompt()
        self.assert_outcome(login, "approved")


class Starting(ServerTest):
    def assert_refuses(self, listener, remedy, **options):
        server = self.start([self.program(), "--serve"], listener, **options)
        errors = server.communicate(timeout=patience(10))[1]
        self.assertEqual(server.returncode, 1)
        self.assertIn(remedy, errors)

    @needs_root
    def test_a_server_of_root_refuses(self):
        self.assert_refuses(self.listen()[0], "must not be root", user="root")
        self.assert_refuses(self.listen()[0], "must not be root", group=0)

    @needs_root
    def test_a_server_of_more_groups_than_its_accounts_refuses(self):
        own, other = (pwd.getpwnam(name).pw_gid for name in (NOBODY, "daemon"))
        remedy = f"with that of {NOBODY}, and remove {NOBODY} from all others"
        self.assert_refuses(self.listen()[0], remedy, group=other)
        self.assert_refuses(self.listen()[0], remedy, groups=[own, other])
        self.assert_refuses(subprocess.DEVNULL, "descriptor 0 must be", groups=[own, own])

    @needs_root
    def test_a_server_of_no_account_refuses(self):
        self.assert_refuses(self.listen()[0], "there is none of uid 4711", user=4711, group=4711)

    def test_a_server_without_a_socket_refuses(self):
        self.assert_refuses(subprocess.DEVNULL, "descriptor 0 must be a listening socket")

    def test_a_server_at_a_socket_of_another_kind_refuses(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.assert_refuses(listener, "descriptor 0 must be a listening socket")


if __name__ == "__main__":
    main()
