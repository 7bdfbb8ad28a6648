/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of "auth" of a PAM service, or of another type, in the order in which libpam goes
 * through them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"
#include "overlay.h"
#include "pam-control.h"

enum {
    PAM_STACK_LEVELS = 16,      /* of includes; the limit of upstream's libpam */
    PAM_STACK_LINES_MAX = 2048, /* of "auth" */
    PAM_STACK_READ_MAX = 65536, /* lines that may be read for one service */
};

enum pam_stack_kind {
    PAM_STACK_MODULE,
    PAM_STACK_MUST_FAIL, /* libpam can't read the line, and lets it return PAM_PERM_DENIED */
    PAM_STACK_SUBSTACK,  /* a substack begins with the next line, one level deeper */
};

struct pam_stack_line {
    enum pam_stack_kind kind;
    int level;     /* of substacks, 0 at the bottom */
    bool is_entry; /* the first of a substack where the state that it began with is asked for */
    struct pam_control control;
    const struct facts_module *module; /* never NULL; the facts own it */
    pam_codes codes;                   /* that the module may return, with these arguments */
    /* The stack owns the texts, which are never NULL. */
    const char *name; /* the module as it is written, or what the line includes */
    const char *word; /* the control as it is written */
    const char *arguments;
    const char *path; /* of the line */
    unsigned number;
};

struct pam_stack_file {
    char *path, *text;
};

struct pam_stack {
    struct pam_stack_line lines[PAM_STACK_LINES_MAX];
    size_t count;
    struct pam_stack_file *files; /* the text is cut into the words of the lines */
    size_t files_count;
    bool is_other; /* the service has no line of "auth": these are those of "other" */
};

enum pam_stack_read {
    PAM_STACK_REFUSED, /* libpam would refuse every login; or it is too large to be followed */
    PAM_STACK_ABSENT,  /* there is no file of that name; what is read are the lines of "other" */
    PAM_STACK_READ,
};

/* Where PAM's files are, and what is known about the modules that they name. */
struct pam_stack_source {
    const char *const *directories; /* in libpam's order; ends with NULL */
    const struct facts *facts;
    bool is_flat;                  /* read "substack" as if "include" stood there */
    const struct overlay *overlay; /* files as they will be; NULL: as they are */
    const char *type;              /* of the lines that are read; NULL: "auth" */
};

/* Reads SERVICE as Debian's libpam does: from the first of the directories that has it, "other" as
 * well; what is included, "@include" too, from the first directory alone. The caller frees with
 * pam_stack_free(). PAM_STACK_REFUSED fills WHY_NOT, which names file and line, and leaves
 * *RET_STACK alone. */
enum pam_stack_read pam_stack_read(const struct pam_stack_source *source, const char *service,
                                   struct pam_stack **ret_stack, struct verdict *why_not);

/* Frees *STACK, which may be NULL, and makes it NULL. */
void pam_stack_free(struct pam_stack **stack);

#define auto_stack __attribute__((cleanup(pam_stack_free))) struct pam_stack
