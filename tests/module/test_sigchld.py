# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A PAM application with children of its own (children-host.c) gets its SIGCHLD as without the module.

    BUILD=build /usr/bin/python3 tests/tap.py tests/module/test_sigchld.py

Needs no root."""

import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
SUCCESS, SYSTEM_ERR = 0, 4  # PAM codes
PATIENCE_SECONDS = 150  # A host ends itself after 120.

# How a host treats SIGCHLD: what it sees of a child of its own that ends, and what is left of it.
TREATMENTS = {
    "default": ", left own ended",
    "ignored": ", left",
    "no-wait": ", left",
    "no-stop-counted": ", saw own, left own ended",
    "counted": ", saw own, left own ended",
    "waits-for-all": ", saw own, left",
    "waits-for-any": ", saw own, left",
    "waits-for-the-named": ", saw own, left",
    "blocked": ", saw own, left own ended",
    "blocked-ignored": ", left",
    "signalfd": ", saw own, left own ended",
    "signalfd-thread": ", left",
    "sigwait-thread": ", left",
    "wait-thread": ", left",
}
THREADS = ("signalfd-thread", "sigwait-thread", "wait-thread")  # What they see is not printed.
IN_A_THREAD = ("counted", "waits-for-any", "waits-for-the-named", "blocked", "signalfd")
NO_STOPS = ("no-stop-counted", "waits-for-any", "waits-for-the-named")  # SA_NOCLDSTOP
UNSEEN = ("default", "ignored", "no-wait", "blocked-ignored")

ASKS = ["read", "send ask-secret Code: ", "read"]
APPROVES = ["send approved"]
# Ways to end: the rest of the script, and the PAM code.
ENDS = {
    "approved": (APPROVES, SUCCESS),
    "killed by somebody": (["kill 9"], SYSTEM_ERR),
    "killed by the module": (["send nonsense", "hang"], SYSTEM_ERR),
    "stopped by somebody, killed by the module": (["send nonsense", "stop"], SYSTEM_ERR),
}


class Hosts:
    """Runs of children-host that begin at once and end together."""

    def __init__(self, test):
        self.test, self.directory = test, pathlib.Path(test.enterContext(
            tempfile.TemporaryDirectory(prefix="sigchld-")))
        self.running = []

    def start(self, treatment, moment, count, *options, script=(*ASKS, *APPROVES),
              check=BUILD / "fake-check"):
        directory = self.directory / str(len(self.running))
        directory.mkdir()
        fifo = directory / "fifo"
        os.mkfifo(fifo)
        (directory / "script").write_text("".join(f"{step}\n" for step in script).format(fifo=fifo))
        for service in ("host", "other"):
            (directory / service).write_text(f"auth required {BUILD}/pam_twilio_verify.so "
                                          f"conf={directory}/script helper={check}\n")
        process = subprocess.Popen([BUILD / "children-host", directory, "host", fifo, treatment,
                                    moment, str(count), *options], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.test.addCleanup(process.kill)
        self.running.append((treatment, moment, count, options, process))

    def ends(self):
        """(what was run, how often, what it printed), one after the other."""
        for treatment, moment, count, options, process in self.running:
            text, _ = process.communicate(timeout=PATIENCE_SECONDS)
            if process.returncode != 0:
                text += f"status {process.returncode}\n"
            yield (treatment, moment, *options), count, text


class SigchldTest(unittest.TestCase):

    def setUp(self):
        self.hosts = Hosts(self)

    def assert_all(self, expected):
        """EXPECTED: what every login of a treatment is like."""
        for what, count, text in self.hosts.ends():
            with self.subTest(what):
                self.assertEqual(text, f"{count} times {expected(what[0])}\n")

    def start_all(self, moment, count, *options, among=TREATMENTS, **world):
        for treatment in among:
            self.hosts.start(treatment, moment, count, *options, **world)


class TheEndOfOurs(SigchldTest):
    """What a host sees that has a child which lives on."""

    def test_a_host_sees_no_signal_of_the_check_program(self):
        for end, (script, code) in ENDS.items():
            with self.subTest(end):
                self.hosts = Hosts(self)
                self.start_all("lives", 10, script=[*ASKS, *script])
                self.assert_all(lambda _: f"{code}, left")

    def test_a_host_sees_no_signal_of_a_check_program_that_can_not_be_started(self):
        for check in ("/nowhere/check", "/dev/null", "/", BUILD / "build.ninja"):
            with self.subTest(check):
                self.hosts = Hosts(self)
                self.start_all("lives", 10, check=check)
                self.assert_all(lambda _: f"{SYSTEM_ERR}, left")

    def test_a_host_without_children_that_waits_for_none_sees_no_signal(self):
        self.start_all("none", 20, "childless", among=[*TREATMENTS, "no-wait-counted"])
        self.assert_all(lambda _: f"{SUCCESS}, left")

    def test_a_check_program_that_ends_in_the_conversation_is_the_host_s_to_reap(self):
        """The mask is the host's own there, and the verdict counts."""
        self.start_all("lives", 20, script=["read", "send ask-secret Code: ", "send approved"])
        for what, count, text in self.hosts.ends():
            with self.subTest(what):
                self.assertRegex(text, fr"\A({count} times {SUCCESS}, left\n|"
                                       fr"(\d+ times {SUCCESS}(, saw another)?, left\n)+)\Z")

    def test_a_login_in_a_thread_ends_as_well(self):
        self.start_all("lives", 20, "thread", among=IN_A_THREAD)
        self.assert_all(lambda _: f"{SUCCESS}, left")


class TheHostsOwn(SigchldTest):
    """What a host sees of a child of its own: what it would see without the module."""

    def test_a_child_that_has_ended_before_stays_as_it_is(self):
        self.start_all("ended before", 20)
        self.assert_all(lambda treatment: f"{SUCCESS}" + TREATMENTS[treatment].replace(
            ", saw own", ""))

    def test_a_signal_that_is_pending_already_stays_as_it_is(self):
        """The kernel keeps one for the process, and one for a thread, which raise(3) sends."""
        saw = {"ended before, pending": ", saw own, left own ended",
               "reaped before, pending": ", saw own, left",
               "raised before, pending": ", saw itself, left",
               "sent before, pending": ", saw itself, left"}
        for moment in saw:
            for options in ((), ("thread",)) if "raised" not in moment else ((),):
                self.start_all(moment, 20, *options, among=("blocked", "signalfd"))
        for what, count, text in self.hosts.ends():
            with self.subTest(what):
                self.assertEqual(text, f"{count} times {SUCCESS}{saw[what[1]]}\n")

    def test_a_child_that_was_stopped_before_is_no_news(self):
        self.start_all("stopped before", 20)
        self.assert_all(lambda _: f"{SUCCESS}, left own stopped")

    def test_a_child_that_went_on_before_is_no_news(self):
        self.start_all("continued before", 20)
        self.assert_all(lambda _: f"{SUCCESS}, left own continued")

    def test_a_child_that_is_traced_is_no_news(self):
        """To whoever traces it, a stopped one is there to be waited for, however he waits."""
        self.start_all("traced before", 20, among=("default", "counted", "blocked", "signalfd"))
        self.assert_all(lambda _: f"{SUCCESS}, left own ended own stopped own continued")

    def ends(self, treatment):
        return f"{SUCCESS}{TREATMENTS[treatment]}"

    def test_a_child_that_ends_in_the_conversation_is_seen_once(self):
        self.start_all("ends in the conversation", 30)
        self.assert_all(self.ends)

    def test_a_child_that_ends_at_any_moment_of_a_login_is_seen_once(self):
        self.start_all("ends whenever", 200)
        self.assert_all(self.ends)

    def test_a_child_that_ends_at_any_moment_of_a_failing_login_is_seen_once(self):
        self.start_all("ends whenever", 100, check="/nowhere/check")
        self.assert_all(lambda treatment: self.ends(treatment).replace(str(SUCCESS),
                                                                       str(SYSTEM_ERR), 1))

    END = [*ASKS, "tell {fifo}", *APPROVES]

    def test_a_child_that_ends_with_the_check_program_is_seen_once(self):
        self.start_all("ends with the check program", 300, script=self.END)
        self.assert_all(self.ends)

    def test_a_child_that_ends_with_the_check_program_is_seen_once_by_a_thread(self):
        self.start_all("ends with the check program", 200, "thread", script=self.END,
                       among=IN_A_THREAD)
        self.assert_all(self.ends)

    def stops(self, treatment):
        sees = treatment not in (*NO_STOPS, *UNSEEN, *THREADS)
        return f"{SUCCESS}{', saw own' if sees else ''}, left own stopped"

    def test_a_child_that_stops_in_the_conversation_is_seen_once(self):
        self.start_all("stops in the conversation", 20)
        self.assert_all(self.stops)

    def test_a_child_that_stops_with_the_check_program_is_seen_once(self):
        self.start_all("stops with the check program", 100, script=self.END)
        self.assert_all(self.stops)

    def test_a_child_whose_signal_is_lost_in_that_of_the_check_program_is_signalled_again(self):
        """Both end while the host blocks SIGCHLD in its conversation: the first alone is told."""
        saw = {"no-stop-counted": ", saw another own, left own ended",
               "counted": ", saw another own, left own ended",
               "waits-for-all": ", saw another, left",
               "waits-for-any": ", saw another own, left",
               "waits-for-the-named": ", saw another own, left"}
        self.start_all("both end in the conversation", 20,
                       script=["read", "send ask-secret Code: ", "tell {fifo}", "send approved"],
                       among=[name for name in TREATMENTS if name not in THREADS and
                              name not in ("ignored", "no-wait", "blocked-ignored")])
        self.assert_all(lambda name: f"{SUCCESS}" + saw.get(name, TREATMENTS[name]))

    def test_one_signal_too_many_is_the_worst_under_sa_nocldwait(self):
        """Nothing tells there whether a child of the host's has ended in the same moment."""
        for moment, script in (("lives", (*ASKS, *APPROVES)),
                               ("ends with the check program", self.END)):
            self.hosts.start("no-wait-counted", moment, 50, script=script)
        for what, _, text in self.hosts.ends():
            with self.subTest(what):
                self.assertRegex(text, fr"\A(\d+ times {SUCCESS}, saw (own|another)( own| another)?,"
                                       r" left\n)+\Z")
