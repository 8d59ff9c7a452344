/**
 * The functions through which a thread waits, in the code of the kernel: each calls the next one, and on x64 the exception table
 * says how to leave it. Written from the public description of x64 exception handling; on x86 three of them keep a frame in ebp.
 */

import { concat, putU32 } from '../bytes.js';
import type { PeImage } from '../images/pe-image.js';

/** A function that calls another. RVAs; `returns` is where it goes on after its call. */
export interface WaitFunction {
  readonly name: string;
  readonly rva: number;
  readonly returns: number;
  /** Bytes on the stack between the address that it returns to and where the stack stands in it, saved registers among them. */
  readonly frame: number;
  /** Where it keeps rbp or ebp, bytes below the address that it returns to; null where it keeps none. */
  readonly savesBase: number | null;
  /** It counts from rbp, which stands so many bytes above the bottom of its frame, and may move the stack besides. */
  readonly base: number | null;
}

interface Plan {
  readonly name: string;
  readonly prologue: string;
  readonly epilogue: string;
  /** x64: unwind codes, the last instruction first; bytes of the prologue; frame register with its offset. */
  readonly codes?: string;
  readonly register?: number;
  readonly frame: number;
  readonly savesBase?: number;
  readonly base?: number;
}

/** From the innermost one on. What `SwapContext` itself leaves on the stack is `_KSWITCH_FRAME`. */
const X64: readonly Plan[] = [
  // sub rsp, 138h; mov [rsp+130h], rbx. Codes: rbx is saved at 130h; 138h bytes are taken.
  { name: 'KiSwapContext', prologue: '4881ec38010000 48899c2430010000', epilogue: '4881c438010000 c3', codes: '0f34 2600 0701 2700', frame: 0x138 },
  // push rbx; sub rsp, 20h
  { name: 'KiSwapThread', prologue: '4053 4883ec20', epilogue: '4883c420 5b c3', codes: '0632 0230', frame: 0x28 },
  // push rbp; sub rsp, 40h; lea rbp, [rsp+20h]
  { name: 'KeWaitForSingleObject', prologue: '4055 4883ec40 488d6c2420', epilogue: '488d6520 5d c3', codes: '0b03 0672 0250', register: 0x25, frame: 0x48, savesBase: 8, base: 0x20 },
  // push rbp; sub rsp, 20h
  { name: 'PspSystemThreadStartup', prologue: '4055 4883ec20', epilogue: '4883c420 5d c3', codes: '0632 0250', frame: 0x28, savesBase: 8 },
  { name: 'KiStartSystemThread', prologue: '4883ec28', epilogue: '4883c428 c3', codes: '0442', frame: 0x28 },
]; // prettier-ignore

const X86: readonly Plan[] = [
  // sub esp, 10h; four registers, ebp the lowest
  { name: 'KiSwapContext', prologue: '83ec10 895c240c 89742408 897c2404 892c24', epilogue: '83c410 c3', frame: 0x10, savesBase: 0x10 },
  { name: 'KiSwapThread', prologue: '53 83ec1c', epilogue: '83c41c 5b c3', frame: 0x20 },
  { name: 'KeWaitForSingleObject', prologue: '55 8bec 83ec30', epilogue: 'c9 c3', frame: 0x34, savesBase: 4, base: 0x30 },
  { name: 'PspSystemThreadStartup', prologue: '55 8bec 83ec10', epilogue: 'c9 c3', frame: 0x14, savesBase: 4, base: 0x10 },
  { name: 'KiThreadStartup', prologue: '83ec08', epilogue: '83c408 c3', frame: 8 },
]; // prettier-ignore

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** Writes them, those that the image exports to where that says, with what the exception table has to say of them. */
export function plantSwitchCode(image: PeImage, exports: Readonly<Record<string, number>>): WaitFunction[] {
  const text = image.section('.text')?.rva ?? 0;
  const place = (name: string, i: number): number => exports[name] ?? text + 0x200 + i * 0x40;
  const plans = image.isX86 ? X86 : X64;
  const swap = place('SwapContext', plans.length);
  image.write(swap, bytesOf('c3'));
  const functions: WaitFunction[] = [];
  const rows: { start: number; end: number; info: Uint8Array }[] = [];
  plans.forEach((plan, i) => {
    const rva = place(plan.name, i);
    const prologue = bytesOf(plan.prologue);
    const returns = rva + prologue.length + 5;
    const call = new Uint8Array(5);
    call[0] = 0xe8;
    putU32(call, 1, ((functions[i - 1]?.rva ?? swap) - returns) >>> 0);
    const code = concat([prologue, call, bytesOf(plan.epilogue)]);
    image.write(rva, code);
    functions.push({
      ...{ name: plan.name, rva, returns, frame: plan.frame },
      ...{ savesBase: plan.savesBase ?? null, base: plan.base ?? null },
    });
    const codes = bytesOf(plan.codes ?? '');
    const info = concat([Uint8Array.of(1, prologue.length, codes.length / 2, plan.register ?? 0), codes, new Uint8Array(2)]); // prettier-ignore
    rows.push({ start: rva, end: rva + code.length, info });
  });
  if (!image.isX86) putExceptionTable(image, rows);
  return functions;
}

/** `.pdata` and `.xdata`, in the last page of what is data and never written. */
function putExceptionTable(image: PeImage, rows: { start: number; end: number; info: Uint8Array }[]): void {
  const home = image.section('.rsrc');
  if (home === undefined) return;
  const at = home.rva + home.size - 0x400;
  const table = new Uint8Array(rows.length * 12);
  let info = at + 0x200;
  rows.sort((a, b) => a.start - b.start);
  rows.forEach((row, i) => {
    putU32(table, i * 12, row.start);
    putU32(table, i * 12 + 4, row.end);
    putU32(table, i * 12 + 8, info);
    image.write(info, row.info);
    info += 0x20;
  });
  image.write(at, table);
  image.putDirectory(3, at, table.length);
}
