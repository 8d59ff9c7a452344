/** What every container has in common: its interface, the limits, and pouring a stream into a block store. */

import { constants } from 'node:zlib';
import { asInputError } from '../file-source.js';
import { InputError } from '../input-error.js';
import type { ByteSource } from '../source.js';
import { BlockStore } from '../block-store.js';
import { XzError } from '../xz.js';

/** Called now and then with the bytes of the file on disk that are done, and its size. */
export type Progress = (done: number, total: number) => void;

export interface UnpackOptions {
  readonly progress?: Progress;
  /** Which file of an archive, by its name in it, where there are several dumps. */
  readonly member?: string;
  /** Most bytes that a dump may unpack to. */
  readonly mostBytes?: number;
}

/** Default of UnpackOptions.mostBytes: more than any machine's memory that one would wrap up, and soon met by a bomb. */
export const MOST_UNPACKED = 256 * 2 ** 30;

/** A dump out of its wrapping. */
export interface Unpacked {
  readonly source: ByteSource;
  /** Its name in an archive that holds several files; null for plain compression. */
  readonly member: string | null;
  /** What was wrong with the wrapping; the bytes up to there are good. */
  readonly damage: string | null;
}

export type ContainerName = 'gzip' | 'zip' | 'zstd' | 'xz' | '7z';

/** One kind of wrapping. */
export interface Container {
  readonly name: ContainerName;
  /** True when a file that begins with these bytes is one. */
  matches(head: Uint8Array): boolean;
  /** Unwraps the dump in the file. Throws InputError when there is none that can be unpacked. */
  unpack(path: string, fileBytes: number, options: UnpackOptions): Promise<Unpacked>;
  /** Names of the dumps in an archive; left out for plain compression, which holds one. */
  list?(path: string): Promise<string[]>;
}

/** Decompressed bytes: a stream of them, or what hands them to `take` one after the other. */
export type Flow = AsyncIterable<Uint8Array> | ((take: (chunk: Uint8Array) => void) => Promise<void>);

/**
 * Pours decompressed bytes into a store. A stream that breaks leaves what came before it, with the damage
 * told; one that breaks at once, or grows past the limit, is an InputError.
 */
export async function pour(
  path: string,
  flow: Flow,
  options: UnpackOptions,
  done: () => [done: number, total: number],
): Promise<{ source: BlockStore; damage: string | null }> {
  const store = new BlockStore(path);
  const limit = options.mostBytes ?? MOST_UNPACKED;
  let damage: string | null = null;
  const take = (chunk: Uint8Array): void => {
    store.append(chunk);
    options.progress?.(...done());
    if (store.byteLength > limit) {
      throw new InputError(
        'too-large',
        `${path} unpacks to more than ${Math.round(limit / 2 ** 30)} GB: it is refused. Unpack it yourself if it really is a dump`,
      );
    }
  };
  try {
    if (typeof flow === 'function') await flow(take);
    else for await (const chunk of flow) take(chunk);
  } catch (error) {
    if (error instanceof InputError || isSystemError(error) || store.byteLength === 0) {
      store.close();
      if (error instanceof InputError) throw error;
      if (isSystemError(error)) throw asInputError(error, path);
      throw new InputError('corrupt', `${path}: the compressed data is damaged from its start`);
    }
    damage = `the compressed data ${isCut(error) ? 'ends early' : 'is damaged'}: ${store.byteLength} bytes of the dump could be unpacked`;
  }
  store.finish();
  return { source: store, damage };
}

function isCut(error: unknown): boolean {
  if (error instanceof XzError) return error.code === 'short-file';
  return error instanceof Error && 'errno' in error && error.errno === constants.Z_BUF_ERROR;
}

/** An error of the file system, not of the data: its code begins with E and names no decompressor's complaint. */
function isSystemError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^E[A-Z0-9]+$/.test(code);
}

/** The dump to take of an archive's dumps. Throws InputError when none or not just one is meant. */
export function chooseMember(path: string, dumps: readonly string[], wanted: string | undefined): string {
  if (wanted !== undefined) {
    const found = dumps.find((name) => name === wanted) ?? dumps.find((name) => baseName(name) === wanted);
    if (found !== undefined) return found;
    throw new InputError(
      'not-found',
      `${path} holds no dump named ${wanted} (it holds: ${dumps.join(', ') || 'none'})`,
    );
  }
  const [only, ...more] = dumps;
  if (only === undefined) throw new InputError('not-a-dump', `${path} holds no kernel dump`);
  if (more.length === 0) return only;
  throw new InputError(
    'several-dumps',
    `${path} holds ${dumps.length} dumps: say which with --member (${dumps.slice(0, 8).join(', ')}${dumps.length > 8 ? ', ...' : ''})`,
  );
}

const baseName = (name: string): string => name.split(/[\\/]/).at(-1) ?? name;

/** True for the first bytes of a kernel dump of either width. */
export function looksLikeDump(head: Uint8Array): boolean {
  return /^PAGEDU(64|MP)/.test(Buffer.from(head.subarray(0, 8)).toString('latin1'));
}
