import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../parsers/bytes/input-error.js';
import { endingOf, FileError, UsageError } from './errors.js';

describe('endingOf', () => {
  it('ends with one line for what the user can put right', () => {
    expect(endingOf(new InputError('empty', 'a.dmp is empty'), 'analyze', false)).to.deep.equal({
      code: 2,
      text: 'dumpleak: a.dmp is empty\n',
    });
    expect(endingOf(new FileError('x.txt cannot be written'), 'vm', true)).to.deep.equal({
      code: 2,
      text: 'dumpleak: x.txt cannot be written\n',
    });
  });

  it('tells what the platform says of a file in one line, and is no internal error', () => {
    for (const code of ['EBUSY', 'EMFILE', 'ENFILE', 'ELOOP', 'ENOSPC', 'EACCES', 'EEXIST']) {
      const error = Object.assign(new Error(`${code}: raw`), { code, path: '/x/a.html' });
      const { code: exit, text } = endingOf(error, 'batch', false);
      expect(exit, code).to.equal(2);
      expect(text, code).to.match(/^dumpleak: \/x\/a\.html: [^\n]+\n$/).and.not.include('raw'); // prettier-ignore
    }
    expect(endingOf(Object.assign(new Error('x'), { code: 'ENOENT' }), null, false).code).to.equal(70);
  });

  it('knows that files ran out where a part of the program that is there was not found', () => {
    const missing = (path: string): Error =>
      Object.assign(new Error(`Cannot find package '${path}' imported from x.js`), { code: 'ERR_MODULE_NOT_FOUND' });
    expect(endingOf(missing(process.execPath), 'batch', false)).to.deep.equal({
      code: 2,
      text: 'dumpleak: too many files are open: the limit of the process is used up (ulimit -n)\n',
    });
    const guessed = fileURLToPath(new URL('../../../node_modules/d3-hierarchy/index.js', import.meta.url));
    expect(endingOf(missing(guessed), 'batch', false).code).to.equal(2);
    expect(endingOf(missing(`${process.execPath}-none`), 'batch', false).code).to.equal(70);
  });

  it('points to the help of the command', () => {
    expect(endingOf(new UsageError('no'), 'vm', false).text).to.equal('dumpleak: no\nTry: dumpleak vm --help\n');
    expect(endingOf(new UsageError('no'), null, false)).to.deep.equal({
      code: 64,
      text: 'dumpleak: no\nTry: dumpleak --help\n',
    });
  });

  it('tells an internal error in one line, with its stack when debugging', () => {
    const error = new TypeError('x is\nundefined');
    const quiet = endingOf(error, 'vm', false);
    expect(quiet.code).to.equal(70);
    expect(quiet.text).to.match(
      /^dumpleak: internal error: TypeError: x is\?undefined \(dumpleak \d.*Node \d.*\); .*report.*--debug.*\n$/,
    );
    expect(quiet.text.split('\n')).to.have.length(2);
    const loud = endingOf(error, 'vm', true).text;
    expect(loud).to.include('errors.test').and.include('\n    at ');
    expect(endingOf('text', null, true).text).to.match(/^dumpleak: internal error: text /);
  });

  it('prints nothing that a terminal would act on', () => {
    const hostile = 'a\u001b[31m\r\nb\u202e\u0007.dmp';
    const made = [
      new InputError('empty', hostile),
      new UsageError(hostile),
      new Error(hostile),
      new FileError(hostile),
    ];
    for (const error of made) {
      expect(endingOf(error, null, true).text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
    expect(endingOf(made[0], null, false).text).to.equal('dumpleak: a?[31m??b??.dmp\n');
  });
});
