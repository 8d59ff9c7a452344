/** Finds the files that paths stand for, also in folders below folders, and reads drivers from them. */

import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileOffset } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { asInputError, FileSource } from '../../../parsers/bytes/file-source.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import type { ByteSource } from '../../../parsers/bytes/source.js';
import { isInside, pathKey, realPath } from '../../../parsers/files/paths.js';
import { specialKind } from '../../../parsers/files/regular-file.js';
import { decompressCab, isCab } from '../../../parsers/cab/cab.js';
import { LARGEST_IMAGE, looksLikeImage } from '../../../parsers/pe/image-file.js';
import { driverFromFile, type DriverFile } from '../../kernel/modules/driver-file.js';
import { naturalOrder } from '../../growth/read/file-names.js';

/** A file to read. */
export interface FoundFile {
  readonly path: string;
  /** It was named, not found in a folder. */
  readonly named: boolean;
}

const MOST_FILES = 1_000_000;
/** What a symbol store calls a compressed file: `myfault.sy_`. */
const COMPRESSED = /\.[a-z0-9]{0,3}_$/i;

/**
 * All files of paths and of folders below them, in natural order of their names and none twice, and what cannot be read.
 * Without `followLinks`, links in folders that lead out of what was named are left, and told.
 */
export function findFiles(
  paths: readonly string[],
  followLinks = true,
): { files: FoundFile[]; unreadable: string[]; linksLeft: string[] } {
  const linksLeft: string[] = [];
  const roots = followLinks ? [] : paths.flatMap(realOrNothing);
  const files = new Map<string, FoundFile>();
  const folders = new Set<string>();
  const unreadable: string[] = [];
  const stack: FoundFile[] = paths.map((path) => ({ path, named: true })).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    try {
      const stats = statSync(next.path);
      const place = realPath(next.path);
      if (!followLinks && !next.named && lstatSync(next.path).isSymbolicLink() && !isInside(place, roots)) {
        linksLeft.push(next.path);
        continue;
      }
      const real = pathKey(place);
      if (stats.isDirectory()) {
        if (folders.has(real)) continue;
        folders.add(real);
        const names = readdirSync(next.path).sort(naturalOrder).reverse();
        for (const name of names) stack.push({ path: join(next.path, name), named: false });
      } else if (stats.isFile()) {
        if (!files.has(real)) files.set(real, next);
      } else if (next.named) unreadable.push(`${next.path} is ${specialKind(stats) ?? 'no file'}, not a regular file`);
    } catch (error) {
      const why = asInputError(error, next.path);
      unreadable.push(why instanceof InputError ? why.message : `${next.path}: ${String(error)}`);
    }
    if (files.size >= MOST_FILES) {
      unreadable.push(`${next.path} and what follows it: more than ${MOST_FILES} files are not read`);
      break;
    }
  }
  return { files: [...files.values()], unreadable, linksLeft };
}

/** The folder or file without links, where there is one. */
function realOrNothing(path: string): string[] {
  try {
    return [realPath(path)];
  } catch {
    return [];
  }
}

/**
 * Reads a driver. Null for a file of another kind, unless it was named: a named image is read whatever it is made for,
 * and what cannot be one is a failure, whose message begins with the path.
 */
export function readDriver({ path, named }: FoundFile): DriverFile | Failure | null {
  let source: ByteSource | null = null;
  try {
    source = new FileSource(path);
    const bytes = readImage(source, path, named);
    if (bytes === null || failed(bytes)) return bytes;
    const name = bytes.name === null ? path : join(dirname(path), bytes.name);
    const driver = driverFromFile(bytes.bytes, name);
    if (failed(driver)) return named || /\.sy[s_]$/i.test(path) ? driver : null;
    return driver.isDriver || named ? driver : null;
  } catch (error) {
    if (error instanceof InputError) return new Failure(error.code, error.message);
    throw error;
  } finally {
    source?.close();
  }
}

/** The bytes of an image, also of a compressed one. The message of a failure begins with the path. */
export function readImageFile(path: string): Uint8Array | Failure {
  let source: ByteSource | null = null;
  try {
    source = new FileSource(path);
    const read = readImage(source, path, true);
    if (read === null) return new Failure('other-format', `${path} is no image`);
    return failed(read) ? read : read.bytes;
  } catch (error) {
    if (error instanceof InputError) return new Failure(error.code, error.message);
    throw error;
  } finally {
    source?.close();
  }
}

interface Unpacked {
  readonly bytes: Uint8Array;
  /** What it was called before it was packed; null where it was not. */
  readonly name: string | null;
}

/** The bytes of an image, unpacked where they are packed. */
function readImage(source: ByteSource, path: string, named: boolean): Unpacked | Failure | null {
  const head = new Uint8Array(HEAD);
  const got = source.read(fileOffset(0), head);
  if (looksLikeImage(head)) {
    if (!named && isForUserMode(head.subarray(0, got), path)) return null;
    return readWhole(source, path, null);
  }
  if (!isCab(source))
    return named ? new Failure('other-format', `${path} is neither a driver nor a compressed one`) : null;
  if (!named && !COMPRESSED.test(path)) return null;
  const unpacked = decompressCab(source, { limit: LARGEST_IMAGE });
  if (failed(unpacked)) return unpacked;
  try {
    const first = new Uint8Array(2);
    unpacked.source.read(fileOffset(0), first);
    if (looksLikeImage(first)) return readWhole(unpacked.source, path, plainName(unpacked.name, path));
    return named ? new Failure('other-format', `${path} holds no driver`) : null;
  } finally {
    unpacked.source.close();
  }
}

function readWhole(source: ByteSource, path: string, name: string | null): Unpacked | Failure {
  if (source.byteLength > LARGEST_IMAGE) {
    return new Failure(
      'too-large',
      `${path} has ${source.byteLength} bytes; images of up to ${LARGEST_IMAGE} are read`,
    );
  }
  const bytes = Buffer.allocUnsafe(source.byteLength);
  return { bytes: bytes.subarray(0, source.read(fileOffset(0), bytes)), name };
}

/** A name out of a cabinet is no path: only its last part counts. */
function plainName(inside: string, path: string): string {
  const name = inside.split(/[\\/]/).at(-1) ?? '';
  return name === '' ? basename(path) : name;
}

const HEAD = 4096;
const NATIVE = 1;

/** Tells from the first page whether the image is a program or a library of user mode; a driver's name is not doubted. */
function isForUserMode(head: Uint8Array, path: string): boolean {
  if (/\.sys$/i.test(path)) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const at = view.byteLength < 0x40 ? 0 : view.getUint32(0x3c, true) + 0x5c;
  return at > 0x5c && at + 2 <= view.byteLength && view.getUint16(at, true) !== NATIVE;
}
