import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wavHeader } from '../../src/container/wav.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import type { TestServerOptions } from '../../src/testkit/server.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from './eventually.ts';
import { type ErrorBody, type HttpAnswer, HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';
import { utter } from './utterance.ts';

export interface ConsentBody {
  method: string;
  who: string;
  at: string;
  connection_ids: string[];
  audio_offset_ms: number | null;
  notice_ms: number | null;
  clips: { clip_id: string; connection_id: string; start_ms: number; duration_ms: number }[];
}

export interface NoticeBody {
  connection_id: string;
  at_ms: number;
  played_ms: number;
  length_ms: number;
  outcome: string;
  reason: string | null;
}

export interface RecordingBody {
  recording_id: string;
  conversation_id: string;
  connection_id: string | null;
  state: string;
  reason: string | null;
  rate_hz: number;
  duration_ms: number | null;
  recorded_ms: number | null;
  digit: string | null;
  control_id: string | null;
  client_state: unknown;
  format: string;
  stereo: boolean;
  url: string;
  consents: ConsentBody[];
  notices: NoticeBody[];
  channels: { channel_id: string; start_ms: number }[];
}

export interface Party {
  call: PhoneCall;
  connectionId: string;
}

export const rateHz = 8000;
export const [annHz, bobHz, promptHz, secretHz] = partyTonesHz;
/** What a party is told with `beep` and `warning_tone_interval_ms`. */
export const toneHz = 1400;
export const promptMs = 400;
const names = new Map([
  [annHz, 'ann'],
  [bobHz, 'bob'],
  [promptHz, 'prompt'],
  [secretHz, 'secret'],
  [toneHz, 'beep'],
]);
/** At the end of what is said, so that it is over wherever it goes before anything else is asked for. */
const tailMs = 300;

/** A server with two parties who are talked about below: the phones, the REST client, a prompt, and what is in files. */
export class RecorderStage implements AsyncDisposable {
  readonly scene: Scene;
  readonly http: HttpClient;
  readonly #prompts: Server;

  private constructor(scene: Scene, prompts: Server) {
    this.scene = scene;
    this.http = new HttpClient(scene.server.callreel);
    this.#prompts = prompts;
  }

  static async open(options: TestServerOptions = {}): Promise<RecorderStage> {
    const prompts = createServer(({ url }, response) => {
      const durationMs = Number(/^\/(\d+)\.wav$/.exec(url ?? '')?.[1]);
      const samples = tone({ frequencyHz: promptHz, durationMs: durationMs || 0 });
      const head = wavHeader({ rateHz, channels: 1, dataBytes: 2 * samples.length });
      response.statusCode = durationMs > 0 ? 200 : 404;
      response.end(Buffer.concat([head, Buffer.from(samples.buffer)]));
    });
    await new Promise<void>((resolve) => prompts.listen(0, '127.0.0.1', resolve));
    return new RecorderStage(await Scene.open(options), prompts);
  }

  /** A call in the conference; out of it, it hears the prompt, and is in `<conference> again` afterwards. */
  async join(conference: string, count = 1): Promise<Party> {
    const call = await this.scene.call([
      this.scene.join(conference),
      { name: 'Play', sound_url: this.promptUrl(promptMs) } as { name: string },
      this.scene.join(`${conference} again`),
    ]);
    const participants = await this.scene.participants(conference, count);
    return { call, connectionId: participants.at(-1)!.connection_id };
  }

  /** A file of the prompt's tone. */
  promptUrl(durationMs: number): string {
    const { port } = this.#prompts.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${durationMs}.wav`;
  }

  /** Takes the party out of the conference, and waits until it has heard the prompt. */
  async prompt({ connectionId }: Party, conference: string): Promise<void> {
    assert.equal((await this.http.post(`/v1/connections/${connectionId}/leave`)).status, 200);
    await this.scene.participants(`${conference} again`, 1);
  }

  post<Body = ErrorBody>(path: string, body: unknown = {}): Promise<HttpAnswer<Body>> {
    return this.http.json<Body>('POST', path, body);
  }

  /** Starts a recording of the call. */
  async record({ connectionId }: Party, options: object = {}): Promise<RecordingBody> {
    const path = `/v1/connections/${connectionId}/recordings`;
    const { status, body } = await this.post<RecordingBody>(path, options);
    assert.equal(status, 201, JSON.stringify([options, body]));
    return body;
  }

  /** Once it is whole. */
  async stop({ recording_id: recordingId }: RecordingBody): Promise<RecordingBody> {
    const { status, body } = await this.post<RecordingBody>(`/v1/recordings/${recordingId}/stop`);
    assert.deepEqual([status, body.state], [200, 'ended'], JSON.stringify(body));
    return body;
  }

  async get({ recording_id: recordingId }: RecordingBody): Promise<RecordingBody> {
    return (await this.http.get<RecordingBody>(`/v1/recordings/${recordingId}`)).body;
  }

  /** Waits until it is as wanted. */
  in(recording: RecordingBody, state: string): Promise<RecordingBody> {
    return eventually(`${recording.recording_id} ${state}`, async () => {
      const body = await this.get(recording);
      return body.state === state ? body : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
    this.#prompts.closeAllConnections();
    await new Promise<void>((resolve) => this.#prompts.close(() => resolve()));
  }
}

/** Says a tone and is silent for a moment. @returns the samples as the far end decodes them, silence included */
export function sayTone({ call }: Party, frequencyHz: number, durationMs = 400): Promise<Int16Array> {
  const samples = new Int16Array(((durationMs + tailMs) * rateHz) / 1000);
  samples.set(tone({ frequencyHz, durationMs }));
  return utter(call, samples);
}

/** The channels of the file behind `url`, each as long as `recorded_ms` says. */
export async function wavChannels({ url, recorded_ms }: RecordingBody): Promise<Int16Array[]> {
  const audio = await fetchAudio(url);
  assert.equal(audio.rateHz, rateHz);
  for (const { length } of audio.channels) assert.equal(Math.round((length * 1000) / rateHz), recorded_ms);
  return audio.channels;
}

/** Of a file of one channel. */
export async function wavSamples(recording: RecordingBody): Promise<Int16Array> {
  const [samples, ...others] = await wavChannels(recording);
  assert.equal(others.length, 0);
  return samples!;
}

/** Who is in it, anywhere: `ann+bob`. */
export function whoIsIn(samples: Int16Array): string {
  const found: string[] = [];
  for (const [frequencyHz, name] of names) if (hasTone(samples, frequencyHz)) found.push(name);
  return found.join('+');
}

/** The whole window, a tenth of a second: of the edge of a tone alone nobody can tell its frequency. */
function hasTone(samples: Int16Array, frequencyHz: number): boolean {
  for (let at = 0; at + 800 <= samples.length; at += 400)
    if (toneLevelDbov(samples, rateHz, frequencyHz, { start: at, end: at + 800 }) > -25) return true;
  return false;
}
