import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpEntry, failureEntry } from '../inputs/entries.test.helper.js';
import { History } from '../journal/history.js';
import { Journal } from '../journal/journal.js';
import { MOST_CAUSES, renderMetrics } from './metrics.js';
import { writeMetrics } from './outputs.js';
import { overviewOf, type Overview } from './overview.js';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = String.raw`\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,(?!\})|(?=\})))*\}`;

/** Reads OpenMetrics text 1.0 with gauges alone, as its grammar has it; throws for what is none. */
function parse(text: string): Sample[] {
  const lines = text.split('\n');
  expect(lines.pop(), 'a line feed at the end').to.equal('');
  expect(lines.pop()).to.equal('# EOF');
  const samples: Sample[] = [];
  const families = new Map<string, { type?: string; unit?: string; help?: string }>();
  let current = '';
  for (const line of lines) {
    const about = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.+)$`).exec(line);
    if (about !== null) {
      const [, kind = '', name = '', rest = ''] = about;
      if (name !== current) expect(families.has(name), `metadata of ${name} in one place`).to.equal(false);
      current = name;
      const family = families.get(name) ?? {};
      const key = kind.toLowerCase() as 'type' | 'unit' | 'help';
      expect(family[key], `${kind} of ${name} once`).to.equal(undefined);
      expect(
        samples.some((one) => one.name === name),
        `${kind} before samples`,
      ).to.equal(false);
      if (kind === 'UNIT') expect(name.endsWith(`_${rest}`), `${name} ends in its unit`).to.equal(true);
      families.set(name, { ...family, [key]: rest });
      continue;
    }
    const sample = new RegExp(`^(${NAME})(${LABELS})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`).exec(line);
    expect(sample, line).to.not.equal(null);
    const [, name = '', labels = '', value] = sample!;
    expect(name, 'samples of a family stand together').to.equal(current);
    expect(families.get(name)).to.include({ type: 'gauge' });
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, key = '', text = '']) => [key, text.replace(/\\(.)/g, (_all, one: string) => (one === 'n' ? '\n' : one))] as const, // prettier-ignore
    );
    expect(new Set(pairs.map(([key]) => key)).size).to.equal(pairs.length);
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
  }
  const series = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]));
  expect(new Set(series).size, 'no series twice').to.equal(series.length);
  return samples;
}

describe('metrics of a batch', () => {
  let folder = '';
  let overview: Overview;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-metrics-'));
    const journal = Journal.open(folder);
    for (const entry of [
      dumpEntry('/s/1.dmp', { id: 'aaaa1111', bytes: 100_000_000 }),
      dumpEntry('/s/2.dmp', { id: 'aaaa2222', bytes: 200_000_000 }),
      dumpEntry('/s/3.dmp', { id: 'bbbb3333', driver: 'e"v\\il\n.sys', tag: '"\\\n ' }),
      dumpEntry('/s/4.dmp', { id: 'cccc4444', bytes: 0 }),
      failureEntry('/s/bad.dmp'),
    ]) {
      journal.append(entry);
    }
    journal.close();
    overview = overviewOf(History.load(folder));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const now = new Date('2026-03-01T00:00:00.500Z');
  const value = (samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined =>
    samples.find((one) => one.name === `dumpleak_${name}` && Object.entries(labels).every(([key, text]) => one.labels[key] === text))?.value; // prettier-ignore

  it('are OpenMetrics text that counts dumps, machines and causes', () => {
    const samples = parse(renderMetrics(overview, now));
    const leaks = overview.records.filter(({ summary }) => summary.leakSuspected === true).length;
    expect(value(samples, 'dumps', { verdict: 'leak' })).to.equal(leaks);
    expect(samples.filter(({ name }) => name === 'dumpleak_dumps').reduce((sum, one) => sum + one.value, 0)).to.equal(
      4,
    );
    expect(value(samples, 'unreadable_dumps')).to.equal(1);
    expect(value(samples, 'suspect_dumps', { driver: 'acmenet.sys', tag: 'Leak', pool: 'nonpaged' })).to.equal(2);
    expect(value(samples, 'suspect_bytes', { driver: 'acmenet.sys' })).to.equal(200_000_000);
    expect(value(samples, 'written_timestamp_seconds')).to.equal(now.getTime() / 1000);
    expect(samples.find(({ labels }) => labels['driver']?.startsWith('e'))?.labels).to.include({ driver: 'e"v\\il?.sys', tag: '"\\? ' }); // prettier-ignore
  });

  it('are bounded, and say what was left out', () => {
    const [group] = overview.groups;
    const groups = Array.from({ length: MOST_CAUSES + 7 }, (_, i) => ({ ...group!, id: `g-${i}` }));
    const samples = parse(renderMetrics({ ...overview, groups }, now));
    expect(samples.filter(({ name }) => name === 'dumpleak_suspect_dumps')).to.have.length(MOST_CAUSES);
    expect(value(samples, 'suspects_left_out')).to.equal(7);
    expect(value(parse(renderMetrics(overview, now)), 'suspects_left_out')).to.equal(0);
  });

  it('of nothing are valid, too', () => {
    const none = { records: [], failures: [], machineOf: new Map(), machines: [], groups: [] };
    expect(value(parse(renderMetrics(none, now)), 'dumps', { verdict: 'leak' })).to.equal(0);
  });

  it('replace the file as a whole', () => {
    const path = join(folder, 'dumpleak.prom');
    expect(writeMetrics(path, overview, now)).to.deep.equal([]);
    expect(writeMetrics(path, overview, now)).to.deep.equal([]);
    parse(readFileSync(path, 'utf8'));
  });
});
