/** The worked example: the debugger's transcript, line by line, from a dump that holds its numbers. */

import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failed } from '../../../parsers/bytes/failure.js';
import {
  analyze,
  openDump,
  readTagFile,
  renderAnalysis,
  renderPoolUsed,
  renderVm,
  TagDescriptions,
  type AnalysisResult,
} from '../../index.js';
import { acceptanceBlock } from '../../views/golden.test.helper.js';

const SHARED = new URL('../../../../../shared/', import.meta.url);
const DUMP = fileURLToPath(new URL('corpus/dumps/forged-ntdebugging-full.dmp.gz', SHARED));
const POOLTAG = fileURLToPath(new URL('acceptance/pooltag.txt', SHARED));

describe('the worked example (../shared/acceptance; skipped where it is missing)', function () {
  this.timeout(60_000);
  let result: AnalysisResult;

  before(async function () {
    if (!existsSync(DUMP) || !existsSync(POOLTAG)) this.skip();
    const file = readTagFile(POOLTAG);
    if (failed(file)) throw new Error(file.message);
    const dump = await openDump(DUMP);
    try {
      result = analyze(dump, { descriptions: new TagDescriptions([file]) });
    } finally {
      dump.close();
    }
  });

  /** Two figures have no source in this dump; the transcript prints numbers there. */
  const withoutSource = (line: string): string =>
    line
      .replace(/^(\tLocked IO Pages: +)0 \( +0 Kb\)$/, '\tLocked IO Pages:         n/a (       n/a Kb)')
      .replace(/^(\tSession Commit: +)7764 \( +31056 Kb\)$/, '\tSession Commit:          n/a (       n/a Kb)');

  it('!vm 1', () => {
    const expected = acceptanceBlock('!vm 1')!.map(withoutSource);
    expect(expected.filter((line) => line.includes('n/a'))).to.have.length(2);
    expect(renderVm(result).trimEnd().split('\n')).to.deep.equal(expected);
  });

  it('!poolused /t5 2', () => {
    const shown = renderPoolUsed(result, { flags: 2, top: 5 }).trimEnd().split('\n');
    expect(shown).to.deep.equal(acceptanceBlock('!poolused /t5 2'));
  });

  it('the driver, by its two genuine hits', () => {
    const driver = result.suspects[0]?.drivers[0];
    expect([result.suspects[0]?.tag, driver?.module, driver?.confidence]).to.deep.equal([
      'Leak',
      'myfault.sys',
      'high',
    ]);
    expect(driver?.evidence.map((e) => [e.kind, e.bytes, e.ascii])).to.deep.equal([
      ['code-immediate', '4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff', 'Leak;..B.A.I....'],
      ['code-immediate', '4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff', 'Leak;..B.A.I....'],
    ]);
  });

  it('stands whole in the report of analyze', () => {
    const lines = renderAnalysis(result).split('\n');
    for (const command of ['!vm 1', '!poolused /t5 2']) {
      const block = acceptanceBlock(command)!.map(withoutSource);
      const at = lines.findIndex((_, i) => block.every((line, j) => lines[i + j] === line));
      expect(at, command).to.be.greaterThan(0);
    }
    expect(
      lines.some((line) =>
        /^fffff880`\w{8}  4c 65 61 6b 3b c1 0f 42-c1 41 8d 49 fd 8b d0 ff  Leak;..B.A.I....$/.test(line),
      ),
    ).to.equal(true);
    expect(lines.some((line) => /^fffff880`\w{8} fffff880`\w{8} {3}myfault {4}\(no symbols\)$/.test(line))).to.equal(
      true,
    );
  });
});
