import { expect } from 'chai';
import type { DumpCheck, Excess } from '../../growth/check/judge-dump.js';
import type { CheckReport } from '../../growth/check/outcome.js';
import { renderAnnotations } from './annotations.js';
import { renderCheck } from './check-text.js';
import { renderJunit } from './junit.js';

const HOSTILE = '<"&\'%,:\u001b[31m\n::error::x\u202e]]>';

const excess = (more: Partial<Excess> = {}): Excess => ({
  ...{ what: 'tag', tag: 'Leak', key: '0x6b61654c', pool: 'nonpaged', bytes: 4 * 2 ** 20, baselineBytes: 0 },
  ...{ allowedBytes: 2 ** 20, driver: null, confidence: null },
  ...more,
});
const dump = (more: Partial<DumpCheck> = {}): DumpCheck => ({
  ...{ path: 'a.dmp', outcome: 'failed', reason: null, excesses: [excess()], tagsCompared: 9, notes: [] },
  ...more,
});
const report = (dumps: DumpCheck[]): CheckReport => ({
  ...{ baselineFile: null, baseline: null, maxGrowthPercent: 20, minGrowthBytes: 2 ** 20, dumps },
  limits: [{ tag: 'Leak', bytes: 2 ** 20 }],
});

describe('reports of a check', () => {
  it('hold texts of a dump that mean something to a terminal, to XML and to the runner', () => {
    const hostile = report([
      dump({ path: HOSTILE, excesses: [excess({ what: 'limit', driver: HOSTILE, confidence: 'low' })] }),
      dump({ path: HOSTILE, outcome: 'unreadable', reason: { code: HOSTILE, message: HOSTILE }, excesses: [] }),
    ]);
    for (const text of [renderCheck(hostile), renderJunit(hostile), renderAnnotations(hostile)]) {
      expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
    const xml = renderJunit(hostile);
    // Every ampersand begins an entity, and every attribute is closed.
    expect(xml).to.not.match(/&(?!(?:amp|lt|gt|quot|apos);)/);
    expect(xml.replace(/="[^"<>]*"/g, '').replace(/>[^<>]*</g, '><')).to.match(/^(?:<[^<>"&]*>\n?)+$/);
    const annotations = renderAnnotations(hostile).trimEnd().split('\n');
    expect(annotations).to.have.length(2);
    for (const line of annotations) {
      expect(line).to.match(/^::error title=[^:,]*::/);
      expect(line.replaceAll(/%(?:25|3A|2C)/g, '')).to.not.include('%');
    }
  });

  it('are bounded: a list that was cut says so', () => {
    const many = report([dump({ excesses: Array.from({ length: 50 }, () => excess()) })]);
    expect(renderCheck(many)).to.include('30 more: --json has them');
    const annotations = renderAnnotations(many).trimEnd().split('\n');
    expect(annotations).to.have.length(11);
    expect(annotations.at(-1)).to.include('40 more: see the log');
  });

  it('say what to do about a tag of which no driver is known', () => {
    expect(renderCheck(report([dump()]))).to.include('dumpleak analyze a.dmp --tag Leak');
    expect(renderCheck(report([dump({ excesses: [excess({ tag: 'a b' })] })]))).to.include('--tag 0x6b61654c');
    expect(renderCheck(report([dump({ excesses: [excess({ driver: 'a.sys' })] })]))).to.not.include('dumpleak analyze');
  });

  it('have one outcome for all dumps in the XML: errors where nothing can be compared', () => {
    const xml = renderJunit(report([dump({ outcome: 'undecided', reason: { code: 'no-pool-tags', message: 'none' }, excesses: [] })])); // prettier-ignore
    expect(xml).to.include('<error type="no-pool-tags" message="none"/>').and.include('failures="0" errors="1"');
  });
});
