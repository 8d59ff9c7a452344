/**
 * Cabinet files, as symbol servers send them (`ntkrnlmp.pd_`): the one file in them is unpacked, MSZIP or stored.
 *
 * CFHEADER of 36 bytes: `MSCF`, u32 size of the cabinet +8, u32 first CFFILE +0x10, u16 folders +0x1A, u16 files +0x1C, u16 flags +0x1E;
 * with flag 4 the sizes of reserved parts follow, with flags 1 and 2 names of the cabinets before and after. CFFOLDER: u32 first CFDATA,
 * u16 blocks, u16 compression. CFFILE: u32 size, u32 offset in the folder, u16 folder, date, time, attributes, name. CFDATA: u32 checksum,
 * u16 packed bytes, u16 unpacked bytes, data. MSZIP data is `CK` and a deflate stream that may refer to the 32 KB before it.
 */

import { inflateRawSync } from 'node:zlib';
import { fileOffset } from '../addresses.js';
import { BlockStore } from '../bytes/block-store.js';
import { failed, Failure, type FormatCode } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';

const HEADER = 36;
const FOLDER = 8;
const FILE = 16;
const DATA = 8;
const HAS_PREVIOUS = 1;
const HAS_NEXT = 2;
const HAS_RESERVED = 4;
/** Folder numbers from here on: the file continues from or in another cabinet. */
const CONTINUED = 0xfffd;
const STORED = 0;
const MSZIP = 1;
/** Most that one CFDATA unpacks to, and how far back MSZIP refers. */
const WINDOW = 0x8000;
/** A stored or barely packed block is a little longer than what it unpacks to. */
const LONGEST_PACKED = WINDOW + 6144;
const LONGEST_NAME = 256;

/** Why a cabinet was not unpacked; `not-supported` is a sound cabinet of a kind that is not read here. */
export type CabFailure = Failure<FormatCode>;

/** A sound cabinet whose file is packed in a way that is not read here. */
export class OtherCompression extends Failure<'not-supported'> {
  constructor(
    message: string,
    /** How it is packed: `LZX`, `Quantum`, or the number. */
    readonly compression: string,
    /** The file's name, as the cabinet has it; not to be trusted as a path. */
    readonly name: string,
    /** Bytes that it unpacks to, as the cabinet says. */
    readonly size: number,
    /** How many files the cabinet holds. */
    readonly files: number,
  ) {
    super('not-supported', message);
  }
}

/** A file out of a cabinet. */
export interface UnpackedFile {
  /** As the cabinet has it; not to be trusted as a path. */
  readonly name: string;
  /** Its bytes; close it when done. */
  readonly source: ByteSource;
}

/** Options of `decompressCab`. */
export interface CabOptions {
  /** Most bytes to unpack; by default 2 GB. */
  readonly limit?: number;
}

interface Cabinet {
  readonly source: ByteSource;
  /** Bytes before the data of each CFDATA. */
  readonly dataHeader: number;
}

interface Folder {
  readonly at: number;
  readonly blocks: number;
  readonly compression: number;
}

const corrupt = (source: ByteSource, what: string): CabFailure => new Failure('corrupt', `${source.name}: ${what}`);

function bytesAt(source: ByteSource, position: number, length: number): Uint8Array | CabFailure {
  const bytes = new Uint8Array(length);
  const got = source.read(fileOffset(position), bytes);
  if (got === length) return bytes;
  return new Failure(
    'short-file',
    `${source.name} ends at ${position + got}, and ${length} bytes are wanted at ${position}`,
  );
}

/** A NUL-terminated name; `null` when it does not end. */
function nameAt(source: ByteSource, position: number): { readonly name: string; readonly next: number } | null {
  const bytes = new Uint8Array(LONGEST_NAME);
  const got = source.read(fileOffset(position), bytes);
  const end = bytes.subarray(0, got).indexOf(0);
  return end < 0 ? null : { name: Buffer.from(bytes.buffer, 0, end).toString('utf8'), next: position + end + 1 };
}

/** The checksum of a CFDATA: its bytes as little-endian words, XORed; what is left over counts from the high byte down. */
function checksum(bytes: Uint8Array, seed: number): number {
  let sum = seed;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) sum ^= u32(bytes, i);
  let rest = 0;
  for (let i = whole; i < bytes.length; i++) rest = (rest << 8) | (bytes[i] ?? 0);
  return (sum ^ rest) >>> 0;
}

function unsupported(
  source: ByteSource,
  compression: number,
  name: string,
  size: number,
  files: number,
): OtherCompression {
  const kind = ['', '', 'Quantum', 'LZX'][compression & 0xf] ?? `kind ${compression & 0xf}`;
  return new OtherCompression(
    `${source.name}: it is packed by ${kind}, which is not read: unpack it with "expand" of Windows or 7-Zip first`,
    kind,
    name,
    size,
    files,
  );
}

/** Unpacks the blocks of a folder from `skip` on into `store`, until `wanted` bytes are there. */
function unpack(cab: Cabinet, folder: Folder, skip: number, wanted: number, store: BlockStore): CabFailure | null {
  const { source } = cab;
  let position = folder.at;
  let before = 0;
  let dictionary: Uint8Array = new Uint8Array(0);
  for (let block = 0; block < folder.blocks && before < skip + wanted; block++) {
    const head = bytesAt(source, position, cab.dataHeader);
    if (failed(head)) return head;
    const packedBytes = u16(head, 4);
    const unpackedBytes = u16(head, 6);
    if (unpackedBytes === 0) return new Failure('not-supported', `${source.name} continues in another cabinet`);
    if (packedBytes > LONGEST_PACKED || unpackedBytes > WINDOW) {
      return corrupt(source, `block ${block} unpacks ${packedBytes} bytes to ${unpackedBytes}`);
    }
    const packed = bytesAt(source, position + cab.dataHeader, packedBytes);
    if (failed(packed)) return packed;
    const sum = u32(head, 0);
    const ofData = checksum(packed, 0);
    // Writers differ in whether the reserved bytes count.
    if (sum !== 0 && sum !== checksum(head.subarray(4), ofData) && sum !== checksum(head.subarray(4, 8), ofData)) {
      return corrupt(source, `the checksum of block ${block} is wrong`);
    }
    const plain = (folder.compression & 0xf) === STORED ? packed : inflate(packed, dictionary);
    if (plain?.length !== unpackedBytes) return corrupt(source, `block ${block} cannot be unpacked`);
    const from = Math.max(0, skip - before);
    const to = Math.min(plain.length, skip + wanted - before);
    if (from < to) store.append(plain.subarray(from, to));
    before += plain.length;
    position += cab.dataHeader + packedBytes;
    dictionary = plain.length === WINDOW ? plain : Buffer.concat([dictionary, plain]).subarray(-WINDOW);
  }
  return before >= skip + wanted ? null : corrupt(source, `it unpacks to ${before} of ${skip + wanted} bytes`);
}

function inflate(packed: Uint8Array, dictionary: Uint8Array): Uint8Array | null {
  if (packed[0] !== 0x43 || packed[1] !== 0x4b) return null;
  try {
    return inflateRawSync(packed.subarray(2), {
      maxOutputLength: WINDOW,
      ...(dictionary.length > 0 ? { dictionary } : {}),
    });
  } catch {
    return null;
  }
}

/** True when the source begins as a cabinet does. */
export function isCab(source: ByteSource): boolean {
  const head = new Uint8Array(4);
  return source.read(fileOffset(0), head) === 4 && u32(head, 0) === 0x4643534d;
}

/**
 * Unpacks the first file of a cabinet, where MSZIP or nothing packed it. Past 32 MB it stands in a temporary file. The result is complete: sizes and checksums were compared. Throws InputError when
 * the temporary folder cannot take it.
 */
export function decompressCab(source: ByteSource, options: CabOptions = {}): UnpackedFile | CabFailure {
  if (!isCab(source)) return new Failure('other-format', `${source.name} is not a cabinet`);
  const head = bytesAt(source, 0, HEADER);
  if (failed(head)) return head;
  const flags = u16(head, 0x1e);
  let at = HEADER;
  let folderReserve = 0;
  let dataHeader = DATA;
  if ((flags & HAS_RESERVED) !== 0) {
    const reserved = bytesAt(source, HEADER, 4);
    if (failed(reserved)) return reserved;
    folderReserve = reserved[2] ?? 0;
    dataHeader += reserved[3] ?? 0;
    at += 4 + u16(reserved, 0);
  }
  for (let names = (flags & HAS_PREVIOUS ? 2 : 0) + (flags & HAS_NEXT ? 2 : 0); names > 0; names--) {
    const name = nameAt(source, at);
    if (name === null) return corrupt(source, 'the name of a neighbouring cabinet does not end');
    at = name.next;
  }
  if (u16(head, 0x1c) === 0) return corrupt(source, 'it holds no file');
  const entry = bytesAt(source, u32(head, 0x10), FILE);
  if (failed(entry)) return entry;
  const name = nameAt(source, u32(head, 0x10) + FILE);
  if (name === null) return corrupt(source, 'the name of its file does not end');
  const folderNumber = u16(entry, 8);
  if (folderNumber >= CONTINUED) return new Failure('not-supported', `${source.name} continues in another cabinet`);
  if (folderNumber >= u16(head, 0x1a)) return corrupt(source, `it has no folder ${folderNumber}`);
  const folderBytes = bytesAt(source, at + folderNumber * (FOLDER + folderReserve), FOLDER);
  if (failed(folderBytes)) return folderBytes;
  const folder = { at: u32(folderBytes, 0), blocks: u16(folderBytes, 4), compression: u16(folderBytes, 6) };

  const size = u32(entry, 0);
  const limit = options.limit ?? 2 ** 31;
  if (size > limit) return new Failure('too-large', `${source.name} unpacks to ${size} bytes; the limit is ${limit}`);
  const skip = u32(entry, 4);
  if (skip + size > folder.blocks * WINDOW) {
    return corrupt(source, `${folder.blocks} blocks cannot hold ${skip + size} bytes`);
  }
  if (![STORED, MSZIP].includes(folder.compression & 0xf)) {
    return unsupported(source, folder.compression, name.name, size, u16(head, 0x1c));
  }
  const store = new BlockStore(name.name);
  const cab = { source, dataHeader };
  let failure: CabFailure | null;
  try {
    failure = unpack(cab, folder, skip, size, store);
  } catch (error) {
    store.close();
    throw error;
  }
  if (failure !== null) {
    store.close();
    return failure;
  }
  store.finish();
  return { name: name.name, source: store };
}
