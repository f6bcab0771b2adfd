import type { Clock } from '../clock.ts';
import {
  changeDelivery,
  type DeliveryChange,
  deliveryOfRecording,
  insertDelivery,
  lockDelivery,
} from '../database/deliveries.ts';
import type { Db, Delivery, Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { nextState } from '../state-machine.ts';
import { deliveryNames } from './delivery-name.ts';
import { deliveryTable } from './delivery-states.ts';

/** What is wanted of one recording; `call/delivery-wish` is one. */
export interface WantedDelivery {
  url: string;
  sealedCredentials?: string | undefined;
  format: 'wav' | 'mp3' | 'mp4';
  stereo: boolean;
  applicationKey: string;
  nameId: string;
}

/** Of what ended so there is no file, or none that may be given out. */
const withoutFile: readonly string[] = ['no_input', 'no_consent', 'consent_withdrawn', 'error'];

/** The deliveries of this node as rows: written with their recordings, and set going or abandoned at their ends. */
export class DeliveryRows {
  readonly #node: string;
  readonly #clock: Clock;

  /** @param clock by which deliveries are tried again */
  constructor(node: string, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** In the transaction that writes the recording's row; once for each recording. */
  async insert(
    trx: Db,
    recording: Pick<Recording, 'recordingId' | 'conversationId' | 'accountId' | 'startedAt'>,
    wanted: WantedDelivery,
  ): Promise<void> {
    const { recordingId, conversationId, accountId, startedAt } = recording;
    const { url, applicationKey, nameId, format, stereo, sealedCredentials = null } = wanted;
    const row = {
      ...{ deliveryId: newId(), recordingId, conversationId, accountId, node: this.#node },
      ...{ url, applicationKey, nameId, format, stereo, sealedCredentials, createdAt: startedAt },
    };
    try {
      const { nameGroup, targetOf } = deliveryNames({ ...wanted, startedAtMs: startedAt.getTime() });
      await insertDelivery(trx, { ...row, nameGroup }, targetOf);
    } catch (error) {
      if (!(error instanceof CallreelError) || error.code !== 'DESTINATION_INVALID') throw error;
      const { code, message } = error;
      await insertDelivery(trx, { ...row, nameGroup: null }, () => ({ error: { code, message } }));
    }
  }

  /**
   * In the transaction that writes the recording's end.
   * @returns the delivery if it is dead already and that is to be told: its URL cannot be read
   */
  async recordingEnded(trx: Db, recording: Recording): Promise<Delivery | undefined> {
    const found = await deliveryOfRecording(trx, recording.recordingId);
    if (!found) return undefined;
    const isWhole = (recording.fileSamples ?? 0) > 0 && !withoutFile.includes(recording.reason ?? 'error');
    if (!isWhole || recording.erasedAt !== null) {
      await this.abandon(trx, found.deliveryId);
      return undefined;
    }
    if (found.state === 'dead') return found;
    const now = this.#now();
    await changeDelivery(trx, found.deliveryId, { queuedAt: now, nextAttemptAt: now });
    return undefined;
  }

  /**
   * Nothing more is delivered. What an upload left is cleaned up by whoever looks for what is due.
   * @returns the row as it is now; one that was delivered stays so
   */
  async abandon(trx: Db, deliveryId: string): Promise<Delivery | undefined> {
    const row = await lockDelivery(trx, deliveryId);
    if (!row || row.state === 'delivered' || row.state === 'abandoned') return row;
    const state = nextState('delivery', deliveryTable, row.state, 'abandon');
    if (state === undefined) return row;
    const mayHaveBegun = row.upload !== null || row.state === 'uploading';
    const now = this.#now();
    const change: DeliveryChange = mayHaveBegun
      ? { state, nextAttemptAt: now, queuedAt: now, attempts: 0 }
      : { state, nextAttemptAt: null, sealedCredentials: null };
    return await changeDelivery(trx, deliveryId, change);
  }

  #now(): Date {
    return new Date(this.#clock.unixMs());
  }
}
