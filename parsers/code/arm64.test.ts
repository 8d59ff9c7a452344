import { expect } from 'chai';
import fc from 'fast-check';
import { ConstantFinder, findLiteralLoads, type BuiltConstant } from './arm64.js';

/** `movz`, `movk` and `movn` of the 32-bit registers, spelled out from the instruction set. */
const wide =
  (base: number) =>
  (register: number, half: 0 | 1, value: number): number =>
    (base | (half << 21) | (value << 5) | register) >>> 0;
const movz = wide(0x52800000);
const movk = wide(0x72800000);
const movn = wide(0x12800000);
const NOP = 0xd503201f;

const code = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);
const LEAK = 0x6b61654c;
const [LOW, HIGH] = [LEAK & 0xffff, LEAK >>> 16];

function constants(bytes: Uint8Array, pieces = [bytes.length]): BuiltConstant[] {
  const finder = new ConstantFinder();
  const found: BuiltConstant[] = [];
  let at = 0;
  for (const size of pieces) {
    finder.feed(bytes.subarray(at, at + size), at, (constant) => found.push(constant));
    at += size;
  }
  return found;
}

describe('ARM64 constants', () => {
  it('are built by MOVZ and MOVK, low half first or high half first', () => {
    expect(constants(code(movz(2, 0, LOW), movk(2, 1, HIGH)))).to.deep.equal([
      { value: LEAK, first: 0, second: 4, register: 2 },
    ]);
    expect(constants(code(NOP, movz(9, 1, HIGH), NOP, movk(9, 0, LOW)))).to.deep.equal([
      { value: LEAK, first: 4, second: 12, register: 9 },
    ]);
  });

  it('also in 64-bit registers, with the top bit set', () => {
    const x = 0x80000000;
    expect(constants(code(movz(2, 0, LOW) + x, movk(2, 1, HIGH | 0x8000) + x))[0]?.value).to.equal(0xeb61654c);
  });

  it('with up to eight instructions from the one to the other', () => {
    const apart = (between: number): Uint8Array =>
      code(movz(2, 0, LOW), ...new Array<number>(between).fill(NOP), movk(2, 1, HIGH));
    expect(constants(apart(7))).to.have.length(1);
    expect(constants(apart(8))).to.have.length(0);
  });

  it('not when another register, the same half, or another move-wide stands between', () => {
    expect(constants(code(movz(2, 0, LOW), movk(3, 1, HIGH)))).to.have.length(0);
    expect(constants(code(movz(2, 0, LOW), movk(2, 0, HIGH)))).to.have.length(0);
    expect(constants(code(movz(2, 0, LOW), movn(2, 0, 5), movk(2, 1, HIGH)))).to.have.length(0);
    expect(constants(code(movz(2, 0, LOW), movk(2, 1, HIGH), movk(2, 1, 7)))).to.have.length(1);
    expect(constants(code(movz(31, 0, LOW), movk(31, 1, HIGH)))).to.have.length(0);
    const other = constants(code(movz(2, 0, LOW), movz(3, 0, 1), movk(2, 1, HIGH), movk(3, 1, 2)));
    expect(other.map((c) => c.value)).to.deep.equal([LEAK, 0x20001]);
  });

  it('the same in any pieces, and as a plain search finds them', () => {
    const word = fc.oneof(
      fc.constantFrom(NOP, movz(1, 0, 1), movz(1, 1, 2), movk(1, 0, 3), movk(1, 1, 4), movn(1, 0, 5), movk(2, 1, 6)),
      fc.record({ z: fc.boolean(), r: fc.nat(3), h: fc.constantFrom(0 as const, 1 as const), v: fc.nat(0xffff) })
        .map(({ z, r, h, v }) => (z ? movz : movk)(r, h, v)),
      fc.nat({ max: 0xffffffff }),
    ); // prettier-ignore
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), fc.array(fc.nat(40)), (words, cuts) => {
        const bytes = code(...words);
        const pieces = cuts.map((n) => n * 4);
        const wanted = slow(words);
        expect(constants(bytes)).to.deep.equal(wanted);
        expect(constants(bytes, [...pieces, bytes.length])).to.deep.equal(wanted);
      }),
    );
  });
});

/** For every MOVK, the nearest move-wide before it that writes the same register. */
function slow(words: readonly number[]): BuiltConstant[] {
  const found: BuiltConstant[] = [];
  const parts = (w: number) => ({ is: (w & 0x1f800000) === 0x12800000, op: (w >>> 29) & 3, half: (w >>> 21) & 3, value: (w >>> 5) & 0xffff, r: w & 31 }); // prettier-ignore
  words.forEach((word, i) => {
    const k = parts(word);
    if (!k.is || k.op !== 3 || k.half > 1 || k.r === 31) return;
    const j = words.slice(0, i).findLastIndex((w) => parts(w).is && parts(w).r === k.r);
    if (j < 0 || i - j > 8) return;
    const z = parts(words[j]!);
    // MOVK into the half that MOVZ set replaces it: a constant in two halves only where that half was zero.
    if (z.op !== 2 || z.half > 1 || (z.half === k.half && z.value !== 0)) return;
    const value = z.half === k.half ? k.value * 2 ** (16 * k.half) : z.value * 2 ** (16 * z.half) + k.value * 2 ** (16 * k.half); // prettier-ignore
    found.push({ value, first: j * 4, second: i * 4, register: k.r });
  });
  return found;
}

describe('ARM64 literal loads', () => {
  const loads = (bytes: Uint8Array, offset = 0): [number, number][] => {
    const found: [number, number][] = [];
    findLiteralLoads(bytes, offset, (instruction, literal) => found.push([instruction, literal]));
    return found;
  };

  it('say where the literal stands, before or behind them', () => {
    const ahead = 0x18000000 | (3 << 5) | 2;
    const behind = (0x18000000 | ((0x80000 - 2) << 5) | 2) >>> 0;
    const signed = (0x98000000 | (1 << 5) | 7) >>> 0;
    expect(loads(code(NOP, ahead, behind, signed), 0x1000)).to.deep.equal([
      [0x1004, 0x1010],
      [0x1008, 0x1000],
      [0x100c, 0x1010],
    ]);
  });

  it('are neither those of 64 bits nor of vectors', () => {
    expect(loads(code(0x58000040, 0x1c000040, NOP))).to.deep.equal([]);
  });
});
