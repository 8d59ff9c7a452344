/** The lines of `!lmi`. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { MACHINE } from '../../../parsers/dump/open-dump.js';
import { DIRECTORY } from '../../../parsers/pe/image.js';
import { isReproducible, judgeTimeStamp } from '../../../parsers/pe/time-stamp.js';
import { printable } from '../../../parsers/text-safety.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import { clockText } from '../../views/print/clock.js';
import { NOT_KNOWN } from '../../views/print/format.js';
import type { Session } from '../session.js';

const MACHINES: Readonly<Record<number, string>> = {
  [MACHINE.I386]: '332 (I386)',
  [MACHINE.AMD64]: '34404 (X64)',
  [MACHINE.ARM64]: '43620 (ARM64)',
};
/** IMAGE_DEBUG_TYPE_* by the debugger's words. */
const TYPES: Readonly<Record<number, string>> = { 1: 'COFF', 2: 'CODEVIEW', 3: 'FPO', 4: 'MISC', 9: 'BORLAND', 10: 'RESERVED', 12: 'VC_FEATURE', 13: 'POGO', 14: 'ILTCG', 16: 'REPRO', 20: 'EX_DLLCHAR' }; // prettier-ignore
const CODEVIEW = 2;
const ENTRY_SIZE = 28;
const MOST_ENTRIES = 32;

/** `938f9f4e (This is ...)`, `58ebe848 Mon Apr 10 13:17:12 2017`. */
function stampText({ timeDateStamp, memory, headers, base }: LoadedModule): string {
  if (timeDateStamp === null) return NOT_KNOWN;
  const digits = timeDateStamp.toString(16);
  const hashed = memory === null || headers === null ? null : isReproducible(memory, base, headers);
  const kind = judgeTimeStamp(timeDateStamp, hashed, null);
  return kind === 'hash'
    ? `${digits} (This is a reproducible build file hash, not a true timestamp)`
    : `${digits} ${clockText(new Date(timeDateStamp * 1000))}`;
}

const hexOf = (value: number | null): string => (value === null ? NOT_KNOWN : value.toString(16));

/** `{9CC82DBE-96A0-773D-29E0-62B698C4C3A8}` */
const guidText = (guid: string): string => `{${guid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}}`;

function debugLines({ memory, headers, base, codeView }: LoadedModule): string[] {
  const directory = headers?.directories[DIRECTORY.debug];
  if (memory === null || directory === undefined || directory.rva === 0) return [];
  const count = Math.min(MOST_ENTRIES, Math.floor(directory.size / ENTRY_SIZE));
  const entries = memory.read(plus(base, directory.rva), count * ENTRY_SIZE);
  if (failed(entries)) return ['             [Data not mapped]'];
  const lines: string[] = [];
  for (let at = 0; at < entries.length; at += ENTRY_SIZE) {
    const [type, size, rva, pointer] = [12, 16, 20, 24].map((field) => u32(entries, at + field)) as [number, number, number, number]; // prettier-ignore
    const cells = `${(TYPES[type] ?? '??').padStart(21)} ${hexOf(size).padStart(5)}, ${hexOf(rva).padStart(5)}, ${hexOf(pointer).padStart(7)}`; // prettier-ignore
    if (type !== CODEVIEW) lines.push(`${cells} [Data not mapped]`);
    else if (codeView === null) lines.push(`${cells} [Data not mapped]`);
    else {
      lines.push(`${cells} RSDS - GUID: ${guidText(codeView.guid)}`);
      lines.push(`               Age: ${codeView.age}, Pdb: ${printable(codeView.name)}`);
    }
  }
  return lines;
}

/** Labels end in one column. */
const row = (label: string, value: string): string => `${label.padStart(15)}: ${value}`;

export async function lmiLines(session: Session, module: LoadedModule): Promise<string> {
  const { moduleName, base, name, headers, sizeOfImage, checkSum } = module;
  const pdb = await session.symbols.pdbOf(module);
  const table = await session.symbols.tableOf(module);
  const symbols = table.origin === 'pdb' ? 'PDB      - Symbols loaded successfully.' : table.origin === 'exports' || table.origin === 'tables' ? 'EXPORT   - PDB not found' : 'NONE     - PDB not found'; // prettier-ignore
  return `${[
    `Loaded Module Info: [${printable(moduleName)}] `,
    row('Module', printable(moduleName)),
    row('Base Address', session.pointer(base)),
    row('Image Name', printable(name)),
    row('Machine Type', MACHINES[headers?.machine ?? 0] ?? NOT_KNOWN),
    row('Time Stamp', stampText(module)),
    row('Size', hexOf(sizeOfImage)),
    row('CheckSum', hexOf(checkSum)),
    row('Characteristics', headers === null ? NOT_KNOWN : `${hexOf(headers.characteristics)}  `),
    'Debug Data Dirs: Type  Size     VA  Pointer',
    ...debugLines(module),
    row('Image Type', headers === null ? 'NONE     - Image header not in the dump.' : 'MEMORY   - Image read successfully from loaded memory.'), // prettier-ignore
    row('Symbol Type', symbols),
    ...(failed(pdb) ? [] : [`                 ${printable(pdb.name)}`]),
  ].join('\n')}\n`;
}
