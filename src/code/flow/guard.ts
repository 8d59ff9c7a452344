/**
 * Control Flow Guard: code compiled with it calls through pointers by way of one function that checks the target (x86,
 * ARM64: `call [check]`, which leaves everything as it is, before the call) or jumps to it (x64: `call [dispatch]` with the
 * target in rax). The slots are in the load configuration directory of the image, whose layout is public.
 */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { DIRECTORY, type ImageHeaders } from '../../../parsers/pe/image.js';
import type { CodeModule } from '../image/code-module.js';

/** RVAs of the two slots; -1 for one that the image has not. */
export interface GuardSlots {
  readonly check: number;
  readonly dispatch: number;
}

const NONE: GuardSlots = { check: -1, dispatch: -1 };
/** Offsets of GuardCFCheckFunctionPointer; GuardCFDispatchFunctionPointer stands behind it. */
const CHECK = { 4: 0x48, 8: 0x70 } as const;

/** The slots of an image. */
export function guardSlots(module: CodeModule, headers: ImageHeaders): GuardSlots {
  const { memory, base, sizeOfImage } = module;
  const rva = headers.directories[DIRECTORY.loadConfig]?.rva ?? 0;
  if (memory === null || rva === 0 || rva >= sizeOfImage) return NONE;
  const width = memory.pointerSize;
  const size = memory.read(plus(base, rva), 4);
  const end = CHECK[width] + 2 * width;
  if (failed(size) || u32(size, 0) < end || rva + end > sizeOfImage) return NONE;
  const slot = (at: number): number => {
    const pointer = memory.readPointer(plus(base, rva + at));
    if (failed(pointer)) return -1;
    const inside = Number(pointer - base);
    return inside > 0 && inside < sizeOfImage ? inside : -1;
  };
  return { check: slot(CHECK[width]), dispatch: slot(CHECK[width] + width) };
}
