/**
 * The journal: an NDJSON file that is only ever appended to, and the truth about a history. A line counts once its line
 * feed is on the disk; a last line without one is what a killed run has left and counts for nothing. Every line ends with
 * a checksum of what stands before it, so that a damaged one is known as such, also where it can still be read: it is
 * left where it is and counts for nothing. Journals of version 1 have lines without; they are read, and gone on with. Only `rewrite`, for deleting, replaces the file, as a whole.
 */

import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openRegularFile } from '../../../parsers/files/regular-file.js';
import { errorCode } from '../../../parsers/files/system-errors.js';
import { asJournalLine, JOURNAL_VERSION, type Entry, type HeadEntry, type JournalLine } from '../inputs/entries.js';
import { HistoryError } from './history-error.js';
import { replaceFile, syncFolder, writeAll } from './replace-file.js';

const LINE_FEED = 10;
const CHUNK = 1 << 20;
/** No line is longer: a result with 50 rows has some 30 KB. Longer ones are damage. */
const LONGEST_LINE = 64 << 20;
const LONGEST_HEAD = 200;

/** A line and where it stands in the file, without its line feed. */
export interface ReadLine<T extends JournalLine = JournalLine> {
  /** Null for a damaged line. */
  line: T | null;
  offset: number;
  length: number;
}

export const journalPath = (folder: string): string => join(folder, 'journal.ndjson');

/**
 * The lines of a journal, in order. None where there is no file. It is open until the last line was taken or the loop was
 * left. Throws InputError for what is no file, and the platform's error.
 */
export function* readJournal(path: string): Generator<ReadLine> {
  let file: number;
  try {
    file = openRegularFile(path).descriptor;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    let pending = Buffer.alloc(0);
    let start = 0;
    let position = 0;
    let skipping = false;
    let sealing: boolean | null = null;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const count = readSync(file, chunk, 0, CHUNK, position);
      if (count === 0) return;
      position += count;
      let bytes = pending.length === 0 ? chunk.subarray(0, count) : Buffer.concat([pending, chunk.subarray(0, count)]);
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
        const text = bytes.subarray(0, end);
        sealing ??= !isHeadWithoutSeals(text);
        const line = skipping ? null : (parseLine(text) ?? (sealing ? null : unsealed(text)));
        yield { line, offset: start, length: position - bytes.length + end - start }; // prettier-ignore
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

/** What a line ends with: `,"crc":"0123abcd"}`. */
const SEAL = /^,"crc":"([0-9a-f]{8})"\}$/;
const SEAL_BYTES = ',"crc":"01234567"}'.length;

const checksum = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0');

/** An object as a line with its checksum and line feed. */
function sealed(value: JournalLine): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const body = text.subarray(0, -1);
  return Buffer.concat([body, Buffer.from(`,"crc":"${checksum(body)}"}\n`)]);
}

function parseLine(bytes: Buffer): JournalLine | null {
  const body = bytes.subarray(0, -SEAL_BYTES);
  const stated = SEAL.exec(bytes.toString('latin1', body.length))?.[1];
  if (stated === undefined || stated !== checksum(body)) return null;
  return parse(`${body.toString('utf8')}}`);
}

function parse(text: string): JournalLine | null {
  try {
    return asJournalLine(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The one line at a place that `readJournal` or `append` gave; null when it is not there any more. */
export function readLineAt(path: string, { offset, length }: { offset: number; length: number }): JournalLine | null {
  const bytes = bytesAt(path, offset, length);
  return bytes === null ? null : (parseLine(bytes) ?? (isWithoutSeals(path) ? unsealed(bytes) : null));
}

function isWithoutSeals(path: string): boolean {
  for (const { offset, length } of readJournal(path)) {
    const line = length > LONGEST_HEAD ? null : bytesAt(path, offset, length);
    return line !== null && isHeadWithoutSeals(line);
  }
  return false;
}

/** True for the first line of a journal of version 1, whose lines have no checksums. */
function isHeadWithoutSeals(line: Buffer): boolean {
  const head = line.length > LONGEST_HEAD ? null : unsealed(line);
  return head?.kind === 'journal' && head.version === 1;
}

function bytesAt(path: string, offset: number, length: number): Buffer | null {
  const { descriptor, byteLength } = openRegularFile(path);
  try {
    if (offset + length > byteLength) return null;
    const bytes = Buffer.alloc(length);
    return readSync(descriptor, bytes, 0, length, offset) === length ? bytes : null;
  } finally {
    closeSync(descriptor);
  }
}

/** The head of a journal; null where there is none, or a damaged one. Throws HistoryError for the journal of another dumpleak. */
export function readHead(path: string): HeadEntry | null {
  for (const { line, offset, length } of readJournal(path)) {
    const head = line ?? (length > LONGEST_HEAD ? null : unsealed(bytesAt(path, offset, length)));
    if (head?.kind !== 'journal') break;
    if (head.version > JOURNAL_VERSION) {
      throw new HistoryError(
        'not-supported',
        `${path} was written by a newer dumpleak (version ${head.version}): use that one`,
      );
    }
    // The head of the first version has no checksum, like its lines. What is appended to it has one.
    return line === null ? null : head;
  }
  return null;
}

/** A line without a checksum, as version 1 wrote them, or the head of a later version; not one whose checksum is wrong. */
function unsealed(bytes: Buffer | null): JournalLine | null {
  const text = bytes?.toString('utf8') ?? '';
  return text.includes('"crc"') ? null : parse(text);
}

/** An entry as its line, with the line feed. */
export const lineOf = (entry: Entry): Uint8Array => sealed(entry);

/** The entry of a line as `lineOf` gives it, with or without the line feed; null for a damaged one. */
export function entryOfLine(line: Uint8Array): Entry | null {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.at(-1) === LINE_FEED ? line.length - 1 : line.length);
  const found = parseLine(bytes);
  return found?.kind === 'journal' ? null : found;
}

/** A journal that is open for appending. Its owner holds the lock of the history. */
export class Journal {
  private constructor(
    readonly path: string,
    private readonly file: number,
    readonly head: HeadEntry,
    /** Damaged lines that were taken out when it was opened, since its head was one of them. */
    readonly takenOut: number,
    private end: number,
  ) {}

  /**
   * Opens the journal of a folder, made where there is none; cuts off a torn last line. One whose head is damaged gets
   * another. Throws HistoryError for a file that is no journal, InputError for what is no file.
   */
  static open(folder: string): Journal {
    mkdirSync(folder, { recursive: true });
    const path = journalPath(folder);
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined) closeSync(openRegularFile(path).descriptor);
    if ((there?.size ?? 0) === 0 || isTornHead(path)) start(path);
    let head = readHead(path);
    let takenOut = 0;
    if (head === null) {
      takenOut = withNewHead(path);
      head = readHead(path);
    }
    if (head === null) throw new HistoryError('other-format', `${path} is no journal of dumpleak: name another folder`);
    const file = openSync(path, 'r+');
    const size = fstatSync(file).size;
    const end = endOfLines(file, size);
    if (end < size) {
      ftruncateSync(file, end);
      fsyncSync(file);
    }
    return new Journal(path, file, head, takenOut, end);
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

const newHead = (): Uint8Array => sealed({ kind: 'journal', version: JOURNAL_VERSION, id: randomUUID() });

function start(path: string): void {
  replaceFile(path, [newHead()]);
  syncFolder(dirname(path));
}

/** A first line that never got its line feed. */
function isTornHead(path: string): boolean {
  if (statSync(path).size >= LONGEST_HEAD) return false;
  return [...readJournal(path)].length === 0;
}

/** Gives a journal whose head is damaged another one. Gives how many damaged lines went; 0 where no line shows that it is a journal. */
function withNewHead(path: string): number {
  let [whole, damaged] = [0, 0];
  for (const { line } of readJournal(path)) {
    if (line === null) damaged++;
    else whole++;
  }
  if (whole === 0) return 0;
  rewriteJournal(path, () => true);
  return damaged;
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
  function* kept(): Generator<Uint8Array> {
    yield newHead();
    for (const { line, offset } of readJournal(path)) {
      if (line !== null && line.kind !== 'journal' && stays(line, offset)) yield lineOf(line);
    }
  }
  replaceFile(path, kept());
}
