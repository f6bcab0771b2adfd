import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hangUpReasons } from '../../call/end-reason.ts';
import { connectedEnd, partyEnd, unreachedEnd } from './call-end.ts';

const told = ({ reason, result }: { reason: string; result: string }) => `${reason} ${result}`;

it('says who ended an answered call', () => {
  const by = (cause: 'remote' | 'local' | 'timeout', side: 'caller' | 'callee') =>
    told(partyEnd({ cause }, true, side));
  assert.equal(by('remote', 'caller'), 'CALLERHANGUP ANSWERED');
  assert.equal(by('remote', 'callee'), 'CALLEEHANGUP ANSWERED');
  assert.equal(by('local', 'caller'), 'MANAGERHANGUP ANSWERED');
  assert.equal(by('timeout', 'caller'), 'GENERALERROR ANSWERED');
  const silent = { cause: 'local', reason: hangUpReasons.mediaLost } as const;
  assert.equal(told(partyEnd(silent, true, 'caller')), 'GENERALERROR ANSWERED');
});

it('says why nobody answered', () => {
  const called = (status: number) => told(partyEnd({ cause: 'rejected', status }, false, 'callee'));
  assert.equal(called(486), 'CALLEEHANGUP BUSY');
  assert.equal(called(603), 'CALLEEHANGUP BUSY');
  assert.equal(called(480), 'TIMEOUT NOANSWER');
  assert.equal(called(404), 'USERNOTFOUND FAILED');
  assert.equal(called(403), 'BLOCKED FAILED');
  assert.equal(called(500), 'GENERALERROR FAILED');
  const inTime = { cause: 'local', reason: hangUpReasons.noAnswer } as const;
  assert.equal(told(partyEnd(inTime, false, 'callee')), 'TIMEOUT NOANSWER');
  assert.equal(told(partyEnd({ cause: 'cancelled' }, false, 'caller')), 'CANCEL NOANSWER');
  assert.equal(told(partyEnd({ cause: 'rejected', status: 480 }, false, 'caller')), 'MANAGERHANGUP N/A');
});

it('says what became of connecting', () => {
  assert.equal(told(unreachedEnd('outbound-forbidden')), 'BLOCKED FAILED');
  assert.equal(told(unreachedEnd('no-trunk')), 'GENERALERROR FAILED');
  assert.equal(connectedEnd({ outcome: 'failed', reason: 'not-put-through' }), undefined);
  assert.equal(told(connectedEnd({ outcome: 'failed', reason: 'busy' })!), 'CALLEEHANGUP BUSY');
  assert.equal(told(connectedEnd({ outcome: 'connected', endedBy: 'called' })!), 'CALLEEHANGUP ANSWERED');
  assert.equal(connectedEnd({ outcome: 'connected', endedBy: 'caller' }), undefined);
});
