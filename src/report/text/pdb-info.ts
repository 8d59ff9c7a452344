/** The text of `dumpleak symbols info`: one PDB. */

import { printable } from '../../../parsers/text-safety.js';
import { counted } from '../../views/print/format.js';
import { asciiOnly, bullets, createStyle, heading, pairs, type StyleOptions } from '../../views/print/style.js';

/** The object of `symbols info --json`. */
export interface PdbInfo {
  readonly file: string;
  /** 32 upper-case hexadecimal digits. */
  readonly guid: string;
  /** The one that the image's CodeView record repeats. */
  readonly age: number;
  /** Of the PDB's information stream. */
  readonly infoAge: number;
  /** An IMAGE_FILE_MACHINE value. */
  readonly machine: number;
  readonly publics: number;
  readonly types: number;
  readonly streams: number;
  readonly sections: number;
  /** The image was rearranged after linking. */
  readonly omap: boolean;
  /** Globals and structures of a kernel that an analysis reads; null for a PDB of anything else. */
  readonly kernel: { readonly symbols: number; readonly layouts: number } | null;
  /** Where a symbol store keeps it. */
  readonly storePath: string;
  readonly notes: readonly string[];
}

const MACHINES: ReadonlyMap<number, string> = new Map([
  [0x14c, 'x86'],
  [0x8664, 'x64'],
  [0xaa64, 'ARM64'],
]);

/** The report, ended by a line feed. */
export function renderPdbInfo(info: PdbInfo, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const { guid, age, infoAge, machine, kernel, notes } = info;
  const rows: [string, string][] = [
    ['GUID', guid],
    ['Age', infoAge === age ? age.toString() : `${age} (the file's own: ${infoAge})`],
    ['Processor', MACHINES.get(machine) ?? `0x${machine.toString(16)}`],
    ['Public symbols', info.publics.toString()],
    ['Types', info.types.toString()],
    ['Sections', `${info.sections}${info.omap ? ', rearranged after linking (OMAP)' : ''}`],
    [
      'Kernel',
      kernel === null
        ? 'no: it has no PoolTrackTable'
        : `${counted(kernel.symbols, 'global')} and ${counted(kernel.layouts, 'structure')} that an analysis reads`,
    ],
    ['In a store', printable(info.storePath)],
  ];
  const lines = [heading(printable(info.file), style), ...pairs(rows, style), ...bullets(notes.map(printable), style)];
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}
