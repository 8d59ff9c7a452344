import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import iconv from 'iconv-lite';
import { failed } from '../bytes/failure.js';
import { looksLikePoolmon, parsePoolmonLog, type PoolmonLog } from './poolmon.js';

/** build/parsers/text -> project root. */
const CORPUS = new URL('../../../../shared/corpus/logs/', import.meta.url);

const HEADER = [
  ' Memory:16468560K Avail:12072536K  PageFlts:468600648   InRam Krnl:56708K P:950888K',
  ' Commit:4100436K Limit:17517136K Peak:11685564K            Pool N:710920K P:983564K',
];
const TITLE = ' Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc';
const ROWS = [
  ' EtwB Nonp       6394      4056      2338 163418368      69896',
  ' MmSt Paged   2269405   2095404    174001 156097152        897',
];

function parse(text: string | Uint8Array): PoolmonLog {
  const log = parsePoolmonLog(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  if (failed(log)) throw new Error(log.message);
  return log;
}

const tagOf = (key: number): string => Buffer.from(Uint32Array.of(key).buffer).toString('latin1');

/** `tag pool allocs frees bytes` of all rows. */
function rowsOf(log: PoolmonLog): string[] {
  return Array.from({ length: log.rows }, (_, i) => {
    const pool = log.pools[i] === 0 ? 'N' : 'P';
    return [tagOf(log.tags[i]!), pool, log.allocs[i], log.frees[i], log.bytes[i]].join(' ');
  });
}

const snapshot = (...lines: string[]): string => [...lines, ''].join('\r\n');
const PLAIN = snapshot(...HEADER, '', TITLE, '', ...ROWS);
const PLAIN_ROWS = ['EtwB N 6394 4056 163418368', 'MmSt P 2269405 2095404 156097152'];

describe('poolmon logs', () => {
  it('reads a snapshot: header and rows', () => {
    const log = parse(PLAIN);
    expect(rowsOf(log)).to.deep.equal(PLAIN_ROWS);
    expect(log.narrow).to.equal(true);
    expect(log.badRows).to.equal(0);
    expect(log.snapshots).to.have.length(1);
    expect(log.snapshots[0]!.header).to.deep.equal({
      memoryBytes: 16468560 * 1024,
      availableBytes: 12072536 * 1024,
      pageFaults: 468600648,
      residentKernelBytes: 56708 * 1024,
      residentPagedBytes: 950888 * 1024,
      commitBytes: 4100436 * 1024,
      commitLimitBytes: 17517136 * 1024,
      commitPeakBytes: 11685564 * 1024,
      nonPagedPoolBytes: 710920 * 1024,
      pagedPoolBytes: 983564 * 1024,
    });
  });

  it('cuts the tag by column: blanks belong to it', () => {
    const log = parse(snapshot(TITLE, ' Io   Nonp 5 1 4 64 16', ' Dh 1 Paged 7 1 6 96 16', '   a  Nonp 9 9 0 0 0'));
    expect(rowsOf(log)).to.deep.equal(['Io   N 5 1 64', 'Dh 1 P 7 1 96', '  a  N 9 9 0']);
  });

  it('takes the protected bit out of the tag', () => {
    const row = Buffer.from(' Irp  Nonp 5 1 4 64 16\r\n', 'latin1');
    row[4] = 0x20 | 0x80;
    expect(tagOf(parse(row).tags[0]!)).to.equal('Irp ');
  });

  it('reads wide columns, drivers, and screens with change columns', () => {
    const wide = parse(
      snapshot(
        ' Tag  Type     Allocs            Frees               Diff            Bytes                 Per Alloc       Mapped_Driver',
        ' ConT Nonp                3097               2409               688       42770432            62166        Unknown Driver',
        ' Thre Nonp              180351             176602              3749       13179648             3515        [nt!ps - Thread objects]',
        ' Twic Paged              180351             176602              3749       13179648             3515        [localdrv][text of the list]',
      ),
    );
    expect(rowsOf(wide)).to.deep.equal([
      'ConT N 3097 2409 42770432',
      'Thre N 180351 176602 13179648',
      'Twic P 180351 176602 13179648',
    ]);
    expect(wide.narrow).to.equal(false);
    expect([...wide.drivers.values()]).to.deep.equal(['nt!ps - Thread objects', 'localdrv']);
    const screen = parse(
      snapshot(
        ...HEADER,
        ' System pool information',
        ' Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc  Mapped_Driver',
        '',
        ' NtFB Paged      3996 (   2)      3986 (  -1)    10  252088 (   -64)  25208 [ntfs.sys  -  Bitm',
      ),
    );
    expect(rowsOf(screen)).to.deep.equal(['NtFB P 3996 3986 252088']);
    expect(screen.snapshots[0]!.screen).to.equal(true);
    expect([...screen.drivers.values()]).to.deep.equal(['ntfs.sys  -  Bitm']);
  });

  it('tells snapshots in one file apart, by headers or by the first tag that comes again', () => {
    const both = parse(PLAIN + PLAIN);
    expect(both.snapshots.map(({ firstRow, rowCount }) => [firstRow, rowCount])).to.deep.equal([
      [0, 2],
      [2, 2],
    ]);
    const titles = parse(snapshot(TITLE, ...ROWS, TITLE, ...ROWS, TITLE, ...ROWS));
    expect(titles.snapshots).to.have.length(3);
    const bare = parse(snapshot(...ROWS, ...ROWS));
    expect(bare.snapshots).to.have.length(2);
    expect(bare.snapshots[1]!.header).to.equal(null);
  });

  it('finds the stamps of scripts above or below the tables, on one line or two', () => {
    const days = (log: PoolmonLog): (number | undefined)[] => log.snapshots.map(({ stamp }) => stamp?.day);
    const table = snapshot(...HEADER, '', TITLE, '', ...ROWS);
    const stamp = (day: number): string => `2${day}/11/2026 14:05:12.34\r\n`;
    expect(days(parse(stamp(0) + table + stamp(1) + table))).to.deep.equal([20, 21]);
    expect(days(parse(table + stamp(0) + table + stamp(1)))).to.deep.equal([20, 21]);
    expect(days(parse(table + stamp(1) + table))).to.deep.equal([undefined, 21]);
    const two = parse(`Fri 11/20/2026 \r\n14:05\r\n${table}`);
    expect(two.snapshots[0]!.stamp).to.include({ year: 2026, day: 20, time: (14 * 60 + 5) * 60_000 });
  });

  it('reads UTF-16 and UTF-8 with a mark, and code pages', () => {
    for (const encoding of ['utf16-le', 'utf16-be', 'utf8']) {
      expect(rowsOf(parse(iconv.encode(PLAIN, encoding, { addBOM: true }))), encoding).to.deep.equal(PLAIN_ROWS);
    }
    expect(rowsOf(parse(iconv.encode(PLAIN, 'utf16-le')))).to.deep.equal(PLAIN_ROWS);
    const accent = snapshot(...HEADER, TITLE, ' \u00c9tw\u00e9 Nonp 5 1 4 64 16');
    // 0xE9 without the protected bit is `i`.
    for (const bytes of [
      iconv.encode(accent, 'latin1'),
      iconv.encode(accent, 'utf16-le', { addBOM: true }),
      iconv.encode(accent, 'utf8'),
    ]) {
      expect(rowsOf(parse(bytes))).to.deep.equal(['\u00c9twi N 5 1 64']);
    }
  });

  it('reads numbers with separated groups, long ones, and lines that lost their first blank', () => {
    const log = parse(
      snapshot(
        TITLE,
        ' Aaaa Nonp 1,234,567 1.000 1233567 2\u00a0000\u00a0000 1',
        ' Bbbb Paged 18446744073709551615 1 2 9007199254740993 1',
        'Cccc Nonp 5 1 4 64 16',
        ' Dddd Nonp 5 1 -4 64 16',
      ),
    );
    expect(rowsOf(log)).to.deep.equal([
      'Aaaa N 1234567 1000 2000000',
      'Bbbb P 18446744073709552000 1 9007199254740992',
      'Cccc N 5 1 64',
      'Dddd N 5 1 64',
    ]);
  });

  it('counts rows that cannot be read, and keeps the rest', () => {
    const log = parse(
      snapshot(
        TITLE,
        ' Aaaa Nonp 5 1',
        ' Bbbb Nonp',
        ' Cccc Nonp 5 1 4 64',
        ' Dddd Nonp x y z',
        ' Eeee Nonpaged 1 2 3',
      ),
    );
    expect(rowsOf(log)).to.deep.equal(['Cccc N 5 1 64']);
    expect(log.badRows).to.be.at.least(2);
  });

  it('takes no tag across two lines', () => {
    expect(rowsOf(parse(`abcd\n Nonp 1 2 3 4 5\n${PLAIN}`))).to.deep.equal(PLAIN_ROWS);
  });

  it('knows tables of sessions', () => {
    const log = parse(snapshot(...HEADER, ' Session 0 pool information', TITLE, ...ROWS));
    expect(log.snapshots[0]!.scope).to.equal('session');
  });

  it('refuses what holds no row', () => {
    for (const text of ['', 'Query pooltags Failed c0000002.', snapshot(...HEADER, TITLE)]) {
      expect(failed(parsePoolmonLog(Buffer.from(text))), text).to.equal(true);
    }
  });

  it('recognises logs by their beginning', () => {
    for (const text of [PLAIN, snapshot(...ROWS), snapshot('20/11/2026 10:00', TITLE)]) {
      expect(looksLikePoolmon(Buffer.from(text)), text.slice(0, 30)).to.equal(true);
      expect(looksLikePoolmon(iconv.encode(text, 'utf16-le', { addBOM: true }))).to.equal(true);
    }
    for (const text of ['', 'Dear all,', '{"a":1}', 'rem a list\r\nAfd? - afd.sys - AFD objects\r\n']) {
      expect(looksLikePoolmon(Buffer.from(text)), text).to.equal(false);
    }
  });

  it('reads any bytes without throwing, and finds rows again whatever stands between them', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parsePoolmonLog(bytes)));
    const noise = fc.string({
      unit: fc.constantFrom(...Array.from(' \r\n\t()[]0123456789NonpPagedK:.,-')),
      maxLength: 80,
    });
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        const text = `${before}\n${ROWS.join('\n')}\n${after}`;
        const found = rowsOf(parse(text));
        for (const row of PLAIN_ROWS) expect(found).to.include(row);
      }),
    );
  });

  it('reads the corpus exactly', function () {
    if (!existsSync(CORPUS)) this.skip();
    const read = (name: string): PoolmonLog => parse(readFileSync(new URL(name, CORPUS)));
    const server = read('poolsnap-2012r2.txt');
    expect(server.rows).to.equal(13);
    expect(rowsOf(server).slice(0, 2)).to.deep.equal(PLAIN_ROWS);
    expect(rowsOf(server).at(-1)).to.equal('CM25 P 4849 0 21708800');
    expect(server.snapshots[0]!.header).to.deep.equal(parse(PLAIN).snapshots[0]!.header);
    const wide = read('poolsnap-wide-g-rows.txt');
    expect(rowsOf(wide)).to.deep.equal(['ConT N 3097 2409 42770432', 'Thre N 180351 176602 13179648']);
    const screen = read('poolmon-screen-xp-g.txt');
    expect(rowsOf(screen)).to.deep.equal([
      'NtFA N 9112 9112 0', 'NtFB P 3996 3986 252088', 'NtFC P 1579279 1579269 640', 'NtFD N 13 13 0', 'NtFF P 1128 1128 0',
      'NtFI N 152 152 0', 'NtFL N 68398 68390 27280', 'NtFS P 2915 2614 80192', 'NtFa P 838 829 288',
      'NtFd P 137696 137688 720', 'NtFf N 2 1 40', 'NtFs N 48825 47226 64536', 'NtFv P 551 551 0',
    ]); // prettier-ignore
    expect(screen.snapshots[0]).to.include({ screen: true, scope: 'system', rowCount: 13 });
    expect(screen.drivers.size).to.equal(13);
    for (const log of [server, wide, screen]) expect(log.badRows).to.equal(0);
  });
});
