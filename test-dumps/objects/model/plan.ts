/** Plans a machine's objects: things by type and name, and the handles that processes have to them. */

import type { KernelFacts } from '../../kernel-facts.js';
import type { Prng } from '../../prng.js';
import { kindsOf, type Kind } from './kinds.js';
import { Thing, type Detail, type ProcessModel } from './things.js';

const ACCESS: Readonly<Record<string, number>> = {
  Process: 0x1f_ffff, Thread: 0x1f_ffff, Event: 0x1f_0003, Key: 0x2_0019, File: 0x12_0089, Token: 0xf_01ff, Section: 0x6,
  Mutant: 0x1f_0001, Semaphore: 0x1f_0003, Directory: 0x3, 'ALPC Port': 0x1f_0001, Timer: 0x1f_0003,
}; // prettier-ignore

const VOLUME = '\\Device\\HarddiskVolume3';

/** Devices that files are opened on, and their drivers. */
const DEVICES: Readonly<Record<string, string>> = {
  [VOLUME]: '\\Driver\\volmgr',
  '\\Device\\NamedPipe': '\\FileSystem\\Npfs',
  '\\Device\\Afd': '\\Driver\\AFD',
  '\\Device\\KsecDD': '\\Driver\\KSecDD',
  '\\Device\\CNG': '\\Driver\\CNG',
};
/** Images of those drivers whose names differ from the driver objects'. */
const IMAGES: Readonly<Record<string, string>> = { CNG: 'cng.sys', KSecDD: 'ksecdd.sys', AFD: 'afd.sys' };

export class Plan {
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly things: Thing[] = [];
  readonly processes: ProcessModel[] = [];
  private readonly names = new Map<string, Thing>();
  private readonly shared = new Map<string, Thing>();
  private readonly used = new Set<number>();
  private nextId = 6000;

  /** @param perLeaf entries of a leaf of the table of ids: the first of each is no id */
  constructor(
    kernel: KernelFacts,
    private readonly perLeaf: number,
    readonly random: Prng,
  ) {
    this.kinds = kindsOf(kernel);
    this.directory('\\');
    for (const kind of this.kinds.values())
      this.named('Type', `\\ObjectTypes\\${kind.name}`, { kind: 'type', of: kind }).permanent = true;
    for (const device of Object.keys(DEVICES)) this.device(device);
    this.named('SymbolicLink', '\\GLOBAL??\\C:', { kind: 'link', target: VOLUME }).permanent = true;
    this.named('SymbolicLink', '\\SystemRoot', { kind: 'link', target: '\\Device\\BootDevice\\Windows' }).permanent =
      true;
  }

  /** Directories and what they hold, by path. */
  get nameSpace(): ReadonlyMap<string, Thing> {
    return this.names;
  }

  /** The type of that name; ports have another before Windows Vista. Throws where the system has no such type. */
  kind(name: string): Kind {
    const kind = this.kinds.get(name) ?? (name === 'ALPC Port' ? this.kinds.get('Port') : undefined);
    if (!kind) throw new Error(`this system has no objects of type ${name}`);
    return kind;
  }

  has(name: string): boolean {
    return this.kinds.has(name);
  }

  /** A new object without a name. */
  thing(type: string, detail: Detail | null = null): Thing {
    const thing = new Thing(this.kind(type), detail);
    this.things.push(thing);
    return thing;
  }

  /** The object of that path in the name space. */
  named(type: string, path: string, detail: Detail | null = null): Thing {
    const known = this.names.get(path);
    if (known) return known;
    const cut = path.lastIndexOf('\\');
    const thing = this.thing(type, detail);
    thing.directory = path === '\\' ? null : this.directory(cut === 0 ? '\\' : path.slice(0, cut));
    thing.named = path === '\\' ? '\\' : path.slice(cut + 1);
    thing.references = 1;
    this.names.set(path, thing);
    return thing;
  }

  directory(path: string): Thing {
    const directory = this.named('Directory', path);
    directory.permanent = true;
    return directory;
  }

  /** A device that the name space shows. */
  device(path: string): Thing {
    const driver = DEVICES[path] ?? '\\Driver\\acmenet';
    const base = driver.slice(driver.lastIndexOf('\\') + 1);
    this.named('Driver', driver, { kind: 'driver', module: IMAGES[base] ?? `${base}.sys` }).permanent = true;
    return this.named('Device', path, { kind: 'device', driver });
  }

  /** A file by its whole path, which begins with a device. */
  file(path: string): Thing {
    const device = Object.keys(DEVICES).find((one) => path === one || path.startsWith(`${one}\\`)) ?? VOLUME;
    const rest = path.startsWith(device) ? path.slice(device.length) : path;
    this.device(device).references++;
    return this.thing('File', { kind: 'file', device, path: rest, related: null });
  }

  /** A file that the kernel has open for many, such as an image: one object, a reference more each time. */
  sharedFile(path: string): Thing {
    let file = this.shared.get(path);
    if (!file) this.shared.set(path, (file = this.file(path)));
    file.references++;
    return file;
  }

  /** A file opened by a name that begins at an open folder. */
  relativeFile(folder: string, name: string): Thing {
    const related = this.sharedFile(folder);
    if (related.detail?.kind !== 'file') throw new Error(`${folder} is no file`);
    return this.thing('File', { kind: 'file', device: related.detail.device, path: name, related });
  }

  /** An object of any type that a process may have opened; `name` as in `HandleSpec.names`. */
  make(type: string, name: string | null, process: ProcessModel): Thing {
    switch (type) {
      case 'File':
        return this.file(name ?? `${VOLUME}\\Windows\\Temp\\${process.pid}-${this.things.length}.tmp`);
      case 'Key':
        return this.thing('Key', { kind: 'key', path: name ?? '\\REGISTRY\\MACHINE', opener: process.pid });
      case 'Token':
        return this.thing('Token', this.tokenOf(process, null, false, false));
      case 'Section': {
        const file = name?.startsWith('\\Device\\') === true ? this.file(name) : null;
        if (file) file.references = 1;
        const detail: Detail = { kind: 'section', file };
        return name === null || file ? this.thing('Section', detail) : this.named('Section', name, detail);
      }
      case 'ALPC Port': {
        const detail: Detail = { kind: 'alpc', owner: process, connection: null };
        return name === null ? this.thing('ALPC Port', detail) : this.named('ALPC Port', name, detail);
      }
      case 'Job':
        return this.thing('Job', { kind: 'job', members: 1 });
      default:
        return name === null ? this.thing(type) : this.named(type, name);
    }
  }

  tokenOf(process: ProcessModel, user: string | null, primary: boolean, inUse: boolean): Detail {
    return { kind: 'token', user: user ?? process.user, session: process.session ?? 0, primary, inUse };
  }

  /** One more handle. */
  open(process: ProcessModel, thing: Thing): void {
    const { handles } = process;
    if (!handles) throw new Error(`process ${process.pid} has ended and holds no handle`);
    handles.targets.push(thing);
    handles.access.push(ACCESS[thing.kind.name] ?? 0x1f_0003);
    thing.handles++;
    if (!thing.kind.maintainsHandleCount) return;
    thing.holders ??= new Map();
    thing.holders.set(process, (thing.holders.get(process) ?? 0) + 1);
  }

  /** A free process or thread id. */
  takeId(): number {
    while (!this.isId(this.nextId)) this.nextId += 4;
    return this.claim(this.nextId);
  }

  /** The wanted process id, or the next one that can be one where `exact` is not asked. Throws on one that cannot be. */
  claimId(wanted: number, exact: boolean): number {
    let id = wanted;
    while (!exact && !this.isId(id)) id += 4;
    if (!this.isId(id)) throw new Error(`${id} cannot be a process id, or two processes have it`);
    return this.claim(id);
  }

  private isId(id: number): boolean {
    return id % 4 === 0 && (id / 4) % this.perLeaf !== 0 && !this.used.has(id);
  }

  private claim(id: number): number {
    this.used.add(id);
    return id;
  }
}
