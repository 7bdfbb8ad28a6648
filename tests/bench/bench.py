#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Measures what a login costs, and prints a table: run it through tests/bench/run.

Ours, a program of its own for each login (exec), and beside it the peers that are there. No figure is a test; what is one: that no right code is refused."""

import argparse
import concurrent.futures
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from world import AWAY_ADDRESS, IN_HOST, STUCK, SUCCESS, USERS, Person, World, fixture

OURS = {"exec": "bench-exec"}
COLUMNS = {"pam_duo": "duo", "pam_google_authenticator": "google", "pam_oath": "oath"}
GRACE_SECONDS = 1  # beyond timeout_seconds
GIVE_UP_SECONDS = 60
PROMISED = 200  # logins at once of which none is refused


class Table:
    """Prints a row as soon as it is measured."""

    def __init__(self, peers):
        self.peers = peers
        self.missed = self.refused = 0
        print(f"{'':<42}{'limit':>12}{'exec':>13}"
              + "".join(f"{COLUMNS[peer]:>9}" for peer in peers), flush=True)

    def row(self, name, figures, limit=None, *, unit="", digits=1, least=False):
        """FIGURES by "exec" and the peers; LIMIT for ours, with LEAST from below."""
        print(f"{name:<42}", end="")
        shown = "" if limit is None else f"{'>' if least else '<='} {limit:.{digits}f} {unit}"
        print(f"{shown:>12}", end="")
        for way in OURS:
            verdict = ""
            if limit is not None and way in figures:
                kept = figures[way] > limit if least else figures[way] <= limit
                verdict = " ok " if kept else " NO "
                self.missed += not kept
            print(f"{self._show(figures.get(way), digits) + verdict:>13}", end="")
        print("".join(f"{self._show(figures.get(peer), digits):>9}" for peer in self.peers),
              flush=True)

    def note(self, text):
        print(f"    {text}", flush=True)

    @staticmethod
    def _show(figure, digits):
        return "" if figure is None else f"{figure:.{digits}f}"


class Bench:
    """The rows; each measures and prints some of the table's lines."""

    def __init__(self, world, table, short):
        self.world, self.table, self.short = world, table, short

    def _size(self, full, short):
        return short if self.short else full

    def _log_in(self, service, **options):
        """Right codes: whoever is refused is a failure."""
        logins = self.world.log_in(service, **options)
        refused = [login.code for login in logins if login.code != SUCCESS]
        if refused:
            self.table.refused += len(refused)
            self.table.note(f"{service}: {len(refused)} of {len(logins)} right codes refused, "
                            f"PAM codes {sorted(set(refused))}")
        return logins

    def _side_by_side(self, services, rounds, **options):
        """One login of each service in every round, in another order each time."""
        logins = {service: [] for service in services}
        for _ in range(rounds):
            for service in random.sample(list(services), len(services)):
                logins[service] += self._log_in(service, **options)
        return logins

    @staticmethod
    def _median(logins, names, field):
        """In milliseconds; NAMES: column by service."""
        return {name: statistics.median(getattr(login, field) for login in logins[service]) / 1000
                for name, service in names.items() if service in logins}

    def _services(self, peers):
        return OURS | {peer: peer for peer in peers if peer in self.world.peers}

    def latency(self):
        """From Enter to the verdict, and to the prompt."""
        names = self._services(["pam_duo"])
        for rtt, rounds in ((0, self._size(21, 3)), (20, self._size(15, 3)), (100, 9)):
            if self.short and rtt == 100:
                continue
            self.world.set_rtt(rtt)
            way = self.world.measure_rtt()
            warm = self._side_by_side(names.values(), rounds,
                                      think_ms=self._size(1000, 200 + 6 * rtt))
            cold = self._side_by_side(OURS.values(), rounds)
            self.table.row(f"Enter to verdict, RTT {way:.1f} ms",
                           self._median(warm, names, "verdict"), way + 3, unit="ms")
            self.table.row("  the same, code pasted at once",
                           self._median(cold, OURS, "verdict"), 4 * way + 25, unit="ms")
            self.table.row("  to the prompt", self._median(warm, names, "prompt"), 5, unit="ms")
        self.world.set_rtt(0)

    def skipped(self):
        """A user who is not required."""
        names = {name: f"{service}-ignore"
                 for name, service in self._services(["pam_duo", "pam_google_authenticator"]).items()}
        logins = self._side_by_side(names.values(), self._size(41, 7),
                                    people=[Person("daemon", None)])
        self.table.row("a user who is not required", self._median(logins, names, "whole"), 4,
                       unit="ms")

    def processor(self):
        """CPU of a login, all processes: means."""
        names = self._services(["pam_duo", "pam_google_authenticator", "pam_oath"])
        batch, rounds = 10, self._size(60, 1)
        costs = {name: [] for name in names}
        for _ in range(rounds):
            for name, service in random.sample(list(names.items()), len(names)):
                logins = self._log_in(service, count=batch, think_ms=60)
                costs[name].append(sum(login.cpu for login in logins) / 1000 / batch)
        figures = {name: statistics.mean(some) for name, some in costs.items()}
        self.table.row("CPU of a login, all processes", figures, figures.get("pam_duo"),
                       unit="ms")
        if "pam_duo" in costs and rounds > 1:
            self.table.note("; ".join(f"{way}: {self._share(costs[way], costs['pam_duo'])}"
                                      for way in OURS))

    @staticmethod
    def _share(ours, theirs):
        """How OURS compares with THEIRS, of the same rounds, and how sure that is."""
        mean = statistics.mean(theirs)
        error = statistics.stdev(our - their for our, their in zip(ours, theirs)) \
            / len(ours) ** 0.5
        return (f"{statistics.mean(ours) / mean:.3f} of pam_duo's, "
                f"give or take {2 * error / mean:.3f} (95 %)")

    def memory(self):
        """What the module adds to its host, and what stays."""
        names = self._services(["pam_duo", "pam_google_authenticator", "pam_oath"])
        logins = self._side_by_side(["bench-none", *names.values()], self._size(9, 3), think_ms=50)
        rss = {service: statistics.median(login.after - login.before for login in some) / 1024
               for service, some in logins.items()}
        added = {name: rss[service] - rss["bench-none"] for name, service in names.items()}
        self.table.row("memory added to the host", added, 0.15, unit="MB", digits=2)

        counts = dict.fromkeys(OURS, self._size(10000, 30)) | {"pam_duo": self._size(1000, 30)}
        grown = {name: self._grow(names[name], count) for name, count in counts.items()
                 if name in names}
        self.table.row(f"  growth in {counts['exec']:,} logins, duo {counts['pam_duo']:,}",
                       grown, 0, unit="KiB", digits=0)

    def _grow(self, service, count):
        """KiB from the tenth login of a process to its last."""
        logins = []
        process = subprocess.Popen([*IN_HOST, fixture.BUILD / "bench-logins", service, "0", "0",
                                    "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with process:
            while len(logins) < count:
                people = self.world.next_people(min(200, count - len(logins),
                                                    len(self.world.people)))
                process.stdin.write(self.world.answers(service, people))
                process.stdin.flush()
                for _ in people:
                    logins.append(list(map(int, process.stdout.readline().split())))
            process.stdin.close()
        self.table.refused += sum(login[0] != SUCCESS for login in logins)
        return logins[-1][-1] - logins[9][-1]

    def many(self):
        """Logins side by side."""
        self.world.set_rtt(20)
        names = self._services(["pam_duo", "pam_google_authenticator", "pam_oath"])
        count, at_once = self._size(200, 40), self._size(50, 20)
        rates = {name: [] for name in names}
        for _ in range(self._size(3, 1)):
            for name, service in random.sample(list(names.items()), len(names)):
                rate, logins = self._rate(service, count, at_once, service in self.world.peers)
                rates[name].append(rate)
                refused = sum(login.code != SUCCESS for login in logins)
                if service in self.world.peers and refused:
                    self.table.note(f"{service}: {refused} of {count} right codes refused")
        rates = {name: statistics.median(some) for name, some in rates.items()}
        self.table.row(f"{count} logins, {at_once} at once, RTT 20, each second", rates,
                       rates.get("pam_duo"), least=True)
        self.world.set_rtt(0)

    def _rate(self, service, count, at_once, may_refuse=False):
        """Logins a second, and what became of them."""
        people = self.world.next_people(count)
        began = time.monotonic()
        log_in = self.world.log_in if may_refuse else self._log_in
        logins = log_in(service, people=people, at_once=at_once, think_ms=100)
        rate = count / (time.monotonic() - began)
        return rate, logins

    def storm(self):
        """A thousand logins, a service that takes 50 ms; and more at once than we promise."""
        self.world.emulator.control("fault slow=50")
        for count, at_once in self._size(((1000, 200), (1000, 500), (1000, 1000)), ((60, 30),)):
            rates, notes = {}, []
            for name, service in OURS.items():
                with Anonymous() as anonymous:
                    rates[name], logins = self._rate(service, count, at_once, at_once > PROMISED)
                waits = sorted(login.verdict for login in logins)
                stuck = sum(login.code == STUCK for login in logins)
                refused = sum(login.code not in (SUCCESS, STUCK) for login in logins)
                notes.append(f"{name}: Enter to verdict {waits[len(waits) // 2] / 1e6:.2f} s, the "
                             f"longest {waits[-1] / 1e6:.2f} s; {refused} refused, {stuck} stuck; "
                             f"at most {anonymous.most_mib:.0f} MiB for all")
            self.table.row(f"{count} logins, {at_once} at once, 50 ms service", rates)
            for note in notes:
                self.table.note(note)
        self.world.emulator.control("fault clear")

    def enrollments(self):
        """One enrollment, and a million. Nobody logs in more often than the limits allow."""
        count, rounds = self._size(1000000, 1000), self._size(41, 3)
        services = [f"bench-{way}-{users}" for way in OURS for users in ("one", "many")]
        logins = {service: [] for service in services}
        with tempfile.TemporaryDirectory(dir=fixture.BUILD) as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            for users in ("one", "many"):
                (folder / users).mkdir()
                for service in OURS.values():
                    self.world.use(f"{service}-{users}", check={"users_dir": folder / users})
            fill(folder / "many", count - 1)
            for person in self.world.people[:self._size(5, 1)]:
                enrolled = [pathlib.Path(shutil.copy(USERS / f"{person.name}.conf", folder / users))
                            for users in ("one", "many")]
                for _ in range(rounds):
                    for service in random.sample(services, len(services)):
                        self.world.emulator.control("clock +90")
                        logins[service] += self._log_in(service, people=[person], think_ms=60)
                for path in enrolled:
                    path.unlink()
        first = {way: logins[f"bench-{way}-many"][0].prompt / 1000 for way in OURS}
        medians = self._median(logins, {service: service for service in services}, "prompt")
        self.table.row(f"prompt, {count:,} enrollments for 1",
                       {way: medians[f"bench-{way}-many"] / medians[f"bench-{way}-one"]
                        for way in OURS}, 1.1, unit="x", digits=2)
        self.table.note("; ".join(f"{way}: 1 {medians[f'bench-{way}-one']:.2f} ms, {count:,} "
                                  f"{medians[f'bench-{way}-many']:.2f} ms, the first login "
                                  f"{first[way]:.2f} ms" for way in OURS))

    def faults(self):
        """The slowest of all that can be wrong beyond the host."""
        timeout = self._size(5, 1)
        seconds = {way: {} for way in OURS}
        with socket.create_server((AWAY_ADDRESS, 0), backlog=512) as mute:
            for fault, (url, commands) in faults(mute.getsockname()[1], self.short).items():
                for command in commands:
                    self.world.emulator.control(f"fault {command}")
                for way, service in OURS.items():
                    self.world.use(f"{service}-fault", url=url,
                                   service={"timeout_seconds": timeout})
                with concurrent.futures.ThreadPoolExecutor() as pool:
                    for way, took in zip(OURS, pool.map(self._fail, OURS.values())):
                        seconds[way][fault] = took
                self.world.emulator.control("fault clear")
        self.table.row(f"the slowest of {len(seconds['exec'])} faults, all refused",
                       {way: max(some.values()) for way, some in seconds.items()},
                       timeout + GRACE_SECONDS, unit="s")
        for way, some in seconds.items():
            self.table.note(f"{way}: " + ", ".join(f"{fault} {took:.2f}"
                                                   for fault, took in some.items()))

    def _fail(self, service):
        """Seconds from Enter to a refusal."""
        login = self.world.log_in(f"{service}-fault", seconds=GIVE_UP_SECONDS)[0]
        if login.code in (SUCCESS, STUCK):
            raise RuntimeError(f"with a fault, {service} ends with PAM code {login.code}")
        return login.verdict / 1e6


def faults(mute_port, short):
    """What can be wrong beyond the host: a URL, or commands to the emulator, by name."""
    beyond = {"refuses": f"https://{AWAY_ADDRESS}:1", "drops": "https://no-host.example",
              "mute": f"https://{AWAY_ADDRESS}:{mute_port}", "no such name": "https://a.nowhere",
              "dead name server": "https://a.dead"}
    within = ("no-answer on create", "no-answer on verify", "slow-body", "endless-body", "cut-body",
              "close-before", "close-after", "status-503", "status-200-html", "bad-json",
              "giant-body")
    every = {name: (url, ()) for name, url in beyond.items()}
    every |= {name: (None, (name,)) for name in within}
    every["busy"] = None, ("status-429/20429", "retry-after=30")
    if short:
        every = {name: every[name] for name in ("drops", "no-answer on verify")}
    return every


class Anonymous:
    """The most memory of their own that all processes of the logins had at once; a page that forked
    processes still share counts for each."""

    def __enter__(self):
        self.most_mib, self._ends = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._ends.set()
        self._thread.join()

    def _watch(self):
        while not self._ends.wait(0.2):
            pages = 0
            for path in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    if (path / "comm").read_text().startswith(("twilio-verify-c", "bench-logins")):
                        sizes = (path / "statm").read_text().split()
                        pages += int(sizes[1]) - int(sizes[2])
                except OSError:
                    pass
            self.most_mib = max(self.most_mib, pages / 256)


def fill(folder, count):
    """Enrollments of others: names are what counts, so that files are shared."""
    for number in range(count):
        if number % 60000 == 0:
            source = folder / f"other{number:07}.conf"
            fixture._write(source, 'identity = "other-0001";\nfactor_sid = "YF' + "0" * 32 +
                           '";\n', 0o640)
        else:
            (folder / f"other{number:07}.conf").hardlink_to(source)


ROWS = ("latency", "skipped", "processor", "memory", "many", "storm", "enrollments", "faults")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few samples: to see that it works")
    parser.add_argument("--debs", metavar="FOLDER", help="packages of peers, used uninstalled")
    parser.add_argument("rows", metavar="ROW", nargs="*", help="of " + " ".join(ROWS))
    arguments = parser.parse_args()
    if set(arguments.rows) - set(ROWS):
        parser.error("rows are " + " ".join(ROWS))

    with World(arguments.debs) as world:
        world.add_people(60 if arguments.short else 1000)
        table = Table(world.peers)
        bench = Bench(world, table, arguments.short)
        for row in arguments.rows or ROWS:
            getattr(bench, row)()
    print(f"{table.missed} figures beyond their limit, {table.refused} right codes refused")
    return 1 if table.refused else 0


if __name__ == "__main__":
    sys.exit(main())
