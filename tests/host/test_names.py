# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A name that is not found: by whose fault?

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/host/test_names.py"""

import socket
import struct

from hostcase import NAME, OUTAGE, HostCase, load_tests
from kit.liar import RIGHT
from kit.servers import NameServer

FILES_ALONE = "hosts: files\n"


class Garbled(NameServer):
    """Answers something else than it was asked."""

    def _reply(self, query, peer):
        self.socket.sendto(b"\0" * 20, peer)


class HalfSilent(NameServer):
    """Has no word about IPv6, as some routers."""

    def _reply(self, query, peer):
        _, end = self._name_in(query)
        if query[end - 3] == 1:
            super()._reply(query, peer)


class NoAddress(NameServer):
    """The name is another one's alias, which has no address."""

    def _reply(self, query, peer):
        _, end = self._name_in(query)
        alias = struct.pack(">3HIH", 0xc00c, 5, 1, 60, 2) + b"\xc0\x0c"
        self.socket.sendto(query[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + query[12:end] + alias,
                           peer)


class ThisHost(HostCase):
    """What is wrong here, whatever the name server says."""

    def test_no_name_server_is_named(self):
        for text in ("", "search example.com\n", "# nameserver 127.0.0.1\n", "nameserver\n",
                     "nameserver x\n"):
            self.write("resolv.conf", text)
            with self.subTest(text):
                self.log_in(f"https://{NAME}", "misconfigured", "names no name server")

    def test_there_is_no_resolv_conf(self):
        self.write("resolv.conf", "")
        (self.etc / "resolv.conf").unlink()
        self.log_in(f"https://{NAME}", "misconfigured", "names no name server")

    def test_a_file_can_t_be_read(self):
        for name in ("resolv.conf", "nsswitch.conf", "hosts"):
            with self.subTest(name), NameServer():
                self.keep(self.etc / name)
                (self.etc / name).chmod(0o600)
                self.log_in(f"https://{NAME}", "misconfigured",
                            f"cannot read a file of the name service: /etc/{name}: Permission denied")
                (self.etc / name).chmod(0o644)

    def test_a_file_is_a_link_that_leads_nowhere_or_in_circles(self):
        self.write("resolv.conf", "")
        (self.etc / "resolv.conf").unlink()
        (self.etc / "resolv.conf").symlink_to("resolv.conf")
        self.log_in(f"https://{NAME}", "misconfigured", "/etc/resolv.conf")

    def test_the_name_service_does_not_ask_the_name_server_that_knows_it(self):
        with NameServer({NAME: "127.0.0.1"}):
            self.write("nsswitch.conf", FILES_ALONE)
            self.log_in(f"https://{NAME}", "misconfigured", "the name server answers, but")

    def test_the_name_service_gives_up_before_it_could_have_asked(self):
        with NameServer():
            self.write("nsswitch.conf", FILES_ALONE)
            self.log_in(f"https://{NameServer.SILENT}", "misconfigured", "failed on this host",
                        timeout=4)

    def test_one_of_two_name_servers_knows_it(self):
        with NameServer({NAME: "127.0.0.1"}, "127.0.0.2"), NameServer():
            self.write("resolv.conf", "nameserver 127.0.0.1\nnameserver 127.0.0.2\n")
            self.log_in(f"https://{NAME}", "misconfigured", "the name server answers, but")


class NameServers(HostCase):
    """What a name server says, or does not say."""

    def test_it_knows_the_name(self):
        server = self.liar()
        with NameServer({NAME: "127.0.0.1"}) as names:
            self.log_in(self.url(server), "approved", answer=RIGHT)
        self.assertEqual(len(names.asked), 2, "the program asked for itself")

    def test_the_name_stands_in_the_file_of_hosts(self):
        server = self.liar()
        self.write("hosts", f"127.0.0.1 {NAME}\n")
        self.write("resolv.conf", "nameserver 127.0.0.9\n")
        self.log_in(self.url(server), "approved", answer=RIGHT)

    def test_it_says_no(self):
        with NameServer():
            for name in (NAME, NameServer.FAILING, "nowhere"):
                with self.subTest(name):
                    self.log_in(f"https://{name}", OUTAGE)

    def test_it_is_silent(self):
        with NameServer():
            for timeout in (1, 3):
                with self.subTest(timeout):
                    self.log_in(f"https://{NameServer.SILENT}", OUTAGE, "no answer in time",
                                timeout=timeout)

    def test_it_is_silent_until_the_c_library_gives_up(self):
        with NameServer():
            self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
            self.log_in(f"https://{NameServer.SILENT}", OUTAGE, timeout=4)

    def test_nobody_listens_there(self):
        self.add_card()
        self.write("resolv.conf", "nameserver 127.0.0.9\n")
        self.log_in(f"https://{NAME}", OUTAGE)

    def test_there_is_no_route_to_it(self):
        self.add_card()
        self.write("resolv.conf", "nameserver 198.51.100.53\n")
        self.log_in(f"https://{NAME}", OUTAGE)

    def test_it_answers_something_else(self):
        with Garbled():
            self.log_in(f"https://{NAME}", OUTAGE, "no answer in time", timeout=1)

    def test_the_name_is_an_alias_without_an_address(self):
        with NoAddress():
            self.log_in(f"https://{NAME}", OUTAGE)

    def test_it_has_no_word_about_ipv6(self):
        with HalfSilent({NAME: "127.0.0.1"}):
            self.log_in(f"https://{NAME}", OUTAGE, "no answer in time", timeout=1)

    def test_the_first_of_two_is_silent(self):
        server = self.liar()
        with NameServer({NAME: "127.0.0.1"}), socket.socket(type=socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.2", 53))
            both = "nameserver 127.0.0.2\nnameserver 127.0.0.1\n"
            self.write("resolv.conf", both)
            self.log_in(self.url(server), OUTAGE, "no answer in time", timeout=1)
            self.write("resolv.conf", both + "options timeout:1\n")
            self.log_in(self.url(server), "approved", answer=RIGHT, timeout=5)

    def test_names_of_a_search_list_are_asked_for_first(self):
        server = self.liar()
        with NameServer({NAME: "127.0.0.1"}):
            self.write("resolv.conf", "nameserver 127.0.0.1\nsearch a.example b.example\n"
                                      "options ndots:5\n")
            self.log_in(self.url(server), "approved", answer=RIGHT)
