/** What each line of the leak runbook prints, whole: golden transcripts of built machines. Forms of the same lines: commands/flags.test.ts. */

import type { Scenario } from '../../test-dumps/build-dump.js';
import { OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { goldenBeside } from '../views/golden.test.helper.js';
import { sessionOf, type TestSession } from './session.test.helper.js';

/** Lines that a golden file keeps of one output. */
const KEPT = 25;
const TAG = 'Zq9x';
const POOLS: Scenario = {
  seed: 4,
  memory: { bytes: 64 * 2 ** 20 },
  modules: [{ name: 'hal.dll' }, { name: 'acme.sys' }, { name: 'quiet.sys' }],
  pool: { rows: tagRows({ seed: 2, count: 300, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
  poolBlocks: { tags: [TAG, 'File', 'Thre', 'NtFs'], pages: 30, segments: 1, big: 12 },
};
const VERIFIED: Scenario = {
  ...POOLS,
  kernel: '7601',
  verifier: {
    level: 0x9bb,
    drivers: ['acme.sys', 'quiet.sys'],
    allocations: [{ driver: 'acme.sys', tag: TAG, count: 3, bytes: 1024, callerRva: 0x1f40 }],
    log: [{ address: 0xfffffa8000100000n, bytes: 0x400, stack: [{ module: 'acme.sys', rva: 0x1f40 }] }],
  },
};

// BLOCK, PROCESS and THREAD stand for addresses of the machine. !analyze is not here: goldens of the report have it.
const VM = ['!vm', '!vm 0', '!vm 1', '!vm 2', '!vm 4', '!vm 8', '!vm 10', '!vm 20', '!vm 21'];
const POOLUSED = [
  ...['!poolused', '!poolused 0', '!poolused 1', '!poolused 2', '!poolused 3', '!poolused 4', '!poolused 5'],
  ...['!poolused 6', '!poolused 8', '!poolused 9', '!poolused /t3 2', '!poolused 0 Nope', `!poolused 0 ${TAG}`],
];
const BLOCKS = [
  ...[`!poolfind ${TAG}`, `!poolfind ${TAG} 0`, `!poolfind ${TAG} 1`, `!poolfind ${TAG} -nonpaged`],
  ...[`!poolfind -tag ${TAG} -paged`, `!poolfind ${TAG} 9`, '!pool BLOCK', '!pool BLOCK 2', '!poolval BLOCK'],
  '!pooltag Proc',
];
const VERIFIER = ['!verifier', '!verifier 0', '!verifier 1', '!verifier 3 acme.sys', '!verifier 4', '!verifier 80'];
const MODULES = [
  ...['lm', 'lm a acme+20', 'lm m a*', 'lm M *acme*', 'lm k', 'lm u', 'lm o', 'lm v m acme', 'lmvm acme'],
  ...['lm t m acme', 'lm n m acme', 'lm t n m acme', 'lm f m acme', 'lm sm', 'lm 1m', 'lm l', 'lm z', '!lmi acme'],
  '!for_each_module .echo @#ModuleName @#Base @#End @#Size @#ImageName',
  '!for_each_module "s -a @#Base L2 \\"MZ\\""',
  '!for_each_module .echo @#Nothing',
];
const MEMORY = [
  ...['db acme L4', 'db acme', 'dw acme', 'dd acme', 'dq acme', 'dp acme L1', 'dc acme L4', 'dyb acme L4'],
  ...['dyd acme L1', 'dps nt!PsLoadedModuleList L2', 'dqs nt!PsLoadedModuleList L1', 'dds acme L2', 'da acme L3'],
  ...['dl nt!PsLoadedModuleList 2', 'dlb nt!PsLoadedModuleList 3 1', 'db 0 L2', '!db 0 L1', 'df acme L2', 'dD acme L2'],
  ...['s -a acme L1000 "MZ"', 's acme L20 4d 5a', 's -b acme acme+20 4d 5a', 's -w acme L20 5a4d'],
  ...['s -d acme L20 905a4d', 's -q acme L20 300905a4d', 's -[1]d acme L20 905a4d'],
  ...['s -a acme L?20000000 "no such text anywhere"', 's -a acme L20000000 "x"', 's -v acme L1 1', 'u acme+1000 L2'],
];
const X64_TEXTS = [
  'dS poi(nt!PsLoadedModuleList)+58',
  'du poi(poi(nt!PsLoadedModuleList)+60) L4',
  's -u poi(poi(nt!PsLoadedModuleList)+60) L20 "ntos"',
  'dt nt!_KLDR_DATA_TABLE_ENTRY -l InLoadOrderLinks.Flink BaseDllName poi(nt!PsLoadedModuleList)',
];
const TYPES = [
  ...['x nt!PoolT*', 'ln nt!PoolTrackTable+4', 'dt nt!_LIST_ENTRY', 'dt nt!_EPROCESS UniqueProcessId'],
  ...['dt _LIST_ENTRY nt!PsLoadedModuleList', 'dt nt!_NOSUCH'],
];
const SYSTEM = [
  ...['.formats 1c407e62', '? nt!PsLoadedModuleList - nt', '.bugcheck', '.time', 'vertarget', 'version', '.sympath'],
  ...['.symfix; .sympath', '.symfix+ C:\\sym; .sympath', '.reload'],
];
const SCRIPTS = [
  '.if (0) { .echo a } .elsif (2 > 1) { .echo b } .else { .echo c }',
  '.for (r $t0 = 0; @$t0 < 3; r $t0 = @$t0 + 1) { .printf "%d", @$t0 }; .echo',
  'r $t0 = 3; .while (@$t0) { r $t0 = @$t0 - 1; .printf "%d\\n", @$t0 }',
  'r $t0 = 0; .do { .printf "%d\\n", @$t0; r $t0 = @$t0 + 1 } (@$t0 < 2)',
  '.block { .echo a }; .catch { .echo b; .leave; .echo c }',
  '.printf "%p %N %y\\n", 1, 2, nt!PsLoadedModuleList',
  '.foreach (m { lm 1m }) { .if ($spat("m", "a*")) { .echo m } }',
];
const STACKS = ['r', 'r rip, @$ip', 'k', 'kb', 'kv', 'kp', 'kn', 'kL', 'k 5', 'kf', '~', '~999s'];
const OBJECTS = [
  ...['!process 0 0', '!process 0 0 explorer.exe', '!process 0 1 explorer.exe', '!process 0 2', '!process 0 40'],
  ...['!process PROCESS', '!process PROCESS 0', '!process PROCESS 1', '!process PROCESS 2', '!process PROCESS 7'],
  ...[
    '!process',
    '!thread THREAD',
    '!thread THREAD 0',
    '!thread',
    '!token PROCESS',
    '!token -n PROCESS',
    '!token',
    '!zombies',
    '!objtypes',
    '!objtypes Process',
  ],
  ...[
    '!handle 0 3 PROCESS',
    '!handle 0 3 PROCESS File',
    '!object \\Device',
    '!object \\Device 0',
    '!object \\Device 1',
  ],
  ...['!object \\Device 9', '!object \\Device 10', '!object \\Device 20', '!object \\Device 40'],
  ...['!object \\GLOBAL??\\C: 9', '!object \\Device\\NoSuch', '!drvobj volmgr', '!drvobj volmgr 2'],
];
const THREADS = [
  ...[
    '!process',
    '!process -1 0',
    '!process -1 7',
    '!process 0 1f System',
    '!thread',
    '!thread -1 0',
    '!thread THREAD',
  ],
  ...['!thread THREAD 8', '!thread THREAD e', '~', '~1; !thread -1 0', '!handle 0 1 -1', '!token'],
];
const WAITING = OBJECT_SCENARIOS.zombies(3);
const STACKED = { ...WAITING, objects: { ...WAITING.objects, stacks: { pagedOut: [3], broken: [2] } } };
const ALL = [...VM, ...POOLUSED, ...BLOCKS, ...MODULES, ...MEMORY, ...TYPES, ...SYSTEM];

const MACHINES: readonly (readonly [string, Scenario, readonly string[]])[] = [
  ['x64-7601', VERIFIED, [...ALL, ...X64_TEXTS, ...VERIFIER, ...SCRIPTS, ...STACKS]],
  ['x64-19041', { ...POOLS, kernel: '10.0.19041.804' }, [...ALL, ...X64_TEXTS, ...STACKS]],
  ['x86-7601', { ...POOLS, architecture: 'x86', kernel: '7601' }, [...ALL, ...STACKS]],
  ['arm64-26100', { seed: 4, memory: { bytes: 64 * 2 ** 20 }, architecture: 'arm64', kernel: '10.0.26100.1', modules: POOLS.modules! }, [...VM, ...POOLUSED, ...MODULES, ...SYSTEM, ...STACKS]],
  ['objects-x64-7601', { ...OBJECT_SCENARIOS.zombies(5), kernel: '7601' }, OBJECTS],
  ['objects-x64-19041', { ...OBJECT_SCENARIOS.zombies(5), kernel: '10.0.19041.804' }, OBJECTS],
  ['objects-x86-7601', { ...OBJECT_SCENARIOS.zombies(5), architecture: 'x86', kernel: '7601', memory: { bytes: 2 ** 31 } }, OBJECTS],
  ['threads-x64-19041', { ...STACKED, kernel: '10.0.19041.804' }, THREADS],
  ['threads-x86-7601', { ...STACKED, architecture: 'x86', kernel: '7601', memory: { bytes: 2 ** 31 } }, THREADS],
  ['threads-arm64-26100', { ...STACKED, architecture: 'arm64', kernel: '10.0.26100.1' }, THREADS],
]; // prettier-ignore

/** Where the addresses that lines stand for are listed. */
const ADDRESSES: Readonly<Record<string, readonly [line: string, form: RegExp]>> = {
  BLOCK: [`!poolfind ${TAG}`, /^([0-9a-f]{8,16}) : tag/m],
  PROCESS: ['!process 0 0 explorer.exe', /^PROCESS ([0-9a-f]{8,16})\b/m],
  THREAD: ['!process 0 2', /^ {8}THREAD ([0-9a-f]{8,16}) /m],
};

/** A line with the address that it stands for. */
async function withAddress(kd: TestSession, line: string): Promise<string> {
  for (const [word, [list, form]] of Object.entries(ADDRESSES)) {
    const place = new RegExp(`\\b${word}\\b`);
    if (!place.test(line)) continue;
    const address = form.exec(await kd.print(list))?.[1];
    if (address === undefined) throw new Error(`${list} lists nothing that ${line} could be typed for`);
    return line.replace(place, address);
  }
  return line;
}

/** One line and what it printed, cut, without the version of dumpleak. */
function entry(line: string, printed: string): string {
  const lines = printed.replace(/^(dumpleak) \d+\.\d+\.\d+\S*$/gm, '$1 VERSION').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const more = lines.length - KEPT;
  return [`kd> ${line}`, ...lines.slice(0, KEPT), ...(more > 0 ? [`[${more} more lines]`] : []), '', ''].join('\n');
}

describe('golden transcripts', function () {
  this.timeout(120_000);
  const golden = goldenBeside(import.meta.url);

  for (const [name, scenario, lines] of MACHINES) {
    it(name, async () => {
      const kd = sessionOf(scenario);
      let text = '';
      for (const line of lines) {
        const typed = await withAddress(kd, line);
        text += entry(typed, await kd.print(typed));
      }
      golden(`${name}.txt`, text);
    });
  }
});
