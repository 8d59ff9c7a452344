/** The commands of `dumpleak history` that ask: dumps, groups, machines, a word, SQL, everything. */

import { isHistoryError } from '../../../batch/journal/history-error.js';
import { History } from '../../../batch/journal/history.js';
import { journalPath, readLineAt } from '../../../batch/journal/journal.js';
import { renderResultLines } from '../../../batch/outputs/outputs.js';
import { overviewOf } from '../../../batch/outputs/overview.js';
import type { Table } from '../../../batch/store/engine.js';
import type { Store } from '../../../batch/store/store.js';
import { renderTable } from '../../../batch/outputs/table-text.js';
import { table } from '../../../report/csv.js';
import { renderBatchLine } from '../../../report/json.js';
import { renderAnalysis } from '../../../report/text/analyze.js';
import { defineCommand } from '../../command.js';
import { FileError, UsageError } from '../../errors.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { GROUP, jsonOption } from '../../options/options.js';
import type { Host, Output } from '../../terminal/output.js';
import { FOLDER, FORMS, withHistory, type Place } from './place.js';

interface Asked {
  readonly folder: string;
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
}

/** Opens the store, in line with its journal, for as long as `use` needs it. */
async function withStore<T>(place: Place, notes: string[], use: (store: Store) => Promise<T>): Promise<T> {
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

/** Writes the table that a question gives. */
async function answer(
  args: Asked,
  output: Output,
  host: Host,
  ask: (store: Store) => Promise<Table>,
): Promise<ExitCode> {
  return withHistory(args, host, async (place, notes) => {
    const found = await withStore(place, notes, ask);
    if (args.json === true) await output.json(jsonOf(found));
    else await output.text(args.csv === true ? table('', found.columns, found.rows).text : readable(found));
    return EXIT.done;
  });
}

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
    answer(args, output, host, async (store) => {
      const { tag, driver, process, machine, since, until, leaks, undecided } = args;
      return (await questions()).listDumps(store, { tag, driver, process, machine, since, until, leaks, undecided });
    }),
});

export const groups = defineCommand({
  positionals: { folder: FOLDER },
  options: FORMS,
  examples: [
    ['history groups report', 'dumps with the same cause, most dumps first'],
    ['history groups report --json', 'the same for programs'],
  ],
  run: async (args, output, host) => answer(args, output, host, async (store) => (await questions()).listGroups(store)),
});

export const machines = defineCommand({
  positionals: { folder: FOLDER },
  options: FORMS,
  examples: [
    ['history machines report', 'machines, with their dumps and leaks'],
    ['history machines report --csv -o machines.csv', 'the same for a spreadsheet'],
  ],
  run: async (args, output, host) =>
    answer(args, output, host, async (store) => (await questions()).listMachines(store)),
});

export const search = defineCommand({
  positionals: {
    folder: FOLDER,
    word: { describe: 'In tags, drivers, machines, headlines, places', kind: 'required' },
  },
  options: FORMS,
  examples: [
    ['history search report acmenet', 'where a driver was loaded or suspected'],
    ['history search report Leak', 'where a tag was seen'],
  ],
  run: async (args, output, host) =>
    answer(args, output, host, async (store) => (await questions()).search(store, args.word)),
});

export const tables = defineCommand({
  positionals: { folder: FOLDER },
  options: FORMS,
  examples: [
    ['history tables report', 'tables and columns that history sql can ask'],
    ['history tables report --json', 'the same for programs'],
  ],
  run: async (args, output, host) => answer(args, output, host, async (store) => (await questions()).listTables(store)),
});

export const sql = defineCommand({
  positionals: { folder: FOLDER, question: { describe: 'In the dialect of PostgreSQL, in quotes', kind: 'required' } },
  options: FORMS,
  examples: [
    ['history sql report "select driver, count(*) from suspects group by 1"', 'any question; nothing can be changed'],
    ['history tables report', 'what can be asked'],
  ],
  run: async (args, output, host) =>
    answer(args, output, host, async (store) => {
      try {
        return await store.ask(args.question);
      } catch (error) {
        if (!isHistoryError(error, 'bad-question')) throw error;
        if (!error.message.includes(' does not exist')) throw new UsageError(error.message);
        const names = await (await questions()).tableNames(store);
        throw new UsageError(`${error.message}. Tables: ${names.join(', ')}; "dumpleak history tables" has their columns`); // prettier-ignore
      }
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
    if (args.sql === true) {
      if (args.csv === true || args.json === true) throw new UsageError('--sql goes without --csv and --json');
      return withHistory(args, host, async (place, notes) => {
        const { asSql } = await import('../../../batch/store/as-sql.js');
        await withStore(place, notes, async (store) => {
          for await (const part of asSql(store)) await output.part(part);
          await output.end();
        });
        return EXIT.done;
      });
    }
    if (args.csv === true) {
      return answer(args, output, host, async (store) => (await questions()).exportRows(store));
    }
    return withHistory(args, host, async (place, notes) => {
      const history = History.load(place.history);
      if (history.damage !== null) notes.push(history.damage);
      await output.json([...renderResultLines(history, overviewOf(history))].join(''));
      return EXIT.done;
    });
  },
});

export const show = defineCommand({
  positionals: { folder: FOLDER, dumps: { describe: 'By id or path', kind: 'list' } },
  options: { json: FORMS.json },
  examples: [
    ['history show report 3f2a', 'the report of a dump, by the beginning of its id'],
    ['history show report 3f2a --json', 'its result'],
  ],
  run: async (args, output, host) => {
    if (args.dumps.length === 0) throw new UsageError('name dumps, by id or path');
    return withHistory(args, host, async (place, notes) => {
      const parts = await withStore(place, notes, async (store) => reports(store, place, args, output));
      await (args.json === true ? output.json(parts.join('')) : output.text(parts.join('\n')));
      return EXIT.done;
    });
  },
});

/** The results of the dumps that the words mean. Throws FileError for a word that means none. */
async function reports(
  store: Store,
  place: Place,
  { dumps, json }: { dumps: readonly string[]; json?: boolean | undefined },
  output: Output,
): Promise<string[]> {
  const { findDumps } = await questions();
  const parts: string[] = [];
  for (const word of dumps) {
    const found = await findDumps(store, word);
    if (found.length === 0) throw new FileError(`the history holds no dump ${word}`);
    for (const at of found) {
      const line = readLineAt(journalPath(place.history), at);
      if (line?.kind !== 'dump') continue;
      const result = { ...line.result, modules: null };
      parts.push(json === true ? renderBatchLine(result) : renderAnalysis(result, output.style));
    }
  }
  return parts;
}
