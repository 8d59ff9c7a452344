import { expect } from 'chai';
import { columnsOf, wantsAscii, wantsColor } from './terminal.js';

const write = (): boolean => true;
const TERMINAL = { isTTY: true, columns: 120, write };
const PIPE = { write };

describe('wantsColor', () => {
  it('is for terminals that are not dumb', () => {
    expect(wantsColor(undefined, {}, TERMINAL)).to.equal(true);
    expect(wantsColor(undefined, { TERM: 'xterm' }, TERMINAL)).to.equal(true);
    expect(wantsColor(undefined, { TERM: 'dumb' }, TERMINAL)).to.equal(false);
    expect(wantsColor(undefined, {}, PIPE)).to.equal(false);
  });

  it('heeds NO_COLOR, before it FORCE_COLOR, before both the option', () => {
    expect(wantsColor(undefined, { NO_COLOR: '1' }, TERMINAL)).to.equal(false);
    expect(wantsColor(undefined, { NO_COLOR: '' }, TERMINAL)).to.equal(true);
    expect(wantsColor(undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, PIPE)).to.equal(true);
    expect(wantsColor(undefined, { FORCE_COLOR: '0' }, TERMINAL)).to.equal(false);
    expect(wantsColor(true, { NO_COLOR: '1' }, PIPE)).to.equal(true);
    expect(wantsColor(false, { FORCE_COLOR: '1' }, TERMINAL)).to.equal(false);
  });
});

describe('wantsAscii', () => {
  const posix = (env: Record<string, string>) => wantsAscii(undefined, env, 'linux', TERMINAL);
  const windows = (env: Record<string, string>, stream = TERMINAL as typeof PIPE) =>
    wantsAscii(undefined, env, 'win32', stream);

  it('goes by the first locale variable that is set', () => {
    expect(posix({ LANG: 'en_US.UTF-8' })).to.equal(false);
    expect(posix({ LANG: 'C.utf8' })).to.equal(false);
    expect(posix({ LANG: 'de_DE.ISO-8859-1' })).to.equal(true);
    expect(posix({ LANG: 'en_US.UTF-8', LC_ALL: 'C' })).to.equal(true);
    expect(posix({ LANG: 'C', LC_ALL: '', LC_CTYPE: 'en_US.UTF-8' })).to.equal(false);
    expect(posix({})).to.equal(true);
  });

  it('is the rule on Windows but for terminals that draw everything', () => {
    expect(windows({})).to.equal(true);
    for (const name of ['WT_SESSION', 'TERM', 'TERM_PROGRAM', 'ConEmuPID']) {
      expect(windows({ [name]: 'x' }), name).to.equal(false);
    }
  });

  it('is the rule for pipes on Windows but where the locale says otherwise', () => {
    expect(windows({ WT_SESSION: 'x' }, PIPE)).to.equal(true);
    expect(windows({ LC_ALL: 'en_US.UTF-8' }, PIPE)).to.equal(false);
  });

  it('does as the option says', () => {
    expect(wantsAscii(true, { LANG: 'C.UTF-8' }, 'linux', TERMINAL)).to.equal(true);
    expect(wantsAscii(false, {}, 'win32', PIPE)).to.equal(false);
  });
});

describe('columnsOf', () => {
  it('knows them for terminals only', () => {
    expect(columnsOf(TERMINAL)).to.equal(120);
    expect(columnsOf({ ...TERMINAL, columns: 0 })).to.equal(undefined);
    expect(columnsOf({ columns: 120, write })).to.equal(undefined);
  });
});
