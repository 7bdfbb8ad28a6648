/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is known about PAM services and modules: the file pam-facts, which explains itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../../core/verdict.h"
#include "pam-control.h"

enum {
    FACTS_NAME_MAX = 64,      /* bytes of a service's or a module's name */
    FACTS_PATHS_MAX = 4,      /* of one word in one line */
    FACTS_ENTRIES_MAX = 4096, /* services, and modules */
};

/* The words of a service, but for those that name files. */
enum facts_word {
    FACTS_LOGIN = 1,
    FACTS_LOCAL = 2,
    FACTS_SYSTEM = 4,
    FACTS_ALONE = 8,
    FACTS_OTHERS = 16,
    FACTS_USER = 32,
    FACTS_ACCOUNT = 64,
};

struct facts_service {
    const char *name;
    unsigned words;                            /* of enum facts_word */
    const char *account;                       /* NULL: none is named */
    const char *proftpd, *samba;               /* NULL, or an absolute path */
    const char *programs[FACTS_PATHS_MAX + 1]; /* absolute paths; ends with NULL */
    const char *look[FACTS_PATHS_MAX + 1];     /* the same */
};

enum facts_role {
    FACTS_FACTOR,    /* asks for a factor of its own, or may */
    FACTS_SECOND,    /* our module */
    FACTS_SPLIT,     /* our module with "split=": it cuts the code off a password */
    FACTS_CONDITION, /* says yes by who, where or when, without asking */
    FACTS_ROOT,      /* says yes to root */
    FACTS_NOTHING,   /* proves nothing about anybody */
};

struct facts_module {
    const char *name; /* "pam_unix.so"; "" for what is not known */
    enum facts_role role;
    pam_codes codes;    /* that it may return from pam_sm_authenticate() */
    const char *unless; /* arguments, with commas between, by which it may return any; or "" */
};

/* What our module returns for a refusal; MODULE_UNKNOWN where libpam can't load it. */
#define FACTS_REFUSALS                                                                             \
    (PAM_CODE_SET(PAM_CODE_SERVICE_ERR) | PAM_CODE_SET(PAM_CODE_SYSTEM_ERR) |                      \
     PAM_CODE_SET(PAM_CODE_AUTH_ERR) | PAM_CODE_SET(PAM_CODE_AUTHINFO_UNAVAIL) |                   \
     PAM_CODE_SET(PAM_CODE_MAXTRIES) | PAM_CODE_SET(PAM_CODE_CONV_ERR) |                           \
     PAM_CODE_SET(PAM_CODE_MODULE_UNKNOWN))

struct facts;

/* Reads the package's file, and the administrator's where there is one. The caller frees with
 * facts_free(). False with WHY_NOT, which names the file, the line and the remedy: a file can't be
 * read, is larger than TEXT_FILE_SIZE_MAX, or has a line that is no fact; out of memory. */
bool facts_read(struct facts **ret_facts, struct verdict *why_not);

/* Facts about our module alone. The caller frees with facts_free(). NULL: out of memory. */
struct facts *facts_new(void);

/* Adds the lines of TEXT, the contents of the file SHOWN; each replaces an earlier file's line of
 * the same name. At most two. False with WHY_NOT as of facts_read(); FACTS are then to be freed and
 * nothing else. */
bool facts_add(struct facts *facts, const char *text, const char *shown, struct verdict *why_not);

/* The service NAME; NULL: nothing is known about it. */
const struct facts_service *facts_find_service(const struct facts *facts, const char *name);

/* The INDEXth service, in the order of the lines; NULL: there are no more. */
const struct facts_service *facts_service_at(const struct facts *facts, size_t index);

/* The module at PATH, as it is in a line: by its name, whatever the directory. Never NULL. */
const struct facts_module *facts_find_module(const struct facts *facts, const char *path);

/* The same, in a line with ARGUMENTS: our module does something else with "split=". */
const struct facts_module *facts_find_line(const struct facts *facts, const char *path,
                                           const char *arguments);

/* What MODULE may return in a line with ARGUMENTS. */
pam_codes facts_codes(const struct facts_module *module, const char *arguments);

/* Frees *FACTS, which may be NULL, and makes it NULL. */
void facts_free(struct facts **facts);

#define auto_facts __attribute__((cleanup(facts_free))) struct facts
