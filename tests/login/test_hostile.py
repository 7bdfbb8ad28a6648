# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Hosts that somebody without privileges calls, who means ill: sudo, su, and a set-user-ID program.

That program is tests/module/pam-driver.c, with libpam, the module, the check program and the
emulator behind it. It logs in twice, with a right code and with a wrong one."""

import base64
import concurrent.futures
import contextlib
import errno
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

from logincase import CODE_PROMPT, SudoCase, at_once, machine, setUpModule
from kit.machine import (MODULE_LINE, PATIENCE_SECONDS, RUN_AS, SECRETS, Terminal, eventually,
                         fixture, run)

HOST = pathlib.Path("/run/set-user-id-host")
TRAPS = pathlib.Path("/run/traps")
# What sudo's users can't do must not matter with the most forgiving stack either.
STACKS = {
    "hostile": f"{MODULE_LINE}\nauth  required  pam_permit.so\n",
    "outage": "auth  [success=ok ignore=ignore authinfo_unavail=ignore default=die]  "
              "pam_twilio_verify.so\nauth  required  pam_permit.so\n",
}
MEBIBYTE = 1 << 20
LET_IN, REFUSED = "PAM_SUCCESS", "PAM_CONV_ERR"  # The second question has no answer there.
BROKEN, MISCONFIGURED = "PAM_SYSTEM_ERR", "PAM_SERVICE_ERR"
CAP_SYS_RESOURCE = 24
CAPABILITIES = re.search(r"CapEff:\s*(\S+)", pathlib.Path("/proc/self/status").read_text())[1]
MAY_RAISE_LIMITS = int(CAPABILITIES, 16) >> CAP_SYS_RESOURCE & 1
SIGNALS = sorted(set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
numbers = itertools.count(1)

# A host takes what it is given, and nohup(1) or a shell in the background would give it "ignored".
for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)


def set_traps():
    """A directory that is the caller's, with everything in it that a library might read."""
    TRAPS.mkdir()
    TRAPS.chmod(0o777)
    shutil.copy(fixture.BUILD / "trap.so", TRAPS / "trap.so")
    (TRAPS / ".netrc").write_text("default login x password y\n")
    (TRAPS / ".curlrc").write_text("insecure\n")
    (TRAPS / "hosts").write_text("verify.twilio.com localhost.evil\n")
    (TRAPS / "gconv-modules").write_text("module EVIL// INTERNAL /run/traps/trap 1\n"
                                         "module INTERNAL EVIL// /run/traps/trap 1\n")
    (TRAPS / "openssl.cnf").write_text(
        "openssl_conf = start\n[start]\nengines = engines\nproviders = providers\n[engines]\n"
        "trap = trap\n[trap]\nengine_id = trap\ndynamic_path = /run/traps/trap.so\ninit = 1\n"
        "[providers]\nevil = evil\n[evil]\nmodule = /run/traps/trap.so\nactivate = 1\n")
    shutil.copy("/run/twilio/server.pem", TRAPS / "other-ca.pem")
    subprocess.run(["true"], env={"LD_PRELOAD": f"{TRAPS}/trap.so"}, check=True)
    (TRAPS / "trap.so.sprung").unlink()  # So it is a trap.


class Listener:
    """Where a proxy would be."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def was_called(self):
        with contextlib.suppress(BlockingIOError):
            self.socket.accept()
            return True
        return False


def variables(proxy):
    """What misleads libc, libcurl, OpenSSL, or a shell; all that somebody may set for sudo."""
    trap, directory = f"{TRAPS}/trap.so", str(TRAPS)
    return {
        **{name: proxy for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
                                    "all_proxy")},
        "NO_PROXY": "nowhere", "SSLKEYLOGFILE": f"{TRAPS}/keys", "QLOGDIR": directory,
        "OPENSSL_CONF": f"{TRAPS}/openssl.cnf", "OPENSSL_ENGINES": directory,
        "OPENSSL_MODULES": directory, "OPENSSL_ia32cap": "0", "SSL_CERT_FILE": "/dev/null",
        "SSL_CERT_DIR": directory, "CURL_CA_BUNDLE": f"{TRAPS}/other-ca.pem", "CURL_HOME": directory,
        "CURL_SSL_BACKEND": "gnutls", "HOME": directory, "NETRC": f"{TRAPS}/.netrc",
        "XDG_CONFIG_HOME": directory, "RES_OPTIONS": "timeout:30 attempts:30 ndots:15",
        "LOCALDOMAIN": "evil", "HOSTALIASES": f"{TRAPS}/hosts", "RESOLV_HOST_CONF": "/dev/zero",
        "LD_PRELOAD": trap, "LD_LIBRARY_PATH": directory, "LD_AUDIT": trap, "LD_BIND_NOT": "1",
        "LD_DEBUG": "all", "LD_DEBUG_OUTPUT": f"{TRAPS}/debug", "LD_PROFILE": "libc.so.6",
        "LD_PROFILE_OUTPUT": directory, "LD_SHOW_AUXV": "1", "LD_ORIGIN_PATH": directory,
        "GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.perturb=165",
        "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165", "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRACE": f"{TRAPS}/trace", "GCONV_PATH": directory, "GETCONF_DIR": directory,
        "NLSPATH": f"{TRAPS}/%N", "LOCPATH": directory, "LANG": "tr_TR.EVIL", "LC_ALL": "tr_TR.EVIL",
        "LANGUAGE": "../../../run/traps", "TZ": f":{TRAPS}/hosts", "TZDIR": directory,
        "TMPDIR": directory, "PATH": directory, "IFS": "/", "ENV": f"{TRAPS}/hosts",
        "BASH_ENV": f"{TRAPS}/hosts", "KRB5_CONFIG": f"{TRAPS}/hosts",
        "P11_KIT_STRICT": "1", "PYTHONPATH": directory, "SHELLOPTS": "xtrace",
        "USER": "root", "LOGNAME": "root", "SUDO_USER": "root", "A" * 1000: "B" * 100000,
    }


def each_alone(limits):
    return [{name: value} for name, value in limits.items()]


def under(limits):
    """What a process does to live under LIMITS: names without RLIMIT_, and both values."""
    return lambda: [resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
                    for name, value in limits.items()]


class HostileCase(SudoCase):
    """The set-user-ID program, and traps that have to stay as they are."""

    @classmethod
    def setUpClass(cls):
        if not HOST.exists():
            shutil.copy(fixture.BUILD / "pam-driver", HOST)
            HOST.chmod(0o4755)
            set_traps()
            for name, stack in STACKS.items():
                (pathlib.Path("/etc/pam.d") / name).write_text(stack)
        cls.caller = machine.person("caller", is_enrolled=False)
        cls.untouched = sorted(os.listdir(TRAPS))

    def enrolled(self):
        """A name that is enrolled, and a factor; the setuid host needs no account for it."""
        factor = machine.emulator.factor()
        machine.identities.add(factor.identity)
        name = f"hostile{next(numbers)}"
        fixture.enroll(SECRETS, name, factor.identity, factor.sid)
        return name, factor

    def host(self, *options, logins, stack="hostile", **world):
        """The caller starts the program; LOGINS: (name, code), one after the other."""
        command = [HOST, "--confdir", "/etc/pam.d", "--service", stack, "--loop",
                   str(len(logins)), *options]
        for name, code in logins:
            command += ["--user", name, "--answer", code]
        return subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, "env": {},
                                            "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL,
                                            **self.as_person(self.caller)} | world)

    def report(self, host):
        """What the program tells at its end; None: it did not come so far."""
        with host:
            out, _ = host.communicate(timeout=60)
        if not out:
            return None
        self.assertEqual(host.returncode, 0)
        report = json.loads(out)
        self.assertEqual((report["changes"], report["children"]), ({}, "none"))
        return report

    def codes(self, host):
        report = self.report(host)
        return report and [call["code"] for call in report["calls"]]

    def right_and_wrong(self, *options, **world):
        """The codes of a login with a right code, and of one with a wrong one."""
        name, factor = self.enrolled()
        other, other_factor = self.enrolled()
        return self.codes(self.host(*options, logins=[(name, factor.code()),
                                                      (other, other_factor.wrong_code())],
                                    **world))

    def check_program_of(self, host, calls=1):
        """The number of the check program that HOST waits for, once its prompt is out."""
        def prompted():
            return [int(found["Pid"]) for found in self.check_programs()
                    if int(found["PPid"]) == host.pid and found["Seccomp"].strip() == "2"]
        return eventually(prompted, bool)[0]

    def assert_gone(self, pid):
        self.assertFalse(eventually(lambda: os.path.exists(f"/proc/{pid}"), lambda is_there:
                                    not is_there, 5))


@at_once
class SetUserId(HostileCase):

    def test_variables_of_the_caller_change_nothing_each_alone(self):
        with Listener() as listener:
            for name, value in variables(listener.url).items():
                with self.subTest(name[:20]):
                    user, factor = self.enrolled()
                    host = self.host(logins=[(user, factor.code())], env={name: value})
                    self.assertEqual(self.codes(host), [LET_IN])
            self.assertFalse(listener.was_called())
        self.assertEqual(sorted(os.listdir(TRAPS)), self.untouched)

    def test_variables_of_the_caller_change_nothing_together_and_none_is_passed_on(self):
        name, factor = self.enrolled()
        with Listener() as listener:
            environment = variables(listener.url)
            host = self.host("--think-ms", "1500", logins=[(name, factor.code())], env=environment)
            pid = self.check_program_of(host)
            self.assertEqual(pathlib.Path(f"/proc/{pid}/environ").read_bytes(), b"")
            self.assertEqual(self.codes(host), [LET_IN])
            self.assertEqual(self.right_and_wrong(env=environment), [LET_IN, REFUSED])
            self.assertFalse(listener.was_called())
        self.assertEqual(sorted(os.listdir(TRAPS)), self.untouched)

    def test_a_world_of_the_caller_s_changes_nothing(self):
        gone, closed = (pathlib.Path(f"/run/home/{self.caller.name}/{name}")
                        for name in ("gone", "closed"))

        def leave(directory, mode=None):
            directory.mkdir()
            os.chdir(directory)
            directory.rmdir() if mode is None else directory.chmod(mode)

        def ignore_signals():
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)

        def block_signals():
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

        worlds = {
            "umask 0": ((), lambda: os.umask(0)),
            "umask 0777": ((), lambda: os.umask(0o777)),
            "a directory that is gone": ((), lambda: leave(gone)),
            "a directory that can't be read": ((), lambda: leave(closed, 0)),
            "signals ignored": (("--sigpipe", "ignore", "--sigchld", "ignore"), ignore_signals),
            "signals blocked": (("--block-signals",), block_signals),
            "children forgotten": (("--sigchld", "no-wait"), None),
            "children reaped": (("--sigchld", "reap"), None),
            "interrupted": (("--alarm-every", "3"), None),
            "descriptors closed": (("--close", "0", "--close", "1", "--close", "2"), None),
            "the lowest priority": ((), lambda: os.sched_setscheduler(
                0, os.SCHED_IDLE, os.sched_param(0))),
        }
        for name, (options, enter) in worlds.items():
            with self.subTest(name):
                self.assertEqual(self.right_and_wrong(*options, preexec_fn=enter),
                                 [LET_IN, REFUSED])

        def enter_all():
            for name, (_, enter) in worlds.items():
                if enter is not None and name not in ("umask 0777", "a directory that is gone"):
                    enter()

        def open_again():
            closed.chmod(0o700)
            closed.rmdir()

        open_again()
        options = ("--close", "0", "--close", "1", "--close", "2", "--block-signals", "--sigpipe",
                   "ignore", "--sigchld", "reap")
        self.assertEqual(self.right_and_wrong(*options, preexec_fn=enter_all), [LET_IN, REFUSED])

        open_again()
        name, factor = self.enrolled()
        host = self.host(*options, "--think-ms", "1500", logins=[(name, factor.code())],
                         preexec_fn=enter_all)
        pid = self.check_program_of(host)
        [program] = [found for found in self.check_programs() if int(found["Pid"]) == pid]
        self.assert_nothing_of_use(program)
        self.assertEqual(self.codes(host), [LET_IN])

    def test_limits_of_the_caller_change_nothing_or_refuse(self):
        """Those below which nothing works; those that are raised, where root may; and harmless
        ones. All alone, and together."""
        hopeless = {"NOFILE": 4, "AS": 6 * MEBIBYTE, "STACK": 8 * 1024}
        starving = {"NOFILE": 12, "NPROC": 0, "AS": 40 * MEBIBYTE, "DATA": 8 * MEBIBYTE, "FSIZE": 0}
        harmless = {"CORE": resource.RLIM_INFINITY, "STACK": 256 * 1024, "CPU": 5,
                    "MEMLOCK": 0, "SIGPENDING": 0, "MSGQUEUE": 0}
        raised = [LET_IN, REFUSED] if MAY_RAISE_LIMITS else [MISCONFIGURED] * 2
        expected = [(limits, None) for limits in each_alone(hopeless)]
        expected += [(limits, raised) for limits in each_alone(starving)]
        expected += [(limits, [LET_IN, REFUSED]) for limits in each_alone(harmless)]
        expected += [(harmless, [LET_IN, REFUSED]), (starving | harmless, raised)]

        for limits, wanted in expected:
            with self.subTest(limits):
                codes = self.right_and_wrong(stack="outage", preexec_fn=under(limits))
                if wanted is None:
                    self.assertNotIn(LET_IN, codes or [])
                else:
                    self.assertEqual(codes, wanted, limits)

    def test_any_limit_of_memory_or_descriptors_lets_nobody_in_with_a_wrong_code(self):
        name, factor = self.enrolled()
        values = {"AS": range(4 * MEBIBYTE, 40 * MEBIBYTE, 3 * MEBIBYTE), "NOFILE": range(3, 14)}
        for limit, value in ((limit, value) for limit in values for value in values[limit]):
            with self.subTest([limit, value]):
                host = self.host(logins=[(name, factor.wrong_code())], stack="outage",
                                 preexec_fn=under({limit: value}))
                self.assertNotIn(LET_IN, self.codes(host) or [])

    def test_the_caller_may_signal_no_check_program(self):
        name, factor = self.enrolled()
        host = self.host("--think-ms", "1500", logins=[(name, factor.code())])
        pid = self.check_program_of(host)
        script = """
import errno, os, sys
for number in (0, *range(1, 65)):
    try:
        os.kill(int(sys.argv[1]), number)
        sys.exit(f"signal {number} is permitted")
    except PermissionError:
        pass
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
"""
        done = self.run_as(self.caller, "/usr/bin/python3", "-I", "-S", "-c", script, str(pid))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.codes(host), [LET_IN])

    def test_the_caller_may_signal_his_host_and_gains_nothing(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM,
                       signal.SIGKILL, signal.SIGUSR1, signal.SIGALRM):
            with self.subTest(number):
                name, factor = self.enrolled()
                host = self.host("--think-ms", "60000", logins=[(name, factor.wrong_code())])
                pid = self.check_program_of(host)
                self.run_as(self.caller, "kill", f"-{number:d}", str(host.pid))
                self.assertIsNone(self.report(host))
                self.assert_gone(pid)

    def test_a_host_that_stops_for_a_while_logs_in_all_the_same(self):
        name, factor = self.enrolled()
        host = self.host("--think-ms", "1000", logins=[(name, factor.code())])
        self.check_program_of(host)
        self.run_as(self.caller, "kill", "-STOP", str(host.pid))
        time.sleep(0.5)
        self.run_as(self.caller, "kill", "-CONT", str(host.pid))
        self.assertEqual(self.codes(host), [LET_IN])

    def test_signals_at_the_start_of_the_check_program_break_a_login_and_gain_nothing(self):
        """Until it has root's real user ID the caller may signal it; he tries all the time."""
        script = """
import itertools, os, sys
first, numbers = int(sys.argv[1]), itertools.cycle(map(int, sys.argv[2:]))
ours = (os.getpid(), os.getppid())
while True:
    number = next(numbers)
    for pid in range(first, first + 500):
        try:
            if pid not in ours:
                os.kill(pid, number)
        except OSError:
            pass
"""
        attacker = machine.person("attacker", is_enrolled=False)
        # Stopped before it is another program, it holds up its host until it goes on.
        for signals in ((signal.SIGKILL,), (signal.SIGALRM,), (signal.SIGSTOP, signal.SIGCONT)):
            with self.subTest(signals):
                name, factor = self.enrolled()
                host = self.host(logins=[(name, factor.wrong_code())] * 20, stack="outage",
                                 **self.as_person(attacker))
                attack = subprocess.Popen(
                    ["/usr/bin/python3", "-I", "-S", "-c", script, str(host.pid + 1),
                     *(str(int(number)) for number in signals)],
                    # Within a session SIGCONT reaches everybody: the other tests' hosts, too.
                    start_new_session=True, **self.as_person(attacker))
                try:
                    codes = self.codes(host)
                finally:
                    attack.kill()
                    attack.wait()
                self.assertEqual(len(codes), 20)
                self.assertLessEqual(set(codes), {BROKEN, REFUSED})

    def test_threads_log_in_at_once_and_no_answer_is_another_s(self):
        for options in ((), ("--sigchld", "reap"), ("--sigchld", "ignore")):
            people = [self.enrolled() for _ in range(8)]
            logins = [(name, factor.wrong_code() if number % 2 else factor.code())
                      for number, (name, factor) in enumerate(people)]
            with self.subTest(options):
                report = self.report(self.host("--threads", "8", "--think-ms", "100", *options,
                                               logins=logins))
                self.assertEqual({call["user"]: call["code"] for call in report["calls"]},
                                 {name: REFUSED if number % 2 else LET_IN
                                  for number, (name, _) in enumerate(logins)})

    def test_a_hundred_logins_leave_nothing_behind(self):
        people = [self.enrolled() for _ in range(100)]
        logins = [(name, factor.code()) for name, factor in people]
        report = self.report(self.host("--loop", "100", "--only-codes", logins=logins))
        self.assertEqual(report["codes"], {LET_IN: 100})
        first, last = report["rss_kib"]
        self.assertLess(last - first, 128)


def children_of(pid):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if f"\nPPid:\t{pid}\n" in path.read_text():
                found.append(int(path.parent.name))
    return found


def processes_with(secrets):
    """{number: name} of the processes that hold one of SECRETS in memory, arguments or environment.

    Left out: this one, the emulator, and the check programs."""
    found = {}
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name = (directory / "comm").read_text().strip()
            if (int(directory.name) not in (os.getpid(), machine.emulator.process.pid) and
                    name != machine.check.name[:15]):
                told = (directory / "cmdline").read_bytes() + (directory / "environ").read_bytes()
                if any(secret in told or is_in_memory(directory, secret) for secret in secrets):
                    found[int(directory.name)] = name
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def is_in_memory(directory, secret):
    with open(directory / "mem", "rb", 0) as memory:
        for line in (directory / "maps").read_text().splitlines():
            span, rights, _, _, _, *name = line.split(None, 5)
            first, end = (int(address, 16) for address in span.split("-"))
            if rights[0] == "r" and not (name and name[0].startswith("[v")):
                memory.seek(first)
                try:
                    if secret in memory.read(end - first):
                        return True
                except OSError as error:  # Nobody can read what lies behind the end of a file.
                    if error.errno != errno.EIO:
                        raise
    return False


API_SECRETS = (fixture.API_KEY_SECRET.encode(),
               base64.b64encode(f"{fixture.API_KEY_SID}:{fixture.API_KEY_SECRET}".encode())[-40:])


class Cores(SudoCase):
    """In a root directory that everybody may write to and that holds the check program."""

    ROOT = pathlib.Path("/run/cores")

    @classmethod
    def setUpClass(cls):
        cls.ROOT.mkdir()
        cls.ROOT.chmod(0o1777)
        for name in ("bin", "dev", "etc", "lib", "lib64", "proc", "run", "usr", "var"):
            here, there = pathlib.Path("/", name), cls.ROOT / name
            if here.is_symlink():
                there.symlink_to(here.readlink())
            elif here.exists():
                there.mkdir()
                run("mount", "--bind", str(here), str(there))

    def cores_of(self, *command, line):
        """What COMMAND leaves there that has answered to LINE and then crashes."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = subprocess.Popen(
                ["chroot", self.ROOT, *command], stdin=theirs, stdout=theirs,
                env={"PATH": os.environ["PATH"]},
                preexec_fn=under({"CORE": resource.RLIM_INFINITY}))
            ours.settimeout(PATIENCE_SECONDS)
            ours.send(line)
            self.assertNotEqual(ours.recv(100), b"")
            time.sleep(0.3)  # Until the secret is where it stays.
            process.send_signal(signal.SIGSEGV)
            self.assertEqual(process.wait(PATIENCE_SECONDS), -signal.SIGSEGV)
        cores = [path.name for path in self.ROOT.glob("core*")]
        for name in cores:
            (self.ROOT / name).unlink()
        return cores

    def test_a_check_program_that_crashes_leaves_none(self):
        account = run("id", "-u", RUN_AS).strip()
        if not self.cores_of("setpriv", "--reuid", account, "cat", line=b"x\n"):
            self.skipTest("nothing leaves one here")
        person = machine.person("core")
        self.assertEqual(self.cores_of(str(machine.check), line=b"login 2 sudo %s\n" %
                                       person.name.encode()), [])


@at_once
class Keys(HostileCase):
    """At a terminal, with a Twilio that takes half a second for a code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for host in ("sudo", "su"):
            machine.use_recipe("sshd-key-and-code", host)
        machine.emulator.control("fault slow=500 on verify")
        cls.addClassCleanup(machine.emulator.control, "fault clear")

    def shell(self, person):
        terminal = self.enterContext(Terminal(
            "sh", "-i", env={"PS1": "READY ", "PATH": os.environ["PATH"]},
            **self.as_person(person)))
        terminal.expect("READY ")
        return terminal

    def begin(self, terminal, command, moment, code):
        """Goes to MOMENT of a login: seconds after the start, "prompt", or "held" with CODE sent."""
        terminal.type(command)
        if moment in ("prompt", "held"):
            terminal.expect(re.escape(CODE_PROMPT))
            time.sleep(0.1)  # Until the echo is off.
        if moment == "held":
            terminal.type(code)
            time.sleep(0.2)
        if isinstance(moment, float) and moment > 0:
            # A key throws away what the shell has not read.
            self.assertTrue(eventually(lambda: children_of(terminal.pid), bool))
            time.sleep(moment)

    @staticmethod
    def command(host, person):
        return f"su -c 'echo I''N' {person.name}" if host == "su" else "sudo -k echo I''N"

    def interrupt(self, host, key):
        """KEY at every moment, with no code or a wrong one."""
        person = machine.person("interrupt")
        terminal = self.shell(person)
        for moment in (0.0, 0.01, 0.02, 0.03, 0.05, "prompt", "held"):
            with self.subTest(moment):
                self.begin(terminal, self.command(host, person), moment, person.wrong_code)
                terminal.press_until(key + "\n", "READY ")  # A key throws away a whole line.
        terminal.type("exit")
        terminal.finish()
        self.assertNotIn("IN", terminal.text.split())

    def test_control_c_interrupts_sudo_at_every_moment(self):
        self.interrupt("sudo", "\x03")

    def test_control_c_interrupts_su_at_every_moment(self):
        self.interrupt("su", "\x03")

    def test_control_backslash_interrupts_sudo_at_every_moment(self):
        self.interrupt("sudo", "\x1c")

    def test_control_z_stops_sudo_at_every_moment_and_it_goes_on_later(self):
        self.stop("sudo")

    def test_control_z_stops_su_at_every_moment_and_it_goes_on_later(self):
        self.stop("su")

    def stop(self, host):
        person = machine.person("stop")
        terminal = self.shell(person)
        for moment in (0.01, 0.03, "prompt", "held"):
            with self.subTest(moment):
                person.forget_codes()
                self.begin(terminal, self.command(host, person), moment, person.code)
                # su holds the key back until the line ends, whose answer is a wrong one then.
                terminal.press_until("\x1a\n" if host == "su" else "\x1a", "Stopped")
                terminal.expect("READY ")
                self.resume(terminal, person)

    def resume(self, terminal, person):
        """What was pressed early may stop it again."""
        terminal.type("fg")
        while (found := terminal.expect("\nIN\r\n", "Stopped", re.escape(CODE_PROMPT))) != 0:
            if found == 1:
                terminal.expect("READY ")
                terminal.type("fg")
            else:
                time.sleep(0.1)
                terminal.type(person.code)
        terminal.expect("READY ")

    def test_sudo_that_stops_for_good_lets_nobody_in_and_leaves_no_check_program(self):
        person = machine.person("stopped")
        for moment in ("prompt", "held"):
            with self.subTest(moment):
                terminal = self.shell(person)
                self.begin(terminal, "sudo -k echo I''N", moment, person.code)
                terminal.press_until("\x1a", "Stopped")
                terminal.expect("READY ")
                time.sleep(0.6)  # Until the reply is there.
                [sudo] = children_of(terminal.pid)
                checks = children_of(sudo)
                self.assertEqual(len(checks), 1)
                os.kill(sudo, signal.SIGKILL)
                self.assert_gone(checks[0])
                terminal.press_until("\n", "Killed")
                self.assertNotIn("IN", terminal.text.split())

    def test_the_secret_is_in_no_other_process(self):
        name, factor = self.enrolled()
        person = machine.person("scan")
        terminal = self.terminal(person, "sudo", "id", "-un")
        terminal.expect(re.escape(CODE_PROMPT))
        host = self.host("--think-ms", "2000", logins=[(name, factor.code())])
        self.check_program_of(host)
        self.assertEqual(processes_with(API_SECRETS), {})
        self.assertIn(host.pid, processes_with([name.encode()]), "the search finds nothing")
        terminal.type(person.code)
        time.sleep(0.2)
        self.assertEqual(processes_with(API_SECRETS), {})
        self.assertEqual((self.codes(host), terminal.finish()), ([LET_IN], 0))
        self.assert_no_secret(person)


@at_once
class Sudo(HostileCase):
    """The real one, by its own rules and by forgiving ones."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        machine.use_recipe("sshd-key-and-code", "sudo")

    def sudo_in(self, person, code, environment=None, enter=None):
        return subprocess.run(["/usr/bin/sudo", "-k", "-S", "id", "-un"], text=True,
                              input=f"{code}\n", capture_output=True, timeout=60,
                              env=environment or {}, preexec_fn=enter, start_new_session=True,
                              **self.as_person(person))

    def try_variables(self, person):
        self.defaults(person, "passwd_tries=1")
        with Listener() as listener:
            environment = variables(listener.url) | {"PATH": os.environ["PATH"]}
            done = self.sudo_in(person, person.code, environment)
            self.assertEqual((done.returncode, done.stdout), (0, "root\n"), done.stderr)
            done = self.sudo_in(person, person.wrong_code, environment)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertFalse(listener.was_called())
        self.assertEqual(sorted(os.listdir(TRAPS)), self.untouched)

    def test_variables_change_nothing(self):
        self.try_variables(machine.person("sudoenv"))

    def test_variables_that_sudo_keeps_change_nothing(self):
        person = machine.person("sudokeep")
        path = pathlib.Path("/etc/sudoers.d") / f"keep-{person.name}"
        path.touch(0o440)
        path.write_text(f"Defaults:{person.name} !env_reset\n")
        self.try_variables(person)

    def test_a_hostile_world_lets_nobody_in_with_a_wrong_code(self):
        limits = {"NOFILE": 20, "NPROC": 0, "FSIZE": 0, "AS": 64 * MEBIBYTE,
                  "CORE": resource.RLIM_INFINITY}
        worlds = {str(limit): under(limit) for limit in [*each_alone(limits), limits]}
        worlds["umask 0"] = lambda: os.umask(0)
        worlds["signals ignored"] = lambda: [signal.signal(number, signal.SIG_IGN)
                                             for number in SIGNALS]
        worlds["signals blocked"] = lambda: signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

        def try_both(enter):
            person = machine.person("sudoworld")
            self.defaults(person, "passwd_tries=1")
            return [self.sudo_in(person, code, enter=enter)
                    for code in (person.wrong_code, person.code)]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # Refused ones wait for seconds.
            for name, (wrong, right) in zip(worlds, pool.map(try_both, worlds.values())):
                with self.subTest(name):
                    self.assertEqual(wrong.stdout, "")
                    if MAY_RAISE_LIMITS or "{" not in name:
                        self.assertEqual(right.stdout, "root\n", right.stderr)
