/** The `dump` part of the result: what kind of dump it is and what its header says. */

import { isOfRunningSystem } from '../../parsers/dump/running-system.js';
import { hex } from '../../parsers/bytes/failure.js';
import { ATTRIBUTES, MACHINE } from '../../parsers/dump/open-dump.js';
import { TranslatedMemory } from '../../parsers/paging/translated-memory.js';
import { X86Memory } from '../../parsers/paging/x86.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { fileTimeText } from '../result/file-time.js';
import type { DumpInfo } from '../result/result.js';
import { nameBugCheck } from '../leak/bugcheck/bug-checks.js';

/** The processor's name; on x86, with PAE where the page tables (else the header, else the debugger block) show it. */
function architectureOf({ dump, kernel }: OpenedDump): DumpInfo['architecture'] {
  const { machineImageType: machine, paeEnabled } = dump.header;
  if (machine === MACHINE.AMD64) return 'x64';
  if (machine === MACHINE.ARM64) return 'arm64';
  if (machine !== MACHINE.I386) return null;
  const { memory, debuggerData } = kernel;
  const pae = memory instanceof X86Memory ? memory.options.pae : (paeEnabled ?? debuggerData?.paeEnabled ?? false);
  return pae ? 'x86-pae' : 'x86';
}

/** Describes an open dump. Opening its kernel tells the levels of paging; nothing else is read. */
export function describeDump(opened: OpenedDump): DumpInfo {
  const { dump, file } = opened;
  const { header } = dump;
  const attributes = header.attributes ?? 0;
  const { memory, debuggerData } = opened.kernel;
  const code = header.bugCheckCode;
  return {
    path: opened.path,
    fileBytes: file.fileBytes,
    container: file.container,
    format: header.signature,
    type: dump.kind,
    typeCode: header.dumpType,
    live: isOfRunningSystem(header),
    truncated: dump.truncated || file.damage !== null,
    encrypted: (attributes & ATTRIBUTES.EncryptedDumpData) !== 0,
    architecture: architectureOf(opened),
    pagingLevels: memory instanceof TranslatedMemory ? memory.levels : (debuggerData?.pagingLevels ?? null),
    directoryTableBase: header.directoryTableBase === null ? null : hex(header.directoryTableBase),
    processors: header.numberProcessors,
    pagesPresent: dump.pages === null ? null : dump.pages.pagesPresent - dump.pagesCut,
    physicalPages: header.physicalMemory?.numberOfPages ?? null,
    runs: header.physicalMemory?.runs.length ?? null,
    bugCheck:
      code === null
        ? null
        : { code: hex(code), name: nameBugCheck(code), parameters: header.bugCheckParameters.map((p) => hex(p)) },
    systemTime: fileTimeText(header.systemTime),
    upTimeSeconds: header.systemUpTime === null ? null : Number(header.systemUpTime / 1000n) / 10_000,
  };
}
