/** The bytes of a module that can be read, piece by piece for searches, and those around one place. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { LoadedModule } from './modules.js';

/** Pieces of this length and more are given as they come; shorter ones are gathered to pieces of this length. */
const GATHERED = 64 * 1024;
const LONG = 16 * 1024;

/** A stretch of a module. */
export interface Piece {
  /** Bytes from the module's base. */
  readonly offset: number;
  /** Valid until the next piece is asked for. */
  readonly bytes: Buffer;
  /** It begins where the piece before ends. */
  readonly follows: boolean;
}

/** All that can be read of a module, in ascending order. */
export function* piecesOf(module: LoadedModule): Iterable<Piece> {
  const { memory } = module;
  if (memory === null) return;
  let window: Buffer | null = null;
  let [start, length, end] = [0, 0, -1];
  const gathered = (): Piece => {
    const piece = { offset: start, bytes: (window ?? NONE).subarray(0, length), follows: start === end };
    end = start + length;
    length = 0;
    return piece;
  };
  for (const { offset, bytes } of memory.chunks(module.base, module.sizeOfImage)) {
    if (failed(bytes)) {
      if (length > 0) yield gathered();
      continue;
    }
    if (length > 0 && (bytes.length >= LONG || length + bytes.length > GATHERED || start + length !== offset))
      yield gathered();
    if (bytes.length >= LONG) {
      yield { offset, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), follows: offset === end };
      end = offset + bytes.length;
      continue;
    }
    window ??= Buffer.allocUnsafe(GATHERED);
    if (length === 0) start = offset;
    window.set(bytes, length);
    length += bytes.length;
  }
  if (length > 0) yield gathered();
}

const NONE = Buffer.alloc(0);

/** Up to `length` bytes of a module from an offset on, ending at the first missing page. */
export function available(module: LoadedModule, offset: number, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const chunk of module.memory?.chunks(plus(module.base, offset), length) ?? []) {
    if (failed(chunk.bytes)) break;
    parts.push(chunk.bytes.slice());
  }
  return Buffer.concat(parts);
}

/**
 * Bytes around a place in a module that can be read: up to `before` and `after` bytes without a gap. `at` tells where the
 * place is among them.
 */
export function presentAround(
  module: LoadedModule,
  offset: number,
  before: number,
  after: number,
): { bytes: Buffer; at: number } {
  const first = Math.max(0, offset - before);
  const last = Math.min(module.sizeOfImage, offset + after);
  let start = first;
  let parts: Uint8Array[] = [];
  for (const chunk of module.memory?.chunks(plus(module.base, first), last - first) ?? []) {
    if (!failed(chunk.bytes)) parts.push(chunk.bytes.slice());
    else if (first + chunk.offset > offset) break;
    else [start, parts] = [first + chunk.offset + chunk.length, []];
  }
  return { bytes: Buffer.concat(parts), at: offset - start };
}
