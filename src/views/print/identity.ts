/** What a dump is: kind, system, time, bug check. Used by `info` and at the end of `analyze`. */

import { printable } from '../../../parsers/text-safety.js';
import type { BugCheck, DumpInfo, SystemInfo } from '../../result/result.js';
import { counted, duration, humanBytes, NOT_KNOWN, ratio, percent, thousands, utc } from './format.js';
import { dumpKind } from './dump-kind.js';

type Pair = readonly [string, string];

/** The last part of a Windows or POSIX path. */
export function baseName(path: string): string {
  return printable(path.split(/[\\/]/).findLast((part) => part !== '') ?? path);
}

/** `0xe2 MANUALLY_INITIATED_CRASH (0x0, 0x0, 0x0, 0x0)`. */
export function bugCheckText(bugCheck: BugCheck): string {
  const name = bugCheck.name === null ? '' : ` ${printable(bugCheck.name)}`;
  const parameters = bugCheck.parameters.map(printable).join(', ');
  return `${printable(bugCheck.code)}${name}${parameters === '' ? '' : ` (${parameters})`}`;
}

/** `Windows Server 2008 R2, build 7601`; as much of it as is known; null where nothing is. */
export function systemName(system: SystemInfo | null): string | null {
  if (system === null) return null;
  const parts = [
    system.name === null ? null : printable(system.name),
    system.version === null
      ? system.buildNumber === null
        ? null
        : `build ${system.buildNumber}`
      : printable(system.version),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(', ');
}

function kindText(dump: DumpInfo): string {
  const marks = [
    dump.typeCode === null ? null : `type ${dump.typeCode}`,
    dump.truncated ? 'TRUNCATED' : null,
    dump.encrypted ? 'ENCRYPTED' : null,
  ].filter((mark) => mark !== null);
  return `${dumpKind(dump)}, ${[dump.format, ...marks].join(', ')}`;
}

function pagesText(dump: DumpInfo): string | null {
  if (dump.pagesPresent === null && dump.physicalPages === null) return null;
  if (dump.type === 'header' && dump.physicalPages !== null)
    return `no memory; the machine had ${counted(dump.physicalPages, 'page')} of it`;
  if (dump.pagesPresent === null)
    return `${counted(dump.physicalPages ?? 0, 'page')} of memory; how many are here is not known`;
  if (dump.physicalPages === null) return counted(dump.pagesPresent, 'page');
  const share = percent(ratio(dump.pagesPresent, dump.physicalPages));
  return `${thousands(dump.pagesPresent)} of ${counted(dump.physicalPages, 'page')} of memory (${share})`;
}

function processorText(dump: DumpInfo): string {
  const parts = [
    dump.architecture,
    dump.processors === null ? null : counted(dump.processors, 'processor'),
    dump.pagingLevels === null ? null : counted(dump.pagingLevels, 'paging level'),
  ].filter((part) => part !== null);
  return parts.length === 0 ? NOT_KNOWN : parts.join(', ');
}

/** The file: path, size, kind, how much memory it holds. */
export function fileRows(dump: DumpInfo): Pair[] {
  const pages = pagesText(dump);
  const container = dump.container === null ? '' : `, compressed (${printable(dump.container)})`;
  return [
    ['File', printable(dump.path)],
    ['Size', `${humanBytes(dump.fileBytes)} (${thousands(dump.fileBytes)} bytes)${container}`],
    ['Kind', kindText(dump)],
    ...(pages === null ? [] : [['Holds', pages] as const]),
  ];
}

const PRODUCTS = { workstation: 'workstation', 'domain-controller': 'domain controller', server: 'server' } as const;

/** The system that was dumped. Rows of which nothing is known are left out, but for those that a reader looks for. */
export function systemRows(dump: DumpInfo, system: SystemInfo | null): Pair[] {
  const rows: Pair[] = [['Windows', systemName(system) ?? NOT_KNOWN]];
  if (system?.productType) rows.push(['Product', PRODUCTS[system.productType]]);
  if (system?.buildLab) rows.push(['Build lab', printable(system.buildLab)]);
  if (system?.machineName) rows.push(['Computer', printable(system.machineName)]);
  rows.push(
    ['Processor', processorText(dump)],
    ['Time', utc(dump.systemTime === null ? null : printable(dump.systemTime))],
  );
  rows.push(['Up for', duration(dump.upTimeSeconds)]);
  if (system !== null) {
    const pdb = system.kernelPdb;
    const base = system.kernelBase === null ? '' : ` at ${printable(system.kernelBase)}`;
    rows.push([
      'Kernel',
      pdb === null
        ? `PDB identity not known${base}`
        : `${printable(pdb.name)} ${printable(pdb.guid)} age ${pdb.age}${base}`,
    ]);
    const symbols = system.symbols;
    rows.push(['Symbols', symbols === null ? NOT_KNOWN : `${printable(symbols.source)}: ${printable(symbols.detail)}`]);
  }
  return rows;
}
