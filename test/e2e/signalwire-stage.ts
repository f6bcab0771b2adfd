import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CallOptions, type IncomingPhoneCall, Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { fetchAudio, type RecordedAudio } from '../../src/testkit/recorded-audio.ts';
import type { CallbackRequest } from '../../src/testkit/request-log.ts';
import type { TestServerOptions } from '../../src/testkit/server.ts';
import { eventually } from './eventually.ts';
import { type HttpAnswer, HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

/** A status callback of a recording (docs/dialects/signalwire.md, W17 to W27). */
export interface RecordEvent {
  event_type: string;
  event_channel: string;
  timestamp: number;
  project_id: string;
  space_id: string;
  params: {
    call_id: string;
    node_id: string;
    control_id: string;
    state: string;
    recording_id: string;
    url: string;
    duration?: number;
    size?: number;
    format?: string;
    start_time?: number;
    end_time?: number;
    pause_behavior?: string;
    record?: {
      url: string;
      duration: number;
      size: number;
      format: string;
      audio: { format: string; direction: string; stereo: boolean };
    };
  };
}

export interface CallLeg {
  id: string;
  from: string;
  to: string;
  status: string;
  direction: string;
  type: string;
  url: string | null;
}

export interface RestRecording {
  id: string;
  project_id: string;
  duration_in_seconds: number;
  status: string;
  url: string;
  stereo: boolean;
  byte_size: number | null;
  track: string;
  error_code: string | null;
  relay_sip_leg_id?: string;
  relay_conference_id?: string;
}

const statusPath = '/record-status';
export const swmlPath = '/swml';
/** Whose document is asked for, and whose is kept with the application. */
export const [askedNumber, inlineNumber] = ['2000', '2001'];

export interface SignalwireStageOptions extends Omit<TestServerOptions, 'numbers'> {
  /** Of the number whose document is kept. */
  inline?: Record<string, unknown>;
}

/** A server with applications of this dialect, phones that it calls, and what it is told. */
export class SignalwireStage implements AsyncDisposable {
  readonly scene: Scene;
  readonly http: HttpClient;
  readonly statusUrl: string;
  /** What the application answers with the next time. */
  document: unknown = { version: '1.0.0', sections: { main: [] } };
  /** By who calls: instead of `document`. */
  readonly documents = new Map<string, unknown>();
  readonly #phones: Phone[] = [];
  #numbers = 0;

  private constructor(scene: Scene) {
    this.scene = scene;
    this.http = new HttpClient(scene.server.callreel);
    this.statusUrl = scene.handle(statusPath, () => ({}));
    scene.handle<{ call: { from: string } }>(
      swmlPath,
      ({ call: { from } }) => this.documents.get(from) ?? this.document,
    );
  }

  static async open({ inline, ...options }: SignalwireStageOptions = {}): Promise<SignalwireStage> {
    const stage = new SignalwireStage(await Scene.open(options));
    const { body } = await stage.http.json('POST', '/v1/applications', {
      ...{ dialect: 'signalwire', name: 'asked', numbers: [askedNumber] },
      url: stage.scene.app.url(swmlPath),
    });
    assert.ok(body);
    if (inline)
      await stage.http.json('POST', '/v1/applications', {
        ...{ dialect: 'signalwire', name: 'inline', numbers: [inlineNumber], document: inline },
      });
    await stage.http.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });
    return stage;
  }

  /** As the owner of the server reads it. */
  get signingKey(): string {
    return readFileSync(join(this.scene.server.dataDir, 'signalwire-signing-key'), 'utf8').trim();
  }

  async phone(number = this.newNumber()): Promise<Phone> {
    const phone = await Phone.create({ number });
    this.#phones.push(phone);
    return phone;
  }

  /** Of nobody so far. */
  newNumber(): string {
    return `+1555777${String(this.#numbers++).padStart(4, '0')}`;
  }

  /** A phone calls the number. */
  async call(number: string, from?: string, options?: CallOptions): Promise<PhoneCall> {
    return (await this.phone(from)).call(this.scene.server.sipUri(number), options);
  }

  /** A phone that answers, and the call placed to it by the document. */
  async dial(
    swml: unknown,
    params: Record<string, unknown> = {},
  ): Promise<{ call: PhoneCall; leg: CallLeg }> {
    const answered = Promise.withResolvers<PhoneCall>();
    const phone = await this.phone();
    phone.onCall = (incoming: IncomingPhoneCall) => answered.resolve(incoming.answer());
    const given = { from: '+15558881188', to: phone.sipUri, swml, ...params };
    const { status, body } = await this.command<CallLeg>('dial', given);
    assert.equal(status, 200, JSON.stringify(body));
    return { call: await answered.promise, leg: body };
  }

  command<Body = unknown>(command: string, params: unknown, id?: string): Promise<HttpAnswer<Body>> {
    return this.http.json<Body>('POST', '/api/calling/calls', { command, params, ...(id && { id }) });
  }

  /** Status callbacks of one control id, in the order they came. */
  statusRequests(controlId: string): CallbackRequest[] {
    return this.scene.app
      .requests(statusPath)
      .filter(({ body }) => (body as RecordEvent).params.control_id === controlId);
  }

  /** Once so many came. */
  async statuses(controlId: string, count: number): Promise<RecordEvent[]> {
    const all = await eventually(`${count} events of ${controlId}`, () => {
      const found = this.statusRequests(controlId);
      return found.length >= count ? found : undefined;
    });
    return all.map(({ body }) => body as RecordEvent);
  }

  /** The WAV file behind the URL of an event: whole, and as long as was said. */
  async file(event: RecordEvent): Promise<RecordedAudio> {
    await this.bytes(event);
    const audio = await fetchAudio(event.params.url);
    assert.equal(audio.channels[0]?.length, Math.round(event.params.duration! * audio.rateHz));
    return audio;
  }

  /** The file behind it, as many bytes as was said. */
  async bytes(event: RecordEvent): Promise<Uint8Array> {
    const { record } = event.params;
    assert.ok(record);
    const response = await fetch(record.url);
    assert.equal(response.status, 200);
    const bytes = new Uint8Array(await response.arrayBuffer());
    assert.equal(bytes.length, record.size);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.close()));
    await this.scene[Symbol.asyncDispose]();
  }
}
