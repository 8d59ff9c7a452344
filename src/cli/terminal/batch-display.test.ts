import { expect } from 'chai';
import { BatchDisplay } from './batch-display.js';

describe('how a batch shows itself', () => {
  it('tells a file that has just arrived from one that was read and is not whole', () => {
    let text = '';
    const stream = { isTTY: false, columns: 80, write: (part: string): boolean => ((text += part), true) };
    const display = new BatchDisplay(stream, { quiet: false, ascii: true, now: () => 0 });
    display.deferred('share/a.dmp', 'new');
    display.deferred('share/b.dmp', 'cut');
    expect(text.split('\n').map((line) => line.replace(/^\S+ {2}/, ''))).to.deep.equal([
      'wait  share/a.dmp is new: read at the next look, if it has not grown',
      'wait  share/b.dmp is not whole yet',
      '',
    ]);
  });
});
