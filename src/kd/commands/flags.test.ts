/** Each documented flag of the commands of the leak runbook, one test each: what a line prints, by its form. */

import { expect } from 'chai';
import type { Scenario } from '../../../test-dumps/build-dump.js';
import { tagRows } from '../../../test-dumps/tag-rows.js';
import { sessionOf, type TestSession } from '../session.test.helper.js';

const TAG = 'Zq9x';
const MACHINE: Scenario = {
  seed: 4,
  kernel: '7601',
  memory: { bytes: 64 * 2 ** 20 },
  modules: [{ name: 'hal.dll' }, { name: 'acme.sys' }, { name: 'quiet.sys' }],
  pool: { rows: tagRows({ seed: 2, count: 300, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
  poolBlocks: { tags: [TAG, 'File', 'Thre', 'NtFs'], pages: 30, segments: 1, big: 12 },
  verifier: {
    level: 0x9bb,
    drivers: ['acme.sys', 'quiet.sys'],
    allocations: [{ driver: 'acme.sys', tag: TAG, count: 3, bytes: 1024, callerRva: 0x1f40 }],
    log: [{ address: 0xfffffa8000100000n, bytes: 0x400, stack: [{ module: 'acme.sys', rva: 0x1f40 }] }],
  },
};

const ADDRESS = '[0-9a-f]{8}`[0-9a-f]{8}';
const POINTER = '[0-9a-f]{16}';
const HEAD = 'start {13}end {17}module name\\n';
const ROW = `${ADDRESS} ${ADDRESS} {3}`;

/** A line, and the form of all that it prints; null for what only must not fail. */
const CASES: readonly (readonly [string, RegExp])[] = [
  ['!vm', /Commit limit: .*\n\n\tTotal Private: .*Kb\)\n(?:\t[0-9a-f]{4} \S+ +\d+ \( *\d+ Kb\)\n)+$/],
  ['!vm 0', /\n\t0004 System +100 \( +400 Kb\)\n/],
  ['!vm 1', /^\*\*\* Virtual Memory Usage \*\*\*\n[^]*Commit limit: .*\n$/],
  ['!vm 2', /^!vm 2: flag 0x2 \(stacks of memory-management threads\) is not here; .*\n$/],
  ['!vm 4', /Commit limit: .*\n\nTerminal Server Memory Usage By Session:\n\nSession ID 0 @ [0-9a-f]{16}:\nPaged Pool Usage: {6}n\/a\nNonPaged Usage: {8}n\/a\nCommit Usage: {9}7200 Kb\n\nSession ID 1 @ [0-9a-f]{16}:\n.*\n.*\nCommit Usage: {8}10000 Kb\n\n\n\tTotal Private: /], // prettier-ignore
  ['!vm 5', /Session ID 1 @ [0-9a-f]{16}:\n.*\n.*\nCommit Usage: {8}10000 Kb\n\n$/],
  ['!vm 8', /^!vm 8: flag 0x8 .* is not here; .*\n$/],
  ['!vm 10', /^!vm 10: flag 0x10 .* is not here; .*\n$/],
  ['!vm 21', /^!vm 21: flag 0x20 .* is not here; .*\n$/],
  ['!poolused', /^ Sorting by Tag\n/],
  ['!poolused 0', /^ Sorting by Tag\n[^]*\nTOTAL /],
  ['!poolused 1', /^ Sorting by Tag\n[^]* Allocs       Frees      Diff /],
  ['!poolused 2', /^ Sorting by NonPaged Pool Consumed\n/],
  ['!poolused 3', /^ Sorting by NonPaged Pool Consumed\n[^]* Allocs       Frees /],
  ['!poolused 4', /^ Sorting by Paged Pool Consumed\n/],
  ['!poolused 5', /^ Sorting by Paged Pool Consumed\n[^]* Allocs       Frees /],
  ['!poolused 8', /^Session pool has tag tables of its own/],
  ['!poolused 9', /^Session pool has tag tables of its own/],
  ['!poolused 6', /exclude each other\n$/],
  ['!poolused /t3 2', /^ Sorting by NonPaged Pool Consumed\n\n.*\n.*\n\n(?: .{4} .*\n){3}\nTOTAL/],
  ['!poolused 0 Nope', /\n\n\nTOTAL         0            0          0            0\n$/],
  [`!poolfind ${TAG}`, new RegExp(`^Scanning large pool allocation table for tag 0x[0-9a-f]{8} \\(${TAG}\\)(?: \\(\\w+ : \\w+\\))?\\n[^]*${POINTER} : tag ${TAG}, size +0x[0-9a-f]+, Nonpaged pool\\n`)], // prettier-ignore
  [`!poolfind ${TAG} 0`, new RegExp(`Nonpaged pool\\n`)],
  [`!poolfind ${TAG} 1`, /^Scanning large/],
  [`!poolfind ${TAG} -nonpaged`, /Nonpaged pool\n/],
  [`!poolfind -tag ${TAG} -paged`, /^Scanning large/],
  [`!poolfind ${TAG} 9`, /^of !poolfind there is /],
  [`!poolfind ${TAG} 2`, /^!poolfind Zq9x 2: special pool is not searched by tag.*\n$/],
  [`!poolfind ${TAG} 4`, /^!poolfind Zq9x 4: session pool .*\n$/],
  [`!poolfind ${TAG} -session`, /^!poolfind Zq9x -session: session pool .*\n$/],
  [`!poolfind ${TAG} -x`, /^!poolfind -x wants a command in quotes/],
  [`!poolfind -tag ${TAG} -x "? @$extret"`, new RegExp(`^(?:(${POINTER}) : tag ${TAG}, .*\\nEvaluate expression: -?\\d+ = ${ADDRESS}\\n)+$`)], // prettier-ignore
  ['!verifier 0', /^Verify Flags Level 0x000009bb\n[^]*Summary of All Verifier Statistics\n/],
  ...['4', '8', '40', '100', '200', '400', '800'].map((flag): [string, RegExp] => [
    `!verifier ${flag}`,
    new RegExp(`^Flag 0x${flag} \\(.*\\) is not here: .*\\n$`),
  ]),
  ['!verifier f acme.sys', /Current Pool Allocations: [^]*0x00000400 {2}Zq9x {2}0x[^]*\nFlag 0x4 .*\nFlag 0x8 .*\n$/],
  ['!verifier c', /^Flag 0x4 .* Flag 0x8 .*\n$/],
  ['!verifier 1000', /^of !verifier there are the flags/],
  ['!verifier 1', /^Verify Flags Level [^]*acme\.sys/],
  ['!verifier 3 acme.sys', /Current Pool Allocations: [^]*0x00000400 {2}Zq9x {2}0x/],
  ['!verifier 80', /Pool block fffffa8000100000, Size 0000000000000400/],
  ['!pooltag Proc', /^Tag Proc\n/],
  ['lm', new RegExp(`^${HEAD}(?:${ROW}.*\\n)+`)],
  ['lm a acme+20', new RegExp(`^${HEAD}${ROW}acme {7}\\(no symbols\\)\\n`)],
  ['lm m a*', new RegExp(`^${HEAD}${ROW}acme .*\\n$`)],
  ['lm M *acme*', new RegExp(`^${HEAD}${ROW}acme .*\\n$`)],
  ['lm k', new RegExp(`^${HEAD}${ROW}`)],
  ['lm u', new RegExp(`^${HEAD}$`)],
  ['lm o', new RegExp(`^${HEAD}(?:${ROW}.*\\n)+$`)],
  ['lm v m acme', /\n {4}Loaded symbol image file: acme\.sys\n {4}Image path: .*\n {4}Image name: acme\.sys\n(?: {4}.*\n)*? {4}Timestamp: {8}.* \([0-9A-F]{8}\)\n {4}CheckSum: {9}[0-9A-F]{8}\n {4}ImageSize: {8}[0-9A-F]{8}\n/], // prettier-ignore
  ['lmvm acme', / {4}Image name: acme\.sys\n/],
  ['lm t m acme', new RegExp(`^${HEAD}${ROW}acme {5}\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4} \\([0-9A-F]{8}\\)\\n`)], // prettier-ignore
  ['lm n m acme', new RegExp(`^${HEAD}${ROW}acme {5}acme\\.sys\\n`)],
  ['lm t n m acme', new RegExp(`^${HEAD}${ROW}acme {5}acme\\.sys {5}\\w{3} .*\\)\\n`)],
  ['lm f m acme', new RegExp(`^${HEAD}${ROW}acme {5}\\\\.*acme\\.sys\\n`)],
  ['lm sm', new RegExp(`^${HEAD}${ROW}acme [^]*\\n${ROW}hal [^]*\\n${ROW}quiet `)],
  ['lm 1m', /^(?:\w+\n)+$/],
  ['x nt!NoneSuch; lm l', new RegExp(`^${HEAD}${ROW}nt {9}\\(export symbols\\) {7}ntoskrnl\\.exe\\n$`)],
  ['lm z', /^lm z is not here: /],
  ['!lmi acme', /^Loaded Module Info: \[acme\] \n {9}Module: acme\n {3}Base Address: [0-9a-f]{16}\n {5}Image Name: acme\.sys\n {3}Machine Type: 34404 \(X64\)\n/], // prettier-ignore
  ['db acme L4', new RegExp(`^${ADDRESS} {2}4d 5a 90 00 {36}  MZ\\.\\.\\n$`)],
  ['db acme', new RegExp(`^(?:${ADDRESS} {2}(?:[0-9a-f]{2}[ -]){15}[0-9a-f]{2} {2}.{16}\\n){8}$`)],
  ['dw acme', new RegExp(`^(?:${ADDRESS}  (?:[0-9a-f]{4} ){7}[0-9a-f]{4}\\n){8}$`)],
  ['dd acme', new RegExp(`^(?:${ADDRESS}  (?:[0-9a-f]{8} ){3}[0-9a-f]{8}\\n){8}$`)],
  ['dq acme', new RegExp(`^(?:${ADDRESS}  ${ADDRESS} ${ADDRESS}\\n){8}$`)],
  ['dp acme L1', new RegExp(`^${ADDRESS}  ${ADDRESS}\\n$`)],
  ['dc acme L4', new RegExp(`^${ADDRESS}  (?:[0-9a-f]{8} ){3}[0-9a-f]{8}  MZ.{14}\\n$`)],
  ['dyb acme L4', new RegExp(`^ {19}76543210 76543210 76543210 76543210\\n {19}-{8} -{8} -{8} -{8}\\n${ADDRESS}  01001101 01011010 10010000 00000000  4d 5a 90 00\\n$`)], // prettier-ignore
  ['dyd acme L1', new RegExp(`\\n${ADDRESS}  00000000 10010000 01011010 01001101  00905a4d\\n$`)],
  ['dps nt!PsLoadedModuleList L2', new RegExp(`^(?:${ADDRESS}  ${ADDRESS}(?: .*)?\\n){2}$`)],
  ['dqs nt!PsLoadedModuleList L1', new RegExp(`^${ADDRESS}  ${ADDRESS}`)],
  ['dds acme L2', new RegExp(`^(?:${ADDRESS}  [0-9a-f]{8}\\n){2}$`)],
  ['da acme L3', new RegExp(`^${ADDRESS}  "MZ\\."\\n$`)],
  ['dS poi(nt!PsLoadedModuleList)+58', new RegExp(`^${ADDRESS}  "ntoskrnl\\.exe"\\n$`)],
  ['du poi(poi(nt!PsLoadedModuleList)+60) L4', new RegExp(`^${ADDRESS}  "ntos"\\n$`)],
  ['dl nt!PsLoadedModuleList 2', new RegExp(`^(?:${ADDRESS}  ${ADDRESS} ${ADDRESS}\\n){2}$`)],
  ['dlb nt!PsLoadedModuleList 3 1', new RegExp(`^(?:${ADDRESS}  ${ADDRESS}\\n){3}$`)],
  ['db 0 L2', /^00000000`00000000 {2}\?\? \?\? {42} {2}\?\?\n$/],
  ['!db 0 L1', /^# {8}0 (?:[0-9a-f]{2}|\?\?) +.\n$/],
  ['s -a acme L1000 "MZ"', new RegExp(`^${ADDRESS}  4d 5a 90 00 (?:[0-9a-f]{2}[ -]){11}[0-9a-f]{2}  MZ`)],
  ['s acme L20 4d 5a', new RegExp(`^${ADDRESS}  4d 5a`)],
  ['s -b acme acme+20 4d 5a', new RegExp(`^${ADDRESS}  4d 5a`)],
  ['s -w acme L20 5a4d', new RegExp(`^${ADDRESS}  5a4d 0090 .*  MZ`)],
  ['s -d acme L20 905a4d', new RegExp(`^${ADDRESS}  00905a4d 00000003 .*  MZ`)],
  ['s -q acme L20 300905a4d', new RegExp(`^${ADDRESS}  00000003\`00905a4d `)],
  ['s -[1]d acme L20 905a4d', new RegExp(`^${ADDRESS}\\n$`)],
  ['s -u poi(poi(nt!PsLoadedModuleList)+60) L20 "ntos"', new RegExp(`^${ADDRESS}  006e 0074 006f 0073 `)],
  ['s -a acme L?20000000 "no such text anywhere"', /^$/],
  ['s -a acme L20000000 "x"', /^Range error in .*: L\? lifts the limit of 256 MB\n$/],
  ['s -v acme L1 1', /^s -v is not here/],
  [
    '!for_each_module .echo @#ModuleName @#Base @#End @#Size @#ImageName',
    /^(?:\w+ [0-9a-f]{16} [0-9a-f]{16} [0-9a-f]+ \\.*\n)+$/,
  ],
  ['!for_each_module "s -a @#Base L2 \\"MZ\\""', new RegExp(`^(?:${ADDRESS}  4d 5a .*\\n)+$`)],
  ['!for_each_module .echo @#Nothing', /^@#Nothing is no alias here: /],
  ['u acme+1000 L2', new RegExp(`^acme\\+0x1000:\\n(?:${ADDRESS} [0-9a-f?]+ +\\S.*\\n){2}$`)],
  ['dt nt!_LIST_ENTRY', /^nt!_LIST_ENTRY\n {3}\+0x000 Flink {12}: Ptr64 _LIST_ENTRY\n {3}\+0x008 Blink {12}: Ptr64 _LIST_ENTRY\n$/], // prettier-ignore
  ['dt nt!_EPROCESS', /\n {3}\(the fields that the built-in tables have: the PDB may know more\)\n$/],
  ['dt nt!_EPROCESS UniqueProcessId', /^ {3}\+0x\w+ UniqueProcessId +: Ptr64 Void\n$/],
  ['dt _LIST_ENTRY nt!PsLoadedModuleList', /^ {3}\+0x000 Flink {12}: 0x[0-9a-f]{8}`[0-9a-f]{8} _LIST_ENTRY\n/],
  ['dt nt!_KLDR_DATA_TABLE_ENTRY -l InLoadOrderLinks.Flink BaseDllName poi(nt!PsLoadedModuleList)', /^InLoadOrderLinks\.Flink at 0x[0-9a-f`]{17}\n-{45}\n[^]*_UNICODE_STRING "ntoskrnl\.exe"\n\n/], // prettier-ignore
  ['dt nt!_NOSUCH', /^Symbol nt!_NOSUCH not found\.\n$/],
  ['.formats 1c407e62', /^Evaluate expression:\n {2}Hex: {5}00000000`1c407e62\n {2}Decimal: 473988706\n {2}Octal: {3}0000000000003420077142\n/], // prettier-ignore
  ['.bugcheck', /^Bugcheck code [0-9A-F]{8}\nArguments [0-9a-f`]{17} [0-9a-f`]{17} [0-9a-f`]{17} [0-9a-f`]{17}\n$/],
  ['.time', /^Debug session time: .*\nSystem Uptime: \d+ days \d+:\d\d:\d\d\.\d{3}\n$/],
  ['vertarget', /^Windows .* Kernel Version 7601 (?:UP|MP \(\d+ procs\)) Free x64\n/],
  ['version', /\ndumpleak \d+\.\d+\.\d+\n$/],
  ['!analyze', /^\*\*\* dumpleak's own analysis of pool leaks, not the debugger's !analyze \*\*\*\n/],
  ['!analyze -v', /^\*\*\* dumpleak's own analysis .*\n[^]*Sorting by/],
  ['.sympath', /^Symbol search path is: <empty>\n$/],
  ['.symfix; .sympath', /^Symbol search path is: srv\*https:.*symbols\n$/],
  ['.symfix+ C:\\sym; .sympath', /symbols;srv\*C:\\sym\*https:.*symbols\n$/],
  ['.reload', /^Loading Kernel Symbols\n\.+\n/],
  [
    '!process 0 0',
    /PROCESS [0-9a-f]{16}\n {4}SessionId: \w+ {2}Cid: [0-9a-f]{4} {4}Peb: [0-9a-f]{8} {2}ParentCid: [0-9a-f]{4}\n/,
  ],
  ['!process 0 0 explorer.exe', /^PROCESS [0-9a-f]{16}\n(?:.*\n){2} {4}Image: explorer\.exe\n\n$/],
];

describe('flags of the prompt', () => {
  let kd: TestSession;
  before(() => {
    kd = sessionOf(MACHINE);
  });

  for (const [line, form] of CASES) {
    it(line, async () => {
      expect(await kd.print(line)).to.match(form);
    });
  }

  it('blocks of pool, by addresses that poolfind gave', async () => {
    const address = /([0-9a-f]{16}) : tag/.exec(await kd.print(`!poolfind ${TAG}`))?.[1] ?? '';
    expect(await kd.print(`!pool ${address}`)).to.match(
      /^Pool page [0-9a-f]{16} region is Nonpaged pool\n[^]*\*[0-9a-f]{16} /,
    );
    expect((await kd.print(`!pool ${address} 2`)).split('\n')).to.have.length.below(6);
    expect(await kd.print(`!pool ${address}-0 2`)).to.equal(await kd.print(`!pool ${address} 2`));
    expect(await kd.print(`!poolval ${address}`)).to.match(/Pool page/i);
  });

  const holds = async (address: string, header: bigint): Promise<void> => {
    const digits = (text: string): string[] => text.split(/\s+/).filter((word) => /^[0-9a-f?]{8}$/.test(word));
    const text = await kd.print(`!pool ${address} 3`);
    const rows = text.split('\n').filter((line) => new RegExp(`^ +${POINTER}  `).test(line));
    expect(rows).to.have.length(2);
    const start = /[0-9a-f]{16}/.exec(rows[0]!)![0];
    expect(rows[1]).to.match(new RegExp(`^    ${(BigInt(`0x${start}`) + 16n).toString(16)}  `));
    expect(digits(rows.join(' '))).to.deep.equal(digits((await kd.print(`dd ${start} L8`)).replaceAll(/^\S+/gm, '')));
    const marked = /\*([0-9a-f]{16}) /.exec(text)!;
    expect(BigInt(`0x${start}`) - BigInt(`0x${marked[1]!}`)).to.equal(header);
    const all = await kd.print(`!pool ${address} 1`);
    expect(all).to.contain(text.split('\n').slice(1).join('\n').trimEnd());
    expect(text).to.match(/Pooltag|Owning component/);
    expect(await kd.print(`!pool ${address} 80000002`)).to.not.match(/Pooltag|Owning component/);
    expect(await kd.print(`!pool ${address} 4`)).to.match(/^of !pool there is /);
  };

  it('what blocks of pool hold is what dd shows', async () => {
    const found = await kd.print(`!poolfind ${TAG}`);
    const [big, small] = [/([0-9a-f]{16}) : tag/, /([0-9a-f]{16}) : tag Zq9x, size +0x[0-9a-f]{1,3},/].map((form) => form.exec(found)![1]!); // prettier-ignore
    expect(big).to.not.equal(small);
    for (const [address, header] of [
      [big, 0n],
      [small, 16n],
    ] as const)
      await holds(address!, header);
  });

  it('headers stand in !poolval from level 2 on', async () => {
    const address =
      /([0-9a-f]{16}) : tag Zq9x, size +0x[0-9a-f]{1,3},/.exec(await kd.print(`!poolfind ${TAG}`))?.[1] ?? '';
    const blocks = (await kd.print(`!pool ${address}`)).split('\n').filter((line) => line.includes(' size: ')).length;
    const [rows, whole] = [await kd.print(`!poolval ${address} 2`), await kd.print(`!poolval ${address} 3`)];
    expect(await kd.print(`!poolval ${address} 1`)).to.equal(await kd.print(`!poolval ${address}`));
    expect(rows.match(/ previous size: /g)).to.have.length(blocks);
    expect(rows).to.not.contain('PoolTag');
    expect(whole.match(/^ {4}PoolTag [0-9a-f]{8} {2}Nonpaged pool {2}State \w+ {2}Kind pool$/gm)).to.have.length(
      blocks,
    );
    expect(await kd.print(`!poolval ${address} 4`)).to.match(/^of !poolval there is /);
  });

  it('a log takes what is printed', async () => {
    expect(await kd.print('.logopen out.txt; .logclose; .logclose')).to.equal(
      "Opened log file 'out.txt'\nClosing open log file out.txt\nNo log file open\n",
    );
  });

  it('a command that the user stops ends at once', async () => {
    kd.host.patience = 40;
    let stopped = false;
    await kd.end('.foreach /s (x "1 2 3 4 5 6 7 8 9") { lm }').catch((error: unknown) => {
      stopped = error instanceof Error && error.name === 'Stopped';
    });
    kd.host.patience = Infinity;
    expect(stopped).to.equal(true);
  });
});
