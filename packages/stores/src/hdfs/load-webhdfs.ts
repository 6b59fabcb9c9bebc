import { StoreError } from '../errors.ts';

export type WebHdfsModule = typeof import('webhdfs').default;
export type WebHdfsClient = ReturnType<WebHdfsModule['createClient']>;

/** Loads npm `webhdfs`, which only users of HDFS install. @throws `STORE_NOT_INSTALLED` */
export async function loadWebHdfs(url: string): Promise<WebHdfsModule> {
  try {
    return (await import('webhdfs')).default;
  } catch (cause) {
    throw new StoreError(
      'fatal',
      'STORE_NOT_INSTALLED',
      `${url} cannot be opened: the package webhdfs is not installed. Run: npm install webhdfs@1.2.0`,
      { cause },
    );
  }
}
