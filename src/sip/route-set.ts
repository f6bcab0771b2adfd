import { parseNameAddress } from './name-address.ts';

/**
 * Request-URI and Route of a request along a route set (RFC 3261 section 12.2.1.1): a first route without `lr` is a
 * strict router; it becomes the Request-URI, and the target comes last in the Route.
 */
export function routed(
  target: string,
  routeSet: readonly string[],
): { uri: string; routes: readonly string[] } {
  const [first, ...others] = routeSet;
  const address = first === undefined ? undefined : parseNameAddress(first);
  if (address === undefined || address.sipUri?.parameters.has('lr')) return { uri: target, routes: routeSet };
  return { uri: address.uri, routes: [...others, `<${target}>`] };
}

/** Where the request is sent: to the first route, else to its target. */
export function nextHopOf(target: string, [first]: readonly string[]): string {
  return (first === undefined ? undefined : parseNameAddress(first)?.uri) ?? target;
}
