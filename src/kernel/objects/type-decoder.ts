/**
 * Which type an object header names. Until Vista it points to the type, until 8.1 it has its index, and from Windows 10
 * on the index is hidden by a cookie and by the header's own address (reference: objects-and-pool-blocks, section 3.2).
 * Which of these holds, and the cookie, are told by headers whose type is known: those of the types themselves.
 */

import { plus, small, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../result/result.js';
import { HeaderReader, smallPointer, type HeaderShape } from './headers.js';
import type { ObjectLayouts } from './layouts.js';
import type { ObjectType, ObjectTypes } from './object-types.js';
import type { ObjectRoots } from './roots.js';

/** What `TypeDecoder.typeOf` gives for a header that names no type. */
export const NO_TYPE = -1;

/** Decodes the types of headers. */
export interface TypeDecoder {
  readonly shape: HeaderShape;
  readonly types: readonly ObjectType[];
  /** Null where the index is not hidden. */
  readonly cookie: number | null;
  readonly source: FigureSource;
  /** The place in `types`, or NO_TYPE. `header` is the header's address as a number (`small`), its bytes begin at `at`. */
  typeOf(bytes: Uint8Array, at: number, header: number): number;
}

/** Headers that must agree. */
const WITNESSES = 256;
/** The index of the type of types, wherever types have one. */
const INDEX_OF_TYPE = 2;

/** The decoder that the types' own headers prove; null, with a warning, where nothing is proved. */
export function typeDecoder(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  { types }: ObjectTypes,
): { decoder: TypeDecoder | null; warnings: Warning[] } {
  const headers = new HeaderReader(roots, layouts);
  const { shape } = headers;
  if (shape === null || types.length === 0) return { decoder: null, warnings: [] };
  const { typePointer, typeIndex } = shape;
  if (typePointer !== null) {
    const places = new Map(types.map(({ address }, i) => [small(address), i]));
    const typeOf = (bytes: Uint8Array, at: number): number =>
      places.get(smallPointer(bytes, at + typePointer, shape.pointerSize)) ?? NO_TYPE;
    return { decoder: { shape, types, cookie: null, source: layouts.source, typeOf }, warnings: [] };
  }
  const index = typeIndex ?? 0;
  const places = new Int16Array(256).fill(NO_TYPE);
  types.forEach((type, i) => (places[type.index] = i));
  const { cookie, source, warnings } = findCookie(roots, headers, index, types);
  if (cookie === null) return { decoder: null, warnings };
  const typeOf =
    cookie === 'plain'
      ? (bytes: Uint8Array, at: number): number => places[bytes[at + index] ?? 0] ?? NO_TYPE
      : (bytes: Uint8Array, at: number, header: number): number =>
          places[(bytes[at + index] ?? 0) ^ cookie ^ ((header >> 8) & 0xff)] ?? NO_TYPE;
  const decoder = { shape, types, cookie: cookie === 'plain' ? null : cookie, source, typeOf };
  return { decoder, warnings };
}

function findCookie(
  roots: ObjectRoots,
  headers: HeaderReader,
  typeIndex: number,
  types: readonly ObjectType[],
): { cookie: number | 'plain' | null; source: FigureSource; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'objectTypes', message });
  };
  const stored: { byte: number; address: VirtualAddress }[] = [];
  for (const type of types.slice(0, WITNESSES)) {
    const header = headers.headerOf(type.address);
    if (header !== null) stored.push({ byte: header.bytes[typeIndex] ?? 0, address: header.address });
  }
  const votes = new Uint16Array(256);
  let plain = 0;
  const own = types.find(({ name }) => name === 'Type')?.index ?? INDEX_OF_TYPE;
  for (const { byte, address } of stored) {
    if (byte === own) plain++;
    const vote = byte ^ own ^ Number((address >> 8n) & 0xffn);
    votes[vote] = (votes[vote] ?? 0) + 1;
  }
  const most = Math.max(...votes);
  const given = cookieOfSymbols(roots);
  // Types of one page of addresses could agree on both by chance; then a hidden index is what a cookie's symbol says.
  const isPlain = plain > most || (plain === most && given === null);
  if (stored.length > 0 && isPlain && plain > stored.length / 2)
    return { cookie: 'plain', source: 'derived', warnings };
  const voted = stored.length > 0 && most > stored.length / 2 ? votes.indexOf(most) : null;
  if (given !== null && voted !== null && given.value !== voted) {
    warn(
      'object-cookie-contradicted',
      `ObHeaderCookie is ${hex(given.value)}, but the headers of ${most} of ${stored.length} object types are written with ${hex(voted)}, which is used`,
    );
  }
  if (voted !== null) {
    const agrees = given?.value === voted;
    return { cookie: voted, source: agrees ? given.source : 'derived', warnings };
  }
  if (given !== null) return { cookie: given.value, source: given.source, warnings };
  warn('object-types-unreadable', 'how object headers name their type could not be found out');
  return { cookie: null, source: 'derived', warnings };
}

function cookieOfSymbols(roots: ObjectRoots): { value: number; source: FigureSource } | null {
  const place = roots.symbols.address('ObHeaderCookie');
  if (place === null) return null;
  const value = roots.memory.readU8(plus(place.value, 0));
  return failed(value) ? null : { value, source: place.source };
}
