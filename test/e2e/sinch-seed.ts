import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseSipUri } from '../../src/sip/uri.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { eventually } from './eventually.ts';
import type { SinchStage } from './sinch-stage.ts';
import { speak } from './verb-stage.ts';

/** What lies in a storage. */
export interface StoredObject {
  content: Buffer;
  contentType?: string | undefined;
}

/** Reads a storage with every right, by the URL that users know the object by. */
export type Stored = (url: string) => Promise<StoredObject | undefined>;

interface RecordingOptions {
  destinationUrl: string;
  credentials: string;
}

interface Instruction {
  name: string;
  options?: RecordingOptions | RecordingOptions[];
}

/** One example of the vendor's page, its gaps filled. */
export interface SeedExample {
  name?: string;
  options?: RecordingOptions[];
  instructions?: Instruction[];
  action?: { name: string; recordingOptions?: RecordingOptions };
  recordingOptions?: RecordingOptions;
}

interface DeliveryBody {
  delivery_id: string;
  recording_id: string;
  destination: string;
  state: string;
  error: { code: string; message: string } | null;
}

const examplesFile = new URL('../data/sinch/recording-examples.txt', import.meta.url);
const numberOfTrunk = '+15557654321';
/** Where the page leaves the options out. */
const standIn =
  '{"destinationUrl": "s3://my-s3-bucket/examples/", "credentials": "xyz_access_key:wrt_secret_key:eu-central-1"}';
const spokenSamples = 1600;

/** Those of the page that record something, in its order, as they stand: trailing commas repaired, gaps filled. */
export function seedExamples(): SeedExample[] {
  return readFileSync(examplesFile, 'utf8')
    .split('\n\n')
    .map((text) =>
      text
        .replace(/\[(?:\.\.\.|RecordingOptions)\]/g, `[${standIn}]`)
        .replace(/\{\n\.\.\.\n\}/g, '{"name": "hangup"}')
        .replace(/("name": "connectPstn"),?\n\.\.\.\n/g, `$1, "number": "${numberOfTrunk}",\n`)
        .replace(/,(\s*[}\]])/g, '$1'),
    )
    .map((text) => JSON.parse(text) as SeedExample & { event?: string; lines?: unknown })
    .filter(({ event, lines }) => event === undefined && lines === undefined);
}

/** Where its file is to be, and with whose right. */
export function optionsOf(example: SeedExample): RecordingOptions {
  const [first] = [
    example.recordingOptions,
    example.action?.recordingOptions,
    ...[example, ...(example.instructions ?? [])].flatMap(({ options = [] }) => options),
  ].filter((options) => options !== undefined);
  assert.ok(first, JSON.stringify(example));
  return first;
}

/** A live call for each example, whose file is then compared with the recording. */
export class SeedRun {
  readonly #stage: SinchStage;
  readonly #stored: Stored;
  #said = 0;

  private constructor(stage: SinchStage, stored: Stored) {
    this.#stage = stage;
    this.#stored = stored;
  }

  /** With a phone behind a trunk, for `connectPstn`. */
  static async open(stage: SinchStage, stored: Stored): Promise<SeedRun> {
    const phone = await stage.phone();
    phone.onCall = (call) => call.answer();
    const trunk = { name: 'pstn', host: '127.0.0.1', port: parseSipUri(phone.sipUri)?.port };
    const { status } = await stage.http.json('POST', '/v1/trunks', { ...trunk, routes: [{ prefix: '+1' }] });
    assert.equal(status, 201);
    return new SeedRun(stage, stored);
  }

  /**
   * Has the example done on a call.
   * @returns the call's id, once it has ended
   */
  async play(example: SeedExample): Promise<string> {
    if (example.recordingOptions)
      return await this.#managed({ action: { name: 'startRecording', ...example } });
    if (example.name) return await this.#managed({ instructions: [example] });
    const isOfAnswer = example.action?.name === 'Continue';
    const call = await this.#stage.call(
      isOfAnswer
        ? { ice: { action: { name: 'connectPstn', number: numberOfTrunk } }, ace: example }
        : { ice: example },
    );
    const callId = await this.#stage.callIdOf(call);
    if (example.action?.name === 'hangup') await call.ended;
    else await this.#talk(call);
    return callId;
  }

  /** What the page says must come of it: the file in its place, the recording's own bytes, and who is told. */
  async verify(example: SeedExample, callId: string): Promise<void> {
    const finished = await this.#stage.told(callId, 'notify', 'recording_finished');
    const available = await this.#stage.told(callId, 'notify', 'recording_available');
    assert.deepEqual(finished, { event: 'notify', callid: callId, version: 1, type: 'recording_finished' });
    const { destination } = available as { destination?: string };
    assert.deepEqual(available, { ...finished, type: 'recording_available', destination });
    // Options without the flag, and transcripts, are warned of before anything else.
    const told = this.#stage.callbacks(callId, 'notify').map(({ type }) => type);
    assert.deepEqual(
      told.filter((type) => type !== 'callingwarning'),
      ['recording_finished', 'recording_available'],
    );
    // Of our own store where it is fetched is told.
    const place = String(destination).replace(/^http:.*\/calling\/v1\/recording\//, 'sdrive://');
    this.#assertNamed(place, optionsOf(example).destinationUrl, callId);
    await this.assertWhole(place);
  }

  /** The object is byte for byte the recording that was delivered there last. */
  async assertWhole(destination: string): Promise<void> {
    const delivery = await this.delivery(destination);
    assert.equal(delivery.state, 'delivered');
    const recorded = await this.#stage.http.bytes(`/v1/recordings/${delivery.recording_id}/download`);
    const stored = await this.#stored(destination);
    assert.ok(stored, `nothing at ${destination}`);
    assert.ok(stored.content.equals(recorded), `${stored.content.length} bytes, not ${recorded.length}`);
    if (!destination.startsWith('sdrive://')) assert.equal(stored.contentType, 'audio/mpeg');
  }

  /** The last one to this place. */
  async delivery(destination: string): Promise<DeliveryBody> {
    const { body } = await this.#stage.http.get<{ results: DeliveryBody[] }>('/v1/deliveries?limit=50');
    // In our own store each application has a folder.
    const named = (given: string) => given.replace(/^sdrive:\/\/.*\//, 'sdrive://');
    const found = body.results.find((each) => named(each.destination) === destination);
    assert.ok(found, destination);
    return found;
  }

  /** Waits until the last one to this place is as wanted. */
  deliveryIn(destination: string, state: string): Promise<DeliveryBody> {
    return eventually(`${destination} ${state}`, async () => {
      const found = await this.delivery(destination);
      return found.state === state ? found : undefined;
    });
  }

  /** A call that is parked is told what to do, talks, and is told to stop (`StopRecording` of the page). */
  async #managed(svaml: object): Promise<string> {
    const call = await this.#stage.call({
      ice: { instructions: [{ name: 'answer' }], action: { name: 'park' } },
    });
    const callId = await this.#stage.callIdOf(call);
    await this.#manage(callId, svaml);
    await this.#speak(call);
    await this.#manage(callId, { instructions: [{ name: 'StopRecording' }] });
    await this.#stage.told(callId, 'notify', 'recording_finished');
    await call.hangUp();
    return callId;
  }

  async #manage(callId: string, svaml: object): Promise<void> {
    const { status, body } = await this.#stage.http.json('PATCH', `/calling/v1/calls/id/${callId}`, svaml);
    assert.equal(status, 200, JSON.stringify([svaml, body]));
  }

  async #talk(call: PhoneCall): Promise<void> {
    await this.#speak(call);
    await call.hangUp();
  }

  /** Every call says something else, so no file is another's. */
  async #speak(call: PhoneCall): Promise<void> {
    await speak(call, spokenSamples, 700 + this.#said++);
  }

  #assertNamed(destination: string, wanted: string, callId: string): void {
    const isFolder = /^s3:\/\/[^/]+$|\/$/.test(wanted);
    if (!isFolder) {
      assert.equal(destination, wanted);
      return;
    }
    const folder = wanted.endsWith('/') ? wanted : `${wanted}/`;
    const name = destination.slice(folder.length);
    assert.ok(destination.startsWith(folder), destination);
    const [, began = ''] =
      new RegExp(`^(\\d{14})_${this.#stage.keys.applicationKey}_${callId}\\.mp3$`).exec(name) ?? [];
    assert.equal(began.length, 14, name);
  }
}
