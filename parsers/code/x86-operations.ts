/** x86 and x64 instructions, as iced-x86 decodes them, as operations. */

import type { Instruction } from 'iced-x86';
import { OP, UNKNOWN_REGISTER, type Operations } from './operations.js';
import { ACTION, type Iced } from './x86-actions.js';
import { load } from './x86-iced.js';

/** Memory operands of string instructions. */
type StringOperand = 'MemorySegSI' | 'MemorySegESI' | 'MemorySegRSI' | 'MemoryESDI' | 'MemoryESEDI' | 'MemoryESRDI';

const RDI = 7;
const RSI_BIT = 1 << 6;
const RDI_BIT = 1 << RDI;

/** Turns decoded instructions into operations. `bytes` stand at RVA `rva` of an image whose base is `base` modulo 2^32. */
export class X86Operations {
  private readonly wide: boolean;
  private readonly registers: Int8Array;
  private readonly actions: Uint8Array;
  private readonly kinds: Iced['OpKind'];

  constructor(
    bits: 32 | 64,
    private readonly bytes: Uint8Array,
    private readonly rva: number,
    private readonly base: number,
    private readonly out: Operations,
  ) {
    const { registers, actions, iced } = load();
    this.wide = bits === 64;
    this.registers = registers;
    this.actions = actions;
    this.kinds = iced.OpKind;
  }

  one(x: Instruction, at: number, length: number): void {
    const { out } = this;
    const action = this.actions[x.mnemonic] ?? ACTION.write;
    const i = out.add(this.rva + at, length, OP.none);
    if (action === ACTION.nothing) return;
    switch (action) {
      case ACTION.move:
        this.move(x, i);
        return;
      case ACTION.address:
        this.lea(x, i);
        return;
      case ACTION.add:
      case ACTION.subtract:
        this.arithmetic(x, i, action === ACTION.add ? 1 : -1);
        return;
      case ACTION.or:
      case ACTION.xor:
        this.logic(x, i, action === ACTION.or);
        return;
      case ACTION.compare:
        this.compare(x, i);
        return;
      case ACTION.conditionalMove: {
        const target = this.register(x.op0Register);
        const source = x.op1Kind === this.kinds.Register ? this.register(x.op1Register) : -1;
        if (target < 0) return;
        out.kind[i] = OP.either;
        out.target[i] = target;
        out.source[i] = target;
        out.index[i] = source;
        out.killed[i] = 1 << target;
        return;
      }
      case ACTION.push:
      case ACTION.pop:
        this.stack(x, i, action === ACTION.push);
        return;
      case ACTION.leave:
        out.kind[i] = OP.leave;
        return;
      case ACTION.call:
        this.transfer(x, i, OP.call, OP.callMemory, OP.callRegister);
        return;
      case ACTION.jump:
        this.transfer(x, i, OP.jump, OP.jumpMemory, OP.jumpRegister);
        return;
      case ACTION.branch:
        out.kind[i] = OP.branch;
        out.immediate[i] = this.branchTarget(at, length);
        return;
      case ACTION.return:
        out.kind[i] = OP.return;
        out.immediate[i] = x.opCount > 0 ? x.immediate16 : 0;
        return;
      case ACTION.stop:
        out.kind[i] = OP.stop;
        return;
      default:
        this.write(x, i, action);
    }
  }

  private register(number: number): number {
    return this.registers[number] ?? -1;
  }

  /** The rest: what is written becomes unknown. */
  private write(x: Instruction, i: number, action: number): void {
    const { out, kinds } = this;
    const bit = (number: number): number => (number < 0 ? 0 : 1 << number);
    let killed = 0;
    const isString = action === ACTION.string || action === ACTION.fill;
    const writesFirst = action !== ACTION.readOnly && !isString && action !== ACTION.multiply;
    if ((writesFirst || (action === ACTION.multiply && x.opCount > 1)) && x.opCount > 0 && x.op0Kind === kinds.Register)
      killed |= bit(this.register(x.op0Register));
    if (action === ACTION.exchange && x.op1Kind === kinds.Register) killed |= bit(this.register(x.op1Register));
    if (action === ACTION.accumulators || (action === ACTION.multiply && x.opCount === 1)) killed |= 0x5;
    if (action === ACTION.accumulator) killed |= 0x1;
    if (action === ACTION.high) killed |= 0x4;
    if (isString) killed |= this.stringWrites(x);
    if (action === ACTION.fill && this.stringRegister(x.op0Kind) === RDI_BIT) {
      out.kind[i] = OP.fill;
      out.target[i] = RDI;
      // STOS writes rax.
      out.source[i] = x.op1Kind === kinds.Register && this.register(x.op1Register) === 0 ? 0 : UNKNOWN_REGISTER;
    }
    if (action === ACTION.identify) killed |= 0xf;
    out.killed[i] = killed;
    if (action !== ACTION.readOnly && x.opCount > 0 && x.op0Kind === kinds.Memory) this.storeUnknown(x, i);
  }

  /** What a string instruction writes: rsi where it reads by it, rdi where it uses it, rcx where it repeats, rax for LODS. */
  private stringWrites(x: Instruction): number {
    const [first, second] = [this.stringRegister(x.op0Kind), this.stringRegister(x.op1Kind)];
    // SSE instructions of the same name.
    if (first === 0 && second === 0) return 0;
    const repeats = x.hasRepPrefix || x.hasRepnePrefix;
    // LODS; OUTS reads dx.
    const loads = second === RSI_BIT && x.op0Kind === this.kinds.Register && this.register(x.op0Register) === 0;
    return first | second | (repeats ? 0x2 : 0) | (loads ? 0x1 : 0);
  }

  private stringRegister(kind: number): number {
    const kinds: Readonly<Record<StringOperand, number>> = this.kinds;
    const isRsi = kind === kinds.MemorySegSI || kind === kinds.MemorySegESI || kind === kinds.MemorySegRSI;
    const isRdi = kind === kinds.MemoryESDI || kind === kinds.MemoryESEDI || kind === kinds.MemoryESRDI;
    return isRsi ? RSI_BIT : isRdi ? RDI_BIT : 0;
  }

  /** Memory that is written with something unknown. */
  private storeUnknown(x: Instruction, i: number): void {
    const { out } = this;
    if (!this.memory(x, i, true)) return;
    out.kind[i] = OP.store;
    out.source[i] = UNKNOWN_REGISTER;
    out.size[i] = Math.min(load().iced.MemorySizeExt.size(x.memorySize), 64);
  }

  private move(x: Instruction, i: number): void {
    const { out, kinds } = this;
    const [left, right] = [x.op0Kind, x.op1Kind];
    if (left === kinds.Register) {
      const target = this.register(x.op0Register);
      if (target < 0) return;
      const size = this.widthOf(x.op0Register);
      out.target[i] = target;
      out.killed[i] = 1 << target;
      if (size < 4) return;
      if (right === kinds.Register) {
        const source = this.register(x.op1Register);
        if (source < 0) return;
        out.kind[i] = OP.copy;
        out.source[i] = source;
      } else if (right === kinds.Memory) {
        if (!this.memory(x, i, false)) return;
        out.kind[i] = OP.load;
        out.size[i] = size;
      } else {
        out.kind[i] = OP.constant;
        out.immediate[i] = this.immediate(x, right);
        const { Immediate64 }: { Immediate64: number } = kinds;
        const form: number = right;
        if (form === Immediate64) out.value[i] = Number(BigInt.asIntN(32, x.immediate64 >> 32n));
      }
      return;
    }
    if (left !== kinds.Memory || !this.memory(x, i, true)) return;
    out.kind[i] = OP.store;
    if (right === kinds.Register) {
      const source = this.register(x.op1Register);
      out.source[i] = source < 0 ? UNKNOWN_REGISTER : source;
      out.size[i] = source < 0 ? 8 : this.widthOf(x.op1Register);
      if (source >= 0 && this.widthOf(x.op1Register) < 4) out.source[i] = UNKNOWN_REGISTER;
    } else {
      const size = this.memoryBytes(x, right);
      out.size[i] = size;
      out.value[i] = this.immediate(x, right);
      if (size < 4) out.source[i] = UNKNOWN_REGISTER;
    }
  }

  /** Bytes that an immediate is stored to. */
  private memoryBytes(x: Instruction, kind: number): number {
    const kinds: Readonly<Record<'Immediate32to64' | 'Immediate32' | 'Immediate16', number>> = this.kinds;
    if (kind === kinds.Immediate32to64) return 8;
    if (kind === kinds.Immediate32) return 4;
    return kind === kinds.Immediate16 ? 2 : x.opCount > 1 ? 1 : 0;
  }

  private widthOf(register: number): number {
    return load().widths[register] ?? 2;
  }

  private immediate(x: Instruction, kind: number): number {
    const { Immediate32 }: { Immediate32: number } = this.kinds;
    if (kind === Immediate32) return x.immediate32 | 0;
    return Number(BigInt.asIntN(32, x.immediate(x.opCount - 1)));
  }

  private lea(x: Instruction, i: number): void {
    const { out } = this;
    const target = this.register(x.op0Register);
    if (target < 0) return;
    out.target[i] = target;
    out.killed[i] = 1 << target;
    if (!this.memory(x, i, false)) return;
    if (out.source[i] === -1 && out.index[i] === -1) out.kind[i] = OP.address;
    else if (out.index[i] === -1) out.kind[i] = OP.add;
  }

  /** The register that an instruction changes, which is noted; -1 where it changes memory or none that is followed. */
  private changed(x: Instruction, i: number): number {
    const { out, kinds } = this;
    if (x.op0Kind !== kinds.Register) {
      if (x.op0Kind === kinds.Memory) this.storeUnknown(x, i);
      return -1;
    }
    const target = this.register(x.op0Register);
    if (target < 0) return -1;
    out.target[i] = target;
    out.killed[i] = 1 << target;
    return target;
  }

  private arithmetic(x: Instruction, i: number, sign: 1 | -1): void {
    const { out, kinds } = this;
    const target = this.changed(x, i);
    if (target < 0) return;
    const isSame = x.op1Kind === kinds.Register && x.op1Register === x.op0Register;
    if (x.op1Kind === kinds.Register || x.op1Kind === kinds.Memory) {
      if (sign < 0 && isSame) out.kind[i] = OP.constant;
      if (sign > 0 && this.widthOf(x.op0Register) >= 4) this.sum(x, i, target);
      return;
    }
    out.kind[i] = OP.add;
    out.source[i] = target;
    out.immediate[i] = (sign * this.immediate(x, x.op1Kind)) | 0;
  }

  /** A register or memory is added to a register. */
  private sum(x: Instruction, i: number, target: number): void {
    const { out, kinds } = this;
    if (x.op1Kind === kinds.Memory) {
      if (this.memory(x, i, false)) out.kind[i] = OP.sumMemory;
      return;
    }
    const other = this.register(x.op1Register);
    if (other < 0) return;
    out.kind[i] = OP.sum;
    out.source[i] = target;
    out.index[i] = other;
  }

  private logic(x: Instruction, i: number, isOr: boolean): void {
    const { out, kinds } = this;
    const target = this.changed(x, i);
    if (target < 0) return;
    if (x.op1Kind === kinds.Register) {
      if (!isOr && x.op1Register === x.op0Register && this.widthOf(x.op0Register) >= 4) out.kind[i] = OP.constant;
      return;
    }
    if (x.op1Kind === kinds.Memory || !isOr || this.widthOf(x.op0Register) < 4) return;
    out.kind[i] = OP.or;
    out.source[i] = target;
    out.immediate[i] = this.immediate(x, x.op1Kind);
  }

  private compare(x: Instruction, i: number): void {
    const { out, kinds } = this;
    out.kind[i] = OP.compare;
    if (x.op0Kind === kinds.Register) out.target[i] = this.register(x.op0Register);
    if (x.op1Kind === kinds.Register) out.source[i] = this.register(x.op1Register);
    else if (x.op1Kind === kinds.Memory) out.source[i] = UNKNOWN_REGISTER;
    else out.value[i] = this.immediate(x, x.op1Kind);
  }

  private stack(x: Instruction, i: number, isPush: boolean): void {
    const { out, kinds } = this;
    const kind = x.opCount > 0 ? x.op0Kind : kinds.Register;
    if (!isPush) {
      out.kind[i] = OP.pop;
      const target = kind === kinds.Register ? this.register(x.op0Register) : -1;
      out.target[i] = target;
      if (target >= 0) out.killed[i] = 1 << target;
      return;
    }
    out.kind[i] = OP.push;
    if (kind === kinds.Register) {
      const source = this.register(x.op0Register);
      out.source[i] = source < 0 ? UNKNOWN_REGISTER : source;
    } else if (kind === kinds.Memory) {
      out.kind[i] = this.memory(x, i, false) ? OP.pushMemory : OP.push;
      if (out.kind[i] === OP.push) out.source[i] = UNKNOWN_REGISTER;
    } else {
      out.value[i] = this.immediate(x, kind);
    }
  }

  private transfer(x: Instruction, i: number, direct: number, memory: number, register: number): void {
    const { out, kinds } = this;
    if (x.op0Kind === kinds.Memory) {
      out.kind[i] = this.memory(x, i, false) ? memory : register;
      out.size[i] = this.wide ? 8 : 4;
    } else if (x.op0Kind === kinds.Register) {
      out.kind[i] = register;
      out.source[i] = this.register(x.op0Register);
    } else {
      const at = (out.at[i] ?? 0) - this.rva;
      out.kind[i] = direct;
      out.immediate[i] = this.branchTarget(at, out.length[i] ?? 0);
    }
  }

  /** The displacement is the last one or four bytes of the instruction. */
  private branchTarget(at: number, length: number): number {
    const { bytes } = this;
    const end = at + length;
    if (length < 5) return this.rva + end + (((bytes[end - 1] ?? 0) << 24) >> 24);
    const b = (back: number): number => bytes[end - back] ?? 0;
    return (this.rva + end + (b(4) | (b(3) << 8) | (b(2) << 16) | (b(1) << 24))) | 0;
  }

  /** Sets the memory operand; false where it is none that can be followed (other segments, vectors). */
  private memory(x: Instruction, i: number, isTarget: boolean): boolean {
    const { out } = this;
    const { none, rip, eip, fs, gs } = load().special;
    const segment: number = x.segmentPrefix;
    if (segment === fs || segment === gs) return false;
    const base: number = x.memoryBase;
    const index: number = x.memoryIndex;
    const side = isTarget ? out.target : out.source;
    out.index[i] = -1;
    if (base === rip || base === eip) {
      side[i] = -1;
      out.immediate[i] = Number(BigInt.asIntN(32, x.ipRelMemoryAddress));
      return true;
    }
    const displacement = Number(BigInt.asIntN(32, x.memoryDisplacement));
    if (index !== none) {
      const number = this.register(index);
      if (number < 0) return false;
      out.index[i] = number;
    }
    if (base === none) {
      side[i] = -1;
      out.immediate[i] = this.wide ? displacement : (displacement - this.base) | 0;
      return !this.wide || out.index[i] !== -1;
    }
    const number = this.register(base);
    if (number < 0) return false;
    side[i] = number;
    out.immediate[i] = displacement;
    return true;
  }
}
