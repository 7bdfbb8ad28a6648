/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* An otpauth URI as a QR code on the terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct qr_canvas {
    size_t columns, rows; /* that may be used; 0: as many as it takes */
    bool is_unicode;      /* half blocks, two modules a character; or blanks and '#' */
    bool is_coloured;     /* black on white whatever the terminal's colours are; without it dark
                             modules are left blank, as for a dark terminal */
};

/* How the terminal of STREAM is. */
struct qr_canvas qr_canvas_of(FILE *stream);

/* Draws URI on STREAM, as small as CANVAS asks for: parameters that say the default (SHA1, 6
 * digits, 30 seconds) are left out of the drawing, and the quiet zone shrinks from 4 to 2 modules.
 * False: libqrencode can't, or it does not fit; nothing was drawn. */
bool qr_draw(const char *uri, const struct qr_canvas *canvas, FILE *stream);
