/* SPDX-License-Identifier: Apache-2.0 */
/* options: the command line. Complains on stderr itself; text lives as long as argv. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "sim.h"

/* -1: go on; otherwise the exit code to leave with (0 after --help, 2 after bad usage). */
int options_read(int argc, char **argv, struct options *o, struct faults *f);

#endif
