/** The kinds of dump in words, and what a kind cannot hold. */

import { taggingIsOff, type AnalysisResult, type DumpInfo, type DumpType } from '../../result/result.js';

const KINDS: Readonly<Record<DumpType, string>> = {
  full: 'complete memory dump',
  kernel: 'kernel memory dump',
  'bitmap-full': 'complete memory dump (bitmap)',
  'bitmap-kernel': 'kernel memory dump (bitmap)',
  automatic: 'automatic memory dump',
  triage: 'small memory dump (triage)',
  header: 'dump header alone',
  'rdmp-kernel': 'kernel memory dump (RDMP)',
  'rdmp-kernel-user': 'kernel and user memory dump (RDMP)',
  'rdmp-full': 'complete memory dump (RDMP)',
};

/** `kernel memory dump (bitmap)`, with `live` before it where the system went on running. */
export function dumpKind(dump: DumpInfo): string {
  return `${dump.live ? 'live ' : ''}${KINDS[dump.type]}`;
}

/** Whether a kind of dump holds memory that pool tables could stand in. */
export function canHoldPoolTables(dump: DumpInfo): boolean {
  return dump.type !== 'triage' && dump.type !== 'header';
}

/** The sentence for figures that are not there: the kind of dump is the reason, or they could not be read. */
export function noFigures(dump: DumpInfo, what: string): string {
  return canHoldPoolTables(dump)
    ? `The ${what} could not be read from this dump; the warnings of "dumpleak analyze" say why.`
    : `A ${dumpKind(dump)} holds no ${what}.`;
}

/** Why a result has no pool tags although its kind of dump can hold the tables. */
export function whyNoTags({ warnings }: Pick<AnalysisResult, 'warnings'>): string {
  return taggingIsOff(warnings)
    ? 'Pool tagging was off: no tag was counted.'
    : 'The pool tag tables could not be read.';
}

/** 64-bit addresses: by the architecture, or by the addresses themselves where it is unknown. */
export function hasWideAddresses(result: Pick<AnalysisResult, 'dump'>): boolean {
  const { architecture, format } = result.dump;
  return architecture === null ? format === 'PAGEDU64' : architecture === 'x64' || architecture === 'arm64';
}
