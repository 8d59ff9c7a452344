/** Scenarios without a pool leak: healthy machines with large tags, and machines that ran out of something else. */

import { drivers, GB, MB, pageFile, processes } from './scenario-parts.js';
import type { Scenario } from '../scenario.js';
import { outstanding, tagRows } from '../tag-rows.js';

/** Windows 11 on 16 GB, nothing going on. */
export function idleWorkstation(): Scenario {
  return {
    name: 'idleWorkstation',
    seed: 101,
    kernel: '10.0.22000.2538',
    processors: 8,
    memory: { bytes: 16 * GB },
    modules: drivers(22000),
    pool: { rows: tagRows({ seed: 101, count: 560, nonPagedBytes: 390 * MB, pagedBytes: 470 * MB, largest: 46 * MB }) },
  };
}

/** Server 2019 with 64 GB: file system caches fill the paged pool, `MmSt` holds 60 % of it, and no limit is near. */
export function fileServer(): Scenario {
  const rows = tagRows({
    seed: 102, count: 720, nonPagedBytes: 1180 * MB, pagedBytes: 3000 * MB, largest: 60 * MB,
    named: [
      { tag: 'MmSt', paged: outstanding(1_204_310, 1800 * MB, 5) },
      { tag: 'Ntff', paged: outstanding(302_114, 410 * MB, 9) },
      { tag: 'CM31', paged: outstanding(41_220, 190 * MB, 0.2) },
      { tag: 'FMfn', paged: outstanding(388_120, 160 * MB, 30) },
      { tag: 'Ntf0', nonPaged: outstanding(210_446, 140 * MB, 12) },
      { tag: 'Smb2', nonPaged: outstanding(88_210, 110 * MB, 40) },
    ],
  }); // prettier-ignore
  return {
    name: 'fileServer',
    seed: 102,
    kernel: '10.0.17763.4644',
    processors: 16,
    memory: { bytes: 64 * GB, nonPagedNodes: 2 },
    header: { productType: 3, suiteMask: 0x110 },
    modules: drivers(17763),
    kernelTags: [
      { tag: 'MmSt', style: 'alloc', pool: 'paged' },
      { tag: 'CM31', style: 'alloc', pool: 'paged' },
    ],
    pool: { rows },
  };
}

/** Server 2016 with 40 users: session images, much paged pool in small tags, nothing near a limit. */
export function terminalServer(): Scenario {
  const rows = tagRows({
    seed: 103, count: 860, nonPagedBytes: 980 * MB, pagedBytes: 2100 * MB, largest: 120 * MB,
    named: [
      { tag: 'Toke', paged: outstanding(88_410, 230 * MB, 60) },
      { tag: 'CM31', paged: outstanding(60_310, 310 * MB, 0.3) },
      { tag: 'Usst', paged: outstanding(40_120, 96 * MB, 44) },
    ],
  }); // prettier-ignore
  return {
    name: 'terminalServer',
    seed: 103,
    kernel: '10.0.14393.5582',
    processors: 16,
    memory: { bytes: 64 * GB },
    header: { productType: 3, suiteMask: 0x10 },
    modules: drivers(14393, { 'win32kfull.sys': { tags: [{ tag: 'Usst', style: 'alloc', pool: 'paged' }] } }),
    processes: processes(
      ['explorer.exe', 'rdpclip.exe', 'winword.exe', 'outlook.exe', 'chrome.exe', 'taskhostw.exe'],
      160,
      40,
    ),
    sessions: Array.from({ length: 41 }, (_, id) => ({ id, committedPages: 3100 + ((id * 577) % 2900) })),
    pool: { rows },
  };
}

/** Server 2022 with 256 GB: the database holds nearly all memory, the pool is small. */
export function databaseServer(): Scenario {
  const rows = tagRows({ seed: 104, count: 640, nonPagedBytes: 2400 * MB, pagedBytes: 900 * MB, largest: 420 * MB });
  const ram = (256 * GB) / 4096;
  return {
    name: 'databaseServer',
    seed: 104,
    kernel: '10.0.20348.2400',
    processors: 64,
    memory: {
      bytes: 256 * GB,
      figures: {
        availablePages: 1_420_000,
        residentAvailablePages: 1_260_000,
        freePages: 20_110,
        zeroedPages: 240_020,
        standbyPages: 1_159_870,
        committedPages: 66_900_000,
        commitLimit: ram + (16 * GB) / 4096,
        peakCommitment: 67_120_000,
      },
      pageFiles: [pageFile(16 * GB, 0.98)],
    },
    header: { productType: 3 },
    modules: drivers(20348),
    processes: processes(['sqlservr.exe', 'svchost.exe', 'msmdsrv.exe'], 40, 1),
    pool: { rows },
  };
}

/** Server 2012 R2: system PTEs are used up by mappings; the pool is small. */
export function pteExhaustion(): Scenario {
  const rows = tagRows({ seed: 105, count: 600, nonPagedBytes: 210 * MB, pagedBytes: 260 * MB, largest: 30 * MB });
  return {
    name: 'pteExhaustion',
    seed: 105,
    kernel: '6.3.9600.21620',
    processors: 8,
    memory: { bytes: 32 * GB, figures: { freeSystemPtes: 118 } },
    header: { productType: 3, bugCheckCode: 0x3f, bugCheckParameters: [1n, 0x400n, 0x76n, 0x1n] },
    modules: drivers(9600),
    pool: { rows },
  };
}

/** Windows 10 with 8 GB: everything that can be committed is, by processes; the pool is small. */
export function commitExhaustion(): Scenario {
  const rows = tagRows({ seed: 106, count: 590, nonPagedBytes: 240 * MB, pagedBytes: 310 * MB, largest: 40 * MB });
  const limit = (12 * GB) / 4096;
  return {
    name: 'commitExhaustion',
    seed: 106,
    kernel: '10.0.19041.388',
    processors: 4,
    memory: {
      bytes: 8 * GB,
      figures: {
        commitLimit: limit,
        committedPages: limit - 211,
        peakCommitment: limit,
        availablePages: 9120,
        freePages: 1100,
        zeroedPages: 0,
        standbyPages: 8020,
      },
      pageFiles: [pageFile(4 * GB, 0.01)],
      poolAllocationFailures: 4127,
    },
    modules: drivers(19041),
    processes: processes(['chrome.exe', 'rendering.exe', 'svchost.exe'], 60, 1),
    pool: { rows },
  };
}
