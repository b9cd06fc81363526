/* SPDX-License-Identifier: Apache-2.0 */
/* app/run: `stofka run`, the embedded process: every room in one. Returns the exit code. */
#ifndef STOFKA_APP_RUN_H
#define STOFKA_APP_RUN_H

int run_main(int argc, char **argv);
/* `stofka replay DIR`: the same process, fed by a recording instead of an exchange. */
int replay_main(int argc, char **argv);
void run_register_metrics(void); /* every metric of the process, for docs/metrics.md */

#endif
