# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The two files in which a host remembers a user's logins, as somebody who took over the account of the
network may write them. Standard library only."""

import struct

# NAME.sent: the codes of the app. NAME.used: the recovery codes.
LAYOUTS = {".sent": struct.Struct("=8s 128q 90q q 30q q 2q 3q q"),
           ".used": struct.Struct("=8s 2q 32sQ 32sQ")}
FIRST = struct.Struct("=8s 128q 90q")  # of NAME.used, before what stands in it now
MASK = (1 << 64) - 1
CLAIMS, CREATIONS, DENIED = slice(1, 129), slice(129, 219), 219
WRONG_AT, ROW, UNTOLD, UNTOLD_AT = slice(220, 250), 250, 251, 252
TRIED, TRIES, USED = 1, 2, slice(4, 7, 2)


def siphash(data, key=bytes(16)):
    """SipHash-2-4."""
    def rotate(word, bits):
        return (word << bits | word >> (64 - bits)) & MASK

    def mix(rounds):
        for _ in range(rounds):
            v[0], v[2] = v[0] + v[1] & MASK, v[2] + v[3] & MASK
            v[1], v[3] = rotate(v[1], 13) ^ v[0], rotate(v[3], 16) ^ v[2]
            v[0] = rotate(v[0], 32)
            v[0], v[2] = v[0] + v[3] & MASK, v[2] + v[1] & MASK
            v[3], v[1] = rotate(v[3], 21) ^ v[0], rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
         k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]
    last = data[len(data) // 8 * 8:].ljust(7, b"\0") + bytes([len(data) & 255])
    for word in struct.unpack(f"<{len(data) // 8 + 1}Q", data[:len(data) // 8 * 8] + last):
        v[3] ^= word
        mix(2)
        v[0] ^= word
    v[2] ^= 0xff
    mix(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def read(path):
    """The list of the values of the file PATH; zeros for one that is empty."""
    layout, data = LAYOUTS[path.suffix], path.read_bytes()
    if not data:
        return list(layout.unpack(bytes(layout.size)))
    assert data[layout.size:][:8] == struct.pack("=Q", siphash(data[:layout.size]))
    return list(layout.unpack(data[:layout.size]))


def forge(path, change):
    """Lets CHANGE change the list of the values of the file PATH, and gives it a right checksum."""
    values = read(path)
    change(values)
    data = LAYOUTS[path.suffix].pack(*values)
    with path.open("r+b") as file:
        file.write(data + struct.pack("=Q", siphash(data)))


def make_old(path):
    """Makes of the file PATH of recovery codes, in place, one of the first layout."""
    layout = LAYOUTS[".used"]
    data = path.read_bytes()
    data = b"ptvused1" + bytes(FIRST.size - 8) + data[8:layout.size]
    with path.open("r+b") as file:
        file.write(data + struct.pack("=Q", siphash(data)))
        file.truncate()
