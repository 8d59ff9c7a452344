import { expect } from 'chai';
import { virtual } from '../../../parsers/addresses.js';
import { DEFAULT_BUDGET, Objects } from './objects.js';
import { ObjectWorld, TYPE_NAMES, WORLDS, type Generation } from './object-world.test.helper.js';

const read = (world: ObjectWorld, more: Parameters<ObjectWorld['roots']>[0] = {}): Objects =>
  new Objects(world.roots(more), DEFAULT_BUDGET);

/** A busy little machine: 3 processes that run, 40 ended ones that one of them holds, events, and one table of two levels. */
function machine(generation: Generation, cookie?: number): { world: ObjectWorld; zombies: bigint[]; events: bigint[] } {
  const world = new ObjectWorld(generation, cookie);
  const system = world.process({ pid: 4, image: 'System' });
  const watchman = world.process({
    pid: 700,
    image: 'watchman.exe',
    parent: 4,
    path: '\\Device\\HarddiskVolume2\\watchman.exe',
  });
  const service = world.process({ pid: 800, image: 'svchost.exe', parent: 4 });
  const zombies = Array.from({ length: 40 }, (_, i) =>
    world.process({ pid: 1000 + i * 4, image: 'cmd.exe', parent: 700, ended: true }),
  );
  world.linkProcesses();
  const events = Array.from({ length: 700 }, (_, i) =>
    world.object('Event', 0x20, i === 0 ? { name: 'Stop', directory: world.rootDirectory } : {}),
  );
  const mutant = world.object('Mutant', 0x38, { pointers: 4n });
  world.handleTable(system, [mutant, null, service]);
  world.handleTable(watchman, [...zombies.slice(0, 39), null, events[0]!]);
  world.handleTable(service, events.concat(events[1]!));
  world.idTable(
    new Map([
      [4, system],
      [700, watchman],
      [800, service],
      ...zombies.map((z, i): [number, bigint] => [1000 + i * 4, z]),
    ]),
  );
  return { world, zombies, events };
}

describe('processes, objects and handles', () => {
  for (const generation of WORLDS) {
    describe(generation.name, () => {
      it('are found by what the data proves', () => {
        const { world } = machine(generation);
        const objects = read(world);
        const list = objects.processes();
        expect(list?.processes.map((p) => p.pid).slice(0, 4)).to.deep.equal([4, 700, 800, 1000]);
        expect(list?.complete).to.equal(true);
        expect(list?.processes.filter((p) => p.ended)).to.have.length(40);
        const watchman = list?.processes[1];
        expect(watchman).to.deep.include({
          image: 'watchman.exe',
          parentPid: 4,
          threads: 5,
          listed: true,
          inIdTable: true,
        });
        expect(watchman?.quota).to.deep.include({ nonPagedBytes: 5000, pagedBytes: 7000 });
        expect(objects.describer()?.imagePath(watchman!)).to.equal('\\Device\\HarddiskVolume2\\watchman.exe');
        expect(new Date(watchman?.createdAt ?? 0).toISOString()).to.equal('2025-06-01T00:11:40.000Z');
        expect(objects.warnings).to.deep.equal([]);
      });

      it('types have their names, tags and counters', () => {
        const { world } = machine(generation);
        const types = read(world).types();
        expect(types?.types.map(({ name }) => name)).to.deep.equal(TYPE_NAMES);
        expect(types?.complete).to.equal(true);
        const process = types?.types.find(({ name }) => name === 'Process');
        expect(process).to.deep.include({ key: 0x636f7250, objects: 1020, handles: 1021, index: 4 });
      });

      it('handles lead to their objects, whatever the bits beside the address', () => {
        const { world } = machine(generation);
        const objects = read(world);
        const census = objects.census();
        expect(census?.complete).to.equal(true);
        expect(census?.handles).to.equal(2 + 40 + 701);
        expect(census?.access[0]).to.equal(0x1f0003);
        const counts = objects.counts();
        const of = (name: string): [number, number] => {
          const i = objects.decoder()!.types.findIndex((type) => type.name === name);
          return [counts!.handles[i]!, counts!.objects[i]!];
        };
        expect(of('Process')).to.deep.equal([40, 40]);
        expect(of('Event')).to.deep.equal([702, 700]);
        expect(of('Mutant')).to.deep.equal([1, 1]);
        expect(counts).to.deep.include({ unreadable: 0, wild: 0 });
        // The second handle of the service is the second entry: values go on over the reserved entry of the next leaf.
        const service = census!.tables[2]!;
        const perLeaf = world.width === 8 ? 256 : 512;
        expect(census!.value[service.first]).to.equal(4);
        expect(census!.value[service.first + perLeaf - 1]).to.equal((perLeaf + 1) * 4);
        expect(objects.warnings).to.deep.equal([]);
      });

      it('holders, their targets, and references beyond handles', () => {
        const { world } = machine(generation);
        const objects = read(world);
        const holders = objects.holdersOfType('process')!;
        expect(holders.processes.map((h) => [h.process.image, h.handles, h.objects])).to.deep.equal([
          ['watchman.exe', 39, 39],
          ['System', 1, 1],
        ]);
        expect(holders.processes[0]?.targets).to.deep.equal([{ name: 'cmd.exe (ended)', count: 39 }]);
        expect(holders.processes[0]?.share).to.equal(39 / 40);
        expect(holders.withoutHandle).to.equal(1020 - 40);
        expect(objects.references()?.withStock).to.equal(world.stock > 0n);
        expect(objects.holdersOfType('mutant')?.references).to.deep.equal({ objects: 1, beyondHandles: 4 });
        const events = objects.holdersOfType('Event')!;
        expect(events.processes[0]).to.deep.include({ handles: 701, objects: 700, looked: 701, unnamed: 700 });
        expect(events.processes[0]?.targets).to.deep.equal([{ name: '\\Stop', count: 1 }]);
      });

      it('zombies, grouped, with who holds them', () => {
        const zombies = read(machine(generation).world).zombies()!;
        expect(zombies.processes).to.have.length(1);
        const [group] = zombies.processes;
        expect(group).to.deep.include({ image: 'cmd.exe', parentPid: 700, parentImage: 'watchman.exe', count: 40 });
        expect(group?.heldBy?.map((h) => [h.process.image, h.handles])).to.deep.equal([['watchman.exe', 39]]);
        expect(group?.withoutHandle).to.equal(1);
        expect(group!.lastExit! - group!.firstExit!).to.equal(39 * 4000);
      });
    });
  }

  it('an object whose encoded type is 0 is an object like others', () => {
    const generation = WORLDS.find(({ name }) => name === 'x64 19041')!;
    for (let cookie = 0; cookie < 256; cookie += 5) {
      const { world, events } = machine(generation, cookie);
      const encoded = events.map((e) => world.memory.readU8(virtual(world.headerOf(e) + 0x18n)));
      const objects = read(world);
      expect(objects.decoder()?.cookie, `cookie ${cookie}`).to.equal(cookie);
      expect(objects.holdersOfType('Event')?.objectsFound).to.equal(700);
      if (encoded.includes(0)) return;
    }
    expect.fail('no cookie gave an object whose encoded type is 0');
  });
});
