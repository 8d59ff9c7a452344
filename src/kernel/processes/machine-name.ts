/**
 * The machine's name. No global of the kernel holds it, but the environment of nearly every process does: as
 * COMPUTERNAME, in user memory, which complete and active dumps have. What most processes say is taken.
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import { resolvePath } from '../../../symbols/paths.js';
import { objectsOf } from '../objects/objects.js';
import type { Kernel } from '../open/open-kernel.js';
import { processPlaces } from './process-spaces.js';

/**
 * By pointer size: `_PEB.ProcessParameters`, `_RTL_USER_PROCESS_PARAMETERS.Environment`, and where user addresses end.
 * The first is in the Windows SDK (winternl.h), the second the same in the symbols of every build since 2000 (x86) and
 * 3790 (x64). What they lead to must read as an environment.
 */
const PLACES = {
  4: { parameters: 0x10, environment: 0x48, end: 0xc000_0000n },
  8: { parameters: 0x20, environment: 0x80, end: 0x8000_0000_0000n },
} as const;
const PAGE = 4096;
/** Bytes of an environment that are read: the variables stand in the order of their names. */
const MOST_BYTES = 16 * PAGE;
const MOST_PROCESSES = 512;
/** Processes that say the same are enough; so many whose memory is missing, before one says anything, too. */
const ENOUGH = 8;
const MOST_MISSING = 16;
/** The variable, and a name as NetBIOS allows it. */
const VARIABLE = /(?:^|\0)COMPUTERNAME=([^\0-\x20"*+,/:;<=>?[\\\]|\x7f]{1,15})\0/i;

/** The name as the processes have it; null where none says it, or they do not agree. */
export function readMachineName(kernel: Kernel): string | null {
  const { memory } = kernel;
  if (!(memory instanceof TranslatedMemory)) return null;
  const offset = pebOffset(kernel);
  if (offset === 0) return null;
  const votes = new Map<string, number>();
  let asked = 0;
  let missing = 0;
  for (const { address, space } of places(kernel, memory)) {
    if (asked >= ENOUGH || (asked === 0 && missing >= MOST_MISSING)) break;
    const peb = memory.readPointer(plus(address, offset));
    if (failed(peb) || peb === 0n) continue;
    const name = nameOf(space, peb);
    if (name === null) {
      missing++;
      continue;
    }
    asked++;
    votes.set(name, (votes.get(name) ?? 0) + 1);
  }
  const [name, count] = [...votes].sort(([, a], [, b]) => b - a)[0] ?? ['', 0];
  return count * 2 > asked ? name : null;
}

/** `_EPROCESS.Peb` in bytes; 0 where it is not known. */
function pebOffset({ symbols, debuggerData }: Kernel): number {
  const field = symbols === null ? null : resolvePath(symbols, '_EPROCESS', 'Peb');
  return field?.offset ?? Number(debuggerData?.value('OffsetEprocessPeb') ?? 0n);
}

/** Processes with their address spaces. */
function places(kernel: Kernel, memory: TranslatedMemory): { address: VirtualAddress; space: TranslatedMemory }[] {
  const processes = objectsOf(kernel).processes()?.processes ?? [];
  const known =
    processes.length > 0
      ? processes.flatMap(({ address, directoryTableBase: root }) => (root === null ? [] : [{ address, root }]))
      : processPlaces(kernel, memory);
  return known.slice(0, MOST_PROCESSES).map(({ address, root }) => ({ address, space: memory.rootedAt(root) }));
}

function nameOf(space: TranslatedMemory, peb: bigint): string | null {
  const { parameters, environment } = PLACES[space.pointerSize];
  const block = follow(space, peb, parameters);
  const start = block === null ? null : follow(space, block, environment);
  if (start === null || !isUser(space, start)) return null;
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < MOST_BYTES) {
    const at = start + BigInt(length);
    const piece = space.read(virtual(at), PAGE - Number(at % BigInt(PAGE)));
    if (failed(piece)) break;
    pieces.push(piece);
    length += piece.length;
    const found = VARIABLE.exec(Buffer.concat(pieces).toString('utf16le'))?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

const isUser = ({ pointerSize }: TranslatedMemory, address: bigint): boolean =>
  address >= 0x1_0000n && address < PLACES[pointerSize].end && address % BigInt(pointerSize) === 0n;

/** The pointer at an offset of a structure in user memory; null where it cannot be read, or the structure is elsewhere. */
function follow(space: TranslatedMemory, address: bigint, offset: number): bigint | null {
  if (!isUser(space, address)) return null;
  const pointer = space.readPointer(virtual(address + BigInt(offset)));
  return failed(pointer) ? null : pointer;
}
