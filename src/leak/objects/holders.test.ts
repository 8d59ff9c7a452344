import { expect } from 'chai';
import type { Holders, ObjectTypeInfo, ProcessList } from '../../result/result.js';
import { findLeak } from '../find-leak.js';
import { judgeHolders } from './holders.js';
import type { HoldersReading, ObjectFacts } from './object-facts.js';
import { factsOf, GB, held, keyOf, MB, memoryOf, inPages, tablesOf, tagRow } from '../scenario.test.helper.js';

type Row = readonly [image: string, pid: number, handles: number, objects?: number];

interface Reading {
  type?: string;
  objects: number;
  /** What the type counts; by default what was found. */
  handles?: number;
  withoutHandle?: number | null;
  complete?: boolean;
  unreadable?: number;
  rows: readonly Row[];
  ended?: { count: number; image?: string; held?: readonly Row[] | null; withoutHandle?: number | null };
  endedThreads?: number;
}

function readingOf(given: Reading): HoldersReading {
  const found = given.rows.reduce((sum, [, , handles]) => sum + handles, 0);
  const { ended } = given;
  const holders: Holders = {
    type: given.type ?? (ended ? 'Process' : 'Event'),
    objects: given.objects,
    handles: given.handles ?? found,
    withoutHandle: given.withoutHandle === undefined ? 0 : given.withoutHandle,
    unreadable: given.unreadable ?? 0,
    complete: given.complete ?? true,
    processes: given.rows.map(([image, pid, handles, objects = handles]) => ({
      ...{ image, pid, handles, objects, share: handles / found, looked: handles, targets: [] },
    })),
    ended: ended
      ? [{ image: ended.image ?? 'cmd.exe', parentImage: null, parentPid: null, count: ended.count, firstExit: null, lastExit: null }] // prettier-ignore
      : [],
    references: null,
  };
  const heldBy = ended?.held === undefined ? given.rows : ended.held;
  return {
    holders,
    handlesFound: found,
    endedProcesses: ended
      ? {
          count: ended.count,
          heldBy: heldBy?.map(([image, pid, handles]) => ({ image, pid, handles })) ?? null,
          withoutHandle: ended.withoutHandle === undefined ? 0 : ended.withoutHandle,
        }
      : null,
    endedThreads: given.endedThreads ?? null,
  };
}

const WATCHER: Row = ['watchman.exe', 4324, 12_000];

describe('judgeHolders', () => {
  const judge = (given: Reading, outstanding = given.objects): ReturnType<typeof judgeHolders> =>
    judgeHolders(readingOf(given), outstanding);

  it('names the process that holds nearly all ended ones, with its reasons', () => {
    const judged = judge({ objects: 12_040, rows: [WATCHER], ended: { count: 12_000 } });
    expect(judged).to.deep.include({ kind: 'process', confidence: 'high', ended: 'processes' });
    expect(judged.process).to.deep.equal({ pid: 4324, image: 'watchman.exe' });
    expect(judged.says).to.equal('12,000 ended processes (cmd.exe), kept by handles of watchman.exe (pid 4324)');
    expect(judged.because.join()).to.include('12,000 handles').and.include('No other process');
  });

  it('names nobody where two hold the same objects: one of them alone would not keep them', () => {
    const rows: Row[] = [WATCHER, ['svc.exe', 900, 11_900]];
    const judged = judge({ objects: 12_040, rows, ended: { count: 12_000 } });
    expect(judged).to.deep.include({ kind: 'unknown', process: null });
    expect(judged.says).not.to.include('watchman').and.not.include('svc');
  });

  it('names nobody for a part of them', () => {
    const rows: Row[] = [['a.exe', 8, 7000]];
    expect(judge({ objects: 12_040, rows, ended: { count: 12_000, withoutHandle: 5000 } }).kind).to.equal('unknown');
  });

  it('does not take second handles for more objects', () => {
    const rows: Row[] = [['a.exe', 8, 12_000, 2000]];
    expect(judge({ objects: 12_040, rows, ended: { count: 12_000, withoutHandle: 10_000 } }).process).to.equal(null);
  });

  it('tells references of the kernel where no process has a handle', () => {
    const judged = judge({ objects: 1540, rows: [], ended: { count: 1500, image: 'agent.exe', withoutHandle: 1500 } });
    expect(judged).to.deep.include({ kind: 'kernel-references', process: null });
    expect(judged.says).to.include('1,500 ended processes (agent.exe)').and.include('no process has a handle');
  });

  it('says what could not be read instead of that nobody holds them', () => {
    const ended = { count: 12_000, withoutHandle: null };
    const judged = judge({ objects: 12_040, handles: 12_000, rows: [['a.exe', 8, 3000]], complete: false, ended });
    expect(judged.kind).to.equal('unknown');
    expect(judged.says).to.include('not all handles could be read');
    expect(judged.because.join()).to.include('3,000 handles').and.include('12,000');
  });

  it('names a process of which most was read with less confidence, and counts what is unread as of others', () => {
    const partial = (found: number): ReturnType<typeof judge> =>
      judge({ objects: 50_000, handles: 50_000, rows: [['a.exe', 8, found]], complete: false, withoutHandle: null });
    expect(partial(45_000)).to.deep.include({ kind: 'process', confidence: 'medium' });
    expect(partial(30_000)).to.deep.include({ kind: 'unknown', process: null });
  });

  it('names nobody where tags, types and handles disagree', () => {
    const rows: Row[] = [['a.exe', 8, 45_000]];
    expect(judge({ objects: 45_000, rows }).kind).to.equal('process');
    expect(judge({ objects: 45_000, rows }, 400_000)).to.deep.include({ kind: 'unknown', process: null });
    expect(judge({ objects: 45_000, rows }, 9000)).to.deep.include({ kind: 'unknown', process: null });
    expect(judge({ objects: 45_000, handles: 500_000, rows })).to.deep.include({ kind: 'unknown', process: null });
  });

  it('does not mind what others hold in ordinary use', () => {
    const others = Array.from({ length: 200 }, (_, i): Row => ['svchost.exe', 1000 + i * 4, 200]);
    expect(judge({ objects: 85_000, rows: [['a.exe', 8, 45_000], ...others] }).kind).to.equal('process');
    const busy = others.map(([image, pid]): Row => [image, pid, 4000]);
    expect(judge({ objects: 845_000, rows: [['a.exe', 8, 45_000], ...busy] }).kind).to.equal('unknown');
    const everybody = others.map(([image, pid]): Row => [image, pid, 400]);
    expect(judge({ objects: 125_000, rows: [['a.exe', 8, 45_000], ...everybody] }).kind).to.equal('unknown');
  });

  it('says how many of them the first holds where that is not nearly all', () => {
    const rows: Row[] = [
      ['System', 4, 2_771],
      ...Array.from({ length: 20 }, (_, i): Row => ['svchost.exe', 800 + 4 * i, 110]),
    ];
    expect(judge({ type: 'File', objects: 5_000, rows }).says).to.match(
      /^5,000 File objects, 2,771 of them held by handles of System/,
    );
  });

  it('says of System that its handles are those of drivers', () => {
    const judged = judge({ type: 'File', objects: 60_000, rows: [['System', 4, 60_000]] });
    expect(judged.says).to.equal(
      '60,000 File objects, held by handles of System (pid 4): those of drivers and the kernel',
    );
  });
});

/** A machine with fine pools, on which objects of one type are as given. */
function machine(type: string, tag: string, reading: Reading | null, more: Partial<ObjectTypeInfo> = {}, ended = 0) {
  const read = reading === null ? null : readingOf({ type, ...reading });
  const count = Number(more.objects ?? read?.holders.objects ?? 0);
  const info: ObjectTypeInfo = {
    ...{ type, tag, key: `0x${keyOf(tag).toString(16)}`, pool: 'nonpaged' },
    ...{ objects: count, handles: read?.holders.handles ?? 0, objectsHighWater: null, handlesHighWater: null },
    ...{ source: 'kdbg', ...more },
  };
  const processes: ProcessList = { complete: true, live: 300, ended, source: 'kdbg', rows: [] };
  let asked = 0;
  const objects: ObjectFacts = {
    types: [info],
    processes,
    liveThreads: 3000,
    holdersOf: (name) => {
      asked++;
      return name === type ? read : null;
    },
  };
  const facts = factsOf({
    memory: memoryOf({ physicalMemory: inPages(16 * GB), nonPagedPoolUsage: inPages(300 * MB), pagedPoolUsage: inPages(300 * MB) }), // prettier-ignore
    poolTags: tablesOf([tagRow(tag, { nonPaged: held(count, count * 100) })], { nonPaged: 250 * MB, paged: 290 * MB }),
  });
  return { found: findLeak({ ...facts, objects }), asked: () => asked };
}

describe('objects judged by count', () => {
  it('makes a suspect of ended processes that are few bytes', () => {
    const { found } = machine('Process', 'Proc', { objects: 12_300, rows: [WATCHER], ended: { count: 12_000 } }, {}, 12_000); // prettier-ignore
    expect(found.verdict.leakSuspected).to.equal(true);
    expect(found.verdict.headline).to.match(
      /^Nonpaged pool: 1\.2 MB under tag Proc: 12,000 ended processes \(cmd\.exe\), kept by/,
    );
    expect(found.verdict.culprit).to.deep.include({ kind: 'process', process: { pid: 4324, image: 'watchman.exe' } });
    expect(found.suspects[0]?.holders?.processes[0]?.image).to.equal('watchman.exe');
    expect(found.verdict.nextSteps.join('\n')).to.include('watchman.exe (pid 4324)').and.include('dumpleak handles').and.not.include('pooltag.txt'); // prettier-ignore
  });

  it('does not hold against a type whose holders were read that no module holds its tag', () => {
    const codes = (reading: Reading | null): string[] =>
      machine('Token', 'Toke', reading, { objects: 80_300, handles: 300 }).found.suspects.flatMap(({ against }) =>
        against.map(({ code }) => code),
      );
    expect(codes(null)).to.include('driver-not-found');
    const read = codes({ objects: 80_300, withoutHandle: 80_000, rows: [['a.exe', 8, 300]] });
    expect(read).to.include('single-snapshot').and.not.include('driver-not-found');
  });

  it('accuses nobody of some dozens of ended processes, and reads no handle for them', () => {
    const { found, asked } = machine('Process', 'Proc', { objects: 340, rows: [['a.exe', 8, 40]], ended: { count: 40 } }, {}, 40); // prettier-ignore
    expect(found.verdict).to.deep.include({ leakSuspected: false });
    expect(asked()).to.equal(0);
  });

  it('accuses nobody for many handles to few objects: they are no objects that grow', () => {
    const { found } = machine('Event', 'Even', { objects: 900, rows: [['a.exe', 8, 200_000, 10]] });
    expect(found.verdict).to.deep.include({ leakSuspected: false });
    expect(found.verdict.culprit).to.deep.include({ kind: 'none', process: null });
  });

  it('accuses nobody for the handles of a busy process', () => {
    const { found } = machine('Event', 'Even', {
      objects: 45_000,
      rows: [
        ['sqlservr.exe', 8, 30_000],
        ['b.exe', 12, 9000],
      ],
    });
    expect(found.suspects).to.deep.equal([]);
    expect(found.verdict.culprit?.kind).to.equal('none');
  });

  it('makes a suspect of tokens that nobody holds, by counters alone, and names nobody', () => {
    const { found } = machine('Token', 'Toke', { objects: 80_300, withoutHandle: 80_000, rows: [['a.exe', 8, 300]] });
    expect(found.verdict.culprit).to.deep.include({ kind: 'kernel-references', process: null });
    const unread = machine('Token', 'Toke', null, { objects: 80_300, handles: 300 }).found;
    expect(unread.verdict).to.deep.include({ leakSuspected: true });
    expect(unread.verdict.headline).to.include(
      '80,300 Token objects; who keeps them is not known, for no handle could be read',
    );
    expect(unread.verdict.culprit).to.deep.include({ kind: 'unknown', process: null });
  });

  it('does not take files that nobody has open for a leak: the cache keeps them', () => {
    const { found } = machine('File', 'File', { objects: 80_300, withoutHandle: 80_000, rows: [['a.exe', 8, 300]] });
    expect(found.suspects).to.deep.equal([]);
  });
});

describe('a tag of Windows that holds most of its pool', () => {
  const large = (tag: string, bytes: number) =>
    findLeak(
      factsOf({
        memory: memoryOf({ physicalMemory: inPages(32 * GB), nonPagedPoolUsage: inPages(bytes + 200 * MB), pagedPoolUsage: inPages(300 * MB) }), // prettier-ignore
        poolTags: tablesOf([tagRow(tag, { nonPaged: held(900_000, bytes) })], { nonPaged: 190 * MB, paged: 290 * MB }),
      }),
    ).verdict;

  it('is said in the headline, accusing nobody, with what to do next', () => {
    for (const tag of ['Proc', 'Toke', 'File', 'NtFC']) {
      const { headline, leakSuspected, culprit, nextSteps } = large(tag, 2 * GB);
      expect(headline, tag).to.include(`2.0 GB under tag ${tag}`).and.include('a tag of Windows');
      expect(leakSuspected, tag).to.equal(null);
      expect(culprit, tag).to.deep.include({ kind: 'unknown', module: null, process: null });
      expect(nextSteps.join('\n'), tag).to.match(/handle|stacks/);
    }
  });

  it('is nothing where it is a cache, or small', () => {
    expect(large('MmSt', 2 * GB).leakSuspected).to.equal(false);
    expect(large('Proc', 250 * MB).leakSuspected).to.equal(false);
  });
});
