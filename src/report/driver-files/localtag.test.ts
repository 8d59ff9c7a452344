import { expect } from 'chai';
import { parsePoolTagFile } from '../../../parsers/text/pooltag.js';
import type { ListedTag } from '../../analysis/driver-files/list.js';
import { renderLocalTag } from './localtag.js';

const entry = (tag: string, more: Partial<ListedTag> = {}): ListedTag => ({
  tag,
  key: Buffer.from(tag, 'latin1').readUInt32LE(),
  driver: 'myfault.sys',
  architecture: 'x64',
  calls: 2,
  description: 'Fault - injector',
  company: 'Sysinternals',
  ...more,
});

describe('localtag.txt', () => {
  const list = {
    tags: [
      entry('Leak'),
      entry('Ab  ', { description: null, company: null }),
      entry('Wide', { driver: 'tr\u00e4ger.sys', description: 'a\nb' }),
      entry('x...', { key: 0x00010278 }),
    ],
    unknownCalls: 3,
    changing: 2,
    incomplete: 1,
    searched: { files: 4, skipped: 0, incomplete: 1 },
    warnings: [],
  };
  const text = renderLocalTag(list);

  it('is ASCII with CRLF, and says what is not in it', () => {
    expect(text).to.match(/^rem localtag.txt/);
    expect(text).to.match(/^[\x20-\x7e\r\n]*$/);
    expect(text.replaceAll('\r\n', '')).to.not.match(/[\r\n]/);
    expect(text).to.include('rem 3 calls of allocators with a tag that is not in the code are not listed.');
    expect(text).to.include('rem 2 lines of variables that code changes');
    expect(text).to.include('rem 1 driver may use more tags');
    expect(text).to.include('rem tag 0x00010278 - myfault.sys');
  });

  it('reads back as the list of tags that it is', () => {
    expect(parsePoolTagFile(text)).to.deep.equal([
      { tag: 'Leak', binary: 'myfault.sys', description: 'Fault - injector, Sysinternals' },
      { tag: 'Ab  ', binary: 'myfault.sys', description: null },
      { tag: 'Wide', binary: 'tr?ger.sys', description: 'a?b, Sysinternals' },
    ]);
  });
});
