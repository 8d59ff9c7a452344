/**
 * Where the frames of a Zstandard file end (RFC 8878, 3.1): some engines take a file that was cut for whole. Only headers are
 * looked at, as the file goes by.
 */

const FRAME = 0xfd2fb528;
/** To 0x184d2a5f: frames of other data, to be passed over. */
const SKIPPABLE = 0x184d2a50;

type State = 'magic' | 'descriptor' | 'skippable-size' | 'block';

/** Bytes of the frame's header after its descriptor, and of its checksum. */
function sizesOf(descriptor: number): { header: number; checksum: number } {
  const single = (descriptor & 0x20) !== 0;
  const content = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return { header: (single ? 0 : 1) + dictionary + content, checksum: (descriptor & 4) === 0 ? 0 : 4 };
}

export class ZstdFrames {
  private state: State = 'magic';
  /** Bytes that are wanted before the state changes, and those of them that are there. */
  private wanted = 4;
  private readonly head = Buffer.alloc(4);
  private filled = 0;
  /** Bytes to pass over first. */
  private skip = 0;
  private checksum = 0;
  /** Bytes that begin no frame: the engine says what is wrong with them. */
  private isOther = false;

  /** Takes the next bytes of the file. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.isOther) {
      const passed = Math.min(this.skip, chunk.length - at);
      this.skip -= passed;
      at += passed;
      if (this.skip > 0 || at >= chunk.length) return;
      this.head[this.filled++] = chunk[at++] ?? 0;
      if (this.filled === this.wanted) this.next();
    }
  }

  /** What was taken ends between two frames, or is none of this format. */
  get isWhole(): boolean {
    return this.isOther || (this.state === 'magic' && this.filled === 0 && this.skip === 0);
  }

  private next(): void {
    this.filled = 0;
    const value = this.head.readUIntLE(0, this.wanted);
    if (this.state === 'magic') {
      if (value === FRAME) this.expect('descriptor', 1);
      else if ((value & 0xfffffff0) >>> 0 === SKIPPABLE) this.expect('skippable-size', 4);
      else this.isOther = true;
    } else if (this.state === 'skippable-size') {
      this.expect('magic', 4, value);
    } else if (this.state === 'descriptor') {
      const { header, checksum } = sizesOf(value);
      this.checksum = checksum;
      this.expect('block', 3, header);
    } else {
      const isLast = (value & 1) === 1;
      // A repeated byte stands once, whatever its count.
      const bytes = ((value >> 1) & 3) === 1 ? 1 : value >> 3;
      if (isLast) this.expect('magic', 4, bytes + this.checksum);
      else this.expect('block', 3, bytes);
    }
  }

  private expect(state: State, wanted: number, skip = 0): void {
    Object.assign(this, { state, wanted, skip });
  }
}
