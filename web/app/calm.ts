// SPDX-License-Identifier: Apache-2.0

/** How often a screen reader may be told the price. */
export const CALM_MS = 15_000;

/** What is said aloud: another subject at once, news of the same one only now and then. */
export class Calm {
  private said = '';
  private subject = '';
  private saidAt = -Infinity;

  say(subject: string, text: string, now: number): string {
    if (subject === this.subject && now - this.saidAt < CALM_MS) return this.said;
    if (text === this.said) return this.said;
    this.subject = subject;
    this.said = text;
    this.saidAt = now;
    return text;
  }
}
