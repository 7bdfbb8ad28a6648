# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Each outcome by a real cause, and its line in the log."""

import subprocess

from logincase import (APPROVED, AWAY, CREATED, UNREACHABLE, SudoCase, at_once, machine,
                       setUpModule)
from kit.machine import SECURITY


@at_once
class Outcomes(SudoCase):
    """Each outcome by a real cause, over sudo with a PAM service and settings of its own."""

    def person_with(self, word, arguments="", recipe="sudo", is_enrolled=True, **settings):
        """Somebody whose sudo uses the service sudo-WORD, and SETTINGS where there are some."""
        if settings:
            path = machine.configure(SECURITY / f"twilio-verify-{word}.conf", **settings)
            arguments += f" conf={path}"
        machine.use_recipe(recipe, f"sudo-{word}", arguments)
        person = machine.person(word, is_enrolled)
        self.defaults(person, f"pam_service=sudo-{word}")
        return person

    def test_denied_by_a_challenge_that_was_answered_before(self):
        person = self.person_with("answered")
        # Somebody else answers between our creation and our code.
        process = subprocess.Popen(["sudo", "-k", "-S", "id", "-un"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   **self.as_person(person))
        process.stdin.write(person.password + "\n")
        process.stdin.flush()
        self.assert_requests(person, CREATED)
        path = machine.emulator.entity_path(person.factor.identity) + "/Challenges"
        [challenge] = machine.emulator.request("GET", path).json["challenges"]
        machine.emulator.control(f"challenge {challenge['sid']} approved")
        output, _ = process.communicate(person.code + "\n", timeout=60)
        self.assertEqual((process.returncode, output), (1, ""))
        self.assert_log(person, "NOTICE", "denied", "Twilio: HTTP 403, error 60322: the "
                        "challenge was answered before; challenge=YC… request=RQ…",
                        service="sudo-answered")

    def test_exhausted_by_the_challenges_of_an_hour(self):
        person = self.person_with("exhausted")
        path = machine.emulator.entity_path(person.factor.identity) + "/Challenges"
        for _ in range(50):
            reply = machine.emulator.request("POST", path, {"FactorSid": person.factor.sid})
            self.assertEqual(reply.status, 201)
        self.assert_refused(person, person.password, person.code)
        self.assert_log(person, "NOTICE", "exhausted", "Twilio: HTTP 429, error 60312: too "
                        "many challenges for this factor within the hour or the day: wait, or use "
                        "a recovery code; request=RQ…", service="sudo-exhausted")

    def test_unavailable_when_nobody_listens(self):
        person = self.person_with("away", service=AWAY)
        self.assert_refused(person, person.password, person.code)
        self.assert_log(person, *UNREACHABLE, service="sudo-away")

    def test_the_outage_recipe_lets_in_while_nobody_listens(self):
        person = self.person_with("outage", recipe="outage", service=AWAY)
        self.assert_root(person, "123456")
        self.assert_log(person, *UNREACHABLE, service="sudo-outage")

    def test_the_outage_recipe_refuses_when_the_check_program_breaks(self):
        person = self.person_with("outagebroken", "helper=/bin/false", recipe="outage")
        self.assert_refused(person)
        self.assert_log(person, "ERR", "broken", "the check program ended without a verdict",
                        service="sudo-outagebroken")

    def test_misconfigured_by_settings_that_are_not_there(self):
        person = self.person_with("absent", "conf=/etc/security/no-such.conf")
        self.assert_refused(person, person.password)
        self.assert_log(person, "ERR", "misconfigured", "/etc/security/no-such.conf: No such file "
                        "or directory", service="sudo-absent")

    def test_not_required_for_an_exempt_service(self):
        person = self.person_with("exempt", login='exempt_services = ( "sudo-exempt" );\n')
        self.assert_root(person, person.password)
        self.assert_log(person, "INFO", "not-required", "the service is in exempt_services",
                        service="sudo-exempt")
        self.assert_requests(person)

    def test_not_required_for_a_user_who_is_not_enrolled_where_such_are_ignored(self):
        person = self.person_with("ignored", is_enrolled=False, login='unmapped_user = "ignore";\n')
        self.assert_root(person, person.password)
        self.assert_log(person, "INFO", "not-required", "not enrolled, and unmapped_user is "
                        r"ignore", service="sudo-ignored")

    def test_debug_logs_the_dialogue_but_no_code(self):
        person = self.person_with("debug", "debug")
        self.assert_root(person, person.password, person.code)
        self.assert_log(person, *APPROVED, service="sudo-debug")
        debug = [line.text for line in machine.journal.find(r"^pam_twilio_verify\(sudo-debug:")
                 if line.level == "DEBUG"]
        self.assertTrue(any(text.endswith("> (6 bytes)") for text in debug), debug)

    def test_broken_by_a_check_program_that_is_not_there(self):
        person = self.person_with("broken", "helper=/usr/libexec/no-such-program")
        self.assert_refused(person, person.password)
        self.assert_log(person, "ERR", "broken", "/usr/libexec/no-such-program cannot be started: "
                        "No such file or directory", service="sudo-broken")
