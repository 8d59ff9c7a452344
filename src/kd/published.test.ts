/** Published outputs of the debugger (../shared/corpus/transcripts; skipped where they are missing): each of their lines is one that we print too. */

import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Scenario } from '../../test-dumps/build-dump.js';
import { OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { linesOf, publishedLines, skeleton, TRANSCRIPTS } from './published.test.helper.js';
import { sessionOf, type TestSession } from './session.test.helper.js';

const X86 = { architecture: 'x86', memory: { bytes: 2 ** 31 } } as const;
const POOL: Scenario = {
  seed: 4,
  memory: { bytes: 64 * 2 ** 20 },
  modules: [{ name: 'hal.dll' }, { name: 'acme.sys' }, { name: 'quiet.sys' }],
  pool: { rows: tagRows({ seed: 2, count: 300, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
  poolBlocks: { tags: ['Zq9x', 'File', 'Thre', 'NtFs'], pages: 30, segments: 1, big: 12 },
};

const STACKS = OBJECT_SCENARIOS.zombies(5);
const MACHINES = {
  xp: { ...OBJECT_SCENARIOS.zombies(5), ...X86, kernel: '5.1.2600.5512' },
  windows7: { ...OBJECT_SCENARIOS.zombies(5), kernel: '7601' },
  windows10: { ...OBJECT_SCENARIOS.zombies(5), kernel: '10.0.19041.804' },
  pools: { ...POOL, kernel: '7601' },
  verified: {
    ...POOL,
    kernel: '7601',
    verifier: {
      level: 0x9bb,
      drivers: ['acme.sys', 'quiet.sys'],
      allocations: [{ driver: 'acme.sys', tag: 'Zq9x', count: 3, bytes: 1024, callerRva: 0x1f40 }],
      log: [{ address: 0xfffffa8000100000n, bytes: 0x400, stack: [{ module: 'acme.sys', rva: 0x1f40 }] }],
    },
  },
  stacks: {
    ...STACKS,
    kernel: '10.0.19041.804',
    objects: { ...STACKS.objects, stacks: { pagedOut: [3] } },
  },
  stacksOf32: { ...STACKS, ...X86, kernel: '7601', objects: { ...STACKS.objects, stacks: {} } },
  poolsOf32: { ...POOL, architecture: 'x86', kernel: '7601' },
  oldPaging: { ...POOL, architecture: 'x86', kernel: '5.1.2600.5512', paging: { pae: false } },
  xpPools: { ...POOL, architecture: 'x86', kernel: '5.1.2600.5512' },
} as const satisfies Record<string, Scenario>;

/** Tests that compare others. */
const BESIDE = ['transcripts.test.js', 'commands/irps.test.js', 'commands/paging.test.js'].map(
  (name) => new URL(name, import.meta.url),
);

interface Case {
  readonly file: string;
  readonly on: keyof typeof MACHINES;
  readonly line: string;
  /** Words that differ because the machines do. */
  readonly alike?: readonly (readonly [RegExp, string])[];
  /** Lines of the page that are not compared: its own notes, and what is told of other machines. */
  readonly leave?: RegExp;
  /** In place of equal skeletons: what each skeleton there and here must be. */
  readonly form?: RegExp;
}

/** A label with its column; what follows it is of the machine. */
const LABEL = [/^( *[A-Z][\w ]+: *)\S.*$/, '$1'] as const;
/** What stood above the handles before 2009. */
const OLD_HEAD = /^processor number|^PROCESS|^ {4}(?:DirBase|Image):|New version of handle table/;
/** Pages lose blanks. Devices of built machines have no name made by number, no extension of the I/O manager, no node, no device above or below. */
const DEVICE: Case['alike'] = [[/^ *(?:\S+ )?(?=\\Driver)/, ' '], [/ ?(?:Dacl|SecurityDescriptor|DevObjExt|DevNode) (?:P|VALUE)(?: (?=DevExt))?/g, ''], [/(RefCount|Current Irp|Type|Flags) \S+/g, '$1 N']]; // prettier-ignore
const NOT_OF_BUILT = /^ExtensionFlags|^Characteristics|^Attached/;
/** Lines of threads: ids, what runs where, and the sites of frames are of the machine; the rest of a wait, and a call stack of no use, are left out here. */
const THREAD: Case['alike'] = [
  [/(Cid) \S+ +Teb: \S+ +Win32Thread: \S+ (RUNNING|WAIT).*$/, '$1 IDS $2'],
  [/(Image:) +\S+$/, '$1 NAME'],
  [/^( *(?:ElapsedTime|Base P Limit P|QuotaPoolUsage\[\w+\]|CommitCharge)).*$/, '$1'],
  [/^ *P P P P P .*$/, 'FRAME'],
  [/^ *(ChildEBP RetAddr) +(Args to Child)$/, '$1 $2'],
  [/^( *)Q Q : Q Q Q Q : .*$/, '$1Q Q : Q Q Q Q : SITE'],
];
const NOT_OF_THREADS =
  /^ *(?:IRP List:|[0-9a-f]{16} {2}\w+(?:Object|Event)|[0-9a-f]{16}: \(|Not impersonating|DeviceMap|Attached|Wait Start|Context Switch|UserTime|KernelTime|Priority|VadRoot|SessionId|DirBase|Working Set|Peak|VirtualSize|PageFault|MemoryPriority|BasePriority)|^[0-9a-f]{8}`[0-9a-f]{8} [0-9a-f`]{17} : (?:[0-9a-f`]{17} ){3}[0-9a-f`]{17} : 0x|^[0-9a-f`]{17} (?:[0-9a-f`]{17}) : .* : 0x/;
/** A row of lm up to the name. */
const MODULE = [/^((?:Q Q|P P) {3})\S.*$/, '$1'] as const;

const CASES: readonly Case[] = [
  { file: 'drvobj--w2k-x86', on: 'xp', line: '!drvobj AFD', alike: [[/^P(?: {2}P)*$/, 'DEVICES']] },
  { file: 'drvobj-mga--w2k-x86', on: 'xp', line: '!drvobj AFD' },
  ...['devobj--w2k-x86', 'devobj--xp-x86', 'devobj--xp-x86-dacl'].map((file) => ({ file, on: 'xp', line: '!devobj \\Device\\Afd', alike: DEVICE, leave: NOT_OF_BUILT } as const)),
  ...['devobj--win10-x64', 'devobj-2--win10-x64'].map((file) => ({ file, on: 'windows10', line: '!devobj \\Device\\Afd', alike: DEVICE, leave: NOT_OF_BUILT } as const)),
  // A tab, of which pages kept one blank.
  { file: 'drvobj-2--win8-x64', on: 'windows7', line: '!drvobj AFD 2', alike: [[/^(Driver\w+|AddDevice): +P +SYMBOL$/, '$1: P SYMBOL']] },
  { file: 'object-device-dir--win8-x64', on: 'windows10', line: '!object \\Device' },
  { file: 'object-device-scsi--xp-x86', on: 'xp', line: '!object \\Driver' },
  { file: 'object-1-9-directory--win8-x64', on: 'windows10', line: '!object \\Device 9' },
  { file: 'object-flags-0-1-10--win8-x64', on: 'windows10', line: '!object \\Device 0' },
  { file: 'object-flags-10--win8-x64', on: 'windows10', line: '!object \\Device 10' },
  { file: 'object-path--w2k-x86', on: 'xp', line: '!object \\Driver 1' },
  { file: 'object-addr--xp-x86', on: 'xp', line: '!object \\Driver 1' },
  { file: 'handle-0-3-0-section--win8-x64', on: 'windows10', line: '!handle 0 3 0 File', alike: [[/ \((?:Inherit|Protected)\)/, '']] },
  // The debugger of 2001 wrote other heads, and no address of the entry.
  { file: 'handle-0-4--xp-x86', on: 'xp', line: '!handle 0 4', alike: [[/ Entry: VALUE$| \(Protected\)$/g, '']], leave: OLD_HEAD },
  { file: 'handle-14-13-kernel--xp-x86', on: 'xp', line: '!handle 0 13', alike: [[/ Entry: VALUE$/, '']], leave: OLD_HEAD },
  { file: 'process-0-0-name--win10-x64', on: 'windows10', line: '!process 0 0 svchost.exe' },
  ...['thread--win10-x64', 'thread-addr--win10-x64'].map((file) => ({ file, on: 'stacks', line: '~1; !thread', alike: THREAD, leave: NOT_OF_THREADS } as const)),
  { file: 'thread-minus1-0--win10-x64', on: 'stacks', line: '~0; !thread -1 0', alike: THREAD },
  { file: 'process-threads-not-resident--win10-x64', on: 'stacks', line: '!process 0 7', alike: THREAD, leave: NOT_OF_THREADS },
  // Of the debugger of 1996 the stack alone: the rest had other words.
  { file: 'process-one-7--nt4-x86', on: 'stacksOf32', line: '!process 0 7', alike: THREAD, leave: /^(?! *ChildEBP| *[0-9a-f]{8} [0-9a-f]{8} )/ },
  ...[['process-dot--w2k-x86', 'xp', '.process'], ['process-dot-p--xp-x86', 'xp', '.process /p'], ['process-dot-rp--win10-x64', 'windows10', '.process /r /p']].map(([file = '', on = '', line = '']) => ({ file, on: on as 'xp', line: `${line} PROCESS`, leave: /^\.cache|^Loading/ } as const)),
  { file: 'process-0-0-part--win10-9926-x64', on: 'windows10', line: '!process 0 0' },
  { file: 'process-context-0-0--w2k-x86', on: 'xp', line: '!process 0 0', alike: [[/TableSize:/, 'HandleCount:']] },
  { file: 'process-0-0--nt4-x86', on: 'xp', line: '!process 0 0', alike: [[/TableSize:/, 'HandleCount:'], [/ {2}SessionId: \S+/, '']] },
  { file: 'lm--win10-x64', on: 'pools', line: 'lm', alike: [MODULE] },
  { file: 'lm-m-browse-dml--win10-x64', on: 'pools', line: 'lm m *', alike: [MODULE] },
  { file: 'lm-m--xp-x86-unloaded', on: 'poolsOf32', line: 'lm', alike: [MODULE], leave: /^Unloaded modules:$/ },
  { file: 'lm-sm--xp-x86-user', on: 'poolsOf32', line: 'lm sm', alike: [MODULE] },
  { file: 'lmvm--win10-x64-no-symbols', on: 'pools', line: 'lmvm acme', alike: [MODULE, LABEL], leave: /Browse all|Translations/ },
  { file: 'lmvm--win7-x86-no-symbols', on: 'poolsOf32', line: 'lmvm acme', alike: [MODULE, LABEL], leave: /Browse all|Translations/ },
  { file: 'lm-v-m--win10-x64-private-pdb', on: 'pools', line: 'lm v m acme', alike: [MODULE, LABEL], leave: /Browse all|Translations/ },
  { file: 'lmi-ndis--win11-x64-repro', on: 'pools', line: '!lmi acme', alike: [[/\[\w+\]$/, '[NAME]'], LABEL], leave: /POGO|REPRO|CODEVIEW|C:\\|Load Report/ },
  { file: 'dc--xp-x86', on: 'poolsOf32', line: 'dc acme', form: /^P {2}(?:P ){3}P {2}/, leave: / \.{5}$/ },
  { file: 'dp-L1--vista-x86', on: 'poolsOf32', line: 'dp acme L1' },
  { file: 'dds--xp-x86', on: 'poolsOf32', line: 'dds nt!PsLoadedModuleList', form: /^P {2}P(?: SYMBOL)?$/ },
  { file: 'x-nt--win8-x64', on: 'pools', line: 'x nt!*' },
  // The debugger of 2003 said nothing of types.
  { file: 'x-publics--xp-x86', on: 'poolsOf32', line: 'x nt!*', form: /^P {2}SYMBOL(?: = <no type information>| \(<no parameter info>\))?$/ },
  { file: 'x-no-symbols--xp-x86', on: 'poolsOf32', line: 'x acme!*', alike: [[/(for) .*$/, '$1']] },
  { file: 'time--xp-x86', on: 'poolsOf32', line: '.time', alike: [LABEL] },
  { file: 'bugcheck--nt4-x86', on: 'poolsOf32', line: '.bugcheck' },
  { file: 'formats--xp-x86', on: 'poolsOf32', line: '.formats 12f980' },
  { file: 'evaluate--win10-x64', on: 'pools', line: '? ffffb780`b7eee664' },
  { file: 'vertarget--xp-x86', on: 'xp', line: 'vertarget', alike: [[/^Windows .*$/, 'WINDOWS'], LABEL] },
  { file: 'vertarget--win10-x64', on: 'windows7', line: 'vertarget', alike: [[/^Windows .*$/, 'WINDOWS'], LABEL] },
  { file: 'verifier-3-image--win81-x86', on: 'verified', line: '!verifier 3 acme.sys', alike: [[/\[X\]/, '[ ]'], [/^#+ /, '']], leave: /MODULE: |^ {6}(?:Address|---|0x)/ },
  { file: 'verifier-80-three-addrs--win81-x86', on: 'verified', line: '!verifier 80 0xfffffa8000100000', leave: /^#/ },
  { file: 'vm--win10-x64-rows-only', on: 'windows10', line: '!vm', leave: /^Kernel Stacks/ },
  { file: 'vm--win10-x64-rows-only-2', on: 'windows10', line: '!vm', leave: /^Kernel Stacks/ },
  { file: 'vtop--w2k-x86', on: 'oldPaging', line: '!vtop 0 acme+1000' },
  { file: 'pte--xp-x86-user', on: 'oldPaging', line: '!pte acme+1000', form: /^ +VA P$|^P[DT]E at +P +P[DT]E at P$|^contains P +contains P$|^pfn \S+ [-\w]+ +pfn \S+ [-\w]+$/ },
  { file: 'dt-unreadable--win7-x86', on: 'pools', line: 'dt nt!_OBJECT_HEADER 0', form: /^ {3}\+X \w+ +: \S|^Memory read error P$/ },
  { file: 'dt-object-header--xp-x86', on: 'pools', line: 'dt nt!_OBJECT_HEADER acme', form: /^ {1,3}\+X \w+ +: \S/ },
  { file: 'formats--x86-user', on: 'poolsOf32', line: '.formats 1c407e62', alike: [[/( Time: +).*$/, '$1']] },
  { file: 'object-1-9-symlink--win8-x64', on: 'windows10', line: '!object \\GLOBAL??\\C: 9', alike: [[/is '.*'$/, "is ''"]] },
  { file: 'ln--nt4-x86', on: 'poolsOf32', line: 'ln nt!PoolTrackTable+4', form: /^ *\((?:P|N)\) {3}SYMBOL {1,3}\| {1,2}\(P\) {1,3}\S+$/, leave: /^ {20}|\+0x\w+ *$|\)rdr/ },
  { file: 'pool-addr--xp-x86', on: 'xpPools', line: '!pool BLOCK', alike: [[/(\) +[ *])\S.*$/, '$1TAG']] },
  { file: 'pool-addr-1--xp-x86', on: 'xpPools', line: '!pool BLOCK 1', alike: [[/(\) +[ *])\S.*$/, '$1TAG']] },
  { file: 'pool-addr-2--win7-x86', on: 'xpPools', line: '!pool BLOCK 2', alike: [[/(\) [ *])\S.*$/, '$1TAG'], [/region is \w+ pool/, 'region is pool']] },
  // What follows a SID is its name, which a dump does not have. Systems before Vista called the groups so, and wrote the session without 0x.
  { file: 'token-n--xp-x86', on: 'windows7', line: '!token -n PROCESS', alike: [[/\bS(?:-\w+)+(?: \(.*\))?$/, 'SID'], [/(Attributes -).*$/, '$1'], [/ Se\w+ +/, ' PRIVILEGE '], [/^User Groups:/, 'Groups:'], [/ID: X$/, 'ID: VALUE'], [/(Token ID: VALUE) +/, '$1 ']] },
]; // prettier-ignore

/** Address of a process. */
async function process(kd: TestSession): Promise<string> {
  return /^PROCESS ([0-9a-f]{8,16})/m.exec(await kd.print('!process 0 0 explorer.exe'))?.[1] ?? '0';
}

/** Address of a block, where the machine has some. */
async function block(kd: TestSession): Promise<string> {
  return /^([0-9a-f]{8,16}) : tag/m.exec(await kd.print('!poolfind Zq9x'))?.[1] ?? '0';
}

/** What is not compared, by what its name begins with. */
const LEFT: Readonly<Record<string, string>> = {
  'address- dh- devstack- error- filecache- irql- locks lookaside- memusage- pfn- ptov- running-it- search- stacks- sym-noisy- sysptes- for_each_module-fver':
    'commands that are not here',
  'analyze-': 'the analysis is ours',
  'dc-physical- poolused- vm--xp vm-1--w2k verifier-0- verifier-1- verifier-4- verifier-40- verifier-80-addr verifier-f- poolfind-':
    'the look of a debugger of before 2009, other than that of today, which is printed',
  'drvobj-2-full u--xp x-values lm-Dvm x-funcs x-v': 'blanks lost by the page, or types and lines of private symbols',
  'dt-addr- dt-b- dt-l- x-012- db-L4- pte--w2k u-call': 'of a type, tag, option or table that no built machine has',
  'irp--win7-x86-numbers': 'the same packet as irp--win7-x86-names, before names',
  'reload- time--x86-user': 'of a live target or a user process',
  'k--win8 kb--xp':
    'more of what k--win10-x64 and kb--win7-x86 have: stacks of functions with names, compared in transcripts.test.ts',
  'process-current- process-data-': 'more of what process-one- is, of the current process',
  'process-one-1- process-one-wait- thread-irp-':
    'times of processors, working sets and waits, which docs/kd.md says are left out',
  'process-threads-': 'compared in commands/thread-stacks.test.ts',
  'process-gone-': 'one line, compared in transcripts.test.ts',
};

describe('published outputs (skipped where they are missing)', function () {
  this.timeout(60_000);
  const sessions = new Map<keyof typeof MACHINES, TestSession>();
  before(function () {
    if (!existsSync(TRANSCRIPTS)) this.skip();
  });

  it('are all compared, here or beside, or it is said why not', () => {
    const beside = new Set(
      BESIDE.flatMap((place) =>
        [...readFileSync(place, 'utf8').matchAll(/['"]([\w-]+--[\w-]+)['"]/g)].map((found) => found[1]),
      ),
    );
    const compared = new Set(CASES.map(({ file }) => file));
    const left = Object.keys(LEFT).flatMap((names) => names.split(' '));
    const names = readdirSync(TRANSCRIPTS)
      .filter((name) => name !== 'README.md')
      .map((name) => name.replace(/\.txt$/, ''));
    const known = (name: string): boolean =>
      compared.has(name) || beside.has(name) || left.some((one) => name.startsWith(one));
    expect(names.filter((name) => !known(name))).to.deep.equal([]);
    expect(left.filter((one) => !names.some((name) => name.startsWith(one)))).to.deep.equal([]);
  });

  for (const { file, on, line, alike = [], leave, form } of CASES) {
    it(`${line} as ${file}`, async () => {
      const kd = sessions.get(on) ?? sessionOf(MACHINES[on]);
      sessions.set(on, kd);
      const like = (text: string): string => alike.reduce((one, [what, by]) => one.replace(what, by), skeleton(text));
      const typed = line.includes('BLOCK') ? line.replace('BLOCK', await block(kd)) : line.replace('PROCESS', await process(kd)); // prettier-ignore
      const own = new Set(linesOf(await kd.print(typed)).map(like));
      const theirs = publishedLines(file)!.filter((text) => leave?.test(text) !== true);
      expect(theirs).to.not.be.empty;
      if (form !== undefined) {
        for (const text of [...theirs.map(like), ...own]) expect(text).to.match(form);
      } else expect(theirs.filter((text) => !own.has(like(text))).map(like)).to.deep.equal([]);
    });
  }
});
