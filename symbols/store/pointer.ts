/** `file.ptr`: a small file in a store that says where the real one lies. */

import { closeSync, openSync, readSync } from 'node:fs';
import { win32 } from 'node:path';

/** Bytes; a path is at most 32,767 characters. */
export const LONGEST_POINTER = 64 * 1024;

/** What a pointer says. */
export type Pointer =
  | { readonly kind: 'path'; readonly path: string }
  /** Text for people instead of a file: `MSG: the build was deleted`. */
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'nothing' };

/** Reads the text of a pointer: `PATH:` and a path, `MSG:` and a text, or a path alone. Only the first line counts. */
export function parsePointer(text: string): Pointer {
  const line =
    text
      .replace(/^\ufeff/, '')
      .split(/[\r\n\0]/)[0]
      ?.trim() ?? '';
  const [, tag = '', rest = ''] = /^(PATH|MSG):(.*)$/i.exec(line) ?? [];
  if (tag.toUpperCase() === 'MSG') return { kind: 'message', text: rest.trim() };
  const path = (tag === '' ? line : rest).replaceAll('"', '').trim();
  return path === '' || /[\u0000-\u001f]/.test(path) ? { kind: 'nothing' } : { kind: 'path', path };
}

/** Reads a pointer file on disk. Throws the platform's error. */
export function readPointer(path: string): Pointer {
  const bytes = Buffer.alloc(LONGEST_POINTER);
  const file = openSync(path, 'r');
  try {
    return parsePointer(pointerText(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))));
  } finally {
    closeSync(file);
  }
}

/** UTF-16 with its mark, else UTF-8. */
export function pointerText(given: Uint8Array): string {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.subarray(2).toString('utf16le') : bytes.toString('utf8');
}

/** True when `path` lies in `folder` or below it, by Windows' rules: any case, either separator, `..` resolved. */
export function isWithin(path: string, folder: string): boolean {
  const inside = flat(path);
  const outside = flat(folder).replace(/\/+$/, '');
  return inside.startsWith(`${outside}/`);
}

function flat(path: string): string {
  return win32.normalize(path).replaceAll('\\', '/').toLowerCase();
}
