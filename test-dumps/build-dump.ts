/** The entry of the builder: a scenario becomes a dump file of the wanted kind, together with the truth about it. */

import { bitmapHead, rdmpHead, runsHead, summaryHead, type BodyHead } from './dump/bodies.js';
import { buildLab } from './kernel/build-labs.js';
import { BuiltDump, type FilePlace } from './built-dump.js';
import { canonical, va48 } from './bytes.js';
import { dumpHeaderX86, HEADER32_SIZE } from './dump/dump-header-x86.js';
import { dumpHeader, HEADER_SIZE, type HeaderFacts } from './dump/dump-header.js';
import { rvaOf } from './kernel-facts.js';
import { buildMachine, crashPlace, type Machine } from './machine.js';
import { moduleTruth, tagHits } from './images/module-truth.js';
import { kernelIdentity } from './images/modules.js';
import { PageSet } from './dump/page-set.js';
import { PAGE } from './physical-memory.js';
import { probe, readVirtual } from './reader/reader.js';
import { secondaryData } from './dump/secondary-data.js';
import type { BodyLayout, DumpKind, Scenario } from './scenario.js';
import { triageBodyX86 } from './dump/triage-x86.js';
import { triageBody } from './dump/triage.js';
import type { Truth } from './truth.js';

export type { BuiltDump } from './built-dump.js';
export type * from './scenario.js';
export type * from './truth.js';

/** `DumpType` and body of each kind, unless the scenario says otherwise. */
const KINDS: Readonly<Record<DumpKind, { type: number; body: BodyLayout }>> = {
  full: { type: 1, body: 'runs' },
  kernel: { type: 2, body: 'summary' },
  header: { type: 3, body: 'none' },
  triage: { type: 4, body: 'triage' },
  'bitmap-full': { type: 5, body: 'bitmap' },
  'bitmap-kernel': { type: 6, body: 'bitmap' },
  automatic: { type: 7, body: 'bitmap' },
  'rdmp-kernel': { type: 8, body: 'rdmp' },
  'rdmp-kernel-user': { type: 9, body: 'rdmp' },
  'rdmp-full': { type: 10, body: 'rdmp' },
};

/** Builds the dump. The same scenario gives the same bytes, always. Throws on a scenario that contradicts itself. */
export function buildDump(scenario: Scenario = {}): BuiltDump {
  const machine = buildMachine(scenario);
  const narrow = scenario.architecture === 'x86';
  const kind = scenario.kind ?? 'bitmap-kernel';
  const body = scenario.body ?? KINDS[kind].body;
  const stored = storedPages(machine, kind, body, scenario.fillerPages ?? 0);
  const last = machine.memory.runs.at(-1);
  const bits = Math.ceil(((last?.basePage ?? 0) + (last?.pageCount ?? 0)) / 32) * 32;
  const dumpType = scenario.dumpType ?? KINDS[kind].type;
  const truth = describe(scenario, machine, kind, dumpType, body, stored);
  const { head, facts } =
    body === 'triage'
      ? narrow
        ? triageBodyX86(machine, scenario.dataBlockSize ?? 16)
        : triageBody(machine)
      : { head: bodyHead(body, stored, bits, kind, narrow), facts: {} };
  const spec = scenario.header ?? {};
  const { kernel, base } = machine;
  const headerFacts: HeaderFacts = {
    build: kernel.build,
    machine: scenario.architecture === 'arm64' ? 0xaa64 : 0x8664,
    directoryTableBase: Number(truth.header.directoryTableBase),
    pfnDataBase: base + rvaOf(kernel, 'MmPfnDatabase'),
    psLoadedModuleList: base + rvaOf(kernel, 'PsLoadedModuleList'),
    psActiveProcessHead: base + rvaOf(kernel, 'PsActiveProcessHead'),
    kdDebuggerDataBlock: kdbgPointer(machine, spec.kdbgPointer),
    processors: machine.processors,
    dumpType,
    runs: (spec.physicalMemoryBlock ?? body !== 'triage') ? machine.memory.runs : null,
    numberOfPages: machine.memory.pageCount,
    requiredDumpSpace: head.firstPage + stored.count * PAGE,
    bugCheckCode: machine.bugCheckCode,
    bugCheckParameters: machine.bugCheckParameters,
    systemTime: machine.systemTime,
    upTime: machine.upTime,
    productType: machine.productType,
    suiteMask: machine.suiteMask,
    ...crashPlace(base, machine.space.plan.systemPtes),
    ...facts,
  };
  const header = narrow
    ? dumpHeaderX86(headerFacts, spec, machine.space.tables.style.levels === 3)
    : dumpHeader(headerFacts, spec);
  const dump = new BuiltDump(
    truth,
    header,
    head,
    stored,
    machine.memory.pages,
    secondaryData(kernel.build, scenario.secondaryData),
    scenario.truncateTo,
    (address, length) => readVirtual(machine.space, stored, address, length),
    (address) => placeOf(machine, stored, head.firstPage, address),
    Object.fromEntries(Object.entries(kernel.rva).map(([name, rva]) => [name, canonical(base + rva)])),
  );
  truth.fileBytes = dump.byteLength;
  return dump;
}

function placeOf(machine: Machine, stored: PageSet, firstPage: number, address: bigint): FilePlace {
  const va = va48(address);
  const { tables } = machine.space;
  const offsetOf = (frame: number): number => firstPage + stored.rank(frame) * PAGE;
  const found = probe(machine.space, tables, stored, va - (va % PAGE));
  return {
    at: 'frame' in found ? offsetOf(found.frame) + (va % PAGE) : null,
    tables: tables
      .walk(va)
      .tables.filter((frame) => stored.has(frame))
      .map(offsetOf),
  };
}

function kdbgPointer(machine: Machine, wanted: 'right' | 'null' | 'wrong' = 'right'): number {
  if (wanted === 'null') return 0;
  const right = machine.base + rvaOf(machine.kernel, 'KdDebuggerDataBlock');
  return wanted === 'wrong' ? right - 0x2340 : right;
}

function tableBase(machine: Machine, scenario: Scenario): bigint {
  const { tables, memory } = machine.space;
  switch (scenario.header?.directoryTableBase) {
    case 'zero':
      return 0n;
    case 'wrong': {
      // A page of code: what stands in it are no entries.
      const page = machine.modules[0]?.frames.get(2) ?? memory.allocate();
      return BigInt(page * PAGE);
    }
    default:
      return BigInt(tables.directoryBase + (scenario.paging?.pcid ?? 0));
  }
}

function storedPages(machine: Machine, kind: DumpKind, body: BodyLayout, filler: number): PageSet {
  const { memory, absent } = machine;
  if (body === 'triage' || body === 'none') return new PageSet([]);
  if (body === 'runs') return new PageSet(memory.runs);
  if (kind === 'full' || kind === 'bitmap-full' || kind === 'rdmp-full') return PageSet.without(memory.runs, absent);
  const left = new Set([...absent, ...(kind === 'rdmp-kernel-user' ? [] : machine.userFrames)]);
  const frames = [...memory.pages.keys()].filter((frame) => !left.has(frame));
  for (let i = 0; i < filler; i++) frames.push(memory.allocate());
  return PageSet.of(frames);
}

function bodyHead(body: BodyLayout, stored: PageSet, bits: number, kind: DumpKind, narrow: boolean): BodyHead {
  const headerSize = narrow ? HEADER32_SIZE : HEADER_SIZE;
  if (body === 'bitmap') return bitmapHead(stored, bits, kind === 'bitmap-full', headerSize);
  if (body === 'summary') return summaryHead(stored, bits, headerSize);
  if (body === 'rdmp') return rdmpHead(stored, kind === 'rdmp-full');
  return runsHead(headerSize);
}

function describe(
  scenario: Scenario,
  machine: Machine,
  kind: DumpKind,
  dumpType: number,
  body: BodyLayout,
  stored: PageSet,
): Truth {
  const { kernel, base, space, memory } = machine;
  // A careful reader finds all: along the links of the other direction, else by the images' headers.
  const modules = body === 'triage' ? machine.modules.slice(0, machine.listed) : machine.modules;
  const truths = modules.map((module) => {
    const tables = module.spec.session === true ? machine.sessionTables : space.tables;
    return moduleTruth(module, (va) =>
      tables ? probe(space, tables, stored, va) : { why: 'no process of a session' },
    );
  });
  const uses = machine.modules.flatMap((m) => m.planter.planted.map((p) => p.use.tag));
  const tags = [...new Set([...uses, ...(scenario.watchTags ?? [])])];
  const identity = kernelIdentity(kernel, scenario);
  const spec = scenario.header ?? {};
  return {
    scenario: scenario.name ?? 'unnamed',
    seed: scenario.seed ?? 1,
    kind,
    dumpType,
    body,
    kernel: {
      version: kernel.version,
      build: kernel.build,
      base: canonical(base),
      pdb: identity.pdb,
      timeDateStamp: identity.timeDateStamp,
      sizeOfImage: identity.sizeOfImage,
      buildLab: 'NtBuildLab' in kernel.rva ? buildLab(kernel.build, kernel.pointerSize === 4) : null,
      genuine: identity.pdb.guid === kernel.pdb.guid,
    },
    header: {
      directoryTableBase: tableBase(machine, scenario),
      psLoadedModuleList: canonical(base + rvaOf(kernel, 'PsLoadedModuleList')),
      psActiveProcessHead: canonical(base + rvaOf(kernel, 'PsActiveProcessHead')),
      kdDebuggerDataBlock: canonical(kdbgPointer(machine, spec.kdbgPointer)),
      processors: machine.processors,
      bugCheckCode: machine.bugCheckCode,
      bugCheckParameters: [...machine.bugCheckParameters],
      systemTime: machine.systemTime,
      upTime: machine.upTime,
      productType: machine.productType,
      runs: memory.runs.map((run) => ({ ...run })),
    },
    pagesPresent: stored.count,
    physicalPages: memory.pageCount,
    fileBytes: 0,
    ...machine.truth,
    modules: truths,
    tagHits: modules.flatMap((module, i) => {
      const truth = truths[i];
      return truth ? tagHits(module, truth, tags) : [];
    }),
  };
}
