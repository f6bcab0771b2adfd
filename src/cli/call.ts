import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { sleep, systemClock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { wavHeader } from '../container/wav.ts';
import { CallreelError } from '../errors.ts';
import { listenAddresses } from '../listen-addresses.ts';
import { Locator } from '../sip/locate.ts';
import { DnsResolver } from '../sip/name-resolver.ts';
import type { Endpoint } from '../sip/transport.ts';
import { certificateFault } from '../sip/transport-tls.ts';
import { formatHost, parseSipUri } from '../sip/uri.ts';
import { readLineAudio } from '../testkit/audio-file.ts';
import { Phone } from '../testkit/phone.ts';
import type { PhoneCall } from '../testkit/phone-call.ts';
import { type Command, numeric, parseCommandLine, required } from './command.ts';
import { print } from './output.ts';

const lineRateHz = 8000;

export const callCommands: Command[] = [
  {
    words: ['call'],
    summary: 'place a call and play a WAV file into it',
    usage: '--from FILE --to (sip:URI | NUMBER)',
    details: `  --from FILE      WAV, mono, 8000 Hz: played once, then the call is hung up
  --to TARGET      a SIP URI, or a number of the server that this configuration starts
  --as NUMBER      the caller's number; "callreel" unless given
  --digits KEYS    pressed before the file is played, one after the other
  --stay SECONDS   how long to stay on the line after the file
  --record FILE    what was heard, as WAV
  --host ADDRESS   which address of this machine to call from
  --ca FILE        over TLS: the authority that vouches for the peer, PEM; the public ones unless given
  --insecure       over TLS: whoever the peer is`,
    async run(args) {
      const { values } = parseCommandLine(args, {
        from: { type: 'string' },
        to: { type: 'string' },
        as: { type: 'string', default: 'callreel' },
        digits: { type: 'string', default: '' },
        stay: { type: 'string' },
        record: { type: 'string' },
        host: { type: 'string' },
        ca: { type: 'string' },
        insecure: { type: 'boolean', default: false },
      });
      const audio = await readAudio(required(values.from, 'from'));
      const uri = uriOf(required(values.to, 'to'));
      if (!/^[0-9*#A-D]*$/.test(values.digits))
        throw new CallreelError('USAGE', '--digits wants keys out of 0-9 * # A-D', { where: values.digits });
      const stayMs = (numeric(values.stay, 'stay') ?? 0) * 1000;
      const ca = values.ca === undefined ? undefined : readText(values.ca);
      const peer = await target(uri);
      const { transport, address, port } = peer;
      const host = values.host ?? (await ownAddressTowards(address, port));
      const verify = !values.insecure;
      const phone = await Phone.create({ number: values.as, host, transport, ca, verify });
      try {
        const call = await phone.call(uri, { keepAlive: 'silence' }).catch(async (error: unknown) => {
          throw verify ? await explained(error, peer, ca) : error;
        });
        await speak(call, { digits: values.digits, audio, stayMs });
        if (values.record !== undefined) writeHeard(call, values.record);
      } finally {
        await phone.close();
      }
    },
  },
];

/** A call that did not come about because the peer proves nothing says so. */
async function explained(error: unknown, peer: Endpoint, ca: string | undefined): Promise<unknown> {
  const unreachable = error instanceof CallreelError && error.code === 'SIP_UNREACHABLE';
  const fault = unreachable && peer.transport === 'tls' ? await certificateFault(peer, { ca }) : undefined;
  if (fault === undefined) return error;
  const { serverName, address, port } = peer;
  const what = `the certificate of ${serverName ?? formatHost(address)} proves nothing: ${fault}`;
  return new CallreelError('SIP_CERTIFICATE_UNTRUSTED', what, { where: `${formatHost(address)}:${port}` });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `${file} cannot be read`, { where: file, cause });
  }
}

interface Speech {
  digits: string;
  audio: Int16Array;
  stayMs: number;
}

async function speak(call: PhoneCall, { digits, audio, stayMs }: Speech): Promise<void> {
  print(`answered, ${call.codec}`);
  for (const digit of digits) await call.pressDigit(digit);
  await call.play(audio);
  if (stayMs > 0) await Promise.race([sleep(systemClock, stayMs), call.ended]);
  const { cause, status, reason } = await call.hangUp();
  const said = [status, reason].filter((part) => part !== undefined).join(' ');
  const seconds = (call.sentPayloads.length / 50).toFixed(1);
  print(`ended (${[cause, said].filter(Boolean).join(': ')}); sent ${seconds} s of audio`);
}

async function readAudio(file: string): Promise<Int16Array> {
  try {
    return await readLineAudio(file);
  } catch (cause) {
    if (cause instanceof CallreelError) throw cause;
    throw new CallreelError('FILE_UNUSABLE', `${file} cannot be read`, { where: file, cause });
  }
}

function writeHeard(call: PhoneCall, file: string): void {
  const heard = call.received();
  const bytes = new Uint8Array(heard.buffer, heard.byteOffset, heard.byteLength);
  const header = wavHeader({ rateHz: lineRateHz, channels: 1, dataBytes: bytes.length });
  try {
    writeFileSync(file, Buffer.concat([header, bytes]));
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `${file} cannot be written`, { where: file, cause });
  }
  print(`${file}: ${(heard.length / lineRateHz).toFixed(1)} s heard`);
}

/** A bare number is one of the server that runs by this configuration. */
function uriOf(target: string): string {
  if (/^sips?:/i.test(target)) {
    if (parseSipUri(target)) return target;
    throw new CallreelError('USAGE', '--to is not a SIP URI', { where: target });
  }
  const { sip } = loadConfig();
  const addresses = listenAddresses(sip);
  const found = addresses.find(({ transport }) => transport === 'udp') ?? addresses[0];
  const { transport = 'udp', host = sip.host, port = sip.port } = found ?? {};
  const literal = formatHost(host === '::' ? '::1' : host === '0.0.0.0' ? '127.0.0.1' : host);
  const parameters = transport === 'udp' ? '' : `;transport=${transport}`;
  return `sip:${encodeURIComponent(target)}@${literal}:${port}${parameters}`;
}

/** Where the call goes, and how. @throws CallreelError SIP_HOST_UNKNOWN, REQUEST_INVALID */
async function target(uri: string): Promise<Endpoint> {
  const resolver = new DnsResolver({ clock: systemClock, servers: loadConfig().sip.dnsServers });
  const locator = new Locator({ resolver, reaches: () => true, random: Math.random });
  const [first] = await locator.locate(uri);
  return first as Endpoint;
}

/** The address that the routes of this machine would send from. */
async function ownAddressTowards(address: string, port: number): Promise<string> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.connect(port, address);
    await once(socket, 'connect');
    return socket.address().address;
  } catch (cause) {
    throw new CallreelError('SIP_UNREACHABLE', `no route leads to ${address}`, { where: address, cause });
  } finally {
    socket.close();
  }
}
