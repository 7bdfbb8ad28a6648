/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* stack-run SERVICE DIRECTORY...: what the tool takes a stack of pam_debug.so for, as one code
 * word, and in a second line the "auth=CODE" of each that is called; or "refused: WHY".
 * pam_debug.so returns what "auth=CODE" says, success by default; pam_deny.so denies; there is no
 * other module. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/lint/pam-walk.h"

static enum pam_code find_code(const char *word, size_t length)
{
    for (int code = 0; code < PAM_CODES; code++)
        if (strlen(pam_code_word(code)) == length &&
            strncmp(pam_code_word(code), word, length) == 0)
            return (enum pam_code)code;
    fprintf(stderr, "stack-run: %s: no code\n", word);
    exit(2);
}

static enum pam_code answer(const struct pam_stack_line *line, void *context)
{
    const char *word = strstr(line->arguments, "auth=");
    FILE *calls = context;
    size_t length;

    if (strcmp(line->name, "pam_deny.so") == 0)
        return PAM_CODE_AUTH_ERR;
    if (strcmp(line->name, "pam_debug.so") != 0)
        return PAM_CODE_MODULE_UNKNOWN;
    length = word != NULL ? strcspn(word, " \t]") : 0;
    /* To pam_debug.so "auth=success\r" is no argument that it knows. */
    if (length == 0 || word[length - 1] == '\r')
        return PAM_CODE_SUCCESS;
    fprintf(calls, "%.*s ", (int)length, word);
    return find_code(word + strlen("auth="), length - strlen("auth="));
}

int main(int argc, char **argv)
{
    auto_facts *facts = facts_new();
    struct pam_stack_source source = { (const char *const *)argv + 2, facts };
    struct verdict why_not;
    auto_stack *stack = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *calls;

    if (argc < 3 || facts == NULL)
        return 2;
    if (pam_stack_read(&source, argv[1], &stack, &why_not) == PAM_STACK_REFUSED) {
        printf("refused: %s\n", why_not.reason);
        return 0;
    }
    calls = open_memstream(&text, &size);
    if (calls == NULL)
        return 2;
    printf("%s\n", pam_code_word(pam_walk_run(stack, answer, calls)));
    fclose(calls);
    printf("%s\n", text);
    free(text);
    return 0;
}
