import { expect } from 'chai';
import fc from 'fast-check';
import { tagOfText } from '../../parsers/kernel/tag.js';
import { isProtectedTag, numberedTag, plainTag, tagInWords, tagKey, tagText, typedTag } from './tag.js';

describe('a pool tag', () => {
  it('is 31 bits: the protected one is no part of it', () => {
    expect([plainTag(0xe5726854), isProtectedTag(0xe5726854)]).to.deep.equal([0x65726854, true]);
    expect([plainTag(0x65726854), isProtectedTag(0x65726854)]).to.deep.equal([0x65726854, false]);
    expect(tagText(plainTag(0xe5726854))).to.equal('Thre');
    expect(tagKey({ hex: '0xe5726854' })).to.equal(0x65726854);
    expect(numberedTag('0xe5726854')).to.deep.equal({ key: 0x65726854, isProtected: true });
  });

  it('is typed as up to four characters, or as its number', () => {
    expect(typedTag('Io')).to.equal(0x20206f49);
    expect(typedTag('0x20206f49')).to.equal(0x20206f49);
    expect(typedTag('0x65')).to.equal(0x65);
    for (const wrong of ['', 'Leaky', '0x123456789', 'ab\u0142', '\u{1f600}']) {
      expect(typedTag(wrong), wrong).to.equal(null);
    }
    expect(numberedTag('Leak')).to.equal(null);
  });

  it('of printable characters is its text and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)), minLength: 4, maxLength: 4 }), (text) => {
        expect(tagText(tagOfText(text) ?? 0)).to.equal(text);
      }),
    ); // prettier-ignore
  });

  it('shows bytes that cannot be printed as dots, and stands in quotes where blanks belong to it', () => {
    expect(tagText(0x00ff4120)).to.equal(' A..');
    expect([tagInWords('Io  '), tagInWords('Leak'), tagInWords('a\u001bbc')]).to.deep.equal(["'Io  '", 'Leak', 'a?bc']);
  });
});
