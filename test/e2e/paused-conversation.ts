import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { Secret } from '../../src/secret.ts';
import type { PauseBehaviour } from '../../src/spool/records.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { pcmBytes } from '../../src/testkit/payload-search.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { ServerProcess } from '../../src/testkit/server-process.ts';
import type { ConferenceBody } from './bodies.ts';
import { eventually } from './eventually.ts';
import { HttpClient, type Page } from './http-client.ts';
import type { Audience } from './scene.ts';

export interface StatusEvent {
  recording_id: string;
  state: string;
  reason?: string;
  at_ms: number;
}

export interface PausedRecordingBody {
  recording_id: string;
  conversation_id: string;
  state: string;
  reason: string | null;
}

/** When something was asked for and when it was answered, monotonic microseconds. */
interface Asked {
  askedUs: number;
  answeredUs: number;
}

export interface PausedConversationOptions {
  audience: Audience;
  http: HttpClient;
  sipUri: string;
  name: string;
}

const utteranceMs = 400;
const terminalStates = ['finished', 'no_input', 'error'];
/** What was sent this long before a pause was asked for is before it for certain, and the same behind it. */
const marginUs = 500_000;

/**
 * A recorded conference of two that speak all the time, Ann in PCMU and Bob in Opus. Ann's call is recorded by itself,
 * too, and it is that recording which pauses the call.
 */
export class PausedConversation {
  readonly name: string;
  readonly ann: PhoneCall;
  readonly bob: PhoneCall;
  readonly annConnectionId: string;
  readonly conversationId: string;
  readonly recordingIds: { call: string; conference: string };
  readonly #options: PausedConversationOptions;
  #paused: Asked | undefined;
  #resumed: Asked | undefined;
  #stopped: Asked | undefined;

  private constructor(
    options: PausedConversationOptions,
    parties: { ann: PhoneCall; bob: PhoneCall },
    ids: { annConnectionId: string; conversationId: string; call: string; conference: string },
  ) {
    this.#options = options;
    this.name = options.name;
    this.ann = parties.ann;
    this.bob = parties.bob;
    this.annConnectionId = ids.annConnectionId;
    this.conversationId = ids.conversationId;
    this.recordingIds = { call: ids.call, conference: ids.conference };
    void speakOn(this.ann, 1);
    void speakOn(this.bob, 2);
  }

  /** Both speak from its return on. */
  static async begin(options: PausedConversationOptions): Promise<PausedConversation> {
    const { audience, http, sipUri, name } = options;
    const joins = [audience.join(name, { do_record: true })];
    const live = (count: number) =>
      eventually(`${count} in ${name}`, async () => {
        const { body } = await http.get<{ conferences: ConferenceBody[] }>('/v1/conferences');
        const found = body.conferences.find((each) => each.name === name);
        return found?.participants.length === count ? found : undefined;
      });
    const ann = await audience.call(sipUri, joins, { codecs: ['PCMU'] });
    await live(1);
    const bob = await audience.call(sipUri, joins, { codecs: ['OPUS'] });
    const conference = await live(2);
    const annConnectionId = conference.participants[0]!.connection_id;
    audience.app.on('/status', () => ({}));
    const wanted = { stereo: true, status_url: audience.app.url('/status') };
    const started = await http.json<PausedRecordingBody>(
      'POST',
      `/v1/connections/${annConnectionId}/recordings`,
      wanted,
    );
    assert.equal(started.status, 201, JSON.stringify(started.body));
    const call = started.body.recording_id;
    await audience.app.waitFor<StatusEvent>(
      '/status',
      (event) => event.recording_id === call && event.state === 'recording',
    );
    const { conversation_id: conversationId } = conference;
    const list = await http.get<Page<PausedRecordingBody>>(
      `/v1/recordings?conversation_id=${conversationId}`,
    );
    const ids = {
      annConnectionId,
      conversationId,
      call,
      conference: list.body.results[0]!.recording_id,
    };
    return new PausedConversation(options, { ann, bob }, ids);
  }

  async pause(behaviour: PauseBehaviour): Promise<void> {
    this.#paused = await this.#ask('pause', { behaviour, scope: 'call' });
  }

  async resume(): Promise<void> {
    this.#resumed = await this.#ask('resume');
  }

  async stop(): Promise<void> {
    this.#stopped = await this.#ask('stop');
  }

  async #ask(what: string, body?: unknown): Promise<Asked> {
    const askedUs = systemClock.monotonicUs();
    const path = `/v1/recordings/${this.recordingIds.call}/${what}`;
    const { http } = this.#options;
    const answer = await (body ? http.json('POST', path, body) : http.post(path));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { askedUs, answeredUs: systemClock.monotonicUs() };
  }

  /** Told of the call's recording, or of another. */
  statusEvents(recordingId = this.recordingIds.call): StatusEvent[] {
    return this.#options.audience.app
      .requests('/status')
      .map(({ body }) => body as StatusEvent)
      .filter((event) => event.recording_id === recordingId);
  }

  terminalEvents(recordingId?: string): StatusEvent[] {
    return this.statusEvents(recordingId).filter(({ state }) => terminalStates.includes(state));
  }

  async ended(recordingId = this.recordingIds.call): Promise<PausedRecordingBody> {
    return eventually(`the end of ${recordingId}`, async () => {
      const { body } = await this.#options.http.get<PausedRecordingBody>(`/v1/recordings/${recordingId}`);
      return body.state === 'ended' ? body : undefined;
    });
  }

  /** Ann's packets before the pause was asked for and after it was over. */
  get annSpoke(): { before: Uint8Array[]; after: Uint8Array[] } {
    const { annBefore, annAfter } = this.#windows();
    return { before: annBefore, after: annAfter };
  }

  /** What was said and heard while it was paused, in the forms that it could lie about in. */
  secrets(): Uint8Array[] {
    const { annPaused, bobPaused, heardPaused } = this.#windows();
    return [...few(annPaused), ...few(heardPaused)]
      .flatMap((payload) => [payload, pcmOf(payload)])
      .concat(few(bobPaused));
  }

  /** The same of what was said before and, where it went on, behind the pause: each is in some file, opened. */
  controls(): { wire: Uint8Array[]; pcm: Uint8Array[] } {
    const { annBefore, annAfter, bobBefore, bobAfter, heardBefore, heardAfter } = this.#windows();
    const ann = [...few(annBefore), ...few(annAfter)];
    return {
      wire: [...ann, ...few(bobBefore), ...few(bobAfter), ...few(heardBefore), ...few(heardAfter)],
      pcm: ann.map(pcmOf),
    };
  }

  #windows() {
    const paused = this.#paused;
    assert.ok(paused, 'it was paused');
    const resumed = this.#resumed ?? {
      askedUs: Number.POSITIVE_INFINITY,
      answeredUs: Number.POSITIVE_INFINITY,
    };
    const stoppedUs = this.#stopped?.askedUs ?? Number.POSITIVE_INFINITY;
    const between = (packets: readonly { atUs: number; payload: Uint8Array }[], from: number, to: number) =>
      packets.filter(({ atUs }) => atUs >= from && atUs < to).map(({ payload }) => payload);
    const sentBy = (call: PhoneCall) =>
      call.sentPayloads.map(({ sentUs, payload }) => ({ atUs: sentUs, payload }));
    const heard = heardBy(this.ann);
    const spans = (packets: { atUs: number; payload: Uint8Array }[]) => ({
      before: between(packets, 0, paused.askedUs - marginUs),
      paused: between(packets, paused.answeredUs, resumed.askedUs - marginUs),
      after: between(packets, resumed.answeredUs + marginUs, stoppedUs),
    });
    const [ann, bob, annHeard] = [spans(sentBy(this.ann)), spans(sentBy(this.bob)), spans(heard)];
    const isSpeech = (payload: Uint8Array) => payload.some((byte) => byte !== payload[0]);
    return {
      annBefore: ann.before,
      annPaused: ann.paused,
      annAfter: ann.after,
      bobBefore: bob.before,
      bobPaused: bob.paused,
      bobAfter: bob.after,
      heardBefore: annHeard.before.filter(isSpeech),
      heardPaused: annHeard.paused.filter(isSpeech),
      heardAfter: annHeard.after.filter(isSpeech),
    };
  }
}

/**
 * What a party heard, and when it was sent: by its RTP time, which runs with the server's, as this process may read late
 * what came.
 */
function heardBy({ receivedPackets }: PhoneCall): { atUs: number; payload: Uint8Array }[] {
  const [first] = receivedPackets;
  if (!first) return [];
  const packets = receivedPackets.map(({ arrivalUs, rtpTime, payload }) => {
    const sinceFirstUs = (((rtpTime - first.rtpTime) >>> 0) * 1_000_000) / 8000;
    return { arrivalUs, sinceFirstUs, payload };
  });
  const firstUs = Math.min(...packets.map(({ arrivalUs, sinceFirstUs }) => arrivalUs - sinceFirstUs));
  return packets.map(({ sinceFirstUs, payload }) => ({ atUs: firstUs + sinceFirstUs, payload }));
}

/** Until the call ends, without a gap, and no two utterances the same. */
async function speakOn(call: PhoneCall, party: number): Promise<void> {
  const say = (index: number) =>
    call.play(noise({ samples: 8 * utteranceMs, seed: 1000 * party + index, levelDbov: -25 }));
  let saying = say(0);
  for (let index = 1; ; index++) {
    const next = say(index);
    if (!(await saying)) return;
    saying = next;
  }
}

/**
 * How many of the patterns are in files below the directory, hidden ones too; a server may write there meanwhile. The
 * phones of this process go on speaking.
 */
export async function patternsIn(directory: string, patterns: readonly Uint8Array[]): Promise<number> {
  assert.ok(patterns.length > 0, 'a search for something');
  const missing = new Set(patterns);
  let files = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await bytesOf(join(entry.parentPath, entry.name));
    files++;
    for (const pattern of missing) {
      if (bytes.includes(pattern)) missing.delete(pattern);
      if (bytes.length > 1 << 18) await setImmediate();
    }
  }
  assert.ok(files > 0, 'a search in something');
  return patterns.length - missing.size;
}

/** None where the file is gone. */
async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return Buffer.alloc(0);
  }
}

/** A file of a recording, channel by channel; kept below `scratch`, too. */
export async function download(
  http: HttpClient,
  recordingId: string,
  channels: string,
  scratch: string,
): Promise<Int16Array[]> {
  const bytes = await http.bytes(`/v1/recordings/${recordingId}/download?channels=${channels}`);
  writeFileSync(join(scratch, `${recordingId}-${channels}.wav`), bytes);
  return decodeWav(bytes).channels;
}

export function clientOf({ publicUrl, dataDir }: ServerProcess): HttpClient {
  const kept = (name: string) => readFileSync(join(dataDir, name), 'utf8').trim();
  return new HttpClient({
    publicUrl,
    credentials: { accountId: kept('account-id'), authToken: new Secret(kept('auth-token')) },
  });
}

export const pausedMs = 1500;
export const speak = (ms: number): Promise<void> => setTimeout(ms);

/** Enough to find what is there, and quick to look for. */
function few<T>(packets: readonly T[]): T[] {
  if (packets.length === 0) return [];
  return [packets[Math.floor(packets.length / 4)]!, packets[Math.floor((packets.length * 3) / 4)]!];
}

function pcmOf(payload: Uint8Array): Uint8Array {
  return pcmBytes(lineCodecs.PCMU.decode(payload));
}
