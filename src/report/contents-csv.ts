/** Rows of the CSV tables that tell what stands in blocks of suspects, and who was charged for them. */

import type { Suspect } from '../result/result.js';
import type { CsvValue } from './csv-cell.js';

export const CONTENT_COLUMNS = [
  ...['suspect', 'tag', 'pool', 'finding', 'what', 'count', 'looked', 'bytes', 'offset'],
  ...['module', 'moduleOffset', 'symbol', 'leads', 'detail'],
] as const;

export const BILLED_COLUMNS = ['suspect', 'tag', 'pool', 'pid', 'image', 'bytes', 'blocks'] as const;

type Finding = Partial<Record<(typeof CONTENT_COLUMNS)[number], CsvValue>>;

/** One row a finding: sizes, what the blocks are, pointers, texts. `looked` of sizes is not told: they are of all blocks met. */
export function contentRows({ tag, pool, contents }: Suspect, index: number): CsvValue[][] {
  if (!contents) return [];
  const { sampled } = contents;
  const findings: Finding[] = [
    ...contents.sizes.map(({ bytes, count }): Finding => ({ finding: 'size', bytes, count })),
    ...contents.kinds.map(({ kind, count, looked, detail, leads }): Finding => ({
      ...{ finding: 'kind', what: kind, count, looked, detail },
      leads: (leads ?? []).map(({ how, name, count: led }) => `${how} ${name} (${led})`).join('; '),
    })),
    ...contents.pointers.map((pointer): Finding => ({ finding: 'pointer', looked: sampled, ...pointer })),
    ...contents.strings.map(({ text, count }): Finding => ({ finding: 'text', what: text, count, looked: sampled })),
  ];
  return findings.map((finding) => {
    const row: Finding = { suspect: index + 1, tag, pool, ...finding };
    return CONTENT_COLUMNS.map((column) => row[column] ?? null);
  });
}

/** One row a process that was charged. */
export function billedRows({ tag, pool, billed }: Suspect, index: number): CsvValue[][] {
  return (billed ?? []).map(({ pid, image, bytes, blocks }) => [index + 1, tag, pool, pid, image, bytes, blocks]);
}
