/* SPDX-License-Identifier: Apache-2.0 */
/* app/tool_backfill: `stofka backfill`: history of a span from the exchange's REST. */
#ifndef STOFKA_APP_TOOL_BACKFILL_H
#define STOFKA_APP_TOOL_BACKFILL_H

int backfill_main(int argc, char **argv);
int backfill_help(void);

#endif
