# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""How the tool reads a PAM stack, against the libpam of the machine: the same files, the same code."""

import json
import random
import subprocess
import unittest

from kit.fixture import BUILD, temporary_directory
from kit.admincase import can_copy, on_a_copy

SEED, STACKS = 20260101, 300
CODES = (*["success"] * 9, "auth_err", "auth_err", "ignore", "new_authtok_reqd",
         "authinfo_unavail", "perm_denied", "user_unknown", "maxtries", "abort", "conv_err")
ALL_CODES = (
    "success", "open_err", "symbol_err", "service_err", "system_err", "buf_err", "perm_denied",
    "auth_err", "cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries",
    "new_authtok_reqd", "acct_expired", "session_err", "cred_unavail", "cred_expired", "cred_err",
    "no_module_data", "conv_err", "authtok_err", "authtok_recover_err", "authtok_lock_busy",
    "authtok_disable_aging", "try_again", "ignore", "abort", "authtok_expired", "module_unknown",
    "bad_item", "conv_again", "incomplete")
WORDS = ("required", "requisite", "sufficient", "optional", "Required")
ACTIONS = ("ignore", "ok", "done", "bad", "die", "reset", "1", "1", "2", "3")


def word_of(code):
    """PAM_AUTH_ERR → auth_err."""
    return code.removeprefix("PAM_").lower()


class Generator:
    """Random stacks of pam_debug.so, with files that they include by their whole paths: libpam looks
    for others in /etc/pam.d, whatever the directory that it was given."""

    def __init__(self, seed, directory):
        self.random, self.directory, self.files = random.Random(seed), directory, 0

    def control(self):
        if self.random.random() < 0.4:
            return self.random.choice(WORDS)
        keys = self.random.sample(sorted({*CODES, "default"}), self.random.randint(1, 4))
        return "[" + " ".join(f"{key}={self.random.choice(ACTIONS)}" for key in keys) + "]"

    def line(self, depth):
        chance = self.random.random()
        if chance < 0.25 and depth < 4:
            word = self.random.choice(("include", "substack", "substack", "@include"))
            path = self.file(depth + 1)
            return f"@include {path}" if word == "@include" else f"auth {word} {path}"
        if chance < 0.3:
            return self.random.choice((
                "account required pam_deny.so", "", "# a comment", "session include nosuch",
                "-auth [default=bad module_unknown=ignore] pam_nosuch.so", "auth optional pam_nosuch.so",
                "auth include nosuch", "auth substack nosuch", "nonsense required pam_debug.so",
                "auth [success=nonsense] pam_debug.so"))
        return f"auth {self.control()} pam_debug.so auth={self.random.choice(CODES)}"

    def file(self, depth=0):
        self.files += 1
        path = self.directory / f"file-{self.files}"
        lines = [self.line(depth) for _ in range(self.random.randint(0 if depth else 1, 6))]
        path.write_text("".join(f"{line}\n" for line in lines))
        return path


class Stack(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        (self.directory / "other").write_text("auth required pam_deny.so\n")
        (self.directory / "yes").write_text("auth required pam_debug.so auth=success\n")
        (self.directory / "empty").write_text("# nothing\n")

    def by_libpam(self, service):
        """A code word, and what each pam_debug.so said that was called; None where libpam refuses to
        begin, or falls over its own feet."""
        done = subprocess.run([BUILD / "pam-driver", "--confdir", self.directory, "--service",
                               service,
                               "--user", "root", "--call", "authenticate"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
        said = json.loads(done.stdout)
        return (word_of(said["calls"][0]["code"]),
                [message["text"] for message in said["messages"]])

    def by_tool(self, service):
        done = subprocess.run([BUILD / "stack-run", service, self.directory], capture_output=True,
                              text=True, check=True, timeout=10)
        if done.stdout.startswith("refused: "):
            return None
        code, calls = done.stdout.splitlines()
        return code, calls.split()

    def assert_same(self, service):
        """Returns the code, and what was called."""
        found = self.by_libpam(service)
        path = self.directory / service
        self.assertEqual(self.by_tool(service), found, path.read_text() if path.exists() else "")
        return found or (None, [])

    def test_random_stacks_end_as_libpam_ends_them(self):
        ends = {}
        for number in range(STACKS):
            service = Generator(SEED + number, self.directory).file()
            service.rename(self.directory / f"service-{number}")
            with self.subTest(seed=SEED + number):
                end, _ = self.assert_same(f"service-{number}")
                ends[end] = ends.get(end, 0) + 1
        self.assertGreater(ends["success"], STACKS / 20, ends)
        self.assertGreater(len(ends), 5, ends)

    def test_lines_are_read_as_libpam_reads_them(self):
        debug, yes, ok = "pam_debug.so", self.directory / "yes", "auth required pam_debug.so\n"
        for text in (
                f"AUTH REQUIRED {debug} auth=success\n",
                f"auth [SUCCESS=ok default=die] {debug}\n",
                f"auth required PAM_debug.so\n{ok}",
                f"auth required {debug} auth=success # auth=auth_err\n",
                f"auth [success=ok # default=die] {debug}\n{ok}",
                f"auth \\\n required {debug} auth=auth_err \\\n {debug}\n",
                f"auth required \\\n# a comment\n {debug} \\\n auth=success\n",
                f"auth required \\\n\n {debug} \\\n auth=success\n",
                f"auth required {debug} \\  \n auth=auth_err\n",
                f"auth required {debug} \\ # a comment\n auth=success\n",
                f"{ok}auth optional {debug} \\\n",
                f"{ok}auth optional {debug} \\",
                ok.rstrip("\n"), "\n", "", "   \t\n", f"\tauth\trequired\t{debug}\tauth=success\n",
                f"auth\frequired {debug}\n",
                f"auth required {debug} [auth=success]\n",
                f"auth required {debug} auth=success\r\n",
                f"auth [ success = ok  default =die ] {debug}\n",
                f"auth [success=ok,default=die] {debug}\n",
                f"auth [success=okay] {debug}\n",
                f"auth [success=ok]{debug} auth=success\n",
                f"auth [success=ok \\\n default=die] {debug}\n",
                f"auth [default=die success=ok] {debug}\n",
                f"auth [] {debug}\n", f"auth [success=ok {debug}\n",
                f"auth [success=0 default=ignore] {debug} auth=auth_err\n{ok}",
                f"{ok}auth [success=1] {debug}\nauth required {debug} auth=auth_err\n",
                f"{ok}auth [success=2] {debug}\nauth required {debug} auth=auth_err\n",
                f"{ok}auth [default=ignore] {debug} auth=incomplete\n",
                f"auth requird {debug}\n{ok}",
                "auth required\n", f"{ok}auth\n", f"{ok}nonsense optional {debug}\n",
                f"{ok}@nonsense required {debug}\n", f"{ok}-auth required pam_nosuch.so\n",
                f"auth include {yes}\n", f"-auth include {yes}\n", f"auth INCLUDE {yes}\n",
                f"{ok}auth include {self.directory}/nosuch\n", f"{ok}auth substack nosuch\n",
                f"@include {yes}\n", f"@INCLUDE {yes}\n", f"-@include {yes}\n",
                f"{ok}@include {self.directory}/nosuch\n",
                f"{ok}session include nosuch\n", f"{ok}@include {self.directory}/empty\n",
                f"auth substack {self.directory}/empty\n{ok}",
                f"auth [success=1] {debug}\nauth substack {yes}\nauth required {debug}\n",
                f"auth [success=1] {debug}\nauth include {yes}\nauth required {debug}\n",
                "account required pam_permit.so\n"):
            with self.subTest(text):
                (self.directory / "service").write_text(text)
                self.assert_same("service")

    def test_each_keyword_means_what_it_means_to_libpam(self):
        for word in WORDS[:4]:
            for code in ("success", "new_authtok_reqd", "ignore", "auth_err"):
                for after in ("", "auth required pam_debug.so auth=maxtries\n",
                              "auth optional pam_debug.so\n"):
                    with self.subTest([word, code, after]):
                        (self.directory / "service").write_text(
                            f"auth {word} pam_debug.so auth={code}\n{after}")
                        self.assert_same("service")

    def test_each_code_has_the_word_that_it_has_for_libpam(self):
        for code in ALL_CODES:
            with self.subTest(code):
                (self.directory / "service").write_text(
                    f"auth [{code}=done default=bad] pam_debug.so auth={code}\n"
                    "auth required pam_debug.so auth=perm_denied\n")
                self.assertEqual(self.by_tool("service")[0], code)
                # The driver has no name for some.
                self.assertIn(self.by_libpam("service")[0], (code, "?"))

    def test_what_is_called_after_a_refusal_is_what_libpam_calls(self):
        """The arrangements that check-pam tells apart: "maxtries" stands for our module."""
        refusal, ours = "pam_debug.so auth=auth_err", "auth required pam_debug.so auth=maxtries\n"
        common = (f"auth [success=1 default=ignore] {refusal}\nauth requisite pam_deny.so\n"
                  "auth required pam_permit.so\n")
        (self.directory / "common").write_text(common)
        (self.directory / "sufficient").write_text(
            f"auth sufficient {refusal}\nauth required pam_deny.so\n")
        for first, is_reached in ((f"@include {self.directory}/common", False),
                                  (f"auth include {self.directory}/common", False),
                                  (f"auth substack {self.directory}/common", True),
                                  (f"auth substack {self.directory}/sufficient", True),
                                  (f"auth requisite {refusal}", False),
                                  (f"auth required {refusal}", True),
                                  (f"auth optional {refusal}", True),
                                  (f"auth [success=ok default=ignore] {refusal}", True),
                                  (f"auth [success=ok default=die] {refusal}", False),
                                  (f"auth [success=ok default=bad] {refusal}", True)):
            with self.subTest(first):
                (self.directory / "service").write_text(f"{first}\n{ours}")
                _, calls = self.assert_same("service")
                self.assertEqual("auth=maxtries" in calls, is_reached)

    def test_what_has_no_line_of_auth_is_other(self):
        (self.directory / "other").write_text("auth required pam_debug.so auth=maxtries\n")
        (self.directory / "service").write_text("account required pam_permit.so\n")
        for service in ("service", "nosuch"):
            with self.subTest(service):
                self.assertEqual(self.assert_same(service)[0], "maxtries")

    def test_includes_are_followed_as_deep_as_every_libpam_does(self):
        for word in ("include", "substack"):
            (self.directory / "15").write_text("auth required pam_debug.so\n")
            for level in range(15):
                (self.directory / str(level)).write_text(
                    f"auth {word} {self.directory}/{level + 1}\n")
            self.assert_same("0")
            (self.directory / "15").write_text(f"auth {word} {self.directory}/16\n")
            self.assertIsNone(self.by_tool("0"))

    def test_a_file_that_can_not_be_followed_ends_in_no_time(self):
        for text in ("auth required pam_debug.so\n" * 2040 + "auth substack service\n" * 40,
                     "auth include service\n" * 1000, "auth substack service\n" * 1000,
                     "@include service\n" * 1000, "@include empty\n" * 100000,
                     "auth required pam_debug.so " + "x" * 5000 + "\n", "auth required \0\n"):
            with self.subTest(text[:40]):
                (self.directory / "service").write_text(text)
                self.assertIsNone(self.by_tool("service"))


@unittest.skipUnless(can_copy(), "needs root, for an /etc/pam.d of its own")
class Directories(unittest.TestCase):
    """Both directories of libpam's, and the same files for the tool."""

    def setUp(self):
        directory = self.enterContext(temporary_directory())
        self.directories = [directory / "etc", directory / "vendor"]
        self.etc, self.vendor = self.directories
        (directory / "layers").mkdir()
        self.prefix = on_a_copy(directory / "layers", f"mount --bind {self.etc} /etc/pam.d",
                                "mkdir -p /usr/lib/pam.d",
                                f"mount --bind {self.vendor} /usr/lib/pam.d")
        for directory in self.directories:
            directory.mkdir()
        self.write(self.etc, other="perm_denied")

    @staticmethod
    def write(directory, **codes):
        for name, code in codes.items():
            (directory / name).write_text(f"auth required pam_debug.so auth={code}\n")

    def by_libpam(self, service):
        """A code word; None where libpam refuses to begin."""
        done = subprocess.run([*self.prefix, BUILD / "pam-driver", "--service", service,
                               "--user", "root", "--call", "authenticate"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.assertIn("pam_start", done.stderr)
            return None
        return word_of(json.loads(done.stdout)["calls"][0]["code"])

    def assert_ends(self, service, code):
        self.assertEqual(self.by_libpam(service), code)
        done = subprocess.run([BUILD / "stack-run", service.lower(), *self.directories],
                              capture_output=True, text=True, check=True)
        word = done.stdout.splitlines()[0]
        self.assertEqual(None if word.startswith("refused: ") else word, code)

    def test_the_first_directory_that_has_a_service_counts(self):
        self.write(self.vendor, one="maxtries", both="maxtries", dangling="maxtries", loop="maxtries",
                   silent="maxtries")
        self.write(self.etc, both="auth_err", Upper="maxtries")
        (self.etc / "dangling").symlink_to("nowhere")
        (self.etc / "loop").symlink_to("loop")
        (self.etc / "silent").write_text("account required pam_permit.so\n")
        for service, code in {"one": "maxtries", "both": "auth_err", "dangling": "maxtries",
                              "loop": "maxtries", "silent": "perm_denied", "nosuch": "perm_denied",
                              "Upper": "perm_denied", "ONE": "maxtries"}.items():
            with self.subTest(service):
                self.assert_ends(service, code)

    def test_other_may_lie_in_the_second_directory(self):
        (self.etc / "other").unlink()
        self.write(self.vendor, other="maxtries")
        self.assert_ends("nosuch", "maxtries")

    def test_what_is_included_is_looked_for_in_the_first_directory_alone(self):
        self.write(self.etc, common="auth_err", both="auth_err")
        self.write(self.vendor, vendors="maxtries", both="maxtries")
        ends = {"common": "auth_err", "both": "auth_err", "vendors": "perm_denied"}
        for directory in self.directories:
            for word in ("@include {}", "auth include {}", "auth substack {}"):
                for name, code in ends.items():
                    with self.subTest([directory.name, word, name]):
                        service = directory / f"service-{directory.name}"
                        service.write_text(word.format(name) + "\n")
                        is_refused = word[0] == "@" and name == "vendors"
                        self.assert_ends(service.name, None if is_refused else code)
