import type { CallreelError } from '../errors.ts';

const otherWarning = 399;

/**
 * The value of a Warning header that tells a peer why its description was refused (RFC 3261 section 20.43).
 * @param agent who warns: a host or a name of one word
 */
export function warningFor({ code, message }: CallreelError, agent: string): string {
  return `${warningCode(code, message)} ${agent} "${message.replaceAll(/[^ !#-[\]-~]/g, ' ').slice(0, 200)}"`;
}

/** 302: incompatible transport protocol, 304: media type not available, 305: incompatible media format. */
function warningCode(code: CallreelError['code'], message: string): number {
  if (code === 'MEDIA_TRANSPORT_UNSUPPORTED') return 302;
  if (code !== 'NO_COMMON_CODEC') return otherWarning;
  return message.includes('no audio stream') ? 304 : 305;
}
