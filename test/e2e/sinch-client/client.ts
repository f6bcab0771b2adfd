import assert from 'node:assert/strict';
import { VoiceCallbackWebhooks, VoiceService } from '@sinch/voice';
import type { PhoneCall } from '../../../src/testkit/phone-call.ts';
import { assertNoRun } from '../../../src/testkit/sample-run.ts';
import type { TestServerOptions } from '../../../src/testkit/server.ts';
import { eventually } from '../eventually.ts';
import { SinchStage } from '../sinch-stage.ts';
import { isHeard, speak } from '../verb-stage.ts';

export const cli = '+12015555555';
export const recordingOptions = { destinationUrl: 'sdrive://', format: 'wav', notificationEvents: true };
export const free = { currencyId: 'USD', amount: 0 };

/** The vendor's own client, with nothing changed but its host names, and live calls behind it. */
export class SinchClient implements AsyncDisposable {
  readonly stage: SinchStage;
  readonly voice: VoiceService;
  readonly publicUrl: string;
  readonly key: string;
  readonly #webhooks: VoiceCallbackWebhooks;
  #lastSeed = 7000;

  private constructor(stage: SinchStage) {
    const { publicUrl } = stage.scene.server.callreel;
    this.stage = stage;
    this.publicUrl = publicUrl;
    this.key = stage.keys.applicationKey;
    this.voice = new VoiceService({
      ...stage.keys,
      voiceHostname: publicUrl,
      voiceApplicationManagementHostname: publicUrl,
    });
    this.#webhooks = new VoiceCallbackWebhooks(stage.keys);
  }

  static async open({ settings, ...options }: TestServerOptions = {}): Promise<SinchClient> {
    const all = { CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://', ...settings };
    return new SinchClient(await SinchStage.open({ ...options, settings: all }));
  }

  /** Of a sound that nobody made yet. */
  newSeed(): number {
    return this.#lastSeed++;
  }

  /** The client's own validator takes what was sent of this call so far, and knows each of its events. */
  assertValid(id: string, events: readonly string[]): void {
    const requests = this.stage.requests(id);
    for (const { headers, rawBody, path, method } of requests) {
      const body = rawBody.toString();
      assert.equal(this.#webhooks.validateAuthenticationHeader(headers, body, path, method), true);
      assert.equal(this.#webhooks.validateAuthenticationHeader(headers, `${body} `, path, method), false);
    }
    const told = requests.map(({ body }) => {
      const { event, type } = this.#webhooks.parseEvent(structuredClone(body)) as {
        event?: string;
        type?: string;
      };
      return type ?? event ?? '';
    });
    assert.deepEqual(told.toSorted(), events.toSorted());
  }

  /** What one says is heard by the other, or not at all. */
  async says(speaker: PhoneCall, listener: PhoneCall, isLetThrough: boolean): Promise<void> {
    const said = await speak(speaker, 4000, this.newSeed());
    if (isLetThrough) await assertHears(listener, said, 'what was said');
    else assertNoRun(listener.received(), said);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage[Symbol.asyncDispose]();
  }
}

export function sip({ sipUri }: { sipUri: string }) {
  return { type: 'sip', endpoint: sipUri.replace(/^sip:/, '') };
}

export async function assertHears(listener: PhoneCall, sound: Int16Array, what: string): Promise<void> {
  await eventually(what, () => isHeard(listener.received(), sound) || undefined);
}

/** What the client rejects with, as the vendor's server would have it. */
export async function refusal(request: Promise<unknown>): Promise<[number, number]> {
  const { statusCode, errorCode } = await refused(request);
  return [statusCode, errorCode];
}

/** The same; what may be over soon says when to come again. */
export async function temporaryRefusal(request: Promise<unknown>): Promise<[number, number]> {
  const { statusCode, errorCode, headers } = await refused(request);
  assert.match(headers['retry-after'] ?? '', /^\d+$/);
  return [statusCode, errorCode];
}

async function refused(request: Promise<unknown>) {
  const error = (await request.then(
    () => assert.fail('it was taken'),
    (cause: unknown) => cause,
  )) as { statusCode: number; data: string; responseHeaders?: Record<string, string> };
  const { errorCode, message, reference } = JSON.parse(error.data) as Record<string, unknown>;
  assert.ok(typeof message === 'string' && typeof reference === 'string', error.data);
  const { statusCode, responseHeaders: headers = {} } = error;
  return { statusCode, errorCode: Number(errorCode), headers };
}
