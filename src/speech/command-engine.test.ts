import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeClock, sleep, systemClock } from '../clock.ts';
import { AudioDecoder } from '../playback/audio-decoder.ts';
import type { PlaybackRateHz } from '../playback/audio-source.ts';
import { tonePurity } from '../playback/test-audio.ts';
import { CommandEngine } from './command-engine.ts';

const program = fileURLToPath(new URL('./test-program.ts', import.meta.url));
const marker = `test-of-${process.pid}`;
const never = new AbortController().signal;

let clock: FakeClock;
let decoder: AudioDecoder;
let engine: CommandEngine;

before(() => {
  decoder = new AudioDecoder({ clock: new FakeClock(), threads: 1 });
});
after(() => decoder.close());
beforeEach(() => {
  clock = new FakeClock();
  engine = engineWith();
});

function engineWith(command: [string, ...string[]] = [process.execPath, program, marker]): CommandEngine {
  return new CommandEngine({ command, voice: 'own', timeoutMs: 5000, clock, decoder });
}

function speak(text: string, { rateHz = 8000 as PlaybackRateHz, locale = '', signal = never } = {}) {
  return engine.synthesize({ text, voice: 'own', locale: locale || undefined, rateHz }, signal);
}

/** Processes of the test program, and those it started, that still run. */
function running(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(marker))
    .length;
}

/** Empty for a process that has ended. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('a program', () => {
  test('reads the text as UTF-8 and writes a file, at whatever rate', async () => {
    const text = 'Grüß "Gott"; $(reboot) `x` | & \n';
    const { samples, warnings } = await speak(text, { rateHz: 16_000 });
    assert.equal(samples.length, Buffer.byteLength(text) * 200);
    assert.ok(tonePurity(samples, 16_000) > 0.999);
    assert.deepEqual(warnings, []);
    assert.equal(clock.pendingTimers, 0);
  });

  test('gets voice, language and rate in its arguments, nothing else', async () => {
    const length = async (args: string[], locale?: string) => {
      engine = engineWith([process.execPath, program, ...args]);
      return (await speak('args', { locale: locale ?? '' })).samples.length / 100;
    };
    assert.equal(await length(['-v', '{voice}']), '-v own'.length);
    assert.equal(await length(['--x={locale}/{rate}'], 'es-MX'), '--x=es-MX/8000'.length);
    assert.equal(await length(['{locale}'], '--evil option'), 'en-US'.length);
    assert.equal(await length(['{other}']), '{other}'.length);
  });

  test('does not see our settings', async () => {
    process.env.CALLREEL_AUTH_TOKEN = 'secret';
    try {
      assert.equal((await speak('env CALLREEL_AUTH_TOKEN')).samples.length, 100);
      assert.equal((await speak('env PATH')).samples.length, 200);
    } finally {
      delete process.env.CALLREEL_AUTH_TOKEN;
    }
  });
});

describe('a program that does not do its part', () => {
  test('ends with a status, is not there, writes what is no audio, writes nothing', async () => {
    engine = engineWith([process.execPath, program, '{voice}']);
    await assert.rejects(speak('fail'), {
      code: 'SPEECH_FAILED',
      message: `speech.command: ${process.execPath} ended with status 3: no model for own`,
    });
    await assert.rejects(speak('noise'), { code: 'SPEECH_FAILED', message: /neither WAV nor MP3/ });
    engine = engineWith(['/no/such/program']);
    await assert.rejects(speak('hello'), { code: 'SPEECH_FAILED', message: /cannot be run: .*ENOENT/ });
    engine = engineWith(['true']);
    await assert.rejects(speak('x'.repeat(100_000)), { code: 'SPEECH_FAILED', message: /it is empty/ });
    assert.equal(clock.pendingTimers, 0);
  });

  test('writes without end', async () => {
    await assert.rejects(speak('pour'), { code: 'SPEECH_FAILED', message: /wrote too much/ });
    while (running() > 0) await sleep(systemClock, 10);
  });

  test('hangs, and is killed with what it started', async () => {
    const result = assert.rejects(speak('hang'), {
      code: 'SPEECH_FAILED',
      message: /nothing within 5000 ms/,
    });
    while (running() < 2) await sleep(systemClock, 10);
    clock.advanceMs(5000);
    await result;
    while (running() > 0) await sleep(systemClock, 10);
  });

  test('is killed when the caller hangs up and when the engine closes; those who wait are refused', async () => {
    const giveUp = new AbortController();
    const hanging = [speak('hang', { signal: giveUp.signal }), speak('hang'), speak('waits')];
    const results = Promise.allSettled(hanging);
    while (running() < 4) await sleep(systemClock, 10);
    giveUp.abort(new Error('hung up'));
    await assert.rejects(hanging[0]!, { message: 'hung up' });
    await engine.close();
    const [, second, third] = await results;
    for (const result of [second, third])
      assert.equal((result as PromiseRejectedResult).reason.code, 'DRAINING');
    while (running() > 0) await sleep(systemClock, 10);
    await assert.rejects(speak('hello'), { code: 'DRAINING' });
  });
});
