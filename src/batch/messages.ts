/** What a batch and its workers say to each other. */

import type { KnownIssueEntry } from '../leak/known-issues.js';
import type { Entry } from './inputs/entries.js';
import type { DumpNote } from './outputs/summary.js';

/** What all analyses of a batch have in common; plain data, as it goes to another process. */
export interface AnalysisSettings {
  /** Lists that describe tags. */
  pooltag: readonly string[];
  /** Folders of driver files for pages that dumps lack. */
  images: readonly string[];
  /** Files of known leaks, beside the built-in ones. */
  knownIssues: readonly string[];
  /** What is in them, and the built-in ones. */
  issues: readonly KnownIssueEntry[];
  /** Where symbols are looked for; null for nowhere but in the package. */
  symbols: {
    path: readonly string[];
    servers: readonly string[];
    profiles: readonly string[];
    offline: boolean;
    allowRedirects: boolean;
  } | null;
  /** Most bytes that a dump may unpack to. */
  mostBytes: number | null;
  /** The folder that a dump lies in is the name of its machine. */
  machineByFolder: boolean;
  /** Key of pseudonyms, hexadecimal; null where names stay. */
  redactKey: string | null;
  /** Where a worker leaves the pages that it made; null for none. */
  pages: string | null;
}

/** Tells the identity of a file, and the dumps in it where it is an archive. */
export interface IdentifyTask {
  kind: 'identify';
  path: string;
}

export interface AnalyzeTask {
  kind: 'analyze';
  path: string;
  member: string | null;
  fileId: string;
  /** The path that is told, where it is another than that of the file on this host. */
  shownPath?: string | undefined;
  /** In place of the setting. */
  machineByFolder?: boolean | undefined;
}

/** The path of a task's file for messages and results. */
export const shownPathOf = (task: Task): string =>
  task.kind === 'analyze' ? (task.shownPath ?? task.path) : task.path;

export type Task = IdentifyTask | AnalyzeTask;

export interface Identified {
  kind: 'identify';
  fileId: string;
  /** Names of the dumps in an archive; null for a file that holds one. */
  members: string[] | null;
  /** It is the header of a dump that says that the file should be longer. */
  cut: boolean;
}

export interface Analyzed {
  kind: 'analyze';
  /** The line for the journal, with its line feed. */
  line: Uint8Array;
  /** What is kept of it in memory. */
  note: DumpNote;
  /** The file ends before the dump does. */
  truncated: boolean;
  elapsedMs: number;
  /** Path of the temporary file that the page was written to; null where none is wanted. */
  page: string | null;
}

/** The report cannot be written: no other dump's can either. */
export interface Unwritten {
  kind: 'unwritten';
  code: string | undefined;
  path: string | undefined;
  message: string;
}

export interface Failed {
  kind: 'failed';
  error: Extract<Entry, { kind: 'failure' }>['error'];
  /** An error of the program, with its stack, not of the dump. */
  internal: boolean;
}

/** From the batch. */
export type ToWorker =
  { kind: 'start'; settings: AnalysisSettings; memoryBytes: number } | { kind: 'task'; task: Task };

/** From a worker. */
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'step'; step: string; done: number; total: number }
  | { kind: 'done'; outcome: Identified | Analyzed | Failed | Unwritten; rssBytes: number };

/** What a worker writes to stderr before it ends itself. */
export const MEMORY_LIMIT_LINE = 'dumpleak-worker: memory limit reached';
