import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import iconv from 'iconv-lite';
import { failed } from '../bytes/failure.js';
import { looksLikeBlg, looksLikePerfmon, parseCounterPath, parsePerfmonLog, type PerfmonLog } from './perfmon.js';

/** build/parsers/text -> project root. */
const CORPUS = new URL('../../../../shared/corpus/logs/relog-two-counters.csv', import.meta.url);

function parse(text: string | Uint8Array): PerfmonLog {
  const log = parsePerfmonLog(typeof text === 'string' ? Buffer.from(text) : text);
  if (failed(log)) throw new Error(log.message);
  return log;
}

const header = (zone: string, ...paths: string[]): string =>
  [`(PDH-CSV 4.0)${zone}`, ...paths].map((c) => `"${c}"`).join(',');
const NONPAGED = '\\\\SRV\\Memory\\Pool Nonpaged Bytes';
const HANDLES = '\\\\SRV\\Process(svchost#3)\\Handle Count';
const iso = (log: PerfmonLog): string[] => Array.from(log.times, (time) => new Date(time).toISOString());

describe('performance counter logs', () => {
  it('reads counters, times in UTC, values and missing samples', () => {
    const log = parse(
      [
        header(' (W. Europe Standard Time)(-60)', NONPAGED, HANDLES),
        '"11/20/2026 14:05:12.340"," "," 250"',
        '"11/20/2026 14:20:12.340","1.5e+008","251"',
        '',
      ].join('\r\n'),
    );
    expect(log.counters).to.deep.equal([
      { machine: 'SRV', object: 'Memory', instance: null, counter: 'Pool Nonpaged Bytes' },
      { machine: 'SRV', object: 'Process', instance: 'svchost#3', counter: 'Handle Count' },
    ]);
    expect(iso(log)).to.deep.equal(['2026-11-20T13:05:12.340Z', '2026-11-20T13:20:12.340Z']);
    expect(log.values.map((column) => [...column])).to.deep.equal([
      [NaN, 150000000],
      [250, 251],
    ]);
    expect(log).to.include({ offsetKnown: true, timeZone: 'W. Europe Standard Time', badRows: 0, badValues: 0 });
  });

  it('reads headers with an empty, cut or missing zone', () => {
    const row = '"11/20/2026 14:05:12.340","1"';
    expect(parse(`${header('', NONPAGED)}\r\n${row}`)).to.include({ offsetKnown: false, timeZone: null });
    expect(parse(`${header(' ()(0)', NONPAGED)}\n${row}`)).to.include({ offsetKnown: true, timeZone: null });
    expect(parse(`${header(' (Maroc (heure d', NONPAGED)}\n${row}`)).to.include({ offsetKnown: false });
    expect(iso(parse(`${header(' (X)(9999)', NONPAGED)}\n${row}`))).to.deep.equal(['2026-11-20T14:05:12.340Z']);
  });

  it('reads what typeperf prints: an empty line first, messages at the end', () => {
    const text = `\r\n"(PDH-CSV 4.0)","${NONPAGED}"\r\n"11/20/2026 14:05:12.340","5"\r\n\r\nExiting, please wait...\r\nThe command completed successfully.\r\n`;
    const log = parse(text);
    expect(log.times).to.have.length(1);
    expect(log.badRows).to.equal(2);
  });

  it('reads decimal commas, tabs, semicolons and UTF-16', () => {
    const semicolons = `"(PDH-CSV 4.0)";"${NONPAGED}"\n"11/20/2026 14:05:12.340";"12,5"`;
    expect([...parse(semicolons).values[0]!]).to.deep.equal([12.5]);
    const commas = `"(PDH-CSV 4.0)","${NONPAGED}"\n"11/20/2026 14:05:12.340","12,5"`;
    expect([...parse(commas).values[0]!]).to.deep.equal([12.5]);
    const tabs = `"(PDH-TSV 4.0)"\t"${NONPAGED}"\n"11/20/2026 14:05:12.340"\t"12.5"`;
    expect([...parse(iconv.encode(tabs, 'utf16-le', { addBOM: true })).values[0]!]).to.deep.equal([12.5]);
  });

  it('reads month first, as every language of Windows writes it', () => {
    expect(iso(parse(`${header('', NONPAGED)}\n"03/04/2026 10:00:00.000","1"`))).to.deep.equal([
      '2026-03-04T10:00:00.000Z',
    ]);
  });

  it('counts what is no number, and a number without its exponent, as unknown', () => {
    const log = parse(
      `${header('', NONPAGED)}\n"11/20/2026 14:05:12","7.06e"\n"11/20/2026 14:06:12","-"\n"11/20/2026 14:07:12",""`,
    );
    expect([...log.values[0]!]).to.deep.equal([NaN, NaN, NaN]);
    expect(log.badValues).to.equal(2);
  });

  it('refuses texts without counters or samples', () => {
    for (const text of ['', '"a","b"\n"c","d"', header('', NONPAGED), 'no csv at all\n'.repeat(100)]) {
      expect(failed(parsePerfmonLog(Buffer.from(text))), text.slice(0, 40)).to.equal(true);
    }
  });

  it('takes paths apart', () => {
    expect(parseCounterPath('\\Memory\\Pages/sec')).to.deep.equal({
      machine: null,
      object: 'Memory',
      instance: null,
      counter: 'Pages/sec',
    });
    expect(parseCounterPath('\\\\A\\Paging File(\\??\\C:\\pagefile.sys)\\% Usage')).to.include({
      instance: '\\??\\C:\\pagefile.sys',
    });
    expect(parseCounterPath('\\\\A\\Process(x(1))\\Handle Count')).to.include({ object: 'Process', instance: 'x(1)' });
    expect(parseCounterPath('\\\\A\\4\\58')).to.include({ object: '4', counter: '58' });
    for (const text of ['', 'plain', '\\x']) expect(parseCounterPath(text), text).to.equal(null);
    expect(parseCounterPath('\\a\u001b[31m\\b')!.object).to.equal('a?[31m');
  });

  it('recognises text and binary logs', () => {
    expect(looksLikePerfmon(header('', NONPAGED))).to.equal(true);
    expect(looksLikePerfmon(`"Time","${NONPAGED}"`)).to.equal(true);
    expect(looksLikePerfmon('"a","b"')).to.equal(false);
    const paths = Buffer.from('\0\0\\\\SRV\\Memory\\Pool Nonpaged Bytes\0', 'utf16le');
    expect(looksLikeBlg(Buffer.from([1, 0x43, 1, 1, 0, 0]))).to.equal(true);
    expect(looksLikeBlg(paths)).to.equal(true);
    expect(looksLikeBlg(Buffer.from('any text'))).to.equal(false);
    expect(looksLikeBlg(Buffer.alloc(100))).to.equal(false);
  });

  it('never throws', () => {
    const cell = fc.string({ unit: fc.constantFrom(...Array.from('"\\,;\t\r\n 0123456789/:.eE-()#')), maxLength: 60 });
    fc.assert(
      fc.property(cell, cell, (a, b) => void parsePerfmonLog(Buffer.from(`"(PDH-CSV 4.0)","\\\\A\\B\\C"${a}\n${b}`))),
    );
  });

  it('reads the corpus exactly', function () {
    if (!existsSync(CORPUS)) this.skip();
    const log = parse(readFileSync(CORPUS));
    expect(log.counters).to.deep.equal([
      { machine: 'SQL01', object: 'Memory', instance: null, counter: 'Pages/sec' },
      { machine: 'SQL01', object: 'PhysicalDisk', instance: '0 D:', counter: '% Disk Time' },
    ]);
    expect(log).to.include({ timeZone: 'Eastern Daylight Time', offsetKnown: true, badRows: 0 });
    expect(iso(log)).to.deep.equal([
      '2002-09-08T16:35:45.166Z',
      '2002-09-08T16:36:00.167Z',
      '2002-09-08T16:36:15.169Z',
    ]);
    expect([...log.values[0]!]).to.deep.equal([11.296813511113458, 0.26679653905997197, 0.13331924737007395]);
    // The published text cut the exponents of the second counter.
    expect([...log.values[1]!].slice(1)).to.deep.equal([2.8829087316668804, 2.0239260004978679]);
    expect(log.values[1]![0]).to.be.NaN;
    expect(log.badValues).to.equal(1);
  });
});
