/* SPDX-License-Identifier: Apache-2.0 */
#include "model/interval.h"

#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY };

const struct interval_info interval_table[INTERVAL_COUNT] = {
    /* name, in SQL, REST path, WebSocket type, child, length */
    [INTERVAL_1S] = {"1s", "1s", "seconds", "candle.1s", INTERVAL_1S, SECOND},
    [INTERVAL_1M] = {"1m", "1m", "minutes/1", "candle.1m", INTERVAL_1S, MINUTE},
    [INTERVAL_3M] = {"3m", "3m", "minutes/3", "candle.3m", INTERVAL_1M, 3 * MINUTE},
    [INTERVAL_5M] = {"5m", "5m", "minutes/5", "candle.5m", INTERVAL_1M, 5 * MINUTE},
    [INTERVAL_10M] = {"10m", "10m", "minutes/10", "candle.10m", INTERVAL_5M, 10 * MINUTE},
    [INTERVAL_15M] = {"15m", "15m", "minutes/15", "candle.15m", INTERVAL_5M, 15 * MINUTE},
    [INTERVAL_30M] = {"30m", "30m", "minutes/30", "candle.30m", INTERVAL_15M, 30 * MINUTE},
    [INTERVAL_1H] = {"1h", "1h", "minutes/60", "candle.60m", INTERVAL_30M, HOUR},
    [INTERVAL_4H] = {"4h", "4h", "minutes/240", "candle.240m", INTERVAL_1H, 4 * HOUR},
    [INTERVAL_1D] = {"1d", "1d", "days", NULL, INTERVAL_4H, DAY},
    [INTERVAL_1W] = {"1w", "1w", "weeks", NULL, INTERVAL_1D, WEEK},
    [INTERVAL_1MO] = {"1M", "1mo", "months", NULL, INTERVAL_1D, 0},
};

const enum interval interval_parents[INTERVAL_COUNT][INTERVAL_PARENTS_MAX + 1] = {
    [INTERVAL_1S] = {INTERVAL_1M},
    [INTERVAL_1M] = {INTERVAL_3M, INTERVAL_5M},
    [INTERVAL_5M] = {INTERVAL_10M, INTERVAL_15M},
    [INTERVAL_15M] = {INTERVAL_30M},
    [INTERVAL_30M] = {INTERVAL_1H},
    [INTERVAL_1H] = {INTERVAL_4H},
    [INTERVAL_4H] = {INTERVAL_1D},
    [INTERVAL_1D] = {INTERVAL_1W, INTERVAL_1MO},
};

enum err interval_parse(const char *text, size_t len, enum interval *out)
{
    for (int i = 0; i < INTERVAL_COUNT; i++)
        if (strlen(interval_table[i].name) == len &&
            memcmp(interval_table[i].name, text, len) == 0) {
            *out = (enum interval)i;
            return OK;
        }
    return ERR_INVALID;
}

const char *interval_name(enum interval i)
{
    return interval_table[i].name;
}

static int64_t floor_to(int64_t ms, int64_t length)
{
    int64_t rest = ms % length;
    return ms - rest - (rest < 0 ? length : 0);
}

/* 1970-01-01 was a Thursday: the first Monday came four days later. */
static int64_t week_start(int64_t ms)
{
    const int64_t monday = 4 * (int64_t)DAY;
    return floor_to(ms - monday, WEEK) + monday;
}

struct date {
    int year, month, day; /* 1-based month and day */
};

/* Days since 1970 to the proleptic Gregorian calendar and back (years from March, 400-year eras).
 */
static struct date date_of_days(int64_t days)
{
    days += 719468; /* 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int in_era = (int)(days - era * 146097);
    int year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* 0 = March */
    struct date d = {
        .year = (int)(year_of_era + era * 400) + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = day_of_year - (153 * month + 2) / 5 + 1,
    };
    return d;
}

static int64_t days_of_date(struct date d)
{
    int64_t year = d.year - (d.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int64_t month_start(int64_t ms)
{
    struct date d = date_of_days(floor_to(ms, DAY) / DAY);
    d.day = 1;
    return days_of_date(d) * DAY;
}

static int64_t next_month(int64_t ms)
{
    struct date d = date_of_days(floor_to(ms, DAY) / DAY);
    d.day = 1;
    if (++d.month > 12) {
        d.month = 1;
        d.year++;
    }
    return days_of_date(d) * DAY;
}

int64_t interval_start(enum interval i, int64_t ms)
{
    if (i == INTERVAL_1W)
        return week_start(ms);
    if (i == INTERVAL_1MO)
        return month_start(ms);
    return floor_to(ms, interval_table[i].length_ms);
}

int64_t interval_end(enum interval i, int64_t start_ms)
{
    return i == INTERVAL_1MO ? next_month(start_ms) : start_ms + interval_table[i].length_ms;
}

int64_t interval_prev(enum interval i, int64_t start_ms)
{
    return interval_start(i, start_ms - 1);
}

static char *put(char *out, int value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

size_t time_write(int64_t ms, int64_t offset_ms, char *out)
{
    ms += offset_ms;
    int64_t day_ms = floor_to(ms, DAY);
    struct date d = date_of_days(day_ms / DAY);
    int seconds = (int)((ms - day_ms) / SECOND);
    char *at = put(out, d.year, 4);
    *at++ = '-';
    at = put(at, d.month, 2);
    *at++ = '-';
    at = put(at, d.day, 2);
    *at++ = 'T';
    at = put(at, seconds / 3600, 2);
    *at++ = ':';
    at = put(at, seconds / 60 % 60, 2);
    *at++ = ':';
    at = put(at, seconds % 60, 2);
    *at = '\0';
    return (size_t)(at - out);
}

size_t time_write_ms(int64_t ms, char *out)
{
    char *at = out + time_write(ms, 0, out);
    *at++ = '.';
    at = put(at, (int)(ms - floor_to(ms, SECOND)), 3);
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - out);
}

/* A place in the text to parse; once ok is false it stays so. */
struct cursor {
    const char *at, *end;
    bool ok;
};

static int take_number(struct cursor *c, int width)
{
    int value = 0;
    if (c->end - c->at < width)
        c->ok = false;
    for (int i = 0; c->ok && i < width; i++, c->at++) {
        c->ok = *c->at >= '0' && *c->at <= '9';
        value = value * 10 + (*c->at - '0');
    }
    return value;
}

static void take_char(struct cursor *c, char this, char or_this)
{
    c->ok = c->ok && c->at < c->end && (*c->at == this || *c->at == or_this);
    c->at += c->ok;
}

/* ".123456" as 123; nothing as 0. */
static int take_fraction_ms(struct cursor *c)
{
    if (!c->ok || c->at == c->end || *c->at != '.')
        return 0;
    c->at++;
    int ms = 0, count = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, count++)
        if (count < 3)
            ms = ms * 10 + (*c->at - '0');
    c->ok = count > 0;
    for (; count < 3; count++)
        ms *= 10;
    return ms;
}

static bool sees(const struct cursor *c, char wanted)
{
    return c->ok && c->at < c->end && *c->at == wanted;
}

/* Minutes east of UTC; -1440 … 1440 where legal, beyond where out of range. */
static int take_offset(struct cursor *c)
{
    if (!c->ok || c->at == c->end)
        return 0;
    char sign = *c->at++;
    if (sign == 'Z')
        return 0;
    c->ok = sign == '+' || sign == '-';
    int hours = take_number(c, 2);
    if (sees(c, ':'))
        c->at++;
    int minutes = c->ok && c->at == c->end && c->at[-1] != ':' ? 0 : take_number(c, 2);
    if (minutes > 59 || hours > 23)
        return 24 * 60 + 1;
    return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static struct date take_date(struct cursor *c)
{
    struct date d = {.year = take_number(c, 4)};
    take_char(c, '-', '-');
    d.month = take_number(c, 2);
    take_char(c, '-', '-');
    d.day = take_number(c, 2);
    return d;
}

static bool date_exists(struct date d)
{
    return d.year >= 1970 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
           d.day <= days_in_month(d.year, d.month);
}

/* The time of day in ms, -1 where out of range; minutes may end it, and its offset follows. */
static int64_t take_clock(struct cursor *c)
{
    int second = 0, fraction = 0;
    take_char(c, 'T', ' ');
    int hour = take_number(c, 2);
    take_char(c, ':', ':');
    int minute = take_number(c, 2);
    if (sees(c, ':')) {
        c->at++;
        second = take_number(c, 2);
        fraction = take_fraction_ms(c);
    }
    if (hour > 23 || minute > 59 || second > 59)
        return -1;
    return (int64_t)hour * HOUR + minute * MINUTE + second * SECOND + fraction;
}

enum err time_parse(const char *text, size_t len, int64_t *out_ms)
{
    struct cursor c = {.at = text, .end = text + len, .ok = true};
    struct date d = take_date(&c);
    bool day_alone = c.ok && c.at == c.end;
    int64_t clock = day_alone ? 0 : take_clock(&c);
    int offset = take_offset(&c);
    if (!c.ok || c.at != c.end)
        return ERR_INVALID;
    if (!date_exists(d) || clock < 0 || offset > 24 * 60)
        return ERR_RANGE;
    int64_t ms = days_of_date(d) * DAY + clock - (int64_t)offset * MINUTE;
    const int64_t year_10000 = 253402300800000;
    if (ms < 0 || ms >= year_10000)
        return ERR_RANGE;
    *out_ms = ms;
    return OK;
}
