/** Instructions of ARM64 as the debugger shows them, where evidence shows them. */

import { expect } from 'chai';
import { arm64Text } from './arm64-text.js';

const AT = 0xfffff80000001000n;

/** Encodings that an assembler made. */
const INSTRUCTIONS: readonly (readonly [number, string])[] = [
  [0x52824680, 'mov     w0,#0x1234'],
  [0xd2824680, 'mov     x0,#0x1234'],
  [0x52ad6c33, 'mov     w19,#0x6B61,lsl #16'],
  [0xd2c24680, 'mov     x0,#0x1234,lsl #32'],
  [0x72acac29, 'movk    w9,#0x6561,lsl #16'],
  [0x728ca989, 'movk    w9,#0x654C'],
  [0x12800007, 'movn    w7,#0x0'],
  [0x5280003f, 'mov     wzr,#0x1'],
  [0x18000088, 'ldr     w8,=0xFFFFF80000001010'],
  [0x58ffff88, 'ldr     x8,=0xFFFFF80000000FF0'],
  [0xf9400c20, 'ldr     x0,[x1,#0x18]'],
  [0xb9401fe0, 'ldr     w0,[sp,#0x1C]'],
  [0xb9400020, 'ldr     w0,[x1]'],
  [0xb900043f, 'str     wzr,[x1,#0x4]'],
  [0xf9000c20, 'str     x0,[x1,#0x18]'],
  [0x14000040, 'b       FFFFF80000001100'],
  [0x940001ff, 'bl      FFFFF800000017FC'],
  [0x97fffc00, 'bl      FFFFF80000000000'],
  [0xd61f0200, 'br      x16'],
  [0xd63f0100, 'blr     x8'],
  [0xd65f03c0, 'ret     x30'],
];

describe('ARM64 instructions as text', () => {
  for (const [word, text] of INSTRUCTIONS) {
    it(text, () => {
      expect(arm64Text(word, AT)).to.equal(text);
    });
  }

  it('leave out what evidence never shows', () => {
    // nop, udf, add, ldp, cmp, a vector load, eret.
    for (const word of [0xd503201f, 0, 0x91048c20, 0xa94107e0, 0xf100c0bf, 0xfd400420, 0xd69f03e0]) {
      expect(arm64Text(word, AT), word.toString(16)).to.equal(null);
    }
  });
});
