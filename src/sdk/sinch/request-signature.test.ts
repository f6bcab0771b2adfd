import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAuthorization } from '../../dialects/sinch/signature.ts';
import { Secret } from '../../secret.ts';
import { svaml } from './document.ts';
import { signedHeaders } from './request-signature.ts';
import type { CalloutRequest } from './requests.ts';

const applicationSecret = Buffer.from('a secret of 20 bytes').toString('base64');
const keys = { applicationKey: 'key', applicationSecret };
const nowMs = Date.UTC(2026, 10, 21, 12);

test('the server takes what is signed, and nothing else', () => {
  const request: CalloutRequest = {
    method: 'customCallout',
    customCallout: {
      ice: JSON.stringify(svaml().connectPstn('+12015555555')),
      ace: 'https://app.example/ace',
    },
  };
  const [method, path, body] = ['POST', '/calling/v1/callouts', JSON.stringify(request)];
  const headers = signedHeaders(keys, { method, path, body }, nowMs);
  const secret = new Secret(applicationSecret);
  const given = readAuthorization({ method, path, headers, body }, nowMs);
  assert.equal(given.applicationKey, 'key');
  given.prove(secret);
  const other = readAuthorization({ method, path, headers, body: `${body} ` }, nowMs);
  assert.throws(() => other.prove(secret), { code: 40108 });
  const get = { method: 'GET', path: '/calling/v1/calls/id/1' };
  readAuthorization({ ...get, headers: signedHeaders(keys, get, nowMs), body: '' }, nowMs).prove(secret);
  assert.throws(() => signedHeaders({ ...keys, applicationSecret: '' }, get), TypeError);
});
