/**
 * The layouts to use for a kernel that no profile describes: those of another release of the same build, else of the
 * closest build that shares the layout's generation. Types whose generations are not known do not cross builds.
 */

import type { StructLayout } from '../parsers/kernel/layout.js';
import { GENERATIONS, releaseFamily } from './generations.js';
import { layoutInSet, versionsWithoutProfile, type LayoutArchitecture } from './profiles/layout-table.js';
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

const allDonors = new Map<LayoutArchitecture, readonly Donor[]>();

function donors(architecture: LayoutArchitecture): readonly Donor[] {
  const known = allDonors.get(architecture);
  if (known !== undefined) return known;
  const profiles = architecture === 'x64' ? kernelEntries() : [];
  const made = [
    ...profiles.map(({ version, layoutSet }) => ({ version, set: layoutSet })),
    ...versionsWithoutProfile(architecture).map((version) => ({ version, set: version })),
  ].map(({ version, set }) => {
    const [build = 0, revision = 0] = version.split('.').slice(2).map(Number);
    return { version, set, build, family: releaseFamily(build), revision };
  });
  allDonors.set(architecture, made);
  return made;
}

/** The first donor in order of `distance` that has the type; of equals the one that comes first. */
function closest(
  type: string,
  architecture: LayoutArchitecture,
  candidates: readonly Donor[],
  distance: (donor: Donor) => number,
): NearestLayout | null {
  for (const donor of candidates.toSorted((a, b) => distance(a) - distance(b))) {
    const layout = layoutInSet(donor.set, type, architecture);
    if (layout !== null) return { layout, version: donor.version };
  }
  return null;
}

function sameGeneration(
  type: string,
  architecture: LayoutArchitecture,
  build: number,
): ((donor: Donor) => boolean) | null {
  const generations = GENERATIONS[architecture].get(type);
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
  architecture: LayoutArchitecture = 'x64',
): NearestLayout | null {
  const family = releaseFamily(buildNumber);
  const others = donors(architecture).filter((donor) => donor.version !== without);
  const revision = version === null ? Infinity : Number(version.split('.')[3]);
  const latestFirst = (donor: Donor): number => -donor.revision;
  const byRevision = (donor: Donor): number => Math.abs(donor.revision - revision);
  const sameBuild = closest(
    type,
    architecture,
    others.filter((donor) => donor.family === family),
    Number.isFinite(revision) ? byRevision : latestFirst,
  );
  if (sameBuild !== null) return sameBuild;

  const accepts = sameGeneration(type, architecture, family);
  if (accepts === null) return null;
  // Nearest build first; within a build before this one its latest release, within a later build its earliest.
  return closest(type, architecture, others.filter(accepts), (donor) => {
    const builds = Math.abs(donor.build - family);
    const within = donor.build < family ? 1 - donor.revision / 1e6 : donor.revision / 1e6;
    return builds + within / 2;
  });
}

/** All layouts of one release. */
export interface Release {
  readonly version: string;
  layout(type: string): StructLayout | null;
}

/**
 * The releases of a build and of those that share its binaries, one for each set of layouts, the latest first. Which of them a kernel is like
 * must be told from its data: layouts change between releases of one build.
 */
export function releasesOf(
  buildNumber: number,
  without: string | null = null,
  architecture: LayoutArchitecture = 'x64',
): readonly Release[] {
  const family = releaseFamily(buildNumber);
  const bySet = new Map<string, Donor>();
  const own = donors(architecture).filter((donor) => donor.family === family && donor.version !== without);
  for (const donor of own.toSorted((a, b) => b.build - a.build || b.revision - a.revision)) {
    if (!bySet.has(donor.set)) bySet.set(donor.set, donor);
  }
  return [...bySet.values()].map(({ version, set }) => ({
    version,
    layout: (type) => layoutInSet(set, type, architecture),
  }));
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
