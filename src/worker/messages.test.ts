import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Command, maxPromptSamples } from '../media/control.ts';
import { joinOf } from '../media/test-bench.ts';
import { parseCommandMessage, parseWorkerMessage, type WorkerMessage } from './messages.ts';

const pcmu = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 } as const;

/** One of each verb: a new verb without its schema does not compile or does not pass. */
const commands: { [V in Command['verb']]: Extract<Command, { verb: V }> } = {
  'leg.open': { verb: 'leg.open', legId: 'a' },
  'leg.negotiate': {
    verb: 'leg.negotiate',
    legId: 'a',
    remote: { address: '2001:db8::1', port: 4000 },
    signallingAddress: '192.0.2.7',
    receive: [pcmu, { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 }],
    send: {
      payloadType: 111,
      codec: 'OPUS',
      clockRateHz: 48_000,
      opus: { maxPlaybackRateHz: 16_000, maxAverageBitrate: 20_000, useInbandFec: true, useDtx: false },
    },
    comfortNoise: [{ payloadType: 13, clockRateHz: 8000 }],
    srtp: {
      send: {
        suite: 'AES_CM_128_HMAC_SHA1_80',
        key: { keySalt: 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk' },
      },
      receive: {
        suite: 'AEAD_AES_128_GCM',
        keys: [{ keySalt: 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=', mki: { value: '01', bytes: 1 } }],
      },
    },
    rtcp: { mux: false, remote: { address: '192.0.2.7', port: 4001 } },
    ptimeMs: 20,
    telephoneEvent: { payloadType: 101, clockRateHz: 8000, sendPayloadType: 96 },
    direction: 'sendrecv',
    inactivityTimeoutMs: 5000,
  },
  'leg.close': { verb: 'leg.close', legId: 'a' },
  'room.join': joinOf('a', 'room', { leaveKey: '#', mode: 'relay', muted: true, deaf: false }),
  'room.leave': { verb: 'room.leave', legId: 'a' },
  'room.mute': { verb: 'room.mute', legId: 'a', muted: true, deaf: false },
  'room.close': { verb: 'room.close', roomId: 'room' },
  'play.start': {
    verb: 'play.start',
    legId: 'a',
    playId: 'p',
    samples: Int16Array.of(1, -2, 3),
    rateHz: 16_000,
    loop: true,
    overRoom: 'replace',
  },
  'play.stop': { verb: 'play.stop', legId: 'a', playId: 'p' },
  'digits.send': {
    verb: 'digits.send',
    legId: 'a',
    digitsId: 'd',
    digits: '1w*#D',
    durationMs: 100,
    gapMs: 80,
  },
  'recording.start': {
    verb: 'recording.start',
    recordingId: 'r',
    roomId: 'room',
    accountId: 'account',
    rateHz: 8000,
    key: { plain: 'AAAA', sealed: 'BBBB' },
    meta: { conferenceName: 'weekly' },
  },
  'recording.stop': { verb: 'recording.stop', recordingId: 'r', reason: 'stopped' },
  'recording.pause': { verb: 'recording.pause', recordingId: 'r', behaviour: 'mask', scope: 'call' },
  'recording.resume': { verb: 'recording.resume', recordingId: 'r' },
  'recording.consent': {
    verb: 'recording.consent',
    recordingId: 'r',
    given: { consentId: 'c', method: 'voice', who: 'Ann' },
    connectionId: 'a',
  },
  'recording.notice': {
    verb: 'recording.notice',
    recordingId: 'r',
    audio: { samples: new Int16Array(3), rateHz: 8000 },
  },
  'leg.key': { verb: 'leg.key', legId: 'a', digit: '#' },
  'listen.start': {
    ...{ verb: 'listen.start', legId: 'a', listenId: 'l' },
    ...{ endSilenceMs: 800, maxSpeechMs: 15_000, initialTimeoutMs: 0 },
  },
  'listen.arm': { verb: 'listen.arm', legId: 'a', listenId: 'l' },
  'listen.stop': { verb: 'listen.stop', legId: 'a', listenId: 'l' },
  'spool.settle': { verb: 'spool.settle', roomIds: ['room', 'other'] },
  'worker.drain': { verb: 'worker.drain' },
  'worker.stats': { verb: 'worker.stats' },
};

describe('messages between server and worker', () => {
  for (const [verb, command] of Object.entries(commands))
    it(`lets ${verb} through as it is`, () => {
      const message = { kind: 'command', id: 7, command };
      assert.deepEqual(parseCommandMessage(message), message);
    });

  it('lets what is not known yet be undefined', () => {
    const command = { ...commands['leg.negotiate'], remote: undefined, telephoneEvent: undefined };
    assert.deepEqual(parseCommandMessage({ kind: 'command', id: 1, command }), {
      kind: 'command',
      id: 1,
      command,
    });
  });

  const refused: Record<string, unknown> = {
    'an unknown verb': { verb: 'leg.explode', legId: 'a' },
    'a missing field': { verb: 'leg.open' },
    'an endless name': { verb: 'leg.open', legId: 'x'.repeat(65) },
    'a host name': { ...commands['leg.negotiate'], remote: { address: 'example.org', port: 1 } },
    'too many formats': { ...commands['leg.negotiate'], receive: Array.from({ length: 33 }, () => pcmu) },
    'a ptime that is none': { ...commands['leg.negotiate'], ptimeMs: 7 },
    'a prompt that is no samples': { ...commands['play.start'], samples: [1, 2, 3] },
    'a prompt of bytes': { ...commands['play.start'], samples: new Uint8Array(4) },
    'an endless prompt': { ...commands['play.start'], samples: new Int16Array(maxPromptSamples + 1) },
    'a key that is none': { ...commands['digits.send'], digits: '1x' },
    'too many keys': { ...commands['digits.send'], digits: '1'.repeat(65) },
    'an endless key': { ...commands['digits.send'], durationMs: 60_000 },
    'too much free data': { ...commands['recording.start'], meta: { text: 'x'.repeat(70_000) } },
  };
  for (const [name, command] of Object.entries(refused))
    it(`refuses ${name}, and says for which message`, () => {
      const parsed = parseCommandMessage({ kind: 'command', id: 3, command });
      assert.ok('problem' in parsed);
      assert.equal(parsed.id, 3);
      assert.notEqual(parsed.problem, '');
    });

  it('refuses what is no message at all', () => {
    for (const message of [undefined, null, 'x', 1, [], {}, { kind: 'command' }]) {
      assert.ok('problem' in parseCommandMessage(message));
      assert.ok('problem' in parseWorkerMessage(message));
    }
  });

  it('takes from a worker what a worker may say', () => {
    const messages: WorkerMessage[] = [
      { kind: 'ready', driver: 'dgram', pipeline: 'picture' },
      { kind: 'reply', id: 1, reply: { port: 4000 } },
      { kind: 'refusal', id: 1, error: { code: 'NOT_FOUND', message: 'no leg', where: 'a' } },
      { kind: 'event', event: { event: 'leg.digit', legId: 'a', digit: '#', durationMs: 90 } },
      { kind: 'event', event: { event: 'leg.inactive', legId: 'a', silentMs: 5020 } },
      {
        kind: 'event',
        event: {
          event: 'leg.report',
          legId: 'a',
          stay: { trackId: 't', roomId: 'room' },
          report: {
            durationMs: 1000,
            received: {
              packets: 50,
              bytes: 8000,
              lost: 1,
              duplicates: 2,
              reordered: 3,
              late: 4,
              concealedMs: 20,
              jitterMs: { latest: 1.5, most: 12.5 },
              ssrcChanges: 1,
              refused: 5,
              srtp: { authenticationFailures: 1, replays: 2, malformed: 3 },
              codecs: [{ codec: 'G722', payloadType: 9, clockRateHz: 8000, atMs: 0 }],
            },
            sent: { packets: 50, bytes: 8000, peer: { lost: 0, jitterMs: 3.1 } },
            roundTripMs: { least: 10.1, latest: 12 },
          },
        },
      },
      {
        kind: 'event',
        event: { event: 'play.ended', legId: 'a', playId: 'p', reason: 'stopped', playedMs: 60 },
      },
      {
        kind: 'event',
        event: { event: 'digits.ended', legId: 'a', digitsId: 'd', reason: 'finished', sent: '1*#D' },
      },
      { kind: 'event', event: { event: 'fault', message: 'disk' } },
      { kind: 'finished' },
    ];
    for (const message of messages) assert.deepEqual(parseWorkerMessage(message), message);
    const invented = { kind: 'refusal', id: 1, error: { code: 'NO_SUCH_CODE', message: '' } };
    assert.ok('problem' in parseWorkerMessage(invented));
  });
});
