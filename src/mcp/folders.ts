/** Which files a server for assistants may open: dumps and histories below the folders that were named at its start. */

import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { isInside, realPath } from '../../parsers/files/paths.js';
import { findFiles } from '../batch/inputs/find-files.js';
import { journalPath } from '../batch/journal/journal.js';
import type { Redactor } from '../redact/redactor.js';
import { ToolError } from './tool-error.js';

/** More are not listed; an assistant is to be given a folder with less in it. */
const MOST_LISTED = 5000;

/** A dump that may be asked about. */
export interface ListedDump {
  /** What the client calls it: its path below a folder, or a pseudonym. */
  readonly id: string;
  readonly path: string;
}

export class Folders {
  /** The folders without links. */
  private readonly roots: readonly string[];

  /** `redactor` is null where names may be seen. Throws ToolError for what is no folder. */
  constructor(
    folders: readonly string[],
    private readonly redactor: Redactor | null,
  ) {
    this.roots = folders.map((folder) => {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new ToolError(`${folder} is no folder`); // prettier-ignore
      return realPath(resolve(folder));
    });
  }

  /** All dumps, in natural order. */
  dumps(): ListedDump[] {
    const { files } = findFiles(this.roots, []);
    return files.slice(0, MOST_LISTED).map(({ path }) => ({ id: this.idOf(path), path }));
  }

  /** The dump that a client means, without links. Throws ToolError for one that is not below the folders. */
  dump(id: string): ListedDump {
    const pseudonym = /^dump-[0-9a-f]+/.test(id) ? this.dumps().find((one) => one.id === id) : undefined;
    if (pseudonym !== undefined) return pseudonym;
    const path = this.within(id);
    if (statSync(path).isDirectory()) throw new ToolError('that is a folder: name a dump of list_dumps');
    return { id: this.idOf(path), path };
  }

  /** The folder of a history. Throws ToolError where there is none. */
  history(id: string | undefined): string {
    const folders = id === undefined ? this.roots : [this.within(id)];
    const places = folders.flatMap((folder) => [folder, join(folder, 'history')]);
    const found = places.find((place) => existsSync(journalPath(place)));
    if (found === undefined) throw new ToolError('no history is there: name the folder that "dumpleak batch --out" was given');
    return this.within(found);
  } // prettier-ignore

  /** What the client may be told of a path. */
  private idOf(path: string): string {
    if (this.redactor !== null) return this.redactor.file('dump', path);
    const root = this.roots.find((one) => isInside(path, [one]));
    const way = root === undefined ? path : relative(root, path);
    // Two folders may hold files of one name.
    const isOnly = this.roots.filter((one) => existsSync(join(one, way))).length === 1;
    return isOnly ? way.replaceAll('\\', '/') : path;
  }

  private within(id: string): string {
    const places = isAbsolute(id) ? [id] : this.roots.map((root) => join(root, id));
    for (const place of places) {
      if (!existsSync(place)) continue;
      const real = realPath(place);
      if (isInside(real, this.roots)) return real;
    }
    // Whether there is something elsewhere is nobody's business.
    throw new ToolError('no such file below the folders of this server: list_dumps names those that are there');
  }
}
