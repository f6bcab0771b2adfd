import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Impairment } from '../../src/testkit/impairment.ts';
import { type LineCodecName, lineCodecs, packetSamples } from '../../src/testkit/line-codec.ts';
import type { StreamPosition } from '../../src/testkit/media-packet.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { ConversationBody } from './bodies.ts';
import { assertOnlyRun, channelFrom, samplesOf } from './channel-audio.ts';
import { Scene } from './scene.ts';

/**
 * Bad networks, seeded: each packet that arrived must lie where its RTP time says; a loss of up to 60 ms is concealed, a
 * longer one silence.
 */
interface Line {
  name: string;
  codec: LineCodecName;
  impairment: Impairment;
  /** Both counters wrap within the first second. */
  stream: Partial<StreamPosition>;
}

const packets = 150;
const wrapping = { sequenceNumber: 65_520, rtpTime: 2 ** 32 - 20 * packetSamples };

const lines: Line[] = [
  { name: 'loss', codec: 'PCMU', stream: {}, impairment: { seed: 1, lossRate: 0.1 } },
  {
    name: 'reordering and duplicates',
    codec: 'PCMA',
    stream: {},
    impairment: { seed: 2, reorderRate: 0.2, reorderByPackets: 4, duplicateRate: 0.2 },
  },
  { name: 'wraps', codec: 'PCMU', stream: wrapping, impairment: {} },
  {
    name: 'all of it',
    codec: 'PCMU',
    stream: wrapping,
    impairment: {
      seed: 4,
      lossRate: 0.1,
      lossSpans: [{ firstPacket: 14, packets: 8 }],
      reorderRate: 0.1,
      reorderByPackets: 3,
      duplicateRate: 0.1,
      jitterMs: 30,
    },
  },
];

const scene = await Scene.open();
let calls: PhoneCall[];
let conversation: ConversationBody;

before(async () => {
  const command = scene.join('impaired', { do_record: true });
  calls = await Promise.all(
    lines.map(({ codec, stream }) => scene.call([command], { codecs: [codec], stream })),
  );
  const speaking = calls.map((call, seed) =>
    call.play(noise({ samples: packets * packetSamples, seed }), { impairment: lines[seed]!.impairment }),
  );
  assert.ok((await Promise.all(speaking)).every((completed) => completed));
  await Promise.all(calls.map((call) => call.hangUp()));
  conversation = await scene.endedConversation({ conference_name: 'impaired' });
});

after(() => scene[Symbol.asyncDispose]());

for (const [index, { name, impairment }] of lines.entries())
  test(`${name}: each packet that arrived is at its place bit for bit, short losses are concealed`, async () => {
    const call = calls[index]!;
    const samples = await samplesOf(channelFrom(conversation, call).audio);
    const expected = expectedOf(call);
    silenceConcealed(samples, expected, call);
    assertOnlyRun(samples, expected, name);
    const lost = call.lostPackets.length;
    assert.equal(lost > 0, impairment.lossRate !== undefined, `${lost} packets lost`);
    const doubled = call.sentPayloads.length + lost - packets;
    assert.equal(doubled > 0, impairment.duplicateRate !== undefined, `${doubled} packets sent twice`);
  });

test('each channel is as long as its RTP account, and what it waited before and after', () => {
  for (const call of calls) {
    const { start_ms, end_ms, audio } = channelFrom(conversation, call);
    assert.ok(audio.duration_ms >= expectedOf(call).length / 8);
    assert.ok(Math.abs(audio.duration_ms - (end_ms! - start_ms)) <= 1);
  }
});

const maxConcealedSamples = 480;

/** Checks that the short losses are concealed, then makes them the silence they are in `expected`. */
function silenceConcealed(samples: Int16Array, expected: Int16Array, call: PhoneCall): void {
  const isSound = (sample: number): boolean => sample !== 0;
  const start = samples.findIndex(isSound) - expected.findIndex(isSound);
  const offsets = [...new Set(offsetsOf(call))].sort((a, b) => a - b);
  for (const [index, offset] of offsets.entries()) {
    const lossFrom = start + (offsets[index - 1] ?? offset - packetSamples) + packetSamples;
    const lost = samples.subarray(lossFrom, start + offset);
    if (lost.length === 0 || lost.length > maxConcealedSamples) continue;
    assert.ok(lost.some(isSound), `${lost.length} samples lost before sample ${offset} are not concealed`);
    lost.fill(0);
  }
}

/** Samples from the first packet to each. */
function offsetsOf(call: PhoneCall): number[] {
  const [some] = call.sentPayloads;
  const offsets = call.sentPayloads.map(({ rtpTime }) => (rtpTime - some!.rtpTime) | 0);
  const first = Math.min(...offsets);
  return offsets.map((offset) => offset - first);
}

/** By RTP time alone, from the first to the last packet that was sent at all. */
function expectedOf(call: PhoneCall): Int16Array {
  const offsets = offsetsOf(call);
  const expected = new Int16Array(Math.max(...offsets) + packetSamples);
  for (const [index, { payload }] of call.sentPayloads.entries())
    expected.set(lineCodecs[call.codec].decode(payload), offsets[index]!);
  return expected;
}
