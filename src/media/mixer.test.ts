import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { encodeByTable, lawTables, undecidedBits } from '../codec/g711.ts';
import { Mixer } from './mixer.ts';

const frame = (...samples: number[]): Int16Array => Int16Array.from(samples);

describe('Mixer', () => {
  it('gives each of two parties exactly the other one', () => {
    const mixer = new Mixer(3);
    const a = frame(1, -2, 32767);
    const b = frame(-5, 7, 32767);
    mixer.add(a);
    mixer.add(b);
    const out = new Int16Array(3);
    mixer.minus(a, out);
    assert.deepEqual(out, b);
    mixer.minus(b, out);
    assert.deepEqual(out, a);
  });

  it('gives a listener the sum, saturated at both ends', () => {
    const mixer = new Mixer(3);
    mixer.add(frame(30000, -30000, 5));
    mixer.add(frame(10000, -10000, -7));
    const out = new Int16Array(3);
    mixer.all(out);
    assert.deepEqual(out, frame(32767, -32768, -2));
  });

  it('stays exact for a quiet party in a room that saturates', () => {
    const mixer = new Mixer(1);
    const loud = frame(32767);
    for (let i = 0; i < 20; i++) mixer.add(loud);
    const quiet = frame(-3);
    mixer.add(quiet);
    const out = new Int16Array(1);
    for (let i = 0; i < 19; i++) mixer.add(frame(-32767));
    mixer.minus(loud, out);
    assert.deepEqual(out, frame(-3));
    assert.equal(mixer.speakers, 40);
  });

  it('starts every slot from silence and mixes in place', () => {
    const mixer = new Mixer(2);
    mixer.add(frame(100, 200));
    mixer.clear();
    assert.equal(mixer.speakers, 0);
    const own = frame(1, 1);
    mixer.add(own);
    mixer.add(frame(10, 20));
    mixer.minus(own, own);
    assert.deepEqual(own, frame(10, 20));
    mixer.clear();
    mixer.all(own);
    assert.deepEqual(own, frame(0, 0));
  });
});

test('what is added and taken as payloads of G.711 is the same as by frames, however loud', () => {
  const samples = 160;
  const [byFrames, byPayloads] = [new Mixer(samples), new Mixer(samples)];
  for (const [law, sent] of [
    [lawTables.ulaw, lawTables.alaw],
    [lawTables.alaw, lawTables.ulaw],
  ] as const) {
    byFrames.clear();
    byPayloads.clear();
    const payloads = [0, 1, 2].map((party) =>
      Uint8Array.from({ length: samples + 5 }, (_, i) => (party === 2 ? i * 7 : i) % 256),
    );
    const frames = payloads.map((payload) =>
      Int16Array.from(payload.subarray(5), (code) => law.toLinear[code]!),
    );
    for (const [index, payload] of payloads.entries()) {
      byFrames.add(frames[index]!);
      byPayloads.addDecoded(law.toLinear, payload, 5);
    }
    assert.equal(byPayloads.speakers, byFrames.speakers);
    for (const [index, payload] of payloads.entries()) {
      const mix = new Int16Array(samples);
      const expected = new Uint8Array(samples);
      byFrames.minus(frames[index]!, mix);
      encodeByTable(sent.fromLinear, mix, expected, 0);
      const out = new Uint8Array(samples + 12);
      byPayloads.minusEncoded(law, payload, 5, sent, out, 12);
      assert.deepEqual(out.subarray(12), expected);
    }
  }
});

test('a mix of G.711 that is too loud nowhere, or at one sample, has every sample as it is by frames', () => {
  const { toLinear, fromLinear } = lawTables.ulaw;
  const samples = 160;
  const codeOf = (sample: number) => fromLinear[(sample & 0xffff) >> undecidedBits]!;
  // Of whose sum the own part is taken: the greatest codes are 32124 and -32124.
  const cases: [loudest: number, other: number][] = [
    [0, 0],
    [32_124, 620],
    [32_124, 652],
    [-32_124, -620],
    [-32_124, -652],
    [32_124, 32_124],
    [-32_124, -32_124],
  ];
  for (const [loudest, other] of cases)
    for (const at of [0, 77, samples - 1]) {
      const mixer = new Mixer(samples);
      const own = Uint8Array.from({ length: samples }, (_, i) => codeOf(i * 13));
      const others = [loudest, other].map((loud, party) =>
        Uint8Array.from({ length: samples }, (_, i) =>
          codeOf(i === at ? loud : (party * 500 - 200) * (i % 9)),
        ),
      );
      for (const payload of [own, ...others]) mixer.addDecoded(toLinear, payload, 0);
      const expected = Uint8Array.from({ length: samples }, (_, i) => {
        const sum = others.reduce((all, payload) => all + toLinear[payload[i]!]!, 0);
        return codeOf(Math.max(-32_768, Math.min(32_767, sum)));
      });
      const out = new Uint8Array(samples);
      mixer.minusEncoded(lawTables.ulaw, own, 0, lawTables.ulaw, out, 0);
      assert.deepEqual(out, expected);
    }
});
