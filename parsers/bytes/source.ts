/** One way to read bytes at a position: everything above it is synchronous and knows nothing of files. */

import type { FileOffset } from '../addresses.js';
import type { ReadPace } from './read-pace.js';

/** Random access to a finite run of bytes. */
export interface ByteSource {
  /** A path or a label for messages. */
  readonly name: string;
  readonly byteLength: number;
  /**
   * Copies bytes from `position` (a file offset) into `target` and returns how many were copied: fewer than
   * `target.length` only where the source ends. Throws the platform's error when the medium itself fails.
   */
  read(position: FileOffset, target: Uint8Array): number;
  /**
   * Brings blocks of the source near, as many as a cache has room for, in the order of the file and many at once: those with
   * the bytes at `positions` (file offsets, in any order). Nothing is said of what cannot be read. Left out where nothing is kept.
   */
  fetch?(positions: Float64Array): void;
  /** How long its reads take, where that is measured. */
  readonly pace?: ReadPace;
  close(): void;
}

/** A source over bytes that are in memory already. */
export class MemorySource implements ByteSource {
  constructor(
    private readonly bytes: Uint8Array,
    readonly name = 'memory',
  ) {}

  get byteLength(): number {
    return this.bytes.length;
  }

  read(position: FileOffset, target: Uint8Array): number {
    if (position < 0 || position >= this.bytes.length) return 0;
    const count = Math.min(target.length, this.bytes.length - position);
    target.set(this.bytes.subarray(position, position + count));
    return count;
  }

  close(): void {
    // nothing is held
  }
}

/** Counts what passes through: for tests and for `run.bytesRead`. */
export class CountingSource implements ByteSource {
  bytesRead = 0;
  reads = 0;

  constructor(private readonly inner: ByteSource) {}

  get name(): string {
    return this.inner.name;
  }

  get byteLength(): number {
    return this.inner.byteLength;
  }

  read(position: FileOffset, target: Uint8Array): number {
    const count = this.inner.read(position, target);
    this.bytesRead += count;
    this.reads++;
    return count;
  }

  close(): void {
    this.inner.close();
  }
}
