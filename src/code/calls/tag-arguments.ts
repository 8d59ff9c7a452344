/** What a call gives to an allocator as its tag: in an argument, or in a structure that an argument points to. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u16, u32 } from '../../../parsers/bytes/fields.js';
import type { Allocator } from './allocators.js';
import type { CallSite } from '../flow/flow-result.js';
import type { Followed, ImageCode } from '../image/image-code.js';
import { argumentPlace } from '../flow/machine.js';
import { VALUE, type Values } from '../flow/values.js';

/** FLT_CONTEXT_REGISTRATION, and the ContextType that ends an array of them. */
const CONTEXT = {
  4: { size: 0x1c, tag: 0xc, allocate: 0x10 },
  8: { size: 0x38, tag: 0x18, allocate: 0x20 },
} as const;
const FLT_CONTEXT_END = 0xffff;
const MOST_CONTEXTS = 32;

/** The sets of the flow around a call that end as the allocator's tag. */
export function tagSets(code: ImageCode, followed: Followed, site: CallSite, allocator: Allocator): readonly number[] {
  const { structure } = allocator;
  if (allocator.tag < 0) return [];
  const place = argumentPlace(code.machine, allocator, allocator.tag);
  if (structure === undefined) return [site.argument(place)];
  const { values, uses } = followed.flow;
  const set = site.pointed(place, code.machine.pointerSize === 4 ? structure.offset32 : structure.offset64);
  if (allocator.contexts === true) return contextTags(code, followed, site, set);
  const sets = [set];
  for (const { kind, number } of values.of(set)) {
    // A structure in data that this function fills in.
    if (kind === VALUE.memory)
      for (const use of uses) if (use.kind === 'store' && use.place === number) sets.push(use.set);
  }
  return sets;
}

/** The tags of an array of context registrations in data; `set` is the pointer to it. */
function contextTags(code: ImageCode, { flow: { values } }: Followed, site: CallSite, set: number): number[] {
  return contextsAt(code, values, set).flatMap(({ tag, isOwn }) =>
    isOwn ? [] : [values.one(VALUE.memory, tag, site.at)],
  );
}

/** RVAs of tags of contexts that the driver allocates itself: whoever gets them with `allocator` takes no notice of them. */
export function ownContextTags(code: ImageCode, followed: Followed, site: CallSite, allocator: Allocator): number[] {
  const { structure, contexts } = allocator;
  if (structure === undefined || contexts !== true) return [];
  const place = argumentPlace(code.machine, allocator, allocator.tag);
  const set = site.pointed(place, code.machine.pointerSize === 4 ? structure.offset32 : structure.offset64);
  return contextsAt(code, followed.flow.values, set).flatMap(({ tag, isOwn }) => (isOwn ? [tag] : []));
}

/** The entries of an array of context registrations: where the tag of each stands. */
function contextsAt(code: ImageCode, values: Values, set: number): { tag: number; isOwn: boolean }[] {
  const { machine, module } = code;
  const layout = CONTEXT[machine.pointerSize];
  const found: { tag: number; isOwn: boolean }[] = [];
  for (const { kind, number } of values.of(set)) {
    const first = kind === VALUE.address ? number : kind === VALUE.memory ? code.pointerAt(number) : null;
    for (let i = 0; first !== null && i < MOST_CONTEXTS; i++) {
      const at = first + i * layout.size;
      const entry = at < 0 ? null : module.memory?.read(plus(module.base, at), layout.size);
      if (entry === null || entry === undefined || failed(entry)) break;
      if (u16(entry, 0) === FLT_CONTEXT_END) break;
      // With a function of its own the driver allocates contexts itself.
      found.push({ tag: at + layout.tag, isOwn: u32(entry, layout.allocate) !== 0 });
    }
  }
  return found;
}
