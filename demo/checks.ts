import { fetchAudio, monoSamples } from '../src/testkit/recorded-audio.ts';
import { findPayloadRun, longestRun } from '../src/testkit/sample-run.ts';
import type { PlacedCall } from './calls.ts';

interface Audio {
  wav_file: string;
  mp3_file: string;
  duration_ms: number;
}

/** As `GET /v0/conversations/{id}` answers. */
export interface Conversation {
  conversation_id: string;
  audio: Audio;
  channels: { connection_id: string; from: string; start_ms: number; end_ms: number; audio: Audio }[];
}

export interface CheckLine {
  ok: boolean;
  what: string;
}

const rateHz = 8000;
/** The channels' clocks start at the conversation's; their ends and the file's lengths may differ by rounding. */
const roundingMs = 1;
/** More of somebody's audio than this, bit for bit, is no coincidence: 50 ms. */
const tracePacketSamples = 400;

/** Compares the files with what left the phones. */
export async function checkConversation(
  conversation: Conversation,
  placed: PlacedCall[],
): Promise<CheckLine[]> {
  const lines: CheckLine[] = [];
  const expect = (ok: boolean, what: string) => lines.push({ ok, what });
  const mix = monoSamples(await fetchAudio(conversation.audio.wav_file));
  expect(lengthFits(mix, conversation.audio), `the mix lasts ${conversation.audio.duration_ms} ms`);
  const optedOut = placed.filter(({ caller }) => caller.optedOut).flatMap(({ said }) => said);
  for (const { caller, said } of placed) {
    const channels = conversation.channels.filter(({ from }) => from === caller.number);
    const stays = caller.optedOut ? 0 : said.length;
    expect(channels.length === stays, `${caller.name} has ${stays} channel${stays === 1 ? '' : 's'}`);
    const connections = new Set(channels.map(({ connection_id }) => connection_id));
    if (stays > 1) expect(connections.size === 1, `${caller.name}'s channels are of one connection`);
    for (const [index, channel] of channels.entries()) {
      const samples = monoSamples(await fetchAudio(channel.audio.wav_file));
      const found = findPayloadRun(samples, said[index] ?? new Int16Array(1));
      expect(
        found >= 0,
        `${caller.name}'s channel ${index + 1} holds every sample that was said, bit for bit`,
      );
      expect(lengthFits(samples, channel.audio), `... and lasts ${channel.audio.duration_ms} ms`);
      for (const other of optedOut)
        expect(
          longestRun(samples, other).length < tracePacketSamples,
          '... and nothing of the opted-out party',
        );
    }
  }
  for (const audio of [conversation.audio, ...conversation.channels.map((channel) => channel.audio)]) {
    const response = await fetch(audio.mp3_file);
    const bytes = (await response.arrayBuffer()).byteLength;
    expect(response.ok && bytes > 1000, `an MP3 of ${bytes} bytes`);
  }
  return lines;
}

function lengthFits(samples: Int16Array, audio: Audio): boolean {
  return Math.abs((samples.length * 1000) / rateHz - audio.duration_ms) <= roundingMs;
}
