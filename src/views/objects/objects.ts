/** Kernel objects: how many there are of each type, and those of one type by name. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { ObjectsPart } from '../../result/object-parts.js';
import type { ObjectTypeInfo } from '../../result/result.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { counted, debuggerAddress, NOT_KNOWN, parseHex, thousands } from '../print/format.js';
import { createStyle, heading, wrap, type StyleOptions } from '../print/style.js';
import type { View } from '../view.js';
import { finish, tableLines, warningPart, type Around, type Column } from './parts.js';

/** The census of types, and the objects of one of them by name. */
export function renderObjects(
  given: Around & { objectTypes: readonly ObjectTypeInfo[] | null; objects: ObjectsPart | null },
  wanted: string | undefined,
  options: StyleOptions = {},
): string {
  const style = createStyle(options);
  const { objectTypes, objects } = given;
  if (objectTypes === null) return finish([[noFigures(given.dump, 'object type')], warningPart(given.warnings, style)]);
  if (wanted === undefined) {
    const rows = objectTypes
      .toSorted((a, b) => Number(b.objects) - Number(a.objects) || (a.type < b.type ? -1 : 1))
      .map((one) => [
        ...[
          thousands(one.objects),
          thousands(one.handles),
          thousands(one.objectsHighWater),
          thousands(one.handlesHighWater),
        ],
        ...[printable(one.tag), one.pool ?? NOT_KNOWN, printable(one.type)],
      ]);
    const columns: Column[] = [
      ...([
        ['Objects', 'right'],
        ['Handles', 'right'],
        ['Most objects', 'right'],
        ['Most handles', 'right'],
      ] as Column[]),
      ...([
        ['Tag', 'left'],
        ['Pool', 'left'],
        ['Type', 'left'],
      ] as Column[]),
    ];
    return finish([tableLines(columns, rows, style), warningPart(given.warnings, style)]);
  }
  if (objects === null) {
    const known = objectTypes.some(({ type }) => type.toLowerCase() === wanted.toLowerCase());
    const why = known
      ? 'No handle could be read, so no object of this type was found.'
      : `This kernel has no objects of a type ${printable(wanted)}.`;
    return finish([[why], warningPart(given.warnings, style)]);
  }
  const whole = objects.complete ? '' : ', and not all handles could be read: there may be more';
  const title = `${counted(objects.found, 'object')} of the type ${printable(objects.type)} that handles lead to${whole}; ${thousands(objects.unnamed)} without a name`;
  const wide = hasWideAddresses(given);
  const names = objects.names.map(({ name, objects: count, handles }) => [
    thousands(count),
    thousands(handles),
    printable(name),
  ]);
  const rows = objects.rows
    .slice(0, 40)
    .map((row) => [
      debuggerAddress(parseHex(row.object) ?? 0n, wide),
      ...[thousands(row.handles), thousands(row.pointerCount), thousands(row.beyondHandles), printable(row.name ?? '')],
    ]);
  return finish([
    wrap(title, style.width),
    names.length === 0
      ? []
      : tableLines(
          [
            ['Objects', 'right'],
            ['Handles', 'right'],
            ['Name', 'left'],
          ],
          names,
          style,
        ),
    rows.length === 0
      ? []
      : [
          heading('Those with most handles', style),
          ...tableLines(
            [
              ['Object', 'left'],
              ['Handles', 'right'],
              ['Pointers', 'right'],
              ['Beyond', 'right'],
              ['Name', 'left'],
            ],
            rows,
            style,
          ),
        ],
    warningPart(given.warnings, style),
  ]);
}

export const objects: View<
  { type?: string | undefined },
  DumpPart & { objectTypes: ObjectTypeInfo[] | null; objects: ObjectsPart | null }
> = {
  command: 'objects',
  shell: 'objects MEMORY.DMP',
  words: (words) => ({ type: words.length === 0 ? undefined : words.join(' ').replaceAll('"', '') }),
  read: async ({ opened, progress }, { type }) =>
    (await import('../../analysis/objects/inventory.js')).listObjects(opened, type, progress),
  text: (found, { type }, style) => renderObjects(found, type, style),
  json: ({ schemaVersion, dump, system, objectTypes, objects: part, warnings }) => ({
    ...{ schemaVersion, dump, system, objectTypes, objects: part, warnings },
  }),
};
