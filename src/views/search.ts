/** `s -a`: where bytes stand in memory, in the look of WinDbg; and the report of a search over all modules. */

import { hex } from '../../parsers/bytes/failure.js';
import { printable } from '../../parsers/text-safety.js';
import type { SearchResult, searchModules } from '../analysis/search.js';
import type { TagHit } from '../kernel/state.js';
import {
  SCHEMA_VERSION,
  type AnalysisResult,
  type Evidence,
  type Hex,
  type ModuleInfo,
  type Searched,
} from '../result/result.js';
import { typedTag } from '../result/tag.js';
import { counted, debuggerAddress, percent, ratio, thousands } from './print/format.js';
import { hasWideAddresses } from './print/dump-kind.js';
import { moduleLine, moduleTitle } from './modules.js';
import type { View, WrongWords } from './view.js';
import { noTag } from './words.js';

/** A place in memory and the bytes from there on: up to 16 are shown. */
export interface Hit {
  /** Virtual; a string is hexadecimal with `0x`. */
  address: bigint | string;
  bytes: Uint8Array;
}

const COLUMNS = 16;

/** `4c 65 61 6b 3b c1 0f 42-c1 41 8d 49 fd 8b d0 ff  Leak;..B.A.I....`; bytes that are not known as `??` and `?`. */
export function hexAndText(bytes: Uint8Array): string {
  let hex = '';
  let text = '';
  for (let i = 0; i < COLUMNS; i++) {
    const byte = bytes[i];
    hex += i === 0 ? '' : i === COLUMNS / 2 ? '-' : ' ';
    hex += byte === undefined ? '??' : byte.toString(16).padStart(2, '0');
    text += byte === undefined ? '?' : byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.';
  }
  return `${hex}  ${text}`;
}

/** Lines of `s -a`, each ended by a line feed. 32-bit addresses where none of the hits needs more. */
export function renderHits(hits: readonly Hit[], options: { wide?: boolean | undefined } = {}): string {
  const addresses = hits.map(({ address }) => BigInt.asUintN(64, BigInt(address)));
  const wide = options.wide ?? addresses.some((address) => address > 0xffffffffn);
  return hits.map(({ bytes }, i) => `${debuggerAddress(addresses[i] ?? 0n, wide)}  ${hexAndText(bytes)}\n`).join('');
}

/** How much of the modules a search could see: one or more plain sentences. */
export function searchedSentences(searched: Searched): string {
  const all = searched.pagesPresent + searched.pagesMissing;
  const none = searched.modules === 0 && all === 0;
  const sentences = [
    none
      ? 'No module could be searched.'
      : searched.pagesMissing === 0
        ? `${counted(searched.modules, 'module')} searched, ${counted(searched.pagesPresent, 'page')}; none of their pages was missing.`
        : `${counted(searched.modules, 'module')} searched; ${thousands(searched.pagesMissing)} of their ${counted(all, 'page')} (${percent(ratio(searched.pagesMissing, all))}) were not in the dump.`,
  ];
  const fromDisk = searched.pagesFromDisk ?? 0;
  if (fromDisk > 0) sentences.push(`Filled in from images on disk: ${counted(fromDisk, 'page')}.`);
  if (searched.notTranslatable > 0) {
    sentences.push(`Not searchable, as no page could be translated: ${counted(searched.notTranslatable, 'module')}.`);
  }
  return sentences.join(' ');
}

/** What `dumpleak search` found. */
export interface SearchReport extends Pick<AnalysisResult, 'dump' | 'system'> {
  /** What was looked for, as the user wrote it: `"Leak"`, `4c 65 61 6b`. */
  pattern: string;
  modules: readonly ModuleInfo[];
  /** `module` is an index into `modules`; in order of module and address. */
  hits: readonly (Hit & Pick<TagHit, 'module' | 'arm64'>)[];
  searched: Searched;
}

/** ARM64: at which places the bytes shown are not the tag's own but instructions that build it. */
function halves(hits: SearchReport['hits'], wide: boolean): string {
  return hits
    .map(({ address, arm64 }) => {
      if (!arm64?.pair) return '';
      const [first, second] = [BigInt(address), arm64.pair.second].map((at) => debuggerAddress(at, wide));
      return `built in two halves: MOVZ at ${first ?? ''}, MOVK at ${second ?? ''}\n`;
    })
    .join('');
}

/** The report of `dumpleak search`: hits by module, each under its `lm` line, then what could not be searched. */
export function renderSearch(report: SearchReport): string {
  const { hits, modules, searched } = report;
  const wide = hasWideAddresses(report);
  const groups = new Map<number, (typeof hits)[number][]>();
  for (const hit of hits) {
    const group = groups.get(hit.module);
    if (group === undefined) groups.set(hit.module, [hit]);
    else group.push(hit);
  }
  const blocks = [...groups].map(([index, group]) => {
    const module = modules[index];
    const line = module === undefined ? 'not in a known module' : moduleLine(module, report.system, wide);
    return `${line}\n${renderHits(group, { wide })}${halves(group, wide)}`;
  });
  const pattern = printable(report.pattern);
  const title =
    hits.length === 0
      ? `${pattern}: no hit`
      : `${pattern}: ${counted(hits.length, 'hit')} in ${counted(groups.size, 'module')}`;
  const missing = searched.pagesMissing > 0 || searched.notTranslatable > 0;
  const end = `${searchedSentences(searched)}${missing ? ' What is missing may hold more.' : ''}\n`;
  return [`${title}\n`, ...(blocks.length > 0 ? [`${moduleTitle(wide)}\n${blocks.join('\n')}`] : []), end].join('\n');
}

/** A place where the bytes stand, as `search --json` has it. */
export interface SearchHit extends Pick<Evidence, 'address' | 'bytes' | 'ascii' | 'section' | 'executable'> {
  module: string;
  /** From the module's base. */
  offset: Hex;
  /** The tag stands there with the PROTECTED_POOL bit. */
  protected: boolean;
  /** ARM64: two instructions build the tag, and this is where the second stands; else null. */
  secondHalf: Hex | null;
}

/** What `search --json` writes. */
export function searchPart(found: SearchResult, pattern: string): object {
  const { dump, system, searched, warnings } = found;
  const hits = found.hits.map((hit): SearchHit => {
    const bytes = Buffer.from(hit.bytes);
    return {
      module: found.modules[hit.module]?.name ?? '',
      address: hex(hit.address),
      offset: hex(hit.offset),
      bytes: bytes.toString('hex').replace(/..(?=.)/g, '$& '),
      ascii: bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.'),
      section: hit.section,
      executable: hit.executable,
      protected: hit.protectedBit,
      secondHalf: hit.arm64?.pair ? hex(hit.arm64.pair.second) : null,
    };
  });
  return { schemaVersion: SCHEMA_VERSION, dump, system, search: { pattern, hits, searched }, warnings };
}

/** What to look for, and how the user wrote it. */
export interface SearchWanted {
  what: Parameters<typeof searchModules>[1];
  pattern: string;
}

/** A tag: up to four characters, or `0x` and its number; found with the protected bit too. */
export function wantedTag(text: string): SearchWanted | WrongWords {
  const key = typedTag(text);
  return key === null ? { error: noTag(text) } : { what: { tag: key }, pattern: `"${text}"` };
}

/** Bytes in hexadecimal, with blanks, commas, hyphens and `0x` between them or without. */
export function wantedBytes(text: string): SearchWanted | WrongWords {
  const digits = text.replace(/0x|[\s,-]/gi, '');
  return /^(?:[0-9a-f]{2})+$/i.test(digits)
    ? { what: { bytes: Buffer.from(digits, 'hex') }, pattern: digits.toLowerCase().replace(/..(?=.)/g, '$& ') }
    : { error: `${text}: two hexadecimal digits a byte, as in 4c65616b` };
}

/** `-a @#Base @#End "Leak"`, `-b @#Base @#End 4c 65 61 6b`. */
function parseSearch([option, from, to, ...what]: readonly string[]): SearchWanted | WrongWords {
  const text = what.join(' ');
  const inAll = from?.toLowerCase() === '@#base' && to?.toLowerCase() === '@#end';
  if (inAll && option === '-b') return wantedBytes(text);
  const quoted = /^"([\x20-\x7e]+)"$/.exec(text)?.[1];
  if (inAll && option === '-a' && quoted !== undefined) return { what: { bytes: Buffer.from(quoted) }, pattern: text };
  return { error: 'of !for_each_module there is s -a @#Base @#End "text", and s -b @#Base @#End with bytes' };
}

export const search: View<SearchWanted, SearchResult> = {
  command: '!for_each_module',
  shell: 'search MEMORY.DMP TAG',
  words: ([first, ...words]) => parseSearch(first === 's' ? words : []),
  read: async ({ opened, progress }, { what }) => {
    const { searchModules: run } = await import('../analysis/search.js');
    return run(opened, what, progress);
  },
  text: (found, { pattern }) => renderSearch({ ...found, pattern }),
  json: (found, { pattern }) => searchPart(found, pattern),
};
