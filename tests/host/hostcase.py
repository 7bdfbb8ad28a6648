# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program on a throw-away machine that is short of something. One test after the other: the
machine is theirs together. Standard library only."""

import contextlib
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
from kit import checkcase
from kit.checkcase import CheckTest
from kit.liar import WRONG
from kit.parallel import Parallel

NAME = "verify.twilio.com"  # of the certificate
ETC = pathlib.Path("/etc")
KEPT = ("resolv.conf", "hosts", "nsswitch.conf")
PORT_RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")

# What a user must not be able to say of his own host.
OUTAGE = "unavailable"


def is_inside():
    """Whether this is a throw-away machine."""
    return pathlib.Path("/run/throw-away").is_dir()


def run(command):
    subprocess.run(command.split(), check=True, capture_output=True)


class OneByOne(Parallel):
    """The tests of a file."""

    def __init__(self, tests=()):
        super().__init__(tests, workers=1, shared=checkcase.with_certificates)


def load_tests(_loader, tests, _pattern):
    return OneByOne(tests)


class HostCase(CheckTest):
    """A machine whose files and network are as before after each test."""

    etc = ETC

    def setUp(self):
        if not is_inside():
            self.skipTest("only inside tests/login/enter")
        for name in KEPT:
            self.keep(ETC / name)
        self.addCleanup(PORT_RANGE.write_text, PORT_RANGE.read_text())

    def keep(self, path):
        """As it is now, in the end: text, mode, or its absence."""
        if not path.exists():
            self.addCleanup(path.unlink, missing_ok=True)
            return
        text, mode = path.read_text(), path.stat().st_mode

        def restore():
            path.unlink(missing_ok=True)
            path.write_text(text)
            path.chmod(mode)
        self.addCleanup(restore)

    def write(self, name, text):
        (ETC / name).unlink(missing_ok=True)
        (ETC / name).write_text(text)

    def add_card(self):
        """A network card with a route to 192.0.2.0/24, behind which nobody is."""
        run("ip link add card type veth peer name cable")
        self.addCleanup(run, "ip link del card")
        run("ip addr add 192.0.2.1/24 dev card")
        run("ip link set card up")
        run("ip link set cable up")

    def add_route(self, kind, network):
        run(f"ip route add {kind} {network}")
        self.addCleanup(run, f"ip route del {network}")

    def log_in(self, server, outcome, reason="^", *, answer=WRONG, timeout=3, **options):
        """One login with a wrong code, to its verdict. SERVER: what has a url, or the url."""
        host = self.host(server, service={"timeout_seconds": timeout})
        with contextlib.ExitStack() as stack:
            login = stack.enter_context(checkcase.Login(host.settings, timeout=timeout, **options))
            login.expect_prompt(seconds=10)
            login.answer(answer)
            line = login.read_line_until(login.answered_by())
            if line.startswith("ask-secret "):  # The code was wrong.
                login.hang_up()
                line = login.read_line_until(login.answered_by())
        self.assertEqual(line.partition(":")[0], outcome, line)
        self.assertRegex(line, reason)
        return line

    def url(self, server, name=NAME):
        return f"https://{name}:{server.port}"


def pids_group(case, maximum):
    """The file that puts a process into a control group with at most MAXIMUM of them, for CASE."""
    for parent in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        group = pathlib.Path(parent) / f"twilio-verify-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            case.addCleanup(group.rmdir)
            (group / "pids.max").write_text(str(maximum))
            return group / "cgroup.procs"
    case.skipTest("no control group for pids can be made here")


def socket_memory_group(case):
    """The same for one that has no memory for sockets: only version 1 can take it from them alone."""
    group = pathlib.Path(f"/sys/fs/cgroup/memory/twilio-verify-{os.getpid()}")
    try:
        group.mkdir()
        case.addCleanup(group.rmdir)
        (group / "memory.kmem.tcp.limit_in_bytes").write_text("0")
    except OSError:
        case.skipTest("no control group of version 1 can be made for memory here")
    return group / "cgroup.procs"
