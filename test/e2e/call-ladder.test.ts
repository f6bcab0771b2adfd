import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { type CapturedDatagram, readPcap } from '../../src/container/test-pcap.ts';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { RtpPacketView, RtpParser } from '../../src/rtp/packet.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer } from '../../src/sip/test-peers.ts';
import { parseSipUri } from '../../src/sip/uri.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { CallBody, RecordingBody } from './call-bodies.ts';
import { CommandLine } from './command-line.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
const http = new HttpClient(scene.server.callreel);
const dir = makeTemporaryDir();
const rows = new DirectoryRows(scene.server.dataDir);
const callreel = new CommandLine(dir, { CALLREEL_DATA_DIR: scene.server.dataDir });
after(async () => {
  await rows.close();
  await scene[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const voice = (seed: number, samples = 4000) => noise({ samples, seed });

/** The newest call of this caller, ended, with the figures of every leg. */
async function endedCall(from: string): Promise<CallBody> {
  return eventually(`the end of the call from ${from}`, async () => {
    const list = await http.get<Page<{ call_id: string }>>(
      `/v1/calls?from=${encodeURIComponent(from)}&limit=1`,
    );
    const id = list.body.results[0]?.call_id;
    if (id === undefined) return undefined;
    const { body } = await http.get<CallBody>(`/v1/calls/${id}`);
    const known = body.legs.every(({ media }) => media?.report || media?.agreed.length === 0);
    const bye = body.messages.some(({ method, status }) => method === 'BYE' && status === 200);
    return body.end_time !== null && known && (bye || body.end_reason !== 'hung-up') ? body : undefined;
  });
}

async function pcapOf(id: string): Promise<Buffer> {
  const file = join(dir, `${id}.pcap`);
  const { code, stderr } = await callreel.run('calls', 'show', id, '--pcap', file);
  assert.equal(code, 0, stderr);
  return readFile(file);
}

/** The RTP payloads in a capture, in order, those of this phone. */
function payloadsFrom(datagrams: readonly CapturedDatagram[], port: number): string[] {
  const view = new RtpPacketView();
  return datagrams
    .filter(({ source, payload }) => source === `127.0.0.1:${port}` && new RtpParser().parse(payload, view))
    .map(({ payload }) => payload.subarray(12).toString('hex'));
}

const sentBy = (call: PhoneCall) =>
  call.sentPayloads.map(({ payload }) => Buffer.from(payload).toString('hex'));

/** Arrows and labels without names, addresses and times; what a busy machine makes come again is left out. */
function arrowsOf(ladder: string): string[] {
  return ladder
    .split('\n')
    .slice(3)
    .filter((line) => /^ +\d+\.\d{3} /.test(line) && !/media from|again/.test(line))
    .map((line) => line.slice(10));
}

suite('ladders, figures and captures', { concurrency: 3 }, () => {
  test('a call of two with a hold: ladder, figures of each leg and channel, capture, and no key anywhere', async () => {
    const called = await scene.audience.phone();
    const answered = Promise.withResolvers<PhoneCall>();
    called.onCall = (incoming) =>
      incoming.answer({ srtp: { suite: 'AEAD_AES_128_GCM' } }).then(answered.resolve, answered.reject);
    const trunk = {
      name: 'ladder',
      host: '127.0.0.1',
      port: parseSipUri(called.sipUri)?.port,
      srtp: 'required',
    };
    await http.json('POST', '/v1/trunks', { ...trunk, routes: [{ prefix: '+49', cost: 1 }] });
    await http.json('POST', '/v1/dial-permissions', { prefix: '+49', allow: true });
    const number = '+15551230001';
    const event_callback = scene.handle('/ladder-events', () => ({}));
    const command = { name: 'CallPhone', phone_number: '+4930123456', do_record: true, event_callback };
    const caller = await scene.call([command], { number });
    const callee = await answered.promise;
    await Promise.all([caller.play(voice(1)), callee.play(voice(2))]);
    await caller.hold('sendonly');
    await caller.resume();
    await caller.play(voice(3));
    await caller.hangUp();
    await callee.ended;
    await scene.app.waitFor<{ type: string }>('/ladder-events', ({ type }) => type === 'ended');

    const call = await endedCall(number);
    const [first, second] = call.legs;
    assert.equal(call.call_id, first!.connection_id);
    assert.deepEqual([first!.direction, second!.direction], ['incoming', 'outgoing']);
    assert.deepEqual([first!.media?.srtp, second!.media?.srtp], [null, 'AEAD_AES_128_GCM']);
    assert.deepEqual(
      first!.media?.agreed.map(({ direction }) => direction),
      ['sendrecv', 'recvonly', 'sendrecv'],
    );
    for (const [leg, phone] of [
      [first!, caller],
      [second!, callee],
    ] as const) {
      const { received } = leg.media!.report!;
      assert.deepEqual([received.packets, received.lost], [phone.sentPackets.length, 0]);
      assert.deepEqual(
        received.codecs.map(({ codec }) => codec),
        ['PCMU'],
      );
      assert.deepEqual(leg.media!.seen?.port, phone.rtpPorts.local);
      assert.deepEqual([leg.media!.no_media, leg.media!.one_way], [false, null]);
      assert.equal(leg.recorded.length, 1);
    }
    const { body: recording } = await http.get<RecordingBody>(
      `/v1/recordings/${first!.recorded[0]!.recording_id}`,
    );
    const channel = recording.channels.find(({ from }) => from === number);
    assert.deepEqual(
      [channel!.media.received.packets, channel!.media.received.lost],
      [caller.sentPackets.length, 0],
    );

    // Found by any of its legs.
    const { stdout } = await callreel.run('calls', 'show', second!.connection_id, '--ladder');
    const ladder = arrowsOf(stdout);
    assert.deepEqual(ladder, [
      '            |----------- INVITE (sdp) ----------->|                                     |',
      '            |<------- 100 Trying (INVITE) --------|                                     |',
      '            |                                     |----------- INVITE (sdp) ----------->|',
      '            |                                     |<------- 100 Trying (INVITE) --------|',
      '            |                                     |<------ 200 OK (INVITE, sdp) --------|',
      '            |                                     |---------------- ACK --------------->|',
      '            |<------ 200 OK (INVITE, sdp) --------|                                     |',
      '            |---------------- ACK --------------->|                                     |',
      '            |------- INVITE (sdp sendonly) ------>|                                     |',
      '            |<------- 100 Trying (INVITE) --------|                                     |',
      '            |<-- 200 OK (INVITE, sdp recvonly) ---|                                     |',
      '            |---------------- ACK --------------->|                                     |',
      '            |----------- INVITE (sdp) ----------->|                                     |',
      '            |<------- 100 Trying (INVITE) --------|                                     |',
      '            |<------ 200 OK (INVITE, sdp) --------|                                     |',
      '            |---------------- ACK --------------->|                                     |',
      '            |---------------- BYE --------------->|                                     |',
      '            |<---------- 200 OK (BYE) ------------|                                     |',
      '            |                                     |---------------- BYE --------------->|',
      '            |                                     |<---------- 200 OK (BYE) ------------|',
    ]);
    assert.match(stdout, /media from 127\.0\.0\.1/);
    assert.ok(stdout.split('\n').every(({ length }) => length <= 110));

    const capture = await pcapOf(call.call_id);
    const datagrams = readPcap(capture);
    for (const phone of [caller, callee])
      assert.deepEqual(payloadsFrom(datagrams, phone.rtpPorts.local), sentBy(phone));
    assert.equal(datagrams.filter(({ payload }) => payload.includes('SIP/2.0')).length, call.messages.length);
    const moments = datagrams.map(({ atUnixUs }) => atUnixUs);
    assert.deepEqual(
      moments,
      moments.toSorted((a, b) => a - b),
    );

    const keys = callee.sdesKeys.filter((key) => key !== undefined);
    assert.equal(keys.length, 2);
    for (const key of keys) {
      assert.ok(!JSON.stringify(call).includes(key!));
      assert.ok(!capture.includes(key!));
    }
    const stored = await eventually('the log in the database', async () => {
      const [row] = await rows.sipLogs(first!.connection_id);
      return row;
    });
    for (const key of keys) assert.ok(!JSON.stringify(stored).includes(key!));
    const { body: later } = await http.get<CallBody>(`/v1/calls/${call.call_id}`);
    assert.deepEqual(later, call);
  });

  test('whoever a party is transferred to belongs to the call', async () => {
    await http.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });
    const number = '+15551230006';
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const answered = [agent, third].map((phone) => {
      const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
      phone.onCall = (incoming) => incoming.answer().then(resolve, reject);
      return promise;
    });
    const caller = await scene.call([{ name: 'CallPhone', phone_number: agent.sipUri }], { number });
    const transferred = await (await answered[0]!).transfer(third.sipUri);
    assert.equal(transferred.status, 200);
    await answered[1];
    await caller.hangUp();
    const call = await endedCall(number);
    assert.deepEqual(
      call.legs.map(({ to, direction }) => [to, direction]),
      [
        ['1000', 'incoming'],
        [agent.sipUri, 'outgoing'],
        [third.sipUri, 'outgoing'],
      ],
    );
    const { stdout } = await callreel.run('calls', 'show', call.call_id, '--ladder');
    for (const label of ['REFER', '202 Accepted (REFER)', 'NOTIFY']) assert.ok(stdout.includes(label), label);
    assert.ok(stdout.split('\n').every(({ length }) => length <= 110));
  });

  test('a refused call', async () => {
    const number = '+15551230002';
    const caller = await scene.audience.phone();
    await assert.rejects(caller.call(scene.server.sipUri('+19995550000'), {}), /rejected 404 NOT_FOUND/);
    const listed = await callreel.json<{ call_id: string; to: string; end_reason: string }[]>(
      'calls',
      'list',
      '--to',
      '+19995550000',
    );
    assert.equal(listed.length, 1, number);
    const { stdout } = await callreel.run('calls', 'show', listed[0]!.call_id, '--ladder');
    assert.deepEqual(arrowsOf(stdout), [
      '            |-------------- INVITE (sdp) -------------->|',
      '            |<---------- 100 Trying (INVITE) -----------|',
      '            |<-------- 404 NOT_FOUND (INVITE) ----------|',
      '            |------------------- ACK ------------------>|',
    ]);
    assert.match(stdout, /failed +not-found/);
  });

  test('retransmissions of either side are marked', async () => {
    const uri = scene.server.sipUri('+19995550001');
    const peer = await RawPeer.open(Number(uri.split(':').at(-1)));
    const parts = { uri, callId: 'again', branch: 'z9hG4bK-again' };
    peer.request('INVITE', { ...parts, body: audioSdp(4000, 1) });
    peer.request('INVITE', { ...parts, body: audioSdp(4000, 1) });
    const refused = await peer.response('INVITE');
    await peer.response('INVITE', refused.status);
    peer.request('ACK', { ...parts, toTag: tagOf(refused.to) });
    const marks = await eventually('the ACK in the log', async () => {
      const { body } = await http.get<Page<{ call_id: string }>>(
        `/v1/calls?to=${encodeURIComponent('sip:callee@127.0.0.1')}`,
      );
      for (const { call_id } of body.results) {
        const { messages } = (await http.get<CallBody>(`/v1/calls/${call_id}`)).body;
        if (messages.some(({ method, text }) => method === 'ACK' && text.includes('again')))
          return messages.map(({ method, status, retransmission }) => [status ?? method, retransmission]);
      }
      return undefined;
    });
    peer.close();
    const of = (what: string | number) => marks.flatMap(([name, again]) => (name === what ? [again] : []));
    assert.deepEqual(of('INVITE'), [false, true]);
    assert.deepEqual(of(refused.status).slice(0, 2), [false, true]);
    assert.deepEqual(of('ACK'), [false]);
  });

  test('neither digest responses nor dialled digits nor texts are kept', async () => {
    scene.audience.routineFor(handPhoneName, [scene.join('secrets', { do_record: true })]);
    const phone = await HandPhone.open(scene);
    const stream = await HandStream.open('PCMU', 9);
    const digest = '0123456789abcdef0123456789abcdef';
    const extra = [
      `Authorization: Digest username="u", realm="r", nonce="n", uri="sip:x", response="${digest}"`,
    ];
    await phone.request('INVITE', { body: audioSdp(stream.socket.port, 1), extra });
    phone.acknowledge();
    await phone.request('INFO', {
      body: 'Signal=7\r\nDuration=161\r\n',
      extra: ['Content-Type: application/dtmf-relay'],
    });
    await phone.request('MESSAGE', { body: 'the quick brown fox', extra: ['Content-Type: text/plain'] });
    await phone.hangUp();
    stream.socket.close();
    const call = await endedCall(handPhoneName);
    const capture = await pcapOf(call.call_id);
    const { stdout } = await callreel.run('calls', 'show', call.call_id, '--messages');
    for (const secret of [digest, 'Signal=7', 'Duration=161', 'brown fox']) {
      assert.ok(!JSON.stringify(call).includes(secret), secret);
      assert.ok(!capture.includes(secret), secret);
      assert.ok(!stdout.includes(secret), secret);
    }
    assert.match(stdout, /response="\[redacted\]"/);
    assert.match(stdout, /INFO [\s\S]*\n\[24 bytes\]/);
    assert.deepEqual(
      [call.legs[0]!.media?.no_media, call.legs[0]!.media?.report?.received.packets],
      [true, 0],
    );
  });

  test('an opted-out party: its messages, and not one packet of it in any capture', async () => {
    const room = 'capture opt-out';
    const [ann, bob] = ['+15551230003', '+15551230004'];
    const recorded = await scene.call([scene.join(room, { do_record: true })], { number: ann });
    const optedOut = await scene.call([scene.join(room, { do_record: false })], { number: bob });
    await scene.participants(room, 2);
    await Promise.all([recorded.play(voice(5)), optedOut.play(voice(6))]);
    // Of a call that goes on, what is there by now.
    const { body } = await http.get<Page<{ call_id: string }>>(`/v1/calls?from=${encodeURIComponent(ann!)}`);
    const live = readPcap(await pcapOf(body.results[0]!.call_id));
    assert.deepEqual(payloadsFrom(live, recorded.rtpPorts.local), sentBy(recorded));
    await Promise.all([recorded.hangUp(), optedOut.hangUp()]);
    await scene.audience.ended({ conference_name: room });
    const captures = await Promise.all(
      [ann, bob].map(async (number) => pcapOf((await endedCall(number!)).call_id)),
    );
    assert.deepEqual(payloadsFrom(readPcap(captures[0]!), recorded.rtpPorts.local), sentBy(recorded));
    assert.deepEqual(payloadsFrom(readPcap(captures[1]!), optedOut.rtpPorts.local), []);
    assert.ok(captures[1]!.includes('INVITE sip:'));
    for (const { payload } of optedOut.sentPayloads)
      for (const capture of captures) assert.ok(!capture.includes(payload));
  });

  test('the account alone asks', async () => {
    for (const path of ['/v1/calls', '/v1/calls/x', '/v1/calls/x/pcap']) {
      const response = await fetch(scene.server.callreel.publicUrl + path);
      assert.equal(response.status, 401);
    }
    for (const path of ['/v1/calls/x', '/v1/calls/x/pcap']) assert.equal((await http.get(path)).status, 404);
    const { code, stderr } = await callreel.run('calls', 'show', 'x', '--pcap', 'x.pcap');
    assert.equal(code, 1);
    assert.match(stderr, /NOT_FOUND/);
  });
});

test('a database that stalls holds up no call, and the log is written once it is back', async () => {
  const number = '+15551230005';
  const routine = [scene.join('stalled', { do_record: true })];
  const warm = await scene.call(routine, { number });
  await warm.hangUp();
  await scene.audience.ended({ conference_name: 'stalled' });
  const resume = await rows.stall();
  try {
    const call = await scene.call(routine, { number });
    assert.equal(await call.play(voice(7)), true);
    assert.equal((await call.hangUp()).cause, 'local');
  } finally {
    await resume();
  }
  await scene.audience.allEnded({ conference_name: 'stalled' }, 2);
  const { legs, messages } = await endedCall(number);
  assert.deepEqual(
    messages.flatMap(({ method, status, retransmission }) => (retransmission ? [] : [status ?? method])),
    ['INVITE', 100, 200, 'ACK', 'BYE', 200],
  );
  const stored = await eventually('the log in the database', async () => {
    const [row] = await rows.sipLogs(legs[0]!.connection_id);
    return row;
  });
  assert.equal((stored.messages as unknown[]).length, messages.length);
});
