/**
 * Writes the memory figures where each generation keeps them: plain `Mm*` globals up to Windows 8.1, members of `MiState`
 * and `MiSystemPartition` from Windows 10 on; pool descriptors as long as there are any; page files.
 */

import type { Va } from '../bytes.js';
import { offsetOf, rvaOf, structOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import { hasDescriptors, type Figures } from './memory-figures.js';
import { PAGE } from '../physical-memory.js';
import type { MemoryField, Truth } from '../truth.js';

export class MemoryCounters {
  /** Fields that this kernel has, as written. */
  readonly written: Partial<Record<MemoryField, number>> = {};

  constructor(
    private readonly space: KernelSpace,
    private readonly kernel: KernelFacts,
    private readonly base: Va,
    private readonly figures: Figures,
    private readonly invalidPteMask: bigint,
  ) {}

  write(): void {
    if ('_MI_SYSTEM_INFORMATION' in this.kernel.structs) {
      this.writeState();
      this.writePartition();
    } else {
      this.writeGlobals();
    }
    this.global('MmSizeOfPagedPoolInBytes', this.figures.pages.pagedPoolMaximum * PAGE, 'pagedPoolMaximum');
    if (hasDescriptors(this.kernel)) this.writeDescriptors();
    const failures = this.kernel.rva['ExPoolFailures'];
    if (failures !== undefined) this.space.u32(this.base + failures, this.figures.failures);
  }

  /** What the truth says: null for figures that this kernel keeps nowhere. */
  truth(
    hasSessions: boolean,
  ): Pick<Truth, 'memory' | 'pagedPools' | 'nonPagedPools' | 'pageFiles' | 'poolAllocationFailures'> {
    const memory = Object.fromEntries(
      Object.keys(this.figures.pages).map((field) => [field, this.written[field as MemoryField] ?? null]),
    ) as Record<MemoryField, number | null>;
    memory.sessionCommit = hasSessions && this.space.width === 8 ? this.figures.pages.sessionCommit : null;
    // The dump header counts RAM too.
    memory.physicalMemory ??= this.figures.pages.physicalMemory;
    const descriptors = hasDescriptors(this.kernel);
    const nx = this.kernel.build >= 9200;
    return {
      memory,
      pagedPools: descriptors ? this.figures.pagedPools : null,
      nonPagedPools:
        descriptors && this.showsNx()
          ? this.figures.nonPagedPools.map((pool, node) => ({
              node,
              pages: pool.pages,
              nxPages: nx ? pool.nxPages : null,
            }))
          : null,
      pageFiles: this.knowsPageFiles() ? this.figures.pageFiles : null,
      poolAllocationFailures: this.kernel.rva['ExPoolFailures'] === undefined ? null : this.figures.failures,
    };
  }

  private knowsPageFiles(): boolean {
    const { rva, structs } = this.kernel;
    return '_MMPAGING_FILE' in structs && ('MmPagingFile' in rva || 'MiSystemPartition' in rva);
  }

  private writeGlobals(): void {
    const { pages } = this.figures;
    const figure = (symbol: string, field: MemoryField): void => {
      this.global(symbol, pages[field], field);
    };
    figure('MmNumberOfPhysicalPages', 'physicalMemory');
    figure('MmAvailablePages', 'availablePages');
    figure('MmResidentAvailablePages', 'residentAvailablePages');
    figure('MmTotalPagesForPagingFile', 'modifiedPageFilePages');
    figure('MmSharedCommit', 'sharedCommit');
    figure('MmSpecialPagesInUse', 'specialPool');
    figure('MmProcessCommit', 'sharedProcess');
    figure('MmPagedPoolCommit', 'pagedPoolCommit');
    figure('MmTotalCommittedPages', 'committedPages');
    figure('MmTotalCommitLimit', 'commitLimit');
    figure('MmPeakCommitment', 'peakCommitment');
    figure('MmMaximumNonPagedPoolInPages', 'nonPagedPoolMaximum');
    this.global('MmTotalCommitLimitMaximum', pages.commitLimit * 2);
    this.global('MmMaximumNonPagedPoolInBytes', pages.nonPagedPoolMaximum * PAGE, 'nonPagedPoolMaximum');
    this.global('MmSizeOfNonPagedPoolInBytes', pages.nonPagedPoolMaximum * PAGE);
    if ('MmAllocatedNonPagedPool' in this.kernel.rva) {
      this.global('MmAllocatedNonPagedPool', pages.nonPagedPoolUsage, 'nonPagedPoolUsage');
    }
    const driverCommit = this.kernel.rva['MmDriverCommit'];
    if (driverCommit !== undefined) {
      this.space.u32(this.base + driverCommit, pages.driverCommit);
      this.written.driverCommit = pages.driverCommit;
    }
    this.list('MmZeroedPageListHead', 'zeroedPages');
    this.list('MmFreePageListHead', 'freePages');
    this.list('MmStandbyPageListHead', 'standbyPages');
    this.list('MmModifiedPageListHead', 'modifiedPages');
    this.list('MmModifiedNoWritePageListHead', 'modifiedNoWritePages');
    if (this.figures.parts.mdlPages !== undefined) this.global('MmMdlPagesAllocated', this.figures.parts.mdlPages);
    const at = (symbol: string, write: (address: Va) => void): void => {
      const rva = this.kernel.rva[symbol];
      if (rva !== undefined) write(this.base + rva);
    };
    at('MmStandbyPageListByPriority', (a) => {
      this.byPriority(a);
    });
    at('MmPagedPoolInfo', (a) => {
      if ('_MM_PAGED_POOL_INFO' in this.kernel.structs) this.pagedPoolInfo(a);
    });
    at('MiSystemPteInfo', (a) => {
      this.systemPtes(a);
    });
    at('MmNumberOfPagingFiles', (a) => {
      this.space.u32(a, this.figures.pageFiles.length);
    });
    at('MmPagingFile', (a) => {
      if ('_MMPAGING_FILE' in this.kernel.structs) this.pageFiles(a);
    });
  }

  /** Memory in no pool, where this kernel counts it: members of a structure, by the name that it has there. */
  private writeParts(at: Va, type: string, names: Readonly<Record<string, keyof Figures['parts']>>): void {
    for (const [name, part] of Object.entries(names)) {
      const offset = structOf(this.kernel, type).fields[name];
      const pages = this.figures.parts[part];
      if (offset !== undefined && pages !== undefined) this.space.word(at + offset, pages);
    }
  }

  private writeState(): void {
    const { pages } = this.figures;
    const state = this.base + rvaOf(this.kernel, 'MiState');
    const pools = state + offsetOf(this.kernel, '_MI_SYSTEM_INFORMATION', 'Pools');
    const visible = state + offsetOf(this.kernel, '_MI_SYSTEM_INFORMATION', 'Vs');
    const hardware = state + offsetOf(this.kernel, '_MI_SYSTEM_INFORMATION', 'Hardware');
    const mask = structOf(this.kernel, '_MI_HARDWARE_STATE').fields['InvalidPteMask'];
    if (mask !== undefined) this.space.u64(hardware + mask, this.invalidPteMask);
    this.space.word(pools + offsetOf(this.kernel, '_MI_POOL_STATE', 'AllocatedNonPagedPool'), pages.nonPagedPoolUsage);
    this.written.nonPagedPoolUsage = pages.nonPagedPoolUsage;
    const vs = (name: string, field: MemoryField): void => {
      this.member(visible, '_MI_VISIBLE_STATE', name, field);
    };
    vs('MaximumNonPagedPoolInPages', 'nonPagedPoolMaximum');
    vs('SizeOfPagedPoolInPages', 'pagedPoolMaximum');
    vs('NonPagedPoolCommit', 'nonPagedPoolCommit');
    vs('SpecialPagesInUse', 'specialPool');
    vs('ProcessCommit', 'sharedProcess');
    vs('SharedCommit', 'sharedCommit');
    this.space.u32(visible + offsetOf(this.kernel, '_MI_VISIBLE_STATE', 'DriverCommit'), pages.driverCommit);
    this.written.driverCommit = pages.driverCommit;
    const levels = structOf(this.kernel, '_MI_VISIBLE_STATE').fields['PagingLevels'];
    if (levels !== undefined) this.space.write(visible + levels, Uint8Array.of(4));
    this.writeParts(visible, '_MI_VISIBLE_STATE', {
      ...{ MdlPagesAllocated: 'mdlPages', SystemPageTableCommit: 'systemPageTables' },
      ...{ PfnDatabaseCommit: 'pageFrames', BootCommit: 'bootPages' },
    });
    this.pagedPoolInfo(visible + offsetOf(this.kernel, '_MI_VISIBLE_STATE', 'PagedPoolInfo'));
    this.systemPtes(visible + offsetOf(this.kernel, '_MI_VISIBLE_STATE', 'SystemPteInfo'));
  }

  private writePartition(): void {
    const { pages } = this.figures;
    const partition = this.base + rvaOf(this.kernel, 'MiSystemPartition');
    const visible = partition + offsetOf(this.kernel, '_MI_PARTITION', 'Vp');
    const commit = partition + offsetOf(this.kernel, '_MI_PARTITION', 'Commit');
    const lists = partition + offsetOf(this.kernel, '_MI_PARTITION', 'PageLists');
    const vp = (name: string, field: MemoryField): void => {
      this.member(visible, '_MI_VISIBLE_PARTITION', name, field);
    };
    vp('NumberOfPhysicalPages', 'physicalMemory');
    vp('AvailablePages', 'availablePages');
    vp('ResidentAvailablePages', 'residentAvailablePages');
    vp('TotalCommittedPages', 'committedPages');
    vp('TotalCommitLimit', 'commitLimit');
    vp('SharedCommit', 'sharedCommit');
    vp('TotalPagesForPagingFile', 'modifiedPageFilePages');
    vp('ModifiedPageListHead', 'modifiedPages');
    vp('ModifiedNoWritePageListHead', 'modifiedNoWritePages');
    this.writeParts(visible, '_MI_VISIBLE_PARTITION', { VadPhysicalPages: 'awePages' });
    this.member(commit, '_MI_PARTITION_COMMIT', 'PeakCommitment', 'peakCommitment');
    this.space.word(
      commit + offsetOf(this.kernel, '_MI_PARTITION_COMMIT', 'TotalCommitLimitMaximum'),
      pages.commitLimit * 2,
    );
    const list = (name: string, field: MemoryField): void => {
      this.member(lists, '_MI_PARTITION_PAGE_LISTS', name, field);
    };
    list('ZeroedPageListHead', 'zeroedPages');
    list('FreePageListHead', 'freePages');
    list('StandbyPageListHead', 'standbyPages');
    this.byPriority(lists + offsetOf(this.kernel, '_MI_PARTITION_PAGE_LISTS', 'StandbyPageListByPriority'));
    this.space.u32(
      visible + offsetOf(this.kernel, '_MI_VISIBLE_PARTITION', 'NumberOfPagingFiles'),
      this.figures.pageFiles.length,
    );
    this.pageFiles(visible + offsetOf(this.kernel, '_MI_VISIBLE_PARTITION', 'PagingFile'));
  }

  /** The pool that cannot be executed is counted apart where a reader finds it. */
  private showsNx(): boolean {
    return this.kernel.build < 9200 || 'ExpNonPagedPoolDescriptor' in this.kernel.rva;
  }

  private global(symbol: string, value: number, field?: MemoryField): void {
    const rva = this.kernel.rva[symbol];
    if (rva === undefined) return;
    this.space.word(this.base + rva, value);
    if (field) this.written[field] = this.figures.pages[field];
  }

  private list(symbol: string, field: MemoryField): void {
    this.global(symbol, this.figures.pages[field], field);
  }

  private member(at: Va, type: string, name: string, field: MemoryField): void {
    const offset = structOf(this.kernel, type).fields[name];
    if (offset === undefined) return;
    this.space.word(at + offset, this.figures.pages[field]);
    this.written[field] = this.figures.pages[field];
  }

  private byPriority(at: Va): void {
    const { size } = structOf(this.kernel, '_MMPFNLIST');
    let left = this.figures.pages.standbyPages;
    for (let priority = 0; priority < 8; priority++) {
      const part = priority === 7 ? left : Math.floor(left / 3);
      left -= part;
      this.space.word(at + priority * size, part);
      this.space.u32(at + priority * size + 8, 2);
    }
  }

  private pagedPoolInfo(at: Va): void {
    const { fields } = structOf(this.kernel, '_MM_PAGED_POOL_INFO');
    const { pages } = this.figures;
    this.space.word(at + (fields['AllocatedPagedPool'] ?? 0), pages.pagedPoolUsage);
    this.written.pagedPoolUsage = pages.pagedPoolUsage;
    if (fields['MaximumSize'] !== undefined) this.space.word(at + fields['MaximumSize'], pages.pagedPoolMaximum);
    if (fields['PagedPoolCommit'] !== undefined) this.space.word(at + fields['PagedPoolCommit'], pages.pagedPoolCommit);
  }

  /** Free system PTEs; a 32-bit number in Windows 7. */
  private systemPtes(at: Va): void {
    const { fields } = structOf(this.kernel, '_MI_SYSTEM_PTE_TYPE');
    const free = fields['TotalFreeSystemPtes'] ?? 0;
    const all = fields['TotalSystemPtes'] ?? 0;
    const { freeSystemPtes } = this.figures.pages;
    if (this.kernel.build <= 7601) {
      this.space.u32(at + free, freeSystemPtes);
      this.space.u32(at + all, freeSystemPtes + 21077);
    } else {
      this.space.word(at + free, freeSystemPtes);
      this.space.word(at + all, freeSystemPtes + 967296);
    }
    this.space.u32(at + (fields['PteFailures'] ?? 0), freeSystemPtes < 1000 ? 3567 : 0);
    this.written.freeSystemPtes = freeSystemPtes;
  }

  private pageFiles(array: Va): void {
    const { size, fields } = structOf(this.kernel, '_MMPAGING_FILE');
    this.figures.pageFiles.forEach((file, i) => {
      const at = this.space.allocate('nonPagedPool', size);
      this.space.word(at + (fields['Size'] ?? 0), file.currentPages);
      this.space.word(at + (fields['MaximumSize'] ?? 0), file.maximumPages);
      this.space.word(at + (fields['MinimumSize'] ?? 0), file.minimumPages);
      this.space.word(at + (fields['FreeSpace'] ?? 0), file.freePages);
      this.space.word(at + (fields['PeakUsage'] ?? 0), file.currentPages - file.freePages);
      this.space.unicode(at + (fields['PageFileName'] ?? 0), file.path);
      this.space.pointer(array + i * this.space.width, at);
    });
  }

  private writeDescriptors(): void {
    const nx = this.kernel.build >= 9200;
    const { size } = structOf(this.kernel, '_POOL_DESCRIPTOR');
    const first = this.base + rvaOf(this.kernel, 'NonPagedPoolDescriptor');
    const array = this.kernel.rva['ExpNonPagedPoolDescriptor'];
    let count = 0;
    this.figures.nonPagedPools.forEach((pool, node) => {
      const kinds: [number, number][] = nx ? [[0, pool.pages], [0x200, pool.nxPages]] : [[0, pool.pages]]; // prettier-ignore
      for (const [type, pages] of kinds) {
        const at = count === 0 ? first : this.space.allocate('nonPagedPool', size, 64);
        this.descriptor(at, type, node, pages);
        if (array !== undefined) this.space.pointer(this.base + array + count * this.space.width, at);
        count++;
      }
    });
    const counter = this.kernel.rva['ExpNumberOfNonPagedPools'];
    if (counter !== undefined) this.space.u32(this.base + counter, count);
    if (nx && array !== undefined) this.written.nonPagedPoolNxUsage = this.figures.pages.nonPagedPoolNxUsage;
    const paged = this.base + rvaOf(this.kernel, 'ExpPagedPoolDescriptor');
    this.figures.pagedPools.forEach((pages, i) => {
      const at = this.space.allocate('nonPagedPool', size, 64);
      this.descriptor(at, 1, i, pages);
      this.space.pointer(paged + i * this.space.width, at);
    });
    this.space.u32(this.base + rvaOf(this.kernel, 'ExpNumberOfPagedPools'), this.figures.pagedPools.length - 1);
    this.written.pagedPoolUsage ??= this.figures.pages.pagedPoolUsage;
    const vector = this.kernel.rva['PoolVector'];
    if (vector !== undefined) this.space.pointer(this.base + vector, first);
  }

  /** Pages split into small and big allocations; newer builds count what was ever allocated and freed. */
  private descriptor(at: Va, type: number, index: number, pages: number): void {
    const { fields } = structOf(this.kernel, '_POOL_DESCRIPTOR');
    const big = Math.floor(pages / 3);
    const put32 = (name: string, value: number): void => {
      if (fields[name] !== undefined) this.space.u32(at + fields[name], value);
    };
    const put64 = (name: string, value: number): void => {
      if (fields[name] !== undefined) this.space.word(at + fields[name], value);
    };
    put32('PoolType', type);
    put32('PoolTypeCopy', type);
    put32('PoolIndex', index);
    put32('RunningAllocs', pages * 5);
    put32('RunningDeAllocs', pages);
    put32('RunningDeallocs', pages);
    put32('TotalPages', pages - big);
    put32('TotalBigPages', big);
    put64('TotalBytes', pages * PAGE);
    put64('PagesAllocated', pages - big + 7000);
    put64('PagesDeallocated', 7000);
    put64('BigPagesAllocated', big + 90000);
    put64('BigPagesDeallocated', 90000);
    put64('BytesAllocated', (pages + 97000) * PAGE);
    put64('BytesDeallocated', 97000 * PAGE);
  }
}
