import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addToTimestamp, toRtpTimestamp } from './sequence.ts';
import { type KeyPress, keyPressPayloads, TelephoneEventReceiver } from './telephone-event.ts';

const clockRateHz = 8000;

interface TimedPayload {
  payload: Uint8Array;
  rtpTime: number;
  arrivalUs: number;
}

/** One key press on the wire, with its packets at their times. */
function press(digit: string, rtpTime: number, startUs: number, durationMs = 100): TimedPayload[] {
  return keyPressPayloads(digit, { durationMs, ptimeMs: 20, clockRateHz }).map(({ payload, offsetMs }) => ({
    payload,
    rtpTime,
    arrivalUs: startUs + offsetMs * 1000,
  }));
}

function receive(packets: TimedPayload[], end = true): KeyPress[] {
  const presses: KeyPress[] = [];
  const receiver = new TelephoneEventReceiver(clockRateHz, (report) => presses.push(report));
  for (const { payload, rtpTime, arrivalUs } of packets)
    receiver.receive(payload, toRtpTimestamp(rtpTime), arrivalUs);
  if (end) receiver.end();
  return presses;
}

const digitsOf = (presses: KeyPress[]): string => presses.map(({ digit }) => digit).join('');

describe('receiver', () => {
  test('one report for one key press, with its start and length', () => {
    assert.deepEqual(receive(press('5', 4000, 1_000_000)), [
      { digit: '5', rtpTime: 4000, durationMs: 100, arrivalUs: 1_020_000 },
    ]);
  });

  test('all sixteen keys', () => {
    const keys = '0123456789*#ABCD';
    const packets = [...keys].flatMap((key, i) => press(key, 1600 * i, 200_000 * i));
    assert.equal(digitsOf(receive(packets)), keys);
  });

  test('the same key twice is two reports', () => {
    assert.equal(digitsOf(receive([...press('1', 0, 0), ...press('1', 1600, 200_000)])), '11');
  });

  for (const start of [0, 1, 127, 128, 32_767, 32_768, 65_407, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])
    test(`timestamps from ${start} on, past the wrap`, () => {
      const packets = [0, 1, 2].flatMap((i) =>
        press(String(i), addToTimestamp(toRtpTimestamp(start), 1600 * i), 200_000 * i),
      );
      assert.equal(digitsOf(receive(packets)), '012');
    });

  test('any single lost packet, and any run of lost packets but all, changes no digit', () => {
    const one = press('7', 8000, 0);
    const next = press('8', 11_200, 400_000);
    for (let from = 0; from < one.length; from++)
      for (let to = from + 1; to <= one.length; to++) {
        const left = [...one.slice(0, from), ...one.slice(to)];
        assert.equal(digitsOf(receive([...left, ...next])), left.length > 0 ? '78' : '8', `${from}..${to}`);
      }
  });

  test('any order of arrival and any repetition changes no digit', () => {
    const packets = press('9', 8000, 0).map((packet) => ({ ...packet, arrivalUs: 0 }));
    for (let turn = 0; turn < packets.length; turn++) {
      const turned = [...packets.slice(turn), ...packets.slice(0, turn)];
      assert.equal(digitsOf(receive([...turned, ...turned, ...turned.toReversed()])), '9');
    }
  });

  test('without its end packets a key press is reported by the next one, with the length seen', () => {
    const cut = press('3', 0, 0).slice(0, 3);
    const presses = receive([...cut, ...press('4', 1600, 150_000)]);
    assert.deepEqual(
      presses.map(({ digit, durationMs }) => [digit, durationMs]),
      [
        ['3', 60],
        ['4', 100],
      ],
    );
  });

  test('a key that is down is told once, by the first of its packets that comes', () => {
    const told: string[] = [];
    const receiver = new TelephoneEventReceiver(
      clockRateHz,
      ({ digit }) => told.push(`${digit} up`),
      ({ digit, rtpTime, arrivalUs }) => told.push(`${digit} down ${rtpTime} ${arrivalUs}`),
    );
    const [first, second] = [press('3', 1600, 0), press('4', 4000, 400_000)];
    // The first packet of the first key is lost; its others come in disorder.
    for (const packet of [first[2]!, first[1]!, ...first.slice(3), first[1]!, ...second])
      receiver.receive(packet.payload, toRtpTimestamp(packet.rtpTime), packet.arrivalUs);
    assert.deepEqual(told, ['3 down 1600 60000', '3 up', '4 down 4000 420000', '4 up']);
  });

  test('without its end packets and without a next one it is over after a while, late packets included', () => {
    const presses: KeyPress[] = [];
    const receiver = new TelephoneEventReceiver(clockRateHz, (report) => presses.push(report));
    const packets = press('3', 0, 0);
    for (const packet of packets.slice(0, 3))
      receiver.receive(packet.payload, toRtpTimestamp(packet.rtpTime), packet.arrivalUs);
    receiver.expire(100_000);
    assert.equal(presses.length, 0);
    receiver.expire(300_000);
    assert.equal(digitsOf(presses), '3');
    receiver.receive(packets.at(-1)!.payload, toRtpTimestamp(0), 310_000);
    receiver.expire(900_000);
    receiver.end();
    assert.equal(digitsOf(presses), '3');
  });

  test('a late packet of the key before does not interrupt the one that runs', () => {
    const before = press('1', 0, 0);
    const running = press('2', 1600, 150_000);
    const packets = [...before, ...running.slice(0, 2), before[2]!, before.at(-1)!, ...running.slice(2)];
    for (const packet of packets) packet.arrivalUs = 0;
    assert.equal(digitsOf(receive(packets)), '12');
  });

  test('a key held for 20 seconds is one key press (RFC 4733 section 2.5.1.3)', () => {
    const packets: TimedPayload[] = [];
    let sent = 0;
    for (let segment = 0; segment < 3; segment++) {
      const length = segment < 2 ? 0xffff : 28_930;
      for (let duration = 400; duration < length; duration += 400)
        packets.push({
          payload: Uint8Array.of(11, 10, duration >> 8, duration),
          rtpTime: 5000 + sent,
          arrivalUs: (sent + duration) * 125,
        });
      packets.push({
        payload: Uint8Array.of(11, segment < 2 ? 10 : 0x8a, length >> 8, length),
        rtpTime: 5000 + sent,
        arrivalUs: (sent + length) * 125,
      });
      sent += length;
    }
    const presses = receive([...packets, packets.at(-1)!, packets.at(-1)!]);
    assert.deepEqual(
      presses.map(({ digit, rtpTime, durationMs }) => [digit, rtpTime, durationMs]),
      [['#', 5000, 20_000]],
    );
  });

  test('a source that starts over with a far smaller timestamp is heard', () => {
    assert.equal(
      digitsOf(receive([...press('1', 2 ** 31, 0), ...press('2', 2 ** 31 - 400_000, 5_000_000)])),
      '12',
    );
  });

  test('events that are no keys and malformed payloads say nothing', () => {
    const odd = [
      Uint8Array.of(16, 0x80, 1, 0),
      Uint8Array.of(255, 0x80, 1, 0),
      Uint8Array.of(1, 0x80, 1),
      new Uint8Array(0),
    ];
    assert.deepEqual(receive(odd.map((payload) => ({ payload, rtpTime: 0, arrivalUs: 0 }))), []);
  });

  test('trailing bytes behind the event are tolerated', () => {
    const payload = Uint8Array.of(6, 0x8a, 3, 0x20, 1, 2, 3, 4);
    assert.equal(receive([{ payload, rtpTime: 0, arrivalUs: 0 }], false)[0]!.digit, '6');
  });
});

describe('sender', () => {
  test('updates grow, the end comes three times, the marker once', () => {
    const payloads = keyPressPayloads('#', { durationMs: 60, ptimeMs: 20, clockRateHz, volumeDbm0: 7 });
    assert.deepEqual(
      payloads.map(({ payload, marker, offsetMs }) => [[...payload], marker, offsetMs]),
      [
        [[11, 7, 0, 160], true, 20],
        [[11, 7, 1, 64], false, 40],
        [[11, 0x87, 1, 224], false, 60],
        [[11, 0x87, 1, 224], false, 60],
        [[11, 0x87, 1, 224], false, 60],
      ],
    );
  });

  test('a long key press goes on in segments (RFC 4733 section 2.5.1.3)', () => {
    const payloads = keyPressPayloads('1', { durationMs: 1400, ptimeMs: 20, clockRateHz: 48_000 });
    const durationOf = (payload: Uint8Array): number => (payload[2]! << 8) | payload[3]!;
    const shape = payloads.map(
      ({ payload, segmentTicks }) =>
        `${segmentTicks}+${durationOf(payload)}${payload[1]! & 0x80 ? ' end' : ''}`,
    );
    assert.deepEqual(shape.slice(66), [
      '0+64320',
      '0+65280',
      ...Array.from({ length: 3 }, () => '0+65535'),
      '65535+705',
      ...Array.from({ length: 3 }, () => '65535+1665 end'),
    ]);
    assert.deepEqual(
      payloads.flatMap(({ marker }, index) => (marker ? [index] : [])),
      [0],
    );
    const offsets = payloads.map(({ offsetMs }) => offsetMs);
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
    );
  });

  test('what fills a segment exactly ends in it', () => {
    const [last] = keyPressPayloads('1', { durationMs: 65_535, ptimeMs: 20, clockRateHz: 1000 }).slice(-1);
    assert.deepEqual([...last!.payload], [1, 0x8a, 0xff, 0xff]);
    assert.equal(last!.segmentTicks, 0);
  });

  test('lower case letters are keys too', () => {
    assert.equal(keyPressPayloads('d', { durationMs: 40, ptimeMs: 20, clockRateHz })[0]!.payload[0], 15);
  });

  test('what cannot be sent is refused', () => {
    for (const digit of ['', 'E', '12', ' '])
      assert.throws(() => keyPressPayloads(digit, { durationMs: 100, ptimeMs: 20, clockRateHz }), RangeError);
    for (const durationMs of [0, -5, 600_001, Number.NaN])
      assert.throws(() => keyPressPayloads('1', { durationMs, ptimeMs: 20, clockRateHz }), RangeError);
  });
});
