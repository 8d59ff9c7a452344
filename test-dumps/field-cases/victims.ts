/** Cases 17, 18, 20, 21, 22, 30 to 33 and 39: tags of Windows that somebody else makes grow, or nobody does. */

import { GB, MB } from '../machines/scenario-parts.js';
import { outstanding } from '../tag-rows.js';
import type { FieldCase } from './field-case.js';
import { fieldMachine, leaked } from './machine.js';

export const VICTIMS: readonly FieldCase[] = [
  {
    number: 17,
    published: '`WCsc` 503,677; `NtfC` 503,712; `IoFE` 1,006,714 in 4.91 days; `NtFC` 23.1 GB',
    concluded: 'wcifs.sys is the culprit, ntfs.sys the victim',
    source: 'microsoft/WSL#40804',
    chosen: 'sizes of blocks, count of `NtFC`; 32 GB; what was made before these days is left out',
    answer: { kinds: ['lock step'], tags: ['WCsc', 'NtfC', 'IoFE', 'NtFC'], culprit: 'wcifs.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 17',
        seed: 4117,
        kernel: '10.0.22621.382',
        ram: 32 * GB,
        rows: [
          { tag: 'WCsc', paged: leaked(503_677, 503_677 * 272, 1180) },
          { tag: 'NtfC', paged: leaked(503_712, 503_712 * 144, 2071) },
          { tag: 'IoFE', nonPaged: leaked(1_006_714, 1_006_714 * 96, 3022) },
          { tag: 'NtFC', nonPaged: leaked(4_812_331, 23_100 * MB, 88_012) },
        ],
        modules: {
          'wcifs.sys': {
            imports: { 'fltmgr.sys': ['FltRegisterFilter', 'FltAllocateContext'] },
            tags: [{ tag: 'WCsc', style: 'filter-context' }],
          },
          'Ntfs.sys': {
            tags: [
              { tag: 'NtfC', style: 'alloc', pool: 'paged' },
              { tag: 'NtFC', style: 'alloc' },
            ],
          },
        },
        more: { kernelTags: [{ tag: 'IoFE', style: 'alloc' }] },
      }),
  },
  {
    number: 18,
    published: '`NtFC` 21,353.2 MB, 97.1 % of tagged nonpaged pool, the same an hour later to the byte',
    concluded: 'large, not growing',
    source: 'microsoft/WSL#41644',
    chosen: '64 GB; count of blocks',
    answer: { kinds: ['no leak', 'tag of Windows'], tags: ['NtFC'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 18',
        seed: 4118,
        kernel: '10.0.22621.382',
        ram: 64 * GB,
        rows: [{ tag: 'NtFC', nonPaged: outstanding(4_480_112, Math.floor(21_353.2 * MB), 3) }],
        otherNonPaged: 640 * MB,
        modules: { 'Ntfs.sys': { tags: [{ tag: 'NtFC', style: 'alloc' }] } },
      }),
  },
  {
    number: 20,
    published: '`FMfn`, ntfs and bindflt tags, paged',
    concluded: 'filters above ntfs; which one was asked',
    source: 'moby/moby#39476, openai/codex#29436',
    chosen: 'figures: 7.9 GB of paged pool on 16 GB; names of the other tags',
    answer: { kinds: ['tag of Windows', 'lock step'], tags: ['FMfn'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 20',
        seed: 4120,
        kernel: '10.0.17763.4644',
        rows: [
          { tag: 'FMfn', paged: leaked(14_100_000, 6.1 * GB, 21_044_120) },
          { tag: 'Ntff', paged: leaked(2_210_000, 1.3 * GB, 9_120_022) },
          { tag: 'NtFB', paged: leaked(2_100_400, 0.3 * GB, 9_000_120) },
          { tag: 'BfCx', paged: leaked(702_110, 0.2 * GB, 1_702_110) },
        ],
        modules: {
          'bindflt.sys': {
            imports: { 'fltmgr.sys': ['FltRegisterFilter', 'FltAllocateContext'] },
            tags: [{ tag: 'BfCx', style: 'filter-context' }],
          },
        },
      }),
  },
  {
    number: 21,
    published: 'filter contexts per file control block (`FltMgr` tags)',
    concluded: 'contexts hang on the file control blocks, one each',
    source: 'maharmstone/btrfs#802',
    chosen: 'figures, and the tags',
    answer: { kinds: ['lock step', 'driver'], tags: ['BtFc', 'FMsl', 'FMct'], culprit: 'btrfs.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 21',
        seed: 4121,
        rows: [
          { tag: 'BtFc', paged: leaked(1_310_402, 1_310_402 * 912) },
          { tag: 'FMsl', nonPaged: leaked(1_310_377, 1_310_377 * 192) },
          { tag: 'FMct', paged: leaked(1_310_391, 1_310_391 * 128) },
        ],
        modules: { 'btrfs.sys': { tags: [{ tag: 'BtFc', style: 'alloc', pool: 'paged' }] } },
      }),
  },
  {
    number: 22,
    published:
      '`amda` 5,768,754 allocations, 1,938,325,232 bytes (336 each); `IoWI` 5,769,999, 646,239,888 bytes (112 each)',
    concluded:
      "amdacpbus2.sys makes a work item in each interrupt; `amda` is the framework's default tag (service name)",
    source: 'article, 2024',
    chosen: '16 GB; version',
    answer: { kinds: ['lock step', 'driver'], tags: ['amda', 'IoWI'], culprit: 'amdacpbus2.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 22',
        seed: 4122,
        kernel: '10.0.22621.382',
        rows: [
          { tag: 'amda', nonPaged: leaked(5_768_754, 1_938_325_232, 210) },
          { tag: 'IoWI', nonPaged: leaked(5_769_999, 646_239_888, 91_002) },
        ],
        modules: {
          'amdacpbus2.sys': {
            imports: { 'WDFLDR.SYS': ['WdfVersionBind'] },
            version: { fileVersion: '6.0.1.70', companyName: 'Advanced Micro Devices' },
          },
        },
        more: { kernelTags: [{ tag: 'IoWI', style: 'alloc' }] },
      }),
  },
  {
    number: 30,
    published: '`Irp ` 10,860,000 allocations, 13.3 GB',
    concluded: 'whose device do they point to?',
    source: 'mullvad/mullvadvpn-app#10738',
    chosen: '32 GB; the blocks are not in the dump',
    answer: { kinds: ['tag of Windows', 'references'], tags: ['Irp '], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 30',
        seed: 4130,
        ram: 32 * GB,
        rows: [{ tag: 'Irp ', nonPaged: leaked(10_860_000, 13.3 * GB, 91_000_000) }],
      }),
  },
  {
    number: 31,
    published: '56,000,000 outstanding I/O requests',
    concluded: 'as 30',
    source: 'microsoft/WinDbg-Feedback#393',
    chosen: '128 GB; 1,120 bytes each',
    answer: { kinds: ['tag of Windows', 'references'], tags: ['Irp '], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 31',
        seed: 4131,
        ram: 128 * GB,
        rows: [{ tag: 'Irp ', nonPaged: leaked(56_000_000, 56_000_000 * 1120, 312_000_000) }],
      }),
  },
  {
    number: 32,
    published: '`Mdl ` with `NPBL`',
    concluded: 'a packet filter',
    source: 'nmap/nmap#1966',
    chosen: 'figures: 1.9 GB of 16 GB; that the filter is npcap.sys, whose tag `NPBL` is',
    answer: { kinds: ['lock step', 'driver'], tags: ['Mdl ', 'NPBL'], culprit: 'npcap.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 32',
        seed: 4132,
        rows: [
          { tag: 'NPBL', nonPaged: leaked(4_120_800, 4_120_800 * 416) },
          { tag: 'Mdl ', nonPaged: leaked(4_121_930, 4_121_930 * 80, 880_441) },
        ],
        modules: {
          'npcap.sys': {
            imports: { 'ndis.sys': ['NdisFRegisterFilterDriver'] },
            version: { fileVersion: '0.9.88.0', companyName: 'Insecure.Com LLC.' },
            tags: [{ tag: 'NPBL', style: 'alloc' }],
          },
        },
      }),
  },
  {
    number: 33,
    published: '`UlHT`: blocks of 262,144 bytes, one for each container',
    concluded: 'load by design, or leak? sizes tell',
    source: 'microsoft/Windows-Containers#70',
    chosen: '1,200 containers; 16 GB; nonpaged',
    answer: { kinds: ['no leak', 'tag of Windows'], tags: ['UlHT'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 33',
        seed: 4133,
        kernel: '10.0.17763.4644',
        rows: [{ tag: 'UlHT', nonPaged: leaked(1200, 1200 * 262_144, 310) }],
      }),
  },
  {
    number: 39,
    published: 'file server: `MmSt` 60 % of paged pool; `CM31`, `Ntff`, `FMfn` large',
    concluded: 'caches',
    source: 'many',
    chosen: 'figures: 3 GB of paged pool, 64 GB',
    answer: { kinds: ['no leak'], tags: [], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 39',
        seed: 4139,
        kernel: '10.0.17763.4644',
        ram: 64 * GB,
        otherPaged: 440 * MB,
        rows: [
          { tag: 'MmSt', paged: outstanding(1_204_310, 1800 * MB, 5) },
          { tag: 'Ntff', paged: outstanding(302_114, 410 * MB, 9) },
          { tag: 'CM31', paged: outstanding(41_220, 190 * MB, 0.2) },
          { tag: 'FMfn', paged: outstanding(388_120, 160 * MB, 30) },
        ],
        more: {
          header: { productType: 3 },
          kernelTags: [
            { tag: 'MmSt', style: 'alloc', pool: 'paged' },
            { tag: 'CM31', style: 'alloc', pool: 'paged' },
          ],
        },
      }),
  },
];
