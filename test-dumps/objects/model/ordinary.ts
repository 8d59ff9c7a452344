/** The handles that any process has: a few dozen of the usual types, some of them to objects that many share. */

import type { ProcessModel } from './things.js';
import type { Plan } from './plan.js';

/** Type and weight. */
const MIX: readonly (readonly [type: string, weight: number])[] = [
  ['Event', 30], ['Key', 15], ['File', 12], ['Thread', 9], ['EtwRegistration', 8], ['Section', 6], ['Semaphore', 6],
  ['ALPC Port', 5], ['Mutant', 5], ['IoCompletion', 3], ['TpWorkerFactory', 3], ['Timer', 3], ['Token', 2], ['IRTimer', 2],
]; // prettier-ignore
const TOTAL = MIX.reduce((sum, [, weight]) => sum + weight, 0);

const KEYS = [
  '\\REGISTRY\\MACHINE', '\\REGISTRY\\MACHINE\\SOFTWARE\\Classes', '\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Control',
  '\\REGISTRY\\USER', '\\REGISTRY\\MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion',
] as const; // prettier-ignore
const FILES = [
  '\\Device\\HarddiskVolume3\\Windows\\System32', '\\Device\\CNG', '\\Device\\KsecDD', '\\Device\\NamedPipe\\lsass',
  '\\Device\\Afd\\Endpoint', '\\Device\\HarddiskVolume3\\Windows\\Fonts\\StaticCache.dat',
] as const; // prettier-ignore

const FOLDER = '\\Device\\HarddiskVolume3\\Windows\\System32\\LogFiles';

export function openOrdinary(plan: Plan, process: ProcessModel, count: number): void {
  const { random } = plan;
  plan.open(process, plan.directory('\\KnownDlls'));
  plan.open(process, plan.directory('\\BaseNamedObjects'));
  for (let i = 2; i < count; i++) {
    let draw = random.int(0, TOTAL - 1);
    const [type] = MIX.find(([, weight]) => (draw -= weight) < 0) ?? ['Event'];
    openOne(plan, process, plan.has(type) || type === 'ALPC Port' ? type : 'Event', i);
  }
}

function openOne(plan: Plan, process: ProcessModel, type: string, i: number): void {
  const { random } = plan;
  const own = `${process.pid.toString(16)}_${i}`;
  switch (type) {
    case 'Thread':
      if (process.threads.length > 0) plan.open(process, random.pick(process.threads).thing);
      return;
    case 'Key':
      plan.open(process, plan.make(type, random.pick(KEYS), process));
      return;
    case 'File':
      if (random.chance(0.15)) plan.open(process, plan.relativeFile(FOLDER, `trace${i}.etl`));
      else plan.open(process, plan.make(type, random.pick(FILES), process));
      return;
    case 'Section': {
      const names = [
        '\\Device\\HarddiskVolume3\\Windows\\System32\\en-US\\user32.dll.mui',
        null,
        '\\BaseNamedObjects\\windows_shell_global_counters',
      ];
      plan.open(process, plan.make(type, random.pick(names), process));
      return;
    }
    case 'Mutant':
      plan.open(process, plan.make(type, random.chance(0.5) ? `\\BaseNamedObjects\\SM0:${own}` : null, process));
      return;
    case 'ALPC Port':
      plan.open(process, plan.make(type, random.chance(0.3) ? `\\RPC Control\\OLE${own}` : null, process));
      return;
    case 'Event': {
      const name = random.chance(0.06) ? '\\KernelObjects\\MaximumCommitCondition' : null;
      const event = plan.make(type, name, process);
      if (name === null && random.chance(0.04)) event.exclusive = process;
      plan.open(process, event);
      return;
    }
    default:
      plan.open(process, plan.make(type, null, process));
  }
}
