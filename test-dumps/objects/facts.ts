/** Adds to a kernel's facts what its objects need: layouts and addresses from kernels/objects/*.json. */

import { existsSync, readFileSync } from 'node:fs';
import type { KernelFacts, StructFacts } from '../kernel-facts.js';
import type { Architecture } from '../scenario.js';

interface ObjectFacts {
  readonly rva: Readonly<Record<string, number>>;
  readonly structs: Readonly<Record<string, StructFacts>>;
}

/** Globals of 32-bit kernels that the debugger block does not name, and their bytes. */
const X86_GLOBALS: readonly (readonly [name: string, size: number])[] = [
  ['PsInitialSystemProcess', 4],
  ['ObTypeIndexTable', 0x400],
  ['ObHeaderCookie', 4],
  ['ObpKernelHandleTable', 4],
  ['HandleTableListHead', 8],
  ['SepLogonSessions', 4],
];

/** The sources hold the JSON files; compiled code stands three folders lower and finds them there. */
function folder(): URL {
  const beside = new URL('../kernels/objects/', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../../test-dumps/kernels/objects/', import.meta.url);
}

const loaded = new Map<string, KernelFacts>();

/**
 * The facts with all that a machine with objects has. The layouts of 26100 and of 32-bit kernels replace those that dumps
 * without objects have. Throws where nothing is published: Windows 2000.
 */
export function objectKernel(kernel: KernelFacts, architecture: Architecture = 'x64'): KernelFacts {
  const own = new URL(`${architecture}-${kernel.version}.json`, folder());
  // ARM64 kernels whose own layouts nobody published have x64's here.
  const file = existsSync(own) || architecture !== 'arm64' ? own : new URL(`x64-${kernel.version}.json`, folder());
  if (!existsSync(file)) throw new Error(`no layouts of objects for ${architecture} ${kernel.version}`);
  const key = `${file.href} ${kernel.pdb.guid}`;
  const known = loaded.get(key);
  if (known) return known;
  const { rva, structs } = JSON.parse(readFileSync(file, 'utf8')) as ObjectFacts;
  const globals = kernel.pointerSize === 4 ? x86Globals(kernel) : { rva, lastRva: kernel.lastRva };
  const facts: KernelFacts = {
    ...kernel,
    lastRva: Math.max(globals.lastRva, ...Object.values(globals.rva)),
    rva: { ...kernel.rva, ...globals.rva },
    structs: { ...kernel.structs, ...structs },
  };
  loaded.set(key, facts);
  return facts;
}

/** Invented addresses, behind all others. */
function x86Globals(kernel: KernelFacts): { rva: Record<string, number>; lastRva: number } {
  const rva: Record<string, number> = {};
  let at = Math.ceil(kernel.lastRva / 64) * 64;
  for (const [name, size] of X86_GLOBALS) {
    rva[name] = at;
    at = Math.ceil((at + size) / 64) * 64;
  }
  return { rva, lastRva: at };
}
