/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What sshd is configured for, by its own word: "sshd -T", for a connection that no Match block is
 * about, and for each block. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../../core/verdict.h"
#include "overlay.h"

enum {
    SSHD_CONFIG_BLOCKS_MAX = 128,
    SSHD_CONFIG_NO_BLOCK = -1,
    SSHD_CONFIG_USUAL = -2,
    SSHD_CONFIG_ALONE = SSHD_CONFIG_BLOCKS_MAX, /* added to a block: a connection in no other one */
};

struct sshd_config {
    bool use_pam, password, keyboard_interactive, public_key, host_based, gssapi, kerberos;
    bool is_root_out;  /* PermitRootLogin is not "yes": root gets in by no method that calls PAM */
    bool root_by_key;  /* PermitRootLogin prohibit-password: PAM lets root in by no method */
    bool other_keys;   /* it takes keys that are not in authorized_keys of the homes */
    char *methods;     /* AuthenticationMethods: "any", or lists with one blank between them */
    char *pam_service; /* "sshd", where sshd does not know the keyword */
    char *port;        /* the first */
    char *address;     /* the last of ListenAddress, "[::]:22"; NULL: none was said */
    char *pid_file;    /* NULL: none was said */
};

/* Frees what CONFIG holds and makes it zero. */
void sshd_config_free(struct sshd_config *config);

#define auto_sshd_config __attribute__((cleanup(sshd_config_free))) struct sshd_config

/* A Match block, but for "Match all", which ends the one before it. */
struct sshd_block {
    char *path;
    unsigned number;  /* of its line about authentication, or else of its line "Match" */
    char *criteria;   /* "User alice" */
    int outer;        /* the block that includes its file; SSHD_CONFIG_NO_BLOCK: none */
    bool is_relevant; /* it has a line about authentication */
};

struct sshd_blocks {
    struct sshd_block blocks[SSHD_CONFIG_BLOCKS_MAX];
    int count;
};

/* Frees *BLOCKS, which may be NULL, and makes it NULL. */
void sshd_blocks_free(struct sshd_blocks **blocks);

#define auto_sshd_blocks __attribute__((cleanup(sshd_blocks_free))) struct sshd_blocks

/* The Match blocks of the file PATH, sshd's own if NULL, and of what it includes, as OVERLAY, which
 * may be NULL, has them. The caller frees with sshd_blocks_free(). False: a file can't be read,
 * includes go too deep, there are more than SSHD_CONFIG_BLOCKS_MAX, or out of memory; WHY_NOT is
 * filled. */
bool sshd_config_blocks(const char *path, const struct overlay *overlay,
                        struct sshd_blocks **ret_blocks, struct verdict *why_not);

/* Fills WHY_NOT with the last line in the file OUTPUT that says what is wrong: what a program
 * printed. */
void sshd_config_explain(int output, struct verdict *why_not);

enum sshd_config_read { SSHD_CONFIG_REFUSED, SSHD_CONFIG_ABSENT, SSHD_CONFIG_READ };

/* Asks sshd, by "sshd -T -C", what the file PATH, its own if NULL, means for a connection that has
 * nothing special about it, BLOCK of SSHD_CONFIG_USUAL; for one that is in BLOCK of BLOCKS, with
 * SSHD_CONFIG_ALONE in no other one that is not around it; or for one that is in no block,
 * SSHD_CONFIG_NO_BLOCK. In the last two cases sshd is given copies of the
 * files, with criteria that all or no connections meet: so every criterion can be judged; the first
 * case needs copies for an OVERLAY alone, which may be NULL. Without a shell, with an empty
 * environment but for PATH. The caller frees with sshd_config_free(). SSHD_CONFIG_ABSENT: sshd is
 * not installed. SSHD_CONFIG_REFUSED fills WHY_NOT with what sshd says, or what else failed. */
enum sshd_config_read sshd_config_read(const char *path, const struct overlay *overlay,
                                       const struct sshd_blocks *blocks, int block,
                                       struct sshd_config *ret_config, struct verdict *why_not);

/* Asks sshd what its own files mean for CONNECTION, the words of "sshd -T -C". The caller frees.
 * False fills WHY_NOT. */
bool sshd_config_read_for(const char *connection, struct sshd_config *ret_config,
                          struct verdict *why_not);
