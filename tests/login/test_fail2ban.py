#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""fail2ban reads the log lines of real logins by the filter in conf/fail2ban."""

import pathlib
import subprocess
import unittest

from logincase import (AWAY, CODE_PROMPT, LOCALHOST, WRONG_PROMPT, SettingsCase, machine,
                       setUpModule)

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILTER = ROOT / "conf/fail2ban/filter.d/twilio-verify.conf"
LINE = "Nov 28 14:02:03 host sshd[4711]: {}"


class Filter(SettingsCase):
    def counted(self, *texts):
        """The addresses of the log lines with TEXTS that count."""
        log = pathlib.Path("/run/fail2ban.log")
        log.write_text("".join(LINE.format(text) + "\n" for text in texts))
        done = subprocess.run(["fail2ban-regex", "--out", "<ip>", log, FILTER], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def lines(self, person, logins):
        person.log(logins)
        return [line.text for line in machine.journal.find(f"user={person.name} ", logins)]

    def test_wrong_codes_count_and_a_right_one_does_not(self):
        person = machine.person("guesser")
        wrong = person.wrong_codes
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]), (WRONG_PROMPT, wrong[2]))
        self.assertEqual(self.counted(*self.lines(person, 1)), [LOCALHOST] * 3)
        self.assert_in(self.server, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.code))
        self.assertEqual(self.counted(*self.lines(person, 2)), [LOCALHOST] * 3)

    def test_a_user_who_is_not_enrolled_counts_and_an_outage_does_not(self):
        person = machine.person("nobody2", is_enrolled=False)
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123457"), (WRONG_PROMPT, "123458"))
        self.assertEqual(self.counted(*self.lines(person, 1)), [LOCALHOST])
        person = machine.person("outage")
        machine.configure(service=AWAY)
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.code))
        self.assertEqual(self.counted(*self.lines(person, 1)), [])

    def test_a_locked_user_counts(self):
        text = ('pam_twilio_verify(sshd:auth): user=a service=sshd rhost={} tty=ssh '
                'outcome=exhausted reason="{}" ms=1000')
        for reason in ("30 wrong codes in 24 h, until 2026-11-29T14:02:00Z",
                       "100 wrong codes in a row: twilio-verify unlock a"):
            self.assertEqual(self.counted(text.format("2001:db8::7", reason)), ["2001:db8::7"])
        self.assertEqual(self.counted(text.format("192.0.2.7", "error 60312")), [])

    def test_neither_a_name_nor_a_text_of_the_attacker_s_bans_an_address(self):
        line = ('pam_twilio_verify(sshd:auth): user={} service=sshd rhost={} tty=ssh '
                'reason="wrong code 1 of 3, 1 in a row; challenge=YC"')
        self.assertEqual(self.counted(line.format("a", "192.0.2.7")), ["192.0.2.7"])
        self.assertEqual(self.counted(line.format("a", "localhost"), line.format("a", "-"),
                                      "Invalid user " + line.format("a", "192.0.2.7"),
                                      line.format(r"a\x20rhost=192.0.2.7", "-")), [])


if __name__ == "__main__":
    unittest.main()
