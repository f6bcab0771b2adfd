import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';

/**
 * Waits until one party has heard all that the other said, bit for bit: what was said last is still on its way.
 * @throws AssertionError that says what of it was heard
 */
export async function assertHeard(listener: PhoneCall, speaker: PhoneCall, label: string): Promise<void> {
  const isHeard = () => findPayloadRun(listener.received(), speaker.sent()) >= 0 || undefined;
  await eventually(label, isHeard).catch(() =>
    assertExactRun(listener.received(), speaker.sent(), { label }),
  );
}

/** As `assertHeard`, both ways. */
export async function assertBothHeard(caller: PhoneCall, called: PhoneCall): Promise<void> {
  await assertHeard(caller, called, 'what the caller heard');
  await assertHeard(called, caller, 'what the called party heard');
}
