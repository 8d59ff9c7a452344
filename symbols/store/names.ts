/** File names that come from a dump, a PDB or a server: which of them may become part of a path. */

import { printable } from '../../parsers/text-safety.js';

/** Bytes in UTF-8; leaves room for the suffix of a temporary name below the 255 of most file systems. */
const LONGEST_NAME = 200;

/** Names that Windows gives to devices, whatever extension follows. */
const DEVICES = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])$/i;

/** Names with a meaning of their own inside a symbol store. */
const STORE_FILES = new Set(['file.ptr', 'index2.txt', 'pingme.txt', '000admin', 'refs.ptr']);

/**
 * Why `name` must not become a part of a path, as the end of a sentence about it, or null when it may: on any
 * system it then names an entry of the folder it is joined to, and nothing else.
 */
export function nameProblem(name: string): string | null {
  if (name === '') return 'is empty';
  if (Buffer.byteLength(name) > LONGEST_NAME) return `is longer than ${LONGEST_NAME} bytes`;
  if (printable(name) !== name) return 'holds control or invisible characters';
  if (/[\\/:*?"<>|]/.test(name)) return 'holds characters that no file name may hold';
  if (/^\s|[\s.]$/.test(name)) return 'begins or ends with a blank or a dot';
  const stem = name.split('.')[0] ?? name;
  if (DEVICES.test(stem.trimEnd())) return 'is the name of a Windows device';
  if (STORE_FILES.has(name.toLowerCase())) return "is a symbol store's own file";
  return null;
}

/** The part behind the last separator of either kind: compilers record whole paths. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

/** The extension without its dot in lower case, or '' where there is none. */
export function extension(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** The name under which a store keeps the compressed file: `ntkrnlmp.pd_`; null where it would be the same. */
export function compressedName(name: string): string | null {
  const compressed = `${name.slice(0, -1)}_`;
  return compressed === name ? null : compressed;
}
