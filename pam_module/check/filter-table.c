/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* filter-table ARCHITECTURE little|big: prints the filter of filter.h for ARCHITECTURE, a name of
 * libseccomp's, and its byte order. It runs where the check program is built, and prints by name
 * what the compiler for ARCHITECTURE has to put in. */
#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter-rules.h"

#define COUNT(array) (sizeof array / sizeof *array)

enum { INSTRUCTIONS_MAX = 4096, CALLS_MAX = 8192, ARGUMENTS = 3, VALUES_MAX = 64, SMALL = 12 };

/* What is built for. */
struct target {
    const char *name;
    uint32_t architecture;
    bool is_big;
};

struct table {
    struct sock_filter instructions[INSTRUCTIONS_MAX];
    size_t count;
};

static const char *const names[] = { FILTER_NAMES };

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "filter-table: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* RESULT is of a function of libseccomp's. */
static void check(int result, const char *what)
{
    if (result < 0)
        fail(what, strerror(-result));
}

/* Libseccomp's rules */

static bool has_socketcall(const struct target *target)
{
    return seccomp_syscall_resolve_name_arch(target->architecture, "socketcall") >= 0;
}

/* Where libc makes sockets by socketcall(2), whose arguments lie in memory. */
static bool needs_socketcall(const struct target *target)
{
    return strcmp(target->name, "s390x") == 0 || strcmp(target->name, "x86") == 0;
}

/* Whether TARGET has CALL. What is a part of socketcall(2) has a negative number there. */
static bool has(const struct target *target, const char *call)
{
    int number = seccomp_syscall_resolve_name_arch(target->architecture, call);

    if (number == __NR_SCMP_ERROR)
        fail(call, "libseccomp does not know this system call: use a newer libseccomp");
    if (number <= __PNR_socket && number >= __PNR_sendmmsg)
        return has_socketcall(target);
    return number >= 0;
}

static void add_rule(scmp_filter_ctx filter, const struct target *target,
                     const struct filter_rule *rule)
{
    char *calls = strdup(rule->calls), *rest = calls;

    for (const char *call; (call = strsep(&rest, " ")) != NULL;)
        if (filter_rule_counts(rule, call, target->name) && has(target, call))
            check(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(call),
                                         rule->count, rule->arguments),
                  call);
    free(calls);
}

static void add_rules(scmp_filter_ctx filter, const struct target *target)
{
    for (const struct filter_rule *rule = filter_rules; rule->calls != NULL; rule++)
        add_rule(filter, target, rule);
    /* libseccomp allows by socketcall(2) what is allowed above, but whatever the arguments. */
    if (has_socketcall(target) && !needs_socketcall(target))
        check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
                               seccomp_syscall_resolve_name("socketcall"), 0),
              "socketcall");
}

/* Without the architecture of this machine, which libseccomp puts into every filter. As a tree: the
 * kernel tries every call when it takes a filter, and a list costs it twice the time. */
static scmp_filter_ctx build(const struct target *target)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

    if (filter == NULL)
        fail("seccomp_init", "out of memory");
    check(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), "seccomp_arch_remove");
    check(seccomp_arch_add(filter, target->architecture), "seccomp_arch_add");
    check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "BADARCH");
    check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "OPTIMIZE");
    add_rules(filter, target);
    return filter;
}

/* Its program */

static uint32_t decode(const unsigned char *bytes, size_t size, bool is_big)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[is_big ? i : size - 1 - i];
    return value;
}

static bool is_action(uint32_t value)
{
    return value == SCMP_ACT_ALLOW || value == SCMP_ACT_KILL_PROCESS ||
           value == SCMP_ACT_ERRNO(ENOSYS) || value == SCMP_ACT_ERRNO(EPERM);
}

/* seccomp_export_bpf(3) writes in the byte order of the filter's architecture. libseccomp 2.5
 * forgets it for some actions. */
static void read_table(scmp_filter_ctx filter, bool is_big, struct table *table)
{
    unsigned char bytes[8];
    FILE *file = tmpfile();

    if (file == NULL)
        fail("tmpfile", strerror(errno));
    check(seccomp_export_bpf(filter, fileno(file)), "seccomp_export_bpf");
    rewind(file);
    while (fread(bytes, sizeof bytes, 1, file) == 1 && table->count < INSTRUCTIONS_MAX) {
        struct sock_filter instruction = {
            .code = (uint16_t)decode(bytes, 2, is_big),
            .jt = bytes[2],
            .jf = bytes[3],
            .k = decode(bytes + 4, 4, is_big),
        };
        if (instruction.code == (BPF_RET | BPF_K) && !is_action(instruction.k))
            instruction.k = __builtin_bswap32(instruction.k);
        table->instructions[table->count++] = instruction;
    }
    if (ferror(file))
        fail("seccomp_export_bpf", strerror(errno));
    fclose(file);
}

/* The proof: libseccomp 2.5 gets some combinations of rules wrong. */

struct call {
    uint32_t architecture, number;
    uint64_t arguments[ARGUMENTS];
};

/* The 32 bits of struct seccomp_data at OFFSET. */
static uint32_t load(const struct target *target, const struct call *call, uint32_t offset)
{
    uint32_t place = (offset - 16) / 8;
    bool is_high = (offset % 8 != 0) != target->is_big;

    if (offset == 0)
        return call->number;
    if (offset == 4)
        return call->architecture;
    if (offset < 16 || offset % 4 != 0 || place >= ARGUMENTS)
        fail(target->name, "libseccomp's filter reads what no rule is about");
    return (uint32_t)(call->arguments[place] >> (is_high ? 32 : 0));
}

/* The action for CALL. */
static uint32_t run(const struct target *target, const struct table *table, const struct call *call)
{
    uint32_t value = 0;

    for (size_t at = 0; at < table->count; at++) {
        const struct sock_filter *step = &table->instructions[at];
        switch (step->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            value = load(target, call, step->k);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            value &= step->k;
            break;
        case BPF_JMP | BPF_JA:
            at += step->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += value == step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            at += value > step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += value >= step->k ? step->jt : step->jf;
            break;
        case BPF_RET | BPF_K:
            return step->k;
        default:
            fail(target->name, "libseccomp's filter has an unknown instruction");
        }
    }
    fail(target->name, "libseccomp's filter has no end");
}

static bool fits(const struct filter_rule *rule, const struct call *call)
{
    for (unsigned i = 0; i < rule->count; i++) {
        const struct scmp_arg_cmp *wanted = &rule->arguments[i];
        if ((call->arguments[wanted->arg] & wanted->datum_a) != wanted->datum_b)
            return false;
    }
    return true;
}

/* The action for CALL, the one called NAME, by the rules. */
static uint32_t judge(const struct target *target, const char *name, const struct call *call)
{
    if (call->architecture != target->architecture)
        return SCMP_ACT_KILL_PROCESS;
    if (strcmp(name, "socketcall") == 0)
        return SCMP_ACT_ERRNO(EPERM);
    for (const struct filter_rule *rule = filter_rules; rule->calls != NULL; rule++)
        if (filter_rule_counts(rule, name, target->name) && fits(rule, call))
            return SCMP_ACT_ALLOW;
    return SCMP_ACT_ERRNO(ENOSYS);
}

static void prove(const struct target *target, const struct table *table, const char *name,
                  const struct call *call)
{
    if (run(target, table, call) != judge(target, name, call))
        fail(name, "libseccomp's filter does not do what the rules say: use another libseccomp");
}

/* What the arguments are tried with. */
struct values {
    uint64_t of[ARGUMENTS][VALUES_MAX];
    size_t count[ARGUMENTS];
};

static void add_value(struct values *values, unsigned argument, uint64_t value)
{
    for (size_t i = 0; i < values->count[argument]; i++)
        if (values->of[argument][i] == value)
            return;
    if (values->count[argument] == VALUES_MAX)
        fail("the rules", "too many values: raise VALUES_MAX");
    values->of[argument][values->count[argument]++] = value;
}

/* Small numbers, which most values are, and what the rules compare with; all with an upper half
 * too, which must not matter. */
static void gather_values(struct values *values)
{
    const uint64_t upper = UINT64_C(0xdeadbeef) << 32;

    for (unsigned argument = 0; argument < ARGUMENTS; argument++)
        for (uint64_t value = 0; value < SMALL; value++)
            add_value(values, argument, value % 2 != 0 ? upper | value : value);
    for (const struct filter_rule *rule = filter_rules; rule->calls != NULL; rule++)
        for (unsigned i = 0; i < rule->count; i++) {
            add_value(values, rule->arguments[i].arg, rule->arguments[i].datum_b);
            add_value(values, rule->arguments[i].arg, upper | rule->arguments[i].datum_b);
        }
}

static void prove_arguments(const struct target *target, const struct table *table,
                            const struct values *values, const char *name, struct call *call)
{
    for (size_t i = 0; i < values->count[0]; i++)
        for (size_t j = 0; j < values->count[1]; j++)
            for (size_t k = 0; k < values->count[2]; k++) {
                call->arguments[0] = values->of[0][i];
                call->arguments[1] = values->of[1][j];
                call->arguments[2] = values->of[2][k];
                prove(target, table, name, call);
            }
}

static bool has_arguments(const char *name)
{
    for (const struct filter_rule *rule = filter_rules; rule->calls != NULL; rule++)
        if (rule->count > 0 && filter_rule_has(rule, name))
            return true;
    return false;
}

/* The name of the call NUMBER; the caller frees. Where the numbers of an architecture begin at 4000
 * and the like, libseccomp takes them without that too. */
static char *name_of(const struct target *target, int number)
{
    int first = seccomp_syscall_resolve_name_arch(target->architecture, "read") / 1000 * 1000;
    char *name =
        number >= first ? seccomp_syscall_resolve_num_arch(target->architecture, number) : NULL;

    return name != NULL ? name : strdup("");
}

/* Of every call with some arguments; of one whose arguments matter with all. */
static void prove_all(const struct target *target, const struct table *table)
{
    static struct values values;

    gather_values(&values);
    for (int number = 0; number < CALLS_MAX; number++) {
        struct call call = { .number = (uint32_t)number };
        char *name = name_of(target, number);
        prove(target, table, name, &call);
        call.architecture = target->architecture;
        if (strcmp(name, "socketcall") != 0 || !needs_socketcall(target))
            prove(target, table, name, &call);
        if (has_arguments(name))
            prove_arguments(target, table, &values, name, &call);
        free(name);
    }
}

/* For the compiler */

static const char *action_name(uint32_t action)
{
    if (action == SCMP_ACT_ALLOW)
        return "SECCOMP_RET_ALLOW";
    if (action == SCMP_ACT_KILL_PROCESS)
        return "SECCOMP_RET_KILL_PROCESS";
    return action == SCMP_ACT_ERRNO(EPERM) ? "SECCOMP_RET_ERRNO | EPERM"
                                           : "SECCOMP_RET_ERRNO | ENOSYS";
}

static void print(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct sock_filter *step = &table->instructions[i];
        printf("{ 0x%02x, %u, %u, ", step->code, step->jt, step->jf);
        if (step->code == (BPF_RET | BPF_K))
            printf("%s", action_name(step->k));
        else if (step->k - FILTER_NAME < COUNT(names))
            printf("%s", names[step->k - FILTER_NAME]);
        else
            printf("0x%08x", step->k);
        puts(" },");
    }
    if (fflush(stdout) != 0)
        fail("standard output", strerror(errno));
}

int main(int argc, char **argv)
{
    static struct table table;
    struct target target;
    scmp_filter_ctx filter;

    if (argc != 3)
        fail("usage", "filter-table ARCHITECTURE little|big");
    target = (struct target){
        .name = argv[1],
        .architecture = seccomp_arch_resolve_name(argv[1]),
        .is_big = strcmp(argv[2], "big") == 0,
    };
    if (target.architecture == 0)
        fail(target.name, "libseccomp does not know this architecture: use a newer libseccomp");
    filter = build(&target);
    read_table(filter, target.is_big, &table);
    seccomp_release(filter);
    prove_all(&target, &table);
    print(&table);
    return EXIT_SUCCESS;
}
