import { systemClock } from '../src/clock.ts';
import { openLibc } from '../src/rtp/libc.ts';
import { type TransportCounters, type TransportPort, tickPeriodUs } from '../src/rtp/transport.ts';
import { DgramTransport } from '../src/rtp/transport-dgram.ts';
import { FfiTransport } from '../src/rtp/transport-ffi.ts';

/**
 * One side of the bench `transport`, forked by it: opens ports by a driver, is told where the other side's are, and does
 * with what comes what its task is.
 *
 * `relay` sends what came to a port from the port beside it, as a call of two parties does. `load` sends a packet of
 * 20 ms of G.711 from each port every 20 ms, spread over the ticks, and counts what comes back.
 */
/** `ffi` without io_uring is `direct`, with it for sends alone `epoll`. */
export type BenchDriver = 'dgram' | 'direct' | 'epoll' | 'ffi';

export interface TransportTask {
  task: 'load' | 'receive' | 'relay';
  driver: BenchDriver;
  ports: number;
}

export type TransportOrder = { peers: number[] } | { mark: true };

export interface TransportMark {
  atUs: number;
  cpuUs: number;
  receivedPackets: number;
  sentPackets: number;
  failedSends: number;
  maxLatenessUs: number;
  lateTicks: number;
}

const address = '127.0.0.1';
const packetBytes = 172;
const ticksPerPacket = 4;

const { task, driver, ports: count }: TransportTask = JSON.parse(process.argv[2] ?? '');
const options = { clock: systemClock, address, ports: { first: 0, last: 0 } };
const transport = openTransport();
const ports: TransportPort[] = [];
let peers: number[] = [];
for (let i = 0; i < count; i++)
  ports.push(
    await transport.open({
      receive: ({ data }) => {
        const to = i ^ 1;
        const peer = peers[to];
        if (task !== 'relay' || peer === undefined) return;
        const port = ports[to]!;
        port.reserve(data.length).set(data);
        port.commit(data.length, address, peer);
      },
    }),
  );

let sentTick = Math.floor(systemClock.monotonicUs() / tickPeriodUs);
transport.run((nowUs) => {
  // A tick that was late is made up for: the load is as planned.
  for (const due = Math.floor(nowUs / tickPeriodUs); sentTick < due; sentTick++)
    if (task === 'load') sendFrom(sentTick % ticksPerPacket);
});

function openTransport(): DgramTransport | FfiTransport {
  if (driver === 'dgram') return new DgramTransport(options);
  const libc = openLibc();
  if (typeof libc === 'string') throw new Error(libc);
  const uring = driver !== 'direct';
  const opened = new FfiTransport({
    ...{ ...options, libc, uring, multishot: driver === 'ffi' },
    mayStay: () => true,
  });
  if (uring && opened.note !== undefined) throw new Error(opened.note);
  return opened;
}

function sendFrom(first: number): void {
  for (let i = first; i < peers.length; i += ticksPerPacket) {
    ports[i]!.reserve(packetBytes)[0] = 0x80;
    ports[i]!.commit(packetBytes, address, peers[i]!);
  }
}

process.on('message', (order: TransportOrder) => {
  if ('peers' in order) peers = order.peers;
  else process.send?.(takeMark());
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ports: ports.map(({ port }) => port) });

function takeMark(): TransportMark {
  const { user, system } = process.cpuUsage();
  const counters: TransportCounters = transport.counters;
  const mark = { atUs: systemClock.monotonicUs(), cpuUs: user + system, ...counters };
  counters.maxLatenessUs = 0;
  return mark;
}
