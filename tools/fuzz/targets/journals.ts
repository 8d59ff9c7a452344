/**
 * Journals of a history: damaged ones are read as `history` and `batch` read them. Whatever the damage, every line that is
 * as it was written is kept, every other one is set aside and counted, and nothing ends as an internal error.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Entry } from '../../../src/batch/inputs/entries.js';
import { copyEntry, dumpEntry, failureEntry } from '../../../src/batch/inputs/entries.test.helper.js';
import { HistoryError } from '../../../src/batch/journal/history-error.js';
import { History } from '../../../src/batch/journal/history.js';
import { Journal, journalPath, readJournal, rewriteJournal } from '../../../src/batch/journal/journal.js';
import { writeOutputs } from '../../../src/batch/outputs/outputs.js';
import { overviewOf } from '../../../src/batch/outputs/overview.js';
import { historyKey } from '../../../src/batch/redaction.js';
import { EXIT } from '../../../src/cli/exit-codes.js';
import { run } from '../../../src/cli/run.js';
import type { FuzzTarget } from '../target.js';

const AT = '2026-03-01T00:00:00.000Z';

/** A line as the format has it: the checksum of what stands before it comes last. */
function lineOf(value: object): string {
  const body = JSON.stringify(value).slice(0, -1);
  return `${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`;
}

const HEAD = { kind: 'journal', version: 2, id: '8a1c1f0e-4b5d-4a51-9d0e-0123456789ab' };

/** Good journals. */
export const JOURNALS = [
  [dumpEntry('/share/1.dmp'), failureEntry('/share/bad.dmp'), copyEntry('/share/2.zip', 'd-_share_1.dmp'), dumpEntry('/share/3.dmp', { bytes: 0 }), failureEntry('/share/x.zip', { passed: true }), dumpEntry('/share/4.dmp', { driver: null })], // prettier-ignore
  Array.from({ length: 40 }, (_, i) => failureEntry(`/share/${i}.dmp`)),
  [dumpEntry('/share/ü\u2028.dmp')],
].map((entries) => Buffer.from([HEAD, ...entries].map((entry) => `${lineOf(entry)}\n`).join('')));

/** Every line that was ever written, as text: these are undamaged wherever they stand. */
const WRITTEN = new Set(JOURNALS.flatMap((bytes) => bytes.toString('latin1').split('\n').filter((line) => line !== ''))); // prettier-ignore
const isHead = (line: string): boolean => line.startsWith('{"kind":"journal"');

export const JOURNAL_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'journal',
    seeds: JOURNALS.map((bytes) => () => bytes),
    words: ['\n', '\n\n', '}\n{', '"crc":"00000000"}', ',"crc":"', '"kind":"journal"', '"version":9', '\0\0\0\0', '\r\n', '{"kind":"copy"}\n'], // prettier-ignore
    feed,
  },
];

async function feed(input: Uint8Array, folder: string): Promise<void> {
  const path = journalPath(folder);
  writeFileSync(path, input);
  const lines = Buffer.from(input).toString('latin1').split('\n').slice(0, -1);
  const kept = lines.filter((line) => WRITTEN.has(line));

  const read = [...readJournal(path)];
  expect(read.length === lines.length, `${read.length} of ${lines.length} lines were read`);
  lines.forEach((line, i) => {
    expect((read[i]?.line !== null) === WRITTEN.has(line), `line ${i + 1}: damage is damage, and nothing else is`);
  });

  // What stands there as another program's head is refused as a whole, with a line for the user.
  if (!refusedAsAnother(folder)) {
    const history = History.load(folder);
    expect(history.damaged.length === lines.length - kept.length, `${history.damaged.length} damaged lines are told`);
    expect((history.damage === null) === (history.damaged.length === 0), 'damage is told');
    asBatch(folder, kept, lines[0]);
  }
  for (const words of [
    ['export', folder],
    ['delete', folder, 'f1', '--dry-run'],
  ]) {
    let stderr = '';
    const stream = (keep: boolean) => ({ write: (text: string, done?: () => void) => ((stderr += keep ? text : ''), done?.(), true) }); // prettier-ignore
    const host = { env: {}, platform: process.platform, stdout: stream(false), stderr: stream(true) };
    const code = await run(['history', ...words], host);
    expect(code === EXIT.done || code === EXIT.badInput, `history ${words[0] ?? ''} ends with ${code}: ${stderr}`);
  }
}

/** Opens, goes on, writes everything, and takes something out: as batches and `history delete` do. */
function asBatch(folder: string, kept: readonly string[], first: string | undefined): void {
  let journal: Journal;
  try {
    journal = Journal.open(folder);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    expect(!kept.some((line) => !isHead(line)) && (first === undefined || !WRITTEN.has(first)), 'a journal with a line of its own is opened'); // prettier-ignore
    return;
  }
  journal.append(failureEntry('/share/last.dmp'));
  journal.close();
  const places = (): string[] => [...readJournal(journalPath(folder))].flatMap(({ line }) => (line === null || line.kind === 'journal' ? [] : [line.path])); // prettier-ignore
  const entries = kept
    .filter((line) => !isHead(line))
    .map((line) => (JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as Entry).path);
  expect(JSON.stringify(places()) === JSON.stringify([...entries, '/share/last.dmp']), 'undamaged lines are kept');
  expect(historyKey(folder, null) === null, 'it is not redacted');
  const history = History.load(folder);
  const out = join(folder, 'out');
  mkdirSync(out);
  writeOutputs(out, history, overviewOf(history), new Date(AT));
  for (const line of readFileSync(join(out, 'results.ndjson'), 'utf8').trimEnd().split('\n')) JSON.parse(line);
  rewriteJournal(journalPath(folder), (entry) => entry.kind !== 'copy');
  expect(History.load(folder).damaged.length === 0, 'written anew it is whole');
}

function refusedAsAnother(folder: string): boolean {
  try {
    History.load(folder);
    return false;
  } catch (error) {
    if (error instanceof HistoryError) return true;
    throw error;
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
