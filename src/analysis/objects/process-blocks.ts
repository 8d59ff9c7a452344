/** What the debugger shows of a process in `!process 0 0` and above its handles. */

import { plus } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import type { Objects } from '../../kernel/objects/objects.js';
import type { ProcessFields } from '../../kernel/objects/process-fields.js';
import { rootsOf } from '../../kernel/objects/roots.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import type { ProcessBlock } from '../../result/object-parts.js';
import type { Count } from '../../result/result.js';

/** @param handles how many it has, null where not all could be read. */
export function blockOf(kernel: Kernel, objects: Objects, process: ProcessFields, handles: Count | null): ProcessBlock {
  const roots = rootsOf(kernel);
  const pebAt = roots?.knownOffsets.get('Peb') ?? objects.layouts()?.offset('_EPROCESS', 'Peb') ?? null;
  const peb = roots === null || pebAt === null ? null : roots.memory.readPointer(plus(process.address, pebAt));
  const token = objects.describer()?.tokenOf(process) ?? null;
  return {
    ...{ pid: process.pid, image: process.image, address: hex(process.address), parentPid: process.parentPid },
    // Processes outside of any session have none, whatever their tokens say.
    sessionId: process.session === null ? null : (token?.sessionId ?? null),
    ended: process.ended,
    peb: peb === null || failed(peb) ? null : hex(peb),
    directoryTableBase: process.directoryTableBase === null ? null : hex(process.directoryTableBase),
    objectTable: process.objectTable === null ? null : hex(process.objectTable),
    handles,
  };
}
