import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FakeClock } from '../src/clock.ts';
import { CommandExecutor } from '../src/media/command-executor.ts';
import type { NegotiatedCodec } from '../src/media/control.ts';
import { processUsage } from '../src/media/process-usage.ts';
import { Capture } from '../src/recording/capture.ts';
import { Recordings } from '../src/recording/recordings.ts';
import type { ExpectedPackets } from '../src/rtp/expected-packets.ts';
import type { Datagram, DatagramSink, RtpTransport, TransportPort } from '../src/rtp/transport.ts';
import { SpoolProducer } from '../src/spool/producer.ts';
import { createRing, RingConsumer } from '../src/spool/ring.ts';
import { formatTable } from './table.ts';

/**
 * What a media worker's tick thread does for each packet of a recorded call, without sockets: two-party calls that are
 * relayed, or conferences (more than two participants, G.711) on a clock of its own, a transport that hands out packets and takes them, a ring that is emptied by who
 * only counts.
 */
const packetBytes = 172;
const payloadAt = 12;
const tickUs = 5000;
const ticksPerPacket = 4;
const drainTicks = 16;
const jitterUs = 2000;
const ringBytes = 1 << 25;
const packetRecordKind = 1;
const handleBytes = 4;
const address = '127.0.0.1';
const pcmu: NegotiatedCodec = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 };

/** What the rest of a machine keeps in the caches between two ticks. */
let others = new Float64Array(0);

function useCaches(): void {
  for (let i = 0; i < others.length; i += 8) others[i]! += 1;
}

interface Stream {
  port: BenchPort;
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
}

class BenchPort implements TransportPort {
  readonly port: number;
  readonly sink: DatagramSink;
  readonly #transport: BenchTransport;
  #expected: ExpectedPackets | undefined;
  #row = 0;

  constructor(port: number, sink: DatagramSink, transport: BenchTransport) {
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

class BenchTransport implements RtpTransport {
  readonly driver = 'ffi';
  readonly counters = {
    ...{ receivedPackets: 0, sentPackets: 0, failedSends: 0, sendOverflows: 0 },
    ...{ droppedDatagrams: 0, socketErrors: 0, lateTicks: 0, maxLatenessUs: 0 },
  };
  readonly out = new Uint8Array(2048);
  readonly ports: BenchPort[] = [];
  /** Payload bytes that were relayed by the port, while they are looked at. */
  seen: Map<BenchPort, number[]> | undefined;

  async open(sink: DatagramSink): Promise<TransportPort> {
    const port = new BenchPort(10_000 + 2 * this.ports.length, sink, this);
    this.ports.push(port);
    return port;
  }

  async openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort> {
    return new BenchPort(rtp.port + 1, sink, this);
  }

  took(port: BenchPort, bytes: number): void {
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

class TickBench {
  readonly clock = new FakeClock();
  readonly transport = new BenchTransport();
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
    if (this.#tick % drainTicks !== 0) return;
    const view = (bytes: Uint8Array) => bytes[handleBytes] === packetRecordKind;
    this.#consumer.drain((kind, bytes) => {
      if (kind === 1 && view(bytes)) this.recordedPackets++;
    }, ringBytes);
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

export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '30' },
      loss: { type: 'string', default: '0' },
      evict: { type: 'string', default: '32' },
      participants: { type: 'string', default: '2' },
    },
  });
  const { calls, seconds, loss, evict, participants } = {
    ...{ calls: Number(values.calls), seconds: Number(values.seconds), loss: Number(values.loss) },
    ...{ evict: Number(values.evict), participants: Number(values.participants) },
  };
  others = new Float64Array((evict * 1024 * 1024) / 8);
  const bench = new TickBench(loss, participants);
  for (let call = 0; call < calls; call++) await bench.open(call);
  if (participants === 2) verify(bench, loss);
  else warmUp(bench);
  const idle = measure(bench, seconds / 4, false);
  const live = measure(bench, seconds, true);
  const usPerPacket = live - idle;
  const head = ['', 'CPU us a packet'];
  const rows = [
    [`${participants === 2 ? 'relayed' : 'mixed'} and recorded`, rounded(usPerPacket)],
    ['making the packet (not in it)', rounded(idle)],
  ];
  process.stdout.write(`${formatTable(head, rows)}\n`);
  return { calls, participants, seconds, loss, usPerPacket: rounded(usPerPacket) };
}

/** Two seconds: what a phone sends comes to the other, in its order, and into the ring. */
function verify(bench: TickBench, loss: number): void {
  const { transport } = bench;
  transport.seen = new Map();
  for (let tick = 0; tick < 400; tick++) {
    bench.turn(true);
    bench.drain();
  }
  for (const [port, bytes] of transport.seen)
    if (loss === 0 && bytes.some((byte, index) => byte !== ((bytes[0]! + index) & 0xff)))
      throw new Error(`port ${port.port} relayed something else`);
  transport.seen = undefined;
  for (let tick = 0; tick < drainTicks; tick++) bench.drain();
  if (transport.counters.sentPackets !== bench.sentByPhones) throw new Error('not every packet was relayed');
}

/** Until everybody is heard. */
function warmUp(bench: TickBench): void {
  for (let tick = 0; tick < 400; tick++) {
    bench.turn(true);
    bench.drain();
  }
  for (let tick = 0; tick < drainTicks; tick++) bench.drain();
}

/** @returns microseconds a packet */
function measure(bench: TickBench, seconds: number, isLive: boolean): number {
  const { transport } = bench;
  const before = bench.sentByPhones;
  const sentBefore = transport.counters.sentPackets;
  const recordedBefore = bench.recordedPackets;
  let us = 0;
  for (let ms = 0; ms < seconds * 1000; ms += tickUs / 1000) {
    useCaches();
    const begun = process.threadCpuUsage();
    bench.turn(isLive);
    const { user, system } = process.threadCpuUsage(begun);
    us += user + system;
    bench.drain();
  }
  const packets = bench.sentByPhones - before;
  if (isLive && Math.abs(transport.counters.sentPackets - sentBefore - packets) > packets / 100)
    throw new Error('not every packet was relayed');
  if (isLive && Math.abs(bench.recordedPackets - recordedBefore - packets) > packets / 100)
    throw new Error('not every packet was recorded');
  return us / packets;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
