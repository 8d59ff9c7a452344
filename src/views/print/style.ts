/** How the tool's own reports are set: width, colour, signs, wrapping, lists of names and values. */

import { styleText } from 'node:util';

/** What a piece of text means; the colour follows from that. */
export type Tone = 'title' | 'bad' | 'warn' | 'good' | 'dim' | 'plain';

export interface StyleOptions {
  /** Columns of the terminal; kept between 80 and 160: the tables need 80. Default 100. */
  width?: number | undefined;
  color?: boolean | undefined;
  /** Only ASCII characters: for consoles that are not UTF-8. */
  ascii?: boolean | undefined;
}

export interface Style {
  readonly width: number;
  readonly bullet: string;
  readonly ellipsis: string;
  readonly line: string;
  readonly dot: string;
  readonly ascii: boolean;
  paint(tone: Tone, text: string): string;
}

const COLOURS = {
  title: ['bold'],
  bad: ['bold', 'red'],
  warn: ['yellow'],
  good: ['bold', 'green'],
  dim: ['dim'],
} as const satisfies Record<Exclude<Tone, 'plain'>, readonly Parameters<typeof styleText>[0][]>;

export function createStyle(options: StyleOptions): Style {
  const { width = 100, color = false, ascii = false } = options;
  return {
    width: Math.min(160, Math.max(80, Number.isFinite(width) ? Math.floor(width) : 100)),
    bullet: ascii ? '-' : '•',
    ellipsis: ascii ? '...' : '…',
    line: ascii ? '-' : '─',
    dot: ascii ? '|' : '·',
    ascii,
    // Whether the output is a terminal was decided by who set `color`.
    paint: (tone, text) =>
      !color || tone === 'plain' || text === '' ? text : styleText([...COLOURS[tone]], text, { validateStream: false }),
  };
}

/** Text with every character outside ASCII as `?`. */
export function asciiOnly(text: string): string {
  return text.replace(/[^\x00-\x7f]/gu, '?');
}

/** Parts set in lines of at most `width` columns; `first` begins the first line, `rest` the others. No part is broken. */
export function flow(parts: readonly string[], between: string, width: number, first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const part of parts) {
    if (!empty && line.length + between.length + part.length > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? part : between + part;
    empty = false;
  }
  lines.push(line);
  return lines;
}

/** Words set in lines, see `flow`. Runs of blanks become one. */
export function wrap(text: string, width: number, first = '', rest = first): string[] {
  const words = text.split(' ').filter((word) => word !== '');
  return flow(words, ' ', width, first, rest);
}

/** Text cut to `width` columns, with an ellipsis where it was cut. */
export function fit(text: string, width: number, style: Style): string {
  if (text.length <= width) return text;
  const { ellipsis } = style;
  return (text.slice(0, Math.max(0, width - ellipsis.length)).trimEnd() + ellipsis).toWellFormed();
}

/** Names and values in two columns, values wrapped under themselves. */
export function pairs(rows: readonly (readonly [string, string])[], style: Style, indent = '  '): string[] {
  const nameWidth = Math.max(...rows.map(([name]) => name.length), 0) + 3;
  return rows.flatMap(([name, value]) =>
    wrap(value, style.width, `${indent}${name.padEnd(nameWidth)}`, indent + ' '.repeat(nameWidth)),
  );
}

/** A list with a sign before every point, continued lines under the first word. */
export function bullets(points: readonly string[], style: Style, sign = style.bullet, indent = '  '): string[] {
  const first = `${indent}${sign} `;
  return points.flatMap((point) => wrap(point, style.width, first, ' '.repeat(first.length)));
}

/** A section's title. */
export function heading(text: string, style: Style): string {
  return style.paint('title', text);
}
