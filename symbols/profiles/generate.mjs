/**
 * Makes symbols/profiles/data from the collected facts about real kernels. Run it only when those facts change:
 *
 *   node symbols/profiles/generate.mjs x64.json nt-image-ids.json pdb-image-pairs.json kernel-structures.json [OUT]
 *
 * The same inputs give the same bytes. README.md beside this file describes the inputs and the form of the output.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutsOfX86, layoutsWithoutProfile, X86_TYPES } from './reference-layouts.mjs';
import { buildOf, byVersion, revisionOf } from './versions.mjs';

const [x64Path, imagesPath, pairsPath, structuresPath, out = join(import.meta.dirname, 'data')] = process.argv.slice(2);
if (structuresPath === undefined) {
  process.stderr.write(
    'usage: generate.mjs x64.json nt-image-ids.json pdb-image-pairs.json kernel-structures.json [OUT]\n',
  );
  process.exit(2);
}
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const x64 = readJson(x64Path);
const images = readJson(imagesPath).images;
const pairs = readJson(pairsPath).pairs;
const reference = readJson(structuresPath);

const hex = (value) => value.toString(16);
const orDash = (value) => (value === null || value === undefined ? '-' : value);
const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// ---------------------------------------------------------------- types, spelled one way

const SCALARS = {
  i8: 'char',
  u8: 'unsigned char',
  i16: 'short',
  u16: 'unsigned short',
  i32: 'long',
  u32: 'unsigned long',
  i64: 'long long',
  u64: 'unsigned long long',
};
const SHORT = Object.fromEntries(Object.entries(SCALARS).map(([short, long]) => [long, short]));

/** The short spelling used in layouts.txt; the numbers in names of anonymous types differ in every PDB and say nothing. */
function shorten(type) {
  const named = type.replace(/__(?:anonymous|unnamed)(?:_[0-9a-f]+)?/g, '__unnamed');
  const [, stars, base, rest] = /^(\**)([^[:]*)(.*)$/.exec(named);
  return stars + (SHORT[base] ?? base) + rest;
}

// ---------------------------------------------------------------- layouts, each kept once

const byteOrder = ([, [offset]], [, [other]]) => offset - other;
const layoutKey = (layout) =>
  `${hex(layout.size)} ${Object.entries(layout.fields)
    .map(([name, [offset, type]]) => `${name}@${hex(offset)}:${shorten(type)}`)
    .sort(byText)
    .join(' ')}`;

/** type -> { keys: key -> number of the layout, layouts: [...] } */
const emptyTable = (names) => new Map(names.map((name) => [name, { keys: new Map(), layouts: [] }]));
const typeNames = [...Object.keys(x64.layouts), '_UNLOADED_DRIVERS'];
const table = emptyTable(typeNames);
const tableX86 = emptyTable(X86_TYPES);

function numberOf(type, layout, into = table) {
  const { keys, layouts } = into.get(type);
  const key = layoutKey(layout);
  if (!keys.has(key)) {
    keys.set(key, layouts.length);
    layouts.push(layout);
  }
  return keys.get(key);
}

const kernels = Object.entries(x64.kernels)
  .map(([pdb, kernel]) => ({ pdb, ...kernel }))
  .sort((a, b) => byVersion(a.version, b.version));

// A kernel whose image ids the first input lacks may be in one of the others: by its PDB, or by its version.
for (const kernel of kernels.filter(({ timeDateStamp }) => timeDateStamp === undefined || timeDateStamp === null)) {
  const image =
    pairs.find((pair) => pair.guidAge === kernel.pdb) ??
    images.find((i) => i.version === kernel.version && i.arch === 'amd64' && i.file === 'ntoskrnl.exe');
  kernel.timeDateStamp = image?.timeDateStamp;
  kernel.sizeOfImage = image?.sizeOfImage;
}

const setRows = new Map();
for (const kernel of kernels) {
  const row = typeNames.map((type) =>
    kernel.structs[type] === undefined ? '-' : numberOf(type, x64.layouts[type][kernel.structs[type]]),
  );
  const text = row.join(' ');
  if (!setRows.has(text)) setRows.set(text, `s${setRows.size + 1}`);
  kernel.set = setRows.get(text);
}

const extraRows = layoutsWithoutProfile(reference, x64).map(({ version, layouts }) => {
  const row = typeNames.map((type) => (layouts.has(type) ? numberOf(type, layouts.get(type)) : '-'));
  return `${version} ${row.join(' ')}`;
});

const rowsX86 = layoutsOfX86(reference).map(({ version, layouts }) => {
  const numbers = X86_TYPES.map((type) => (layouts.has(type) ? numberOf(type, layouts.get(type), tableX86) : '-'));
  return `${version} ${numbers.join(' ')}`;
});

function layoutLines(type, layouts) {
  const columns = new Map();
  for (const layout of layouts) {
    for (const [name, [, kind]] of Object.entries(layout.fields).sort(byteOrder)) {
      const column = `${name}:${shorten(kind)}`;
      if (column.includes(' ')) throw new Error(`a type that the table cannot hold: ${type} ${column}`);
      columns.set(column, columns.size);
    }
  }
  const rows = layouts.map(({ size, fields }) => {
    const row = [...columns.keys()].map(() => '-');
    const order = [...columns.keys()];
    for (const [name, [offset, kind]] of Object.entries(fields)) {
      row[order.indexOf(`${name}:${shorten(kind)}`)] = hex(offset);
    }
    while (row.at(-1) === '-') row.pop();
    return [hex(size), ...row].join(' ');
  });
  return [type, [...columns.keys()].join(' '), ...rows, ''];
}

// ---------------------------------------------------------------- kernels and images

/** Pointers that ExPoolTagTables holds, as measured build by build; a nearer neighbour in this kernel overrules it. */
const TAG_TABLES = { ...reference.exPoolTagTablesCapacity, 18326: 1280 };
function tagTablesCapacity({ version, rva }) {
  const capacity = TAG_TABLES[buildOf(version)];
  const start = rva.ExPoolTagTables;
  if (capacity === undefined || start === undefined) return null;
  const next = Math.min(...Object.values(rva).filter((other) => other > start));
  return Math.min(capacity, Math.floor((next - start) / 8));
}

const kernelLines = kernels.map((kernel) =>
  [
    kernel.pdb,
    kernel.version,
    orDash(kernel.timeDateStamp?.toString(16).padStart(8, '0')),
    orDash(kernel.sizeOfImage?.toString(16)),
    orDash(tagTablesCapacity(kernel)),
    kernel.set,
  ].join(' '),
);

function rvaLines(ofBuild) {
  const symbols = [...new Set(ofBuild.flatMap((kernel) => Object.keys(kernel.rva)))];
  const rows = new Map();
  for (const { version, rva } of ofBuild) {
    const row = symbols.map((symbol) => (rva[symbol] === undefined ? '-' : hex(rva[symbol]))).join(' ');
    rows.set(row, [...(rows.get(row) ?? []), revisionOf(version)]);
  }
  return [symbols.join(' '), ...[...rows].map(([row, revisions]) => `${revisions.join('+')} ${row}`)];
}

function imageLines() {
  const sections = new Map();
  for (const { arch, file, version, timeDateStamp, sizeOfImage } of images) {
    const section = `[${arch === 'amd64' ? 'x64' : arch} ${file}]`;
    if (!sections.has(section)) sections.set(section, []);
    if (sizeOfImage % 0x1000 !== 0) throw new Error(`an image size that is no number of pages: ${version}`);
    sections
      .get(section)
      .push({ version, id: `${timeDateStamp.toString(16).padStart(8, '0')} ${hex(sizeOfImage / 0x1000)}` });
  }
  const lines = [];
  for (const [section, list] of [...sections].sort(([a], [b]) => byText(a, b))) {
    lines.push(section);
    let group = '';
    for (const { version, id } of list.sort((a, b) => byVersion(a.version, b.version))) {
      const build = version.split('.').slice(0, 3).join('.');
      if (build !== group) lines.push(build);
      group = build;
      lines.push(`${revisionOf(version)} ${id}`);
    }
  }
  return lines;
}

const pairLines = pairs
  .map((p) => `${p.pdb} ${p.guidAge} ${p.image} ${p.timeDateStamp.toString(16).padStart(8, '0')} ${hex(p.sizeOfImage)}`)
  .sort(byText);

// ---------------------------------------------------------------- files

const ISF =
  '# JPCERTCC/Windows-Symbol-Tables @11ad856 (BSD-3-Clause, see NOTICE.md). Made by generate.mjs: do not edit.';
const KPH = '# winsiderss/systeminformer kphdyn.xml (MIT, see NOTICE.md). Made by generate.mjs: do not edit.';
const MADE = '# Made by generate.mjs from the sources that README.md names: do not edit.';
const write = (name, ...lines) => {
  writeFileSync(join(out, name), lines.flat().join('\n') + '\n');
};

mkdirSync(out, { recursive: true });
for (const name of readdirSync(out)) if (name.endsWith('.txt')) rmSync(join(out, name));
write(
  'kernels.txt',
  ISF,
  '# pdb-guid+age version timestamp size-of-image tag-tables layout-set (- is unknown)',
  kernelLines,
);
for (const build of new Set(kernels.map((kernel) => buildOf(kernel.version)))) {
  const ofBuild = kernels.filter((kernel) => buildOf(kernel.version) === build);
  write(
    `rva-${build}.txt`,
    ISF,
    '# symbols, then: revisions that share these addresses, RVAs in hex',
    rvaLines(ofBuild),
  );
}
const writeLayouts = (name, ofTypes) => {
  write(
    name,
    MADE,
    '# type; its columns as field:type; then layouts 0, 1, 2, ...: size and the offset of each column, in hex. Scalars:',
    Object.entries(SCALARS).map(([short, long]) => `= ${short} ${long}`),
    '',
    [...ofTypes].flatMap(([type, { layouts }]) => layoutLines(type, layouts)),
  );
};
const writeSets = (name, types, rows) => {
  const about =
    '# types, then: a set that kernels.txt names, or a version known by its layouts alone; the number of each layout';
  write(name, MADE, about, types.join(' '), rows);
};
writeLayouts('layouts.txt', table);
writeSets('layout-sets.txt', typeNames, [...[...setRows].map(([row, id]) => `${id} ${row}`), ...extraRows]);
writeLayouts('layouts-x86.txt', tableX86);
writeSets('layout-sets-x86.txt', X86_TYPES, rowsX86);
write(
  'images.txt',
  KPH,
  '# [architecture file], build, then: revision timestamp pages, the last two in hex',
  imageLines(),
);
write('image-pdbs.txt', MADE, '# pdb guid+age image timestamp size-of-image, the last two in hex', pairLines);
