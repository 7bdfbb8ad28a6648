/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of text, with any owner: others' configuration, which is read and never obeyed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { TEXT_FILE_SIZE_MAX = 1024 * 1024 };

/* Reads the regular file PATH whole; a symbolic link is followed, a FIFO does not block. The caller
 * frees *RET_TEXT. False with errno set: EISDIR is a directory, EINVAL no regular
 * file either, EFBIG more than TEXT_FILE_SIZE_MAX bytes, EILSEQ a NUL byte. */
bool text_file_read(const char *path, char **ret_text);

/* Reads DESCRIPTOR to its end in the same way, and leaves it open. */
bool text_file_read_descriptor(int descriptor, char **ret_text);

/* Frees *TEXT, which may be NULL, and makes it NULL. */
void text_file_free(char **text);

#define auto_text __attribute__((cleanup(text_file_free)))

/* Calls ACT with each line of each file that PATTERN (glob(7), and "{one,other}") stands for,
 * without the blanks before it; ACT may change the line. What can't be read is passed over. */
void text_file_each(const char *pattern, void (*act)(const char *path, char *line, void *context),
                    void *context);
