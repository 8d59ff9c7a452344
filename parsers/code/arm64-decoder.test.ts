/** What A64 instructions do to registers, memory and control, by encodings that an assembler made. */

import { expect } from 'chai';
import { ARM64_DECODER } from './arm64-decoder.js';
import { operationsText } from './operations.test.helper.js';
import { Operations } from './operations.js';

/** Where the instruction stands. */
const AT = 0x1000;

/** Encoding, instruction, and what it does; numbers of meanings are hexadecimal, x31 is the stack pointer. */
const INSTRUCTIONS: readonly (readonly [number, string, string])[] = [
  [0x10ffffc3, 'adr x3, #-8', 'x3 = @ff8'],
  [0x30000023, 'adr x3, #5', 'x3 = @1005'],
  [0xf0000004, 'adrp x4, #0x3000', 'x4 = @4000'],
  [0xf0ffffe4, 'adrp x4, #-0x1000', 'x4 = @0'],
  [0x1000005f, 'adr xzr, #8', 'nothing'],
  [0x91048c20, 'add x0, x1, #0x123', 'x0 = x1 + 123'],
  [0x11400420, 'add w0, w1, #0x1, lsl #12', 'x0 = x1 + 1000'],
  [0xd10083e0, 'sub x0, sp, #0x20', 'x0 = x31 - 20'],
  [0xd10103ff, 'sub sp, sp, #0x40', 'x31 = x31 - 40'],
  [0xb1001c62, 'adds x2, x3, #7', 'x2 = x3 + 7'],
  [0xf1001c62, 'subs x2, x3, #7', 'x2 = x3 - 7'],
  [0xfa420021, 'ccmp x1, x2, #1, eq', 'x1 ? x2'],
  [0xfa45082f, 'ccmp x1, #5, #15, eq', 'x1 ? 5'],
  [0xf100c0bf, 'cmp x5, #0x30', 'x5 ? 30'],
  [0x714004bf, 'cmp w5, #0x1, lsl #12', 'x5 ? 1000'],
  [0x3100c0bf, 'cmn w5, #0x30', 'x5 ? 30'],
  [0x52824680, 'movz w0, #0x1234', 'x0 = 1234'],
  [0xd2a24680, 'movz x0, #0x1234, lsl #16', 'x0 = 12340000'],
  [0xd2c24680, 'movz x0, #0x1234, lsl #32', 'x0 = 0'],
  [0x12800007, 'movn w7, #0', 'x7 = -1'],
  [0x12a00247, 'movn w7, #0x12, lsl #16', 'x7 = -120001'],
  [0x728cad69, 'movk w9, #0x656b', 'x9[0] = 656b'],
  [0x72acad69, 'movk w9, #0x656b, lsl #16', 'x9[16] = 656b'],
  [0xf2c00029, 'movk x9, #0x1, lsl #32', 'x9 = x9'],
  [0xf2e00029, 'movk x9, #0x1, lsl #48', 'x9 = x9'],
  [0x5280003f, 'movz wzr, #1', 'nothing'],
  [0x3200f3e1, 'mov w1, #0x55555555', 'x1 = 55555555'],
  [0xd281fe01, 'mov x1, #0xff0', 'x1 = ff0'],
  [0x32010041, 'orr w1, w2, #0x80000000', 'x1 = x2 | -80000000'],
  [0xb2401be1, 'orr x1, xzr, #0x7f', 'x1 = 7f'],
  [0x12001c41, 'and w1, w2, #0xff', 'loses x1'],
  [0x52001c41, 'eor w1, w2, #0xff', 'loses x1'],
  [0x72001c5f, 'tst w2, #0xff', 'x2 ? 0'],
  [0x72001c41, 'ands w1, w2, #0xff', 'loses x1'],
  [0x934318e6, 'sbfx x6, x7, #3, #4', 'loses x6'],
  [0x530318e6, 'ubfx w6, w7, #3, #4', 'loses x6'],
  [0x93c80ce6, 'extr x6, x7, x8, #3', 'loses x6'],
  [0x14000040, 'b #0x100', 'jump 1100'],
  [0x17ffffff, 'b #-4', 'jump ffc'],
  [0x940001ff, 'bl #0x7fc', 'call 17fc'],
  [0x97fffc00, 'bl #-0x1000', 'call 0'],
  [0x54000100, 'b.eq #0x20', 'branch 1020'],
  [0x54ffff01, 'b.ne #-0x20', 'branch fe0'],
  [0x34000223, 'cbz w3, #0x44', 'branch 1044'],
  [0xb5fffde3, 'cbnz x3, #-0x44', 'branch fbc'],
  [0x36280243, 'tbz w3, #5, #0x48', 'branch 1048'],
  [0xb747fdc3, 'tbnz x3, #40, #-0x48', 'branch fb8'],
  [0xd61f0200, 'br x16', 'jump x16'],
  [0xd63f0100, 'blr x8', 'call x8'],
  [0xd65f03c0, 'ret', 'return x30'],
  [0xd65f00a0, 'ret x5', 'return x5'],
  [0xd71f0a11, 'braa x16, x17', 'jump x16'],
  [0xd63f091f, 'blraaz x8', 'call x8'],
  [0xd69f03e0, 'eret', 'return x31'],
  [0xd43e0060, 'brk #0xf003', 'stop'],
  [0xd4400000, 'hlt #0', 'stop'],
  [0xd4000021, 'svc #1', 'nothing'],
  [0xd538d089, 'mrs x9, TPIDR_EL1', 'loses x9'],
  [0xd518d089, 'msr TPIDR_EL1, x9', 'nothing'],
  [0xd503201f, 'nop', 'nothing'],
  [0x00000000, 'udf #0', 'stop'],
  [0x18000088, 'ldr w8, #0x10', 'x8 = 4 at 1010'],
  [0x58ffff88, 'ldr x8, #-0x10', 'x8 = 8 at ff0'],
  [0x98000088, 'ldrsw x8, #0x10', 'x8 = 4 at 1010'],
  [0x5c000088, 'ldr d8, #0x10', 'v8 = 8 at 1010'],
  [0xd8000080, 'prfm pldl1keep, #0x10', 'nothing'],
  [0x1800009f, 'ldr wzr, #0x10', 'nothing'],
  [0xf9400020, 'ldr x0, [x1]', 'x0 = 8 at x1 + 0'],
  [0xf9400c20, 'ldr x0, [x1, #0x18]', 'x0 = 8 at x1 + 18'],
  [0xb9401fe0, 'ldr w0, [sp, #0x1c]', 'x0 = 4 at x31 + 1c'],
  [0xb9800420, 'ldrsw x0, [x1, #4]', 'x0 = 4 at x1 + 4'],
  [0x39400c20, 'ldrb w0, [x1, #3]', 'loses x0'],
  [0x79400420, 'ldrh w0, [x1, #2]', 'loses x0'],
  [0x79c00420, 'ldrsh w0, [x1, #2]', 'loses x0'],
  [0xf85f8020, 'ldur x0, [x1, #-8]', 'x0 = 8 at x1 - 8'],
  [0xf8408c20, 'ldr x0, [x1, #8]!', 'x0 = 8 at x1 + 8 and x1 = x1 + 8'],
  [0xf8408420, 'ldr x0, [x1], #8', 'x0 = 8 at x1 + 0 and x1 = x1 + 8'],
  [0xf85f0c20, 'ldr x0, [x1, #-16]!', 'x0 = 8 at x1 - 10 and x1 = x1 - 10'],
  [0xf8626820, 'ldr x0, [x1, x2]', 'x0 = 8 at x1 + x2 + 0'],
  [0xb8625820, 'ldr w0, [x1, w2, uxtw #2]', 'x0 = 4 at x1 + x2 + 0'],
  [0xfd400420, 'ldr d0, [x1, #8]', 'v0 = 8 at x1 + 8'],
  [0xf940043f, 'ldr xzr, [x1, #8]', 'nothing'],
  [0xf9800420, 'prfm pldl1keep, [x1, #8]', 'nothing'],
  [0xf9000c20, 'str x0, [x1, #0x18]', '8 at x1 + 18 = x0'],
  [0xb90007e0, 'str w0, [sp, #4]', '4 at x31 + 4 = x0'],
  [0xb900043f, 'str wzr, [x1, #4]', '4 at x1 + 4 = 0'],
  [0x39000c20, 'strb w0, [x1, #3]', '1 at x1 + 3 = unknown'],
  [0x79000420, 'strh w0, [x1, #2]', '2 at x1 + 2 = unknown'],
  [0xfd000420, 'str d0, [x1, #8]', '8 at x1 + 8 = v0'],
  [0xf81f8020, 'stur x0, [x1, #-8]', '8 at x1 - 8 = x0'],
  [0xf81f0fe0, 'str x0, [sp, #-16]!', '8 at x31 - 10 = x0 and x31 = x31 - 10'],
  [0xf8010420, 'str x0, [x1], #16', '8 at x1 + 0 = x0 and x1 = x1 + 10'],
  [0xf8226820, 'str x0, [x1, x2]', 'nothing'],
  [0xa94107e0, 'ldp x0, x1, [sp, #0x10]', 'x0 = 8 at x31 + 10 and x1 = 8 at x31 + 18'],
  [0x297f0440, 'ldp w0, w1, [x2, #-8]', 'x0 = 4 at x2 - 8 and x1 = 4 at x2 - 4'],
  [0xa8c27bfd, 'ldp x29, x30, [sp], #0x20', 'x29 = 8 at x31 + 0 and x30 = 8 at x31 + 8 and x31 = x31 + 20'],
  [0xa9408400, 'ldp x0, x1, [x0, #8]', 'x1 = 8 at x0 + 10 and x0 = 8 at x0 + 8'],
  [0xa9407c40, 'ldp x0, xzr, [x2]', 'x0 = 8 at x2 + 0 and nothing'],
  [0x6d4127e8, 'ldp d8, d9, [sp, #0x10]', 'v8 = 8 at x31 + 10 and v9 = 8 at x31 + 18'],
  [0x69410440, 'ldpsw x0, x1, [x2, #8]', 'x0 = 4 at x2 + 8 and x1 = 4 at x2 + c'],
  [0xa9be7bfd, 'stp x29, x30, [sp, #-0x20]!', '8 at x31 - 20 = x29 and 8 at x31 - 18 = x30 and x31 = x31 - 20'],
  [0x29017c40, 'stp w0, wzr, [x2, #8]', '4 at x2 + 8 = x0 and 4 at x2 + c = 0'],
  [0xad010440, 'stp q0, q1, [x2, #0x20]', '16 at x2 + 20 = v0 and 16 at x2 + 30 = v1'],
  [0x6d010440, 'stp d0, d1, [x2, #0x10]', '8 at x2 + 10 = v0 and 8 at x2 + 18 = v1'],
  [0xc85f7c83, 'ldxr x3, [x4]', 'loses x3'],
  [0xc87f9483, 'ldaxp x3, x5, [x4]', 'loses x3 x5'],
  [0xc8067c83, 'stxr w6, x3, [x4]', 'loses x3 x6'],
  [0xc8dffc83, 'ldar x3, [x4]', 'loses x3'],
  [0xf8230085, 'ldadd x3, x5, [x4]', 'loses x5'],
  [0xb8238085, 'swp w3, w5, [x4]', 'loses x5'],
  [0x4c407080, 'ld1 {v0.16b}, [x4]', 'v0 = unknown and v1 = unknown and v2 = unknown and v3 = unknown'],
  [0xaa1403e0, 'mov x0, x20', 'x0 = x20'],
  [0x2a1403e0, 'mov w0, w20', 'x0 = x20'],
  [0xaa1f03e0, 'mov x0, xzr', 'x0 = 0'],
  [0xaa0303ff, 'mov xzr, x3', 'nothing'],
  [0xaa140be0, 'orr x0, xzr, x20, lsl #2', 'loses x0'],
  [0xaa020020, 'orr x0, x1, x2', 'loses x0'],
  [0x2a2103e0, 'mvn w0, w1', 'loses x0'],
  [0x8b020020, 'add x0, x1, x2', 'x0 = x1 + x2'],
  [0xeb02003f, 'cmp x1, x2', 'x1 ? x2'],
  [0xeb0203ff, 'cmp xzr, x2', 'unknown ? x2'],
  [0xeb1f003f, 'cmp x1, xzr', 'x1 ? unknown'],
  [0x2b02003f, 'cmn w1, w2', 'x1 ? x2'],
  [0xeb020020, 'subs x0, x1, x2', 'loses x0'],
  [0xfa420020, 'ccmp x1, x2, #0, eq', 'x1 ? x2'],
  [0xfa490820, 'ccmp x1, #9, #0, eq', 'x1 ? 9'],
  [0x3a490820, 'ccmn w1, #9, #0, eq', 'x1 ? 9'],
  [0xfa4213e0, 'ccmp xzr, x2, #0, ne', 'unknown ? x2'],
  [0xfa5f1020, 'ccmp x1, xzr, #0, ne', 'x1 ? unknown'],
  [0x9a820020, 'csel x0, x1, x2, eq', 'x0 = x1 or x2'],
  [0x1a8213e0, 'csel w0, wzr, w2, ne', 'x0 = unknown or x2'],
  [0x1a9f1020, 'csel w0, w1, wzr, ne', 'x0 = x1 or unknown'],
  [0x9a820420, 'csinc x0, x1, x2, eq', 'loses x0'],
  [0x9b027c20, 'mul x0, x1, x2', 'loses x0'],
  [0x0e043c05, 'umov w5, v0.s[0]', 'v5 = unknown, loses x5'],
  [0x9e660005, 'fmov x5, d0', 'v5 = unknown, loses x5'],
]; // prettier-ignore

const bytesOf = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

function meaningOf(word: number): string {
  const out = new Operations();
  ARM64_DECODER.decode(bytesOf(word), AT, 0, out, 1);
  return operationsText(out);
}

describe('ARM64 instructions', () => {
  for (const [word, instruction, meaning] of INSTRUCTIONS) {
    it(`${instruction}: ${meaning}`, () => {
      expect(meaningOf(word)).to.equal(meaning);
    });
  }

  it('stand four bytes apart, whole ones only, and no more than are wanted', () => {
    const [nop, ret] = [0xd503201f, 0xd65f03c0];
    const places = (bytes: Uint8Array, most: number): number[] => {
      const out = new Operations();
      ARM64_DECODER.decode(bytes, AT, 0, out, most);
      return [...out.at.subarray(0, out.count)];
    };
    expect(places(bytesOf(nop, nop, ret), 9)).to.deep.equal([0x1000, 0x1004, 0x1008]);
    expect(places(bytesOf(nop, nop, ret).subarray(0, 11), 9)).to.deep.equal([0x1000, 0x1004]);
    expect(places(bytesOf(nop, nop, ret), 2)).to.deep.equal([0x1000, 0x1004]);
    expect(places(bytesOf(), 2)).to.deep.equal([]);
  });
});
