/** What the views of processes, handles and objects share: their tables, and the words for a process. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpInfo, SystemInfo, Warning } from '../../result/result.js';
import { warningLines } from '../info.js';
import { fit, heading, type Style } from '../print/style.js';

export interface Around {
  dump: DumpInfo;
  system: SystemInfo | null;
  warnings: readonly Warning[];
}

export type Column = readonly [title: string, side: 'left' | 'right'];

/** A table in columns, two blanks between them; the last one is cut to the width. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
  indent = '',
): string[] {
  const widths = columns.map(([title], i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => {
    const text = columns
      .map(([, side], i) =>
        side === 'right' ? (cells[i] ?? '').padStart(widths[i] ?? 0) : (cells[i] ?? '').padEnd(widths[i] ?? 0),
      )
      .join('  ');
    return fit(indent + text.trimEnd(), style.width, style);
  };
  return [style.paint('title', line(columns.map(([title]) => title))), ...rows.map(line)];
}

export function finish(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

export function warningPart(warnings: readonly Warning[], style: Style): string[] {
  return warnings.length === 0 ? [] : [heading('Warnings', style), ...warningLines([...warnings], style)];
}

/** `watchman.exe (pid 4324)` */
export const nameOf = ({ image, pid }: { image: string; pid: number | string }): string =>
  `${printable(image)} (pid ${String(pid)})`;
