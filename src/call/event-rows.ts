import { getConversation } from '../database/conversations.ts';
import { getEvent } from '../database/events.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db, Delivery, Recording as RecordingRow } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import type { Outbox, OutgoingEvent } from '../delivery/outbox.ts';
import { parseEventCallback } from './event-callback.ts';
import type {
  ConversationEnded,
  ConversationTranscript,
  ConversationWarning,
  EventFormatter,
  RecordingChanged,
  RecordingDelivery,
  RecordingTranscript,
} from './neutral-events.ts';
import { deliveryEvent, type Telling, tellingOf, transcriptEvent } from './recording-events.ts';

export interface EventRowsOptions {
  outbox: Outbox;
  /** By dialect; makes the vendor's body inside the transaction of the event. */
  formatters: Readonly<Record<string, EventFormatter>>;
}

interface ToldConversation {
  event: ConversationEnded;
  /** As they are kept with the conversation. */
  callbacks: readonly string[];
  dialect: string;
}

/** The events of what is written, each in the transaction of the state that it reports, in its receiver's form. */
export class EventRows {
  readonly #outbox: Outbox;
  readonly #formatters: EventRowsOptions['formatters'];

  constructor({ outbox, formatters }: EventRowsOptions) {
    this.#outbox = outbox;
    this.#formatters = formatters;
  }

  /**
   * @param callback as it is kept with the conversation
   * @param dialect of the conversation, where the callback names none
   * @returns undefined where that has no form for it
   */
  conversationEvent(
    event: ConversationEnded | ConversationTranscript | ConversationWarning,
    callback: string,
    dialect: string,
  ): Omit<OutgoingEvent, 'eventId'> | undefined {
    const { accountId, conversationId, kind: type } = event;
    const { url: callbackUrl, dialect: told = dialect } = parseEventCallback(callback);
    const payload = this.#formatters[told]?.(event);
    return payload && { accountId, conversationId, type, payload, callbackUrl, dialect: told };
  }

  /** Unless it is there: a write whose commit was not heard of is done again. */
  async insertOnce(trx: Db, event: OutgoingEvent & { eventId: string }): Promise<void> {
    if (!(await getEvent(trx, event.eventId))) await this.#outbox.insert(trx, event);
  }

  /** Many at once; each to all of its callbacks. */
  async conversationsEnded(trx: Db, ended: readonly ToldConversation[]): Promise<void> {
    const told = ended.flatMap(({ event, callbacks, dialect }) =>
      callbacks.map((callback) => this.conversationEvent(event, callback, dialect)),
    );
    await this.#outbox.insertAll(
      trx,
      told.filter((each) => each !== undefined),
    );
  }

  /**
   * What nobody else has a form for is told in ours.
   * @param eventId of one that is told once, however often it is written
   */
  async recordingChanged(
    trx: Db,
    telling: Telling,
    event: RecordingChanged | RecordingDelivery | RecordingTranscript,
    eventId?: string,
  ): Promise<void> {
    const told = this.#recordingEvent(telling, event);
    if (!told) return;
    if (eventId === undefined) await this.#outbox.insert(trx, told);
    else await this.insertOnce(trx, { ...told, eventId });
  }

  /** Many at once. */
  async recordingsChanged(
    trx: Db,
    changed: readonly { telling: Telling; event: RecordingChanged }[],
  ): Promise<void> {
    const told = changed.map(({ telling, event }) => this.#recordingEvent(telling, event));
    await this.#outbox.insertAll(
      trx,
      told.filter((each) => each !== undefined),
    );
  }

  #recordingEvent(
    { statusUrl, dialect, fallbackUrl, signer }: Telling,
    event: RecordingChanged | RecordingDelivery | RecordingTranscript,
  ): OutgoingEvent | undefined {
    const { accountId, conversationId, kind: type } = event;
    const payload = (this.#formatters[dialect] ?? this.#formatters.native)?.(event);
    if (!payload) return undefined;
    return {
      ...{ accountId, conversationId, type, payload, dialect, fallbackUrl, signer },
      callbackUrl: statusUrl,
    };
  }

  async deliveryChanged(trx: Db, delivery: Delivery, state: RecordingDelivery['state']): Promise<void> {
    await this.#tellOf(trx, delivery, (row, name) => deliveryEvent(row, delivery, state, name));
  }

  async transcriptChanged(
    trx: Db,
    transcript: TranscriptRow,
    state: RecordingTranscript['state'],
  ): Promise<void> {
    const toldOf = await this.#tellOf(trx, transcript, (row, name) =>
      transcriptEvent(row, transcript, state, name),
    );
    if (toldOf) return;
    const { accountId, conversationId, recordingId, locale, errorCode, errorMessage } = transcript;
    const conversation = await getConversation(trx, accountId, conversationId);
    for (const callback of conversation?.eventCallbacks ?? []) {
      const event = {
        kind: 'conversation.transcript',
        ...{ accountId, conversationId, recordingId, state, locale },
        conferenceName: conversation?.conferenceName ?? '',
        error: errorCode === null ? undefined : { code: errorCode, message: errorMessage ?? '' },
      } as const;
      const told = this.conversationEvent(event, callback, conversation?.dialect ?? '');
      if (told) await this.#outbox.insert(trx, told);
    }
  }

  /** @returns whether somebody wants to know */
  async #tellOf(
    trx: Db,
    about: Pick<Delivery, 'accountId' | 'recordingId' | 'conversationId'>,
    eventOf: (row: RecordingRow, conferenceName: string) => RecordingDelivery | RecordingTranscript,
  ): Promise<boolean> {
    const row = await getRecording(trx, about.accountId, about.recordingId);
    const telling = row && tellingOf(row.wishes);
    if (!telling) return false;
    const conversation = await getConversation(trx, about.accountId, about.conversationId);
    await this.recordingChanged(trx, telling, eventOf(row, conversation?.conferenceName ?? ''));
    return true;
  }
}
