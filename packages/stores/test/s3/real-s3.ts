import { openS3Store, type S3OpenOptions, type Store } from '@tidemark/stores';
import { startService, type Service } from '../support/services.ts';

/** An S3 server of a test's own. */
export interface RealS3 {
  readonly service: Service;
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  /** A location under a prefix that nobody used before, spoken to at `endpoint` or at a proxy before it. */
  readonly location: (options?: { readonly at?: string; readonly more?: string }) => string;
  /** An empty store. */
  readonly open: (options?: S3OpenOptions) => Promise<Store>;
  readonly stop: () => Promise<void>;
}

/** Starts a server, and gives this process the credentials for it. */
export async function startS3(): Promise<RealS3> {
  const service = await startService('s3');
  const { S3_ENDPOINT: endpoint = '', S3_BUCKET: bucket = '' } = service.env;
  giveCredentials(service.env);
  let prefixes = 0;
  const location: RealS3['location'] = ({ at = endpoint, more = '' } = {}) =>
    `s3://${bucket}/test/${++prefixes}?endpoint=${at}&path-style=true${more}`;
  const stores: Store[] = [];
  return {
    service,
    endpoint,
    location,
    open: async (options) => {
      const store = await openS3Store(location(), options);
      stores.push(store);
      return store;
    },
    stop: async () => {
      for (const store of stores) await store.close();
      await service.stop();
    },
  };
}

/** Credentials where the SDK looks first, and nowhere else. */
export function giveCredentials(credentials: Readonly<Record<string, string>>): void {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION']) {
    const value = credentials[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  process.env['AWS_CONFIG_FILE'] = '/dev/null';
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
}
