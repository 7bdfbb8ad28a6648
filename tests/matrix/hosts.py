# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The same stack in three hosts: one login through each, and what came of it.

witness.so, before our module, writes down which code libpam returned to the host, and how long after
the last answer: for sshd and sudo nothing else tells. The bare application tells the code itself, too.
"""

import collections
import contextlib
import json
import os
import pathlib
import subprocess

from kit.fixture import BUILD
from kit.machine import RUN_AS, Machine, Sshd, run

DIRECTORY = pathlib.Path("/run/faults")
USER = "faults"
PATIENCE_SECONDS = 60
PAM_CODES = {0: "PAM_SUCCESS", 3: "PAM_SERVICE_ERR", 4: "PAM_SYSTEM_ERR", 7: "PAM_AUTH_ERR",
             9: "PAM_AUTHINFO_UNAVAIL", 11: "PAM_MAXTRIES", 19: "PAM_CONV_ERR", 25: "PAM_IGNORE",
             26: "PAM_ABORT"}

# CODE: libpam's to the host; SECONDS: after the last question of ASKED; IS_IN: the host let in.
Returned = collections.namedtuple("Returned", "code seconds asked is_in screen")


class Hosts:
    """A throw-away machine with sshd, sudo, and a bare application; for every name of SERVICES they
    can be told to use it."""

    NAMES = ("sshd", "sudo", "bare")

    def __init__(self, services):
        self.services = services
        self.machine = Machine()
        self.ssh = Sshd(2222, "KbdInteractiveAuthentication yes", "PasswordAuthentication no",
                        "AuthenticationMethods keyboard-interactive")

    def __enter__(self):
        self.machine.__enter__()
        DIRECTORY.mkdir(mode=0o755)
        self._fill_disk()
        self.machine.add_account(USER, "no password")
        self._write_sudoers()
        askpass = DIRECTORY / "askpass"
        askpass.write_text('#!/bin/sh\necho "$CODE"\n')
        askpass.chmod(0o755)
        self.ssh.__enter__()
        return self

    def __exit__(self, *exception):
        self.ssh.__exit__(*exception)
        self.machine.__exit__(*exception)

    @staticmethod
    def _fill_disk():
        """A state directory on a disk on which not one byte is free."""
        directory = pathlib.Path("/run/full")
        directory.mkdir(mode=0o755)
        run("mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", str(directory))
        run("install", "-d", "-m", "0700", "-o", RUN_AS, str(directory / "state"))
        with contextlib.suppress(OSError), open(directory / "everything", "wb", 0) as file:
            while True:
                file.write(bytes(4096))

    def _write_sudoers(self):
        """Every service has a command of its own, by which sudo knows it."""
        rules = f"{USER} ALL=(ALL:ALL) ALL\nDefaults:{USER} passwd_tries=1\n"
        for service in self.services:
            command = self._command(service)
            command.parent.mkdir(exist_ok=True)
            command.symlink_to("/usr/bin/id")
            rules += f"Defaults!{command} pam_service={service}\n"
        path = pathlib.Path("/etc/sudoers.d/faults")
        path.touch(0o440)
        path.write_text(rules)

    @staticmethod
    def _command(service):
        return DIRECTORY / "commands" / service

    def write_stack(self, service, report, arguments, starve=None):
        """Puts our module, with ARGUMENTS, before pam_permit into SERVICE."""
        starve = f" starve={starve}" if starve else ""
        witness = BUILD / "tests" / "witness.so"
        pathlib.Path("/etc/pam.d", service).write_text(
            f"auth  requisite  {witness} report={report}{starve}\n"
            f"auth  required  pam_twilio_verify.so {arguments}\n"
            "auth  required  pam_permit.so\n"
            "account  required  pam_permit.so\n"
            "session  required  pam_permit.so\n")

    def login(self, host, service, report, code):
        """One login through HOST, at which CODE is the answer to every question."""
        status, output, errors = getattr(self, f"_{host}")(service, code)
        screen = f"status {status}\n{output}{errors}"
        told = report.read_text().split("\n") if report.exists() else []
        if len(told) != 2:
            raise AssertionError(f"libpam returned {len(told) - 1} times to {host}: {screen}")
        number, spent_ms, asked = map(int, told[0].split())
        name = PAM_CODES.get(number, str(number))
        if host == "bare":
            said = json.loads(output)["calls"][0]["code"]
            assert said == name, f"the application got {said}, and the witness {name}"
            is_in = said == "PAM_SUCCESS"
        else:
            is_in = status == 0 or output != ""
        return Returned(name, spent_ms / 1000, asked, is_in, screen)

    def _run(self, command, text=None, **options):
        done = subprocess.run(command, input=text, stdin=None if text else subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                              start_new_session=True, errors="backslashreplace", **options)
        return done.returncode, done.stdout, done.stderr

    def _sshd(self, service, code):
        command = self.ssh.command(USER, "id", "-un", options=self.ssh.for_one_connection(service))
        return self._run(command, env={"PATH": os.environ["PATH"], "CODE": code,
                                       "SSH_ASKPASS": str(DIRECTORY / "askpass"),
                                       "SSH_ASKPASS_REQUIRE": "force"})

    def _sudo(self, service, code):
        return self._run(["sudo", "-k", "-S", str(self._command(service)), "-un"], f"{code}\n" * 5,
                         user=USER, group=USER, extra_groups=[], cwd="/")

    def _bare(self, service, code):
        return self._run([BUILD / "pam-driver", "--confdir", "/etc/pam.d", "--service", service,
                          "--user", USER, *["--answer", code] * 5])
