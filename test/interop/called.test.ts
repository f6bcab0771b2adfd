import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { HttpClient } from '../e2e/http-client.ts';
import { assertTones, clearMiddle, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import type { Transport } from './kamailio.ts';
import { narrowband } from './narrowband.ts';

const callerHz = 617;
const calledHz = 443;
const talkMs = 4000;
/** What coding by Opus leaves of one tone in another's place. */
const opusFloorDb = 30;

interface Line {
  number: string;
  transport: Transport;
  codec: LineCodecName;
  /** The called phone takes mandatory SDES and nothing else; as both phones do where SRTP is required. */
  insists?: boolean;
}

/** By `rtp.srtp`. */
const scenes: Record<'optional' | 'required', readonly Line[]> = {
  optional: [
    { number: '1000', transport: 'udp', codec: 'G722' },
    { number: '1001', transport: 'tcp', codec: 'OPUS' },
    { number: '1002', transport: 'tls', codec: 'G722' },
    { number: '1003', transport: 'tls', codec: 'OPUS', insists: true },
  ],
  required: [
    { number: '1000', transport: 'udp', codec: 'OPUS' },
    { number: '1001', transport: 'tcp', codec: 'PCMA' },
    { number: '1002', transport: 'tls', codec: 'OPUS' },
  ],
};
const numbers = ['1000', '1001', '1002', '1003'];

interface Conversation {
  channels: { from: string; to: string; audio: { wav_file: string } }[];
}

interface Scene {
  app: CallbackApp;
  server: TestServer;
  /** Whom the callers of a number are connected to. */
  desks: Map<string, string>;
}

before(() => ensurePackages('baresip-core', 'openssl'));

for (const [rule, lines] of Object.entries(scenes))
  test(`baresip calls and baresip is called, relayed and recorded, SRTP ${rule}`, {
    concurrency: true,
  }, async (t) => {
    const scene = await relayScene(t, rule);
    await Promise.all(
      lines.map((line) =>
        t.test(
          `PCMU over ${line.transport} to ${line.codec} over ${line.transport}${line.insists ? ', SRTP mandatory there' : ''}`,
          (subtest) => relayed(subtest, scene, line, rule === 'required'),
        ),
      ),
    );
  });

async function relayed(
  t: TestContext,
  { app, server, desks }: Scene,
  { number, transport, codec, insists = false }: Line,
  required: boolean,
): Promise<void> {
  const phone = async (
    from: string,
    frequencyHz: number,
    speaks: LineCodecName,
    srtp = required,
  ): Promise<Baresip> => {
    const audio = tone({ frequencyHz, durationMs: 20_000 });
    const started = await Baresip.start({ number: from, transport, codec: speaks, srtp, audio });
    t.after(() => started.stop());
    return started;
  };
  const called = await phone('+15550042', calledHz, codec, required || insists);
  const caller = await phone('+15550001', callerHz, 'PCMU');
  desks.set(number, called.sipUri);
  await caller.dial(server.sipUri(number, transport));
  await called.established();
  await sleep(systemClock, talkMs);
  await called.hangUp();
  await caller.closed();
  const { body } = await app.waitFor(`/events/${number}`);
  const { conversation_id: id } = body as { conversation_id: string };
  const { channels } = await server.api<Conversation>(`/v0/conversations/${id}`);
  assert.equal(channels.length, 2);
  const channel = async (wanted: (party: { from: string; to: string }) => boolean) =>
    middle(narrowband(await fetchAudio(channels.find(wanted)!.audio.wav_file)));
  const absentBelowDb = codec === 'OPUS' ? opusFloorDb : 60;
  const check = (samples: Int16Array, presentHz: number, absentHz: number, who: string): void =>
    assertTones(samples, [presentHz], [absentHz], who, { absentBelowDb });
  check(await channel(({ from }) => from === '+15550001'), callerHz, calledHz, 'the channel of the caller');
  check(await channel(({ to }) => to.includes('+15550042')), calledHz, callerHz, 'the channel of the called');
  check(clearMiddle(await caller.heard(), calledHz), calledHz, callerHz, 'what the caller heard');
  check(clearMiddle(await called.heard(), callerHz), callerHz, calledHz, 'what the called heard');
}

/** Phones of this machine may be dialled, whatever their certificates. */
async function relayScene(t: TestContext, srtp: string): Promise<Scene> {
  const app = await CallbackApp.create();
  t.after(() => app.close());
  const desks = new Map<string, string>();
  app.on<{ connection: { to: string } }>('/incoming', ({ connection: { to } }) => ({
    routine: [
      {
        name: 'CallPhone',
        phone_number: desks.get(to),
        do_record: true,
        event_callback: app.url(`/events/${to}`),
      },
    ],
  }));
  for (const number of numbers) app.on(`/events/${number}`, () => ({}));
  const onIncoming = app.url('/incoming');
  const server = await TestServer.start({
    settings: {
      CALLREEL_SIP_TRANSPORTS: 'udp,tcp,tls',
      CALLREEL_SIP_TLS_VERIFY: 'false',
      CALLREEL_RTP_SRTP: srtp,
    },
    numbers: numbers.map((number) => ({ number, onIncoming })),
  });
  t.after(() => server.stop());
  const allowed = await new HttpClient(server.callreel).json('POST', '/v1/dial-permissions', {
    prefix: 'sip:127.0.0.1',
    allow: true,
  });
  assert.equal(allowed.status, 200, JSON.stringify(allowed.body));
  return { app, server, desks };
}
