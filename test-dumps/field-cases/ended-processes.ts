/** Cases 1 to 7: processes that have ended and are still there, and the page tables that they keep. */

import { GB, MB } from '../machines/scenario-parts.js';
import type { ProcessSpec } from '../scenario.js';
import type { FieldCase } from './field-case.js';
import { fieldMachine, leaked } from './machine.js';

const PID = 4324;
const holder = (name: string): ProcessSpec => ({ name, pid: PID, session: 0, commit: 4200 });
const heldBy = [{ pid: PID }];
const pages = (bytes: number): number => Math.floor(bytes / 4096);
/** The counter that holds the page tables of processes, beside what live ones need. */
const pageTables = (bytes: number): { sharedProcess: number } => ({ sharedProcess: pages(bytes) + 52_000 });

export const ENDED_PROCESSES: readonly FieldCase[] = [
  {
    number: 1,
    published: '`Proc` 39,511 outstanding, against 284 live processes',
    concluded: "ended processes are kept; reported culprit: a display driver's service",
    source: 'microsoft/Windows-Dev-Performance#137',
    chosen: 'the name of the service, and that it keeps them by handles',
    answer: { kinds: ['ended processes'], tags: ['Proc'], culprit: 'displaysvc.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 1',
        seed: 4101,
        processes: [holder('displaysvc.exe')],
        objects: { ended: [{ image: 'git.exe', count: 39_227, parentPid: PID, holders: heldBy }] },
      }),
  },
  {
    number: 2,
    published: '71,197 ended cmd.exe; 12.7 GiB of system PTEs and page tables beside the pool',
    concluded: 'handles in one file-watching service',
    source: 'landaire/claude-resource-leak-investigation',
    chosen: 'the name of the service; 32 GB',
    answer: { kinds: ['ended processes'], tags: ['Proc'], culprit: 'watchman.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 2',
        seed: 4102,
        ram: 32 * GB,
        figures: pageTables(12.7 * GB),
        processes: [holder('watchman.exe')],
        objects: { ended: [{ image: 'cmd.exe', count: 71_197, parentPid: PID, holders: heldBy }] },
      }),
  },
  {
    number: 3,
    published: '10,300 ended processes, about 44 KB of page tables each',
    concluded: 'memory is in page tables, not in the pool; who keeps them is the question',
    source: 'MicrosoftDocs/msteams-docs#2053',
    chosen: 'programs; references keep them and no handle does',
    answer: { kinds: ['ended processes', 'not pool'], tags: ['Proc'], culprit: null, where: /page table/i },
    scenario: () =>
      fieldMachine({
        name: 'field case 3',
        seed: 4103,
        figures: pageTables(10_300 * 44 * 1024),
        processes: [holder('ms-teams.exe')],
        objects: { ended: [{ image: 'msedgewebview2.exe', count: 10_300, parentPid: PID, references: 1 }] },
      }),
  },
  {
    number: 4,
    published: 'ended processes kept by handles of a network-profile service in svchost.exe',
    concluded: 'that service, not the programs that ended',
    source: 'microsoft/Windows-Dev-Performance#65',
    chosen: 'how many: 5,000',
    answer: { kinds: ['ended processes'], tags: ['Proc'], culprit: 'svchost.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 4',
        seed: 4104,
        processes: [holder('svchost.exe'), { name: 'devenv.exe', pid: 5104, session: 1 }],
        objects: {
          ended: [
            { image: 'cl.exe', count: 3600, parentPid: 5104, holders: heldBy },
            { image: 'link.exe', count: 1400, parentPid: 5104, holders: heldBy },
          ],
        },
      }),
  },
  {
    number: 5,
    published: 'page tables 14 GB; few ended processes by handles',
    concluded: 'not decided from handles alone: references',
    source: 'zodiacon/ObjectExplorer#5',
    chosen: 'counts of processes from 44 KB of page tables each',
    smaller: 20,
    answer: { kinds: ['ended processes', 'not pool'], tags: ['Proc'], culprit: null, where: /page table/i },
    scenario: () =>
      fieldMachine({
        name: 'field case 5',
        seed: 4105,
        ram: 4 * GB,
        figures: pageTables((14 * GB) / 20),
        processes: [holder('taskhostw.exe')],
        objects: {
          ended: [
            { image: 'worker.exe', count: 15_600, parentPid: PID, references: 1 },
            { image: 'conhost.exe', count: 300, parentPid: PID, holders: heldBy },
          ],
        },
      }),
  },
  {
    number: 6,
    published: 'page tables 5 GB from ended conhost.exe and powercfg.exe',
    concluded: 'a tool that starts them again and again',
    source: 'JamesCJ60/Universal-x86-Tuning-Utility-Handheld#3',
    chosen: 'counts from 44 KB of page tables each; the tool has handles to them',
    smaller: 10,
    answer: { kinds: ['ended processes'], tags: ['Proc'], culprit: 'tuningtool.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 6',
        seed: 4106,
        ram: 4 * GB,
        figures: pageTables((5 * GB) / 10),
        processes: [holder('tuningtool.exe')],
        objects: {
          ended: [
            { image: 'conhost.exe', count: 5900, parentPid: PID, holders: heldBy },
            { image: 'powercfg.exe', count: 5900, parentPid: PID, holders: heldBy },
          ],
        },
      }),
  },
  {
    number: 7,
    published: 'page tables 10 GB and nonpaged pool 7 GB',
    concluded: 'both are said',
    source: 'openai/codex#30389',
    chosen: 'nonpaged pool is spread over tags; 64 GB; that the counter of processes holds their page tables',
    answer: { kinds: ['not pool'], tags: [], culprit: null, where: /page table/i },
    scenario: () =>
      fieldMachine({
        name: 'field case 7',
        seed: 4107,
        ram: 64 * GB,
        rows: [{ tag: 'Proc', nonPaged: leaked(1200, 3 * MB) }],
        otherNonPaged: 7 * GB,
        figures: {
          ...{ availablePages: pages(1.5 * GB), freePages: 4000, zeroedPages: 0, standbyPages: pages(1.4 * GB) },
          sharedProcess: pages(10 * GB),
        },
      }),
  },
];
