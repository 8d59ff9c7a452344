import { expect } from 'chai';
import { codeModule, DATA, IMPORTS, KERNEL, slot, TEXT, type CodeImage } from './image/code-image.test.helper.js';
import type { ExportLookup } from './image/exports.js';
import { imageCode } from './image/image-code.js';
import { TagFollower, type TagCode } from './tag-code.js';

/** `Leak` as bytes and as a number. */
const LEAK = '4c 65 61 6b';
const KEY = 0x6b61654c;

function follow(image: CodeImage, at: number, pair = false, exports: ExportLookup | null = null): TagCode | null {
  const code = imageCode(codeModule(image), exports);
  return code === null ? null : new TagFollower(code).constantAt(at, KEY, pair);
}

/** `fate allocator` and the functions between, of the tag that stands in `code` at TEXT. */
function fateOf(code: string, more: Partial<CodeImage> = {}): string {
  const at = TEXT + code.replaceAll(' ', '').indexOf(LEAK.replaceAll(' ', '')) / 2;
  return told(follow({ ...more, at: { [TEXT]: code, ...more.at } }, at));
}

function told(code: TagCode | null): string {
  if (code === null) return 'nothing';
  const through = code.call?.through.map((rva) => ` through ${rva.toString(16)}`).join('') ?? '';
  return `${code.fate}${code.call === null ? '' : ` ${code.call.allocator.name}`}${through}`;
}

const little = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join(' ');

/** An instruction of x64 that ends in a displacement from the next one. */
function relative(at: number, opcode: string, target: number): string {
  const length = opcode.replaceAll(' ', '').length / 2 + 4;
  return `${opcode} ${little(target - (at + length))}`;
}

const bytesOf = (text: string): number => text.replaceAll(' ', '').length / 2;

/** Pieces one behind the other from `start` on; functions are given their own RVA. */
function laid(start: number, pieces: readonly (string | ((at: number) => string))[]): string {
  let text = '';
  for (const piece of pieces) text += ` ${typeof piece === 'string' ? piece : piece(start + bytesOf(text))}`;
  return text;
}

const x64 =
  (n: number) =>
  (at: number): string =>
    relative(at, 'ff 15', slot('x64', n));
const [ALLOCATE, FREE, PRINT, POOL2] = [0, 1, 2, 3];
const MOV_R8D = `41 b8 ${LEAK}`;
const ARGUMENTS = 'ba 40 00 00 00 33 c9';
const IN = '48 83 ec 28';
const OUT = '48 83 c4 28 c3';

describe('code that gets a tag: x64', () => {
  const fate = (pieces: readonly (string | ((at: number) => string))[], more: Partial<CodeImage> = {}): string =>
    fateOf(laid(TEXT, pieces), more);
  const branch =
    (opcode: string, target: number) =>
    (at: number): string =>
      relative(at, opcode, target);

  it('the tag argument of an allocator, through the import table', () => {
    expect(fate([IN, MOV_R8D, ARGUMENTS, x64(ALLOCATE), OUT])).to.equal('allocates ExAllocatePoolWithTag');
    expect(fate([IN, MOV_R8D, ARGUMENTS, x64(POOL2), OUT])).to.equal('allocates ExAllocatePool2');
    // mov r11d,tag; mov r8d,r11d; mov rax,[slot]; call rax
    const rax = (at: number): string => relative(at, '48 8b 05', slot('x64', ALLOCATE));
    expect(fate([IN, `41 bb ${LEAK}`, ARGUMENTS, '45 8b c3', rax, 'ff d0', OUT])).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // jmp [slot]
    expect(fate([MOV_R8D, ARGUMENTS, branch('48 ff 25', slot('x64', ALLOCATE))])).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
  });

  it('as Windows rewrites calls: mov r10,[slot]; call target', () => {
    const r10 = (at: number): string => relative(at, '4c 8b 15', slot('x64', ALLOCATE));
    expect(fate([IN, MOV_R8D, ARGUMENTS, r10, branch('e8', 0x7f000000), OUT])).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
  });

  it('by addresses of the kernel, where the names of the imports are gone', () => {
    const exports: ExportLookup = {
      nameAt: (address) => IMPORTS[Number(address - KERNEL.x64) / 0x100] ?? null,
    };
    const code = laid(TEXT, [IN, MOV_R8D, ARGUMENTS, x64(ALLOCATE), OUT]);
    const image = { at: { [TEXT]: code }, resolved: true };
    expect(told(follow(image, TEXT + 6, false, exports))).to.equal('allocates ExAllocatePoolWithTag');
    expect(told(follow(image, TEXT + 6))).to.equal('missing');
    expect(told(follow({ ...image, missing: [3] }, TEXT + 6, false, exports))).to.equal('missing');
  });

  it('on either side of a branch, from the stack, and with the protected bit', () => {
    // test rcx,rcx; je +6; mov r8d,Abcd
    expect(fate([IN, MOV_R8D, '48 85 c9 74 06 41 b8 41 62 63 64', ARGUMENTS, x64(ALLOCATE), OUT])).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // mov [rsp+30h],tag; mov r8d,[rsp+30h]
    const spilled = [IN, `c7 44 24 30 ${LEAK}`, ARGUMENTS, '44 8b 44 24 30', x64(ALLOCATE), OUT];
    expect(fate(spilled)).to.equal('allocates ExAllocatePoolWithTag');
    const at = { [TEXT]: laid(TEXT, [IN, '41 b8 4c 65 61 eb', ARGUMENTS, x64(ALLOCATE), OUT]) };
    expect(told(follow({ at }, TEXT + 6))).to.equal('allocates ExAllocatePoolWithTag');
  });

  it('through functions of its own that pass it on', () => {
    const wrapper = 0x1800;
    const inner = 0x1900;
    // mov r8d,edx; mov edx,ecx; xor ecx,ecx; jmp
    const pass = '44 8b c2 8b d1 33 c9';
    const call = [IN, `ba ${LEAK}`, 'b9 40 00 00 00', branch('e8', wrapper), OUT];
    const one = { at: { [wrapper]: laid(wrapper, [pass, branch('ff 25', slot('x64', ALLOCATE))]) } };
    expect(fate(call, one)).to.equal('allocates ExAllocatePoolWithTag through 1800');
    const two = {
      at: {
        [wrapper]: laid(wrapper, [IN, branch('e8', inner), OUT]),
        [inner]: laid(inner, [pass, branch('ff 25', slot('x64', ALLOCATE))]),
      },
    };
    expect(fate(call, two)).to.equal('allocates ExAllocatePoolWithTag through 1800 through 1900');
    const itself = { at: { [wrapper]: laid(wrapper, [IN, branch('e8', wrapper), OUT]) } };
    expect(fate(call, itself)).to.equal('unknown');
  });

  it('other arguments, other functions, frees, compares and stores allocate nothing', () => {
    expect(fate([IN, `ba ${LEAK}`, '33 c9 41 b8 41 62 63 64', x64(ALLOCATE), OUT])).to.equal('elsewhere');
    expect(fate([IN, MOV_R8D, ARGUMENTS, x64(PRINT), OUT])).to.equal('elsewhere');
    expect(fate([IN, `ba ${LEAK}`, x64(FREE), OUT])).to.equal('frees ExFreePoolWithTag');
    expect(fate([IN, `81 39 ${LEAK}`, OUT])).to.equal('compared');
    expect(fate([IN, `c7 01 ${LEAK}`, ARGUMENTS, '41 b8 41 62 63 64', x64(ALLOCATE), OUT])).to.equal('lost');
    // r8 does not outlive a call
    expect(fate([IN, MOV_R8D, x64(PRINT), ARGUMENTS, x64(ALLOCATE), OUT])).to.equal('elsewhere');
    // call [rcx]
    expect(fate([IN, MOV_R8D, 'ff 11', OUT])).to.equal('unknown');
  });

  it('past instructions that write other registers than those that hold it', () => {
    const calls = [ARGUMENTS, x64(ALLOCATE), OUT];
    // mov esi,tag; rep stosd; repne scasb; imul eax,edx,10h; cdqe; xchg ecx,ebx; mov r8d,esi
    for (const other of ['f3 ab', 'f2 ae', '6b c2 10', '48 98', '48 99', '87 cb', '0f b1 0b']) {
      expect(fate([IN, `be ${LEAK}`, other, '44 8b c6', ...calls]), other).to.equal('allocates ExAllocatePoolWithTag');
    }
    // mov eax,tag: not written by rep stosd, repne scasb, outsd, imul edx,ecx, cqo, xadd [rbx],ecx
    for (const other of ['f3 ab', 'f2 ae', '6f', '0f af d1', '48 99', '0f c1 0b']) {
      expect(fate([IN, `b8 ${LEAK}`, other, '44 8b c0', ...calls]), other).to.equal('allocates ExAllocatePoolWithTag');
    }
    // mov edx,tag: not by cdqe, lodsd, cmpxchg [rbx],ecx, imul eax,ecx
    for (const other of ['48 98', 'ad', '0f b1 0b', '0f af c1']) {
      expect(fate([IN, `ba ${LEAK}`, other, '44 8b c2', ...calls]), other).to.equal('allocates ExAllocatePoolWithTag');
    }
  });

  it('not past those that write the register that holds it', () => {
    const calls = [ARGUMENTS, x64(ALLOCATE), OUT];
    // mov eax,tag; lodsd; imul ecx; imul eax,ecx; cdqe; cmpxchg; xchg eax,ebx; in eax,dx; xlatb
    for (const other of ['ad', 'f7 e9', '0f af c1', '48 98', '0f b1 0b', '93', 'ed', 'd7']) {
      expect(fate([IN, `b8 ${LEAK}`, other, '44 8b c0', ...calls]), other).to.not.match(/^allocates/);
    }
    // mov edx,tag; cqo; mul ecx; rdtsc; cpuid
    for (const other of ['48 99', 'f7 e1', '0f 31', '0f a2']) {
      expect(fate([IN, `ba ${LEAK}`, other, '44 8b c2', ...calls]), other).to.not.match(/^allocates/);
    }
    // mov ecx,tag; rep movsb. mov esi,tag; movsd; cmpsb; lodsb. mov edi,tag; stosb; scasb
    const written = [['b9', 'f3 a4', '44 8b c1']];
    for (const other of ['a5', 'a6', 'ac']) written.push(['be', other, '44 8b c6']);
    for (const other of ['aa', 'ae', 'a6']) written.push(['bf', other, '44 8b c7']);
    for (const [load, other, move] of written) {
      expect(fate([IN, `${load} ${LEAK}`, other!, move!, ...calls]), other).to.not.match(/^allocates/);
    }
  });

  it('bytes inside a function that no instruction holds are told apart', () => {
    // lea rax,[rip+tag bytes]
    const code = laid(TEXT, [IN, `48 8d 05 ${LEAK}`, OUT]);
    const image = { at: { [TEXT]: code }, functions: [[TEXT, TEXT + bytesOf(code)]] as const };
    expect(told(follow(image, TEXT + 7))).to.equal('lost');
    // mov dword ptr [rax+tag bytes],4030201h
    const other = laid(TEXT, [IN, `c7 80 ${LEAK} 01 02 03 04`, OUT]);
    expect(told(follow({ at: { [TEXT]: other }, functions: [[TEXT, TEXT + bytesOf(other)]] }, TEXT + 6))).to.equal(
      'not-held',
    );
  });

  it('a half of a constant of 64 bits', () => {
    expect(fate([IN, `49 b8 ${LEAK} 00 00 00 00`, ARGUMENTS, x64(ALLOCATE), OUT])).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // Two that stand side by side in memory: mov rax,constant; mov [rsp+20h],rax; mov r8d,[rsp+24h]
    const both = (half: string, from: string): string =>
      fate([IN, `48 b8 ${half}`, '48 89 44 24 20', `44 8b 44 24 ${from}`, ARGUMENTS, x64(ALLOCATE), OUT]);
    expect(both(`01 00 00 00 ${LEAK}`, '24')).to.equal('allocates ExAllocatePoolWithTag');
    expect(both(`${LEAK} 01 00 00 00`, '20')).to.equal('allocates ExAllocatePoolWithTag');
    // The other half is read.
    expect(both(`01 00 00 00 ${LEAK}`, '20')).to.not.match(/^allocates/);
    expect(both(`${LEAK} 01 00 00 00`, '24')).to.not.match(/^allocates/);
  });
});

describe('code that gets a tag: x86', () => {
  const call = (n: number): string => `ff 15 ${little(0x81000000 + slot('x86', n))}`;
  const x86: Partial<CodeImage> = { processor: 'x86' };
  const PROLOGUE = '8b ff 55 8b ec';

  it('pushed for an allocator', () => {
    expect(fateOf(`${PROLOGUE} 68 ${LEAK} 6a 40 6a 00 ${call(ALLOCATE)} 5d c3`, x86)).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // push; mov [esp],tag
    expect(fateOf(`${PROLOGUE} 83 ec 0c c7 44 24 08 ${LEAK} ${call(ALLOCATE)} 5d c3`, x86)).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // ExAllocatePool2 has 64 bits of flags
    expect(fateOf(`${PROLOGUE} 68 ${LEAK} 6a 40 6a 00 6a 40 ${call(POOL2)} 5d c3`, x86)).to.equal(
      'allocates ExAllocatePool2',
    );
    expect(fateOf(`${PROLOGUE} 6a 00 68 ${LEAK} 6a 00 6a 40 ${call(POOL2)} 5d c3`, x86)).to.equal('elsewhere');
  });

  it('through a function with its arguments on the stack, and after a call of it', () => {
    const wrapper = 0x1800;
    const direct = (at: number): string => relative(at, 'e8', wrapper);
    const body = `ff 74 24 04 ff 74 24 0c 6a 00 ${call(ALLOCATE)} c2 08 00`;
    const more = { ...x86, at: { [wrapper]: body } };
    expect(fateOf(laid(TEXT, [PROLOGUE, '6a 40', `68 ${LEAK}`, direct, '5d c3']), more)).to.equal(
      'allocates ExAllocatePoolWithTag through 1800',
    );
    // The inner call takes its two arguments away.
    const nested = laid(TEXT, [PROLOGUE, `68 ${LEAK}`, '6a 40 6a 01', direct, '50 6a 00', call(ALLOCATE), '5d c3']);
    expect(fateOf(nested, more)).to.equal('allocates ExAllocatePoolWithTag');
  });

  it('not where it is left over from a function that takes its arguments from the stack itself', () => {
    const imports = ['ExAllocatePoolWithTag', 'ObOpenObjectByPointer', 'DbgPrint', 'ExAllocatePool2'];
    // push tag; push esi; call; add esp,4; push 40h; push 0; call
    const left = `${PROLOGUE} 68 ${LEAK} 56 ${call(1)} 83 c4 04 6a 40 6a 00 ${call(ALLOCATE)} 5d c3`;
    expect(fateOf(left, { ...x86, imports })).to.not.match(/^allocates/);
    // A caller that takes them away itself: push tag; push esi; call DbgPrint; add esp,4; push 40h; push 0; call
    const cleaned = `${PROLOGUE} 68 ${LEAK} 56 ${call(PRINT)} 83 c4 04 6a 40 6a 00 ${call(ALLOCATE)} 5d c3`;
    expect(fateOf(cleaned, { ...x86, imports })).to.equal('allocates ExAllocatePoolWithTag');
  });

  it('freed with it, or compared', () => {
    expect(fateOf(`${PROLOGUE} 68 ${LEAK} 56 ${call(FREE)} 5d c3`, x86)).to.equal('frees ExFreePoolWithTag');
    expect(fateOf(`${PROLOGUE} 81 7d 08 ${LEAK} 5d c3`, x86)).to.equal('compared');
  });
});

describe('code that gets a tag: ARM64', () => {
  const MOVZ = (register: number, value: number, half = 0): number =>
    0x52800000 | (half << 21) | (value << 5) | register;
  const MOVK = (register: number, value: number, half = 1): number =>
    0x72800000 | (half << 21) | (value << 5) | register;
  const halves = (register: number): number[] => [MOVZ(register, 0x654c), MOVK(register, 0x6b61)];
  const RET = 0xd65f03c0;
  const ENTER = [0xa9bf7bfd, 0x910003fd];
  const LEAVE = [0xa8c17bfd, RET];
  /** adrp x8; ldr x8,[x8+slot]; blr x8, from a page of TEXT. */
  const through = (n: number, last = 0xd63f0100): number[] => [
    0xd0000008,
    0xf9400108 | (((slot('arm64', n) & 0xfff) >> 3) << 10),
    last,
  ];
  const fate = (words: readonly number[], at: number, more: Partial<CodeImage> = {}): string =>
    told(follow({ processor: 'arm64', ...more, at: { [TEXT]: words, ...more.at } }, TEXT + at, true));

  it('built in halves for an allocator, also through another register, or by a tail call', () => {
    expect(fate([...ENTER, ...halves(2), ...through(ALLOCATE), ...LEAVE], 8)).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // mov w2,w9
    expect(fate([...ENTER, ...halves(9), 0x2a0903e2, ...through(ALLOCATE), ...LEAVE], 8)).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    expect(fate([...halves(2), ...through(ALLOCATE, 0xd61f0100)], 0)).to.equal('allocates ExAllocatePoolWithTag');
  });

  it('through a function of its own, which moves it to its place', () => {
    const wrapper = [0x2a0103e2, ...through(ALLOCATE, 0xd61f0100)];
    const call = 0x94000000 | (((0x1800 - (TEXT + 16)) >> 2) & 0x3ffffff);
    expect(fate([...ENTER, ...halves(1), call, ...LEAVE], 8, { at: { 0x1800: wrapper } })).to.equal(
      'allocates ExAllocatePoolWithTag through 1800',
    );
  });

  it('moved by an addition of nothing, and put on the stack and read back', () => {
    const [ADD_W2_W9, SP_DOWN, SP_UP] = [0x11000122, 0xd10083ff, 0x910083ff];
    expect(fate([...ENTER, ...halves(9), ADD_W2_W9, ...through(ALLOCATE), ...LEAVE], 8)).to.equal(
      'allocates ExAllocatePoolWithTag',
    );
    // add w2,w9,#1
    expect(fate([...ENTER, ...halves(9), ADD_W2_W9 | 0x400, ...through(ALLOCATE), ...LEAVE], 8)).to.not.match(/^alloc/);
    // A wrapper that keeps its argument on the stack: str w1,[sp,#12]; ldr w2,[sp,#12]
    const wrapper = [SP_DOWN, 0xb9000fe1, 0xb9400fe2, ...through(ALLOCATE), SP_UP, RET];
    const call = 0x94000000 | (((0x1800 - (TEXT + 16)) >> 2) & 0x3ffffff);
    expect(fate([...ENTER, ...halves(1), call, ...LEAVE], 8, { at: { 0x1800: wrapper } })).to.equal(
      'allocates ExAllocatePoolWithTag through 1800',
    );
  });

  it('freed, given to others, or overwritten by a call', () => {
    expect(fate([...ENTER, ...halves(1), ...through(FREE), ...LEAVE], 8)).to.equal('frees ExFreePoolWithTag');
    expect(fate([...ENTER, ...halves(2), ...through(PRINT), ...LEAVE], 8)).to.equal('elsewhere');
    expect(fate([...ENTER, ...halves(2), ...through(PRINT), ...through(ALLOCATE), ...LEAVE], 8)).to.equal('elsewhere');
  });

  it('loaded from among the code', () => {
    // ldr w2, +20
    const words = [...ENTER, 0x18000000 | (6 << 5) | 2, ...through(ALLOCATE), ...LEAVE, KEY];
    const code = imageCode(codeModule({ processor: 'arm64', at: { [TEXT]: words } }), null)!;
    expect(told(new TagFollower(code).loadedBy(TEXT + 8, TEXT + 32))).to.equal('allocates ExAllocatePoolWithTag');
    expect(code.sectionAt(DATA)).to.equal(null);
  });
});
