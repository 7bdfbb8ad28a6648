# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What this host is short of is no outage: whoever calls sudo could use it up, and be let in by the
recipe for an outage. What the network says is one.

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/host/test_shortage.py"""

import contextlib
import platform
import resource
import socket
import subprocess
import sys
import time
import unittest

from hostcase import (NAME, OUTAGE, PORT_RANGE, HostCase, load_tests, pids_group, run,
                      socket_memory_group)
from kit.liar import RIGHT, refuse
from kit.servers import Dropping, NameServer, Refusing
from kit.start import after, filtered

FIRST, LAST = 40000, 40003  # the ephemeral ports, when there are few
SYS_SOCKET = {"x86_64": 41, "aarch64": 198}


@contextlib.contextmanager
def taken(kind, count=LAST - FIRST + 1):
    """COUNT of the few ephemeral ports are somebody's."""
    PORT_RANGE.write_text(f"{FIRST} {LAST}")
    with contextlib.ExitStack() as stack:
        for port in range(FIRST, FIRST + count):
            one = stack.enter_context(socket.socket(socket.AF_INET6, kind))
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            one.bind(("::", port))
        yield


class Shortage(HostCase):

    def test_all_is_there(self):
        self.log_in(self.liar(), "approved", answer=RIGHT)
        server = self.liar()
        with NameServer({NAME: "127.0.0.1"}):
            self.log_in(self.url(server), "approved", answer=RIGHT)

    def test_all_ports_of_tcp_are_taken(self):
        server = self.liar()
        with taken(socket.SOCK_STREAM):
            self.log_in(server, "misconfigured",
                        r"connect\(\) to the server: Cannot assign requested address")

    def test_all_ports_of_tcp_are_taken_for_a_name_with_two_addresses(self):
        """libcurl keeps the error of the last address alone."""
        server = self.liar()
        for addresses in (("::1", "127.0.0.1"), ("127.0.0.1", "::1")):
            self.write("hosts", "".join(f"{address} {NAME}\n" for address in addresses))
            with self.subTest(addresses), taken(socket.SOCK_STREAM):
                self.log_in(self.url(server), "misconfigured", "Cannot assign requested address")

    def test_no_port_is_left_and_another_address_refuses(self):
        """An address that can't be tried may be the one that would have answered."""
        self.add_card()
        self.add_route("prohibit", "198.51.100.0/24")
        with Refusing() as port:
            self.write("hosts", f"198.51.100.1 {NAME}\n127.0.0.1 {NAME}\n")
            url = port.url.replace("127.0.0.1", NAME)
            self.log_in(url, "misconfigured", r"connect\(\) to the server: Permission denied")

    def test_ports_that_come_and_go(self):
        toggle = ("import socket\n"
                  "while True:\n"
                  f"    held = [socket.socket() for _ in range({LAST - FIRST + 1})]\n"
                  "    for number, one in enumerate(held):\n"
                  "        try:\n"
                  f"            one.bind(('0.0.0.0', {FIRST} + number))\n"
                  "        except OSError:\n"
                  "            pass\n"
                  "    del one, held\n")
        server = self.liar()
        PORT_RANGE.write_text(f"{FIRST} {LAST}")
        with subprocess.Popen([sys.executable, "-c", toggle]) as process:
            try:
                for _ in range(15):
                    host = self.host(server, service={"timeout_seconds": 2})
                    login = self.login(host)
                    login.answer(RIGHT)
                    login.expect_prompt()
                    self.assertNotEqual(login.verdict()[0], OUTAGE)
            finally:
                process.kill()

    def test_all_ports_of_udp_are_taken(self):
        server = self.liar()
        with NameServer({NAME: "127.0.0.1"}), taken(socket.SOCK_DGRAM):
            self.log_in(self.url(server), "misconfigured",
                        r"connect\(\) to the name server: Resource temporarily unavailable")

    def test_no_port_of_udp_is_left_when_the_look_up_begins(self):
        """The program has one, to ask with; the C library gets none."""
        server = self.liar()
        with NameServer({NAME: "127.0.0.1"}), taken(socket.SOCK_DGRAM, LAST - FIRST):
            self.log_in(self.url(server), "misconfigured", "the name server answers, but")

    def test_a_control_group_that_has_no_memory_for_sockets(self):
        """The name server answers, and the kernel drops it."""
        group = socket_memory_group(self)
        prefix = after(f"open({str(group)!r}, 'w').write(str(os.getpid()))")
        with NameServer({NAME: "127.0.0.1"}) as server:
            self.log_in(self.url(self.liar()), "misconfigured", "the name server's answer was "
                        "dropped, out of memory: check memory.max", prefix=prefix)
            self.assertIn(NAME, server.asked)

    def test_no_thread_can_be_started(self):
        server = self.liar()
        group = pids_group(self, 1)
        prefix = after(f"open({str(group)!r}, 'w').write(str(os.getpid()))")
        with NameServer({NAME: "127.0.0.1"}):
            self.log_in(self.url(server), "misconfigured", "cannot start a thread: .*pids.max",
                        prefix=prefix)
        self.assertEqual(server.connections, [])

    def test_an_address_needs_no_thread(self):
        group = pids_group(self, 1)
        prefix = after(f"open({str(group)!r}, 'w').write(str(os.getpid()))")
        self.log_in(self.liar(), "approved", answer=RIGHT, prefix=prefix)

    def test_no_descriptor_is_left(self):
        server = self.liar(create=[refuse(500, headers={"Connection": "close"})])
        host = self.host(server, service={"timeout_seconds": 3})
        login = self.prompted(host)
        self.assertTrue(server.wait(lambda server: server.kinds))
        time.sleep(0.2)
        try:
            resource.prlimit(login.process.pid, resource.RLIMIT_NOFILE, (3, 3))
        except PermissionError:
            self.skipTest("needs the capability for resources")
        login.answer(RIGHT)
        self.assert_outcome(login, "misconfigured", r"socket\(\) for the server: Too many open files")

    def test_routes_that_this_host_forbids(self):
        self.add_card()
        for kind, network, error in (("prohibit", "198.51.100", "Permission denied"),
                                     ("blackhole", "203.0.113", "Invalid argument")):
            self.add_route(kind, network + ".0/24")
            with self.subTest(kind):
                self.log_in(f"https://{network}.1", "misconfigured",
                            fr"connect\(\) to the server: {error}")


def forbid_families():
    """What a service with RestrictAddressFamilies=AF_UNIX meets, as a command (seccomp(2))."""
    number = SYS_SOCKET[platform.machine()]
    load, equal, answer = 0x20, 0x15, 0x06
    allow, refuse_it = 0x7fff0000, 0x00050000 | 97  # EAFNOSUPPORT
    program = [(load, 0, 0, 0), (equal, 0, 4, number), (load, 0, 0, 16), (equal, 1, 0, 1),
               (answer, 0, 0, refuse_it), (answer, 0, 0, allow), (answer, 0, 0, allow)]
    return filtered(program)


class Sandbox(HostCase):
    """A service that has no network at all."""

    def test_no_interface_but_lo(self):
        self.log_in("https://192.0.2.2", "misconfigured", "no network: check PrivateNetwork=")
        self.write("resolv.conf", "nameserver 192.0.2.53\n")
        self.log_in(f"https://{NAME}", "misconfigured", "no network: check PrivateNetwork=")

    @unittest.skipUnless(platform.machine() in SYS_SOCKET, "the number of socket(2) is not known")
    def test_no_address_family(self):
        self.add_card()
        self.log_in(self.liar(), "misconfigured", "RestrictAddressFamilies=",
                    prefix=forbid_families())
        with NameServer({NAME: "127.0.0.1"}):
            self.log_in(f"https://{NAME}", "misconfigured", "RestrictAddressFamilies=",
                        prefix=forbid_families())


class Outage(HostCase):
    """What the network says, or does not say."""

    def test_nobody_listens(self):
        with Refusing() as port:
            self.log_in(port, OUTAGE, "refused|connect")

    def test_no_packet_is_answered(self):
        with Dropping() as port:
            self.log_in(port, OUTAGE, "no answer in time", timeout=1)

    def test_there_is_no_route(self):
        self.add_card()
        self.log_in("https://198.51.100.1", OUTAGE)

    def test_a_card_is_down(self):
        self.add_card()
        run("ip link set card down")
        self.log_in("https://192.0.2.2", OUTAGE)
        self.write("resolv.conf", "nameserver 192.0.2.53\n")
        self.log_in(f"https://{NAME}", OUTAGE)

    def test_the_neighbour_is_away(self):
        self.add_card()
        self.log_in("https://192.0.2.2", OUTAGE, "no answer in time", timeout=1)
