/**
 * Archives whose bytes follow from their contents alone: entries sorted by name, one date, no owner, the same on every machine
 * and in every time zone.
 */

import tar from 'tar-stream';
import { gzipSync } from 'node:zlib';
import { ZipFile } from 'yazl';

/** A file of a package; `name` is relative, with `/`. */
export interface PackedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}

const modeOf = ({ executable }: PackedFile): number => (executable === true ? 0o755 : 0o644);
const sorted = (files: readonly PackedFile[]): PackedFile[] => files.toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** A `.zip`. Its clock counts local time from 1980, so the date is one of local time. */
export async function zip(files: readonly PackedFile[], level = 9): Promise<Buffer> {
  const archive = new ZipFile();
  const mtime = new Date(1980, 0, 1);
  for (const file of sorted(files)) {
    archive.addBuffer(Buffer.from(file.bytes), file.name, {
      ...{ mtime, mode: 0o100000 | modeOf(file), compressionLevel: level, forceDosTimestamp: true },
    });
  }
  archive.end();
  return collect(archive.outputStream);
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
