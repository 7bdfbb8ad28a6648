# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program against a network that fails and a server that lies.

    BUILD=build /usr/bin/python3 tests/tap.py tests/network/test_network.py
"""

import gzip
import socket
import ssl
import threading
import time

from kit.checkcase import PROMPT, WRONG_PROMPT, CheckTest, load_tests, needs_root
from kit.fixture import SERVICE_SID
from kit.liar import (ABSENT, FACTOR_SID, IDENTITY, RIGHT, WRONG, Connection, as_status, bend,
                      close_at_once, close_before_request, cut, drip, dropped, endless_body,
                      endless_continue, endless_header, endless_headers, for_ever, framed, honest,
                      late, lost, raw, refuse, reset_at_once, rewrite, says_goodbye, then_ends,
                      until_closed, with_another)
from kit import liar
from kit.lies import (BODIES, CONNECTIONS, FRAMINGS, OTHERS, OWN, PEERS, STATUSES, TLS_1_1, headed,
                      swap)
from kit.parallel import each
from kit.servers import copy_stream

CREATE, VERIFY, FETCH = "create", "verify", "fetch"
silence, reset = Connection.hang, Connection.reset


class Fault(CheckTest):

    def play(self, outcome, reason="^", kinds=None, answers=(RIGHT,), wait=False, timeout=3,
             codes=None, login=None, **script):
        """One login to its verdict. KINDS: the requests that came. WAIT: the user takes his time
        until the creation was answered."""
        server = self.liar(**script)
        host = self.host(server, service={"timeout_seconds": timeout}, login=login)
        run = self.login(host)
        for number, answer in enumerate(answers):
            run.expect_prompt(WRONG_PROMPT if number else PROMPT)
            if wait and number == 0:
                self.assertTrue(server.wait(lambda server: server.kinds))
                time.sleep(0.1)
            run.answer(answer)
        self.assert_outcome(run, outcome, reason)
        if kinds is not None:
            self.assertEqual(server.kinds, kinds)
        self.assertEqual(server.codes, list(answers) if codes is None else codes)
        return server, run


def row(outcome, kinds=None, **arguments):
    return {"outcome": outcome, "kinds": kinds} | arguments


def at_create(outcome, behaviour, requests, **arguments):
    """The creation fails for ever: no code leaves."""
    return row(outcome, [CREATE] * requests, create=for_ever(behaviour), codes=[], **arguments)


def at_verify(outcome, *behaviours, **arguments):
    """The reply to the code is told: nothing is asked or sent again."""
    return row(outcome, [CREATE, VERIFY], verify=behaviours, **arguments)


def unsure(*behaviours, then, **arguments):
    """The reply to the code gets lost: it is asked for, and the code is not sent again."""
    return row(then, [CREATE, VERIFY, FETCH], verify=behaviours, **arguments)


def redirect(location):
    return {"Location": location}


CREATE_STATUSES = {}
for number in (200, 202, 203, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 399, 408, 500, 502, 503, 504, 599):
    CREATE_STATUSES[f"unavailable after HTTP {number} for a creation"] = at_create(
        "unavailable", refuse(number, body=b"" if number in (204, 304) else None), 2,
        reason=f"HTTP {number}")
for number in (400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 418, 422, 451, 499):
    CREATE_STATUSES[f"misconfigured after HTTP {number} for a creation"] = at_create(
        "misconfigured", refuse(number), 1, reason=f"HTTP {number}")
for status, code, outcome in (
        (401, 20003, "misconfigured"), (404, 20404, "misconfigured"), (400, 60200, "misconfigured"),
        (403, 60204, "misconfigured"), (400, 60306, "misconfigured"), (403, 60318, "misconfigured"),
        (403, 60322, "denied"), (403, 60323, "misconfigured"), (403, 60324, "misconfigured"),
        (404, 60390, "misconfigured"), (404, 60392, "misconfigured"), (403, 70051, "misconfigured"),
        (400, 99999, "misconfigured"), (429, 60312, "exhausted"), (429, 60308, "exhausted"),
        (429, 60309, "exhausted"), (429, 60310, "exhausted"), (429, 60318, "exhausted"),
        (429, 60324, "exhausted"), (429, 99999, "exhausted")):
    CREATE_STATUSES[f"{outcome} after {status}/{code} for a creation"] = at_create(
        outcome, refuse(status, code), 1, reason=rf"HTTP {status}, error {code}")
CREATE_STATUSES |= {
    "unavailable after 503 with the code of a limit": at_create(
        "unavailable", refuse(503, 60312), 2),
    "unavailable after 503 with the code of too many requests": at_create(
        "unavailable", refuse(503, 20429), 2),
    "exhausted after 429 without a code": at_create(
        "exhausted", refuse(429), 1, reason="HTTP 429, error 0: too many requests"),
    "exhausted after 429 without a body": at_create("exhausted", refuse(429, body=b""), 1),
    "exhausted after 429 in HTML": at_create(
        "exhausted", refuse(429, body=b"<html>20429</html>"), 1),
    "exhausted after 429 with a code that is a text": at_create(
        "exhausted", refuse(429, body={"code": "20429"}), 1),
    "exhausted after 429 with a doubled code": at_create(
        "exhausted", refuse(429, body=b'{"code": 20429, "code": 60312}'), 1),
    "exhausted after 429 while the user types": at_create(
        "exhausted", refuse(429), 1, wait=True),
    "misconfigured after 403 in HTML": at_create(
        "misconfigured", refuse(403, body=b"<html>Forbidden</html>"), 1),
    "misconfigured after 401 without a body": at_create("misconfigured", refuse(401, body=b""), 1),
    "exhausted after a limit in RFC 9457's form": at_create(
        "exhausted", refuse(429, body={"type": "x", "title": "y", "status": 429, "code": 60312}),
        1),
    "misconfigured after 403 with an approved challenge": at_create(
        "misconfigured", as_status(403), 1),
    "exhausted after too many requests for ever": at_create(
        "exhausted", refuse(429, 20429), 2, reason="too many requests"),
    "approved after a creation that failed once": row(
        "approved", [CREATE, CREATE, VERIFY], create=[refuse(500)], wait=True),
    "approved after a creation that was answered with 200 once": row(
        "approved", [CREATE, CREATE, VERIFY], create=[as_status(200)], wait=True),
    "approved after a creation whose reply got lost": row(
        "approved", [CREATE, CREATE, VERIFY], create=[lost()], wait=True),
    "approved after a creation whose reply was cut": row(
        "approved", [CREATE, CREATE, VERIFY], create=[cut], wait=True),
    "approved after too many requests once": row(
        "approved", [CREATE, CREATE, VERIFY], create=[refuse(429, 20429)], wait=True),
    "approved after too many requests once with a pause": row(
        "approved", [CREATE, CREATE, VERIFY],
        create=[refuse(429, 20429, {"Retry-After": "1"})]),
    "exhausted when the creation's pause is longer than the limit": at_create(
        "exhausted", refuse(429, 20429, {"Retry-After": "60"}), 1),
    "unavailable when nothing answers a creation": at_create("unavailable", dropped(silence), 2,
                                                             wait=True, timeout=2),
    "unavailable when creations are reset": at_create("unavailable", dropped(reset), 2),
    "unavailable when a creation is endless": at_create("unavailable", endless_body, 2),
    "unavailable when a creation's headers are endless": at_create(
        "unavailable", endless_headers, 2),
    "unavailable when a creation drips": at_create("unavailable", drip(0.1), 2, wait=True),
}

BOUND = {}
for field, other in OTHERS.items():
    values = {"absent": ABSENT, "null": None, "a number": 1, "true": True, "empty": "",
              "an array": [OWN.get(field, "x")], "an object": {"x": OWN.get(field, "x")},
              "another's": other}
    if field in OWN:
        values |= {"ours in the other case": OWN[field].swapcase(),
                   "ours and a NUL": OWN[field] + "\0", "ours and a blank": OWN[field] + " "}
    for name, value in values.items():
        BOUND[f"unavailable when the approval's {field} is {name}"] = at_verify(
            "unavailable", bend(**{"status": "approved", field: value}), answers=[WRONG])
        BOUND[f"unavailable when the pending challenge's {field} is {name}"] = at_verify(
            "unavailable", bend(**{"status": "pending", field: value}), answers=[WRONG])
        if field != "sid" or name != "another's":
            BOUND[f"unavailable when the new challenge's {field} is {name}"] = at_create(
                "unavailable", bend(**{field: value}), 2)
for name, sid in {"has a path": "YC" + "0" * 29 + "/..", "has a query": "YC" + "0" * 30 + "?x",
                  "is short": "YC" + "0" * 31, "is long": "YC" + "0" * 33,
                  "is small": "yc" + "0" * 32, "is a factor's": "YF" + "0" * 32}.items():
    BOUND[f"unavailable when the new challenge's sid {name}"] = at_create(
        "unavailable", bend(sid=sid), 2)
for field, other in OTHERS.items():
    BOUND[f"the reason names a new challenge's {field} that is another's"] = at_create(
        "unavailable", bend(**{field: other if field != "sid" else "YC"}), 2,
        reason=rf"does not match this login: {field}\b")
    BOUND[f"the reason names an approval's {field} that is another's"] = at_verify(
        "unavailable", bend(**{field: other}), reason=rf"does not match this login: {field}\b")

STATUS_ROWS = {}
for name, value in STATUSES.items():
    STATUS_ROWS[f"unavailable when the status is {name}"] = at_verify(
        "unavailable", bend(status=value))
    STATUS_ROWS[f"unavailable when the fetched status is {name}"] = unsure(
        lost(), then="unavailable", fetch=[bend(status=value)])
    STATUS_ROWS[f"unavailable when the new challenge's status is {name}"] = at_create(
        "unavailable", bend(status=value), 2)
for value in ("approved", "denied", "expired"):
    STATUS_ROWS[f"unavailable when the new challenge is {value}"] = at_create(
        "unavailable", bend(status=value), 2)

BODY_ROWS = {}
for name, change in BODIES.items():
    BODY_ROWS[f"unavailable when the reply {name}"] = at_verify("unavailable", rewrite(change))
BODY_ROWS |= {
    "unavailable when a new challenge is HTML": at_create(
        "unavailable", rewrite(lambda body: b"<html></html>"), 2),
    "unavailable when a new challenge is cut JSON": at_create(
        "unavailable", rewrite(lambda body: body[:-1]), 2),
    "unavailable when a new challenge has a doubled status": at_create(
        "unavailable", rewrite(swap(b'"status": "pending"',
                                    b'"status": "approved", "status": "pending"')), 2),
    "unavailable when the reply says that it is compressed": at_verify(
        "unavailable", rewrite(lambda body: gzip.compress(body),
                               headers={"Content-Encoding": "gzip"})),
    "unavailable when the reply is a bomb": at_verify(
        "unavailable", rewrite(lambda body: gzip.compress(bytes(8 << 20)),
                               headers={"Content-Encoding": "gzip"})),
    "approved when the reply has blanks around": row(
        "approved", verify=[rewrite(lambda body: b" \r\n" + body + b"\r\n ")]),
    "approved when the reply has fields that nobody knows": row(
        "approved", verify=[bend(new_field={"a": [1, {"b": "c:d"}]}, another="x\\\"y:")]),
    "approved when the reply is text/html by its header": row(
        "approved", verify=[rewrite(lambda body: body, headers={"Content-Type": "text/html"})]),
    "approved when the reply has no length and ends with the connection": row(
        "approved", verify=[until_closed]),
    "approved when the reply comes in chunks": row(
        "approved", verify=[rewrite(
            lambda body: b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9,
                                                              body[9:]),
            headers={"Content-Length": None, "Transfer-Encoding": "chunked"})]),
}

VERIFY_STATUSES = {}
for number in (201, 202, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 399):
    VERIFY_STATUSES[f"unavailable after HTTP {number} with an approval"] = at_verify(
        "unavailable", rewrite(lambda body: body, number) if number not in (204, 304)
        else rewrite(lambda body: b"", number), reason=f"HTTP {number}")
for number in (408, 500, 501, 502, 503, 504, 599):
    VERIFY_STATUSES[f"unavailable after HTTP {number} with an approval"] = at_verify(
        "unavailable", rewrite(lambda body: body, number), reason=f"HTTP {number}")
for number in (400, 401, 402, 403, 405, 409, 410, 413, 418, 422, 451, 499):
    VERIFY_STATUSES[f"misconfigured after HTTP {number} with an approval"] = at_verify(
        "misconfigured", rewrite(lambda body: body, number), reason=f"HTTP {number}")
for status, code, outcome in (
        (401, 20003, "misconfigured"), (404, 20404, "denied"), (404, 60391, "denied"),
        (404, 60390, "denied"), (404, None, "denied"), (403, 60318, "misconfigured"),
        (403, 60322, "denied"), (429, 60308, "exhausted"), (429, 60309, "exhausted"),
        (429, 60312, "exhausted"), (400, 60306, "misconfigured"), (400, 60200, "misconfigured"),
        (403, 70051, "misconfigured"), (429, 99999, "exhausted"), (429, 60310, "exhausted"),
        (429, 60324, "exhausted"), (429, None, "exhausted"), (500, 20500, "unavailable"),
        (503, 20503, "unavailable"), (503, 20429, "unavailable"), (500, 60322, "unavailable"),
        (200, 60324, "unavailable")):
    VERIFY_STATUSES[f"{outcome} after {status}/{code} for a code"] = at_verify(
        outcome, refuse(status, code))
VERIFY_STATUSES |= {
    "denied when the challenge was denied": at_verify("denied", bend(status="denied")),
    "unavailable after 502 in HTML": at_verify(
        "unavailable", refuse(502, body=b"<html>Bad Gateway</html>")),
    "denied when wrong codes are refused": row(
        "denied", [CREATE, VERIFY, VERIFY], answers=["111111", "222222"], login={"attempts": 2},
        verify=for_ever(refuse(403, 60324)), reason="no valid code in 2 attempts"),
    "approved after a wrong code that was refused": row(
        "approved", [CREATE, VERIFY, VERIFY], answers=[WRONG, RIGHT], verify=[refuse(403, 60324)]),
    "misconfigured when a wrong code is refused without a code": at_verify(
        "misconfigured", refuse(403, body=b"")),
    "approved on a new challenge after an expired one": row(
        "approved", [CREATE, VERIFY, CREATE, VERIFY], codes=[RIGHT] * 2,
        verify=[refuse(403, 60323)]),
    "approved on a new challenge after one that is shown as expired": row(
        "approved", [CREATE, VERIFY, CREATE, VERIFY], codes=[RIGHT] * 2,
        verify=[bend(status="expired")]),
    "denied after a second expired challenge": row(
        "denied", [CREATE, VERIFY] * 2, codes=[RIGHT] * 2, verify=for_ever(refuse(403, 60323)),
        reason="expired again"),
    "denied after a second challenge that is shown as expired": row(
        "denied", [CREATE, VERIFY] * 2, codes=[RIGHT] * 2, verify=for_ever(bend(status="expired"))),
    "denied when a lost reply's challenge is fetched as expired": row(
        "denied", [CREATE, VERIFY, FETCH], verify=[lost()], fetch=[bend(status="expired")],
        reason="the code must not be sent again"),
    "exhausted when the new challenge is one too many": row(
        "exhausted", [CREATE, VERIFY, CREATE], verify=[refuse(403, 60323)],
        create=[honest, refuse(429, 60312)]),
    "approved after too many requests, with the code sent once more": row(
        "approved", [CREATE, VERIFY, VERIFY], codes=[RIGHT] * 2, verify=[refuse(429, 20429)]),
    "exhausted after too many requests twice": row(
        "exhausted", [CREATE, VERIFY, VERIFY], codes=[RIGHT] * 2,
        verify=for_ever(refuse(429, 20429)), reason="too many requests"),
    "exhausted after too many requests for a code that was sent again": row(
        "exhausted", [CREATE, VERIFY, CREATE, VERIFY], codes=[RIGHT] * 2,
        verify=[refuse(403, 60323), refuse(429, 20429)], reason="too many requests"),
    "denied after an expired challenge for a code that was sent again": row(
        "denied", [CREATE, VERIFY, VERIFY], codes=[RIGHT] * 2,
        verify=[refuse(429, 20429), refuse(403, 60323)], reason="the code must not be sent again"),
    "approved after each of two codes was sent again": row(
        "approved", [CREATE] + [VERIFY] * 4, answers=[WRONG, RIGHT],
        codes=[WRONG] * 2 + [RIGHT] * 2,
        verify=[refuse(429, 20429), honest, refuse(429, 20429)]),
    "exhausted when the pause is longer than the limit": at_verify(
        "exhausted", refuse(429, 20429, {"Retry-After": "60"})),
    "exhausted when the pause is two hours": at_verify(
        "exhausted", refuse(429, 20429, {"Retry-After": "7200"})),
    "exhausted when the pause is a week": at_verify(
        "exhausted", refuse(429, 20429, {"Retry-After": "604800"})),
    "approved after a pause that is no number": row(
        "approved", [CREATE, VERIFY, VERIFY], codes=[RIGHT] * 2,
        verify=[refuse(429, 20429, {"Retry-After": "soon"})]),
    "exhausted after too many requests in a body that can't be trusted": at_verify(
        "exhausted", refuse(429, body=b'{"code": 20429, "code": 20429}')),
    "unavailable after too many requests and then silence": row(
        "unavailable", [CREATE, VERIFY, VERIFY, FETCH], codes=[RIGHT] * 2, timeout=3,
        verify=[refuse(429, 20429), dropped(silence)], fetch=for_ever(dropped(silence))),
    "approved after too many requests and then a lost reply": row(
        "approved", [CREATE, VERIFY, VERIFY, FETCH], codes=[RIGHT] * 2,
        verify=[refuse(429, 20429), lost()]),
}

LOST = {}
for name, how in {"closed": Connection.close, "reset": reset, "ended by TLS": says_goodbye}.items():
    LOST |= {
        f"approved when the connection is {name} after the approval": unsure(
            lost(how), then="approved"),
        f"approved by the next code when the connection is {name} before": row(
            "approved", [CREATE, VERIFY, FETCH, VERIFY], answers=[WRONG, RIGHT],
            verify=[dropped(how)]),
        f"asks again when the connection is {name} after a wrong code": row(
            "approved", [CREATE, VERIFY, FETCH, VERIFY], answers=[WRONG, RIGHT],
            verify=[lost(how)]),
    }
LOST |= {
    "approved when nothing answers after the approval": unsure(
        lost(silence), then="approved", timeout=2),
    "asks again when nothing answers and nothing was carried out": row(
        "approved", [CREATE, VERIFY, FETCH, VERIFY], answers=[WRONG, RIGHT], timeout=2,
        verify=[dropped(silence)]),
    "unavailable when nothing answers at all": unsure(
        dropped(silence), then="unavailable", timeout=2, fetch=for_ever(dropped(silence))),
    "unavailable when nothing answers with the shortest limit": row(
        "unavailable", timeout=1, verify=[dropped(silence)], fetch=for_ever(dropped(silence))),
    "approved when the first question is lost too": row(
        "approved", [CREATE, VERIFY, FETCH, FETCH], verify=[lost()], fetch=[lost()]),
    "unavailable when every question is lost": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[lost()], fetch=for_ever(lost())),
    "approved when the reply is cut": unsure(cut, then="approved"),
    "approved when the reply drips": unsure(drip(0.05), then="approved", timeout=2),
    "unavailable when the reply and the question drip": unsure(
        drip(0.05), then="unavailable", timeout=2, fetch=for_ever(drip(0.05))),
    "unavailable when the replies are endless": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[endless_body],
        fetch=for_ever(endless_body)),
    "approved when the reply is endless and the question is not": unsure(
        endless_body, then="approved"),
    "unavailable when the headers are endless": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[endless_headers],
        fetch=for_ever(endless_headers)),
    "unavailable when a header is endless": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[endless_header],
        fetch=for_ever(endless_header)),
    "unavailable when there is no end of interim replies": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[endless_continue],
        fetch=for_ever(endless_continue)),
    "unavailable when the replies are no HTTP": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[raw(b"approved\r\n\r\n")],
        fetch=for_ever(raw(b'{"status": "approved"}'))),
    "unavailable when the replies are of HTTP 2": row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH],
        verify=[raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")], fetch=for_ever(raw(bytes(9)))),
    "denied when the challenge is gone": unsure(
        lost(), then="denied", fetch=[refuse(404, 20404)]),
    "denied when the challenge was denied meanwhile": unsure(
        lost(), then="denied", fetch=[bend(status="denied")]),
    "misconfigured when the question is forbidden": unsure(
        lost(), then="misconfigured", fetch=[refuse(403)]),
    "unavailable when the question fails": unsure(
        lost(), then="unavailable", fetch=[refuse(500)]),
    "unavailable when the question is answered with 201": unsure(
        lost(), then="unavailable", fetch=[as_status(201)]),
    "unavailable when the question is answered with a redirection": unsure(
        lost(), then="unavailable", fetch=[as_status(302, {"Location": "/"})]),
    "exhausted when the question meets too many requests": unsure(
        lost(), then="exhausted", fetch=[refuse(429)]),
    "approved when the question meets too many requests once": row(
        "approved", [CREATE, VERIFY, FETCH, FETCH], verify=[lost()], fetch=[refuse(429, 20429)]),
}
for field, other in OTHERS.items():
    for name, value in {"another's": other, "null": None, "absent": ABSENT}.items():
        LOST[f"unavailable when the fetched {field} is {name}"] = unsure(
            lost(), then="unavailable", answers=[WRONG],
            fetch=[bend(**{"status": "approved", field: value})])


FRAMING_ROWS = {}
for name, make in FRAMINGS.items():
    FRAMING_ROWS[f"unavailable when a new challenge {name}"] = at_create(
        "unavailable", framed(make), 2)
    FRAMING_ROWS[f"unavailable when an approval {name}, and so does the answer about it"] = row(
        "unavailable", [CREATE, VERIFY, FETCH, FETCH], verify=[framed(make)],
        fetch=for_ever(framed(make)))
    FRAMING_ROWS[f"approved when an approval {name}, and the answer about it is sound"] = unsure(
        framed(make), then="approved")


@each(play=CREATE_STATUSES)
class Creating(Fault):
    """An outage or a lie at the creation: the user is asked once, and no code leaves."""


@each(play=BOUND)
class Bound(Fault):
    """A reply must be about this account, service, identity, factor, challenge, and of totp."""


@each(play=STATUS_ROWS | BODY_ROWS)
class Parsing(Fault):
    """Nothing but the word approved, in one strict object, lets in."""


@each(play=VERIFY_STATUSES)
class Verifying(Fault):

    def test_the_pause_that_was_asked_for_is_kept(self):
        server, _ = self.play("approved", timeout=5, codes=[RIGHT] * 2,
                              verify=[refuse(429, 20429, {"Retry-After": "1"})])
        first, second = server.requests[1:]
        self.assertGreaterEqual(second.at - first.at, 0.99)

    def test_there_is_a_pause_even_if_none_was_asked_for(self):
        server, _ = self.play("approved", codes=[RIGHT] * 2, verify=[refuse(429, 20429)])
        first, second = server.requests[1:]
        self.assertGreaterEqual(second.at - first.at, 0.3)


@each(play=FRAMING_ROWS)
class Framing(Fault):
    """Where a reply ends must be beyond doubt (RFC 9112, section 6.3), or it is none."""

    def test_an_interim_reply_does_no_harm(self):
        interim = headed("Link: x", "", "HTTP/1.1 200 OK", "Content-Length: SIZE",
                         first="HTTP/1.1 103 Early")
        self.play("approved", verify=[framed(interim)], kinds=[CREATE, VERIFY])

    def test_a_reply_of_http_1_0_with_a_length_is_one(self):
        old = headed("Content-Length: SIZE", first="HTTP/1.0 {status} OK")
        self.play("approved", verify=[framed(old)], kinds=[CREATE, VERIFY])

    def test_a_reply_behind_a_reply_is_refused(self):
        """The service, or what stands between, sends an approval before the code has come."""
        approve = swap(b'"status": "pending"', b'"status": "approved"')
        for pause in (0, 0.05):
            with self.subTest(pause):
                server = self.liar(create=[with_another(approve, pause)])
                login = self.prompted(self.host(server))
                self.assertTrue(server.wait(
                    lambda server: server.requests and server.requests[0].is_answered))
                login.settle()
                login.answer(WRONG)
                login.expect_prompt(WRONG_PROMPT)
                login.answer(RIGHT)
                self.assert_outcome(login, "approved")
                self.assertEqual(server.kinds, [CREATE, VERIFY, VERIFY])
                self.assertGreater(server.requests[1].connection, 0)


@each(play=LOST)
class Losing(Fault):
    """A code is sent once; how it went is asked for."""


class Redirecting(Fault):

    def test_no_redirection_is_followed(self):
        for status in (301, 302, 303, 307, 308):
            other = self.liar(verify=for_ever(bend(status="approved")))
            for location in (other.url + "/v2", other.url.replace("https", "http"),
                             "file:///etc/passwd", "//127.0.0.1/", "/v2/elsewhere"):
                with self.subTest(status=status, location=location):
                    behaviour = as_status(status, redirect(location))
                    server, _ = self.play("unavailable", create=for_ever(behaviour), codes=[],
                                          kinds=[CREATE] * 2)
                    server, _ = self.play("unavailable", verify=[behaviour],
                                          kinds=[CREATE, VERIFY])
            self.assertEqual(other.connections, [])


@each(fails={f"unavailable when every connection {name}": {"connect": for_ever(behaviour)}
             for name, behaviour in CONNECTIONS.items()}
      | {f"unavailable when the certificate is one {name}": script
         for name, script in PEERS.items()}
      | {"unavailable when TLS 1.1 is all there is": {"versions": TLS_1_1}},
      recovers={f"approved when the first connection {name}": {"behaviour": behaviour}
                for name, behaviour in CONNECTIONS.items()})
class Connecting(Fault):

    def fails(self, **script):
        server, login = self.play("unavailable", timeout=2, codes=[], **script)
        self.assertFalse([kind for kind in server.kinds if kind != CREATE])
        self.assertEqual(len(login.lines), 2)

    def recovers(self, behaviour):
        """What failed while the user typed is tried once more after Enter."""
        server = self.liar(connect=[behaviour])
        login = self.prompted(self.host(server, service={"timeout_seconds": 1}))
        self.assertTrue(server.wait(lambda server: server.connections
                                    and server.connections[0].ended_at))
        time.sleep(0.1)
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")

    def test_a_certificate_of_the_future_is_this_host_s_clock(self):
        server, _ = self.play("misconfigured", "check the clock of this host", codes=[],
                              certificate="future")
        self.assertEqual(server.requests, [])

    @needs_root
    def test_certificates_that_can_t_be_read_are_no_outage(self):
        server = self.liar()
        directory = self.host(server).directory / "closed"
        directory.mkdir(0o755)
        (directory / "0123abcd.0").write_text("")
        (directory / "0123abcd.0").chmod(0o600)
        host = self.host(server, service={"ca_file": None, "ca_path": directory})
        self.run_login(host, [RIGHT], "misconfigured", "cannot read the trusted certificates")
        self.assertEqual(server.requests, [])

    def test_no_request_reaches_a_stranger(self):
        for script in PEERS.values():
            server, _ = self.play("unavailable", codes=[], **script)
            self.assertEqual(server.requests, [])

    def test_tls_1_2_is_enough_and_1_3_is_spoken(self):
        versions = ssl.TLSVersion
        server, _ = self.play("approved", versions=(versions.TLSv1_2, versions.TLSv1_2))
        self.assertEqual(server.connections[0].version, "TLSv1.2")
        server, _ = self.play("approved", versions=(versions.TLSv1_2, versions.TLSv1_3))
        self.assertEqual(server.connections[0].version, "TLSv1.3")

    def test_a_slow_handshake_is_waited_for(self):
        self.play("approved", connect=[late(1)], timeout=3)


class OneConnection(Fault):
    """One connection, one round trip after Enter."""

    def test_the_code_is_one_segment_on_the_warm_connection(self):
        server, _ = self.play("approved", wait=True, kinds=[CREATE, VERIFY])
        verify = server.requests[1]
        self.assertEqual(len(server.connections), 1)
        self.assertEqual((verify.records, verify.segments), (1, 1))

    def test_a_creation_is_one_record(self):
        server, _ = self.play("approved", wait=True)
        self.assertEqual(server.requests[0].records, 1)

    def test_three_codes_take_one_connection(self):
        server, _ = self.play("approved", answers=["111111", "222222", RIGHT])
        self.assertEqual(len(server.connections), 1)
        self.assertEqual([(r.records, r.segments) for r in server.requests[1:]], [(1, 1)] * 3)

    def test_requests_say_what_they_must_and_no_more(self):
        server, _ = self.play("approved")
        create, verify = server.requests
        path = f"/v2/Services/{SERVICE_SID}/Entities/{IDENTITY}/Challenges"
        self.assertEqual((create.method, create.path, create.body),
                         ("POST", path, b"FactorSid=" + FACTOR_SID.encode()))
        self.assertEqual((verify.method, verify.body), ("POST", b"AuthPayload=" + RIGHT.encode()))
        self.assertRegex(verify.path, "^" + path + "/YC[0-9a-f]{32}$")
        for request in server.requests:
            self.assertEqual(request.version, "HTTP/1.1")
            self.assertEqual(set(request.headers), {"host", "authorization", "user-agent", "accept",
                                                    "content-length", "content-type"})
            self.assertEqual(request.headers["content-type"], "application/x-www-form-urlencoded")
            self.assertEqual(request.headers["accept"], "application/json")
            self.assertRegex(request.headers["user-agent"], r"^pam_twilio_verify/\d+\.\d+\.\d+$")

    def test_a_question_is_a_get_without_a_body(self):
        server, _ = self.play("approved", verify=[lost()])
        fetch = server.requests[2]
        self.assertEqual((fetch.method, fetch.body), ("GET", b""))
        self.assertEqual(fetch.path, server.requests[1].path)
        self.assertNotIn("content-length", fetch.headers)

    def play_kept(self, how, headers=(), **script):
        """The server ends the connection while the user types."""
        server = self.liar(create=[then_ends(how, headers)], **script)
        host = self.host(server)
        login = self.prompted(host)
        self.assertTrue(server.wait(lambda server: server.connections
                                    and server.connections[0].ended_at))
        time.sleep(0.1)
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")
        self.assertEqual(server.kinds, [CREATE, VERIFY])
        self.assertEqual(server.codes, [RIGHT])
        self.assertEqual(len(server.connections), 2)

    def test_a_connection_that_ended_while_the_user_typed_is_replaced(self):
        for how in (Connection.close, reset, says_goodbye):
            with self.subTest(how.__name__):
                self.play_kept(how)

    def test_a_connection_that_ends_with_a_late_408_is_replaced(self):
        """As balancers end idle connections: the reply is to no request of ours."""
        def give_up(connection):
            connection.records.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                                     b"Content-Length: 0\r\n\r\n")
            says_goodbye(connection)
        self.play_kept(give_up)

    def test_a_connection_that_ends_between_two_codes_is_replaced(self):
        for how in (Connection.close, reset, says_goodbye):
            with self.subTest(how.__name__):
                server = self.liar(verify=[then_ends(how)])
                login = self.answered(self.host(server), WRONG)
                login.expect_prompt(WRONG_PROMPT)
                self.assertTrue(server.wait(lambda server: server.connections[0].ended_at))
                time.sleep(0.1)
                login.answer(RIGHT)
                self.assert_outcome(login, "approved")
                self.assertEqual(server.kinds, [CREATE, VERIFY, VERIFY])

    def test_a_code_that_could_not_leave_is_tried_on_another_connection(self):
        for behaviour in (reset_at_once, close_at_once, close_before_request):
            with self.subTest(behaviour.__name__):
                server = self.liar(connect=[liar.serve, behaviour], create=[then_ends()])
                login = self.prompted(self.host(server))
                self.assertTrue(server.wait(lambda server: server.connections
                                            and server.connections[0].ended_at))
                time.sleep(0.1)
                login.answer(RIGHT)
                # Where the end comes late the code may have left, and then it is lost.
                line = login.read_line_until(login.answered_by())
                if behaviour is close_before_request and line == WRONG_PROMPT:
                    login.hang_up()
                    self.assert_outcome(login, "denied")
                    continue
                self.assertRegex(line, "^approved: ")
                self.assertIsNone(login.read_line(1))

    def test_a_connection_that_is_announced_to_end_is_replaced(self):
        self.play_kept(says_goodbye, {"Connection": "close"})

    def test_a_connection_that_dies_while_a_code_is_sent_carries_it_once(self):
        """The connection looks alive, and is reset when the code comes."""
        server, _ = self.play("approved", wait=True, answers=[WRONG, RIGHT],
                              verify=[dropped(reset)], kinds=[CREATE, VERIFY, FETCH, VERIFY])
        self.assertEqual(server.requests[1].connection, 0)
        self.assertEqual(server.requests[2].connection, 1, "a connection was made for nothing")

    def test_nobody_else_s_challenge_is_taken_for_ours(self):
        """The service shows an approved challenge of before in place of ours."""
        server = self.liar(verify=[lost()])
        other = server.add_challenge("approved")
        server.scripts[FETCH] = iter([lambda exchange: exchange.reply(200, server.shown(other))])
        self.run_login(self.host(server), [WRONG], "unavailable", "sid")


WITH_CODE = {"create_challenge": "with_code"}


def with_code(outcome, *behaviours, kinds=(CREATE,), **arguments):
    """The creation that takes the code along meets BEHAVIOURS; nothing is asked or sent again."""
    return row(outcome, list(kinds), create=behaviours, login=WITH_CODE, **arguments)


WITH_CODE_REPLIES = {f"{outcome} after {status}/{code} for a creation with a code": with_code(
    outcome, refuse(status, code), reason=rf"HTTP {status}, error {code}: .*; request=RQ")
    for status, code, outcome in (
        (401, 20003, "misconfigured"), (404, 20404, "misconfigured"), (400, 60306, "misconfigured"),
        (403, 60318, "misconfigured"), (403, 60322, "denied"), (403, 70051, "misconfigured"),
        (429, 60308, "exhausted"), (429, 60312, "exhausted"), (429, 99999, "exhausted"),
        (500, 20500, "unavailable"), (503, 20503, "unavailable"))}
WITH_CODE_REPLIES |= {
    "approved with a code in the creation": with_code("approved", reason="^challenge=YC"),
    "denied after a creation that is denied": with_code("denied", bend(status="denied")),
    "denied after two creations that expired": with_code(
        "denied", bend(status="expired"), bend(status="expired"), kinds=(CREATE, CREATE),
        codes=[RIGHT] * 2, reason="expired again"),
    "approved after a creation that expired": with_code(
        "approved", refuse(403, 60323), kinds=(CREATE, CREATE), codes=[RIGHT] * 2),
    "approved after too many requests for a creation with a code": with_code(
        "approved", refuse(429, 20429), kinds=(CREATE, CREATE), codes=[RIGHT] * 2),
    "exhausted after too many requests twice for a creation with a code": with_code(
        "exhausted", refuse(429, 20429), refuse(429, 20429), kinds=(CREATE, CREATE),
        codes=[RIGHT] * 2),
    "exhausted after an expiry and then too many requests": with_code(
        "exhausted", refuse(403, 60323), refuse(429, 20429), kinds=(CREATE, CREATE),
        codes=[RIGHT] * 2),
    "approved on the same challenge after a wrong code in the creation": with_code(
        "approved", answers=[WRONG, RIGHT], kinds=(CREATE, VERIFY)),
    "approved on another challenge after 60324 for the creation": with_code(
        "approved", refuse(403, 60324), answers=[WRONG, RIGHT], kinds=(CREATE, CREATE)),
    "unavailable when the reply to a creation with a code gets lost": with_code(
        "unavailable", lost()),
    "unavailable when a creation with a code is reset": with_code("unavailable", lost(reset)),
    "unavailable when a creation with a code is never answered": with_code(
        "unavailable", lost(silence), timeout=1),
    "unavailable when the reply to a creation with a code is cut": with_code("unavailable", cut),
    "unavailable after 200 for a creation with a code": with_code("unavailable", as_status(200)),
    "unavailable after a status that is unknown": with_code("unavailable", bend(status="APPROVED")),
}
WITH_CODE_REPLIES |= {f"unavailable when a creation with a code is about another {name}": with_code(
    "unavailable", bend(**{name: value}), reason=name) for name, value in (
        ("sid", "YC1"), ("sid", None), ("account_sid", "AC" + "9" * 32),
        ("service_sid", "VA" + "9" * 32), ("identity", "9" * 32), ("factor_sid", "YF" + "9" * 32),
        ("factor_type", "push"))}


@each(play=WITH_CODE_REPLIES)
class WithCode(Fault):
    """create_challenge = "with_code": nothing is sent before a well-formed code, which goes along with
    the creation."""

    LOGIN = WITH_CODE

    def begin(self, **script):
        server = self.liar(**script)
        login = self.prompted(self.host(server, login=self.LOGIN))
        self.assertTrue(server.wait(lambda server: any(c.stands for c in server.connections)))
        time.sleep(0.3)
        self.assertEqual(server.requests, [])
        return server, login

    def test_after_a_code_one_request_in_one_record_uses_the_connection(self):
        server, login = self.begin()
        for answer in ("password", "12345"):
            login.answer(answer)
            login.expect_prompt(WRONG_PROMPT)
            time.sleep(0.1)
            self.assertEqual(server.requests, [])
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")
        self.assertEqual(server.kinds, [CREATE])
        request = server.requests[0]
        self.assertEqual(request.body, f"FactorSid={FACTOR_SID}&AuthPayload={RIGHT}".encode())
        self.assertEqual(request.records, 1)
        self.assertEqual(len(server.connections), 1)

    def test_a_connection_that_ended_while_the_user_typed_costs_no_login(self):
        for how in (Connection.close, reset, says_goodbye):
            with self.subTest(how.__name__):
                server, login = self.begin(connect=[self.hold_and_end(how)])
                self.assertTrue(server.wait(lambda server: server.connections[0].ended_at))
                time.sleep(0.1)
                login.answer(RIGHT)
                self.assert_outcome(login, "approved")
                self.assertEqual(server.codes, [RIGHT])

    @staticmethod
    def hold_and_end(how):
        def behaviour(connection):
            connection.shake_hands()
            time.sleep(0.5)
            how(connection)
            raise liar.Gone
        return behaviour

    def test_a_connection_that_dies_while_the_code_is_sent_carries_it_once(self):
        """The connection looks alive, and ends without a byte when the code comes."""
        for how in (Connection.close, reset):
            with self.subTest(how.__name__):
                server, login = self.begin(create=[dropped(how)])
                login.answer(RIGHT)
                self.assert_outcome(login, "unavailable")
                self.assertEqual(server.codes, [RIGHT])

    def test_abandoned_prompts_cost_no_challenge(self):
        server, login = self.begin()
        login.hang_up()
        self.assert_outcome(login, "denied", seconds=0.5)
        self.assertEqual(server.requests, [])

    def test_malformed_answers_alone_cost_no_challenge(self):
        server = self.liar()
        self.run_login(self.host(server, login=self.LOGIN), ["x", "y", "z"], "denied")
        self.assertEqual(server.requests, [])

    def test_a_malformed_first_answer_holds_the_creation_at_the_prompt_too(self):
        server = self.liar(connect=[late(0.3)])
        login = self.answered(self.host(server), "password")
        login.expect_prompt(WRONG_PROMPT)
        self.assertTrue(server.wait(lambda server: any(c.stands for c in server.connections)))
        time.sleep(0.2)
        self.assertEqual(server.requests, [])
        login.answer(RIGHT)
        self.assert_outcome(login, "approved")
        self.assertEqual(server.kinds, [CREATE, VERIFY])


class Proxy:
    """Speaks CONNECT, and counts."""

    def __init__(self, status=200):
        self.status, self.asked = status, []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(peer,), daemon=True).start()

    def _tunnel(self, peer):
        with peer, peer.makefile("rb") as lines:
            head = [lines.readline().decode()]
            while head[-1].strip():
                head.append(lines.readline().decode())
            self.asked.append(head)
            peer.sendall(f"HTTP/1.1 {self.status} Reason\r\n\r\n".encode())
            if self.status != 200:
                return
            host, port = head[0].split()[1].split(":")
            with socket.create_connection((host, int(port))) as server:
                threading.Thread(target=copy_stream, args=(server, peer), daemon=True).start()
                copy_stream(peer, server)


class Proxies(Fault):

    def test_a_proxy_of_the_settings_is_used_and_learns_no_secret(self):
        server, proxy = self.liar(), self.enterContext(Proxy())
        self.run_login(self.host(server, service={"proxy": proxy.url}), [RIGHT], "approved")
        self.assertEqual(len(proxy.asked), 1)
        self.assertEqual(proxy.asked[0][0], f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n")
        self.assertNotIn("authorization", "".join(proxy.asked[0]).lower())

    def test_a_proxy_that_refuses_is_judged_as_twilio_is(self):
        for status, outcome, reason in ((400, "misconfigured", "the proxy answered HTTP 400"),
                                        (403, "misconfigured", "the proxy answered HTTP 403"),
                                        (407, "misconfigured", "the proxy answered HTTP 407"),
                                        (408, "unavailable", "408"), (429, "exhausted", "HTTP 429"),
                                        (502, "unavailable", "502"), (503, "unavailable", "503")):
            with self.subTest(status):
                server, proxy = self.liar(), self.enterContext(Proxy(status))
                self.run_login(self.host(server, service={"proxy": proxy.url}), [RIGHT], outcome,
                               reason)
                self.assertEqual(server.connections, [])

    def test_no_proxy_of_the_environment_is_used(self):
        names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        for name in names:
            with self.subTest(name):
                server, proxy = self.liar(), self.enterContext(Proxy())
                self.run_login(self.host(server), [RIGHT], "approved",
                               environment={name: proxy.url})
                self.assertEqual(proxy.asked, [])

    def test_no_exception_of_the_environment_is_obeyed(self):
        for name in ("no_proxy", "NO_PROXY"):
            with self.subTest(name):
                server, proxy = self.liar(), self.enterContext(Proxy())
                self.run_login(self.host(server, service={"proxy": proxy.url}), [RIGHT],
                               "approved", environment={name: "*"})
                self.assertEqual(len(proxy.asked), 1)
