/**
 * Kernel images by what their PE headers say: `images.txt` names the exact version of 3658 images (builds 9926 to 29648, x64 and
 * ARM64), `image-pdbs.txt` the PDB of 94 (2600 to 22000, also x86).
 *
 * `images.txt` is sections `[x64 ntoskrnl.exe]`, in them builds (`10.0.19041`), in them lines of revision, TimeDateStamp and
 * pages of SizeOfImage, the last two in hex.
 */

import { readDataFile, readDataLines } from './data-files.js';

/** A kernel image that a published list names. */
export interface KnownImage {
  /** `10.0.19041.804`. */
  readonly version: string;
  /** `ntoskrnl.exe`, or `ntkrla57.exe` for the kernel with five-level paging. */
  readonly file: string;
  /** Other versions with the same timestamp and size: one is known, 10.0.22621.1485 beside .1483. */
  readonly others: readonly string[];
}

const hex8 = (value: number): string => value.toString(16).padStart(8, '0');

/**
 * Which release of Windows an image is, by TimeDateStamp and SizeOfImage (bytes) of its PE header; `null` when no list has it.
 * Newer TimeDateStamps are hashes, so a match is strong but not proof.
 */
export function findImageVersion(timeDateStamp: number, sizeOfImage: number, arch: 'x64' | 'arm64'): KnownImage | null {
  if (!Number.isInteger(timeDateStamp) || !Number.isInteger(sizeOfImage) || sizeOfImage % 0x1000 !== 0) return null;
  const text = readDataFile('images.txt');
  const key = ` ${hex8(timeDateStamp)} ${(sizeOfImage / 0x1000).toString(16)}\n`;
  const found: { version: string; file: string }[] = [];
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    const section = /\[(\S+) (\S+)\]/.exec(text.slice(text.lastIndexOf('\n[', at)));
    if (section?.[1] !== arch) continue;
    const revision = text.slice(text.lastIndexOf('\n', at) + 1, at);
    const build = /(?:^|\n)(\d+\.\d+\.\d+)\n(?:\d+ \S+ \S+\n)*$/.exec(text.slice(0, text.lastIndexOf('\n', at) + 1));
    found.push({ version: `${build?.[1] ?? ''}.${revision}`, file: section[2] ?? '' });
  }
  const [first, ...others] = found;
  return first === undefined ? null : { ...first, others: others.map((image) => image.version) };
}

/** The PDB of a kernel image (any architecture) where a symbol store's manifest names it, or `null`. Size in bytes. */
export function findImagePdb(
  timeDateStamp: number,
  sizeOfImage: number,
): { readonly name: string; readonly guid: string; readonly age: number } | null {
  const tail = ` ${hex8(timeDateStamp)} ${sizeOfImage.toString(16)}`;
  const line = readDataLines('image-pdbs.txt').find((candidate) => candidate.endsWith(tail));
  const [name, guidAge] = line?.split(' ') ?? [];
  if (name === undefined || guidAge === undefined) return null;
  return { name, guid: guidAge.slice(0, 32), age: parseInt(guidAge.slice(32), 16) };
}
