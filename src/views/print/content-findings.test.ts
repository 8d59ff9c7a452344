import { expect } from 'chai';
import type { BlockContents, Suspect } from '../../result/result.js';
import { billedFindings, contentFindings } from './content-findings.js';

const suspectWith = (contents: Partial<BlockContents> | null): Suspect => ({
  ...{ tag: 'Acme', pool: 'nonpaged', bytes: 0, outstanding: 0, averageBytes: null },
  ...{
    shareOfPool: null,
    shareOfMemory: null,
    confidence: 'low',
    reasons: [],
    against: [],
    drivers: [],
    searched: null,
  },
  related: [],
  contents: contents && { sampled: 512, sizes: [], pointers: [], strings: [], kinds: [], ...contents },
});
const link = (offset: string, count: number) => ({
  ...{ kind: 'list entry', detail: `at offset ${offset}`, count, looked: 96 },
});

describe('what stands in blocks, in words', () => {
  it('says once of how many blocks were followed, and leaves out what fewer than half have', () => {
    const found = contentFindings(
      suspectWith({
        sizes: [{ bytes: 128, count: 9000 }],
        kinds: [
          { kind: 'Irp', count: 500, looked: 512, detail: 'sent to disk.sys (500)' },
          ...[link('0x58', 96), link('0x10', 48), link('0x20', 47)],
        ],
        pointers: [
          { offset: 24, module: 'acme.sys', moduleOffset: '0x1f40', symbol: null, count: 256 },
          { offset: 32, module: 'acme.sys', moduleOffset: '0x2f40', symbol: null, count: 255 },
        ],
        strings: [{ text: 'rare', count: 3 }],
      }),
    );
    expect(found).to.deep.equal({
      title: 'In its blocks: the content of 512 blocks was looked at',
      lines: [
        'commonest sizes with header, of all blocks met: 128 bytes (9,000 blocks)',
        'Irp sent to disk.sys (500): 500 (97.7 %)',
        'offset 0x18: acme.sys+0x1f40: 256 (50.0 %)',
        'followed in 96 blocks: list entry at offset 0x58 in all; list entry at offset 0x10 in 48',
      ],
      more: 'and 3 less common findings: with --json',
    });
  });

  it('says that there is little or nothing in common, and nothing where no block was looked at', () => {
    const of = (contents: Partial<BlockContents> | null) => contentFindings(suspectWith(contents));
    expect(of(null)).to.equal(null);
    expect(of({})?.title).to.match(/, nothing in common$/);
    expect(of({ strings: [{ text: 'rare', count: 3 }] })).to.deep.include({ lines: [], more: 'and 1 less common finding: with --json' }); // prettier-ignore
  });

  it('names five processes that were charged, and counts the others', () => {
    const billed = Array.from({ length: 7 }, (_, i) => ({ image: 'a.exe', pid: 8 + i, bytes: 2048, blocks: 1 }));
    const found = billedFindings({ ...suspectWith(null), billed });
    expect(found?.lines).to.have.length(5).and.include('a.exe (8): 2.0 KB in 1 block');
    expect(found?.more).to.equal('and 2 more processes: with --json');
    expect(billedFindings({ ...suspectWith(null), billed: [] })).to.equal(null);
  });
});
