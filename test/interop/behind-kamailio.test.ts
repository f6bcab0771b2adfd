import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { eventually } from '../e2e/eventually.ts';
import { HttpClient } from '../e2e/http-client.ts';
import { assertTones, clearMiddle, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { type ConferenceScene, conferenceScene } from './conference-scene.ts';
import { ensurePackages } from './debian.ts';
import { Kamailio, type Transport } from './kamailio.ts';
import { narrowband } from './narrowband.ts';

const firstHz = 443;
const secondHz = 1069;
const talkMs = 4000;
const transports = ['udp', 'tcp', 'tls'] as const satisfies Transport[];

before(() => ensurePackages('baresip-core', 'kamailio', 'kamailio-tls-modules', 'openssl'));

test('recorded conferences behind a kamailio that records its route', { concurrency: true }, async (t) => {
  const numbers = transports.map((_, index) => String(1000 + index));
  const scene = await conferenceScene(t, { CALLREEL_SIP_TRANSPORTS: 'udp,tcp,tls' }, numbers);
  await Promise.all(
    transports.map((transport, index) =>
      t.test(`over ${transport}`, (subtest) => conferenceBehind(subtest, scene, transport, numbers[index]!)),
    ),
  );
});

async function conferenceBehind(
  t: TestContext,
  scene: ConferenceScene,
  transport: Transport,
  number: string,
): Promise<void> {
  const kamailio = await Kamailio.start({
    target: { ...scene.listener(transport), transport },
    password: 'secret',
  });
  t.after(() => kamailio.stop());
  const phone = async (from: string, frequencyHz: number): Promise<Baresip> => {
    const audio = tone({ frequencyHz, durationMs: 20_000 });
    const started = await Baresip.start({ number: from, transport, audio });
    t.after(() => started.stop());
    return started;
  };
  const [first, second] = [await phone('+15550001', firstHz), await phone('+15550002', secondHz)];
  await first.dial(kamailio.sipUri(number, transport));
  await second.dial(kamailio.sipUri(number, transport));
  await sleep(systemClock, talkMs);
  for (const each of [first, second]) {
    await each.hangUp();
    await each.closed();
  }
  const { channel } = await scene.ended(number);
  assertTones(middle(await channel('+15550001')), [firstHz], [secondHz], 'the first channel');
  assertTones(middle(await channel('+15550002')), [secondHz], [firstHz], 'the second channel');
  assertTones(clearMiddle(await first.heard(), secondHz), [secondHz], [firstHz], 'what the first heard');
  assertTones(clearMiddle(await second.heard(), firstHz), [firstHz], [secondHz], 'what the second heard');
  assert.doesNotMatch(kamailio.output.join(''), /LOST in-dialog/);
}

interface Conversation {
  channels: { from: string; to: string; audio: { wav_file: string } }[];
}

test('a trunk that registers at kamailio, called and calling', { concurrency: true }, async (t) => {
  await Promise.all(transports.map((transport) => t.test(`over ${transport}`, () => trunkCall(transport))));
});

async function trunkCall(transport: Transport): Promise<void> {
  // In the order of starting, backwards: phones and server unregister before their registrar goes.
  await using running = new AsyncDisposableStack();
  const kamailio = await Kamailio.start({ password: 'secret' });
  running.defer(() => kamailio.stop());
  const app = await CallbackApp.create();
  running.defer(() => app.close());
  // Whoever calls the trunk is connected to the desk phone, by the same trunk.
  app.on('/incoming', () => ({
    routine: [
      { name: 'CallPhone', phone_number: '+15550042', do_record: true, event_callback: app.url('/events') },
    ],
  }));
  app.on('/events', () => ({}));
  const server = await TestServer.start({
    settings: {
      CALLREEL_SIP_TRANSPORTS: 'udp,tcp,tls',
      CALLREEL_SIP_TLS_CA_FILE: kamailio.certificate.certFile,
      CALLREEL_SIP_ALLOW_CALLS_FROM: '192.0.2.0/24',
    },
    numbers: [{ number: 'callreel', onIncoming: app.url('/incoming') }],
  });
  running.defer(() => server.stop());
  await addTrunk(server, kamailio, transport);
  const registrar = { host: kamailio.host, port: kamailio.ports[transport], password: 'secret' };
  const phones = [];
  for (const [number, frequencyHz] of [
    ['+15550042', secondHz],
    ['+15550001', firstHz],
  ] as const) {
    const audio = tone({ frequencyHz, durationMs: 20_000 });
    const phone = await Baresip.start({ number, transport, registrar, audio });
    running.defer(() => phone.stop());
    await phone.registered();
    phones.push(phone);
  }
  const [desk, caller] = phones as [Baresip, Baresip];
  await caller.dial(kamailio.sipUri('callreel', transport));
  await desk.established();
  await sleep(systemClock, talkMs);
  await desk.hangUp();
  await caller.closed();
  const { body } = await app.waitFor<{ type: string }>('/events', ({ type }) => type === 'ended');
  const { conversation_id: id } = body as { conversation_id: string };
  const { channels } = await server.api<Conversation>(`/v0/conversations/${id}`);
  assert.equal(channels.length, 2);
  const channel = async (wanted: (party: { from: string; to: string }) => boolean) =>
    middle(narrowband(await fetchAudio(channels.find(wanted)!.audio.wav_file)));
  assertTones(await channel(({ from }) => from === '+15550001'), [firstHz], [secondHz], 'the caller');
  assertTones(await channel(({ to }) => to === '+15550042'), [secondHz], [firstHz], 'the desk');
  assertTones(clearMiddle(await caller.heard(), secondHz), [secondHz], [firstHz], 'what the caller heard');
  assertTones(clearMiddle(await desk.heard(), firstHz), [firstHz], [secondHz], 'what the desk heard');
  assert.doesNotMatch(kamailio.output.join(''), /LOST in-dialog/);
}

/** By it everything may be called; returns once it is registered. */
async function addTrunk(server: TestServer, kamailio: Kamailio, transport: Transport): Promise<void> {
  const http = new HttpClient(server.callreel);
  const added = await http.json<{ trunk_id: string }>('POST', '/v1/trunks', {
    name: 'kamailio',
    host: kamailio.host,
    port: kamailio.ports[transport],
    transport,
    register: true,
    username: 'callreel',
    password: 'secret',
    routes: [{ prefix: '+', cost: 1 }],
  });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  const allowed = await http.json('POST', '/v1/dial-permissions', { prefix: '+', allow: true });
  assert.equal(allowed.status, 200);
  await eventually('the registration', async () => {
    const path = `/v1/trunks/${added.body.trunk_id}`;
    const { body } = await http.get<{ registration: { state: string } | null }>(path);
    return body.registration?.state === 'registered' || undefined;
  });
}
