import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { UserAgent } from '../src/sip/user-agent.ts';
import { BenchServer, productAdmission } from './capacity/bench-server.ts';
import { describeMedia, host, TwoPartySignalling } from './capacity/two-party-signalling.ts';
import { achievedRate, type PlacedCalls, shortcomingsOf, voidReason } from './sip/verdict.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';

const usage = `  --rate 200           calls set up, and torn down, a second
  --seconds 30
  --hold-ms 1000       between the answer and the BYE
  --kinds answered,two-party
  --profile DIRECTORY  CPU profiles of every thread of the server (node --cpu-prof)`;

type Kind = 'answered' | 'two-party';

interface Work {
  rate: number;
  seconds: number;
  holdMs: number;
}

interface Outcome extends PlacedCalls {
  kind: Kind;
  /** Of its media transport, which has nothing to do. */
  driver: string;
  failures: string[];
  /** Of the calls that were answered. */
  setUpMs: number[];
  tearDownMs: number[];
  /** How late a call was placed, at most. */
  latestStartMs: number;
  cpuSeconds: number;
  databaseCpuSeconds: number;
}

interface Page {
  next: string | null;
  results: { direction: string; end_reason: string | null }[];
}

const callTimeoutMs = 32_000;
const settleMs = 3000;
const number = '1000';
/** A port that nothing is sent from: there is no media. */
const mediaPort = 9;
const callsAtOnce = 4000;

/**
 * Calls by signalling alone: so many a second are placed, answered, and hung up, by a caller in this process. A caller
 * that is answered by a command of its routine, and one that is put through to somebody by SIP.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '30' },
      'hold-ms': { type: 'string', default: '1000' },
      kinds: { type: 'string', default: 'answered,two-party' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- sip\n${usage}`);
  const [rate, seconds, holdMs] = [values.rate, values.seconds, values['hold-ms']].map(Number) as [
    number,
    number,
    number,
  ];
  const outcomes: Outcome[] = [];
  for (const kind of values.kinds.split(',')) {
    if (kind !== 'answered' && kind !== 'two-party') throw new Error(`no such kind: ${kind}`);
    process.stderr.write(`${kind}: ${rate} calls a second for ${seconds} s\n`);
    outcomes.push(await measure(kind, { rate, seconds, holdMs }, values.profile));
  }
  return report(outcomes, { rate, seconds, holdMs });
}

async function measure(kind: Kind, work: Work, profile: string | undefined): Promise<Outcome> {
  const { rate, seconds, holdMs } = work;
  await using called = await TwoPartySignalling.open();
  called.answersEverybody = true;
  const routine =
    kind === 'answered'
      ? [{ name: 'GetDigits', timeout_seconds: 600 }]
      : [{ name: 'CallPhone', phone_number: called.calledUri(0) }];
  await using server = await BenchServer.start({
    routines: new Map([[number, routine]]),
    settings: {
      // A refused call is a failure here.
      ...productAdmission,
      ...(profile !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
    },
  });
  await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
  const agent = new UserAgent({
    clock: systemClock,
    log: () => undefined,
    listen: [{ transport: 'udp', host, port: 0 }],
    product: 'Callreel bench',
    onInvite: (session) => session.reject({ status: 404 }),
    maxSessions: callsAtOnce,
  });
  await agent.start();
  const outcome: Outcome = {
    ...{ kind, placed: rate * seconds, failures: [], setUpMs: [], tearDownMs: [], latestStartMs: 0 },
    placingSeconds: 0,
    ...{ driver: server.driver, cpuSeconds: 0, databaseCpuSeconds: 0, onRecord: 0 },
  };
  const mark = server.mark();
  const beganUs = systemClock.monotonicUs();
  const running: Promise<void>[] = [];
  for (let call = 0; call < outcome.placed; call++) {
    const dueUs = beganUs + (call * 1e6) / rate;
    const waitMs = (dueUs - systemClock.monotonicUs()) / 1000;
    if (waitMs > 0) await sleep(systemClock, waitMs);
    const nowUs = systemClock.monotonicUs();
    outcome.latestStartMs = Math.max(outcome.latestStartMs, (nowUs - dueUs) / 1000);
    outcome.placingSeconds = (nowUs - beganUs) / 1e6;
    running.push(place(agent, server.process.sipUri(number), holdMs, outcome));
  }
  await Promise.all(running);
  await sleep(systemClock, settleMs);
  const usage = server.usageSince(mark);
  outcome.cpuSeconds = usage.cpuSeconds;
  outcome.databaseCpuSeconds = usage.databaseCpuSeconds;
  outcome.onRecord = await countOnRecord(server);
  await agent.close();
  return outcome;
}

/** One call to its end. */
async function place(agent: UserAgent, uri: string, holdMs: number, outcome: Outcome): Promise<void> {
  const answered = Promise.withResolvers<boolean>();
  const over = Promise.withResolvers<void>();
  const beganUs = systemClock.monotonicUs();
  let hasFailed = false;
  const fail = (why: string): void => {
    if (!hasFailed) outcome.failures.push(why);
    hasFailed = true;
    answered.resolve(false);
    over.resolve();
  };
  const session = agent.invite({
    requestUri: uri,
    from: `<sip:caller@${host}>`,
    offer: describeMedia({ port: mediaPort }),
    transport: 'udp',
    handlers: {
      established: () => answered.resolve(true),
      ended: ({ cause, status, reason }) => {
        if (cause === 'local') over.resolve();
        else fail(`${cause} ${status ?? ''} ${reason ?? ''}`);
      },
    },
  });
  const patience = systemClock.after(callTimeoutMs, () => fail('no end'));
  if (await answered.promise) {
    outcome.setUpMs.push((systemClock.monotonicUs() - beganUs) / 1000);
    await sleep(systemClock, holdMs);
    const byeUs = systemClock.monotonicUs();
    session.end();
    await over.promise;
    outcome.tearDownMs.push((systemClock.monotonicUs() - byeUs) / 1000);
  }
  patience.cancel();
}

/** Callers whose row says that they hung up. */
async function countOnRecord(server: BenchServer): Promise<number> {
  let count = 0;
  for (let next: string | null = ''; next !== null; ) {
    const cursor: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
    const page: Page = await server.api<Page>('GET', `/v1/connections?direction=incoming&limit=200${cursor}`);
    count += page.results.filter(({ end_reason }) => end_reason === 'hung-up').length;
    next = page.next;
  }
  return count;
}

function report(outcomes: readonly Outcome[], work: Work) {
  const cases = outcomes.map((each) => ({
    kind: each.kind,
    calls: each.placed,
    callsPerSecond: tenths(achievedRate(each)),
    failures: each.failures.length,
    onRecord: each.onRecord,
    setUpP50Ms: tenths(percentile(each.setUpMs, 50)),
    setUpP99Ms: tenths(percentile(each.setUpMs, 99)),
    tearDownP99Ms: tenths(percentile(each.tearDownMs, 99)),
    cpuMsPerCall: tenths((each.cpuSeconds * 1000) / each.placed),
    databaseCpuMsPerCall: tenths((each.databaseCpuSeconds * 1000) / each.placed),
    callerLatestMs: tenths(each.latestStartMs),
  }));
  for (const { kind, failures } of outcomes)
    if (failures.length > 0)
      process.stderr.write(`${kind}: ${[...new Set(failures)].slice(0, 10).join('; ')}\n`);
  process.stdout.write(`${work.rate} calls a second for ${work.seconds} s, each ${work.holdMs} ms long\n`);
  process.stdout.write(
    `${formatTable(
      [
        ...['', 'calls', 'a second', 'latest ms', 'failures', 'not on record'],
        ...['set-up p50 ms', 'p99 ms', 'CPU ms per call', 'of the database'],
      ],
      cases.map((row) => [
        ...[row.kind, row.calls, row.callsPerSecond, row.callerLatestMs, row.failures],
        ...[row.calls - row.onRecord, row.setUpP50Ms, row.setUpP99Ms],
        ...[row.cpuMsPerCall, row.databaseCpuMsPerCall],
      ]),
    )}\n`,
  );
  return {
    driver: outcomes[0]?.driver,
    calls: outcomes.reduce((sum, { placed }) => sum + placed, 0),
    ...work,
    failures: cases.reduce(
      (sum, { failures, calls, onRecord }) => sum + Math.max(failures, calls - onRecord),
      0,
    ),
    cases,
    shortcomings: outcomes.flatMap(shortcomingsOf),
    voidReason: outcomes.map((each) => voidReason(each, work.rate)).find((reason) => reason !== null) ?? null,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
