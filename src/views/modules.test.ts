import { expect } from 'chai';
import type { AnalysisResult } from '../result/result.js';
import { acceptanceBlock, goldenBeside } from './golden.test.helper.js';
import { moduleAt, renderModules } from './modules.js';
import { bareResult, moduleInfo } from './results.test.helper.js';
import { leakResult } from './samples.test.helper.js';

const expectGolden = goldenBeside(import.meta.url);

describe('lm', () => {
  it('prints the transcript of the worked example', function () {
    const transcript = acceptanceBlock('lm a fffff880044b63aa');
    // The acceptance text stands outside of the project.
    if (transcript === null) return this.skip();
    expect(renderModules(leakResult(), { at: 0xfffff880044b63aan })).to.equal(`${transcript.join('\n')}\n`);
  });

  it('lists modules by address, and the unloaded ones', () => {
    const result = leakResult();
    expectGolden('modules.txt', renderModules({ ...result, modules: result.modules!.toReversed() }));
  });

  it('has short addresses in 32-bit systems', () => {
    const result: AnalysisResult = {
      ...bareResult({ architecture: 'x86-pae', format: 'PAGEDUMP' }),
      modules: [moduleInfo('Pippo.sys', 0xf7a1c000n, 0x2000), moduleInfo('ntoskrnl.exe', 0x804d7000n, 0x1000)],
      unloadedModules: [{ name: 'old.sys', start: '0x1000', end: null, unloadedAt: null }],
    };
    expectGolden('modules-x86.txt', renderModules(result));
  });

  it('takes the end of a module as outside', () => {
    const { modules } = leakResult();
    expect(moduleAt(modules, 0xfffff880044b5000n)?.name).to.equal('myfault.sys');
    expect(moduleAt(modules, 0xfffff880044bbfffn)?.name).to.equal('myfault.sys');
    expect(moduleAt(modules, 0xfffff880044bc000n)).to.equal(null);
    expect(moduleAt(null, 0n)).to.equal(null);
  });

  it('says when no module holds an address, and finds unloaded ones', () => {
    expect(renderModules(leakResult(), { at: 0x1000n })).to.match(/\nNo loaded module holds 00000000`00001000\.\n$/);
    const unloaded = renderModules(leakResult(), { at: 0xfffff88002c00010n });
    expect(unloaded).to.match(/\n\nUnloaded modules:\nfffff880`02c00000 fffff880`02c0e000 {3}crashdmp\.sys\n$/);
  });

  it("knows the kernel's symbols from a PDB", () => {
    const result = leakResult();
    const symbols = { source: 'pdb' as const, detail: '' };
    const text = renderModules({ ...result, system: { ...result.system!, symbols } });
    expect(text).to.match(/ {3}nt {9}\(pdb symbols\)\n/);
    expect(text.match(/\(pdb symbols\)/g)).to.have.length(1);
  });

  it('says when there is no list, and survives addresses that are none', () => {
    expect(renderModules(bareResult())).to.match(/^The module list could not be read/);
    expect(renderModules({ ...bareResult(), modules: [] })).to.equal(
      'start             end                 module name\n',
    );
    const odd = moduleInfo('odd.sys', 0n, 0, { base: 'junk', end: '-0x5' });
    expect(renderModules({ ...bareResult(), modules: [odd] })).to.match(/\nn\/a {15}n\/a {17}odd {8}\(no symbols\)\n$/);
  });
});
