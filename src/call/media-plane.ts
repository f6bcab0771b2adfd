import { CallreelError } from '../errors.ts';
import type { CodecPreference } from '../sdp/negotiation.ts';
import { type AnsweredOffer, answerOffer } from '../sdp/offer-answer.ts';
import type { SipRejection } from '../sip/session.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';

export interface MediaPlaneOptions {
  pool: WorkerPool;
  /** The address peers send their media to. */
  advertisedAddress: string;
  log: { warn(fields: object, message: string): void };
}

/** In the order of preference. */
const acceptedCodecs: readonly CodecPreference[] = [
  { codec: 'PCMU', clockRateHz: 8000 },
  { codec: 'PCMA', clockRateHz: 8000 },
];

interface LegMedia {
  port: number;
  sessionId: string;
  sdpVersion: number;
}

/**
 * Brings an SDP body and a media worker together: opens the port, answers the offer, tells the worker what was
 * agreed. Call control above it never sees SDP, the worker below it never does either.
 */
export class MediaPlane {
  readonly #options: MediaPlaneOptions;
  readonly #legs = new Map<string, LegMedia>();
  #sessions = 0;

  constructor(options: MediaPlaneOptions) {
    this.#options = options;
  }

  /** Every leg of one room is carried by one worker. */
  workerFor(room: string): MediaWorker {
    return this.#options.pool.workerFor(room);
  }

  get openLegs(): number {
    return this.#legs.size;
  }

  /**
   * @returns the SDP answer
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, PORTS_EXHAUSTED, WORKER_LOST; nothing stays open then
   */
  async negotiateIncoming(legId: string, worker: MediaWorker, offer: string | undefined): Promise<string> {
    if (offer === undefined)
      throw new CallreelError('SDP_INVALID', 'the INVITE carries no offer', { where: 'body' });
    const { port } = await worker.send({ verb: 'leg.open', legId });
    if (port === undefined) throw new CallreelError('PORTS_EXHAUSTED', 'the media worker gave no port');
    const media: LegMedia = { port, sessionId: String(++this.#sessions), sdpVersion: 1 };
    this.#legs.set(legId, media);
    try {
      const answered = this.#answer(media, offer);
      await this.#negotiate(legId, worker, answered);
      return answered.answer;
    } catch (error) {
      await this.close(legId, worker);
      throw error;
    }
  }

  /** A re-INVITE: the same port, the new agreement. Synchronous, so that the answer goes out at once. */
  renegotiate(legId: string, worker: MediaWorker, offer: string | undefined): string | SipRejection {
    const media = this.#legs.get(legId);
    if (!media || offer === undefined) return { status: 488, reason: 'Not Acceptable Here' };
    try {
      media.sdpVersion++;
      const answered = this.#answer(media, offer);
      this.#negotiate(legId, worker, answered).catch((error: unknown) => {
        this.#options.log.warn({ legId, error }, 'the media worker refused a renegotiation');
      });
      return answered.answer;
    } catch (error) {
      const reason = error instanceof CallreelError ? error.message : 'Not Acceptable Here';
      return { status: 488, reason };
    }
  }

  async close(legId: string, worker: MediaWorker): Promise<void> {
    if (!this.#legs.delete(legId)) return;
    try {
      await worker.send({ verb: 'leg.close', legId });
    } catch (error) {
      // A lost worker closed its ports with itself.
      if (!(error instanceof CallreelError && error.code === 'WORKER_LOST'))
        this.#options.log.warn({ legId, error }, 'the media worker could not close a leg');
    }
  }

  #answer(media: LegMedia, offer: string): AnsweredOffer {
    return answerOffer(offer, {
      address: this.#options.advertisedAddress,
      port: media.port,
      codecs: acceptedCodecs,
      sessionId: media.sessionId,
      version: media.sdpVersion,
      telephoneEvents: true,
    });
  }

  async #negotiate(legId: string, worker: MediaWorker, answered: AnsweredOffer): Promise<void> {
    await worker.send({ verb: 'leg.negotiate', legId, ...answered.negotiated });
  }
}
