import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import ipaddr from 'ipaddr.js';

/** For tests only: a DNS server on the loopback that answers what its zone says (RFC 1035, 2782, 3403). */

export interface ZoneRecord {
  readonly name: string;
  readonly ttl?: number;
  readonly a?: string;
  readonly aaaa?: string;
  readonly srv?: readonly [priority: number, weight: number, port: number, target: string];
  readonly naptr?: readonly [
    order: number,
    preference: number,
    flags: string,
    service: string,
    target: string,
  ];
}

const types = { a: 1, aaaa: 28, srv: 33, naptr: 35 } as const;
type Type = keyof typeof types;

export class TestDnsServer {
  zone: readonly ZoneRecord[];
  /** A silent server is one that is down. */
  silent = false;
  /** `SRV _sip._udp.a.example`, as asked, in order. */
  readonly questions: string[] = [];
  readonly #socket: Socket = createSocket('udp4');

  private constructor(zone: readonly ZoneRecord[]) {
    this.zone = zone;
    this.#socket.on('message', (query, source) => {
      const answer = this.#answer(query);
      if (!this.silent) this.#socket.send(answer, source.port, source.address);
    });
  }

  static async start(zone: readonly ZoneRecord[]): Promise<TestDnsServer> {
    const server = new TestDnsServer(zone);
    server.#socket.bind(0, '127.0.0.1');
    await once(server.#socket, 'listening');
    return server;
  }

  /** As `sip.dnsServers` names it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join('.').toLowerCase();
    const type = query.readUInt16BE(at + 1);
    const asked = (Object.keys(types) as Type[]).find((key) => types[key] === type);
    this.questions.push(`${asked?.toUpperCase()} ${name}`);
    const known = this.zone.some((record) => record.name === name);
    const found = this.zone.filter((record) => record.name === name && asked !== undefined && record[asked]);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // Response, authoritative, recursion available; NXDOMAIN where nothing has that name.
    header.writeUInt16BE(0x8580 | (known ? 0 : 3), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    const question = query.subarray(12, at + 5);
    return Buffer.concat([header, question, ...found.map((record) => encode(record, asked as Type))]);
  }
}

function encode(record: ZoneRecord, type: Type): Buffer {
  const data = dataOf(record, type);
  const head = Buffer.alloc(12);
  // The name is the question's.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(types[type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl ?? 300, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf({ a, aaaa, srv, naptr }: ZoneRecord, type: Type): Buffer {
  if (type === 'srv') {
    const [priority = 0, weight = 0, port = 0, target = ''] = srv ?? [];
    return Buffer.concat([numbers(priority, weight, port), encodeName(target)]);
  }
  if (type === 'naptr') {
    const [order = 0, preference = 0, flags = '', service = '', target = ''] = naptr ?? [];
    const texts = [flags, service, ''].map(text);
    return Buffer.concat([numbers(order, preference), ...texts, encodeName(target)]);
  }
  return Buffer.from(ipaddr.parse((type === 'a' ? a : aaaa) ?? '').toByteArray());
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map(text), Buffer.of(0)]);
}
