/** Folders with images: copies of System32\drivers, and symbol stores. Finds the file of a loaded module in them. */

import { basename, dirname } from 'node:path';
import { failed } from '../../../parsers/bytes/failure.js';
import { completeFromFile } from '../../kernel/modules/disk-image.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import type { Warning, WarningCode } from '../../result/result.js';
import { list } from '../../leak/wording.js';
import { findFiles, readImageFile } from './find.js';

/** Files of one name that are read for one module. */
const MOST_CANDIDATES = 16;
/** Bytes of images that are kept at once. */
const MOST_BYTES = 2 ** 30;

/** The images below some folders, by name. */
export class ImageFolders {
  private readonly byName = new Map<string, string[]>();
  private readonly unreadable: readonly string[];
  /** @param folders read when the first module is asked for; also single files. */
  constructor(
    private readonly folders: readonly string[],
    private readonly mostBytes = MOST_BYTES,
  ) {
    const found = findFiles(folders);
    this.unreadable = found.unreadable;
    for (const { path } of found.files) {
      const name = basename(path).toLowerCase();
      const paths = this.byName.get(name);
      if (paths === undefined) this.byName.set(name, [path]);
      else paths.push(path);
    }
  }

  /** The modules of one dump, completed from files where there is the right one, and what is to be said about it. */
  complete(
    modules: readonly LoadedModule[],
    progress?: (done: number, total: number) => void,
  ): { modules: LoadedModule[]; warnings: Warning[] } {
    const refused: string[] = [];
    let [used, full, room] = [0, 0, this.mostBytes];
    const completed = modules.map((module, i) => {
      progress?.(i, modules.length);
      const reasons: string[] = [];
      for (const path of this.candidates(module)) {
        const bytes = readImageFile(path);
        if (failed(bytes)) {
          reasons.push(bytes.message);
          continue;
        }
        if (bytes.length > room) {
          full++;
          return module;
        }
        const filled = completeFromFile(module, bytes, path);
        if (failed(filled)) {
          reasons.push(filled.message);
          continue;
        }
        used++;
        room -= bytes.length;
        return filled;
      }
      const [reason] = reasons;
      if (reason !== undefined)
        refused.push(reasons.length === 1 ? reason : `${reason} (and ${reasons.length - 1} more files of that name)`);
      return module;
    });
    return { modules: completed, warnings: this.warnings(modules.length, used, full, refused) };
  }

  /** Files that can be the module's: of a symbol store first the one under its own key. */
  private candidates({ name, timeDateStamp, sizeOfImage }: LoadedModule): string[] {
    const plain = name.toLowerCase();
    // The crash dump stack loads copies of the storage drivers under names of its own.
    const names = plain.startsWith('dump_') ? [plain, plain.slice('dump_'.length)] : [plain];
    const paths = names.flatMap((one) => [
      ...(this.byName.get(one) ?? []),
      ...(this.byName.get(`${one.slice(0, -1)}_`) ?? []),
    ]);
    if (timeDateStamp === null) return paths.slice(0, MOST_CANDIDATES);
    const key = `${timeDateStamp.toString(16).padStart(8, '0')}${sizeOfImage.toString(16)}`;
    const isKeyed = (path: string): boolean => basename(dirname(path)).toLowerCase() === key;
    return [...paths.filter(isKeyed), ...paths.filter((path) => !isKeyed(path))].slice(0, MOST_CANDIDATES);
  }

  private warnings(total: number, used: number, full: number, refused: readonly string[]): Warning[] {
    const warning = (code: WarningCode, message: string): Warning => ({ code, where: 'modules', message });
    const where = list(this.folders);
    const warnings = this.unreadable.map((message) => warning('images-unreadable', message));
    if (used === 0)
      warnings.push(
        warning('images-unused', `None of ${total} modules could be completed from images on disk (${where})`),
      );
    if (refused.length > 0) {
      const more = refused.length > 8 ? `; and ${refused.length - 8} more` : '';
      const message = `${refused.length} modules were not completed: the image on disk is not the one that was loaded, or not sound: ${refused.slice(0, 8).join('; ')}${more}`;
      warnings.push(warning('images-mismatch', message));
    }
    if (full > 0) warnings.push(warning('images-limit', `${full} more images were not read: too many bytes in all`));
    return warnings;
  }
}
