/** Triage dump of a 32-bit system: TRIAGE_DUMP32, driver list with names, unloaded drivers, debugger block, data blocks. */

import { HEADER32_SIZE } from './dump-header-x86.js';
import { alignUp, latin1, putU16, putU32, utf16, va48 } from '../bytes.js';
import type { BodyHead } from './bodies.js';
import type { HeaderFacts } from './dump-header.js';
import { offsetOf, rvaOf, structOf } from '../kernel-facts.js';
import type { Machine } from '../machine.js';
import { PAGE } from '../physical-memory.js';
import { copy, dumpString, Output } from './triage.js';

const TRIAGE_SIZE = 0x68;
const MM_SIZE = 0x34;
const DRIVER_SIZE = 0x54;
const UNLOADED_SIZE = 0x28;
const NAME_CHARACTERS = 12;

/** Everything after the header. `blockSize` is that of an entry in the table of data blocks. */
export function triageBodyX86(machine: Machine, blockSize: 12 | 16): { head: BodyHead; facts: Partial<HeaderFacts> } {
  const out = new Output(HEADER32_SIZE);
  const triage = new Uint8Array(TRIAGE_SIZE);
  out.add(triage);
  const put = (at: number, value: number): void => {
    putU32(triage, at, value);
  };
  put(0x0c, 0x320);
  put(0x10, 0x7d0);
  put(0x14, out.add(mmBlock(machine)));
  put(0x18, out.add(unloaded(machine)));
  const process = machine.truth.processes[0];
  if (process) put(0x20, out.add(copy(machine, process.address, structOf(machine.kernel, '_EPROCESS').size)));
  put(0x28, out.add(new Uint8Array(0x400)));
  put(0x2c, 0x400);
  drivers(machine, out, put);
  put(0x44, 0xffffffff);
  put(0x48, machine.space.plan.systemPtes + 0x7ff8);
  put(0x58, out.add(machine.kdbgBlock));
  put(0x5c, machine.kdbgBlock.length);
  blocks(machine, out, put, blockSize);
  put(0x08, out.add(latin1('TRGD'), 4));
  put(0x04, out.end);
  return { head: { bytes: out.bytes(), bitmap: null, firstPage: out.end }, facts: { requiredDumpSpace: out.end } };
}

/** Memory figures, in pages. */
function mmBlock(machine: Machine): Uint8Array {
  const bytes = new Uint8Array(MM_SIZE);
  putU32(bytes, 0, 1);
  putU32(bytes, 4, MM_SIZE);
  putU32(bytes, 8, machine.truth.verifier.specialPoolTag);
  putU32(bytes, 0x10, machine.truth.verifier.level);
  const { memory } = machine.truth;
  const pages = [
    memory.nonPagedPoolMaximum, memory.nonPagedPoolUsage, memory.pagedPoolMaximum, memory.pagedPoolUsage,
    memory.committedPages, memory.peakCommitment, memory.commitLimit,
  ]; // prettier-ignore
  pages.forEach((value, i) => {
    putU32(bytes, 0x18 + i * 4, value ?? 0);
  });
  return bytes;
}

function unloaded(machine: Machine): Uint8Array {
  const list = machine.truth.unloadedDrivers;
  const bytes = new Uint8Array(4 + list.length * UNLOADED_SIZE);
  putU32(bytes, 0, list.length);
  list.forEach((driver, i) => {
    const at = 4 + i * UNLOADED_SIZE;
    putU16(bytes, at, driver.name.length * 2);
    putU16(bytes, at + 2, driver.name.length * 2 + 2);
    bytes.set(utf16(driver.name.slice(0, NAME_CHARACTERS)), at + 8);
    putU32(bytes, at + 0x20, Number(driver.start));
    putU32(bytes, at + 0x24, Number(driver.end));
  });
  return bytes;
}

function drivers(machine: Machine, out: Output, put: (at: number, value: number) => void): void {
  const listed = machine.modules.slice(0, machine.listed);
  const list = new Uint8Array(listed.length * DRIVER_SIZE);
  const listAt = out.add(list, 4);
  const poolAt = alignUp(out.end, 8);
  listed.forEach((module, i) => {
    const at = i * DRIVER_SIZE;
    const kldr = at + 4;
    const { plan } = module.image;
    putU32(list, at, out.add(dumpString(module.path)));
    putU32(list, kldr + 0x18, module.base);
    putU32(list, kldr + 0x1c, module.base + PAGE + 0x10);
    putU32(list, kldr + 0x20, plan.size);
    putU16(list, kldr + 0x24, module.path.length * 2);
    putU16(list, kldr + 0x2c, module.name.length * 2);
    putU32(list, kldr + 0x34, 0x49104000);
    putU16(list, kldr + 0x38, 1);
    putU32(list, kldr + 0x40, plan.checkSum);
    putU32(list, kldr + 0x44, plan.timeDateStamp);
  });
  put(0x30, listAt);
  put(0x34, listed.length);
  put(0x38, poolAt);
  put(0x3c, out.end - poolAt);
}

/** Memory that Windows adds: pointers of lists and tables, verifier data, the kernel's header. */
function blocks(machine: Machine, out: Output, put: (at: number, value: number) => void, blockSize: 12 | 16): void {
  const { kernel, base } = machine;
  const at = (symbol: string): number => base + rvaOf(kernel, symbol);
  const wanted: [number, number][] = [
    [base, 0x400],
    [at('PsLoadedModuleList'), 8],
    [at('PoolTrackTable'), 4],
    [at('MmVerifierData'), kernel.structs['_MM_DRIVER_VERIFIER_DATA']?.size ?? 0x40],
  ];
  if ('NtBuildLab' in kernel.rva) wanted.push([at('NtBuildLab'), 0x40]);
  const process = machine.truth.processes[0];
  if (process) wanted.push([va48(process.address) + offsetOf(kernel, '_EPROCESS', 'ImageFileName'), 16]);
  wanted.sort(([a], [b]) => a - b);
  const table = new Uint8Array(wanted.length * blockSize);
  const tableAt = out.add(table);
  wanted.forEach(([address, size], i) => {
    const entry = i * blockSize;
    putU32(table, entry, address);
    putU32(table, entry + blockSize - 8, out.add(copy(machine, BigInt(address), size)));
    putU32(table, entry + blockSize - 4, size);
  });
  put(0x60, tableAt);
  put(0x64, wanted.length);
}
