/** PDBs: opening one and finding what an analysis needs in it, against reading the file once. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileOffset } from '../../parsers/addresses.js';
import { FileSource } from '../../parsers/bytes/file-source.js';
import { CountingSource } from '../../parsers/bytes/source.js';
import { KERNEL_SYMBOLS, KERNEL_TYPES } from '../../symbols/kernel-names.js';
import { symbolRecord, writePdb } from '../../test-dumps/pdb/pdb-writer.js';
import { T, TypeWriter } from '../../test-dumps/pdb/type-writer.js';
import { Prng } from '../../test-dumps/prng.js';
import { measure, type BenchLine } from './measure.js';
import { resolvePdb } from './pdb-steps.js';

const STEPS = fileURLToPath(new URL('./pdb-steps.js', import.meta.url));
/** What the public PDB of a kernel has, and some more. */
const PUBLICS = 40_000;
const TYPES = 5_000;
const LARGE_TYPES = 21_000;
const MEMBERS = 18;
const WORDS = [
  'Pool',
  'Page',
  'Table',
  'State',
  'Lock',
  'Free',
  'List',
  'Commit',
  'Working',
  'Set',
  'Object',
  'Cache',
  'Irp',
];
const PREFIXES = [
  'Mi',
  'Mm',
  'Ki',
  'Ke',
  'Ex',
  'Exp',
  'Ob',
  'Ps',
  'Io',
  'Iop',
  'Cm',
  'Cc',
  'Etw',
  'Se',
  'Rtl',
  'Nt',
  'Po',
];

function name(prng: Prng, i: number): string {
  return `${prng.pick(PREFIXES)}${prng.pick(WORDS)}${prng.pick(WORDS)}${prng.pick(WORDS)}${i.toString(36)}`;
}

/** A PDB with so many types, and else as large as a kernel's, with the kernel's names spread among made ones. Streams are in one piece each, as in the PDBs of real linkers. */
function kernelSizedPdb(typeCount: number): Uint8Array {
  const prng = new Prng(17);
  const every = Math.floor(PUBLICS / KERNEL_SYMBOLS.length);
  const symbols = Array.from({ length: PUBLICS }, (_, i) => {
    const known = i % every === 0 ? KERNEL_SYMBOLS[i / every] : undefined;
    return symbolRecord.public({ name: known ?? name(prng, i), segment: 1, offset: i * 16 }, i % 3 > 0);
  });
  const types = new TypeWriter();
  const list = types.pointer(types.forward('_LIST_ENTRY'));
  const everyType = Math.floor(typeCount / KERNEL_TYPES.length);
  for (let i = 0; i < typeCount; i++) {
    const known = i % everyType === 0 ? KERNEL_TYPES[i / everyType] : undefined;
    const of = [T.ulong, T.uquad, list, types.bits(T.ulong, i % 20, 4), types.array(T.uquad, 64)];
    const members = Array.from({ length: MEMBERS }, (_, j) => ({
      name: `${prng.pick(WORDS)}${prng.pick(WORDS)}${j}`,
      type: prng.pick(of),
      offset: j * 8,
    }));
    types.struct(known ?? `_${name(prng, i).toUpperCase()}`, MEMBERS * 8, members);
  }
  const sections = [{ name: '.data', rva: 0x1000, size: PUBLICS * 16 }];
  // Hashes, lines and section contributions, which an analysis never reads.
  const modules = Array.from({ length: 7 }, () => [prng.bytes(1 << 20)]);
  const guid = '0123456789ABCDEF0123456789ABCDEF';
  return writePdb({ guid, age: 1, machine: 0x8664, sections, symbols, types, modules });
}

function readOnce(path: string): void {
  const source = new FileSource(path);
  const buffer = new Uint8Array(1 << 20);
  for (let at = 0; at < source.byteLength; at += buffer.length) source.read(fileOffset(at), buffer);
  source.close();
}

/** A whole process that opens a PDB of 20 MB, most of it types, and finds what an analysis needs. */
function largeLine(folder: string): BenchLine {
  const path = join(folder, 'large.pdb');
  writeFileSync(path, kernelSizedPdb(LARGE_TYPES));
  const { cpuMs, peakBytes } = measure([STEPS, path]);
  return {
    name: 'PDB of 20 MB with types, a process of its own',
    ratio: cpuMs / 1000,
    goal: 0.5,
    unit: 's',
    detail: `${(statSync(path).size / 2 ** 20).toFixed(1)} MB, ${LARGE_TYPES} types; peak ${(peakBytes / 2 ** 20).toFixed(0)} MB, node with it`,
  };
}

/** Writes a PDB of more than 10 MB to a temporary folder; both figures are the best of several runs in this process. */
export async function pdbBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  const path = join(folder, 'ntkrnlmp.pdb');
  try {
    writeFileSync(path, kernelSizedPdb(TYPES));
    const bytes = statSync(path).size;
    let found = { symbols: 0, types: 0 };
    const resolveAll = (): void => {
      const source = new FileSource(path);
      found = resolvePdb(source);
      source.close();
    };
    const time = (work: () => void, times: number): number => {
      let best = Infinity;
      for (let i = 0; i < times; i++) {
        const before = process.cpuUsage();
        work();
        const { user, system } = process.cpuUsage(before);
        best = Math.min(best, (user + system) / 1000);
      }
      return best;
    };
    const cold = time(resolveAll, 1);
    const ours = time(resolveAll, 40);
    const plain = time(() => {
      readOnce(path);
    }, 40);
    const counting = new CountingSource(new FileSource(path));
    resolvePdb(counting);
    counting.close();
    const what = `${found.symbols} symbols and ${found.types} types of ${(bytes / 2 ** 20).toFixed(1)} MB`;
    return await Promise.resolve([
      {
        name: 'PDB: open, resolve, against reading it once',
        ratio: ours / plain,
        goal: 4,
        detail: `${ours.toFixed(1)} ms (the first time ${cold.toFixed(0)} ms) against ${plain.toFixed(1)} ms of processor time: ${what}`,
      },
      {
        name: 'PDB: bytes read, of the file',
        ratio: counting.bytesRead / bytes,
        goal: 1,
        detail: `${(counting.bytesRead / 2 ** 20).toFixed(1)} MB in ${counting.reads} reads`,
      },
      largeLine(folder),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
