/** A small PDB with a bit of everything that the reader knows: public and other symbols, types of all kinds, OMAP. */

import { PLAIN } from './plain-pdb.js';
import { symbolRecord as S, writePdb } from './pdb-writer.js';
import { T, TypeWriter } from './type-writer.js';

/** The PDB's bytes, for IMAGE_FILE_MACHINE_* `machine`; `scatter` chooses the order of its blocks. */
export function samplePdb(machine: number, scatter: number): Uint8Array {
  const types = new TypeWriter();
  const list = types.forward('_LIST_ENTRY');
  types.struct('_LIST_ENTRY', 16, [{ name: 'Flink', type: types.pointer(list), offset: 0 }]);
  const more = types.list([{ name: 'Second', type: types.array(list, 32), offset: 16 }]);
  const bits = types.bits(T.ulong, 3, 4);
  types.structOver('_POOL', 64, types.list([{ name: 'First', type: bits, offset: 0 }], more));
  const inner = types.struct('<unnamed-tag>', 8, [{ name: 'a', type: types.modifier(T.uquad), offset: 0 }]);
  types.struct('_OUTER', 8, [{ name: '', type: inner, offset: 0 }]);
  types.enumeration('_KIND', { one: 1, many: 70_000 });
  const procedure = S.procedure({ name: 'Static', segment: 1, offset: 0x80, size: 9 });
  const symbols = [
    ...Array.from({ length: 30 }, (_, i) => S.public({ name: `_Public${i}@4`, segment: 1, offset: i * 8 }, i % 2 > 0)),
    S.global({ name: 'PoolTrackTable', segment: 2, offset: 8 }, 0x1002),
    S.procedureReference('Static', 1, 4, true),
  ];
  return writePdb(
    {
      ...PLAIN,
      machine,
      types,
      symbols,
      modules: [[procedure]],
      originalSections: PLAIN.sections,
      omap: [
        [0x1000, 0x1100],
        [0x6000, 0x6000],
      ],
    },
    { blockSize: 512, scatter },
  );
}
