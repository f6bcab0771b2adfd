import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import type { Clock } from '../clock.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import type { MediaPacket } from './media-packet.ts';
import type { PhoneSrtp } from './phone-srtp.ts';

/** The RTP port of one call of a phone: a UDP socket of its own, on a free port. */
export class RtpSocket {
  /** Where packets go; none are sent while it is unknown. */
  remote: { address: string; port: number } | undefined;
  /** Everything goes and comes by it, once it was agreed. */
  srtp: PhoneSrtp | undefined;
  /** What did not open under the keys agreed. */
  unopened = 0;
  readonly port: number;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #closed = false;

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.port = socket.address().port;
  }

  static async open(host: string, clock: Clock): Promise<RtpSocket> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // Once the peer's port is closed, sends may fail; a call does not end by that.
    socket.on('error', () => {});
    return new RtpSocket(socket, clock);
  }

  onDatagram(receive: (data: Uint8Array, arrivalUs: number) => void): void {
    this.#socket.on('message', (data) => {
      const plain = this.srtp ? this.srtp.open(data) : data;
      if (plain) receive(plain, this.#clock.monotonicUs());
      else this.unopened++;
    });
  }

  send(packet: MediaPacket): void {
    if (!this.remote || this.#closed) return;
    const { payload, marker, payloadType, sequenceNumber, rtpTime, ssrc } = packet;
    const datagram = new Uint8Array(rtpHeaderBytes + payload.length);
    writeRtpHeader(datagram, { marker, payloadType, sequenceNumber, timestamp: rtpTime, ssrc });
    datagram.set(payload, rtpHeaderBytes);
    this.sendRaw(this.srtp ? this.srtp.seal(datagram) : datagram);
  }

  /** A datagram as it is. */
  sendRaw(datagram: Uint8Array): void {
    if (!this.remote || this.#closed) return;
    this.#socket.send(datagram, this.remote.port, this.remote.address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
