# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What a peer may be, and what a reply may say, that must let nobody in: tables {words: value} of
several suites."""

import json
import re
import ssl

from fixture import ACCOUNT_SID, SERVICE_SID
from liar import (ABSENT, FACTOR_SID, IDENTITY, close_at_once, close_before_request, mute,
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
