import assert from 'node:assert/strict';
import { scriptErrorCodes } from '../../../src/dialects/signalwire/script-error.ts';
import { methods } from '../../../src/dialects/signalwire/step.ts';
import { loadSwml } from '../../../src/dialects/signalwire/swml-document.ts';
import { runSwml, TestHost } from '../../../src/dialects/signalwire/test-host.ts';
import type { FuzzTarget } from '../target.ts';
import { swmlSeeds, swmlWords } from './swml-seeds.ts';

const codes: readonly string[] = scriptErrorCodes;
const limits = { maxSteps: 200, maxExpressionSteps: 20_000 };

/** Documents: read, looked at, and run on a call that does nothing. */
export function createTarget(): FuzzTarget {
  const builtins = snapshot();
  return {
    isText: true,
    maxBytes: 4000,
    dictionary: [...swmlWords, ...methods.keys()],
    seeds: () => swmlSeeds.map((text) => Buffer.from(text)),
    async run(input) {
      const text = Buffer.from(input).toString();
      const { document, problems } = loadSwml(text);
      assert.equal(
        document === undefined,
        problems.some(({ severity }) => severity === 'error'),
      );
      assert.ok(problems.length <= 200);
      for (const { code, message, path, line, column } of problems) {
        assert.ok(codes.includes(code), code);
        assert.notEqual(code, 'relay_script_internal_error');
        assert.ok(message.length > 0 && message.length <= 1000, 'an error is short');
        assert.ok(path.length <= 5000 && line >= 0 && column >= 0);
      }
      await checkRun(text);
      assert.equal(snapshot(), builtins, "JavaScript's own objects are as they were");
    },
  };
}

async function checkRun(text: string): Promise<void> {
  const host = new TestHost();
  host.documents = { 'https://a.example/other': text };
  host.answers.sleep = () => {
    host.hangUp.abort(new Error('the call ended'));
    throw new Error('the call ended');
  };
  const { end, vars } = await runSwml(text, { host, limits, vars: { flag: true, text: 'x' } });
  assert.ok(end.reason !== 'failed' || end.error !== undefined);
  assert.notEqual(end.error?.code, 'relay_script_internal_error', JSON.stringify(end));
  assert.ok(JSON.stringify(vars).length < 8_000_000);
  assert.ok(host.verbs.length <= limits.maxSteps + 1);
}

/** The names of what everything else is made of. */
function snapshot(): string {
  return [
    Object.prototype,
    Array.prototype,
    String.prototype,
    Number.prototype,
    Function.prototype,
    globalThis,
  ]
    .map((each) => Object.getOwnPropertyNames(each).join())
    .join('|');
}
