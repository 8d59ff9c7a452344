/** The paging files: `_MMPAGING_FILE`, up to 16 of them, sizes in pages. */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { field, readScalar, readUnicodeString } from '../../../parsers/kernel/structures.js';
import { resolvePath } from '../../../symbols/paths.js';
import { count, type Count, type PageFile, type Warning } from '../../result/result.js';
import { findPagingFiles } from '../find/find-page-files.js';
import type { Kernel } from '../open/open-kernel.js';

const MOST_PAGE_FILES = 16;

/** Null where the number of paging files cannot be read; files that cannot be read have null sizes. */
export function readPageFiles(kernel: Kernel, warnings: Warning[]): PageFile[] | null {
  const { memory, symbols } = kernel;
  if (memory === null || symbols === null) return null;
  const places = placesOfFiles(kernel);
  const layout = symbols.layout('_MMPAGING_FILE')?.value;
  if (places === null || layout === undefined) return null;
  const number = readScalar(memory, places.count, 'unsigned long');
  if (failed(number)) return null;
  if (number > MOST_PAGE_FILES) {
    warnings.push({ code: 'page-files', where: 'memory', message: `${number} paging files cannot be true` });
    return null;
  }
  const array =
    places.array ?? (kernel.image === null ? null : findPagingFiles(memory, kernel.image, layout, Number(number)));
  if (array === null) return number === 0n ? [] : null;
  const files: PageFile[] = [];
  for (let i = 0; i < Number(number); i++) {
    const pointer = memory.readPointer(plus(array, i * memory.pointerSize));
    const bytes = failed(pointer) ? pointer : memory.read(pointer, layout.size);
    if (failed(bytes)) {
      warnings.push({ code: 'page-file-unreadable', where: 'memory', message: `paging file ${i}: ${bytes.message}` });
      files.push({ path: null, currentPages: null, freePages: null, minimumPages: null, maximumPages: null });
      continue;
    }
    const pages = (name: string): Count | null => {
      const value = field(bytes, layout, name, memory.pointerSize);
      return value === null ? null : count(value);
    };
    const name = layout.fields['PageFileName'];
    const path = name === undefined ? null : readUnicodeString(memory, bytes, name.offset);
    files.push({
      path: path === null || failed(path) || path === '' ? null : path.toWellFormed(),
      currentPages: pages('Size'),
      freePages: pages('FreeSpace'),
      minimumPages: pages('MinimumSize'),
      maximumPages: pages('MaximumSize'),
    });
  }
  return files;
}

/** The number of files, and the array of pointers to them where symbols tell. */
function placesOfFiles(kernel: Kernel): { count: VirtualAddress; array: VirtualAddress | null } | null {
  const { symbols } = kernel;
  if (symbols === null) return null;
  const partition = symbols.address('MiSystemPartition')?.value;
  const inPartition = (path: string): VirtualAddress | null => {
    const place = resolvePath(symbols, '_MI_PARTITION', path);
    return partition === undefined || place === null ? null : plus(partition, place.offset);
  };
  const number = inPartition('Vp.NumberOfPagingFiles') ?? symbols.address('MmNumberOfPagingFiles')?.value;
  const array = inPartition('Vp.PagingFile') ?? symbols.address('MmPagingFile')?.value;
  return number === undefined ? null : { count: virtual(number), array: array === undefined ? null : virtual(array) };
}
