/**
 * Keeps a decompressed stream for random access: blocks of zeros cost nothing, the first blocks stay in memory, the
 * rest goes to a temporary file that only its owner can read and that is gone when the store is closed.
 */

import { chmodSync, closeSync, mkdtempSync, openSync, readSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileOffset } from '../addresses.js';
import { removeTemporary } from '../files/remove.js';
import { InputError } from './input-error.js';
import { removeLeft } from './processes.js';
import type { ByteSource } from './source.js';

const BLOCK = 64 * 1024;
const ZEROS = Buffer.alloc(BLOCK);
/** Names of temporary folders begin with this, the process id and a hyphen. */
export const TEMPORARY_PREFIX = 'dumpleak-';

/** Free space is looked at before the first block and every so many (64 MB), and this much of it is left alone. */
const SPACE_CHECKED = 1024;
const ROOM_LEFT = 256 * 2 ** 20;

/** Blocks kept in memory before the temporary file is begun: 32 MB. */
const IN_MEMORY = 512;

/** A ByteSource that is first written front to back, then read anywhere. */
export class BlockStore implements ByteSource {
  byteLength = 0;
  /** Per block: -1 zeros, else the slot that holds it. */
  private slots = new Int32Array(1024);
  private blocks = 0;
  private used = 0;
  private readonly memory: Uint8Array[] = [];
  private file: { descriptor: number; folder: string } | null = null;
  private pending = Buffer.alloc(BLOCK);
  private filled = 0;
  private readonly onExit = (): void => {
    this.close();
  };

  constructor(
    readonly name: string,
    private readonly inMemory = IN_MEMORY,
    private readonly freeBytes = freeTemporaryBytes,
  ) {}

  /** Adds the next bytes of the stream. Throws InputError when the temporary file cannot be written. */
  append(chunk: Uint8Array): void {
    let done = 0;
    while (done < chunk.length) {
      const count = Math.min(BLOCK - this.filled, chunk.length - done);
      this.pending.set(chunk.subarray(done, done + count), this.filled);
      this.filled += count;
      done += count;
      if (this.filled === BLOCK) this.flush();
    }
    this.byteLength += chunk.length;
  }

  /** Ends the stream: the last, partial block becomes readable. */
  finish(): void {
    if (this.filled === 0) return;
    this.pending.fill(0, this.filled);
    this.flush();
  }

  read(position: FileOffset, target: Uint8Array): number {
    if (position < 0 || position >= this.byteLength) return 0;
    const wanted = Math.min(target.length, this.byteLength - position);
    let done = 0;
    while (done < wanted) {
      const at = position + done;
      const block = Math.floor(at / BLOCK);
      const start = at - block * BLOCK;
      const count = Math.min(BLOCK - start, wanted - done);
      this.copy(this.slots[block] ?? -1, start, target.subarray(done, done + count));
      done += count;
    }
    return wanted;
  }

  close(): void {
    this.memory.length = 0;
    if (this.file === null) return;
    const { descriptor, folder } = this.file;
    this.file = null;
    process.removeListener('exit', this.onExit);
    closeSync(descriptor);
    removeTemporary(folder);
  }

  private copy(slot: number, start: number, target: Uint8Array): void {
    if (slot < 0) {
      target.fill(0);
      return;
    }
    const block = this.memory[slot];
    if (block !== undefined) {
      target.set(block.subarray(start, start + target.length));
      return;
    }
    if (this.file === null) throw new InputError('io', `${this.name}: the decompressed data is closed`);
    readSync(this.file.descriptor, target, 0, target.length, (slot - this.memory.length) * BLOCK + start);
  }

  private flush(): void {
    if (this.blocks === this.slots.length) {
      const larger = new Int32Array(this.slots.length * 2);
      larger.set(this.slots);
      this.slots = larger;
    }
    const index = this.blocks++;
    this.filled = 0;
    if (this.pending.compare(ZEROS) === 0) {
      this.slots[index] = -1;
      return;
    }
    this.slots[index] = this.used++;
    if (this.file === null && this.memory.length < this.inMemory) {
      this.memory.push(this.pending);
      this.pending = Buffer.alloc(BLOCK);
      return;
    }
    this.file ??= this.createFile();
    if ((this.used - this.memory.length) % SPACE_CHECKED === 0) this.checkSpace();
    try {
      writeSync(this.file.descriptor, this.pending, 0, BLOCK, (this.used - 1 - this.memory.length) * BLOCK);
    } catch (error) {
      throw new InputError(
        'io',
        `${this.name}: the temporary folder ${tmpdir()} cannot take the decompressed dump (${String(error)}). Free some space, set TMPDIR or TEMP to another disk, or unpack the dump first`,
      );
    }
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
