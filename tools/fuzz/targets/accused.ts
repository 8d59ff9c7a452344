/**
 * Machines whose culprit is known, with damage: whatever is read of them, nobody else may be accused above low. Damaged
 * fields of the module list and of images have a target of their own, whose inputs say only which damage it is.
 */

import { MemorySource } from '../../../parsers/bytes/source.js';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { Prng } from '../../../test-dumps/prng.js';
import { truthCases, type TruthCase } from '../../evaluate/truth/cases.js';
import { DAMAGES, damagedSource, damageOf } from '../../evaluate/truth/damage.js';
import { judgeDump } from '../../evaluate/truth/judge.js';
import { Places } from '../../evaluate/truth/places.js';
import type { FuzzTarget } from '../target.js';

/** Of each processor and several generations; few, for each is kept built. */
const MACHINES = truthCases().filter(({ name }) =>
  [
    'Windows 7 x64, nonpaged leak', 'Windows 10 2004 x64, paged leak', 'Windows 11 21H2 x64, hidden driver',
    'Windows 10 2004 x64, kernel unknown, nonpaged leak', 'Server 2003 x86, nonpaged leak', 'Windows 11 ARM64, paged leak',
  ].includes(name),
); // prettier-ignore

/** The damage of module lists and images. */
const MODULE_DAMAGES = Object.keys(DAMAGES).filter((kind) => /module|image/.test(kind));

const built = new Map<TruthCase, Places>();

function placesOf(machine: TruthCase): Places {
  const places = built.get(machine) ?? new Places(buildDump(machine.scenario));
  built.set(machine, places);
  return places;
}

/** An input of eight bytes: the machine, the kind of damage, and the number that the damage follows from. */
function feedRecipe(input: Uint8Array): void {
  const bytes = Buffer.alloc(8);
  bytes.set(input.subarray(0, 8));
  const machine = MACHINES[bytes.readUInt8(0) % MACHINES.length];
  const kind = MODULE_DAMAGES[bytes.readUInt8(1) % MODULE_DAMAGES.length];
  if (machine === undefined || kind === undefined) return;
  const places = placesOf(machine);
  const damage = damageOf(kind, places, new Prng(bytes.readUInt32LE(4)));
  if (damage === null) return;
  const { outcome, says } = judgeDump(damagedSource(places, damage), machine);
  if (outcome === 'wrong') throw new Error(`${machine.name}, ${damage.what}: accuses ${says}`);
}

/** A whole dump of one of the machines, damaged anyhow. All have one culprit or none. */
function feedDump(input: Uint8Array): void {
  const [machine] = MACHINES;
  if (machine === undefined) return;
  const { outcome, says } = judgeDump(new MemorySource(input, 'fuzz.dmp'), machine);
  if (outcome === 'wrong') throw new Error(`accuses ${says}`);
}

/** Inputs that say which damage. */
export const ACCUSED_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'accused-module-damage',
    seeds: MACHINES.map((_, machine) => (): Uint8Array => Uint8Array.of(machine, machine, 0, 0, 1, 2, 3, machine)),
    hot: 8,
    feed: feedRecipe,
  },
  {
    name: 'accused-dump',
    share: 0.25,
    seeds: MACHINES.filter(({ scenario }) => scenario.kind !== 'bitmap-full').map(
      ({ scenario }) =>
        (): Uint8Array =>
          buildDump(scenario).toBytes(),
    ),
    feed: feedDump,
  },
];
