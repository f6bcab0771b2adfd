import { isIP } from 'node:net';
import { CallreelError } from '../errors.ts';
import { applyAnswer } from '../sdp/applied-answer.ts';
import { audioPeer } from '../sdp/audio-peer.ts';
import { MediaNegotiator } from '../sdp/media-negotiator.ts';
import type { CodecOrder, CodecPreference, NegotiatedMedia } from '../sdp/negotiation.ts';
import { parseSessionDescription } from '../sdp/session-description.ts';
import type { SrtpPolicy } from '../sdp/srtp-parameters.ts';
import type { OfferAnswer, SipSession } from '../sip/session.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';

export interface MediaPlaneOptions {
  pool: WorkerPool;
  /** The address of ours that a peer sends its media to. */
  advertisedAddress(peerAddress: string): string;
  /** In the order of preference. */
  codecs: readonly CodecPreference[];
  codecOrder: CodecOrder;
  srtp: SrtpPolicy;
  /** So long a leg that should send may send nothing before the worker tells; undefined: for ever. */
  inactivityTimeoutMs?: number | undefined;
  /** The leg's media is open at this address of ours. */
  opened?(legId: string, local: { address: string; port: number }): void;
  /** The worker is told of an agreement. */
  agreed?(legId: string, negotiated: NegotiatedMedia): void;
  log: { warn(fields: object, message: string): void };
}

export interface MediaOfferOptions {
  /** Put before the others: what the party on the other side speaks, so that nothing is transcoded. */
  offerCodecs?: readonly CodecPreference[];
  /** Of this call alone, whatever the setting. */
  srtp?: SrtpPolicy;
  /** Signalling that nobody reads on its way (TLS): keys may go by it. */
  secureSignalling?: boolean;
  /** As of `LegOpen`. */
  joinsAtAnswer?: boolean;
}

/** How a leg is opened. */
interface LegOpening {
  srtp: SrtpPolicy;
  offersSrtp: boolean;
  awaitsAnswer: boolean;
  joinsAtAnswer?: boolean;
}

/** Stands in a description that nobody is sent. */
const anyPort = 9;

/** A direction that we receive nothing in, and the same with receiving. */
const receiving: Partial<Record<NegotiatedMedia['direction'], NegotiatedMedia['direction']>> = {
  sendonly: 'sendrecv',
  inactive: 'recvonly',
};

/**
 * Brings SDP bodies and media workers together: opens the port, makes offers and answers, tells the worker what was
 * agreed. Call control above it never sees SDP, the worker below it never does either.
 */
export class MediaPlane {
  readonly #options: MediaPlaneOptions;
  /** By leg. */
  readonly #negotiators = new Map<string, MediaNegotiator>();
  /** Where each leg's SIP messages come from. */
  readonly #peerAddresses = new Map<string, string>();

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
   * Whether an INVITE's offer is one that `answer` takes; nothing is opened, and nothing is kept.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED
   */
  examine({ offer, peer }: Pick<SipSession, 'offer' | 'peer'>): void {
    if (offer === undefined) return;
    const { advertisedAddress, codecs, codecOrder, srtp } = this.#options;
    const address = advertisedAddress(peer.address);
    new MediaNegotiator({ address, port: anyPort, codecs, codecOrder, srtp, telephoneEvents: true }).examine(
      offer,
    );
  }

  /**
   * Opens the leg's media for a peer's offer.
   * @param offer undefined for a late offer: what is given is our offer then, and `applyAnswer` follows
   * @returns the SDP answer
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED, PORTS_EXHAUSTED, WORKER_LOST; nothing stays open then
   */
  async answer(
    legId: string,
    worker: MediaWorker,
    { address, transport }: SipSession['peer'],
    offer: string | undefined,
  ): Promise<string> {
    const description = offer === undefined ? undefined : parseSessionDescription(offer);
    const negotiator = await this.#open(
      legId,
      worker,
      address,
      { srtp: this.#options.srtp, offersSrtp: transport === 'tls', awaitsAnswer: description === undefined },
      description && audioPeer(address, description),
    );
    return await this.#orClose(legId, worker, async () => {
      if (description === undefined) return await this.#lateOffer(legId, worker, negotiator);
      const { answer, negotiated } = negotiator.answer(description);
      await this.#negotiate(legId, worker, negotiated);
      return answer;
    });
  }

  /**
   * Opens the leg's media for a call of ours.
   * @returns the SDP offer
   * @throws CallreelError PORTS_EXHAUSTED, WORKER_LOST; nothing stays open then
   */
  async offer(
    legId: string,
    worker: MediaWorker,
    peerAddress: string,
    { offerCodecs, srtp, secureSignalling = false, joinsAtAnswer = false }: MediaOfferOptions = {},
  ): Promise<string> {
    const negotiator = await this.#open(legId, worker, peerAddress, {
      srtp: srtp ?? this.#options.srtp,
      offersSrtp: srtp !== undefined || secureSignalling,
      awaitsAnswer: true,
      joinsAtAnswer,
    });
    return negotiator.offer({ preferred: offerCodecs });
  }

  /** Another offer for a peer that refused ours; undefined where there is none to make. */
  otherOffer(legId: string): string | undefined {
    return this.#negotiators.get(legId)?.secureOffer();
  }

  /** What the leg is sent, as another leg's `offerCodecs`; undefined before an agreement. */
  codecOf(legId: string): CodecPreference | undefined {
    return this.#negotiators.get(legId)?.agreed?.send;
  }

  /** The sampling rate that does the leg's codec justice; the lowest before an agreement. */
  rateHzOf(legId: string): 8000 | 16_000 | 48_000 {
    const codec = this.#negotiators.get(legId)?.agreed?.send.codec;
    if (codec === 'OPUS') return 48_000;
    return codec === 'G722' ? 16_000 : 8000;
  }

  /**
   * Takes the peer's answer to `offer`. What is asked of the worker next comes after it.
   * @returns the worker's consent: WORKER_LOST and the like
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED, at once
   */
  applyAnswer(legId: string, worker: MediaWorker, answer: string): Promise<void> {
    const negotiator = this.#negotiators.get(legId);
    return negotiator ? this.#negotiate(legId, worker, negotiator.apply(answer)) : Promise.resolve();
  }

  /** Whether the peer put us on hold: it wants to hear nothing (RFC 3264 section 8.4). */
  isHeld(legId: string): boolean {
    const direction = this.#negotiators.get(legId)?.agreed?.direction;
    return direction === 'recvonly' || direction === 'inactive';
  }

  /**
   * A re-INVITE: the same port, the new agreement. Settles once the worker has it: with the answer in its hand the
   * peer may send from an address that was not known before.
   * @param offer undefined: gives an offer of ours, `applyAnswer` follows
   */
  async renegotiate(legId: string, worker: MediaWorker, offer: string | undefined): Promise<OfferAnswer> {
    const negotiator = this.#negotiators.get(legId);
    if (!negotiator) return { status: 488, reason: 'Not Acceptable Here' };
    try {
      if (offer === undefined) return await this.#laterOffer(legId, worker, negotiator);
      const { answer, negotiated } = negotiator.answer(offer);
      await this.#negotiate(legId, worker, negotiated);
      return answer;
    } catch (error) {
      const offerRefused =
        error instanceof CallreelError && (error.code === 'SDP_INVALID' || error.status === 488);
      if (offerRefused) return { status: error.status, reason: error.message };
      this.#options.log.warn({ legId, error }, 'a renegotiation failed');
      return { status: 500 };
    }
  }

  async close(legId: string, worker: MediaWorker): Promise<void> {
    if (!this.#negotiators.delete(legId)) return;
    this.#peerAddresses.delete(legId);
    // Where it was to be in a room of its own.
    this.#options.pool.forget(legId);
    try {
      await worker.send({ verb: 'leg.close', legId });
    } catch (error) {
      // A lost worker closed its ports with itself.
      if (!(error instanceof CallreelError && error.code === 'WORKER_LOST'))
        this.#options.log.warn({ legId, error }, 'the media worker could not close a leg');
    }
  }

  async #open(
    legId: string,
    worker: MediaWorker,
    peerAddress: string,
    { awaitsAnswer, joinsAtAnswer = false, ...srtp }: LegOpening,
    mediaAddress = peerAddress,
  ): Promise<MediaNegotiator> {
    const { port } = await worker.send({ verb: 'leg.open', legId, awaitsAnswer, joinsAtAnswer });
    if (port === undefined) throw new CallreelError('PORTS_EXHAUSTED', 'the media worker gave no port');
    const { advertisedAddress, codecs, codecOrder } = this.#options;
    const address = advertisedAddress(mediaAddress);
    this.#options.opened?.(legId, { address, port });
    const negotiator = new MediaNegotiator({
      address,
      port,
      codecs,
      codecOrder,
      ...srtp,
      telephoneEvents: true,
    });
    this.#negotiators.set(legId, negotiator);
    if (isIP(peerAddress) > 0) this.#peerAddresses.set(legId, peerAddress);
    return negotiator;
  }

  /** RFC 3264 section 5.1: packets of every format we offer may come before the answer does. */
  async #lateOffer(legId: string, worker: MediaWorker, negotiator: MediaNegotiator): Promise<string> {
    const offer = negotiator.offer();
    const expected = applyAnswer(offer, offer);
    if (!expected.srtp)
      await this.#negotiate(legId, worker, { ...expected, remote: undefined, direction: 'recvonly' });
    return offer;
  }

  /** A peer on hold that is offered to resume may speak before its answer is here, by what was agreed before. */
  async #laterOffer(legId: string, worker: MediaWorker, negotiator: MediaNegotiator): Promise<string> {
    const offer = negotiator.offer();
    const { agreed } = negotiator;
    if (!agreed) return offer;
    const direction = receiving[agreed.direction];
    if (direction !== undefined) await this.#tell(legId, worker, { ...agreed, direction });
    return offer;
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
    this.#options.agreed?.(legId, negotiated);
    await this.#tell(legId, worker, negotiated);
  }

  async #tell(legId: string, worker: MediaWorker, negotiated: NegotiatedMedia): Promise<void> {
    const { inactivityTimeoutMs } = this.#options;
    const signallingAddress = this.#peerAddresses.get(legId);
    await worker.send({
      verb: 'leg.negotiate',
      legId,
      ...negotiated,
      inactivityTimeoutMs,
      ...(signallingAddress !== undefined && { signallingAddress }),
    });
  }
}
