/** Access tokens: the user, the logon session, who made them (reference: objects-and-pool-blocks, section 6). */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { asciiz, u32, u64 } from '../../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../../parsers/kernel/layout.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import { readUnicodeString } from '../../../../parsers/kernel/structures.js';
import { objectReleases } from '../../../../symbols/objects/object-layouts.js';
import type { ObjectLayouts } from '../layouts.js';
import { inKernel, type ObjectRoots } from '../roots.js';

/** What a token says. */
export interface Token {
  /** `S-1-5-18`; null where the list of groups cannot be read. */
  readonly user: string | null;
  /** The LUID of the logon session. */
  readonly logonId: bigint;
  /** `DOMAIN\user` of the logon session, where it can be read. */
  readonly account: string | null;
  /** Eight characters at most: `User32`, `Advapi`, `*SYSTEM*`. */
  readonly madeBy: string;
  readonly isPrimary: boolean | null;
  readonly inUse: boolean | null;
  readonly sessionId: number | null;
}

const MOST_SUBAUTHORITIES = 15;
const MOST_SESSION = 0xffff;
const MOST_KEPT = 10_000;

/** Reads tokens, and keeps the names of logon sessions. */
export class TokenReader {
  private readonly accounts = new Map<bigint, string | null>();

  constructor(
    private readonly roots: ObjectRoots,
    private readonly layouts: Pick<ObjectLayouts, 'layout'>,
  ) {}

  /** The token whose body is at `body`; null where it cannot be read. */
  read(body: VirtualAddress): Token | null {
    const layout = this.layouts.layout('_TOKEN')?.value;
    if (layout === undefined) return null;
    const { memory } = this.roots;
    const ends = Object.values(layout.fields).map(({ offset }) => offset + 8);
    const bytes = memory.read(body, Math.min(layout.size, Math.max(...ends)));
    if (failed(bytes)) return null;
    const number = (field: string): number | null => {
      const at = layout.fields[field]?.offset;
      return at === undefined || at + 4 > bytes.length ? null : u32(bytes, at);
    };
    const pointer = (field: string): VirtualAddress | null => {
      const at = layout.fields[field]?.offset;
      if (at === undefined || at + memory.pointerSize > bytes.length) return null;
      const value = memory.pointerSize === 8 ? u64(bytes, at) : BigInt(u32(bytes, at));
      return inKernel(this.roots, value) ? virtual(value) : null;
    };
    const logonAt = layout.fields['AuthenticationId']?.offset ?? 0;
    const logonId = u64(bytes, logonAt);
    const type = number('TokenType');
    const session = number('SessionId');
    const useAt = layout.fields['TokenInUse']?.offset;
    const groups = pointer('UserAndGroups');
    return {
      // The first of the groups is the user.
      user: groups === null ? null : sidAt(this.roots, groups),
      logonId,
      account: this.accountOf(pointer('LogonSession'), logonId),
      madeBy: asciiz(bytes, layout.fields['TokenSource']?.offset ?? 0, 8).trim(),
      isPrimary: type === 1 ? true : type === 2 ? false : null,
      inUse: useAt === undefined ? null : bytes[useAt] !== 0,
      sessionId: session === null || session > MOST_SESSION ? null : session,
    };
  }

  private accountOf(session: VirtualAddress | null, logonId: bigint): string | null {
    if (session === null) return null;
    const known = this.accounts.get(session);
    if (known !== undefined) return known;
    const account = this.readAccount(session, logonId);
    if (this.accounts.size < MOST_KEPT) this.accounts.set(session, account);
    return account;
  }

  /** The layout changed within a build: the one by which the session has the token's own id and a name that is text is right. */
  private readAccount(session: VirtualAddress, logonId: bigint): string | null {
    const type = '_SEP_LOGON_SESSION_REFERENCES';
    const own = this.layouts.layout(type)?.value;
    const tried = new Set<StructLayout>();
    const releases = objectReleases(this.roots.architecture, this.roots.buildNumber);
    for (const layout of [own, ...releases.slice(0, 8).map((release) => release.layout(type))]) {
      if (layout === undefined || layout === null || tried.has(layout)) continue;
      tried.add(layout);
      const bytes = this.roots.memory.read(session, layout.size);
      const account = failed(bytes) ? null : accountIn(this.roots.memory, layout, bytes, logonId);
      if (account !== null) return account;
    }
    return null;
  }
}

/** `DOMAIN\\user` of a logon session with that id, read by a layout; null where it has another, or names that are no text. */
export function accountIn(
  memory: VirtualMemory,
  layout: StructLayout,
  session: Uint8Array,
  logonId: bigint,
): string | null {
  const nameAt = layout.fields['AccountName']?.offset;
  const authorityAt = layout.fields['AuthorityName']?.offset;
  const idAt = layout.fields['LogonId']?.offset;
  if (nameAt === undefined || authorityAt === undefined || idAt === undefined) return null;
  if (idAt + 8 > session.length || u64(session, idAt) !== logonId) return null;
  const text = (at: number): string | null => {
    const value = readUnicodeString(memory, session, at);
    return failed(value) || !/^[^\p{Cc}]{0,256}$/u.test(value) ? null : value;
  };
  const name = text(nameAt);
  const authority = text(authorityAt);
  if (name === null || authority === null || name === '') return null;
  return authority === '' ? name : `${authority}\\${name}`;
}

/** The SID that a pointer at `at` leads to (`S-1-5-18`); null where there is none. */
export function sidAt(roots: ObjectRoots, at: VirtualAddress): string | null {
  const sid = roots.memory.readPointer(at);
  return failed(sid) || !inKernel(roots, sid) ? null : readSid(roots.memory, sid);
}

/** The SID at an address: revision, number of parts, authority, parts. */
export function readSid(memory: VirtualMemory, at: VirtualAddress): string | null {
  const head = memory.read(at, 8);
  if (failed(head)) return null;
  const count = head[1] ?? 0;
  if (head[0] !== 1 || count > MOST_SUBAUTHORITIES) return null;
  const parts = memory.read(plus(at, 8), count * 4);
  if (failed(parts)) return null;
  const authority = head.subarray(2, 8).reduce((sum, byte) => sum * 256 + byte, 0);
  return ['S', '1', String(authority), ...Array.from({ length: count }, (_, i) => String(u32(parts, i * 4)))].join('-');
}
