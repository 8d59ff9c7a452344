import { expect } from 'chai';
import fc from 'fast-check';
import { virtual } from '../../../parsers/addresses.js';
import { DEFAULT_BUDGET, Objects } from './objects.js';
import { ObjectWorld, WORLDS, type Generation } from './object-world.test.helper.js';

const generation = (name: string): Generation => WORLDS.find((world) => world.name === name)!;
const MODERN = generation('x64 26100');
const read = (world: ObjectWorld, handles = DEFAULT_BUDGET.handles): Objects =>
  new Objects(world.roots(), { ...DEFAULT_BUDGET, handles });
const codes = (objects: Objects): string[] => objects.warnings.map(({ code }) => code);

interface Built {
  world: ObjectWorld;
  processes: bigint[];
  tables: bigint[];
  events: bigint[];
  ids: bigint;
}

function build(of: Generation, count = 2000): Built {
  const world = new ObjectWorld(of);
  const processes = [4, 600, 604, 608, 612, 616].map((pid, i) =>
    world.process({ pid, image: i === 0 ? 'System' : `p${i}.exe`, parent: i === 0 ? 0 : 4, ended: i === 5 }),
  );
  world.linkProcesses();
  const events = Array.from({ length: count }, () => world.object('Event', 0x20));
  const tables = processes
    .slice(0, 5)
    .map((process, i) => world.handleTable(process, events.slice(0, i === 1 ? count : 20)));
  const ids = world.idTable(new Map(processes.map((p, i) => [[4, 600, 604, 608, 612, 616][i]!, p])));
  return { world, processes, tables, events, ids };
}

/** Everything that can be asked, so that nothing is left out. */
function ask(objects: Objects): void {
  objects.processes();
  objects.counts();
  objects.references();
  objects.zombies();
  for (const type of objects.types()?.types ?? []) objects.holdersOfType(type.name);
}

describe('damaged objects', () => {
  it('a broken list is walked from both ends, and the table of ids gives the rest', () => {
    const { world, processes } = build(MODERN);
    // The link of the third leads nowhere, the link back of the fourth into a loop.
    world.pointer(processes[2]! + 0x1d8n, 0xffff_dead_0000_0000n);
    world.pointer(processes[4]! + 0x1d8n + 8n, processes[4]! + 0x1d8n);
    const objects = read(world);
    const list = objects.processes()!;
    expect(list.processes.map((p) => p.pid).sort((a, b) => a - b)).to.deep.equal([4, 600, 604, 608, 612, 616]);
    expect(list.processes.find((p) => p.pid === 608)).to.deep.include({ listed: false, inIdTable: true });
    expect(codes(objects)).to.include.members(['process-list-broken', 'processes-unlisted']);
    expect(list.complete).to.equal(true);
  });

  it('without the table of ids a broken list is not complete', () => {
    const { world, processes } = build(MODERN);
    world.globals.delete('PspCidTable');
    world.pointer(processes[2]! + 0x1d8n, 0xffff_dead_0000_0000n);
    const list = read(world).processes()!;
    expect(list.complete).to.equal(false);
    expect(list.processes).to.have.length(6);
  });

  it('absent leaves are counted, and nothing is called a total', () => {
    const { world, tables } = build(MODERN);
    const code = world.memory.readPointer(virtual(tables[1]! + 8n)) as bigint;
    const top = code & ~7n;
    for (const i of [2n, 5n]) world.lose(world.memory.readPointer(virtual(top + i * 8n)) as bigint);
    const objects = read(world);
    const census = objects.census()!;
    expect(census.complete).to.equal(false);
    expect(census.tables[1]).to.deep.include({ leavesMissing: 2, complete: false });
    expect(census.tables[1]!.end - census.tables[1]!.first).to.equal(2000 - 2 * 255);
    expect(codes(objects)).to.include('handle-pages-missing');
    const holders = objects.holdersOfType('Event')!;
    expect(holders.withoutHandle).to.equal(null);
    expect(holders.complete).to.equal(false);
    expect(holders.processes[0]?.complete).to.equal(false);
  });

  it('a wild pointer in a table loses its leaf, not the others', () => {
    const { world, tables } = build(MODERN);
    const code = world.memory.readPointer(virtual(tables[1]! + 8n)) as bigint;
    world.pointer((code & ~7n) + 8n, 0x1234n);
    const { tables: rows } = read(world).census()!;
    expect(rows[1]).to.deep.include({ leavesMissing: 1, complete: false });
    expect(rows[1]!.end - rows[1]!.first).to.equal(2000 - 255);
  });

  it('a table whose leaves lead to one page counts it once', () => {
    const { world, tables } = build(MODERN);
    const top = (world.memory.readPointer(virtual(tables[1]! + 8n)) as bigint) & ~7n;
    const first = world.memory.readPointer(virtual(top)) as bigint;
    for (let i = 1n; i < 8n; i++) world.pointer(top + i * 8n, first);
    const row = read(world).census()!.tables[1]!;
    expect(row.end - row.first).to.equal(255);
    expect(row.complete).to.equal(false);
  });

  it('a freed object behind a handle is no object, and counts for no type', () => {
    const { world, events } = build(MODERN);
    const header = world.headerOf(events[3]!);
    world.memory.write(header, new Uint8Array(0x38));
    const objects = read(world);
    // Five processes have a handle to it.
    expect(objects.counts()).to.deep.include({ wild: 5, unreadable: 0 });
    expect(objects.holdersOfType('Event')?.objectsFound).to.equal(1999);
  });

  it('headers that are not in the dump are counted apart', () => {
    const { world, events } = build(MODERN);
    world.lose(events[1000]!);
    const objects = read(world);
    const { unreadable } = objects.counts()!;
    expect(unreadable).to.be.greaterThan(10);
    expect(objects.holdersOfType('Event')).to.deep.include({ unreadable, withoutHandle: null });
  });

  it('a cookie that symbols have and headers do not is not used', () => {
    const { world } = build(MODERN);
    const at = world.allocate(8);
    world.memory.write(at, Uint8Array.of(0x11));
    world.globals.set('ObHeaderCookie', virtual(at));
    const objects = read(world);
    expect(objects.decoder()?.cookie).to.equal(0x5a);
    expect(codes(objects)).to.include('object-cookie-contradicted');
    expect(objects.holdersOfType('Event')?.handlesFound).to.equal(2080);
  });

  it('a budget that runs out is said', () => {
    const objects = read(build(MODERN).world, 600);
    const census = objects.census()!;
    expect(census.handles).to.be.lessThan(601);
    expect(census.complete).to.equal(false);
    expect(codes(objects)).to.include('handles-bounded');
  });

  it('two processes with one table do not count it twice', () => {
    const { world, processes, tables } = build(MODERN);
    world.pointer(processes[2]! + 0x300n, tables[3]!);
    const census = read(world).census()!;
    const rows = census.tables.filter((t) => t.end > t.first);
    expect(rows).to.have.length(4);
    expect(census.complete).to.equal(false);
  });

  it('nothing at all gives nothing, with a reason', () => {
    const world = new ObjectWorld(MODERN);
    world.globals.clear();
    const objects = read(world);
    ask(objects);
    expect([objects.processes(), objects.census(), objects.holdersOfType('Process')]).to.deep.equal([null, null, null]);
    expect(codes(objects)).to.include('process-layout-unknown');
    expect(new Objects(null, DEFAULT_BUDGET).zombies()).to.equal(null);
  });

  it('whatever is written over them, they end, without an exception and without more than was there', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WORLDS),
        fc.array(
          fc.tuple(
            fc.nat(),
            fc.integer({ min: 0, max: 511 }),
            fc.constantFrom('zero', 'ones', 'near', 'self', 'lose', 'noise'),
            fc.nat(),
          ),
          { maxLength: 12 },
        ),
        (of, damage) => {
          const { world } = build(of, 600);
          const pages = [...world.memory.pages.keys()].sort((a, b) => (a < b ? -1 : 1));
          for (const [pick, word, how, noise] of damage) {
            const page = pages[pick % pages.length]! * 4096n;
            const at = page + BigInt(word * 8);
            const other = pages[noise % pages.length]! * 4096n;
            if (how === 'lose') world.lose(page);
            else if (how === 'zero') world.u64(at, 0n);
            else if (how === 'ones') world.u64(at, 0xffff_ffff_ffff_ffffn);
            else if (how === 'near') world.pointer(at, other + BigInt((noise % 256) * 16));
            else if (how === 'self') world.pointer(at, at);
            else world.u64(at, (BigInt(noise) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn);
          }
          const objects = read(world);
          ask(objects);
          const census = objects.census();
          if (census !== null) expect(census.handles).to.be.lessThan(680 + 4000);
        },
      ),
      { numRuns: 40 },
    );
  });
});
