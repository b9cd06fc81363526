/* SPDX-License-Identifier: Apache-2.0 */
/* serve/reader_batch: one batch for all readers that stand in the same place (serve/reader.h); for
 * reader*.c alone. */
#ifndef STOFKA_SERVE_READER_BATCH_H
#define STOFKA_SERVE_READER_BATCH_H

#include "serve/reader.h"

/* Before it is collected: whom else it will fit. */
void serve_batch_note(struct serve_batch *b, const struct serve_reader *r);
/* It is what this reader lacks, no more and no less. */
bool serve_batch_fits(const struct serve_batch *b, const struct serve_reader *r);
/* One more reader takes it: from now on its bytes stand in one block. */
void serve_batch_join(struct serve_batch *b);

#endif
