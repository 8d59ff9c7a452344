/** Machines with objects, read again by hand: every process, type, header and handle is what the truth says. */

import { expect } from 'chai';
import { buildDump, type BuiltDump, type Scenario } from '../build-dump.js';
import { kernelFacts } from '../kernel-facts.js';
import { objectKernel } from './facts.js';
import { HAND_LAYOUTS, HandObjects, type HandLayout } from './hand-objects.test.helper.js';
import type { ObjectsSpec } from './spec.js';
import type { ObjectsTruth } from './truth.js';

const MACHINES: Readonly<Record<string, Scenario>> = {
  'x64-19041': { kernel: '10.0.19041.804' },
  'x64-22000': { kernel: '22000' },
  'x64-26100': { kernel: '26100' },
  'x64-9600': { kernel: '9600' },
  'x64-7601': { kernel: '7601' },
  'x64-la57': { kernel: '10.0.19041.804', paging: { levels: 5 } },
  'arm64-26100': { kernel: '26100', architecture: 'arm64' },
  'x86-2600': { kernel: '2600', architecture: 'x86' },
  'x86-7601': { kernel: '7601', architecture: 'x86', paging: { pae: false } },
  'x86-19041': { kernel: '19041', architecture: 'x86' },
};

const WATCHMAN = 4324;

const SPEC: ObjectsSpec = {
  processes: [
    { pid: WATCHMAN, handles: [{ type: 'Event', count: 300, objects: 100, references: 2 }] },
    { pid: 4, handles: [{ type: 'File', count: 1200, names: ['\\Device\\HarddiskVolume3\\Data\\file#.dat'] }] },
  ],
  ended: [
    {
      image: 'a-long-image-name.exe',
      count: 70,
      parentPid: WATCHMAN,
      holders: [{ pid: WATCHMAN }, { pid: 4, share: 0.5 }],
      threads: 1,
    },
    { image: 'lost.exe', count: 5, parentPid: 4, unlisted: true },
  ],
  endedThreads: [{ pid: WATCHMAN, count: 6, holders: [{ pid: 4 }] }],
  unheld: [{ type: 'Token', count: 40, references: 3, user: 'CONTOSO\\svc' }],
};

function build(machine: Scenario, seed: number, spec: ObjectsSpec = SPEC): { dump: BuiltDump; truth: ObjectsTruth } {
  const dump = buildDump({
    ...machine,
    seed,
    processes: [
      { name: 'System', pid: 4 },
      { name: 'csrss.exe', session: 1 },
      { name: 'watchman.exe', pid: WATCHMAN, session: 1 },
    ],
    objects: spec,
  });
  if (dump.truth.objects === undefined) throw new Error('no objects');
  return { dump, truth: dump.truth.objects };
}

function layoutOf(name: string): HandLayout {
  const layout = HAND_LAYOUTS[name];
  if (!layout) throw new Error(name);
  return layout;
}

for (const [name, machine] of Object.entries(MACHINES)) {
  for (const seed of [1, 77]) {
    describe(`objects of ${name}, seed ${seed}`, () => {
      let reader: HandObjects;
      let dump: BuiltDump;
      let truth: ObjectsTruth;
      before(() => {
        ({ dump, truth } = build(machine, seed));
        reader = new HandObjects(dump, layoutOf(name));
      });

      it('names the sizes and roots in the debugger block', () => {
        if (dump.truth.kdbg.size >= 0x318)
          expect(Number(reader.kdbg(0x2a8) & 0xffffn)).to.equal(reader.layout.process.size);
        expect(reader.kdbg(0x50)).to.equal(dump.truth.header.psActiveProcessHead);
      });

      it('lists the processes, live and ended', () => {
        const listed = truth.processes.filter((process) => process.listed);
        expect(reader.active()).to.deep.equal(listed.map((process) => process.address));
        for (const process of truth.processes) {
          const { address } = process;
          expect(Number(reader.processField(address, 'pid'))).to.equal(process.pid);
          expect(Number(reader.processField(address, 'parent'))).to.equal(process.parentPid);
          expect(reader.processField(address, 'create')).to.equal(process.createTime);
          expect(reader.processField(address, 'exit')).to.equal(process.exitTime);
          expect(reader.imageName(address)).to.equal(process.name);
          expect(reader.imagePath(address)).to.equal(process.path);
          expect(reader.processField(address, 'table')).to.equal(process.handles?.table ?? 0n);
          expect(Number(reader.processField(address, 'quota'))).to.equal(process.quota.nonPaged);
          expect(reader.u8(address)).to.equal(3);
          expect(reader.typeOf(reader.headerOf(address))).to.equal('Process');
          expect(reader.u32(address + 4n)).to.equal(process.exitTime === 0n ? 0 : 1);
        }
        expect(truth.processes.filter((process) => process.name === 'a-long-image-n')).to.have.length(0);
        expect(truth.processes.filter((process) => process.name === 'a-long-image-na')).to.have.length(70);
      });

      it('lists the threads of each process', () => {
        const { thread, process: offsets } = reader.layout;
        for (const process of truth.processes) {
          const threads = reader.list(process.address + BigInt(offsets.threads), thread.link);
          expect(threads).to.have.length(process.threads + process.endedThreads);
          for (const one of threads) {
            expect(Number(reader.word(one + BigInt(thread.pid)))).to.equal(process.pid);
            expect(reader.u8(one)).to.equal(6);
            expect(reader.typeOf(reader.headerOf(one))).to.equal('Thread');
          }
          const ended = threads.filter((one) => reader.u32(one + 4n) === 1);
          expect(ended).to.have.length(process.endedThreads);
        }
      });

      it('has every type with its counters', () => {
        const { type } = reader.layout;
        const names = reader.typeNames();
        expect([...names.values()]).to.deep.equal(truth.types.map((one) => one.name));
        for (const one of truth.types) {
          expect(names.get(one.address)).to.equal(one.name);
          expect(reader.u32(one.address + BigInt(type.objects))).to.equal(one.objects);
          expect(reader.u32(one.address + BigInt(type.handles))).to.equal(one.handles);
          expect(reader.bytes(one.address + BigInt(type.key), 4).toString('latin1')).to.equal(one.tag);
          expect(reader.typeOf(reader.headerOf(one.address))).to.equal('Type');
          expect(reader.objectName(reader.headerOf(one.address))).to.equal(one.name);
        }
        if (reader.layout.header === 'cookie') expect(reader.findCookie()).to.equal(truth.cookie);
      });

      it('has every handle of every process, and objects whose counts agree', () => {
        const handles = new Map<bigint, { handles: number; inverse: number }>();
        for (const process of truth.processes) {
          if (!process.handles) continue;
          const { entries, level } = reader.entries(process.handles.table);
          expect(entries).to.have.length(process.handles.count);
          expect(level).to.equal(process.handles.level);
          const byType: Record<string, number> = {};
          for (const entry of entries) {
            const type = reader.typeOf(entry.object);
            byType[type] = (byType[type] ?? 0) + 1;
            const known = handles.get(entry.object) ?? { handles: 0, inverse: 0 };
            handles.set(entry.object, { handles: known.handles + 1, inverse: known.inverse + entry.count });
          }
          expect(byType).to.deep.equal(process.handles.byType);
          process.handles.first.forEach((one, i) => {
            const entry = entries[i];
            expect(entry?.handle).to.equal(one.handle);
            expect(entry?.object).to.equal(reader.headerOf(one.object));
            expect(entry?.access).to.equal(one.access);
            if (one.name !== null && !/^(File|Key|Process|Thread|Token|Section)$/.test(one.type))
              expect(one.name.endsWith(`\\${reader.objectName(reader.headerOf(one.object)) ?? ''}`)).to.equal(true);
          });
        }
        for (const [header, known] of handles) {
          const counts = reader.counts(header);
          expect(counts.handles).to.equal(known.handles);
          expect(counts.pointers - known.inverse).to.be.within(known.handles, known.handles + 40);
        }
        const total = [...handles.values()].reduce((sum, one) => sum + one.handles, 0);
        expect(total).to.equal(truth.handles);
        expect(truth.types.reduce((sum, one) => sum + one.handles, 0)).to.equal(truth.handles);
        for (const process of truth.processes) {
          const header = reader.headerOf(process.address);
          const known = handles.get(header) ?? { handles: 0, inverse: 0 };
          const counts = reader.counts(header);
          expect(counts.pointers - known.inverse - known.handles).to.equal(process.references);
        }
      });

      it('tells the names of files, and of keys and sections where they are spelled out here', () => {
        const all = truth.processes.flatMap((process) => process.handles?.first ?? []);
        const of = (type: string): typeof all => all.filter((one) => one.type === type);
        for (const file of of('File')) expect(reader.filePath(file.object)).to.equal(file.name);
        expect(of('File').some((one) => one.name?.includes('LogFiles') === true)).to.equal(true);
        if (name !== 'x64-19041') return;
        for (const key of of('Key')) expect(reader.keyPath(key.object)).to.equal(key.name);
        for (const section of of('Section'))
          if (section.name === null || section.name.startsWith('\\Device'))
            expect(reader.sectionFile(section.object)).to.equal(section.name);
      });

      it('has every process and thread in the table of ids', () => {
        const { entries } = reader.entries(reader.word(reader.kdbg(0x58)));
        expect(entries).to.have.length(truth.idTable.entries);
        const byId = new Map(entries.map((entry) => [entry.handle, entry.object]));
        for (const process of truth.processes) expect(byId.get(process.pid)).to.equal(process.address);
        for (const [id, body] of byId) {
          const type = reader.u8(body);
          expect(type).to.be.oneOf([3, 6]);
          if (type === 6) expect(Number(reader.word(body + BigInt(reader.layout.thread.tid)))).to.equal(id);
        }
      });

      it('agrees with the pool tag tables', () => {
        for (const tag of truth.tags) {
          const row = dump.truth.pool.rows.find((one) => one.tag === tag.tag);
          const counters =
            truth.types.find((one) => one.tag === tag.tag)?.pool === 'paged' ? row?.paged : row?.nonPaged;
          expect(Number(counters?.bytes)).to.equal(tag.bytes);
          const ofTag = truth.tags.filter((one) => one.tag === tag.tag);
          expect(Number(counters?.outstanding)).to.equal(ofTag.reduce((sum, one) => sum + one.objects, 0));
        }
      });

      it('marks each object in the header of its block', () => {
        const { width } = reader.layout;
        for (const process of truth.processes) {
          // Quota is the only optional header of a process.
          const quota = name === 'x86-2600' ? 0n : width === 8 ? 0x20n : 0x10n;
          const start = reader.headerOf(process.address) - quota;
          const tag = reader.bytes(start - (width === 8 ? 12n : 4n), 4);
          tag[3] = (tag[3] ?? 0) & 0x7f;
          expect(tag.toString('latin1')).to.equal('Proc');
        }
      });

      it('tells whose token a process has', () => {
        const { token, process: offsets, width } = reader.layout;
        for (const process of truth.processes) {
          const body = reader.word(process.address + BigInt(offsets.token)) & ~(width === 8 ? 15n : 7n);
          expect(reader.typeOf(reader.headerOf(body))).to.equal('Token');
          const sid = reader.bytes(reader.word(reader.word(body + BigInt(token.users))), 12);
          expect(sid.readUInt8(0)).to.equal(1);
          if (process.user === 'NT AUTHORITY\\SYSTEM') {
            expect(sid.readUInt32LE(8)).to.equal(18);
            expect(reader.u32(body + BigInt(token.logonId))).to.equal(0x3e7);
          }
        }
      });
    });
  }
}

describe('objects with damage', () => {
  const damaged = (damage: ObjectsSpec['damage']): { reader: HandObjects; truth: ObjectsTruth } => {
    const { dump, truth } = build({ kernel: '10.0.19041.804' }, 3, { ...SPEC, ...(damage ? { damage } : {}) });
    return { reader: new HandObjects(dump, layoutOf('x64-19041')), truth };
  };

  it('lets the active list run in a loop, or into nothing', () => {
    const loop = damaged({ activeList: { loopAfter: 4 } }).reader.active(50);
    expect(loop).to.have.length(50);
    expect(new Set(loop).size).to.equal(4);
    expect(() => damaged({ activeList: { breakAfter: 3 } }).reader.active()).to.throw('nothing at');
  });

  it('lets a thread list never end', () => {
    const { reader, truth } = damaged({ threadListLoop: { pid: WATCHMAN } });
    const process = truth.processes.find((one) => one.pid === WATCHMAN);
    const { thread, process: offsets } = reader.layout;
    expect(reader.list((process?.address ?? 0n) + BigInt(offsets.threads), thread.link, 200)).to.have.length(200);
  });

  it('points handles at nothing and at freed memory', () => {
    const { reader, truth } = damaged({ wildHandles: { pid: 4, count: 3 }, freedHandles: { pid: 4, count: 2 } });
    const { handles } = truth.processes.find((one) => one.pid === 4) ?? {};
    if (!handles) throw new Error('no handles');
    expect([handles.wild, handles.freed]).to.deep.equal([3, 2]);
    const { entries } = reader.entries(handles.table);
    const last = entries.slice(-5).map((entry) => {
      try {
        return reader.typeOf(entry.object);
      } catch {
        return 'wild';
      }
    });
    expect(last).to.deep.equal(['?', '?', 'wild', 'wild', 'wild']);
  });

  it('leaves leaves of a table out', () => {
    const { reader, truth } = damaged({ absentLeaves: [{ pid: 4, leaves: [1, 3] }] });
    const { handles } = truth.processes.find((one) => one.pid === 4) ?? {};
    if (!handles) throw new Error('no handles');
    const { entries, absent } = reader.entries(handles.table);
    expect(absent).to.equal(2);
    expect(entries.length + handles.absent).to.equal(handles.count);
    expect(entries).to.have.length(Object.values(handles.byType).reduce((a, b) => a + b, 0));
  });

  it('gives a wrong cookie, and no table of types', () => {
    const { reader, truth } = damaged({ cookie: 'wrong', typeTable: 'empty' });
    const { rva } = objectKernel(kernelFacts('10.0.19041.804'));
    const base = reader.kdbg(0x18);
    expect(reader.u8(base + BigInt(rva['ObHeaderCookie'] ?? 0))).not.to.equal(truth.cookie);
    expect(reader.findCookie()).to.equal(truth.cookie);
    expect(reader.word(base + BigInt((rva['ObTypeIndexTable'] ?? 0) + 7 * 8))).to.equal(0n);
    const whole = damaged(undefined).reader;
    const process = whole.word(base + BigInt((rva['ObTypeIndexTable'] ?? 0) + 7 * 8));
    expect(whole.typeNames().get(process)).to.equal('Process');
  });

  it('takes the table of ids away', () => {
    const { reader } = damaged({ cidTable: 'null' });
    expect(reader.word(reader.kdbg(0x58))).to.equal(0n);
    const absent = damaged({ cidTable: 'absent' }).reader;
    expect(absent.entries(absent.word(absent.kdbg(0x58))).entries).to.have.length(0);
  });
});

describe('objects of 19041', () => {
  const { dump, truth } = build({ kernel: '10.0.19041.804' }, 9, {
    ...SPEC,
    ordinaryHandles: 400,
    tagBytes: { Proc: 5_000_000 },
  });
  const reader = new HandObjects(dump, layoutOf('x64-19041'));

  it('stand in a name space: every type in its directory', () => {
    const entries = (directory: bigint): Map<string, bigint> => {
      const found = new Map<string, bigint>();
      for (let bucket = 0; bucket < 37; bucket++) {
        for (let entry = reader.word(directory + BigInt(bucket * 8)); entry !== 0n; entry = reader.word(entry)) {
          const object = reader.word(entry + 8n);
          found.set(reader.objectName(reader.headerOf(object)) ?? '?', object);
        }
      }
      return found;
    };
    const root = entries(reader.word(reader.kdbg(0x98)));
    expect([...root.keys()]).to.include.members(['ObjectTypes', 'Device', 'Driver', 'GLOBAL??', 'KnownDlls']);
    const types = entries(root.get('ObjectTypes') ?? 0n);
    expect([...types.keys()]).to.have.members(truth.types.map((one) => one.name));
    const link = entries(root.get('GLOBAL??') ?? 0n).get('C:') ?? 0n;
    expect(reader.text(link + 8n)).to.equal('\\Device\\HarddiskVolume3');
    const driver = entries(root.get('Driver') ?? 0n).get('volmgr') ?? 0n;
    expect(reader.text(driver + 0x38n)).to.equal('\\Driver\\volmgr');
    const device = entries(root.get('Device') ?? 0n).get('HarddiskVolume3') ?? 0n;
    expect(reader.word(device + 8n)).to.equal(driver);
  });

  it('tell the only process that may have a handle, and who has one', () => {
    const events = truth.processes.flatMap((process) => {
      const table = process.handles?.table;
      return table === undefined
        ? []
        : reader.entries(table).entries.map((entry) => ({ process, header: entry.object }));
    });
    const exclusive = events.filter(({ header }) => (reader.u8(header + 0x1an) & 0x10) !== 0);
    expect(exclusive.length).to.be.greaterThan(0);
    for (const { process, header } of exclusive) {
      // Quota stands between.
      expect(reader.word(header - 0x30n)).to.equal(process.address);
      expect(reader.u8(header + 0x1bn) & 8).to.equal(8);
    }
    const files = events.filter(({ header }) => reader.typeOf(header) === 'File');
    for (const { process, header } of files) {
      expect(reader.u8(header + 0x1bn) & 0x40).to.equal(0x40);
      expect(reader.word(header - 0x10n)).to.equal(process.address);
      expect(reader.u32(header - 8n)).to.equal(1);
    }
  });

  it('tell all processes that have a handle, where they are several', () => {
    const shared = build({ kernel: '10.0.19041.804' }, 4, {
      ordinaryHandles: 2,
      processes: [{ pid: WATCHMAN, handles: [{ type: 'File', count: 3, sharedWith: [4] }] }],
    });
    const hand = new HandObjects(shared.dump, layoutOf('x64-19041'));
    const holders = shared.truth.processes.filter((process) => [4, WATCHMAN].includes(process.pid));
    const files = (holders[0]?.handles?.first ?? []).filter((one) => one.type === 'File');
    expect(files).to.have.length(3);
    for (const { object } of files) {
      const header = hand.headerOf(object);
      expect(hand.counts(header).handles).to.equal(2);
      expect(hand.u8(header + 0x1bn) & 0x40).to.equal(0);
      const table = hand.word(header - 0x10n);
      expect(hand.u32(table)).to.equal(2);
      const known = [0n, 1n].map((i) => [hand.word(table + 8n + i * 16n), hand.u32(table + 16n + i * 16n)]);
      expect(known).to.have.deep.members(holders.map((process) => [process.address, 1]));
    }
  });

  it('know the file of a process image, and its section', () => {
    for (const process of truth.processes.filter((one) => one.exitTime === 0n && one.path !== '')) {
      expect(reader.filePath(reader.word(process.address + 0x5a0n))).to.equal(process.path);
      expect(reader.sectionFile(reader.word(process.address + 0x518n))).to.equal(process.path);
    }
  });

  it('may stand under a tag with other bytes than theirs', () => {
    expect(dump.truth.pool.rows.find((row) => row.tag === 'Proc')?.nonPaged.bytes).to.equal(5_000_000n);
  });

  it('lie in pages that are full of blocks', () => {
    for (const process of truth.processes) {
      const page = process.address & ~0xfffn;
      let before = 0;
      let at = 0;
      while (at < 0x1000) {
        const header = reader.bytes(page + BigInt(at), 4);
        expect(header[0]).to.equal(before);
        before = header[2] ?? 0;
        expect(before).to.be.greaterThan(0);
        at += before * 16;
      }
      expect(at).to.equal(0x1000);
    }
  });
});

describe('large handle tables', () => {
  it('have three levels', () => {
    const { dump, truth } = build({ kernel: '9600' }, 5, {
      processes: [{ pid: WATCHMAN, handles: [{ type: 'Event', count: 140_000 }] }],
    });
    const reader = new HandObjects(dump, layoutOf('x64-9600'));
    const { handles } = truth.processes.find((one) => one.pid === WATCHMAN) ?? {};
    if (!handles) throw new Error('no handles');
    expect(handles.level).to.equal(2);
    expect(reader.entries(handles.table).entries).to.have.length(handles.count);
  });
});
