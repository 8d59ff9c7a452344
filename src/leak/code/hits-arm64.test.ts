/** ARM64: what tags that code builds or loads are worth. */

import { expect } from 'chai';
import { virtual } from '../../../parsers/addresses.js';
import type { Arm64Use, TagHit } from '../../kernel/state.js';
import { rankDrivers } from '../drivers.js';
import { classifyHit } from './hits.js';
import { hitOf, modulesOf, SEARCHED, textHit, followed } from '../scenario.test.helper.js';

const ADDRESS = 0xfffff801983a12e4n;
const pairHit = (distance: number, more: Partial<TagHit> = {}): TagHit =>
  hitOf('', '81 e9 8e 52 c2 49 ac 72', {
    address: virtual(ADDRESS),
    arm64: { pair: { second: virtual(ADDRESS + BigInt(distance * 4)), register: 1 }, loadedBy: null },
    ...more,
  });
const bareHit = (use: Partial<Arm64Use>, more: Partial<TagHit> = {}): TagHit =>
  hitOf('41 b8', "'Leak' 1f 05 00 71", { arm64: { pair: null, loadedBy: null, ...use }, ...more });
const judged = (hit: TagHit): string => `${classifyHit(hit).kind} ${classifyHit(hit).strength}`;

describe('ARM64 hits', () => {
  it('a pair is code, as sure as its section', () => {
    expect(judged(pairHit(4))).to.equal('code-immediate-pair medium');
    expect(judged(pairHit(1, { executable: null, section: null }))).to.equal('code-immediate-pair medium');
    expect(judged(pairHit(1, { executable: false }))).to.equal('code-immediate-pair low');
  });

  it('a pair names both instructions and what stands between', () => {
    expect(classifyHit(pairHit(4)).note).to.equal(
      'the tag is built in register w1 by MOVZ at 0xfffff801983a12e4 and MOVK at 0xfffff801983a12f4, with 3 other instructions between',
    );
    expect(classifyHit(pairHit(1)).note).to.match(/right after each other$/);
    expect(classifyHit(pairHit(2, { protectedBit: true })).note).to.match(
      /1 other instruction between, with the protected bit set$/,
    );
  });

  it('a literal that code loads is code; one that nothing loads is not, whatever x86 would make of the bytes before', () => {
    expect(judged(bareHit({ loadedBy: virtual(ADDRESS) }))).to.equal('code-immediate medium');
    expect(classifyHit(bareHit({ loadedBy: virtual(ADDRESS) })).note).to.match(
      /instruction at 0xfffff801983a12e4 loads/,
    );
    expect(judged(bareHit({}))).to.equal('data low');
    expect(judged(hitOf('41 b8', "'Leak' 1f 05 00 71"))).to.equal('code-immediate medium');
  });

  it('name the driver as code on other processors does', () => {
    const modules = modulesOf('ntoskrnl.exe', 'a.sys', 'b.sys');
    const ranked = (hits: TagHit[]): string[] =>
      rankDrivers({
        ...{ hits, modules, searched: SEARCHED, binary: null, source: null, common: false, bugCheck: null },
        judge: followed,
        limit: 'high',
      }).map(({ module, confidence }) => `${module} ${confidence}`);
    expect(ranked([textHit('Leak', 1), pairHit(1, { module: 2 })])).to.deep.equal(['b.sys high', 'a.sys low']);
    const both = [pairHit(1, { module: 1 }), bareHit({ loadedBy: virtual(ADDRESS) }, { module: 2 })];
    expect(ranked(both)).to.deep.equal(['a.sys medium', 'b.sys medium']);
    expect(ranked([pairHit(1, { module: 0 }), pairHit(1, { module: 1 })])).to.deep.equal([
      'a.sys medium',
      'ntoskrnl.exe low',
    ]);
  });
});
