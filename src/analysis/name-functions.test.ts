import { expect } from 'chai';
import { plus } from '../../parsers/addresses.js';
import { hex } from '../../parsers/bytes/failure.js';
import { BASE, exportingImage } from '../../parsers/pe/export-image.test.helper.js';
import type { SymbolSources } from '../../symbols/sources.js';
import type { LoadedModule } from '../kernel/modules/modules.js';
import type { AnalysisResult, Evidence, Suspect } from '../result/result.js';
import { nameByExports, nameByPdbs } from './name-functions.js';

const at = (rva: number): Evidence['address'] => hex(plus(BASE, rva));

describe('names of functions', () => {
  /** A tag in code at 0x1180, that goes through the function at 0x1400 to the allocator. */
  function tagInCode(change: Partial<Evidence> = {}): { evidence: Evidence; suspects: Suspect[] } {
    const evidence: Evidence = {
      ...{ kind: 'code-immediate', address: at(0x1180), offset: '0x1180', bytes: null, ascii: null, section: '.text' },
      ...{ executable: true, symbol: null, instruction: null, callsAllocator: true },
      call: {
        address: at(0x1190)!,
        allocator: 'ExAllocatePoolWithTag',
        kind: 'allocate',
        instruction: null,
        through: ['acme+0x1400'],
        throughStarts: [at(0x1400)!],
      },
      function: { start: at(0x1100)!, end: at(0x1200)!, source: 'exception-table' },
      note: 'it goes to the tag argument of ExAllocatePoolWithTag',
      ...change,
    };
    return { evidence, suspects: [{ drivers: [{ module: 'acme.sys', base: hex(BASE), confidence: 'high', evidence: [evidence] }] } as unknown as Suspect] }; // prettier-ignore
  }
  const exporting = (exports: Record<string, number>): LoadedModule[] => [
    { name: 'acme.sys', moduleName: 'acme', base: BASE, ...exportingImage(exports) } as unknown as LoadedModule,
  ];

  it('are those of exports, of the place and of what the tag goes through', () => {
    const { evidence, suspects } = tagInCode();
    nameByExports(suspects, exporting({ AcmeOpen: 0x1100, AcmeAllocate: 0x1400 }));
    expect(evidence.symbol).to.equal('acme!AcmeOpen+0x80');
    expect(evidence.call?.through).to.deep.equal(['acme!AcmeAllocate']);
    expect(evidence.note).to.equal('it goes to the tag argument of ExAllocatePoolWithTag');
  });

  it('are those of the image with the base of the driver, not of another that is called so', () => {
    const { evidence, suspects } = tagInCode();
    const [other] = exporting({ WrongOpen: 0x1100, WrongAllocate: 0x1400 });
    const moved = { ...other!, base: plus(BASE, 0x100000) } as unknown as LoadedModule;
    nameByExports(suspects, [moved, ...exporting({ AcmeOpen: 0x1100 })]);
    expect(evidence.symbol).to.equal('acme!AcmeOpen+0x80');
  });

  it('are not those of an export before the function that the place is in', () => {
    const { evidence, suspects } = tagInCode();
    nameByExports(suspects, exporting({ AcmeOther: 0x10c0, AcmeNear: 0x13f0 }));
    expect(evidence.symbol).to.equal(null);
    expect(evidence.call?.through).to.deep.equal(['acme+0x1400']);
  });

  it('are those of the nearest export where it is not known which function it is', () => {
    const { evidence, suspects } = tagInCode({ function: null, call: null });
    nameByExports(suspects, exporting({ AcmeOther: 0x10c0 }));
    expect(evidence.symbol).to.equal('acme!AcmeOther+0xc0');
  });

  it('are those of the PDB before those of exports', async () => {
    const { evidence, suspects } = tagInCode();
    const modules = exporting({ AcmeOpen: 0x1100, AcmeOrdinal7: 0x1400 });
    nameByExports(suspects, modules);
    expect(evidence.call?.through).to.deep.equal(['acme!AcmeOrdinal7']);
    const named: Record<number, { name: string; rva: number; size: number | null }> = {
      0x1180: { name: 'AcmeReceive', rva: 0x1100, size: 0x100 },
      0x1400: { name: 'AcmeAllocate', rva: 0x1400, size: null },
    };
    const sources = {
      pdb: () => Promise.resolve({ nearestFunction: (rva: number) => named[rva] ?? null }),
    } as unknown as SymbolSources;
    const result = { suspects, modules: [{ name: 'acme.sys', moduleName: 'acme', base: hex(BASE), pdb: {} }] } as unknown as AnalysisResult; // prettier-ignore
    await nameByPdbs(result, sources);
    expect(evidence.symbol).to.equal('acme!AcmeReceive+0x80');
    expect(evidence.call?.through).to.deep.equal(['acme!AcmeAllocate']);
  });
});
