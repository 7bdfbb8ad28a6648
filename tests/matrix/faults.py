# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The faults: what goes wrong, and which outcome of pam_twilio_verify(8) each one must have.

FAULTS is a table {words: Fault}. Every fault lasts: what one repetition heals is shown, with the
requests that it takes, in tests/network/test_network.py."""

import collections
import contextlib
import gzip
import shutil

from kit.fixture import Emulator, temporary_directory
from kit.liar import (ABSENT, FACTOR_SID, IDENTITY, RIGHT, WRONG, Connection, Liar, as_status, bend,
                      cut, drip, dropped, endless_body, endless_continue, endless_header,
                      endless_headers, for_ever, framed, lost, raw, refuse, rewrite)
from kit.lies import BODIES, CONNECTIONS, FRAMINGS, OTHERS, PEERS, STATUSES, TLS_1_1
from kit.servers import Dropping, NameServer, Refusing

DENIED, EXHAUSTED = "PAM_AUTH_ERR", "PAM_MAXTRIES"
UNAVAILABLE, MISCONFIGURED = "PAM_AUTHINFO_UNAVAIL", "PAM_SERVICE_ERR"
BROKEN = "PAM_SYSTEM_ERR"
CODES = {DENIED, EXHAUSTED, UNAVAILABLE, MISCONFIGURED, BROKEN}
LETS_IN = "PAM_SUCCESS"  # no fault's
FULL = "/run/full/state"  # of hosts.py

# CODE: what the host must get. SERVER(certificates): a context manager of the Peer behind the login.
# MEETS: the last that reaches that peer, of MEETINGS; None: nothing does. ANSWER: the code that is
# typed, "right" where a right one must not help, "wrong", or a "recovery" code; ASKED: how often the
# user is asked. STARVE: what witness.so takes from the host. WAITS: it ends by the limit of time alone.
# STATE_DIR: in place of a sound one.
Fault = collections.namedtuple("Fault", "code server meets answer asked starve waits state_dir")
MEETINGS = [None, "connection", "create", "verify"]
ANYTHING = "anything"  # of them: the answer comes at any moment of the creation


class Peer:
    """What stands behind a login: url, and the identity, factor and codes of who logs in.

    MET() lists what has reached it."""

    def __init__(self, url, identity=IDENTITY, factor_sid=FACTOR_SID, right=RIGHT, wrong=WRONG,
                 met=list):
        self.url, self.identity, self.factor_sid, self._met = url, identity, factor_sid, met
        self.answers = {"right": right, "wrong": wrong}

    def met(self):
        """The last of MEETINGS that came."""
        return max(self._met(), key=MEETINGS.index, default=None)


@contextlib.contextmanager
def lying(certificates, script, url="{url}"):
    with Liar(certificates, **script) as liar:
        def met():
            kinds = {"fetch": "verify"}
            return (["connection"] if liar.connections else []) + [
                kinds.get(kind, kind) for kind in liar.kinds]
        yield Peer(url.format(url=liar.url, port=liar.port), met=met)


@contextlib.contextmanager
def emulated(certificates, faults):
    with temporary_directory() as directory:
        for name in ("ca.pem", "server.pem", "server.key"):
            shutil.copy(certificates / name, directory / name)
        with Emulator(directory=directory) as emulator:
            factor = emulator.factor()
            for fault in faults:
                emulator.control(f"fault {fault}")

            def met():
                paths = [request.path.partition("/Challenges") for request in emulator.requests()]
                return ["verify" if rest else "create" for _, noun, rest in paths if noun]
            yield Peer(emulator.url, factor.identity, factor.sid, factor.code(),
                       factor.wrong_code(), met)


@contextlib.contextmanager
def absent(_certificates, port):
    with port() as port:
        yield Peer(port.url)


def fault(code, server, *arguments, meets=None, answer="right", asked=1, starve=None, waits=False,
          state_dir=None):
    return Fault(code, lambda certificates: server(certificates, *arguments), meets, answer, asked,
                 starve, waits, state_dir)


def connecting(code, script, **options):
    return fault(code, lying, script, meets="connection", **options)


def unnamed(code, name, **options):
    """The server serves, and its name isn't found."""
    return fault(code, lying, {}, f"https://{name}:{{port}}", **options)


def at_create(code, behaviour, **options):
    return fault(code, lying, {"create": for_ever(behaviour)}, meets="create", **options)


def at_verify(code, behaviour, **options):
    """The answer to the code, and to the question what became of it."""
    script = {"verify": for_ever(behaviour), "fetch": for_ever(behaviour)}
    return fault(code, lying, script, meets="verify", **options)


def at_both(words, code, behaviour, **options):
    return {f"{words}, to the creation": at_create(code, behaviour, **options),
            f"{words}, to the code": at_verify(code, behaviour, **options)}


def emulator(code, kind, operations=("create", "verify"), **options):
    """The emulator's fault KIND, and, where the answer to a code gets lost, to the question too."""
    return {f"emulator: {kind} on {operation}":
            fault(code, emulated, [f"{kind} on {operation}"] +
                  ([f"{kind} on fetch"] if operation == "verify" else []), meets=operation,
                  **options)
            for operation in operations}


silence, reset = Connection.hang, Connection.reset


def reset_before_request(connection):
    connection.shake_hands()
    connection.reset()


NETWORK = {
    "refused: nobody listens": fault(UNAVAILABLE, absent, Refusing),
    "dropped: no packet is answered": fault(UNAVAILABLE, absent, Dropping, waits=True),
    "TLS 1.1 is all there is": connecting(UNAVAILABLE, {"versions": TLS_1_1}),
    **{f"a certificate {whose}": connecting(UNAVAILABLE, peer) for whose, peer in PEERS.items()},
    **{f"the connection {what}": connecting(UNAVAILABLE, {"connect": for_ever(behaviour)},
                                            waits=what in ("is mute", "stalls in the handshake"))
       for what, behaviour in CONNECTIONS.items()},
    "the connection is reset before the request": connecting(
        UNAVAILABLE, {"connect": for_ever(reset_before_request)}),
    "DNS: nothing answers": unnamed(UNAVAILABLE, NameServer.SILENT, waits=True),
    "DNS: the name does not exist": unnamed(UNAVAILABLE, "nowhere.example"),
    "DNS: the server fails": unnamed(UNAVAILABLE, NameServer.FAILING),
}

TRANSPORT = {
    **at_both("reset after the request", UNAVAILABLE, dropped(reset)),
    **at_both("carried out, and the reply is reset", UNAVAILABLE, lost(reset)),
    **at_both("carried out, and the reply is lost", UNAVAILABLE, lost()),
    **at_both("no answer", UNAVAILABLE, dropped(silence), waits=True),
    **at_both("a byte a second", UNAVAILABLE, drip(1), waits=True),
    **at_both("an endless chunked body", UNAVAILABLE, endless_body),
    **at_both("a flood of headers", UNAVAILABLE, endless_headers),
    **at_both("an endless header", UNAVAILABLE, endless_header),
    **at_both("interim replies without an end", UNAVAILABLE, endless_continue),
    **at_both("a body that is cut", UNAVAILABLE, cut),
    **at_both("no HTTP", UNAVAILABLE, raw(b'{"status": "approved"}')),
    **at_both("a bomb by Content-Encoding", UNAVAILABLE,
              rewrite(lambda body: gzip.compress(bytes(8 << 20)),
                      headers={"Content-Encoding": "gzip"})),
    **at_both("a body that says it is compressed", UNAVAILABLE,
              rewrite(gzip.compress, headers={"Content-Encoding": "gzip"})),
}

STATUS_LINES = {}
for number in (202, 204, 206, 300, 304, 399):
    STATUS_LINES |= at_both(f"HTTP {number}", UNAVAILABLE,
                            rewrite(lambda body, number=number: b"" if number in (204, 304)
                                    else body, number))
STATUS_LINES["HTTP 200, to the creation"] = at_create(UNAVAILABLE, as_status(200))
STATUS_LINES["HTTP 201, to the code"] = at_verify(UNAVAILABLE, as_status(201))
for number in (301, 302, 303, 307, 308):
    STATUS_LINES |= at_both(f"a redirection, HTTP {number}", UNAVAILABLE,
                            as_status(number, {"Location": "/v2/elsewhere"}))
STATUS_LINES |= at_both("HTTP 101", UNAVAILABLE, raw(
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
for number in (408, 500, 502, 503, 599, 600, 999):
    STATUS_LINES |= at_both(f"HTTP {number}", UNAVAILABLE, refuse(number))
STATUS_LINES |= at_both("HTTP 502 in HTML", UNAVAILABLE,
                        refuse(502, body=b"<html>Bad Gateway</html>"))
STATUS_LINES |= at_both("HTTP 429 without a code", EXHAUSTED, refuse(429))
STATUS_LINES |= at_both("HTTP 429, error 20429", EXHAUSTED, refuse(429, 20429))
for number in (400, 401, 403, 418):
    STATUS_LINES |= at_both(f"HTTP {number}", MISCONFIGURED, refuse(number))
STATUS_LINES |= {
    "HTTP 404, to the creation": at_create(MISCONFIGURED, refuse(404)),
    "HTTP 404, to the code": at_verify(DENIED, refuse(404)),
    "error 60324, to the code": at_verify(DENIED, refuse(403, 60324)),
    "error 60323 again and again, to the code": at_verify(DENIED, refuse(403, 60323)),
    "a challenge that was denied": at_verify(DENIED, bend(status="denied")),
    **at_both("error 60322", DENIED, refuse(403, 60322)),
}
for number in (60308, 60309, 60312, 99999):
    STATUS_LINES |= at_both(f"error {number}", EXHAUSTED, refuse(429, number))

BOUND = {}
for field, other in OTHERS.items():
    values = {"absent": ABSENT, "null": None, "of another type": [other], "another's": other}
    for name, value in values.items():
        BOUND[f"{field} {name} in an approval"] = at_verify(
            UNAVAILABLE, bend(**{"status": "approved", field: value}), answer="wrong")
        if field != "sid" or name != "another's":
            BOUND[f"{field} {name} in a new challenge"] = at_create(
                UNAVAILABLE, bend(**{field: value}))

REPLIES = {
    **{f"a reply that {what}": at_verify(UNAVAILABLE, framed(FRAMINGS[what]))
       for what in ("has two lengths", "has a length and chunks", "has a folded field")},
    **{f"a status {what}": at_verify(UNAVAILABLE, bend(status=value))
       for what, value in STATUSES.items()},
    **{f"a new challenge that is {status}": at_create(UNAVAILABLE, bend(status=status))
       for status in ("approved", "denied", "expired")},
    **{f"a reply that {what}": at_verify(UNAVAILABLE, rewrite(change))
       for what, change in BODIES.items()},
    "a new challenge in HTML": at_create(UNAVAILABLE, rewrite(BODIES["is HTML"])),
    "a new challenge in cut JSON": at_create(UNAVAILABLE, rewrite(BODIES["is cut"])),
}

EMULATED = {
    **emulator(UNAVAILABLE, "no-answer", waits=True),
    **emulator(UNAVAILABLE, "close-before"), **emulator(UNAVAILABLE, "close-after"),
    **emulator(UNAVAILABLE, "slow=60000", waits=True),
    **emulator(UNAVAILABLE, "slow-body", waits=True),
    **emulator(UNAVAILABLE, "cut-body"), **emulator(UNAVAILABLE, "endless-body"),
    **emulator(UNAVAILABLE, "giant-body"),
    **emulator(UNAVAILABLE, "status-503"), **emulator(UNAVAILABLE, "status-500/20500"),
    **emulator(UNAVAILABLE, "status-302"), **emulator(EXHAUSTED, "status-429/20429"),
    **emulator(MISCONFIGURED, "status-401/20003"),
    **emulator(MISCONFIGURED, "status-403/60318-rfc9457"),
    **emulator(EXHAUSTED, "status-429/60312"),
    **emulator(UNAVAILABLE, "status-503-html"), **emulator(UNAVAILABLE, "status-503-empty"),
    **emulator(UNAVAILABLE, "wrong-sid", ["verify"]), **emulator(UNAVAILABLE, "wrong-account"),
    **emulator(UNAVAILABLE, "wrong-service"), **emulator(UNAVAILABLE, "wrong-identity"),
    **emulator(UNAVAILABLE, "wrong-factor"), **emulator(UNAVAILABLE, "wrong-type"),
    **emulator(UNAVAILABLE, "status-missing"), **emulator(UNAVAILABLE, "status-null"),
    **emulator(UNAVAILABLE, "status-capitals"), **emulator(UNAVAILABLE, "status-unknown"),
    **emulator(UNAVAILABLE, "status-array"), **emulator(UNAVAILABLE, "status-nul"),
    **emulator(UNAVAILABLE, "duplicate-status"),
    **emulator(UNAVAILABLE, "approved-lie", ["create"]),
    **emulator(UNAVAILABLE, "trailing-bytes"), **emulator(UNAVAILABLE, "bad-json"),
    **emulator(UNAVAILABLE, "deep-json"),
    **emulator(UNAVAILABLE, "field-null:status"), **emulator(UNAVAILABLE, "field-missing:sid"),
    "emulator: a wrong code": fault(DENIED, emulated, [], meets="verify", answer="wrong"),
}
# What the emulator can do besides, and what lets a right code through, as it should: an odd
# Content-Type or Retry-After, the end of a connection after the reply, and an approval that no one
# can tell from a true one.
HARMLESS = {"retry-after", "connection-close", "drop-connection", "content-type-html"}

STARVING = {
    **{f"no {what}": fault(BROKEN, lying, {}, asked=0, starve=what)
       for what in ("descriptors", "memory", "processes")},
    # A caller who starves us must not pass for an outage.
    "no threads": unnamed(MISCONFIGURED, "verify.twilio.com", starve="threads"),
    **{f"no {what}": fault(MISCONFIGURED, lying, {}, starve=what) for what in ("cage", "sockets")},
    "no sockets, and a name": unnamed(MISCONFIGURED, "nowhere.example", starve="sockets"),
    # Whoever can fill the disk keeps nobody out, and lets nobody in.
    "a full disk, and a wrong code": fault(DENIED, lying, {}, meets="verify", answer="wrong",
                                           state_dir=FULL),
    # A recovery code that can't be used up could be used again.
    "a full disk, and a recovery code": fault(DENIED, lying, {}, meets=ANYTHING, answer="recovery",
                                              state_dir=FULL),
    "a full disk, and no answer": at_verify(UNAVAILABLE, dropped(silence), waits=True,
                                            state_dir=FULL),
}

FAULTS = NETWORK | TRANSPORT | STATUS_LINES | BOUND | REPLIES | EMULATED | STARVING
