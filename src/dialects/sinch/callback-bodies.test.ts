import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VoiceCallbackWebhooks } from '@sinch/voice';
import { aceBody, callingErrorBody, diceBody, iceBody, notifyBody, pieBody } from './callback-bodies.ts';

const call = { callId: 'c-1', unixMs: Date.UTC(2026, 10, 20, 22, 15, 6, 974), applicationKey: 'key-1' };
const common = { callid: 'c-1', timestamp: '2026-11-20T22:15:06Z', version: 1, custom: '' };
const free = { currencyId: 'USD', amount: 0 };

/** As it goes over the wire, and the vendor's client reads it. */
function sent(body: object): Record<string, unknown> {
  const text = JSON.stringify(body);
  const event = VoiceCallbackWebhooks.parseEvent(text) as { event?: string };
  const plain = JSON.parse(text) as Record<string, unknown>;
  assert.equal(event.event, plain.event);
  return plain;
}

describe('callbacks', () => {
  it('ICE', () => {
    const to = { type: 'did', endpoint: '+15558881188' } as const;
    const incoming = {
      ...call,
      callResourceUrl: 'https://calls.example/calling/v1/calls/id/c-1',
      cli: '+1201',
      to,
    };
    const domains = { domain: 'pstn', originationType: 'pstn' } as const;
    const expected = {
      event: 'ice',
      ...common,
      callResourceUrl: incoming.callResourceUrl,
      userRate: free,
      cli: '+1201',
      to,
      ...domains,
      applicationKey: 'key-1',
      duration: 0,
      rdnis: '',
    };
    assert.deepEqual(sent(iceBody({ ...incoming, ...domains })), expected);
    const callHeaders = [{ key: 'order', value: '17' }];
    const more = { callHeaders, rdnis: '+1202', custom: 'mine' };
    assert.deepEqual(sent(iceBody({ ...incoming, ...domains, ...more })), { ...expected, ...more });
  });

  it('ACE, PIE', () => {
    assert.deepEqual(sent(aceBody(call)), { event: 'ace', ...common, applicationKey: 'key-1' });
    const menuResult = { menuId: 'main', type: 'return', value: 'sales', inputMethod: 'dtmf' } as const;
    const cookies = new Map([['step', 'one']]);
    assert.deepEqual(sent(pieBody({ ...call, cookies }, menuResult)), {
      event: 'pie',
      ...common,
      cookies: { step: 'one' },
      menuResult,
      applicationKey: 'key-1',
    });
    assert.ok(!('cookies' in aceBody({ ...call, cookies: new Map() })));
  });

  it('DICE', () => {
    const to = { type: 'number', endpoint: '+1202' } as const;
    const ended = { reason: 'CALLERHANGUP', result: 'ANSWERED', from: '+1201', to } as const;
    assert.deepEqual(sent(diceBody({ ...call, ...ended, durationMs: 13_600 })), {
      event: 'dice',
      ...common,
      ...ended,
      debit: free,
      userRate: free,
      duration: 14,
      applicationKey: 'key-1',
    });
  });

  it('notify of a call, in the fields of the vendor', () => {
    assert.deepEqual(sent(notifyBody({ callId: 'c-1' }, { type: 'recording_finished' })), {
      event: 'notify',
      callid: 'c-1',
      version: 1,
      type: 'recording_finished',
    });
    const available = { type: 'recording_available', destination: 's3://b/f.mp3' } as const;
    assert.deepEqual(sent(notifyBody({ callId: 'c-1' }, available)), {
      event: 'notify',
      callid: 'c-1',
      version: 1,
      ...available,
    });
  });

  it('of a conference there is no callid, and it is never callId', () => {
    const of = { conferenceId: 'myConferenceId' };
    for (const type of ['recording_available', 'transcription_available'] as const) {
      const body = sent(notifyBody(of, { type, destination: 's3://b/f.mp3' }));
      assert.deepEqual(Object.keys(body), ['event', 'conferenceId', 'version', 'type', 'destination']);
    }
    assert.ok(!('callId' in notifyBody({ callId: 'c' }, { type: 'recording_finished' })));
  });

  it('what could not be done', () => {
    const error = { errorCode: 40001, errorMsg: 'destinationUrl is missing' };
    assert.deepEqual(sent(callingErrorBody({ callId: 'c-1' }, { ...error, custom: 'mine' })), {
      event: 'notify',
      callid: 'c-1',
      version: 1,
      type: 'callingerror',
      ...error,
      custom: 'mine',
    });
    const failed = notifyBody({ callId: 'c-1' }, { type: 'recording_failed', errorMsg: 'AccessDenied' });
    assert.equal(sent(failed).errorMsg, 'AccessDenied');
  });
});
