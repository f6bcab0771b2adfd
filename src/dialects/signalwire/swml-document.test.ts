// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
// biome-ignore-all lint/suspicious/noThenProperty: conditions of SWML have it
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { scriptErrorCodes, todoOf } from './script-error.ts';
import { methods, unavailableMethods } from './step.ts';
import { checkSwml, loadSwml } from './swml-document.ts';

/** `code path` of each problem of a document. */
function problemsOf(source: unknown): string[] {
  return loadSwml(source).problems.map(
    ({ code, path, severity }) =>
      `${severity === 'error' ? '' : 'warning '}${code.replace('relay_script_', '')} ${path}`,
  );
}

function ofSteps(...main: unknown[]): string[] {
  return problemsOf({ version: '1.0.0', sections: { main } });
}

/** The examples of the vendor's page on `record_call`. */
const pageExamples = ['start-mp3', 'record-and-play-back', 'record-speaker'].map((name) =>
  readFileSync(new URL(`../../../test/data/signalwire/record_call/${name}.yaml`, import.meta.url), 'utf8'),
);

describe('checkSwml', () => {
  it('places what is wrong with a whole text at its beginning', () => {
    for (const text of ['x'.repeat(200_000), `{"sections":${'['.repeat(100)}${']'.repeat(100)}}`])
      assert.deepEqual(
        checkSwml(text).map(({ line, column }) => [line, column]),
        [[1, 1]],
      );
  });

  it('names what was meant, and no secret of a URL', () => {
    const document = (step: unknown) => JSON.stringify({ sections: { main: [step] } });
    assert.match(checkSwml(document({ anwser: {} }))[0]!.message, /"answer" is one$/);
    assert.match(checkSwml(document({ record_call: { stero: true } }))[0]!.message, /"stereo" is one$/);
    const url = 'http://bob:hunter2@a.example/p.wav?token=tops3cret';
    for (const step of [{ play: [url, 'silence:1'] }, { sleep: url }, { record_call: { format: url } }]) {
      const [{ message } = { message: '' }] = checkSwml(document(step));
      assert.match(message, /\*\*\*@a\.example/);
      assert.doesNotMatch(message, /hunter2|tops3cret/);
    }
  });

  it("W28-W33: finds nothing in the vendor's examples of record_call", () => {
    for (const example of pageExamples) assert.deepEqual(checkSwml(example), []);
  });

  it('A9: finds nothing in what the SDKs emit', () => {
    const emitted = {
      ...{
        stereo: true,
        format: 'wav',
        direction: 'both',
        beep: false,
        input_sensitivity: 44,
        control_id: 'c',
      },
    };
    assert.deepEqual(ofSteps({ record_call: emitted }), []);
    assert.deepEqual(ofSteps({ answer: {} }, { record_call: { format: 'mp4', stereo: true } }), []);
    assert.deepEqual(
      ofSteps({ join_conference: 'name' }, { stop_record_call: { control_id: { controlId: 'main' } } }),
      [],
    );
  });

  it('names line, column, step, and what to do', () => {
    const [problem, ...others] = checkSwml(
      'version: 1.0.0\nsections:\n  main:\n    - answer: {}\n    - play:\n        url: say:x\n        volume: 41\n',
    );
    assert.deepEqual(problem, {
      severity: 'error',
      code: 'relay_script_method_parameter_invalid_value',
      message: 'a number from -40 to 40 is expected, not 41',
      todo: 'Give a value of the range or list that is named.',
      path: 'sections.main[1].play.volume',
      line: 7,
      column: 9,
    });
    assert.deepEqual(others, []);
  });

  it('finds everything at once, in the order of the document', () => {
    const problems = checkSwml(
      'sections:\n  main:\n    - play: {url: "say:x", volume: 99}\n    - nope: {}\n    - record_call: {format: ogg, max_length: -1}\n',
    );
    assert.deepEqual(
      problems.map(({ path, line }) => `${line} ${path}`),
      [
        '3 sections.main[0].play.volume',
        '4 sections.main[1].nope',
        '5 sections.main[2].record_call.format',
        '5 sections.main[2].record_call.max_length',
      ],
    );
  });

  const documents: readonly (readonly [string, unknown, string[]])[] = [
    ['a text', 'hello', ['element_wrong_type ']],
    ['nothing', '', ['element_wrong_type ']],
    ['a list', [], ['element_wrong_type ']],
    ['no sections', { version: '1.0.0' }, ['sections_missing ']],
    ['sections that are a list', { sections: [] }, ['element_wrong_type sections']],
    ['no main', { sections: { other: [{ answer: {} }] } }, ['main_section_missing sections']],
    ['an empty main', { sections: { main: [] } }, ['section_code_missing sections.main']],
    [
      'an empty section',
      { sections: { main: [{ answer: {} }], b: null } },
      ['section_code_missing sections.b'],
    ],
    ['a section that is an object', { sections: { main: {} } }, ['element_wrong_type sections.main']],
    ['another version', { version: '2.0.0', sections: { main: ['answer'] } }, ['version_invalid version']],
    [
      'a version that is a number',
      { version: 1, sections: { main: ['answer'] } },
      ['version_invalid version'],
    ],
    ['something else at the top', { x: 1, sections: { main: ['answer'] } }, ['element_undefined x']],
  ];
  for (const [what, document, expected] of documents)
    it(`refuses ${what}`, () => {
      assert.deepEqual(problemsOf(document), expected);
      assert.equal(loadSwml(document).document, undefined);
    });

  const m = 'sections.main[0]';
  const steps: readonly (readonly [string, unknown, string[]])[] = [
    ['a step that is a number', 5, [`element_wrong_type ${m}`]],
    ['a step without a method', {}, [`method_missing_name ${m}`]],
    ['a step of two methods', { answer: {}, hangup: {} }, [`element_duplicated ${m}.hangup`]],
    ['an unknown method', { nope: {} }, [`method_undefined ${m}.nope`]],
    ['a method by its name alone that is none', 'nope', [`method_undefined ${m}`]],
    ['constructor', { constructor: {} }, [`method_undefined ${m}.constructor`]],
    ['parameters that are a number', { play: 5 }, [`element_wrong_type ${m}.play`]],
    ['an unknown parameter', { answer: { x: 1 } }, [`method_parameter_undefined ${m}.answer.x`]],
    ['play of nothing', { play: {} }, [`method_parameter_missing ${m}.play`]],
    ['play of both', { play: { url: 'say:a', urls: ['say:b'] } }, [`method_parameter_conflict ${m}.play`]],
    ['play of no URLs', { play: { urls: [] } }, [`method_parameter_invalid_value ${m}.play.urls`]],
    [
      'play of a file',
      { play: { url: 'file:///etc/passwd' } },
      [`method_parameter_invalid_value ${m}.play.url`],
    ],
    [
      'an endless silence',
      { play: { url: 'silence:99999999' } },
      [`method_parameter_invalid_value ${m}.play.url`],
    ],
    ['prompt of nothing', { prompt: {} }, [`method_parameter_missing ${m}.prompt`]],
    [
      'prompt of 0 digits',
      { prompt: { play: 'say:x', max_digits: 0 } },
      [`method_parameter_invalid_value ${m}.prompt.max_digits`],
    ],
    [
      'prompt with hints',
      { prompt: { play: 'say:x', speech_hints: ['a'], speech_timeout: -1 } },
      [
        `warning method_parameter_undefined ${m}.prompt.speech_hints`,
        `method_parameter_invalid_value ${m}.prompt.speech_timeout`,
      ],
    ],
    [
      'hangup for another reason',
      { hangup: { reason: 'bored' } },
      [`method_parameter_invalid_value ${m}.hangup.reason`],
    ],
    ['sleep of -2', { sleep: -2 }, [`method_parameter_invalid_value ${m}.sleep.duration`]],
    ['sleep of half a millisecond', { sleep: 0.5 }, [`method_parameter_invalid_value ${m}.sleep.duration`]],
    [
      'digits that are none',
      { send_digits: { digits: '12x' } },
      [`method_parameter_invalid_value ${m}.send_digits.digits`],
    ],
    ['connect to nobody', { connect: {} }, [`method_parameter_missing ${m}.connect`]],
    [
      'connect to two',
      { connect: { to: '+15551112222', serial: [{ to: '+15551112222' }] } },
      [`method_parameter_conflict ${m}.connect`],
    ],
    [
      'connect to a queue',
      { connect: { to: 'queue:support' } },
      [`method_parameter_invalid_value ${m}.connect.to`],
    ],
    [
      'connect with confirm',
      { connect: { to: 'sip:a@b', confirm: [] } },
      [`method_parameter_invalid_value ${m}.connect.confirm`],
    ],
    [
      'connect with encryption that may not be had',
      { connect: { to: 'sip:a@b', encryption: 'mandatory' } },
      [`method_parameter_invalid_value ${m}.connect.encryption`],
    ],
    [
      'connect in series to nobody',
      { connect: { serial: [] } },
      [`method_parameter_invalid_value ${m}.connect.serial`],
    ],
    [
      'a header that is two',
      { connect: { to: 'sip:a@b', headers: [{ name: 'X-A', value: 'a\r\nX-B: b' }] } },
      [`method_parameter_invalid_value ${m}.connect.headers[0].value`],
    ],
    [
      'a device without to',
      { connect: { parallel: [{ from: '1' }] } },
      [`method_parameter_missing ${m}.connect.parallel[0]`],
    ],
    [
      'a conference of one',
      { join_conference: { name: 'a', max_participants: 1 } },
      [`method_parameter_invalid_value ${m}.join_conference.max_participants`],
    ],
    [
      'a conference without a name',
      { join_conference: {} },
      [`method_parameter_missing ${m}.join_conference`],
    ],
    [
      'request without method',
      { request: { url: 'https://a.example' } },
      [`method_parameter_missing ${m}.request`],
    ],
    [
      'request by PATCH',
      { request: { url: 'https://a.example', method: 'PATCH' } },
      [`method_parameter_invalid_value ${m}.request.method`],
    ],
    [
      'request to ftp',
      { request: { url: 'ftp://a.example', method: 'GET' } },
      [`method_parameter_invalid_value ${m}.request.url`],
    ],
    [
      'request with a cookie',
      { request: { url: 'https://a.example', method: 'GET', headers: { Cookie: 'a' } } },
      [`method_parameter_invalid_value ${m}.request.headers.Cookie`],
    ],
    ['a condition that is none', { cond: [{ when: 'a ==', then: [] }] }, [`js_eval_error ${m}.cond[0].when`]],
    ['conditions that are an object', { cond: {} }, [`element_wrong_type ${m}.cond`]],
    [
      'a mistake within a condition',
      { cond: [{ when: 'a', then: [{ nope: {} }] }] },
      [`method_undefined ${m}.cond[0].then[0].nope`],
    ],
    ['a switch without a case', { switch: { variable: 'a' } }, [`method_parameter_missing ${m}.switch`]],
    [
      'a switch on no variable',
      { switch: { variable: 'a + b', case: {} } },
      [`method_parameter_invalid_value ${m}.switch.variable`],
    ],
    [
      'a mistake within a case',
      { switch: { variable: 'a', case: { 5: [{ sleep: 'x' }] } } },
      [`method_parameter_invalid_value ${m}.switch.case.5[0].sleep.duration`],
    ],
    ['goto nowhere', { goto: 'x' }, [`method_parameter_invalid_value ${m}.goto.label`]],
    [
      'goto 101 times',
      { goto: { label: 'a', max: 101 } },
      [`method_parameter_invalid_value ${m}.goto.label`, `method_parameter_invalid_value ${m}.goto.max`],
    ],
    ['execute of no section', { execute: { dest: 'x' } }, [`section_parameter_undefined ${m}.execute.dest`]],
    ['execute of nothing', { execute: {} }, [`method_parameter_missing ${m}.execute`]],
    ['a malformed URL', { transfer: { dest: 'https://' } }, [`parse_error ${m}.transfer.dest`]],
    ['transfer to nothing', { transfer: {} }, [`method_parameter_missing ${m}.transfer`]],
    ['set of a list', { set: ['a'] }, [`element_wrong_type ${m}.set`]],
    ['set of a scope', { set: { call: 1 } }, [`method_parameter_invalid_value ${m}.set.call`]],
    ['unset of a number', { unset: 5 }, [`element_wrong_type ${m}.unset`]],
    ['user_event without event', { user_event: {} }, [`method_parameter_missing ${m}.user_event`]],
    ['an expression that is none', { play: { url: 'say: ${1 +}' } }, [`js_eval_error ${m}.play.url`]],
    [
      'an expression in a variable that is none',
      { set: { a: { b: ['${x y}'] } } },
      [`js_eval_error ${m}.set.a.b[0]`],
    ],
  ];
  for (const [what, step, expected] of steps)
    it(`refuses ${what}`, () => {
      assert.deepEqual(ofSteps(step).sort(), expected.toSorted());
    });

  it('warns of what has no effect here, and runs it', () => {
    const document = {
      sections: {
        main: [
          { connect: { to: 'sip:a@b.example', encryption: 'optional', from_name: 'A', codecs: 'PCMU' } },
        ],
      },
    };
    assert.deepEqual(problemsOf(document), [
      `warning method_parameter_undefined ${m}.connect.from_name`,
      `warning method_parameter_undefined ${m}.connect.codecs`,
    ]);
    assert.ok(loadSwml(document).document);
  });

  it("names each of the vendor's methods that is not here", () => {
    for (const name of unavailableMethods) {
      const [problem] = loadSwml({ sections: { main: [{ [name]: {} }] } }).problems;
      assert.equal(problem?.code, 'relay_script_method_undefined');
      assert.match(problem.message, new RegExp(`"${name}" is not available`));
      assert.equal(methods.has(name), false);
    }
  });

  it('knows labels of the lists of steps around a goto, and no others', () => {
    const goto = { goto: 'here' };
    assert.deepEqual(ofSteps({ label: 'here' }, { cond: [{ when: 'true', then: [goto] }] }), []);
    assert.deepEqual(ofSteps({ cond: [{ else: [{ label: 'here' }] }] }, goto), [
      'method_parameter_invalid_value sections.main[1].goto.label',
    ]);
    assert.deepEqual(ofSteps({ goto: '${where}' }), []);
  });

  it('takes a list of steps alone where execute does', () => {
    assert.ok(loadSwml('[{"answer": {}}]', { steps: true }).document);
    assert.equal(loadSwml('[{"answer": {}}]').document, undefined);
  });

  it('does not stop at, nor list for ever, what is wrong everywhere', () => {
    const problems = loadSwml({ sections: { main: new Array(5000).fill({ nope: {} }) } }).problems;
    assert.ok(problems.length > 50 && problems.length <= 200);
  });

  it('keeps messages and paths short, whatever the names in a document', () => {
    const long = 'x'.repeat(50_000);
    const documents = [
      `${long}: 1\n${long}: 2`,
      `a: *${long}`,
      `{"sections": {"main": [{"set": {"${long}": "\${a ${long.slice(0, 900)}}"}}]}}`,
    ];
    for (const { message, path } of documents.flatMap((document) => loadSwml(document).problems))
      assert.ok(message.length < 600 && path.length < 600, `${message.length} ${path.length}`);
  });

  it('never throws, and says what to do about each code', () => {
    for (const source of [
      undefined,
      null,
      5,
      Symbol('x'),
      () => 1,
      { sections: { main: [null] } },
      { sections: { main: [[[]]] } },
    ])
      assert.ok(loadSwml(source).problems.length > 0);
    for (const code of scriptErrorCodes) assert.ok(todoOf[code].length > 10);
  });
});
