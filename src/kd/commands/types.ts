/** `dt`: types, and structures in memory. */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { typeLines } from '../show/type-lines.js';

/** Entries that `dt -l` goes along, at most. */
const MOST_ENTRIES = 100_000;

/** `dt Type [-l List.Flink] [Fields] [Address]`. */
async function displayType({ session, words }: Call): Promise<void> {
  const [name, ...others] = words;
  if (name === undefined) throw new KdError('dt wants a type, as in dt nt!_EPROCESS');
  let along: string | null = null;
  const plain: string[] = [];
  for (let i = 0; i < others.length; i++) {
    const word = others[i] ?? '';
    if (word === '-l') along = others[++i] ?? '';
    else if (/^-[a-z]+\d*$/i.test(word))
      throw new KdError(`dt ${printable(word)} is not here: dt has -l List.Flink, names of fields and an address`); // prettier-ignore
    else plain.push(word);
  }
  const found = await session.symbols.layout(name);
  if (found === null) throw new KdError(`Symbol ${printable(name)} not found.`, 'input');
  const { layout, module, source } = found;
  const isField = (word: string): boolean =>
    word.endsWith('*') || Object.keys(layout.fields).some((one) => one.toLowerCase() === word.toLowerCase());
  const fields = plain.filter(isField);
  const places = plain.filter((word) => !isField(word));
  const at = places.length === 0 ? null : session.address(await session.evaluate(places.join(' ')));
  const title = `${module?.moduleName ?? 'nt'}!${printable(layout.name)}`;
  if (along !== null) {
    if (at === null) throw new KdError('dt -l wants an address');
    await list(along, at);
    return;
  }
  if (fields.length === 0 && at === null) await session.out.line(title);
  if (source === 'nearest' || source === 'derived') {
    await session.out.line(
      `   (${source === 'nearest' ? 'layout of the nearest known build' : 'layout told from known builds'})`,
    );
  }
  for (const line of typeLines(session, layout, at, fields)) await session.out.line(line);
  if (source !== 'pdb' && fields.length === 0 && hasGaps(layout, session.pointerSize)) {
    await session.out.line('   (the fields that the built-in tables have: the PDB may know more)');
  }
  if (at !== null && failed(session.memoryAt(at).readU8(at))) {
    await session.out.line(`Memory read error ${session.pointer(at)}`);
  }

  /** Along a list whose links stand in the structure; `.Flink` or `.Blink` says which way. */
  async function list(path: string, first: VirtualAddress): Promise<void> {
    const [field = '', way = 'Flink'] = path.split('.');
    const offset = layout.fields[field]?.offset;
    if (offset === undefined) throw new KdError(`${printable(layout.name)} has no field ${printable(field)}`);
    const shift = BigInt(offset) + (way.toLowerCase() === 'blink' ? BigInt(session.pointerSize) : 0n);
    let here = first;
    for (let i = 0; i < MOST_ENTRIES; i++) {
      await session.out.line(`${printable(path)} at 0x${session.show(here)}`);
      await session.out.line('-'.repeat(45));
      for (const line of typeLines(session, layout, here, fields)) await session.out.line(line);
      await session.out.line();
      const next = session.memoryAt(here).readPointer(session.address(here + shift));
      if (failed(next) || next === 0n) return;
      const entry = session.address(next - BigInt(offset));
      if (entry === first) return;
      here = entry;
    }
  }
}

/** Whether fields may be missing: somewhere the next one, or the end, is further away than a list's head is long. */
function hasGaps({ fields, size }: StructLayout, pointerSize: number): boolean {
  const places = [...new Set(Object.values(fields).map(({ offset }) => offset)), size].sort((a, b) => a - b);
  return places.some((place, i) => place - (places[i - 1] ?? 0) > 2 * pointerSize);
}

export const types: Family = {
  title: 'Types',
  commands: [
    {
      names: ['dt'],
      usage: ['dt Type [Fields] [Address]', 'dt Type -l List.Flink [Fields] Address'],
      summary: 'Fields of a structure, with their values at an address',
      flags: [
        ['-l List.Flink', 'each entry of a list'],
        ['Fields', 'only these; * at the end of a name stands for any rest'],
      ],
      standing: 'differs',
      differs:
        'Layouts come from the PDB, else from the tables of known kernels, which have the structures that matter for memory, pool and objects; lines say where the layout is that of the nearest known build, and where fields may be missing. -b, -r, -v, -y and the other options are not here; enumerators are not named.',
      run: displayType,
    },
  ],
};
