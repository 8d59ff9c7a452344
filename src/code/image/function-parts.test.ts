import { expect } from 'chai';
import { codeModule, slot, TEXT, type CodeImage } from './code-image.test.helper.js';
import { imageCode } from './image-code.js';
import { TagFollower } from '../tag-code.js';

const LEAK = '4c65616b';
const KEY = 0x6b61654c;
const little = (value: number): string => Buffer.from(Int32Array.of(value).buffer).toString('hex');
const relative = (at: number, opcode: string, target: number): string =>
  `${opcode}${little(target - (at + opcode.length / 2 + 4))}`;
const bytes = (code: string): number => code.length / 2;

const fateAt = (image: CodeImage, at: number, pair = false): string =>
  new TagFollower(imageCode(codeModule(image), null)!).constantAt(at, KEY, pair)?.fate ?? 'nothing';

describe('functions in parts: x64', () => {
  // mov r8d,tag; xor ecx,ecx; mov edx,40h
  const first = `4883ec2841b8${LEAK}33c9ba40000000`;
  const call = (at: number): string => `${relative(at, 'ff15', slot('x64', 0))}4883c428c3`;

  it('go on behind the first entry, where the next one is chained to it', () => {
    const second = TEXT + bytes(first);
    const image: CodeImage = { at: { [TEXT]: first, [second]: call(second) }, functions: [[TEXT, second]] };
    const end = second + bytes(call(second));
    expect(fateAt({ ...image, parts: [[second, end, 0]] }, TEXT + 6)).to.equal('allocates');
    // The place may stand in the part too.
    const held = { at: { [TEXT]: '4883ec28', [TEXT + 4]: first.slice(8) + call(TEXT + 17) } };
    const parts = [[TEXT + 4, TEXT + 17 + bytes(call(0)), 0]] as const;
    expect(fateAt({ ...held, functions: [[TEXT, TEXT + 4]], parts }, TEXT + 6)).to.equal('allocates');
    // Of another function: it takes what it is given.
    const other = { ...image, functions: [[TEXT, second] as const, [second, end] as const] };
    expect(fateAt(other, TEXT + 6)).to.not.equal('allocates');
  });

  it('lie elsewhere, with parts of other functions beside them', () => {
    const jump = relative(TEXT + bytes(first), 'e9', 0x1800);
    const image: CodeImage = {
      // mov r8d,'Abcd'; jmp 1810
      at: {
        [TEXT]: first + jump,
        0x1100: `4883ec2841b84162636433c9ba40000000${relative(0x1111, 'e9', 0x1820)}`,
        0x1800: call(0x1800),
        0x1820: call(0x1820),
      },
      functions: [
        [TEXT, TEXT + bytes(first + jump)],
        [0x1100, 0x1116],
      ],
      parts: [
        [0x1800, 0x1800 + bytes(call(0)), 0],
        [0x1820, 0x1820 + bytes(call(0)), 1],
      ],
    };
    expect(fateAt(image, TEXT + 6)).to.equal('allocates');
  });

  it('end where unwind information leads in a circle', () => {
    const second = TEXT + bytes(first);
    const image: CodeImage = {
      at: { [TEXT]: first, [second]: call(second) },
      parts: [
        [TEXT, second, 0],
        [second, second + bytes(call(0)), 0],
      ],
    };
    expect(fateAt(image, TEXT + 6)).to.be.a('string');
  });
});

describe('functions in parts: ARM64', () => {
  const MOVZ = 0x52800000 | (0x654c << 5) | 2;
  const MOVK = 0x72a00000 | (0x6b61 << 5) | 2;
  const [ENTER, LEAVE, RET, NOP] = [0xa9bf7bfd, 0xa8c17bfd, 0xd65f03c0, 0xd503201f];
  const call = (): number[] => [
    0xd0000008,
    0xf9400108 | (((slot('arm64', 0) & 0xfff) >> 3) << 10),
    0xd63f0100,
    LEAVE,
    RET,
  ];
  const image = (more: Partial<CodeImage>): CodeImage => ({ processor: 'arm64', at: {}, ...more });
  const B = (from: number, to: number): number => 0x14000000 | (((to - from) >> 2) & 0x3ffffff);

  it('go on in an entry without a prologue that control runs into', () => {
    const at = { [TEXT]: [ENTER, MOVZ, MOVK, ...call()] };
    const functions = [[TEXT, TEXT + 12]] as const;
    const parts = [[TEXT + 12, TEXT + 32, 0]] as const;
    expect(fateAt(image({ at, functions, parts }), TEXT + 4, true)).to.equal('allocates');
    const two = [...functions, [TEXT + 12, TEXT + 32] as const];
    expect(fateAt(image({ at, functions: two }), TEXT + 4, true)).to.not.equal('allocates');
  });

  it('go on where they branch to, and not where control does not run on', () => {
    const other = TEXT + 0x100;
    const at = {
      [TEXT]: [ENTER, MOVZ, MOVK, B(TEXT + 12, TEXT + 0x120)],
      [other]: [ENTER, NOP, RET],
      [TEXT + 0x120]: call(),
    };
    const functions = [
      [TEXT, TEXT + 16],
      [other, other + 12],
    ] as const;
    const parts = [[TEXT + 0x120, TEXT + 0x134, 0]] as const;
    expect(fateAt(image({ at, functions, parts }), TEXT + 4, true)).to.equal('allocates');
    // The tag stands in the part: the function is the one that branches to it.
    const inPart = {
      [TEXT]: [ENTER, NOP, NOP, B(TEXT + 12, TEXT + 0x120)],
      [TEXT + 0x120]: [MOVZ, MOVK, ...call()],
    };
    const code = imageCode(
      codeModule(image({ at: inPart, functions, parts: [[TEXT + 0x120, TEXT + 0x13c, 0]] })),
      null,
    )!;
    expect(code.functionAt(TEXT + 0x124)?.start).to.equal(TEXT);
    // Side by side with a function that returns: no part of it.
    const beside = image({
      at: { [TEXT]: [ENTER, MOVZ, MOVK, RET, ...call()] },
      functions: [[TEXT, TEXT + 16]],
      parts: [[TEXT + 16, TEXT + 36, 0]],
    });
    expect(fateAt(beside, TEXT + 4, true)).to.not.equal('allocates');
    expect(imageCode(codeModule(beside), null)!.functionAt(TEXT + 24)?.start).to.equal(TEXT + 16);
  });
});
