/** The two lines that poolmon writes above its table: memory, commitment and the size of the pools. */

/** The lines above a table, in bytes. Null where the line is missing or cannot be read. */
export interface PoolmonHeader {
  memoryBytes: number | null;
  availableBytes: number | null;
  /** Since boot in `-n` files, since the last refresh on screen. A 32-bit counter. */
  pageFaults: number | null;
  /** Kernel code and paged pool that are resident. */
  residentKernelBytes: number | null;
  residentPagedBytes: number | null;
  commitBytes: number | null;
  commitLimitBytes: number | null;
  commitPeakBytes: number | null;
  nonPagedPoolBytes: number | null;
  pagedPoolBytes: number | null;
}

/** A header of which nothing is known. */
export function emptyHeader(): PoolmonHeader {
  return {
    memoryBytes: null,
    availableBytes: null,
    pageFaults: null,
    residentKernelBytes: null,
    residentPagedBytes: null,
    commitBytes: null,
    commitLimitBytes: null,
    commitPeakBytes: null,
    nonPagedPoolBytes: null,
    pagedPoolBytes: null,
  };
}

/** Takes the figures of ` Memory: ... Avail: ... PageFlts: ... InRam Krnl: ... P: ...` into the header. */
export function readMemoryLine(line: string, header: PoolmonHeader): void {
  header.memoryBytes = kilobytes(line, /Memory:/);
  header.availableBytes = kilobytes(line, /Avail:/);
  header.pageFaults = amount(line, /PageFlts:/, 1);
  header.residentKernelBytes = kilobytes(line, /Krnl:/);
  header.residentPagedBytes = kilobytes(line, / P:/);
}

/** Takes the figures of ` Commit: ... Limit: ... Peak: ... Pool N: ... P: ...` into the header. */
export function readCommitLine(line: string, header: PoolmonHeader): void {
  header.commitBytes = kilobytes(line, /Commit:/);
  header.commitLimitBytes = kilobytes(line, /Limit:/);
  header.commitPeakBytes = kilobytes(line, /Peak:/);
  header.nonPagedPoolBytes = kilobytes(line, / N:/);
  header.pagedPoolBytes = kilobytes(line, / P:/);
}

const kilobytes = (line: string, label: RegExp): number | null => amount(line, label, 1024);

/** The number behind a label; its groups of digits may be separated. */
function amount(line: string, label: RegExp, unit: number): number | null {
  const found = new RegExp(`${label.source}\\s*(\\d{1,20}(?:[.,'\u00a0\u00ff]\\d{3})*)`).exec(line);
  return found?.[1] === undefined ? null : Number(found[1].replace(/\D/g, '')) * unit;
}
