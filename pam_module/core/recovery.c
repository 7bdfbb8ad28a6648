/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Recovery codes. */
#include "recovery.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "secret.h"
#include "statefile.h"
#include "userfile.h"

#define METHOD "$y$"
/* Of the cost that recovery_make_salt() asks for. */
#define NOBODYS_SALT METHOD "j9T$nobodysnobodysnobodys."

enum { COST = 5 };

bool recovery_read_code(const char *text, char code[RECOVERY_CODE_SIZE])
{
    char read[RECOVERY_CODE_SIZE];
    size_t used = 0;

    for (; *text != '\0'; text++) {
        char letter = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (letter == ' ' || letter == '-')
            continue;
        if (strchr(RECOVERY_LETTERS, letter) == NULL || used == RECOVERY_CODE_LENGTH) {
            explicit_bzero(read, sizeof read);
            return false;
        }
        read[used++] = letter;
    }
    read[used] = '\0';
    if (used == RECOVERY_CODE_LENGTH)
        memcpy(code, read, sizeof read);
    explicit_bzero(read, sizeof read);
    return used == RECOVERY_CODE_LENGTH;
}

bool recovery_make_salt(char salt[RECOVERY_SALT_SIZE])
{
    return crypt_gensalt_rn(METHOD, COST, NULL, 0, salt, RECOVERY_SALT_SIZE) != NULL;
}

bool recovery_hash(const char *code, const char *salt, char hash[RECOVERY_HASH_SIZE])
{
    struct crypt_data *data = calloc(1, sizeof *data);
    size_t length = strlen(salt);
    const char *made = data != NULL ? crypt_rn(code, salt, data, sizeof *data) : NULL;
    bool is_made = made != NULL && strncmp(made, salt, length) == 0 && made[length] == '$' &&
                   strlen(made + length + 1) < RECOVERY_HASH_SIZE;

    if (is_made)
        strcpy(hash, made + length + 1);
    if (data != NULL)
        explicit_bzero(data, sizeof *data);
    free(data);
    return is_made;
}

static bool is_set(const char *text)
{
    return strspn(text, "0123456789abcdef") == strlen(text);
}

static bool is_salt(const char *text)
{
    return strncmp(text, METHOD, strlen(METHOD)) == 0;
}

static const struct key keys[] = {
    { KEY_MEMBER(recovery, set), KEY_SIZED(RECOVERY_SET_SIZE, RECOVERY_SET_SIZE), .mandatory = true,
      .is_valid = is_set, .rule = "must be 32 hexadecimal digits" },
    { KEY_MEMBER(recovery, state), KEY_SIZED(1, STATEFILE_IDENTITY_SIZE), .mandatory = true,
      .rule = "must name the file in state_dir" },
    { KEY_MEMBER(recovery, salt), KEY_SIZED(1, RECOVERY_SALT_SIZE - 1), .mandatory = true,
      .is_valid = is_salt, .rule = "must be a salt of yescrypt" },
    { KEY_MEMBER(recovery, hashes), .type = KEY_TEXTS, .minimum = 1,
      .maximum = RECOVERY_HASH_SIZE - 1, .rule = "must be a list of hashes" },
};

static const struct keys format = KEYS_OF(recovery, keys);

size_t recovery_count(const struct recovery *recovery)
{
    size_t count = 0;

    while (recovery->hashes != NULL && recovery->hashes[count] != NULL)
        count++;
    return count;
}

bool recovery_parse(const char *text, const char *shown, struct recovery **ret_recovery,
                    struct verdict *why_not)
{
    auto_recovery *recovery = keys_parse(&format, text, shown, why_not);

    if (recovery == NULL)
        return false;
    if (recovery_count(recovery) == 0 || recovery_count(recovery) > RECOVERY_CODES_MAX)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s must hold 1 to %d hashes", shown,
                              RECOVERY_CODES_MAX);

    *ret_recovery = recovery;
    recovery = NULL;
    return true;
}

enum trusted_read recovery_read(const char *users_dir, const char *name,
                                struct recovery **ret_recovery, struct verdict *why_not)
{
    auto_secret char *text = NULL;
    char shown[USERFILE_SHOWN_SIZE];
    enum trusted_read read = userfile_read_in(users_dir, name, USERFILE_RECOVERY,
                                              TRUSTED_READERS_OWNER, &text, shown, why_not);

    if (read == TRUSTED_READ && !recovery_parse(text, shown, ret_recovery, why_not))
        return TRUSTED_REFUSED;
    return read;
}

/* As long for equal texts as for others of their length. */
static bool is_equal(const char *one, const char *other)
{
    unsigned char difference = 0;
    size_t length = strlen(one);

    if (strlen(other) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(one[i] ^ other[i]);
    return difference == 0;
}

int recovery_match(const struct recovery *recovery, const char *code)
{
    char hash[RECOVERY_HASH_SIZE];
    int match = RECOVERY_NO_MATCH;

    if (!recovery_hash(code, recovery != NULL ? recovery->salt : NOBODYS_SALT, hash))
        return RECOVERY_NOT_HASHED;
    for (int i = 0; recovery != NULL && recovery->hashes[i] != NULL; i++)
        if (is_equal(recovery->hashes[i], hash))
            match = i;
    explicit_bzero(hash, sizeof hash);
    return match;
}

void recovery_free(struct recovery **recovery)
{
    keys_free(&format, *recovery);
    *recovery = NULL;
}
