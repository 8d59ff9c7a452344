/** Triage dump (type 4): TRIAGE_DUMP, driver list with names, unloaded drivers, debugger block, data blocks. */

import type { BodyHead } from './bodies.js';
import type { HeaderFacts } from './dump-header.js';
import { alignUp, canonical, concat, latin1, putU16, putU32, putU64, putVa, utf16, va48 } from '../bytes.js';
import { HEADER_SIZE } from './dump-header.js';
import { offsetOf, rvaOf, structOf } from '../kernel-facts.js';
import type { Machine } from '../machine.js';
import { PAGE, ZERO_PAGE } from '../physical-memory.js';

const TRIAGE_SIZE = 0x80;
const MM_SIZE = 0x50;
const DRIVER_SIZE = 0x90;
const UNLOADED_SIZE = 0x38;
const NAME_CHARACTERS = 12;

/** Grows to the end of the file; offsets it hands out are absolute. */
export class Output {
  private readonly parts: Uint8Array[] = [];

  constructor(public end: number = HEADER_SIZE) {}

  add(bytes: Uint8Array, alignment = 8): number {
    const pad = alignUp(this.end, alignment) - this.end;
    this.parts.push(new Uint8Array(pad), bytes);
    const at = this.end + pad;
    this.end = at + bytes.length;
    return at;
  }

  bytes(): Uint8Array {
    return concat(this.parts);
  }
}

/** Everything after the header. There are no pages in such a file. */
export function triageBody(machine: Machine): { head: BodyHead; facts: Partial<HeaderFacts> } {
  const out = new Output();
  const triage = new Uint8Array(TRIAGE_SIZE);
  out.add(triage);
  const put = (at: number, value: number): void => {
    putU32(triage, at, value);
  };
  put(0x0c, 0x348);
  put(0x10, 0xf00);
  put(0x14, out.add(mmBlock(machine)));
  put(0x18, out.add(unloaded(machine)));
  const eprocess = structOf(machine.kernel, '_EPROCESS');
  const process = machine.truth.processes[0];
  if (process) put(0x20, out.add(copy(machine, process.address, eprocess.size)));
  put(0x28, out.add(new Uint8Array(0x800)));
  put(0x2c, 0x800);
  drivers(machine, out, put);
  put(0x44, 0xffffffff);
  putVa(triage, 0x48, machine.space.plan.systemPtes + 0x7ff8);
  put(0x70, out.add(machine.kdbgBlock));
  put(0x74, machine.kdbgBlock.length);
  blocks(machine, out, put);
  put(0x08, out.add(latin1('TRGD'), 4));
  put(0x04, out.end);
  return { head: { bytes: out.bytes(), bitmap: null, firstPage: out.end }, facts: { requiredDumpSpace: out.end } };
}

/** Bytes of the machine's memory, zeros where there are none. */
export function copy(machine: Machine, address: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const va = va48(address);
  for (let done = 0; done < length;) {
    const at = (va + done) % PAGE;
    const part = Math.min(PAGE - at, length - done);
    const page = machine.memory.pages.get(machine.space.frameOf(va + done) ?? -1) ?? ZERO_PAGE;
    bytes.set(page.subarray(at, at + part), done);
    done += part;
  }
  return bytes;
}

/** Memory figures; all zero from Windows 10 on, where the debugger block has no pointers to them. */
function mmBlock(machine: Machine): Uint8Array {
  const bytes = new Uint8Array(MM_SIZE);
  putU32(bytes, 0, 1);
  putU32(bytes, 4, MM_SIZE);
  putU32(bytes, 8, machine.truth.verifier.specialPoolTag);
  putU32(bytes, 0x10, machine.truth.verifier.level);
  if (machine.kernel.build >= 10240) return bytes;
  const { memory } = machine.truth;
  const pages = [
    memory.nonPagedPoolMaximum, memory.nonPagedPoolUsage, memory.pagedPoolMaximum, memory.pagedPoolUsage,
    memory.committedPages, memory.peakCommitment, memory.commitLimit,
  ]; // prettier-ignore
  pages.forEach((value, i) => {
    putU64(bytes, 0x18 + i * 8, value ?? 0);
  });
  return bytes;
}

function unloaded(machine: Machine): Uint8Array {
  const list = machine.truth.unloadedDrivers;
  const bytes = new Uint8Array(8 + list.length * UNLOADED_SIZE);
  putU32(bytes, 0, list.length);
  list.forEach((driver, i) => {
    const at = 8 + i * UNLOADED_SIZE;
    const name = utf16(driver.name.slice(0, NAME_CHARACTERS));
    putU16(bytes, at, driver.name.length * 2);
    putU16(bytes, at + 2, driver.name.length * 2 + 2);
    bytes.set(name, at + 0x10);
    putU64(bytes, at + 0x28, driver.start);
    putU64(bytes, at + 0x30, driver.end);
  });
  return bytes;
}

/** A DUMP_STRING: length in characters, UTF-16 text, NUL. */
export function dumpString(text: string): Uint8Array {
  const bytes = new Uint8Array(alignUp(4 + text.length * 2 + 2, 8));
  putU32(bytes, 0, text.length);
  bytes.set(utf16(text), 4);
  return bytes;
}

function drivers(machine: Machine, out: Output, put: (at: number, value: number) => void): void {
  const listed = machine.modules.slice(0, machine.listed);
  const list = new Uint8Array(listed.length * DRIVER_SIZE);
  const listAt = out.add(list);
  const poolAt = alignUp(out.end, 8);
  listed.forEach((module, i) => {
    const at = i * DRIVER_SIZE;
    const kldr = at + 8;
    const { plan } = module.image;
    putU32(list, at, out.add(dumpString(module.path)));
    putVa(list, kldr + 0x30, module.base);
    putVa(list, kldr + 0x38, module.base + PAGE + 0x10);
    putU32(list, kldr + 0x40, plan.size);
    putU16(list, kldr + 0x48, module.path.length * 2);
    putU16(list, kldr + 0x4a, module.path.length * 2 + 2);
    putU16(list, kldr + 0x58, module.name.length * 2);
    putU16(list, kldr + 0x5a, module.name.length * 2 + 2);
    putU32(list, kldr + 0x68, 0x49104000);
    putU16(list, kldr + 0x6c, 1);
    putU32(list, kldr + 0x78, plan.checkSum);
    putU32(list, kldr + 0x80, plan.timeDateStamp);
  });
  put(0x30, listAt);
  put(0x34, listed.length);
  put(0x38, poolAt);
  put(0x3c, out.end - poolAt);
}

/** Memory that Windows adds: the debugger block's surroundings, verifier data, pointers of the pool tables. */
function blocks(machine: Machine, out: Output, put: (at: number, value: number) => void): void {
  const at = (symbol: string): bigint => canonical(machine.base + rvaOf(machine.kernel, symbol));
  const wanted: [bigint, number][] = [
    [at('PoolTrackTable'), 8],
    [at('PsLoadedModuleList'), 16],
    [at('MmVerifierData'), structOf(machine.kernel, '_MM_DRIVER_VERIFIER_DATA').size],
    [at('NtBuildLab'), 0x40],
    [canonical(machine.base), 0x400],
  ];
  const process = machine.truth.processes[0];
  if (process) wanted.push([process.address + BigInt(offsetOf(machine.kernel, '_EPROCESS', 'ImageFileName')), 16]);
  wanted.sort(([a], [b]) => (a < b ? -1 : 1));
  const table = new Uint8Array(wanted.length * 16);
  const tableAt = out.add(table);
  wanted.forEach(([address, size], i) => {
    putU64(table, i * 16, address);
    putU32(table, i * 16 + 8, out.add(copy(machine, address, size)));
    putU32(table, i * 16 + 12, size);
  });
  put(0x78, tableAt);
  put(0x7c, wanted.length);
}
