import { type RequestPolicy, toCompatResponse } from '@azure/core-http-compat';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  RestError,
} from '@azure/core-rest-pipeline';
import type { StorageAgents } from './storage-network.ts';

/**
 * The HTTP client beneath Azure's library: connects by our agents only, whatever the environment says of proxies, and
 * follows no redirection, which could lead to another host.
 */
export function azureHttpClient({ http, https }: StorageAgents): RequestPolicy {
  const client = createDefaultHttpClient();
  return {
    async sendRequest(asked) {
      const isPlain = asked.url.startsWith('http:');
      const response = await client.sendRequest(
        createPipelineRequest({
          url: asked.url,
          method: asked.method,
          headers: createHttpHeaders(asked.headers.toJson({ preserveCase: true })),
          body: asked.body,
          abortSignal: asked.abortSignal,
          agent: isPlain ? http : https,
          allowInsecureConnection: isPlain,
        }),
      );
      const { status } = response;
      if (status >= 300 && status < 400)
        throw new RestError('the storage answers with a redirection', { statusCode: status });
      return { ...toCompatResponse(response), request: asked };
    },
  };
}
