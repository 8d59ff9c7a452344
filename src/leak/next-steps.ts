/** What to do next, in concrete terms: commands, settings, and what to collect. */

import { clusterCulprit, namedDrivers } from './culprit.js';
import { moduleOfDriver } from '../result/joins.js';
import { tagInWords } from '../result/tag.js';
import { printable } from '../../parsers/text-safety.js';
import type { DumpType, ModuleInfo, Suspect } from '../result/result.js';
import { rank } from './confidence.js';
import { searchIsPoor } from './drivers.js';
import type { LeakFacts } from './facts.js';
import type { LargePart } from './not-pool.js';
import { holderSteps, type HolderJudgement } from './objects/holders.js';
import { isSuspicious } from './suspects.js';
import type { Readings } from './suspects.js';
import { list } from './wording.js';
import { isHandleObjectTag, isKernelImage, sharedDefault } from './tags/windows-tags.js';

/** A headline and whether a pool leak is suspected, before the steps. */
export interface Finding {
  /** Null where the dump cannot tell. */
  leakSuspected: boolean | null;
  headline: string;
  /** What ran out although no pool leak was found: `commit`, `physical memory`, `system PTEs`. */
  exhausted: string[];
  /** A tag of Windows that holds most of its pool, where nothing else is to be said. */
  windowsTag?: string;
  /** Likewise a tag of another. */
  largeTag?: string;
  /** Memory in no pool that is large. */
  elsewhere?: readonly LargePart[];
  /** Why the memory is not in the pool, where that is the verdict. */
  notPool?: readonly string[];
  /** What a statement about pool would need and the dump does not hold; empty otherwise. */
  missing: string[];
}

/** The page of the documentation that says how dumps are collected. */
const HOW = 'docs/collecting.md says how';

const COLLECT = `Collect a kernel, automatic or complete memory dump (System Properties, Startup and Recovery; CrashDumpEnabled 2, 7 or 1): small memory dumps hold no pool tables. A kernel dump is enough; ${HOW}.`;

const UNREADABLE = `This kind of dump usually holds the tables: the warnings say what could not be read. Collect another dump (${HOW}), or give the symbols of its kernel.`;

const NO_GROWTH =
  'One snapshot shows no growth: where you expect a leak, record the pool ("dumpleak poolmon --collect-script" makes the script) or collect a second dump some hours later, and compare with "dumpleak trend".';

const TAGGING = `Turn pool tagging on ("gflags /r +ptg", restart): without it neither a dump nor poolmon can tell on this Windows who holds pool. Collect a dump when pool has grown again (${HOW}).`;

/** What to do about memory in no pool. */
const ELSEWHERE: Readonly<Record<LargePart['kind'], string>> = {
  'driver-locked':
    'Drivers allocated these pages themselves (MmAllocatePagesForMdl; RAMMap calls them Driver Locked), and no tag counts them. In a virtual machine compare with the memory that the host gives it now (its balloon). Else stop display, storage cache and virtualization drivers one at a time and see what comes back.',
  'page-tables':
    'Page tables belong to processes: look for ended ones that are still there ("dumpleak holders DUMP Proc"), and for processes with very much address space in use (Task Manager, column Commit size; RAMMap, Page Table).',
  'process-locked':
    'Look for the process that locks memory (databases, virtual machines: large pages, "lock pages in memory"), and set its limit.',
  shared: 'Look for the process that makes sections without a file (RAMMap, Shareable; "dumpleak holders DUMP Sect").',
  modified:
    'Look at the disk with the page file: pages wait to be written there, or a file is written faster than its disk.',
};

/** True for kinds of dump that never hold pool tables. */
export function hasNoTables(type: DumpType): boolean {
  return type === 'triage' || type === 'header';
}

/** Steps for a finding, the most useful first. */
export function nextSteps(
  facts: LeakFacts,
  readings: Readings,
  suspects: readonly Suspect[],
  finding: Finding,
  judgements: ReadonlyMap<Suspect, HolderJudgement> = new Map(),
): string[] {
  const steps: string[] = [];
  const first = suspects.find(isSuspicious);
  if (first) {
    const judgement = judgements.get(first);
    const about = judgement === undefined ? aboutDrivers(facts, first) : holderSteps(judgement, first.tag);
    steps.push(...about, growth(first), ...(judgement === undefined ? aboutGaps(first) : []));
  } else if (finding.windowsTag !== undefined) {
    steps.push(...aboutWindowsTag(finding.windowsTag));
  } else if (finding.leakSuspected) {
    if (readings.bugCheck?.driver) {
      const driver = printable(readings.bugCheck.driver);
      steps.push(`Run "!verifier 3 ${driver}" in a debugger on this dump: it lists what ${driver} had not freed.`);
    } else if (!facts.taggingOff) {
      steps.push(
        'Record "poolmon -n poolsnap-N.log" every 15 minutes while usage grows, and compare the snapshots: the tag that only grows is the leak.',
      );
    }
  }
  const asked = suspects.filter((suspect) => !isSuspicious(suspect) && isHandleObjectTag(suspect.tag));
  steps.push(...new Set(asked.map(aboutHandles)));
  steps.push(...aboutExhaustion(finding.exhausted));
  steps.push(...(finding.elsewhere ?? []).map(({ kind }) => ELSEWHERE[kind]));
  if (facts.taggingOff) steps.push(TAGGING);
  else if (finding.missing.length > 0) steps.push(hasNoTables(facts.dumpType) ? COLLECT : UNREADABLE);
  if (facts.poolTags && !facts.poolTags.complete) {
    steps.push(
      'Some tables of tags could not be read: a complete memory dump, or the symbols of this kernel, would give full figures.',
    );
  }
  const unknown = facts.poolTags?.rows.every(({ tagSource }) => tagSource === null || tagSource === 'built-in');
  if (
    first &&
    unknown &&
    !judgements.has(first) &&
    sharedDefault(first.tag) === null &&
    !first.drivers.some(({ confidence }) => rank(confidence) > 0)
  ) {
    steps.push(
      'Give a pooltag.txt (--pooltag FILE, from the triage folder of the Debugging Tools for Windows), or one that a vendor added its tags to: it may describe the tag.',
    );
  }
  if (steps.length === 0 && finding.leakSuspected === false) {
    steps.push(NO_GROWTH);
    if (finding.largeTag !== undefined) steps.push(watch(finding.largeTag));
  }
  return steps;
}

function watch(tag: string): string {
  return `Watch ${tagInWords(tag)}: only when it keeps growing under the same load is it a leak ("dumpleak analyze --tag ${tag.trim()}" shows who allocates under it, with the evidence).`;
}

/** A tag of Windows that holds most of its pool: how to see whether it grows, and for whom. */
function aboutWindowsTag(tag: string): string[] {
  const name = tagInWords(tag);
  const objects = isHandleObjectTag(tag)
    ? [
        `Objects under ${name} stay while a process keeps a handle open: look for the process with the most handles (Task Manager, column Handles; "dumpleak processes" on a dump).`,
        `Without such a process the kernel or a driver keeps references: turn on reference tracing ("gflags /ro /t ${tag.trim()} /p", restart), let it grow, collect a dump, and run "!obtrace ADDRESS" on such an object.`,
      ]
    : [
        `Part of Windows allocates under ${name} for whoever asks: look for the process or driver whose work makes it grow, by stopping one at a time (security, backup, indexing, monitoring).`,
        `Record the stacks of the allocations: "wpr -start Pool -filemode", let it grow, "wpr -stop pool.etl", then Pool in Windows Performance Analyzer, tag ${name}.`,
      ];
  return [
    `Collect a second dump some hours later, or record "poolmon -n poolsnap-N.log" every 15 minutes: only when ${name} keeps growing is it a leak.`,
    ...objects,
  ];
}

function aboutDrivers(facts: LeakFacts, suspect: Suspect): string[] {
  const { likely } = namedDrivers(suspect);
  const maker = clusterCulprit(suspect);
  const named =
    maker !== null && likely.every(({ module }) => isKernelImage(module)) ? [{ ...maker, evidence: [] }] : likely;
  const steps: string[] = [];
  for (const driver of named.slice(0, 2)) {
    const name = driver.module;
    const module = moduleOfDriver(driver, facts.modules) ?? undefined;
    if (isKernelImage(name)) continue;
    steps.push(
      `Check ${name}${versionText(module)}: look for a newer version or known leaks at ${vendor(module)}, or stop it and see whether the growth ends.`,
      `Search for known problems: ${searchLine(name, module, suspect.tag)}`,
    );
    steps.push(
      `Turn on pool tracking for that driver alone ("verifier /flags 0x8 /driver ${name}", restart, let it grow, collect a dump); then "!verifier 3 ${name}" lists its allocations with their callers.`,
    );
  }
  if (steps.length > 0) return steps;
  if (isHandleObjectTag(suspect.tag)) steps.push(aboutHandles(suspect));
  if (sharedDefault(suspect.tag) !== null || suspect.drivers.length > 1) {
    const names = suspect.drivers.map(({ module }) => module).filter((name) => !isKernelImage(name));
    const which = names.length === 0 ? 'the drivers that are not part of Windows' : list(names, 8);
    steps.push(
      `Turn on pool tracking for the candidates ("verifier /flags 0x8 /driver NAME ..." with ${which}), restart, let it grow, collect a dump; "!verifier 3" then shows whose allocations grow.`,
    );
  } else if (suspect.drivers.length === 0) {
    steps.push(
      `Search the driver files: findstr /m /l "${printable(suspect.tag)}" %SystemRoot%\\System32\\drivers\\*.sys. A tag made at run time is in no file; a WDF driver without a tag of its own uses the first four characters of its service's name.`,
    );
    const unloaded = [...new Set((facts.unloaded ?? []).map(({ name }) => name))];
    if (unloaded.length > 0) {
      steps.push(
        `A driver that is no longer loaded may have left the allocations; unloaded were ${list(unloaded, 8)}.`,
      );
    }
    steps.push(
      'Turn on pool tracking for the drivers that are not part of Windows ("verifier /flags 0x8 /driver NAME ..."), restart, let it grow, and collect a dump.',
    );
  }
  return steps;
}

function aboutHandles({ tag }: Suspect): string {
  return `Objects under ${tagInWords(tag)} live while a handle to them is open: look for the process with the most handles ("dumpleak holders DUMP ${tag.trim()}"; Task Manager, column Handles; "!process 0 0" and "!handle" in a debugger).`;
}

function growth(suspect: Suspect): string {
  const pool = suspect.pool === 'paged' ? 'Paged' : 'Nonp';
  return `One snapshot shows no growth: collect a second dump some hours later, or record "poolmon -n poolsnap-N.log" every 15 minutes and watch tag ${tagInWords(suspect.tag)}, type ${pool}.`;
}

function aboutGaps(suspect: Suspect): string[] {
  if (!suspect.searched || !searchIsPoor(suspect.searched)) return [];
  return [
    `Many pages of the modules are not in this dump: a complete memory dump (CrashDumpEnabled 1; ${HOW}), or the driver files themselves, can be searched for the tag.`,
  ];
}

function aboutExhaustion(exhausted: readonly string[]): string[] {
  const steps: string[] = [];
  if (exhausted.includes('commit')) {
    steps.push(
      'Look for the processes with the largest private memory (Task Manager, column Commit size; "!vm" in a debugger lists them), and check that the page file may grow.',
    );
  }
  if (exhausted.includes('physical memory')) {
    steps.push(
      'Look for what holds physical memory: the largest working sets, pages locked by drivers ("!vm", Locked IO Pages) and locked application memory.',
    );
  }
  if (exhausted.includes('system PTEs')) {
    steps.push(
      'Set TrackPtes (DWORD 1) under HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management, restart, let it happen again, and use "!sysptes 4" on that dump: it lists who mapped what.',
    );
  }
  return steps;
}

function versionText(module: ModuleInfo | undefined): string {
  const version = module?.version;
  const parts = [version?.fileVersion, version?.companyName].filter((part) => part !== null && part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.map(printable).join(', ')})`;
}

/** Who to ask: the company that the version resource names. */
function vendor(module: ModuleInfo | undefined): string {
  const company = module?.version?.companyName ?? null;
  return company === null ? 'its vendor' : `its vendor (${printable(company)} by its version resource)`;
}

/** A line for a search engine: who, what, which version, and what is wrong. */
function searchLine(name: string, module: ModuleInfo | undefined, tag: string): string {
  const version = module?.version;
  const words = [version?.companyName, name, version?.fileVersion, 'pool leak', `tag "${tag.trim()}"`];
  return words
    .filter((word) => word !== null && word !== undefined)
    .map(printable)
    .join(' ');
}
