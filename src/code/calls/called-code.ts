/** What following a function needs to know of the code that it calls: what that takes from the stack, and guards. */

import { u32 } from '../../../parsers/bytes/fields.js';
import { OP, Operations } from '../../../parsers/code/operations.js';
import type { Callees } from './callees.js';
import type { CalledCode, CallGifts, CallTarget } from '../flow/flow-result.js';
import { guardSlots } from '../flow/guard.js';
import type { ImageBytes } from '../image/image-bytes.js';
import { CREATE_DEVICE } from '../fields/gifts.js';
import { GET_TYPED_CONTEXT } from './wdf.js';
import { Stretch } from '../flow/stretch.js';
import type { CodeWork } from '../flow/work.js';

/** What a function takes from the stack is told by its first return: bytes and instructions before it, at most. */
const FURTHEST_RETURN = 0x1000;
const MOST_BEFORE_RETURN = 600;

/** Used again for every function that is looked into. */
const looked = new Operations();

/** Answers for one image, each once. */
export class ImageCalledCode implements CalledCode {
  readonly isGuarded: boolean;
  readonly keepsFields: boolean;
  readonly tables: CalledCode['tables'];
  readonly addresses: CalledCode['addresses'];
  private readonly slots: ReturnType<typeof guardSlots>;
  private readonly guards = new Map<number, ReturnType<CalledCode['guard']>>();
  private readonly known = new Map<number, number | null>();

  constructor(
    private readonly image: ImageBytes & { readonly work: CodeWork },
    private readonly callees: Callees,
    readonly gifts: CallGifts | null = null,
  ) {
    this.keepsFields = gifts !== null;
    const table = callees.frameworkTable();
    this.slots = guardSlots(image.module, image.headers);
    this.isGuarded = this.slots.check >= 0 || this.slots.dispatch >= 0;
    this.tables = new Set(table?.kind === 'pointer' ? [table.rva] : []);
    this.addresses = image.machine.name === 'x86' ? { base: image.base, size: image.module.sizeOfImage } : null;
  }

  guard(target: CallTarget): 'check' | 'dispatch' | null {
    const { slots, guards } = this;
    if (target.kind === 'slot')
      return target.rva === slots.check ? 'check' : target.rva === slots.dispatch ? 'dispatch' : null;
    if (target.kind !== 'direct') return null;
    const known = guards.get(target.rva);
    if (known !== undefined) return known;
    const found = this.dispatches(target.rva, slots.dispatch) ? 'dispatch' : null;
    guards.set(target.rva, found);
    return found;
  }

  /** x64: true for `jmp rax` and `jmp [dispatch]`. */
  private dispatches(rva: number, slot: number): boolean {
    if (this.image.machine.name !== 'x64') return false;
    const bytes = this.image.bytes(rva, 8);
    const at = bytes[0] === 0x48 ? 1 : 0;
    if (bytes[at] !== 0xff) return false;
    if (bytes[at + 1] === 0xe0) return true;
    return bytes[at + 1] === 0x25 && bytes.length >= at + 6 && ((rva + at + 6 + u32(bytes, at + 2)) | 0) === slot;
  }

  taken(target: CallTarget, isCleaned: boolean): number | null {
    const called = this.callees.of(target);
    if (called.kind === 'allocator') {
      const { arguments: count, wide = 0, isCdecl = false } = called.allocator;
      return isCdecl ? 0 : 4 * (count + wide);
    }
    // What raises the stack pointer behind a function that takes its arguments itself, takes other things away.
    if (called.kind === 'named') return isCdecl(called.name) ? 0 : (TAKEN.get(called.name) ?? null);
    if (called.kind !== 'local') return null;
    const known = this.known.get(called.rva);
    if (known !== undefined) return known ?? (isCleaned ? 0 : null);
    const ops = looked;
    const code = new Stretch(this.image, ops, called.rva, called.rva + FURTHEST_RETURN, MOST_BEFORE_RETURN);
    let taken: number | null = null;
    for (let i = 0; taken === null && code.has(i); i++) {
      if (ops.kind[i] === OP.return) taken = ops.immediate[i] ?? 0;
      else if (ops.kind[i] === OP.stop) break;
    }
    this.known.set(called.rva, taken);
    return taken ?? (isCleaned ? 0 : null);
  }
}

/** Bytes that documented functions take, of those behind which something is followed. */
const TAKEN: ReadonlyMap<string, number> = new Map([
  [CREATE_DEVICE.name, 28],
  ['MmGetSystemRoutineAddress', 4],
  [GET_TYPED_CONTEXT.name, 12],
]);

/** Exported functions that leave their arguments to the caller: the C library's, and those with any number of them. */
const VARIADIC: ReadonlySet<string> = new Set([
  ...['DbgPrint', 'DbgPrintEx', 'DbgPrintReturnControlC', 'WmiTraceMessage', 'KdPrint', 'EtwTraceMessage'],
  ...['NdisWriteErrorLogEntry', 'ScsiDebugPrint', 'VideoPortDebugPrint'],
  ...['StorPortDebugPrint', 'StorPortNotification', 'StorPortExtendedFunction', 'ScsiPortNotification'],
]);
const isCdecl = (name: string): boolean => /^[a-z_]/.test(name) || VARIADIC.has(name);
