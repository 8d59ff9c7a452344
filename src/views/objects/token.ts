/** `!token`: an access token in the look of the debugger. */

import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { hex } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import type { TokenFound } from '../../analysis/objects/token-part.js';
import type { TokenDetails } from '../../kernel/objects/names/token-details.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { NOT_KNOWN } from '../print/format.js';
import type { View } from '../view.js';
import { noAddress, typedAddress } from '../words.js';

interface TokenWanted {
  readonly address: VirtualAddress;
}

/** `SE_GROUP_*` of winnt.h, in the order in which the debugger names them. */
const GROUP_ATTRIBUTES: readonly (readonly [mask: number, name: string])[] = [
  [0x1, 'Mandatory'],
  [0x2, 'Default'],
  [0x4, 'Enabled'],
  [0x8, 'Owner'],
  [0x10, 'DenyOnly'],
  [0x20, 'GroupIntegrity'],
  [0x40, 'GroupIntegrityEnabled'],
  [0x20000000, 'GroupResource'],
  [0xc0000000, 'LogonId'],
];

/** `SE_*_PRIVILEGE` of winnt.h, from 2 up. */
const PRIVILEGES = [
  ...['CreateToken', 'AssignPrimaryToken', 'LockMemory', 'IncreaseQuota', 'MachineAccount', 'Tcb', 'Security'],
  ...['TakeOwnership', 'LoadDriver', 'SystemProfile', 'Systemtime', 'ProfileSingleProcess', 'IncreaseBasePriority'],
  ...['CreatePagefile', 'CreatePermanent', 'Backup', 'Restore', 'Shutdown', 'Debug', 'Audit', 'SystemEnvironment'],
  ...['ChangeNotify', 'RemoteShutdown', 'Undock', 'SyncAgent', 'EnableDelegation', 'ManageVolume', 'Impersonate'],
  ...['CreateGlobal', 'TrustedCredManAccess', 'Relabel', 'IncreaseWorkingSet', 'TimeZone', 'CreateSymbolicLink'],
  'DelegateSessionUserImpersonate',
];
const FIRST_PRIVILEGE = 2;
const LEVELS = ['Anonymous', 'Identification', 'Impersonation', 'Delegation'];
const TYPES = [undefined, 'Primary', 'Impersonation'];
/** Columns of values, and of the second of two on a line. */
const VALUE = 27;

const number = (value: number | bigint | null): string => value?.toString(16) ?? NOT_KNOWN;
const alternate = (value: number | null): string =>
  value === null ? NOT_KNOWN : value === 0 ? '0' : `0x${value.toString(16)}`;
/** High part, low part. */
const luid = (value: bigint | null, between: string): string =>
  value === null ? NOT_KNOWN : `(${number(value >> 32n)},${between}${number(value & 0xffffffffn)})`;

/** The lines of a token. */
export function tokenLines(address: bigint, token: TokenDetails, wide: boolean): string[] {
  const at = (value: bigint | null): string => value?.toString(16).padStart(wide ? 16 : 8, '0') ?? NOT_KNOWN;
  const two = (first: string, second: string): string => first.padEnd(VALUE) + second;
  const [user, ...groups] = token.groups ?? [];
  const restricted = token.restrictedCount === null ? NOT_KNOWN : String(token.restrictedCount);
  const use = token.inUse === null ? NOT_KNOWN : token.inUse ? 'Token in use' : 'Token NOT in use';
  return [
    `_TOKEN ${at(address)}`,
    `TS Session ID: ${alternate(token.sessionId)}`,
    `User: ${user?.sid ?? NOT_KNOWN}`,
    token.isPrivilegeMask ? 'User Groups: ' : 'Groups: ',
    ...(token.groups === null ? [` ${NOT_KNOWN}`] : []),
    ...groups.flatMap(({ sid, attributes }, i) => [
      ` ${String(i).padStart(2, '0')} ${sid ?? NOT_KNOWN}`,
      `    Attributes - ${attributeNames(attributes)}`,
    ]),
    `Primary Group: ${token.primaryGroup ?? NOT_KNOWN}`,
    'Privs: ',
    ...privilegeLines(token),
    two('Authentication ID:', luid(token.authenticationId, '')),
    two('Impersonation Level:', LEVELS[token.impersonationLevel ?? -1] ?? NOT_KNOWN),
    two('TokenType:', TYPES[token.type ?? -1] ?? NOT_KNOWN),
    two(`Source: ${printable(token.source)}`, `TokenFlags: ${alternate(token.flags)} ( ${use} )`),
    two(`Token ID: ${number(token.tokenId)}`, `ParentToken ID: ${number(token.parentTokenId)}`),
    two('Modified ID:', luid(token.modifiedId, ' ')),
    two(`RestrictedSidCount: ${restricted}`, `RestrictedSids: ${at(token.restricted)}`),
  ];
}

function attributeNames(attributes: number): string {
  return GROUP_ATTRIBUTES.filter(([mask]) => (attributes & mask) >>> 0 === mask)
    .map(([, name]) => `${name} `)
    .join('');
}

function privilegeLines({ privileges, isPrivilegeMask }: TokenDetails): string[] {
  if (privileges === null) return [` ${NOT_KNOWN}`];
  return privileges.map(({ luid: which, enabled, byDefault }, i) => {
    const known = PRIVILEGES[which - FIRST_PRIVILEGE];
    const name = (known === undefined ? 'Unknown Privilege' : `Se${known}Privilege`).padEnd(33);
    const place = String(isPrivilegeMask ? which : i).padStart(2, '0');
    const value = which.toString(16).padStart(9, '0');
    return ` ${place} 0x${value} ${name} Attributes - ${enabled ? 'Enabled ' : ''}${byDefault ? 'Default ' : ''}`;
  });
}

function text(found: TokenFound, { address }: TokenWanted): string {
  const wide = hasWideAddresses(found);
  if (found.token !== null) return `${tokenLines(found.token.address, found.token.details, wide).join('\n')}\n`;
  const asked = address.toString(16).padStart(wide ? 16 : 8, '0');
  if (found.missing === 'unknown') return `${noFigures(found.dump, 'token')}\n`;
  return `${asked} is not a token${found.missing === 'no-token' ? '' : ' that can be read'}\n`;
}

export const token: View<TokenWanted, TokenFound> = {
  command: '!token',
  shell: 'kd MEMORY.DMP -c "!token ADDRESS"',
  words: (words) => {
    const [word, ...more] = words.filter((one) => one !== '-n');
    if (word === undefined || more.length > 0)
      return { error: '!token wants the address of a token or of a process: !process 0 1 lists both' };
    const address = typedAddress(word);
    return address === null ? { error: noAddress(word) } : { address: virtual(address) };
  },
  read: async ({ opened }, { address }) =>
    (await import('../../analysis/objects/token-part.js')).findToken(opened, address),
  text,
  json: ({ schemaVersion, dump, system, token: found, missing, warnings }) => ({
    ...{ schemaVersion, dump, system, warnings, missing },
    token: found === null ? null : { address: hex(found.address), ...jsonOf(found.details) },
  }),
};

/** LUIDs and addresses as texts. */
function jsonOf(details: TokenDetails): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, typeof value === 'bigint' ? hex(value) : (value as unknown)]),
  );
}
