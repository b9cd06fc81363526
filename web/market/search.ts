// SPDX-License-Identifier: Apache-2.0
import { disassemble, getChoseong } from 'es-hangul';
import type { Market } from '../api/types';

interface Index {
  /** Code and names, small letters. */
  readonly plain: readonly string[];
  /** The Korean name letter by letter, so that a half-typed syllable finds it too. */
  readonly letters: string;
  readonly initials: string;
}

const INITIALS = /^[ㄱ-ㅎ]+$/;
const indexed = new WeakMap<Market, Index>();

const compact = (text: string) => text.toLowerCase().replace(/\s/g, '');

function indexOf(market: Market): Index {
  const held = indexed.get(market);
  if (held) return held;
  const korean = compact(market.korean);
  const made: Index = {
    plain: [compact(market.code), korean, compact(market.english)],
    letters: disassemble(korean),
    initials: compact(getChoseong(korean)),
  };
  indexed.set(market, made);
  return made;
}

/** By code, Korean or English name, initial consonants (ㅂㅌㅋㅇ), or a name still being typed. */
export function matches(market: Market, query: string): boolean {
  const wanted = compact(query);
  if (wanted === '') return true;
  const { plain, letters, initials } = indexOf(market);
  if (INITIALS.test(wanted)) return initials.includes(disassemble(wanted));
  return plain.some((name) => name.includes(wanted)) || letters.includes(disassemble(wanted));
}
