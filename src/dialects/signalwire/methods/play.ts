import { randomUUID } from 'node:crypto';
import type { Prompt } from '../../../script/verb.ts';
import { jsonObject } from '../json.ts';
import { flag, list, optional, url, withDefault } from '../parameters.ts';
import { playable, spoken, type Voice, voiceParameters, volume } from '../playable.ts';
import { type Path, ScriptError } from '../script-error.ts';
import { failed, method, perform, type Run } from './method.ts';

const maxPrompts = 100;
export const playables = list(playable, { maxItems: maxPrompts, minItems: 1 });

export const play = method({
  name: 'play',
  parameters: {
    url: optional(playable),
    urls: optional(playables),
    volume,
    ...voiceParameters,
    auto_answer: withDefault(flag, true),
    status_url: optional(url),
  },
  shorthand: (value) => (typeof value === 'string' ? { url: value } : undefined),
  combine(given, path) {
    if (given('url') && given('urls'))
      throw new ScriptError(
        'relay_script_method_parameter_conflict',
        '"url" and "urls" exclude each other',
        path,
      );
    if (!given('url') && !given('urls'))
      throw new ScriptError('relay_script_method_parameter_missing', '"url" or "urls" is missing', path);
  },
  async run({ url: single, urls, volume: volumeDb, auto_answer, status_url, ...voice }, run, path) {
    const prompts = promptsOf(urls ?? [single], voice, run, path);
    if (prompts.length === 0) return undefined;
    const control_id = randomUUID();
    const status = (state: string): void => {
      if (status_url)
        run.host.status(
          status_url,
          'calling.call.play',
          jsonObject([
            ['control_id', control_id],
            ['state', state],
          ]),
        );
    };
    status('playing');
    const played = await perform(run, { verb: 'play', prompts, volumeDb, early: !auto_answer }, path);
    if (played?.error) failed(run, path, played.error);
    const isDone = played?.outcome === 'finished';
    status(isDone ? 'finished' : 'error');
    run.variables.set('play_result', isDone ? 'success' : 'failed');
    return undefined;
  },
});

/** Nothing to play is on record: a variable that is not set, mostly. */
export function promptsOf(
  wanted: readonly (Prompt | undefined)[],
  voice: Voice,
  run: Run,
  path: Path,
): Prompt[] {
  const prompts = spoken(wanted, voice, run);
  if (prompts.length < wanted.length)
    run.warn('relay_script_method_execute_failed', 'there is nothing to play', path);
  const unknown = prompts.find(
    (prompt) =>
      prompt.kind === 'text' && prompt.voice !== undefined && run.host.hasVoice?.(prompt.voice) === false,
  );
  if (unknown?.kind === 'text')
    run.warn(
      'relay_script_voice_unresolved',
      `the voice "${unknown.voice}" is not there; another one speaks`,
      path,
    );
  return prompts;
}
