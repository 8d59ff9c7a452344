/** What a scenario gets that says nothing about modules or pool tags: enough to be a real system, little enough to be fast. */

import { systemDrivers } from './catalogue.js';
import type { ModuleSpec, TagRowSpec } from './scenario.js';
import { tagRows } from './tag-rows.js';

const NAMES = new Set([
  'hal.dll',
  'kdcom.dll',
  'ACPI.sys',
  'pci.sys',
  'fltmgr.sys',
  'disk.sys',
  'afd.sys',
  'kbdclass.sys',
  'acmenet.sys',
  'cdd.dll',
]);

/** Ten drivers, one of them in session space. */
export function defaultDrivers(build: number): ModuleSpec[] {
  return systemDrivers(build).filter((spec) => NAMES.has(spec.name));
}

let rows: TagRowSpec[] | undefined;

/** 300 tags, 180 MB nonpaged and 310 MB paged: nothing to worry about. */
export function defaultRows(): TagRowSpec[] {
  rows ??= tagRows({ seed: 7, count: 300, nonPagedBytes: 180_000_000, pagedBytes: 310_000_000, largest: 24_000_000 });
  return rows;
}
