import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../secret.ts';
import { newSigningKey, signatureHeaders } from './signature.ts';

test('the example of the vendor’s own validator', () => {
  const body =
    '{"call":{"call_id":"b5d63b2e-f75b-4dc8-b6d4-269b635f96c0","node_id":"fa3570ae-f8bd-42c2-83f4-9950d906c91b@us-west","segment_id":"b5d63b2e-f75b-4dc8-b6d4-269b635f96c0","call_state":"created","direction":"inbound","type":"phone","from":"+12135877632","to":"+12089806814","from_number":"+12135877632","to_number":"+12089806814","project_id":"4b7ae78a-d02e-4889-a63b-08b156d5916e","space_id":"62615f44-2a34-4235-b38b-76b5a1de6ef8"},"vars":{}}';
  const key = new Secret('PSK_7TruNcSNTxp4zNrykMj4EPzF');
  const headers = signatureHeaders(key, 'https://81f2-2-45-18-191.ngrok-free.app/', body);
  assert.equal(headers['x-signalwire-signature'], 'b18500437ebb010220ddd770cbe6fd531ea0ba0d');
  assert.match(headers['x-signalwire-sha256-signature'] ?? '', /^[0-9a-f]{64}$/);
});

test('keys have the vendor’s form, and are new each time', () => {
  const keys = Array.from({ length: 10 }, newSigningKey);
  for (const key of keys) assert.match(key, /^PSK_[A-Za-z0-9]{24}$/);
  assert.equal(new Set(keys).size, keys.length);
});
