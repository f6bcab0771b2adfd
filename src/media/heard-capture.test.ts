import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { CapturedPacket } from './capture-sink.ts';
import { HeardCapture } from './heard-capture.ts';

const header = { marker: false, payloadType: 8, sequenceNumber: 7, timestamp: 4711, ssrc: 99 };
const pcma = { codec: 'PCMA', clockRateHz: 8000 } as const;
const slotAtUs = 5_000_000;
const nowUs = 5_003_000;

let packets: CapturedPacket[];
let heard: HeardCapture;

beforeEach(() => {
  packets = [];
  heard = new HeardCapture({
    nowUs: () => nowUs,
    packet: (packet) => packets.push({ ...packet, payload: Uint8Array.from(packet.payload) }),
  });
});

describe('HeardCapture', () => {
  for (const ptimeMs of [10, 20, 30, 40, 60])
    it(`places a packet of ${ptimeMs} ms so that it ends with its slot`, () => {
      const payload = new Uint8Array(ptimeMs * 8).fill(3);
      heard.sent(header, payload, pcma, slotAtUs);
      assert.deepEqual(packets, [
        {
          ...{ ...pcma, payloadType: 8, ssrc: 99, sequenceNumber: 7, rtpTime: 4711, payload },
          arrivalUs: slotAtUs + 20_000 - ptimeMs * 1000,
        },
      ]);
    });

  it('places a packet of another origin where it is sent', () => {
    heard.sent(header, new Uint8Array(160), pcma, undefined);
    assert.equal(packets[0]?.arrivalUs, nowUs);
  });

  it('takes no packet without audio', () => {
    heard.sent(header, new Uint8Array(0), pcma, slotAtUs);
    assert.deepEqual(packets, []);
  });

  it('takes samples in place of packets while these are withheld, slot after slot, and only then', () => {
    const samples = Int16Array.from({ length: 160 }, (_, k) => k * 200 - 16_000);
    heard.sentSamples(samples, 8000, slotAtUs);
    assert.deepEqual(packets, []);
    heard.withheld = true;
    heard.sent(header, new Uint8Array(160), pcma, slotAtUs);
    for (const slot of [0, 1]) heard.sentSamples(samples, 8000, slotAtUs + slot * 20_000);
    assert.equal(packets.length, 2);
    const [first, second] = packets as unknown as [CapturedPacket, CapturedPacket];
    assert.deepEqual([first.codec, first.clockRateHz, first.arrivalUs], ['L16', 8000, slotAtUs]);
    const view = new DataView(first.payload.buffer);
    assert.deepEqual(
      Array.from({ length: 160 }, (_, k) => view.getInt16(2 * k)),
      [...samples],
    );
    assert.deepEqual(
      [second.ssrc, second.sequenceNumber, second.rtpTime, second.arrivalUs],
      [first.ssrc, first.sequenceNumber + 1, first.rtpTime + 160, first.arrivalUs + 20_000],
    );
  });
});
