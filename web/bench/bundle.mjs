// SPDX-License-Identifier: Apache-2.0
// How much a browser has to fetch before it shows anything. `node bench/bundle.mjs` says so and fails
// when it is over what the page may weigh.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

export const MOST_KB = 180;

/** All html, js and css of the production build, each file compressed on its own, in KB. */
export async function bundleKb() {
  const folder = new URL('../dist/', import.meta.url);
  const files = await readdir(folder, { recursive: true });
  const sizes = files
    .filter((name) => /\.(html|js|css)$/.test(name))
    .map(async (name) => {
      const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
      return brotliCompressSync(await readFile(new URL(name, folder)), { params }).length;
    });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) / 1024;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const size = await bundleKb();
  console.log(`html, js and css with brotli: ${size.toFixed(1)} KB, at most ${MOST_KB}`);
  process.exitCode = size <= MOST_KB ? 0 : 1;
}
