/** What the objects of one kernel, 19041, tell of themselves beyond their types: names, holders, files, blocks. */

import { expect } from 'chai';
import { build, layoutOf, SPEC, WATCHMAN } from './built-objects.test.helper.js';
import { HandObjects } from './hand-objects.test.helper.js';

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
