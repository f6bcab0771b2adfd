import assert from 'node:assert/strict';
import { excerptSeconds, placeBehind } from '../quality/excerpts.ts';
import { TestGrowingRecording, type TestPause, type TestTalk } from '../render/test-growing-recording.ts';
import type { TestSpool } from '../spool/test-spool.ts';
import { QualityDesk } from './quality-desk.ts';
import type { MeasuredRecording } from './quality-protocol.ts';

export interface MeasuredCall {
  seconds: number;
  rateHz?: number;
  pauses?: readonly TestPause[];
}

/** So much behind an excerpt it is looked at. */
const behindSeconds = 1.5;

/** Along, as the server looks at it, and again at its end: the same. */
export async function measuredRecording(
  spool: TestSpool,
  recordingId: string,
  talks: readonly TestTalk[],
  { seconds, rateHz = 8000, pauses = [] }: MeasuredCall,
): Promise<MeasuredRecording> {
  const { spoolDirectory: spoolDir, masterKey } = spool;
  const growing = new TestGrowingRecording(talks, pauses, { spool, recordingId, rateHz });
  const desk = new QualityDesk({ spoolDir, masterKey, lossConcealment: 'on' });
  const order = { conversationId: 'room', recordingId };
  desk.follow(order);
  for (let place = 0; ; ) {
    const second = place + excerptSeconds + behindSeconds;
    if (second >= seconds) break;
    growing.until(second * 1e6);
    growing.settle();
    const settled = desk.step([recordingId])[recordingId];
    place = placeBehind(place, settled !== undefined);
  }
  growing.end(seconds * 1e6);
  const along = await desk.measure(order);
  assert.deepEqual(await desk.measure(order), along);
  return along;
}
