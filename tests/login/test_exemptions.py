# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""conf/pam.d/exemptions: who is exempt gets in without a code, and nobody else does."""


from logincase import (APPROVED, CODE_PROMPT, KEY_AND_CODE, PASSWORD_AND_CODE, WRONG_PROMPT,
                       LoginCase, SudoCase, at_once, denied, machine, person_with_key, setUpModule,
                       with_key)
from kit.machine import SECURITY, read_recipe, run

ACCESS_FILE = SECURITY / "twilio-verify-access.conf"
BATCH = ("-o", "BatchMode=yes")
TRUSTED, OTHER = "192.0.2.7", "198.51.100.7"


def make_group():
    run("groupadd", "--force", "robots")


def stack_lines(part):
    """The lines of auth of a part of the recipe."""
    return [line for line in read_recipe("exemptions", part).splitlines()
            if line.startswith("auth")]


def sample_lines(part):
    """What a part of the recipe puts elsewhere: the indented comments."""
    indent = "#       "
    lines = read_recipe("exemptions", part).splitlines()
    return [line.removeprefix(indent) for line in lines if line.startswith(indent)]


def off_by(number, lines):
    """The same lines with another count to skip."""
    assert sum("[success=1 " in line for line in lines) == 1, lines
    return [line.replace("[success=1 ", f"[success={1 + number} ") for line in lines]


def robot(person):
    run("usermod", "--append", "--groups", "robots", person.name)
    return person


class ExemptionCase(LoginCase):

    def assert_asked(self, sshd, person, *first, options=()):
        """Wrong codes are refused: there is no other way in."""
        wrong = person.wrong_codes
        self.assert_out(sshd, person, *first, (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
                        (WRONG_PROMPT, wrong[2]), options=options)

    def assert_passed_over(self, sshd, person, *answers, options=()):
        """In without a code."""
        self.assert_in(sshd, person, *answers, options=options)
        self.assertNotIn("code", self.screen)
        self.assert_never_called(person)


@at_once
class ByKeyAlone(ExemptionCase):
    """The "Match" block at the end of sshd_config."""

    @classmethod
    def setUpClass(cls):
        make_group()
        machine.use_recipe("sshd-key-and-code", "sshd")
        cls.server = cls.sshd(*KEY_AND_CODE, *sample_lines("By key alone, in sshd"))

    def test_a_robot_gets_in_by_its_key_where_nobody_can_answer(self):
        person = robot(person_with_key("robot", is_enrolled=False))
        self.assert_in(self.server, person, options=(*with_key(), *BATCH))
        self.assertEqual(person.log(0), [])

    def test_a_robot_without_its_key_stays_out(self):
        person = robot(person_with_key("robotnokey"))
        self.assert_out(self.server, person)
        self.assert_never_called(person)

    def test_nobody_else_gets_in_by_a_key_alone(self):
        person = person_with_key("human")
        self.assert_out(self.server, person, options=(*with_key(), *BATCH))
        self.assert_asked(self.server, person, options=with_key())
        self.assert_log(person, *denied())

    def test_everybody_else_gets_in_by_key_and_code(self):
        person = person_with_key("humancode")
        self.assert_in(self.server, person, (CODE_PROMPT, person.code), options=with_key())
        self.assert_log(person, *APPROVED)


@at_once
class ByGroup(ExemptionCase):

    @classmethod
    def setUpClass(cls):
        make_group()
        lines = stack_lines("By group")
        after_password = ("sshd-password-and-code", PASSWORD_AND_CODE)
        after_key = ("sshd-key-and-code", KEY_AND_CODE)
        cls.by_password = cls.with_lines("group", after_password, lines)
        cls.by_key = cls.with_lines("group-key", after_key, lines)
        cls.too_far = [cls.with_lines("group-far", after_password, off_by(1, lines)),
                       cls.with_lines("group-key-far", after_key, off_by(1, lines))]
        cls.too_near = cls.with_lines("group-near", after_password, off_by(-1, lines))

    @classmethod
    def with_lines(cls, word, recipe, lines):
        """An sshd with a PAM service of its own."""
        machine.use_recipe(recipe[0], f"sshd-{word}", exemption=lines)
        return cls.sshd(*recipe[1], service=f"sshd-{word}")

    def test_a_robot_needs_its_password_alone(self):
        person = robot(machine.person("grouprobot"))
        self.assert_passed_over(self.by_password, person, ("Password: ", person.password))

    def test_a_robot_with_a_wrong_password_stays_out(self):
        person = robot(machine.person("grouprobotwrong"))
        self.assert_out(self.by_password, person, ("Password: ", "not it"))

    def test_nobody_else_gets_in_by_a_password_alone(self):
        person = machine.person("group")
        self.assert_asked(self.by_password, person, ("Password: ", person.password))
        self.assert_log(person, *denied(), service="sshd-group")

    def test_everybody_else_gets_in_by_password_and_code(self):
        person = machine.person("groupcode")
        self.assert_in(self.by_password, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.code))
        self.assert_log(person, *APPROVED, service="sshd-group")

    def test_a_robot_needs_its_key_alone(self):
        person = robot(person_with_key("groupkeyrobot"))
        self.assert_passed_over(self.by_key, person, options=with_key())

    def test_a_robot_without_its_key_stays_out(self):
        person = robot(person_with_key("groupnokeyrobot"))
        self.assert_out(self.by_key, person)

    def test_a_robot_that_can_not_be_asked_anything_stays_out(self):
        person = robot(person_with_key("groupbatchrobot"))
        self.assert_out(self.by_key, person, options=(*with_key(), *BATCH))

    def test_nobody_else_gets_in_by_a_key_alone(self):
        person = person_with_key("groupkey")
        self.assert_asked(self.by_key, person, options=with_key())
        self.assert_log(person, *denied(), service="sshd-group-key")

    def test_a_skip_that_is_too_far_refuses_robots_and_asks_everybody_else(self):
        by_password, by_key = self.too_far
        person = robot(person_with_key("groupfarrobot"))
        self.assert_out(by_password, person, ("Password: ", person.password))
        self.assert_out(by_key, person, options=with_key())
        self.assert_never_called(person)
        other = person_with_key("groupfar")
        self.assert_asked(by_password, other, ("Password: ", other.password))
        self.assert_asked(by_key, other, options=with_key())

    def test_a_skip_that_is_too_near_asks_everybody(self):
        person = robot(machine.person("groupnearrobot"))
        self.assert_asked(self.too_near, person, ("Password: ", person.password))


@at_once
class ByGroupInSudo(SudoCase):

    @classmethod
    def setUpClass(cls):
        make_group()
        machine.use_recipe("sudo", "sudo", exemption=stack_lines("By group"))

    def test_sudo_asks_a_robot_for_its_password_alone(self):
        person = robot(machine.person("sudorobot"))
        self.assert_root(person, person.password)
        self.assert_never_called(person)

    def test_sudo_asks_everybody_else_for_a_code(self):
        person = machine.person("sudohuman")
        self.defaults(person, "passwd_tries=1")
        self.assert_refused(person, person.password, *person.wrong_codes)
        self.assert_log(person, *denied(), service="sudo")


@at_once
class ByOrigin(ExemptionCase):

    @classmethod
    def setUpClass(cls):
        for address in (TRUSTED, OTHER):
            run("ip", "address", "replace", f"{address}/32", "dev", "lo")
        lines = stack_lines("By origin")
        sample = sample_lines("By origin")
        cls.server = cls.with_lines("origin", lines, sample)
        cls.by_key = cls.with_lines("origin-key", lines, sample, "sshd-key-and-code", KEY_AND_CODE)
        cls.too_far = cls.with_lines("origin-far", off_by(1, lines), sample)
        cls.without_file = cls.with_lines("origin-absent", lines, None)
        cls.without_end = cls.with_lines("origin-open", lines, sample[:1])

    @classmethod
    def with_lines(cls, word, lines, access, recipe="sshd-password-and-code",
                   methods=PASSWORD_AND_CODE):
        """An sshd with a PAM service and a file of addresses of its own."""
        file = ACCESS_FILE.with_name(f"{word}.conf")
        if access is not None:
            file.write_text("".join(line + "\n" for line in access))
        assert any(str(ACCESS_FILE) in line for line in lines), lines
        machine.use_recipe(recipe, f"sshd-{word}", exemption=[
            line.replace(str(ACCESS_FILE), str(file)) for line in lines])
        return cls.sshd(*methods, service=f"sshd-{word}")

    def test_from_a_trusted_address_the_password_is_enough(self):
        person = machine.person("origin")
        self.assert_passed_over(self.server, person, ("Password: ", person.password),
                                options=("-b", TRUSTED))

    def test_from_a_trusted_address_a_wrong_password_stays_out(self):
        person = machine.person("originwrong")
        self.assert_out(self.server, person, ("Password: ", "not it"), options=("-b", TRUSTED))

    def test_from_any_other_address_nobody_gets_in_by_a_password_alone(self):
        person = machine.person("originother")
        self.assert_asked(self.server, person, ("Password: ", person.password),
                          options=("-b", OTHER))
        self.assert_log(person, *denied(), service="sshd-origin", rhost=OTHER)

    def test_from_any_other_address_password_and_code_let_in(self):
        person = machine.person("origincode")
        self.assert_in(self.server, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.code), options=("-b", OTHER))
        self.assert_log(person, *APPROVED, service="sshd-origin", rhost=OTHER)

    def test_from_a_trusted_address_the_key_is_enough(self):
        person = person_with_key("originkey")
        self.assert_passed_over(self.by_key, person, options=(*with_key(), "-b", TRUSTED))

    def test_from_any_other_address_nobody_gets_in_by_a_key_alone(self):
        person = person_with_key("originkeyother")
        self.assert_asked(self.by_key, person, options=(*with_key(), "-b", OTHER))

    def test_a_skip_that_is_too_far_refuses_the_trusted(self):
        person = machine.person("originfar")
        self.assert_out(self.too_far, person, ("Password: ", person.password),
                        options=("-b", TRUSTED))

    def test_without_the_file_everybody_is_asked(self):
        person = machine.person("originabsent")
        self.assert_asked(self.without_file, person, ("Password: ", person.password),
                          options=("-b", TRUSTED))

    def test_without_the_last_rule_nobody_is_asked(self):
        """So the recipe warns."""
        person = machine.person("originopen")
        self.assert_passed_over(self.without_end, person, ("Password: ", person.password),
                                options=("-b", OTHER))
