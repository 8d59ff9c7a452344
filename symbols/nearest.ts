/**
 * The layouts to use for an x64 kernel that no profile describes: those of another release of the same build, else of the
 * closest build that shares the layout's generation. Types whose generations are not known do not cross builds.
 */

import type { StructLayout } from '../parsers/kernel/layout.js';
import { GENERATIONS, releaseFamily } from './generations.js';
import { layoutInSet, versionsWithoutProfile } from './profiles/layout-table.js';
import { kernelEntries } from './profiles/profiles.js';

/** A layout, and the version of the kernel that it is of. */
export interface NearestLayout {
  readonly layout: StructLayout;
  readonly version: string;
}

interface Donor {
  readonly version: string;
  readonly set: string;
  readonly build: number;
  /** The build whose binaries this release shares. */
  readonly family: number;
  readonly revision: number;
}

let allDonors: readonly Donor[] | undefined;

function donors(): readonly Donor[] {
  allDonors ??= [
    ...kernelEntries().map(({ version, layoutSet }) => ({ version, set: layoutSet })),
    ...versionsWithoutProfile().map((version) => ({ version, set: version })),
  ].map(({ version, set }) => {
    const [build = 0, revision = 0] = version.split('.').slice(2).map(Number);
    return { version, set, build, family: releaseFamily(build), revision };
  });
  return allDonors;
}

/** The first donor in order of `distance` that has the type; of equals the one that comes first. */
function closest(type: string, candidates: readonly Donor[], distance: (donor: Donor) => number): NearestLayout | null {
  for (const donor of candidates.toSorted((a, b) => distance(a) - distance(b))) {
    const layout = layoutInSet(donor.set, type);
    if (layout !== null) return { layout, version: donor.version };
  }
  return null;
}

function sameGeneration(type: string, build: number): ((donor: Donor) => boolean) | null {
  const generations = GENERATIONS.get(type);
  if (generations === undefined || build >= (generations.until ?? Infinity)) return null;
  const start = generations.since.findLast((since) => since <= build);
  if (start === undefined) return null;
  const next = generations.since.find((since) => since > build) ?? generations.until ?? Infinity;
  return (donor) => donor.build >= start && donor.build < next;
}

/**
 * The nearest layout of a type.
 * @param buildNumber from the dump header.
 * @param version the exact version where it is known (`10.0.19041.804`); without it the latest release of the build is taken.
 * @param without a version to pass over.
 */
export function nearestLayout(
  type: string,
  buildNumber: number,
  version: string | null,
  without: string | null,
): NearestLayout | null {
  const family = releaseFamily(buildNumber);
  const others = donors().filter((donor) => donor.version !== without);
  const revision = version === null ? Infinity : Number(version.split('.')[3]);
  const latestFirst = (donor: Donor): number => -donor.revision;
  const byRevision = (donor: Donor): number => Math.abs(donor.revision - revision);
  const sameBuild = closest(
    type,
    others.filter((donor) => donor.family === family),
    Number.isFinite(revision) ? byRevision : latestFirst,
  );
  if (sameBuild !== null) return sameBuild;

  const accepts = sameGeneration(type, family);
  if (accepts === null) return null;
  // Nearest build first; within a build before this one its latest release, within a later build its earliest.
  return closest(type, others.filter(accepts), (donor) => {
    const builds = Math.abs(donor.build - family);
    const within = donor.build < family ? 1 - donor.revision / 1e6 : donor.revision / 1e6;
    return builds + within / 2;
  });
}

/** Pointers that ExPoolTagTables holds: what the build's profiles say, else what both neighbouring builds agree on, else `null`. */
export function nearestTagTablesCapacity(buildNumber: number): number | null {
  const family = releaseFamily(buildNumber);
  const builds = new Map<number, number>();
  for (const { version, poolTagTablesCapacity } of kernelEntries()) {
    const build = Number(version.split('.')[2]);
    if (poolTagTablesCapacity !== null) {
      builds.set(build, Math.min(poolTagTablesCapacity, builds.get(build) ?? Infinity));
    }
  }
  const before = [...builds].findLast(([build]) => build <= family);
  const after = [...builds].find(([build]) => build >= family);
  const [low, high] = [before?.[1], after?.[1]];
  return low === high ? (low ?? null) : null;
}
