import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpEntry } from './entries.test.helper.js';
import type { BatchEvents } from '../events.js';
import { History } from '../journal/history.js';
import { Journal, lineOf } from '../journal/journal.js';
import { pageName } from '../outputs/pages.js';
import { Notes } from '../notes.js';
import { readFiles, type PassState } from './read-files.js';
import { writeTemporaryFile } from '../journal/replace-file.js';
import { noteOf } from '../outputs/summary.js';
import { Watcher } from './watcher.js';
import type { Outcome, WorkerPool } from '../worker-pool.js';

const ENTRY = dumpEntry('/s/a.dmp', { id: 'aaaa', fileId: 'ffff' });
const FILE = { path: '/s/a.dmp', expected: true };

describe('batch: what workers have read', () => {
  let folder: string;
  let journal: Journal;
  const told: string[] = [];
  const tell =
    (what: string) =>
    (place: unknown): void => {
      told.push(`${what} ${String(place)}`);
    };
  const events: BatchEvents = {
    ...{ more: tell('more'), step: tell('step'), analyzed: tell('analyzed'), failed: tell('failed') },
    ...{ known: tell('known'), passed: tell('passed'), deferred: tell('deferred'), note: tell('note') },
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    mkdirSync(join(folder, 'pages'));
    journal = Journal.open(folder);
    told.length = 0;
  });
  afterEach(() => {
    journal.close();
    rmSync(folder, { recursive: true });
  });

  /** Has one file read by a worker that says so. */
  async function read(analyzed: () => Outcome, watcher: Watcher | null = null): Promise<PassState> {
    const pool: Pick<WorkerPool, 'run'> = {
      run: ({ kind }) =>
        Promise.resolve(
          kind === 'identify' ? { kind: 'identify', fileId: 'ffff', members: null, cut: false } : analyzed(),
        ),
    };
    const counts = { analyzed: 0, known: 0, failed: 0, knownFailures: 0, passed: 0 };
    const state: PassState = {
      ...{ pool: pool as WorkerPool, journal, history: History.load(folder), counts, seen: new Set(), redactor: null },
      notes: new Notes(events),
      changed: () => undefined,
    };
    const options = { out: folder, jobs: 1, again: false, retry: false, stop: new AbortController().signal, events };
    await readFiles([FILE], options, state, watcher);
    return state;
  }
  const done = (truncated: boolean): Outcome => ({
    ...{ kind: 'analyze', line: lineOf(ENTRY), note: noteOf(ENTRY), truncated, elapsedMs: 1 },
    page: writeTemporaryFile(join(folder, 'pages'), ['<p>page']),
  });

  it('has its page and its line when it is told of', async () => {
    const { history, counts } = await read(() => done(false));
    expect(told).to.deep.equal(['more 1', 'analyzed /s/a.dmp']);
    expect(counts.analyzed).to.equal(1);
    expect(readFileSync(join(folder, pageName('aaaa')), 'utf8')).to.equal('<p>page');
    expect(readdirSync(join(folder, 'pages'))).to.have.length(1);
    expect(history.records()).to.deep.equal(History.load(folder).records());
    expect(history.entryOf(history.records()[0]!)).to.deep.equal(ENTRY);
  });

  it('leaves no page of a dump that is still being copied', async () => {
    const watcher = new Watcher(60_000, () => ({ size: 1, mtimeMs: Date.now() }));
    watcher.ready([FILE], Date.now(), () => undefined);
    const { history } = await read(() => done(true), watcher);
    expect(told).to.deep.equal(['more 1', 'deferred /s/a.dmp']);
    expect(readdirSync(join(folder, 'pages'))).to.deep.equal([]);
    expect(history.records()).to.deep.equal([]);
  });

  it('ends the batch when a page cannot be written, with what the platform said', async () => {
    const full = { kind: 'unwritten', code: 'ENOSPC', path: '/r/pages/x', message: 'ENOSPC: no space left' } as const;
    const error: unknown = await read(() => full).catch((reason: unknown) => reason);
    expect(error).to.be.an('error').that.includes({ code: 'ENOSPC', path: '/r/pages/x', message: full.message });
    expect(told).to.deep.equal(['more 1']);
  });

  it('cannot be told when its page is gone', async () => {
    const lost = (): Outcome => {
      const outcome = done(false);
      for (const name of readdirSync(join(folder, 'pages'))) rmSync(join(folder, 'pages', name));
      return outcome;
    };
    expect(await read(lost).catch((reason: unknown) => reason)).to.include({ code: 'ENOENT' });
    expect(existsSync(join(folder, pageName('aaaa')))).to.equal(false);
    expect(History.load(folder).records()).to.deep.equal([]);
  });
});
