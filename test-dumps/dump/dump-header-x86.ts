/** DUMP_HEADER32: 0x1000 bytes. Fields that are not set keep the filler `PAGE`, as the kernel leaves them. */

import { fromHex, latin1, putU16, putU32, putU64 } from '../bytes.js';
import type { HeaderFacts } from './dump-header.js';
import type { MemoryRun } from '../physical-memory.js';
import type { HeaderSpec } from '../scenario.js';

export const HEADER32_SIZE = 0x1000;
const FILLER = 0x45474150;
const MAXIMUM_RUNS = 86;

export function dumpHeaderX86(facts: HeaderFacts, spec: HeaderSpec, pae: boolean): Uint8Array {
  const out = new Uint8Array(HEADER32_SIZE);
  for (let at = 0; at < HEADER32_SIZE; at += 4) putU32(out, at, FILLER);
  out.set(latin1('PAGEDUMP'), 0);
  putU32(out, 0x08, 0xf);
  putU32(out, 0x0c, facts.build);
  putU32(out, 0x10, facts.directoryTableBase);
  putU32(out, 0x14, facts.pfnDataBase);
  putU32(out, 0x18, facts.psLoadedModuleList);
  putU32(out, 0x1c, facts.psActiveProcessHead);
  putU32(out, 0x20, 0x14c);
  putU32(out, 0x24, facts.processors);
  putU32(out, 0x28, facts.bugCheckCode);
  facts.bugCheckParameters.forEach((value, i) => {
    putU32(out, 0x2c + i * 4, Number(BigInt.asUintN(32, value)));
  });
  if (spec.versionUser !== undefined) putText(out, 0x3c, 32, spec.versionUser);
  const flag = spec.paeEnabled === undefined ? pae : spec.paeEnabled;
  if (flag !== null) putU32(out, 0x5c, flag ? 1 : 0);
  putU32(out, 0x60, facts.kdDebuggerDataBlock);
  if (facts.runs) putRuns(out, facts.runs, facts.numberOfPages);
  putContext(out, facts);
  putException(out, facts, spec.exceptionCode ?? 0x80000003);
  if (spec.comment !== undefined) putText(out, 0x820, 128, spec.comment);
  if (spec.attributes !== undefined) putU32(out, 0x8a0, spec.attributes);
  if (spec.bootId !== undefined) putU32(out, 0x8a4, spec.bootId);
  putU32(out, 0xf88, facts.dumpType);
  putU32(out, 0xf8c, spec.miniDumpFields ?? (facts.dumpType === 4 ? 0xcff : 0));
  if (spec.secondaryDataState !== undefined) putU32(out, 0xf90, spec.secondaryDataState);
  putU32(out, 0xf94, facts.productType);
  putU32(out, 0xf98, facts.suiteMask);
  putU32(out, 0xf9c, spec.writerStatus ?? 0);
  putU64(out, 0xfa0, facts.requiredDumpSpace);
  putU64(out, 0xfb8, facts.upTime);
  putU64(out, 0xfc0, facts.systemTime);
  for (const [offset, hex] of Object.entries(spec.patches ?? {})) out.set(fromHex(hex), Number(offset));
  return out;
}

function putRuns(out: Uint8Array, runs: readonly MemoryRun[], pages: number): void {
  if (runs.length > MAXIMUM_RUNS) throw new Error(`the header holds ${MAXIMUM_RUNS} memory runs, not ${runs.length}`);
  putU32(out, 0x64, runs.length);
  putU32(out, 0x68, pages);
  runs.forEach((run, i) => {
    putU32(out, 0x6c + i * 8, run.basePage);
    putU32(out, 0x70 + i * 8, run.pageCount);
  });
}

/** The x86 CONTEXT: flags, segments, Esp and Eip of the thread that stopped the machine. */
function putContext(out: Uint8Array, facts: HeaderFacts): void {
  const at = 0x320;
  out.fill(0, at, at + 0x2cc);
  putU32(out, at, 0x1003f);
  putU32(out, at + 0xb8, facts.instructionPointer);
  putU16(out, at + 0xbc, 0x08);
  putU32(out, at + 0xc0, 0x286);
  putU32(out, at + 0xc4, facts.stackPointer);
  putU16(out, at + 0xc8, 0x10);
}

function putException(out: Uint8Array, facts: HeaderFacts, code: number): void {
  const at = 0x7d0;
  out.fill(0, at, at + 0x50);
  putU32(out, at, code);
  putU32(out, at + 0xc, facts.instructionPointer);
}

function putText(out: Uint8Array, at: number, room: number, text: string): void {
  out.fill(0, at, at + room);
  out.set(latin1(text.slice(0, room - 1)), at);
}
