import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecords, packetHeaderBytes, writeHold, writePacketHeader } from './record-codec.ts';
import { RecordCursor } from './record-cursor.ts';
import type { PacketRecord } from './records.ts';

interface Sent {
  sequenceNumber: number;
  rtpTime: number;
  arrivalUs: number;
  bytes: number;
}

/** Packets, and a hold in place of each undefined. */
function recordsOf(sent: readonly (Sent | undefined)[]): Uint8Array {
  const bytes = new Uint8Array(10_000);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, packet] of sent.entries()) {
    if (!packet) {
      writeHold(view, at, { held: true, arrivalUs: 0 });
      at += 10;
      continue;
    }
    const { sequenceNumber, rtpTime, arrivalUs } = packet;
    writePacketHeader(view, at, packet.bytes, sequenceNumber, rtpTime, arrivalUs);
    at += packetHeaderBytes;
    bytes.fill(index + 1, at, (at += packet.bytes));
  }
  return bytes.subarray(0, at);
}

/** @returns how many packets were together, 1 for each alone; all are what `decodeRecords` says they are */
function togetherOf(bytes: Uint8Array, untilUs = Number.POSITIVE_INFINITY): number[] {
  const expected = [...decodeRecords(bytes)].filter(
    (record): record is PacketRecord => record.kind === 'packet',
  );
  const cursor = new RecordCursor(bytes);
  const found: Omit<PacketRecord, 'kind'>[] = [];
  const together: number[] = [];
  while (!cursor.isDone) {
    const series = cursor.peekSeries(untilUs);
    const record = series ? undefined : cursor.peek();
    cursor.advance();
    for (let index = 0; series && index < series.count; index++) {
      const sequenceNumber = (series.sequenceNumber + index) & 0xffff;
      const rtpTime = (series.rtpTime + index * series.payloadBytes) >>> 0;
      const arrivalUs = series.arrivalUs(index);
      found.push({ sequenceNumber, rtpTime, arrivalUs, payload: series.payload(index) });
    }
    if (record?.kind === 'packet') found.push({ ...record });
    if (series)
      assert.equal(series.newestUs, Math.max(...found.slice(-series.count).map((each) => each.arrivalUs)));
    if (series || record?.kind === 'packet') together.push(series?.count ?? 1);
  }
  const plain = ({ sequenceNumber, rtpTime, arrivalUs, payload }: Omit<PacketRecord, 'kind'>) => [
    ...[sequenceNumber, rtpTime, arrivalUs],
    ...payload,
  ];
  assert.deepEqual(found.map(plain), expected.map(plain));
  return together;
}

const sent = (index: number, change: Partial<Sent> = {}): Sent => ({
  sequenceNumber: (65_533 + index) & 0xffff,
  rtpTime: (2 ** 32 - 320 + index * 160) >>> 0,
  arrivalUs: 2 ** 33 + index * 20_000,
  bytes: 160,
  ...change,
});
const ten = Array.from({ length: 10 }, (_, index) => sent(index));

test('packets that follow one another are one series, over the borders of their numbers and times', () => {
  assert.deepEqual(togetherOf(recordsOf(ten)), [10]);
});

test('whatever does not follow ends it', () => {
  const changes: Partial<Sent>[] = [{ sequenceNumber: 9 }, { rtpTime: 9 }, { bytes: 80 }, { bytes: 0 }];
  for (const change of changes) {
    const [first = 0, ...rest] = togetherOf(recordsOf(ten.with(6, sent(6, change))));
    assert.equal(first, 6, JSON.stringify(change));
    assert.equal(
      rest.reduce((sum, count) => sum + count, 0),
      4,
    );
  }
  assert.deepEqual(togetherOf(recordsOf(ten.with(6, sent(5)))), [6, 1, 3]);
  assert.deepEqual(togetherOf(recordsOf([...ten.slice(0, 5), undefined, ...ten.slice(5)])), [5, 5]);
  assert.deepEqual(togetherOf(recordsOf(ten.slice(0, 2))), [1, 1]);
  assert.deepEqual(
    togetherOf(recordsOf(ten.map((packet) => ({ ...packet, bytes: 0 })))),
    ten.map(() => 1),
  );
});

test('what arrived too late for it is left, and so is what is behind it', () => {
  const cursor = new RecordCursor(recordsOf(ten.with(4, sent(4, { arrivalUs: 2 ** 33 + 500_000 }))));
  assert.equal(cursor.peekSeries(2 ** 33 + 300_000)?.count, 4);
  cursor.advance();
  assert.equal(cursor.peekSeries(2 ** 33 + 300_000), undefined);
  assert.equal(cursor.peekSeries(2 ** 33 + 600_000)?.count, 6);
});

test('a record that is cut off is for others to tell of', () => {
  const bytes = recordsOf(ten);
  const cursor = new RecordCursor(bytes.subarray(0, bytes.length - 1));
  assert.equal(cursor.peekSeries(Number.POSITIVE_INFINITY)?.count, 9);
  cursor.advance();
  assert.equal(cursor.peekSeries(Number.POSITIVE_INFINITY), undefined);
  assert.throws(() => cursor.peek(), { code: 'SPOOL_CORRUPT' });
});
