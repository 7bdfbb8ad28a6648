# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Where nobody answers: ports of this machine; a name server; what a relay does. Standard library
only."""

import contextlib
import pathlib
import socket
import struct
import threading

RESPONSE = 0x8180
TYPE_A, CLASS_IN = 1, 1
SERVFAIL, NXDOMAIN = 2, 3


def copy_stream(one, other):
    """What comes from the socket ONE goes to OTHER, to its end."""
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Refusing:
    """A port at which nobody listens, and which nobody else gets."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def __exit__(self, *exception):
        self.socket.close()


class Dropping(Refusing):
    """A port whose queue is full: the kernel drops whatever comes."""

    def __enter__(self):
        super().__enter__()
        self.socket.listen(0)
        self.queue = []
        while self._connect():
            pass
        return self

    def _connect(self):
        """Whether there was room for one more."""
        self.queue.append(socket.socket())
        self.queue[-1].settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            self.queue[-1].connect(self.socket.getsockname())
            return True
        return False

    def __exit__(self, *exception):
        for connection in self.queue:
            connection.close()
        super().__exit__()


class NameServer:
    """The name server of this machine: it knows nobody but KNOWN, a table {name: IPv4 address}, and
    has nothing to say about some."""

    SILENT, FAILING = "silent.example", "failing.example"

    def __init__(self, known=None, address="127.0.0.1"):
        self.known, self.address, self.asked = known or {}, address, []

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        pathlib.Path("/etc/resolv.conf").write_text(f"nameserver {self.address}\n")
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.socket.sendto(b"", (self.address, 53))
        self.thread.join(5)
        self.socket.close()

    def _serve(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            if not query:  # At the end.
                return
            self._reply(query, peer)

    def _reply(self, query, peer):
        name, end = self._name_in(query)
        self.asked.append(name)
        if name == self.SILENT:
            return
        answer = b""
        if name not in self.known:
            code = SERVFAIL if name == self.FAILING else NXDOMAIN
        else:
            code = 0
            if query[end - 3] == TYPE_A:  # Of the other types it has nothing.
                answer = struct.pack(">3HIH", 0xc00c, TYPE_A, CLASS_IN, 60, 4) + \
                    socket.inet_aton(self.known[name])
        head = query[:2] + struct.pack(">5H", RESPONSE | code, 1, bool(answer), 0, 0)
        self.socket.sendto(head + query[12:end] + answer, peer)

    @staticmethod
    def _name_in(query):
        """The name of a question, and where the question ends (RFC 1035, section 4.1.2)."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        return ".".join(labels).lower(), at + 5
