/** From module records to the result's `modules` and `unloadedModules`. */

import { failed, hex, type Failure } from '../../../parsers/bytes/failure.js';
import type { Signer } from '../../../parsers/pe/signature.js';
import { isReproducible, judgeTimeStamp } from '../../../parsers/pe/time-stamp.js';
import type { LoadedModule } from './modules.js';
import type { UnloadedDriver } from './unloaded.js';
import type { ModuleInfo, SignatureInfo, UnloadedModule } from '../../result/result.js';
import { fileTimeText } from '../../result/file-time.js';

/** @param latest when the dump was taken, seconds since 1970: nothing in it was linked later. Null where unknown. */
export function describeModule(module: LoadedModule, latest: number | null): ModuleInfo {
  const { timeDateStamp: stamp, disk } = module;
  const kind = stamp === null ? null : judgeTimeStamp(stamp, reproducible(module), latest);
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
    timeStampKind: kind,
    builtAt: kind === 'date' && stamp !== null ? new Date(stamp * 1000).toISOString() : null,
    image: disk === undefined ? null : { path: disk.path, pagesFilled: disk.pages.size },
    signature: disk === undefined ? null : describeSignature(disk.signer),
  };
}

function reproducible({ memory, headers, base }: LoadedModule): boolean | null {
  return memory === null || headers === null ? null : isReproducible(memory, base, headers);
}

/** The publisher under which Microsoft signs the drivers of others that pass its hardware program. */
const FOR_OTHERS = /Hardware Compatibility Publisher/i;

/** What an embedded signature says of the maker: less than it seems, and it is not verified. */
export function describeSignature(signer: Signer | null | Failure): SignatureInfo {
  const nobody = { signer: null, organization: null, issuer: null };
  if (signer === null) {
    const note = 'no signature in the file; it may be signed by a catalog, so this says nothing of its maker';
    return { embedded: false, ...nobody, note };
  }
  if (failed(signer)) return { embedded: true, ...nobody, note: signer.message };
  const { name, organization, issuer } = signer;
  const note = FOR_OTHERS.test(name ?? '')
    ? "Microsoft signs drivers of other companies under this name: the driver is a third party's"
    : 'the name in the certificate of the signature, which was not verified; it alone does not say who made the driver';
  return { embedded: true, signer: name, organization, issuer, note };
}

export function describeUnloaded(driver: UnloadedDriver): UnloadedModule {
  return {
    name: driver.name,
    start: hex(driver.start),
    end: hex(driver.end),
    unloadedAt: fileTimeText(driver.time),
  };
}
