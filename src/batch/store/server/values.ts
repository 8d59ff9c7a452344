/** Values of the server as PGlite gives them, so that both engines answer alike. */

import type { types } from 'pg';

/** By the numbers of their types. */
const INT8 = 20;
const DATE = 1082;
const TIMESTAMP = 1114;

type Parser = (text: string) => unknown;

/** The parser of a type's text; all others are those of `pg`. */
export function parserOf(own: typeof types) {
  const others = own.getTypeParser as (type: number, format?: string) => Parser;
  return (type: number, format: 'text' | 'binary' = 'text'): Parser => {
    if (format === 'text') {
      if (type === INT8) return integer;
      if (type === DATE) return (text) => dateOf(text, 'T00:00:00Z');
      if (type === TIMESTAMP) return (text) => dateOf(text.replace(' ', 'T'), 'Z');
    }
    return others(type, format);
  };
}

const integer: Parser = (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text));

/** Days and times without a zone are of UTC; what no Date can be (`infinity`) stays text. */
function dateOf(text: string, zone: string): Date | string {
  const date = new Date(`${text}${zone}`);
  return Number.isNaN(date.getTime()) ? text : date;
}
