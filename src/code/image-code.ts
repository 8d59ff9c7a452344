/** The code of one image: its functions, where its calls go, and which of its own functions pass a tag on to an allocator. */

import { plus, virtual } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { u32 } from '../../parsers/bytes/fields.js';
import { OP, Operations } from '../../parsers/code/operations.js';
import { ExceptionTable, type FunctionEntry } from '../../parsers/pe/exception-table.js';
import { readExports } from '../../parsers/pe/exports.js';
import { DIRECTORY, type ImageHeaders, type ImageSection } from '../../parsers/pe/image.js';
import { readImports } from '../../parsers/pe/imports.js';
import type { VirtualMemory } from '../../parsers/paging/virtual-memory.js';
import type { CodeModule } from './code-module.js';
import { allocatorNamed, type Allocator } from './allocators.js';
import type { ExportLookup } from './exports.js';
import { followFunction, type CalledCode, type CallTarget, type Flow } from './flow.js';
import { FunctionWalk, LONGEST_FUNCTION } from './function-walk.js';
import { findFunction, type CodeSource, type FunctionRange } from './functions.js';
import { guardSlots } from './guard.js';
import { machineOf, type Machine } from './machine.js';
import { branchesTo, DataReferences, WantedAddresses } from './references.js';
import { Stretch } from './stretch.js';
import { findFrameworkTable, FRAMEWORK_ALLOCATORS, type FrameworkTable } from './wdf.js';
import { CodeWork } from './work.js';

/** Instructions of the functions whose results are kept, and such functions. */
const MOST_KEPT = 150_000;
const MOST_KEPT_FUNCTIONS = 4096;
/** Places of which the function around is kept. */
const MOST_RANGES = 50_000;
const MOST_OPERATIONS = 20_000;
/** What a function takes from the stack is told by its first return: bytes and instructions before it, at most. */
const FURTHEST_RETURN = 0x1000;
const MOST_BEFORE_RETURN = 600;
/** Parts that a compiler moved away from a function, at most. */
const MOST_PARTS = 32;
/** Bytes of an import address table that are looked through where its names are gone. */
const LARGEST_TABLE = 0x20000;
const LARGEST_SCANNED = 256 * 1024 * 1024;

/** Used again for every function that is followed, and for every one that is looked into. */
const operations = new Operations();
const looked = new Operations();

/** What a call goes to, as far as it is known. */
export type Callee =
  | { readonly kind: 'allocator'; readonly allocator: Allocator }
  /** Another documented or exported function. */
  | { readonly kind: 'named'; readonly name: string }
  /** A function of the image itself. */
  | { readonly kind: 'local'; readonly rva: number }
  /** `missing`: the page that would tell is not there. */
  | { readonly kind: 'unknown'; readonly missing: boolean };

/** A function that was followed. */
export interface Followed {
  readonly range: FunctionRange;
  readonly flow: Flow;
  /** Bytes of the function that could not be read. */
  readonly missing: boolean;
}

/**
 * The code of a module, or null where it cannot be followed: no pages, no headers, another processor. `work` counts what
 * following it takes, and may end it: then functions are not found or not followed, and only it tells.
 */
export function imageCode(
  module: CodeModule,
  exports: ExportLookup | null,
  work: CodeWork = new CodeWork(),
): ImageCode | null {
  const machine = module.headers === null ? null : machineOf(module.headers.machine);
  if (machine === null || module.memory === null || module.headers === null || module.sizeOfImage === 0) return null;
  return new ImageCode(machine, module.memory, module.headers, module, exports, work);
}

export class ImageCode implements CodeSource {
  readonly base: number;
  readonly table: ExceptionTable | null;
  private readonly followed = new Map<number, Followed | null>();
  private readonly taken = new Map<number, number | null>();
  private readonly callees = new Map<string, Callee>();
  private readonly ranges = new Map<number, FunctionRange | null>();
  private kept = 0;
  private imported: ReadonlyMap<number, string> | null = null;
  private importsRead = false;
  private exported: ReadonlyMap<number, string> | null = null;
  private targets: Uint32Array | null = null;
  private data: DataReferences | null = null;
  private walk: FunctionWalk | null = null;
  /** What the last walk decoded. */
  private readonly walked = new Operations();
  private branches: ReadonlyMap<number, number> | null = null;
  private framework: FrameworkTable | null | undefined;
  private calledCode: CalledCode | null = null;
  private page: { rva: number; bytes: Uint8Array } | null = null;

  constructor(
    readonly machine: Machine,
    private readonly memory: VirtualMemory,
    readonly headers: ImageHeaders,
    readonly module: CodeModule,
    private readonly exports: ExportLookup | null,
    readonly work: CodeWork,
  ) {
    this.base = Number(BigInt.asIntN(32, module.base));
    this.table =
      machine.name === 'x86' ? null : ExceptionTable.read(memory, module.base, headers, machine.name === 'arm64');
  }

  bytes(rva: number, length: number): Uint8Array {
    const { memory, module } = this;
    const room = Math.min(length, module.sizeOfImage - rva);
    if (room <= 0 || rva < 0) return new Uint8Array(0);
    if (room <= 16) {
      // Single instructions are asked for one after another.
      if (this.page === null || rva < this.page.rva || rva + room > this.page.rva + this.page.bytes.length) {
        const start = rva & ~0xfff;
        this.page = { rva: start, bytes: this.gathered(start, 0x2000) };
      }
      const at = rva - this.page.rva;
      return this.page.bytes.subarray(at, at + room);
    }
    const whole = memory.read(plus(module.base, rva), room);
    return failed(whole) ? this.gathered(rva, room) : whole;
  }

  private gathered(rva: number, length: number): Uint8Array {
    const { memory, module } = this;
    const parts: Uint8Array[] = [];
    for (const chunk of memory.chunks(plus(module.base, rva), Math.min(length, module.sizeOfImage - rva))) {
      if (failed(chunk.bytes)) break;
      parts.push(chunk.bytes.slice());
    }
    return Buffer.concat(parts);
  }

  sectionAt(rva: number): ImageSection | null {
    return this.headers.sections.find((s) => s.executable && rva >= s.rva && rva < s.rva + s.size) ?? null;
  }

  exportAt(rva: number): boolean {
    return this.exportNames().has(rva);
  }

  /** Names of what the image itself exports. */
  exportNames(): ReadonlyMap<number, string> {
    if (this.exported === null) {
      const names = readExports(this.memory, this.module.base, this.headers);
      this.exported = failed(names) ? new Map() : names;
    }
    return this.exported;
  }

  callTargetBefore(rva: number): number | null {
    if (this.machine.name !== 'x86') return null;
    this.targets ??= callTargets(this);
    let [low, high] = [0, this.targets.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.targets[middle] ?? 0) <= rva) low = middle + 1;
      else high = middle;
    }
    return this.targets[low - 1] ?? null;
  }

  /** What the code refers to in the data of the image: looked for once, when first asked. */
  dataReferences(): DataReferences {
    this.data ??= new DataReferences(this);
    return this.data;
  }

  branchTo(rva: number): number | null {
    this.branches ??= this.partBranches();
    return this.branches.get(rva) ?? null;
  }

  /** By where a part without a known function begins: an instruction that branches there. */
  private partBranches(): ReadonlyMap<number, number> {
    const parts = this.table?.looseParts() ?? [];
    return parts.length === 0 ? new Map() : branchesTo(this, new WantedAddresses(parts));
  }

  walkFrom(at: number, high: number): FunctionWalk {
    if (this.walk?.first !== at || this.walk.high !== high) this.walk = new FunctionWalk(this.walked, this, at, high);
    return this.walk;
  }

  functionAt(rva: number): FunctionRange | null {
    const known = this.ranges.get(rva);
    if (known !== undefined || this.work.isSpent()) return known ?? null;
    const found = findFunction(this, rva);
    if (this.work.isSpent()) return found;
    if (this.ranges.size >= MOST_RANGES) this.ranges.clear();
    this.ranges.set(rva, found);
    return found;
  }

  /** Follows the function that begins at `range.start`; null where none of it can be read. */
  follow(range: FunctionRange, also?: number): Followed | null {
    const known = this.followed.get(range.start);
    if (
      known !== undefined &&
      (also === undefined ||
        range.source !== 'synchronized' ||
        (known?.range.end === range.end && known.range.source === range.source) ||
        known?.flow.reached.has(also) === true)
    )
      return known;
    const { work } = this;
    if (work.isSpent()) return null;
    const ops = operations;
    ops.clear();
    const missing = this.decodeParts(range, ops);
    work.functions++;
    work.steps += ops.count;
    const flow = followFunction(this.machine, ops, range.start, this.called(), work.left);
    work.steps += flow.steps;
    const made = ops.count === 0 ? null : { range, flow, missing };
    // What was cut off is not kept: more may be done for the next tag.
    if (!flow.complete && work.isSpent()) return made;
    if (this.kept >= MOST_KEPT || this.followed.size >= MOST_KEPT_FUNCTIONS) {
      this.followed.clear();
      this.kept = 0;
    }
    this.kept += ops.count;
    this.followed.set(range.start, made);
    return made;
  }

  /** Decodes a function and the parts of it that stand elsewhere; true where bytes of it are missing. */
  private decodeParts(range: FunctionRange, ops: Operations): boolean {
    const isKnown = this.table !== null && range.source === 'exception-table';
    const parts: FunctionEntry[] = isKnown ? joined(range, this.table.partsOf(range.start)) : [range];
    let missing = false;
    for (let part = 0; part < parts.length && part < MOST_PARTS; part++) {
      const { start, end } = parts[part] ?? range;
      const first = ops.count;
      const size = Math.min(end - start, LONGEST_FUNCTION);
      const walk = size === end - start ? this.walk : null;
      const isWalked = walk?.give(start, end, ops, MOST_OPERATIONS - first) === true;
      const bytes = isWalked ? null : this.bytes(start, size);
      if (bytes !== null) this.machine.decoder.decode(bytes, start, this.base, ops, MOST_OPERATIONS);
      const isCut = bytes !== null && bytes.length < size;
      if (isCut) missing = true;
      const stop = ops.add(start + (bytes?.length ?? size), isCut ? 0 : 1, OP.stop);
      if (!isKnown || this.machine.name !== 'arm64') continue;
      for (let i = first; i < stop; i++) {
        if (ops.kind[i] !== OP.jump && ops.kind[i] !== OP.branch) continue;
        const target = ops.immediate[i] ?? 0;
        if (parts.some((p) => target >= p.start && target < p.end)) continue;
        const entry = this.table.entryAt(target);
        if (entry !== null && entry.start === target && this.table.isLoosePart(entry))
          parts.push(...joined(entry, this.table.partsOf(entry.start)));
      }
    }
    return missing;
  }

  /** What a call goes to. */
  calleeOf(target: CallTarget): Callee {
    if (target.kind === 'unknown' || target.kind === 'missing')
      return { kind: 'unknown', missing: target.kind === 'missing' };
    if (target.kind === 'member') return this.memberCallee(target.rva, target.offset);
    const key = `${target.kind}${target.rva}`;
    const known = this.callees.get(key);
    if (known !== undefined) return known;
    const made = target.kind === 'slot' ? this.slotCallee(target.rva) : this.directCallee(target.rva);
    this.callees.set(key, made);
    return made;
  }

  /** A function of the driver framework, by its place in the table that a variable leads to. */
  private memberCallee(variable: number, offset: number): Callee {
    const table = this.frameworkTable();
    if (table?.kind !== 'pointer' || table.rva !== variable) return { kind: 'unknown', missing: false };
    return this.frameworkCallee(table, offset);
  }

  private frameworkCallee({ count }: FrameworkTable, offset: number): Callee {
    const index = offset / this.machine.pointerSize;
    if (!Number.isInteger(index) || index < 0 || index >= count) return { kind: 'unknown', missing: false };
    const allocator = FRAMEWORK_ALLOCATORS.get(index);
    return allocator === undefined
      ? { kind: 'named', name: `WdfFunctions[${index}]` }
      : { kind: 'allocator', allocator };
  }

  private frameworkTable(): FrameworkTable | null {
    if (this.framework === undefined) this.framework = findFrameworkTable(this.module, this.headers);
    return this.framework;
  }

  /** Slots that hold allocators which are wanted, and such functions that the image itself exports: RVAs. */
  allocatorPlaces(isWanted: (allocator: Allocator) => boolean): Set<number> {
    const places = new Set<number>();
    const wanted = (name: string): boolean => {
      const allocator = allocatorNamed(name);
      return allocator !== null && isWanted(allocator);
    };
    for (const [slot, name] of this.importNames()) if (wanted(name)) places.add(slot);
    for (const [rva, name] of this.exportNames()) if (wanted(name)) places.add(rva);
    for (const rva of this.frameworkPlaces(isWanted)) places.add(rva);
    const table = this.headers.directories[DIRECTORY.importAddresses];
    if (this.importNames().size > 0 || table === undefined || table.rva === 0) return places;
    const width = this.machine.pointerSize;
    for (let at = 0; at + width <= Math.min(table.size, LARGEST_TABLE); at += width) {
      const callee = this.calleeOf({ kind: 'slot', rva: table.rva + at });
      if (callee.kind === 'allocator' && isWanted(callee.allocator)) places.add(table.rva + at);
    }
    return places;
  }

  /** RVAs that calls of the allocators of the driver framework go by. */
  private frameworkPlaces(isWanted: (allocator: Allocator) => boolean): number[] {
    const table = this.frameworkTable();
    if (table === null) return [];
    const wanted = [...FRAMEWORK_ALLOCATORS].filter(([index, entry]) => index < table.count && isWanted(entry));
    if (table.kind === 'pointer') return wanted.length === 0 ? [] : [table.rva];
    return wanted.map(([index]) => table.rva + index * this.machine.pointerSize);
  }

  /** What following functions needs to know of what they call. */
  private called(): CalledCode {
    if (this.calledCode !== null) return this.calledCode;
    const table = this.frameworkTable();
    const guard = guardSlots(this.module, this.headers);
    const guards = new Map<number, ReturnType<CalledCode['guard']>>();
    this.calledCode = {
      taken: (target, isCleaned) => this.stackTaken(target, isCleaned),
      guard: (target) => {
        if (target.kind === 'slot')
          return target.rva === guard.check ? 'check' : target.rva === guard.dispatch ? 'dispatch' : null;
        if (target.kind !== 'direct') return null;
        const known = guards.get(target.rva);
        if (known !== undefined) return known;
        const found = this.dispatches(target.rva, guard.dispatch) ? 'dispatch' : null;
        guards.set(target.rva, found);
        return found;
      },
      isGuarded: guard.check >= 0 || guard.dispatch >= 0,
      tables: new Set(table?.kind === 'pointer' ? [table.rva] : []),
      addresses: this.machine.name === 'x86' ? { base: this.base, size: this.module.sizeOfImage } : null,
    };
    return this.calledCode;
  }

  /** x64: true for `jmp rax` and `jmp [dispatch]`. */
  private dispatches(rva: number, slot: number): boolean {
    if (this.machine.name !== 'x64') return false;
    const bytes = this.bytes(rva, 8);
    const at = bytes[0] === 0x48 ? 1 : 0;
    if (bytes[at] !== 0xff) return false;
    if (bytes[at + 1] === 0xe0) return true;
    return bytes[at + 1] === 0x25 && bytes.length >= at + 6 && ((rva + at + 6 + u32(bytes, at + 2)) | 0) === slot;
  }

  /** The slot that code at an RVA does nothing but jump through, as linkers write it for imports; null for other code. */
  thunkAt(rva: number): number | null {
    const bytes = this.bytes(rva, 12);
    if (this.machine.name === 'arm64') return bytes.length < 12 ? null : arm64Thunk(bytes, rva);
    const at = bytes[0] === 0x48 && this.machine.name === 'x64' ? 1 : 0;
    if (bytes[at] !== 0xff || bytes[at + 1] !== 0x25 || bytes.length < at + 6) return null;
    const operand = u32(bytes, at + 2);
    return this.machine.name === 'x86' ? (operand - this.base) | 0 : (rva + at + 6 + operand) | 0;
  }

  /** Where a pointer in the image leads: an RVA; null where it cannot be read or leads elsewhere. */
  pointerAt(rva: number): number | null {
    const { base, sizeOfImage } = this.module;
    if (rva < 0 || rva + this.machine.pointerSize > sizeOfImage) return null;
    const pointer = this.memory.readPointer(plus(base, rva));
    if (failed(pointer)) return null;
    const inside = Number(pointer - base);
    return inside > 0 && inside < sizeOfImage ? inside : null;
  }

  private slotCallee(rva: number): Callee {
    const table = this.frameworkTable();
    if (table?.kind === 'table' && rva >= table.rva && rva < table.rva + table.count * this.machine.pointerSize)
      return this.frameworkCallee(table, rva - table.rva);
    const name = this.importNames().get(rva);
    if (name !== undefined) return named(name);
    const pointer =
      rva < 0 || rva >= this.module.sizeOfImage ? null : this.memory.readPointer(plus(this.module.base, rva));
    if (pointer === null) return { kind: 'unknown', missing: false };
    if (failed(pointer)) return { kind: 'unknown', missing: true };
    const inside = Number(pointer - this.module.base);
    if (inside >= 0 && inside < this.module.sizeOfImage) {
      return this.sectionAt(inside) === null ? { kind: 'unknown', missing: false } : this.directCallee(inside);
    }
    const found = this.exports?.nameAt(pointer) ?? null;
    const isNamed = this.exports !== null || this.importNames().size > 0;
    return found === null ? { kind: 'unknown', missing: !isNamed } : named(found);
  }

  private directCallee(rva: number): Callee {
    if (rva >= 0 && rva < this.module.sizeOfImage) {
      const own = this.exportNames().get(rva);
      const allocator = own === undefined ? null : allocatorNamed(own);
      if (allocator !== null) return { kind: 'allocator', allocator };
      if (this.sectionAt(rva) === null) return { kind: 'unknown', missing: false };
      const slot = this.thunkAt(rva);
      const callee = slot === null ? null : this.slotCallee(slot);
      return callee?.kind === 'allocator' || callee?.kind === 'named' ? callee : { kind: 'local', rva };
    }
    const address = virtual(BigInt.asUintN(this.machine.pointerSize * 8, this.module.base + BigInt(rva)));
    const found = this.exports?.nameAt(address) ?? null;
    return found === null ? { kind: 'unknown', missing: this.exports === null } : named(found);
  }

  /** By slot of the import address table, as far as names are there. */
  importNames(): ReadonlyMap<number, string> {
    if (this.imported === null) {
      const { names, complete } = readImports(this.memory, this.module.base, this.headers, this.machine.pointerSize);
      this.imported = names;
      this.importsRead = complete;
    }
    return this.imported;
  }

  /** False where imports may be missing: their names are gone, and nothing names their addresses. */
  importsComplete(): boolean {
    this.importNames();
    return this.importsRead || this.exports !== null;
  }

  /** x86: what a function takes from the stack when it returns, in bytes. */
  private stackTaken(target: CallTarget, isCleaned: boolean): number | null {
    const called = this.calleeOf(target);
    if (called.kind === 'allocator') {
      const { arguments: count, wide = 0, isCdecl = false } = called.allocator;
      return isCdecl ? 0 : 4 * (count + wide);
    }
    // What raises the stack pointer behind a function that takes its arguments itself, takes other things away.
    if (called.kind === 'named') return isCdecl(called.name) ? 0 : null;
    if (called.kind !== 'local') return null;
    const known = this.taken.get(called.rva);
    if (known !== undefined) return known ?? (isCleaned ? 0 : null);
    const ops = looked;
    const code = new Stretch(this, ops, called.rva, called.rva + FURTHEST_RETURN, MOST_BEFORE_RETURN);
    let taken: number | null = null;
    for (let i = 0; taken === null && code.has(i); i++) {
      if (ops.kind[i] === OP.return) taken = ops.immediate[i] ?? 0;
      else if (ops.kind[i] === OP.stop) break;
    }
    this.taken.set(called.rva, taken);
    return taken ?? (isCleaned ? 0 : null);
  }
}

/** Exported functions that leave their arguments to the caller: the C library's, and those with any number of them. */
const VARIADIC: ReadonlySet<string> = new Set([
  ...['DbgPrint', 'DbgPrintEx', 'DbgPrintReturnControlC', 'WmiTraceMessage', 'KdPrint', 'EtwTraceMessage'],
  ...['NdisWriteErrorLogEntry', 'ScsiDebugPrint', 'VideoPortDebugPrint'],
  ...['StorPortDebugPrint', 'StorPortNotification', 'StorPortExtendedFunction', 'ScsiPortNotification'],
]);
const isCdecl = (name: string): boolean => /^[a-z_]/.test(name) || VARIADIC.has(name);

function named(name: string): Callee {
  const allocator = allocatorNamed(name);
  return allocator === null ? { kind: 'named', name } : { kind: 'allocator', allocator };
}

/** `adrp xN; ldr xN,[xN,#offset]; br xN`. */
function arm64Thunk(bytes: Uint8Array, rva: number): number | null {
  const [page, load, jump] = [u32(bytes, 0), u32(bytes, 4), u32(bytes, 8)];
  const register = page & 31;
  const isThunk =
    (page & 0x9f000000) >>> 0 === 0x90000000 &&
    (load & 0xffc00000) >>> 0 === 0xf9400000 &&
    (load & 31) === register &&
    ((load >>> 5) & 31) === register &&
    jump === (0xd61f0000 | (register << 5)) >>> 0;
  if (!isThunk) return null;
  const pages = (((page >> 5) << 13) >> 11) | ((page >>> 29) & 3);
  return ((rva & ~0xfff) + pages * 0x1000 + ((load >>> 10) & 0xfff) * 8) | 0;
}

/** The parts of a function, those that lie side by side as one; the one that begins with the function comes first. */
function joined(range: FunctionEntry, parts: readonly FunctionEntry[]): { start: number; end: number }[] {
  const sorted = parts.length === 0 ? [range] : [...parts].sort((a, b) => a.start - b.start);
  const made: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = made.at(-1);
    if (last?.end === start) last.end = end;
    else made.push({ start, end });
  }
  const holds = (part: FunctionEntry): boolean => range.start >= part.start && range.start < part.end;
  return [...made.filter(holds), ...made.filter((part) => !holds(part))];
}

/** RVAs that direct calls (E8) go to, and that follow something that ends a function: sorted. */
function callTargets(code: ImageCode): Uint32Array {
  const found = new Set<number>();
  for (const section of code.headers.sections) {
    if (!section.executable || section.size > LARGEST_SCANNED) continue;
    const { memory, base, sizeOfImage } = code.module;
    const end = section.rva + section.size;
    for (const chunk of memory?.chunks(plus(base, section.rva), Math.min(section.size, sizeOfImage - section.rva)) ??
      []) {
      if (failed(chunk.bytes)) continue;
      const { bytes } = chunk;
      const start = section.rva + chunk.offset;
      for (let at = bytes.indexOf(0xe8); at >= 0 && at + 5 <= bytes.length; at = bytes.indexOf(0xe8, at + 1)) {
        const target = (start + at + 5 + (u32(bytes, at + 1) | 0)) | 0;
        if (target >= section.rva && target < end) found.add(target);
      }
    }
  }
  const ends = (rva: number): boolean => {
    if (rva % 16 === 0) return true;
    const [a, , last] = code.bytes(rva - 3, 3);
    if (last === 0xcc || last === 0x90 || last === 0xc3) return true;
    // Behind `ret n`; four zeros are the constant of an instruction more often than padding.
    if (last === 0 && a === 0xc2) return true;
    const [b0, b1, b2, b3, b4] = code.bytes(rva, 5);
    const isPrologue = b0 === 0x55 && b1 === 0x8b && b2 === 0xec;
    return isPrologue || (b0 === 0x8b && b1 === 0xff && b2 === 0x55 && b3 === 0x8b && b4 === 0xec);
  };
  return Uint32Array.from(found).sort().filter(ends);
}
