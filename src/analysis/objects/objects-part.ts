/** The objects of one type to which handles lead, by name and one by one. */

import { hex } from '../../../parsers/bytes/failure.js';
import { large } from '../../../parsers/addresses.js';
import { bodyOf } from '../../kernel/objects/header-scan.js';
import type { Objects } from '../../kernel/objects/objects.js';
import { beyondHandles } from '../../kernel/objects/references.js';
import type { ObjectsPart } from '../../result/object-parts.js';

const MOST_NAMED = 200_000;
const MOST_NAMES = 200;
const MOST_ROWS = 200;

/** Null where no handle could be read or no type has the name. */
export function readObjectsPart(objects: Objects, type: string): ObjectsPart | null {
  const [census, decoder, describer] = [objects.census(), objects.decoder(), objects.describer()];
  const place = decoder?.types.findIndex(({ name }) => name.toLowerCase() === type.toLowerCase()) ?? -1;
  if (census === null || decoder === null || describer === null || place < 0) return null;
  const name = decoder.types[place]?.name ?? type;
  const rule = objects.references();
  const names = new Map<string, { name: string; objects: number; handles: number }>();
  const all: { object: number; handles: number; name: string | null }[] = [];
  let unnamed = 0;
  let looked = 0;
  for (let object = 0; object < census.objects.count; object++) {
    if (census.facts.type[object] !== place) continue;
    const handles = census.handlesFound[object] ?? 0;
    let said: string | null = null;
    if (looked < MOST_NAMED) {
      looked++;
      said = describer.describe(name, bodyOf(census.objects.header[object] ?? 0, decoder)).name;
      const known = said === null ? undefined : names.get(said);
      if (said === null) unnamed++;
      else if (known === undefined) names.set(said, { name: said, objects: 1, handles });
      else {
        known.objects++;
        known.handles += handles;
      }
    }
    all.push({ object, handles, name: said });
  }
  all.sort((a, b) => b.handles - a.handles || a.object - b.object);
  return {
    ...{ type: name, found: all.length, complete: census.complete, unnamed, looked },
    names: [...names.values()]
      .sort((a, b) => b.objects - a.objects || b.handles - a.handles || (a.name < b.name ? -1 : 1))
      .slice(0, MOST_NAMES),
    rows: all.slice(0, MOST_ROWS).map(({ object, handles, name: said }) => ({
      object: hex(bodyOf(census.objects.header[object] ?? 0, decoder)),
      header: hex(large(census.objects.header[object] ?? 0)),
      ...{ name: said, handles },
      pointerCount: census.facts.pointerCount[object] ?? 0,
      beyondHandles: rule === null ? null : beyondHandles(census, rule, object),
    })),
  };
}
