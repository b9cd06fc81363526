// SPDX-License-Identifier: Apache-2.0

// A string, or a number standing free in the text. Strings come first so that digits inside them
// are never touched.
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON.parse that keeps every number as its own text: 0.00001230 stays "0.00001230". */
export function parseExact(text: string): unknown {
  const quoted = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"${token}"`));
  return JSON.parse(quoted);
}
