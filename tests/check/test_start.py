# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program however it is started: limits, signals, users, name servers, environments.

    BUILD=build /usr/bin/python3 tests/tap.py tests/check/test_start.py

Most of it needs root, and says so."""

import contextlib
import ctypes
import errno
import os
import pathlib
import platform
import pwd
import re
import resource
import signal
import subprocess
import time
import unittest

from kit import calls
from kit.checkcase import (CHECK, IS_ROOT, CheckTest, load_tests, needs_little_memory,
                           needs_no_proc, needs_own_memory, needs_root)
from kit.fixture import API_KEY_SECRET, copy_program, temporary_directory
from kit.liar import RIGHT, WRONG, Connection, dropped, slowly
from kit.mounts import private_mounts
from kit.parallel import each
from kit.start import after, without

NOBODY = pwd.getpwnam("nobody")


def limit(name, soft, hard="soft"):
    """HARD "old": as it was."""
    return after(f"name = resource.RLIMIT_{name}; old = resource.getrlimit(name)[1]; "
                 f"soft = {soft}; resource.setrlimit(name, (soft, {hard}))")


PR_SET_SECUREBITS, PR_CAPBSET_DROP, PR_SET_TIMERSLACK, PR_SET_MEMORY_MERGE = 28, 24, 29, 67
CAP_SETGID, CAP_SETUID, CAP_SYS_NICE, CAP_SYS_RESOURCE = 6, 7, 23, 24
NO_SETUID_FIXUP_LOCKED, KEEP_CAPS = 0b1100, 0b10000

WITHOUT_RESOURCE = after(f"must(libc.prctl({PR_CAPBSET_DROP}, {CAP_SYS_RESOURCE}, 0, 0, 0))")

MEBIBYTE = 1 << 20
UNLIMITED = 2**64 - 1
LIMITS = {  # RLIMIT_ and this: the kernel's name of it, the value
    "AS": ("address space", UNLIMITED), "CORE": ("core file size", 0), "CPU": ("cpu time", 60),
    "DATA": ("data size", UNLIMITED), "FSIZE": ("file size", MEBIBYTE),
    "MEMLOCK": ("locked memory", MEBIBYTE), "MSGQUEUE": ("msgqueue size", 0),
    "NICE": ("nice priority", 0), "NOFILE": ("open files", 256), "NPROC": ("processes", UNLIMITED),
    "RTPRIO": ("realtime priority", 0), "SIGPENDING": ("pending signals", 1024),
    "STACK": ("stack size", 8 * MEBIBYTE)}

# However these start, a right code is approved.
STARTS = {
    "without limits": after(""),
    "without a core limit": limit("CORE", "old"),
    "with a file size of 0": limit("FSIZE", 0, "old"),
    "with a tiny stack": limit("STACK", 128 * 1024, "old"),
    "with an endless stack": limit("STACK", "old"),
    "with 20 descriptors": limit("NOFILE", 20, "old"),
    "with a soft limit on processes": limit("NPROC", 1, "old"),
    "with little locked memory": limit("MEMLOCK", 0),
    "with an umask of 0": after("os.umask(0)"),
    "with an umask of 0777": after("os.umask(0o777)"),
    "in a directory that is gone": after(
        "import tempfile; d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)"),
    "with every signal ignored": after(
        "for s in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:\n"
        "    signal.signal(s, signal.SIG_IGN)"),
    "with every signal blocked": after(
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"),
    "with a timer running": after("signal.setitimer(signal.ITIMER_REAL, 60)"),
    "with the lowest priority": after("os.nice(19)"),
    "with many descriptors": after(
        "for n in range(50): os.set_inheritable(os.open('/dev/null', os.O_RDONLY), True)"),
    "without a standard error": after("os.close(2)"),
    "in a session of its own": after("os.setsid()"),
}
ROOT_STARTS = {
    "with a real user who is not root": after("os.setresuid(65534, 0, 0)"),
    "with a real group that is not root's": after("os.setresgid(65534, 0, 0)"),
    "with groups": after("os.setgroups([0, 4, 27, 1000])"),
    "with an effective group that is not root's": after("os.setresgid(65534, 65534, 65534)"),
    "with secure bits that keep capabilities": after(
        f"must(libc.prctl({PR_SET_SECUREBITS}, {NO_SETUID_FIXUP_LOCKED | KEEP_CAPS}, 0, 0, 0))"),
    "with a second of CPU": limit("CPU", 1),
    "in a directory that root alone may enter": after(
        "import tempfile; os.chdir(tempfile.mkdtemp())"),
    "without the capability for limits": WITHOUT_RESOURCE,
    "with nothing of what it does not need": WITHOUT_RESOURCE + after(
        "for number in (*map(lambda name: getattr(resource, 'RLIMIT_' + name), ('CORE', "
        "'MEMLOCK', 'MSGQUEUE', 'NICE', 'RSS', 'RTPRIO', 'SIGPENDING')), 10, 15):\n"
        "    resource.setrlimit(number, (0, 0))  # 10, 15: RLIMIT_LOCKS, RLIMIT_RTTIME"),
}
# What a login needs of a limit that root can't raise: a value, and its unit.
NEEDS = {"AS": (64 * MEBIBYTE, "bytes"), "DATA": (32 * MEBIBYTE, "bytes"),
         "NOFILE": (16, "descriptors"), "NPROC": (2, "processes"),
         "STACK": (128 * 1024, "bytes"), "FSIZE": (16 * 1024, "bytes")}
# With these no name is resolved, no library loaded, no socket opened.
STARVED = {f"with a little less of {name} than it needs": (name, need - 1, need, unit)
           for name, (need, unit) in NEEDS.items()} | {
    "with no processes allowed": ("NPROC", 0, 2, "processes"),
    "with a dozen descriptors for good": ("NOFILE", 12, *NEEDS["NOFILE"]),
    "with little memory": ("AS", 20 * MEBIBYTE, *NEEDS["AS"]),
    "with little data": ("DATA", 2 * MEBIBYTE, *NEEDS["DATA"]),
    "with files of no size": ("FSIZE", 0, *NEEDS["FSIZE"]),
}
# These can't work; they must end, and let nobody in.
HOPELESS = {
    "with three descriptors": limit("NOFILE", 3),
    "with no memory": limit("AS", 4 << 20),
    "with hardly any memory": limit("AS", 9 << 20),
    "with little memory for good": limit("AS", 14 << 20),
    "with no stack": limit("STACK", 0),
    "with no time of a processor": limit("CPU", 0),
    "with a closed standard input": after("os.close(0)"),
    "with a standard input that can't be read": after(
        "os.dup2(os.open('/dev/null', os.O_WRONLY), 0)"),
    "with an empty standard input": after("os.dup2(os.open('/dev/null', os.O_RDONLY), 0)"),
    "with a directory as standard input": after("os.dup2(os.open('/', os.O_RDONLY), 0)"),
}


SET_MEMPOLICY = {"x86_64": 238, "aarch64": 237}.get(platform.machine(), -1)
# What the caller of a host chooses and exec keeps: how, the file in /proc that tells, what it tells
# of a process that nobody chose it for.
INHERITED = {
    "the first to be killed for want of memory": (
        "open('/proc/self/oom_score_adj', 'w').write('1000')", "oom_score_adj", r"0\n"),
    "with sticky timeouts, no randomness and an old kernel": (
        "libc.personality(0x4060000)", "personality", r"0{8}\n"),
    "with the memory of one node alone": (
        f"must(libc.syscall({SET_MEMPOLICY}, 2, ctypes.byref(ctypes.c_ulong(1)), 64))",
        "numa_maps", r"(\w+ default.*\n)+"),
    "with pages that are merged with his": (
        f"must(libc.prctl({PR_SET_MEMORY_MERGE}, 1, 0, 0, 0))", "ksm_stat",
        r"(.*\n)*ksm_merge_any: no\n(.*\n)*"),
}


def shows(code, file, usual):
    """Whether the kernel knows what CODE does, and tells of it."""
    done = subprocess.run([*after(code), "/bin/cat", f"/proc/self/{file}"], capture_output=True,
                          text=True, check=False)
    return done.returncode == 0 and not re.fullmatch(usual, done.stdout)


def has_capability(number):
    effective = re.search(r"CapEff:\s*(\S+)", pathlib.Path("/proc/self/status").read_text())
    return int(effective[1], 16) >> number & 1 == 1


def wait_for_connection(test, server):
    test.assertTrue(server.wait(lambda server: server.requests))


def all_processors():
    """Those on which a thread of ours may run that asks for all of them."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(1024))
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, ours)
    return everything


def read_proc(login, name):
    return pathlib.Path(f"/proc/{login.process.pid}/{name}").read_bytes()


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


def has_ended(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "XZ"


def hold(pid, seconds):
    """Stops a process, all its threads, without a signal; not one that has ended meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    ptrace = lambda request, thread: libc.ptrace(request, thread, None, None)
    threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    for thread in threads:
        if ptrace(PTRACE_SEIZE, thread) != 0:
            error = os.strerror(ctypes.get_errno())
            assert has_ended(pid), error
            return
        ptrace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, 0x40000000)  # __WALL
    time.sleep(seconds)
    for thread in threads:
        ptrace(PTRACE_DETACH, thread)


def status_of(login):
    lines = read_proc(login, "status").decode().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def memory_with(pid, secret):
    """Where in the memory of the process PID the bytes of SECRET are, once for each place."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, _, _, _, *name = line.split(None, 5)
            first, end = (int(address, 16) for address in span.split("-"))
            if rights[0] == "r" and name[:1] not in (["[vvar]"], ["[vvar_vclock]"], ["[vsyscall]"]):
                memory.seek(first)
                found += (name or ["anonymous"]) * memory.read(end - first).count(secret)
    return found


@each(approves={f"approves when started {name}": {"prefix": prefix}
                for name, prefix in STARTS.items()},
      approves_as_root={f"approves when root starts it {name}": {"prefix": prefix}
                        for name, prefix in ROOT_STARTS.items()},
      raises={f"raises what is too low when root starts it {name}": {"prefix": limit(*row[:2])}
              for name, row in STARVED.items()},
      approves_at_its_need={f"approves with what it needs of {name} and no more":
                            {"prefix": limit(name, need)} for name, (need, _) in NEEDS.items()},
      refuses={f"refuses where root can't raise it when started {name}": {"row": row}
               for name, row in STARVED.items()},
      resets={f"is as usual at its prompt though the caller made it {name}": {"row": row}
              for name, row in INHERITED.items()},
      ends={f"ends when started {name}": {"prefix": prefix} for name, prefix in HOPELESS.items()})
class HostileStarts(CheckTest):

    def reachable_program(self):
        """A copy that every account can execute: the checkout may lie below a closed directory."""
        directory = self.enterContext(temporary_directory())
        for name in (CHECK.name, "twilio.so"):
            copy_program(CHECK.with_name(name), directory / name)
        return directory / CHECK.name

    def approves(self, prefix, **options):
        server = self.liar()
        login = self.prompted(self.host(server), prefix=prefix, **options)
        wait_for_connection(self, server)
        status = status_of(login)
        if IS_ROOT:
            self.assert_powerless(login, status)
            self.assertEqual(os.readlink(f"/proc/{login.process.pid}/cwd"), "/")
        self.assertEqual((status["NoNewPrivs"], status["Umask"]), ("1", "0077"))
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    @needs_root
    def approves_as_root(self, prefix):
        self.approves(prefix)

    @needs_root
    @needs_own_memory
    def resets(self, row):
        code, file, usual = row
        if not shows(*row):
            self.skipTest("not with this kernel")
        login = self.prompted(self.host(self.liar()), prefix=after(code))
        self.assertRegex(read_proc(login, file).decode(), rf"\A{usual}\Z")

    def test_what_it_can_do_without_may_be_refused_by_a_container(self):
        server, numbers = self.liar(), calls.numbers()
        for number, call in enumerate((
                "landlock_create_ruleset", "openat2", "clone3", "statx", "rseq", "close_range",
                "membarrier", "ioprio_set", "set_mempolicy", "personality", "sched_setaffinity",
                "sched_setscheduler", "eventfd2", "socketpair", "fallocate")):
            with self.subTest(call):
                error = (errno.ENOSYS, errno.EPERM)[number % 2]
                login = self.login(self.host(server), prefix=without(numbers[call], error))
                login.expect_prompt()
                login.answer(RIGHT)
                self.assert_outcome(login, "approved")

    @needs_root
    def test_the_disk_is_its_own_as_usual_though_the_caller_left_it_to_others(self):
        login = self.prompted(self.host(self.liar()), prefix=["ionice", "--class", "idle"])
        shown = subprocess.run(["ionice", "--pid", str(login.process.pid)], capture_output=True,
                               text=True, check=True)
        self.assertRegex(shown.stdout, "^(none|best-effort)")

    @needs_root
    @needs_little_memory
    @unittest.skipUnless(has_capability(CAP_SYS_RESOURCE), "needs the capability for limits")
    def raises(self, prefix):
        self.approves(prefix)

    @needs_root
    @needs_little_memory
    def approves_at_its_need(self, prefix):
        self.approves(WITHOUT_RESOURCE + prefix)

    @needs_root
    @needs_little_memory
    def refuses(self, row):
        """Starved, it would tell that Twilio is away: the recipe for an outage lets in then."""
        name, value, need, unit = row
        server = self.liar()
        login = self.login(self.host(server), prefix=WITHOUT_RESOURCE + limit(name, value))
        reason = self.assert_outcome(login, "misconfigured", seconds=2)
        self.assertEqual(reason, (
            f"RLIMIT_{name} is {value} {unit} here and root may not raise it; the check program "
            f"needs {need}: set Limit{name}={need} or more in the unit of the service, or give the "
            "container CAP_SYS_RESOURCE"))
        self.assertEqual((len(login.lines), server.connections), (1, []))

    def assert_powerless(self, login, status):
        self.assertEqual(status["Uid"].split(), [str(NOBODY.pw_uid)] * 4)
        self.assertEqual(status["Gid"].split(), [str(NOBODY.pw_gid)] * 4)
        self.assertEqual(status["Groups"], "")
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[capabilities], 16), 0, capabilities)

    def ends(self, prefix):
        server = self.liar()
        login = self.login(self.host(server), prefix=prefix, errors_expected=True)
        login.hang_up()
        with contextlib.suppress(AssertionError):
            login.read_line(2)
        login.wait(2)
        for line in login.lines:
            self.assertNotIn(line.partition(":")[0], ("approved", "not-required"))
        self.assertEqual(server.codes, [])

    def test_a_memory_limit_of_any_size_lets_nobody_in_without_a_code(self):
        server, host = self.liar_host(service={"timeout_seconds": 2})
        for mebibytes in (2, 6, 10, 16, 24, 32, 64):
            with self.subTest(mebibytes):
                login = self.login(host, prefix=limit("AS", mebibytes << 20),
                                   errors_expected=True)
                login.send(WRONG + "\n")
                login.hang_up()
                while login.read_line(4) is not None:
                    pass
                self.assertNotIn("approved", " ".join(login.lines))
                self.assertNotIn("not-required", " ".join(login.lines))
                login.wait(1)

    def test_an_alarm_before_it_has_read_its_files_is_no_verdict(self):
        """Who calls sudo may signal the program until it has root's real user ID, and whoever says
        that Twilio is away gets in by the recipe for an outage."""
        login = self.login(self.host(self.liar()), first="")
        while status_of(login)["NoNewPrivs"] != "1":
            time.sleep(0.01)
        os.kill(login.process.pid, signal.SIGALRM)
        self.assertIsNone(login.read_line(2))
        login.wait(2)
        self.assertEqual(login.process.returncode, -signal.SIGALRM)

    def hung_login(self):
        """One that waits for Twilio, for two seconds at most."""
        silence = [dropped(Connection.hang)] * 3
        login = self.login(self.host(self.liar(verify=silence, fetch=silence),
                                     service={"timeout_seconds": 2}))
        login.expect_prompt()
        return login

    @needs_root
    def test_a_host_that_does_not_let_it_run_is_no_outage(self):
        """As a user freezes or throttles the cgroup of what he has started: no signal tells of it."""
        silence = {"verify": [dropped(Connection.hang)], "fetch": [dropped(Connection.hang)] * 3}
        lost_meanwhile = {"verify": [slowly(3, dropped())], "fetch": [dropped()] * 3}
        for script, stops in ((silence, [5]), (silence, [1, 1.4, 1, 1.4]), (lost_meanwhile, [3.5])):
            with self.subTest(stops):
                server = self.liar(**script)
                login = self.answered(self.host(server, service={"timeout_seconds": 4}), RIGHT)
                self.assertTrue(server.wait(lambda server: "verify" in server.kinds))
                for stop in stops:
                    time.sleep(0.05)
                    hold(login.process.pid, stop)
                self.assert_outcome(login, "misconfigured",
                                    "this program got no CPU time", 8)

    def signal_as_nobody(self, login, *names):
        for name in names:
            subprocess.run(["setpriv", f"--reuid={NOBODY.pw_uid}", "--clear-groups", "kill", "-s",
                            name, str(login.process.pid)], check=True)

    @needs_root
    def test_an_alarm_of_whoever_took_over_the_account_is_no_verdict(self):
        login = self.hung_login()
        self.signal_as_nobody(login, *["ALRM"] * 5)
        login.answer(RIGHT)
        self.signal_as_nobody(login, *["ALRM"] * 5)
        self.assert_outcome(login, "unavailable", "no answer in time")
        self.assertGreater(login.verdict_seconds, 1.9)

    @needs_root
    def test_whoever_took_over_the_account_can_not_stop_it_until_the_limit_is_over(self):
        for answers in (True, False):
            login = self.hung_login()
            if answers:
                login.answer(RIGHT)
            self.signal_as_nobody(login, "STOP")
            time.sleep(2.6)
            self.signal_as_nobody(login, "CONT")
            self.assertIsNone(login.read_line(2))
            self.assertEqual(login.wait(2), 1)

    @needs_root
    @unittest.skipUnless(has_capability(CAP_SYS_NICE), "needs the capability for priorities")
    def test_it_shares_the_processors_as_everybody_does_whatever_the_caller_chose(self):
        """Who starves it until a limit of time is over must not gain by it."""
        prefix = after("os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); os.nice(19); "
                       "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)); "
                       f"must(libc.prctl({PR_SET_TIMERSLACK}, ctypes.c_ulong(10**12), 0, 0, 0))")
        login = self.prompted(self.host(self.liar()), prefix=prefix)
        pid = login.process.pid
        self.assertEqual(os.sched_getscheduler(pid), os.SCHED_OTHER)
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), 0)
        self.assertEqual(os.sched_getaffinity(pid), all_processors())
        self.assertEqual(read_proc(login, "timerslack_ns"), b"50000\n")

    @needs_root
    def test_a_program_that_is_set_user_id_to_another_is_misconfigured(self):
        server, program = self.liar(), self.reachable_program()
        for ids in ("os.setresuid(65534, 1, 1)", "os.setresuid(0, 65534, 65534)",
                    "os.setresgid(65534, 1, 1); os.setresuid(65534, 65534, 65534)"):
            with self.subTest(ids):
                host = self.host(server)
                os.chown(host.directory, 1, 1)
                login = self.login(host, prefix=after("os.setgroups([]); " + ids),
                                   program=program)
                self.assert_outcome(login, "misconfigured", "set-user-ID or set-group-ID",
                                    seconds=2)
                self.assertEqual(len(login.lines), 1)
        self.assertEqual(server.connections, [])

    @needs_root
    def test_a_host_that_can_not_read_roots_files_gets_the_account_and_the_remedy(self):
        server, program = self.liar(), self.reachable_program()
        become = ("os.setgroups([]); os.setresgid(65534, 65534, 65534); "
                  "os.setresuid(%d, %d, %d)")
        remedy = (" for {0}, the account that runs this host: leave the module out of this service, or give "
                  "it settings of its own with conf=, in files of {0}$")
        for path in ("twilio-verify.conf", "users", "users/alice.conf", "api-key"):
            for uid, name in ((NOBODY.pw_uid, NOBODY.pw_name), (54321, "uid 54321")):
                with self.subTest([path, uid]):
                    host = self.host(server)
                    for given in (host.directory, *host.directory.rglob("*")):
                        os.chown(given, uid, 65534)
                    os.chown(host.directory / path, 0, 0)
                    (host.directory / path).chmod(0o700 if path == "users" else 0o600)
                    login = self.login(host, prefix=after(become % ((uid,) * 3)), program=program)
                    self.assert_outcome(login, "misconfigured", f"{path}: Permission denied"
                                        + remedy.format(name), seconds=2)
        # Another fault of such settings has nothing to do with the account.
        host = self.host(server)
        for given in (host.directory, *host.directory.rglob("*")):
            os.chown(given, 65534, 65534)
        (host.directory / "users" / "alice.conf").write_text("x = 1;\n")
        login = self.login(host, prefix=after(become % ((65534,) * 3)), program=program)
        self.assert_outcome(login, "misconfigured", r"alice.conf:1: unknown key x: [a-z ]*$", seconds=2)

    @needs_root
    def test_root_without_the_power_to_drop_is_misconfigured(self):
        server = self.liar()
        for capability in (CAP_SETUID, CAP_SETGID):
            prefix = after(f"must(libc.prctl({PR_CAPBSET_DROP}, {capability}, 0, 0, 0))")
            login = self.login(self.host(server), prefix=prefix)
            self.assert_outcome(login, "misconfigured", "privileges", seconds=2)
            self.assertEqual(len(login.lines), 1)
        self.assertEqual(server.connections, [])

    @needs_root
    def test_an_account_of_run_as_that_is_missing_or_root_s_is_misconfigured(self):
        server = self.liar()
        for account, named in (("no-such-account", "does not exist"), ("root", "has the user or the group of root")):
            with self.subTest(account):
                login = self.login(self.host(server, check={"run_as": account}))
                self.assert_outcome(login, "misconfigured", f'"{account}" of run_as {named}',
                                    seconds=2)
                self.assertEqual(len(login.lines), 1)
        self.assertEqual(server.connections, [])

    def test_run_as_must_exist_for_others_than_root_too(self):
        login = self.login(self.host(self.liar(), check={"run_as": "no-such-account"}))
        self.assert_outcome(login, "misconfigured", "no-such-account", seconds=2)

    @needs_root
    def test_another_user_than_root_may_run_it_on_files_of_his_own(self):
        server, host = self.liar_host()
        for path in (host.directory, *host.directory.rglob("*")):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        prefix = after(f"os.setgroups([]); os.setresgid(*[{NOBODY.pw_gid}] * 3); "
                       f"os.setresuid(*[{NOBODY.pw_uid}] * 3)")
        login = self.answered(host, RIGHT, prefix=prefix, program=self.reachable_program())
        self.assert_outcome(login, "approved")

    @needs_root
    @needs_little_memory
    def test_a_program_that_may_start_no_thread_does_not_tell_that_twilio_is_away(self):
        """The recipe for an outage would let in whoever fills up his share of the processes."""
        host = self.host("https://nowhere.invalid")
        for path in (host.directory, *host.directory.rglob("*")):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        prefix = after(f"os.setgroups([]); os.setresgid(*[{NOBODY.pw_gid}] * 3); "
                       f"os.setresuid(*[{NOBODY.pw_uid}] * 3); "
                       "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))")
        login = self.answered(host, RIGHT, prefix=prefix, program=self.reachable_program())
        self.assert_outcome(login, "misconfigured", "thread")

    @needs_root
    def test_a_ca_file_that_run_as_can_t_read_is_misconfigured_before_the_prompt(self):
        server, host = self.liar_host()
        (host.directory / "ca.pem").chmod(0o600)
        login = self.login(host)
        self.assert_outcome(login, "misconfigured", "ca_file .*/ca.pem.*Permission denied",
                            seconds=2)
        self.assertEqual(len(login.lines), 1)
        self.assertEqual(server.connections, [])


class Libraries(CheckTest):
    """twilio.so beside the program."""

    def setUp(self):
        self.server = self.liar()
        self.directory = self.enterContext(temporary_directory())
        for name in ("twilio-verify-check", "twilio.so"):
            copy_program(CHECK.with_name(name), self.directory / name)
        self.library = self.directory / "twilio.so"

    def begin(self):
        return self.login(self.host(self.server), program=self.directory / "twilio-verify-check")

    def test_it_may_lie_below_a_directory_that_is_closed_to_run_as(self):
        self.directory.chmod(0o700)
        login = self.begin()
        login.expect_prompt()
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    def refuse(self):
        login = self.begin()
        self.assert_outcome(login, "misconfigured", re.escape(str(self.library)), seconds=2)
        self.assertEqual(len(login.lines), 1)

    def test_it_must_be_written_by_nobody_else(self):
        for mode in (0o775, 0o757):
            self.library.chmod(mode)
            self.refuse()

    def test_it_must_be_no_link(self):
        self.library.rename(self.directory / "real.so")
        self.library.symlink_to("real.so")
        self.refuse()

    @needs_root
    def test_it_must_be_root_s(self):
        os.chown(self.library, NOBODY.pw_uid, -1)
        self.refuse()

    @needs_root
    @needs_no_proc
    def test_without_proc_it_can_not_be_loaded_and_the_log_names_the_remedy(self):
        hide = ("sh", "-euc", 'mount -t tmpfs none /proc && exec "$@"', "sh")
        login = self.login(self.host(self.server), prefix=(*private_mounts(), *hide))
        self.assert_outcome(login, "misconfigured", "cannot read /proc/self/exe: .*: mount /proc in "
                            "this chroot or container", seconds=5)

    def test_what_is_no_library_is_misconfigured_after_the_code(self):
        self.library.write_bytes(b"no library\n" * 1000)
        login = self.begin()
        login.expect_prompt()
        login.answer(RIGHT)
        self.assert_outcome(login, "misconfigured", "twilio.so")

    def test_another_library_is_misconfigured_after_the_code(self):
        copy_program(CHECK.with_name("pam_twilio_verify.so"), self.library)
        login = self.begin()
        login.expect_prompt()
        login.answer(RIGHT)
        self.assert_outcome(login, "misconfigured", "twilio.so does not have version .* one package")


class TheWaitingProcess(CheckTest):
    """What /proc shows of it at the prompt."""

    def setUp(self):
        self.server = self.liar()
        self.host_ = self.host(self.server)
        self.waiting = self.login(self.host_)
        self.waiting.expect_prompt()
        self.assertTrue(self.server.wait(lambda server: any(r.is_answered for r in server.requests)))
        self.waiting.settle()

    @needs_root
    def test_it_is_nobody_for_good(self):
        HostileStarts.assert_powerless(self, self.waiting, status_of(self.waiting))

    def test_it_is_in_its_cage(self):
        status = status_of(self.waiting)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    @needs_root
    @needs_own_memory
    def test_the_secret_is_where_libcurl_keeps_it_and_nowhere_else(self):
        """On the heap, as long as the connection lives: no stack, no buffer of ours, no library."""
        where = memory_with(self.waiting.process.pid, API_KEY_SECRET.encode())
        self.assertEqual(set(where), {"[heap]"})

    def test_not_even_its_own_user_may_look_inside(self):
        for name in ("mem", "environ", "maps", "fd"):
            path = f"/proc/{self.waiting.process.pid}/{name}"
            self.assertEqual(os.stat(path).st_uid, 0, "it is dumpable")
            if not IS_ROOT:
                with self.assertRaises(PermissionError):
                    os.listdir(path) if name == "fd" else read_proc(self.waiting, name)

    def test_its_limits_are_its_own(self):
        """Where there is no power to raise them, the old hard ones are as far as it goes."""
        lines = read_proc(self.waiting, "limits").decode().splitlines()
        shown = {line[4:26].strip(): line[26:].split()[:2] for line in lines}
        for name, (kernels, wanted) in LIMITS.items():
            old = resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] % 2**64
            value = wanted if has_capability(CAP_SYS_RESOURCE) else min(wanted, old)
            value = "unlimited" if value == UNLIMITED else str(value)
            self.assertEqual(shown[kernels], [value] * 2, name)

    def test_its_arguments_and_environment_hold_no_secret(self):
        arguments = read_proc(self.waiting, "cmdline").split(b"\0")
        self.assertEqual(arguments, [os.fsencode(CHECK), b"--settings",
                                     os.fsencode(self.host_.settings), b""])
        if IS_ROOT:
            self.assertEqual(read_proc(self.waiting, "environ"), b"")

    @needs_root
    def test_it_holds_its_dialogue_and_its_connection_alone(self):
        directory = f"/proc/{self.waiting.process.pid}/fd"
        kinds = [os.readlink(f"{directory}/{name}").split(":")[0] for name in os.listdir(directory)
                 if int(name) > 2]
        self.assertLessEqual(set(kinds), {"socket", "anon_inode", "pipe"}, kinds)

    def test_neither_the_code_nor_the_secret_is_ever_in_its_arguments_or_environment(self):
        server = self.liar(verify=[dropped(Connection.hang)])
        login = self.answered(self.host(server), RIGHT)
        self.assertTrue(server.wait(lambda server: len(server.requests) == 2))
        shown = read_proc(login, "cmdline") + (read_proc(login, "environ") if IS_ROOT else b"")
        self.assertNotIn(RIGHT.encode(), shown)
        self.assertNotIn(API_KEY_SECRET.encode(), shown)


class Environments(CheckTest):
    """Run by hand; the module gives it no environment at all."""

    def test_variables_that_lead_libraries_astray_change_nothing(self):
        directory = self.enterContext(temporary_directory())
        (directory / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
        (directory / "openssl.cnf").write_text("openssl_conf = nonsense\n")
        for environment in ({"HOME": str(directory), "NETRC": str(directory / ".netrc")},
                            {"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/nowhere",
                             "CURL_CA_BUNDLE": "/dev/null"},
                            {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
                            {"TZ": ":/dev/zero"},
                            {"RES_OPTIONS": "timeout:30 attempts:30", "LOCALDOMAIN": "evil"},
                            {"MALLOC_PERTURB_": "165", "MALLOC_CHECK_": "3"}):
            with self.subTest(environment):
                server = self.liar()
                self.run_login(self.host(server), [RIGHT], "approved", environment=environment)
                self.assertEqual(server.kinds, ["create", "verify"])


    def test_no_key_log_is_written_and_no_openssl_configuration_is_read(self):
        directory = self.enterContext(temporary_directory())
        directory.chmod(0o777)
        (directory / "openssl.cnf").write_text(
            "openssl_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n"
            "[tls]\nMaxProtocol = TLSv1.2\n")
        server = self.liar()
        self.run_login(self.host(server), [RIGHT], "approved",
                       environment={"SSLKEYLOGFILE": str(directory / "keys"),
                                    "OPENSSL_CONF": str(directory / "openssl.cnf")})
        self.assertFalse((directory / "keys").exists())
        self.assertEqual(server.connections[0].version, "TLSv1.3")


class Names(CheckTest):
    """Names of hosts: no answer, no name, no server."""

    def test_a_name_that_does_not_resolve_is_unavailable(self):
        host = self.host("https://nowhere.invalid", service={"timeout_seconds": 3})
        login = self.login(host)
        login.expect_prompt(seconds=2)
        time.sleep(0.2)
        login.answer(RIGHT)
        self.assert_outcome(login, "unavailable", "nowhere.invalid")

    def test_localhost_resolves(self):
        server = self.liar()
        self.run_login(self.host(f"https://localhost:{server.port}"), [RIGHT], "approved")

    def test_the_name_in_the_certificate_counts(self):
        server = self.liar(certificate="other-host")
        self.run_login(self.host(f"https://localhost:{server.port}"), [RIGHT], "unavailable",
                       "localhost")


MUTE_SERVER = """
import os, select, socket
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
for number, one in enumerate(sockets, 1):
    one.bind(("127.0.0.%d" % number, 53))
os.write(1, b"ready\\n")
while True:
    for one in select.select(sockets, [], [])[0]:
        one.recv(4096)
"""


@needs_root
class MuteNameServers(CheckTest):
    """A private network in which three name servers never answer."""

    def setUp(self):
        directory = self.enterContext(temporary_directory())
        (directory / "resolv.conf").write_text(
            "".join(f"nameserver 127.0.0.{number}\n" for number in (1, 2, 3)))
        script = ('ip link set lo up && mount --bind "$0" /etc/resolv.conf && '
                  'exec /usr/bin/python3 -I -S -c "$1"')
        self.holder = subprocess.Popen(
            [*private_mounts("--net"), "sh", "-c", script,
             directory / "resolv.conf", MUTE_SERVER], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end_holder)
        if self.holder.stdout.readline() != b"ready\n":
            self.skipTest("no private namespaces here: "
                          + self.holder.stderr.read().decode().strip())

    def end_holder(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()

    def begin(self, timeout=2, **options):
        host = self.host("https://verify.example.com", service={"timeout_seconds": timeout})
        prefix = ["nsenter", "--target", str(self.holder.pid), "--mount", "--net", "--root", "--"]
        login = self.login(host, prefix=prefix, **options)
        login.expect_prompt(seconds=1)
        return login

    def test_the_prompt_comes_at_once_and_the_verdict_in_time(self):
        for pause in (0, 0.5):
            with self.subTest(pause):
                login = self.begin()
                time.sleep(pause)
                login.answer(RIGHT)
                self.assert_outcome(login, "unavailable", "no answer in time")

    def test_a_user_who_goes_away_is_noticed(self):
        login = self.begin()
        time.sleep(0.2)
        login.hang_up()
        login.expect_gone()

    def test_malformed_answers_are_noticed(self):
        login = self.begin()
        for answer in ("password", "another"):
            login.answer(answer)
            login.expect_prompt("ask-secret Wrong code. Verification code: ", 2)
        login.answer("password")
        self.assert_outcome(login, "denied", seconds=2)

    def test_a_user_who_is_not_enrolled_is_denied_in_time(self):
        login = self.begin(user="root")
        time.sleep(0.2)
        login.answer(RIGHT)
        self.assert_outcome(login, "denied")
