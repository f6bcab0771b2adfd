import assert from 'node:assert/strict';
import type { Leg } from '../../src/call/leg.ts';
import type { Recording } from '../../src/call/recording.ts';
import { SiftIncoming } from '../../src/dialects/sift/incoming.ts';
import type { VerbPerformer } from '../../src/script/performer.ts';
import type { Prompt, Verb, VerbResults } from '../../src/script/verb.ts';
import { readServerAddress } from '../../src/server-address.ts';
import { parseSipUri } from '../../src/sip/uri.ts';
import { lineCodecs, packetPayloads } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { type IncomingPhoneCall, Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { assertExactRun, longestRun } from '../../src/testkit/sample-run.ts';
import type { TestServerOptions } from '../../src/testkit/server.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { PromptServer } from './prompt-server.ts';
import type { RecordingBody } from './recorder-stage.ts';
import { Scene, type SceneCallOptions } from './scene.ts';

export const rateHz = 8000;
/** Of all stages: a call is known by who calls. */
const arrivals = new Map<string, (leg: Leg) => void>();
let lastNumber = 15_560_000_000;
const tailSamples = 2400;

/** A call, from both of its ends. */
export interface Performance {
  /** What the script has. */
  leg: Leg;
  perform<V extends Verb>(verb: V, signal?: AbortSignal): Promise<VerbResults[V['verb']]>;
  /** What the caller has, once it is answered; rejects with the refusal. */
  answered: Promise<PhoneCall>;
  /** The provisional statuses so far. */
  progress: number[];
}

/** A server whose calls are handed to the test, in place of an application. */
export class VerbStage implements AsyncDisposable {
  readonly scene: Scene;
  readonly http: HttpClient;
  readonly performer: VerbPerformer;
  readonly #prompts: PromptServer;
  readonly #phones: Phone[] = [];

  private constructor(scene: Scene, prompts: PromptServer) {
    this.scene = scene;
    const { callreel, dataDir } = scene.server;
    // Whatever is given out as its address.
    this.http = new HttpClient({ ...callreel, publicUrl: readServerAddress(dataDir) ?? '' });
    this.performer = scene.server.callreel.performer('native');
    this.#prompts = prompts;
  }

  static async open(options?: TestServerOptions): Promise<VerbStage> {
    const stage = new VerbStage(await Scene.open(options), await PromptServer.open());
    SiftIncoming.prototype.answer = async (leg) => arrivals.get(leg.connection.from)?.(leg);
    return stage;
  }

  /** What was asked for over HTTP. */
  get fetched(): readonly string[] {
    return this.#prompts.fetched;
  }

  /** A call that nothing was done with yet. */
  async call(options: SceneCallOptions = {}): Promise<Performance> {
    const number = `+${++lastNumber}`;
    const { promise, resolve } = Promise.withResolvers<Leg>();
    arrivals.set(number, resolve);
    const progress: number[] = [];
    const onProgress = (status: number) => void progress.push(status);
    const answered = this.scene.call([], { number, onProgress, ...options });
    answered.catch(() => undefined);
    const leg = await promise;
    return {
      leg,
      answered,
      progress,
      perform: (verb, signal) => this.performer.perform(leg, verb, signal),
    };
  }

  /** One that is answered already. */
  async answeredCall(options?: SceneCallOptions): Promise<Performance & { phone: PhoneCall }> {
    const performance = await this.call(options);
    await performance.perform({ verb: 'answer' });
    return { ...performance, phone: await performance.answered };
  }

  /** A prompt that stands nowhere else, and how a telephone hears it. */
  prompt(samples: number): { prompt: Prompt & { kind: 'url' }; sound: Int16Array } {
    const { url, samples: sent } = this.#prompts.prompt(samples);
    return { prompt: { kind: 'url', url }, sound: lineCoded(sent) };
  }

  /** A phone that a trunk of its own reaches by these numbers. */
  async dialled(prefix: string, onCall?: (call: IncomingPhoneCall) => unknown): Promise<Phone> {
    const called = await Phone.create({ number: 'called' });
    this.#phones.push(called);
    called.onCall = onCall;
    const trunk = { name: `to${prefix.slice(1)}`, host: '127.0.0.1', port: parseSipUri(called.sipUri)?.port };
    const made = await this.http.json('POST', '/v1/trunks', { ...trunk, routes: [{ prefix }] });
    assert.equal(made.status, 201);
    await this.http.json('POST', '/v1/dial-permissions', { prefix, allow: true });
    return called;
  }

  /** Waits until the party can be heard by another one. */
  async inConversation({ leg }: Pick<Performance, 'leg'>): Promise<void> {
    const { calls } = this.scene.server.callreel;
    const both = () => calls.conferenceOf(leg.id)?.memberCount === 2 || undefined;
    await eventually('two in a conversation', both);
    await calls.conferenceOf(leg.id)!.worker.send({ verb: 'worker.stats' });
  }

  /** What is known of a recording. */
  async body({ recordingId, conversationId }: Recording): Promise<RecordingBody> {
    await this.scene.server.callreel.calls.written(conversationId);
    return (await this.http.get<RecordingBody>(`/v1/recordings/${recordingId}`)).body;
  }

  /** The file of a recording that has ended. */
  async file(recording: Recording): Promise<Int16Array> {
    const { url } = await this.body(recording);
    const { channels } = await fetchAudio(url);
    assert.equal(channels.length, 1);
    return channels[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.close()));
    await this.scene[Symbol.asyncDispose]();
    await this.#prompts.close();
  }
}

/** Says something and is silent for a moment, so that all of it is over wherever it goes. @returns it as it is heard */
export async function speak(phone: PhoneCall, samples: number, seed: number): Promise<Int16Array> {
  const said = noise({ samples, seed });
  await phone.play(joined(said, new Int16Array(tailSamples)));
  return lineCoded(said);
}

/** Whether it is there by way of a jitter buffer, which may change something where the machine is busy. */
export function isHeard(samples: Int16Array, sound: Int16Array): boolean {
  return longestRun(samples, sound).length >= 480;
}

export function assertHeard(samples: Int16Array, sound: Int16Array): void {
  assert.ok(isHeard(samples, sound), 'it is not there');
}

/**
 * Whole and in order, from its first sample to its last. What we play while the machine stands still goes on behind
 * whole packets of silence: those are no part of it.
 */
export function assertPlayed(samples: Int16Array, sound: Int16Array, label?: string): void {
  let rest = samples;
  for (;;) {
    const { start, expectedStart, length } = longestRun(rest, sound);
    const end = start + length;
    if (length >= sound.length || length < 160) break;
    const silence = expectedStart > 0 ? silenceBefore(rest, start) : silenceFrom(rest, end);
    if (silence === 0) break;
    const cut = expectedStart > 0 ? start - silence : end;
    rest = joined(rest.subarray(0, cut), rest.subarray(cut + silence));
  }
  assertExactRun(rest, sound, { label });
}

/** @returns samples of whole packets that are silent, from there on */
function silenceFrom(samples: Int16Array, start: number): number {
  let end = start;
  while (samples[end] === 0) end++;
  return wholePackets(end - start);
}

function silenceBefore(samples: Int16Array, end: number): number {
  let start = end;
  while (start > 0 && samples[start - 1] === 0) start--;
  return wholePackets(end - start);
}

function wholePackets(samples: number): number {
  return samples - (samples % 160);
}

/** As it sounds after G.711. */
export function lineCoded(samples: Int16Array): Int16Array {
  const { PCMU } = lineCodecs;
  return PCMU.decode(Buffer.concat(packetPayloads(PCMU, samples))).subarray(0, samples.length);
}

export function joined(...parts: Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
