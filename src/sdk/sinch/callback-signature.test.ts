import assert from 'node:assert/strict';
import { it } from 'node:test';
import { signedHeaders } from '../../dialects/sinch/signature.ts';
import { Secret } from '../../secret.ts';
import { verifyCallback, WebhookError, type WebhookFault } from '../sinch.ts';

const keys = { applicationKey: 'key-1', applicationSecret: 'BeIukql3pTKJ8RGL5zo0DA==' };
const nowMs = 1_790_000_000_000;
const body = '{"event":"ace","callid":"c-1"}';
const headers = signedHeaders(
  { key: keys.applicationKey, secret: new Secret(keys.applicationSecret) },
  'https://app.example/voice?x=1',
  body,
  nowMs,
);
const callback = { headers, body, path: '/voice' };

function faultOf(action: () => unknown): WebhookFault | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof WebhookError);
    return error.fault;
  }
}

it("takes the server's callbacks", () => {
  const event = verifyCallback(keys, callback, { nowMs });
  assert.equal(event.event, 'ace');
  assert.deepEqual(verifyCallback(keys, { ...callback, body: Buffer.from(body) }, { nowMs }), event);
  assert.deepEqual(verifyCallback(keys, { ...callback, headers: new Headers(headers) }, { nowMs }), event);
});

it('refuses everything else, and says why', () => {
  const fault = (more: object, at = nowMs, by = keys) =>
    faultOf(() => verifyCallback(by, { ...callback, ...more }, { nowMs: at }));
  assert.equal(fault({ body: `${body} ` }), 'signature-wrong');
  assert.equal(fault({ path: '/other' }), 'signature-wrong');
  assert.equal(fault({ method: 'GET' }), 'signature-wrong');
  assert.equal(fault({}, nowMs, { ...keys, applicationKey: 'key-2' }), 'signature-wrong');
  assert.equal(fault({}, nowMs, { ...keys, applicationSecret: 'AAAA' }), 'signature-wrong');
  assert.equal(fault({ headers: { ...headers, authorization: 'Basic a:b' } }), 'signature-wrong');
  assert.equal(fault({ headers: { ...headers, authorization: undefined } }), 'header-missing');
  assert.equal(fault({ headers: { ...headers, 'x-timestamp': 'noon' } }), 'header-missing');
  assert.equal(fault({}, nowMs + 300_001), 'too-old');
  assert.equal(fault({}, nowMs - 300_001), 'too-new');
  assert.throws(() => verifyCallback({ ...keys, applicationSecret: '' }, callback), TypeError);
});
