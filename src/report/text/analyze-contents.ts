/** Lines of a suspect that tell what stands in its blocks, and who was charged for them. */

import { printable } from '../../../parsers/text-safety.js';
import type { Suspect } from '../../result/result.js';
import { counted, humanBytes, percent, ratio, thousands } from '../../views/print/format.js';
import { bullets, wrap, type Style } from '../../views/print/style.js';

const MOST_SIZES = 3;
const MOST_POINTERS = 5;
const MOST_STRINGS = 3;
const MOST_PROCESSES = 5;

/** What stands in the blocks: sizes, pointers, texts, what they are. Nothing where none was looked at. */
export function contentLines({ contents }: Suspect, style: Style): string[] {
  if (!contents) return [];
  const { sampled } = contents;
  const of = (count: number | string, all = sampled): string =>
    `${thousands(count)} of ${thousands(all)} (${percent(ratio(count, all))})`;
  const sizes = contents.sizes
    .slice(0, MOST_SIZES)
    .map(({ bytes, count }) => `${thousands(bytes)} bytes (${counted(count, 'block')})`);
  const points = [
    ...(sizes.length === 0 ? [] : [`commonest sizes with header, of all blocks met: ${sizes.join(', ')}`]),
    ...contents.kinds.map(
      ({ kind, count, looked, detail }) =>
        `${printable(kind)}${detail === null ? '' : ` ${printable(detail)}`}: ${of(count, looked)}`,
    ),
    ...contents.pointers
      .slice(0, MOST_POINTERS)
      .map(
        ({ offset, module, moduleOffset, symbol, count }) =>
          `offset 0x${offset.toString(16)}: ${printable(module)}+${moduleOffset}${symbol === null ? '' : ` (${printable(symbol)})`}: ${of(count)}`,
      ),
    ...contents.strings
      .slice(0, MOST_STRINGS)
      .flatMap(({ text, count }) => (text === null ? [] : [`text "${printable(text)}": ${of(count)}`])),
  ];
  const title = `  In its blocks: the content of ${counted(sampled, 'block')} was looked at`;
  return points.length === 0
    ? [`${title}, nothing in common`]
    : [title, ...bullets(points, style, style.bullet, '    ')];
}

/** Who was charged. The blocks that were met, not all of the tag. */
export function billedLines({ billed }: Suspect, style: Style): string[] {
  if (!billed || billed.length === 0) return [];
  const points = billed
    .slice(0, MOST_PROCESSES)
    .map(
      ({ image, pid, bytes, blocks }) =>
        `${printable(image)} (${pid}): ${humanBytes(bytes)} in ${counted(blocks, 'block')}`,
    );
  const more = billed.length - points.length;
  return [
    ...wrap('Charged for the blocks that were looked at (quota)', style.width, '  ', '    '),
    ...bullets(points, style, style.bullet, '    '),
    ...(more > 0 ? [`    and ${counted(more, 'more process', 'more processes')}: with --json`] : []),
  ];
}
