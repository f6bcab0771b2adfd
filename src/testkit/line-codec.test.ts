import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineCodecOfPayloadType, lineCodecs, packetPayloads } from './line-codec.ts';
import { tone } from './tone.ts';

test('samples are cut into payloads of 20 ms, the last filled up with silence', () => {
  const samples = tone({ frequencyHz: 443, durationMs: 50 });
  const payloads = packetPayloads(lineCodecs.PCMA, samples);
  assert.deepEqual(
    payloads.map((payload) => payload.length),
    [160, 160, 160],
  );
  assert.deepEqual(Buffer.concat(payloads).subarray(0, 400), Buffer.from(lineCodecs.PCMA.encode(samples)));
  assert.ok(payloads[2]!.subarray(80).every((byte) => byte === 0xd5));
  assert.deepEqual(packetPayloads(lineCodecs.PCMU, new Int16Array(0)), []);
});

test('what a recording of a payload must hold decodes and encodes to the same payload', () => {
  for (const codec of [lineCodecs.PCMU, lineCodecs.PCMA]) {
    const payload = codec.encode(tone({ frequencyHz: 617, durationMs: 100 }));
    assert.deepEqual(codec.encode(codec.decode(payload)), payload);
    assert.equal(lineCodecOfPayloadType(codec.payloadType), codec);
  }
  assert.equal(lineCodecOfPayloadType(101), undefined);
  assert.equal(lineCodecOfPayloadType(96, 96), lineCodecs.OPUS);
  assert.equal(lineCodecOfPayloadType(111, 96), undefined);
});
