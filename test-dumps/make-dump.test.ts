import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { buildDump } from './build-dump.js';
import { kernelVersions } from './kernel-facts.js';
import { main, parseSize, scenarioOf } from './make-dump.js';
import { SCENARIOS } from './scenarios.js';
import { truthJson } from './truth-json.js';
import { x86Versions } from './kernel/x86-kernels.js';

const COMMAND = fileURLToPath(new URL('make-dump.js', import.meta.url));
const SAMPLES = fileURLToPath(new URL('../../test-dumps/samples/', import.meta.url));

/** What the command takes where no leak is described. */
const LEAK = { bytes: '2GB', pool: 'nonpaged', driver: 'leaky.sys' };

describe('make-dump', () => {
  it('reads sizes', () => {
    expect(['16GB', '512m', '4096', '1.5 GiB', '2t'].map(parseSize)).to.deep.equal([
      2 ** 34,
      2 ** 29,
      4096,
      1.5 * 2 ** 30,
      2 ** 41,
    ]);
    expect(() => parseSize('many')).to.throw('"many" is not a size');
    expect(() => parseSize('-1')).to.throw('not a size');
  });

  it('adds a leak and its driver to a scenario', () => {
    const { truth } = buildDump(
      scenarioOf({
        scenario: 'idleWorkstation',
        tag: 'Xyz',
        bytes: '3GB',
        pool: 'paged',
        driver: 'example.sys',
        ram: '12GB',
        processors: 3,
        kernel: '20348',
        seed: 9,
      }),
    );
    expect(truth.kernel.build).to.equal(20348);
    expect(truth.seed).to.equal(9);
    expect(truth.header.processors).to.equal(3);
    expect(truth.memory.physicalMemory).to.equal((12 * 2 ** 30) / 4096);
    expect(truth.pool.rows.find((row) => row.tag === 'Xyz ')!.paged.bytes).to.equal(3n * 2n ** 30n);
    expect(truth.tagHits.map((hit) => [hit.module, hit.style])).to.have.deep.members([
      ['example.sys', 'alloc'],
      ['example.sys', 'free'],
    ]);
  });

  it('lists in --help every kernel that it can build, and those it takes as given', () => {
    const help = execFileSync(process.execPath, [COMMAND, '--help'], { encoding: 'utf8' }).replace(/\s+/g, ' ');
    for (const version of [...kernelVersions(), ...x86Versions()]) {
      expect(help).to.contain(version);
      const architecture = x86Versions().includes(version) ? 'x86' : 'x64';
      const { truth } = buildDump(
        scenarioOf({ ...LEAK, scenario: 'idleWorkstation', kind: 'header', kernel: version, architecture }),
      );
      expect(truth.kernel.version).to.equal(version);
    }
    expect(help).to.match(/--architecture .*"x64", "x86", "arm64"/);
    expect(help).to.match(/--levels .*4, 5/);
  });

  it('writes a file and its truth, and refuses unknown words', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'make-dump-'));
    const written: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    try {
      await main(['notmyfault', '--kind', 'triage', '-o', join(folder, 'a.dmp'), '--truth', join(folder, 'a.json')]);
      expect(statSync(join(folder, 'a.dmp')).size).above(20000);
      const truth = JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')) as {
        kind: string;
        header: { bugCheckCode: number };
      };
      expect(truth).to.include({ kind: 'triage' });
      expect(truth.header.bugCheckCode).to.equal(0xe2);
      let message = '';
      await main(['nothing', '-o', join(folder, 'b.dmp')]).catch((error: unknown) => (message = String(error)));
      expect(message).to.contain('"nothing"');
    } finally {
      process.stdout.write = write;
      rmSync(folder, { recursive: true });
    }
    expect(written.join('')).to.contain('triage dump of 6.1.7601.24540');
  });

  it('the sample is what the command makes', () => {
    const dump = buildDump(SCENARIOS.notmyfault());
    const zipped = readFileSync(join(SAMPLES, 'notmyfault.dmp.gz'));
    expect(zipped.length).below(1_500_000);
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    expect(hash(gunzipSync(zipped))).to.equal(hash(dump.toBytes()));
    expect(readFileSync(join(SAMPLES, 'notmyfault.truth.json'), 'utf8').replaceAll('\r\n', '\n')).to.equal(
      truthJson(dump.truth),
    );
  });
});
