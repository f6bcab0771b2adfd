import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dtmfTones } from '../src/audio/dtmf-tones.ts';
import { ringingCadence } from '../src/audio/ringing-tone.ts';
import { tone } from '../src/audio/tone.ts';
import { decodeUlaw, encodeUlaw } from '../src/codec/g711.ts';
import { readLineAudio } from '../src/testkit/audio-file.ts';
import { noise } from '../src/testkit/noise.ts';

/** Audio in which nobody speaks, by chunks of 10 s at 8 kHz, after G.711. */
export interface NothingSaid {
  what: string;
  chunks: Iterable<Int16Array>;
}

const rateHz = 8000;
const chunkSamples = 10 * rateHz;
export const musicFolder = '/usr/share/asterisk/moh';

export async function nothingSaid(): Promise<NothingSaid[]> {
  const music = (await readdir(musicFolder)).filter((name) => name.endsWith('.wav')).sort();
  const keys = dtmfTones('1234567890*#ABCDw'.repeat(8), rateHz, {
    durationMs: 120,
    gapMs: 80,
    pauseMs: 1000,
  });
  return [
    { what: 'an hour of silence', chunks: repeated(new Int16Array(chunkSamples), 3600) },
    {
      what: 'ten minutes of noise at -50 dBov',
      chunks: repeated(noise({ samples: chunkSamples, seed: 4, levelDbov: -50 }), 600),
    },
    { what: 'ten minutes of ringing tone (US)', chunks: repeated(ringingCadence('US', rateHz), 600) },
    { what: 'ten minutes of ringing tone (GB)', chunks: repeated(ringingCadence('GB', rateHz), 600) },
    {
      what: 'a minute each of 350, 440, 1000 and 2100 Hz',
      chunks: [350, 440, 1000, 2100].flatMap((frequencyHz) => [
        ...repeated(tone({ rateHz, frequencyHz, levelDbov: -15 }, chunkSamples), 60),
      ]),
    },
    { what: 'two minutes of key presses (DTMF)', chunks: repeated(keys, 120) },
    ...(await Promise.all(
      music.map(async (name) => ({
        what: `music on hold: ${name}`,
        chunks: repeated(await readLineAudio(join(musicFolder, name)), 1),
      })),
    )),
  ];
}

function* repeated(once: Int16Array, seconds: number): Iterable<Int16Array> {
  const line = new Uint8Array(once.length);
  encodeUlaw(once, line);
  for (let samples = 0; samples < Math.max(1, seconds * rateHz); samples += once.length) {
    const heard = new Int16Array(once.length);
    decodeUlaw(line, heard);
    yield heard;
  }
}
