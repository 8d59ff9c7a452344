/** What an object is, in the words of its type: the file and its path, the process, the key (reference: objects-and-pool-blocks, section 6). */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { u16, u32, u64 } from '../../../../parsers/bytes/fields.js';
import { readUnicodeString } from '../../../../parsers/kernel/structures.js';
import { readString } from '../process-fields.js';
import { HeaderReader } from '../headers.js';
import type { ObjectLayouts } from '../layouts.js';
import type { Process } from '../process-list.js';
import { RegistryPaths } from './registry-paths.js';
import { inKernel, type ObjectRoots } from '../roots.js';
import { TokenReader } from './tokens.js';

/** What could be read of an object. */
export interface ObjectDescription {
  /** What objects are grouped by: `cmd.exe (ended)`, `\Device\HarddiskVolume2\x.log`; null where nothing names it. */
  readonly name: string | null;
  /** What tells it from others of that name, where something does: `cmd.exe (4324) 5528` of a thread. */
  readonly label: string | null;
  /** The process that it is, that it belongs to, or that it is a thread of. */
  readonly pid: number | null;
  /** A process or thread that has ended and is still there. */
  readonly ended: boolean | null;
}

const FILE_OBJECT_TYPE = 5;
/** Files that were opened from files. */
const DEEPEST = 8;
const UNNAMED: ObjectDescription = { name: null, label: null, pid: null, ended: null };

/** Describes objects of one kernel. */
export class ObjectDescriber {
  private readonly headers: HeaderReader;
  private readonly keys: RegistryPaths;
  private readonly tokens: TokenReader;
  private readonly processes: ReadonlyMap<VirtualAddress, Process>;
  private readonly byPid: ReadonlyMap<number, Process>;

  constructor(
    private readonly roots: ObjectRoots,
    private readonly layouts: ObjectLayouts,
    processes: readonly Process[],
  ) {
    this.headers = new HeaderReader(roots, layouts);
    this.keys = new RegistryPaths(roots, layouts);
    this.tokens = new TokenReader(roots, layouts);
    this.processes = new Map(processes.map((process) => [process.address, process]));
    // Of an ended and a running process with one pid, the running one has it.
    this.byPid = new Map(processes.toSorted((a, b) => Number(b.ended) - Number(a.ended)).map((p) => [p.pid, p]));
  }

  /** The object of type `type` (as the type is named) whose body is at `body`. */
  describe(type: string, body: VirtualAddress): ObjectDescription {
    switch (type) {
      case 'Process':
        return this.process(body);
      case 'Thread':
        return this.thread(body);
      case 'Token':
        return this.token(body);
      case 'File':
        return { ...UNNAMED, name: this.file(body) };
      case 'Key':
        return { ...UNNAMED, name: this.keys.ofKey(body) };
      case 'Section':
        return { ...UNNAMED, name: this.headers.pathOf(body) ?? this.section(body) };
      case 'ALPC Port':
        return this.port(body);
      case 'EtwRegistration':
        return { ...UNNAMED, name: this.provider(body) };
      case 'SymbolicLink':
        return { ...UNNAMED, name: this.link(body) };
      default:
        return { ...UNNAMED, name: this.headers.pathOf(body) };
    }
  }

  /** The path of a process' image (`\Device\HarddiskVolume2\Windows\System32\cmd.exe`); null where it cannot be read. */
  imagePath(process: Process): string | null {
    return process.imagePath === null ? null : readString(this.roots, process.imagePath);
  }

  /** The token of a process. */
  tokenOf(process: Process): ReturnType<TokenReader['read']> {
    return process.token === null ? null : this.tokens.read(process.token);
  }

  private process(body: VirtualAddress): ObjectDescription {
    const process = this.processes.get(body);
    if (process === undefined) return UNNAMED;
    const label = `${process.image} (${process.pid})`;
    return { name: imageOf(process), label, pid: process.pid, ended: process.ended };
  }

  private thread(body: VirtualAddress): ObjectDescription {
    const at = this.layouts.offset('_ETHREAD', 'Cid');
    const pid = at === null ? null : this.number(plus(body, at));
    const tid = at === null ? null : this.number(plus(body, at + this.roots.memory.pointerSize));
    // A dispatcher object is signaled once the thread has ended.
    const state = this.number(plus(body, 4));
    const ended = state === null ? null : state === 1;
    if (pid === null || pid % 4 !== 0) return { ...UNNAMED, ended };
    const process = this.byPid.get(pid);
    const of = process === undefined ? `pid ${pid}` : process.image;
    const label = `${process?.image ?? 'pid'} (${pid})${tid === null ? '' : ` ${tid}`}`;
    return { name: `thread of ${of}${ended === true ? ' (ended)' : ''}`, label, pid, ended };
  }

  private token(body: VirtualAddress): ObjectDescription {
    const token = this.tokens.read(body);
    if (token === null) return UNNAMED;
    const kind = token.isPrimary === null ? '' : token.isPrimary ? ' (primary)' : ' (impersonation)';
    const who = token.account ?? token.user;
    return { ...UNNAMED, name: who, label: who === null ? null : `${who}${kind}` };
  }

  /** `depth`: how many files it was opened from, which stand before its name. */
  private file(body: VirtualAddress, depth = 0): string | null {
    const layout = this.layouts.layout('_FILE_OBJECT')?.value;
    const nameAt = layout?.fields['FileName']?.offset;
    const deviceAt = layout?.fields['DeviceObject']?.offset;
    if (layout === undefined || nameAt === undefined || deviceAt === undefined) return null;
    const bytes = this.roots.memory.read(body, layout.size);
    if (failed(bytes) || u16(bytes, 0) !== FILE_OBJECT_TYPE) return null;
    const read = readUnicodeString(this.roots.memory, bytes, nameAt);
    // A name that is paged out is not the device itself.
    const name = failed(read) ? '\\...' : read;
    const device = this.pointerIn(bytes, deviceAt);
    const volume = device === null ? null : this.device(device);
    if (name === '') return volume;
    if (name.startsWith('\\')) return `${volume ?? ''}${name}`;
    // The name of a file that was opened from a folder is that within the folder.
    const relatedAt = layout.fields['RelatedFileObject']?.offset;
    const related = relatedAt === undefined || depth >= DEEPEST ? null : this.pointerIn(bytes, relatedAt);
    const before = related === null ? volume : this.file(related, depth + 1);
    return `${before ?? ''}\\${name}`;
  }

  /** A device's name, or its driver's. */
  private device(body: VirtualAddress): string | null {
    const name = this.headers.pathOf(body);
    if (name !== null) return name;
    const driverAt = this.layouts.offset('_DEVICE_OBJECT', 'DriverObject');
    const driver = driverAt === null ? null : this.pointer(plus(body, driverAt));
    return driver === null ? null : this.headers.pathOf(driver);
  }

  private section(body: VirtualAddress): string | null {
    for (const area of this.controlAreas(body)) {
      const file = this.fileOf(area);
      if (file !== null) return file;
    }
    return null;
  }

  /** Where a section may have its control area. Which it is shows in what that leads to: a file. */
  private controlAreas(body: VirtualAddress): VirtualAddress[] {
    const direct = this.layouts.offset('_SECTION', 'u1.ControlArea') ?? this.layouts.offset('_SECTION', 'u1');
    const old = this.layouts.offset('_SECTION_OBJECT', 'Segment');
    const segment = old === null ? null : this.pointer(plus(body, old));
    const areas = [direct === null ? null : this.pointer(plus(body, direct))];
    for (const type of segment === null ? [] : ['_SEGMENT', '_SEGMENT_OBJECT']) {
      const at = this.layouts.offset(type, 'ControlArea');
      areas.push(at === null || segment === null ? null : this.pointer(plus(segment, at)));
    }
    return areas.filter((area) => area !== null && (area & 3n) === 0n) as VirtualAddress[];
  }

  private fileOf(area: VirtualAddress): string | null {
    const at = this.layouts.offset('_CONTROL_AREA', 'FilePointer');
    const stored = at === null ? null : this.pointer(plus(area, at));
    // The low bits count references.
    const flags = this.roots.memory.pointerSize === 8 ? 15n : 7n;
    return stored === null ? null : this.file(virtual(stored & ~flags));
  }

  private port(body: VirtualAddress): ObjectDescription {
    const name = this.headers.pathOf(body);
    const at = this.layouts.offset('_ALPC_PORT', 'OwnerProcess');
    const owner = at === null ? null : this.pointer(plus(body, at));
    const process = owner === null ? undefined : this.processes.get(owner);
    const of = process === undefined ? null : `port of ${imageOf(process)}`;
    return { ...UNNAMED, name: name ?? of, pid: process?.pid ?? null };
  }

  private provider(body: VirtualAddress): string | null {
    const entryAt = this.layouts.offset('_ETW_REG_ENTRY', 'GuidEntry');
    const guidAt = this.layouts.offset('_ETW_GUID_ENTRY', 'Guid');
    const entry = entryAt === null ? null : this.pointer(plus(body, entryAt));
    if (entry === null || guidAt === null) return null;
    const b = this.roots.memory.read(plus(entry, guidAt), 16);
    if (failed(b) || b.every((byte) => byte === 0)) return null;
    const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
    const tail = [...b.subarray(8)].map((byte) => hex(byte, 2)).join('');
    return `{${hex(u32(b, 0), 8)}-${hex(u16(b, 4), 4)}-${hex(u16(b, 6), 4)}-${tail.slice(0, 4)}-${tail.slice(4)}}`;
  }

  private link(body: VirtualAddress): string | null {
    const name = this.headers.pathOf(body);
    const at = this.layouts.offset('_OBJECT_SYMBOLIC_LINK', 'LinkTarget');
    const target = at === null ? null : readString(this.roots, plus(body, at));
    if (target === null || target === '') return name;
    return name === null ? target : `${name} -> ${target}`;
  }

  private number(address: VirtualAddress): number | null {
    const value = this.roots.memory.readU32(address);
    return failed(value) ? null : value;
  }

  private pointer(address: VirtualAddress): VirtualAddress | null {
    const value = this.roots.memory.readPointer(address);
    return failed(value) || !inKernel(this.roots, value) ? null : value;
  }

  private pointerIn(bytes: Uint8Array, at: number): VirtualAddress | null {
    const value = this.roots.memory.pointerSize === 8 ? u64(bytes, at) : BigInt(u32(bytes, at));
    return inKernel(this.roots, value) ? virtual(value) : null;
  }
}

/** A process as a target: its image, and that it has ended. */
export const imageOf = (process: Process): string => `${process.image}${process.ended ? ' (ended)' : ''}`;
