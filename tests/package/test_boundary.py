# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What each built thing needs and offers, and which directory may include which.

    BUILD=build /usr/bin/python3 tests/tap.py tests/package/test_boundary.py"""

import os
import re
import shlex
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
SOURCES = os.path.join(ROOT, "pam_module")
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
COMPILER = shlex.split(os.environ.get("CC", "cc"))

MODULE = "pam_twilio_verify.so"
LIBRARY = "twilio.so"
CHECK = "twilio-verify-check"
GENERATED = {"paths.h", "filter-table.h"}

LINKERS_MARKS = {"__bss_start", "_edata", "_end"}

# Arrows: whose headers a directory may include beside its own.
DIRECTORIES = {
    "core": set(),
    "twilio": {"core"},
    "module": {"core"},
    "check": {"core", "twilio"},
    "admin": {"core", "twilio", "admin/desk", "admin/enroll", "admin/setup", "admin/lint",
              "admin/enable", "admin/doctor"},
    "admin/desk": {"core"},
    "admin/enroll": {"core", "twilio", "admin/desk"},
    "admin/setup": {"core", "twilio", "admin/desk", "admin/enroll"},
    "admin/lint": {"core", "admin/desk"},
    "admin/enable": {"core", "admin/desk", "admin/enroll", "admin/lint"},
    "admin/doctor": {"core", "twilio", "admin/desk", "admin/enroll", "admin/lint"},
}
# The doctor starts the check program as the module does, and becomes run_as as the check program does:
# by their own code, or it would prove nothing.
DOCTOR_INCLUDES = {"module/helper.h", "check/privileges.h"}
MODULE_INCLUDES = {"core/clock.h", "core/descriptor.h", "core/dialogue.h", "core/kin.h",
                   "core/log.h", "core/methods.h", "core/text.h", "core/verdict.h"}

# One foreign library, one file.
FOREIGN = {
    r"curl/": {"twilio/transfer.c"},
    r"json-c/|json\.h$": {"twilio/reply.c", "admin/desk/listing.c", "admin/lint/check-sudo.c"},
    r"libconfig": {"core/keys.c"},
    r"liboath/": {"admin/enroll/seed.c"},
    r"seccomp": {"check/filter-rules.h"},
    r"linux/filter": {"check/filter.c", "check/filter-table.c"},
    r"linux/landlock": {"check/cage.c"},
    r"security/": {"module/pam_twilio_verify.c", "module/split.c", "module/split.h"},
}

# A host's world is not the module's: these would read it, change it, or hit somebody else's child.
NOT_FOR_A_MODULE = {
    "getenv", "secure_getenv", "environ", "__environ", "setenv", "putenv", "unsetenv", "clearenv",
    "system", "popen", "fork", "vfork", "execve", "execv", "execvp", "execl", "execlp", "wait",
    "killpg", "raise", "alarm", "setitimer", "signal", "sigprocmask", "pthread_create", "umask", "chdir", "fchdir", "setrlimit", "prlimit",
    "setuid", "setresuid", "setgid", "setgroups", "openlog", "closelog", "setlogmask", "setlocale",
    "exit", "_exit", "abort", "atexit", "printf", "puts", "dlopen", "setsid", "strtok",
}
# These touch SIGCHLD alone, of this thread and this process alone.
FOR_SIGCHLD = {r"\bkill\((?!getpid\(\), SIGCHLD\))": set(),
               r"\b(kill|sigaction|pthread_sigmask|sigtimedwait)\(": {"module/sigchld.c"}}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def built(name):
    path = os.path.join(BUILD, name)
    if not os.path.exists(path):
        raise AssertionError(path + " is missing: build first, and set BUILD")
    return path


def dynamic(name):
    return run("readelf", "-dW", built(name))


def needed(name):
    return set(re.findall(r"\(NEEDED\).*\[([^]]+)\]", dynamic(name)))


def exported(name):
    """Without the linker's marks, and libc's variables that a program copies ("stdout@GLIBC…")."""
    rows = run("nm", "-D", "--defined-only", built(name)).splitlines()
    return {row.split()[-1] for row in rows if "@GLIBC" not in row} - LINKERS_MARKS


def imported(name):
    rows = run("nm", "-D", "--undefined-only", built(name)).splitlines()
    return {row.split()[-1].split("@")[0] for row in rows}


def is_sanitized():
    return "__asan_init" in imported(MODULE) or "__ubsan_handle_add_overflow" in imported(MODULE)


def sources(*endings):
    for directory, _, names in sorted(os.walk(SOURCES)):
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(directory, name), SOURCES)


def includes(source, opening):
    pattern = r'^[ \t]*#[ \t]*include[ \t]*%s([^">]+)[">]' % opening
    return re.findall(pattern, read(os.path.join(SOURCES, source)), re.MULTILINE)


def own_includes(source):
    """The project's headers that SOURCE includes, relative to pam_module/."""
    for name in includes(source, '"'):
        if name in GENERATED:
            continue
        yield os.path.normpath(os.path.join(os.path.dirname(source), name))


class Binaries(unittest.TestCase):
    def setUp(self):
        if is_sanitized():
            self.skipTest("a sanitizer adds needs and symbols of its own: not for this build")

    def test_the_module_needs_libpam_and_libc_alone(self):
        self.assertEqual(needed(MODULE), {"libpam.so.0", "libc.so.6"})

    def test_the_module_exports_its_four_entry_points_alone(self):
        self.assertEqual(exported(MODULE), {"pam_sm_authenticate", "pam_sm_setcred",
                                            "pam_sm_open_session", "pam_sm_close_session"})

    def test_the_module_leaves_the_hosts_world_alone(self):
        self.assertEqual(imported(MODULE) & NOT_FOR_A_MODULE, set())

    def test_the_module_has_one_place_for_signals(self):
        for pattern, places in FOR_SIGCHLD.items():
            found = {source for source in sources(".c") if source.startswith("module" + os.sep) and
                     re.search(pattern, read(os.path.join(SOURCES, source)))}
            self.assertEqual(found, places)

    def test_curl_and_json_come_with_twilio_so_and_not_with_the_check_program(self):
        found = needed(CHECK)
        self.assertFalse([name for name in found if re.search("curl|json|ssl|crypto", name)], found)
        found = {name.split(".so")[0] for name in needed(LIBRARY)}
        self.assertEqual(found, {"libcurl", "libjson-c", "libc"})

    def test_what_the_check_program_loads_first_comes_with_twilio_so_anyway(self):
        header = read(built("paths.h"))
        first = re.findall(r'"([^"]+)"', re.search(r"PATHS_LOADED_FIRST(.*)", header).group(1))
        loaded = {line.split()[0] for line in run("ldd", built(LIBRARY)).splitlines()}
        self.assertEqual({*first}, {name for name in loaded if
                                    re.match(r"lib(crypto|gnutls)\.so", name)})

    def test_the_check_program_does_not_need_twilio_so(self):
        self.assertNotIn(LIBRARY, needed(CHECK))

    def test_the_check_program_exports_nothing(self):
        self.assertEqual(exported(CHECK), set())

    def test_twilio_so_exports_what_its_map_says(self):
        names = read(os.path.join(SOURCES, "twilio", "twilio.map"))
        public = re.search(r"global:(.*?)local:", names, re.DOTALL).group(1)
        self.assertEqual(exported(LIBRARY), set(re.findall(r"(\w+);", public)))

    def test_everything_is_bound_at_the_start_and_read_only_then(self):
        for name in (MODULE, LIBRARY, CHECK):
            with self.subTest(name):
                segments = run("readelf", "-lW", built(name))
                self.assertRegex(dynamic(name), r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW")
                self.assertIn("GNU_RELRO", segments)
                self.assertNotIn("TEXTREL", dynamic(name))

    def test_no_stack_and_no_segment_is_both_writable_and_executable(self):
        for name in (MODULE, LIBRARY, CHECK):
            with self.subTest(name):
                segments = run("readelf", "-lW", built(name))
                stack, = re.findall(r"GNU_STACK .*?(R[W ][E ]) ", segments)
                self.assertEqual(stack, "RW ")
                self.assertNotRegex(segments, r"LOAD .* RWE ")

    def test_nothing_is_looked_for_along_a_path_of_the_builders(self):
        for name in (MODULE, LIBRARY, CHECK):
            with self.subTest(name):
                self.assertNotRegex(dynamic(name), r"\(RPATH\)|\(RUNPATH\)")

    def test_the_check_program_is_position_independent(self):
        self.assertRegex(run("readelf", "-hW", built(CHECK)), r"Type:\s+DYN")


class Sources(unittest.TestCase):
    def test_an_arrow_points_one_way(self):
        seen = 0
        for source in sources(".c", ".h"):
            directory = os.path.dirname(source)
            self.assertIn(directory, DIRECTORIES, "a directory without arrows: " + source)
            for header in own_includes(source):
                seen += 1
                with self.subTest([source, header]):
                    self.assertTrue(os.path.exists(os.path.join(SOURCES, header)))
                    if directory != "admin/doctor" or header not in DOCTOR_INCLUDES:
                        self.assertIn(os.path.dirname(header), DIRECTORIES[directory] | {directory})
        self.assertGreater(seen, 10)

    def test_the_module_knows_eight_headers_of_core_alone(self):
        for source in sources(".c", ".h"):
            if not source.startswith("module" + os.sep):
                continue
            for header in own_includes(source):
                with self.subTest([source, header]):
                    self.assertTrue(header.startswith("module" + os.sep) or
                                    header in MODULE_INCLUDES)

    def test_a_foreign_library_is_included_where_it_belongs_alone(self):
        for pattern, places in FOREIGN.items():
            found = {source for source in sources(".c", ".h")
                     for name in includes(source, '[<"]') if re.match(pattern, name)}
            with self.subTest(pattern):
                self.assertLessEqual(found, places)
                self.assertTrue(found, "nobody includes it any more: mend this test")

    def test_only_the_check_program_loads_a_library_and_the_tool_asks_where_libpam_is(self):
        found = {source for source in sources(".c") if "dlfcn.h" in includes(source, "<")}
        self.assertEqual(found, {"check/library.c", "admin/doctor/programs.c"})

    def test_a_source_includes_its_own_header_first(self):
        for source in sources(".c"):
            header = source[:-1] + "h"
            if os.path.exists(os.path.join(SOURCES, header)):
                with self.subTest(source):
                    first = includes(source, '[<"]')[0]
                    self.assertEqual(first, os.path.basename(header))

    def test_a_header_compiles_alone(self):
        for header in sources(".h"):
            with self.subTest(header):
                text = read(os.path.join(SOURCES, header))
                self.assertIn("#pragma once", text)
                done = subprocess.run(
                    [*COMPILER, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                     "-D_GNU_SOURCE", "-I", BUILD, "-x", "c", "-"],
                    input='#include "%s"\nint compiled;\n' % os.path.join(SOURCES, header),
                    capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_file_begins_with_its_licence(self):
        for source in sources(".c", ".h"):
            with self.subTest(source):
                lines = read(os.path.join(SOURCES, source)).splitlines()
                self.assertEqual(lines[0], "/* SPDX-License-Identifier: BSD-2-Clause")
                self.assertEqual(lines[1], " * Copyright (c) 2026, the pam_twilio_verify authors */")


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BUILD, MODULE)):
        sys.exit("%s is missing in %s: build first, and set BUILD" % (MODULE, BUILD))
    unittest.main(verbosity=2)
