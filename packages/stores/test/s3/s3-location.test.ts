import { StoreError } from '@tidemark/stores';
import { parseS3Location } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';

describe('a location in S3', () => {
  const plain = {
    bucket: 'bucket',
    prefix: '',
    endpoint: undefined,
    region: undefined,
    pathStyle: false,
    encryption: undefined,
    expectedBucketOwner: undefined,
    checksums: 'when-supported',
    allowHttp: false,
    unsafeSingleWriter: false,
    url: 's3://bucket',
  };
  test.each<readonly [string, object]>([
    ['s3://bucket', {}],
    ['s3://bucket/', {}],
    ['S3://bucket/a', { prefix: 'a/', url: 's3://bucket/a' }],
    ['s3://my.bucket-1/a/b.c_d/', { bucket: 'my.bucket-1', prefix: 'a/b.c_d/', url: 's3://my.bucket-1/a/b.c_d' }],
    ['s3://bucket?region=eu-central-1', { region: 'eu-central-1' }],
    [
      's3://bucket?endpoint=http://127.0.0.1:9000&path-style=true',
      { endpoint: 'http://127.0.0.1:9000', pathStyle: true, url: 's3://bucket?endpoint=http://127.0.0.1:9000' },
    ],
    [
      's3://bucket?endpoint=http%3A%2F%2F[::1]%3A9000/',
      { endpoint: 'http://[::1]:9000', url: 's3://bucket?endpoint=http://[::1]:9000' },
    ],
    [
      's3://bucket?endpoint=https://s3.example.com/base/',
      { endpoint: 'https://s3.example.com/base', url: 's3://bucket?endpoint=https://s3.example.com' },
    ],
    [
      's3://bucket?endpoint=http://s3.example.com&allow-http=true',
      { endpoint: 'http://s3.example.com', allowHttp: true, url: 's3://bucket?endpoint=http://s3.example.com' },
    ],
    ['s3://bucket?sse=AES256', { encryption: { algorithm: 'AES256' } }],
    [
      's3://bucket?sse=aws:kms&kms-key-id=arn:aws:kms:eu-central-1:123456789012:key/1a-2b',
      { encryption: { algorithm: 'aws:kms', keyId: 'arn:aws:kms:eu-central-1:123456789012:key/1a-2b' } },
    ],
    ['s3://bucket?expected-bucket-owner=123456789012', { expectedBucketOwner: '123456789012' }],
    ['s3://bucket?checksums=when-required', { checksums: 'when-required' }],
    ['s3://bucket?unsafe-single-writer=true&path-style=false', { unsafeSingleWriter: true }],
  ])('%s', (location, differs) => {
    expect(parseS3Location(location)).toEqual({ ...plain, ...differs, location });
  });
});

describe('is refused', () => {
  test.each<readonly [string, RegExp]>([
    ['s3:bucket', /begin with s3:\/\//],
    ['s3://', /bucket is named/],
    ['s3:///a', /bucket is named/],
    ['s3://UPPER/a', /bucket is named/],
    ['s3://ab', /bucket is named/],
    ['s3://a..b', /bucket is named/],
    ['s3://bucket--use1-az5--x-s3/a', /directory bucket/],
    ['s3://bucket/a//b', /prefix consists/],
    ['s3://bucket/../b', /prefix consists/],
    ['s3://bucket/a b', /prefix consists/],
    ['s3://bucket/%2e%2e', /prefix consists/],
    [`s3://bucket/${'a/'.repeat(300)}`, /prefix consists/],
    ['s3://bucket/a#b', /fragment/],
    ['s3://bucket?a=b?c=d', /more than one/],
    ['s3://bucket?what=1', /known are endpoint, region, path-style, sse, kms-key-id, expected-bucket-owner, checksums/],
    ['s3://bucket?region', /region has no value/],
    ['s3://bucket?region=', /region has no value/],
    ['s3://bucket?region=EU', /value of the parameter region/],
    ['s3://bucket?region=a&region=b', /twice/],
    ['s3://bucket?region=%zz', /hexadecimal/],
    ['s3://bucket?path-style=yes', /path-style is true or false/],
    ['s3://bucket?endpoint=127.0.0.1:9000', /endpoint is written like/],
    ['s3://bucket?endpoint=ftp://x', /endpoint is written like/],
    ['s3://bucket?sse=rot13', /sse is AES256 or aws:kms/],
    ['s3://bucket?kms-key-id=abc', /needs sse=aws:kms/],
    ['s3://bucket?sse=AES256&kms-key-id=abc', /needs sse=aws:kms/],
    ['s3://bucket?expected-bucket-owner=me', /value of the parameter expected-bucket-owner/],
    ['s3://bucket?checksums=never', /checksums is when-supported or when-required/],
  ])('%s', (location, text) => {
    const error = errorOf(location);
    expect(error).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_URL' });
    expect(error.message).toMatch(text);
    expect(error.message).toMatch(/Expected for example s3:\/\/bucket\/prefix/);
  });

  test.each([
    's3://AKIACANARY:canary@bucket/a',
    's3://bucket?access-key-id=canary',
    's3://bucket?secret-access-key=canary',
    's3://bucket?session_token=canary',
    's3://bucket?X-Amz-Signature=canary',
    's3://bucket?AWS_SECRET_ACCESS_KEY=canary',
    's3://bucket?password=canary',
    's3://bucket?endpoint=https://user:canary@s3.example.com',
  ])('%s, because it holds credentials, which are not shown', (location) => {
    const error = errorOf(location);
    expect(error).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_URL' });
    expect(error.message).toMatch(/Credentials have no place in a location/);
    expect(`${error.message} ${error.stack}`.toLowerCase()).not.toContain('canary');
  });

  test.each(['http://s3.example.com', 'http://10.0.0.1:9000', 'http://localhost.example.com'])(
    '%s as its endpoint, because everybody could read and change what is sent',
    (endpoint) => {
      const error = errorOf(`s3://bucket?endpoint=${endpoint}`);
      expect(error).toMatchObject({ kind: 'fatal', code: 'STORE_INSECURE' });
      expect(error.message).toMatch(/https.*allow-http=true/);
    },
  );
});

function errorOf(location: string): StoreError {
  try {
    parseS3Location(location);
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error(`${location} was accepted`);
}
