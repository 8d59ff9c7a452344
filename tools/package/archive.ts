/**
 * Archives whose bytes follow from their contents alone: entries sorted by name, one date, no owner, the same on every machine
 * and in every time zone.
 */

import sevenZip, { type SevenZipModuleFactory } from '7z-wasm';
import tar from 'tar-stream';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file of a package; `name` is relative, with `/`. */
export interface PackedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}

const modeOf = ({ executable }: PackedFile): number => (executable === true ? 0o755 : 0o644);
const sorted = (files: readonly PackedFile[]): PackedFile[] => files.toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Of 7-Zip's nine levels, one whose time is worth it: the next saves 1 % and takes three times as long. */
const STRONG = 7;
/** Its types tell of a module of another kind. */
const loadSevenZip = sevenZip as unknown as SevenZipModuleFactory;

/**
 * A `.zip`, by 7-Zip compiled to WebAssembly: its deflate makes a twentieth less than zlib's, and every unzipper reads it. Its
 * clock counts local time from 1980, so the date is one of local time.
 */
export async function zip(files: readonly PackedFile[], level = STRONG): Promise<Buffer> {
  const said: string[] = [];
  const print = (line: string): number => said.push(line);
  const tool = await loadSevenZip({ print, printErr: print });
  const { FS } = tool;
  FS.mkdir('/in');
  FS.chdir('/in');
  const time = new Date(1980, 0, 2).getTime();
  // A folder is shorter than those in it.
  for (const folder of [...new Set(files.flatMap(({ name }) => foldersOf(name)))].sort()) FS.mkdir(folder);
  for (const file of sorted(files)) {
    FS.writeFile(file.name, file.bytes);
    FS.chmod(file.name, modeOf(file));
    FS.utime(file.name, time, time);
  }
  const exitCode = process.exitCode;
  // -mtp=2: no other dates than that one; -bd: no progress.
  tool.callMain([
    'a',
    '-tzip',
    `-mx=${level}`,
    '-mtp=2',
    '-bd',
    '-spd',
    '/out.zip',
    ...sorted(files).map(({ name }) => name),
  ]);
  const ended = process.exitCode;
  process.exitCode = exitCode;
  if (ended !== 0) throw new Error(`7-Zip ended with ${ended}: ${said.join('\n')}`);
  return Buffer.from(FS.readFile('/out.zip'));
}

/** `a`, `a/b` of `a/b/c`. */
function foldersOf(name: string): string[] {
  const folder = dirname(name);
  return folder === '.' ? [] : [...foldersOf(folder), folder];
}

/** A `.tar.gz`. */
export async function tarGz(files: readonly PackedFile[], level = 9): Promise<Buffer> {
  const pack = tar.pack();
  for (const file of sorted(files)) {
    const { name } = file;
    pack.entry({ name, mode: modeOf(file), mtime: new Date(0), uid: 0, gid: 0 }, Buffer.from(file.bytes));
  }
  pack.finalize();
  const bytes = gzipSync(await collect(pack), { level });
  // The system that packed it: Node says which, and nobody needs to know.
  bytes[9] = 255;
  return bytes;
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
