/** Accounts: their SIDs, and the logon sessions that tokens belong to. */

import { putU32 } from '../../bytes.js';

export interface Account {
  /** `DOMAIN\name`. */
  readonly name: string;
  readonly sid: string;
  /** `AuthenticationId`. */
  readonly logonId: number;
}

const WELL_KNOWN: Readonly<Record<string, readonly [sid: string, logonId: number]>> = {
  'NT AUTHORITY\\SYSTEM': ['S-1-5-18', 0x3e7],
  'NT AUTHORITY\\LOCAL SERVICE': ['S-1-5-19', 0x3e5],
  'NT AUTHORITY\\NETWORK SERVICE': ['S-1-5-20', 0x3e4],
};

/** Accounts by name; unknown names become users of one domain. */
export class People {
  private readonly known = new Map<string, Account>();

  account(name: string): Account {
    let account = this.known.get(name);
    if (!account) {
      const fixed = WELL_KNOWN[name];
      const number = 1001 + this.known.size;
      account = {
        name,
        sid: fixed?.[0] ?? `S-1-5-21-1004336348-1177238915-682003330-${number}`,
        logonId: fixed?.[1] ?? 0x2_0000 + number * 0x35a,
      };
      this.known.set(name, account);
    }
    return account;
  }

  all(): Account[] {
    return [...this.known.values()];
  }
}

/** A SID's bytes: revision, number of parts, authority, parts. */
export function sidBytes(sid: string): Uint8Array {
  const [, , authority = 0, ...parts] = sid.split('-').map(Number);
  const bytes = new Uint8Array(8 + parts.length * 4);
  bytes[0] = 1;
  bytes[1] = parts.length;
  bytes[7] = authority;
  parts.forEach((part, i) => {
    putU32(bytes, 8 + i * 4, part);
  });
  return bytes;
}
