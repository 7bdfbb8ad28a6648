/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Runs a fuzz target over the files of a corpus, as an ordinary test and without libFuzzer:
 * replay DIRECTORY */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

enum { PATH_SIZE = 4096, INPUT_SIZE_MAX = 1024 * 1024 };

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* False: PATH can't be read. */
static bool replay(const char *path)
{
    uint8_t *data = malloc(INPUT_SIZE_MAX);
    FILE *file = fopen(path, "rbe");
    bool was_read = data != NULL && file != NULL;

    if (was_read) {
        size_t size = fread(data, 1, INPUT_SIZE_MAX, file);
        uint8_t *exact = malloc(size > 0 ? size : 1); /* a sanitizer watches its end */
        was_read = ferror(file) == 0 && exact != NULL;
        if (was_read) {
            memcpy(exact, data, size);
            LLVMFuzzerTestOneInput(exact, size);
        }
        free(exact);
    }
    if (file != NULL)
        fclose(file);
    free(data);
    return was_read;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_file, alphasort) : -1;
    int failed = 0;

    if (count <= 0) {
        printf("Bail out! no corpus: %s\n",
               argc == 2 ? strerror(errno) : "usage: replay DIRECTORY");
        return EXIT_FAILURE;
    }

    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        bool was_read;

        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        fflush(stdout);
        was_read = replay(path);
        printf("%sok %d - %s\n", was_read ? "" : "not ", i + 1, entries[i]->d_name);
        failed += !was_read;
        free(entries[i]);
    }
    free(entries);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
