#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: greetd cockpit-ws cockpit-bridge xrdp lightdm sddm
"""Logins at a screen, near and far: what their greeters ask, and what they show."""

import base64
import contextlib
import http.client
import json
import pathlib
import re
import socket
import struct
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import CREATED, LOCALHOST, VERIFIED, LoginCase, machine, ports, setUpModule
from kit.machine import eventually, read_recipe, run
from test_servers import Server

WRONG = "Wrong code. Verification code: "


def enable(*words):
    """As a person does, who has not enrolled anybody yet."""
    run("twilio-verify", "enable", *words, "--force")


class PortServer(Server):
    HOST = LOCALHOST

    @classmethod
    def is_ready(cls):
        with contextlib.suppress(OSError):
            socket.create_connection((cls.HOST, cls.port)).close()
            return True


class Greeter:
    """It shows each question. log_in() returns the questions, and how it ended."""

    def test_it_asks_for_both(self):
        person = machine.person("greeter")
        self.assertEqual(self.log_in(person, person.password, person.code),
                         (["Password: ", "Verification code: "], self.IN))
        self.assert_requests(person, CREATED, VERIFIED)

    def test_wrong_codes_are_refused(self):
        person = machine.person("greeterwrong")
        self.assertEqual(self.log_in(person, person.password, *person.wrong_codes),
                         (["Password: ", "Verification code: ", WRONG, WRONG], self.OUT))
        self.assert_requests(person, CREATED, *[VERIFIED] * 3)
        self.assertEqual(eventually(self.check_programs, lambda found: not found), [])


class Greetd(Greeter, Server):
    """By the protocol that its greeters speak."""

    IN, OUT = "success", "auth_error"

    @classmethod
    def setUpClass(cls):
        enable("greetd")
        pathlib.Path("/etc/pam.d/greetd-greeter").write_text(
            "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session")))
        greeter = pathlib.Path("/run/greeter")
        greeter.write_text('#!/bin/sh\necho "$GREETD_SOCK" >/run/greetd-socket\nexec sleep 600\n')
        greeter.chmod(0o755)
        pathlib.Path("/run/greetd.toml").write_text(
            '[terminal]\nvt = "none"\n[default_session]\ncommand = "/run/greeter"\n'
            'user = "root"\n')
        cls.serve("greetd", "-c", "/run/greetd.toml", is_ready=cls.is_ready,
                  stderr=subprocess.DEVNULL)

    @staticmethod
    def is_ready():
        with contextlib.suppress(FileNotFoundError):
            return pathlib.Path("/run/greetd-socket").read_text().strip()

    def call(self, connection, **request):
        text = json.dumps(request).encode()
        connection.sendall(struct.pack("=I", len(text)) + text)
        size, = struct.unpack("=I", connection.recv(4, socket.MSG_WAITALL))
        return json.loads(connection.recv(size, socket.MSG_WAITALL))

    def log_in(self, person, *answers):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self.is_ready())
            reply = self.call(connection, type="create_session", username=person.name)
            asked, answers = [], iter(answers)
            while reply["type"] == "auth_message":
                asked.append(reply["auth_message"])
                reply = self.call(connection, type="post_auth_message_response",
                                  response=next(answers))
            self.call(connection, type="cancel_session")
            return asked, reply.get("error_type", reply["type"])

class Cockpit(PortServer):
    """By what a browser gets from it."""

    @classmethod
    def setUpClass(cls):
        path = pathlib.Path("/etc/pam.d/cockpit")
        stack, number = re.subn("(?m)^auth +substack +common-auth$", read_recipe("cockpit"),
                                path.read_text())
        assert number == 1
        path.write_text(stack)
        cls.port = next(ports)
        cls.serve("/usr/lib/cockpit/cockpit-ws", "--no-tls", "--port", cls.port, "--address",
                  LOCALHOST, is_ready=cls.is_ready, stderr=subprocess.DEVNULL)

    def test_check_pam_has_nothing_against_the_recipe(self):
        shown = run("twilio-verify", "check-pam", "cockpit")
        self.assertRegex(shown, r"(?m)^ok +cockpit: asks for a code after pam_unix")
        self.assertNotIn("warning", shown)

    def get(self, scheme, *words):
        """The status of the login, and what it asks next."""
        *words, text = words
        words.append(base64.b64encode(text.encode()).decode())
        connection = http.client.HTTPConnection(LOCALHOST, self.port, timeout=30)
        connection.request("GET", "/cockpit/login",
                           headers={"Authorization": " ".join([scheme, *words])})
        reply = connection.getresponse()
        reply.read()
        asked = (reply.getheader("WWW-Authenticate") or "").split()
        return reply.status, asked[1:]

    def log_in(self, person, *codes):
        """Returns the status, and the questions."""
        status, asked = self.get("Basic", f"{person.name}:{person.password}")
        questions = []
        for code in codes:
            questions.append(base64.b64decode(asked[1]).decode())
            status, asked = self.get("X-Conversation", asked[0], code)
        return status, questions

    def test_it_asks_for_both(self):
        person = machine.person("cockpit")
        self.assertEqual(self.log_in(person, person.code), (200, ["Verification code: "]))
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_wrong_password_is_refused_and_sends_nothing(self):
        person = machine.person("cockpitpassword")
        self.assertEqual(self.get("Basic", f"{person.name}:x"), (401, []))
        self.assert_requests(person)

    def test_wrong_codes_are_refused(self):
        person = machine.person("cockpitwrong")
        self.assertEqual(self.log_in(person, *person.wrong_codes),
                         (401, ["Verification code: ", WRONG, WRONG]))
        self.assert_requests(person, CREATED, *[VERIFIED] * 3)
        self.assertEqual(eventually(self.check_programs, lambda found: not found), [])


class Xrdp(PortServer):
    """xrdp-sesman, by its own client for tests."""

    HOST = "::1"

    @classmethod
    def setUpClass(cls):
        enable("xrdp-sesman", "--one-field")
        # It listens on ::1, and its client finds that only if the host has some address.
        run("ip", "address", "add", "fd00::1/128", "dev", "lo")
        with open("/etc/hosts", "a") as hosts:
            hosts.write("::1 localhost\n")
        cls.port = next(ports)
        pathlib.Path("/run/sesman.ini").write_text(f"""[Globals]
ListenAddress={LOCALHOST}
ListenPort={cls.port}
EnableUserWindowManager=false
[Security]
AllowRootLogin=false
[Sessions]
X11DisplayOffset=10
MaxSessions=50
[Xorg]
param=/bin/true
[Logging]
LogFile=/run/sesman.log
LogLevel=INFO
""")
        cls.serve("xrdp-sesman", "--nodaemon", "-c", "/run/sesman.ini", is_ready=cls.is_ready,
                  stdout=subprocess.DEVNULL)

    def test_right_and_wrong(self):
        def log_in(person, field):
            done = subprocess.run(["xrdp-sesrun", "-c", "/run/sesman.ini", "-F", "0",
                                   person.name], input=field,
                                  capture_output=True, text=True, check=False, timeout=60)
            self.assertRegex(done.stdout, "^(ok data=|Connection denied .authentication error)")
            return done.stdout.startswith("ok")
        self.assert_one_field("xrdp", log_in)


class Sddm(Server):
    """By the socket of its greeter, which has one field, the answer to every question."""

    SOCKET = pathlib.Path("/run/sddm-socket")
    LOGIN, SUCCEEDED, FAILED = 1, 2, 3  # of its messages

    @classmethod
    def setUpClass(cls):
        greeter = pathlib.Path("/usr/bin/sddm-greeter")
        greeter.write_text(f'#!/bin/sh\necho "$2" >{cls.SOCKET}.new\n'
                           f'mv {cls.SOCKET}.new {cls.SOCKET}\nexec sleep 600\n')
        screen = pathlib.Path("/run/screen-of-sddm")
        screen.write_text("#!/bin/sh\nexec sleep 600\n")
        screen.chmod(0o755)
        sessions = pathlib.Path("/usr/share/xsessions")
        sessions.mkdir(exist_ok=True)
        (sessions / "true.desktop").write_text("[Desktop Entry]\nName=true\nExec=/bin/true\n")
        pathlib.Path("/etc/sddm.conf").write_text(f"[X11]\nXephyrPath={screen}\n"
                                                  "DisplayCommand=/bin/true\n"
                                                  "DisplayStopCommand=/bin/true\n")
        run("twilio-verify", "enable", "sddm", "--one-field", "--force")

    @staticmethod
    def text(value):
        value = value.encode("utf-16-be")
        return struct.pack(">I", len(value)) + value

    def log_in(self, person, field):
        """After a login it goes on with another socket: so each has a sddm of its own."""
        self.SOCKET.unlink(missing_ok=True)
        self.serve("sddm", "--test-mode", is_ready=self.SOCKET.exists, cwd="/run",
                   stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self.SOCKET.read_text().strip())
            connection.sendall(struct.pack(">I", self.LOGIN) + self.text(person.name) +
                               self.text(field) + struct.pack(">I", 1) + self.text("true.desktop"))
            said, = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
            self.assertIn(said, (self.SUCCEEDED, self.FAILED))
            return said == self.SUCCEEDED

    def test_right_and_wrong(self):
        self.assert_one_field("sddm", self.log_in)

    def test_with_two_questions_it_answers_the_second_with_the_password_and_is_refused(self):
        run("twilio-verify", "disable", "sddm")
        run("twilio-verify", "enable", "sddm", "--force")
        person = machine.person("sddmtwo")
        self.assertFalse(self.log_in(person, person.password))
        self.assertFalse(self.log_in(person, person.password + person.code))
        self.assertNotIn(VERIFIED, person.requests())
        self.assertIn("the answer was the password: it was not passed on", person.log(1)[0].text)


class Lightdm(Greeter, LoginCase):
    """By the protocol of its process that authenticates, lightdm --session-child."""

    IN, OUT = "Success", "Authentication failure"

    @staticmethod
    def text(value):
        return struct.pack("=i", -1) if value is None else struct.pack("=i", len(value)) + value

    def log_in(self, person, *answers):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(30)
            number = str(theirs.fileno())
            process = subprocess.Popen(["lightdm", "--session-child", number, number],
                                       pass_fds=(theirs.fileno(),), stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            theirs.close()

            def read(size):
                return ours.recv(size, socket.MSG_WAITALL) if size > 0 else b""

            def number_of():
                return struct.unpack("=i", read(4))[0]

            # Version; service and user; authenticate, with somebody who answers; class, terminal,
            # host, display and X authority.
            ours.sendall(struct.pack("=i", 1) + self.text(b"lightdm") +
                         self.text(person.name.encode()) + struct.pack("=ii", 1, 1) +
                         self.text(None) * 5)
            asked, answers = [], iter(answers)
            while True:
                read(number_of())  # the user
                is_over, number = number_of(), number_of()
                if is_over:
                    return asked, read(number_of()).decode()
                for _ in range(number):
                    number_of()  # the style
                    asked.append(read(number_of()).decode())
                ours.sendall(struct.pack("=i", 0) +
                             b"".join(self.text(next(answers).encode()) + struct.pack("=i", 0)
                                      for _ in range(number)))

    @classmethod
    def setUpClass(cls):
        enable("lightdm")


if __name__ == "__main__":
    unittest.main()
