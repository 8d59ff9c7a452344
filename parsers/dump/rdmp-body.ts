/**
 * RDMP bodies: what a debugger's own `.dump` writes (types 8 kernel, 9 kernel and user, 0xA complete). After a marker
 * and two sizes stand records of page runs; the pages follow in their order. The format is known from one public
 * implementation (reference: kernel-structures section 2.3), so everything is checked before it is believed.
 */

import { fileOffset, PAGE_SIZE } from '../addresses.js';
import { hex, Failure } from '../bytes/failure.js';
import { safe64, u32 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';
import type { SoftError } from './page-index.js';
import { isOrdered, RunIndex } from './run-index.js';

const MARKER = 0x40;
const RDMP = 0x504d4452;
const DUMP = 0x504d5544;
/** Bytes from the body's start to the first record. */
const RECORDS_AT = 0x30;
const RECORD_SIZE = 16;
/** More runs than this no dump has: every page of 16 GB in a run of its own. */
const MOST_RECORDS = 1 << 22;
/** Runs out of order cost more to sort out; the debugger writes them in order. */
const MOST_UNORDERED = 1 << 18;
const HIGHEST_PAGE = 2 ** 40;
const BLOCK = 64 * 1024;
const COMPLETE = 10;

/** An RDMP body that was recognised. */
export interface RdmpBody {
  readonly index: RunIndex;
  /** File offset of the byte after the last page. */
  readonly end: number;
  readonly softErrors: readonly SoftError[];
}

/**
 * Reads the body at `bodyOffset` (a file offset). Null where none stands; `corrupt` where one begins whose sizes cannot
 * be true.
 */
export function readRdmpBody(
  source: ByteSource,
  bodyOffset: number,
  dumpType: number | null,
): RdmpBody | Failure | null {
  const head = new Uint8Array(RECORDS_AT);
  const read = source.read(fileOffset(bodyOffset), head);
  if (read < 12 || u32(head, 0) !== MARKER || u32(head, 4) !== RDMP || u32(head, 8) !== DUMP) return null;
  const metadata = safe64(head, 0x10);
  const firstPage = safe64(head, 0x18);
  const recordsAt = bodyOffset + RECORDS_AT;
  const room = firstPage === null ? 0 : Math.floor((firstPage - recordsAt) / RECORD_SIZE);
  if (metadata === null || firstPage === null || metadata + bodyOffset + 0x20 !== firstPage || room <= 0) {
    return new Failure(
      'corrupt',
      `an RDMP header stands at ${hex(bodyOffset)}, but its sizes (${String(metadata)} and ${String(firstPage)}) do not belong together`,
      { position: bodyOffset },
    );
  }
  if (room > MOST_RECORDS) return new Failure('corrupt', `${room} runs of pages cannot be true`);
  const complete = dumpType === COMPLETE;
  const limits: Limits = {
    stopsAtZero: !complete,
    records: complete ? Math.min(room, u32(head, 0x20)) : room,
    pages: complete ? (safe64(head, 0x28) ?? 0) : Infinity,
  };
  const softErrors: SoftError[] = [];
  const { bases, counts, stopped } = readRecords(source, recordsAt, limits);
  if (stopped !== null) {
    softErrors.push({ code: 'rdmp-record', message: `${stopped}: the pages after it are not known` });
  }
  if (bases.length === 0) return new Failure('corrupt', 'the RDMP header lists no pages');
  if (bases.length > MOST_UNORDERED && !isOrdered({ bases, counts })) {
    return new Failure('corrupt', `${bases.length} runs of pages in no order cannot be true`);
  }
  const offsets = new Float64Array(bases.length);
  let end = firstPage;
  counts.forEach((count, i) => {
    offsets[i] = end;
    end += count * PAGE_SIZE;
  });
  const index = new RunIndex({ bases, counts, offsets });
  if (complete && counts.reduce((sum, count) => sum + count, 0) !== limits.pages) {
    softErrors.push({
      code: 'rdmp-count',
      message: `the runs hold ${index.pagesPresent} pages, the RDMP header says ${limits.pages}`,
    });
  }
  return { index, end, softErrors: [...softErrors, ...index.softErrors] };
}

interface Records {
  bases: Float64Array;
  counts: Float64Array;
  /** Why the list was left before its end; null when it was not. */
  stopped: string | null;
}

interface Limits {
  /** A record for page 0 ends the list. */
  stopsAtZero: boolean;
  records: number;
  pages: number;
}

/** Records {PFN u64, PageCount u64} up to one with page 0, up to the limits, or up to one that cannot be true. */
function readRecords(source: ByteSource, start: number, limits: Limits): Records {
  const available = Math.max(0, Math.floor((source.byteLength - start) / RECORD_SIZE));
  const most = Math.min(limits.records, available);
  const bases = new Float64Array(most);
  const counts = new Float64Array(most);
  const block = new Uint8Array(BLOCK);
  let found = 0;
  let pages = 0;
  const result = (stopped: string | null): Records => ({
    bases: bases.slice(0, found),
    counts: counts.slice(0, found),
    stopped,
  });
  for (let record = 0; record < most; record++) {
    const inBlock = (record * RECORD_SIZE) % BLOCK;
    if (inBlock === 0) source.read(fileOffset(start + record * RECORD_SIZE), block);
    const base = safe64(block, inBlock);
    const count = safe64(block, inBlock + 8);
    if ((base === 0 && limits.stopsAtZero) || pages >= limits.pages) return result(null);
    if (base === null || count === null || count === 0 || base + count > HIGHEST_PAGE) {
      return result(`run ${record} of the RDMP header cannot be true`);
    }
    bases[found] = base;
    counts[found] = count;
    found++;
    pages += count;
  }
  return result(most < limits.records ? 'the file ends inside the RDMP header' : null);
}
