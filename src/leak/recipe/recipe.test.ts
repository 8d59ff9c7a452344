import { expect } from 'chai';
import { tagOfText } from '../../../parsers/kernel/tag.js';
import { recipeFor, type RecipeFor } from './recipe.js';
import { wprProfile } from './wpr-profile.js';

const key = (tag: string): number => tagOfText(tag) ?? 0;
const asked = (more: Partial<RecipeFor> = {}): RecipeFor => ({
  ...{ key: key('Leak'), build: 19041, drivers: ['acme.sys'], windows: false, objects: false, ...more },
});
const ids = (more: Partial<RecipeFor>): string =>
  recipeFor(asked(more))
    .steps.map(({ id }) => id)
    .join(' ');
const commands = (id: string, more: Partial<RecipeFor> = {}): readonly string[] =>
  recipeFor(asked(more)).steps.find((step) => step.id === id)?.commands ?? [];
const all = (more: Partial<RecipeFor>): string =>
  recipeFor(asked(more))
    .steps.flatMap((step) => step.commands)
    .join('\n');

describe('recipes for stacks', () => {
  it('go by the build: wpr from Windows 10 on, xperf from Vista on, neither before', () => {
    expect(ids({ build: 19041 })).to.equal('poolmon wpr verifier pool-hit-tag');
    expect(ids({ build: 10240 })).to.equal('poolmon wpr verifier pool-hit-tag');
    expect(ids({ build: 9600 })).to.equal('poolmon xperf verifier pool-hit-tag');
    expect(ids({ build: 3790 })).to.equal('poolmon verifier pool-hit-tag');
    expect(ids({ build: null })).to.equal('poolmon wpr xperf verifier pool-hit-tag');
  });

  it('have the setting for whole stacks before Windows 8 alone', () => {
    expect(commands('xperf', { build: 7601 })[0]).to.contain('DisablePagingExecutive');
    expect(commands('xperf', { build: 9600 })[0]).to.match(/^xperf -on .*POOL .* -PoolTag Leak /);
  });

  it('track the drivers that are named, some of many, and nobody for a tag of Windows', () => {
    expect(commands('verifier')[0]).to.equal('verifier /flags 0x8 /driver acme.sys');
    expect(commands('verifier').at(-1)).to.equal('verifier /reset');
    expect(commands('verifier', { drivers: ['a.sys', 'two words.sys'] })[0]).to.contain('a.sys "two words.sys"');
    const many = Array.from({ length: 11 }, (_, i) => `d${i}.sys`);
    expect(commands('verifier', { drivers: many })[0]).to.match(/d7\.sys$/);
    expect(commands('verifier', { drivers: [] })[0]).to.contain('NAME.sys');
    expect(ids({ windows: true })).to.equal('poolmon wpr pool-hit-tag');
    expect(recipeFor(asked({ windows: true })).steps[1]?.note).to.contain('does not tell for whom Windows allocates');
  });

  it('ask of objects who opens them and who refers to them', () => {
    expect(ids({ windows: true, objects: true })).to.equal('poolmon handles object-references wpr pool-hit-tag');
    expect(ids({ build: 7601, windows: true, objects: true })).to.equal('poolmon object-references xperf pool-hit-tag');
    expect(commands('object-references', { key: key('Key '), objects: true })[0]).to.equal('gflags /ro /t Key /p');
  });

  it('say what is dangerous', () => {
    const hit = recipeFor(asked()).steps.at(-1);
    expect(hit?.commands).to.include('ed nt!PoolHitTag 0x6b61654c').and.to.include('ed nt!PoolHitTag 0');
    expect(hit?.cost).to.match(/^DANGER/);
    for (const { cost, commands: lines } of recipeFor(asked({ build: null, objects: true })).steps) {
      expect(cost.length).to.be.greaterThan(20);
      expect(lines.length).to.be.greaterThan(0);
    }
  });

  it('quote blanks, and write no tag into a command that the console would change', () => {
    expect(commands('xperf', { build: 9600, key: key('Abc ') })[0]).to.contain('-PoolTag "Abc "');
    expect(commands('poolmon', { key: key('Abc ') })[0]).to.equal('poolmon /b /iAbc?');
    for (const tag of ['a%b%', 'a"b"', 'a&b|', 'a^b>', 'a*b ']) {
      const text = all({ key: key(tag), build: null });
      expect(text, tag).not.to.contain(tag.trim());
      expect(text, tag).to.contain('wpr -start Pool -filemode');
    }
    expect(all({ key: 0x01020304, build: null }))
      .to.contain('0x1020304')
      .and.not.to.contain('PoolTag');
  });

  it('come with a profile that records one tag', () => {
    const text = wprProfile(key('Ab<c')) ?? wprProfile(key('Abc ')) ?? '';
    expect(text).to.contain('<PoolTag Value="Abc "/>').and.to.contain('<Keyword Value="Pool"/>');
    expect(wprProfile(key("A'&c"))).to.equal(null);
    expect(wprProfile(key("A'bc"))).to.contain('<PoolTag Value="A&apos;bc"/>');
    expect(wprProfile(0x01020304)).to.equal(null);
  });
});
