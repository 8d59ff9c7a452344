/** What a 32-bit kernel's own facts add to its address space. */

import { failed } from '../../../parsers/bytes/failure.js';
import type { DumpHeader } from '../../../parsers/dump/header.js';
import type { X86Memory } from '../../../parsers/paging/x86.js';
import type { KernelSymbols } from '../../../symbols/kernel-symbols.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { Warning } from '../../result/result.js';

/** The address space with this kernel's way of packing addresses into prototype PTEs; with PAE there is room for them. */
export function tunedX86(space: X86Memory, symbols: KernelSymbols, build: number): X86Memory {
  if (space.options.pae) return space;
  if (kernelDoes('hasPrototypeAddresses', build)) return space.with({ options: { prototypes: 'upper-half' } });
  const variable = symbols.address('MmPagedPoolStart');
  const start = variable === null ? null : space.readU32(variable.value);
  return start === null || failed(start) || start === 0 ? space : space.with({ options: { prototypes: start } });
}

/** A warning where the header's PaeEnabled is not what the page tables are. */
export function paeDoubt(space: X86Memory, header: DumpHeader): Warning[] {
  const { pae } = space.options;
  if (header.paeEnabled === null || header.paeEnabled === pae) return [];
  return [
    {
      code: 'pae-flag-wrong',
      where: 'dump',
      message: `the header says that PAE is ${pae ? 'off' : 'on'}, but the page tables are read right only with it ${pae ? 'on' : 'off'}`,
    },
  ];
}
