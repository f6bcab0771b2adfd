import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { chooseTransport } from './choose-transport.ts';
import { type Libc, type OpenedLibc, openLibc } from './libc.ts';
import { transportConformance } from './test-transport-conformance.ts';
import type { Datagram, RtpTransport, TransportPort } from './transport.ts';
import { FfiTransport } from './transport-ffi.ts';

const opened = openLibc();
assert.ok(typeof opened === 'object', String(opened));
const libc: OpenedLibc = opened;
const options = { clock: systemClock, address: '127.0.0.1', ports: { first: 0, last: 0 } };

transportConformance('ffi', {
  create: (conformance) => {
    const transport = new FfiTransport({ libc, clock: systemClock, ...conformance });
    assert.equal(transport.note, undefined, 'io_uring is to be had here');
    return transport;
  },
});
// Where it is forbidden, nothing is steered: `steering.test.ts` says so.
transportConformance('ffi, steered', {
  create: (conformance) => new FfiTransport({ libc, clock: systemClock, steer: true, ...conformance }),
});
transportConformance('ffi, received by epoll', {
  create: (conformance) => new FfiTransport({ libc, clock: systemClock, multishot: false, ...conformance }),
});
transportConformance('ffi, one by one', {
  create: (conformance) => new FfiTransport({ libc, clock: systemClock, uring: false, ...conformance }),
});

/** The system's calls, some of them by others. */
function libcWith(change: (real: Libc) => Partial<Libc>): OpenedLibc {
  return { ...libc, libc: { ...libc.libc, ...change(libc.libc) } };
}

const setupCall = 425n;
const enterCall = 426n;

/** Sends `count` datagrams from one port to another within one tick. @returns the texts that came */
async function exchange(
  transport: RtpTransport,
  count: number,
  again = 1,
  opened: () => void = () => undefined,
): Promise<string[]> {
  const texts: string[] = [];
  const done = Promise.withResolvers<void>();
  const to = await transport.open({
    receive: ({ data }: Datagram) => {
      texts.push(Buffer.from(data).toString('latin1'));
      if (texts.length === count * again) done.resolve();
    },
  });
  const from: TransportPort = await transport.open({ receive: () => undefined });
  opened();
  let ticks = 0;
  transport.run(() => {
    if (ticks++ >= again) return;
    for (let i = 0; i < count; i++) {
      const text = Buffer.from(`${i}`);
      from.reserve(100).set(text);
      from.commit(text.length, '127.0.0.1', to.port);
    }
  });
  await done.promise;
  return texts;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

describe('io_uring', () => {
  test('that is refused: sends one by one, and says so', async () => {
    const refusing = libcWith((real) => ({
      syscall: (call, ...rest) => (call === setupCall ? -1n : real.syscall(call, ...rest)),
      errno: () => 1,
    }));
    const transport = new FfiTransport({ ...options, libc: refusing });
    const refusal = 'one by one: io_uring_setup: EPERM';
    assert.equal(transport.note, `datagrams are sent ${refusal}; datagrams are received ${refusal}`);
    assert.deepEqual(await exchange(transport, 100), numbers(100));
    await transport.stop();
  });

  for (const [what, enter] of [
    ['is forbidden from some call on', () => -1],
    [
      'takes less than it is given, then nothing',
      (real: Libc, args: bigint[]) =>
        args[1]! > 5n ? real.shortSyscall(enterCall, args[0]!, 5n, 0n, 0n) : -1,
    ],
  ] as const)
    test(`that ${what}: everything is sent once, in order`, async () => {
      let enters = 0;
      const failing = libcWith((real) => ({
        shortSyscall: (call, ...rest) =>
          call === enterCall && ++enters > 2 ? enter(real, rest) : real.shortSyscall(call, ...rest),
      }));
      const transport = new FfiTransport({ ...options, libc: failing });
      assert.equal(transport.note, undefined);
      const texts = await exchange(transport, 150, 3);
      assert.deepEqual(texts, [...numbers(150), ...numbers(150), ...numbers(150)]);
      assert.deepEqual([transport.counters.sentPackets, transport.counters.failedSends], [450, 0]);
      assert.match(transport.note ?? '', /datagrams are sent one by one: io_uring takes no more/);
      await transport.stop();
      assert.ok(enters > 2);
    });

  test('that completes nothing is given up without touching what it has', async () => {
    let enters = 0;
    const silent = libcWith((real) => ({
      shortSyscall: (call, ...rest) => {
        if (call !== enterCall) return real.shortSyscall(call, ...rest);
        enters++;
        return 0;
      },
    }));
    const transport = new FfiTransport({ ...options, libc: silent });
    assert.deepEqual(await exchange(transport, 10), numbers(10));
    await transport.stop();
    assert.ok(enters > 0);
  });
});

describe('a socket that is connected to a steady peer', () => {
  const rounds = 3;
  const expected = [...numbers(60), ...numbers(60), ...numbers(60)];

  for (const uring of [true, false])
    test(`is made once for a port, ${uring ? 'with' : 'without'} io_uring`, async () => {
      let connects = 0;
      const counting = libcWith((real) => ({
        connect: (...all) => {
          connects++;
          return real.connect(...all);
        },
      }));
      const transport = new FfiTransport({ ...options, libc: counting, uring });
      assert.deepEqual(await exchange(transport, 60, rounds), expected);
      assert.deepEqual([connects, transport.counters.sentPackets], [1, 60 * rounds]);
      await transport.stop();
    });

  for (const call of ['connect', 'bind', 'getrlimit', 'socket', 'epoll_ctl'] as const)
    test(`is done without where ${call} fails`, async () => {
      let fails = false;
      const failing = libcWith((real) => ({
        [call]: (...all: never[]) => (fails ? -1 : (real[call] as (...all: never[]) => number)(...all)),
      }));
      const transport = new FfiTransport({ ...options, libc: failing });
      const texts = await exchange(transport, 60, rounds, () => {
        fails = true;
      });
      assert.deepEqual(texts, expected);
      assert.deepEqual([transport.counters.sentPackets, transport.counters.failedSends], [60 * rounds, 0]);
      await transport.stop();
    });
});

test('sends into a full buffer are counted, and nothing waits for it', async () => {
  let full = true;
  const errors = [11, 105, 12, 1, 111];
  const filled = libcWith((real) => ({
    sendmsg: (fd, message, flags) => (full ? -1 : real.sendmsg(fd, message, flags)),
    errno: () => (full ? errors[0]! : real.errno()),
  }));
  const transport = new FfiTransport({ ...options, libc: filled, uring: false });
  const port = await transport.open({ receive: () => undefined });
  port.reserve(1);
  for (; errors.length > 0; errors.shift()) port.commit(1, '127.0.0.1', 9);
  full = false;
  assert.equal(transport.counters.failedSends, 5);
  assert.equal(transport.counters.sendOverflows, 3, 'not those that are not allowed, or refused by the peer');
  assert.deepEqual(await exchange(transport, 3), numbers(3));
  await transport.stop();
});

test('arrival is the moment the datagram came, not the tick', async () => {
  const transport = new FfiTransport({ ...options, libc, uring: false });
  const arrivalsUs: number[] = [];
  const done = Promise.withResolvers<void>();
  const to = await transport.open({
    receive: ({ arrivalUs }) => {
      arrivalsUs.push(arrivalUs);
      if (arrivalsUs.length === 2) done.resolve();
    },
  });
  const from = await transport.open({ receive: () => undefined });
  const send = (): void => {
    from.reserve(1);
    from.commit(1, '127.0.0.1', to.port);
  };
  let beganUs = 0;
  transport.run((nowUs) => {
    if (beganUs > 0) return;
    beganUs = nowUs;
    send();
    while (systemClock.monotonicUs() < nowUs + 30_000);
    send();
  });
  await done.promise;
  await transport.stop();
  const [first = 0, second = 0] = arrivalsUs;
  assert.ok(first >= beganUs && second - first >= 25_000 && second <= systemClock.monotonicUs());
});

test('what comes within a long turn is not dated back to its beginning', async () => {
  const transport = new FfiTransport({ ...options, libc, uring: false });
  const done = Promise.withResolvers<{ sentUs: number; arrivalUs: number; tickUs: number }>();
  const from = await transport.open({ receive: () => undefined });
  let sentUs = 0;
  let arrivalUs = 0;
  const to = await transport.open({
    receive: (datagram) => {
      arrivalUs = datagram.arrivalUs;
      if (sentUs > 0) return;
      while (systemClock.monotonicUs() < datagram.arrivalUs + 20_000);
      sentUs = systemClock.monotonicUs();
      send();
    },
  });
  const send = (): void => {
    from.reserve(1);
    from.commit(1, '127.0.0.1', to.port);
  };
  send();
  transport.run((tickUs) => {
    if (sentUs > 0 && arrivalUs > 0) done.resolve({ sentUs, arrivalUs, tickUs });
  });
  const told = await done.promise;
  await transport.stop();
  // Each clock's microseconds are whole.
  assert.ok(told.arrivalUs >= told.sentUs - 2 && told.arrivalUs <= told.tickUs, JSON.stringify(told));
});

test('ticks stay in one turn of the event loop where they may', async () => {
  const transport = new FfiTransport({ ...options, libc, mayStay: () => true });
  const turns: number[] = [];
  let turn = 0;
  const done = Promise.withResolvers<void>();
  const count = (): void => {
    turn++;
    if (turns.length < 8) setTimeout(count, 1);
    else done.resolve();
  };
  count();
  transport.run(() => turns.push(turn));
  await done.promise;
  await transport.stop();
  // A signal ends a sleep.
  assert.ok(new Set(turns).size < turns.length, JSON.stringify(turns));
  const { histogram } = transport.counters;
  assert.equal(
    histogram?.counts.reduce((sum, each) => sum + each),
    turns.length,
  );
});

test('sockets are not connected where others would not be heard beside them', async () => {
  let connected = 0;
  const hiding = libcWith((real) => ({
    // As if what others send came nowhere: the connected socket has the port, and it alone is read.
    recvmsg: (fd, message, flags) =>
      connected > 0 && fd !== connected ? -1 : real.recvmsg(fd, message, flags),
    connect: (fd, ...rest) => real.connect((connected = fd), ...rest),
  }));
  const port = new FfiTransport({ ...options, libc: hiding, uring: false });
  assert.equal(port.probe(), undefined);
  assert.match(port.note ?? '', /no socket is connected/);
  connected = 0;
  assert.deepEqual(await exchange(port, 60, 3), [...numbers(60), ...numbers(60), ...numbers(60)]);
  assert.equal(connected, 0);
  await port.stop();
});

describe('the driver that is chosen', () => {
  test('is ffi where it works, or dgram where that is wanted', async () => {
    for (const [driver, expected] of [
      ['auto', 'ffi'],
      ['ffi', 'ffi'],
      ['dgram', 'dgram'],
    ] as const) {
      const transport = chooseTransport({ ...options, driver });
      assert.deepEqual([transport.driver, transport.note], [expected, undefined]);
      assert.deepEqual([transport.counters.receivedPackets, transport.counters.sentPackets], [0, 0]);
      await transport.stop();
    }
  });

  test('is dgram where ffi does not work, and says why; ffi alone is refused there', async () => {
    const refusesUring: Libc['syscall'] = () => -1n;
    const deaf = libcWith(() => ({ recvmsg: () => -1, epoll_wait: () => 0, syscall: refusesUring }));
    const unable = libcWith(() => ({ epoll_create1: () => -1, errno: () => 24, syscall: refusesUring }));
    for (const [open, reason] of [
      [() => 'this Node has no node:ffi', 'this Node has no node:ffi'],
      [() => deaf, 'a datagram to ourselves did not arrive'],
      [() => unable, 'epoll_create1: EMFILE'],
    ] as const) {
      const transport = chooseTransport({ ...options, driver: 'auto' }, open);
      assert.deepEqual([transport.driver, transport.note], ['dgram', reason]);
      await transport.stop();
      assert.throws(
        () => chooseTransport({ ...options, driver: 'ffi' }, open),
        (error) =>
          error instanceof CallreelError && error.code === 'CONFIG_INVALID' && error.message.endsWith(reason),
      );
    }
  });
});
