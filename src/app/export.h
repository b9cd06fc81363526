/* SPDX-License-Identifier: Apache-2.0 */
/* app/export: `stofka export`: stored candles to standard output. */
#ifndef STOFKA_APP_EXPORT_H
#define STOFKA_APP_EXPORT_H

int export_main(int argc, char **argv);
int export_help(void);

#endif
