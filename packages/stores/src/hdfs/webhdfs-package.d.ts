/** The part of webhdfs 1.2.0 that is used: two inner methods. Its public ones lose data without an error. */
declare module 'webhdfs' {
  import type { IncomingMessage } from 'node:http';

  interface WebHdfsRequest {
    on(event: 'response', listener: (response: IncomingMessage) => void): this;
    on(event: 'data', listener: (chunk: Uint8Array) => void): this;
    on(event: 'complete', listener: (response: IncomingMessage, body: unknown) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    abort(): void;
  }

  interface WebHdfsClient {
    /** `path` must be percent-encoded by the caller; `parameters` are encoded here. */
    _getOperationEndpoint(operation: string, path: string, parameters: Readonly<Record<string, string>>): string;
    /** The callback must be given: without it the options are taken for one. */
    _sendRequest(
      method: string,
      url: string,
      options: Readonly<Record<string, unknown>>,
      callback: () => void,
    ): WebHdfsRequest;
  }

  interface WebHdfs {
    createClient(options: {
      readonly protocol: string;
      readonly host: string;
      readonly port: string;
      readonly path: string;
    }): WebHdfsClient;
  }

  const webhdfs: WebHdfs;
  export default webhdfs;
}
