import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { type OpenedLibc, openLibc } from './libc.ts';
import type { PortRange } from './port-range.ts';
import type { DriverSetting, MayStay, RtpTransport, SteeringSetting } from './transport.ts';
import { DgramTransport } from './transport-dgram.ts';
import { FfiTransport, type FfiTransportOptions } from './transport-ffi.ts';

export interface TransportOptions {
  driver: DriverSetting;
  /** Of `ffi`. */
  steering?: SteeringSetting | undefined;
  clock: Clock;
  /** IPv4 or IPv6 address of this machine that the ports are bound to. */
  address: string;
  ports: PortRange;
  mayStay?: MayStay;
}

/**
 * @param open for tests
 * @throws CallreelError CONFIG_INVALID where `ffi` is asked for and does not work here
 */
export function chooseTransport(
  { driver, steering, ...options }: TransportOptions,
  open: () => OpenedLibc | string = openLibc,
): RtpTransport {
  if (driver === 'dgram') return new DgramTransport(options);
  const transport = tryFfi({ ...options, steer: steering === 'auto' }, open());
  if (typeof transport === 'object') return transport;
  if (driver === 'auto') return new DgramTransport({ ...options, note: transport });
  throw new CallreelError('CONFIG_INVALID', `the driver ffi does not work here: ${transport}`, {
    where: 'rtp.driver',
  });
}

/** @returns why there is none */
function tryFfi(
  options: Omit<FfiTransportOptions, 'libc'>,
  libc: OpenedLibc | string,
): FfiTransport | string {
  if (typeof libc === 'string') return libc;
  try {
    const transport = new FfiTransport({ libc, ...options });
    const problem = transport.probe();
    if (problem === undefined) return transport;
    void transport.stop();
    return problem;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
