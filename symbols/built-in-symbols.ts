/**
 * What is known of a kernel, whatever it stands on: facts of exactly this kernel (its PDB, its built-in profile, a profile
 * file), else the debugger block for addresses and the layouts of the nearest known build.
 */

import { plus, virtual, type VirtualAddress } from '../parsers/addresses.js';
import type { StructLayout } from '../parsers/kernel/layout.js';
import { arm64Layout, SAME_AS_X64 } from './arm64-layouts.js';
import { CHECKABLE_SYMBOLS, kdbgField } from './kdbg-names.js';
import { asKernelProfile, type KernelFacts } from './kernel-facts.js';
import type { FigureSource, KernelIdentity, KernelProfile, KernelSymbols, Sourced } from './kernel-symbols.js';
import { nearestLayout, nearestTagTablesCapacity } from './nearest.js';
import { findImageVersion } from './profiles/images.js';
import { agrees, findProfile, type FoundProfile } from './profiles/profiles.js';
import type { SymbolsWarning } from './warnings.js';

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
  /** Of exactly this kernel: GUID and age were compared with the image. A PDB goes before the built-in profile. */
  readonly facts?: readonly GivenFacts[];
}

/** Facts from outside of the built-in tables. */
export interface GivenFacts {
  readonly facts: KernelFacts;
  readonly source: 'pdb' | 'profile';
  /** The file, for people. */
  readonly from: string;
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

/** A source that knows exactly this kernel. */
interface Layer {
  readonly profile: KernelProfile;
  readonly source: 'pdb' | 'profile';
  readonly detail: string;
}

/** Every layer answers what those before it do not know. */
function layeredSymbols(layers: readonly Layer[], fallback: KernelSymbols, base: VirtualAddress | null): KernelSymbols {
  const first = layers[0];
  if (first === undefined) return fallback;
  // The PDBs of old kernels hold no types at all.
  const hasTypes = (): boolean => layers.some(({ profile }) => profile.layout('_LIST_ENTRY') !== null);
  const ask = <T>(question: (profile: KernelProfile) => T | null): Sourced<T> | null => {
    for (const { profile, source } of layers) {
      const value = question(profile);
      if (value !== null) return { value, source };
    }
    return null;
  };
  return {
    source: first.source,
    detail: first.detail,
    get poolTagTablesCapacity(): number | null {
      return ask((profile) => profile.poolTagTablesCapacity)?.value ?? null;
    },
    address(name: string): Sourced<VirtualAddress> | null {
      const known = base === null ? null : ask((profile) => profile.rva(name));
      if (base === null || known === null) return fallback.address(name);
      return { value: plus(base, known.value), source: known.source };
    },
    layout(type: string): Sourced<StructLayout> | null {
      const known = ask((profile) => profile.layout(type));
      if (known !== null) return known;
      // A type that this kernel's own PDB lacks is not there, with these exceptions.
      return NOT_IN_EVERY_PDB.has(type) || !hasTypes() ? fallback.layout(type) : null;
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

/** The layer that a profile makes, or null with a warning that says why it is not used. */
function layerOf(
  found: FoundProfile,
  source: 'pdb' | 'profile',
  from: string | null,
  options: KernelSymbolsOptions,
  warnings: SymbolsWarning[],
): Layer | null {
  const accepted = acceptProfile(found, options);
  if (!('detail' in accepted)) {
    warnings.push(accepted);
    return null;
  }
  return { profile: found.profile, source, detail: from === null ? accepted.detail : `${accepted.detail}: ${from}` };
}

function versionOfImage({ timeDateStamp, sizeOfImage, architecture = 'x64' }: KernelIdentity): string | null {
  if (timeDateStamp === null || sizeOfImage === null || architecture === 'x86') return null;
  return findImageVersion(timeDateStamp, sizeOfImage, architecture)?.version ?? null;
}

/**
 * The symbols of one kernel. Addresses: its PDB, its built-in profile, a profile file, else the debugger block, else `null`. Layouts: the same,
 * then the nearest known build, else `null`. Facts that the block contradicts on PsLoadedModuleList or PoolTrackTable, or that were found by
 * timestamp and cannot be confirmed, are not used, and a warning says so.
 */
export function createKernelSymbols(options: KernelSymbolsOptions): {
  symbols: KernelSymbols;
  warnings: SymbolsWarning[];
} {
  const { identity, facts = [] } = options;
  // Built-in profiles are of x64 kernels alone.
  const found = (identity.architecture ?? 'x64') === 'x64' ? findProfile(identity) : null;
  const warnings: SymbolsWarning[] = [];
  const given = (source: 'pdb' | 'profile'): (Layer | null)[] =>
    facts
      .filter((one) => one.source === source)
      .map((one) => {
        const profile = asKernelProfile(one.facts, identity);
        return layerOf(
          { profile, exact: true, how: `GUID and age of ${one.from}` },
          source,
          one.from,
          options,
          warnings,
        );
      });
  const builtIn =
    found === null || options.hideProfiles === true ? null : layerOf(found, 'profile', null, options, warnings);
  const layers = [...given('pdb'), builtIn, ...given('profile')].filter((layer) => layer !== null);
  const version = found?.profile.version ?? versionOfImage(identity);
  const hidden = options.hideProfiles === true ? (found?.profile.version ?? null) : null;
  const fallback = fallbackSymbols(version, hidden, options);
  return { symbols: layeredSymbols(layers, fallback, options.kernelBase), warnings };
}
