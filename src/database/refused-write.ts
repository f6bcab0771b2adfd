/**
 * Whether PostgreSQL will say the same to the same data for ever: it cannot be kept so (class 22 of its error codes),
 * breaks a constraint (23), or is beyond a limit (54). Whatever else a database says may pass.
 */
export function isRefusedWrite(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^(?:2[23]|54)[\dA-Z]{3}$/.test(code);
}
