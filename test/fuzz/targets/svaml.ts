import assert from 'node:assert/strict';
import { FakeClock } from '../../../src/clock.ts';
import { allowedActions } from '../../../src/dialects/sinch/actions.ts';
import { sinchErrorCodes } from '../../../src/dialects/sinch/errors.ts';
import { cookiesOf, svamlSteps } from '../../../src/dialects/sinch/steps.ts';
import { loadSvaml, type Svaml } from '../../../src/dialects/sinch/svaml.ts';
import type { Step } from '../../../src/script/verb.ts';
import type { FuzzTarget } from '../target.ts';
import { svamlSeeds, svamlWords } from './svaml-seeds.ts';

const codes: readonly number[] = sinchErrorCodes;
const uses = [undefined, ...(Object.keys(allowedActions) as (keyof typeof allowedActions)[])];
const maxVisits = 50;

/** Documents: read, looked at, and their menus gone through. */
export function createTarget(): FuzzTarget {
  const builtins = snapshot();
  return {
    isText: true,
    maxBytes: 4000,
    dictionary: svamlWords,
    seeds: () => svamlSeeds.map((text) => Buffer.from(text)),
    async run(input) {
      const text = Buffer.from(input).toString();
      for (const use of uses) {
        const { svaml, problems } = loadSvaml(text, { use, hasDefaultStore: input.length % 2 === 0 });
        assert.equal(
          svaml === undefined,
          problems.some(({ severity }) => severity === 'error'),
        );
        assert.ok(problems.length <= 200);
        for (const { code, message, path, line, column } of problems) {
          assert.ok(codes.includes(code) && code !== 50000, String(code));
          assert.ok(message.length > 0 && message.length <= 510, 'an error is short');
          assert.ok(path.length <= 5000 && line >= 1 && column >= 1);
        }
        if (svaml) await checkSteps(svaml);
      }
      assert.equal(snapshot(), builtins, "JavaScript's own objects are as they were");
    },
  };
}

async function checkSteps(svaml: Svaml): Promise<void> {
  const steps = svamlSteps(svaml, {
    dialed: '+15551231234',
    clock: new FakeClock(),
    wishesOf: ({ format }) => ({ format }),
    askMenu: async () => [],
    musicOf: () => undefined,
    connecting: () => ({}),
    observerOf: () => undefined,
  });
  assert.ok(cookiesOf(svaml).size <= steps.length + svaml.instructions.length);
  for (const digits of ['', '1', '12', '#']) {
    let next: readonly Step[] = steps;
    for (let visits = 0; visits < maxVisits; visits++) {
      const collect = next.find((step) => step.verb === 'collect');
      if (collect?.verb !== 'collect') break;
      assert.ok(collect.maxDigits >= 1 && collect.initialTimeoutMs >= 0);
      next = (await collect.done?.({ digits, ended: digits === '' ? 'no-input' : 'complete' })) ?? [];
    }
  }
}

/** The names of what everything else is made of. */
function snapshot(): string {
  return [Object.prototype, Array.prototype, String.prototype, Map.prototype]
    .map((each) => Object.getOwnPropertyNames(each).join())
    .join(';');
}
