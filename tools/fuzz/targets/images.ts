/** Images of drivers as they lie in memory: headers, sections, versions, exports, and what their code says of tags. */

import { PAGE_SIZE, virtual, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { MemoryBase, MOST_BYTES } from '../../../parsers/paging/memory-base.js';
import { nearestExport } from '../../../parsers/pe/exports.js';
import { readCodeView, readImageHeaders, type ImageHeaders } from '../../../parsers/pe/image.js';
import { parseVersionInfo, readVersion } from '../../../parsers/pe/version.js';
import { allocationsIn } from '../../../src/code/calls/allocations.js';
import type { LoadedModule } from '../../../src/kernel/modules/modules.js';
import { judgeImage } from '../../../src/leak/code/judge-image.js';
import type { Architecture, Scenario } from '../../../test-dumps/build-dump.js';
import { buildMachine } from '../../../test-dumps/machine.js';
import type { FuzzTarget } from '../target.js';

const BASE = virtual(0xfffff80000000000n);
const BASE32 = virtual(0x80000000n);
const LEAK = 0x6b61654c;

/** An image of a driver with tags in code and data, as it lies in memory. */
function builtImage(architecture: Architecture, kernel: string, name: string): Uint8Array {
  const scenario: Scenario = {
    kernel,
    architecture,
    memory: { bytes: 64 * 2 ** 20 },
    modules: [
      {
        name: 'acmenet.sys',
        size: 0x9000,
        tags: [
          { tag: 'Leak', style: 'alloc' },
          { tag: 'Leak', style: 'free' },
          { tag: 'Leak', style: 'text', text: 'xLeaky' },
        ],
      },
    ],
  };
  const module = buildMachine(scenario).modules.find((m) => m.name === name);
  if (module === undefined) throw new Error(`no ${name}`);
  const bytes = new Uint8Array(Math.min(module.image.size, 0x40000));
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) bytes.set(module.image.page(at / PAGE_SIZE), at);
  return bytes;
}

/** One image, mapped at its base and nothing around it. */
class OneImage extends MemoryBase {
  constructor(
    private readonly bytes: Uint8Array,
    private readonly base: VirtualAddress,
    readonly pointerSize: 4 | 8,
  ) {
    super();
  }

  translate(address: VirtualAddress): PhysicalAddress | Failure {
    const page = this.read(address, 1);
    return failed(page) ? page : ((address - this.base) as unknown as PhysicalAddress);
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const at = Number(address - this.base);
    if (length > MOST_BYTES) return new Failure('corrupt', 'too much at once');
    if (at < 0 || at + length > this.bytes.length) return new Failure('not-mapped', 'outside of the image');
    return this.bytes.slice(at, at + length);
  }
}

export const IMAGE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'image-x64',
    seeds: [
      () => builtImage('x64', '10.0.19041.804', 'acmenet.sys'),
      () => builtImage('x64', '10.0.19041.804', 'ntoskrnl.exe'),
    ],
    feed(input) {
      feedImage(input, BASE, 8);
    },
  },
  {
    name: 'image-x86',
    seeds: [() => builtImage('x86', '7601', 'acmenet.sys')],
    feed(input) {
      feedImage(input, BASE32, 4);
    },
  },
  {
    name: 'image-arm64',
    seeds: [() => builtImage('arm64', '10.0.22000.2538', 'acmenet.sys')],
    feed(input) {
      feedImage(input, BASE, 8);
    },
  },
];

function feedImage(input: Uint8Array, base: VirtualAddress, pointerSize: 4 | 8): void {
  parseVersionInfo(input.subarray(0, 4096));
  const memory = new OneImage(input, base, pointerSize);
  const headers = readImageHeaders(memory, base);
  if (failed(headers)) return;
  const codeView = readCodeView(memory, base, headers);
  const version = readVersion(memory, base, headers);
  for (const rva of [0, 0x1000, 0x2010, 0xffffffff]) nearestExport(memory, base, headers, rva);
  const module = loaded(memory, base, headers, input.length, {
    codeView: failed(codeView) ? null : codeView,
    version: failed(version) ? null : version,
  });
  judgeImage(module, [LEAK]);
  allocationsIn(module);
}

function loaded(
  memory: OneImage,
  base: VirtualAddress,
  headers: ImageHeaders,
  size: number,
  found: Pick<LoadedModule, 'codeView' | 'version'>,
): LoadedModule {
  return {
    name: 'acmenet.sys',
    moduleName: 'acmenet',
    path: null,
    base,
    sizeOfImage: Math.min(headers.sizeOfImage, 1 << 30),
    timeDateStamp: headers.timeDateStamp,
    checkSum: headers.checkSum,
    headers,
    ...found,
    memory,
    pagesPresent: Math.ceil(size / PAGE_SIZE),
    pagesTotal: Math.ceil(headers.sizeOfImage / PAGE_SIZE),
  };
}
