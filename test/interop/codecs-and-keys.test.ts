import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import { tone } from '../../src/testkit/tone.ts';
import type { CallBody } from '../e2e/call-bodies.ts';
import { eventually } from '../e2e/eventually.ts';
import { HttpClient, type Page } from '../e2e/http-client.ts';
import { assertTones, clearestSecond } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { type ConferenceScene, conferenceScene } from './conference-scene.ts';
import { ensurePackages } from './debian.ts';
import type { Transport } from './kamailio.ts';
import { Linphone } from './linphone.ts';

/** What baresip makes of it at 16 kHz is 1.4 dB louder; of 1069 Hz, 3.3 dB quieter. */
const baresipHz = 617;
const linphoneHz = 1069;
const talkMs = 4000;
const rateHz = 8000;
/** So many phones at once take turns on a small machine. */
const scenesAtOnce = 6;
/** What coding by Opus leaves of one tone in another's place. */
const opusFloorDb = 30;
const toneDbov = -15;
/** linphonec's G.722 codes at half the level that ITU-T's reference, spandsp and ffmpeg do, and decodes at twice. */
const linphoneG722Db = 6;

type Keys = 'plain' | 'SDES';
type Line = readonly [Transport, LineCodecName, Keys];

/** Each of the two phones on every transport, with every codec, plain and with mandatory SDES; never two alike. */
const rows: readonly { baresip: Line; linphonec: Line }[] = [
  { baresip: ['udp', 'PCMU', 'plain'], linphonec: ['tcp', 'G722', 'SDES'] },
  { baresip: ['udp', 'PCMU', 'SDES'], linphonec: ['tcp', 'OPUS', 'plain'] },
  { baresip: ['udp', 'G722', 'plain'], linphonec: ['tcp', 'OPUS', 'SDES'] },
  { baresip: ['udp', 'G722', 'SDES'], linphonec: ['tls', 'PCMA', 'plain'] },
  { baresip: ['udp', 'OPUS', 'plain'], linphonec: ['tls', 'PCMA', 'SDES'] },
  { baresip: ['udp', 'OPUS', 'SDES'], linphonec: ['tls', 'G722', 'plain'] },
  { baresip: ['tcp', 'PCMA', 'plain'], linphonec: ['tls', 'G722', 'SDES'] },
  { baresip: ['tcp', 'PCMA', 'SDES'], linphonec: ['tls', 'OPUS', 'plain'] },
  { baresip: ['tcp', 'G722', 'plain'], linphonec: ['tls', 'OPUS', 'SDES'] },
  { baresip: ['tcp', 'G722', 'SDES'], linphonec: ['udp', 'PCMU', 'plain'] },
  { baresip: ['tcp', 'OPUS', 'plain'], linphonec: ['udp', 'PCMU', 'SDES'] },
  { baresip: ['tcp', 'OPUS', 'SDES'], linphonec: ['udp', 'G722', 'plain'] },
  { baresip: ['tls', 'PCMA', 'plain'], linphonec: ['udp', 'G722', 'SDES'] },
  { baresip: ['tls', 'PCMU', 'SDES'], linphonec: ['udp', 'OPUS', 'plain'] },
  { baresip: ['tls', 'G722', 'plain'], linphonec: ['udp', 'OPUS', 'SDES'] },
  { baresip: ['tls', 'G722', 'SDES'], linphonec: ['tcp', 'PCMA', 'plain'] },
  { baresip: ['tls', 'OPUS', 'plain'], linphonec: ['tcp', 'PCMA', 'SDES'] },
  { baresip: ['tls', 'OPUS', 'SDES'], linphonec: ['tcp', 'G722', 'plain'] },
];

const numbers = rows.map((_, index) => String(1000 + index));

before(() => ensurePackages('baresip-core', 'linphone-cli', 'openssl'));

test('every transport, codec and kind of keys', { concurrency: scenesAtOnce }, async (t) => {
  const scene = await conferenceScene(t, { CALLREEL_SIP_TRANSPORTS: 'udp,tcp,tls' }, numbers);
  await Promise.all(
    rows.map((row, index) => {
      const [first, second] = [row.baresip, row.linphonec].map((line) => line.join(' '));
      return t.test(`baresip ${first}, linphonec ${second}`, (subtest) =>
        conversation(subtest, scene, numbers[index]!, row),
      );
    }),
  );
});

/** Both talk at once; each is heard by the other and is alone in its own channel. */
async function conversation(
  t: TestContext,
  scene: ConferenceScene,
  number: string,
  { baresip: baresipLine, linphonec: linphoneLine }: (typeof rows)[number],
): Promise<void> {
  const baresipNumber = `+1555001${number}`;
  const linphoneNumber = `+1555002${number}`;
  const baresip = await Baresip.start({
    ...options(baresipLine),
    number: baresipNumber,
    audio: tone({ frequencyHz: baresipHz, durationMs: 60_000 }),
  });
  t.after(() => baresip.stop());
  const [linphoneTransport, linphoneCodec] = linphoneLine;
  const { codec, ...lineOptions } = options(linphoneLine);
  const linphone = await Linphone.start({
    ...lineOptions,
    codecs: [codec],
    number: linphoneNumber,
    audio: tone({ frequencyHz: linphoneHz, durationMs: 20_000 }),
  });
  t.after(() => linphone.stop());
  await baresip.dial(scene.sipUri(baresipLine[0], number));
  await linphone.dial(scene.sipUri(linphoneTransport, number));
  await sleep(systemClock, talkMs);
  await Promise.all([baresip.hangUp().then(() => baresip.closed()), linphone.hangUp()]);

  const { channel } = await scene.ended(number);
  const linphoneDb = linphoneCodec === 'G722' ? linphoneG722Db : 0;
  const floorDb = (...lines: Line[]): number =>
    lines.some(([, codec]) => codec === 'OPUS') ? opusFloorDb : 60;
  const recorded = async (from: string, line: Line, ownHz: number, otherHz: number, expectedDbov: number) =>
    assertTones(whileBothTalk(await channel(from)), [ownHz], [otherHz], `the channel of ${from}`, {
      absentBelowDb: floorDb(line),
      expectedDbov,
    });
  await recorded(baresipNumber, baresipLine, baresipHz, linphoneHz, toneDbov);
  await recorded(linphoneNumber, linphoneLine, linphoneHz, baresipHz, toneDbov - linphoneDb);
  const heard = (
    samples: Int16Array,
    presentHz: number,
    absentHz: number,
    who: string,
    expectedDbov: number,
  ) =>
    assertTones(clearestSecond(whileBothTalk(samples), presentHz), [presentHz], [absentHz], who, {
      absentBelowDb: floorDb(baresipLine, linphoneLine),
      expectedDbov,
    });
  heard(await baresip.heard(), linphoneHz, baresipHz, 'what baresip heard', toneDbov - linphoneDb);
  heard(await linphone.heard(), baresipHz, linphoneHz, 'what linphonec heard', toneDbov + linphoneDb);
  await assertLine(scene, baresipNumber, baresipLine);
  await assertLine(scene, linphoneNumber, linphoneLine);
}

function options([transport, codec, keys]: Line) {
  return { transport, codec, srtp: keys === 'SDES' };
}

/** The call really went that way. */
async function assertLine(scene: ConferenceScene, from: string, [transport, codec, keys]: Line) {
  const http = new HttpClient(scene.server.callreel);
  const found = await http.get<Page<{ call_id: string }>>(`/v1/calls?from=${encodeURIComponent(from)}`);
  const { call_id: id } = found.body.results[0]!;
  const { legs, messages } = await eventually(`the figures of ${from}`, async () => {
    const { body } = await http.get<CallBody>(`/v1/calls/${id}`);
    return body.legs[0]?.media?.report ? body : undefined;
  });
  const { agreed, srtp, report } = legs[0]!.media!;
  const taken = agreed.map((agreement) => agreement.codec.toUpperCase());
  const received = report!.received.codecs.map((stream) => stream.codec.toUpperCase());
  assert.deepEqual(
    [messages[0]!.transport, new Set(taken), new Set(received), srtp !== null],
    [transport, new Set([codec]), new Set([codec]), keys === 'SDES'],
  );
}

/** The last words: after the second was connected, before the first hung up. */
function whileBothTalk(samples: Int16Array): Int16Array {
  return samples.subarray(-3.5 * rateHz, -1 * rateHz);
}
