import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPcap } from '../container/test-pcap.ts';
import type { CapturePlan } from '../render/call-capture.ts';
import { Secret } from '../secret.ts';
import { CaptureExport } from './capture-export.ts';

const endpoint = { address: '192.0.2.1', port: 5060 };
const plan = (messages: number): CapturePlan => ({
  messages: Array.from({ length: messages }, (_, k) => ({
    atUnixUs: k,
    source: endpoint,
    target: endpoint,
    text: `${k}\r\n\r\n${'x'.repeat(8000)}`,
  })),
  legs: [],
  recordings: [],
});

function open(): CaptureExport {
  return new CaptureExport({
    spoolDir: '/nowhere',
    masterKey: new Secret(Buffer.alloc(32)),
    log: { warn: () => assert.fail('nothing is damaged') },
  });
}

test('the file comes whole, made on another thread, chunk by chunk', async () => {
  const chunks = await Array.fromAsync(open().read(plan(40)));
  assert.ok(chunks.length > 3);
  const datagrams = readPcap(Buffer.concat(chunks));
  assert.deepEqual(
    datagrams.map(({ payload }) => Number(payload.toString().split('\r\n')[0])),
    Array.from({ length: 40 }, (_, k) => k),
  );
});

test('four at once, and room again as soon as one is given up', async () => {
  const captures = open();
  const running = Array.from({ length: 4 }, () => captures.read(plan(40)));
  await Promise.all(running.map((chunks) => chunks.next()));
  await assert.rejects(captures.read(plan(1)).next(), { code: 'CONFLICT' });
  await running[0]!.return(undefined);
  const chunks = await Array.fromAsync(captures.read(plan(1)));
  assert.equal(readPcap(Buffer.concat(chunks)).length, 1);
  await Promise.all(running.map((others) => others.return(undefined)));
});

test('an error of the thread is its own', async () => {
  const recordings = [{ conversationId: '../etc', recordingId: 'x' }];
  await assert.rejects(
    open()
      .read({ ...plan(0), recordings })
      .next(),
    { code: 'REQUEST_INVALID' },
  );
});
