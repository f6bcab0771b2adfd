import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import {
  type SilenceExpiry,
  SilenceTimer,
  type SilenceTimerOptions,
  silenceTimerTable,
} from './silence-timer.ts';
import { VoiceActivity } from './voice-activity.ts';

const rateHz = 8000;
const perMs = 8;
const packetMs = 20;

type Stretch = ['speech' | 'quiet' | 'gap', number];

/** A tone of 440 Hz stands for speech. */
function samplesOf(kind: 'speech' | 'quiet', ms: number): Int16Array {
  const peak = kind === 'speech' ? 3000 : 0;
  return Int16Array.from({ length: ms * perMs }, (_, i) => peak * Math.sin((2 * Math.PI * 440 * i) / rateHz));
}

interface Told {
  expiry: SilenceExpiry;
  position: number;
}

/** Gives the stretches in packets; a gap has none and is told every 20 ms. */
function run(stretches: Stretch[], options: Omit<SilenceTimerOptions, 'rateHz'>): Told | undefined {
  const voice = new VoiceActivity({ rateHz });
  const timer = new SilenceTimer({ rateHz, ...options });
  let told: Told | undefined;
  for (const [kind, ms] of stretches) {
    const samples = kind === 'gap' ? undefined : samplesOf(kind, ms);
    const packets = Math.ceil(ms / packetMs);
    for (let packet = 0; packet < packets; packet++) {
      const at = packet * packetMs * perMs;
      if (samples) voice.push(samples, at, Math.min(samples.length, at + packetMs * perMs));
      else voice.advanceTo(voice.position + packetMs * perMs);
      const expiry = timer.decide(voice);
      if (!expiry) continue;
      if (told) assert.equal(expiry, told.expiry);
      else told = { expiry, position: voice.position };
    }
  }
  return told;
}

before(throwOnUnlistedTransitions);

describe('no input', () => {
  test('comes exactly at the timeout, the same in silence and where nothing comes', () => {
    for (const kind of ['quiet', 'gap'] as const)
      assert.deepEqual(run([[kind, 2000]], { initialTimeoutMs: 1010 }), {
        expiry: { reason: 'noInput', silenceFrom: 0, atSample: 1010 * perMs },
        position: 1020 * perMs,
      });
  });

  test('does not come after speech', () => {
    assert.equal(
      run(
        [
          ['quiet', 900],
          ['speech', 200],
          ['quiet', 5000],
        ],
        { initialTimeoutMs: 1000 },
      ),
      undefined,
    );
  });

  test('waits for what may become speech, told 80 ms later at most', () => {
    const beginning: Stretch[] = [
      ['quiet', 980],
      ['speech', 300],
      ['quiet', 1000],
    ];
    assert.equal(run(beginning, { initialTimeoutMs: 1000 }), undefined);
    const click: Stretch[] = [
      ['quiet', 980],
      ['speech', 20],
      ['quiet', 1000],
    ];
    const told = run(click, { initialTimeoutMs: 1000 })!;
    assert.equal(told.expiry.atSample, 1000 * perMs);
    assert.ok(told.position <= 1080 * perMs, `told at ${told.position / perMs} ms`);
  });

  test('speech of behind the timeout is too late', () => {
    const told = run(
      [
        ['quiet', 1000],
        ['speech', 1000],
      ],
      { initialTimeoutMs: 960 },
    )!;
    assert.equal(told.expiry.reason, 'noInput');
  });
});

describe('end silence', () => {
  const spoken: Stretch[] = [
    ['quiet', 300],
    ['speech', 500],
  ];

  test('comes exactly at the timeout behind speech, the same in silence, in gaps and in both', () => {
    const silences: Stretch[][] = [
      [['quiet', 5000]],
      [['gap', 5000]],
      [
        ['gap', 200],
        ['quiet', 400],
        ['gap', 4000],
      ],
    ];
    for (const endSilenceTimeoutMs of [300, 1000, 3000])
      for (const silence of silences) {
        const told = run([...spoken, ...silence], { endSilenceTimeoutMs })!;
        assert.equal(told.expiry.reason, 'endSilence');
        const endMs = told.expiry.silenceFrom / perMs;
        assert.ok(endMs >= 800 && endMs <= 810, `the speech ended at ${endMs} ms`);
        assert.equal(told.expiry.atSample, told.expiry.silenceFrom + endSilenceTimeoutMs * perMs);
        assert.ok(told.position - told.expiry.atSample < packetMs * perMs);
      }
  });

  test('however short it is, it does not come while somebody speaks', () => {
    for (const endSilenceTimeoutMs of [0, 1, 10]) {
      const stretches: Stretch[] = [
        ['quiet', 100],
        ['speech', 1000],
        ['quiet', 1000],
      ];
      const atMs = run(stretches, { endSilenceTimeoutMs })!.expiry.atSample / perMs;
      assert.ok(Math.abs(atMs - 1100 - endSilenceTimeoutMs) <= 30, `${endSilenceTimeoutMs}: at ${atMs} ms`);
    }
  });

  test('never comes without speech', () => {
    assert.equal(run([['quiet', 10_000]], { endSilenceTimeoutMs: 500 }), undefined);
  });

  test('counts anew after each speech', () => {
    const told = run([...spoken, ['quiet', 900], ['speech', 200], ['quiet', 3000]], {
      endSilenceTimeoutMs: 1000,
    })!;
    assert.ok(Math.abs(told.expiry.silenceFrom - 1900 * perMs) <= 10 * perMs);
  });

  test('one advance over the whole silence places it as exactly', () => {
    const voice = new VoiceActivity({ rateHz });
    const timer = new SilenceTimer({ rateHz, endSilenceTimeoutMs: 3000 });
    const samples = samplesOf('speech', 500);
    for (let at = 0; at < samples.length; at += 160) {
      voice.push(samples, at, at + 160);
      assert.equal(timer.decide(voice), undefined);
    }
    voice.advanceTo(3600 * rateHz);
    const { silenceFrom, atSample } = timer.decide(voice)!;
    // The level of 20 ms is looked at: it is loud for 10 ms longer.
    assert.equal(silenceFrom, 510 * perMs);
    assert.equal(atSample, 3510 * perMs);
  });

  test('no input comes no more, end silence does', () => {
    const told = run([...spoken, ['quiet', 3000]], { initialTimeoutMs: 1000, endSilenceTimeoutMs: 1000 })!;
    assert.equal(told.expiry.reason, 'endSilence');
  });
});

test('without timeouts it never comes', () => {
  assert.equal(
    run(
      [
        ['speech', 500],
        ['quiet', 20_000],
      ],
      {},
    ),
    undefined,
  );
});

/** From docs/voice-activity.md: the end of silence. */
testTransitions('silence-timer', silenceTimerTable, {
  states: ['waiting', 'heard', 'noInput', 'endSilence'],
  events: ['speech', 'timeout'],
  expected: [
    ['waiting', 'speech', 'heard', 'somebody spoke'],
    ['waiting', 'timeout', 'noInput', 'nobody spoke in time'],
    ['heard', 'timeout', 'endSilence', 'the speech is over'],
  ],
});
