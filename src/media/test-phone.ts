import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { keyPressPayloads, type TelephoneEventPayload } from '../rtp/telephone-event.ts';
import type { LegNegotiate } from './control.ts';

/** What a phone sends; sequence number and time are the phone's own. */
export interface TestPacket {
  payload: Uint8Array;
  payloadType?: number;
  marker?: boolean;
  /** RTP time units by which this packet advances the phone's clock. */
  ticks?: number;
}

/** The far end of a leg for tests: a real UDP socket on the loopback that speaks RTP. */
export class TestPhone {
  readonly socket: Socket;
  readonly received: RtpPacketView[] = [];
  ssrc: number;
  sequenceNumber: number;
  timestamp: number;
  /** The leg's RTP port. */
  remotePort = 0;

  static async open({ ssrc = 0x11223344, sequenceNumber = 65_530, timestamp = 4_294_966_000 } = {}) {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new TestPhone(socket, ssrc, sequenceNumber, timestamp);
  }

  private constructor(socket: Socket, ssrc: number, sequenceNumber: number, timestamp: number) {
    this.socket = socket;
    this.ssrc = ssrc;
    this.sequenceNumber = sequenceNumber;
    this.timestamp = timestamp;
    const parser = new RtpParser();
    socket.on('message', (data) => {
      const packet = new RtpPacketView();
      if (parser.parse(new Uint8Array(data), packet)) this.received.push(packet);
    });
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** The agreement of a plain G.711 call with this phone. */
  negotiation(legId: string, overrides: Partial<LegNegotiate> = {}): LegNegotiate {
    const pcmu = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 } as const;
    const pcma = { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 } as const;
    return {
      verb: 'leg.negotiate',
      legId,
      remote: { address: '127.0.0.1', port: this.port },
      receive: [pcmu, pcma],
      send: pcmu,
      ptimeMs: 20,
      telephoneEvent: { payloadType: 101, clockRateHz: 8000 },
      direction: 'sendrecv',
      ...overrides,
    };
  }

  /** Sends one packet and lets the event loop turn until the receiver's socket was read. */
  async send({
    payload,
    payloadType = 0,
    marker = false,
    ticks = payload.length,
  }: TestPacket): Promise<void> {
    const datagram = new Uint8Array(rtpHeaderBytes + payload.length);
    const { sequenceNumber, timestamp, ssrc } = this;
    writeRtpHeader(datagram, { marker, payloadType, sequenceNumber, timestamp, ssrc });
    datagram.set(payload, rtpHeaderBytes);
    this.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.timestamp = (timestamp + ticks) >>> 0;
    await this.sendRaw(datagram);
  }

  async sendRaw(datagram: Uint8Array): Promise<void> {
    await new Promise((resolve) => this.socket.send(datagram, this.remotePort, '127.0.0.1', resolve));
    await turnEventLoop();
  }

  /** One key press, its packets all at once; `ends` of its end packets arrive. */
  async press(
    digit: string,
    { durationMs = 100, ends = 3, payloadType = 101, clockRateHz = 8000 } = {},
  ): Promise<void> {
    const packets = keyPressPayloads(digit, { durationMs, ptimeMs: 20, clockRateHz });
    const downTime = this.timestamp;
    for (const { payload, marker, segmentTicks } of packets.slice(0, packets.length - 3 + ends)) {
      this.timestamp = (downTime + segmentTicks) >>> 0;
      await this.send({ payload, payloadType, marker, ticks: 0 });
    }
    this.timestamp = (downTime + (durationMs * clockRateHz) / 1000) >>> 0;
  }

  /** The first packet of a key press. @returns what sends the rest of it */
  async hold(digit: string): Promise<() => Promise<void>> {
    const [first, ...rest] = keyPressPayloads(digit, { durationMs: 100, ptimeMs: 20, clockRateHz: 8000 });
    const downTime = this.timestamp;
    const send = async ({ payload, marker }: TelephoneEventPayload): Promise<void> => {
      const speechTime = this.timestamp;
      this.timestamp = downTime;
      await this.send({ payload, payloadType: 101, marker, ticks: 0 });
      this.timestamp = speechTime;
    };
    await send(first!);
    return async () => {
      for (const packet of rest) await send(packet);
    };
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}

/** Datagrams on the loopback are in the receiver's socket when the sender's call returns; this has them read. */
export async function turnEventLoop(): Promise<void> {
  for (let i = 0; i < 3; i++) await setImmediate();
}
