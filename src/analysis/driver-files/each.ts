/** Goes through driver files one after the other; what cannot be read costs a warning, not the search. */

import { failed } from '../../../parsers/bytes/failure.js';
import { linksLeftText } from '../../../parsers/files/paths.js';
import { hiddenCode } from '../../code/image/hidden-code.js';
import type { DriverFile } from '../../kernel/modules/driver-file.js';
import type { Warning } from '../../result/result.js';
import { findFiles, readDriver } from './find.js';

/** Drivers that were searched, and files that are no drivers. */
export interface FilesSearched {
  files: number;
  skipped: number;
  /** Of `files`, those without the bytes of all their pages: packed, or cut short. */
  incomplete: number;
}

/** Called before each file. */
export type Progress = (done: number, total: number, path: string) => void;

/** Reads every driver of files and folders. */
export function eachDriver(
  paths: readonly string[],
  progress: Progress | undefined,
  visit: (driver: DriverFile) => void,
  followLinks = true,
): { searched: FilesSearched; warnings: Warning[] } {
  const found = findFiles(paths, followLinks);
  const unreadable = [...found.unreadable];
  const told: Warning[] = [];
  const searched = { files: 0, skipped: 0, incomplete: 0 };
  for (const [i, file] of found.files.entries()) {
    progress?.(i, found.files.length, file.path);
    const driver = readDriver(file);
    if (driver === null) searched.skipped++;
    else if (failed(driver)) unreadable.push(driver.message);
    else {
      searched.files++;
      if (driver.module.pagesPresent !== driver.module.pagesTotal) searched.incomplete++;
      const hidden = hiddenCode(driver.module);
      if (hidden !== null) told.push({ code: hidden.code, where: 'files', message: `${file.path}: ${hidden.why}` });
      visit(driver);
    }
  }
  const warnings: Warning[] = [
    ...unreadable.map((message): Warning => ({ code: 'file-unreadable', where: 'files', message })),
    ...told,
  ];
  const left = linksLeftText(found.linksLeft);
  if (left !== null) warnings.push({ code: 'links-not-followed', where: 'files', message: left });
  return { searched, warnings };
}
