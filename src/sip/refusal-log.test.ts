import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { RefusalLog } from './refusal-log.ts';

function open() {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  return { clock, lines, log: new RefusalLog(clock, (_level, _message, fields) => lines.push(fields)) };
}

test('the first is logged in full, a flood of its like as one line a minute', () => {
  const { clock, lines, log } = open();
  for (let i = 0; i < 5000; i++)
    log.note('192.0.2.1', i % 5 === 0 ? 'NOT_FOUND' : 'FORBIDDEN', { number: i });
  assert.deepEqual(lines.slice(), [{ source: '192.0.2.1', reason: 'NOT_FOUND', number: 0 }]);
  clock.advanceMs(60_000);
  assert.deepEqual(lines.slice(1), [
    { source: '192.0.2.1', count: 4999, seconds: 60, reasons: { FORBIDDEN: 4000, NOT_FOUND: 999 } },
  ]);
  for (let i = 0; i < 10; i++) log.note('192.0.2.1', 'FORBIDDEN');
  assert.equal(lines.length, 2);
  clock.advanceMs(60_000);
  assert.deepEqual(lines[2]?.reasons, { FORBIDDEN: 10 });
  clock.advanceMs(60_000);
  assert.equal(clock.pendingTimers, 0);
  log.note('192.0.2.1', 'FORBIDDEN');
  assert.equal(lines.length, 4);
  log.close();
});

test('of a thousand and more sources the rest are one, and so are reasons without end', () => {
  const { lines, log } = open();
  for (let i = 0; i < 3000; i++) log.note(`10.0.${i >> 8}.${i & 255}`, 'x');
  for (let i = 0; i < 100; i++) log.note('10.0.0.0', `reason ${i}`);
  assert.equal(lines.length, 1001);
  log.close();
  const summary = lines.slice(1001);
  assert.deepEqual(
    summary.map(({ source, count }) => [source, count]),
    [
      ['10.0.0.0', 100],
      ['others', 1999],
    ],
  );
  assert.equal(Object.keys(summary[0]?.reasons as object).length, 11);
});
