import type { ConferenceObserver } from '../../call/conference.ts';
import type { Leg } from '../../call/leg.ts';
import type { RecordingWishes } from '../../call/recording.ts';
import type { CallbackClient } from '../../callbacks/callback-client.ts';
import type { Clock } from '../../clock.ts';
import type { AudioFileFormat } from '../../container/audio-file.ts';
import type { Logger } from '../../logger.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import type { Verb, VerbResults } from '../../script/verb.ts';
import { callScopeOf } from './call-scope.ts';
import { ConferenceStatus, type ConferenceStatusWish } from './conference-status.ts';
import type { RecordingContext } from './events.ts';
import type { DocumentFetcher } from './fetch.ts';
import type { CallScope, FetchRequest, HttpAnswer, HttpRequest, SwmlHost } from './host.ts';
import type { SignalwireIdentity } from './identity.ts';
import type { JsonObject } from './json.ts';
import type { RecordingLinks } from './recording-link.ts';
import type { StatusCallbacks } from './status-callbacks.ts';

/** Of one document: a script that goes round would tell without end. */
const maxEvents = 200;

/** What every session has at hand. */
export interface LegHostOptions {
  clock: Clock;
  log: Logger;
  identity: SignalwireIdentity;
  performer: VerbPerformer;
  callbacks: CallbackClient;
  documents: DocumentFetcher;
  links: RecordingLinks;
  statuses: StatusCallbacks;
  /** Base of the links given out; known once the server listens. */
  publicUrl(): string;
}

/** A live call as a document sees it. */
export class LegHost implements SwmlHost {
  readonly ended: AbortSignal;
  readonly #options: LegHostOptions;
  readonly #leg: Leg;
  /** `swml:` and the session's id. */
  readonly #channel: string;
  #events = 0;

  /** @param ended aborted when the call ends, or another document takes its place */
  constructor(options: LegHostOptions, leg: Leg, channel: string, ended: AbortSignal) {
    this.#options = options;
    this.#leg = leg;
    this.#channel = channel;
    this.ended = ended;
  }

  get call(): CallScope {
    return callScopeOf(this.#leg, this.#options.identity);
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  async perform<V extends Verb>(verb: V): Promise<VerbResults[V['verb']]> {
    return await this.#options.performer.perform(this.#leg, this.#inContext(verb), this.ended);
  }

  async fetchDocument(url: string, request: FetchRequest): Promise<unknown> {
    return await this.#options.documents.fetch(url, this.call, request, this.ended);
  }

  async request({ headers, url, method, body, timeoutMs }: HttpRequest): Promise<HttpAnswer> {
    const answer = await this.#options.callbacks.request({
      ...{ url, method, signal: this.ended },
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
      ...(body !== undefined && { body }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    const { status, headers: given, body: text } = answer;
    return { status, body: text, headers: given };
  }

  hasVoice(voice: string): boolean {
    return this.#options.performer.hasVoice?.(voice) ?? true;
  }

  recordingUrl(recordingId: string, _format: AudioFileFormat): string {
    return this.#options.links.url(this.#options.publicUrl(), recordingId);
  }

  event(name: string, params: JsonObject, except?: string): void {
    if (++this.#events > maxEvents) return;
    const about = { event: name, params, connectionId: this.#leg.id, channel: this.#channel };
    this.#options.statuses.callerEvent(about.connectionId, this.#channel, name, params, except);
    if (this.#events === maxEvents)
      this.#options.log.warn(about, 'the last event of this document that is told');
    if (name === 'calling.script.warning' || name === 'calling.script.error')
      this.#options.log.warn(about, 'a document is not done as it says');
    else this.#options.log.info(about, 'an event of a document');
  }

  status(url: string, eventType: string, params: JsonObject): void {
    this.#options.statuses.callEvent(url, this.#leg.id, this.#channel, eventType, params);
  }

  conferenceStatus(wish: ConferenceStatusWish): ConferenceObserver {
    return new ConferenceStatus(wish, { ...this.#options, channel: this.#channel });
  }

  /** What a recording is told of is told in this dialect, and names this session. */
  #inContext<V extends Verb>(verb: V): V {
    const add = (wishes: RecordingWishes) => inContext(wishes, this.#channel, this.#options.publicUrl());
    if (verb.verb === 'record' || verb.verb === 'start-recording')
      return { ...verb, wishes: add(verb.wishes) };
    if (verb.verb !== 'join-conference' || !verb.options.recording) return verb;
    return { ...verb, options: { ...verb.options, recording: add(verb.options.recording) } };
  }
}

/** The wishes of whoever speaks this dialect. */
export function inContext(wishes: RecordingWishes, channel: string, baseUrl: string): RecordingWishes {
  const context: RecordingContext = { channel, baseUrl };
  const { dialect = 'signalwire' } = wishes;
  return { ...wishes, dialect, dialectData: { ...wishes.dialectData, ...context } };
}
