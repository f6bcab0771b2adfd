import assert from 'node:assert/strict';
import { verifyCallback } from '../../src/sdk/sinch.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { answer as callbackAnswer } from '../../src/testkit/callback-app.ts';
import { type CallOptions, type IncomingPhoneCall, Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { CallbackRequest } from '../../src/testkit/request-log.ts';
import type { TestServerOptions } from '../../src/testkit/server.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { PromptServer } from './prompt-server.ts';
import type { RecordingBody } from './recorder-stage.ts';
import { Scene } from './scene.ts';
import { lineCoded } from './verb-stage.ts';

export type Callback = Record<string, unknown> & {
  event: 'ice' | 'ace' | 'dice' | 'pie' | 'notify';
  callid?: string;
  conferenceId?: string;
  type?: string;
};

export const sinchNumber = '3000';
const callbackPath = '/voice';
const fallbackPath = '/voice-fallback';

/** What an application answers to a callback: SVAML, or an `answer` with a status. */
export type Script = (callback: Callback) => unknown;

/** A server with an application of this dialect, phones, prompts, and what the application is asked and told. */
export class SinchStage implements AsyncDisposable {
  readonly scene: Scene;
  readonly http: HttpClient;
  readonly keys: { applicationKey: string; applicationSecret: string };
  /** By event, what is answered; by who calls, or by `custom` of a callout. */
  readonly scripts = new Map<string, Partial<Record<Callback['event'], Script>>>();
  readonly #prompts: PromptServer;
  readonly #phones: Phone[] = [];
  readonly #callers = new Map<string, string>();
  #numbers = 0;

  private constructor(scene: Scene, prompts: PromptServer, keys: SinchStage['keys']) {
    this.scene = scene;
    this.#prompts = prompts;
    this.keys = keys;
    this.http = new HttpClient(scene.server.callreel);
    scene.handle<Callback>(callbackPath, (body) => this.#answer(body));
    scene.handle<Callback>(fallbackPath, (body) => this.#answer(body));
  }

  static async open(options: TestServerOptions = {}): Promise<SinchStage> {
    const scene = await Scene.open(options);
    const http = new HttpClient(scene.server.callreel);
    const { status, body } = await http.json<{ app_id: string; secret: string }>('POST', '/v1/applications', {
      ...{ dialect: 'sinch', name: 'voice', numbers: [sinchNumber] },
      url: scene.app.url(callbackPath),
      fallback_url: scene.app.url(fallbackPath),
    });
    assert.equal(status, 201, JSON.stringify(body));
    for (const prefix of ['sip:127.0.0.1', '+'])
      await http.json('POST', '/v1/dial-permissions', { prefix, allow: true });
    const keys = { applicationKey: body.app_id, applicationSecret: body.secret };
    return new SinchStage(scene, await PromptServer.open(), keys);
  }

  /** A phone of its own calls the application, which answers its callbacks by the script. */
  async call(
    script: Partial<Record<Callback['event'], Script | object>>,
    options?: CallOptions,
  ): Promise<PhoneCall> {
    const number = this.newNumber();
    this.scriptFor(number, script);
    const phone = await this.phone(number);
    return await phone.call(this.scene.server.sipUri(sinchNumber), options);
  }

  scriptFor(number: string, script: Partial<Record<Callback['event'], Script | object>>): void {
    const entries = Object.entries(script).map(([event, given]) => [
      event,
      typeof given === 'function' ? given : () => given,
    ]);
    this.scripts.set(number, Object.fromEntries(entries));
  }

  async phone(number = this.newNumber()): Promise<Phone> {
    const phone = await Phone.create({ number });
    this.#phones.push(phone);
    return phone;
  }

  /** A phone that is called, and the call once it came. */
  async called(
    onCall: (call: IncomingPhoneCall) => Promise<PhoneCall> = (call) => call.answer(),
  ): Promise<{ phone: Phone; call: Promise<PhoneCall> }> {
    const phone = await this.phone();
    const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
    promise.catch(() => undefined);
    phone.onCall = (incoming) => void onCall(incoming).then(resolve, reject);
    return { phone, call: promise };
  }

  /** Of nobody so far. */
  newNumber(): string {
    return `+1555444${String(this.#numbers++).padStart(4, '0')}`;
  }

  /** A prompt that stands nowhere else, and how a telephone hears it. */
  prompt(samples: number): { url: string; sound: Int16Array } {
    const { url, samples: sent } = this.#prompts.prompt(samples);
    return { url, sound: lineCoded(sent) };
  }

  /** A request of the application's own, as its client sends it. */
  async request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const { applicationKey, applicationSecret } = this.keys;
    const credentials = Buffer.from(`${applicationKey}:${applicationSecret}`).toString('base64');
    const response = await fetch(this.scene.server.callreel.publicUrl + path, {
      method,
      headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Manage Call. */
  async manage(callId: string, svaml: object, leg?: 'caller' | 'callee' | 'both'): Promise<void> {
    const path = `/calling/v1/calls/id/${callId}${leg === undefined ? '' : `/leg/${leg}`}`;
    const { status, body } = await this.request('PATCH', path, svaml);
    assert.ok(status >= 200 && status < 300, JSON.stringify(body));
  }

  /** Every callback of a call or a conference so far. */
  callbacks(id: string, event?: Callback['event']): Callback[] {
    return this.requests(id, event).map(({ body }) => body as Callback);
  }

  requests(id: string, event?: Callback['event']): CallbackRequest[] {
    return [...this.scene.app.requests(callbackPath), ...this.scene.app.requests(fallbackPath)].filter(
      ({ body }) => {
        const { callid, conferenceId, event: given } = body as Callback;
        return (callid === id || conferenceId === id) && (event === undefined || given === event);
      },
    );
  }

  /** Once it came; verified as an application does it. */
  async told(id: string, event: Callback['event'], type?: string): Promise<Callback> {
    const fits = ({ body }: CallbackRequest) => type === undefined || (body as Callback).type === type;
    const request = await eventually(`${event} ${type ?? ''} of ${id}`, () =>
      this.requests(id, event).find(fits),
    );
    return this.verified(request);
  }

  verified({ headers, rawBody, path, body }: CallbackRequest): Callback {
    verifyCallback(this.keys, { headers, body: rawBody, path });
    return body as Callback;
  }

  /** Of the call that this number made. */
  async callIdOf(call: PhoneCall): Promise<string> {
    return await this.callIdByNumber(call.session.from.user);
  }

  async callIdByNumber(number: string): Promise<string> {
    return await eventually(`the call of ${number}`, () => this.#callers.get(number));
  }

  /** Once so many came, in their order. */
  async all(id: string, event: Callback['event'], count: number): Promise<CallbackRequest[]> {
    return await eventually(`${count} ${event} of ${id}`, () => {
      const found = this.requests(id, event);
      return found.length >= count ? found : undefined;
    });
  }

  /** Of a call by itself, or of a conference, oldest first. */
  async recordings(fits: (body: RecordingBody) => boolean): Promise<RecordingBody[]> {
    const { body } = await this.http.get<{ results: RecordingBody[] }>('/v1/recordings?limit=100');
    return body.results.filter(fits).toReversed();
  }

  /** The only one of the call, once it has ended: its WAV. */
  async recordingOf(callId: string, count = 1): Promise<Int16Array[]> {
    const all = await eventually(`${count} recordings of ${callId}`, async () => {
      const found = await this.recordings(
        ({ connection_id: id, state }) => id === callId && state === 'ended',
      );
      return found.length === count ? found : undefined;
    });
    return await Promise.all(all.map((each) => this.samples(each)));
  }

  async samples({ recording_id: id }: RecordingBody): Promise<Int16Array> {
    const { channels } = decodeWav(await this.http.bytes(`/v1/recordings/${id}/download`));
    assert.equal(channels.length, 1);
    return channels[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.close()));
    await this.scene[Symbol.asyncDispose]();
    await this.#prompts.close();
  }

  async #answer(callback: Callback): Promise<unknown> {
    const { event, callid = '', cli } = callback;
    if (event === 'ice') this.#callers.set(String(cli), callid);
    const number = [...this.#callers].find(([, id]) => id === callid)?.[0] ?? '';
    const script = (this.scripts.get(number) ?? this.scripts.get(String(callback.custom)))?.[event];
    return script ? ((await script(callback)) ?? {}) : {};
  }
}

export { callbackAnswer };
