import { z } from 'zod';

const maxProcessors = 50;
const name = z.string().min(1).max(200);

/** Names, or objects with a `name`; nothing is none. */
export const processors = z
  .array(z.union([name, z.object({ name }).transform((given) => given.name)]))
  .max(maxProcessors)
  .nullish()
  .transform((given) => [...new Set(given ?? [])]);

const transcribe = 'transcribe';

/** Those of the vendor's that we do not have and that bind `transcribe`, which we have. */
const dependsOnTranscript = /^(?:findtopics|grade|classify:.*)$/s;

export interface BoundProcessors {
  transcribes: boolean;
  missing: string[];
}

/** What is done of them: one that needs a transcript binds `transcribe` too, as with the vendor. */
export function boundProcessors(wanted: readonly string[]): BoundProcessors {
  return {
    transcribes: wanted.some((each) => each === transcribe || dependsOnTranscript.test(each)),
    missing: wanted.filter((each) => each !== transcribe),
  };
}
