/** Short, seeded runs of the fuzzer over every target, and proofs that it sees failures. `npm run fuzz` runs more. */

import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemorySource } from '../../parsers/bytes/source.js';
import { attempt } from './attempt.js';
import { applyChanges, planOf } from './changes.js';
import { TARGETS, targetNamed } from './registry.js';
import { runFuzzer, type RunResult } from './run.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';
import { analyze } from '../../src/analysis/analyze.js';

/** Commands that ask the database make it first, which takes seconds: one of them stands for all here. */
const QUICK = TARGETS.filter(({ name, limits }) => limits === undefined || name === 'command-history-list');

describe('the fuzzer', function () {
  this.timeout(600_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fuzz-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has good seeds: every target takes them as they are', async () => {
    const built = new Map<string, Uint8Array>();
    for (const target of QUICK) {
      for (const [i, build] of target.seeds.entries()) {
        const key = `${target.keptAs ?? target.name} ${i}`;
        const input = built.get(key) ?? build();
        if (target.keptAs !== undefined) built.set(key, input);
        const { message } = await attempt(target, input, folder);
        expect(message, `${target.name} ${i}`).to.equal(null);
      }
    }
  });

  it('has dumps whose tag tables are read, so that changes reach what reads them', () => {
    for (const { name, seeds } of TARGETS.filter((t) => /^dump-(?!.*triage)/.test(t.name))) {
      const bytes = seeds[0]!();
      const file = { source: new MemorySource(bytes), fileBytes: bytes.length, container: null, damage: null };
      expect(analyze(OpenedDump.over('seed.dmp', file)).poolTags?.rows.length, name).to.be.greaterThan(2);
    }
  });

  it('finds no crash, hang or waste in any parser (one input or more each)', async () => {
    const { figures, failures } = await runFuzzer({ targets: QUICK, runs: 90, seed: 1000, saveIn: folder });
    expect(failures.map(({ target, number, message }) => `${target} ${number}: ${message}`)).to.deep.equal([]);
    expect(figures.map(({ name }) => name)).to.deep.equal(QUICK.map(({ name }) => name));
    expect(figures.reduce((sum, { inputs }) => sum + inputs, 0)).to.be.within(90, 120);
  });

  it('gives the same input for the same number', () => {
    const target = targetNamed('pooltag');
    const good = target.seeds.map((build) => build());
    const plan = planOf(target, 77, (which) => good[which]!);
    expect(planOf(target, 77, (which) => good[which]!)).to.deep.equal(plan);
    const kept = good[plan.which]!.slice();
    applyChanges(good[plan.which]!, plan.changes);
    expect(good[plan.which]).to.deep.equal(kept);
  });

  const provoke = (name: string, mostFailures = 1): Promise<RunResult> =>
    runFuzzer({
      targets: [targetNamed(`self-test-${name}`)],
      runs: 20,
      seed: 1,
      saveIn: folder,
      mostFailures,
      patience: 5000,
      shrinkFor: name === 'throw' ? 60_000 : 0,
    });

  it('makes a failing input small, and saves it', async () => {
    const [first] = (await provoke('throw')).failures;
    expect(first?.message).to.contain('TypeError: on purpose');
    expect(readFileSync(first!.file, 'latin1')).to.equal('!');
  });

  it('saves into a folder that does not exist yet', async () => {
    const { failures } = await runFuzzer({
      targets: [targetNamed('self-test-throw')],
      runs: 20,
      seed: 1,
      saveIn: join(folder, 'not', 'yet'),
      mostFailures: 1,
      shrinkFor: 0,
    });
    expect(failures).to.have.length(1);
    expect(readFileSync(failures[0]!.file).length).to.equal(failures[0]!.bytes);
  });

  for (const [name, message] of [
    ['slow', 'took more than 2000 ms of processor time'],
    ['memory', 'took more than 300 MB of memory'],
    ['hang', 'no end after 5000 ms'],
    ['exit', 'the process died (SIGKILL)'],
  ] as const) {
    it(`sees ${name}`, async () => {
      const [first] = (await provoke(name)).failures;
      expect(first?.message).to.contain(message);
    });
  }
});
