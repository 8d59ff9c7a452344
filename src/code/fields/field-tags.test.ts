import { expect } from 'chai';
import { allocationsIn } from '../calls/allocations.js';
import { codeModule, DATA, slot, TEXT, type CodeImage } from '../image/code-image.test.helper.js';
import { imageCode } from '../image/image-code.js';
import { TagFollower } from '../tag-code.js';

const LEAK = '4c 65 61 6b';
const KEY = 0x6b61654c;
/** Where each of four functions begins. */
const [FILL, READ, MORE, LAST] = [TEXT, TEXT + 0x40, TEXT + 0x80, TEXT + 0xc0];
const IMPORTS = ['ExAllocatePoolWithTag', 'ExFreePoolWithTag', 'memcpy', 'IoCreateDevice'];
/** A variable that holds a pointer to the structure. */
const STATE = DATA + 0x20;

const little = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join(' ');

/** Bytes of a function that begins at `start`; `{n}` in a piece is the distance to RVA n from behind the four bytes. */
function laid(start: number, ...pieces: readonly string[]): string {
  let text = '';
  for (const piece of pieces) {
    const filled = piece.replace(/\{(\d+)\}/, (whole, rva: string) => {
      const before = `${text} ${piece.slice(0, piece.indexOf(whole))}`.replaceAll(' ', '').length / 2;
      return little(Number(rva) - (start + before + 4));
    });
    text += ` ${filled}`;
  }
  return text;
}

/** mov rax,[g_State] and mov [g_State],rcx. */
const GET = `48 8b 05 {${STATE}}`;
const SET = `48 89 0d {${STATE}}`;
const ALLOCATE = `ff 15 {${slot('x64', 0)}}`;
const [IN, OUT] = ['48 83 ec 28', '48 83 c4 28 c3'];
const store = (base: string, tag = LEAK): string => `c7 ${base} 40 ${tag}`;
/** mov r8d,[rax+40h]. */
const TAKE = '44 8b 40 40';

/** `Fill(s) { s->Tag = Leak; g_State = s; }`. */
const FILLS = laid(FILL, store('41'), SET, 'c3');
/** `Read() { ExAllocatePoolWithTag(0, 64, g_State->Tag); }`. */
const READS = laid(READ, IN, GET, TAKE, 'ba 40 00 00 00 33 c9', ALLOCATE, OUT);

function image(more: Readonly<Record<number, string>> = {}, rest: Partial<CodeImage> = {}): CodeImage {
  const at = { [FILL]: FILLS, [READ]: READS, ...more };
  const functions = [FILL, READ, MORE, LAST].map((start) => [start, start + 0x40] as const);
  return { at, functions, imports: IMPORTS, ...rest };
}

/** What is said of the tag that stands first at `from`, and the listed tags. */
function told(made: CodeImage, from = FILL): { field: string; listed: string[] } {
  const module = codeModule(made);
  const code = imageCode(module, null);
  const text = String(made.at[from]).replaceAll(' ', '');
  const found =
    code === null ? null : new TagFollower(code).constantAt(from + text.indexOf('4c65616b') / 2, KEY, false);
  const field =
    found === null ? 'nothing' : `${found.fate}${found.field === null ? '' : ` from 0x${found.field.toString(16)}`}`;
  const { allocations } = allocationsIn(module);
  return { field, listed: allocations.map(({ key, call }) => `${key.toString(16)} ${call.toString(16)}`) };
}

const NAMED = { field: 'allocates from 0x40', listed: ['6b61654c 1056'] };
const SILENT = { field: 'lost', listed: [] };

describe('tags in fields of structures', () => {
  it('are followed from one function to another by the variable that leads to the structure', () => {
    expect(told(image())).to.deep.equal(NAMED);
  });

  it('are followed to whoever the structure is given to', () => {
    // Read(s) takes rcx, and MORE gives it what g_State leads to.
    const read = laid(READ, IN, '44 8b 41 40', '90 90 90 90 90 90 90', 'ba 40 00 00 00 33 c9', ALLOCATE, OUT);
    const call = laid(MORE, IN, `48 8b 0d {${STATE}}`, `e8 {${READ}}`, OUT);
    expect(told(image({ [READ]: read, [MORE]: call }))).to.deep.equal(NAMED);
    const other = laid(MORE, IN, `48 8b 0d {${STATE + 8}}`, `e8 {${READ}}`, OUT);
    expect(told(image({ [READ]: read, [MORE]: other }))).to.deep.equal(SILENT);
    expect(told(image({ [READ]: read }))).to.deep.equal(SILENT);
  });

  it('are not followed where the structures are not surely the same', () => {
    const other = laid(READ, IN, `48 8b 05 {${STATE + 8}}`, TAKE, 'ba 40 00 00 00 33 c9', ALLOCATE, OUT);
    expect(told(image({ [READ]: other }))).to.deep.equal(SILENT);
    const offset = laid(READ, IN, GET, '44 8b 40 44', 'ba 40 00 00 00 33 c9', ALLOCATE, OUT);
    expect(told(image({ [READ]: offset }))).to.deep.equal(SILENT);
    const unpublished = laid(FILL, store('41'), 'c3');
    expect(told(image({ [FILL]: unpublished }))).to.deep.equal(SILENT);
  });

  it('are not followed where anything else may be stored there', () => {
    const more = (...pieces: string[]): { field: string; listed: string[] } =>
      told(image({ [MORE]: laid(MORE, ...pieces) }));
    // The same again, nothing, a place beside it, a place of the stack, and of the image.
    expect(more(GET, store('40'), 'c3')).to.deep.equal(NAMED);
    expect(more(GET, store('40', '00 00 00 00'), 'c3')).to.deep.equal(NAMED);
    expect(more(GET, 'c7 40 44 01 00 00 00', 'c3')).to.deep.equal(NAMED);
    expect(more('48 83 ec 48', 'c7 44 24 40 01 00 00 00', '48 83 c4 48 c3')).to.deep.equal(NAMED);
    expect(more(`48 8d 05 {${DATA}}`, store('40', '01 02 03 04'), 'c3')).to.deep.equal(NAMED);
    // Another tag, what a function was given, eight bytes, one byte, a pointer before it that reaches over.
    expect(more(GET, store('40', '41 42 43 44'), 'c3')).to.deep.equal(SILENT);
    expect(more(GET, '89 50 40', 'c3')).to.deep.equal(SILENT);
    expect(more(GET, '48 c7 40 40 01 00 00 00', 'c3')).to.deep.equal(SILENT);
    expect(more(GET, 'c6 40 43 01', 'c3')).to.deep.equal(SILENT);
    expect(more(GET, '48 89 50 3c', 'c3')).to.deep.equal(SILENT);
    expect(more(GET, '0f 11 40 38', 'c3')).to.deep.equal(SILENT);
    // Behind a pointer of which nothing is known, as a function that sets it does.
    expect(more('89 51 40', 'c3')).to.deep.equal(SILENT);
    // An element by an index, the address of the field, a copy over it, and one written by repeating.
    expect(more(GET, '89 14 88', 'c3')).to.deep.equal(SILENT);
    expect(more(GET, '48 8d 48 40', `e8 {${LAST}}`, 'c3')).to.deep.equal(SILENT);
    expect(more(IN, `48 8b 0d {${STATE}}`, `ff 15 {${slot('x64', 2)}}`, OUT)).to.deep.equal(NAMED);
    expect(more(IN, GET, '8b 50 40', '48 8b c8', `ff 15 {${slot('x64', 2)}}`, OUT)).to.deep.equal(SILENT);
    expect(more(`48 8b 3d {${STATE}}`, 'f3 a5', 'c3')).to.deep.equal(SILENT);
  });

  it('are not followed where pages of code are missing', () => {
    expect(told(image({}, { missing: [2] }))).to.deep.include({ listed: [] });
    expect(told(image({}, { missing: [2] })).field).to.not.match(/^allocates/);
  });

  it('are followed in the extension of a device that the driver made', () => {
    // IoCreateDevice(rcx, ..., &device) with the seventh argument at [rsp+30h]; mov rcx,[device]; mov rax,[rcx+40h]
    const made = [
      ...['48 83 ec 58', '48 8d 44 24 40', '48 89 44 24 30', `ff 15 {${slot('x64', 3)}}`, '48 8b 4c 24 40'],
      ...['48 8b 41 40', store('40'), '48 83 c4 58 c3'],
    ];
    // Dispatch(rcx): mov rax,[rcx+40h]
    const dispatch = laid(READ, IN, '48 8b 41 40', '90 90 90', TAKE, 'ba 40 00 00 00 33 c9', ALLOCATE, OUT);
    const entry = (at: string): string => laid(LAST, `48 8d 05 {${READ}}`, `48 89 ${at}`, 'c3');
    const driver = (registered: string): CodeImage =>
      image({ [FILL]: laid(FILL, ...made), [READ]: dispatch, [LAST]: registered }, { entryPoint: LAST });
    expect(told(driver(entry('81 88 00 00 00')))).to.deep.equal(NAMED);
    expect(told(driver(entry('41 60')))).to.deep.equal(NAMED);
    // DriverUnload gets the driver object.
    expect(told(driver(entry('41 68')))).to.deep.equal(SILENT);
    expect(told(driver(entry('81 50 01 00 00')))).to.deep.equal(SILENT);
  });
});
