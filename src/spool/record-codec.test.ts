import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import {
  decodeRecords,
  digitBytes,
  formatBytes,
  holdBytes,
  overflowBytes,
  packetHeaderBytes,
  senderReportBytes,
  writeDigit,
  writeFormat,
  writeHold,
  writeOverflow,
  writePacketHeader,
  writeSenderReport,
} from './record-codec.ts';
import type { SpoolRecord } from './records.ts';

function encode(record: SpoolRecord): Buffer {
  const bytes = Buffer.alloc(2048);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (record.kind === 'format') writeFormat(view, 0, record);
  else if (record.kind === 'digit') writeDigit(view, 0, record);
  else if (record.kind === 'hold') writeHold(view, 0, record);
  else if (record.kind === 'overflow') writeOverflow(view, 0, record);
  else if (record.kind === 'sender-report') writeSenderReport(view, 0, record);
  else {
    const { payload, sequenceNumber, rtpTime, arrivalUs } = record;
    writePacketHeader(view, 0, payload.length, sequenceNumber, rtpTime, arrivalUs);
    bytes.set(payload, packetHeaderBytes);
    return bytes.subarray(0, packetHeaderBytes + payload.length);
  }
  const lengths = {
    format: formatBytes,
    digit: digitBytes,
    overflow: overflowBytes,
    'sender-report': senderReportBytes,
    hold: holdBytes,
  };
  return bytes.subarray(0, lengths[record.kind]);
}

const packet = (sequenceNumber: number, rtpTime: number, arrivalUs: number, bytes: number): SpoolRecord => ({
  kind: 'packet',
  sequenceNumber,
  rtpTime,
  arrivalUs,
  payload: Buffer.alloc(bytes, sequenceNumber & 0xff),
});

const records: SpoolRecord[] = [
  { kind: 'format', codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 0xffff_ffff },
  packet(0, 0, 0, 0),
  packet(65_535, 0xffff_ffff, 2 ** 48 - 1, 1472),
  packet(32_768, 0x8000_0000, 2 ** 32 - 1, 1),
  packet(1, 1, 2 ** 32, 160),
  { kind: 'digit', digit: '#', rtpTime: 0x8000_0001, arrivalUs: 36 * 3600 * 1e6 },
  { kind: 'format', codec: 'OPUS', clockRateHz: 48_000, payloadType: 111, ssrc: 1 },
  { kind: 'overflow', packets: 2 ** 32 - 1, arrivalUs: 5 },
  { kind: 'hold', held: true, arrivalUs: 2 ** 40 },
  { kind: 'hold', held: false, arrivalUs: 0 },
  { kind: 'format', codec: 'CN', clockRateHz: 8000, payloadType: 13, ssrc: 2 },
  {
    kind: 'sender-report',
    ssrc: 0xffff_fffe,
    ntpSeconds: 0xe9a1_0203,
    ntpFraction: 0x8000_0000,
    rtpTime: 0xffff_ffff,
    packetCount: 7,
    octetCount: 2 ** 32 - 1,
    arrivalUs: 2 ** 40,
  },
];

test('records come back as they went in', () => {
  assert.deepEqual([...decodeRecords(Buffer.concat(records.map(encode)))], records);
});

test('a run that is cut anywhere inside a record is refused', () => {
  const whole = Buffer.concat(records.map(encode));
  const borders = new Set<number>([0]);
  let border = 0;
  for (const record of records) borders.add((border += encode(record).length));
  for (let length = 0; length <= whole.length; length++) {
    const decode = (): SpoolRecord[] => [...decodeRecords(whole.subarray(0, length))];
    if (borders.has(length)) assert.ok(decode().length <= records.length);
    else assert.throws(decode, CallreelError);
  }
});

test('unknown kinds and codecs are refused', () => {
  assert.throws(() => [...decodeRecords(Uint8Array.of(9, 0, 0))], CallreelError);
  const format = encode(records[0]!);
  format[1] = 200;
  assert.throws(() => [...decodeRecords(format)], CallreelError);
});

test('a later kind that says its length is passed over, and more behind a known one too', () => {
  const [known] = records.slice(-1);
  const longer = Buffer.concat([encode(known!), Buffer.alloc(5, 9)]);
  longer.writeUInt16BE(longer.length - 3, 1);
  const later = Buffer.concat([Uint8Array.of(0xff, 0, 4), Buffer.alloc(4, 1)]);
  const short = Uint8Array.of(0x80, 0, 2, 1, 1);
  const run = Buffer.concat([later, encode(records[0]!), longer, short, encode(records[4]!)]);
  assert.deepEqual([...decodeRecords(run)], [records[0], known, records[4]]);
  assert.throws(() => [...decodeRecords(later.subarray(0, 6))], CallreelError);
  assert.throws(() => [...decodeRecords(later.subarray(0, 2))], CallreelError);
});
