# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Every fault at sshd, and one of each kind at the other hosts; prints a table of what came of it."""

import argparse
import concurrent.futures
import contextlib
import shutil
import sys

from faults import ANYTHING, FAULTS
from hosts import DIRECTORY, USER, Hosts
from kit.servers import NameServer

from kit.fixture import enroll, temporary_directory, write_settings
from kit.liar import make_liars_certificates
from kit.machine import RUN_AS, run
from kit.parallel import patience

WORKERS = 16
WAIT_SECONDS, TIMEOUT_SECONDS = 1, 5  # for what waits for the limit, and for what does not
GRACE_SECONDS = 1


class Row:
    """One fault at one host."""

    def __init__(self, words, fault, host, number):
        self.words, self.fault, self.host = words, fault, host
        self.service = f"faults-{number}-{host}"
        self.timeout = WAIT_SECONDS if fault.waits else TIMEOUT_SECONDS

    def run(self, matrix):
        """Returns what came of the login, and what reached the service."""
        directory = DIRECTORY / self.service
        directory.mkdir(mode=0o755)
        shutil.copy(matrix.certificates / "ca.pem", directory)
        with self.fault.server(matrix.certificates) as peer:
            settings = self._write_settings(directory, peer)
            enroll(directory, USER, peer.identity, peer.factor_sid)
            answer = peer.answers.get(self.fault.answer) or self._make_recovery_code(settings)
            if self.fault.state_dir:
                self._write_settings(directory, peer, state_dir=self.fault.state_dir)
            report = directory / "report"
            matrix.hosts.write_stack(self.service, report, f"conf={settings}", self.fault.starve)
            returned = matrix.hosts.login(self.host, self.service, report, answer)
            return returned, peer.met()

    def _write_settings(self, directory, peer, **check):
        return write_settings(directory, peer.url, service={"timeout_seconds": self.timeout},
                              login={"attempts": 1}, check={"run_as": RUN_AS} | check)

    @staticmethod
    def _make_recovery_code(settings):
        return run("twilio-verify", "--settings", settings, "recovery-codes", "--count", "1",
                   USER).strip()

    def complaints(self, returned, met):
        """What is not as it must be."""
        expects_in = self.fault.code == "PAM_SUCCESS"
        if returned.is_in != expects_in:
            yield f"it {'lets in' if returned.is_in else 'refuses'}: {returned.screen}"
        if returned.code != self.fault.code:
            yield f"{returned.code} in place of {self.fault.code}"
        limit = self.timeout + patience(GRACE_SECONDS)
        if returned.seconds > limit:
            yield f"it took {returned.seconds:.2f} s, of {limit:.2f} s at most"
        if returned.asked != self.fault.asked:
            yield f"the user was asked {returned.asked} times, not {self.fault.asked}"
        if self.fault.meets not in (met, ANYTHING):
            yield f"what reached the service was {met}, not {self.fault.meets}"


def rows(faults, part=""):
    """A Row for each of FAULTS that has PART in its name, at the first host.

    The module only relays: the other hosts get one of each code, question and shortage."""
    first, *others = Hosts.NAMES
    seen, chosen = set(), []
    for number, (words, fault) in enumerate(faults.items()):
        kind = fault.code, fault.asked, fault.starve
        hosts = [first] if kind in seen else [first, *others]
        chosen += [Row(words, fault, host, number) for host in hosts if part in words]
        seen.add(kind)
    return chosen


class Matrix:
    """The machine on which the rows of FAULTS run."""

    def __init__(self, faults):
        self.hosts = Hosts([row.service for row in rows(faults)])

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.certificates = stack.enter_context(temporary_directory())
            make_liars_certificates(self.certificates)
            stack.enter_context(self.hosts)
            stack.enter_context(NameServer())
            self._leave = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._leave.__exit__(*exception)

    def log(self, row):
        """What the module said of ROW to syslog; the bare application keeps it to itself."""
        return [line.text for line in self.hosts.machine.journal.find(rf"\({row.service}:", 0)]


def main():
    parser = argparse.ArgumentParser(prog="tests/matrix/table", description=__doc__)
    parser.add_argument("part", nargs="?", default="", help="only faults with this in their names")
    chosen = rows(FAULTS, parser.parse_args().part)
    bad = 0

    print(f"{'fault':<56} {'host':<5} {'code':<21} {'seconds':>7}  limit")
    with Matrix(FAULTS) as matrix, concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for row, future in [(row, pool.submit(row.run, matrix)) for row in chosen]:
            returned, met = future.result()
            print(f"{row.words:<56} {row.host:<5} {returned.code:<21} {returned.seconds:>7.3f}  "
                  f"{row.timeout + GRACE_SECONDS:>5}", flush=True)
            complaints = list(row.complaints(returned, met))
            for line in [*complaints, *(matrix.log(row) if complaints else [])]:
                print("    " + line)
            bad += bool(complaints)
    print(f"{len(chosen)} logins, {bad} of them not as they must be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
