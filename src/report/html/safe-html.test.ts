import { expect } from 'chai';
import fc from 'fast-check';
import { markup, joined, SafeHtml, trusted } from './safe-html.js';

describe('report: safe HTML', () => {
  it('makes text of every value', () => {
    expect(
      markup`<b title="${`"'<&>`}">${'</b><script>'}</b>${7}${null}${false}${undefined}${12n}`.toString(),
    ).to.equal('<b title="&quot;&#39;&lt;&amp;&gt;">&lt;/b&gt;&lt;script&gt;</b>712');
  });

  it('takes markup of its own as it is, and lists one after the other', () => {
    expect(markup`<ul>${['a', '<b>'].map((text) => markup`<li>${text}</li>`)}</ul>`.toString()).to.equal(
      '<ul><li>a</li><li>&lt;b&gt;</li></ul>',
    );
    expect(markup`${trusted('<hr>')}`.toString()).to.equal('<hr>');
    expect(joined(['a', null, false, '<'], markup`<br>`).toString()).to.equal('a<br>&lt;');
  });

  it('is not made from a text by anyone else', () => {
    expect(() => new SafeHtml(Symbol('safe html'), '<script>')).to.throw(TypeError);
    const forged = { toString: () => '<script>' } as unknown as string;
    expect(() => markup`${forged}`).to.throw(TypeError);
  });

  it('lets no text end an attribute or begin an element, nor hide or turn what follows', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const made = markup`<i title="${text}">${text}</i>`.toString();
        const inside = /^<i title="([^"<>]*)">([^<>]*)<\/i>$/.exec(made);
        const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(made);
        return inside !== null && inside[1] === inside[2] && made.isWellFormed() && !unsafe;
      }),
      { numRuns: 40 },
    );
  });
});
