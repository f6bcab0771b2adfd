import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import { assertNoLeak, leakedSince } from './leak-check.ts';
import { openResources } from './open-resources.ts';

test('an open UDP port is named, and is gone once closed', async () => {
  const before = openResources();
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  assert.ok(openResources().udpPorts.includes(port));
  await assert.rejects(assertNoLeak(before, { timeoutMs: 0 }), new RegExp(`UDP port ${port}\\b`));
  socket.close();
  await assertNoLeak(before);
});

test('a listening port, a connection and a file are named', async () => {
  const before = openResources();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [ReturnType<typeof connect>];
  const file = await open(import.meta.filename);
  const lines = leakedSince(before, openResources()).join('\n');
  assert.match(lines, new RegExp(`listening TCP port ${port}`));
  assert.match(lines, new RegExp(`TCP connection 127.0.0.1:\\d+ > 127.0.0.1:${port}`));
  assert.match(lines, /open file .*leak-check\.test\.ts/);
  await file.close();
  client.destroy();
  accepted.destroy();
  server.close();
  await assertNoLeak(before);
});

test('a timer that keeps the loop alive is named', async () => {
  const before = openResources();
  const timer = setTimeout(() => {}, 60_000);
  await assert.rejects(assertNoLeak(before, { timeoutMs: 0 }), /event loop Timeout/);
  clearTimeout(timer);
  await assertNoLeak(before);
});

test('another process is looked into, and allowed lines pass', async (t) => {
  const script = `
    process.stdin.once('data', () => {
      const socket = require('node:dgram').createSocket('udp4');
      socket.bind(0, '127.0.0.1', () => process.stdout.write(String(socket.address().port)));
    });
    process.stdout.write('ready');`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  await once(child.stdout, 'data');
  const before = openResources(child.pid!);
  child.stdin.write('open\n');
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  await assert.rejects(assertNoLeak(before, { timeoutMs: 100 }), new RegExp(`UDP port ${port}\\b`));
  await assertNoLeak(before, { allow: () => true, clock: systemClock });
});
