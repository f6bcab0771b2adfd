import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateAuthorizationHeader, VoiceCallbackWebhooks } from '@sinch/voice';
import { Secret } from '../../secret.ts';
import { SinchError } from './errors.ts';
import {
  maxAgeMs,
  type ReceivedRequest,
  readAuthorization,
  signatureOf,
  signedHeaders,
} from './signature.ts';

/** The vendor's published example ("Callback Request Signing"). */
const example = {
  key: '669E367E-6BBA-48AB-AF15-266871C28135',
  secret: 'BeIukql3pTKJ8RGL5zo0DA==',
  body: '{"event":"ace","callid":"822aa4b7-05b4-4d83-87c7-1f835ee0b6f6_257","timestamp":"2014-09-24T10:59:41Z","version":1}',
  timestamp: '2014-09-24T10:59:41Z',
  path: '/sinch/callback/ace',
  signature: 'Tg6fMyo8mj9pYfWQ9ssbx3Tc1BNC87IEygAfLbJqZb4=',
};
const secret = new Secret(example.secret);
const nowMs = Date.parse(example.timestamp);

function received(more: Partial<ReceivedRequest> = {}): ReceivedRequest {
  return {
    method: 'POST',
    path: example.path,
    headers: {
      'content-type': 'application/json',
      'x-timestamp': example.timestamp,
      authorization: `application ${example.key}:${example.signature}`,
    },
    body: example.body,
    ...more,
  };
}

function isProven(request: ReceivedRequest, at = nowMs, by = secret): boolean {
  try {
    const given = readAuthorization(request, at);
    assert.equal(given.applicationKey, example.key);
    given.prove(by);
    return true;
  } catch (error) {
    assert.ok(error instanceof SinchError);
    assert.equal(error.code, 40108);
    return false;
  }
}

describe("the vendor's signature", () => {
  it('is that of the published example', () => {
    const { path, timestamp, body } = example;
    const parts = { method: 'POST', path, contentType: 'application/json', timestamp, body };
    assert.equal(signatureOf(secret, parts), example.signature);
    assert.ok(isProven(received()));
    assert.ok(isProven(received({ body: Buffer.from(body) })));
  });

  it('changes with every part', () => {
    const { headers } = received();
    for (const more of [
      { method: 'PATCH' },
      { path: '/sinch/callback/pie' },
      { body: `${example.body} ` },
      { body: '' },
      { headers: { ...headers, 'content-type': 'application/json; charset=utf-8' } },
      { headers: { ...headers, 'x-timestamp': '2014-09-24T10:59:42Z' } },
    ])
      assert.ok(!isProven(received(more)), JSON.stringify(more));
    assert.ok(!isProven(received(), nowMs, new Secret('AAAAAAAAAAAAAAAAAAAAAA==')));
  });

  it('is good for five minutes, either way', () => {
    assert.ok(isProven(received(), nowMs + maxAgeMs));
    assert.ok(isProven(received(), nowMs - maxAgeMs));
    assert.ok(!isProven(received(), nowMs + maxAgeMs + 1));
    assert.ok(!isProven(received(), nowMs - maxAgeMs - 1));
    for (const timestamp of ['', 'today', '1411556381', '2014-09-24 10:59:41Z', '2014-99-24T10:59:41Z'])
      assert.ok(!isProven(received({ headers: { ...received().headers, 'x-timestamp': timestamp } })));
  });

  it("of the vendor's client is taken, with a body and without", () => {
    for (const [method, body] of [
      ['PATCH', '{"action":{"name":"hangup"}}'],
      ['GET', undefined],
      ['DELETE', undefined],
    ] as const) {
      const path = '/calling/v1/calls/id/c-1';
      const timestamp = `x-timestamp:${example.timestamp}`;
      const authorization = generateAuthorizationHeader(
        ...[method, body, 'application/json', timestamp, path, example.key, example.secret],
      );
      const headers = { ...received().headers, authorization };
      assert.ok(isProven({ method, path, headers, body: body ?? '' }), method);
    }
  });

  it("on our callbacks is taken by the vendor's validator", () => {
    const { key: applicationKey, secret: applicationSecret, body } = example;
    const callbacks = new VoiceCallbackWebhooks({ applicationKey, applicationSecret });
    const url = 'https://app.example:8443/voice/events?tenant=7';
    const headers = signedHeaders({ key: applicationKey, secret }, url, body, 1_790_000_000_123);
    const validate = (given: string, path: string) =>
      callbacks.validateAuthenticationHeader(headers, given, path, 'POST');
    assert.equal(headers['x-timestamp'], '2026-09-21T14:13:20.123Z');
    assert.ok(validate(body, '/voice/events'));
    assert.ok(!validate(`${body}.`, '/voice/events'));
    assert.ok(!validate(body, '/voice'));
  });
});

describe('other authorizations', () => {
  const withAuthorization = (authorization: string | undefined) => received({ headers: { authorization } });

  it('Basic: base64, or as it is', () => {
    const pair = `${example.key}:${example.secret}`;
    assert.ok(isProven(withAuthorization(`Basic ${Buffer.from(pair).toString('base64')}`)));
    assert.ok(isProven(withAuthorization(`basic ${pair}`)));
    assert.ok(!isProven(withAuthorization(`Basic ${example.key}:wrong`)));
    assert.ok(!isProven(withAuthorization(`Basic ${example.key}:`)));
  });

  it('none, broken ones and other schemes are refused', () => {
    const codeOf = (authorization: string | undefined) => {
      try {
        readAuthorization(withAuthorization(authorization), nowMs).prove(secret);
        return undefined;
      } catch (error) {
        return (error as SinchError).code;
      }
    };
    for (const broken of [
      undefined,
      'Basic !',
      'Basic Og==',
      'Application',
      'Application a',
      'Application a:b:c',
    ])
      assert.ok([40108, 40301].includes(codeOf(broken) ?? 0), broken ?? 'none');
    assert.equal(codeOf('Bearer abc'), 40301);
    assert.equal(codeOf(`Basic ${'A'.repeat(5000)}`), 40108);
  });
});
