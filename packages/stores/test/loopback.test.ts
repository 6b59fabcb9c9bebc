import { isLoopbackHost } from '@tidemark/stores/internal';
import { expect, test } from 'vitest';

test.each(['localhost', 'LocalHost', 's3.localhost', '127.0.0.1', '127.255.3.4', '::1', '[::1]', '[0:0:0:0:0:0:0:1]'])(
  '%s is this machine',
  (host) => expect(isLoopbackHost(host)).toBe(true),
);

test.each([
  '',
  'localhost.example.com',
  'mylocalhost',
  '128.0.0.1',
  '127.0.0.1.example.com',
  '127.1.example',
  '0.0.0.0',
  '[::2]',
  '[fe80::1]',
  '10.0.0.1',
])('%s is not surely this machine', (host) => expect(isLoopbackHost(host)).toBe(false));
