import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { LineCodecName } from './line-codec.ts';
import { lineCodecs } from './line-codec.ts';
import type { StreamPosition } from './media-packet.ts';
import { PhoneReceiver } from './phone-receiver.ts';
import type { MediaDirection, PhoneMedia } from './phone-sdp.ts';
import { oppositeDirection, readPhoneSdp, writePhoneSdp } from './phone-sdp.ts';
import { PhoneSender } from './phone-sender.ts';
import { RtpSocket } from './rtp-socket.ts';

export interface PhoneMediaOptions {
  /** Offered in this order. */
  codecs?: readonly LineCodecName[];
  /** `null`: the phone speaks no RFC 4733. */
  telephoneEventPayloadType?: number | null;
  /** What is sent while nothing is played; without it nothing is. */
  keepAlive?: 'silence';
  /** First numbers of the outgoing stream; random where not given (RFC 3550, section 5.1). */
  stream?: Partial<StreamPosition>;
}

/** Session version of both descriptions begins here; every further one is one higher. */
const firstVersion = 1;

/** The media of one call: socket, stream out, stream in, and what was agreed about them. */
export class PhoneMediaSession {
  readonly receiver = new PhoneReceiver();
  readonly #clock: Clock;
  readonly #socket: RtpSocket;
  readonly #host: string;
  readonly #options: PhoneMediaOptions;
  readonly #sessionId = randomInt(2 ** 31);
  #version = firstVersion;
  #direction: MediaDirection = 'sendrecv';
  #remote: PhoneMedia | undefined;
  #sender: PhoneSender | undefined;

  private constructor(clock: Clock, socket: RtpSocket, host: string, options: PhoneMediaOptions) {
    this.#clock = clock;
    this.#socket = socket;
    this.#host = host;
    this.#options = options;
    socket.onDatagram((data, arrivalUs) => this.receiver.receive(data, arrivalUs));
  }

  static async open(clock: Clock, host: string, options: PhoneMediaOptions): Promise<PhoneMediaSession> {
    return new PhoneMediaSession(clock, await RtpSocket.open(host, clock), host, options);
  }

  get port(): number {
    return this.#socket.port;
  }

  get remote(): PhoneMedia | undefined {
    return this.#remote;
  }

  /** Only after the peer's description was applied. */
  get sender(): PhoneSender {
    if (!this.#sender) throw new Error('the call has no media yet: nothing was agreed');
    return this.#sender;
  }

  /** Our next offer. */
  offer(direction: MediaDirection = 'sendrecv'): string {
    this.#direction = direction;
    return this.#describe(this.#offered, direction);
  }

  /** Takes the peer's offer and gives our answer to it. */
  answer(offer: string): string {
    const remote = readPhoneSdp(offer);
    this.#direction = oppositeDirection(remote.direction);
    this.apply(offer);
    const { codecs, telephoneEventPayloadType } = remote;
    const answered =
      this.#offered.telephoneEventPayloadType === undefined ? undefined : telephoneEventPayloadType;
    const common = codecs.filter((name) => this.#offered.codecs.includes(name));
    return this.#describe({ codecs: common, telephoneEventPayloadType: answered }, this.#direction);
  }

  /** Takes the peer's answer (or offer): from now on packets go where it says. */
  apply(sdp: string): void {
    const remote = readPhoneSdp(sdp);
    const name = remote.codecs.find((codec) => this.#offered.codecs.includes(codec));
    if (name === undefined) throw new Error(`no common codec: ${JSON.stringify(sdp)}`);
    this.#remote = remote;
    this.#socket.remote = { address: remote.address, port: remote.port };
    const spoken = this.#offered.telephoneEventPayloadType !== undefined;
    const eventType = spoken ? remote.telephoneEventPayloadType : undefined;
    this.receiver.telephoneEventPayloadType = eventType;
    this.#sender ??= this.#createSender(name, eventType);
    this.#sender.codec = lineCodecs[name];
    this.#sender.telephoneEventPayloadType = eventType;
    const weSend = this.#direction === 'sendrecv' || this.#direction === 'sendonly';
    this.#sender.muted = !weSend || remote.direction === 'sendonly' || remote.direction === 'inactive';
  }

  close(): void {
    this.#sender?.stop();
    this.#socket.close();
  }

  get #offered(): Pick<PhoneMedia, 'codecs' | 'telephoneEventPayloadType'> {
    const { codecs = ['PCMU', 'PCMA'], telephoneEventPayloadType = 101 } = this.#options;
    return { codecs, telephoneEventPayloadType: telephoneEventPayloadType ?? undefined };
  }

  #describe(
    spoken: Pick<PhoneMedia, 'codecs' | 'telephoneEventPayloadType'>,
    direction: MediaDirection,
  ): string {
    const media: PhoneMedia = { ...spoken, address: this.#host, port: this.port, direction };
    return writePhoneSdp(media, this.#sessionId, this.#version++);
  }

  #createSender(codec: LineCodecName, telephoneEventPayloadType: number | undefined): PhoneSender {
    const { stream = {}, keepAlive } = this.#options;
    return new PhoneSender(lineCodecs[codec], telephoneEventPayloadType, {
      clock: this.#clock,
      keepAlive,
      start: {
        ssrc: stream.ssrc ?? randomInt(2 ** 32),
        sequenceNumber: stream.sequenceNumber ?? randomInt(2 ** 16),
        rtpTime: stream.rtpTime ?? randomInt(2 ** 32),
      },
      send: (packet) => this.#socket.send(packet),
    });
  }
}
