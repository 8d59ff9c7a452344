import { expect } from 'chai';
import type { TagLookup } from '../leak/tags/tag-lookup.js';
import { renderTagLookup } from './pooltag.js';

const FOUND: TagLookup = {
  tag: 'Io  ',
  hex: '0x20206f49',
  protected: true,
  inSource: "'  oI'",
  lines: [
    {
      tag: 'Io  ',
      binary: 'nt!io',
      description: 'general IO \u001b[31mallocations',
      tagSource: 'pooltag.txt',
      file: 'a/pooltag.txt',
      exact: true,
    },
    { tag: 'Io??', binary: null, description: null, tagSource: 'built-in', file: null, exact: false },
  ],
  notes: ['A part of Windows is documented to use it.'],
};

describe('pooltag as text', () => {
  it('shows the answer first, then the other lines, then what it means', () => {
    expect(renderTagLookup(FOUND, [], { ascii: true })).to.equal(
      [
        'Tag "Io  "',
        '  Number        0x20206f49, given with the protected bit (0x80000000)',
        "  In C source   '  oI'",
        '',
        '  Listed',
        '    "Io  " - nt!io - general IO ?[31mallocations',
        '      pooltag.txt: a/pooltag.txt',
        '  Other lines that it falls under',
        '    Io?? - <unknown>',
        '      built-in list',
        '',
        '  - A part of Windows is documented to use it.',
        '',
      ].join('\n'),
    );
  });

  it('says that no list has a tag, and counts the lines of a group', () => {
    expect(renderTagLookup({ ...FOUND, lines: [], notes: [] })).to.contain('No list of tags has it.');
    expect(renderTagLookup({ ...FOUND, tag: 'Io* ', hex: null, inSource: null })).to.match(
      /^Tags Io\*\n[^]*2 lines of the lists/,
    );
  });
});
