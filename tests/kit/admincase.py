# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The tool, as an administrator runs it, against the emulator."""

import collections
import pathlib
import re
import subprocess
import time
import unittest

import pexpect

from .fixture import (BUILD, SERVICE_SID, Emulator, temporary_directory,
                      totp, write_settings)
from .mounts import private_mounts

TOOL = BUILD / "twilio-verify"
QUESTION = "The code that the app shows: "
OK, WRONG, USAGE, UNAVAILABLE = range(4)
PATIENCE_SECONDS = 20
ENVIRONMENT = {"LANG": "C.UTF-8", "TERM": "xterm", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

Done = collections.namedtuple("Done", "status out err")


def on_a_copy(directory, *steps):
    """A prefix for a command: it runs on a throw-away copy of /etc and /usr, whose layers are in
    DIRECTORY, after the shell commands STEPS. It needs root."""
    layers = """mount -t tmpfs none "$1"
        for name in etc usr; do
            mkdir "$1/$name" "$1/$name.work"
            mount -t overlay -o "lowerdir=/$name,upperdir=$1/$name,workdir=$1/$name.work" none /$name
        done
        shift"""
    script = "\n".join((layers, *steps, 'exec "$@"'))
    return (*private_mounts(), "sh", "-euc", script, "sh", str(directory))


def can_copy():
    """Whether that is permitted here."""
    with temporary_directory() as directory:
        return subprocess.run([*on_a_copy(directory), "true"], capture_output=True,
                              check=False).returncode == 0


def eventually(is_so, seconds=PATIENCE_SECONDS):
    """Whether IS_SO says yes in time."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class App:
    """An authenticator app that scanned a URI."""

    def __init__(self, emulator, uri):
        self.emulator, self.uri = emulator, uri
        self.secret = re.search(r"[?&]secret=([A-Z2-7]+)", uri)[1]

    def code(self, offset=0):
        return totp(self.secret, self.emulator.now() + offset * 30)

    def wrong_code(self):
        right = {self.code(offset) for offset in range(-3, 4)}
        return next(code for code in (f"{n:06}" for n in range(10)) if code not in right)


class AdminCase(unittest.TestCase):
    """A directory with settings and an emulator of its own for each class."""

    maxDiff = None
    switches = ()

    @classmethod
    def setUpClass(cls):
        cls.emulator = cls.enterClassContext(Emulator(*cls.switches))

    def setUp(self):
        self.emulator.control("reset")
        self.directory = self.enterContext(temporary_directory())
        (self.directory / "ca.pem").write_bytes(self.emulator.ca_file.read_bytes())
        self.settings = self.configure()
        self.users = self.directory / "users"

    def configure(self, **groups):
        return write_settings(self.directory, self.emulator.url, **groups)

    def command(self, *words):
        return [str(TOOL), "--settings", str(self.settings), *map(str, words)]

    def run_tool(self, *words, answers=(), environment=None, prefix=(), status=None, says="",
                 out=None):
        """One call with lines on standard input; it ends with STATUS, says SAYS, prints OUT."""
        done = subprocess.run([*prefix, *self.command(*words)], text=True, capture_output=True,
                              input="".join(f"{line}\n" for line in answers), timeout=60,
                              env=ENVIRONMENT | (environment or {}), check=False)
        self.assertIn(done.returncode, (done.returncode if status is None else status,), done)
        self.assertIn(done.stdout, (done.stdout if out is None else out,), done)
        self.assertIn(says, done.stderr)
        return Done(done.returncode, done.stdout, done.stderr)

    def privately(self, command):
        """A prefix: before the tool COMMAND runs, whose mounts the tool alone sees. For root."""
        enter = private_mounts()
        done = subprocess.run([*enter, "true"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"private namespaces are not permitted here: {done.stderr.strip()}")
        return (*enter, "sh", "-euc", command + '; exec "$@"', "sh")

    def with_accounts(self, *lines):
        """Such a prefix, with LINES more in /etc/passwd."""
        passwd = self.directory / "passwd"
        passwd.write_text(pathlib.Path("/etc/passwd").read_text()
                          + "".join(f"{line}\n" for line in lines))
        passwd.chmod(0o644)
        return self.privately(f"mount --bind {passwd} /etc/passwd")

    def start(self, *words, rows=60, columns=120, environment=None, prefix=()):
        """One call at a terminal."""
        command = [*prefix, *self.command(*words)]
        child = pexpect.spawn(command[0], command[1:], dimensions=(rows, columns),
                              timeout=PATIENCE_SECONDS, encoding="utf-8",
                              env=ENVIRONMENT | (environment or {}))
        child.delaybeforesend = None
        self.addCleanup(child.close, force=True)
        return child

    @staticmethod
    def finish(child):
        """Its exit status; a negative signal."""
        child.expect(pexpect.EOF)
        child.wait()
        return -child.signalstatus if child.signalstatus else child.exitstatus

    def hand_over(self, user="root", *options):
        """Gives USER a factor that is not confirmed; returns the app."""
        done = self.run_tool("enroll", user, "--uri-only", *options)
        self.assertEqual(done.status, OK, done.err)
        return App(self.emulator, done.out.strip())

    def enroll(self, user="root", *options):
        """Enrolls USER; returns the app."""
        app = self.hand_over(user, *options)
        key = [word for option in ("--api-key-sid", "--api-key-file") if option in options
               for word in (option, options[options.index(option) + 1])]
        done = self.run_tool("confirm", user, *key, answers=[app.code()])
        self.assertEqual(done.status, OK, done.err)
        return app

    def record(self, user="root", state=""):
        """(identity, factor SID or None) of a file; None: there is none."""
        path = self.users / state / f"{user}.conf"
        if not path.exists():
            return None
        keys = dict(re.findall(r'^(\w+) *= "([^"]*)";$', path.read_text(), re.MULTILINE))
        return keys["identity"], keys.get("factor_sid")

    def factors(self, identity):
        """SID to status, of what there is at Twilio; None: not even the entity."""
        reply = self.emulator.request("GET", f"{self.emulator.entity_path(identity)}/Factors")
        if reply.status == 404:
            return None
        return {factor["sid"]: factor["status"] for factor in reply.json["factors"]}

    def assert_enrolled(self, user="root"):
        """The enrolled factor is verified, and the only one."""
        identity, sid = self.record(user)
        self.assertEqual(self.factors(identity), {sid: "verified"})

    def operations(self):
        return self.emulator.stats()["operations"]

    def entities(self):
        """The identities at Twilio."""
        reply = self.emulator.request("GET", f"/v2/Services/{SERVICE_SID}/Entities")
        return {entity["identity"] for entity in reply.json["entities"]}

    def assert_consistent(self, user="root"):
        """Every factor at Twilio stands in a file; every file that a login reads is whole."""
        known = {record for state in ("", ".pending", ".former")
                 if (record := self.record(user, state))}
        identities = {identity for identity, _ in known}
        self.assertLessEqual(self.entities(), identities)
        for identity in identities:
            unknown = (self.factors(identity) or {}).keys() - {sid for _, sid in known}
            self.assertTrue(not unknown or (identity, None) in known, unknown)
        if self.record(user):
            self.assertIsNotNone(self.record(user)[1])

    def assert_nothing_is_left(self, user="root"):
        """Neither a file of USER's nor anything at Twilio."""
        self.assertEqual([self.record(user, state) for state in ("", ".pending", ".former")],
                         [None] * 3)
        self.assertEqual([str(path) for suffix in ("new", "lock")
                          for path in self.users.rglob(f"*.{suffix}")], [])
        self.assertEqual(self.entities(), set())
