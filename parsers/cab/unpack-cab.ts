/** Cabinets on disk: MSZIP by our own reader, LZX and Quantum by the optional 7-Zip where it is installed. */

import { readdirSync } from 'node:fs';
import {
  isFileName,
  lastPart,
  makeUnpackFolder,
  runSevenZip,
  type UnpackFolder,
} from '../bytes/containers/seven-zip-tool.js';
import { failed, Failure } from '../bytes/failure.js';
import { FileSource } from '../bytes/file-source.js';
import { decompressCab, OtherCompression, type CabFailure, type CabOptions, type UnpackedFile } from './cab.js';

/**
 * Unpacks the first file of the cabinet at `path`, however it is packed. Throws InputError when the file cannot be read,
 * or the temporary folder cannot take what comes out.
 */
export async function unpackCab(path: string, options: CabOptions = {}): Promise<UnpackedFile | CabFailure> {
  const source = new FileSource(path);
  let own: UnpackedFile | CabFailure;
  try {
    own = decompressCab(source, options);
  } finally {
    source.close();
  }
  return own instanceof OtherCompression ? bySevenZip(path, own) : own;
}

async function bySevenZip(path: string, packed: OtherCompression): Promise<UnpackedFile | CabFailure> {
  const folder = makeUnpackFolder(path, packed.name, packed.size);
  try {
    const unpacked = await extract(path, packed, folder);
    if (failed(unpacked)) folder.remove();
    return unpacked;
  } catch (error) {
    folder.remove();
    throw error;
  }
}

async function extract(
  path: string,
  packed: OtherCompression,
  folder: UnpackFolder,
): Promise<UnpackedFile | CabFailure> {
  const corrupt = (why = ''): CabFailure =>
    new Failure('corrupt', `${path}: it is packed by ${packed.compression} and cannot be unpacked${why}`);
  if (!isFileName(lastPart(packed.name))) return corrupt(': the name of its file is none');
  let lines: string[] | null;
  try {
    // Names that are not ASCII may be spelled otherwise there, so the only file is not named.
    const members = packed.files === 1 ? [] : [packed.name.replaceAll('\\', '/')];
    lines = await runSevenZip(path, folder.path, { command: 'e', switches: ['-tcab', '-y'], members });
  } catch {
    return corrupt();
  }
  if (lines === null) {
    return new Failure(
      'not-supported',
      `${path}: it is packed by ${packed.compression}: install the optional package 7z-wasm beside dumpleak, or unpack it with "expand" of Windows or 7-Zip first`,
    );
  }
  const [file, ...others] = readdirSync(folder.path);
  if (file === undefined || others.length > 0 || lines.some((l) => /^(ERROR|Sub items Errors)/.test(l)))
    return corrupt();
  const source = folder.open(file);
  if (source.byteLength === packed.size) return { name: packed.name, source };
  const came = source.byteLength;
  source.close();
  return corrupt(`: ${came} of ${packed.size} bytes came out`);
}
