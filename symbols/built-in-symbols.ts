/**
 * What is known of a kernel without its PDB: the built-in profile of exactly this kernel, else the debugger block for
 * addresses and the layouts of the nearest known build.
 */

import { plus, virtual, type VirtualAddress } from '../parsers/addresses.js';
import type { StructLayout } from '../parsers/kernel/layout.js';
import { arm64Layout, SAME_AS_X64 } from './arm64-layouts.js';
import { CHECKABLE_SYMBOLS, kdbgField } from './kdbg-names.js';
import type { FigureSource, KernelIdentity, KernelProfile, KernelSymbols, Sourced } from './kernel-symbols.js';
import { nearestLayout, nearestTagTablesCapacity } from './nearest.js';
import { findImageVersion } from './profiles/images.js';
import { agrees, findProfile, type FoundProfile } from './profiles/profiles.js';

/** What `createKernelSymbols` goes by. */
export interface KernelSymbolsOptions {
  readonly identity: KernelIdentity;
  /** Where the kernel image is loaded; `null` leaves profiles without addresses. */
  readonly kernelBase: VirtualAddress | null;
  /**
   * The address in a pointer field of KDDEBUGGER_DATA64 by the field's name, `null` where it is null or not known. For
   * `PsLoadedModuleList`, `PsActiveProcessHead`, `MmPfnDatabase` and `KdDebuggerDataBlock` (which is no field) the dump header
   * may answer.
   */
  readonly kdbg: (name: string) => VirtualAddress | null;
  /** Pass over the profile of this very kernel, as if no table knew it. Profiles of other kernels still lend layouts. */
  readonly hideProfiles?: boolean;
}

/** A doubt, for the result's `warnings`. */
export interface SymbolsWarning {
  readonly code: string;
  readonly message: string;
}

/** Structures that exist although public PDBs of some kernels do not name them. */
const NOT_IN_EVERY_PDB: ReadonlySet<string> = new Set(['_KLDR_DATA_TABLE_ENTRY', '_UNLOADED_DRIVERS']);
/** Addresses that must agree before a profile is used, where the debugger block has them. */
const DECISIVE: readonly string[] = ['PsLoadedModuleList', 'PoolTrackTable'];
/** Agreeing addresses that make a candidate by timestamp the kernel of the dump. */
const ENOUGH_TO_CONFIRM = 2;

function knownAddresses(names: readonly string[], options: KernelSymbolsOptions): Record<string, bigint> {
  const known: Record<string, bigint> = {};
  for (const name of names) {
    const field = name === 'KdDebuggerDataBlock' ? name : kdbgField(name, options.identity.buildNumber);
    const address = field === null ? null : options.kdbg(field);
    if (address !== null && address !== 0n) known[name] = address;
  }
  return known;
}

/** The profile to use and the phrase for people, or why the one that was found is not used. */
function acceptProfile(found: FoundProfile, options: KernelSymbolsOptions): { detail: string } | SymbolsWarning {
  const { version } = found.profile;
  if (options.kernelBase === null) {
    if (found.exact) return { detail: 'exact match' };
    return {
      code: 'profile-unconfirmed',
      message: `${found.how} fit ${version}, but where the kernel is loaded is not known`,
    };
  }
  const known = knownAddresses(found.exact ? DECISIVE : CHECKABLE_SYMBOLS, options);
  const { agree, disagree } = agrees(found.profile, options.kernelBase, known);
  if (disagree.length > 0) {
    return {
      code: 'profile-rejected',
      message: `${found.how} fit ${version}, but ${disagree.join(', ')} stand elsewhere: its addresses are not used`,
    };
  }
  if (found.exact) return { detail: 'exact match' };
  if (agree < ENOUGH_TO_CONFIRM) {
    return {
      code: 'profile-unconfirmed',
      message: `${found.how} fit ${version}, but too little is known to confirm it`,
    };
  }
  return { detail: `${version} by ${found.how}, confirmed by ${agree} known addresses` };
}

function profileSymbols(profile: KernelProfile, detail: string, options: KernelSymbolsOptions): KernelSymbols {
  const base = options.kernelBase;
  const fallback = fallbackSymbols(profile.version, null, options);
  return {
    source: 'profile',
    detail,
    poolTagTablesCapacity: profile.poolTagTablesCapacity,
    address(name: string): Sourced<VirtualAddress> | null {
      const rva = profile.rva(name);
      if (base === null || rva === null) return fallback.address(name);
      return { value: plus(base, rva), source: 'profile' };
    },
    layout(type: string): Sourced<StructLayout> | null {
      const layout = profile.layout(type);
      if (layout !== null) return { value: layout, source: 'profile' };
      // A type that this kernel's own PDB lacks is not there, with these exceptions.
      return NOT_IN_EVERY_PDB.has(type) ? fallback.layout(type) : null;
    },
  };
}

function fallbackSymbols(version: string | null, without: string | null, options: KernelSymbolsOptions): KernelSymbols {
  const { buildNumber, architecture = 'x64' } = options.identity;
  // Of the layouts of x64 those serve ARM64 that are the same on both.
  const tables = architecture === 'x86' ? 'x86' : 'x64';
  const layouts = new Map<string, Sourced<StructLayout> | null>();
  const address = (name: string): Sourced<VirtualAddress> | null => {
    const field = kdbgField(name, buildNumber);
    const value = field === null ? null : options.kdbg(field);
    return value === null || value === 0n ? null : { value: virtual(value), source: 'kdbg' };
  };
  const nearest = nearestLayout('_POOL_TRACKER_TABLE', buildNumber, version, without, tables);
  const fromBlock = CHECKABLE_SYMBOLS.some((name) => address(name) !== null);
  const source: FigureSource = fromBlock ? 'kdbg' : 'nearest';
  return {
    source,
    detail: [
      nearest === null
        ? `no layouts known for build ${buildNumber}`
        : `layouts of ${nearest.version}${architecture === 'arm64' ? ' as far as they are the same on x64 and ARM64' : ''}`,
      fromBlock ? 'addresses from the debugger block' : 'no addresses known',
    ].join(', '),
    poolTagTablesCapacity: architecture === 'x64' ? nearestTagTablesCapacity(buildNumber) : null,
    address,
    layout(type: string): Sourced<StructLayout> | null {
      let layout = layouts.get(type);
      if (layout === undefined) {
        const found =
          architecture === 'arm64' && !SAME_AS_X64.has(type)
            ? arm64Layout(type, buildNumber)
            : nearestLayout(type, buildNumber, version, without, tables)?.layout;
        layout = found ? { value: found, source: 'nearest' } : null;
        layouts.set(type, layout);
      }
      return layout;
    },
  };
}

/**
 * The symbols of one kernel from the built-in tables and the debugger block. Addresses: the exact profile, else the block,
 * else `null`. Layouts: the exact profile, else the nearest known build, else `null`. A profile that the block contradicts on
 * PsLoadedModuleList or PoolTrackTable, or that was found by timestamp and cannot be confirmed, is not used, and a warning says so.
 */
export function createKernelSymbols(options: KernelSymbolsOptions): {
  symbols: KernelSymbols;
  warnings: SymbolsWarning[];
} {
  const { identity } = options;
  // Profiles are of x64 kernels alone.
  const found = (identity.architecture ?? 'x64') === 'x64' ? findProfile(identity) : null;
  const warnings: SymbolsWarning[] = [];
  if (found !== null && options.hideProfiles !== true) {
    const accepted = acceptProfile(found, options);
    if ('detail' in accepted) return { symbols: profileSymbols(found.profile, accepted.detail, options), warnings };
    warnings.push(accepted);
  }
  const image =
    identity.timeDateStamp === null || identity.sizeOfImage === null || identity.architecture === 'x86'
      ? null
      : findImageVersion(identity.timeDateStamp, identity.sizeOfImage, identity.architecture ?? 'x64');
  const version = found?.profile.version ?? image?.version ?? null;
  const hidden = options.hideProfiles === true ? (found?.profile.version ?? null) : null;
  return { symbols: fallbackSymbols(version, hidden, options), warnings };
}
