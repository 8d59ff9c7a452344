/** Opens a kernel dump: header, kind of body, and the physical pages behind it. */

import { PAGE_SIZE, fileOffset } from '../addresses.js';
import { failed, type Failure } from '../bytes/failure.js';
import { InputError } from '../bytes/input-error.js';
import type { ByteSource } from '../bytes/source.js';
import { readBitmapBody } from './bitmap-body.js';
import type { DumpHeader } from './header.js';
import { HEADER32_SIZE, parseHeader32 } from './header32.js';
import { HEADER64_SIZE, parseHeader64 } from './header64.js';
import type { PageIndex, SoftError } from './page-index.js';
import { readRdmpBody } from './rdmp-body.js';
import { notADump } from './recognize.js';
import { consecutive, RunIndex } from './run-index.js';
import { readTriage, type Triage } from './triage.js';

/** Bits of Attributes in both headers. */
export const ATTRIBUTES = {
  HiberCrash: 1 << 0,
  DumpDevicePowerOff: 1 << 1,
  InsufficientDumpfileSize: 1 << 2,
  KernelGeneratedTriageDump: 1 << 3,
  LiveDumpGeneratedDump: 1 << 4,
  DumpIsGeneratedOffline: 1 << 5,
  FilterDumpFile: 1 << 6,
  EarlyBootCrash: 1 << 7,
  EncryptedDumpData: 1 << 8,
  DecryptedDump: 1 << 9,
} as const;

/** IMAGE_FILE_MACHINE_* of the processors that dumps come from. */
export const MACHINE = { I386: 0x14c, AMD64: 0x8664, ARM64: 0xaa64 } as const;

/** The kinds of body, as found in the file. */
export type BodyKind =
  | 'full' | 'kernel' | 'bitmap-full' | 'bitmap-kernel' | 'automatic' | 'triage' | 'header'
  | 'rdmp-kernel' | 'rdmp-kernel-user' | 'rdmp-full'; // prettier-ignore

/** An opened dump. */
export interface Dump {
  readonly source: ByteSource;
  readonly header: DumpHeader;
  readonly kind: BodyKind;
  /** Where physical pages stand; null for kinds that hold none. */
  readonly pages: PageIndex | null;
  readonly triage: Triage | null;
  /** File offset of the byte after the dump's own data, where secondary data may begin; 0 where there is no data. */
  readonly end: number;
  /** The file ends before its last page, or the header says that the dump did not fit. */
  readonly truncated: boolean;
  /** Pages that the dump should hold but that lie past the end of the file. */
  readonly pagesCut: number;
  readonly softErrors: readonly SoftError[];
}

interface Body {
  kind: BodyKind;
  pages: PageIndex | null;
  triage: Triage | null;
  /** File offset of the byte after the last page. */
  end: number;
  softErrors: readonly SoftError[];
}

/** Reads a kind of body at the end of the header: null when it is not this kind. */
type BodyReader = (source: ByteSource, header: DumpHeader) => Body | Failure | null;

/** In order of how unmistakable they are; a new kind of body is one more entry. */
const BODIES: readonly BodyReader[] = [bitmapBody, rdmpBody, triageBody, fullBody];

/**
 * Opens a dump over `source`. Throws InputError where the file is no kernel dump, one that cannot be read (encrypted),
 * or one whose header is not followed by anything.
 */
export function openDump(source: ByteSource): Dump {
  const header = readHeader(source);
  const attributes = header.attributes ?? 0;
  if ((attributes & ATTRIBUTES.EncryptedDumpData) !== 0) {
    throw new InputError(
      'encrypted',
      `${source.name}: the dump's data is encrypted. Decrypt it with the key of the machine's dump encryption policy first`,
    );
  }
  const body = readBody(source, header);
  const softErrors = [...body.softErrors];
  const short = body.end > source.byteLength;
  const pagesCut = short
    ? Math.min(body.pages?.pagesPresent ?? 0, Math.ceil((body.end - source.byteLength) / PAGE_SIZE))
    : 0;
  if (short) {
    softErrors.push({
      code: 'truncated',
      message: `the file ends at ${source.byteLength} bytes, its pages would reach to ${body.end}: ${pagesCut === 1 ? '1 page is' : `${pagesCut} pages are`} missing`,
    });
  }
  const insufficient = (attributes & ATTRIBUTES.InsufficientDumpfileSize) !== 0;
  if (insufficient) {
    softErrors.push({
      code: 'insufficient-dump-file',
      message: 'Windows marked the dump as cut: the page file or dump file was too small',
    });
  }
  return {
    source,
    header,
    kind: body.kind,
    pages: body.pages,
    triage: body.triage,
    end: body.triage?.sizeOfDump ?? body.end,
    truncated: short || insufficient || softErrors.some(({ code }) => code === 'triage-incomplete'),
    pagesCut,
    softErrors,
  };
}

function readHeader(source: ByteSource): DumpHeader {
  const head = new Uint8Array(HEADER64_SIZE);
  const read = source.read(fileOffset(0), head);
  const signature = Buffer.from(head.subarray(0, 8)).toString('latin1');
  if (signature !== 'PAGEDU64' && signature !== 'PAGEDUMP') {
    throw notADump(source.name, head.subarray(0, read), isAllZero(source));
  }
  const size = signature === 'PAGEDUMP' ? HEADER32_SIZE : HEADER64_SIZE;
  if (read < size) {
    throw new InputError(
      'header-only',
      `${source.name}: the file ends inside the dump header (${read} of ${size} bytes)`,
    );
  }
  return signature === 'PAGEDUMP' ? parseHeader32(head) : parseHeader64(head);
}

function readBody(source: ByteSource, header: DumpHeader): Body {
  for (const reader of BODIES) {
    const body = reader(source, header);
    if (body === null) continue;
    if (!failed(body)) return body;
    throw new InputError('corrupt', `${source.name}: ${body.message}`);
  }
  if (source.byteLength <= header.headerSize) {
    if (header.dumpType === 3) return emptyBody('header');
    throw new InputError(
      'header-only',
      `${source.name} holds only a dump header: the data was never written or copied`,
    );
  }
  if (header.dumpType === 3) return emptyBody('header');
  if (isAllZero(source, header.headerSize)) {
    throw new InputError(
      'all-zero',
      `${source.name}: only zeros follow the dump header: Windows reserved the file but did not write the dump into it, or the copy failed`,
    );
  }
  if (header.dumpType === FULL && header.physicalMemory === null) {
    throw new InputError(
      'corrupt',
      `${source.name}: the list of physical memory runs in the header of this complete dump cannot be true: nothing tells where its pages stand`,
    );
  }
  throw new InputError(
    'corrupt',
    `${source.name}: no dump data was recognised after the header (DumpType ${String(header.dumpType)})`,
  );
}

const isWide = (header: DumpHeader): boolean => header.signature === 'PAGEDU64';

const emptyBody = (kind: BodyKind): Body => ({ kind, pages: null, triage: null, end: 0, softErrors: [] });

function bitmapBody(source: ByteSource, header: DumpHeader): Body | Failure | null {
  const body = readBitmapBody(source, header.headerSize, isWide(header));
  if (body === null || failed(body)) return body;
  const kind = body.old ? 'kernel' : header.dumpType === 7 ? 'automatic' : body.full ? 'bitmap-full' : 'bitmap-kernel';
  const end = body.layout.firstPage + body.layout.pages * 4096;
  return { kind, pages: body.index, triage: null, end, softErrors: body.softErrors };
}

/** Names by DumpType; the body itself does not tell a kernel dump from a complete one. */
const RDMP_KINDS: ReadonlyMap<number | null, BodyKind> = new Map([
  [9, 'rdmp-kernel-user'],
  [10, 'rdmp-full'],
]);

function rdmpBody(source: ByteSource, header: DumpHeader): Body | Failure | null {
  const body = readRdmpBody(source, header.headerSize, header.dumpType);
  if (body === null || failed(body)) return body;
  const kind = RDMP_KINDS.get(header.dumpType) ?? 'rdmp-kernel';
  return { kind, pages: body.index, triage: null, end: body.end, softErrors: body.softErrors };
}

function triageBody(source: ByteSource, header: DumpHeader): Body | Failure | null {
  if (header.dumpType !== 4) return null;
  const triage = readTriage(source, header.headerSize, isWide(header));
  if (failed(triage)) return triage;
  return { kind: 'triage', pages: null, triage, end: 0, softErrors: triage.softErrors };
}

/** DumpType of a complete dump: the one that may be zeros, where the machine's memory was. */
const FULL = 1;

/** Runs need a sane PhysicalMemoryBlock and at least one page in the file. */
function fullBody(source: ByteSource, header: DumpHeader): Body | null {
  const memory = header.physicalMemory;
  if (memory === null || header.dumpType === 3 || source.byteLength <= header.headerSize) return null;
  if (header.dumpType !== FULL && isAllZero(source, header.headerSize)) return null;
  const extents = consecutive(memory.runs, header.headerSize);
  const index = new RunIndex(extents);
  const last = extents.at(-1);
  const end = last === undefined ? header.headerSize : last.offset + last.pageCount * 4096;
  const pages = (end - header.headerSize) / PAGE_SIZE;
  const softErrors = [...index.softErrors];
  if (pages !== memory.numberOfPages) {
    softErrors.push({
      code: 'run-count',
      message: `the physical memory runs of the header hold ${pages} pages, its count says ${memory.numberOfPages}`,
    });
  }
  return { kind: 'full', pages: index, triage: null, end, softErrors };
}

/** The share of the file, from 0 to 1, behind which 64 samples of it hold only zeros. */
export function zerosAtEnd(source: ByteSource): number {
  const sample = new Uint8Array(4096);
  let zeros = 0;
  for (; zeros < 64; zeros++) {
    const position = Math.floor((source.byteLength / 64) * (64 - zeros)) - sample.length;
    const count = position < 0 ? 0 : source.read(fileOffset(position), sample);
    if (count === 0 || sample.subarray(0, count).some((byte) => byte !== 0)) break;
  }
  return zeros / 64;
}

/** Samples the file at 64 places from `start` on. */
function isAllZero(source: ByteSource, start = 0): boolean {
  const sample = new Uint8Array(4096);
  for (let i = 0; i < 64; i++) {
    const position = start + Math.floor(((source.byteLength - start) / 64) * i);
    const count = source.read(fileOffset(position), sample);
    if (sample.subarray(0, count).some((byte) => byte !== 0)) return false;
  }
  return true;
}
