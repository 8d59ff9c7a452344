/** Fills the pages of a module that the dump lacks from its image on disk, if the file is the one that was loaded. */

import { PAGE_SIZE } from '../../../parsers/addresses.js';
import { failed, Failure, hex } from '../../../parsers/bytes/failure.js';
import { imageChecksum } from '../../../parsers/pe/checksum.js';
import { readCodeView } from '../../../parsers/pe/image.js';
import { layOutImage } from '../../../parsers/pe/image-file.js';
import { readSigner } from '../../../parsers/pe/signature.js';
import { readVersion } from '../../../parsers/pe/version.js';
import { FilledMemory } from './filled-memory.js';
import type { LoadedModule } from './modules.js';

/** Why a file is not used: another build than the one that was loaded, no sound image, or the dump does not tell. */
type Refused = Failure<'mismatch' | 'corrupt' | 'unknown'>;

const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);

/**
 * The module with what the file adds: pages, and what its headers and version resource say where the dump lacks them.
 * Refuses a file whose time stamp, size or checksum is not that of the module, and one whose own checksum is wrong.
 *
 * @param file its bytes, which must not change afterwards.
 */
export function completeFromFile(module: LoadedModule, file: Uint8Array, path: string): LoadedModule | Refused {
  const image = layOutImage(file, path);
  if (failed(image)) return new Failure('corrupt', image.message);
  const wrong = mismatch(module, image.headers, path);
  if (wrong !== null) return wrong;
  const { checkSum } = image.headers;
  const actual = imageChecksum(file);
  if (checkSum !== 0 && actual !== checkSum) {
    return new Failure(
      'corrupt',
      `${path}: its checksum is ${hex(actual ?? 0)}, its header says ${hex(checkSum)}: it was changed or is damaged`,
    );
  }
  const memory = new FilledMemory(module.memory, module.base, image);
  const { base } = module;
  const headers = module.headers !== null && module.headers.sections.length > 0 ? module.headers : image.headers;
  const orNull = <T>(value: T | Failure): T | null => (failed(value) ? null : value);
  return {
    ...module,
    headers,
    memory,
    codeView: module.codeView ?? orNull(readCodeView(memory, base, headers)),
    version: module.version ?? orNull(readVersion(memory, base, headers)),
    disk: { path, pages: memory.filled, signer: readSigner(file, image.headers) },
  };
}

/** What of a file is not as the module list or the header in memory says; null where all is. */
function mismatch(
  module: LoadedModule,
  headers: { timeDateStamp: number; sizeOfImage: number; checkSum: number },
  path: string,
): Refused | null {
  const { timeDateStamp, sizeOfImage, checkSum } = module;
  if (timeDateStamp === null) {
    return new Failure('unknown', `${path}: the dump does not tell the time stamp of the module`);
  }
  const differences = [
    timeDateStamp === headers.timeDateStamp
      ? null
      : `time stamp ${hex(headers.timeDateStamp)} instead of ${hex(timeDateStamp)}`,
    pagesOf(sizeOfImage) === pagesOf(headers.sizeOfImage)
      ? null
      : `size ${hex(headers.sizeOfImage)} instead of ${hex(sizeOfImage)}`,
    checkSum === null || checkSum === headers.checkSum
      ? null
      : `checksum ${hex(headers.checkSum)} instead of ${hex(checkSum)}`,
  ].filter((difference) => difference !== null);
  return differences.length === 0 ? null : new Failure('mismatch', `${path}: another build: ${differences.join(', ')}`);
}
