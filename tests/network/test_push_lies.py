# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A push against a server that lies: nobody is asked for the number, let alone let in.

    BUILD=build /usr/bin/python3 tests/tap.py tests/network/test_push_lies.py
"""

import copy

from kit.checkcase import CheckTest, load_tests
from kit.liar import (IDENTITY, PUSH_FACTOR_SID, Connection, as_status, bend, cut, drip, dropped,
                      endless_body, endless_header, for_ever, honest, lost, raw, refuse, rewrite,
                      slowly)
from kit.lies import BODIES, OTHERS, OWN, STATUSES
from kit.parallel import each

ALONE = 'ask-secret Type "push" to ask your phone: '
NUMBER = "ask Number on your phone: "
CREATE, FETCH = "create", "fetch"
FIELDS = OTHERS | {"factor_type": "totp"}
OURS = OWN | {"factor_sid": PUSH_FACTOR_SID, "factor_type": "push"}


class Lie(CheckTest):
    def begin(self, timeout=3, **script):
        server = self.liar(**script)
        host = self.host(server, users=(), service={"timeout_seconds": timeout})
        host.enroll("alice").write_text(f'identity = "{IDENTITY}";\n'
                                        f'push_factor_sid = "{PUSH_FACTOR_SID}";\n')
        login = self.login(host)
        login.expect_prompt(ALONE)
        login.timeout = 30
        login.answer("push")
        return server, login

    def refuse(self, outcome, reason="^", kinds=None, **arguments):
        server, login = self.begin(**arguments)
        self.assert_outcome(login, outcome, reason)
        self.assertNotIn(NUMBER, login.lines)
        self.assertEqual(server.kinds, kinds)

    def let_in(self, **arguments):
        server, login = self.begin(**arguments)
        login.expect_prompt(NUMBER)
        login.answer(server.number)
        self.assert_outcome(login, "approved", "^PUSH approved")


def at_create(outcome, behaviour, requests=1, **arguments):
    return {"outcome": outcome, "kinds": [CREATE] * requests,
            "create": for_ever(behaviour)} | arguments


def at_fetch(outcome, *behaviours, requests=1, **arguments):
    """The last one is what every further fetch meets."""
    return {"outcome": outcome, "kinds": [CREATE] + [FETCH] * requests,
            "fetch": [*behaviours[:-1], *[behaviours[-1]] * 20]} | arguments


def another_challenge(exchange):
    """Of the same factor, approved: somebody else made it."""
    _, body = exchange.carry_out()
    exchange.reply(200, copy.deepcopy(body) | {"sid": "YC" + "e" * 32, "status": "approved"})


pending = bend(status="pending")

CREATIONS = {
    "approved at once": at_create("unavailable", bend(status="approved"), reason="not pending"),
    "denied at once": at_create("unavailable", bend(status="denied"), reason="not pending"),
    "expired at once": at_create("unavailable", bend(status="expired"), reason="not pending"),
    "lost": at_create("unavailable", lost()),
    "reset": at_create("unavailable", lost(Connection.reset)),
    "cut": at_create("unavailable", cut),
    "never answered": at_create("unavailable", dropped(Connection.hang)),
    "answered byte by byte": at_create("unavailable", drip(0.1)),
    "endless": at_create("unavailable", endless_body),
    "endless in its head": at_create("unavailable", endless_header),
    "no HTTP": at_create("unavailable", raw(b"approved\r\n\r\n")),
} | {
    f"of another {field}": at_create("unavailable", bend(**{field: other}), reason=field)
    for field, other in FIELDS.items() if field != "sid"
} | {
    f"with HTTP {status}": at_create("unavailable", as_status(status))
    for status in (200, 202, 203, 204, 206, 301, 302, 307, 308, 408, 500, 502, 503, 504)
} | {
    f"with HTTP {status}": at_create("misconfigured", as_status(status))
    for status in (400, 401, 403, 404, 405, 409, 410, 418, 422, 451)
} | {
    f"refused with {status} {code}": at_create(outcome, refuse(status, code), requests)
    for outcome, status, code, requests in (
        ("exhausted", 429, 20429, 2), ("exhausted", 429, None, 1), ("exhausted", 403, 60312, 1),
        ("misconfigured", 403, 60318, 1), ("misconfigured", 404, 20404, 1))
}

FETCHES = {
    "of another challenge after a pending one": at_fetch("unavailable", pending, another_challenge,
                                                         requests=2, reason="sid"),
    "pending for a totp challenge": at_fetch("unavailable", bend(factor_type="totp",
                                                                 status="pending")),
    "lost twice": at_fetch("unavailable", lost(), requests=2),
    "cut": at_fetch("unavailable", cut, requests=2),
    "never answered": at_fetch("unavailable", dropped(Connection.hang), requests=2),
    "answered byte by byte": at_fetch("unavailable", drip(0.1), requests=2),
    "endless": at_fetch("unavailable", endless_body, requests=2),
} | {
    f"of another {field}": at_fetch("unavailable", bend(**{field: other}), reason=field)
    for field, other in FIELDS.items()
} | {
    f"with the status {name}": at_fetch("unavailable", bend(status=value))
    for name, value in STATUSES.items()
} | {
    f"whose reply {name}": at_fetch("unavailable", rewrite(change))
    for name, change in BODIES.items()
} | {
    f"with HTTP {status}": at_fetch("unavailable", as_status(status))
    for status in (201, 202, 203, 204, 206, 301, 302, 307, 308, 408, 500, 502, 503, 504)
} | {
    f"with HTTP {status}": at_fetch("misconfigured", as_status(status))
    for status in (400, 401, 403, 405, 409, 410, 418, 422, 451)
} | {
    "with HTTP 404": at_fetch("denied", as_status(404)),
    "refused with 429 20429": at_fetch("exhausted", refuse(429, 20429), requests=2),
    "refused with 403 60322": at_fetch("denied", refuse(403, 60322)),
}

HONEST = {
    "at once": {},
    "after a pending one": {"fetch": [pending, honest]},
    "after one that was lost": {"fetch": [lost()]},
    "after too many at once": {"fetch": [refuse(429, 20429)]},
    "slowly": {"fetch": [slowly(2)]},
    "with every bound field named": {"fetch": [bend(**OURS)]},
}


@each(refuse=CREATIONS)
class Creating(Lie):
    """The reply to the creation of a push is a lie or none."""


@each(refuse=FETCHES)
class Fetching(Lie):
    """The reply that tells how a push stands is a lie or none."""


@each(let_in=HONEST)
class Honest(Lie):
    """The same way with an honest reply, so that the others measure the lie."""
