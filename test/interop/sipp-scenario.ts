import { keyPayloadType } from './rtp-capture.ts';

/** Scenarios of sipp 3.6. Field 0 of the injection file is the caller's number, field 1 the called one. */
export interface CallerScenario {
  transport: 'udp' | 'tcp';
  /** Headerless G.711 file to stream, and how: sipp knows no other form. */
  stream: { path: string; payloadType: 0 | 8; codec: 'PCMU' | 'PCMA' } | undefined;
  /** A capture file to send in place of a stream. */
  capture?: string;
  /** From answer to BYE; without it, the peer's BYE is waited for. */
  callMs: number | undefined;
  /** Whole lines. */
  inviteHeaders?: readonly string[];
}

const digitTolerance = '<recv response="100" optional="true"/>\n  <recv response="180" optional="true"/>';

/** INVITE, answer, ACK, audio for a while, BYE. Without a stream, what comes in is echoed (`-rtp_echo`). */
export function callerScenario(scenario: CallerScenario): string {
  const { transport, stream, capture, callMs, inviteHeaders = [] } = scenario;
  const port = stream ? '[rtpstream_audio_port]' : '[media_port]';
  const payloadType = stream?.payloadType ?? 0;
  const codec = stream?.codec ?? 'PCMU';
  const action = [
    ...(stream ? [`<exec rtp_stream="${stream.path},-1,${payloadType},${codec}/8000"/>`] : []),
    ...(capture ? [`<exec play_pcap_audio="${capture}"/>`] : []),
  ].map((exec) => `<nop><action>${exec}</action></nop>`);
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="callreel caller">
  <send retrans="500"><![CDATA[
INVITE sip:[field1]@[remote_ip]:[remote_port]${transport === 'tcp' ? ';transport=tcp' : ''} SIP/2.0
${[requestHeaders('INVITE'), ...inviteHeaders].join('\n')}
Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

${description(port, payloadType, codec, capture !== undefined)}
]]></send>
  ${digitTolerance}
  <recv response="183" optional="true"/>
  <recv response="200" rtd="true" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
${requestHeaders('ACK', '[peer_tag_param]')}
[routes]
Content-Length: 0

]]></send>
  ${action.join('\n  ')}
  ${callMs === undefined ? peerHangsUp : hangUpAfter(callMs)}
</scenario>
`;
}

function hangUpAfter(callMs: number): string {
  return `<pause milliseconds="${callMs}"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
${requestHeaders('BYE', '[peer_tag_param]')}
[routes]
Content-Length: 0

]]></send>
  <recv response="200"/>`;
}

/** Answers every INVITE and echoes its audio until the caller hangs up. */
export function answererScenario(transport: 'udp' | 'tcp'): string {
  const contact = `Contact: <sip:[local_ip]:[local_port];transport=${transport}>`;
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="callreel answerer">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
${responseHeaders}
${contact}
Content-Length: 0

]]></send>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
${responseHeaders}
${contact}
Content-Type: application/sdp
Content-Length: [len]

${description('[media_port]', 0, 'PCMU')}
]]></send>
  <recv request="ACK" crlf="true"/>
  ${peerHangsUp}
</scenario>
`;
}

const peerHangsUp = `<recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`;

const responseHeaders = `[last_Via:]
[last_From:]
[last_To:];tag=[pid]sipp[call_number]
[last_Call-ID:]
[last_CSeq:]`;

function requestHeaders(method: string, toTag = ''): string {
  return `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:[field0]@[local_ip]>;tag=[pid]sipp[call_number]
To: <sip:[field1]@[remote_ip]>${toTag}
Call-ID: [call_id]
CSeq: [cseq] ${method}`;
}

function description(port: string, payloadType: number, codec: string, hasKeys = false): string {
  return `v=0
o=sipp [pid] [call_number] IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio ${port} RTP/AVP ${payloadType}${hasKeys ? ` ${keyPayloadType}` : ''}
a=rtpmap:${payloadType} ${codec}/8000
${hasKeys ? `a=rtpmap:${keyPayloadType} telephone-event/8000\na=fmtp:${keyPayloadType} 0-15\n` : ''}a=sendrecv`;
}
