/** The paging files: `_MMPAGING_FILE`, up to 16 of them, sizes in pages. */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { Sourced } from '../../../symbols/kernel-symbols.js';
import { count, type Count, type PageFile, type Warning } from '../../result/result.js';
import { findPagingFiles } from '../find/find-page-files.js';
import type { Found, KernelObject } from '../open/kernel-object.js';
import type { Kernel } from '../open/open-kernel.js';

const MOST_PAGE_FILES = 16;
const PAGING_FILE = '_MMPAGING_FILE';

/** Null where the number of paging files cannot be read; files that cannot be read have null sizes. */
export function readPageFiles(kernel: Kernel, warnings: Warning[]): PageFile[] | null {
  const number = numberOfFiles(kernel);
  if (failed(number) || failed(kernel.sizeOf(PAGING_FILE))) return null;
  if (number.value > MOST_PAGE_FILES) {
    warnings.push({ code: 'page-files', where: 'memory', message: `${number.value} paging files cannot be true` });
    return null;
  }
  const array = arrayOfFiles(kernel, Number(number.value));
  if (array === null) return number.value === 0n ? [] : null;
  return Array.from({ length: Number(number.value) }, (_, i) => {
    const file = kernel.objectAt(kernel.pointerAt(array, i), PAGING_FILE);
    const size = file.at('Size');
    if (failed(size)) {
      warnings.push({ code: 'page-file-unreadable', where: 'memory', message: `paging file ${i}: ${size.message}` });
      return { path: null, currentPages: null, freePages: null, minimumPages: null, maximumPages: null };
    }
    return describe(file);
  });
}

function describe(file: KernelObject): PageFile {
  const pages = (name: string): Count | null => {
    const value = file.at(name);
    return failed(value) ? null : count(value.value);
  };
  const path = file.text('PageFileName');
  return {
    path: failed(path) || path.value === '' ? null : path.value.toWellFormed(),
    currentPages: pages('Size'),
    freePages: pages('FreeSpace'),
    minimumPages: pages('MinimumSize'),
    maximumPages: pages('MaximumSize'),
  };
}

function numberOfFiles(kernel: Kernel): Found<bigint> {
  const number = kernel.object('MiSystemPartition', '_MI_PARTITION').at('Vp.NumberOfPagingFiles');
  return failed(number) && number.code === 'unknown'
    ? kernel.variable('MmNumberOfPagingFiles', 'unsigned long')
    : number;
}

/** The array of pointers to the files: where symbols tell, else found by its content. */
function arrayOfFiles(kernel: Kernel, number: number): Sourced<VirtualAddress> | null {
  const inPartition = kernel.object('MiSystemPartition', '_MI_PARTITION').placeOf('Vp.PagingFile');
  const known = failed(inPartition) ? kernel.addressOf('MmPagingFile') : inPartition;
  if (!failed(known)) return known;
  const layout = kernel.symbols?.layout(PAGING_FILE)?.value;
  if (kernel.memory === null || kernel.image === null || layout === undefined) return null;
  const found = findPagingFiles(kernel.memory, kernel.image, layout, number);
  return found === null ? null : { value: found, source: 'scan' };
}
