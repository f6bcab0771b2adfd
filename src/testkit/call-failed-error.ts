import { CallreelError } from '../errors.ts';
import type { SipEnd } from '../sip/session.ts';

/** A call that was never answered, or ended before it was established. */
export class CallFailedError extends CallreelError {
  readonly end: SipEnd;
  /** Final status of the INVITE, where one came. */
  readonly sipStatus: number | undefined;

  constructor(peer: string, end: SipEnd) {
    const { cause, status, reason } = end;
    const said = [status, reason].filter((part) => part !== undefined).join(' ');
    super(
      cause === 'rejected' ? 'SIP_REFUSED' : 'SIP_UNREACHABLE',
      `call with ${peer}: ${cause} ${said}`.trimEnd(),
      {
        where: status === undefined ? undefined : String(status),
      },
    );
    this.end = end;
    this.sipStatus = status;
  }
}
