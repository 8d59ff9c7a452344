import { expect } from 'chai';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDump } from '../../test-dumps/build-dump.js';
import { zipOf } from '../../test-dumps/containers/zip.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

/** Every name that must not come out has this in it. */
const NAMED = /qxz/i;

const dump = (upTime: bigint) =>
  buildDump({
    kind: 'bitmap-kernel',
    kernel: '10.0.19041.804',
    memory: { bytes: 48 * 2 ** 20 },
    header: { upTime },
    modules: [
      {
        name: 'acmenet.sys',
        path: '\\??\\C:\\Users\\Zebulonqxz\\acmenet.sys',
        size: 0x9000,
        version: { fileVersion: '4.2.0.17' },
        tags: [
          { tag: 'Leak', style: 'alloc' },
          { tag: 'Leak', style: 'text', text: 'LeakQxz of Qxz' },
        ],
      },
    ],
    pool: { tableSize: 257, rows: [{ tag: 'Leak', nonPaged: { allocs: 5000, frees: 12, bytes: 30_000_000 } }] },
  });

describe('command line: batch --redact', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const share = () => folder.path('ContosoQxz');
  const out = () => folder.path('out');
  const batch = async (...options: string[]) =>
    runHere(['batch', share(), '--out', out(), '--machine-by-folder', '--jobs', '2', '--quiet', ...options]);

  before(() => {
    for (const name of ['SRVQXZ1', 'SRVQXZ2']) mkdirSync(join(share(), name), { recursive: true });
    dump(36_000_000_000n).writeTo(join(share(), 'SRVQXZ1/mondayqxz.dmp'));
    dump(72_000_000_000n).writeTo(join(share(), 'SRVQXZ1/fridayqxz.dmp'));
    writeFileSync(join(share(), 'SRVQXZ2/brokenqxz.dmp'), 'no dump');
    writeFileSync(join(share(), 'SRVQXZ2/emptyqxz.dmp'), '');
    const members = [
      { name: 'aqxz.dmp', bytes: dump(144_000_000_000n).toBytes() },
      { name: 'bqxz.dmp', bytes: dump(216_000_000_000n).toBytes() },
    ];
    writeFileSync(join(share(), 'SRVQXZ2/moreqxz.zip'), zipOf(members));
  });
  beforeEach(() => {
    rmSync(out(), { recursive: true, force: true });
  });

  /** Names and contents of all files that a batch left. */
  function left(): string {
    const files = readdirSync(out(), { recursive: true }).map(String);
    const texts = files
      .filter((name) => statSync(join(out(), name)).isFile())
      .map((name) => readFileSync(join(out(), name), 'latin1'));
    return [...files, ...texts].join('\n');
  }
  const groups = () =>
    JSON.parse(readFileSync(join(out(), 'groups.json'), 'utf8')) as {
      groups: { count: number; machines: string[] }[];
      failures: number;
    };

  it('leaves no name in its folder, and finds the same groups and machines', async () => {
    expect((await batch()).code).to.equal(0);
    expect(left()).to.match(NAMED);
    const before = groups();
    rmSync(out(), { recursive: true });
    const { code, stdout } = await batch('--redact');
    expect(code).to.equal(0);
    const all = left();
    const at = all.search(NAMED);
    expect(at < 0 ? '' : all.slice(at - 200, at + 50)).to.equal('');
    expect(all).to.not.contain('dumpleak-test-');
    expect(all).to.match(/dump-[\da-f]{12}\.zip\/file-[\da-f]{12}\.dmp/);
    expect(all).to.contain('acmenet.sys').and.contain('redacted');
    expect(groups().groups.map(({ count, machines }) => [count, machines.length])).to.deep.equal(
      before.groups.map(({ count, machines }) => [count, machines.length]),
    );
    expect(groups().failures).to.equal(before.failures);
    expect(stdout).to.not.match(/SRVQXZ/);
  });

  it('does nothing twice, and stays redacted without being told again', async () => {
    await batch('--redact');
    const results = readFileSync(join(out(), 'results.ndjson'), 'utf8');
    const journal = readFileSync(join(out(), 'history/journal.ndjson'), 'utf8');
    const again = await batch();
    expect(again.stdout).to.match(/^Done: 0 dumps analyzed/);
    expect(readFileSync(join(out(), 'results.ndjson'), 'utf8')).to.equal(results);
    expect(readFileSync(join(out(), 'history/journal.ndjson'), 'utf8')).to.equal(journal);
    await batch('--again');
    expect(left()).to.not.match(NAMED);
  });

  it('takes one key for a history, and none for one that holds names', async () => {
    const key = ['--redact-key', 'a key for this share'];
    expect((await batch(...key)).code).to.equal(0);
    expect(existsSync(join(out(), 'history/redact.key'))).to.equal(false);
    expect(left()).to.not.contain(key[1]);
    expect((await batch(...key)).stdout).to.match(/^Done: 0 dumps analyzed/);
    expect((await batch('--redact-key', 'another key')).stderr).to.contain('was redacted under another key');
    for (const options of [[], ['--redact']]) {
      expect((await batch(...options)).stderr).to.contain('give it with --redact-key');
    }
    rmSync(out(), { recursive: true });
    await batch();
    const refused = await batch('--redact');
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.contain('was begun without --redact and holds names');
  });
});
