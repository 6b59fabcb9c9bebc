/** What a client is told of an error, in the form of RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly status: number; readonly code: string; readonly detail: string };
}

/** Of the errors that a client can do something about; whatever else happens is ours to mend. */
const STATUS_OF: Readonly<Record<string, number>> = {
  // Refusals of our own actors.
  NAME_INVALID: 400,
  LIMIT_INVALID: 400,
  VISITS_DIFFER: 409,
  // The same Idempotency-Key with another request.
  REQUEST_ID_REUSED: 409,
  // Not answered in time: whether it was done is not known.
  ASK_TIMEOUT: 504,
  // Surely not done: the system went back to a checkpoint from before it. Ask again.
  ROLLED_BACK: 503,
  // The thread has died that computed it.
  SERVICE_INTERRUPTED: 503,
  // Shutting down: another process answers soon.
  SYSTEM_STOPPED: 503,
};

export function problemOf(error: unknown): Problem {
  const {
    code = 'INTERNAL',
    message = '',
    statusCode,
  } = (error ?? {}) as {
    readonly code?: string;
    readonly message?: string;
    readonly statusCode?: number;
  };
  // The framework has found something wrong with the request, and says so.
  const theirs = statusCode !== undefined && statusCode < 500 ? statusCode : undefined;
  const status = STATUS_OF[code] ?? theirs ?? 500;
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...(status === 503 ? { 'retry-after': '1' } : {}) },
    // What went wrong inside is for the log, not for the client.
    body: { status, code, detail: status === 500 ? 'Something went wrong.' : message },
  };
}
