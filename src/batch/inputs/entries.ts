/** What a history consists of: the lines of its journal, one object each. */

import type { AnalysisResult, Hex } from '../../result/result.js';
import { asCurrent } from '../../result/stored.js';

/** A result as a batch keeps it: without modules, with the first rows of its tags. */
export type BatchResult = Omit<AnalysisResult, 'modules'>;

/** What tells machines apart, as far as a dump shows it. */
export interface MachineFacts {
  /** As the user says (the folder of the dump), else as the dump says; null where neither does. */
  name: string | null;
  /** Who says the name. */
  nameFrom: 'folder' | 'dump' | null;
  /** System time less up time, milliseconds since 1970. */
  bootTime: number | null;
  /** Hash of where the kernel and the boot drivers were loaded, and of the hardware: the same only within one boot. */
  bootImage: string | null;
  /** Hash of the size of memory, the number of processors and the architecture. */
  hardware: string | null;
}

/** A driver that was loaded. */
export interface DriverFact {
  name: string;
  /** Of its image; journals of earlier versions do not have it. */
  base?: Hex | undefined;
  version: string | null;
  company: string | null;
  timeDateStamp: string | null;
}

/** Where a dump was found. `member` is its name in an archive of several files. */
export interface Place {
  path: string;
  member: string | null;
}

/** First line of a journal. */
export interface HeadEntry {
  kind: 'journal';
  version: number;
  /** New whenever the journal is written anew: whoever has read the old one must read again. */
  id: string;
}

/** A dump that was analyzed. */
export interface DumpEntry extends Place {
  kind: 'dump';
  /** When, ISO 8601. */
  at: string;
  /** Identity of the file's bytes, with the member's name in an archive. */
  fileId: string;
  /** Identity of the dump's bytes, whatever they came wrapped in. */
  id: string;
  /** Identity of the dump's header alone. */
  headerId: string;
  machine: MachineFacts;
  drivers: DriverFact[];
  result: BatchResult;
}

/** A file that could not be analyzed. */
export interface FailureEntry extends Place {
  kind: 'failure';
  at: string;
  /** Null where the file could not even be read. */
  fileId: string | null;
  /** Nobody said that it is a dump, and it is none. */
  passed: boolean;
  error: { code: string; message: string };
}

/** A file with the same bytes as one that is known. */
export interface CopyEntry extends Place {
  kind: 'copy';
  at: string;
  fileId: string;
}

export type Entry = DumpEntry | FailureEntry | CopyEntry;
export type JournalLine = HeadEntry | Entry;

/** Version of the lines that this program writes. 2: each line has a checksum. */
export const JOURNAL_VERSION = 2;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';

/** The line that a parsed JSON value is; null for anything else. */
export function asJournalLine(value: unknown): JournalLine | null {
  if (!isObject(value)) return null;
  if (value['kind'] === 'journal')
    return typeof value['id'] === 'string' && typeof value['version'] === 'number'
      ? (value as unknown as HeadEntry)
      : null;
  const { path, member, at, fileId } = value;
  if (typeof path !== 'string' || typeof at !== 'string' || !isTextOrNull(member) || !isTextOrNull(fileId)) return null;
  switch (value['kind']) {
    case 'dump':
      return isDump(value) ? current(value as unknown as DumpEntry) : null;
    case 'failure': {
      const { error } = value;
      const known = isObject(error) && typeof error['code'] === 'string' && typeof error['message'] === 'string';
      return known ? (value as unknown as FailureEntry) : null;
    }
    case 'copy':
      return fileId === null ? null : (value as unknown as CopyEntry);
    default:
      return null;
  }
}

/** With its result as this version has results. */
const current = (entry: DumpEntry): DumpEntry => ({ ...entry, result: asCurrent(entry.result) });

/** Pages are called by ids: one with a folder in it would lead elsewhere. */
export const PLAIN_ID = /^\w[\w.-]{0,99}$/;

function isDump(value: Fields): boolean {
  const { id, fileId, headerId, machine, drivers, result } = value;
  return (
    [fileId, headerId].every((text) => typeof text === 'string') &&
    typeof id === 'string' &&
    PLAIN_ID.test(id) &&
    isObject(machine) &&
    Array.isArray(drivers) &&
    isObject(result) &&
    isObject(result['dump']) &&
    isObject(result['verdict']) &&
    Array.isArray(result['suspects'])
  );
}

/** The place as one text: `share/dumps.zip/MEMORY.DMP`. */
export function placeText({ path, member }: Place): string {
  return member === null ? path : `${path}/${member}`;
}
