/** What batches have found, from the journal of a history: nothing is written, and no database is needed. */

import { History } from '../batch/journal/history.js';
import { overviewOf, type Overview } from '../batch/outputs/overview.js';
import { causeLine, historyLine } from '../batch/outputs/summary-text.js';
import { Names } from '../redact/redactor.js';
import type { Json } from './answer.js';
import type { Tool, Words } from './tool.js';

const TEXT = { type: 'string', minLength: 1, maxLength: 300 } as const;
const QUESTIONS = ['groups', 'dumps', 'machines', 'failures'] as const;

export const history: Tool = {
  name: 'history',
  title: 'History',
  description:
    'What "dumpleak batch" found in many dumps: groups (dumps with the same cause, most first), dumps, machines, failures.',
  takes: {
    question: { enum: QUESTIONS, description: 'What to list' },
    folder: { ...TEXT, description: 'The folder of the report; without it the one that is found' },
    tag: { ...TEXT, maxLength: 10, description: 'Of groups and dumps: only with this suspect tag' },
    driver: { ...TEXT, description: 'Of groups and dumps: only with this driver' },
    leaks: { type: 'boolean', description: 'Of dumps: only those with a suspected leak' },
  },
  required: ['question'],
  answer: async (words, { folders, redactor }) => {
    const found = History.load(folders.history(words['folder'] === undefined ? undefined : String(words['folder'])));
    const overview = overviewOf(found);
    const question = String(words['question']) as (typeof QUESTIONS)[number];
    const rows = ROWS[question](overview, words, redactor === null ? null : new Names(redactor));
    const lines = question === 'groups' ? overview.groups.slice(0, 5).map((group) => `\n${causeLine(group)}`) : [];
    return Promise.resolve({
      facts: { damage: found.damage },
      rows,
      text: `${historyLine(overview)}.${lines.join('')}`,
    });
  },
};

type Rows = (overview: Overview, words: Words, names: Names | null) => Json[];

const isWanted = (given: Words[string], ...values: (string | null)[]): boolean =>
  given === undefined || values.some((value) => value?.trim().toLowerCase() === String(given).trim().toLowerCase());

const ROWS: Readonly<Record<(typeof QUESTIONS)[number], Rows>> = {
  groups: ({ groups }, { tag, driver }) =>
    groups
      .filter((group) => isWanted(tag, group.tag) && isWanted(driver, group.driver))
      .map(({ dumps, machines, growth, ...group }) => ({
        ...group,
        ...{ dumps: dumps.length, machines: machines.length, growthPerHour: growth?.perHour ?? null },
      })),
  dumps: ({ records, machineOf, machines }, { tag, driver, leaks }, names) =>
    records
      .filter(({ summary: { suspects, leakSuspected } }) => {
        const has = (value: Words[string], of: (suspect: (typeof suspects)[number]) => string | null): boolean =>
          value === undefined || suspects.some((suspect) => isWanted(value, of(suspect)));
        return has(tag, (one) => one.tag) && has(driver, (one) => one.driver) && (leaks !== true || leakSuspected === true); // prettier-ignore
      })
      .map(({ id, place, summary }) => ({
        id,
        dump: pathFor(place, names),
        machine: hostFor(machines.find((one) => one.id === machineOf.get(id))?.name ?? null, names),
        ...{ systemTime: summary.systemTime, systemName: summary.systemName, leakSuspected: summary.leakSuspected },
        headline: textFor(summary.headline, names),
        suspects: summary.suspects.map(({ tag: of, pool, bytes, driver: by, version, process, confidence }) => ({ tag: of, pool, bytes, driver: by, version, process, confidence })), // prettier-ignore
      })),
  machines: ({ machines }, _words, names) => machines.map((one) => ({ ...one, name: hostFor(one.name, names) })),
  failures: ({ failures }, _words, names) =>
    failures.map(({ place, code, message }) => {
      const dump = pathFor(place, names);
      return { dump, code, message: textFor(message, names) };
    }),
};

// A history that was made with --redact holds pseudonyms: they get another.
const pathFor = (path: string, names: Names | null): string => names?.learnFile('dump', path) ?? path;
const textFor = (text: string, names: Names | null): string => names?.text(text) ?? text;
const hostFor = (name: string | null, names: Names | null): string | null =>
  name === null || names === null ? name : names.host(name);
