/** The work of a worker: identifies files and analyzes dumps. */

import { basename, dirname } from 'node:path';
import { failed } from '../../parsers/bytes/failure.js';
import { listMembers } from '../../parsers/bytes/containers/containers.js';
import { FileSource } from '../../parsers/bytes/file-source.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { openDump } from '../../parsers/dump/open-dump.js';
import { OpenedDump } from '../kernel/open/opened-dump.js';
import { readTagFile, TagDescriptions } from '../kernel/pool/tag-descriptions.js';
import type { ModuleCompleter } from '../analysis/analyze.js';
import { givenOptions, imageFolders, run } from '../analysis/run.js';
import { shortResult } from '../report/json.js';
import { Redactor } from '../redact/redactor.js';
import type { AnalysisResult } from '../result/result.js';
import type { SymbolSources } from '../../symbols/sources.js';
import { placeText, type DriverFact, type DumpEntry, type Place } from './inputs/entries.js';
import { headerIdOf, identify } from './inputs/identity.js';
import { lineOf } from './journal/journal.js';
import { machineFacts } from './machine-facts.js';
import {
  shownPathOf,
  type Analyzed,
  type AnalysisSettings,
  type AnalyzeTask,
  type Identified,
  type Unwritten,
} from './messages.js';
import { renderPage } from './outputs/pages.js';
import { redactPlace } from './redaction.js';
import { writeTemporaryFile } from './journal/replace-file.js';
import { noteOf } from './outputs/summary.js';

export type Step = (step: string, done: number, total: number) => void;

/** Throws InputError when the file cannot be read or is a damaged archive. */
export async function identifyFile(path: string): Promise<Identified> {
  const file = new FileSource(path);
  let fileId: string;
  let cut = false;
  try {
    fileId = identify(file).id;
    cut = isCut(file);
  } finally {
    file.close();
  }
  return { kind: 'identify', fileId, members: await membersOf(path), cut };
}

/** The names of an archive's dumps; null also for one that cannot be listed: analyzing it says why. */
async function membersOf(path: string): Promise<string[] | null> {
  try {
    const members = await listMembers(path);
    return members === null || members.length < 2 ? null : members;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

function isCut(file: FileSource): boolean {
  try {
    return openDump(file).truncated;
  } catch {
    return false;
  }
}

/** Analyzes one dump and writes its page. Throws InputError for what is no dump that can be analyzed. */
export async function analyzeFile(
  task: AnalyzeTask,
  settings: AnalysisSettings,
  tools: Tools,
  progress: Step,
): Promise<Analyzed | Unwritten> {
  const { path, member, fileId } = task;
  const opened = await OpenedDump.open(path, {
    progress: (done, total) => {
      progress('unpacking', done, total);
    },
    ...(tools.symbols === null ? {} : { symbols: tools.symbols }),
    ...(member === null ? {} : { member }),
    ...(settings.mostBytes === null ? {} : { mostBytes: settings.mostBytes }),
  });
  try {
    const { id, headerId } = opened.file.container === null ? headOf(opened, fileId) : identify(opened.file.source);
    const whole = { path: shownPathOf(task), member };
    const place = redactPlace(whole, tools.redactor);
    const { pooltag, images, knownIssues } = settings;
    const result = await run(opened, {
      ...{ progress, descriptions: tools.descriptions, images: tools.images, symbols: tools.symbols },
      knownIssues: settings.issues,
      noted: givenOptions({ pooltag, images, knownIssues }),
      path: placeText(whole),
      redaction:
        tools.redactor === null
          ? null
          : { redactor: tools.redactor, files: [...filesOf(whole, settings), path], path: placeText(place) },
    });
    const folder = (task.machineByFolder ?? settings.machineByFolder) ? basename(dirname(path)) : null;
    const machine = machineFacts(result, folder === null ? null : (tools.redactor?.host(folder) ?? folder));
    const entry: DumpEntry = {
      ...{
        kind: 'dump',
        ...place,
        fileId,
        id,
        headerId,
        machine,
        drivers: driversOf(result),
        result: shortResult(result),
      },
      at: new Date().toISOString(),
    };
    return written(entry, result, settings.pages);
  } finally {
    opened.close();
  }
}

/** What the batch is told of a dump, once its page is written where one is wanted. */
function written(entry: DumpEntry, result: AnalysisResult, folder: string | null): Analyzed | Unwritten {
  const { dump, run } = entry.result;
  const facts = { truncated: dump.truncated, elapsedMs: run.elapsedMs };
  try {
    return {
      kind: 'analyze',
      line: lineOf(entry),
      note: noteOf(entry),
      ...facts,
      page: folder === null ? null : writeTemporaryFile(folder, [renderPage(result)]),
    };
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    return { kind: 'unwritten', code, path, message };
  }
}

/** A file that is not wrapped is its dump. */
function headOf(opened: OpenedDump, fileId: string): { id: string; headerId: string } {
  return { id: fileId, headerId: headerIdOf(opened.file.source) };
}

/** What is opened once for all dumps of a worker. */
export interface Tools {
  descriptions: TagDescriptions;
  images: ModuleCompleter | undefined;
  symbols: SymbolSources | null;
  redactor: Redactor | null;
}

/** Throws InputError for a list of tags that cannot be read (any more). */
export async function makeTools(settings: AnalysisSettings, env: NodeJS.ProcessEnv): Promise<Tools> {
  const lists = settings.pooltag.map((path) => {
    const file = readTagFile(path);
    if (failed(file)) throw new InputError('io', file.message);
    return file;
  });
  const key = settings.redactKey;
  return {
    descriptions: new TagDescriptions(lists),
    images: await imageFolders(settings.images),
    symbols: await openSymbols(settings, env),
    redactor: key === null ? null : new Redactor(Buffer.from(key, 'hex'), true),
  };
}

async function openSymbols({ symbols }: AnalysisSettings, env: NodeJS.ProcessEnv): Promise<SymbolSources | null> {
  if (symbols === null) return null;
  const [{ SymbolSources }, { parseSymbolPath }] = await Promise.all([
    import('../../symbols/sources.js'),
    import('../../symbols/store/symbol-path.js'),
  ]);
  const path = parseSymbolPath(symbols.path, env, { servers: symbols.servers });
  const { profiles, offline, allowRedirects } = symbols;
  return new SymbolSources({ path, env, profiles, offline, allowRedirects });
}

/** The files that the user named: texts may name them again. */
function filesOf({ path, member }: Place, { pooltag, images, knownIssues, symbols }: AnalysisSettings): string[] {
  const dump = member === null ? [path] : [path, member];
  return [...dump, ...pooltag, ...images, ...knownIssues, ...(symbols?.profiles ?? [])];
}

function driversOf({ modules }: AnalysisResult): DriverFact[] {
  return (modules ?? []).map(({ name, base, version, timeDateStamp }) => ({
    ...{ name, base },
    version: version?.fileVersion ?? null,
    company: version?.companyName ?? null,
    timeDateStamp,
  }));
}
