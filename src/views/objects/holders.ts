/** Who holds the objects under a tag. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { TagHolders } from '../../result/object-parts.js';
import type { ObjectTypeInfo } from '../../result/result.js';
import { typedTag } from '../../result/tag.js';
import { noFigures } from '../print/dump-kind.js';
import { holderLines } from '../print/holder-lines.js';
import { createStyle, wrap, type StyleOptions } from '../print/style.js';
import type { View } from '../view.js';
import { noTag, unquoted } from '../words.js';
import { finish, warningPart, type Around } from './parts.js';

/** Who holds the objects under a tag. */
export function renderHolders(
  given: Around & { objectTypes: readonly ObjectTypeInfo[] | null; holdersOf: TagHolders | null },
  tag: string,
  options: StyleOptions = {},
): string {
  const style = createStyle(options);
  const { holdersOf, objectTypes } = given;
  if (holdersOf === null) {
    const why =
      objectTypes === null
        ? noFigures(given.dump, 'object type')
        : objectTypes.some((type) => type.tag.trim() === tag.trim())
          ? 'No handle could be read from this dump.'
          : `No type of objects has the tag ${printable(tag)}; "dumpleak objects" lists those that have one.`;
    return finish([wrap(why, style.width), warningPart(given.warnings, style)]);
  }
  const { holders, says } = holdersOf;
  return finish([
    wrap(`Tag ${printable(holdersOf.tag)}: ${printable(says)}`, style.width),
    holderLines({ holders } as Parameters<typeof holderLines>[0], style),
    warningPart(given.warnings, style),
  ]);
}

interface TagWanted {
  /** As it was typed. */
  tag: string;
  key: number;
}

export const holders: View<
  TagWanted,
  DumpPart & { objectTypes: ObjectTypeInfo[] | null; holdersOf: TagHolders | null }
> = {
  command: 'holders',
  shell: 'holders MEMORY.DMP',
  words: ([word = '', ...more]) => {
    const tag = unquoted(word);
    const key = more.length > 0 ? null : typedTag(tag);
    return key === null ? { error: noTag(tag) } : { tag, key };
  },
  read: async ({ opened, progress }, { key }) =>
    (await import('../../analysis/objects/inventory.js')).listHolders(opened, key, progress),
  text: (found, { tag }, style) => renderHolders(found, tag, style),
  json: ({ schemaVersion, dump, system, holdersOf, warnings }) => ({
    ...{ schemaVersion, dump, system, holdersOf, warnings },
  }),
};
