/** The commands of `dumpleak history` that ask: dumps, groups, machines, a word, SQL, everything. */

import { resolve } from 'node:path';
import { isHistoryError } from '../../../batch/journal/history-error.js';
import { History } from '../../../batch/journal/history.js';
import type { DumpEntry } from '../../../batch/inputs/entries.js';
import { renderLines, renderResultLines } from '../../../batch/outputs/result-lines.js';
import { causesOf } from '../../../batch/outputs/overview.js';
import type { Asked, Table } from '../../../batch/store/engine.js';
import type { Filter } from '../../../batch/store/questions.js';
import { renderTable } from '../../../batch/outputs/table-text.js';
import { table } from '../../../report/csv.js';
import { renderBatchLine } from '../../../report/json.js';
import { renderAnalysis } from '../../../report/text/analyze.js';
import { defineCommand } from '../../command.js';
import { FileError, UsageError } from '../../errors.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { GROUP, jsonOption } from '../../options/options.js';
import type { Host, Output } from '../../terminal/output.js';
import { STORE } from '../../options/store-options.js';
import { FOLDER, FORMS, noMore, withHistory, type Folder, type Given, type Place } from './place.js';

/** Lets `use` ask the tables, in line with what they follow from. */
async function withTables<T>(place: Place, notes: string[], use: (store: Asked) => Promise<T>): Promise<T> {
  if (place.kind === 'server') {
    notes.push(...(await place.shared.bringUpForReading()));
    return use(place.shared);
  }
  const { Store } = await import('../../../batch/store/store.js');
  const store = await Store.open(place.history);
  if (store.damage !== null) notes.push(store.damage);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const questions = async () => import('../../../batch/store/questions.js');
const fromJournal = async () => import('../../../batch/store/from-journal.js');

/** The history of a folder. */
function load(place: Folder, notes: string[]): History {
  const history = History.load(place.history);
  if (history.damage !== null) notes.push(history.damage);
  return history;
}

/** How a question is answered: by the tables; of a folder, without them where that is quicker. */
interface Ways {
  readonly words: (words: readonly string[]) => void;
  readonly tables: (store: Asked, words: readonly string[]) => Promise<Table>;
  readonly journal?: (history: History) => Promise<Table>;
}

/** Writes the table that a question gives. */
async function answer(given: Given, output: Output, host: Host, ways: Ways): Promise<ExitCode> {
  return withHistory(given, host, async (place, words, notes) => {
    ways.words(words);
    const found =
      place.kind === 'folder' && ways.journal !== undefined
        ? await ways.journal(load(place, notes))
        : await withTables(place, notes, async (store) => ways.tables(store, words));
    if (given.json === true) await output.json(jsonOf(found));
    else await output.text(given.csv === true ? table('', found.columns, found.rows).text : readable(found));
    return EXIT.done;
  });
}

/** Just one word behind the folder. */
const oneWord =
  (what: string) =>
  (words: readonly string[]): void => {
    if (words.length === 0) throw new UsageError(`${what} is missing`);
    noMore(words.slice(1));
  };

/** Objects with the columns as their fields. */
function jsonOf({ columns, rows }: Table): string {
  const objects = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])));
  return `${JSON.stringify(objects, null, 2)}\n`;
}

const readable = (found: Table): string => (found.rows.length === 0 ? 'Nothing found\n' : renderTable(found));

const text = (describe: string) => ({ type: 'string', requiresArg: true, describe, group: GROUP.what }) as const;

/** Reads a time for --since and --until. */
const time =
  (name: string) =>
  (value: unknown): string => {
    const found = Date.parse(String(value));
    if (!/^\d{4}-\d\d/.test(String(value)) || Number.isNaN(found)) {
      throw new Error(`${name} wants a day or a time such as 2026-03-01 or 2026-03-01T12:00Z`);
    }
    return new Date(found).toISOString();
  };

export const list = defineCommand({
  positionals: { folder: FOLDER },
  options: {
    tag: text('Only dumps with this suspect tag; * stands for anything'),
    driver: text('Only dumps with this driver; * stands for anything'),
    process: text('Only dumps that accuse this process, by its program; * stands for anything'),
    machine: text('Only dumps of this machine, by name or id; * stands for anything'),
    since: { ...text('Only dumps taken at this time or later, in UTC'), coerce: time('--since') },
    until: { ...text('Only dumps taken before this time'), coerce: time('--until') },
    leaks: { type: 'boolean', describe: 'Only dumps with a suspected leak', group: GROUP.what },
    undecided: { type: 'boolean', describe: 'Only dumps that cannot tell whether pool leaks', group: GROUP.what },
    ...FORMS,
  },
  examples: [
    ['history list report', 'all dumps, the newest first'],
    ['history list report --driver acme* --since 2026-03-01', 'dumps by driver and time'],
  ],
  run: async (args, output, host) =>
    answer({ ...args, words: [args.folder] }, output, host, {
      words: noMore,
      tables: async (store) => (await questions()).listDumps(store, filterOf(args)),
      journal: async (history) => (await fromJournal()).listDumps(history, filterOf(args)),
    }),
});

const filterOf = ({ tag, driver, process, machine, since, until, leaks, undecided }: Filter): Filter => {
  return { tag, driver, process, machine, since, until, leaks, undecided };
};

export const groups = defineCommand({
  positionals: { folder: FOLDER },
  options: FORMS,
  examples: [
    ['history groups report', 'dumps with the same cause, most dumps first'],
    ['history groups report --json', 'the same for programs'],
  ],
  run: async (args, output, host) =>
    answer({ ...args, words: [args.folder] }, output, host, {
      words: noMore,
      tables: async (store) => (await questions()).listGroups(store),
      journal: async (history) => (await fromJournal()).listGroups(history),
    }),
});

export const machines = defineCommand({
  positionals: { folder: FOLDER },
  options: FORMS,
  examples: [
    ['history machines report', 'machines, with their dumps and leaks'],
    ['history machines report --csv -o machines.csv', 'the same for a spreadsheet'],
  ],
  run: async (args, output, host) =>
    answer({ ...args, words: [args.folder] }, output, host, {
      words: noMore,
      tables: async (store) => (await questions()).listMachines(store),
      journal: async (history) => (await fromJournal()).listMachines(history),
    }),
});

export const search = defineCommand({
  positionals: {
    folder: FOLDER,
    word: { describe: 'In tags, drivers, machines, headlines, places', kind: 'optional' },
  },
  options: FORMS,
  examples: [
    ['history search report acmenet', 'where a driver was loaded or suspected'],
    ['history search report Leak', 'where a tag was seen'],
  ],
  run: async (args, output, host) =>
    answer({ ...args, words: [args.folder, args.word] }, output, host, {
      words: oneWord('the word to look for'),
      tables: async (store, [word = '']) => (await questions()).search(store, word),
    }),
});

export const tables = defineCommand({
  positionals: { folder: FOLDER },
  options: FORMS,
  examples: [
    ['history tables report', 'tables and columns that history sql can ask'],
    ['history tables report --json', 'the same for programs'],
  ],
  run: async (args, output, host) =>
    answer({ ...args, words: [args.folder] }, output, host, {
      words: noMore,
      tables: async (store) => (await questions()).listTables(store),
    }),
});

export const sql = defineCommand({
  positionals: { folder: FOLDER, question: { describe: 'In the dialect of PostgreSQL, in quotes', kind: 'optional' } },
  options: FORMS,
  examples: [
    ['history sql report "select driver, count(*) from suspects group by 1"', 'any question; nothing can be changed'],
    ['history tables report', 'what can be asked'],
  ],
  run: async (args, output, host) =>
    answer({ ...args, words: [args.folder, args.question] }, output, host, {
      words: oneWord('the question'),
      tables: async (store, [question = '']) => {
        try {
          return await store.ask(question);
        } catch (error) {
          if (!isHistoryError(error, 'bad-question')) throw error;
          if (!error.message.includes(' does not exist')) throw new UsageError(error.message);
          const names = await (await questions()).tableNames(store);
          throw new UsageError(`${error.message}. Tables: ${names.join(', ')}; "dumpleak history tables" has their columns`); // prettier-ignore
        }
      },
    }),
});

export const exportAll = defineCommand({
  positionals: { folder: FOLDER },
  options: {
    ...FORMS,
    json: jsonOption('Write the lines of results.ndjson, as without it'),
    sql: {
      type: 'boolean',
      describe: 'Write the tables as SQL for a PostgreSQL server (docs/monitoring.md)',
      group: GROUP.output,
    },
  },
  examples: [
    ['history export report -o results.ndjson', 'all results, a line a dump'],
    ['history export report --csv -o dumps.csv', 'everything, for a spreadsheet'],
    ['history export report --sql -o dumps.sql', 'the tables, for psql'],
  ],
  run: async (args, output, host) => {
    const given = { ...args, words: [args.folder] };
    if (args.sql === true) {
      if (args.csv === true || args.json === true) throw new UsageError('--sql goes without --csv and --json');
      return withHistory(given, host, async (place, words, notes) => {
        noMore(words);
        const { asSql } = await import('../../../batch/store/as-sql.js');
        await withTables(place, notes, async (store) => {
          for await (const part of asSql(store)) await output.part(part);
          await output.end();
        });
        return EXIT.done;
      });
    }
    if (args.csv === true) {
      return answer(given, output, host, {
        words: noMore,
        tables: async (store) => (await questions()).exportRows(store),
      });
    }
    return withHistory(given, host, async (place, words, notes) => {
      noMore(words);
      if (place.kind === 'server') {
        const history = await place.shared.load();
        for await (const line of renderLines(history, async (records) => place.shared.read(records)))
          await output.part(line);
        await output.end();
        return EXIT.done;
      }
      const history = load(place, notes);
      await output.json([...renderResultLines(history, causesOf(history))].join(''));
      return EXIT.done;
    });
  },
});

export const show = defineCommand({
  positionals: { folder: FOLDER, dumps: { describe: 'By id or path', kind: 'list' } },
  options: { json: FORMS.json, ...STORE },
  examples: [
    ['history show report 3f2a', 'the report of a dump, by the beginning of its id'],
    ['history show report 3f2a --json', 'its result'],
  ],
  run: async (args, output, host) =>
    withHistory({ ...args, words: [args.folder, ...args.dumps] }, host, async (place, words, notes) => {
      if (words.length === 0) throw new UsageError('name dumps, by id or path');
      const parts: string[] = [];
      for await (const { result: found } of entriesOf(place, words, notes)) {
        const result = { ...found, modules: null };
        parts.push(args.json === true ? renderBatchLine(result) : renderAnalysis(result, output.style));
      }
      await (args.json === true ? output.json(parts.join('')) : output.text(parts.join('\n')));
      return EXIT.done;
    }),
});

/** The dumps that the words mean: the beginning of an id, or a path, also from this folder. Throws FileError for a word that means none. */
async function* entriesOf(place: Place, words: readonly string[], notes: string[]): AsyncGenerator<DumpEntry> {
  const history = place.kind === 'folder' ? load(place, notes) : null;
  const find = async (word: string): Promise<(DumpEntry | null)[]> => {
    if (history !== null) {
      return (await fromJournal()).findDumps(history, word).map((record) => history.entryOf(record));
    }
    return withTables(place, notes, async (store) => {
      const found = await (await questions()).findDumps(store, word);
      return place.kind === 'server' ? place.shared.read(found) : [];
    });
  };
  for (const word of words) {
    const asItStands = await find(word);
    const found = asItStands.length > 0 ? asItStands : await find(resolve(word));
    if (found.length === 0) throw new FileError(`the history holds no dump ${word}`);
    for (const entry of found) if (entry !== null) yield entry;
  }
}
