/** Decodes x86 and x64 by iced-x86. */

import type { Decoder, Formatter, Instruction } from 'iced-x86';
import { OP, type CodeDecoder, type Operations } from './operations.js';
import { load } from './x86-iced.js';
import { X86Operations } from './x86-operations.js';

/** iced-x86 copies what it decodes: pieces are kept small. */
const PIECE = 4096;
const LONGEST_INSTRUCTION = 15;
const MOST_DECODER_BYTES = PIECE + LONGEST_INSTRUCTION;

/** Registers that a call may change. */
export const VOLATILE_X64 = 0x0f07;
export const VOLATILE_X86 = 0x0007;

/** One decoder for each width; they hold no state between calls. */
export function x86Decoder(bits: 32 | 64): CodeDecoder {
  return bits === 64 ? X64 : X86;
}

class IcedDecoder implements CodeDecoder {
  private formatter: Formatter | null = null;
  /** Used again for every instruction; made at the first, since it lies in the memory of iced-x86, which is loaded late. */
  private scratch: Instruction | null = null;

  constructor(private readonly bits: 32 | 64) {}

  decode(bytes: Uint8Array, rva: number, base: number, out: Operations, most: number): void {
    const { iced } = load();
    let from = 0;
    while (from < bytes.length && out.count < most) {
      const piece = bytes.subarray(from, Math.min(bytes.length, from + MOST_DECODER_BYTES));
      const decoder = new iced.Decoder(this.bits, piece, iced.DecoderOptions.None);
      const isLast = from + piece.length === bytes.length;
      const done = this.piece(decoder, piece, rva + from, base, out, isLast ? piece.length : PIECE, most);
      decoder.free();
      if (done === 0) return;
      from += done;
    }
  }

  /** Decodes up to `until`; returns the bytes that were used. */
  private piece(
    decoder: Decoder,
    bytes: Uint8Array,
    rva: number,
    base: number,
    out: Operations,
    until: number,
    most: number,
  ): number {
    const { iced } = load();
    const instruction = (this.scratch ??= new iced.Instruction());
    const rest = new X86Operations(this.bits, bytes, rva, base, out);
    // RIP-relative places and branches come out as RVAs.
    decoder.ip = BigInt(rva);
    let at = 0;
    while (at < until && out.count < most) {
      decoder.decodeOut(instruction);
      const end = decoder.position;
      if (instruction.isInvalid) {
        if (decoder.lastError === iced.DecoderError.NoMoreBytes) return at;
        out.add(rva + at, 1, OP.stop);
        at += 1;
        decoder.position = at;
        decoder.ip = BigInt(rva + at);
        continue;
      }
      rest.one(instruction, at, end - at);
      at = end;
    }
    return at;
  }

  text(bytes: Uint8Array, address: bigint): string | null {
    const { iced } = load();
    const instruction = (this.scratch ??= new iced.Instruction());
    const decoder = new iced.Decoder(this.bits, bytes.subarray(0, LONGEST_INSTRUCTION), iced.DecoderOptions.None);
    decoder.ip = address;
    decoder.decodeOut(instruction);
    decoder.free();
    if (instruction.isInvalid) return null;
    if (this.formatter === null) {
      this.formatter = new iced.Formatter(iced.FormatterSyntax.Masm);
      this.formatter.firstOperandCharIndex = 8;
      this.formatter.uppercaseHex = true;
    }
    return this.formatter.format(instruction);
  }
}

const X64 = new IcedDecoder(64);
const X86 = new IcedDecoder(32);
