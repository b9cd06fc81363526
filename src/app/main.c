/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "app/rollup.h"

static const char usage[] = "usage: stofka COMMAND [FLAGS]\n"
                            "\n"
                            "  rollup     rolls candles up into coarser ones\n"
                            "\n"
                            "  --version  prints the version\n"
                            "  --help     prints this\n";

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "rollup") == 0)
        return rollup_main(argc - 2, argv + 2);
    if (strcmp(command, "--version") == 0) {
        puts("stofka " STOFKA_VERSION);
        return 0;
    }
    bool help = strcmp(command, "--help") == 0 || strcmp(command, "help") == 0;
    fputs(usage, help ? stdout : stderr);
    return help ? 0 : 2;
}
