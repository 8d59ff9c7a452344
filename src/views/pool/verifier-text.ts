/** Driver Verifier in the looks of `!verifier 3` and `!verifier 0x80`. */

import { printable } from '../../../parsers/text-safety.js';
import type { ShownDriver, ShownLog, VerifierFigures } from '../../analysis/pool/verifier-part.js';
import type { PoolPair } from '../../kernel/verifier/drivers.js';
import { pointerText } from './block-lines.js';

const STANDARD: readonly (readonly [number, string])[] = [
  [0x0, 'Automatic Checks'],
  [0x1, 'Special pool'],
  [0x2, 'Force IRQL checking'],
  [0x8, 'Pool tracking'],
  [0x10, 'I/O verification'],
  [0x20, 'Deadlock detection'],
  [0x80, 'DMA checking'],
  [0x100, 'Security checks'],
  [0x800, 'Miscellaneous checks'],
  [0x20000, 'DDI compliance checking'],
];
const ADDITIONAL: readonly (readonly [number, string])[] = [
  [0x4, 'Randomized low resources simulation'],
  [0x200, 'Force pending I/O requests'],
  [0x400, 'IRP logging'],
  [0x2000, 'Invariant MDL checking for stack'],
  [0x4000, 'Invariant MDL checking for driver'],
  [0x8000, 'Power framework delay fuzzing'],
  [0x40000, 'Systematic low resources simulation'],
  [0x80000, 'DDI compliance checking (additional)'],
  [0x200000, 'NDIS/WIFI verification'],
  [0x800000, 'Kernel synchronization delay fuzzing'],
  [0x1000000, 'VM switch verification'],
];

const hex = (value: number | null, digits = 0): string =>
  value === null ? 'n/a' : `0x${value.toString(16).toUpperCase().padStart(digits, '0')}`;
const lower = (value: number | null, digits = 0): string =>
  value === null ? 'n/a' : `0x${value.toString(16).padStart(digits, '0')}`;

/** How much `!verifier` shows: level and statistics; the drivers too; and what each had not freed. */
export type VerifierDetail = 'level' | 'drivers' | 'allocations';

/** Level, statistics, and the drivers. */
export function renderVerifier(
  { level, statistics: s, drivers }: VerifierFigures & { readonly level: number },
  wide: boolean,
  detail: VerifierDetail,
): string {
  const flag = ([bit, name]: readonly [number, string]): string =>
    `    [${bit === 0 || (level & bit) !== 0 ? 'X' : ' '}] (0x${bit.toString(16).padStart(8, '0')}) ${name}`;
  const short = (name: string, value: number | null): string => `  ${name.padEnd(21)}${lower(value)}`;
  const long = (name: string, value: number | null): string => `  ${name.padEnd(39)}${lower(value)}`;
  const held = (name: string, count: number | null, bytes: number | null): string =>
    `  ${name.padEnd(39)}${lower(count)} for ${bytes === null ? 'n/a' : bytes.toString(16).toUpperCase().padStart(8, '0')} bytes`;
  const lines = [
    `Verify Flags Level ${lower(level, 8)}`,
    '',
    '  STANDARD FLAGS:',
    ...STANDARD.map(flag),
    '',
    '  ADDITIONAL FLAGS:',
    ...ADDITIONAL.map(flag),
    '',
    '    [X] Indicates flag is enabled',
    '',
    '',
    'Summary of All Verifier Statistics',
    '',
    short('RaiseIrqls', s.RaiseIrqls),
    short('AcquireSpinLocks', s.AcquireSpinLocks),
    short('Synch Executions', s.SynchronizeExecutions),
    short('Trims', s.Trims),
    '',
    long('Pool Allocations Attempted', s.AllocationsAttempted),
    long('Pool Allocations Succeeded', s.AllocationsSucceeded),
    long('Pool Allocations Succeeded SpecialPool', s.AllocationsSucceededSpecialPool),
    long('Pool Allocations With NO TAG', s.AllocationsWithNoTag),
    long('Pool Allocations Failed', s.AllocationsFailed),
    '',
    held('Current paged pool allocations', s.CurrentPagedPoolAllocations, s.PagedBytes),
    held('Peak paged pool allocations', s.PeakPagedPoolAllocations, s.PeakPagedBytes),
    held('Current nonpaged pool allocations', s.CurrentNonPagedPoolAllocations, s.NonPagedBytes),
    held('Peak nonpaged pool allocations', s.PeakNonPagedPoolAllocations, s.PeakNonPagedBytes),
    '',
    ...(detail === 'level' ? [] : ['Driver Verification List', '------------------------']),
    ...(detail === 'level' ? [] : drivers.flatMap((driver) => driverLines(driver, wide, detail === 'allocations'))),
  ];
  return `${lines.join('\n')}\n`;
}

function driverLines(driver: ShownDriver, wide: boolean, withAllocations: boolean): string[] {
  const pair = ({ nonPaged, paged }: PoolPair): string => `( ${lower(nonPaged, 8)} / ${lower(paged, 8)} )`;
  const bytes = ({ nonPaged, paged }: PoolPair): string => `( ${hex(nonPaged, 8)} / ${hex(paged, 8)} )`;
  const { loads, unloads, outstanding, more } = driver;
  const state =
    loads === null || unloads === null
      ? 'unknown'
      : loads > unloads
        ? unloads > 0
          ? 'Loaded and Unloaded'
          : 'Loaded'
        : loads > 0
          ? 'Unloaded'
          : 'Not Loaded';
  const width = wide ? 18 : 10;
  const entries = (outstanding ?? []).map(({ address, bytes: length, tag, caller, place }) => {
    const shown = [0, 8, 16, 24].map((shift) => String.fromCharCode((tag >>> shift) & 0x7f)).join('');
    return `      0x${pointerText(address, wide)}  ${lower(length, 8)}  ${printable(shown)}  0x${pointerText(caller, wide)}${place === null ? '' : `  ${printable(place)}`}`;
  });
  const totals = [
    '',
    `nt!_VF_TARGET_DRIVER 0x${pointerText(driver.address, wide)}: ${printable(driver.name ?? 'unknown')} (${state})`,
    '',
    '    Pool Allocation Statistics: ( NonPagedPool / PagedPool )',
    '',
    `      Current Pool Allocations: ${pair(driver.allocations)}`,
    `      Current Pool Bytes:       ${bytes(driver.bytes)}`,
    `      Peak Pool Allocations:    ${pair(driver.peakAllocations)}`,
    `      Peak Pool Bytes:          ${bytes(driver.peakBytes)}`,
    `      Contiguous Memory Bytes:       ${lower(driver.contiguousBytes, 8)}`,
    `      Peak Contiguous Memory Bytes:  ${lower(driver.peakContiguousBytes, 8)}`,
  ];
  if (!withAllocations) return totals;
  return [
    ...totals,
    '',
    '    Pool Allocations:',
    '',
    ...(outstanding === null
      ? ['      cannot be read']
      : entries.length === 0
        ? [driver.complete ? '      none' : '      none that can be read']
        : [
            `      ${'Address'.padEnd(width)}  Length      Tag   ${(wide ? 'Caller Address' : 'Caller').padEnd(width)}`,
            `      ${'-'.repeat(width)}  ----------  ----  ${'-'.repeat(width)}`,
            ...entries,
          ]),
    ...(more > 0 ? [`      and ${more} more: with --limit`] : []),
    ...(outstanding !== null && !driver.complete
      ? [
          '      The list does not have as many entries as the counters say.',
          ...(driver.inTrees
            ? ['      This kernel may keep them in trees (ViPoolInfoAvl), whose layout is not published.']
            : []),
        ]
      : []),
  ];
}

/** The log: `!verifier 0x80`, or `0x80 ADDRESS`. */
export function renderPoolLog(log: ShownLog, address: bigint | null, wide: boolean): string {
  const size = log.entries.toString(16);
  const lines = [
    'Log of recent kernel pool Allocate and Free operations:',
    '',
    `There are up to 0x${size} entries in the log.`,
    '',
    `Parsing 0x${size.padStart(8, '0')} log entries, searching for ${address === null ? 'all of them' : `address 0x${pointerText(address, wide)}`}.`,
    '',
  ];
  for (const { address: block, bytes, thread, stack } of log.traces) {
    lines.push(
      '',
      `Pool block ${pointerText(block, wide)}, Size ${bytes.toString(16).padStart(wide ? 16 : 8, '0')}, Thread ${pointerText(thread, wide)}`,
      ...stack.map(({ address: frame, place }) => `${pointerText(frame, wide)} ${printable(place ?? '')}`.trimEnd()),
    );
  }
  if (log.traces.length === 0) lines.push(address === null ? 'The log is empty.' : 'No entry is about this address.');
  if (log.missing > 0) lines.push('', `${log.missing} entries are not in the dump.`);
  return `${lines.join('\n')}\n`;
}
