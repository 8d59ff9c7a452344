/** The sequences in which 32-bit drivers hand a pool tag to the allocator: arguments are pushed, the last one first. */

import { concat, fromHex, putU32 } from '../bytes.js';
import { contextSnippet, snippet, tagBytes, type Snippet } from './code.js';
import type { Prng } from '../prng.js';
import type { TagUse } from '../scenario.js';

/** `call [address]`, whose address is fixed when the place is known, and what follows it. */
const CALL = 'ff 15 00 00 00 00 8b f0 85 f6 0f 84 80 00 00 00';

/** The bytes of one tag use; what is no code is the same on every processor. */
export function x86Snippet(use: TagUse, random: Prng): Snippet {
  const tag = tagBytes(use);
  const size = new Uint8Array(4);
  putU32(size, 0, random.int(4, 200) * 8);
  const kind = use.pool === 'paged' ? '6a 01' : '6a 00';
  const code = (
    before: Uint8Array,
    after: Uint8Array,
    callAt: number,
    target: 'allocate' | 'free' | 'wrapper',
    indirect = true,
  ): Snippet => ({
    bytes: concat([before, tag, after]),
    tagAt: before.length,
    genuine: true,
    calls: [{ at: before.length + 4 + callAt, target, indirect }],
  });
  switch (use.style) {
    // push tag; push size; push pool type; call [ExAllocatePoolWithTag]
    case 'alloc':
      return code(fromHex('8b ff 68'), concat([fromHex('68'), size, fromHex(kind), fromHex(CALL)]), 9, 'allocate');
    // push tag; push block; call [ExFreePoolWithTag]
    case 'free':
      return code(fromHex('8b ff 68'), fromHex('56 ff 15 00 00 00 00 5e c9 c2 04 00'), 3, 'free');
    // mov dword ptr [esp], tag; call wrapper
    case 'local-call':
      return code(
        concat([fromHex('68'), size, fromHex('83 ec 04 c7 04 24')]),
        fromHex('e8 00 00 00 00 8b f8 85 ff'),
        1,
        'wrapper',
        false,
      );
    // push tag; push eax; push pool type; call [ExAllocatePoolWithTag]
    case 'notmyfault':
      return code(fromHex('b8 00 a0 0f 00 68'), concat([fromHex('50'), fromHex(kind), fromHex(CALL)]), 5, 'allocate');
    case 'filter-context':
      return contextSnippet(use, 4);
    default:
      return snippet(use, random);
  }
}
