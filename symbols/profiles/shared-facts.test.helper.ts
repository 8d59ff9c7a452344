/** For tests: the collected facts that the tables are made from, which stand beside the project where it is developed. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const PROJECT = new URL('../../../', import.meta.url);
/** The inputs of `generate.mjs`, in its order. */
export const FACTS = {
  kernels: 'kernel-profiles/x64.json',
  images: 'kernel-profiles/nt-image-ids.json',
  pairs: 'kernel-profiles/pdb-image-pairs.json',
  structures: 'reference/kernel-structures.json',
};
const SHARED = new URL('../shared/', PROJECT);

export interface SourceLayout {
  readonly size: number;
  readonly fields: Readonly<Record<string, readonly [offset: number, type: string]>>;
}

export interface SourceKernel {
  readonly version: string;
  readonly timeDateStamp?: number;
  readonly sizeOfImage?: number;
  readonly rva: Readonly<Record<string, number>>;
  readonly structs: Readonly<Record<string, number>>;
}

export interface SourceFacts {
  readonly layouts: Readonly<Record<string, readonly SourceLayout[]>>;
  readonly kernels: Readonly<Record<string, SourceKernel>>;
}

export interface SourceImages {
  readonly images: readonly {
    readonly arch: string;
    readonly version: string;
    readonly file: string;
    readonly timeDateStamp: number;
    readonly sizeOfImage: number;
  }[];
}

export interface SourceStructures {
  readonly vmPaths: { readonly paths: Readonly<Record<string, Readonly<Record<string, number>>>> };
  readonly exPoolTagTablesCapacity: Readonly<Record<string, number>>;
}

/** The path of a file beside the project, for example `kernel-profiles/x64.json`, or `null` where it is not at hand. */
export function sharedFile(name: string): string | null {
  const url = new URL(name, SHARED);
  return existsSync(url) ? fileURLToPath(url) : null;
}

function readShared(test: Mocha.Context, name: string): unknown {
  const path = sharedFile(name);
  if (path !== null) return JSON.parse(readFileSync(path, 'utf8'));
  if (test.test !== undefined) test.test.title += ` - skipped: no ../shared/${name}`;
  return test.skip();
}

/** These read the facts, or skip the test that asks where they are not at hand. */
export const readKernels = (test: Mocha.Context): SourceFacts => readShared(test, FACTS.kernels) as SourceFacts;
export const readImages = (test: Mocha.Context): SourceImages => readShared(test, FACTS.images) as SourceImages;
export const readStructures = (test: Mocha.Context): SourceStructures =>
  readShared(test, FACTS.structures) as SourceStructures;

/** Names of unnamed types are numbered afresh in every PDB; the tables drop the numbers. */
export const withoutNumbers = (type: string): string =>
  type.replace(/__(?:anonymous|unnamed)(?:_[0-9a-f]+)?/g, '__unnamed');
