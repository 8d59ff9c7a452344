/**
 * Published outputs of the debugger beside ours, line by line. A line's skeleton is what stays when addresses, numbers and names
 * are replaced by their kind: two lines of one skeleton have the same words, separators and columns.
 */

import { existsSync, readFileSync } from 'node:fs';

export const TRANSCRIPTS = new URL('../../../../shared/corpus/transcripts/', import.meta.url);

/** The lines of a transcript without the prompt's and what a page says of its own; null where there is none. */
export function publishedLines(file: string): string[] | null {
  const place = new URL(`${file}.txt`, TRANSCRIPTS);
  if (!existsSync(place)) return null;
  return linesOf(readFileSync(place, 'utf8')).filter(
    (line) => !/^(?:\d+: |\d+:\d+\S*)?l?k?d?>|^\s*(?:\.{2,}|…)\s*$|^Browse full module list$|^!/i.test(line),
  );
}

/** Lines that are not empty, blanks at their ends cut off. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

/** A number that follows one blank may be of any length; one behind more ends in a column, and its blanks belong to it. */
const inColumn = (text: string): string =>
  /^ {2,}/.test(text) ? '#'.repeat(text.length) : text.replace(/[^ ].*/, 'N');

/** Blanks at its beginning are kept; a tab is four. A name is a name, whatever it is. */
export function skeleton(line: string): string {
  return line
    .replaceAll('\t', '    ')
    .replace(/^( {5})(?:\d\d| {2})  [0-9a-f]{8,16} \S+ +\S+$/, '$1ENTRY')
    .replace(/^.*?[\w.]+(?:![\w<>:~$@?]+(?:\+0x[0-9a-f]+)?|\+0x[0-9a-f]+)/i, (text) => text.replace(/\S+$/, 'SYMBOL'))
    .replace(/(\\(?:Driver|Device|Filesystem)\\)[\w.-]+/gi, '$1NAME')
    .replace(/((?:^ {4}Image|Name|Binary): | Type: \(\S+\) )\S.*$/, '$1NAME')
    .replace(/ +\d+(?= Kb\))/g, inColumn)
    .replace(/\b[0-9a-f]{8}`[0-9a-f]{8}\b/gi, 'Q')
    .replace(/\b[0-9a-f]{16}\b/gi, 'P')
    .replace(/\b0x[0-9a-f]+\b/gi, 'X')
    .replace(/\b[0-9a-f]{8}\b/gi, 'P')
    .replace(/\b((?:TableSize|HandleCount):) +\d+\./g, '$1 COUNT.')
    .replace(/ *\b[0-9a-f]*\d[0-9a-f]*\b/gi, inColumn)
    .replace(/\b(\w+:) [NPQ]\b/g, '$1 VALUE');
}
