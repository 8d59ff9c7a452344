/** Files that symbols come in: PDBs, cabinets, symbol tables of Volatility, profiles; and the text of a symbol path. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fileOffset } from '../../../parsers/addresses.js';
import type { Failure } from '../../../parsers/bytes/failure.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { MemorySource } from '../../../parsers/bytes/source.js';
import { decompressCab } from '../../../parsers/cab/cab.js';
import { openPdb } from '../../../parsers/pdb/pdb.js';
import { readIsf } from '../../../symbols/isf.js';
import type { KernelFacts } from '../../../symbols/kernel-facts.js';
import { KERNEL_SYMBOLS, KERNEL_TYPES } from '../../../symbols/kernel-names.js';
import { pdbFacts } from '../../../symbols/pdb-symbols.js';
import { makeProfile, readProfile } from '../../../symbols/profile-file.js';
import { readProfileFile } from '../../../symbols/profile-folder.js';
import { identifyFile } from '../../../symbols/store/identify.js';
import { parsePointer } from '../../../symbols/store/pointer.js';
import { parseSymbolPath } from '../../../symbols/store/symbol-path.js';
import { makeCab } from '../../../test-dumps/pdb/cab-writer.js';
import { kernelFacts } from '../../../test-dumps/kernel-facts.js';
import { kernelPdb } from '../../../test-dumps/pdb/kernel-pdb.js';
import { samplePdb } from '../../../test-dumps/pdb/sample-pdb.js';
import { makeXz } from '../../../test-dumps/containers/xz.js';
import { sampleIsf, sealProfile } from '../sample-texts.js';
import type { FuzzTarget } from '../target.js';

const MOST_UNPACKED = 16 * 2 ** 20;

/** PDBs of a driver, and of a kernel. */
export const samplePdbs: FuzzTarget['seeds'] = [
  () => samplePdb(0x14c, 1),
  () => samplePdb(0x8664, 2),
  () => kernelPdb(kernelFacts('10.0.19041.804')),
];

export const SYMBOL_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'pdb',
    seeds: samplePdbs,
    hot: 0x600,
    feed: feedPdb,
  },
  {
    name: 'cab',
    seeds: [
      () => makeCab({ content: samplePdb(0x8664, 2), checksums: false }),
      () => makeCab({ content: samplePdb(0x14c, 1), packing: 'stored', before: 40_000, checksums: false }),
      () => makeCab({ content: new Uint8Array(3000), reserve: [7, 3, 5], flags: 3 }),
    ],
    hot: 0x60,
    feed(input) {
      const unpacked = decompressCab(new MemorySource(input, 'fuzz.pd_'), { limit: MOST_UNPACKED });
      if (failed(unpacked)) return;
      const bytes = new Uint8Array(4096);
      for (let at = 0; at < unpacked.source.byteLength; at += 4096) unpacked.source.read(fileOffset(at), bytes);
      unpacked.source.close();
    },
  },
  {
    name: 'isf',
    seeds: [() => Buffer.from(sampleIsf())],
    words: [
      '"kind"',
      '"struct"',
      'null',
      '-1',
      '1e999',
      '{',
      '[',
      '"__proto__"',
      '9007199254740993',
      '[['.repeat(4000),
    ],
    feed(input) {
      takeFacts(readIsf(Buffer.from(input).toString('utf8')));
    },
  },
  {
    name: 'isf-packed',
    seeds: [() => gzipSync(sampleIsf()), () => makeXz(Buffer.from(sampleIsf()), { check: 'none' })],
    async feed(input, folder) {
      await feedPacked(input, folder, 'fuzz.json.gz');
      await feedPacked(input, folder, 'fuzz.json.xz');
    },
  },
  {
    name: 'profile',
    seeds: [sampleProfile],
    words: [
      'pdb ',
      'end ',
      ' - ',
      'type ',
      '_LIST_ENTRY',
      '*',
      '[999999999]',
      '#',
      '\n',
      '4294967296',
      'ffffffffffffffff',
    ],
    seal: sealProfile,
    feed(input) {
      takeFacts(readProfile(Buffer.from(input).toString('utf8')));
    },
  },
  {
    name: 'symbol-path',
    seeds: [
      'srv*C:\\sym*https://msdl.example/download/symbols;D:\\mine;cache*E:\\cache',
      'symsrv*symsrv.dll*C:\\a*\\\\server\\share*http://user:secret@[::1]:8080/x y;.;"C:\\Program Files\\sym"',
      'srv**https://example.com/a%20b;%TEMP%\\sym;~/sym;file.ptr',
    ].map((text) => () => Buffer.from(text)),
    words: [
      'srv*',
      'symsrv*',
      'cache*',
      '*',
      ';',
      'https://',
      '%',
      '\\\\',
      '@',
      '"',
      '..',
      'file:',
      'http://[',
      '*'.repeat(3000),
    ],
    feed: feedPath,
  },
];

/** Does all that can be done with a PDB. */
function feedPdb(input: Uint8Array, folder: string): void {
  const path = join(folder, 'fuzz.pdb');
  writeFileSync(path, input);
  try {
    identifyFile(path);
  } catch (error) {
    // Files that are cut or damaged are refused by an Error with one sentence.
    if (!(error instanceof Error) || error.constructor !== Error || error.message.includes('\n')) throw error;
  }
  const pdb = openPdb(new MemorySource(input, 'fuzz.pdb'));
  if (failed(pdb)) return;
  useFacts(pdbFacts(pdb, { pdbName: 'fuzz.pdb' }));
  pdb.symbols(['PoolTrackTable', 'Static', 'Public1', '_Public2@4', 'MiState']);
  for (const type of ['_LIST_ENTRY', '_POOL', '_OUTER', '<unnamed-tag>', '_KIND']) pdb.layout(type);
  pdb.enumValue('_KIND', 'many');
  for (const rva of [0, 0x1000, 0x1088, 0x6008, 0xffffffff]) pdb.nearestFunction(rva);
  pdb.bytesToNextSymbol(0x1010);
  pdb.counts();
}

/** A profile of all that the sample table holds. */
export function sampleProfile(): Uint8Array {
  const facts = readIsf(sampleIsf());
  if (failed(facts)) throw new Error(facts.message);
  return Buffer.from(makeProfile(facts));
}

async function feedPacked(input: Uint8Array, folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  writeFileSync(path, input);
  takeFacts(await readProfileFile(path, MOST_UNPACKED));
}

function takeFacts(facts: KernelFacts | Failure): void {
  if (!failed(facts)) useFacts(facts);
}

function useFacts(facts: KernelFacts): void {
  for (const name of KERNEL_SYMBOLS) facts.rva(name);
  for (const type of KERNEL_TYPES) facts.layout(type);
  makeProfile(facts);
}

function feedPath(input: Uint8Array): void {
  const text = Buffer.from(input).toString('utf8');
  for (const platform of ['win32', 'linux'] as const) {
    parseSymbolPath(text, { _NT_SYMBOL_PATH: text, TEMP: '/tmp' }, { platform, home: '/home', servers: [text] });
  }
  parsePointer(text);
}
