import { randomBytes } from 'node:crypto';
import type { FakeClock } from '../clock.ts';
import { CommandExecutor } from '../media/command-executor.ts';
import type { NegotiatedCodec } from '../media/control.ts';
import { processUsage } from '../media/process-usage.ts';
import { rtpHeaderBytes } from '../rtp/packet.ts';
import type { Datagram, RtpTransport } from '../rtp/transport.ts';
import { SpoolProducer } from '../spool/producer.ts';
import { createRing, RingConsumer, type RingVisitor } from '../spool/ring.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

export const packetBytes = 172;
export const tickUs = 5000;
const ticksPerPacket = 4;
export const drainTicks = 16;
const jitterUs = 2000;
const ringBytes = 1 << 25;
const recordsKind = 1;
const packetRecordKind = 1;
const handleBytes = 4;
/** Where no other process sends: one whose peer had a port of ours before would be heard, too. */
export const address = '127.83.71.77';
const pcmu: NegotiatedCodec = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 };

/** Who talks to a port of ours. */
export interface Phone {
  readonly phonePort: number;
  say(datagram: Datagram): void;
}

/** Through which the phones and the calls hear each other. */
export interface PhoneNetwork extends RtpTransport {
  /** Of the port that was opened last. */
  openPhone(): Promise<Phone>;
  readonly heardByPhones: number;
  /** Of a network that has no loop of its own: what came was handed out, it is time for the ticks. */
  turn?(nowUs: number): void;
}

interface Stream {
  phone: Phone;
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
}

/**
 * What a media worker's tick thread does for each packet of a recorded call: two-party calls that are relayed, or
 * conferences (more than two participants, G.711) on a clock that goes on by turns, a transport with the phones behind it,
 * a ring that is emptied by who only counts. Of its own it makes no garbage that counts.
 */
export class SteadyCalls<Network extends PhoneNetwork> {
  readonly clock: FakeClock;
  readonly transport: Network;
  readonly #ring = createRing(ringBytes);
  readonly #spool = new SpoolProducer(this.#ring);
  readonly #consumer = new RingConsumer(this.#ring);
  readonly #executor: CommandExecutor;
  readonly #streams: Stream[] = [];
  readonly #incoming = new Uint8Array(2048);
  readonly #datagram: Datagram = {
    data: this.#incoming.subarray(0, packetBytes),
    ...{ arrivalUs: 0, sourceAddress: address, sourcePort: 0 },
  };
  readonly #lossPercent: number;
  readonly #participants: number;
  readonly #count: RingVisitor = (kind, bytes, start) => {
    if (kind === recordsKind && bytes[start + handleBytes] === packetRecordKind) this.recordedPackets++;
  };
  #tick = 0;
  #random = 1;
  recordedPackets = 0;
  sentByPhones = 0;

  /** @param clock the transport's too */
  constructor(lossPercent: number, participants: number, clock: FakeClock, transport: Network) {
    this.#lossPercent = lossPercent;
    this.#participants = participants;
    this.clock = clock;
    this.transport = transport;
    const capture = new Capture({ spool: this.#spool, clock });
    const recordings = new Recordings({ capture, spool: this.#spool, emit: () => {} });
    const executor = new CommandExecutor({
      ...{ clock, transport, capture, recordings },
      usage: processUsage,
      post: () => {},
    });
    this.#executor = executor;
    transport.run(
      (nowUs) => executor.tick(nowUs),
      () => capture.tick(),
    );
  }

  async open(call: number): Promise<void> {
    const roomId = `room-${call}`;
    await this.#executor.execute({
      ...{ verb: 'recording.start', recordingId: `recording-${call}`, roomId, accountId: 'account' },
      ...{ rateHz: 8000, key: { plain: randomBytes(32).toString('base64'), sealed: '' }, meta: {} },
    });
    for (let participant = 0; participant < this.#participants; participant++) {
      const legId = `${call}-${participant}`;
      await this.#executor.execute({ verb: 'leg.open', legId });
      const phone = await this.transport.openPhone();
      await this.#executor.execute({
        ...{ verb: 'leg.negotiate', legId, remote: { address, port: phone.phonePort }, receive: [pcmu] },
        ...{ send: pcmu, ptimeMs: 20, telephoneEvent: { payloadType: 101, clockRateHz: 8000 } },
        ...{ direction: 'sendrecv', rtcp: { mux: true }, inactivityTimeoutMs: 60_000 },
      });
      const party = {
        connectionId: legId,
        from: 'a',
        to: 'b',
        direction: 'incoming',
        role: 'caller',
      } as const;
      await this.#executor.execute({
        ...{ verb: 'room.join', legId, roomId, trackId: `track-${legId}`, policy: 'record', party },
        ...{ leaveKey: undefined, mode: this.#participants === 2 ? 'relay' : 'mix' },
      });
      const number = this.#streams.length;
      this.#streams.push({ phone, ssrc: 0x9000_0000 + number, sequenceNumber: 0, rtpTime: 0x9000_0000 });
    }
  }

  /** A period of the loop, its packets and its slot. */
  turn(isLive: boolean): void {
    this.clock.advanceUs(tickUs);
    const tickEndUs = this.clock.monotonicUs();
    this.#tick++;
    for (let i = this.#tick % ticksPerPacket; i < this.#streams.length; i += ticksPerPacket)
      this.#receive(this.#streams[i]!, tickEndUs, isLive);
    if (isLive) this.transport.turn?.(tickEndUs);
  }

  drain(): void {
    if (this.#tick % drainTicks === 0) this.#consumer.take(this.#count, ringBytes);
  }

  #receive(stream: Stream, tickEndUs: number, isLive: boolean): void {
    const data = this.#incoming;
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) >>> 0;
    const { ssrc, sequenceNumber, rtpTime } = stream;
    stream.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    stream.rtpTime = (rtpTime + 160) >>> 0;
    if (this.#lossPercent > 0 && (this.#random >>> 16) % 100 < this.#lossPercent) return;
    data[0] = 0x80;
    data[1] = 0;
    data[2] = sequenceNumber >>> 8;
    data[3] = sequenceNumber;
    for (let i = 0; i < 4; i++) {
      data[4 + i] = rtpTime >>> (24 - 8 * i);
      data[8 + i] = ssrc >>> (24 - 8 * i);
    }
    data[rtpHeaderBytes] = sequenceNumber;
    const datagram = this.#datagram;
    datagram.arrivalUs = tickEndUs - tickUs + ((this.#random >>> 8) % jitterUs);
    datagram.sourcePort = stream.phone.phonePort;
    this.sentByPhones++;
    if (isLive) stream.phone.say(datagram);
  }
}
