import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import type { ProcessSpec, Scenario } from '../../../test-dumps/scenario.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { readMachineName } from './machine-name.js';

const nameIn = (scenario: Scenario): string | null => readMachineName(openBuilt(buildDump(scenario)).kernel);
const named = (...names: (string | null)[]): ProcessSpec[] => [
  { name: 'System', pid: 4 },
  ...names.map((computerName, i) => ({ name: `p${i}.exe`, computerName })),
];

describe("the machine's name", () => {
  const full = { kind: 'bitmap-full', machineName: 'DB-01' } as const;

  it('is in the environments of processes, whatever the processor and the kernel', () => {
    for (const [what, scenario] of Object.entries<Scenario>({
      'x64, symbols known': full,
      'x64, 7601': { ...full, kind: 'full', kernel: '7601' },
      'x64, no symbols': { ...full, hideIdentity: 'unknown-all' },
      'x64, a kernel that no table knows': { ...full, kernel: '26100' },
      'kernel and user memory': { ...full, kind: 'rdmp-kernel-user' },
      ARM64: { ...full, architecture: 'arm64' },
      'x86 with PAE': { ...full, kind: 'full', architecture: 'x86', kernel: '7601' },
      'x86 without PAE': { ...full, kind: 'full', architecture: 'x86', kernel: '3790', paging: { pae: false } },
    })) {
      expect(nameIn(scenario), what).to.equal('DB-01');
    }
  });

  it('is not in dumps without user memory, or without an address of the PEB', () => {
    expect(nameIn({ ...full, kind: 'bitmap-kernel' })).to.equal(null);
    expect(nameIn({ ...full, kind: 'full', architecture: 'x86', kernel: '2600' })).to.equal(null);
    expect(nameIn({ kind: 'bitmap-full' })).to.equal(null);
  });

  it('is what most processes say; null where they do not agree', () => {
    const of = (...names: (string | null)[]): string | null =>
      nameIn({ kind: 'bitmap-full', processes: named(...names) });
    expect(of('APP7', 'APP7', 'OTHER')).to.equal('APP7');
    expect(of(null, 'APP7', null)).to.equal('APP7');
    expect(of('APP7', 'OTHER')).to.equal(null);
  });

  it('is one that a machine can have', () => {
    for (const name of ['', 'SIXTEEN-LETTERS-', 'A B', 'A\u001b[31m', 'A/B', '<b>']) {
      expect(nameIn({ kind: 'bitmap-full', processes: named(name, name) }), JSON.stringify(name)).to.equal(null);
    }
    expect(nameIn({ kind: 'bitmap-full', processes: named('M\u00dcNCHEN-1') })).to.equal('M\u00dcNCHEN-1');
  });
});
