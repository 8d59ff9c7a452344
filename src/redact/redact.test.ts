import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTrend } from '../growth/trend.js';
import { Collector, NO_FIGURES } from '../growth/read/collector.js';
import type { DiffSide } from '../growth/diff.js';
import type { AnyShape, Leaf } from '../result/leaves.js';
import type { AnalysisResult, Evidence } from '../result/result.js';
import { RESULT_SHAPE } from '../result/shape.js';
import { FULL } from '../report/golden/samples.js';
import { leakResult } from '../views/samples.test.helper.js';
import { redactDifference, redactTrend } from './growth.js';
import { folderKey, randomKey, readKey } from './key.js';
import { Names, Redactor } from './redactor.js';
import { redactFailure, redactResult } from './result.js';

/** What stands in place of a text. */
type Plant = (text: string, leaf: Leaf, at: string) => string;

const REDACTOR = new Redactor(Buffer.from('a key for tests'), true);
const names = () => new Names(REDACTOR);
/** Pseudonyms by their kind alone. */
const plain = (text: string): string => text.replace(/-[\da-f]{12}/g, '-#');
const pathOf = (path: string): string => plain(names().path(path));
const textOf = (text: string): string => plain(names().text(text));

describe('redaction: pseudonyms', () => {
  it('are the same for a name in any case, and others for another name, kind or key', () => {
    const { pseudonym } = { pseudonym: REDACTOR.pseudonym.bind(REDACTOR) };
    expect(pseudonym('user', 'Müller'))
      .to.equal(pseudonym('user', 'MÜLLER'))
      .and.match(/^user-[\da-f]{12}$/);
    expect(pseudonym('user', 'Mu\u0308ller')).to.equal(pseudonym('user', 'Müller'));
    const others = [pseudonym('user', 'Muller'), pseudonym('machine', 'Müller')];
    const key = new Redactor(Buffer.from('another key'), true).pseudonym('user', 'Müller');
    expect(new Set([pseudonym('user', 'Müller'), ...others, key]).size).to.equal(4);
  });

  it('of a host tell its machine and its domain apart', () => {
    const full = REDACTOR.host('SQL01.corp.example');
    expect(full.split('.')[0]).to.equal(REDACTOR.host('sql01'));
    expect(full.split('.')[1]).to.equal(REDACTOR.host('WEB7.corp.example').split('.')[1]);
    expect(plain(full)).to.equal('machine-#.domain-#');
    expect(plain(REDACTOR.host('10.1.2.3'))).to.equal('machine-#');
  });

  it('of a file keep the ending of a kind that is known', () => {
    expect(plain(REDACTOR.file('dump', '/cases/bob/SQL01.dmp.gz'))).to.equal('dump-#.dmp.gz');
    expect(plain(REDACTOR.file('file', 'C:\\bob\\notes.bob'))).to.equal('file-#');
    expect(REDACTOR.file('dump', 'a\\b.dmp')).to.equal(REDACTOR.file('dump', 'A/B.DMP'));
  });
});

describe('redaction: paths', () => {
  it('keep what Windows and setup programs lay down', () => {
    for (const path of [
      '\\SystemRoot\\System32\\drivers\\ndis.sys',
      '\\??\\C:\\Program Files (x86)\\Vendor Name\\Product\\a.sys',
      'C:\\Windows\\System32\\DriverStore\\FileRepository\\x.inf_amd64_0123\\x.sys',
      '\\Device\\HarddiskVolume3\\Windows\\System32\\ntoskrnl.exe',
      '\\??\\C:\\pagefile.sys',
      'ntkrnlmp.pdb',
      'C:\\Users\\Public\\Documents\\a.sys',
      '\\WINDOWS\\ServiceProfiles\\NetworkService\\a.sys',
    ]) {
      expect(names().path(path)).to.equal(path);
    }
  });

  it('lose users, servers, shares and folders of people', () => {
    expect(pathOf('\\??\\C:\\Users\\John Doe\\AppData\\Local\\Temp\\a.sys')).to.equal('\\??\\C:\\Users\\user-#\\AppData\\Local\\Temp\\a.sys'); // prettier-ignore
    expect(pathOf('C:\\Documents and Settings\\bob\\Desktop\\case 7\\a.sys')).to.equal('C:\\Documents and Settings\\user-#\\Desktop\\folder-#\\a.sys'); // prettier-ignore
    expect(pathOf('C:\\WINNT\\Profiles\\bob\\a.sys')).to.equal('C:\\WINNT\\Profiles\\user-#\\a.sys');
    expect(pathOf('\\\\files.corp.example\\bob$\\x\\a.sys')).to.equal(
      '\\\\machine-#.domain-#\\share-#\\folder-#\\a.sys',
    );
    expect(pathOf('\\Device\\Mup\\files\\team\\a.sys')).to.equal('\\Device\\Mup\\machine-#\\share-#\\a.sys');
    expect(pathOf('\\\\?\\UNC\\files\\team\\a.sys')).to.equal('\\\\?\\UNC\\machine-#\\share-#\\a.sys');
    expect(pathOf('d:\\contoso\\bob\\obj\\a.pdb')).to.equal('d:\\folder-#\\folder-#\\folder-#\\a.pdb');
    expect(pathOf('/home/bob/src/a.pdb')).to.equal('/home/user-#/folder-#/a.pdb');
    expect(pathOf('D:\\backup\\Users\\bob\\a.sys')).to.equal('D:\\folder-#\\Users\\user-#\\a.sys');
  });

  it('keep their separators, and lose every unknown folder, whatever they are', () => {
    const part = fc.stringMatching(/^[A-Za-z]{3,9} ?[A-Za-z]{3,9}$/).map((text) => `qx${text}qx`);
    const prefix = fc.constantFrom('C:\\', '\\??\\D:\\', '\\\\', '/', 'C:\\Users\\', '\\Device\\Mup\\', '');
    fc.assert(
      fc.property(prefix, fc.array(part, { minLength: 2, maxLength: 5 }), (start, folders) => {
        const path = `${start}${[...folders, 'driver.sys'].join(start === '/' ? '/' : '\\')}`;
        const found = names().path(path);
        expect(found).to.not.match(/qx/);
        expect(found.split(/[\\/]/)).to.have.length(path.split(/[\\/]/).length);
        expect(found).to.match(/[\\/]driver\.sys$/);
        if (start !== '') expect(names().text(`It says "${path}", and that is all`)).to.not.match(/qx/);
      }),
    );
  });
});

describe('redaction: texts', () => {
  it('lose paths, hosts of URLs, and what stands in them', () => {
    expect(textOf('C:\\Users\\bob\\a.sys and \\\\srv7\\share were not found')).to.equal(
      'C:\\Users\\user-#\\a.sys and \\\\machine-#\\share-# were not found',
    );
    expect(textOf('no profile in /mnt/bob/tables: give https://pdb.corp.example:8080/x?user=bob')).to.equal(
      'no profile in /mnt/folder-#/file-#: give https://machine-#.domain-#/...',
    );
    for (const text of [
      'https://msdl.microsoft.com/download/symbols/nt.pdb/1/nt.pdb',
      'nonpaged pool and/or paged pool: 7/8 of it, nt!ExAllocatePool+0x12',
      'Memory\\Committed Bytes',
    ]) {
      expect(names().text(text)).to.equal(text);
    }
  });

  it('lose names that were learned, as whole words, but not drivers that are called so', () => {
    const known = names();
    known.host('ZEUS');
    known.user('pool');
    known.user('al');
    expect(plain(known.text('Zeus, zeus.sys and ZEUSX: the pool of al'))).to.equal(
      'machine-#, zeus.sys and ZEUSX: the pool of al',
    );
  });

  it('never throw, and come out the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, name) => {
        const known = names();
        known.user(name);
        known.host(name);
        known.learnFile('dump', name);
        const once = known.text(text);
        expect(known.text(text)).to.equal(once);
      }),
      { numRuns: 40 },
    );
  });
});

describe('redaction: results', () => {
  const evidence = (kind: Evidence['kind'], ascii: string): Evidence => ({
    kind, address: '0x10', offset: '0x0', bytes: Buffer.from(ascii).toString('hex').replace(/..(?=.)/g, '$& '), ascii,
    section: '.rdata', executable: false, symbol: null, instruction: null, callsAllocator: null, call: null, function: null,
    note: 'in "Leakqx of "bobqx""',
  }); // prettier-ignore

  function named(): AnalysisResult {
    const result = leakResult();
    result.suspects.length = 0;
    result.dump.path = '/cases/Contosoqx/SQLQX.dmp';
    if (result.system !== null) result.system.machineName = 'HOSTQX';
    result.warnings.push({
      code: 'module-unreadable',
      where: 'dump',
      message: 'HostQx: /cases/contosoqx/SQLQX.dmp, SQLQX.dmp by Bobqx',
    });
    result.warnings.push({ code: 'pooltag-file', where: 'dump', message: 'C:\\Users\\bobqx\\x.txt' });
    result.suspects.push({
      tag: 'Leak', pool: 'nonpaged', bytes: 1, outstanding: 1, averageBytes: 1, shareOfPool: null, shareOfMemory: null,
      confidence: 'high', reasons: [], against: [], searched: null, related: [],
      drivers: [{ module: 'a.sys', confidence: 'high', evidence: [
        evidence('string', 'Leakqx of bobqx'), evidence('code-immediate', 'LeakA..qx'), evidence('allocation-content', 'bobqx'),
      ] }],
    }); // prettier-ignore
    return result;
  }

  it('lose every name, wherever it stands, and keep what they say', () => {
    const given = named();
    const before = JSON.stringify(given);
    const found = redactResult(given, REDACTOR);
    expect(JSON.stringify(given)).to.equal(before);
    const { warnings, suspects } = found;
    expect(plain(found.dump.path)).to.equal('dump-#.dmp');
    expect(found.system?.machineName).to.equal(REDACTOR.host('hostqx'));
    expect(warnings.map(({ message }) => plain(message)).slice(-3, -1)).to.deep.equal([
      'machine-#: dump-#.dmp, dump-#.dmp by user-#',
      'C:\\Users\\user-#\\file-#.txt',
    ]);
    expect(warnings.at(-1)?.code).to.equal('redacted');
    expect(suspects[0]?.drivers[0]?.evidence.map(({ ascii, bytes }) => [ascii, bytes])).to.deep.equal([
      ['Leak', '4c 65 61 6b'],
      ['LeakA..qx', '4c 65 61 6b 41 2e 2e 71 78'],
      [null, null],
    ]);
    expect(suspects[0]?.drivers[0]?.evidence[0]?.note).to.equal('in "..."');
  });

  it('say whether other runs give the same pseudonyms', () => {
    const message = (redactor: Redactor) => redactResult(named(), redactor).warnings.at(-1)?.message;
    expect(message(REDACTOR)).to.not.contain('key');
    expect(message(new Redactor(randomKey(), false))).to.contain('--redact-key');
  });

  /** Leaves that hold free text, whatever the name of the field. */
  const FREE = new Set(['text', 'message', 'note', 'host', 'user', 'process', 'target', 'file', 'path', 'given', 'release', 'reference']); // prettier-ignore

  /** A copy with something else in every text of the contract; `places` gets where. */
  function planted(value: unknown, shape: AnyShape, at: string, plant: Plant): unknown {
    if (typeof value === 'string') return plant(value, shape as Leaf, at);
    if (Array.isArray(value)) {
      const of = shape.node === 'list' ? (shape.of as AnyShape) : shape;
      return value.map((item) => planted(item, of, `${at}[]`, plant));
    }
    if (typeof value !== 'object' || value === null) return value;
    const fields = shape.node === 'object' ? (shape.fields as Readonly<Record<string, AnyShape>>) : {};
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, planted(item, fields[key] ?? shape, `${at}.${key}`, plant)]),
    );
  }

  it('lose a machine, a user and a path in every text of the contract, whatever its class', () => {
    const places = new Set<string>();
    const hostile = planted(FULL, RESULT_SHAPE, '', (_text, leaf, at) => {
      places.add(at);
      if (leaf.is === 'host') return 'HOSTQX';
      return leaf.is === 'tag' ? 'a qx' : 'HOSTQX: bobqx of \\\\srvqx\\shareqx saved C:\\Users\\bobqx\\caseqx\\a.txt';
    });
    const found = redactResult(hostile as AnalysisResult, REDACTOR);
    const left: string[] = [];
    planted(found, RESULT_SHAPE, '', (text, leaf, at) => {
      if (leaf.is !== 'tag' && /qx/i.test(text)) left.push(`${at}: ${text}`);
      return text;
    });
    expect(left).to.deep.equal([]);
    expect(places.size).to.be.greaterThan(120);
    for (const at of [
      '.suspects[].holders.ended[].parentImage',
      '.verdict.culprit.because[]',
      '.run.options.pooltag[]',
    ])
      expect([...places]).to.include(at);
  });

  it('lose a name that stands alone in every free text; drivers keep theirs', () => {
    const hostile = planted(FULL, RESULT_SHAPE, '', (text, leaf) =>
      leaf.is === 'host' ? 'HOSTQX' : FREE.has(leaf.is) ? 'HostQx' : text,
    );
    const found = redactResult(hostile as AnalysisResult, REDACTOR);
    const left = new Set<string>();
    planted(found, RESULT_SHAPE, '', (text, leaf) => {
      if (/qx/i.test(text)) left.add(leaf.is);
      return text;
    });
    expect([...left].sort()).to.deep.equal(['file', 'path']);
  });

  it('lose names in what the file of known issues names as its source', () => {
    const issue = { driver: null, known: 'x', fix: null, source: 'https://wikiqx.example/leaks', file: null };
    const later = Object.assign(named(), { later: [issue] });
    expect(JSON.stringify((redactResult(later, REDACTOR) as typeof later).later)).to.not.match(/qx/i);
  });

  it('keep the name of a release, though it has a slash, and where public issues are written down', () => {
    const source = 'https://learn.microsoft.com/sysinternals/downloads/notmyfault';
    const suspects = FULL.suspects.map((suspect) => ({
      ...suspect,
      knownIssues: [{ driver: 'myfault.sys', known: 'It leaks.', fix: null, source, file: null }],
    }));
    const { system, ...rest } = redactResult(
      { ...FULL, system: { ...FULL.system!, name: 'Windows Server 2004/20H2' }, suspects },
      REDACTOR,
    );
    expect(system?.name).to.equal('Windows Server 2004/20H2');
    expect(rest.suspects[0]?.knownIssues?.[0]?.source).to.equal(source);
  });

  it('go through fields that are added later', () => {
    const later = Object.assign(named(), { later: [{ owner: 'on HOSTQX', deep: { path: '\\\\srvqx\\x\\a.sys' } }] });
    expect(JSON.stringify((redactResult(later, REDACTOR) as typeof later).later)).to.not.match(/qx/i);
  });

  it('of dumps that could not be read lose their path too', () => {
    const message = 'D:\\bobqx\\SQLQX.dmp is empty, says bobqx.dmp';
    const found = redactFailure(
      { dump: { path: 'D:\\bobqx\\SQLQX.dmp' }, error: { code: 'empty', message } },
      REDACTOR,
    );
    expect(plain(JSON.stringify(found))).to.equal(
      '{"dump":{"path":"dump-#.dmp"},"error":{"code":"empty","message":"dump-#.dmp is empty, says bobqx.dmp"}}',
    );
  });
});

describe('redaction: growth', () => {
  it('a trend loses machines, files and what counters are of, and keeps tags and processes', () => {
    const to = new Collector();
    to.files.push({ path: 'bobqx/HOSTQX-1.csv', name: 'HOSTQX-1.csv', fileTime: 0, kind: 'perfmon', samples: 0 });
    to.machines.add('hostqx');
    to.warn('rows-unreadable', 'HOSTQX-1.csv: 2 lines left out');
    for (let i = 0; i < 3; i++) {
      const sample = to.sample({ time: i * 3_600_000, hasTags: true });
      to.tag(sample, 0x6b61654c, 0, 1, 1, i);
      for (const label of ['\\\\HOSTQX\\Print Queue(bobqx)\\Jobs', '\\\\HOSTQX\\Process(app)\\Handles', 'Memory\\Free'])
        to.counter(sample, label, i);
    }
    const found = redactTrend(makeTrend(to), REDACTOR);
    expect(JSON.stringify([found.files, found.machines, found.warnings, found.series])).to.not.match(/qx/i);
    expect(found.series.map(({ series }) => plain(series.name.label)).sort()).to.deep.equal([
      'Leak',
      'Memory\\Free',
      '\\\\machine-#\\Print Queue(instance-#)\\Jobs',
      '\\\\machine-#\\Process(app)\\Handles',
    ]);
    expect(found.warnings.map(({ message }) => plain(message))[0]).to.equal('file-#.csv: 2 lines left out');
  });

  it('a difference loses machines and files', () => {
    const side = (path: string): DiffSide => ({ path, kind: 'dump', time: null, figures: NO_FIGURES });
    const found = redactDifference(
      {
        before: side('bobqx.dmp'),
        after: side('/x/bobqx2.dmp'),
        machines: ['hostqx'],
        elapsedMs: null,
        restarted: false,
        otherMachine: 'hostqx and another',
        tags: [],
        unchanged: 0,
        counts: [],
        modules: null,
        warnings: [{ code: 'several-machines', message: 'of two machines: hostqx and x' }],
      },
      REDACTOR,
    );
    expect(JSON.stringify(found)).to.not.match(/qx/i);
  });
});

describe('redaction: keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-key-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const text = (key: Uint8Array): string => Buffer.from(key).toString();

  it('are a text, or a file of that name', () => {
    writeFileSync(join(folder, 'key'), ' secret of many\r\n');
    expect(text(readKey('secret of many'))).to.equal('secret of many');
    expect(text(readKey(join(folder, 'key')))).to.equal('secret of many');
    expect(() => readKey('short')).to.throw('the key has 5 bytes; it must have 8 to 65536');
    writeFileSync(join(folder, 'large'), Buffer.alloc(70_000, 65));
    expect(() => readKey(join(folder, 'large'))).to.throw('at most 65536');
  });

  it('stay in their folder', () => {
    const key = folderKey(folder);
    expect(folderKey(folder)).to.deep.equal(key);
    expect(key).to.have.length(64);
    if (process.platform !== 'win32') expect(statSync(join(folder, 'redact.key')).mode & 0o777).to.equal(0o600);
    expect(() => folderKey(join(folder, 'none'))).to.throw('no such file');
    expect(randomKey()).to.not.deep.equal(randomKey());
  });
});
