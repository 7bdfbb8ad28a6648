# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Files of the name service and certificates behind links that lead out of the sandbox.

    BUILD=build /usr/bin/python3 tests/tap.py tests/check/test_links.py

Needs root: /etc is a copy that each login has to itself."""

import contextlib
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
import unittest

from kit.checkcase import CHECK, IS_SANITIZED, CheckTest, load_tests, needs_root
from kit.fixture import copy_program, temporary_directory
from kit.liar import RIGHT
from kit.mounts import private_mounts
from kit.parallel import each

NAME = "verify.twilio.com"  # in the certificate
PAGES = "/mnt/pages"        # no directory of the sandbox
SYSTEM = "/usr/share/ca-certificates/mozilla"  # of certificates of packages

# The world of a login: an /etc to which anything may be done, and an empty /mnt. "$@" is the login.
WORLD = f"""
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/layer /mnt/work {PAGES}
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/layer,workdir=/mnt/work none /etc
"""

# Ways from /etc/FILE to {PAGES}/FILE, which holds what is to be read.
WAYS = {
    "an absolute link": 'ln -sf "$pages/$file" "/etc/$file"',
    "a relative link": 'ln -sf "../mnt/pages/$file" "/etc/$file"',
    "a chain of links": '''ln -sf first "/etc/$file"; ln -s /mnt/second /etc/first
                           ln -s third /mnt/second; ln -s "$pages/$file" /mnt/third''',
    "a linked directory": 'ln -s "$pages" /etc/linked; ln -sf "linked/$file" "/etc/$file"',
    "a link in a linked directory": '''mkdir /mnt/directory; ln -s /mnt/directory /etc/linked
                                    ln -s "$pages/$file" "/mnt/directory/$file"
                                    ln -sf "linked/$file" "/etc/$file"''',
    "a link into a directory of root's": '''mkdir -m 711 /mnt/closed; mv "$pages/$file" /mnt/closed
                                         ln -sf "/mnt/closed/$file" "/etc/$file"''',
}

# No way at all: what then happens must not last.
DEAD_ENDS = {
    "a dangling link": 'ln -sf /mnt/nothing "/etc/$file"',
    "a loop": 'ln -sf loop "/etc/$file"; ln -s "$file" /etc/loop',
    "a link to a fifo": 'mkfifo -m 666 /mnt/fifo; ln -sf /mnt/fifo "/etc/$file"',
    "a link to a device": 'ln -sf /dev/zero "/etc/$file"',
    "a link to a terminal": 'ln -sf /dev/tty "/etc/$file"',
    "a link to a directory": f'ln -sf {PAGES} "/etc/$file"',
    "a link to a file that is closed": '''chmod 600 "$pages/$file"
                                          ln -sf "$pages/$file" "/etc/$file"''',
    "a link into a directory that is closed": '''mkdir -m 700 /mnt/closed; ln -sf /mnt/closed/x "/etc/$file"
                                              echo >/mnt/closed/x''',
    "nothing": 'rm -f "/etc/$file"',
}

FILES = ("gai.conf", "host.conf", "hosts", "ld.so.cache", "localtime", "networks", "nsswitch.conf",
         "protocols", "resolv.conf", "services", "ssl/openssl.cnf", "ssl/certs/ca-certificates.crt")


class NameServer:
    """Answers that NAME is 127.0.0.1; at an address of its own, so that others have theirs."""

    def __init__(self):
        self.address = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        self.questions = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(OSError):  # It has no other end, and wakes the thread.
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _serve(self):
        question, client = self.socket.recvfrom(4096)
        while question:
            self.questions += 1
            end = question.index(b"\0", 12) + 5
            is_v4 = question[end - 4:end - 2] == b"\0\1"
            answer = b"\xc0\x0c" + struct.pack("!HHIH4B", 1, 1, 60, 4, 127, 0, 0, 1) if is_v4 else b""
            self.socket.sendto(question[:2] + struct.pack("!HHHHH", 0x8180, 1, is_v4, 0, 0)
                               + question[12:end] + answer, client)
            question, client = self.socket.recvfrom(4096)


class LinkTest(CheckTest):
    """What the tests share."""

    def begin(self, host, script, **options):
        """A login in a world that SCRIPT has changed."""
        prefix = [*private_mounts(), "sh", "-euc",
                  f'{WORLD}\n{script}\nexec "$@"', "sh"]
        return self.login(host, prefix=prefix, **options)

    def place(self, file, content, way):
        """The script that puts CONTENT behind /etc/FILE by the WAY."""
        return (f"file={file} pages={PAGES}; mkdir -p \"$(dirname {PAGES}/{file})\"\n"
                f"cat >\"$pages/$file\" <<'END'\n{content}\nEND\n{way}")

    def assert_approved_in(self, script, emulator, **service):
        host, factor = self.factor_host(emulator, service={"timeout_seconds": 5} | service)
        login = self.begin(host, script)
        login.expect_prompt()
        login.answer(factor.code())
        self.assert_outcome(login, "approved")


@needs_root
@each(finds_hosts={f"the file of hosts behind {name}": {"way": way} for name, way in WAYS.items()},
      finds_name_servers={f"the name servers behind {name}": {"way": way}
                          for name, way in WAYS.items()},
      ends={f"a login ends with {name} for {file}": {"file": file, "way": way}
            for name, way in DEAD_ENDS.items() for file in ("resolv.conf", "hosts")})
class NameService(LinkTest):
    def finds_hosts(self, way):
        emulator = self.emulator()
        self.assert_approved_in(
            "echo 'hosts: files' >/etc/nsswitch.conf\n"
            + self.place("hosts", f"127.0.0.1 {NAME}", way),
            emulator, base_url=f"https://{NAME}:{emulator.port}")

    def finds_name_servers(self, way):
        emulator, server = self.emulator(), self.enterContext(NameServer())
        self.assert_approved_in(
            "echo 'hosts: dns' >/etc/nsswitch.conf\n"
            + self.place("resolv.conf", f"nameserver {server.address}", way),
            emulator, base_url=f"https://{NAME}:{emulator.port}")
        self.assertGreater(server.questions, 0)

    def ends(self, file, way):
        """The name is not found; the prompt comes at once, and the verdict in time."""
        host = self.host(f"https://{NAME}:1", service={"timeout_seconds": 2})
        login = self.begin(host, "echo 'hosts: files dns' >/etc/nsswitch.conf\n"
                           "echo 'nameserver 127.0.0.1' >/etc/resolv.conf\n"
                           "echo '127.0.0.1 localhost' >/etc/hosts\n"
                           + self.place(file, "", way))
        login.expect_prompt()
        login.answer(RIGHT)
        self.assertIn(login.verdict()[0], ("unavailable", "misconfigured"))


@needs_root
@unittest.skipIf(IS_SANITIZED, "a sanitizer's library does not fit into the program")
@each(reads={f"{file} is read behind a link": {"file": file} for file in FILES},
      shows_no_neighbour={f"nothing beside a file behind {name} is read": {"way": way}
                          for name, way in WAYS.items()},
      refuses={f"{name} is not read": {"way": way} for name, way in DEAD_ENDS.items()})
class WhatIsReadable(LinkTest):
    """By an attacker's code in the check program."""

    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        copy_program(CHECK, self.directory / "twilio-verify-check")
        copy_program(CHECK.with_name("tests") / "hostile.so", self.directory / "twilio.so")

    def attempt(self, command, script):
        host = self.host("https://127.0.0.1:1", login={"prompt": command})
        login = self.begin(host, script, program=self.directory / "twilio-verify-check")
        login.expect_prompt("ask-secret " + command)
        login.answer(RIGHT)
        return self.assert_outcome(login, "denied")

    def reads(self, file):
        script = self.place(file, "here", WAYS["an absolute link"])
        self.assertEqual(self.attempt(f"caged read /etc/{file}", script), "worked")

    def shows_no_neighbour(self, way):
        script = self.place("resolv.conf", "nameserver 127.0.0.1", way) + (
            f"\nfor directory in /mnt {PAGES}; do echo secret >$directory/neighbour; done")
        self.assertEqual(self.attempt("caged read /etc/resolv.conf", script), "worked")
        for path in ("/mnt/neighbour", f"{PAGES}/neighbour"):
            self.assertEqual(self.attempt(f"free read {path}", script), "worked", path)
            self.assertEqual(self.attempt(f"caged read {path}", script), "EACCES", path)
        self.assertNotEqual(self.attempt(f"caged list {PAGES}", script), "worked")
        self.assertNotEqual(self.attempt("caged write /etc/resolv.conf", script), "worked")

    def refuses(self, way):
        script = self.place("resolv.conf", "nameserver 127.0.0.1", way)
        self.assertNotEqual(self.attempt("caged read /etc/resolv.conf", script), "worked")


@needs_root
class Certificates(LinkTest):
    """ca_file, ca_path and the system's directory of certificates."""

    def setUp(self):
        self.server = self.emulator()
        self.authority = self.server.ca_file
        self.name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", self.authority],
                                   check=True, capture_output=True, text=True).stdout.strip() + ".0"
        self.put = f"cp {self.authority} {PAGES}/ca.pem; chmod 644 {PAGES}/ca.pem\n"

    def approve(self, script, **service):
        self.assert_approved_in(self.put + script, self.server,
                                **({"ca_file": None} | service))

    def test_a_ca_file_behind_a_chain_of_links(self):
        self.approve(f"mkdir /mnt/a; ln -s b /mnt/a/ca.pem; ln -s {PAGES}/ca.pem /mnt/a/b",
                     ca_file="/mnt/a/ca.pem")

    def test_a_ca_path_whose_certificate_is_a_link_out_of_it(self):
        self.approve(f"mkdir /mnt/a; ln -s {PAGES}/ca.pem /mnt/a/{self.name}", ca_path="/mnt/a")

    def test_a_ca_path_whose_certificate_is_a_link_to_a_link_beside_it(self):
        self.approve(f"mkdir /mnt/a; ln -s x.pem /mnt/a/{self.name}; ln -s {PAGES}/ca.pem /mnt/a/x.pem",
                     ca_path="/mnt/a")

    def test_a_ca_path_that_is_a_link(self):
        self.approve(f"mkdir /mnt/a; ln -s a /mnt/b; ln -s {PAGES}/ca.pem /mnt/a/{self.name}",
                     ca_path="/mnt/b")

    def test_a_certificate_of_the_system_s_directory_that_is_a_link_out_of_it(self):
        self.approve(f"ln -s {PAGES}/ca.pem /etc/ssl/certs/{self.name}")

    def test_a_directory_of_the_system_s_that_is_a_link(self):
        self.approve(f"mkdir /mnt/a; ln -s {PAGES}/ca.pem /mnt/a/{self.name}\n"
                     "rm -rf /etc/ssl/certs; ln -s /mnt/a /etc/ssl/certs")

    def test_entries_that_lead_nowhere_are_no_loss(self):
        self.approve(f"mkdir /mnt/a; ln -s {PAGES}/ca.pem /mnt/a/{self.name}; cd /mnt/a\n"
                     "ln -s 11111111.0 11111111.0; ln -s /mnt/nothing 22222222.0; mkfifo 33333333.0\n"
                     "ln -s /dev/zero 44444444.0; ln -s / 55555555.0; cd /", ca_path="/mnt/a")

    def test_a_chain_of_links_of_the_system_s_directory_through_the_packages(self):
        """Names of three steps, in each of which a link may lead out."""
        packages = "/mnt/ca-certificates/mozilla"
        steps = f"ln -s x.pem /etc/ssl/certs/{self.name}; ln -s {SYSTEM}/x.crt /etc/ssl/certs/x.pem"
        for name, script in {
                "a file of a package": f"cp {PAGES}/ca.pem {packages}/x.crt",
                "a link out of the packages": f"ln -s {PAGES}/ca.pem {packages}/x.crt",
                "a link beside it, and then out": f"ln -s y.crt {packages}/x.crt\n"
                                                  f"ln -s {PAGES}/ca.pem {packages}/y.crt",
                "a relative link out": f"ln -s ../../../..{PAGES}/ca.pem {packages}/x.crt",
        }.items():
            with self.subTest(name):
                self.approve(f"cp -a {SYSTEM[:-len('/mozilla')]} /mnt\n{script}\n"
                             f"mount --bind /mnt/ca-certificates {SYSTEM[:-len('/mozilla')]}\n"
                             f"{steps}")

    def test_a_directory_of_packages_that_is_a_link(self):
        self.approve(f"ln -s x.pem /etc/ssl/certs/{self.name}\n"
                     f"ln -s {SYSTEM}/x.crt /etc/ssl/certs/x.pem\n"
                     f"mkdir /mnt/shadow; ln -s {PAGES} /mnt/shadow/mozilla\n"
                     f"cp {PAGES}/ca.pem {PAGES}/x.crt\n"
                     f"mount --bind /mnt/shadow {SYSTEM[:-len('/mozilla')]}")

    def test_a_link_that_climbs_out_of_the_directory_of_packages(self):
        above = f"{SYSTEM}/../../../..{PAGES}/ca.pem"
        self.approve(f"ln -s {above} /etc/ssl/certs/{self.name}")

    def test_a_link_that_leads_out_over_a_linked_directory(self):
        self.approve(f"ln -s {PAGES} /etc/linked; ln -s ../../linked/ca.pem /etc/ssl/certs/{self.name}")

    def test_a_ca_path_of_chains_and_relative_links(self):
        for name, script in {
                "a chain of three": f"ln -s y /mnt/a/x; ln -s z /mnt/a/y; ln -s {PAGES}/ca.pem /mnt/a/z",
                "a relative link": "ln -s ../pages/ca.pem /mnt/a/x",
                "a directory's relative link": "ln -s ../pages /mnt/a/f; ln -s f/ca.pem /mnt/a/x",
        }.items():
            with self.subTest(name):
                self.approve(f"mkdir /mnt/a; ln -s x /mnt/a/{self.name}\n{script}", ca_path="/mnt/a")

    def test_a_link_that_changes_after_it_was_remembered(self):
        """Whether the links stay is remembered where nothing has changed for two seconds."""
        directory = self.enterContext(temporary_directory())
        outside = self.enterContext(temporary_directory()) / "ca.pem"
        link, inside = directory / self.name, directory / "ca.pem"
        for path in (inside, outside):
            shutil.copy(self.authority, path)
            path.chmod(0o644)
        host, factor = self.factor_host(self.server,
                                        service={"ca_file": None, "ca_path": directory})
        for target in ("ca.pem", outside):
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            time.sleep(3.1)
            self.server.control("clock +90")
            self.run_login(host, [factor.code()], "approved")
            self.assertTrue((host.directory / "state/certificates.links").exists())
