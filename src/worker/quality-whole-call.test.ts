import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { dbovToRms } from '../audio/level.ts';
import { figuresOfNothing } from '../quality/quality-meter.ts';
import { randomOf } from '../quality/test-random.ts';
import { figuresOf, testVoices } from '../quality/test-voices.ts';
import type { TestPause, TestTalk } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import type { MeasuredRecording } from './quality-protocol.ts';
import { measuredRecording } from './test-measured-recording.ts';

const rateHz = 8000;
const spool = new TestSpool({ ringBytes: 1 << 24 });
after(() => spool.remove());
const [ann, bob] = testVoices.map(({ prompts }) => prompts[0]!) as [Int16Array, Int16Array];
let recordings = 0x40;

function measured(
  seconds: number,
  talks: readonly TestTalk[],
  pauses: readonly TestPause[] = [],
): Promise<MeasuredRecording> {
  return measuredRecording(spool, (recordings++).toString(16).toUpperCase(), talks, { seconds, pauses });
}

function long(voice: Int16Array, seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * rateHz }, (_, at) => voice[at % voice.length]!);
}

/** So much of a voice, from a second on, over a line's noise. */
function saysAt(atSeconds: number, forSeconds: number, line: Int16Array): Int16Array {
  const said = line.slice();
  const at = atSeconds * rateHz;
  for (let i = 0; i < forSeconds * rateHz; i++) said[at + i]! += bob[i]!;
  return said;
}

function noise(seconds: number, levelDbov: number): Int16Array {
  const random = randomOf(11);
  const peak = Math.sqrt(3) * dbovToRms(levelDbov);
  return Int16Array.from({ length: seconds * rateHz }, () => Math.round((2 * random() - 1) * peak));
}

function talk(trackId: string, said: Int16Array, joinSeconds = 0): TestTalk {
  const joinUs = joinSeconds * 1e6;
  const records = testStream(said, { arrivalUs: (k) => joinUs + k * 20_000 }).records;
  return { trackId, records, joinUs, leaveUs: joinUs + (said.length / rateHz) * 1e6 };
}

const quiet = (seconds: number) => new Int16Array(seconds * rateHz);
const near = (value: number | null, wanted: number | null, by: number) => Math.abs(value! - wanted!) <= by;

test('whoever came and left between excerpts, and was the only one who spoke, is heard in the mix as well', async () => {
  for (const [seconds, said] of [
    [80, long(bob, 20)],
    [40, long(bob, 20)],
    [80, saysAt(3, 1.5, quiet(30))],
  ] as const) {
    const told = await measured(seconds, [talk('listens', quiet(seconds)), talk('visits', said, 12)]);
    const text = JSON.stringify(told);
    assert.ok(near(told.mix.snrDb, told.channels.visits!.snrDb, 1), text);
    assert.ok(near(told.mix.speechLevelDbov, told.channels.visits!.speechLevelDbov, 0.5), text);
    assert.equal(told.channels.listens!.note, 'no_speech');
  }
});

test('of who speaks between excerpts the mix has the noise of everybody else', async () => {
  const talks = [talk('noise', noise(100, -50)), talk('speaks', saysAt(20, 6, quiet(100)))];
  const { mix, channels } = await measured(100, talks);
  assert.equal(channels.noise!.note, 'no_speech');
  assert.ok(channels.speaks!.snrDb! > 40 && mix.snrDb! < 33, JSON.stringify({ mix, channels }));
});

test('seconds of speech are of the whole call, whether or not somebody was hardly heard in it', async () => {
  for (const seconds of [30, 125]) {
    const talks = [
      talk('talks', long(ann, seconds)),
      talk('leaves', long(bob, 24)),
      talk('listens', quiet(seconds)),
    ];
    const { mix, channels } = await measured(seconds, talks);
    const text = JSON.stringify({ mix, channels });
    assert.ok(near(channels.talks!.speechSeconds, figuresOf(long(ann, seconds)).speechSeconds, 2), text);
    assert.ok(near(channels.leaves!.speechSeconds, figuresOf(long(bob, 24)).speechSeconds, 1), text);
    assert.ok(near(mix.speechSeconds, seconds, 0.05 * seconds), text);
    assert.equal(channels.listens!.silenceShare, 1);
  }
});

test('what was paused is neither speech nor silence, whatever stands in its place', async () => {
  const said = long(ann, 120);
  for (const behaviour of ['skip', 'silence', 'mask'] as const)
    for (const fromSecond of [2, 12]) {
      const pauses = [{ fromUs: fromSecond * 1e6, toUs: 110e6, behaviour }];
      const { mix, channels } = await measured(120, [talk('talks', said)], pauses);
      const kept = [...said.subarray(0, fromSecond * rateHz), ...said.subarray(110 * rateHz)];
      const { speechSeconds, silenceShare } = figuresOf(Int16Array.from(kept));
      for (const figures of [mix, channels.talks!]) {
        assert.ok(near(figures.speechSeconds, speechSeconds, 1), `${behaviour}: ${JSON.stringify(figures)}`);
        assert.ok(near(figures.silenceShare, silenceShare, 0.05), `${behaviour}: ${JSON.stringify(figures)}`);
      }
    }
});

test('nobody is without figures: who never sent anything, who left as it came, a recording of nothing', async () => {
  const nobody = { records: [], joinUs: 20e6 };
  const talks = [
    talk('talks', long(ann, 40)),
    { trackId: 'sendsNothing', ...nobody, leaveUs: 40e6 },
    { trackId: 'leaves', ...nobody, leaveUs: 20e6 },
  ];
  const { channels } = await measured(40, talks);
  for (const trackId of ['sendsNothing', 'leaves'])
    assert.deepEqual(channels[trackId], { ...figuresOfNothing, driftPpm: null });
  assert.deepEqual(await measured(0, []), { mix: figuresOfNothing, channels: {} });
});

test('who says one sentence and listens then, on a noisy line, has the SNR of that sentence', async () => {
  for (const levelDbov of [-50, -35]) {
    const line = saysAt(3, 4, noise(260, levelDbov));
    const { channels } = await measured(260, [talk('talks', long(ann, 260)), talk('listens', line)]);
    const { snrDb, speechLevelDbov, note } = figuresOf(line.subarray(0, 10 * rateHz));
    const text = JSON.stringify(channels.listens);
    assert.ok(near(channels.listens!.snrDb, snrDb, 1), `${text}, ${snrDb}`);
    assert.ok(near(channels.listens!.speechLevelDbov, speechLevelDbov, 1), `${text}, ${speechLevelDbov}`);
    assert.equal(channels.listens!.note, note);
  }
});
