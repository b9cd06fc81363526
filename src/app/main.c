/* SPDX-License-Identifier: Apache-2.0 */
/* stofka: picks the subcommand. Exit codes: 0 done, 1 failed, 2 wrong usage or set-up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/export.h"
#include "app/health.h"
#include "app/import.h"
#include "app/role.h"
#include "app/rollup.h"
#include "app/run.h"
#include "app/settings.h"
#include "app/tool_backfill.h"
#include "app/verify.h"
#include "base/mem.h"
#include "base/metric.h"

enum { EXIT_USAGE = 2 };

static int config_main(int argc, char **argv);
static int metrics_main(int argc, char **argv);
static int help_main(int argc, char **argv);
static int run_help(void);
static int rollup_help(void);
static int replay_help(void);
static int version_main(int argc, char **argv);

static const struct command {
    const char *name, *help;
    int (*main)(int argc, char **argv);
    int (*flags)(void); /* help on its flags */
} commands[] = {
    {"run", "hears the exchange, keeps and serves it: all in one process", run_main, run_help},
    {"collect", "hears the exchange and puts it on Kafka's topics: a part of a cluster",
     role_collect_main, role_collect_help},
    {"store", "commits what the collectors put on Kafka to PostgreSQL", role_store_main,
     role_store_help},
    {"serve", "answers and pushes, beside other replicas, from Kafka and PostgreSQL",
     role_serve_main, role_serve_help},
    {"import", "puts candles of files into the store", import_main, import_help},
    {"export", "writes stored candles as CSV or JSON lines", export_main, export_help},
    {"backfill", "fetches history of a span from the exchange", backfill_main, backfill_help},
    {"replay", "plays a recording of run --record to the whole system", replay_main, replay_help},
    {"verify", "compares stored candles with the exchange's own, and repairs them", verify_main,
     verify_help},
    {"rollup", "rolls candles from standard input up into coarser ones", rollup_main, rollup_help},
    {"health", "asks a running process how it is (for containers' checks)", health_main,
     health_help},
    {"config", "shows each setting: value, where from, meaning (--markdown: reference page)",
     config_main, run_help},
    {"metrics", "lists the metrics (--markdown: reference page)", metrics_main, NULL},
    {"help", "help COMMAND: its flags", help_main, NULL},
    {"--help", NULL, help_main, NULL},
    {"-h", NULL, help_main, NULL},
    {"--version", NULL, version_main, NULL},
    {"version", "prints the version", version_main, NULL},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void usage(FILE *to)
{
    fputs("usage: stofka COMMAND [FLAGS]\n\n", to);
    for (size_t k = 0; k < COMMAND_COUNT; k++)
        if (commands[k].help)
            fprintf(to, "  %-9s %s\n", commands[k].name, commands[k].help);
    fputs("\nExit codes: 0 done, 1 failed, 2 wrong usage or set-up.\n", to);
}

/* Standard output may be closed or full: that is a failure, too. */
static int print(struct buf *out)
{
    bool written = fwrite(out->data, 1, out->len, stdout) == out->len && fflush(stdout) == 0;
    buf_free(out);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool wants_markdown(int *argc, char ***argv)
{
    if (*argc == 0 || strcmp((*argv)[0], "--markdown") != 0)
        return false;
    ++*argv;
    --*argc;
    return true;
}

static int config_main(int argc, char **argv)
{
    struct settings settings;
    struct config *config = NULL;
    struct buf out = {0};
    if (wants_markdown(&argc, &argv)) {
        config_markdown(settings_rows, &out);
        return print(&out);
    }
    if (config_load(settings_rows, argc, argv, &settings, &config, &out) != OK) {
        fprintf(stderr, "stofka config: %s\n", out.data);
        buf_free(&out);
        return EXIT_USAGE;
    }
    config_show(config, &out);
    config_free(&config);
    return print(&out);
}

static int metrics_main(int argc, char **argv)
{
    struct buf out = {0};
    run_register_metrics();
    if (wants_markdown(&argc, &argv))
        metric_markdown(&out);
    else
        metric_text(&out);
    return print(&out);
}

static int run_help(void)
{
    struct buf out = {0};
    buf_str(&out, "usage: stofka run [FLAGS]\n\nHears the exchange, rolls every second up into all "
                  "intervals, keeps them in one file and serves the page and the API.\n\n");
    config_usage(settings_rows, &out);
    return print(&out);
}

static int replay_help(void)
{
    struct buf out = {0};
    buf_str(&out,
            "usage: stofka replay DIR --data EMPTY [--speed 60] [--stay] [FLAGS]\n\nPlays what "
            "`stofka run --record DIR` kept to the whole system: candles, page and API, as "
            "source replay, at the pace at which it was heard or --speed times that. Ends "
            "when all is played, or with --stay at Ctrl-C. Flags as of run:\n\n");
    config_usage(settings_rows, &out);
    return print(&out);
}

static int rollup_help(void)
{
    static char help_flag[] = "--help";
    char *help[] = {help_flag, NULL};
    return rollup_main(1, help);
}

static int help_main(int argc, char **argv)
{
    if (argc == 0) {
        usage(stdout);
        return EXIT_SUCCESS;
    }
    for (size_t k = 0; k < COMMAND_COUNT; k++)
        if (commands[k].flags && strcmp(commands[k].name, argv[0]) == 0)
            return commands[k].flags();
    fprintf(stderr, "stofka help: no help on \"%s\"\n", argv[0]);
    return EXIT_USAGE;
}

static int version_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("stofka " STOFKA_VERSION);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    mem_return_when_freed();
    bool asks_help = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (asks_help)
        return help_main(1, argv + 1);
    for (size_t k = 0; k < COMMAND_COUNT; k++)
        if (strcmp(commands[k].name, name) == 0)
            return commands[k].main(argc - 2, argv + 2);
    if (name[0])
        fprintf(stderr, "stofka: no command \"%s\"\n\n", name);
    usage(stderr);
    return EXIT_USAGE;
}
