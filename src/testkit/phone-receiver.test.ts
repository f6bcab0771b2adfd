import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { keyPressPayloads } from '../rtp/telephone-event.ts';
import { lineCodecs, packetPayloads } from './line-codec.ts';
import { noise } from './noise.ts';
import { PhoneReceiver } from './phone-receiver.ts';

const payloads = packetPayloads(lineCodecs.PCMU, noise({ samples: 960, seed: 5 }));
const decoded = (index: number) => lineCodecs.PCMU.decode(payloads[index]!);

function datagram(
  payload: Uint8Array,
  header: { sequenceNumber: number; timestamp: number; ssrc?: number; payloadType?: number },
): Uint8Array {
  const bytes = new Uint8Array(rtpHeaderBytes + payload.length);
  writeRtpHeader(bytes, { marker: false, payloadType: 0, ssrc: 1, ...header });
  bytes.set(payload, rtpHeaderBytes);
  return bytes;
}

function audio(receiver: PhoneReceiver, index: number, timestamp: number, ssrc = 1): void {
  const bytes = datagram(payloads[index]!, { sequenceNumber: index, timestamp: timestamp >>> 0, ssrc });
  receiver.receive(bytes, index * 20_000);
}

test('packets are placed by their time: reordered, lost, doubled and across the wrap', () => {
  const receiver = new PhoneReceiver();
  const first = 2 ** 32 - 320;
  for (const index of [1, 0, 2, 2, 5, 4]) audio(receiver, index, first + index * 160);
  const heard = receiver.samples();
  assert.equal(heard.length, 960);
  for (const index of [0, 1, 2, 4, 5])
    assert.deepEqual(heard.slice(index * 160, index * 160 + 160), decoded(index), `packet ${index}`);
  assert.ok(heard.subarray(480, 640).every((sample) => sample === 0));
  assert.equal(receiver.packets.length, 6);
});

test('a new SSRC goes on where it arrived', () => {
  const receiver = new PhoneReceiver();
  audio(receiver, 0, 1000);
  audio(receiver, 1, 1160);
  audio(receiver, 4, 77, 2);
  const heard = receiver.samples();
  assert.equal(heard.length, 800);
  assert.deepEqual(heard.slice(640), decoded(4));
});

test('a clock that jumps by hours does not make hours of silence', () => {
  const receiver = new PhoneReceiver();
  audio(receiver, 0, 0);
  audio(receiver, 1, 2 ** 31 - 1);
  assert.equal(receiver.samples().length, 320);
});

test('a key is no audio', () => {
  const receiver = new PhoneReceiver();
  receiver.telephoneEventPayloadType = 96;
  audio(receiver, 0, 0);
  keyPressPayloads('#', { durationMs: 100, ptimeMs: 20, clockRateHz: 8000 }).forEach(({ payload }, index) => {
    receiver.receive(
      datagram(payload, { sequenceNumber: index, timestamp: 160, payloadType: 96 }),
      index * 20_000,
    );
  });
  assert.equal(receiver.digits, '#');
  assert.equal(receiver.samples().length, 160);
});

test('audio after a key begins at its own first packet', () => {
  const receiver = new PhoneReceiver();
  receiver.telephoneEventPayloadType = 101;
  const [press] = keyPressPayloads('1', { durationMs: 20, ptimeMs: 20, clockRateHz: 8000 });
  receiver.receive(datagram(press!.payload, { sequenceNumber: 0, timestamp: 0, payloadType: 101 }), 0);
  audio(receiver, 3, 480);
  assert.deepEqual(receiver.samples(), decoded(3));
});

test('what is no RTP is counted, and nothing heard is nothing', () => {
  const receiver = new PhoneReceiver();
  receiver.receive(Buffer.from('hello'), 0);
  assert.equal(receiver.strangers, 1);
  assert.equal(receiver.samples().length, 0);
});
