/**
 * Which dumps are of one machine. Two are, where they have the machine's name in common, or one boot. Dumps of which
 * neither is known are each of a machine of their own: unknown machines are never merged.
 */

import { createHash } from 'node:crypto';
import type { MachineFacts } from './inputs/entries.js';

/** What the machine of a dump is told by. */
export interface MachineOf {
  id: string;
  facts: MachineFacts;
}

/** Clocks are set now and then, which moves the time of the boot; in milliseconds. */
const BOOT_TOLERANCE = 120_000;

/** The machine of every dump, by the dump's id. The same dumps have the same machines, in whatever order they come. */
export function assignMachines(dumps: readonly MachineOf[]): Map<string, string> {
  const sorted = [...dumps].sort((a, b) => (a.id < b.id ? -1 : 1));
  const parent = new Map(sorted.map(({ id }) => [id, id]));
  const root = (id: string): string => {
    let at = id;
    for (let up = parent.get(at) ?? at; up !== at; up = parent.get(at) ?? at) at = up;
    return at;
  };
  const join = (a: string, b: string): void => {
    const [first = '', second = ''] = [root(a), root(b)].sort();
    parent.set(second, first);
  };
  for (const same of groupBy(sorted, ({ facts }) => nameKey(facts)).values()) {
    for (const { id } of same) join(same[0].id, id);
  }
  for (const same of groupBy(sorted, ({ facts }) => facts.bootImage).values()) joinBoots(same, join);
  return new Map(sorted.map(({ id }) => [id, `m-${shortHash(root(id))}`]));
}

/**
 * A name that the user gives is enough. Cloned images share the name that the dump says, so there the hardware must be
 * the same as well.
 */
function nameKey({ name, nameFrom, hardware }: MachineFacts): string | null {
  if (name === null) return null;
  if (nameFrom === 'folder') return `folder ${name.toLowerCase()}`;
  return hardware === null ? null : `dump ${name.toLowerCase()} ${hardware}`;
}

/** Dumps with one boot's addresses are of one boot where its time is the same too, and their names do not say otherwise. */
function joinBoots(dumps: readonly MachineOf[], join: (a: string, b: string) => void): void {
  const timed = dumps
    .filter(({ facts }) => facts.bootTime !== null)
    .sort((a, b) => (a.facts.bootTime ?? 0) - (b.facts.bootTime ?? 0));
  let boot: MachineOf[] = [];
  const end = (): void => {
    const names = new Set(boot.flatMap(({ facts }) => facts.name?.toLowerCase() ?? []));
    if (names.size < 2) for (const { id } of boot) join(boot[0]?.id ?? id, id);
    boot = [];
  };
  for (const dump of timed) {
    const last = boot.at(-1)?.facts.bootTime ?? null;
    if (last !== null && (dump.facts.bootTime ?? 0) - last > BOOT_TOLERANCE) end();
    boot.push(dump);
  }
  end();
}

/** Items by a key, in their order; those without one are left out. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | null): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Ten hexadecimal digits that stand for a text. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
