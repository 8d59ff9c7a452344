/** What processes keep of their own in user memory: a `_PEB`, its process parameters, and the environment. */

import { putU32, putVa, utf16, type Va } from '../bytes.js';
import type { AddressTables } from './page-tables.js';
import { PAGE, type PhysicalMemory } from '../physical-memory.js';

/** The two structures stand in the first page, the environment in the pages after it. */
const USER: Readonly<Record<4 | 8, Va>> = { 4: 0x7ffd_8000, 8: 0x7ff6_1000_0000 };
const PARAMETERS_AT = 0x800;
/** By bytes of a pointer: `_PEB.ProcessParameters`, `_RTL_USER_PROCESS_PARAMETERS.Environment`. */
const POINTERS = { 4: [0x10, 0x48], 8: [0x20, 0x80] } as const;

/**
 * Maps the pages into the user half of `tables`; gives the address of the `_PEB` and the frames. `padding` characters of
 * another variable stand before COMPUTERNAME.
 */
export function writeEnvironment(
  memory: PhysicalMemory,
  tables: AddressTables,
  width: 4 | 8,
  computerName: string,
  padding = 0,
): { peb: Va; frames: number[] } {
  if (tables.style.levels === 5) throw new Error('environments: with four levels of page tables at most');
  const peb = USER[width];
  const block = utf16(
    `=::=::\\\0ALLUSERSPROFILE=C:\\ProgramData${'x'.repeat(padding)}\0COMPUTERNAME=${computerName}\0ComSpec=C:\\Windows\\system32\\cmd.exe\0\0`,
  );
  const frames = Array.from({ length: 1 + Math.ceil(block.length / PAGE) }, (_, i) => {
    const frame = memory.allocate();
    memory.writable(frame);
    tables.map(peb + i * PAGE, frame, { writable: true });
    return frame;
  });
  const put = (at: number, address: Va): void => {
    const page = memory.writable(frames[0] ?? 0);
    if (width === 4) putU32(page, at, address);
    else putVa(page, at, address);
  };
  const [parameters, environment] = POINTERS[width];
  put(parameters, peb + PARAMETERS_AT);
  put(PARAMETERS_AT + environment, peb + PAGE);
  frames.slice(1).forEach((frame, i) => {
    memory.writable(frame).set(block.subarray(i * PAGE, (i + 1) * PAGE));
  });
  return { peb, frames };
}
