# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""check-pam on a directory that begins as Debian's /etc/pam.d."""

import json
import pathlib
import subprocess

from kit.admincase import OK, WRONG, AdminCase
from kit.mounts import private_mounts

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = ROOT / "conf" / "pam.d"
LINE = "auth required pam_twilio_verify.so\n"
DENY = "auth required pam_deny.so\n"
SPLIT = "auth requisite pam_twilio_verify.so split=6\n"
UNIX = "auth requisite pam_unix.so use_first_pass\n"

# What Debian 12 and 13 install, the lines of auth.
COMMON = ("auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n"
          "auth required pam_permit.so\n")
ACCOUNT = "account required pam_unix.so\nsession required pam_unix.so\n"
INCLUDE = "@include common-auth\n"
STOCK = {
    "common-auth": COMMON + "auth optional pam_cap.so\n",
    "other": INCLUDE,
    "sshd": INCLUDE + "account required pam_nologin.so\n" + ACCOUNT,
    "sudo": "#%PAM-1.0\nsession required pam_limits.so\n" + INCLUDE + ACCOUNT,
    "sudo-i": "#%PAM-1.0\nsession required pam_limits.so\n" + INCLUDE + ACCOUNT,
    "login": "auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\n" +
             INCLUDE + "auth optional pam_group.so\n" + ACCOUNT,
    "su": "auth sufficient pam_rootok.so\n" + INCLUDE + ACCOUNT,
    "su-l": "auth include su\naccount include su\n",
    "chsh": "auth required pam_shells.so\nauth sufficient pam_rootok.so\n" + INCLUDE,
    "passwd": "@include common-password\n",
    "common-password": "password required pam_unix.so\n",
    "runuser": "auth sufficient pam_rootok.so\nsession required pam_unix.so\n",
}
# As pam-auth-update writes it with conf/pam-configs/twilio-verify.
PROFILE = COMMON + LINE + "auth optional pam_cap.so\n"

# sshd wants its directory, which is there while it runs.
ENTER = (*private_mounts(), "sh", "-c",
         'mount -t tmpfs none /run && mkdir /run/sshd && exec "$@"', "sh")


def recipe(name):
    """The lines of a recipe that are no comment."""
    return "".join(line for line in (RECIPES / name).read_text().splitlines(keepends=True)
                   if not line.startswith("#") and line.strip())


def can_enter():
    return subprocess.run([*ENTER, "true"], capture_output=True, check=False).returncode == 0


class CheckCase(AdminCase):
    def setUp(self):
        super().setUp()
        self.pam = self.directory / "pam.d"
        self.pam.mkdir()
        self.install(**STOCK)
        self.sudoers = self.directory / "sudoers"
        self.sudoers.write_text("Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n")

    def install(self, **files):
        for name, text in files.items():
            (self.pam / name.replace("_", "-")).write_text(text)

    def check(self, *words, prefix=(), directory=True):
        """(status, [(level, subject, text, remedy)]), without the verdict."""
        words = ["--pam-dir", self.pam, *words] if directory else words
        done = self.run_tool("check-pam", "--json", "--sudoers", self.sudoers, *words,
                             prefix=prefix)
        findings = [(row["level"], row["subject"], row["text"], row.get("remedy", ""))
                    for row in json.loads(done.out)]
        self.assertEqual(findings[-1][1], "verdict")
        self.assertEqual(done.status, WRONG if findings[-1][0] == "wrong" else OK)
        return done.status, findings[:-1]

    def findings_of(self, service, subject=None, **options):
        """Those about SUBJECT, or the service itself, where it is named."""
        _, findings = self.check(service, **options)
        return [finding for finding in findings if finding[1] == (subject or service)]

    def judge(self, text, service="svc"):
        """["level: text"] of one service with the stack TEXT."""
        (self.pam / service).write_text(text)
        return [f"{level}: {text}".replace(f"{self.pam}/", "")
                for level, _, text, _ in self.findings_of(service)]

    def assert_judged(self, text, *expected, service="svc"):
        """Each finding, in order, begins with what is expected of it."""
        found = self.judge(text, service)
        self.assertEqual(len(found), len(expected), found)
        for one, beginning in zip(found, expected):
            self.assertEqual(one[:len(beginning)], beginning, found)
