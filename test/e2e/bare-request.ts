import { request } from 'node:http';

export interface BareAnswer {
  status: number;
  contentType: string;
  bytes: Buffer;
}

/** GET with no header but those given and, unless among them, the Host that HTTP/1.1 wants. */
export function bareGet(url: string, headers: Record<string, string> = {}): Promise<BareAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<BareAnswer>();
  const outgoing = request(url, { headers, agent: false }, async (response) => {
    try {
      const bytes = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
      const contentType = response.headers['content-type'] ?? '';
      resolve({ status: response.statusCode ?? 0, contentType, bytes });
    } catch (error) {
      reject(error);
    }
  });
  outgoing.on('error', reject).end();
  return promise;
}
