import type { Dialog } from './dialog.ts';
import type { DialogRoute } from './dialog-route.ts';
import { quote } from './scan.ts';

/** RFC 3326; Q.850 cause 16 is "normal call clearing". */
const causes = { normal: 'Q.850;cause=16', timeout: 'SIP;cause=408' } as const;

/** Ends a dialog (RFC 3261 section 15.1.1). @param done the peer has answered, or will not */
export function sendBye(
  way: DialogRoute,
  dialog: Dialog,
  { reason, cause = 'normal' }: { reason: string | undefined; cause?: keyof typeof causes | undefined },
  done: () => void,
): void {
  const headers = reason ? [{ name: 'Reason', value: `${causes[cause]};text=${quote(reason)}` }] : [];
  way.send(dialog.draft('BYE', { headers }), dialog, done);
}

/**
 * Asks by OPTIONS whether the peer still knows the dialog (RFC 3261 section 11, and 12.2.1.2 for what the answer says
 * about the dialog).
 */
export function probeDialog(way: DialogRoute, dialog: Dialog): Promise<boolean> {
  return new Promise((resolve) =>
    way.send(dialog.draft('OPTIONS'), dialog, (response) =>
      resolve(response !== undefined && response.status !== 481 && response.status !== 408),
    ),
  );
}
