import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { NegotiatedSrtp, SrtpKey } from '../sdp/srtp-parameters.ts';
import { SrtpContext } from './srtp-context.ts';
import { maxSrtpOverheadBytes } from './srtp-limits.ts';

const suite = 'AES_CM_128_HMAC_SHA1_80';
const key = (fill: number): SrtpKey => ({ keySalt: Buffer.alloc(30, fill).toString('base64') });
const agreed = (send: number, receive: number): NegotiatedSrtp => ({
  send: { suite, key: key(send) },
  receive: { suite, keys: [key(receive)] },
});

function rtp(sequenceNumber: number, ssrc = 7): Uint8Array {
  const packet = Buffer.alloc(12 + 20, sequenceNumber & 0xff);
  packet[0] = 0x80;
  packet[1] = 0;
  packet.writeUInt16BE(sequenceNumber & 0xffff, 2);
  packet.writeUInt32BE(ssrc, 8);
  return new Uint8Array(packet);
}

function sealed(context: SrtpContext, packet: Uint8Array): Uint8Array {
  const room = new Uint8Array(packet.length + maxSrtpOverheadBytes);
  room.set(packet);
  const bytes = context.protectRtp(room, packet.length);
  assert.ok(bytes > packet.length);
  return room.slice(0, bytes);
}

function opens(context: SrtpContext, datagram: Uint8Array, plain: Uint8Array, nowUs = 0): void {
  const received = datagram.slice();
  const bytes = context.unprotectRtp(received, nowUs);
  assert.equal(bytes, plain.length);
  assert.deepEqual(received.subarray(0, bytes), plain);
}

const refuses = (context: SrtpContext, datagram: Uint8Array, nowUs = 0): void =>
  assert.equal(context.unprotectRtp(datagram.slice(), nowUs), -1);

test('three wraps of the sequence number, with late packets around each and nothing heard between', () => {
  const phone = new SrtpContext(agreed(1, 2));
  const leg = new SrtpContext(agreed(2, 1));
  for (let at = 65_000; at < 65_536 * 3 + 200; at += 2) {
    const [first, second] = [rtp(at), rtp(at + 1)];
    const [a, b] = [sealed(phone, first), sealed(phone, second)];
    if (at % 65_536 > 100 && at % 65_536 < 65_400) continue;
    opens(leg, b, second);
    opens(leg, a, first);
  }
  assert.deepEqual(leg.counters, { authenticationFailures: 0, replays: 0, malformed: 0 });
});

test('a source heard first behind its wrap', () => {
  const phone = new SrtpContext(agreed(1, 2));
  const leg = new SrtpContext(agreed(2, 1));
  const early = sealed(phone, rtp(65_535));
  opens(leg, sealed(phone, rtp(0)), rtp(0));
  opens(leg, early, rtp(65_535));
});

test('a packet counts once; a forged one leaves no trace', () => {
  const phone = new SrtpContext(agreed(1, 2));
  const leg = new SrtpContext(agreed(2, 1));
  const packet = sealed(phone, rtp(10));
  opens(leg, packet, rtp(10));
  refuses(leg, packet);
  const forged = sealed(new SrtpContext(agreed(9, 2)), rtp(40_000));
  refuses(leg, forged);
  opens(leg, sealed(phone, rtp(11)), rtp(11));
  refuses(leg, new Uint8Array([0x80, 0, 0]));
  refuses(leg, new Uint8Array(40).fill(0xff));
  assert.deepEqual(leg.counters, { authenticationFailures: 1, replays: 1, malformed: 2 });
});

test('no number is sent twice under one key and source', () => {
  const leg = new SrtpContext(agreed(2, 1));
  const room = new Uint8Array(100);
  room.set(rtp(5));
  assert.ok(leg.protectRtp(room, 32) > 0);
  room.set(rtp(5));
  assert.equal(leg.protectRtp(room, 32), -1);
  room.set(rtp(4));
  assert.ok(leg.protectRtp(room, 32) > 0);
  room.set(rtp(5, 8));
  assert.ok(leg.protectRtp(room, 32) > 0);
});

describe('another key', () => {
  test('the former one opens what was on its way, for 5 s from the first packet on', () => {
    const phone = new SrtpContext(agreed(1, 2));
    const leg = new SrtpContext(agreed(2, 1));
    opens(leg, sealed(phone, rtp(1)), rtp(1));
    const late = [sealed(phone, rtp(2)), sealed(phone, rtp(3))] as const;
    assert.equal(leg.update(agreed(2, 1)), false, 'the same keys again');
    assert.equal(leg.update(agreed(4, 3)), true);
    assert.equal(phone.update(agreed(3, 4)), true);
    opens(leg, late[0], rtp(2), 60e6);
    opens(leg, sealed(phone, rtp(4)), rtp(4), 61e6);
    refuses(leg, late[1], 65.1e6);
    opens(phone, sealed(leg, rtp(100, 9)), rtp(100, 9));
  });

  for (const [name, begin] of [
    ['goes on', 3 * 65_536 + 10],
    ['begins again', 10],
  ] as const)
    test(`a sender whose rollover counter ${name}`, () => {
      const phone = new SrtpContext(agreed(1, 2));
      const leg = new SrtpContext(agreed(2, 1));
      for (let at = 0; at <= 3 * 65_536; at += 16_384) opens(leg, sealed(phone, rtp(at)), rtp(at));
      leg.update(agreed(2, 3));
      const renewed = new SrtpContext(agreed(3, 2));
      for (let at = begin % 65_536; at < begin; at += 16_384) sealed(renewed, rtp(at));
      opens(leg, sealed(renewed, rtp(begin + 1)), rtp(begin + 1));
      opens(leg, sealed(renewed, rtp(begin + 2)), rtp(begin + 2));
    });

  test('a key that cannot be used changes nothing', () => {
    const phone = new SrtpContext(agreed(1, 2));
    const leg = new SrtpContext(agreed(2, 1));
    const short = { ...agreed(2, 1), receive: { suite, keys: [{ keySalt: 'AAAA' }] } } as const;
    assert.throws(
      () => leg.update({ ...short, receive: { suite, keys: [...short.receive.keys] } }),
      CallreelError,
    );
    opens(leg, sealed(phone, rtp(1)), rtp(1));
  });
});

test('several keys at once, each packet names its own', () => {
  const named = (fill: number, value: string): SrtpKey => ({ ...key(fill), mki: { value, bytes: 1 } });
  const keys = [named(1, '1'), named(2, '2')];
  const leg = new SrtpContext({ send: { suite, key: key(9) }, receive: { suite, keys } });
  const [first, second, third] = [...keys, named(2, '3')].map(
    (send) => new SrtpContext({ send: { suite, key: send }, receive: { suite, keys: [key(9)] } }),
  );
  opens(leg, sealed(first!, rtp(1)), rtp(1));
  opens(leg, sealed(second!, rtp(2)), rtp(2));
  opens(leg, sealed(first!, rtp(3)), rtp(3));
  refuses(leg, sealed(third!, rtp(4)));
});

test('RTCP: its own index, its own replay protection', () => {
  const phone = new SrtpContext(agreed(1, 2));
  const leg = new SrtpContext(agreed(2, 1));
  const plain = new Uint8Array(28).fill(6);
  plain.set([0x80, 200, 0, 6]);
  const reports = [0, 1, 2].map(() => {
    const room = new Uint8Array(28 + maxSrtpOverheadBytes);
    room.set(plain);
    return room.slice(0, phone.protectRtcp(room, 28));
  });
  for (const index of [1, 0, 2]) {
    const received = reports[index]!.slice();
    assert.equal(leg.unprotectRtcp(received, 0), 28);
    assert.deepEqual(received.subarray(0, 28), plain);
    assert.equal(leg.unprotectRtcp(reports[index]!.slice(), 0), -1);
  }
  assert.equal(leg.unprotectRtcp(new Uint8Array(5), 0), -1);
  assert.deepEqual(leg.counters, { authenticationFailures: 0, replays: 3, malformed: 1 });
});
