/**
 * Checks the way of imports, dynamic ones too: no two files import each other, rooms only those below them, every folder of
 * src stands in docs/architecture.md, and the drawing there is the true one. `--draw` puts the drawing there.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { KERNEL_LAYERS, LAYERS } from './rooms.mjs';

const DOCUMENT = 'docs/architecture.md';
const ROOTS = ['parsers', 'symbols', 'src'];
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)'(\.[^']+)'/g;

/** Everything that is wrong, a line each; the drawing of the rooms. */
function look() {
  const graph = readGraph();
  const edges = roomEdges(graph);
  const drawing = drawn(edges);
  const text = readFileSync(DOCUMENT, 'utf8');
  const problems = [
    ...circles(graph),
    ...upward(edges),
    ...missingFolders(text),
    ...(text.includes(drawing) ? [] : [`${DOCUMENT}: the drawing is old: node tools/lint/import-graph.mjs --draw`]),
  ];
  return { problems, drawing, text };
}

/** The files that each file imports. Tests and their helpers may import what they like. */
function readGraph() {
  const files = ROOTS.flatMap((root) => readdirSync(root, { recursive: true }).map((name) => join(root, name.replaceAll('\\', '/')))); // prettier-ignore
  const code = files.filter((file) => /\.ts$/.test(file) && !/\.test(?:\.helper)?\.ts$/.test(file)).sort();
  return new Map(
    code.map((file) => {
      const imports = [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, path]) =>
        join(dirname(file), path).replace(/\.js$/, '.ts'),
      );
      return [file, new Set(imports)];
    }),
  );
}

function circles(graph) {
  return [...graph].flatMap(([file, imports]) =>
    [...imports]
      .filter((other) => file < other && graph.get(other)?.has(file))
      .map((other) => `${file} and ${other} import each other`),
  );
}

/** `parsers`, `symbols`, `src/leak`, `src/kernel/pool`; files of src itself are of the program's edge and stand above all. */
function roomOf(file) {
  const [root, room, inner, ...more] = file.split('/');
  if (root !== 'src') return root;
  if (inner === undefined) return 'src';
  return room === 'kernel' && more.length > 0 ? `src/kernel/${inner}` : `src/${room}`;
}

/** Imports from room to room, with a file for each that does so. */
function roomEdges(graph) {
  const edges = new Map();
  for (const [file, imports] of graph) {
    for (const other of imports) {
      const [from, to] = [roomOf(file), roomOf(other)];
      if (from !== to && !edges.has(`${from} ${to}`)) edges.set(`${from} ${to}`, { from, to, file, other });
    }
  }
  return [...edges.values()];
}

/** Files that the rooms may use though they stand in src itself: they use nothing of it. */
const EDGE = new Set(['src/version.ts', 'src/engine.ts']);

/** How high a room is: an import goes down, or stays on its level. */
function levelOf(room) {
  const [root, name, inner] = room.split('/');
  if (root === 'parsers') return 0;
  if (root === 'symbols') return 1;
  if (name === undefined) return 2 + LAYERS.length;
  const layer = LAYERS.findIndex((rooms) => rooms.includes(name));
  if (layer < 0) throw new Error(`tools/lint/rooms.mjs does not have the room ${room}`);
  if (inner === undefined) return 2 + layer;
  const place = KERNEL_LAYERS.findIndex((rooms) => rooms.includes(inner));
  if (place < 0) throw new Error(`tools/lint/rooms.mjs does not have the room ${room}`);
  return 2 + layer + (place + 1) / (KERNEL_LAYERS.length + 1);
}

function upward(edges) {
  return edges
    .filter(({ from, to, other }) => levelOf(to) > levelOf(from) && !EDGE.has(other) && !isBeside(from, to))
    .map(({ from, to, file, other }) => `${file} imports ${other}: ${to} stands above ${from}`);
}

/** The rooms that stand on one level with all of src/kernel may use any room of it. */
function isBeside(from, to) {
  const [[, a, inside], [, b]] = [from.split('/'), to.split('/')];
  return inside === undefined && a !== 'kernel' && b === 'kernel' && LAYERS.some((rooms) => rooms.includes(a) && rooms.includes(b)); // prettier-ignore
}

/** The rooms from above to below, as Mermaid draws them. Rooms that all use are left out: parsers, symbols, result. */
function drawn(edges) {
  const everywhere = new Set(['parsers', 'symbols', 'src', 'src/result']);
  const shown = edges.filter(({ from, to }) => !everywhere.has(from) && !everywhere.has(to));
  const idOf = (room) => room.slice('src/'.length).replace('/', '_');
  const rooms = [...new Set(shown.flatMap(({ from, to }) => [from, to]))].sort();
  return [
    '```mermaid',
    'flowchart TD',
    ...rooms.map((room) => `  ${idOf(room)}["${room.slice('src/'.length)}"]`),
    ...shown.map(({ from, to }) => `  ${idOf(from)} --> ${idOf(to)}`).sort(),
    '```',
    '',
  ].join('\n');
}

/** Folders of src that the table of rooms does not have. */
function missingFolders(text) {
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const inKernel = readdirSync('src/kernel', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = [
    ...folders.map(({ name }) => `src/${name}`),
    ...inKernel.map(({ name }) => `src/kernel/${name}`),
    ...readdirSync('parsers', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `parsers/${name}`),
  ];
  return names
    .filter((name) => !text.includes(`| \`${name}\``))
    .map((name) => `${DOCUMENT}: the table of rooms has no ${name}`);
}

const { problems, drawing, text } = look();
if (process.argv.includes('--draw')) {
  writeFileSync(
    DOCUMENT,
    text.replace(/```mermaid\n[^]*?```\n/, () => drawing),
  );
} else {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
