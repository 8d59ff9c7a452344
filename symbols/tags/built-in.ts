/** The built-in list of pool tags: which binaries are documented to use a tag, for users without a pooltag.txt. */

import { PoolTagIndex } from '../../parsers/text/pooltag.js';
import { readPackageFile } from '../package-root.js';
import { KERNEL_OBJECT_TAGS } from './kernel-objects.js';

/** What the built-in list says about a tag. */
export interface BuiltInTag {
  /** The tag or wildcard as listed, four characters. */
  readonly tag: string;
  /** At least one; newest source first: `nt!mm`, `afd.sys`, `win32k!CreateProp`. */
  readonly binaries: readonly string[];
}

/** Looks tags up as PoolTagIndex does: exact before wildcard, case-sensitive. */
export type BuiltInTags = PoolTagIndex<BuiltInTag>;

const DATA = 'pool-tag-binaries.txt';

let list: readonly BuiltInTag[] | undefined;
let index: BuiltInTags | undefined;

/**
 * The built-in list, for look-ups. Its file is read at the first call.
 *
 * @throws when the data file is missing or damaged, that is, when the installation is.
 */
export function builtInTags(): BuiltInTags {
  index ??= new PoolTagIndex(builtInTagList());
  return index;
}

/** All of the built-in list: in the order of its file, then the kernel's objects. Throws as builtInTags does. */
export function builtInTagList(): readonly BuiltInTag[] {
  list ??= withKernelObjects(parseBuiltInTags(readPackageFile('symbols', 'tags', 'data', DATA).toString('utf8')));
  return list;
}

/** What the file does not list is added. */
function withKernelObjects(listed: readonly BuiltInTag[]): BuiltInTag[] {
  const known = new Set(listed.map(({ tag }) => tag));
  return [...listed, ...KERNEL_OBJECT_TAGS.filter(({ tag }) => !known.has(tag))];
}

/**
 * Reads the list's own format: after a line of comment, one line for each set of binaries: tags of four columns each
 * without anything between them, TAB, names with `|` between them.
 *
 * @throws on a line that is not so.
 */
export function parseBuiltInTags(text: string): BuiltInTag[] {
  const tags: BuiltInTag[] = [];
  for (const [number, line] of text.split('\n').entries()) {
    if (number === 0 || line === '') continue;
    const tab = line.indexOf('\t');
    const binaries = line.slice(tab + 1).split('|');
    if (tab <= 0 || tab % 4 !== 0 || binaries.includes('')) throw new Error(`${DATA}: line ${number + 1} is damaged`);
    for (let i = 0; i < tab; i += 4) tags.push({ tag: line.slice(i, i + 4), binaries });
  }
  return tags;
}
