/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Makes and checks codes with liboath; nothing else includes its header. */
#include "totp.h"

#include "memory.h"

#include <ctype.h>
#include <liboath/oath.h>
#include <string.h>
#include <sys/random.h>

static const struct {
    const char *name;
    int flags;
} algorithms[] = {
    [TOTP_SHA1] = { "sha1", 0 },
    [TOTP_SHA256] = { "sha256", OATH_TOTP_HMAC_SHA256 },
    [TOTP_SHA512] = { "sha512", OATH_TOTP_HMAC_SHA512 },
};

bool totp_start(void)
{
    return oath_init() == OATH_OK;
}

bool totp_make_seed(struct totp_seed *ret_seed)
{
    struct totp_seed seed = { .size = 20 };

    if (getrandom(seed.bytes, seed.size, 0) != (ssize_t)seed.size)
        return false;

    *ret_seed = seed;
    return true;
}

bool totp_parse_seed(const char *base32, struct totp_seed *ret_seed)
{
    struct totp_seed seed = { 0 };
    auto_free char *decoded = NULL;
    size_t letters = strspn(base32, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567");

    /* liboath skips blanks and dashes; Base32 (RFC 4648) has none. */
    if (letters == 0 || base32[letters + strspn(base32 + letters, "=")] != '\0')
        return false;
    if (oath_base32_decode(base32, strlen(base32), &decoded, &seed.size) != OATH_OK)
        return false;
    if (seed.size == 0 || seed.size > sizeof(seed.bytes))
        return false;

    memcpy(seed.bytes, decoded, seed.size);
    *ret_seed = seed;
    return true;
}

bool totp_print_seed(const struct totp_seed *seed, char ret_text[TOTP_SECRET_SIZE])
{
    auto_free char *encoded = NULL;
    size_t size = 0;

    if (oath_base32_encode((const char *)seed->bytes, seed->size, &encoded, &size) != OATH_OK)
        return false;

    size = strcspn(encoded, "=");
    if (size >= TOTP_SECRET_SIZE)
        return false;

    memcpy(ret_text, encoded, size);
    ret_text[size] = '\0';
    return true;
}

bool totp_is_code(const struct totp_seed *seed, const struct totp_config *config, int64_t step,
                  const char *code)
{
    char digits[TOTP_CODE_LENGTH_MAX + 1];
    int64_t now = step * config->time_step;

    /* liboath makes 6 to 8 digits; fewer are the last of them (RFC 4226 section 5.3). */
    if (step < 0 || oath_totp_generate2((const char *)seed->bytes, seed->size, (time_t)now,
                                        (unsigned)config->time_step, 0, TOTP_CODE_LENGTH_MAX,
                                        algorithms[config->algorithm].flags, digits) != OATH_OK)
        return false;

    return strcmp(digits + TOTP_CODE_LENGTH_MAX - config->code_length, code) == 0;
}

const char *totp_algorithm_name(enum totp_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

bool totp_parse_algorithm(const char *name, enum totp_algorithm *ret_algorithm)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (strcmp(algorithms[i].name, name) == 0) {
            *ret_algorithm = (enum totp_algorithm)i;
            return true;
        }
    }
    return false;
}
