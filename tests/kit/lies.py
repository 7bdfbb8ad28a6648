# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What a peer may be, and what a reply may say, that must let nobody in: tables {words: value} of
several suites."""

import json
import re
import ssl

from .fixture import ACCOUNT_SID, SERVICE_SID
from .liar import (ABSENT, FACTOR_SID, IDENTITY, close_at_once, close_before_request, mute,
                   reset_at_once, speak_plainly, stall_in_handshake)

# What a connection meets.
CONNECTIONS = {
    "is reset at once": reset_at_once, "is closed at once": close_at_once,
    "is mute": mute, "stalls in the handshake": stall_in_handshake,
    "is closed before the request": close_before_request, "speaks no TLS": speak_plainly,
}

# Whose certificate a server shows.
PEERS = {
    "of another host": {"certificate": "other-host"},
    "signed by itself": {"certificate": "self-signed"},
    "that expired": {"certificate": "expired"},
}

TLS_1_1 = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)

# Fields that bind a challenge: another's value, and ours where it is known beforehand.
OTHERS = {
    "sid": "YC" + "f" * 32,
    "account_sid": "AC" + "f" * 32,
    "service_sid": "VA" + "f" * 32,
    "identity": "another-identity",
    "factor_sid": "YF" + "f" * 32,
    "factor_type": "push",
}
OWN = {"account_sid": ACCOUNT_SID, "service_sid": SERVICE_SID, "identity": IDENTITY,
       "factor_sid": FACTOR_SID, "factor_type": "totp"}

# In place of "approved".
STATUSES = {
    "in capitals": "APPROVED", "capitalised": "Approved", "with a blank behind": "approved ",
    "with a blank before": " approved", "with a NUL behind": "approved\0",
    "with a NUL and more": "approved\0x", "with a line behind": "approved\n", "empty": "",
    "unknown": "granted", "verified": "verified", "true": True, "one": 1, "null": None,
    "absent": ABSENT, "in an array": ["approved"], "in an object": {"approved": "approved"},
    "in full width": "ａｐｐｒｏｖｅｄ",
}

# What becomes of an honest approval.

APPROVED = b'"status": "approved"'


def swap(old, new):
    return lambda body: re.sub(re.escape(old), lambda _: new, body, count=1)


def doubled(first, second):
    return swap(APPROVED, b'"status": "%s", "status": "%s"' % (first, second))


def nested(levels):
    return swap(b'"details": null', b'"details": ' + b'{"x":' * levels + b"1" + b"}" * levels)


BODIES = {
    "has status pending and then approved": doubled(b"pending", b"approved"),
    "has status approved and then pending": doubled(b"approved", b"pending"),
    "has status approved twice": doubled(b"approved", b"approved"),
    "has status twice, once escaped": swap(APPROVED, b'"status": "pending", "\\u0073tatus": '
                                                     b'"approved"'),
    "has a status with a NUL in its key": swap(APPROVED, b'"status": "pending", "status\\u0000x": '
                                                         b'"approved"'),
    "has a NUL in a key alone": swap(APPROVED, b'"status\\u0000x": "approved"'),
    "has a raw NUL in the status": swap(APPROVED, b'"status": "approved\0"'),
    "has a raw NUL behind": lambda body: body + b"\0",
    "has an escaped NUL anywhere": swap(b'"details": null', b'"details": "\\u0000"'),
    "has a doubled key elsewhere": swap(b'"details": null', b'"details": {"a": 1, "a": 2}'),
    "has a bound field twice": lambda body: swap(
        APPROVED, APPROVED + b', "sid": "x"')(body),
    "has trailing bytes": lambda body: body + b"x",
    "has a second document": lambda body: body + b'{"status": "approved"}',
    "is twice there": lambda body: body + body,
    "has a comma behind": lambda body: body[:-1] + b",}",
    "has single quotes": swap(APPROVED, b"'status': 'approved'"),
    "has a key in single quotes": swap(APPROVED, b"'status': \"approved\""),
    "has a second status in single quotes": swap(APPROVED, b"\"status\": \"pending\", "
                                                           b"'status': \"approved\""),
    "has a comment": lambda body: b"/* */" + body,
    "has a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "is no UTF-8": swap(b'"details": null', b'"details": "\xff\xfe"'),
    "is UTF-16": lambda body: body.decode().encode("utf-16"),
    "is nested too deeply": nested(9),
    "is nested far too deeply": nested(2000),
    "is cut": lambda body: body[:-1],
    "is cut in the middle": lambda body: body[:len(body) // 2],
    "is in an array": lambda body: b"[" + body + b"]",
    "is a text": lambda body: json.dumps(body.decode()).encode(),
    "is the status alone": lambda body: b'"approved"',
    "has nothing but the status": lambda body: b'{"status": "approved"}',
    "is null": lambda body: b"null",
    "is true": lambda body: b"true",
    "is an empty object": lambda body: b"{}",
    "is empty": lambda body: b"",
    "is HTML": lambda body: b"<html><body>approved</body></html>",
}


# How long a reply is: what two readers could read differently, or nobody.

def headed(*lines, first="HTTP/1.1 {status} OK", chunked=False):
    """The honest body behind other lines; SIZE in them is the body's."""
    def make(status, body):
        head = "\r\n".join([first.format(status=status), *lines, "", ""])
        head = head.replace("SIZE", str(len(body))).encode("latin-1")
        return head + (b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)
    return make


LENGTH, CHUNKED = "Content-Length: SIZE", "Transfer-Encoding: chunked"

FRAMINGS = {
    "has two lengths": headed(LENGTH, "Content-Length: 5"),
    "has two lengths, the wrong one first": headed("Content-Length: 5", LENGTH),
    "has its length twice": headed(LENGTH, LENGTH),
    "has a list of lengths": headed("Content-Length: SIZE, 5"),
    "has a list of its length": headed("Content-Length: SIZE, SIZE"),
    "has a length with a sign": headed("Content-Length: +SIZE"),
    "has a negative length": headed("Content-Length: -1"),
    "has a length that is no number": headed("Content-Length: SIZE bytes"),
    "has a hexadecimal length": headed("Content-Length: 0xff"),
    "has an empty length": headed("Content-Length:"),
    "has a length of 2^64 more": headed("Content-Length: 18446744073709551617"),
    "has a length and chunks": headed(LENGTH, CHUNKED, chunked=True),
    "has chunks and a length": headed(CHUNKED, LENGTH, chunked=True),
    "has chunks twice": headed(CHUNKED, CHUNKED, chunked=True),
    "has chunks within chunks": headed("Transfer-Encoding: chunked, chunked", chunked=True),
    "has a coding behind its chunks": headed("Transfer-Encoding: chunked, identity", chunked=True),
    "has a coding before its chunks": headed("Transfer-Encoding: identity, chunked", chunked=True),
    "has another coding": headed("Transfer-Encoding: identity", LENGTH),
    "has a coding that nobody knows": headed("Transfer-Encoding: xchunked", chunked=True),
    "has chunks in HTTP/1.0": headed(CHUNKED, first="HTTP/1.0 {status} OK", chunked=True),
    "has no length on a connection that is kept open": headed("Connection: keep-alive"),
    "has a blank before a colon": headed("Content-Length : SIZE"),
    "has a blank before a colon elsewhere": headed(LENGTH, "X-Blank : x"),
    "has a field without a colon": headed(LENGTH, "X-Field"),
    "has a field without a name": headed(LENGTH, ": x"),
    "has a folded field": headed(LENGTH, "X-Folded: a", " Content-Length: 5"),
    "has a blank before its first field": headed(" X: y", LENGTH),
    "has a CR in a field": headed(LENGTH, "X-Field: a\rContent-Length: 5"),
    "has a NUL in a field": headed(LENGTH, "X-Field: a\0b"),
    "has an escape in a field": headed(LENGTH, "X-Field: \x1b[2J"),
    "has a line that ends with LF alone": headed(LENGTH, "X-Field: a\nContent-Length: 5"),
    "has an interim reply with a length": headed(
        "Content-Length: 5", "", "HTTP/1.1 200 OK", LENGTH, first="HTTP/1.1 103 Early"),
    "comes after many interim replies": headed(
        *["", "HTTP/1.1 100 Continue"] * 20, "", "HTTP/1.1 200 OK", LENGTH,
        first="HTTP/1.1 100 Continue"),
    "is of HTTP/1.2": headed(LENGTH, first="HTTP/1.2 {status} OK"),
    "has a length in its trailer": lambda status, body: headed(CHUNKED, chunked=True)(
        status, body)[:-2] + b"Content-Length: 5\r\n\r\n",
}
