# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""A process that changes something of itself, and then becomes a program."""

import struct

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


def without(call, error):
    """A command for which the system call of the number CALL fails with ERROR (seccomp(2))."""
    load, equal, answer = 0x20, 0x15, 0x06
    allow, refuse = 0x7fff0000, 0x00050000 | error
    program = [(load, 0, 0, 0), (equal, 0, 1, call), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
    return filtered(program)


def filtered(program):
    """A command behind the filter PROGRAM, a list of (code, jt, jf, k)."""
    code = b"".join(struct.pack("HBBI", *one) for one in program)
    return after(
        f"code = ctypes.create_string_buffer({code!r})\n"
        "class Program(ctypes.Structure):\n"
        "    _fields_ = [('size', ctypes.c_ushort), ('code', ctypes.c_void_p)]\n"
        f"program = Program({len(program)}, ctypes.addressof(code))\n"
        "must(libc.prctl(38, 1, 0, 0, 0))\n"
        "must(libc.prctl(22, 2, ctypes.byref(program), 0, 0))")
