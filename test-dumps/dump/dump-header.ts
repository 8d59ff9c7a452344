/** DUMP_HEADER64: 0x2000 bytes. Fields that are not set keep the filler `PAGE`, as the kernel leaves them. */

import { canonical, fromHex, latin1, putU16, putU32, putU64, putVa, type Va } from '../bytes.js';
import type { MemoryRun } from '../physical-memory.js';
import type { HeaderSpec } from '../scenario.js';

export const HEADER_SIZE = 0x2000;
const FILLER = 0x45474150;
const MAXIMUM_RUNS = 42;

export interface HeaderFacts {
  build: number;
  machine: number;
  directoryTableBase: number;
  pfnDataBase: Va;
  psLoadedModuleList: Va;
  psActiveProcessHead: Va;
  kdDebuggerDataBlock: Va;
  processors: number;
  dumpType: number;
  runs: readonly MemoryRun[] | null;
  numberOfPages: number;
  requiredDumpSpace: number;
  bugCheckCode: number;
  bugCheckParameters: readonly bigint[];
  systemTime: bigint;
  upTime: bigint;
  productType: number;
  suiteMask: number;
  instructionPointer: Va;
  stackPointer: Va;
}

export function dumpHeader(facts: HeaderFacts, spec: HeaderSpec): Uint8Array {
  const out = new Uint8Array(HEADER_SIZE);
  for (let at = 0; at < HEADER_SIZE; at += 4) putU32(out, at, FILLER);
  out.set(latin1('PAGEDU64'), 0);
  putU32(out, 0x08, 0xf);
  putU32(out, 0x0c, facts.build);
  putU64(out, 0x10, facts.directoryTableBase);
  putVa(out, 0x18, facts.pfnDataBase);
  putVa(out, 0x20, facts.psLoadedModuleList);
  putVa(out, 0x28, facts.psActiveProcessHead);
  putU32(out, 0x30, facts.machine);
  putU32(out, 0x34, facts.processors);
  putU32(out, 0x38, facts.bugCheckCode);
  facts.bugCheckParameters.forEach((value, i) => {
    putU64(out, 0x40 + i * 8, value);
  });
  if (spec.versionUser !== undefined) putText(out, 0x60, 32, spec.versionUser);
  putVa(out, 0x80, facts.kdDebuggerDataBlock);
  if (facts.runs) putRuns(out, facts.runs, facts.numberOfPages);
  if (facts.machine === 0xaa64) putArmContext(out, facts);
  else putContext(out, facts);
  putException(out, facts, spec.exceptionCode ?? 0x80000003);
  putU32(out, 0xf98, facts.dumpType);
  putU64(out, 0xfa0, facts.requiredDumpSpace);
  putU64(out, 0xfa8, facts.systemTime);
  if (spec.comment !== undefined) putText(out, 0xfb0, 128, spec.comment);
  putU64(out, 0x1030, facts.upTime);
  putU32(out, 0x1038, spec.miniDumpFields ?? (facts.dumpType === 4 ? 0xcff : 0));
  if (spec.secondaryDataState !== undefined) putU32(out, 0x103c, spec.secondaryDataState);
  putU32(out, 0x1040, facts.productType);
  putU32(out, 0x1044, facts.suiteMask);
  putU32(out, 0x1048, spec.writerStatus ?? 0);
  out[0x104c] = 0;
  out[0x104d] = 0;
  if (spec.attributes !== undefined) putU32(out, 0x1050, spec.attributes);
  if (spec.bootId !== undefined) putU32(out, 0x1054, spec.bootId);
  for (const [offset, hex] of Object.entries(spec.patches ?? {})) out.set(fromHex(hex), Number(offset));
  return out;
}

function putRuns(out: Uint8Array, runs: readonly MemoryRun[], pages: number): void {
  if (runs.length > MAXIMUM_RUNS) throw new Error(`the header holds ${MAXIMUM_RUNS} memory runs, not ${runs.length}`);
  putU32(out, 0x88, runs.length);
  putU64(out, 0x90, pages);
  runs.forEach((run, i) => {
    putU64(out, 0x98 + i * 16, run.basePage);
    putU64(out, 0xa0 + i * 16, run.pageCount);
  });
}

/** The x64 CONTEXT: flags, segments, Rsp and Rip of the thread that stopped the machine. */
function putContext(out: Uint8Array, facts: HeaderFacts): void {
  const at = 0x348;
  out.fill(0, at, at + 0x4d0);
  putU32(out, at + 0x30, 0x10005f);
  putU32(out, at + 0x34, 0x1f80);
  putU16(out, at + 0x38, 0x10);
  putU16(out, at + 0x42, 0x18);
  putU32(out, at + 0x44, 0x286);
  putVa(out, at + 0x98, facts.stackPointer);
  putVa(out, at + 0xf8, facts.instructionPointer);
}

/** The ARM64 CONTEXT: flags, then X0 to X28, Fp, Lr, Sp, Pc. */
function putArmContext(out: Uint8Array, facts: HeaderFacts): void {
  const at = 0x348;
  out.fill(0, at, at + 0x390);
  putU32(out, at, 0x400007);
  putU32(out, at + 4, 0x60000345);
  putVa(out, at + 0xf8, facts.instructionPointer);
  putVa(out, at + 0x100, facts.stackPointer);
  putVa(out, at + 0x108, facts.instructionPointer);
}

function putException(out: Uint8Array, facts: HeaderFacts, code: number): void {
  const at = 0xf00;
  out.fill(0, at, at + 0x98);
  putU32(out, at, code);
  putU64(out, at + 0x10, canonical(facts.instructionPointer));
}

function putText(out: Uint8Array, at: number, room: number, text: string): void {
  out.fill(0, at, at + room);
  out.set(latin1(text.slice(0, room - 1)), at);
}
