import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../errors.ts';
import type { CollectResult, Step } from '../../script/verb.ts';
import type { MenuResult } from './callback-bodies.ts';
import { menuOf, menuSteps } from './menu-steps.ts';
import { loadSvaml } from './svaml.ts';

const hangUp: Step = { verb: 'hang-up' };

/** A menu, and what the party presses in each collection; what the application was asked, what was played. */
async function run(action: object, ...answers: (string | CollectResult)[]) {
  const { svaml, problems } = loadSvaml({ action: { name: 'runMenu', ...action } });
  assert.ok(svaml?.action?.name === 'runMenu', JSON.stringify(problems));
  const asked: MenuResult[] = [];
  const heard: string[] = [];
  const collects: Extract<Step, { verb: 'collect' }>[] = [];
  const hear = (prompts: readonly { kind: string; text?: string }[]) =>
    heard.push(...prompts.map(({ text = '' }) => text));
  let unrecognized = 0;
  let steps: readonly Step[] = menuSteps(svaml.action, {
    askMenu: async (result) => {
      asked.push(result);
      return [hangUp];
    },
    notRecognized: () => void unrecognized++,
  });
  while (steps[0] !== hangUp) {
    const [step, ...others] = steps;
    if (step?.verb === 'play') {
      hear(step.prompts as []);
      steps = others;
      continue;
    }
    assert.ok(step?.verb === 'collect');
    assert.ok(menuOf(step), 'nobody knows whose menu it is');
    collects.push(step);
    hear(step.prompts as []);
    const answer = answers.shift();
    assert.ok(answer !== undefined, 'nothing more is expected to be collected');
    const result: CollectResult =
      typeof answer === 'string'
        ? { digits: answer, ended: answer === '' ? 'no-input' : 'complete' }
        : answer;
    steps = (await step.done!(result)) ?? others;
  }
  assert.deepEqual(answers, []);
  return { asked, heard, collects, problems, unrecognized };
}

const main = {
  id: 'main',
  mainPrompt: '#tts[one or two]',
  repeatPrompt: '#tts[again]',
  repeats: 2,
  options: [
    { dtmf: '1', action: 'return(sales)' },
    { dtmf: '2', action: 'menu(sub)' },
  ],
};
const sub = { id: 'sub', mainPrompt: '#tts[digits]', maxDigits: 4, timeoutMills: 700 };

describe('menus', () => {
  it('a key that returns is told with its value', async () => {
    const { asked, heard } = await run({ menus: [main, sub] }, '1');
    assert.deepEqual(asked, [{ menuId: 'main', type: 'return', value: 'sales', inputMethod: 'dtmf' }]);
    assert.deepEqual(heard, ['one or two']);
  });

  it('a key leads to another menu, which takes a sequence', async () => {
    const { asked, heard, collects } = await run({ menus: [main, sub] }, '2', '1234');
    assert.deepEqual(asked, [{ menuId: 'sub', type: 'sequence', value: '1234', inputMethod: 'dtmf' }]);
    assert.deepEqual(heard, ['one or two', 'digits']);
    const figures = collects.map(({ maxDigits, terminators, initialTimeoutMs, digitTimeoutMs }) => ({
      ...{ maxDigits, terminators, initialTimeoutMs, digitTimeoutMs },
    }));
    assert.deepEqual(figures, [
      { maxDigits: 1, terminators: '', initialTimeoutMs: 5000, digitTimeoutMs: 5000 },
      { maxDigits: 4, terminators: '#', initialTimeoutMs: 700, digitTimeoutMs: 700 },
    ]);
  });

  it('a sequence may be shorter: # or the time-out ends it', async () => {
    for (const ended of ['terminator', 'timeout'] as const) {
      const { asked } = await run({ mainMenu: 'sub', menus: [main, sub] }, { digits: '12', ended });
      assert.equal(asked[0]?.type, 'sequence');
      assert.equal(asked[0]?.value, '12');
    }
  });

  it('nothing pressed: the repeat prompt as often as it says, then the time-out is told', async () => {
    const { asked, heard } = await run({ menus: [main, sub] }, '', '', '');
    assert.deepEqual(asked, [{ menuId: 'main', type: 'timeout' }]);
    assert.deepEqual(heard, ['one or two', 'again', 'again']);
  });

  it('a key that is none: the same, then the invalid input is told', async () => {
    const { asked, heard } = await run({ menus: [main, sub] }, '9', '', '8');
    assert.deepEqual(asked, [{ menuId: 'main', type: 'invalidinput', value: '8', inputMethod: 'dtmf' }]);
    assert.equal(heard.length, 3);
  });

  it('a right key while repeating counts', async () => {
    const { asked } = await run({ menus: [main, sub] }, '9', '1');
    assert.equal(asked[0]?.type, 'return');
  });

  it('without repeats it is told at once; a repeat without its prompt plays the main one', async () => {
    const plain = { id: 'main', mainPrompt: '#tts[hello]' };
    assert.deepEqual((await run({ menus: [plain] }, '')).asked, [{ menuId: 'main', type: 'timeout' }]);
    const { heard } = await run({ menus: [{ ...plain, repeats: 1 }] }, '', '');
    assert.deepEqual(heard, ['hello', 'hello']);
  });

  it('barge: keys end the prompt, unless it is off', async () => {
    const on = await run({ menus: [main, sub] }, '1');
    assert.equal(on.collects[0]?.prompts.length, 1);
    const off = await run({ barge: false, menus: [main, sub] }, '1');
    assert.equal(off.collects[0]?.prompts.length, 0);
    assert.deepEqual(off.heard, ['one or two']);
  });
});

describe('menus with enableVoice', () => {
  const said = (text: string): CollectResult => ({ digits: '', ended: 'speech', speech: { text } });
  const spoken = {
    enableVoice: true,
    locale: 'en-GB/female',
    menus: [main, { ...sub, maxTimeoutMills: 9000 }],
  };

  it('listen in their locale, as long as the menu says', async () => {
    const { collects } = await run(spoken, '2', '1234');
    assert.deepEqual(
      collects.map(({ speech }) => speech),
      [
        { locale: 'en-GB', endSilenceMs: 1000, maxSpeechMs: 15_000 },
        { locale: 'en-GB', endSilenceMs: 700, maxSpeechMs: 9000 },
      ],
    );
    const silent = await run({ menus: [main, sub] }, '1');
    assert.equal(silent.collects[0]?.speech, undefined);
  });

  for (const [text, ...asked] of [
    ['One.', { menuId: 'main', type: 'return', value: 'sales', inputMethod: 'voice' }],
    ['Press one, please', { menuId: 'main', type: 'return', value: 'sales', inputMethod: 'voice' }],
  ] as const)
    it(`"${text}" is the key that it names`, async () => {
      assert.deepEqual((await run(spoken, said(text))).asked, asked);
    });

  it('digits are a sequence; where nothing is offered, so is all that is said', async () => {
    const digits = await run(spoken, said('two'), said('one two three four'));
    assert.deepEqual(digits.asked, [
      { menuId: 'sub', type: 'sequence', value: '1234', inputMethod: 'voice' },
    ]);
    const words = await run({ ...spoken, mainMenu: 'sub' }, said('Billing, please.'));
    assert.deepEqual(words.asked, [
      { menuId: 'sub', type: 'sequence', value: 'Billing, please.', inputMethod: 'voice' },
    ]);
  });

  it('what is no answer repeats the menu, and is told at last', async () => {
    const { asked, heard } = await run(
      spoken,
      said('hello'),
      { digits: '', ended: 'no-match' },
      said('hello'),
    );
    assert.deepEqual(heard, ['one or two', 'again', 'again']);
    assert.deepEqual(asked, [{ menuId: 'main', type: 'invalidinput', value: 'hello', inputMethod: 'voice' }]);
  });

  it('an engine that fails is told of; keys are taken meanwhile', async () => {
    const error = new CallreelError('TRANSCRIPTION_UNAVAILABLE', 'the server does not answer');
    const deaf: CollectResult = { digits: '', ended: 'no-match', error };
    const { asked, unrecognized } = await run(spoken, deaf, '1');
    assert.deepEqual([unrecognized, asked[0]?.value, asked[0]?.inputMethod], [1, 'sales', 'dtmf']);
    assert.deepEqual((await run(spoken, deaf, deaf, deaf)).asked, [{ menuId: 'main', type: 'error' }]);
  });

  it('without a language it is English, with a warning', () => {
    const { svaml, problems } = loadSvaml({
      action: { name: 'runMenu', enableVoice: true, locale: 'Joanna', menus: [main, sub] },
    });
    assert.ok(svaml?.action?.name === 'runMenu');
    assert.equal(svaml.action.voiceLocale, 'en-US');
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['action.locale'],
    );
  });
});
