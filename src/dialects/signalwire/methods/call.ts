import { ineffective, number, oneOf, optional, required, text, withDefault } from '../parameters.ts';
import { method, perform } from './method.ts';

/** The vendor's four hours. */
const defaultMaxDurationSeconds = 14_400;
export const maxSeconds = 86_400;

export const answer = method({
  name: 'answer',
  parameters: {
    max_duration: withDefault(number({ min: 1, max: maxSeconds, whole: true }), defaultMaxDurationSeconds),
    codecs: ineffective('the order of codecs is a setting of the server (rtp.codecs)'),
    username: ineffective('phones authenticate where they register'),
    password: ineffective('phones authenticate where they register'),
  },
  async run({ max_duration }, run, path) {
    const answered = await perform(run, { verb: 'answer', maxDurationMs: max_duration * 1000 }, path);
    run.variables.set('answer_result', answered ? 'success' : 'failed');
    return undefined;
  },
});

export const hangup = method({
  name: 'hangup',
  parameters: { reason: optional(oneOf('hangup', 'busy', 'decline')) },
  shorthand: (reason) => (typeof reason === 'string' ? { reason } : undefined),
  async run({ reason }, run, path) {
    try {
      await perform(run, { verb: 'hang-up', reason }, path);
    } catch {
      // It ended the call.
    }
    return { kind: 'hang-up' };
  },
});

export const sendDigits = method({
  name: 'send_digits',
  parameters: {
    digits: required(
      text({
        maxLength: 256,
        form: /^[0-9*#A-DWwa-d]+$/,
        expected: 'digits (0-9 * # A-D, w and W for pauses) are',
      }),
    ),
  },
  shorthand: (digits) => (typeof digits === 'object' ? undefined : { digits }),
  async run({ digits }, run, path) {
    const keys = digits.replace(/[a-d]/g, (key) => key.toUpperCase());
    const sent = await perform(run, { verb: 'send-digits', digits: keys }, path);
    run.variables.set('send_digits_result', sent ? 'success' : 'failed');
    return undefined;
  },
});

export const sleep = method({
  name: 'sleep',
  parameters: { duration: required(number({ min: 0, max: maxSeconds * 1000, whole: true, also: -1 })) },
  shorthand: (duration) => (typeof duration === 'object' ? undefined : { duration }),
  async run({ duration }, run, path) {
    const durationMs = duration === -1 ? Number.POSITIVE_INFINITY : duration;
    if (durationMs > 0) await perform(run, { verb: 'sleep', durationMs }, path);
    return undefined;
  },
});
