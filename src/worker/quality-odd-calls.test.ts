import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Resampler } from '../audio/resample.ts';
import type { CodecName, Encoder } from '../codec/codec.ts';
import { createG722Encoder } from '../codec/g722.ts';
import { createOpusEncoder } from '../codec/opus.ts';
import type { ChannelFigures } from '../quality/channel-figures.ts';
import { testVoices } from '../quality/test-voices.ts';
import type { TestTalk } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { TestSpool } from '../spool/test-spool.ts';
import type { MeasuredRecording } from './quality-protocol.ts';
import { type MeasuredCall, measuredRecording } from './test-measured-recording.ts';

const spool = new TestSpool({ ringBytes: 1 << 24 });
after(() => spool.remove());
const [ann, bob] = testVoices.map(({ prompts }) => prompts[0]!.subarray(0, 160_000)) as [
  Int16Array,
  Int16Array,
];
let recordings = 0x30;

function measured(talks: readonly TestTalk[], call: MeasuredCall): Promise<MeasuredRecording> {
  return measuredRecording(spool, (recordings++).toString(16).toUpperCase(), talks, call);
}

function long(voice: Int16Array, seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * 8000 }, (_, at) => voice[at % voice.length]!);
}

function talk(trackId: string, records: SpoolRecord[], leaveUs: number, joinUs = 0): TestTalk {
  return { trackId, records, joinUs, leaveUs };
}

function moved(records: readonly SpoolRecord[], byUs: number): SpoolRecord[] {
  return records.map((each) =>
    each.kind === 'packet' ? { ...each, arrivalUs: each.arrivalUs + byUs } : each,
  );
}

function without(records: readonly SpoolRecord[], fromUs: number, toUs: number): SpoolRecord[] {
  return records.filter(
    (each) => each.kind !== 'packet' || each.arrivalUs < fromUs || each.arrivalUs >= toUs,
  );
}

/** Of a codec that needs a decoder; `samples` at 8 kHz. */
function encoded(samples: Int16Array, codec: CodecName, encoder: Encoder): SpoolRecord[] {
  const resampler = new Resampler(8000, encoder.rateHz);
  const out = new Int16Array(resampler.maxOutput(samples.length) + 48_000);
  const made = resampler.push(samples, out);
  const frame = encoder.rateHz / 50;
  const clockRateHz = codec === 'OPUS' ? 48_000 : 8000;
  const records: SpoolRecord[] = [{ kind: 'format', codec, clockRateHz, payloadType: 96, ssrc: 9 }];
  const payload = new Uint8Array(4000);
  for (let k = 0; (k + 1) * frame <= made; k++) {
    const bytes = encoder.encode(out.subarray(k * frame, (k + 1) * frame), payload);
    if (bytes === 0) continue;
    const rtpTime = (k * clockRateHz) / 50;
    records.push({
      kind: 'packet',
      sequenceNumber: k,
      rtpTime,
      arrivalUs: k * 20_000,
      payload: payload.slice(0, bytes),
    });
  }
  return records;
}

function assertClear({ snrDb, rt60Seconds, speechLevelDbov }: ChannelFigures, told: MeasuredRecording): void {
  const text = JSON.stringify(told);
  assert.ok(snrDb! > 20 && rt60Seconds! < 0.6, text);
  assert.ok(speechLevelDbov! > -35 && speechLevelDbov! < -12, text);
}

for (const rateHz of [8000, 16_000, 48_000]) {
  test(`legs of any codec in a recording at ${rateHz} Hz`, async () => {
    const seconds = 24;
    const voice = long(bob, seconds);
    const talks = [
      talk('pcmu', testStream(long(ann, seconds)).records, seconds * 1e6),
      talk('pcma', testStream(voice, { codec: 'PCMA' }).records, seconds * 1e6),
      talk('g722', encoded(voice, 'G722', createG722Encoder()), seconds * 1e6),
      talk('opus', encoded(voice, 'OPUS', createOpusEncoder(16_000)), seconds * 1e6),
    ];
    const told = await measured(talks, { seconds, rateHz });
    assert.equal(Object.keys(told.channels).length, 4);
    for (const figures of Object.values(told.channels)) assertClear(figures, told);
  });
}

test('who speaks between excerpts by G.722 or Opus is found as well', async () => {
  const seconds = 75;
  const late = new Int16Array(seconds * 8000);
  late.set(bob.subarray(0, 6 * 8000), 25 * 8000);
  const talks = [
    talk('talks', testStream(long(ann, seconds)).records, seconds * 1e6),
    talk('g722', encoded(late, 'G722', createG722Encoder()), seconds * 1e6),
    talk('opus', encoded(late, 'OPUS', createOpusEncoder(48_000)), seconds * 1e6),
  ];
  const told = await measured(talks, { seconds, rateHz: 16_000 });
  for (const figures of Object.values(told.channels)) assertClear(figures, told);
});

test('another SSRC and codec in the middle, silence suppression, a hold and a pause that fall on excerpts', async () => {
  const seconds = 70;
  const voice = long(bob, seconds);
  const first = testStream(voice.subarray(0, 48 * 8000), { ssrc: 1 }).records;
  const second = moved(testStream(voice.subarray(48 * 8000), { ssrc: 2, codec: 'PCMA' }).records, 48e6);
  const whole = testStream(voice).records;
  // Only what is loud is sent.
  const suppressed = whole.filter(
    (each) => each.kind !== 'packet' || each.payload.some((byte) => (byte & 0x7f) < 0x50),
  );
  const talks = [
    talk('changes', first, 48e6),
    talk('changed', second, seconds * 1e6, 48e6),
    talk('suppressed', suppressed, seconds * 1e6),
    talk('held', without(whole, 2e6, 54e6), seconds * 1e6),
    talk('talks', testStream(long(ann, seconds)).records, seconds * 1e6),
  ];
  for (const behaviour of ['silence', 'skip', 'mask'] as const) {
    const pauses = [{ fromUs: 4e6, toUs: 20e6, behaviour }];
    const told = await measured(talks, { seconds, pauses });
    assert.equal(Object.keys(told.channels).length, 5);
    for (const figures of Object.values(told.channels)) assertClear(figures, told);
  }
});

test('of a recording of 0.2 s there is nothing to say, of 3 s a best estimate, of a party without packets why', async () => {
  for (const seconds of [0.2, 3, 20, 20.5]) {
    const samples = bob.subarray(4000, 4000 + seconds * 8000);
    const talks = [talk('says', testStream(samples).records, seconds * 1e6), talk('mute', [], seconds * 1e6)];
    const told = await measured(talks, { seconds });
    const { says, mute } = told.channels;
    assert.equal(mute!.note, 'no_speech');
    if (seconds < 1) assert.deepEqual([says!.snrDb, says!.note], [null, 'no_speech']);
    else assertClear(says!, told);
    assert.equal(says!.note, { 0.2: 'no_speech', 3: 'little_speech' }[seconds] ?? null);
  }
});

test('a transfer in the middle, and who comes to a conference in its third minute', async () => {
  const seconds = 200;
  const far = (fromUs: number, toUs: number, trackId: string, voice: Int16Array) =>
    talk(trackId, moved(testStream(long(voice, (toUs - fromUs) / 1e6)).records, fromUs), toUs, fromUs);
  const talks = [
    far(0, 200e6, 'stays', ann),
    far(0, 31e6, 'transferrer', bob),
    far(31e6, 43e6, 'between', bob),
    far(43e6, 200e6, 'transferee', bob),
    far(172e6, 200e6, 'third', ann),
    far(197e6, 200e6, 'last', bob),
  ];
  const told = await measured(talks, { seconds });
  assert.equal(Object.keys(told.channels).length, talks.length);
  for (const figures of Object.values(told.channels)) assertClear(figures, told);
});
