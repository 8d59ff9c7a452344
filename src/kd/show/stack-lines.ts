/** Frames of stacks in the look of `k` and its like, and of `!thread`. */

import type { ContextKind } from '../../../parsers/dump/context.js';
import { printable } from '../../../parsers/text-safety.js';
import type { Session } from '../session.js';
import type { Frame } from '../stack/walk.js';

/** Which columns there are. */
export interface StackLook {
  /** What stands where the first arguments are kept. */
  readonly args: boolean;
  /** Numbers of frames, which x64 and ARM64 have also where this is false; null for none. */
  readonly numbers: boolean | null;
  /** x64 and ARM64: where the stack stands, which is left out only beside arguments. */
  readonly stack: boolean;
}

/** What is said of stacks of x86 and ARM64. */
export const BY_FRAME_POINTERS = 'Frame pointers are followed: functions that set none are left out.';

/** The line above the frames. */
export function stackTitle(kind: ContextKind, { args, stack, numbers }: StackLook): string {
  if (kind === 'x86') return `${numbers === true ? ' # ' : ''}ChildEBP RetAddr  ${args ? 'Args to Child' : ''}`;
  const column = 'RetAddr           ';
  if (!args) return `${numbers === null ? '' : ' # '}Child-SP          ${column}Call Site`;
  return `${numbers === null ? '' : ' # '}${stack ? 'Child-SP          ' : ''}${column}: ${'Args to Child'.padEnd(71)} : Call Site`;
}

/** One frame. */
export async function stackRow(
  session: Session,
  kind: ContextKind,
  wanted: StackLook,
  frame: Frame,
  index: number,
): Promise<string> {
  const number = wanted.numbers === null ? '' : `${index.toString(16).padStart(2, '0')} `;
  const { instruction, returns } = frame;
  const name = await session.symbols.nameOf(instruction);
  const site = name === null ? `0x${session.show(instruction)}` : printable(name);
  const shown = (value: bigint | null): string => (value === null ? session.show(0n).replaceAll('0', '?') : session.show(value)); // prettier-ignore
  const args = frame.args.map(shown).join(' ');
  if (kind === 'x86') return `${wanted.numbers === true ? number : ''}${shown(frame.stack)} ${shown(returns)} ${wanted.args ? `${args} ` : ''}${site}`; // prettier-ignore
  if (!wanted.args) return `${number}${shown(frame.stack)} ${shown(returns)} ${site}`;
  return `${number}${wanted.stack ? `${shown(frame.stack)} ` : ''}${shown(returns)} : ${args.padEnd(71)} : ${site}`;
}
