import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio, monoSamples } from '../../src/testkit/recorded-audio.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import { type NatNetwork, startNatNetwork } from './network-namespaces.ts';
import { runSippCaller } from './sipp.ts';

const insideHz = 443;
const outsideHz = 1069;
const talkMs = 4000;
const sipPort = 5060;

interface Conversation {
  audio: { wav_file: string };
  channels: { from: string; to: string; audio: { wav_file: string } }[];
}

let network: NatNetwork;
let app: CallbackApp;
let server: ServerProcess;
const dataDir = makeTemporaryDir();

before(async () => {
  await ensurePackages('baresip-core', 'sip-tester', 'iproute2', 'nftables');
  network = await startNatNetwork();
  app = await CallbackApp.create({ host: network.testAddress });
  app.on<{ connection: { to: string } }>('/incoming', ({ connection }) => ({
    routine: [
      connection.to === '2000'
        ? { name: 'CallClient', client_name: 'inside', do_record: true, event_callback: app.url('/events') }
        : { ...join, conference_name: connection.to, event_callback: app.url('/events') },
    ],
  }));
  app.on('/events', () => ({}));
  const onIncoming = app.url('/incoming');
  server = await ServerProcess.start({
    dataDir,
    numbers: ['1000', '1001', '2000'].map((number) => ({ number, onIncoming })),
    prefix: network.server.prefix,
    settings: {
      CALLREEL_SIP_HOST: network.server.address,
      CALLREEL_SIP_PORT: String(sipPort),
      CALLREEL_HTTP_HOST: network.server.controlAddress,
      CALLREEL_CALLBACKS_ALLOW: '10.213.0.0/16',
      CALLREEL_SIP_USERS: JSON.stringify([{ username: 'inside', password: 'secret' }]),
    },
  });
});

const join = { name: 'JoinConference', do_record: true };

after(async () => {
  server?.signal('SIGKILL');
  await server?.exited;
  await app?.close();
  await network?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

for (const [transport, number] of [
  ['udp', '1000'],
  ['tcp', '1001'],
] as const)
  test(`a phone behind a NAT and one outside hear each other and are recorded, over ${transport}`, async (t) => {
    const phones: Baresip[] = [];
    for (const [host, frequencyHz] of [
      [network.inside, insideHz],
      [network.outside, outsideHz],
    ] as const) {
      const audio = tone({ frequencyHz, durationMs: 20_000 });
      const from = host === network.inside ? '+15550001' : '+15550002';
      const phone = await Baresip.start({ number: from, transport, network: host, audio });
      t.after(() => phone.stop());
      await phone.dial(server.sipUri(number, transport));
      phones.push(phone);
    }
    await sleep(systemClock, talkMs);
    for (const phone of phones) {
      await phone.hangUp();
      await phone.closed();
    }
    const channel = await endedConversation();
    assertTones(middle(await channel('+15550001')), [insideHz], [outsideHz], 'the channel of the inside');
    assertTones(middle(await channel('+15550002')), [outsideHz], [insideHz], 'the channel of the outside');
    assertTones(middle(await phones[0]!.heard()), [outsideHz], [insideHz], 'what the inside heard');
    assertTones(middle(await phones[1]!.heard()), [insideHz], [outsideHz], 'what the outside heard');
  });

test('a phone behind a NAT that registered is called, and hangs up', async (t) => {
  const registrar = { host: network.server.address, port: sipPort, password: 'secret' };
  const inside = await Baresip.start({
    number: 'inside',
    network: network.inside,
    registrar,
    audio: tone({ frequencyHz: insideHz, durationMs: 20_000 }),
  });
  t.after(() => inside.stop());
  await inside.registered();
  const outside = await Baresip.start({
    number: '+15550002',
    network: network.outside,
    audio: tone({ frequencyHz: outsideHz, durationMs: 20_000 }),
  });
  t.after(() => outside.stop());
  await outside.dial(server.sipUri('2000'));
  await inside.established();
  await sleep(systemClock, talkMs);
  await inside.hangUp();
  await inside.closed();
  await outside.hangUp().catch(() => {});
  await outside.closed();
  const channel = await endedConversation();
  assertTones(middle(await channel('+15550002')), [outsideHz], [insideHz], 'the channel of the outside');
  assertTones(middle(await outside.heard()), [insideHz], [outsideHz], 'what the outside heard');
  assertTones(middle(await inside.heard()), [outsideHz], [insideHz], 'what the inside heard');
});

test('T11: an INVITE of 2.5 kB over UDP, in fragments', async () => {
  const frequencyHz = 697;
  const history = Array.from(
    { length: 20 },
    (_, i) => `<sip:+1555010${i + 10}@198.51.100.3;cause=302>;index=1.${i}`,
  );
  const invite = [`History-Info: ${history.join(', ')}`, `Subject: ${'fragment '.repeat(140)}`];
  assert.ok(invite.join('\n').length > 2100);
  await runSippCaller({
    target: { address: network.server.address, port: sipPort },
    network: network.outside,
    calls: [{ from: '+15550003', to: '1000' }],
    inviteHeaders: invite,
    audio: tone({ frequencyHz, durationMs: 4000 }),
    callMs: 3000,
  });
  const channel = await endedConversation();
  assertTones(middle(await channel('+15550003')), [frequencyHz], [], 'the channel');
});

let seen = 0;

/** Of the conversation that ended last: a party's channel, decoded. */
async function endedConversation(): Promise<(from: string) => Promise<Int16Array>> {
  await app.waitFor('/events', () => app.requests('/events').length > seen);
  const { body } = app.requests('/events')[seen++]!;
  const { conversation_id: id } = body as { conversation_id: string };
  const conversation = await server.api<Conversation>(`/v0/conversations/${id}`);
  return async (from) => {
    const found = conversation.channels.find((candidate) => candidate.from === from);
    assert.ok(found, `no channel of ${from}: ${JSON.stringify(conversation.channels)}`);
    return monoSamples(await fetchAudio(found.audio.wav_file));
  };
}
