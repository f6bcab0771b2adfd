import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { LegReport } from '../media/control.ts';
import { CallLog, type LegLog } from './call-log.ts';

const flow = {
  transport: 'udp',
  remote: { transport: 'udp', address: '192.0.2.1', port: 5060 },
  local: { host: '192.0.2.9', port: 5060 },
} as const;

interface Stored {
  connectionId: string;
  log: LegLog;
}

function open({ maxCharacters = 1_000_000, stalled = false } = {}) {
  const clock = new FakeClock();
  const stored: Stored[] = [];
  const release = Promise.withResolvers<void>();
  const log = new CallLog({
    clock,
    maxCharacters,
    store: async (connectionId, kept) => {
      stored.push({ connectionId, log: kept });
      if (stalled) await release.promise;
    },
  });
  const receive = (text: string) => log.tap('received', Buffer.from(text), flow);
  return { clock, log, stored, receive, release: () => release.resolve() };
}

let branches = 0;
function message(method: string, callId: string, toTag = ''): string {
  return (
    `${method} sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK${++branches}\r\nTo: <sip:a>${toTag && `;tag=${toTag}`}\r\n` +
    `Call-ID: ${callId}\r\nCSeq: 1 ${method}\r\n\r\n`
  );
}

const methods = (log: LegLog | undefined) => log?.messages.map(({ method }) => method);

describe('call log', () => {
  test('a call from its INVITE to some seconds after its end', async () => {
    const { clock, log, stored, receive } = open();
    receive(message('INVITE', 'c1'));
    clock.advanceUs(1500);
    log.begin('leg', 'c1');
    receive(message('BYE', 'c1', 't'));
    assert.deepEqual(methods(log.of('leg')), ['INVITE', 'BYE']);
    log.end('leg');
    clock.advanceMs(4999);
    receive(message('ACK', 'c1', 't'));
    assert.equal(stored.length, 0);
    clock.advanceMs(1);
    await log.close();
    assert.deepEqual(
      stored.map(({ connectionId, log: kept }) => [connectionId, methods(kept)]),
      [['leg', ['INVITE', 'BYE', 'ACK']]],
    );
    const [invite, bye] = stored[0]!.log.messages;
    assert.equal(bye!.atUnixUs - invite!.atUnixUs, 1500);
    assert.deepEqual(log.held, { legs: 0, calls: 0, characters: 0 });
    assert.equal(clock.pendingTimers, 0);
  });

  test('messages of several legs are as far apart as they came, wherever a millisecond begins', () => {
    const { clock, log, receive } = open();
    const legs = ['a', 'b', 'c', 'd'];
    for (const leg of legs) {
      receive(message('INVITE', leg));
      log.begin(leg, leg);
      clock.advanceUs(300);
    }
    const times = legs.map((leg) => log.of(leg)!.messages[0]!.atUnixUs);
    assert.deepEqual(
      times.map((us) => us - times[0]!),
      [0, 300, 600, 900],
    );
    assert.ok(Math.abs(times[3]! / 1000 - clock.unixMs()) <= 1);
  });

  test('of calls that are quiet, however many, little is held, and the same', async () => {
    const { clock, log, stored, receive } = open();
    for (let k = 0; k < 20; k++) {
      receive(message('INVITE', `q${k}`));
      log.begin(`leg${k}`, `q${k}`);
    }
    clock.advanceMs(9000);
    receive(message('INFO', 'q0', 't'));
    const { characters } = log.held;
    const kept = log.of('leg1');
    clock.advanceMs(999);
    assert.equal(log.held.characters, characters);
    clock.advanceMs(500);
    const others = log.held.characters;
    assert.ok(others < characters * 0.75, `${others} of ${characters}`);
    clock.advanceMs(9000);
    assert.ok(log.held.characters < others);
    assert.equal(clock.pendingTimers, 0);
    assert.deepEqual(log.of('leg1'), kept);
    receive(message('BYE', 'q0', 't'));
    assert.deepEqual(methods(log.of('leg0')), ['INVITE', 'INFO', 'BYE']);
    for (let k = 0; k < 20; k++) log.end(`leg${k}`);
    await log.close();
    assert.deepEqual(methods(stored[1]?.log), ['INVITE']);
    assert.deepEqual(log.held, { legs: 0, calls: 0, characters: 0 });
    assert.equal(clock.pendingTimers, 0);
  });

  test('legs that end shortly one after another are written together', async () => {
    const { clock, log, stored } = open();
    const endAfterMs: Record<string, number> = { a: 0, b: 100, c: 150, d: 1, e: 4000 };
    for (const leg of Object.keys(endAfterMs)) log.begin(leg, leg);
    const names = () => stored.map(({ connectionId }) => connectionId).join('');
    for (const [leg, afterMs] of Object.entries(endAfterMs)) {
      clock.advanceMs(afterMs);
      log.end(leg);
      log.end(leg);
    }
    assert.equal(clock.pendingTimers, 1);
    clock.advanceMs(748);
    assert.equal(names(), '');
    // 5 s after the end of the first; the third is due 250 ms later, the fourth 251.
    clock.advanceMs(1);
    assert.equal(names(), 'abc');
    clock.advanceMs(250);
    assert.equal(names(), 'abc');
    clock.advanceMs(1);
    assert.equal(names(), 'abcd');
    clock.advanceMs(3999);
    assert.equal(names(), 'abcd');
    clock.advanceMs(1);
    assert.equal(names(), 'abcde');
    assert.equal(clock.pendingTimers, 0);
    await log.close();
    assert.equal(names(), 'abcde');
  });

  test('what belongs to no call is not kept', () => {
    const { log, receive } = open();
    for (const method of ['REGISTER', 'OPTIONS', 'MESSAGE']) receive(message(method, 'r1'));
    receive(message('INVITE', 'old', 'tag'));
    receive('\r\n\r\n');
    assert.deepEqual(log.held, { legs: 0, calls: 0, characters: 0 });
  });

  test('INVITEs that never became a call are forgotten', () => {
    const { log, receive } = open();
    for (let k = 0; k < 1000; k++) receive(message('INVITE', `flood${k}`));
    assert.equal(log.held.calls, 256);
    assert.ok(log.held.characters < 256 * 1000);
  });

  test('two legs of one Call-ID: the messages go with the last', async () => {
    const { clock, log, stored, receive } = open();
    receive(message('INVITE', 'c'));
    log.begin('one', 'c');
    log.begin('two', 'c');
    log.end('one');
    clock.advanceMs(5000);
    await new Promise(setImmediate);
    receive(message('BYE', 'c', 't'));
    assert.deepEqual(methods(log.of('two')), ['INVITE', 'BYE']);
    log.end('two');
    await log.close();
    assert.deepEqual(
      stored.map(({ connectionId }) => connectionId),
      ['one', 'two'],
    );
    assert.equal(log.held.characters, 0);
  });

  test('a database that stalls: no more than the bound is held, the rest is counted', async () => {
    const { clock, log, stored, receive, release } = open({ maxCharacters: 20_000, stalled: true });
    for (let k = 0; k < 100; k++) {
      receive(message('INVITE', `c${k}`));
      log.begin(`leg${k}`, `c${k}`);
      log.end(`leg${k}`);
    }
    clock.advanceMs(5000);
    assert.equal(stored.length, 100);
    assert.ok(log.held.characters < 21_000);
    assert.deepEqual([stored[0]!.log.messages.length, stored[0]!.log.dropped], [1, 0]);
    assert.deepEqual([stored[99]!.log.messages.length, stored[99]!.log.dropped], [0, 1]);
    // Still there to be looked at.
    assert.deepEqual(methods(log.of('leg0')), ['INVITE']);
    release();
    await log.close();
    assert.deepEqual(log.held, { legs: 0, calls: 0, characters: 0 });
  });

  test('media: what was agreed before the leg was known, the first packet, the figures at the end', () => {
    const { clock, log } = open();
    log.opened('leg', { address: '192.0.2.9', port: 4000 });
    clock.advanceMs(10);
    log.begin('leg', 'c');
    clock.advanceMs(250);
    log.onWorkerEvent({ event: 'leg.media', legId: 'leg', address: '192.0.2.1', port: 4002 });
    const report = { durationMs: 1 } as LegReport;
    log.onWorkerEvent({
      event: 'leg.report',
      legId: 'leg',
      stay: { trackId: 't', roomId: 'r' },
      report: {} as LegReport,
    });
    log.end('leg');
    log.onWorkerEvent({ event: 'leg.report', legId: 'leg', report });
    log.onWorkerEvent({ event: 'leg.report', legId: 'unknown', report });
    assert.deepEqual(log.of('leg')?.media, {
      agreed: [],
      local: { address: '192.0.2.9', port: 4000 },
      seen: { address: '192.0.2.1', port: 4002, atMs: 250 },
      report,
    });
  });

  test('media of a leg that never came to life is forgotten', () => {
    const { log } = open();
    for (let k = 0; k < 1000; k++) log.opened(`leg${k}`, { address: '192.0.2.9', port: 4000 });
    log.begin('leg999', 'c');
    log.begin('leg0', 'd');
    assert.ok(log.of('leg999')?.media.local);
    assert.equal(log.of('leg0')?.media.local, undefined);
  });
});
