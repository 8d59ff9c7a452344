import { expect } from 'chai';
import type { Difference } from '../../growth/diff.js';
import { NO_FIGURES } from '../../growth/read/collector.js';
import { renderDiff, renderDiffJson } from './diff-report.js';

const MB = 2 ** 20;
const START = Date.UTC(2026, 10, 20, 12);
const module = (name: string, fileVersion: string | null, timeDateStamp = '0x1') => {
  return { name, fileVersion, timeDateStamp, checkSum: null, sizeOfImage: 4096 };
};

const FOUND: Difference = {
  before: { path: 'monday.dmp', kind: 'dump', time: START, figures: { ...NO_FIGURES, nonPagedPool: 100 * MB, committed: 900 * MB } },
  after: { path: 'friday.dmp', kind: 'dump', time: START + 4 * 3_600_000, figures: { ...NO_FIGURES, nonPagedPool: 160 * MB } },
  machines: [],
  elapsedMs: 4 * 3_600_000,
  restarted: false,
  otherMachine: null,
  tags: [
    { tag: 'Leak', pool: 'nonpaged', before: { bytes: 10 * MB, outstanding: 10 }, after: { bytes: 70 * MB, outstanding: 70 }, bytes: 60 * MB, outstanding: 60 },
    { tag: 'New ', pool: 'paged', before: null, after: { bytes: 4096, outstanding: null }, bytes: 4096, outstanding: null },
    { tag: 'Gone', pool: 'paged', before: { bytes: 800, outstanding: 8 }, after: null, bytes: -800, outstanding: -8 },
  ],
  counts: [
    { what: 'svc.exe (4324) Event handles', process: 'svc.exe (4324)', before: 1200, after: 41200, change: 40000 },
    { what: 'Objects\\Event', process: null, before: null, after: 20, change: 20 },
  ],
  unchanged: 640,
  modules: {
    loaded: [module('myfault.sys', '4.0.0.0')],
    unloaded: [module('old\u001b.sys', null)],
    changed: [
      { name: 'tcpip.sys', before: module('tcpip.sys', '10.0.1'), after: module('tcpip.sys', '10.0.2') },
      { name: 'ndis.sys', before: module('ndis.sys', null, '0x1'), after: module('ndis.sys', null, '0x2') },
    ],
  },
  warnings: [{ code: 'rows-unreadable', message: 'a warning' }],
}; // prettier-ignore

describe('difference of two snapshots: reports', () => {
  it('shows which process has more handles, and of what there are more objects', () => {
    const text = renderDiff(FOUND);
    expect(text).to.match(
      /More handles and objects\n +\+40,000 +1,200 -> +41,200 {2}svc\.exe \(4324\) Event handles\n/,
    );
    expect(text).not.to.include('Objects\\Event');
    const { counts } = JSON.parse(renderDiffJson(FOUND)) as { counts: unknown[] };
    expect(counts).to.deep.equal(FOUND.counts);
  });

  it('shows what grew with its rate, what fell, and the drivers', () => {
    const text = renderDiff(FOUND, {
      describe: (tag) => ({ binary: tag === 'Leak' ? 'myfault.sys' : null, description: null, tagSource: null }),
    });
    const lines = text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));
    expect(lines).to.include.members([
      'before monday.dmp, 2026-11-20 12:00:00 UTC',
      '4 h 0 min between them',
      'nonpaged pool 100.0 MB -> 160.0 MB +60.0 MB',
      'committed 900.0 MB -> n/a',
      'Leak nonpaged +60.0 MB +15.0 MB +60 10.0 MB 70.0 MB myfault.sys',
      'New paged +4.0 KB +1.0 KB - 4.0 KB',
      'Gone paged -800 bytes -200 bytes -8 800 bytes -',
      '640 tags did not change.',
      'myfault.sys 4.0.0.0',
      'old?.sys',
      '• tcpip.sys: 10.0.1 -> 10.0.2',
      '• ndis.sys: another build',
      '• a warning',
    ]);
  });

  it('keeps to its rows and says how many are left out', () => {
    const text = renderDiff(FOUND, { top: 1, ascii: true, width: 80 });
    expect(text).to.include('and 1 more').and.not.include('New ').and.not.include('ndis.sys');
    for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
  });

  it('of two machines says so, and nothing of a restart', () => {
    const text = renderDiff({ ...FOUND, otherMachine: 'FS01 and FS02' });
    expect(text)
      .to.include('Not the same machine: FS01 and FS02. What differs is not growth.')
      .and.not.include('restarted');
    const { otherMachine } = JSON.parse(renderDiffJson({ ...FOUND, otherMachine: 'FS01 and FS02' })) as {
      otherMachine: string;
    };
    expect(otherMachine).to.equal('FS01 and FS02');
  });

  it('says when the machine was restarted, and nothing of drivers that are not known', () => {
    const text = renderDiff({ ...FOUND, restarted: true, elapsedMs: null, modules: null });
    expect(text)
      .to.include('restarted in between')
      .and.include('time between them not known')
      .and.not.include('Loaded');
    const same = { loaded: [], unloaded: [], changed: [] };
    expect(renderDiff({ ...FOUND, modules: same })).to.include('The same drivers are loaded.');
  });

  it('is JSON with all tags, rates and drivers', () => {
    const value = JSON.parse(renderDiffJson(FOUND)) as Record<string, unknown>;
    expect(value).to.include({ hours: 4, restarted: false, unchangedTags: 640 });
    expect(value['before']).to.deep.include({ path: 'monday.dmp', time: '2026-11-20T12:00:00.000Z' });
    expect((value['tags'] as unknown[])[0]).to.deep.equal({
      tag: 'Leak', pool: 'nonpaged', before: { bytes: 10 * MB, outstanding: 10 }, after: { bytes: 70 * MB, outstanding: 70 },
      bytes: 60 * MB, outstanding: 60, perHour: 15 * MB, description: null, binary: null, tagSource: null,
    }); // prettier-ignore
    expect(value['moduleChanges']).to.have.keys('loaded', 'unloaded', 'changed');
    expect(renderDiffJson(FOUND)).to.not.include('\u001b');
  });
});
