/** The object types of each generation: their names, pools and bodies. */

import { tagKey } from '../../bytes.js';
import type { KernelFacts } from '../../kernel-facts.js';

export interface Kind {
  readonly name: string;
  /** Four characters: the first of the name. */
  readonly tag: string;
  readonly pool: 'nonPagedPool' | 'pagedPool';
  /** Bytes of the body. */
  readonly size: number;
  /** In `ObTypeIndexTable` from Windows 7 on; before, a number that only the type itself has. */
  readonly index: number;
  /** Objects of the type keep who has handles to them. */
  readonly maintainsHandleCount: boolean;
}

interface KindPlan {
  name: string;
  paged?: boolean;
  struct?: string;
  size?: [wide: number, narrow: number];
  since?: number;
  before?: number;
  handleCount?: boolean;
}

/** In the order in which systems create them. */
const PLANS: readonly KindPlan[] = [
  { name: 'Type', struct: '_OBJECT_TYPE' },
  { name: 'Directory', paged: true, struct: '_OBJECT_DIRECTORY' },
  { name: 'SymbolicLink', paged: true, struct: '_OBJECT_SYMBOLIC_LINK' },
  { name: 'Token', paged: true, struct: '_TOKEN' },
  { name: 'Job', struct: '_EJOB' },
  { name: 'Process', struct: '_EPROCESS' },
  { name: 'Thread', struct: '_ETHREAD' },
  { name: 'Partition', size: [0x80, 0x40], since: 10240 },
  { name: 'DebugObject', size: [0x68, 0x40] },
  { name: 'Event', struct: '_KEVENT' },
  { name: 'Mutant', struct: '_KMUTANT' },
  { name: 'Callback', size: [0x38, 0x20] },
  { name: 'Semaphore', struct: '_KSEMAPHORE' },
  { name: 'Timer', struct: '_ETIMER' },
  { name: 'IRTimer', size: [0x120, 0xa0], since: 9200 },
  { name: 'KeyedEvent', paged: true, size: [0x8, 0x4] },
  { name: 'WindowStation', size: [0x98, 0x58], handleCount: true },
  { name: 'Desktop', size: [0xe8, 0x88], handleCount: true },
  { name: 'TpWorkerFactory', size: [0x180, 0xc0], since: 6000 },
  { name: 'Adapter', size: [0x10, 0x8] },
  { name: 'Controller', size: [0x48, 0x28] },
  { name: 'Device', struct: '_DEVICE_OBJECT' },
  { name: 'Driver', struct: '_DRIVER_OBJECT' },
  { name: 'IoCompletion', size: [0x40, 0x28] },
  { name: 'File', struct: '_FILE_OBJECT', handleCount: true },
  { name: 'Section', paged: true, struct: '_SECTION_OBJECT', before: 10240 },
  { name: 'Section', paged: true, struct: '_SECTION', since: 10240 },
  { name: 'Session', size: [0x40, 0x20], since: 6000 },
  { name: 'Key', paged: true, struct: '_CM_KEY_BODY' },
  { name: 'Port', paged: true, size: [0xc8, 0xa0], before: 6000 },
  { name: 'ALPC Port', struct: '_ALPC_PORT', since: 6000 },
  { name: 'EtwRegistration', size: [0x70, 0x48], since: 6000 },
];

/** The types of one kernel, by name. */
export function kindsOf(kernel: KernelFacts): ReadonlyMap<string, Kind> {
  const narrow = kernel.pointerSize === 4;
  const plans = PLANS.filter((p) => kernel.build >= (p.since ?? 0) && kernel.build < (p.before ?? Infinity));
  return new Map(
    plans.map((plan, i): [string, Kind] => {
      const size = kernel.structs[plan.struct ?? '']?.size ?? plan.size?.[narrow ? 1 : 0] ?? 0x40;
      const tag = plan.name.slice(0, 4).padEnd(4);
      const kind: Kind = {
        ...{ name: plan.name, tag, size, index: i + (kernel.build < 7600 ? 1 : 2) },
        pool: plan.paged === true ? 'pagedPool' : 'nonPagedPool',
        // Windows XP has no structure for it among the published ones.
        maintainsHandleCount: plan.handleCount === true && '_OBJECT_HEADER_HANDLE_INFO' in kernel.structs,
      };
      return [plan.name, kind];
    }),
  );
}

/** A type's `Key`. */
export function keyOf(kind: Kind): number {
  return tagKey(kind.tag);
}
