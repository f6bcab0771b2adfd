import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyPressClock } from './key-press-clock.ts';
import { addToTimestamp, toRtpTimestamp } from './sequence.ts';
import { keyPressPayloads, TelephoneEventReceiver } from './telephone-event.ts';

/** What the packets of a key press are in the other clock. */
function convert(durationMs: number, fromHz: number, toHz: number, start = 4_294_900_000) {
  const clock = new KeyPressClock();
  return keyPressPayloads('7', { durationMs, ptimeMs: 20, clockRateHz: fromHz }).map((packet) => {
    const rtpTime = addToTimestamp(toRtpTimestamp(start), packet.segmentTicks);
    assert.ok(clock.convert(packet.payload, rtpTime, fromHz, toHz));
    const { begins, segmentTicks, filledSegments } = clock;
    return { begins, segmentTicks, filledSegments, payload: clock.payload.slice() };
  });
}

for (const durationMs of [20, 1365, 1366, 2731, 8000, 20_000])
  for (const [fromHz, toHz] of [
    [8000, 48_000],
    [48_000, 8000],
    [48_000, 48_000],
    [16_000, 8000],
  ] as const)
    test(`a key press of ${durationMs} ms from ${fromHz} to ${toHz} Hz`, () => {
      const packets = convert(durationMs, fromHz, toHz);
      const heard: [string, number][] = [];
      const receiver = new TelephoneEventReceiver(toHz, (press) =>
        heard.push([press.digit, press.durationMs]),
      );
      for (const { payload, segmentTicks } of packets)
        receiver.receive(payload, toRtpTimestamp(segmentTicks), 0);
      assert.deepEqual(heard, [['7', durationMs]]);
      assert.equal(packets.filter(({ begins }) => begins).length, 1);
      const filled = packets.reduce((sum, { filledSegments }) => sum + filledSegments, 0);
      assert.equal(filled, Math.ceil((durationMs * toHz) / 1000 / 65_535) - 1);
    });

test('a late packet of a segment before keeps its place', () => {
  const clock = new KeyPressClock();
  const placesAt = (seconds: number): number[] => {
    const ticks = 8000 * seconds;
    assert.ok(clock.convert(Uint8Array.of(1, 10, ticks >> 8, ticks), toRtpTimestamp(0), 8000, 48_000));
    return [clock.segmentTicks, clock.filledSegments];
  };
  assert.deepEqual([1, 2, 1, 2].map(placesAt), [
    [0, 0],
    [65_535, 1],
    [0, 0],
    [65_535, 0],
  ]);
});

test('another key, another time and a jump are other key presses', () => {
  const clock = new KeyPressClock();
  const begins = (event: number, rtpTime: number): boolean => {
    clock.convert(Uint8Array.of(event, 10, 0, 160), toRtpTimestamp(rtpTime), 8000, 8000);
    return clock.begins;
  };
  assert.deepEqual([begins(1, 0), begins(1, 0), begins(2, 0), begins(2, 1600)], [true, false, true, true]);
  assert.equal(begins(2, 1600 + 65_535), false, 'the next segment');
  assert.equal(begins(2, 1600 + 4 * 65_535), true);
  clock.reset();
  assert.equal(begins(2, 1600 + 4 * 65_535), true);
});

test('a malformed payload is none', () => {
  assert.equal(new KeyPressClock().convert(Uint8Array.of(1, 2, 3), toRtpTimestamp(0), 8000, 48_000), false);
});
