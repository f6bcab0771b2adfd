import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stay } from './capture-sink.ts';
import { PauseEnd } from './pause-end.ts';
import { SaidCapture } from './said-capture.ts';
import { CaptureLog } from './test-bench.ts';

const party = {
  connectionId: 'ann',
  from: '1',
  to: '2',
  direction: 'incoming',
  role: 'participant',
} as const;
const stayOf = (trackId: string, cut: Pick<Stay, 'muted' | 'deaf'> = {}): Stay => ({
  ...{ trackId, roomId: 'room', legId: 'leg', policy: 'record', party },
  ...cut,
});

describe('SaidCapture tells of a hold', () => {
  test('once, to the stay and to the call, and to those that begin with it', () => {
    const log = new CaptureLog();
    const said = new SaidCapture(log, new PauseEnd());
    said.enter(stayOf('first'), 0);
    for (const direction of ['sendrecv', 'recvonly', 'inactive'] as const) said.agree(direction, 1);
    said.captureCall({ said: stayOf('call'), heard: stayOf('heard') }, 2);
    said.enter(stayOf('second'), 3);
    said.agree('sendrecv', 4);
    said.agree('sendonly', 5);
    assert.deepEqual(log.calls, [
      'hold first true',
      'hold call true',
      'hold second true',
      'hold second false',
      'hold call false',
    ]);
  });

  test('by the room: of who neither hears nor is heard there, and of that stay alone', () => {
    const log = new CaptureLog();
    const said = new SaidCapture(log, new PauseEnd());
    const stay = stayOf('stay', { muted: true, deaf: true });
    said.captureCall({ said: stayOf('call'), heard: stayOf('heard') }, 0);
    said.enter(stay, 1);
    stay.deaf = false;
    said.tellHold(2);
    stay.muted = false;
    said.tellHold(3);
    assert.deepEqual(log.calls, ['hold stay true', 'hold stay false']);
  });
});
