/**
 * Symbols from outside of the package: folders of profiles, and PDBs along a symbol path. Everything is checked against the identity of the
 * image that it is asked for.
 */

import { failed, Failure } from '../parsers/bytes/failure.js';
import { FileSource } from '../parsers/bytes/file-source.js';
import { InputError } from '../parsers/bytes/input-error.js';
import { errorText } from '../parsers/files/system-errors.js';
import { openPdb, type Pdb } from '../parsers/pdb/pdb.js';
import type { GivenFacts } from './built-in-symbols.js';
import type { KernelIdentity } from './kernel-symbols.js';
import { pdbFacts } from './pdb-symbols.js';
import { openProfileFolder, type ProfileFolder } from './profile-folder.js';
import { findImagePdb, findImageVersion } from './profiles/images.js';
import { findProfile } from './profiles/profiles.js';
import { identifyFile } from './store/identify.js';
import type { PdbRequest } from './store/http/request.js';
import { SymbolStore, type SymbolSearch, type SymbolStoreOptions } from './store/store.js';
import { unpackCabinet } from './store/unpack.js';
import type { SymbolsWarning, SymbolsWarningCode } from './warnings.js';

export interface SymbolSourcesOptions extends Omit<SymbolStoreOptions, 'identify' | 'unpack'> {
  /** Folders of profiles, in the order of looking. */
  readonly profiles?: readonly string[] | undefined;
}

/** A PDB as an image's CodeView record names it. */
export type PdbName = NonNullable<KernelIdentity['pdb']>;

/** Warnings of one kind that are given one by one; the rest is counted. */
const MOST_ALIKE = 3;

/** The PDB to ask for: the one that the image names, else the one that is known of an image with its time stamp and size. */
export function kernelPdb(identity: KernelIdentity): PdbName | null {
  const { pdb, timeDateStamp, sizeOfImage } = identity;
  if (pdb !== null) return pdb;
  if (timeDateStamp === null || sizeOfImage === null) return null;
  return findProfile(identity)?.profile.pdb ?? findImagePdb(timeDateStamp, sizeOfImage);
}

/** What is looked for outside of the package, in one run. Close it when all dumps that were opened with it are closed. */
export class SymbolSources {
  readonly store: SymbolStore;
  private readonly folders: readonly ProfileFolder[];
  private readonly pdbs = new Map<string, Pdb | Failure>();

  constructor(options: SymbolSourcesOptions) {
    this.store = new SymbolStore({ ...options, identify: identifyFile, unpack: unpackCabinet });
    this.folders = (options.profiles ?? []).map(openProfileFolder);
  }

  /**
   * What is known of exactly this kernel. A PDB on this machine is always used; servers are asked only where neither a built-in profile
   * nor a profile file is of this kernel.
   */
  async kernelFacts(
    identity: KernelIdentity,
    hideProfiles = false,
  ): Promise<{ facts: readonly GivenFacts[]; warnings: readonly SymbolsWarning[] }> {
    const warnings: SymbolsWarning[] = this.store.problems.map(({ origin, element, message }) => ({
      code: 'symbol-path',
      message: [origin, element, message].filter((part) => part !== '').join(': '),
    }));
    const facts = await this.profileFiles(identity, warnings);
    const builtIn =
      (identity.architecture ?? 'x64') === 'x64' && !hideProfiles && findProfile(identity)?.exact === true;
    const isKnown = builtIn || facts.length > 0;
    const pdb = await this.kernelPdbFacts(identity, isKnown, warnings);
    if (pdb !== null) facts.unshift(pdb);
    if (facts.length === 0 && !builtIn && this.folders.length > 0) {
      warnings.push({ code: 'no-profile', message: `no profile in ${this.folderNames()} is of this kernel` });
    }
    return { facts, warnings };
  }

  /** An open PDB of an image, or why there is none. It stays open until `close`. */
  async pdb(name: PdbName, image?: string): Promise<Pdb | Failure> {
    if (this.store.path.elements.length === 0) return new Failure('unknown', 'there is no symbol path');
    const search = await this.store.find(pdbRequest(name, image));
    return search.found === null
      ? new Failure('not-found', `${name.name} was not found`)
      : this.open(search.found.path);
  }

  close(): void {
    this.store.close();
    for (const pdb of this.pdbs.values()) if (!failed(pdb)) pdb.close();
    this.pdbs.clear();
  }

  private async profileFiles(identity: KernelIdentity, warnings: SymbolsWarning[]): Promise<GivenFacts[]> {
    const given: GivenFacts[] = [];
    for (const folder of this.folders) {
      const { found, problems } = await folder.find(identity);
      if (found !== null) given.push({ facts: found.facts, source: 'profile', from: found.file });
      warnings.push(
        ...firstFew(
          'profile-file',
          problems.map(({ file, message }) => `${file} was not used: ${message}`),
        ),
      );
    }
    return given;
  }

  private async kernelPdbFacts(
    identity: KernelIdentity,
    isKnown: boolean,
    warnings: SymbolsWarning[],
  ): Promise<GivenFacts | null> {
    if (this.store.path.elements.length === 0) return null;
    const name = kernelPdb(identity);
    if (name === null) {
      const message =
        'which PDB belongs to this kernel is not known: the pages of its image that tell are not in the dump';
      if (!isKnown) warnings.push({ code: 'pdb-not-known', message });
      return null;
    }
    const search = await this.store.find(pdbRequest(name, 'ntoskrnl.exe'), isKnown ? 'none' : 'fetch');
    warnings.push(...mismatches(search));
    if (search.found === null) {
      if (!isKnown) warnings.push(...notFound(name, search));
      return null;
    }
    const pdb = this.open(search.found.path);
    if (failed(pdb)) {
      warnings.push({ code: 'pdb-unreadable', message: `${search.found.path} was not used: ${pdb.message}` });
      return null;
    }
    const { timeDateStamp, sizeOfImage, architecture } = identity;
    const known =
      timeDateStamp === null || sizeOfImage === null || architecture === 'x86'
        ? null
        : findImageVersion(timeDateStamp, sizeOfImage, architecture ?? 'x64');
    const image = { pdbName: name.name, version: known?.version ?? null, timeDateStamp, sizeOfImage };
    return { facts: pdbFacts(pdb, image), source: 'pdb', from: search.found.path };
  }

  private open(path: string): Pdb | Failure {
    const known = this.pdbs.get(path);
    if (known !== undefined) return known;
    const opened = openFile(path);
    this.pdbs.set(path, opened);
    return opened;
  }

  private folderNames(): string {
    return this.folders.map(({ path }) => path).join(', ');
  }
}

function pdbRequest({ name, guid, age }: PdbName, image?: string): PdbRequest {
  // Compilers record whole paths.
  return { kind: 'pdb', name: name.split(/[\\/]/).at(-1) ?? name, guid, age, image };
}

function openFile(path: string): Pdb | Failure {
  try {
    const source = new FileSource(path);
    const pdb = openPdb(source);
    if (!failed(pdb)) return pdb;
    source.close();
    return pdb;
  } catch (error) {
    if (error instanceof InputError) return new Failure(error.code, error.message);
    return new Failure('io', errorText(error));
  }
}

function firstFew(code: SymbolsWarningCode, messages: readonly string[]): SymbolsWarning[] {
  const warnings = messages.slice(0, MOST_ALIKE).map((message) => ({ code, message }));
  if (messages.length > MOST_ALIKE)
    warnings.push({ code, message: `and ${messages.length - MOST_ALIKE} more of this kind` });
  return warnings;
}

/** Files of the right name and the wrong identity: said even where another file was found, and never used. */
function mismatches({ places }: SymbolSearch): SymbolsWarning[] {
  const wrong = places.filter(({ outcome }) => outcome === 'mismatch' || outcome === 'unreadable');
  return firstFew(
    'pdb-mismatch',
    wrong.map(({ where, outcome, detail }) =>
      outcome === 'mismatch'
        ? `${where} is of another kernel and was not used${detail === null ? '' : `: ${detail}`}`
        : `${where} cannot be used${detail === null ? '' : `: ${detail}`}`,
    ),
  );
}

function notFound(name: PdbName, { places }: SymbolSearch): SymbolsWarning[] {
  const servers = places.filter(({ outcome }) => outcome === 'failed');
  return [
    ...firstFew(
      'symbol-server',
      servers.map(({ where, detail }) => `${where}: ${detail ?? 'no answer that can be used'}`),
    ),
    {
      code: 'pdb-not-found',
      message: `${name.name} of this kernel (GUID ${name.guid}, age ${name.age}) is nowhere in the symbol path; "dumpleak symbols check" tells where it was looked for`,
    },
  ];
}
