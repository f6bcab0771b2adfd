import { fstatSync } from 'node:fs';
import { readInto } from './files.ts';
import {
  assertSegmentHeader,
  chunkEnd,
  chunkHeaderBytes,
  chunkOverheadBytes,
  openChunk,
  parseChunkHeader,
  segmentHeaderBytes,
} from './segment.ts';

/** How far a segment's file is whole. */
export interface SegmentEnd {
  /** 0 where not even its header is. */
  fileBytes: number;
  /** Of the records in it. */
  recordBytes: number;
  nextChunk: number;
  /** It has its final marker. */
  isComplete: boolean;
}

/**
 * Follows the chunks of a segment to the end of the last that is whole.
 * @param syncedRecordBytes so much of its records was on the disk for certain: chunks before that are not opened
 * @throws CallreelError SPOOL_CORRUPT when the file is another's
 */
export function findSegmentEnd(
  fd: number,
  path: string,
  segmentId: string,
  key: Uint8Array,
  syncedRecordBytes: number,
): SegmentEnd {
  const end: SegmentEnd = { fileBytes: 0, recordBytes: 0, nextChunk: 0, isComplete: false };
  const { size } = fstatSync(fd);
  const header = readInto(Buffer.alloc(Math.min(segmentHeaderBytes, size)), fd, 0);
  if (header.length < segmentHeaderBytes || header.every((byte) => byte === 0)) return end;
  assertSegmentHeader(header, segmentId, path);
  end.fileBytes = segmentHeaderBytes;
  while (!end.isComplete && end.fileBytes + chunkOverheadBytes <= size) {
    const chunk = parseChunkHeader(readInto(Buffer.alloc(chunkHeaderBytes), fd, end.fileBytes));
    if (chunk?.chunkNumber !== end.nextChunk) break;
    const bytes = chunkOverheadBytes + chunk.bodyBytes;
    if (end.fileBytes + bytes > size) break;
    const isSynced = end.recordBytes + chunk.bodyBytes <= syncedRecordBytes && chunk.kind !== chunkEnd;
    if (!isSynced && !openChunk(key, header, readInto(Buffer.alloc(bytes), fd, end.fileBytes))) break;
    end.fileBytes += bytes;
    end.recordBytes += chunk.bodyBytes;
    end.nextChunk++;
    end.isComplete = chunk.kind === chunkEnd;
  }
  return end;
}
