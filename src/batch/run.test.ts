import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import type { BatchEvents } from './events.js';
import { runBatch, type BatchOptions } from './run.js';

const SLOW = fileURLToPath(new URL('./slow-worker.test.helper.js', import.meta.url));

describe('batch: a run', function () {
  this.timeout(60_000);
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const told: string[] = [];
  const tell =
    (what: string) =>
    (place: unknown, more?: unknown): void => {
      told.push([what, String(place).replace(/^.*[\\/]/, ''), ...(typeof more === 'string' ? [more] : [])].join(' '));
    };
  const events: BatchEvents = {
    ...{ more: () => undefined, step: () => undefined, known: tell('known'), passed: tell('passed') },
    ...{ analyzed: tell('analyzed'), failed: tell('failed'), deferred: tell('deferred'), note: tell('note') },
  };
  /** Runs until `until` is true. */
  async function run(change: Partial<BatchOptions>, until: () => boolean): Promise<void> {
    const stop = new AbortController();
    const batch = runBatch({
      ...{ paths: [at('share')], out: at('out'), history: null, jobs: 2, timeoutMs: 60_000, memoryBytes: 2 ** 31 },
      settings: { pooltag: [], symbols: null, images: [], knownIssues: [], issues: [], mostBytes: null, machineByFolder: false }, // prettier-ignore
      ...{ followLinks: false, redact: null, again: false, retry: false, watch: null, stop: stop.signal, events },
      ...change,
    });
    const ended = batch.then(() => true);
    const deadline = Date.now() + 40_000;
    while (!until() && Date.now() < deadline) if (await Promise.race([sleep(50), ended])) break;
    const wasSo = until();
    stop.abort();
    const { interrupted } = await batch;
    expect({ wasSo, interrupted }).to.deep.equal({ wasSo: true, interrupted: true });
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-run-'));
    mkdirSync(at('share'));
    told.length = 0;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has an index of the dumps that are read while another one is slow', async () => {
    writeFileSync(at('share/fast.dmp'), buildDump({ kind: 'triage', seed: 1 }).toBytes());
    writeFileSync(at('share/slow.dmp'), buildDump({ kind: 'triage', seed: 2 }).toBytes());
    const index = (): string => (existsSync(at('out/index.html')) ? readFileSync(at('out/index.html'), 'utf8') : '');
    await run({ worker: SLOW }, () => index().includes('fast.dmp'));
    expect(index()).to.not.include('slow.dmp');
    expect(told).to.deep.equal(['analyzed fast.dmp']);
  });

  it('that watches says that a complete file is new, not that it is cut', async () => {
    writeFileSync(at('share/whole.dmp'), buildDump({ kind: 'triage', seed: 1 }).toBytes());
    await run({ watch: { everyMs: 100, settleMs: 60_000 } }, () => told.includes('analyzed whole.dmp'));
    expect(told).to.deep.equal(['deferred whole.dmp new', 'analyzed whole.dmp']);
  });
});
