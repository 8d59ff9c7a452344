/** `!object`: one object by its address or its path, in the look of WinDbg. */

import { virtual } from '../../../parsers/addresses.js';
import { printable } from '../../../parsers/text-safety.js';
import type { ObjectFound, ObjectQuestion } from '../../analysis/objects/object-part.js';
import type { Hex } from '../../result/result.js';
import type { ObjectPart } from '../../result/object-parts.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { parseHex } from '../print/format.js';
import type { View } from '../view.js';
import { debuggerNumber, typedAddress, unquoted } from '../words.js';

/** What is asked for, and how much of it is shown. */
export interface ObjectWanted {
  readonly question: ObjectQuestion;
  readonly flags: number;
}

/** Flags as the debugger counts them. */
export const OBJECT_FLAG = { names: 1, contents: 8, optionalHeaders: 0x10, path: 0x20 } as const;
const USUAL = OBJECT_FLAG.names | OBJECT_FLAG.contents;
const KNOWN_FLAGS = USUAL | OBJECT_FLAG.optionalHeaders | OBJECT_FLAG.path;

function text(found: ObjectFound, { question, flags }: ObjectWanted): string {
  const wide = hasWideAddresses(found);
  const at = (value: Hex | null): string => (parseHex(value) ?? 0n).toString(16).padStart(wide ? 16 : 8, '0');
  const { object } = found;
  if (object === null) return `${why(found, question, wide)}\n`;
  const lines = [
    `Object: ${at(object.object)}  Type: (${at(object.typeAddress)}) ${printable(object.type)}`,
    `    ObjectHeader: ${at(object.header)}${object.optionalHeaders === null ? '' : ' (new version)'}`,
  ];
  if ((flags & OBJECT_FLAG.optionalHeaders) !== 0) {
    const below = object.optionalHeaders;
    lines.push('Optional Headers: ');
    if (below === null) lines.push('    n/a: headers of this system do not say which there are');
    for (const { name, address } of below ?? []) lines.push(`    ${name}(${at(address)})`);
  }
  if ((flags & OBJECT_FLAG.names) !== 0) {
    lines.push(`    HandleCount: ${String(object.handleCount)}  PointerCount: ${String(object.pointerCount)}`);
    if (object.name !== null)
      lines.push(
        `    Directory Object: ${object.directory === null ? '00000000' : at(object.directory)}  Name: ${printable(object.name)}`,
      );
    if ((flags & OBJECT_FLAG.contents) !== 0) lines.push(...contents(object, at, wide));
  }
  if ((flags & OBJECT_FLAG.path) !== 0) lines.push(`    Full Name: ${printable(object.path ?? 'n/a')}`);
  return `${lines.join('\n')}\n`;
}

function contents(object: ObjectPart, at: (value: Hex) => string, wide: boolean): string[] {
  if (object.target !== null) return [`    Target String is '${printable(object.target)}'`];
  if (object.entries === null) return [];
  const column = 'Address'.padEnd(wide ? 16 : 8);
  const lines = [
    '',
    `    Hash ${column} Type          Name`,
    `    ---- ${'-------'.padEnd(wide ? 16 : 8)} ----          ----`,
  ];
  let last = -1;
  for (const { bucket, object: address, type, name } of object.entries) {
    const number = bucket === last ? '  ' : String(bucket).padStart(2, '0');
    last = bucket;
    lines.push(
      `     ${number}  ${at(address)} ${printable(type ?? 'not in dump').padEnd(13)} ${printable(name ?? '')}`.trimEnd(),
    );
  }
  if (!object.complete) lines.push('', 'Not all entries of this directory could be read: there are more.');
  return lines;
}

function why({ missing, dump }: ObjectFound, question: ObjectQuestion, wide: boolean): string {
  const asked =
    'path' in question ? printable(question.path) : question.address.toString(16).padStart(wide ? 16 : 8, '0');
  switch (missing) {
    case 'unknown':
      return noFigures(dump, 'object');
    case 'not-in-dump':
      return `${asked}: Not a valid object: the address is not in this dump`;
    case 'not-found':
      return `Object ${asked} not found`;
    case 'not-all-read':
      return `Object ${asked} not found in the directories that could be read; some are not in this dump`;
    default:
      return `${asked}: Not a valid object (ObjectType invalid)`;
  }
}

export const object: View<ObjectWanted, ObjectFound> = {
  command: '!object',
  shell: 'kd MEMORY.DMP -c "!object ADDRESS"',
  words: ([word, flagWord, ...more]) => {
    const flags = flagWord === undefined ? USUAL : debuggerNumber(flagWord);
    if (word === undefined || more.length > 0)
      return { error: '!object wants an address or a path: !object \\Driver [Flags]' };
    if (flags === null || (flags & ~KNOWN_FLAGS) !== 0)
      return { error: `of the flags of !object there are 0, 1, 8, 10 and 20: not ${flagWord ?? ''}` };
    const name = unquoted(word);
    if (name.startsWith('\\')) return { question: { path: name }, flags };
    const address = typedAddress(name);
    return address === null
      ? { error: `${name} is no address and no path: !object ffffe0083b85d060, !object \\Device` }
      : { question: { address: virtual(address) }, flags };
  },
  read: async ({ opened }, { question }) =>
    (await import('../../analysis/objects/object-part.js')).findObject(opened, question),
  text,
  json: ({ schemaVersion, dump, system, object: part, missing, warnings }) => ({
    ...{ schemaVersion, dump, system, object: part, missing, warnings },
  }),
};
