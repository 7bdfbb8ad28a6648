# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""One code for a session: session.minutes, and whoever would have more of it."""

import itertools
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess

from logincase import (CODE_PROMPT, KEY_AND_CODE, PASSWORD_AND_CODE, SudoCase, machine,
                       person_with_key, setUpModule, with_key)
from kit.machine import SECRETS, SECURITY, Terminal, eventually, fixture, run

CONF = SECURITY / "sessions.conf"
SESSIONS = pathlib.Path("/run/twilio-verify/sessions")
SESSION_LINE = f"session optional pam_twilio_verify.so conf={CONF}\n"
PROVED = "code proved 0 min ago"
scripts = itertools.count()


def add_line(service):
    path = pathlib.Path("/etc/pam.d") / service
    text = path.read_text()
    if SESSION_LINE not in text:
        path.write_text(text + SESSION_LINE)


def sudo_with(person, command="id -un", options=""):
    """A command of PERSON's that runs sudo with the password and a wrong code."""
    return (f"printf '%s\\n' {shlex.quote(person.password)} {person.wrong_code} | "
            f"sudo -k -S {options} {command} 2>/dev/null")


def script(command):
    """COMMAND in a file: sudo logs what it is told to run, and the command has a password."""
    path = pathlib.Path(f"/run/script-{next(scripts)}")
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path


class SessionCase(SudoCase):
    MINUTES = 60

    @classmethod
    def setUpClass(cls):
        cls.configure(f"    minutes = {cls.MINUTES};\n")
        for service in ("sudo", "sudo-i"):
            machine.use_recipe("sudo", service, f"conf={CONF}")

    @staticmethod
    def configure(session):
        machine.configure(CONF, login="    attempts = 1;\n", session=session)

    @classmethod
    def use_sshd(cls, recipe, *lines):
        machine.use_recipe(recipe, "sshd", f"conf={CONF}")
        add_line("sshd")
        return cls.sshd(*lines)

    def log_in(self, person, *command, options=()):
        """A shell of PERSON's over sshd, after password and code; it waits for lines."""
        terminal = self.enterContext(self.server.login(person.name, *(command or ("sh",)),
                                                       options=("-tt", *options)))
        shown = f"({person.name}@127.0.0.1) "
        terminal.answer(shown + "Password: ", person.password)
        terminal.answer(shown + CODE_PROMPT, person.code)
        terminal.expect(r"\$ $")
        return terminal

    def ask(self, terminal, command):
        """What COMMAND prints in the shell of TERMINAL."""
        self.number = getattr(self, "number", 0) + 1
        terminal.type(f"stty -echo; echo begin$(({self.number} + 0)); {command}; "
                      f"echo end$(({self.number} + 0))")
        terminal.expect(f"begin{self.number}\r?\n")
        terminal.expect(f"end{self.number}\r?\n")
        return terminal._child.before.replace("\r", "").rpartition(f"begin{self.number}\n")[2]

    def sudo_in(self, terminal, person, *arguments):
        """"root", or "" where a code was asked for: the one that is typed is wrong."""
        return self.ask(terminal, sudo_with(person, *arguments)).strip()

    def reasons(self, person, count=1, service="sudo"):
        """Why sudo asked or not, one after the other."""
        lines = machine.journal.find(rf"\({service}:auth\): user={person.name} .*outcome=", count)
        return [re.search(r'outcome=(\S+) reason="(.*)" ms=', line.text).groups()
                for line in lines]

    def assert_spared(self, terminal, person, *arguments, service="sudo", who="root"):
        count = len(self.reasons(person, 0, service)) + 1
        self.assertEqual(self.sudo_in(terminal, person, *arguments), who)
        self.assertRegex(str(self.reasons(person, count, service)[-1]),
                         r"'not-required', 'code proved \d+ min ago'")

    def assert_asked(self, terminal, person, why, *arguments):
        count = len(self.reasons(person, 0)) + 1
        self.assertEqual(self.sudo_in(terminal, person, *arguments), "")
        self.assertRegex(self.reasons(person, count)[count - 1][1], f"; asked because {why}")

    def record(self, person):
        """The file of the session of PERSON."""
        for path in SESSIONS.glob("*.session"):
            if f'user = "{person.name}"' in path.read_text():
                return path
        return None


class PasswordAndCode(SessionCase):
    """sshd asks for both by keyboard-interactive, in a child of the process that opens the
    session."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.use_sshd("sshd-password-and-code", *PASSWORD_AND_CODE)

    def test_sudo_does_not_ask_again(self):
        person = machine.person("session")
        terminal = self.log_in(person)
        for _ in range(2):
            self.assert_spared(terminal, person)
        self.assert_spared(terminal, person, "id -un", "-i", service="sudo-i")
        record = self.record(person)
        self.assertEqual((record.stat().st_uid, record.stat().st_mode & 0o777), (0, 0o600))
        self.assertEqual((SESSIONS.stat().st_uid, SESSIONS.stat().st_mode & 0o777), (0, 0o700))
        self.assertEqual(SESSIONS.parent.stat().st_mode & 0o777, 0o755)
        self.assertEqual(list(SESSIONS.glob("*.proved")), [])

    def test_sudo_below_sudo_is_in_the_session(self):
        person = machine.person("nested")
        terminal = self.log_in(person)
        inner = script(sudo_with(person))
        self.assertEqual(self.sudo_in(terminal, person, f"sudo -u {person.name} {inner}"), "root")
        self.assertEqual(self.reasons(person, 2), [("not-required", PROVED)] * 2)

    def test_a_container_below_the_session_is_asked(self):
        """Its processes do not see those that are above it, and have numbers of their own."""
        person = machine.person("container")
        terminal = self.log_in(person)
        inner = script(sudo_with(person))
        said = self.sudo_in(terminal, person, "unshare --pid --fork --mount-proc "
                            f"runuser -u {person.name} -- {inner}")
        self.assertEqual(said, "")
        self.assertRegex(self.reasons(person, 2)[1][1],
                         "; asked because no session above this process has proved a code$")
        self.assert_spared(terminal, person)

    def test_what_was_cut_off_from_the_session_is_asked(self):
        """As a tmux server and cron are: their parent is another one."""
        person = machine.person("cutoff")
        terminal = self.log_in(person)
        home = pathlib.Path(f"/run/home/{person.name}")
        script = f"sleep 1; {sudo_with(person)} >{home}/said; touch {home}/done"
        self.ask(terminal, f"setsid sh -c {shlex.quote(f'({script}) &')} </dev/null >/dev/null 2>&1")
        self.assertTrue(eventually(lambda: (home / "done").exists(), bool))
        self.assertEqual((home / "said").read_text(), "")
        self.assertRegex(self.reasons(person)[0][1],
                         "; asked because no session above this process has proved a code$")
        self.assert_spared(terminal, person)

    def test_the_log_says_why_sudo_asks_whatever_comes_of_it(self):
        person = machine.person("outcome")
        key = SECRETS / f"{CONF.name}.api-key"
        self.assert_refused(person, person.password, person.wrong_code)
        self.assert_refused(person, person.password)
        kept = key.rename(f"{key}.kept")
        self.addCleanup(kept.rename, key)
        self.assert_refused(person, person.password)
        said = self.reasons(person, 3)
        self.assertEqual([outcome for outcome, _ in said],
                         ["denied", "unanswered", "misconfigured"])
        for _, reason in said:
            self.assertRegex(reason, "; asked because no session.* has proved a code$")

    def test_nobody_else_is_in_the_session(self):
        person, other = machine.person("first"), machine.person("second")
        terminal, elsewhere = self.log_in(person), self.log_in(other)
        self.assert_spared(terminal, person)
        self.assert_spared(elsewhere, other)
        done = self.run_as(person, "sh", "-c", sudo_with(person))
        self.assertEqual(done.stdout, "")
        # Somebody else below the session: by sudo, which is root's leave to become him.
        inner = script(sudo_with(other))
        self.assertEqual(self.sudo_in(terminal, person, f"sudo -u {other.name} {inner}"), "")
        self.assertRegex(self.reasons(other, 2)[1][1], "; asked because the session is another user")

    def test_another_connection_of_a_master_is_in_the_session(self):
        person = machine.person("master")
        path = f"/run/master-{person.name}"
        terminal = self.log_in(person, options=("-M", "-S", path))
        done = subprocess.run(["ssh", "-F", "none", "-S", path, "-p", str(self.server.port),
                               f"{person.name}@127.0.0.1", sudo_with(person)], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.stdout, "root\n", done.stderr)
        self.assert_spared(terminal, person)

    def test_a_session_ends_with_its_process(self):
        person = machine.person("ended")
        terminal = self.log_in(person)
        record = self.record(person)
        terminal.type("exit")
        terminal.finish()
        other = machine.person("next")
        self.log_in(other)
        self.assertFalse(record.exists(), "open_session removes what is dead")

    def test_what_outlives_a_killed_opener_is_asked(self):
        person = machine.person("outlives")
        terminal = self.log_in(person)
        self.assert_spared(terminal, person)
        home = pathlib.Path(f"/run/home/{person.name}")
        left = script(f"while test ! -e {home}/go; do sleep 0.1; done\n"
                      f"{sudo_with(person)} >{home}/said; touch {home}/done")
        terminal.type(f"setsid {left} </dev/null >/dev/null 2>&1 & echo left'' it")
        terminal.expect("left it\r?\n")
        record = self.record(person)
        os.kill(int(record.stem), signal.SIGKILL)
        terminal.hang_up()
        (home / "go").touch()
        self.assertTrue(eventually((home / "done").exists, bool))
        self.assertEqual((home / "said").read_text(), "")
        self.assertRegex(self.reasons(person, 2)[1][1],
                         "; asked because no session above this process has proved a code$")

    def test_another_factor_and_none_end_it(self):
        person = machine.person("replaced")
        terminal = self.log_in(person)
        self.assert_spared(terminal, person)
        fixture.enroll(SECRETS, person.name, person.factor.identity, "YF" + "9" * 32)
        self.assertEqual(self.sudo_in(terminal, person), "")
        (SECRETS / "users" / f"{person.name}.conf").unlink()
        self.assertEqual(self.sudo_in(terminal, person), "")

    def rewrite(self, record, old, new):
        """As root."""
        text = record.read_text()
        self.assertRegex(text, old)
        record.write_text(re.sub(old, new, text))

    def test_records_of_another_time_boot_or_process_do_not_count(self):
        person = machine.person("forged")
        terminal = self.log_in(person)
        record = self.record(person)
        whole = record.read_text()
        none = "no session above this process has proved a code"
        seconds = int(re.search(r"seconds = (\d+)", whole)[1])
        for old, new, why in (
                (r"seconds = \d+", f"seconds = {max(0, seconds - 3700)}", r"the code of this session"),
                (r"seconds = \d+", f"seconds = {seconds + 9999}", r"the code of this session"),
                (r'boot_id = "\w', 'boot_id = "' + ("0" if whole[11] != "0" else "1"), none),
                (r'start = "\d', 'start = "9', none),
                (r'uid = "\d', 'uid = "9', "the session is another user"),
                (r'user = "', 'user = "x', "the session is another user"),
                (r"start = .*\n", "", r"sessions/\S+: start is missing"),
                (r"$", "}", r"sessions/\S+:")):
            with self.subTest(new):
                if "seconds" in old and seconds < 3700 and "proved" in why:
                    continue
                record.write_text(whole)
                self.rewrite(record, old, new)
                self.assert_asked(terminal, person, why)
        record.write_text(whole)
        self.assert_spared(terminal, person)

    def test_files_that_others_can_write_links_and_fifos_do_not_count(self):
        person = machine.person("linked")
        terminal = self.log_in(person)
        record = self.record(person)
        kept = record.read_text()

        def by_another():
            os.chown(record, 12345, 12345)

        def writable():
            record.chmod(0o622)

        def link():
            record.unlink()
            target = pathlib.Path("/run/elsewhere")
            target.write_text(kept)
            target.chmod(0o600)
            record.symlink_to(target)

        def fifo():
            record.unlink()
            os.mkfifo(record, 0o600)

        def directory():
            record.unlink()
            record.mkdir(0o700)

        for change in (by_another, writable, link, fifo, directory):
            with self.subTest(change.__name__):
                change()
                self.assert_asked(terminal, person, r"sessions/\d+\.session")
                record.rmdir() if record.is_dir() and not record.is_symlink() else record.unlink()
                record.touch(0o600)
                record.write_text(kept)
        self.assert_spared(terminal, person)
        SESSIONS.chmod(0o777)
        try:
            self.assert_asked(terminal, person, "directory /run/twilio-verify/sessions")
        finally:
            SESSIONS.chmod(0o700)

    def test_a_hint_of_the_user_is_no_proof(self):
        person = machine.person("hint")
        done = self.run_as(person, "sh", "-c", "TWILIO_VERIFY_SESSION=1; export "
                           f"TWILIO_VERIFY_SESSION; {sudo_with(person)}")
        self.assertEqual(done.stdout, "")
        self.assertIsNone(self.record(person))

    def test_the_hint_does_not_reach_the_user(self):
        terminal = self.log_in(machine.person("environment"))
        self.assertNotIn("TWILIO_VERIFY", self.ask(terminal, "env"))

    def test_sudo_for_the_password_of_another_is_asked(self):
        person = machine.person("targetpw")
        terminal = self.log_in(person)
        self.defaults(person, "rootpw")
        run("usermod", "--password", run("openssl", "passwd", "-6", person.password).strip(), "root")
        self.addCleanup(run, "usermod", "--password", "*", "root")
        self.ask(terminal, sudo_with(person))
        lines = machine.journal.find(rf"\(sudo:auth\): user=root .*ruser={person.name}", 1)
        self.assertTrue(lines)
        self.assertNotIn("not-required", lines[-1].text)

    def test_a_session_that_is_too_old_is_asked_and_a_longer_setting_counts_at_once(self):
        person = machine.person("old")
        terminal = self.log_in(person)
        record = self.record(person)
        seconds = int(re.search(r"seconds = (\d+)", record.read_text())[1])
        if seconds < 130:
            self.skipTest("the machine was started just now")
        self.rewrite(record, r"seconds = \d+", f"seconds = {seconds - 125}")
        self.addCleanup(self.configure, f"    minutes = {self.MINUTES};\n")
        self.configure("    minutes = 2;\n")
        self.assert_asked(terminal, person, "the code of this session was proved 2 min ago")
        self.configure("    minutes = 3;\n")
        self.assert_spared(terminal, person)
        self.configure("    minutes = 0;\n")
        self.assertEqual(self.sudo_in(terminal, person), "")
        self.assertNotIn("asked because", self.reasons(person, 3)[2][1])


    def tool(self, *words):
        done = subprocess.run(["twilio-verify", "--settings", CONF, *words], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr

    def test_the_tool_shows_and_ends_sessions(self):
        person = machine.person("shown")
        self.assertIn(f"{person.name} has no session that has proved a code",
                      self.tool("session", person.name))
        terminal = self.log_in(person)
        self.assertRegex(self.tool("session", person.name),
                         f"{person.name} is not asked again in 1 session; .* 0 min ago")
        [row] = [row for row in json.loads(self.tool("list", "--json"))
                 if row["user"] == person.name]
        self.assertEqual(row["sessions"], "1")
        self.assertRegex(self.tool("status", "--json"), '"sessions": *"?[1-9]')
        self.assertRegex(self.tool("explain", person.name, "--service", "sudo"),
                         "proved a code in the last 60 min.*there is 1 such session now")
        self.assertNotIn("such session", self.tool("explain", person.name, "--service", "sshd"))
        self.assert_spared(terminal, person)
        self.assertIn("has to prove a code again", self.tool("session", person.name, "--end"))
        self.assert_asked(terminal, person, "no session above this process has proved a code")
        self.assertIn("has no session", self.tool("session", person.name, "--end"))

    def test_the_tool_ends_what_is_proved_and_not_opened_yet(self):
        person = machine.person("unopened")
        mine = ByHand.start(os.getpid())
        self.assertEqual(ByHand.run_check(self, "proved", person, os.getpid(), mine), "done\n")
        self.tool("session", person.name, "--end")
        self.assertEqual(ByHand.run_check(self, "session", person, os.getpid(), mine),
                         "done: this process has proved no code\n")


class KeyAndCode(SessionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.use_sshd("sshd-key-and-code", *KEY_AND_CODE)

    def test_sudo_does_not_ask_again(self):
        person = person_with_key("keysession")
        terminal = self.enterContext(self.server.login(person.name, "sh",
                                                       options=("-tt", *with_key())))
        terminal.answer(f"({person.name}@127.0.0.1) {CODE_PROMPT}", person.code)
        terminal.expect(r"\$ $")
        self.assert_spared(terminal, person)


class OneField(SessionCase):
    """sshd's method "password": the process that asks opens the session."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.use_sshd("sshd-password-and-code", "PasswordAuthentication yes",
                                  "KbdInteractiveAuthentication no",
                                  "AuthenticationMethods password")
        path = pathlib.Path("/etc/pam.d/sshd")
        text = path.read_text()
        block = (f"auth requisite pam_twilio_verify.so split=6 conf={CONF}\n"
                 "auth requisite pam_unix.so use_first_pass nodelay\n"
                 f"auth required pam_twilio_verify.so conf={CONF}\n")
        path.write_text(block + re.sub(r"(?m)^(auth|@include common-auth).*\n", "", text))

    def test_sudo_does_not_ask_again(self):
        person = machine.person("onefield")
        self.assert_spared(self.log_in(person), person)

    def log_in(self, person):
        terminal = self.enterContext(self.server.login(person.name, "sh", options=("-tt",)))
        terminal.answer(f"{person.name}@127.0.0.1's password: ", person.password + person.code)
        terminal.expect(r"\$ $")
        return terminal

    def test_the_daemon_that_listens_gets_no_record(self):
        """It is the parent, until 9.7 of the same program, and serves other users too."""
        obstacle = SESSIONS / f"{self.server.process.pid}.proved"
        self.log_in(machine.person("first"))
        obstacle.mkdir(mode=0o700)
        self.addCleanup(obstacle.rmdir)
        person = machine.person("notdaemon")
        terminal = self.log_in(person)
        self.assertTrue(obstacle.is_dir())
        self.assert_spared(terminal, person)


class HintOfTheUser(SessionCase):
    """He sets the variable that tells open_session to look for a code that was proved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.use_sshd("sshd-password-and-code", *PASSWORD_AND_CODE,
                                  "AcceptEnv TWILIO_VERIFY_SESSION")
        path = pathlib.Path("/etc/pam.d/sshd")
        path.write_text(path.read_text().replace(
            SESSION_LINE, f"session required pam_env.so user_readenv=1\n{SESSION_LINE}"))

    def test_it_is_no_proof(self):
        person = machine.person("hinting")
        code = run("twilio-verify", "--settings", str(CONF), "recovery-codes", "--count", "1",
                   person.name).strip()
        path = pathlib.Path(f"/run/home/{person.name}/.pam_environment")
        path.write_text("TWILIO_VERIFY_SESSION=1\n")
        path.chmod(0o644)
        terminal = self.enterContext(self.server.login(
            person.name, "sh", options=("-tt", "-o", "SetEnv=TWILIO_VERIFY_SESSION=1")))
        terminal.answer(f"({person.name}@127.0.0.1) Password: ", person.password)
        terminal.answer(f"({person.name}@127.0.0.1) {CODE_PROMPT}", code)
        terminal.expect(r"\$ $")
        said = machine.journal.find(rf"user={person.name} .*so sudo asks: .*no code", 1)
        self.assertTrue(said, "open_session was not reached")
        self.assert_asked(terminal, person, "no session")
        self.assertIsNone(self.record(person))


class Console(SessionCase):
    """login and su: one process asks, opens the session, and waits for its end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for service in ("login", "su"):
            machine.use_recipe("login", service, f"conf={CONF}")
            add_line(service)

    def test_sudo_does_not_ask_again_after_a_login(self):
        person = machine.person("console")
        terminal = self.enterContext(Terminal("login"))
        for prompt, line in ((f"{socket.gethostname()} login: ", person.name),
                             ("Password: ", person.password), (CODE_PROMPT, person.code)):
            terminal.answer(prompt, line)
        terminal.expect(r"\$ $")
        self.assert_spared(terminal, person)

    def su(self, caller, person):
        terminal = self.terminal(caller, "su", person.name)
        terminal.answer("Password: ", person.password)
        terminal.answer(CODE_PROMPT, person.code)
        terminal.expect(r"\$ $")
        return terminal

    def test_the_hint_in_the_environment_of_su_is_no_proof(self):
        """su keeps the environment of its caller."""
        person, caller = machine.person("suhint"), machine.person("caller")
        code = run("twilio-verify", "--settings", str(CONF), "recovery-codes", "--count", "1",
                   person.name).strip()
        terminal = self.enterContext(Terminal("su", person.name, **self.as_person(caller), env={
            "TWILIO_VERIFY_SESSION": "1", "PATH": "/usr/bin:/bin"}))
        terminal.answer("Password: ", person.password)
        terminal.answer(CODE_PROMPT, code)
        terminal.expect(r"\$ $")
        self.assert_asked(terminal, person, "no session")
        self.assertIsNone(self.record(person))

    def test_sudo_does_not_ask_again_after_su(self):
        person, caller = machine.person("target"), machine.person("caller")
        terminal = self.su(caller, person)
        self.assert_spared(terminal, person)
        inner = script(sudo_with(caller))
        self.assertEqual(self.sudo_in(terminal, person, f"sudo -u {caller.name} {inner}"), "")

    def test_su_in_the_list_is_asked_unless_it_is_for_oneself(self):
        self.addCleanup(self.configure, f"    minutes = {self.MINUTES};\n")
        person, caller = machine.person("covered"), machine.person("other")
        terminal = self.su(caller, person)
        self.configure(f'    minutes = {self.MINUTES}; services = ( "su", "sudo" );\n')
        terminal.type(f"su {person.name}")
        terminal.answer("Password: ", person.password)
        terminal.expect(r"\$ $")
        self.assertRegex(self.reasons(person, 2, "su")[1][1], "^code proved")
        # From a shell of somebody else below that session.
        terminal.type(f"sudo -u {caller.name} sh")
        terminal.answer(f"password for {person.name}: ", person.password)
        terminal.expect(r"\$ $")
        terminal.type(f"su {person.name}")
        terminal.answer("Password: ", person.password)
        terminal.answer(CODE_PROMPT, person.wrong_code)
        terminal.expect(r"\$ $")
        self.assertRegex(self.reasons(person, 3, "su")[2][1],
                         "; asked because the caller is not the user$")

    def test_su_that_is_killed_after_its_code_frees_nobody(self):
        """It has its caller's real uid. Frozen and killed, it leaves the check program to process
        1."""
        person = machine.person("killed")
        for _ in range(5):
            terminal = self.terminal(person, "su", person.name)
            terminal.answer("Password: ", person.password)
            terminal.answer(CODE_PROMPT, person.next_code)
            eventually(lambda: person.log(0), lambda lines: len(lines) > 0, 5)
            self.run_as(person, "pkill", "-KILL", "-x", "su")
            terminal.hang_up()
            person.forget_codes()
            done = self.run_as(person, "sh", "-c", sudo_with(person))
            self.assertEqual(done.stdout, "")
        self.assertFalse((SESSIONS / "1.session").exists() or (SESSIONS / "1.proved").exists())


class ByHand(SessionCase):
    """The check program's tasks without the module."""

    def run_check(self, task, person, pid, start, prefix=(), **options):
        line = f"{task} 2 sshd {person.name} {pid} {start}\n"
        return subprocess.run([*prefix, machine.check, "--settings", CONF], input=line, text=True,
                              capture_output=True, timeout=20, **options).stdout

    @staticmethod
    def start(pid):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])

    def test_an_ordinary_user_writes_nothing(self):
        person = machine.person("byhand")
        own = self.run_as(person, "sh", "-c", f"read a b c d e f g h i j k l m n o p q r s t u v rest "
                          f"</proc/$$/stat; printf 'proved 2 sshd {person.name} %s %s\\n' $$ $v | "
                          f"{machine.check} --settings {CONF}")
        self.assertEqual(own.stdout, "done: only root can keep a session\n")
        self.assertEqual([*SESSIONS.glob("*.proved")], [])

    def test_only_the_own_parent_counts(self):
        person = machine.person("parent")
        mine = self.start(os.getpid())
        for pid in (1, 2, os.getppid(), 4194304):
            for start in (1, 12345, mine):
                self.assertRegex(self.run_check("proved", person, pid, start),
                                 "^(done: the calling process is not the parent|misconfigured)")
        self.assertRegex(self.run_check("proved", person, os.getpid(), 1), "^done: the calling")
        self.assertEqual(self.run_check("proved", person, os.getpid(), mine), "done\n")
        self.assertEqual(self.run_check("session", person, os.getpid(), mine), "done\n")
        self.assertEqual(self.run_check("session", person, os.getpid(), mine),
                         "done: this process has proved no code\n")
        (SESSIONS / f"{os.getpid()}.session").unlink()

    def test_a_proc_of_another_pid_namespace_shows_other_processes(self):
        person, own = machine.person("namespace"), os.getpid()
        script = (f"echo $(({own} - 1)) >/proc/sys/kernel/ns_last_pid; "
                  f"sh -c 'test $$ = {own} && echo proved 2 sshd {person.name} $$ {self.start(own)} | "
                  f"{machine.check} --settings {CONF}; true'")
        done = subprocess.run(["unshare", "--pid", "--fork", "sh", "-c", script], text=True,
                              capture_output=True, timeout=20, check=True)
        self.assertRegex(done.stdout, "^done: the calling process is not the parent")

    def test_the_parent_gets_a_record_where_it_is_said_to_open_the_session(self):
        """And only if it executes the same program."""
        person = machine.person("inchild")
        for task, program, is_recorded in (("proved", None, False), ("proved-in-child", None, True),
                                           ("proved-in-child", "/bin/sh", False)):
            with self.subTest(task=task, program=program):
                child = os.fork()
                if child == 0:
                    self.prove_below(task, person, program)
                os.waitpid(child, 0)
                record = SESSIONS / f"{os.getpid()}.proved"
                self.assertTrue((SESSIONS / f"{child}.proved").exists())
                self.assertEqual(record.exists(), is_recorded)
                record.unlink(missing_ok=True)

    def prove_below(self, task, person, program):
        """The rest of a process: it has just proved a code, by this program or by PROGRAM."""
        line = f"{task} 2 sshd {person.name} {os.getpid()} {self.start(os.getpid())}"
        command = ["sh", "-c", f"echo '{line}' | {machine.check} --settings {CONF}; true"]
        if program is None:
            self.run_check(task, person, os.getpid(), self.start(os.getpid()))
            os._exit(0)
        os.execv(program, command)

    def test_a_caller_that_dies_leaves_no_record(self):
        """Process 1 adopts the check program then."""
        person = machine.person("orphan")
        for task in ("proved", "session"):
            reader, ours = os.pipe()
            theirs, writer = os.pipe()
            caller = os.fork()
            if caller == 0:
                subprocess.Popen([machine.check, "--settings", CONF], stdin=theirs, stdout=ours)
                signal.pause()
            os.close(ours)
            os.close(theirs)
            self.assertTrue(eventually(lambda: [one for one in self.check_programs()
                                                if int(one["PPid"]) == caller], bool))
            start = self.start(caller)
            os.kill(caller, signal.SIGKILL)
            os.waitpid(caller, 0)
            with os.fdopen(writer, "w") as line:
                line.write(f"{task} 2 sshd {person.name} {caller} {start}\n")
            with os.fdopen(reader) as said:
                self.assertRegex(said.read(), "^done: the calling process is not the parent")
        self.assertEqual([*SESSIONS.glob(f"{caller}.*"), *SESSIONS.glob("1.*")], [])

    def test_what_was_proved_for_one_is_not_another_s(self):
        one, other = machine.person("one"), machine.person("other")
        mine = self.start(os.getpid())
        self.assertEqual(self.run_check("proved", one, os.getpid(), mine), "done\n")
        self.assertEqual(self.run_check("session", other, os.getpid(), mine),
                         "done: the session is another user's\n")
        record = SESSIONS / f"{os.getpid()}.proved"
        self.rewrite_seconds(record, 601)
        self.assertRegex(self.run_check("session", one, os.getpid(), mine), "^done: ")
        self.assertFalse((SESSIONS / f"{os.getpid()}.session").exists())

    def rewrite_seconds(self, record, ago):
        text = record.read_text()
        seconds = int(re.search(r"seconds = (\d+)", text)[1])
        record.write_text(text.replace(f"seconds = {seconds};", f"seconds = {max(0, seconds - ago)};"))

    def test_who_is_not_enrolled_and_who_is_in_the_list_prove_nothing(self):
        mine = self.start(os.getpid())
        stranger = machine.person("stranger", is_enrolled=False)
        self.assertEqual(self.run_check("proved", stranger, os.getpid(), mine),
                         "done: the user is not enrolled\n")
        person = machine.person("listed")
        self.addCleanup(self.configure, f"    minutes = {self.MINUTES};\n")
        self.configure(f'    minutes = {self.MINUTES}; services = ( "sshd" );\n')
        self.assertEqual(self.run_check("proved", person, os.getpid(), mine),
                         "done: the service is in session.services\n")
        self.configure("    minutes = 0;\n")
        self.assertEqual(self.run_check("proved", person, os.getpid(), mine),
                         "done: session.minutes is 0\n")


class Cost(SessionCase):
    """What is started, with the setting and without."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        wrapper = pathlib.Path("/run/counting-check")
        wrapper.write_text(f"#!/bin/sh\necho start >>/run/starts\nexec {machine.check} \"$@\"\n")
        wrapper.chmod(0o755)
        machine.use_recipe("sshd-password-and-code", "sshd", f"conf={CONF} helper={wrapper}")
        path = pathlib.Path("/etc/pam.d/sshd")
        path.write_text(path.read_text() + SESSION_LINE.rstrip() + f" helper={wrapper}\n")
        cls.server = cls.sshd(*PASSWORD_AND_CODE)

    def starts(self, person):
        log = pathlib.Path("/run/starts")
        log.unlink(missing_ok=True)
        self.log_in(person)
        return len(log.read_text().splitlines())

    def test_without_the_setting_nothing_is_started_or_written(self):
        self.addCleanup(self.configure, f"    minutes = {self.MINUTES};\n")
        self.configure("    minutes = 0;\n")
        before = sorted(SESSIONS.parent.glob("**/*"))
        self.assertEqual(self.starts(machine.person("off")), 1)
        self.assertEqual(sorted(SESSIONS.parent.glob("**/*")), before)

    def test_a_session_takes_two_starts_more(self):
        self.assertEqual(self.starts(machine.person("on")), 3)

    def test_a_recovery_code_proves_nothing(self):
        person = machine.person("recovery")
        code = run("twilio-verify", "--settings", str(CONF), "recovery-codes", "--count", "1",
                   person.name).strip()
        log = pathlib.Path("/run/starts")
        log.unlink(missing_ok=True)
        terminal = self.enterContext(self.server.login(person.name, "sh", options=("-tt",)))
        terminal.answer(f"({person.name}@127.0.0.1) Password: ", person.password)
        terminal.answer(f"({person.name}@127.0.0.1) {CODE_PROMPT}", code)
        terminal.expect(r"\$ $")
        self.assertEqual(len(log.read_text().splitlines()), 1)
        self.assert_asked(terminal, person, "no session")
