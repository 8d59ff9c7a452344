/** What a walk of heaps met beside blocks: the sizes of what is missing and the number of things that are damaged. */

export interface HeapCounts {
  /** Segments walked, of those that the heap counts itself. */
  segments: number;
  segmentsExpected: number;
  /** Segments whose first page, with the descriptors, is missing: nothing of them is known. */
  segmentsMissing: number;
  /** Entries of segment lists that are no segment of this heap. */
  segmentsCorrupt: number;
  /** Lists of segments that ended before they came round, from either side: segments may be missing. */
  listsBroken: number;
  /** Ranges of each kind, and descriptors that cannot be. */
  lfhSubsegments: number;
  vsSubsegments: number;
  /** Of the LFH subsegments, those in the private format of 26100: read like the others, which is not proven on any data. */
  lfhPrivate: number;
  pageRuns: number;
  descriptorsCorrupt: number;
  /** Subsegments whose header is missing, or does not decode. */
  subsegmentsMissing: number;
  subsegmentsCorrupt: number;
  /** Headers of chunks that do not hold. */
  chunksCorrupt: number;
  /** Bytes of VS subsegments of which no chunk tells (damage). */
  bytesLost: number;
  /** Bytes of missing pages in VS and LFH subsegments, and bytes that such pages make unknowable. */
  bytesMissing: number;
  /** Blocks that are in use or wait to be freed, which of these nothing tells: a list of freed blocks broke. */
  delayFreeUnresolved: number;
  /** Blocks told apart as freed but kept by the allocator. */
  cached: number;
  /** Large allocations, and nodes of their tree that are missing or cannot be. */
  large: number;
  largeCorrupt: number;
  /** Pages of large allocations by their nodes, and by the heap's own counter; null where that could not be read. */
  largePages: number;
  largeCommittedPages: number | null;
}

export const heapCounts = (): HeapCounts => ({
  segments: 0,
  segmentsExpected: 0,
  segmentsMissing: 0,
  segmentsCorrupt: 0,
  listsBroken: 0,
  lfhSubsegments: 0,
  vsSubsegments: 0,
  lfhPrivate: 0,
  pageRuns: 0,
  descriptorsCorrupt: 0,
  subsegmentsMissing: 0,
  subsegmentsCorrupt: 0,
  chunksCorrupt: 0,
  bytesLost: 0,
  bytesMissing: 0,
  delayFreeUnresolved: 0,
  cached: 0,
  large: 0,
  largeCorrupt: 0,
  largePages: 0,
  largeCommittedPages: null,
});
