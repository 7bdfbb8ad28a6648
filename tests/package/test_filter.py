# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The filter of system calls that filter-table makes for each architecture, run here step by step.

    BUILD=build /usr/bin/python3 tests/tap.py tests/package/test_filter.py"""

import errno
import fcntl
import itertools
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import termios
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
from kit import calls

BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
GENERATOR = BUILD / "filter-table"

ARCHITECTURES = {
    "aarch64": "little", "arm": "little", "mips64": "big", "mipsel64": "little", "ppc64le": "little",
    "riscv64": "little", "s390x": "big", "x86": "little", "x86_64": "little"}
HALF = {"little": 0, "big": 4}  # where the lower half of an argument lies

KILL_PROCESS, ALLOW = 0x80000000, 0x7fff0000
ENOSYS, EPERM = 0x00050000 | errno.ENOSYS, 0x00050000 | errno.EPERM
REQUESTS = {"FIONBIO": termios.FIONBIO, "FIONREAD": termios.FIONREAD, "SIOCGIFINDEX": 0x8933,
            "SIOCOUTQ": termios.TIOCOUTQ}
NAMES = REQUESTS | {"SECCOMP_RET_ALLOW": ALLOW, "SECCOMP_RET_KILL_PROCESS": KILL_PROCESS,
                    "SECCOMP_RET_ERRNO | ENOSYS": ENOSYS, "SECCOMP_RET_ERRNO | EPERM": EPERM}

READ, WRITE, EXECUTE = 1, 2, 4
CLONE_VM, CLONE_THREAD, SIGCHLD = 0x100, 0x10000, 17
COMMANDS = [fcntl.F_DUPFD, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL,
            fcntl.F_DUPFD_CLOEXEC]
PROTOCOLS = (*range(20), 132, 136, 255, 256, 262)
SOCKETCALL = {"x86", "s390x"}  # libc makes sockets by it there
SYS_SOCKET, SYS_CONNECT, SYS_LISTEN, SYS_SOCKETPAIR = 1, 3, 4, 8

LINE = re.compile(r"\{ (0x\w+), (\d+), (\d+), (.+) \},")


def parse(table):
    """The instructions of a table, as the compiler takes them."""
    for line in table.splitlines():
        code, true, false, operand = LINE.fullmatch(line).groups()
        number = NAMES[operand] if operand in NAMES else int(operand, 16)
        yield int(code, 16), int(true), int(false), number


def pack(program):
    """Its bytes in memory."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


class Filter:
    """What a kernel does with the filter of one architecture."""

    def __init__(self, name):
        self.name, self.order = name, ARCHITECTURES[name]
        self.architecture = calls.architecture(name)
        made = subprocess.run([GENERATOR, name, self.order], check=True, capture_output=True,
                              text=True)
        self.program = [*parse(made.stdout)]

    def number(self, call):
        return calls.numbers(self.architecture)[call]

    def answer(self, number, *arguments, architecture=None):
        """The action for one call; each ARGUMENT has 64 bits."""
        words = {0: number & 0xffffffff, 4: architecture or self.architecture}
        for place in range(6):
            argument = arguments[place] if place < len(arguments) else 0
            low = 16 + 8 * place + HALF[self.order]
            words |= {low: argument & 0xffffffff, low ^ 4: argument >> 32 & 0xffffffff}
        at = accumulator = 0
        while True:
            code, true, false, operand = self.program[at]
            at += 1
            if code == 0x20:
                accumulator = words[operand]
            elif code == 0x54:
                accumulator &= operand
            elif code == 0x05:
                at += operand
            elif code == 0x06:
                return operand
            else:
                is_true = {0x15: accumulator == operand, 0x25: accumulator > operand,
                           0x35: accumulator >= operand, 0x45: accumulator & operand != 0}[code]
                at += true if is_true else false

    def allows(self, call, *arguments):
        """Whatever stands in the upper halves, which the kernel does not look at."""
        dirty = [argument | 0xdeadbeef << 32 for argument in arguments]
        answers = {self.answer(self.number(call), *arguments), self.answer(self.number(call), *dirty)}
        assert answers in ({ALLOW}, {ENOSYS}), (self.name, call, arguments, answers)
        return answers == {ALLOW}


class FilterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.filters = [Filter(name) for name in ARCHITECTURES]

    def each(self, *names):
        """(filter, call) for the calls NAMES on every architecture that has them."""
        return [(one, call) for one in self.filters for call in names
                if call in calls.numbers(one.architecture)]

    def test_a_listed_call_is_allowed_whatever_its_arguments(self):
        for one, call in self.each(*calls.allowed()):
            self.assertTrue(one.allows(call, 0, 0, 0), (one.name, call))
            self.assertTrue(one.allows(call, *[0xffffffff] * 3), (one.name, call))

    def test_a_call_that_no_login_needs_answers_enosys(self):
        for one, call in self.each(*calls.NEVER):
            self.assertEqual(one.answer(one.number(call)), ENOSYS, (one.name, call))

    def test_no_number_is_allowed_that_is_not_listed(self):
        by_argument = {"clone", "mmap", "mmap2", "mprotect", "fcntl", "fcntl64", "ioctl", "socket",
                       "socketpair", "socketcall"}
        for one in self.filters:
            numbers = calls.numbers(one.architecture)
            listed = {numbers.get(call) for call in calls.allowed() | by_argument}
            for number in range(7000):
                if number not in listed:
                    self.assertEqual(one.answer(number), ENOSYS, (one.name, number))

    def test_a_filter_is_as_short_as_its_calls(self):
        """Nothing in it is about calls that the architecture lacks."""
        for one in self.filters:
            self.assertLess(len(one.program), 280, one.name)
            numbers = [operand for code, _, _, operand in one.program if code == 0x15]
            self.assertFalse([number for number in numbers if 0xffff0000 < number < 0xffffffff],
                             one.name)

    def test_another_architecture_kills_the_process(self):
        for one in self.filters:
            for other in self.filters:
                if other is not one:
                    self.assertEqual(one.answer(one.number("read"), architecture=other.architecture),
                                     KILL_PROCESS, (one.name, other.name))
        x86_64, = (one for one in self.filters if one.name == "x86_64")
        self.assertEqual(x86_64.answer(0x40000000 | x86_64.number("read")), KILL_PROCESS)

    def test_a_thread_can_be_made_and_no_process(self):
        for one, call in self.each("clone"):
            flags = lambda value: (0xffffffff, value) if one.name == "s390x" else (value, 0xffffffff)
            self.assertTrue(one.allows(call, *flags(CLONE_VM | CLONE_THREAD | 0x3d0e00)))
            for value in (0, SIGCHLD, CLONE_VM, CLONE_THREAD, CLONE_VM | SIGCHLD):
                self.assertFalse(one.allows(call, *flags(value)))

    def test_no_memory_is_writable_and_executable(self):
        for one, call in self.each("mmap", "mmap2", "mprotect"):
            if call == "mmap" and one.name in SOCKETCALL:
                # It takes one pointer: libc of x86 does not need it, libc of s390x does.
                self.assertEqual(one.allows(call, 0, 0, 0), one.name == "s390x")
                continue
            for others in (0, READ):
                self.assertTrue(one.allows(call, 0, 0, WRITE | others))
                self.assertFalse(one.allows(call, 0, 0, WRITE | EXECUTE | others))
                self.assertEqual(one.allows(call, 0, 0, EXECUTE | others), call != "mprotect")

    def test_of_fcntl_no_command_signals_or_locks(self):
        for one, call in self.each("fcntl", "fcntl64"):
            for command in range(2048):
                self.assertEqual(one.allows(call, 0, command), command in COMMANDS, command)

    def test_of_ioctl_four_requests_are_allowed(self):
        for one, call in self.each("ioctl"):
            for request in [*range(0x5400, 0x5480), *range(0x8900, 0x89ff), 0, 0xffffffff]:
                self.assertEqual(one.allows(call, 0, request), request in REQUESTS.values(), hex(request))

    def test_sockets_are_tcp_udp_unix_and_of_routes(self):
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        for one, call in self.each("socket"):
            for family, kind, protocol in itertools.product(range(48), range(7), PROTOCOLS):
                is_needed = (
                    family in (socket.AF_INET, socket.AF_INET6) and
                    kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) and protocol in (0, 6, 17) or
                    family == socket.AF_NETLINK and protocol == 0 or family == socket.AF_UNIX)
                self.assertEqual(one.allows(call, family, kind | flags, protocol), is_needed,
                                 (one.name, family, kind, protocol))

    def test_a_pair_of_sockets_is_unix(self):
        for one, call in self.each("socketpair"):
            for family in range(64):
                self.assertEqual(one.allows(call, family), family == socket.AF_UNIX, family)

    def test_sockets_are_made_by_socketcall_only_where_libc_does_so(self):
        for one, call in self.each("socketcall"):
            allowed = {number for number in range(32)
                       if one.answer(one.number(call), number) == ALLOW}
            if one.name in SOCKETCALL:
                self.assertGreaterEqual(allowed, {SYS_SOCKET, SYS_CONNECT, SYS_SOCKETPAIR}, one.name)
                self.assertNotIn(SYS_LISTEN, allowed, one.name)
            else:
                self.assertEqual(allowed, set(), one.name)

    def test_what_libseccomp_does_not_know_fails(self):
        failed = subprocess.run([GENERATOR, "pdp11", "little"], capture_output=True, text=True)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("does not know this architecture", failed.stderr)
        self.assertEqual(failed.stdout, "")

    def test_the_check_program_has_the_filter_of_this_architecture(self):
        """As its compiler took it, the numbers that stand in it by name included."""
        own, = (one for one in self.filters if one.architecture == calls.NATIVE)
        self.assertIn(pack(own.program), (BUILD / "twilio-verify-check").read_bytes())


if __name__ == "__main__":
    if not GENERATOR.exists():
        sys.exit(f"{GENERATOR} is missing: build first, and set BUILD")
    unittest.main(verbosity=2)
