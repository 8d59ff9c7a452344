/** A localtag.txt, as poolmon reads it for its column Mapped_Driver: `<tag> - <driver> - <description>`, CRLF, ASCII. */

import { printable } from '../../../parsers/text-safety.js';
import type { ListedTag, TagList } from '../../analysis/driver-files/list.js';
import { counted } from '../../views/print/format.js';

const LONGEST_DESCRIPTION = 120;

/** The whole file. What a text cannot hold as a tag (bytes that are no ASCII) stands in comments. */
export function renderLocalTag(list: TagList): string {
  const { files } = list.searched;
  const lines = [
    'rem localtag.txt, written by dumpleak: the pool tags that drivers pass to allocators, by their code.',
    `rem ${counted(files, 'driver')}, ${counted(list.tags.length, 'line')}.`,
  ];
  if (list.unknownCalls > 0) {
    lines.push(
      `rem ${counted(list.unknownCalls, 'call')} of allocators with a tag that is not in the code are not listed.`,
    );
  }
  if (list.changing > 0) {
    const what = 'of variables that code changes, with the values that stand in the code: there may be others.';
    lines.push(`rem ${counted(list.changing, 'line')} ${what}`);
  }
  if (list.incomplete > 0) {
    lines.push(`rem ${counted(list.incomplete, 'driver')} may use more tags: parts of their code could not be read.`);
  }
  for (const entry of list.tags) lines.push(isPlain(entry.key) ? tagLine(entry) : numberLine(entry));
  return `${lines.join('\r\n')}\r\n`;
}

function tagLine({ tag, driver, description, company }: ListedTag): string {
  const about = [description, company].filter((part) => part !== null).join(', ');
  return `${tag} - ${ascii(driver)} - ${ascii(about).slice(0, LONGEST_DESCRIPTION)}`.trimEnd();
}

function numberLine({ key, driver }: ListedTag): string {
  return `rem tag 0x${key.toString(16).padStart(8, '0')} - ${ascii(driver)}`;
}

function isPlain(key: number): boolean {
  return [0, 8, 16, 24].every((shift) => {
    const byte = (key >>> shift) & 0xff;
    return byte >= 0x20 && byte < 0x7f;
  });
}

const ascii = (text: string): string => printable(text).replace(/[^\x20-\x7e]/g, '?');
