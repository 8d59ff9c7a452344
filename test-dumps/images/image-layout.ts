/** Section tables: how the pages of a driver and of ntoskrnl.exe divide into code, data, pageable code and the rest. */

import type { KernelFacts } from '../kernel-facts.js';
import { CODE, DISCARD_DATA, INIT_CODE, PAGED_CODE, READ_DATA, WRITE_DATA, type Section } from './pe-image.js';
import { PAGE } from '../physical-memory.js';

function lay(parts: readonly [name: string, pages: number, characteristics: number][]): Section[] {
  const sections: Section[] = [];
  let rva = PAGE;
  for (const [name, pages, characteristics] of parts) {
    if (pages <= 0) continue;
    sections.push({ name, rva, size: pages * PAGE, characteristics });
    rva += pages * PAGE;
  }
  return sections;
}

/** Sections of a driver of `pages` pages, the header page included. Seven pages and more have all of them. */
export function driverSections(pages: number): Section[] {
  const rest = pages - 1;
  if (rest < 6) {
    const names: [string, number, number][] = [
      ['.text', 1, CODE],
      ['.rdata', 1, READ_DATA],
      ['.data', 1, WRITE_DATA],
      ['INIT', 1, INIT_CODE],
      ['.rsrc', 1, READ_DATA],
    ];
    return lay(names.slice(0, rest));
  }
  const share = (part: number): number => Math.max(1, Math.floor(rest * part));
  const rdata = share(0.1);
  const data = share(0.08);
  const paged = rest < 10 ? 0 : share(0.28);
  const init = share(0.03);
  const reloc = rest < 12 ? 0 : 1;
  const text = rest - rdata - data - paged - init - reloc - 1;
  return lay([
    ['.text', text, CODE],
    ['.rdata', rdata, READ_DATA],
    ['.data', data, WRITE_DATA],
    ['PAGE', paged, PAGED_CODE],
    ['INIT', init, INIT_CODE],
    ['.rsrc', 1, READ_DATA],
    ['.reloc', reloc, DISCARD_DATA],
  ]);
}

/** Bytes of a kernel image whose real size no table gives: its last known symbol and some room for what follows. */
export function kernelImageSize(kernel: KernelFacts): number {
  if (kernel.sizeOfImage !== null) return kernel.sizeOfImage;
  return (Math.ceil(kernel.lastRva / PAGE) + 0x9f) * PAGE;
}

/** Constants, which stand among the code, and Driver Verifier's variables in their own pageable section. */
const OUTSIDE_DATA = new Set([
  'NtBuildLab', 'NtBuildLabEx', 'NtBuildNumber', 'MmSystemRangeStart', 'MmHighestUserAddress',
  'VfPoolTraces', 'VfPoolTracesIndex', 'VfPoolTracesLength',
]); // prettier-ignore

/**
 * Sections of ntoskrnl.exe: `.rdata` first with the debug directory, then `.text`, one `.data` over every global that is
 * written while the system runs, then pageable code, exports, resources.
 */
export function kernelSections(kernel: KernelFacts): Section[] {
  const rvas = Object.entries(kernel.rva).filter(([name]) => !OUTSIDE_DATA.has(name));
  const first = Math.floor(Math.min(...rvas.map(([, rva]) => rva)) / PAGE);
  // The largest array past the last symbol: 2048 pointers.
  const last = Math.ceil(Math.max(...rvas.map(([, rva]) => rva)) / PAGE) + 5;
  const pages = kernelImageSize(kernel) / PAGE;
  const left = pages - last - 6;
  return lay([
    ['.rdata', 1, READ_DATA],
    ['.text', first - 2, CODE],
    ['.data', last - first, WRITE_DATA],
    ['PAGE', Math.floor(left * 0.9), PAGED_CODE],
    ['INIT', left - Math.floor(left * 0.9), INIT_CODE],
    ['.edata', 2, READ_DATA],
    ['.rsrc', 2, READ_DATA],
    ['.reloc', 2, DISCARD_DATA],
  ]);
}
