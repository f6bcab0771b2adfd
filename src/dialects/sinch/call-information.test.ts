import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SinchCall } from '../../database/schema.ts';
import { callInformation } from './call-information.ts';

const startedAt = new Date('2026-11-21T10:00:00.400Z');
const after = (seconds: number) => new Date(startedAt.getTime() + seconds * 1000);
const row: SinchCall = {
  callId: '0123456789abcdef',
  accountId: 'a',
  applicationKey: 'k',
  from: { type: 'number', endpoint: '+12015555555' },
  to: { type: 'number', endpoint: '+12017777777' },
  domain: 'pstn',
  custom: 'mine',
  startedAt,
  answeredAt: after(2),
  endedAt: after(16),
  result: 'ANSWERED',
  reason: 'CALLEEHANGUP',
};

test('a call that is over', () => {
  assert.deepEqual(callInformation(row, {}), {
    from: row.from,
    to: row.to,
    domain: 'pstn',
    callId: '0123456789abcdef',
    duration: 14,
    status: 'FINAL',
    result: 'ANSWERED',
    reason: 'CALLEEHANGUP',
    timestamp: '2026-11-21T10:00:00Z',
    custom: 'mine',
    userRate: { currencyId: 'USD', amount: 0 },
    debit: { currencyId: 'USD', amount: 0 },
  });
});

test('one that goes on, one that was not answered, and one whose end nobody saw', () => {
  const short = (call: SinchCall, now: Parameters<typeof callInformation>[1]) => {
    const { status, result, reason, duration } = callInformation(call, now);
    return [status, result, reason, duration];
  };
  const open = { ...row, endedAt: null, result: null, reason: null };
  const nowUnixMs = after(5).getTime();
  assert.deepEqual(short(open, { nowUnixMs }), ['ONGOING', 'ANSWERED', 'N/A', 3]);
  assert.deepEqual(short({ ...open, answeredAt: null }, { nowUnixMs }), ['ONGOING', 'N/A', 'N/A', 0]);
  const busy = { ...row, answeredAt: null, result: 'BUSY' };
  assert.deepEqual(short(busy, {}), ['FINAL', 'BUSY', 'CALLEEHANGUP', 0]);
  assert.deepEqual(short(open, { endedAt: after(8) }), ['FINAL', 'ANSWERED', 'GENERALERROR', 6]);
  assert.deepEqual(short({ ...open, answeredAt: null }, {}), ['FINAL', 'FAILED', 'GENERALERROR', 0]);
});
