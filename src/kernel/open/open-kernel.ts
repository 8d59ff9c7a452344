/** From an opened dump to a kernel that can be asked: address space, image, identity, debugger block, symbols. */

import { failed } from '../../../parsers/bytes/failure.js';
import { MACHINE, type Dump } from '../../../parsers/dump/open-dump.js';
import { TriageMemory, triageBlocks } from '../../../parsers/dump/triage-memory.js';
import { DebuggerData, debuggerDataSize } from '../../../parsers/kernel/debugger-data.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { TableMemory } from '../../../parsers/paging/table-memory.js';
import type { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import { X86Memory } from '../../../parsers/paging/x86.js';
import { readCodeView } from '../../../parsers/pe/image.js';
import { createKernelSymbols, type GivenFacts } from '../../../symbols/built-in-symbols.js';
import type { KernelArchitecture, KernelIdentity, KernelSymbols } from '../../../symbols/kernel-symbols.js';
import { findProfile } from '../../../symbols/profiles/profiles.js';
import type { Warning } from '../../result/result.js';
import { levelDoubt, openAddressSpace } from './address-space.js';
import { KernelObjects } from './kernel-object.js';
import { locateDebuggerData, locateKernel, type KernelImage } from './locate-kernel.js';
import { withMemoryState } from '../find/scanned-symbols.js';
import { paeDoubt, tunedX86 } from './x86-space.js';

/** What a kernel is made of. */
export interface KernelParts {
  readonly dump: Dump;
  /** The kernel's address space; null where the dump holds no memory that can be addressed. */
  readonly memory: VirtualMemory | null;
  readonly image: KernelImage | null;
  readonly identity: KernelIdentity;
  readonly debuggerData: DebuggerData | null;
  readonly symbols: KernelSymbols | null;
  readonly warnings: readonly Warning[];
}

/** A kernel in a dump, as far as the dump allows. `object()` and `variable()` read its structures and globals. */
export class Kernel extends KernelObjects implements KernelParts {
  readonly dump: Dump;
  readonly memory: VirtualMemory | null;
  readonly image: KernelImage | null;
  readonly identity: KernelIdentity;
  readonly debuggerData: DebuggerData | null;
  readonly symbols: KernelSymbols | null;
  readonly warnings: readonly Warning[];

  constructor(parts: KernelParts) {
    super(parts.memory, parts.symbols);
    this.dump = parts.dump;
    this.memory = parts.memory;
    this.image = parts.image;
    this.identity = parts.identity;
    this.debuggerData = parts.debuggerData;
    this.symbols = parts.symbols;
    this.warnings = parts.warnings;
  }
}

export interface OpenKernelOptions {
  /** Act as if no built-in profile existed. */
  readonly hideProfiles?: boolean;
}

/** A kernel of which the symbols are not known yet. */
export interface FoundKernel {
  readonly memory: TranslatedMemory | null;
  readonly image: KernelImage | null;
  readonly identity: KernelIdentity;
  readonly warnings: readonly Warning[];
}

const ARCHITECTURES: Readonly<Record<number, KernelArchitecture>> = {
  [MACHINE.I386]: 'x86',
  [MACHINE.AMD64]: 'x64',
  [MACHINE.ARM64]: 'arm64',
};

/** Finds the kernel's address space and image, as far as that needs no symbols. Triage dumps have neither. */
export function findKernel(dump: Dump): FoundKernel {
  const warnings: Warning[] = dump.softErrors.map((e) => ({ ...e, where: 'dump' }));
  const buildNumber = dump.header.minorVersion ?? 0;
  const architecture = ARCHITECTURES[dump.header.machineImageType ?? 0] ?? 'x64';
  const unknown: KernelIdentity = { pdb: null, timeDateStamp: null, sizeOfImage: null, buildNumber, architecture };
  if (dump.triage !== null) return { memory: null, image: null, identity: unknown, warnings };
  const memory = openAddressSpace(dump, warnings);
  if (memory === null) return { memory, image: null, identity: unknown, warnings };
  if (memory instanceof X86Memory) warnings.push(...paeDoubt(memory, dump.header));
  const image = locateKernel(memory, dump.header);
  if (image === null) {
    warnings.push({
      code: 'kernel-not-found',
      where: 'symbols',
      message:
        'the kernel image could not be found: neither the module list nor the debugger block of the dump header can be read',
    });
  } else if (image.note !== null) {
    warnings.push({ code: 'kernel-searched', where: 'symbols', message: `the kernel image was ${image.note}` });
  }
  return { memory, image, identity: image === null ? unknown : identify(memory, image, unknown), warnings };
}

/**
 * Opens the kernel in a dump. Never throws for what the dump holds: what is missing is null, with a warning.
 * @param facts of exactly this kernel, from outside of the built-in tables.
 */
export function openKernel(
  dump: Dump,
  options: OpenKernelOptions = {},
  found: FoundKernel = findKernel(dump),
  facts: readonly GivenFacts[] = [],
): Kernel {
  const { memory, image, identity } = found;
  const { buildNumber } = identity;
  const warnings = [...found.warnings];
  if (dump.triage !== null) return openTriage(dump, dump.triage.debuggerData, identity, warnings);
  if (memory === null) {
    return new Kernel({ dump, memory, image, identity, debuggerData: null, symbols: null, warnings });
  }
  const create = (block: DebuggerData | null): ReturnType<typeof createKernelSymbols> =>
    createKernelSymbols({
      identity,
      kernelBase: image?.base ?? null,
      kdbg: (name) => block?.pointer(name) ?? null,
      hideProfiles: options.hideProfiles ?? false,
      facts,
    });
  const debuggerData = locateDebuggerData(memory, dump.header, image, create(null).symbols);
  const { symbols: known, warnings: symbolWarnings } = create(debuggerData);
  warnings.push(...symbolWarnings.map((w): Warning => ({ ...w, where: 'symbols' })));
  const { symbols, warnings: searchWarnings } = withMemoryState({
    memory,
    image,
    header: dump.header,
    identity,
    symbols: known,
    block: (name) => debuggerData?.pointer(name) ?? null,
    without: options.hideProfiles === true ? (findProfile(identity)?.profile.version ?? null) : null,
  });
  warnings.push(...searchWarnings);
  if (debuggerData === null) {
    warnings.push({
      code: 'no-debugger-block',
      where: 'symbols',
      message: 'the debugger data block (KDDEBUGGER_DATA64) was not found',
    });
  } else if (debuggerData.address !== dump.header.kdDebuggerDataBlock) {
    warnings.push({
      code: 'debugger-block-searched',
      where: 'symbols',
      message: 'the header points to no debugger data block; it was found in the kernel image',
    });
  }
  warnings.push(...levelDoubt(memory, identity, debuggerData));
  return new Kernel({
    dump,
    memory: withKernelRules(memory, symbols, buildNumber),
    image,
    identity,
    debuggerData,
    symbols,
    warnings,
  });
}

function openTriage(
  dump: Dump,
  block: Uint8Array | null,
  identity: KernelIdentity,
  warnings: readonly Warning[],
): Kernel {
  const pointerSize = dump.header.signature === 'PAGEDUMP' ? 4 : 8;
  const memory = dump.triage === null ? null : new TriageMemory(dump.source, triageBlocks(dump.triage), pointerSize);
  const debuggerData =
    block === null || failed(debuggerDataSize(block))
      ? null
      : new DebuggerData(block, dump.header.kdDebuggerDataBlock, false, pointerSize);
  const base = debuggerData?.pointer('KernBase') ?? null;
  const driver = dump.triage?.drivers.find((d) => d.base === base);
  const known =
    driver === undefined
      ? identity
      : { ...identity, timeDateStamp: driver.timeDateStamp, sizeOfImage: driver.sizeOfImage };
  const { symbols } = createKernelSymbols({
    identity: known,
    kernelBase: base,
    kdbg: (name) => debuggerData?.pointer(name) ?? null,
  });
  const image = base === null ? null : { base, headers: null, size: known.sizeOfImage, note: null };
  return new Kernel({ dump, memory, image, identity: known, debuggerData, symbols, warnings });
}

/** What the image says of itself. */
function identify(memory: VirtualMemory, image: KernelImage, unknown: KernelIdentity): KernelIdentity {
  if (image.headers === null) return { ...unknown, sizeOfImage: image.size };
  const codeView = readCodeView(memory, image.base, image.headers);
  return {
    ...unknown,
    pdb: failed(codeView) ? null : codeView,
    timeDateStamp: image.headers.timeDateStamp,
    sizeOfImage: image.headers.sizeOfImage,
  };
}

/** The address space with this kernel's ways of writing software PTEs. */
function withKernelRules(memory: VirtualMemory, symbols: KernelSymbols, build: number): VirtualMemory {
  if (memory instanceof X86Memory) return tunedX86(memory, symbols, build);
  return memory instanceof TableMemory ? tuned(memory, symbols) : memory;
}

function tuned(memory: TableMemory, symbols: KernelSymbols): TableMemory {
  const bits = symbols.layout('_MMPTE_TRANSITION')?.value.fields['PageFrameNumber']?.type.split(':')[2];
  return memory.with({
    options: {
      ...(bits === undefined ? {} : { transitionPfnBits: Number(bits) }),
      invalidPteMask: invalidPteMask(memory, symbols),
    },
  });
}

/** `MiState.Hardware.InvalidPteMask`; 0 for kernels without one, null where it cannot be known. */
function invalidPteMask(memory: TableMemory, symbols: KernelSymbols): bigint | null {
  const layout = symbols.layout('_MMPTE_TRANSITION')?.value;
  if (layout !== undefined && layout.fields['SwizzleBit'] === undefined) return 0n;
  const mask = new KernelObjects(memory, symbols)
    .object('MiState', '_MI_SYSTEM_INFORMATION')
    .at('Hardware.InvalidPteMask');
  return failed(mask) ? null : mask.value;
}
