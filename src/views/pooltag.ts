/** `!pooltag`: what the lists of tags say of one. */

import { printable } from '../../parsers/text-safety.js';
import type { ListedTag, TagLookup } from '../leak/tags/tag-lookup.js';
import type { Warning } from '../result/result.js';
import { typedTag } from '../result/tag.js';
import { counted } from './print/format.js';
import { asciiOnly, bullets, createStyle, heading, wrap, type Style, type StyleOptions } from './print/style.js';
import type { TagLists, View } from './view.js';
import { noTag, unquoted } from './words.js';

/** The report, ended by a line feed. */
export function renderTagLookup(
  found: TagLookup,
  warnings: readonly Warning[] = [],
  options: StyleOptions = {},
): string {
  const style = createStyle(options);
  const { lines, notes } = found;
  const group = found.hex === null;
  const text = [
    heading(`${group ? 'Tags' : 'Tag'} ${quoted(group ? found.tag.trimEnd() : found.tag)}`, style),
    ...facts(found),
    '',
    ...(lines.length === 0
      ? ['  No list of tags has it.']
      : group
        ? [`  ${counted(lines.length, 'line')} of the lists`, ...lines.flatMap((line) => lineText(line, style))]
        : answerLines(lines, style)),
    ...(notes.length === 0 ? [] : ['', ...bullets(notes.map(printable), style)]),
    ...(warnings.length === 0
      ? []
      : [
          '',
          ...bullets(
            warnings.map(({ message }) => printable(message)),
            style,
            '!',
          ),
        ]),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
  return `${style.ascii ? asciiOnly(text) : text}\n`;
}

/** By hand and not as wrapped words: the blanks of a tag are part of it. */
function facts({ hex, inSource, protected: isProtected }: TagLookup): string[] {
  const lines: string[] = [];
  if (hex !== null)
    lines.push(`  Number        ${hex}${isProtected ? ', given with the protected bit (0x80000000)' : ''}`);
  if (inSource !== null) lines.push(`  In C source   ${printable(inSource)}`);
  return lines;
}

function answerLines(lines: readonly ListedTag[], style: Style): string[] {
  const [first, ...others] = lines;
  if (!first) return [];
  const more =
    others.length === 0
      ? []
      : ['  Other lines that it falls under', ...others.flatMap((line) => lineText(line, style))];
  return ['  Listed', ...lineText(first, style), ...more];
}

function lineText({ tag, binary, description, file, tagSource }: ListedTag, style: Style): string[] {
  const parts = [binary ?? '<unknown>', ...(description === null ? [] : [description])].map(printable);
  const where = file === null ? 'built-in list' : `${tagSource}: ${printable(file)}`;
  return [
    ...wrap(parts.join(' - '), style.width, `    ${quoted(tag)} - `, '      '),
    `      ${style.paint('dim', where)}`,
  ];
}

/** In quotes where blanks belong to it. */
function quoted(tag: string): string {
  const safe = printable(tag);
  return /\s/.test(safe) ? `"${safe}"` : safe;
}

export const poolTag: View<string, TagLookup & { warnings: readonly Warning[] }, { readonly lists: TagLists }> = {
  command: '!pooltag',
  shell: 'pooltag TAG',
  words: ([word, ...more]) => {
    if (word === undefined || more.length > 0) return { error: '!pooltag wants one tag' };
    const tag = unquoted(word);
    return typedTag(tag) === null ? { error: noTag(tag) } : tag;
  },
  read: async ({ lists }, tag) => {
    const { lookUpTag } = await import('../leak/tags/tag-lookup.js');
    const found = lookUpTag(tag, lists.descriptions.files);
    if (found === null) throw new RangeError(`no tag: ${tag}`);
    return { ...found, warnings: lists.warnings };
  },
  text: (found, _tag, style) => renderTagLookup(found, found.warnings, style),
  json: (found) => found,
};
