import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseTagCsv } from '../../../parsers/text/poolmon-powershell.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { Collector } from '../../growth/read/collector.js';
import { makeTrend, type Trend } from '../../growth/trend.js';
import { sparkline } from './sparkline.js';
import { renderTrendCsv } from './trend-csv.js';
import { renderTrendJson } from './trend-json.js';
import { renderTrendSvg } from './trend-svg.js';
import { renderTrend } from './trend-text.js';

// build/src/report/trend -> project root
const ROOT = new URL('../../../../', import.meta.url);
const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const MB = 2 ** 20;

/** Compares with a golden file; UPDATE_GOLDEN=1 writes it. */
function expectGolden(name: string, actual: string): void {
  const file = new URL(`src/report/trend/golden/${name}`, ROOT);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
  expect(existsSync(file), `golden file ${name} exists (UPDATE_GOLDEN=1 writes it)`).to.equal(true);
  expect(actual).to.equal(readFileSync(file, 'utf8'));
}

const key = (tag: string): number => Buffer.from(tag, 'latin1').readUInt32LE() & 0x7fffffff;

interface Shape {
  tag: string;
  pool: 0 | 1;
  bytes(hour: number): number;
}

function trendOf(samples: number, stepHours: number, shapes: readonly Shape[], timed = true): Trend {
  const to = new Collector();
  to.files.push({ path: 'logs/a.log', name: 'a.log', fileTime: START, kind: 'poolmon', samples: 0 });
  for (let i = 0; i < samples; i++) {
    const hour = i * stepHours;
    const rows = shapes.map((shape) => Math.round(shape.bytes(hour)));
    const held: [number, number] = [0, 0];
    const figures = {
      memory: 8192 * MB, available: 4096 * MB - i * MB, committed: 3000 * MB + i * MB, commitLimit: 9000 * MB,
      nonPagedPool: 700 * MB + i * MB, pagedPool: 300 * MB, nonPagedMaximum: null, pagedMaximum: null,
    }; // prettier-ignore
    const time = timed ? START + hour * HOUR : null;
    const sample = to.sample({ time, hasTags: true, complete: true, figures, tagBytes: held });
    for (const [s, { tag, pool }] of shapes.entries()) {
      const bytes = rows[s] ?? 0;
      held[pool] += bytes;
      const count = Math.floor(bytes / 1024);
      to.tag(sample, key(tag), pool, 1e6 * (i + 1) + count, 1e6 * (i + 1), bytes);
    }
    to.poolTotal(sample, 'nonpaged', figures.nonPagedPool);
    to.poolTotal(sample, 'paged', figures.pagedPool);
    to.counter(sample, 'Memory\\Committed Bytes', figures.committed);
  }
  return makeTrend(to);
}

const wave = (hour: number): number => Math.max(0, Math.sin((hour * Math.PI) / 12));
const ripple = (hour: number): number => ((hour * 4 * 7919) % 13) / 13;

const SHAPES: readonly Shape[] = [
  { tag: 'Leak', pool: 0, bytes: (hour) => 50 * MB + hour * 3 * MB + 20 * MB * wave(hour) + 2 * MB * ripple(hour) },
  { tag: 'Drip', pool: 1, bytes: (hour) => 5 * MB + hour * 0.2 * MB + MB * ripple(hour) },
  { tag: 'File', pool: 0, bytes: (hour) => 400 * MB + 100 * MB * wave(hour) + 9 * MB * ripple(hour) },
  { tag: 'MmSt', pool: 1, bytes: () => 200 * MB },
  { tag: 'Step', pool: 0, bytes: (hour) => (hour < 30 ? 8 : 40) * MB + MB * ripple(hour) },
];

const LEAKING = (): Trend => trendOf(200, 0.5, SHAPES);
/** One snapshot, with names that try to act on a terminal, a page or a spreadsheet. */
const HOSTILE = (): Trend => {
  const trend = trendOf(12, 1, [{ tag: '<"&\u001b', pool: 0, bytes: (hour) => 1e6 + hour * 1e6 }]);
  const [tag, ...rest] = trend.series;
  tag!.series.name.label = '=cmd|<script>"\u001b[31m\u202e';
  trend.series = [tag!, ...rest];
  trend.warnings.push({ code: 'rows-unreadable', message: 'bad \u001b[2J name' });
  return trend;
};

describe('growth: reports', () => {
  describe('JSON', () => {
    const schema = JSON.parse(readFileSync(new URL('docs/trend.schema.json', ROOT), 'utf8')) as object;
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);

    it('is as its schema says, whatever is unknown', () => {
      const samples = [LEAKING(), trendOf(1, 1, SHAPES), trendOf(12, 1, SHAPES, false), trendOf(0, 1, []), HOSTILE()];
      for (const trend of samples) {
        const value = JSON.parse(renderTrendJson(trend)) as unknown;
        expect(validate(value), JSON.stringify(validate.errors?.slice(0, 3))).to.equal(true);
      }
    });

    it('is refused by the schema with a field missing or of another kind', () => {
      const value = JSON.parse(renderTrendJson(LEAKING())) as { series: Record<string, unknown>[] };
      const [first, ...rest] = value.series;
      for (const change of [
        { judgement: 'maybe' },
        { points: [[1]] },
        { tag: 'Leaky' },
        { perHour: '5' },
        { reasons: null },
      ]) {
        expect(validate({ ...value, series: [{ ...first, ...change }, ...rest] }), JSON.stringify(change)).to.equal(
          false,
        );
      }
      const without = Object.fromEntries(Object.entries(first!).filter(([name]) => name !== 'perHour'));
      expect(validate({ ...value, series: [without] })).to.equal(false);
    });

    it('holds the figures of the contract, worst series first, and all points', () => {
      const trend = LEAKING();
      const value = JSON.parse(
        renderTrendJson(trend, {
          describe: (tag) => ({ description: null, binary: `${tag}.sys`, tagSource: 'pooltag.txt' }),
        }),
      ) as Record<string, unknown> & { series: Record<string, unknown>[] };
      expect(value).to.deep.include({
        from: '2026-01-05T00:00:00.000Z',
        to: '2026-01-09T03:30:00.000Z',
        samples: 200,
        reboots: 0,
      });
      const [leak] = value.series;
      expect(leak).to.deep.include({
        kind: 'pool-tag',
        tag: 'Leak',
        pool: 'nonpaged',
        judgement: 'leak',
        binary: 'Leak.sys',
      });
      expect(leak!['perHour']).to.be.closeTo(3 * MB, 0.05 * MB);
      expect(leak!['perDay']).to.be.closeTo(72 * MB, 1.2 * MB);
      expect(leak!['hoursToLimit']).to.be.closeTo((4096 - 199) / 3, 30);
      const points = leak!['points'] as number[][];
      expect(points).to.have.length(200);
      expect(points[1]).to.deep.equal([START + HOUR / 2, trend.series[0]!.series.values[1]]);
      const order = value.series.map(({ judgement }) => judgement);
      expect(order.indexOf('load')).to.be.above(order.lastIndexOf('leak'));
    });

    it('writes what a terminal may act on as escapes', () => {
      expect(renderTrendJson(HOSTILE())).to.match(/^[\n\x20-\x7e]+$/);
    });
  });

  describe('text', () => {
    it('says what leaks, how fast and until when, with pictures', () => {
      expectGolden('trend-leak.txt', renderTrend(LEAKING()));
    });

    it('in ASCII and 80 columns', () => {
      const text = renderTrend(LEAKING(), {
        ascii: true,
        width: 80,
        describe: () => ({ binary: 'myfault.sys', description: 'a leak', tagSource: 'pooltag.txt' }),
      });
      expect(text)
        .to.match(/^[\n\x20-\x7e]+$/)
        .and.include('Tag Leak in nonpaged pool - myfault.sys, a leak');
      for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
      expectGolden('trend-leak-80-ascii.txt', text);
    });

    it('says when there is no leak, or too little to tell', () => {
      const whole = renderTrend(trendOf(200, 0.5, SHAPES.slice(3, 4))).replace(/\s+/g, ' ');
      expect(whole).to.match(/LEAK nonpaged pool grows [^;]* and does not come back, while no tag grows with it\./);
      const still = trendOf(200, 0.5, SHAPES.slice(2, 4));
      still.series = still.series.filter(({ series }) => series.name.kind === 'pool-tag');
      expect(renderTrend(still)).to.include('NO LEAK  Nothing grows');
      expect(renderTrend(trendOf(1, 1, SHAPES)))
        .to.include('NOT YET')
        .and.include('one snapshot shows no growth');
    });

    it('is safe to print', () => {
      expect(renderTrend(HOSTILE())).to.not.match(/[\u001b\u202e]/);
    });
  });

  describe('CSV', () => {
    it('has a row a sample, and is read again as it was', () => {
      const trend = LEAKING();
      const text = renderTrendCsv(trend);
      const lines = text.split('\r\n');
      expect(lines[0]).to.equal('\ufefftime,kind,tag,pool,label,unit,value,allocs,frees,outstanding,stretch,judgement');
      expect(lines).to.have.length(2 + trend.series.reduce((sum, { series }) => sum + series.values.length, 0));
      expect(lines[1]).to.match(/^2026-01-05T00:00:00\.000Z,pool-tag,Leak,nonpaged,Leak,bytes,\d+,\d+,\d+,\d+,1,leak$/);
      const again = parseTagCsv(Buffer.from(text));
      if (failed(again)) throw new Error(again.message);
      const leak = again.rows.filter(({ tag }) => tag === key('Leak')).map(({ bytes }) => bytes);
      expect(leak).to.deep.equal([...trend.series[0]!.series.values]);
    });

    it('holds no formula', () => {
      const [, row] = renderTrendCsv(HOSTILE()).split('\r\n');
      expect(row).to.include(`"'=cmd|<script>""?[31m?"`);
    });
  });

  describe('SVG', () => {
    it('is one well-formed document without anything from elsewhere', () => {
      for (const trend of [
        LEAKING(),
        HOSTILE(),
        trendOf(1, 1, SHAPES),
        trendOf(12, 1, SHAPES, false),
        trendOf(0, 1, []),
      ]) {
        const svg = renderTrendSvg(trend);
        expect(svg)
          .to.match(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*>\n/)
          .and.match(/<\/svg>\n$/);
        expect(svg).to.not.match(/NaN|Infinity|undefined|<script|href|url\(|@import|\u001b/);
        expect(wellFormed(svg), svg).to.equal(true);
      }
    });

    it('draws what leaks, with its rate, and follows light and dark', () => {
      const svg = renderTrendSvg(LEAKING());
      expect(svg).to.match(/Leak \(nonpaged\): leak, \+3\.0 MB an hour/);
      expect(svg).to.include('prefers-color-scheme:dark').and.include('currentColor');
      expect(svg.match(/<polyline/g)).to.have.length(3);
      expectGolden('trend-leak.svg', svg);
    });
  });

  describe('sparkline', () => {
    it('goes from the lowest to the highest, with blanks where nothing is known', () => {
      const at = (values: number[], ascii = false): string =>
        sparkline(
          values.map((_, i) => i),
          values,
          { start: 0, end: values.length - 1, width: values.length, ascii },
        );
      expect(at([0, 1, 2, 3, 4, 5, 6, 7])).to.equal('▁▂▃▄▅▆▇█');
      expect(at([0, 1, 2, 3, 4, 5, 6, 7], true)).to.equal('_.,-=+*#');
      expect(at([5, NaN, 5])).to.equal('▁ ▁');
      expect(at([])).to.equal('');
    });
  });
});

/** Every element is closed in turn, every attribute quoted, every ampersand an entity. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  let at = 0;
  for (const match of xml.matchAll(/<(\/?)([a-z]+)((?:\s+[a-zA-Z-]+\d?="[^"<]*")*)\s*(\/?)>/g)) {
    if (/[<]|&(?!(?:amp|lt|gt|quot|#39);)/.test(xml.slice(at, match.index))) return false;
    at = match.index + match[0].length;
    if (match[1] === '/') {
      if (open.pop() !== match[2]) return false;
    } else if (match[4] !== '/') open.push(match[2] ?? '');
  }
  return open.length === 0 && xml.slice(at).trim() === '';
}
