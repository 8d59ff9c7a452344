/** Cases 8 to 16, 19, 41 and 42: objects that handles or references keep. */

import type { HandleSpec } from '../objects/spec.js';
import { GB, MB } from '../machines/scenario-parts.js';
import type { ProcessSpec } from '../scenario.js';
import type { FieldCase } from './field-case.js';
import { fieldMachine, leaked } from './machine.js';

const PID = 4324;
const holder = (name: string): ProcessSpec => ({ name, pid: PID, session: 0, commit: 4200 });
const holding = (...handles: HandleSpec[]): { pid: number; handles: HandleSpec[] }[] => [{ pid: PID, handles }];
const system = (...handles: HandleSpec[]): { pid: number; handles: HandleSpec[] }[] => [{ pid: 4, handles }];

export const HANDLES: readonly FieldCase[] = [
  {
    number: 8,
    published: 'System holds 161,000 File handles, about 15 GB of pool',
    concluded: 'file names were asked for: who opened them is not published',
    source: 'microsoft/Windows-Sandbox#126',
    chosen: 'names of the files; the pool beyond the file objects is left out',
    answer: { kinds: ['handles'], tags: ['File'], culprit: 'System' },
    scenario: () =>
      fieldMachine({
        name: 'field case 8',
        seed: 4108,
        ram: 32 * GB,
        objects: {
          processes: system({
            type: 'File',
            count: 161_000,
            names: ['\\Device\\HarddiskVolume3\\ProgramData\\Containers\\layer#.vhdx'],
          }),
        },
      }),
  },
  {
    number: 9,
    published: 'System (pid 4) 1,050,000 File handles; `FMfn` grows',
    concluded: 'call stacks from a trace were needed to go on',
    source: 'openai/codex#31212',
    chosen: 'names of the files',
    smaller: 10,
    answer: { kinds: ['handles'], tags: ['File'], culprit: 'System' },
    scenario: () =>
      fieldMachine({
        name: 'field case 9',
        seed: 4109,
        rows: [{ tag: 'FMfn', paged: leaked(104_800, 62 * MB, 902_117) }],
        objects: {
          processes: system({
            type: 'File',
            count: 105_000,
            names: ['\\Device\\HarddiskVolume3\\Users\\dev\\src\\node#.js'],
          }),
        },
      }),
  },
  {
    number: 10,
    published: 'dockerd.exe 1,950,000 handles',
    concluded: 'that process',
    source: 'kubernetes/kubernetes#104789',
    chosen: 'their type: Event',
    smaller: 20,
    answer: { kinds: ['handles'], tags: ['Even'], culprit: 'dockerd.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 10',
        seed: 4110,
        kernel: '10.0.17763.4644',
        processes: [holder('dockerd.exe')],
        objects: { processes: holding({ type: 'Event', count: 97_500 }) },
      }),
  },
  {
    number: 11,
    published: 'kubelet.exe: process handles grow with each pod',
    concluded: 'that process',
    source: 'kubernetes/kubernetes#78917, #96428',
    chosen: 'how many: 9,000, to ended processes',
    answer: { kinds: ['ended processes', 'handles'], tags: ['Proc'], culprit: 'kubelet.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 11',
        seed: 4111,
        kernel: '10.0.17763.4644',
        processes: [holder('kubelet.exe'), { name: 'dockerd.exe', pid: 5104, session: 0 }],
        objects: {
          ended: [{ image: 'pause.exe', count: 9000, parentPid: 5104, holders: [{ pid: PID }] }],
        },
      }),
  },
  {
    number: 12,
    published: '204,000 Semaphore handles, 102,000 File handles to \\Device\\Afd',
    concluded: 'one process, two types in the ratio 2:1',
    source: 'docker/sbx-releases#320',
    chosen: 'the name of the process',
    answer: { kinds: ['handles'], tags: ['Sema', 'File'], culprit: 'sandboxd.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 12',
        seed: 4112,
        processes: [holder('sandboxd.exe')],
        objects: {
          processes: holding(
            { type: 'Semaphore', count: 204_000 },
            { type: 'File', count: 102_000, names: ['\\Device\\Afd\\Endpoint'] },
          ),
        },
      }),
  },
  {
    number: 13,
    published: '109,000 Thread handles in System',
    concluded: 'asked: which threads, created and ended when',
    source: 'winsiderss/systeminformer#913',
    chosen: 'whose threads',
    smaller: 4,
    answer: { kinds: ['handles'], tags: ['Thre'], culprit: 'System' },
    scenario: () =>
      fieldMachine({
        name: 'field case 13',
        seed: 4113,
        processes: [holder('game.exe')],
        objects: { endedThreads: [{ pid: PID, count: 27_250, holders: [{ pid: 4 }] }] },
      }),
  },
  {
    number: 14,
    published: 'tokens: logon sessions without owner; lsass.exe and an elevation service',
    concluded: 'orphan logon sessions; which service was asked',
    source: 'openai/codex#33356',
    chosen: 'how many: 60,000 tokens; no handle leads to them',
    answer: { kinds: ['references'], tags: ['Toke'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 14',
        seed: 4114,
        processes: [{ name: 'lsass.exe', pid: 808, session: 0 }, holder('elevsvc.exe')],
        objects: { unheld: [{ type: 'Token', count: 60_000, references: 1, user: 'CONTOSO\\dev' }] },
      }),
  },
  {
    number: 15,
    published: '3,810,000 tokens (`Toke`), `SeAt` with them',
    concluded: 'as 14; lock step of `Toke` and `SeAt`',
    source: 'melodic-software/claude-code-plugins#3715',
    chosen: 'no handle leads to them; bytes of `SeAt`',
    smaller: 50,
    answer: { kinds: ['references', 'lock step'], tags: ['Toke', 'SeAt'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 15',
        seed: 4115,
        rows: [{ tag: 'SeAt', paged: leaked(76_190, 76_190 * 240) }],
        processes: [holder('elevsvc.exe')],
        objects: { unheld: [{ type: 'Token', count: 76_200, references: 1, user: 'CONTOSO\\dev' }] },
      }),
  },
  {
    number: 16,
    published: '`Toke` 3,700,000, `File` 13,600,000; before a restart',
    concluded: 'figures before and after a restart; `Toke` and `File` together',
    source: 'microsoft/WSL#41296',
    chosen: 'no handle leads to them',
    smaller: 100,
    answer: { kinds: ['references', 'lock step'], tags: ['Toke', 'File'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 16',
        seed: 4116,
        processes: [holder('wslservice.exe')],
        objects: {
          unheld: [
            { type: 'Token', count: 37_000, references: 1, user: 'CONTOSO\\dev' },
            { type: 'File', count: 136_000, references: 1, names: ['\\Device\\Mup\\wsl.localhost\\file#'] },
          ],
        },
      }),
  },
  {
    number: 19,
    published: '`AfdX`, `AfdE` with File handles',
    concluded: 'sockets; the process was asked for',
    source: 'moby/moby#35692',
    chosen: 'counts, and the name of the process',
    answer: { kinds: ['handles', 'lock step'], tags: ['File', 'AfdE', 'AfdX'], culprit: 'proxy.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 19',
        seed: 4119,
        kernel: '10.0.14393.5582',
        processes: [holder('proxy.exe')],
        rows: [
          { tag: 'AfdE', nonPaged: leaked(120_006, 120_006 * 496) },
          { tag: 'AfdX', nonPaged: leaked(120_011, 120_011 * 176) },
        ],
        objects: { processes: holding({ type: 'File', count: 120_000, names: ['\\Device\\Afd\\Endpoint'] }) },
      }),
  },
  {
    number: 41,
    published: '`VadS` grows on one build',
    concluded: 'the report blames a download service: the process matters',
    source: 'deserthouse/windows-delivery-optimization-pool-leak-forensics',
    chosen: 'figures: 5.8 GB of 16 GB',
    answer: { kinds: ['tag of Windows'], tags: ['VadS'], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 41',
        seed: 4141,
        rows: [{ tag: 'VadS', nonPaged: leaked(48_700_000, 48_700_000 * 128) }],
        processes: [holder('svchost.exe')],
      }),
  },
  {
    number: 42,
    published: '`EtwR`, `EtwD` grow',
    concluded: 'tracing registrations and data; the process was asked for',
    source: 'ciderapp/Cider-2#1946',
    chosen: 'counts, and the name of the process',
    answer: { kinds: ['handles'], tags: ['EtwR'], culprit: 'player.exe' },
    scenario: () =>
      fieldMachine({
        name: 'field case 42',
        seed: 4142,
        processes: [holder('player.exe')],
        rows: [{ tag: 'EtwD', nonPaged: leaked(90_020, 90_020 * 160) }],
        objects: { processes: holding({ type: 'EtwRegistration', count: 90_000 }) },
      }),
  },
];
