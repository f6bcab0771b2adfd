import type { Clock } from '../clock.ts';
import {
  changeDelivery,
  type DeliveryFilter,
  deliveryOfRecording,
  getDelivery,
  lastDeliveredTo,
  lockDelivery,
  nextOrdinal,
  pageDeliveries,
} from '../database/deliveries.ts';
import type { Page, PageRequest } from '../database/page.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db, Delivery } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { nextState } from '../state-machine.ts';
import { type CredentialSeal, credentialsAbout } from './credential-seal.ts';
import type { Deliverer } from './deliverer.ts';
import { deliveryNames } from './delivery-name.ts';
import type { DeliveryRows } from './delivery-rows.ts';
import { deliveryTable } from './delivery-states.ts';
import { parseCredentials } from './destinations/destination-credentials.ts';
import { parseDestinationUrl } from './destinations/destination-url.ts';
import type { OwnStore } from './destinations/own-store.ts';

export interface DeliveriesOptions {
  db: Db;
  /** By which deliveries are tried again. */
  clock: Clock;
  seal: CredentialSeal;
  rows: DeliveryRows;
  deliverer: Pick<Deliverer, 'kick' | 'interrupt' | 'cleanUp'>;
  ownStore?: OwnStore | undefined;
}

/** What may be asked of deliveries. */
export class Deliveries {
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Latest first. */
  async list(accountId: string, request: PageRequest & { filter?: DeliveryFilter }): Promise<Page<Delivery>> {
    return await pageDeliveries(this.#options.db, accountId, request);
  }

  /** @throws CallreelError NOT_FOUND */
  async get(accountId: string, deliveryId: string): Promise<Delivery> {
    const row = await getDelivery(this.#options.db, deliveryId);
    if (row?.accountId !== accountId) throw notFound(deliveryId);
    return row;
  }

  /**
   * Delivers a file once more that failed, was given up, or is there. What is not given stays: the URL, and the
   * credentials where they are kept.
   * @throws CallreelError NOT_FOUND, CONFLICT while it is on its way, RECORDING_ERASED, DESTINATION_INVALID (also for
   *   credentials that are not kept any more), SPOOL_KEY_MISSING
   */
  async deliverAgain(
    deliveryId: string,
    given: { credentials?: Secret | undefined; url?: string | undefined } = {},
  ): Promise<Delivery> {
    const { db, deliverer } = this.#options;
    const before = await getDelivery(db, deliveryId);
    if (!before) throw notFound(deliveryId);
    const { url = before.url } = given;
    const credentials = given.credentials ?? this.#keptCredentials(before);
    parseCredentials(parseDestinationUrl(url).scheme, credentials);
    const isOther = url !== before.url || given.credentials !== undefined;
    if (isOther && before.upload !== null) await deliverer.cleanUp(before);
    const row = await db
      .transaction()
      .execute((trx) => this.#reset(trx, deliveryId, { url, credentials, isOther }));
    deliverer.kick();
    return row;
  }

  /**
   * The recording is erased: nothing more of it is sent, what was sent of it is freed as far as the storage answers,
   * and what lies in our own store goes.
   */
  async abandon(recordingId: string): Promise<void> {
    const { db, rows, deliverer } = this.#options;
    const found = await deliveryOfRecording(db, recordingId);
    if (!found) return;
    await db.transaction().execute((trx) => rows.abandon(trx, found.deliveryId));
    await deliverer.interrupt(found);
    const row = await getDelivery(db, found.deliveryId);
    if (!row) return;
    if (row.state === 'abandoned' && row.nextAttemptAt !== null && (await deliverer.cleanUp(row)))
      await changeDelivery(db, row.deliveryId, {
        upload: null,
        sealedCredentials: null,
        nextAttemptAt: null,
      });
    await this.#removeFromStore(row);
  }

  /** A later recording may have been written over it. */
  async #removeFromStore({ place, destination, deliveryId, key, deliveredAt }: Delivery): Promise<void> {
    const { db, ownStore } = this.#options;
    if (place !== 'sdrive://' || !ownStore || !deliveredAt) return;
    const last = await lastDeliveredTo(db, destination);
    if (last?.deliveryId === deliveryId) await ownStore.remove(key);
  }

  #keptCredentials(row: Delivery): Secret | undefined {
    const { sealedCredentials } = row;
    return sealedCredentials === null
      ? undefined
      : this.#options.seal.open(sealedCredentials, credentialsAbout(row));
  }

  async #reset(
    trx: Db,
    deliveryId: string,
    { url, credentials, isOther }: { url: string; credentials: Secret | undefined; isOther: boolean },
  ): Promise<Delivery> {
    const { seal, clock } = this.#options;
    const row = await lockDelivery(trx, deliveryId);
    const recording = row && (await getRecording(trx, row.accountId, row.recordingId));
    if (!row || !recording) throw notFound(deliveryId);
    if (recording.erasedAt)
      throw new CallreelError('RECORDING_ERASED', 'the recording was erased', { where: row.recordingId });
    if (row.state !== 'failing' && row.state !== 'dead' && row.state !== 'delivered')
      throw new CallreelError(
        'CONFLICT',
        row.state === 'abandoned' ? 'there is nothing to deliver' : 'the delivery is on its way',
        { where: deliveryId },
      );
    const now = new Date(clock.unixMs());
    const sealedCredentials =
      credentials === undefined ? null : seal.seal(credentials, credentialsAbout({ ...row, url }));
    const changed = await changeDelivery(trx, deliveryId, {
      ...{ url, sealedCredentials, queuedAt: now, nextAttemptAt: now, attempts: 0 },
      ...{ state: nextState('delivery', deliveryTable, row.state, 'again') },
      ...{ errorCode: null, errorMessage: null },
      ...(isOther && { upload: null }),
      ...(url !== row.url || row.key === '' ? await this.#newName(trx, row, url) : {}),
    });
    return changed ?? row;
  }

  async #newName(trx: Db, row: Delivery, url: string) {
    const { nameGroup, targetOf } = deliveryNames({ ...row, url, startedAtMs: row.createdAt.getTime() });
    const ordinal = nameGroup === null ? null : await nextOrdinal(trx, nameGroup);
    return { nameGroup, ordinal, ...targetOf(ordinal ?? 1) };
  }
}

function notFound(deliveryId: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such delivery', { where: deliveryId });
}
