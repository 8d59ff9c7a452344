/** `profile make` and `profile list`: what is known of kernels in files that can be mailed, and in the program itself. */

import { failed } from '../../../parsers/bytes/failure.js';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { isOfKernel, type KernelFacts } from '../../../symbols/kernel-facts.js';
import { pdbFacts } from '../../../symbols/pdb-symbols.js';
import { makeProfile, profileFileName } from '../../../symbols/profile-file.js';
import { openProfileFolder, readProfileFile } from '../../../symbols/profile-folder.js';
import { findImageVersion } from '../../../symbols/profiles/images.js';
import { kernelEntries } from '../../../symbols/profiles/profiles.js';
import { identifyFile } from '../../../symbols/store/identify.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderProfileList, type ProfileList } from '../../report/text/profile-list.js';
import { FileError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Output } from '../terminal/output.js';
import { checkWritable, writeWhole } from '../terminal/write-file.js';
import { openPdbFile } from './pdb-file.js';

/** No kernel image is larger. */
const LARGEST_IMAGE = 128 * 1024 * 1024;

/** Writes the profile of the kernel whose PDB, or symbol table of Volatility 3, stands at `path`: to `-o`, else to a file in the current folder that is named after the PDB. */
export async function make(
  path: string,
  options: { readonly image?: string | undefined; readonly output?: string | undefined },
  output: Output,
): Promise<ExitCode> {
  const { text, name } = await profileOf(path, options.image);
  if (options.output !== undefined) {
    await output.text(text);
    return EXIT.done;
  }
  checkWritable(name);
  writeWhole(name, text);
  await output.text(`${name}: ${Math.ceil(text.length / 1024)} KB\n`);
  return EXIT.done;
}

async function profileOf(path: string, image: string | undefined): Promise<{ text: string; name: string }> {
  if (isSymbolTable(path)) {
    const facts = await readProfileFile(path);
    if (failed(facts)) throw new FileError(`${path} cannot be used: ${facts.message}`);
    return profileFrom(image === undefined ? facts : { ...facts, ...imageFacts(image, facts) }, path);
  }
  const { pdb, name } = await openPdbFile(path);
  try {
    const ofImage = image === undefined ? {} : imageFacts(image, { pdb: pdb.identity, machine: pdb.identity.machine });
    return profileFrom(pdbFacts(pdb, { pdbName: name, ...ofImage }), path);
  } finally {
    pdb.close();
  }
}

/** True for a name that symbol tables of Volatility 3 have. */
const isSymbolTable = (path: string): boolean => /\.json(\.[a-z0-9]+)?$/i.test(path);

function profileFrom(facts: KernelFacts, path: string): { text: string; name: string } {
  const missing = ['PoolTrackTable', 'PsLoadedModuleList'].filter((name) => facts.rva(name) === null);
  if (facts.layout('_POOL_TRACKER_TABLE') === null) missing.push('_POOL_TRACKER_TABLE');
  if (missing.length > 0) throw new FileError(`${path} is of no kernel: it has no ${missing.join(', no ')}`);
  return { text: makeProfile(facts), name: profileFileName(facts) };
}

/** Time stamp, size and version of the image, which must be of the same PDB. */
function imageFacts(
  path: string,
  kernel: { readonly pdb: { readonly guid: string; readonly age: number }; readonly machine: number | null },
): { timeDateStamp: number; sizeOfImage: number; version: string | null } {
  const identity = identityOf(path);
  const { timeDateStamp, sizeOfImage } = identity;
  const named = codeViewOf(path);
  if (named === null) throw new FileError(`${path} names no PDB`);
  const { pdb, machine } = kernel;
  if (!isOfKernel({ pdb: { name: '', ...pdb }, machine, version: null, timeDateStamp, sizeOfImage }, named)) {
    throw new FileError(`${path} belongs to another PDB (GUID ${named.guid}, age ${named.age})`);
  }
  const architecture = machine === 0xaa64 ? 'arm64' : 'x64';
  const known = machine === 0x14c ? null : findImageVersion(timeDateStamp, sizeOfImage, architecture);
  return { timeDateStamp, sizeOfImage, version: known?.version ?? null };
}

function identityOf(path: string): { timeDateStamp: number; sizeOfImage: number } {
  try {
    const identity = identifyFile(path);
    if (identity?.kind === 'image') return identity;
  } catch (error) {
    throw new FileError(error instanceof Error ? error.message : String(error));
  }
  throw new FileError(`${path} is no image`);
}

/** The CodeView record, wherever it stands in the file: `RSDS`, GUID, age, a name that ends in `.pdb`. */
function codeViewOf(path: string): { guid: string; age: number } | null {
  const bytes = readRegularFile(path, LARGEST_IMAGE);
  for (let at = bytes.indexOf('RSDS'); at >= 0 && at + 32 < bytes.length; at = bytes.indexOf('RSDS', at + 1)) {
    const end = bytes.indexOf(0, at + 24);
    if (!/^[\x20-\x7e]{1,260}\.pdb$/i.test(bytes.toString('latin1', at + 24, Math.max(at + 24, end)))) continue;
    const hex = (start: number, length: number): string =>
      Buffer.from(bytes.subarray(start, start + length).toReversed()).toString('hex');
    const guid = `${hex(at + 4, 4)}${hex(at + 8, 2)}${hex(at + 10, 2)}${bytes.toString('hex', at + 12, at + 20)}`;
    return { guid: guid.toUpperCase(), age: bytes.readUInt32LE(at + 20) };
  }
  return null;
}

/** Lists the profiles in folders, or those that the program has built in. */
export async function list(folders: readonly string[], json: boolean, output: Output): Promise<ExitCode> {
  const found: ProfileList = folders.length === 0 ? builtIn() : await inFolders(folders);
  if (json) await output.json(renderPart(found));
  else await output.text(renderProfileList(found, output.style));
  return EXIT.done;
}

function builtIn(): ProfileList {
  const profiles = kernelEntries().map(({ version, pdbKey }) => ({
    file: null,
    version,
    machine: 0x8664,
    pdb: { name: 'ntkrnlmp.pdb', guid: pdbKey.slice(0, 32), age: parseInt(pdbKey.slice(32), 16) },
  }));
  return { folders: [], profiles, problems: [] };
}

async function inFolders(folders: readonly string[]): Promise<ProfileList> {
  const read = await Promise.all(folders.map((folder) => openProfileFolder(folder).all()));
  return {
    folders: [...folders],
    profiles: read.flatMap(({ profiles }) =>
      profiles.map(({ file, facts }) => ({ file, version: facts.version, machine: facts.machine, pdb: facts.pdb })),
    ),
    problems: read.flatMap(({ problems }) => problems),
  };
}
