/**
 * A folder of profiles (`--profiles DIR`): what `profile make` wrote, and symbol tables of Volatility 3, in any of its subfolders.
 * A file that cannot be used is reported and never stands in the way of the others.
 */

import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { failed, Failure } from '../parsers/bytes/failure.js';
import { isXz, unxz } from '../parsers/bytes/xz.js';
import { readRegularFile } from '../parsers/files/regular-file.js';
import { errorText } from '../parsers/files/system-errors.js';
import { readIsf } from './isf.js';
import { isOfKernel, storeGuid, type KernelFacts } from './kernel-facts.js';
import type { KernelIdentity } from './kernel-symbols.js';
import { looksLikeProfile, readProfile } from './profile-file.js';

/** Files looked at; a folder with more is not a folder of profiles. */
const MOST_FILES = 10_000;
const DEEPEST_FOLDER = 6;
/** Bytes of the largest file, packed or not: ISF of a kernel has about 10 MB. */
const LARGEST_FILE = 128 * 1024 * 1024;
/** How Volatility names its files; only files of this name are opened late. */
const ISF_NAME = /^([0-9a-f]{32})-(\d{1,9})\.json(\.gz|\.xz|\.bz2)?$/i;
const READABLE = /\.(?:profile|txt|json|json\.(?:gz|xz|bz2))$/i;
const BZIP2 = /\.bz2$/i;

/** A file that was passed over, and why. */
export interface ProfileProblem {
  readonly file: string;
  readonly message: string;
}

/** A profile in the folder. */
export interface FolderProfile {
  readonly file: string;
  readonly facts: KernelFacts;
}

interface FolderContent {
  readonly profiles: readonly FolderProfile[];
  readonly problems: readonly ProfileProblem[];
}

/** A folder that is looked into. */
export interface ProfileFolder {
  readonly path: string;
  /** Profiles of exactly the kernel, and what stood in the way of finding one. Files are read when they may be the right one. */
  find(identity: KernelIdentity): Promise<{
    readonly found: FolderProfile | null;
    readonly problems: readonly ProfileProblem[];
  }>;
  /** Reads every file, for `profile list`. */
  all(): Promise<FolderContent>;
}

/** Reads one file of either kind, packed by gzip or xz or not at all; `most` bytes long, packed and unpacked. Errors of the platform become a Failure too. */
export async function readProfileFile(file: string, most = LARGEST_FILE): Promise<KernelFacts | Failure> {
  if (BZIP2.test(file)) {
    return new Failure(
      'not-supported',
      `bzip2 is not read here: unpack it first (bzip2 -dk ${basename(file)}, or 7-Zip), or pack it with gzip or xz`,
    );
  }
  try {
    const { size } = statSync(file);
    if (size > most) return new Failure('too-large', `${size} bytes are too many for a profile`);
    const text = (await unpack(readRegularFile(file), most)).toString('utf8');
    if (looksLikeProfile(text)) return readProfile(text);
    return /^\ufeff?\s*\{/.test(text)
      ? readIsf(text)
      : new Failure('other-format', 'it is neither a profile nor a symbol table (ISF)');
  } catch (error) {
    return new Failure('io', errorText(error));
  }
}

/** Unpacks what is packed, by its first bytes. Throws an Error when it is damaged or larger than `most` bytes. */
async function unpack(bytes: Buffer, most: number): Promise<Buffer> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return gunzipSync(bytes, { maxOutputLength: most });
    } catch (error) {
      throw error instanceof RangeError ? tooLarge(most) : error;
    }
  }
  if (!isXz(bytes)) return bytes;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of unxz(ReadableStream.from([bytes]))) {
    length += piece.length;
    if (length > most) throw tooLarge(most);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

const tooLarge = (most: number): Error => new Error(`it unpacks to more than ${most} bytes: too many for a profile`);

/** The files below `folder` that may be profiles, in order of their paths, or the one that it is; says where it could not look. */
function listFiles(folder: string, problems: ProfileProblem[]): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isFile() === true) return [folder];
  const files: string[] = [];
  const pending: { path: string; depth: number }[] = [{ path: folder, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, depth } = next;
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const below = join(path, entry.name);
        if (entry.isDirectory() && depth < DEEPEST_FOLDER) pending.push({ path: below, depth: depth + 1 });
        else if (READABLE.test(entry.name)) files.push(below);
        if (files.length > MOST_FILES || pending.length > MOST_FILES) {
          problems.push({ file: folder, message: `more than ${MOST_FILES} files: the rest was not looked at` });
          return files.sort();
        }
      }
    } catch (error) {
      problems.push({ file: path, message: errorText(error) });
    }
  }
  return files.sort();
}

/** True when the name of a file says that it is the table of another PDB. */
function isOfOther(file: string, pdb: KernelIdentity['pdb']): boolean {
  const [, guid, age] = ISF_NAME.exec(basename(file)) ?? [];
  return guid !== undefined && (pdb === null || guid.toUpperCase() !== storeGuid(pdb.guid) || Number(age) !== pdb.age);
}

function isOfImage(facts: KernelFacts, identity: KernelIdentity): boolean {
  return (
    facts.timeDateStamp !== null &&
    facts.sizeOfImage !== null &&
    facts.timeDateStamp === identity.timeDateStamp &&
    facts.sizeOfImage === identity.sizeOfImage
  );
}

/** Lists the folder, or takes the file that `path` names; files are read when they are needed, and once. */
export function openProfileFolder(path: string): ProfileFolder {
  const listing: ProfileProblem[] = [];
  const files = listFiles(path, listing);
  const known = new Map<string, Promise<KernelFacts | Failure>>();
  const read = (file: string): Promise<KernelFacts | Failure> => {
    const facts = known.get(file) ?? readProfileFile(file);
    known.set(file, facts);
    return facts;
  };
  const readAll = async (wanted: readonly string[]): Promise<FolderContent> => {
    const profiles: FolderProfile[] = [];
    const problems = [...listing];
    for (const file of wanted) {
      const facts = await read(file);
      if (failed(facts)) problems.push({ file, message: facts.message });
      else profiles.push({ file, facts });
    }
    return { profiles, problems };
  };
  return {
    path,
    async find(identity: KernelIdentity) {
      const { profiles, problems } = await readAll(files.filter((file) => !isOfOther(file, identity.pdb)));
      const { pdb } = identity;
      const found = profiles.find(({ facts }) => (pdb === null ? isOfImage(facts, identity) : isOfKernel(facts, pdb)));
      return { found: found ?? null, problems };
    },
    all: () => readAll(files),
  };
}
