import { expect } from 'chai';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

/** Every name that must not come out has this in it. */
const NAMED = /qxz/i;

describe('command line: --redact', () => {
  const folder = temporaryFolder();
  let dump = '';
  let tags = '';

  before(() => {
    const place = folder.path('ContosoQxz');
    mkdirSync(place);
    dump = join(place, 'SRVQXZ01.dmp');
    tags = join(place, 'tagsqxz.txt');
    writeFileSync(tags, 'Leak - myfault.sys - \\\\buildqxz\\srcqxz\\leak.c of C:\\Users\\Wilhelmqxz\\x\r\n');
    const scenario = SCENARIOS.notmyfault();
    for (const module of scenario.modules ?? []) {
      if (module.name === 'myfault.sys') module.path = '\\??\\C:\\Users\\Zebulon Qxz\\Desktop\\myfault.sys';
      if (module.name === 'HTTP.sys') module.path = '\\Device\\Mup\\filesqxz\\teamqxz$\\HTTP.sys';
      if (module.name === 'rdyboost.sys') {
        module.tags = [{ tag: 'Leak', style: 'text', text: 'LeakQxz of Qxz' }];
        module.pdb = { name: 'd:\\Qxzbuild\\rdyboost.pdb', guid: '0123456789ABCDEF0123456789ABCDEF', age: 1 };
      }
    }
    Object.assign(scenario.header ?? {}, { comment: 'taken by Wilhelmqxz' });
    const file = scenario.memory?.pageFiles?.[0];
    if (file !== undefined) file.path = '\\??\\D:\\Qxzfolder\\pagefile.sys';
    buildDump(scenario).writeTo(dump);
  });

  /** Everything that a command writes: the console, the tables of --csv and the page of --html. */
  async function written(...args: string[]): Promise<string> {
    const csv = folder.path('csv');
    const page = folder.path('page.html');
    const withCsv = args[0] === 'analyze' ? ['--csv', csv, '--html', page] : [];
    const { code, stdout, stderr } = await runHere([...args, ...withCsv, '--quiet']);
    expect([code, stderr]).to.deep.equal([0, '']);
    const tables = withCsv.length === 0 ? [] : readdirSync(csv).map((name) => readFileSync(join(csv, name), 'utf8'));
    return [stdout, ...tables, ...(withCsv.length === 0 ? [] : [readFileSync(page, 'utf8')])].join('\n');
  }

  const COMMANDS = [
    ['analyze', '--pooltag', 'TAGS', '--top', '500'],
    ['analyze', '--pooltag', 'TAGS', '--json'],
    ['info'],
    ['info', '--json'],
  ];

  for (const [command = '', ...options] of COMMANDS) {
    it(`${[command, ...options].join(' ')}: names stand in the report, and none with --redact`, async () => {
      const args = [command, dump, ...options.map((option) => (option === 'TAGS' ? tags : option))];
      expect(await written(...args)).to.match(NAMED);
      const redacted = await written(...args, '--redact');
      const at = redacted.search(NAMED);
      expect(at < 0 ? '' : redacted.slice(at - 100, at + 100)).to.equal('');
      expect(redacted).to.not.contain('dumpleak-test-').and.not.contain('Its comment: "');
      expect(redacted)
        .to.match(/dump-[\da-f]{12}\.dmp/)
        .and.contain('pseudonyms');
      if (command === 'analyze') expect(redacted).to.contain('myfault.sys');
    });
  }

  it('gives the same pseudonyms under one key, and others in every run without', async () => {
    const name = async (...options: string[]): Promise<string> => {
      return (JSON.parse(await written('info', dump, '--json', ...options)) as { dump: { path: string } }).dump.path;
    };
    const key = folder.path('a.key');
    writeFileSync(key, 'a key that lasts\n');
    const first = await name('--redact-key', key);
    expect(await name('--redact', '--redact-key', 'a key that lasts')).to.equal(first);
    expect(await name('--redact')).to.not.equal(await name('--redact'));
    const short = await runHere(['info', dump, '--redact-key', 'short']);
    expect([short.code, short.stdout]).to.deep.equal([2, '']);
    expect(short.stderr).to.match(/the key has 5 bytes/);
  });

  it('trend and diff lose the names of files and machines', async () => {
    const csv = folder.path('HOSTQXZ-1.csv');
    const rows = Array.from({ length: 12 }, (_, i) => `"11/20/2026 ${10 + i}:00:00.000","${1e8 + i * 1e6}","${i}"`);
    const header =
      '"(PDH-CSV 4.0) (UTC)(0)","\\\\HOSTQXZ\\Memory\\Pool Nonpaged Bytes","\\\\HOSTQXZ\\Print Queue(Qxz)\\Jobs"';
    writeFileSync(csv, [header, ...rows, 'no sample'].join('\r\n'));
    for (const args of [
      ['trend', csv, dump],
      ['trend', csv, dump, '--json'],
      ['diff', dump, dump],
      ['diff', dump, dump, '--json'],
    ]) {
      const tables = args[0] === 'trend' ? ['--csv', folder.path('t.csv'), '--svg', folder.path('t.svg')] : [];
      const { code, stdout } = await runHere([...args, ...tables, '--redact', '--quiet']);
      const files =
        tables.length === 0 ? [] : ['t.csv', 't.svg'].map((name) => readFileSync(folder.path(name), 'utf8'));
      expect(code).to.equal(0);
      expect([stdout, ...files].join('\n'))
        .to.not.match(NAMED)
        .and.not.contain('dumpleak-test-');
    }
  });
});
