import assert from 'node:assert/strict';
import { infoDigit } from '../../../src/call/info-digit.ts';
import { bodyParts, mediaType, sessionDescription, takesSessionDescription } from '../../../src/sip/body.ts';
import { isAnonymous, readCallerIdentity } from '../../../src/sip/caller-identity.ts';
import { methodRefusal, unsupportedOptions } from '../../../src/sip/capabilities.ts';
import {
  bodyText,
  headerValue,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../../src/sip/message.ts';
import { outlineMessage } from '../../../src/sip/message-outline.ts';
import { parseNameAddress, toSipAddress } from '../../../src/sip/name-address.ts';
import { type ParseFailure, parseMessage, parserLimits } from '../../../src/sip/parser.ts';
import { redactMessage } from '../../../src/sip/redact-message.ts';
import { readRefer } from '../../../src/sip/refer-to.ts';
import { formatReplaces, parseReplaces } from '../../../src/sip/replaces.ts';
import { buildResponse } from '../../../src/sip/serializer.ts';
import {
  afterTooBrief,
  agreedTimer,
  answerTimer,
  readMinSe,
  readSessionExpires,
  standardSessionTimer,
} from '../../../src/sip/session-expires.ts';
import { readSipfrag } from '../../../src/sip/sipfrag.ts';
import { decodeUser, encodeUser } from '../../../src/sip/uri.ts';
import { formatVia, parseVia, stampVia } from '../../../src/sip/via.ts';
import { readData } from '../corpus.ts';
import type { FuzzTarget } from '../target.ts';
import { sipSeeds, sipWords } from './sip-seeds.ts';

/** Whole messages: the parser, what reads headers and bodies behind it, and the answers. */
export function createTarget(): FuzzTarget {
  return {
    isText: true,
    maxBytes: 70_000,
    dictionary: sipWords,
    seeds: () => [...sipSeeds, ...readData('rfc4475', '.dat')],
    run(input) {
      checkKept(Buffer.from(input).toString());
      for (const framing of ['datagram', 'stream'] as const) {
        const result = parseMessage(input, framing);
        if (!result.ok) checkRefusal(result.failure, input.length);
        else {
          checkStable(result.message, framing);
          if (framing === 'datagram') checkMessage(result.message);
        }
      }
    },
  };
}

/** What is kept of a message for people. */
function checkKept(text: string): void {
  const outline = outlineMessage(text);
  if (outline === undefined) return;
  assert.ok(outline.sequence >= 0 && outline.contentType.length <= 256);
  assert.ok(redactMessage(text, outline).length <= 4 * text.length + 1000, 'what is kept is about as long');
}

const injected = { name: 'X-Ours', value: 'yes' };

function checkRefusal({ status, reason, request }: ParseFailure, inputBytes: number): void {
  assert.ok(status >= 400 && status <= 699, 'a refusal has a final status');
  assert.ok(!/[\r\n]/.test(reason), 'a reason is one line');
  if (request === undefined) return;
  const response = buildResponse(request, status, { reason, toTag: 'ours', headers: [injected] });
  checkResponse(response.bytes, inputBytes);
}

/** What we answer is never much larger than what we got, and holds no line that we did not put there. */
function checkResponse(bytes: Buffer, inputBytes: number): void {
  assert.ok(bytes.length <= 3 * inputBytes + 500, 'an answer is about as long as its request');
  const text = bytes.toString();
  assert.equal(text.indexOf('\r\n\r\n'), text.length - 4, 'an answer ends with its head');
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
  assert.match(first, /^SIP\/2\.0 [4-6]\d\d [^\r\n]*$|^SIP\/2\.0 200 OK$/);
  for (const line of lines)
    assert.match(line, /^(Via|From|To|Call-ID|CSeq|X-Ours|Content-Length): [^\r\n]*$/);
  assert.equal(lines.filter((line) => line.startsWith('Content-Length')).length, 1);
}

/** Written again and read again, a message says the same. */
function checkStable(message: SipMessage, framing: 'datagram' | 'stream'): void {
  const first =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const head = [first, ...message.headers.map(({ name, value }) => `${name}: ${value}`), '', ''].join('\r\n');
  const bytes = Buffer.concat([Buffer.from(head), message.body]);
  // A name's colon is followed by one space more than there was.
  if (bytes.length > parserLimits.messageBytes) return;
  if (head.split('\r\n').some(({ length }) => length > parserLimits.lineCharacters)) return;
  const again = parseMessage(bytes, framing);
  assert.ok(again.ok, `what was read can be read again: ${again.ok ? '' : again.failure.reason}`);
  assert.deepEqual(again.message, message);
  const { via } = message;
  assert.deepEqual(parseVia(formatVia(via)), via, 'a Via says the same when it is written again');
  for (const address of ['192.0.2.7', '2001:db8::7'])
    assert.ok(parseVia(formatVia(stampVia(via, address, 5060))), 'a stamped Via can be read');
}

function checkMessage(message: SipMessage): void {
  const { headers, body } = message;
  const first = message.kind === 'request' ? message.uri : message.reason;
  assert.ok(first.length <= parserLimits.lineCharacters && headers.length <= parserLimits.headers);
  assert.ok(body.length <= parserLimits.messageBytes);
  for (const { value } of headers)
    assert.ok(value.length <= parserLimits.lineCharacters, 'a line is bounded');
  checkBody(message);
  checkAddresses(message);
  const asked = readSessionExpires(message);
  assert.ok(asked === undefined || (asked.seconds >= 0 && asked.seconds <= 86_400));
  assert.ok(readMinSe(message) <= 86_400);
  const fragment = readSipfrag(message);
  if (fragment) assert.ok(fragment.status >= 100 && fragment.status <= 699 && fragment.reason.length <= 200);
  if (message.kind === 'request') checkRequest(message);
  else checkResponseTimers(message);
}

function checkResponseTimers(response: SipResponse): void {
  const { minSeconds } = standardSessionTimer;
  const seconds = agreedTimer(response, standardSessionTimer)?.seconds ?? minSeconds;
  assert.ok(seconds >= minSeconds && seconds <= 86_400);
  const again = afterTooBrief(response, standardSessionTimer);
  if (again) assert.ok(again.minSeconds > minSeconds && again.expiresSeconds >= again.minSeconds);
}

function checkRequest(request: SipRequest): void {
  const response = buildResponse(request, 200, { toTag: 'ours', headers: [injected] });
  checkResponse(
    response.bytes,
    request.headers.reduce((sum, { value }) => sum + value.length + 10, 500),
  );
  const read = parseMessage(response.bytes);
  if (response.bytes.length <= parserLimits.messageBytes && !hasLongLine(response.bytes)) {
    assert.ok(read.ok && read.message.kind === 'response', 'our answer can be read');
    assert.equal(read.message.callId, request.callId);
    assert.deepEqual(read.message.cseq, request.cseq);
    assert.deepEqual(read.message.via, request.via);
  }
  takesSessionDescription(request);
  const target = readRefer(request);
  if ('target' in target) assert.ok(target.target.uri.length <= 2048);
  const timer = answerTimer(request, standardSessionTimer, undefined);
  if (timer.status === undefined)
    assert.ok(timer.agreed.seconds >= standardSessionTimer.minSeconds && timer.agreed.seconds <= 86_400);
  const status = methodRefusal(request.method, ['INVITE', 'BYE']);
  assert.ok(status === undefined || (status >= 400 && status <= 699));
  unsupportedOptions(headerValues(request, 'require'), request.method);
}

function hasLongLine(bytes: Buffer): boolean {
  return bytes
    .toString()
    .split('\r\n')
    .some(({ length }) => length > parserLimits.lineCharacters);
}

function checkBody(message: SipMessage): void {
  mediaType(message);
  assert.match(
    infoDigit(headerValue(message, 'content-type') ?? '', bodyText(message)) ?? '0',
    /^[0-9*#A-D]$/,
  );
  const parts = bodyParts(message);
  assert.ok(parts.length <= 16);
  // Bytes that are no UTF-8 become one character each.
  const characters = parts.reduce(
    (sum, { content, contentType }) => sum + content.length + contentType.length,
    0,
  );
  assert.ok(characters <= message.body.length + 16 * 'text/plain'.length + 1, 'parts are parts of the body');
  assert.ok((sessionDescription(message)?.length ?? 0) <= message.body.length);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these must not come out
const control = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const maxIdentityCharacters = 64 * 1024;

function checkAddresses(message: SipMessage): void {
  const identity = readCallerIdentity(message.headers);
  isAnonymous(identity);
  const text = JSON.stringify(identity);
  assert.ok(text.length <= maxIdentityCharacters, 'what is kept of a caller is bounded');
  assert.ok(text.isWellFormed() && !control.test(text), 'what is kept of a caller can be printed');
  for (const address of [message.from, message.to]) {
    const { user, uri, host } = toSipAddress(address);
    assert.ok(user.length <= uri.length && host.length <= uri.length);
    if (user.isWellFormed()) assert.equal(decodeUser(encodeUser(user)), user);
  }
  for (const key of ['contact', 'route', 'record-route', 'path'])
    for (const value of headerValues(message, key)) parseNameAddress(value);
  for (const value of headerValues(message, 'replaces')) {
    const replaces = parseReplaces(value);
    if (replaces) assert.deepEqual(parseReplaces(formatReplaces(replaces)), replaces);
  }
}
