/** Damage of objects, lists and tables that was asked for, and tables of three levels. */

import { expect } from 'chai';
import { kernelFacts } from '../kernel-facts.js';
import { build, layoutOf, SPEC, WATCHMAN } from './built-objects.test.helper.js';
import { objectKernel } from './facts.js';
import { HandObjects } from './hand-objects.test.helper.js';
import type { ObjectsSpec } from './spec.js';
import type { ObjectsTruth } from './truth.js';

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
