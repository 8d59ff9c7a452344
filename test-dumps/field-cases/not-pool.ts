/** Cases 34, 35 and 36: memory that no tag holds, and a figure that cannot be true. */

import { GB } from '../machines/scenario-parts.js';
import type { FieldCase } from './field-case.js';
import { fieldMachine } from './machine.js';

const pages = (bytes: number): number => Math.floor(bytes / 4096);

export const NOT_POOL: readonly FieldCase[] = [
  {
    number: 34,
    published: 'memory driver-locked, no tag; the balloon driver of a virtual machine is loaded',
    concluded: 'the host took it',
    source: 'virtio-win/kvm-guest-drivers-windows#903',
    chosen: 'figures: 10 GB of 16 GB',
    answer: { kinds: ['not pool'], tags: [], culprit: null, where: /balloon|locked/i },
    scenario: () =>
      fieldMachine({
        name: 'field case 34',
        seed: 4134,
        kernel: '10.0.22621.382',
        memory: { parts: { mdlPages: pages(10 * GB) } },
        modules: { 'balloon.sys': { version: { fileVersion: '100.92.104.22900', companyName: 'Red Hat, Inc.' } } },
        figures: {
          availablePages: pages(0.6 * GB),
          freePages: 4200,
          zeroedPages: 100,
          standbyPages: pages(0.55 * GB),
          residentAvailablePages: pages(1.2 * GB),
          committedPages: pages(15.1 * GB),
          commitLimit: pages(24 * GB),
        },
      }),
  },
  {
    number: 35,
    published:
      '356,363 system PTE failures, 48,530 pool failures, nonpaged 57.9 %, paged 45.8 % (Server 2003 x86, /3GB)',
    concluded: 'system PTEs; no tag is accused',
    source: 'article',
    chosen: '4 GB; free system PTEs',
    answer: { kinds: ['not pool'], tags: [], culprit: null, where: /system PTEs/i },
    scenario: () => {
      const [nonPaged, paged] = [32_768, 42_000];
      return fieldMachine({
        name: 'field case 35',
        seed: 4135,
        kernel: '5.2.3790.3959',
        architecture: 'x86',
        ram: 3.5 * GB,
        otherNonPaged: Math.floor(nonPaged * 0.579) * 4096 - 15_000_000,
        otherPaged: Math.floor(paged * 0.458) * 4096 - 8_000_000,
        figures: {
          nonPagedPoolMaximum: nonPaged,
          nonPagedPoolUsage: Math.floor(nonPaged * 0.579),
          pagedPoolMaximum: paged,
          pagedPoolUsage: Math.floor(paged * 0.458),
          freeSystemPtes: 1043,
        },
        memory: { poolAllocationFailures: 48_530 },
        more: { header: { productType: 3 } },
      });
    },
  },
  {
    number: 36,
    published: 'NonPagedPool Usage 29,559,056 pages on a machine of 2,097,038 pages (Windows 7 x64)',
    concluded: 'impossible; no leak is named',
    source: 'issue thread',
    chosen: 'tags',
    answer: { kinds: ['impossible'], tags: [], culprit: null },
    scenario: () =>
      fieldMachine({
        name: 'field case 36',
        seed: 4136,
        kernel: '6.1.7601.24540',
        ram: 2_097_038 * 4096,
        figures: { nonPagedPoolUsage: 29_559_056 },
      }),
  },
];
