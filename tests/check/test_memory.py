# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What a host remembers between logins: codes that were used, challenges that were created, recovery
codes; and what becomes of a login where it can't."""

import collections
import errno
import fcntl
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import time
import unittest
import uuid

from kit.fixture import BUILD
from kit.checkcase import WRONG_PROMPT, CheckTest, Login, load_tests, needs_root
from kit.parallel import alone, each, patience
from kit.statefile import (CLAIMS, CREATIONS, DENIED, ROW, TRIED, TRIES, UNTOLD, UNTOLD_AT, USED,
                           WRONG_AT, forge, make_old, read)
from kit.liar import OTHER_WRONG, RIGHT, WRONG, Connection, dropped, for_ever, lost, refuse
from kit.mounts import private_mounts
from kit.start import without

TOOL = BUILD / "twilio-verify"
USED_PROMPT = ("ask-secret That code was used before: wait for the next one. "
               "Verification code: ")
OUTAGE = "The service does not answer; a recovery code works. Verification code: "
AWAY = "https://127.0.0.1:1"
CREATIONS_HOUR, FREE_TRIES, CROWD = 45, 5, 100
SERVICES = ("sshd", "sudo", "login")
FLOCK = {"x86_64": 73, "aarch64": 32}.get(platform.machine(), -1)
MODES = ("at_prompt", "with_code")
UNREMEMBERED = "cannot store used codes: "


def run_tool(host, *words):
    done = subprocess.run([TOOL, "--settings", host.settings, *words], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_codes(host, user="alice", count=10):
    return run_tool(host, "recovery-codes", user, "--count", str(count)).split()


def seconds_since(began):
    """By a clock of whole seconds, at most."""
    return int(time.monotonic() - began) + 1


def state_file(host, user="alice"):
    """Of the codes of the app."""
    return host.directory / "state" / f"{user}.sent"


def used_file(host, user="alice"):
    """Of the recovery codes."""
    return host.directory / "state" / f"{user}.used"


class MemoryTest(CheckTest):
    def single(self, server, **groups):
        """A host with one attempt a login."""
        return self.host(server, login={"attempts": 1} | groups.pop("login", {}), **groups)

    def liar_single(self, **groups):
        server = self.liar()
        return server, self.single(server, **groups)

    def one_answer(self, host, answer, outcome, reason="^", **options):
        """One login with one answer; the lines between it and the verdict, and the reason."""
        login = self.answered(host, answer, **options)
        while (line := login.read_line(5)).startswith("show "):
            pass
        said, _, why = line.partition(": ")
        self.assertEqual(said, outcome, line)
        self.assertRegex(why, reason)
        self.assertEqual(login.wait(1), 0)
        login.check_leaks()
        return login.lines[1:-1], why

    def crowd(self, host, answers):
        """CROWD logins, which answer at the same moment, each the next of ANSWERS; the last lines."""
        logins = [Login(host.settings, service=SERVICES[number % len(SERVICES)],
                        timeout=host.timeout) for number in range(CROWD)]
        try:
            for login in logins:
                login.expect_prompt(seconds=20)
            for login, answer in zip(logins, answers):
                login.answer(answer)
            lines = []
            for login in logins:
                while (line := login.read_line(20)).startswith("show "):
                    pass
                lines.append(line)
            return lines
        finally:
            for login in logins:
                login.__exit__()


class Outage(MemoryTest):
    """Who has recovery codes hears of it in the next question."""

    def after_the_outage(self, host, **options):
        """A login at the question that tells of it."""
        login = self.answered(host, RIGHT, **options)
        login.expect_prompt("ask-secret " + OUTAGE)
        return login

    def test_a_recovery_code_is_tried(self):
        for attempts in (1, 3):
            host = self.host(AWAY, login={"attempts": attempts})
            code, *_ = make_codes(host)
            login = self.after_the_outage(host)
            login.answer(code)
            self.assertEqual(login.read_line(5), "show That was a recovery code; 9 remain.")
            self.assert_outcome(login, "approved", "RECOVERY CODE used, 9 remain")

    def test_an_outage_in_the_verification_is_told_too(self):
        server = self.liar(verify=for_ever(refuse(503)))
        host = self.host(server)
        code, *_ = make_codes(host)
        login = self.after_the_outage(host)
        login.answer(code)
        self.assertEqual(login.read_line(5), "show That was a recovery code; 9 remain.")
        self.assert_outcome(login, "approved")
        self.assertEqual(server.codes, [RIGHT])

    def test_nothing_a_code_and_the_end_are_unavailable(self):
        for answer in ("", WRONG, RIGHT, None):
            with self.subTest(answer):
                server = self.liar(verify=for_ever(refuse(503)))
                host = self.host(server)
                make_codes(host)
                login = self.after_the_outage(host)
                login.hang_up() if answer is None else login.answer(answer)
                self.assert_outcome(login, "unavailable", "503.*; challenge=YC")
                self.assertEqual(server.codes, [RIGHT])

    def test_a_wrong_recovery_code_is_asked_again_and_counts(self):
        host = self.host(AWAY, login={"attempts": 2})
        make_codes(host)
        login = self.after_the_outage(host)
        for answer, prompt in (("bbbb-bbbb-bbbb", f"ask-secret Wrong code. {OUTAGE}"),
                               ("password", None)):
            login.answer(answer)
            if prompt is not None:
                login.expect_prompt(prompt)
        self.assert_outcome(login, "denied", r"no valid code in 2 attempts "
                                             r"\(1 malformed, 1 wrong recovery code\)$")

    def test_nobody_is_asked_who_has_no_code_that_works(self):
        host = self.host(AWAY, users=("alice", "bob", "carol"))
        code, *_ = make_codes(host, count=1)
        self.one_answer(host, code, "approved", "0 remain")
        self.one_answer(host, RIGHT, "unavailable")
        self.one_answer(host, RIGHT, "unavailable", user="bob")
        make_codes(host, "carol")
        path = used_file(host, "carol")
        forge(path, lambda values: values.__setitem__(TRIES, FREE_TRIES))
        forge(path, lambda values: values.__setitem__(TRIED, int(time.time())))
        self.one_answer(host, RIGHT, "unavailable", user="carol")
        self.one_answer(host, RIGHT, "denied", "not enrolled", user="root")


class Rounds(MemoryTest):
    """A client that asks again by itself costs no challenge for a round that nobody answers."""

    def leave(self, host, server, created):
        """At the question, when the connection stands and CREATED challenges are there."""
        login = self.prompted(host)
        count = len(server.connections)
        self.assertTrue(server.wait(lambda server: server.connections[count - 1:] and
                                    server.connections[-1].stands))
        self.assertTrue(server.wait(lambda server: server.kinds.count("create") >= created))
        time.sleep(0.3)  # for one more
        login.hang_up()
        self.assert_outcome(login, "denied", "left at the question")

    def deny(self, host):
        self.run_login(host, [WRONG, OTHER_WRONG, WRONG], "denied", "no valid code in 3 attempts")

    def test_a_round_after_a_denied_one_creates_nothing_until_a_code_comes(self):
        server, host = self.liar_host()
        self.deny(host)
        self.assertEqual(server.kinds.count("create"), 1)
        for _ in range(5):
            self.leave(host, server, 1)
        self.assertEqual(server.kinds.count("create"), 1)
        self.run_login(host, ["password", RIGHT], "approved")
        self.assertEqual(server.kinds.count("create"), 2)

    def test_other_users_and_an_approved_round_wait_for_nothing(self):
        server, host = self.liar_host(users=("alice", "bob"))
        self.deny(host)
        self.run_login(host, [RIGHT], "approved")
        self.leave(host, server, 3)
        self.assertEqual(server.kinds.count("create"), 3)

    def test_a_minute_later_nothing_is_waited_for(self):
        server, host = self.liar_host()
        self.deny(host)
        for created, seconds in ((2, -60), (3, 3600)):  # ago, and from the future
            forge(state_file(host), lambda values: values.__setitem__(
                DENIED, int(time.time()) + seconds))
            self.leave(host, server, created)
        self.assertEqual(server.kinds.count("create"), 3)

    def test_what_is_no_wrong_code_is_no_reason(self):
        server, host = self.liar_host()
        for created in (1, 2):
            self.leave(host, server, created)
        self.assertEqual(server.kinds.count("create"), 2)

    def test_where_nothing_tells_a_challenge_is_created(self):
        server, host = self.liar_host()
        self.deny(host)
        state_file(host).write_bytes(b"damaged")
        self.leave(host, server, 2)
        self.assertEqual(server.kinds.count("create"), 2)


class OldFile(MemoryTest):
    def test_what_the_version_before_remembered_is_kept(self):
        host = self.host(AWAY)
        first, second, *_ = make_codes(host)
        self.one_answer(host, first, "approved", "9 remain")
        make_old(used_file(host))
        self.assertIn("9", run_tool(host, "list", "--json"))
        self.one_answer(host, second, "approved", "8 remain")
        make_old(used_file(host))
        for code in (first, second):
            login = self.answered(host, code)
            login.expect_prompt(WRONG_PROMPT)
            login.hang_up()
            self.assert_outcome(login, "denied", "the recovery code was used before")


class NoCodeTwice(MemoryTest):
    def test_a_code_that_was_approved_is_not_sent_again(self):
        server, host = self.liar_host()
        self.run_login(host, [RIGHT], "approved")
        login = self.answered(host, RIGHT)
        login.expect_prompt(USED_PROMPT)
        login.answer(WRONG)
        login.expect_prompt(WRONG_PROMPT)
        login.answer(f"{RIGHT[:3]} {RIGHT[3:]}")
        self.assert_outcome(login, "denied", r"no valid code in 3 attempts "
                                             r"\(2 used before on this host\); challenge=YC")
        codes = [request.code for request in server.requests if request.kind == "verify"]
        self.assertEqual(codes, [RIGHT, WRONG])

    def test_it_is_another_users_as_well(self):
        server, host = self.liar_host(users=("alice", "bob"))
        self.run_login(host, [RIGHT], "approved")
        self.run_login(host, [RIGHT], "approved", user="bob")

    def test_a_wrong_code_may_be_tried_again(self):
        host = self.single(self.liar())
        for _ in range(3):
            self.one_answer(host, WRONG, "denied", "no valid code in 1 attempt; challenge")

    def test_a_code_whose_fate_nobody_knows_is_used(self):
        server = self.liar(verify=[lost(Connection.hang)], fetch=[dropped(Connection.hang)] * 3)
        host = self.single(server, service={"timeout_seconds": 1})
        self.one_answer(host, RIGHT, "unavailable")
        self.one_answer(host, RIGHT, "denied", "1 used before")

    def test_a_login_that_is_killed_has_used_its_code(self):
        server = self.liar(verify=[lost(Connection.hang)], fetch=[dropped(Connection.hang)] * 3)
        host = self.single(server)
        login = self.answered(host, RIGHT)
        self.assertTrue(server.wait(lambda server: "verify" in server.kinds))
        login.process.send_signal(signal.SIGKILL)
        login.process.wait()
        self.one_answer(host, RIGHT, "denied", "1 used before")

    def test_the_lock_is_held_neither_while_the_user_types_nor_while_twilio_answers(self):
        server = self.liar(verify=[lost(Connection.hang)], fetch=[dropped(Connection.hang)] * 3)
        host = self.single(server)
        login = self.prompted(host)
        for kind, answer in (("create", RIGHT), ("verify", None)):
            self.assertTrue(server.wait(lambda server: kind in server.kinds))
            with state_file(host).open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if answer is not None:
                login.answer(answer)
        login.hang_up()

    @alone
    def test_of_many_logins_with_one_code_one_is_let_in(self):
        emulator = self.emulator(challenge_limits="off", used_code="accepted")
        host, factor = self.factor_host(emulator, login={"attempts": 1})
        lines = self.crowd(host, [factor.code()] * CROWD)
        outcomes = collections.Counter(line.partition(":")[0] for line in lines)
        self.assertEqual(outcomes, {"approved": 1, "denied": CREATIONS_HOUR - 1,
                                    "exhausted": CROWD - CREATIONS_HOUR})
        for line in lines:
            if line.startswith("denied"):
                self.assertIn("1 used before on this host", line)
        self.assertEqual(emulator.stats()["codes"], 1)

    @needs_root
    def test_a_clock_that_is_set_changes_nothing_and_five_minutes_do(self):
        host = self.single(self.liar())
        self.one_answer(host, RIGHT, "approved")
        later = ("unshare", "--time", "--fork", "--kill-child", "--boottime")
        self.one_answer(host, RIGHT, "denied", "used before", prefix=(*later, "200"))
        self.one_answer(host, RIGHT, "approved", prefix=(*later, "302"))


class WrongCodes(MemoryTest):
    """Thirty in 24 hours, a hundred in a row, whatever is done at once or killed."""

    UNTIL = (r"ask-secret Too many wrong codes until (20\d\d-\d\d-\d\d )?\d\d:\d\d: use a recovery "
             r"code\. Verification code: $")
    NEVER = ("ask-secret Too many wrong codes: use a recovery code, or ask an administrator. "
             "Verification code: ")

    def set_wrong(self, host, times, row):
        """The file says so many wrong codes; each time is seconds ago."""
        run_tool(host, "unlock", "alice")

        def change(values):
            values[WRONG_AT] = ([int(time.time()) - ago for ago in times] + [0] * 30)[:30]
            values[ROW] = row
            values[CLAIMS] = [0] * 128
        forge(state_file(host), change)

    def assert_locked(self, host, prompt, reason, answer=RIGHT):
        login = self.login(host)
        self.assertRegex(login.read_line(5), prompt)
        login.hang_up() if answer is None else login.answer(answer)
        self.assert_outcome(login, "exhausted", reason)

    def test_thirty_in_a_day_over_all_services(self):
        server, host = self.liar_single()
        code, *_ = make_codes(host)
        for number in range(30):
            self.one_answer(host, WRONG, "denied", service=SERVICES[number % 3])
        created = server.kinds.count("create")
        for answer in (RIGHT, None):
            self.assert_locked(host, self.UNTIL, "30 wrong codes in 24 h, until 20.*Z$", answer)
        self.assertEqual(server.kinds.count("verify"), 30)
        self.assertEqual(server.kinds.count("create"), created)
        login = self.login(host)
        self.assertRegex(login.read_line(5), self.UNTIL)
        login.answer(code)
        self.assertRegex(login.read_line(5), "^show That was a recovery code")
        self.assert_outcome(login, "approved")
        self.assert_locked(host, self.UNTIL, "30 wrong codes in 24 h")
        run_tool(host, "unlock", "alice")
        self.one_answer(host, RIGHT, "approved")

    def test_a_hundred_in_a_row_until_unlock_or_a_recovery_code(self):
        host = self.single(self.liar())
        code, *_ = make_codes(host)
        for end in ("unlock", "recovery"):
            self.set_wrong(host, [], 100)
            self.assert_locked(host, f"^{re.escape(self.NEVER)}$",
                               "100 wrong codes in a row: twilio-verify unlock alice$")
            if end == "unlock":
                run_tool(host, "unlock", "alice")
            else:
                login = self.login(host)
                login.expect_prompt(self.NEVER)
                login.answer(code)
                self.assertRegex(login.read_line(5), "^show That was a recovery code")
                self.assert_outcome(login, "approved")
            self.one_answer(host, RIGHT, "approved")

    def test_the_hundredth_is_a_warning(self):
        host = self.single(self.liar())
        self.set_wrong(host, [60] * 9, 99)
        login = self.answered(host, WRONG)
        self.assert_outcome(login, "denied")
        (level, text), = login.logged
        self.assertEqual(level, "warning")
        self.assertRegex(text, "^wrong code 1 of 1, 100 in a row; challenge=YC")
        self.assert_locked(host, f"^{re.escape(self.NEVER)}$", "100 wrong codes in a row")

    def test_the_tenth_whose_reply_got_lost_is_made_up_for_by_the_next(self):
        server = self.liar(verify=[lost(Connection.hang)], fetch=[dropped(Connection.hang)] * 9)
        host = self.single(server, service={"timeout_seconds": 1})
        self.set_wrong(host, [60] * 9, 9)
        self.one_answer(host, OTHER_WRONG, "unavailable")
        login = self.login(host)
        self.assertRegex(login.read_line(5), "^ask-secret ")
        login.answer(WRONG)
        self.assert_outcome(login, "denied")
        self.assertIn(("warning", "wrong code 1 of 1, 11 in a row"),
                      [(level, text.partition(";")[0]) for level, text in login.logged])

    @needs_root
    def test_a_reboot_resets_nothing(self):
        """It begins CLOCK_BOOTTIME anew, and has another boot id."""
        host = self.single(self.liar())
        self.set_wrong(host, [60] * 28, 28)
        for number in range(2):
            self.one_answer(host, (WRONG, OTHER_WRONG)[number], "denied", prefix=self.reboot(host))
            self.assertEqual(self.count(host), 29 + number)
        login = self.login(host, prefix=self.reboot(host))
        self.assertRegex(login.read_line(5), self.UNTIL)
        login.answer(RIGHT)
        self.assert_outcome(login, "exhausted", "30 wrong codes in 24 h")

    def test_a_file_that_is_restored_counts_from_what_it_says_and_a_missing_one_from_0(self):
        host = self.single(self.liar())
        self.set_wrong(host, [60] * 28, 28)
        older = state_file(host).read_bytes()
        for change, count in ((lambda: state_file(host).write_bytes(older), 29),
                              (state_file(host).unlink, 1)):
            self.one_answer(host, OTHER_WRONG, "denied")
            change()
            self.one_answer(host, WRONG, "denied")
            self.assertEqual(self.count(host), count)

    def reboot(self, host):
        up = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        boot_id = host.directory / "boot-id"
        boot_id.write_text(f"{uuid.uuid4()}\n")
        return ("unshare", "--mount", "--time", "--fork", "--kill-child", "--boottime",
                str(5 - up), "sh", "-c",
                f"mount --bind {boot_id} /proc/sys/kernel/random/boot_id && exec \"$@\"", "sh")

    def test_a_day_later_the_oldest_counts_no_more_and_the_future_is_now(self):
        for times, is_locked in (([60] * 30, True), ([60] * 29 + [86401], False),
                                 ([-3600] * 30, True), ([60] * 29, False)):
            host = self.single(self.liar())
            self.set_wrong(host, times, 0)
            if is_locked:
                self.assert_locked(host, self.UNTIL, "30 wrong codes in 24 h")
            else:
                self.one_answer(host, RIGHT, "approved")

    @alone
    def test_logins_at_once_send_no_more_than_thirty(self):
        for mode in MODES:
            emulator = self.emulator(challenge_limits="off")
            host, factor = self.factor_host(emulator, login={"attempts": 1, "create_challenge": mode})
            right = int(factor.code())
            lines = self.crowd(host, [f"{(right + 300000 + number) % 1000000:06}"
                                      for number in range(CROWD)])
            self.assertEqual({line.partition(":")[0] for line in lines}, {"denied", "exhausted"})
            self.assertEqual(emulator.stats()["codes"], 30, mode)
            self.assertEqual(self.count(host), 30)

    def test_a_login_that_is_killed_stays_counted_and_so_does_a_lost_reply(self):
        server = self.liar(verify=[lost(Connection.hang)] * 2, fetch=[dropped(Connection.hang)] * 9)
        host = self.single(server, service={"timeout_seconds": 1})
        login = self.answered(host, WRONG)
        self.assertTrue(server.wait(lambda server: "verify" in server.kinds))
        login.process.send_signal(signal.SIGKILL)
        login.process.wait()
        self.assertEqual(self.count(host), 1)
        self.one_answer(host, OTHER_WRONG, "unavailable")
        self.assertEqual(self.count(host), 2)

    def count(self, host):
        return sum(time != 0 for time in read(state_file(host))[WRONG_AT])

    def test_an_outage_of_thirty_right_codes_locks_nobody_out(self):
        for mode, script in zip(MODES, ({"verify": for_ever(refuse(503))},
                                        {"create": for_ever(refuse(503))})):
            server = self.liar(**script)
            host = self.single(server, login={"create_challenge": mode})
            for number in range(31):
                self.one_answer(host, f"{number:06}", "unavailable")
            self.assertEqual(len(server.codes), 31, mode)
            self.assertEqual(self.count(host), 0)
            self.login(host).expect_prompt()

    WITH_CODE = {"create_challenge": "with_code"}

    def test_with_code_a_lost_reply_and_a_kill_stay_counted_and_the_code_is_used(self):
        server = self.liar(create=[lost(Connection.hang)] * 2)
        host = self.single(server, login=self.WITH_CODE, service={"timeout_seconds": 1})
        login = self.answered(host, WRONG)
        self.assertTrue(server.wait(lambda server: server.codes))
        login.process.send_signal(signal.SIGKILL)
        login.process.wait()
        self.assertEqual(self.count(host), 1)
        self.one_answer(host, RIGHT, "unavailable")
        self.assertEqual(self.count(host), 2)
        self.one_answer(host, RIGHT, "denied", "used before on this host")
        self.assertEqual(server.codes, [WRONG, RIGHT])

    def test_with_code_what_was_not_sent_costs_no_challenge_and_does_not_count(self):
        server, host = self.liar_host(login=self.WITH_CODE)
        self.one_answer(host, RIGHT, "approved")
        login = self.answered(host, RIGHT)
        login.expect_prompt(USED_PROMPT)
        login.answer("12345")
        login.expect_prompt(WRONG_PROMPT)
        login.hang_up()
        self.assert_outcome(login, "denied", "1 malformed, 1 used before")
        self.assertEqual(server.kinds, ["create"])
        self.assertEqual(self.count(host), 0)

    def test_right_logins_between_them_change_nothing_of_the_day(self):
        host = self.single(self.liar())
        self.set_wrong(host, [60] * 29, 29)
        self.one_answer(host, RIGHT, "approved")
        self.assertEqual(self.count(host), 29)
        self.one_answer(host, WRONG, "denied")
        self.assert_locked(host, self.UNTIL, "30 wrong codes in 24 h")


class Notice(MemoryTest):
    """The owner hears in the question how many codes were wrong since he was told last."""

    SINCE = r"^ask-secret {} since {}\. Verification code: $"
    TODAY, BEFORE = r"\d\d:\d\d", r"20\d\d-\d\d-\d\d \d\d:\d\d"
    SILENT = {"service": "sudo", "first": "login 2 sudo alice own silent\n"}

    def guess(self, host, count):
        for _ in range(count):
            self.one_answer(host, WRONG, "denied")

    def at_question(self, host, told, when=TODAY, **options):
        """A login at the question that says so; TOLD None: it says nothing."""
        login = self.login(host, **options)
        line = login.read_line(5)
        if told is None:
            self.assertEqual(line, "ask-secret Verification code: ")
        else:
            self.assertRegex(line, self.SINCE.format(told, f"({when})"))
        return login

    def approve(self, login, answer=RIGHT, before=""):
        login.answer(answer)
        while (line := login.read_line(5)).startswith("show "):
            pass
        self.assertRegex(line, f"^approved: [^;]*{before}$")
        self.assertEqual(login.wait(1), 0)

    def forget_claims(self, host):
        forge(state_file(host), lambda values: values.__setitem__(CLAIMS, [0] * 128))

    def test_until_a_login_that_was_told_is_approved(self):
        host = self.single(self.liar())
        self.guess(host, 7)
        self.at_question(host, "7 wrong codes").hang_up()
        login = self.at_question(host, "7 wrong codes")
        login.answer(OTHER_WRONG)
        self.assert_outcome(login, "denied")
        self.approve(self.at_question(host, "8 wrong codes"), before="; 8 wrong codes before")
        self.forget_claims(host)
        self.approve(self.at_question(host, None))

    def test_one_code_and_another_day(self):
        host = self.single(self.liar())
        self.guess(host, 1)
        self.at_question(host, "1 wrong code").hang_up()
        forge(state_file(host), lambda values: values.__setitem__(UNTOLD_AT, 1700000000))
        self.approve(self.at_question(host, "1 wrong code", self.BEFORE),
                     before="; 1 wrong code before")

    def test_an_approved_login_leaves_none_of_its_own(self):
        host = self.host(self.liar())
        self.run_login(host, [WRONG, OTHER_WRONG, RIGHT], "approved", "request=[^;]*$")
        self.at_question(host, None).hang_up()

    def test_a_second_question_does_not_repeat_it(self):
        host = self.host(self.liar())
        self.run_login(host, [WRONG, OTHER_WRONG, WRONG], "denied")
        login = self.at_question(host, "3 wrong codes")
        login.answer(WRONG)
        login.expect_prompt(WRONG_PROMPT)
        self.approve(login, before="; 3 wrong codes before")
        self.at_question(host, None).hang_up()

    def test_a_host_that_does_not_show_the_question_uses_none_up(self):
        host = self.host(self.liar())
        self.run_login(host, [WRONG, OTHER_WRONG, WRONG], "denied")
        login = self.at_question(host, None, **self.SILENT)
        login.answer(WRONG)
        login.expect_prompt(WRONG_PROMPT)
        self.approve(login, before="; 3 wrong codes before")
        self.at_question(host, "3 wrong codes").hang_up()

    def test_a_recovery_code_uses_it_up(self):
        host = self.single(self.liar())
        code, *_ = make_codes(host)
        self.guess(host, 2)
        self.approve(self.at_question(host, "2 wrong codes"), code, "; 2 wrong codes before")
        self.at_question(host, None).hang_up()

    def test_what_comes_while_the_question_stands_is_told_next_time(self):
        host = self.single(self.liar())
        self.guess(host, 2)
        login = self.at_question(host, "2 wrong codes")
        self.guess(host, 1)
        self.approve(login, before="; 2 wrong codes before")
        self.at_question(host, "1 wrong code").hang_up()

    def test_an_outage_and_a_reply_that_got_lost(self):
        server = self.liar(verify=[refuse(503), lost(Connection.hang)],
                           fetch=[dropped(Connection.hang)] * 3)
        host = self.single(server, service={"timeout_seconds": 1})
        self.one_answer(host, WRONG, "unavailable")
        self.at_question(host, None).hang_up()
        self.one_answer(host, OTHER_WRONG, "unavailable")
        self.at_question(host, "1 wrong code").hang_up()

    def test_a_recovery_code_takes_no_lost_code_back(self):
        server = self.liar(verify=[lost(Connection.hang)], fetch=[dropped(Connection.hang)] * 3)
        host = self.single(server, service={"timeout_seconds": 1})
        code, *_ = make_codes(host)
        login = self.answered(host, WRONG)
        login.expect_prompt("ask-secret " + OUTAGE)
        self.approve(login, code)
        values = read(state_file(host))
        self.assertEqual(len([time for time in values[WRONG_AT] if time != 0]), 1)
        self.assertEqual(values[UNTOLD], 0)

    def test_a_clock_that_was_set_back_is_corrected_in_the_file(self):
        host = self.single(self.liar())
        self.guess(host, 1)
        later = int(time.time()) + 10**6

        def set_ahead(values):
            values[WRONG_AT], values[UNTOLD_AT] = [later] * 30, later
        forge(state_file(host), set_ahead)
        login = self.login(host)
        self.assertRegex(login.read_line(5), WrongCodes.UNTIL)
        login.hang_up()
        login.expect_gone(2)
        values = read(state_file(host))
        self.assertLessEqual(max(values[WRONG_AT] + [values[UNTOLD_AT]]), int(time.time()))


class OwnLimit(MemoryTest):
    def test_refuses_before_twilio_does_and_tells_until_when(self):
        server, host = self.liar_single()
        began = time.monotonic()
        for number in range(CREATIONS_HOUR):
            self.one_answer(host, WRONG, "denied")
            if number == CREATIONS_HOUR // 2:
                run_tool(host, "unlock", "alice")
        told, _ = self.one_answer(
            host, RIGHT, "exhausted", r"alice reached this host's limit of 45 challenges an hour "
                                      r"and 90 a day: wait until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        shown = re.fullmatch(r"show Too many logins: codes of the app are accepted again in "
                             r"(\d+) min\.", told[0])
        self.assertIn(int(shown[1]), range((3600 - seconds_since(began)) // 60, 61))
        created = [request for request in server.requests if request.kind == "create"]
        self.assertEqual(len(created), CREATIONS_HOUR)

    def test_is_for_each_user(self):
        host = self.single(self.liar(), users=("alice", "bob"))
        for number in range(CREATIONS_HOUR + 1):
            if number == CREATIONS_HOUR // 2:
                run_tool(host, "unlock", "alice")
            with Login(host.settings) as login:
                login.expect_prompt()
                login.answer(WRONG)
                line = login.read_line(5)
        self.assertRegex(line, "^show Too many logins")
        self.one_answer(host, RIGHT, "approved", user="bob")

    def test_who_goes_away_before_the_request_is_not_counted(self):
        server, host = self.liar_single(login={"create_challenge": "with_code"})
        for _ in range(CREATIONS_HOUR + 5):
            login = self.prompted(host)
            login.hang_up()
            login.expect_gone(2)
        self.one_answer(host, RIGHT, "approved")


class Recovery(MemoryTest):
    def test_lets_in_once_without_the_network_however_it_is_typed(self):
        host = self.single(AWAY)
        one, other, *_ = make_codes(host)
        told, _ = self.one_answer(host, one, "approved", "^RECOVERY CODE used, 9 remain$")
        self.assertEqual(told, ["show That was a recovery code; 9 remain."])
        self.one_answer(host, one, "denied", "the recovery code was used before$")
        self.one_answer(host, other.upper().replace("-", "  "), "approved", "8 remain")

    def test_lets_in_while_the_service_answers(self):
        server, host = self.liar_single()
        code, *_ = make_codes(host)
        self.one_answer(host, code, "approved", "RECOVERY CODE")
        self.assertEqual([r.kind for r in server.requests if r.kind == "verify"], [])

    @alone
    def test_of_many_logins_with_one_code_one_is_let_in(self):
        host = self.single(AWAY)
        code, *_ = make_codes(host)
        lines = self.crowd(host, [code] * CROWD)
        outcomes = collections.Counter(line.partition(":")[0] for line in lines)
        self.assertEqual(outcomes, {"approved": 1, "denied": CROWD - 1})

    @alone
    def test_of_many_wrong_ones_five_are_tried(self):
        host = self.single(AWAY)
        make_codes(host)
        lines = self.crowd(host, ["bbbb-bbbb-bbbb"] * CROWD)
        refused = [line for line in lines if "no recovery code is accepted until" in line]
        self.assertEqual(len(refused), CROWD - FREE_TRIES)

    def test_after_five_wrong_ones_none_is_tried_for_a_while(self):
        host = self.single(AWAY)
        code, *_ = make_codes(host)
        for _ in range(FREE_TRIES):
            self.one_answer(host, "bbbb-bbbb-bbbb", "denied", r"\(1 wrong recovery code\)$")
        began = time.monotonic()
        self.one_answer(host, code, "denied",
                        "5 wrong recovery codes: no recovery code is accepted until 20")
        make_codes(host)
        self.assertLess(time.monotonic() - began, patience(5))

    def test_new_ones_make_the_old_ones_void(self):
        host = self.single(AWAY)
        old, *_ = make_codes(host)
        new, *_ = make_codes(host, count=3)
        self.one_answer(host, old, "denied", "1 wrong recovery code")
        self.one_answer(host, new, "approved", "2 remain")

    def test_are_one_users_alone(self):
        host = self.single(AWAY, users=("alice", "bob"))
        code, *_ = make_codes(host)
        make_codes(host, "bob")
        self.one_answer(host, code, "denied", "1 wrong recovery code", user="bob")
        self.one_answer(host, code, "denied", "not enrolled", user="mallory")
        self.one_answer(host, code, "approved")

    def test_a_state_file_that_was_restored_brings_none_back(self):
        host = self.single(AWAY)
        code, other, *_ = make_codes(host)
        shutil.copy2(used_file(host), host.directory / "backup")
        self.one_answer(host, code, "approved")
        owner = os.stat(used_file(host))
        used_file(host).unlink()
        shutil.copy2(host.directory / "backup", used_file(host))
        os.chown(used_file(host), owner.st_uid, owner.st_gid)
        for answer in (code, other):
            self.one_answer(host, answer, "denied", "the file in state_dir is not the one that")

    def test_a_state_file_that_went_away_brings_none_back(self):
        host = self.single(AWAY)
        code, *_ = make_codes(host)
        self.one_answer(host, code, "approved")
        used_file(host).unlink()
        self.one_answer(host, code, "denied", "make new ones with twilio-verify recovery-codes alice")
        code, *_ = make_codes(host)
        self.one_answer(host, code, "approved")

    def test_a_file_that_others_may_read_or_that_is_damaged_counts_for_nothing(self):
        host = self.single(self.liar())
        code, *_ = make_codes(host)
        path = host.directory / "users" / "alice.recovery"
        path.chmod(0o644)
        self.one_answer(host, code, "denied", "alice.recovery holds a secret and is readable")
        path.write_text(path.read_text().replace("salt", "sat"))
        path.chmod(0o600)
        self.one_answer(host, code, "denied", "unknown key sat")
        self.one_answer(host, RIGHT, "approved", "unknown key sat")

    def test_one_that_can_not_be_hashed_is_refused_and_the_log_tells(self):
        host = self.single(AWAY)
        code, *_ = make_codes(host)
        path = host.directory / "users" / "alice.recovery"
        path.write_text(re.sub('"\\$y.*?"', '"$y$"', path.read_text()))
        self.one_answer(host, code, "denied", "cannot hash a recovery code: out of memory, or")

    def test_nobody_learns_from_the_time_who_has_codes(self):
        host = self.host(AWAY, users=("alice", "bob"))
        make_codes(host)

        def computed(login):
            """Its time on a processor so far, in ns."""
            return int(pathlib.Path(f"/proc/{login.process.pid}/schedstat").read_text().split()[0])

        def spent(user):
            with Login(host.settings, user) as login:
                login.expect_prompt()
                login.settle()  # It loads libcurl.
                began = computed(login)
                login.answer("bbbb-bbbb-bbbb")
                login.expect_prompt(WRONG_PROMPT, 5)
                return computed(login) - began
        times = {user: min(spent(user) for _ in range(3)) for user in ("alice", "bob", "mallory")}
        self.assertGreater(min(times.values()), 5e6, times)
        self.assertLess(max(times.values()), 2 * min(times.values()), times)

    def test_nobody_learns_from_the_time_whether_one_was_tried_or_refused_unseen(self):
        host = self.single(AWAY, users=("alice", "bob"))
        make_codes(host)
        for _ in range(FREE_TRIES):
            self.one_answer(host, "bbbb-bbbb-bbbb", "denied")
        for user in ("alice", "bob", "mallory"):
            with Login(host.settings, user) as login:
                login.expect_prompt()
                login.answer("bbbb-bbbb-bbbb")
                self.assertEqual(login.verdict(5)[0], "denied")
                self.assertGreaterEqual(login.verdict_seconds, 0.995)


FAR, LONG_AGO = 2**40 - 1, 1


def change(index, *numbers):
    return lambda values: values.__setitem__(index, numbers if len(numbers) > 1 else numbers[0])


class Hostile(MemoryTest):
    """Whoever took over the account of the network writes the file, with a right checksum: he makes
    logins stricter, or forgets what was."""

    def begin_and_leave(self, host):
        """It makes the file."""
        login = self.prompted(host)
        login.settle()
        login.hang_up()
        login.expect_gone(2)

    def forged(self, server, change, file=state_file):
        host = self.single(server)
        codes = make_codes(host)
        self.begin_and_leave(host)
        forge(file(host), change)
        return host, codes

    def test_all_codes_are_used_and_more(self):
        host, codes = self.forged(AWAY, change(USED, 2**64 - 1, 2**64 - 1), used_file)
        self.one_answer(host, codes[0], "denied", "the recovery code was used before$")

    def test_codes_that_there_are_none_of_are_used(self):
        host, codes = self.forged(AWAY, change(USED, 2**64 - 1024, 2**64 - 1024), used_file)
        self.one_answer(host, codes[0], "approved", "RECOVERY CODE used, 9 remain$")

    def test_the_delay_ends_whatever_is_written(self):
        host, codes = self.forged(AWAY, change(slice(TRIED, TRIES + 1), FAR, 1000), used_file)
        self.one_answer(host, codes[0], "denied", "no recovery code is accepted until 20")
        forge(used_file(host), change(TRIED, int(time.time()) - 3600))
        self.one_answer(host, codes[0], "approved", "9 remain$")

    def test_the_limit_ends_whatever_is_written(self):
        host, _ = self.forged(self.liar(), change(CREATIONS, *[FAR] * 90))
        told, _ = self.one_answer(host, RIGHT, "exhausted", "wait until 20")
        self.assertRegex(told[0], r"again in (1439|1440) min\.$")

    def test_claims_that_are_full_or_of_another_time(self):
        for up, outcome in ((FAR, "approved"), (LONG_AGO, "approved"),
                            (int(time.clock_gettime(time.CLOCK_BOOTTIME)), "denied")):
            host, _ = self.forged(self.liar(), change(CLAIMS, *[7, up] * 64))
            self.one_answer(host, RIGHT, outcome)

    def test_a_code_that_cannot_be_claimed_is_not_sent(self):
        server, host = self.liar_single()
        login = self.prompted(host)
        self.assertTrue(server.wait(lambda server: "create" in server.kinds))
        with state_file(host).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            login.answer(RIGHT)
            self.assert_outcome(login, "misconfigured", "is locked by another process")
        self.assertNotIn("verify", [request.kind for request in server.requests])

    @needs_root
    def test_a_file_of_any_size_or_a_lock_that_is_kept_holds_nobody_up(self):
        host, codes = self.forged(self.liar(), change(ROW, 0))
        for path in (state_file(host), used_file(host)):
            os.truncate(path, 1 << 40)
        self.one_answer(host, codes[0], "approved", "9 remain$")
        for path, answer, outcome in ((used_file(host), codes[1], "denied"),
                                      (state_file(host), RIGHT, "misconfigured")):
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                began = time.monotonic()
                self.one_answer(host, answer, outcome, "is locked by another process")
                self.assertLess(time.monotonic() - began, patience(4))
                run_tool(host, "list")

    def test_a_login_that_stands_still_with_the_lock_of_the_app_s_codes_holds_up_no_recovery_code(self):
        host, codes = self.forged(self.liar(), change(ROW, 99))
        with state_file(host).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            began = time.monotonic()
            self.one_answer(host, codes[0], "approved", "^RECOVERY CODE used, 9 remain$")
            self.one_answer(host, codes[0], "denied", "used before")
            self.assertLess(time.monotonic() - began, patience(5))
            login = self.login(host)
            login.expect_prompt(seconds=0.9)


def files(host):
    return state_file(host), used_file(host)


def removed(host):
    for file in files(host):
        file.unlink(missing_ok=True)
        yield file


DAMAGES = {
    "missing": lambda host: shutil.rmtree(host.directory / "state"),
    "another account's": lambda host: os.chown(host.directory / "state", 12345, 12345),
    "writable by others": lambda host: (host.directory / "state").chmod(0o777),
    "damaged": lambda host: [file.write_bytes(b"\0" * 2000) for file in files(host)],
    "a link": lambda host: [file.symlink_to("/etc/passwd") for file in removed(host)],
    "a directory": lambda host: [file.mkdir() for file in removed(host)],
}


@needs_root
@each(play={f"a state that is {name}": {"damage": damage} for name, damage in DAMAGES.items()})
class NoMemory(MemoryTest):
    """A code of the app counts, and the log says that it can't be remembered; no recovery code does."""

    def play(self, damage):
        host = self.single(self.liar())
        code, *_ = make_codes(host)
        damage(host)
        for _ in range(2):
            self.one_answer(host, RIGHT, "approved", f"challenge=YC.*; {UNREMEMBERED}")
        self.one_answer(host, code, "denied", UNREMEMBERED)

    def test_a_full_disk(self):
        host = self.single(self.liar())
        state, owner = host.directory / "state", os.stat(host.directory / "state")
        full = (*private_mounts(), "sh", "-c",
                f"mount -t tmpfs -o size=4k,mode=700,uid={owner.st_uid} none {state} && "
                f"{{ cat /dev/zero > {state}/fill; exec \"$@\"; }} 2>/dev/null", "sh")
        self.one_answer(host, RIGHT, "approved", f"{UNREMEMBERED}.*No space left", prefix=full)

    @unittest.skipIf(FLOCK < 0, "the number of flock(2) is not known")
    def test_a_disk_without_locks(self):
        """As NFS without a lock manager."""
        self.one_answer(self.single(self.liar()), RIGHT, "approved",
                        f"{UNREMEMBERED}cannot lock the user's file in state_dir: No locks",
                        prefix=without(FLOCK, errno.ENOLCK))

    def test_a_read_only_disk(self):
        host = self.single(self.liar())
        code, *_ = make_codes(host)
        state = host.directory / "state"
        read_only = (*private_mounts(), "sh", "-c",
                     f"mount --bind {state} {state} && mount -o remount,ro,bind {state} && "
                     "exec \"$@\"", "sh")
        self.one_answer(host, RIGHT, "approved", f"{UNREMEMBERED}.*Read-only", prefix=read_only)
        self.one_answer(host, code, "denied", f"{UNREMEMBERED}.*Read-only", prefix=read_only)
        self.one_answer(host, code, "approved")

    def test_a_tmpfs(self):
        host = self.single(AWAY)
        state, owner = host.directory / "state", os.stat(host.directory / "state")
        tmpfs = (*private_mounts(), "sh", "-c",
                 f"mount -t tmpfs -o mode=700,uid={owner.st_uid} none {state} && "
                 f"{TOOL} --settings {host.settings} recovery-codes alice > {host.directory}/codes && "
                 "exec \"$@\"", "sh")
        with Login(host.settings, prefix=tmpfs) as login:
            login.begin()
            login.expect_prompt()
            login.answer((host.directory / "codes").read_text().split()[0])
            self.assertEqual(login.read_line(5), "show That was a recovery code; 9 remain.")


class Names(MemoryTest):
    """All that is kept of a user lies in two directories, under the names of all of them."""

    def test_no_name_is_the_file_of_another(self):
        names = ["alice", *(f"alice.{word}" for word in ("conf", "recovery", "bypass", "used", "new"))]
        host = self.single(self.liar(), users=names)
        codes = {name: make_codes(host, name, 2) for name in names}
        for name, (one, _) in codes.items():
            other = names[names.index(name) - 1]
            self.one_answer(host, codes[other][1], "denied", "1 wrong recovery code", user=name)
            self.one_answer(host, one, "approved", "1 remain$", user=name)
            self.one_answer(host, RIGHT, "approved", "challenge=YC[^;]*$", user=name)
            run_tool(host, "bypass", name, "--for", "1m", "--reason", name)
            self.assert_outcome(self.login(host, name), "not-required", f": {name}$")
            self.login(host, other).expect_prompt()
            run_tool(host, "bypass", name, "--end")

    def test_a_name_as_long_as_can_be_is_remembered_and_has_no_recovery_codes(self):
        name = "x" * 250
        host = self.single(self.liar(), users=(name,))
        self.one_answer(host, RIGHT, "approved", "challenge=YC[^;]*$", user=name)
        self.one_answer(host, RIGHT, "denied", "1 used before", user=name)
        done = subprocess.run([TOOL, "--settings", host.settings, "recovery-codes", name],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("is too long for a file", done.stderr)
        run_tool(host, "bypass", name, "--for", "1m", "--reason", "x")
        self.assert_outcome(self.login(host, name), "not-required", "BYPASS")


class Bypass(MemoryTest):
    def test_nothing_is_asked_until_it_ends(self):
        host = self.single(AWAY, users=("alice", "bob"))
        began = time.monotonic()
        run_tool(host, "bypass", "alice", "--for", "1m", "--reason", "lost phone")
        reason = self.assert_outcome(self.login(host), "not-required")
        shown = re.fullmatch(r"BYPASS, ends in (\d+) s: lost phone", reason)
        self.assertIn(int(shown[1]), range(60 - seconds_since(began), 61))
        self.login(host, "bob").expect_prompt()
        run_tool(host, "bypass", "alice", "--end")
        self.login(host).expect_prompt()

    def edit(self, host, **values):
        path = host.directory / "run" / "bypass" / "alice"
        for name, value in values.items():
            lines = [f"{name} = {value};" if line.split()[0] == name else line
                     for line in path.read_text().splitlines()]
            path.write_text("\n".join(lines) + "\n")

    def test_it_ends_at_its_time_and_with_the_boot(self):
        up = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        for name, values in {"its time is over": {"until": up},
                             "the machine was started again": {"boot_id": f'"{"0" * 36}"'},
                             "it is for more than a day": {"until": up + 100000}}.items():
            with self.subTest(name):
                host = self.single(AWAY)
                run_tool(host, "bypass", "alice", "--for", "24h", "--reason", "x")
                self.edit(host, **values)
                login = self.prompted(host)
                login.hang_up()

    def test_one_that_is_damaged_is_none_and_the_log_tells(self):
        server = self.liar()
        for values, problem in (({"until": '"soon"'}, "until must be a number of seconds"),
                                ({"boot_id": '"this one"'}, "boot_id must be a boot id")):
            host = self.single(server)
            run_tool(host, "bypass", "alice", "--for", "1m", "--reason", "x")
            self.edit(host, **values)
            self.one_answer(host, RIGHT, "approved", f"challenge=YC.*; bypass/alice.*{problem}")

    def test_one_that_others_may_write_is_none(self):
        server = self.liar()
        for part, mode in (("run", 0o777), ("run/bypass", 0o777), ("run/bypass/alice", 0o666)):
            host = self.single(server)
            run_tool(host, "bypass", "alice", "--for", "1m", "--reason", "x")
            (host.directory / part).chmod(mode)
            self.one_answer(host, RIGHT, "approved", "writable by others")

    def test_links_and_what_lies_beside_the_enrollments_are_none(self):
        server, host = self.liar_single()
        run_tool(host, "bypass", "alice", "--for", "1m", "--reason", "x")
        path = host.directory / "run" / "bypass" / "alice"
        path.rename(host.directory / "users" / "alice.bypass")
        self.one_answer(host, RIGHT, "approved", "challenge=YC[^;]*$")
        host = self.single(server)
        host.directory.joinpath("run", "bypass").mkdir(parents=True)
        host.directory.joinpath("run", "bypass", "alice").symlink_to("/etc/passwd")
        self.one_answer(host, RIGHT, "approved", "must not be a symbolic link")

    @needs_root
    def test_is_for_an_account_that_is_not_enrolled_too_but_for_no_other_name(self):
        host = self.single(AWAY)
        run_tool(host, "bypass", "daemon", "--for", "1m", "--reason", "x")
        self.assert_outcome(self.login(host, "daemon"), "not-required", "BYPASS")
        bypasses = host.directory / "run" / "bypass"
        shutil.copy(bypasses / "daemon", bypasses / "ghost")
        self.login(host, "ghost").expect_prompt()
