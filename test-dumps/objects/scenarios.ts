/** Ready scenarios of machines on which objects leak, or seem to. `count` makes them smaller or larger. */

import { drivers, GB, MB, processes } from '../machines/scenario-parts.js';
import type { ProcessSpec, Scenario } from '../scenario.js';
import { tagRows } from '../tag-rows.js';
import type { HandleSpec, ObjectsSpec, ProcessDetails } from './spec.js';

/** The process that is to blame; process ids are multiples of 4. */
export const CULPRIT_PID = 4324;

interface Parts {
  name: string;
  seed: number;
  /** The process that stands out. */
  culprit?: ProcessSpec;
  more?: readonly ProcessSpec[];
  objects: ObjectsSpec;
  ram?: number;
}

/** A Windows 10 server with 40 processes and little pool besides. Any other kernel will do. */
function server({ name, seed, culprit, more = [], objects, ram = 16 * GB }: Parts): Scenario {
  const others = processes(['svchost.exe', 'RuntimeBroker.exe', 'explorer.exe'], 34, 1);
  return {
    name,
    seed,
    kernel: '10.0.19041.804',
    processors: 4,
    memory: { bytes: ram },
    header: { productType: 3 },
    modules: drivers(19041),
    processes: [...others, ...(culprit ? [culprit] : []), ...more],
    pool: { rows: tagRows({ seed, count: 420, nonPagedBytes: 260 * MB, pagedBytes: 340 * MB, largest: 24 * MB }) },
    objects,
  };
}

const one = (name: string): ProcessSpec => ({ name, pid: CULPRIT_PID, session: 0, commit: 4200 });

function holding(handles: HandleSpec): ProcessDetails[] {
  return [{ pid: CULPRIT_PID, threads: 12, user: 'NT AUTHORITY\\SYSTEM', handles: [handles] }];
}

/** Ended cmd.exe processes that a file-watching service started and never let go of; 0.2 GB of `Proc`, and their tokens. */
export function zombies(count = 71_197): Scenario {
  return server({
    name: 'zombies',
    seed: 201,
    culprit: one('watchman.exe'),
    objects: {
      processes: [{ pid: CULPRIT_PID, threads: 12, user: 'NT AUTHORITY\\SYSTEM' }],
      ended: [
        { image: 'cmd.exe', count, parentPid: CULPRIT_PID, holders: [{ pid: CULPRIT_PID }], overSeconds: 9 * 86_400 },
        { image: 'conhost.exe', count: 3, parentPid: CULPRIT_PID },
      ],
    },
  });
}

/** A service that opens events and closes none. */
export function eventLeak(count = 200_000): Scenario {
  const objects = { processes: holding({ type: 'Event', count }) };
  return server({ name: 'eventLeak', seed: 202, culprit: one('svcleak.exe'), objects });
}

/** A driver opens files with kernel handles, which are the System process's. */
export function systemFiles(count = 60_000): Scenario {
  const handles = [{ type: 'File', count, names: ['\\Device\\HarddiskVolume3\\ProgramData\\Scan\\item#.dat'] }];
  return server({ name: 'systemFiles', seed: 203, objects: { processes: [{ pid: 4, handles }] } });
}

/** Tokens that only references keep: nobody has a handle to them. */
export function tokenReferences(count = 80_000): Scenario {
  const unheld = [{ type: 'Token', count, references: 1, user: 'CONTOSO\\svc-backup' }];
  return server({ name: 'tokenReferences', seed: 204, objects: { unheld } });
}

/** Ended threads of a process that keeps their handles. */
export function zombieThreads(count = 50_000): Scenario {
  const endedThreads = [{ pid: CULPRIT_PID, count, holders: [{ pid: CULPRIT_PID }] }];
  return server({ name: 'zombieThreads', seed: 205, culprit: one('taskpool.exe'), objects: { endedThreads } });
}

/** One process opens the same few registry keys again and again. */
export function keyLeak(count = 120_000): Scenario {
  const names = [
    '\\REGISTRY\\MACHINE\\SOFTWARE\\Contoso\\Agent',
    '\\REGISTRY\\MACHINE\\SOFTWARE\\Contoso\\Agent\\Policies',
  ];
  const objects = { processes: holding({ type: 'Key', count, names }) };
  return server({ name: 'keyLeak', seed: 206, culprit: one('cfgagent.exe'), objects });
}

/** Ended processes keep their tokens: `Toke` grows with `Proc` and is no leak of its own. */
export function deadTokens(count = 12_000): Scenario {
  return server({
    name: 'deadTokens',
    seed: 207,
    culprit: one('jobrunner.exe'),
    objects: {
      ended: [
        {
          ...{ image: 'powershell.exe', count, parentPid: CULPRIT_PID, holders: [{ pid: CULPRIT_PID }] },
          path: '\\Device\\HarddiskVolume3\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
          user: 'CONTOSO\\svc-jobs',
        },
      ],
    },
  });
}

/** Ended processes that the kernel or a driver refers to, and no process has a handle to. */
export function zombieReferences(count = 12_000): Scenario {
  const ended = [{ image: 'agent.exe', count, parentPid: CULPRIT_PID, references: 1 }];
  return server({ name: 'zombieReferences', seed: 208, culprit: one('agentsvc.exe'), objects: { ended } });
}

const BUSY = ['svchost.exe', 'chrome.exe', 'Teams.exe', 'w3wp.exe', 'sqlservr.exe', 'RuntimeBroker.exe'];

/** A busy server: 320 processes with `count` handles in all, some ended processes in the hands of their starters. */
export function healthyBusy(count = 90_000): Scenario {
  // No id is a multiple of 1024: in the table of ids those places are not used.
  const id = (i: number): number => 500 + i * 36 + ((500 + i * 36) % 1024 === 0 ? 4 : 0);
  const all = processes(BUSY, 312, 2).map((spec, i) => ({ ...spec, pid: spec.pid ?? id(i) }));
  const few = Math.max(5, Math.floor((count * 0.7) / all.length));
  const rest = Math.max(0, count - few * all.length);
  const busiest = [4, id(11), id(12), id(13), id(14)];
  const share = (part: number, type: string): HandleSpec[] => [{ type, count: Math.floor(rest * part) }];
  const handles = [
    share(0.3, 'File'),
    share(0.25, 'Event'),
    share(0.2, 'Key'),
    share(0.15, 'Event'),
    share(0.1, 'Section'),
  ];
  const scenario = server({
    name: 'healthyBusy',
    seed: 209,
    ram: 64 * GB,
    objects: {
      ordinaryHandles: few,
      processes: busiest.map((pid, i) => ({ pid, handles: handles[i] ?? [] })),
      ended: [
        { image: 'chrome.exe', count: 24, parentPid: busiest[1] ?? 4, holders: [{ pid: busiest[1] ?? 4 }] },
        { image: 'WmiPrvSE.exe', count: 7, parentPid: busiest[2] ?? 4, holders: [{ pid: busiest[2] ?? 4 }] },
        { image: 'dllhost.exe', count: 5, parentPid: busiest[2] ?? 4 },
      ],
    },
  });
  return { ...scenario, processes: all };
}

/** What the benchmark reads: a hundredth of the handles are to ended processes, the rest to objects of all kinds. */
export function millionHandles(count = 1_000_000): Scenario {
  const ended = Math.floor(count / 100);
  const holders = [{ pid: CULPRIT_PID }];
  const part = (type: string, share: number, objects: number): HandleSpec => ({
    ...{ type, count: Math.floor(count * share), objects: Math.max(1, Math.floor(count * objects)) },
  });
  return server({
    name: 'millionHandles',
    seed: 210,
    ram: 32 * GB,
    culprit: one('broker.exe'),
    more: [
      { name: 'w3wp.exe', pid: 5004, session: 0 },
      { name: 'sqlservr.exe', pid: 5104, session: 0 },
    ],
    objects: {
      processes: [
        { pid: CULPRIT_PID, handles: [part('Event', 0.4, 0.08), part('Section', 0.02, 0.002)] },
        { pid: 5004, handles: [part('Key', 0.25, 0.05), part('File', 0.05, 0.02)] },
        { pid: 5104, handles: [part('Semaphore', 0.2, 0.04), part('Mutant', 0.07, 0.02)] },
      ],
      ended: [{ image: 'cmd.exe', count: ended, parentPid: CULPRIT_PID, holders }],
    },
  });
}

/** Zombies on a machine whose lists, tables and objects are damaged in every way at once. */
export function damagedObjects(count = 3000): Scenario {
  const scenario = zombies(count);
  return {
    ...scenario,
    name: 'damagedObjects',
    objects: {
      ...scenario.objects,
      damage: {
        activeList: { loopAfter: 60 },
        threadListLoop: { pid: CULPRIT_PID },
        wildHandles: { pid: CULPRIT_PID, count: 20 },
        freedHandles: { pid: CULPRIT_PID, count: 20 },
        absentLeaves: [{ pid: CULPRIT_PID, leaves: [2, 5] }],
        cookie: 'wrong',
      },
    },
  };
}

/** By name. Each takes a number of leaked objects, or of handles; the default is the size that was seen in the field. */
export const OBJECT_SCENARIOS = {
  zombies, eventLeak, systemFiles, tokenReferences, zombieThreads, keyLeak, deadTokens, zombieReferences, healthyBusy,
  millionHandles, damagedObjects,
} as const satisfies Record<string, (count?: number) => Scenario>; // prettier-ignore

export type ObjectScenarioName = keyof typeof OBJECT_SCENARIOS;

/** Machines that object scenarios are tried on, by a short name: a generation of handle tables and headers each. */
export const OBJECT_MACHINES: Readonly<Record<string, Pick<Scenario, 'kernel' | 'architecture' | 'paging'>>> = {
  'x64-7601': { kernel: '6.1.7601.24540' },
  'x64-9600': { kernel: '6.3.9600.21620' },
  'x64-14393': { kernel: '10.0.14393.5582' },
  'x64-19041': { kernel: '10.0.19041.804' },
  'x64-22000': { kernel: '10.0.22000.2538' },
  'x64-26100': { kernel: '10.0.26100.1' },
  'x64-la57': { kernel: '10.0.19041.804', paging: { levels: 5 } },
  'arm64-26100': { kernel: '10.0.26100.1', architecture: 'arm64' },
  'x86-2600': { kernel: '5.1.2600.5512', architecture: 'x86' },
  'x86-3790': { kernel: '5.2.3790.3959', architecture: 'x86' },
  'x86-7601': { kernel: '6.1.7601.17514', architecture: 'x86' },
  'x86-9200': { kernel: '6.2.9200.16384', architecture: 'x86' },
  'x86-19041': { kernel: '10.0.19041.928', architecture: 'x86' },
};

/** The scenario on another machine; 32-bit ones have 2 GB. */
export function onMachine(scenario: Scenario, machine: string): Scenario {
  const found = OBJECT_MACHINES[machine];
  if (!found) throw new Error(`no machine ${machine}`);
  return { ...scenario, ...found, ...(found.architecture === 'x86' ? { memory: { bytes: 2 * GB } } : {}) };
}
