/** What stands in a suspect's blocks, and who was charged for them, as sentences for the report and its page. */

import type { BlockContents, Suspect } from '../../result/result.js';
import { counted, humanBytes, percent, ratio, thousands } from './format.js';

const MOST_SIZES = 3;
/** Findings that are shown of each sort. */
const MOST = { kinds: 8, pointers: 5, strings: 3 };
const MOST_PROCESSES = 5;
/** Things of a sort that blocks of a kind lead to. */
const MOST_LEADS = 2;
/** The share of the blocks looked at that must have it for a finding to be shown. */
const LEAST_SHARE = 0.5;

/** Lines under a title, and how many more there are, in words. */
export interface Findings {
  readonly title: string;
  readonly lines: readonly string[];
  readonly more: string | null;
}

interface Finding {
  readonly of: keyof typeof MOST;
  readonly text: string;
  readonly count: number;
  readonly looked: number;
}

/** What many of the blocks have in common; null where none was looked at. Texts of the dump are not made printable here. */
export function contentFindings({ contents }: Suspect): Findings | null {
  if (!contents) return null;
  const sampled = Number(contents.sampled);
  const all = findingsOf(contents, sampled);
  const common = all.filter(({ count, looked }) => looked > 0 && count >= looked * LEAST_SHARE);
  const shown = common.filter((one) => common.filter(({ of }) => of === one.of).indexOf(one) < MOST[one.of]);
  const sizes = contents.sizes
    .slice(0, MOST_SIZES)
    .map(({ bytes, count }) => `${thousands(bytes)} bytes (${counted(count, 'block')})`);
  const lines = [
    ...(sizes.length === 0 ? [] : [`commonest sizes with header, of all blocks met: ${sizes.join(', ')}`]),
    ...shown
      .filter(({ looked }) => looked === sampled)
      .map(({ text, count }) => `${text}: ${thousands(count)} (${percent(ratio(count, sampled))})`),
    ...parts(shown.filter(({ looked }) => looked !== sampled)),
  ];
  const title = `In its blocks: the content of ${counted(sampled, 'block')} was looked at`;
  const left = all.length - shown.length;
  return {
    title: lines.length === 0 ? `${title}, ${left > 0 ? 'little' : 'nothing'} in common` : title,
    lines,
    more: left === 0 ? null : `and ${counted(left, 'less common finding')}: with --json`,
  };
}

function findingsOf({ kinds, pointers, strings }: BlockContents, sampled: number): Finding[] {
  return [
    ...kinds.map(({ kind, count, looked, detail, leads }): Finding => ({
      ...{ of: 'kinds', text: kindText(kind, leadsOf(leads ?? []), detail) },
      ...{ count: Number(count), looked: Number(looked) },
    })),
    ...pointers.map(({ offset, module, moduleOffset, symbol, count }): Finding => ({
      ...{ of: 'pointers', count: Number(count), looked: sampled },
      text: `offset 0x${offset.toString(16)}: ${module}+${moduleOffset}${symbol === null ? '' : ` (${symbol})`}`,
    })),
    ...strings.flatMap(({ text, count }): Finding[] =>
      text === null ? [] : [{ of: 'strings', text: `text "${text}"`, count: Number(count), looked: sampled }],
    ),
  ];
}

/** `Irp sent to nvstor.sys (477), not sent (3)`, `list entry at offset 0x0`. */
function kindText(kind: string, leads: string | null, detail: string | null): string {
  const led = leads === null ? kind : `${kind} ${leads}`;
  return detail === null ? led : `${led}${leads === null ? ' ' : ', '}${detail}`;
}

/** `run fabsec.sys+0x1f40 (412), other.sys+0x20 (3); of watchman.exe (4321) (400)`; null for nothing. */
function leadsOf(leads: NonNullable<BlockContents['kinds'][number]['leads']>): string | null {
  const words = [...new Set(leads.map(({ how }) => how))].map((how) => {
    const names = leads.filter((lead) => lead.how === how).slice(0, MOST_LEADS);
    return `${how} ${names.map(({ name, count }) => `${name} (${thousands(count)})`).join(', ')}`;
  });
  return words.length === 0 ? null : words.join('; ');
}

/** What was looked for in a part of the blocks: how large that is, said once. */
function parts(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ looked }) => looked))].map((looked) => {
    const found = findings
      .filter((one) => one.looked === looked)
      .map(({ text, count }) => `${text} in ${count === looked ? 'all' : thousands(count)}`);
    return `followed in ${counted(looked, 'block')}: ${found.join('; ')}`;
  });
}

/** Who was charged; null for nobody. The blocks that were met, not all of the tag. */
export function billedFindings({ billed }: Suspect): Findings | null {
  if (!billed || billed.length === 0) return null;
  const more = billed.length - MOST_PROCESSES;
  return {
    title: 'Charged for the blocks that were looked at (quota)',
    lines: billed
      .slice(0, MOST_PROCESSES)
      .map(({ image, pid, bytes, blocks }) => `${image} (${pid}): ${humanBytes(bytes)} in ${counted(blocks, 'block')}`),
    more: more > 0 ? `and ${counted(more, 'more process', 'more processes')}: with --json` : null,
  };
}
