# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The built pam_twilio_verify.so in a scripted PAM application, with a scripted check program.

    BUILD=build /usr/bin/python3 tests/tap.py tests/module/test_module.py

Needs no root. SLOW=1 waits out the limit of 40 seconds too, and logs in ten thousand times."""

import errno
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import tempfile
import termios
import time
import unittest

from kit.mounts import private_mounts
from kit.scripted import (FAKE_CHECK, Login, MODULE, asks_and_ends_with,
                          is_sanitized, says)

CODES = {
    "approved": "PAM_SUCCESS",
    "not-required": "PAM_IGNORE",
    "denied": "PAM_AUTH_ERR",
    "exhausted": "PAM_MAXTRIES",
    "unavailable": "PAM_AUTHINFO_UNAVAIL",
    "misconfigured": "PAM_SERVICE_ERR",
}
LEVELS = {
    "approved": "INFO",
    "not-required": "INFO",
    "denied": "NOTICE",
    "exhausted": "NOTICE",
    "unavailable": "ERR",
    "misconfigured": "ERR",
}
OUTAGE_RECIPE = "[success=ok ignore=ignore authinfo_unavail=ignore default=die]"
# What glibc keeps for its threads: no program can set these, and posix_spawn(3) ignores them.
GLIBC_SIGNALS = 1 << 31 | 1 << 32
UNANSWERED = "the user left at the question, or cannot be asked"
ANSWER = "314159265"  # not a number that anything else prints
SLOW = os.environ.get("SLOW") == "1"


class ModuleTest(unittest.TestCase):
    def directory(self):
        directory = tempfile.mkdtemp(prefix="module-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def login(self, script, *options, left_behind=False, **world):
        """Runs a login. Whatever it is about: the process is afterwards what it was before."""
        login = Login(self.directory(), script, *options, **world)
        self.check_traces(login, left_behind)
        return login

    def check_traces(self, login, left_behind=False):
        report = login.report
        survivors = login.survivors()
        self.assertEqual(report["changes"], {})
        self.assertEqual(report["children"], "none")
        if not left_behind:
            self.assertEqual(survivors, [])

    def assert_broken(self, login, *also):
        self.assertEqual(login.code, "PAM_SYSTEM_ERR")
        level, text = login.log[-1]
        self.assertEqual(level, "ERR")
        self.assertIn(" outcome=broken ", text)
        self.assertEqual(login.report["fail_delays"], [])
        for part in also:
            self.assertIn(part, text)


class Outcomes(ModuleTest):
    def test_each_outcome_has_its_pam_code(self):
        for outcome, code in CODES.items():
            with self.subTest(outcome):
                self.assertEqual(self.login(says(outcome + "\n")).code, code)

    def test_a_reason_changes_no_code(self):
        for outcome, code in CODES.items():
            for reason in ("x", "approved", "approved: y", "ä", ": ", " "):
                with self.subTest(outcome + ": " + reason):
                    login = self.login(says("%s: %s\n" % (outcome, reason)))
                    self.assertEqual(login.code, code)

    def test_each_outcome_has_its_pam_code_after_questions(self):
        for outcome, code in CODES.items():
            with self.subTest(outcome):
                login = self.login(asks_and_ends_with(outcome), "--answer", ANSWER)
                self.assertEqual(login.code, code)
                self.assertEqual(login.received, [b"login 2 sshd alice", ANSWER.encode()])

    def test_libpam_sees_the_same_codes_in_a_stack(self):
        for outcome, code in CODES.items():
            with self.subTest(outcome):
                login = self.login(says(outcome + "\n"), stack="required")
                self.assertEqual(login.code, "PAM_PERM_DENIED" if code == "PAM_IGNORE" else code)

    def test_not_required_leaves_the_decision_to_the_rest_of_the_stack(self):
        login = self.login(says("not-required\n"),
                           stack="[success=ok ignore=ignore default=die]")
        self.assertEqual(login.code, "PAM_SUCCESS")

    def test_the_outage_recipe_lets_in_when_unavailable_and_in_no_other_refusal(self):
        lets_in = {"approved", "not-required", "unavailable"}
        for outcome, code in CODES.items():
            with self.subTest(outcome):
                login = self.login(says(outcome + ": x\n"), stack=OUTAGE_RECIPE)
                self.assertEqual(login.code, "PAM_SUCCESS" if outcome in lets_in else code)

    def test_the_outage_recipe_refuses_whatever_is_broken(self):
        broken = {
            "silent end": ["read"],
            "killed": ["read", "kill 9"],
            "killed after it asked": ["read", "send ask-secret Code: ", "kill 9"],
            "killed after the verdict": ["read", "send unavailable: x", "kill 9"],
            "failed after the verdict": ["read", "send unavailable: x", "exit 1"],
            "unknown word": ["read", "send unavailable!"],
            "says broken": ["read", "send broken: x"],
        }
        for name, script in broken.items():
            with self.subTest(name):
                login = self.login(script, "--answer", ANSWER, stack=OUTAGE_RECIPE)
                self.assertEqual(login.code, "PAM_SYSTEM_ERR")

    def test_the_outage_recipe_refuses_when_the_module_itself_cannot_work(self):
        login = self.login([], stack=OUTAGE_RECIPE, helper="/nowhere/check")
        self.assertEqual(login.code, "PAM_SYSTEM_ERR")
        login = self.login([], stack=OUTAGE_RECIPE, arguments=["unknown"])
        self.assertEqual(login.code, "PAM_SERVICE_ERR")
        login = self.login(asks_and_ends_with("approved"), "--conversation", "fail",
                           stack=OUTAGE_RECIPE)
        self.assertEqual(login.code, "PAM_CONV_ERR")

    def test_a_delay_is_asked_for_when_denied_exhausted_or_misconfigured_only(self):
        slow = {"denied", "exhausted", "misconfigured"}
        for outcome in CODES:
            with self.subTest(outcome):
                login = self.login(says(outcome + "\n"), stack="required")
                self.assertEqual(login.report["fail_delays"], [2000000] if outcome in slow else [])
                # libpam spreads it by half and tells the application; nothing sleeps here.
                delay, = login.report["delays"]
                self.assertEqual(1000000 <= delay <= 3000000, outcome in slow)
                self.assertLess(login.ms, 1500)

    def test_setcred_succeeds_and_starts_nothing(self):
        login = self.login(["read", "send approved"], "--call", "setcred")
        self.assertEqual(login.codes, ["PAM_SUCCESS"])
        self.assertEqual(login.events, [])
        self.assertEqual(login.log, [])

    def test_setcred_succeeds_where_the_module_is_alone_in_the_stack(self):
        login = self.login(says("approved\n"), "--call", "authenticate", "--call", "setcred",
                           stack="required")
        self.assertEqual(login.codes, ["PAM_SUCCESS", "PAM_SUCCESS"])
        self.assertEqual(login.saw.count("started"), 1)

    def test_setcred_succeeds_whatever_the_arguments_are(self):
        login = self.login([], "--call", "setcred", arguments=["unknown", "conf="])
        self.assertEqual(login.codes, ["PAM_SUCCESS"])

    def test_authenticate_twice_on_one_handle_asks_twice(self):
        login = self.login(asks_and_ends_with("denied"), "--call", "authenticate", "--call",
                           "authenticate", "--answer", "1", "--answer", "2")
        self.assertEqual(login.codes, ["PAM_AUTH_ERR", "PAM_AUTH_ERR"])
        self.assertEqual(login.received[1::2], [b"1", b"2"])


class BrokenDialogue(ModuleTest):
    def test_lines_that_are_none_are_broken(self):
        lines = ["", "hello", "broken: x", "broken", "APPROVED", "Approved", "approved ",
                 "approved: ", "approved:x", "approved : x", " approved", "approve", "approvedx",
                 "approved,", "ok", "0", "PAM_SUCCESS", "success", "not_required", "not required",
                 "ignore", "ask-secret", "ask", "show", "ask-secretCode: ", "ASK Code: ",
                 "log", "log ", "log x", "log notice", "log error x", "log notice: x",
                 "login 2 sshd alice", "approved\r", "approved\tx", "approved: \x1b[2J",
                 "approved: \x7f", "\ufeffapproved", "approved: \x80", "approved: \x9b2J",
                 "show \u202e", "ask \u2066", "denied: \u061c", "log notice \u200f", ":", "approved:xy",
                 ": approved", "approved x", "approved; x", "denied approved", "notrequired",
                 "ask-Secret x", "asking you", " ask x", "logs notice x", "log  notice x",
                 "log Notice x", "tell x", "remember ", "remember: x", "remembered", "Done"]
        for line in lines:
            for rest in ("", "approved\n"):  # it is no verdict, and nothing that one may follow
                with self.subTest([line, rest]):
                    self.assert_broken(self.login(says(line + "\n" + rest)))

    def test_bytes_that_are_no_text_are_broken(self):
        lines = [b"approved\0", b"approved\0: x", b"\0approved", b"approved: \xff",
                 b"approved: \xc0\xaf", b"approved: \xed\xa0\x80", b"approved: \xe4",
                 b"ask-secret \xff", b"show \x01", b"ask a\0b", b"\xff\xfe"]
        for line in lines:
            with self.subTest(line):
                self.assert_broken(self.login(says(line + b"\n"), "--answer", ANSWER))

    def test_a_line_of_1024_bytes_is_fine(self):
        for prefix in ("denied: ", "ask-secret ", "show "):
            with self.subTest(prefix):
                line = prefix + "x" * (1024 - len(prefix))
                login = self.login(["read", "send " + line] +
                                   (["read"] if prefix == "ask-secret " else []) +
                                   ([] if prefix == "denied: " else ["send denied"]),
                                   "--answer", ANSWER)
                self.assertEqual(login.code, "PAM_AUTH_ERR")
                if prefix != "denied: ":
                    self.assertEqual(login.messages[0][1], line[len(prefix):].encode())

    def test_a_line_of_1025_bytes_is_broken(self):
        for prefix in ("approved: ", "unavailable: ", "ask-secret ", "show "):
            for filling in ("x", "ä"):
                with self.subTest(prefix + filling):
                    line = (prefix + "x" + filling * 1024).encode()[:1025]
                    login = self.login(says(line + b"\n") + ["send approved"], "--answer", ANSWER)
                    self.assert_broken(login)
                    self.assertEqual(login.messages, [])

    def test_a_line_without_an_end_is_broken_at_once(self):
        login = self.login(["read", "sendraw " + (b"show " + b"x" * 9000).hex(), "hang"])
        self.assert_broken(login)
        self.assertLess(login.ms, 2000)

    def test_anything_after_the_verdict_is_broken(self):
        for first in ("approved", "denied: x", "unavailable: x", "not-required"):
            for rest in (b"x", b"\n", b"approved\n", b"denied\n", b"ask-secret Code: \n", b"\0",
                         b" "):
                for pause in ([], ["sleep 30"]):
                    with self.subTest([first, rest, pause]):
                        script = ["read", "send " + first, *pause, "sendraw " + rest.hex()]
                        self.assert_broken(self.login(script, "--answer", ANSWER))

    def test_the_verdict_and_a_second_one_in_one_write_are_broken(self):
        self.assert_broken(self.login(says("denied: x\napproved\n")))
        self.assert_broken(self.login(says("approved\napproved\n")))

    def test_a_flood_after_the_verdict_is_broken(self):
        self.assert_broken(self.login(["read", "send approved", "flood approved"]))

    def test_a_flood_of_messages_is_broken(self):
        login = self.login(["read", "flood show x"])
        self.assert_broken(login)
        self.assertEqual(len(login.messages), 16)

    def helper(self, *task):
        """A check program that approves what to remember, and says TASK to the rest; each first line is
        kept."""
        path = os.path.join(self.directory(), "helper")
        said = "".join(f"        {line}\n" for line in task)
        with open(path, "w") as file:
            file.write(f"""#!/bin/sh
read -r line
echo "$line" >>{path}.lines
case $line in
    login*)
        echo remember
        echo approved ;;
    *)
{said}        ;;
esac
""")
        os.chmod(path, 0o755)
        return path

    def lines_to(self, helper):
        with open(helper + ".lines") as file:
            return file.read().splitlines()

    def test_an_approval_to_remember_starts_one_task_more(self):
        helper = self.helper("echo log notice word", "echo done")
        login = self.login([], helper=helper)
        self.assertEqual(login.code, "PAM_SUCCESS")
        first, second = self.lines_to(helper)
        self.assertEqual(first, "login 2 sshd alice")
        self.assertRegex(second, r"^proved 2 sshd alice [1-9]\d* [1-9]\d*$")
        self.assertRegex(login.log[-1][1], 'reason="word"')

    def test_sshds_child_says_that_its_parent_opens_the_session(self):
        """By keyboard-interactive it sets this variable, for the code alone too."""
        for info in ("", "publickey ssh-ed25519 AAAA\n"):
            helper = self.helper("echo done")
            self.login([], "--variable", "SSH_AUTH_INFO_0=" + info, helper=helper)
            self.assertRegex(self.lines_to(helper)[1], "^proved-in-child 2 sshd alice ")

    def test_a_task_that_fails_leaves_the_approval_and_the_log_says_so(self):
        for task, why in ((["echo done: no room"], "no room"), (["exit 1"], "ended without"),
                          (["echo approved"], "may not say"), (["echo remember"], "may not say"),
                          (["echo ask-secret x", "read x"], "may not say"), (["echo nonsense"], "invalid line"),
                          (["echo 'done:'"], "invalid line"), (["echo 'done: '"], "invalid line"),
                          (["echo done x"], "invalid line"), (["echo done:x"], "invalid line"),
                          (["echo done", "echo done"], "did not end"), (["echo done", "exit 3"], "failed"),
                          (["while :; do echo log notice x; done"], "may not say"),
                          (["sleep 30"], "silent for")):
            with self.subTest(task):
                login = self.login([], helper=self.helper(*task))
                self.assertEqual(login.code, "PAM_SUCCESS")
                self.assertRegex(login.log[-1][1],
                                 f'reason="this session has proved no code, so sudo asks: .*{why}')
                self.assertLess(login.ms, 12000)

    def test_remember_stands_before_an_approval_alone(self):
        for line in (*(outcome for outcome in CODES if outcome != "approved"), "remember", "done",
                     "show x", "ask-secret x", "log notice x"):
            with self.subTest(line):
                self.assert_broken(self.login(["read", "send remember", "send " + line, "send approved"],
                                              "--answer", ANSWER))

    def test_done_is_no_word_of_a_login(self):
        for line in ("done", "done: approved"):
            self.assert_broken(self.login(["read", "send " + line]))

    def test_a_verdict_without_a_newline_is_broken(self):
        for outcome in CODES:
            with self.subTest(outcome):
                self.assert_broken(self.login(says(outcome)))

    def test_a_verdict_in_pieces_is_a_verdict(self):
        script = ["read"]
        for byte in b"approved: x\n":
            script += ["sendraw %02x" % byte, "sleep 2"]
        self.assertEqual(self.login(script).code, "PAM_SUCCESS")

    def test_an_end_without_a_verdict_is_broken(self):
        for script in ([], ["read"], ["read", "exit 1"], ["exit 1"], ["read", "close"],
                       ["read", "send show x"], ["read", "send ask-secret Code: "],
                       ["read", "send ask-secret Code: ", "read"]):
            with self.subTest(script):
                self.assert_broken(self.login(script, "--answer", ANSWER))

    def test_an_exit_status_that_is_not_0_is_no_verdict_and_vetoes_one(self):
        for status in (1, 3, 127, 255):
            for outcome in CODES:
                with self.subTest([status, outcome]):
                    login = self.login(["read", "send " + outcome, "exit %d" % status])
                    self.assert_broken(login)

    def test_a_death_by_a_signal_is_broken_before_and_after_the_verdict(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGPIPE):
            for script in ([], ["read"], ["read", "send ask-secret Code: "],
                           ["read", "send ask-secret Code: ", "read"], ["read", "send approved"]):
                with self.subTest([number, script]):
                    login = self.login([*script, "kill %d" % number], "--answer", ANSWER)
                    self.assert_broken(login)

    def test_sixteen_questions_are_fine_and_seventeen_are_broken(self):
        ask = ["send ask-secret Code: ", "read"]
        show = ["send show x"]
        for questions, count in ((ask * 16, 16), (show * 16, 16), (ask * 8 + show * 8, 16)):
            for silent in ([], ["--silent"]):
                with self.subTest([questions[0], count, silent]):
                    options = ["--answer", ANSWER] * 17 + silent
                    login = self.login(["read", *questions, "send approved"], *options)
                    self.assertEqual(login.code, "PAM_SUCCESS")
                    login = self.login(["read", *questions, *show, "send approved"], *options)
                    self.assert_broken(login)
                    login = self.login(["read", *questions, *ask, "send approved"], *options)
                    self.assert_broken(login)
                    self.assertLessEqual(len(login.messages), 16)

    def test_sixteen_lines_for_the_log_are_fine_beside_sixteen_questions(self):
        ask = ["send ask-secret Code: ", "read"]
        for level in ("notice", "warning"):
            log = ["send log %s x" % level]
            with self.subTest(level):
                options = ["--answer", ANSWER] * 17
                login = self.login(["read", *(ask + log) * 16, "send approved"], *options)
                self.assertEqual(login.code, "PAM_SUCCESS")
                self.assertEqual(len(login.log), 17)
                login = self.login(["read", *(ask + log) * 16, *log, "send approved"], *options)
                self.assert_broken(login)
                self.assertEqual(len(login.log), 17)
                login = self.login(["read", *log * 16, *ask * 17, "send approved"], *options)
                self.assert_broken(login)

    def test_a_flood_of_lines_for_the_log_is_broken(self):
        login = self.login(["read", "flood log notice x"])
        self.assert_broken(login)
        self.assertEqual(len(login.log), 17)

    def test_an_end_while_the_user_types_kills_no_host_by_sigpipe(self):
        for end in (["exit 0"], ["kill 9"], ["close", "hang"]):
            with self.subTest(end):
                login = self.login(["read", "send ask-secret Code: ", *end], "--answer", ANSWER,
                                   "--think-ms", "150", "--sigpipe", "default")
                self.assert_broken(login)

    def test_an_approval_that_comes_while_the_user_still_types_needs_its_whole_end(self):
        login = self.login(["read", "send ask-secret Code: ", "send approved", "send approved"],
                           "--answer", ANSWER, "--think-ms", "100")
        self.assert_broken(login)

    def test_a_verdict_that_comes_while_the_user_still_types_counts(self):
        # It is gone when the answer is sent, or ends with the answer unread (ECONNRESET).
        for pause in ([], ["sleep 200"]):
            with self.subTest(pause):
                login = self.login(["read", "send ask-secret Code: ", *pause,
                                    "send denied: too late"],
                                   "--answer", ANSWER, "--think-ms", "100")
                self.assertEqual(login.code, "PAM_AUTH_ERR")


class BrokenHelper(ModuleTest):
    def file(self, content, mode):
        path = os.path.join(self.directory(), "check")
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def test_a_check_program_that_is_missing_is_broken(self):
        login = self.login([], helper="/nowhere/twilio-verify-check")
        self.assert_broken(login, "/nowhere/twilio-verify-check")

    def test_a_check_program_that_cannot_be_executed_is_broken(self):
        with open(FAKE_CHECK, "rb") as file:
            program = file.read()
        self.assert_broken(self.login([], helper=self.file(program, 0o644)))
        self.assert_broken(self.login([], helper=self.directory()))
        self.assert_broken(self.login([], helper=self.file(b"", 0o755)))
        self.assert_broken(self.login([], helper=self.file(b"#!/nowhere/shell\n", 0o755)))
        self.assert_broken(self.login([], helper="/dev/null"))
        self.assert_broken(self.login([], helper="/" + "x" * 5000))

    @unittest.skipIf(os.geteuid() != 0, "needs root, to hide /dev")
    def test_a_chroot_without_dev_null_is_named(self):
        hide = ("sh", "-euc", 'mount -t tmpfs none /dev && exec "$@"', "sh")
        login = self.login(self.APPROVES, prefix=(*private_mounts(), *hide))
        self.assert_broken(login, "/dev/null cannot be opened: No such file or directory")

    def test_a_text_without_an_interpreter_is_never_run_by_a_shell(self):
        login = self.login([], helper=self.file(b"echo approved\n", 0o755))
        self.assert_broken(login)

    def test_a_program_that_ends_at_once_is_broken_whatever_its_status(self):
        for program in ("true", "false"):
            for sigchld in ("default", "ignore", "no-wait", "reap"):
                with self.subTest([program, sigchld]):
                    login = self.login([], "--sigchld", sigchld, "--loop", "20",
                                       helper=shutil.which(program))
                    self.assertEqual(set(login.codes), {"PAM_SYSTEM_ERR"})
                    self.assertTrue(all(" outcome=broken " in text for _, text in login.log))

    def test_another_program_that_talks_much_is_broken(self):
        for program in ("env", "ls", "cat"):
            with self.subTest(program):
                self.assert_broken(self.login([], helper=shutil.which(program)))

    APPROVES = ["read", "send approved"]
    OLD_ENGINES = [f"{call}={error}" for call in ("pidfd_open", "pidfd_send_signal", "waitid")
                   for error in (errno.ENOSYS, errno.EPERM)] + [f"waitid={errno.EINVAL}"]
    REMEDY = (": Linux 5.4 or later is needed, and that SystemCallFilter= of the unit, or the seccomp "
              "profile of the container, allows it")

    def test_a_kernel_or_a_container_that_is_too_old_is_named_and_nothing_is_started(self):
        for refused in self.OLD_ENGINES:
            with self.subTest(refused):
                login = self.login(self.APPROVES, "--refuse", refused)
                call = refused.partition("=")[0]
                self.assert_broken(login, f"{call} ", "failed: ", self.REMEDY)
                self.assertEqual(login.events, [])

    def test_a_container_in_which_no_process_can_be_started_is_named(self):
        for refused in ("execve", "setsid"):
            with self.subTest(refused):
                login = self.login(self.APPROVES, "--refuse", f"{refused}={errno.EPERM}")
                self.assert_broken(login, f"{FAKE_CHECK} cannot be started: ", self.REMEDY)

    def test_what_libc_and_the_module_can_do_without_may_be_refused(self):
        for error in (errno.ENOSYS, errno.EPERM):
            for refused in ("close_range", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
                with self.subTest([refused, error]):
                    login = self.login(self.APPROVES, "--refuse", f"{refused}={error}")
                    self.assertEqual(login.code, "PAM_SUCCESS")
        login = self.login(self.APPROVES, "--refuse", f"clone3={errno.ENOSYS}")
        self.assertEqual(login.code, "PAM_SUCCESS")

    def test_a_check_program_that_can_t_be_watched_ends_and_is_reaped(self):
        for sigchld in ("default", "ignore", "no-wait", "reap"):
            with self.subTest(sigchld):
                login = self.login(["expect-eof"], "--sigchld", sigchld, "--refuse",
                                   f"pidfd_open of another={errno.EMFILE}")
                self.assert_broken(login, "cannot be watched: Too many open files")
                self.assertEqual(login.saw, ["started", "end"])

    def test_settings_that_are_missing_are_the_check_programs_to_judge(self):
        login = self.login([], conf="/nowhere/twilio-verify.conf")
        self.assert_broken(login)


class Conversation(ModuleTest):
    def test_the_user_is_asked_with_echo_off_and_on_and_told(self):
        login = self.login(["read", "send show Hello, %s%n", "send ask-secret Code: ", "read",
                            "send ask Name (ä)? ", "read", "send approved"],
                           "--answer", ANSWER, "--answer", "visible")
        self.assertEqual(login.messages, [("info", b"Hello, %s%n"), ("secret", b"Code: "),
                                          ("visible", "Name (ä)? ".encode())])
        self.assertEqual(login.received[1:], [ANSWER.encode(), b"visible"])
        self.assertEqual(login.code, "PAM_SUCCESS")

    def test_silent_leaves_out_what_is_shown_and_nothing_else(self):
        login = self.login(["read", "send show Hello", "send ask-secret Code: ", "read",
                            "send ask Name? ", "read", "send show Bye", "send approved"],
                           "--answer", ANSWER, "--answer", "x", "--silent")
        self.assertEqual(login.messages, [("secret", b"Code: "), ("visible", b"Name? ")])
        self.assertEqual(login.code, "PAM_SUCCESS")

    def test_a_prompt_is_no_format(self):
        login = self.login(["read", "send ask-secret %s%n%99999d%: ", "read", "send denied: %s%n"],
                           "--answer", "%s%n")
        self.assertEqual(login.messages, [("secret", b"%s%n%99999d%: ")])
        self.assertEqual(login.received[1], b"%s%n")
        self.assertEqual(login.log_fields[4], "%s%n")

    def test_an_empty_prompt_is_a_prompt(self):
        login = self.login(["read", "send ask-secret ", "read", "send approved"],
                           "--answer", ANSWER)
        self.assertEqual(login.messages, [("secret", b"")])
        self.assertEqual(login.code, "PAM_SUCCESS")

    def assert_answer(self, answer, line):
        """That ANSWER to either prompt arrives as LINE, and the dialogue goes on."""
        options = ["--answer-null"] if answer is None else ["--answer", answer]
        for ask in ("ask-secret", "ask"):
            login = self.login(["read", "send %s Code: " % ask, "read", "send ask-secret Again: ",
                                "read", "send denied"], *options, "--answer", "next",
                               arguments=["debug"])
            self.assertEqual(login.received[1:], [line, b"next"])
            self.assertEqual(login.code, "PAM_AUTH_ERR")

    def test_an_answer_arrives_as_it_was_typed(self):
        for answer in ("123456", "123 456", " 1 ", "ä€😀", "x" * 512, "ä" * 256, "", '"\\%',
                       "approved", "login 2 sshd root"):
            with self.subTest(answer):
                self.assert_answer(answer, answer.encode())

    def test_an_answer_that_is_none_arrives_as_an_empty_line(self):
        for answer in (None, "x" * 513, "ä" * 256 + "x", "x" * 100000, "\b\n\r\x7fINCORRECT",
                       "123456\n", "\x1b[A", "\x7f", "\x01", "x\napproved", "1\x85", "\x9b",
                       "x" * 512 + "\u202e"):
            with self.subTest(answer if answer is None else answer[:20]):
                self.assert_answer(answer, b"")

    def test_what_comes_along_with_a_copied_answer_makes_no_line_unclean(self):
        for answer, line in (("1\t2\r", "1 2 "), ("\u202a123456\u202c", "123456"),
                             ("\u061c\u200e1\u2067", "1"), ("\u200b1\u00a02\ufeff",
                                                           "\u200b1\u00a02\ufeff")):
            with self.subTest(answer):
                self.assert_answer(answer, line.encode())

    def test_an_answer_that_is_not_utf8_arrives_as_an_empty_line(self):
        login = self.login(asks_and_ends_with("denied"), "--answer", b"\xff\xfe12",
                           arguments=["debug"])
        self.assertEqual(login.code, "PAM_AUTH_ERR")
        self.assertEqual(login.received[1], b"")

    def test_a_conversation_without_an_answer_gives_an_empty_line(self):
        for kind in ("null-array", "untouched"):
            with self.subTest(kind):
                login = self.login(["read", "send show x", "send ask-secret Code: ", "expect ",
                                    "send ask Code: ", "expect ", "send denied"],
                                   "--conversation", kind)
                self.assertEqual(login.code, "PAM_AUTH_ERR")

    def test_a_conversation_that_fails_is_an_end_of_file_and_an_error(self):
        for kind in ("fail", "none", "again"):
            for ask in ("ask-secret", "ask"):
                for sigchld in ("default", "ignore", "reap"):
                    with self.subTest([kind, ask, sigchld]):
                        login = self.login(["read", "send %s Code: " % ask, "expect-eof"],
                                           "--conversation", kind, "--sigchld", sigchld,
                                           "--answer", ANSWER)
                        self.assertEqual(login.code, "PAM_CONV_ERR")
                        self.assertEqual(login.saw, ["started", "received", "end"])
                        self.assertLess(login.ms, 900)
                        self.assertEqual(login.log[0][0], "NOTICE")
                        self.assertEqual(login.report["fail_delays"], [])

    def test_a_conversation_that_fails_to_show_is_an_error(self):
        for kind in ("fail", "none", "again"):
            with self.subTest(kind):
                login = self.login(["read", "send show x", "expect-eof"], "--conversation", kind)
                self.assertEqual(login.code, "PAM_CONV_ERR")
                self.assertEqual(login.saw, ["started", "received", "end"])

    def test_silent_asks_no_conversation_to_show(self):
        login = self.login(["read", "send show x", "send approved"], "--conversation", "fail",
                           "--silent")
        self.assertEqual(login.code, "PAM_SUCCESS")

    PASSWORD = "auth optional pam_exec.so quiet expose_authtok /bin/true\n"  # asks for it

    def assert_password(self, password, answer, is_one, script=None):
        script = script or ["read", "send ask-secret Code: ", "read", "send approved"]
        given = ["--answer-null"] if answer is None else ["--answer", answer]
        login = self.login(script, "--answer", password, *given, stack="required",
                           before=self.PASSWORD)
        self.assertEqual([text for _, text in login.messages][-1], b"Code: ")
        if not is_one:
            self.assertEqual(login.code, "PAM_SUCCESS")
            self.assertEqual(len(login.received), 2)
            return login
        self.assertEqual(login.code, "PAM_AUTH_ERR")
        self.assertEqual(login.received, [b"login 2 sshd alice"])
        self.assertEqual(login.report["fail_delays"], [2000000])
        self.assertEqual([(level, text.partition(" ms=")[0]) for level, text in login.log], [
            ("NOTICE", "user=alice service=sshd rhost=- tty=- "
                       'outcome=denied reason="the answer was the password: it was not passed on"')])
        return login

    def test_an_answer_that_is_the_password_is_never_passed_on(self):
        for password in ("314159", "Secret 1", " ", "\xff\n", "x" * 600, "\u202e1"):
            for ask in ("ask-secret", "ask"):
                with self.subTest([password, ask]):
                    self.assert_password(password, password, True,
                                         ["read", "send %s Code: " % ask, "read", "send approved"])

    def test_an_answer_that_is_another_than_the_password_goes_on(self):
        for password, answer in (("314159", "314158"), ("314159", "3141590"), ("314159", "31415"),
                                 ("314159", "214159"), ("314159", None),
                                 ("314 159", "314159"), ("314159", "314 159"), ("", ""),
                                 ("", "314159"), ("314159", "")):
            with self.subTest([password, answer]):
                self.assert_password(password, answer, False)

    def test_the_password_ends_the_check_program_though_it_would_approve(self):
        self.assert_password("314159", "314159", True, ["read", "send ask-secret Code: ",
                                                       "send approved"])
        self.assert_password("314159", "314159", True, ["read", "send ask-secret Code: ", "hang"])

    def test_no_verdict_counts_after_the_conversation_failed(self):
        for outcome in CODES:
            with self.subTest(outcome):
                login = self.login(["read", "send ask-secret Code: ", "expect-eof",
                                    "send " + outcome], "--conversation", "fail")
                self.assertEqual(login.code, "PAM_CONV_ERR")
                login = self.login(["read", "send ask-secret Code: ", "send " + outcome,
                                    "expect-eof"], "--conversation", "fail")
                self.assertEqual(login.code, "PAM_CONV_ERR")

    def test_the_log_of_a_conversation_that_failed_has_the_reason_of_the_verdict(self):
        for last, reason in ((["send log notice x", "send ask Code: ", "send denied: why"], "why"),
                             (["send denied: why", "exit 1"], UNANSWERED), ([], UNANSWERED)):
            with self.subTest(last):
                login = self.login(["read", "send ask-secret Code: ", "expect-eof", *last],
                                   "--conversation", "fail")
                self.assertEqual(login.code, "PAM_CONV_ERR")
                self.assertEqual(len(login.messages), 1)
                self.assertIn(f'outcome=unanswered reason="{reason}" ms=', login.log[-1][1])

    def test_a_conversation_that_fails_at_the_second_prompt_is_an_error(self):
        login = self.login(["read", "send ask-secret Code: ", "read", "send ask-secret Again: ",
                            "expect-eof"], "--answer", ANSWER, "--answer", "2", "--fail-at", "2")
        self.assertEqual(login.code, "PAM_CONV_ERR")
        self.assertEqual(login.received[1:], [ANSWER.encode()])
        self.assertEqual(login.saw[-1], "end")

    def test_no_conversation_is_needed_where_nobody_is_asked(self):
        login = self.login(says("approved\n"), "--conversation", "none")
        self.assertEqual(login.code, "PAM_SUCCESS")

    def test_a_user_without_a_name_is_asked_for_it(self):
        login = self.login(["expect login 2 sshd bob", "send approved"], "--answer", "bob",
                           user=None, stack="required")
        self.assertEqual(login.code, "PAM_SUCCESS")
        self.assertEqual(len(login.messages), 1)

    def test_nobody_is_let_in_without_a_name(self):
        for options in (["--conversation", "fail"], ["--answer-null"], []):
            with self.subTest(options):
                login = self.login(says("approved\n"), *options, user=None)
                self.assertEqual(login.code, "PAM_CONV_ERR")
                self.assertEqual(login.events, [])
                self.assertEqual(login.log, [("NOTICE", "PAM supplied no user name")])


class Arguments(ModuleTest):
    def assert_refused(self, *arguments, part=None):
        login = self.login(says("approved\n"), arguments=arguments)
        self.assertEqual(login.code, "PAM_SERVICE_ERR")
        self.assertEqual(login.events, [])
        self.assertEqual(login.messages, [])
        (level, text), = login.log
        self.assertEqual(level, "ERR")
        self.assertIn(part if part is not None else arguments[-1], text)

    def test_an_unknown_argument_refuses_everybody_and_is_named_in_the_log(self):
        for argument in ("nullok", "use_first_pass", "try_first_pass", "Debug", "debug=1",
                         "config=/x", "Conf=/x", "conf", "helper", "ignore", "fail_open"):
            with self.subTest(argument):
                self.assert_refused(argument)
                self.assert_refused("debug", argument)

    def test_a_path_that_is_not_absolute_refuses_everybody(self):
        for argument in ("conf=", "conf=x", "conf=./x", "conf=../x", "conf= /x", "helper=",
                         "helper=fake-check", "helper=./fake-check"):
            with self.subTest(argument):
                self.assert_refused(argument)

    def test_an_empty_argument_refuses_everybody(self):
        self.assert_refused("", part='""')

    def test_an_argument_is_escaped_and_cut_in_the_log(self):
        self.assert_refused('x\n"user=root"\x1b', part="x\\x0a")
        login = self.login([], arguments=["y" * 3000])
        self.assertLess(len(login.log[0][1]), 1000)
        login = self.login([], arguments=["%s%n%s"])
        self.assertIn("%s%n%s", login.log[0][1])

    def test_the_last_of_two_paths_counts(self):
        directory = self.directory()
        path = os.path.join(directory, "other")
        with open(path, "w") as file:
            file.write("read\nsend exhausted\n")
        login = self.login(says("approved\n"), arguments=["conf=" + path])
        self.assertEqual(login.code, "PAM_MAXTRIES")

    def test_debug_changes_no_outcome(self):
        for outcome, code in CODES.items():
            with self.subTest(outcome):
                self.assertEqual(self.login(says(outcome + "\n"), arguments=["debug"]).code, code)


class After(ModuleTest):
    """The argument "after=": sshd says in its PAM environment which methods it has accepted."""

    def after(self, methods, info, *options):
        if info is not None:
            options = ("--variable", "SSH_AUTH_INFO_0=" + info, *options)
        return self.login(asks_and_ends_with("approved"), "--answer", ANSWER, *options,
                          arguments=["after=" + methods])

    def test_after_an_accepted_method_the_code_is_asked(self):
        for methods, info in (("publickey", "publickey ssh-ed25519 AAAA\n"),
                              ("publickey", "publickey"),
                              ("publickey,gssapi-with-mic", "gssapi-with-mic alice@EXAMPLE.ORG\n"),
                              ("publickey", "keyboard-interactive/pam\npublickey ssh-ed25519 AAAA\n"),
                              ("publickey", "password\npublickey ssh-ed25519 AAAA\n"),
                              ("hostbased,password", "password\n")):
            with self.subTest([methods, info]):
                login = self.after(methods, info)
                self.assertEqual(login.code, "PAM_SUCCESS")
                self.assertEqual(len(login.messages), 1)

    def test_otherwise_nothing_is_asked_and_nothing_started(self):
        for methods, info in (("publickey", None), ("publickey", ""), ("publickey", "password\n"),
                              ("publickey", " publickey"), ("publickey", "publickeyx\n"),
                              ("publickey", "publick"), ("publickey", "PUBLICKEY\n"),
                              ("publickey", "publickey,password\n"), ("publickey", "\n"),
                              ("password", "hostbased password\n"),
                              ("publickey,password", "keyboard-interactive/pam\n")):
            with self.subTest([methods, info]):
                login = self.after(methods, info)
                self.assertEqual(login.code, "PAM_AUTH_ERR")
                self.assertEqual((login.events, login.messages), ([], []))
                self.assertEqual(login.report["fail_delays"], [2000000])
                (level, text), = login.log
                self.assertEqual(level, "NOTICE")
                self.assertIn(f'outcome=denied reason="after={methods}: sshd has accepted no such '
                              'method before: write \\x22AuthenticationMethods '
                              f'{methods.split(",")[0]},keyboard-interactive\\x22', text)

    def test_the_hosts_own_environment_is_no_word_of_sshds(self):
        login = self.login(asks_and_ends_with("approved"), "--answer", ANSWER,
                           arguments=["after=publickey"],
                           env={**os.environ, "SSH_AUTH_INFO_0": "publickey ssh-ed25519 AAAA"})
        self.assertEqual((login.code, login.events), ("PAM_AUTH_ERR", []))

    def test_the_outage_recipe_does_not_let_in(self):
        login = self.login(asks_and_ends_with("approved"), stack=OUTAGE_RECIPE,
                           arguments=["after=publickey"])
        self.assertEqual(login.code, "PAM_AUTH_ERR")

    def test_what_is_no_method_or_stands_twice_refuses_everybody(self):
        for argument in ("after=", "after=publickey,", "after=keyboard-interactive", "after=any",
                         "after=PublicKey", "after", "after=publickey password", "after=,",
                         "after=publickey,,password", "after=public", "after=publickey,nothing"):
            with self.subTest(argument):
                login = self.login(says("approved\n"), arguments=[argument])
                self.assertEqual((login.code, login.events), ("PAM_SERVICE_ERR", []))
        login = self.login(says("approved\n"), arguments=["after=publickey", "after=password"])
        self.assertEqual((login.code, login.events), ("PAM_SERVICE_ERR", []))
        self.assertIn('"after=password"', login.log[0][1])


class Split(ModuleTest):
    """The argument "split=": an early line cuts the code off, a later one answers with it."""

    def split(self, script, *answers, first_factor="auth requisite pam_permit.so\n", options=(),
              arguments=(), length=6, **world):
        """Runs a login whose one field is answered with ANSWERS, one for each try."""
        given = [word for answer in answers for word in ("--answer", answer)]
        self.password = os.path.join(self.directory(), "password")
        tell = os.path.join(os.path.dirname(self.password), "tell")
        with open(tell, "w") as file:
            file.write(f"#!/bin/sh\nexec cat >{self.password}\n")
        os.chmod(tell, 0o755)
        return self.login(script, *given, *options, stack="required", arguments=arguments,
                          before=f"auth requisite {MODULE} split={length} {' '.join(arguments)}\n"
                                 f"{first_factor}"
                                 f"auth optional pam_exec.so quiet expose_authtok {tell}\n",
                          **world)

    def first_factors_password(self):
        with open(self.password, "rb") as file:
            return file.read().rstrip(b"\0")

    def test_the_first_factor_gets_the_rest_and_the_check_program_the_code(self):
        for typed, password, code in (("secret314159", b"secret", b"314159"),
                                      ("hunter2314159", b"hunter2", b"314159"),
                                      ("1314159", b"1", b"314159"),
                                      ("314159271828", b"314159", b"271828"),
                                      ("secret1", b"secret", b"1"),
                                      ("secret12345678", b"secret", b"12345678")):
            with self.subTest(typed):
                login = self.split(["read", "send ask-secret Code: ", "read", "send approved"],
                                   typed, length=len(code))
                self.assertEqual(login.code, "PAM_SUCCESS")
                self.assertEqual(login.received, [b"login 2 sshd alice silent", code])
                self.assertEqual([text for _, text in login.messages], [b"Password and code: "])
                self.assertEqual(self.first_factors_password(), password)
                self.assertNotIn(code.decode(), re.sub(r" ms=\d+", "", json.dumps(login.log)))

    def test_without_a_code_the_first_factor_gets_all_and_the_check_program_the_end(self):
        for typed in ("secret", "314159", "31415", "", "secret31415", "secret314159 "):
            with self.subTest(typed):
                login = self.split(["read", "send ask-secret Code: ", "expect-eof",
                                    "send denied: left"], typed)
                self.assertEqual(login.code, "PAM_AUTH_ERR")
                self.assertEqual(self.first_factors_password(), typed.encode())
                self.assertIn('reason="left; the password ended in no code"', login.log[-1][1])

    def test_a_second_question_is_answered_with_the_end(self):
        for outcome in ("denied", "exhausted", "unavailable"):
            with self.subTest(outcome):
                login = self.split(["read", "send ask-secret Code: ", "expect 314159",
                                    "send ask Again: ", "expect-eof", "send " + outcome],
                                   "secret314159")
                self.assertEqual(login.code, CODES[outcome])
                self.assertEqual(len(login.messages), 1)
                self.assertNotIn("ended in no code", login.log[-1][1])

    def test_the_verdict_is_the_code_where_nothing_is_asked(self):
        for outcome in ("approved", "not-required", "denied", "misconfigured"):
            for typed in ("secret", "secret314159"):
                with self.subTest([outcome, typed]):
                    login = self.split(["read", "send " + outcome], typed)
                    # pam_permit has said yes.
                    self.assertEqual(login.code, {"not-required": "PAM_SUCCESS"}.get(
                        outcome, CODES[outcome]))

    def test_the_line_that_cuts_lets_nobody_in(self):
        for typed in ("secret", "secret314159", ""):
            with self.subTest(typed):
                login = self.login([], "--answer", typed, stack="sufficient",
                                   arguments=["split=6"])
                self.assertNotEqual(login.code, "PAM_SUCCESS")
                self.assertEqual((login.events, login.log), ([], []))

    def test_a_refused_password_starts_no_check_program(self):
        login = self.split(asks_and_ends_with("approved"), "secret314159",
                           first_factor="auth requisite pam_deny.so\n")
        self.assertEqual((login.code, login.events), ("PAM_AUTH_ERR", []))

    def test_a_field_that_nobody_fills_in_is_a_refusal(self):
        login = self.split(asks_and_ends_with("approved"), options=("--conversation", "fail"))
        self.assertEqual((login.code, login.events), ("PAM_AUTHTOK_ERR", []))
        self.assertRegex(login.log[-1][1], rf'outcome=unanswered reason="{UNANSWERED}" ms=\d+')

    def test_each_try_has_its_own_password_and_code(self):
        script = ["read", "send ask-secret Code: ", "read", "send denied"]
        login = self.split(script, "secret314159", "other271828",
                           options=("--call", "authenticate") * 2)
        self.assertEqual(login.codes, ["PAM_AUTH_ERR"] * 2)
        self.assertEqual([text for text in login.received if not text.startswith(b"login")],
                         [b"314159", b"271828"])
        self.assertEqual(self.first_factors_password(), b"other")

    def test_a_code_is_taken_once_and_then_the_line_asks(self):
        script = os.path.join(self.directory(), "other")
        with open(script, "w") as file:
            file.write("read\nsend ask-secret Code: \nexpect 314159\nsend approved\n")
        login = self.split(asks_and_ends_with("approved"), "secret314159", ANSWER,
                           first_factor=f"auth required {MODULE} conf={script} "
                                        f"helper={FAKE_CHECK}\n")
        self.assertEqual(login.code, "PAM_SUCCESS")
        self.assertEqual([text for _, text in login.messages], [b"Password and code: ", b"Code: "])
        self.assertEqual(login.received, [b"login 2 sshd alice", ANSWER.encode()])

    def test_what_is_shown_is_shown(self):
        login = self.split(["read", "send show Hello", "send ask-secret Code: ", "read",
                            "send approved"], "secret314159")
        self.assertEqual([text for _, text in login.messages], [b"Password and code: ", b"Hello"])

    def test_a_code_that_is_the_password_too_is_not_passed_on(self):
        login = self.split(asks_and_ends_with("approved"), "314159314159")
        self.assertEqual(login.code, "PAM_AUTH_ERR")
        self.assertEqual(len(login.received), 1)

    def test_debug_shows_no_code(self):
        login = self.split(asks_and_ends_with("approved"), "secret314159", arguments=["debug"])
        self.assertIn(("DEBUG", "> (6 bytes)"), login.log)
        self.assertNotIn("314159", json.dumps(login.log))

    def test_another_length_than_one_to_eight_or_a_second_one_refuses_everybody(self):
        for arguments in (["split=0"], ["split=9"], ["split="], ["split=6x"], ["split=06"],
                          ["split=6", "split=6"], ["split=6", "after=publickey"],
                          ["after=publickey", "split=6"]):
            with self.subTest(arguments):
                login = self.login(says("approved\n"), arguments=arguments)
                self.assertEqual((login.code, login.events, login.messages),
                                 ("PAM_SERVICE_ERR", [], []))
                self.assertIn(f'argument "{arguments[-1]}": the module takes', login.log[0][1])


class Names(ModuleTest):
    def login_line(self, user="alice", service="sshd"):
        login = self.login(says("denied\n"), user=user, service=service)
        self.assertEqual(login.code, "PAM_AUTH_ERR")
        return login.received[0]

    def test_a_users_name_is_percent_encoded(self):
        names = {
            b"alice": b"alice",
            b"two words": b"two%20words",
            b" ": b"%20",
            b"100%": b"100%25",
            b"%41": b"%2541",
            "tëster".encode(): b"t%C3%ABster",
            b"a\nlogin 2 sshd root": b"a%0Alogin%202%20sshd%20root",
            b"\x01\x1f\x7f\xff": b"%01%1F%7F%FF",
            b"..": b"..",
            b"a/b": b"a/b",
            b"-x": b"-x",
            b"DOM\\user@example.org": b"DOM\\user@example.org",
        }
        for name, encoded in names.items():
            with self.subTest(name):
                self.assertEqual(self.login_line(user=name), b"login 2 sshd " + encoded)

    def test_a_name_is_whole_up_to_251_bytes_and_cut_there(self):
        for size in (250, 251, 252, 3000):
            with self.subTest(size):
                line = self.login_line(user=b"A" * size)
                self.assertEqual(line, b"login 2 sshd " + b"A" * min(size, 251))

    def test_a_long_name_fits_where_each_byte_is_escaped(self):
        self.assertEqual(self.login_line(user=b"\xff" * 3000, service="s" * 64),
                         b"login 2 " + b"s" * 64 + b" " + b"%FF" * 251)

    def test_an_empty_name_lets_nobody_in_by_the_modules_own_decision(self):
        self.assertEqual(self.login_line(user=b""), b"login 2 sshd ")

    def test_the_services_name_arrives(self):
        for service in ("sudo", "su-l", "login", "gdm-password", "x" * 64):
            with self.subTest(service):
                self.assertEqual(self.login_line(service=service),
                                 b"login 2 " + service.encode() + b" alice")
        self.assertEqual(self.login_line(service="a b%"), b"login 2 a%20b%25 alice")

    def test_the_first_line_says_what_the_host_says(self):
        rows = (([], b""), (["--ruser", "alice"], b" own"), (["--silent"], b" silent"),
                (["--ruser", "alice", "--silent"], b" own silent"), (["--ruser", "bob"], b""),
                (["--ruser", "alic"], b""), (["--ruser", ""], b""),
                (["--ruser", "bob", "--silent"], b" silent"))
        for options, words in rows:
            with self.subTest(options):
                login = self.login(says("denied\n"), *options)
                self.assertEqual(login.received, [b"login 2 sshd alice" + words])
        login = self.login(says("denied\n"), "--ruser", "", user="")
        self.assertEqual(login.received, [b"login 2 sshd "])

    def test_a_service_with_too_long_a_name_is_refused(self):
        for size in (65, 150):
            with self.subTest(size):
                login = self.login(says("approved\n"), service="s" * size)
                self.assertEqual(login.code, "PAM_SERVICE_ERR")
                self.assertEqual(login.events, [])
                self.assertEqual(login.log_fields[3:5], (
                    "misconfigured", "the PAM service's name is empty or longer than 64 bytes"))


class Log(ModuleTest):
    def test_a_login_is_one_line_at_the_level_of_its_outcome(self):
        for outcome, level in LEVELS.items():
            with self.subTest(outcome):
                login = self.login(asks_and_ends_with(outcome + ": because"), "--answer", ANSWER,
                                   "--rhost", "192.0.2.7")
                (said, text), = login.log
                self.assertEqual(said, level)
                self.assertRegex(text, r'^user=alice service=sshd rhost=192\.0\.2\.7 tty=- outcome=%s '
                                       r'reason="because" ms=\d+$' % outcome)

    def test_a_line_names_the_terminal_and_who_calls_where_the_host_says_so(self):
        rows = ((["--tty", "ssh"], "rhost=- tty=ssh outcome="),
                (["--tty", "/dev/pts/0", "--ruser", "bob"],
                 "rhost=- tty=/dev/pts/0 ruser=bob outcome="),
                (["--tty", "", "--ruser", "b b"], r"rhost=- tty=- ruser=b\x20b outcome="),
                (["--ruser", ""], "rhost=- tty=- outcome="))
        for options, part in rows:
            with self.subTest(options):
                (_, text), = self.login(says("denied: x\n"), *options).log
                self.assertIn(part, text)

    def test_what_the_check_program_tells_is_logged_at_once(self):
        login = self.login(["read", "send log notice wrong code 1 of 3; challenge=YC1",
                            "send ask-secret Code: ", "read", 'send log warning a "b" ä',
                            "send denied: x"], "--answer", ANSWER, "--tty", "ssh", "--rhost", "::1",
                           "--ruser", "bob")
        keys = "user=alice service=sshd rhost=::1 tty=ssh ruser=bob "
        self.assertEqual(login.log[:2], [
            ("NOTICE", keys + 'reason="wrong code 1 of 3; challenge=YC1"'),
            ("WARNING", keys + r'reason="a \x22b\x22 \xc3\xa4"')])
        self.assertIn("outcome=denied", login.log[2][1])
        self.assertEqual(len(login.log), 3)
        self.assertEqual(login.messages, [("secret", b"Code: ")])
        self.assertEqual(login.code, "PAM_AUTH_ERR")

    def test_a_line_for_the_log_is_there_though_nothing_comes_after_it(self):
        login = self.login(["read", "send log notice wrong code 1 of 3", "kill 9"])
        self.assertEqual([level for level, _ in login.log], ["NOTICE", "ERR"])
        login = self.login(["read", "send log notice wrong code 1 of 3", "send ask Code: ",
                            "expect-eof"], "--conversation", "fail")
        self.assertEqual([level for level, _ in login.log], ["NOTICE", "NOTICE"])
        self.assertEqual(login.code, "PAM_CONV_ERR")

    def test_a_line_goes_where_pam_modules_log(self):
        login = self.login(says("denied\n"), stack="required")
        line, = login.report["log"]
        self.assertEqual(line["facility"], 10)  # LOG_AUTHPRIV
        self.assertTrue(line["text"].startswith("pam_twilio_verify(sshd:auth): user=alice "))

    def test_a_missing_remote_host_and_a_missing_reason_leave_their_fields(self):
        _, _, rhost, outcome, reason, _ = self.login(says("approved\n")).log_fields
        self.assertEqual((rhost, outcome, reason), ("-", "approved", ""))

    def test_a_check_program_that_a_filter_killed_names_the_filter(self):
        for number, part in ((signal.SIGSYS, "check SystemCallFilter= of the service's unit "),
                             (signal.SIGKILL, "the check program ended without a verdict")):
            login = self.login(["read", f"kill {int(number)}"])
            self.assertEqual((login.code, login.log_fields[3]), ("PAM_SYSTEM_ERR", "broken"))
            self.assertIn(part, login.log_fields[4])

    def test_a_broken_login_and_an_unanswered_one_are_one_line_too(self):
        broken = ([], ["read"], ["read", "send x"], ["read", "send approved", "exit 1"],
                  ["read", "send approved", "send approved"], ["kill 9"])
        for script in broken:
            with self.subTest(script):
                login = self.login(script)
                self.assertEqual(login.log_fields[3], "broken")
                self.assertNotEqual(login.log_fields[4], "")
                self.assertEqual(login.log[0][0], "ERR")
        login = self.login(["read", "send ask-secret Code: ", "expect-eof"], "--conversation",
                           "fail")
        self.assertEqual(login.log[0][0], "NOTICE")
        self.assertNotIn(login.log_fields[3], (*CODES, "broken"))

    def test_foreign_names_are_escaped(self):
        foreign = {
            "al ice": r"al\x20ice",
            'x" outcome=approved reason="': r"x\x22\x20outcome=approved\x20reason=\x22",
            "a\nb\r\x1b[2J\x7f": r"a\x0ab\x0d\x1b[2J\x7f",
            "a\\x41": r"a\x5cx41",
            "ä": r"\xc3\xa4",
            "%s%n": "%s%n",
        }
        for raw, escaped in foreign.items():
            with self.subTest(raw):
                login = self.login(says("denied\n"), "--rhost", raw, user=raw)
                user, _, rhost, outcome, _, _ = login.log_fields
                self.assertEqual((user, rhost, outcome), (escaped, escaped, "denied"))

    def test_a_services_name_is_escaped(self):
        login = self.login(says("denied\n"), service='a "b')
        self.assertEqual(login.log_fields[1], r"a\x20\x22b")

    def test_a_reason_is_escaped_and_keeps_its_blanks(self):
        login = self.login(says('denied: he said "no" \\ ms=1 ä\n'))
        self.assertEqual(login.log_fields[4], r"he said \x22no\x22 \x5c ms=1 \xc3\xa4")

    def test_a_line_of_the_check_program_that_is_none_is_escaped(self):
        login = self.login(says(b'user=root" \xff\x1b[2J\n'))
        text = login.log[0][1]
        self.assertTrue(all(" " <= character <= "~" for character in text))
        self.assertEqual(text.count('"'), 2)

    def test_long_values_are_cut(self):
        for filling in ("x", '"', "ä"):
            with self.subTest(filling):
                login = self.login(says(("denied: " + filling * 500)[:1000] + "\n"),
                                   "--rhost", filling * 3000, user=filling * 3000,
                                   service="s" * 60)
                self.assertEqual(login.log_fields[3], "denied")
                self.assertLess(len(login.log[0][1]), 2048)
        longest = self.login(says("denied: " + "x" * 399 + "\n"), user="u" * 250)
        self.assertEqual(longest.log_fields[0], "u" * 250)
        self.assertEqual(longest.log_fields[4], "x" * 399)

    def test_the_time_spent_does_not_count_the_users(self):
        login = self.login(["read", "sleep 120", "send ask-secret Code: ", "read", "sleep 120",
                            "send approved"], "--answer", ANSWER, "--think-ms", "600")
        spent = int(login.log_fields[5])
        self.assertGreaterEqual(spent, 240)
        self.assertLess(spent, login.ms - 590)
        self.assertGreaterEqual(login.ms, 840)

    def test_debug_tells_the_dialogue_and_only_the_size_of_an_answer(self):
        login = self.login(["read", "send show Hello", "send ask-secret Code: ", "read",
                            "send ask Name? ", "read", "send denied: x"], "--answer", ANSWER,
                           "--answer", "visible-" + ANSWER, arguments=["debug"])
        debug = [text for level, text in login.log if level == "DEBUG"]
        self.assertEqual(debug, ["> login 2 sshd alice", "< show Hello", "< ask-secret Code: ",
                                 "> (9 bytes)", "< ask Name? ", "> (17 bytes)", "< denied: x"])
        self.assertEqual([level for level, _ in login.log if level != "DEBUG"], ["NOTICE"])
        self.assertNotIn(ANSWER, str(login.log))

    def test_debug_escapes_what_the_check_program_says(self):
        login = self.login(["read", 'send show a"b\\ä', "send approved"], arguments=["debug"])
        self.assertTrue(any(r"show a\x22b\x5c\xc3\xa4" in text for _, text in login.log))

    def test_without_debug_there_is_no_line_at_that_level(self):
        login = self.login(asks_and_ends_with("approved"), "--answer", ANSWER)
        self.assertEqual([level for level, _ in login.log], ["INFO"])

    def test_an_answer_is_never_logged(self):
        answers = (ANSWER, "password " + ANSWER, ANSWER + "\n", ANSWER * 60, "\xff" + ANSWER)
        ends = (["send approved"], ["send denied: x"], ["send nonsense"], ["exit 1"], ["kill 9"],
                [], ["send approved", "exit 1"], ["send ask-secret More: ", "expect-eof"])
        for answer in answers:
            for end in ends:
                with self.subTest([answer, end]):
                    login = self.login(["read", "send ask-secret Code: ", "read", *end],
                                       "--answer", answer, arguments=["debug"])
                    self.assertNotIn(ANSWER, login.end()[0].decode())


class World(ModuleTest):
    def dump(self, *options, script=(), **world):
        """What the check program finds; list values by name."""
        path = os.path.join(self.directory(), "dump")
        login = self.login(["dump " + path, *script, "read", "send approved"], *options, **world)
        self.assertEqual(login.code, "PAM_SUCCESS")
        found = {}
        with open(path) as file:
            for line in file:
                name, _, value = line.rstrip("\n").partition(" ")
                name, colon, signals = name.partition(":")
                found.setdefault(name, []).append(signals.strip() if colon else value)
        found["login"] = login
        return found

    def assert_clean(self, found):
        def decoded(name):
            return [bytes.fromhex(value) for value in found.get(name, [])]

        script = found["login"].script.encode()
        self.assertEqual(decoded("argument"), [FAKE_CHECK.encode(), b"--settings", script])
        self.assertEqual(decoded("variable"), [])
        descriptors = dict(value.split(" ", 1) for value in found["descriptor"])
        self.assertEqual(sorted(descriptors), ["0", "1", "2"])
        self.assertRegex(descriptors["0"], r"^socket:")
        self.assertEqual(descriptors["0"], descriptors["1"])
        self.assertEqual(descriptors["2"], "/dev/null")
        self.assertEqual(found["session"], found["pid"])
        self.assertEqual(found["process-group"], found["pid"])
        self.assertEqual(found["terminal"], ["no"])

    def test_the_check_program_starts_in_a_clean_world(self):
        self.assert_clean(self.dump())

    def test_the_check_program_gets_nothing_of_a_hostile_environment(self):
        variables = {"VARIABLE_%d" % i: "x" * 500 for i in range(400)}
        variables.update({"SSLKEYLOGFILE": "/tmp/x", "HTTPS_PROXY": "http://127.0.0.1:1",
                          "OPENSSL_CONF": "/tmp/x", "IFS": "/", "BASH_ENV": "/tmp/x",
                          "LC_ALL": "C.UTF-8", "PATH": ""})
        if "ASAN_OPTIONS" in os.environ:
            variables["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        self.assert_clean(self.dump(env=variables))

    def test_the_check_program_gets_no_descriptor_of_the_host(self):
        pairs = [os.pipe() for _ in range(40)]
        descriptors = [descriptor for pair in pairs for descriptor in pair]
        try:
            high = fcntl.fcntl(descriptors[0], fcntl.F_DUPFD, 700)
            descriptors.append(high)
            self.assert_clean(self.dump(pass_fds=descriptors))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def test_the_check_program_gets_default_signals_and_an_empty_mask(self):
        def ignore_all():
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP,
                                                    signal.SIGCHLD}:
                try:
                    signal.signal(number, signal.SIG_IGN)
                except OSError:
                    pass

        for options in ([], ["--block-signals"], ["--sigpipe", "ignore", "--sigchld", "ignore"]):
            with self.subTest(options):
                found = self.dump(*options, preexec_fn=ignore_all)
                self.assert_clean(found)
                self.assertEqual(int(found["SigIgn"][0], 16) & ~GLIBC_SIGNALS, 0)
                self.assertEqual(int(found["SigBlk"][0], 16), 0)

    def test_the_check_program_has_no_terminal_though_the_host_has_one(self):
        ours, theirs = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        try:
            self.assert_clean(self.dump(preexec_fn=take_terminal, pass_fds=[theirs]))
        finally:
            os.close(ours)
            os.close(theirs)

    def test_the_check_program_finds_its_descriptors_though_the_host_closed_them(self):
        for closed in ("0", "1", "2", "01", "02", "12", "012"):
            with self.subTest(closed):
                options = []
                for descriptor in closed:
                    options += ["--close", descriptor]
                self.assert_clean(self.dump(*options))
                login = self.login(asks_and_ends_with("approved"), "--answer", ANSWER, *options)
                self.assertEqual(login.code, "PAM_SUCCESS")
                self.assertEqual(login.received[1], ANSWER.encode())

    def test_two_descriptors_closed_and_a_failing_conversation_leave_nothing_open(self):
        login = self.login(["read", "send ask-secret Code: ", "expect-eof"], "--close", "0",
                           "--close", "1", "--close", "2", "--conversation", "fail")
        self.assertEqual(login.code, "PAM_CONV_ERR")


class Hosts(ModuleTest):
    SCRIPT = asks_and_ends_with("approved: x")

    def wait_for_event(self, login, wanted):
        deadline = time.monotonic() + 60
        while wanted not in (saw := [event for _, _, event, _ in login.events_so_far()]):
            self.assertLess(time.monotonic(), deadline, f"no {wanted} after {saw}")
            time.sleep(0.02)

    def assert_approved(self, *options, script=None, **world):
        login = self.login(script or self.SCRIPT, "--answer", ANSWER, *options, **world)
        self.assertEqual(set(login.codes), {"PAM_SUCCESS"})
        return login

    def test_a_login_works_however_the_host_treats_sigchld(self):
        for sigchld in ("default", "ignore", "no-wait", "reap"):
            with self.subTest(sigchld):
                self.assert_approved("--sigchld", sigchld)
                self.assert_approved("--sigchld", sigchld, "--loop", "30")

    def test_a_refusal_and_a_broken_end_work_however_the_host_treats_sigchld(self):
        for sigchld in ("ignore", "no-wait", "reap"):
            with self.subTest(sigchld):
                login = self.login(asks_and_ends_with("denied"), "--answer", ANSWER, "--sigchld",
                                   sigchld)
                self.assertEqual(login.code, "PAM_AUTH_ERR")
                self.assert_broken(self.login(["read", "kill 9"], "--sigchld", sigchld))
                self.assert_broken(self.login(["read", "send nonsense", "hang"], "--sigchld",
                                              sigchld))

    def test_a_login_works_with_all_signals_blocked(self):
        self.assert_approved("--block-signals")
        login = self.login(["read", "send nonsense", "hang"], "--block-signals")
        self.assert_broken(login)

    def test_a_login_works_under_a_timer_that_interrupts_everything(self):
        script = ["read", "sleep 60", "send ask-secret Code: ", "read", "sleep 60",
                  "send show x", "sleep 30", "send approved", "sleep 60", "close", "sleep 60"]
        self.assert_approved("--alarm-every", "2", "--think-ms", "50", script=script)
        self.assert_approved("--alarm-every", "1", "--sigchld", "reap", script=script)

    def test_a_broken_end_and_a_failed_conversation_work_under_that_timer(self):
        self.assert_broken(self.login(["read", "sleep 50", "send nonsense", "hang"],
                                      "--alarm-every", "2"))
        login = self.login(["read", "send ask-secret Code: ", "expect-eof", "sleep 100", "exit 0"],
                           "--alarm-every", "2", "--conversation", "fail")
        self.assertEqual(login.code, "PAM_CONV_ERR")
        self.assertEqual(login.saw[-1], "exits")

    def test_the_hosts_own_child_is_left_to_the_host(self):
        for script in (self.SCRIPT, ["read", "kill 9"], ["read", "send nonsense", "hang"]):
            with self.subTest(script):
                login = self.login(script, "--answer", ANSWER, "--own-child")
                self.assertEqual(login.report["own_child"], 7)

    def test_a_login_works_in_a_hostile_directory_and_under_any_umask(self):
        directory = self.directory()
        for mask in ("0", "777", "022"):
            with self.subTest(mask):
                self.assert_approved("--umask", mask, "--cwd", directory)

    def test_a_login_works_in_a_directory_that_is_gone(self):
        directory = self.directory()

        def enter_and_remove():
            os.chdir(directory)
            os.rmdir(directory)

        self.assert_approved(preexec_fn=enter_and_remove)

    def test_a_login_works_or_is_broken_for_want_of_descriptors(self):
        for limit in range(4, 10):
            with self.subTest(limit):
                login = self.login(self.SCRIPT, "--answer", ANSWER, "--rlimit",
                                   "NOFILE=%d" % limit)
                self.assertIn(login.code, ("PAM_SUCCESS", "PAM_SYSTEM_ERR"))
                if limit == 4:
                    self.assert_broken(login)
                if limit == 9:
                    self.assertEqual(login.code, "PAM_SUCCESS")

    def test_a_login_works_or_is_broken_under_other_limits(self):
        limits = ["NPROC=1", "CORE=0", "FSIZE=0", "MEMLOCK=0", "STACK=1048576", "CPU=5"]
        if not is_sanitized():
            limits += ["AS=100000000", "DATA=8000000"]
        for limit in limits:
            with self.subTest(limit):
                login = self.login(self.SCRIPT, "--answer", ANSWER, "--rlimit", limit,
                                   events=False)
                self.assertIn(login.code, ("PAM_SUCCESS", "PAM_SYSTEM_ERR"))
                if limit != "NPROC=1":
                    self.assertEqual(login.code, "PAM_SUCCESS")

    def test_a_host_that_is_killed_is_an_end_of_file_to_the_check_program(self):
        login = Login(self.directory(), ["read", "send ask-secret Code: ", "note asked",
                                         "expect-eof"],
                      "--answer", ANSWER, "--think-ms", "80000")
        self.addCleanup(login.process.kill)
        self.wait_for_event(login, "notes")
        login.process.kill()
        login.end()
        self.wait_for_event(login, "end")
        self.assertEqual(login.saw, ["started", "received", "notes", "end"])

    def test_eight_threads_log_in_at_once(self):
        script = ["read", "send ask-secret Code: ", "expect " + ANSWER, "sleep 100",
                  "send approved"]
        for sigchld in ("default", "ignore", "reap"):
            with self.subTest(sigchld):
                login = self.assert_approved("--threads", "8", "--sigchld", sigchld, script=script)
                self.assertEqual(len(login.codes), 8)
                self.assertEqual(len({pid for pid, _, _, _ in login.events}), 8)

    def test_eight_threads_meet_broken_check_programs_at_once(self):
        login = self.login(["read", "send nonsense", "hang"], "--threads", "8")
        self.assertEqual(set(login.codes), {"PAM_SYSTEM_ERR"})

    def test_a_thousand_logins_leave_nothing_behind(self):
        loop = 10000 if SLOW else 200 if is_sanitized() else 1000
        login = self.login(self.SCRIPT, "--answer", ANSWER, "--loop", str(loop), "--only-codes",
                           events=False)
        self.assertEqual(login.report["codes"], {"PAM_SUCCESS": loop})
        self.assert_no_growth(login)

    def test_ten_thousand_logins_without_a_check_program_leave_nothing_behind(self):
        login = self.login([], "--loop", "10000", "--only-codes", helper="/nowhere/check")
        self.assertEqual(login.report["codes"], {"PAM_SYSTEM_ERR": 10000})
        self.assert_no_growth(login)

    def assert_no_growth(self, login):
        """The smallest piece of memory, lost each time of ten thousand, is 320 KiB."""
        first, last = login.report["rss_kib"]
        if not is_sanitized():
            self.assertLess(last - first, 160)

    def test_a_hundred_broken_logins_leave_nothing_behind(self):
        for script in (["read", "send nonsense", "hang"], ["kill 9"], ["read", "send approved",
                                                                      "exit 1"]):
            with self.subTest(script):
                login = self.login(script, "--loop", "100")
                self.assertEqual(set(login.codes), {"PAM_SYSTEM_ERR"})


class Patience(ModuleTest):
    """The logins that take seconds; they all begin together."""

    CASES = {
        "silent": (["read", "hang"], []),
        "deaf": (["hang"], []),
        "stopped": (["read", "stop"], []),
        "stopped later": (["read", "send ask-secret Code: ", "expect-eof", "stop"],
                          ["--conversation", "fail"]),
        "closed": (["read", "close", "hang"], []),
        "drips": (["read"] + ["sendraw 78", "sleep 400"] * 25, []),
        "hangs after verdict": (["read", "send approved", "hang"], []),
        "stops after verdict": (["read", "send approved", "stop"], []),
        "closes after verdict": (["read", "send approved", "close", "hang"], []),
        "leaves a child": (["read", "send approved", "leave 9000"], []),
        "refusal hangs": (["read", "send unavailable: x", "hang"], []),
        "lingers": (["read", "send ask-secret Code: ", "expect-eof", "hang"],
                    ["--conversation", "fail"]),
        "lingers deaf": (["read", "send ask-secret Code: ", "hang"], ["--conversation", "fail"]),
        "lingers reaped": (["read", "send ask-secret Code: ", "expect-eof", "hang"],
                           ["--conversation", "fail", "--sigchld", "reap"]),
        "chatters on": (["read", "send ask-secret Code: ", "flood show x"],
                        ["--conversation", "fail"]),
        "silent, reaped": (["read", "hang"], ["--sigchld", "reap"]),
        "silent, ignored": (["read", "hang"], ["--sigchld", "ignore"]),
        "silent, interrupted": (["read", "hang"], ["--alarm-every", "5"]),
        "almost silent": (["read", "sleep 4000", "send ask-secret Code: ", "read", "sleep 5500",
                           "send approved"], ["--answer", ANSWER]),
        "thinks": (["read", "send ask-secret Code: ", "read", "send approved"],
                   ["--answer", ANSWER, "--think-ms", "6500"]),
    }
    SLOW_CASES = {
        "silent for 42 s": (["read", "send ask-secret Code: ", "read", "sleep 42000",
                             "send approved"], ["--answer", ANSWER]),
        "silent for 38 s": (["read", "send ask-secret Code: ", "read", "sleep 38000",
                             "send approved"], ["--answer", ANSWER]),
        "thinks for 45 s": (["read", "send ask-secret Code: ", "read", "send approved"],
                            ["--answer", ANSWER, "--think-ms", "45000"]),
    }

    @classmethod
    def setUpClass(cls):
        cls.logins, cls.directories = {}, []
        for name, (script, options) in {**cls.CASES, **(cls.SLOW_CASES if SLOW else {})}.items():
            cls.directories.append(tempfile.mkdtemp(prefix="module-"))
            cls.logins[name] = Login(cls.directories[-1], script, *options)

    @classmethod
    def tearDownClass(cls):
        for login in cls.logins.values():
            login.end()
            login.survivors()
        for directory in cls.directories:
            shutil.rmtree(directory, ignore_errors=True)

    def take(self, name, at_least_ms, at_most_ms, left_behind=False):
        login = self.logins[name]
        self.check_traces(login, left_behind)
        self.assertGreaterEqual(login.ms, at_least_ms)
        self.assertLess(login.ms, at_most_ms)
        return login

    def test_five_seconds_of_silence_are_broken(self):
        for name in ("silent", "deaf", "silent, reaped", "silent, ignored",
                     "silent, interrupted"):
            with self.subTest(name):
                self.assert_broken(self.take(name, 4900, 6500))

    def test_a_check_program_that_stops_itself_is_killed(self):
        self.assert_broken(self.take("stopped", 4900, 6500))

    def test_an_end_of_file_is_broken_at_once_though_the_check_program_lives(self):
        self.assert_broken(self.take("closed", 0, 2000))

    def test_a_first_line_that_drips_has_no_more_time(self):
        self.assert_broken(self.take("drips", 4900, 6500))

    def test_a_check_program_that_lives_on_after_its_verdict_is_broken_and_killed(self):
        for name in ("hangs after verdict", "stops after verdict", "closes after verdict",
                     "refusal hangs"):
            with self.subTest(name):
                self.assert_broken(self.take(name, 500, 11500))

    def test_a_socket_that_stays_open_after_the_verdict_is_broken(self):
        self.assert_broken(self.take("leaves a child", 500, 8500, left_behind=True))

    def test_a_check_program_that_lingers_after_the_end_of_file_is_killed_after_a_second(self):
        for name in ("lingers", "lingers deaf", "lingers reaped", "stopped later"):
            with self.subTest(name):
                login = self.take(name, 900, 2500)
                self.assertEqual(login.code, "PAM_CONV_ERR")
                self.assertEqual(len(login.log), 1)
        self.assertEqual(self.logins["lingers"].saw, ["started", "received", "end", "hangs"])

    def test_a_check_program_that_chatters_after_the_end_of_file_is_killed(self):
        self.assertEqual(self.take("chatters on", 0, 2500).code, "PAM_CONV_ERR")

    def test_a_check_program_may_take_longer_for_later_lines(self):
        login = self.take("almost silent", 9400, 12000)
        self.assertEqual(login.code, "PAM_SUCCESS")

    def test_a_user_may_think_longer_than_the_check_program(self):
        login = self.take("thinks", 6400, 8000)
        self.assertEqual(login.code, "PAM_SUCCESS")
        self.assertLess(int(login.log_fields[5]), login.ms - 6400)

    @unittest.skipUnless(SLOW, "waits for 45 seconds: only with SLOW=1")
    def test_forty_seconds_of_silence_are_broken(self):
        self.assert_broken(self.take("silent for 42 s", 39900, 41500))
        self.assertEqual(self.take("silent for 38 s", 37900, 40000).code, "PAM_SUCCESS")
        self.assertEqual(self.take("thinks for 45 s", 44900, 47000).code, "PAM_SUCCESS")
