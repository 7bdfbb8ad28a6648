#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Measures what a login costs, beside the least that libcurl costs and beside other modules, and
prints a table. Run it through tests/bench/run.

No figure is a test. The test is that no right code is refused."""

import argparse
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
import time

from world import SUCCESS, USERS, Person, World, fixture

START_MS = 5  # of the bare program, on a machine for which VERDICT_MS is meant
VERDICT_MS, PROMPT_MS = 3, 4
CPU_SHARE, RATE_SHARE = 1.1, 0.8


class Table:
    """Prints a row as soon as it is measured."""

    def __init__(self, ways):
        self.ways = ways
        self.missed = self.refused = 0
        print(f"{'':<38}{'limit':>10}" + "".join(f"{way[:10]:>11}" for way in ways), flush=True)

    def row(self, name, figures, limit=None, *, digits=1, least=False):
        """FIGURES by way; LIMIT is for ours, with LEAST from below."""
        if limit is not None:
            kept = figures["ours"] >= limit if least else figures["ours"] <= limit
            self.missed += not kept
        shown = "" if limit is None else f"{'>=' if least else '<='} {limit:.{digits}f}"
        print(f"{name:<38}{shown:>10}" + "".join(
            f"{self._show(figures.get(way), digits):>8}"
            f"{('   ' if limit is None or way != 'ours' else ' ok' if kept else ' NO')}"
            for way in self.ways), flush=True)

    def note(self, text):
        print(f"    {text}", flush=True)

    @staticmethod
    def _show(figure, digits):
        return "" if figure is None else f"{figure:.{digits}f}"


def medians(logins, field):
    """In milliseconds, by way."""
    return {way: statistics.median(getattr(login, field) for login in some) / 1000
            for way, some in logins.items()}


class Bench:
    """The rows; each method measures and prints some of the table's lines."""

    def __init__(self, world, table, short):
        self.world, self.table, self.short = world, table, short
        self.ours = [way for way in ("ours", "beside") if way in world.ways]

    def _size(self, full, short):
        return short if self.short else full

    def _ways(self, *names):
        return [name for name in names if name in self.world.ways]

    def _log_in(self, way, **options):
        """Right codes: each refusal is a failure, unless the module is a peer."""
        logins = self.world.log_in(way, **options)
        refused = [login.code for login in logins if login.code != SUCCESS]
        if refused:
            self.table.refused += 0 if way in self.world.peers else len(refused)
            self.table.note(f"{way}: {len(refused)} of {len(logins)} right codes refused: "
                            f"{sorted(set(refused))}")
        return logins

    def _side_by_side(self, ways, rounds, **options):
        """One login of each way in every round, in another order each time."""
        logins = {way: [] for way in ways}
        for _ in range(rounds):
            for way in random.sample(ways, len(ways)):
                logins[way] += self._log_in(way, **options)
        return logins

    def latency(self):
        """From Enter to the verdict, and to the prompt."""
        ways = [*self.ours, *self._ways("bare", "curl", "pam_duo", "pam_yubico")]
        for rtt, rounds in self._size(((0, 41), (20, 21), (100, 11)), ((0, 5),)):
            self.world.set_rtt(rtt)
            way_ms = self.world.measure_rtt()
            logins = self._side_by_side(ways, rounds, think_ms=self._size(1000, 200))
            start_ms = medians(logins, "prompt")["bare"]
            limit_ms = way_ms + VERDICT_MS * start_ms / START_MS
            self.table.row(f"Enter to verdict, ms, RTT {way_ms:.1f}", medians(logins, "verdict"),
                           limit_ms)
            self._with_code(rounds, limit_ms)
            pasted = self._side_by_side([*self.ours, "bare"], rounds)
            self.table.row("  code pasted at once; bare: whole",
                           medians(pasted, "verdict") | {"bare": medians(pasted, "whole")["bare"]})
        self.world.set_rtt(0)

    def _with_code(self, rounds, limit_ms):
        """The code goes along with the creation."""
        logins = self._side_by_side([f"{way}-with-code" for way in self.ours], rounds,
                                    think_ms=self._size(1000, 200))
        figures = medians(logins, "verdict")
        self.table.row("  with_code", {way: figures[f"{way}-with-code"] for way in self.ours},
                       limit_ms)

    def prompt(self):
        """To the prompt, and of a user who is not required."""
        rounds = self._size(101, 21)
        ways = [*self.ours, *self._ways("bare", "pam_duo", "pam_google_authenticator", "pam_oath",
                                        "pam_yubico")]
        logins = self._side_by_side(["true", *ways], rounds, think_ms=20)
        true_ms = medians(logins, "whole")["true"]
        figures = medians(logins, "prompt")
        self.table.row(f"prompt, ms; /bin/true {true_ms:.1f}; bare: ready", figures,
                       true_ms + PROMPT_MS)

        skipped = {way: f"{way}-ignore" for way in ways if f"{way}-ignore" in self.world.services}
        logins = self._side_by_side([*skipped.values()], rounds, people=[Person("daemon", None)])
        whole = medians(logins, "whole")
        self.table.row("user not required, ms", {way: whole[skipped[way]] for way in skipped})

    def cost(self):
        """CPU, page faults and memory, less what libpam itself costs."""
        ways = [way for way in self.world.ways if way != "true"]
        logins = self._side_by_side(["none", *ways], self._size(101, 21), think_ms=100)
        for name, field, scale in (("CPU, ms", "cpu", 1000), ("page faults", "faults", 1),
                                   ("memory of the host, MB", "kib", 1024)):
            figures = {way: statistics.median(getattr(login, field) for login in some) / scale
                       for way, some in logins.items()}
            less = {way: figure if way in ("bare", "curl") else figure - figures["none"]
                    for way, figure in figures.items()}
            if field == "kib":
                less = {way: less[way] for way in less if way not in ("bare", "curl")}
            self.table.row(name, less, CPU_SHARE * less["bare"] if field == "cpu" else None,
                           digits={"cpu": 1, "faults": 0, "kib": 2}[field])
            if field == "cpu":
                self.table.note(", ".join(f"{way}: {less[way] / less['bare']:.3f} of bare"
                                          for way in self.ours))

    def session(self):
        """CPU of a login that counts for the session, above that of one that does not."""
        people = [Person("daemon", None)]
        spent = {}
        for _ in range(self._size(101, 5)):
            for way in random.sample([name for build in self.ours
                                      for name in (build, f"{build}-session")], 2 * len(self.ours)):
                spent.setdefault(way, []).extend(self._log_in(way, think_ms=100))
            for build in self.ours:
                spent.setdefault(f"{build}-ignore", []).extend(
                    self.world.log_in(f"{build}-ignore", people=people))
        cpu = medians(spent, "cpu")
        self.table.row("session: CPU above a login, ms",
                       {build: cpu[f"{build}-session"] - cpu[build] for build in self.ours},
                       2 * cpu["ours-ignore"])

    def many(self):
        """Logins side by side."""
        count, at_once = self._size((200, 50), (30, 15))
        ways = [*self.ours, *self._ways("bare", "pam_duo", "pam_google_authenticator", "pam_oath",
                                        "pam_yubico")]
        rates = {way: [] for way in ways}
        for _ in range(self._size(5, 1)):
            for way in random.sample(ways, len(ways)):
                people = self.world.next_people(count)
                began = time.monotonic()
                self._log_in(way, people=people, at_once=at_once)
                rates[way].append(count / (time.monotonic() - began))
        rates = {way: statistics.median(some) for way, some in rates.items()}
        self.table.row(f"logins a second, {at_once} at once", rates, RATE_SHARE * rates["bare"],
                       least=True)

    def enrollments(self):
        """One enrollment, and a million. Nobody logs in more often than the limits allow."""
        count, rounds = self._size(1000000, 1000), self._size(41, 3)
        with tempfile.TemporaryDirectory(dir=fixture.BUILD) as name:
            directories = {users: pathlib.Path(name) / users for users in ("one", "many")}
            for users, directory in directories.items():
                directory.mkdir(parents=True)
                self.world.use(users, "ours", check={"users_dir": directory})
            pathlib.Path(name).chmod(0o755)
            fill(directories["many"], count - 1)
            logins = {users: [] for users in directories}
            for person in self.world.people[:self._size(5, 1)]:
                for directory in directories.values():
                    shutil.copy(USERS / f"{person.name}.conf", directory)
                for _ in range(rounds):
                    for users in random.sample([*directories], 2):
                        self.world.emulator.control("clock +90")
                        logins[users] += self._log_in(users, people=[person], think_ms=60)
                for directory in directories.values():
                    (directory / f"{person.name}.conf").unlink()
        prompts = medians(logins, "prompt")
        self.table.row(f"prompt, {count:,} enrollments for 1",
                       {"ours": prompts["many"] / prompts["one"]}, 1.1, digits=2)


def fill(directory, count):
    """Enrollments of others: names are what counts, so that files are shared."""
    for number in range(count):
        if number % 60000 == 0:
            source = directory / f"other{number:07}.conf"
            source.write_text(f'identity = "other-0001";\nfactor_sid = "YF{"0" * 32}";\n')
            source.chmod(0o640)
        else:
            (directory / f"other{number:07}.conf").hardlink_to(source)


ROWS = ("latency", "prompt", "cost", "session", "many", "enrollments")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few samples: to see that it works")
    parser.add_argument("--debs", metavar="DIRECTORY", help="packages of peers, used uninstalled")
    parser.add_argument("--beside", metavar="BUILD", help="another build, in a column of its own")
    parser.add_argument("rows", metavar="ROW", nargs="*", help="of " + " ".join(ROWS))
    arguments = parser.parse_args()
    if set(arguments.rows) - set(ROWS):
        parser.error("rows are " + " ".join(ROWS))

    with World(arguments.debs, arguments.beside) as world:
        world.add_people(60 if arguments.short else 1000)
        table = Table([way for way in world.ways if way != "true"])
        bench = Bench(world, table, arguments.short)
        for row in arguments.rows or ROWS:
            getattr(bench, row)()
    print(f"{table.missed} figures beyond their limit, {table.refused} right codes refused")
    return 1 if table.refused else 0


if __name__ == "__main__":
    sys.exit(main())
