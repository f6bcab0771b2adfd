import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { BenchServer } from './capacity/bench-server.ts';
import { endedRecordings } from './capacity/recorded-calls.ts';
import { HeapWatch } from './growth/heap-watch.ts';
import { ShortCalls } from './growth/short-calls.ts';
import { slopeOf } from './growth/slope.ts';
import { formatTable } from './table.ts';

const usage = `  --calls 10000        one after another, recorded
  --at-once 30
  --step 1000          calls between two looks
  --packets 10         that each party says
  --settle 34          seconds before a look: what SIP remembers of a call it forgets after 32 (RFC 3261, 64*T1)
  --snapshots DIR      heap snapshots of every thread at every look`;

/** A rise over the second half of the calls that is less, by call, is none: what one look finds differs from another. */
const noRiseBytes = { heap: 200, rss: 2000 };
const number = '1000';
const megabyte = 1024 * 1024;

interface Look {
  calls: number;
  serverRssMb: number;
  workersRssMb: number;
  /** Heap without code, and array buffers, of each thread, after a collection. */
  keptMb: Map<string, number>;
}

/** Short recorded calls one after another: what the server keeps of them, which should be nothing. */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '10000' },
      'at-once': { type: 'string', default: '30' },
      step: { type: 'string', default: '1000' },
      packets: { type: 'string', default: '10' },
      settle: { type: 'string', default: '34' },
      snapshots: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- growth\n${usage}`);
  const calls = Number(values.calls);
  const step = Number(values.step);
  const { snapshots } = values;
  await using watch = await HeapWatch.open();
  await using phones = await ShortCalls.open(Number(values.packets));
  await using server = await BenchServer.start({
    routines: new Map([[number, [{ name: 'CallPhone', phone_number: phones.calledUri, do_record: true }]]]),
    files: 'wav',
    settings: { NODE_OPTIONS: watch.nodeOptions },
  });
  await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
  const looks: Look[] = [];
  const look = async (done: number): Promise<void> => {
    const heaps = await watch.ask({ snapshots });
    const { server: serverRssMb, workers: workersRssMb } = server.memoryMB;
    const keptMb = new Map(
      [...heaps].map(([name, { heapBytes, externalBytes }]) => [
        name,
        (heapBytes + externalBytes) / megabyte,
      ]),
    );
    looks.push({ calls: done, serverRssMb, workersRssMb, keptMb });
    const kept = [...keptMb].map(([name, mb]) => `${name} ${mb.toFixed(1)}`).join(', ');
    process.stderr.write(
      `${done} calls, ${phones.failed} failed: RSS ${serverRssMb.toFixed(1)} + ${workersRssMb.toFixed(1)} MB; kept: ${kept}\n`,
    );
  };
  await look(0);
  for (let done = 0; done < calls; ) {
    const some = Math.min(step, calls - done);
    await phones.place(server.process.sipUri(number), some, Number(values['at-once']));
    await sleep(systemClock, Number(values.settle) * 1000);
    done += some;
    await look(done);
  }
  if (phones.failed === 0) await endedRecordings(server, calls, true);
  return report(looks, phones);
}

function report(looks: readonly Look[], { failed, received }: { failed: number; received: number }) {
  const names = [...new Set(looks.flatMap(({ keptMb }) => [...keptMb.keys()]))].sort();
  const half = looks.slice(Math.floor(looks.length / 2));
  /** Bytes by call. */
  const rise = (valueMb: (look: Look) => number): number =>
    Math.round(slopeOf(half.map((look) => [look.calls, valueMb(look) * megabyte])));
  const rss = (look: Look) => look.serverRssMb + look.workersRssMb;
  const rssBytesPerCall = rise(rss);
  const keptBytesPerCall = Object.fromEntries(
    names.map((name) => [name, rise(({ keptMb }) => keptMb.get(name) ?? 0)]),
  );
  const rows = looks.map((look) => [
    look.calls,
    ...[look.serverRssMb, look.workersRssMb, ...names.map((name) => look.keptMb.get(name) ?? 0)].map(tenths),
  ]);
  const rises = [
    rise((look) => look.serverRssMb),
    rise((look) => look.workersRssMb),
    ...Object.values(keptBytesPerCall),
  ];
  process.stdout.write(
    `MB after so many calls; kept: heap without code, and array buffers, after a collection\n${formatTable(
      ['calls', 'RSS server', 'media worker', ...names],
      rows,
    )}\nrise over the second half, in bytes by call: ${rises.join(', ')}\n`,
  );
  const grows =
    rssBytesPerCall > noRiseBytes.rss ||
    Object.values(keptBytesPerCall).some((bytes) => bytes > noRiseBytes.heap);
  if (grows || failed > 0) process.exitCode = 1;
  return {
    calls: looks.at(-1)?.calls,
    ...{ failed, received, grows },
    ...{ rssBytesPerCall, keptBytesPerCall },
    rssMb: looks.map((look) => tenths(rss(look))),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
