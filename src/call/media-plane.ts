import { CallreelError } from '../errors.ts';
import { MediaNegotiator } from '../sdp/media-negotiator.ts';
import type { CodecPreference, NegotiatedMedia } from '../sdp/negotiation.ts';
import type { OfferAnswer } from '../sip/session.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';

export interface MediaPlaneOptions {
  pool: WorkerPool;
  /** The address of ours that a peer sends its media to. */
  advertisedAddress(peerAddress: string): string;
  log: { warn(fields: object, message: string): void };
}

/** In the order of preference. */
const acceptedCodecs: readonly CodecPreference[] = [
  { codec: 'PCMU', clockRateHz: 8000 },
  { codec: 'PCMA', clockRateHz: 8000 },
];

/**
 * Brings SDP bodies and media workers together: opens the port, makes offers and answers, tells the worker what was
 * agreed. Call control above it never sees SDP, the worker below it never does either.
 */
export class MediaPlane {
  readonly #options: MediaPlaneOptions;
  /** By leg. */
  readonly #negotiators = new Map<string, MediaNegotiator>();

  constructor(options: MediaPlaneOptions) {
    this.#options = options;
  }

  /** Every leg of one room is carried by one worker. */
  workerFor(room: string): MediaWorker {
    return this.#options.pool.workerFor(room);
  }

  get openLegs(): number {
    return this.#negotiators.size;
  }

  /**
   * Opens the leg's media for a peer's offer.
   * @returns the SDP answer
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, PORTS_EXHAUSTED, WORKER_LOST; nothing stays open then
   */
  async answer(
    legId: string,
    worker: MediaWorker,
    peerAddress: string,
    offer: string | undefined,
  ): Promise<string> {
    if (offer === undefined)
      throw new CallreelError('SDP_INVALID', 'the INVITE carries no offer', { where: 'body' });
    const negotiator = await this.#open(legId, worker, peerAddress);
    return await this.#orClose(legId, worker, async () => {
      const { answer, negotiated } = negotiator.answer(offer);
      await this.#negotiate(legId, worker, negotiated);
      return answer;
    });
  }

  /**
   * Opens the leg's media for a call of ours.
   * @returns the SDP offer
   * @throws CallreelError PORTS_EXHAUSTED, WORKER_LOST; nothing stays open then
   */
  async offer(legId: string, worker: MediaWorker, peerAddress: string): Promise<string> {
    return (await this.#open(legId, worker, peerAddress)).offer();
  }

  /**
   * Takes the peer's answer to `offer`. What is asked of the worker next comes after it.
   * @returns the worker's consent: WORKER_LOST and the like
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, at once
   */
  applyAnswer(legId: string, worker: MediaWorker, answer: string): Promise<void> {
    const negotiator = this.#negotiators.get(legId);
    return negotiator ? this.#negotiate(legId, worker, negotiator.apply(answer)) : Promise.resolve();
  }

  /**
   * A re-INVITE: the same port, the new agreement. Settles once the worker has it: with the answer in its hand the
   * peer may send from an address that was not known before.
   */
  async renegotiate(legId: string, worker: MediaWorker, offer: string | undefined): Promise<OfferAnswer> {
    const negotiator = this.#negotiators.get(legId);
    if (!negotiator || offer === undefined) return { status: 488, reason: 'Not Acceptable Here' };
    try {
      const { answer, negotiated } = negotiator.answer(offer);
      await this.#negotiate(legId, worker, negotiated);
      return answer;
    } catch (error) {
      const offerRefused =
        error instanceof CallreelError && (error.code === 'SDP_INVALID' || error.code === 'NO_COMMON_CODEC');
      if (offerRefused) return { status: 488, reason: error.message };
      this.#options.log.warn({ legId, error }, 'a renegotiation failed');
      return { status: 500 };
    }
  }

  async close(legId: string, worker: MediaWorker): Promise<void> {
    if (!this.#negotiators.delete(legId)) return;
    try {
      await worker.send({ verb: 'leg.close', legId });
    } catch (error) {
      // A lost worker closed its ports with itself.
      if (!(error instanceof CallreelError && error.code === 'WORKER_LOST'))
        this.#options.log.warn({ legId, error }, 'the media worker could not close a leg');
    }
  }

  async #open(legId: string, worker: MediaWorker, peerAddress: string): Promise<MediaNegotiator> {
    const { port } = await worker.send({ verb: 'leg.open', legId });
    if (port === undefined) throw new CallreelError('PORTS_EXHAUSTED', 'the media worker gave no port');
    const address = this.#options.advertisedAddress(peerAddress);
    const negotiator = new MediaNegotiator({ address, port, codecs: acceptedCodecs, telephoneEvents: true });
    this.#negotiators.set(legId, negotiator);
    return negotiator;
  }

  async #orClose<T>(legId: string, worker: MediaWorker, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      await this.close(legId, worker);
      throw error;
    }
  }

  async #negotiate(legId: string, worker: MediaWorker, negotiated: NegotiatedMedia): Promise<void> {
    await worker.send({ verb: 'leg.negotiate', legId, ...negotiated });
  }
}
