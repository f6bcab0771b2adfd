import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { wavHeaderBytes } from '../container/wav.ts';
import type { ConsentReport } from '../media/consent-control.ts';
import { clipView } from '../render/recording-view.ts';
import { openRendition } from '../render/rendition.ts';
import { eraseRecording } from '../spool/erase.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { ConsentBench, toneOf, tonesIn, voice } from './test-consent-bench.ts';

const rateHz = 8000;
const required = { consent: 'required', notice: true } as const;

throwOnUnlistedTransitions();

let bench: ConsentBench;

beforeEach(() => {
  bench = new ConsentBench();
});

afterEach(async () => {
  await bench.close();
});

describe('the clip of a spoken consent', () => {
  const options = { ...required, keepConsentClip: true };

  it('holds what was said between the notice and the yes, in no other file; it is erased with the recording', async () => {
    const phone = await bench.call('a');
    await bench.recordCall(options);
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    await bench.notice(400);
    await bench.slots(21, [[phone, toneOf(900, 420)]]);
    assert.equal(bench.noticed[0]?.outcome, 'played');
    await bench.slots(30, [[phone, toneOf(500, 600)]]);
    assert.deepEqual(segments(), []);
    await bench.consent({ given: voice });
    await bench.slots(20, [[phone, toneOf(1300, 400)]]);
    const [{ clips, atSample }] = bench.consented as [ConsentReport];
    assert.equal(clips.length, 1);
    const [clip] = clips as [(typeof clips)[0]];
    assert.deepEqual([clip.connectionId, clip.endSample], ['a', atSample]);
    const heard = await clipSamples(clip.clipId);
    assert.equal(heard.length, clip.endSample - clip.startSample);
    assert.ok(Math.abs(heard.length - 4800) <= 480, `${heard.length}`);
    assert.deepEqual(tonesIn(heard), [500]);
    await bench.stop();
    assert.deepEqual(tonesIn(await clipSamples(clip.clipId)), [500]);
    assert.deepEqual(tonesIn(await bench.render('r', 'call-a')), [1300]);
    assert.ok(segments().includes(`${clip.clipId}.seg`));
    eraseRecording(bench.spool.spoolDirectory, 'call-a', 'r');
    assert.deepEqual(segments(), []);
  });

  it('is not kept where consent is given otherwise, withdrawn before, or never given', async () => {
    const phone = await bench.call('a');
    for (const [recordingId, end] of [
      ['withdrawn', () => undefined],
      ['never', () => undefined],
      ['otherwise', () => bench.consent({ recordingId: 'otherwise', given: { ...voice, method: 'dtmf' } })],
    ] as const) {
      await bench.record('a', recordingId, { options: { consent: 'required', keepConsentClip: true } });
      await bench.slots(20, [[phone, toneOf(900, 400)]]);
      await end();
      const reason = recordingId === 'withdrawn' ? 'consent_withdrawn' : 'stopped';
      await bench.execute({ verb: 'recording.stop', recordingId, reason });
      await bench.slots(3);
      assert.deepEqual(bench.open(recordingId, 'call-a').clips, []);
      // Recorded from then on, it has both halves of the call.
      assert.equal(segments().length, recordingId === 'otherwise' ? 2 : 0);
    }
    assert.deepEqual(bench.consented[0]?.clips, []);
  });

  it('is no longer than ten seconds, and has nothing of a pause', async () => {
    const phone = await bench.call('a');
    await bench.recordCall({ consent: 'required', keepConsentClip: true });
    await bench.slots(200, [[phone, toneOf(900, 4000)]]);
    await bench.slots(500, [[phone, toneOf(500, 10_000)]]);
    await bench.consent({ given: voice });
    const [{ clips }] = bench.consented as [ConsentReport];
    await bench.slots(3);
    assert.deepEqual(tonesIn(await clipSamples(clips[0]!.clipId)), [500]);
    assert.ok(clips[0]!.endSample - clips[0]!.startSample <= 10 * rateHz);

    await bench.record('a', 'p', { options: { consent: 'required', keepConsentClip: true } });
    await bench.slots(20, [[phone, toneOf(900, 400)]]);
    const pause = { recordingId: 'r', behaviour: 'skip', scope: 'call' } as const;
    await bench.execute({ verb: 'recording.pause', ...pause });
    await bench.slots(20, [[phone, toneOf(900, 400)]]);
    await bench.record('a', 'q', { options: { consent: 'required', keepConsentClip: true } });
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    // The network may have held up what comes now.
    await bench.slots(40, [[phone, toneOf(900, 800)]]);
    await bench.slots(80, [[phone, toneOf(500, 1600)]]);
    for (const [index, recordingId] of ['p', 'q'].entries()) {
      await bench.consent({ recordingId, given: voice });
      await bench.slots(3);
      const { clipId } = bench.consented[index + 1]!.clips[0]!;
      assert.deepEqual(tonesIn(await clipSamples(clipId, recordingId)), [500]);
    }
  });

  it('of everybody whose consent it is', async () => {
    const ann = await bench.call('a');
    const bob = await bench.call('b');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.recordRoom('room', 'r', { options: { consent: 'required', keepConsentClip: true } });
    await bench.slots(20, [
      [ann, toneOf(500, 400)],
      [bob, toneOf(900, 400)],
    ]);
    await bench.consent({ given: voice });
    await bench.slots(3);
    const { clips } = bench.consented[0]!;
    assert.deepEqual(
      clips.map(({ connectionId }) => connectionId),
      ['a', 'b'],
    );
    const heard = await Promise.all(clips.map(({ clipId }) => clipSamples(clipId, 'r', 'room')));
    assert.deepEqual(heard.map(tonesIn), [[500], [900]]);
    await bench.stop();
  });
});

async function clipSamples(clipId: string, recordingId = 'r', roomId = 'call-a'): Promise<Int16Array> {
  const view = clipView(bench.open(recordingId, roomId), clipId);
  const rendition = openRendition(view, { kind: 'channel', trackId: clipId, format: 'wav' });
  const bytes = Buffer.concat(await Array.fromAsync(rendition.read()));
  return new Int16Array(Uint8Array.from(bytes.subarray(wavHeaderBytes)).buffer);
}

/** On disk, the journals' mention of them included. */
function segments(): string[] {
  const { spoolDirectory } = bench.spool;
  return readdirSync(spoolDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.seg') || (name.endsWith('.jnl') && mentionsSegments(name)))
    .map((name) => name.split('/').at(-1)!);

  function mentionsSegments(name: string): boolean {
    return readFileSync(join(spoolDirectory, name)).includes('.seg');
  }
}
