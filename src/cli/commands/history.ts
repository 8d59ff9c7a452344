/** `dumpleak history`: what batches have found. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { printable } from '../../../parsers/text-safety.js';
import { History } from '../../batch/history.js';
import { JournalError, journalPath, readHead, readLineAt } from '../../batch/journal.js';
import { LockedError } from '../../batch/lock.js';
import { renderResultLines } from '../../batch/outputs.js';
import { NotReplaced } from '../../batch/replace-file.js';
import { overviewOf } from '../../batch/overview.js';
import { expired, remove } from '../../batch/retention.js';
import { renderTable } from '../../batch/table-text.js';
import type { Store, Table } from '../../batch/store/store.js';
import { table } from '../../report/csv.js';
import { renderBatchLine } from '../../report/json.js';
import { renderAnalysis } from '../../report/text/analyze.js';
import { defineCommand } from '../command.js';
import { FileError, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { milliseconds } from '../growth-inputs.js';
import { GROUP, jsonOption } from '../options.js';
import { writeTo, type Output } from '../output.js';

const ACTIONS = ['list', 'show', 'groups', 'machines', 'search', 'export', 'sql', 'delete', 'prune', 'rebuild'] as const; // prettier-ignore
type Action = (typeof ACTIONS)[number];
const CHANGES = 'What goes:';

const text = (describe: string, group: string) => ({ type: 'string', requiresArg: true, describe, group }) as const;

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

export const command = defineCommand({
  positionals: {
    action: { describe: `One of: ${ACTIONS.join(', ')}`, kind: 'required' },
    folder: { describe: 'The folder of batch --out, or that of its history', kind: 'required' },
    words: { describe: 'show, delete: dumps, by id or path; search: a word; sql: a question', kind: 'list' },
  },
  options: {
    tag: text('list: only dumps with this suspect tag; * stands for anything', GROUP.what),
    driver: text('list: only dumps with this driver; * stands for anything', GROUP.what),
    machine: text('list: only dumps of this machine, by name or id; * stands for anything', GROUP.what),
    since: { ...text('list: only dumps taken at this time or later, in UTC', GROUP.what), coerce: time('--since') },
    until: { ...text('list: only dumps taken before this time', GROUP.what), coerce: time('--until') },
    leaks: { type: 'boolean', describe: 'list: only dumps with a suspected leak', group: GROUP.what },
    'older-than': {
      ...text('prune: dumps that are older, as 90d or 12h', CHANGES),
      coerce: milliseconds('--older-than'),
    },
    keep: {
      type: 'number',
      requiresArg: true,
      coerce: (value: unknown) => {
        if (!(Number.isSafeInteger(value) && Number(value) >= 0)) throw new Error('--keep wants a number of dumps');
        return Number(value);
      },
      describe: 'prune: all but so many of the newest dumps of every machine',
      group: CHANGES,
    },
    'dry-run': { type: 'boolean', describe: 'prune, delete: only say what would go', group: CHANGES },
    json: jsonOption('Write JSON'),
    csv: { type: 'boolean', describe: 'Write a table for spreadsheets', group: GROUP.output },
  },
  examples: [
    ['history groups report', 'dumps with the same cause'],
    ['history list report --driver acme* --since 2026-03-01', 'dumps by driver and time'],
    ['history export report --csv -o dumps.csv', 'everything, for a spreadsheet'],
    ['history prune report --older-than 90d', 'forget what is older than 90 days'],
  ],
  run: async (args, output, host) => {
    const action = ACTIONS.find((name) => name === args.action);
    if (action === undefined) throw new UsageError(`"${args.action}" is none of: ${ACTIONS.join(', ')}`);
    if (args.json === true && args.csv === true) throw new UsageError('--json and --csv exclude each other');
    checkWords(action, args.words);
    const place = placeOf(args.folder);
    const given: Given = { ...args, action, place };
    try {
      // What is wrong with the journal is said before the database is begun.
      readHead(journalPath(place.history));
      const notes: string[] = [];
      const code = await (CHANGING.has(action) ? change(given, output, notes) : answer(given, output, notes));
      for (const note of notes) await writeTo(host.stderr, `dumpleak: ${printable(note)}\n`);
      return code;
    } catch (error) {
      const named = error instanceof Error ? error.name : '';
      if (error instanceof LockedError || error instanceof JournalError || error instanceof NotReplaced) {
        throw new FileError(error.message);
      }
      if (named === 'QueryError' && error instanceof Error) {
        if (action === 'sql') throw new UsageError(error.message);
      }
      throw error;
    }
  },
});

const CHANGING = new Set<Action>(['delete', 'prune', 'rebuild']);

interface Place {
  /** Folder of the history. */
  history: string;
  /** Folder of the batch; null where only the history was named. */
  out: string | null;
}

interface Given {
  action: Action;
  place: Place;
  words: string[];
  tag?: string | undefined;
  driver?: string | undefined;
  machine?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  leaks?: boolean | undefined;
  'older-than'?: number | undefined;
  keep?: number | undefined;
  'dry-run'?: boolean | undefined;
  json?: boolean | undefined;
  csv?: boolean | undefined;
}

function checkWords(action: Action, words: readonly string[]): void {
  if (['show', 'delete'].includes(action) && words.length === 0) throw new UsageError(`${action}: name dumps, by id or path`); // prettier-ignore
  if (['search', 'sql'].includes(action) && words.length !== 1) throw new UsageError(`${action}: give one word, in quotes if need be`); // prettier-ignore
  if (!['show', 'delete', 'search', 'sql'].includes(action) && words.length > 0) {
    throw new UsageError(`"${words[0] ?? ''}" is one word too many for ${action}`);
  }
}

function placeOf(folder: string): Place {
  const path = resolve(folder);
  if (existsSync(journalPath(join(path, 'history')))) return { history: join(path, 'history'), out: path };
  if (existsSync(journalPath(path))) return { history: path, out: null };
  throw new FileError(`${folder} holds no history: name the folder that batch --out was given, or that of --history`);
}

async function answer(given: Given, output: Output, notes: string[]): Promise<ExitCode> {
  const { action, place, json, csv } = given;
  if (action === 'export' && csv !== true) {
    const history = History.load(place.history);
    if (history.damage !== null) notes.push(history.damage);
    await output.json([...renderResultLines(history, overviewOf(history))].join(''));
    return EXIT.done;
  }
  const { Store } = await import('../../batch/store/store.js');
  const store = await Store.open(place.history);
  if (store.damage !== null) notes.push(store.damage);
  try {
    if (action === 'show') return await show(store, given, output);
    const found = await ask(store, given);
    if (json === true) await output.json(jsonOf(found));
    else await output.text(csv === true ? table('', found.columns, found.rows).text : readable(found));
    return EXIT.done;
  } finally {
    await store.close();
  }
}

async function ask(store: Store, { action, words, ...filter }: Given): Promise<Table> {
  const questions = await import('../../batch/store/questions.js');
  switch (action) {
    case 'groups':
      return questions.listGroups(store);
    case 'machines':
      return questions.listMachines(store);
    case 'search':
      return questions.search(store, words[0] ?? '');
    case 'sql':
      return store.ask(words[0] ?? '');
    case 'export':
      return questions.exportRows(store);
    default:
      return questions.listDumps(store, filter);
  }
}

/** Objects with the columns as their fields. */
function jsonOf({ columns, rows }: Table): string {
  const objects = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])));
  return `${JSON.stringify(objects, null, 2)}\n`;
}

const readable = (found: Table): string => (found.rows.length === 0 ? 'Nothing found\n' : renderTable(found));

async function show(store: Store, { words, place, json, csv }: Given, output: Output): Promise<ExitCode> {
  if (csv === true) throw new UsageError('show has no --csv: export has');
  const { findDumps } = await import('../../batch/store/questions.js');
  const parts: string[] = [];
  for (const word of words) {
    const found = await findDumps(store, word);
    if (found.length === 0) throw new FileError(`the history holds no dump ${word}`);
    for (const at of found) {
      const line = readLineAt(journalPath(place.history), at);
      if (line?.kind !== 'dump') continue;
      const result = { ...line.result, modules: null };
      parts.push(json === true ? renderBatchLine(result) : renderAnalysis(result, output.style));
    }
  }
  await (json === true ? output.json(parts.join('')) : output.text(parts.join('\n')));
  return EXIT.done;
}

async function change(given: Given, output: Output, notes: string[]): Promise<ExitCode> {
  const { action, place } = given;
  if (action === 'rebuild') {
    const { Store } = await import('../../batch/store/store.js');
    await Store.remove(place.history);
    const store = await Store.open(place.history);
    if (store.damage !== null) notes.push(store.damage);
    await store.close();
    await output.text('The store was made again from the journal\n');
    return EXIT.done;
  }
  const choose = action === 'delete' ? named(given.words) : outdated(given);
  const dry = given['dry-run'] === true;
  const removed = dry
    ? { places: choose(History.load(place.history)).map(({ place: path }) => path), notes: [] }
    : remove(place.history, place.out, choose);
  notes.push(...removed.notes);
  const gone = removed.places;
  if (given.json === true) await output.json(`${JSON.stringify(gone, null, 2)}\n`);
  else if (given.csv === true) await output.text(table('', ['place'], gone.map((path) => [path])).text); // prettier-ignore
  else await output.text(`${gone.length} dumps ${dry ? 'would go' : 'forgotten'}\n${gone.map((path) => `  ${path}\n`).join('')}`); // prettier-ignore
  return EXIT.done;
}

type Choice = Parameters<typeof remove>[2];

/** The dumps that were named. Throws FileError for a word that means none or several. */
function named(words: readonly string[]): Choice {
  return (history) => {
    const records = history.records();
    return words.map((word) => {
      const [found, ...more] = records.filter(
        ({ id, places }) => (word.length >= 4 && id.startsWith(word)) || places.includes(word) || places.includes(resolve(word)),
      ); // prettier-ignore
      if (found === undefined) throw new FileError(`the history holds no dump ${word}: nothing was changed`);
      if (more.length > 0) throw new FileError(`${word} means ${more.length + 1} dumps: nothing was changed`);
      return found;
    });
  };
}

function outdated({ 'older-than': age, keep }: Given): Choice {
  if (age === undefined && keep === undefined) throw new UsageError('prune: say what goes with --older-than or --keep');
  return (history) => expired(history, { before: age === undefined ? undefined : Date.now() - age, keep });
}
