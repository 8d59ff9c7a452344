import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROJECT, sharedFile } from '../profiles/shared-facts.test.helper.js';
import { objectReleases } from './object-layouts.js';

const offset = (release: ReturnType<typeof objectReleases>[number] | undefined, type: string, field: string): number =>
  release?.layout(type)?.fields[field]?.offset ?? -1;

describe('layouts of processes and objects', () => {
  it('come the nearest build first, the earlier of two as near, later revisions before earlier ones', () => {
    const versions = objectReleases('x64', 9600).map(({ version }) => version);
    expect(versions.slice(0, 2)).to.deep.equal(['9600.20302-9600.21620', '9600.19913-9600.21620']);
    expect(objectReleases('x64', 26200)[0]?.version).to.equal('26200');
    expect(objectReleases('x86', 2195)[0]?.version).to.equal('2600.5512');
  });

  it('hold what the published types say', () => {
    const [seven] = objectReleases('x64', 7601);
    expect(offset(seven, '_EPROCESS', 'ObjectTable')).to.equal(0x200);
    expect(offset(seven, '_TOKEN', 'SessionId')).to.equal(0x74);
    const [xp] = objectReleases('x86', 2600);
    expect(offset(xp, '_EPROCESS', 'ImageFileName')).to.equal(0x174);
    expect(offset(xp, '_OBJECT_HEADER', 'NameInfoOffset')).to.equal(0xc);
    expect(offset(xp, '_OBJECT_HEADER', 'InfoMask')).to.equal(-1);
  });

  it("of ARM64 are its own where they are known, else x64's, and _EPROCESS moved as its ObjectTable is", () => {
    const releases = objectReleases('arm64', 26100);
    const own = releases.find(({ shifted }) => !shifted);
    expect(offset(own, '_EPROCESS', 'ExitTime')).to.equal(0x680);
    expect(offset(own, '_TOKEN', 'SessionId')).to.equal(0x78);
    const moved = objectReleases('arm64', 22000).find(({ shifted }) => shifted);
    expect(offset(moved, '_EPROCESS', 'ObjectTable')).to.equal(0x528);
    expect(offset(moved, '_EPROCESS', 'InheritedFromUniqueProcessId')).to.equal(0x4f8);
    // What follows the first member that begins a cache line is not known.
    expect(offset(moved, '_EPROCESS', 'ExitTime')).to.equal(-1);
    expect(moved?.layout('_ETHREAD')).to.equal(null);
  });

  it('are made from the facts of today', function () {
    const facts = sharedFile('reference/objects-layouts.json');
    if (facts === null) {
      if (this.test) this.test.title += ' - skipped: no ../shared/reference/objects-layouts.json';
      this.skip();
    }
    const out = mkdtempSync(join(tmpdir(), 'dumpleak-layouts-'));
    try {
      const script = fileURLToPath(new URL('symbols/objects/generate.mjs', PROJECT));
      const run = spawnSync(process.execPath, [script, facts, out], { encoding: 'utf8' });
      expect(run.stderr).to.equal('');
      for (const architecture of ['x64', 'x86', 'arm64']) {
        for (const name of [`layouts-${architecture}.txt`, `layout-sets-${architecture}.txt`]) {
          const shipped = readFileSync(new URL(`symbols/objects/data/${name}`, PROJECT), 'utf8');
          expect(readFileSync(join(out, name), 'utf8') === shipped, name).to.equal(true);
        }
      }
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});
