import { replacesOf } from '../sip/replaces.ts';
import type {
  ReferOptions,
  ReferOutcome,
  SipEnd,
  SipRejection,
  SipSession,
  SipSessionHandlers,
} from '../sip/session.ts';
import { readLineAudio } from './audio-file.ts';
import type { Impairment } from './impairment.ts';
import type { LineCodecName } from './line-codec.ts';
import type { PhoneMediaSession } from './phone-media.ts';
import type { ReceivedPacket } from './phone-receiver.ts';
import { assembleSamples } from './phone-receiver.ts';
import type { MediaDirection } from './phone-sdp.ts';
import type { SentPacket } from './phone-sender.ts';

export interface PlayOptions {
  impairment?: Impairment;
  /** Of the samples; 8000 where it is not set. */
  rateHz?: number;
}

const defaultDigitMs = 100;

/** One answered call of a phone. */
export class PhoneCall {
  readonly session: SipSession;
  /** Resolves, once, however the call ends. */
  readonly ended: Promise<SipEnd>;
  readonly #media: PhoneMediaSession;

  constructor(session: SipSession, media: PhoneMediaSession, ended: Promise<SipEnd>) {
    this.session = session;
    this.#media = media;
    this.ended = ended;
  }

  /** What the phone speaks in this call. */
  get codec(): LineCodecName {
    return this.#media.sender.codec.name;
  }

  /** The RTP port of this phone, and the one it sends to. */
  get rtpPorts(): { local: number; remote: number | undefined } {
    return { local: this.#media.port, remote: this.#media.remote?.port };
  }

  /** Whether the media is SRTP. */
  get secure(): boolean {
    return this.#media.secure;
  }

  /** Master keys in use, ours and the peer's, base64. */
  get sdesKeys(): (string | undefined)[] {
    return this.#media.sdesKeys;
  }

  /** Datagrams that did not open under the keys agreed. */
  get unopenedPackets(): number {
    return this.#media.unopened;
  }

  /** Sends a datagram as it is, beside the call's own. */
  sendRaw(datagram: Uint8Array): void {
    this.#media.sendRaw(datagram);
  }

  /**
   * A re-INVITE with a new key of ours.
   * @throws CallreelError SIP_REFUSED
   */
  rekey(): Promise<void> {
    this.#media.renewKey();
    return this.#reoffer('sendrecv');
  }

  /** Every packet that left, with its moment, in order of sending: bit for bit what a recording must hold. */
  get sentPackets(): readonly SentPacket[] {
    return this.#media.sender.sent;
  }

  /** As `sentPackets`, the audio alone. */
  get sentPayloads(): readonly SentPacket[] {
    return this.sentPackets.filter(
      (packet) => packet.payloadType !== this.#media.sender.telephoneEventPayloadType,
    );
  }

  /** Packets an impairment or a hold took away. */
  get lostPackets(): readonly Omit<SentPacket, 'sentUs'>[] {
    return this.#media.sender.lost;
  }

  get receivedPackets(): readonly ReceivedPacket[] {
    return this.#media.receiver.packets;
  }

  /** Keys the peer pressed. */
  get receivedDigits(): string {
    return this.#media.receiver.digits;
  }

  /**
   * Sends audio in packets of 20 ms, in real time. What is played next, without waiting or after it, follows without
   * a gap.
   * @param audio 8 kHz mono
   * @returns true at the last packet, false when the call ended before
   */
  async play(
    audio: Int16Array | { wav: string },
    { impairment, rateHz }: PlayOptions = {},
  ): Promise<boolean> {
    const samples = audio instanceof Int16Array ? audio : await readLineAudio(audio.wav);
    return this.#media.sender.play(samples, impairment, rateHz);
  }

  /** Presses a key by RFC 4733, after what is playing. @returns as `play` */
  pressDigit(key: string, { durationMs = defaultDigitMs } = {}): Promise<boolean> {
    return this.#media.sender.pressDigit(key, durationMs);
  }

  /** What the phone heard: placed by RTP time, silence where nothing came; 8 kHz unless told otherwise. */
  received(rateHz?: number): Int16Array {
    return this.#media.receiver.samples(rateHz);
  }

  /** What the phone said, decoded and placed as `received` places: what another party or a recording should hold. */
  sent(): Int16Array {
    const packets = this.sentPayloads.map((packet) => ({ ...packet, arrivalUs: packet.sentUs }));
    return assembleSamples(packets, undefined, this.#media.sender.opusPayloadType);
  }

  /**
   * Puts the peer on hold by a re-INVITE. `inactive` and `recvonly` stop our audio, `sendonly` goes on with it
   * (music on hold).
   * @throws CallreelError SIP_REFUSED
   */
  hold(direction: Exclude<MediaDirection, 'sendrecv'> = 'inactive'): Promise<void> {
    return this.#reoffer(direction);
  }

  /** @throws CallreelError SIP_REFUSED */
  resume(): Promise<void> {
    return this.#reoffer('sendrecv');
  }

  /**
   * Asks the peer to call `sipUri` instead of us (RFC 3515).
   * @returns the last status that the peer told of the new call
   * @throws CallreelError SIP_REFUSED
   */
  transfer(sipUri: string, options: ReferOptions = {}): Promise<ReferOutcome> {
    if (!this.session.refer) throw new Error('the SIP stack sends no REFER');
    return this.session.refer(sipUri, options);
  }

  /** Asks the peer to put itself in our place in another call of ours. @returns, @throws as `transfer` */
  attendedTransfer(other: PhoneCall): Promise<ReferOutcome> {
    const { direction, requestUri, from } = other.session;
    const target = direction === 'outgoing' ? requestUri : from.uri;
    return this.transfer(target, { replaces: replacesOf(other.session) });
  }

  /** Ends the call, and gives its end. */
  hangUp(reason?: string): Promise<SipEnd> {
    this.session.end(reason);
    return this.ended;
  }

  async #reoffer(direction: MediaDirection): Promise<void> {
    if (!this.session.reoffer) throw new Error('the SIP stack sends no re-INVITE');
    this.#media.apply(await this.session.reoffer(this.#media.offer(direction)));
  }
}

/** What every call of a phone does with its session's events, beside its own. */
export function mediaHandlers(
  media: PhoneMediaSession,
  own: Omit<SipSessionHandlers, 'reoffered'>,
): SipSessionHandlers {
  return {
    ...own,
    reoffered: (sdp) => reoffered(media, sdp),
    ended: (end) => {
      media.close();
      own.ended(end);
    },
  };
}

function reoffered(media: PhoneMediaSession, sdp: string | undefined): string | SipRejection {
  try {
    return sdp === undefined ? media.offer() : media.answer(sdp);
  } catch (error) {
    return { status: 488, reason: (error as Error).message };
  }
}
