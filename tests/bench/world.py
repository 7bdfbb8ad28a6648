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
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import fixture

FOLDER = pathlib.Path("/run/bench")
USERS = FOLDER / "users"
HOST_ADDRESS, AWAY_ADDRESS, NO_ADDRESS = "10.7.0.1", "10.7.0.2", "10.7.0.9"
NAME = "verify.twilio.com"
IN_HOST = ("nsenter", "--net=/run/netns/host", "--")
MODULES = ("run/bench/debs/lib/*/security/pam_*.so", "usr/lib/security/pam_*.so",
           "usr/lib/*/security/pam_*.so")
SUCCESS, STUCK = 0, -1
PEER_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
STEP_SECONDS = 30

# As bench-logins prints it.
Login = collections.namedtuple("Login", "code prompt verdict whole cpu before after")
Person = collections.namedtuple("Person", "name factor")

# Answers every question with NXDOMAIN, but for the names below "dead.", with silence.
NAME_SERVER = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        question, client = server.recvfrom(512)
        if b"\\x04dead\\0" not in question:
            server.sendto(question[:2] + b"\\x81\\x83" + question[4:6] + bytes(6) + question[12:],
                          client)
"""


def run(*command):
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)


def pam_service(name, *lines):
    text = "".join(f"auth {line}\n" for line in lines) + "account required pam_permit.so\n"
    (pathlib.Path("/etc/pam.d") / name).write_text(text)


class World:
    """`with World() as world:`"""

    def __init__(self, debs=None):
        self.debs = debs

    def __enter__(self):
        if not pathlib.Path("/run/throw-away").is_dir():
            raise RuntimeError("not on a throw-away machine: use tests/bench/run")
        with contextlib.ExitStack() as stack:
            self._leave_overlays()
            FOLDER.mkdir(mode=0o755)
            USERS.mkdir(mode=0o755)
            self._connect(stack)
            fixture.make_certificates(FOLDER)
            self._trust()
            self.emulator = stack.enter_context(fixture.Emulator(
                "--address", "0.0.0.0", "--set", "challenge-limits=off", folder=FOLDER))
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
            hosts.write(f"{AWAY_ADDRESS} {NAME}\n{NO_ADDRESS} no-host.example\n")
        pathlib.Path("/etc/resolv.conf").unlink(missing_ok=True)
        pathlib.Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        self._start(stack, *IN_HOST, "/usr/bin/python3", "-c", NAME_SERVER)

    @staticmethod
    def _leave_overlays():
        """Files as they lie on a host: an overlay makes it dearer to open them."""
        run("cp", "-a", "/etc", "/run/etc")
        run("mount", "--bind", "/run/etc", "/etc")
        run("umount", "--lazy", "/usr")  # From here on it is the machine's: not to be written to.

    def _trust(self):
        """The emulator's authority among the system's, in the folder that is looked into."""
        name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", FOLDER / "ca.pem"],
                              check=True, capture_output=True, text=True).stdout.strip()
        shutil.copy(FOLDER / "ca.pem", f"/etc/ssl/certs/{name}.0")

    def _install(self):
        programs = FOLDER / "libexec"
        programs.mkdir()
        for path in (fixture.MODULE, fixture.CHECK, fixture.CHECK.with_name("twilio.so")):
            shutil.copy(path, programs)
        self.check = programs / fixture.CHECK.name
        self.module = programs / fixture.MODULE.name
        # libpam reads it at every start: what Debian has in it costs more than we do.
        pathlib.Path("/etc/pam.d/other").write_text("auth required pam_deny.so\n")
        pam_service("bench-none", "required pam_permit.so")
        self.use("bench-exec")
        self.use("bench-exec-ignore", login={"unmapped_user": "ignore"})

    def use(self, name, *, url=None, **groups):
        """Makes a PAM service with settings of its own."""
        folder = FOLDER / name
        folder.mkdir(mode=0o755, exist_ok=True)
        groups["service"] = {"ca_file": None} | groups.get("service", {})
        groups["check"] = {"users_dir": USERS} | groups.get("check", {})
        settings = fixture.write_settings(folder, url or self.url, **groups)
        pam_service(name, f"required {self.module} conf={settings} helper={self.check}",
                    *(["required pam_permit.so"] if name.endswith("-ignore") else []))

    def _start_peers(self, stack):
        if self.debs is not None:
            self._unpack(pathlib.Path(self.debs))
        found = {path.stem: path for pattern in MODULES for path in pathlib.Path("/").glob(pattern)}
        self.peers = [peer for peer in ("pam_duo", "pam_google_authenticator", "pam_oath")
                      if peer in found]
        if "pam_duo" in found:
            self._start(stack, fixture.BUILD / "bench-duo", 443, FOLDER / "server.pem",
                        FOLDER / "server.key")
            self._use_duo("pam_duo", found["pam_duo"])
            self._use_duo("pam_duo-ignore", found["pam_duo"], "groups = nogroup\n",
                          "required pam_permit.so")
        google = f"{found.get('pam_google_authenticator')} user=root secret={FOLDER}/google/${{USER}}"
        pam_service("pam_google_authenticator", f"required {google}")
        pam_service("pam_google_authenticator-ignore", f"required {google} nullok",
                    "required pam_permit.so")
        pam_service("pam_oath", f"required {found.get('pam_oath')} usersfile={FOLDER}/oath window=5 "
                    "digits=6")

    @staticmethod
    def _unpack(folder):
        """Debian packages, without installing them."""
        for deb in folder.glob("*.deb"):
            run("dpkg-deb", "-x", deb, FOLDER / "debs")
        libraries = "".join(f"{path}\n" for path in (FOLDER / "debs").glob("usr/lib/*-linux-gnu*"))
        pathlib.Path("/etc/ld.so.conf.d/bench.conf").write_text(libraries)
        run("ldconfig", "-X")

    @staticmethod
    def _use_duo(service, module, more="", *lines):
        settings = FOLDER / f"{service}.conf"
        settings.write_text(f"[duo]\nikey = DI{'X' * 18}\nskey = {'x' * 40}\nhost = {NAME}\n"
                            f"cafile = {FOLDER / 'ca.pem'}\n{more}")
        settings.chmod(0o600)
        pam_service(service, f"required {module} conf={settings}", *lines)

    def set_rtt(self, milliseconds):
        self._bridge.stdin.write(f"{milliseconds * 500}\n")
        self._bridge.stdin.flush()
        time.sleep(0.3)  # What is under way arrives.

    def measure_rtt(self):
        """Milliseconds of the bridge's round trip: the median of some connects."""
        script = ("import socket, statistics, time\nall = []\nfor _ in range(9):\n"
                  " began = time.monotonic()\n"
                  f" socket.create_connection(('{AWAY_ADDRESS}', {self.emulator.port})).close()\n"
                  " all.append(time.monotonic() - began)\nprint(statistics.median(all) * 1000)")
        done = subprocess.run([*IN_HOST, "/usr/bin/python3", "-c", script], check=True,
                              capture_output=True, text=True)
        return float(done.stdout)

    # People

    def add_people(self, count):
        """Enrolls until there are COUNT."""
        def add(number):
            factor = self.emulator.factor()
            name = f"user{number:05}"
            fixture.enroll(FOLDER, name, factor.identity, factor.sid)
            return Person(name, factor)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.people += pool.map(add, range(len(self.people), count))
        users = "".join(f"{person.name}:x:{20000 + i}:20000::/nonexistent:/bin/false\n"
                        for i, person in enumerate(self.people))
        accounts = pathlib.Path("/etc/passwd")
        kept = [line for line in accounts.read_text().splitlines(True)
                if not line.startswith("user")]
        accounts.write_text("".join(kept) + users)

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

    def answers(self, service, people):
        """A line of bench-logins for each."""
        if service.startswith("bench-"):
            now = self.emulator.now()
            codes = [fixture.totp(person.factor.secret, now) if person.factor else "-"
                     for person in people]
        elif service.startswith("pam_duo"):
            codes = ["123456"] * len(people)
        else:
            self._renew_peers_files(service, people)
            codes = [fixture.totp(PEER_SECRET, time.time())] * len(people)
        return "".join(f"{person.name} {code}\n" for person, code in zip(people, codes))

    @staticmethod
    def _renew_peers_files(service, people):
        """Where the peers keep their users: as if nobody had logged in before."""
        if service == "pam_oath":
            secret = "3132333435363738393031323334353637383930"
            (FOLDER / "oath").write_text("".join(f"HOTP/T30/6 {person.name} - {secret}\n"
                                                 for person in people))
            (FOLDER / "oath").chmod(0o600)
            return
        (FOLDER / "google").mkdir(exist_ok=True)
        for person in people:
            path = FOLDER / "google" / person.name
            path.unlink(missing_ok=True)
            path.write_text(f'{PEER_SECRET}\n" RATE_LIMIT 3 30\n" WINDOW_SIZE 3\n'
                            '" DISALLOW_REUSE\n" TOTP_AUTH\n')
            path.chmod(0o400)

    # Logins

    def log_in(self, service, *, count=1, people=None, think_ms=0, at_once=1, seconds=60):
        """What became of COUNT logins of different people."""
        people = people or self.next_people(count)
        done = subprocess.run(
            [*IN_HOST, fixture.BUILD / "bench-logins", service, str(think_ms), str(at_once),
             str(seconds)], input=self.answers(service, people), check=True, capture_output=True,
            text=True)
        return [Login(*map(int, line.split())) for line in done.stdout.splitlines()]
