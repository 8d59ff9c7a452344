/** Who holds the objects of a type, and what has ended and is still there, as lines. */

import { printable } from '../../../parsers/text-safety.js';
import type { Holders, Suspect } from '../../result/result.js';
import { counted, percent, thousands, utc } from './format.js';
import { bullets, fit, pairs, wrap, type Style } from './style.js';

const MOST_PROCESSES = 5;
const MOST_TARGETS = 4;
const MOST_GROUPS = 5;

/** The lines of a suspect whose tag is an object type's. */
export function holderLines({ holders }: Suspect, style: Style): string[] {
  if (!holders) return [];
  const lines = [`  Objects of the type ${printable(holders.type)}`, ...pairs(figures(holders), style, '    ')];
  if (!holders.complete) {
    const loss =
      'Not every handle could be read: the dump lacks pages of handle tables. Others may hold more than is said here.';
    lines.push(...bullets([loss], style, '-', '    '));
  }
  lines.push(...processLines(holders, style), ...endedLines(holders, style));
  return lines;
}

function figures(holders: Holders): [string, string][] {
  const { objects, handles, withoutHandle, unreadable, references } = holders;
  const rows: [string, string][] = [
    ['Objects', `${thousands(objects)}, with ${counted(handles, 'handle')} to them`],
    [
      'No handle',
      withoutHandle === null
        ? 'not known: not all handles could be read'
        : `leads to ${thousands(withoutHandle)} of them`,
    ],
  ];
  if (Number(unreadable) > 0)
    rows.push([
      'Unreadable',
      `the objects of ${counted(unreadable, 'handle')} are not in the dump: some may be of this type`,
    ]);
  if (references !== null && Number(references.objects) > 0) {
    rows.push([
      'References',
      `${counted(references.objects, 'object')} of those with handles ${Number(references.objects) === 1 ? 'has' : 'have'} ${thousands(references.beyondHandles)} more references than handles explain`,
    ]);
  }
  return rows;
}

function processLines({ processes }: Holders, style: Style): string[] {
  if (processes.length === 0) return ['    Held by handles of no process.'];
  const lines = ['    Held by handles of'];
  for (const { pid, image, handles, objects, share, looked, targets } of processes.slice(0, MOST_PROCESSES)) {
    const different = objects === null ? '' : ` to ${counted(objects, 'object')}`;
    lines.push(
      ...wrap(
        `${processName({ pid, image })}: ${counted(handles, 'handle')}${different}, ${percent(share)} of all`,
        style.width,
        '      ',
        '        ',
      ),
    );
    const names = targets
      .slice(0, MOST_TARGETS)
      .map(({ name, count }) => `${fit(printable(name), 70, style)} (${thousands(count)})`);
    const part = Number(looked) < Number(handles) ? `, of ${thousands(looked)} that were looked at` : '';
    if (names.length > 0) lines.push(...wrap(`to ${names.join(', ')}${part}`, style.width, '        ', '          '));
  }
  const more = processes.length - MOST_PROCESSES;
  if (more > 0)
    lines.push(`      and ${counted(more, 'more process', 'more processes')}: with --json or "dumpleak holders"`);
  return lines;
}

function endedLines({ ended }: Holders, style: Style): string[] {
  if (ended.length === 0) return [];
  const lines = ['    Ended, and still there'];
  for (const { image, parentImage, parentPid, count, firstExit, lastExit } of ended.slice(0, MOST_GROUPS)) {
    const parent =
      parentPid === null
        ? ''
        : parentImage === null
          ? `, started by pid ${String(parentPid)}, which is gone`
          : `, started by ${processName({ pid: parentPid, image: parentImage })}`;
    const when = firstExit === null || lastExit === null ? '' : `, from ${utc(firstExit)} to ${utc(lastExit)}`;
    lines.push(...wrap(`${printable(image)}: ${thousands(count)}${parent}${when}`, style.width, '      ', '        '));
  }
  const more = ended.length - MOST_GROUPS;
  if (more > 0) lines.push(`      and ${counted(more, 'more group')}: with --json`);
  return lines;
}

/** `watchman.exe (pid 4324)` */
export function processName({ pid, image }: { pid: number | string; image: string }): string {
  return `${image === '' ? 'a process without a name' : printable(image)} (pid ${String(pid)})`;
}
