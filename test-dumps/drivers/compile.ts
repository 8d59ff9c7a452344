/**
 * Compiles generated drivers with clang, lld-link and llvm-dlltool (Debian: clang, lld, llvm). What was compiled once is
 * kept in the temporary folder of the system, by the hash of all that goes into it.
 */

import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { IMPORTS, type DriverSpec, type GeneratedDriver } from './source.js';

const run = promisify(execFile);
type Architecture = DriverSpec['architecture'];

const TARGETS = { x86: 'i686', x64: 'x86_64', arm64: 'aarch64' } as const;
const DLLTOOL = { x86: 'i386', x64: 'i386:x86-64', arm64: 'arm64' } as const;
const FLAGS = ['-ffreestanding', '-fno-builtin', '-fno-stack-protector', '-mno-stack-arg-probe', '-w', '-std=c11'];
/** As drivers are: the section INIT is discarded. */
const LINK = [
  ...['/driver', '/subsystem:native', '/nodefaultlib', '/timestamp:1600000000', '/incremental:no'],
  '/section:INIT,ERD',
];
/** Freestanding code has no exception table unless asked for. */
const UNWIND = '-fasynchronous-unwind-tables';
const BASES = { x86: 0x10000, x64: 0x140000000, arm64: 0x140000000 } as const;

export class Compiler {
  private constructor(
    private readonly version: string,
    private readonly cache: string,
  ) {}

  /** Null where one of the tools is missing. */
  static find(): Compiler | null {
    try {
      const version = execFileSync('clang', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
      for (const tool of ['lld-link', 'llvm-dlltool']) execFileSync('which', [tool], { stdio: 'ignore' });
      const cache = join(tmpdir(), 'dumpleak-drivers');
      mkdirSync(cache, { recursive: true });
      return new Compiler(version, cache);
    } catch {
      return null;
    }
  }

  /** The driver's file. Throws with the tool's words when it cannot be compiled. */
  async compile(driver: GeneratedDriver): Promise<Uint8Array> {
    const { file } = await this.build(driver);
    return readFileSync(file);
  }

  /** Compiles several, two at a time, and gives where each stands. */
  async compileAll(drivers: readonly GeneratedDriver[]): Promise<string[]> {
    const files: string[] = [];
    const next = drivers.entries();
    const worker = async (): Promise<void> => {
      for (const [i, driver] of next) files[i] = (await this.build(driver)).file;
    };
    await Promise.all([worker(), worker()]);
    return files;
  }

  private async build(driver: GeneratedDriver): Promise<{ file: string }> {
    const { architecture, optimisation, source, name } = driver;
    const base = baseOf(driver);
    const area = areaOffset(driver);
    const flags = driver.exceptionTable ? [...FLAGS, UNWIND] : FLAGS;
    const recipe = [this.version, architecture, optimisation, flags.join(' '), LINK.join(' '), base, area, source].join(
      '\n',
    );
    const key = createHash('sha256').update(recipe).digest('hex').slice(0, 20);
    const file = join(this.cache, `${name}-${key}.sys`);
    if (existsSync(file)) return { file };
    const library = await this.library(architecture);
    const folder = mkdtempSync(join(this.cache, 'build-'));
    try {
      const at = (extension: string): string => join(folder, `driver.${extension}`);
      writeFileSync(at('c'), source);
      const target = `--target=${TARGETS[architecture]}-pc-windows-msvc`;
      const defines = area === null ? [] : [`-DAREA_OFFSET=${area}`];
      await run('clang', [target, `-${optimisation}`, ...flags, ...defines, '-c', at('c'), '-o', at('obj')]);
      const entry = architecture === 'x86' ? 'DriverEntry@8' : 'DriverEntry';
      await run('lld-link', [
        ...LINK,
        ...[`/entry:${entry}`, `/base:0x${base.toString(16)}`, '/dynamicbase', at('obj'), library, `/out:${at('sys')}`],
      ]);
      renameSync(at('sys'), file);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return { file };
  }

  /** The import library of ntoskrnl.exe. */
  private async library(architecture: Architecture): Promise<string> {
    const names = IMPORTS.map(([name, bytes]) =>
      architecture === 'x86' && bytes !== null ? `${name}@${bytes}` : name,
    );
    const definition = `LIBRARY ntoskrnl.exe\nEXPORTS\n${names.join('\n')}\n`;
    const key = createHash('sha256')
      .update(definition + this.version)
      .digest('hex')
      .slice(0, 12);
    const file = join(this.cache, `ntoskrnl-${architecture}-${key}.lib`);
    if (existsSync(file)) return file;
    const folder = mkdtempSync(join(this.cache, 'build-'));
    const from = join(folder, 'ntoskrnl.def');
    writeFileSync(from, definition);
    const kill = architecture === 'x86' ? ['-k'] : [];
    await run('llvm-dlltool', ['-m', DLLTOOL[architecture], ...kill, '-d', from, '-l', join(folder, 'ntoskrnl.lib')]);
    renameSync(join(folder, 'ntoskrnl.lib'), file);
    rmSync(folder, { recursive: true, force: true });
    return file;
  }
}

/** The base from which an address a little further reads as the tag. */
function baseOf({ shape, architecture, tag }: GeneratedDriver): number {
  if (shape !== 'relocation') return BASES[architecture];
  const value = Buffer.from(tag, 'latin1').readUInt32LE();
  return Math.floor(value / 0x10000) * 0x10000 - 0x10000 + (architecture === 'x86' ? 0 : 0x1_0000_0000);
}

/** How far from the base that address is. */
function areaOffset({ shape, tag }: GeneratedDriver): number | null {
  return shape === 'relocation' ? (Buffer.from(tag, 'latin1').readUInt32LE() & 0xffff) + 0x10000 : null;
}
