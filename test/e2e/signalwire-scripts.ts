import assert from 'node:assert/strict';
import { createLogger } from '../../src/logger.ts';
import type { AudioFile } from '../../src/testkit/audio-file.ts';
import { CallFailedError } from '../../src/testkit/call-failed-error.ts';
import type { CallOptions } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { CallbackRequest } from '../../src/testkit/request-log.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { eventually } from './eventually.ts';
import { type Format, playedFile } from './played-file.ts';
import { PromptServer } from './prompt-server.ts';
import { askedNumber, type RecordEvent, SignalwireStage, swmlPath } from './signalwire-stage.ts';
import { utter } from './utterance.ts';
import { lineCoded, speak } from './verb-stage.ts';

export const [voiceHz] = partyTonesHz;
export type Step = Record<string, unknown> | string;
export type Vars = Record<string, unknown>;

/** A machine that has other things to do. */
const patienceMs = 30_000;
const gatePath = '/gate';
const silenceSamples = 2400;
let lastSeed = 7000;

interface LogLine {
  connectionId?: string;
  event?: string;
  params?: { code?: string; message?: string; step?: string };
}

/** As a document names a variable. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** Calls that documents run on, several at once, each with a document and a `status_url` of its own. */
export class ScriptStage implements AsyncDisposable {
  readonly stage: SignalwireStage;
  readonly prompts: PromptServer;
  readonly #logged: string[];
  readonly #gates = new Map<string, Gate>();
  #scripts = 0;

  private constructor(stage: SignalwireStage, prompts: PromptServer, logged: string[]) {
    this.stage = stage;
    this.prompts = prompts;
    this.#logged = logged;
    stage.scene.handle<{ gate: string; vars: Vars }>(gatePath, ({ gate, vars }) =>
      this.gate(gate).arrive(vars),
    );
  }

  static async open(): Promise<ScriptStage> {
    const logged: string[] = [];
    const log = createLogger('info', { write: (line) => void logged.push(line) });
    const settings = { CALLREEL_CALLBACKS_TIMEOUT_MS: String(2 * patienceMs) };
    return new ScriptStage(await SignalwireStage.open({ log, settings }), await PromptServer.open(), logged);
  }

  /** @param number of who calls, where that is no phone of ours */
  script(number?: string): Script {
    return new Script(this, ++this.#scripts, number);
  }

  gate(name: string): Gate {
    const gate = this.#gates.get(name) ?? new Gate();
    this.#gates.set(name, gate);
    return gate;
  }

  get gateUrl(): string {
    return this.stage.scene.app.url(gatePath);
  }

  /** What the log says of a call. */
  logged(connectionId: string): LogLine[] {
    return this.#logged
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => line.connectionId === connectionId);
  }

  /** The vendor's error of a parameter of `record_call`, whether the value stands there or comes by a variable. */
  async assertInvalid(name: string, ...values: unknown[]): Promise<void> {
    const error = (step: number) => [
      'relay_script_method_parameter_invalid_value',
      `sections.main[${step}].record_call.${name}`,
    ];
    for (const value of values)
      assert.deepEqual(
        await this.script().refused([{ record_call: { [name]: value } }]),
        error(1),
        `${value}`,
      );
    const script = this.script();
    const call = await script.call([
      { set: { wrong: values[0] } },
      { record_call: { [name]: variable('wrong') } },
      { sleep: -1 },
    ]);
    await call.ended;
    assert.deepEqual(await script.error(), error(2));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const gate of this.#gates.values()) gate.go();
    await this.stage[Symbol.asyncDispose]();
    await this.prompts.close();
  }
}

/** Where a document waits until the test lets it go on. */
class Gate {
  readonly #open = Promise.withResolvers<object>();
  /** Once the document is here. */
  vars: Vars | undefined;

  arrive(vars: Vars): Promise<object> {
    this.vars = vars;
    return this.#open.promise;
  }

  go(): void {
    this.#open.resolve({});
  }
}

/** One document, its call, and what is told of its recordings. */
export class Script {
  readonly statusUrl: string;
  /** Of the caller. */
  readonly number: string;
  readonly #stages: ScriptStage;
  readonly #statusPath: string;
  readonly #id: number;
  #call: PhoneCall | undefined;

  constructor(stages: ScriptStage, id: number, number = stages.stage.newNumber()) {
    this.#stages = stages;
    this.#id = id;
    this.#statusPath = `/status/${id}`;
    this.number = number;
    this.statusUrl = stages.stage.scene.handle(this.#statusPath, () => ({}));
  }

  /** A step that waits for `go`. */
  gate(name: string): Step {
    const body = { gate: this.#gateName(name), vars: variable('vars') };
    return { request: { url: this.#stages.gateUrl, method: 'POST', body } };
  }

  /** A step at which nobody waits. */
  note(name: string): Step {
    this.go(name);
    return this.gate(name);
  }

  /** Once the document has come to it. @returns its variables there */
  at(name: string): Promise<Vars> {
    return eventually(`the document at ${name}`, () => this.#gate(name).vars, patienceMs);
  }

  hasReached(name: string): boolean {
    return this.#gate(name).vars !== undefined;
  }

  go(name: string): void {
    this.#gate(name).go();
  }

  recordCall(parameters: Record<string, unknown> = {}): Step {
    return { record_call: { status_url: this.statusUrl, ...parameters } };
  }

  /** A phone calls, and is answered. */
  async call(document: Step[] | object | string, options?: CallOptions): Promise<PhoneCall> {
    this.give(document);
    this.#call = await this.#stages.stage.call(askedNumber, this.number, options);
    return this.#call;
  }

  /** What a call from its number gets. */
  give(document: Step[] | object | string): void {
    const whole = Array.isArray(document)
      ? { version: '1.0.0', sections: { main: [{ answer: {} }, ...document] } }
      : document;
    this.#stages.stage.documents.set(this.number, whole);
  }

  /** What the document was asked for with. */
  async asked(): Promise<{ call_id: string; from: string; node_id: string }> {
    type Asked = { call: { call_id: string; from: string; node_id: string } };
    const { app } = this.#stages.stage.scene;
    const ours = ({ call }: Asked) => call.from === this.number;
    return ((await app.waitFor<Asked>(swmlPath, ours, patienceMs)).body as Asked).call;
  }

  async callId(): Promise<string> {
    return (await this.asked()).call_id;
  }

  /** A call whose document is refused as a whole. @returns the vendor's code and the place */
  async refused(document: Step[] | object | string): Promise<(string | undefined)[]> {
    await assert.rejects(this.call(document), (error: unknown) => {
      assert.ok(error instanceof CallFailedError);
      assert.equal(error.sipStatus, 500);
      return true;
    });
    return await this.error();
  }

  /** What the log says that ended the document. */
  async error(): Promise<(string | undefined)[]> {
    const callId = await this.callId();
    const { code, step } = await eventually(
      'the error',
      () => this.#stages.logged(callId).find(({ params }) => params?.code !== undefined)?.params,
      patienceMs,
    );
    return [code, step];
  }

  /** Status callbacks so far. */
  requests(controlId?: string): CallbackRequest[] {
    return this.#stages.stage.scene.app
      .requests(this.#statusPath)
      .filter(({ body }) => controlId === undefined || (body as RecordEvent).params.control_id === controlId);
  }

  /** Once so many came. */
  async events(count: number, controlId?: string): Promise<RecordEvent[]> {
    const found = await eventually(
      `${count} events of ${controlId ?? 'the recording'}`,
      () => {
        const requests = this.requests(controlId);
        return requests.length >= count ? requests : undefined;
      },
      patienceMs,
    );
    return found.map(({ body }) => body as RecordEvent);
  }

  /** The first of a state. */
  async event(state: string, controlId?: string): Promise<RecordEvent> {
    return await eventually(
      `${state} of ${controlId ?? 'the recording'}`,
      () =>
        this.requests(controlId)
          .map(({ body }) => body as RecordEvent)
          .find(({ params }) => params.state === state),
      patienceMs,
    );
  }

  /** What a player makes of the file that the event is about; its size and length are those of the event. */
  async file(event: RecordEvent): Promise<AudioFile> {
    const { record } = event.params;
    assert.ok(record, 'no file is told of');
    const audio = await playedFile(await fetch(record.url), record.format as Format);
    assert.equal(audio.channels.length, record.audio.stereo ? 2 : 1);
    if (record.format === 'wav')
      assert.equal(audio.channels[0]!.length, Math.round(record.duration * audio.rateHz));
    return audio;
  }

  /** Of a file with one channel, once it is finished. */
  async mono(controlId?: string): Promise<Int16Array> {
    const { channels } = await this.file(await this.event('finished', controlId));
    assert.equal(channels.length, 1);
    return channels[0]!;
  }

  async stereo(controlId?: string): Promise<[left: Int16Array, right: Int16Array]> {
    const { channels } = await this.file(await this.event('finished', controlId));
    assert.equal(channels.length, 2);
    return [channels[0]!, channels[1]!];
  }

  /** Another number than that of the stage's application. */
  async callNumber(number: string): Promise<PhoneCall> {
    this.#call = await this.#stages.stage.call(number, this.number);
    return this.#call;
  }

  /** The caller says something that stands nowhere else, and is silent for a moment. @returns it as it is heard */
  async speak(samples = 4000, phone = this.phone): Promise<Int16Array> {
    return await speak(phone, samples, ++lastSeed);
  }

  /** The caller is silent for a moment, until what it hears is over too, and says what a lossy file is known by. */
  async speakTone(durationMs = 600): Promise<void> {
    await this.phone.play(new Int16Array(silenceSamples));
    await utter(this.phone, tone({ frequencyHz: voiceHz, durationMs }));
  }

  /** The caller. */
  get phone(): PhoneCall {
    assert.ok(this.#call);
    return this.#call;
  }

  /** Ends the call. */
  async end(): Promise<void> {
    await this.#call?.hangUp();
  }

  /** A prompt of its own to play, and how a telephone hears it. */
  prompt(samples = 4000): { step: Step; url: string; sound: Int16Array } {
    const { url, samples: sent } = this.#stages.prompts.prompt(samples);
    return { step: { play: { url } }, url, sound: lineCoded(sent) };
  }

  command(command: string, params: object, id: string): Promise<{ status: number }> {
    return this.#stages.stage.command(`calling.${command}`, params, id);
  }

  #gateName(name: string): string {
    return `${this.#id} ${name}`;
  }

  #gate(name: string): Gate {
    return this.#stages.gate(this.#gateName(name));
  }
}

export const states = (events: readonly RecordEvent[]) => events.map(({ params }) => params.state);
