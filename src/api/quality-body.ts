import { z } from 'zod';
import type { QualityFigures } from '../quality/quality-meter.ts';
import { number } from './fields.ts';

/** How well one could be heard (docs/quality.md). */
export const qualityBody = z
  .object({
    snr_db: number(
      'Active speech over the noise beneath it, in dB; high is good, under 3 is very noisy. Null where nobody spoke.',
      27.4,
    ).nullable(),
    rt60_seconds: number(
      'Reverberation time of the room, in seconds; low is good, over 5 is a hall. Null where nobody spoke.',
      0.31,
    ).nullable(),
    speech_level_dbov: number(
      'Active speech level (ITU-T P.56), in dBov. Null where nobody spoke.',
      -24.6,
    ).nullable(),
    clipped_share: number('Samples that are cut off at full scale, 0 to 1.', 0),
    silence_share: number('Time in which nothing is as loud as speech, 0 to 1.', 0.52),
    speech_seconds: number('Time in which somebody speaks, in seconds.', 148.2),
    note: z
      .enum(['no_speech', 'little_speech'])
      .nullable()
      .meta({
        description:
          '`no_speech`: SNR, RT60 and speech level are null. `little_speech`: under 8 s were measured, they are the best estimate ' +
          'there is. Null for enough.',
        examples: [null],
      }),
  })
  .nullable();

export function toQuality(figures: QualityFigures | null): z.output<typeof qualityBody> {
  return (
    figures && {
      snr_db: rounded(figures.snrDb, 100),
      rt60_seconds: rounded(figures.rt60Seconds, 1000),
      speech_level_dbov: rounded(figures.speechLevelDbov, 100),
      clipped_share: rounded(figures.clippedShare, 1e6),
      silence_share: rounded(figures.silenceShare, 10_000),
      speech_seconds: rounded(figures.speechSeconds, 100),
      note: figures.note,
    }
  );
}

function rounded<Figure extends number | null>(figure: Figure, steps: number): Figure {
  return (figure === null ? null : Math.round(figure * steps) / steps) as Figure;
}
