import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyEntry, dumpEntry, failureEntry } from '../inputs/entries.test.helper.js';
import type { DumpEntry, Entry } from '../inputs/entries.js';
import { History } from '../journal/history.js';
import { Journal, lineOf } from '../journal/journal.js';
import { overviewOf } from '../outputs/overview.js';
import { noteOf } from '../outputs/summary.js';
import type { Asked, Table } from './engine.js';
import * as fromJournal from './from-journal.js';
import * as questions from './questions.js';
import { parseAddress } from './server/address.js';
import { startPostgres, type Postgres } from './server/postgres.test.helper.js';
import { SharedHistory, type Item } from './server/shared-history.js';
import { Store } from './store.js';

const day = (n: number): string => `2026-03-${String(n).padStart(2, '0')}T00:00:00.000Z`;
const named = (name: string) => ({ machine: { name, nameFrom: 'folder' as const } });

/** Texts that sort, compare and store differently from engine to engine where nobody looks after it. */
const NAMES = ['a', 'B', 'é', 'É', 'ß', 'z_%*', "o'k\\", '\u{1f41e}', '\uffee', 'nul\0', 'half\ud83d', 'ſ', 'İ', ' x '];

const ENTRIES: Entry[] = [
  ...NAMES.map((name, i) =>
    dumpEntry(`/s/${name}/${i}.dmp`, { id: `abc${i}ffff0000`, systemTime: i % 5 === 0 ? null : day(1 + (i % 4)), bytes: i % 6 === 0 ? 0 : 1_000_000 * (i + 1), driver: i % 3 === 0 ? null : `${name}.sys`, tag: i % 2 === 0 ? 'Leak' : `T${i} `, ...named(i % 4 === 0 ? 'FS01' : name) }),
  ),
  ...[1, 2, 3, 4, 5, 6].map((n) =>
    dumpEntry(`/s/grow/${n}.dmp`, { id: `grow${n}`, systemTime: day(n), bytes: 100_000_000 * n, tag: 'Grow', ...named('GROW') }),
  ),
  dumpEntry('/s/undecided.dmp', { id: 'undecided', bytes: 0, systemTime: day(9) }),
  failureEntry('/s/bad.dmp'),
  failureEntry('/s/É/bad.dmp'),
  copyEntry('/s/copy of 1.dmp', 'grow1'),
]; // prettier-ignore

const itemOf = (entry: Entry): Item => (entry.kind === 'dump' ? { line: lineOf(entry), note: noteOf(entry) } : entry);

/** Every question with a name, and its answer from the journal where that can give one. */
const QUESTIONS: [string, (store: Asked) => Promise<Table>, ((history: History) => Table)?][] = [
  ...(
    [
      {}, { tag: 'Leak' }, { tag: 'T*' }, { tag: 'T1' }, { tag: 'leak' }, { driver: '*.SYS' }, { driver: 'é.sys' }, { driver: "o'k\\*" },
      { driver: 'z_%*' }, { machine: 'fs01' }, { machine: '*' }, { machine: 'grow' }, { since: day(2) }, { until: day(2) },
      { since: day(2), until: day(4), leaks: true }, { leaks: true }, { undecided: true }, { process: '*' }, { driver: 'İ*' }, { driver: 'S.sys' },
    ] satisfies questions.Filter[]
  ).map((filter): (typeof QUESTIONS)[number] => [
    `list ${JSON.stringify(filter)}`,
    async (store) => questions.listDumps(store, filter),
    (history) => fromJournal.listDumps(history, filter),
  ]),
  ['groups', questions.listGroups, fromJournal.listGroups],
  ['machines', questions.listMachines, fromJournal.listMachines],
  ['tables', questions.listTables],
  ['export', questions.exportRows],
  ...['grow', 'É', 'FS01', '%', 'Leak', 'x'].map((word): (typeof QUESTIONS)[number] => [
    `search ${word}`,
    async (store) => questions.search(store, word),
  ]),
  ...['abc1', 'abc*', 'abc', 'a-c1*', 'grow1', '/s/copy of 1.dmp', '/s/grow/2.dmp', 'a%c1', 'none'].map((word): (typeof QUESTIONS)[number] => [
    `dumps ${word}`,
    async (store) => idsOf((await questions.findDumps(store, word)).map(({ id }) => id)),
    (history) => idsOf(fromJournal.findDumps(history, word).map(({ id }) => id)),
  ]),
  ['sql of every table', async (store) => store.ask('select count(*), sum(allocs), max(bytes)::float8, min(tag) from tag_rows')],
  ['sql of types', async (store) => store.ask(`select 1::int8, 9007199254740993::int8, 1.50::numeric, 0.1::float8, '2026-01-02'::date, '2026-01-02 03:04:05'::timestamp, '2026-01-02 03:04:05+01'::timestamptz, true, null, '{"a":[1]}'::jsonb, array['x','y'], 'é'::text`)],
  ['sql of drivers', async (store) => store.ask('select d.name, count(*) from dump_drivers x join drivers d on d.id = x.driver_id group by 1 order by 2 desc, d.name collate "C"')],
  ['sql of growth', async (store) => store.ask('select tag, growth_machine, growth_judgement, growth_per_hour, growth_points from groups order by position')],
]; // prettier-ignore

const idsOf = (ids: string[]): Table => ({ columns: ['id'], rows: ids.map((id) => [id]) });

describe('the engines of a history', function () {
  this.timeout(300_000);
  let server: Postgres | null = null;
  let folder = '';
  before(async () => {
    server = await startPostgres();
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-engines-'));
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (): Promise<SharedHistory> =>
    SharedHistory.open(parseAddress(server!.url(await server!.createDatabase()), {}));
  const journalOf = (entries: readonly Entry[]): string => {
    const place = mkdtempSync(join(folder, 'history-'));
    const journal = Journal.open(place);
    for (const entry of entries) journal.append(entry);
    journal.close();
    return place;
  };

  describe('PGlite in the folder', () => {
    it('answers as the journal does', async () => {
      const place = journalOf(ENTRIES);
      const store = await Store.open(place);
      try {
        const history = History.load(place);
        for (const [name, ask, journal] of QUESTIONS) {
          if (journal !== undefined) expect(journal(history), name).to.deep.equal(await ask(store));
        }
      } finally {
        await store.close();
      }
    });
  });

  describe('PostgreSQL on a server', () => {
    before(function () {
      // There is no PostgreSQL here: none of these can be tried.
      if (server === null) this.skip();
    });

    it('answers as the journal and PGlite do, however often it was asked in between', async () => {
      const place = journalOf(ENTRIES);
      const store = await Store.open(place);
      const shared = await open();
      try {
        for (const [i, entry] of ENTRIES.entries()) {
          expect(await shared.append(itemOf(entry))).to.equal('written');
          if (i % 7 === 0) await shared.bringUp();
        }
        await shared.bringUp();
        const history = History.load(place);
        for (const [name, ask, journal] of QUESTIONS) {
          const answer = await ask(shared);
          expect(answer, name).to.deep.equal(await ask(store));
          if (journal !== undefined) expect(answer, name).to.deep.equal(journal(history));
        }
        await shared.rebuild();
        for (const [name, ask] of QUESTIONS) expect(await ask(shared), name).to.deep.equal(await ask(store));
      } finally {
        await store.close();
        await shared.close();
      }
    });

    /** Few places, files and crashes, so that they meet in every way. */
    const entries = fc.array(
      fc.record({
        kind: fc.constantFrom('dump', 'dump', 'failure', 'copy'),
        place: fc.constantFrom('/p/1', '/p/2', '/p/10'),
        file: fc.constantFrom('f1', 'f2', 'f3'),
        header: fc.constantFrom('h1', 'h2'),
        id: fc.constantFrom('id-1', 'id-2', 'id-3'),
        code: fc.constantFrom('corrupt', 'io', 'not-a-dump'),
        again: fc.boolean(),
        ask: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    type Step = (typeof entries extends fc.Arbitrary<infer T> ? T : never)[number];
    const entryOf = ({ kind, place, file, header, id, code }: Step): Entry =>
      kind === 'dump'
        ? dumpEntry(place, { id, fileId: file, headerId: header })
        : kind === 'copy'
          ? copyEntry(place, file)
          : failureEntry(place, { fileId: file, passed: code === 'not-a-dump', error: { code, message: code } });

    it('is the same history as a journal with the same lines', async () => {
      const database = await server!.createDatabase();
      const shared = await SharedHistory.open(parseAddress(server!.url(database), {}));
      const property = fc.asyncProperty(entries, async (steps) => {
        await server!.run(database, 'set search_path to dumpleak; truncate entries, state, dumps, drivers, groups, machines, failures cascade'); // prettier-ignore
        await isSame(shared, steps);
      });
      try {
        await fc.assert(property, { numRuns: 40 });
      } finally {
        await shared.close();
      }
    });

    async function isSame(shared: SharedHistory, steps: readonly Step[]): Promise<void> {
      const written: Entry[] = [];
      for (const step of steps) {
        const entry = entryOf(step);
        const known = historyOf(written).known(step.file);
        const told = await shared.append(itemOf(entry), { again: step.again });
        if (entry.kind === 'dump') expect(told).to.equal(known === 'dump' && !step.again ? 'known' : 'written');
        if (told === 'written') written.push(entry);
        if (step.ask) await shared.bringUp();
      }
      const want = historyOf(written);
      const files = ['f1', 'f2', 'f3'];
      const known = await shared.known(files);
      expect(files.map((file) => known.get(file) ?? null)).to.deep.equal(files.map((file) => want.known(file)));
      await shared.bringUp();
      const plain = ({ records, failures, groups }: ReturnType<typeof overviewOf>) => [records.map((record) => ({ ...record, offset: 0, length: 0 })), failures, groups.map((group) => ({ ...group, growth: null }))]; // prettier-ignore
      expect(plain(await shared.overview())).to.deep.equal(plain(overviewOf(want)));
      const { rows } = await shared.ask('select id from dumps');
      expect(rows.map(([id]) => id)).to.have.members(want.records().map(({ id }) => id));
      // What the tables are made of is still there, whatever went.
      for (const entry of await shared.read((await shared.load()).records())) expect(entry?.kind).to.equal('dump');
    }

    /** Where no line can be read: its growth is not told. */
    function historyOf(lines: readonly Entry[]): History {
      const place = mkdtempSync(join(folder, 'h-'));
      const journal = Journal.open(place);
      for (const line of lines) journal.append(line);
      journal.close();
      return History.load(place);
    }

    it('changes nothing by a question, whatever it says', async () => {
      const shared = await open();
      try {
        for (const entry of ENTRIES) await shared.append(itemOf(entry));
        await shared.bringUp();
        const count = async () => (await shared.ask('select count(*) from dumps')).rows[0]?.[0];
        const before = await count();
        for (const question of [
          'delete from dumps',
          'commit; delete from dumps',
          'select 1; delete from dumps',
          'set transaction read write',
          `select set_config('transaction_read_only', 'off', false)`,
          `do $$ begin perform set_config('transaction_read_only', 'off', true); delete from dumps; end $$`,
          `do $$ begin set transaction read write; delete from dumps; end $$`,
          `do $$ begin commit; delete from dumps; end $$`,
          'with gone as (delete from dumps returning 1) select count(*) from gone',
          'commit',
          'rollback',
          'drop schema dumpleak cascade',
          'create table mine (x int)',
          'lock table dumps',
          'set session characteristics as transaction read write',
        ]) {
          await shared.ask(question).catch((error: unknown) => {
            expect(error, question).to.have.property('code', 'bad-question');
          });
          await shared.ask('delete from dumps').then(
            () => expect.fail(`after ${question} a question deletes`),
            () => undefined,
          );
          expect(await count(), question).to.equal(before);
        }
      } finally {
        await shared.close();
      }
    });

    it('sets aside what the tables cannot take, and takes all else', async () => {
      const shared = await open();
      try {
        const odd: DumpEntry = dumpEntry('/s/odd.dmp', { id: 'odd' });
        odd.result.system = { ...odd.result.system!, buildNumber: 4_000_000_000 };
        await shared.append(itemOf(odd));
        for (const entry of ENTRIES) await shared.append(itemOf(entry));
        await shared.bringUp();
        expect((await shared.ask('select count(*) from dumps')).rows).to.deep.equal([[NAMES.length + 7]]);
        expect(await shared.damage()).to.match(/1 results are set aside.*out of range/);
      } finally {
        await shared.close();
      }
    });

    it('takes names that are longer than an index', async () => {
      const shared = await open();
      try {
        const long = 'x\u{1f41e}'.repeat(2_000);
        await shared.append(
          itemOf(dumpEntry(`/s/${long}.dmp`, { id: 'long', fileId: `f#${long}`, driver: `${long}.sys` })),
        );
        await shared.append(copyEntry(`/t/${long}.dmp`, `f#${long}`));
        await shared.append(failureEntry(`/u/${long}.dmp`));
        await shared.bringUp();
        expect(await shared.damage()).to.equal(null);
        expect((await shared.ask('select count(*) from dumps')).rows).to.deep.equal([[1]]);
      } finally {
        await shared.close();
      }
    });
  });
});
