// SPDX-License-Identifier: Apache-2.0
// Writes api/wire.ts, the types of what goes over the wire, from docs/openapi.json.
// `--check` writes nothing and fails where the two differ.
import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const DESCRIPTION = new URL('../docs/openapi.json', import.meta.url);
const TYPES = new URL('api/wire.ts', import.meta.url);
const HEAD = `// SPDX-License-Identifier: Apache-2.0
// Made from docs/openapi.json by \`npm run types\`.
`;

const ast = await openapi(DESCRIPTION, { immutable: true });
const style = await resolveConfig(TYPES);
const wanted = await format(HEAD + astToString(ast), { ...style, parser: 'typescript' });

if (!process.argv.includes('--check')) await writeFile(TYPES, wanted);
else if ((await readFile(TYPES, 'utf8')) !== wanted) {
  throw new Error('web/api/wire.ts is not what docs/openapi.json says; run make docs');
}
