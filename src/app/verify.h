/* SPDX-License-Identifier: Apache-2.0 */
/* app/verify: `stofka verify`: a span of stored candles against the exchange's own, page by page,
 * through the running process or one of its own. Exit codes: 0 equal, 1 different, 2 trouble. */
#ifndef STOFKA_APP_VERIFY_H
#define STOFKA_APP_VERIFY_H

int verify_main(int argc, char **argv);
int verify_help(void);

#endif
