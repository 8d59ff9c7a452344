import { expect } from 'chai';
import { isWrong } from './view.js';
import { viewOf } from './registry.js';

/** What a line asks for: the command of the shell, and what the view reads in its words. */
function asked(line: string): unknown {
  const found = viewOf(line);
  return found === null ? null : [found.view.shell.split(' ')[0], found.view.words(found.words)];
}

describe('views by lines of the debugger', () => {
  it('are found by the first word, in any case, and read the others', () => {
    expect(asked('!vm 1')).to.deep.equal(['vm', {}]);
    expect(asked('  !PoolUsed /t5 2 "Dh 1" ')).to.deep.equal(['poolused', { flags: 2, top: 5, pattern: 'Dh 1' }]);
    expect(asked('lm')).to.deep.equal(['modules', {}]);
    expect(asked('lm a fffff880`044b63aa')).to.deep.equal(['modules', { at: 0xfffff880044b63aan }]);
    expect(asked('!pooltag "Io  "')).to.deep.equal(['pooltag', 'Io  ']);
    expect(asked('!process 0 0')).to.deep.equal(['processes', { windbg: true, image: undefined }]);
    expect(asked('!process 0 0 cmd.exe')).to.deep.equal(['processes', { windbg: true, image: 'cmd.exe' }]);
    expect(asked('!handle 0 3 10e4 Event')).to.deep.equal(['handles', { pid: 4324, type: 'Event', list: 10_000 }]);
    expect(asked('!handle 0 3 0n4324')).to.deep.equal(['handles', { pid: 4324, type: undefined, list: 10_000 }]);
    expect(asked('objects')).to.deep.equal(['objects', { type: undefined }]);
    expect(asked('holders Proc')).to.deep.equal(['holders', { tag: 'Proc', key: 0x636f7250 }]);
    expect(asked('info')).to.deep.equal(['info', null]);
    expect(asked('!for_each_module s -a @#Base @#End "Leak"')).to.deep.equal([
      'search',
      { what: { bytes: Buffer.from('Leak') }, pattern: '"Leak"' },
    ]);
    expect(asked('!for_each_module s -b @#Base @#End 4C 65')).to.deep.equal([
      'search',
      { what: { bytes: Buffer.from('Le') }, pattern: '4c 65' },
    ]);
  });

  it('are none for other words', () => {
    for (const line of ['', '!vmx 1', 'k', '"!vm" 1']) expect(viewOf(line), line).to.equal(null);
  });

  it('say what they cannot read, in one line', () => {
    for (const line of [
      '!vm',
      '!vm 2',
      'lm m nt',
      'lm a',
      'lm a zz',
      'lm a 1 2',
      '!pooltag',
      '!pooltag a b',
      '!pooltag Leaks',
      'info x',
      '!poolused x',
      '!process',
      '!process 4',
      '!handle 14',
      '!handle 0 3 zz',
      'holders',
      'holders Leaks',
      '!for_each_module .echo',
      '!for_each_module s -a 1 2 "Leak"',
      '!for_each_module s -b @#Base @#End 4',
    ]) {
      const found = viewOf(line);
      const read = found?.view.words(found.words);
      expect(isWrong(read) && read.error, line)
        .to.be.a('string')
        .and.match(/^.{10,200}$/);
    }
  });
});
