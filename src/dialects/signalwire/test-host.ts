import type { ConferenceObserver } from '../../call/conference.ts';
import { FakeClock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';
import type { Verb, VerbResults } from '../../script/verb.ts';
import type { ConferenceStatusWish } from './conference-status.ts';
import type { CallScope, FetchRequest, HttpAnswer, HttpRequest, SwmlEnd, SwmlHost } from './host.ts';
import { SwmlInterpreter, type SwmlRunOptions } from './interpreter.ts';
import type { JsonObject } from './json.ts';
import type { SwmlLimits } from './script-run.ts';

type Answers = { [V in Verb as V['verb']]?: (verb: V) => unknown };

/** A call that does nothing but remember what was asked of it, and answers as it was told to. */
export class TestHost implements SwmlHost {
  readonly clock = new FakeClock();
  readonly hangUp = new AbortController();
  readonly ended = this.hangUp.signal;
  readonly verbs: Verb[] = [];
  readonly events: { name: string; params: Record<string, unknown> }[] = [];
  readonly statuses: { url: string; type: string; params: Record<string, unknown> }[] = [];
  readonly conferenceStatuses: ConferenceStatusWish[] = [];
  readonly fetched: { url: string; request: FetchRequest }[] = [];
  readonly requested: HttpRequest[] = [];
  readonly envs: Record<string, string> = { city: 'Berlin' };
  /** Documents by their URL. */
  documents: Record<string, unknown> = {};
  answers: Answers = {};
  answer: HttpAnswer = { status: 200, headers: [], body: '' };
  voices: readonly string[] | undefined;
  readonly call: CallScope = {
    ...{ call_id: 'call-1', node_id: 'node-1', segment_id: 'segment-1', call_state: 'created' },
    ...{ direction: 'inbound', type: 'sip', from: '+15551234567', to: '+15557654321' },
    ...{ headers: [{ name: 'X-Case', value: '17' }], project_id: 'project-1', space_id: 'space-1' },
  };
  #recordings = 0;

  async perform<V extends Verb>(verb: V): Promise<VerbResults[V['verb']]> {
    this.verbs.push(verb);
    const answer = this.answers[verb.verb] as ((verb: V) => unknown) | undefined;
    return (await (answer ? answer(verb) : this.#usual(verb))) as VerbResults[V['verb']];
  }

  async fetchDocument(url: string, request: FetchRequest): Promise<unknown> {
    this.fetched.push({ url, request: structuredClone({ ...request }) });
    if (url in this.documents) return this.documents[url];
    throw new CallreelError('CALLBACK_FAILED', 'it answered 404');
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    this.requested.push(request);
    return this.answer;
  }

  recordingUrl(recordingId: string, format: string): string {
    return `https://calls.example/api/v1/recordings/${recordingId}/download?format=${format}`;
  }

  event(name: string, params: JsonObject): void {
    this.events.push({ name, params: { ...params } });
  }

  status(url: string, type: string, params: JsonObject): void {
    this.statuses.push({ url, type, params: { ...params } });
  }

  conferenceStatus(wish: ConferenceStatusWish): ConferenceObserver {
    this.conferenceStatuses.push(wish);
    return {};
  }

  hasVoice(voice: string): boolean {
    return this.voices?.includes(voice) ?? true;
  }

  /** Verbs of one kind. */
  done<K extends Verb['verb']>(kind: K): Extract<Verb, { verb: K }>[] {
    return this.verbs.filter((verb): verb is Extract<Verb, { verb: K }> => verb.verb === kind);
  }

  /** What was said and played, as one would hear it. */
  get heard(): string[] {
    return this.done('play').flatMap(({ prompts }) =>
      prompts.map((prompt) =>
        prompt.kind === 'text' ? prompt.text : prompt.kind === 'url' ? prompt.url : prompt.kind,
      ),
    );
  }

  /** The codes of what is on record. */
  get warnings(): unknown[] {
    return this.events
      .filter(({ name }) => name === 'calling.script.warning')
      .map(({ params }) => params.code);
  }

  #usual(verb: Verb): unknown {
    const recording = { recordingId: `rec-${this.#recordings + 1}` };
    if (verb.verb === 'start-recording' || verb.verb === 'record') this.#recordings++;
    const peer = { connectionId: 'leg-2', from: 'a', to: 'b' };
    const usual: Record<Verb['verb'], unknown> = {
      answer: { outcome: 'answered' },
      play: { outcome: 'finished' },
      collect: { digits: '5', ended: 'complete' },
      'send-digits': { outcome: 'sent' },
      sleep: { outcome: 'over' },
      record: { recording, reason: 'end_silence' },
      'start-recording': { recording },
      'stop-recording': { recording },
      connect: {
        outcome: 'connected',
        endedBy: 'called',
        peer,
      },
      'join-conference': { end: 'left' },
      'hang-up': {},
    };
    if (verb.verb === 'connect') verb.connected?.(peer);
    return usual[verb.verb];
  }
}

export interface TestRun {
  host: TestHost;
  end: SwmlEnd;
  /** As JSON. */
  vars: Record<string, unknown>;
}

/** Runs a document, or the steps of its main section. */
export async function runSwml(
  source: string | object,
  {
    host = new TestHost(),
    limits = {},
    params = {},
    vars = {},
    options = {},
  }: {
    host?: TestHost;
    limits?: Partial<SwmlLimits>;
    params?: object;
    vars?: Record<string, unknown>;
    options?: SwmlRunOptions;
  } = {},
): Promise<TestRun> {
  const interpreter = new SwmlInterpreter(host, limits);
  interpreter.setVariables(vars);
  const document = Array.isArray(source) ? { version: '1.0.0', sections: { main: source } } : source;
  const end = await interpreter.runSource(document, params, options);
  return { host, end, vars: JSON.parse(JSON.stringify(interpreter.variables)) };
}
