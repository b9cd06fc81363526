// SPDX-License-Identifier: Apache-2.0
// Choices that outlive the tab. Where storage is forbidden they last as long as it.

export function keptText(name: string): string | null {
  try {
    return localStorage.getItem(`stofka.${name}`);
  } catch {
    return null;
  }
}

export function keep(name: string, text: string): void {
  try {
    localStorage.setItem(`stofka.${name}`, text);
  } catch {
    // forbidden or full
  }
}

/** The kept choice, if it is still one of those there are. */
export function kept<T extends string>(name: string, choices: readonly T[]): T | undefined {
  const text = keptText(name);
  return choices.find((choice) => choice === text);
}
