import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { LineCodecName } from './line-codec.ts';
import { lineCodecs } from './line-codec.ts';
import type { StreamPosition } from './media-packet.ts';
import { PhoneReceiver } from './phone-receiver.ts';
import type { MediaDirection, PhoneCrypto, PhoneMedia } from './phone-sdp.ts';
import { oppositeDirection, readPhoneSdp, writePhoneSdp } from './phone-sdp.ts';
import { PhoneSender } from './phone-sender.ts';
import { PhoneSrtp, type PhoneSrtpSuite, phoneSrtpKeyBytes } from './phone-srtp.ts';
import { RtpSocket } from './rtp-socket.ts';

export interface PhoneMediaOptions {
  /** Offered in this order. */
  codecs?: readonly LineCodecName[];
  /** In our offers; the usual one where it is not set. An answer has that of the offer. */
  opusPayloadType?: number;
  /** `null`: the phone speaks no RFC 4733. */
  telephoneEventPayloadType?: number | null;
  /** SRTP by SDES; `profile` is what is offered, `RTP/SAVP` where it is not set. Without it: plain RTP. */
  srtp?: { suite: PhoneSrtpSuite; profile?: string };
  /** Length of the packets that are sent and asked for; 20 ms where it is not set. */
  packetMs?: number;
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
  #crypto: PhoneCrypto | undefined;
  /** Of ours, in use. */
  #agreedKey: string | undefined;

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
    const { srtp } = this.#options;
    const crypto = srtp && this.#ownCrypto(srtp.suite, 1);
    this.receiver.opusPayloadType = this.#offered.opusPayloadType;
    return this.#describe(
      { ...this.#offered, profile: srtp && (srtp.profile ?? 'RTP/SAVP'), crypto },
      direction,
    );
  }

  /** Takes the peer's offer and gives our answer to it. */
  answer(offer: string): string {
    const remote = this.#read(offer);
    this.#direction = oppositeDirection(remote.direction);
    const { profile, opusPayloadType } = remote;
    const crypto = remote.crypto && this.#ownCrypto(remote.crypto.suite, remote.crypto.tag);
    this.apply(offer);
    const { codecs, telephoneEventPayloadType } = remote;
    const answered =
      this.#offered.telephoneEventPayloadType === undefined ? undefined : telephoneEventPayloadType;
    const common = codecs.filter((name) => this.#offered.codecs.includes(name));
    const spoken = { codecs: common, opusPayloadType, telephoneEventPayloadType: answered, profile, crypto };
    this.receiver.opusPayloadType = opusPayloadType;
    return this.#describe(spoken, this.#direction);
  }

  /** Takes the peer's answer (or offer): from now on packets go where it says. */
  apply(sdp: string): void {
    const remote = this.#read(sdp);
    const name = remote.codecs.find((codec) => this.#offered.codecs.includes(codec));
    if (name === undefined) throw new Error(`no common codec: ${JSON.stringify(sdp)}`);
    this.#agreeOnKeys(remote.crypto, this.#remote?.crypto);
    this.#remote = remote;
    this.#socket.remote = { address: remote.address, port: remote.port };
    const spoken = this.#offered.telephoneEventPayloadType !== undefined;
    const eventType = spoken ? remote.telephoneEventPayloadType : undefined;
    this.receiver.telephoneEventPayloadType = eventType;
    this.#sender ??= this.#createSender(name, eventType);
    this.#sender.codec = lineCodecs[name];
    this.#sender.telephoneEventPayloadType = eventType;
    this.#sender.opusPayloadType = remote.opusPayloadType;
    const weSend = this.#direction === 'sendrecv' || this.#direction === 'sendonly';
    this.#sender.muted = !weSend || remote.direction === 'sendonly' || remote.direction === 'inactive';
  }

  /** A new key of ours with the next offer. */
  renewKey(): void {
    this.#crypto = undefined;
  }

  /** Datagrams that did not open under the keys agreed. */
  get unopened(): number {
    return this.#socket.unopened;
  }

  get sdesKeys(): (string | undefined)[] {
    return [this.#agreedKey, this.#remote?.crypto?.key];
  }

  /** Whether packets go and come as SRTP. */
  get secure(): boolean {
    return this.#socket.srtp !== undefined;
  }

  /** Sends a datagram as it is. */
  sendRaw(datagram: Uint8Array): void {
    this.#socket.sendRaw(datagram);
  }

  close(): void {
    this.#sender?.stop();
    this.#socket.close();
  }

  #read(sdp: string): PhoneMedia {
    return readPhoneSdp(sdp, this.#options.srtp?.suite, this.#offered.codecs);
  }

  #ownCrypto(suite: PhoneSrtpSuite, tag: number): PhoneCrypto {
    this.#crypto ??= { tag, suite, key: randomBytes(phoneSrtpKeyBytes[suite]).toString('base64') };
    return { ...this.#crypto, tag };
  }

  /** @throws Error for an answer without keys where SRTP was asked for */
  #agreeOnKeys(peer: PhoneCrypto | undefined, before: PhoneCrypto | undefined): void {
    const own = this.#crypto;
    if (own && !peer) throw new Error('the peer agreed to no SRTP');
    const same = peer?.key === before?.key && own?.key === this.#agreedKey;
    if (!own || !peer || same) return;
    this.#agreedKey = own.key;
    this.#socket.srtp = new PhoneSrtp(own.suite, own.key, peer.key);
  }

  get #offered(): Pick<PhoneMedia, 'codecs' | 'opusPayloadType' | 'telephoneEventPayloadType'> {
    const { codecs = ['PCMU', 'PCMA'], opusPayloadType, telephoneEventPayloadType = 101 } = this.#options;
    return { codecs, opusPayloadType, telephoneEventPayloadType: telephoneEventPayloadType ?? undefined };
  }

  #describe(
    spoken: Omit<PhoneMedia, 'address' | 'port' | 'direction' | 'packetMs'>,
    direction: MediaDirection,
  ): string {
    const { packetMs } = this.#options;
    const place = { address: this.#host, port: this.port, direction };
    const media: PhoneMedia = { ...spoken, ...place, ...(packetMs !== undefined && { packetMs }) };
    return writePhoneSdp(media, this.#sessionId, this.#version++);
  }

  #createSender(codec: LineCodecName, telephoneEventPayloadType: number | undefined): PhoneSender {
    const { stream = {}, keepAlive, packetMs } = this.#options;
    return new PhoneSender(lineCodecs[codec], telephoneEventPayloadType, {
      clock: this.#clock,
      keepAlive,
      packetMs,
      start: {
        ssrc: stream.ssrc ?? randomInt(2 ** 32),
        sequenceNumber: stream.sequenceNumber ?? randomInt(2 ** 16),
        rtpTime: stream.rtpTime ?? randomInt(2 ** 32),
      },
      send: (packet) => this.#socket.send(packet),
    });
  }
}
