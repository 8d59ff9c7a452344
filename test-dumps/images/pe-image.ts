/**
 * A PE32+ (on x86, PE32) image as the loader lays it out in memory: headers, section table, debug directory with an RSDS record, imports,
 * exports and a version resource. Only pages with contents of their own are kept; the rest are code or zeros.
 */

import { armCodeFill } from './arm64-code.js';
import { alignUp, concat, guidBytes, latin1, putU16, putU32, putVa, type Va } from '../bytes.js';
import { codeFill } from './code.js';
import { PAGE, ZERO_PAGE } from '../physical-memory.js';
import { versionResource } from './pe-resources.js';
import type { Architecture, PdbSpec, VersionSpec } from '../scenario.js';

export interface Section {
  name: string;
  rva: number;
  /** Bytes, whole pages. */
  size: number;
  /** IMAGE_SCN_* flags. */
  characteristics: number;
}

export const CODE = 0x60000020;
export const PAGED_CODE = 0x60000020;
export const INIT_CODE = 0x62000020;
export const READ_DATA = 0x40000040;
export const WRITE_DATA = 0xc8000040;
export const DISCARD_DATA = 0x42000040;
const EXECUTE = 0x20000000;
/** Where in `.rdata` the names of imports and the exports of a driver go, when they stand there. */
const IMPORT_NAMES = 0x200;
const EXPORTS = 0xa00;
const MACHINES = { x64: 0x8664, arm64: 0xaa64, x86: 0x14c } as const;

export interface ImagePlan {
  name: string;
  /** Bytes, whole pages. */
  size: number;
  sections: Section[];
  timeDateStamp: number;
  checkSum: number;
  pdb: PdbSpec | null;
  version: VersionSpec | null;
  /** Name to RVA, put into the section `.edata`, else into `.rdata`. */
  exports?: Record<string, number>;
  /** Functions of ntoskrnl.exe with their addresses, put into the import address table. */
  imports?: Record<string, Va>;
  /** The same of other modules, by file name. */
  importsFrom?: Readonly<Record<string, Readonly<Record<string, Va>>>>;
  /** The section of the names of imports. Default `INIT`, which is discarded once a driver runs. */
  importNames?: 'INIT' | '.rdata';
  isDll?: boolean;
  /** Default x64. */
  architecture?: Architecture;
}

export class PeImage {
  readonly size: number;
  readonly sections: readonly Section[];
  /** Contents by page number, of those that differ from plain code or zeros. */
  readonly pages = new Map<number, Uint8Array>();
  /** RVA of the RSDS record; null without one. */
  codeViewRva: number | null = null;
  versionRva: number | null = null;
  /** RVA of the import address table entry of each import. */
  readonly iat = new Map<string, number>();
  private readonly directories: { index: number; rva: number; size: number }[] = [];

  constructor(readonly plan: ImagePlan) {
    this.size = plan.size;
    this.sections = plan.sections;
    this.putDebugDirectory();
    this.putImports();
    this.putExports();
    this.putResources();
    this.putHeaders();
  }

  get isArm64(): boolean {
    return this.plan.architecture === 'arm64';
  }

  get isX86(): boolean {
    return this.plan.architecture === 'x86';
  }

  section(name: string): Section | undefined {
    return this.sections.find((s) => s.name === name);
  }

  sectionAt(rva: number): Section | undefined {
    return this.sections.find((s) => rva >= s.rva && rva < s.rva + s.size);
  }

  /** The contents of a page for reading. */
  page(number: number): Uint8Array {
    const own = this.pages.get(number);
    if (own) return own;
    const section = this.sectionAt(number * PAGE);
    return section && (section.characteristics & EXECUTE) !== 0
      ? (this.isArm64 ? armCodeFill : codeFill)(number)
      : ZERO_PAGE;
  }

  writablePage(number: number): Uint8Array {
    const own = this.pages.get(number);
    if (own) return own;
    const copy = this.page(number).slice();
    this.pages.set(number, copy);
    return copy;
  }

  write(rva: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = (rva + done) % PAGE;
      const length = Math.min(PAGE - at, bytes.length - done);
      this.writablePage(Math.floor((rva + done) / PAGE)).set(bytes.subarray(done, done + length), at);
      done += length;
    }
  }

  /** Adds a data directory to headers that are written already. */
  putDirectory(index: number, rva: number, size: number): void {
    this.directories.push({ index, rva, size });
    this.putHeaders();
  }

  private putDebugDirectory(): void {
    const { pdb } = this.plan;
    const home = this.section('.rdata');
    if (!pdb || !home) return;
    const path = latin1(`${pdb.name}\0`);
    const age = new Uint8Array(4);
    putU32(age, 0, pdb.age);
    const record = concat([latin1('RSDS'), guidBytes(pdb.guid), age, path]);
    const directory = new Uint8Array(28);
    putU32(directory, 4, this.plan.timeDateStamp);
    putU32(directory, 12, 2);
    putU32(directory, 16, record.length);
    putU32(directory, 20, home.rva + 0x860);
    putU32(directory, 24, home.rva + 0x860);
    this.write(home.rva + 0x820, directory);
    this.write(home.rva + 0x860, record);
    this.codeViewRva = home.rva + 0x860;
    this.directories.push({ index: 6, rva: home.rva + 0x820, size: 28 });
  }

  /** Names in one section, addresses at the beginning of `.rdata`: a run of slots for each module, which a zero ends. */
  private putImports(): void {
    const home = this.section('.rdata');
    const { imports = {}, importsFrom = {}, importNames = 'INIT' } = this.plan;
    const modules = Object.entries({ 'ntoskrnl.exe': imports, ...importsFrom }).map(
      ([name, functions]) => [name, Object.entries(functions)] as const,
    );
    const inRdata = importNames === '.rdata' || this.section('INIT') === undefined;
    const rva = inRdata ? (home?.rva ?? 0) + IMPORT_NAMES : (this.section('INIT')?.rva ?? 0);
    const slots = modules.reduce((sum, [, functions]) => sum + functions.length + 1, 0);
    if (!home || slots === modules.length) return;
    const width = this.isX86 ? 4 : 8;
    const table = new Uint8Array(slots * width);
    const hints = new Uint8Array(table.length);
    const descriptors = new Uint8Array((modules.length + 1) * 20);
    const lookup = rva + descriptors.length;
    let text = lookup + hints.length;
    const texts: Uint8Array[] = [];
    const addText = (value: Uint8Array): number => {
      const padded = new Uint8Array(alignUp(value.length, 2));
      padded.set(value);
      texts.push(padded);
      text += padded.length;
      return text - padded.length;
    };
    let slot = 0;
    modules.forEach(([module, functions], i) => {
      const first = slot * width;
      for (const [name, target] of functions) {
        putU32(hints, slot * width, addText(latin1(`\0\0${name}\0`)));
        if (width === 4) putU32(table, slot * width, target);
        else putVa(table, slot * width, target);
        this.iat.set(name, home.rva + slot * width);
        slot++;
      }
      slot++;
      putU32(descriptors, i * 20, lookup + first);
      putU32(descriptors, i * 20 + 12, addText(latin1(`${module}\0`)));
      putU32(descriptors, i * 20 + 16, home.rva + first);
    });
    this.write(home.rva, table);
    this.write(rva, concat([descriptors, hints, ...texts]));
    this.directories.push(
      { index: 1, rva, size: descriptors.length },
      { index: 12, rva: home.rva, size: table.length },
    );
  }

  private putExports(): void {
    const home = this.exportsHome();
    const names = Object.entries(this.plan.exports ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    if (!home || names.length === 0) return;
    const functions = 40;
    const pointers = functions + names.length * 4;
    const ordinals = pointers + names.length * 4;
    const strings = ordinals + names.length * 2;
    const fixed = new Uint8Array(strings);
    const texts: Uint8Array[] = [latin1(`${this.plan.name}\0`)];
    let text = home.rva + strings + this.plan.name.length + 1;
    names.forEach(([name, rva], i) => {
      putU32(fixed, functions + i * 4, rva);
      putU32(fixed, pointers + i * 4, text);
      putU16(fixed, ordinals + i * 2, i);
      texts.push(latin1(`${name}\0`));
      text += name.length + 1;
    });
    putU32(fixed, 12, home.rva + strings);
    putU32(fixed, 16, 1);
    putU32(fixed, 20, names.length);
    putU32(fixed, 24, names.length);
    putU32(fixed, 28, home.rva + functions);
    putU32(fixed, 32, home.rva + pointers);
    putU32(fixed, 36, home.rva + ordinals);
    const bytes = concat([fixed, ...texts]);
    this.write(home.rva, bytes);
    this.directories.push({ index: 0, rva: home.rva, size: bytes.length });
  }

  /** Offsets in `.rdata` of the tables that stand only in some images there. */
  rdataTables(): [number, number][] {
    const { exports = {}, importNames, importsFrom = {} } = this.plan;
    const named = importNames === '.rdata' || Object.keys(importsFrom).length > 0;
    const exported = Object.keys(exports).length > 0 && this.section('.edata') === undefined;
    return [
      ...(named ? [[0x200, 0x800] as [number, number]] : []),
      ...(exported ? [[EXPORTS, PAGE] as [number, number]] : []),
    ];
  }

  /** `.edata`; of drivers, which have none, a place in `.rdata`. */
  private exportsHome(): { rva: number } | undefined {
    const rdata = this.section('.rdata');
    return this.section('.edata') ?? (rdata && { rva: rdata.rva + EXPORTS });
  }

  private putResources(): void {
    const home = this.section('.rsrc');
    if (!home || !this.plan.version) return;
    const bytes = versionResource(home.rva, this.plan.name, this.plan.version);
    this.write(home.rva, bytes);
    this.versionRva = home.rva;
    this.directories.push({ index: 2, rva: home.rva, size: bytes.length });
  }

  private putHeaders(): void {
    const { plan } = this;
    const page = this.writablePage(0);
    const nt = 0xe8;
    page.set(latin1('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8'), 0);
    putU32(page, 0x3c, nt);
    page.set(latin1('!This program cannot be run in DOS mode.\r\r\n$'), 0x4e);
    page.set(latin1('PE\0\0'), nt);
    const optionalSize = this.isX86 ? 0xe0 : 0xf0;
    putU16(page, nt + 4, MACHINES[plan.architecture ?? 'x64']);
    putU16(page, nt + 6, this.sections.length);
    putU32(page, nt + 8, plan.timeDateStamp);
    putU16(page, nt + 0x14, optionalSize);
    putU16(page, nt + 0x16, plan.isDll === true ? 0x2022 : 0x22);
    const opt = nt + 0x18;
    putU16(page, opt, this.isX86 ? 0x10b : 0x20b);
    const code = this.sections.filter((s) => (s.characteristics & EXECUTE) !== 0);
    putU32(
      page,
      opt + 4,
      code.reduce((sum, s) => sum + s.size, 0),
    );
    putU32(page, opt + 0x10, (code[0]?.rva ?? PAGE) + 0x10);
    putU32(page, opt + 0x14, code[0]?.rva ?? PAGE);
    if (this.isX86) putU32(page, opt + 0x1c, 0x1_0000);
    else putVa(page, opt + 0x18, 0x1_0000);
    putU32(page, opt + 0x20, PAGE);
    putU32(page, opt + 0x24, 0x200);
    putU16(page, opt + 0x28, 10);
    putU16(page, opt + 0x30, 10);
    putU32(page, opt + 0x38, plan.size);
    putU32(page, opt + 0x3c, 0x600);
    putU32(page, opt + 0x40, plan.checkSum);
    putU16(page, opt + 0x44, 1);
    const directories = opt + (this.isX86 ? 0x60 : 0x70);
    putU32(page, directories - 4, 16);
    for (const { index, rva, size } of this.directories) {
      putU32(page, directories + index * 8, rva);
      putU32(page, directories + 4 + index * 8, size);
    }
    this.sections.forEach((section, i) => {
      const at = opt + optionalSize + i * 40;
      page.set(latin1(section.name.slice(0, 8)), at);
      putU32(page, at + 8, section.size);
      putU32(page, at + 0xc, section.rva);
      putU32(page, at + 0x10, section.size);
      putU32(page, at + 0x14, 0x600 + section.rva - PAGE);
      putU32(page, at + 0x24, section.characteristics);
    });
  }
}
