import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { findPayloadRun } from '../../src/testkit/sample-run.ts';
import { tone } from '../../src/testkit/tone.ts';
import { eventually } from './eventually.ts';
import type { ErrorBody } from './http-client.ts';
import { contentTypes, type Format, playedFile } from './played-file.ts';
import {
  annHz,
  bobHz,
  type Party,
  RecorderStage,
  type RecordingBody,
  rateHz,
  sayTone,
  whoIsIn,
} from './recorder-stage.ts';
import { utter } from './utterance.ts';

/** Every way to a file of a recording: the download, signed links and the link that is known from the start. */
const stage = await RecorderStage.open();
const lastWordSamples = 800;
const formats = Object.keys(contentTypes) as Format[];

type Files = Record<`${Format}_file`, string>;
interface WithLinks extends RecordingBody {
  mix: Files;
  stereo_mix: Files;
  channels: (RecordingBody['channels'][number] & Files)[];
}

let ann: Party;
let bob: Party;
let recording: WithLinks;
/** Of another format and in one channel. */
let plain: WithLinks;
let growing: { query: string; samples: Int16Array[]; acceptRanges: string | null }[];
let early: { method: string; status: number; retryAfter: string | null }[];

function download({ recording_id }: RecordingBody, query: string, init: RequestInit = {}): Promise<Response> {
  const { credentials, publicUrl } = stage.scene.server.callreel;
  const pair = `${credentials.accountId}:${credentials.authToken.reveal()}`;
  return fetch(`${publicUrl}/v1/recordings/${recording_id}/download${query}`, {
    ...init,
    headers: { ...init.headers, authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  });
}

async function played(of: RecordingBody, query: string, format: Format): Promise<Int16Array[]> {
  return await channelsOf(await download(of, query), format);
}

async function channelsOf(response: Response, format: Format): Promise<Int16Array[]> {
  const file = await playedFile(response, format);
  // Nothing is decoded of the first moment of an MP4: no rate either.
  if (file.channels.length > 0) assert.equal(file.rateHz, rateHz);
  return file.channels;
}

/** So much of it is there by now, and more will be. */
async function readWhileItGrows(of: RecordingBody, channels: string, format: Format) {
  const query = `?channels=${channels}&format=${format}`;
  return await eventually(`a second of ${query}`, async () => {
    const response = await download(of, query);
    const acceptRanges = response.headers.get('accept-ranges');
    const samples = await channelsOf(response, format);
    return (samples[0]?.length ?? 0) >= rateHz ? { query, samples, acceptRanges } : undefined;
  });
}

/** Says a tone and something that stands nowhere else, up to the last packet. @returns it as the far end decodes it */
function sayToTheLast(call: PhoneCall, frequencyHz: number): Promise<Int16Array> {
  const before = tone({ frequencyHz, durationMs: 400 });
  const samples = new Int16Array(before.length + 2 * lastWordSamples);
  samples.set(before);
  samples.set(noise({ samples: 2 * lastWordSamples, seed: 11, levelDbov: -40 }), before.length);
  return utter(call, samples);
}

/** The same audio: as long to the sample, and nothing heard that is not there. */
function assertLike(one: readonly Int16Array[], other: readonly Int16Array[], label: string): void {
  const lengths = (channels: readonly Int16Array[]) => channels.map(({ length }) => length);
  assert.deepEqual(lengths(one), lengths(other), label);
  for (const [index, expected] of other.entries()) {
    let [power, error] = [0, 0];
    for (let k = 0; k < expected.length; k++) {
      power += expected[k]! ** 2;
      error += (expected[k]! - one[index]![k]!) ** 2;
    }
    const distance = power === 0 ? -error : 10 * Math.log10(power / error);
    const least = power === 0 ? 0 : 20;
    assert.ok(distance >= least, `${label}, channel ${index}: ${distance.toFixed(1)} dB`);
  }
}

before(async () => {
  ann = await stage.join('doors');
  bob = await stage.join('doors', 2);
  const asked = await stage.record(ann, { format: 'mp4', stereo: true });
  const other = await stage.record(ann);
  const speaking = Promise.all([sayTone(ann, annHz, 4000), sayTone(bob, bobHz, 4000)]);
  early = await Promise.all(
    ['GET', 'HEAD'].map(async (method) => {
      const { status, headers } = await fetch(asked.url, { method });
      return { method, status, retryAfter: headers.get('retry-after') };
    }),
  );
  growing = await Promise.all(
    formats.flatMap((format) =>
      ['mono', 'stereo', 'left'].map((channels) => readWhileItGrows(asked, channels, format)),
    ),
  );
  await speaking;
  recording = (await stage.get(await stage.stop(asked))) as WithLinks;
  plain = (await stage.get(await stage.stop(other))) as WithLinks;
});
after(() => stage[Symbol.asyncDispose]());

const inChannels: Record<string, string[]> = {
  mono: ['ann+bob'],
  stereo: ['ann', 'bob'],
  left: ['ann'],
  right: ['bob'],
};

suite('downloads', { concurrency: false }, () => {
  for (const format of formats)
    test(`${format}: the mix, both sides, one of them, one channel, whatever was asked for at the start`, async () => {
      for (const each of [recording, plain]) {
        for (const [channels, expected] of Object.entries(inChannels)) {
          const query = `?channels=${channels}`;
          const audio = await played(each, `${query}&format=${format}`, format);
          assert.deepEqual(audio.map(whoIsIn), expected, `${format}, ${channels}`);
          assertLike(audio, await played(each, `${query}&format=wav`, 'wav'), `${format}, ${channels}`);
        }
        assert.equal(each.channels.length, 2);
        for (const { channel_id } of each.channels) {
          const query = `?channels=${channel_id}`;
          const audio = await played(each, `${query}&format=${format}`, format);
          assert.equal(audio.length, 1);
          assertLike(audio, await played(each, `${query}&format=wav`, 'wav'), `${format}, a channel`);
        }
      }
    });

  test('what is not said is as the recording was started for: the file behind its url', async () => {
    for (const [each, format, channels] of [
      [recording, 'mp4', 'stereo'],
      [plain, 'wav', 'mono'],
    ] as const) {
      const response = await download(each, '');
      assert.match(
        response.headers.get('content-disposition') ?? '',
        new RegExp(`^attachment; filename="\\d{8}T\\d{6}Z-${each.recording_id}-${channels}\\.${format}"$`),
      );
      const link = await fetch(each.url);
      assert.equal(
        link.headers.get('content-disposition'),
        response.headers.get('content-disposition')!.replace('attachment', 'inline'),
      );
      assert.deepEqual(await link.bytes(), await response.bytes());
    }
    assert.deepEqual((await played(recording, '?format=mp3', 'mp3')).map(whoIsIn), ['ann', 'bob']);
    assert.deepEqual((await played(recording, '?channels=mono', 'mp4')).map(whoIsIn), ['ann+bob']);
    assert.deepEqual((await played(recording, '?channels=all', 'wav')).length, 2);
  });

  test('links: the mix, the two sides and each channel in every format, the files of the download', async () => {
    const [first] = recording.channels;
    for (const format of formats)
      for (const [files, channels] of [
        [recording.mix, 'mono'],
        [recording.stereo_mix, 'stereo'],
        [first!, first!.channel_id],
      ] as const) {
        const response = await fetch(files[`${format}_file`]);
        const same = await download(recording, `?channels=${channels}&format=${format}`);
        for (const name of ['content-type', 'content-length', 'accept-ranges'])
          assert.equal(response.headers.get(name), same.headers.get(name), `${format}, ${channels}: ${name}`);
        assert.ok(
          response.headers
            .get('content-disposition')!
            .endsWith(`Z-${recording.recording_id}-${channels}.${format}"`),
        );
        assert.deepEqual(await response.bytes(), await same.bytes(), `${format}, ${channels}`);
      }
  });

  test('every range is a slice of the whole, and HEAD says how long it is', async () => {
    for (const format of formats) {
      const query = `?channels=stereo&format=${format}`;
      const whole = Buffer.from(await (await download(recording, query)).bytes());
      const head = await download(recording, query, { method: 'HEAD' });
      assert.deepEqual(
        ['content-length', 'content-type', 'accept-ranges'].map((name) => head.headers.get(name)),
        [String(whole.length), contentTypes[format], 'bytes'],
      );
      assert.ok(head.headers.get('content-disposition'));
      for (const [first, last] of [
        [0, 0],
        [1, 1000],
        [whole.length - 7, whole.length - 1],
      ] as const) {
        const part = await download(recording, query, { headers: { range: `bytes=${first}-${last}` } });
        assert.deepEqual(
          [part.status, part.headers.get('content-range')],
          [206, `bytes ${first}-${last}/${whole.length}`],
        );
        assert.ok(whole.subarray(first, last + 1).equals(await part.bytes()), `${format}: ${first}-${last}`);
      }
      const outside = await download(recording, query, { headers: { range: `bytes=${whole.length}-` } });
      assert.deepEqual(
        [outside.status, outside.headers.get('content-disposition')],
        [416, null],
        'what is no file has no name',
      );
      await outside.bytes();
    }
  });

  test('while it grows each of them plays what was said so far, and its link asks for patience', async () => {
    assert.deepEqual(early, [
      { method: 'GET', status: 202, retryAfter: '1' },
      { method: 'HEAD', status: 202, retryAfter: '1' },
    ]);
    for (const { query, samples, acceptRanges } of growing) {
      assert.equal(acceptRanges, null, query);
      const whole = await played(recording, query.replace(/format=.*/, 'format=wav'), 'wav');
      const { length } = samples[0]!;
      assert.ok(length < whole[0]!.length, query);
      assertLike(
        samples,
        whole.map((channel) => channel.subarray(0, length)),
        query,
      );
    }
  });

  const refused: [query: string, status: number, where: string, message: RegExp][] = [
    ['?format=ogg', 400, 'querystring.format', /"wav"\|"mp3"\|"mp4"/],
    ['?format=', 400, 'querystring.format', /"wav"\|"mp3"\|"mp4"/],
    ['?channels=both', 400, 'querystring.channels', /mono, stereo, left, right, all, or the id of a channel/],
    ['?channels=all&format=mp3', 400, 'querystring.format', /expected wav/],
    ['?channels=all&format=mp4', 400, 'querystring.format', /expected wav/],
  ];
  for (const [query, status, where, message] of refused)
    test(`no download: ${query}`, async () => {
      const response = await download(recording, query);
      const { error } = (await response.json()) as ErrorBody;
      assert.deepEqual([response.status, error.code, error.where], [status, 'REQUEST_INVALID', where]);
      assert.match(error.message, message);
    });

  test('no download of a channel that is not there; those that are are named', async () => {
    for (const format of formats) {
      const response = await download(recording, `?channels=0123456789abcdef&format=${format}`);
      const { error } = (await response.json()) as ErrorBody;
      assert.deepEqual([response.status, error.code, error.where], [404, 'NOT_FOUND', '0123456789abcdef']);
      for (const { channel_id } of recording.channels) assert.ok(error.message.includes(channel_id));
      assert.equal(response.headers.get('content-disposition'), null);
    }
  });

  for (const format of formats)
    for (const stereo of [false, true])
      test(`${format}${stereo ? ', stereo' : ''}: whole and playable the moment that stop answers`, async () => {
        const running = await stage.record(ann, { format, stereo });
        const [said] = await Promise.all([sayToTheLast(ann.call, annHz), sayTone(bob, bobHz, 100)]);
        const { url, recorded_ms } = await stage.stop(running);
        const audio = await channelsOf(await fetch(url), format);
        const channels = stereo ? 'stereo' : 'mono';
        assert.deepEqual(audio.map(whoIsIn), inChannels[channels]);
        assert.equal(Math.round((audio[0]!.length * 1000) / rateHz), recorded_ms);
        assertLike(audio, await played(running, `?channels=${channels}&format=wav`, 'wav'), format);
        const [left] = await played(running, '?channels=left&format=wav', 'wav');
        assert.ok(findPayloadRun(left!, said.subarray(-lastWordSamples)) >= 0, 'the last word');
      });
});
