import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Voice } from '@sinch/voice';
import type { Problem } from './problems.ts';
import { checkSvaml, loadSvaml, maxSvamlCharacters, type SvamlOptions } from './svaml.ts';

const recordingOptions = {
  destinationUrl: 's3://sinch-storage/voice-recordings/my-recording.mp3',
  credentials: 'KEY:SECRET:eu-central-1',
};

function problemsOf(document: unknown, options?: SvamlOptions): string[] {
  return loadSvaml(document, options).problems.map(told);
}

function told({ severity, code, path }: Problem): string {
  return `${severity} ${code} ${path}`;
}

/** Read without a complaint. */
function right(document: unknown, options?: SvamlOptions) {
  const { svaml, problems } = loadSvaml(document, options);
  assert.deepEqual(problems, []);
  return svaml!;
}

describe('SVAML', () => {
  it('instructions keep their order; names are taken in any case', () => {
    const { instructions, action } = right({
      instructions: [
        { name: 'Say', text: 'not recorded', locale: 'en-US' },
        { name: 'StartRecording', options: recordingOptions },
        { name: 'SAY', text: 'recorded', locale: 'en-US' },
        { name: 'stoprecording' },
      ],
      action: { name: 'ConnectPSTN', number: '+15551234567' },
    });
    assert.deepEqual(
      instructions.map(({ name }) => name),
      ['say', 'startRecording', 'say', 'stopRecording'],
    );
    assert.equal(action?.name, 'connectPstn');
  });

  it('nothing at all, null and an empty object say nothing', () => {
    for (const nothing of ['', ' \n', '{}', undefined, null, {}, '{"instructions":null,"action":null}'])
      assert.deepEqual(right(nothing), { instructions: [], action: undefined, warnings: [] });
  });

  it('what is no JSON is refused with its place', () => {
    const [problem, ...others] = checkSvaml('{\n  "action": {\n    "name": "hangup",\n  }\n}');
    assert.equal(others.length, 0);
    assert.deepEqual(
      { line: problem?.line, column: problem?.column, severity: problem?.severity, code: problem?.code },
      { line: 4, column: 3, severity: 'error', code: 40003 },
    );
  });

  it('a list of one is as good as the object in it', () => {
    const { instructions } = right({
      instructions: [{ name: 'startRecording', options: [recordingOptions] }],
    });
    assert.equal(instructions[0]?.name, 'startRecording');
    const two = { instructions: [{ name: 'startRecording', options: [recordingOptions, recordingOptions] }] };
    assert.deepEqual(problemsOf(two), ['error 40001 instructions[0].options']);
  });

  it('names line and column of every mistake, in the order of the text', () => {
    const problems = checkSvaml(
      [
        '{"instructions": [',
        '  {"name": "say"},',
        '  {"name": "sendDtmf", "value": "12x"}],',
        ' "action": {"name": "park", "maxDuration": 601, "colour": "red"}}',
      ].join('\n'),
    );
    assert.deepEqual(
      problems.map((problem) => [told(problem), problem.line, problem.column]),
      [
        ['error 40002 instructions[0].text', 2, 3],
        ['error 40001 instructions[1].value', 3, 33],
        ['error 40001 action.maxDuration', 4, 44],
        ['warning 40003 action.colour', 4, 59],
      ],
    );
  });

  it('unknown fields change nothing and are told', () => {
    const { svaml, problems } = loadSvaml({ action: { name: 'hangup', later: 1 }, more: {} });
    assert.deepEqual(svaml?.action, { name: 'hangup' });
    assert.deepEqual(problems.map(told).toSorted(), ['warning 40003 action.later', 'warning 40003 more']);
  });

  it('which action is allowed in which answer', () => {
    const actions = {
      hangup: {},
      continue: {},
      connectPstn: {},
      connectMxp: {},
      connectSip: { destination: { type: 'sip', endpoint: 'alice@example.com' } },
      connectConf: { conferenceId: 'room' },
      runMenu: { menus: [{ id: 'main' }] },
      park: {},
      startRecording: { recordingOptions },
      stopRecording: {},
    };
    const allowed = (use: 'ice' | 'ace' | 'pie' | 'manage') =>
      Object.entries(actions)
        .filter(([name, fields]) => loadSvaml({ action: { name, ...fields } }, { use }).svaml)
        .map(([name]) => name)
        .join(' ');
    assert.equal(allowed('ice'), 'hangup connectPstn connectMxp connectSip connectConf runMenu park');
    assert.equal(allowed('ace'), 'hangup continue connectConf runMenu');
    assert.equal(allowed('pie'), 'hangup continue connectPstn connectSip connectConf runMenu');
    assert.equal(allowed('manage'), 'hangup continue park startRecording stopRecording');
    assert.deepEqual(problemsOf({ action: { name: 'park' } }, { use: 'ace' }), ['error 40003 action.name']);
  });

  it('the instructions are those of every answer', () => {
    for (const use of ['ice', 'ace', 'pie', 'manage'] as const) {
      const { instructions } = right(
        { instructions: [{ name: 'stopRecording' }, { name: 'sendDtmf', value: 'ww12#' }] },
        { use },
      );
      assert.equal(instructions.length, 2);
    }
    const answer = { instructions: [{ name: 'answer' }] };
    assert.deepEqual(right(answer, { use: 'ice' }).instructions, [{ name: 'answer' }]);
    assert.deepEqual(problemsOf(answer, { use: 'pie' }), ['warning 40003 instructions[0].name']);
  });

  it('connectStream is refused clearly', () => {
    const action = { name: 'connectStream', destination: { type: 'websocket', endpoint: 'wss://a.example' } };
    const [problem, ...others] = loadSvaml({ action }, { use: 'ice' }).problems;
    assert.equal(others.length, 0);
    assert.equal(problem?.severity, 'error');
    assert.match(problem.message, /streams in this version/);
  });

  it('"record" with its options, on every action that goes on', () => {
    for (const action of [
      { name: 'Continue' },
      { name: 'connectPstn' },
      { name: 'connectMxp' },
      { name: 'connectConf', conferenceId: 'room' },
      { name: 'connectSip', destination: { type: 'SIP', endpoint: 'sip:alice@example.com' } },
      { name: 'runMenu', menus: [{ id: 'main' }] },
      { name: 'park' },
    ]) {
      const read = right({ action: { ...action, record: true, recordingOptions } }).action;
      assert.ok(read && 'record' in read, action.name);
      assert.equal(read.record?.destination?.url, recordingOptions.destinationUrl);
    }
    const ended = { action: { name: 'hangup', record: true, recordingOptions } };
    assert.deepEqual(problemsOf(ended).toSorted(), [
      'warning 40003 action.record',
      'warning 40003 action.recordingOptions',
    ]);
  });

  it('options without the flag mean it, a false flag says no', () => {
    const { svaml, problems } = loadSvaml({ action: { name: 'connectPstn', recordingOptions } });
    assert.ok(svaml?.action && 'record' in svaml.action && svaml.action.record);
    assert.deepEqual(problems.map(told), ['warning 40003 action.recordingOptions']);
    for (const record of [false, 'false'])
      assert.ok(!('record' in right({ action: { name: 'connectPstn', record, recordingOptions } }).action!));
    assert.ok(!('record' in right({ action: { name: 'connectPstn', record: false } }).action!));
  });

  it('recording needs a destination, or a store of ours', () => {
    const byFlag = { action: { name: 'continue', record: true } };
    assert.deepEqual(problemsOf(byFlag), ['error 40002 action.recordingOptions.destinationUrl']);
    const byInstruction = { instructions: [{ name: 'startRecording' }] };
    assert.equal(loadSvaml(byInstruction).svaml, undefined);
    const { action } = right(byFlag, { hasDefaultStore: true });
    assert.ok(action && 'record' in action);
    assert.equal(action.record?.destination, undefined);
    right(byInstruction, { hasDefaultStore: true });
  });

  it('connectMxp ignores the recording instructions and keeps its flag', () => {
    const { svaml, problems } = loadSvaml({
      instructions: [
        { name: 'startRecording', options: recordingOptions },
        { name: 'say', text: 'Hello' },
      ],
      action: { name: 'connectMXP', record: true, recordingOptions },
    });
    assert.deepEqual(problems.map(told), ['warning 40003 instructions']);
    assert.deepEqual(
      svaml?.instructions.map(({ name }) => name),
      ['say'],
    );
    assert.ok(svaml.action && 'record' in svaml.action);
  });

  it('Manage Call in its three shapes', () => {
    const { destinationUrl, credentials } = recordingOptions;
    const options = { destination: destinationUrl, credentials };
    const manage = { use: 'manage' } as const;
    const { instructions } = right({ instructions: [{ name: 'startRecording', options }] }, manage);
    const { action } = right({ action: { name: 'StartRecording', recordingOptions } }, manage);
    const former = right({ action: { name: 'startRecording', options } }, manage).action;
    for (const each of [instructions[0], action, former]) {
      assert.ok(each?.name === 'startRecording');
      assert.equal(each.options.destination?.url, destinationUrl);
      assert.equal(each.options.destination.credentials?.reveal(), credentials);
    }
  });

  it('limits: 600 characters spoken, 14400 s, 64 of a conference, 1024 bytes of cookies', () => {
    const say = (length: number) => ({ instructions: [{ name: 'say', text: 'a'.repeat(length) }] });
    right(say(600));
    assert.deepEqual(problemsOf(say(601)), ['error 40001 instructions[0].text']);
    const files = { instructions: [{ name: 'playFiles', ids: [`#tts[${'a'.repeat(601)}]`] }] };
    assert.deepEqual(problemsOf(files), ['error 40001 instructions[0].ids']);
    const pstn = (maxDuration: unknown) => ({ action: { name: 'connectPstn', maxDuration } });
    right(pstn(14_400));
    right(pstn('60'));
    for (const wrong of [14_401, 0, 1.5, 'long', true])
      assert.deepEqual(problemsOf(pstn(wrong)), ['error 40001 action.maxDuration']);
    const conference = (length: number) => ({
      action: { name: 'connectConf', conferenceId: 'c'.repeat(length) },
    });
    right(conference(64));
    assert.deepEqual(problemsOf(conference(65)), ['error 40001 action.conferenceId']);
    const cookie = (length: number) => ({
      instructions: [{ name: 'setCookie', key: 'k', value: 'v'.repeat(length) }],
    });
    right(cookie(1023));
    assert.deepEqual(problemsOf(cookie(1024)), ['error 40001 instructions']);
  });

  it('defaults: 14400 s, callbacks not suppressed, PIE after one key or 3000 ms', () => {
    assert.deepEqual(right({ action: { name: 'connectPstn' } }).action, {
      name: 'connectPstn',
      number: undefined,
      cli: undefined,
      dialTimeoutMs: undefined,
      maxDurationMs: 14_400_000,
      suppressCallbacks: false,
      dtmf: undefined,
      indications: undefined,
    });
    const conference = {
      name: 'connectConf',
      conferenceId: 'room',
      conferenceDtmfOptions: { mode: 'detect' },
    };
    const { action } = right({ action: conference });
    assert.ok(action?.name === 'connectConf');
    assert.deepEqual(action.dtmf, { mode: 'detect', maxDigits: 1, timeoutMs: 3000 });
    const park = right({ action: { name: 'park' } }).action;
    assert.ok(park?.name === 'park');
    assert.equal(park.maxDurationMs, 600_000);
  });

  it('connectSip: the URI with its transport, private headers with X-', () => {
    const { svaml, problems } = loadSvaml({
      action: {
        name: 'connectSip',
        destination: { type: 'sip', endpoint: 'alice@example.com:5070' },
        transport: 'TCP',
        callHeaders: [
          { key: 'order', value: '17' },
          { key: 'X-Queue', value: 'blue' },
          { key: 'no header', value: '' },
        ],
      },
    });
    assert.ok(svaml?.action?.name === 'connectSip');
    assert.equal(svaml.action.uri, 'sip:alice@example.com:5070;transport=tcp');
    assert.deepEqual(svaml.action.headers, [
      { name: 'X-order', value: '17' },
      { name: 'X-Queue', value: 'blue' },
    ]);
    assert.deepEqual(problems.map(told), ['warning 40003 action.callHeaders[2].key']);
    assert.deepEqual(problemsOf({ action: { name: 'connectSip' } }), ['error 40002 action.destination']);
  });

  it('runMenu: a main menu, targets that are there, ids once', () => {
    const menu = (menus: unknown, more = {}) => ({ action: { name: 'runMenu', menus, ...more } });
    assert.deepEqual(problemsOf(menu(undefined)), ['error 40002 action.menus']);
    assert.deepEqual(problemsOf(menu([{ id: 'other' }])), ['error 40001 action.menus']);
    right(menu([{ id: 'other' }], { mainMenu: 'other' }));
    assert.deepEqual(problemsOf(menu([{ id: 'main' }], { mainMenu: 'gone' })), [
      'error 40001 action.mainMenu',
    ]);
    assert.deepEqual(problemsOf(menu([{ id: 'main' }, { id: 'main' }])), ['error 40001 action.menus[1].id']);
    const options = [{ dtmf: '1', action: 'menu(gone)' }];
    assert.deepEqual(problemsOf(menu([{ id: 'main', options }])), ['error 40001 action.menus[0].options']);
    const wrong = [{ dtmf: '12', action: 'go(there)' }];
    assert.deepEqual(problemsOf(menu([{ id: 'main', options: wrong }])), [
      'error 40001 action.menus[0].options[0].dtmf',
      'error 40001 action.menus[0].options[0].action',
    ]);
  });

  it('hostile documents are problems, and few of them', () => {
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`;
    for (const hostile of [
      '[]',
      '1',
      '"x"',
      deep,
      `{"instructions": ${deep}}`,
      `{"action": ${deep}}`,
      '{"action":{"name":{}}}',
      '{"__proto__":{"action":{"name":"hangup"}},"action":[]}',
      ' '.repeat(maxSvamlCharacters + 1),
      JSON.stringify({ action: { name: 'connectPstn', cli: '\0' } }),
      '{"action":{"name":"connectPstn","cli":"\\ud800"}}',
    ]) {
      const { svaml, problems } = loadSvaml(hostile);
      assert.equal(svaml, undefined, hostile.slice(0, 40));
      assert.ok(problems.some(({ severity }) => severity === 'error'));
    }
    const many = { instructions: Array.from({ length: 200 }, () => ({ name: 'say', a: 1, b: 2, c: 3 })) };
    assert.ok(loadSvaml(many).problems.length <= 200);
    const tooMany = { instructions: Array.from({ length: 201 }, () => ({ name: 'answer' })) };
    assert.deepEqual(problemsOf(tooMany), ['error 40001 instructions']);
  });

  it('never shows credentials', () => {
    const { problems, svaml } = loadSvaml({
      action: {
        name: 'continue',
        recordingOptions: { destinationUrl: 'ftp://me:hidden@host/', credentials: ['hidden'], format: 'ogg' },
      },
    });
    assert.equal(svaml, undefined);
    assert.doesNotMatch(JSON.stringify(problems), /hidden/);
    const read = right({ action: { name: 'continue', record: true, recordingOptions } });
    assert.doesNotMatch(JSON.stringify(read), /SECRET/);
  });
});

describe("documents of the vendor's client", () => {
  it('are right as it builds them', () => {
    const { iceActionHelper, iceInstructionHelper, IceSvamletBuilder } = Voice;
    const built = new IceSvamletBuilder()
      .addInstruction(iceInstructionHelper.answer())
      .addInstruction(iceInstructionHelper.say('Hello', 'en-US'))
      .addInstruction(iceInstructionHelper.playFiles(['https://files.example/a.mp3', '#tts[Hi]'], 'Joanna'))
      .addInstruction(iceInstructionHelper.sendDtmf('1w2#'))
      .addInstruction(iceInstructionHelper.setCookie('step', 'one'))
      .addInstruction(iceInstructionHelper.startRecording({ ...recordingOptions, notificationEvents: true }))
      .setAction(iceActionHelper.connectConf({ conferenceId: 'room', moh: 'ring' }))
      .build();
    assert.equal(right(JSON.stringify(built), { use: 'ice' }).instructions.length, 6);
  });
});
