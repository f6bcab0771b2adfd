import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import type { SipResponse } from '../../src/sip/message.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer } from '../../src/sip/test-peers.ts';
import {
  type LineCodecName,
  lineCodecs,
  packetPayloads,
  packetSamples,
} from '../../src/testkit/line-codec.ts';
import type { MediaDirection } from '../../src/testkit/phone-sdp.ts';
import { writePhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { RtpSocket } from '../../src/testkit/rtp-socket.ts';
import { calledNumber, type Scene } from './scene.ts';

/** As the server calls it: its user part is no number. */
export const handPhoneName = 'sip:caller@127.0.0.1';

/** A phone that speaks SIP by hand, message by message, in one call to the server. */
export class HandPhone {
  readonly peer: RawPeer;
  readonly #uri: string;
  readonly #callId = randomUUID();
  #toTag: string | undefined;
  #sequence = 0;
  #inviteSequence = 0;

  private constructor(peer: RawPeer, uri: string) {
    this.peer = peer;
    this.#uri = uri;
  }

  static async open(scene: Scene, number = calledNumber): Promise<HandPhone> {
    const uri = scene.server.sipUri(number);
    return new HandPhone(await RawPeer.open(Number(uri.split(':').at(-1))), uri);
  }

  /** Any request of the call, and its final response. A refused INVITE is acknowledged. */
  async request(method: string, { body = '', extra = [] as string[] } = {}): Promise<SipResponse> {
    const sequence = ++this.#sequence;
    if (method === 'INVITE') this.#inviteSequence = sequence;
    const branch = `z9hG4bK-${method}-${sequence}-${this.#callId}`;
    const parts = { uri: this.#uri, callId: this.#callId, toTag: this.#toTag, sequence, branch };
    this.peer.request(method, { ...parts, body, extra });
    const response = await this.peer.response(method);
    if (method === 'INVITE' && response.status >= 300)
      this.peer.request('ACK', { ...parts, toTag: tagOf(response.to) });
    else this.#toTag ??= tagOf(response.to);
    return response;
  }

  /** The ACK to the last INVITE. */
  acknowledge(body = ''): void {
    const sequence = this.#inviteSequence;
    this.peer.request('ACK', {
      uri: this.#uri,
      callId: this.#callId,
      toTag: this.#toTag,
      sequence,
      branch: `z9hG4bK-ack-${sequence}`,
      body,
    });
  }

  async hangUp(): Promise<SipResponse> {
    const response = await this.request('BYE');
    this.peer.close();
    return response;
  }
}

/** An audio description of a hand phone. */
export function audioSdp(
  port: number,
  version: number,
  { codec = 'PCMU' as LineCodecName, direction = 'sendrecv' as MediaDirection } = {},
): string {
  const address = '127.0.0.1';
  const media = { address, port, codecs: [codec], telephoneEventPayloadType: undefined, direction };
  return writePhoneSdp(media, 1, version);
}

/** One RTP stream out of one port, packet by packet. */
export class HandStream {
  readonly socket: RtpSocket;
  readonly #codec: LineCodecName;
  readonly #ssrc: number;
  #sent = 0;
  #pausedSamples = 0;

  private constructor(socket: RtpSocket, codec: LineCodecName, ssrc: number) {
    this.socket = socket;
    this.#codec = codec;
    this.#ssrc = ssrc;
  }

  static async open(codec: LineCodecName, ssrc: number): Promise<HandStream> {
    return new HandStream(await RtpSocket.open('127.0.0.1', systemClock), codec, ssrc);
  }

  /** The RTP clock moves on, as it does in a phone that sends nothing for a while. */
  pause(samples: number): void {
    this.#pausedSamples += samples;
  }

  /** Everything at the pace of speech; settles after the last packet's time. */
  async play(samples: Int16Array): Promise<void> {
    const codec = lineCodecs[this.#codec];
    const startUs = systemClock.monotonicUs();
    for (const [index, payload] of packetPayloads(codec, samples).entries()) {
      this.socket.send({
        payload,
        ssrc: this.#ssrc,
        sequenceNumber: (100 + this.#sent) & 0xffff,
        rtpTime: 1000 + this.#sent * packetSamples + this.#pausedSamples,
        payloadType: codec.payloadType,
        marker: this.#sent === 0,
        durationSamples: packetSamples,
      });
      this.#sent++;
      const dueMs = (startUs - systemClock.monotonicUs()) / 1000 + (index + 1) * 20;
      await new Promise<void>((resolve) => systemClock.after(Math.max(dueMs, 0), resolve));
    }
  }
}
