import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { readLineAudio } from '../../src/testkit/audio-file.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import { FlaskApp } from './flask.ts';
import { guideApplication, mixFile, speakerFile } from './sift-guide.ts';
import { runSippCaller } from './sipp.ts';

const guideNumber = '+15558881188';
const sippHz = 443;
const baresipHz = 1069;

interface Quality {
  snr: number;
  rt60: number;
}

interface Conversation {
  audio: Quality;
  channels: { connection_id: string; from: string; audio: Quality }[];
}

before(() => ensurePackages('sip-tester', 'baresip-core', 'python3-flask', 'python3-requests'));

/** What the guide's code prints about a conversation, in its order. */
function printed({ audio, channels }: Conversation): string[] {
  return [
    ...(audio.snr < 3.0 ? ['The conversation was very noisy'] : []),
    ...(audio.rt60 > 5.0 ? ['The conversation had lots of echo'] : []),
    ...channels.flatMap(({ connection_id, audio: { snr, rt60 } }) => [
      ...(snr < 3.0 ? [`connection ${connection_id} was very noisy`] : []),
      ...(rt60 > 5.0 ? [`connection ${connection_id} was very echoy`] : []),
    ]),
  ];
}

test("the guide's Flask application records a conference of sipp and baresip", async (t) => {
  await using app = await FlaskApp.prepare();
  const server = await TestServer.start({
    numbers: [{ number: '1000', onIncoming: `${app.url}/my_conference` }],
  });
  t.after(() => server.stop());
  const { accountId, authToken } = server.callreel.credentials;
  const settings = { ownUrl: app.url, apiUrl: server.callreel.publicUrl, accountId };
  await app.run(await guideApplication({ ...settings, authToken: authToken.reveal() }));
  const audio = tone({ frequencyHz: baresipHz, durationMs: 20_000 });
  const baresip = await Baresip.start({ number: '+15550002', audio });
  t.after(() => baresip.stop());

  await baresip.dial(server.sipUri('1000'));
  await baresip.established();
  const listener = server.callreel.sip.find(({ transport }) => transport === 'udp');
  await runSippCaller({
    target: { address: listener?.host ?? '', port: listener?.port ?? 0 },
    calls: [{ from: guideNumber, to: '1000' }],
    audio: tone({ frequencyHz: sippHz, durationMs: 3000 }),
    callMs: 4000,
  });
  await baresip.hangUp();
  await baresip.closed();

  // The guide's handler returns nothing, which Flask answers with 500 when the handler has come to its end.
  await app.said(/The view function for 'conference_event' did not return a valid response/);
  await app.end();

  const { results } = await server.api<{ results: Conversation[] }>('/v0/conversations');
  const [conversation] = results;
  assert.deepEqual(
    conversation!.channels.map(({ from }) => from),
    ['+15550002', guideNumber],
  );
  const lines = app.output.split('\n').filter((line) => /^(The conversation|connection) /.test(line));
  const expected = printed(conversation!);
  assert.deepEqual(lines.slice(0, expected.length), expected);
  const errors = app.output.split('\n').filter((line) => /^\w*(Error|Exception)\b/.test(line));
  assert.ok(errors.every((line) => line.startsWith("TypeError: The view function for 'conference_event'")));

  assertTones(middle(await readLineAudio(app.file(mixFile))), [sippHz, baresipHz], [], 'the conversation');
  assertTones(middle(await readLineAudio(app.file(speakerFile))), [sippHz], [baresipHz], 'the speaker');
});
