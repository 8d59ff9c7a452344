/**
 * One step for the benchmark of handles, in a process of its own: `objects-steps.js pages|count|judge DUMP`. Writes
 * milliseconds of processor time for the step alone, the dump being open and its processes known.
 */

import { PAGE_SIZE, plus, type VirtualAddress } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { readObjectParts } from '../../src/analysis/objects/object-facts.js';
import { readHandleTable } from '../../src/kernel/objects/handles/handle-table.js';
import { objectsOf } from '../../src/kernel/objects/objects.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';
import { judgeHolders } from '../../src/leak/objects/holders.js';
import { suspiciousTypes } from '../../src/leak/objects/object-counts.js';

const [step = '', path = ''] = process.argv.slice(2);
const dump = await OpenedDump.open(path);
const { kernel } = dump;
const objects = objectsOf(kernel);
const processes = objects.processes()?.processes ?? [];
objects.decoder();
const start = process.cpuUsage();
let said = 0;
if (step === 'pages') said = readTables();
else if (step === 'count') said = objects.census()?.handles ?? 0;
else said = judge();
const { user, system } = process.cpuUsage(start);
process.stdout.write(JSON.stringify({ ms: (user + system) / 1000, said }));
dump.close();

/** Reads every page of every handle table once, by its address; how many there were. */
function readTables(): number {
  const { memory } = kernel;
  const layouts = objects.layouts();
  if (memory === null || layouts === null) return 0;
  let pages = 0;
  const page = (address: VirtualAddress, level: number): void => {
    const bytes = memory.read(address, PAGE_SIZE);
    if (failed(bytes)) return;
    pages++;
    if (level === 0) return;
    for (let at = 0; at < PAGE_SIZE; at += memory.pointerSize) {
      const below = memory.readPointer(plus(address, at));
      if (failed(below) || below === 0n) return;
      page(below, level - 1);
    }
  };
  for (const { objectTable } of processes) {
    const table = objectTable === null ? null : readHandleTable(memory, layouts, objectTable);
    if (table !== null && !failed(table)) page(table.base, table.level);
  }
  return pages;
}

/** Everything that an analysis does with objects. */
function judge(): number {
  const { facts } = readObjectParts(kernel, undefined, objects);
  const found = suspiciousTypes(facts);
  for (const { type } of found) {
    const reading = facts.holdersOf(type.type);
    if (reading !== null) judgeHolders(reading, Number(type.objects));
  }
  return found.length;
}
