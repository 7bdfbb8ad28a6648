# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A raw TLS server that keeps challenges as Twilio does, lies where a test says so, and notes what
arrived: connections, requests, TLS records, segments. Standard library only.

    with Liar(directory, verify=[lost()]) as liar:
        ...
        liar.kinds == ["create", "verify", "fetch"]
"""

import base64
import contextlib
import copy
import itertools
import json
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse
import uuid
import warnings

from .fixture import (ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, AUTH_TOKEN, SERVICE_SID,
                      make_certificates)

IDENTITY = "7f3c5d0e-9a1b-4c1d-8e2f-5a6b7c8d9e0f"
FACTOR_SID = "YF" + "3123456789abcdef" * 2
PUSH_FACTOR_SID = "YF" + "5123456789abcdef" * 2
RIGHT, WRONG, OTHER_WRONG = "246801", "135790", "135791"

ABSENT = object()  # for bend(): the field is not there
ATTEMPTS_MAX = 5
CREDENTIALS = {f"{API_KEY_SID}:{API_KEY_SECRET}", f"{ACCOUNT_SID}:{AUTH_TOKEN}"}


class Gone(Exception):
    """The other side, or the test, ended the connection."""


def for_ever(behaviour):
    return itertools.repeat(behaviour)


def make_liars_certificates(directory):
    """The fixture's certificates, and those that nobody should trust."""
    make_certificates(directory)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-days", "30", "-subj", "/CN=localhost", "-keyout",
            "self-signed.key", "-out", "self-signed.pem", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name, host, days in (("other-host", "DNS:verify.example.com", "30"),
                             ("expired", "DNS:localhost,IP:127.0.0.1", "0")):
        (directory / "extensions").write_text(f"subjectAltName={host}\n")
        openssl("req", *new_key, "-subj", "/CN=localhost", "-keyout", name + ".key", "-out",
                name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", days, "-extfile", "extensions", "-out", name + ".pem")
    make_future_certificate(directory, openssl)
    # OpenSSL 3.5 makes no certificate that ended in the past: wait out the second of its making.
    time.sleep(1.1)


def make_future_certificate(directory, openssl):
    """One that is not valid yet: openssl-ca(1) alone can set its beginning."""
    (directory / "ca.cnf").write_text(
        "[ca]\ndefault_ca = one\n[one]\ndatabase = index\nnew_certs_dir = .\nserial = serial\n"
        "certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\npolicy = any\n"
        "[any]\ncommonName = supplied\n")
    (directory / "index").write_text("")
    (directory / "serial").write_text("1000\n")
    (directory / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=localhost", "-keyout", "future.key", "-out", "future.csr")
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-extfile", "extensions", "-in",
            "future.csr", "-out", "future.pem", "-startdate", "20900101000000Z", "-enddate",
            "20910101000000Z")


class Records:
    """TLS over a socket, fed one record after another."""

    def __init__(self, peer, context):
        self.peer = peer
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.raw = b""

    def receive(self):
        """Whatever bytes come next."""
        try:
            got = self.peer.recv(65536)
        except OSError:
            got = b""
        if not got:
            raise Gone
        self.raw += got

    def take_record(self):
        while len(self.raw) < 5 or len(self.raw) < 5 + int.from_bytes(self.raw[3:5], "big"):
            self.receive()
        size = 5 + int.from_bytes(self.raw[3:5], "big")
        self.incoming.write(self.raw[:size])
        self.raw = self.raw[size:]

    def flush(self):
        try:
            self.peer.sendall(self.outgoing.read())
        except OSError:
            raise Gone from None

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self.flush()
                return
            except ssl.SSLWantReadError:
                self.flush()
                self.take_record()
            except ssl.SSLError:
                with contextlib.suppress(Gone):
                    self.flush()
                raise Gone from None

    def read(self):
        """The plain text of one record."""
        while True:
            self.take_record()
            try:
                got = self.tls.read(65536)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                raise Gone from None
            if not got:
                raise Gone
            return got

    def write(self, data):
        try:
            self.tls.write(data)
        except ssl.SSLError:
            raise Gone from None
        self.flush()


def count_segments(peer):
    """The segments with data in them that came, by the kernel's word: TCP_INFO."""
    info = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return struct.unpack_from("I", info, 152)[0]


class Request:
    """One request as it arrived."""

    def __init__(self, raw, connection, records, segments):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw, self.connection = raw, connection
        self.records, self.segments = records, segments  # of the first one with the handshake's
        self.at, self.is_answered = time.monotonic(), False
        self.method, self.path, self.version = lines[0].split(" ", 2)
        pairs = (line.partition(":") for line in lines[1:])
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.form = dict(urllib.parse.parse_qsl(self.body.decode("latin-1"),
                                                keep_blank_values=True))
        self.code = self.form.get("AuthPayload")

    @property
    def kind(self):
        prefix = f"/v2/Services/{SERVICE_SID}/Entities/{IDENTITY}/Challenges"
        if not self.path.startswith(prefix):
            return "other"
        rest = self.path[len(prefix):]
        if self.method == "POST" and rest == "":
            return "create"
        if rest.startswith("/YC") and rest.count("/") == 1:
            return {"POST": "verify", "GET": "fetch"}.get(self.method, "other")
        return "other"


class Connection:
    """One connection, and what may be done to it."""

    def __init__(self, liar, peer, number):
        self.liar, self.peer, self.number = liar, peer, number
        self.began_at, self.ended_at = time.monotonic(), None
        self.stands = False  # the handshake is done
        self.version = None
        self.records = None
        self.segments = 0  # of those that belong to what was read so far

    def run(self):
        try:
            self.liar.next_behaviour("connect")(self)
        except Gone:
            pass
        finally:
            self.close()
            self.ended_at = time.monotonic()

    def serve(self):
        """As an honest server: a handshake, then one request after another."""
        self.shake_hands()
        self.serve_requests()

    def serve_requests(self):
        while True:
            request = self.read_request()
            self.liar.note(request)
            self.liar.next_behaviour(request.kind)(Exchange(self.liar, self, request))
            request.is_answered = True

    def shake_hands(self):
        self.records = Records(self.peer, self.liar.context)
        self.records.handshake()
        self.version = self.records.tls.version()
        self.stands = True

    def read_request(self):
        raw, records, before = b"", 0, self.segments
        while b"\r\n\r\n" not in raw or len(raw) < self.size_of(raw):
            raw += self.records.read()
            records += 1
        self.segments = count_segments(self.peer)
        return Request(raw, self.number, records, self.segments - before)

    @staticmethod
    def size_of(raw):
        head, end, _ = raw.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n")
                   if line.startswith(b"content-length:")]
        return len(head) + len(end) + (int(lengths[0].split(b":")[1]) if lengths else 0)

    def hang(self):
        """Silence until the client goes, or the test."""
        while True:
            try:
                if not self.peer.recv(65536):
                    raise Gone
            except OSError:
                raise Gone from None

    def close(self):
        # In this order: another thread may be inside recv().
        with contextlib.suppress(OSError):
            self.peer.shutdown(socket.SHUT_RDWR)
        self.peer.close()

    def reset(self):
        with contextlib.suppress(OSError):
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()
        raise Gone


# What a connection may meet.

def serve(connection):
    connection.serve()


def mute(connection):
    connection.hang()


def reset_at_once(connection):
    connection.reset()


def close_at_once(connection):
    raise Gone


def stall_in_handshake(connection):
    """Half of the server's first flight, then silence."""
    records = Records(connection.peer, connection.liar.context)
    records.take_record()
    with contextlib.suppress(ssl.SSLWantReadError):
        records.tls.do_handshake()
    connection.peer.sendall(records.outgoing.read()[:100])
    connection.hang()


def close_before_request(connection):
    connection.shake_hands()
    raise Gone


def late(seconds):
    """The handshake begins SECONDS later."""
    def behaviour(connection):
        time.sleep(seconds)
        connection.serve()
    return behaviour


def speak_plainly(connection):
    """HTTP without TLS."""
    connection.peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.hang()


class Exchange:
    """One request on its way to a reply."""

    def __init__(self, liar, connection, request):
        self.liar, self.connection, self.request = liar, connection, request

    def carry_out(self):
        """The honest status and body; the state changes."""
        return self.liar.carry_out(self.request)

    def write(self, data):
        self.connection.records.write(data)

    def reply(self, status, body, headers=(), length=None):
        """BODY: bytes, or an object for JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        named = {"Content-Type": "application/json", "Twilio-Request-Id": "RQ" + uuid.uuid4().hex,
                 "Content-Length": len(body) if length is None else length} | dict(headers)
        lines = [f"HTTP/1.1 {status} Reason"]
        lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
        self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


# What a request may meet.

def honest(exchange):
    exchange.reply(*exchange.carry_out())


def error_body(status, code):
    body = {"message": "Error", "status": status}
    if code is not None:
        body |= {"code": code, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return body


def refuse(status, code=None, headers=(), body=None):
    """An error, not carried out."""
    return lambda exchange: exchange.reply(
        status, error_body(status, code) if body is None else body, headers)


def as_status(status, headers=()):
    """Carried out, with another status."""
    return lambda exchange: exchange.reply(status, exchange.carry_out()[1], headers)


def bend(**fields):
    """Carried out; the reply has these fields in place of its own."""
    def behaviour(exchange):
        status, body = exchange.carry_out()
        body = {name: value for name, value in (body | fields).items() if value is not ABSENT}
        exchange.reply(status, body)
    return behaviour


def rewrite(change, status=None, headers=()):
    """Carried out; CHANGE makes other bytes of the body's."""
    def behaviour(exchange):
        honest_status, body = exchange.carry_out()
        exchange.reply(status or honest_status, change(json.dumps(body).encode()), headers)
    return behaviour


def ends(carried_out, how):
    """No reply. HOW: Connection.close, .reset or .hang."""
    def behaviour(exchange):
        if carried_out:
            exchange.carry_out()
        how(exchange.connection)
        raise Gone
    return behaviour


def lost(how=Connection.close):
    """Carried out, and the reply gets lost."""
    return ends(True, how)


def dropped(how=Connection.close):
    """Not carried out."""
    return ends(False, how)


def then_ends(how=Connection.close, headers=()):
    """The honest reply, then the end of the connection."""
    def behaviour(exchange):
        status, body = exchange.carry_out()
        exchange.reply(status, body, headers)
        how(exchange.connection)
        raise Gone
    return behaviour


def says_goodbye(connection):
    """Ends TLS as it should be."""
    with contextlib.suppress(ssl.SSLError):
        connection.records.tls.unwrap()
    connection.records.flush()
    connection.close()


def slowly(seconds, behaviour=honest):
    def slow(exchange):
        time.sleep(seconds)
        behaviour(exchange)
    return slow


def drip(seconds):
    """The honest reply, a byte every SECONDS."""
    def behaviour(exchange):
        status, body = exchange.carry_out()
        body = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} Reason\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for byte in head + body:
            exchange.write(bytes([byte]))
            time.sleep(seconds)
    return behaviour


def cut(exchange):
    """Half of the body that was promised."""
    status, body = exchange.carry_out()
    body = json.dumps(body).encode()
    exchange.reply(status, body[:len(body) // 2], length=len(body))
    raise Gone


def until_closed(exchange):
    """A body without a length, which ends with the connection."""
    exchange.reply(*exchange.carry_out(), headers={"Content-Length": None})
    says_goodbye(exchange.connection)
    raise Gone


def endless(head, chunk):
    def behaviour(exchange):
        exchange.carry_out()
        exchange.write(head)
        while True:
            exchange.write(chunk)
    return behaviour


endless_body = endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       b"4000\r\n" + b" " * 0x4000 + b"\r\n")
endless_headers = endless(b"HTTP/1.1 200 OK\r\n", b"X-Padding: " + b"x" * 8000 + b"\r\n")
endless_header = endless(b"HTTP/1.1 200 OK\r\nX-Padding: ", b"x" * 16000)
endless_continue = endless(b"", b"HTTP/1.1 100 Continue\r\nX-Padding: xxxxxxxx\r\n\r\n" * 100)


def framed(make):
    """Carried out; MAKE(status, body) makes the bytes of the reply. The connection stays."""
    def behaviour(exchange):
        status, body = exchange.carry_out()
        exchange.write(make(status, json.dumps(body).encode()))
    return behaviour


def with_another(make, pause=0):
    """Carried out; behind the honest reply comes another one, PAUSE seconds later, with what
    MAKE(body) makes of the honest body."""
    def behaviour(exchange):
        status, body = exchange.carry_out()
        honest, other = json.dumps(body).encode(), make(json.dumps(body).encode())
        both = [b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n%s" % (number, len(text), text)
                for number, text in ((status, honest), (200, other))]
        if pause == 0:
            exchange.write(b"".join(both))
            return
        exchange.write(both[0])
        time.sleep(pause)
        exchange.write(both[1])
    return behaviour


def raw(data):
    """Carried out; these very bytes for a reply, and the end."""
    def behaviour(exchange):
        exchange.carry_out()
        exchange.write(data)
        raise Gone
    return behaviour


class Liar:
    """CONNECT, CREATE, VERIFY, FETCH: what the next ones of their kind meet; then all is honest. A
    phone approves each push before it is fetched."""

    def __init__(self, directory, *, connect=(), create=(), verify=(), fetch=(),
                 certificate="server", versions=None, open_gate=True):
        self.scripts = {"connect": iter(connect), "create": iter(create), "verify": iter(verify),
                        "fetch": iter(fetch)}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / (certificate + ".pem"),
                                     directory / (certificate + ".key"))
        if versions is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.context.set_ciphers("ALL:@SECLEVEL=0")
                self.context.minimum_version, self.context.maximum_version = versions
        self.lock = threading.Lock()
        self.connections, self.requests, self.threads = [], [], []
        self.challenges = {}
        self.bystander = None  # a challenge that somebody else made
        self.gate = threading.Event()  # connections are accepted when it is open
        if open_gate:
            self.gate.set()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.ended = False
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()
        return self

    def __exit__(self, *exception):
        self.ended = True
        self.gate.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join(5)
        self.listener.close()
        for connection in self.connections:
            connection.close()
        for thread in self.threads:
            thread.join(5)

    def _accept(self):
        while True:
            self.gate.wait()
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            if self.ended:
                peer.close()
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                connection = Connection(self, peer, len(self.connections))
                self.connections.append(connection)
            thread = threading.Thread(target=connection.run, daemon=True)
            self.threads.append(thread)
            thread.start()

    def next_behaviour(self, kind):
        with self.lock:
            return next(self.scripts.get(kind, iter(())), serve if kind == "connect" else honest)

    def note(self, request):
        with self.lock:
            self.requests.append(request)

    # What came:

    @property
    def kinds(self):
        return [request.kind for request in self.requests]

    @property
    def codes(self):
        """Every code that came, in order: one that came twice stands twice."""
        return [request.code for request in self.requests if request.code is not None]

    def wait(self, condition, seconds=30):
        """Waits until CONDITION(self); False: it did not come."""
        end = time.monotonic() + seconds
        while not condition(self):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    # The API:

    def add_challenge(self, status="pending"):
        sid = "YC" + uuid.uuid4().hex
        self.challenges[sid] = {
            "sid": sid, "account_sid": ACCOUNT_SID, "service_sid": SERVICE_SID,
            "entity_sid": "YE" + "4123456789abcdef" * 2, "identity": IDENTITY,
            "factor_sid": FACTOR_SID, "factor_type": "totp", "status": status,
            "date_created": "2026-01-02T03:04:05Z", "date_updated": "2026-01-02T03:04:05Z",
            "date_responded": None, "expiration_date": "2026-01-02T03:09:05Z",
            "responded_reason": "none", "details": None, "hidden_details": None, "metadata": None,
            "url": f"https://verify.twilio.com/v2/{sid}", "links": {"notifications": f"/{sid}"},
            "attempts": 0}
        return self.challenges[sid]

    def _add_push(self, form):
        self.number = json.loads(form["Details.Fields"])["value"]
        challenge = self.add_challenge()
        challenge |= {"factor_sid": PUSH_FACTOR_SID, "factor_type": "push"}
        return challenge

    @staticmethod
    def shown(challenge):
        return {name: value for name, value in copy.deepcopy(challenge).items()
                if name != "attempts"}

    def carry_out(self, request):
        with self.lock:
            return self._carry_out(request)

    def _carry_out(self, request):
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic" or base64.b64decode(encoded).decode() not in CREDENTIALS:
            return 401, error_body(401, 20003)
        if request.kind == "create" and request.form.get("FactorSid") == FACTOR_SID:
            challenge = self.add_challenge()
            self._judge(challenge, request.code)
            return 201, self.shown(challenge)
        if request.kind == "create" and request.form.get("FactorSid") == PUSH_FACTOR_SID:
            return 201, self.shown(self._add_push(request.form))
        challenge = self.challenges.get(request.path.rpartition("/")[2])
        if challenge is None:
            return 404, error_body(404, 20404)
        if challenge["factor_type"] == "push":
            challenge["status"] = "approved"
        if request.kind == "verify":
            if challenge["status"] == "expired":
                return 403, error_body(403, 60323)
            if challenge["status"] != "pending":
                return 403, error_body(403, 60322)
            if challenge["attempts"] >= ATTEMPTS_MAX:
                return 429, error_body(429, 60308)
            self._judge(challenge, request.code)
        return 200, self.shown(challenge)

    @staticmethod
    def _judge(challenge, code):
        challenge["attempts"] += code is not None
        if code == RIGHT:
            challenge |= {"status": "approved", "date_responded": "2026-01-02T03:05:06Z"}
