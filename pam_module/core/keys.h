/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of keys, in libconfig's syntax, into a struct by a table; strict in everything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "verdict.h"

enum key_type {
    KEY_TEXT,   /* char *: clean text of MINIMUM to MAXIMUM bytes */
    KEY_NUMBER, /* int: decimal, MINIMUM to MAXIMUM */
    KEY_WORD,   /* int: the index of the text in WORDS */
    KEY_TEXTS,  /* char **: a list or an array of such texts, ends with NULL */
};

/* One key. A text without a default that is not mandatory stays NULL; WORDS default to the first
 * one. A number whose default is below MINIMUM is mandatory. */
struct key {
    const char *group; /* NULL: the key is at the top of the file */
    const char *name;
    enum key_type type;
    size_t offset; /* of the member, in the struct */
    bool mandatory;
    const char *text;         /* the default */
    int number;               /* the default */
    const char *const *texts; /* the default, ends with NULL; NULL: none */
    int minimum, maximum;
    const char *const *words;       /* ends with NULL */
    const char *sid;                /* a text that is a SID begins with it; NULL: it is none */
    bool (*is_valid)(const char *); /* of a text; NULL: every text */
    const char *rule;               /* "must be ...", for the message */
};

/* Parts of an entry. */
#define KEY_MEMBER(struct_, name_) .name = #name_, .offset = offsetof(struct struct_, name_)
#define KEY_SIZED(least, most)     .type = KEY_TEXT, .minimum = least, .maximum = most
#define KEY_SID(prefix)                                                                            \
    KEY_SIZED(34, 34), .sid = prefix, .rule = "must be " prefix " and 32 hexadecimal digits"

/* What a file is read into: a struct of SIZE bytes, by COUNT keys. */
struct keys {
    const struct key *keys;
    size_t count, size;
};

#define KEYS_OF(struct_, keys_)                                                                    \
    {                                                                                              \
        keys_, sizeof(keys_) / sizeof *(keys_), sizeof(struct struct_)                             \
    }

/* Parses TEXT into such a struct; the caller frees with keys_free(). NULL, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT, which names the file SHOWN, the line, the key and the remedy:
 * wrong syntax, a key unknown, doubled, missing, of another type or out of range, @include, no
 * memory. */
void *keys_parse(const struct keys *keys, const char *text, const char *shown,
                 struct verdict *why_not);

/* Whether TEXT is within the bounds of KEY, which is KEY_TEXT or KEY_TEXTS. */
bool keys_text_is_valid(const struct key *key, const char *text);

/* The line on which GROUP.NAME is in TEXT, which keys_parse() has taken; 0: it is not there. */
int keys_line(const char *text, const char *group, const char *name);

/* The end of the string or comment that begins at TEXT; TEXT itself where none does. */
const char *keys_skip_words(const char *text);

/* Frees what keys_parse() returned; NULL is fine. */
void keys_free(const struct keys *keys, void *target);
