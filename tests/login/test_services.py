# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Hosts that are services: vsftpd, and one that was given no more than a login needs.

vsftpd has one field, limits itself, and has a SIGCHLD handler that waits for a child."""

import concurrent.futures
import ftplib
import json
import pathlib
import subprocess
import time

from logincase import (CREATED, LOCALHOST, VERIFIED, LoginCase, at_once, machine, ports,
                       setUpModule)
from kit.machine import MODULE_LINE, PATIENCE_SECONDS, SECURITY, eventually, fixture, run
from kit.parallel import patience

# After a refusal libpam waits for up to 3 s and vsftpd for 1 s; up to three questions take the rest.
FAIL_SECONDS = 7
WITHOUT_POWER = ("setpriv", "--bounding-set=-sys_resource")  # as root in many containers
NEEDS = {"AS": 64 << 20, "DATA": 32 << 20, "NOFILE": 16, "NPROC": 2, "STACK": 128 << 10}
CONFIGURATION = """
listen=YES
listen_ipv6=NO
listen_address={address}
listen_port={port}
background=NO
local_enable=YES
anonymous_enable=NO
secure_chroot_dir={directory}
pam_service_name=vsftpd-code
"""


class Vsftpd:
    """`with Vsftpd():`; PREFIX starts it."""

    def __init__(self, *prefix):
        self.prefix, self.port = prefix, next(ports)

    def __enter__(self):
        directory = pathlib.Path(f"/run/vsftpd-{self.port}")
        directory.mkdir()
        configuration = directory.with_suffix(".conf")
        configuration.write_text(CONFIGURATION.format(address=LOCALHOST, port=self.port,
                                                      directory=directory))
        self.process = subprocess.Popen([*self.prefix, "/usr/sbin/vsftpd", configuration],
                                        stdin=subprocess.DEVNULL)
        if not eventually(self.is_listening, bool):
            raise RuntimeError("vsftpd does not start")
        return self

    def is_listening(self):
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def connect(self):
        ftp = ftplib.FTP(timeout=PATIENCE_SECONDS)
        ftp.connect(LOCALHOST, self.port)
        return ftp

    def sessions(self):
        """The processes of connections."""
        found = subprocess.run(["pgrep", "--parent", str(self.process.pid)], capture_output=True,
                               text=True, check=False)
        return found.stdout.split()

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()


@at_once
class OneField(LoginCase):
    """The code is the answer to the command PASS."""

    @classmethod
    def setUpClass(cls):
        stack = pathlib.Path("/etc/pam.d/vsftpd-code")
        stack.write_text(f"{MODULE_LINE}\naccount required pam_permit.so\n"
                         "session required pam_permit.so\n")
        cls.server = cls.enterClassContext(Vsftpd())
        cls.limited = cls.enterClassContext(Vsftpd(*WITHOUT_POWER))

    def log_in(self, server, person, code):
        """The reply to PASS, and how long it took."""
        with server.connect() as ftp:
            ftp.sendcmd(f"USER {person.name}")
            began = time.monotonic()
            try:
                reply = ftp.sendcmd(f"PASS {code}")
            except ftplib.error_perm as error:
                reply = str(error)
            return reply[:3], time.monotonic() - began

    def assert_nothing_is_left(self, server):
        self.assertEqual(eventually(server.sessions, lambda found: not found), [])

    def assert_right_and_wrong(self, server):
        person = machine.person("ftp")
        self.assertEqual(self.log_in(server, person, person.code)[0], "230", person.log(1))
        reply, seconds = self.log_in(server, person, person.wrong_code)
        self.assertEqual(reply, "530")
        self.assertLess(seconds, patience(FAIL_SECONDS))
        outcomes = [line.text.partition("outcome=")[2].split()[0] for line in person.log(2)
                    if "outcome=" in line.text]
        self.assertEqual(outcomes, ["approved", "denied"])
        self.assert_no_secret(person)

    def test_a_right_code_lets_in_and_a_wrong_one_does_not(self):
        self.assert_right_and_wrong(self.server)

    def test_a_wrong_code_is_sent_once_though_the_host_repeats_it(self):
        person = machine.person("ftponce")
        self.assertEqual(self.log_in(self.server, person, person.wrong_code)[0], "530")
        self.assert_requests(person, CREATED, VERIFIED)
        self.assertRegex(person.log(1)[0].text,
                         r'reason="no valid code in 2 attempts \(1 repeated\); challenge=YC')

    def test_a_wrong_recovery_code_counts_once_though_the_host_repeats_it(self):
        person = machine.person("ftprecovery")
        run("twilio-verify", "recovery-codes", person.name)
        for _ in range(4):
            self.assertEqual(self.log_in(self.server, person, "bbbb-bbbb-bbbb")[0], "530")
        for line in person.log(4):
            self.assertRegex(line.text, r"\(1 repeated, 1 wrong recovery code\)")
            self.assertNotIn("no recovery code is accepted until", line.text)

    def test_it_does_so_under_the_limit_that_it_gives_itself_and_can_t_raise(self):
        """RLIMIT_AS, 200 MiB."""
        self.assert_right_and_wrong(self.limited)

    def test_fifty_refusals_leave_no_process_behind(self):
        def refuse(_):
            person = machine.person("ftpwrong")
            return [self.log_in(self.server, person, person.wrong_code)[0] for _ in range(5)]

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            self.assertEqual(list(pool.map(refuse, range(10))), [["530"] * 5] * 10)

    @classmethod
    def tearDownClass(cls):
        for server in (cls.server, cls.limited):
            cls("assert_nothing_is_left").assert_nothing_is_left(server)


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

    def log_in(self, name, value, prefix=WITHOUT_POWER):
        """The PAM code, and the module's line."""
        person = machine.person("limited")
        shown = run(*prefix, fixture.BUILD / "pam-driver", "--confdir", "/etc/pam.d",
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

    def test_without_the_power_to_become_an_account_the_log_names_the_settings_of_the_unit(self):
        for power in ("setuid", "setgid"):
            with self.subTest(power):
                code, line = self.log_in("CORE", 0, ("setpriv", f"--bounding-set=-{power}"))
                self.assertEqual(code, "PAM_SERVICE_ERR", line)
                self.assertIn("cannot drop root privileges: Operation not permitted: check "
                              "CapabilityBoundingSet=, PrivateUsers=, ", line)
