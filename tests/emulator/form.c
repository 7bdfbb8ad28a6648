/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Splits and decodes parameters. */
#include "form.h"

#include "memory.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static int form_hex(char digit)
{
    if (!isxdigit((unsigned char)digit))
        return -1;

    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* Decodes in place. False: a bad percent sign or a NUL. */
static bool form_decode(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        char byte = *in == '+' ? ' ' : *in;

        if (byte == '%') {
            int high = form_hex(in[1]);
            int low = high < 0 ? -1 : form_hex(in[2]);

            if (low < 0 || (high == 0 && low == 0))
                return false;
            byte = (char)(high << 4 | low);
            in += 2;
        }
        *out++ = byte;
    }
    *out = '\0';
    return true;
}

/* RFC 3629; a surrogate or an overlong form is none. */
static bool form_is_utf8(const char *text)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

    for (const unsigned char *in = (const unsigned char *)text; *in != '\0';) {
        uint32_t letter = *in++;
        unsigned more = letter < 0x80             ? 0
                        : (letter & 0xe0) == 0xc0 ? 1
                        : (letter & 0xf0) == 0xe0 ? 2
                        : (letter & 0xf8) == 0xf0 ? 3
                                                  : 4;

        if (more == 4)
            return false;
        if (more > 0)
            letter &= 0x3fU >> more;
        for (unsigned i = 0; i < more; i++) {
            if ((*in & 0xc0) != 0x80)
                return false;
            letter = letter << 6 | (*in++ & 0x3f);
        }
        if (letter < least[more] || letter > 0x10ffff || (letter >= 0xd800 && letter <= 0xdfff))
            return false;
    }
    return true;
}

static bool form_add(struct form *form, char *pair)
{
    char *equals = strchr(pair, '=');
    char *value = equals != NULL ? equals + 1 : pair + strlen(pair);

    if (form->count == FORM_FIELDS_MAX)
        return false;
    if (equals != NULL)
        *equals = '\0';
    if (!form_decode(pair) || !form_decode(value) || !form_is_utf8(pair) || !form_is_utf8(value))
        return false;

    form->fields[form->count].name = pair;
    form->fields[form->count].value = value;
    form->count++;
    return true;
}

bool form_parse(const char *text, size_t size, struct form *ret_form)
{
    struct form form = { .memory = malloc(size + 1) };
    char *rest = form.memory;

    if (rest == NULL)
        return false;

    memcpy(rest, text, size);
    rest[size] = '\0';
    if (strlen(rest) != size) {
        form_free(&form);
        return false;
    }
    while (rest != NULL) {
        char *pair = strsep(&rest, "&");

        if (pair[0] != '\0' && !form_add(&form, pair)) {
            form_free(&form);
            return false;
        }
    }

    *ret_form = form;
    return true;
}

void form_free(struct form *form)
{
    free(form->memory);
    *form = (struct form){ 0 };
}

const char *form_next(const struct form *form, const char *name, size_t *index)
{
    for (size_t i = index == NULL ? 0 : *index; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0) {
            if (index != NULL)
                *index = i + 1;
            return form->fields[i].value;
        }
    }
    return NULL;
}

const char *form_find_double(const struct form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        const char *name = form->fields[i].name;
        size_t next = i + 1;

        if (strcmp(name, "Details.Fields") == 0 ||
            strcmp(name, "Passkeys.RelyingParty.Origins") == 0)
            continue;
        if (form_next(form, name, &next) != NULL)
            return name;
    }
    return NULL;
}

size_t form_text_length(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++)
        length += ((unsigned char)*text & 0xc0) != 0x80;
    return length;
}
