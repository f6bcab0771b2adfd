import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPrompts } from './prompt-text.ts';

const english = { locale: 'en-US' };

describe('prompts', () => {
  it('are texts, SSML and URLs, one behind the other', () => {
    const { prompts, unknown } = readPrompts(
      '#tts[Hello; you]; #href[https://files.example/a.mp3];https://files.example/b.wav?x=[1];welcome.wav',
      undefined,
    );
    assert.deepEqual(prompts, [
      { kind: 'text', text: 'Hello; you', ...english },
      { kind: 'url', url: 'https://files.example/a.mp3' },
      { kind: 'url', url: 'https://files.example/b.wav?x=[1]' },
    ]);
    assert.deepEqual(unknown, ['welcome.wav']);
  });

  it('brackets may stand in a text', () => {
    const { prompts } = readPrompts('#tts[press [1] now];#TTS[or [2]]', 'en-GB');
    assert.deepEqual(prompts, [
      { kind: 'text', text: 'press [1] now', locale: 'en-GB' },
      { kind: 'text', text: 'or [2]', locale: 'en-GB' },
    ]);
  });

  it("SSML: the vendor's example keeps its words and its pause", () => {
    const { prompts, spokenCharacters } = readPrompts(
      '#ssml[<speak><break time="250ms"/>Have a <emphasis>great</emphasis> day &amp; night!<break/></speak>]',
      undefined,
    );
    assert.deepEqual(prompts, [
      { kind: 'silence', durationMs: 250 },
      { kind: 'text', text: 'Have a great day & night!', ...english },
      { kind: 'silence', durationMs: 1000 },
    ]);
    assert.equal(spokenCharacters, 94);
  });

  it('SSML: pauses by strength and in seconds, ten at most', () => {
    const pauseOf = (tag: string) => readPrompts(`#ssml[a${tag}b]`, undefined).prompts[1];
    assert.deepEqual(pauseOf('<break strength="strong"/>'), { kind: 'silence', durationMs: 750 });
    assert.deepEqual(pauseOf("<break time='1.5s'/>"), { kind: 'silence', durationMs: 1500 });
    assert.deepEqual(pauseOf('<break time="900000ms"/>'), { kind: 'silence', durationMs: 10_000 });
    assert.equal(pauseOf('<break strength="none"/>')?.kind, 'text');
  });

  it('nothing to say is nothing to play', () => {
    for (const nothing of ['', ';;', '#tts[]', '#tts[ ]', '#ssml[<speak></speak>]'])
      assert.deepEqual(readPrompts(nothing, undefined).prompts, [], nothing);
  });

  it('hostile ones are read in no time', () => {
    for (const piece of ['#tts[', ']   ', ';', '<', '&amp', '#ssml[<break time="']) {
      const { prompts } = readPrompts(piece.repeat(20_000), undefined);
      assert.ok(prompts.length <= 20_000);
    }
  });
});
