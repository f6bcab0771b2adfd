import { z } from 'zod';
import type { Play, Prompt } from '../../script/verb.ts';
import { controlId, statusUrl } from './record-input.ts';

const maxPrompts = 100;
const seconds = z.number().min(0).max(86_400);
const url = z.url({ protocol: /^https?$/, error: 'must be a valid http or https url' }).max(2000);

/** A media object of the vendor's, `{type, params}`, or with its parameters beside the type. */
const media = z.preprocess(
  (given) => {
    const { type, params, ...rest } = Object(given) as { type?: unknown; params?: object };
    return { type, ...rest, ...Object(params) };
  },
  z.discriminatedUnion('type', [
    z
      .object({ type: z.literal('audio'), url })
      .transform(({ url: given }): Prompt => ({ kind: 'url', url: given })),
    z
      .object({
        type: z.literal('tts'),
        text: z.string().min(1).max(5000),
        language: z.string().max(35).optional(),
        voice: z.string().max(100).optional(),
      })
      .transform(
        ({ text, language, voice }): Prompt => ({
          kind: 'text',
          text,
          ...(language && { locale: language }),
          ...(voice && { voice }),
        }),
      ),
    z
      .object({ type: z.literal('silence'), duration: seconds })
      .transform(({ duration }): Prompt => ({ kind: 'silence', durationMs: duration * 1000 })),
    z
      .object({
        type: z.literal('ringtone'),
        name: z
          .string()
          .regex(/^[a-z]{2}$/, 'expected a country as us')
          .default('us'),
        duration: seconds.default(60),
      })
      .transform(
        ({ name, duration }): Prompt => ({ kind: 'ring', durationMs: duration * 1000, country: name }),
      ),
  ]),
);

export const playParameters = z.object({
  control_id: controlId.optional(),
  play: z.array(media).min(1).max(maxPrompts),
  volume: z.number().min(-40).max(40).default(0),
  status_url: statusUrl.optional(),
});

export function playVerb({ play, volume }: z.output<typeof playParameters>): Play {
  return { verb: 'play', prompts: play, ...(volume !== 0 && { volumeDb: volume }) };
}
