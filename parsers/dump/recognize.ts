/** What a file is when it is no kernel dump that can be read: each kind with one line on what to do instead. */

import { u32 } from '../bytes/fields.js';
import { InputError } from '../bytes/input-error.js';

/** Signatures of other files that people hand in. */
const OTHERS: readonly {
  readonly name: string;
  readonly magic: string;
  readonly at?: number;
  readonly advice: string;
}[] = [
  {
    name: 'a user-mode minidump (MDMP)',
    magic: 'MDMP',
    advice: 'it holds one process, no kernel pool: collect a kernel dump (MEMORY.DMP)',
  },
  {
    name: 'an old user-mode dump',
    magic: 'USERDU',
    advice: 'it holds one process, no kernel pool: collect a kernel dump (MEMORY.DMP)',
  },
  {
    name: 'a UEFI offline dump (Raw_Dmp!)',
    magic: 'Raw_Dmp!',
    advice: 'convert it to a MEMORY.DMP with the tool of the platform that wrote it',
  },
  {
    name: 'an ELF core of a virtual machine',
    magic: '\x7fELF',
    advice: 'convert it with elf2dmp (QEMU) or `virsh dump --memory-only --format win-dmp`',
  },
  {
    name: 'a VMware snapshot or suspend file',
    magic: '\xd2\xbe\xd2\xbe',
    advice: 'convert it with vmss2core -W8 (Windows guest), with the .vmem file beside it',
  },
  {
    name: 'a VMware snapshot or suspend file',
    magic: '\xd1\xba\xd1\xba',
    advice: 'convert it with vmss2core -W8 (Windows guest), with the .vmem file beside it',
  },
  {
    name: 'a VMware snapshot or suspend file',
    magic: '\xd3\xbe\xd2\xbe',
    advice: 'convert it with vmss2core -W8 (Windows guest), with the .vmem file beside it',
  },
  {
    name: 'a VMware snapshot or suspend file',
    magic: '\xd0\xbe\xd2\xbe',
    advice: 'convert it with vmss2core -W8 (Windows guest), with the .vmem file beside it',
  },
  { name: 'a hibernation file', magic: 'hibr', advice: 'it is no crash dump: force a bugcheck to get a MEMORY.DMP' },
  { name: 'a hibernation file', magic: 'HIBR', advice: 'it is no crash dump: force a bugcheck to get a MEMORY.DMP' },
  { name: 'a LiME memory image', magic: 'EMiL', advice: 'convert it to a Windows crash dump first' },
  { name: 'a cabinet', magic: 'MSCF', advice: 'unpack it first' },
  { name: 'a program or driver file', magic: 'MZ', advice: 'give the dump file instead' },
  { name: 'a PDB file', magic: 'Microsoft C/C++', advice: 'give the dump file instead' },
  { name: 'a virtual disk', magic: 'vhdxfile', advice: 'copy MEMORY.DMP out of it first' },
  { name: 'a VMware disk', magic: 'KDMV', advice: 'copy MEMORY.DMP out of it first' },
  { name: 'an event trace or log', magic: 'ElfFile', advice: 'give the dump file instead' },
];

/** Memory of a virtual machine has no signature: only the file's name tells. */
const BY_EXTENSION: readonly { readonly pattern: RegExp; readonly name: string; readonly advice: string }[] = [
  {
    pattern: /\.(vmem|vmss|vmsn)$/i,
    name: 'memory of a VMware machine',
    advice: 'convert it with vmss2core -W8 (Windows guest), with the .vmss or .vmsn file beside it',
  },
  {
    pattern: /\.(vmrs|vsv|bin)$/i,
    name: 'saved state of a Hyper-V machine',
    advice:
      'start the machine from it and force a bugcheck, or convert it with the saved-state tools of the Hyper-V SDK',
  },
  {
    pattern: /\.(sav|core)$/i,
    name: 'saved state of a virtual machine',
    advice: 'convert it to a Windows crash dump first',
  },
];

/**
 * Says why a file that does not begin like a kernel dump cannot be read. `head` is its beginning (some KB), `allZero`
 * says whether samples from all over the file are zero too.
 */
export function notADump(path: string, head: Uint8Array, allZero: boolean): InputError {
  if (head.length === 0) return new InputError('empty', `${path} is empty`);
  if (allZero) {
    return new InputError(
      'all-zero',
      `${path} holds only zeros: Windows reserved the file but did not write the dump into it, or the copy failed`,
    );
  }
  const start = Buffer.from(head.subarray(0, 16)).toString('latin1');
  const kind = OTHERS.find((o) => start.startsWith(o.magic)) ?? BY_EXTENSION.find((o) => o.pattern.test(path));
  if (kind !== undefined) return new InputError('wrong-kind', `${path} is ${kind.name}: ${kind.advice}`);
  if (isText(head)) return new InputError('text-file', `${path} is a text file, not a dump`);
  const first = u32(head, 0).toString(16).padStart(8, '0');
  return new InputError(
    'not-a-dump',
    `${path} is not a Windows kernel dump (it begins with 0x${first}, not PAGEDU64 or PAGEDUMP)`,
  );
}

/** Mostly printable bytes, or UTF-16 with a mark. */
function isText(head: Uint8Array): boolean {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) return true;
  return head.every((byte) => byte === 9 || byte === 10 || byte === 12 || byte === 13 || (byte >= 32 && byte !== 127));
}
