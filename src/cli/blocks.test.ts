import { expect } from 'chai';
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync, writeSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDump, type BuiltDump, type Scenario } from '../../test-dumps/build-dump.js';
import { canonical, tagKey } from '../../test-dumps/bytes.js';
import { OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { OpenedDump } from '../kernel/open/opened-dump.js';
import { poolFind } from '../views/pool/poolfind.js';
import { viewOf } from '../views/registry.js';
import { runHere } from './program.test.helper.js';

// build/src/cli -> project root
const GOLDEN = new URL('../../../src/cli/golden/', import.meta.url);

function expectGolden(name: string, actual: string): void {
  const file = new URL(name, GOLDEN);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
  expect(existsSync(file), `golden file ${name} exists (UPDATE_GOLDEN=1 writes it)`).to.equal(true);
  expect(actual).to.equal(readFileSync(file, 'utf8'));
}

const TAG = 'Zq9x';
const MODULES = [{ name: 'hal.dll' }, { name: 'acme.sys' }, { name: 'quiet.sys' }];

function scenario(more: Partial<Scenario>): Scenario {
  return {
    seed: 4,
    memory: { bytes: 64 * 2 ** 20 },
    modules: MODULES,
    pool: { rows: tagRows({ seed: 2, count: 300, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
    poolBlocks: {
      ...{ tags: [TAG, 'File', 'Thre', 'NtFs'], pages: 30, segments: 1, big: 12 },
      contents: [{ tag: TAG, pointers: [{ offset: 0x18, module: 'acme.sys', rva: 0x1f40 }] }],
    },
    verifier: {
      level: 0x9bb,
      drivers: ['acme.sys', 'quiet.sys'],
      allocations: [{ driver: 'acme.sys', tag: TAG, count: 3, bytes: 1024, callerRva: 0x1f40 }],
      log: [
        {
          address: 0xfffffa8000100000n,
          bytes: 0x400,
          stack: [
            { module: 'acme.sys', rva: 0x1f40 },
            { module: 'ntoskrnl.exe', rva: 0x3000 },
          ],
        },
      ],
    },
    ...more,
  };
}

const MACHINES: readonly (readonly [string, Scenario])[] = [
  ['classic', scenario({ kernel: '7601' })],
  ['segment-heap', scenario({ kernel: '10.0.19041.804' })],
];

for (const [name, machine] of MACHINES) {
  describe(`commands on pool blocks: ${name}`, () => {
    let folder = '';
    let path = '';
    let built: BuiltDump;

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'dumpleak-blocks-'));
      path = join(folder, 'pool.dmp');
      built = buildDump(machine);
      const file = openSync(path, 'w');
      const piece = new Uint8Array(1 << 20);
      for (let at = 0; at < built.byteLength; at += piece.length) {
        const length = Math.min(piece.length, built.byteLength - at);
        built.read(at, piece.subarray(0, length));
        writeSync(file, piece, 0, length, at);
      }
      closeSync(file);
    });
    after(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    const text = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runHere([words[0] ?? '', path, ...words.slice(1), '--quiet', '--ascii']);
      expect({ code, stderr }, words.join(' ')).to.deep.equal({ code: 0, stderr: '' });
      return stdout;
    };
    const json = async (...words: string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await text(...words, '--json')) as Record<string, unknown>;
    const live = () =>
      (built.truth.poolBlocks?.blocks ?? []).filter((b) => b.state === 'live' && b.tag === tagKey(TAG));
    const small = () => live().find((b) => b.kind !== 'bigpage' && b.size >= 0x60 && b.size < 0x400)!;

    it('poolfind lists every block of the tag', async () => {
      const found = await text('poolfind', TAG);
      const rows = found.split('\n').filter((line) => line.includes(' : tag Zq9x, size '));
      expect(rows.map((row) => row.slice(0, 16)).sort()).to.deep.equal(
        live()
          .map(({ va }) => canonical(va).toString(16))
          .sort(),
      );
      expect(found).to.match(/\nThe tag table says the same\.\n/);
      for (const row of rows)
        expect(row).to.match(/^[0-9a-f]{16} : tag Zq9x, size +0x[0-9a-f]+, (?:Nonpaged|Paged) pool$/);
      expectGolden(`poolfind-${name}.txt`, await text('poolfind', TAG, '--pool', 'nonpaged', '--limit', '6'));
    });

    it('poolfind shows the same row by row as at once, and says where it was stopped', async () => {
      const opened = await OpenedDump.open(path);
      try {
        const question = { tag: TAG };
        const found = await poolFind.read({ opened }, question);
        let text = '';
        for await (const piece of poolFind.pieces({ opened }, question)) text += piece;
        expect(text).to.equal(poolFind.text(found, question));
        expect(found.blocks).to.have.lengthOf(live().length);
        const ended = await poolFind.read({ opened, stopped: () => true }, question);
        expect(ended.ending).to.equal('interrupted');
        expect(ended.rows).to.equal(live().filter((b) => b.kind === 'bigpage').length);
        expect(poolFind.text(ended, question)).to.match(/\n\.\.\.terminating - searched 0 of \d+ parts of the pool\n/);
      } finally {
        opened.close();
      }
    });

    it('poolfind finds by wildcards, by number, in one pool, and as records', async () => {
      const { poolfind } = await json('poolfind', 'Zq*', '--pool', 'nonpaged');
      const expected = live().filter(({ paged }) => !paged);
      expect(poolfind).to.include({ tag: 'Zq*', rows: expected.length, ending: 'whole' });
      expect((await json('poolfind', '0x783971da'))['poolfind']).to.include({ rows: 0 });
      const limited = (await json('poolfind', TAG, '--limit', '2'))['poolfind'];
      expect(limited).to.include({ rows: 2, ending: 'limit' });
    });

    it('pool shows the page of an address and marks its block', async () => {
      const { va, size } = small();
      const shown = await text('pool', canonical(va + 0x20).toString(16));
      const row = shown.split('\n').find((line) => line.startsWith('*'));
      expect(row).to.match(
        new RegExp(
          `^\\*${canonical(va).toString(16)} size: +${size.toString(16)} previous size: .*\\(Allocated\\) \\*Zq9x$`,
        ),
      );
      expect(shown).to.match(/^Pool page [0-9a-f]{16} region is (?:Paged|Nonpaged) pool\n/);
      expect(shown).to.include('\t\tOwning component : Unknown (update pooltag.txt)\n');
      expectGolden(`pool-${name}.txt`, shown);
      const big = live().find((b) => b.kind === 'bigpage')!;
      expect(await text('pool', `0x${canonical(big.va + 0x10).toString(16)}`)).to.include(
        `*${canonical(big.va).toString(16)} : large page allocation, tag is Zq9x, size is 0x${big.size.toString(16)} bytes\n`,
      );
      expect(await text('pool', '0xfffffe7000001000')).to.match(/region is Unknown\n/);
    });

    it('poolval tells whether a page holds together', async () => {
      const shown = await text('poolval', canonical(small().va).toString(16));
      expect(shown).to.match(/Pool page \[ [0-9a-f]{16} \] is VALID\.\n/);
    });

    it('block shows the words and what they point into', async () => {
      const shown = await text('block', canonical(small().va).toString(16));
      expect(shown).to.match(/^Zq9x at [0-9a-f]{16}: \d+ bytes, /);
      expect(shown).to.match(/\n[0-9a-f`]{17} {2}[0-9a-f`]{17} acme\.sys\+0x1f40\n/);
      const { block } = await json('block', canonical(small().va).toString(16), '--bytes', '64');
      expect(block).to.include({ tag: TAG, state: 'allocated' });
      expect((await json('block', '0xfffffe7000001000'))['block']).to.equal(null);
    });

    it('bigpool sums by tag and lists one', async () => {
      const { bigpool } = await json('bigpool');
      const rows = (bigpool as { tags: { tag: string; count: number; bytes: number }[] }).tags.filter(
        ({ tag }) => tag === TAG,
      );
      const big = live().filter((b) => b.kind === 'bigpage');
      expect(rows.reduce((sum, { count }) => sum + count, 0)).to.equal(big.length);
      expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).to.equal(big.reduce((sum, { size }) => sum + size, 0));
      expect((await text('bigpool', TAG)).split('\n').length - 1).to.equal(
        Math.min(51, big.length + (big.length > 50 ? 1 : 0)),
      );
      expectGolden(`bigpool-${name}.txt`, await text('bigpool'));
    });

    it('verifier shows what drivers had not freed, and the log', async () => {
      expectGolden(`verifier-${name}.txt`, await text('verifier'));
      expect(await text('verifier', 'quiet.sys')).to.not.include('acme');
      expect(await text('verifier', '--log')).to.match(
        /\nPool block fffffa8000100000, Size 0000000000000400, Thread [0-9a-f]{16}\n[0-9a-f]{16} acme\+0x1f40\n/,
      );
      expect(await text('verifier', '--address', 'fffffa8000200000')).to.include('No entry is about this address.');
      const { level, drivers } = (await json('verifier', 'acme.sys', '--limit', '2'))['verifier'] as {
        level: number;
        drivers: { outstanding: object[]; more: number }[];
      };
      expect(level).to.equal(0x9bb);
      expect(drivers.map((one) => [one.outstanding.length, one.more])).to.deep.equal([[2, 1]]);
    });

    it('!verifier shows less with fewer flags, and !pool 2 the block alone', async () => {
      const opened = await OpenedDump.open(path);
      const shown = async (line: string): Promise<string> => {
        const { view, words } = viewOf(line)!;
        const wanted = view.words(words);
        return view.text(await view.read({ opened } as never, wanted), wanted);
      };
      try {
        const all = await shown('!verifier 3');
        expect(all).to.equal(await text('verifier'));
        expect(await shown('!verifier 1'))
          .to.include('Current Pool Bytes')
          .and.not.include('Caller Address');
        expect(await shown('!verifier'))
          .to.include('Pool Allocations Attempted')
          .and.not.include('acme');
        const { va } = small();
        const page = (await shown(`!pool ${canonical(va).toString(16)}`)).split('\n');
        const alone = (await shown(`!pool ${canonical(va).toString(16)} 2`)).split('\n');
        expect(alone).to.deep.equal([
          page[0],
          ...page.filter((line) => line.startsWith('*') || line.startsWith('\t\t')),
          '',
        ]);
      } finally {
        opened.close();
      }
    });

    it('bigpool says where there is no table, and of a tag without a row', async () => {
      const none = join(folder, `none-${name}.dmp`);
      buildDump({ ...OBJECT_SCENARIOS.zombies(20), kernel: '7601', modules: MODULES }).writeTo(none);
      for (const words of [[], [TAG]]) {
        const { stdout } = await runHere(['bigpool', none, ...words]);
        expect(stdout).to.equal('The table of big allocations (PoolBigPageTable) was not found in this dump.\n');
        expect(JSON.parse((await runHere(['bigpool', none, ...words, '--json'])).stdout)).to.have.property(
          'bigpool',
          null,
        );
      }
      expect(await text('bigpool', 'None')).to.equal('No big allocation has the tag None.\n');
    });

    it('wrong words end with code 64', async () => {
      for (const words of [
        ['poolfind', path, 'toolong'],
        ['pool', path, 'xyz'],
        ['block', path, '1', '--bytes', '0'],
        ['poolfind', path, TAG, '--limit', 'x'],
        ['bigpool', path, 'toolong'],
      ]) {
        expect((await runHere(words)).code, words.join(' ')).to.equal(64);
      }
    });
  });
}
