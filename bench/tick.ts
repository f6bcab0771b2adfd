import { parseArgs } from 'node:util';
import { FakeClock } from '../src/clock.ts';
import { drainTicks, SteadyCalls, tickUs } from '../src/recording/test-steady-calls.ts';
import { SteadyTransport } from '../src/recording/test-steady-transport.ts';
import { formatTable } from './table.ts';

type Bench = SteadyCalls<SteadyTransport>;

/** What the rest of a machine keeps in the caches between two ticks. */
let others = new Float64Array(0);

function useCaches(): void {
  for (let i = 0; i < others.length; i += 8) others[i]! += 1;
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
  const bench: Bench = new SteadyCalls(loss, participants, new FakeClock(), new SteadyTransport());
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
function verify(bench: Bench, loss: number): void {
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
function warmUp(bench: Bench): void {
  for (let tick = 0; tick < 400; tick++) {
    bench.turn(true);
    bench.drain();
  }
  for (let tick = 0; tick < drainTicks; tick++) bench.drain();
}

/** @returns microseconds a packet */
function measure(bench: Bench, seconds: number, isLive: boolean): number {
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
