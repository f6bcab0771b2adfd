import type { Trunk } from './trunk.ts';

/** A trunk for tests: a UDP peer with nothing special about it. */
export function testTrunk(name: string, parts: Partial<Trunk> = {}): Trunk {
  const host = parts.host ?? 'sip.example.com';
  return {
    trunkId: name,
    name,
    host,
    port: undefined,
    transport: 'udp',
    username: undefined,
    sealedPassword: undefined,
    fromNumber: undefined,
    routes: [],
    sourceNetworks: [],
    gateways: [{ host, port: parts.port }],
    outboundProxy: undefined,
    registers: false,
    registrar: undefined,
    contactUser: undefined,
    priority: 0,
    options: {},
    ...parts,
  };
}
