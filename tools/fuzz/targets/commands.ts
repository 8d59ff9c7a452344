/**
 * Every command of the program, run inside the process as the command line runs it, over damaged files of the kind that it
 * takes. It must end with a result or with a line that says what is wrong with the file; JSON must be JSON.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { COMMANDS } from '../../../src/cli/registry.js';
import { EXIT, type ExitCode } from '../../../src/cli/exit-codes.js';
import { run } from '../../../src/cli/run.js';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { canonical, tagKey } from '../../../test-dumps/bytes.js';
import { defaultRows } from '../../../test-dumps/defaults.js';
import { readFixtures } from '../../../test-dumps/drivers/fixtures.js';
import { CULPRIT_PID, OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import {
  SAMPLE_POOLTAG,
  sampleIsf,
  samplePerfmon,
  samplePoolmon,
  sampleResults,
  sealProfile,
} from '../sample-texts.js';
import type { FuzzTarget } from '../target.js';
import { JOURNALS } from './journals.js';
import { samplePdbs, sampleProfile } from './symbol-files.js';

/** Where the files of one run are. */
interface Place {
  /** The damaged file. */
  readonly input: string;
  /** A new path in the folder of the run. */
  readonly at: (name: string) => string;
}

/** What a command is given. */
interface Given {
  /** Good files, and what the file is called. */
  readonly files: Files;
  /** Words after the command; each input takes one of these lines, which follows from its bytes. */
  readonly lines: readonly ((place: Place) => readonly string[])[];
  /** As of the target. */
  readonly limits?: FuzzTarget['limits'];
  /** Ends that are right beside "done" and "the input is bad". */
  readonly ends?: readonly ExitCode[];
}

interface Files extends Pick<FuzzTarget, 'seeds' | 'words' | 'hot' | 'seal'> {
  /** Targets with these files keep them once. */
  readonly keptAs: string;
  readonly name: string;
}

/** A small machine with something for each command: a leak, blocks, objects, Driver Verifier. */
function machine(kernel: string): Scenario {
  return {
    ...OBJECT_SCENARIOS.zombies(12),
    ...{ kernel, processors: 2, memory: { bytes: 32 * 2 ** 20 } },
    modules: [
      { name: 'hal.dll', size: 0x8000 },
      { name: 'acmenet.sys', size: 0x9000, tags: [{ tag: 'Leak', style: 'alloc' }, { tag: 'Leak', style: 'text', text: 'xLeaky' }] },
    ],
    pool: { rows: [...defaultRows(), { tag: 'Leak', nonPaged: { allocs: 5000, frees: 12, bytes: 30_000_000 } }] },
    poolBlocks: {
      ...{ tags: ['Leak', 'File', 'Thre'], pages: 4, segments: 1, big: 6 },
      contents: [{ tag: 'Leak', pointers: [{ offset: 0x18, module: 'acmenet.sys', rva: 0x1f40 }] }],
    },
    verifier: {
      ...{ level: 0x9bb, drivers: ['acmenet.sys'] },
      allocations: [{ driver: 'acmenet.sys', tag: 'Leak', count: 3, bytes: 1024, callerRva: 0x1f40 }],
    },
    unloaded: [{ name: 'old.sys' }],
  }; // prettier-ignore
}

/** Of Windows 7 and of 2004: pools and tables of both kinds. */
const MACHINES = ['7601', '10.0.19041.804'].map(machine);

const DUMPS: Files = {
  ...{ keptAs: 'commands-dump', name: 'fuzz.dmp' },
  seeds: MACHINES.map((scenario) => (): Uint8Array => buildDump({ ...scenario, kind: 'bitmap-kernel' }).toBytes()),
};

/** An address in a block of the tag that leaks, on the first machine; on the other it is anywhere. */
const ADDRESS = (() => {
  let found: string | null = null;
  return (): string => {
    if (found !== null) return found;
    const [scenario] = MACHINES;
    const { truth } = buildDump(scenario ?? {});
    const block = truth.poolBlocks?.blocks.find(({ tag, state }) => tag === tagKey('Leak') && state === 'live');
    return (found = canonical((block?.va ?? 0) + 0x20).toString(16));
  };
})();

const file = (name: string, keptAs: string, more: Omit<Files, 'keptAs' | 'name'>): Files => ({ name, keptAs: `commands-${keptAs}`, ...more }); // prettier-ignore
const text = (words: string) => (): Uint8Array => Buffer.from(words);
const LOG_WORDS = ['99999999999999999999', '-1', '1e308', 'NaN', '"', ',', '\r\n', '\f', ' Tag  Type'];
const LOGS = file('fuzz.log', 'log', { seeds: [text(samplePoolmon('wide')), text(samplePerfmon()), text(sampleResults(false))], words: LOG_WORDS }); // prettier-ignore
const TAG_LIST = file('pooltag.txt', 'tag-list', { seeds: [text(SAMPLE_POOLTAG)], words: [' - ', '*', '????', '\0', '\n'] }); // prettier-ignore
const DRIVERS = file('fuzz.sys', 'driver', { seeds: [(): Uint8Array => driver('immediate'), (): Uint8Array => driver('helper')], hot: 0x400 }); // prettier-ignore
const PDBS = file('fuzz.pdb', 'pdb', { seeds: samplePdbs, hot: 0x600 });
const TABLES = file('fuzz.json', 'table', { seeds: [text(sampleIsf())], words: ['null', '-1', '{', '[', '"kind"'] });
const PROFILES = file('fuzz.profile.txt', 'profile', { seeds: [sampleProfile], words: ['end ', ' - ', '*', '#', '\n'], seal: sealProfile }); // prettier-ignore
const HISTORY = file('journal.ndjson', 'journal', { seeds: JOURNALS.map((bytes) => () => bytes), words: ['\n', '}\n{', '"crc":"00000000"}'] }); // prettier-ignore

function driver(shape: string): Uint8Array {
  const fixtures = readFixtures();
  const { driver: spec, file: bytes } = fixtures.find((one) => one.driver.shape === shape) ?? fixtures[0] ?? {};
  if (spec === undefined || bytes === undefined) throw new Error('no built driver');
  const changed = Buffer.from(bytes);
  for (let at = changed.indexOf(spec.tag); at >= 0; at = changed.indexOf(spec.tag, at + 1)) changed.write('Leak', at);
  return changed;
}

/** Lines of a command on one dump: each of these words after the dump, and each once more as JSON. */
function onDump(...words: readonly (readonly string[])[]): Given {
  const lines = words.flatMap((more) => [
    ({ input }: Place) => [input, ...more],
    ({ input }: Place) => [input, ...more, '--json'],
  ]);
  return { files: DUMPS, lines };
}

const atAddress = (...more: string[]): Given => ({
  files: DUMPS,
  lines: [({ input }) => [input, ADDRESS(), ...more], ({ input }) => [input, ADDRESS(), '--json']],
});

/** The engine of the database, which is made from nothing. */
const DATABASE = { ms: 8000, bytes: 1.2 * 2 ** 30 };

const onHistory = (limits: FuzzTarget['limits'], ...lines: (readonly string[])[]): Given => ({
  files: HISTORY,
  lines: lines.map((words) => ({ at }: Place) => [at(''), ...words]),
  ...(limits === undefined ? {} : { limits }),
});

/** What each command is given, by the name that the registry has for it. */
export const GIVEN: Readonly<Record<string, Given>> = {
  analyze: {
    files: DUMPS,
    lines: [
      ({ input }) => [input, '--tag', 'Leak'],
      ({ input }) => [input, '--json', '--deep'],
      ({ input, at }) => [input, '--brief', '--redact', '--html', at('page.html')],
      ({ input, at }) => [input, '--csv', at('csv'), '--json', '--redact'],
      ({ input }) => [input, '--fail-on-leak', '--fail-on-undecided', '--pool', 'nonpaged'],
    ],
    ends: [EXIT.leak],
  },
  info: onDump([], ['--redact']),
  kd: {
    files: DUMPS,
    lines: [
      ({ input }) => [input, '-c', '!vm 1; !poolused 2; lm; q'],
      ({ input }) => [input, '-c', `!pool ${ADDRESS()}; !poolval ${ADDRESS()}; !poolfind Leak; q`],
      ({ input }) => [
        input,
        '-c',
        '!process 0 0; !handle 0 0; !verifier 3; !for_each_module s -a @#Base @#End "Leak"; q',
      ],
    ],
  },
  vm: onDump(['1'], []),
  poolused: {
    files: DUMPS,
    lines: [
      ({ input }) => [input, '2'],
      ({ input }) => [input, '-t', '5', '4'],
      ({ input }) => [input, '0', 'Le*'],
      ({ input }) => [input, '--json'],
    ],
  },
  modules: onDump([], ['acmenet'], ['--at', 'fffff80000001000']),
  search: onDump(['Leak'], ['--hex', '4c65']),
  tags: {
    files: DRIVERS,
    lines: [
      ({ input }) => [input, '--tag', 'Leak'],
      ({ input }) => [input, '--tag', 'Leak', '--json'],
      ({ input }) => [input, '--localtag'],
    ],
  },
  pooltag: {
    files: TAG_LIST,
    lines: [({ input }) => ['Leak', '--pooltag', input], ({ input }) => ['Mm*', '--pooltag', input, '--json']],
  },
  recipe: {
    files: TAG_LIST,
    lines: [
      ({ input }) => ['Leak', '--pooltag', input, '--build', '19041'],
      ({ input }) => ['Leak', '--pooltag', input, '--driver', 'acmenet.sys', '--json'],
    ],
  },
  processes: onDump([], ['--redact']),
  handles: onDump([], ['--list'], ['--pid', String(CULPRIT_PID), '--type', 'Process']),
  objects: onDump([], ['--type', 'Process']),
  holders: onDump(['Proc'], ['File']),
  poolfind: onDump(['Leak'], ['*', '--limit', '100']),
  pool: atAddress(),
  poolval: atAddress(),
  block: atAddress('--bytes', '4096'),
  bigpool: onDump([], ['Leak']),
  verifier: onDump([], ['acmenet.sys'], ['--log']),
  trend: {
    files: LOGS,
    lines: [
      ({ input }) => [input],
      ({ input, at }) => [input, '--json', '--csv', at('trend.csv')],
      ({ input, at }) => [input, '--svg', at('trend.svg'), '--redact'],
    ],
  },
  diff: { files: LOGS, lines: [({ input }) => [input, input], ({ input }) => [input, input, '--json', '--redact']] },
  check: {
    files: DUMPS,
    lines: [
      ({ input }) => [input, '--tag', 'Leak=1MB', '--json'],
      ({ input, at }) => [input, '--write-baseline', '--baseline', at('baseline.json')],
    ],
    ends: [EXIT.leak],
  },
  poolmon: {
    files: DUMPS,
    lines: [({ input }) => [input], ({ input }) => [input, '--mapped', '--columns', 'narrow']],
  },
  batch: {
    files: DUMPS,
    lines: [({ input, at }) => [input, '--out', at('report'), '--jobs', '1', '--quiet']],
  },
  report: {
    files: HISTORY,
    lines: [({ at }) => [at(''), '--out', at('pages of it'), '--metrics', at('metrics.prom')]],
  },
  'history list': onHistory(undefined, [], ['--json', '--leaks']),
  'history show': onHistory(undefined, ['d-_share_1.dmp'], ['/share/ü\u2028.dmp', '--json']),
  'history groups': onHistory(undefined, [], ['--json']),
  'history machines': onHistory(undefined, [], ['--csv']),
  'history search': onHistory(DATABASE, ['Leak'], ['1', '--json']),
  'history export': onHistory(DATABASE, [], ['--csv']),
  'history tables': onHistory(DATABASE, [], ['--json']),
  'history sql': onHistory(DATABASE, ['select count(*) from dumps'], ['select * from suspects', '--json']),
  'history delete': onHistory(undefined, ['d-_share_1.dmp', '--dry-run'], ['d-_share_1.dmp']),
  'history prune': onHistory(undefined, ['--keep', '1', '--json'], ['--older-than', '1d']),
  'history rebuild': onHistory(DATABASE, []),
  'symbols check': onDump([]),
  'symbols fetch': {
    files: DUMPS,
    lines: [({ input, at }) => [input, '--urls', at('urls.txt'), '--symbol-server', 'https://symbols.invalid']],
  },
  'symbols info': { files: PDBS, lines: [({ input }) => [input], ({ input }) => [input, '--json']] },
  'profile make': {
    files: PDBS,
    lines: [({ input, at }) => [input, '-o', at('made.profile.txt')]],
  },
  'profile list': {
    files: PROFILES,
    lines: [({ input }) => ['--profiles', input], ({ input }) => ['--profiles', input, '--json']],
  },
};

/** Commands that take no file, and why they need no target. */
export const WITHOUT: Readonly<Record<string, string>> = {
  completion: 'it reads no file: the commands themselves',
  worker: 'it reads no file that it is given: what the queue holds comes from a database; the dumps are those of batch',
  'queue status': 'it reads no file: what it shows comes from a database',
  'queue retry': 'as queue status',
  'queue cancel': 'as queue status',
  mcp: 'a server over standard input, which waits for questions and answers each by another command in a process of its own',
  'store init': 'an address, and what a server says to it',
};

/** One target a command. */
export const COMMAND_TARGETS: readonly FuzzTarget[] = [
  ...COMMANDS.map(({ name }) => targetOf(name, GIVEN[name])),
  targetOf('profile make', { files: TABLES, lines: GIVEN['profile make']?.lines ?? [] }, 'profile-make-table'),
].filter((target) => target !== null);

function targetOf(command: string, given: Given | undefined, name = command.replaceAll(' ', '-')): FuzzTarget | null {
  if (given === undefined) return null;
  const { files, lines, ends = [], limits } = given;
  return {
    ...files,
    name: `command-${name}`,
    share: limits === undefined ? 0.1 : 0.02,
    ...(limits === undefined ? {} : { limits }),
    feed: async (input, folder) => {
      const place = { input: join(folder, files.name), at: (more: string) => join(folder, more) };
      mkdirSync(folder, { recursive: true });
      writeFileSync(place.input, input);
      const line = lines[crc32(input) % lines.length];
      if (line !== undefined)
        await runLine([...command.split(' '), ...line(place)], [EXIT.done, EXIT.badInput, ...ends]);
    },
  };
}

/** What a command line has written. */
interface Said {
  out: string;
  err: string;
}

/** Runs a command line. Throws where it ends as none should. */
async function runLine(words: readonly string[], ends: readonly ExitCode[]): Promise<void> {
  const said: Said = { out: '', err: '' };
  const stream = (name: keyof Said) => ({
    write(part: string, done?: () => void): boolean {
      said[name] += part;
      done?.();
      return true;
    },
  });
  const host = { env: { LANG: 'C.UTF-8' }, platform: process.platform, stdout: stream('out'), stderr: stream('err') };
  const code = await run(words, host);
  // What is written to a file, and the table of an empty history.
  const isSilent = code === EXIT.done && said.out === '' && (words.includes('-o') || words[0] === 'history');
  const wrong = isSilent ? null : wrongEnd(code, said, ends, words.includes('--json'));
  if (wrong !== null) throw new Error(`dumpleak ${words.join(' ')}: ${wrong}`);
}

/** What is wrong with an end; null where a result came, or a line that says what is wrong with the file. */
export function wrongEnd(code: ExitCode, said: Said, ends: readonly ExitCode[], json: boolean): string | null {
  if (!ends.includes(code)) return `ends with ${code}: ${said.err}`;
  // A report of what could not be decided is an answer too.
  if (code === EXIT.badInput && /^dumpleak: .+\n/.test(said.err)) return null;
  if (said.out === '') return code === EXIT.badInput ? 'does not say what is wrong' : 'says nothing';
  if (!json) return null;
  try {
    JSON.parse(said.out);
    return null;
  } catch {
    return `writes what is no JSON: ${said.out.slice(0, 200)}`;
  }
}
