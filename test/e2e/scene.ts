import { CallbackApp, type CallbackHandler } from '../../src/testkit/callback-app.ts';
import type { CallOptions, PhoneOptions } from '../../src/testkit/phone.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { TestServer, type TestServerOptions } from '../../src/testkit/server.ts';
import type {
  Command,
  ConferenceBody,
  ConversationBody,
  EndedEvent,
  IncomingBody,
  ParticipantBody,
} from './bodies.ts';
import { eventually } from './eventually.ts';

export interface SceneCallOptions extends CallOptions {
  phone?: Omit<PhoneOptions, 'number'>;
  number?: string;
}

export const calledNumber = '1000';
const incomingPath = '/incoming';
const eventsPath = '/events';

/**
 * The application and the phones of a test. It answers each call with the routine that was given for its phone, and
 * takes events.
 */
export class Audience implements AsyncDisposable {
  readonly app: CallbackApp;
  readonly #routines = new Map<string, readonly Command[]>();
  readonly #phones: Phone[] = [];
  #lastNumber = 15_550_000_000;

  private constructor(app: CallbackApp) {
    this.app = app;
    app.on<IncomingBody>(incomingPath, ({ connection }) => ({
      routine: this.#routines.get(connection.from),
    }));
    app.on(eventsPath, () => ({}));
  }

  static async create(): Promise<Audience> {
    return new Audience(await CallbackApp.create());
  }

  /** For the server's configuration. */
  get numbers(): { number: string; onIncoming: string }[] {
    return [{ number: calledNumber, onIncoming: this.app.url(incomingPath) }];
  }

  /** A `JoinConference`, with events to this application unless told otherwise. */
  join(conferenceName: string, parameters: Omit<Command, 'name'> = {}): Command {
    const event_callback = this.app.url(eventsPath);
    return { name: 'JoinConference', conference_name: conferenceName, event_callback, ...parameters };
  }

  /** What a call from this number is answered with. */
  routineFor(number: string, routine: readonly Command[]): void {
    this.#routines.set(number, routine);
  }

  /** A call from a phone of its own, that the application answers with the routine. */
  async call(
    sipUri: string,
    routine: readonly Command[],
    { phone, number = `+${++this.#lastNumber}`, ...options }: SceneCallOptions = {},
  ): Promise<PhoneCall> {
    this.routineFor(number, routine);
    const caller = await Phone.create({ number, ...phone });
    this.#phones.push(caller);
    return caller.call(sipUri, options);
  }

  /** A phone that calls nobody by itself. */
  async phone(): Promise<Phone> {
    const phone = await Phone.create({ number: `+${++this.#lastNumber}` });
    this.#phones.push(phone);
    return phone;
  }

  /** The first `ended` event that fits. @throws AssertionError when none comes in time */
  async ended(wanted: Partial<EndedEvent>, timeoutMs?: number): Promise<EndedEvent> {
    return (await this.allEnded(wanted, 1, timeoutMs))[0]!;
  }

  /** The first so many `ended` events that fit, oldest first. @throws AssertionError when fewer come in time */
  async allEnded(wanted: Partial<EndedEvent>, count: number, timeoutMs?: number): Promise<EndedEvent[]> {
    const enough = () => this.endedEvents(wanted).length >= count;
    await this.app.waitFor<EndedEvent>(eventsPath, enough, timeoutMs);
    return this.endedEvents(wanted).slice(0, count);
  }

  endedEvents(wanted: Partial<EndedEvent> = {}): EndedEvent[] {
    const fits = (event: EndedEvent) =>
      Object.entries({ type: 'ended', ...wanted }).every(
        ([key, value]) => event[key as keyof EndedEvent] === value,
      );
    return this.app
      .requests(eventsPath)
      .map(({ body }) => body as EndedEvent)
      .filter(fits);
  }

  /** Ends every call; a server that is gone is waited for as long as SIP wants it. */
  async hangUp(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp();
    await this.app.close();
  }
}

/** An audience and the server it calls, in this process; the media worker is a process of its own as always. */
export class Scene implements AsyncDisposable {
  readonly audience: Audience;
  readonly server: TestServer;

  private constructor(audience: Audience, server: TestServer) {
    this.audience = audience;
    this.server = server;
  }

  static async open(options: TestServerOptions = {}): Promise<Scene> {
    const audience = await Audience.create();
    try {
      const numbers = [...audience.numbers, ...(options.numbers ?? [])];
      return new Scene(audience, await TestServer.start({ ...options, numbers }));
    } catch (error) {
      await audience[Symbol.asyncDispose]();
      throw error;
    }
  }

  get app(): CallbackApp {
    return this.audience.app;
  }

  /** Registers a handler of the application and gives its URL. */
  handle<Body>(path: string, handler: CallbackHandler<Body>): string {
    this.app.on(path, handler);
    return this.app.url(path);
  }

  join(conferenceName: string, parameters?: Omit<Command, 'name'>): Command {
    return this.audience.join(conferenceName, parameters);
  }

  call(routine: readonly Command[], options?: SceneCallOptions): Promise<PhoneCall> {
    return this.audience.call(this.server.sipUri(calledNumber, options?.phone?.transport), routine, options);
  }

  conversation(conversationId: string): Promise<ConversationBody> {
    return this.server.api(`/v0/conversations/${conversationId}`);
  }

  /**
   * Waits until so many are in the conference, and each of them is as wanted.
   * @returns them in the order they joined
   */
  async participants(
    conferenceName: string,
    count: number,
    wants: (participant: ParticipantBody) => boolean = () => true,
  ): Promise<ParticipantBody[]> {
    return eventually(`${count} participants of ${conferenceName}`, async () => {
      const found = (await this.#conferences(conferenceName))[0]?.participants ?? [];
      return found.length === count && found.every(wants) ? found : undefined;
    });
  }

  /** Waits until the conference is live. */
  conference(name: string): Promise<ConferenceBody> {
    return eventually(`the conference ${name}`, async () => (await this.#conferences(name))[0]);
  }

  /** The conversation of the first `ended` event that fits: everything in it must be there by then. */
  async endedConversation(wanted: Partial<EndedEvent>): Promise<ConversationBody> {
    return this.conversation((await this.audience.ended(wanted)).conversation_id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.audience[Symbol.asyncDispose]();
    await this.server.stop();
  }

  async #conferences(wantedName: string): Promise<ConferenceBody[]> {
    const { conferences } = await this.server.api<{ conferences: ConferenceBody[] }>('/v1/conferences');
    return conferences.filter(({ name }) => name === wantedName);
  }
}
