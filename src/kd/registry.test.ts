/** The list of commands, and docs/kd.md that is made of it. */

import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { withCommands } from '../../tools/docs/kd-tables.js';
import { KD } from './registry.js';

// build/src/kd -> project root
const DOC = new URL('../../../docs/kd.md', import.meta.url);

describe('the commands of the prompt', () => {
  it('have names of their own, a way to call them and a summary', () => {
    const names = KD.commands.flatMap((command) => command.names);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).to.deep.equal([]);
    for (const { names: own, usage, summary, standing, differs, flags = [] } of KD.commands) {
      expect(usage, own[0]).to.not.be.empty;
      expect(summary, own[0]).to.match(/^[A-Z].*[^.]$/);
      expect(differs === undefined, own[0]).to.equal(
        standing === 'same' || (standing === 'ours' && differs === undefined),
      );
      for (const [typed, what] of flags) expect(what, `${own[0] ?? ''} ${typed}`).to.match(/\S/);
    }
  });

  it('stand in docs/kd.md as the registry has them (npm run docs writes it)', () => {
    const text = readFileSync(DOC, 'utf8');
    expect(withCommands(text)).to.equal(text);
  });

  it('are none of those that docs/kd.md says are not here', () => {
    const part = readFileSync(DOC, 'utf8').split('\n## Not here\n')[1] ?? '';
    const named = [...part.matchAll(/`([!.]?\w+)`/g)].map(([, name = '']) => name);
    expect(named).to.include('!running');
    expect(named.filter((name) => KD.find(name) !== null && name !== '!vm')).to.deep.equal([]);
  });

  it('are found in any case, where two differ in nothing else', () => {
    expect(KD.read('!PoolUsed 2').command?.names[0]).to.equal('!poolused');
    expect(KD.read('dS poi(x)')).to.include({ name: 'dS', rest: 'poi(x)' });
    expect(KD.read('lmvm nt')).to.include({ name: 'lm', rest: 'vm nt' });
    expect(KD.read('?1+1')).to.include({ name: '?', rest: '1+1' });
    expect(KD.read('!kdexts.pool 1')).to.include({ name: '!pool', rest: '1' });
    expect(KD.read('$$><file')).to.include({ name: '$$><', rest: 'file' });
    expect(KD.read('nonsense 1')).to.deep.include({ name: 'nonsense', command: null });
  });
});
