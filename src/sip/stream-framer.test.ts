import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamFramer } from './stream-framer.ts';
import { requestText } from './test-peers.ts';

function run(
  text: string,
  chunkBytes: number,
): { messages: string[]; pings: number; ok: boolean; unfinished: boolean } {
  const messages: string[] = [];
  let pings = 0;
  const framer = new StreamFramer({
    message: (bytes) => messages.push(bytes.toString()),
    ping: () => pings++,
    pong: () => {},
  });
  const bytes = Buffer.from(text);
  let ok = true;
  for (let at = 0; at < bytes.length; at += chunkBytes) ok = framer.push(bytes.subarray(at, at + chunkBytes));
  return { messages, pings, ok, unfinished: framer.unfinished };
}

const first = requestText('INVITE', 5060, { body: 'v=0\r\n\r\nx' });
const second = requestText('OPTIONS', 5060, {}).replace('Content-Length', 'l');

for (const chunkBytes of [1, 2, 3, 7, 64, 10_000])
  test(`two messages and keep-alives in chunks of ${chunkBytes}`, () => {
    const result = run(`\r\n\r\n${first}\r\n${second}\r\n\r\n`, chunkBytes);
    assert.deepEqual(result.messages, [first, second]);
    assert.deepEqual([result.pings, result.ok, result.unfinished], [2, true, false]);
  });

const broken: [what: string, text: string][] = [
  ['no length', first.replace(/Content-Length.*\r\n/, '')],
  ['two lengths', second.replace('l: 0', 'l: 0\r\nContent-Length: 0')],
  ['a negative length', second.replace('l: 0', 'l: -1')],
  ['a length beyond the limit', second.replace('l: 0', 'l: 65535')],
  ['a lone carriage return', `\rX${second}`],
  ['headers without end', `X: ${'a'.repeat(70_000)}`],
];

for (const [what, text] of broken)
  test(`${what}: handed out for its 400, then nothing more`, () => {
    const result = run(text + second, 1000);
    assert.equal(result.ok, false);
    assert.equal(result.messages.length, 1);
  });

test('a message that has not ended is unfinished', () => {
  assert.equal(run(first.slice(0, 20), 7).unfinished, true);
  assert.equal(run(first.slice(0, -1), 7).unfinished, true);
});

test('the answer to our ping is a pong at once; two of them are no ping', () => {
  const told: string[] = [];
  const framer = new StreamFramer({
    message: () => told.push('message'),
    ping: () => told.push('ping'),
    pong: () => told.push('pong'),
  });
  for (let i = 0; i < 2; i++) {
    framer.expectPong();
    framer.push(Buffer.from('\r\n'));
  }
  framer.push(Buffer.from(`${second}\r\n\r\n`));
  assert.deepEqual(told, ['pong', 'pong', 'message', 'ping']);
});
