import { expect } from 'chai';
import { registeredContext } from './filter-contexts.js';
import { baseOf, codeModule, DATA, TEXT, type Processor } from './image/code-image.test.helper.js';

interface Row {
  type?: number;
  flags?: number;
  cleanup?: bigint;
  size?: bigint;
  tag?: string;
  allocate?: bigint;
  reserved?: bigint;
}

const WIDTH = { x86: 4, x64: 8, arm64: 8 } as const;
const SIZES = { 4: 0x1c, 8: 0x38 } as const;
const TAG_AT = { 4: 0xc, 8: 0x18 } as const;

/** A row as the driver kit lays it out. */
function row(processor: Processor, { type = 8, flags = 0, cleanup = 0n, size = 0x90n, ...more }: Row): string {
  const width = WIDTH[processor];
  const bytes = Buffer.alloc(SIZES[width]);
  bytes.writeUInt16LE(type, 0);
  bytes.writeUInt16LE(flags, 2);
  const word = (value: bigint, number: number): void => {
    const at = width === 8 ? [8, 0x10, 0x20, 0x28, 0x30] : [4, 8, 0x10, 0x14, 0x18];
    if (width === 8) bytes.writeBigUInt64LE(value, at[number]);
    else bytes.writeUInt32LE(Number(value), at[number]);
  };
  word(cleanup, 0);
  word(size, 1);
  bytes.write(more.tag ?? 'WCsc', TAG_AT[width], 'latin1');
  word(more.allocate ?? 0n, 2);
  word(more.reserved ?? 0n, 4);
  return bytes.toString('hex');
}

const END = 'ffff0000';

/** What the tag of the first row is the context of. */
function kind(
  processor: Processor,
  rows: readonly Row[],
  more: { end?: string; at?: number; missing?: number[] } = {},
) {
  const text = rows.map((one) => row(processor, one)).join('') + (more.end ?? END);
  const at = more.at ?? DATA;
  const module = codeModule({ processor, at: { [at]: text }, missing: more.missing ?? [] });
  return registeredContext(module, at + TAG_AT[WIDTH[processor]]);
}

describe('registrations of filter contexts', () => {
  for (const processor of ['x64', 'x86', 'arm64'] as const) {
    const code = baseOf(processor) + BigInt(TEXT + 0x40);
    const variable = processor === 'x86' ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;

    it(`are recognized by their rows up to the end, ${processor}`, () => {
      expect(kind(processor, [{ cleanup: code }])).to.equal('stream');
      expect(kind(processor, [{ type: 2 }, { type: 0x10, size: variable, tag: 'WCsh' }])).to.equal('instance');
      expect(kind(processor, [{ type: 4, flags: 1, size: variable }])).to.equal('file');
    });

    it(`are not seen in what only looks like a row, ${processor}`, () => {
      const data = baseOf(processor) + BigInt(DATA);
      expect(kind(processor, [{ type: 3 }]), 'no type').to.equal(null);
      expect(kind(processor, [{ flags: 0x40 }]), 'flags').to.equal(null);
      expect(kind(processor, [{ size: 0n }]), 'no size').to.equal(null);
      expect(kind(processor, [{ size: 0x20000n }]), 'size').to.equal(null);
      expect(kind(processor, [{ cleanup: data }]), 'a routine in data').to.equal(null);
      expect(kind(processor, [{ cleanup: 0x1234n }]), 'a routine elsewhere').to.equal(null);
      expect(kind(processor, [{ reserved: 1n }]), 'reserved').to.equal(null);
      expect(kind(processor, [{}], { end: '00000000' }), 'no end').to.equal(null);
      expect(kind(processor, [{}, { type: 7 }]), 'a bad row after it').to.equal(null);
      expect(kind(processor, [{}], { at: DATA + 2 }), 'not aligned').to.equal(null);
      expect(kind(processor, [{ allocate: code }]), 'the driver allocates').to.equal(null);
    });

    it(`are not known where their end is missing, ${processor}`, () => {
      const at = DATA + 0x1000 - SIZES[WIDTH[processor]];
      expect(kind(processor, [{}], { at })).to.equal('stream');
      expect(kind(processor, [{}], { at, missing: [(DATA + 0x1000) / 0x1000] })).to.equal(null);
    });
  }

  it('end somewhere: more rows than anybody has are none', () => {
    expect(
      kind(
        'x86',
        Array.from({ length: 32 }, () => ({})),
      ),
    ).to.equal('stream');
    expect(
      kind(
        'x86',
        Array.from({ length: 40 }, () => ({})),
      ),
    ).to.equal(null);
  });
});
