/**
 * What a pool tag is documented to be for: from the user's pooltag.txt and localtag.txt files, else from the built-in
 * list of tags and binaries.
 */

import { statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { Failure, failed } from '../../../parsers/bytes/failure.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { errorCode, errorText } from '../../../parsers/files/system-errors.js';
import { decodeText } from '../../../parsers/text/decode.js';
import {
  MAXIMUM_POOLTAG_TEXT,
  PoolTagIndex,
  parsePoolTagFile,
  type PoolTagEntry,
} from '../../../parsers/text/pooltag.js';
import { builtInTags } from '../../../symbols/tags/built-in.js';
import { isWindowsBinary } from '../../../symbols/tags/windows-binaries.js';
import type { PoolTagRow } from '../../result/result.js';

/** The fields of a pool tag row that come from a list of tags. All null: the tag is on no list. */
export type TagDescription = Pick<PoolTagRow, 'description' | 'binary' | 'tagSource'>;

/** A list of tags that was read from a file. */
export interface TagFile {
  readonly path: string;
  readonly tagSource: 'pooltag.txt' | 'localtag.txt';
  /** All its lines, in file order. */
  readonly entries: readonly PoolTagEntry[];
  readonly index: PoolTagIndex;
}

/** In UTF-16 a character is two bytes. */
const MAXIMUM_FILE_BYTES = 2 * MAXIMUM_POOLTAG_TEXT;

/**
 * Reads a tag list in whatever encoding it has. A file whose name begins with `localtag` is a localtag.txt.
 *
 * @returns a failure, with the path in its message, when the file cannot be read, is too large, or holds no tag line.
 */
export function readTagFile(path: string): TagFile | Failure {
  const bytes = readBounded(path);
  if (failed(bytes)) return bytes;
  const text = decodeText(bytes);
  const entries = failed(text) ? text : parsePoolTagFile(text);
  if (failed(entries)) return new Failure(entries.code, `${path}: ${entries.message}`);
  if (entries.length === 0) {
    return new Failure('corrupt', `${path}: holds no line of the form "Tag - binary - description"`);
  }
  const tagSource = basename(path).toLowerCase().startsWith('localtag') ? 'localtag.txt' : 'pooltag.txt';
  return { path, tagSource, entries, index: new PoolTagIndex(entries) };
}

function readBounded(path: string): Uint8Array | Failure {
  try {
    return readRegularFile(path, MAXIMUM_FILE_BYTES);
  } catch (error) {
    if (error instanceof InputError) return new Failure('corrupt', error.message);
    return new Failure('short-file', `${path}: ${errorCode(error) === 'ENOENT' ? 'no such file' : errorText(error)}`);
  }
}

/** Describes tags. Files come before the built-in list; among files an exact line anywhere comes before a wildcard. */
export class TagDescriptions {
  /** @param files in order of preference; empty for the built-in list alone. */
  constructor(readonly files: readonly TagFile[] = []) {}

  /**
   * What is documented about a tag of four characters. `binary` and `description` are null where the list that has
   * the tag leaves them out; a binary of the built-in list is not mixed into the line of a file.
   */
  describe(tag: string): TagDescription {
    for (const find of ['lookupExact', 'lookupWildcard'] as const) {
      for (const { index, tagSource } of this.files) {
        const entry = index[find](tag);
        if (entry) return { description: entry.description, binary: entry.binary, tagSource };
      }
    }
    const known = builtInTags().lookup(tag);
    if (known) return { description: null, binary: known.binaries.join(' or '), tagSource: 'built-in' };
    return { description: null, binary: null, tagSource: null };
  }

  /**
   * Whether a part of Windows is documented to use the tag: by the file that describes it, or by the built-in list
   * where that names no binary. Null when no list names one.
   */
  usedByWindows(tag: string): boolean | null {
    const { binary } = this.describe(tag);
    if (binary !== null) return isWindowsBinary(binary);
    const known = builtInTags().lookup(tag);
    return known ? known.binaries.every(isWindowsBinary) : null;
  }
}

/** Environment variables, as process.env has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const KITS = ['10', '8.1', '8.0'];
const KIT_ARCHITECTURES = ['x64', 'x86', 'arm64'];
const OLD_FOLDERS = [
  'Debugging Tools for Windows (x64)',
  'Debugging Tools for Windows (x86)',
  'Debugging Tools for Windows',
];

/**
 * The first pooltag.txt in the usual places: the folders of `_NT_DEBUGGER_EXTENSION_PATH` with their `triage` and the
 * `triage` beside them, then the debuggers of the Windows kits, then the older debugger folders. Relative folders and
 * the current one are not searched: a file that lies beside a dump from elsewhere must not speak unasked. WinDbg from
 * the Store keeps its copy where only the Store can read it.
 *
 * @param environment where the folders are taken from; `process.env` for the machine at hand.
 * @returns an absolute path, or null where none of the files exists.
 */
export function findPoolTagFile(environment: Environment): string | null {
  return candidates(environment).find(isFile) ?? null;
}

function candidates(environment: Environment): string[] {
  const paths: string[] = [];
  for (const folder of (variable(environment, '_NT_DEBUGGER_EXTENSION_PATH') ?? '').split(';')) {
    const clean = folder.trim().replace(/^"|"$/g, '');
    if (clean === '') continue;
    for (const place of ['.', 'triage', join('..', 'triage')]) paths.push(join(clean, place, 'pooltag.txt'));
  }
  const programs = ['ProgramFiles(x86)', 'ProgramFiles', 'ProgramW6432'].map((name) => variable(environment, name));
  for (const kit of KITS) {
    for (const architecture of KIT_ARCHITECTURES) {
      for (const program of programs) {
        if (program === undefined) continue;
        paths.push(join(program, 'Windows Kits', kit, 'Debuggers', architecture, 'triage', 'pooltag.txt'));
      }
    }
  }
  for (const folder of OLD_FOLDERS) {
    for (const program of programs) {
      if (program !== undefined) paths.push(join(program, folder, 'triage', 'pooltag.txt'));
    }
  }
  return paths.filter((path) => isAbsolute(path));
}

/** Windows does not tell variables apart by letter case; a copy of its environment does. */
function variable(environment: Environment, name: string): string | undefined {
  const key = Object.keys(environment).find((other) => other.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : environment[key];
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
