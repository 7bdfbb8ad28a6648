/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* How a login ends, and its text, both ways. */
#include "unit.h"

#include <stdlib.h>
#include <syslog.h>
#include <wchar.h>

#include "core/dialogue.h"
#include "core/text.h"

static const struct {
    enum outcome outcome;
    const char *word;
} words[] = {
    { OUTCOME_UNAVAILABLE, "unavailable" },
    { OUTCOME_MISCONFIGURED, "misconfigured" },
    { OUTCOME_DENIED, "denied" },
    { OUTCOME_EXHAUSTED, "exhausted" },
    { OUTCOME_NOT_REQUIRED, "not-required" },
    { OUTCOME_APPROVED, "approved" },
};

TEST(zeroed_memory_is_a_refusal)
{
    struct verdict verdict;

    memset(&verdict, 0, sizeof verdict);
    assert_int_equal(verdict.outcome, OUTCOME_BROKEN);
    assert_string_equal(verdict_word(verdict.outcome), "broken");
}

TEST(refuse_returns_false_and_says_why)
{
    struct verdict verdict = { 0 };

    assert_false(verdict_refuse(&verdict, OUTCOME_DENIED, "attempt %d of %s", 3, "alice"));
    assert_int_equal(verdict.outcome, OUTCOME_DENIED);
    assert_string_equal(verdict.reason, "attempt 3 of alice");
}

TEST(refuse_keeps_every_outcome_that_refuses)
{
    for (int outcome = OUTCOME_BROKEN; outcome <= OUTCOME_EXHAUSTED; outcome++) {
        struct verdict verdict = { OUTCOME_APPROVED, "" };
        verdict_refuse(&verdict, (enum outcome)outcome, "x");
        assert_int_equal(verdict.outcome, outcome);
    }
}

TEST(refuse_never_lets_anybody_in)
{
    struct verdict verdict = { 0 };

    verdict_refuse(&verdict, OUTCOME_APPROVED, "by mistake");
    assert_refused(&verdict, OUTCOME_BROKEN, "by mistake");
    verdict_refuse(&verdict, OUTCOME_NOT_REQUIRED, "by mistake");
    assert_refused(&verdict, OUTCOME_BROKEN, "by mistake");
}

TEST(pass_says_approved_and_not_required_alone)
{
    struct verdict verdict = { 0 };

    verdict_pass(&verdict, OUTCOME_APPROVED, "challenge=%s", "YC1");
    assert_int_equal(verdict.outcome, OUTCOME_APPROVED);
    assert_string_equal(verdict.reason, "challenge=YC1");
    verdict_pass(&verdict, OUTCOME_NOT_REQUIRED, "exempt");
    assert_int_equal(verdict.outcome, OUTCOME_NOT_REQUIRED);

    for (int outcome = OUTCOME_BROKEN; outcome <= OUTCOME_EXHAUSTED; outcome++) {
        verdict_pass(&verdict, (enum outcome)outcome, "by mistake");
        assert_refused(&verdict, OUTCOME_BROKEN, "by mistake");
    }
}

TEST(bytes_that_could_harm_a_log_become_question_marks)
{
    struct verdict verdict = { 0 };

    verdict_refuse(&verdict, OUTCOME_DENIED, "%s", "a\nb\x1b[2Jc\x7f\xff\xc3\xa4\xc3");
    assert_string_equal(verdict.reason, "a?b?[2Jc??\xc3\xa4?");
}

TEST(a_long_reason_is_cut_and_stays_clean)
{
    char longest[1000];
    struct verdict verdict = { 0 };

    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = i % 2 == 0 ? '\xc3' : '\xa4';
    longest[sizeof longest - 1] = '\0';

    verdict_refuse(&verdict, OUTCOME_DENIED, "%s", longest);
    assert_int_equal(strlen(verdict.reason), VERDICT_REASON_SIZE - 1);
    assert_true(text_is_clean(verdict.reason, strlen(verdict.reason)));
    assert_int_equal(verdict.reason[VERDICT_REASON_SIZE - 2], '?');
}

TEST(a_reason_may_quote_itself)
{
    struct verdict verdict = { 0 };

    verdict_refuse(&verdict, OUTCOME_DENIED, "wrong");
    verdict_refuse(&verdict, verdict.outcome, "%s; challenge=%s", verdict.reason, "YC1");
    assert_string_equal(verdict.reason, "wrong; challenge=YC1");
}

TEST(added_text_is_at_the_end_and_as_clean_as_the_rest)
{
    struct verdict verdict = { 0 };

    verdict_refuse(&verdict, OUTCOME_EXHAUSTED, "a limit");
    verdict_add(&verdict, "; %d of %s", 2, "a\nb\xff");
    assert_int_equal(verdict.outcome, OUTCOME_EXHAUSTED);
    assert_string_equal(verdict.reason, "a limit; 2 of a?b?");
    verdict_add(&verdict, "%s", "");
    assert_string_equal(verdict.reason, "a limit; 2 of a?b?");
}

TEST(appended_text_is_cut_to_fit_and_is_no_format)
{
    struct verdict verdict = { 0 };
    char euros[VERDICT_REASON_SIZE] = "";

    verdict_refuse(&verdict, OUTCOME_DENIED, "why");
    verdict_append(&verdict, "; %s\n");
    assert_string_equal(verdict.reason, "why; %s?");
    assert_int_equal(verdict.outcome, OUTCOME_DENIED);

    for (size_t i = 0; i + 3 < sizeof euros; i += 3)
        strcat(euros, "\xe2\x82\xac");
    verdict_append(&verdict, euros);
    assert_int_equal(strlen(verdict.reason), VERDICT_REASON_SIZE - 1);
    assert_string_equal(verdict.reason + VERDICT_REASON_SIZE - 5, "\xe2\x82\xac?");
    verdict_append(&verdict, "x");
    assert_int_equal(strlen(verdict.reason), VERDICT_REASON_SIZE - 1);
}

TEST(a_text_that_can_not_be_printed_is_left_out)
{
    const wint_t euro = 0x20ac; /* the locale "C" has none */
    struct verdict verdict = { OUTCOME_UNAVAILABLE, "before" };

    verdict_refuse(&verdict, OUTCOME_DENIED, "half of it: %lc", euro);
    assert_int_equal(verdict.outcome, OUTCOME_DENIED);
    assert_string_equal(verdict.reason, "");
    verdict_refuse(&verdict, OUTCOME_DENIED, "the whole");
    verdict_add(&verdict, ", and half of it: %lc", euro);
    assert_string_equal(verdict.reason, "the whole");
}

TEST(every_outcome_has_its_word)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_string_equal(verdict_word(words[i].outcome), words[i].word);
}

TEST(an_outcome_that_does_not_exist_is_broken)
{
    static const int outcomes[] = { OUTCOME_BROKEN, OUTCOME_APPROVED + 1, -1, 1000000 };

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        assert_string_equal(verdict_word((enum outcome)outcomes[i]), "broken");
}

TEST(parse_reads_what_print_wrote)
{
    static const char *const reasons[] = { "", "x", ": ", "a: b", "denied", "\xe2\x82\xac" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        for (size_t j = 0; j < ARRAY_SIZE(reasons); j++) {
            char line[DIALOGUE_LINE_SIZE];
            struct verdict written = { .outcome = words[i].outcome }, read = { 0 };

            strcpy(written.reason, reasons[j]);
            verdict_print(&written, line, sizeof line);
            assert_memory_equal(line, words[i].word, strlen(words[i].word));
            assert_true(verdict_parse(line, &read));
            assert_int_equal(read.outcome, written.outcome);
            assert_string_equal(read.reason, written.reason);
        }
}

TEST(print_leaves_the_colon_out_without_a_reason)
{
    const struct verdict verdict = { .outcome = OUTCOME_DENIED };
    char line[DIALOGUE_LINE_SIZE];

    verdict_print(&verdict, line, sizeof line);
    assert_string_equal(line, "denied");
}

TEST(print_writes_no_byte_beyond_the_size)
{
    struct verdict verdict = { 0 };
    char *line = malloc(10); /* a sanitizer watches its end */

    verdict_refuse(&verdict, OUTCOME_DENIED, "a long story");
    verdict_print(&verdict, line, 10);
    assert_string_equal(line, "denied: a");
    free(line);
}

TEST(parse_refuses_broken_which_no_program_can_say)
{
    struct verdict verdict = { .outcome = OUTCOME_DENIED };
    char line[DIALOGUE_LINE_SIZE];

    assert_false(verdict_parse("broken", &verdict));
    assert_false(verdict_parse("broken: reason", &verdict));
    verdict_print(&(struct verdict){ 0 }, line, sizeof line);
    assert_false(verdict_parse(line, &verdict));
}

TEST(parse_cuts_and_cleans_a_reason_of_anybody)
{
    char line[DIALOGUE_LINE_SIZE] = "denied: a\x01";
    struct verdict verdict;

    assert_true(verdict_parse(line, &verdict));
    assert_string_equal(verdict.reason, "a?");

    memset(line + 8, 'x', 900);
    line[908] = '\0';
    assert_true(verdict_parse(line, &verdict));
    assert_int_equal(strlen(verdict.reason), VERDICT_REASON_SIZE - 1);
}

TEST(the_level_is_by_who_has_to_read_it)
{
    assert_int_equal(verdict_level(OUTCOME_APPROVED), LOG_INFO);
    assert_int_equal(verdict_level(OUTCOME_NOT_REQUIRED), LOG_INFO);
    assert_int_equal(verdict_level(OUTCOME_DENIED), LOG_NOTICE);
    assert_int_equal(verdict_level(OUTCOME_EXHAUSTED), LOG_NOTICE);
    assert_int_equal(verdict_level(OUTCOME_BROKEN), LOG_ERR);
    assert_int_equal(verdict_level(OUTCOME_UNAVAILABLE), LOG_ERR);
    assert_int_equal(verdict_level(OUTCOME_MISCONFIGURED), LOG_ERR);
    assert_int_equal(verdict_level((enum outcome)99), LOG_ERR);
}
