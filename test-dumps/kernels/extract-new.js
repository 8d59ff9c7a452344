/**
 * Kernels of builds whose structures are published and whose addresses are not: layouts from a collection of type listings
 * (kernel-structures.json), addresses and identities invented. What the collection lacks is as in 22000, beside this script.
 * Usage: node test-dumps/kernels/extract-new.js PATH/TO/kernel-structures.json
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/** The version that is written, and the name of its layouts in the collection. */
const KERNELS = [
  ['10.0.22621.382', '10.0.22621.382'],
  ['10.0.26100.1', '10.0.26100.0'],
];
const PAGE = 0x1000;

const source = process.argv[2];
if (!source) throw new Error('usage: node extract-new.js PATH/TO/kernel-structures.json');
const known = JSON.parse(readFileSync(source, 'utf8')).structs;
const model = JSON.parse(readFileSync(new URL('10.0.22000.2538.json', import.meta.url), 'utf8'));
/** Structures that are global variables. */
const TYPE_OF = { MiState: '_MI_SYSTEM_INFORMATION', MiSystemPartition: '_MI_PARTITION' };

function structsOf(version) {
  const structs = {};
  for (const [name, { size, fields }] of Object.entries(model.structs)) {
    const layout = known[name]?.x64?.find((one) => one.size > 0 && one.builds.includes(version));
    if (layout === undefined) {
      structs[name] = { size, fields };
      continue;
    }
    const offsets = new Map(layout.fields.map((field) => [field.name, field.off]));
    const kept = Object.keys(fields).filter((field) => offsets.has(field));
    structs[name] = { size: layout.size, fields: Object.fromEntries(kept.map((field) => [field, offsets.get(field)])) };
  }
  return structs;
}

/** The same order as in the model, with gaps of the same size but for two structures that grew, somewhere else. */
function addressesOf(structs, shift) {
  const sorted = Object.entries(model.rva).sort((a, b) => a[1] - b[1]);
  const rva = {};
  let last = 0;
  let at = 0;
  for (const [i, [name, old]] of sorted.entries()) {
    const grown = Math.max(0, (structs[TYPE_OF[sorted[i - 1]?.[0]]]?.size ?? 0) - (old - last));
    at += i === 0 ? old + shift : old - last + Math.ceil(grown / PAGE) * PAGE;
    rva[name] = at;
    last = old;
  }
  return rva;
}

KERNELS.forEach(([version, listing], i) => {
  const structs = structsOf(listing);
  const rva = addressesOf(structs, (i + 1) * 0x23000);
  const facts = {
    version,
    build: Number(version.split('.')[2]),
    pdb: { ...model.pdb, guid: createHash('md5').update(version).digest('hex').toUpperCase() },
    timeDateStamp: null,
    sizeOfImage: null,
    lastRva: Math.max(...Object.values(rva)),
    tagTablesCapacity: model.tagTablesCapacity,
    rva,
    structs,
  };
  writeFileSync(new URL(`${version}.json`, import.meta.url), `${JSON.stringify(facts, null, 1)}\n`);
});
