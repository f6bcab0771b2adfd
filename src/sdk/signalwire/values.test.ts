import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, ring, say, silence } from './values.ts';

test('say, silence and ring', () => {
  assert.equal(say('Good\r\n  morning'), 'say:Good morning');
  assert.equal(silence(2.5), 'silence:2.5');
  assert.equal(ring('us'), 'ring:us');
  assert.equal(ring('gb', 20), 'ring:20:gb');
});

test('file', () => {
  assert.equal(file('https://a.example/b.wav'), 'https://a.example/b.wav');
  assert.equal(file(new URL('http://a.example/b.wav')), 'http://a.example/b.wav');
  assert.throws(() => file('ftp://a.example/b.wav'), TypeError);
});
