/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The seed of a factor that another module's file holds. */
#include "seed.h"

#include <ctype.h>
#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS  " \t\r"
#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/* Editors of Windows begin a file of UTF-8 with it. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

enum { NUMBER_DIGITS_MAX = 5, LINE_SIZE = 1024, FIELDS = 4 };

static const char no_seed[] = "it is not a file of google-authenticator or pam_oath, an otpauth "
                              "address or a Base32 secret";
static const char several[] = "it has lines after the address: keep the address of this user alone";
static const char counted[] = "its codes are counted (HOTP); Twilio checks only codes of the time "
                              "(TOTP): make a new factor, without --import";
static const char bad_secret[] = "its secret is not Base32 of 80 to 640 bits";
static const char bad_number[] = "its digits must be 6 to 8, and its time step 20 to 60 s";
static const char bad_algorithm[] = "its algorithm is not SHA1, SHA256 or SHA512";

static bool refuse(const char **ret_why_not, const char *why_not)
{
    *ret_why_not = why_not;
    return false;
}

/* Takes LENGTH bytes of Base32 as people write it. */
static bool take_secret(struct seed *seed, const char *text, size_t length)
{
    size_t end = 0;
    bool is_padded = false;

    for (size_t i = 0; i < length; i++) {
        char letter = (char)toupper((unsigned char)text[i]);
        if (strchr(BLANKS "-", letter) != NULL)
            continue;
        is_padded = is_padded || letter == '=';
        if (is_padded != (letter == '=') || end + 1 >= sizeof seed->secret)
            return false;
        if (!is_padded)
            seed->secret[end++] = letter;
    }
    seed->secret[end] = '\0';
    /* Of 8 characters the last 1, 3 or 6 alone make no whole bytes. */
    return factor_is_secret(seed->secret) && strchr("136", (char)('0' + end % 8)) == NULL;
}

/* A number of digits alone; -1: it is none. */
static int read_number(const char *text, size_t length)
{
    return length > 0 && length <= NUMBER_DIGITS_MAX && strspn(text, DIGITS) >= length
               ? (int)strtol(text, NULL, 10)
               : -1;
}

static bool judge(const struct seed *seed, const char **ret_why_not)
{
    const struct factor_config *config = &seed->config;

    if (config->code_length < 6 || config->code_length > 8 || config->time_step < 20 ||
        config->time_step > 60)
        return refuse(ret_why_not, bad_number);
    return *seed->secret != '\0' || refuse(ret_why_not, bad_secret);
}

/* Decodes %XX (RFC 3986 section 2.1) into OUT. False: it does not fit. */
static bool decode(const char *text, size_t length, char *out, size_t size)
{
    size_t end = 0;

    for (size_t i = 0; i < length; i++) {
        char hex[3] = "";
        if (text[i] == '%' && i + 2 < length)
            snprintf(hex, sizeof hex, "%.2s", text + i + 1);
        if (end + 1 >= size)
            return false;
        if (isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1])) {
            out[end++] = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            out[end++] = text[i];
        }
    }
    out[end] = '\0';
    return true;
}

static bool take_algorithm(struct seed *seed, const char *text)
{
    static const char *const names[] = { "sha1", "sha256", "sha512" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(text, names[i]) == 0) {
            snprintf(seed->config.algorithm, sizeof seed->config.algorithm, "%s", names[i]);
            return true;
        }
    return false;
}

/* One NAME=VALUE of an address; *SEEN knows those that were there. */
static bool take_parameter(struct seed *seed, const char *text, size_t length, unsigned *seen,
                           const char **ret_why_not)
{
    static const char *const names[] = { "secret=", "algorithm=", "digits=", "period=" };
    char value[LINE_SIZE] = "";
    size_t i = 0;
    bool is_taken = true;

    while (i < 4 && strncasecmp(text, names[i], strlen(names[i])) != 0)
        i++;
    if (i == 4) /* issuer, image and others */
        return true;
    if (*seen & 1u << i)
        return refuse(ret_why_not, no_seed);
    *seen |= 1u << i;
    text += strlen(names[i]);
    if (!decode(text, length - strlen(names[i]), value, sizeof value))
        return refuse(ret_why_not, no_seed);
    if (i == 0)
        is_taken = take_secret(seed, value, strlen(value)) || refuse(ret_why_not, bad_secret);
    else if (i == 1)
        is_taken = take_algorithm(seed, value) || refuse(ret_why_not, bad_algorithm);
    else if (i == 2)
        seed->config.code_length = read_number(value, strlen(value));
    else
        seed->config.time_step = read_number(value, strlen(value));
    explicit_bzero(value, sizeof value);
    return is_taken;
}

/* Google's "Key Uri Format"; LINE is all that there is. */
static bool take_address(struct seed *seed, const char *line, size_t length,
                         const char **ret_why_not)
{
    const char *text = memchr(line, '?', length), *end = line + length;
    unsigned seen = 0;

    if (strncasecmp(line, "otpauth://hotp/", 15) == 0)
        return refuse(ret_why_not, counted);
    if (text == NULL || strncasecmp(line, "otpauth://totp/", 15) != 0)
        return refuse(ret_why_not, no_seed);
    while (text < end) {
        size_t size;
        text++;
        size = strcspn(text, "&\n" BLANKS);
        if (!take_parameter(seed, text, size, &seen, ret_why_not))
            return false;
        text += size;
        if (text < end && *text != '&')
            return refuse(ret_why_not, no_seed);
    }
    return true;
}

/* The fields of a line of users.oath: TYPE USER PIN SECRET. False: there are fewer. */
struct field {
    const char *text;
    size_t length;
};

static bool split(const char *line, size_t length, struct field fields[FIELDS])
{
    const char *end = line + length;

    for (size_t i = 0; i < FIELDS; i++) {
        line += strspn(line, BLANKS);
        if (line >= end)
            return false;
        fields[i] = (struct field){ line, strcspn(line, "\n" BLANKS) };
        line += fields[i].length;
    }
    return true;
}

static bool is_oath(const struct field *type)
{
    return type->length >= 4 && strncmp(type->text + 1, "OTP", 3) == 0 &&
           strchr("HT", *type->text) != NULL && (type->length == 4 || type->text[4] == '/');
}

/* "HOTP/T30/6": a time step, and digits; everything else counts. */
static bool take_type(struct seed *seed, const struct field *type, const char **ret_why_not)
{
    const char *text = type->text + 4, *end = type->text + type->length;
    size_t length;

    if (type->length < 6 || text[1] != 'T')
        return refuse(ret_why_not, counted);
    text += 2;
    length = strspn(text, DIGITS);
    seed->config.time_step = read_number(text, length);
    text += length;
    if (text < end && *text == '/') {
        seed->config.code_length = read_number(text + 1, (size_t)(end - text - 1));
        text = end;
    }
    return text == end || refuse(ret_why_not, no_seed);
}

/* Hexadecimal to Base32: 4 bits in, 5 bits out. */
static bool take_hexadecimal(struct seed *seed, const struct field *field)
{
    unsigned bits = 0, count = 0;
    size_t end = 0;

    for (size_t i = 0; i < field->length; i++) {
        const char digit[] = { field->text[i], '\0' };
        if (!isxdigit((unsigned char)*digit) || end + 2 >= sizeof seed->secret)
            return false;
        bits = bits << 4 | (unsigned)strtoul(digit, NULL, 16);
        count += 4;
        if (count >= 5) {
            count -= 5;
            seed->secret[end++] = LETTERS[bits >> count & 31];
        }
    }
    if (count > 0)
        seed->secret[end++] = LETTERS[bits << (5 - count) & 31];
    seed->secret[end] = '\0';
    return field->length % 2 == 0 && factor_is_secret(seed->secret);
}

/* The users file of liboath. A user who has two tokens has no one seed. */
static bool take_oath(struct seed *seed, const char *text, const char *user,
                      const char **ret_why_not)
{
    struct field fields[FIELDS];
    bool is_found = false;

    seed->is_shared = true;
    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
        if (!split(text, strcspn(text, "\n"), fields) || !is_oath(&fields[0]) ||
            fields[1].length != strlen(user) || strncmp(fields[1].text, user, strlen(user)) != 0)
            continue;
        if (is_found)
            return refuse(ret_why_not, "it has more than one entry of this user");
        is_found = true;
        if (!take_type(seed, &fields[0], ret_why_not))
            return false;
        if (!take_hexadecimal(seed, &fields[3]))
            return refuse(ret_why_not, bad_secret);
    }
    return is_found || refuse(ret_why_not, "it has no entry of this user");
}

/* A line after the first of google-authenticator's: an option, or a scratch code of 8 digits. */
static bool take_option(struct seed *seed, const char *line, size_t length,
                        const char **ret_why_not)
{
    static const char step[] = "\" STEP_SIZE ", counter[] = "\" HOTP_COUNTER";

    while (length > 0 && strchr(BLANKS, line[length - 1]) != NULL)
        length--;
    if (strncmp(line, counter, strlen(counter)) == 0)
        return refuse(ret_why_not, counted);
    if (strncmp(line, step, strlen(step)) == 0)
        seed->config.time_step = read_number(line + strlen(step), length - strlen(step));
    return length == 0 || strncmp(line, "\" ", 2) == 0 ||
           (length == 8 && strspn(line, DIGITS) == 8) || refuse(ret_why_not, no_seed);
}

static bool take_lines(struct seed *seed, const char *text, const char **ret_why_not)
{
    size_t length = strcspn(text, "\n");

    if (!take_secret(seed, text, length))
        return refuse(ret_why_not, *text == '"' ? no_seed : bad_secret);
    for (text += length; *text == '\n'; text += length) {
        text++;
        length = strcspn(text, "\n");
        if (!take_option(seed, text, length, ret_why_not))
            return false;
    }
    return true;
}

/* Past empty lines and comments. */
static const char *find_first_line(const char *text)
{
    for (;;) {
        text += strspn(text, "\n" BLANKS);
        if (*text != '#')
            return text;
        text += strcspn(text, "\n");
    }
}

static bool take(struct seed *seed, const char *text, const char *user, const char **ret_why_not)
{
    struct field fields[FIELDS];
    size_t length;

    if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        text += strlen(BYTE_ORDER_MARK);
    text = find_first_line(text);
    length = strcspn(text, "\n");
    if (strncasecmp(text, "otpauth", 7) == 0) {
        if (*find_first_line(text + length) != '\0')
            return refuse(ret_why_not, several);
        while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
            length--;
        return take_address(seed, text, length, ret_why_not);
    }
    if (split(text, length, fields) && is_oath(&fields[0]))
        return take_oath(seed, text, user, ret_why_not);
    return take_lines(seed, text, ret_why_not);
}

bool seed_parse(const char *text, const char *user, struct seed *ret_seed, const char **ret_why_not)
{
    *ret_seed = (struct seed){ .config = { "sha1", 6, 30, 1 } };
    if (take(ret_seed, text, user, ret_why_not) && judge(ret_seed, ret_why_not))
        return true;
    explicit_bzero(ret_seed, sizeof *ret_seed);
    return false;
}

static int flags_of(const char *algorithm)
{
    return strcmp(algorithm, "sha256") == 0   ? OATH_TOTP_HMAC_SHA256
           : strcmp(algorithm, "sha512") == 0 ? OATH_TOTP_HMAC_SHA512
                                              : 0;
}

bool seed_code(const struct seed *seed, int64_t time_s, char code[SEED_CODE_SIZE])
{
    char *bytes = NULL;
    size_t size = 0;
    bool is_made =
        oath_base32_decode(seed->secret, strlen(seed->secret), &bytes, &size) == OATH_OK &&
        oath_totp_generate2(bytes, size, time_s, (unsigned)seed->config.time_step, 0,
                            (unsigned)seed->config.code_length, flags_of(seed->config.algorithm),
                            code) == OATH_OK;

    if (bytes != NULL)
        explicit_bzero(bytes, size);
    free(bytes);
    return is_made;
}
