# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A process that changes something of itself, and then becomes a program."""

PRELUDE = """
import ctypes, os, resource, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
def must(result):
    if result != 0:
        sys.exit("errno %d" % ctypes.get_errno())
"""


def after(code):
    """A command that does CODE in Python and then becomes the program."""
    return ["/usr/bin/python3", "-I", "-S", "-c",
            PRELUDE + code + "\nos.execve(sys.argv[1], sys.argv[1:], {})"]
