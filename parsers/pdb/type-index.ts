/**
 * The type stream (TPI, number 2) made searchable: where each record stands, and which definitions have a name's hash.
 *
 * A header of 56 bytes: u32 Version, HeaderSize, TypeIndexBegin, TypeIndexEnd, TypeRecordBytes, then the hash streams, which are not used.
 * One pass builds the index: 4 bytes a type, and 12 bytes a named definition. No type becomes an object until it is asked for.
 */

import { failed, Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { PdbFailure } from './failure.js';
import type { MsfStream } from './msf.js';
import { forEachRecord } from './records.js';
import { SmallReads } from './small-reads.js';
import { textAt } from './symbol-kinds.js';
import {
  afterNumericLeaf,
  FIRST_RECORD,
  IS_FORWARD_REFERENCE,
  LF_CLASS,
  LF_ENUM,
  LF_INTERFACE,
  LF_STRUCTURE,
  LF_UNION,
} from './type-kinds.js';

const HEADER = 56;
/** VC 7.0 (1999) and VC 8.0 (2004, in use since): the same header and records. */
const VERSIONS: readonly number[] = [19990903, 20040203];
/** Names compared for one look-up: hashes of 32 bits are the same by chance only. */
const MOST_COMPARED = 64;
/** The shortest record: a length and a kind. */
const SHORTEST_RECORD = 4;

/** Where the name of a structure, union or enumeration begins in its record (which begins with its kind); `null` for other kinds. */
export function nameOffset(b: Uint8Array, at = 0): number | null {
  switch (u16(b, at)) {
    case LF_CLASS:
    case LF_STRUCTURE:
    case LF_INTERFACE:
      return afterNumericLeaf(b, at + 18);
    case LF_UNION:
      return afterNumericLeaf(b, at + 10);
    case LF_ENUM:
      return at + 14;
    default:
      return null;
  }
}

const HASH_START = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;

/** The hash of the text at `words[i]`, before `words[end]`, taken in units of two bytes. */
function hashWords(words: Uint16Array, from: number, end: number): number {
  let hash = HASH_START;
  for (let i = from; i < end; i++) {
    const unit = words[i] ?? 0;
    if ((unit & 0xff) === 0) break;
    hash = Math.imul(hash ^ unit, HASH_FACTOR);
    if (unit < 0x100) break;
  }
  return hash >>> 0;
}

/** The same of the text at `b[from]`, where it does not begin on an even place. */
function hashBytes(b: Uint8Array, from: number, end: number): number {
  let hash = HASH_START;
  for (let i = from; i < end && b[i] !== 0; i += 2) {
    const high = i + 1 < end ? (b[i + 1] ?? 0) : 0;
    hash = Math.imul(hash ^ ((b[i] ?? 0) | (high << 8)), HASH_FACTOR);
    if (high === 0) break;
  }
  return hash >>> 0;
}

/** The index of one PDB's types. */
export class TypeIndex {
  private readonly records: SmallReads;
  private readonly bucketMask: number;
  private readonly heads: Int32Array;
  private readonly next: Int32Array;

  constructor(
    stream: MsfStream,
    /** Per type, from FIRST_RECORD on: where its record stands in the stream. 0 for types that the pass did not reach. */
    private readonly positions: Uint32Array,
    /** Where the last of those records ends. */
    private readonly end: number,
    private readonly hashes: Uint32Array,
    private readonly definitions: Uint32Array,
    /** What ended the pass early, or `null`. */
    readonly damage: string | null,
  ) {
    this.records = new SmallReads(stream);
    let buckets = 1024;
    while (buckets < definitions.length) buckets *= 2;
    this.bucketMask = buckets - 1;
    this.heads = new Int32Array(buckets).fill(-1);
    this.next = new Int32Array(definitions.length);
    for (let i = definitions.length - 1; i >= 0; i--) {
      const bucket = (hashes[i] ?? 0) & this.bucketMask;
      this.next[i] = this.heads[bucket] ?? -1;
      this.heads[bucket] = i;
    }
  }

  /** Type records in the stream. */
  get typeCount(): number {
    return this.positions.length;
  }

  /** The record of a type from its kind on, or `null` for built-in types and numbers without a record. */
  record(type: number): Buffer | null {
    const position = type < FIRST_RECORD ? undefined : this.positions[type - FIRST_RECORD];
    if (position === undefined || position === 0) return null;
    const next = this.positions[type - FIRST_RECORD + 1] ?? 0;
    const end = next === 0 ? this.end : next;
    return this.records.bytes(position + 2, end - position - 2);
  }

  /** The definitions (no forward references) of a structure, union or enumeration, in the order of the file; at most `most`. */
  find(name: string, most: number): readonly number[] {
    const bytes = Buffer.from(name);
    const hash = hashBytes(bytes, 0, bytes.length);
    const found: number[] = [];
    let left = MOST_COMPARED;
    for (let i = this.heads[hash & this.bucketMask] ?? -1; i >= 0 && found.length < most; i = this.next[i] ?? -1) {
      if (this.hashes[i] !== hash) continue;
      const type = this.definitions[i] ?? 0;
      if (this.nameOf(type) === name) found.push(type);
      if (--left === 0) break;
    }
    return found;
  }

  /** The name of a structure, union or enumeration; `null` for other types. */
  nameOf(type: number): string | null {
    const record = this.record(type);
    const at = record === null ? null : nameOffset(record);
    return record === null || at === null ? null : textAt(record, at, record.length);
  }
}

/** Reads the header and makes the index. */
export function indexTypes(stream: MsfStream): TypeIndex | PdbFailure {
  const head = stream.bytes(0, Math.min(HEADER, stream.byteLength));
  if (failed(head)) return head;
  if (head.length < HEADER) return new Failure('corrupt', `${stream.name}: ${head.length} bytes cannot hold types`);
  const version = u32(head, 0);
  if (!VERSIONS.includes(version)) {
    return new Failure('not-supported', `${stream.name}: type records of version ${version} are not supported`);
  }
  const headerSize = u32(head, 4);
  const count = u32(head, 12) - u32(head, 8);
  const recordBytes = u32(head, 16);
  if (
    u32(head, 8) !== FIRST_RECORD ||
    headerSize < HEADER ||
    headerSize + recordBytes > stream.byteLength ||
    count < 0 ||
    count > recordBytes / SHORTEST_RECORD
  ) {
    return new Failure(
      'corrupt',
      `${stream.name}: ${count} types in ${recordBytes} bytes after a header of ${headerSize} do not fit ${stream.byteLength} bytes`,
    );
  }
  const positions = new Uint32Array(count);
  let hashes = new Uint32Array(1024);
  let definitions = new Uint32Array(1024);
  let seen = 0;
  let last = 0;
  let defined = 0;
  const damage = forEachRecord(stream, headerSize, headerSize + recordBytes, (b, words, at, end, position) => {
    if (seen === count) return false;
    positions[seen] = position;
    const type = FIRST_RECORD + seen++;
    const kind = words[at >>> 1] ?? 0;
    last = position + 2 + end - at;
    if ((kind < LF_CLASS || kind > LF_ENUM) && kind !== LF_INTERFACE) return true;
    if (((words[(at + 4) >>> 1] ?? 0) & IS_FORWARD_REFERENCE) !== 0) return true;
    const name = nameOffset(b, at);
    if (name === null || name >= end) return true;
    if (defined === hashes.length) {
      const grow = (old: Uint32Array): Uint32Array<ArrayBuffer> => {
        const larger = new Uint32Array(old.length * 2);
        larger.set(old);
        return larger;
      };
      hashes = grow(hashes);
      definitions = grow(definitions);
    }
    hashes[defined] = (name & 1) === 0 ? hashWords(words, name >>> 1, end >>> 1) : hashBytes(b, name, end);
    definitions[defined++] = type;
    return true;
  });
  const missing = seen < count ? `${stream.name}: ${seen} of ${count} types are there` : null;
  return new TypeIndex(
    stream,
    positions,
    last,
    hashes.slice(0, defined),
    definitions.slice(0, defined),
    damage ?? missing,
  );
}
