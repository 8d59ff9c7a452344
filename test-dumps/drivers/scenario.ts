/** Dumps of systems on which generated drivers are loaded. */

import { PAGE } from '../physical-memory.js';
import { Prng } from '../prng.js';
import type { ModuleSpec, Scenario } from '../scenario.js';
import { loadedSize } from './load.js';
import { IMPORTS, type DriverSpec, type GeneratedDriver } from './source.js';

export interface DriverFile {
  driver: GeneratedDriver;
  file: Uint8Array;
}

/** What of the drivers the dump lacks. */
export type Missing =
  /** Only what every kernel discards: the section INIT and with it the names of imports. */
  | 'discarded'
  /** Every third page besides, whatever it holds. */
  | 'pages';

/** A complete dump of one processor with these drivers as modules. */
export function driverScenario(
  architecture: DriverSpec['architecture'],
  files: readonly DriverFile[],
  missing: Missing,
): Scenario {
  const random = new Prng(files.length).fork(architecture);
  const modules = files.map(({ driver, file }): ModuleSpec => {
    const pages: NonNullable<ModuleSpec['pages']> = {};
    if (missing === 'pages') {
      for (let page = 1; page < loadedSize(file) / PAGE; page++) if (random.chance(1 / 3)) pages[page] = 'absent';
    }
    return { name: `${driver.name}.sys`, file, pages };
  });
  return {
    name: `drivers ${architecture}`,
    seed: 7,
    ...(architecture === 'x64' ? {} : { architecture }),
    ...(architecture === 'x86' ? { kernel: '3790' } : {}),
    kind: 'kernel',
    modules,
    kernelExports: IMPORTS.map(([name]) => name),
  };
}
