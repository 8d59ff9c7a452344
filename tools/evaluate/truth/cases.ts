/**
 * The machines whose dumps are damaged: each with a leak (or none) whose culprit is known, among drivers that could be
 * taken for it. Small, so that thousands can be read.
 */

import type { Scenario } from '../../../test-dumps/scenario.js';
import { systemDrivers } from '../../../test-dumps/catalogue.js';
import { GB, MB } from '../../../test-dumps/machines/scenario-parts.js';
import { outstanding, tagRows } from '../../../test-dumps/tag-rows.js';
import type { ModuleSpec, TagRowSpec, TagUse } from '../../../test-dumps/scenario.js';

/** A machine, and who must be named for it. */
export interface TruthCase {
  readonly name: string;
  readonly generation: string;
  /** The tag that leaks and the driver that allocates under it; null where nobody may be named. */
  readonly culprit: { readonly tag: string; readonly module: string } | null;
  readonly scenario: Scenario;
}

type Story = 'nonpaged leak' | 'paged leak' | 'hidden driver' | 'healthy';

/** Generations: kernel, processor and kind of dump. */
const GENERATIONS: Readonly<Record<string, Scenario>> = {
  'Windows 7 x64': { kernel: '7601', kind: 'kernel' },
  'Windows 8.1 x64': { kernel: '9600', kind: 'automatic' },
  'Windows 10 1607 x64': { kernel: '14393', kind: 'rdmp-kernel' },
  'Windows 10 2004 x64': { kernel: '10.0.19041.804', kind: 'bitmap-kernel' },
  'Windows 11 21H2 x64': { kernel: '22000', kind: 'bitmap-full' },
  'Windows 10 2004 x64, kernel unknown': {
    kernel: '10.0.19041.804',
    kind: 'bitmap-kernel',
    hideIdentity: 'unknown-all',
  },
  'Server 2003 x86': { kernel: '3790', kind: 'kernel', architecture: 'x86' },
  'Windows 10 x86': { kernel: '19041', kind: 'bitmap-kernel', architecture: 'x86' },
  'Windows 11 ARM64': { kernel: '22000', kind: 'bitmap-kernel', architecture: 'arm64' },
};
const STORIES: readonly Story[] = ['nonpaged leak', 'paged leak', 'hidden driver', 'healthy'];

/** Third-party drivers, and the tag that each allocates a little under: whoever is confused with another is wrong. */
const OTHERS: Readonly<Record<string, string>> = {
  'northfs.sys': 'NfsX',
  'vantagemon.sys': 'VntM',
  'orbitav.sys': 'Orbt',
  'lumengfx.sys': 'Lumn',
  'relayvpn.sys': 'RvPn',
};
const CULPRIT = 'acmenet.sys';
const TAG = 'AcNb';
/** Drivers of Windows that the small machine has. */
const SYSTEM = [
  'hal.dll', 'CI.dll', 'Wdf01000.sys', 'ACPI.sys', 'partmgr.sys', 'volmgr.sys', 'storport.sys', 'fltmgr.sys', 'msrpc.sys', 'NETIO.SYS',
  'disk.sys', 'Msfs.SYS', 'kbdclass.sys', 'mouclass.sys',
]; // prettier-ignore
/** Images are cut to so many bytes: what is searched is what takes time. */
const LARGEST = 0xb000;

/** All machines, in a fixed order. */
export function truthCases(): TruthCase[] {
  return Object.entries(GENERATIONS).flatMap(([generation, base]) =>
    STORIES.map((story) => caseOf(generation, base, story)),
  );
}

function caseOf(generation: string, base: Scenario, story: Story): TruthCase {
  const narrow = base.architecture === 'x86';
  const leaks = story !== 'healthy';
  const paged = story === 'paged leak';
  const bytes = (narrow ? 150 : 1400) * MB;
  const counters = { allocs: 702_117, frees: 1204, bytes: Math.floor(bytes / 700_913) * 700_913 };
  const leak: TagRowSpec = { tag: TAG, ...(paged ? { paged: counters } : { nonPaged: counters }) };
  const small = Object.values(OTHERS).map((tag): TagRowSpec => ({
    tag,
    nonPaged: outstanding(310, 2 * MB, 9),
    paged: outstanding(90, MB, 4),
  }));
  const rows = tagRows({
    seed: 77,
    count: 240,
    nonPagedBytes: (narrow ? 40 : 190) * MB + (leaks && !paged ? bytes : 0),
    pagedBytes: (narrow ? 60 : 240) * MB + (paged ? bytes : 0),
    largest: (narrow ? 4 : 20) * MB,
    named: [...(leaks ? [leak] : [{ tag: TAG, nonPaged: outstanding(220, 3 * MB, 9) }]), ...small],
  });
  const named = story === 'nonpaged leak' || paged;
  return {
    name: `${generation}, ${story}`,
    generation,
    culprit: named ? { tag: TAG, module: CULPRIT } : null,
    scenario: {
      seed: 77,
      processors: 4,
      ...base,
      memory: { bytes: narrow ? GB : 4 * GB, ...(narrow ? { figures: { nonPagedPoolMaximum: 0x1_0000 } } : {}) },
      modules: modulesOf(Number(base.kernel?.split('.').at(2) ?? base.kernel), story, paged),
      unloaded: [{ name: 'dump_storport.sys' }, { name: 'cdrom.sys' }],
      pool: { rows, tableSize: 1025 },
    },
  };
}

function modulesOf(build: number, story: Story, paged: boolean): ModuleSpec[] {
  const use = (tag: string, more: Partial<TagUse> = {}): TagUse => ({
    tag,
    style: 'alloc',
    pool: paged ? 'paged' : 'nonpaged',
    ...more,
  });
  const hidden: Partial<TagUse> = story === 'hidden driver' ? { section: 'PAGE', page: 'paged-out' } : {};
  const tags: Record<string, TagUse[]> = {
    [CULPRIT]: [use(TAG, hidden), ...(story === 'hidden driver' ? [] : [use(TAG), use(TAG, { style: 'free' })])],
    'vantagemon.sys': [use('VntM'), { tag: TAG, style: 'text', text: 'MonitorAcNbUsage' }],
    // What tempts where the culprit cannot be read.
    'orbitav.sys': [use('Orbt'), { tag: TAG, style: 'data' }],
  };
  for (const [name, tag] of Object.entries(OTHERS)) tags[name] ??= [use(tag)];
  const known = new Set([...SYSTEM, ...Object.keys(tags)]);
  return systemDrivers(build, { sessions: false })
    .filter(({ name }) => known.has(name))
    .map((spec): ModuleSpec => ({
      ...spec,
      size: Math.min(spec.size ?? LARGEST, LARGEST),
      tags: tags[spec.name] ?? [],
    }));
}
