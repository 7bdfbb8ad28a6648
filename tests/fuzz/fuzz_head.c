/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The head of a reply: any lines. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "twilio/head.h"

static bool begins(const char *line, size_t size, const char *name)
{
    return size >= strlen(name) && strncasecmp(line, name, strlen(name)) == 0;
}

static void demand_kept(const struct head *head)
{
    fuzz_demand(strlen(head->request_id) < sizeof head->request_id, "a request's name is short");
    if (strcmp(head->request_id, "-") != 0)
        for (const char *byte = head->request_id; *byte != '\0'; byte++)
            fuzz_demand(isalnum((unsigned char)*byte), "a request's name is letters and digits");
    for (const char *byte = head->date; *byte != '\0'; byte++)
        fuzz_demand((unsigned char)*byte >= ' ' || *byte == '\t', "a date has no control byte");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head head;
    int lengths = 0, statuses = 0;

    head_begin(&head);
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end != NULL ? (size_t)(end - data) + 1 : size;
        char *line = malloc(length);
        const char *why_not;
        fuzz_demand(line != NULL, "there is memory");
        memcpy(line, data, length);
        why_not = head_take(&head, line, length);
        demand_kept(&head);
        if (why_not == NULL) {
            fuzz_demand(memchr(line, '\0', length) == NULL, "no line has a NUL");
            fuzz_demand(memchr(line, '\r', length) == line + length - 2, "a CR ends a line");
            lengths += begins(line, length, "content-length:") ||
                       begins(line, length, "transfer-encoding:");
            statuses += head.part == HEAD_FIELDS && begins(line, length, "HTTP/1.");
        }
        fuzz_demand(lengths <= 1, "a reply has one length at most");
        fuzz_demand(statuses <= HEAD_INTERIM_MAX + 1, "interim replies come to an end");
        free(line);
        if (why_not != NULL)
            return 0;
        data += length;
        size -= length;
    }
    return 0;
}
