/** Its own declarations are behind an `exports` that hides them. */
declare module '@signalwire/web-api' {
  export function validateRequest(privateKey: string, header: string, url: string, rawBody: string): boolean;
}
