/** A driver from a file, in the form in which a loaded module is read: for all that judges modules. */

import { basename } from 'node:path';
import { PAGE_SIZE, plus } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { asciiz, u32 } from '../../../parsers/bytes/fields.js';
import { MACHINE } from '../../../parsers/dump/open-dump.js';
import { DIRECTORY, readCodeView } from '../../../parsers/pe/image.js';
import { layOutImage, type ImageFile } from '../../../parsers/pe/image-file.js';
import { readVersion } from '../../../parsers/pe/version.js';
import type { Architecture } from '../../result/result.js';
import { debuggerName, type LoadedModule } from './modules.js';

const SUBSYSTEM_NATIVE = 1;
const IMPORT_DESCRIPTOR = 20;
const MOST_IMPORTED_FILES = 256;
const LONGEST_NAME = 64;
/** What only code in the kernel imports from. */
const KERNEL_FILE = /^(?:ntoskrnl\.exe|ntkrnl\w*\.exe|hal\.dll|.*\.sys)$/i;

/** An image from a file and what it is. */
export interface DriverFile {
  readonly module: LoadedModule;
  /** Null for processors that no dump is read of. */
  readonly architecture: Architecture | null;
  /** It is made to run in the kernel: its subsystem is native, or it imports from the kernel or a driver. */
  readonly isDriver: boolean;
}

const ARCHITECTURES: ReadonlyMap<number, Architecture> = new Map([
  [MACHINE.I386, 'x86'],
  [MACHINE.AMD64, 'x64'],
  [MACHINE.ARM64, 'arm64'],
]);

/**
 * Makes a module of the bytes of a PE file, at the base that its header prefers. Fails where Windows would not load it.
 *
 * @param path where it was read; its last part is the module's name.
 */
export function driverFromFile(file: Uint8Array, path: string): DriverFile | Failure {
  const image = layOutImage(file, path);
  if (failed(image)) return image;
  const { memory, base, headers } = image;
  const name = basename(path).toWellFormed();
  const orNull = <T>(value: T | Failure): T | null => (failed(value) ? null : value);
  const { sizeOfImage, timeDateStamp, checkSum } = headers;
  return {
    architecture: ARCHITECTURES.get(headers.machine) ?? null,
    isDriver: headers.subsystem === SUBSYSTEM_NATIVE || importedFiles(image).some((from) => KERNEL_FILE.test(from)),
    module: {
      ...{ name, moduleName: debuggerName(name), path, base, sizeOfImage, timeDateStamp, checkSum, headers, memory },
      codeView: orNull(readCodeView(memory, base, headers)),
      version: orNull(readVersion(memory, base, headers)),
      pagesPresent: memory.countPages(base, sizeOfImage),
      pagesTotal: Math.ceil(sizeOfImage / PAGE_SIZE),
    },
  };
}

/** Names of the files that an image imports from, as far as they can be read. */
function importedFiles({ memory, base, headers }: ImageFile): string[] {
  const rva = headers.directories[DIRECTORY.import]?.rva ?? 0;
  const names: string[] = [];
  if (rva === 0) return names;
  for (let i = 0; i < MOST_IMPORTED_FILES; i++) {
    const descriptor = memory.read(plus(base, rva + i * IMPORT_DESCRIPTOR), IMPORT_DESCRIPTOR);
    if (failed(descriptor)) break;
    const at = u32(descriptor, 12);
    if (at === 0) break;
    const text = memory.read(plus(base, at), LONGEST_NAME);
    if (!failed(text)) names.push(asciiz(text, 0, LONGEST_NAME));
  }
  return names;
}
