import { loadBetween } from '../../src/admission/node-load.ts';
import { sleep, systemClock } from '../../src/clock.ts';
import { idleStats } from '../../src/media/test-worker-stats.ts';
import { openLibc } from '../../src/rtp/libc.ts';
import { type RtpTransport, type TransportPort, tickPeriodUs } from '../../src/rtp/transport.ts';
import { DgramTransport } from '../../src/rtp/transport-dgram.ts';
import { FfiTransport } from '../../src/rtp/transport-ffi.ts';

/** What a process sends by a transport, and what it prints of it as JSON. */
export interface Sending {
  driver: 'dgram' | 'io_uring' | 'sendmsg';
  address: string;
  seconds: number;
  streams: { to: string; everyTicks: number; ports: number }[];
}

export interface Sent {
  /** Of each stream's ports together. */
  committed: number[];
  sentPackets: number;
  failedSends: number;
  sendOverflows: number;
  /** Of each second, as admission looks at it. */
  unsentShares: number[];
}

const payloadBytes = 172;
const { driver, address, seconds, streams } = JSON.parse(process.argv[2]!) as Sending;
const transport = openTransport();
const committed = streams.map(() => 0);
const sending: { port: TransportPort; to: string; everyTicks: number; stream: number }[] = [];
for (const [stream, { ports, ...rest }] of streams.entries())
  for (let i = 0; i < ports; i++)
    sending.push({ ...rest, stream, port: await transport.open({ receive: () => undefined }) });
let ticks = 0;
transport.run(() => {
  ticks++;
  for (const { port, to, everyTicks, stream } of sending) {
    if (ticks % everyTicks !== 0) continue;
    port.reserve(payloadBytes);
    port.commit(payloadBytes, to, 40_000);
    committed[stream]!++;
  }
});
const looks = [look()];
// The transport's own timers keep no process alive.
const awake = setInterval(() => undefined, 1000);
while (looks.length <= seconds) {
  await sleep(systemClock, 1000);
  looks.push(look());
}
const { sentPackets, failedSends, sendOverflows } = transport.counters;
const unsentShares = looks
  .slice(1)
  .map((now, index) => loadBetween(new Map([['w', looks[index]!]]), [now], tickPeriodUs).unsentShare);
const sent: Sent = { committed, sentPackets, failedSends, sendOverflows, unsentShares };
process.stdout.write(JSON.stringify(sent));
clearInterval(awake);
await transport.stop();

function openTransport(): RtpTransport {
  const options = { clock: systemClock, address, ports: { first: 0, last: 0 } };
  if (driver === 'dgram') return new DgramTransport(options);
  const libc = openLibc();
  if (typeof libc === 'string') throw new Error(libc);
  return new FfiTransport({ ...options, libc, uring: driver === 'io_uring' });
}

function look() {
  const { counters, waitingSends = 0 } = transport;
  const stats = { ...idleStats, ...counters, waitingSends };
  return { workerId: 'w', atUs: systemClock.monotonicUs(), stats };
}
