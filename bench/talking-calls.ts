import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { makeTemporaryDir } from '../src/database/temporary-database.ts';
import { CallbackApp } from '../src/testkit/callback-app.ts';
import { Phone } from '../src/testkit/phone.ts';
import type { PhoneCall } from '../src/testkit/phone-call.ts';
import { ServerProcess } from '../src/testkit/server-process.ts';
import { speech, speechNames } from '../src/testkit/speech.ts';
import { TimeController } from './fast-forward/controller.ts';

const number = '1000';
/** Phones live in real time: they refresh no session while hours pass. */
const sessionExpiresSeconds = 86_400;
const patientSettings = {
  CALLREEL_DRAIN_SECONDS: '0',
  CALLREEL_SIP_SESSION_EXPIRES_SECONDS: String(sessionExpiresSeconds),
};
/** Enough of a stream for its end of time to be known before time is driven. */
const firstWordsMs = 2000;

export interface Party {
  connectionId: string;
  call: PhoneCall;
}

export interface Conversation {
  name: string;
  parties: Party[];
}

interface Incoming {
  connection: { connection_id: string; from: string };
}

/**
 * A Callreel in a process of its own with phones that talk without a pause, and whose hours pass in seconds: its media
 * workers receive, mix, record and write what comes in that time, packet by packet, and the rest of it lives in real time.
 *
 *     const calls = await TalkingCalls.open();
 *     const { parties } = await calls.connect('ann and bob', 2);   // in one conference, by their own INVITEs
 *     await calls.api('POST', `/v1/connections/${parties[0].connectionId}/recordings`, {});
 *     await calls.forward(2 * 3600_000);
 *     await parties[0].call.hangUp();                              // a real BYE
 */
export class TalkingCalls implements AsyncDisposable {
  readonly app: CallbackApp;
  readonly server: ServerProcess;
  readonly #time: TimeController;
  readonly #phones: Phone[] = [];
  readonly #rooms = new Map<string, { conference: string; record: boolean }>();
  readonly #connectionIds = new Map<string, string>();
  #lastNumber = 15_550_000_000;

  private constructor(app: CallbackApp, server: ServerProcess, time: TimeController) {
    this.app = app;
    this.server = server;
    this.#time = time;
  }

  /**
   * @param settings of the server, as environment variables
   * @param profile directory of CPU profiles of its threads
   */
  static async open(settings: Record<string, string> = {}, profile?: string): Promise<TalkingCalls> {
    const app = await CallbackApp.create();
    const time = await TimeController.open();
    const profiling = profile === undefined ? '' : ` --cpu-prof --cpu-prof-dir=${profile}`;
    const nodeOptions = time.nodeOptions + profiling;
    const server = await ServerProcess.start({
      dataDir: makeTemporaryDir(),
      numbers: [{ number, onIncoming: app.url('/incoming') }],
      settings: { ...patientSettings, ...settings, NODE_OPTIONS: nodeOptions },
    });
    const calls = new TalkingCalls(app, server, time);
    app.on<Incoming>('/incoming', ({ connection }) => calls.#answer(connection));
    app.on('/events', () => ({}));
    return calls;
  }

  /**
   * So many phones call in, join one conference and talk.
   * @param record whether the conference is recorded from its beginning, with `ended` to `/events` of `app`
   */
  async connect(name: string, phones: number, record = false): Promise<Conversation> {
    const parties: Party[] = [];
    for (let index = 0; index < phones; index++) {
      const from = `+${++this.#lastNumber}`;
      this.#rooms.set(from, { conference: name, record });
      const phone = await Phone.create({ number: from, sessionExpiresSeconds });
      this.#phones.push(phone);
      const call = await phone.call(this.server.sipUri(number));
      void talk(call, speechNames[index % speechNames.length]!);
      const connectionId = this.#connectionIds.get(from);
      assert.ok(connectionId);
      parties.push({ connectionId, call });
    }
    await wait(firstWordsMs);
    return { name, parties };
  }

  /** Every call goes on for so long, in as little time as it takes. @returns packets received meanwhile */
  forward(durationMs: number, pieceMs?: number): Promise<number> {
    return this.#time.forward(durationMs, pieceMs);
  }

  /** The native API; a JSON body each way. @throws Error for any other answer than 2xx */
  async api<Body>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Body> {
    const response = await fetch(this.server.publicUrl + path, {
      method,
      headers: {
        authorization: this.server.authorization,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.close()));
    await this.app.close();
    this.server.signal('SIGTERM');
    await this.server.exited;
    await this.#time[Symbol.asyncDispose]();
    rmSync(this.server.dataDir, { recursive: true, force: true });
  }

  #answer({ from, connection_id: connectionId }: Incoming['connection']): object {
    const room = this.#rooms.get(from);
    if (!room) return { routine: [{ name: 'HangUp' }] };
    this.#connectionIds.set(from, connectionId);
    return {
      routine: [
        {
          name: 'JoinConference',
          conference_name: room.conference,
          ...(room.record && { do_record: true }),
          event_callback: this.app.url('/events'),
        },
      ],
    };
  }
}

/** Until the call ends. */
async function talk(call: PhoneCall, language: (typeof speechNames)[number]): Promise<void> {
  const words = await speech(language);
  while (await call.play(words));
}
