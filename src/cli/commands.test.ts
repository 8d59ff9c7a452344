import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

describe('command line: commands', () => {
  const folder = temporaryFolder();
  const LEAK = 'leak.dmp';
  const HEALTHY = 'healthy.dmp';
  const TRIAGE = 'triage.dmp';

  before(() => {
    buildDump(SCENARIOS.notmyfault()).writeTo(folder.path(LEAK));
    buildDump(SCENARIOS.idleWorkstation()).writeTo(folder.path(HEALTHY));
    buildDump({ kind: 'triage' }).writeTo(folder.path(TRIAGE));
  });

  describe('commands', () => {
    const text = async (...args: string[]): Promise<string> => {
      const [command = '', ...rest] = args;
      const { code, stdout, stderr } = await runHere([command, folder.path(LEAK), ...rest]);
      expect({ code, stderr }, args.join(' ')).to.deep.equal({ code: 0, stderr: '' });
      return stdout;
    };
    const json = async (...args: string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await text(...args, '--json')) as Record<string, unknown>;

    it('analyze takes its options to the analysis', async () => {
      writeFileSync(folder.path('pooltag.txt'), 'Leak - leaky.sys - Our own text\r\n');
      const result = await json(
        'analyze',
        '--tag',
        'Pool',
        '--pool',
        'nonpaged',
        '--pooltag',
        folder.path('pooltag.txt'),
      );
      expect(result['run']).to.have.deep.property('options', {
      pool: 'nonpaged', pooltag: [folder.path('pooltag.txt')], tag: 'Pool',
    }); // prettier-ignore
      expect((result['suspects'] as { tag: string }[]).map(({ tag }) => tag)).to.include.members(['Leak', 'Pool']);
      expect(await text('analyze', '--top', '3', '--pooltag', folder.path('pooltag.txt')))
      .to.include('top 3 of 640').and.include('Our own text'); // prettier-ignore
    });

    it('describes tags by the list of an installed debugger, and says so when it cannot', async () => {
      const place = folder.path('debugger/triage');
      const env = { LANG: 'C.UTF-8', _NT_DEBUGGER_EXTENSION_PATH: folder.path('debugger') };
      const poolused = async (...args: string[]) =>
        (await runHere(['poolused', folder.path(LEAK), ...args], { env })).stdout;
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'pooltag.txt'), 'Leak - leaky.sys - From the debugger\r\n');
      expect(await poolused('/t1', '2')).to.include('From the debugger , Binary: leaky.sys');
      writeFileSync(join(place, 'pooltag.txt'), 'nothing of the kind');
      const { warnings } = JSON.parse(await poolused('--json')) as { warnings: { code: string; message: string }[] };
      expect(warnings.find(({ code }) => code === 'pooltag-file')?.message).to.match(/was not used: .*pooltag\.txt/);
    });

    it('pooltag looks a tag up in the lists, without a dump', async () => {
      writeFileSync(folder.path('first.txt'), 'Lea? - group.sys - A group\r\n');
      writeFileSync(folder.path('second.txt'), 'Leak - leaky.sys - Our own text\r\n');
      const lists = ['--pooltag', folder.path('first.txt'), '--pooltag', folder.path('second.txt')];
      const look = async (...args: string[]) => runHere(['pooltag', ...args, ...lists]);
      expect((await look('Leak')).stdout).to.match(
        /Listed\n {4}Leak - leaky\.sys - Our own text\n[^]*Lea\? - group\.sys/,
      );
      const { stdout } = await look('0xeb61654c', '--json');
      expect(JSON.parse(stdout)).to.deep.include({ tag: 'Leak', protected: true });
      expect((await look('Leaky')).code).to.equal(64);
    });

    it('vm, poolused, modules, search and info look as in the debugger', async () => {
      expect(await text('vm')).to.match(/^\*\*\* Virtual Memory Usage \*\*\*\n\tPhysical Memory: {6}403854 \(/);
      expect(await text('vm', '--layout', 'new'))
        .to.match(/^Page File: /)
        .and.include('\nPhysical Memory: ');
      const five = await text('poolused', '/t5', '2');
      expect(five)
        .to.match(/^ Sorting by NonPaged Pool Consumed\n/)
        .and.include('\n Leak       601    615424000 ');
      expect(await text('poolused', '2', '-t', '5')).to.equal(five);
      expect(await text('poolused', '0', 'Le?k'))
        .to.include(' Leak ')
        .and.not.include(' Pool ');
      for (const at of ['fffff880`044b63aa', '0xFFFFF880044B63AA', 'fffff880044b63aa']) {
        expect(await text('modules', '--at', at)).to.match(/\nfffff880`044b5000 fffff880`044bc000 {3}myfault {4}\(/);
      }
      expect(await text('search', 'Leak'))
        .to.match(/^"Leak": \d+ hits in \d+ modules\n/)
        .and.include('\nfffff880`044b63aa  4c 65 61 6b 3b');
      expect(await text('search', '--hex', '0x4c, 65-61 6B3b')).to.match(/^4c 65 61 6b 3b: 2 hits in 1 module\n/);
      expect(await text('info'))
        .to.match(/^This dump\n/)
        .and.include('Pool tags               yes');
    });

    it('writes JSON that the schema describes', async () => {
      const schema = JSON.parse(
        readFileSync(new URL('../../../docs/result.schema.json', import.meta.url), 'utf8'),
      ) as object;
      const ajv = new Ajv2020({ strict: true, allowUnionTypes: true }).addSchema(schema, 'result');
      const expectValid = (value: unknown, reference: string): void => {
        const valid = ajv.validate({ $ref: `result${reference}` }, value);
        expect(valid, `${reference}: ${ajv.errorsText()}`).to.equal(true);
      };
      expectValid(await json('analyze'), '');
      const parts: Record<string, string[]> = {
      vm: ['memory'], poolused: ['poolTags'], modules: ['modules', 'unloadedModules'],
    }; // prettier-ignore
      for (const [command, names] of Object.entries(parts)) {
        const part = await json(command);
        expect(Object.keys(part)).to.deep.equal(['schemaVersion', 'dump', 'system', ...names, 'warnings']);
        for (const name of ['dump', 'system', ...names, 'warnings']) {
          expect(part[name], `${command} ${name}`).to.not.equal(null);
          expectValid(part[name], `#/properties/${name}`);
        }
      }
      const info = await json('info');
      expect(info).to.have.property('schemaVersion');
      expect(info['canAnalyze']).to.deep.equal({ modules: true, memory: true, poolTags: true, tagSearch: true });
      const search = (await json('search', 'Leak'))['search'] as { pattern: string; hits: unknown[] };
      expect(search.pattern).to.equal('"Leak"');
      expect(search.hits).to.deep.include({
      module: 'myfault.sys', address: '0xfffff880044b63aa', offset: '0x13aa',
      bytes: '4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff', ascii: 'Leak;..B.A.I....',
      section: '.text', executable: true, protected: false, secondHalf: null,
    }); // prettier-ignore
      const one = await json('modules', '--at', '0xfffff880044b63aa');
      expect((one['modules'] as { name: string }[]).map(({ name }) => name)).to.deep.equal(['myfault.sys']);
    });

    it('says that pool tagging was off on Windows 2000 and XP, and how to turn it on', async () => {
      for (const kernel of ['2195', '2600']) {
        const scenario = SCENARIOS.leak32();
        const file = folder.path(`untagged-${kernel}.dmp`);
        buildDump({ ...scenario, kernel, pool: { ...scenario.pool, taggingOff: true } }).writeTo(file);
        const { code, stdout } = await runHere(['analyze', file]);
        expect(code).to.equal(0);
        const plain = stdout.replace(/\s+/g, ' ');
        expect(plain).to.include('Pool tags Pool tagging was off: no tag was counted.');
        expect(plain).to.match(/Turn pool tagging on \("gflags \/r \+ptg", restart\)/);
        const whole = await runHere(['analyze', file, '--json']);
        expect(JSON.parse(whole.stdout)).to.have.property('poolTags', null);
        for (const command of ['poolused', 'info']) {
          const said = (await runHere([command, file])).stdout.replace(/\s+/g, ' ');
          expect(said, command).to.match(/pool tagging was off/i);
        }
      }
    });

    it('says what a triage dump cannot tell, as a result and not as an error', async () => {
      for (const args of [['analyze'], ['vm'], ['poolused'], ['modules'], ['search', 'Leak'], ['info']]) {
        const [command = '', ...rest] = args;
        const { code, stderr, stdout } = await runHere([command, folder.path(TRIAGE), ...rest]);
        expect({ code, stderr }, command).to.deep.equal({ code: 0, stderr: '' });
        expect(stdout, command).to.not.equal('');
      }
    });

    it('keeps warnings in the report', async () => {
      const all = readFileSync(folder.path(HEALTHY));
      writeFileSync(folder.path('cut.dmp'), all.subarray(0, all.length / 2));
      const { code, stdout, stderr } = await runHere(['analyze', folder.path('cut.dmp')]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.match(/Warnings\n.*file ends at/s);
    });
  });
});
