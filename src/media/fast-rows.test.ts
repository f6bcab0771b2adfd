import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { steadySends } from '../rtp/ffi-port.ts';
import { openLibc } from '../rtp/libc.ts';
import { toRtpTimestamp } from '../rtp/sequence.ts';
import { FfiTransport } from '../rtp/transport-ffi.ts';
import { FastRows } from './fast-rows.ts';
import { SlotCount } from './slot-count.ts';

const address = '127.0.0.1';

test('a row that was closed is told no more of the port that it was relayed by, whoever has it next', {
  timeout: 20_000,
}, async () => {
  const libc = openLibc();
  assert.ok(typeof libc === 'object', String(libc));
  const transport = new FfiTransport({ libc, clock: systemClock, address, ports: { first: 0, last: 0 } });
  const peer = createSocket('udp4').bind(0, address);
  await once(peer, 'listening');
  let came = 0;
  peer.on('message', () => came++);
  const port = await transport.open({ receive: () => undefined });
  const remotePort = peer.address().port;
  const rows = new FastRows();
  const path = { take: () => true, tell: () => undefined };
  const row = rows.takeRow(path);
  rows.open(row, 160, 64);
  const relayed = {
    ...{ port, address, remotePort, heard: undefined, payloadType: 0, ssrc: 1 },
    ...{ sequenceOffset: 0, timeOffset: 0, mostTicksApart: 0, idleSlotsLeft: 0 },
    ...{ slotTimestamp: toRtpTimestamp(0), slotTicks: 160 },
  };
  rows.relay(row, relayed, new SlotCount(), 0, false);
  rows.giveBack(row);
  const next = rows.takeRow(path);
  assert.equal(next, row);
  rows.open(next, 160, 64);
  transport.run(() => {
    port.reserve(1);
    port.commit(1, address, remotePort);
  });
  while (came <= 2 * steadySends) await sleep(5);
  assert.equal(rows.expected.socket(next), -1);
  rows.relay(next, relayed, new SlotCount(), 0, false);
  assert.ok(rows.expected.socket(next) >= 0, 'it would have been told: the port is connected');
  await transport.stop();
  peer.close();
});
