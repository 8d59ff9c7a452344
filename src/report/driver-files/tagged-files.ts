/** What `dumpleak tags PATH... --tag TAG` writes: text for people, JSON and CSV for programs. */

import { basename } from 'node:path';
import { printable } from '../../../parsers/text-safety.js';
import type { DriverSearch, TaggedFile } from '../../analysis/driver-files/search.js';
import { SCHEMA_VERSION, type Warning } from '../../result/result.js';
import { table } from '../csv.js';
import { counted, parseHex } from '../../views/print/format.js';
import { renderPart } from '../../views/print/part-json.js';
import { evidenceLines, TONES, versionText } from '../text/analyze-suspects.js';
import { bullets, createStyle, fit, heading, wrap, type Style, type StyleOptions } from '../../views/print/style.js';

const MOST_EVIDENCE = 4;
const MOST_WARNINGS = 10;

/** The report for people. All files are listed; of their evidence the first ones. */
export function renderTaggedFiles(found: DriverSearch, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const sections = found.tags.map((tag) => tagSection(tag, found, style));
  const lines = sections.flatMap((section) => [...section, '']);
  lines.push(...coverage(found, style));
  const { unread, hidden } = parted(found.warnings);
  lines.push(...listed('Not read', unread, style), ...listed('Code that is not seen', hidden, style));
  return `${lines.join('\n')}\n`;
}

/** Warnings of files that could not be read, and of drivers whose code is hidden. */
function parted(warnings: readonly Warning[]): { unread: Warning[]; hidden: Warning[] } {
  const isHidden = ({ code }: Warning): boolean => code === 'processor-not-supported' || code === 'code-packed';
  return { unread: warnings.filter((warning) => !isHidden(warning)), hidden: warnings.filter(isHidden) };
}

function listed(title: string, warnings: readonly Warning[], style: Style): string[] {
  if (warnings.length === 0) return [];
  const shown = warnings.slice(0, MOST_WARNINGS).map(({ message }) => printable(message));
  const more = warnings.length - shown.length;
  if (more > 0) shown.push(`and ${counted(more, 'more')}: with --json`);
  return ['', heading(title, style), ...bullets(shown, style)];
}

function tagSection(tag: string, found: DriverSearch, style: Style): string[] {
  const files = found.files.filter((file) => file.tag === tag);
  if (files.length === 0) return [heading(`Tag ${printable(tag)}: in none of the drivers`, style)];
  const allocating = files.filter(({ confidence }) => confidence !== 'low').length;
  const weak = files.length - allocating;
  const parts = [
    allocating === 0 ? null : `${counted(allocating, 'driver')} with evidence`,
    weak === 0 ? null : `${counted(weak, 'driver')} with a weak trace`,
  ].filter((part) => part !== null);
  return [
    heading(`Tag ${printable(tag)}: ${parts.join(', ')}`, style),
    ...files.flatMap((file) => fileLines(file, style)),
  ];
}

function fileLines(file: TaggedFile, style: Style): string[] {
  const architecture = file.architecture ?? 'other processor';
  const version = versionText(file.version, style.width - 26 - architecture.length, style);
  const about = [architecture, version].filter((part) => part !== '');
  const name = basename(file.path).replace(/\.[^.]*$/, '');
  const more = file.evidence.length - MOST_EVIDENCE;
  const wide = file.evidence.some(({ address }) => (parseHex(address) ?? 0n) > 0xffffffffn);
  return [
    '',
    // Paths are not broken: people copy them.
    `  ${style.paint(TONES[file.confidence], printable(file.path))}`,
    `    confidence ${file.confidence}  ${style.paint('dim', about.join(', '))}`,
    ...file.evidence
      .slice(0, MOST_EVIDENCE)
      .flatMap((evidence) => evidenceLines(evidence, fit(printable(name), 24, style), wide, style)),
    ...(more > 0 ? [`      and ${counted(more, 'more place', 'more places')}: with --json`] : []),
  ];
}

function coverage({ searched, warnings }: DriverSearch, style: Style): string[] {
  const { files, skipped, incomplete } = searched;
  const { unread } = parted(warnings);
  const sentences = [
    `${counted(files, 'driver')} searched`,
    skipped === 0 ? null : `${counted(skipped, 'other file')} skipped`,
    unread.length === 0 ? null : `${counted(unread.length, 'file')} could not be read`,
  ].filter((part) => part !== null);
  const missing =
    incomplete === 0
      ? ''
      : ` ${counted(incomplete, 'driver')} ${incomplete === 1 ? 'has' : 'have'} pages without bytes in the file (packed, or cut short): what stands there is not known.`;
  return wrap(`${sentences.join(', ')}.${missing}`, style.width);
}

/** The object of the result contract, with `tags` and each file's `tag` for searches of several. */
export function renderTaggedFilesJson(found: DriverSearch): string {
  const { tags, files, searched, warnings } = found;
  const tag = tags.length === 1 ? (tags[0] ?? null) : null;
  return renderPart({ schemaVersion: SCHEMA_VERSION, tag, tags, files, searched, warnings });
}

const COLUMNS = [
  ...['tag', 'path', 'architecture', 'confidence', 'companyName', 'productName', 'fileVersion', 'kind', 'address'],
  ...['offset', 'bytes', 'ascii', 'section', 'executable', 'symbol', 'instruction', 'callsAllocator', 'note'],
];

/** A row an evidence, as spreadsheets take it. */
export function renderTaggedFilesCsv(found: DriverSearch): string {
  const rows = found.files.flatMap(({ tag, path, architecture, confidence, version, evidence }) =>
    evidence.map((e) => [
      ...[tag, path, architecture, confidence],
      ...[version?.companyName ?? null, version?.productName ?? null, version?.fileVersion ?? null],
      ...[e.kind, e.address, e.offset, e.bytes, e.ascii, e.section, e.executable],
      ...[e.symbol, e.instruction, e.callsAllocator, e.note],
    ]),
  );
  return table('tags.csv', COLUMNS, rows).text;
}
