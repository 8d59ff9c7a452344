/** Machines with objects, read again by hand: every process, type, header and handle is what the truth says. */

import { expect } from 'chai';
import type { BuiltDump, Scenario } from '../build-dump.js';
import { build, layoutOf } from './built-objects.test.helper.js';
import { HandObjects } from './hand-objects.test.helper.js';
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
