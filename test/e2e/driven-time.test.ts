import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TalkingCalls } from '../../bench/talking-calls.ts';
import { decodeUlaw } from '../../src/codec/g711.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';

/** What benches measure on: hours of a call that pass in seconds are in the recording as if they had taken hours. */
const minutes = 10;
const rateHz = 8000;
const packetSamples = 160;
const edgeMs = 30_000;
/** What may be on its way, or sent before the order came, on a busy machine. */
const slackPackets = 600;

interface RecordingBody {
  recording_id: string;
  state: string;
  recorded_ms: number;
  url: string;
}

test('time that is driven: every packet is recorded, sample for sample, on both sides', async () => {
  await using calls = await TalkingCalls.open();
  const { parties } = await calls.connect('driven', 2);
  const [ann, bob] = parties;
  const { recording_id: id } = await calls.api<RecordingBody>(
    'POST',
    `/v1/connections/${ann!.connectionId}/recordings`,
    { format: 'wav', stereo: true },
  );
  const saidBefore = [ann!, bob!].map(({ call }) => call.sentPayloads.length);
  const packets = await calls.forward(minutes * 60_000, minutes * 60_000);
  assert.equal(Math.round(packets / (2 * minutes * 60 * 50)), 1);
  await bob!.call.hangUp();
  await ann!.call.hangUp();
  const recording = await eventually('the end', async () => {
    const body = await calls.api<RecordingBody>('GET', `/v1/recordings/${id}`);
    return body.state === 'ended' ? body : undefined;
  });
  const { channels } = await fetchAudio(recording.url);
  const [said, heard] = channels;
  assert.equal(Math.round((said!.length * 1000) / rateHz), recording.recorded_ms);
  assert.ok(Math.abs(recording.recorded_ms - minutes * 60_000) < 10_000, String(recording.recorded_ms));
  assertRepeats(said!, ann!.call, saidBefore[0]!);
  assertRepeats(heard!, bob!.call, saidBefore[1]!);
});

/** A phone's packets by then, one after another, again and again, without a sample between or missing. */
function assertRepeats(samples: Int16Array, call: PhoneCall, sentBefore: number): void {
  const from = (edgeMs * rateHz) / 1000;
  const to = minutes * 60 * rateHz - from;
  const period = findPeriod(samples, from, sentBefore);
  for (let at = from; at + period < to; at++)
    if (samples[at] !== samples[at + period]) assert.fail(`another sample at ${at + period}`);
  const payload = Buffer.concat(
    call.sentPayloads.slice(0, period / packetSamples).map((sent) => sent.payload),
  );
  const said = new Int16Array(payload.length);
  decodeUlaw(payload, said);
  assertExactRun(samples.subarray(from, from + 2 * period), said);
}

/**
 * Of what had arrived by then: the last packets were on their way. A pause in the words repeats itself sooner, so what is
 * compared is as long as the longest period.
 */
function findPeriod(samples: Int16Array, from: number, sentBefore: number): number {
  const compared = samples.subarray(from, from + (sentBefore + slackPackets) * packetSamples);
  for (
    let packets = Math.max(1, sentBefore - slackPackets);
    packets <= sentBefore + slackPackets;
    packets++
  ) {
    const period = packets * packetSamples;
    if (compared.every((sample, at) => sample === samples[from + period + at])) return period;
  }
  return assert.fail(`no period of about ${sentBefore} packets`);
}
