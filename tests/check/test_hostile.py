# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""An attacker's code in the check program (hostile.c), behind its real privileges, sandbox and filter.

    BUILD=build /usr/bin/python3 tests/tap.py tests/check/test_hostile.py

Each attempt is made outside of the sandbox as well, by the same account: there it must work, or the
refusal inside shows nothing. Needs root."""

import ctypes
import os
import pathlib
import pwd
import re
import signal
import socket
import unittest

from kit.checkcase import CHECK, IS_SANITIZED, CheckTest, load_tests, needs_root
from kit import calls
from kit.fixture import copy_program, temporary_directory
from kit.liar import RIGHT
from kit.parallel import at_once

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = pwd.getpwnam("nobody")
LANDLOCK = max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))  # landlock_create_ruleset, its version

# What a login needs.
NEEDED = {"library", "dlopen", "thread", "timer", "resolve", "route", "inet"}

# What is left to the attacker: the attempts, and the line of SECURITY.md.
REMAINS = {
    "tcp connect": "connect to any address by TCP and UDP, and to AF_UNIX sockets that have a path, "
                   "as those of the log, D-Bus and sssd",
    "read proc-cmdline flock": "read, and lock with flock(2), what every account may read below /etc, "
                               "/proc, /run and /usr, as the arguments of other processes",
    "state": "change and lock the two files of this user in `state_dir`",
    "state-code": "run code of his own, also from those files",
}

# These work outside wherever the kernel and its container permit them; all others, everywhere.
RARE = {"pkey-x", "shm-x", "netlink", "personality", "clone-vm"}
OUTSIDE = {"map-wx", "map-wx-file", "protect-x", "protect-wx", "pkey-x", "shm-x", "memfd",
           "personality", "execve", "execveat", "spawn", "fork", "clone3", "listen", "netlink",
           "setown", "setown-ex", "setsig", "notify", "lease", "lock", "ofd-lock"}

# On another process of the account, as its login waits; those that kill it outside; the rest that work.
KILLERS = ["kill", "tkill", "tgkill", "sigqueue", "pidfd", "owner", "owner-ex", "fiosetown",
           "siocspgrp"]
NUISANCES = ["prlimit", "priority", "scheduler", "affinity", "ioprio"]
INTRUSIONS = ["ptrace", "vm-write", "proc-mem", "proc-maps"]  # the account's rights refuse these


def lines_of_security():
    """The list of what remains to somebody who takes the check program over."""
    text = (ROOT / "SECURITY.md").read_text().partition("\n## What remains\n")[2]
    items = text.partition("sandbox he can\n\n- ")[2].partition("\n\n")[0].split("\n- ")
    return {" ".join(item.split()).partition(": so ")[0].rstrip(".;") for item in items}


@needs_root
@unittest.skipIf(IS_SANITIZED, "a sanitizer's library does not fit into the program")
class HostileCode(CheckTest):
    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        copy_program(CHECK, self.directory / "twilio-verify-check")
        copy_program(CHECK.with_name("tests") / "hostile.so", self.directory / "twilio.so")
        self.place = self.enterContext(temporary_directory())
        self.place.chmod(0o777)

    def begin(self, command, **groups):
        """A login whose code obeys COMMAND."""
        host = self.host("https://127.0.0.1:1", login={"prompt": command}, **groups)
        login = self.login(host, program=self.directory / "twilio-verify-check")
        login.expect_prompt("ask-secret " + command)
        login.answer(RIGHT)
        return login

    def attempt(self, command, **groups):
        return self.assert_outcome(self.begin(command, **groups), "denied")

    def attempt_every(self, where):
        """(how many, the names of those that worked)"""
        said = re.fullmatch(r"(\d+) tried, worked:(.*)", self.attempt(f"{where} every"))
        return int(said[1]), set(said[2].split())

    def assert_works(self, command, **groups):
        self.assertEqual(self.attempt(command, **groups), "worked", command)

    def assert_kept_out(self, attempt, *argument):
        """Works outside, and not inside."""
        self.assert_works(" ".join(("free", attempt, *map(str, argument))))
        self.assert_refused(attempt, *argument)

    def assert_refused(self, attempt, *argument):
        self.assertRegex(self.attempt(" ".join(("caged", attempt, *map(str, argument)))),
                         "^(ENOSYS|EACCES|EPERM|EBADF|EXDEV)$", (attempt, argument))

    def test_what_an_attacker_can_do_is_what_a_login_needs_and_security_md_says(self):
        count, worked = self.attempt_every("caged")
        self.assertGreater(count, len(OUTSIDE | NEEDED))
        self.assertEqual(worked, NEEDED | {"state", "state-code"})

    def test_outside_of_the_sandbox_it_would_work(self):
        _, worked = self.attempt_every("free")
        self.assertGreaterEqual(worked, OUTSIDE - RARE | NEEDED)

    def test_security_md_lists_what_remains(self):
        self.assertEqual(lines_of_security(), set(REMAINS.values()))

    def test_a_system_call_that_no_login_needs_answers_enosys(self):
        answered = {int(number, 16) for first in (0, 256)
                    for number in self.attempt(f"caged calls {first}").split()}
        self.assertGreater(len(answered), 50)
        answered = {name for name, number in calls.numbers().items() if number in answered}
        self.assertLessEqual(answered, calls.allowed() | {"clone"})
        self.assertEqual(answered & set(calls.NEVER), set())

    def test_a_call_of_another_architecture_kills_the_process(self):
        for command in ("32-bit", "x32") if os.uname().machine == "x86_64" else ():
            login = self.begin(f"caged {command}")
            self.assertEqual(login.wait(5), -signal.SIGSYS)
            self.assertIsNone(login.read_line(1))

    def test_abort_ends_the_process_without_a_verdict(self):
        login = self.begin("caged abort")
        self.assertLess(login.wait(5), 0)
        self.assertIsNone(login.read_line(1))

    def begin_victim(self):
        """Another login of the same account, at its prompt."""
        if not hasattr(self, "victims_host"):
            self.victims_host = self.host("https://127.0.0.1:1", users=("bob",))
        victim = self.prompted(self.victims_host, user="bob")
        return victim

    def test_another_login_is_neither_killed_nor_slowed_down(self):
        victim = self.begin_victim()
        at_once(self.assert_refused, ((attack, victim.process.pid)
                                      for attack in KILLERS + NUISANCES + INTRUSIONS))
        victim.answer("none")
        self.assertRegex(victim.read_line(5), "^ask-secret ")

    def test_outside_of_the_sandbox_another_login_would_be_killed(self):
        for attack in KILLERS:
            with self.subTest(attack):
                victim = self.begin_victim()
                self.assert_works(f"free {attack} {victim.process.pid}")
                self.assertEqual(victim.wait(5), -signal.SIGKILL)

    def test_outside_of_the_sandbox_another_login_would_be_slowed_down(self):
        victim = self.begin_victim()
        for attack in NUISANCES:
            self.assert_works(f"free {attack} {victim.process.pid}")

    def test_the_arguments_of_another_login_can_be_read(self):
        self.assert_works(f"caged proc-cmdline {self.begin_victim().process.pid}")

    def own(self, path):
        path.touch()
        path.chmod(0o600)
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        return path

    def attempt_on_state(self, where, attempt, name):
        """On a file of state_dir, whose path the settings tell only when they are written."""
        state = self.enterContext(temporary_directory())
        os.chown(state, NOBODY.pw_uid, NOBODY.pw_gid)
        for user in ("alice", "bob"):
            for suffix in ("sent", "used"):
                self.own(state / f"{user}.{suffix}")
        self.own(state / "certificates.links")
        said = self.attempt(f"{where} {attempt} {state}/{name}", check={"state_dir": state})
        return said

    def assert_kept_from_state(self, attempt, name):
        """Works outside, and not inside."""
        self.assertEqual(self.attempt_on_state("free", attempt, name), "worked", attempt)
        self.assertNotEqual(self.attempt_on_state("caged", attempt, name), "worked", attempt)

    @unittest.skipIf(LANDLOCK < 1, "this kernel has no Landlock: all of state_dir is open")
    def test_the_state_of_others_is_neither_read_nor_changed_nor_locked(self):
        at_once(self.assert_kept_from_state, [
            *((attempt, name) for name in ("bob.sent", "bob.used", "certificates.links") for attempt in
              ("read", "write", "empty", "flock", "unlink", "rename", "chmod")),
            *((attempt, "carol.used") for attempt in ("make", "make-any", "bind"))])

    def test_the_state_of_the_user_is_read_changed_and_locked(self):
        for attempt in ("read", "write", "flock"):
            for name in ("alice.sent", "alice.used"):
                self.assertEqual(self.attempt_on_state("caged", attempt, name), "worked", attempt)
        for attempt in ("unlink", "rename", "chmod", "empty"):
            self.assertNotEqual(self.attempt_on_state("caged", attempt, "alice.used"), "worked",
                                attempt)

    @unittest.skipIf(LANDLOCK < 1, "this kernel has no Landlock: what every account may read is open")
    def test_a_file_elsewhere_is_neither_read_nor_changed_nor_made(self):
        files = {attempt: self.own(self.place / f"file-{attempt}")
                 for attempt in ("read", "write", "empty", "flock", "rename")}
        for file in files.values():
            file.chmod(0o666)
        at_once(self.assert_kept_out, [
            *files.items(), ("list", self.place),
            *((attempt, self.place / f"new-{attempt}") for attempt in ("make", "make-any", "bind"))])
        at_once(self.assert_refused, [
            *(("list", directory) for directory in ("/", "/dev", "/tmp", "/var", "/var/lib",
                                                    "/var/log",
                                              "/home")),
            *(("make", f"{directory}/twilio-verify-hostile")
              for directory in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/etc", "/usr"))])

    def test_a_file_of_root_s_alone_is_not_read(self):
        at_once(self.assert_refused, [
            *(("read", path) for path in ("/etc/shadow", "/proc/1/environ", "/proc/1/mem")),
            *(("write", path) for path in ("/proc/sys/kernel/core_pattern",
                                           "/proc/self/oom_score_adj", "/proc/self/mem"))])

    def test_what_every_account_may_read_is_read_and_locked(self):
        self.assert_works("caged read /etc/passwd")
        self.assert_works("caged flock /etc/passwd")

    def listen(self, family, address):
        listener = self.enterContext(socket.socket(family))
        listener.bind(address)
        listener.listen()
        return listener

    def test_a_socket_with_a_path_is_reached(self):
        path = str(self.place / "socket")
        self.listen(socket.AF_UNIX, path)
        os.chmod(path, 0o777)
        self.assert_works(f"caged connect {path}")

    def test_a_port_is_reached(self):
        listener = self.listen(socket.AF_INET, ("127.0.0.1", 0))
        self.assert_works(f"caged tcp {listener.getsockname()[1]}")

    @unittest.skipIf(LANDLOCK < 6, "this kernel's Landlock does not know abstract sockets")
    def test_an_abstract_socket_is_not_reached(self):
        name = f"twilio-verify-{os.getpid()}"
        self.listen(socket.AF_UNIX, "\0" + name)
        self.assert_kept_out("connect", "@" + name)
