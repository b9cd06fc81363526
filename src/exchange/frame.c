/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/frame.h"

#include <string.h>

#include "model/json.h"

struct peek {
    char type[16];
    char code[CODE_MAX];
};

static void text_keep(const struct json *j, char *out, size_t size)
{
    if (j->text_len >= size || j->escaped)
        return;
    memcpy(out, j->text, j->text_len);
    out[j->text_len] = '\0';
}

/* The members of the outermost object (or of the one in a list) up to where the JSON breaks. */
static void peek_read(const char *json, size_t len, struct peek *out)
{
    struct json j;
    enum json_token t;
    bool type, code;

    *out = (struct peek){0};
    json_open(&j, json, len);
    t = json_next(&j);
    if (t == JSON_ARRAY)
        t = json_next(&j);
    if (t != JSON_OBJECT)
        return;
    while (json_next(&j) == JSON_NAME) {
        type = json_text_is(&j, "type") || json_text_is(&j, "ty");
        code = json_text_is(&j, "code") || json_text_is(&j, "cd");
        t = json_next(&j);
        if (type && t == JSON_STRING)
            text_keep(&j, out->type, sizeof(out->type));
        else if (code && t == JSON_STRING)
            text_keep(&j, out->code, sizeof(out->code));
        if (!json_skip(&j, t))
            return;
    }
}

static void bad_name(const char *json, size_t len, const struct exchange_markets *heard,
                     struct exchange_reading *out)
{
    struct peek p;

    peek_read(json, len, &p);
    if (exchange_markets_find(heard, p.code) == NULL)
        return;
    if (strcmp(p.type, "ticker") == 0)
        out->lost_ticker = true;
    else if (strcmp(p.type, "trade") != 0 && strncmp(p.type, "candle.", 7) != 0)
        return;
    memcpy(out->lost_code, p.code, sizeof(out->lost_code));
}

static enum exchange_verdict data_verdict(const struct upbit_frame *f,
                                          const struct exchange_markets *heard,
                                          const struct exchange_markets *before)
{
    const char *code = f->code;

    if (f->kind == UPBIT_CANDLE && f->interval != INTERVAL_1S)
        return VERDICT_OTHER;
    if (exchange_markets_find(heard, code) != NULL)
        return VERDICT_DATA;
    if (before != NULL && exchange_markets_find(before, code) != NULL)
        return VERDICT_OLD;
    /* A market never asked for: the bytes of its code are broken, or the exchange's order is. */
    return VERDICT_BAD;
}

void exchange_frame_read(const char *json, size_t len, const struct exchange_markets *heard,
                         const struct exchange_markets *before, struct exchange_reading *out)
{
    *out = (struct exchange_reading){.verdict = VERDICT_BAD, .why.field = "code"};
    if (upbit_frame_read(json, len, &out->frame, &out->why) != OK) {
        bad_name(json, len, heard, out);
        return;
    }
    switch (out->frame.kind) {
    case UPBIT_TICKER:
    case UPBIT_TRADE:
    case UPBIT_CANDLE:
        out->verdict = data_verdict(&out->frame, heard, before);
        break;
    case UPBIT_STATUS:
        out->verdict = VERDICT_UP;
        break;
    case UPBIT_ERROR:
        out->verdict = VERDICT_ERROR;
        break;
    case UPBIT_OTHER:
        out->verdict = VERDICT_OTHER;
        break;
    }
}
