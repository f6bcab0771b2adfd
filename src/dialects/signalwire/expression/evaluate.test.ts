// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JsonObject, memberOf, toJson } from '../json.ts';
import { evaluate } from './evaluate.ts';
import { parseExpression } from './parser.ts';
import { ExpressionSyntaxError } from './tokens.ts';
import { EvaluationError } from './value.ts';

const variables = toJson({
  n: 5,
  text: 'Hello',
  yes: true,
  nothing: null,
  items: ['apple', 'banana'],
  user: { name: 'Ann', tags: ['a', 'b'], length: 7 },
  call: { from: '+15551234567', type: 'SIP', direction: 'inbound' },
  vars: { unit_price: 5, quantity: '3' },
}) as JsonObject;

function value(source: string): unknown {
  const found = evaluate(parseExpression(source), (name) => memberOf(variables, name));
  return found === undefined ? undefined : JSON.parse(JSON.stringify(found) ?? 'null');
}

describe('expression', () => {
  const examples: readonly (readonly [string, unknown])[] = [
    ['1 + 2 * 3 - 4 / 2', 5],
    ['(1 + 2) * 3', 9],
    ['2 ** 3 ** 2', 512],
    ['-n + +"3"', -2],
    ['7 % 4', 3],
    ['0x10 + 1e2 + .5', 116.5],
    ['n > 4 && n <= 5', true],
    ['nothing ?? "none"', 'none'],
    ['text || "x"', 'Hello'],
    ['n == "5"', true],
    ['n === "5"', false],
    ['n != 6', true],
    ['yes === true ? "y" : "n"', 'y'],
    ['n > 10 ? "a" : n > 4 ? "b" : "c"', 'b'],
    ["'b' > 'a'", true],
    ['!yes', false],
    ['typeof n', 'number'],
    ['typeof missing', 'undefined'],
    ['missing == null', true],
    ['missing?.name', undefined],
    ['user.name + " " + user["tags"][1]', 'Ann b'],
    ['user.length', 7],
    ['(items.length)', 2],
    ['items[items.length - 1]', 'banana'],
    ['items.join(", ")', 'apple, banana'],
    ['items.includes("apple")', true],
    ['[1,2,3,4,5].reduce((a,b) => a+b, 0)', 15],
    ['[3,1,2].sort().map(x => x * 2).filter((x, i) => i > 0)', [4, 6]],
    ['[10, 9, 1].sort((a, b) => a - b)', [1, 9, 10]],
    ['({ a: 1, "b": [n], n })', { a: 1, b: [5], n: 5 }],
    ['items + ""', 'apple,banana'],
    ['"" + user', '{"name":"Ann","tags":["a","b"],"length":7}'],
    ['`${text} there`', 'Hello there'],
    ["'${text}' == 'Hello'", true],
    ['${n} == 5', true],
    ['%{user.name} + "!"', 'Ann!'],
    ['"a\\u0041\\n\\x42"', 'aA\nB'],
    ['parseInt("42px") + parseFloat("1.5")', 43.5],
    ['Boolean(1)', true],
    ['String(12) + Number("3")', '123'],
    ['Math.round(2.5) + Math.max(1, 7, 3) + Math.floor(-1.5)', 8],
    ['JSON.parse(JSON.stringify(user)).name', 'Ann'],
    ['Object.keys(user)', ['name', 'tags', 'length']],
    ['Array.isArray(items)', true],
    ['encodeURIComponent("a b&c")', 'a%20b%26c'],
    ['(3.14159).toFixed(2)', '3.14'],
    ['(255).toString(16)', 'ff'],
    ['text.toUpperCase().split("").reverse().join("")', 'OLLEH'],
    ['text.replace("l", "L") + text.replaceAll("l", "L")', 'HeLloHeLLo'],
    [
      'text.substring(1, 3) + text.slice(-2) + text.substr(-3, 2) + text.charAt(0) + text[1]',
      'elloll' + 'He',
    ],
    ['"5".padStart(3, "0") + "ab".repeat(2)', '005abab'],
    ['text.length', 5],
    // The vendor's page on expressions
    ['call.from.substring(0, 3)', '+15'],
    ['vars.unit_price * parseInt(vars.quantity)', 15],
    ["call.type.toLowerCase() == 'sip'", true],
    ['call.direction == "inbound" ? "Welcome" : "Calling"', 'Welcome'],
    ['call.type != null ? call.type : "unknown"', 'SIP'],
    ["call.from.split('').join(' ')", '+ 1 5 5 5 1 2 3 4 5 6 7'],
  ];
  for (const [source, expected] of examples)
    it(source, () => {
      assert.deepEqual(value(source), expected);
    });

  for (const source of [
    '',
    '1 +',
    '(1',
    'a b',
    'function(x) { return x * 2; }',
    'for(let i=0; i<10; i++) { sum += i; }',
    'new Date()',
    'a = 1',
    'a++',
    'this',
    'import("fs")',
    '/a+/.test(x)',
    '"open',
    'a ? b',
    'a.',
    '${',
    '#',
    'class X {}',
    '((a, b) => { return a })(1)',
    'a; b',
    `${'('.repeat(70)}1${')'.repeat(70)}`,
    `${'!'.repeat(200)}1`,
    `1${'+1'.repeat(600)}`,
    `a${'.b'.repeat(100)}`,
  ])
    it(`is no expression: ${source.slice(0, 40)}`, () => {
      assert.throws(() => parseExpression(source), ExpressionSyntaxError);
    });

  for (const source of [
    'missing.name',
    'nothing.name',
    'n()',
    'text.nope()',
    'items.map(n)',
    'Math()',
    'x => x',
    '[Math.max]',
    '({ f: x => x })',
    '"" + Math.max',
    '[].reduce((a, b) => a)',
    'JSON.parse("{")',
    'decodeURIComponent("%")',
    '(1).toFixed(200)',
    '(1).toString(99)',
  ])
    it(`fails by itself: ${source}`, () => {
      assert.throws(() => value(source), EvaluationError);
    });
});

describe('hostile expression', () => {
  for (const source of [
    'constructor',
    '__proto__',
    'n.constructor',
    'text.constructor.constructor("return process")()',
    'items.constructor',
    'user.__proto__',
    'user["__proto__"]["polluted"]',
    'user.constructor',
    'user.hasOwnProperty',
    'user.toString',
    'items.__proto__',
    'items["push"]',
    '"".sub',
    '(x => x).constructor',
    '(x => x).call',
    'Math.constructor',
    'Math.__proto__',
    'Object.prototype',
    'Object.getPrototypeOf',
    'Object.assign',
    'JSON.constructor',
    'parseInt.constructor',
    'globalThis',
    'process',
    'Function',
    'eval',
    'require',
    'Reflect',
    'Symbol',
    'Proxy',
    'arguments',
  ])
    it(`reaches nothing of JavaScript: ${source}`, () => {
      try {
        assert.equal(value(source), undefined);
      } catch (error) {
        assert.ok(error instanceof EvaluationError, String(error));
      }
    });

  it('makes keys that mean something to JavaScript plain keys', () => {
    assert.equal(value('({ "__proto__": 1 }).polluted'), undefined);
    assert.deepEqual(value('Object.keys(JSON.parse("{\\"__proto__\\": {\\"polluted\\": 1}}"))'), [
      '__proto__',
    ]);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  for (const source of [
    '"a".repeat(1e9)',
    '"a".repeat(Infinity)',
    '"".repeat(Infinity)',
    '"a".padStart(1e9)',
    '"ab".repeat(30000).repeat(30000)',
    '[1,2,3].map(a => "x".repeat(60000)).join("").length',
    '"x".repeat(60000).split("").join("yyyyyyyyyy")',
    '"x".repeat(60000).replaceAll("x", "yyyyyyyy")',
    '"x".repeat(60000).split("").map(a => 1)',
    '(f => f(f))(f => f(f))',
    '((f, n) => f(f, n))((f, n) => n + f(f, n + 1), 0)',
    '[1,2,3,4,5,6,7,8,9,10].map(a => [1,2,3,4,5,6,7,8,9,10].map(b => [1,2,3,4,5,6,7,8,9,10].map(c => [1,2,3,4,5,6,7,8,9,10].map(d => [1,2,3,4,5,6,7,8,9,10].map(e => 1)))))',
    '(a => a(a, "xx"))((a, s) => a(a, s + s))',
    '(a => a(a, [1]))((a, l) => a(a, l.concat(l)))',
    '["a"].map(a => "b".repeat(65000)).map(s => s.split("").sort((x, y) => 1))',
  ])
    it(`ends in time and room: ${source.slice(0, 60)}`, () => {
      assert.throws(() => value(source), EvaluationError);
    });
});
