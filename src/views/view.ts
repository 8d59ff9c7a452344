/**
 * What a view is: one part of a dump, or of what is known of tags, as the debugger or our own tables show it. A command of the
 * shell, the debugger's part of the report and a prompt are adapters of views: what is printed is written here and once.
 * `registry.ts` lists them.
 */

import type { TagDescriptions } from '../kernel/pool/tag-descriptions.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import type { Warning } from '../result/result.js';
import type { StyleOptions } from './print/style.js';

/** Lists of tags, and what is to be said of those that cannot be read. */
export interface TagLists {
  readonly descriptions: TagDescriptions;
  readonly warnings: readonly Warning[];
}

/** What a view of a dump reads. */
export interface DumpSource {
  readonly opened: OpenedDump;
  /** The built-in list alone when left out. */
  readonly lists?: TagLists | undefined;
  readonly progress?: ((step: string, done: number, total: number) => void) | undefined;
  /** Asked now and then by what may take long: true ends the reading, and the result says that it ended early. */
  readonly stopped?: (() => boolean) | undefined;
}

/** Words that a view cannot read, and why, for the user. */
export interface WrongWords {
  readonly error: string;
}

/**
 * `Wanted` is what words ask for, `Result` what was read: plain data, of which text and JSON are functions. A view whose
 * text the report shows takes a whole AnalysisResult for its `Result`.
 */
export interface View<Wanted, Result, Source = DumpSource> {
  /** The debugger's name for it, or ours where the debugger has none. */
  readonly command: string;
  /** The command line that shows it, without `dumpleak`. */
  readonly shell: string;
  /** Reads the words after the command as the debugger does. */
  words(words: readonly string[]): Wanted | WrongWords;
  /** Throws InputError for a dump that holds nothing of the kind. What needs much code is loaded here. */
  read(source: Source, wanted: Wanted): Promise<Result>;
  /** Ended by a line feed. */
  text(result: Result, wanted: Wanted, style?: StyleOptions): string;
  /** The object that is written as JSON. */
  json(result: Result, wanted: Wanted): object;
}

/** A view of so many rows that they are shown as they are found. */
export interface StreamedView<Wanted, Result, End> extends View<Wanted, Result> {
  /** The text in pieces; together they are `text` of what `read` gives. What is known at the end is returned. */
  pieces(source: DumpSource, wanted: Wanted): AsyncGenerator<string, End>;
}

/** A view whose own types no longer matter: what its `words` and `read` give goes to its other functions alone. */
export type AnyView = View<unknown, unknown, never>;

/** Whether words were read. */
export function isWrong(wanted: unknown): wanted is WrongWords {
  return typeof wanted === 'object' && wanted !== null && 'error' in wanted;
}
