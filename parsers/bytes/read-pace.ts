/** How long a source takes to answer, and what follows of it: what stands between two wanted pieces may be read with them. */

/** Bytes that come while a read waits for a millisecond: those of a disk or a network of 128 MB a second. */
const BYTES_PER_MS = 128 * 1024;
/** Longer reads take their time for other reasons. */
const LONGEST_TIMED = 64 * 1024;
/** Reads before the pace is known, and those after which it is measured anew. */
const FEWEST = 8;
const MOST = 256;
/** Milliseconds of a read from which on a source is slow: a spinning disk, a share over a network. */
const SLOW_MS = 2;

const KB = 1024;
const MB = 1024 * 1024;

/** The pace of one source, learned from its reads. */
export class ReadPace {
  private reads = 0;
  private milliseconds = 0;
  private mean = 0;

  /** `now` gives milliseconds: another clock for tests. */
  constructor(readonly now: () => number = () => performance.now()) {}

  /** A read of so many bytes began at `start` (by `now`) and is over. */
  took(start: number, bytes: number): void {
    if (bytes > LONGEST_TIMED) return;
    this.milliseconds += this.now() - start;
    this.reads++;
    if (this.reads === FEWEST || this.reads === MOST) this.mean = this.milliseconds / this.reads;
    if (this.reads === MOST) this.reads = this.milliseconds = 0;
  }

  get isSlow(): boolean {
    return this.mean >= SLOW_MS;
  }

  /** Bytes between two wanted pieces that cost less than another read. */
  get gap(): number {
    return Math.min(MB, Math.max(16 * KB, this.mean * BYTES_PER_MS));
  }

  /** Bytes of the longest read of pieces with gaps. */
  get longest(): number {
    return this.isSlow ? 4 * MB : MB;
  }

  /** Bytes that are read where only a few are asked for. */
  get ahead(): number {
    return this.isSlow ? 64 * KB : 4 * KB;
  }
}
