import assert from 'node:assert/strict';
import { test } from 'node:test';
import { infoDigit } from './info-digit.ts';

for (const [contentType, body, digit] of [
  ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n', '5'],
  ['application/dtmf-relay', 'Signal= *\r\nDuration= 250', '*'],
  ['Application/DTMF-Relay; charset=utf-8', 'signal = #\n', '#'],
  ['application/dtmf-relay', 'Signal=11\r\nDuration=160\r\n', '#'],
  ['application/dtmf-relay', 'Signal=a\r\n', 'A'],
  ['application/dtmf-relay', '\r\n\tSignal = 5 \r\nDuration=160', '5'],
  ['application/dtmf-relay', 'Signal=\r\n5', undefined],
  ['application/dtmf', '7', '7'],
  ['application/dtmf', ' 10 \r\n', '*'],
  ['application/dtmf', '16', undefined],
  ['application/dtmf', '', undefined],
  ['application/dtmf-relay', 'Duration=160', undefined],
  ['application/dtmf-relay', 'Signal=55', undefined],
  ['text/plain', '5', undefined],
] as const)
  test(`${contentType} ${JSON.stringify(body)}`, () => assert.equal(infoDigit(contentType, body), digit));
