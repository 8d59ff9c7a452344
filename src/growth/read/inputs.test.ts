import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { linkOrSkip } from '../../../test-dumps/links.test.helper.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { renderJson } from '../../report/json.js';
import { analyze } from '../../analysis/analyze.js';
import { readDifference } from '../diff.js';
import { readCounterNames } from './inputs.js';
import { readTrend, type Trend, type TrendOptions } from '../trend.js';

const TITLE = ' Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc';
const T = Date.UTC(2026, 10, 20, 12) / 1000;

function log(rows: readonly (readonly [string, string, number, number, number])[], nonPagedKb = 4000): string {
  return [
    ` Memory: 1000000K Avail:  600000K  PageFlts:400263   InRam Krnl: 5000K P: 2000K`,
    ` Commit: 500000K Limit:2000000K Peak: 600000K            Pool N:${nonPagedKb}K P: 3000K`,
    '',
    TITLE,
    '',
    ...rows.map(
      ([tag, pool, allocs, frees, bytes]) =>
        ` ${tag} ${pool.padEnd(5)} ${allocs} ${frees} ${allocs - frees} ${bytes} 0`,
    ),
    '',
  ].join('\r\n');
}

describe('growth from files', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-growth-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (name: string): string => join(folder, name);
  let count = 0;

  /** A new folder with files, whose times are so many minutes after noon. */
  function folderOf(files: Record<string, { content: string | Uint8Array; minutes?: number }>): string {
    const place = path(`f${count++}`);
    mkdirSync(place);
    for (const [name, { content, minutes = 0 }] of Object.entries(files)) {
      writeFileSync(join(place, name), content);
      utimesSync(join(place, name), T + minutes * 60, T + minutes * 60);
    }
    return place;
  }

  function numbered(
    n: number,
    content: (i: number) => string,
    every = 15,
  ): Record<string, { content: string; minutes: number }> {
    return Object.fromEntries(
      Array.from({ length: n }, (_, i) => [`log-${i + 1}.txt`, { content: content(i), minutes: i * every }]),
    );
  }

  const find = (trend: Trend, label: string): Trend['series'][number] => {
    const found = trend.series.find(({ series }) => series.name.label === label);
    if (found === undefined) throw new Error(`no series ${label}`);
    return found;
  };
  const codes = (trend: Trend): string[] => trend.warnings.map(({ code }) => code);

  it('reads numbered logs in natural order, ranks by growth and not by size, and says how long it takes', async () => {
    const place = folderOf(
      numbered(12, (i) =>
        log(
          [
            ['Huge', 'Nonp', 900_000, 800_000, 900e6],
            ['Leak', 'Nonp', 1000 + i * 10, 5, 4_000_000 + i * 1_000_000],
            ['Slow', 'Paged', 1000 + i, 5, 4_000_000 + i * 100_000],
          ],
          1_000_000 + i * 1000,
        ),
      ),
    );
    const trend = await readTrend([place]);
    expect(trend.timed).to.equal(true);
    expect(
      trend.series.slice(0, 2).map(({ series: { name }, verdict }) => [name.label, name.pool, verdict.judgement]),
    ).to.deep.equal([
      ['Leak', 'nonpaged', 'leak'],
      ['Slow', 'paged', 'leak'],
    ]);
    const leak = find(trend, 'Leak');
    expect(leak.verdict.main.verdict.perHour).to.equal(4_000_000);
    expect([...leak.series.values.slice(0, 3)]).to.deep.equal([4e6, 5e6, 6e6]);
    expect(leak.verdict.reasons.map(({ code }) => code)).to.include('never-freed');
    // 600,000 KB are available, 1,500,000 KB can still be committed.
    expect(leak.limits.map(({ name }) => name)).to.deep.equal(['physical memory', 'commit limit']);
    expect(leak.limits[0]!.hours).to.be.closeTo((600_000 * 1024) / 4e6, 1e-6);
    expect(find(trend, 'Huge').verdict.judgement).to.equal('flat');
    expect(find(trend, 'Huge').limits).to.deep.equal([]);
    expect(trend.untagged.nonpaged).to.deep.equal({
      poolBytes: 1_011_000 * 1024,
      tagBytes: 900e6 + 15e6,
      restBytes: 1_011_000 * 1024 - 915e6,
    });
    expect(codes(trend)).to.deep.equal(['file-times']);
  });

  it('groups tags that grow together', async () => {
    const place = folderOf(
      numbered(40, (i) => {
        const jobs = 50 * i + ((i * 7919) % 23) * 2;
        return log([
          ['amda', 'Nonp', 1000 + jobs, 5, 6384 * (995 + jobs)],
          ['IoWI', 'Nonp', 3000 + jobs, 5, 64 * (2995 + jobs)],
          ['Else', 'Nonp', 3000 + 60 * i + ((i * 104_729) % 31), 5, 640 * (2995 + 60 * i + ((i * 104_729) % 31))],
        ]);
      }),
    );
    const trend = await readTrend([place]);
    expect(trend.groups).to.have.length(1);
    expect(trend.groups[0]!.tags).to.deep.equal(['amda', 'IoWI']);
    expect(trend.groups[0]!.ratio).to.be.closeTo(1, 1e-9);
  });

  it('splits at a restart and judges both sides', async () => {
    const place = folderOf(
      numbered(20, (i) => {
        const since = i < 10 ? i : i - 10;
        return log([
          ['Leak', 'Nonp', (i < 10 ? 5000 : 100) + since * 10, 5, 4_000_000 + since * 1_000_000],
          ['File', 'Nonp', (i < 10 ? 90_000 : 700) + since * 10, 5, 1_000_000 + (i % 2) * 900_000],
        ]);
      }),
    );
    const trend = await readTrend([place]);
    expect(trend.reboots).to.deep.equal([10]);
    const leak = find(trend, 'Leak');
    expect(leak.verdict.stretches.map(({ from, to }) => [from, to])).to.deep.equal([
      [0, 10],
      [10, 20],
    ]);
    expect(leak.verdict.judgement).to.equal('leak');
    expect(leak.verdict.reasons.map(({ code }) => code)).to.include('grows-again');
  });

  it('mixes logs, a dump and its JSON result in one series, in UTF-16 too', async () => {
    buildDump(SCENARIOS.notmyfault()).writeTo(path('leak.dmp'));
    const opened = await OpenedDump.open(path('leak.dmp'));
    const result = analyze(opened);
    opened.close();
    const json = path('result.json');
    writeFileSync(json, iconv.encode(renderJson(result), 'utf16-le', { addBOM: true }));
    const time = Date.parse(result.dump.systemTime!);
    const stamp = (hours: number): string => `${new Date(time + hours * 3_600_000).toISOString()}\r\n`;
    const logs = path('logs.txt');
    const [row] = result.poolTags!.rows.filter(({ tag }) => tag === 'Leak');
    const { allocs, frees, bytes } = row!.nonPaged;
    const later = (hours: number): string =>
      stamp(hours) + log([['Leak', 'Nonp', Number(allocs) + hours, Number(frees), Number(bytes) + hours * 1_024_000]]);
    writeFileSync(logs, later(1) + later(2));
    for (const first of [path('leak.dmp'), json]) {
      const trend = await readTrend([first, logs], { tags: ['Lea?'], pool: 'nonpaged' });
      expect(trend.series).to.have.length(1);
      expect([...trend.series[0]!.series.values], first).to.deep.equal([615424000, 616448000, 617472000]);
      expect([...trend.series[0]!.series.allocs!]).to.deep.equal([0, 1, 2].map((more) => Number(allocs) + more));
      expect(trend.reboots).to.deep.equal([]);
    }
  });

  it('takes the whole nonpaged pool of a dump as it is, of which the NX part is no more than a part', async () => {
    const built = buildDump({ ...SCENARIOS.modernLeak(), kernel: '6.3.9600.21620' });
    built.writeTo(path('nx.dmp'));
    const trend = await readTrend([path('nx.dmp')]);
    expect(trend.untagged.nonpaged?.poolBytes).to.equal(built.truth.memory.nonPagedPoolUsage! * 4096);
  });

  it('reads counter logs: pool totals, processes by their number, counters by index or local name', async () => {
    const names = path('names.txt');
    writeFileSync(names, '4=Arbeitsspeicher\n58=Nicht ausgelagerter Pool (Bytes)\n');
    const header = [
      '(PDH-CSV 4.0) (UTC)(0)',
      '\\\\A\\4\\58',
      '\\\\A\\Process(app#1)\\Handle Count',
      '\\\\A\\Process(app#1)\\ID Process',
      '\\\\A\\Memory\\Pages/sec',
    ];
    const rows = Array.from({ length: 30 }, (_, i) => {
      const hour = String(i % 24).padStart(2, '0');
      return [
        `11/${20 + Math.floor(i / 24)}/2026 ${hour}:00:00.000`,
        1e8 + i * 1e6,
        500 + i * 150,
        i < 15 ? 77 : 78,
        i * 5,
      ];
    });
    const csv = path('counters.csv');
    writeFileSync(csv, [header, ...rows].map((cells) => cells.map((cell) => `"${cell}"`).join(',')).join('\r\n'));
    const trend = await readTrend([csv]);
    const total = find(trend, 'nonpaged pool');
    expect([total.series.name.kind, total.verdict.judgement]).to.deep.equal(['pool-total', 'leak']);
    expect(total.verdict.main.verdict.perHour).to.be.closeTo(1e6, 1);
    const handles = find(trend, 'app (77) Handle Count');
    expect(handles.series.values).to.have.length(15);
    expect(handles.verdict.judgement).to.equal('leak');
    expect(handles.notes.map(({ code }) => code)).to.deep.equal(['pal-handle-trend']);
    expect(find(trend, 'app (78) Handle Count').series.values).to.have.length(15);
    expect(find(trend, 'Memory\\Pages/sec').verdict.judgement).to.equal('load');
    writeFileSync(
      csv,
      `"(PDH-CSV 4.0) (UTC)(0)","\\\\A\\Arbeitsspeicher\\Nicht ausgelagerter Pool (Bytes)"\n"11/20/2026 00:00:00.000","5"\n`,
    );
    const local = await readTrend([csv], { counterNames: readCounterNames(names) });
    expect(local.series.map(({ series }) => series.name.label)).to.deep.equal(['nonpaged pool']);
    expect(codes(local)).to.deep.equal([]);
  });

  it('reads counter logs of 19,000 columns: the work for a column does not grow with their number', async () => {
    const columns = Array.from({ length: 19_000 }, (_, i) => `\\\\A\\Process(p)\\Counter ${i}`);
    const csv = path('many.csv');
    const rows = [
      ['(PDH-CSV 4.0) (UTC)(0)', ...columns],
      ['11/20/2026 00:00:00.000', ...columns.map((_, i) => i)],
      ['11/20/2026 01:00:00.000', ...columns.map((_, i) => i)],
    ];
    writeFileSync(csv, rows.map((cells) => cells.map((cell) => `"${cell}"`).join(',')).join('\r\n'));
    const trend = await readTrend([csv]);
    expect([...find(trend, 'p Counter 18999').series.values]).to.deep.equal([18999, 18999]);
  });

  it('counts bytes under their local names, and says that names are missing', async () => {
    const header = [
      '(PDH-CSV 4.0) (UTC)(0)',
      '\\\\A\\M\\Pool (Bytes)',
      '\\\\A\\M\\Octets lus/s',
      '\\\\A\\P(a)\\Handleanzahl',
    ];
    const rows = Array.from({ length: 10 }, (_, i) => [
      `11/20/2026 ${10 + i}:00:00.000`,
      1e8 + i * 1e6,
      i * 900,
      i * 90,
    ]);
    const csv = path('local.csv');
    writeFileSync(csv, [header, ...rows].map((cells) => cells.map((cell) => `"${cell}"`).join(',')).join('\r\n'));
    const trend = await readTrend([csv]);
    expect(codes(trend)).to.deep.equal(['counter-names']);
    const units = new Map(
      trend.series.map(({ series: { name }, verdict }) => [name.label, `${name.unit} ${verdict.judgement}`]),
    );
    expect(Object.fromEntries(units)).to.deep.equal({
      'M\\Pool (Bytes)': 'bytes leak',
      'M\\Octets lus/s': 'other load',
      'P(a)\\Handleanzahl': 'other load',
    });
  });

  it('knows the order alone where nothing tells times, and takes an interval', async () => {
    const place = folderOf(numbered(12, (i) => log([['Leak', 'Nonp', 1000 + i, 5, 4e6 + i * 1e6]]), 0));
    const without = await readTrend([place]);
    expect(without.timed).to.equal(false);
    expect(find(without, 'Leak').verdict.judgement).to.equal('leak');
    expect(codes(without)).to.deep.equal(['no-times']);
    const timed = await readTrend([place], { intervalMs: 3_600_000 });
    expect(find(timed, 'Leak').verdict.main.verdict.perHour).to.equal(1e6);
  });

  it('passes over other files in folders, and takes logs in any encoding', async () => {
    const text = (i: number): string => log([['Leak', 'Nonp', 1000 + i, 5, 4e6 + i * 1e6]]);
    const place = folderOf({
      'log-1.txt': { content: iconv.encode(text(0), 'utf16-le', { addBOM: true }), minutes: 0 },
      'log-2.txt': { content: iconv.encode(text(1), 'utf8', { addBOM: true }), minutes: 15 },
      'log-3.txt': { content: text(2), minutes: 30 },
      'readme.md': { content: 'About these logs', minutes: 0 },
      'notes.json': { content: '{"a":1}', minutes: 0 },
      '.hidden': { content: text(3), minutes: 45 },
    });
    const trend = await readTrend([place]);
    expect([...find(trend, 'Leak').series.values]).to.deep.equal([4e6, 5e6, 6e6]);
    expect(trend.warnings.find(({ code }) => code === 'files-passed-over')?.message).to.equal(
      '2 files are no logs, dumps or results: notes.json, readme.md',
    );
  });

  async function errorOf(names: string[], options: TrendOptions = {}): Promise<InputError> {
    try {
      await readTrend(names, options);
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
    throw new Error('no error');
  }

  it('leaves links that lead out of a folder, and says so, unless it is told to follow them', async function () {
    const text = log([['Leak', 'Nonp', 10, 0, 4096]]);
    const far = folderOf({ 'far.log': { content: text } });
    const place = folderOf({ 'a.log': { content: text } });
    linkOrSkip(this, join(place, 'a.log'), join(place, 'b.log'));
    linkOrSkip(this, join(far, 'far.log'), join(place, 'c.log'));
    const left = await readTrend([place]);
    expect(left.files.map(({ name }) => name)).to.deep.equal(['a.log', 'b.log']);
    expect(left.warnings.find(({ code }) => code === 'links-not-followed')?.message).to.match(/^c\.log is a link/);
    const followed = await readTrend([place], { followLinks: true });
    expect(followed.files.map(({ name }) => name)).to.deep.equal(['a.log', 'b.log', 'c.log']);
    expect((await readTrend([join(place, 'c.log')])).files).to.have.length(1);
  });

  it('says what is wrong with a file, and how to convert a binary counter log', async () => {
    writeFileSync(path('a.blg'), Buffer.from([1, 0x43, 1, 1, 0, 0, 0, 0]));
    writeFileSync(path('empty.txt'), '');
    writeFileSync(path('mail.txt'), 'Dear all, the server is slow.');
    writeFileSync(path('cut.csv'), '"(PDH-CSV 4.0)","\\\\A\\Memory\\Pages/sec"\r\n');
    buildDump({ kind: 'triage' }).writeTo(path('mini.dmp'));
    mkdirSync(path('nothing'));
    expect((await errorOf([path('a.blg')])).message).to.match(/relog "a\.blg" -f CSV -o "a\.csv"/);
    expect((await errorOf([path('empty.txt')])).code).to.equal('empty');
    expect((await errorOf([path('mail.txt')])).code).to.equal('wrong-kind');
    expect((await errorOf([path('cut.csv')])).message).to.match(/cut\.csv: holds no sample/);
    expect((await errorOf([path('mini.dmp')])).message).to.match(/minidump/);
    expect((await errorOf([path('missing.log')])).code).to.equal('not-found');
    expect((await errorOf([path('nothing')])).code).to.equal('empty');
  });

  it('knows a binary counter log by its name too', async () => {
    const blg = path('x.blg');
    writeFileSync(blg, Buffer.alloc(300, 0xee));
    expect((await errorOf([blg])).message).to.contain('relog "x.blg" -f CSV');
  });

  it('goes on with the others when one file is bad', async () => {
    writeFileSync(path('good.txt'), log([['Leak', 'Nonp', 1000, 5, 4e6]]));
    const trend = await readTrend([path('good.txt'), path('mail.txt'), path('a.blg')]);
    expect(codes(trend)).to.include('not-recognised').and.include('wrong-kind');
    expect(trend.series).to.not.have.length(0);
  });

  describe('two of them', () => {
    it('differ by tags, largest growth first, and by what one does not list', async () => {
      writeFileSync(
        path('a.txt'),
        `2026-11-20 12:00\r\n${log([
          ['Leak', 'Nonp', 700, 99, 6e6],
          ['Gone', 'Paged', 9, 1, 800],
          ['Same', 'Nonp', 9, 1, 800],
        ])}`,
      );
      writeFileSync(
        path('b.txt'),
        `2026-11-20 14:00\r\n${log([
          ['Leak', 'Nonp', 900, 100, 8e6],
          ['New ', 'Nonp', 9, 1, 900],
          ['Same', 'Nonp', 9, 1, 800],
        ])}`,
      );
      const found = await readDifference(path('a.txt'), path('b.txt'));
      expect(found.elapsedMs).to.equal(7_200_000);
      expect(found.restarted).to.equal(false);
      expect(found.unchanged).to.equal(1);
      expect(found.modules).to.equal(null);
      expect(found.tags).to.deep.equal([
        {
          tag: 'Leak',
          pool: 'nonpaged',
          before: { bytes: 6e6, outstanding: 601 },
          after: { bytes: 8e6, outstanding: 800 },
          bytes: 2e6,
          outstanding: 199,
        },
        {
          tag: 'New ',
          pool: 'nonpaged',
          before: null,
          after: { bytes: 900, outstanding: 8 },
          bytes: 900,
          outstanding: 8,
        },
        {
          tag: 'Gone',
          pool: 'paged',
          before: { bytes: 800, outstanding: 8 },
          after: null,
          bytes: -800,
          outstanding: -8,
        },
      ]);
    });

    it('differ by drivers: loaded, unloaded, another build', async () => {
      const opened = await OpenedDump.open(path('leak.dmp'));
      const result = analyze(opened);
      opened.close();
      const modules = structuredClone(result.modules!);
      const [first, second] = modules.splice(1, 2);
      modules.push({ ...first!, name: 'NEW.sys' });
      modules[3]!.timeDateStamp = '0x1';
      writeFileSync(path('later.json'), JSON.stringify({ ...result, modules }));
      const found = await readDifference(path('leak.dmp'), path('later.json'));
      expect(found.tags).to.deep.equal([]);
      expect(found.restarted).to.equal(false);
      expect(found.modules!.loaded.map(({ name }) => name)).to.deep.equal(['NEW.sys']);
      expect(found.modules!.unloaded.map(({ name }) => name)).to.have.members([first!.name, second!.name]);
      expect(found.modules!.changed.map(({ name }) => name)).to.deep.equal([modules[3]!.name]);
    });
  });
});
