// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runSwml, TestHost } from './test-host.ts';

const say = (text: string) => ({ play: { url: `say:${text}` } });

describe('execute and return', () => {
  it('comes back with a value, and with its own params', async () => {
    const { host, vars } = await runSwml(
      {
        sections: {
          main: [
            {
              execute: {
                dest: 'add',
                params: { a: 2, b: '${n}' },
                on_return: [say('is ${return_value}')],
                result: { case: { 5: [say('five')] } },
              },
            },
            say('[${params.a}] ${return_value}'),
            { execute: 'list' },
            say('${return_value[0].a}'),
          ],
          add: [
            { execute: { dest: 'inner', params: { a: 9 } } },
            { return: '${params.a + parseInt(params.b)}' },
            say('never'),
          ],
          inner: [say('inner ${params.a}${params.b}')],
          list: [{ return: [{ a: 1 }, { b: 2 }] }],
        },
      },
      { vars: { n: '3' }, params: { a: 'main' } },
    );
    assert.deepEqual(host.heard, ['inner 9', 'is 5', 'five', '[main] 5', '1']);
    assert.deepEqual(vars.return_value, [{ a: 1 }, { b: 2 }]);
  });

  it('does not run its result where nothing was returned', async () => {
    for (const section of [[say('x')], [{ return: {} }], [{ return: null }]]) {
      const { host } = await runSwml({
        sections: {
          main: [{ execute: { dest: 's', result: { case: {}, default: [say('no')] } } }, say('on')],
          s: section,
        },
      });
      assert.ok(!host.heard.includes('no') && host.heard.includes('on'));
    }
  });

  it('leaves main by return', async () => {
    const { host, end } = await runSwml([{ cond: [{ when: 'true', then: [{ return: 1 }] }] }, say('never')]);
    assert.deepEqual(host.heard, []);
    assert.deepEqual(end, { reason: 'finished' });
  });

  it('runs documents behind URLs, as JSON, YAML or objects, with params and variables', async () => {
    const host = new TestHost();
    host.documents = {
      'https://a.example/json': '{"sections":{"main":[{"play":"say:json ${params.x}"},{"return":"done"}]}}',
      'https://a.example/yaml':
        'version: 1.0.0\nsections:\n  main:\n    - play: {url: "say:yaml"}\n    - execute: sub\n  sub:\n    - play: say:sub\n',
      'https://a.example/object': { sections: { main: [say('object')] } },
    };
    const params = { x: '${n}' };
    const { end } = await runSwml(
      [
        { set: { n: 5 } },
        ...Object.keys(host.documents).map((dest) => ({ execute: { dest, params } })),
        say('${return_value}'),
      ],
      { host },
    );
    assert.equal(end.reason, 'finished', JSON.stringify(end));
    assert.deepEqual(host.heard, ['json 5', 'yaml', 'sub', 'object', 'done']);
    assert.deepEqual(JSON.parse(JSON.stringify(host.fetched[0])), {
      url: 'https://a.example/json',
      request: { vars: { n: 5 }, envs: { city: 'Berlin' }, params: { x: 5 } },
    });
  });

  it('runs documents in texts, whose own templates are theirs', async () => {
    const { host } = await runSwml(
      [
        {
          execute: {
            dest: '{"version":"1.0.0","sections":{"main":[{"play":"say:${params.name}"}]}}',
            params: { name: 'a"}]}},{"hangup' },
          },
        },
        { execute: '[{"play": "say:list"}]' },
        { execute: 'sections:\n  main:\n    - play: say:yaml' },
        { execute: '${doc}' },
      ],
      { vars: { doc: '[{"play": "say:by variable"}]' } },
    );
    assert.deepEqual(host.heard, ['a"}]}},{"hangup', 'list', 'yaml', 'by variable']);
  });

  it('ends the script where the other document can not be had or is wrong', async () => {
    const host = new TestHost();
    host.documents['https://a.example/wrong'] = 'sections:\n  main:\n    - nope: {}\n    - ai: {}\n';
    const codes = [];
    for (const dest of ['https://a.example/gone', 'https://a.example/wrong', '${x}', '{"sections":']) {
      const { end, vars } = await runSwml([{ execute: { dest } }, say('never')], {
        host,
        vars: { x: 'nowhere' },
      });
      codes.push(end.error?.code);
      assert.equal(vars.script_error, end.error?.code);
    }
    assert.deepEqual(codes, [
      'relay_script_method_execute_failed',
      'relay_script_method_undefined',
      'relay_script_section_parameter_undefined',
      'relay_script_parse_error',
    ]);
    assert.deepEqual(host.heard, []);
    assert.equal(host.warnings.filter((code) => code === 'relay_script_method_undefined').length, 2);
  });

  it('is bounded in depth, and in steps', async () => {
    const deep = await runSwml({ sections: { main: [{ execute: 'main' }] } });
    assert.equal(deep.end.error?.code, 'relay_script_nested_too_deep');
    const wide = await runSwml(
      {
        sections: {
          main: [{ execute: 'a' }, { execute: 'a' }],
          a: [{ execute: 'b' }, { execute: 'b' }],
          b: new Array(10).fill({ set: { x: 1 } }),
        },
      },
      { limits: { maxSteps: 30 } },
    );
    assert.match(wide.end.error?.message ?? '', /within 30 steps/);
    const loop = {
      sections: {
        main: [{ execute: 'a' }],
        a: new Array(200).fill({ execute: 'b' }),
        b: new Array(200).fill({ set: { x: 1 } }),
      },
    };
    assert.match((await runSwml(loop)).end.error?.message ?? '', /within 10000 steps/);
  });
});

describe('transfer', () => {
  it('goes on there and does not come back', async () => {
    const host = new TestHost();
    host.documents['https://a.example/next'] = {
      sections: {
        main: [say('next ${params.where} ${kept}'), { transfer: 'sub' }],
        sub: [say('sub[${params.where}]')],
      },
    };
    const { end } = await runSwml(
      {
        sections: {
          main: [{ set: { kept: 'k' } }, { execute: 's' }, say('never')],
          s: [{ transfer: { dest: 'https://a.example/next', params: { where: 'sales' } } }, say('never')],
        },
      },
      { host },
    );
    assert.deepEqual(host.heard, ['next sales k', 'sub[]']);
    assert.equal(end.reason, 'finished');
    assert.equal(host.done('hang-up').length, 1);
  });

  it("takes the vendor's example that writes lists", async () => {
    const { host } = await runSwml({
      sections: {
        main: [{ transfer: [{ dest: 'a' }, { params: [{ foo: 'bar' }] }] }],
        a: [say('${params.foo}')],
      },
    });
    assert.deepEqual(host.heard, ['bar']);
  });

  it('ends after 32', async () => {
    const { end, vars } = await runSwml(
      { sections: { main: [{ set: { n: '${parseInt(n) + 1}' } }, { transfer: 'main' }] } },
      { vars: { n: 0 } },
    );
    assert.equal(end.error?.code, 'relay_script_too_many_transfers');
    assert.equal(vars.n, 33);
  });

  it('bounds what all expressions take together', async () => {
    const costly =
      '${[1,2,3,4,5,6,7,8,9].map(a => [1,2,3,4,5,6,7,8,9].map(b => [1,2,3,4,5,6,7,8,9].map(c => a + b + c))).length}';
    const { end } = await runSwml([{ label: 'a' }, { set: { x: costly } }, { goto: 'a' }], {
      limits: { maxExpressionSteps: 100_000 },
    });
    assert.match(end.error?.message ?? '', /take too long/);
  });
});
