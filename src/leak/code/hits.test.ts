import { expect } from 'chai';
import fc from 'fast-check';
import type { EvidenceKind } from '../../result/result.js';
import { classifyHit } from './hits.js';
import { hitOf } from '../scenario.test.helper.js';

const DATA = { section: '.rdata', executable: false, offset: 0x9000 };

type Case = [title: string, before: string, bytes: string, kind: EvidenceKind, strength: string];

const IN_CODE: Case[] = [
  ['mov r8d, tag', '8b d0 41 b8', "'Leak' 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff", 'code-immediate', 'medium'],
  ['mov r8d, tag; printable bytes follow', '8b d0 41 b8', "'Ddk H' ff 15 5b 4c 00 00", 'code-immediate', 'medium'],
  [
    'mov r8d, tag; three printable bytes, then a call',
    '41 b8',
    "'Leak' 48 33 20 e8 01 02 03 04",
    'code-immediate',
    'medium',
  ],
  ['mov r9d, tag', '41 b9', "'Leak' 48 8b cb ff 15", 'code-immediate', 'medium'],
  ['mov edx, tag', '48 8b cb ba', "'netv' ff 15 86 7a 01 00", 'code-immediate', 'medium'],
  ['mov r10, imm32 with REX.W', '49 c7 c2', "'Leak' 48 8b cb ff 15", 'code-immediate', 'medium'],
  ['mov [rsp+20h], tag', '48 8b cb c7 44 24 20', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rbp-8], tag', '48 8b cb c7 45 f8', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rax], tag', '48 8b cb c7 00', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rcx+58h], tag', '48 8b cb c7 41 58', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rcx+rax*4+10h], tag', 'c7 44 81 10', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rcx+158h], tag', 'c7 81 58 01 00 00', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rip+x], tag', 'c7 05 58 01 00 00', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['mov [rsp+158h], tag', 'c7 84 24 58 01 00 00', "'Leak' ff 15 00 10 00 00", 'code-immediate', 'medium'],
  ['push tag, as x86 does', '57 8b 4d 68', "'Pipo' 50 6a 01 ff 15 00 40 0b f6", 'code-immediate', 'medium'],
  ['push tag among printable pushes', "53 56 57 50 'h'", "'PipoPj' 00 ff 15 00 40 0b f6", 'code-immediate', 'medium'],
  ['cmp ecx, tag', '81 f9', "'Leak' 74 05 33 c0", 'code-immediate', 'medium'],
  ['cmp r9d, tag', '41 81 f9', "'Leak' 74 05 33 c0", 'code-immediate', 'medium'],
  ['cmp [rsp+20h], tag', '81 7c 24 20', "'Leak' 74 05 33 c0", 'code-immediate', 'medium'],
  ['cmp eax, tag', '8b 01 3d', "'Leak' 74 05 33 c0", 'code-immediate', 'medium'],
  ['no bytes after the tag', '8b d0 41 b8', "'Leak'", 'code-immediate', 'medium'],
  ['a text in code', "48 8b cb bb 'no '", "'Leak here' 00 8b 41", 'string', 'low'],
  ['a text right behind a byte like mov', '48 8b cb bb', "'Leak here' 00 8b 41", 'string', 'low'],
  ['a text right behind bytes like mov r8d', '48 41 b8', "'LeakDetected'", 'string', 'low'],
  ['a short word behind a byte like mov', '48 8b cb bb', "'LeakIt' 00 8b 41", 'string', 'low'],
  ['a word whose h looks like push', "00 'Touch'", "'Leak' 00 48 8b", 'string', 'low'],
  ['a word whose h looks like push, going on', "00 'h'", "'LeakStart' 00", 'string', 'low'],
  ['an assignment whose = looks like cmp', "00 'Mode='", "'Leak;x' 00", 'string', 'low'],
  ['one letter and =', "00 'x='", "'Leak' 00", 'string', 'low'],
  ['an import by name', "00 00 'ExAllocate'", "'PoolWithTag' 00 'E'", 'string', 'low'],
  ['a letter before', "00 'c'", "'Pipo' 00 00", 'string', 'low'],
  ['a letter after', '00 00', "'PipoX' 00 00", 'string', 'low'],
  ['no instruction that loads it', 'c0 03 5f d6', "'LtPl' 1f 05 00 71", 'data', 'low'],
  ['nothing known before it', '', "'Leak' 3b c1 0f 42", 'data', 'low'],
];

const IN_DATA: Case[] = [
  ['a constant between zeros', '00 00 00 00', "'Leak' 00 00 00 00", 'data', 'medium'],
  ['a constant with a size after it', '00 00 00 00', "'Leak' 40 00 00 00", 'data', 'medium'],
  ['bytes like an instruction', '41 b8', "'Leak' 01 02 03 04", 'data', 'medium'],
  ['a text going on', '00 00 00 00', "'FbScanStart' 00", 'string', 'low'],
  ['a text before', "00 00 'Memory'", "'LeakDetected' 00", 'string', 'low'],
  ['a text before with a blank', "00 'a '", "'Leak' 00", 'string', 'low'],
  ['a letter before', "00 'x'", "'CnDk' 00 00 00 00", 'string', 'low'],
  ['a letter after', '00 00 00 00', "'PipoX' 00 00 00", 'string', 'low'],
  ['a word of its own among texts', "'Start' 00", "'Leak' 00 'Stop' 00", 'string', 'low'],
  ['a UTF-16 text before', "'T' 00 'o' 00", "'Leak' 00 00 00 00", 'string', 'low'],
  ['a UTF-16 text after', '00 00 00 00', "'Leak' 'T' 00 'o' 00", 'string', 'low'],
  ['a tag that is a piece of UTF-16', "'M' 00 'y' 00", "'L' 00 'e' 00 'a' 00 'k' 00", 'string', 'low'],
];

describe('judging a hit', () => {
  for (const [title, before, bytes, kind, strength] of IN_CODE) {
    it(`in code: ${title} -> ${kind}, ${strength}`, () => {
      expect(classifyHit(hitOf(before, bytes))).to.include({ kind, strength });
    });
  }
  for (const [title, before, bytes, kind, strength] of IN_DATA) {
    it(`in data: ${title} -> ${kind}, ${strength}`, () => {
      expect(classifyHit(hitOf(before, bytes, DATA))).to.include({ kind, strength });
    });
  }

  /** Before the tag, after it; what is said of it. */
  const BORDERS: [before: string, after: string, says: string][] = [
    // mov r32, imm32: B8 to BF.
    ['b7', 'ff 15 00', 'no known instruction'],
    ['b8', 'ff 15 00', 'is loaded into a register'],
    ['bf', 'ff 15 00', 'is loaded into a register'],
    ['c7 c0', 'ff 15 00', 'is loaded into a register'],
    ['c7 c7', 'ff 15 00', 'is loaded into a register'],
    ['c7 c8', 'ff 15 00', 'no known instruction'],
    ['c6 c0', 'ff 15 00', 'no known instruction'],
    ['81 f7', 'ff 15 00', 'no known instruction'],
    ['81 f8', 'ff 15 00', 'is compared'],
    ['81 ff', 'ff 15 00', 'is compared'],
    ['80 f8', 'ff 15 00', 'no known instruction'],
    // [r]: not of 4 and 5, which say that more follows; /0 alone stores, /7 alone compares.
    ['c7 03', 'ff 15 00', 'is stored in memory'],
    ['c7 04', 'ff 15 00', 'no known instruction'],
    ['c7 05', 'ff 15 00', 'no known instruction'],
    ['c7 06', 'ff 15 00', 'is stored in memory'],
    ['c7 08', 'ff 15 00', 'no known instruction'],
    ['81 3b', 'ff 15 00', 'is compared'],
    ['81 03', 'ff 15 00', 'no known instruction'],
    ['c7 04 81', 'ff 15 00', 'is stored in memory'],
    ['c7 0c 81', 'ff 15 00', 'no known instruction'],
    ['c7 45 10', 'ff 15 00', 'is stored in memory'],
    ['c7 44 10', 'ff 15 00', 'no known instruction'],
    ['c7 4d 10', 'ff 15 00', 'no known instruction'],
    ['c7 44 81 10', 'ff 15 00', 'is stored in memory'],
    ['c7 4c 81 10', 'ff 15 00', 'no known instruction'],
    ['81 7d f8', 'ff 15 00', 'is compared'],
    // [r+disp32]: the highest byte of the displacement is no character.
    ['c7 81 58 01 00 00', 'ff 15 00', 'is stored in memory'],
    ['c7 85 58 01 00 00', 'ff 15 00', 'is stored in memory'],
    ['c7 84 58 01 00 00', 'ff 15 00', 'no known instruction'],
    ['c7 89 58 01 00 00', 'ff 15 00', 'no known instruction'],
    ['c7 81 58 01 00 28', 'ff 15 00', 'no known instruction'],
    ['c7 05 58 01 00 00', 'ff 15 00', 'is stored in memory'],
    ['c7 05 58 01 00 28', 'ff 15 00', 'no known instruction'],
    ['c7 0d 58 01 00 00', 'ff 15 00', 'no known instruction'],
    ['c7 84 24 58 01 00 00', 'ff 15 00', 'is stored in memory'],
    ['c7 84 24 58 01 00 28', 'ff 15 00', 'no known instruction'],
    ['c7 8c 24 58 01 00 00', 'ff 15 00', 'no known instruction'],
    ['8b d0 68', 'ff 15 00', 'is pushed'],
    ['8b d0 3d', 'ff 15 00', 'is compared'],
    // Text after it: eight characters outweigh everything, four with three letters and an end what two bytes say ...
    ['41 b8', "'abcdefg' 01", 'is loaded into a register'],
    ['41 b8', "'abcdefgh' 01", 'part of a longer text'],
    ['41 b8', "'abc;' 00", 'part of a longer text'],
    ['41 b8', "'ab;;' 00", 'is loaded into a register'],
    ['41 b8', "'abc' 00", 'is loaded into a register'],
    ['41 b8', "'abcd' 01", 'is loaded into a register'],
    ['41 b8', "'PPPj' 00", 'part of a longer text'],
    // ... two letters what one byte says, unless all of it may be pushes ...
    ['8b bb', "'ab' 00", 'part of a longer text'],
    ['8b bb', "'a;' 00", 'is loaded into a register'],
    ['8b bb', "'ab' 01", 'is loaded into a register'],
    ['8b bb', "'PPPj' 00", 'is loaded into a register'],
    // ... and one letter or a NUL what a character says.
    ['00 68', "'a' 00", 'part of a longer text'],
    ['00 68', "';' 00", 'part of a longer text'],
    ['00 68', "';'", 'is pushed'],
    ['00 68', "'a'", 'part of a longer text'],
    ['00 68', "'j' 00", 'is pushed'],
    ['00 68', "';' 01", 'is pushed'],
    // Text before a character: two small letters, or four characters that are no pushes.
    ["00 'abh'", '01 00', 'part of a longer text'],
    ["00 'ajh'", '01 00', 'is pushed'],
    ["00 ';;;h'", '01 00', 'is pushed'],
    ["00 ';;;;h'", '01 00', 'part of a longer text'],
    ["00 'SVW@h'", '01 00', 'is pushed'],
    ["00 'abPPPPPPPPh'", '01 00', 'is pushed'],
    ["00 'abPPPPPPh'", '01 00', 'part of a longer text'],
  ];
  for (const [before, after, says] of BORDERS) {
    it(`${before}, tag, ${after}: ${says}`, () => {
      expect(classifyHit(hitOf(before, `'Leak' ${after}`)).note).to.include(says);
    });
  }

  it('says what a constant in data is part of, from two characters or a letter on', () => {
    const note = (before: string, after: string): string => classifyHit(hitOf(before, `'Leak' ${after}`, DATA)).note;
    for (const [before, after] of [["00 ';;'", '01'], ["00 '_'", '01'], ['00', "';;' 01"], ['00', "'_' 01"], ['00', "'0' 01"]] as const)
      expect(note(before, after), `${before} ${after}`).to.include('part of a longer text');
    for (const [before, after] of [["00 ';'", '01'], ['00', "';' 01"], ['00', "';' 00"], ["'abc' 00", '01'], ["01 'bc' 00", '00'], ["'abc' 01", '00'], ["'abc' 00", "';' 00"]] as const)
      expect(note(before, after), `${before} ${after}`).to.equal('a constant of its own in data');
    expect(note("'abc' 00", '00')).to.equal('a text of its own among other texts');
    expect(note("00 'T' 00", "00 00 'o' 00"), 'a lone wide letter').to.equal('a constant of its own in data');
    expect(note("'T' 00 'o' 00", '01')).to.equal('a UTF-16 text stands right before it');
    const hidden = (after: string): string => classifyHit(hitOf('01 01', `'Lea' eb ${after}`, DATA)).note;
    expect(hidden("'T' 00 'o' 00")).to.equal('a UTF-16 text stands right after it');
    expect(hidden("'T' 00 01 00")).to.equal('a constant of its own in data');
  }); // prettier-ignore

  it('says why a constant is worth little', () => {
    const note = (more: object): string => classifyHit(hitOf('00 00', "'Leak' 00 00", { ...DATA, ...more })).note;
    for (const section of ['.edata', '.idata', '.rsrc', '.reloc', '.pdata', '.xdata', '.didat', '.debug', '.RSRC'])
      expect(note({ section })).to.equal(`the four bytes stand in ${section}, which holds tables, not constants`);
    expect(note({ offset: 0x9001 })).to.equal('the four bytes alone in data, not on a 4-byte border');
    expect(note({ offset: 0x9004 })).to.equal('a constant of its own in data');
    expect(note({ executable: null })).to.equal('the four bytes alone; the section is not known');
    expect(note({ executable: true, before: new Uint8Array() })).to.equal('in an executable section, but the bytes before it are not in the dump'); // prettier-ignore
  });

  it('trusts a constant in data less off a 4-byte border and in name tables', () => {
    const bare = (more: object): string =>
      classifyHit(hitOf('00 00 00 00', "'Leak' 00 00 00 00", { ...DATA, ...more })).strength;
    expect(bare({ offset: 0x9002 })).to.equal('low');
    expect(bare({ section: '.rsrc' })).to.equal('low');
    expect(bare({ section: null, executable: null })).to.equal('low');
  });

  it('trusts an instruction less where the section table is missing', () => {
    const hit = hitOf('8b d0 41 b8', "'Leak' 3b c1 0f 42", { section: null, executable: null });
    expect(classifyHit(hit)).to.include({ kind: 'code-immediate', strength: 'medium' });
  });

  it('says when the protected bit is set', () => {
    const hit = hitOf('8b d0 41 b8', "'Thr' e5 e8 01 02 03 04", { protectedBit: true });
    expect(classifyHit(hit)).to.include({ kind: 'code-immediate', strength: 'medium' });
    expect(classifyHit(hit).note).to.contain('protected');
  });

  it('takes unprintable tags for no text', () => {
    expect(classifyHit(hitOf("41 'x'", "'rx' 00 00 'ab'", { ...DATA })).kind).to.equal('data');
  });

  it('never throws, and is never sure by bytes alone', () => {
    const bytes = fc.uint8Array({ maxLength: 16 });
    const section = fc.constantFrom(null, '.text', '.rdata', '.edata');
    fc.assert(
      fc.property(bytes, bytes, fc.constantFrom(true, false, null), section, (before, rest, executable, name) => {
        const from = Uint8Array.from([0x4c, 0x65, 0x61, 0x6b, ...rest.slice(0, 12)]);
        const judged = classifyHit({ ...hitOf('', "'Leak'"), before, bytes: from, executable, section: name });
        expect(judged.kind).to.be.oneOf(['code-immediate', 'data', 'string']);
        if (executable === false) expect(judged.kind).not.to.equal('code-immediate');
        expect(judged.strength).not.to.equal('high');
        expect(judged.note).not.to.equal('');
      }),
    );
  });

  it('takes a tag with eight letters or more after it for text, whatever stands before', () => {
    const words = fc.stringMatching(/^[A-Za-z0-9_ ]{8,12}$/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 16 }), words, (before, word) => {
        const bytes = Uint8Array.from(Buffer.from(`Leak${word}`));
        expect(classifyHit({ ...hitOf('', "'Leak'"), before, bytes }).kind).to.equal('string');
      }),
    );
  });
});
