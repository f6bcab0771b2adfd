import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from './errors.ts';
import { createLogger } from './logger.ts';
import { Secret } from './secret.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger('info', { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a secret prints as redacted, also where a careless plain one stands', () => {
  const lines = logged((logger) => {
    logger.info({ value: new Secret('s3cret'), deep: { er: [new Secret('s3cret')] } });
    logger.info({ password: 's3cret', config: { sip: { authToken: 's3cret' } } });
    logger.info({ request: { headers: { authorization: 'Basic s3cret' } } });
  });
  assert.equal(lines.length, 3);
  assert.doesNotMatch(JSON.stringify(lines), /s3cret/);
});

test('an error of the catalogue is logged with its code and its cause', () => {
  const [line] = logged((logger) => {
    const cause = new Error('ECONNREFUSED');
    logger.error({ err: new CallreelError('CALLBACK_FAILED', 'no answer', { where: 'http://a/', cause }) });
  });
  assert.ok(line);
  const { stack, ...err } = line.err as Record<string, unknown>;
  assert.match(String(stack), /logger\.test/);
  assert.equal(err.code, 'CALLBACK_FAILED');
  assert.equal(err.cause, 'ECONNREFUSED');
});

test('a cause that has several causes is told by them', () => {
  const refused = ['::1', '127.0.0.1'].map((host) => new Error(`connect ECONNREFUSED ${host}:5432`));
  const cause = new AggregateError(refused);
  const [line] = logged((logger) =>
    logger.error({ err: new CallreelError('DATABASE_UNAVAILABLE', 'no answer', { cause }) }),
  );
  const told = 'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432';
  assert.equal((line!.err as Record<string, unknown>).cause, told);
});

test('below the level nothing is written', () => {
  assert.deepEqual(
    logged((logger) => logger.debug('quiet')),
    [],
  );
});
