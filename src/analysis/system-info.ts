/** What kind of Windows the dump is of: build, release name, product type, build lab. */

import { failed } from '../../parsers/bytes/failure.js';
import { asciiz } from '../../parsers/bytes/fields.js';
import { MACHINE } from '../../parsers/dump/open-dump.js';
import { findImageVersion } from '../../symbols/profiles/images.js';
import type { SystemInfo } from '../result/result.js';
import { readMachineName } from '../kernel/processes/machine-name.js';
import type { Kernel } from '../kernel/open/open-kernel.js';

/** First build of each release, and its names as workstation and as server. */
const RELEASES: readonly (readonly [build: number, client: string, server: string])[] = [
  [2195, 'Windows 2000', 'Windows 2000 Server'],
  [2600, 'Windows XP', 'Windows XP'],
  [3790, 'Windows XP x64', 'Windows Server 2003'],
  [6000, 'Windows Vista', 'Windows Server 2008'],
  [6001, 'Windows Vista SP1', 'Windows Server 2008'],
  [6002, 'Windows Vista SP2', 'Windows Server 2008 SP2'],
  [7600, 'Windows 7', 'Windows Server 2008 R2'],
  [7601, 'Windows 7 SP1', 'Windows Server 2008 R2 SP1'],
  [9200, 'Windows 8', 'Windows Server 2012'],
  [9600, 'Windows 8.1', 'Windows Server 2012 R2'],
  [10240, 'Windows 10 1507', 'Windows 10 1507'],
  [10586, 'Windows 10 1511', 'Windows 10 1511'],
  [14393, 'Windows 10 1607', 'Windows Server 2016'],
  [15063, 'Windows 10 1703', 'Windows 10 1703'],
  [16299, 'Windows 10 1709', 'Windows Server 1709'],
  [17134, 'Windows 10 1803', 'Windows Server 1803'],
  [17763, 'Windows 10 1809', 'Windows Server 2019'],
  [18362, 'Windows 10 1903/1909', 'Windows Server 1903/1909'],
  [19041, 'Windows 10 2004-22H2', 'Windows Server 2004/20H2'],
  [20348, 'Windows Server 2022', 'Windows Server 2022'],
  [22000, 'Windows 11 21H2', 'Windows 11 21H2'],
  [22621, 'Windows 11 22H2/23H2', 'Windows 11 22H2/23H2'],
  [25398, 'Windows Server 23H2', 'Windows Server 23H2'],
  [26100, 'Windows 11 24H2/25H2', 'Windows Server 2025'],
];

const PRODUCTS = { 1: 'workstation', 2: 'domain-controller', 3: 'server' } as const;

/** The release that a build number belongs to; null for numbers before the first or between unreleased ones. */
export function releaseName(build: number, isServer: boolean): string | null {
  const release = RELEASES.findLast(([first]) => build >= first);
  if (release === undefined) return null;
  const [first, client, server] = release;
  const name = isServer ? server : client;
  // Enablement packages (19042-19045, 22631, 26200) keep the binaries of the release before.
  return build - first < 200 ? name : `${name} or later`;
}

/** The `system` part of the result. */
export function readSystem(kernel: Kernel): SystemInfo {
  const { header } = kernel.dump;
  const build = header.minorVersion;
  const productType = PRODUCTS[header.productType as 1 | 2 | 3] as SystemInfo['productType'] | undefined;
  const { pdb, timeDateStamp, sizeOfImage } = kernel.identity;
  const arch = header.machineImageType === MACHINE.ARM64 ? 'arm64' : 'x64';
  const known =
    timeDateStamp === null || sizeOfImage === null ? null : findImageVersion(timeDateStamp, sizeOfImage, arch);
  return {
    buildNumber: build,
    version: known?.version ?? null,
    name: build === null ? null : releaseName(build, productType === 'server' || productType === 'domain-controller'),
    productType: productType ?? null,
    buildLab: readBuildLab(kernel),
    machineName: readMachineName(kernel),
    kernelBase: kernel.image === null ? null : `0x${kernel.image.base.toString(16)}`,
    kernelPdb: pdb === null ? null : { ...pdb },
    symbols: kernel.symbols === null ? null : { source: kernel.symbols.source, detail: kernel.symbols.detail },
  };
}

/** NtBuildLabEx, ASCII such as `19041.1.amd64fre.vb_release.191206-1406`; else the shorter NtBuildLab. */
function readBuildLab(kernel: Kernel): string | null {
  for (const name of ['NtBuildLabEx', 'NtBuildLab']) {
    const address = kernel.symbols?.address(name)?.value ?? null;
    if (address === null || kernel.memory === null) continue;
    const bytes = kernel.memory.read(address, 64);
    if (failed(bytes)) continue;
    const text = asciiz(bytes, 0, 64);
    if (/^[\x20-\x7e]{3,}$/.test(text)) return text;
  }
  return null;
}
