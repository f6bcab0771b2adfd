import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  maxDocumentCharacters,
  maxYamlCharacters,
  readDocumentObject,
  readDocumentText,
} from './document-text.ts';
import { ScriptError } from './script-error.ts';

function read(text: string): unknown {
  return JSON.parse(JSON.stringify(readDocumentText(text).value));
}

describe('text of a document', () => {
  it('W28: YAML 1.2, whose version stays a text', () => {
    assert.deepEqual(read('version: 1.0.0\nsections:\n  main:\n    - answer: {}\n    - hangup:\n'), {
      version: '1.0.0',
      sections: { main: [{ answer: {} }, { hangup: null }] },
    });
    assert.deepEqual(read('version: 1.0'), { version: '1.0' });
    assert.deepEqual(read('a: yes\nb: true\nc: 0.5\nd: ~\ne: 2024-01-01'), {
      a: 'yes',
      b: true,
      c: 0.5,
      d: null,
      e: '2024-01-01',
    });
  });

  it('W28: JSON', () => {
    assert.deepEqual(read('\ufeff {"version": "1.0.0", "sections": {"main": []}}'), {
      version: '1.0.0',
      sections: { main: [] },
    });
  });

  it('keeps digits that are more than a number', () => {
    assert.deepEqual(read('to: +15551231234\npin: 0123\nid: 12345678901234567890\nn: -7'), {
      to: '+15551231234',
      pin: '0123',
      id: '12345678901234567890',
      n: -7,
    });
    assert.deepEqual(read('case:\n  1: a\n  01: b\n  #: x\n'), { case: { 1: 'a', '01': 'b' } });
  });

  it('copies what an alias names, as often as it is named', () => {
    assert.deepEqual(read('a: &x {n: 1}\nb: [*x, *x]'), { a: { n: 1 }, b: [{ n: 1 }, { n: 1 }] });
  });

  it('knows where everything stands', () => {
    const yaml = readDocumentText('version: 1.0.0\nsections:\n  main:\n    - play:\n        volume: 7\n');
    assert.deepEqual(yaml.placeOf(['sections', 'main', 0, 'play', 'volume']), { line: 5, column: 9 });
    assert.deepEqual(yaml.placeOf(['sections', 'main', 0, 'play', 'not there']), { line: 4, column: 7 });
    assert.deepEqual(yaml.placeOf([]), { line: 1, column: 1 });
    const json = readDocumentText('{\n  "a": [\n    {"b": 1}\n  ]\n}');
    assert.deepEqual(json.placeOf(['a', 0, 'b']), { line: 3, column: 6 });
    assert.deepEqual(readDocumentObject({ a: 1 }).placeOf(['a']), { line: 0, column: 0 });
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['a list that is not closed', 'a: [1', 'relay_script_parse_error'],
    ['half of JSON', '{"a": ', 'relay_script_parse_error'],
    ['tabs', 'a:\n\t- b', 'relay_script_parse_error'],
    ['a key twice in YAML', 'a: 1\na: 2', 'relay_script_element_duplicated'],
    ['a key twice in JSON', '{"a": {"b": 1, "b": 2}}', 'relay_script_element_duplicated'],
    ['a list as a key', '? [1]\n: 2', 'relay_script_element_wrong_type'],
    ['an alias of nothing', 'a: *x', 'relay_script_parse_error'],
    ['an alias of itself', 'a: &a [*a]', 'relay_script_nested_too_deep'],
    ['deep JSON', `${'['.repeat(200)}${']'.repeat(200)}`, 'relay_script_nested_too_deep'],
    ['deep YAML', `a: ${'['.repeat(200)}${']'.repeat(200)}`, 'relay_script_nested_too_deep'],
    ['very deep YAML', '- '.repeat(30_000), 'relay_script_nested_too_deep'],
    ['too long a YAML', `a: ${'x'.repeat(maxYamlCharacters)}`, 'relay_script_parse_error'],
    ['too long a text', ' '.repeat(maxDocumentCharacters + 1), 'relay_script_parse_error'],
    ['two documents', 'a: 1\n---\nb: 2', 'relay_script_parse_error'],
  ];
  for (const [what, text, code] of wrong)
    it(`refuses ${what}`, () => {
      assert.throws(() => readDocumentText(text), { name: 'ScriptError', code });
    });

  it('names the place of a mistake in the text', () => {
    assert.throws(
      () => readDocumentText('a: 1\nb: [1,\n'),
      (error: ScriptError) => error.place!.line >= 2,
    );
    assert.throws(
      () => readDocumentText('a: 1\nb: 2\na: 3'),
      (error: ScriptError) => error.place!.line === 3,
    );
  });

  it('refuses aliases that multiply', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [...pair]))
      bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`);
    assert.throws(() => readDocumentText(bomb.join('\n')), { code: 'relay_script_parse_error' });
  });

  it('makes keys that mean something to JavaScript plain keys', () => {
    for (const text of ['{"__proto__": {"polluted": 1}}', '__proto__: {polluted: 1}']) {
      const { value } = readDocumentText(text);
      assert.deepEqual(Object.keys(value as object), ['__proto__']);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    }
  });

  it('ends in time whatever it is given', () => {
    const shapes = [
      'k: 1\n',
      '"',
      '- ',
      '? ',
      '!a ',
      '&a ',
      '%YAML 1.2\n',
      ',',
      '{a: ',
      '[',
      '#\n',
      "'",
      'a:',
      '*a ',
      '\\',
      '> ',
      '|\n',
      '---\n',
    ];
    for (const shape of shapes) {
      const text = shape.repeat(Math.floor(40_000 / shape.length));
      try {
        readDocumentText(text);
      } catch (error) {
        assert.ok(error instanceof ScriptError, `${shape}: ${String(error)}`);
      }
    }
    const keys = Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join('\n');
    assert.equal(Object.keys(read(keys) as object).length, 5000);
  });
});
