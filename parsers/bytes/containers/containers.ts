/** Files that wrap a dump: recognised by their first bytes, unpacked so that the dump can be read at any position. */

import { fileOffset } from '../../addresses.js';
import { FileSource } from '../file-source.js';
import type { ByteSource } from '../source.js';
import { gzip } from './gzip.js';
import type { Container, ContainerName, UnpackOptions } from './unpack.js';

export type { UnpackOptions } from './unpack.js';

/** A dump's bytes, whatever they came wrapped in. */
export interface OpenedFile {
  readonly source: ByteSource;
  /** Bytes of the file on disk. */
  readonly fileBytes: number;
  readonly container: ContainerName | null;
  /** What was wrong with the wrapping; the bytes up to there are good. */
  readonly damage: string | null;
}

/** A new kind of container is one more file and one line here. All but gzip are loaded when a file asks for them. */
const CONTAINERS: readonly (() => Promise<Container>)[] = [
  () => Promise.resolve(gzip),
  async () => (await import('./zip.js')).zip,
  async () => (await import('./zstd.js')).zstd,
  async () => (await import('./xz.js')).xz,
  async () => (await import('./seven-zip.js')).sevenZip,
];

/** Opens a file and unwraps it. Throws InputError when it cannot be opened or holds nothing that can be unpacked. */
export async function openFile(path: string, options: UnpackOptions = {}): Promise<OpenedFile> {
  const file = new FileSource(path);
  const container = await containerOf(file);
  const fileBytes = file.byteLength;
  if (container === null) return { source: file, fileBytes, container: null, damage: null };
  file.close();
  const { source, damage } = await container.unpack(path, fileBytes, options);
  return { source, fileBytes, container: container.name, damage };
}

/** Names of the dumps in an archive; null for a file that is none. Throws InputError as `openFile` does. */
export async function listMembers(path: string): Promise<string[] | null> {
  const file = new FileSource(path);
  const container = await containerOf(file);
  file.close();
  return container?.list === undefined ? null : container.list(path);
}

async function containerOf(file: FileSource): Promise<Container | null> {
  const head = new Uint8Array(8);
  try {
    file.read(fileOffset(0), head);
    // A dump is the usual case: it needs no container's code.
    if (head[0] === 0x50 && head[1] === 0x41) return null;
    for (const load of CONTAINERS) {
      const container = await load();
      if (container.matches(head)) return container;
    }
  } catch (error) {
    file.close();
    throw error;
  }
  return null;
}
