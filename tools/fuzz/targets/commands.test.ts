/** No command without inputs that try to break it. */

import { expect } from 'chai';
import { EXIT } from '../../../src/cli/exit-codes.js';
import { COMMANDS } from '../../../src/cli/registry.js';
import { COMMAND_TARGETS, GIVEN, wrongEnd } from './commands.js';

describe('targets of the fuzzer: commands', () => {
  it('are all that the registry has, and none besides', () => {
    expect(Object.keys(GIVEN)).to.have.members(COMMANDS.map(({ name }) => name));
    const names = COMMAND_TARGETS.map(({ name }) => name);
    for (const { name } of COMMANDS) expect(names).to.include(`command-${name.replaceAll(' ', '-')}`);
  });

  it('hold that a command ends with a result, or with a line on the file', () => {
    const ends = [EXIT.done, EXIT.badInput];
    expect(wrongEnd(EXIT.done, { out: 'a report', err: '' }, ends, false)).to.equal(null);
    expect(wrongEnd(EXIT.badInput, { out: '', err: 'dumpleak: x.dmp is no dump\n' }, ends, true)).to.equal(null);
    expect(wrongEnd(EXIT.badInput, { out: 'cannot tell', err: '' }, ends, false)).to.equal(null);
    expect(wrongEnd(EXIT.badInput, { out: '{"a":', err: '' }, ends, true)).to.match(/no JSON/);
    expect(wrongEnd(EXIT.internal, { out: '', err: 'dumpleak: internal error\n' }, ends, false)).to.match(
      /^ends with 70/,
    );
    expect(wrongEnd(EXIT.leak, { out: 'a report', err: '' }, ends, false)).to.match(/^ends with 1/);
    expect(wrongEnd(EXIT.badInput, { out: '', err: '' }, ends, false)).to.equal('does not say what is wrong');
    expect(wrongEnd(EXIT.done, { out: '', err: '' }, ends, false)).to.equal('says nothing');
    expect(wrongEnd(EXIT.done, { out: '{"a":', err: '' }, ends, true)).to.match(/no JSON/);
  });
});
