/**
 * Whether damage makes an innocent driver the accused: built machines x kinds of damage x generations, each dump damaged
 * in memory and analyzed. Prints the tables of docs/truth.md, or puts them there:
 * `node build/tools/evaluate/truth.js [--runs N] [--seed N] [docs/truth.md]`. Ends with 1 when anybody is named wrongly.
 */

import { buildDump } from '../../test-dumps/build-dump.js';
import { Prng } from '../../test-dumps/prng.js';
import { truthCases, type TruthCase } from './truth/cases.js';
import { DAMAGES, damagedSource, damageOf } from './truth/damage.js';
import { judgeDump, type Outcome } from './truth/judge.js';
import { Places } from './truth/places.js';
import { putBetween } from './put-between.js';

/** One damaged dump and what was said of it. */
export interface Trial {
  readonly machine: TruthCase;
  readonly kind: string;
  readonly seed: number;
  readonly outcome: Outcome;
  readonly what: string;
  readonly says: string;
}

export interface TruthOptions {
  /** Damaged dumps over all. */
  readonly runs: number;
  readonly seed: number;
  /** Only these machines. */
  readonly machines?: readonly TruthCase[];
  /** Only these kinds. */
  readonly kinds?: readonly string[];
  readonly told?: (machine: TruthCase, trials: readonly Trial[]) => void;
}

/** Damages and analyzes; the same options give the same answers. */
export function tryDamages({
  runs,
  seed,
  machines = truthCases(),
  kinds = Object.keys(DAMAGES),
  told,
}: TruthOptions): Trial[] {
  const trials: Trial[] = [];
  machines.forEach((machine, place) => {
    const own: Trial[] = [];
    const places = new Places(buildDump(machine.scenario));
    const intact = judgeDump(damagedSource(places, { what: '', patches: [], cutTo: null }), machine);
    const expected = machine.culprit === null ? 'nobody' : 'right';
    if (intact.outcome !== expected) throw new Error(`${machine.name}, undamaged: ${intact.outcome} ${intact.says}`);
    for (let number = place; number < runs; number += machines.length) {
      const kind = kinds[Math.floor(number / machines.length) % kinds.length] ?? '';
      const damage = damageOf(kind, places, new Prng(seed + number).fork(kind));
      if (damage === null) continue;
      own.push({
        machine,
        kind,
        seed: number,
        what: damage.what,
        ...judgeDump(damagedSource(places, damage), machine),
      });
    }
    told?.(machine, own);
    trials.push(...own);
  });
  return trials;
}

const OUTCOMES: readonly Outcome[] = ['right', 'nobody', 'refused', 'wrong'];

/** The tables of docs/truth.md. */
export function tablesOf(trials: readonly Trial[]): string {
  const table = (title: string, key: (trial: Trial) => string): string[] => {
    const rows = [...new Set(trials.map(key))];
    const line = (name: string, some: readonly Trial[]): string =>
      `| ${name} | ${some.length} | ${OUTCOMES.map((outcome) => some.filter((t) => t.outcome === outcome).length).join(' | ')} |`;
    return [
      '', `### ${title}`, '',
      '|  | dumps | right driver | nobody | refused | wrong |', '|---|---:|---:|---:|---:|---:|',
      ...rows.map((name) => line(name, trials.filter((trial) => key(trial) === name))),
      line('all', trials),
    ]; // prettier-ignore
  };
  return [
    `${trials.length} damaged dumps.`,
    ...table('By kind of damage', ({ kind }) => kind),
    ...table('By generation', ({ machine }) => machine.generation),
    ...table('By what is true of the machine', ({ machine }) => machine.name.split(', ').at(-1) ?? ''),
  ].join('\n');
}

function main(args: readonly string[]): void {
  const number = (name: string, otherwise: number): number => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const text = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const [only, kind] = [text('--machine'), text('--kind')];
  const target = args.find((arg) => arg.endsWith('.md'));
  const machines = truthCases().filter(({ name }) => only === undefined || name.includes(only));
  const kinds = Object.keys(DAMAGES).filter((name) => kind === undefined || name.includes(kind));
  const trials = tryDamages({
    ...{ runs: number('--runs', 10_200), seed: number('--seed', 2026), machines, kinds },
    told: ({ name }, own) => {
      for (const { kind: which, seed, what, says } of own.filter(({ outcome }) => outcome === 'wrong')) {
        process.stderr.write(`wrong: ${name} | ${which} | number ${seed} | ${what} | ${says}\n`);
      }
    },
  });
  const tables = tablesOf(trials);
  if (target === undefined) process.stdout.write(`${tables}\n`);
  else putBetween(target, 'evaluate-truth', tables);
  if (trials.some(({ outcome }) => outcome === 'wrong')) process.exitCode = 1;
}

if (process.argv[1]?.endsWith('truth.js') === true) main(process.argv.slice(2));
