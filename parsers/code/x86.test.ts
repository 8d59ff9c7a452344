/** What x86 and x64 instructions do to registers, memory and control, by encodings that an assembler made. */

import { expect } from 'chai';
import { operationsText } from './operations.test.helper.js';
import { OP, Operations } from './operations.js';
import { x86Decoder } from './x86.js';

/** Where the instruction stands, and the low half of the base of the image. */
const AT = 0x1000;
const BASE = 0x80000000;

/** Encoding, instruction, and what it does; numbers of meanings are hexadecimal, x0 to x7 are eax, ecx, edx, ebx, esp, ebp, esi, edi. */
type Row = readonly [string, string, string];

const X64: readonly Row[] = [
  ['b94c65616b', 'mov ecx, 0x6b61654c', 'x1 = 6b61654c'],
  ['48c7c1feffffff', 'mov rcx, -2', 'x1 = -2'],
  ['89d8', 'mov eax, ebx', 'x0 = x3'],
  ['4c89c8', 'mov rax, r9', 'x0 = x9'],
  ['b007', 'mov al, 7', 'loses x0'],
  ['66b80700', 'mov ax, 7', 'loses x0'],
  ['488b4318', 'mov rax, qword ptr [rbx + 0x18]', 'x0 = 8 at x3 + 18'],
  ['8b43fc', 'mov eax, dword ptr [rbx - 4]', 'x0 = 4 at x3 - 4'],
  ['488b0500010000', 'mov rax, qword ptr [rip + 0x100]', 'x0 = 8 at 1107'],
  ['4a8b44c310', 'mov rax, qword ptr [rbx + r8*8 + 0x10]', 'x0 = 8 at x3 + x8 + 10'],
  ['65488b042588010000', 'mov rax, qword ptr gs:[0x188]', 'loses x0'],
  ['4889442420', 'mov qword ptr [rsp + 0x20], rax', '8 at x4 + 20 = x0'],
  ['89442420', 'mov dword ptr [rsp + 0x20], eax', '4 at x4 + 20 = x0'],
  ['88442420', 'mov byte ptr [rsp + 0x20], al', '1 at x4 + 20 = unknown'],
  ['c74424204c65616b', 'mov dword ptr [rsp + 0x20], 0x6b61654c', '4 at x4 + 20 = 6b61654c'],
  ['48c744242010000000', 'mov qword ptr [rsp + 0x20], 0x10', '8 at x4 + 20 = 10'],
  ['66c74424201000', 'mov word ptr [rsp + 0x20], 0x10', '2 at x4 + 20 = unknown'],
  ['c644242010', 'mov byte ptr [rsp + 0x20], 0x10', '1 at x4 + 20 = unknown'],
  ['654889042588010000', 'mov qword ptr gs:[0x188], rax', 'nothing'],
  ['8ed8', 'mov ds, eax', 'nothing'],
  ['0f20d8', 'mov rax, cr3', 'loses x0'],
  ['48b8f0debc9a78563412', 'movabs rax, 0x123456789abcdef0', 'x0 = 12345678:-65432110'],
  ['0fb6c1', 'movzx eax, cl', 'loses x0'],
  ['4863c1', 'movsxd rax, ecx', 'loses x0'],
  ['480fc303', 'movnti qword ptr [rbx], rax', '8 at x3 + 0 = x0'],
  ['488d0d00020000', 'lea rcx, [rip + 0x200]', 'x1 = @1207'],
  ['488d4b30', 'lea rcx, [rbx + 0x30]', 'x1 = x3 + 30'],
  ['488d0c03', 'lea rcx, [rbx + rax]', 'loses x1'],
  ['448d46ff', 'lea r8d, [rsi - 1]', 'x8 = x6 - 1'],
  ['4883c428', 'add rsp, 0x28', 'x4 = x4 + 28'],
  ['4883ec28', 'sub rsp, 0x28', 'x4 = x4 - 28'],
  ['0500100000', 'add eax, 0x1000', 'x0 = x0 + 1000'],
  ['01c8', 'add eax, ecx', 'x0 = x0 + x1'],
  ['29c0', 'sub eax, eax', 'x0 = 0'],
  ['29c8', 'sub eax, ecx', 'loses x0'],
  ['0303', 'add eax, dword ptr [rbx]', 'x0 = x0 + memory at x3 + 0'],
  ['83430801', 'add dword ptr [rbx + 8], 1', '4 at x3 + 8 = unknown'],
  ['0d00000080', 'or eax, 0x80000000', 'x0 = x0 | -80000000'],
  ['09c8', 'or eax, ecx', 'loses x0'],
  ['0b03', 'or eax, dword ptr [rbx]', 'loses x0'],
  ['0c01', 'or al, 1', 'loses x0'],
  ['834b0801', 'or dword ptr [rbx + 8], 1', '4 at x3 + 8 = unknown'],
  ['31c9', 'xor ecx, ecx', 'x1 = 0'],
  ['31d1', 'xor ecx, edx', 'loses x1'],
  ['30c9', 'xor cl, cl', 'loses x1'],
  ['83f105', 'xor ecx, 5', 'loses x1'],
  ['83e105', 'and ecx, 5', 'loses x1'],
  ['3d4c65616b', 'cmp eax, 0x6b61654c', 'x0 ? 6b61654c'],
  ['39c8', 'cmp eax, ecx', 'x0 ? x1'],
  ['833b07', 'cmp dword ptr [rbx], 7', 'memory ? 7'],
  ['3b03', 'cmp eax, dword ptr [rbx]', 'x0 ? unknown'],
  ['85c0', 'test eax, eax', 'x0 ? x0'],
  ['a801', 'test al, 1', 'x0 ? 1'],
  ['0f44c1', 'cmove eax, ecx', 'x0 = x0 or x1'],
  ['480f4503', 'cmovne rax, qword ptr [rbx]', 'x0 = x0 or memory'],
  ['53', 'push rbx', 'push x3'],
  ['6a10', 'push 0x10', 'push 10'],
  ['ff7308', 'push qword ptr [rbx + 8]', 'push at x3 + 8'],
  ['65ff342508000000', 'push qword ptr gs:[8]', 'push unknown'],
  ['9c', 'pushfq', 'push unknown'],
  ['5b', 'pop rbx', 'pop x3'],
  ['9d', 'popfq', 'pop'],
  ['c9', 'leave', 'leave'],
  ['e8fb000000', 'call 0x100', 'call 1100'],
  ['ff1540000000', 'call qword ptr [rip + 0x40]', 'call 8 at 1046'],
  ['ff5010', 'call qword ptr [rax + 0x10]', 'call 8 at x0 + 10'],
  ['65ff142510000000', 'call qword ptr gs:[0x10]', 'call anywhere'],
  ['ffd0', 'call rax', 'call x0'],
  ['e9fb000000', 'jmp 0x100', 'jump 1100'],
  ['ff2540000000', 'jmp qword ptr [rip + 0x40]', 'jump 8 at 1046'],
  ['ffe0', 'jmp rax', 'jump x0'],
  ['741e', 'je 0x20', 'branch 1020'],
  ['0f85fa010000', 'jne 0x200', 'branch 1200'],
  ['ebde', 'jmp -0x20', 'jump fe0'],
  ['e31e', 'jrcxz 0x20', 'branch 1020'],
  ['e20e', 'loop 0x10', 'branch 1010'],
  ['c3', 'ret', 'return 0'],
  ['c20800', 'ret 8', 'return 8'],
  ['48cf', 'iretq', 'return 0'],
  ['cc', 'int3', 'stop'],
  ['0f0b', 'ud2', 'stop'],
  ['f4', 'hlt', 'stop'],
  ['cd29', 'int 0x29', 'nothing'],
  ['90', 'nop', 'nothing'],
  ['0f1f00', 'nop dword ptr [rax]', 'nothing'],
  ['f390', 'pause', 'nothing'],
  ['0fbae003', 'bt eax, 3', 'nothing'],
  ['0fbaf003', 'btr eax, 3', 'loses x0'],
  ['ee', 'out dx, al', 'nothing'],
  ['0f30', 'wrmsr', 'nothing'],
  ['4893', 'xchg rax, rbx', 'loses x0 x3'],
  ['488719', 'xchg qword ptr [rcx], rbx', '8 at x1 + 0 = unknown, loses x3'],
  ['f00fc101', 'lock xadd dword ptr [rcx], eax', '4 at x1 + 0 = unknown, loses x0'],
  ['f00fb111', 'lock cmpxchg dword ptr [rcx], edx', '4 at x1 + 0 = unknown, loses x0'],
  ['0fb1d3', 'cmpxchg ebx, edx', 'loses x0 x3'],
  ['0fc709', 'cmpxchg8b qword ptr [rcx]', '8 at x1 + 0 = unknown, loses x0 x2'],
  ['f7e1', 'mul ecx', 'loses x0 x1 x2'],
  ['f7f1', 'div ecx', 'loses x0 x1 x2'],
  ['f7e9', 'imul ecx', 'loses x0 x2'],
  ['0fafc1', 'imul eax, ecx', 'loses x0'],
  ['6bc108', 'imul eax, ecx, 8', 'loses x0'],
  ['0f32', 'rdmsr', 'loses x0 x2'],
  ['0f31', 'rdtsc', 'loses x0 x2'],
  ['99', 'cdq', 'loses x2'],
  ['4899', 'cqo', 'loses x2'],
  ['4898', 'cdqe', 'loses x0'],
  ['ec', 'in al, dx', 'loses x0'],
  ['0fa2', 'cpuid', 'loses x0 x1 x2 x3'],
  ['f348ab', 'rep stosq', 'fill from x7 with x0, loses x1 x7'],
  ['ab', 'stosd', 'fill from x7 with x0, loses x7'],
  ['a4', 'movsb', 'fill from x7 with unknown, loses x6 x7'],
  ['f348a5', 'rep movsq', 'fill from x7 with unknown, loses x1 x6 x7'],
  ['ad', 'lodsd', 'loses x0 x6'],
  ['f2ae', 'repne scasb', 'loses x1 x7'],
  ['f3a6', 'repe cmpsb', 'loses x1 x6 x7'],
  ['f20f10c1', 'movsd xmm0, xmm1', 'nothing'],
  ['0f29442410', 'movaps xmmword ptr [rsp + 0x10], xmm0', '16 at x4 + 10 = unknown'],
  ['660f7ec0', 'movd eax, xmm0', 'loses x0'],
  ['0f1003', 'movups xmm0, xmmword ptr [rbx]', 'nothing'],
  ['c1e003', 'shl eax, 3', 'loses x0'],
  ['f7d0', 'not eax', 'loses x0'],
  ['ffc0', 'inc eax', 'loses x0'],
  ['ff03', 'inc dword ptr [rbx]', '4 at x3 + 0 = unknown'],
  ['0f94c0', 'sete al', 'loses x0'],
  ['410fc9', 'bswap r9d', 'loses x9'],
]; // prettier-ignore

/** Addresses in operands become RVAs. */
const X86: readonly Row[] = [
  ['a100300080', 'mov eax, dword ptr [0x80003000]', 'x0 = 4 at 3000'],
  ['a300400080', 'mov dword ptr [0x80004000], eax', '4 at 4000 = x0'],
  ['c705004000804c65616b', 'mov dword ptr [0x80004000], 0x6b61654c', '4 at 4000 = 6b61654c'],
  ['8b048d00300080', 'mov eax, dword ptr [ecx*4 + 0x80003000]', 'x0 = 4 at x1 + 3000'],
  ['64a124010000', 'mov eax, dword ptr fs:[0x124]', 'loses x0'],
  ['8d0500300080', 'lea eax, [0x80003000]', 'x0 = @3000'],
  ['684c65616b', 'push 0x6b61654c', 'push 6b61654c'],
  ['ff7508', 'push dword ptr [ebp + 8]', 'push at x5 + 8'],
  ['ff3500300080', 'push dword ptr [0x80003000]', 'push at 3000'],
  ['50', 'push eax', 'push x0'],
  ['59', 'pop ecx', 'pop x1'],
  ['ff1500300080', 'call dword ptr [0x80003000]', 'call 4 at 3000'],
  ['ff2500300080', 'jmp dword ptr [0x80003000]', 'jump 4 at 3000'],
  ['e8fb000000', 'call 0x100', 'call 1100'],
  ['c20c00', 'ret 0xc', 'return c'],
  ['83ec10', 'sub esp, 0x10', 'x4 = x4 - 10'],
  ['c9', 'leave', 'leave'],
  ['60', 'pushad', 'loses x0 x1 x2 x3'],
  ['668945fc', 'mov word ptr [ebp - 4], ax', '2 at x5 - 4 = unknown'],
  ['837d0800', 'cmp dword ptr [ebp + 8], 0', 'memory ? 0'],
]; // prettier-ignore

function decoded(bits: 32 | 64, bytes: Uint8Array, most = 100): Operations {
  const out = new Operations();
  x86Decoder(bits).decode(bytes, AT, BASE, out, most);
  return out;
}

for (const [bits, rows] of [
  [64, X64],
  [32, X86],
] as const) {
  describe(`x86 instructions, ${bits} bits`, () => {
    for (const [bytes, instruction, meaning] of rows) {
      it(`${instruction}: ${meaning}`, () => {
        const out = decoded(bits, Buffer.from(bytes, 'hex'));
        expect(operationsText(out)).to.equal(meaning);
        expect([out.at[0], out.length[0]]).to.deep.equal([AT, bytes.length / 2]);
      });
    }
  });
}

describe('x86 code', () => {
  const NOP = Buffer.from('90', 'hex');
  /** Nothing that any x64 processor takes for an instruction. */
  const NONE = Buffer.from('06', 'hex');

  it('ends where its bytes end, and before an instruction that is cut', () => {
    const out = decoded(64, Buffer.from('90b84c6561', 'hex'));
    expect([...out.at.subarray(0, out.count)]).to.deep.equal([AT]);
    expect(decoded(64, Buffer.alloc(0)).count).to.equal(0);
  });

  it('goes on behind a byte that is no instruction, which ends the path', () => {
    const out = decoded(64, Buffer.concat([NOP, NONE, NOP]));
    expect([...out.at.subarray(0, out.count)]).to.deep.equal([AT, AT + 1, AT + 2]);
    expect([...out.kind.subarray(0, out.count)]).to.deep.equal([OP.none, OP.stop, OP.none]);
  });

  it('gives no more than are wanted', () => {
    expect(decoded(64, Buffer.alloc(50, NOP), 7).count).to.equal(7);
  });

  it('is the same however long: places, branches and operands behind the first pages', () => {
    const call = Buffer.from('e8fb0f0000', 'hex');
    for (const before of [4090, 4093, 4096, 8190, 12_288]) {
      const out = decoded(64, Buffer.concat([Buffer.alloc(before, NOP), call, NOP]), 20_000);
      expect(out.count).to.equal(before + 2);
      expect([out.at[before], out.length[before], out.kind[before]]).to.deep.equal([AT + before, 5, OP.call]);
      expect(out.immediate[before]).to.equal(AT + before + 0x1000);
      expect(out.at[before + 1]).to.equal(AT + before + 5);
    }
  });

  it('is written as the debugger writes it', () => {
    const text = (bytes: string): string | null => x86Decoder(64).text(Buffer.from(bytes, 'hex'), 0xfffff80000001000n);
    expect(text('41b84c65616b')).to.equal('mov     r8d,6B61654Ch');
    expect(text('e8fb000000')).to.equal('call    0FFFFF80000001100h');
    expect(text('06')).to.equal(null);
  });
});
