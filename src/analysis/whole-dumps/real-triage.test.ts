/** The two real small dumps of the shared corpus: x64 19041 and ARM64 22000. */

import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { analyze, openDump } from '../../index.js';
import { inspect } from '../inspect.js';

const DUMPS = new URL('../../../../../shared/corpus/dumps/', import.meta.url);

const WANTED = [
  {
    ...{
      file: 'triage_x64.dmp',
      architecture: 'x64',
      code: '0x1000007e',
      drivers: 151,
      unloaded: 4,
      blocks: 1831,
      blobs: 20,
    },
    ...{
      lab: '19041.1.amd64fre.vb_release.191206-1406',
      version: '10.0.19041.804',
      levels: null,
      kernelStamp: '0xd8333e6',
      unstamped: 0,
    },
  },
  {
    ...{
      file: 'triage_arm64.dmp',
      architecture: 'arm64',
      code: '0x1c8',
      drivers: 245,
      unloaded: 11,
      blocks: 679,
      blobs: 42,
    },
    ...{ lab: '22000.1.arm64fre.co_release.210604-1628', version: null, levels: 4, kernelStamp: null, unstamped: 7 },
  },
];

describe('real small dumps', () => {
  for (const wanted of WANTED) {
    it(wanted.file, async function () {
      const url = new URL(wanted.file, DUMPS);
      if (!existsSync(url)) {
        if (this.test) this.test.title += ' - skipped: the corpus is not beside the project';
        this.skip();
      }
      const opened = await openDump(url.pathname);
      try {
        const result = analyze(opened);
        const info = inspect(opened);
        const { dump, system, modules, unloadedModules } = result;
        expect([dump.architecture, dump.pagingLevels, dump.type]).to.deep.equal([
          wanted.architecture,
          wanted.levels,
          'triage',
        ]);
        expect([dump.bugCheck?.code, dump.truncated, dump.live]).to.deep.equal([wanted.code, false, false]);
        expect([system?.buildLab, system?.version]).to.deep.equal([wanted.lab, wanted.version]);
        expect([modules?.length, unloadedModules?.length]).to.deep.equal([wanted.drivers, wanted.unloaded]);
        expect(modules?.[0]?.name).to.equal('ntoskrnl.exe');
        expect(modules?.[0]?.base).to.equal(system?.kernelBase);
        if (wanted.kernelStamp !== null) expect(modules?.[0]?.timeDateStamp).to.equal(wanted.kernelStamp);
        expect(modules?.every((m) => m.sizeOfImage > 0 && m.path !== null)).to.equal(true);
        // Of these Windows could not read the header page: the entries hold zeros.
        expect(modules?.filter((m) => m.timeDateStamp === null)).to.have.length(wanted.unstamped);
        expect([result.poolTags, result.memory, result.suspects]).to.deep.equal([null, null, []]);
        expect(result.warnings.map((w) => w.code)).to.deep.equal(['triage-dump']);
        expect([info.dataBlocks, info.secondaryData?.length]).to.deep.equal([wanted.blocks, wanted.blobs]);
        expect(info.warnings).to.deep.equal([]);
      } finally {
        opened.close();
      }
    });
  }
});
