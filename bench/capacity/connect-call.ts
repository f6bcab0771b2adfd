import type { BenchServer } from './bench-server.ts';
import type { LoadGenerator } from './load-generator.ts';
import {
  type CallMedia,
  callerOf,
  randomMasterKey,
  type TwoPartySignalling,
} from './two-party-signalling.ts';

/** The numbers of a bench, one for each call that is there at once. */
export const firstNumber = 10_000;

export interface Stage {
  signalling: TwoPartySignalling;
  server: BenchServer;
  load: LoadGenerator;
}

export interface ConnectOptions {
  /** Who calls. */
  from?: string;
  /** Which of the two legs are SRTP. */
  srtp?: { caller: boolean; called: boolean };
}

/** Streams of the call of this number: the caller's and the called party's. */
export function streamsOf(call: number): [caller: number, called: number] {
  return [call * 2, call * 2 + 1];
}

/**
 * Sets a call up, both parties of which then talk, each hearing the other.
 * @throws CallRefused where it is not answered
 */
export async function connectCall(stage: Stage, call: number, options?: ConnectOptions): Promise<void> {
  await connectLegs(stage, call, options);
}

/**
 * As `connectCall`.
 * @returns where the server takes the media of each
 */
export async function connectLegs(
  { signalling, server, load }: Stage,
  call: number,
  options: ConnectOptions = {},
): Promise<CallMedia> {
  const { from = callerOf(call), srtp = { caller: false, called: false } } = options;
  const [caller, called] = streamsOf(call);
  const media: CallMedia = {
    caller: { port: load.ports[caller]!, key: srtp.caller ? randomMasterKey() : undefined },
    called: { port: load.ports[called]!, key: srtp.called ? randomMasterKey() : undefined },
  };
  const uri = server.process.sipUri(String(firstNumber + call));
  const legs = await signalling.call(call, uri, media, from);
  load.protect(caller, legs.caller, media.caller);
  load.protect(called, legs.called, media.called);
  load.expectRelayed(caller, called);
  load.begin(caller, legs.caller);
  load.begin(called, legs.called);
  return legs;
}

/** So many at once, until all of them talk. */
export async function connectCalls(
  calls: number,
  connect: (call: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const place = async () => {
    for (let call = next++; call < calls; call = next++) await connect(call);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, place));
}

const callsAtOnce = 8;
