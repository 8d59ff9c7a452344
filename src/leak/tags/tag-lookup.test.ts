import { expect } from 'chai';
import { failed } from '../../../parsers/bytes/failure.js';
import { parsePoolTagFile, PoolTagIndex } from '../../../parsers/text/pooltag.js';
import { TagDescriptions, type TagFile } from '../../kernel/pool/tag-descriptions.js';
import { lookUpTag } from './tag-lookup.js';

function file(name: string, ...lines: string[]): TagFile {
  const entries = parsePoolTagFile(lines.join('\n'));
  if (failed(entries)) throw new Error(entries.message);
  return {
    path: name,
    tagSource: name.startsWith('local') ? 'localtag.txt' : 'pooltag.txt',
    entries,
    index: new PoolTagIndex(entries),
  };
}

const lines = (tag: string, ...files: TagFile[]): string[] =>
  (lookUpTag(tag, files)?.lines ?? []).map(
    ({ tag: listed, binary, description, tagSource, exact }) =>
      `${listed}|${binary ?? '-'}|${description ?? '-'}|${tagSource}|${exact}`,
  );

describe('looking a tag up', () => {
  it('gives every line it falls under: exact, wildcards by fixed characters, then the built-in list', () => {
    const list = file(
      'pooltag.txt',
      'Z??? - z.sys - All',
      'Zx1? - x1.sys - Group',
      'Zx12 - one.sys - One',
      'Zx12 - two.sys - Two',
    );
    expect(lines('Zx12', list)).to.deep.equal([
      'Zx12|one.sys|One|pooltag.txt|true',
      'Zx12|two.sys|Two|pooltag.txt|true',
      'Zx1?|x1.sys|Group|pooltag.txt|false',
      'Z???|z.sys|All|pooltag.txt|false',
    ]);
    expect(lines('Leak', list)).to.deep.equal([]);
    expect(lines('ScC1')).to.deep.equal([
      'ScC1|classpnp.sys|-|built-in|true',
      'ScC?|classpnp.sys or cdrom.sys|-|built-in|false',
    ]);
  });

  it('by several files: an exact line in a later file before a wildcard in an earlier one', () => {
    const first = file('localtag.txt', 'Zx?? - a.sys - Group');
    const second = file('pooltag.txt', 'Zx12 - b.sys - One', 'Zx1? - c.sys - Nearer');
    expect(lines('Zx12', first, second).map((line) => line.slice(0, 10))).to.deep.equal([
      'Zx12|b.sys',
      'Zx??|a.sys',
      'Zx1?|c.sys',
    ]);
  });

  it('takes every tag that can be typed, also of bytes that cannot be printed', () => {
    expect(lookUpTag('\u0001abc', [])).to.deep.include({
      tag: '.abc',
      hex: '0x63626101',
      protected: false,
      inSource: null,
    });
    expect(lookUpTag('a\tb', [])).to.deep.include({ tag: 'a.b ', hex: '0x20620961' });
    expect(lookUpTag('caf\u00e9', [])).to.deep.include({ tag: 'cafi', hex: '0x69666163', protected: true });
    expect(['\u20ac', '', 'abcde'].map((text) => lookUpTag(text, []))).to.deep.equal([null, null, null]);
  });

  it('whose first line is what an analysis describes the tag by', () => {
    const files = [
      file(
        'localtag.txt',
        'Zx?? - a.sys - Group',
        'Af?? - my.sys - Mine',
        'Dup1 - d.sys - First',
        'Dup1 - e.sys - Second',
      ),
      file(
        'pooltag.txt',
        'Zx12 - b.sys - One',
        'Zx1? - c.sys - Nearer',
        'Bu*  - bus.sys - Buses',
        'Gh?: - g.sys - Odd',
      ),
    ];
    for (const tag of ['Zx12', 'Zx19', 'Zx99', 'AfdB', 'Dup1', 'Bulk', 'Gha:', 'MmSt', 'ScC1', 'None']) {
      const [line] = lookUpTag(tag, files)?.lines ?? [];
      const described = new TagDescriptions(files).describe(tag);
      expect([line?.binary, line?.description, line?.tagSource], tag).to.deep.equal([
        described.binary,
        described.description,
        described.tagSource,
      ]);
    }
  });

  it('by number, with the protected bit and as C source spells it', () => {
    expect(lookUpTag('0xeb61654c', [])).to.deep.include({
      tag: 'Leak',
      hex: '0x6b61654c',
      protected: true,
      inSource: "'kaeL'",
    });
    expect(lookUpTag('0x6b61654c', [])).to.deep.include({ tag: 'Leak', protected: false });
    expect(lookUpTag('0x00000001', [])).to.deep.include({ tag: '....', inSource: null });
    expect(lookUpTag('Io', [])).to.deep.include({ tag: 'Io  ', hex: '0x20206f49' });
  });

  it('as a group, in the order of the lists', () => {
    const list = file(
      'pooltag.txt',
      'Afd? - afd.sys - Sockets',
      'Abc1 - b.sys - B',
      'Aml* - acpi.sys - AML',
      'AB1 - c.sys - C',
    );
    const found = lookUpTag('A?d?', [list]);
    expect(found?.lines.filter(({ file: from }) => from !== null).map(({ tag }) => tag)).to.deep.equal(['Afd?']);
    expect([found?.hex, found?.inSource, found?.notes]).to.deep.equal([null, null, []]);
    expect(lines('Aml*', list)[0]).to.equal('Aml*|acpi.sys|AML|pooltag.txt|false');
    expect(lines('AmlX', list)[0]).to.equal('Aml*|acpi.sys|AML|pooltag.txt|false');
    expect(lines('AB*', list)[0]).to.equal('AB1 |c.sys|C|pooltag.txt|false');
  });

  it('is case-sensitive, and refuses what is no tag', () => {
    expect(lines('zX12', file('pooltag.txt', 'Zx12 - one.sys - One'))).to.deep.equal([]);
    for (const text of ['', 'Leaks', '0x123456789']) expect(lookUpTag(text, []), text).to.equal(null);
  });

  it('says what kind of tag it is', () => {
    const notes = (tag: string): string => (lookUpTag(tag, [])?.notes ?? []).join(' ');
    expect(notes('None')).to.contain('names none of them');
    expect(notes('FMsl')).to.contain('minifilters').and.to.contain('cache');
    expect(notes('Thre')).to.contain('not the culprit');
    expect(notes('MmSt')).to.contain('documented to use it');
    expect(notes('Leak')).to.contain('WDF');
    const list = file('pooltag.txt', 'Vend - vendor.sys - Buffers');
    expect(lookUpTag('Vend', [list])?.notes, 'it is known who uses it').to.deep.equal([]);
    for (const tag of ['None', 'FMsl', 'Thre', 'MmSt']) expect(notes(tag), tag).to.not.contain('WDF');
  });
});
