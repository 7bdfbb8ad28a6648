/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Rows under columns. */
#include "listing.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

enum { TEXT_SIZE = 1024 };

/* The rows are kept as the JSON that they may become. */
struct listing {
    const char *const *columns;
    size_t aligned;
    json_object *rows;
    bool is_json, is_short;
};

struct listing *listing_start(const char *const *columns, size_t aligned, bool is_json)
{
    struct listing *listing = calloc(1, sizeof *listing);

    if (listing == NULL)
        return NULL;
    *listing = (struct listing){ columns, aligned, json_object_new_array(), is_json, false };
    if (listing->rows != NULL)
        return listing;
    free(listing);
    return NULL;
}

static bool add_text(json_object *row, const char *column, const char *text)
{
    char clean[TEXT_SIZE];
    json_object *value;

    terminal_clean(text, clean, sizeof clean);
    value = json_object_new_string(clean);
    if (value != NULL && json_object_object_add(row, column, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

void listing_add(struct listing *listing, const char *const *texts)
{
    json_object *row = json_object_new_object();
    bool is_whole = row != NULL;

    for (size_t i = 0; is_whole && listing->columns[i] != NULL; i++)
        if (texts[i] != NULL)
            is_whole = add_text(row, listing->columns[i], texts[i]);
    if (is_whole && json_object_array_add(listing->rows, row) == 0)
        return;
    json_object_put(row);
    listing->is_short = true;
}

/* NULL: it is empty. */
static const char *get_text(const struct listing *listing, size_t row, size_t column)
{
    json_object *value = NULL;

    json_object_object_get_ex(json_object_array_get_idx(listing->rows, row),
                              listing->columns[column], &value);
    return json_object_get_string(value);
}

static size_t find_width(const struct listing *listing, size_t column)
{
    size_t rows = json_object_array_length(listing->rows);
    size_t width = 0;

    for (size_t row = 0; row < rows; row++) {
        const char *text = get_text(listing, row, column);
        if (text != NULL && strlen(text) > width)
            width = strlen(text);
    }
    return width;
}

static void print_row(const struct listing *listing, size_t row, const size_t *widths)
{
    for (size_t column = 0; listing->columns[column] != NULL; column++) {
        const char *text = get_text(listing, row, column);
        if (column >= listing->aligned && text != NULL)
            printf("  %s: %s", listing->columns[column], text);
        if (column < listing->aligned)
            printf("%s%-*s", column > 0 ? "  " : "",
                   column + 1 < listing->aligned ? (int)widths[column] : 0,
                   text != NULL ? text : "-");
    }
    putchar('\n');
}

static void print_rows(const struct listing *listing)
{
    size_t rows = json_object_array_length(listing->rows);
    size_t widths[LISTING_COLUMNS_MAX] = { 0 };

    for (size_t column = 0; column < listing->aligned; column++)
        widths[column] = find_width(listing, column);
    for (size_t row = 0; row < rows; row++)
        print_row(listing, row, widths);
}

bool listing_print(const struct listing *listing)
{
    if (listing->is_json)
        puts(json_object_to_json_string_ext(listing->rows, JSON_C_TO_STRING_PRETTY |
                                                               JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        print_rows(listing);
    return !listing->is_short;
}

static void print_record(const struct listing *listing)
{
    int width = 0;

    for (size_t column = 0; listing->columns[column] != NULL; column++)
        if ((int)strlen(listing->columns[column]) > width)
            width = (int)strlen(listing->columns[column]);
    for (size_t column = 0; listing->columns[column] != NULL; column++) {
        const char *text = get_text(listing, 0, column);
        printf("%-*s  %s\n", width, listing->columns[column], text != NULL ? text : "-");
    }
}

bool listing_print_record(const struct listing *listing)
{
    if (listing->is_short)
        return false;
    if (listing->is_json)
        puts(json_object_to_json_string_ext(json_object_array_get_idx(listing->rows, 0),
                                            JSON_C_TO_STRING_PRETTY |
                                                JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        print_record(listing);
    return true;
}

void listing_free(struct listing *listing)
{
    if (listing == NULL)
        return;
    json_object_put(listing->rows);
    free(listing);
}
