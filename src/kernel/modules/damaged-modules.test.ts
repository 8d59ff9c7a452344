/** Whole dumps with one damaged field of a module: nobody innocent is named, nothing is lost, and it is said. */

import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { Prng } from '../../../test-dumps/prng.js';
import { truthCases, type TruthCase } from '../../../tools/evaluate/truth/cases.js';
import { DAMAGES, damagedSource, damageOf, type Damage } from '../../../tools/evaluate/truth/damage.js';
import { Places } from '../../../tools/evaluate/truth/places.js';
import { analyze } from '../../analysis/analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { OpenedDump } from '../open/opened-dump.js';

const caseNamed = (name: string): TruthCase => {
  const found = truthCases().find((each) => each.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};

function analyzed(places: Places, damage: Omit<Damage, 'what'>): AnalysisResult {
  const source = damagedSource(places, { what: '', ...damage });
  return analyze(OpenedDump.over('x', { source, fileBytes: source.byteLength, container: null, damage: null }));
}

const bytesOf = (value: bigint, count: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, count);
};

describe('a module with one damaged field', function () {
  this.timeout(60_000);
  let places: Places;
  /** Number of the culprit's entry, and of another's. */
  let culprit = 0;
  let other = 0;
  const numbers = new Map<string, number>();
  before(() => {
    places = new Places(buildDump(caseNamed('Windows 10 2004 x64, nonpaged leak').scenario));
    places.built.truth.modules.forEach(({ name }, i) => numbers.set(name, i));
    [culprit, other] = [numbers.get('acmenet.sys') ?? 0, numbers.get('partmgr.sys') ?? 0];
  });

  const fieldOf = (index: number, name: string): { at: number; bytes: number } => {
    const field = places.entryFields(places.entries[index] ?? 0).find((each) => each.name === name);
    if (field === undefined) throw new Error(name);
    return field;
  };
  const withField = (index: number, name: string, change: (old: bigint) => bigint): AnalysisResult => {
    const { at, bytes } = fieldOf(index, name);
    return analyzed(places, {
      patches: [{ at, bytes: bytesOf(change(places.number(at, bytes)), bytes) }],
      cutTo: null,
    });
  };
  const drivers = (result: AnalysisResult): string[] =>
    result.suspects.flatMap((suspect) => suspect.drivers.map(({ module, confidence }) => `${module} ${confidence}`));
  const said = (result: AnalysisResult): string[] => result.warnings.map(({ code, message }) => `${code}: ${message}`);
  const names = (result: AnalysisResult): string[] => (result.modules ?? []).map(({ name }) => name);
  const all = (): string[] => places.built.truth.modules.map(({ name }) => name);

  it('undamaged: the culprit, and no doubt', () => {
    const result = analyzed(places, { patches: [], cutTo: null });
    expect(drivers(result)[0]).to.equal('acmenet.sys high');
    expect(said(result).join()).not.to.include('module-');
  });

  it('SizeOfImage with a bit more covers no later module', () => {
    const result = withField(other, 'SizeOfImage', (old) => old ^ 0x0800_0000n);
    expect(drivers(result)[0]).to.equal('acmenet.sys high');
    expect(drivers(result).join()).not.to.include('partmgr');
    expect(result.modules?.[other]?.sizeOfImage).to.equal(places.built.truth.modules[other]?.size);
    expect(said(result).join()).to.match(
      /module-contradicted: .*partmgr.sys at 0x[0-9a-f]+: SizeOfImage is 0x8\w+ in the list and 0x\w+ in the image header/,
    );
  });

  it("SizeOfImage of the culprit's costs its high confidence, not its place", () => {
    for (const change of [(old: bigint) => old ^ 0x0800_0000n, () => 0n, () => 0xffff_ffffn, () => 0x1000n]) {
      const result = withField(culprit, 'SizeOfImage', change);
      expect(drivers(result)[0]).to.equal('acmenet.sys medium');
      expect(result.suspects[0]?.against.map(({ code }) => code)).to.include('module-contradicted');
      expect(result.modules?.[culprit]?.sizeOfImage).to.equal(places.built.truth.modules[culprit]?.size);
    }
  });

  it("BaseDllName that points at another module's name", () => {
    const name = places.number(fieldOf(other, 'BaseDllName.Buffer').at, 8);
    const result = withField(culprit, 'BaseDllName.Buffer', () => name);
    expect(drivers(result)[0]).to.equal('acmenet.sys medium');
    expect(names(result)).to.deep.equal(all());
    expect(said(result).join()).to.include('BaseDllName is partmgr.sys, FullDllName ends in acmenet.sys');
  });

  it('names without a sane length', () => {
    for (const length of [0n, 1n, 2040n, 60000n, 0xffffn, 12n]) {
      for (const which of ['BaseDllName', 'FullDllName']) {
        const [at, maximum] = [fieldOf(culprit, `${which}.Length`).at, fieldOf(culprit, `${which}.MaximumLength`).at];
        const patches = [
          { at, bytes: bytesOf(length, 2) },
          { at: maximum, bytes: bytesOf(0xfffen, 2) },
        ];
        const result = analyzed(places, { patches, cutTo: null });
        expect(names(result), `${which} ${length}`).to.deep.equal(all());
        expect(drivers(result)[0], `${which} ${length}`).to.equal('acmenet.sys medium');
      }
    }
  });

  it('Flink that passes over an entry, or leads into the middle of one', () => {
    const next = (index: number): bigint => places.number(fieldOf(index, 'Flink').at, 8);
    for (const to of [next(culprit), next(culprit) + 0x18n, next(other), 0n]) {
      const result = withField(culprit - 1, 'Flink', () => to);
      expect(names(result)).to.deep.equal(all());
      expect(said(result).join()).to.match(/module-list-broken: .*none is missing/);
      expect(drivers(result)[0]).to.equal('acmenet.sys high');
    }
  });

  it('DllBase: the image is found by its entry point', () => {
    const base = places.number(fieldOf(other, 'DllBase').at, 8);
    for (const change of [() => base, (old: bigint) => old ^ 0x1000n, (old: bigint) => old ^ 0x4000_0000n, () => 0n]) {
      const result = withField(culprit, 'DllBase', change);
      const module = result.modules?.find(({ name }) => name === 'acmenet.sys');
      expect(module?.base).to.equal(`0x${places.built.truth.modules[culprit]?.base.toString(16)}`);
      expect(drivers(result)[0]).to.equal('acmenet.sys medium');
      expect(drivers(result).join()).not.to.include('partmgr');
    }
  });

  it('that of an image header', () => {
    const page = places.at(places.built.truth.modules[culprit]?.base ?? 0n) ?? 0;
    const fields = places.headerFields(page).filter(({ name }) => !/section [2-9]|directory [^026]/.test(name));
    for (const { name, at, bytes } of fields) {
      for (const value of [0n, places.number(at, bytes) ^ 0x10n]) {
        const result = analyzed(places, { patches: [{ at, bytes: bytesOf(value, bytes) }], cutTo: null });
        expect(names(result), name).to.deep.equal(all());
        const accused = drivers(result).filter((driver) => !driver.endsWith('low'));
        expect(
          accused.every((driver) => driver.startsWith('acmenet.sys')),
          `${name} ${accused.join()}`,
        ).to.equal(true);
      }
    }
  });
});

/** Longest text that a result may hold, in characters: a line that can still be read. */
const LONGEST = 4096;
const LONGEST_NAME = 255;

describe('texts of the result, whatever the dump holds', function () {
  this.timeout(60_000);

  it('are of a length', () => {
    for (const name of ['Windows 10 2004 x64, nonpaged leak', 'Server 2003 x86, paged leak']) {
      const places = new Places(buildDump(caseNamed(name).scenario));
      const kinds = Object.keys(DAMAGES);
      for (let seed = 0; seed < 12; seed++) {
        const damage = damageOf(kinds[seed % kinds.length] ?? '', places, new Prng(seed));
        if (damage !== null) expectShort(analyzed(places, damage), `${name}, ${damage.what}`);
      }
      // Lengths that reach over what follows the names.
      const patches = places.entries.flatMap((entry) =>
        places
          .entryFields(entry)
          .filter((field) => field.name.endsWith('Length'))
          .map(({ at }) => ({ at, bytes: bytesOf(60000n, 2) })),
      );
      expectShort(analyzed(places, { patches, cutTo: null }), `${name}, all lengths`);
    }
  });
});

function expectShort(result: AnalysisResult, what: string): void {
  for (const module of result.modules ?? []) {
    for (const text of [module.name, module.moduleName, module.pdb?.name ?? ''])
      expect(text.length, what).to.be.at.most(LONGEST_NAME);
  }
  for (const driver of result.unloadedModules ?? []) expect(driver.name.length, what).to.be.at.most(LONGEST_NAME);
  const look = (value: unknown, path: string): void => {
    if (typeof value === 'string') expect(value.length, `${what}: ${path}`).to.be.at.most(LONGEST);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`);
    }
  };
  look(result, '');
}
