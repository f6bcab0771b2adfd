import { fstatSync, readSync } from 'node:fs';
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
  const header = read(fd, 0, Math.min(segmentHeaderBytes, size));
  if (header.length < segmentHeaderBytes || header.every((byte) => byte === 0)) return end;
  assertSegmentHeader(header, segmentId, path);
  end.fileBytes = segmentHeaderBytes;
  while (!end.isComplete && end.fileBytes + chunkOverheadBytes <= size) {
    const chunk = parseChunkHeader(read(fd, end.fileBytes, chunkHeaderBytes));
    if (chunk?.chunkNumber !== end.nextChunk) break;
    const bytes = chunkOverheadBytes + chunk.bodyBytes;
    if (end.fileBytes + bytes > size) break;
    const isSynced = end.recordBytes + chunk.bodyBytes <= syncedRecordBytes && chunk.kind !== chunkEnd;
    if (!isSynced && !openChunk(key, header, read(fd, end.fileBytes, bytes))) break;
    end.fileBytes += bytes;
    end.recordBytes += chunk.bodyBytes;
    end.nextChunk++;
    end.isComplete = chunk.kind === chunkEnd;
  }
  return end;
}

function read(fd: number, position: number, bytes: number): Buffer {
  const found = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const more = readSync(fd, found, length, bytes - length, position + length);
    if (more === 0) break;
    length += more;
  }
  return found.subarray(0, length);
}
