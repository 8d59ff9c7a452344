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
    expect(asked('!vm')).to.deep.equal(['vm', { processes: true }]);
    expect(asked('lm k v m "nt*"')).to.deep.equal(['modules', { only: 'kernel', verbose: true, name: 'nt*' }]);
    expect(asked('lm sm t n o')).to.deep.equal(['modules', { byName: true, times: true, images: true, loaded: true }]);
    expect(asked('  !PoolUsed /t5 2 "Dh 1" ')).to.deep.equal(['poolused', { flags: 2, top: 5, pattern: 'Dh 1' }]);
    expect(asked('lm')).to.deep.equal(['modules', {}]);
    expect(asked('lm a fffff880`044b63aa')).to.deep.equal(['modules', { at: 0xfffff880044b63aan }]);
    expect(asked('!pooltag "Io  "')).to.deep.equal(['pooltag', 'Io  ']);
    expect(asked('!process 0 0')).to.deep.equal(['processes', { windbg: true, image: undefined }]);
    expect(asked('!process 0 0 cmd.exe')).to.deep.equal(['processes', { windbg: true, image: 'cmd.exe' }]);
    expect(asked('!handle 0 3 10e4 Event')).to.deep.equal([
      'handles',
      { flags: 3, free: false, pid: 4324, type: 'Event', list: 10_000 },
    ]);
    expect(asked('!handle 0 3 0n4324')).to.deep.equal([
      'handles',
      { flags: 3, free: false, pid: 4324, type: undefined, list: 10_000 },
    ]);
    expect(asked('objects')).to.deep.equal(['objects', { type: undefined }]);
    expect(asked('holders Proc')).to.deep.equal(['holders', { tag: 'Proc', key: 0x636f7250 }]);
    expect(asked('info')).to.deep.equal(['info', null]);
    expect(asked('!poolfind Leak')).to.deep.equal(['poolfind', { tag: 'Leak', pool: 'nonpaged' }]);
    expect(asked('!poolfind 0x6b61654c 1')).to.deep.equal(['poolfind', { tag: '0x6b61654c', pool: 'paged' }]);
    expect(asked('!poolfind -tag "AB C" -paged')).to.deep.equal(['poolfind', { tag: 'AB C', pool: 'paged' }]);
    expect(asked('!pool fffffa80`03b6f670')).to.deep.equal([
      'pool',
      { address: 0xfffffa8003b6f670n, alone: false, contents: false, bare: false },
    ]);
    expect(asked('!pool 826fa130 2')).to.deep.equal([
      'pool',
      { address: 0x826fa130n, alone: true, contents: false, bare: false },
    ]);
    expect(asked('!poolval 826fa130 3')).to.deep.equal(['poolval', { address: 0x826fa130n, level: 3 }]);
    expect(asked('block 826fa130')).to.deep.equal(['block', { address: 0x826fa130n }]);
    expect(asked('bigpool')).to.deep.equal(['bigpool', {}]);
    expect(asked('bigpool "Nt*"')).to.deep.equal(['bigpool', { tag: 'Nt*' }]);
    expect(asked('!verifier')).to.deep.equal(['verifier', { detail: 'level', driver: undefined }]);
    expect(asked('!verifier 3 acme.sys')).to.deep.equal(['verifier', { detail: 'allocations', driver: 'acme.sys' }]);
    expect(asked('!verifier 0x80')).to.deep.equal(['verifier', { log: { about: null } }]);
    expect(asked('!verifier 0x80 20')).to.deep.equal(['verifier', { log: { about: null }, limit: 32 }]);
    expect(asked('!verifier 80 826fa130')).to.deep.equal(['verifier', { log: { about: 0x826fa130n } }]);
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
      '!vm 2',
      '!vm 21',
      '!vm 1 1',
      'lm m',
      'lm q',
      'lm a',
      'lm a zz',
      'lm a 1 2',
      '!pooltag',
      '!pooltag a b',
      '!pooltag Leaks',
      'info x',
      '!poolused x',
      '!process',
      '!process 0 40',
      '!process 0',
      '!process zz',
      '!handle 14 20',
      '!handle 0 3 zz',
      'holders',
      'holders Leaks',
      '!poolfind',
      '!poolfind Leaks',
      '!poolfind Leak 4',
      '!poolfind Leak 0 1',
      '!pool',
      '!pool zz',
      '!pool 826fa130 4',
      '!poolval 826fa130 4',
      'block',
      'block 1 2',
      'bigpool a b',
      'bigpool Leaks',
      '!verifier 2',
      '!verifier 4',
      '!verifier 3 a b',
      '!verifier 0x80 zz',
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
