/* SPDX-License-Identifier: Apache-2.0 */
/* app/rollup: the tool `stofka rollup` (DESIGN section 6). Standard input to standard output. */
#ifndef STOFKA_APP_ROLLUP_H
#define STOFKA_APP_ROLLUP_H

/* argv: the arguments after "rollup". Returns the exit code: 0, 1 (data), 2 (usage). */
int rollup_main(int argc, char **argv);

#endif
