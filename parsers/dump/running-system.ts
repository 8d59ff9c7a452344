/** Whether a dump is of a system that went on running while it was taken, as far as its header tells. */

import type { DumpHeader } from './header.js';
import { ATTRIBUTES } from './open-dump.js';

/** The bug check code of Windows' own live dumps. */
export const LIVE_SYSTEM_DUMP = 0x161;
/** `MATT`: what a widespread memory imager puts for a bug check. */
export const IMAGER = 0x4d415454;
/** A bit that Windows adds to the codes of bug checks that it passes on. */
const PASSED_ON = 0x10000000;

export const byLiveKd = (header: DumpHeader): boolean => /livekd/i.test(header.comment ?? '');

/** True for dumps of a system that went on running: Windows' own, LiveKd's, a memory imager's. Their pages are of different moments. */
export function isOfRunningSystem(header: DumpHeader): boolean {
  const code = header.bugCheckCode === null ? null : (header.bugCheckCode & ~PASSED_ON) >>> 0;
  const marked = ((header.attributes ?? 0) & ATTRIBUTES.LiveDumpGeneratedDump) !== 0;
  return marked || code === LIVE_SYSTEM_DUMP || code === IMAGER || byLiveKd(header);
}
