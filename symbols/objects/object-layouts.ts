/**
 * Layouts of processes, threads, objects and handle tables, release by release. They change from release to release, so
 * which release a kernel is like is for its data to prove; here they only come in the order in which to try them.
 */

import type { FieldLayout, StructLayout } from '../../parsers/kernel/layout.js';
import type { KernelArchitecture } from '../kernel-symbols.js';
import type { Release } from '../nearest.js';
import { LayoutTable } from '../profiles/layout-table.js';

const TABLES = {
  x64: new LayoutTable('-x64', 'objects'),
  x86: new LayoutTable('-x86', 'objects'),
  arm64: new LayoutTable('-arm64', 'objects'),
} as const;
/** Structures that hold members which ARM64 aligns otherwise. Of the others x64's serve. */
const OWN_ON_ARM64: ReadonlySet<string> = new Set(['_EPROCESS', '_KPROCESS', '_ETHREAD', '_KTHREAD', '_KAPC_STATE']);
/** `_EPROCESS.ObjectTable` of ARM64 kernels, from the first build on that has it there (reference: section 4). */
const ARM64_OBJECT_TABLES: readonly (readonly [since: number, offset: number])[] = [
  [16299, 0x3c0],
  [17763, 0x3c8],
  [18362, 0x3d0],
  [19041, 0x528],
  [26058, 0x2f0],
];

/** A release whose layouts are known, or are worked out from those of x64. */
export interface ObjectRelease extends Release {
  /** Of ARM64: `_EPROCESS` is x64's, shifted by what is known to have moved. Only the data can prove it. */
  readonly shifted: boolean;
}

const numberOf = (version: string): number => parseInt(version, 10);

/** All releases of an architecture, the nearest to a build first; of two that are as near, the earlier and later revisions. */
export function objectReleases(architecture: KernelArchitecture, buildNumber: number): readonly ObjectRelease[] {
  const away = (version: string): number => Math.abs(numberOf(version) - buildNumber);
  const order = (versions: readonly string[]): readonly string[] =>
    versions.toReversed().toSorted((a, b) => away(a) - away(b) || numberOf(a) - numberOf(b));
  const table = architecture === 'x86' ? TABLES.x86 : TABLES.x64;
  const common = order(table.versions()).map((version) => ({
    version,
    shifted: false,
    layout: (type: string): StructLayout | null => table.inSet(version, type),
  }));
  if (architecture !== 'arm64') return common;
  const own = order(TABLES.arm64.versions()).map((version) => ({
    version: `${version} on ARM64`,
    shifted: false,
    layout: (type: string): StructLayout | null =>
      TABLES.arm64.inSet(version, type) ??
      (OWN_ON_ARM64.has(type) ? null : (nearestWith(common, version, type)?.layout(type) ?? null)),
  }));
  const shifted = common
    .filter(({ version }) => numberOf(version) >= (ARM64_OBJECT_TABLES[0]?.[0] ?? 0))
    .map(({ version, layout }) => ({
      version: `${version} on x64, shifted`,
      shifted: true,
      layout: (type: string): StructLayout | null => {
        if (type === '_EPROCESS') return shiftedProcess(layout(type), numberOf(version));
        return OWN_ON_ARM64.has(type) ? null : layout(type);
      },
    }));
  return [...own, ...shifted].toSorted((a, b) => away(a.version) - away(b.version));
}

function nearestWith<T extends Release>(releases: readonly T[], version: string, type: string): T | null {
  const build = numberOf(version);
  return (
    releases
      .filter((release) => release.layout(type) !== null)
      .toSorted((a, b) => Math.abs(numberOf(a.version) - build) - Math.abs(numberOf(b.version) - build))[0] ?? null
  );
}

/** What stands before `Vm` moves as one; `Vm` begins a cache line, and what follows it is not known. */
function shiftedProcess(layout: StructLayout | null, build: number): StructLayout | null {
  const object = ARM64_OBJECT_TABLES.findLast(([since]) => since <= build)?.[1];
  const table = layout?.fields['ObjectTable']?.offset;
  const end = layout?.fields['Vm']?.offset;
  if (layout === null || object === undefined || table === undefined || end === undefined) return null;
  const fields: Record<string, FieldLayout> = {};
  for (const [name, { offset, type }] of Object.entries(layout.fields)) {
    if (name === 'Pcb') fields[name] = { offset, type };
    else if (offset < end) fields[name] = { offset: offset + object - table, type };
  }
  return { name: layout.name, size: end, fields };
}
