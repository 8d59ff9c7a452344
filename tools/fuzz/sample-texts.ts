/** Small good texts of every format that is read: the fuzzer's seeds. */

import { createHash } from 'node:crypto';

const GUID = '0123456789ABCDEF0123456789ABCDEF';
const base = (name: string): object => ({ kind: 'base', name });

/** A symbol table as Volatility 3 writes them out of a PDB. */
export function sampleIsf(): string {
  return JSON.stringify({
    metadata: { format: '6.1.0', windows: { pdb: { GUID, age: 1, database: 'ntkrnlmp.pdb', machine_type: 34404 } } },
    base_types: {
      pointer: { endian: 'little', kind: 'int', signed: false, size: 8 },
      'unsigned long': { endian: 'little', kind: 'int', signed: false, size: 4 },
      'unsigned long long': { endian: 'little', kind: 'int', signed: false, size: 8 },
    },
    symbols: {
      PoolTrackTable: { address: 0xc1b2a8 },
      ExPoolTagTables: { address: 0x1000 },
      SomethingElse: { address: 0x1000 + 640 * 8 },
    },
    enums: { _POOL_TYPE: { base: 'int', size: 4, constants: { NonPagedPool: 0, PagedPool: 1 } } },
    user_types: {
      _LIST_ENTRY: {
        kind: 'struct',
        size: 16,
        fields: {
          Flink: { offset: 0, type: { kind: 'pointer', subtype: { kind: 'struct', name: '_LIST_ENTRY' } } },
          Blink: { offset: 8, type: { kind: 'pointer', subtype: { kind: 'struct', name: '_LIST_ENTRY' } } },
        },
      },
      _POOL_HEADER: {
        kind: 'struct',
        size: 0x100,
        fields: {
          Bits: { offset: 4, type: { kind: 'bitfield', bit_position: 8, bit_length: 12, type: base('unsigned long') } },
          Table: { offset: 8, type: { kind: 'array', count: 3, subtype: { kind: 'array', count: 5, subtype: base('unsigned long long') } } },
          Routine: { offset: 0x90, type: { kind: 'pointer', subtype: { kind: 'function' } } },
          Kind: { offset: 0xb0, type: { kind: 'enum', name: '_POOL_TYPE' } },
          unnamed_1: { offset: 0xc8, type: { kind: 'struct', name: '__unnamed_2' }, anonymous: true },
        },
      },
      __unnamed_2: { kind: 'struct', size: 8, fields: { Inner: { offset: 4, type: base('unsigned long') } } },
    },
  }); // prettier-ignore
}

/** The profile with the checksum that its words have. */
export function sealProfile(profile: Uint8Array): Uint8Array {
  const text = Buffer.from(profile).toString('utf8');
  const words = text
    .split(/\r\n|\n|\r/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .join(' ')
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.at(-2) !== 'end') return profile;
  const content = words.slice(2, -2).join(' ');
  const sum = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return Buffer.from(`${words.slice(0, 2).join(' ')}\n${content}\nend ${sum}\n`);
}

/** A poolmon log of two snapshots, in each set of columns. */
export function samplePoolmon(columns: 'narrow' | 'wide' | 'screen'): string {
  const title = {
    narrow: ' Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc',
    wide: ' Tag  Type     Allocs            Frees               Diff            Bytes                 Per Alloc       Mapped_Driver',
    screen: ' Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc  Mapped_Driver',
  }[columns];
  const delta = columns === 'screen' ? ' (   0)' : '';
  const driver = columns === 'narrow' ? '' : '        [ntfs.sys  -  AttrSup.c]';
  const row = (tag: string, pool: string, allocs: number, frees: number, bytes: number): string =>
    ` ${tag} ${pool.padEnd(5)} ${String(allocs).padStart(18)}${delta} ${String(frees).padStart(18)}${delta} ${String(allocs - frees).padStart(10)} ${String(bytes).padStart(12)}${delta} ${String(200).padStart(10)}${driver}`;
  const snapshot = (i: number): string[] => [
    ` Memory:16468560K Avail:12072536K  PageFlts:${468_600_648 + i}   InRam Krnl:56708K P:950888K`,
    ' Commit:4100436K Limit:17517136K Peak:11685564K            Pool N:710920K P:983564K',
    '',
    title,
    '',
    row('Leak', 'Nonp', 5000 + i * 900, 12, 30_000_000 + i * 1_000_000),
    row('File', 'Nonp', 900, 100, 300_000),
    row('MmSt', 'Paged', 2_269_405, 2_095_404, 156_097_152),
    '',
  ];
  return Array.from({ length: 6 }, (_, i) => snapshot(i))
    .flat()
    .join('\r\n');
}

/** A counter log, as perfmon and relog write CSV. */
export function samplePerfmon(): string {
  const rows = Array.from(
    { length: 12 },
    (_, i) => `"09/08/2002 ${String(12 + i).padStart(2, '0')}:35:45.166","${30_000_000 + i * 1e6}","${2e9 - i}"," "`,
  );
  return [
    '"(PDH-CSV 4.0) (Eastern Daylight Time)(240)","\\\\SQL01\\Memory\\Pool Nonpaged Bytes","\\\\SQL01\\Memory\\Committed Bytes","\\\\SQL01\\Process(svc#1)\\Handle Count"',
    ...rows,
    '',
  ].join('\r\n');
}

/** A row a tag and time, as the poolmon written in PowerShell logs. */
export function sampleTagCsv(): string {
  const rows = Array.from({ length: 8 }, (_, i) =>
    ['Leak', 'File'].map((tag) => `2024-03-0${i + 1} 10:00:00,${tag},${100 + i * 90},10,${i * 1e6 + 4096},5,1,640`),
  );
  return [
    'DateTime,Tag,PagedAllocs,PagedFrees,PagedUsedBytes,NonPagedAllocs,NonPagedFrees,NonPagedUsedBytes',
    ...rows.flat(),
    '',
  ].join('\n');
}

/** Results of `analyze --json`, as far as growth is read from them: a list, or one a line. */
export function sampleResults(lines: boolean): string {
  const counters = (bytes: number): object => ({ allocs: 500, frees: 12, bytes });
  const pages = (count: number): object => ({ pages: count, source: 'symbol' });
  const results = Array.from({ length: 5 }, (_, i) => ({
    dump: { systemTime: `2024-03-0${i + 1}T10:00:00.000Z`, upTimeSeconds: 3600 * (i + 1) },
    system: { machineName: 'SQL01' },
    memory: { nonPagedPoolUsage: pages(9000 + i), commitLimit: pages(900_000), physicalMemory: pages(4e6) },
    poolTags: {
      complete: true,
      rows: [
        { hex: '0x6b61654c', tag: 'Leak', nonPaged: counters(3e7 + i * 1e6), paged: counters(0) },
        { hex: '0x656c6946', tag: 'File', nonPaged: counters(300_000), paged: counters(64) },
      ],
    },
    modules: [{ name: 'a.sys', timeDateStamp: '0x4a5bc000', checkSum: '0x1', sizeOfImage: 4096, version: null }],
  }));
  return lines ? results.map((result) => JSON.stringify(result)).join('\n') : JSON.stringify(results);
}

/** A tag list with every kind of line. */
export const SAMPLE_POOLTAG = [
  'rem',
  'rem  Format of this file: <PoolTag> - <binary-name> - <Description>',
  '// a comment',
  '8042 - i8042prt.sys - PS/2 kb and mouse',
  'Leak - acmenet.sys - leaks',
  'AzSd - HDAudio.sys  - HD Audio Class Driver',
  'Mm   - nt!mm        - general Mm Allocations',
  'Mm?? - nt!mm        - general Mm Allocations',
  'Vi*  - dxgmms1.sys  - Video memory manager',
  'ATmp - AppTag mount point',
  'EtwO - nt!etw   Etw partition',
  '\x1a',
].join('\r\n');

/** Local names of counters, as `lodctr /s` and the registry have them. */
export const SAMPLE_COUNTER_NAMES =
  '4=Arbeitsspeicher\r\n58=Nicht ausgelagerter Pool (Bytes)\r\n"26","Zugesicherte Bytes"\r\n1450\r\nDruckwarteschlange\r\n';
