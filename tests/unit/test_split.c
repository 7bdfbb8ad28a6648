/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A password with a code at its end. What split.c needs of libpam, and the clock, are this file's
 * own. */
#include "unit.h"

#include <security/pam_ext.h>
#include <stdlib.h>

#include "core/clock.h"
#include "module/split.h"
#include "wiped.h"

typedef void (*destructor)(pam_handle_t *pamh, void *data, int status);

struct pam_handle {
    int asked;         /* what pam_get_authtok(3) returns */
    int stored, taken; /* the same of pam_set_data(3) and pam_set_item(3) */
    char *password;
    void *data;
    destructor destroy;
};

static int64_t now_ms;

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
    return now_ms;
}

int pam_get_authtok(pam_handle_t *pamh, int item, const char **authtok, const char *prompt)
{
    assert_int_equal(item, PAM_AUTHTOK);
    assert_string_equal(prompt, "Password and code: ");
    *authtok = pamh->password;
    return pamh->asked;
}

int pam_set_item(pam_handle_t *pamh, int item_type, const void *item)
{
    assert_int_equal(item_type, PAM_AUTHTOK);
    if (pamh->taken != PAM_SUCCESS)
        return pamh->taken;
    wiped_expect(item, strlen(item));
    free(pamh->password);
    pamh->password = strdup(item);
    return PAM_SUCCESS;
}

int pam_set_data(pam_handle_t *pamh, const char *module_data_name, void *data, destructor cleanup)
{
    (void)module_data_name;
    if (data != NULL && pamh->stored != PAM_SUCCESS)
        return pamh->stored;
    if (pamh->destroy != NULL)
        pamh->destroy(pamh, pamh->data, PAM_DATA_REPLACE);
    pamh->data = data;
    pamh->destroy = cleanup;
    return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *pamh, const char *module_data_name, const void **data)
{
    (void)module_data_name;
    *data = pamh->data;
    return pamh->data != NULL ? PAM_SUCCESS : PAM_NO_MODULE_DATA;
}

static struct pam_handle begin(const char *password)
{
    now_ms = 1000;
    return (struct pam_handle){ .password = strdup(password) };
}

static void end(struct pam_handle *pamh)
{
    if (pamh->destroy != NULL)
        pamh->destroy(pamh, pamh->data, PAM_SUCCESS);
    free(pamh->password);
    assert_int_equal(wiped_missing(), 0);
}

/* The digits are for alice; they must be gone, wiped, once nobody needs them. */
static void cut(struct pam_handle *pamh)
{
    assert_int_equal(split_cut(pamh, "alice", 6), PAM_IGNORE);
    assert_non_null(pamh->data);
    wiped_expect(pamh->data, sizeof(int64_t) + SPLIT_SIZE);
}

TEST(a_code_of_another_user_is_lost)
{
    static const char *const others[] = { "bob", "", "alic", "alicea", "Alice" };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct pam_handle pamh = begin("secret314159");
        char code[SPLIT_SIZE] = "x";

        cut(&pamh);
        assert_int_equal(split_take(&pamh, others[i], code), SPLIT_NONE);
        assert_string_equal(code, "x");
        assert_int_equal(split_take(&pamh, "alice", code), SPLIT_NONE);
        end(&pamh);
    }
}

TEST(a_code_lasts_for_a_minute)
{
    static const struct {
        int64_t later_ms;
        enum split split;
    } cases[] = {
        { 0, SPLIT_CODE }, { 59999, SPLIT_CODE }, { 60000, SPLIT_NONE }, { 3600000, SPLIT_NONE }
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pam_handle pamh = begin("secret314159");
        char code[SPLIT_SIZE];

        cut(&pamh);
        now_ms += cases[i].later_ms;
        assert_int_equal(split_take(&pamh, "alice", code), cases[i].split);
        end(&pamh);
    }
}

TEST(a_code_that_nobody_takes_is_wiped)
{
    struct pam_handle pamh = begin("secret314159");

    cut(&pamh);
    end(&pamh);
}

TEST(whatever_fails_nothing_is_kept_and_the_failure_is_said)
{
    static const struct {
        int asked, stored, taken, status;
    } cases[] = {
        { PAM_CONV_ERR, 0, 0, PAM_CONV_ERR },
        { PAM_AUTHTOK_ERR, 0, 0, PAM_AUTHTOK_ERR },
        { 0, PAM_BUF_ERR, 0, PAM_BUF_ERR },
        { 0, 0, PAM_BUF_ERR, PAM_BUF_ERR },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pam_handle pamh = begin("secret314159");
        char code[SPLIT_SIZE];

        cut(&pamh); /* of an earlier try */
        free(pamh.password);
        pamh.password = strdup("other271828");
        pamh.asked = cases[i].asked;
        pamh.stored = cases[i].stored;
        pamh.taken = cases[i].taken;
        assert_int_equal(split_cut(&pamh, "alice", 6), cases[i].status);
        assert_int_equal(split_take(&pamh, "alice", code), SPLIT_NONE);
        end(&pamh);
    }
}

TEST(a_success_without_a_password_is_a_failure)
{
    struct pam_handle pamh = { .password = NULL };

    assert_int_equal(split_cut(&pamh, "alice", 6), PAM_SYSTEM_ERR);
    assert_null(pamh.data);
}
