#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A phone with an app on Twilio's Verify Push SDK, as far as the API sees it.

    /usr/bin/python3 tests/kit/device.py FILE enroll [--identity IDENTITY]
    /usr/bin/python3 tests/kit/device.py FILE approve|deny [--other-key] [--twice] [--wait SECONDS]

`enroll` makes a key and a push factor, keeps both in FILE, and prints the identity and the SID of
the factor. `approve` and `deny` wait for a challenge, print what the phone shows, and answer it.
The EMULATOR_ variables say where the API is; tests/kit/fixture.py sets them for a command."""

import argparse
import base64
import email.utils
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import uuid

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import fixture  # noqa: E402

TOKEN_SECONDS = 10 * 60


def make_key():
    """A private key on P-256, in PEM."""
    return subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                           "ec_paramgen_curve:P-256"], capture_output=True, check=True).stdout


def public_key(key):
    """The SubjectPublicKeyInfo in DER."""
    return subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=key,
                          capture_output=True, check=True).stdout


def sign(key, text):
    """ECDSA with SHA-256, in DER. The key is in a file that exists in memory alone."""
    descriptor = os.memfd_create("key")
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(key)
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"/dev/fd/{descriptor}"],
                              input=text.encode(), capture_output=True, check=True,
                              pass_fds=[descriptor]).stdout


def jws_signature(der):
    """R and S of a signature in DER, in 32 bytes each: RFC 7518 section 3.4."""
    end = 4 + der[3]
    numbers = der[4:end], der[end + 2:]
    return b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in numbers)


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_jwt(key, payload, **header):
    """A JSON Web Token with ES256."""
    parts = {"typ": "JWT", "alg": "ES256"} | header, payload
    text = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encode(jws_signature(sign(key, text)))}"


class Device:
    """`device = Device(emulator).enroll()`; then `device.approve(device.wait_for_challenge())`."""

    def __init__(self, api, identity=None, key=None):
        self.api, self.identity = api, identity or str(uuid.uuid4())
        self.key = key or make_key()
        self.clock_offset = 0
        self.sid = self.credential_sid = None

    @property
    def path(self):
        return f"{self.api.entity_path(self.identity)}/Factors/{self.sid}"

    def creation(self, **fields):
        """The form that makes its factor."""
        return {"FriendlyName": "phone", "FactorType": "push", "Binding.Alg": "ES256",
                "Binding.PublicKey": base64.b64encode(public_key(self.key)).decode(),
                "Config.AppId": "com.example.app", "Config.NotificationPlatform": "fcm",
                "Config.NotificationToken": "0" * 40, "Config.SdkVersion": "2.0.0"} | fields

    def enroll(self, verified=True, **fields):
        """Makes the factor and verifies it. FIELDS override those of the form."""
        path = self.api.entity_path(self.identity) + "/Factors"
        reply = self.api.request("POST", path, self.creation(**fields))
        if reply.status != 201:
            raise RuntimeError(f"no push factor: {reply}")
        self.sid = reply.json["sid"]
        self.credential_sid = reply.json["config"]["credential_sid"]
        if verified:
            reply = self.verify()
            if reply.status != 200 or reply.json["status"] != "verified":
                raise RuntimeError(f"the push factor can't be verified: {reply}")
        return self

    def verify(self, key=None):
        signature = sign(key or self.key, self.sid)
        return self.request("POST", self.path,
                            {"AuthPayload": base64.b64encode(signature).decode()})

    def token(self, key=None, **claims):
        """What it logs in with. CLAIMS override those that are right."""
        now = int(time.time()) + self.clock_offset
        claims = {"sub": self.api.account_sid, "nbf": now, "exp": now + TOKEN_SECONDS} | claims
        return make_jwt(key or self.key, claims, cty="twilio-pba;v=1", kid=self.credential_sid)

    def request(self, method, path, form=None):
        """As the SDK does: after a 401 it takes over the API's clock and tries once more."""
        reply = self.api.request(method, path, form, user="token", secret=self.token())
        if reply.status == 401:
            date = email.utils.parsedate_to_datetime(reply.headers["Date"])
            self.clock_offset = int(date.timestamp()) - int(time.time())
            reply = self.api.request(method, path, form, user="token", secret=self.token())
        return reply

    def challenge_path(self, challenge):
        return f"{self.api.entity_path(self.identity)}/Challenges/{challenge['sid']}"

    def challenges(self, **query):
        """All that were made for its factor, the oldest first."""
        query = urllib.parse.urlencode({"FactorSid": self.sid, "PageSize": 1000} | query)
        reply = self.request("GET", f"{self.api.entity_path(self.identity)}/Challenges?{query}")
        if reply.status != 200:
            raise RuntimeError(f"no list of challenges: {reply}")
        return reply.json["challenges"]

    def wait_for_challenge(self, seconds=10):
        """The newest one that is pending, once there is one."""
        deadline = time.monotonic() + seconds
        while not (pending := self.challenges(Status="pending")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no challenge for {self.sid} in {seconds} s")
            time.sleep(0.1)
        return pending[-1]

    @staticmethod
    def number(challenge):
        """The number that the phone shows beside the message."""
        values = (field["value"] for field in challenge["details"]["fields"])
        return next(value for value in values if re.fullmatch(r"[0-9]{2}", value))

    def payload(self, challenge, status, key=None, **changes):
        """The JWT for an answer. CHANGES override what the API asks to be signed."""
        reply = self.request("GET", self.challenge_path(challenge))
        names = reply.headers.get("Twilio-Verify-Signature-Fields", "sid").split(",")
        signed = {name: reply.json[name] for name in names} | {"status": status} | changes
        return make_jwt(key or self.key, signed)

    def answer(self, challenge, status, key=None, **changes):
        """Answers CHALLENGE; returns the reply."""
        payload = self.payload(challenge, status, key, **changes)
        return self.request("POST", self.challenge_path(challenge), {"AuthPayload": payload})

    def _answered(self, challenge, status):
        challenge = challenge or self.wait_for_challenge()
        reply = self.answer(challenge, status)
        if reply.status != 200 or reply.json["status"] != status:
            raise RuntimeError(f"not {status}: {reply}")
        return challenge

    def approve(self, challenge=None):
        """Approves CHALLENGE, or the first that comes, and returns it."""
        return self._answered(challenge, "approved")

    def deny(self, challenge=None):
        return self._answered(challenge, "denied")

    def save(self, path):
        """FILE is its owner's alone: it has the private key."""
        data = {"identity": self.identity, "sid": self.sid, "credential_sid": self.credential_sid,
                "key": self.key.decode()}
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(data, file)

    @classmethod
    def load(cls, api, path):
        data = json.loads(pathlib.Path(path).read_text())
        device = cls(api, data["identity"], data["key"].encode())
        device.sid, device.credential_sid = data["sid"], data["credential_sid"]
        return device


def parse_arguments():
    parser = argparse.ArgumentParser(description="a phone for push factors")
    parser.add_argument("file", help="what the phone remembers")
    parser.add_argument("verb", choices=("enroll", "approve", "deny"))
    parser.add_argument("--identity", help="of the user; without it, a new one")
    parser.add_argument("--other-key", action="store_true", help="sign with a key of its own")
    parser.add_argument("--twice", action="store_true", help="answer twice")
    parser.add_argument("--wait", type=float, default=0, help="seconds before the answer")
    return parser.parse_args()


def run_answer(device, status, arguments):
    challenge = device.wait_for_challenge(60)
    print(challenge["details"]["message"])
    for field in challenge["details"]["fields"]:
        print(f"{field['label']}: {field['value']}", flush=True)
    time.sleep(arguments.wait)
    key = make_key() if arguments.other_key else None
    for _ in range(2 if arguments.twice else 1):
        reply = device.answer(challenge, status, key)
        print(reply.status, reply.json.get("status"), reply.json.get("code", ""))
    return 0 if reply.status == 200 else 1


def main():
    arguments, api = parse_arguments(), fixture.Api.from_environment()
    if arguments.verb == "enroll":
        device = Device(api, arguments.identity).enroll()
        device.save(arguments.file)
        print(device.identity, device.sid)
        return 0
    device = Device.load(api, arguments.file)
    return run_answer(device, {"approve": "approved", "deny": "denied"}[arguments.verb], arguments)


if __name__ == "__main__":
    sys.exit(main())
