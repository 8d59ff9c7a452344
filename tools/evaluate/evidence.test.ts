import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { failed } from '../../parsers/bytes/failure.js';
import { driverFromFile } from '../../src/kernel/modules/driver-file.js';
import { judgeImage } from '../../src/leak/code/judge-image.js';
import { Compiler } from '../../test-dumps/drivers/compile.js';
import { evaluate, tablesOf } from './evidence.js';
import { FIELD_SHAPES } from '../../test-dumps/drivers/shapes-fields.js';
import { readFixtures } from '../../test-dumps/drivers/fixtures.js';
import type { DriverFile } from '../../test-dumps/drivers/scenario.js';
import type { Answer } from './score.js';
import { generateDriver, someDrivers } from '../../test-dumps/drivers/source.js';

const CORPUS = new URL('../../../../shared/corpus/pdb/', import.meta.url);
/** A seed that docs/evidence.md is not of. */
const SEED = 411;
/** Shapes whose tag takes a way that cannot always be followed: through a structure, or to a function found by its name. */
const MAY_BE_SILENT = [...Object.keys(FIELD_SHAPES), 'dynamic', 'table', 'select'];

const told = ({ driver, tag, strength, note }: Answer): string => `${driver.name} ${tag} ${strength ?? ''}: ${note}`;

function expectRight(files: readonly DriverFile[]): void {
  const { disk, dump, partial } = evaluate(files);
  const wrong = (answers: readonly Answer[]): Answer[] => answers.filter(({ outcome }) => outcome === 'wrong');
  expect([...wrong(disk), ...wrong(dump), ...wrong(partial)].map(told)).to.deep.equal([]);
  for (const answers of [disk, dump]) {
    const silent = answers.filter(
      ({ driver, tag, outcome }) =>
        outcome === 'silent' && driver.allocates && tag === driver.tag && !MAY_BE_SILENT.includes(driver.shape),
    );
    expect(silent.map(told)).to.deep.equal([]);
  }
}

describe('Evidence in drivers', () => {
  it('is right about the built ones, from disk, from dumps and from dumps that lack pages', function () {
    this.timeout(60_000);
    expectRight(readFixtures());
  });

  it('is right about 72 that are compiled here', async function () {
    const compiler = Compiler.find();
    if (compiler === null) {
      process.stderr.write('    clang, lld-link or llvm-dlltool is missing: no driver is compiled\n');
      return this.skip();
    }
    this.timeout(120_000);
    const drivers = someDrivers(SEED, 72).map(generateDriver);
    const paths = await compiler.compileAll(drivers);
    expectRight(drivers.map((driver, i) => ({ driver, file: readFileSync(paths[i]!) })));
  });

  it('is written as tables', () => {
    const files = readFixtures().slice(0, 4);
    const tables = tablesOf(evaluate(files));
    expect(tables).to.match(/^4 drivers\./);
    for (const { driver } of files) expect(tables).to.include(`| ${driver.shape} |`);
  });

  it('finds no allocation in the code of programs that have none', function () {
    if (!existsSync(CORPUS)) return this.skip();
    this.timeout(60_000);
    for (const name of ['x64-xcpt4.exe', 'x86-xcpt4.exe', 'ARM64-xcpt4.exe']) {
      const file = readFileSync(new URL(name, CORPUS));
      const read = driverFromFile(file, name);
      if (failed(read)) throw new Error(read.message);
      const keys = tagsIn(file);
      expect(keys.length).to.be.above(60);
      const accused = [...judgeImage(read.module, keys).traces]
        .flatMap(([key, list]) => list.map(({ strength, evidence }) => ({ key, strength, ...evidence })))
        .filter(({ strength, kind }) => strength !== 'low' && kind !== 'data');
      expect(accused, name).to.deep.equal([]);
    }
  });
});

/** Some of the four letters or digits that stand anywhere in a file, spread over it. */
function tagsIn(file: Uint8Array): number[] {
  const found = new Set<number>();
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 0; at + 4 <= file.length; at++) {
    if (/^[A-Za-z0-9]{4}$/.test(String.fromCharCode(...file.subarray(at, at + 4)))) found.add(view.getUint32(at, true));
  }
  const every = Math.ceil(found.size / 120);
  return [...found].filter((_, i) => i % every === 0);
}
