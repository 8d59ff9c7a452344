/** From module records to the result's `modules` and `unloadedModules`. */

import { hex } from '../../parsers/bytes/failure.js';
import type { LoadedModule } from '../kernel/modules.js';
import type { UnloadedDriver } from '../kernel/unloaded.js';
import type { ModuleInfo, UnloadedModule } from '../result.js';
import { fileTimeText } from './dump-info.js';

export function describeModule(module: LoadedModule): ModuleInfo {
  return {
    name: module.name,
    moduleName: module.moduleName,
    path: module.path,
    base: hex(module.base),
    end: hex(module.base + BigInt(module.sizeOfImage)),
    sizeOfImage: module.sizeOfImage,
    timeDateStamp: module.timeDateStamp === null ? null : hex(module.timeDateStamp),
    checkSum: module.checkSum === null ? null : hex(module.checkSum),
    pdb: module.codeView === null ? null : { ...module.codeView },
    version: module.version === null ? null : { ...module.version },
    pagesPresent: module.pagesPresent,
    pagesTotal: module.pagesTotal,
  };
}

export function describeUnloaded(driver: UnloadedDriver): UnloadedModule {
  return {
    name: driver.name,
    start: hex(driver.start),
    end: hex(driver.end),
    unloadedAt: fileTimeText(driver.time),
  };
}
