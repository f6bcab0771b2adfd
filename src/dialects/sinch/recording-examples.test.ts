import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { notifyBody } from './callback-bodies.ts';
import type { SinchRecordingOptions } from './recording-options.ts';
import { loadSvaml } from './svaml.ts';

const file = new URL('../../../test/data/sinch/recording-examples.txt', import.meta.url);
const standIn = '{"destinationUrl": "s3://bucket/", "credentials": "a:b:c"}';

interface Example {
  name?: string;
  recordingOptions?: Record<string, unknown>;
  event?: string;
  lines?: unknown;
  instructions?: unknown;
  action?: { name: string; recordingOptions?: unknown };
}

/** As they stand, but for their gaps, which are filled, and their trailing commas. */
const examples = readFileSync(file, 'utf8')
  .split('\n\n')
  .map((text) =>
    text
      .replace(/\[(?:\.\.\.|RecordingOptions)\]/g, `[${standIn}]`)
      .replace(/\{\n\.\.\.\n\}/g, '{"name": "hangup"}')
      .replace(/^\.\.\.\n/gm, '')
      .replace(/,(\s*[}\]])/g, '$1'),
  )
  .map((text) => JSON.parse(text) as Example);

/** The recording that an example asks for. */
function recordingOf(example: Example): SinchRecordingOptions {
  const document = {
    ...(example.name && { instructions: [example] }),
    ...(example.recordingOptions && { action: { name: 'continue', record: true, ...example } }),
    ...((example.instructions || example.action) && example),
  };
  const { svaml, problems } = loadSvaml(JSON.stringify(document));
  assert.ok(svaml, JSON.stringify(problems));
  const { instructions, action } = svaml;
  const started = instructions.find(({ name }) => name === 'startRecording');
  const options =
    started?.name === 'startRecording'
      ? started.options
      : action && 'record' in action
        ? action.record
        : undefined;
  assert.ok(options, JSON.stringify(example));
  return options;
}

describe("the examples of the vendor's page on recording", () => {
  const events = examples.filter(({ event }) => event !== undefined);
  const documents = examples.filter(
    ({ event, lines, name }) => event === undefined && lines === undefined && name !== 'StopRecording',
  );

  it('are all here', () => {
    assert.deepEqual([examples.length, documents.length, events.length], [20, 13, 5]);
  });

  it('each asks for a recording, and says where it goes', () => {
    const asked = documents.map(recordingOf).map(({ destination, format, notificationEvents }) => {
      assert.ok(destination?.credentials);
      assert.equal(format, 'mp3');
      assert.equal(notificationEvents, true);
      return destination.url;
    });
    const mine = (prefix: string) => asked.filter((url) => url.startsWith(prefix)).length;
    assert.deepEqual(
      [mine('s3://sinch-storage/voice-recordings/my-recording.mp3'), mine('azure://'), mine('gs://')],
      [3, 3, 3],
    );
    assert.deepEqual([mine('s3://my-s3-bucket'), mine('sdrive://my-recording.mp3')], [1, 1]);
  });

  it('a secret with / and without', () => {
    const credentials = documents.map((each) => recordingOf(each).destination?.credentials?.reveal());
    assert.ok(
      credentials.includes('AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY:eu-central-1'),
    );
  });

  it('the notifications are those that we send', () => {
    for (const event of events) {
      const { callid, conferenceId, type, destination } = event as unknown as Record<string, string>;
      const of = conferenceId === undefined ? { callId: callid! } : { conferenceId };
      const sent = notifyBody(of, { type, ...(destination && { destination }) } as never);
      assert.equal(JSON.stringify(sent), JSON.stringify(event));
    }
  });
});
