import type { Dialect } from '../database/schema.ts';

/** What serves the calls to a number: a dialect and where its documents come from. */
export interface Application {
  appId: string;
  accountId: string;
  name: string;
  dialect: Dialect;
  onIncoming: string | undefined;
  /** The dialect's own document, used only when `onIncoming` is unset. */
  defaultRoutine: unknown;
}
