/** One object by its address or its path, for `!object`. */

import { hex } from '../../../parsers/bytes/failure.js';
import type { VirtualAddress } from '../../../parsers/addresses.js';
import { ObjectReader } from '../../kernel/objects/object-at.js';
import { objectsOf } from '../../kernel/objects/objects.js';
import { rootsOf } from '../../kernel/objects/roots.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import type { ObjectPart } from '../../result/object-parts.js';
import { dumpPart, type DumpPart } from '../dump-part.js';

/** Which object: by the address of its body, or by its path (`\Driver\disk`). */
export type ObjectQuestion = { readonly address: VirtualAddress } | { readonly path: string };

/** An object, or why there is none. */
export interface ObjectFound extends DumpPart {
  object: ObjectPart | null;
  /**
   * `unknown`: the dump does not tell what objects are; `not-in-dump`: nothing stands at the address; `no-object`: something does,
   * and no header of a known type before it; `not-found`: no such path; `not-all-read`: none in what of the directories is there.
   */
  missing: 'unknown' | 'not-in-dump' | 'no-object' | 'not-found' | 'not-all-read' | null;
}

/** Entries of a directory that are shown. */
const MOST_ENTRIES = 10_000;

/** Looks for an object and reads it. */
export function findObject(opened: OpenedDump, question: ObjectQuestion): ObjectFound {
  const objects = objectsOf(opened.kernel);
  const [roots, layouts, decoder] = [rootsOf(opened.kernel), objects.layouts(), objects.decoder()];
  const found = (object: ObjectPart | null, missing: ObjectFound['missing']): ObjectFound =>
    dumpPart(opened, { object, missing }, objects.warnings);
  if (roots === null || layouts === null || decoder === null) return found(null, 'unknown');
  const reader = new ObjectReader(roots, layouts, decoder);
  const place = 'path' in question ? reader.find(question.path) : { address: question.address, complete: true };
  if (place.address === null) return found(null, place.complete ? 'not-found' : 'not-all-read');
  const part = partOf(reader, place.address);
  if (part !== null) return found(part, null);
  return found(null, reader.canRead(place.address) ? 'no-object' : 'not-in-dump');
}

function partOf(reader: ObjectReader, address: VirtualAddress): ObjectPart | null {
  const object = reader.at(address);
  if (object === null) return null;
  const { type } = object;
  const inside = type.name === 'Directory' ? reader.entries(address) : null;
  const entries = inside?.entries.slice(0, MOST_ENTRIES).map((entry) => ({
    ...{ bucket: entry.bucket, object: hex(entry.address) },
    ...{ type: entry.object?.type.name ?? null, name: entry.object?.name ?? null },
  }));
  return {
    ...{ object: hex(address), header: hex(object.header), type: type.name, typeAddress: hex(type.address) },
    ...{ handleCount: object.handles, pointerCount: object.pointers, name: object.name },
    directory: object.directory === null ? null : hex(object.directory),
    path: reader.pathOf(address),
    optionalHeaders: object.optional?.map(({ name, address: at }) => ({ name, address: hex(at) })) ?? null,
    entries: entries ?? null,
    complete: inside === null || (inside.complete && inside.entries.length <= MOST_ENTRIES),
    target: type.name === 'SymbolicLink' ? reader.targetOf(address) : null,
  };
}
