# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A throw-away machine with the product on it: only for programs that tests/login/enter started."""

import collections
import contextlib
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import termios
import threading
import time

from pexpect import EOF, TIMEOUT
from pexpect.fdpexpect import fdspawn

from . import fixture

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECURITY = pathlib.Path("/etc/security")
SETTINGS = SECURITY / "twilio-verify.conf"
SECRETS = SECURITY / "twilio-verify.d"
STATE = pathlib.Path("/var/lib/twilio-verify")
RUN_AS = "_twilio-verify"
HOST = "verify.twilio.com"
MODULE_LINE = "auth  required  pam_twilio_verify.so"
PATIENCE_SECONDS = 20

LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
LogLine = collections.namedtuple("LogLine", "facility level program text")


def is_inside():
    """Whether this is a throw-away machine."""
    return pathlib.Path("/run/throw-away").is_dir()


def run(*command, **options):
    """Runs COMMAND; raises what it printed when it fails."""
    done = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL),
                          capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def eventually(get, is_enough, seconds=PATIENCE_SECONDS):
    """What GET returns as soon as IS_ENOUGH says yes, or the last it returned."""
    end = time.monotonic() + seconds
    while True:
        value = get()
        if is_enough(value) or time.monotonic() > end:
            return value
        time.sleep(0.02)


def read_recipe(recipe, part=None):
    """The text of conf/pam.d/RECIPE, or the part of it below the line "## PART"."""
    text = (ROOT / "conf" / "pam.d" / recipe).read_text()
    if part is not None:
        text = text.partition(f"\n## {part}\n")[2].partition("\n## ")[0]
        if not text:
            raise RuntimeError(f"conf/pam.d/{recipe} has no part \"{part}\"")
    return text


def remove_account(name):
    if subprocess.run(["id", name], capture_output=True, check=False).returncode == 0:
        run("userdel", name)


class Journal:
    """/dev/log: what programs tell syslog."""

    # A program that shows what it does in its title has blanks in its name.
    LINE = re.compile(r"<(?P<priority>\d+)>(?:\w{3} [\d ]\d [\d:]{8} )?"
                      r"(?P<program>[^:\[]*)(?:\[\d+\])?: (?P<text>.*)", re.DOTALL)

    def __init__(self):
        self.lines = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            text = self._socket.recv(65536).rstrip(b"\n\0").decode(errors="backslashreplace")
            match = self.LINE.fullmatch(text)
            if match:
                priority = int(match["priority"])
                self.lines.append(LogLine(priority >> 3, LEVELS[priority & 7], match["program"],
                                          match["text"]))

    def find(self, pattern, count=1):
        """The lines whose text has PATTERN; waits until there are COUNT of them."""
        matching = lambda: [line for line in self.lines if re.search(pattern, line.text)]
        return eventually(matching, lambda lines: len(lines) >= count)

    def logins(self, user, count=1):
        """The lines of USER's logins that have ended."""
        return self.find(rf"^pam_twilio_verify\(\S+\): user={re.escape(user)} .*\boutcome=", count)

    def wrong_codes(self, user, count=1):
        """The lines about USER's wrong codes."""
        return self.find(rf"^pam_twilio_verify\(\S+\): user={re.escape(user)} .* "
                         r'reason="wrong code ', count)


class Terminal:
    """A person at a keyboard: COMMAND on a terminal of its own."""

    def __init__(self, *command, **options):
        self._master, slave = os.openpty()
        termios.tcsetwinsize(slave, (60, 100))
        self._process = subprocess.Popen(["setsid", "--ctty", *map(str, command)], stdin=slave,
                                         stdout=slave, stderr=slave, **options)
        os.close(slave)
        self._child = fdspawn(self._master, timeout=PATIENCE_SECONDS, encoding="utf-8",
                              codec_errors="backslashreplace")
        self._child.delaybeforesend = None
        self.screen = ""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.hang_up()

    def expect(self, *patterns):
        """Waits until one of the PATTERNS shows up; returns its number. All else is an error."""
        end = time.monotonic() + PATIENCE_SECONDS
        is_alive = True
        while is_alive and time.monotonic() < end:
            is_alive = self._process.poll() is None
            found = self._child.expect([*patterns, EOF, TIMEOUT])
            self.screen += self._child.before
            if found < len(patterns):
                self.screen += self._child.after
                return found
            # login(1) hangs its terminal up before it uses it: that looks like the end.
            time.sleep(0.05)
        raise AssertionError(f"waited for {patterns} in vain; the screen:\n{self.screen}")

    def type(self, line):
        self._child.send(line + "\n")

    def type_hidden(self, line):
        """Once the terminal shows no more what is typed. Who asks so first throws away what was
        typed before."""
        assert eventually(lambda: not termios.tcgetattr(self._master)[3] & termios.ECHO, bool)
        self.type(line)

    @property
    def pid(self):
        return self._process.pid

    def press(self, key):
        self._child.send(key)

    def press_until(self, key, pattern):
        """Presses KEY, of which chr(3) is ^C, until PATTERN shows, once in two seconds."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            self._child.send(key)
            if self._child.expect([pattern, TIMEOUT], timeout=2) == 0:
                self.screen += self._child.before + self._child.after
                return
        raise AssertionError(f"{key!r} does not lead to {pattern}; the screen:\n{self.screen}")

    def answer(self, prompt, line):
        """Waits for PROMPT, which is no pattern, at the end of the screen, and types LINE."""
        self.expect(re.escape(prompt) + "$")
        self.type(line)

    def finish(self):
        """Waits for the end; returns the exit status."""
        try:
            self._child.expect(EOF)
        except TIMEOUT as error:
            self.screen += self._child.before
            raise AssertionError(f"does not end; the screen:\n{self.screen}") from error
        self.screen += self._child.before
        return self._process.wait(PATIENCE_SECONDS)

    @property
    def text(self):
        """The screen as a person reads it."""
        return self.screen.replace("\r", "")

    def hang_up(self):
        """Pulls the plug, once: by then the number of the descriptor may be another one's."""
        master, self._master = self._master, None
        if master is not None:
            os.close(master)
        self._process.kill()
        self._process.wait()


class Person:
    """Somebody with an account, a password, and an authenticator app."""

    def __init__(self, machine, name, is_enrolled, password):
        self.machine, self.name, self.factor = machine, name, None
        self.password = password or f"pw-of-{name}"
        self.codes = []  # that were ever asked for
        if is_enrolled:
            self.factor = machine.emulator.factor(friendly_name=name)
            machine.identities.add(self.factor.identity)
            fixture.enroll(SECRETS, name, self.factor.identity, self.factor.sid)

    @property
    def code(self):
        self.codes.append(self.factor.code())
        return self.codes[-1]

    @property
    def wrong_code(self):
        self.codes.append(self.factor.wrong_code())
        return self.codes[-1]

    @property
    def wrong_codes(self):
        """Three of them: one that is repeated ends the login."""
        wrong = [self.factor.wrong_code(number) for number in range(3)]
        self.codes += wrong
        return wrong

    @property
    def next_code(self):
        """Right as well, half a minute early: no code is right twice."""
        self.codes.append(self.factor.code(1))
        return self.codes[-1]

    def forget_codes(self):
        """The host does not know any more which codes were used."""
        (STATE / f"{self.name}.sent").unlink(missing_ok=True)

    def requests(self):
        """What the emulator was asked about this person's challenges: "POST Challenges 201"."""
        shown = []
        for request in self.machine.emulator.requests():
            rest = request.path.partition(f"/Entities/{self.factor.identity}/")[2].split("?")[0]
            if rest and not rest.startswith("Factors"):
                noun = re.sub(r"/YC\w+", "/YC", rest)
                shown.append(f"{request.method} {noun} {request.status}")
        return shown

    def log(self, count=1):
        return self.machine.journal.logins(self.name, count)


class Machine:
    """Installs and starts everything; `with Machine() as machine:`."""

    def __enter__(self):
        if not is_inside():
            raise RuntimeError("not on a throw-away machine: use tests/login/enter")
        with contextlib.ExitStack() as stack:
            self._accounts = threading.Lock()
            self._names = 0
            self.identities = set()  # of everybody who is enrolled
            self.journal = Journal()
            self._install()
            self._trust_the_emulator()
            self.emulator = stack.enter_context(
                fixture.Emulator(directory="/run/twilio", port=443))
            self.configure()
            self._leave = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._leave.__exit__(*exception)

    def _install(self):
        """As the README tells an administrator."""
        run("meson", "install", "--no-rebuild", "--quiet", "-C", str(fixture.BUILD))
        listing = json.loads(run("meson", "introspect", "--installed", str(fixture.BUILD)))
        self.module = pathlib.Path(listing[str(fixture.MODULE)])
        self.check = pathlib.Path(listing[str(fixture.CHECK)])
        if not (self.module.parent / "pam_unix.so").exists():
            raise RuntimeError(f"libpam does not look for {self.module}: remove {fixture.BUILD}, "
                               "and let tests/run make it anew")
        # The machine that this one is a copy of may have the product, too.
        shutil.rmtree(SECRETS, ignore_errors=True)
        remove_account(RUN_AS)
        run("useradd", "--system", "--home-dir", "/nonexistent", "--no-create-home", "--shell",
            "/usr/sbin/nologin", RUN_AS)
        for directory in (SECRETS, SECRETS / "users"):
            directory.mkdir(mode=0o700)
        run("install", "-d", "-m", "0700", "-o", RUN_AS, str(STATE))

        common = pathlib.Path("/etc/pam.d/common-auth")
        text = common.read_text()
        if "pam_unix.so" not in text:
            raise RuntimeError("/etc/pam.d/common-auth of this machine does not use pam_unix")
        common.write_text(re.sub(r"(pam_unix\.so.*)", r"\1 nodelay", text))

    def _trust_the_emulator(self):
        """Its authority among the system's, and the name of the real service."""
        directory = pathlib.Path("/run/twilio")
        directory.mkdir(mode=0o755)
        fixture.make_certificates(directory)
        name = run("openssl", "x509", "-hash", "-noout", "-in", str(directory / "ca.pem")).strip()
        shutil.copy(directory / "ca.pem", f"/etc/ssl/certs/{name}.0")
        with open("/etc/hosts", "a") as hosts:
            # sudo complains where the machine does not know itself.
            hosts.write(f"127.0.0.1 {HOST}\n127.0.1.1 {socket.gethostname()}\n")

    def configure(self, path=SETTINGS, secret=fixture.API_KEY_SECRET, service="", login="",
                  session=""):
        """Writes settings of which all but the mandatory keys, SERVICE, LOGIN and SESSION are
        defaults."""
        secret_file = SECRETS / ("api-key" if path == SETTINGS else path.name + ".api-key")
        secret_file.touch(0o600)
        secret_file.write_text(secret + "\n")
        if path != SETTINGS:
            service += f'    api_key_file = "{secret_file}";\n'
        path.touch(0o640)
        path.write_text(f"""service = {{
    service_sid = "{fixture.SERVICE_SID}";
    account_sid = "{fixture.ACCOUNT_SID}";
    api_key_sid = "{fixture.API_KEY_SID}";
{service}}};
""" + (f"login = {{\n{login}}};\n" if login else "")
    + (f"session = {{\n{session}}};\n" if session else ""))
        path.chmod(0o640)
        return path

    def use_recipe(self, recipe, service, arguments="", exemption=None):
        """Puts the lines of conf/pam.d/RECIPE into /etc/pam.d/SERVICE, as the recipe says.

        The lines of EXEMPTION stand in place of the module's."""
        text = read_recipe(recipe)
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        if 'After "@include common-auth"' in text:
            lines.insert(0, "@include common-auth")
        if exemption is not None:
            where = next(i for i, line in enumerate(lines) if line.startswith(MODULE_LINE))
            own = lines[where].removeprefix(MODULE_LINE)
            lines[where:where + 1] = [line + own if line == MODULE_LINE else line
                                      for line in exemption]
        block = "\n".join(lines).replace("pam_twilio_verify.so",
                                         f"pam_twilio_verify.so {arguments}".rstrip())
        if not service.startswith("sshd"):  # As conf/pam.d/sudo says.
            block = block.replace(" after=publickey", "")

        path = pathlib.Path("/etc/pam.d") / service
        original = path.with_name(service + ".orig")
        if not original.exists():
            host = service.partition("-")[0]  # "sudo-i" is one of Debian's, the others are ours.
            models = [service, f"{host}.orig", host]
            shutil.copy(next(path.with_name(name) for name in models
                             if path.with_name(name).exists()), original)
        stack = original.read_text()
        if "@include common-auth" not in stack:
            raise RuntimeError(f"{path} has no @include common-auth")
        # The message of the day is slow and not ours.
        stack = re.sub(r"(?m)^(session.*pam_motd)", r"#\1", stack)
        new = path.with_name(f".{service}.new")
        new.write_text(stack.replace("@include common-auth", block))
        new.rename(path)

    def add_account(self, name, password):
        """An account with an empty home."""
        remove_account(name)
        hashed = run("openssl", "passwd", "-6", password).strip()
        run("useradd", "--create-home", "--home-dir", f"/run/home/{name}", "--skel",
            "/run/throw-away/none", "--shell", "/bin/sh", "--password", hashed, name)

    def person(self, name, is_enrolled=True, password=None):
        """Somebody new; NAME is made unique by a number."""
        with self._accounts:
            self._names += 1
            person = Person(self, f"{name}{self._names}", is_enrolled, password)
            self.add_account(person.name, person.password)
        return person


class Sshd:
    """A real sshd on 127.0.0.1; `with Sshd(2222, "AuthenticationMethods publickey"):`.

    It uses the PAM service SERVICE."""

    PROGRAM = "/usr/sbin/sshd"

    def __init__(self, port, *lines, service="sshd"):
        self.port, self.lines, self.service = port, lines, service

    def __enter__(self):
        self.directory = pathlib.Path(f"/run/sshd-{self.port}")
        self.directory.mkdir(mode=0o755, exist_ok=True)
        self._configure()
        self.log = open(self.directory / "log", "w")
        program, *arguments = self._program(self.service)
        self.process = subprocess.Popen([program, "-D", "-e", *arguments],
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        if not eventually(self._is_listening, bool):
            raise RuntimeError(f"sshd does not start:\n{(self.directory / 'log').read_text()}")
        return self

    def _configure(self):
        key = self.directory / "host-key"
        if not key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        self.known_hosts = self.directory / "known-hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} " +
                                    key.with_suffix(".pub").read_text())
        self.known_hosts.chmod(0o644)
        self.config = self.directory / "sshd_config"
        own = ["ListenAddress 127.0.0.1", f"Port {self.port}", f"HostKey {key}", "UsePAM yes",
               "PidFile none", "UseDNS no", "MaxStartups 200", "PrintMotd no"]
        self.config.write_text("\n".join(own) + "\n")
        # Since 9.8 whoever failed has to wait, and all of us are one address here; and a setting
        # names the PAM service, which was the name of the program before.
        penalties = "PerSourcePenalties no"
        if self._is_known(penalties):
            own.append(penalties)
        self.config.write_text("\n".join([*own, *self.lines]) + "\n")
        self.knows_service_names = self._is_known("PAMServiceName sshd")

    def _is_known(self, line):
        """Whether this sshd knows the setting LINE."""
        name, value = line.split()
        try:
            run(self.PROGRAM, "-t", "-f", str(self.config), f"-o{name}={value}")
        except RuntimeError:
            return False
        return True

    def _program(self, service):
        """The command of an sshd that uses the PAM service SERVICE."""
        program, options = self.PROGRAM, []
        if service != "sshd" and self.knows_service_names:
            options = [f"-oPAMServiceName={service}"]
        elif service != "sshd":
            program = str(self.directory / service)
            with contextlib.suppress(FileExistsError):
                os.link(self.program_here, program)
        return [program, "-f", str(self.config), *options]

    @functools.cached_property
    def program_here(self):
        """A copy: links to it may have any name."""
        fixture.copy_program(self.PROGRAM, self.directory / "sshd")
        return self.directory / "sshd"

    def for_one_connection(self, service):
        """Options of ssh(1) with which it talks to an sshd of its own, which uses SERVICE."""
        return ("-o", f"ProxyCommand={shlex.join([*self._program(service), '-i'])}")

    def _is_listening(self):
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except ConnectionRefusedError:
            return self.process.poll() is not None and False

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def command(self, user, *remote, options=()):
        """The ssh command of a person who was here before."""
        return ["ssh", "-F", "none", "-p", str(self.port), "-o",
                f"UserKnownHostsFile={self.known_hosts}", *options, "-o",
                "NumberOfPasswordPrompts=1", f"{user}@127.0.0.1", *remote]

    def login(self, user, *remote, options=()):
        """That person at the keyboard."""
        return Terminal(*self.command(user, *(remote or ("id", "-un")), options=options))


class OwnSshd(Sshd):
    """An sshd that runs with /etc/ssh/sshd_config, as Debian has it."""

    CONFIG, DROP_INS = pathlib.Path("/etc/ssh/sshd_config"), pathlib.Path("/etc/ssh/sshd_config.d")
    INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf"

    def __init__(self, port, *lines, head=INCLUDE, pid_file="/run/sshd.pid"):
        super().__init__(port, *lines)
        self.head, self.pid_file = head, pid_file

    def _configure(self):
        super()._configure()
        own = re.sub("UsePAM yes\\nPidFile none\\n", "", self.config.read_text())
        self.config = self.CONFIG
        self.config.write_text(f"{self.head}\nKbdInteractiveAuthentication no\nUsePAM yes\n"
                               f"PidFile {self.pid_file}\n{own}")
