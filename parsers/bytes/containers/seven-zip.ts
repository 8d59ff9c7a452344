/**
 * 7z archives, by 7-Zip compiled to WebAssembly: an optional part (its licence is LGPL), used where the package
 * `7z-wasm` is installed beside this one. The dump is extracted to a temporary folder of the owner's.
 */

import { chmodSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileOffset } from '../../addresses.js';
import { FileSource } from '../file-source.js';
import { InputError } from '../input-error.js';
import type { ByteSource } from '../source.js';
import { removeLeftovers, TEMPORARY_PREFIX } from '../block-store.js';
import {
  chooseMember,
  looksLikeDump,
  MOST_UNPACKED,
  type Container,
  type UnpackOptions,
  type Unpacked,
} from './unpack.js';

const MAGIC = [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c];
const SMALLEST = 0x1000;

/** The part of 7z-wasm that is used. */
interface SevenZip {
  callMain(args: string[]): void;
  readonly FS: {
    mkdir(path: string): void;
    mount(type: unknown, options: { root: string }, path: string): void;
    chdir(path: string): void;
  };
  readonly NODEFS: unknown;
}

export const sevenZip: Container = {
  name: '7z',
  matches: (head) => MAGIC.every((byte, i) => head[i] === byte),
  async unpack(path, _fileBytes, options) {
    const files = (await listFiles(path)).filter((f) => f.size >= SMALLEST && /\.dmp$/i.test(f.name));
    const member = chooseMember(path, files.map((f) => f.name), options.member); // prettier-ignore
    return extract(path, member, files.find((f) => f.name === member)?.size ?? 0, options);
  },
  list: async (path) => (await listFiles(path)).filter((f) => /\.dmp$/i.test(f.name)).map((f) => f.name),
};

/** Runs 7-Zip with the archive's folder at /in and, where given, a folder to write to at /out. */
async function run(path: string, out: string | null, args: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  let create: (options: object) => Promise<SevenZip>;
  try {
    const name = '7z-wasm';
    create = ((await import(name)) as { default: typeof create }).default;
  } catch {
    throw new InputError(
      'not-supported',
      `${path} is a 7z archive: unpack it first, or install the optional package 7z-wasm beside dumpleak`,
    );
  }
  const tool = await create({
    print: (line: string) => lines.push(line),
    printErr: (line: string) => lines.push(line),
  });
  tool.FS.mkdir('/in');
  tool.FS.mount(tool.NODEFS, { root: dirname(resolve(path)) }, '/in');
  if (out !== null) {
    tool.FS.mkdir('/out');
    tool.FS.mount(tool.NODEFS, { root: out }, '/out');
    tool.FS.chdir('/out');
  }
  try {
    tool.callMain([...args]);
  } catch (error) {
    throw new InputError('corrupt', `${path}: the 7z archive cannot be unpacked (${String(error)})`);
  }
  return lines;
}

async function listFiles(path: string): Promise<{ name: string; size: number }[]> {
  const lines = await run(path, null, ['l', '-slt', '-p', `/in/${basename(path)}`]);
  const files: { name: string; size: number }[] = [];
  let name = '';
  for (const line of lines.slice(lines.findIndex((l) => l.startsWith('----------')) + 1)) {
    if (line.startsWith('Path = ')) name = line.slice(7);
    else if (line.startsWith('Size = ')) files.push({ name, size: Number(line.slice(7)) || 0 });
  }
  return files;
}

async function extract(path: string, member: string, size: number, options: UnpackOptions): Promise<Unpacked> {
  const limit = options.mostBytes ?? MOST_UNPACKED;
  if (size > limit) {
    throw new InputError(
      'too-large',
      `${path}: ${member} unpacks to more than ${Math.round(limit / 2 ** 30)} GB: it is refused`,
    );
  }
  const space = statfsSync(tmpdir());
  if (space.bavail * space.bsize < size) {
    throw new InputError(
      'io',
      `${path}: the temporary folder ${tmpdir()} has no room for the ${Math.ceil(size / 2 ** 20)} MB of ${member}. Free some space, or set TMPDIR or TEMP to another disk`,
    );
  }
  removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${TEMPORARY_PREFIX}${process.pid}-`));
  chmodSync(folder, 0o700);
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  try {
    // `e` leaves folders out: the file lands in the folder itself, under its own last name.
    const lines = await run(path, folder, ['e', '-y', '-p', `/in/${basename(path)}`, member]);
    const file = new FileSource(join(folder, member.split(/[\\/]/).at(-1) ?? member));
    const head = new Uint8Array(8);
    file.read(fileOffset(0), head);
    if (!looksLikeDump(head)) {
      file.close();
      throw new InputError('not-a-dump', `${path}: ${member} is not a Windows kernel dump`);
    }
    const damage = lines.some((l) => /^(ERROR|Sub items Errors)/.test(l)) ? 'the 7z archive is damaged' : null;
    return { source: closing(file, remove), member, damage };
  } catch (error) {
    remove();
    process.removeListener('exit', remove);
    throw error;
  }
}

/** The source with something to do after it is closed. */
function closing(file: FileSource, after: () => void): ByteSource {
  return {
    name: file.name,
    byteLength: file.byteLength,
    read: (position, target) => file.read(position, target),
    close: () => {
      file.close();
      after();
      process.removeListener('exit', after);
    },
  };
}
