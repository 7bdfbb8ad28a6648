/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The two files of "setup". */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../../core/secret.h"
#include "../../core/text.h"
#include "../../core/trusted.h"
#include "../desk/data-file.h"
#include "../desk/lock.h"
#include "../desk/terminal.h"
#include "../enroll/directory.h"
#include "settings-text.h"

#define SAMPLE "twilio-verify.conf"
#define ZEROS  "00000000000000000000000000000000"

enum { FILE_SIZE_MAX = 64 * 1024, NAME_SIZE = 256, SECRET_SIZE = 300 };

/* The directory of the file PATH. */
static bool print_directory(const char *path, char directory[PATH_MAX], struct verdict *why_not)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    snprintf(directory, PATH_MAX, "%s", dirname(copy));
    return (*name != '\0' && strlen(name) < NAME_SIZE) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is not the path of a file", path);
}

/* Makes the directory where it is missing. The caller closes. */
static int open_directory(const char *path, struct verdict *why_not)
{
    return access(path, F_OK) == 0 ? trusted_open_directory(path, why_not)
                                   : directory_make(path, 0700, why_not);
}

static bool read_sample(struct setup *setup, struct verdict *why_not)
{
    char path[PATH_MAX];

    data_file_find(SAMPLE, path);
    setup->is_new = true;
    return trusted_read_file(AT_FDCWD, path, path, TRUSTED_READERS_ANY, FILE_SIZE_MAX, &setup->text,
                             why_not) == TRUSTED_READ;
}

static bool is_directory_roots(const char *path, struct verdict *why_not)
{
    char name[PATH_MAX];
    auto_close directory = -1;

    if (!print_directory(path, name, why_not))
        return false;
    directory = trusted_open_directory(name, why_not);
    return directory >= 0;
}

/* The lock is beside the settings, where nobody else can write. */
static bool print_lock(const struct setup *setup, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s.lock", setup->call->settings_path) < PATH_MAX;
}

static bool lock(struct setup *setup, struct verdict *why_not)
{
    char path[PATH_MAX];

    errno = ENAMETOOLONG;
    setup->lock = print_lock(setup, path) ? lock_take(AT_FDCWD, path) : -1;
    return setup->lock >= 0 ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path,
                          errno == EWOULDBLOCK ? "another setup runs now; try again later"
                                               : strerror(errno));
}

void store_close(const struct setup *setup)
{
    char path[PATH_MAX];

    if (setup->lock >= 0 && print_lock(setup, path))
        lock_end(AT_FDCWD, path, setup->lock);
}

bool store_open(struct setup *setup, struct verdict *why_not)
{
    const char *path = setup->call->settings_path;

    if (!is_directory_roots(path, why_not) || !lock(setup, why_not))
        return false;
    switch (trusted_read_file(AT_FDCWD, path, path, TRUSTED_READERS_ANY, FILE_SIZE_MAX,
                              &setup->text, why_not)) {
    case TRUSTED_READ:
        return true;
    case TRUSTED_ABSENT:
        return read_sample(setup, why_not);
    case TRUSTED_REFUSED:
        break;
    }
    return false;
}

/* Replaces *TEXT by one in which service.NAME is VALUE, or PREFIX and zeros where VALUE is "". */
static bool set(char **text, const char *name, const char *prefix, const char *value)
{
    char zeros[SETUP_SID_SIZE];
    char *changed;

    snprintf(zeros, sizeof zeros, "%s" ZEROS, prefix);
    changed = settings_text_set(*text, "service", name, *value != '\0' ? value : zeros);
    free(*text);
    *text = changed;
    return changed != NULL;
}

/* TEXT with everything in it. NULL: out of memory. */
static char *print_text(const struct setup *setup, const char *api_key_file)
{
    char present[PATH_MAX];
    bool has_key =
        *setup->api_key_sid != '\0' || setup->is_new ||
        settings_text_get(setup->text, "service", "api_key_sid", present, sizeof present);
    char *text = strdup(setup->text);

    if (text != NULL && set(&text, "account_sid", "AC", setup->account_sid) &&
        set(&text, "service_sid", "VA", setup->service_sid) &&
        (!has_key || set(&text, "api_key_sid", "SK", setup->api_key_sid)) &&
        (api_key_file == NULL || set(&text, "api_key_file", "", api_key_file)))
        return text;
    free(text);
    return NULL;
}

bool store_parse(const struct setup *setup, const char *api_key_file,
                 struct settings **ret_settings, char **ret_text, struct verdict *why_not)
{
    char *text = print_text(setup, api_key_file);
    bool is_parsed;

    if (text == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "out of memory");
    is_parsed = settings_parse(text, setup->call->settings_path, ret_settings, why_not);
    if (is_parsed && ret_text != NULL)
        *ret_text = text;
    else
        free(text);
    return is_parsed;
}

static bool write_file(const char *path, const char *text, mode_t mode, struct verdict *why_not)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char parent[PATH_MAX], temporary[NAME_SIZE + sizeof ".new"];
    auto_close directory =
        print_directory(path, parent, why_not) ? open_directory(parent, why_not) : -1;

    if (directory < 0)
        return false;
    snprintf(temporary, sizeof temporary, "%s.new", name);
    return directory_put(directory, name, directory, temporary, text, mode) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot write %s: %s", path,
                          strerror(errno));
}

/* Writes the file PATH, unless it is only to be shown, and says in one line what becomes of it, for
 * a person and for a program. */
static bool put(const struct setup *setup, const char *path, const char *text, mode_t mode,
                struct verdict *why_not)
{
    if (!setup->is_dry && !write_file(path, text, mode, why_not))
        return false;
    printf("%s: %s\n", path, setup->is_dry ? "would be written" : "written");
    return true;
}

static bool say_unchanged(const char *path)
{
    printf("%s: unchanged\n", path);
    return true;
}

static bool write_secret(const struct setup *setup, const char *path, struct verdict *why_not)
{
    auto_secret char *present = NULL;
    char line[SECRET_SIZE];
    bool is_put;

    if (secret_read_line(path, &present, why_not) && strcmp(present, setup->secret) == 0)
        return say_unchanged(path);
    snprintf(line, sizeof line, "%s\n", setup->secret);
    is_put = put(setup, path, line, 0600, why_not);
    explicit_bzero(line, sizeof line);
    return is_put;
}

static bool write_settings(const struct setup *setup, const char *text, struct verdict *why_not)
{
    const char *path = setup->call->settings_path;
    struct stat status = { .st_mode = 0640 };

    if (!setup->is_new && strcmp(text, setup->text) == 0)
        return say_unchanged(path);
    lstat(path, &status);
    return put(setup, path, text, status.st_mode & 0777, why_not);
}

static bool make_users(const struct setup *setup, struct verdict *why_not)
{
    auto_close directory = setup->is_dry ? -1 : open_directory(setup->settings->users_dir, why_not);

    return setup->is_dry || directory >= 0;
}

/* Whose secret logins use today: the key's, or the account's, whose auth token it is. False: the
 * settings do not tell. */
static bool read_user(const char *text, char user[SETUP_SID_SIZE])
{
    if (settings_text_get(text, "service", "api_key_sid", user, SETUP_SID_SIZE))
        return text_is_sid(user, "SK");
    return settings_text_get(text, "service", "account_sid", user, SETUP_SID_SIZE) &&
           text_is_sid(user, "AC");
}

/* Where the secret goes. Another secret is not overwritten: until the settings name the new key,
 * logins need it. NULL: to the file that the settings name. */
static const char *find_file(const struct setup *setup, char path[PATH_MAX])
{
    const char *present = setup->settings->api_key_file;
    const char *slash = strrchr(present, '/');
    const char *user = *setup->api_key_sid != '\0' ? setup->api_key_sid : setup->account_sid;
    char before[SETUP_SID_SIZE];

    if (setup->is_new || access(present, F_OK) != 0 || !read_user(setup->text, before) ||
        strcmp(before, user) == 0)
        return NULL;
    snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - present), present, user);
    terminal_say("%s holds the secret of %s: delete it when nothing uses it", present, before);
    return path;
}

bool store_write(const struct setup *setup, struct verdict *why_not)
{
    auto_settings *settings = NULL;
    char path[PATH_MAX];
    char *text = NULL;
    bool is_written = store_parse(setup, find_file(setup, path), &settings, &text, why_not) &&
                      settings != NULL && text != NULL &&
                      write_secret(setup, settings->api_key_file, why_not) &&
                      make_users(setup, why_not) && write_settings(setup, text, why_not);

    free(text);
    return is_written;
}
