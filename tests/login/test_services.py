#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Hosts that are services, in a container: one that was given no more than a login needs."""

import json
import pathlib
import unittest

from logincase import LoginCase, machine, setUpModule
from machine import MODULE_LINE, SECURITY, fixture, run

WITHOUT_POWER = ("setpriv", "--bounding-set=-sys_resource")  # as root in many containers
NEEDS = {"AS": 64 << 20, "DATA": 32 << 20, "NOFILE": 16, "NPROC": 2, "STACK": 128 << 10}


class LowLimits(LoginCase):
    """A service of root's that lacks CAP_SYS_RESOURCE; one at a time, since RLIMIT_NPROC counts all
    processes of an account. It has one of its own for that."""

    @classmethod
    def setUpClass(cls):
        run("useradd", "--system", "--no-create-home", "_limited")
        run("install", "-d", "-m", "0700", "-o", "_limited", "/run/limited")
        settings = machine.configure(SECURITY / "twilio-verify-limited.conf")
        settings.write_text(settings.read_text() + 'check = { run_as = "_limited"; '
                            'state_dir = "/run/limited"; };\n')
        stack = pathlib.Path("/etc/pam.d/limited")
        stack.write_text(f"{MODULE_LINE} conf={settings}\nauth required pam_permit.so\n")

    def log_in(self, name, value):
        """The PAM code, and the module's line."""
        person = machine.person("limited")
        shown = run(*WITHOUT_POWER, fixture.BUILD / "pam-driver", "--confdir", "/etc/pam.d",
                    "--service", "limited", "--user", person.name, "--answer", person.code,
                    "--rlimit", f"{name}={value}")
        report = json.loads(shown)
        return report["calls"][0]["code"], report["log"][-1]["text"]

    def test_a_login_works_with_what_it_needs(self):
        for name, need in NEEDS.items():
            with self.subTest(name):
                code, line = self.log_in(name, need)
                self.assertEqual(code, "PAM_SUCCESS", line)

    def test_a_login_with_less_is_misconfigured_and_the_log_names_the_remedy(self):
        for name, need in NEEDS.items():
            with self.subTest(name):
                code, line = self.log_in(name, need - 1)
                self.assertEqual(code, "PAM_SERVICE_ERR", line)
                self.assertIn(f"RLIMIT_{name} is {need - 1} ", line)
                self.assertIn(f"set Limit{name}={need} or more", line)


if __name__ == "__main__":
    unittest.main()
