import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventCallbackIn, parseEventCallback } from './event-callback.ts';

test('a callback is told in the dialect that it names', () => {
  for (const url of ['https://app.example/a', 'http://u:p@app.example/with blanks?a=b c']) {
    assert.deepEqual(parseEventCallback(url), { url, dialect: undefined });
    assert.deepEqual(parseEventCallback(eventCallbackIn('signalwire-get', url)), {
      url,
      dialect: 'signalwire-get',
    });
  }
});
