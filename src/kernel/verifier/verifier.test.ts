import { expect } from 'chai';
import { openDump } from '../../../parsers/dump/open-dump.js';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { analyze } from '../../analysis/analyze.js';
import { openBuilt, sourceOf } from '../../analysis/whole-dumps/truth.test.helper.js';
import { openKernel, type Kernel } from '../open/open-kernel.js';
import { readVerifierDrivers } from './drivers.js';
import { readPoolLog } from './pool-log.js';
import { readVerifierStatistics } from './verifier.js';

const SCENARIO: Scenario = {
  modules: [
    { name: 'hal.dll' },
    { name: 'acme.sys', version: { fileVersion: '1.0', companyName: 'Acme' } },
    { name: 'quiet.sys', version: { fileVersion: '1.0', companyName: 'Quiet' } },
  ],
  verifier: {
    level: 0x9bb,
    drivers: ['acme.sys', 'quiet.sys'],
    allocations: [
      { driver: 'acme.sys', tag: 'Zq9x', count: 300, bytes: 1024, callerRva: 0x1f40 },
      { driver: 'acme.sys', tag: 'Acme', count: 7, bytes: 64, callerRva: 0x2000 },
    ],
    log: [
      {
        address: 0xffff926c00100000n,
        bytes: 0x400,
        stack: [
          { module: 'acme.sys', rva: 0x1f40 },
          { module: 'ntoskrnl.exe', rva: 0x3000 },
        ],
      },
      { address: 0xffff926c00200000n, bytes: 0x20, stack: [{ module: 'quiet.sys', rva: 0x1000 }] },
    ],
  },
};

const BUILDS = ['7601', '9600', '10.0.17763.4644', '10.0.19041.804', '20348'];

const kernelOf = (scenario: Scenario): Kernel => openKernel(openDump(sourceOf(buildDump(scenario))));

describe('Driver Verifier', () => {
  for (const kernel of BUILDS) {
    it(`tells what each driver holds, and who asked for it: ${kernel}`, () => {
      const drivers = readVerifierDrivers(kernelOf({ ...SCENARIO, kernel }));
      expect(drivers.map(({ name }) => name)).to.deep.equal(['acme.sys', 'quiet.sys']);
      const [acme, quiet] = drivers;
      expect(acme?.allocations.nonPaged).to.equal(307);
      expect(acme?.bytes.nonPaged).to.equal(300 * 1024 + 7 * 64);
      expect(acme?.outstanding?.length).to.equal(307);
      expect(acme?.complete).to.equal(true);
      expect(quiet?.outstanding).to.deep.equal([]);
    });

    it(`has a log of allocations with stacks: ${kernel}`, () => {
      const opened = kernelOf({ ...SCENARIO, kernel });
      const log = readPoolLog(opened);
      expect(log?.traces.map(({ bytes, stack }) => [bytes, stack.length])).to.deep.equal([
        [0x20, 1],
        [0x400, 2],
      ]);
      expect(readPoolLog(opened, 0xffff926c00100010n)?.traces.map(({ address }) => address)).to.deep.equal([
        0xffff926c00100000n,
      ]);
      expect(readPoolLog(opened, 0xffff926c00100400n)?.traces).to.deep.equal([]);
    });
  }

  it('has statistics', () => {
    const found = readVerifierStatistics(kernelOf({ ...SCENARIO, kernel: '20348' }));
    expect(found).to.include({ AllocationsAttempted: 482113, AllocationsSucceeded: 482101, NonPagedBytes: 12582912 });
  });

  it('names the driver that holds the tag before all other evidence', () => {
    const rows = [{ tag: 'Zq9x', nonPaged: { allocs: 400, frees: 90, bytes: 310 * 1024 * 1024 } }];
    const modules = [
      ...(SCENARIO.modules ?? []),
      { name: 'rival.sys', tags: [{ tag: 'Zq9x', style: 'data' as const }] },
    ];
    const result = analyze(
      openBuilt(buildDump({ ...SCENARIO, modules, kernel: '9600', memory: { bytes: 2 ** 30 }, pool: { rows } })),
    );
    const [suspect] = result.suspects;
    const [first] = suspect?.drivers ?? [];
    expect([first?.module, first?.evidence[0]?.kind]).to.deep.equal(['acme.sys', 'verifier']);
    expect(first?.confidence).to.equal(suspect?.confidence);
    expect(first?.evidence[0]?.note).to.match(
      /^Driver Verifier tracks 300 of 310 outstanding allocations under this tag \(.*\) for acme\.sys, made at acme\+0x1f40 \(300 times\)$/,
    );
    expect(suspect?.drivers.map(({ module }) => module)).to.include('rival.sys');
  });
});
