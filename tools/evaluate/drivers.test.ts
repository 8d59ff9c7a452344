import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { failed } from '../../parsers/bytes/failure.js';
import { driverFromFile, type DriverFile as Read } from '../../src/kernel/modules/driver-file.js';
import { readModules } from '../../src/kernel/modules/modules.js';
import { openBuilt } from '../../src/analysis/whole-dumps/truth.test.helper.js';
import { plus } from '../../parsers/addresses.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { getU32 } from '../../test-dumps/bytes.js';
import { Compiler } from '../../test-dumps/drivers/compile.js';
import { FIXTURE_SPECS, readFixtures } from '../../test-dumps/drivers/fixtures.js';
import { driverScenario } from '../../test-dumps/drivers/scenario.js';
import { SHAPES } from '../../test-dumps/drivers/shapes.js';
import {
  allDrivers,
  ARCHITECTURES,
  generateDriver,
  OPTIMISATIONS,
  someDrivers,
} from '../../test-dumps/drivers/source.js';

describe('Generated drivers', () => {
  it('are at least 200, of every shape, processor and optimisation, and the same for a seed', () => {
    const all = allDrivers(1);
    expect(all.length).to.be.at.least(200);
    expect(new Set(all.map((spec) => generateDriver(spec).name))).to.have.lengthOf(all.length);
    expect(all.map(generateDriver)).to.deep.equal(allDrivers(1).map(generateDriver));
    expect(generateDriver(allDrivers(1)[7]!)).to.not.deep.equal(generateDriver(allDrivers(2)[7]!));
    for (const [name, { allocates }] of Object.entries(SHAPES)) {
      const own = all.filter(({ shape }) => shape === name).map(generateDriver);
      expect(own).to.have.lengthOf(ARCHITECTURES.length * OPTIMISATIONS.length);
      for (const driver of own) {
        expect(driver.allocates, driver.name).to.equal(allocates);
        expect(driver.allocatedTags.includes(driver.tag)).to.equal(allocates);
        expect(driver.decoyTags.filter((tag) => driver.allocatedTags.includes(tag))).to.deep.equal([]);
      }
    }
  });

  it('in part have all shapes and processors', () => {
    const some = someDrivers(3, 72);
    expect(some).to.have.lengthOf(72);
    expect(new Set(some.map(({ shape }) => shape)).size).to.equal(Object.keys(SHAPES).length);
    expect(new Set(some.map(({ architecture }) => architecture)).size).to.equal(3);
  });
});

describe('The built drivers of the tests', () => {
  const fixtures = readFixtures();
  const read = (file: Uint8Array, name: string): Read => {
    const made = driverFromFile(file, name);
    if (failed(made)) throw new Error(made.message);
    return made;
  };

  it('are those that the script makes, and drivers', () => {
    expect(fixtures.map(({ driver }) => driver.name)).to.deep.equal(
      FIXTURE_SPECS.map((spec) => `${spec.shape}-${spec.architecture}-${spec.optimisation}-${spec.seed}`),
    );
    for (const { driver, file } of fixtures) {
      const { module, architecture, isDriver } = read(file, `${driver.name}.sys`);
      expect({ architecture, isDriver }).to.deep.equal({ architecture: driver.architecture, isDriver: true });
      expect(module.pagesPresent).to.equal(module.pagesTotal);
      const [, spoken = ''] = driver.decoyTags.slice(-2);
      expect(Buffer.from(file).includes(`${spoken}ing`), driver.name).to.equal(true);
    }
  });

  for (const architecture of ARCHITECTURES) {
    it(`stand in dumps of ${architecture} as a kernel loads them`, () => {
      const own = fixtures.filter(({ driver }) => driver.architecture === architecture);
      const { kernel } = openBuilt(buildDump(driverScenario(architecture, own, 'discarded')));
      const { modules } = readModules(kernel);
      for (const { driver, file } of own) {
        const loaded = modules.find(({ name }) => name === `${driver.name}.sys`)!;
        const disk = read(file, loaded.name).module;
        expect(loaded.headers).to.deep.include({ machine: disk.headers!.machine, imageBase: loaded.base });
        const text = disk.headers!.sections.find(({ name }) => name === '.text')!;
        const bytes = [disk, loaded].map(({ memory, base }) => memory!.read(plus(base, text.rva), text.size));
        expect(bytes[1], driver.name).to.be.an.instanceOf(Uint8Array);
        // Only 32-bit code holds addresses.
        if (architecture !== 'x86') expect(bytes[1]).to.deep.equal(bytes[0]);
        const init = disk.headers!.sections.find(({ name }) => name === 'INIT')!;
        expect(loaded.memory!.read(plus(loaded.base, init.rva), 1)).to.have.property('code');
        const imports = getU32(loaded.memory!.read(loaded.base, 0x400) as Uint8Array, importsAt(file));
        expect(imports).to.equal(init.rva);
      }
    });
  }
});

describe('The compiler of drivers', () => {
  it('makes drivers', async function () {
    const compiler = Compiler.find();
    if (compiler === null) {
      process.stderr.write('    clang, lld-link or llvm-dlltool is missing: no driver is compiled\n');
      return this.skip();
    }
    this.timeout(60_000);
    const drivers = FIXTURE_SPECS.slice(0, 3).map(generateDriver);
    const files = await compiler.compileAll(drivers);
    drivers.forEach((driver, i) => {
      const file = readFileSync(files[i]!);
      const made = driverFromFile(file, `${driver.name}.sys`);
      expect(failed(made), driver.name).to.equal(false);
      expect(!failed(made) && made.isDriver && made.architecture).to.equal(driver.architecture);
    });
  });
});

/** Where the headers say where the import directory is. */
function importsAt(file: Uint8Array): number {
  const optional = getU32(file, 0x3c) + 0x18;
  return optional + (file[optional] === 0x0b && file[optional + 1] === 2 ? 0x70 : 0x60) + 8;
}
