import assert from 'node:assert/strict';
import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../../../src/rtp/packet.ts';
import { Reception } from '../../../src/rtp/reception.ts';
import {
  type KeyPress,
  longestEventTicks,
  TelephoneEventReceiver,
} from '../../../src/rtp/telephone-event.ts';
import { payloadDurationTicks } from '../../../src/timeline/payload-duration.ts';
import { InputReader } from '../input-reader.ts';
import type { FuzzTarget } from '../target.ts';

const clockRatesHz = [8000, 16_000, 48_000];

/**
 * Datagrams of one port, each with the time that passed before it: the header, key presses, the counters of reception.
 * An input is a clock rate, then for each datagram milliseconds (1 byte), length (1) and bytes.
 */
export function createTarget(): FuzzTarget {
  const parser = new RtpParser();
  const view = new RtpPacketView();
  return {
    isText: false,
    maxBytes: 8192,
    dictionary: [
      Uint8Array.of(0x80, 0x00),
      Uint8Array.of(0x80, 0x65),
      Uint8Array.of(0xb0, 0xbe, 0xde, 0, 1),
      Uint8Array.of(5, 0x8a, 3, 0x20),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    ],
    seeds: () => [keyPress(), audio()],
    run(input) {
      const reader = new InputReader(input);
      const clockRateHz = clockRatesHz[reader.uint8() % 3]!;
      const presses: KeyPress[] = [];
      const events = new TelephoneEventReceiver(clockRateHz, (press) => presses.push(press));
      const reception = new Reception();
      let arrivalUs = 1_000_000;
      let packets = 0;
      while (!reader.done) {
        arrivalUs += reader.uint8() * 1000;
        const datagram = reader.take(reader.uint8());
        if (!parser.parse(datagram, view)) continue;
        packets++;
        checkView(view, datagram);
        const { ssrc, sequenceNumber, timestamp, payloadType } = view;
        const payload = view.payload();
        checkPayload(payload, clockRateHz);
        const isEvent = payloadType >= 96;
        reception.receive(ssrc, sequenceNumber, timestamp, clockRateHz, arrivalUs, payload.length, !isEvent);
        if (isEvent) {
          events.useClock(payloadType & 1 ? clockRateHz : clockRatesHz[0]!);
          events.receive(payload, timestamp, arrivalUs);
        } else {
          events.expire(arrivalUs);
        }
        checkReception(reception, packets);
      }
      events.end();
      assert.ok(presses.length <= packets, 'a key press needs a packet');
      for (const press of presses) checkPress(press, packets);
    },
  };
}

function checkView(view: RtpPacketView, datagram: Uint8Array): void {
  const { payloadOffset, payloadBytes, extensionOffset, extensionBytes, csrcCount } = view;
  assert.ok(payloadBytes >= 0 && payloadOffset >= rtpHeaderBytes + 4 * csrcCount);
  assert.ok(payloadOffset + payloadBytes <= datagram.length);
  assert.ok(extensionOffset + extensionBytes <= datagram.length);
  assert.equal(view.payload().length, payloadBytes);
  const header = new Uint8Array(rtpHeaderBytes);
  const { marker, payloadType, sequenceNumber, timestamp, ssrc } = view;
  writeRtpHeader(header, { marker, payloadType, sequenceNumber, timestamp, ssrc });
  assert.deepEqual(header.subarray(1), datagram.slice(1, rtpHeaderBytes));
}

function checkPayload(payload: Uint8Array, clockRateHz: number): void {
  for (const codec of ['PCMU', 'G722', 'OPUS', 'CN'] as const) {
    const ticks = payloadDurationTicks(codec, clockRateHz, payload);
    assert.ok(Number.isInteger(ticks) && ticks >= 0 && ticks <= Math.max(payload.length, 0.12 * clockRateHz));
  }
}

function checkReception(reception: Reception, packets: number): void {
  const { jitter, mostJitter, jitterTicks, lost, expected, cumulativeLost, highestSequence } = reception;
  for (const number of [jitter, mostJitter, jitterTicks, lost, highestSequence])
    assert.ok(Number.isFinite(number) && number >= 0, 'a figure of reception is a number');
  assert.ok(expected >= 0 && expected <= packets * 65_536 && Number.isInteger(cumulativeLost));
  assert.ok(reception.duplicates + reception.reordered <= packets);
  const fraction = reception.takeFractionLost();
  assert.ok(Number.isInteger(fraction) && fraction >= 0 && fraction <= 255);
}

function checkPress({ digit, durationMs, arrivalUs, rtpTime }: KeyPress, packets: number): void {
  assert.match(digit, /^[0-9*#A-D]$/);
  assert.ok(Number.isInteger(durationMs) && durationMs >= 0);
  const longestMs = Math.round((packets * longestEventTicks * 1000) / clockRatesHz[0]!);
  assert.ok(durationMs <= longestMs, `a key press of ${durationMs} ms in ${packets} packets`);
  assert.ok(Number.isFinite(arrivalUs) && rtpTime >= 0 && rtpTime < 2 ** 32);
}

function packet(
  ms: number,
  payloadType: number,
  sequence: number,
  time: number,
  payload: number[],
): number[] {
  const header = [
    0x80,
    payloadType,
    sequence >> 8,
    sequence & 0xff,
    0,
    0,
    time >> 8,
    time & 0xff,
    0,
    0,
    0,
    7,
  ];
  return [ms, header.length + payload.length, ...header, ...payload];
}

/** A digit as phones send it: growing durations, the end three times. */
function keyPress(): Uint8Array {
  const bytes = [0, ...packet(20, 0, 65_534, 0, new Array(20).fill(0xff))];
  for (let i = 0; i < 4; i++) bytes.push(...packet(20, 101, 65_535 + i, 160, [5, 10, 0, 160 * (i + 1)]));
  for (let i = 0; i < 3; i++) bytes.push(...packet(0, 101, 3 + i, 160, [5, 0x8a, 3, 32]));
  bytes.push(...packet(250, 101, 6, 4000, [11, 10, 0xff, 0xff]));
  return Uint8Array.from(bytes);
}

/** CSRC, extension, padding; a late and a doubled packet. */
function audio(): Uint8Array {
  const bytes = [2];
  for (const sequence of [1, 2, 4, 3, 3, 900, 5000])
    bytes.push(...packet(20, 0, sequence, sequence * 16, [1, 2, 3, 4]));
  bytes.push(
    20,
    28,
    0xb1,
    0x80,
    0,
    9,
    0,
    0,
    0,
    9,
    0,
    0,
    0,
    7,
    0,
    0,
    0,
    8,
    0xbe,
    0xde,
    0,
    1,
    0x10,
    0xff,
    0,
    0,
    1,
    2,
    0,
    2,
  );
  return Uint8Array.from(bytes);
}
