/**
 * What `!token` shows of an access token: its groups, privileges and ids. Attributes and privileges: winnt.h; layouts of the reference
 * (objects-and-pool-blocks, section 6). What the layout does not have, or what cannot be, is null.
 */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { asciiz, u32, u64 } from '../../../../parsers/bytes/fields.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import type { ObjectLayouts } from '../layouts.js';
import { inKernel, type ObjectRoots } from '../roots.js';
import { readSid, sidAt } from './tokens.js';

/** A group, or the user: null where the SID cannot be read. */
export interface TokenGroup {
  readonly sid: string | null;
  /** `SE_GROUP_*`. */
  readonly attributes: number;
}

/** A privilege by the low part of its LUID. */
export interface TokenPrivilege {
  readonly luid: number;
  readonly enabled: boolean;
  readonly byDefault: boolean;
}

/** One token. LUIDs are 64 bits. */
export interface TokenDetails {
  readonly sessionId: number | null;
  /** The user first. Null where the list cannot be read. */
  readonly groups: readonly TokenGroup[] | null;
  readonly primaryGroup: string | null;
  readonly privileges: readonly TokenPrivilege[] | null;
  /** Whether the system numbers privileges by what they are (since Vista), not by their place in a list. */
  readonly isPrivilegeMask: boolean;
  readonly authenticationId: bigint | null;
  readonly tokenId: bigint | null;
  readonly parentTokenId: bigint | null;
  readonly modifiedId: bigint | null;
  readonly impersonationLevel: number | null;
  /** 1 primary, 2 impersonation. */
  readonly type: number | null;
  readonly source: string;
  readonly flags: number | null;
  readonly inUse: boolean | null;
  readonly restrictedCount: number | null;
  readonly restricted: bigint | null;
}

/** More groups than a token can have. */
const MOST_GROUPS = 4096;
/** Privileges have LUIDs from 2 up; 36 is the last that is documented. */
const MOST_PRIVILEGES = 64;
const LOWEST_LUID = 2;
/** `_LUID_AND_ATTRIBUTES`: a LUID and 32 bits. */
const LUID_AND_ATTRIBUTES = 12;
const BY_DEFAULT = 1;
const ENABLED = 2;

/** Reads the token whose body is at `body`; null where its layout is not known or it is not in the dump. */
export function readTokenDetails(
  roots: ObjectRoots,
  layouts: Pick<ObjectLayouts, 'layout'>,
  body: VirtualAddress,
): TokenDetails | null {
  const layout = layouts.layout('_TOKEN')?.value;
  if (layout === undefined) return null;
  const { memory } = roots;
  const bytes = memory.read(body, layout.size);
  if (failed(bytes)) return null;
  const at = (field: string, width: number): number | null => {
    const offset = layout.fields[field]?.offset;
    return offset === undefined || offset + width > bytes.length ? null : offset;
  };
  const number = (field: string): number | null => {
    const offset = at(field, 4);
    return offset === null ? null : u32(bytes, offset);
  };
  const long = (field: string): bigint | null => {
    const offset = at(field, 8);
    return offset === null ? null : u64(bytes, offset);
  };
  const pointer = (field: string): bigint | null => (memory.pointerSize === 8 ? long(field) : asBig(number(field)));
  const byte = (field: string): number | null => {
    const offset = at(field, 1);
    return offset === null ? null : (bytes[offset] ?? null);
  };
  const kernelPointer = (field: string): VirtualAddress | null => {
    const value = pointer(field);
    return value !== null && inKernel(roots, value) ? virtual(value) : null;
  };
  const count = number('PrivilegeCount');
  const masks = at('Privileges', 24);
  const list = kernelPointer('Privileges');
  const primary = kernelPointer('PrimaryGroup');
  const source = at('TokenSource', 8);
  return {
    sessionId: number('SessionId'),
    groups: groupsOf(roots, kernelPointer('UserAndGroups'), number('UserAndGroupCount')),
    primaryGroup: primary === null ? null : readSid(memory, primary),
    privileges: count === null ? masksIn(bytes, masks) : listAt(memory, list, count),
    isPrivilegeMask: count === null,
    ...{ authenticationId: long('AuthenticationId'), tokenId: long('TokenId') },
    ...{ parentTokenId: long('ParentTokenId'), modifiedId: long('ModifiedId') },
    ...{ impersonationLevel: number('ImpersonationLevel'), type: number('TokenType') },
    source: source === null ? '' : asciiz(bytes, source, 8).trim(),
    // On Server 2003 the flags are a byte, with TokenInUse beside it.
    flags:
      layout.fields['TokenInUse']?.offset === (at('TokenFlags', 1) ?? NaN) + 1
        ? byte('TokenFlags')
        : number('TokenFlags'),
    inUse: byte('TokenInUse') === null ? null : byte('TokenInUse') !== 0,
    ...{ restrictedCount: number('RestrictedSidCount'), restricted: pointer('RestrictedSids') },
  };
}

const asBig = (value: number | null): bigint | null => (value === null ? null : BigInt(value));

function groupsOf(roots: ObjectRoots, at: VirtualAddress | null, count: number | null): TokenGroup[] | null {
  if (at === null || count === null || count === 0 || count > MOST_GROUPS) return null;
  const width = roots.memory.pointerSize;
  const bytes = roots.memory.read(at, count * width * 2);
  if (failed(bytes)) return null;
  return Array.from({ length: count }, (_, i) => ({
    sid: sidAt(roots, plus(at, i * width * 2)),
    attributes: u32(bytes, i * width * 2 + width),
  }));
}

/** `_SEP_TOKEN_PRIVILEGES`: those present, enabled, enabled by default, a bit each. What is enabled is present, or these are none. */
function masksIn(bytes: Uint8Array, at: number | null): TokenPrivilege[] | null {
  if (at === null) return null;
  const [present, enabled, byDefault] = [u64(bytes, at), u64(bytes, at + 8), u64(bytes, at + 16)];
  if ((enabled & ~present) !== 0n || (present & ((1n << BigInt(LOWEST_LUID)) - 1n)) !== 0n) return null;
  const has = (mask: bigint, luid: number): boolean => ((mask >> BigInt(luid)) & 1n) !== 0n;
  return Array.from({ length: MOST_PRIVILEGES }, (_, luid) => luid)
    .filter((luid) => has(present, luid))
    .map((luid) => ({ luid, enabled: has(enabled, luid), byDefault: has(byDefault, luid) }));
}

/** The list that tokens before Vista have. Null where one of it is none. */
export function listAt(memory: VirtualMemory, at: VirtualAddress | null, count: number): TokenPrivilege[] | null {
  if (count === 0) return [];
  if (at === null || count > MOST_PRIVILEGES) return null;
  const bytes = memory.read(at, count * LUID_AND_ATTRIBUTES);
  if (failed(bytes)) return null;
  const found: TokenPrivilege[] = [];
  for (let i = 0; i < bytes.length; i += LUID_AND_ATTRIBUTES) {
    const [luid, high, attributes] = [u32(bytes, i), u32(bytes, i + 4), u32(bytes, i + 8)];
    if (high !== 0 || luid < LOWEST_LUID || luid >= MOST_PRIVILEGES) return null;
    found.push({ luid, enabled: (attributes & ENABLED) !== 0, byDefault: (attributes & BY_DEFAULT) !== 0 });
  }
  return found;
}
