import { randomBytes } from 'node:crypto';
import { FakeClock } from '../clock.ts';
import { CommandExecutor } from '../media/command-executor.ts';
import type { NegotiatedCodec } from '../media/control.ts';
import { processUsage } from '../media/process-usage.ts';
import type { ExpectedPackets } from '../rtp/expected-packets.ts';
import type { Datagram, DatagramSink, RtpTransport, TransportPort } from '../rtp/transport.ts';
import { SpoolProducer } from '../spool/producer.ts';
import { createRing, RingConsumer, type RingVisitor } from '../spool/ring.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

const packetBytes = 172;
const payloadAt = 12;
export const tickUs = 5000;
const ticksPerPacket = 4;
export const drainTicks = 16;
const jitterUs = 2000;
const ringBytes = 1 << 25;
const recordsKind = 1;
const packetRecordKind = 1;
const handleBytes = 4;
const address = '127.0.0.1';
const pcmu: NegotiatedCodec = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 };

interface Stream {
  port: SteadyPort;
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
}

class SteadyPort implements TransportPort {
  readonly port: number;
  readonly sink: DatagramSink;
  readonly #transport: SteadyTransport;
  #expected: ExpectedPackets | undefined;
  #row = 0;

  constructor(port: number, sink: DatagramSink, transport: SteadyTransport) {
    this.port = port;
    this.sink = sink;
    this.#transport = transport;
  }

  reserve(): Uint8Array {
    return this.#transport.out;
  }

  commit(bytes: number): void {
    this.#transport.took(this, bytes);
  }

  expect(expected: ExpectedPackets, row: number): void {
    this.#expected = expected;
    this.#row = row;
  }

  /** As who takes datagrams from the sockets does; all come from where they are expected. */
  receive(datagram: Datagram): void {
    const { data, arrivalUs } = datagram;
    const row = this.#row;
    const expected = this.#expected;
    const isTaken = row > 0 && expected!.isNext(row, data) && expected!.take(row, data, arrivalUs);
    if (!isTaken) this.sink.receive(datagram);
  }

  close(): void {}
}

class SteadyTransport implements RtpTransport {
  readonly driver = 'ffi';
  readonly counters = {
    ...{ receivedPackets: 0, sentPackets: 0, failedSends: 0, sendOverflows: 0 },
    ...{ droppedDatagrams: 0, socketErrors: 0, lateTicks: 0, maxLatenessUs: 0 },
  };
  readonly out = new Uint8Array(2048);
  readonly ports: SteadyPort[] = [];
  /** Payload bytes that were relayed by the port, while they are looked at. */
  seen: Map<SteadyPort, number[]> | undefined;

  async open(sink: DatagramSink): Promise<TransportPort> {
    const port = new SteadyPort(10_000 + 2 * this.ports.length, sink, this);
    this.ports.push(port);
    return port;
  }

  async openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort> {
    return new SteadyPort(rtp.port + 1, sink, this);
  }

  took(port: SteadyPort, bytes: number): void {
    if (bytes !== packetBytes) return;
    this.counters.sentPackets++;
    if (!this.seen) return;
    const of = this.seen.get(port) ?? [];
    this.seen.set(port, of);
    of.push(this.out[payloadAt]!);
  }

  run(): void {}

  async stop(): Promise<void> {}
}

/**
 * What a media worker's tick thread does for each packet of a recorded call, without sockets: two-party calls that are
 * relayed, or conferences (more than two participants, G.711) on a clock of its own, a transport that hands out packets
 * and takes them, a ring that is emptied by who only counts. Of its own it makes no garbage that counts.
 */
export class SteadyCalls {
  readonly clock = new FakeClock();
  readonly transport = new SteadyTransport();
  readonly #ring = createRing(ringBytes);
  readonly #spool = new SpoolProducer(this.#ring);
  readonly #consumer = new RingConsumer(this.#ring);
  readonly #capture = new Capture({ spool: this.#spool, clock: this.clock });
  readonly #recordings = new Recordings({ capture: this.#capture, spool: this.#spool, emit: () => {} });
  readonly #executor = new CommandExecutor({
    ...{ clock: this.clock, transport: this.transport, capture: this.#capture, recordings: this.#recordings },
    usage: processUsage,
    post: () => {},
  });
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

  constructor(lossPercent: number, participants: number) {
    this.#lossPercent = lossPercent;
    this.#participants = participants;
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
      const port = this.transport.ports.at(-1)!;
      const remotePort = port.port + 20_000;
      await this.#executor.execute({
        ...{ verb: 'leg.negotiate', legId, remote: { address, port: remotePort }, receive: [pcmu] },
        ...{ send: pcmu, ptimeMs: 20, telephoneEvent: { payloadType: 101, clockRateHz: 8000 } },
        ...{ direction: 'sendrecv', rtcp: { mux: false }, inactivityTimeoutMs: 60_000 },
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
      this.#streams.push({ port, ssrc: 0x9000_0000 + number, sequenceNumber: 0, rtpTime: 0x9000_0000 });
    }
  }

  /** A period of the loop, its packets and its slot. */
  turn(isLive: boolean): void {
    this.clock.advanceUs(tickUs);
    const tickEndUs = this.clock.monotonicUs();
    this.#tick++;
    for (let i = this.#tick % ticksPerPacket; i < this.#streams.length; i += ticksPerPacket)
      this.#receive(this.#streams[i]!, tickEndUs, isLive);
    if (!isLive) return;
    this.#executor.tick(tickEndUs);
    this.#capture.tick();
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
    data[payloadAt] = sequenceNumber;
    const datagram = this.#datagram;
    datagram.arrivalUs = tickEndUs - tickUs + ((this.#random >>> 8) % jitterUs);
    datagram.sourcePort = stream.port.port + 20_000;
    this.sentByPhones++;
    if (isLive) stream.port.receive(datagram);
  }
}
