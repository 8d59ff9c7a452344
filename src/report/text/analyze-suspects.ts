/** The suspects of `dumpleak analyze`: what a tag holds, who allocates under it and how that is known. */

import { printable } from '../../../parsers/text-safety.js';
import { kindFacts } from '../../result/evidence-kinds.js';
import { moduleOfDriver } from '../../result/joins.js';
import { tagInWords } from '../../result/tag.js';
import type {
  AnalysisResult,
  Confidence,
  Evidence,
  ModuleInfo,
  Suspect,
  SuspectDriver,
  VersionInfo,
} from '../../result/result.js';
import {
  counted,
  debuggerAddress,
  humanBytes,
  parseHex,
  percent,
  thousands,
  timesAsMany,
} from '../../views/print/format.js';
import { hasWideAddresses } from '../../views/print/dump-kind.js';
import { hexAndText, searchedSentences } from '../../views/search.js';
import { bullets, fit, flow, heading, pairs, wrap, type Style, type Tone } from '../../views/print/style.js';
import { contentLines } from './analyze-contents.js';
import { candidatesTitle, candidateWords } from '../../views/print/candidate-words.js';
import { stepText, unclustered } from '../related.js';
import { ownerText } from '../../views/print/tag-owner.js';
import { holderLines } from '../../views/print/holder-lines.js';
import { clusterCulprit } from '../../leak/culprit.js';
import { isSuspicious } from '../../leak/suspects.js';
import { suspectTitle } from '../suspect-title.js';

const MOST_SUSPECTS = 5;
const MOST_DRIVERS = 4;
const MOST_EVIDENCE = 4;
const MOST_UNLOADED = 10;

/** The colour of a confidence. */
export const TONES: Readonly<Record<Confidence, Tone>> = { high: 'bad', medium: 'warn', low: 'plain' };

/** The bytes of an evidence line: hexadecimal pairs; those that are missing are not there. */
export function evidenceBytes(evidence: Evidence): Uint8Array {
  return Uint8Array.from(evidence.bytes?.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16));
}

/** The module that a suspect's driver is. */
export function moduleOf(result: Pick<AnalysisResult, 'modules'>, driver: SuspectDriver): ModuleInfo | null {
  return moduleOfDriver(driver, result.modules);
}

/** The suspects that are written out. */
export function shownSuspects(result: AnalysisResult): Suspect[] {
  return result.suspects.slice(0, MOST_SUSPECTS);
}

/** `call qword ptr [...] at fffff880`044b63b9 (ExAllocatePoolWithTag)`, or null where no call is known. */
function callText({ call, callsAllocator }: Evidence, wide: boolean): string | null {
  if (call === null) return callsAllocator === true ? 'a call to an allocator follows' : null;
  const address = parseHex(call.address);
  const instruction = printable(call.instruction ?? 'a call').replace(/ +/g, ' ');
  const place = address === null ? '' : ` at ${debuggerAddress(address, wide)}`;
  const through = call.through.length === 0 ? '' : ` through ${call.through.map(printable).join(', ')}`;
  return `${instruction}${place} (${printable(call.allocator)}${through})`;
}

/** One evidence: where it stands, its bytes, and why it counts. */
export function evidenceLines(evidence: Evidence, shortName: string, wide: boolean, style: Style): string[] {
  const address = parseHex(evidence.address);
  const offset = parseHex(evidence.offset);
  const symbol = evidence.symbol === null ? null : printable(evidence.symbol);
  const section = evidence.section === null ? null : printable(evidence.section);
  const code =
    evidence.executable === null || section === null ? '' : evidence.executable ? ', executable' : ', not executable';
  const parts = [
    address === null ? null : debuggerAddress(address, wide),
    offset === null ? null : `${shortName}+0x${offset.toString(16)}`,
    symbol === null ? null : `(${symbol})`,
    section === null ? null : `${section}${code}`,
    kindFacts(evidence.kind).words,
  ].filter((part) => part !== null);
  const detail = [
    evidence.instruction === null ? null : printable(evidence.instruction).replace(/ +/g, ' '),
    callText(evidence, wide),
    evidence.note === null ? null : printable(evidence.note),
  ].filter((part) => part !== null);
  return [
    ...flow(parts, '  ', style.width, '      ', '        '),
    ...(evidence.bytes === null ? [] : [`        ${style.paint('dim', hexAndText(evidenceBytes(evidence)))}`]),
    ...(detail.length === 0 ? [] : wrap(detail.join('; '), style.width, '        ')),
  ];
}

/** Company, description and version in so many columns; empty where unknown. What is too long costs no version. */
export function versionText(version: VersionInfo | null, width: number, style: Style): string {
  if (version === null) return '';
  const about = [version.companyName, version.fileDescription]
    .filter((part) => part !== null)
    .map(printable)
    .join(', ');
  const number = version.fileVersion === null ? '' : printable(version.fileVersion);
  if (number === '') return fit(about, width, style);
  const room = width - number.length - 2;
  return about === '' || room < 8 ? fit(number, width, style) : `${fit(about, room, style)}, ${number}`;
}

/** Where a driver comes from: product, date, signature, and the file that completes it. */
function originLines(module: ModuleInfo | null, style: Style): string[] {
  if (module === null) return [];
  const { version, builtAt, timeStampKind, signature, image } = module;
  const stamp =
    builtAt !== null && builtAt !== undefined
      ? `built ${builtAt.slice(0, 10)}`
      : timeStampKind === 'hash'
        ? 'its time stamp is a hash, not a date'
        : timeStampKind === 'impossible'
          ? 'its time stamp is no possible date'
          : null;
  const signer = signature?.signer ?? null;
  const parts = [
    version?.productName ? `product ${printable(version.productName)}` : null,
    stamp,
    signature ? `${signer === null ? '' : `signed as ${printable(signer)}: `}${printable(signature.note)}` : null,
    image ? `${counted(image.pagesFilled, 'page')} from ${printable(image.path)}` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? [] : wrap(parts.join('; '), style.width, '      ', '        ');
}

function driverLines(result: AnalysisResult, driver: SuspectDriver, style: Style): string[] {
  const module = moduleOf(result, driver);
  const name = fit(printable(driver.module), 40, style);
  const about = versionText(module?.version ?? null, style.width - name.length - 24, style);
  const head = `    ${style.paint(TONES[driver.confidence], name)}  confidence ${driver.confidence}${about === '' ? '' : `  ${style.paint('dim', about)}`}`;
  const shortName = fit(printable(module?.moduleName ?? driver.module.replace(/\.[^.]*$/, '')), 24, style);
  const wide = hasWideAddresses(result);
  const more = driver.evidence.length - MOST_EVIDENCE;
  return [
    head,
    ...originLines(module, style),
    ...driver.evidence.slice(0, MOST_EVIDENCE).flatMap((evidence) => evidenceLines(evidence, shortName, wide, style)),
    ...(more > 0 ? [`      and ${counted(more, 'more place', 'more places')}: with --json`] : []),
  ];
}

function driversLines(result: AnalysisResult, suspect: Suspect, style: Style): string[] {
  const more = suspect.drivers.length - MOST_DRIVERS;
  if (suspect.drivers.length === 0) {
    return [
      suspect.searched === null
        ? '  Drivers: none named; the modules were not searched for the tag.'
        : '  Drivers: none named; no module that could be searched holds the tag.',
    ];
  }
  return [
    '  Drivers, best first',
    ...suspect.drivers.slice(0, MOST_DRIVERS).flatMap((driver) => driverLines(result, driver, style)),
    ...(more > 0 ? [`    and ${counted(more, 'more driver', 'more drivers')}: with --json`] : []),
  ];
}

/** What is known of it from before. */
function knownLines({ knownIssues }: Suspect, style: Style): string[] {
  if (!knownIssues || knownIssues.length === 0) return [];
  const points = knownIssues.map(({ driver, known, fix, source, file }) =>
    printable(
      `${driver === null ? '' : `${driver}: `}${known}${fix === null ? '' : ` ${fix}`} (${source}${file === null ? '' : `; ${file}`})`,
    ),
  );
  return ['  Known', ...bullets(points, style, style.bullet, '    ')];
}

/** Who could be behind a tag of Windows. */
function candidateLines({ candidates }: Suspect, style: Style): string[] {
  const words = candidates ? candidateWords(candidates) : [];
  if (!candidates || words.length === 0) return [];
  return [
    ...wrap(candidatesTitle(candidates), style.width, '  ', '    '),
    ...bullets(words, style, style.bullet, '    '),
  ];
}

/** Tags in lock step with the suspect, whose they are, and who makes them grow. */
function clusterLines({ cluster }: Suspect, style: Style): string[] {
  if (!cluster) return [];
  const points = cluster.members.map(
    ({ tag: other, pool, outstanding, ratio, owner }) =>
      `${printable(other)}, ${pool} pool: ${counted(outstanding, 'allocation')}${stepText(ratio)}; ${owner === null ? 'owner not known' : ownerText(owner)}`,
  );
  const { culprit } = cluster;
  const because = culprit === null ? [] : [`${printable(culprit.because)} (confidence ${culprit.confidence})`];
  return [
    '  Tags in lock step',
    ...bullets(points, style, style.bullet, '    '),
    ...bullets(because, style, '+', '    '),
  ];
}

/** Tags whose counts go with the suspect's, besides those in lock step. */
function relatedLines({ related, tag, cluster }: Suspect, style: Style): string[] {
  const others = unclustered(related ?? [], cluster ?? null);
  if (others.length === 0) return [];
  const points = others.map(
    (other) =>
      `${printable(other.tag)}, ${other.pool} pool: ${counted(other.outstanding, 'allocation')}, ${timesAsMany(other.ratio)}`,
  );
  return [
    ...wrap(`Tags whose counts go with ${printable(tag)}: a hint, it may be chance`, style.width, '  ', '    '),
    ...bullets(points, style, style.bullet, '    '),
  ];
}

/** Unloaded drivers, where no loaded one is named: what is outstanding may be theirs. */
function unloadedLines(result: AnalysisResult, suspect: Suspect, style: Style): string[] {
  if (suspect.drivers.some(({ confidence }) => confidence !== 'low') || clusterCulprit(suspect) !== null) return [];
  const unloaded = result.unloadedModules ?? [];
  if (unloaded.length === 0) return [];
  const times = unloaded.slice(0, MOST_UNLOADED).map(({ name, unloadedAt }) => {
    const when = unloadedAt === null ? '' : ` (${unloadedAt.slice(0, 19).replace('T', ' ')} UTC)`;
    return `${printable(name)}${when}`;
  });
  const more = unloaded.length - times.length;
  return [
    '  Unloaded before the dump, the latest first: one of these may have allocated it',
    ...flow(times, ', ', style.width, '    ', '    '),
    ...(more > 0 ? [`    and ${counted(more, 'more', 'more')}: with --json or "dumpleak modules"`] : []),
  ];
}

function figureRows(suspect: Suspect): [string, string][] {
  const average =
    suspect.averageBytes === null ? '' : `, ${thousands(Math.round(suspect.averageBytes))} bytes on average`;
  const shares = [
    suspect.shareOfPool === null ? null : `${percent(suspect.shareOfPool)} of ${suspect.pool} pool`,
    suspect.shareOfMemory === null ? null : `${percent(suspect.shareOfMemory)} of physical memory`,
  ].filter((share) => share !== null);
  return [
    [
      'Holds',
      `${humanBytes(suspect.bytes)} (${thousands(suspect.bytes)} bytes) in ${counted(suspect.outstanding, 'allocation')}${average}`,
    ],
    ['Share', shares.length === 0 ? 'not known' : shares.join(', ')],
  ];
}

/** What is asked for is no suspicion, and has no confidence. */
function titleLine({ suspects }: AnalysisResult, suspect: Suspect, style: Style): string {
  const title = suspectTitle(suspects, suspect);
  const text = heading(`${title}: tag ${tagInWords(suspect.tag)}, ${suspect.pool} pool`, style);
  if (!isSuspicious(suspect)) return text;
  return `${text}   ${style.paint(TONES[suspect.confidence], `confidence ${suspect.confidence}`)}`;
}

/** A suspect in few lines: what it holds, who, and what speaks against it. */
function briefLines(result: AnalysisResult, suspect: Suspect, style: Style): string[] {
  const sure = suspect.drivers.filter(({ confidence }) => confidence !== 'low');
  const named = (sure.length > 0 ? sure : suspect.drivers).slice(0, MOST_DRIVERS);
  const drivers = named.map((driver) => {
    const version = moduleOf(result, driver)?.version?.fileVersion ?? null;
    return printable(`${driver.module}${version === null ? '' : ` ${version}`} (${driver.confidence})`);
  });
  const more = suspect.drivers.length - named.length;
  if (more > 0) drivers.push(`${more} more with weaker evidence`);
  return [
    titleLine(result, suspect, style),
    ...pairs([...figureRows(suspect), ['Drivers', drivers.length === 0 ? 'none named' : drivers.join(', ')]], style),
    ...holderLines(suspect, style),
    ...againstLines(suspect, style),
  ];
}

function againstLines({ against }: Suspect, style: Style): string[] {
  if (against.length === 0) return [];
  const messages = against.map(({ message }) => printable(message));
  return ['  Speaks against it, or is not known', ...bullets(messages, style, '-', '    ')];
}

/** A short section for each suspect. */
export function briefSections(result: AnalysisResult, style: Style): string[][] {
  return shownSuspects(result).map((suspect) => briefLines(result, suspect, style));
}

function suspectLines(result: AnalysisResult, suspect: Suspect, style: Style): string[] {
  const rows = figureRows(suspect);
  const messages = (notes: Suspect['reasons']) => notes.map(({ message }) => printable(message));
  const lines = [
    titleLine(result, suspect, style),
    ...pairs(rows, style),
    ...holderLines(suspect, style),
    ...driversLines(result, suspect, style),
  ];
  lines.push(...candidateLines(suspect, style), ...contentLines(suspect, style));
  if (suspect.reasons.length > 0)
    lines.push('  Speaks for it', ...bullets(messages(suspect.reasons), style, '+', '    '));
  lines.push(...againstLines(suspect, style), ...knownLines(suspect, style));
  lines.push(
    ...clusterLines(suspect, style),
    ...relatedLines(suspect, style),
    ...unloadedLines(result, suspect, style),
  );
  if (suspect.searched !== null) lines.push(...pairs([['Coverage', searchedSentences(suspect.searched)]], style));
  return lines;
}

/** A section for each suspect; none where there is no suspect. */
export function suspectSections(result: AnalysisResult, style: Style): string[][] {
  const shown = shownSuspects(result);
  const sections = shown.map((suspect) => suspectLines(result, suspect, style));
  const more = result.suspects.length - shown.length;
  if (more > 0) sections.push([`And ${counted(more, 'more suspect')}: with --json.`]);
  return sections;
}
