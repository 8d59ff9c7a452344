import { expect } from 'chai';
import { failed } from '../../../parsers/bytes/failure.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { parsePoolmonLog } from '../../../parsers/text/poolmon.js';
import { FULL } from '../golden/samples.js';
import type { AnalysisResult, PoolTagRow } from '../../result/result.js';
import { collectScript } from './collect-script.js';
import { renderSnapshotLog } from './snapshot-log.js';

function row(tag: string, nonPaged: number[], paged: number[], binary: string | null = null): PoolTagRow {
  const counters = ([allocs = 0, frees = 0, bytes = 0]: number[]): PoolTagRow['paged'] => {
    return { allocs, frees, outstanding: allocs - frees, bytes };
  };
  const hex = `0x${Buffer.from(tag, 'latin1').readUInt32LE().toString(16)}`;
  return {
    tag,
    hex,
    protected: false,
    nonPaged: counters(nonPaged),
    paged: counters(paged),
    description: null,
    binary,
    tagSource: null,
  };
}

const pages = (count: number) => ({ pages: count, source: 'kdbg' as const });

/** The published snapshot of a server, as a dump of it would tell. */
function result(architecture: 'x64' | 'x86', rows: PoolTagRow[]): AnalysisResult {
  return {
    ...FULL,
    dump: { ...FULL.dump, architecture },
    memory: {
      ...FULL.memory!,
      physicalMemory: pages(4117140),
      availablePages: pages(3018134),
      committedPages: pages(1025109),
      commitLimit: pages(4379284),
      peakCommitment: pages(2921391),
      nonPagedPoolUsage: pages(177730),
      nonPagedPoolNxUsage: pages(177700),
      pagedPoolUsage: pages(245891),
    },
    poolTags: { ...FULL.poolTags!, rows },
  };
}

const ROWS = [
  row('MmSt', [], [2269405, 2095404, 156097152], 'nt!mm'),
  row('EtwB', [6394, 4056, 163418368], [3, 3, 0]),
  row('Io  ', [5, 1, 64], []),
];

describe('a dump as a poolmon log', () => {
  it('has the narrow columns on 32-bit systems', () => {
    expect(renderSnapshotLog(result('x86', ROWS)).split('\n')).to.deep.equal([
      ' Memory:16468560K Avail:12072536K  PageFlts:     0   InRam Krnl:    0K P:    0K',
      ' Commit:4100436K Limit:17517136K Peak:11685564K            Pool N:710920K P:983564K',
      '',
      ' Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc',
      '',
      ' EtwB Nonp       6394      4056      2338 163418368      69896',
      ' EtwB Paged         3         3         0        0          0',
      ' Io   Nonp          5         1         4       64         16',
      ' MmSt Paged   2269405   2095404    174001 156097152        897',
      '',
    ]);
  });

  it('has the wide columns on 64-bit systems, and Mapped_Driver where it is asked for', () => {
    const rows = [row('ConT', [3097, 2409, 42770432], []), row('Thre', [180351, 176602, 13179648], [], 'nt!ps')];
    rows[1]!.description = 'Thread objects';
    const lines = renderSnapshotLog(result('x64', rows), { mapped: true }).split('\n');
    expect(lines.slice(3)).to.deep.equal([
      ' Tag  Type     Allocs            Frees               Diff            Bytes                 Per Alloc       Mapped_Driver',
      '',
      ' ConT Nonp                3097               2409               688       42770432            62166        Unknown Driver',
      ' Thre Nonp              180351             176602              3749       13179648             3515        [nt!ps - Thread objects]',
      '',
    ]);
    const narrow = renderSnapshotLog(result('x64', rows), { columns: 'narrow' });
    expect(narrow).to.include('\n ConT Nonp       3097      2409       688 42770432      62166\n');
  });

  it('is read again as it was', () => {
    for (const columns of ['narrow', 'wide'] as const) {
      const log = parsePoolmonLog(Buffer.from(renderSnapshotLog(result('x64', ROWS), { columns })));
      if (failed(log)) throw new Error(log.message);
      expect([...log.bytes.slice(0, log.rows)]).to.deep.equal([163418368, 0, 64, 156097152]);
      expect([...log.allocs.slice(0, log.rows)]).to.deep.equal([6394, 3, 5, 2269405]);
      expect(log.snapshots[0]!.header).to.include({ memoryBytes: 16468560 * 1024, nonPagedPoolBytes: 710920 * 1024 });
      expect(log.narrow).to.equal(columns === 'narrow');
    }
  });

  it('is refused without a tag table: zeros would be made up', () => {
    expect(() => renderSnapshotLog({ ...result('x64', []), poolTags: null })).to.throw(
      InputError,
      'holds no pool tag table',
    );
  });
});

describe('the script that collects poolmon logs', () => {
  const script = collectScript();

  it('is ASCII with the line ends that cmd.exe needs', () => {
    expect(script).to.match(/^(?:[\x20-\x7e]*\r\n)+$/);
  });

  it('takes what Windows counts itself where there is no poolmon', () => {
    expect(script).to.match(/\r\nif not defined POOLMON goto counters\r\n/);
    const [line = ''] = /^typeperf .*$/m.exec(script) ?? [];
    expect(line).to.include('"\\Memory\\Pool Nonpaged Bytes"').and.include('"\\Process(*)\\Handle Count"');
    expect(line).to.match(/ -si %SECONDS% -f CSV -o "%FOLDER%\\counters-%COMPUTERNAME%\.csv" -y\r?$/);
    // Longer lines are cut by cmd.exe.
    for (const each of script.split('\r\n')) expect(each.length).to.be.at.most(8000);
  });

  it('names files by time in UTC, as trend reads it, and has every label it jumps to', () => {
    expect(script)
      .to.include('poolmon-%COMPUTERNAME%-%STAMP%.log')
      .and.include("'yyyyMMddTHHmmssZ'")
      .and.include(' -n ');
    for (const [, label] of script.matchAll(/goto (\w+)/g)) expect(script).to.include(`\r\n:${label}\r\n`);
    expect(script.split('(').length).to.equal(script.split(')').length);
  });
});
