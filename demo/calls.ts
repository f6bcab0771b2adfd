import { setTimeout as wait } from 'node:timers/promises';
import { decodeAlaw, decodeUlaw } from '../src/codec/g711.ts';
import { Phone } from '../src/testkit/phone.ts';
import type { PhoneCall } from '../src/testkit/phone-call.ts';
import type { TestServer } from '../src/testkit/server.ts';
import { speech } from '../src/testkit/speech.ts';
import { type Caller, callers, leaveKey, talkSeconds } from './audience.ts';

const rateHz = 8000;
/** The caller takes a breath before and after pressing the key. */
const pauseMs = 500;

export interface PlacedCall {
  caller: Caller;
  call: PhoneCall;
  /** What was said in each stay. */
  said: Int16Array[];
}

/** Places every call of the demo at once, lets the callers talk, and hangs up. */
export async function placeCalls(server: TestServer, number: string): Promise<PlacedCall[]> {
  const phones = await Promise.all(
    callers.map(({ number: from, name, transport }) =>
      Phone.create({ number: from, displayName: name, transport }),
    ),
  );
  try {
    const calls = await Promise.all(
      phones.map((phone, index) => phone.call(server.sipUri(number, callers[index]!.transport))),
    );
    return await Promise.all(calls.map((call, index) => talk(callers[index]!, call)));
  } finally {
    await Promise.all(phones.map((phone) => phone.close()));
  }
}

async function talk(caller: Caller, call: PhoneCall): Promise<PlacedCall> {
  const text = await speech(caller.speech);
  const from = caller.fromSecond * rateHz;
  const all = text.subarray(from, from + talkSeconds * rateHz);
  const stays = caller.rejoins ? [all.subarray(0, all.length / 2), all.subarray(all.length / 2)] : [all];
  const said: Int16Array[] = [];
  for (const [index, part] of stays.entries()) {
    if (index > 0) await call.pressDigit(leaveKey);
    await wait(pauseMs);
    const before = call.sentPayloads.length;
    await call.play(part);
    await wait(pauseMs);
    said.push(decoded(call, before));
  }
  await call.hangUp();
  return { caller, call, said };
}

/** What left the phone since its packet `first`, as a recording must hold it: bit for bit. */
function decoded(call: PhoneCall, first: number): Int16Array {
  const decode = call.codec === 'PCMA' ? decodeAlaw : decodeUlaw;
  const payload = Buffer.concat(call.sentPayloads.slice(first).map((packet) => packet.payload));
  const samples = new Int16Array(payload.length);
  decode(payload, samples);
  return samples;
}
