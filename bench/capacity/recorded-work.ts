import assert from 'node:assert/strict';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { LocalStore } from '../object-store.ts';
import { assertMp3 } from '../ready/encoded-check.ts';
import type { BenchServer, FileFormat, ServerUsage, UsageMark } from './bench-server.ts';
import { connectCall, firstNumber, type Stage, streamsOf } from './connect-call.ts';
import type { LoadTotals } from './load-generator.ts';
import {
  assertLength,
  download,
  endedRecordings,
  type Findings,
  indexOfCaller,
  minutesOf,
  noFindings,
  verifyFile,
  verifyRecordings,
  wavSamples,
} from './recorded-calls.ts';
import { startsIn } from './recording-starts.ts';
import type { StreamAudio } from './stream-audio.ts';
import { callerOf } from './two-party-signalling.ts';
import { ChannelSum } from './verify-mix.ts';

export interface EndedWork {
  server: BenchServer;
  calls: number;
  audio: StreamAudio;
  totals: LoadTotals;
  /** Before the first of them hung up. */
  ending: UsageMark;
}

export interface WorkFindings extends Findings {
  /** What was used from there until all that was asked for was there. */
  ended: ServerUsage;
  /** Of all calls together. */
  recordedMinutes: number;
}

/** What a server is asked to do with two parties that talk, and what must then be there. */
export interface RecordedWork extends AsyncDisposable {
  readonly files?: FileFormat | undefined;
  readonly settings: Readonly<Record<string, string>>;
  /** Whether some of its calls may come and go before. */
  readonly warmsUp?: boolean;
  routine(call: number, calledUri: string): unknown[];
  /** Until both parties talk. */
  connect(stage: Stage, call: number): Promise<void>;
  /** Once all of them do. */
  begun(server: BenchServer): Promise<void>;
  /** @throws Error where something is missing, or other than what was sent */
  verify(ended: EndedWork): Promise<WorkFindings>;
}

export const works = {
  /** `CallPhone` with `do_record`, a stereo file along with it where a format is given. */
  phone: async (files?: FileFormat): Promise<RecordedWork> => new PhoneWork({ files, srtp: false }),
  /** The same by SRTP on both sides. */
  srtp: async (): Promise<RecordedWork> => new PhoneWork({ files: 'wav', srtp: true }),
  /** Each call recorded by itself as MP3, sent along with it to a storage. */
  'mp3-to-s3': async (): Promise<RecordedWork> => new StoredWork(await LocalStore.open()),
  /** What Sift's guide promises: a conference, the mix and a file for each party, their figures, and the event. */
  sift: async (): Promise<RecordedWork> => new ConferenceWork(await CallbackApp.create()),
};

export type PromisedWork = 'srtp' | 'mp3-to-s3' | 'sift';
export const promisedWorks: readonly PromisedWork[] = ['srtp', 'mp3-to-s3', 'sift'];

class PhoneWork implements RecordedWork {
  readonly files: FileFormat | undefined;
  readonly settings: Record<string, string>;
  readonly warmsUp = true;
  readonly #srtp: boolean;

  constructor({ files, srtp }: { files: FileFormat | undefined; srtp: boolean }) {
    this.files = files;
    this.#srtp = srtp;
    this.settings = srtp ? { CALLREEL_RTP_SRTP: 'required' } : {};
  }

  routine(_call: number, calledUri: string): unknown[] {
    return [{ name: 'CallPhone', phone_number: calledUri, do_record: true }];
  }

  connect(stage: Stage, call: number): Promise<void> {
    return connectCall(stage, call, { srtp: { caller: this.#srtp, called: this.#srtp } });
  }

  async begun(): Promise<void> {}

  async verify({ calls, ending, ...run }: EndedWork): Promise<WorkFindings> {
    const recordings = await endedRecordings(run.server, calls, this.files !== undefined);
    const ended = run.server.usageSince(ending);
    const findings = await verifyRecordings({ ...run, files: this.files }, recordings);
    return { ...findings, ended, recordedMinutes: minutesOf(recordings) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const startsAtOnce = 8;

class StoredWork implements RecordedWork {
  readonly settings: Record<string, string>;
  readonly #store: LocalStore;

  constructor(store: LocalStore) {
    this.#store = store;
    this.settings = { CALLREEL_DELIVERY_ENDPOINTS_S3: store.endpoint.href };
  }

  routine(_call: number, calledUri: string): unknown[] {
    return [{ name: 'CallPhone', phone_number: calledUri }];
  }

  connect(stage: Stage, call: number): Promise<void> {
    return connectCall(stage, call);
  }

  async begun(server: BenchServer): Promise<void> {
    const callers: Connection[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const cursor: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
      const path = `/v1/connections?direction=incoming&limit=200${cursor}`;
      const page: { next: string | null; results: Connection[] } = await server.api('GET', path);
      callers.push(...page.results);
      next = page.next;
    }
    const startSome = async () => {
      for (let each = callers.pop(); each; each = callers.pop())
        await server.api('POST', `/v1/connections/${each.connection_id}/recordings`, {
          format: 'mp3',
          destination: {
            url: `s3://${this.#store.bucket}/${keyOf(each.from)}`,
            credentials: this.#store.credentials,
          },
        });
    };
    await Promise.all(Array.from({ length: startsAtOnce }, startSome));
  }

  /** Of each party what was said while it was recorded; the object is the mix of it. */
  async verify({ server, calls, audio, totals, ending }: EndedWork): Promise<WorkFindings> {
    const objects = await Promise.all(
      Array.from({ length: calls }, (_, call) => this.#store.visible(keyOf(callerOf(call)))),
    );
    const ended = server.usageSince(ending);
    const findings = noFindings();
    const recordings = await endedCallRecordings(server, calls);
    for (const { recording_id: id, recorded_ms: recordedMs, from } of recordings) {
      const call = indexOfCaller(from, calls);
      const stereo = await download(server, id, 'stereo');
      verifyFile(findings, stereo, streamsOf(call), audio, totals, false);
      assertLength(wavSamples(stereo), recordedMs);
      const content = await this.#store.read(keyOf(from));
      assert.equal(content.length, objects[call]!.bytes);
      await assertMp3(content, [wavSamples(await download(server, id, 'mono'))]);
    }
    return { ...findings, ended, recordedMinutes: minutesOf(recordings) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}

interface Connection {
  connection_id: string;
  from: string;
}

function keyOf(from: string): string {
  return `${from.replace('+', '')}.mp3`;
}

async function endedCallRecordings(server: BenchServer, calls: number) {
  const ended = await endedRecordings(server, calls, false);
  return await Promise.all(
    ended.map(async (recording) => {
      const path = `/v1/connections/${recording.connection_id}`;
      return { ...recording, from: (await server.api<Connection>('GET', path)).from };
    }),
  );
}

const endedPath = '/events';

class ConferenceWork implements RecordedWork {
  readonly settings = {};
  readonly #app: CallbackApp;

  constructor(app: CallbackApp) {
    this.#app = app.on(endedPath, () => ({}));
  }

  routine(call: number): unknown[] {
    const conference = { conference_name: `conference ${call}`, event_callback: this.#app.url(endedPath) };
    return [{ name: 'JoinConference', ...conference, do_record: true }];
  }

  async connect({ signalling, server, load }: Stage, call: number): Promise<void> {
    for (const stream of streamsOf(call)) {
      const own = { port: load.ports[stream]! };
      const uri = server.process.sipUri(String(firstNumber + call));
      load.sendTo(stream, await signalling.join(stream, uri, own), own);
    }
  }

  async begun(): Promise<void> {}

  /** All that its event names is fetched: WAV and MP3 of each party and of the mix. */
  async verify({ server, calls, audio, totals, ending }: EndedWork): Promise<WorkFindings> {
    const findings = noFindings();
    let recordedMinutes = 0;
    const told = new Set<string>();
    for (let call = 0; call < calls; call++) {
      const name = `conference ${call}`;
      const { body } = await this.#app.waitFor<SiftEvent>(
        endedPath,
        ({ type, conference_name }) => type === 'ended' && conference_name === name,
        eventTimeoutMs,
      );
      const { conversation_id: id } = body as SiftEvent;
      assert.ok(!told.has(id));
      told.add(id);
      const conversation = await server.api<SiftConversation>('GET', `/v0/conversations/${id}`);
      const { channels, audio: mix } = conversation;
      assert.equal(channels.length, 2);
      const mixed = wavSamples(await fetched(mix.wav_file));
      assertLength(mixed, mix.duration_ms);
      const starts = startsIn(server.dataDir, id);
      const sum = new ChannelSum(starts.recording, mixed.length);
      for (const { connection_id: connectionId, from, audio: files } of channels) {
        const stream = indexOfCaller(from, calls * 2);
        assert.ok(typeof files.snr === 'number' && typeof files.rt60 === 'number');
        const wav = await fetched(files.wav_file);
        verifyFile(findings, wav, [stream], audio, totals);
        await assertMp3(await fetched(files.mp3_file), [wavSamples(wav)]);
        const channel = starts.channels.find((each) => each.connectionId === connectionId);
        sum.add(wavSamples(wav), channel?.startSample ?? Number.NaN);
      }
      assert.equal(sum.verify(mixed).wrongSamples, 0, 'the mix is not the sum of its channels');
      await assertMp3(await fetched(mix.mp3_file), [mixed]);
      recordedMinutes += mix.duration_ms / 60_000;
    }
    return { ...findings, recordings: told.size, recordedMinutes, ended: server.usageSince(ending) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#app.close();
  }
}

const eventTimeoutMs = 60_000;

interface SiftEvent {
  type: string;
  conference_name: string;
  conversation_id: string;
}

interface SiftAudio {
  wav_file: string;
  mp3_file: string;
  duration_ms: number;
  snr: number;
  rt60: number;
}

interface SiftConversation {
  audio: SiftAudio;
  channels: { connection_id: string; from: string; audio: SiftAudio }[];
}

async function fetched(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
