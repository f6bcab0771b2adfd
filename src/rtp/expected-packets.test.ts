import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { ExpectedPackets, rowWords } from './expected-packets.ts';
import { steadySends } from './ffi-port.ts';
import { type OpenedLibc, openLibc } from './libc.ts';
import type { TransportPort } from './transport.ts';
import { FfiTransport } from './transport-ffi.ts';

const opened = openLibc();
assert.ok(typeof opened === 'object', String(opened));
const libc: OpenedLibc = opened;
const address = '127.0.0.1';
const next = { bytes: 172, payloadType: 8, sequenceNumber: 65_535, rtpTime: 0xffff_ff60, ssrc: 0xdead_beef };

function packet(change: Partial<typeof next> & { firstByte?: number } = {}): Uint8Array {
  const { bytes, payloadType, sequenceNumber, rtpTime, ssrc } = { ...next, ...change };
  const data = Buffer.alloc(bytes, 0xd5);
  data[0] = change.firstByte ?? 0x80;
  data[1] = payloadType;
  data.writeUInt16BE(sequenceNumber, 2);
  data.writeUInt32BE(rtpTime, 4);
  data.writeUInt32BE(ssrc, 8);
  return data;
}

describe('what a row expects', () => {
  test('is the packet that goes on with the last one in everything, and the one behind it once that was taken', () => {
    const taken: number[] = [];
    const expected = new ExpectedPackets((row) => taken.push(row) > 0);
    const row = expected.takeRow();
    assert.equal(expected.isNext(row, packet()), false, 'nothing yet');
    expected.expect(row, next);
    assert.equal(expected.isNext(row, packet()), true);
    const others = [
      { bytes: 171 },
      { payloadType: 0 },
      { payloadType: 0x88 },
      { sequenceNumber: 0 },
      { rtpTime: 0 },
      { ssrc: 1 },
      { firstByte: 0x90 },
    ];
    for (const other of others)
      assert.equal(expected.isNext(row, packet(other)), false, JSON.stringify(other));
    expected.goOn(row, 160);
    assert.equal(expected.isNext(row, packet()), false);
    assert.equal(expected.isNext(row, packet({ sequenceNumber: 0, rtpTime: 0 })), true, 'both wrap');
    expected.stop(row);
    assert.equal(expected.isNext(row, packet({ sequenceNumber: 0, rtpTime: 0 })), false);
  });

  test('rows are as many as are needed, one is nobody else’s, and one that is given back expects nothing', () => {
    const expected = new ExpectedPackets(() => true);
    const rows = Array.from({ length: 1000 }, () => expected.takeRow());
    assert.equal(new Set(rows).size, 1000);
    assert.ok(rows.every((row) => row > 0 && row % rowWords === 0));
    for (const [index, row] of rows.entries()) expected.expect(row, { ...next, ssrc: index });
    for (const [index, row] of rows.entries())
      assert.ok(expected.isNext(row, packet({ ssrc: index })), String(index));
    expected.giveBack(rows[7]!);
    assert.equal(expected.takeRow(), rows[7]);
    assert.equal(expected.isNext(rows[7]!, packet({ ssrc: 7 })), false);
  });
});

interface Peer {
  socket: Socket;
  port: number;
  came: string[];
}

async function openPeer(): Promise<Peer> {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  const came: string[] = [];
  socket.on('message', (data) => came.push(data.toString('latin1')));
  return { socket, port: socket.address().port, came };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(2);
}

async function openPort(transport: FfiTransport, came: Uint8Array[]): Promise<TransportPort> {
  return await transport.open({ receive: ({ data }) => void came.push(data.slice()) });
}

describe('a port of the driver ffi', () => {
  const options = { libc, clock: systemClock, address, ports: { first: 0, last: 0 } };

  test('offers what is expected to its row, and to the sink what is not, or not taken', {
    timeout: 20_000,
  }, async () => {
    const transport = new FfiTransport(options);
    assert.equal(transport.note, undefined, 'io_uring is to be had here');
    const [peer, other] = [await openPeer(), await openPeer()];
    const offered: { row: number; arrivalUs: number }[] = [];
    let takes = true;
    const expected: ExpectedPackets = new ExpectedPackets((row) => {
      offered.push({ row, arrivalUs: expected.arrivalsUs[row / rowWords]! });
      if (takes) expected.goOn(row, 160);
      return takes;
    });
    const row = expected.takeRow();
    const sunk: Uint8Array[] = [];
    const port = await openPort(transport, sunk);
    expected.expect(row, next);
    port.expect!(expected, row, address, peer.port);
    transport.run();
    const beganUs = systemClock.monotonicUs();
    const send = (from: Peer, data: Uint8Array) => from.socket.send(data, port.port, address);

    send(other, packet());
    await until(() => sunk.length === 1);
    assert.equal(offered.length, 0, 'of another source');
    send(peer, packet());
    await until(() => offered.length === 1);
    assert.equal(offered[0]!.row, row);
    assert.ok(offered[0]!.arrivalUs >= beganUs && offered[0]!.arrivalUs <= systemClock.monotonicUs());
    send(peer, packet());
    await until(() => sunk.length === 2);
    assert.equal(offered.length, 1, 'the same once more');
    takes = false;
    send(peer, packet({ sequenceNumber: 0, rtpTime: 0 }));
    await until(() => sunk.length === 3);
    assert.equal(offered.length, 2, 'that was not taken');
    assert.equal(transport.counters.receivedPackets, 4);

    // Its socket's number is another port's soon, whose row is another.
    port.close();
    const later: Uint8Array[] = [];
    const ports = await Promise.all(Array.from({ length: 4 }, () => openPort(transport, later)));
    for (const each of ports) peer.socket.send(packet({ sequenceNumber: 0, rtpTime: 0 }), each.port, address);
    await until(() => later.length === 4);
    assert.equal(offered.length, 2);
    await transport.stop();
    peer.socket.close();
    other.socket.close();
  });

  test('offers nothing that came before it was closed and is taken behind it', {
    timeout: 20_000,
  }, async () => {
    const transport = new FfiTransport(options);
    const peer = createSocket('udp4').bind(0, address);
    await once(peer, 'listening');
    let offered = 0;
    const expected = new ExpectedPackets(() => ++offered > 0);
    const row = expected.takeRow();
    const sunk: string[] = [];
    const open = () =>
      transport.open({ receive: ({ data }) => void sunk.push(Buffer.from(data).toString()) });
    const [port, other] = [await open(), await open()];
    expected.expect(row, next);
    port.expect!(expected, row, address, peer.address().port);
    transport.run();
    // Connected, it sends at once, so that the second one is there when the port is closed.
    peer.connect(port.port, address);
    await once(peer, 'connect');
    peer.send('before');
    await until(() => sunk.length === 1);
    peer.send(packet());
    port.close();
    const beside = createSocket('udp4');
    beside.send('behind', other.port, address);
    await until(() => sunk.length === 2);
    assert.deepEqual(sunk, ['before', 'behind']);
    assert.equal(offered, 0);
    await transport.stop();
    peer.close();
    beside.close();
  });

  for (const [name, form] of [
    ['with io_uring', {}],
    ['one by one', { uring: false }],
  ] as const)
    test(`tells a row by which socket its packets go out, ${name}`, { timeout: 20_000 }, async () => {
      const transport = new FfiTransport({ ...options, ...form });
      const [peer, other] = [await openPeer(), await openPeer()];
      const expected = new ExpectedPackets(() => true);
      const [row, gone] = [expected.takeRow(), expected.takeRow()];
      const port = await openPort(transport, []);
      port.sendsFor!(expected, gone, address, peer.port);
      const by = port.sendsFor!(expected, row, address, peer.port);
      port.sendsNoMore!(gone);
      assert.equal(expected.socket(row), -1, 'none is connected yet');
      const say = (text: string, to: Peer): void => {
        port.reserve(100).set(Buffer.from(text));
        port.commit(text.length, address, to.port);
      };
      let sent = 0;
      let to = peer;
      let says = true;
      transport.run(() => {
        if (says && sent++ < 2 * steadySends) say('by port', to);
      });
      await until(() => expected.socket(row) >= 0);
      says = false;
      by.bytes.set(Buffer.from('by row'));
      by.sendConnected(expected.socket(row), 6);
      await until(() => peer.came.includes('by row'));
      // One that goes elsewhere takes the port away from its peer, until that is steady again.
      [to, sent, says] = [other, 0, true];
      await until(() => other.came.length > 0);
      assert.equal(expected.socket(row), -1);
      await until(() => sent > 2 * steadySends);
      assert.equal(expected.socket(row), -1, 'connected, but to another');
      [to, sent] = [peer, 0];
      await until(() => expected.socket(row) >= 0);
      assert.equal(expected.socket(gone), -1, 'was told nothing since');
      port.close();
      assert.equal(expected.socket(row), -1);
      await transport.stop();
      peer.socket.close();
      other.socket.close();
    });
});
