/**
 * The journal: an NDJSON file that is only ever appended to, and the truth about a history. A line counts once its line
 * feed is on the disk; a last line without one is what a killed run has left and counts for nothing. Only `rewrite`, for
 * deleting, replaces the file, as a whole.
 */

import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asJournalLine, JOURNAL_VERSION, type Entry, type HeadEntry, type JournalLine } from './entries.js';
import { replaceFile, syncFolder, writeAll } from './replace-file.js';

const LINE_FEED = 10;
const CHUNK = 1 << 20;
/** No line is longer: a result with 50 rows has some 30 KB. Longer ones are damage. */
const LONGEST_LINE = 64 << 20;

/** A line and where it stands in the file, without its line feed. */
export interface ReadLine<T extends JournalLine = JournalLine> {
  /** Null for a line that cannot be read. */
  line: T | null;
  offset: number;
  length: number;
}

export const journalPath = (folder: string): string => join(folder, 'journal.ndjson');

/** A journal that this program cannot go on with. The message is one line for the user. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

/** The lines of a journal from an offset on, in order. None where there is no file. */
export function* readJournal(path: string, from = 0): Generator<ReadLine> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  try {
    let pending = Buffer.alloc(0);
    let start = from;
    let position = from;
    let skipping = false;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const count = readSync(file, chunk, 0, CHUNK, position);
      if (count === 0) return;
      position += count;
      let bytes = pending.length === 0 ? chunk.subarray(0, count) : Buffer.concat([pending, chunk.subarray(0, count)]);
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
        yield { line: skipping ? null : parseLine(bytes.subarray(0, end)), offset: start, length: position - bytes.length + end - start }; // prettier-ignore
        start = position - bytes.length + end + 1;
        bytes = bytes.subarray(end + 1);
        skipping = false;
      }
      skipping ||= bytes.length > LONGEST_LINE;
      pending = skipping ? Buffer.alloc(0) : Buffer.from(bytes);
    }
  } finally {
    closeSync(file);
  }
}

function parseLine(bytes: Buffer): JournalLine | null {
  try {
    return asJournalLine(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
}

/** The one line at a place that `readJournal` or `append` gave; null when it is not there any more. */
export function readLineAt(path: string, { offset, length }: { offset: number; length: number }): JournalLine | null {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return readSync(file, bytes, 0, length, offset) === length ? parseLine(bytes) : null;
  } finally {
    closeSync(file);
  }
}

/** The head of a journal; null where there is none. Throws JournalError for the journal of a newer dumpleak. */
export function readHead(path: string): HeadEntry | null {
  for (const { line } of readJournal(path)) {
    if (line?.kind !== 'journal') break;
    if (line.version > JOURNAL_VERSION) {
      throw new JournalError(`${path} was written by a newer dumpleak (version ${line.version}): use that one`);
    }
    return line;
  }
  return null;
}

/** An entry as its line, with the line feed. */
export const lineOf = (entry: Entry): Uint8Array => Buffer.from(`${JSON.stringify(entry)}\n`);

/** A journal that is open for appending. Its owner holds the lock of the history. */
export class Journal {
  private constructor(
    readonly path: string,
    private readonly file: number,
    readonly head: HeadEntry,
    private end: number,
  ) {}

  /**
   * Opens the journal of a folder, made where there is none; cuts off a torn last line. Throws JournalError for a file
   * that is no journal.
   */
  static open(folder: string): Journal {
    mkdirSync(folder, { recursive: true });
    const path = journalPath(folder);
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0 || isTornHead(path)) start(path);
    const head = readHead(path);
    if (head === null) throw new JournalError(`${path} is no journal of dumpleak: name another folder`);
    const file = openSync(path, 'r+');
    const size = fstatSync(file).size;
    const end = endOfLines(file, size);
    if (end < size) {
      ftruncateSync(file, end);
      fsyncSync(file);
    }
    return new Journal(path, file, head, end);
  }

  /** Appends an entry, or its line. When this returns it is on the disk; when it throws, no part of it stays. */
  append(entry: Entry | Uint8Array): { offset: number; length: number } {
    const bytes = entry instanceof Uint8Array ? entry : lineOf(entry);
    const offset = this.end;
    try {
      writeAll(this.file, bytes, offset);
      fsyncSync(this.file);
    } catch (error) {
      ftruncateSync(this.file, offset);
      throw error;
    }
    this.end = offset + bytes.length;
    return { offset, length: bytes.length - 1 };
  }

  close(): void {
    closeSync(this.file);
  }
}

const headText = (): string =>
  `${JSON.stringify({ kind: 'journal', version: JOURNAL_VERSION, id: randomUUID() } satisfies HeadEntry)}\n`;

function start(path: string): void {
  replaceFile(path, [headText()]);
  syncFolder(dirname(path));
}

/** A first line that never got its line feed. */
function isTornHead(path: string): boolean {
  const size = statSync(path).size;
  return size < 200 && readJournal(path).next().done === true;
}

/** Where the last whole line ends. */
function endOfLines(file: number, size: number): number {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let end = size; end > 0;) {
    const from = Math.max(0, end - CHUNK);
    const count = readSync(file, chunk, 0, end - from, from);
    const found = chunk.subarray(0, count).lastIndexOf(LINE_FEED);
    if (found >= 0) return from + found + 1;
    end = from;
  }
  return 0;
}

/** Replaces a journal by the lines that are to stay, under a new id. Lines that cannot be read go. The caller holds the lock. */
export function rewriteJournal(path: string, stays: (entry: Entry, offset: number) => boolean): void {
  function* kept(): Generator<string | Uint8Array> {
    yield headText();
    for (const { line, offset } of readJournal(path)) {
      if (line !== null && line.kind !== 'journal' && stays(line, offset)) yield lineOf(line);
    }
  }
  replaceFile(path, kept());
}
