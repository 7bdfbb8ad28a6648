/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* An otpauth URI as a QR code on the terminal. */
#include "qr.h"

#include <langinfo.h>
#include <locale.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../desk/terminal.h"

enum { QUIET_ZONE = 4, QUIET_ZONE_MIN = 2, URI_SIZE = 1024 };

#define BLACK_ON_WHITE "\033[30;107m"

static void free_code(QRcode **code)
{
    QRcode_free(*code);
}

#define auto_code __attribute__((cleanup(free_code))) QRcode

/* The tool itself keeps to "C": in a Turkish locale "I" and "i" are two letters also to
 * strcasecmp(3), by which keywords of sshd_config and of PAM are read. */
static bool is_unicode(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool is_unicode = locale != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;

    if (locale != (locale_t)0)
        freelocale(locale);
    return is_unicode;
}

struct qr_canvas qr_canvas_of(FILE *stream)
{
    struct winsize size = { 0 };
    struct qr_canvas canvas = {
        .is_unicode = is_unicode(),
        .is_coloured = terminal_is_coloured(stream),
    };

    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0) {
        canvas.columns = size.ws_col;
        canvas.rows = size.ws_row > 0 ? size.ws_row - 1U : 0; /* one for the question */
    }
    return canvas;
}

/* An app takes these for granted: without them the code is smaller. */
static void drop_defaults(const char *uri, char *small, size_t size)
{
    static const char *const defaults[] = { "algorithm=SHA1", "digits=6", "period=30" };

    snprintf(small, size, "%s", uri);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        size_t length = strlen(defaults[i]);
        char *found = strstr(small, defaults[i]);
        if (found != NULL && found[-1] == '&' && (found[length] == '&' || found[length] == '\0'))
            memmove(found - 1, found + length, strlen(found + length) + 1);
    }
}

static size_t rows_of(size_t modules, const struct qr_canvas *canvas)
{
    return canvas->is_unicode ? (modules + 1) / 2 : modules;
}

static size_t columns_of(size_t modules, const struct qr_canvas *canvas)
{
    return canvas->is_unicode ? modules : 2 * modules;
}

static bool fits(const QRcode *code, size_t quiet, const struct qr_canvas *canvas)
{
    size_t modules = (size_t)code->width + 2 * quiet;

    return (canvas->rows == 0 || rows_of(modules, canvas) <= canvas->rows) &&
           (canvas->columns == 0 || columns_of(modules, canvas) <= canvas->columns);
}

/* Whether there is a dark module; outside of the code all is light. */
static bool is_dark(const QRcode *code, size_t quiet, size_t row, size_t column)
{
    size_t width = (size_t)code->width;

    return row >= quiet && column >= quiet && row - quiet < width && column - quiet < width &&
           code->data[(row - quiet) * width + column - quiet] & 1;
}

static void draw_row(const QRcode *code, size_t quiet, size_t row, const struct qr_canvas *canvas,
                     FILE *stream)
{
    static const char *const halves[] = { " ", "▄", "▀", "█" };
    size_t modules = (size_t)code->width + 2 * quiet;

    if (canvas->is_coloured)
        fputs(BLACK_ON_WHITE, stream);
    for (size_t column = 0; column < modules; column++) {
        /* What is drawn is dark on a white ground, and light on the ground of the terminal. */
        bool upper = is_dark(code, quiet, row, column) == canvas->is_coloured;
        bool lower = is_dark(code, quiet, row + 1, column) == canvas->is_coloured;
        if (canvas->is_unicode)
            fputs(halves[2 * upper + lower], stream);
        else
            fputs(upper ? "##" : "  ", stream);
    }
    fputs(canvas->is_coloured ? TERMINAL_PLAIN "\n" : "\n", stream);
}

static void draw(const QRcode *code, size_t quiet, const struct qr_canvas *canvas, FILE *stream)
{
    size_t modules = (size_t)code->width + 2 * quiet;

    for (size_t row = 0; row < modules; row += canvas->is_unicode ? 2 : 1)
        draw_row(code, quiet, row, canvas, stream);
}

bool qr_draw(const char *uri, const struct qr_canvas *canvas, FILE *stream)
{
    char small[URI_SIZE];

    drop_defaults(uri, small, sizeof small);
    for (int attempt = 0; attempt < 2; attempt++) {
        auto_code *code = QRcode_encodeString8bit(attempt == 0 ? uri : small, 0, QR_ECLEVEL_L);
        if (code == NULL)
            return false;
        for (size_t quiet = QUIET_ZONE; quiet >= QUIET_ZONE_MIN; quiet -= QUIET_ZONE_MIN)
            if (fits(code, quiet, canvas)) {
                draw(code, quiet, canvas, stream);
                return fflush(stream) == 0;
            }
    }
    return false;
}
