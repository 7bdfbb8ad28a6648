/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Cuts lists into pages. */
#include "page.h"

#include "field.h"
#include "memory.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A token is `PA` and the SID that the page comes after, or `PB` and the one it comes before. */
struct page_request {
    size_t size;
    size_t number;
    const char *token; /* NULL: none */
};

struct page_items {
    const struct resource **items;
    size_t count;
};

static bool page_parse_number(const struct call *call, enum subject subject, const char *name,
                              size_t least, size_t most, size_t *ret_number, struct answer *answer)
{
    const char *text = form_next(&call->query, name, NULL);

    if (text == NULL)
        return true;
    if (text[0] == '\0' || strlen(text) > 7 || text[strspn(text, "0123456789")] != '\0')
        return call_refuse_malformed(call, subject, name, answer);

    size_t number = strtoul(text, NULL, 10);

    if (number < least || number > most)
        return call_refuse_malformed(call, subject, name, answer);

    *ret_number = number;
    return true;
}

static bool page_parse_request(const struct call *call, struct page_request *ret_request,
                               struct answer *answer)
{
    struct page_request request = { .size = 50,
                                    .token = form_next(&call->query, "PageToken", NULL) };

    if (!page_parse_number(call, SUBJECT_PAGE_SIZE, "PageSize", 1, 1000, &request.size, answer) ||
        !page_parse_number(call, SUBJECT_PARAMETER, "Page", 0, STORE_OBJECTS_MAX, &request.number,
                           answer))
        return false;

    *ret_request = request;
    return true;
}

/* All that are wanted, in the order of the list that the client sees. False: no memory. */
static bool page_collect(const struct call *call, const struct page *page,
                         const struct resource_list *list, struct page_items *ret_items)
{
    struct page_items all = { 0 };
    size_t capacity = 0;
    const struct resource *resource =
        page->is_reversed ? TAILQ_LAST(list, resource_list) : TAILQ_FIRST(list);

    while (resource != NULL) {
        if (page->is_wanted == NULL || page->is_wanted(call, resource)) {
            if (all.count == capacity) {
                capacity = capacity == 0 ? 64 : capacity * 2;
                void *larger = realloc(all.items, capacity * sizeof(*all.items));

                if (larger == NULL) {
                    free(all.items);
                    return false;
                }
                all.items = larger;
            }
            all.items[all.count++] = resource;
        }
        resource = page->is_reversed ? TAILQ_PREV(resource, resource_list, link)
                                     : TAILQ_NEXT(resource, link);
    }

    *ret_items = all;
    return true;
}

/* Where the page begins and ends among all items. False: the token names none of them. */
static bool page_find(const struct page_request *request, const struct page_items *all,
                      size_t *ret_begin, size_t *ret_end)
{
    size_t begin = request->number * request->size;
    size_t at = 0;

    if (request->token != NULL) {
        bool is_after = strncmp(request->token, "PA", 2) == 0;

        if (!is_after && strncmp(request->token, "PB", 2) != 0)
            return false;
        while (at < all->count && strcmp(all->items[at]->sid, request->token + 2) != 0)
            at++;
        if (at == all->count)
            return false;
        begin = is_after ? at + 1 : at < request->size ? 0 : at - request->size;
        if (!is_after) {
            *ret_begin = begin;
            *ret_end = at;
            return true;
        }
    }
    if (begin > all->count)
        begin = all->count;

    *ret_begin = begin;
    *ret_end = all->count - begin > request->size ? begin + request->size : all->count;
    return true;
}

/* SID NULL: an address without a token. */
static void page_add_url(struct json_object *meta, const char *name, const struct page *page,
                         size_t size, size_t number, const char *direction, const char *sid)
{
    field_add_url(meta, name, "%s?%sPageSize=%zu&Page=%zu%s%s%s", page->path, page->filter, size,
                  number, sid == NULL ? "" : "&PageToken=", sid == NULL ? "" : direction,
                  sid == NULL ? "" : sid);
}

static struct json_object *page_meta(const struct page *page, const struct page_request *request,
                                     const struct page_items *all, size_t begin, size_t end)
{
    struct json_object *meta = json_object_new_object();
    const char *token = request->token;

    field_add_integer(meta, "page", (int64_t)request->number);
    field_add_integer(meta, "page_size", (int64_t)request->size);
    page_add_url(meta, "first_page_url", page, request->size, 0, NULL, NULL);
    if (begin > 0 && begin < all->count)
        page_add_url(meta, "previous_page_url", page, request->size,
                     request->number > 0 ? request->number - 1 : 0, "PB", all->items[begin]->sid);
    else
        field_add_text(meta, "previous_page_url", NULL);
    page_add_url(meta, "url", page, request->size, request->number, "", token);
    if (end > begin && end < all->count)
        page_add_url(meta, "next_page_url", page, request->size, request->number + 1, "PA",
                     all->items[end - 1]->sid);
    else
        field_add_text(meta, "next_page_url", NULL);
    field_add_text(meta, "key", page->key);
    return meta;
}

bool page_give(const struct call *call, const struct page *page, const struct resource_list *list,
               struct answer *answer)
{
    struct page_request request = { 0 };
    struct page_items all = { 0 };
    size_t begin = 0, end = 0;

    if (!page_parse_request(call, &request, answer))
        return false;
    if (!page_collect(call, page, list, &all))
        return answer_refuse(answer, 20500);
    if (!page_find(&request, &all, &begin, &end)) {
        free(all.items);
        return call_refuse_malformed(call, SUBJECT_PAGE_TOKEN, "PageToken", answer);
    }

    struct json_object *body = json_object_new_object();
    struct json_object *array = json_object_new_array();

    for (size_t i = begin; i < end; i++)
        json_object_array_add(array, page->to_json(call, all.items[i]));
    json_object_object_add(body, page->key, array);
    json_object_object_add(body, "meta", page_meta(page, &request, &all, begin, end));
    free(all.items);
    return answer_give(answer, 200, body);
}
