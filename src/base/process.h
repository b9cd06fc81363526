/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/process: what Prometheus' clients say of every process (CPU, memory, descriptors, start),
 * under the names that dashboards know. Linux' /proc; what can't be read stays 0. One thread.
 */
#ifndef STOFKA_BASE_PROCESS_H
#define STOFKA_BASE_PROCESS_H

void process_metrics_register(void);
void process_measure(void); /* reads them anew: some ten microseconds, more with many descriptors */

#endif
