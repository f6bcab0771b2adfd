import type { TransportUnderTest } from './test-transport.ts';
import { datagramConformance } from './test-transport-datagrams.ts';
import { portConformance } from './test-transport-ports.ts';
import { steadyConformance } from './test-transport-steady.ts';

/** What every driver of the transport contract must do, over real sockets. Each driver's test calls it once. */
export function transportConformance(name: string, underTest: TransportUnderTest): void {
  datagramConformance(name, underTest);
  steadyConformance(name, underTest);
  portConformance(name, underTest);
}
