/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether sshd lets in without the code. */
#include "check-sshd.h"

#include <stdio.h>
#include <string.h>

#include "sshd-list.h"
#include "text-file.h"

#define SUBJECT "sshd"
#define METHODS "AuthenticationMethods publickey,keyboard-interactive"

/* What sshd is started with counts before its file: Debian's unit has SSHD_OPTS, others OPTIONS. */
#define STARTED_BY                                                                                 \
    "{/etc/default/ssh,/etc/sysconfig/sshd,/etc/systemd/system/ssh*.service{,.d/*.conf}}"

enum { WAYS_SIZE = 256, WHO_SIZE = 512 };

struct sshd_judge {
    struct report *report;
    const struct check_stack *check;
    struct check_stack_answer stack; /* of the service that sshd calls */
    const struct sshd_config *config;
};

/* What is said about what a list comes to. */
static const struct {
    enum report_level level;
    const char *before, *after, *remedy;
} ends[] = {
    [SSHD_LIST_SKIPPED] = { REPORT_NOTE, "sshd skips ", ": it names a method that is off", NULL },
    [SSHD_LIST_UNKNOWN] = { REPORT_WRONG, "",
                            " is always refused: it names a method that cannot be satisfied",
                            "write \"" METHODS "\"" },
    [SSHD_LIST_PASSWORD] = { REPORT_WRONG, "", " is always refused, as a password is not a code",
                             "write \"keyboard-interactive\" in place of \"password\"" },
    [SSHD_LIST_CLOSED] = { REPORT_WRONG, "",
                           " is always refused: no method of the module's after= comes before",
                           "write \"" METHODS "\"" },
    [SSHD_LIST_BYPASS] = { REPORT_WRONG, "", " logs in without the code", "write \"" METHODS "\"" },
    [SSHD_LIST_ALONE] = { REPORT_WRONG, "by ", " the code alone logs in", "write \"" METHODS "\"" },
    [SSHD_LIST_BACKWARD] = { REPORT_WARNING, "",
                             " asks for the code first: anybody can use up a user's challenges",
                             "put \"publickey\" first" },
    [SSHD_LIST_ASKS] = { REPORT_OK, "", " asks for the code", NULL },
};

static void add_list(const struct sshd_judge *judge, const char *list, size_t length,
                     enum sshd_list_end end, enum report_level level, const char *remedy)
{
    report_add(judge->report, level, SUBJECT, remedy, "%sAuthenticationMethods: %s\"%.*s\"%s",
               strcmp(judge->config->methods, "any") == 0 ? "without " : "", ends[end].before,
               (int)length, list, ends[end].after);
}

static void judge_lists(const struct sshd_judge *judge)
{
    const char *list = judge->config->methods;

    for (size_t length; *list != '\0'; list += length + strspn(list + length, " ")) {
        enum sshd_list_end end;
        length = strcspn(list, " ");
        end = sshd_list_judge(list, length, judge->config, &judge->stack);
        add_list(judge, list, length, end, ends[end].level, ends[end].remedy);
    }
}

/* Without AuthenticationMethods each method that is on logs in by itself; where "password" alone is
 * refused, others are not. */
static void judge_any(const struct sshd_judge *judge)
{
    static const struct {
        const char *name, *remedy;
    } methods[] = {
        { "publickey", "write \"" METHODS "\", or \"PubkeyAuthentication no\"" },
        { "hostbased", "write \"HostbasedAuthentication no\"" },
        { "gssapi-with-mic", "write \"GSSAPIAuthentication no\"" },
        { "password", "write \"PasswordAuthentication no\"" },
        { "keyboard-interactive", "write \"" METHODS "\"" },
    };

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const char *name = methods[i].name;
        enum sshd_list_end end = sshd_list_judge(name, strlen(name), judge->config, &judge->stack);
        bool is_password = strcmp(name, "password") == 0;
        bool is_refused = end == SSHD_LIST_PASSWORD || end == SSHD_LIST_CLOSED;
        if (end != SSHD_LIST_SKIPPED)
            add_list(judge, name, strlen(name), end,
                     is_password && is_refused ? REPORT_WARNING : ends[end].level,
                     ends[end].remedy != NULL ? methods[i].remedy : NULL);
    }
}

static void judge_config(const struct sshd_judge *judge)
{
    if (!judge->config->use_pam) {
        report_add(judge->report, REPORT_WRONG, SUBJECT, "write \"UsePAM yes\"",
                   "UsePAM is off: the module is never called");
        return;
    }
    if (!judge->config->keyboard_interactive &&
        !(judge->config->password && judge->stack.has_split))
        report_add(judge->report, REPORT_WRONG, SUBJECT,
                   "write \"KbdInteractiveAuthentication yes\"",
                   "KbdInteractiveAuthentication is off: nobody can be asked for a code");
    if (judge->config->root_by_key)
        report_add(judge->report, REPORT_NOTE, SUBJECT,
                   "write \"PermitRootLogin yes\" if root is to log in with a code",
                   "root is refused even with a right code, where PermitRootLogin is "
                   "\"prohibit-password\"");
    if (strcmp(judge->config->methods, "any") == 0)
        judge_any(judge);
    else
        judge_lists(judge);
}

/* Lists by which somebody logs in, with blanks between them. */
struct ways {
    char bypasses[WAYS_SIZE], codes[WAYS_SIZE]; /* without, and with both factors */
};

static struct ways find_ways(const struct sshd_judge *judge)
{
    static const char all[] = "publickey hostbased gssapi-with-mic password keyboard-interactive";
    const char *list = strcmp(judge->config->methods, "any") == 0 ? all : judge->config->methods;
    struct ways ways = { 0 };

    for (size_t length; *list != '\0'; list += length + strspn(list + length, " ")) {
        enum sshd_list_end end;
        char *words;
        size_t used;
        length = strcspn(list, " ");
        end = sshd_list_judge(list, length, judge->config, &judge->stack);
        words = end == SSHD_LIST_BYPASS || end == SSHD_LIST_ALONE ? ways.bypasses : ways.codes;
        used = strlen(words);
        if (end >= SSHD_LIST_BYPASS && used < WAYS_SIZE)
            snprintf(words + used, WAYS_SIZE - used, "%s%.*s", used > 0 ? " " : "", (int)length,
                     list);
    }
    return ways;
}

/* WHO has a configuration of its own, JUDGE->config. */
static void judge_some(const struct sshd_judge *judge, const char *who, bool is_good_told)
{
    struct ways ways = find_ways(judge);

    if (!judge->stack.is_called)
        report_add(judge->report, REPORT_WARNING, SUBJECT, "check that this is intended",
                   "%s: an exemption, the PAM service \"%s\" does not call the module", who,
                   judge->config->pam_service);
    else if (*ways.bypasses != '\0')
        report_add(judge->report, REPORT_WARNING, SUBJECT, "check that this is intended",
                   "%s: an exemption, logs in without both factors by \"%s\"", who, ways.bypasses);
    else if (*ways.codes == '\0')
        report_add(judge->report, REPORT_WRONG, SUBJECT, "write \"" METHODS "\"",
                   "%s: is always refused by \"%s\"", who, judge->config->methods);
    else if (is_good_told)
        report_add(judge->report, REPORT_OK, SUBJECT, NULL, "%s: asks for the code by \"%s\"", who,
                   ways.codes);
}

/* The answer about the service that sshd calls: newer sshds may be told of another one. */
static struct check_stack_answer ask_stack(const struct check_stack *check, const char *service,
                                           const struct check_stack_answer *usual)
{
    struct check_stack other = *check;

    if (strcmp(service, check->service) == 0)
        return *usual;
    other.service = service;
    return check_stack_ask(&other);
}

/* Whether both let the same people in by the same methods. */
static bool is_same(const struct sshd_config *one, const struct sshd_config *other)
{
    return strcmp(one->methods, other->methods) == 0 &&
           strcmp(one->pam_service, other->pam_service) == 0 && one->password == other->password &&
           one->keyboard_interactive == other->keyboard_interactive &&
           one->public_key == other->public_key && one->host_based == other->host_based &&
           one->gssapi == other->gssapi && one->kerberos == other->kerberos;
}

/* Those in BLOCK of BLOCKS and in no other one: an earlier block that a usual connection is in, and
 * that counts first, must not hide what this one says. USUAL is with such blocks. */
static void judge_alone(const struct sshd_judge *judge, const char *path,
                        const struct sshd_blocks *blocks, int block, const char *who,
                        const struct sshd_config *usual)
{
    auto_sshd_config config = { 0 };
    struct sshd_judge some = *judge;
    char alone[WHO_SIZE];
    struct verdict why_not;

    if (sshd_config_read(path, judge->check->source.overlay, blocks, block + SSHD_CONFIG_ALONE,
                         &config, &why_not) != SSHD_CONFIG_READ ||
        is_same(&config, usual))
        return;
    some.config = &config;
    some.stack = ask_stack(judge->check, config.pam_service, &judge->stack);
    snprintf(alone, sizeof alone, "%s, and no other block", who);
    if (!some.stack.is_called || *find_ways(&some).bypasses != '\0')
        judge_some(&some, alone, false);
}

/* Those in BLOCK of BLOCKS, who are called WHO, or in no block: where that is the usual case it has
 * been judged. */
static void judge_block(const struct sshd_judge *judge, const char *path,
                        const struct sshd_blocks *blocks, int block, const char *who)
{
    struct verdict why_not;
    auto_sshd_config config = { 0 };
    struct sshd_judge some = *judge;

    if (sshd_config_read(path, judge->check->source.overlay, blocks, block, &config, &why_not) ==
        SSHD_CONFIG_READ) {
        if (block == SSHD_CONFIG_NO_BLOCK && is_same(&config, judge->config))
            return;
        some.config = &config;
        some.stack = ask_stack(judge->check, config.pam_service, &judge->stack);
        judge_some(&some, who, block != SSHD_CONFIG_NO_BLOCK);
        if (block != SSHD_CONFIG_NO_BLOCK)
            judge_alone(judge, path, blocks, block, who, &config);
        return;
    }
    /* sshd says so itself where each list names a method that is off. */
    report_add(judge->report,
               strstr(why_not.reason, "cannot be satisfied") != NULL ? REPORT_WRONG
                                                                     : REPORT_WARNING,
               SUBJECT, NULL, "%s: its configuration is unknown: %s", who, why_not.reason);
}

/* Who is in a Match block may have other ways in. */
static void judge_blocks(const struct sshd_judge *judge, const char *path)
{
    struct verdict why_not;
    auto_sshd_blocks *blocks = NULL;

    if (!sshd_config_blocks(path, judge->check->source.overlay, &blocks, &why_not)) {
        report_add(judge->report, REPORT_WARNING, SUBJECT, NULL, "cannot read the Match blocks: %s",
                   why_not.reason);
        return;
    }
    if (blocks->count > 0)
        judge_block(judge, path, blocks, SSHD_CONFIG_NO_BLOCK, "users in no Match block");
    for (int i = 0; i < blocks->count; i++) {
        const struct sshd_block *block = &blocks->blocks[i];
        char who[WHO_SIZE];
        snprintf(who, sizeof who, "%s:%u: Match %s", block->path, block->number, block->criteria);
        if (block->is_relevant)
            judge_block(judge, path, blocks, i, who);
    }
}

/* Whether LINE, of "KEY=OPTIONS", gives sshd an option, or another file of them. */
static bool has_options(const char *line)
{
    while ((line = strchr(line, '-')) != NULL) {
        bool is_word = strchr(" \t\"'=", line[-1]) != NULL;
        line += 1 + strspn(line + 1, "46DdeGiqTt");
        if (is_word && (*line == 'o' || *line == 'f'))
            return true;
    }
    return false;
}

static void add_options(const char *path, char *line, void *report)
{
    static const char *const keys[] = { "SSHD_OPTS=", "OPTIONS=", "ExecStart=" };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strncmp(line, keys[i], strlen(keys[i])) == 0 && has_options(line))
            report_add(report, REPORT_WARNING, SUBJECT,
                       "write these options into sshd_config in its place",
                       "%s: %s: options of sshd's command line are not checked", path, line);
}

/* The directory that sshd misses is there while it runs, and only then. */
static bool is_not_running(const char *why_not)
{
    return strstr(why_not, "privilege separation directory") != NULL;
}

void check_sshd_add(struct report *report, const char *path, const struct check_stack *check,
                    const struct check_stack_answer *answer)
{
    auto_sshd_config config = { 0 };
    struct sshd_judge judge = { .report = report, .check = check, .config = &config };
    struct verdict why_not;
    enum sshd_config_read read =
        sshd_config_read(path, check->source.overlay, NULL, SSHD_CONFIG_USUAL, &config, &why_not);

    if (read == SSHD_CONFIG_ABSENT && answer->is_called)
        report_add(report, REPORT_NOTE, SUBJECT, NULL, "is not installed");
    if (read == SSHD_CONFIG_REFUSED && answer->is_called)
        report_add(report, is_not_running(why_not.reason) ? REPORT_WARNING : REPORT_WRONG, SUBJECT,
                   "make \"sshd -T\" work, as root", "its configuration is unknown: %s",
                   why_not.reason);
    if (read != SSHD_CONFIG_READ)
        return;

    judge.stack = ask_stack(check, config.pam_service, answer);
    if (judge.stack.is_called) {
        judge_config(&judge);
        judge_blocks(&judge, path);
        if (path == NULL)
            text_file_each(STARTED_BY, add_options, report);
    } else if (strcmp(config.pam_service, check->service) != 0) {
        report_add(report, check->level_of_absence, SUBJECT,
                   "remove PAMServiceName, or put the module there",
                   "calls the PAM service \"%s\", which does not call the module",
                   config.pam_service);
    }
}
