# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Where meson installs the module: libpam must find it there."""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WARNING = "libpam does not look for modules in "


class Configure(unittest.TestCase):

    def configure(self, *options):
        """The directory of the module, and what meson printed."""
        build = self.enterContext(tempfile.TemporaryDirectory())
        done = subprocess.run(["meson", "setup", build, *options, "-Dtests=false",
                               "-Demulator=false"], cwd=ROOT, check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        paths = pathlib.Path(build, "paths.h").read_text()
        return pathlib.Path(re.search('PATHS_MODULE "(.*)/[^/]*"', paths)[1]), done.stdout

    def test_beside_pam_unix_whatever_libdir_is(self):
        for libdir in ("lib64", "lib", "elsewhere"):
            with self.subTest(libdir):
                directory, text = self.configure("--prefix=/usr", f"--libdir={libdir}")
                self.assertTrue((directory / "pam_unix.so").exists(), directory)
                self.assertNotIn(WARNING, text)

    def test_elsewhere_with_a_warning_that_names_the_directory(self):
        real, _ = self.configure("--prefix=/usr")
        for options, directory in ((("--prefix=/opt/twilio", "--libdir=lib64"),
                                 "/opt/twilio/lib64/security"),
                                (("--prefix=/usr", "-Dsecuredir=/opt/security"), "/opt/security")):
            with self.subTest(directory):
                found, text = self.configure(*options)
                self.assertEqual(str(found), directory)
                self.assertIn(f"{WARNING}{directory}: pam_unix.so is not there. Name the "
                              "directory that "
                              f"holds it: -Dsecuredir={real}", text)
