# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Two hosts and a long way between them: only for programs that tests/login/enter started.

Here runs the emulator; the logins run in the network namespace "host"."""

import collections
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

from kit import fixture

DIRECTORY = pathlib.Path("/run/bench")
USERS = DIRECTORY / "users"
HOST_ADDRESS, AWAY_ADDRESS = "10.7.0.1", "10.7.0.2"
NAME = "verify.twilio.com"
IN_HOST = ("nsenter", "--net=/run/netns/host", "--")
MODULES = ("run/bench/debs/**/security/pam_*.so", "usr/lib/security/pam_*.so",
           "usr/lib/*/security/pam_*.so")
PEERS = ("pam_duo", "pam_yubico", "pam_google_authenticator", "pam_oath")
PROGRAMS = {"bare": fixture.BUILD / "bench-bare", "curl": shutil.which("curl"),
            "true": shutil.which("true")}
SUCCESS = 0
PEER_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
YUBIKEY = "cccccccccccc"
STEP_SECONDS = 30

# As bench-logins prints it.
Login = collections.namedtuple("Login", "code prompt verdict whole cpu faults kib")
Person = collections.namedtuple("Person", "name factor")


def run(*command):
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)


class World:
    """`with World(debs, beside) as world:`: directories of packages of peers, and of another build.

    WAYS are what can be measured: ours, that other build, programs, and peers; SERVICES of PAM."""

    def __init__(self, debs=None, beside=None):
        self.debs = debs
        self.builds = {"ours": fixture.BUILD}
        if beside is not None:
            self.builds["beside"] = pathlib.Path(beside).resolve()
        self.services = set()

    def __enter__(self):
        if not pathlib.Path("/run/throw-away").is_dir():
            raise RuntimeError("not on a throw-away machine: use tests/bench/run")
        with contextlib.ExitStack() as stack:
            self._leave_overlays()
            DIRECTORY.mkdir(mode=0o755)
            USERS.mkdir(mode=0o755)
            (DIRECTORY / "empty").mkdir()
            self._connect(stack)
            fixture.make_certificates(DIRECTORY)
            self._trust()
            self.emulator = stack.enter_context(fixture.Emulator(
                "--address", "0.0.0.0", "--set", "challenge-limits=off", directory=DIRECTORY))
            # Stopped: a code is right for as long as a run takes.
            self.emulator.control(f"clock ={self.emulator.now()}")
            self.url = f"https://{NAME}:{self.emulator.port}"
            self._install()
            self._start_peers(stack)
            self.people = []
            self._next = 0
            self._leave = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._leave.__exit__(*exception)

    def _start(self, stack, *command):
        """A program that says when it is ready and ends with its standard input."""
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{command} does not start")
        return process

    def _connect(self, stack):
        pathlib.Path("/dev/net").mkdir()
        os.mknod("/dev/net/tun", 0o20600, os.makedev(10, 200))
        run("ip", "netns", "add", "host")
        self._bridge = self._start(stack, fixture.BUILD / "bench-bridge", "home", "away")
        run("ip", "link", "set", "home", "netns", "host")
        for where, device, address in (((), "away", AWAY_ADDRESS), (IN_HOST, "home", HOST_ADDRESS)):
            run(*where, "ip", "address", "add", f"{address}/24", "dev", device)
            run(*where, "ip", "link", "set", device, "up")
        run(*IN_HOST, "ip", "link", "set", "lo", "up")
        with open("/etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write(f"{AWAY_ADDRESS} {NAME}\n")
        pathlib.Path("/etc/resolv.conf").unlink(missing_ok=True)
        pathlib.Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")

    @staticmethod
    def _leave_overlays():
        """Files as they lie on a host: an overlay makes it dearer to open them."""
        run("cp", "-a", "/etc", "/run/etc")
        run("mount", "--bind", "/run/etc", "/etc")
        run("umount", "--lazy", "/usr")  # From here on it is the machine's: not to be written to.

    def _trust(self):
        """The emulator's authority among the system's, in the directory that is looked into."""
        name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", DIRECTORY / "ca.pem"],
                              check=True, capture_output=True, text=True).stdout.strip()
        shutil.copy(DIRECTORY / "ca.pem", f"/etc/ssl/certs/{name}.0")

    def _service(self, name, *lines):
        text = "".join(line if line.startswith("session ") else f"auth {line}\n" for line in lines)
        text += "account required pam_permit.so\n"
        (pathlib.Path("/etc/pam.d") / name).write_text(text)
        self.services.add(name)

    def _install(self):
        # libpam reads it at every start: what Debian has in it costs more than we do.
        pathlib.Path("/etc/pam.d/other").write_text("auth required pam_deny.so\n")
        self._service("none", "required pam_permit.so")
        for build, directory in self.builds.items():
            (DIRECTORY / "libexec" / build).mkdir(parents=True)
            for name in (fixture.MODULE.name, fixture.CHECK.name, "twilio.so"):
                shutil.copy(directory / name, DIRECTORY / "libexec" / build)
            self.use(build, build)
            self.use(f"{build}-ignore", build, login={"unmapped_user": "ignore"})
            self.use(f"{build}-with-code", build, login={"create_challenge": "with_code"})
            self.use(f"{build}-session", build, session={"minutes": 60})

    def use(self, name, build, **groups):
        """Makes a PAM service of BUILD with settings of its own."""
        directory, programs = DIRECTORY / name, DIRECTORY / "libexec" / build
        directory.mkdir(mode=0o755, exist_ok=True)
        groups["service"] = {"ca_file": None}
        groups["check"] = {"users_dir": USERS} | groups.get("check", {})
        settings = fixture.write_settings(directory, self.url, **groups)
        module = (f"{programs / fixture.MODULE.name} conf={settings} "
                  f"helper={programs / fixture.CHECK.name}")
        self._service(name, f"required {module}",
                      *(["required pam_permit.so"] if name.endswith("-ignore") else []),
                      *([f"session optional {module}\n"] if name.endswith("-session") else []))

    def _start_peers(self, stack):
        if self.debs is not None:
            self._unpack(pathlib.Path(self.debs))
        found = {path.stem: path for pattern in reversed(MODULES)
                 for path in pathlib.Path("/").glob(pattern)}
        self.peers = [peer for peer in PEERS if peer in found]
        if {"pam_duo", "pam_yubico"} & {*found}:
            self._start(stack, fixture.BUILD / "bench-peers", 443, DIRECTORY / "server.pem",
                        DIRECTORY / "server.key")
        lines = {
            "pam_duo": f"conf={self._write_duo('duo')}",
            "pam_duo-ignore": f"conf={self._write_duo('duo-ignore', 'groups = nogroup')}",
            "pam_google_authenticator": f"user=root secret={DIRECTORY}/google/${{USER}}",
            "pam_google_authenticator-ignore": f"user=root secret={DIRECTORY}/google/${{USER}} nullok",
            "pam_oath": f"usersfile={DIRECTORY}/oath window=5 digits=6",
            "pam_yubico": f"id=1 urllist=https://{NAME}/wsapi/2.0/verify cainfo={DIRECTORY}/ca.pem "
                          f"capath={DIRECTORY}/empty authfile={DIRECTORY}/yubikeys"}
        for name, line in lines.items():
            peer, _, ignore = name.partition("-")
            if peer in found:
                self._service(name, f"required {found[peer]} {line}",
                              *(["required pam_permit.so"] if ignore else []))
        self.ways = [*self.builds, *(name for name, path in PROGRAMS.items() if path), *self.peers]

    @staticmethod
    def _unpack(directory):
        """Debian packages, without installing them."""
        for deb in directory.glob("*.deb"):
            run("dpkg-deb", "-x", deb, DIRECTORY / "debs")
        libraries = "".join(f"{path}\n" for path in (DIRECTORY / "debs").glob("**/*-linux-gnu*"))
        pathlib.Path("/etc/ld.so.conf.d/bench.conf").write_text(libraries)
        run("ldconfig", "-X")

    @staticmethod
    def _write_duo(name, more=""):
        settings = DIRECTORY / f"{name}.conf"
        settings.write_text(f"[duo]\nikey = DI{'X' * 18}\nskey = {'x' * 40}\nhost = {NAME}\n"
                            f"cafile = {DIRECTORY / 'ca.pem'}\n{more}\n")
        settings.chmod(0o600)
        return settings

    def set_rtt(self, milliseconds):
        self._bridge.stdin.write(f"{milliseconds * 500}\n")
        self._bridge.stdin.flush()
        time.sleep(0.3)  # What is under way arrives.

    @staticmethod
    def measure_rtt():
        """Milliseconds of a round trip, after which a connection is refused: the median."""
        times = []
        for _ in range(9):
            began = time.monotonic()
            with socket.socket() as connection:
                connection.connect_ex((HOST_ADDRESS, 1))
            times.append(time.monotonic() - began)
        return statistics.median(times) * 1000

    # People

    def add_people(self, count):
        """Enrolls COUNT of them."""
        def add(number):
            factor = self.emulator.factor()
            name = f"user{number:05}"
            fixture.enroll(DIRECTORY, name, factor.identity, factor.sid)
            return Person(name, factor)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.people = [*pool.map(add, range(count))]
        with open("/etc/passwd", "a", encoding="ascii") as accounts:
            accounts.writelines(f"{person.name}:x:{20000 + i}:20000::/nonexistent:/bin/false\n"
                                for i, person in enumerate(self.people))

    def next_people(self, count):
        """Those who have not logged in for longest; after all did, time passes for their codes."""
        if self._next + count > len(self.people):
            self._next = 0
            self.emulator.control(f"clock +{3 * STEP_SECONDS}")
        chosen = self.people[self._next:self._next + count]
        if len(chosen) < count:
            raise RuntimeError(f"there are no {count} people")
        self._next += count
        return chosen

    def _answers(self, way, people):
        """A line of bench-logins for each."""
        now = self.emulator.now()
        codes = [fixture.totp(person.factor.secret, now) if person.factor else "-"
                 for person in people]
        if way in PROGRAMS:
            codes = [self._arguments(way, person, code) for person, code in zip(people, codes)]
        elif way.startswith("pam_duo"):
            codes = ["123456"] * len(people)
        elif way.startswith("pam_yubico"):
            (DIRECTORY / "yubikeys").write_text("".join(f"{person.name}:{YUBIKEY}\n"
                                                     for person in people))
            codes = [YUBIKEY + "c" * 32] * len(people)
        elif way.startswith("pam_"):
            self._renew_peers_files(way, people)
            codes = [fixture.totp(PEER_SECRET, time.time())] * len(people)
        return "".join(f"{person.name} {code}\n" for person, code in zip(people, codes))

    def _arguments(self, program, person, code):
        """Of a program that does the two requests of PERSON's login."""
        path = self.emulator.entity_path(person.factor.identity) + "/Challenges"
        credentials = f"{fixture.API_KEY_SID}:{fixture.API_KEY_SECRET}"
        if program == "true":
            return "-"
        if program == "bare":
            return f"{self.url}{path} {credentials} {person.factor.sid} {code}"
        # curl can't read the challenge out of the first reply: it verifies one that is there.
        made = self.emulator.request("POST", path, {"FactorSid": person.factor.sid}).json["sid"]
        common = (f"-s -f -o /dev/null -w %{{time_total}}\\n -u {credentials} "
                  f"--cacert {DIRECTORY}/ca.pem")
        return (f"{common} -d FactorSid={person.factor.sid} {self.url}{path} --next "
                f"{common} -d AuthPayload={code} {self.url}{path}/{made}")

    @staticmethod
    def _renew_peers_files(service, people):
        """Where the peers keep their users: as if nobody had logged in before."""
        if service == "pam_oath":
            secret = "3132333435363738393031323334353637383930"
            (DIRECTORY / "oath").write_text("".join(f"HOTP/T30/6 {person.name} - {secret}\n"
                                                 for person in people))
            (DIRECTORY / "oath").chmod(0o600)
            return
        (DIRECTORY / "google").mkdir(exist_ok=True)
        for person in people:
            path = DIRECTORY / "google" / person.name
            path.unlink(missing_ok=True)
            path.write_text(f'{PEER_SECRET}\n" RATE_LIMIT 3 30\n" WINDOW_SIZE 3\n'
                            '" DISALLOW_REUSE\n" TOTP_AUTH\n')
            path.chmod(0o400)

    # Logins

    def log_in(self, way, *, count=1, people=None, think_ms=0, at_once=1, seconds=60):
        """What became of COUNT logins of different people."""
        people = people or self.next_people(count)
        done = subprocess.run(
            [*IN_HOST, fixture.BUILD / "bench-logins", PROGRAMS.get(way, way), str(think_ms),
             str(at_once), str(seconds)], input=self._answers(way, people), check=True,
            capture_output=True, text=True)
        return [Login(*map(int, line.split())) for line in done.stdout.splitlines()]
