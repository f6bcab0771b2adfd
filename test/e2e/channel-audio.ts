import assert from 'node:assert/strict';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { SentPacket } from '../../src/testkit/phone-sender.ts';
import { fetchAudio, monoSamples } from '../../src/testkit/recorded-audio.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import type { AudioBody, ChannelBody, ConversationBody } from './bodies.ts';

/** The samples behind the WAV link of a channel or a mix: mono at 8 kHz, as long as it was said to be. */
export async function samplesOf({ wav_file, duration_ms }: AudioBody): Promise<Int16Array> {
  const audio = await fetchAudio(wav_file);
  assert.equal(audio.rateHz, 8000);
  const samples = monoSamples(audio);
  assert.ok(Math.abs(samples.length / 8 - duration_ms) <= 1, `${samples.length} samples, ${duration_ms} ms`);
  return samples;
}

/** As `samplesOf`, of a recording that goes on: what is settled so far, shorter than what was said. */
export async function settledSamples({ wav_file }: AudioBody): Promise<Int16Array> {
  return monoSamples(await fetchAudio(wav_file));
}

/** The stays of one phone, in their order. */
export function channelsFrom(conversation: ConversationBody, call: PhoneCall): ChannelBody[] {
  return conversation.channels.filter(({ from }) => from === call.session.from.user);
}

/** The only stay of one phone. */
export function channelFrom(conversation: ConversationBody, call: PhoneCall): ChannelBody {
  const [channel, ...others] = channelsFrom(conversation, call);
  assert.ok(channel, `no channel from ${call.session.from.user}`);
  assert.equal(others.length, 0, `${call.session.from.user} has several channels`);
  return channel;
}

/**
 * Asserts that the samples are `expected`, bit for bit, with nothing but silence before and after it.
 * @returns the sample at which it begins
 */
export function assertOnlyRun(samples: Int16Array, expected: Int16Array, label: string): number {
  const start = assertExactRun(samples, expected, { label });
  const around = [samples.subarray(0, start), samples.subarray(start + expected.length)];
  for (const part of around)
    assert.ok(
      part.every((sample) => sample === 0),
      `${label}: something else is in the file, too`,
    );
  return start;
}

/** Packets of a call as the far end decodes them, one after the other. */
export function decoded(call: PhoneCall, packets: readonly Pick<SentPacket, 'payload'>[]): Int16Array {
  return lineCodecs[call.codec].decode(Buffer.concat(packets.map(({ payload }) => payload)));
}
