/** 7z archives, where the optional part is installed. The dump is extracted to a temporary folder of the owner's. */

import { posix } from 'node:path';
import { fileOffset } from '../../addresses.js';
import { InputError } from '../input-error.js';
import { isFileName, lastPart, makeUnpackFolder, runSevenZip, type SevenZipRun } from './seven-zip-tool.js';
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
/** Without it 7-Zip would wait for somebody to type the password of an archive that has one. */
const NO_PASSWORD = '-p';

/** Archives separate folders by `/`; a name with `\` in it would lead elsewhere on Windows. */
const isDump = (name: string): boolean => /\.dmp$/i.test(name) && isFileName(posix.basename(name));

export const sevenZip: Container = {
  name: '7z',
  matches: (head) => MAGIC.every((byte, i) => head[i] === byte),
  async unpack(path, _fileBytes, options) {
    const files = (await listFiles(path)).filter((f) => f.size >= SMALLEST && isDump(f.name));
    const member = chooseMember(path, files.map((f) => f.name), options.member); // prettier-ignore
    return extract(path, member, files.find((f) => f.name === member)?.size ?? 0, options);
  },
  list: async (path) => (await listFiles(path)).filter((f) => isDump(f.name)).map((f) => f.name),
};

async function run(path: string, out: string | null, what: SevenZipRun): Promise<string[]> {
  let lines: string[] | null;
  try {
    lines = await runSevenZip(path, out, what);
  } catch {
    // The tool throws numbers that say nothing; names that are encrypted end here as damage does.
    throw new InputError(
      'corrupt',
      `${path}: the 7z archive cannot be unpacked: it is damaged or protected by a password. Unpack it with 7-Zip first`,
    );
  }
  if (lines !== null) return lines;
  throw new InputError(
    'not-supported',
    `${path} is a 7z archive: unpack it first, or install the optional package 7z-wasm beside dumpleak`,
  );
}

/** Throws InputError when the lines say that a password was wanted. */
function requireNoPassword(path: string, lines: readonly string[]): void {
  if (!lines.some((l) => /wrong password|encrypted archive/i.test(l))) return;
  throw new InputError('encrypted', `${path} is protected by a password: unpack it first`);
}

async function listFiles(path: string): Promise<{ name: string; size: number }[]> {
  const lines = await run(path, null, { command: 'l', switches: ['-slt', NO_PASSWORD] });
  requireNoPassword(path, lines);
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
  const folder = makeUnpackFolder(path, member, size);
  try {
    // `e` leaves folders out: the file lands in the folder itself, under its own last name.
    const lines = await run(path, folder.path, { command: 'e', switches: ['-y', NO_PASSWORD], members: [member] });
    requireNoPassword(path, lines);
    const file = folder.open(lastPart(member));
    const head = new Uint8Array(8);
    file.read(fileOffset(0), head);
    if (!looksLikeDump(head)) {
      file.close();
      throw new InputError('not-a-dump', `${path}: ${member} is not a Windows kernel dump`);
    }
    const damage = lines.some((l) => /^(ERROR|Sub items Errors)/.test(l)) ? 'the 7z archive is damaged' : null;
    return { source: file, member, damage };
  } catch (error) {
    folder.remove();
    throw error;
  }
}
