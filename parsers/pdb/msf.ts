/**
 * MSF 7.0, the container of a PDB: a file of equal blocks, and streams that are lists of block numbers.
 *
 * The superblock stands in block 0: magic, BlockSize +0x20, FreeBlockMapBlock +0x24, NumBlocks +0x28, NumDirectoryBytes +0x2C,
 * and from +0x34 the numbers of the blocks that list the directory's blocks: one, and more for a big directory.
 * The directory is u32 NumStreams, u32 sizes (0xFFFFFFFF: no stream), then the block numbers of each stream.
 */

import { fileOffset, type FileOffset } from '../addresses.js';
import { failed, Failure } from '../bytes/failure.js';
import { u32 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';
import type { PdbFailure } from './failure.js';

const MAGIC = 'Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0';
const SUPERBLOCK = 0x38;
const MAP_BLOCKS_AT = 0x34;
const NIL = 0xffffffff;
const SMALLEST_BLOCK = 0x200;
const LARGEST_BLOCK = 0x10000;
/** Stream numbers are 16 bits wide wherever a PDB refers to them. */
const MOST_STREAMS = 0x10000;

/** Files that are no MSF 7.0, by how they begin. */
const OTHER_KINDS: readonly (readonly [string, 'other-format' | 'not-supported', string])[] = [
  [
    'Microsoft MSFZ Container',
    'not-supported',
    'is a compressed MSFZ file, which is not supported: convert it to a plain PDB',
  ],
  [
    'Microsoft C/C++ program database 2.00',
    'not-supported',
    'is a PDB of the format 2.00 of the 1990s, which is not supported',
  ],
  ['BSJB', 'not-supported', 'is a portable PDB of .NET, which holds no native symbols: not supported'],
  ['MSCF', 'not-supported', 'is a compressed (CAB) file: unpack it first'],
  ['MZ', 'other-format', 'is an executable image, not a PDB'],
];

/** One stream of an MSF file, to be read at any position. Reads stop short where the file ends before a block. */
export class MsfStream implements ByteSource {
  constructor(
    private readonly file: ByteSource,
    private readonly blockSize: number,
    private readonly blocks: Uint32Array,
    readonly byteLength: number,
    readonly name: string,
  ) {}

  read(position: FileOffset, target: Uint8Array): number {
    if (position < 0 || position >= this.byteLength) return 0;
    const wanted = Math.min(target.length, this.byteLength - position);
    const size = this.blockSize;
    let done = 0;
    while (done < wanted) {
      const index = Math.floor((position + done) / size);
      const within = position + done - index * size;
      const first = this.blocks[index] ?? NIL;
      let run = 1;
      while (run * size - within < wanted - done && this.blocks[index + run] === first + run) run++;
      const count = Math.min(run * size - within, wanted - done);
      const got = this.file.read(fileOffset(first * size + within), target.subarray(done, done + count));
      done += got;
      if (got < count) break;
    }
    return done;
  }

  /** The bytes of `[position, position + length)`, or why there are none. */
  bytes(position: number, length: number): Uint8Array | PdbFailure {
    if (position < 0 || length < 0 || position + length > this.byteLength) {
      return new Failure(
        'corrupt',
        `${this.name} has ${this.byteLength} bytes, and ${length} are wanted at ${position}`,
      );
    }
    const bytes = new Uint8Array(length);
    const got = this.read(fileOffset(position), bytes);
    if (got === length) return bytes;
    return new Failure('short-file', `${this.name}: the file ends before ${length - got} of ${length} bytes`);
  }

  close(): void {
    // the file is closed by its owner
  }
}

/** The streams of an MSF file. */
export class MsfFile {
  constructor(
    private readonly file: ByteSource,
    /** Bytes. */
    readonly blockSize: number,
    /** As the superblock says; a file that was cut short has fewer. */
    readonly blockCount: number,
    /** The directory as it stands in the file. */
    private readonly directory: Uint32Array,
    /** Where the block numbers of each stream begin in `directory`. */
    private readonly starts: Uint32Array,
  ) {}

  get streamCount(): number {
    return this.starts.length;
  }

  /** The same streams, read through another source of the same bytes. */
  over(file: ByteSource): MsfFile {
    return new MsfFile(file, this.blockSize, this.blockCount, this.directory, this.starts);
  }

  /**
   * Stream `number`; `null` where the directory has none of that number. Fails when its blocks cannot be. No stream is longer than
   * the file, so that what a reader does is bounded by the file's size.
   */
  stream(number: number): MsfStream | PdbFailure | null {
    const start = this.starts[number];
    const size = this.directory[number + 1];
    if (start === undefined || size === undefined || size === NIL) return null;
    const blocks = this.directory.subarray(start, start + Math.ceil(size / this.blockSize));
    const present = Math.ceil(this.file.byteLength / this.blockSize);
    if (blocks.length > present) {
      return new Failure(
        present < this.blockCount ? 'short-file' : 'corrupt',
        `${this.file.name}: stream ${number} has ${blocks.length} blocks, and the file ${present}`,
      );
    }
    for (const block of blocks) {
      if (block === 0 || block >= this.blockCount) {
        return new Failure(
          'corrupt',
          `${this.file.name}: stream ${number} refers to block ${block} of ${this.blockCount}`,
        );
      }
    }
    return new MsfStream(this.file, this.blockSize, blocks, size, `${this.file.name}, stream ${number}`);
  }
}

function otherKind(name: string, head: Uint8Array): PdbFailure {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  const known = OTHER_KINDS.find(([magic]) => text.startsWith(magic));
  if (known !== undefined) return new Failure(known[1], `${name} ${known[2]}`);
  if (head.length === 0) return new Failure('other-format', `${name} is empty`);
  if (/^(\xef\xbb\xbf)?\s*<[!?a-z]/i.test(text)) {
    return new Failure('other-format', `${name} is not a PDB but a web page: a server's answer that was saved`);
  }
  return new Failure('other-format', `${name} is not a PDB: it does not begin with the MSF 7.00 signature`);
}

function words(bytes: Uint8Array): Uint32Array {
  const out = new Uint32Array(bytes.length >>> 2);
  for (let i = 0; i < out.length; i++) out[i] = u32(bytes, i * 4);
  return out;
}

/** Opens the container: reads the superblock and the directory, and no stream. Memory: about file size / 1024. */
export function openMsf(file: ByteSource): MsfFile | PdbFailure {
  const head = new Uint8Array(SUPERBLOCK);
  const got = file.read(fileOffset(0), head);
  if (Buffer.from(head.buffer, 0, MAGIC.length).toString('latin1') !== MAGIC) {
    return otherKind(file.name, head.subarray(0, got));
  }
  const corrupt = (what: string): PdbFailure => new Failure('corrupt', `${file.name}: ${what}`);
  if (got < SUPERBLOCK) return new Failure('short-file', `${file.name} ends within its first header`);
  const blockSize = u32(head, 0x20);
  const blockCount = u32(head, 0x28);
  const directoryBytes = u32(head, 0x2c);
  if (blockSize < SMALLEST_BLOCK || blockSize > LARGEST_BLOCK || (blockSize & (blockSize - 1)) !== 0) {
    return corrupt(`a block size of ${blockSize} bytes cannot be`);
  }
  const present = Math.min(blockCount, Math.ceil(file.byteLength / blockSize));
  if (directoryBytes < 4 || directoryBytes > 4 * (1 + MOST_STREAMS + present)) {
    return corrupt(`a directory of ${directoryBytes} bytes cannot be in a file of ${present} blocks`);
  }
  const directoryBlocks = Math.ceil(directoryBytes / blockSize);
  const mapBlocks = Math.ceil((directoryBlocks * 4) / blockSize);
  if (MAP_BLOCKS_AT + mapBlocks * 4 > blockSize)
    return corrupt(`a directory of ${directoryBytes} bytes cannot be listed`);

  const listOf = (blocks: Uint32Array, bytes: number, what: string): Uint32Array | PdbFailure => {
    if (blocks.some((block) => block === 0 || block >= blockCount)) {
      return corrupt(`${what} refers to a block past the ${blockCount} of the file`);
    }
    const read = new MsfStream(file, blockSize, blocks, bytes, `${file.name}, ${what}`).bytes(0, bytes);
    if (!failed(read)) return words(read);
    const whole = blockCount * blockSize;
    if (file.byteLength >= whole) return read;
    return new Failure('short-file', `${file.name} is cut off: it has ${file.byteLength} of ${whole} bytes`);
  };
  const mapNumbers = new Uint8Array(mapBlocks * 4);
  if (file.read(fileOffset(MAP_BLOCKS_AT), mapNumbers) < mapNumbers.length) {
    return new Failure('short-file', `${file.name} ends within its first block`);
  }
  const map = listOf(words(mapNumbers), directoryBlocks * 4, 'the list of the directory');
  if (failed(map)) return map;
  const directory = listOf(map, directoryBytes & ~3, 'the directory');
  if (failed(directory)) return directory;

  const streamCount = directory[0] ?? 0;
  if (streamCount > MOST_STREAMS || 1 + streamCount > directory.length) {
    return corrupt(`a directory of ${directoryBytes} bytes cannot hold ${streamCount} streams`);
  }
  const starts = new Uint32Array(streamCount);
  let next = 1 + streamCount;
  for (let i = 0; i < streamCount; i++) {
    const size = directory[1 + i] ?? NIL;
    starts[i] = next;
    if (size !== NIL) next += Math.ceil(size / blockSize);
    if (next > directory.length) return corrupt(`the directory ends before the blocks of stream ${i}`);
  }
  return new MsfFile(file, blockSize, blockCount, directory, starts);
}
