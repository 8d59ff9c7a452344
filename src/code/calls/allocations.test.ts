import { expect } from 'chai';
import fc from 'fast-check';
import { allocationsIn, type Allocations } from './allocations.js';
import { codeModule, DATA, slot, TEXT, type CodeImage, type Processor } from '../image/code-image.test.helper.js';
import { codeOfData } from '../data-code.js';
import { imageCode } from '../image/image-code.js';
import { TagFollower } from '../tag-code.js';

const LEAK = '4c 65 61 6b';
const KEY = 0x6b61654c;

const little = (value: number): string => Buffer.from(Int32Array.of(value).buffer).toString('hex');
const bytesOf = (text: string): number => text.replaceAll(' ', '').length / 2;
/** An instruction at `at` that ends in the distance to `target`. */
const relative = (at: number, opcode: string, target: number): string =>
  `${opcode} ${little(target - (at + bytesOf(opcode) + 4))}`;

/** Code of x64 at `start` from pieces; functions are given the RVA of their piece. */
function laid(start: number, pieces: readonly (string | ((at: number) => string))[]): string {
  let text = '';
  for (const piece of pieces) text += ` ${typeof piece === 'string' ? piece : piece(start + bytesOf(text))}`;
  return text;
}

const call =
  (n: number) =>
  (at: number): string =>
    relative(at, 'ff 15', slot('x64', n));
const direct =
  (target: number) =>
  (at: number): string =>
    relative(at, 'e8', target);
const IN = '48 83 ec 28';
const OUT = '48 83 c4 28 c3';

/** Tag, allocator, call and how it gets there, a line each. */
function lines({ allocations }: Allocations): string[] {
  return allocations.map(({ key, allocator, call: at, through, data }) =>
    [
      Buffer.from(Int32Array.of(key).buffer).toString('latin1'),
      allocator,
      at.toString(16),
      ...through.map((rva) => rva.toString(16)),
    ]
      .concat(data === null ? [] : [`from ${data.toString(16)}`])
      .join(' '),
  );
}

const ALLOCATING: CodeImage = {
  at: {
    [TEXT]: laid(TEXT, [IN, `41 b8 ${LEAK}`, call(0), OUT]),
    // A wrapper, and two functions that call it.
    0x1100: laid(0x1100, [IN, '44 8b c2', call(0), OUT]),
    0x1200: laid(0x1200, [IN, 'ba 41 62 63 64', direct(0x1100), 'ba 57 72 70 e4', direct(0x1100), OUT]),
    // A tag in data; one that is not known; a free.
    0x1300: laid(0x1300, [IN, (at) => relative(at, '44 8b 05', DATA + 8), call(3), OUT]),
    0x1400: laid(0x1400, [IN, '44 8b 01', call(0), OUT]),
    0x1500: laid(0x1500, [IN, `ba ${LEAK}`, call(1), OUT]),
    [DATA + 8]: '44 61 74 61',
  },
};

describe('allocationsIn', () => {
  it('lists tags by call: constants, through functions of the image, from data; and counts what is not known', () => {
    const found = allocationsIn(codeModule(ALLOCATING));
    expect(lines(found)).to.deep.equal([
      'Leak ExAllocatePoolWithTag 100a',
      'Abcd ExAllocatePoolWithTag 1209 1100',
      'Wrpd ExAllocatePoolWithTag 1213 1100',
      'Data ExAllocatePool2 130b from 4008',
      'Leak ExFreePoolWithTag 1509',
    ]);
    expect(found.unknown).to.equal(1);
    expect(found.complete).to.equal(true);
    expect(found.allocations[2]).to.include({ protectedBit: true, load: 0x120e });
  });

  it('says when there may be more: pages or names of imports are missing', () => {
    expect(allocationsIn(codeModule({ ...ALLOCATING, missing: [2] })).complete).to.equal(false);
    const unnamed = allocationsIn(codeModule({ ...ALLOCATING, missing: [5] }));
    expect(unnamed).to.include({ complete: false });
    expect(allocationsIn({ ...codeModule(ALLOCATING), memory: null })).to.deep.equal({
      ...{ allocations: [], unknown: 0, complete: false },
    });
  });

  it('ends on any bytes as code, on every processor', () => {
    const processors: readonly Processor[] = ['x86', 'x64', 'arm64'];
    fc.assert(
      fc.property(
        fc.constantFrom(...processors),
        fc.uint8Array({ minLength: 16, maxLength: 3000 }),
        fc.array(fc.nat(0x1fff), { maxLength: 6 }),
        (processor, bytes, functions) => {
          const ranges = [...new Set(functions)]
            .sort((a, b) => a - b)
            .map((at) => [TEXT + at, TEXT + at + 64] as const);
          const module = codeModule({
            processor,
            at: { [TEXT]: Buffer.from(bytes).toString('hex') },
            ...(processor === 'x86' ? {} : { functions: ranges }),
          });
          const { allocations } = allocationsIn(module);
          const follower = new TagFollower(imageCode(module, null)!);
          for (let at = TEXT; at < TEXT + bytes.length; at += 97) {
            follower.constantAt(processor === 'arm64' ? at & ~3 : at, KEY, processor === 'arm64');
          }
          for (const { call: at } of allocations) expect(at).to.be.within(TEXT, TEXT + 0x2000);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('tags in data', () => {
  const told = (image: CodeImage, rva: number): string => {
    const { kind, code } = codeOfData(new TagFollower(imageCode(codeModule(image), null)!), rva);
    return `${kind ?? 'unknown'}${code === null ? '' : ` ${code.fate}`}`;
  };
  const reading = (load: (at: number) => string, n: number): CodeImage => ({
    at: { [TEXT]: laid(TEXT, [IN, load, call(n), OUT]), [DATA + 8]: LEAK },
  });
  const r8d = (at: number): string => relative(at, '44 8b 05', DATA + 8);

  it('that code reads and gives to an allocator, or to something else', () => {
    expect(told(reading(r8d, 0), DATA + 8)).to.equal('read allocates');
    expect(told(reading(r8d, 2), DATA + 8)).to.equal('read elsewhere');
    expect(
      told(
        reading((at) => relative(at, '8b 15', DATA + 8), 1),
        DATA + 8,
      ),
    ).to.equal('read frees');
  });

  it('of a table that code takes tags from', () => {
    // lea rax,[table]; mov r8d,[rax+rcx*4]
    const table = reading((at) => `${relative(at, '48 8d 05', DATA)} 44 8b 04 88`, 0);
    expect(told(table, DATA + 8)).to.equal('table allocates');
  });

  it('that no code refers to, that may be a part of something, or of an address', () => {
    expect(told(reading(r8d, 0), DATA + 0x20)).to.equal('near');
    expect(told({ at: { [DATA + 8]: LEAK } }, DATA + 8)).to.equal('nowhere');
    expect(told({ at: { [DATA + 8]: LEAK }, missing: [2] }, DATA + 8)).to.equal('unknown');
    expect(told({ at: { [DATA + 8]: '00 20 01 00 00 f8 ff ff' } }, DATA + 8)).to.equal('pointer');
  });
});

describe('tags in variables that code changes', () => {
  const load = (at: number): string => relative(at, '44 8b 05', DATA + 8);
  /** mov dword [DATA+8],'Abcd' */
  const store = (at: number): string => `${relative(at + 4, 'c7 05', DATA + 8)} 41 62 63 64`;
  const image: CodeImage = {
    at: {
      [TEXT]: laid(TEXT, [IN, load, call(0), OUT]),
      0x1100: laid(0x1100, [IN, store, OUT]),
      [DATA + 8]: LEAK,
    },
  };

  it('are told with their first value and those that are stored, and said to be such', () => {
    const { allocations, unknown } = allocationsIn(codeModule(image));
    expect(lines({ allocations, unknown, complete: true })).to.deep.equal([
      'Abcd ExAllocatePoolWithTag 100b from 4008',
      'Leak ExAllocatePoolWithTag 100b from 4008',
    ]);
    expect(allocations.map(({ isChanged }) => isChanged)).to.deep.equal([true, true]);
    const still = allocationsIn(codeModule({ at: { ...image.at, 0x1100: 'c3' } }));
    expect(still.allocations.map(({ isChanged }) => isChanged)).to.deep.equal([false]);
  });

  it('stored as a constant allocate, and stored elsewhere do not', () => {
    const fateOf = (more: CodeImage, at: number): string | undefined =>
      new TagFollower(imageCode(codeModule(more), null)!).constantAt(at, 0x64636241, false)?.fate;
    const at = 0x1100 + bytesOf(IN) + 6;
    expect(fateOf(image, at)).to.equal('allocates');
    const other = (place: number): string => `${relative(place + 4, 'c7 05', DATA + 12)} 41 62 63 64`;
    expect(fateOf({ at: { ...image.at, 0x1100: laid(0x1100, [IN, other, OUT]) } }, at)).to.equal('lost');
  });
});
