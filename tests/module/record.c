/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What happened during the logins, in order: calls, messages, log lines, delays. */
#undef _FORTIFY_SOURCE /* its headers define syslog() inline */
#include "record.h"

#include <dlfcn.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PAM_RETURN_VALUES = _PAM_RETURN_VALUES };

/* The functions that are captured have no parameter to hand it over: it has to be global. */
static struct record {
    pthread_mutex_t lock;
    struct list {
        char *text;
        size_t size;
        FILE *out;
    } calls, messages, log, fail_delays, delays;
    bool only_codes;
    unsigned codes[PAM_RETURN_VALUES];
} record = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const codes[] = {
    [PAM_SUCCESS] = "PAM_SUCCESS",
    [PAM_OPEN_ERR] = "PAM_OPEN_ERR",
    [PAM_SYMBOL_ERR] = "PAM_SYMBOL_ERR",
    [PAM_SERVICE_ERR] = "PAM_SERVICE_ERR",
    [PAM_SYSTEM_ERR] = "PAM_SYSTEM_ERR",
    [PAM_BUF_ERR] = "PAM_BUF_ERR",
    [PAM_PERM_DENIED] = "PAM_PERM_DENIED",
    [PAM_AUTH_ERR] = "PAM_AUTH_ERR",
    [PAM_CRED_INSUFFICIENT] = "PAM_CRED_INSUFFICIENT",
    [PAM_AUTHINFO_UNAVAIL] = "PAM_AUTHINFO_UNAVAIL",
    [PAM_USER_UNKNOWN] = "PAM_USER_UNKNOWN",
    [PAM_MAXTRIES] = "PAM_MAXTRIES",
    [PAM_NEW_AUTHTOK_REQD] = "PAM_NEW_AUTHTOK_REQD",
    [PAM_ACCT_EXPIRED] = "PAM_ACCT_EXPIRED",
    [PAM_CONV_ERR] = "PAM_CONV_ERR",
    [PAM_AUTHTOK_ERR] = "PAM_AUTHTOK_ERR",
    [PAM_IGNORE] = "PAM_IGNORE",
    [PAM_ABORT] = "PAM_ABORT",
    [PAM_MODULE_UNKNOWN] = "PAM_MODULE_UNKNOWN",
    [PAM_CONV_AGAIN] = "PAM_CONV_AGAIN",
    [PAM_INCOMPLETE] = "PAM_INCOMPLETE",
};

static const char *const styles[] = {
    [PAM_PROMPT_ECHO_OFF] = "secret",
    [PAM_PROMPT_ECHO_ON] = "visible",
    [PAM_ERROR_MSG] = "error",
    [PAM_TEXT_INFO] = "info",
};

static const char *const levels[] = { "EMERG",   "ALERT",  "CRIT", "ERR",
                                      "WARNING", "NOTICE", "INFO", "DEBUG" };

static const char *name_of(const char *const *names, size_t count, int number)
{
    if (number < 0 || (size_t)number >= count || names[number] == NULL)
        return "?";
    return names[number];
}

#define NAME_OF(names, number) name_of(names, sizeof names / sizeof *names, number)

void record_print_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte >= 0x20 && byte < 0x7f)
            fputc(byte, out);
        else
            fprintf(out, "\\u%04x", byte);
    }
    fputc('"', out);
}

/* The lock is held until end(). */
static FILE *begin(struct list *list)
{
    pthread_mutex_lock(&record.lock);
    if (record.only_codes)
        rewind(list->out);
    if (ftell(list->out) > 0)
        fputs(", ", list->out);
    return list->out;
}

static void end(void)
{
    pthread_mutex_unlock(&record.lock);
}

static void open_list(struct list *list)
{
    list->out = open_memstream(&list->text, &list->size);
    if (list->out == NULL)
        abort();
}

static void print_list(FILE *out, const char *name, struct list *list)
{
    fclose(list->out);
    fprintf(out, "\"%s\": [%s]", name, list->text);
    free(list->text);
    *list = (struct list){ 0 };
}

static void print_codes(FILE *out)
{
    const char *separator = "";

    fputs("\"codes\": {", out);
    for (int code = 0; code < PAM_RETURN_VALUES; code++) {
        if (record.codes[code] == 0)
            continue;
        fprintf(out, "%s\"%s\": %u", separator, NAME_OF(codes, code), record.codes[code]);
        separator = ", ";
    }
    fputc('}', out);
}

void record_open(void)
{
    open_list(&record.calls);
    open_list(&record.messages);
    open_list(&record.log);
    open_list(&record.fail_delays);
    open_list(&record.delays);
}

void record_print(FILE *out)
{
    print_list(out, "calls", &record.calls);
    fputs(", ", out);
    print_list(out, "messages", &record.messages);
    fputs(", ", out);
    print_list(out, "log", &record.log);
    fputs(", ", out);
    print_list(out, "fail_delays", &record.fail_delays);
    fputs(", ", out);
    print_list(out, "delays", &record.delays);
    fputs(", ", out);
    print_codes(out);
}

void record_only_codes(void)
{
    record.only_codes = true;
}

void record_call(const char *call, const char *user, int code, long elapsed_ms)
{
    FILE *out = begin(&record.calls);

    fprintf(out, "{\"call\": \"%s\", \"code\": \"%s\", \"ms\": %ld, \"user\": ", call,
            NAME_OF(codes, code), elapsed_ms);
    record_print_string(out, user != NULL ? user : "");
    fputc('}', out);
    if (code >= 0 && code < PAM_RETURN_VALUES)
        record.codes[code]++;
    end();
}

void record_message(int style, const char *text)
{
    FILE *out = begin(&record.messages);

    fprintf(out, "{\"style\": \"%s\", \"text\": ", NAME_OF(styles, style));
    record_print_string(out, text);
    fputc('}', out);
    end();
}

void record_delay(unsigned microseconds)
{
    fprintf(begin(&record.delays), "%u", microseconds);
    end();
}

static void __attribute__((format(printf, 2, 0)))
record_log(int priority, const char *format, va_list values)
{
    char *text = NULL;
    FILE *out;

    if (vasprintf(&text, format, values) < 0)
        abort();
    out = begin(&record.log);
    fprintf(out, "{\"level\": \"%s\", \"facility\": %d, \"text\": ", NAME_OF(levels, priority & 7),
            priority >> 3);
    record_print_string(out, text);
    fputc('}', out);
    end();
    free(text);
}

/* All the names under which a library may call it, whether it was built with _FORTIFY_SOURCE or
 * not. */
void syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vsyslog(int priority, const char *format, va_list values)
    __attribute__((format(printf, 2, 0)));
void __syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void __vsyslog_chk(int priority, int flag, const char *format, va_list values)
    __attribute__((format(printf, 3, 0)));

void syslog(int priority, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    record_log(priority, format, values);
    va_end(values);
}

void vsyslog(int priority, const char *format, va_list values)
{
    record_log(priority, format, values);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list values;

    (void)flag;
    va_start(values, format);
    record_log(priority, format, values);
    va_end(values);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list values)
{
    (void)flag;
    record_log(priority, format, values);
}

/* libpam spreads the delay at random before it tells the application: note the wish itself. */
int pam_fail_delay(pam_handle_t *pamh, unsigned microseconds)
{
    int (*real)(pam_handle_t *, unsigned) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "pam_fail_delay");
    if (real == NULL)
        abort();
    fprintf(begin(&record.fail_delays), "%u", microseconds);
    end();
    return real(pamh, microseconds);
}
