/** Writes Zstandard frames by the format's simplest means. */

/** A Zstandard frame of raw blocks and, for runs, RLE blocks: the format's simplest encoder. */
export function zstdOf(pieces: readonly (Buffer | { byte: number; count: number })[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])];
  pieces.forEach((piece, i) => {
    const isLast = i === pieces.length - 1 ? 1 : 0;
    const header = Buffer.alloc(3);
    if (Buffer.isBuffer(piece)) header.writeUIntLE((piece.length << 3) | isLast, 0, 3);
    else header.writeUIntLE((piece.count << 3) | 2 | isLast, 0, 3);
    parts.push(header, Buffer.isBuffer(piece) ? piece : Buffer.from([piece.byte]));
  });
  return Buffer.concat(parts);
}
