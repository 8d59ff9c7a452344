/** What llvm-pdbutil says of a PDB, to compare with. */

import { spawnSync } from 'node:child_process';

function dump(tool: string, file: string, what: string): string {
  const run = spawnSync(tool, ['dump', what, file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${tool} dump ${what} ${file}: ${run.stderr}`);
  return run.stdout;
}

/** Name and RVA of each public symbol that stands in a section. */
export function publicsOf(tool: string, file: string): { name: string; rva: number; isFunction: boolean }[] {
  const starts = [...dump(tool, file, '--section-headers').matchAll(/^\s+([0-9A-F]+) virtual address$/gm)].map((m) =>
    parseInt(m[1] ?? '', 16),
  );
  const records = dump(tool, file, '--publics').matchAll(
    /S_PUB32 \[size = \d+\] `(.*)`\n\s+flags = (.*), addr = (\d+):(\d+)/g,
  );
  return [...records].flatMap(([, name = '', flags = '', segment, offset]) => {
    const start = starts[Number(segment) - 1];
    return start === undefined ? [] : [{ name, rva: start + Number(offset), isFunction: flags.includes('function') }];
  });
}

/** A structure as llvm-pdbutil shows it: bytes, and the offsets of the members that it declares itself. */
export interface DumpedStruct {
  readonly name: string;
  readonly size: number;
  /** `name@offset` in the order of the file. */
  readonly members: readonly string[];
}

/** Every structure and union that has a definition. */
export function structsOf(tool: string, file: string): DumpedStruct[] {
  const lists = new Map<string, string[]>();
  const structs: DumpedStruct[] = [];
  for (const record of dump(tool, file, '--types').split(/\n(?= {2}0x[0-9A-F]+ \| )/)) {
    const [, index = '', kind = ''] = /^\s+(0x[0-9A-F]+) \| (LF_\w+)/.exec(record) ?? [];
    if (kind === 'LF_FIELDLIST') {
      const members = record.matchAll(/LF_MEMBER \[name = `(.*)`, Type = .*, offset = (\d+), attrs/g);
      lists.set(
        index,
        [...members].map(([, name, offset]) => `${name}@${offset}`),
      );
    }
    if (!/^LF_(?:STRUCTURE|CLASS|UNION)$/.test(kind) || record.includes('forward ref')) continue;
    const [, name = ''] = /`(.*)`/.exec(record) ?? [];
    const [, size = ''] = /sizeof (\d+)/.exec(record) ?? [];
    const [, list = ''] = /field list: (0x[0-9A-F]+)/.exec(record) ?? [];
    structs.push({ name, size: Number(size), members: lists.get(list) ?? [] });
  }
  return structs;
}
