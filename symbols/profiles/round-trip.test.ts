/** What stands in the shipped tables equals what they were made from, kernel by kernel. */

import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KernelProfile } from '../kernel-symbols.js';
import { findImageVersion } from './images.js';
import { findProfile, kernelEntries } from './profiles.js';
import {
  FACTS,
  PROJECT,
  readImages,
  readKernels,
  readStructures,
  sharedFile,
  withoutNumbers,
} from './shared-facts.test.helper.js';

const DATA = fileURLToPath(new URL('symbols/profiles/data/', PROJECT));

function profileOf(key: string, buildNumber: number): KernelProfile {
  const pdb = { name: 'ntkrnlmp.pdb', guid: key.slice(0, 32), age: parseInt(key.slice(32), 16) };
  const found = findProfile({ pdb, timeDateStamp: null, sizeOfImage: null, buildNumber });
  expect(found?.exact, key).to.equal(true);
  return found!.profile;
}

describe('built-in tables against their sources', () => {
  it('holds every symbol and every layout of all 213 kernels', function () {
    const source = readKernels(this);
    const symbols = [...new Set(Object.values(source.kernels).flatMap((kernel) => Object.keys(kernel.rva)))];
    const types = Object.keys(source.layouts);
    expect(Object.keys(source.kernels)).to.have.lengthOf(213);
    expect(kernelEntries()).to.have.lengthOf(213);
    for (const [key, kernel] of Object.entries(source.kernels)) {
      const profile = profileOf(key, Number(kernel.version.split('.')[2]));
      expect(profile.version).to.equal(kernel.version);
      expect(profile.pdb.guid + profile.pdb.age.toString(16).toUpperCase()).to.equal(key);
      expect([profile.timeDateStamp, profile.sizeOfImage]).to.deep.equal([
        kernel.timeDateStamp ?? null,
        kernel.sizeOfImage ?? null,
      ]);
      for (const name of symbols) expect(profile.rva(name), `${key} ${name}`).to.equal(kernel.rva[name] ?? null);
      for (const type of types) {
        const number = kernel.structs[type];
        const layout = profile.layout(type);
        if (number === undefined) {
          expect(layout, `${key} ${type}`).to.equal(null);
          continue;
        }
        const { size, fields } = source.layouts[type]![number]!;
        const expected = Object.fromEntries(
          Object.entries(fields).map(([name, [offset, kind]]) => [name, { offset, type: withoutNumbers(kind) }]),
        );
        expect(layout, `${key} ${type}`).to.deep.equal({ name: type, size, fields: expected });
      }
    }
  });

  it('gives ExPoolTagTables the capacity of the build, never past the next known symbol', function () {
    const source = readKernels(this);
    const byBuild = readStructures(this).exPoolTagTablesCapacity;
    for (const [key, kernel] of Object.entries(source.kernels)) {
      const build = Number(kernel.version.split('.')[2]);
      const start = kernel.rva['ExPoolTagTables']!;
      const gap = Math.min(...Object.values(kernel.rva).filter((rva) => rva > start)) - start;
      const capacity = profileOf(key, build).poolTagTablesCapacity;
      expect(capacity, kernel.version).to.equal(byBuild[build] ?? 1280);
      expect(capacity! * 8, kernel.version).to.be.at.most(gap);
    }
  });

  it('names the version of every listed image, and takes no ntkrla57.exe or ARM64 image for an ntoskrnl.exe', function () {
    const { images } = readImages(this);
    expect(images).to.have.lengthOf(3658);
    for (const { arch, version, file, timeDateStamp, sizeOfImage } of images) {
      const found = findImageVersion(timeDateStamp, sizeOfImage, arch === 'amd64' ? 'x64' : 'arm64');
      expect(found?.file, version).to.equal(file);
      expect([found?.version, ...(found?.others ?? [])], version).to.include(version);
      if (file === 'ntoskrnl.exe' && arch === 'amd64') continue;
      const identity = { pdb: null, timeDateStamp, sizeOfImage, buildNumber: Number(version.split('.')[2]) };
      expect(findProfile(identity), `${arch} ${file} ${version}`).to.equal(null);
    }
  });

  it('comes out byte for byte when made again', function () {
    const inputs = Object.values(FACTS)
      .map((name) => sharedFile(name))
      .filter((path) => path !== null);
    if (inputs.length < Object.values(FACTS).length) {
      if (this.test !== undefined) this.test.title += ' - skipped: the inputs are not in ../shared';
      this.skip();
    }
    const out = mkdtempSync(join(tmpdir(), 'kernel-tables-'));
    try {
      const script = fileURLToPath(new URL('symbols/profiles/generate.mjs', PROJECT));
      const run = spawnSync(process.execPath, [script, ...inputs, out], { encoding: 'utf8' });
      expect(run.stderr).to.equal('');
      const shipped = readdirSync(DATA).filter((name) => name.endsWith('.txt'));
      expect(readdirSync(out).sort()).to.deep.equal(shipped.sort());
      for (const name of shipped) {
        const same = readFileSync(join(out, name), 'latin1') === readFileSync(join(DATA, name), 'latin1');
        expect(same, name).to.equal(true);
      }
    } finally {
      rmSync(out, { recursive: true });
    }
  });

  it('stays small', () => {
    const bytes = readdirSync(DATA).reduce((sum, name) => sum + statSync(join(DATA, name)).size, 0);
    expect(bytes).to.be.below(600 * 1024);
  });
});
