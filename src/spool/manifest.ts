import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { CallreelError } from '../errors.ts';
import { lineCrcBytes } from './manifest-line.ts';
import { endReasons, type ManifestRecord, noticeOutcomes, pauseBehaviours } from './records.ts';

/** A recording of many hours with a pause a second stays far below. */
export const maxManifestBytes = 64 * 1024 * 1024;

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const sample = z.int().min(0);
const count = z.int().min(0);
const party = z.object({
  connectionId: z.string(),
  from: z.string(),
  to: z.string(),
  direction: z.enum(['incoming', 'outgoing']),
  role: z.enum(['participant', 'caller', 'agent']),
});

const manifestRecord = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('header'),
    version: z.literal(1),
    recordingId: id,
    conversationId: id,
    accountId: z.string(),
    rateHz: z.int().min(1000).max(192_000),
    originUnixMs: z.int(),
    startSample: sample,
    sealedKey: z.string(),
    waitsFor: z.enum(['beep', 'consent']).optional(),
    direction: z.enum(['speak', 'listen']).optional(),
    meta: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal('begin'), atSample: sample }),
  z.object({
    type: z.literal('notice'),
    connectionId: z.string(),
    atSample: sample,
    playedMs: count,
    lengthMs: count,
    outcome: z.enum(noticeOutcomes),
    reason: z.string().optional(),
  }),
  z.object({
    type: z.literal('consent'),
    atSample: sample,
    connectionIds: z.array(z.string()),
    method: z.string(),
    who: z.string(),
  }),
  z.object({
    type: z.literal('clip'),
    segmentId: z.string().regex(/^[0-9a-f]{16}$/),
    party,
    startSample: sample,
    endSample: sample,
    wrappedKey: z.string(),
  }),
  z.object({
    type: z.literal('track'),
    trackId: z.string(),
    startSample: sample,
    party,
    side: z.enum(['said', 'heard']).optional(),
  }),
  z.object({
    type: z.literal('segment'),
    segmentId: z.string().regex(/^[0-9a-f]{16}$/),
    trackId: z.string(),
    startSample: sample,
    wrappedKey: z.string(),
  }),
  z.object({
    type: z.literal('track-end'),
    trackId: z.string(),
    endSample: sample,
    packets: count,
    overflowPackets: count,
  }),
  z.object({ type: z.literal('pause'), atSample: sample, behaviour: z.enum(pauseBehaviours) }),
  z.object({ type: z.literal('resume'), atSample: sample }),
  z.object({ type: z.literal('alive'), atSample: sample }),
  z.object({
    type: z.literal('end'),
    atSample: sample,
    endedUnixMs: z.int(),
    reason: z.enum(endReasons),
    digit: z.string().max(1).optional(),
    trim: z.object({ fromSample: sample, toSample: sample }).optional(),
  }),
]);

export interface DecodedManifest {
  records: ManifestRecord[];
  /** Bytes up to the end of the last whole line; what follows is a torn tail. */
  goodBytes: number;
}

function decodeLine(line: Buffer): ManifestRecord | undefined {
  const jsonBytes = line.length - lineCrcBytes;
  if (jsonBytes < 2) return undefined;
  const json = line.subarray(0, jsonBytes);
  const crc = line.toString('latin1', jsonBytes);
  if (crc !== ` ${crc32(json).toString(16).padStart(8, '0')}`) return undefined;
  return manifestRecord.parse(JSON.parse(json.toString()));
}

/**
 * A bad last line is a torn tail and left out; a bad line before others is damage.
 * @param known what it was before it grew
 * @throws CallreelError SPOOL_CORRUPT
 */
export function decodeManifest(bytes: Buffer, where: string, known?: DecodedManifest): DecodedManifest {
  const records: ManifestRecord[] = known ? [...known.records] : [];
  let offset = known?.goodBytes ?? 0;
  while (offset < bytes.length) {
    const newline = bytes.indexOf(0x0a, offset);
    if (newline < 0) break;
    let record: ManifestRecord | undefined;
    try {
      record = decodeLine(bytes.subarray(offset, newline));
    } catch (cause) {
      throw corrupt('a manifest line is of an unknown form', where, offset, cause);
    }
    if (!record) {
      if (newline + 1 === bytes.length) break;
      throw corrupt('a manifest line is damaged', where, offset);
    }
    if ((record.type === 'header') !== (offset === 0))
      throw corrupt('a manifest has one header, at its beginning', where, offset);
    records.push(record);
    offset = newline + 1;
  }
  return { records, goodBytes: offset };
}

function corrupt(message: string, path: string, offset: number, cause?: unknown): CallreelError {
  return new CallreelError('SPOOL_CORRUPT', message, { where: `${path}+${offset}`, cause });
}
