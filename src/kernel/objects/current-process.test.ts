import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { OpenedDump } from '../open/opened-dump.js';
import { currentProcess } from './current-process.js';
import { readObjects } from './objects.js';

const DUMPS = new URL('../../../../../shared/corpus/dumps/', import.meta.url);

describe('the current process of a small dump', () => {
  for (const [file, source, shown] of [
    ['triage_x64.dmp', 'profile', /^System$/],
    ['triage_arm64.dmp', 'derived', /^System$/],
  ] as const) {
    it(`of ${file}, a real one`, async function () {
      const url = new URL(file, DUMPS);
      if (!existsSync(url)) {
        if (this.test) this.test.title += ' - skipped: the corpus is not beside the project';
        this.skip();
      }
      const opened = await OpenedDump.open(fileURLToPath(url));
      try {
        const current = currentProcess(opened.kernel)!;
        expect(current.source).to.equal(source);
        expect(current.process.image).to.match(shown);
        expect(current.process.ended).to.equal(false);
        // It has no lists: nothing is read, and nothing is complained of.
        const objects = readObjects(opened.kernel);
        expect([objects.processes(), objects.census(), objects.warnings]).to.deep.equal([null, null, []]);
      } finally {
        opened.close();
      }
    });
  }

  it('is not told where the copy does not read as a process, nor of other dumps', () => {
    expect(currentProcess(openBuilt(buildDump({ kind: 'full' })).kernel)).to.equal(null);
    // The builder's processes of small dumps have no times.
    expect(currentProcess(openBuilt(buildDump({ kind: 'triage' })).kernel)).to.equal(null);
  });
});
