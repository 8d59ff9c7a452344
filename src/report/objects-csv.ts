/** Tables of the commands about objects, for spreadsheets. */

import type { HandlesPart, ObjectsPart, TagHolders } from '../result/object-parts.js';
import type { ObjectTypeInfo, ProcessList } from '../result/result.js';
import { OBJECT_TYPE, PROCESS } from '../result/shape-machine.js';
import { table } from './csv.js';
import { cellsOf, columnsOf, namesOf } from './csv-columns.js';

const OF_PROCESS = columnsOf(PROCESS);
const OF_TYPE = columnsOf(OBJECT_TYPE);

export function processesCsv(processes: ProcessList | null): string {
  return table(
    '',
    namesOf(OF_PROCESS),
    (processes?.rows ?? []).map((row) => cellsOf(OF_PROCESS, row)),
  ).text;
}

/** One row a handle where they are listed, else one a process and type. */
export function handlesCsv(handles: HandlesPart | null): string {
  if (handles?.rows) {
    const columns = [
      'pid',
      'image',
      'handle',
      'object',
      'header',
      'type',
      'access',
      'handleCount',
      'pointerCount',
      'name',
    ];
    return table(
      '',
      columns,
      handles.rows.map((row) => [
        ...[row.pid, row.image, row.handle, row.object, row.header, row.type, row.access],
        ...[row.handleCount, row.pointerCount, row.name],
      ]),
    ).text;
  }
  const rows = (handles?.processes ?? []).flatMap(({ pid, image, ended, complete, types }) =>
    types.map((one) => [pid, image, ended, complete, one.type, one.handles, one.objects]),
  );
  return table('', ['pid', 'image', 'ended', 'complete', 'type', 'handles', 'objects'], rows).text;
}

/** The census, or the names of one type's objects. */
export function objectsCsv(types: readonly ObjectTypeInfo[] | null, objects: ObjectsPart | null): string {
  if (objects === null)
    return table(
      '',
      namesOf(OF_TYPE),
      (types ?? []).map((row) => cellsOf(OF_TYPE, row)),
    ).text;
  const rows = objects.names.map(({ name, objects: count, handles }) => [objects.type, name, count, handles]);
  return table('', ['type', 'name', 'objects', 'handles'], rows).text;
}

export function holdersCsv(given: TagHolders | null): string {
  const rows = (given?.holders.processes ?? []).map(({ pid, image, handles, objects, share, targets }) => [
    ...[given?.tag ?? null, given?.holders.type ?? null, pid, image, handles, objects, share],
    targets.map(({ name, count }) => `${name} (${String(count)})`).join('; '),
  ]);
  return table('', ['tag', 'type', 'pid', 'image', 'handles', 'objects', 'share', 'targets'], rows).text;
}
