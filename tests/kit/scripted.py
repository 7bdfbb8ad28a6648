# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The module in a PAM application, with a check program that follows a script."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(HERE, "..", "..", "build")))
MODULE = os.path.join(BUILD, "pam_twilio_verify.so")
DRIVER = os.path.join(BUILD, "pam-driver")
FAKE_CHECK = os.path.join(BUILD, "fake-check")

LOG_LINE = re.compile(r'user=(\S*) service=(\S*) rhost=(\S*) tty=\S+(?: ruser=\S+)? outcome=(\S+) '
                      r'reason="([^"]*)" ms=(\d+)')

# What pam_prompt(3) and pam_get_user(3) log by themselves.
LIBPAM_LINES = ("conversation failed", "no conversation function",
                "unexpected response from failed conversation function")


def is_sanitized():
    with open(MODULE, "rb") as module:
        return b"__asan_init" in module.read()


def asks_and_ends_with(verdict):
    return ["read", "send ask-secret Code: ", "read", "send " + verdict]


def says(line):
    """The script that reads the login line and sends LINE, with the newline that it may have."""
    raw = line if isinstance(line, bytes) else line.encode()
    return ["read", "sendraw " + raw.hex()]


class Login:
    """One run of the driver, which begins at once: the result is waited for when it is read."""

    def __init__(self, directory, script, *options, user="alice", service="sshd", arguments=(),
                 conf=None, helper=FAKE_CHECK, stack=None, before="", events=True, prefix=(),
                 **popen):
        self.script = os.path.join(directory, "script")
        self.script_events = self.script + ".events"
        self.ended = None
        with open(self.script, "w") as file:
            file.write("\n".join(script) + "\n")
        if events:
            open(self.script_events, "w").close()
        arguments = ["conf=" + (conf or self.script), "helper=" + helper, *arguments]
        self.write_stack(directory, service, arguments, stack, before)

        command = [*prefix, DRIVER, "--confdir", directory, "--service", service]
        if user is not None:
            command += ["--user", user]
        if stack is None:
            command += ["--module", MODULE]
            for argument in arguments:
                command += ["--argument", argument]
        self.process = subprocess.Popen(command + list(options), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)

    @staticmethod
    def write_stack(directory, service, arguments, stack, before):
        """libpam finds its own modules by their names alone, wherever this system keeps them."""
        permit = "auth required pam_permit.so\n"
        line = "auth %s %s %s\n" % (stack, MODULE, " ".join(arguments))
        for name in {service.lower(), "other"}:
            with open(os.path.join(directory, name), "w") as file:
                if stack is not None:
                    file.write(before + line)
                if stack is None or stack.startswith("["):
                    file.write(permit)

    def end(self):
        if self.ended is None:
            out, errors = self.process.communicate(timeout=600)
            self.ended = (out, errors.decode(errors="replace"), self.process.returncode)
        return self.ended

    @property
    def report(self):
        out, errors, status = self.end()
        if status != 0 or errors:
            raise AssertionError("pam-driver ended with %d: %s" % (status, errors))
        return json.loads(out)

    @property
    def codes(self):
        return [call["code"] for call in self.report["calls"]]

    @property
    def code(self):
        return self.codes[0]

    @property
    def ms(self):
        return self.report["calls"][0]["ms"]

    @property
    def messages(self):
        return [(message["style"], message["text"].encode("latin-1"))
                for message in self.report["messages"]]

    @property
    def log(self):
        """(LEVEL, TEXT) of each line of the module's, without what pam_syslog(3) puts before it."""
        lines = [(line["level"], re.sub(r"^(PAM|pam_twilio_verify\([^)]*\):) ", "", line["text"]))
                 for line in self.report["log"]]
        return [(level, text) for level, text in lines if text not in LIBPAM_LINES]

    @property
    def log_fields(self):
        """user, service, rhost, outcome, reason, ms of the login's one line."""
        (_, text), = self.log
        found = LOG_LINE.fullmatch(text)
        if not found:
            raise AssertionError("not a login's line: " + text)
        return found.groups()

    @property
    def events(self):
        """(PID, MS, EVENT, BYTES) of what the check program saw until the login's end."""
        self.end()
        return self.events_so_far()

    def events_so_far(self):
        with open(self.script_events) as file:
            rows = [row.rstrip("\n").split(" ") for row in file]
        return [(int(pid), int(ms), event, bytes.fromhex(text)) for pid, ms, event, text in rows]

    @property
    def received(self):
        return [text for _, _, event, text in self.events if event == "received"]

    @property
    def saw(self):
        return [event for _, _, event, _ in self.events]

    def there(self):
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % entry, "rb") as file:
                    words = file.read().split(b"\0")
                if words[1:3] == [b"--settings", self.script.encode()]:
                    found.append(int(entry))
            except OSError:
                pass
        return found

    def survivors(self):
        """Check programs of this login that live on; they are ended here. What the leak sanitizer
        had started to look into one that was killed ends a moment later."""
        end = time.monotonic() + 1
        while (found := self.there()) and time.monotonic() < end:
            time.sleep(0.05)
        for number in found:
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
        return found
