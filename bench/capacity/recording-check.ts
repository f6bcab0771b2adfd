import { sleep, systemClock } from '../../src/clock.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { BenchServer } from './bench-server.ts';
import {
  assertLength,
  type Findings,
  noFindings,
  type RecordingBody,
  readRecording,
} from './recorded-calls.ts';
import { packetSamples, type StreamAudio } from './stream-audio.ts';
import { verifyChannel } from './verify-channel.ts';

/** A call that has ended; the caller's side first. */
export interface EndedCall {
  /** Who called. */
  from: string;
  /** Of the stream's packets, those of this call. */
  sides: { stream: number; from: number; to: number }[];
}

const checkersAtOnce = 4;
const pollMs = 500;
const endTimeoutMs = 60_000;
const samplesPerMs = 8;

/** Verifies the stereo files of calls as they end, packet by packet, and erases their recordings. */
export class RecordingCheck {
  readonly findings: Findings = noFindings();
  /** What is wrong beside samples. */
  readonly faults: string[] = [];
  readonly #server: BenchServer;
  readonly #audio: StreamAudio;
  readonly #waiting: EndedCall[] = [];
  readonly #checkers: Promise<void>[] = [];
  #finishing = false;

  constructor(server: BenchServer, audio: StreamAudio) {
    this.#server = server;
    this.#audio = audio;
    for (let checker = 0; checker < checkersAtOnce; checker++) this.#checkers.push(this.#check());
  }

  add(call: EndedCall): void {
    this.#waiting.push(call);
  }

  /** Resolves when every call that was added is verified. */
  async finish(): Promise<void> {
    this.#finishing = true;
    await Promise.all(this.#checkers);
  }

  async #check(): Promise<void> {
    for (;;) {
      const call = this.#waiting.shift();
      if (call)
        try {
          await this.#verify(call);
        } catch (error) {
          this.faults.push(`${call.from}: ${error instanceof Error ? error.message : error}`);
        }
      else if (this.#finishing) return;
      else await sleep(systemClock, pollMs);
    }
  }

  async #verify({ from, sides }: EndedCall): Promise<void> {
    const { recording_id: id, reason, file, recorded_ms: recordedMs } = await this.#ended(from);
    if (reason !== 'conversation_ended') throw new Error(`the recording ended by ${reason}`);
    const { channels } = decodeWav(await readRecording(file!.path!));
    if (channels.length !== sides.length) throw new Error(`a file of ${channels.length} channels`);
    assertLength(channels[0]!, recordedMs);
    for (const [index, { stream, from: first, to }] of sides.entries()) {
      const found = verifyChannel(channels[index]!, this.#audio, stream, { from: first, to });
      const { findings } = this;
      findings.gapSamples += found.gapSamples;
      const missing = found.missingAtBegin + Math.abs(found.missingAtEnd);
      findings.lostPackets += found.gapSamples / packetSamples + missing;
      findings.leadingMs = Math.max(findings.leadingMs, found.leadingSamples / samplesPerMs);
      if (found.gapSamples + missing > 0)
        this.faults.push(`${from}: ${JSON.stringify({ id, stream, first, to, ...found })}`);
    }
    this.findings.recordings++;
    await this.#server.api('DELETE', `/v1/recordings/${id}`);
  }

  /** @throws Error where it does not come to its end */
  async #ended(from: string): Promise<RecordingBody> {
    const path = `/v1/recordings?party=${encodeURIComponent(from)}`;
    const untilUs = systemClock.monotonicUs() + endTimeoutMs * 1000;
    for (;;) {
      const { results } = await this.#server.api<{ results: RecordingBody[] }>('GET', path);
      const [recording] = results;
      if (results.length > 1) throw new Error(`${results.length} recordings of one call`);
      if (recording?.state === 'ended' && recording.file?.state === 'written') return recording;
      if (systemClock.monotonicUs() > untilUs) throw new Error(`no file: ${JSON.stringify(results)}`);
      await sleep(systemClock, pollMs);
    }
  }
}
