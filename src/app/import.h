/* SPDX-License-Identifier: Apache-2.0 */
/* app/import: `stofka import`: candles of files into the store. */
#ifndef STOFKA_APP_IMPORT_H
#define STOFKA_APP_IMPORT_H

int import_main(int argc, char **argv);
int import_help(void);

#endif
