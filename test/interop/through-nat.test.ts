import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { after, before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, clearMiddle, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import { narrowband } from './narrowband.ts';
import { type NatNetwork, type NetworkHost, startNatNetwork } from './network-namespaces.ts';
import { runSippCaller } from './sipp.ts';

const insideHz = 443;
const outsideHz = 1069;
const talkMs = 4000;
/** What coding by Opus leaves of one tone in another's place. */
const opusFloorDb = 30;
const sipPort = 5060;

/** Two calls each: what their phones speak, and the number of their conference. */
const lines = [
  { number: '1000', transport: 'udp', codec: 'PCMU', srtp: false },
  { number: '1001', transport: 'tcp', codec: 'PCMA', srtp: false },
  { number: '1002', transport: 'tls', codec: 'OPUS', srtp: true },
] as const;
const clientNumber = '2000';
const fragmentsNumber = '1003';
const numbers = [...lines.map(({ number }) => number), clientNumber, fragmentsNumber];

interface Conversation {
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
  app.on<{ connection: { to: string } }>('/incoming', ({ connection: { to } }) => ({
    routine: [
      to === clientNumber
        ? { name: 'CallClient', client_name: 'inside', do_record: true, event_callback: eventsUrl(to) }
        : { name: 'JoinConference', conference_name: to, do_record: true, event_callback: eventsUrl(to) },
    ],
  }));
  for (const number of numbers) app.on(`/events/${number}`, () => ({}));
  const onIncoming = app.url('/incoming');
  server = await ServerProcess.start({
    dataDir,
    numbers: numbers.map((number) => ({ number, onIncoming })),
    prefix: network.server.prefix,
    settings: {
      CALLREEL_SIP_HOST: network.server.address,
      CALLREEL_SIP_PORT: String(sipPort),
      CALLREEL_SIP_TRANSPORTS: 'udp,tcp,tls',
      CALLREEL_HTTP_HOST: network.server.controlAddress,
      CALLREEL_CALLBACKS_ALLOW: '10.213.0.0/16',
      CALLREEL_SIP_USERS: JSON.stringify([{ username: 'inside', password: 'secret' }]),
    },
  });
});

function eventsUrl(number: string): string {
  return app.url(`/events/${number}`);
}

after(async () => {
  server?.signal('SIGKILL');
  await server?.exited;
  await app?.close();
  await network?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a phone behind a NAT and one outside hear each other and are recorded', {
  concurrency: true,
}, async (t) => {
  await Promise.all(
    lines.map((line) =>
      t.test(`over ${line.transport}, ${line.codec}${line.srtp ? ', mandatory SDES' : ''}`, (subtest) =>
        throughTheNat(subtest, line),
      ),
    ),
  );
});

async function throughTheNat(t: TestContext, { number, ...line }: (typeof lines)[number]): Promise<void> {
  const phone = async (host: NetworkHost, from: string, frequencyHz: number): Promise<Baresip> => {
    const audio = tone({ frequencyHz, durationMs: 20_000 });
    const started = await Baresip.start({ ...line, number: from, network: host, audio });
    t.after(() => started.stop());
    return started;
  };
  const inside = await phone(network.inside, '+15550001', insideHz);
  const outside = await phone(network.outside, '+15550002', outsideHz);
  await inside.dial(server.sipUri(number, line.transport));
  await outside.dial(server.sipUri(number, line.transport));
  await sleep(systemClock, talkMs);
  for (const each of [inside, outside]) {
    await each.hangUp();
    await each.closed();
  }
  const channel = await endedConversation(number);
  const floor = { absentBelowDb: line.codec === 'OPUS' ? opusFloorDb : 60 };
  const check = (samples: Int16Array, presentHz: number, absentHz: number, who: string): void =>
    assertTones(samples, [presentHz], [absentHz], who, floor);
  check(middle(await channel('+15550001')), insideHz, outsideHz, 'the channel of the inside');
  check(middle(await channel('+15550002')), outsideHz, insideHz, 'the channel of the outside');
  check(clearMiddle(await inside.heard(), outsideHz), outsideHz, insideHz, 'what the inside heard');
  check(clearMiddle(await outside.heard(), insideHz), insideHz, outsideHz, 'what the outside heard');
}

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
  await outside.dial(server.sipUri(clientNumber));
  await inside.established();
  await sleep(systemClock, talkMs);
  await inside.hangUp();
  await inside.closed();
  await outside.hangUp().catch(() => {});
  await outside.closed();
  const channel = await endedConversation(clientNumber);
  assertTones(middle(await channel('+15550002')), [outsideHz], [insideHz], 'the channel of the outside');
  assertTones(
    clearMiddle(await outside.heard(), insideHz),
    [insideHz],
    [outsideHz],
    'what the outside heard',
  );
  assertTones(clearMiddle(await inside.heard(), outsideHz), [outsideHz], [insideHz], 'what the inside heard');
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
    calls: [{ from: '+15550003', to: fragmentsNumber }],
    inviteHeaders: invite,
    audio: tone({ frequencyHz, durationMs: 4000 }),
    callMs: 3000,
  });
  const channel = await endedConversation(fragmentsNumber);
  assertTones(middle(await channel('+15550003')), [frequencyHz], [], 'the channel');
});

/** Of that number's conversation, which has ended or will: a party's channel, decoded. */
async function endedConversation(number: string): Promise<(from: string) => Promise<Int16Array>> {
  const { body } = await app.waitFor(`/events/${number}`);
  const { conversation_id: id } = body as { conversation_id: string };
  const conversation = await server.api<Conversation>(`/v0/conversations/${id}`);
  return async (from) => {
    const found = conversation.channels.find((candidate) => candidate.from === from);
    assert.ok(found, `no channel of ${from}: ${JSON.stringify(conversation.channels)}`);
    return narrowband(await fetchAudio(found.audio.wav_file));
  };
}
