/**
 * Judges raw occurrences of a tag in a module by the bytes around them, without a disassembler: is the tag loaded by an
 * instruction, does it stand bare in data, or is it a piece of a longer text? A wrong accusation is worse than a miss,
 * so whatever goes on as text counts as text.
 *
 * The instruction forms are those of x86 and x64 that end in a 32-bit constant (imm32). ARM64 builds constants from
 * halves or loads them from among the code; the search has found both, exactly.
 */

import { hex } from '../../../parsers/bytes/failure.js';
import type { Arm64Use, TagHit } from '../../kernel/state.js';
import type { Confidence, EvidenceCall, EvidenceFunction, EvidenceKind } from '../../result/result.js';

/** What an occurrence is worth. */
export interface HitJudgement {
  kind: EvidenceKind;
  /** High only where code was followed to an allocator: bytes alone are at most medium. */
  strength: Confidence;
  /** Why, for people. */
  note: string;
  /** Whether the tag goes to a pool allocator: not known (null) by the bytes alone. */
  callsAllocator: boolean | null;
  /** The instruction that holds the tag, the call that gets it and the function around, where code was followed. */
  instruction: string | null;
  call: EvidenceCall | null;
  function: EvidenceFunction | null;
}

/** What loads a constant: how sure the bytes before it are, and what they do. */
interface LoadForm {
  /** Phrase for the note. */
  does: 'is loaded into a register' | 'is stored in memory' | 'is pushed' | 'is compared';
  /** `firm`: two bytes or more, not all of them text; `single`: one byte no text holds; `letter`: one text character. */
  proof: 'firm' | 'single' | 'letter';
}

/** Sections that hold names and tables, not the driver's own constants. */
const TABLE_SECTIONS: ReadonlySet<string> = new Set([
  '.edata', '.idata', '.rsrc', '.reloc', '.pdata', '.xdata', '.didat', '.debug',
]); // prettier-ignore

/** Judges one occurrence. Expects the four tag bytes at the start of `hit.bytes`. */
export function classifyHit(hit: TagHit): HitJudgement {
  if (hit.arm64?.pair) return built(hit, hit.arm64.pair);
  const plainText = isText(hit.bytes[0]) && isText(hit.bytes[1]) && isText(hit.bytes[2]) && isText(hit.bytes[3]);
  const before = plainText ? textBefore(hit.before) : '';
  const after = plainText ? textAfter(hit.bytes) : { text: '', end: 'other' as const };
  if (hit.arm64?.loadedBy) return literal(hit, hit.arm64.loadedBy);
  const form = hit.executable === false || hit.arm64 ? null : loadForm(hit.before);
  if (form && !goesOnAsText(form, before, after)) return immediate(hit, form);
  const reason =
    (plainText ? partOfText(before, ascii(hit.bytes.subarray(0, 4)), after, hit.before) : null) ?? wideText(hit);
  if (form || reason !== null) {
    return judged('string', 'low', reason ?? 'text goes on after it, in spite of an instruction byte before it');
  }
  return bare(hit);
}

function immediate(hit: TagHit, form: LoadForm): HitJudgement {
  const what = `the tag ${form.does} by the instruction around it`;
  const bit = hit.protectedBit ? ', with the protected bit set' : '';
  if (hit.executable === null) {
    return judged('code-immediate', 'medium', `${what}${bit}; whether the section is executable is not known`);
  }
  if (form.does === 'is compared')
    return judged('code-immediate', 'medium', `${what}${bit}, not given to an allocator`);
  return judged('code-immediate', 'medium', what + bit);
}

/** ARM64: MOVZ with one half of the tag, MOVK with the other. Both say the register, so chance is no explanation. */
function built(hit: TagHit, pair: NonNullable<Arm64Use['pair']>): HitJudgement {
  const between = Number(pair.second - hit.address) / 4 - 1;
  const apart = between === 0 ? 'right after each other' : `with ${between} other instruction${between === 1 ? '' : 's'} between`; // prettier-ignore
  const bit = hit.protectedBit ? ', with the protected bit set' : '';
  const note = `the tag is built in register w${pair.register} by MOVZ at ${hex(hit.address)} and MOVK at ${hex(pair.second)}, ${apart}${bit}`;
  return judged('code-immediate-pair', strengthIn(hit), note);
}

/** ARM64: four bytes among the code that an LDR loads. */
function literal(hit: TagHit, instruction: bigint): HitJudgement {
  const bit = hit.protectedBit ? ', with the protected bit set' : '';
  return judged(
    'code-immediate',
    strengthIn(hit),
    `the instruction at ${hex(instruction)} loads the tag from here${bit}`,
  );
}

function strengthIn(hit: TagHit): Confidence {
  return hit.executable === false ? 'low' : 'medium';
}

function bare(hit: TagHit): HitJudgement {
  if (hit.executable === true) {
    const seen = hit.before.length === 0 ? 'the bytes before it are not in the dump' : 'no known instruction loads it';
    return judged('data', 'low', `in an executable section, but ${seen}`);
  }
  if (hit.section !== null && TABLE_SECTIONS.has(hit.section.toLowerCase())) {
    return judged('data', 'low', `the four bytes stand in ${hit.section}, which holds tables, not constants`);
  }
  if (hit.executable === null) return judged('data', 'low', 'the four bytes alone; the section is not known');
  if (hit.offset % 4 !== 0) return judged('data', 'low', 'the four bytes alone in data, not on a 4-byte border');
  return judged('data', 'medium', 'a constant of its own in data');
}

function judged(kind: EvidenceKind, strength: Confidence, note: string): HitJudgement {
  return { kind, strength, note, callsAllocator: null, instruction: null, call: null, function: null };
}

/** The instruction form that the bytes before a constant end with, or null. */
function loadForm(before: Uint8Array): LoadForm | null {
  const n = before.length;
  /** The byte `back` places before the constant; -1 where the dump does not have it. */
  const at = (back: number): number => before[n - back] ?? -1;
  const last = at(1);
  const rex = at(2) >= 0x40 && at(2) <= 0x4f;

  // mov r32, imm32: B8+r, and with REX.B for r8d..r15d: 41 B8+r
  if (last >= 0xb8 && last <= 0xbf) return { does: 'is loaded into a register', proof: rex ? 'firm' : 'single' };
  // mov r/m, imm32 on a register, C7 C0+r; cmp r32, imm32, 81 F8+r; each with or without a REX prefix
  if (at(2) === 0xc7 && last >= 0xc0 && last <= 0xc7) return { does: 'is loaded into a register', proof: 'firm' };
  if (at(2) === 0x81 && last >= 0xf8) return { does: 'is compared', proof: 'firm' };
  if (memoryForm(at, 0xc7, 0)) return { does: 'is stored in memory', proof: 'firm' };
  if (memoryForm(at, 0x81, 7)) return { does: 'is compared', proof: 'firm' };
  // push imm32 (x86) and cmp eax, imm32
  if (last === 0x68) return { does: 'is pushed', proof: 'letter' };
  if (last === 0x3d) return { does: 'is compared', proof: 'letter' };
  return null;
}

/** `opcode /reg` with a memory operand right before the constant: [r], [r+disp8], [r+disp32], [rip+disp32], with SIB. */
function memoryForm(at: (back: number) => number, opcode: number, reg: number): boolean {
  const modrm = (back: number, mod: number): number => {
    const value = at(back);
    return value >= 0 && value >> 6 === mod && ((value >> 3) & 7) === reg ? value & 7 : -1;
  };
  /** The highest byte of a displacement or address is no character: otherwise text stands there by chance. */
  const near = !isText(at(1));
  const plain = modrm(1, 0);
  if (at(2) === opcode && plain >= 0 && plain !== 4 && plain !== 5) return true;
  if (at(3) === opcode && modrm(2, 0) === 4) return true;
  const disp8 = modrm(2, 1);
  if (at(3) === opcode && disp8 >= 0 && disp8 !== 4) return true;
  if (at(4) === opcode && modrm(3, 1) === 4) return true;
  const disp32 = modrm(5, 2);
  if (near && at(6) === opcode && ((disp32 >= 0 && disp32 !== 4) || modrm(5, 0) === 5)) return true;
  return near && at(7) === opcode && modrm(6, 2) === 4;
}

interface TextAfter {
  text: string;
  /** What stops it: a NUL as texts have, the end of what is known, or any other byte. */
  end: 'nul' | 'unknown' | 'other';
}

/** True when the text around outweighs the instruction bytes before the tag. */
function goesOnAsText(form: LoadForm, before: string, after: TextAfter): boolean {
  if (after.text.length >= 8) return true;
  const ends = after.end !== 'other';
  const letters = (after.text.match(/[A-Za-z0-9_]/g) ?? []).length;
  // `push eax; push 1` and the like are printable by chance: P..W, j and its operand, h and its operand.
  const pushes =
    after.end === 'nul'
      ? /^(?:[P-W]|j.)*(?:j|h.{0,3})$/s.test(after.text)
      : /^(?:[P-W]|j.?|h.{0,4})*$/s.test(after.text);
  if (ends && !(pushes && form.proof !== 'firm')) {
    if (after.text.length >= 4 && letters >= 3) return true;
    if (form.proof !== 'firm' && letters >= 2) return true;
    if (form.proof === 'letter' && (letters >= 1 || after.end === 'nul')) return true;
  }
  if (form.proof !== 'letter') return false;
  // The opcode itself is a character (`h`, `=`): judge by what stands before it.
  const word = before.slice(0, -1);
  const lower = (word.slice(-8).match(/[a-gik-z]/g) ?? []).length;
  if (lower >= 2) return true;
  return word.length >= 4 && !/^[P-Wj@]*$/.test(word.slice(-4));
}

/** Why a tag that no instruction loads belongs to a longer text; null when it stands alone. */
function partOfText(before: string, tag: string, after: TextAfter, bytes: Uint8Array): string | null {
  const longer = `part of a longer text: "${before}${tag}${after.text}"`;
  if (/[A-Za-z0-9_]$/.test(before) || before.length >= 2) return longer;
  if (after.text.length >= 2 || /^[A-Za-z0-9_]/.test(after.text)) return longer;
  const n = bytes.length;
  const follows = n >= 4 && bytes[n - 1] === 0 && [2, 3, 4].every((back) => isText(bytes[n - back]));
  return follows && after.end === 'nul' && after.text === '' ? 'a text of its own among other texts' : null;
}

/** UTF-16 letters beside the tag, or a tag that itself reads as two UTF-16 letters and goes on. */
function wideText(hit: TagHit): string | null {
  const wide = (bytes: Uint8Array, from: number): boolean => isLetter(bytes[from]) && bytes[from + 1] === 0;
  const n = hit.before.length;
  const pairBefore = wide(hit.before, n - 2);
  const pairAfter = wide(hit.bytes, 4);
  if (wide(hit.bytes, 0) && wide(hit.bytes, 2) && (pairBefore || pairAfter)) return 'part of a UTF-16 text';
  if (pairBefore && wide(hit.before, n - 4)) return 'a UTF-16 text stands right before it';
  if (pairAfter && wide(hit.bytes, 6)) return 'a UTF-16 text stands right after it';
  return null;
}

function textBefore(before: Uint8Array): string {
  let start = before.length;
  while (start > 0 && isText(before[start - 1])) start--;
  return ascii(before.subarray(start));
}

function textAfter(bytes: Uint8Array): TextAfter {
  let end = 4;
  while (end < bytes.length && isText(bytes[end])) end++;
  const stop = bytes[end];
  return { text: ascii(bytes.subarray(4, end)), end: stop === undefined ? 'unknown' : stop === 0 ? 'nul' : 'other' };
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isText(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte <= 0x7e;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a));
}
