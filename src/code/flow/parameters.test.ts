import { expect } from 'chai';
import { allocationsIn } from '../calls/allocations.js';
import {
  baseOf,
  codeModule,
  DATA,
  slot,
  TEXT,
  type CodeImage,
  type Processor,
} from '../image/code-image.test.helper.js';
import { imageCode } from '../image/image-code.js';
import { TagFollower } from '../tag-code.js';

const LEAK = '4c65616b';
const KEY = 0x6b61654c;
const little = (value: number): string => Buffer.from(Int32Array.of(value).buffer).toString('hex');
/** An instruction of x64 at `at` that ends in the distance to `target`. */
const relative = (at: number, opcode: string, target: number): string =>
  `${opcode}${little(target - (at + opcode.length / 2 + 4))}`;

type Piece = string | ((at: number) => string);

function laid(start: number, pieces: readonly Piece[]): string {
  let text = '';
  for (const piece of pieces)
    text += (typeof piece === 'string' ? piece : piece(start + text.length / 2)).replaceAll(' ', '');
  return text;
}

/** Tag, kind and allocator of all that an image allocates. */
function listed(image: CodeImage): string[] {
  return allocationsIn(codeModule(image)).allocations.map(
    ({ key, allocator, through, data }) =>
      `${Buffer.from(Int32Array.of(key).buffer).toString('latin1')} ${allocator}${through.length > 0 ? ' through' : ''}${data === null ? '' : ' data'}`,
  );
}

function fate(image: CodeImage, rva = -1): string {
  const text = image.at[TEXT] as string;
  const at = rva < 0 ? TEXT + text.indexOf(LEAK) / 2 : rva;
  const found = new TagFollower(imageCode(codeModule(image), null)!).constantAt(at, KEY, false);
  return `${found?.fate ?? 'nothing'} ${found?.call?.allocator.name ?? ''}`.trim();
}

const IN = '4883ec48';
const OUT = '4883c448c3';
const call =
  (n: number): Piece =>
  (at) =>
    relative(at, 'ff15', slot('x64', n));

describe('tags in parameter structures', () => {
  const imports = ['NdisAllocateNetBufferListPool', 'NdisAllocateTimerObject', 'FltRegisterFilter', 'DbgPrint'];
  // lea rdx,[rsp+20h]; mov dword [rsp+28h],tag
  const made = (offset: string): string => `c74424${offset}${LEAK}488d542420`;

  it('on the stack, where the function takes them and nowhere else', () => {
    const at = (offset: string, n: number): CodeImage => ({
      imports,
      at: { [TEXT]: laid(TEXT, [IN, made(offset), call(n), OUT]) },
    });
    expect(fate(at('28', 0))).to.equal('allocates NdisAllocateNetBufferListPool');
    expect(listed(at('28', 0))).to.deep.equal(['Leak NdisAllocateNetBufferListPool']);
    expect(fate(at('24', 1))).to.equal('allocates NdisAllocateTimerObject');
    for (const image of [at('2c', 0), at('28', 1), at('28', 3)]) {
      expect(fate(image)).to.not.match(/^allocates/);
      expect(listed(image)).to.deep.equal([]);
    }
  });

  it('on the stack, overwritten by a wider store: no longer there', () => {
    const over = { imports, at: { [TEXT]: laid(TEXT, [IN, made('28'), '4889442424', call(0), OUT]) } };
    expect(listed(over)).to.deep.equal([]);
    const before = { imports, at: { [TEXT]: laid(TEXT, [IN, '4889442424', made('28'), call(0), OUT]) } };
    expect(listed(before)).to.deep.equal(['Leak NdisAllocateNetBufferListPool']);
  });

  it('on the stack, filled in from an argument', () => {
    // mov [rsp+28h],ecx
    const wrapper = laid(0x1800, [IN, '894c2428488d542420', call(0), OUT]);
    const image = {
      imports,
      at: { [TEXT]: laid(TEXT, [IN, `b9${LEAK}`, (at) => relative(at, 'e8', 0x1800), OUT]), 0x1800: wrapper },
    };
    expect(fate(image)).to.equal('allocates NdisAllocateNetBufferListPool');
    expect(listed(image)).to.deep.equal(['Leak NdisAllocateNetBufferListPool through']);
  });

  it('in data, by its own bytes or filled in by the function', () => {
    const lea = (at: number): string => relative(at, '488d15', DATA);
    expect(listed({ imports, at: { [TEXT]: laid(TEXT, [IN, lea, call(0), OUT]), [DATA + 8]: LEAK } })).to.deep.equal([
      'Leak NdisAllocateNetBufferListPool data',
    ]);
    const fill: Piece = (at) => relative(at + 4, 'c705', DATA + 8) + LEAK;
    const filled = { imports, at: { [TEXT]: laid(TEXT, [IN, fill, lea, call(0), OUT]) } };
    expect(fate(filled)).to.equal('allocates NdisAllocateNetBufferListPool');
    expect(listed(filled)).to.deep.equal(['Leak NdisAllocateNetBufferListPool']);
  });

  it('of a filter: contexts that the filter manager allocates, not those with an allocator of their own', () => {
    const pointer = (rva: number): string => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, baseOf('x64') + BigInt(rva)));
      return bytes.toString('hex');
    };
    const context = (type: string, tag: string, own = false): string =>
      `${type}000000000000${'00'.repeat(16)}${tag}00000000${own ? pointer(TEXT) : '00'.repeat(8)}${'00'.repeat(16)}`;
    const image = {
      imports,
      at: {
        [TEXT]: laid(TEXT, [IN, (at) => relative(at, '488d15', DATA), call(2), OUT]),
        [DATA + 8]: pointer(DATA + 0x100),
        [DATA + 0x100]:
          `${context('0100', LEAK)}${context('0200', '4f776e65', true)}${context('0400', '41626364')}ffff${context('0100', '4e6f6e65')}`,
      },
    };
    expect(listed(image).sort()).to.deep.equal(['Abcd FltRegisterFilter data', 'Leak FltRegisterFilter data']);
  });
});

describe('calls of the driver framework', () => {
  /** The name, the bind information and what it leads to. */
  function framework(processor: Processor, minor: number, more: Record<number, string>): CodeImage {
    const width = processor === 'x86' ? 4 : 8;
    const base = baseOf(processor);
    const pointer = (rva: number): string => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(width * 8, base + BigInt(rva)));
      return bytes.toString('hex', 0, width);
    };
    const size = width === 8 ? '3000000000000000' : '20000000';
    const version = little(1) + little(minor) + little(7600) + little(0x18c);
    return {
      processor,
      at: {
        [DATA + 0xf00]: Buffer.from('KmdfLibrary\0', 'utf16le').toString('hex'),
        [DATA + 0xf40]: `${size}${pointer(DATA + 0xf00)}${version}${pointer(DATA)}${'00'.repeat(width)}`,
        ...more,
      },
    };
  }
  const load = (at: number): string => relative(at, '488b05', DATA);
  /** mov r9d,tag */
  const tag = `41b9${LEAK}`;

  it('through the pointer to its table', () => {
    const calling = (offset: number): CodeImage =>
      framework('x64', 15, { [TEXT]: laid(TEXT, [IN, tag, load, `ff90${little(offset)}`, OUT]) });
    expect(fate(calling(192 * 8))).to.equal('allocates WdfMemoryCreate');
    expect(listed(calling(192 * 8))).to.deep.equal(['Leak WdfMemoryCreate']);
    // WdfMemoryCreatePreallocated, and what is behind the table.
    for (const offset of [193 * 8, 192 * 8 + 4, 0x18d * 8]) {
      expect(fate(calling(offset)), `${offset}`).to.not.match(/^allocates/);
      expect(listed(calling(offset))).to.deep.equal([]);
    }
    // Another pointer beside it.
    const other = framework('x64', 15, {
      [TEXT]: laid(TEXT, [IN, tag, (at) => relative(at, '488b05', DATA + 8), `ff90${little(192 * 8)}`, OUT]),
    });
    expect(fate(other)).to.not.match(/^allocates/);
  });

  it('through the table itself, as before version 1.11; the same bytes say nothing in later versions', () => {
    const direct: Piece = (at) => relative(at, 'ff15', DATA + 192 * 8);
    const at = { [TEXT]: laid(TEXT, [IN, tag, direct, OUT]) };
    expect(fate(framework('x64', 9, at))).to.equal('allocates WdfMemoryCreate');
    expect(listed(framework('x64', 9, at))).to.deep.equal(['Leak WdfMemoryCreate']);
    expect(fate(framework('x64', 11, at))).to.not.match(/^allocates/);
  });

  it('of x86, and the configuration of a driver', () => {
    const x86 = (processor: string): CodeImage =>
      // mov eax,[table]; push 0; push 0; push 40h; push tag; push 0; push 0; push 0; call [eax+300h]
      framework('x86', 15, { [TEXT]: `558beca1${little(0x81000000 + DATA)}${processor}ff90${little(192 * 4)}5dc3` });
    expect(fate(x86(`6a006a006a4068${LEAK}6a006a006a00`))).to.equal('allocates WdfMemoryCreate');
    expect(fate(x86(`6a006a0068${LEAK}6a406a006a006a00`))).to.not.match(/^allocates/);
    // lea rax,[rsp+28h]; mov [rsp+20h],rax; mov dword [rsp+44h],tag
    const config = (offset: string): CodeImage =>
      framework('x64', 15, {
        [TEXT]: laid(TEXT, [IN, `c74424${offset}${LEAK}488d4424284889442420`, load, `ff90${little(116 * 8)}`, OUT]),
      });
    expect(fate(config('44'))).to.equal('allocates WdfDriverCreate');
    expect(fate(config('40'))).to.not.match(/^allocates/);
  });

  it('not where the bind information is not one', () => {
    const at = { [TEXT]: laid(TEXT, [IN, tag, load, `ff90${little(192 * 8)}`, OUT]) };
    const image = framework('x64', 15, at);
    const none = { ...image, at: { ...image.at, [DATA + 0xf00]: '4b006d0064006600' } };
    expect(fate(none)).to.not.match(/^allocates/);
    expect(fate(framework('x64', 15, { ...at, [DATA + 0xf40]: '31' }))).to.not.match(/^allocates/);
  });
});

describe('calls that are not written as calls of an import', () => {
  it('go through code that only jumps there', () => {
    const thunk = relative(0x1800, 'ff25', slot('x64', 0));
    const image = {
      imports: ['NdisAllocateNetBufferListPool'],
      at: {
        [TEXT]: laid(TEXT, [IN, `c7442428${LEAK}488d542420`, (at) => relative(at, 'e8', 0x1800), OUT]),
        0x1800: thunk,
      },
    };
    expect(fate(image)).to.equal('allocates NdisAllocateNetBufferListPool');
    expect(listed(image)).to.deep.equal(['Leak NdisAllocateNetBufferListPool']);
  });

  it('ask one function for one of several services, also through a function of the driver', () => {
    const imports = ['StorPortExtendedFunction'];
    const wrapper = laid(0x1800, [IN, 'ffc0', call(0), OUT]);
    const calling = (service: string): CodeImage => ({
      imports,
      at: {
        [TEXT]: laid(TEXT, [IN, `41b9${LEAK}`, `b9${service}000000`, (at) => relative(at, 'e8', 0x1800), OUT]),
        0x1800: wrapper,
      },
    });
    expect(fate(calling('00'))).to.equal('allocates StorPortExtendedFunction');
    expect(listed(calling('00'))).to.deep.equal(['Leak StorPortExtendedFunction through']);
    expect(fate(calling('02'))).to.not.match(/^allocates/);
    expect(listed(calling('02'))).to.deep.equal([]);
  });

  it('use the tag of the kernel where the function takes none', () => {
    const image = { imports: ['ExAllocatePool'], at: { [TEXT]: laid(TEXT, [IN, 'ba40000000', call(0), OUT]) } };
    expect(listed(image)).to.deep.equal(['None ExAllocatePool']);
  });
});

describe('calls by way of Control Flow Guard', () => {
  const CONFIG = DATA + 0x800;
  const [CHECK, DISPATCH] = [DATA + 0x20, DATA + 0x28];

  function guarded(processor: Processor, code: string | readonly number[], isGuarded = true): CodeImage {
    const width = processor === 'x86' ? 4 : 8;
    const pointer = (rva: number): string => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(width * 8, baseOf(processor) + BigInt(rva)));
      return bytes.toString('hex', 0, width);
    };
    return {
      processor,
      ...(isGuarded ? { loadConfig: CONFIG } : {}),
      at: {
        [TEXT]: code,
        [CONFIG]: '94000000',
        [CONFIG + (width === 8 ? 0x70 : 0x48)]: pointer(CHECK) + pointer(DISPATCH),
      },
    };
  }

  it('go where rax says: x64', () => {
    const rax = (at: number): string => relative(at, '488b05', slot('x64', 0));
    const code = laid(TEXT, [IN, `41b8${LEAK}`, 'ba4000000033c9', rax, (at) => relative(at, 'ff15', DISPATCH), OUT]);
    expect(fate(guarded('x64', code))).to.equal('allocates ExAllocatePoolWithTag');
    expect(fate(guarded('x64', code, false))).to.not.match(/^allocates/);
    // Not where another slot stands.
    const other = laid(TEXT, [
      IN,
      `41b8${LEAK}`,
      'ba4000000033c9',
      rax,
      (at) => relative(at, 'ff15', DATA + 0x30),
      OUT,
    ]);
    expect(fate(guarded('x64', other))).to.not.match(/^allocates/);
    // A function that does nothing but jump there.
    const thunk = laid(TEXT, [IN, `41b8${LEAK}`, 'ba4000000033c9', rax, (at) => relative(at, 'e8', 0x1800), OUT]);
    const image = guarded('x64', thunk);
    expect(fate({ ...image, at: { ...image.at, 0x1800: 'ffe0' } })).to.equal('allocates ExAllocatePoolWithTag');
  });

  it('are checked before, which changes nothing: x86, ARM64', () => {
    const absolute = (opcode: string, rva: number): string => opcode + little(0x81000000 + rva);
    const x86 = `558bec68${LEAK}6a406a00${absolute('8b0d', slot('x86', 0))}${absolute('ff15', CHECK)}ffd15dc3`;
    expect(fate(guarded('x86', x86))).to.equal('allocates ExAllocatePoolWithTag');
    const arm64 = [
      ...[0xa9bf7bfd, 0x52800000 | (0x654c << 5) | 2, 0x72a00000 | (0x6b61 << 5) | 2],
      // adrp x15; ldr x15,[slot]; adrp x8; ldr x8,[check]; blr x8; blr x15
      ...[0xd000000f, 0xf94001ef | (((slot('arm64', 0) & 0xfff) >> 3) << 10)],
      ...[0xf0000008, 0xf9400108 | (((CHECK & 0xfff) >> 3) << 10), 0xd63f0100, 0xd63f01e0],
      ...[0xa8c17bfd, 0xd65f03c0],
    ];
    const follow = (image: CodeImage): string | undefined =>
      new TagFollower(imageCode(codeModule(image), null)!).constantAt(TEXT + 4, KEY, true)?.fate;
    expect(follow(guarded('arm64', arm64))).to.equal('allocates');
    expect(follow(guarded('arm64', arm64, false))).to.not.equal('allocates');
  });
});
