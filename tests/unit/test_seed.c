/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The seeds of other modules' files, and the codes of RFC 6238, appendix B. */
#include "unit.h"

#include <stdlib.h>

#include "admin/enroll/seed.h"

/* "12345678901234567890" */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define HEX    "3132333435363738393031323334353637383930"

static void assert_seed(const char *text, const char *secret, const char *algorithm, int digits,
                        int step)
{
    const char *why_not = "";
    struct seed seed;

    if (!seed_parse(text, "alice", &seed, &why_not))
        fail_msg("%s: %s", text, why_not);
    assert_string_equal(seed.secret, secret);
    assert_string_equal(seed.config.algorithm, algorithm);
    assert_int_equal(seed.config.code_length, digits);
    assert_int_equal(seed.config.time_step, step);
    assert_int_equal(seed.config.skew, 1);
}

/* Nothing of the text is in what is said. */
static void assert_refused_seed(const char *text, const char *part)
{
    const char *why_not = "";
    struct seed seed;

    if (seed_parse(text, "alice", &seed, &why_not))
        fail_msg("took %s", text);
    if (strstr(why_not, part) == NULL)
        fail_msg("%s: %s", text, why_not);
    assert_string_equal(seed.secret, "");
}

TEST(takes_a_base32_secret)
{
    assert_seed(SECRET, SECRET, "sha1", 6, 30);
    assert_seed(SECRET "\n", SECRET, "sha1", 6, 30);
    assert_seed("\n# mine\n" SECRET "\r\n\n", SECRET, "sha1", 6, 30);
    assert_seed("\xef\xbb\xbf# mine\r\n" SECRET "\r\n", SECRET, "sha1", 6, 30);
    assert_seed("gezd gnbv-gy3t qojq", "GEZDGNBVGY3TQOJQ", "sha1", 6, 30);
    assert_seed("GEZDGNBVGY3TQOJQGEZDGNBVGY======\n", "GEZDGNBVGY3TQOJQGEZDGNBVGY", "sha1", 6, 30);
}

TEST(takes_a_file_of_google_authenticator)
{
    assert_seed(SECRET "\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 17\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n"
                       "12345678\n87654321\n",
                SECRET, "sha1", 6, 30);
    assert_seed(SECRET "\n\" TOTP_AUTH\n\" STEP_SIZE 60\n", SECRET, "sha1", 6, 60);
    assert_refused_seed(SECRET "\n\" HOTP_COUNTER 1\n12345678\n", "(HOTP)");
    assert_refused_seed(SECRET "\n\" TOTP_AUTH\n\" STEP_SIZE 300\n", "20 to 60");
    assert_refused_seed(SECRET "\n\" TOTP_AUTH\n\" STEP_SIZE 3x\n", "20 to 60");
    assert_refused_seed(SECRET "\nsomething else\n", "is not a file of");
    assert_refused_seed("\" TOTP_AUTH\n" SECRET "\n", "is not a file of");
}

TEST(takes_the_entry_of_the_user_in_users_oath)
{
    assert_seed("HOTP/T30/6 alice - " HEX "\n", SECRET, "sha1", 6, 30);
    assert_seed("# Option\tUser\nHOTP bob - 00\nHOTP/T60/8\talice\t-\t" HEX "\t0\t1\n", SECRET,
                "sha1", 8, 60);
    assert_seed("HOTP/T30 alice + " HEX, SECRET, "sha1", 6, 30);
    assert_seed("HOTP/T30/6 alice - 3132333435363738393A", "GEZDGNBVGY3TQOJ2", "sha1", 6, 30);
    assert_refused_seed("HOTP alice - " HEX "\n", "(HOTP)");
    assert_refused_seed("HOTP/E/6 alice - " HEX "\n", "(HOTP)");
    assert_refused_seed("HOTP/T30/6 bob - " HEX "\n", "no entry of this user");
    assert_refused_seed("HOTP/T30/6 alic - " HEX "\nHOTP/T30/6 alice2 - " HEX "\n",
                        "no entry of this user");
    assert_refused_seed("HOTP/T30 alice - " HEX "\nHOTP/T60 alice - " HEX "\n", "more than one");
    assert_refused_seed("HOTP/T30 alice - " HEX "0\n", "not Base32");
    assert_refused_seed("HOTP/T30 alice - 31323334\n", "not Base32");
    assert_refused_seed("HOTP/T30/6 alice - " HEX HEX HEX HEX HEX "\n", "not Base32");
    assert_refused_seed("HOTP/T30/9 alice - " HEX "\n", "6 to 8");
    assert_refused_seed("HOTP/T alice - " HEX "\n", "20 to 60");
    assert_refused_seed("HOTP/T30x alice - " HEX "\n", "is not a file of");
}

TEST(takes_an_address)
{
    assert_seed("otpauth://totp/ACME:alice?secret=" SECRET "&issuer=ACME", SECRET, "sha1", 6, 30);
    assert_seed("otpauth://totp/x?period=60&digits=8&algorithm=SHA256&secret=" SECRET "\n", SECRET,
                "sha256", 8, 60);
    assert_seed("otpauth://totp/x?algorithm=sha512&secret=gezdgnbvgy3tqojq%3D", "GEZDGNBVGY3TQOJQ",
                "sha512", 6, 30);
    assert_seed("OTPAUTH://TOTP/X?SECRET=" SECRET "&DIGITS=8", SECRET, "sha1", 8, 30);
    assert_seed("\xef\xbb\xbf"
                "otpauth://totp/x?secret=" SECRET "\r\n",
                SECRET, "sha1", 6, 30);
    assert_refused_seed("otpauth://hotp/x?secret=" SECRET "&counter=1", "(HOTP)");
    assert_refused_seed("OTPAUTH://HOTP/X?SECRET=" SECRET "&COUNTER=1", "(HOTP)");
    assert_refused_seed("otpauth://totp/x", "is not a file of");
    assert_refused_seed("otpauth://totp/x?", "not Base32");
    assert_refused_seed("otpauth://totp/x?issuer=y", "not Base32");
    assert_refused_seed("otpauth://totp/x?secret=", "not Base32");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "&secret=" SECRET, "is not a file of");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "&algorithm=MD5", "SHA1, SHA256");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "&digits=5", "6 to 8");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "&digits=", "6 to 8");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "&period=61", "20 to 60");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "&period=9999999999", "20 to 60");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET " more", "is not a file of");
    assert_refused_seed("otpauth://totp/x?secret=" SECRET "\n" SECRET "\n",
                        "lines after the address");
    assert_refused_seed("otpauth-migration://offline?data=x", "is not a file of");
}

TEST(refuses_a_text_without_a_seed)
{
    assert_refused_seed("", "not Base32");
    assert_refused_seed("\n\n", "not Base32");
    assert_refused_seed("GEZDGNBVGY3TQOJ", "not Base32");
    assert_refused_seed("GEZDGNBVGY3TQOJQ1", "not Base32");
    assert_refused_seed("GEZDGNBVGY3TQOJQG", "not Base32");
    assert_refused_seed("GEZDGNBV=GY3TQOJQ", "not Base32");
    assert_refused_seed("root:$y$j9T$abcdefghijklmnop:19000:0:99999:7:::", "not Base32");
    assert_refused_seed("{ \"secret\": \"" SECRET "\" }", "not Base32");
}

TEST(survives_every_beginning_and_every_byte)
{
    static const char *const texts[] = {
        "otpauth://totp/x?period=60&digits=8&algorithm=SHA256&secret=" SECRET "%3D\n",
        "# a\nHOTP/T60/8\talice\t-\t" HEX "\t0\n",
        SECRET "\n\" STEP_SIZE 60\n12345678\n",
    };
    const char *why_not;
    struct seed seed;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t at = 0; at < strlen(texts[i]); at++) {
            char *text = strdup(texts[i]);
            for (int byte = 255; byte >= 0; byte--) {
                text[at] = (char)byte;
                seed_parse(text, "alice", &seed, &why_not);
            }
            free(text);
        }
}

TEST(makes_the_codes_of_rfc_6238)
{
    static const struct {
        const char *algorithm, *secret;
        int64_t time_s;
        const char *code;
    } rows[] = {
        { "sha1", SECRET, 59, "94287082" },
        { "sha1", SECRET, 20000000000, "65353130" },
        { "sha256", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA", 1111111109,
          "68084774" },
        { "sha512",
          "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNB"
          "VGY3TQOJQGEZDGNA",
          1234567890, "93441116" },
    };
    char code[SEED_CODE_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct seed seed = { .config = { "", 8, 30, 1 } };
        strcpy(seed.secret, rows[i].secret);
        strcpy(seed.config.algorithm, rows[i].algorithm);
        assert_true(seed_code(&seed, rows[i].time_s, code));
        assert_string_equal(code, rows[i].code);
    }
}
