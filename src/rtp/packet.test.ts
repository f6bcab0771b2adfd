import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RtpPacketView, RtpParser, type RtpRejection, rtpHeaderBytes, writeRtpHeader } from './packet.ts';

const header = {
  marker: true,
  payloadType: 101,
  sequenceNumber: 65_407,
  timestamp: 2 ** 32 - 1,
  ssrc: 0xdeadbeef,
};

function packet(...payload: number[]): Uint8Array {
  const data = new Uint8Array(rtpHeaderBytes + payload.length);
  writeRtpHeader(data, header);
  data.set(payload, rtpHeaderBytes);
  return data;
}

function rejectionOf(data: Uint8Array): RtpRejection | undefined {
  const parser = new RtpParser();
  if (parser.parse(data, new RtpPacketView())) return undefined;
  const counted = Object.entries(parser.rejected).filter(([, count]) => count > 0);
  assert.deepEqual(
    counted.map(([, count]) => count),
    [1],
  );
  return counted[0]![0] as RtpRejection;
}

describe('parse', () => {
  test('gives back what was written', () => {
    const view = new RtpPacketView();
    assert.ok(new RtpParser().parse(packet(1, 2, 3), view));
    const { marker, payloadType, sequenceNumber, timestamp, ssrc } = view;
    assert.deepEqual({ marker, payloadType, sequenceNumber, timestamp, ssrc }, header);
    assert.deepEqual(view.payload(), Uint8Array.of(1, 2, 3));
    assert.equal(view.extensionProfile, undefined);
  });

  test('gives one view of the payload to all who ask, and that of the packet parsed last', () => {
    const view = new RtpPacketView();
    const parser = new RtpParser();
    const memory = new Uint8Array(100);
    // Datagrams of the same length, in one memory and another, as of the same place.
    for (const [data, at] of [
      [memory, 0],
      [memory, 20],
      [new Uint8Array(100), 20],
    ] as const) {
      const datagram = data.subarray(at, at + rtpHeaderBytes + 3);
      datagram.set(packet(at, 2, 3));
      assert.ok(parser.parse(datagram, view));
      assert.deepEqual(view.payload(), Uint8Array.of(at, 2, 3));
      assert.equal(view.payload(), view.payload());
      assert.equal(view.payload().buffer, data.buffer);
    }
    assert.ok(parser.parse(packet(), view));
    assert.equal(view.payload().length, 0);
  });

  for (const value of [0, 1, 127, 128, 32_767, 32_768, 65_407, 65_535, 2 ** 31, 2 ** 32 - 1]) {
    test(`counter value ${value} survives`, () => {
      const data = new Uint8Array(rtpHeaderBytes);
      const written = { marker: false, payloadType: 0, sequenceNumber: value, timestamp: value, ssrc: value };
      assert.equal(writeRtpHeader(data, written), rtpHeaderBytes);
      const view = new RtpPacketView();
      assert.ok(new RtpParser().parse(data, view));
      assert.equal(view.sequenceNumber, value % 65_536);
      assert.equal(view.timestamp, value);
      assert.equal(view.ssrc, value);
      assert.equal(view.marker, false);
      assert.equal(view.payloadBytes, 0);
    });
  }

  test('CSRC list, extension and padding are taken off', () => {
    const data = Uint8Array.of(
      ...[0x80 | 0x20 | 0x10 | 2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
      ...[0, 0, 0, 4, 0, 0, 0, 5],
      ...[0xbe, 0xde, 0, 1, 0x10, 0x20, 0, 0],
      ...[70, 71, 72],
      ...[0, 2],
    );
    const view = new RtpPacketView();
    assert.ok(new RtpParser().parse(data, view));
    assert.equal(view.csrcCount, 2);
    assert.equal(view.extensionProfile, 0xbede);
    assert.equal(view.extensionOffset, 24);
    assert.equal(view.extensionBytes, 4);
    assert.deepEqual(view.payload(), Uint8Array.of(70, 71, 72));
  });

  test('a reused view keeps nothing of the packet before', () => {
    const view = new RtpPacketView();
    const parser = new RtpParser();
    const withExtension = Uint8Array.of(0x91, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 1, 2, 0, 0, 9);
    assert.ok(parser.parse(withExtension, view));
    assert.ok(parser.parse(packet(), view));
    const fresh = new RtpPacketView();
    assert.ok(parser.parse(packet(), fresh));
    assert.deepEqual(view, fresh);
  });

  test('padding may fill the whole payload', () => {
    const data = packet(0, 0, 0, 4);
    data[0]! |= 0x20;
    const view = new RtpPacketView();
    assert.ok(new RtpParser().parse(data, view));
    assert.equal(view.payloadBytes, 0);
  });
});

describe('refusals are counted by their reason', () => {
  const withFirstByte = (data: Uint8Array, bits: number): Uint8Array => {
    data[0]! = bits;
    return data;
  };
  const cases: [string, Uint8Array, RtpRejection][] = [
    ['an empty datagram', new Uint8Array(0), 'short'],
    ['eleven bytes', packet().subarray(0, 11), 'short'],
    ['a STUN binding request', withFirstByte(packet(0), 0), 'version'],
    ['a DTLS record', withFirstByte(packet(0), 22), 'version'],
    ['RTCP sender report', Uint8Array.of(0x80, 200, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9), 'rtcp'],
    ['a CSRC list past the end', withFirstByte(packet(1, 2, 3), 0x81), 'csrc'],
    ['no room for the extension header', withFirstByte(packet(1, 2, 3), 0x90), 'extension'],
    ['an extension past the end', withFirstByte(packet(0, 0, 0, 1, 7, 7, 7), 0x90), 'extension'],
    ['padding longer than the payload', withFirstByte(packet(1, 2, 9), 0xa0), 'padding'],
    ['padding of zero bytes', withFirstByte(packet(1, 2, 0), 0xa0), 'padding'],
    ['padding without a payload', withFirstByte(packet(), 0xa0), 'padding'],
  ];
  for (const [name, data, rejection] of cases) test(name, () => assert.equal(rejectionOf(data), rejection));

  test('random bytes never throw and never point outside the datagram', () => {
    let state = 12_345;
    const random = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16;
    const parser = new RtpParser();
    const view = new RtpPacketView();
    let accepted = 0;
    const rounds = 20_000;
    for (let round = 0; round < rounds; round++) {
      const data = Uint8Array.from({ length: random() % 48 }, () => random() & 0xff);
      if (round % 2 && data.length > 0) data[0] = 0x80 | (data[0]! & 0x3f);
      if (!parser.parse(data, view)) continue;
      accepted++;
      assert.ok(view.payloadBytes >= 0 && view.payloadOffset + view.payloadBytes <= data.length);
      assert.ok(view.extensionOffset + view.extensionBytes <= view.payloadOffset);
    }
    const refused = Object.values(parser.rejected).reduce((sum, count) => sum + count, 0);
    assert.equal(accepted + refused, rounds);
    assert.ok(accepted > 100);
  });
});
