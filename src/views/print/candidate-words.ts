/** Who could be behind a tag of Windows, in words: a title, a line a driver, and what is not known. */

import { printable } from '../../../parsers/text-safety.js';
import type { Candidate, CandidateArea, CandidateRole, Candidates } from '../../result/result.js';
import { counted } from './format.js';

/** Drivers that are no part of Windows, with a line each; parts of Windows, by name; unread ones, by name. */
const MOST_OTHERS = 12;
const MOST_WINDOWS = 12;
const MOST_UNREAD = 6;

const AREAS: Readonly<Record<CandidateArea, string>> = {
  'file-system': 'filter file systems',
  network: 'filter or serve the network',
  registry: 'are called for each access to the registry',
  processes: 'are called for processes, threads and images',
};

const ROLES: Readonly<Record<CandidateRole, string>> = {
  'file-system-filter': 'file system filter',
  'legacy-file-system-filter': 'file system filter of the old kind',
  'wfp-callout': 'network filter (WFP callouts)',
  'ndis-filter': 'network filter (NDIS)',
  'ndis-protocol': 'network protocol (NDIS)',
  'ndis-miniport': 'network adapter (NDIS)',
  'registry-callback': 'registry callback',
  'process-callback': 'process callback',
  'thread-callback': 'thread callback',
  'image-callback': 'image callback',
  'object-callback': 'object callback',
};

/** Over the lines. */
export function candidatesTitle({ area }: Candidates): string {
  return `Could be behind it: drivers that ${AREAS[area]}. None is accused by being loaded`;
}

/** The lines, each a sentence or a driver. Empty where there is neither a driver nor one whose imports are missing. */
export function candidateWords({ drivers, unread, unreadCount }: Candidates): string[] {
  const own = drivers.filter(isShownAlone);
  const windows = drivers.filter((driver) => !isShownAlone(driver)).map(({ module }) => module);
  const lines = own.slice(0, MOST_OTHERS).map(lineOf);
  if (own.length > MOST_OTHERS) lines.push(`and ${counted(own.length - MOST_OTHERS, 'more driver')}: with --json`);
  if (windows.length > 0) lines.push(`parts of Windows: ${names(windows, windows.length, MOST_WINDOWS)}`);
  if (unreadCount > 0) {
    const what = names(unread, unreadCount, MOST_UNREAD);
    lines.push(`not known of ${what}: the imports of ${unreadCount === 1 ? 'it' : 'these'} are not in the dump`);
  }
  return lines;
}

/** Parts of Windows are named together, unless something leads to one. */
const isShownAlone = ({ windows, because }: Candidate): boolean => !windows || because !== null;

function lineOf({ module, company, version, roles, altitude, instances, because }: Candidate): string {
  const about = [version, company].filter((part) => part !== null);
  const placed = [
    altitude === null ? null : `altitude ${altitude}`,
    instances === null ? null : counted(instances, 'volume'),
  ].filter((part) => part !== null);
  const is = [...roles.map((role) => ROLES[role]), ...placed].join(', ');
  const what = `${module}${about.length === 0 ? '' : ` (${about.join(', ')})`}: ${is}`;
  return printable(because === null ? what : `${what}; ${because}`);
}

function names(all: readonly string[], count: number, most: number): string {
  const shown = all.slice(0, most).map(printable).join(', ');
  const more = count - Math.min(all.length, most);
  return more > 0 ? `${shown} and ${more} more` : shown;
}
