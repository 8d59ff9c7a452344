/** The machine that the tests of objects build, and its layout. */

import { buildDump, type BuiltDump, type Scenario } from '../build-dump.js';
import { HAND_LAYOUTS, type HandLayout } from './hand-objects.test.helper.js';
import type { ObjectsSpec } from './spec.js';
import type { ObjectsTruth } from './truth.js';

export const WATCHMAN = 4324;

export const SPEC: ObjectsSpec = {
  processes: [
    { pid: WATCHMAN, handles: [{ type: 'Event', count: 300, objects: 100, references: 2 }] },
    { pid: 4, handles: [{ type: 'File', count: 1200, names: ['\\Device\\HarddiskVolume3\\Data\\file#.dat'] }] },
  ],
  ended: [
    {
      image: 'a-long-image-name.exe',
      count: 70,
      parentPid: WATCHMAN,
      holders: [{ pid: WATCHMAN }, { pid: 4, share: 0.5 }],
      threads: 1,
    },
    { image: 'lost.exe', count: 5, parentPid: 4, unlisted: true },
  ],
  endedThreads: [{ pid: WATCHMAN, count: 6, holders: [{ pid: 4 }] }],
  unheld: [{ type: 'Token', count: 40, references: 3, user: 'CONTOSO\\svc' }],
};

export function build(
  machine: Scenario,
  seed: number,
  spec: ObjectsSpec = SPEC,
): { dump: BuiltDump; truth: ObjectsTruth } {
  const dump = buildDump({
    ...machine,
    seed,
    processes: [
      { name: 'System', pid: 4 },
      { name: 'csrss.exe', session: 1 },
      { name: 'watchman.exe', pid: WATCHMAN, session: 1 },
    ],
    objects: spec,
  });
  if (dump.truth.objects === undefined) throw new Error('no objects');
  return { dump, truth: dump.truth.objects };
}

export function layoutOf(name: string): HandLayout {
  const layout = HAND_LAYOUTS[name];
  if (!layout) throw new Error(name);
  return layout;
}
