/**
 * How often tags are in lock step by chance: machines of 2,000 tags whose counts have nothing to do with each other, and how
 * many of the tags that are large enough have a partner. `npm run evaluate-lock-step` writes the table into docs/verdict.md.
 */

import { pathToFileURL } from 'node:url';
import { inStepWith, steppers } from '../../src/leak/tags/lock-step.js';
import type { PoolTagRow } from '../../src/result/result.js';
import { Prng } from '../../test-dumps/prng.js';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { putBetween } from './put-between.js';

const TAGS = 2000;
const MACHINES = 300;
const GB = 2 ** 30;

/** A kind of machine: what its tags hold, in allocations, and how many of the tags are hardly ever freed. */
interface Model {
  readonly name: string;
  /** Of the tags, those of which at most 5 % was freed. */
  readonly kept: number;
  readonly counts: (seed: number) => number[];
}

/** Counts that spread over orders of magnitude, as those of real machines: half below the median, a few in the millions. */
function spread(median: number, sigma: number): Model['counts'] {
  return (seed) => {
    const random = new Prng(seed).fork('lock step');
    return Array.from({ length: TAGS }, () => {
      const normal = Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
      return Math.round(median * Math.exp(sigma * normal));
    });
  };
}

function built(bytes: number): Model['counts'] {
  return (seed) =>
    tagRows({ seed, count: TAGS, nonPagedBytes: bytes, pagedBytes: bytes }).map(({ nonPaged, paged }) => {
      const { allocs, frees } = nonPaged ?? paged ?? { allocs: 0, frees: 0 };
      return Number(allocs) - Number(frees);
    });
}

const MODELS: readonly Model[] = [
  { name: 'built machines, 4 GB of pool', kept: 0.2, counts: built(2 * GB) },
  { name: 'built machines, 40 GB of pool', kept: 0.2, counts: built(20 * GB) },
  { name: 'counts over orders of magnitude, one tag in fifty above 100,000', kept: 0.2, counts: spread(100, 3.36) },
  { name: 'the same, one in twenty', kept: 0.2, counts: spread(250, 3.64) },
  { name: 'the same, and half of the tags hardly ever freed', kept: 0.5, counts: spread(250, 3.64) },
];

/** What chance made of a model. */
export interface Chance {
  readonly name: string;
  /** Tags a machine that are large enough and hardly ever freed. */
  readonly steppers: number;
  /** Of these, those with a partner. */
  readonly partnered: number;
  /** Of these, those with two or more. */
  readonly clustered: number;
}

/** Builds so many machines and looks. */
export function chanceOf({ name, kept, counts }: Model, machines = MACHINES): Chance {
  let [all, partnered, clustered] = [0, 0, 0];
  for (let seed = 1; seed <= machines; seed++) {
    const random = new Prng(seed).fork('kept');
    const rows = counts(seed).map((outstanding, i) => rowOf(i, outstanding, random.chance(kept) ? 0.01 : 3));
    const found = steppers(rows);
    all += found.length;
    for (const one of found) {
      const { length } = inStepWith(one, found);
      if (length > 0) partnered++;
      if (length > 1) clustered++;
    }
  }
  return { name, steppers: all / machines, partnered: partnered / all, clustered: clustered / all };
}

function rowOf(index: number, outstanding: number, freed: number): PoolTagRow {
  const frees = Math.floor(outstanding * freed);
  const none = { allocs: 0, frees: 0, outstanding: 0, bytes: 0 };
  return {
    tag: `T${index}`,
    hex: `0x${(index + 1).toString(16)}`,
    protected: false,
    nonPaged: { allocs: outstanding + frees, frees, outstanding, bytes: outstanding * 64 },
    paged: none,
    description: null,
    binary: null,
    tagSource: null,
  };
}

/** The table in Markdown. */
export function chanceTable(chances: readonly Chance[]): string {
  const share = (part: number): string => `${(100 * part).toFixed(2)} %`;
  return [
    '| machines | large tags, hardly ever freed, a machine | of these with a partner by chance | with two or more |',
    '|---|---:|---:|---:|',
    ...chances.map(
      ({ name, steppers: all, partnered, clustered }) =>
        `| ${name} | ${all.toFixed(1)} | ${share(partnered)} | ${share(clustered)} |`,
    ),
  ].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const table = chanceTable(MODELS.map((model) => chanceOf(model)));
  const [page] = process.argv.slice(2);
  if (page === undefined) process.stdout.write(`${table}\n`);
  else putBetween(page, 'evaluate-lock-step', table);
}
