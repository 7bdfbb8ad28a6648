# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""How the tests start the emulator, write settings and make codes. Standard library only.

    /usr/bin/python3 tests/kit/fixture.py COMMAND...

runs COMMAND beside an emulator, which it finds in EMULATOR_URL and the other EMULATOR_ variables."""

import base64
import collections
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import uuid

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
MODULE = BUILD / "pam_twilio_verify.so"
CHECK = BUILD / "twilio-verify-check"
EMULATOR = pathlib.Path(os.environ.get("EMULATOR", BUILD / "twilio-verify-emulator")).resolve()

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
SERVICE_SID = "VA" + "1123456789abcdef" * 2
API_KEY_SID = "SK" + "2123456789abcdef" * 2
API_KEY_SECRET = "only-for-tests-0123456789abcdef0"
AUTH_TOKEN = "only-for-tests-token-9876543210a"

Request = collections.namedtuple("Request", "method path status code")
Reply = collections.namedtuple("Reply", "status json headers body")


@contextlib.contextmanager
def temporary_directory():
    """A directory that the unprivileged user can pass through, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="twilio-verify-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def copy_program(source, target):
    """Copies by a process of its own: a program that is open for writing can't be run, and a child
    that another thread starts meanwhile would have it open."""
    subprocess.run(["cp", source, target], check=True)


def make_certificates(directory):
    """Writes ca.pem, server.pem and server.key; does nothing when they are there."""
    directory = pathlib.Path(directory)
    if (directory / "server.pem").exists():
        return

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    (directory / "server.ext").write_text(
        "subjectAltName=DNS:localhost,DNS:verify.twilio.com,IP:127.0.0.1\n"
        "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n")
    openssl("req", "-x509", *new_key, "-days", "30", "-subj", "/CN=Test CA", "-keyout", "ca.key",
            "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *new_key, "-subj", "/CN=verify.twilio.com", "-keyout", "server.key", "-out",
            "server.csr")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "30", "-extfile", "server.ext", "-out", "server.pem")
    os.chmod(directory / "ca.pem", 0o644)


def totp(secret_b32, at, step=30, digits=6, algorithm="sha1"):
    """The code of RFC 6238 for the second AT."""
    padded = secret_b32.upper() + "=" * (-len(secret_b32) % 8)
    counter = (int(at) // step).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(padded), counter, getattr(hashlib, algorithm)).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start:start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


class Factor:
    """A factor of the emulator, and the app that makes its codes."""

    def __init__(self, emulator, reply):
        self.emulator = emulator
        self.identity, self.sid = reply["identity"], reply["sid"]
        self.secret, self.uri = reply["binding"]["secret"], reply["binding"]["uri"]
        self.config = reply["config"]

    @property
    def path(self):
        return f"{self.emulator.entity_path(self.identity)}/Factors/{self.sid}"

    def code(self, offset=0):
        """The code at the emulator's clock, OFFSET time steps later."""
        step = self.config["time_step"]
        return totp(self.secret, self.emulator.now() + offset * step, step,
                    self.config["code_length"], self.config["alg"])

    def wrong_code(self, number=0):
        """One of ten codes of the right length that no step from -3 to +3 has."""
        right = {self.code(offset) for offset in range(-3, 4)}
        digits = self.config["code_length"]
        return [code for code in (str(n).zfill(digits) for n in range(20))
                if code not in right][number]


class Api:
    """The API at some address, and who calls it. The environment is that of Emulator."""

    account_sid, service_sid = ACCOUNT_SID, SERVICE_SID
    user, secret = API_KEY_SID, API_KEY_SECRET
    host = "127.0.0.1"

    @classmethod
    def from_environment(cls):
        api, get = cls(), lambda name: os.environ["EMULATOR_" + name]
        url = urllib.parse.urlsplit(get("URL"))
        api.host, api.port = url.hostname, url.port or 443
        api.tls = ssl.create_default_context(cafile=get("CA_FILE"))
        api.account_sid, api.service_sid = get("ACCOUNT_SID"), get("SERVICE_SID")
        api.user, api.secret = get("API_KEY_SID"), get("API_KEY_SECRET")
        return api

    def entity_path(self, identity):
        return f"/v2/Services/{self.service_sid}/Entities/{identity}"

    def request(self, method, path, form=None, *, user=None, secret=None, headers=None,
                timeout=10):
        """One HTTPS request on a connection of its own; FORM is a dict or a list of pairs."""
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.tls,
                                                 timeout=timeout)
        user = self.user if user is None else user
        secret = self.secret if secret is None else secret
        login = base64.b64encode(f"{user}:{secret}".encode()).decode()
        sent = {"Authorization": "Basic " + login, "Accept": "application/json"}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            form = urllib.parse.urlencode(form)
        with contextlib.closing(connection):
            connection.request(method, path, form, sent | (headers or {}))
            reply = connection.getresponse()
            body = reply.read()
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        return Reply(reply.status, parsed, reply.headers, body)


class Emulator(Api):
    """`with Emulator("--set", "wrong-code=403-60324") as emulator:` runs one for the block."""

    def __init__(self, *arguments, directory=None, port=0):
        self.arguments, self.directory, self.asked_port = arguments, directory, port

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            if self.directory is None:
                self.directory = stack.enter_context(temporary_directory())
            self.directory = pathlib.Path(self.directory)
            make_certificates(self.directory)
            self.ca_file = self.directory / "ca.pem"
            self.log_file = self.directory / "emulator.log"
            self.tls = ssl.create_default_context(cafile=self.ca_file)
            self._write_secret("api-key-secret", API_KEY_SECRET)
            self._write_secret("auth-token", AUTH_TOKEN)
            self._start()
            stack.callback(self._stop)
            self._leave = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._leave.__exit__(*exception)

    def _write_secret(self, name, secret):
        path = self.directory / name
        path.write_text(secret + "\n")
        path.chmod(0o600)

    def _start(self):
        # A directory of its own: the path of a socket holds at most 107 bytes.
        self.socket_directory = tempfile.mkdtemp(prefix="twv-")
        self.socket_path = os.path.join(self.socket_directory, "control")
        self.process = subprocess.Popen(
            [EMULATOR, "--port", str(self.asked_port),
             "--certificate", self.directory / "server.pem", "--key", self.directory / "server.key",
             "--account-sid", ACCOUNT_SID, "--service-sid", SERVICE_SID,
             "--api-key-sid", API_KEY_SID,
             "--api-key-secret-file", self.directory / "api-key-secret",
             "--auth-token-file", self.directory / "auth-token",
             "--control", self.socket_path, "--log", self.log_file, *self.arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening https://"):
            self.process.kill()
            shutil.rmtree(self.socket_directory)
            raise RuntimeError(f"the emulator did not start: status {self.process.wait()}")
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def _stop(self):
        self.process.terminate()
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = f"{self.process.wait()} after SIGTERM was of no use"
        self.process.stdout.close()
        shutil.rmtree(self.socket_directory)
        if status != 0:
            raise RuntimeError(f"the emulator ended with status {status}")

    def control(self, command):
        """Sends one command; returns what follows `ok`. Raises RuntimeError on `error`."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self.socket_path)
            connection.sendall(command.encode() + b"\n")
            with connection.makefile("r") as lines:
                word, _, rest = lines.readline().rstrip("\n").partition(" ")
        if word != "ok":
            raise RuntimeError(f"control {command!r}: {word} {rest}")
        return rest

    def now(self):
        """The emulator's clock, in seconds."""
        return int(self.control("clock"))

    def stats(self):
        return json.loads(self.control("stats"))

    def requests(self):
        """What the log says, in order; None for a status or a code that was not sent."""
        if not self.log_file.exists():
            return []
        lines = (line.split(" ") for line in self.log_file.read_text().splitlines())
        numbers = lambda words: (None if word == "-" else int(word) for word in words)
        return [Request(words[0], words[1], *numbers(words[2:4])) for words in lines]

    def environment(self):
        """How a program that was not written in Python finds the emulator."""
        return {"EMULATOR_URL": self.url, "EMULATOR_CA_FILE": str(self.ca_file),
                "EMULATOR_CONTROL": self.socket_path, "EMULATOR_ACCOUNT_SID": ACCOUNT_SID,
                "EMULATOR_SERVICE_SID": SERVICE_SID, "EMULATOR_API_KEY_SID": API_KEY_SID,
                "EMULATOR_API_KEY_SECRET": API_KEY_SECRET, "EMULATOR_AUTH_TOKEN": AUTH_TOKEN}

    def factor(self, identity=None, verified=True, **config):
        """Makes a totp factor; CONFIG: secret, friendly_name, alg, skew, code_length, time_step."""
        fields = {"secret": "Binding.Secret", "friendly_name": "FriendlyName", "alg": "Config.Alg",
                  "skew": "Config.Skew", "code_length": "Config.CodeLength",
                  "time_step": "Config.TimeStep"}
        form = {"FriendlyName": "test", "FactorType": "totp"}
        form |= {fields[name]: value for name, value in config.items()}
        path = self.entity_path(identity or str(uuid.uuid4())) + "/Factors"
        reply = self.request("POST", path, form)
        if reply.status != 201:
            raise RuntimeError(f"no factor: {reply}")
        factor = Factor(self, reply.json)
        if verified:
            reply = self.request("POST", factor.path, {"AuthPayload": factor.code()})
            if reply.status != 200 or reply.json["status"] != "verified":
                raise RuntimeError(f"the factor can't be verified: {reply}")
        return factor


def _literal(value):
    """VALUE in libconfig's language."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(map(_literal, value)) + " )"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write(path, text, mode):
    path.write_text(text)
    path.chmod(mode)


def write_settings(directory, emulator_url, *, service=None, login=None, session=None,
                   check=None):
    """Writes settings, api-key, users/ and state/ below DIRECTORY; returns the path of the settings.

    The groups override single keys; None leaves a key out. ca_file is DIRECTORY/ca.pem.
    """
    directory = pathlib.Path(directory)
    run_as = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    groups = {
        "service": {"base_url": emulator_url, "service_sid": SERVICE_SID,
                    "account_sid": ACCOUNT_SID, "api_key_sid": API_KEY_SID,
                    "api_key_file": directory / "api-key", "ca_file": directory / "ca.pem"}
        | (service or {}),
        "login": login or {},
        "session": session or {},
        "check": {"run_as": run_as, "users_dir": directory / "users",
                  "state_dir": directory / "state",
                  "runtime_dir": directory / "run"}
        | (check or {}),
    }
    text = ""
    for name, group in groups.items():
        keys = (f"  {key} = {_literal(value)};\n" for key, value in group.items()
                if value is not None)
        text += f"{name} = {{\n{''.join(keys)}}};\n"

    settings = directory / "twilio-verify.conf"
    _write(settings, text, 0o640)
    _write(directory / "api-key", API_KEY_SECRET + "\n", 0o600)
    (directory / "users").mkdir(mode=0o755, exist_ok=True)
    (directory / "state").mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        with contextlib.suppress(KeyError):  # A test may name an account that is not there.
            owner = pwd.getpwnam(str(groups["check"]["run_as"]))
            os.chown(directory / "state", owner.pw_uid, owner.pw_gid)
    return settings


def enroll(directory, user, identity, factor_sid):
    """Writes users/USER.conf below DIRECTORY; returns its path."""
    path = pathlib.Path(directory) / "users" / f"{user}.conf"
    _write(path, f'identity = "{identity}";\nfactor_sid = "{factor_sid}";\n', 0o640)
    return path


def main(command):
    with Emulator() as emulator:
        return subprocess.call(command, env=os.environ | emulator.environment())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
