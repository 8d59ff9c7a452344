/** Which file is asked of a symbol store, and which file was met: a PDB by GUID and age, an image by stamp and size. */

import { nameProblem } from '../names.js';

/** A PDB, as the CodeView record of an image names it. */
export interface PdbRequest {
  readonly kind: 'pdb';
  /** `ntkrnlmp.pdb`, without a path. */
  readonly name: string;
  /** 32 hexadecimal digits in either case; dashes and braces are tolerated. */
  readonly guid: string;
  readonly age: number;
  /** The image that the PDB belongs to, `ntoskrnl.exe`: plain folders are searched by its extension. */
  readonly image?: string | undefined;
}

/** An image, as its PE header identifies it. */
export interface ImageRequest {
  readonly kind: 'image';
  /** `myfault.sys`, without a path. */
  readonly name: string;
  readonly timeDateStamp: number;
  /** Bytes. */
  readonly sizeOfImage: number;
}

/** One file asked for. */
export type SymbolRequest = PdbRequest | ImageRequest;

/** What a file says it is. The age of a PDB is that of its DBI stream: the one that an image's record repeats. */
export type FileIdentity =
  | { readonly kind: 'pdb'; readonly guid: string; readonly age: number }
  | { readonly kind: 'image'; readonly timeDateStamp: number; readonly sizeOfImage: number };

/**
 * Reads the identity of the file at `path`, which may have any name; null when it is neither a PDB nor an image.
 * Throws an Error with one sentence where it cannot be read, is not supported, or is shorter than it says: a file
 * cut off on its way must not pass.
 */
export type Identify = (path: string) => FileIdentity | null | Promise<FileIdentity | null>;

const U32 = 0xffffffff;

const isU32 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= U32;

/** 32 upper-case digits, or null for what is no GUID. */
export function normalGuid(guid: string): string | null {
  const digits = guid.replace(/[{}-]/g, '');
  return /^[0-9a-f]{32}$/i.test(digits) ? digits.toUpperCase() : null;
}

/** Why no store can be asked for this, in one sentence; null when one can. */
export function requestProblem(request: SymbolRequest): string | null {
  const problem = nameProblem(request.name);
  if (problem !== null) return `the name ${problem}`;
  if (request.kind === 'pdb') {
    if (normalGuid(request.guid) === null) return 'the GUID is not 32 hexadecimal digits';
    return isU32(request.age) ? null : 'the age is not a 32-bit number';
  }
  return isU32(request.timeDateStamp) && isU32(request.sizeOfImage)
    ? null
    : 'the time stamp or the size is not a 32-bit number';
}

/**
 * The folder that holds the file in a store, as SymStore writes it: GUID in upper case and age in hexadecimal
 * without padding; for images the time stamp as 8 upper-case digits and the size in lower case without padding.
 */
export function storeKey(request: SymbolRequest): string {
  if (request.kind === 'pdb') return `${normalGuid(request.guid) ?? ''}${request.age.toString(16).toUpperCase()}`;
  const stamp = request.timeDateStamp.toString(16).toUpperCase().padStart(8, '0');
  return `${stamp}${request.sizeOfImage.toString(16)}`;
}

/** True when the file that was met is the one asked for. */
export function isRequested(request: SymbolRequest, identity: FileIdentity): boolean {
  if (request.kind === 'pdb') {
    return (
      identity.kind === 'pdb' && normalGuid(identity.guid) === normalGuid(request.guid) && identity.age === request.age
    );
  }
  return (
    identity.kind === 'image' &&
    identity.timeDateStamp === request.timeDateStamp &&
    identity.sizeOfImage === request.sizeOfImage
  );
}

/** `GUID 0123..., age 1` or `time stamp 5b7a1234, size abc000`. */
export function identityText(identity: FileIdentity | SymbolRequest): string {
  return identity.kind === 'pdb'
    ? `GUID ${normalGuid(identity.guid) ?? identity.guid}, age ${identity.age}`
    : `time stamp ${identity.timeDateStamp.toString(16).padStart(8, '0')}, size ${identity.sizeOfImage.toString(16)}`;
}
