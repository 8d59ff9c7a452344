/** The files that growth is read from: found, recognised by what they hold, and taken one after the other. */

import { closeSync, readdirSync, lstatSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { asInputError } from '../../../parsers/bytes/file-source.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { isInside, linksLeftText, pathKey, realPath } from '../../../parsers/files/paths.js';
import { openRegularFile, readRegularFile } from '../../../parsers/files/regular-file.js';
import { decodeText, MAXIMUM_TEXT_BYTES } from '../../../parsers/text/decode.js';
import { looksLikeBlg, looksLikePerfmon } from '../../../parsers/text/perfmon.js';
import { looksLikeTagCsv } from '../../../parsers/text/poolmon-powershell.js';
import { looksLikePoolmon } from '../../../parsers/text/poolmon.js';
import type { OpenOptions } from '../../kernel/open/opened-dump.js';
import { Collector, type InputKind } from './collector.js';
import { naturalOrder } from './file-names.js';
import { parseCounterNames, type CounterNames } from './perflib.js';
import { readDumpSample, readResults } from './read-dump.js';
import { readPerfmon } from './read-perfmon.js';
import { readPoolmon, readTagCsv } from './read-poolmon.js';
import { MOST_ROWS, MOST_SERIES } from './series.js';

export interface ReadOptions {
  utcOffsetMinutes?: number | undefined;
  counterNames?: CounterNames | undefined;
  /** Read the drivers of dumps and results too. */
  modules?: boolean | undefined;
  /** Follow links in folders that lead out of what was named. */
  followLinks?: boolean | undefined;
  /** How dumps are opened. */
  dumps?: OpenOptions | undefined;
  /** Called before each file. */
  progress?: ((done: number, total: number, name: string) => void) | undefined;
}

interface Found {
  path: string;
  /** It was named by the user, not found in a folder. */
  named: boolean;
}

/** Reads a list of local counter names. Throws InputError when it cannot be read or names none of the known counters. */
export function readCounterNames(path: string): CounterNames {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path, MAXIMUM_TEXT_BYTES);
  } catch (error) {
    throw asInputError(error, path);
  }
  const text = decodeText(bytes);
  const names = failed(text) ? new Map<string, string>() : parseCounterNames(text);
  if (names.size === 0)
    throw new InputError('corrupt', `${path} holds no names of counters by index (58=Pool Nonpaged Bytes)`);
  return names;
}

/** How much of a file is looked at to recognise it. */
const HEAD_BYTES = 16_384;
/** Files in a folder that are looked at, at most. */
const MOST_FILES = 20_000;

/**
 * Reads all inputs: files, and the files in folders (not in folders below). Files of a folder that hold nothing of use
 * are passed over. Throws InputError when a named file cannot be read at all, and when nothing is left.
 */
export async function readInputs(paths: readonly string[], options: ReadOptions = {}): Promise<Collector> {
  const to = new Collector(options.modules === true);
  const { found, linksLeft } = findFiles(paths, options.followLinks === true);
  to.store.reserve(Math.ceil(totalBytes(found) / BYTES_A_ROW));
  const passed: string[] = [];
  const room = new FileRoom();
  let firstError: InputError | null = null;
  for (const [i, { path, named }] of found.entries()) {
    options.progress?.(i, found.length, basename(path));
    if (to.full) {
      to.warn('too-much', `${found.length - i} files are not read: the others hold as many samples as are kept`);
      break;
    }
    const error = await readOne(path, named, to, room, options);
    if (error === 'not-recognised') {
      if (!named) passed.push(basename(path));
      firstError ??= new InputError(
        'wrong-kind',
        `${path} is no poolmon log, counter log (CSV), dump or result of dumpleak analyze --json`,
      );
      if (named && found.length > 1) to.warn('not-recognised', firstErrorText(path));
    } else if (error !== null) {
      firstError ??= error;
      to.warn(error.code, error.message);
    }
  }
  if (to.store.refused) to.warn('too-many-series', `more than ${MOST_SERIES} series: the others are left out`);
  if (to.store.full) to.warn('too-many-rows', `more than ${MOST_ROWS} rows: the last ones are left out`);
  if (to.samples.length === 0) {
    throw firstError ?? new InputError('empty', `${paths.join(', ')}: no file to read`);
  }
  const left = linksLeftText(linksLeft);
  if (left !== null) to.warn('links-not-followed', left);
  if (passed.length > 0) {
    const names = passed.slice(0, 3).join(', ') + (passed.length > 3 ? ', ...' : '');
    to.warn('files-passed-over', `${passed.length} files are no logs, dumps or results: ${names}`);
  }
  return to;
}

const firstErrorText = (path: string): string =>
  `${basename(path)} is no poolmon log, counter log (CSV), dump or result of dumpleak analyze --json`;

/** Bytes of files that may be logs. */
function totalBytes(found: readonly Found[]): number {
  let total = 0;
  for (const { path } of found) {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes <= MAXIMUM_LOG) total += bytes;
  }
  return total;
}

/** A row of a poolmon log and its line end. */
const BYTES_A_ROW = 63;
/** Larger files are dumps, or logs for which the room grows as they are read. */
const MAXIMUM_LOG = 16 * 2 ** 20;

/** Files in natural order of their names, none twice. */
function findFiles(paths: readonly string[], followLinks: boolean): { found: Found[]; linksLeft: string[] } {
  const found = new Map<string, Found>();
  const linksLeft: string[] = [];
  const roots = followLinks ? [] : paths.flatMap(folderWithoutLinks);
  const add = (path: string, named: boolean): void => {
    if (!found.has(pathKey(path))) found.set(pathKey(path), { path, named });
  };
  for (const path of paths) {
    let isFolder: boolean;
    try {
      isFolder = statSync(path).isDirectory();
    } catch (error) {
      throw asInputError(error, path);
    }
    if (!isFolder) {
      add(path, true);
      continue;
    }
    for (const name of readdirSync(path).sort(naturalOrder).slice(0, MOST_FILES)) {
      const inside = join(path, name);
      if (name.startsWith('.') || !isFile(inside)) continue;
      if (!followLinks && leadsOut(inside, roots)) linksLeft.push(name);
      else add(inside, false);
    }
  }
  const sorted = [...found.values()].sort((a, b) => naturalOrder(basename(a.path), basename(b.path)));
  return { found: sorted, linksLeft };
}

/** Whether a file in a folder is a link to one outside of the paths. */
function leadsOut(path: string, roots: readonly string[]): boolean {
  return lstatSync(path).isSymbolicLink() && !isInside(realPath(path), roots);
}

function folderWithoutLinks(path: string): string[] {
  try {
    return statSync(path).isDirectory() ? [realPath(path)] : [];
  } catch {
    // Whoever reads it says why.
    return [];
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function readOne(
  path: string,
  named: boolean,
  to: Collector,
  room: FileRoom,
  options: ReadOptions,
): Promise<InputError | 'not-recognised' | null> {
  let head: Buffer;
  let status: { size: number; mtimeMs: number };
  try {
    ({ head, status } = readHead(path));
  } catch (error) {
    const known = asInputError(error, path);
    if (known instanceof InputError) return known;
    throw error;
  }
  if (status.size === 0) return new InputError('empty', `${path} is empty`);
  const kind = recognise(head);
  if (kind === 'blg' || (kind === null && /\.blg$/i.test(path))) return binaryCounterLog(path);
  if (kind === null) return 'not-recognised';
  const name = basename(path);
  to.files.push({ path, name, fileTime: Math.round(status.mtimeMs), kind, samples: 0 });
  const failure = await take(kind, path, status.size, to, room, options);
  if (failure === null && (to.files.at(-1)?.samples ?? 0) > 0) return null;
  // What a damaged file gave before its damage stays with it.
  if ((to.files.at(-1)?.samples ?? 0) === 0) to.files.pop();
  // A folder may hold any JSON.
  if (kind === 'result' && !named) return 'not-recognised';
  if (failure instanceof InputError) return failure;
  return failure === null ? null : new InputError('corrupt', `${path}: ${failure.message}`);
}

async function take(
  kind: InputKind,
  path: string,
  size: number,
  to: Collector,
  room: FileRoom,
  options: ReadOptions,
): Promise<Failure | InputError | null> {
  const name = basename(path);
  try {
    if (kind === 'dump') return await readDumpSample(path, to, options.dumps);
    if (size > MAXIMUM_TEXT_BYTES) {
      return new InputError(
        'too-large',
        `${path}: ${size} bytes; at most ${MAXIMUM_TEXT_BYTES} are read. Split or thin it`,
      );
    }
    const bytes = room.read(path, size);
    const utcOffsetMinutes = options.utcOffsetMinutes ?? 0;
    if (kind === 'poolmon') return readPoolmon(bytes, name, to);
    if (kind === 'poolmon-csv') return readTagCsv(bytes, name, to, utcOffsetMinutes);
    if (kind === 'result') return readResults(bytes, name, to);
    return readPerfmon(bytes, name, to, { utcOffsetMinutes, names: options.counterNames ?? new Map<string, string>() });
  } catch (error) {
    const known = asInputError(error, path);
    if (known instanceof InputError) return known;
    throw error;
  }
}

/** Files are read one after the other into the same room: what is taken from one is copied. */
class FileRoom {
  private room = Buffer.alloc(0);

  /** The first `size` bytes of a file, valid until the next call. */
  read(path: string, size: number): Buffer {
    if (size > LARGEST_ROOM) return readRegularFile(path);
    if (this.room.length < size) this.room = Buffer.allocUnsafeSlow(Math.min(LARGEST_ROOM, size * 2));
    const { descriptor: file } = openRegularFile(path);
    try {
      let filled = 0;
      while (filled < size) {
        const count = readSync(file, this.room, filled, size - filled, filled);
        if (count === 0) break;
        filled += count;
      }
      return this.room.subarray(0, filled);
    } finally {
      closeSync(file);
    }
  }
}

const LARGEST_ROOM = 8 * 2 ** 20;

function readHead(path: string): { head: Buffer; status: { size: number; mtimeMs: number } } {
  const { descriptor, byteLength: size, mtimeMs } = openRegularFile(path);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return { head: head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0)), status: { size, mtimeMs } };
  } finally {
    closeSync(descriptor);
  }
}

/** How dumps begin, and what they come wrapped in: gzip, zip, zstd, xz, 7z. */
const DUMPS = ['PAGEDU64', 'PAGEDUMP', '\x1f\x8b', 'PK\x03\x04', '\x28\xb5\x2f\xfd', '\xfd7zXZ', '7z\xbc\xaf'];

/** What a file holds, by its beginning; null for anything else. */
export function recognise(head: Uint8Array): InputKind | 'blg' | null {
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(8, head.length)).toString('latin1');
  if (DUMPS.some((magic) => start.startsWith(magic))) return 'dump';
  const text = decodeText(head);
  if (!failed(text)) {
    if (/^\s*[[{]/.test(text)) return 'result';
    if (looksLikePerfmon(text)) return 'perfmon';
    if (looksLikeTagCsv(text)) return 'poolmon-csv';
  }
  if (looksLikePoolmon(head)) return 'poolmon';
  return looksLikeBlg(head) ? 'blg' : null;
}

function binaryCounterLog(path: string): InputError {
  const csv = basename(path).replace(/\.blg$/i, '') + '.csv';
  return new InputError(
    'wrong-kind',
    `${path} is a binary counter log (.blg). Convert it on any Windows machine: relog "${basename(path)}" -f CSV -o "${csv}", then give the CSV`,
  );
}
