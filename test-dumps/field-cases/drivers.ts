/** Cases 23 to 29, 37, 38 and 40: drivers under tags of their own, and tags that name nobody. */

import { GB } from '../machines/scenario-parts.js';
import type { FieldCase } from './field-case.js';
import { fieldMachine, leaked } from './machine.js';

const SERVER_2003 = { kernel: '5.2.3790.3959', architecture: 'x86' } as const;
const LEFT_POOL = 0x62n;

export const DRIVERS: readonly FieldCase[] = [
  {
    number: 23,
    published: '`SysR` 252,313,744 bytes',
    concluded: 'SysmonDrv.sys',
    source: 'issue threads',
    chosen: '4 GB; nonpaged, 512 bytes a block',
    answer: { kinds: ['driver'], tags: ['SysR'], culprit: 'SysmonDrv.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 23',
        seed: 4123,
        ram: 4 * GB,
        rows: [{ tag: 'SysR', nonPaged: leaked(492_800, 252_313_744, 1_700_204) }],
        modules: {
          'SysmonDrv.sys': {
            imports: { 'fltmgr.sys': ['FltRegisterFilter'], 'ntoskrnl.exe': ['PsSetCreateProcessNotifyRoutineEx'] },
            version: { fileVersion: '15.0.0.0', companyName: 'Sysinternals - www.sysinternals.com' },
            tags: [
              { tag: 'SysR', style: 'alloc' },
              { tag: 'SysR', style: 'alloc' },
              { tag: 'SysR', style: 'free' },
            ],
          },
        },
      }),
  },
  {
    number: 24,
    published: 'tag `1234` written as a C constant shows as `4321`',
    concluded: 'npcap.sys',
    source: 'nmap/npcap#213',
    chosen: 'figures: 2.1 GB of 16 GB',
    answer: { kinds: ['driver'], tags: ['4321'], culprit: 'npcap.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 24',
        seed: 4124,
        rows: [{ tag: '4321', nonPaged: leaked(1_410_233, 1_410_233 * 1616) }],
        modules: {
          'npcap.sys': {
            imports: { 'ndis.sys': ['NdisFRegisterFilterDriver'] },
            version: { fileVersion: '0.9.96.0', companyName: 'Insecure.Com LLC.' },
            tags: [
              { tag: '4321', style: 'alloc' },
              { tag: '4321', style: 'free' },
            ],
          },
        },
      }),
  },
  {
    number: 25,
    published: '`NVRM` nonpaged 1.90 GB, 62 MB after',
    concluded: "the display driver's tag; the report blames a vendor's hub program that drives it",
    source: 'deserthouse/omen-gaming-hub-pool-leak-forensics',
    chosen: '16 GB; count of blocks; version',
    answer: { kinds: ['driver'], tags: ['NVRM'], culprit: 'nvlddmkm.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 25',
        seed: 4125,
        kernel: '10.0.22621.382',
        rows: [{ tag: 'NVRM', nonPaged: leaked(612_004, 1.9 * GB, 88_401_200) }],
        modules: {
          'nvlddmkm.sys': {
            size: 0x12_0000,
            version: { fileVersion: '31.0.15.3623', companyName: 'NVIDIA Corporation' },
            tags: [
              { tag: 'NVRM', style: 'local-call' },
              { tag: 'NVRM', style: 'alloc' },
              { tag: 'NVRM', style: 'free' },
            ],
          },
        },
      }),
  },
  {
    number: 26,
    published: '`Abc ` 36,405 paged allocations, 33,930,272 bytes',
    concluded: 'the driver of that tag',
    source: 'driver documentation',
    chosen: 'Windows XP with 512 MB; the name of the driver',
    answer: { kinds: ['driver'], tags: ['Abc '], culprit: 'abcdrv.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 26',
        seed: 4126,
        kernel: '5.1.2600.5512',
        architecture: 'x86',
        ram: GB / 2,
        otherNonPaged: 9_000_000,
        otherPaged: 24_000_000,
        rows: [{ tag: 'Abc ', paged: leaked(36_405, 33_930_272) }],
        modules: { 'abcdrv.sys': { tags: [{ tag: 'Abc ', style: 'alloc', pool: 'paged' }] } },
      }),
  },
  {
    number: 27,
    published: 'one tag for all allocations of a driver: "not actionable"',
    concluded: 'the driver is right, the place is not known: stacks or contents',
    source: 'microsoft/ebpf-for-windows#1908',
    chosen: 'figures, tag and name of the driver',
    answer: { kinds: ['driver'], tags: ['OneT'], culprit: 'onetag.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 27',
        seed: 4127,
        rows: [{ tag: 'OneT', nonPaged: leaked(2_201_900, 2_201_900 * 640, 41_022_008) }],
        modules: {
          'onetag.sys': {
            imports: { 'fwpkclnt.sys': ['FwpsCalloutRegister3'] },
            tags: [
              ...Array.from({ length: 9 }, () => ({ tag: 'OneT', style: 'alloc' as const })),
              ...Array.from({ length: 5 }, () => ({ tag: 'OneT', style: 'free' as const })),
            ],
          },
        },
      }),
  },
  {
    number: 28,
    published:
      '`None` 246,479 allocations, 50,827,424 bytes; `MmCm` 1,198, 18,462,512; nonpaged 31,369 of 31,986 pages, 3 failures (Server 2003 x86, /3GB)',
    concluded: 'suspect tag None; no driver is named from it',
    source: 'article',
    chosen: '4 GB',
    answer: { kinds: ['shared tag'], tags: ['None'], culprit: null },
    scenario: () =>
      fieldMachine({
        ...SERVER_2003,
        name: 'field case 28',
        seed: 4128,
        ram: 3.5 * GB,
        otherNonPaged: 31_369 * 4096 - 50_827_424 - 18_462_512 - 18_000_000,
        otherPaged: 90_000_000,
        rows: [
          { tag: 'None', nonPaged: leaked(246_479, 50_827_424) },
          { tag: 'MmCm', nonPaged: leaked(1198, 18_462_512, 40) },
        ],
        figures: { nonPagedPoolUsage: 31_369, nonPagedPoolMaximum: 31_986 },
        memory: { poolAllocationFailures: 3 },
        modules: {
          'acmenet.sys': { tags: [{ tag: 'None', style: 'alloc' }] },
          'kestrelusb.sys': { tags: [{ tag: 'None', style: 'alloc' }] },
        },
        more: { header: { productType: 3 } },
      }),
  },
  {
    number: 29,
    published: '`Strg` of the run-time library',
    concluded: 'whose strings?',
    source: 'sandboxie-plus/Sandboxie#444',
    chosen: 'figures; that three drivers hold it',
    answer: { kinds: ['shared tag', 'driver'], tags: ['Strg'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 29',
        seed: 4129,
        rows: [{ tag: 'Strg', paged: leaked(7_100_220, 7_100_220 * 208, 30_200_440) }],
        modules: Object.fromEntries(
          ['boxdrv.sys', 'northfs.sys', 'kestrelusb.sys'].map((name) => [
            name,
            { tags: [{ tag: 'Strg', style: 'alloc' as const, pool: 'paged' as const }] },
          ]),
        ),
      }),
  },
  {
    number: 37,
    published: 'Driver Verifier on: `VMdl` 0x20, `mdrv` 0x1008, `Vfwi` 0x30 = 0x1058 outstanding, with callers (C4/62)',
    concluded: 'the driver that the bug check names, by its callers',
    source: 'driver documentation',
    chosen: 'the name of the driver',
    answer: { kinds: ['driver'], tags: [], culprit: 'MyDriver.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 37',
        seed: 4137,
        kernel: '6.3.9600.21620',
        rows: [
          { tag: 'VMdl', nonPaged: leaked(1, 0x20, 12) },
          { tag: 'mdrv', nonPaged: leaked(1, 0x1008, 3) },
          { tag: 'Vfwi', nonPaged: leaked(1, 0x30, 5) },
        ],
        modules: { 'MyDriver.sys': { tags: [{ tag: 'mdrv', style: 'alloc' }] } },
        more: {
          header: {
            bugCheckCode: 0xc4,
            bugCheckParameters: [LEFT_POOL, 0n, 0xffff_e000_01c1_f010n, 3n],
            bugCheckDriver: { name: 'MyDriver.sys', parameter: 2 },
          },
          verifier: {
            level: 0x209bb,
            drivers: ['MyDriver.sys'],
            allocations: [
              { driver: 'MyDriver.sys', tag: 'VMdl', count: 1, bytes: 0x20, callerRva: 0x11a0 },
              { driver: 'MyDriver.sys', tag: 'mdrv', count: 1, bytes: 0x1008, callerRva: 0x1687 },
              { driver: 'MyDriver.sys', tag: 'Vfwi', count: 1, bytes: 0x30, callerRva: 0x16ed },
            ],
          },
        },
      }),
  },
  {
    number: 38,
    published: 'verifier: tag `abcd`, one paged block of 0x70 bytes, caller Sample!DriverEntry+0x27 (C4/62)',
    concluded: 'Sample.sys',
    source: 'driver documentation',
    chosen: 'build',
    answer: { kinds: ['driver'], tags: [], culprit: 'Sample.sys' },
    scenario: () =>
      fieldMachine({
        name: 'field case 38',
        seed: 4138,
        kernel: '6.1.7601.24540',
        rows: [{ tag: 'abcd', paged: leaked(1, 0x70, 0) }],
        modules: { 'Sample.sys': { tags: [{ tag: 'abcd', style: 'alloc', pool: 'paged' }] } },
        more: {
          header: {
            bugCheckCode: 0xc4,
            bugCheckParameters: [LEFT_POOL, 0n, 0xffff_fa80_01c1_f010n, 1n],
            bugCheckDriver: { name: 'Sample.sys', parameter: 2 },
          },
          verifier: {
            level: 0x9bb,
            drivers: ['Sample.sys'],
            allocations: [{ driver: 'Sample.sys', tag: 'abcd', count: 1, bytes: 0x70, callerRva: 0x1027 }],
          },
        },
      }),
  },
  {
    number: 40,
    published: "`Pp  ` grows: the kernel's own plug and play",
    concluded: 'nt itself; the trigger is not published',
    source: 'TheCruZ/EFI_Driver_Access#1',
    chosen: 'figures: 1.4 GB of 16 GB, paged',
    answer: { kinds: ['driver', 'tag of Windows'], tags: ['Pp  '], culprit: 'ntoskrnl.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 40',
        seed: 4140,
        rows: [{ tag: 'Pp  ', paged: leaked(9_812_004, 9_812_004 * 144) }],
        more: { kernelTags: [{ tag: 'Pp  ', style: 'alloc', pool: 'paged' }] },
      }),
  },
];
