# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Runs the built check program as the module would, and tests side by side. Standard library only.
"""

import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import subprocess
import tempfile
import termios
import time
import unittest

from .fixture import (API_KEY_SECRET, AUTH_TOKEN, CHECK, Emulator, enroll,
                      temporary_directory, write_settings)
from .liar import FACTOR_SID, IDENTITY, RIGHT, Liar, make_liars_certificates
from .parallel import Parallel, patience

IS_ROOT = os.geteuid() == 0
IS_SANITIZED = CHECK.exists() and b"__asan_init" in CHECK.read_bytes()
PROMPT = "ask-secret Verification code: "
WRONG_PROMPT = "ask-secret Wrong code. Verification code: "
# What the first question says of wrong codes before.
NOTICE = re.compile(r"(?<=^ask-secret )\d+ wrong codes? since (\d{4}-\d\d-\d\d )?\d\d:\d\d\. ")
OUTCOMES = {"unavailable", "misconfigured", "denied", "exhausted", "not-required", "approved"}
ASKS_MAX, LINE_MAX = 16, 1024
START_SECONDS = 5  # to the first line, as the module has it
GONE_SECONDS = 0.5  # from the user's leaving to the end of the program

# The shadow of AddressSanitizer is larger than any limit.
needs_little_memory = unittest.skipIf(IS_SANITIZED, "a sanitizer needs all the memory there is")
needs_own_memory = unittest.skipIf(IS_SANITIZED, "a sanitizer keeps copies, and maps terabytes")
needs_no_proc = unittest.skipIf(IS_SANITIZED, "a sanitizer warns where /proc is missing")
needs_root = unittest.skipUnless(IS_ROOT, "needs root")


def encode(name):
    """A name as it stands in the first line."""
    plain = {byte for byte in range(0x21, 0x7f)} - {ord("%")}
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in os.fsencode(name))


class Login:
    """One run of the check program. TRANSPORT: socket, pipes or terminal.

    PREFIX is a command that executes the program. Each SECONDS is a limit on an idle machine."""

    def __init__(self, settings, user="alice", service="sshd", *, first=None, transport="socket",
                 program=CHECK, prefix=(), environment=None, timeout=5, errors_expected=False):
        self.timeout, self.errors_expected = timeout, errors_expected
        self.transport = transport
        self.lines, self.sent, self.raw = [], [], b""
        self.logged = []  # (LEVEL, TEXT) of the lines for the log
        self.ended = False
        self.errors = tempfile.TemporaryFile()
        child_in, child_out = self._open(transport)
        self.began_at = self.entered_at = time.monotonic()
        try:
            self.process = subprocess.Popen(
                [*prefix, program, "--settings", settings], stdin=child_in, stdout=child_out,
                stderr=self.errors, env=environment or {}, cwd="/")
        finally:
            for descriptor in {child_in, child_out}:
                os.close(descriptor)
        if first is None:
            first = f"login 2 {encode(service)} {encode(user)}\n"
        self.send(first)

    def _open(self, transport):
        if transport == "socket":
            ours, child = socket.socketpair()
            self.incoming = self.outgoing = ours.detach()
            return child.fileno(), os.dup(child.detach())
        if transport == "pipes":
            child_in, self.outgoing = os.pipe()
            self.incoming, child_out = os.pipe()
            return child_in, child_out
        ours, child = pty.openpty()
        settings = termios.tcgetattr(child)
        settings[3] &= ~termios.ECHO  # What we type is no line of the program's.
        termios.tcsetattr(child, termios.TCSANOW, settings)
        self.incoming = self.outgoing = ours
        return child, os.dup(child)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close(self.incoming)
        self.incoming = None
        self.errors.close()

    def _close(self, descriptor):
        if descriptor is not None:
            os.close(descriptor)

    def send(self, text):
        """Bytes or text, as they are."""
        data = text if isinstance(text, bytes) else text.encode()
        if not data:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            os.write(self.outgoing, data)

    def answer(self, text):
        """A line of the user's."""
        data = text if isinstance(text, bytes) else text.encode()
        self.sent.append(data)
        self.entered_at = time.monotonic()
        self.send(data + b"\n")

    def hang_up(self, whole=False):
        """The end of file for the program; with WHOLE nobody reads any more either."""
        if self.outgoing is None:
            return
        if self.transport == "socket":
            with socket.socket(fileno=os.dup(self.outgoing)) as half, \
                    contextlib.suppress(OSError):
                half.shutdown(socket.SHUT_RDWR if whole else socket.SHUT_WR)
        elif self.transport == "pipes":
            self._close(self.outgoing)
            if whole:
                self._close(self.incoming)
                self.incoming = None
        self.outgoing = None

    def is_readable(self, seconds):
        poller = select.poll()
        poller.register(self.incoming, select.POLLIN)
        return bool(poller.poll(max(0, seconds * 1000)))

    def read_line(self, seconds):
        """The next line that is not for the log; None at the end of file. Raises AssertionError when
        none comes in time."""
        return self.read_line_until(time.monotonic() + patience(seconds))

    def answered_by(self):
        """Within timeout_seconds of an answer, and what a busy machine takes in addition."""
        return self.entered_at + self.timeout + patience(1)

    def read_line_until(self, end):
        began = time.monotonic()
        while b"\n" not in self.raw:
            if not self.is_readable(end - time.monotonic()):
                raise AssertionError(f"nothing within {end - began:.2f} s after {self.lines}")
            try:
                got = os.read(self.incoming, 65536)
            except OSError:  # A terminal ends like this.
                got = b""
            if not got:
                assert self.raw == b"", f"an unfinished line: {self.raw}"
                return None
            self.raw += got
        line, _, self.raw = self.raw.partition(b"\n")
        if self.transport == "terminal":
            line = line.removesuffix(b"\r")
        assert len(line) <= LINE_MAX, f"a line of {len(line)} bytes"
        assert not re.search(rb"[\x00-\x1f\x7f]", line), f"control bytes: {line}"
        self.lines.append(line.decode())
        word, _, text = self.lines[-1].partition(" ")
        if word == "log":
            self.logged.append(tuple(text.split(" ", 1)))
            return self.read_line_until(end)
        return self.lines[-1]

    def expect_prompt(self, text=PROMPT, seconds=None):
        if seconds is None and self.sent:
            line = self.read_line_until(self.answered_by())
        else:
            line = self.read_line(seconds or START_SECONDS)
        if text == PROMPT:
            line = NOTICE.sub("", line or "")
        assert line == text, f"{line!r} in place of {text!r}"

    def verdict(self, seconds=None):
        """(outcome, reason), after the whole end: the last line, the status, what it left."""
        if seconds is None:
            line = self.read_line_until(self.answered_by())
        else:
            line = self.read_line(seconds)
        self.verdict_seconds = time.monotonic() - self.entered_at
        assert line is not None, f"an end without a verdict; status {self.wait(1)}"
        outcome, _, reason = line.partition(": ")
        assert outcome in OUTCOMES, f"{line!r} in place of a verdict"
        assert self.read_line(1) is None, f"bytes after the verdict: {self.lines}"
        status = self.wait(1)
        assert status == 0, f"the status is {status}"
        self.check_leaks()
        return outcome, reason

    def wait(self, seconds):
        """The status."""
        return self.wait_until(time.monotonic() + patience(seconds))

    def wait_until(self, end):
        began = time.monotonic()
        try:
            return self.process.wait(max(0, end - began))
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the program is still there after {end - began:.2f} s") from None

    def expect_gone(self, seconds=GONE_SECONDS):
        """The program ends by itself."""
        self.wait(seconds)
        self.check_leaks()

    def begin(self):
        """Waits until PREFIX, which has work of its own to do, has become the program."""
        end = time.monotonic() + patience(30)
        while not os.path.samefile(f"/proc/{self.process.pid}/exe", CHECK):
            assert time.monotonic() < end, "the program was not executed"
            time.sleep(0.01)

    def settle(self):
        """Waits until the program has done what there was to do, and all its threads sleep."""
        threads = pathlib.Path(f"/proc/{self.process.pid}/task")
        states = {None}
        while states != {"S"}:
            time.sleep(0.1)
            states = {stat.read_text().rpartition(") ")[2][0] for stat in threads.glob("*/stat")}

    def check_leaks(self):
        self.errors.seek(0)
        errors = self.errors.read()
        if not self.errors_expected:
            assert errors == b"", errors
        said = "\n".join(self.lines).encode() + errors
        for secret in (API_KEY_SECRET.encode(), AUTH_TOKEN.encode(), *self.sent):
            assert len(secret) < 6 or secret not in said, f"{secret} was said: {said}"


class Host:
    """A directory with settings, a secret and enrollments."""

    def __init__(self, directory, url, users=("alice",), identity=IDENTITY, factor_sid=FACTOR_SID,
                 **groups):
        self.directory = directory
        shutil.copy(certificates() / "ca.pem", directory / "ca.pem")
        groups["service"] = {"timeout_seconds": 5} | groups.get("service", {})
        self.timeout = groups["service"]["timeout_seconds"]
        self.settings = write_settings(directory, url, **groups)
        for user in users:
            self.enroll(user, identity, factor_sid)

    def enroll(self, user, identity=IDENTITY, factor_sid=FACTOR_SID):
        return enroll(self.directory, user, identity, factor_sid)


class CheckTest(unittest.TestCase):
    """What the tests share."""

    def liar(self, **script):
        return self.enterContext(Liar(certificates(), **script))

    def emulator(self, **switches):
        """With the switches' names in Python's spelling."""
        directory = self.enterContext(temporary_directory())
        for name in ("ca.pem", "server.pem", "server.key"):
            shutil.copy(certificates() / name, directory / name)
        arguments = []
        for name, value in switches.items():
            arguments += ["--set", f"{name.replace('_', '-')}={value}"]
        return self.enterContext(Emulator(*arguments, directory=directory))

    def closed_port(self):
        """A socket that keeps a port for us, at which nobody listens until it does; its url."""
        reserved = self.enterContext(socket.socket())
        reserved.bind(("127.0.0.1", 0))
        return reserved, f"https://127.0.0.1:{reserved.getsockname()[1]}"

    def host(self, server, **groups):
        """SERVER: what has a url, or the url."""
        directory = self.enterContext(temporary_directory())
        return Host(directory, server if isinstance(server, str) else server.url, **groups)

    def factor_host(self, emulator, user="alice", **groups):
        """A host on which USER is enrolled with a new factor, and the factor."""
        factor = emulator.factor()
        return self.host(emulator, users=(user,), identity=factor.identity,
                         factor_sid=factor.sid, **groups), factor

    def liar_host(self, **groups):
        server = self.liar()
        return server, self.host(server, **groups)

    def emulator_host(self, **groups):
        emulator = self.emulator()
        return emulator, *self.factor_host(emulator, **groups)

    def login(self, host, *arguments, **options):
        return self.enterContext(Login(host.settings, *arguments, timeout=host.timeout, **options))

    def prompted(self, host, *arguments, **options):
        """A login at its first question."""
        login = self.login(host, *arguments, **options)
        login.expect_prompt()
        return login

    def answered(self, host, answer, *arguments, **options):
        """A login whose first question has this answer."""
        login = self.prompted(host, *arguments, **options)
        login.answer(answer)
        return login

    def assert_outcome(self, login, outcome, reason="^", seconds=None):
        said = login.verdict(seconds)
        self.assertEqual(said[0], outcome, said)
        self.assertRegex(said[1], reason)
        return said[1]

    def run_login(self, host, answers, outcome, reason="^", **options):
        """Answers the prompts in order, all but the first after a wrong code, to the verdict."""
        login = self.login(host, **options)
        for number, answer in enumerate(answers):
            login.expect_prompt(WRONG_PROMPT if number > 0 else PROMPT)
            login.answer(answer)
        self.assert_outcome(login, outcome, reason)
        return login

    def assert_approved(self, server, answers=(RIGHT,), **options):
        return self.run_login(self.host(server), answers, "approved", "challenge=YC", **options)


# What all tests of a file share

_shared = contextlib.ExitStack()
_directories = {}


def certificates():
    """The directory with every certificate; made once."""
    if "certificates" not in _directories:
        directory = _shared.enter_context(temporary_directory())
        make_liars_certificates(directory)
        _directories["certificates"] = directory
    return _directories["certificates"]


@contextlib.contextmanager
def with_certificates():
    with _shared:
        certificates()
        yield
        _directories.clear()


class CheckSuite(Parallel):
    """The tests of a file, side by side."""

    def __init__(self, tests=()):
        super().__init__(tests, shared=with_certificates)


def load_tests(_loader, tests, _pattern):
    return CheckSuite(tests)
