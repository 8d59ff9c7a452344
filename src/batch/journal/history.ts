/** A history as its journal tells it: what every line means beside the others, whatever order they were written in. */

import { naturalOrder } from '../../growth/read/file-names.js';
import { placeText, type DumpEntry, type Entry, type FailureEntry, type Place } from '../inputs/entries.js';
import { journalPath, readHead, readJournal, readLineAt } from './journal.js';
import { noteOf, type DumpNote, type Summary } from '../outputs/summary.js';

/** A dump as it is known. */
export interface DumpRecord {
  id: string;
  fileId: string;
  /** When its line was written, ISO 8601. */
  at: string;
  /** Where it lies: of several places, the first in natural order. */
  place: string;
  /** All places where it was seen. */
  places: string[];
  /** Where its line stands in the journal. */
  offset: number;
  length: number;
  summary: Summary;
}

/** A file that could not be read. */
export interface FailureRecord {
  place: string;
  at: string;
  code: string;
  message: string;
}

/** What is known of a file by its bytes. */
export type Known = 'dump' | 'failure' | 'passed';

/** Failures of reading rather than of the file: the next run tries again. */
const PASSING = new Set(['io', 'in-use', 'access-denied', 'not-found']);

/** Whether a failure is of reading rather than of the file, so that it says nothing for good. */
export const isPassingFailure = (code: string): boolean => PASSING.has(code);

/** Numbers of damaged lines that are said. */
const MOST_NUMBERS = 8;

/** What is to be said of damaged lines of a journal, in one line; null where there are none. */
export function damageText(path: string, damaged: readonly number[]): string | null {
  if (damaged.length === 0) return null;
  const lines = damaged.slice(0, MOST_NUMBERS).join(', ') + (damaged.length > MOST_NUMBERS ? ', ...' : '');
  return damaged.length === 1
    ? `${path}: line ${lines} is damaged and set aside; a batch reads what it told of again`
    : `${path}: ${damaged.length} lines are damaged and set aside (${lines}); a batch reads what they told of again`;
}

/** The line as it is kept; null where it is not what this program writes, whatever its checksum says. */
function kept(entry: Entry): Exclude<Entry, { kind: 'dump' }> | DumpNote | null {
  try {
    return entry.kind === 'dump' ? noteOf(entry) : entry;
  } catch {
    return null;
  }
}

interface Line {
  /** Counts the lines: a later one knows better. */
  order: number;
  place: string;
  at: string;
  offset: number;
  length: number;
}
interface DumpLine extends Line {
  id: string;
  fileId: string;
  headerId: string;
  summary: Summary;
}
interface FailureLine extends Line {
  fileId: string | null;
  passed: boolean;
  code: string;
  message: string;
}

export class History {
  /** Damaged lines of the journal, by number: what they told of is not known. */
  readonly damaged: number[] = [];
  private order = 0;
  /** By identity of the file: the last one counts. */
  private readonly dumps = new Map<string, DumpLine>();
  private readonly failures = new Map<string, FailureLine>();
  private readonly copies = new Map<string, Map<string, Line>>();
  /** The last line that tells of a place. */
  private readonly places = new Map<string, Line & { headerId: string | null }>();

  /** All lines: of which dump, or of which file. */
  private readonly told: { id: string | null; fileId: string | null; offset: number }[] = [];

  constructor(readonly path: string) {}

  /**
   * Reads the journal of a folder; an empty history where there is none. Damaged lines are set aside. Throws HistoryError,
   * and InputError for what is no file.
   */
  static load(folder: string): History {
    const history = new History(journalPath(folder));
    readHead(history.path);
    let number = 0;
    for (const { line, offset, length } of readJournal(history.path)) {
      number++;
      if (line?.kind === 'journal') continue;
      const entry = line === null ? null : kept(line);
      if (entry === null) history.damaged.push(number);
      else history.add(entry, offset, length);
    }
    return history;
  }

  /** What is to be said of the damaged lines, in one line; null where there are none. */
  get damage(): string | null {
    return damageText(this.path, this.damaged);
  }

  /** Takes a line that stands at a place in the journal. */
  add(entry: Entry | DumpNote, offset: number, length: number): void {
    const place = placeText(entry);
    this.told.push({ id: entry.kind === 'dump' ? entry.id : null, fileId: entry.fileId, offset });
    const line: Line = { order: this.order++, place, at: entry.at, offset, length };
    if (entry.kind === 'dump') this.addDump('summary' in entry ? entry : noteOf(entry), line);
    else if (entry.kind === 'failure') this.addFailure(entry, line);
    else {
      const known = this.copies.get(entry.fileId) ?? new Map<string, Line>();
      this.copies.set(entry.fileId, known.set(place, line));
      this.places.set(place, { ...line, headerId: null });
    }
  }

  private addDump({ id, fileId, headerId, summary }: DumpNote, line: Line): void {
    const before = this.places.get(line.place);
    // The same crash at the same place in another state: it was still being copied, or was damaged.
    if (before?.headerId === headerId) this.forgetAt(line.place, headerId);
    this.dumps.set(fileId, { ...line, id, fileId, headerId, summary });
    this.failures.delete(fileId);
    this.places.set(line.place, { ...line, headerId });
  }

  private forgetAt(place: string, headerId: string): void {
    for (const [fileId, dump] of this.dumps) {
      if (dump.place === place && dump.headerId === headerId) this.dumps.delete(fileId);
    }
  }

  private addFailure(entry: FailureEntry, line: Line): void {
    const { fileId, passed, error } = entry;
    this.places.set(line.place, { ...line, headerId: null });
    // A dump that was read once is read: a later attempt that failed takes nothing away.
    if (fileId !== null && this.dumps.has(fileId)) return;
    this.failures.set(fileId ?? `place ${line.place}`, { ...line, fileId, passed, ...error });
  }

  /** What is known of a file; null for one to be read. */
  known(fileId: string): Known | null {
    if (this.dumps.has(fileId)) return 'dump';
    const failure = this.failures.get(fileId);
    if (failure === undefined || isPassingFailure(failure.code)) return null;
    return failure.passed ? 'passed' : 'failure';
  }

  /** Whether the last that is known of a place is this very failure. */
  failedAlike(place: Place, fileId: string | null, { code, message }: FailureEntry['error']): boolean {
    const text = placeText(place);
    const before = this.failures.get(fileId ?? `place ${text}`);
    return before?.code === code && before.message === message && this.places.get(text)?.order === before.order;
  }

  /** Whether a file is known to lie at a place. */
  knownAt(fileId: string, place: Place): boolean {
    const text = placeText(place);
    const first = this.dumps.get(fileId) ?? this.failures.get(fileId);
    return first?.place === text || this.copies.get(fileId)?.has(text) === true;
  }

  /** The dumps, each once, in natural order of their places. */
  records(): DumpRecord[] {
    const byId = new Map<string, { first: DumpLine; places: Set<string> }>();
    for (const dump of this.dumps.values()) {
      const places = [dump.place, ...(this.copies.get(dump.fileId)?.keys() ?? [])];
      const known = byId.get(dump.id);
      if (known === undefined) byId.set(dump.id, { first: dump, places: new Set(places) });
      else {
        for (const place of places) known.places.add(place);
        if (naturalOrder(dump.place, known.first.place) < 0) known.first = dump;
      }
    }
    return [...byId.values()]
      .map(({ first, places }): DumpRecord => {
        const { id, fileId, at, offset, length, summary } = first;
        const sorted = [...places].sort(naturalOrder);
        return { id, fileId, at, place: sorted[0] ?? first.place, places: sorted, offset, length, summary };
      })
      .sort((a, b) => naturalOrder(a.place, b.place) || (a.id < b.id ? -1 : 1));
  }

  /** Identities of the files that were read as these dumps. */
  filesOf(ids: ReadonlySet<string>): Set<string> {
    return new Set([...this.dumps.values()].filter(({ id }) => ids.has(id)).map(({ fileId }) => fileId));
  }

  /** Where the lines stand that tell of these dumps alone: their own, those of their files and of copies. */
  linesOf(records: readonly DumpRecord[]): number[] {
    const ids = new Set(records.map(({ id }) => id));
    const files = this.filesOf(ids);
    return this.told.flatMap(({ id, fileId, offset }) =>
      (id === null ? fileId !== null && files.has(fileId) : ids.has(id)) ? [offset] : [],
    );
  }

  /** The files that could not be read and lie where they were, in natural order. */
  failed(): FailureRecord[] {
    return [...this.failures.values()]
      .filter(({ passed, place, order }) => !passed && this.places.get(place)?.order === order)
      .map(({ place, at, code, message }) => ({ place, at, code, message }))
      .sort((a, b) => naturalOrder(a.place, b.place));
  }

  /** The line of a dump, from the journal; null when it is not there any more. */
  entryOf({ offset, length }: DumpRecord): DumpEntry | null {
    const line = readLineAt(this.path, { offset, length });
    return line?.kind === 'dump' ? line : null;
  }
}
