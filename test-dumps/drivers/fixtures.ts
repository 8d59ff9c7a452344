/** A few generated drivers as built files, with their truth: for machines without the compilers. */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DriverFile } from './scenario.js';
import { ARCHITECTURES, type DriverSpec, type GeneratedDriver } from './source.js';

/** build/test-dumps/drivers -> test-dumps/drivers */
export const FIXTURES = new URL('../../../test-dumps/drivers/fixtures/', import.meta.url);

const spec = (
  shape: string,
  architecture: DriverSpec['architecture'],
  optimisation: DriverSpec['optimisation'],
): DriverSpec => ({ shape, architecture, optimisation, seed: 77 });

/** What `make-fixtures` builds. */
export const FIXTURE_SPECS: readonly DriverSpec[] = [
  spec('immediate', 'x64', 'O2'), spec('immediate', 'x86', 'Os'), spec('wrapper', 'x64', 'Os'), spec('wrapper', 'x86', 'O2'),
  spec('wrapper-deep', 'arm64', 'O1'), spec('global', 'x64', 'O2'), spec('table', 'x64', 'O1'), spec('split', 'arm64', 'O2'),
  spec('tail-call', 'x64', 'O2'), spec('lookaside', 'x64', 'O0'), spec('pool2', 'x86', 'O1'), spec('pool3', 'arm64', 'Os'),
  spec('text', 'x64', 'O1'), spec('wide-text', 'arm64', 'O2'), spec('compare', 'x86', 'O1'), spec('store', 'x64', 'O2'),
  spec('displacement', 'x64', 'O1'), spec('other-tag', 'x86', 'O2'), spec('free-only', 'arm64', 'O1'), spec('relocation', 'x86', 'O2'),
  spec('relocation', 'x64', 'O2'), spec('pattern', 'x64', 'O1'), spec('size', 'x64', 'Os'),
  spec('wdf-memory', 'x64', 'O2'), spec('wdf-memory', 'x86', 'O1'), spec('wdf-lookaside', 'arm64', 'O2'), spec('wdf-driver', 'x64', 'O1'),
  spec('parameters', 'x64', 'O1'), spec('parameters', 'x86', 'O2'), spec('contexts', 'x64', 'O2'), spec('contexts', 'x86', 'O1'),
  spec('service', 'x64', 'O2'), spec('service', 'x86', 'O1'), spec('parts', 'x64', 'O2'), spec('parts', 'arm64', 'O1'),
  spec('move', 'arm64', 'O2'), spec('string', 'x86', 'O2'), spec('imul', 'x64', 'O2'), spec('spilled', 'arm64', 'O0'),
  spec('wdf-other', 'x64', 'O1'), spec('wdf-flags', 'x64', 'O2'), spec('parameters-size', 'x86', 'O1'), spec('contexts-own', 'x64', 'O2'),
  spec('service-other', 'x86', 'O2'), spec('parts-beside', 'x64', 'O1'), spec('move-other', 'arm64', 'O1'), spec('string-load', 'x86', 'Os'),
  spec('imul-wide', 'x64', 'O1'), spec('spilled-over', 'arm64', 'O1'),
  spec('field', 'x64', 'O2'), spec('field-given', 'x86', 'O1'), spec('field-allocated', 'x64', 'Os'), spec('field-device', 'x64', 'O1'),
  spec('field-device', 'x86', 'O2'), spec('field-context', 'arm64', 'O2'), spec('field-second', 'x64', 'O1'), spec('field-unrelated', 'x86', 'O2'),
  spec('field-rewritten', 'x64', 'O2'), spec('field-set', 'arm64', 'O1'), spec('field-address', 'x86', 'O2'), spec('field-wide', 'x64', 'O2'),
  spec('field-copied', 'arm64', 'O0'), spec('field-device-rewritten', 'x64', 'O2'), spec('field-context-other', 'x86', 'O1'),
]; // prettier-ignore

/** The truth about all fixtures: a list of drivers, without their sources. */
export const TRUTH = 'truth.json';

/** All fixtures. */
export function readFixtures(): DriverFile[] {
  const drivers = JSON.parse(readFileSync(new URL(TRUTH, FIXTURES), 'utf8')) as Omit<GeneratedDriver, 'source'>[];
  return drivers.map((driver) => ({
    driver: { ...driver, source: '' },
    file: readFileSync(new URL(`${driver.name}.sys`, FIXTURES)),
  }));
}

/** The file of a large driver among the fixtures. */
export const largeName = (architecture: DriverSpec['architecture']): string => `large-${architecture}.sys.gz`;

/** One large driver for each processor (see `large.ts`), each its own copy. */
export function readLargeDrivers(): Buffer[] {
  return ARCHITECTURES.map((architecture) => gunzipSync(readFileSync(new URL(largeName(architecture), FIXTURES))));
}
