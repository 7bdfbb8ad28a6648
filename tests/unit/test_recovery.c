/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Recovery codes: their form, their file, when they count. */
#include "unit.h"

#include <stdlib.h>

#include "core/recovery.h"

#define SALT "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/"
#define HASH "VRU6v2F6aC9E3zHi6bgUwIUKzfxzDYq8deAntZ79YDA" /* by mkpasswd -m yescrypt */
#define CODE "bcdfghjklmnp"
#define SET  "set = \"0123456789abcdef0123456789abcdef\"; state = \"7:8.9\"; "

/* Form */

TEST(a_recovery_code_may_be_typed_in_many_ways)
{
    static const char *const texts[] = { "bcdfghjkmnpq", "BCDF-GHJK-MNPQ", "bcdf ghjk mnpq",
                                         "  b-c-d-fghjkmnp q-" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char code[RECOVERY_CODE_SIZE] = "";
        assert_true(recovery_read_code(texts[i], code));
        assert_string_equal(code, "bcdfghjkmnpq");
    }
}

TEST(a_malformed_recovery_code_changes_nothing)
{
    static const char *const texts[] = {
        "",
        "bcdfghjkmnp",
        "bcdfghjkmnpqr",
        "bcdfghjkmnpa",
        "bcdfghjkmnp1",
        "------------",
        "bcdf_ghjk_mnpq",
        "bcdfghjkmnpq\t",
        "bcdfghjkmnp\xc3\xa9",
        "123456",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char code[RECOVERY_CODE_SIZE] = "unchanged";
        assert_false(recovery_read_code(texts[i], code));
        assert_string_equal(code, "unchanged");
    }
}

/* The file */

static struct recovery *parse(const char *text)
{
    struct recovery *recovery = NULL;
    struct verdict why_not = { 0 };

    if (!recovery_parse(text, "SHOWN", &recovery, &why_not))
        fail_msg("%s", why_not.reason);
    return recovery;
}

TEST(a_code_is_found_among_the_hashes)
{
    struct recovery *recovery =
        parse(SET "salt = \"" SALT "\"; hashes = ( \"other\", \"" HASH "\", \"third\" );");

    assert_int_equal(recovery_count(recovery), 3);
    assert_int_equal(recovery_match(recovery, CODE), 1);
    assert_int_equal(recovery_match(recovery, "bcdfghjkmnpq"), RECOVERY_NO_MATCH);
    assert_int_equal(recovery_match(NULL, CODE), RECOVERY_NO_MATCH);
    recovery_free(&recovery);
    assert_null(recovery);
}

TEST(a_salt_that_crypt_refuses_matches_nothing)
{
    struct recovery *recovery = parse(SET "salt = \"$y$\"; hashes = ( \"\x2a\", \"" HASH "\" );");

    assert_int_equal(recovery_match(recovery, CODE), RECOVERY_NOT_HASHED);
    recovery_free(&recovery);
}

TEST(a_new_salt_makes_hashes_that_match)
{
    char salt[RECOVERY_SALT_SIZE], other[RECOVERY_SALT_SIZE], hash[RECOVERY_HASH_SIZE], text[600];
    struct recovery *recovery;

    assert_true(recovery_make_salt(salt));
    assert_true(recovery_make_salt(other));
    assert_string_not_equal(salt, other);
    assert_true(recovery_hash(CODE, salt, hash));
    assert_null(strchr(hash, '$'));
    snprintf(text, sizeof text, SET "salt = \"%s\"; hashes = ( \"%s\" );", salt, hash);
    recovery = parse(text);
    assert_int_equal(recovery_match(recovery, CODE), 0);
    recovery_free(&recovery);
}

TEST(a_file_of_recovery_codes_is_strict)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        { "", "set is missing" },
        { SET "salt = \"" SALT "\";", "must hold 1 to 20 hashes" },
        { SET "salt = \"" SALT "\"; hashes = ( );", "must hold 1 to 20 hashes" },
        { SET "salt = \"" SALT "\"; hashes = ( \"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
              "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\" );",
          "must hold 1 to 20 hashes" },
        { SET "salt = \"" SALT "\"; hashes = ( \"\" );", "must be a list of hashes" },
        { SET "salt = \"$6$abc\"; hashes = ( \"a\" );", "must be a salt of yescrypt" },
        { "set = \"0123\"; state = \"7:8.9\";", "must be 32 hexadecimal digits" },
        { "set = \"0123456789ABCDEF0123456789abcdef\";", "must be 32 hexadecimal digits" },
        { SET "codes = 1;", "unknown key codes" },
        { SET "@include \"x\"", "syntax" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct recovery *recovery = NULL;
        struct verdict why_not = { 0 };
        assert_false(recovery_parse(rows[i].text, "SHOWN", &recovery, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, rows[i].problem);
        assert_null(recovery);
    }
}
