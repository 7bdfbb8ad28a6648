# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A mount namespace of a test's own."""

import functools
import pathlib
import subprocess


@functools.cache
def private_mounts(*more):
    """The beginning of a command whose mounts nobody else sees, for root; MORE is of unshare(1).

    In a chroot whose directory is no mount point that can't be made so, but it is so where no mount
    is shared."""
    enter = ("unshare", "--mount", *more, "--propagation")
    done = subprocess.run([*enter, "private", "true"], capture_output=True, check=False)
    is_shared = "shared:" in pathlib.Path("/proc/1/mountinfo").read_text()
    return (*enter, "private" if done.returncode == 0 or is_shared else "unchanged")
