#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Logins through real hosts, the product installed as an administrator has it, Twilio emulated.

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/login
"""

import concurrent.futures
import functools
import os
import pathlib
import re
import signal
import subprocess
import unittest

from machine import (RUN_AS, SECURITY, SETTINGS, Machine, Sshd, Terminal, eventually, fixture,
                     is_inside, run)

AUTHPRIV = 10
PASSWORD_AND_CODE = ("KbdInteractiveAuthentication yes", "PasswordAuthentication no",
                     "AuthenticationMethods keyboard-interactive")
KEY_AND_CODE = ("KbdInteractiveAuthentication yes", "PasswordAuthentication no",
                "AuthenticationMethods publickey,keyboard-interactive")
PASSWORD_METHOD = ("KbdInteractiveAuthentication no", "PasswordAuthentication yes",
                   "AuthenticationMethods password")
CODE_ONLY = PASSWORD_AND_CODE
CREATED = "POST Challenges 201"
VERIFIED = "POST Challenges/YC 200"
CODE_PROMPT = "Verification code: "
WRONG_PROMPT = "Wrong code. Verification code: "
AWAY = 'base_url = "https://verify.twilio.com:9";\n'

machine = None


def setUpModule():
    global machine
    if not is_inside():
        raise unittest.SkipTest("not started by tests/login/enter")
    machine = unittest.enterModuleContext(Machine())
    pathlib.Path("/etc/sudoers.d/everybody").write_text("ALL ALL=(ALL:ALL) ALL\n")


def at_once(cls):
    """A class whose tests run at the same time: most of a login is waiting."""
    bodies = {name: body for name, body in vars(cls).items() if name.startswith("test_")}
    set_up = cls.setUpClass

    def start(cls):
        set_up()
        pool = concurrent.futures.ThreadPoolExecutor(8)
        cls.addClassCleanup(pool.shutdown)
        cls.running = {name: pool.submit(body, cls(name)) for name, body in bodies.items()}

    def join(name):
        return functools.wraps(bodies[name])(lambda self: self.running[name].result())

    cls.setUpClass = classmethod(start)
    for name in bodies:
        setattr(cls, name, join(name))
    return cls


class LoginCase(unittest.TestCase):
    """What the tests below say."""

    maxDiff = None

    def prompts(self, person, *answers):
        """The prompts that sshd's client shows, each with the line typed there."""
        return [(f"({person.name}@127.0.0.1) {prompt}", line) for prompt, line in answers]

    def ssh(self, sshd, person, *answers, options=()):
        """Runs one login to its end; returns its exit status and the terminal's last line."""
        with sshd.login(person.name, options=options) as terminal:
            for prompt, line in self.prompts(person, *answers):
                terminal.answer(prompt, line)
            status = terminal.finish()
        self.screen = terminal.screen
        return status, terminal.screen.strip().splitlines()[-1]

    def assert_in(self, sshd, person, *answers, **options):
        self.assertEqual(self.ssh(sshd, person, *answers, **options), (0, person.name))

    def assert_out(self, sshd, person, *answers, **options):
        status, last = self.ssh(sshd, person, *answers, **options)
        self.assertEqual(status, 255)
        self.assertRegex(last, "Permission denied")

    def assert_log(self, person, level, outcome, reason, calls=1):
        """The host called the module CALLS times; the first one left this line."""
        lines = person.log(calls)
        self.assertEqual(len(lines), calls, lines)
        self.assertEqual((lines[0].facility, lines[0].level), (AUTHPRIV, level), lines[0])
        self.assertRegex(lines[0].text, rf' outcome={outcome} reason="{reason}" ms=\d+$')
        self.assert_no_secret(person)

    def assert_no_secret(self, person):
        secrets = [fixture.API_KEY_SECRET, person.password, *person.codes]
        for line in machine.journal.lines:
            self.assertNotRegex(line.text, rf"\b({'|'.join(map(re.escape, secrets))})\b")

    def assert_nothing_sent_but_for_the_enrolled(self):
        for request in machine.emulator.requests():
            identity = request.path.split("/Entities/")[1].split("/")[0]
            self.assertIn(identity, machine.identities)

    def assert_requests(self, person, *expected):
        requests = eventually(person.requests, lambda found: len(found) >= len(expected), 3)
        self.assertEqual(requests, list(expected))

    def check_programs(self):
        """The processes of the check program, zombies too."""
        found = []
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields["Name"] == machine.check.name[:15]:
                found.append(fields | {"folder": status.parent})
        return found


APPROVED = ("INFO", "approved", r"challenge=YC\w{32} request=RQ\w{32}")
NOT_ENROLLED = ("NOTICE", "denied", "not enrolled: .*")


def denied(attempts, malformed=0):
    return ("NOTICE", "denied", rf"no right code in {attempts} attempts, {malformed} of them not "
                                r"6 digits; challenge=\S+ request=\S+")


@at_once
class PasswordAndCode(LoginCase):
    """sshd by conf/pam.d/sshd-password-and-code."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.sshd = cls.enterClassContext(Sshd(2222, *PASSWORD_AND_CODE))
        cls.by_password = cls.enterClassContext(Sshd(2223, *PASSWORD_METHOD))

    def test_a_right_code_lets_in(self):
        person = machine.person("right")
        self.assert_in(self.sshd, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.code))
        self.assert_log(person, *APPROVED)
        self.assertRegex(person.log()[0].text,
                         rf"^pam_twilio_verify\(sshd:auth\): user={person.name} service=sshd "
                         r"rhost=127\.0\.0\.1 ")
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_code_may_be_typed_with_a_blank_in_it(self):
        person = machine.person("blank")
        code = person.code
        self.assert_in(self.sshd, person, ("Password: ", person.password),
                       (CODE_PROMPT, f"{code[:3]} {code[3:]}"))
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_wrong_code_is_said_to_be_wrong_and_the_next_one_counts(self):
        person = machine.person("second")
        self.assert_in(self.sshd, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.wrong_code), (WRONG_PROMPT, person.code))
        self.assert_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED)

    def test_three_wrong_codes_are_refused_on_one_challenge(self):
        person = machine.person("wrong")
        wrong = person.wrong_code
        self.assert_out(self.sshd, person, ("Password: ", person.password), (CODE_PROMPT, wrong),
                        (WRONG_PROMPT, wrong), (WRONG_PROMPT, wrong))
        self.assert_log(person, *denied(3))
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED)

    def test_a_wrong_password_never_gets_to_the_code(self):
        person = machine.person("password")
        self.assert_out(self.sshd, person, ("Password: ", "not it"))
        self.assertNotIn("code", self.screen)
        self.assertEqual(person.log(0), [])
        self.assert_requests(person)

    def test_what_is_no_code_never_leaves_the_host(self):
        person = machine.person("letters")
        self.assert_out(self.sshd, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.password), (WRONG_PROMPT, "12345"),
                        (WRONG_PROMPT, "1234567"))
        self.assert_log(person, *denied(3, malformed=3))
        self.assertLessEqual(set(person.requests()), {CREATED})

    def test_a_user_who_is_not_enrolled_sees_the_same_prompts_and_is_refused(self):
        person = machine.person("stranger", is_enrolled=False)
        self.assert_out(self.sshd, person, ("Password: ", person.password),
                        (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123456"),
                        (WRONG_PROMPT, "123456"))
        self.assert_log(person, *NOT_ENROLLED)
        self.assert_nothing_sent_but_for_the_enrolled()

    def test_the_password_method_sends_no_password_to_twilio(self):
        person = machine.person("method")
        with self.by_password.login(person.name) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.password)
            self.assertEqual(terminal.finish(), 255)
        self.assertIn("Permission denied", terminal.screen)
        self.assert_log(person, *denied(3, malformed=3))
        self.assert_requests(person)

    def test_the_password_method_refuses_a_right_code_in_place_of_the_password(self):
        person = machine.person("code")
        with self.by_password.login(person.name) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.code)
            self.assertEqual(terminal.finish(), 255)
        self.assert_requests(person)


@at_once
class KeyAndCode(LoginCase):
    """sshd by conf/pam.d/sshd-key-and-code."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sshd")
        cls.sshd = cls.enterClassContext(Sshd(2224, *KEY_AND_CODE))
        cls.code_only = cls.enterClassContext(Sshd(2225, *CODE_ONLY))
        cls.key = pathlib.Path("/run/key")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(cls.key))
        cls.with_key = ("-i", str(cls.key))

    def person_with_key(self, name, **options):
        person = machine.person(name, **options)
        folder = pathlib.Path(f"/run/home/{person.name}/.ssh")
        folder.mkdir()
        folder.joinpath("authorized_keys").write_text(self.key.with_suffix(".pub").read_text())
        return person

    def test_key_and_code_let_in(self):
        person = self.person_with_key("key")
        self.assert_in(self.sshd, person, (CODE_PROMPT, person.code), options=self.with_key)
        self.assert_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_key_with_a_wrong_code_is_refused(self):
        person = self.person_with_key("keywrong")
        wrong = person.wrong_code
        self.assert_out(self.sshd, person, (CODE_PROMPT, wrong), (WRONG_PROMPT, wrong),
                        (WRONG_PROMPT, wrong), options=self.with_key)
        self.assert_log(person, *denied(3))

    def test_without_the_key_no_code_is_asked(self):
        person = self.person_with_key("nokey")
        self.assert_out(self.sshd, person)
        self.assertEqual(person.log(0), [])
        self.assert_requests(person)

    def test_a_key_of_a_user_who_is_not_enrolled_is_refused(self):
        person = self.person_with_key("keystranger", is_enrolled=False)
        self.assert_out(self.sshd, person, (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123456"),
                        (WRONG_PROMPT, "123456"), options=self.with_key)
        self.assert_log(person, *NOT_ENROLLED)

    def test_a_user_who_does_not_exist_sees_the_same_prompts_and_is_refused(self):
        class Nobody:
            name, password, codes = "no-such-user", "no password", ()
            log = staticmethod(lambda count: machine.journal.logins("no-such-user", count))

        self.assert_out(self.code_only, Nobody, (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123456"),
                        (WRONG_PROMPT, "123456"))
        self.assert_log(Nobody, *NOT_ENROLLED)
        self.assert_nothing_sent_but_for_the_enrolled()


class AtThePrompt(LoginCase):
    """One login at a time, looked at while the check program waits for the code."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.sshd = cls.enterClassContext(Sshd(2226, *PASSWORD_AND_CODE))

    def at_the_prompt(self, name, sshd=None):
        """A login whose challenge has been created, and its check program."""
        person = machine.person(name)
        earlier = {program["Pid"] for program in self.check_programs()}
        terminal = self.enterContext((sshd or self.sshd).login(person.name))
        terminal.answer("Password: ", person.password)
        terminal.expect(CODE_PROMPT)
        self.assert_requests(person, CREATED)
        [program] = [program for program in self.check_programs()
                     if program["Pid"] not in earlier]
        return person, terminal, program

    def assert_gone(self, program, seconds):
        """Not even a zombie is left."""
        eventually(program["folder"].exists, lambda exists: not exists, seconds)
        self.assertFalse(program["folder"].exists())

    def test_the_check_program_has_nothing_that_is_of_use_to_others(self):
        person, terminal, program = self.at_the_prompt("proc")
        account = run("id", "-u", RUN_AS).strip()
        group = run("id", "-g", RUN_AS).strip()
        self.assertEqual(program["Uid"].split(), [account] * 4)
        self.assertEqual(program["Gid"].split(), [group] * 4)
        self.assertEqual(program["Groups"].split(), [])
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(program[name], 16), 0, name)
        self.assertEqual(program["NoNewPrivs"], "1")

        folder = program["folder"]
        self.assertEqual((folder / "environ").read_bytes(), b"")
        self.assertEqual((folder / "cmdline").read_bytes().split(b"\0")[1:],
                         [b"--settings", bytes(SETTINGS), b""])
        self.assertEqual(os.readlink(folder / "cwd"), "/")
        self.assertEqual((folder / "environ").stat().st_uid, 0, "it may be dumped and traced")

        descriptors = {int(path.name): os.readlink(path) for path in (folder / "fd").iterdir()}
        self.assertRegex(descriptors.pop(0), "^socket:")
        self.assertRegex(descriptors.pop(1), "^socket:")
        self.assertEqual(descriptors.pop(2), "/dev/null")
        for number, target in descriptors.items():
            self.assertRegex(target, r"^(socket:|pipe:|anon_inode:\[event)", number)

        terminal.type(person.code)
        self.assertEqual(terminal.finish(), 0)

    def test_a_client_that_disconnects_leaves_no_process_and_costs_one_challenge(self):
        person, terminal, program = self.at_the_prompt("gone")
        terminal.hang_up()
        self.assert_gone(program, 2)
        self.assert_requests(person, CREATED)

    def test_a_check_program_that_is_killed_lets_nobody_in(self):
        person, terminal, program = self.at_the_prompt("killed")
        os.kill(int(program["Pid"]), signal.SIGKILL)
        terminal.type(person.code)
        self.assertEqual(terminal.finish(), 255)
        self.assert_log(person, "ERR", "broken", ".+")
        self.assert_requests(person, CREATED)

    def test_a_login_over_sshds_grace_time_leaves_no_process(self):
        sshd = self.enterContext(Sshd(2228, *PASSWORD_AND_CODE, "LoginGraceTime 2"))
        person, _, program = self.at_the_prompt("slow", sshd)
        self.assert_gone(program, 6)
        self.assert_requests(person, CREATED)

    def test_twenty_logins_at_once_all_get_in(self):
        people = [machine.person("many") for _ in range(20)]

        def login(person):
            return self.ssh(self.sshd, person, ("Password: ", person.password),
                            (CODE_PROMPT, person.code))

        with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
            results = list(pool.map(login, people))
        self.assertEqual(results, [(0, person.name) for person in people])
        for person in people:
            self.assert_log(person, *APPROVED)
            self.assert_requests(person, CREATED, VERIFIED)


class Trouble(LoginCase):
    """One login at a time over sshd, while the settings or the service are not as they must be."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.sshd = cls.enterClassContext(Sshd(2227, *PASSWORD_AND_CODE))

    def setUp(self):
        self.addCleanup(machine.configure)

    def test_a_service_that_is_down_refuses(self):
        person = machine.person("down")
        machine.configure(service=AWAY)
        self.assert_out(self.sshd, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.code))
        self.assert_log(person, "ERR", "unavailable", ".+")
        self.assert_requests(person)

    def test_a_wrong_api_key_refuses_and_the_log_names_the_remedy(self):
        person = machine.person("apikey")
        machine.configure(secret="not-the-secret")
        self.assert_out(self.sshd, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.code))
        self.assert_log(person, "ERR", "misconfigured", ".*check .*api_key_file.*")
        self.assertEqual(set(person.requests()), {"POST Challenges 401"})

    def test_settings_that_everybody_may_write_refuse_and_the_log_names_the_remedy(self):
        person = machine.person("writable")
        SETTINGS.chmod(0o666)
        self.assert_out(self.sshd, person, ("Password: ", person.password))
        self.assert_log(person, "ERR", "misconfigured", rf"{SETTINGS}.*chmod.*")
        self.assert_requests(person)


class SudoCase(LoginCase):

    def sudo(self, person, *lines):
        return subprocess.run(["sudo", "-k", "-S", "id", "-un"],
                              input="".join(line + "\n" for line in lines), text=True,
                              capture_output=True, user=person.name, group=person.name,
                              extra_groups=[], cwd="/", timeout=60)

    def assert_root(self, person, *lines):
        done = self.sudo(person, *lines)
        self.assertEqual((done.returncode, done.stdout), (0, "root\n"), done.stderr)
        return done

    def assert_refused(self, person, *lines):
        done = self.sudo(person, *lines)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        return done


@at_once
class OtherHosts(SudoCase):
    """sudo by conf/pam.d/sudo, the console by conf/pam.d/login, and su."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sudo", "sudo")
        machine.use_recipe("sudo", "su")
        machine.use_recipe("login", "login")

    def test_sudo_steps_up_with_a_right_code(self):
        person = machine.person("sudo")
        done = self.assert_root(person, person.password, person.code)
        self.assertIn(CODE_PROMPT, done.stderr)
        self.assert_log(person, *APPROVED)
        self.assertRegex(person.log()[0].text, r"\(sudo:auth\): .* service=sudo rhost=- ")
        self.assert_requests(person, CREATED, VERIFIED)

    def test_sudo_refuses_wrong_codes(self):
        person = machine.person("sudowrong")
        self.assert_refused(person, person.password, *[person.wrong_code] * 3)
        self.assert_log(person, *denied(3))
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED)

    def test_sudo_refuses_when_the_code_can_not_be_asked(self):
        person = machine.person("sudoeof")
        self.assert_refused(person, person.password)
        self.assert_log(person, "NOTICE", "unanswered", ".*")
        self.assertLessEqual(set(person.requests()), {CREATED})

    def su(self, person, other, *answers):
        with Terminal("su", other.name, "-c", "id -un", user=person.name, group=person.name,
                      extra_groups=[], cwd="/") as terminal:
            for prompt, line in answers:
                terminal.answer(prompt, line)
            status = terminal.finish()
        return status, terminal.screen.strip().splitlines()[-1]

    def test_su_asks_for_the_code_of_the_other_user(self):
        person, other = machine.person("su"), machine.person("other")
        result = self.su(person, other, ("Password: ", other.password), (CODE_PROMPT, other.code))
        self.assertEqual(result, (0, other.name))
        self.assert_log(other, *APPROVED)
        self.assert_requests(person)

    def test_su_refuses_wrong_codes(self):
        person, other = machine.person("suwrong"), machine.person("other")
        wrong = other.wrong_code
        result = self.su(person, other, ("Password: ", other.password), (CODE_PROMPT, wrong),
                         (WRONG_PROMPT, wrong), (WRONG_PROMPT, wrong))
        self.assertEqual(result, (1, "su: Authentication failure"))
        self.assert_log(other, *denied(3))

    def test_root_needs_no_code_for_su(self):
        person = machine.person("rootsu")
        self.assertEqual(run("su", person.name, "-c", "id -un"), f"{person.name}\n")
        self.assertEqual(person.log(0), [])

    def test_the_console_lets_in_with_a_right_code(self):
        person = machine.person("console")
        with Terminal("login") as terminal:
            terminal.answer("login: ", person.name)
            terminal.answer("Password: ", person.password)
            terminal.answer(CODE_PROMPT, person.code)
            terminal.expect(r"\$ $")
            terminal.type("id -un; exit")
            terminal.finish()
        self.assertRegex(terminal.screen, rf"(?m)^{person.name}\r$")
        self.assert_log(person, *APPROVED)
        self.assertIn("service=login", person.log()[0].text)

    def test_the_console_refuses_wrong_codes(self):
        person = machine.person("consolewrong")
        wrong = person.wrong_code
        with Terminal("login") as terminal:
            terminal.answer("login: ", person.name)
            terminal.answer("Password: ", person.password)
            for prompt in (CODE_PROMPT, WRONG_PROMPT, WRONG_PROMPT):
                terminal.answer(prompt, wrong)
            terminal.expect("Login incorrect")
        self.assert_log(person, *denied(3))


@at_once
class Outcomes(SudoCase):
    """Each outcome by a real cause, over sudo with a PAM service and settings of its own."""

    @classmethod
    def setUpClass(cls):
        cls.services = pathlib.Path("/etc/sudoers.d/services")
        cls.services.touch(0o440)

    def person_with(self, word, arguments="", recipe="sudo", is_enrolled=True, **settings):
        """Somebody whose sudo uses the service sudo-WORD, and SETTINGS where there are some."""
        if settings:
            path = machine.configure(SECURITY / f"twilio-verify-{word}.conf",
                                     **settings)
            arguments += f" conf={path}"
        machine.use_recipe(recipe, f"sudo-{word}", arguments)
        person = machine.person(word, is_enrolled)
        path = pathlib.Path(f"/etc/sudoers.d/{word}")
        path.write_text(f"Defaults:{person.name} pam_service=sudo-{word}\n")
        return person

    def test_denied_by_a_challenge_that_was_answered_before(self):
        person = self.person_with("answered")
        # Somebody else answers between our creation and our code.
        process = subprocess.Popen(["sudo", "-k", "-S", "id", "-un"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   user=person.name, group=person.name, extra_groups=[], cwd="/")
        process.stdin.write(person.password + "\n")
        process.stdin.flush()
        self.assert_requests(person, CREATED)
        path = machine.emulator.entity_path(person.factor.identity) + "/Challenges"
        [challenge] = machine.emulator.request("GET", path).json["challenges"]
        machine.emulator.control(f"challenge {challenge['sid']} approved")
        output, _ = process.communicate(person.code + "\n", timeout=60)
        self.assertEqual((process.returncode, output), (1, ""))
        self.assert_log(person, "NOTICE", "denied", ".*error 60322: .* answered before.*")

    def test_exhausted_by_the_challenges_of_an_hour(self):
        person = self.person_with("exhausted")
        path = machine.emulator.entity_path(person.factor.identity) + "/Challenges"
        for _ in range(50):
            reply = machine.emulator.request("POST", path, {"FactorSid": person.factor.sid})
            self.assertEqual(reply.status, 201)
        self.assert_refused(person, person.password, person.code)
        self.assert_log(person, "NOTICE", "exhausted", ".*error 60312: too many challenges.*")

    def test_unavailable_when_nobody_listens(self):
        person = self.person_with("away", service=AWAY)
        self.assert_refused(person, person.password, person.code)
        self.assert_log(person, "ERR", "unavailable", ".+")

    def test_the_outage_recipe_lets_in_while_nobody_listens(self):
        person = self.person_with("outage", recipe="outage",
                                  service=AWAY)
        self.assert_root(person, "123456")
        self.assert_log(person, "ERR", "unavailable", ".+")

    def test_the_outage_recipe_refuses_when_the_check_program_breaks(self):
        person = self.person_with("outagebroken", "helper=/bin/false", recipe="outage")
        self.assert_refused(person)
        self.assert_log(person, "ERR", "broken", ".+")

    def test_misconfigured_by_settings_that_are_not_there(self):
        person = self.person_with("absent", "conf=/etc/security/no-such.conf")
        self.assert_refused(person, person.password)
        self.assert_log(person, "ERR", "misconfigured", ".*/etc/security/no-such.conf.*")

    def test_not_required_for_an_exempt_service(self):
        person = self.person_with("exempt", login='exempt_services = ( "sudo-exempt" );\n')
        self.assert_root(person, person.password)
        self.assert_log(person, "INFO", "not-required", ".*exempt_services.*")
        self.assert_requests(person)

    def test_not_required_for_a_user_who_is_not_enrolled_where_such_are_ignored(self):
        person = self.person_with("ignored", is_enrolled=False, login='unmapped_user = "ignore";\n')
        self.assert_root(person, person.password)
        self.assert_log(person, "INFO", "not-required", ".*unmapped_user.*")

    def test_debug_logs_the_dialogue_but_no_code(self):
        person = self.person_with("debug", "debug")
        self.assert_root(person, person.password, person.code)
        self.assert_log(person, *APPROVED)
        debug = [line.text for line in machine.journal.find(r"^pam_twilio_verify\(sudo-debug:")
                 if line.level == "DEBUG"]
        self.assertTrue(any(text.endswith("> (6 bytes)") for text in debug), debug)

    def test_broken_by_a_check_program_that_is_not_there(self):
        person = self.person_with("broken", "helper=/usr/libexec/no-such-program")
        self.assert_refused(person, person.password)
        self.assert_log(person, "ERR", "broken", ".*no-such-program.*")


if __name__ == "__main__":
    unittest.main()
