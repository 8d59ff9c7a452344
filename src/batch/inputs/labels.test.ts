import { expect } from 'chai';
import fc from 'fast-check';
import type { DumpRecord } from '../journal/history.js';
import { folderAdvice, shortestPaths } from './labels.js';

describe('batch: what dumps and machines are called', () => {
  it('is the shortest end of a path that tells it from the others', () => {
    expect(shortestPaths(['/share/FS01/MEMORY.DMP', '/share/FS02/MEMORY.DMP', '/share/FS02/old.dmp'])).to.deep.equal([
      'FS01/MEMORY.DMP',
      'FS02/MEMORY.DMP',
      'old.dmp',
    ]);
    expect(shortestPaths(['//a/x/1/M.DMP', '//a/y/1/M.DMP', 'z\\2\\M.DMP'])).to.deep.equal(['x/1/M.DMP', 'y/1/M.DMP', '2/M.DMP']); // prettier-ignore
    expect(shortestPaths(['/M.DMP', '/a/M.DMP'])).to.deep.equal(['/M.DMP', '/a/M.DMP']);
    expect(shortestPaths(['/a/M.DMP', '/a/M.DMP'])).to.deep.equal(['M.DMP', 'M.DMP']);
    expect(shortestPaths([])).to.deep.equal([]);
  });

  it('tells different paths apart, whatever they are', () => {
    const part = fc.constantFrom('a', 'b', 'MEMORY.DMP', '');
    fc.assert(
      fc.property(fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.filter(Boolean).join('/')).filter(Boolean), { maxLength: 12 }), (paths) => {
        expect(new Set(shortestPaths(paths)).size).to.equal(paths.length);
      }),
    ); // prettier-ignore
  });

  it('is advised to come from folders where dumps do not tell it', () => {
    const record = (id: string, place: string) => ({ id, place }) as DumpRecord;
    const machine = (id: string, name: string | null) => ({ id, name, dumps: 1, firstSeen: null, lastSeen: null });
    const records = [record('1', '/s/FS01/M.DMP'), record('2', '/s/FS02/M.DMP'), record('3', '/s/FS03/M.DMP')];
    const machineOf = new Map([['1', 'm1'], ['2', 'm2'], ['3', 'm3']]); // prettier-ignore
    const machines = [machine('m1', null), machine('m2', null), machine('m3', 'FS03')];
    expect(folderAdvice({ records, machines, machineOf })).to.match(/^2 machines have no name .*--machine-by-folder/);
    const named = machines.map((one) => ({ ...one, name: 'x' }));
    expect(folderAdvice({ records, machines: named, machineOf })).to.equal(null);
    expect(folderAdvice({ records: records.slice(0, 1), machines: machines.slice(0, 1), machineOf })).to.equal(null);
  });
});
