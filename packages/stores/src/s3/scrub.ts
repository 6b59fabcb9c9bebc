/** Longest text of another's that stands in an error of ours. */
const TEXT_CHARS_MAX = 300;

/** Headers of a signed request that let who reads them act in our name, or are part of what does. */
const SECRET_HEADERS = ['authorization', 'x-amz-security-token', 'x-amz-content-sha256'];

/** The credentials that a request was signed with. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What must not be seen of a request: servers are free to put any of it into their answers. */
export function secretsOf(headers: Readonly<Record<string, string>>, signer: Signer): readonly string[] {
  const values = SECRET_HEADERS.map((name) => headers[name] ?? '');
  const [, signature = ''] = /Signature=([^,\s]+)/.exec(headers['authorization'] ?? '') ?? [];
  const { accessKeyId, secretAccessKey, sessionToken = '' } = signer;
  // A shorter one would also hide parts of words, and guards nothing.
  return [...values, signature, secretAccessKey, sessionToken, accessKeyId].filter((secret) => secret.length >= 8);
}

/**
 * A text that came from a server or a library, fit to be shown: without secrets, without anything that looks like a key, a
 * signature or a token, on one line, of bounded length.
 */
export function scrubbed(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) shown = shown.replaceAll(secret, '***');
  shown = shown
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{8,}/g, '***')
    .replace(/\b[0-9a-f]{40,}\b/gi, '***')
    .replace(/[A-Za-z0-9+/=%]{60,}/g, '***')
    .replace(/(Credential|Signature|Authorization|Token|Secret)([=:]\s*)\S+/gi, '$1$2***')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return shown.length > TEXT_CHARS_MAX ? `${shown.slice(0, TEXT_CHARS_MAX)}…` : shown;
}
