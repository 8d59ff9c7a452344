/** The code of one image: its functions, each found and followed once. */

import { OP, Operations } from '../../../parsers/code/operations.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { ExceptionTable, type FunctionEntry } from '../../../parsers/pe/exception-table.js';
import type { ImageHeaders } from '../../../parsers/pe/image.js';
import { callTargets } from '../calls/call-targets.js';
import { ImageCalledCode } from '../calls/called-code.js';
import { Callees } from '../calls/callees.js';
import type { CodeModule } from './code-module.js';
import type { ExportLookup } from './exports.js';
import { followFunction } from '../flow/flow.js';
import type { CalledCode, CallGifts, Flow } from '../flow/flow-result.js';
import { FunctionWalk, LONGEST_FUNCTION } from '../flow/function-walk.js';
import { FieldGifts } from '../fields/gifts.js';
import { findFunction, type CodeSource, type FunctionRange } from './functions.js';
import { ImageBytes } from './image-bytes.js';
import { machineOf, type Machine } from '../flow/machine.js';
import { branchesTo, DataReferences, WantedAddresses } from './references.js';
import { CodeWork } from '../flow/work.js';

/** Instructions of the functions whose results are kept, and such functions. */
const MOST_KEPT = 150_000;
const MOST_KEPT_FUNCTIONS = 4096;
/** Functions that are kept as fields are followed in them. */
const MOST_FIELD_FUNCTIONS = 1024;
/** Places of which the function around is kept. */
const MOST_RANGES = 50_000;
const MOST_OPERATIONS = 20_000;
/** Parts that a compiler moved away from a function, at most. */
const MOST_PARTS = 32;

/** Used again for every function that is followed. */
const operations = new Operations();

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

export class ImageCode extends ImageBytes implements CodeSource {
  readonly callees: Callees;
  readonly table: ExceptionTable | null;
  private readonly followed = new Map<number, Followed | null>();
  private readonly ranges = new Map<number, FunctionRange | null>();
  private kept = 0;
  private targets: Uint32Array | null = null;
  private data: DataReferences | null = null;
  private walk: FunctionWalk | null = null;
  /** What the last walk decoded. */
  private walked: Operations | null = null;
  private branches: ReadonlyMap<number, number> | null = null;
  private called: CalledCode | null = null;
  private readonly fieldFlows = new Map<number, Followed | null>();
  private calledForFields: CalledCode | null = null;
  private given: CallGifts | null = null;

  constructor(
    machine: Machine,
    memory: VirtualMemory,
    headers: ImageHeaders,
    module: CodeModule,
    exports: ExportLookup | null,
    readonly work: CodeWork,
  ) {
    super(machine, memory, headers, module);
    this.callees = new Callees(this, exports);
    this.table =
      machine.name === 'x86' ? null : ExceptionTable.read(memory, module.base, headers, machine.name === 'arm64');
  }

  exportAt(rva: number): boolean {
    return this.callees.exportNames().has(rva);
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
    this.walked ??= new Operations();
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
    if (this.work.isSpent()) return null;
    const { made, count } = this.followAnew(range, this.calledCode());
    // What was cut off is not kept: more may be done for the next tag.
    if (made?.flow.complete !== true && this.work.isSpent()) return made;
    if (this.kept >= MOST_KEPT || this.followed.size >= MOST_KEPT_FUNCTIONS) {
      this.followed.clear();
      this.kept = 0;
    }
    this.kept += count;
    this.followed.set(range.start, made);
    return made;
  }

  /** The same, with what stands in fields of structures and what calls give kept apart. */
  followFields(range: FunctionRange): Followed | null {
    const known = this.fieldFlows.get(range.start);
    if (known !== undefined) return known;
    if (this.work.isSpent()) return null;
    this.calledForFields ??= new ImageCalledCode(this, this.callees, this.gifts());
    const { made } = this.followAnew(range, this.calledForFields);
    if (this.work.isSpent()) return made;
    if (this.fieldFlows.size >= MOST_FIELD_FUNCTIONS) this.fieldFlows.clear();
    this.fieldFlows.set(range.start, made);
    return made;
  }

  /** What calls give, where fields are followed. */
  gifts(): CallGifts {
    this.given ??= new FieldGifts(this);
    return this.given;
  }

  private followAnew(range: FunctionRange, called: CalledCode): { made: Followed | null; count: number } {
    const { work } = this;
    const ops = operations;
    ops.clear();
    const missing = this.decodeParts(range, ops);
    work.functions++;
    work.steps += ops.count;
    const flow = followFunction(this.machine, ops, range.start, called, work.left);
    work.steps += flow.steps;
    return { made: ops.count === 0 ? null : { range, flow, missing }, count: ops.count };
  }

  private calledCode(): CalledCode {
    this.called ??= new ImageCalledCode(this, this.callees);
    return this.called;
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
