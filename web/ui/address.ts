// SPDX-License-Identifier: Apache-2.0
// What is looked at lives in the page's address, so that a link carries it.

export function address(): URLSearchParams {
  return new URLSearchParams(typeof location === 'undefined' ? '' : location.search);
}

/** Changes the address in place: going back leads out of the page, not through every look at it. */
export function changeAddress(change: (parameters: URLSearchParams) => void): void {
  if (typeof history === 'undefined') return;
  const parameters = address();
  change(parameters);
  history.replaceState(null, '', `?${parameters.toString()}`);
}

/** Charts beside the first have their number behind a parameter's name: "code2". */
export function slotName(name: string, slot: number): string {
  return slot === 0 ? name : `${name}${String(slot + 1)}`;
}
