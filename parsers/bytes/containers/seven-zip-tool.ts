/**
 * 7-Zip compiled to WebAssembly: an optional part (its licence is LGPL), used where the package `7z-wasm` is installed
 * beside this one. It sees the folder of the file that it is to read, and one folder to write to.
 */

import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { realPath } from '../../files/paths.js';
import { removeTemporary } from '../../files/remove.js';
import { freeTemporaryBytes, removeLeftovers, TEMPORARY_PREFIX } from '../block-store.js';
import { FileSource } from '../file-source.js';
import { InputError } from '../input-error.js';
import type { ByteSource } from '../source.js';

/** The part of 7z-wasm that is used. */
interface SevenZip {
  callMain(args: string[]): void;
  readonly FS: {
    mkdir(path: string): void;
    mount(type: unknown, options: { root: string }, path: string): void;
    chdir(path: string): void;
    readonly streams: readonly (object | null | undefined)[];
    close(stream: object): void;
  };
  readonly NODEFS: unknown;
}

/** Its standard input, output and error. */
const OWN_STREAMS = 3;

const isOpen = (stream: object | null | undefined): stream is object => stream !== null && stream !== undefined;

/** What to run: 7-Zip's command letter, its switches, and the files of the archive that are meant (all where empty). */
export interface SevenZipRun {
  readonly command: 'l' | 'e';
  readonly switches?: readonly string[];
  readonly members?: readonly string[];
}

/**
 * Runs 7-Zip on the archive at `path`, writing to the folder `out`, and returns the lines that it printed; null where the
 * optional part is not installed. Throws the tool's own error when it stops.
 */
export async function runSevenZip(path: string, out: string | null, run: SevenZipRun): Promise<string[] | null> {
  let create: (options: object) => Promise<SevenZip>;
  try {
    const name = '7z-wasm';
    create = ((await import(name)) as { default: typeof create }).default;
  } catch {
    return null;
  }
  const lines: string[] = [];
  const tool = await create({
    print: (line: string) => lines.push(line),
    printErr: (line: string) => lines.push(line),
  });
  // It cannot follow a link that leads out of the folder it sees.
  const file = realPath(path);
  tool.FS.mkdir('/in');
  tool.FS.mount(tool.NODEFS, { root: dirname(file) }, '/in');
  if (out !== null) {
    tool.FS.mkdir('/out');
    tool.FS.mount(tool.NODEFS, { root: out }, '/out');
    tool.FS.chdir('/out');
  }
  const exitCode = process.exitCode;
  try {
    // -spd: names are names, whatever stars stand in them.
    tool.callMain([
      run.command,
      ...(run.switches ?? []),
      '-spd',
      '--',
      `/in/${basename(file)}`,
      ...(run.members ?? []),
    ]);
  } finally {
    process.exitCode = exitCode;
    // When it stops at a password it leaves the archive open, which nobody could remove then on Windows.
    for (const stream of tool.FS.streams.slice(OWN_STREAMS)) if (isOpen(stream)) tool.FS.close(stream);
  }
  return lines;
}

/** The part after the last separator of either kind. */
export const lastPart = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

/** True for what every system takes as the name of a file in a folder, and as nothing else. */
export const isFileName = (name: string): boolean => /^[^\\/:*?"<>|\0-\x1f]{1,255}$/.test(name) && !/^\.+$/.test(name);

/** A folder of the owner's for what is unpacked; it is gone at the latest when the process ends. */
export interface UnpackFolder {
  readonly path: string;
  /** The file of that name in the folder; closing it removes the folder. */
  open(name: string): ByteSource;
  remove(): void;
}

/** Makes an UnpackFolder. Throws InputError where the disk has no room for `bytes` of `what`, a file in `archive`. */
export function makeUnpackFolder(archive: string, what: string, bytes: number): UnpackFolder {
  removeLeftovers();
  const free = freeTemporaryBytes();
  if (free !== null && free < bytes) {
    throw new InputError(
      'io',
      `${archive}: the temporary folder ${tmpdir()} has no room for the ${Math.ceil(bytes / 2 ** 20)} MB of ${what}. Free some space, or set TMPDIR or TEMP to another disk`,
    );
  }
  const path = mkdtempSync(join(tmpdir(), `${TEMPORARY_PREFIX}${process.pid}-`));
  chmodSync(path, 0o700);
  const onExit = (): void => {
    removeTemporary(path);
  };
  process.once('exit', onExit);
  const remove = (): void => {
    onExit();
    process.removeListener('exit', onExit);
  };
  return {
    path,
    remove,
    open: (name) => {
      const file = new FileSource(join(path, name));
      return {
        name: file.name,
        byteLength: file.byteLength,
        read: (position, target) => file.read(position, target),
        close: () => {
          file.close();
          remove();
        },
      };
    },
  };
}
