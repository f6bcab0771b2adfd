// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Json, type JsonObject, jsonObject, toJson } from './json.ts';
import { ScriptError } from './script-error.ts';
import { hasTemplate, isMet, substitute } from './substitution.ts';
import { Variables, variablePath } from './variables.ts';

function filling(steps = 1_000_000) {
  const scopes = {
    call: () =>
      toJson({ from: '+15551234567', type: 'sip', headers: [{ name: 'X', value: 'y' }] }) as JsonObject,
    envs: toJson({ city: 'Berlin', name: 'from envs' }) as JsonObject,
  };
  const variables = new Variables(scopes);
  variables.setAll({
    ...{ name: 'Ann', flag: true, count: 3, ratio: 0.5, list: ['a', 'b'], nested: { deep: [{ x: 1 }] } },
    ...{ headers: { 'content-type': 'text/html' }, a: 5, b: 2, evil: '${name}', quote: '" + secret + "' },
  });
  variables.params = jsonObject([['to', 'x']]);
  const warnings: string[] = [];
  return { variables, warnings, purse: { steps }, warn: (message: string) => void warnings.push(message) };
}

function filled(value: Json): unknown {
  return JSON.parse(JSON.stringify(substitute(value, filling())));
}

describe('substitution', () => {
  it('W4: a text that is nothing but a variable keeps its kind', () => {
    assert.equal(filled('${flag}'), true);
    assert.equal(filled('${count}'), 3);
    assert.deepEqual(filled('${list}'), ['a', 'b']);
    assert.deepEqual(filled('%{nested.deep[0]}'), { x: 1 });
    assert.equal(filled('${count + 1}'), 4);
    assert.equal(filled(' ${count}'), ' 3');
  });

  it('puts values into texts', () => {
    assert.equal(filled('Hello ${name}, %{count} times ${ratio}!'), 'Hello Ann, 3 times 0.5!');
    assert.equal(filled('${list} ${nested}'), 'a,b {"deep":[{"x":1}]}');
    assert.equal(filled('${count > 2 ? "many" : "few"} of ${name.toUpperCase()}'), 'many of ANN');
    assert.deepEqual(filled({ a: ['${name}', { b: '${count}' }], '${name}': 1 }), {
      a: ['Ann', { b: 3 }],
      '${name}': 1,
    });
  });

  it('makes nothing of what is not set', () => {
    assert.equal(filled('${missing}'), '');
    assert.equal(filled('a${missing.deeper[3]}b'), 'ab');
    assert.equal(filled('${nested.missing}'), '');
    assert.equal(filled('${}'), '');
  });

  it('knows its scopes: vars before envs before call, or by their names', () => {
    assert.equal(
      filled('${name} ${vars.name} ${envs.name} ${city} ${from}'),
      'Ann Ann from envs Berlin +15551234567',
    );
    assert.equal(filled('${call.from} ${params.to} ${call.headers[0].value} ${to}'), '+15551234567 x y ');
  });

  it('takes a path for a lookup of data, as the vendor does: its length is none', () => {
    assert.equal(filled('${list.length}'), '');
    assert.equal(filled('${(list.length)}'), 2);
    assert.equal(
      filled("${headers['content-type']} ${headers.content-type} ${a-b}"),
      'text/html text/html 3',
    );
  });

  it('does not look again at what was put in', () => {
    assert.equal(filled('${evil}'), '${name}');
    assert.equal(filled('x ${evil}'), 'x ${name}');
    const parts = filling();
    assert.equal(isMet("'${quote}' == 'a'", parts), false);
    assert.deepEqual(parts.warnings, []);
  });

  it('leaves what is no template', () => {
    for (const text of ['$5 {x}', '100%', '${open', '$ {x}', '{{x}}', "${'}", '${'])
      assert.equal(filled(text), text, text);
    assert.equal(hasTemplate('${open'), false);
    assert.equal(hasTemplate({ a: [{ b: 'x %{y}' }] }), true);
  });

  it('warns of an expression that fails, which is nothing', () => {
    const parts = filling();
    assert.equal(substitute('a${missing.deeper.toUpperCase()}b', parts), 'ab');
    assert.match(parts.warnings[0]!, /missing is not set/);
    assert.equal(isMet('missing.x == 1', parts), false);
    assert.equal(parts.warnings.length, 2);
  });

  it('gives no way to the prototypes of objects', () => {
    for (const path of [
      '__proto__',
      'constructor',
      'list.constructor',
      'nested.__proto__',
      'vars.toString',
      'call.__proto__.x',
    ])
      assert.equal(filled(`\${${path}}`), '', path);
    const { variables } = filling();
    variables.set('__proto__', { polluted: 1 });
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.deepEqual({ ...(variables.resolve(['__proto__']) as object) }, { polluted: 1 });
  });

  it('bounds texts and the cost of all expressions together', () => {
    const parts = filling();
    parts.variables.set('long', 'x'.repeat(60_000));
    assert.throws(() => substitute('${long}${long}', parts), ScriptError);
    const poor = filling(2000);
    assert.throws(() => {
      for (let count = 0; count < 1000; count++) substitute('${(count * 2)}', poor);
    }, /take too long/);
  });

  it('reads a long hostile text quickly', () => {
    for (const text of [
      '${'.repeat(60_000),
      '${a}'.repeat(30_000),
      '%{"'.repeat(40_000),
      `\${${'{'.repeat(60_000)}`,
    ]) {
      const parts = filling();
      try {
        substitute(text, parts);
      } catch (error) {
        assert.ok(error instanceof ScriptError);
      }
    }
  });
});

describe('variables', () => {
  it('bounds how many there are and how much they hold', () => {
    const { variables } = filling();
    const fill = (each: string): void => {
      for (let count = 0; count < 2000; count++) variables.set(`v${count}`, each);
    };
    assert.throws(() => fill('x'.repeat(10_000)), ScriptError);
    assert.throws(() => fill('x'), ScriptError);
    let deep: unknown = 1;
    for (let count = 0; count < 100; count++) deep = [deep];
    assert.throws(() => variables.set('deep', deep), { code: 'relay_script_nested_too_deep' });
    assert.throws(() => variables.set('wide', new Array(30_000).fill(0)), ScriptError);
    variables.unset('v1');
    variables.set('again', 'x');
  });

  it('unsets by name and by path', () => {
    const { variables } = filling();
    variables.unset('nested.deep[0].x');
    assert.equal(JSON.stringify(variables.resolve(['nested'])), '{"deep":[{}]}');
    variables.unset('vars.name');
    variables.unset('list');
    variables.unset('nothing.there');
    assert.equal(variables.resolve(['name']), 'from envs');
    assert.equal(variables.resolve(['list']), undefined);
  });

  it('reads paths', () => {
    assert.deepEqual(variablePath('a.b[0]["c d"].e-f'), ['a', 'b', '0', 'c d', 'e-f']);
    for (const none of ['', 'a b', '1', 'true', 'a.', 'a[', 'a[b]', 'a()', '.a', 'a + b'])
      assert.equal(variablePath(none), undefined, none);
  });
});
