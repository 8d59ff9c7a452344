/** The lines of `vertarget`, `.bugcheck` and `.time`. */

import { MACHINE } from '../../../parsers/dump/open-dump.js';
import { printable } from '../../../parsers/text-safety.js';
import { kernelDoes } from '../../../symbols/generations.js';
import { readSystem, releaseName } from '../../analysis/system-info.js';
import { fileTimeText } from '../../result/file-time.js';
import { clockText, upTimeText } from '../../views/print/clock.js';
import { NOT_KNOWN } from '../../views/print/format.js';
import type { Session } from '../session.js';

/** `Debug session time:` and `System Uptime:`. */
export function timeLines({ opened }: Session): string {
  const { systemTime, systemUpTime } = opened.dump.header;
  const text = fileTimeText(systemTime);
  const when = text === null ? NOT_KNOWN : `${clockText(new Date(text), true)} (UTC + 0:00)`;
  const up = systemUpTime === null ? 'not available' : upTimeText(systemUpTime);
  return `Debug session time: ${when}\nSystem Uptime: ${up}\n`;
}

/** `Bugcheck code`, `Arguments`. */
export function bugCheckLines(session: Session): string {
  const { bugCheckCode, bugCheckParameters } = session.opened.dump.header;
  const parameters = [0, 1, 2, 3].map((i) => session.show(bugCheckParameters[i] ?? 0n));
  const code = (bugCheckCode ?? 0).toString(16).toUpperCase().padStart(8, '0');
  return `Bugcheck code ${code}\nArguments ${parameters.join(' ')}\n`;
}

const MACHINES: Readonly<Record<number, string>> = {
  [MACHINE.I386]: 'x86 compatible',
  [MACHINE.AMD64]: 'x64',
  [MACHINE.ARM64]: 'ARM 64-bit (AArch64)',
};
const PRODUCTS: Readonly<Record<number, string>> = { 1: 'WinNt', 2: 'LanManNt', 3: 'Server' };
/** Bits of SuiteMask, by the names that the debugger prints. */
const SUITES: readonly (readonly [number, string])[] = [
  [0x1, 'SmallBusiness'],
  [0x2, 'Enterprise'],
  [0x4, 'BackOffice'],
  [0x8, 'CommunicationServer'],
  [0x10, 'TerminalServer'],
  [0x20, 'SmallBusinessRestricted'],
  [0x40, 'EmbeddedNT'],
  [0x80, 'DataCenter'],
  [0x100, 'SingleUserTS'],
  [0x200, 'Personal'],
  [0x400, 'Blade'],
];

/** The lines of `vertarget`. What the dump does not hold says `n/a`. */
export function targetLines(session: Session): string {
  const { header } = session.opened.dump;
  const { kernel } = session.opened;
  const system = readSystem(kernel);
  const build = header.minorVersion;
  const processors = header.numberProcessors ?? 0;
  const isServer = header.productType !== null && header.productType !== 1;
  const name = (build === null ? null : releaseName(build, isServer)) ?? 'Windows';
  const many = processors > 1 ? `MP (${processors} procs)` : 'UP';
  const kind = header.majorVersion === 0xc ? 'Checked' : 'Free';
  const machine = MACHINES[header.machineImageType ?? 0] ?? NOT_KNOWN;
  const suites = SUITES.filter(([bit]) => ((header.suiteMask ?? 0) & bit) !== 0).map(([, word]) => word);
  const product = PRODUCTS[header.productType ?? 0];
  const hex = (address: bigint | null): string => (address === null ? NOT_KNOWN : `0x${session.show(address)}`);
  const list = kernel.symbols?.address('PsLoadedModuleList')?.value ?? header.psLoadedModuleList;
  return [
    `${name} Kernel Version ${build ?? NOT_KNOWN} ${many} ${kind} ${machine}`,
    ...(product === undefined
      ? []
      : [`Product: ${product}${suites.length === 0 ? '' : `, suite: ${suites.join(' ')}`}`]),
    `${kernelDoes('hasEditionBuildLab', build ?? 0) ? 'Edition build lab' : 'Built by'}: ${printable(system.buildLab ?? NOT_KNOWN)}`,
    `Machine Name: ${system.machineName === null ? NOT_KNOWN : `"${printable(system.machineName)}"`}`,
    `Kernel base = ${hex(kernel.image?.base ?? null)} PsLoadedModuleList = ${hex(list)}`,
    timeLines(session).trimEnd(),
    '',
  ].join('\n');
}
