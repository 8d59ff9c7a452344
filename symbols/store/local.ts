/** Which files a folder holds for a request: symbol stores of one and two tiers, and plain folders. */

import { opendirSync } from 'node:fs';
import { join, posix, win32 } from 'node:path';
import { AnyCase, isFile } from './any-case.js';
import { compressedName, extension } from './names.js';
import { errorText } from '../../parsers/files/system-errors.js';
import { type PlaceLog } from './places.js';
import { readPointer, type Pointer } from './pointer.js';
import { storeKey, type SymbolRequest } from './http/request.js';

/** A file that may be the one asked for: its identity is not checked yet, and it may be compressed. */
export interface Candidate {
  readonly path: string;
  /** The pointer that led to it, or null. */
  readonly pointer: string | null;
}

/** The parts of a path below the root of a store; `twoTier` puts the name's first two letters in front. */
export function storeParts(request: SymbolRequest, twoTier: boolean): [string, ...string[]] {
  const parts: [string, ...string[]] = [request.name, storeKey(request)];
  return twoTier ? [request.name.slice(0, 2).toLowerCase(), ...parts] : parts;
}

/** Looks into folders; one for a whole run. */
export class LocalFolders {
  private readonly tiers = new Map<string, boolean>();
  /** Roots and why they cannot be opened, or null: a network share that is gone takes long to say so. */
  private readonly roots = new Map<string, string | null>();

  constructor(private readonly anyCase: AnyCase = new AnyCase()) {}

  /** True when the store's root says, by holding `index2.txt`, that it has two tiers. */
  isTwoTier(root: string): boolean {
    const known = this.tiers.get(root);
    if (known !== undefined) return known;
    const twoTier = this.anyCase.files(root, 'index2.txt').length > 0;
    this.tiers.set(root, twoTier);
    return twoTier;
  }

  /** Forgets that a root could not be opened or had one tier: something was written there. */
  changed(root: string): void {
    this.roots.delete(root);
    this.tiers.delete(root);
  }

  /**
   * The files for a request in the symbol store at `root`. Where nothing is, the log gets the place; a cache need not
   * exist yet.
   */
  inStore(root: string, request: SymbolRequest, log: PlaceLog, isCache = false): Candidate[] {
    if (!this.canOpen(root, log, isCache ? 'absent' : 'no-folder')) return [];
    return (this.isTwoTier(root) ? [true, false] : [false]).flatMap((twoTier) => {
      const parts = storeParts(request, twoTier);
      const here = this.inFolder(root, parts, request.name);
      const before = log.places.length;
      here.push(...this.pointed(root, parts, log));
      const place = join(root, ...parts, request.name);
      if (here.length === 0 && log.places.length === before) log.add(place, 'absent');
      return here;
    });
  }

  /**
   * The files for a request in a plain folder: below `symbols\<ext>` and `<ext>`, then in the folder itself, then as
   * if it were a symbol store, because people write stores without `srv*`. `<ext>` is that of the image.
   */
  inPlainFolder(root: string, request: SymbolRequest, log: PlaceLog): Candidate[] {
    if (!this.canOpen(root, log, 'no-folder')) return [];
    const extensions = imageExtensions(request);
    const folders = [...extensions.map((e) => ['symbols', e]), ...extensions.map((e) => [e]), []];
    const plain = folders.flatMap((parts) => {
      const here = this.inFolder(root, parts, request.name);
      if (here.length === 0) log.add(join(root, ...parts, request.name), 'absent');
      return here;
    });
    return [...plain, ...this.inStore(root, request, log)];
  }

  private inFolder(root: string, parts: readonly string[], name: string): Candidate[] {
    const compressed = compressedName(name);
    const names = compressed === null ? [name] : [name, compressed];
    return names.flatMap((file) => this.anyCase.files(root, ...parts, file)).map((path) => ({ path, pointer: null }));
  }

  private pointed(root: string, parts: readonly string[], log: PlaceLog): Candidate[] {
    return this.anyCase.files(root, ...parts, 'file.ptr').flatMap((pointer) => {
      let target: Pointer;
      try {
        target = readPointer(pointer);
      } catch (error) {
        log.add(pointer, 'unreadable', errorText(error));
        return [];
      }
      const obstacle = pointerObstacle(target);
      if (target.kind !== 'path' || obstacle !== null) {
        log.add(pointer, 'not-followed', obstacle);
        return [];
      }
      if (isFile(target.path)) return [{ path: target.path, pointer }];
      log.add(target.path, 'absent', `named by ${pointer}`);
      return [];
    });
  }

  private canOpen(root: string, log: PlaceLog, outcome: 'no-folder' | 'absent'): boolean {
    let obstacle = this.roots.get(root);
    if (obstacle === undefined) {
      obstacle = folderObstacle(root);
      this.roots.set(root, obstacle);
    }
    if (obstacle !== null) log.add(root, outcome, obstacle);
    return obstacle === null;
  }
}

function folderObstacle(root: string): string | null {
  try {
    opendirSync(root).closeSync();
    return null;
  } catch (error) {
    const separator = /\w:\//.test(root.slice(2)) ? '; elements of the path are separated by ;' : '';
    return `${errorText(error)}${separator}`;
  }
}

/** Why the target of a pointer cannot be opened as a file of this system; null when it may be tried. */
export function pointerObstacle(target: Pointer, platform: string = process.platform): string | null {
  if (target.kind === 'nothing') return 'the pointer names no file';
  if (target.kind === 'message') return `the store says: ${target.text}`;
  const { path } = target;
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return 'the pointer is a network address; name the server in the path';
  if (platform === 'win32' ? win32.isAbsolute(path) : posix.isAbsolute(path)) return null;
  return win32.isAbsolute(path)
    ? `the pointer names ${path}, which this system cannot open`
    : 'the pointer is not a full path';
}

function imageExtensions(request: SymbolRequest): string[] {
  const own = extension(request.name);
  if (request.kind === 'image') return [own].filter((e) => e !== '');
  const image = request.image === undefined ? '' : extension(request.image);
  const usual = image === '' ? ['exe', 'sys', 'dll'] : [image];
  return [...new Set([...usual, own])].filter((e) => /^[^\\/.]+$/.test(e));
}
