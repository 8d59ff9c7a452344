/**
 * Structure layouts of real kernels, each kept once in `layouts.txt`, and which kernel has which, in `layout-sets.txt`;
 * those of 32-bit kernels in `layouts-x86.txt` and `layout-sets-x86.txt`.
 *
 * `layouts.txt` is a table per type: the type's name, a line of columns (`Key:i32`), then one line a layout: the size and the
 * offset of every column in hex, `-` where this layout lacks the field, trailing `-` left out. A layout's number is its place.
 * `layout-sets.txt` has a line of types and then a line a set: its name and the number of the layout of each type.
 */

import type { FieldLayout, StructLayout } from '../../parsers/kernel/layout.js';
import { findLine, readDataFile, readDataLines, type DataRoom } from './data-files.js';

interface TypeTable {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly string[];
}

/** Processors that there are tables for. */
export type LayoutArchitecture = 'x64' | 'x86';

/** The layouts of one architecture's kernels. */
export class LayoutTable {
  private readonly scalars = new Map<string, string>();
  private typeStart: Map<string, number> | undefined;
  private lines: readonly string[] = [];
  private readonly tables = new Map<string, TypeTable>();
  private readonly layouts = new Map<string, StructLayout>();
  private typeColumn: Map<string, number> | undefined;

  /** `suffix` of the two file names. */
  constructor(
    private readonly suffix: string,
    private readonly room: DataRoom = 'profiles',
  ) {}

  inSet(set: string, type: string): StructLayout | null {
    const column = this.columnOfType(type);
    if (column === undefined) return null;
    const number = findLine(readDataFile(`layout-sets${this.suffix}.txt`, this.room), set)?.[column];
    return number === undefined || number === '-' ? null : this.byNumber(type, number);
  }

  /** The names of sets that are versions. */
  versions(): readonly string[] {
    return readDataLines(`layout-sets${this.suffix}.txt`, this.room)
      .map((line) => line.slice(0, line.indexOf(' ')))
      .filter((name) => /^\d/.test(name));
  }

  /** `*u64[2]` as the published tables spell it: `*unsigned long long[2]`. */
  private spell(type: string): string {
    return type.replace(
      /^(\**)([iu]\d\d?)(?=$|[[:])/,
      (_, stars: string, short: string) => stars + (this.scalars.get(short) ?? short),
    );
  }

  private startOfType(type: string): number | undefined {
    if (this.typeStart === undefined) {
      const starts = new Map<string, number>();
      this.lines = readDataLines(`layouts${this.suffix}.txt`, this.room);
      this.lines.forEach((line, i) => {
        if (line.startsWith('= ')) {
          const [, short = '', ...long] = line.split(' ');
          this.scalars.set(short, long.join(' '));
        } else if (this.lines[i - 1] === '' && line !== '') starts.set(line, i);
      });
      this.typeStart = starts;
    }
    return this.typeStart.get(type);
  }

  private tableOf(type: string): TypeTable | null {
    const known = this.tables.get(type);
    if (known !== undefined) return known;
    const start = this.startOfType(type);
    if (start === undefined) return null;
    const columns = (this.lines[start + 1] ?? '').split(' ').map((column) => {
      const colon = column.indexOf(':');
      return { name: column.slice(0, colon), type: this.spell(column.slice(colon + 1)) };
    });
    const end = this.lines.indexOf('', start);
    const made = { columns, rows: this.lines.slice(start + 2, end < 0 ? undefined : end) };
    this.tables.set(type, made);
    return made;
  }

  private byNumber(type: string, number: string): StructLayout | null {
    const key = `${type} ${number}`;
    const known = this.layouts.get(key);
    if (known !== undefined) return known;
    const table = this.tableOf(type);
    const row = table?.rows[Number(number)]?.split(' ');
    if (table === null || row === undefined) return null;
    const fields: Record<string, FieldLayout> = {};
    table.columns.forEach((column, i) => {
      const offset = row[i + 1];
      if (offset !== undefined && offset !== '-')
        fields[column.name] = { offset: parseInt(offset, 16), type: column.type };
    });
    const layout = { name: type, size: parseInt(row[0] ?? '', 16), fields };
    this.layouts.set(key, layout);
    return layout;
  }

  private columnOfType(type: string): number | undefined {
    if (this.typeColumn === undefined) {
      const types = readDataLines(`layout-sets${this.suffix}.txt`, this.room)[0] ?? '';
      this.typeColumn = new Map(types.split(' ').map((name, i) => [name, i + 1]));
    }
    return this.typeColumn.get(type);
  }
}

const TABLES: Readonly<Record<LayoutArchitecture, LayoutTable>> = {
  x64: new LayoutTable(''),
  x86: new LayoutTable('-x86'),
};

/** The layout of `type` in a layout set (`s12`) or in a version known by its layouts alone (`10.0.17134.1`), or `null`. */
export function layoutInSet(set: string, type: string, architecture: LayoutArchitecture = 'x64'): StructLayout | null {
  return TABLES[architecture].inSet(set, type);
}

/** The versions that no profile covers; no profile is of a 32-bit kernel. */
export function versionsWithoutProfile(architecture: LayoutArchitecture = 'x64'): readonly string[] {
  return TABLES[architecture].versions();
}
