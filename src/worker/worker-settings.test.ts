import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWorkerSettings, type WorkerSettings } from './worker-settings.ts';

const settings: WorkerSettings = {
  workerId: 'w1-0123456789abcdef',
  mediaAddress: '127.0.0.1',
  ports: { first: 20_000, last: 20_999 },
  spoolDir: '/var/lib/callreel/spool',
  ringBytes: 1 << 20,
};

describe('worker settings', () => {
  it('come through the argument as they went in', () => {
    assert.deepEqual(parseWorkerSettings(JSON.stringify(settings)), settings);
    const { ringBytes: _, ...withoutRing } = settings;
    assert.deepEqual(parseWorkerSettings(JSON.stringify(withoutRing)), withoutRing);
  });

  const wrong = {
    'nothing at all': undefined,
    'no JSON': 'x',
    'a host name for an address': JSON.stringify({ ...settings, mediaAddress: 'localhost' }),
    'a port that is none': JSON.stringify({ ...settings, ports: { first: 1, last: 70_000 } }),
  };
  for (const [name, argument] of Object.entries(wrong))
    it(`refuse ${name}`, () => assert.throws(() => parseWorkerSettings(argument)));
});
