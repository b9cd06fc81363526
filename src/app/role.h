/* SPDX-License-Identifier: Apache-2.0 */
/* app/role: the parts of a cluster as subcommands; each ends on SIGINT or SIGTERM with code 0. */
#ifndef STOFKA_APP_ROLE_H
#define STOFKA_APP_ROLE_H

/* Hears the exchange and puts what it says on Kafka's topics. */
int role_collect_main(int argc, char **argv);
int role_collect_help(void);

#endif
