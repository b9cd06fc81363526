// SPDX-License-Identifier: Apache-2.0
// Writes each dashboard to dashboards/NAME.json, or below the folder that is named.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './board';
import * as infra from './infra';
import * as stofka from './stofka';

const folder = process.argv[2] ?? 'dashboards';
mkdirSync(folder, { recursive: true });
for (const [name, board] of Object.entries({ ...stofka, ...infra })) {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(build(board), null, 1) + '\n');
}
