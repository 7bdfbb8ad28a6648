# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""What suites share: the emulator's process, servers that lie, a host of one's own, patience."""
