# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What the tests of logins say, and the one machine of this process: a port 443, one /dev/log."""

import atexit
import concurrent.futures
import functools
import itertools
import os
import pathlib
import re
import subprocess
import traceback
import unittest

from kit.machine import (RUN_AS, SETTINGS, Machine, Sshd, Terminal, eventually, fixture, is_inside,
                         run)

AUTHPRIV = 10
LOCALHOST = "127.0.0.1"
PASSWORD_AND_CODE = ("KbdInteractiveAuthentication yes", "PasswordAuthentication no",
                     "AuthenticationMethods keyboard-interactive")
KEY_AND_CODE = ("KbdInteractiveAuthentication yes", "PasswordAuthentication no",
                "AuthenticationMethods publickey,keyboard-interactive")
CREATED = "POST Challenges 201"
VERIFIED = "POST Challenges/YC 200"
CODE_PROMPT = "Verification code: "
WRONG_PROMPT = "Wrong code. Verification code: "
NOTICE = r"\d+ wrong codes? since (\d{4}-\d\d-\d\d )?\d\d:\d\d\. "
AWAY = 'base_url = "https://verify.twilio.com:9";\n'

# Level, outcome and reason of a line in the log.
APPROVED = ("INFO", "approved", "challenge=YC… request=RQ…")
NOT_ENROLLED = ("NOTICE", "denied", "not enrolled: /etc/security/twilio-verify.d/users/NAME.conf "
                                    r"is missing, and unmapped_user is deny")
UNANSWERED = ("NOTICE", "unanswered", "left at the question…")
PASSWORD = ("NOTICE", "denied", "the answer was the password: it was not passed on")
UNREACHABLE = ("ERR", "unavailable", "https://verify.twilio.com:9: Failed to connect to "
                                     "verify.twilio.com port 9 after … ms: Could…")


def denied(counts="", attempts=3, names="; challenge=YC… request=RQ…"):
    return ("NOTICE", "denied", f"no valid code in {attempts} attempts{counts}{names}")


machine = Machine()
ports = itertools.count(2222)


@functools.cache
def start():
    machine.__enter__()
    pathlib.Path("/etc/sudoers.d/everybody").write_text("ALL ALL=(ALL:ALL) ALL\n")
    atexit.register(stop)


def stop():
    try:
        machine.__exit__(None, None, None)
    except Exception:
        traceback.print_exc()
        os._exit(1)  # At exit nothing else makes a failure of it.


def setUpModule():
    """For every file of tests: starts the machine, which stays until the process ends."""
    if not is_inside():
        raise unittest.SkipTest("not started by tests/login/enter")
    start()


def attempt(case, body):
    """One test outside of unittest's own course."""
    try:
        body(case)
    finally:
        if not case.doCleanups():
            raise RuntimeError("what the test began did not end well")


def at_once(cls):
    """A class whose tests run at the same time: most of a login is waiting."""
    bodies = {name: body for name, body in vars(cls).items() if name.startswith("test_")}
    set_up = cls.setUpClass

    def start_all(cls):
        set_up()
        pool = concurrent.futures.ThreadPoolExecutor(8)
        cls.addClassCleanup(pool.shutdown)
        cls.running = {name: pool.submit(attempt, cls(name), body)
                       for name, body in bodies.items()}

    def join(name):
        return functools.wraps(bodies[name])(lambda self: self.running[name].result())

    cls.setUpClass = classmethod(start_all)
    for name in bodies:
        setattr(cls, name, join(name))
    return cls


@functools.cache
def the_key():
    """The SSH key of everybody who has one."""
    key = pathlib.Path("/run/key")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    return key


def with_key():
    return ("-i", str(the_key()))


def person_with_key(name, **options):
    person = machine.person(name, **options)
    directory = pathlib.Path(f"/run/home/{person.name}/.ssh")
    directory.mkdir()
    (directory / "authorized_keys").write_text(the_key().with_suffix(".pub").read_text())
    return person


class Nobody:
    """Somebody without an account."""

    def __init__(self, name):
        self.name, self.password, self.codes = name, "no password", ()

    def log(self, count=1):
        return machine.journal.logins(self.name, count)


class LoginCase(unittest.TestCase):
    """What the tests below say."""

    maxDiff = None

    @classmethod
    def sshd(cls, *lines, **options):
        """An sshd that runs until the tests of the class are over."""
        return cls.enterClassContext(Sshd(next(ports), *lines, **options))

    def answer(self, terminal, *answers):
        """The person reads each prompt and types the line; returns the exit status."""
        for prompt, line in answers:
            terminal.answer(prompt, line)
        return terminal.finish()

    def ssh(self, sshd, person, *answers, options=()):
        """Runs one login to its end; returns its exit status and the terminal's last line."""
        with sshd.login(person.name, options=options) as terminal:
            for prompt, line in answers:
                notice = f"({NOTICE})?" if prompt == CODE_PROMPT else ""
                terminal.expect(re.escape(f"({person.name}@127.0.0.1) ") + notice +
                                re.escape(prompt) + "$")
                terminal.type(line)
            status = terminal.finish()
        self.screen = terminal.text
        return status, terminal.text.splitlines()[-1]

    def assert_in(self, sshd, person, *answers, **options):
        self.assertEqual(self.ssh(sshd, person, *answers, **options), (0, person.name))

    def assert_out(self, sshd, person, *answers, **options):
        status, last = self.ssh(sshd, person, *answers, **options)
        self.assertEqual(status, 255)
        self.assertRegex(last, "Permission denied")

    def assert_screen(self, terminal, *lines):
        """All that a person saw; where something was typed at a prompt, nothing of it."""
        self.assertEqual(terminal.text, "".join(line + "\n" for line in lines))

    def assert_log(self, person, level, outcome, reason, calls=1, service="sshd", rhost=None):
        """The host called the module CALLS times, and each left this line, literally.

        "…" is the rest of a SID, or what differs from libcurl to libcurl."""
        if rhost is None:
            rhost = LOCALHOST if service.startswith("sshd") else "-"
        lines = person.log(calls)
        self.assertEqual(len(lines), calls, lines)
        whole = re.escape(f"pam_twilio_verify({service}:auth): user={person.name} "
                          f"service={service} rhost={rhost} ") + r"tty=\S+(?: ruser=\S+)? "
        whole += re.escape(f'outcome={outcome} reason="{reason}" ms=') + r"\d+"
        whole = re.sub("(YC|RQ)…", r"\1[0-9a-f]{32}", whole).replace("…", ".*")
        for line in lines:
            self.assertEqual((line.facility, line.level), (AUTHPRIV, level), line)
            self.assertRegex(line.text, f"^{whole}$")
        self.assert_no_secret(person)

    def assert_no_secret(self, person):
        secrets = [fixture.API_KEY_SECRET, person.password, *person.codes]
        for line in machine.journal.lines:
            self.assertNotRegex(line.text, rf"\b({'|'.join(map(re.escape, secrets))})\b")

    def assert_never_called(self, person):
        self.assertEqual(person.log(0), [])
        self.assert_requests(person)

    def assert_nothing_sent_but_for_the_enrolled(self):
        for request in machine.emulator.requests():
            identity = request.path.split("/Entities/")[1].split("/")[0]
            self.assertIn(identity, machine.identities)

    def assert_requests(self, person, *expected):
        requests = eventually(person.requests, lambda found: len(found) >= len(expected), 3)
        self.assertEqual(requests, list(expected))

    def check_programs(self):
        """The processes of the check program, zombies too."""
        found = []
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields["Name"] == machine.check.name[:15]:
                found.append(fields | {"directory": status.parent})
        return found

    def assert_nothing_of_use(self, program):
        """PROGRAM, of check_programs(), is nobody for good, with nothing of its caller's."""
        account, group = (run("id", which, RUN_AS).strip() for which in ("-u", "-g"))
        self.assertEqual(program["Uid"].split(), [account] * 4)
        self.assertEqual(program["Gid"].split(), [group] * 4)
        self.assertEqual(program["Groups"].split(), [])
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(program[name], 16), 0, name)
        self.assertEqual((program["NoNewPrivs"], program["Seccomp"]), ("1", "2"))
        # glibc keeps two signals for its threads, which posix_spawn(3) can't reset.
        for name in ("SigBlk", "SigPnd", "ShdPnd"):
            self.assertEqual(int(program[name], 16), 0, name)
        self.assertEqual(program["Umask"], "0077")

        directory = program["directory"]
        self.assertEqual((directory / "environ").read_bytes(), b"")
        self.assertEqual((directory / "cmdline").read_bytes().split(b"\0")[1:],
                         [b"--settings", bytes(SETTINGS), b""])
        self.assertEqual(os.readlink(directory / "cwd"), "/")
        self.assertEqual((directory / "environ").stat().st_uid, 0, "it may be dumped and traced")
        self.assertRegex((directory / "limits").read_text(), r"\nMax core file size +0 +0 ")
        self.assertEqual(os.getsid(int(program["Pid"])), int(program["Pid"]))

        descriptors = {int(path.name): os.readlink(path) for path in (directory / "fd").iterdir()}
        self.assertRegex(descriptors.pop(0), "^socket:")
        self.assertRegex(descriptors.pop(1), "^socket:")
        self.assertEqual(descriptors.pop(2), "/dev/null")
        for number, target in descriptors.items():
            self.assertRegex(target, r"^(socket:|pipe:|anon_inode:\[event)", number)


class SettingsCase(LoginCase):
    """One login at a time over sshd, by conf/pam.d/sshd-password-and-code; a test may change the
    settings."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.server = cls.sshd(*PASSWORD_AND_CODE)

    def setUp(self):
        self.addCleanup(machine.configure)


class SudoCase(LoginCase):
    """sudo, called by somebody who may do everything with it."""

    def defaults(self, person, settings):
        """Settings of sudo's for PERSON alone."""
        path = pathlib.Path("/etc/sudoers.d") / person.name
        new = path.with_name(f"{path.name}.new")  # A name with a dot is not read.
        new.write_text(f"Defaults:{person.name} {settings}\n")
        new.chmod(0o440)
        new.rename(path)

    def as_person(self, person):
        return {"user": person.name, "group": person.name, "extra_groups": [], "cwd": "/"}

    def terminal(self, person, *command):
        return self.enterContext(Terminal(*command, **self.as_person(person)))

    def run_as(self, person, *command, **options):
        """COMMAND of PERSON without a terminal."""
        return subprocess.run(["setsid", "-w", *command], text=True, capture_output=True,
                              timeout=60, **self.as_person(person), **options)

    def sudo(self, person, *lines):
        """Answers from a pipe."""
        return self.run_as(person, "sudo", "-k", "-S", "id", "-un",
                           input="".join(line + "\n" for line in lines))

    def assert_root(self, person, *lines):
        done = self.sudo(person, *lines)
        self.assertEqual((done.returncode, done.stdout), (0, "root\n"), done.stderr)
        return done

    def assert_refused(self, person, *lines):
        done = self.sudo(person, *lines)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        return done
