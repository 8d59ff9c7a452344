/**
 * Keeps a decompressed stream for random access: pages of zeros are not kept, the first others stay in memory, the rest
 * goes to a temporary file that only its owner can read and that is gone when the store is closed.
 */

import { chmodSync, closeSync, mkdtempSync, openSync, readSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileOffset } from '../addresses.js';
import { removeTemporary } from '../files/remove.js';
import { InputError } from './input-error.js';
import { removeLeft } from './processes.js';
import type { ByteSource } from './source.js';

/** What is kept or not, in bytes: a page. */
const PAGE = 4096;
/** Pages that share an entry of the index, and their bytes. */
const GROUP_PAGES = 16;
const GROUP = GROUP_PAGES * PAGE;
const ZEROS = Buffer.alloc(GROUP);
/** Pages are written this many at a time: 1 MB. */
const SLAB_PAGES = 256;
const SLAB = SLAB_PAGES * PAGE;
/** Names of temporary folders begin with this, the process id and a hyphen. */
export const TEMPORARY_PREFIX = 'dumpleak-';

/** Free space is looked at before the first slab and every so many (64 MB), and this much of it is left alone. */
const SPACE_CHECKED = 64;
const ROOM_LEFT = 256 * 2 ** 20;

/** Slabs kept in memory before the temporary file is begun: 8 MB. */
const IN_MEMORY = 8;

/** A ByteSource that is first written front to back, then read anywhere. Of 256 GB the index takes 24 MB. */
export class BlockStore implements ByteSource {
  byteLength = 0;
  /** Per group of pages: a bit for each page that is kept, and the slot of the first of them. Slots go up with pages. */
  private kept = new Uint16Array(1024);
  private first = new Uint32Array(1024);
  private pages = 0;
  private used = 0;
  private readonly memory: Buffer[] = [];
  /** Slabs that are in memory or in the file; the pages after them are in `slab`. */
  private flushed = 0;
  private slab = Buffer.allocUnsafe(SLAB);
  private file: { descriptor: number; folder: string } | null = null;
  /** The begin of a page whose rest has not come yet. */
  private readonly pending = Buffer.alloc(PAGE);
  private filled = 0;
  private isClosed = false;
  private readonly onExit = (): void => {
    this.close();
  };

  /** `inMemory`: megabytes kept in memory; `freeBytes`: what the disk of temporary files has left. */
  constructor(
    readonly name: string,
    private readonly inMemory = IN_MEMORY,
    private readonly freeBytes = freeTemporaryBytes,
  ) {}

  /** Adds the next bytes of the stream. Throws InputError when the temporary file cannot be written. */
  append(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    if (this.filled > 0) {
      at = bytes.copy(this.pending, this.filled, 0, PAGE - this.filled);
      this.filled += at;
      if (this.filled === PAGE) this.addPending();
    }
    while (at + PAGE <= bytes.length) at += this.add(bytes, at);
    // Nothing is left where the chunk ended within the page that was begun before.
    this.filled += bytes.copy(this.pending, this.filled, at);
    this.byteLength += bytes.length;
  }

  /** Ends the stream: the last, partial page becomes readable. */
  finish(): void {
    if (this.filled > 0) this.addPending();
  }

  read(position: FileOffset, target: Uint8Array): number {
    if (position < 0 || position >= this.byteLength) return 0;
    const wanted = Math.min(target.length, this.byteLength - position);
    let done = 0;
    while (done < wanted) {
      const at = position + done;
      const page = Math.floor(at / PAGE);
      const start = at - page * PAGE;
      const slot = this.slotOf(page);
      let count = Math.min(PAGE - start, wanted - done);
      // Pages that stand side by side are one read.
      const last = slot < 0 ? 0 : Math.min(SLAB_PAGES - (slot % SLAB_PAGES), Math.ceil((start + wanted - done) / PAGE));
      for (let i = 1; i < last && this.slotOf(page + i) === slot + i; i++) {
        count = Math.min((i + 1) * PAGE - start, wanted - done);
      }
      this.copy(slot, start, target.subarray(done, done + count));
      done += count;
    }
    return wanted;
  }

  close(): void {
    this.memory.length = 0;
    this.slab = Buffer.alloc(0);
    this.isClosed = true;
    if (this.file === null) return;
    const { descriptor, folder } = this.file;
    this.file = null;
    process.removeListener('exit', this.onExit);
    closeSync(descriptor);
    removeTemporary(folder);
  }

  /** The slot of a page; -1 for zeros. */
  private slotOf(page: number): number {
    if (page >= this.pages) return -1;
    const group = Math.floor(page / GROUP_PAGES);
    const bit = page % GROUP_PAGES;
    const kept = this.kept[group] ?? 0;
    if (((kept >> bit) & 1) === 0) return -1;
    return (this.first[group] ?? 0) + bitsOf(kept & ((1 << bit) - 1));
  }

  /** Bytes from `start` of the slot on, within its slab. */
  private copy(slot: number, start: number, target: Uint8Array): void {
    if (slot < 0) {
      target.fill(0);
      return;
    }
    if (this.isClosed) throw new InputError('io', `${this.name}: the decompressed data is closed`);
    const number = Math.floor(slot / SLAB_PAGES);
    const at = (slot - number * SLAB_PAGES) * PAGE + start;
    const slab = number === this.flushed ? this.slab : this.memory[number];
    if (slab !== undefined) slab.copy(target, 0, at, at + target.length);
    else if (this.file !== null) {
      readSync(this.file.descriptor, target, 0, target.length, (number - this.memory.length) * SLAB + at);
    }
  }

  private addPending(): void {
    this.pending.fill(0, this.filled);
    this.filled = 0;
    this.add(this.pending, 0);
  }

  /** Adds the page at `at`, or a whole group of zeros there, and returns the bytes that it took. */
  private add(bytes: Buffer, at: number): number {
    const bit = this.pages % GROUP_PAGES;
    const group = (this.pages - bit) / GROUP_PAGES;
    if (bit === 0) this.beginGroup(group);
    const size = bit === 0 && at + GROUP <= bytes.length && isZero(bytes, at, GROUP) ? GROUP : PAGE;
    this.pages += size / PAGE;
    if (size === GROUP || isZero(bytes, at, PAGE)) return size;
    this.kept[group] = (this.kept[group] ?? 0) | (1 << bit);
    bytes.copy(this.slab, (this.used % SLAB_PAGES) * PAGE, at, at + PAGE);
    if (++this.used % SLAB_PAGES === 0) this.flush();
    return size;
  }

  private beginGroup(group: number): void {
    if (group === this.kept.length) {
      const kept = new Uint16Array(group * 2);
      const first = new Uint32Array(group * 2);
      kept.set(this.kept);
      first.set(this.first);
      this.kept = kept;
      this.first = first;
    }
    this.first[group] = this.used;
  }

  /** The slab is full: it is kept in memory, or written. */
  private flush(): void {
    if (this.file === null && this.memory.length < this.inMemory) {
      this.memory.push(this.slab);
      this.slab = Buffer.allocUnsafe(SLAB);
      this.flushed++;
      return;
    }
    this.file ??= this.createFile();
    const written = this.flushed - this.memory.length;
    if (written % SPACE_CHECKED === SPACE_CHECKED - 1) this.checkSpace();
    try {
      writeAll(this.file.descriptor, this.slab, written * SLAB);
    } catch (error) {
      throw new InputError(
        'io',
        `${this.name}: the temporary folder ${tmpdir()} cannot take the decompressed dump (${String(error)}). Free some space, set TMPDIR or TEMP to another disk, or unpack the dump first`,
      );
    }
    this.flushed++;
  }

  private checkSpace(): void {
    const free = this.freeBytes();
    if (free === null || free >= ROOM_LEFT) return;
    throw new InputError(
      'io',
      `${this.name}: the temporary folder ${tmpdir()} is nearly full. Free some space, set TMPDIR or TEMP to another disk, or unpack the dump first`,
    );
  }

  private createFile(): { descriptor: number; folder: string } {
    removeLeftovers();
    this.checkSpace();
    const folder = mkdtempSync(join(tmpdir(), `${TEMPORARY_PREFIX}${process.pid}-`));
    chmodSync(folder, 0o700);
    const descriptor = openSync(join(folder, 'decompressed'), 'wx+', 0o600);
    process.once('exit', this.onExit);
    return { descriptor, folder };
  }
}

/** Most pages that are not zero tell it by their first bytes. */
function isZero(bytes: Buffer, at: number, size: number): boolean {
  return bytes[at] === 0 && bytes.compare(ZEROS, 0, size, at, at + size) === 0;
}

/** How many of 16 bits are set. */
function bitsOf(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function writeAll(descriptor: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}

/** Bytes that the temporary folder's disk has left, or null where the system does not tell. */
export function freeTemporaryBytes(): number | null {
  try {
    const { bavail, bsize } = statfsSync(tmpdir());
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** Removes temporary folders of this process: after a thread of it that had unpacked a dump was ended. */
export function removeOwnTemporary(): void {
  try {
    removeLeft(tmpdir(), TEMPORARY_PREFIX, (pid) => pid !== process.pid);
  } catch {
    // The next run removes them.
  }
}

/** Removes temporary folders of runs that were killed, where they can be seen: the process in the name no longer exists. */
export function removeLeftovers(): void {
  try {
    removeLeft(tmpdir(), TEMPORARY_PREFIX);
  } catch {
    // A folder that may be written to and not listed.
  }
}
