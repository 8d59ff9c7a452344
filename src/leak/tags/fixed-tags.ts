/**
 * Calls of allocators that take no tag, as ExAllocatePool: the kernel uses `None` for them. No bytes of the image say so,
 * and only the call does.
 */

import { plus } from '../../../parsers/addresses.js';
import { hex } from '../../../parsers/bytes/failure.js';
import { allocationsIn, type Allocation, type CodeOptions } from '../../code/calls/allocations.js';
import { allocatorNamed, hasFixedTag } from '../../code/calls/allocators.js';
import { imageCode } from '../../code/image/image-code.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import { nothing } from '../drivers.js';
import type { Evidence } from '../../result/result.js';

const LONGEST_INSTRUCTION = 15;

/** What allocates under a tag (little-endian key without the protected bit) without naming it. */
export function fixedTagCalls(module: LoadedModule, key: number, options: CodeOptions): Evidence[] {
  const code = hasFixedTag(key) ? imageCode(module, options.exports ?? null) : null;
  if (code === null) return [];
  const place = (rva: number): string => `${module.moduleName}+0x${rva.toString(16)}`;
  const address = (rva: number) => hex(plus(module.base, rva));
  const text = (rva: number): string | null =>
    code.machine.decoder.text(code.bytes(rva, LONGEST_INSTRUCTION), plus(module.base, rva));
  const evidenceOf = ({ call, allocator, kind, through, function: range }: Allocation): Evidence => ({
    ...nothing('code-immediate', `${allocator} is called, which takes no tag: the kernel uses this one`),
    from: 'file',
    address: address(call),
    offset: `0x${call.toString(16)}`,
    section: code.sectionAt(call)?.name ?? null,
    executable: true,
    callsAllocator: true,
    call: {
      ...{ address: address(call), allocator, kind, instruction: text(call) },
      ...{ through: through.map(place), throughStarts: through.map(address) },
    },
    function: range === null ? null : { start: address(range.start), end: address(range.end), source: range.source },
  });
  return allocationsIn(module, options)
    .allocations.filter((found) => found.key === key && allocatorNamed(found.allocator)?.fixed !== undefined)
    .map(evidenceOf);
}
