import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';
import type { BenchDriver, TransportMark, TransportOrder, TransportTask } from './transport-process.ts';

/**
 * CPU time of the transport by itself, for each packet: sockets, driver and loop, with nothing behind them. The load is
 * a process of its own, whose time is not counted; the drivers take turns.
 */
const drivers: readonly BenchDriver[] = ['dgram', 'direct', 'epoll', 'ffi'];
const tasks = ['receive', 'relay'] as const;

/** Until what is on its way has arrived. */
const settleMs = 200;
const warmUpMs = 1500;
const packetsPerSecond = 50;

interface Figures {
  cpuUsPerPacket: number;
  /** Packets received in the time, of those planned: far below 1 the machine was not able to make the load. */
  load: number;
  maxLatenessMs: number;
  lostPackets: number;
}

export async function run(options: string[]): Promise<object> {
  const { values } = parseArgs({
    args: options,
    options: {
      ports: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '4' },
      repetitions: { type: 'string', default: '5' },
      drivers: { type: 'string', default: drivers.join() },
      tasks: { type: 'string', default: tasks.join() },
    },
  });
  const [ports, seconds, repetitions] = [values.ports, values.seconds, values.repetitions].map(Number);
  if (!ports || !seconds || !repetitions)
    throw new TypeError('--ports, --seconds and --repetitions are numbers');
  const chosen = drivers.filter((driver) => values.drivers.split(',').includes(driver));
  const measured = new Map<string, Figures[]>();
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const task of tasks.filter((each) => values.tasks.split(',').includes(each)))
      for (const driver of chosen) {
        const figures = await measure({ task, driver, ports }, seconds);
        process.stderr.write(`${task} ${driver}: ${figures.cpuUsPerPacket.toFixed(2)} us\n`);
        const key = `${task} ${driver}`;
        measured.set(key, [...(measured.get(key) ?? []), figures]);
      }
  const of = (key: string): Figures => {
    const all = measured.get(key)!;
    return {
      cpuUsPerPacket: percentile(
        all.map(({ cpuUsPerPacket }) => cpuUsPerPacket),
        50,
      ),
      load: Math.min(...all.map(({ load }) => load)),
      maxLatenessMs: Math.max(...all.map(({ maxLatenessMs }) => maxLatenessMs)),
      lostPackets: all.reduce((sum, { lostPackets }) => sum + lostPackets, 0),
    };
  };
  const rows = [...measured.keys()].map((key) => [key, of(key)] as const);
  const table = formatTable(
    ['', 'CPU us a packet', 'load', 'lost', 'latest tick ms'],
    rows.map(([key, { cpuUsPerPacket, load, lostPackets, maxLatenessMs }]) => [
      ...[key, cpuUsPerPacket.toFixed(2), load.toFixed(3), String(lostPackets), maxLatenessMs.toFixed(1)],
    ]),
  );
  process.stdout.write(`${table}\n`);
  return { ports, seconds, repetitions, figures: Object.fromEntries(rows) };
}

async function measure(task: TransportTask, seconds: number): Promise<Figures> {
  const receiver = await start(task);
  const load = await start({ ...task, task: 'load', driver: 'ffi' });
  try {
    receiver.tell({ peers: load.ports });
    load.tell({ peers: receiver.ports });
    await sleep(referenced, warmUpMs);
    const before = await receiver.mark();
    await sleep(referenced, seconds * 1000);
    const after = await receiver.mark();
    load.tell({ peers: [] });
    await sleep(referenced, settleMs);
    const sent = await load.mark();
    const end = await receiver.mark();
    const packets = after.receivedPackets - before.receivedPackets;
    const planned = (task.ports * packetsPerSecond * (after.atUs - before.atUs)) / 1e6;
    const relayed = task.task === 'relay' ? end.sentPackets - sent.receivedPackets : 0;
    return {
      cpuUsPerPacket: (after.cpuUs - before.cpuUs) / packets,
      load: packets / planned,
      maxLatenessMs: after.maxLatenessUs / 1000,
      lostPackets: sent.sentPackets - end.receivedPackets + relayed + end.failedSends + sent.failedSends,
    };
  } finally {
    receiver.end();
    load.end();
  }
}

/** Timers of the product's clock keep no process alive; this one waits. */
const referenced = {
  ...systemClock,
  after(delayMs: number, action: () => void) {
    const handle = setTimeout(action, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

interface Side {
  ports: number[];
  tell(order: TransportOrder): void;
  mark(): Promise<TransportMark>;
  end(): void;
}

async function start(task: TransportTask): Promise<Side> {
  const child: ChildProcess = fork(
    fileURLToPath(new URL('./transport-process.ts', import.meta.url)),
    [JSON.stringify(task)],
    { execArgv: ['--disable-warning=ExperimentalWarning'] },
  );
  const [ready] = (await once(child, 'message')) as [{ ports: number[] }];
  return {
    ports: ready.ports,
    tell: (order) => void child.send(order),
    mark: async () => {
      child.send({ mark: true } satisfies TransportOrder);
      const [mark] = (await once(child, 'message')) as [TransportMark];
      return mark;
    },
    end: () => void child.disconnect(),
  };
}
