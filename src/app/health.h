/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/health: `stofka health`: asks a running process how it is, so that a container without a
 * shell or curl can check itself. One thread; blocks up to its patience.
 */
#ifndef STOFKA_APP_HEALTH_H
#define STOFKA_APP_HEALTH_H

int health_main(int argc, char **argv); /* 0: yes, 1: no or not reached, 2: wrong usage */
int health_help(void);

#endif
