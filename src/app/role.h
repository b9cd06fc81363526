/* SPDX-License-Identifier: Apache-2.0 */
/* app/role: the parts of a cluster as subcommands; each ends on SIGINT or SIGTERM with code 0. */
#ifndef STOFKA_APP_ROLE_H
#define STOFKA_APP_ROLE_H

/* Hears the exchange and puts what it says on Kafka's topics. */
int role_collect_main(int argc, char **argv);
int role_collect_help(void);

/* Reads its share of the partitions, writes PostgreSQL and Redis, owns ledger and backfill. */
int role_store_main(int argc, char **argv);
int role_store_help(void);
/* Reads every partition, answers and pushes; follows what the stores commit. */
int role_serve_main(int argc, char **argv);
int role_serve_help(void);

#endif
