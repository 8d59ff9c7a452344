/** How a dump came about, as far as its header tells: by a crash, of a running system, by which tool. */

import { hex } from '../../parsers/bytes/failure.js';
import type { DumpHeader } from '../../parsers/dump/header.js';
import { ATTRIBUTES } from '../../parsers/dump/open-dump.js';
import { byLiveKd, IMAGER, LIVE_SYSTEM_DUMP } from '../../parsers/dump/running-system.js';
import { printable } from '../../parsers/text-safety.js';
import type { Note } from '../result/result.js';
import { nameBugCheck, plainBugCheckCode } from '../leak/bugcheck/bug-checks.js';

const LIVE_MEANING =
  'A live dump is not of one moment: pages changed while it was taken, so counters and lists may disagree a little';

/** What the set bits of Attributes say. */
const MARKS: readonly (readonly [bit: keyof typeof ATTRIBUTES, code: string, message: string])[] = [
  ['HiberCrash', 'hibernation', 'The system crashed while it hibernated or came back from it'],
  ['DumpDevicePowerOff', 'device-off', 'The device that took the dump was powered off'],
  ['KernelGeneratedTriageDump', 'kernel-triage', 'The kernel itself wrote this small dump'],
  ['DumpIsGeneratedOffline', 'offline', 'Firmware kept the memory, and the dump was written after a restart (offline)'],
  [
    'FilterDumpFile',
    'filtered',
    'Filtered, as an active memory dump is: pages that hardly help, such as those of virtual machines, were left out',
  ],
  ['EarlyBootCrash', 'early-boot', 'The crash was early in the start of Windows'],
  ['DecryptedDump', 'decrypted', 'The dump was encrypted and has been decrypted'],
];

/** One remark for each thing that the header says of how the dump was made; empty for an ordinary crash. */
export function dumpOrigin(header: DumpHeader): Note[] {
  const attributes = header.attributes ?? 0;
  const code = header.bugCheckCode === null ? null : plainBugCheckCode(header.bugCheckCode);
  const isLive = (attributes & ATTRIBUTES.LiveDumpGeneratedDump) !== 0;
  const comment = header.comment?.trim() ?? '';
  const notes: Note[] = [];
  const note = (noteCode: string, message: string): void => {
    notes.push({ code: noteCode, message });
  };
  if (byLiveKd(header)) {
    note('livekd', 'Taken with LiveKd of a running system; only its mirror mode (-m) takes all pages of one moment');
  } else if (/elf2dmp/i.test(comment)) {
    note('elf2dmp', 'Converted from the memory of a virtual machine with elf2dmp');
  } else if (code === IMAGER) {
    note('imager', `Written by a memory imager, not by Windows. ${LIVE_MEANING}`);
  } else if (isLive && code !== LIVE_SYSTEM_DUMP && code !== null) {
    const name = nameBugCheck(code);
    const what = `0x${code.toString(16).toUpperCase()}${name === null ? '' : ` ${name}`}`;
    note('live-report', `Taken of the running system, because a part of Windows reported ${what}. ${LIVE_MEANING}`);
  } else if (isLive || code === LIVE_SYSTEM_DUMP) {
    note(
      'live',
      `Taken of the running system, without a crash, as Task Manager and NtSystemDebugControl do. ${LIVE_MEANING}`,
    );
  }
  for (const [bit, markCode, message] of MARKS) {
    if ((attributes & ATTRIBUTES[bit]) !== 0) note(markCode, message);
  }
  if (header.writerStatus !== null && header.writerStatus !== 0) {
    note('writer-status', `Windows reports that writing the dump ended with ${hex(header.writerStatus)}`);
  }
  if (comment !== '') note('comment', `Its comment: "${printable(comment)}"`);
  return notes;
}

/** The names of the attribute bits that are set; null where Windows did not set the field. */
export function attributeNames(header: DumpHeader): string[] | null {
  const { attributes } = header;
  if (attributes === null) return null;
  return Object.entries(ATTRIBUTES)
    .filter(([, bit]) => (attributes & bit) !== 0)
    .map(([name]) => name);
}
