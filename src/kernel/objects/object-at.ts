/** One object, by its address or by its path: its header, what stands below it, what a directory or a link holds. */

import { plus, small, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { optionalHeaderDistance, OPTIONAL_HEADER } from '../../../parsers/kernel/objects/object-header.js';
import { HeaderReader, signedCount } from './headers.js';
import type { ObjectLayouts } from './layouts.js';
import { directoryEntries } from './names/directories.js';
import { readString } from './process-fields.js';
import { inKernel, pointerAt, type ObjectRoots } from './roots.js';
import { NO_TYPE, type TypeDecoder } from './type-decoder.js';
import type { ObjectType } from './object-types.js';

/** The name of an optional header's structure without `_OBJECT_HEADER_`, and where it stands. */
export interface OptionalHeader {
  readonly name: string;
  readonly address: VirtualAddress;
}

/** What the header of an object says. */
export interface ObjectAt {
  /** Of the body. */
  readonly address: VirtualAddress;
  readonly header: VirtualAddress;
  readonly type: ObjectType;
  readonly handles: number;
  /** As it is stored: with the references that handles keep ahead from 8.1 on. */
  readonly pointers: number;
  readonly name: string | null;
  /** The directory that the name stands in. */
  readonly directory: VirtualAddress | null;
  /** Those below the header, nearest first; null where the header does not say by a mask (before Windows 7). */
  readonly optional: readonly OptionalHeader[] | null;
}

/** An entry of a directory. */
export interface DirectoryEntry {
  readonly bucket: number;
  readonly address: VirtualAddress;
  /** Null where it cannot be read. */
  readonly object: ObjectAt | null;
}

const OPTIONAL_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [OPTIONAL_HEADER.creator, 'CreatorInfo'],
  [OPTIONAL_HEADER.name, 'NameInfo'],
  [OPTIONAL_HEADER.handles, 'HandleInfo'],
  [OPTIONAL_HEADER.quota, 'QuotaInfo'],
  [OPTIONAL_HEADER.process, 'ProcessInfo'],
];
/** Components of a path. */
const DEEPEST = 32;

/** Reads single objects of one kernel. */
export class ObjectReader {
  private readonly headers: HeaderReader;

  constructor(
    private readonly roots: ObjectRoots,
    private readonly layouts: ObjectLayouts,
    private readonly decoder: TypeDecoder,
  ) {
    this.headers = new HeaderReader(roots, layouts);
  }

  /** The object whose body is at an address; null where no header that names a type stands before it. */
  at(body: VirtualAddress): ObjectAt | null {
    const { roots, decoder } = this;
    const { shape, types } = decoder;
    if (!inKernel(roots, body) || body % BigInt(roots.memory.pointerSize) !== 0n) return null;
    const header = this.headers.headerOf(body);
    if (header === null) return null;
    const place = decoder.typeOf(header.bytes, 0, small(header.address));
    const type = place === NO_TYPE ? undefined : types[place];
    if (type === undefined) return null;
    const name = this.headers.nameOf(body);
    const mask = shape.infoMask === null ? null : (header.bytes[shape.infoMask] ?? 0);
    return {
      ...{ address: body, header: header.address, type },
      handles: signedCount(header.bytes, shape.handleCount, shape.pointerSize),
      pointers: signedCount(header.bytes, shape.pointerCount, shape.pointerSize),
      ...{ name: name?.name ?? null, directory: name?.directory ?? null },
      optional:
        mask === null
          ? null
          : OPTIONAL_NAMES.flatMap(([bit, title]) => {
              const distance = optionalHeaderDistance(mask, bit, shape.pointerSize);
              return distance === null ? [] : [{ name: title, address: plus(header.address, -distance) }];
            }),
    };
  }

  /** The name with those of the directories above it; null where it has none. */
  pathOf(body: VirtualAddress): string | null {
    return this.headers.pathOf(body);
  }

  /** What a directory holds, in the order of its buckets. */
  entries(directory: VirtualAddress): { readonly entries: readonly DirectoryEntry[]; readonly complete: boolean } {
    const { objects, buckets, complete } = directoryEntries(this.roots, this.layouts, directory);
    const entries = objects.map((address, i) => ({ bucket: buckets[i] ?? 0, address, object: this.at(address) }));
    return { entries, complete };
  }

  /** Where a symbolic link leads; null where it cannot be read or code decides (from Windows 10 on). */
  targetOf(link: VirtualAddress): string | null {
    const at = this.layouts.offset('_OBJECT_SYMBOLIC_LINK', 'LinkTarget');
    const target = at === null ? null : readString(this.roots, plus(link, at));
    return target === '' ? null : target;
  }

  /**
   * The object of a path such as `\\Driver\\disk`, in any case, from the root directory; links are not followed. Null where the
   * directories that could be read do not have it; `complete` says whether that were all.
   */
  find(path: string): { readonly address: VirtualAddress | null; readonly complete: boolean } {
    const root = pointerAt(this.roots, 'ObpRootDirectoryObject');
    if (root === null) return { address: null, complete: false };
    let at = virtual(root.value);
    let whole = true;
    const parts = path.split('\\').filter((part) => part !== '');
    if (parts.length > DEEPEST) return { address: null, complete: true };
    for (const part of parts) {
      if (this.at(at)?.type.name !== 'Directory') return { address: null, complete: whole };
      const { objects, complete } = directoryEntries(this.roots, this.layouts, at);
      whole &&= complete;
      const lower = part.toLowerCase();
      const next = objects.find((one) => this.headers.nameOf(one)?.name.toLowerCase() === lower);
      if (next === undefined) return { address: null, complete: whole };
      at = next;
    }
    return { address: at, complete: true };
  }

  /** Whether a byte at an address can be read: what tells a wrong address from one that is not in the dump. */
  canRead(address: VirtualAddress): boolean {
    return !failed(this.roots.memory.read(address, 1));
  }
}
