/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A scripted PAM application: logs in inside a world as hostile as asked for, and prints what
 * happened as one JSON object. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <seccomp.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process-state.h"
#include "record.h"

enum { LIST_MAX = 128, THREADS_MAX = 64, REPORT_DESCRIPTOR = 10, OWN_CHILD_STATUS = 7 };

struct list {
    char *items[LIST_MAX];
    size_t count;
};

struct options {
    const char *confdir; /* NULL: libpam's own directories */
    const char *service, *rhost, *tty, *ruser;
    const char *variable; /* of PAM's environment, with its value */
    const char *module;   /* called without libpam's stack, with ARGUMENTS */
    /* With several users each login, or thread, has the next one, who has the answer of his
     * place. */
    struct list users, answers;
    struct list arguments, calls, limits, closed, refused;
    const char *conversation; /* "answer", "fail", "none", "again", "null-array", "untouched" */
    unsigned fail_at;         /* the message at which it fails; 0: none */
    unsigned think_ms;
    bool silent;
    unsigned loop, threads;
    bool only_codes;
    const char *sigchld, *sigpipe;
    bool block_signals;
    unsigned alarm_every_ms;
    const char *cwd, *umask;
    bool own_child;
};

/* One login's side of the conversation. */
struct talk {
    const struct options *options;
    const char *user;
    unsigned messages;
    size_t answer, end; /* of options->answers: the next, and the one that is no more ours */
};

typedef int (*pam_entry)(pam_handle_t *pamh, int flags, int argc, const char **argv);

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "pam-driver: %s: %s\n", what, why);
    exit(2);
}

static void add(struct list *list, char *item)
{
    if (list->count == LIST_MAX)
        give_up(item, "too many");
    list->items[list->count++] = item;
}

static bool is(const char *word, const char *other)
{
    return strcmp(word, other) == 0;
}

static long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void think(unsigned milliseconds)
{
    struct timespec left = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* The next answer of the script; NULL where the script says so, or has come to its end. */
static int answer_prompt(struct talk *talk, struct pam_response *response)
{
    const char *answer;

    think(talk->options->think_ms);
    if (talk->answer == talk->end)
        return PAM_CONV_ERR;
    answer = talk->options->answers.items[talk->answer++];
    if (answer != NULL)
        response->resp = strdup(answer);
    return PAM_SUCCESS;
}

static int answer_message(struct talk *talk, const struct pam_message *message,
                          struct pam_response *response)
{
    const struct options *options = talk->options;

    record_message(message->msg_style, message->msg);
    talk->messages++;
    if (is(options->conversation, "fail") || talk->messages == options->fail_at)
        return PAM_CONV_ERR;
    if (is(options->conversation, "again"))
        return PAM_CONV_AGAIN;
    if (message->msg_style == PAM_TEXT_INFO || message->msg_style == PAM_ERROR_MSG)
        return PAM_SUCCESS;
    return answer_prompt(talk, response);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    struct talk *talk = data;
    struct pam_response *filled;
    bool gives_array = true;

    if (is(talk->options->conversation, "null-array") ||
        is(talk->options->conversation, "untouched"))
        gives_array = false;
    if (!gives_array) {
        for (int i = 0; i < count; i++)
            record_message(messages[i]->msg_style, messages[i]->msg);
        if (is(talk->options->conversation, "null-array"))
            *responses = NULL;
        return PAM_SUCCESS;
    }

    filled = calloc((size_t)count, sizeof *filled);
    for (int i = 0; i < count; i++) {
        int code = answer_message(talk, messages[i], &filled[i]);
        if (code == PAM_SUCCESS)
            continue;
        for (int j = 0; j < count; j++)
            free(filled[j].resp);
        free(filled);
        return code;
    }
    *responses = filled;
    return PAM_SUCCESS;
}

static void note_delay(int code, unsigned microseconds, void *data)
{
    (void)code;
    (void)data;
    record_delay(microseconds);
}

static void set_limit(const char *assignment)
{
    static const struct {
        const char *name;
        __rlimit_resource_t resource;
    } names[] = {
        { "AS", RLIMIT_AS },       { "CORE", RLIMIT_CORE },   { "CPU", RLIMIT_CPU },
        { "DATA", RLIMIT_DATA },   { "FSIZE", RLIMIT_FSIZE }, { "NOFILE", RLIMIT_NOFILE },
        { "NPROC", RLIMIT_NPROC }, { "STACK", RLIMIT_STACK }, { "MEMLOCK", RLIMIT_MEMLOCK },
    };
    size_t length = strcspn(assignment, "=");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rlim_t value = assignment[length] == '=' ? strtoul(assignment + length + 1, NULL, 10) : 0;
        struct rlimit limit = { value, value };
        if (strlen(names[i].name) != length || strncmp(names[i].name, assignment, length) != 0)
            continue;
        if (setrlimit(names[i].resource, &limit) != 0)
            give_up(assignment, strerror(errno));
        return;
    }
    give_up(assignment, "unknown limit");
}

/* "NAME=ERRNO": as an old container engine refuses a system call. Of waitid(2), only for a pidfd;
 * "pidfd_open of another": for every process but this one. */
static void refuse_call(const char *assignment)
{
    static const char of_another[] = " of another";
    const char *error = strchr(assignment, '=');
    const struct scmp_arg_cmp pidfd = SCMP_A0(SCMP_CMP_EQ, P_PIDFD);
    const struct scmp_arg_cmp another = SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid());
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool is_of_another;
    char name[64] = "";
    char *end;

    if (filter == NULL || error == NULL || error - assignment >= (long)sizeof name)
        give_up(assignment, "not NAME=ERRNO");
    memcpy(name, assignment, (size_t)(error - assignment));
    is_of_another = (end = strstr(name, of_another)) != NULL;
    if (is_of_another)
        *end = '\0';
    if (seccomp_rule_add_array(
            filter, SCMP_ACT_ERRNO((uint32_t)atoi(error + 1)), seccomp_syscall_resolve_name(name),
            is_of_another || is(name, "waitid"), is_of_another ? &another : &pidfd) != 0 ||
        seccomp_load(filter) != 0)
        give_up(assignment, "can't be refused");
    seccomp_release(filter);
}

/* As libpam does it, without the stack around it that turns one code into another. */
static int call_module(const struct options *options, const char *symbol, pam_handle_t *pamh,
                       int flags)
{
    void *module = dlopen(options->module, RTLD_NOW | RTLD_LOCAL);
    pam_entry entry = NULL;
    int code;

    if (module == NULL)
        give_up(options->module, dlerror());
    *(void **)&entry = dlsym(module, symbol);
    if (entry == NULL)
        give_up(options->module, dlerror());
    code = entry(pamh, flags, (int)options->arguments.count,
                 (const char **)(void *)options->arguments.items);
    dlclose(module);
    return code;
}

static int call(const struct options *options, const char *name, const char *user,
                pam_handle_t *pamh)
{
    bool authenticates = is(name, "authenticate");
    int flags = options->silent ? PAM_SILENT : 0;
    long began_ms = clock_ms();
    int code;

    if (!authenticates)
        flags |= PAM_ESTABLISH_CRED;
    if (options->module != NULL)
        code = call_module(options, authenticates ? "pam_sm_authenticate" : "pam_sm_setcred", pamh,
                           flags);
    else
        code = authenticates ? pam_authenticate(pamh, flags) : pam_setcred(pamh, flags);
    record_call(name, user, code, clock_ms() - began_ms);
    return code;
}

static struct talk begin_talk(const struct options *options, unsigned number)
{
    struct talk talk = { .options = options, .end = options->answers.count };

    if (options->users.count > 0)
        talk.user = options->users.items[number % options->users.count];
    if (options->users.count > 1) {
        talk.answer = number % options->users.count;
        talk.end = talk.answer + 1;
    }
    return talk;
}

/* One login. The limits are set once libpam has found its modules; BEFORE and AFTER, unless NULL,
 * are taken where the module alone stands between them. */
static void login(const struct options *options, unsigned number, struct process_state *before,
                  struct process_state *after)
{
    struct talk talk = begin_talk(options, number);
    struct pam_conv conversation = { is(options->conversation, "none") ? NULL : converse, &talk };
    union {
        void (*function)(int, unsigned, void *);
        const void *item;
    } delay = { note_delay };
    pam_handle_t *pamh = NULL;
    int code =
        pam_start_confdir(options->service, talk.user, &conversation, options->confdir, &pamh);

    if (code != PAM_SUCCESS)
        give_up("pam_start_confdir", pam_strerror(NULL, code));
    pam_set_item(pamh, PAM_FAIL_DELAY, delay.item);
    if (options->rhost != NULL)
        pam_set_item(pamh, PAM_RHOST, options->rhost);
    if (options->tty != NULL)
        pam_set_item(pamh, PAM_TTY, options->tty);
    if (options->ruser != NULL)
        pam_set_item(pamh, PAM_RUSER, options->ruser);
    if (options->variable != NULL)
        pam_putenv(pamh, options->variable);

    if (before != NULL) {
        for (size_t i = 0; i < options->limits.count; i++)
            set_limit(options->limits.items[i]);
        process_state_take(before);
    }
    for (size_t i = 0; i < options->calls.count; i++)
        code = call(options, options->calls.items[i], talk.user, pamh);
    if (after != NULL)
        process_state_take(after);
    pam_end(pamh, code);
}

struct thread {
    pthread_t id;
    const struct options *options;
    unsigned number;
};

static void *login_in_thread(void *data)
{
    const struct thread *thread = data;

    login(thread->options, thread->number, NULL, NULL);
    return NULL;
}

static void login_in_threads(const struct options *options)
{
    struct thread threads[THREADS_MAX];

    for (unsigned i = 0; i < options->threads; i++) {
        threads[i].options = options;
        threads[i].number = i;
        if (pthread_create(&threads[i].id, NULL, login_in_thread, &threads[i]) != 0)
            give_up("--threads", "no thread");
    }
    for (unsigned i = 0; i < options->threads; i++)
        pthread_join(threads[i].id, NULL);
}

static void reap_all(int number)
{
    int saved = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void do_nothing(int number)
{
    (void)number;
}

static void set_signals(const struct options *options)
{
    struct sigaction reap = { .sa_handler = reap_all };
    struct sigaction forget = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
    struct sigaction interrupt = { .sa_handler = do_nothing }; /* without SA_RESTART */
    sigset_t all;

    signal(SIGPIPE, is(options->sigpipe, "ignore") ? SIG_IGN : SIG_DFL);
    signal(SIGCHLD, is(options->sigchld, "ignore") ? SIG_IGN : SIG_DFL);
    if (is(options->sigchld, "reap"))
        sigaction(SIGCHLD, &reap, NULL);
    if (is(options->sigchld, "no-wait"))
        sigaction(SIGCHLD, &forget, NULL);
    if (options->alarm_every_ms != 0) {
        struct timeval every = { 0, (suseconds_t)options->alarm_every_ms * 1000 };
        struct itimerval timer = { every, every };
        sigaction(SIGALRM, &interrupt, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
    }
    sigfillset(&all);
    if (options->block_signals)
        sigprocmask(SIG_BLOCK, &all, NULL);
}

static void set_world(const struct options *options)
{
    if (options->cwd != NULL && chdir(options->cwd) != 0)
        give_up(options->cwd, strerror(errno));
    if (options->umask != NULL)
        umask((mode_t)strtoul(options->umask, NULL, 8));
    set_signals(options);
    for (size_t i = 0; i < options->closed.count; i++)
        close(atoi(options->closed.items[i]));
    for (size_t i = 0; i < options->refused.count; i++)
        refuse_call(options->refused.items[i]);
}

/* A child of the host's own, which has ended and waits for the host. */
static pid_t start_own_child(void)
{
    siginfo_t child;
    pid_t pid = fork();

    if (pid == 0)
        _exit(OWN_CHILD_STATUS);
    waitid(P_PID, (id_t)pid, &child, WEXITED | WNOWAIT);
    return pid;
}

static int reap_own_child(pid_t pid)
{
    int status = 0;

    return waitpid(pid, &status, WNOHANG) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Returns the resident memory after the first login. */
static long login_in_turn(const struct options *options, struct process_state *before,
                          struct process_state *after)
{
    long rss_kib = 0;

    for (unsigned i = 0; i < options->loop; i++) {
        login(options, i, i == 0 ? before : NULL, i + 1 == options->loop ? after : NULL);
        if (i == 0)
            rss_kib = process_state_rss_kib();
    }
    return rss_kib;
}

static void run(const struct options *options, FILE *out)
{
    struct process_state before = { 0 }, after = { 0 };
    pid_t own_child = options->own_child ? start_own_child() : -1;
    long rss_kib = 0;

    record_open();
    if (options->only_codes)
        record_only_codes();
    set_world(options);
    if (options->threads > 0) {
        process_state_take(&before);
        login_in_threads(options);
        process_state_take(&after);
    } else {
        rss_kib = login_in_turn(options, &before, &after);
    }

    fprintf(out, "{\"rss_kib\": [%ld, %ld], ", rss_kib, process_state_rss_kib());
    record_print(out);
    fputs(", \"changes\": ", out);
    process_state_print_changes(out, &before, &after);
    if (own_child >= 0)
        fprintf(out, ", \"own_child\": %d", reap_own_child(own_child));
    fputs(", \"children\": \"", out);
    process_state_print_children(out);
    fputs("\"}\n", out);
    process_state_free(&before);
    process_state_free(&after);
}

#define AT(member) offsetof(struct options, member)

static const struct {
    const char *name;
    enum { TEXT, LIST, NONE, NUMBER, FLAG } kind; /* NONE: of a list, without an argument */
    size_t at;
    unsigned most;     /* a number */
    const char *words; /* that a text may be; NULL: any */
} known[] = {
    { "confdir", TEXT, AT(confdir) },
    { "service", TEXT, AT(service) },
    { "user", LIST, AT(users) },
    { "rhost", TEXT, AT(rhost) },
    { "tty", TEXT, AT(tty) },
    { "ruser", TEXT, AT(ruser) },
    { "variable", TEXT, AT(variable) },
    { "module", TEXT, AT(module) },
    { "argument", LIST, AT(arguments) },
    { "call", LIST, AT(calls), .words = "authenticate setcred" },
    { "answer", LIST, AT(answers) },
    { "answer-null", NONE, AT(answers) },
    { "conversation", TEXT, AT(conversation),
      .words = "answer fail none again null-array untouched" },
    { "fail-at", NUMBER, AT(fail_at), .most = 1000 },
    { "think-ms", NUMBER, AT(think_ms), .most = 600000 },
    { "silent", FLAG, AT(silent) },
    { "loop", NUMBER, AT(loop), .most = 100000 },
    { "threads", NUMBER, AT(threads), .most = THREADS_MAX },
    { "only-codes", FLAG, AT(only_codes) },
    { "sigchld", TEXT, AT(sigchld), .words = "ignore reap default no-wait" },
    { "sigpipe", TEXT, AT(sigpipe), .words = "ignore default" },
    { "block-signals", FLAG, AT(block_signals) },
    { "alarm-every", NUMBER, AT(alarm_every_ms), .most = 999 },
    { "close", LIST, AT(closed) },
    { "cwd", TEXT, AT(cwd) },
    { "umask", TEXT, AT(umask) },
    { "rlimit", LIST, AT(limits) },
    { "own-child", FLAG, AT(own_child) },
    { "refuse", LIST, AT(refused) },
};

enum { KNOWN = sizeof known / sizeof *known };

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*end != '\0' || value > most)
        give_up(text, "not such a number");
    return (unsigned)value;
}

static void one_of(const char *word, const char *words)
{
    size_t length = strlen(word);

    for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return;
    give_up(word, words);
}

static void take_option(struct options *options, int which, char *text)
{
    void *member = (char *)options + known[which].at;

    if (known[which].words != NULL)
        one_of(text, known[which].words);
    switch (known[which].kind) {
    case TEXT:
        *(const char **)member = text;
        return;
    case LIST:
    case NONE:
        add(member, text);
        return;
    case NUMBER:
        *(unsigned *)member = number(text, known[which].most);
        return;
    case FLAG:
        *(bool *)member = true;
    }
}

static void take_options(struct options *options, int argc, char **argv)
{
    struct option names[KNOWN + 1] = { { 0 } };
    int which, result;

    for (int i = 0; i < KNOWN; i++)
        names[i] =
            (struct option){ known[i].name,
                             known[i].kind == FLAG || known[i].kind == NONE ? no_argument
                                                                            : required_argument,
                             NULL, 0 };
    while ((result = getopt_long(argc, argv, "", names, &which)) == 0)
        take_option(options, which, optarg);
    if (result != -1)
        exit(2); /* getopt_long() has said why */
    if (optind != argc)
        give_up(argv[optind], "is no option");
}

int main(int argc, char **argv)
{
    struct options options = {
        .service = "login",
        .conversation = "answer",
        .loop = 1,
        .sigchld = "default",
        .sigpipe = "default",
    };
    char authenticate[] = "authenticate";
    FILE *out;

    take_options(&options, argc, argv);
    if (options.users.count > 1 && options.users.count != options.answers.count)
        give_up("--user", "several need as many answers");
    if (options.calls.count == 0)
        add(&options.calls, authenticate);

    /* The script may close our standard output. */
    out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, REPORT_DESCRIPTOR), "w");
    if (out == NULL)
        give_up("standard output", strerror(errno));
    run(&options, out);
    return fclose(out) == 0 ? 0 : 2;
}
