/** zip archives: the dump in it is unpacked, or read in place where it is stored without compression. */

import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { fileOffset, type FileOffset } from '../../addresses.js';
import { asInputError, FileSource } from '../file-source.js';
import { InputError } from '../input-error.js';
import type { ByteSource } from '../source.js';
import { chooseMember, looksLikeDump, pour, type Container, type UnpackOptions, type Unpacked } from './unpack.js';

const STORED = 0;
/** Archives of dumps are small; a hostile one may claim millions of files. */
const MOST_ENTRIES = 10_000;
/** Nothing smaller is a kernel dump. */
const SMALLEST = 0x1000;

export const zip: Container = {
  name: 'zip',
  matches: (head) => head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4,
  unpack: (path, fileBytes, options) => withArchive(path, (archive) => unpack(archive, path, fileBytes, options)),
  list: (path) => withArchive(path, async (archive) => (await dumpsOf(archive, path)).map((e) => e.fileName)),
};

async function withArchive<T>(path: string, work: (archive: yauzl.ZipFile) => Promise<T>): Promise<T> {
  let archive: yauzl.ZipFile;
  try {
    archive = await yauzl.openPromise(path, { autoClose: false, lazyEntries: true });
  } catch (error) {
    throw damaged(error, path);
  }
  try {
    return await work(archive);
  } catch (error) {
    throw damaged(error, path);
  } finally {
    archive.close();
  }
}

function damaged(error: unknown, path: string): unknown {
  const known = asInputError(error, path);
  if (known instanceof InputError || !(known instanceof Error)) return known;
  return new InputError('corrupt', `${path}: the zip archive is damaged (${known.message})`);
}

/** The kernel dumps in an archive, told by their first bytes. */
async function dumpsOf(archive: yauzl.ZipFile, path: string): Promise<yauzl.Entry[]> {
  const dumps: yauzl.Entry[] = [];
  let seen = 0;
  for await (const entry of entriesOf(archive)) {
    if (++seen > MOST_ENTRIES) throw new InputError('too-large', `${path} holds more than ${MOST_ENTRIES} files`);
    if (entry.fileName.endsWith('/') || entry.uncompressedSize < SMALLEST) continue;
    if (entry.isEncrypted()) {
      if (/\.dmp$/i.test(entry.fileName)) {
        throw new InputError('encrypted', `${path}: ${entry.fileName} is encrypted with a password: unpack it first`);
      }
      continue;
    }
    if (looksLikeDump(await firstBytes(archive, entry))) dumps.push(entry);
  }
  return dumps;
}

async function* entriesOf(archive: yauzl.ZipFile): AsyncGenerator<yauzl.Entry> {
  for (;;) {
    const entry = await new Promise<yauzl.Entry | null>((resolve, reject) => {
      const settle = (value: yauzl.Entry | null, error?: Error): void => {
        archive.removeAllListeners('entry').removeAllListeners('end').removeAllListeners('error');
        if (error === undefined) resolve(value);
        else reject(error);
      };
      archive.once('entry', (found: yauzl.Entry) => {
        settle(found);
      });
      archive.once('end', () => {
        settle(null);
      });
      archive.once('error', (error: Error) => {
        settle(null, error);
      });
      archive.readEntry();
    });
    if (entry === null) return;
    yield entry;
  }
}

function open(archive: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    archive.openReadStream(entry, (error, stream) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
}

async function firstBytes(archive: yauzl.ZipFile, entry: yauzl.Entry): Promise<Uint8Array> {
  const stream = await open(archive, entry);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) return chunk.subarray(0, 8);
  } catch {
    // damaged at its start: no dump that could be read
  } finally {
    stream.destroy();
  }
  return new Uint8Array(0);
}

async function unpack(
  archive: yauzl.ZipFile,
  path: string,
  fileBytes: number,
  options: UnpackOptions,
): Promise<Unpacked> {
  const dumps = await dumpsOf(archive, path);
  const member = chooseMember(path, dumps.map((e) => e.fileName), options.member); // prettier-ignore
  const entry = dumps.find((e) => e.fileName === member);
  if (entry === undefined) throw new InputError('not-found', `${path} holds no dump named ${member}`);
  if (entry.compressionMethod === STORED) return { source: await inPlace(archive, entry, path), member, damage: null };
  const stream = await open(archive, entry);
  let read = 0;
  const counted = (async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      read += chunk.length;
      yield chunk;
    }
  })();
  try {
    const total = Math.max(1, entry.uncompressedSize);
    const poured = await pour(path, counted, options, () => [
      Math.min(fileBytes, (read / total) * fileBytes),
      fileBytes,
    ]);
    return { ...poured, member };
  } finally {
    stream.destroy();
  }
}

/** A stored entry needs no unpacking: its bytes stand in the archive. */
async function inPlace(archive: yauzl.ZipFile, entry: yauzl.Entry, path: string): Promise<ByteSource> {
  const header = await new Promise<{ fileDataStart: number }>((resolve, reject) => {
    archive.readLocalFileHeader(entry, { minimal: true }, (error, found) => {
      if (error === null) resolve(found);
      else reject(error);
    });
  });
  const file = new FileSource(path);
  const { fileDataStart } = header;
  const byteLength = Math.max(0, Math.min(entry.uncompressedSize, file.byteLength - fileDataStart));
  return {
    name: path,
    byteLength,
    read(position: FileOffset, target: Uint8Array): number {
      if (position < 0 || position >= byteLength) return 0;
      const wanted = Math.min(target.length, byteLength - position);
      return file.read(fileOffset(fileDataStart + position), target.subarray(0, wanted));
    },
    close: () => {
      file.close();
    },
  };
}
