import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FormatRecord } from '../spool/records.ts';
import { concealableSamples, type SequencedPacket } from './loss.ts';

const format: FormatRecord = { kind: 'format', codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 };

function packet(fields: Partial<SequencedPacket> = {}): SequencedPacket {
  return {
    format,
    sequenceNumber: 100,
    rtpTime: 16_000,
    durationTicks: 160,
    atSample: 8000,
    durationSamples: 160,
    ...fields,
  };
}

/** So many packets of 20 ms behind `packet()`, of which all between are missing. */
function later(packets: number, fields: Partial<SequencedPacket> = {}): SequencedPacket {
  return packet({
    sequenceNumber: 100 + packets,
    rtpTime: 16_000 + packets * 160,
    atSample: 8000 + packets * 160,
    ...fields,
  });
}

test('one to three lost packets of 20 ms', () => {
  assert.equal(concealableSamples(packet(), later(1), 8000), 0);
  for (const lost of [1, 2, 3]) assert.equal(concealableSamples(packet(), later(lost + 1), 8000), lost * 160);
  assert.equal(concealableSamples(packet(), later(5), 8000), 0);
});

test('across the wraps of sequence number and timestamp', () => {
  for (const sequenceNumber of [0, 1, 32_767, 32_768, 65_534, 65_535])
    for (const rtpTime of [0, 0x7fff_ffff, 0xffff_ff80, 0xffff_ffff]) {
      const previous = packet({ sequenceNumber, rtpTime });
      const next = later(3, {
        sequenceNumber: (sequenceNumber + 3) & 0xffff,
        rtpTime: (rtpTime + 480) >>> 0,
      });
      assert.equal(concealableSamples(previous, next, 8000), 320);
    }
});

test('packets that change their length at the loss', () => {
  const next = packet({ sequenceNumber: 102, rtpTime: 16_000 + 480, atSample: 8480, durationTicks: 320 });
  assert.equal(concealableSamples(packet(), next, 8000), 320);
});

describe('no loss', () => {
  test('a pause: time without numbers', () => {
    assert.equal(concealableSamples(packet(), later(3, { sequenceNumber: 101 }), 8000), 0);
  });

  test('numbers without time, or with other time: comfort noise, telephone-events', () => {
    assert.equal(concealableSamples(packet(), later(1, { sequenceNumber: 104 }), 8000), 0);
    assert.equal(concealableSamples(packet(), later(3, { sequenceNumber: 102 }), 8000), 0);
    assert.equal(concealableSamples(packet(), later(3, { sequenceNumber: 106 }), 8000), 0);
  });

  test('another source or codec, and a place that arrival decided', () => {
    assert.equal(concealableSamples(packet(), later(2, { format: { ...format, ssrc: 2 } }), 8000), 0);
    assert.equal(concealableSamples(packet(), later(2, { format: { ...format, codec: 'PCMA' } }), 8000), 0);
    assert.equal(concealableSamples(packet(), later(2, { atSample: 8000 + 3 * 160 }), 8000), 0);
    assert.equal(concealableSamples(packet(), later(2, { format: { ...format } }), 8000), 160);
  });
});
