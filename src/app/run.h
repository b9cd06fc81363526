/* SPDX-License-Identifier: Apache-2.0 */
/* app/run: `stofka run`, the embedded process: every room in one. Returns the exit code. */
#ifndef STOFKA_APP_RUN_H
#define STOFKA_APP_RUN_H

#include <uv.h>

int run_main(int argc, char **argv);
/* `stofka replay DIR`: the same process, fed by a recording instead of an exchange. */
int replay_main(int argc, char **argv);
void run_register_metrics(void); /* every metric of the process, for docs/metrics.md */

/* cb on the loop at each signal of this number; data: the handle's. */
void run_start_signal(uv_loop_t *loop, uv_signal_t *handle, int number, uv_signal_cb cb,
                      void *data);

#endif
