/** The end of `dumpleak analyze`: the same findings as the debugger's commands show them. */

import { printable } from '../../../parsers/text-safety.js';
import { kindFacts } from '../../result/evidence-kinds.js';
import type { AnalysisResult, Evidence, Suspect } from '../../result/result.js';
import { debuggerAddress, parseHex } from '../../views/print/format.js';
import { evidenceBytes, moduleOf, shownSuspects } from './analyze-suspects.js';
import { hasWideAddresses } from '../../views/print/dump-kind.js';
import { modules } from '../../views/modules.js';
import { POOL_USED } from '../../views/poolused-words.js';
import { poolUsed } from '../../views/poolused.js';
import { renderHits } from '../../views/search.js';
import type { Style } from '../../views/print/style.js';
import { isWrong, type View } from '../../views/view.js';
import { vm } from '../../views/vm.js';

/** Rows of `!poolused` when nobody asked for a number. */
const DEFAULT_TOP = 5;
/** As many as `/t` takes. */
const MOST_ROWS = 999_999_999;

/** A line of the debugger and what the view prints for it. */
function shown<Wanted, Result>(view: View<Wanted, Result>, words: string, result: Result, style: Style): string[] {
  const wanted = view.words(words.split(' '));
  if (isWrong(wanted)) throw new Error(wanted.error);
  return block(`${view.command} ${words}`, view.text(result, wanted), style);
}

/** A command and what it prints. */
function block(command: string, output: string, style: Style): string[] {
  return [style.paint('dim', `kd> ${command}`), ...output.replace(/\n+$/, '').split('\n')];
}

/** The search for a tag's bytes as a command: by text, or by values where the tag cannot be typed. */
function searchCommand(tag: string, hex: string | null, range: string): string {
  const key = Number(parseHex(hex) ?? -1n);
  const bytes = [0, 8, 16, 24].map((shift) => (key >>> shift) & 0xff);
  const typeable = key < 0 || bytes.every((byte) => byte >= 0x20 && byte <= 0x7e && byte !== 0x22);
  return typeable
    ? `s -a ${range} "${printable(tag)}"`
    : `s -b ${range} ${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`;
}

function hitOf(evidence: Evidence): { address: bigint; bytes: Uint8Array } | null {
  const address = parseHex(evidence.address);
  return address === null || evidence.bytes === null || !kindFacts(evidence.kind).isTagBytes
    ? null
    : { address, bytes: evidenceBytes(evidence) };
}

/** The best driver of a suspect: where the tag stands in it, and which module that is. */
function driverBlocks(result: AnalysisResult, suspect: Suspect, style: Style): string[][] {
  const driver = suspect.drivers[0];
  const module = driver === undefined ? null : moduleOf(result, driver);
  if (driver === undefined || module === null) return [];
  const wide = hasWideAddresses(result);
  const hits = driver.evidence.map(hitOf).filter((hit) => hit !== null);
  hits.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const [base, end] = [parseHex(module.base), parseHex(module.end)];
  const range = base === null || end === null ? '' : `${debuggerAddress(base, wide)} ${debuggerAddress(end, wide)}`;
  const hex = suspect.key ?? null;
  const inside = hits[0]?.address ?? base;
  const blocks: string[][] = [];
  if (hits.length > 0 && range !== '') {
    blocks.push(block(searchCommand(suspect.tag, hex, range), renderHits(hits, { wide }), style));
  }
  if (inside !== null && range !== '') {
    // The driver's line alone: modules that lie about their place may overlap.
    blocks.push(
      shown(modules, `a ${inside.toString(16)}`, { ...result, modules: [module], unloadedModules: [] }, style),
    );
  }
  return blocks;
}

/** Sections in the debugger's look; none for a dump without figures and suspects. */
export function debuggerSections(result: AnalysisResult, top: number | undefined, style: Style): string[][] {
  const suspects = shownSuspects(result);
  const rows = Math.min(Math.max(1, Math.trunc(top ?? DEFAULT_TOP)), MOST_ROWS);
  const sections: string[][] = [];
  if (result.memory !== null) sections.push(shown(vm, '1', result, style));
  if (result.poolTags !== null) {
    const pools = new Set(suspects.map(({ pool }) => pool));
    if (pools.size === 0) pools.add('nonpaged');
    for (const pool of pools) {
      const flags = pool === 'nonpaged' ? POOL_USED.sortNonPaged : POOL_USED.sortPaged;
      sections.push(shown(poolUsed, `/t${rows} ${flags}`, result, style));
    }
  }
  return [...sections, ...suspects.flatMap((suspect) => driverBlocks(result, suspect, style))];
}
