import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import { LegListening } from './listening.ts';

const options = { endSilenceMs: 800, maxSpeechMs: 15_000, initialTimeoutMs: 5000 };

function stage(refusal?: Error) {
  const sent: Command[] = [];
  const worker = {
    send: async (command: Command) => {
      sent.push(command);
      if (refusal) throw refusal;
      return {};
    },
  } as unknown as MediaWorker;
  const listening = new LegListening('leg');
  let began = 0;
  const started = listening.start(worker, { ...options, began: () => began++ });
  const { listenId } = sent[0] as Command & { listenId: string };
  return { sent, listening, started, listenId, begun: () => began };
}

describe('LegListening', () => {
  test('tells the beginning and gives what was heard; nothing is sent afterwards', async () => {
    const { sent, listening, started, listenId, begun } = stage();
    started.arm();
    listening.heard({ event: 'listen.speech', legId: 'leg', listenId });
    const utterance = { samples: new Int16Array(8), rateHz: 8000 } as const;
    listening.heard({ event: 'listen.ended', legId: 'leg', listenId, reason: 'speech', utterance });
    listening.heard({ event: 'listen.ended', legId: 'leg', listenId: 'another', reason: 'no-input' });
    assert.deepEqual(await started.ended, { reason: 'speech', utterance });
    started.stop();
    assert.equal(begun(), 1);
    assert.deepEqual(
      sent.map(({ verb }) => verb),
      ['listen.start', 'listen.arm'],
    );
  });

  test('a worker that refuses, and a leg that is gone, end it', async () => {
    const refusal = new Error('too many');
    assert.deepEqual(await stage(refusal).started.ended, { reason: 'stopped', refusal });
    const gone = stage();
    gone.listening.close();
    assert.deepEqual(await gone.started.ended, { reason: 'leg-closed' });
  });
});
