import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Secret } from '../../secret.ts';
import { CallRecord } from './call-record.ts';
import { loadSvaml, type Svaml } from './svaml.ts';

const application = {
  ...{ key: 'app', accountId: 'account', secret: new Secret('c2VjcmV0') },
  callbacks: { primary: undefined, fallback: undefined },
};
const parties = { from: '+1', to: { type: 'did', endpoint: '+2' } } as const;

function setting(...cookies: [string, string][]): Svaml {
  const instructions = cookies.map(([key, value]) => ({ name: 'setCookie', key, value }));
  return loadSvaml({ instructions }).svaml!;
}

it('keeps cookies, the last one of a name, as far as 1024 bytes go, with custom', () => {
  const record = new CallRecord({ application, callId: 'call', custom: 'é'.repeat(10) });
  assert.ok(record.keepCookies(setting(['a', '1'], ['b', '2'])));
  assert.ok(record.keepCookies(setting(['a', '3'])));
  assert.deepEqual(Object.fromEntries(record.head(0).cookies!), { a: '3', b: '2' });
  // Of 1024 bytes 20 are custom, and 4 the other two cookies.
  assert.equal(record.keepCookies(setting(['c', 'x'.repeat(1000)])), false);
  assert.deepEqual(Object.fromEntries(record.head(0).cookies!), { a: '3', b: '2' });
  assert.ok(record.keepCookies(setting(['c', 'x'.repeat(999)])));
});

it('the first word about the end counts; the duration is from the answer', () => {
  const record = new CallRecord({ application, callId: 'call', custom: undefined });
  record.answered(1000);
  record.answered(2000);
  record.ends(undefined);
  record.partyEnded({ cause: 'remote' }, true, 'caller');
  record.ends({ reason: 'GENERALERROR', result: 'FAILED' });
  const { reason, result, durationMs, from, callId } = record.disconnected(5000, parties);
  assert.deepEqual(
    [reason, result, durationMs, from, callId],
    ['CALLERHANGUP', 'ANSWERED', 4000, '+1', 'call'],
  );
});

it('one that nobody answered, and nobody says why it ended', () => {
  const record = new CallRecord({ application, callId: 'call', custom: undefined });
  const { reason, result, durationMs } = record.disconnected(5000, parties);
  assert.deepEqual([reason, result, durationMs], ['N/A', 'N/A', 0]);
});
