import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tone } from '../audio/tone.ts';
import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { keyPressPayloads } from '../rtp/telephone-event.ts';
import { KeyPresses } from './key-presses.ts';
import { Playout } from './playout.ts';

const slotUs = 20_000;

function listening() {
  const told: string[] = [];
  const downs: number[] = [];
  const ups: string[] = [];
  let nowUs = 0;
  const keys = new KeyPresses({
    nowUs: () => nowUs,
    wentDown: ({ digit, ssrc, clockRateHz }) => told.push(`${digit} ${ssrc}/${clockRateHz}`),
    heardDown: ({ digit, arrivalUs }) => {
      told.push(digit);
      downs.push(arrivalUs / slotUs);
    },
    cameUp: (digit) => ups.push(digit),
  });
  /** A slot of the key 5 in the audio, or of nothing. */
  const playout = new Playout();
  const [low, high] = [770, 1336].map((frequencyHz) =>
    tone({ rateHz: 8000, frequencyHz, levelDbov: -20 }, 160 * 100),
  );
  const hear = (slots: number, isDown: boolean): void => {
    for (let i = 0; i < slots; i++) {
      const at = ((nowUs += slotUs) / slotUs) * 160;
      playout.frame = isDown
        ? low!.slice(at, at + 160).map((sample, k) => sample + high![at + k]!)
        : new Int16Array(160);
      keys.hear(playout);
    }
  };
  return { keys, told, downs, ups, hear };
}

function press(keys: KeyPresses, digit: string, ssrc: number, clockRateHz: number): void {
  const view = new RtpPacketView();
  const parser = new RtpParser();
  for (const { payload, marker } of keyPressPayloads(digit, { durationMs: 100, ptimeMs: 20, clockRateHz })) {
    const datagram = new Uint8Array(rtpHeaderBytes + payload.length);
    writeRtpHeader(datagram, { marker, payloadType: 101, sequenceNumber: 1, timestamp: clockRateHz, ssrc });
    datagram.set(payload, rtpHeaderBytes);
    assert.ok(parser.parse(datagram, view));
    keys.receive(view, clockRateHz, slotUs);
  }
}

test('telephone events of each stream and clock, each key once', () => {
  const { keys, told } = listening();
  keys.agree(true);
  press(keys, '1', 7, 8000);
  press(keys, '1', 7, 8000);
  press(keys, '1', 8, 8000);
  press(keys, '2', 8, 48_000);
  assert.deepEqual(told, ['1 7/8000', '1 8/8000', '2 8/48000']);
});

test('the audio is listened to where no events were agreed', () => {
  const { keys, told, downs, ups, hear } = listening();
  keys.agree(true);
  assert.equal(keys.hearsAudio, false);
  hear(5, true);
  keys.agree(false);
  assert.equal(keys.hearsAudio, true);
  hear(5, false);
  hear(5, true);
  assert.deepEqual([told, ups], [['5'], []], 'it is down');
  hear(5, false);
  assert.deepEqual([told, ups], [['5'], ['5']]);
  assert.ok(Math.abs(downs[0]! - 10) < 1, `${downs[0]}`);
});

test('a key that goes on behind a cut is told once, as of before', () => {
  const { keys, told, downs, ups, hear } = listening();
  keys.agree(false);
  hear(5, true);
  keys.cut();
  hear(5, true);
  hear(5, false);
  assert.deepEqual(told, ['5']);
  hear(5, true);
  hear(5, false);
  assert.deepEqual(
    [told, ups],
    [
      ['5', '5'],
      ['5', '5'],
    ],
  );
  assert.ok(downs[0]! < 1 && downs[1]! > 14, downs.join(' '));
});

test('a key too short before a cut to be known is told behind it, as of before', () => {
  const { keys, told, downs, hear } = listening();
  keys.agree(false);
  hear(5, false);
  hear(1, true);
  keys.cut();
  hear(5, true);
  hear(5, false);
  assert.deepEqual(told, ['5']);
  assert.ok(downs[0]! < 6, downs.join(' '));
});

test('the leave key is known by its packets', () => {
  const { keys } = listening();
  const view = new RtpPacketView();
  const datagram = new Uint8Array(rtpHeaderBytes + 4);
  writeRtpHeader(datagram, { marker: false, payloadType: 101, sequenceNumber: 1, timestamp: 1, ssrc: 1 });
  datagram[rtpHeaderBytes] = 11;
  new RtpParser().parse(datagram, view);
  assert.equal(keys.isLeaveKey(view), false);
  keys.useLeaveKey('#');
  assert.equal(keys.isLeaveKey(view), true);
  keys.useLeaveKey('*');
  assert.equal(keys.isLeaveKey(view), false);
});
